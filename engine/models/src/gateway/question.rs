//! A child's question as it is passed on: the model that is configured, a limit of tokens that can be paid, and a stream
//! that says what it took. All else is the child's and stays as it is.

use crate::dialect::Dialect;
use serde_json::{Map, Value, json};

/// Tokens of an answer whose question names no limit.
const DEFAULT_ANSWER: u32 = 8_192;
/// Bytes of a question's JSON that count as a token: an estimate, on the high side.
const BYTES_A_TOKEN: usize = 3;

/// A question.
pub(super) struct Question {
    dialect: Dialect,
    body: Map<String, Value>,
    /// Tokens that it has, estimated.
    pub(super) tokens: u64,
}

impl Question {
    /// Reads a question; `None` when it is no JSON object.
    pub(super) fn read(dialect: Dialect, bytes: &[u8]) -> Option<Self> {
        let body = serde_json::from_slice(bytes).ok()?;
        Some(Self { dialect, body, tokens: bytes.len().div_ceil(BYTES_A_TOKEN) as u64 })
    }

    /// The names under which the limit of tokens may stand; the first is used when none does.
    fn limit_names(&self) -> &'static [&'static str] {
        match self.dialect {
            Dialect::Chat => &["max_completion_tokens", "max_tokens"],
            Dialect::Responses => &["max_output_tokens"],
            Dialect::Messages => &["max_tokens"],
        }
    }

    /// Tokens that the answer may have, as the child wants it.
    pub(super) fn answer(&self) -> u32 {
        let asked = self.limit_names().iter().find_map(|name| self.body.get(*name)?.as_u64());
        asked.map_or(DEFAULT_ANSWER, |asked| u32::try_from(asked).unwrap_or(u32::MAX))
    }

    /// A number that the question holds.
    pub(super) fn number(&self, name: &str) -> Option<&Value> {
        self.body.get(name).filter(|value| value.is_number())
    }

    /// What is sent on: for `model`, and at most `granted` tokens.
    pub(super) fn written(mut self, model: &str, granted: u32) -> String {
        let names = self.limit_names();
        let name = names.iter().find(|name| self.body.contains_key(**name)).unwrap_or(&names[0]);
        self.body.insert((*name).to_owned(), json!(granted));
        self.body.insert("model".to_owned(), json!(model));
        let streams = self.body.get("stream").and_then(Value::as_bool) == Some(true);
        if self.dialect == Dialect::Chat && streams {
            // Chat completions say what they took only when asked to.
            let options = self.body.entry("stream_options").or_insert_with(|| json!({}));
            if let Some(options) = options.as_object_mut() {
                options.insert("include_usage".to_owned(), json!(true));
            }
        }
        Value::Object(self.body).to_string()
    }
}
