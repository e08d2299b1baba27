//! gRPC: the service `lf.a2a.v1.A2AService` at the paths that gRPC gives it, on the same port as everything else. Who asks
//! and how often is settled before a message is read, and the core is asked in the words of the model; this file knows
//! frames and metadata.
//! Not here: the messages themselves and errors in them (`protobuf`).

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request as HttpRequest, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use futures_util::{Stream, stream};
use prost::Message;
use tonic::Status;
use tonic::codec::{EncodeBody, EncodeBuf, Encoder};

use super::version::{Said, said};
use super::{
    GRPC_PATH, Server, add_error_headers, add_extensions, peer, plain, wanted_extensions, with_body,
};
use crate::error::{A2aError, ErrorKind};
use crate::operation::{Reply, Request};
use crate::protobuf::{self as wire, IntoModel};
use crate::service::{Context, EventStream};

/// The content type of calls and answers; a call may add how its messages are written, which is protobuf.
const GRPC: &str = "application/grpc";
/// What stands before a message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

impl Server {
    /// The routes of gRPC, to be merged with the others: calls are told apart by their paths. There are none without the
    /// feature `grpc`. Whoever serves them has to speak HTTP/2, which [`axum::serve`] does with the feature, and over TLS
    /// the listener has to offer it ([`super::tls::TlsIdentity::with_http2`]). Its connections are to be prepared
    /// ([`super::sockets::prepared`]).
    pub fn grpc_router(&self) -> Router {
        let path = format!("{GRPC_PATH}/{{method}}");
        Router::new().route(&path, post(call)).with_state(self.clone())
    }
}

async fn call(State(server): State<Server>, Path(method): Path<String>, request: HttpRequest) -> Response {
    let peer = peer(&request);
    let (parts, body) = request.into_parts();
    answer(&server, &method, &parts, body, peer).await
}

/// Answers one call.
pub(super) async fn answer(
    server: &Server,
    method: &str,
    parts: &Parts,
    body: Body,
    peer: Option<IpAddr>,
) -> Response {
    if !is_grpc(&parts.headers) {
        return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "gRPC is spoken here\n");
    }
    let wanted = wanted_extensions(&parts.headers);
    match handle(server, method, parts, body, peer, &wanted).await {
        Ok(mut response) => {
            add_extensions(&mut response, server.service(), &wanted);
            response
        }
        Err(error) => {
            server.audit(None, peer, "", Some(error.kind));
            let mut response = wire::status(&error).into_http();
            add_error_headers(&mut response, &error, &server.shared.settings.access);
            response
        }
    }
}

