//! What a caller has to show. The model keeps security schemes as the JSON that they are on the card; here they are
//! messages whose JSON is the same.

#![expect(
    missing_docs,
    reason = "these are the objects of the specification by its names (A2A 1.0, section 4.5)"
)]

use std::collections::BTreeMap;

use prost::Oneof;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::IntoModel;
use crate::error::A2aError;
use crate::model;

#[derive(Clone, PartialEq, prost::Message)]
pub struct StringList {
    #[prost(string, repeated, tag = "1")]
    pub list: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct SecurityRequirement {
    #[prost(btree_map = "string, message", tag = "1")]
    pub schemes: BTreeMap<String, StringList>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct SecurityScheme {
    #[prost(oneof = "Scheme", tags = "1, 2, 3, 4, 5")]
    pub scheme: Option<Scheme>,
}

#[derive(Clone, PartialEq, Oneof, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scheme {
    #[prost(message, tag = "1")]
    ApiKeySecurityScheme(ApiKeySecurityScheme),
    #[prost(message, tag = "2")]
    HttpAuthSecurityScheme(HttpAuthSecurityScheme),
    #[prost(message, tag = "3")]
    Oauth2SecurityScheme(OAuth2SecurityScheme),
    #[prost(message, tag = "4")]
    OpenIdConnectSecurityScheme(OpenIdConnectSecurityScheme),
    #[prost(message, tag = "5")]
    MtlsSecurityScheme(MutualTlsSecurityScheme),
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiKeySecurityScheme {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[prost(string, tag = "2")]
    pub location: String,
    #[prost(string, tag = "3")]
    pub name: String,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpAuthSecurityScheme {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[prost(string, tag = "2")]
    pub scheme: String,
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bearer_format: String,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OAuth2SecurityScheme {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flows: Option<OAuthFlows>,
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub oauth2_metadata_url: String,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OpenIdConnectSecurityScheme {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[prost(string, tag = "2")]
    pub open_id_connect_url: String,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct MutualTlsSecurityScheme {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct OAuthFlows {
    #[prost(oneof = "Flow", tags = "1, 2, 3, 4, 5")]
    #[serde(flatten)]
    pub flow: Option<Flow>,
}

#[derive(Clone, PartialEq, Oneof, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Flow {
    #[prost(message, tag = "1")]
    AuthorizationCode(AuthorizationCodeOAuthFlow),
    #[prost(message, tag = "2")]
    ClientCredentials(ClientCredentialsOAuthFlow),
    #[prost(message, tag = "3")]
    Implicit(ImplicitOAuthFlow),
    #[prost(message, tag = "4")]
    Password(PasswordOAuthFlow),
    #[prost(message, tag = "5")]
    DeviceCode(DeviceCodeOAuthFlow),
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuthorizationCodeOAuthFlow {
    #[prost(string, tag = "1")]
    pub authorization_url: String,
    #[prost(string, tag = "2")]
    pub token_url: String,
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub refresh_url: String,
    #[prost(btree_map = "string, string", tag = "4")]
    pub scopes: BTreeMap<String, String>,
    #[prost(bool, tag = "5")]
    #[serde(skip_serializing_if = "model::is_false")]
    pub pkce_required: bool,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientCredentialsOAuthFlow {
    #[prost(string, tag = "1")]
    pub token_url: String,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub refresh_url: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub scopes: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImplicitOAuthFlow {
    #[prost(string, tag = "1")]
    pub authorization_url: String,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub refresh_url: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub scopes: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PasswordOAuthFlow {
    #[prost(string, tag = "1")]
    pub token_url: String,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub refresh_url: String,
    #[prost(btree_map = "string, string", tag = "3")]
    pub scopes: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeviceCodeOAuthFlow {
    #[prost(string, tag = "1")]
    pub device_authorization_url: String,
    #[prost(string, tag = "2")]
    pub token_url: String,
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub refresh_url: String,
    #[prost(btree_map = "string, string", tag = "4")]
    pub scopes: BTreeMap<String, String>,
}

impl TryFrom<Value> for SecurityScheme {
    type Error = serde_json::Error;

    fn try_from(scheme: Value) -> Result<Self, serde_json::Error> {
        Ok(Self { scheme: Some(serde_json::from_value(scheme)?) })
    }
}

impl IntoModel for SecurityScheme {
    type Object = Value;

    fn into_model(self, at: &str) -> Result<Value, A2aError> {
        let Some(scheme) = self.scheme else {
            return Err(A2aError::invalid(at, "is no security scheme that is known here"));
        };
        serde_json::to_value(scheme).map_err(|error| A2aError::invalid(at, error.to_string()))
    }
}

impl From<model::SecurityRequirement> for SecurityRequirement {
    /// Scopes that are no list of names are none.
    fn from(requirement: model::SecurityRequirement) -> Self {
        let schemes = requirement.schemes.into_iter().map(|(name, mut scopes)| {
            let list = scopes.get_mut("list").map(Value::take).unwrap_or_default();
            (name, StringList { list: serde_json::from_value(list).unwrap_or_default() })
        });
        Self { schemes: schemes.collect() }
    }
}

impl IntoModel for SecurityRequirement {
    type Object = model::SecurityRequirement;

    fn into_model(self, _at: &str) -> Result<model::SecurityRequirement, A2aError> {
        let schemes = self.schemes.into_iter().map(|(name, scopes)| (name, json!({ "list": scopes.list })));
        Ok(model::SecurityRequirement { schemes: schemes.collect() })
    }
}
