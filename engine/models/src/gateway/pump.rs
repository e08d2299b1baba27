//! An answer on its way to the child: passed on piece by piece, understood on the side, accounted and recorded at its
//! end. One piece is always held back, so that the child has a whole answer only when the record has it too.

use super::Desk;
use super::attempt::Attempt;
use super::question::Question;
use crate::dialect::{Assembly, Finish};
use crate::error::ModelError;
use crate::exchange::{self, Exchange, MAX_RECORDED_BODY};
use crate::purse::Reservation;
use crate::sse::Events;
use crate::{Dialect, http};
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Pieces of an answer that may wait for a slow child; then the endpoint waits.
const PIECES: usize = 16;

type Piece = Result<Bytes, ModelError>;

/// What is set aside for a call.
pub(super) struct Paid {
    pub(super) own: Reservation,
    pub(super) shared: Reservation,
    pub(super) started: Instant,
}

impl Paid {
    /// Tokens that the answer may have.
    pub(super) fn granted(&self) -> u32 {
        self.shared.answer
    }
}

/// One call under way.
pub(super) struct Call {
    desk: Arc<Desk>,
    attempt: Arc<Attempt>,
    dialect: Dialect,
    number: u32,
    /// SHA-256 of the question as the child sent it.
    question: String,
    /// Tokens of the question, estimated.
    tokens: u64,
    temperature: Option<f64>,
    seed: Option<u64>,
    _turn: OwnedSemaphorePermit,
}

/// What has come of an answer.
#[derive(Default)]
struct Heard {
    assembly: Assembly,
    events: Events,
    /// The bytes as they came, for the record.
    raw: Vec<u8>,
    bytes: usize,
}

