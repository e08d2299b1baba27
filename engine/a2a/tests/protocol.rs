//! The server and the client of this crate against each other, over both bindings: every operation, order and
//! ownership, limits, webhooks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/asking.rs"]
mod asking;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use a2a::client::{Client, ClientError, ClientSettings, ClientStream};
use a2a::model::{
    Binding, GetTaskRequest, ListTasksRequest, PushConfig, SendMessageResponse, StreamItem, TaskState,
};
use a2a::server::Access;
use a2a::tasks::Limits;
use a2a::{Caller, Context, ErrorKind};
use asking::{say, say_at_once, scripted, task};

/// How long anything may take before a test calls it stuck.
const PATIENCE: Duration = Duration::from_secs(30);

async fn client(base: &str, binding: Binding, token: Option<&str>) -> Client {
    let settings = ClientSettings {
        bindings: vec![binding],
        bearer: token.map(str::to_owned),
        timeout: PATIENCE,
        ..ClientSettings::default()
    };
    Client::discover(base, settings).await.unwrap()
}

async fn collect(mut stream: ClientStream) -> Vec<StreamItem> {
    let mut items = Vec::new();
    while let Some(item) = tokio::time::timeout(PATIENCE, stream.next()).await.unwrap().unwrap() {
        items.push(item);
    }
    items
}

fn kind_of<T: std::fmt::Debug>(result: Result<T, ClientError>) -> ErrorKind {
    match result {
        Err(ClientError::Agent(error)) => error.kind,
        other => panic!("an error of the protocol was expected: {other:?}"),
    }
}

#[tokio::test]
async fn every_operation_over_both_bindings() {
    let (base, _) = scripted(Limits::default(), Access::open()).await;
    for binding in [Binding::JsonRpc, Binding::HttpJson] {
        let client = client(&base, binding, None).await;
        let done = task(client.send(&say("echo hello")).await.unwrap());
        assert_eq!(done.status.state, TaskState::Completed);
        assert_eq!(done.artifacts[0].parts[0].as_text(), Some("echo hello"));
        let request = GetTaskRequest { id: done.id.clone(), history_length: Some(0), ..Default::default() };
        let got = client.get(&request).await.unwrap();
        assert!(got.history.is_empty() && got.artifacts == done.artifacts);
        let direct = client.send(&say("tck-message-response")).await.unwrap();
        assert!(matches!(direct, SendMessageResponse::Message(_)));

        let items = collect(client.stream(&say("tck-stream-chunked")).await.unwrap()).await;
        assert!(matches!(&items[0], StreamItem::Task(task) if task.status.state == TaskState::Submitted));
        let states: Vec<_> = items.iter().filter_map(StreamItem::state).collect();
        assert_eq!(states, [TaskState::Submitted, TaskState::Working, TaskState::Completed]);
        assert_eq!(items.len(), 5);

        let live = task(client.send(&say_at_once("tck-cancel")).await.unwrap());
        let followed = client.subscribe(&live.id, None).await.unwrap();
        let config =
            PushConfig { task_id: live.id.clone(), url: format!("{base}/hook"), ..Default::default() };
        let config = client.create_push(&config).await.unwrap();
        assert_eq!(client.list_push(&live.id).await.unwrap().configs, std::slice::from_ref(&config));
        client.delete_push(&live.id, &config.id).await.unwrap();
        client.delete_push(&live.id, &config.id).await.unwrap();
        assert!(client.list_push(&live.id).await.unwrap().configs.is_empty());
        assert_eq!(client.cancel(&live.id).await.unwrap().status.state, TaskState::Canceled);
        let items = collect(followed).await;
        assert!(matches!(items[0], StreamItem::Task(_)));
        assert_eq!(items.last().and_then(StreamItem::state), Some(TaskState::Canceled));
        assert_eq!(kind_of(client.cancel(&live.id).await), ErrorKind::TaskNotCancelable);
        assert_eq!(
            kind_of(client.subscribe(&live.id, None).await.map(|_| ())),
            ErrorKind::UnsupportedOperation
        );
        let page = ListTasksRequest { page_size: Some(2), ..ListTasksRequest::default() };
        let page = client.list(&page).await.unwrap();
        assert_eq!((page.tasks.len(), page.page_size), (2, 2));
        assert_eq!(kind_of(client.extended_card().await), ErrorKind::UnsupportedOperation);
    }
}

