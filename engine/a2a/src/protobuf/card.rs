//! The agent card.

#![expect(
    missing_docs,
    reason = "these are the objects of `model` by the same names, where their fields are described"
)]

use std::collections::BTreeMap;

use prost_types::Struct;

use super::security::{SecurityRequirement, SecurityScheme};
use super::values::object;
use super::{IntoModel, all, or_default, within};
use crate::error::A2aError;
use crate::model;

#[derive(Clone, PartialEq, prost::Message)]
pub struct AgentInterface {
    #[prost(string, tag = "1")]
    pub url: String,
    #[prost(string, tag = "2")]
    pub protocol_binding: String,
    #[prost(string, tag = "3")]
    pub tenant: String,
    #[prost(string, tag = "4")]
    pub protocol_version: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AgentProvider {
    #[prost(string, tag = "1")]
    pub url: String,
    #[prost(string, tag = "2")]
    pub organization: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AgentExtension {
    #[prost(string, tag = "1")]
    pub uri: String,
    #[prost(string, tag = "2")]
    pub description: String,
    #[prost(bool, tag = "3")]
    pub required: bool,
    #[prost(message, optional, tag = "4")]
    pub params: Option<Struct>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AgentCapabilities {
    #[prost(bool, optional, tag = "1")]
    pub streaming: Option<bool>,
    #[prost(bool, optional, tag = "2")]
    pub push_notifications: Option<bool>,
    #[prost(message, repeated, tag = "3")]
    pub extensions: Vec<AgentExtension>,
    #[prost(bool, optional, tag = "4")]
    pub extended_agent_card: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AgentSkill {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub description: String,
    #[prost(string, repeated, tag = "4")]
    pub tags: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    pub examples: Vec<String>,
    #[prost(string, repeated, tag = "6")]
    pub input_modes: Vec<String>,
    #[prost(string, repeated, tag = "7")]
    pub output_modes: Vec<String>,
    #[prost(message, repeated, tag = "8")]
    pub security_requirements: Vec<SecurityRequirement>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AgentCardSignature {
    #[prost(string, tag = "1")]
    pub protected: String,
    #[prost(string, tag = "2")]
    pub signature: String,
    #[prost(message, optional, tag = "3")]
    pub header: Option<Struct>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AgentCard {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub description: String,
    #[prost(message, repeated, tag = "3")]
    pub supported_interfaces: Vec<AgentInterface>,
    #[prost(message, optional, tag = "4")]
    pub provider: Option<AgentProvider>,
    #[prost(string, tag = "5")]
    pub version: String,
    #[prost(string, optional, tag = "6")]
    pub documentation_url: Option<String>,
    #[prost(message, optional, tag = "7")]
    pub capabilities: Option<AgentCapabilities>,
    #[prost(btree_map = "string, message", tag = "8")]
    pub security_schemes: BTreeMap<String, SecurityScheme>,
    #[prost(message, repeated, tag = "9")]
    pub security_requirements: Vec<SecurityRequirement>,
    #[prost(string, repeated, tag = "10")]
    pub default_input_modes: Vec<String>,
    #[prost(string, repeated, tag = "11")]
    pub default_output_modes: Vec<String>,
    #[prost(message, repeated, tag = "12")]
    pub skills: Vec<AgentSkill>,
    #[prost(message, repeated, tag = "13")]
    pub signatures: Vec<AgentCardSignature>,
    #[prost(string, optional, tag = "14")]
    pub icon_url: Option<String>,
}

impl From<model::AgentInterface> for AgentInterface {
    fn from(interface: model::AgentInterface) -> Self {
        let model::AgentInterface { url, protocol_binding, tenant, protocol_version } = interface;
        Self { url, protocol_binding, tenant, protocol_version }
    }
}

impl IntoModel for AgentInterface {
    type Object = model::AgentInterface;

    fn into_model(self, _at: &str) -> Result<model::AgentInterface, A2aError> {
        let Self { url, protocol_binding, tenant, protocol_version } = self;
        Ok(model::AgentInterface { url, protocol_binding, tenant, protocol_version })
    }
}

impl From<model::AgentExtension> for AgentExtension {
    fn from(extension: model::AgentExtension) -> Self {
        let model::AgentExtension { uri, description, required, params } = extension;
        Self { uri, description, required, params: object(params) }
    }
}

impl IntoModel for AgentExtension {
    type Object = model::AgentExtension;

    fn into_model(self, at: &str) -> Result<model::AgentExtension, A2aError> {
        let params = or_default(self.params, at, "params")?;
        let Self { uri, description, required, .. } = self;
        Ok(model::AgentExtension { uri, description, required, params })
    }
}

impl From<model::AgentCapabilities> for AgentCapabilities {
    fn from(capabilities: model::AgentCapabilities) -> Self {
        Self {
            streaming: capabilities.streaming,
            push_notifications: capabilities.push_notifications,
            extensions: capabilities.extensions.into_iter().map(AgentExtension::from).collect(),
            extended_agent_card: capabilities.extended_agent_card,
        }
    }
}

impl IntoModel for AgentCapabilities {
    type Object = model::AgentCapabilities;

    fn into_model(self, at: &str) -> Result<model::AgentCapabilities, A2aError> {
        Ok(model::AgentCapabilities {
            streaming: self.streaming,
            push_notifications: self.push_notifications,
            extensions: all(self.extensions, at, "extensions")?,
            extended_agent_card: self.extended_agent_card,
        })
    }
}

impl From<model::AgentSkill> for AgentSkill {
    fn from(skill: model::AgentSkill) -> Self {
        let requirements = skill.security_requirements.into_iter();
        Self {
            id: skill.id,
            name: skill.name,
            description: skill.description,
            tags: skill.tags,
            examples: skill.examples,
            input_modes: skill.input_modes,
            output_modes: skill.output_modes,
            security_requirements: requirements.map(SecurityRequirement::from).collect(),
        }
    }
}

impl IntoModel for AgentSkill {
    type Object = model::AgentSkill;

    fn into_model(self, at: &str) -> Result<model::AgentSkill, A2aError> {
        Ok(model::AgentSkill {
            id: self.id,
            name: self.name,
            description: self.description,
            tags: self.tags,
            examples: self.examples,
            input_modes: self.input_modes,
            output_modes: self.output_modes,
            security_requirements: all(self.security_requirements, at, "securityRequirements")?,
        })
    }
}

impl From<model::AgentCardSignature> for AgentCardSignature {
    fn from(signature: model::AgentCardSignature) -> Self {
        let model::AgentCardSignature { protected, signature, header } = signature;
        Self { protected, signature, header: object(header) }
    }
}

impl IntoModel for AgentCardSignature {
    type Object = model::AgentCardSignature;

    fn into_model(self, at: &str) -> Result<model::AgentCardSignature, A2aError> {
        let header = or_default(self.header, at, "header")?;
        let Self { protected, signature, .. } = self;
        Ok(model::AgentCardSignature { protected, signature, header })
    }
}

impl TryFrom<model::AgentCard> for AgentCard {
    type Error = serde_json::Error;

    /// Fails for a security scheme that is not one of the specification's.
    fn try_from(card: model::AgentCard) -> Result<Self, serde_json::Error> {
        let schemes = card.security_schemes.into_iter();
        let schemes = schemes.map(|(name, scheme)| Ok((name, SecurityScheme::try_from(scheme)?)));
        let provider = card
            .provider
            .map(|model::AgentProvider { url, organization }| AgentProvider { url, organization });
        let requirements = card.security_requirements.into_iter();
        Ok(Self {
            name: card.name,
            description: card.description,
            supported_interfaces: card.supported_interfaces.into_iter().map(AgentInterface::from).collect(),
            provider,
            version: card.version,
            documentation_url: card.documentation_url,
            capabilities: Some(card.capabilities.into()),
            security_schemes: schemes.collect::<Result<_, serde_json::Error>>()?,
            security_requirements: requirements.map(SecurityRequirement::from).collect(),
            default_input_modes: card.default_input_modes,
            default_output_modes: card.default_output_modes,
            skills: card.skills.into_iter().map(AgentSkill::from).collect(),
            signatures: card.signatures.into_iter().map(AgentCardSignature::from).collect(),
            icon_url: card.icon_url,
        })
    }
}

impl IntoModel for AgentCard {
    type Object = model::AgentCard;

    fn into_model(self, at: &str) -> Result<model::AgentCard, A2aError> {
        let schemes = self.security_schemes.into_iter().map(|(name, scheme)| {
            let at = within(&within(at, "securitySchemes"), &name);
            Ok((name, scheme.into_model(&at)?))
        });
        let provider = self
            .provider
            .map(|AgentProvider { url, organization }| model::AgentProvider { url, organization });
        Ok(model::AgentCard {
            name: self.name,
            description: self.description,
            supported_interfaces: all(self.supported_interfaces, at, "supportedInterfaces")?,
            provider,
            version: self.version,
            documentation_url: self.documentation_url,
            capabilities: or_default(self.capabilities, at, "capabilities")?,
            security_schemes: schemes.collect::<Result<_, A2aError>>()?,
            security_requirements: all(self.security_requirements, at, "securityRequirements")?,
            default_input_modes: self.default_input_modes,
            default_output_modes: self.default_output_modes,
            skills: all(self.skills, at, "skills")?,
            signatures: all(self.signatures, at, "signatures")?,
            icon_url: self.icon_url,
        })
    }
}
