//! Notifications that could not be delivered, in a log that others may read: without the secret of their webhook, and sent
//! again with it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use a2a::RedeliveryError;
use a2a::client::{Client, ClientSettings};
use a2a::model::{AuthenticationInfo, Message, PushConfig, SendMessageRequest};
use a2a::outbound::Reach;
use a2a::server::ServerSettings;
use a2a::tasks::{Limits, Tasks};
use store::{Log, SqliteStore};
use support::script::Scripted;

/// How long anything may take before a test calls it stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// A webhook that takes notifications, once it is open, from those alone who show it the secret.
async fn guarded(open: Arc<AtomicBool>) -> String {
    let answer = move |headers: axum::http::HeaderMap| {
        let is = |name, value: &str| headers.get(name).is_some_and(|shown| shown == value);
        let shown = is("authorization", "Bearer hush-hush") && is("x-a2a-notification-token", "a-word");
        let taken = open.load(Ordering::SeqCst) && shown;
        async move { if taken { axum::http::StatusCode::NO_CONTENT } else { axum::http::StatusCode::GONE } }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

#[tokio::test]
async fn a_letter_holds_no_secret_and_is_sent_again_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let log: Arc<dyn Log> = Arc::new(SqliteStore::open(&folder.path().join("tasks.sqlite")).unwrap());
    let tasks = Tasks::open(Arc::new(Scripted), Limits::default(), log.clone()).unwrap();
    let settings = ServerSettings { rate: None, ..ServerSettings::default() };
    let (base, service) = support::serve(tasks, settings).await;
    let client = Client::discover(&base, ClientSettings::default()).await.unwrap();
    let open = Arc::new(AtomicBool::new(false));
    let url = guarded(open.clone()).await;
    let mut request = SendMessageRequest {
        message: Some(Message::user_text("tck-stream-chunked")),
        ..SendMessageRequest::default()
    };
    let authentication =
        AuthenticationInfo { scheme: "Bearer".to_owned(), credentials: "hush-hush".to_owned() };
    request.configuration.task_push_notification_config = Some(PushConfig {
        url,
        token: "a-word".to_owned(),
        authentication: Some(authentication),
        ..PushConfig::default()
    });
    client.send(&request).await.unwrap();
    let letters = service.dead_letters();
    let aside = async {
        while letters.list().unwrap().len() < 4 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, aside)
        .await
        .expect("two statuses and two pieces of the artifact are refused");
    let kept = letters.list().unwrap();
    for stream in log.streams().unwrap().iter().filter(|stream| stream.name.contains("dead-letters")) {
        for record in log.read(&stream.name, 0, 100).unwrap() {
            let text = record.data.to_string();
            assert!(!text.contains("hush-hush") && !text.contains("a-word"), "{text}");
        }
    }
    // Another process has nothing but the log, and finds there what the webhook is to be shown.
    open.store(true, Ordering::SeqCst);
    let reach = || Reach { loopback: true, ..Reach::default() };
    let others = a2a::DeadLetters::over(log.clone());
    assert!(a2a::redeliver(&others, reach(), kept[0].number).await.unwrap());
    assert!(others.was_delivered(kept[0].number).unwrap());
    let unknown = a2a::redeliver(&others, reach(), kept[0].number).await;
    assert!(matches!(unknown, Err(RedeliveryError::Unknown(_))), "{unknown:?}");
    // With its webhook goes what it was to be shown.
    client.delete_push(&kept[1].task_id, &kept[1].config.id).await.unwrap();
    for gone in [
        a2a::redeliver(&others, reach(), kept[1].number).await,
        service.replay_dead_letter(kept[1].number).await,
    ] {
        assert!(matches!(gone, Err(RedeliveryError::Unregistered(_))), "{gone:?}");
    }
    assert_eq!(others.list().unwrap().len(), 3, "it stays, to be looked at");
}
