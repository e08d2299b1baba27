//! Server-sent events: an event stream as the body of an answer. Each event carries its number as `id`, so that a
//! client that lost its connection can say where it was. Whoever goes away only ends its own stream.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream;

use crate::error::A2aError;
use crate::model::StreamItem;
use crate::service::EventStream;

/// How long a stream is silent before it says that it still stands; proxies cut at 60 s.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How an event or an error is written as `data`.
pub(crate) trait Words: Send + Sync + 'static {
    fn item(&self, item: &StreamItem) -> Result<Vec<u8>, serde_json::Error>;
    fn error(&self, error: &A2aError) -> Vec<u8>;
}

/// The answer that carries the stream.
pub(crate) fn answer(events: EventStream, words: Arc<dyn Words>) -> Response {
    let chunks = stream::unfold(Some((events, words)), |state| async move {
        let (mut events, words) = state?;
        let next = tokio::time::timeout(KEEP_ALIVE, events.next()).await;
        let (chunk, goes_on) = match next {
            Err(_) => (Bytes::from_static(b": \n\n"), true),
            Ok(Ok(Some(event))) => match words.item(&event.item) {
                Ok(data) => (frame(Some(event.seq), &data), true),
                Err(error) => (frame(None, &words.error(&A2aError::internal(error.to_string()))), false),
            },
            Ok(Ok(None)) => return None,
            Ok(Err(error)) => (frame(None, &words.error(&error)), false),
        };
        Some((Ok::<_, Infallible>(chunk), goes_on.then_some((events, words))))
    });
    streaming(Body::from_stream(chunks))
}

/// A stream that consists of an error; versions before 1.0 want their errors so.
pub(crate) fn failed(error: &A2aError, words: &dyn Words) -> Response {
    streaming(Body::from(frame(None, &words.error(error))))
}

fn streaming(body: Body) -> Response {
    let mut response = super::with_body(StatusCode::OK, "text/event-stream", body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// One event. JSON text holds no line breaks, so `data` is one line.
fn frame(seq: Option<u64>, data: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(data.len() + 32);
    if let Some(seq) = seq {
        frame.extend_from_slice(b"id: ");
        frame.extend_from_slice(seq.to_string().as_bytes());
        frame.push(b'\n');
    }
    frame.extend_from_slice(b"data: ");
    frame.extend_from_slice(data);
    frame.extend_from_slice(b"\n\n");
    Bytes::from(frame)
}
