//! The three ways in which endpoints are spoken to, behind one: what is sent, and what the events of the answer mean.

mod chat;
mod messages;
mod responses;

use crate::capabilities::{Capabilities, Structured, TokenLimit};
use crate::client::ClientOptions;
use crate::error::ModelError;
use crate::knob::Knob;
use crate::request::Request;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// How an endpoint is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Chat completions, which nearly every server understands.
    #[default]
    Chat,
    /// Responses.
    Responses,
    /// Anthropic's messages.
    Messages,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// By itself.
    Stop,
    /// At the limit of tokens.
    Length,
    /// Otherwise: a filter, a tool.
    Other,
}

/// Tokens of an exchange.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Read, those from and into a cache included.
    pub input: u64,
    /// Read from a cache.
    pub cached: u64,
    /// Written into a cache.
    pub cache_write: u64,
    /// Written while thinking.
    pub reasoning: u64,
    /// Written, those of thinking included.
    pub output: u64,
    /// Whether the endpoint said so; else they are estimated from the texts.
    pub reported: bool,
}

/// An answer as it grows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Assembly {
    pub(crate) text: String,
    /// What the first token that is no blank might have been.
    pub(crate) likelihoods: Vec<(String, f64)>,
    pub(crate) finish: Option<Finish>,
    pub(crate) usage: Usage,
    pub(crate) model: String,
}

impl Dialect {
    /// The path below the base address.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Chat => "chat/completions",
            Self::Responses => "responses",
            Self::Messages => "messages",
        }
    }

    /// Takes one event in.
    pub(crate) fn take(self, assembly: &mut Assembly, event: &Value) -> Result<(), ModelError> {
        refuse_error(event)?;
        match self {
            Self::Chat => chat::take(assembly, event),
            Self::Responses => return responses::take(assembly, event),
            Self::Messages => messages::take(assembly, event),
        }
        Ok(())
    }

    /// Takes an answer in that was not streamed.
    pub(crate) fn take_whole(self, assembly: &mut Assembly, answer: &Value) -> Result<(), ModelError> {
        refuse_error(answer)?;
        match self {
            Self::Chat => chat::take(assembly, answer),
            Self::Responses => responses::take_whole(assembly, answer),
            Self::Messages => messages::take_whole(assembly, answer),
        }
        Ok(())
    }
}

/// A question on its way to an endpoint: what of it is sent, and in which words.
pub(crate) struct Call<'c> {
    model: &'c str,
    effort: Option<&'c str>,
    capabilities: &'c Capabilities,
    request: &'c Request,
    /// Tokens that the answer may have.
    tokens: u32,
    knobs: BTreeSet<Knob>,
}

impl<'c> Call<'c> {
    /// A call without the parameters that the model does not take or its endpoint has `refused`.
    pub(crate) fn new(
        options: &'c ClientOptions,
        request: &'c Request,
        tokens: u32,
        refused: &BTreeSet<Knob>,
    ) -> Self {
        let capabilities = &options.capabilities;
        let effort = options.effort.as_deref();
        let mut call =
            Self { model: &options.model, effort, capabilities, request, tokens, knobs: BTreeSet::new() };
        call.knobs = call.wanted(refused).into_iter().filter(|knob| !refused.contains(knob)).collect();
        if capabilities.dialect == Dialect::Chat {
            let (older, newer) = (Knob::MaxTokens, Knob::MaxCompletionTokens);
            let names = match capabilities.token_limit {
                TokenLimit::MaxTokens => [older, newer],
                TokenLimit::MaxCompletionTokens => [newer, older],
            };
            call.knobs.extend(names.into_iter().find(|name| !refused.contains(name)));
        }
        call
    }

