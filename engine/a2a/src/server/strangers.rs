//! Tests: whatever bytes strangers send, in a body, a path, a query or a header, they get an answer that is not a fault
//! of ours, in the shape of their binding. The agent behind refuses nothing and does nothing.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use proptest::prelude::*;
use serde_json::Value;

use super::{Server, ServerSettings, rest, rpc};
use crate::model::{AgentCapabilities, AgentCard};
use crate::tasks::{Limits, Tasks};
use crate::{A2aError, Agent, Job, Pending, Service, dialect, operation};

struct Idle;

impl Agent for Idle {
    fn run(&self, job: Job) -> Pending<'_, Result<(), A2aError>> {
        Box::pin(async move { Ok(job.complete(None).await?) })
    }
}

fn server() -> Server {
    let capabilities =
        AgentCapabilities { streaming: Some(true), push_notifications: Some(true), ..Default::default() };
    let card = AgentCard { name: "idle".to_owned(), capabilities, ..AgentCard::default() };
    let tasks = Tasks::in_memory(Arc::new(Idle), Limits::default());
    let service = Service::new(card, None, tasks, crate::outbound::Reach::default()).unwrap();
    Server::new(service, ServerSettings { rate: None, ..ServerSettings::default() }).unwrap()
}

/// Anything that JSON can say, with the words of the protocol among its keys.
fn json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        "[a-z]{0,3}",
        proptest::sample::select(vec![
            "message",
            "messageId",
            "role",
            "ROLE_USER",
            "user",
            "parts",
            "content",
            "kind",
            "text",
            "file",
            "bytes",
            "data",
            "raw",
            "url",
            "id",
            "taskId",
            "configuration",
            "historyLength",
            "blocking",
            "metadata",
            "config",
            "pushNotificationConfig",
            "authentication",
            "schemes",
            "params",
            "sessionId",
            "type",
            "value",
            "data_part_compat",
            "pageToken",
            "statusTimestampAfter",
            "1.5.x",
            "2026-01-01T00:00:00Z",
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((word.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Asks and returns the status and the first piece of the body.
fn ask(request: Request<Body>, over_rpc: bool) -> (u16, Vec<u8>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = server();
        let (parts, body) = request.into_parts();
        let response = if over_rpc {
            rpc::answer(&server, &parts, body, None).await
        } else {
            rest::answer(&server, &parts, body, None).await
        };
        let status = response.status().as_u16();
        (status, axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec())
    })
}

#[cfg(feature = "grpc")]
fn ask_over_grpc(method: &str, mut request: Request<Body>) -> axum::response::Response {
    request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (parts, body) = request.into_parts();
        super::grpc::answer(&server(), method, &parts, body, None).await
    })
}

fn post(uri: &str, version: Option<&str>, body: Vec<u8>) -> Request<Body> {
    let mut request = Request::post(uri).header("content-type", "application/json");
    if let Some(version) = version {
        request = request.header("a2a-version", version);
    }
    request.body(Body::from(body)).unwrap()
}

fn method() -> impl Strategy<Value = String> {
    let known: Vec<&str> = operation::METHODS.into_iter().chain(dialect::METHODS).collect();
    prop_oneof![9 => proptest::sample::select(known).prop_map(str::to_owned), 1 => "[a-zA-Z/]{0,12}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_over_rpc(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (status, body) = ask(post("/a2a", None, body), true);
        prop_assert_eq!(status, 200);
        let answer: Value = serde_json::from_slice(&body).unwrap();
        prop_assert!(answer["error"]["code"].is_i64());
    }

    #[test]
    fn any_parameters_over_rpc(method in method(), params in json(), version in proptest::option::of("(1[.]0|0[.]3|0[.]1|9[.]9|x?)")) {
        let body = serde_json::json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let (status, body) = ask(post("/a2a", version.as_deref(), body.to_string().into_bytes()), true);
        prop_assert_eq!(status, 200);
        if !body.starts_with(b"id:") && !body.starts_with(b"data:") {
            let answer: Value = serde_json::from_slice(&body).unwrap();
            prop_assert_eq!(&answer["id"], 7);
            prop_assert!(answer.get("result").is_some() != answer.get("error").is_some());
            prop_assert!(answer["error"]["code"] != -32603 || version.is_some(), "{}", answer);
        }
    }

    #[cfg(feature = "grpc")]
    #[test]
    fn any_bytes_over_grpc(
        method in proptest::sample::select(operation::METHODS.to_vec()),
        version in proptest::option::of("(1[.]0|0[.]3|9[.]9)"),
        message in proptest::collection::vec(any::<u8>(), 0..60),
        framed in any::<bool>(),
    ) {
        let length = u8::try_from(message.len()).unwrap();
        let prefix = if framed { vec![0, 0, 0, 0, length] } else { Vec::new() };
        let request = post("/", version.as_deref(), [prefix, message].concat());
        let answer = ask_over_grpc(method, request);
        prop_assert_eq!(answer.status(), 200);
        // Who is answered well hears of it after the message; what is refused says so at once.
        let status = answer.headers().get("grpc-status").map(|status| status.to_str().unwrap());
        prop_assert!(matches!(status, None | Some("3" | "5" | "9")), "{:?}", status);
    }

    #[test]
    fn any_request_over_http(
        path in "(message:send|message:stream|tasks|tasks/[a-z%0-9]{0,3}(:cancel|:subscribe)?|tasks/x/pushNotificationConfigs(/y)?|extendedAgentCard|[a-z%]{0,4})",
        query in proptest::option::of("(pageSize=[0-9-]{0,3}&)?(status=[A-Z]{0,2}&)?(pageToken=[a-zA-Z0-9=%]{0,9})?"),
        version in proptest::option::of("(1[.]0|0[.]3|9[.]9)"),
        body in prop_oneof![json().prop_map(|value| value.to_string().into_bytes()), proptest::collection::vec(any::<u8>(), 0..60)],
        verb in "(GET|POST|DELETE)",
    ) {
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        let Ok(uri) = format!("/a2a/v1/{path}{query}").parse::<axum::http::Uri>() else { return Ok(()) };
        let mut request = post("/", version.as_deref(), body);
        *request.uri_mut() = uri;
        *request.method_mut() = verb.parse().unwrap();
        let (status, body) = ask(request, false);
        prop_assert!((200..500).contains(&status), "{} {}", status, String::from_utf8_lossy(&body));
        if status >= 300 {
            let answer: Value = serde_json::from_slice(&body).unwrap();
            prop_assert_eq!(&answer["error"]["code"], status);
        }
    }
}
