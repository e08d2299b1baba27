//! JSON-RPC 2.0: one POST, the dialect picked by the method's name, errors in the envelope.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::version::{Said, said};
use super::{Server, add_error_headers, add_extensions, last_event_id, sse, wanted_extensions, with_body};
use crate::dialect::{self, Dialect};
use crate::error::{A2aError, ErrorKind};
use crate::model::StreamItem;
use crate::operation::{METHODS, Reply, Request};
use crate::service::Context;

/// The `id` of an answer to a request whose own cannot be read.
const NULL: &str = "null";

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

/// How an answer is written: its request's id, its version, and the name that a client of 0.1 gave the task.
struct Writer {
    id: Box<str>,
    dialect: Dialect,
    alias: Option<String>,
}

impl Writer {
    fn envelope(&self, member: &str, content: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(content.len() + self.id.len() + 48);
        text.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
        text.extend_from_slice(self.id.as_bytes());
        text.extend_from_slice(b",\"");
        text.extend_from_slice(member.as_bytes());
        text.extend_from_slice(b"\":");
        text.extend_from_slice(content);
        text.push(b'}');
        text
    }

    fn result(&self, reply: &Reply) -> Result<Vec<u8>, serde_json::Error> {
        let content = match self.dialect {
            // The usual way goes without a tree in between. Deleting answers null in JSON-RPC's own manner.
            Dialect::V1 => serde_json::to_vec(reply)?,
            older => serde_json::to_vec(&older.reply(reply, self.alias.as_deref())?)?,
        };
        Ok(self.envelope("result", &content))
    }
}

impl sse::Words for Writer {
    fn item(&self, item: &StreamItem) -> Result<Vec<u8>, serde_json::Error> {
        let content = match self.dialect {
            Dialect::V1 => serde_json::to_vec(item)?,
            older => serde_json::to_vec(&older.item(item, self.alias.as_deref())?)?,
        };
        Ok(self.envelope("result", &content))
    }

    fn error(&self, error: &A2aError) -> Vec<u8> {
        let content = self.dialect.error(error).to_string();
        self.envelope("error", content.as_bytes())
    }
}

/// Answers one request.
pub(super) async fn answer(server: &Server, parts: &Parts, body: Body, peer: Option<IpAddr>) -> Response {
    let mut writer = Writer { id: NULL.into(), dialect: Dialect::V1, alias: None };
    let wanted = wanted_extensions(&parts.headers);
    match handle(server, parts, body, peer, &mut writer, &wanted).await {
        Ok(mut response) => {
            add_extensions(&mut response, server.service(), &wanted);
            response
        }
        Err(error) => {
            server.audit(None, peer, "", Some(error.kind));
            failure(server, &error, &writer)
        }
    }
}

/// Errors of the protocol travel with status 200; those of the transport keep their status, so that proxies and
/// clients that look no further see them too.
fn failure(server: &Server, error: &A2aError, writer: &Writer) -> Response {
    use sse::Words as _;
    let status = match error.kind {
        ErrorKind::Unauthenticated
        | ErrorKind::PermissionDenied
        | ErrorKind::RateLimited
        | ErrorKind::Overloaded
        | ErrorKind::TooLarge => StatusCode::from_u16(error.kind.http_status()).unwrap_or(StatusCode::OK),
        _ => StatusCode::OK,
    };
    let mut response = with_body(status, "application/json", writer.error(error));
    add_error_headers(&mut response, error, &server.shared.settings.access);
    response
}

async fn handle(
    server: &Server,
    parts: &Parts,
    body: Body,
    peer: Option<IpAddr>,
    writer: &mut Writer,
    wanted: &[String],
) -> Result<Response, A2aError> {
    let caller = server.admit(&parts.headers, peer)?;
    check_content_type(parts.headers.get(header::CONTENT_TYPE))?;
    let bytes = server.body(&parts.headers, body).await?;
    let envelope = read_envelope(&bytes)?;
    writer.id = Some(envelope.id.map_or(NULL, RawValue::get)).filter(|id| is_id(id)).unwrap_or(NULL).into();
    let method = envelope.method.as_deref().unwrap_or_default();
    let version = said(&parts.headers, parts.uri.query());
    if server.shared.settings.older_versions
        && (dialect::METHODS.contains(&method) || matches!(version, Ok(Said::Nothing | Said::Older)))
        && !METHODS.contains(&method)
    {
        writer.dialect = if dialect::is_first(method) { Dialect::V01 } else { Dialect::V03 };
    }
    check_envelope(&envelope)?;
    let params = envelope.params.map_or("{}", RawValue::get);
    let mut context = Context { caller, extensions: wanted.to_vec(), dialect: writer.dialect, alias: None };
    let request = match (writer.dialect, version?) {
        (Dialect::V1, Said::Nothing | Said::V1) => {
            let params = if params == NULL { "{}" } else { params };
            if params.starts_with('[') {
                return Err(A2aError::invalid("params", "must be an object"));
            }
            Request::read(method, params)?
        }
        (Dialect::V1, Said::Older) => {
            let text = format!("{method:?} is of version 1.0; say so in A2A-Version");
            return Err(A2aError::new(ErrorKind::VersionNotSupported, text));
        }
        (_, Said::V1) => {
            let text = format!("{method:?} is no method of version 1.0");
            return Err(A2aError::new(ErrorKind::MethodNotFound, text));
        }
        _ => older_request(server, method, params, &mut context, writer)?,
    };
    let operation = request.name();
    server.audit(Some(&context.caller), peer, operation, None);
    let streams = matches!(request, Request::Stream(_) | Request::Subscribe(_));
    match request.perform(server.service(), &context, last_event_id(&parts.headers)).await {
        Ok(Reply::Stream(events)) => {
            let words =
                Writer { id: writer.id.clone(), dialect: writer.dialect, alias: writer.alias.clone() };
            Ok(sse::answer(events, Arc::new(words)))
        }
        Ok(reply) => {
            let text = writer.result(&reply).map_err(|error| A2aError::internal(error.to_string()))?;
            Ok(with_body(StatusCode::OK, "application/json", text))
        }
        // Clients before 1.0 expect a stream whatever happens.
        Err(error) if streams && writer.dialect != Dialect::V1 => Ok(sse::failed(&error, writer)),
        Err(error) => Err(error),
    }
}

