//! What survives: a restart, a kill in the middle, a second process on the same log, and the log's own housekeeping.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/asking.rs"]
mod asking;
mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use a2a::client::{Client, ClientSettings};
use a2a::model::{GetTaskRequest, Message, Role, StreamItem, TaskState};
use a2a::server::{Access, ServerSettings};
use a2a::tasks::{KEPT_SEGMENTS, Limits, SEGMENT_RECORDS, Tasks};
use a2a::{A2aError, Agent, Caller, Context, ErrorKind, Job, Pending, Service};
use asking::{say, say_at_once, scripted, task};
use store::{Log, MemoryStore, SqliteStore};
use support::{card, script::Scripted, serve};

/// How long anything may take before a test calls it stuck.
const PATIENCE: Duration = Duration::from_secs(60);
/// Tells the test binary that it is the server to be killed, and where its store lies.
const STORE: &str = "A2A_TEST_STORE";

/// Holds every task until it is resumed, and then completes it.
struct Resuming;

impl Agent for Resuming {
    fn run(&self, job: Job) -> Pending<'_, Result<(), A2aError>> {
        Box::pin(async move {
            job.status(TaskState::Working, None).await?;
            job.cancelled().await;
            Ok(())
        })
    }

    fn resume(&self, job: Job) -> Pending<'_, Result<(), A2aError>> {
        Box::pin(async move {
            let said = job.call.message.first_text().to_owned();
            Ok(job.complete(Some(Message::agent_text(format!("resumed: {said}")))).await?)
        })
    }
}

fn service(agent: Arc<dyn Agent>, limits: Limits, log: Arc<dyn Log>) -> Service {
    let tasks = Tasks::open(agent, limits, log).unwrap();
    Service::new(card("http://127.0.0.1:1"), None, tasks, a2a::outbound::Reach::default()).unwrap()
}

fn context() -> Context {
    Context::of(Caller::anonymous())
}

fn get(id: &str) -> GetTaskRequest {
    GetTaskRequest { id: id.to_owned(), ..GetTaskRequest::default() }
}