async fn handle(
    server: &Server,
    method: &str,
    parts: &Parts,
    body: Body,
    peer: Option<IpAddr>,
    wanted: &[String],
) -> Result<Response, A2aError> {
    let caller = server.admit(&parts.headers, peer)?;
    // The service's name says 1.0 already; who says another version beside it is refused.
    if said(&parts.headers, None)? == Said::Older {
        let text = format!("{} is of version 1.0; say so in a2a-version", wire::SERVICE);
        return Err(A2aError::new(ErrorKind::VersionNotSupported, text));
    }
    let bytes = server.body(&parts.headers, body).await?;
    let request = read(method, unframed(&bytes)?)?;
    let context = Context { extensions: wanted.to_vec(), ..Context::of(caller) };
    server.audit(Some(&context.caller), peer, request.name(), None);
    match request.perform(server.service(), &context, None).await? {
        Reply::Stream(events) => Ok(framed(items(events))),
        Reply::Sent(response) => Ok(single(wire::SendMessageResponse::from(response))),
        Reply::Task(task) => Ok(single(wire::Task::from(task))),
        Reply::Tasks(page) => Ok(single(wire::ListTasksResponse::from(page))),
        Reply::Push(config) => Ok(single(wire::TaskPushNotificationConfig::from(config))),
        Reply::Pushes(page) => Ok(single(wire::ListTaskPushNotificationConfigsResponse::from(page))),
        // The empty message of protobuf.
        Reply::Nothing => Ok(single(())),
        Reply::Card(card) => wire::AgentCard::try_from(*card)
            .map(single)
            .map_err(|error| A2aError::internal(format!("the card cannot be said in protobuf: {error}"))),
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    matches!(value.split(';').next().unwrap_or_default().trim(), GRPC | "application/grpc+proto")
}

/// The one message that a call carries.
fn unframed(bytes: &[u8]) -> Result<&[u8], A2aError> {
    let invalid = |text: &str| A2aError::new(ErrorKind::InvalidRequest, text);
    let (prefix, message) = bytes
        .split_first_chunk::<PREFIX_BYTES>()
        .ok_or_else(|| invalid("a call carries one message, and none came"))?;
    let [flag, length @ ..] = prefix;
    if *flag != 0 {
        return Err(invalid("compressed messages are not taken"));
    }
    if usize::try_from(u32::from_be_bytes(*length)) != Ok(message.len()) {
        return Err(invalid("a call carries one message, of the length that stands before it"));
    }
    Ok(message)
}

fn decoded<M: Message + Default + IntoModel>(bytes: &[u8]) -> Result<M::Object, A2aError> {
    let message = M::decode(bytes).map_err(|error| {
        A2aError::new(ErrorKind::Parse, format!("the message is not what the method takes: {error}"))
    })?;
    message.into_model("")
}

/// Reads a call by its method's name.
fn read(method: &str, bytes: &[u8]) -> Result<Request, A2aError> {
    Ok(match method {
        "SendMessage" => Request::Send(decoded::<wire::SendMessageRequest>(bytes)?),
        "SendStreamingMessage" => Request::Stream(decoded::<wire::SendMessageRequest>(bytes)?),
        "GetTask" => Request::Get(decoded::<wire::GetTaskRequest>(bytes)?),
        "ListTasks" => Request::List(decoded::<wire::ListTasksRequest>(bytes)?),
        "CancelTask" => Request::Cancel(decoded::<wire::CancelTaskRequest>(bytes)?),
        "SubscribeToTask" => Request::Subscribe(decoded::<wire::SubscribeToTaskRequest>(bytes)?),
        "CreateTaskPushNotificationConfig" => {
            Request::CreatePush(decoded::<wire::TaskPushNotificationConfig>(bytes)?)
        }
        "GetTaskPushNotificationConfig" => {
            Request::GetPush(decoded::<wire::GetTaskPushNotificationConfigRequest>(bytes)?)
        }
        "ListTaskPushNotificationConfigs" => {
            Request::ListPush(decoded::<wire::ListTaskPushNotificationConfigsRequest>(bytes)?)
        }
        "DeleteTaskPushNotificationConfig" => {
            Request::DeletePush(decoded::<wire::DeleteTaskPushNotificationConfigRequest>(bytes)?)
        }
        // The message names a tenant and nothing else, and this server has one.
        "GetExtendedAgentCard" => Request::ExtendedCard,
        _ => {
            let text = format!("{} has no method {method:?}", wire::SERVICE);
            return Err(A2aError::new(ErrorKind::MethodNotFound, text));
        }
    })
}

/// The items of a stream as messages; an error ends it.
fn items(events: EventStream) -> impl Stream<Item = Result<wire::StreamResponse, Status>> + Send + 'static {
    stream::unfold(Some(events), |events| async move {
        let mut events = events?;
        match events.next().await {
            Ok(Some(event)) => Some((Ok(Arc::unwrap_or_clone(event.item).into()), Some(events))),
            Ok(None) => None,
            Err(error) => Some((Err(wire::status(&error)), None)),
        }
    })
}

fn single<M: Message + 'static>(message: M) -> Response {
    framed(stream::once(std::future::ready(Ok(message))))
}

/// The answer that carries the messages, and the status after them.
fn framed<M: Message + 'static>(
    messages: impl Stream<Item = Result<M, Status>> + Send + 'static,
) -> Response {
    let encoder = Written(std::marker::PhantomData);
    let body = EncodeBody::new_server(encoder, messages, None, Default::default(), None);
    with_body(StatusCode::OK, GRPC, Body::new(body))
}

/// Writes messages into frames.
struct Written<M>(std::marker::PhantomData<fn(M)>);

impl<M: Message> Encoder for Written<M> {
    type Item = M;
    type Error = Status;

    fn encode(&mut self, message: M, frame: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(frame).map_err(|error| Status::internal(error.to_string()))
    }
}
