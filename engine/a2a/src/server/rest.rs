//! HTTP+JSON: operations as paths under `/a2a/v1`, errors as `google.rpc.Status`. The same paths answer the words of
//! 0.3, whose clients add `/v1` to `/a2a` themselves; the version header tells the two apart.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::version::{Said, said};
use super::{Server, add_error_headers, add_extensions, last_event_id, sse, wanted_extensions, with_body};
use crate::dialect::{self, Dialect};
use crate::error::{A2aError, ErrorKind};
use crate::model::{
    GetTaskRequest, ListTasksRequest, PushConfig, PushConfigRequest, StreamItem, TaskIdRequest,
};
use crate::operation::{Reply, Request};
use crate::service::Context;
use crate::validation;

const A2A_JSON: &str = "application/a2a+json";
const JSON: &str = "application/json";

struct Writer {
    dialect: Dialect,
}

impl sse::Words for Writer {
    fn item(&self, item: &StreamItem) -> Result<Vec<u8>, serde_json::Error> {
        match self.dialect {
            Dialect::V1 => serde_json::to_vec(item),
            older => serde_json::to_vec(&older.item(item, None)?),
        }
    }

    fn error(&self, error: &A2aError) -> Vec<u8> {
        status(error, self.dialect).to_string().into_bytes()
    }
}

/// An error as `google.rpc.Status` in JSON. Clients of 0.3 look for its code, its name and its message at the top.
fn status(error: &A2aError, dialect: Dialect) -> Value {
    let mut status = json!({ "error": {
        "code": error.kind.http_status(),
        "status": error.kind.status_name(),
        "message": error.message,
        "details": error.details(),
    }});
    if dialect != Dialect::V1 {
        status["code"] = dialect.error(error)["code"].take();
        status["type"] = json!(dialect::error_name(error.kind));
        status["message"] = json!(error.message);
    }
    status
}

/// Answers one request.
pub(super) async fn answer(server: &Server, parts: &Parts, body: Body, peer: Option<IpAddr>) -> Response {
    let wanted = wanted_extensions(&parts.headers);
    let content_type = answer_type(parts).unwrap_or(JSON);
    let mut dialect = Dialect::V1;
    match handle(server, parts, body, peer, &wanted, &mut dialect).await {
        Ok(mut response) => {
            add_extensions(&mut response, server.service(), &wanted);
            response
        }
        Err(error) => {
            server.audit(None, peer, "", Some(error.kind));
            let code =
                StatusCode::from_u16(error.kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = with_body(code, content_type, status(&error, dialect).to_string());
            add_error_headers(&mut response, &error, &server.shared.settings.access);
            response
        }
    }
}

/// The content type that the request asks for, for clients that insist on either: its own, else the one it accepts.
/// Without one an answer is of the protocol's type, and an error, whose form is that of `google.rpc`, is plain JSON.
fn answer_type(parts: &Parts) -> Option<&'static str> {
    let named = |name| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        let bare = value.split([';', ',']).next().unwrap_or_default().trim();
        [JSON, A2A_JSON].into_iter().find(|known| bare.eq_ignore_ascii_case(known))
    };
    named(header::CONTENT_TYPE).or_else(|| named(header::ACCEPT))
}

async fn handle(
    server: &Server,
    parts: &Parts,
    body: Body,
    peer: Option<IpAddr>,
    wanted: &[String],
    picked: &mut Dialect,
) -> Result<Response, A2aError> {
    let caller = server.admit(&parts.headers, peer)?;
    let version = said(&parts.headers, parts.uri.query())?;
    let has_body = !matches!(parts.method, Method::GET | Method::DELETE | Method::HEAD);
    let bytes = if has_body { server.body(&parts.headers, body).await? } else { Bytes::new() };
    if has_body && !bytes.is_empty() {
        check_content_type(parts)?;
    }
    let dialect = pick(server, version, &bytes);
    *picked = dialect;
    let request = read(parts, &bytes, dialect)?;
    let context = Context { caller, extensions: wanted.to_vec(), dialect, alias: None };
    server.audit(Some(&context.caller), peer, request.name(), None);
    let writer = Writer { dialect };
    match request.perform(server.service(), &context, last_event_id(&parts.headers)).await? {
        Reply::Stream(events) => Ok(sse::answer(events, Arc::new(writer))),
        reply => {
            let text = match dialect {
                // Nothing is the empty object, as ProtoJSON writes `google.protobuf.Empty`; clients read a body.
                _ if matches!(reply, Reply::Nothing) => Ok(b"{}".to_vec()),
                Dialect::V1 => serde_json::to_vec(&reply),
                older => older.reply(&reply, None).and_then(|value| serde_json::to_vec(&value)),
            };
            let text = text.map_err(|error| A2aError::internal(error.to_string()))?;
            let content_type =
                if dialect == Dialect::V1 { answer_type(parts).unwrap_or(A2A_JSON) } else { JSON };
            Ok(with_body(StatusCode::OK, content_type, text))
        }
    }
}

