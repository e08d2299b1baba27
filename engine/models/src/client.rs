//! A client of one model at one endpoint. It blocks the thread that asks and may be shared by many; the waiting itself is
//! done by a small runtime of its own.

use crate::capabilities::Capabilities;
use crate::dialect::{Assembly, Call, Finish, Usage};
use crate::error::ModelError;
use crate::exchange::{self, Exchange, Exchanges, MAX_RECORDED_BODY};
use crate::http;
use crate::knob::{self, Knob};
use crate::patience::{self, Patience};
use crate::purse::Purse;
use crate::redact::Secret;
use crate::request::{Answer, Request};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Characters that count as a token where the endpoint does not count: an estimate, on the high side for code.
const CHARACTERS_A_TOKEN: usize = 3;

/// Limits of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands.
    pub connect: Duration,
    /// From there until the answer begins.
    pub first_byte: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
    /// In all, tries and waits included.
    pub total: Duration,
    /// Bytes of one answer.
    pub answer_bytes: usize,
    /// Tries, at least 1.
    pub tries: u32,
}

impl Limits {
    /// Limits of a call that may take `total` in all.
    pub fn within(total: Duration) -> Self {
        Self {
            connect: Duration::from_secs(10).min(total),
            first_byte: total,
            idle: Duration::from_secs(60).min(total),
            total,
            answer_bytes: 8 << 20,
            tries: 4,
        }
    }
}

/// A price in US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// Read.
    pub input: f64,
    /// Read from a cache.
    pub cached: f64,
    /// Written.
    pub output: f64,
}

impl Price {
    /// The price of an exchange, in US dollars. What is written into a cache costs as much as what is read.
    pub fn of(&self, usage: &Usage) -> f64 {
        let fresh = usage.input.saturating_sub(usage.cached) as f64;
        (fresh * self.input + usage.cached as f64 * self.cached + usage.output as f64 * self.output) / 1e6
    }
}

/// What a client is set up with.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Base address, such as `http://127.0.0.1:8080/v1`.
    pub endpoint: String,
    /// The model's name.
    pub model: String,
    /// What the model takes, the dialect among it.
    pub capabilities: Capabilities,
    /// Reasoning effort, if any is asked for.
    pub effort: Option<String>,
    /// The key, if the endpoint wants one.
    pub key: Option<Secret>,
    /// Limits of a call.
    pub limits: Limits,
    /// The price, if it is known.
    pub price: Option<Price>,
}

/// The client.
pub struct Client {
    options: ClientOptions,
    http: reqwest::Client,
    runtime: Runtime,
    exchanges: Arc<Exchanges>,
    purse: Arc<Purse>,
    /// Parameters that the endpoint was found to refuse.
    refused: Mutex<BTreeSet<Knob>>,
}

impl Client {
    /// A client that has asked nothing yet. It does not connect. What the model was recorded to refuse is not sent again.
    ///
    /// # Errors
    ///
    /// When TLS or the runtime cannot be set up, or the address is none of HTTP.
    pub fn open(
        options: ClientOptions,
        exchanges: Arc<Exchanges>,
        purse: Arc<Purse>,
    ) -> Result<Self, ModelError> {
        http::check(&options.endpoint)?;
        let runtime = patience::runtime()?;
        let refused = exchanges.left_out(&options.model);
        Ok(Self {
            http: http::client(&options.limits)?,
            runtime,
            refused: Mutex::new(refused.iter().filter_map(|name| Knob::named(name)).collect()),
            exchanges,
            purse,
            options,
        })
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        &self.options.model
    }

