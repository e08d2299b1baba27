//! The record of every exchange, in a stream of its own: what was asked, what came back, what it cost. It is durable
//! before the answer is handed out, and the same question for the same purpose is answered from it: an answer that was
//! paid for is never lost, and a run can be gone through again without any endpoint.

use crate::dialect::{Dialect, Finish, Usage};
use crate::embedding::{Embedded, EmbeddingExchange};
use crate::error::ModelError;
use crate::request::{Answer, Request};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Expected, Log, NewRecord, StoreError};

/// What a record of an exchange is called.
const KIND: &str = "exchange";
/// What a record of an embedding is called.
const EMBEDDING_KIND: &str = "embedding";
/// Largest text of a question or an answer that is recorded whole, in bytes.
pub const MAX_RECORDED_BODY: usize = 1 << 20;

/// One exchange as it is recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Exchange {
    /// Its name: the stream's exchanges are numbered from 1.
    pub(crate) id: String,
    /// What it was for, in the caller's words.
    pub(crate) tag: String,
    /// SHA-256 of the question, without its limit of tokens.
    pub(crate) question: String,
    /// Hash of the prompts that the question was made of.
    pub(crate) template: String,
    pub(crate) dialect: Dialect,
    /// The model asked.
    pub(crate) model: String,
    /// The model that answered, as the endpoint names it.
    pub(crate) answered_by: String,
    pub(crate) temperature: Option<f64>,
    pub(crate) seed: Option<u64>,
    /// Parameters that were left out since the endpoint refuses them.
    pub(crate) left_out: Vec<String>,
    pub(crate) finish: Finish,
    pub(crate) usage: Usage,
    /// US dollars; `None` when the price is not known.
    pub(crate) cost_usd: Option<f64>,
    pub(crate) latency_ms: u64,
    pub(crate) tries: u32,
    /// The question's texts, if they are not too large.
    pub(crate) request: Option<Request>,
    pub(crate) text: String,
    /// What the first token might have been, if that was asked and told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) likelihoods: Vec<(String, f64)>,
    /// The answer as it came, if it was passed on rather than asked for here and is not too large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) raw: Option<String>,
}

/// What the recorded exchanges cost together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Exchanges.
    pub calls: u64,
    /// Tokens, read and written.
    pub tokens: u64,
    /// US dollars, of those whose price is known.
    pub usd: f64,
}

#[derive(Debug, Default)]
struct Known {
    answers: HashMap<(String, String), Answer>,
    /// What each model was found to refuse.
    left_out: HashMap<String, BTreeSet<String>>,
    /// Sequence numbers of the recorded embeddings by question. They are read when they are asked for: a run has one for each
    /// program, of some kilobytes.
    embeddings: HashMap<String, u64>,
    tally: Tally,
}

/// The exchanges of one stream. It has one writer at a time.
pub struct Exchanges {
    log: Arc<dyn Log>,
    stream: String,
    now_ms: fn() -> i64,
    known: Mutex<Known>,
}

