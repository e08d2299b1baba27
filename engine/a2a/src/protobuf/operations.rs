//! What clients ask for and what they are answered.

#![expect(
    missing_docs,
    reason = "these are the objects of `model` by the same names, where their fields are described"
)]

use prost::Oneof;
use prost_types::{Struct, Timestamp};

use super::values::{object, timestamp};
use super::{IntoModel, Message, Task, TaskPushNotificationConfig, TaskState, all, or_default, within};
use crate::error::A2aError;
use crate::model;

#[derive(Clone, PartialEq, prost::Message)]
pub struct SendMessageConfiguration {
    #[prost(string, repeated, tag = "1")]
    pub accepted_output_modes: Vec<String>,
    #[prost(message, optional, tag = "2")]
    pub task_push_notification_config: Option<TaskPushNotificationConfig>,
    #[prost(int32, optional, tag = "3")]
    pub history_length: Option<i32>,
    #[prost(bool, tag = "4")]
    pub return_immediately: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct SendMessageRequest {
    #[prost(string, tag = "1")]
    pub tenant: String,
    #[prost(message, optional, tag = "2")]
    pub message: Option<Message>,
    #[prost(message, optional, tag = "3")]
    pub configuration: Option<SendMessageConfiguration>,
    #[prost(message, optional, tag = "4")]
    pub metadata: Option<Struct>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct SendMessageResponse {
    #[prost(oneof = "SentPayload", tags = "1, 2")]
    pub payload: Option<SentPayload>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum SentPayload {
    #[prost(message, tag = "1")]
    Task(Task),
    #[prost(message, tag = "2")]
    Message(Message),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct GetTaskRequest {
    #[prost(string, tag = "1")]
    pub tenant: String,
    #[prost(string, tag = "2")]
    pub id: String,
    #[prost(int32, optional, tag = "3")]
    pub history_length: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ListTasksRequest {
    #[prost(string, tag = "1")]
    pub tenant: String,
    #[prost(string, tag = "2")]
    pub context_id: String,
    #[prost(enumeration = "TaskState", tag = "3")]
    pub status: i32,
    #[prost(int32, optional, tag = "4")]
    pub page_size: Option<i32>,
    #[prost(string, tag = "5")]
    pub page_token: String,
    #[prost(int32, optional, tag = "6")]
    pub history_length: Option<i32>,
    #[prost(message, optional, tag = "7")]
    pub status_timestamp_after: Option<Timestamp>,
    #[prost(bool, optional, tag = "8")]
    pub include_artifacts: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ListTasksResponse {
    #[prost(message, repeated, tag = "1")]
    pub tasks: Vec<Task>,
    #[prost(string, tag = "2")]
    pub next_page_token: String,
    #[prost(int32, tag = "3")]
    pub page_size: i32,
    #[prost(int32, tag = "4")]
    pub total_size: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct CancelTaskRequest {
    #[prost(string, tag = "1")]
    pub tenant: String,
    #[prost(string, tag = "2")]
    pub id: String,
    #[prost(message, optional, tag = "3")]
    pub metadata: Option<Struct>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct SubscribeToTaskRequest {
    #[prost(string, tag = "1")]
    pub tenant: String,
    #[prost(string, tag = "2")]
    pub id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct GetExtendedAgentCardRequest {
    #[prost(string, tag = "1")]
    pub tenant: String,
}

impl From<model::SendMessageConfiguration> for SendMessageConfiguration {
    fn from(configuration: model::SendMessageConfiguration) -> Self {
        Self {
            accepted_output_modes: configuration.accepted_output_modes,
            task_push_notification_config: configuration.task_push_notification_config.map(Into::into),
            history_length: configuration.history_length,
            return_immediately: configuration.return_immediately,
        }
    }
}

impl IntoModel for SendMessageConfiguration {
    type Object = model::SendMessageConfiguration;

    fn into_model(self, at: &str) -> Result<model::SendMessageConfiguration, A2aError> {
        let webhook = self.task_push_notification_config;
        let webhook = webhook.map(|config| config.into_model(&within(at, "taskPushNotificationConfig")));
        Ok(model::SendMessageConfiguration {
            accepted_output_modes: self.accepted_output_modes,
            task_push_notification_config: webhook.transpose()?,
            history_length: self.history_length,
            return_immediately: self.return_immediately,
        })
    }
}

impl From<model::SendMessageRequest> for SendMessageRequest {
    fn from(request: model::SendMessageRequest) -> Self {
        Self {
            tenant: request.tenant,
            message: request.message.map(Message::from),
            configuration: Some(request.configuration.into()),
            metadata: object(request.metadata),
        }
    }
}

impl IntoModel for SendMessageRequest {
    type Object = model::SendMessageRequest;

    fn into_model(self, at: &str) -> Result<model::SendMessageRequest, A2aError> {
        let message = self.message.map(|message| message.into_model(&within(at, "message")));
        Ok(model::SendMessageRequest {
            tenant: self.tenant,
            message: message.transpose()?,
            configuration: or_default(self.configuration, at, "configuration")?,
            metadata: or_default(self.metadata, at, "metadata")?,
        })
    }
}

impl From<model::SendMessageResponse> for SendMessageResponse {
    fn from(response: model::SendMessageResponse) -> Self {
        let payload = match response {
            model::SendMessageResponse::Task(task) => SentPayload::Task(task.into()),
            model::SendMessageResponse::Message(message) => SentPayload::Message(message.into()),
        };
        Self { payload: Some(payload) }
    }
}

impl IntoModel for SendMessageResponse {
    type Object = model::SendMessageResponse;

    fn into_model(self, at: &str) -> Result<model::SendMessageResponse, A2aError> {
        Ok(match self.payload {
            Some(SentPayload::Task(task)) => {
                model::SendMessageResponse::Task(task.into_model(&within(at, "task"))?)
            }
            Some(SentPayload::Message(message)) => {
                model::SendMessageResponse::Message(message.into_model(&within(at, "message"))?)
            }
            None => {
                return Err(A2aError::invalid(at, "an answer holds exactly one of `task` and `message`"));
            }
        })
    }
}

impl From<model::GetTaskRequest> for GetTaskRequest {
    fn from(request: model::GetTaskRequest) -> Self {
        Self { tenant: request.tenant, id: request.id, history_length: request.history_length }
    }
}

impl IntoModel for GetTaskRequest {
    type Object = model::GetTaskRequest;

    fn into_model(self, _at: &str) -> Result<model::GetTaskRequest, A2aError> {
        let Self { tenant, id, history_length } = self;
        Ok(model::GetTaskRequest { tenant, id, history_length })
    }
}

impl From<model::ListTasksRequest> for ListTasksRequest {
    fn from(request: model::ListTasksRequest) -> Self {
        Self {
            tenant: request.tenant,
            context_id: request.context_id,
            status: TaskState::from(request.status).into(),
            page_size: request.page_size,
            page_token: request.page_token,
            history_length: request.history_length,
            status_timestamp_after: timestamp(&request.status_timestamp_after),
            include_artifacts: request.include_artifacts.then_some(true),
        }
    }
}

impl IntoModel for ListTasksRequest {
    type Object = model::ListTasksRequest;

    fn into_model(self, at: &str) -> Result<model::ListTasksRequest, A2aError> {
        let status = TaskState::try_from(self.status)
            .map_err(|_| A2aError::invalid(within(at, "status"), "is not a state of a task"))?;
        Ok(model::ListTasksRequest {
            tenant: self.tenant,
            context_id: self.context_id,
            status: status.into(),
            page_size: self.page_size,
            page_token: self.page_token,
            history_length: self.history_length,
            status_timestamp_after: or_default(self.status_timestamp_after, at, "statusTimestampAfter")?,
            include_artifacts: self.include_artifacts.unwrap_or_default(),
        })
    }
}

impl From<model::ListTasksResponse> for ListTasksResponse {
    fn from(page: model::ListTasksResponse) -> Self {
        Self {
            tasks: page.tasks.into_iter().map(Task::from).collect(),
            next_page_token: page.next_page_token,
            page_size: page.page_size,
            total_size: page.total_size,
        }
    }
}

impl IntoModel for ListTasksResponse {
    type Object = model::ListTasksResponse;

    fn into_model(self, at: &str) -> Result<model::ListTasksResponse, A2aError> {
        Ok(model::ListTasksResponse {
            tasks: all(self.tasks, at, "tasks")?,
            next_page_token: self.next_page_token,
            page_size: self.page_size,
            total_size: self.total_size,
        })
    }
}

impl IntoModel for CancelTaskRequest {
    type Object = model::TaskIdRequest;

    fn into_model(self, at: &str) -> Result<model::TaskIdRequest, A2aError> {
        let metadata = or_default(self.metadata, at, "metadata")?;
        Ok(model::TaskIdRequest { tenant: self.tenant, id: self.id, metadata })
    }
}

impl IntoModel for SubscribeToTaskRequest {
    type Object = model::TaskIdRequest;

    fn into_model(self, _at: &str) -> Result<model::TaskIdRequest, A2aError> {
        Ok(model::TaskIdRequest { tenant: self.tenant, id: self.id, ..model::TaskIdRequest::default() })
    }
}