/// The version that a request speaks. Without a header it is 0.3, but a message whose parts lie under `parts` can
/// only be one of 1.0, and reading it is kinder than to refuse it.
fn pick(server: &Server, version: Said, bytes: &[u8]) -> Dialect {
    #[derive(serde::Deserialize)]
    struct Probe {
        #[serde(alias = "request")]
        message: Option<ProbeMessage>,
    }
    #[derive(serde::Deserialize)]
    struct ProbeMessage {
        parts: Option<serde::de::IgnoredAny>,
    }
    if version == Said::V1 || !server.shared.settings.older_versions {
        return Dialect::V1;
    }
    let probe: Option<Probe> = if bytes.is_empty() { None } else { serde_json::from_slice(bytes).ok() };
    match (version, probe.and_then(|probe| probe.message).and_then(|message| message.parts)) {
        (Said::Nothing, Some(_)) => Dialect::V1,
        _ => Dialect::V03Proto,
    }
}

fn check_content_type(parts: &Parts) -> Result<(), A2aError> {
    let Some(value) = parts.headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let bare = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if bare.eq_ignore_ascii_case(A2A_JSON) || bare.eq_ignore_ascii_case(JSON) {
        return Ok(());
    }
    let text = format!("send {A2A_JSON} or {JSON}");
    Err(A2aError::new(ErrorKind::ContentTypeNotSupported, text))
}

/// Reads the operation from method and path.
fn read(parts: &Parts, bytes: &Bytes, dialect: Dialect) -> Result<Request, A2aError> {
    let path = parts.uri.path();
    let unknown = || {
        let text = format!("there is no operation {} {path}", parts.method);
        A2aError::new(ErrorKind::MethodNotFound, text)
    };
    let rest = match path {
        // Where clients of 0.2, and the kit of 0.3, look for the extended card.
        "/agent/authenticatedExtendedCard" | "/a2a/card" => "/card",
        _ => path.strip_prefix("/a2a/v1").ok_or_else(unknown)?,
    };
    let mut segments: Vec<String> = rest.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
    // A tenant may stand before the operation; this server has one, so its name does not matter.
    let known = |segment: &str| {
        let starts = ["message:send", "message:stream", "tasks", "extendedAgentCard", "card"];
        starts.contains(&segment)
    };
    if segments.len() > 1 && !segments.first().is_some_and(|first| known(first)) {
        segments.remove(0);
    }
    let query = Query(parts.uri.query().unwrap_or_default());
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let get = parts.method == Method::GET;
    let post = parts.method == Method::POST;
    Ok(match segments.as_slice() {
        ["message:send"] if post => Request::Send(sent(bytes, dialect)?),
        ["message:stream"] if post => Request::Stream(sent(bytes, dialect)?),
        ["tasks"] if get => Request::List(query.list()?),
        ["extendedAgentCard" | "card"] if get => Request::ExtendedCard,
        ["tasks", id] if post || get => match id.rsplit_once(':') {
            Some((id, "cancel")) if post => Request::Cancel(named(id)),
            // The prose says POST and the protobuf GET.
            Some((id, "subscribe")) => Request::Subscribe(named(id)),
            _ if get => Request::Get(GetTaskRequest {
                id: (*id).to_owned(),
                history_length: query.history(dialect)?,
                ..GetTaskRequest::default()
            }),
            _ => return Err(unknown()),
        },
        ["tasks", task, "pushNotificationConfigs"] if post => {
            let mut config: PushConfig = match dialect {
                Dialect::V1 => validation::read(text(bytes)?)?,
                _ => dialect::read_proto_push(&value(bytes)?)?,
            };
            if !config.task_id.is_empty() && config.task_id != *task {
                return Err(A2aError::invalid("taskId", "is not the task of the path"));
            }
            config.task_id = (*task).to_owned();
            Request::CreatePush(config)
        }
        ["tasks", task, "pushNotificationConfigs"] if get => Request::ListPush(push(task, "")),
        ["tasks", task, "pushNotificationConfigs", id] if get => Request::GetPush(push(task, id)),
        ["tasks", task, "pushNotificationConfigs", id] if parts.method == Method::DELETE => {
            Request::DeletePush(push(task, id))
        }
        _ => return Err(unknown()),
    })
}

