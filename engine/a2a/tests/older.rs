//! What clients and receivers of 0.1 to 0.3 get: over plain HTTP, in their own words.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test file uses its own part of this")]
#[path = "support/asking.rs"]
mod asking;
mod support;

use a2a::server::Access;
use a2a::tasks::Limits;
use asking::scripted;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// How long anything may take before a test calls it stuck.
const PATIENCE: Duration = Duration::from_secs(30);

fn client() -> reqwest::Client {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.unwrap().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(config).build().unwrap()
}

async fn post(url: &str, body: &Value) -> Value {
    let body = serde_json::to_vec(body).unwrap();
    let asked = client().post(url).header("content-type", "application/json").body(body);
    serde_json::from_slice(&asked.send().await.unwrap().bytes().await.unwrap()).unwrap()
}

async fn get(url: &str) -> Value {
    let answer = client().get(url).header("a2a-version", "1.0").send().await.unwrap();
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

/// A webhook, and what it is told.
async fn webhook() -> (String, UnboundedReceiver<Value>) {
    let (tell, told) = unbounded_channel();
    let hear = move |body: axum::body::Bytes| {
        let _ = tell.send(serde_json::from_slice(&body).unwrap());
        async { axum::http::StatusCode::NO_CONTENT }
    };
    let router = axum::Router::new().route("/hook", axum::routing::post(hear));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, told)
}

/// The last that a webhook is told of a task that ends.
async fn last_told(told: &mut UnboundedReceiver<Value>) -> Value {
    let ended = async {
        loop {
            let body = told.recv().await.unwrap();
            if body.pointer("/status/state") == Some(&json!("completed")) {
                return body;
            }
            assert_eq!(body.get("statusUpdate"), None, "{body}");
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.unwrap()
}

fn message(id: &str, text: &str) -> Value {
    json!({ "kind": "message", "role": "user", "messageId": id, "parts": [{ "kind": "text", "text": text }] })
}

#[tokio::test]
async fn a_webhook_of_0_3_is_told_the_whole_task() {
    let (base, _) = scripted(Limits::default(), Access::open()).await;
    let (url, mut told) = webhook().await;
    let configuration = json!({ "blocking": true, "pushNotificationConfig": { "url": url } });
    let params = json!({ "message": message("m1", "tck-artifact-text"), "configuration": configuration });
    let asked = json!({ "jsonrpc": "2.0", "id": 1, "method": "message/send", "params": params });
    let answer = post(&format!("{base}/a2a"), &asked).await;
    let body = last_told(&mut told).await;
    assert_eq!(body["kind"], "task", "{body}");
    assert_eq!(body["id"], answer["result"]["id"]);
    assert_eq!(body["artifacts"], answer["result"]["artifacts"]);
}

#[tokio::test]
async fn a_webhook_of_0_1_is_told_the_name_that_the_client_gave_the_task() {
    let (base, _) = scripted(Limits::default(), Access::open()).await;
    let (url, mut told) = webhook().await;
    let message = json!({ "role": "user", "parts": [{ "type": "text", "text": "tck-complete-task" }] });
    let params = json!({ "id": "mine", "message": message, "pushNotification": { "url": url } });
    let asked = json!({ "jsonrpc": "2.0", "id": 1, "method": "tasks/send", "params": params });
    let answer = post(&format!("{base}/a2a"), &asked).await;
    assert_eq!(answer["result"]["id"], "mine", "{answer}");
    assert_eq!(last_told(&mut told).await["id"], "mine");
}

#[tokio::test]
async fn names_in_queries_may_be_those_of_protobuf() {
    let (base, _) = scripted(Limits::default(), Access::open()).await;
    for number in 0..3 {
        let params = json!({ "message": message(&format!("m{number}"), "tck-complete-task") });
        let asked = json!({ "jsonrpc": "2.0", "id": 1, "method": "message/send", "params": params });
        post(&format!("{base}/a2a"), &asked).await;
    }
    for name in ["pageSize", "page_size"] {
        let listed = get(&format!("{base}/a2a/v1/tasks?{name}=2")).await;
        assert_eq!(listed["tasks"].as_array().map(Vec::len), Some(2), "{name}: {listed}");
    }
}

#[tokio::test]
async fn the_extended_card_is_where_clients_of_0_2_look_for_it() {
    let (base, _) = scripted(Limits::default(), Access::open()).await;
    // This agent has none: the answer says so, and not that there is no such place.
    let new = get(&format!("{base}/a2a/v1/extendedAgentCard")).await;
    let old = get(&format!("{base}/agent/authenticatedExtendedCard")).await;
    for answer in [new, old] {
        let words = answer.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
        assert_eq!(words, "this agent has no extended card", "{answer}");
    }
}