/// Reads a request of an older version. A task that a client of 0.1 named is found by that name; one that is not there
/// yet, or has ended, begins anew under it.
fn older_request(
    server: &Server,
    method: &str,
    params: &str,
    context: &mut Context,
    writer: &mut Writer,
) -> Result<Request, A2aError> {
    let params: Value =
        serde_json::from_str(params).map_err(|error| A2aError::invalid("params", error.to_string()))?;
    let (mut request, dialect) = dialect::read(method, &params)?;
    let tasks = server.service().tasks();
    let alias = |id: &str| tasks.alias_of(&context.caller, id);
    let named = match &mut request {
        Request::Send(request) | Request::Stream(request) if dialect == Dialect::V01 => {
            let id = request.message.as_mut().map(|message| &mut message.task_id);
            id.map(|id| {
                let named = id.clone();
                if !tasks.is_under_way(&context.caller, id) {
                    id.clear();
                }
                named
            })
        }
        Request::Get(request) => alias(&request.id),
        Request::Cancel(request) | Request::Subscribe(request) => alias(&request.id),
        Request::CreatePush(config) => alias(&config.task_id),
        Request::GetPush(request) => alias(&request.task_id),
        _ => None,
    };
    if named.is_some() {
        writer.dialect = Dialect::V01;
    }
    writer.alias.clone_from(&named);
    (context.dialect, context.alias) = (writer.dialect, named);
    Ok(request)
}

fn check_content_type(value: Option<&HeaderValue>) -> Result<(), A2aError> {
    let Some(value) = value else { return Ok(()) };
    let text = value.to_str().unwrap_or_default();
    let bare = text.split(';').next().unwrap_or_default().trim();
    let json = bare.eq_ignore_ascii_case("application/json")
        || bare.eq_ignore_ascii_case("application/a2a+json")
        || bare.eq_ignore_ascii_case("application/json-rpc");
    if json {
        return Ok(());
    }
    Err(A2aError::new(ErrorKind::ContentTypeNotSupported, "send application/json"))
}

fn read_envelope(bytes: &[u8]) -> Result<Envelope<'_>, A2aError> {
    serde_json::from_slice(bytes).map_err(|error| {
        // What is JSON and still not a request is told apart from what is no JSON at all.
        if serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() {
            A2aError::new(
                ErrorKind::InvalidRequest,
                "a request is one object of JSON-RPC 2.0; batches are not taken",
            )
        } else {
            A2aError::new(ErrorKind::Parse, format!("this is not JSON: {error}"))
        }
    })
}

/// Whether JSON text is a string, a number or null. What is none of these is not given back in an answer.
fn is_id(text: &str) -> bool {
    !text.starts_with(['{', '[', 't', 'f'])
}

fn check_envelope(envelope: &Envelope<'_>) -> Result<(), A2aError> {
    let invalid = |text| Err(A2aError::new(ErrorKind::InvalidRequest, text));
    if envelope.jsonrpc.as_deref() != Some("2.0") {
        return invalid("`jsonrpc` must be \"2.0\"");
    }
    if envelope.method.as_deref().is_none_or(str::is_empty) {
        return invalid("`method` is required");
    }
    if !is_id(envelope.id.map_or(NULL, RawValue::get)) {
        return invalid("`id` must be a string or a number");
    }
    let params = envelope.params.map_or("{}", RawValue::get);
    if !params.starts_with(['{', '[']) && params != NULL {
        return Err(A2aError::invalid("params", "must be an object"));
    }
    Ok(())
}