#[tokio::test]
async fn pages_hold_every_task_once() {
    let (base, _) = scripted(Limits::default(), Access::open()).await;
    let client = client(&base, Binding::HttpJson, None).await;
    for number in 0..23 {
        client.send(&say(&format!("echo {number}"))).await.unwrap();
    }
    let (mut ids, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListTasksRequest { page_size: Some(5), page_token, ..ListTasksRequest::default() };
        let page = client.list(&request).await.unwrap();
        assert_eq!(page.total_size, 23);
        ids.extend(page.tasks.into_iter().map(|task| (task.status.timestamp, task.id)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let times: Vec<_> = ids.iter().map(|(time, _)| time.clone()).collect();
    assert!(times.is_sorted_by(|one, next| one >= next), "newest first");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 23);
}

#[tokio::test]
async fn followers_hear_the_same_and_one_that_leaves_disturbs_nobody() {
    let (base, _) = scripted(Limits::default(), Access::open()).await;
    let client = client(&base, Binding::JsonRpc, None).await;
    let live = task(client.send(&say_at_once("tck-long-running")).await.unwrap());
    let one = client.subscribe(&live.id, None).await.unwrap();
    let other = client.subscribe(&live.id, None).await.unwrap();
    let mut leaving = client.subscribe(&live.id, None).await.unwrap();
    leaving.next().await.unwrap();
    drop(leaving);
    let (one, other) = tokio::join!(collect(one), collect(other));
    assert_eq!(one[1..], other[1..]);
    assert_eq!(one.last().and_then(StreamItem::state), Some(TaskState::Completed));
}

#[tokio::test]
async fn a_lost_follower_gets_what_it_missed() {
    let (base, service) = scripted(Limits::default(), Access::open()).await;
    let client = client(&base, Binding::JsonRpc, None).await;
    let items = collect(client.stream(&say("tck-stream-chunked")).await.unwrap()).await;
    let Some(StreamItem::Task(task)) = items.first() else { panic!("the task comes first") };
    let missed = collect(client.subscribe(&task.id, Some("2")).await.unwrap()).await;
    assert_eq!(missed, items[2..], "everything after the second event, though the task has ended");
    drop(service);
}

#[tokio::test]
async fn the_first_end_stays() {
    let (_, service) = scripted(Limits::default(), Access::open()).await;
    let context = Context::of(Caller::anonymous());
    for _ in 0..100 {
        let live = task(service.send(&context, say_at_once("echo quick")).await.unwrap());
        let request = a2a::model::TaskIdRequest { id: live.id.clone(), ..Default::default() };
        let cancelled = service.cancel(&context, &request).await;
        let get = GetTaskRequest { id: live.id, ..GetTaskRequest::default() };
        let mut now = service.get(&context, &get).await.unwrap();
        while !now.status.state.is_terminal() {
            tokio::task::yield_now().await;
            now = service.get(&context, &get).await.unwrap();
        }
        let expected = if cancelled.is_ok() { TaskState::Canceled } else { TaskState::Completed };
        assert_eq!(now.status.state, expected);
    }
}

#[tokio::test]
async fn what_is_not_yours_is_not_there() {
    let access = Access::secrets([("one", Caller::named("a")), ("two", Caller::named("b"))]);
    let (base, _) = scripted(Limits::default(), access).await;
    let a = client(&base, Binding::JsonRpc, Some("one")).await;
    let b = client(&base, Binding::HttpJson, Some("two")).await;
    assert!(a.card().security_schemes.contains_key("bearer"));
    let mine = task(a.send(&say_at_once("tck-cancel")).await.unwrap());
    let get = |id: &str| GetTaskRequest { id: id.to_owned(), ..GetTaskRequest::default() };
    let (theirs, nobodys) =
        (b.get(&get(&mine.id)).await.unwrap_err(), b.get(&get("nobodys")).await.unwrap_err());
    assert_eq!(theirs.to_string().replace(&mine.id, "X"), nobodys.to_string().replace("nobodys", "X"));
    assert_eq!(kind_of(b.cancel(&mine.id).await), ErrorKind::TaskNotFound);
    assert_eq!(kind_of(b.subscribe(&mine.id, None).await.map(|_| ())), ErrorKind::TaskNotFound);
    assert_eq!(kind_of(b.list_push(&mine.id).await), ErrorKind::TaskNotFound);
    assert_eq!(b.list(&ListTasksRequest::default()).await.unwrap().total_size, 0);
    let mut follow_up = say("more");
    if let Some(message) = &mut follow_up.message {
        message.task_id.clone_from(&mine.id);
    }
    assert_eq!(kind_of(b.send(&follow_up).await), ErrorKind::TaskNotFound);
    let stranger = client(&base, Binding::JsonRpc, None).await;
    assert_eq!(kind_of(stranger.get(&get(&mine.id)).await), ErrorKind::Unauthenticated);
    assert_eq!(a.get(&get(&mine.id)).await.unwrap().id, mine.id);
}

#[tokio::test]
async fn a_full_server_says_so() {
    let limits = Limits { max_live: 3, max_live_per_caller: 2, ..Limits::default() };
    let access = Access::secrets([("one", Caller::named("a")), ("two", Caller::named("b"))]);
    let (base, _) = scripted(limits, access).await;
    let a = client(&base, Binding::JsonRpc, Some("one")).await;
    let b = client(&base, Binding::HttpJson, Some("two")).await;
    let first = task(a.send(&say_at_once("tck-cancel")).await.unwrap());
    a.send(&say_at_once("tck-cancel")).await.unwrap();
    assert_eq!(kind_of(a.send(&say_at_once("tck-cancel")).await), ErrorKind::RateLimited);
    b.send(&say_at_once("tck-cancel")).await.unwrap();
    let refused = b.send(&say_at_once("tck-cancel")).await;
    let Err(ClientError::Agent(refused)) = refused else { panic!("{refused:?}") };
    assert_eq!(refused.kind, ErrorKind::Overloaded);
    assert!(refused.retry_after.is_some());
    a.cancel(&first.id).await.unwrap();
    // The place is free once the agent has let go of the task, which is soon and not at once.
    let again = async {
        while b.send(&say_at_once("tck-cancel")).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.unwrap();
}

#[tokio::test]
async fn memory_stays_level() {
    let limits = Limits { max_tasks: 50, ..Limits::default() };
    let (_, service) = scripted(limits, Access::open()).await;
    let context = Context::of(Caller::anonymous());
    for number in 0..500 {
        service.send(&context, say(&format!("echo {number}"))).await.unwrap();
        assert!(service.tasks().kept().0 <= 50);
    }
    let limits = Limits { max_bytes: 100_000, ..Limits::default() };
    let (_, service) = scripted(limits, Access::open()).await;
    for _ in 0..100 {
        service.send(&context, say(&format!("echo {}", "x".repeat(5_000)))).await.unwrap();
    }
    assert!(service.tasks().kept().1 < 150_000, "{:?}", service.tasks().kept());
}

#[tokio::test]
async fn a_task_that_outgrows_its_limit_fails_and_says_why() {
    let limits = Limits { max_task_bytes: 4_000, ..Limits::default() };
    let (_, service) = scripted(limits, Access::open()).await;
    let context = Context::of(Caller::anonymous());
    let failed = task(service.send(&context, say(&format!("echo {}", "x".repeat(3_000)))).await.unwrap());
    assert_eq!(failed.status.state, TaskState::Failed);
    assert!(failed.status.message.unwrap().first_text().contains("larger than this server keeps"));
}

/// A webhook that answers with a status and counts.
async fn webhook(status: Arc<AtomicU16>, count: Arc<AtomicUsize>) -> String {
    let answer = move || {
        count.fetch_add(1, Ordering::SeqCst);
        let status = status.load(Ordering::SeqCst);
        async move { axum::http::StatusCode::from_u16(status).unwrap() }
    };
    let router = axum::Router::new().route("/hook", axum::routing::post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

#[tokio::test]
async fn notifications_arrive_or_are_put_aside_and_sent_again() {
    let (status, count) = (Arc::new(AtomicU16::new(204)), Arc::new(AtomicUsize::new(0)));
    let url = webhook(status.clone(), count.clone()).await;
    let (base, service) = scripted(Limits::default(), Access::open()).await;
    let client = client(&base, Binding::JsonRpc, None).await;
    let mut request = say("tck-stream-chunked");
    let config = PushConfig { url, token: "t".to_owned(), ..PushConfig::default() };
    request.configuration.task_push_notification_config = Some(config);
    client.send(&request).await.unwrap();
    let all = async {
        while count.load(Ordering::SeqCst) < 4 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("two statuses and two pieces of the artifact");
    assert!(service.dead_letters().list().unwrap().is_empty());

    // A receiver that refuses outright is not tried again by itself.
    status.store(410, Ordering::SeqCst);
    request.message = say("tck-complete-task").message;
    client.send(&request).await.unwrap();
    let aside = async {
        while service.dead_letters().list().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, aside).await.unwrap();
    let letter = service.dead_letters().list().unwrap().remove(0);
    assert!(!service.replay_dead_letter(letter.number).await.unwrap());
    status.store(200, Ordering::SeqCst);
    assert!(service.replay_dead_letter(letter.number).await.unwrap());
    assert!(service.dead_letters().list().unwrap().is_empty());
}

#[tokio::test]
async fn webhooks_inside_are_refused() {
    let (base, _) = scripted(Limits::default(), Access::open()).await;
    let client = client(&base, Binding::HttpJson, None).await;
    for url in [
        "http://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[fd00::1]/",
        "gopher://127.0.0.1/",
        "",
    ] {
        let mut request = say("echo");
        let config = PushConfig { url: url.to_owned(), ..PushConfig::default() };
        request.configuration.task_push_notification_config = Some(config);
        assert_eq!(kind_of(client.send(&request).await), ErrorKind::InvalidParams, "{url}");
    }
}

#[tokio::test]
async fn a_webhook_may_have_a_name_that_does_not_resolve_yet() {
    let (base, _) = scripted(Limits::default(), Access::open()).await;
    let client = client(&base, Binding::JsonRpc, None).await;
    let told = task(client.send(&say("tck-input-required")).await.unwrap());
    let url = "https://nobody.invalid/hook".to_owned();
    let config = PushConfig { task_id: told.id, url, ..PushConfig::default() };
    assert!(!client.create_push(&config).await.unwrap().id.is_empty());
}

/// Answers every request with the head of an answer, and counts.
async fn answering(head: String, count: Arc<AtomicUsize>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let answer = move || {
        count.fetch_add(1, Ordering::SeqCst);
        let location = head.clone();
        async move { (axum::http::StatusCode::FOUND, [("location", location)]) }
    };
    let router = axum::Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

#[tokio::test]
async fn a_webhook_cannot_send_us_elsewhere() {
    let (inside, outside) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let secret = answering(String::new(), inside.clone()).await;
    let url = answering(secret, outside.clone()).await;
    let (base, service) = scripted(Limits::default(), Access::open()).await;
    let client = client(&base, Binding::JsonRpc, None).await;
    let mut request = say("tck-complete-task");
    request.configuration.task_push_notification_config = Some(PushConfig { url, ..PushConfig::default() });
    client.send(&request).await.unwrap();
    let aside = async {
        while service.dead_letters().list().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, aside).await.unwrap();
    assert_eq!((outside.load(Ordering::SeqCst), inside.load(Ordering::SeqCst)), (1, 0));
}
