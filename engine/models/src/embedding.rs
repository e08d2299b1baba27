//! Embeddings: where a model places a text, by the `/embeddings` call that endpoints of the chat dialect have. Asked for one
//! text at a time, with the limits, the purse and the record of every other exchange.

use crate::client::{Limits, tokens};
use crate::dialect::{Dialect, Usage};
use crate::error::ModelError;
use crate::exchange::{Exchanges, digest};
use crate::http;
use crate::patience::{self, Patience};
use crate::purse::Purse;
use crate::redact::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Runtime;

/// What an embedder is set up with.
#[derive(Debug, Clone)]
pub struct EmbedderOptions {
    /// Base address, such as `http://127.0.0.1:8080/v1`.
    pub endpoint: String,
    /// The model, and how long its embeddings are to be.
    pub space: Space,
    /// The key, if the endpoint wants one.
    pub key: Option<Secret>,
    /// Limits of a call.
    pub limits: Limits,
    /// US dollars for a million tokens, if that is known.
    pub price: Option<f64>,
}

/// What embeddings are comparable in: a model, and how many numbers it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// The model's name.
    pub model: String,
    /// Numbers of an embedding, for models that can be asked for fewer than they have; `None` asks for nothing.
    pub dimensions: Option<u32>,
}

/// An embedding.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// The numbers.
    pub vector: Vec<f32>,
    /// Tokens.
    pub usage: Usage,
    /// US dollars; `None` when the price is not known.
    pub cost_usd: Option<f64>,
    /// Whether it comes from the record: it was paid before.
    pub reused: bool,
}

/// One exchange as it is recorded. The text is not: only its hash is needed to find the answer again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct EmbeddingExchange {
    /// Its name: the stream's exchanges are numbered from 1.
    pub(crate) id: String,
    /// SHA-256 of model, dimensions and text.
    pub(crate) question: String,
    /// The model asked.
    pub(crate) model: String,
    /// The model that answered, as the endpoint names it.
    pub(crate) answered_by: String,
    pub(crate) usage: Usage,
    /// US dollars; `None` when the price is not known.
    pub(crate) cost_usd: Option<f64>,
    pub(crate) latency_ms: u64,
    pub(crate) tries: u32,
    /// The numbers in the fewest digits that name them, with blanks between them.
    pub(crate) vector: String,
}

impl EmbeddingExchange {
    pub(crate) fn answer(self) -> Embedded {
        let vector = self.vector.split_whitespace().filter_map(|part| part.parse().ok()).collect();
        Embedded { vector, usage: self.usage, cost_usd: self.cost_usd, reused: false }
    }
}

impl Space {
    /// The name of a question: equal for equal ones.
    fn question(&self, text: &str) -> String {
        digest(json!(["embedding", self.model, self.dimensions, text]).to_string().as_bytes())
    }
}

/// What an endpoint answered.
#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    model: String,
    data: Vec<Datum>,
    #[serde(default)]
    usage: Option<Counted>,
}

#[derive(Deserialize)]
struct Datum {
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct Counted {
    prompt_tokens: u64,
}

/// A client of one embedding model at one endpoint. It blocks the thread that asks and may be shared by many.
pub struct Embedder {
    options: EmbedderOptions,
    http: reqwest::Client,
    runtime: Runtime,
    exchanges: Arc<Exchanges>,
    purse: Arc<Purse>,
}

impl Embedder {
    /// An embedder that has asked nothing yet. It does not connect.
    ///
    /// # Errors
    ///
    /// When TLS or the runtime cannot be set up, or the address is none of HTTP.
    pub fn open(
        options: EmbedderOptions,
        exchanges: Arc<Exchanges>,
        purse: Arc<Purse>,
    ) -> Result<Self, ModelError> {
        http::check(&options.endpoint)?;
        let http = http::client(&options.limits)?;
        Ok(Self { http, runtime: patience::runtime()?, exchanges, purse, options })
    }

    /// Has a text embedded. The exchange is recorded before this returns; a text that was embedded before is answered from the
    /// record.
    ///
    /// # Errors
    ///
    /// When the budget does not allow it, every try failed, or the exchange cannot be recorded.
    pub fn embed(&self, text: &str) -> Result<Embedded, ModelError> {
        let options = &self.options;
        let question = options.space.question(text);
        if let Some(known) = self.exchanges.find_embedding(&question)? {
            return Ok(known);
        }
        let price = options.price.map(|price| (price / 1e6, 0.0));
        let reserved = self.purse.reserve(tokens(text), 0, price)?;
        let began = Instant::now();
        let patience = Patience { limits: &options.limits, began, seed: tokens(text) };
        let (reply, tries) = patience
            .persist(&self.runtime, || self.ask(text), |_| false)
            .map_err(|error| http::hidden(error, options.key.as_ref()))?;
        let usage = Usage {
            input: reply.usage.as_ref().map_or_else(|| tokens(text), |usage| usage.prompt_tokens),
            reported: reply.usage.is_some(),
            ..Usage::default()
        };
        let cost_usd = options.price.map(|price| usage.input as f64 * price / 1e6);
        reserved.settle(usage.input, cost_usd);
        let Some(Datum { embedding: vector }) = reply.data.into_iter().next() else {
            return Err(ModelError::Garbled("it holds no embedding".to_owned()));
        };
        let named = if reply.model.is_empty() { options.space.model.clone() } else { reply.model };
        self.exchanges.record_embedding(EmbeddingExchange {
            id: String::new(),
            question,
            model: options.space.model.clone(),
            answered_by: options.key.as_ref().map_or_else(|| named.clone(), |key| key.hide_in(&named)),
            usage,
            cost_usd,
            latency_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            tries,
            vector: vector.iter().map(f32::to_string).collect::<Vec<_>>().join(" "),
        })
    }

    async fn ask(&self, text: &str) -> Result<Reply, ModelError> {
        let options = &self.options;
        let url = format!("{}/embeddings", options.endpoint.trim_end_matches('/'));
        let mut body = json!({ "model": options.space.model, "input": [text], "encoding_format": "float" });
        if let (Some(dimensions), Value::Object(fields)) = (options.space.dimensions, &mut body) {
            fields.insert("dimensions".to_owned(), json!(dimensions));
        }
        let headers = http::headers(Dialect::Chat, options.key.as_ref())?;
        let bytes = http::ask_whole(&self.http, &url, headers, body.to_string(), &options.limits).await?;
        serde_json::from_slice(&bytes).map_err(|error| ModelError::Garbled(error.to_string()))
    }
}

/// Embeddings that answer from the record alone: for going through a run again without any endpoint.
pub struct RecordedEmbeddings {
    exchanges: Arc<Exchanges>,
    space: Space,
}

impl RecordedEmbeddings {
    /// The embeddings that `exchanges` hold.
    pub fn new(exchanges: Arc<Exchanges>, space: Space) -> Self {
        Self { exchanges, space }
    }

    /// The embedding that the same text had.
    ///
    /// # Errors
    ///
    /// [`ModelError::Missing`] when the record holds none.
    pub fn embed(&self, text: &str) -> Result<Embedded, ModelError> {
        let known = self.exchanges.find_embedding(&self.space.question(text))?;
        known.ok_or_else(|| ModelError::Missing { tag: "an embedding".to_owned() })
    }
}