    /// What the question asks for and the model may take.
    fn wanted(&self, refused: &BTreeSet<Knob>) -> Vec<Knob> {
        let (request, known) = (self.request, self.capabilities);
        let form = request.form.as_ref();
        // Who asks for a grammar says by it that the server has it, unless it is known not to.
        let grammar = known.dialect == Dialect::Chat
            && form.is_some_and(|form| form.grammar.is_some())
            && !matches!(known.structured, Some(Structured::Schema | Structured::None));
        let grammar = grammar && !refused.contains(&Knob::Grammar);
        let schema =
            form.is_some_and(|form| form.schema.is_some()) && known.structured != Some(Structured::None);
        let of = |knob: Knob, wanted: bool| wanted.then_some(knob);
        let dialect = known.dialect;
        let chat = dialect == Dialect::Chat;
        let knobs = [
            of(Knob::Temperature, request.temperature.is_some() && known.temperature != Some(false)),
            of(Knob::Seed, chat && request.seed.is_some() && known.seed != Some(false)),
            of(Knob::StreamOptions, chat),
            of(Knob::Store, dialect == Dialect::Responses),
            of(Knob::CacheControl, dialect == Dialect::Messages && !request.system.is_empty()),
            of(Knob::Effort, self.effort.is_some()),
            of(Knob::Grammar, grammar),
            of(Knob::Schema, schema && !grammar),
            of(
                Knob::Logprobs,
                request.likelihoods && known.logprobs != Some(false) && dialect != Dialect::Messages,
            ),
        ];
        knobs.into_iter().flatten().collect()
    }

    /// Parameters sent that the call could do without.
    pub(crate) fn sent(&self) -> Vec<Knob> {
        self.knobs.iter().copied().collect()
    }

    fn sends(&self, knob: Knob) -> bool {
        self.knobs.contains(&knob)
    }

    fn temperature(&self) -> Option<f64> {
        self.request.temperature.filter(|_| self.sends(Knob::Temperature))
    }

    fn effort(&self) -> Option<&'c str> {
        self.effort.filter(|_| self.sends(Knob::Effort))
    }

    fn schema(&self) -> Option<&'c Value> {
        self.request.form.as_ref()?.schema.as_ref().filter(|_| self.sends(Knob::Schema))
    }

    fn grammar(&self) -> Option<&'c str> {
        self.request.form.as_ref()?.grammar.as_deref().filter(|_| self.sends(Knob::Grammar))
    }

    /// What is sent.
    pub(crate) fn body(&self) -> Value {
        let mut body = match self.capabilities.dialect {
            Dialect::Chat => chat::body(self),
            Dialect::Responses => responses::body(self),
            Dialect::Messages => messages::body(self),
        };
        if let Some(body) = body.as_object_mut() {
            body.retain(|_, value| !value.is_null());
        }
        body
    }
}

/// Notes what the first token that is no blank might have been, from a list of tokens with their likelihoods.
fn note_likelihoods(assembly: &mut Assembly, tokens: Option<&Value>) {
    let tokens = tokens.and_then(Value::as_array).into_iter().flatten();
    for token in tokens {
        if !assembly.likelihoods.is_empty() || text(token, "/token").trim().is_empty() {
            continue;
        }
        let others = token.get("top_logprobs").and_then(Value::as_array).into_iter().flatten();
        let likelihood =
            |other: &Value| Some((text(other, "/token").to_owned(), other.get("logprob")?.as_f64()?));
        assembly.likelihoods = others.filter_map(likelihood).collect();
    }
}

/// An endpoint that fails once it has begun says so in an event.
fn refuse_error(event: &Value) -> Result<(), ModelError> {
    let Some(error) = event.get("error").filter(|error| !error.is_null()) else { return Ok(()) };
    let message = error.get("message").and_then(Value::as_str);
    let message = message.map_or_else(|| error.to_string(), str::to_owned);
    Err(ModelError::Garbled(format!("the endpoint broke off: {message}")))
}

/// A number in an event, by its path; 0 when it is not there.
fn number(value: &Value, path: &str) -> u64 {
    value.pointer(path).and_then(Value::as_u64).unwrap_or(0)
}

