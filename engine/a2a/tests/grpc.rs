//! The gRPC binding over real sockets, asked by tonic's own client: every operation, errors with their details, who may
//! ask and how much, versions and extensions in metadata, TLS.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/asking.rs"]
mod asking;
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use a2a::model::{self, Message, Part, Role, StreamItem, TaskState};
use a2a::outbound::Reach;
use a2a::protobuf::{self as wire, ErrorInfo, IntoModel, RetryInfo, RichStatus, SERVICE};
use a2a::server::tls::{TlsIdentity, TlsListener, TlsPeer};
use a2a::server::{Access, Rate, Server, ServerSettings};
use a2a::tasks::{Limits, Tasks};
use a2a::{Caller, ErrorKind, Service};
use asking::{say, say_at_once, scripted};
use prost::Message as _;
use support::{card, script::Scripted, serve};
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, IntoRequest, Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

/// How long anything may take before a test calls it stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// Serves the scripted agent with an extension and an extended card.
async fn serving() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mut card = card(&base);
    card.capabilities.extended_agent_card = Some(true);
    card.capabilities.extensions =
        vec![model::AgentExtension { uri: "urn:known".to_owned(), ..Default::default() }];
    Access::secrets([("unused", Caller::anonymous())]).declare(&mut card);
    let extended = model::AgentCard { description: "extended".to_owned(), ..card.clone() };
    let tasks = Tasks::in_memory(Arc::new(Scripted), Limits::default());
    let service = Service::new(card, Some(extended), tasks, Reach::default()).unwrap();
    let server = Server::new(service, ServerSettings::default()).unwrap();
    let router = server.grpc_router().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    base
}

/// As `serving`, over TLS with a certificate made for it, which is returned as PEM.
async fn serving_over_tls() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let identity = TlsIdentity::from_files(&chain, &key).unwrap().with_http2();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let tasks = Tasks::in_memory(Arc::new(Scripted), Limits::default());
    let service = Service::new(card(&base), None, tasks, Reach::default()).unwrap();
    let rate = Some(Rate { per_second: 0.001, burst: 1.0 });
    let server = Server::new(service, ServerSettings { rate, ..ServerSettings::default() }).unwrap();
    let router = server.grpc_router().into_make_service_with_connect_info::<TlsPeer>();
    let listener = TlsListener::new(listener, identity).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (base, made.cert.pem())
}

/// A client that says the same in the metadata of every call.
struct Client {
    grpc: Grpc<Channel>,
    metadata: MetadataMap,
}

