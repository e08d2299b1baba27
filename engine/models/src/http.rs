//! One HTTP call: sent, and its answer read event by event, with a limit on every wait.

use crate::client::{ClientOptions, Limits};
use crate::dialect::{Assembly, Dialect, Finish};
use crate::error::ModelError;
use crate::redact::Secret;
use crate::sse::Events;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Version of the messages dialect, which its endpoints want to be told.
const MESSAGES_VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");
/// Bytes read of a refusal.
const MAX_REFUSAL: usize = 64 << 10;
/// Characters kept of a refusal's words.
const MAX_WORDS: usize = 400;
/// Longest wait that an endpoint may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// A client for HTTP: redirects are not followed and proxies of the environment not used, since a key goes along.
pub(crate) fn client(limits: &Limits) -> Result<Client, ModelError> {
    let setup = |error: &dyn std::fmt::Display| ModelError::Setup(format!("TLS cannot be set up: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| setup(&error))?;
    // A machine without root certificates can still ask a model of its own over plain HTTP.
    let tls = match rustls_platform_verifier::Verifier::new(provider) {
        Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        Err(_) => builder.with_root_certificates(rustls::RootCertStore::empty()),
    };
    Client::builder()
        .tls_backend_preconfigured(tls.with_no_client_auth())
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(limits.connect)
        .build()
        .map_err(|error| setup(&error))
}

/// Checks the base address of an endpoint.
pub(crate) fn check(endpoint: &str) -> Result<(), ModelError> {
    let address = reqwest::Url::parse(endpoint)
        .map_err(|error| ModelError::Setup(format!("{endpoint:?} is no address of an endpoint: {error}")))?;
    if matches!(address.scheme(), "http" | "https") {
        Ok(())
    } else {
        Err(ModelError::Setup(format!("{endpoint:?} is no address of HTTP")))
    }
}

/// An error without the key, should an endpoint repeat it.
pub(crate) fn hidden(error: ModelError, key: Option<&Secret>) -> ModelError {
    match (error, key) {
        (ModelError::Refused { status, message, parameter, retry_after }, Some(key)) => {
            let parameter = parameter.map(|parameter| key.hide_in(&parameter));
            ModelError::Refused { status, message: key.hide_in(&message), parameter, retry_after }
        }
        (ModelError::Garbled(message), Some(key)) => ModelError::Garbled(key.hide_in(&message)),
        (error, _) => error,
    }
}

/// The headers of a call.
pub(crate) fn headers(dialect: Dialect, key: Option<&Secret>) -> Result<HeaderMap, ModelError> {
    let value = |text: &str| {
        let mut value = HeaderValue::from_str(text)
            .map_err(|_| ModelError::Setup("the key has letters that a header cannot hold".to_owned()))?;
        value.set_sensitive(true);
        Ok::<_, ModelError>(value)
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    match (dialect, key) {
        (Dialect::Messages, key) => {
            headers.insert(MESSAGES_VERSION.0, HeaderValue::from_static(MESSAGES_VERSION.1));
            if let Some(key) = key {
                headers.insert("x-api-key", value(key.reveal())?);
            }
        }
        (_, Some(key)) => {
            headers.insert(AUTHORIZATION, value(&format!("Bearer {}", key.reveal()))?);
        }
        (_, None) => {}
    }
    Ok(headers)
}

/// Whether the endpoint answers at all. Costs nothing; a path that is not there is an answer too.
pub(crate) async fn probe(
    http: &Client,
    options: &ClientOptions,
    headers: HeaderMap,
) -> Result<(), ModelError> {
    let url = format!("{}/models", options.endpoint.trim_end_matches('/'));
    let limit = options.limits.connect;
    let response = tokio::time::timeout(limit, http.get(url).headers(headers).send()).await;
    let response = response.map_err(|_| ModelError::Stalled(limit))?.map_err(|error| unreachable(&error))?;
    match response.status().as_u16() {
        401 | 403 => Err(refusal(response, &options.limits).await),
        _ => Ok(()),
    }
}

/// Sends a question. The answer's body is yet to be read.
pub(crate) async fn post(
    http: &Client,
    url: &str,
    headers: HeaderMap,
    body: String,
    limits: &Limits,
) -> Result<Response, ModelError> {
    let sent = http.post(url).headers(headers).body(body).send();
    let response = tokio::time::timeout(limits.first_byte, sent).await;
    let response =
        response.map_err(|_| ModelError::Stalled(limits.first_byte))?.map_err(|error| unreachable(&error))?;
    if response.status().is_success() { Ok(response) } else { Err(refusal(response, limits).await) }
}

/// Sends a question and reads the answer, which is not streamed.
pub(crate) async fn ask_whole(
    http: &Client,
    url: &str,
    headers: HeaderMap,
    body: String,
    limits: &Limits,
) -> Result<Vec<u8>, ModelError> {
    let response = post(http, url, headers, body, limits).await?;
    read(response, limits.answer_bytes, limits.idle).await
}

/// Sends a question and assembles the answer.
pub(crate) async fn ask(
    http: &Client,
    url: &str,
    (dialect, headers): (Dialect, HeaderMap),
    body: String,
    limits: &Limits,
) -> Result<Assembly, ModelError> {
    let response = post(http, url, headers, body, limits).await?;
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") {
        return whole(response, dialect, limits).await;
    }
    streamed(response, dialect, limits).await
}

/// An answer of a server that does not stream.
async fn whole(response: Response, dialect: Dialect, limits: &Limits) -> Result<Assembly, ModelError> {
    let bytes = read(response, limits.answer_bytes, limits.idle).await?;
    let event: Value =
        serde_json::from_slice(&bytes).map_err(|error| ModelError::Garbled(error.to_string()))?;
    let mut assembly = Assembly::default();
    dialect.take_whole(&mut assembly, &event)?;
    complete(assembly, false)
}

async fn streamed(mut response: Response, dialect: Dialect, limits: &Limits) -> Result<Assembly, ModelError> {
    let (mut assembly, mut events, mut read, mut done) = (Assembly::default(), Events::default(), 0, false);
    let mut take = |data: &str, assembly: &mut Assembly| {
        if data.trim() == "[DONE]" {
            done = true;
            return Ok(());
        }
        let event: Value =
            serde_json::from_str(data).map_err(|error| ModelError::Garbled(error.to_string()))?;
        dialect.take(assembly, &event)
    };
    loop {
        let chunk = tokio::time::timeout(limits.idle, response.chunk()).await;
        let chunk =
            chunk.map_err(|_| ModelError::Stalled(limits.idle))?.map_err(|error| unreachable(&error))?;
        let Some(bytes) = chunk else { break };
        read += bytes.len();
        if read > limits.answer_bytes {
            return Err(ModelError::TooLarge(limits.answer_bytes));
        }
        events.push(&bytes, &mut |data| take(data, &mut assembly))?;
    }
    events.finish(&mut |data| take(data, &mut assembly))?;
    complete(assembly, done)
}

/// An answer that says how it ended, or that the stream is done.
fn complete(mut assembly: Assembly, done: bool) -> Result<Assembly, ModelError> {
    if assembly.finish.is_none() && !done {
        return Err(ModelError::Garbled("it broke off".to_owned()));
    }
    assembly.finish.get_or_insert(Finish::Stop);
    Ok(assembly)
}

async fn read(mut response: Response, limit: usize, idle: Duration) -> Result<Vec<u8>, ModelError> {
    let mut bytes = Vec::new();
    loop {
        let chunk = tokio::time::timeout(idle, response.chunk()).await;
        let chunk = chunk.map_err(|_| ModelError::Stalled(idle))?.map_err(|error| unreachable(&error))?;
        let Some(chunk) = chunk else { return Ok(bytes) };
        bytes.extend_from_slice(&chunk);
        if bytes.len() > limit {
            return Err(ModelError::TooLarge(limit));
        }
    }
}

async fn refusal(response: Response, limits: &Limits) -> ModelError {
    let status = response.status().as_u16();
    let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let retry_after = asked.map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
    let bytes = read(response, MAX_REFUSAL, limits.idle).await.unwrap_or_default();
    let mut parameter = None;
    let message = match serde_json::from_slice::<Value>(&bytes) {
        Ok(value) => {
            let text = |path: &str| value.pointer(path).and_then(Value::as_str).map(str::to_owned);
            parameter = text("/error/param").map(|name| name.chars().take(MAX_WORDS).collect());
            text("/error/message").unwrap_or_else(|| value.to_string())
        }
        Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
    };
    let message = message.chars().take(MAX_WORDS).collect();
    ModelError::Refused { status, message, parameter, retry_after }
}

/// The last cause says what happened; the address stands in the configuration.
pub(crate) fn unreachable(error: &reqwest::Error) -> ModelError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    ModelError::Unreachable(cause.to_string())
}
