//! A question to a model and its answer, in no dialect.

use crate::dialect::{Finish, Usage};
use serde::{Deserialize, Serialize};

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Who asks.
    User,
    /// The model.
    Assistant,
}

/// Something said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// By whom.
    pub role: Role,
    /// What.
    pub text: String,
}

/// What an answer is held to, where the endpoint can. A model may be held to either; the grammar goes first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Form {
    /// A JSON schema, in the part of the language that every vendor takes: all properties required, no others allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<serde_json::Value>,
    /// A grammar in GBNF, the notation of llama.cpp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grammar: Option<String>,
}

/// A question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What it is for: the same question for the same purpose is answered from the record.
    pub tag: String,
    /// What stands before the conversation; may be empty.
    pub system: String,
    /// The conversation.
    pub messages: Vec<Message>,
    /// Sampling temperature, 0 to 2. Left out for models that refuse it.
    pub temperature: Option<f64>,
    /// Tokens that the answer may have.
    pub max_tokens: u32,
    /// Seed of the model's chance. Left out for endpoints that refuse it.
    pub seed: Option<u64>,
    /// Hash of the prompts that the question is made of.
    pub template: String,
    /// What the answer is held to, if to anything. Left out for endpoints that refuse it, so the answer may be anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// Whether to be told what else the first token might have been. Left out for endpoints that do not tell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub likelihoods: bool,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// What the first token that is no blank might have been, each with the natural logarithm of its probability, likeliest
    /// first; empty when the endpoint did not tell.
    pub likelihoods: Vec<(String, f64)>,
    /// How it ended.
    pub finish: Finish,
    /// Tokens.
    pub usage: Usage,
    /// US dollars; `None` when the price is not known.
    pub cost_usd: Option<f64>,
    /// The model as the endpoint names it.
    pub model: String,
    /// The exchange's name in the record.
    pub exchange: String,
    /// Whether it comes from the record: it was paid before.
    pub reused: bool,
}
