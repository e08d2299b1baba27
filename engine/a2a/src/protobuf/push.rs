//! Push notification configurations.

#![expect(
    missing_docs,
    reason = "these are the objects of `model` by the same names, where their fields are described"
)]

use super::{IntoModel, all};
use crate::error::A2aError;
use crate::model;

#[derive(Clone, PartialEq, prost::Message)]
pub struct AuthenticationInfo {
    #[prost(string, tag = "1")]
    pub scheme: String,
    #[prost(string, tag = "2")]
    pub credentials: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct TaskPushNotificationConfig {
    #[prost(string, tag = "1")]
    pub tenant: String,
    #[prost(string, tag = "2")]
    pub id: String,
    #[prost(string, tag = "3")]
    pub task_id: String,
    #[prost(string, tag = "4")]
    pub url: String,
    #[prost(string, tag = "5")]
    pub token: String,
    #[prost(message, optional, tag = "6")]
    pub authentication: Option<AuthenticationInfo>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct GetTaskPushNotificationConfigRequest {
    #[prost(string, tag = "1")]
    pub tenant: String,
    #[prost(string, tag = "2")]
    pub task_id: String,
    #[prost(string, tag = "3")]
    pub id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct DeleteTaskPushNotificationConfigRequest {
    #[prost(string, tag = "1")]
    pub tenant: String,
    #[prost(string, tag = "2")]
    pub task_id: String,
    #[prost(string, tag = "3")]
    pub id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ListTaskPushNotificationConfigsRequest {
    #[prost(string, tag = "1")]
    pub task_id: String,
    #[prost(int32, tag = "2")]
    pub page_size: i32,
    #[prost(string, tag = "3")]
    pub page_token: String,
    #[prost(string, tag = "4")]
    pub tenant: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ListTaskPushNotificationConfigsResponse {
    #[prost(message, repeated, tag = "1")]
    pub configs: Vec<TaskPushNotificationConfig>,
    #[prost(string, tag = "2")]
    pub next_page_token: String,
}

impl From<model::PushConfig> for TaskPushNotificationConfig {
    fn from(config: model::PushConfig) -> Self {
        let authentication = config.authentication.map(|authentication| AuthenticationInfo {
            scheme: authentication.scheme,
            credentials: authentication.credentials,
        });
        Self {
            tenant: config.tenant,
            id: config.id,
            task_id: config.task_id,
            url: config.url,
            token: config.token,
            authentication,
        }
    }
}

impl IntoModel for TaskPushNotificationConfig {
    type Object = model::PushConfig;

    fn into_model(self, _at: &str) -> Result<model::PushConfig, A2aError> {
        let authentication = self.authentication.map(|authentication| model::AuthenticationInfo {
            scheme: authentication.scheme,
            credentials: authentication.credentials,
        });
        Ok(model::PushConfig {
            tenant: self.tenant,
            id: self.id,
            task_id: self.task_id,
            url: self.url,
            token: self.token,
            authentication,
        })
    }
}

impl IntoModel for GetTaskPushNotificationConfigRequest {
    type Object = model::PushConfigRequest;

    fn into_model(self, _at: &str) -> Result<model::PushConfigRequest, A2aError> {
        let Self { tenant, task_id, id } = self;
        Ok(model::PushConfigRequest { tenant, task_id, id, ..model::PushConfigRequest::default() })
    }
}

impl IntoModel for DeleteTaskPushNotificationConfigRequest {
    type Object = model::PushConfigRequest;

    fn into_model(self, _at: &str) -> Result<model::PushConfigRequest, A2aError> {
        let Self { tenant, task_id, id } = self;
        Ok(model::PushConfigRequest { tenant, task_id, id, ..model::PushConfigRequest::default() })
    }
}

impl IntoModel for ListTaskPushNotificationConfigsRequest {
    type Object = model::PushConfigRequest;

    fn into_model(self, _at: &str) -> Result<model::PushConfigRequest, A2aError> {
        let Self { task_id, page_size, page_token, tenant } = self;
        Ok(model::PushConfigRequest { tenant, task_id, page_size, page_token, id: String::new() })
    }
}

impl From<model::ListPushConfigsResponse> for ListTaskPushNotificationConfigsResponse {
    fn from(page: model::ListPushConfigsResponse) -> Self {
        Self {
            configs: page.configs.into_iter().map(TaskPushNotificationConfig::from).collect(),
            next_page_token: page.next_page_token,
        }
    }
}

impl IntoModel for ListTaskPushNotificationConfigsResponse {
    type Object = model::ListPushConfigsResponse;

    fn into_model(self, at: &str) -> Result<model::ListPushConfigsResponse, A2aError> {
        let configs = all(self.configs, at, "configs")?;
        Ok(model::ListPushConfigsResponse { configs, next_page_token: self.next_page_token })
    }
}
