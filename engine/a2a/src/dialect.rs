//! The versions of the protocol that are spoken. Inside there is one model, that of 1.0; older words are translated at
//! the edge: `reading` on the way in, `writing` on the way out, in three vocabularies.
//! Not here: which version a client speaks (`server`).

mod first;
mod reading;
#[cfg(test)]
mod trips;
mod writing;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::error::{A2aError, ErrorKind};
use crate::model::{AgentCard, StreamItem};
use crate::operation::Reply;

pub(crate) use first::is_first;
pub(crate) use reading::{METHODS, read, read_proto_push, read_proto_send, snake_case};

/// A version of the protocol, as far as its words differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Dialect {
    /// 1.0.
    #[default]
    V1,
    /// 0.3 and 0.2 in JSON-RPC: objects say their kind in a tag.
    V03,
    /// 0.3 in HTTP+JSON: the words of its protobuf.
    V03Proto,
    /// 0.1: the client names the task.
    V01,
}

impl Dialect {
    /// Writes a reply as the result of an operation.
    pub(crate) fn reply(self, reply: &Reply, alias: Option<&str>) -> Result<Value, serde_json::Error> {
        match self {
            Self::V1 => serde_json::to_value(reply),
            Self::V03 => writing::reply(reply, writing::Vocabulary::Kind),
            Self::V03Proto => writing::reply(reply, writing::Vocabulary::Proto),
            Self::V01 => first::reply(reply, alias),
        }
    }

    /// Writes an item of a stream.
    pub(crate) fn item(self, item: &StreamItem, alias: Option<&str>) -> Result<Value, serde_json::Error> {
        Ok(match self {
            Self::V1 => serde_json::to_value(item)?,
            Self::V03 => writing::item(item, writing::Vocabulary::Kind),
            Self::V03Proto => writing::item(item, writing::Vocabulary::Proto),
            Self::V01 => first::item(item, alias),
        })
    }

    /// Writes an error as the `error` of JSON-RPC. Versions before 1.0 know fewer codes and no details.
    pub(crate) fn error(self, error: &A2aError) -> Value {
        let code = error.kind.code();
        if self == Self::V1 {
            return json!({ "code": code, "message": error.message, "data": error.details() });
        }
        let known = match error.kind {
            ErrorKind::ExtensionSupportRequired
            | ErrorKind::VersionNotSupported
            | ErrorKind::Unauthenticated
            | ErrorKind::PermissionDenied
            | ErrorKind::RateLimited
            | ErrorKind::Overloaded
            | ErrorKind::TooLarge => ErrorKind::Internal.code(),
            _ => code,
        };
        json!({ "code": known, "message": error.message, "data": null })
    }
}

/// The name of an error in the clients of 0.3.
pub(crate) fn error_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Parse => "JSONParseError",
        ErrorKind::InvalidRequest => "InvalidRequestError",
        ErrorKind::MethodNotFound => "MethodNotFoundError",
        ErrorKind::InvalidParams => "InvalidParamsError",
        ErrorKind::TaskNotFound => "TaskNotFoundError",
        ErrorKind::TaskNotCancelable => "TaskNotCancelableError",
        ErrorKind::PushNotificationNotSupported => "PushNotificationNotSupportedError",
        ErrorKind::UnsupportedOperation => "UnsupportedOperationError",
        ErrorKind::ContentTypeNotSupported => "ContentTypeNotSupportedError",
        ErrorKind::InvalidAgentResponse => "InvalidAgentResponseError",
        ErrorKind::ExtendedAgentCardNotConfigured => "AuthenticatedExtendedCardNotConfiguredError",
        _ => "InternalError",
    }
}

/// The body of a push notification and its content type. Receivers before 1.0 read a task in the words of JSON-RPC,
/// whatever the webhook was registered by.
pub(crate) fn notification(
    dialect: Dialect,
    item: &StreamItem,
    alias: Option<&str>,
) -> Result<(Vec<u8>, &'static str), serde_json::Error> {
    let value = match (dialect, item) {
        (Dialect::V1, _) => return Ok((serde_json::to_vec(item)?, "application/a2a+json")),
        (Dialect::V01, StreamItem::Task(task)) => first::reply(&Reply::Task(task.clone()), alias)?,
        (Dialect::V01, _) => first::item(item, alias),
        (Dialect::V03 | Dialect::V03Proto, _) => writing::item(item, writing::Vocabulary::Kind),
    };
    Ok((serde_json::to_vec(&value)?, "application/json"))
}

/// The card of 1.0 with what clients of 0.3 and before look for beside it; the fields do not collide.
pub(crate) fn union_card(card: &AgentCard) -> Result<Value, serde_json::Error> {
    let mut union = serde_json::to_value(card)?;
    let older: Vec<Value> = card
        .supported_interfaces
        .iter()
        .filter(|interface| interface.protocol_version.starts_with("0."))
        .map(|interface| json!({ "url": interface.url, "transport": interface.protocol_binding }))
        .collect();
    let Some(first) = older.first().cloned() else { return Ok(union) };
    union["url"] = first["url"].clone();
    union["preferredTransport"] = first["transport"].clone();
    union["additionalInterfaces"] = Value::Array(older);
    union["protocolVersion"] = json!("0.3.0");
    union["supportsAuthenticatedExtendedCard"] = json!(card.is_extended());
    let schemes = union.get_mut("securitySchemes").and_then(Value::as_object_mut);
    for scheme in schemes.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        add_older_scheme(scheme);
    }
    if !card.security_requirements.is_empty() {
        let requirements = card.security_requirements.iter().map(|requirement| {
            let schemes = requirement.schemes.iter();
            let scopes = schemes
                .map(|(name, scopes)| (name.clone(), scopes.get("list").cloned().unwrap_or(json!([]))));
            Value::Object(scopes.collect())
        });
        union["security"] = Value::Array(requirements.collect());
        union["authentication"] = json!({ "schemes": ["bearer", "apiKey"] });
    }
    Ok(union)
}

/// A security scheme of 1.0 lies in a member named for it; before, a tag says which it is.
fn add_older_scheme(scheme: &mut Map<String, Value>) {
    const TAGS: [(&str, &str); 5] = [
        ("apiKeySecurityScheme", "apiKey"),
        ("httpAuthSecurityScheme", "http"),
        ("oauth2SecurityScheme", "oauth2"),
        ("openIdConnectSecurityScheme", "openIdConnect"),
        ("mtlsSecurityScheme", "mutualTLS"),
    ];
    let found =
        TAGS.into_iter().find_map(|(member, tag)| Some((scheme.get(member)?.as_object()?.clone(), tag)));
    let Some((fields, tag)) = found else { return };
    for (name, value) in fields {
        let name = if name == "location" { "in".to_owned() } else { name };
        scheme.insert(name, value);
    }
    scheme.insert("type".to_owned(), json!(tag));
}
