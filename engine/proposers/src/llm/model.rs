//! What the proposer needs of a language model: one question, one answer. Dialects, retries, budgets and records are
//! behind it.

use evolution::candidate::ModelUsage;
use evolution::event::StoppedBy;
use evolution::id::Number;

/// Who says something in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The proposer.
    User,
    /// The model, earlier.
    Model,
}

/// What an answer is to be held to, by servers that can. Others answer as they like, and are read all the same.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Form {
    /// A JSON schema.
    pub schema: Option<serde_json::Value>,
    /// A grammar in GBNF; goes before the schema.
    pub grammar: Option<String>,
}

impl Form {
    /// This form, unless it holds the answer to nothing.
    pub(super) fn unless_empty(self) -> Option<Self> {
        (self.schema.is_some() || self.grammar.is_some()).then_some(self)
    }
}

/// A question.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// For which proposal.
    pub number: Number,
    /// Which question of the proposal, from 0.
    pub turn: u32,
    /// What stands before the conversation.
    pub system: String,
    /// The conversation; it ends with what is asked now.
    pub said: Vec<(Speaker, String)>,
    /// Tokens that the answer may have, if fewer than configured.
    pub max_tokens: Option<u32>,
    /// Sampling temperature, 0 to 2. A model that takes none is asked without.
    pub temperature: f64,
    /// Seed of the model's own chance, for endpoints that take one.
    pub seed: u64,
    /// Hash of the prompts that the question is made of.
    pub prompts: String,
    /// What the answer is to be held to.
    pub form: Option<Form>,
    /// Whether the likelihoods of the first token are wanted.
    pub likelihoods: bool,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The text.
    pub text: String,
    /// What the first token might have been, each with the natural logarithm of its probability; empty when the server does
    /// not tell or was not asked.
    pub likelihoods: Vec<(String, f64)>,
    /// Whether it was cut off at the limit of tokens.
    pub truncated: bool,
    /// What it cost.
    pub usage: ModelUsage,
    /// The model as the endpoint names it.
    pub model: String,
    /// The record of this exchange.
    pub exchange: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AskError {
    /// The call would cost more than this budget has left.
    #[error("the budget is spent")]
    OutOfBudget(StoppedBy),
    /// It failed, retries included.
    #[error("{0}")]
    Failed(String),
}

/// A language model.
pub trait Model: Send + Sync {
    /// Its name, as configured.
    fn name(&self) -> &str;

    /// Asks and waits.
    ///
    /// # Errors
    ///
    /// When the budget does not allow it, or the model gave no answer.
    fn ask(&self, question: &Question) -> Result<Reply, AskError>;
}
