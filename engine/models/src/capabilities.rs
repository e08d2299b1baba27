//! What each model takes and costs: a file shipped within the binary, entries of a user's own, and between them one answer
//! for a name. A model that nobody described is spoken to as if it took everything; what it refuses is learnt by the
//! client.

use crate::client::Price;
use crate::dialect::Dialect;
use crate::error::ModelError;
use serde::{Deserialize, Serialize};

/// The shipped entries.
const SHIPPED: &str = include_str!("../capabilities.toml");

/// What is known of one model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Capabilities {
    /// How its endpoint is spoken to.
    pub dialect: Dialect,
    /// The chat dialect's name of the limit of tokens.
    pub token_limit: TokenLimit,
    /// Whether it takes a temperature; `None` is not known.
    pub temperature: Option<bool>,
    /// Whether it takes a seed; `None` is not known.
    pub seed: Option<bool>,
    /// The values of reasoning effort that it takes; `None` is not known.
    pub effort: Option<Vec<String>>,
    /// How its answers are held to a form; `None` is not known.
    pub structured: Option<Structured>,
    /// Whether it tells the likelihoods of tokens; `None` is not known.
    pub logprobs: Option<bool>,
    /// Tokens of question and answer together.
    pub context: Option<u64>,
    /// The price as it is listed.
    pub price: Option<ListedPrice>,
}

/// The chat dialect's names of the limit of tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenLimit {
    /// The older one, which nearly every server knows.
    #[default]
    MaxTokens,
    /// The newer one, which reasoning models insist on.
    MaxCompletionTokens,
}

/// How answers are held to a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Structured {
    /// By the dialect's own JSON schema.
    Schema,
    /// By that, and by `grammar` with GBNF, as llama.cpp's server does.
    LlamaCpp,
    /// By `structured_outputs`, as vLLM does since 0.12.
    Vllm,
    /// Not at all.
    None,
}

/// A price with where it holds and where it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedPrice {
    /// The host where it holds: another one that serves the same model asks a price of its own. Absent for a price that its
    /// user gave for the endpoint in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Read, in US dollars for a million tokens.
    pub input: f64,
    /// Read from a cache; as `input` when absent, which is never too low.
    #[serde(default)]
    pub cached: Option<f64>,
    /// Written.
    pub output: f64,
    /// The day on which its source was read.
    pub as_of: String,
    /// Where it was read.
    pub source: String,
}

/// What one entry says of the models whose names it fits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// A name, or the beginning of names with `*` at its end.
    pub model: String,
    /// See [`Capabilities::dialect`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// See [`Capabilities::token_limit`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_limit: Option<TokenLimit>,
    /// See [`Capabilities::temperature`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<bool>,
    /// See [`Capabilities::seed`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<bool>,
    /// See [`Capabilities::effort`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<Vec<String>>,
    /// See [`Capabilities::structured`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structured: Option<Structured>,
    /// See [`Capabilities::logprobs`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<bool>,
    /// See [`Capabilities::context`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u64>,
    /// See [`Capabilities::price`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<ListedPrice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    model: Vec<Entry>,
}

impl Capabilities {
    /// What is known of a model: by the shipped entries, and over them by `own`.
    ///
    /// # Errors
    ///
    /// When the shipped file cannot be read, which a test rules out.
    pub fn of(model: &str, own: &[Entry]) -> Result<Self, ModelError> {
        let shipped: File = toml::from_str(SHIPPED).map_err(|error| {
            ModelError::Setup(format!("capabilities.toml is not as it should be: {error}"))
        })?;
        let mut known = Self::default();
        for entry in shipped.model.iter().chain(own).filter(|entry| entry.fits(model)) {
            known.learn(entry);
        }
        Ok(known)
    }

    fn learn(&mut self, entry: &Entry) {
        self.dialect = entry.dialect.unwrap_or(self.dialect);
        self.token_limit = entry.token_limit.unwrap_or(self.token_limit);
        self.temperature = entry.temperature.or(self.temperature);
        self.seed = entry.seed.or(self.seed);
        self.effort = entry.effort.clone().or(self.effort.take());
        self.structured = entry.structured.or(self.structured);
        self.logprobs = entry.logprobs.or(self.logprobs);
        self.context = entry.context.or(self.context);
        self.price = entry.price.clone().or(self.price.take());
    }

    /// The listed price, if it holds at this endpoint.
    pub fn price_at(&self, endpoint: &str) -> Option<Price> {
        let price = self.price.as_ref()?;
        let address = reqwest::Url::parse(endpoint).ok()?;
        let here = price.host.as_deref().is_none_or(|host| address.host_str() == Some(host));
        here.then(|| Price {
            input: price.input,
            cached: price.cached.unwrap_or(price.input),
            output: price.output,
        })
    }
}

impl Entry {
    fn fits(&self, model: &str) -> bool {
        match self.model.strip_suffix('*') {
            Some(beginning) => model.starts_with(beginning),
            None => model == self.model,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_read_and_says_where_each_price_is_from() {
        let file: File = toml::from_str(SHIPPED).unwrap();
        assert!(file.model.len() > 10);
        for price in file.model.iter().filter_map(|entry| entry.price.as_ref()) {
            let own = match price.host.as_deref() {
                Some("api.openai.com") => "https://developers.openai.com/",
                Some("api.anthropic.com") => "https://platform.claude.com/",
                _ => "a page of a vendor that is not known",
            };
            assert!(price.source.starts_with(own) && price.as_of.starts_with("20"), "{price:?}");
            assert!(price.input > 0.0 && price.output > 0.0, "an unknown price is left out, not zero");
        }
    }

    #[test]
    fn later_entries_override_key_by_key() {
        let of = |model: &str, own: &[Entry]| Capabilities::of(model, own).unwrap();
        let mini = of("gpt-5.4-mini", &[]);
        assert_eq!((mini.token_limit, mini.temperature), (TokenLimit::MaxCompletionTokens, Some(false)));
        assert_eq!(of("claude-opus-4-7-20260401", &[]).dialect, Dialect::Messages);
        let stranger = of("my-own-model", &[]);
        assert_eq!((stranger.dialect, stranger.structured, stranger.price), (Dialect::Chat, None, None));
        let own =
            Entry { model: "my-*".to_owned(), structured: Some(Structured::LlamaCpp), ..Entry::default() };
        assert_eq!(of("my-own-model", &[own]).structured, Some(Structured::LlamaCpp));
    }

    #[test]
    fn a_price_holds_at_its_host_only() {
        let known = Capabilities::of("gpt-5.1", &[]).unwrap();
        assert_eq!(known.price_at("https://api.openai.com/v1").map(|price| price.cached), Some(0.125));
        assert_eq!(known.price_at("http://127.0.0.1:8080/v1"), None);
    }
}