impl Call {
    pub(super) fn new(
        desk: Arc<Desk>,
        attempt: Arc<Attempt>,
        (dialect, number): (Dialect, u32),
        bytes: &[u8],
        question: &Question,
        turn: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            desk,
            attempt,
            dialect,
            number,
            question: exchange::digest(bytes),
            tokens: question.tokens,
            temperature: question.number("temperature").and_then(Value::as_f64),
            seed: question.number("seed").and_then(Value::as_u64),
            _turn: turn,
        }
    }

    /// The response to the child, whose body comes as the endpoint's does.
    pub(super) fn stream(self, from: reqwest::Response, paid: Paid) -> Response {
        let kind = from.headers().get(CONTENT_TYPE).cloned();
        let streams = kind.as_ref().is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let (pieces, received) = mpsc::channel::<Piece>(PIECES);
        tokio::spawn(self.pump(from, streams, paid, pieces));
        let body = futures_util::stream::unfold(received, async |mut received| {
            received.recv().await.map(|piece| (piece, received))
        });
        let mut response = Response::new(Body::from_stream(body));
        if let Some(kind) = kind {
            response.headers_mut().insert(CONTENT_TYPE, kind);
        }
        response
    }

    /// Passes everything on, then settles and records, then lets the last piece go.
    async fn pump(self, mut from: reqwest::Response, streams: bool, paid: Paid, pieces: mpsc::Sender<Piece>) {
        let mut heard = Heard::default();
        let passed = tokio::select! {
            passed = self.pass(&mut from, streams, &mut heard, &pieces) => passed,
            () = self.attempt.over() => Err(ModelError::Unreachable("the attempt is over".to_owned())),
            () = pieces.closed() => Err(ModelError::Unreachable("the child has gone".to_owned())),
        };
        // What broke off has been paid for too, so it is settled and recorded like the rest.
        let recorded = self.close(heard, paid, passed.is_ok()).await;
        let last = passed.and_then(|last| recorded.map(|()| last));
        match last {
            Ok(Some(last)) => drop(pieces.send(Ok(last)).await),
            Ok(None) => {}
            Err(error) => drop(pieces.send(Err(error)).await),
        }
    }

    /// Passes all pieces on but the last, which it answers.
    async fn pass(
        &self,
        from: &mut reqwest::Response,
        streams: bool,
        heard: &mut Heard,
        pieces: &mpsc::Sender<Piece>,
    ) -> Result<Option<Bytes>, ModelError> {
        let limits = &self.desk.options.limits;
        let all = tokio::time::Instant::now() + limits.total;
        let mut held = None;
        loop {
            let until = all.min(tokio::time::Instant::now() + limits.idle);
            let chunk = tokio::time::timeout_at(until, from.chunk()).await;
            let chunk = chunk.map_err(|_| ModelError::Stalled(limits.idle))?;
            let Some(chunk) = chunk.map_err(|error| http::unreachable(&error))? else { break };
            heard.take(&chunk, streams, self.dialect, limits.answer_bytes)?;
            if let Some(before) = held.replace(chunk)
                && pieces.send(Ok(before)).await.is_err()
            {
                return Err(ModelError::Unreachable("the child has gone".to_owned()));
            }
        }
        heard.finish(streams, self.dialect);
        Ok(held)
    }

    async fn close(self, heard: Heard, paid: Paid, whole: bool) -> Result<(), ModelError> {
        let Heard { mut assembly, raw, .. } = heard;
        if !assembly.usage.reported {
            assembly.usage.input = self.tokens;
            assembly.usage.output = crate::client::tokens(&assembly.text);
        }
        let (options, usage) = (&self.desk.options, assembly.usage);
        let cost_usd = options.price.map(|price| price.of(&usage));
        let tokens = usage.input.saturating_add(usage.output);
        paid.own.settle(tokens, None);
        paid.shared.settle(tokens, cost_usd);
        {
            let mut spent = self.attempt.spent();
            spent.input += usage.input;
            spent.cached += usage.cached;
            spent.output += usage.output;
            spent.reasoning += usage.reasoning;
            spent.cost_usd = spent.cost_usd.zip(cost_usd).map(|(before, now)| before + now);
        }
        let hide = |text: &str| options.key.as_ref().map_or_else(|| text.to_owned(), |key| key.hide_in(text));
        let exchange = Exchange {
            id: String::new(),
            tag: format!("{}, call {}", self.attempt.name, self.number),
            question: self.question,
            template: String::new(),
            dialect: self.dialect,
            model: options.model.clone(),
            answered_by: if assembly.model.is_empty() { options.model.clone() } else { assembly.model },
            temperature: self.temperature,
            seed: self.seed,
            left_out: Vec::new(),
            finish: assembly.finish.filter(|_| whole).unwrap_or(Finish::Other),
            usage,
            cost_usd,
            latency_ms: u64::try_from(paid.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            tries: 1,
            // An agent repeats all that was said in every question, which would make the record grow with its square.
            request: None,
            text: hide(&assembly.text),
            likelihoods: Vec::new(),
            raw: (raw.len() <= MAX_RECORDED_BODY).then(|| hide(&String::from_utf8_lossy(&raw))),
        };
        let exchanges = self.desk.exchanges.clone();
        match tokio::task::spawn_blocking(move || exchanges.record(exchange)).await {
            Ok(recorded) => recorded.map(|_| ()),
            Err(_) => Err(ModelError::Unreachable("the gateway is closing".to_owned())),
        }
    }
}

impl Heard {
    /// Takes a piece in. What cannot be understood is the child's to judge; here it is only not counted.
    fn take(
        &mut self,
        piece: &Bytes,
        streams: bool,
        dialect: Dialect,
        limit: usize,
    ) -> Result<(), ModelError> {
        self.bytes += piece.len();
        if self.bytes > limit {
            return Err(ModelError::TooLarge(limit));
        }
        if !streams || self.raw.len() <= MAX_RECORDED_BODY {
            self.raw.extend_from_slice(piece);
        }
        if streams {
            let assembly = &mut self.assembly;
            self.events.push(piece, &mut |data| {
                note(assembly, dialect, data);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn finish(&mut self, streams: bool, dialect: Dialect) {
        if streams {
            let assembly = &mut self.assembly;
            let _ = std::mem::take(&mut self.events).finish(&mut |data| {
                note(assembly, dialect, data);
                Ok(())
            });
        } else if let Ok(answer) = serde_json::from_slice::<Value>(&self.raw) {
            let _ = dialect.take_whole(&mut self.assembly, &answer);
        }
    }
}

fn note(assembly: &mut Assembly, dialect: Dialect, data: &str) {
    if let Ok(event) = serde_json::from_str::<Value>(data) {
        let _ = dialect.take(assembly, &event);
    }
}
