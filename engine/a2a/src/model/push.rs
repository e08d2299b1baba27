//! Push notification configurations: where a client wants to hear of a task.

use serde::{Deserialize, Serialize};

use super::nullable;

/// How the server says to the client's webhook who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuthenticationInfo {
    /// HTTP authentication scheme, such as `Bearer`.
    #[serde(deserialize_with = "nullable")]
    pub scheme: String,
    /// What follows the scheme in the header.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub credentials: String,
}

/// Where a client wants to hear of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PushConfig {
    /// The tenant, echoed.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// Made by the server when the client names none.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Which task.
    #[serde(alias = "task_id", deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub task_id: String,
    /// The webhook.
    #[serde(deserialize_with = "nullable")]
    pub url: String,
    /// A word of the client's that every notification repeats.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// How the server says who it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<AuthenticationInfo>,
}

/// Asks for, or to delete, one configuration; without an id, for all of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PushConfigRequest {
    /// The tenant.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// Which task.
    #[serde(alias = "task_id", deserialize_with = "nullable")]
    pub task_id: String,
    /// Which configuration.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Most configurations in one page, 0 for the server's choice.
    #[serde(alias = "page_size", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub page_size: i32,
    /// Where the page begins, as an earlier page said.
    #[serde(alias = "page_token", deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub page_token: String,
}

/// The configurations of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListPushConfigsResponse {
    /// The configurations; all of them, for a task has few.
    #[serde(deserialize_with = "nullable")]
    pub configs: Vec<PushConfig>,
    /// Where the next page begins; "" as there is none.
    #[serde(alias = "next_page_token", deserialize_with = "nullable")]
    pub next_page_token: String,
}

fn is_zero(number: &i32) -> bool {
    *number == 0
}