    /// Whether the endpoint answers at all, and takes the key. Asks nothing of the model.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn probe(&self) -> Result<(), ModelError> {
        let headers = http::headers(self.options.capabilities.dialect, self.options.key.as_ref())?;
        self.runtime
            .block_on(http::probe(&self.http, &self.options, headers))
            .map_err(|error| http::hidden(error, self.options.key.as_ref()))
    }

    /// Asks and waits. The exchange is recorded before this returns.
    ///
    /// # Errors
    ///
    /// When the budget does not allow it, every try failed, or the exchange cannot be recorded.
    pub fn complete(&self, request: &Request) -> Result<Answer, ModelError> {
        let dialect = self.options.capabilities.dialect;
        let question =
            exchange::question((&self.options.model, dialect, self.options.effort.as_deref()), request);
        if let Some(answer) = self.exchanges.find(&request.tag, &question) {
            return Ok(answer);
        }
        let price = self.options.price.map(|price| (price.input / 1e6, price.output / 1e6));
        let reserved = self.purse.reserve(estimate(request), request.max_tokens, price)?;
        let began = Instant::now();
        let (mut assembly, tries) = self
            .persist(request, reserved.answer, began)
            .map_err(|error| http::hidden(error, self.options.key.as_ref()))?;
        if !assembly.usage.reported {
            assembly.usage.input = estimate(request);
            assembly.usage.output = tokens(&assembly.text);
        }
        let cost_usd = self.options.price.map(|price| price.of(&assembly.usage));
        reserved.settle(assembly.usage.input.saturating_add(assembly.usage.output), cost_usd);
        let hide = |text: &str| match &self.options.key {
            Some(key) => key.hide_in(text),
            None => text.to_owned(),
        };
        let small = serde_json::to_string(request).is_ok_and(|body| body.len() <= MAX_RECORDED_BODY);
        self.exchanges.record(Exchange {
            id: String::new(),
            tag: request.tag.clone(),
            question,
            template: request.template.clone(),
            dialect,
            model: self.options.model.clone(),
            answered_by: if assembly.model.is_empty() { self.options.model.clone() } else { assembly.model },
            temperature: request.temperature,
            seed: request.seed,
            left_out: self.refused().into_iter().map(|knob| knob.name().to_owned()).collect(),
            finish: assembly.finish.unwrap_or(Finish::Other),
            usage: assembly.usage,
            cost_usd,
            latency_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            tries,
            request: small.then(|| request.clone()),
            text: hide(&assembly.text),
            likelihoods: assembly.likelihoods,
            raw: None,
        })
    }

    /// Tries until an answer comes, no try can help, or the time is up. Answers how many tries it took.
    fn persist(&self, request: &Request, tokens: u32, began: Instant) -> Result<(Assembly, u32), ModelError> {
        let patience = Patience { limits: &self.options.limits, began, seed: request.seed.unwrap_or(0) };
        patience.persist(
            &self.runtime,
            || self.ask(request, tokens),
            |error| self.learn(error, request, tokens),
        )
    }

    async fn ask(&self, request: &Request, tokens: u32) -> Result<Assembly, ModelError> {
        let (options, refused) = (&self.options, self.refused());
        let dialect = options.capabilities.dialect;
        let url = format!("{}/{}", options.endpoint.trim_end_matches('/'), dialect.path());
        let body = Call::new(options, request, tokens, &refused).body().to_string();
        let headers = http::headers(dialect, options.key.as_ref())?;
        http::ask(&self.http, &url, (dialect, headers), body, &options.limits).await
    }

    fn refused(&self) -> BTreeSet<Knob> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers the parameters that a refusal means, and answers whether there are new ones.
    fn learn(&self, error: &ModelError, request: &Request, tokens: u32) -> bool {
        let known = self.refused();
        let sent = Call::new(&self.options, request, tokens, &known).sent();
        let found = knob::refused(error, &sent);
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.extend(&found);
        !found.is_empty()
    }
}

/// Tokens of a text, on the high side.
pub(crate) fn tokens(text: &str) -> u64 {
    text.chars().count().div_ceil(CHARACTERS_A_TOKEN) as u64
}

/// Tokens of a question, on the high side.
fn estimate(request: &Request) -> u64 {
    tokens(&request.system) + request.messages.iter().map(|message| tokens(&message.text) + 8).sum::<u64>()
}
