//! Messages and their parts.

#![expect(
    missing_docs,
    reason = "these are the objects of `model` by the same names, where their fields are described"
)]

use prost::{Enumeration, Oneof};
use prost_types::{Struct, Value};

use super::values::{object, value};
use super::{IntoModel, all, or_default, within};
use crate::error::A2aError;
use crate::model;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum Role {
    Unspecified = 0,
    User = 1,
    Agent = 2,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Part {
    #[prost(oneof = "Content", tags = "1, 2, 3, 4")]
    pub content: Option<Content>,
    #[prost(message, optional, tag = "5")]
    pub metadata: Option<Struct>,
    #[prost(string, tag = "6")]
    pub filename: String,
    #[prost(string, tag = "7")]
    pub media_type: String,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Content {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bytes = "vec", tag = "2")]
    Raw(Vec<u8>),
    #[prost(string, tag = "3")]
    Url(String),
    #[prost(message, tag = "4")]
    Data(Value),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Message {
    #[prost(string, tag = "1")]
    pub message_id: String,
    #[prost(string, tag = "2")]
    pub context_id: String,
    #[prost(string, tag = "3")]
    pub task_id: String,
    #[prost(enumeration = "Role", tag = "4")]
    pub role: i32,
    #[prost(message, repeated, tag = "5")]
    pub parts: Vec<Part>,
    #[prost(message, optional, tag = "6")]
    pub metadata: Option<Struct>,
    #[prost(string, repeated, tag = "7")]
    pub extensions: Vec<String>,
    #[prost(string, repeated, tag = "8")]
    pub reference_task_ids: Vec<String>,
}

impl From<model::Role> for Role {
    fn from(role: model::Role) -> Self {
        match role {
            model::Role::Unspecified => Self::Unspecified,
            model::Role::User => Self::User,
            model::Role::Agent => Self::Agent,
        }
    }
}

impl From<Role> for model::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Unspecified => Self::Unspecified,
            Role::User => Self::User,
            Role::Agent => Self::Agent,
        }
    }
}

impl From<model::Part> for Part {
    fn from(part: model::Part) -> Self {
        let content = match part.content {
            model::Content::Text(text) => Content::Text(text),
            model::Content::Raw(bytes) => Content::Raw(bytes),
            model::Content::Url(url) => Content::Url(url),
            model::Content::Data(data) => Content::Data(value(data)),
        };
        Self {
            content: Some(content),
            metadata: object(part.metadata),
            filename: part.filename,
            media_type: part.media_type,
        }
    }
}

impl IntoModel for Part {
    type Object = model::Part;

    fn into_model(self, at: &str) -> Result<model::Part, A2aError> {
        let content = match self.content {
            Some(Content::Text(text)) => model::Content::Text(text),
            Some(Content::Raw(bytes)) => model::Content::Raw(bytes),
            Some(Content::Url(url)) => model::Content::Url(url),
            Some(Content::Data(data)) => model::Content::Data(data.into_model(&within(at, "data"))?),
            None => {
                let text = "a part holds exactly one of `text`, `raw`, `url` and `data`";
                return Err(A2aError::invalid(at, text));
            }
        };
        Ok(model::Part {
            content,
            media_type: self.media_type,
            filename: self.filename,
            metadata: or_default(self.metadata, at, "metadata")?,
        })
    }
}

impl From<model::Message> for Message {
    fn from(message: model::Message) -> Self {
        Self {
            message_id: message.message_id,
            context_id: message.context_id,
            task_id: message.task_id,
            role: Role::from(message.role).into(),
            parts: message.parts.into_iter().map(Part::from).collect(),
            metadata: object(message.metadata),
            extensions: message.extensions,
            reference_task_ids: message.reference_task_ids,
        }
    }
}

impl IntoModel for Message {
    type Object = model::Message;

    fn into_model(self, at: &str) -> Result<model::Message, A2aError> {
        Ok(model::Message {
            // A role of a later version is none that is known here.
            role: self.role().into(),
            message_id: self.message_id,
            context_id: self.context_id,
            task_id: self.task_id,
            parts: all(self.parts, at, "parts")?,
            metadata: or_default(self.metadata, at, "metadata")?,
            extensions: self.extensions,
            reference_task_ids: self.reference_task_ids,
        })
    }
}