fn sent(bytes: &Bytes, dialect: Dialect) -> Result<crate::model::SendMessageRequest, A2aError> {
    match dialect {
        Dialect::V1 => validation::read(text(bytes)?),
        _ => dialect::read_proto_send(&value(bytes)?),
    }
}

fn named(id: &str) -> TaskIdRequest {
    TaskIdRequest { id: id.to_owned(), ..TaskIdRequest::default() }
}

fn push(task: &str, id: &str) -> PushConfigRequest {
    PushConfigRequest { task_id: task.to_owned(), id: id.to_owned(), ..PushConfigRequest::default() }
}

/// The body as text, checked to be JSON so that what is not gets the right error.
fn text(bytes: &Bytes) -> Result<&str, A2aError> {
    let parse = |error: String| A2aError::new(ErrorKind::Parse, format!("the body is not JSON: {error}"));
    let text = std::str::from_utf8(bytes).map_err(|error| parse(error.to_string()))?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| parse(error.to_string()))?;
    Ok(text)
}

fn value(bytes: &Bytes) -> Result<Value, A2aError> {
    serde_json::from_slice(bytes)
        .map_err(|error| A2aError::new(ErrorKind::Parse, format!("the body is not JSON: {error}")))
}

/// Undoes percent-encoding; what is not UTF-8 then becomes what no id is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        if let (b'%', [high, low, after @ ..]) = (first, tail)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            bytes.push(high * 16 + low);
            rest = after;
            continue;
        }
        bytes.push(*first);
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The parameters of a query.
struct Query<'a>(&'a str);

impl Query<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        // As in bodies, a name may be written as protobuf has it.
        let snake = dialect::snake_case(name);
        let mut found = pairs.filter(|(key, _)| *key == name || *key == snake);
        found.next().map(|(_, value)| decoded(&value.replace('+', " ")))
    }

    fn number(&self, name: &str) -> Result<Option<i32>, A2aError> {
        let number = |text: String| {
            text.parse().map_err(|_| A2aError::invalid(name.to_owned(), "must be a whole number"))
        };
        self.get(name).filter(|text| !text.is_empty()).map(number).transpose()
    }

    fn history(&self, dialect: Dialect) -> Result<Option<i32>, A2aError> {
        let length = self.number("historyLength")?;
        Ok(if dialect == Dialect::V1 { length } else { length.filter(|length| *length != 0) })
    }

    fn list(&self) -> Result<ListTasksRequest, A2aError> {
        let status = match self.get("status") {
            None => crate::model::TaskState::Unspecified,
            Some(name) => crate::model::TaskState::from_name(&name)
                .ok_or_else(|| A2aError::invalid("status", "is not a state of a task"))?,
        };
        Ok(ListTasksRequest {
            context_id: self.get("contextId").unwrap_or_default(),
            status,
            page_size: self.number("pageSize")?,
            page_token: self.get("pageToken").unwrap_or_default(),
            history_length: self.number("historyLength")?,
            status_timestamp_after: self.get("statusTimestampAfter").unwrap_or_default(),
            include_artifacts: self.get("includeArtifacts").is_some_and(|flag| flag == "true"),
            ..ListTasksRequest::default()
        })
    }
}
