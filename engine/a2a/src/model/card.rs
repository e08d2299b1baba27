//! The agent card: who the agent is, what it can do, where it is and what it wants to see before it answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Metadata, nullable};

/// How an interface is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// JSON-RPC 2.0 over HTTP.
    JsonRpc,
    /// HTTP+JSON.
    HttpJson,
    /// gRPC.
    Grpc,
}

impl Binding {
    /// The name on the card.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonRpc => "JSONRPC",
            Self::HttpJson => "HTTP+JSON",
            Self::Grpc => "GRPC",
        }
    }
}

/// A place where the agent answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AgentInterface {
    /// Where.
    #[serde(deserialize_with = "nullable")]
    pub url: String,
    /// How it is spoken to; see [`Binding::name`].
    #[serde(alias = "protocol_binding", deserialize_with = "nullable")]
    pub protocol_binding: String,
    /// Tenant to name in requests.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// Major and minor version of the protocol.
    #[serde(alias = "protocol_version", deserialize_with = "nullable")]
    pub protocol_version: String,
}

/// Who runs the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AgentProvider {
    /// Their page.
    #[serde(deserialize_with = "nullable")]
    pub url: String,
    /// Their name.
    #[serde(deserialize_with = "nullable")]
    pub organization: String,
}

/// An extension of the protocol that the agent knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AgentExtension {
    /// Its name.
    #[serde(deserialize_with = "nullable")]
    pub uri: String,
    /// How the agent uses it.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether the agent refuses clients that do not know it.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "super::is_false")]
    pub required: bool,
    /// The extension's own settings.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Metadata::is_empty")]
    pub params: Metadata,
}

/// Which optional parts of the protocol the agent speaks. An unset flag is the same as `false`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AgentCapabilities {
    /// Streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streaming: Option<bool>,
    /// Push notifications.
    #[serde(alias = "push_notifications", skip_serializing_if = "Option::is_none")]
    pub push_notifications: Option<bool>,
    /// Extensions.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<AgentExtension>,
    /// A fuller card for callers who say who they are.
    #[serde(alias = "extended_agent_card", skip_serializing_if = "Option::is_none")]
    pub extended_agent_card: Option<bool>,
}

/// Something the agent can do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AgentSkill {
    /// Its id.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    /// A name for people.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// What it does.
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    /// Words to find it by.
    #[serde(deserialize_with = "nullable")]
    pub tags: Vec<String>,
    /// What one may say to it.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// Media types it takes, when they differ from the card's.
    #[serde(alias = "input_modes", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub input_modes: Vec<String>,
    /// Media types it gives, when they differ from the card's.
    #[serde(alias = "output_modes", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub output_modes: Vec<String>,
    /// What a caller has to show for it, when that differs from the card's.
    #[serde(
        alias = "security_requirements",
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub security_requirements: Vec<SecurityRequirement>,
}

/// Scheme names that are wanted together, each with its scopes as `{"list": [...]}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecurityRequirement {
    /// By name of the scheme.
    #[serde(deserialize_with = "nullable")]
    pub schemes: BTreeMap<String, Value>,
}

impl SecurityRequirement {
    /// One scheme, no scopes.
    #[must_use]
    pub fn scheme(name: &str) -> Self {
        Self { schemes: BTreeMap::from([(name.to_owned(), serde_json::json!({ "list": [] }))]) }
    }
}

/// A detached JWS over the card (RFC 7515, RFC 8785).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentCardSignature {
    /// The protected header, base64url.
    #[serde(deserialize_with = "nullable")]
    pub protected: String,
    /// The signature, base64url.
    #[serde(deserialize_with = "nullable")]
    pub signature: String,
    /// The unprotected header.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Metadata::is_empty")]
    pub header: Metadata,
}

/// Who the agent is, what it can do and where it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AgentCard {
    /// A name for people.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// What it is for.
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    /// Where it answers, the preferred place first.
    #[serde(alias = "supported_interfaces", deserialize_with = "nullable")]
    pub supported_interfaces: Vec<AgentInterface>,
    /// Who runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<AgentProvider>,
    /// Version of the agent.
    #[serde(deserialize_with = "nullable")]
    pub version: String,
    /// Where to read more.
    #[serde(alias = "documentation_url", skip_serializing_if = "Option::is_none")]
    pub documentation_url: Option<String>,
    /// Which optional parts of the protocol it speaks.
    #[serde(deserialize_with = "nullable")]
    pub capabilities: AgentCapabilities,
    /// The ways to say who one is, by name. Each value is an object with one member, such as `apiKeySecurityScheme`.
    #[serde(
        alias = "security_schemes",
        deserialize_with = "nullable",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub security_schemes: BTreeMap<String, Value>,
    /// What a caller has to show: any one of these.
    #[serde(
        alias = "security_requirements",
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub security_requirements: Vec<SecurityRequirement>,
    /// Media types it takes.
    #[serde(alias = "default_input_modes", deserialize_with = "nullable")]
    pub default_input_modes: Vec<String>,
    /// Media types it gives.
    #[serde(alias = "default_output_modes", deserialize_with = "nullable")]
    pub default_output_modes: Vec<String>,
    /// What it can do.
    #[serde(deserialize_with = "nullable")]
    pub skills: Vec<AgentSkill>,
    /// Signatures over the card.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<AgentCardSignature>,
    /// A picture.
    #[serde(alias = "icon_url", skip_serializing_if = "Option::is_none")]
    pub icon_url: Option<String>,
}

impl AgentCard {
    /// Whether the agent streams.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.capabilities.streaming == Some(true)
    }

    /// Whether the agent sends push notifications.
    #[must_use]
    pub fn pushes(&self) -> bool {
        self.capabilities.push_notifications == Some(true)
    }

    /// Whether there is a fuller card.
    #[must_use]
    pub fn is_extended(&self) -> bool {
        self.capabilities.extended_agent_card == Some(true)
    }
}