/// Waits until a task stands as wanted.
async fn until(service: &Service, id: &str, wanted: impl Fn(TaskState) -> bool) -> a2a::model::Task {
    let all = async {
        loop {
            let task = service.get(&context(), &get(id)).await.unwrap();
            if wanted(task.status.state) {
                return task;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap()
}

async fn ended(service: &Service, id: &str) -> a2a::model::Task {
    until(service, id, TaskState::is_terminal).await
}

/// Waits until the agent has a task in hand, so that it writes nothing more once another server reads the log.
async fn under_way(service: &Service, id: &str) {
    until(service, id, |state| state == TaskState::Working).await;
}

#[tokio::test]
async fn tasks_come_back_as_they_were() {
    let log = MemoryStore::new();
    let before = service(Arc::new(Scripted), Limits::default(), Arc::new(log.clone()));
    let done = task(before.send(&context(), say("echo kept")).await.unwrap());
    let waiting = task(before.send(&context(), say("tck-multi-turn")).await.unwrap());
    drop(before);
    let after = service(Arc::new(Scripted), Limits::default(), Arc::new(log));
    assert_eq!(after.get(&context(), &get(&done.id)).await.unwrap(), done);
    assert_eq!(after.get(&context(), &get(&waiting.id)).await.unwrap(), waiting);
    let mut more = say("done");
    if let Some(message) = &mut more.message {
        message.task_id.clone_from(&waiting.id);
    }
    let finished = task(after.send(&context(), more).await.unwrap());
    assert_eq!(finished.status.state, TaskState::Completed);
    assert_eq!(finished.history.iter().filter(|message| message.role == Role::User).count(), 2);
}

#[tokio::test]
async fn work_under_way_is_resumed_or_fails_saying_why() {
    let log = MemoryStore::new();
    let before = service(Arc::new(Resuming), Limits::default(), Arc::new(log.clone()));
    let live = task(before.send(&context(), say_at_once("long work")).await.unwrap());
    let other = task(before.send(&context(), say_at_once("other work")).await.unwrap());
    under_way(&before, &live.id).await;
    before
        .cancel(&context(), &a2a::model::TaskIdRequest { id: other.id.clone(), ..Default::default() })
        .await
        .unwrap();
    let after = service(Arc::new(Resuming), Limits::default(), Arc::new(log.clone()));
    let resumed = ended(&after, &live.id).await;
    assert_eq!(resumed.status.message.unwrap().first_text(), "resumed: long work");
    assert_eq!(after.get(&context(), &get(&other.id)).await.unwrap().status.state, TaskState::Canceled);

    let log = MemoryStore::new();
    let before = service(Arc::new(Resuming), Limits::default(), Arc::new(log.clone()));
    let live = task(before.send(&context(), say_at_once("long work")).await.unwrap());
    under_way(&before, &live.id).await;
    let after = service(Arc::new(Scripted), Limits::default(), Arc::new(log));
    let failed = ended(&after, &live.id).await;
    assert_eq!(failed.status.state, TaskState::Failed);
    assert!(failed.status.message.unwrap().first_text().contains("restarted"));
}

#[tokio::test]
async fn a_second_process_is_noticed() {
    let log = MemoryStore::new();
    let one = service(Arc::new(Scripted), Limits::default(), Arc::new(log.clone()));
    let other = service(Arc::new(Scripted), Limits::default(), Arc::new(log));
    one.send(&context(), say("echo one")).await.unwrap();
    let refused = other.send(&context(), say("echo other")).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Overloaded);
    assert!(other.tasks().has_failed());
    assert_eq!(other.send(&context(), say("echo again")).await.unwrap_err().kind, ErrorKind::Overloaded);
    one.send(&context(), say("echo still")).await.unwrap();
}

#[tokio::test]
async fn the_log_is_bounded_and_old_waiting_tasks_stay() {
    let log = MemoryStore::new();
    let limits = Limits { max_tasks: 100, ..Limits::default() };
    let before = service(Arc::new(Scripted), limits.clone(), Arc::new(log.clone()));
    let waiting = task(before.send(&context(), say("tck-multi-turn")).await.unwrap());
    // Four records each; enough for every segment to have been emptied once and more.
    let rounds = SEGMENT_RECORDS * (KEPT_SEGMENTS as u64 + 3) / 4 / 64;
    for _ in 0..rounds {
        let echoes = (0..64).map(|_| async { before.send(&context(), say("echo")).await.unwrap() });
        futures_util::future::join_all(echoes).await;
    }
    let streams = log.streams().unwrap();
    assert!(streams.len() <= KEPT_SEGMENTS + 1, "{}", streams.len());
    assert!(!streams.iter().any(|stream| stream.name.ends_with("0000000001")), "the first segment is gone");
    drop(before);
    let after = service(Arc::new(Scripted), limits, Arc::new(log));
    assert_eq!(after.get(&context(), &get(&waiting.id)).await.unwrap(), waiting);
    assert!(after.tasks().kept().0 <= 100);
}

/// The server that is killed; not a test unless told where its store lies.
#[tokio::test]
async fn killed_server() {
    let Ok(store) = std::env::var(STORE) else {
        println!("skipped: only runs as the child of the test that kills it");
        return;
    };
    let log = SqliteStore::open(Path::new(&store)).unwrap();
    let tasks = Tasks::open(Arc::new(Scripted), Limits::default(), Arc::new(log)).unwrap();
    let settings = ServerSettings { rate: None, ..ServerSettings::default() };
    let (base, _service) = serve(tasks, settings).await;
    println!("\nserving {base}");
    std::future::pending::<()>().await;
}

fn start(store: &Path) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed_server", "--nocapture"])
        .env(STORE, store)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let base = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("serving ").map(str::to_owned));
    (child, base.unwrap())
}

#[tokio::test]
async fn a_kill_loses_nothing_that_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("tasks.sqlite");
    let (mut child, base) = start(&store);
    let client = Client::discover(&base, ClientSettings::default()).await.unwrap();
    let mut told = Vec::new();
    for number in 0..20 {
        told.push(task(client.send(&say(&format!("echo {number}"))).await.unwrap()));
    }
    let waiting = task(client.send(&say("tck-multi-turn")).await.unwrap());
    let mut stream = client.stream(&say("tck-cancel")).await.unwrap();
    let Some(StreamItem::Task(live)) = stream.next().await.unwrap() else { panic!("the task comes first") };
    let working = stream.next().await.unwrap().unwrap();
    assert_eq!(working.state(), Some(TaskState::Working));
    child.kill().unwrap();
    child.wait().unwrap();

    let (mut child, base) = start(&store);
    let client = Client::discover(&base, ClientSettings::default()).await.unwrap();
    for task in &told {
        assert_eq!(client.get(&get(&task.id)).await.unwrap(), *task);
    }
    assert_eq!(client.get(&get(&waiting.id)).await.unwrap(), waiting);
    // The stream goes on at the new server from where it was: the end of the task, which its agent cannot resume.
    let mut stream = client.subscribe(&live.id, Some("2")).await.unwrap();
    let mut last = None;
    while let Some(item) = tokio::time::timeout(PATIENCE, stream.next()).await.unwrap().unwrap() {
        last = item.state();
    }
    assert_eq!(last, Some(TaskState::Failed));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn open_servers_need_no_store() {
    let (base, _) = scripted(Limits::default(), Access::open()).await;
    assert!(Client::discover(&base, ClientSettings::default()).await.is_ok());
}
