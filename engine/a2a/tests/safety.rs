//! What a server does to those who ask too much, too fast or too slowly: limits with their answers as they stand on the
//! wire, and TLS.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use a2a::server::tls::{HANDSHAKE_TIMEOUT, TlsIdentity, TlsListener, TlsPeer};
use a2a::server::{Access, Rate, Server, ServerSettings};
use a2a::tasks::{Limits, Tasks};
use a2a::{Caller, Service};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use support::script::Scripted;
use support::{card, serve};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};

/// How long anything may take before a test calls it stuck.
const PATIENCE: Duration = Duration::from_secs(30);

fn tasks() -> Tasks {
    Tasks::in_memory(Arc::new(Scripted), Limits::default())
}

fn message(text: &str) -> Value {
    json!({ "messageId": "m", "role": "ROLE_USER", "parts": [{ "text": text }] })
}

/// A client that trusts these roots.
fn client(roots: rustls::RootCertStore) -> Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder().tls_backend_preconfigured(config).build().unwrap()
}

/// A message over HTTP+JSON.
fn send(client: &Client, base: &str, message: &Value) -> RequestBuilder {
    let body = json!({ "message": message }).to_string();
    let request = client.post(format!("{base}/a2a/v1/message:send")).timeout(PATIENCE);
    request.header("content-type", "application/json").header("a2a-version", "1.0").body(body)
}

async fn answer(request: RequestBuilder) -> (u16, Option<String>, Value) {
    let response = request.send().await.unwrap();
    let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), retry_after, response.json().await.unwrap())
}

#[tokio::test]
async fn a_peer_that_asks_too_often_is_told_when_to_come_back() {
    // So slow a refill that none comes while the test runs.
    let rate = Some(Rate { per_second: 0.001, burst: 2.0 });
    let access = Access::secrets([("one", Caller::named("a")), ("two", Caller::named("b"))]);
    let (base, _service) = serve(tasks(), ServerSettings { rate, access, ..ServerSettings::default() }).await;
    let client = client(rustls::RootCertStore::empty());
    let of = |token| send(&client, &base, &message("echo")).bearer_auth(token);
    for _ in 0..2 {
        assert_eq!(answer(of("one")).await.0, 200);
    }
    let (status, retry_after, body) = answer(of("one")).await;
    assert_eq!((status, &body["error"]["status"]), (429, &json!("RESOURCE_EXHAUSTED")));
    assert!(retry_after.unwrap().parse::<u64>().unwrap() > 1);
    assert_eq!(answer(of("two")).await.0, 200, "another caller has a share of its own");

    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "ListTasks", "params": {} }).to_string();
    let over_rpc = client.post(format!("{base}/a2a")).timeout(PATIENCE).bearer_auth("one").body(call);
    let (status, retry_after, body) = answer(over_rpc).await;
    assert_eq!((status, &body["error"]["code"]), (429, &json!(-32093)));
    assert!(retry_after.is_some());
}

#[tokio::test]
async fn strangers_guessing_secrets_have_a_rate_too() {
    let rate = Some(Rate { per_second: 0.001, burst: 3.0 });
    let access = Access::secrets([("one", Caller::named("a"))]);
    let (base, _service) = serve(tasks(), ServerSettings { rate, access, ..ServerSettings::default() }).await;
    let client = client(rustls::RootCertStore::empty());
    let mut told = Vec::new();
    for guess in ["x", "y", "z", "one more"] {
        told.push(answer(send(&client, &base, &message("echo")).bearer_auth(guess)).await.0);
    }
    assert_eq!(told, [401, 401, 401, 429]);
}

#[tokio::test]
async fn more_work_than_fits_is_turned_away_with_a_time() {
    let limits = Limits { max_live: 1, ..Limits::default() };
    let tasks = Tasks::in_memory(Arc::new(Scripted), limits);
    let (base, _service) = serve(tasks, ServerSettings { rate: None, ..ServerSettings::default() }).await;
    let client = client(rustls::RootCertStore::empty());
    let at_once = json!({ "message": message("tck-cancel"), "configuration": { "returnImmediately": true } });
    let busy = send(&client, &base, &message("")).body(at_once.to_string());
    assert_eq!(answer(busy).await.0, 200);
    let (status, retry_after, body) = answer(send(&client, &base, &message("echo"))).await;
    assert_eq!((status, &body["error"]["status"]), (503, &json!("UNAVAILABLE")));
    assert!(retry_after.is_some());
    let details = body["error"]["details"].as_array().unwrap();
    assert!(details.iter().any(|detail| detail["retryDelay"].is_string()), "{body}");
}