/// A text in an event, by its path; empty when it is not there.
fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assembled(dialect: Dialect, events: &[&str]) -> Assembly {
        let mut assembly = Assembly::default();
        for event in events {
            dialect.take(&mut assembly, &serde_json::from_str(event).unwrap()).unwrap();
        }
        assembly
    }

    fn wanted(cache_write: u64) -> Assembly {
        let usage = Usage { input: 20, cached: 8, cache_write, reasoning: 0, output: 5, reported: true };
        let (text, model) = ("Hello".to_owned(), "m-1".to_owned());
        Assembly { text, finish: Some(Finish::Length), usage, model, likelihoods: Vec::new() }
    }

    #[test]
    fn each_dialect_is_understood() {
        let chat = assembled(
            Dialect::Chat,
            &[
                r#"{"model":"m-1","choices":[{"delta":{"role":"assistant","content":null}}]}"#,
                r#"{"choices":[{"delta":{"content":"Hel"}}]}"#,
                r#"{"choices":[{"delta":{"content":"lo"},"finish_reason":"length"}]}"#,
                r#"{"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":8}}}"#,
            ],
        );
        assert_eq!(chat, wanted(0));
        let responses = assembled(
            Dialect::Responses,
            &[
                r#"{"type":"response.output_text.delta","delta":"Hello"}"#,
                r#"{"type":"response.incomplete","response":{"model":"m-1","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":20,"input_tokens_details":{"cached_tokens":8},"output_tokens":5}}}"#,
            ],
        );
        assert_eq!(responses, wanted(0));
        let messages = assembled(
            Dialect::Messages,
            &[
                r#"{"type":"message_start","message":{"model":"m-1","usage":{"input_tokens":10,"cache_read_input_tokens":8,"cache_creation_input_tokens":2}}}"#,
                r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"Hello"}}"#,
                r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":5}}"#,
            ],
        );
        assert_eq!(messages, wanted(2));
    }

    #[test]
    fn an_answer_that_was_not_streamed_says_the_same() {
        let whole = |dialect: Dialect, answer: &str| {
            let mut assembly = Assembly::default();
            dialect.take_whole(&mut assembly, &serde_json::from_str(answer).unwrap()).unwrap();
            assembly
        };
        let chat = r#"{"model":"m-1","choices":[{"message":{"content":"Hello"},"finish_reason":"length"}],"usage":{"prompt_tokens":20,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":8}}}"#;
        assert_eq!(whole(Dialect::Chat, chat), wanted(0));
        let responses = r#"{"model":"m-1","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[{"content":[{"text":"Hel"},{"text":"lo"}]}],"usage":{"input_tokens":20,"input_tokens_details":{"cached_tokens":8},"output_tokens":5}}"#;
        assert_eq!(whole(Dialect::Responses, responses), wanted(0));
        let messages = r#"{"model":"m-1","content":[{"type":"text","text":"Hello"}],"stop_reason":"max_tokens","usage":{"input_tokens":10,"cache_read_input_tokens":8,"cache_creation_input_tokens":2,"output_tokens":5}}"#;
        assert_eq!(whole(Dialect::Messages, messages), wanted(2));
    }

    #[test]
    fn the_first_token_is_known_with_what_it_might_have_been() {
        let tokens = r#"[{"token":"\n","logprob":-0.1,"top_logprobs":[]},
            {"token":"B","logprob":-0.2,"top_logprobs":[{"token":"B","logprob":-0.2},{"token":" A","logprob":-1.5}]},
            {"token":"C","logprob":-0.2,"top_logprobs":[{"token":"C","logprob":-0.2}]}]"#;
        let wanted = [("B".to_owned(), -0.2), (" A".to_owned(), -1.5)];
        let chat =
            format!(r#"{{"choices":[{{"delta":{{"content":"\nBC"}},"logprobs":{{"content":{tokens}}}}}]}}"#);
        assert_eq!(assembled(Dialect::Chat, &[&chat]).likelihoods, wanted);
        let responses =
            format!(r#"{{"type":"response.output_text.delta","delta":"\nBC","logprobs":{tokens}}}"#);
        assert_eq!(assembled(Dialect::Responses, &[&responses]).likelihoods, wanted);
    }

    #[test]
    fn an_error_within_the_stream_ends_it() {
        let event = serde_json::json!({ "type": "error", "error": { "message": "overloaded" } });
        for dialect in [Dialect::Chat, Dialect::Responses, Dialect::Messages] {
            let error = dialect.take(&mut Assembly::default(), &event).unwrap_err();
            assert!(error.to_string().contains("overloaded") && error.may_pass());
        }
    }

    proptest! {
        #[test]
        fn no_event_makes_a_reader_panic(text in "[\\[\\]{}:,\"a-z0-9]{0,60}") {
            if let Ok(event) = serde_json::from_str::<Value>(&text) {
                for dialect in [Dialect::Chat, Dialect::Responses, Dialect::Messages] {
                    let _ = dialect.take(&mut Assembly::default(), &event);
                    let _ = dialect.take_whole(&mut Assembly::default(), &event);
                }
            }
        }
    }
}