impl Exchanges {
    /// Reads what the stream holds. `now_ms` is the time in Unix milliseconds.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn open(log: Arc<dyn Log>, stream: &str, now_ms: fn() -> i64) -> Result<Self, StoreError> {
        let mut known = Known::default();
        log.replay(stream, 0, &mut |record| {
            // A record of another kind or an older shape answers nothing.
            if record.kind == EMBEDDING_KIND {
                if let Ok(exchange) = serde_json::from_value::<EmbeddingExchange>(record.data) {
                    known.add_embedding(&exchange, record.seq);
                }
            } else if let Ok(exchange) = serde_json::from_value::<Exchange>(record.data) {
                known.add(&exchange);
            }
            ControlFlow::Continue(())
        })?;
        Ok(Self { log, stream: stream.to_owned(), now_ms, known: Mutex::new(known) })
    }

    /// What was spent until now.
    pub fn tally(&self) -> Tally {
        self.lock().tally
    }

    /// Names of the parameters that a model was found to refuse.
    pub(crate) fn left_out(&self, model: &str) -> BTreeSet<String> {
        self.lock().left_out.get(model).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer that the same question had for the same purpose.
    pub(crate) fn find(&self, tag: &str, question: &str) -> Option<Answer> {
        self.lock().answers.get(&(tag.to_owned(), question.to_owned())).cloned()
    }

    /// Records an exchange and names it.
    pub(crate) fn record(&self, mut exchange: Exchange) -> Result<Answer, ModelError> {
        let mut known = self.lock();
        exchange.id = format!("{}", known.tally.calls + 1);
        let data = serde_json::to_value(&exchange).map_err(|error| ModelError::Setup(error.to_string()))?;
        let record = NewRecord { kind: KIND.to_owned(), time_ms: (self.now_ms)(), data };
        self.log.append(&self.stream, Expected::Any, &[record])?;
        known.add(&exchange);
        Ok(Answer { reused: false, ..exchange.answer() })
    }

    /// The embedding that the same text had.
    ///
    /// # Errors
    ///
    /// When the record is there and cannot be read.
    pub(crate) fn find_embedding(&self, question: &str) -> Result<Option<Embedded>, ModelError> {
        let Some(seq) = self.lock().embeddings.get(question).copied() else { return Ok(None) };
        let record = self.log.read(&self.stream, seq.saturating_sub(1), 1)?.pop();
        let exchange =
            record.and_then(|record| serde_json::from_value::<EmbeddingExchange>(record.data).ok());
        Ok(exchange.map(|exchange| Embedded { reused: true, ..exchange.answer() }))
    }

    /// Records an embedding and names its exchange.
    pub(crate) fn record_embedding(&self, mut exchange: EmbeddingExchange) -> Result<Embedded, ModelError> {
        let mut known = self.lock();
        exchange.id = format!("{}", known.tally.calls + 1);
        let data = serde_json::to_value(&exchange).map_err(|error| ModelError::Setup(error.to_string()))?;
        let record = NewRecord { kind: EMBEDDING_KIND.to_owned(), time_ms: (self.now_ms)(), data };
        let seq = self.log.append(&self.stream, Expected::Any, &[record])?;
        known.add_embedding(&exchange, seq);
        Ok(exchange.answer())
    }
}

impl Known {
    fn count(&mut self, usage: &Usage, cost_usd: Option<f64>) {
        self.tally.calls += 1;
        let tokens = usage.input.saturating_add(usage.output);
        self.tally.tokens = self.tally.tokens.saturating_add(tokens);
        self.tally.usd += cost_usd.unwrap_or(0.0);
    }

    fn add_embedding(&mut self, exchange: &EmbeddingExchange, seq: u64) {
        self.count(&exchange.usage, exchange.cost_usd);
        self.embeddings.insert(exchange.question.clone(), seq);
    }

    fn add(&mut self, exchange: &Exchange) {
        self.count(&exchange.usage, exchange.cost_usd);
        if !exchange.left_out.is_empty() {
            let left_out = self.left_out.entry(exchange.model.clone()).or_default();
            left_out.extend(exchange.left_out.iter().cloned());
        }
        self.answers.insert((exchange.tag.clone(), exchange.question.clone()), exchange.answer());
    }
}

impl Exchange {
    fn answer(&self) -> Answer {
        Answer {
            text: self.text.clone(),
            likelihoods: self.likelihoods.clone(),
            finish: self.finish,
            usage: self.usage,
            cost_usd: self.cost_usd,
            model: self.answered_by.clone(),
            exchange: self.id.clone(),
            reused: true,
        }
    }
}

/// The name of a question to a model at some effort: equal for equal ones. What is not asked for is not in it, so that
/// names stay what they were.
pub(crate) fn question((model, dialect, effort): (&str, Dialect, Option<&str>), request: &Request) -> String {
    let mut words = vec![
        json!(model),
        json!(dialect),
        json!(request.system),
        json!(request.messages),
        json!(request.temperature),
        json!(request.seed),
        json!(request.template),
    ];
    words.extend(request.form.as_ref().map(|form| json!({ "form": form })));
    words.extend(request.likelihoods.then(|| json!("likelihoods")));
    words.extend(effort.map(|effort| json!({ "effort": effort })));
    digest(Value::from(words).to_string().as_bytes())
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