#[tokio::test]
async fn what_is_too_large_is_refused_by_name() {
    let settings = ServerSettings { max_body_bytes: 64 * 1024, rate: None, ..ServerSettings::default() };
    let (base, _service) = serve(tasks(), settings).await;
    let client = client(rustls::RootCertStore::empty());
    let (status, _, body) = answer(send(&client, &base, &message(&"x".repeat(65 * 1024)))).await;
    assert_eq!((status, &body["error"]["details"][0]["reason"]), (413, &json!("TOO_LARGE")));

    let long = "x".repeat(4096);
    for (field, value) in [
        ("messageId", json!(long)),
        ("contextId", json!(long)),
        ("taskId", json!(long)),
        ("extensions", json!([long])),
        ("extensions", json!(vec!["urn:x"; 1000])),
        ("referenceTaskIds", json!([long])),
        ("parts", json!(vec![json!({ "text": "x" }); 1500])),
        ("parts", json!([{ "text": "x", "filename": long }])),
    ] {
        let mut message = message("echo");
        message[field] = value;
        let (status, _, body) = answer(send(&client, &base, &message)).await;
        assert_eq!(status, 400, "{field}: {body}");
        let violation =
            body["error"]["details"][1]["fieldViolations"][0]["field"].as_str().unwrap().to_owned();
        assert!(violation.starts_with(&format!("message.{field}")), "{violation}");
    }
}

#[tokio::test]
async fn an_id_that_is_none_is_not_given_back() {
    let (base, _service) = serve(tasks(), ServerSettings::default()).await;
    let client = client(rustls::RootCertStore::empty());
    for (id, told) in
        [(json!({ "bad": 1 }), Value::Null), (json!([1]), Value::Null), (json!("x"), json!("x"))]
    {
        let call = json!({ "jsonrpc": "1.0", "id": id, "method": "GetTask" }).to_string();
        let (status, _, body) = answer(client.post(format!("{base}/a2a")).timeout(PATIENCE).body(call)).await;
        assert_eq!((status, &body["error"]["code"], &body["id"]), (200, &json!(-32600), &told));
    }
}

/// A server over TLS whose certificate is made for the test, and a client that trusts it.
async fn over_tls() -> (String, Client, std::net::SocketAddr) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let identity = TlsIdentity::from_files(&chain, &key).unwrap();
    assert!(TlsIdentity::from_files(&key, &chain).is_err());

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let base = format!("https://localhost:{}", address.port());
    let service = Service::new(card(&base), None, tasks(), a2a::outbound::Reach::default()).unwrap();
    let settings =
        ServerSettings { rate: Some(Rate { per_second: 0.001, burst: 2.0 }), ..Default::default() };
    let router = Server::new(service, settings).unwrap().router();
    let listener = TlsListener::new(listener, identity).unwrap();
    let router = router.into_make_service_with_connect_info::<TlsPeer>();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    (base, client(roots), address)
}

#[tokio::test]
async fn tls_carries_everything_and_a_stalled_handshake_holds_up_nobody() {
    let (base, client, address) = over_tls().await;
    let mut stalled = TcpStream::connect(address).await.unwrap();
    let (status, _, body) = answer(send(&client, &base, &message("echo over TLS"))).await;
    assert_eq!((status, &body["task"]["status"]["state"]), (200, &json!("TASK_STATE_COMPLETED")));
    // The peer's address is known behind TLS too, so its rate holds.
    assert_eq!(answer(send(&client, &base, &message("echo"))).await.0, 200);
    assert_eq!(answer(send(&client, &base, &message("echo"))).await.0, 429);
    // Who never finishes is let go of.
    let mut end = [0];
    let gone = stalled.read(&mut end);
    let gone = tokio::time::timeout(HANDSHAKE_TIMEOUT + PATIENCE, gone).await.unwrap();
    assert!(matches!(gone, Ok(0) | Err(_)));
}