impl Client {
    async fn of(base: &str, metadata: &[(&'static str, &str)]) -> Self {
        Self::at(Channel::from_shared(base.to_owned()).unwrap(), metadata).await
    }

    async fn at(endpoint: Endpoint, metadata: &[(&'static str, &str)]) -> Self {
        let channel = endpoint.timeout(PATIENCE).connect().await.unwrap();
        let mut said = MetadataMap::new();
        for (name, value) in metadata {
            said.insert(*name, value.parse().unwrap());
        }
        Self { grpc: Grpc::new(channel), metadata: said }
    }

    async fn prepared<Q>(&mut self, method: &str, message: Q) -> (Request<Q>, axum::http::uri::PathAndQuery) {
        self.grpc.ready().await.unwrap();
        let mut request = message.into_request();
        *request.metadata_mut() = self.metadata.clone();
        (request, format!("/{SERVICE}/{method}").parse().unwrap())
    }

    async fn call<Q, R>(&mut self, method: &str, message: Q) -> Result<Response<R>, Status>
    where
        Q: prost::Message + 'static,
        R: prost::Message + Default + 'static,
    {
        let (request, path) = self.prepared(method, message).await;
        self.grpc.unary(request, path, ProstCodec::<Q, R>::default()).await
    }

    async fn send(
        &mut self,
        request: model::SendMessageRequest,
    ) -> Result<model::SendMessageResponse, Status> {
        let request = wire::SendMessageRequest::from(request);
        let response: Response<wire::SendMessageResponse> = self.call("SendMessage", request).await?;
        Ok(response.into_inner().into_model("").unwrap())
    }

    async fn task(&mut self, request: model::SendMessageRequest) -> model::Task {
        asking::task(self.send(request).await.unwrap())
    }

    async fn get(&mut self, id: &str) -> Result<model::Task, Status> {
        let request = wire::GetTaskRequest { id: id.to_owned(), ..Default::default() };
        let response: Response<wire::Task> = self.call("GetTask", request).await?;
        Ok(response.into_inner().into_model("").unwrap())
    }

    async fn follow<Q: prost::Message + 'static>(
        &mut self,
        method: &str,
        message: Q,
    ) -> Result<Streaming<wire::StreamResponse>, Status> {
        let (request, path) = self.prepared(method, message).await;
        let codec = ProstCodec::<Q, wire::StreamResponse>::default();
        Ok(self.grpc.server_streaming(request, path, codec).await?.into_inner())
    }
}

async fn collect(mut stream: Streaming<wire::StreamResponse>) -> Vec<StreamItem> {
    let mut items = Vec::new();
    while let Some(item) = tokio::time::timeout(PATIENCE, stream.message()).await.unwrap().unwrap() {
        items.push(item.into_model("").unwrap());
    }
    items
}

/// The code of a refusal, and the kind that its details tell.
fn refusal<T>(result: Result<T, Status>) -> (Code, ErrorKind) {
    let Err(status) = result else { panic!("a refusal was expected") };
    let rich = RichStatus::decode(status.details()).unwrap();
    assert_eq!((rich.code, rich.message.as_str()), (status.code().into(), status.message()));
    assert_eq!(rich.details[0].type_url, "type.googleapis.com/google.rpc.ErrorInfo");
    let info = ErrorInfo::decode(rich.details[0].value.as_slice()).unwrap();
    assert_eq!(info.domain, "a2a-protocol.org");
    (status.code(), ErrorKind::from_reason(&info.reason).unwrap())
}

fn id(id: &str) -> wire::CancelTaskRequest {
    wire::CancelTaskRequest { id: id.to_owned(), ..Default::default() }
}

fn subscribe(id: &str) -> wire::SubscribeToTaskRequest {
    wire::SubscribeToTaskRequest { id: id.to_owned(), ..Default::default() }
}

#[tokio::test]
async fn messages_and_tasks() {
    let base = serving().await;
    let mut client = Client::of(&base, &[("a2a-version", "1.0")]).await;
    let parts = vec![
        Part::text("echo hello"),
        Part::raw(vec![0, 255]).with_filename("a.bin"),
        Part::url("https://example.com/"),
        Part::data(serde_json::json!({ "a": [1, 2.5, null] })),
    ];
    let mut request = say("");
    request.message = Some(Message::new(Role::User, parts.clone()));
    let done = client.task(request).await;
    assert_eq!(done.status.state, TaskState::Completed);
    assert_eq!(done.artifacts[0].parts[0].as_text(), Some("echo hello"));
    let got = client.get(&done.id).await.unwrap();
    assert_eq!(got.history[0].parts, parts);
    assert_eq!(got, done);
    let direct = client.send(say("tck-message-response")).await.unwrap();
    assert!(matches!(direct, model::SendMessageResponse::Message(_)));

    let asked = wire::ListTasksRequest { page_size: Some(1), ..Default::default() };
    let page: Response<wire::ListTasksResponse> = client.call("ListTasks", asked).await.unwrap();
    assert_eq!((page.get_ref().tasks.len(), page.get_ref().page_size, page.get_ref().total_size), (1, 1, 1));
    let asked = wire::ListTasksRequest { page_size: Some(1000), ..Default::default() };
    let refused = client.call::<_, wire::ListTasksResponse>("ListTasks", asked).await;
    assert_eq!(refusal(refused), (Code::InvalidArgument, ErrorKind::InvalidParams));

    let asked = wire::GetExtendedAgentCardRequest::default();
    let card: Response<wire::AgentCard> = client.call("GetExtendedAgentCard", asked).await.unwrap();
    let card = card.into_inner().into_model("").unwrap();
    assert_eq!((card.description.as_str(), card.security_schemes.len()), ("extended", 2));
}

#[tokio::test]
async fn streams_and_cancelling() {
    let (base, _) = scripted(Limits::default(), Access::open()).await;
    let mut client = Client::of(&base, &[]).await;
    let request = wire::SendMessageRequest::from(say("tck-stream-chunked"));
    let items = collect(client.follow("SendStreamingMessage", request).await.unwrap()).await;
    let states: Vec<_> = items.iter().filter_map(StreamItem::state).collect();
    assert_eq!(states, [TaskState::Submitted, TaskState::Working, TaskState::Completed]);
    assert!(matches!(&items[3], StreamItem::ArtifactUpdate(update) if update.append && update.last_chunk));

    let live = client.task(say_at_once("tck-cancel")).await;
    let (one, mut other) = (
        client.follow("SubscribeToTask", subscribe(&live.id)).await.unwrap(),
        client.follow("SubscribeToTask", subscribe(&live.id)).await.unwrap(),
    );
    // Whoever goes away ends its own stream and nothing else.
    assert!(other.message().await.unwrap().is_some());
    drop(other);
    let canceled: Response<wire::Task> = client.call("CancelTask", id(&live.id)).await.unwrap();
    let canceled = canceled.into_inner().into_model("").unwrap();
    assert_eq!(canceled.status.state, TaskState::Canceled);
    let items = collect(one).await;
    assert!(matches!(items[0], StreamItem::Task(_)));
    assert_eq!(items.last().and_then(StreamItem::state), Some(TaskState::Canceled));

    let again = client.call::<_, wire::Task>("CancelTask", id(&live.id)).await;
    assert_eq!(refusal(again), (Code::FailedPrecondition, ErrorKind::TaskNotCancelable));
    let ended = client.follow("SubscribeToTask", subscribe(&live.id)).await;
    assert_eq!(refusal(ended), (Code::FailedPrecondition, ErrorKind::UnsupportedOperation));
    assert_eq!(refusal(client.get("nope").await), (Code::NotFound, ErrorKind::TaskNotFound));
    let empty = client.send(model::SendMessageRequest::default()).await;
    assert_eq!(refusal(empty), (Code::InvalidArgument, ErrorKind::InvalidParams));
    let unknown = client.call::<_, wire::Task>("ForgetTask", id(&live.id)).await;
    assert_eq!(refusal(unknown), (Code::Unimplemented, ErrorKind::MethodNotFound));
}

#[tokio::test]
async fn webhooks_are_kept_and_removed() {
    let (base, _) = scripted(Limits::default(), Access::open()).await;
    let mut client = Client::of(&base, &[]).await;
    let live = client.task(say_at_once("tck-cancel")).await;
    let config = wire::TaskPushNotificationConfig {
        task_id: live.id.clone(),
        url: format!("{base}/hook"),
        authentication: Some(wire::AuthenticationInfo {
            scheme: "Bearer".to_owned(),
            credentials: "word".to_owned(),
        }),
        ..Default::default()
    };
    let made: Response<wire::TaskPushNotificationConfig> =
        client.call("CreateTaskPushNotificationConfig", config.clone()).await.unwrap();
    let made = made.into_inner();
    assert_eq!(made, wire::TaskPushNotificationConfig { id: made.id.clone(), ..config });
    let one = wire::GetTaskPushNotificationConfigRequest {
        task_id: live.id.clone(),
        id: made.id.clone(),
        ..Default::default()
    };
    let known: Response<wire::TaskPushNotificationConfig> =
        client.call("GetTaskPushNotificationConfig", one.clone()).await.unwrap();
    assert_eq!(known.into_inner(), made);
    let all = wire::ListTaskPushNotificationConfigsRequest { task_id: live.id.clone(), ..Default::default() };
    let listed: Response<wire::ListTaskPushNotificationConfigsResponse> =
        client.call("ListTaskPushNotificationConfigs", all).await.unwrap();
    assert_eq!(listed.into_inner().configs, std::slice::from_ref(&made));
    let gone = wire::DeleteTaskPushNotificationConfigRequest {
        task_id: live.id.clone(),
        id: made.id,
        ..Default::default()
    };
    let _: Response<()> = client.call("DeleteTaskPushNotificationConfig", gone).await.unwrap();
    let missing =
        client.call::<_, wire::TaskPushNotificationConfig>("GetTaskPushNotificationConfig", one).await;
    assert_eq!(refusal(missing), (Code::NotFound, ErrorKind::TaskNotFound));
}

#[tokio::test]
async fn tasks_belong_to_who_began_them() {
    let access = Access::secrets([("one", Caller::named("a")), ("two", Caller::named("b"))]);
    let (base, _) = scripted(Limits::default(), access).await;
    let mut stranger = Client::of(&base, &[]).await;
    assert_eq!(
        refusal(stranger.send(say("echo")).await),
        (Code::Unauthenticated, ErrorKind::Unauthenticated)
    );
    let mut wrong = Client::of(&base, &[("authorization", "Bearer three")]).await;
    assert_eq!(refusal(wrong.get("x").await), (Code::Unauthenticated, ErrorKind::Unauthenticated));
    let mut owner = Client::of(&base, &[("authorization", "Bearer one")]).await;
    let mut other = Client::of(&base, &[("x-api-key", "two")]).await;
    let live = owner.task(say_at_once("tck-cancel")).await;
    assert_eq!(owner.get(&live.id).await.unwrap().id, live.id);
    for refused in [
        refusal(other.get(&live.id).await),
        refusal(other.call::<_, wire::Task>("CancelTask", id(&live.id)).await),
        refusal(other.follow("SubscribeToTask", subscribe(&live.id)).await),
    ] {
        assert_eq!(refused, (Code::NotFound, ErrorKind::TaskNotFound));
    }
    let page: Response<wire::ListTasksResponse> =
        other.call("ListTasks", wire::ListTasksRequest::default()).await.unwrap();
    assert_eq!(page.get_ref().total_size, 0);
}

#[tokio::test]
async fn versions_and_extensions_stand_in_metadata() {
    let base = serving().await;
    for refused in ["99.0", "0.3"] {
        let mut client = Client::of(&base, &[("a2a-version", refused)]).await;
        let told = refusal(client.send(say("echo")).await);
        assert_eq!(told, (Code::FailedPrecondition, ErrorKind::VersionNotSupported), "{refused}");
    }
    let metadata = [("a2a-version", "1.0.1"), ("a2a-extensions", "urn:known, urn:unknown")];
    let mut client = Client::of(&base, &metadata).await;
    let request = wire::SendMessageRequest::from(say("echo"));
    let response: Response<wire::SendMessageResponse> = client.call("SendMessage", request).await.unwrap();
    assert_eq!(response.metadata().get("a2a-extensions").unwrap(), "urn:known");
}

#[tokio::test]
async fn the_limits_are_those_of_the_other_bindings() {
    let rate = Some(Rate { per_second: 0.001, burst: 5.0 });
    let limits = Limits { max_live: 1, max_streams_per_caller: 1, ..Limits::default() };
    let settings = ServerSettings { rate, max_body_bytes: 64 * 1024, ..ServerSettings::default() };
    let (base, _) = serve(Tasks::in_memory(Arc::new(Scripted), limits), settings).await;
    let mut client = Client::of(&base, &[]).await;
    let large = client.send(say(&"x".repeat(65 * 1024))).await;
    assert_eq!(refusal(large), (Code::ResourceExhausted, ErrorKind::TooLarge));
    let live = client.task(say_at_once("tck-cancel")).await;
    assert_eq!(refusal(client.send(say("echo")).await), (Code::Unavailable, ErrorKind::Overloaded));
    let _followed = client.follow("SubscribeToTask", subscribe(&live.id)).await.unwrap();
    let second = client.follow("SubscribeToTask", subscribe(&live.id)).await;
    assert_eq!(refusal(second), (Code::ResourceExhausted, ErrorKind::RateLimited));
    let status = client.get(&live.id).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "the sixth call of a peer that may make five");
    let rich = RichStatus::decode(status.details()).unwrap();
    let retry = rich.details.iter().find(|detail| detail.type_url.ends_with("RetryInfo")).unwrap();
    let delay = RetryInfo::decode(retry.value.as_slice()).unwrap().retry_delay.unwrap();
    assert!(delay.seconds > 1);
}

#[tokio::test]
async fn over_tls_too() {
    let (base, certificate) = serving_over_tls().await;
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(certificate));
    let endpoint = Channel::from_shared(base).unwrap().tls_config(tls).unwrap();
    let mut client = Client::at(endpoint, &[]).await;
    assert_eq!(client.task(say("echo")).await.status.state, TaskState::Completed);
    let second = client.send(say("echo")).await;
    assert_eq!(refusal(second), (Code::ResourceExhausted, ErrorKind::RateLimited), "the peer is known");
}

#[tokio::test]
async fn what_is_no_call_is_refused() {
    let (base, _) = scripted(Limits::default(), Access::open()).await;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let http = reqwest::Client::builder().tls_backend_preconfigured(config).build().unwrap();
    let post = |content_type: &'static str, body: Vec<u8>| {
        let request = http.post(format!("{base}/{SERVICE}/GetTask")).timeout(PATIENCE);
        request.header("content-type", content_type).body(body).send()
    };
    assert_eq!(post("application/json", b"{}".to_vec()).await.unwrap().status(), 415);
    for body in [&b""[..], &[0, 0, 0], &[1, 0, 0, 0, 0], &[0, 255, 255, 255, 255], &[0, 0, 0, 0, 1, 255]] {
        let answer = post("application/grpc", body.to_vec()).await.unwrap();
        assert_eq!(answer.headers()["grpc-status"], "3", "{body:?}");
    }
}
