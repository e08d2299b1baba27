//! A2A at a real daemon, with the protocol's client: a program is evolved, canceled, taken up again after a kill; two daemons
//! measure each other's candidates and learn from each other; what is hostile is refused and leaves nothing behind.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "what cannot run here is printed as skipped")]

#[path = "support/listening.rs"]
mod listening;

use a2a::client::{Client, ClientSettings, ClientStream};
use a2a::model::{
    Artifact, Content, Message, Part, Role, SendMessageRequest, SendMessageResponse, StreamItem, Task,
    TaskState,
};
use listening::address_of;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const TOKEN: &str = "operator-token";

/// Two functions with a fault in each.
const PROGRAM: &str = "def middle(values):\n    ordered = sorted(values)\n    return ordered[len(ordered) // 3]\n\ndef area(a, b):\n    return a + b\n";
const MENDED: &str = "def middle(values):\n    ordered = sorted(values)\n    return ordered[len(ordered) // 2]\n\ndef area(a, b):\n    return a * b\n";
const CASES: &str = r#"[{"function": "middle", "args": [[3, 1, 2]], "expected": 2}, {"function": "middle", "args": [[1]], "expected": 1},
    {"function": "middle", "args": [[5, 4, 3, 2, 1]], "expected": 3}, {"function": "area", "args": [2, 3], "expected": 6},
    {"function": "area", "args": [1, 7], "expected": 7}]"#;
/// What no program passes, so that a run goes on until somebody stops it.
const ENDLESS: &str = r#"[{"function": "middle", "args": [[3, 1, 2]], "expected": 2}, {"function": "middle", "args": [[1]], "expected": 9},
    {"function": "middle", "args": [[1]], "expected": 8}]"#;

fn configuration(evaluations: u32) -> String {
    format!(
        "[target]\nname = \"middle\"\nfiles = [\"program.py\"]\n[[objective]]\nname = \"accuracy\"\nkind = \"pass_rate\"\ncases = \"cases.json\"\n[budget]\nevaluations = {evaluations}\ntime = \"10m\"\n"
    )
}

fn files(cases: &str, evaluations: u32) -> Value {
    json!({ "program.py": PROGRAM, "cases.json": cases, "darwind.toml": configuration(evaluations) })
}

fn lay_out(folder: &Path) {
    std::fs::write(folder.join("program.py"), PROGRAM).unwrap();
    std::fs::write(folder.join("cases.json"), CASES).unwrap();
    let signed_only = "[knowledge_transfer]\nsigned_only = true\n";
    std::fs::write(folder.join("darwind.toml"), configuration(200) + signed_only).unwrap();
}

fn darwind(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_darwind"));
    command.env("DARWIND_DATA_DIR", data).env("PEER_TOKEN", TOKEN).env("NO_COLOR", "1");
    command
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// A daemon that is killed when the test is over.
struct Daemon {
    process: Child,
    address: String,
}

impl Daemon {
    fn start(data: &Path, listen: &str) -> Self {
        let mut process = darwind(data)
            .args(["serve", "--listen", listen])
            .env("DARWIND_TOKEN", TOKEN)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let address = address_of(&mut process);
        Self { process, address }
    }

    fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn client(&self) -> Client {
        let settings = ClientSettings { bearer: Some(TOKEN.to_owned()), ..ClientSettings::default() };
        Client::discover(&self.base(), settings).await.unwrap()
    }

    /// An HTTP exchange: status and body.
    fn exchange(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "Host") {
            request.push_str(&format!("Host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{request}\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = self.exchange("GET", path, &[("Authorization", &format!("Bearer {TOKEN}"))], "");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn saying(data: Value) -> SendMessageRequest {
    let message = Message::new(Role::User, vec![Part::data(data)]);
    SendMessageRequest { message: Some(message), ..SendMessageRequest::default() }
}

async fn ask(client: &Client, data: Value) -> Task {
    match client.send(&saying(data)).await.unwrap() {
        SendMessageResponse::Task(task) => task,
        SendMessageResponse::Message(message) => panic!("{message:?}"),
    }
}

fn data_of(artifact: &Artifact) -> Value {
    let data = artifact.parts.iter().find_map(|part| match &part.content {
        Content::Data(value) => Some(value.clone()),
        _ => None,
    });
    data.unwrap_or(Value::Null)
}

/// Whether this machine can contain nothing, so that there is nothing to see.
fn refused(task: &Task) -> bool {
    let words = task.status.message.as_ref().map(Message::first_text).unwrap_or_default();
    let refused = task.status.state == TaskState::Rejected && words.contains("[sandbox] require");
    if refused {
        println!("skipped: {words}");
    }
    refused
}

/// What a stream told.
#[derive(Default)]
struct Heard {
    task: String,
    progress: Vec<Value>,
    artifacts: Vec<Artifact>,
    last: Option<TaskState>,
    words: String,
}

impl Heard {
    /// Hears until the stream ends or `enough` of it was heard.
    async fn of(&mut self, stream: &mut ClientStream, enough: impl Fn(&Self) -> bool) {
        while !enough(self) {
            let Some(item) = stream.next().await.unwrap() else { return };
            match item {
                StreamItem::Task(task) => {
                    self.task = task.id;
                    self.last = Some(task.status.state);
                    self.artifacts = task.artifacts;
                }
                StreamItem::StatusUpdate(update) => {
                    self.last = Some(update.status.state);
                    let message = update.status.message.unwrap_or_default();
                    message.first_text().clone_into(&mut self.words);
                    self.progress.extend(message.parts.iter().filter_map(|part| match &part.content {
                        Content::Data(value) => Some(value["data"].clone()),
                        _ => None,
                    }));
                }
                StreamItem::ArtifactUpdate(update) => self.artifacts.push(update.artifact),
                StreamItem::Message(message) => panic!("{message:?}"),
            }
        }
    }

    fn run(&self) -> &str {
        self.progress.first().and_then(|progress| progress["run_id"].as_str()).unwrap()
    }
}

fn skipped(heard: &Heard) -> bool {
    let skipped = heard.last == Some(TaskState::Rejected) && heard.words.contains("[sandbox] require");
    if skipped {
        println!("skipped: {}", heard.words);
    }
    skipped
}

#[test]
fn the_card_is_open_and_everything_else_is_not() {
    let data = TempDir::new().unwrap();
    let daemon = Daemon::start(data.path(), "127.0.0.1:0");
    let ping = r#"{"jsonrpc": "2.0", "id": 1, "method": "ListTasks", "params": {}}"#;
    let json = ("Content-Type", "application/json");
    let bearer = format!("Bearer {TOKEN}");
    for path in ["/.well-known/agent-card.json", "/.well-known/agent.json"] {
        let (status, card) = daemon.exchange("GET", path, &[], "");
        let card: Value = serde_json::from_str(&card).unwrap();
        assert_eq!((status, card["skills"].as_array().unwrap().len()), (200, 5));
    }
    let version = ("A2A-Version", "1.0");
    let status = |headers: &[(&str, &str)]| daemon.exchange("POST", "/a2a", headers, ping).0;
    assert_eq!(status(&[json, version]), 401);
    assert_eq!(status(&[json, version, ("Authorization", "Bearer guess")]), 401);
    assert_eq!(status(&[json, version, ("Authorization", &bearer)]), 200);
    assert_eq!(status(&[json, version, ("X-API-Key", TOKEN)]), 200);
    assert_eq!(status(&[json, version, ("X-API-Key", TOKEN), ("Host", "evil.example")]), 403);
    assert_eq!(status(&[json, version, ("X-API-Key", TOKEN), ("Origin", "http://evil.example")]), 403);
    assert_eq!(daemon.exchange("GET", "/a2a/v1/tasks", &[], "").0, 401);
    assert_eq!(daemon.exchange("GET", "/a2a/v1/tasks", &[version, ("X-API-Key", TOKEN)], "").0, 200);
    assert_eq!(daemon.exchange("GET", "/api/v1/peers", &[], "").0, 401);
}

#[test]
fn a_program_is_evolved_with_its_progress_streamed() {
    let data = TempDir::new().unwrap();
    let daemon = Daemon::start(data.path(), "127.0.0.1:0");
    Runtime::new().unwrap().block_on(async {
        let client = daemon.client().await;
        let words = SendMessageRequest {
            message: Some(Message::user_text("hello")),
            ..SendMessageRequest::default()
        };
        let SendMessageResponse::Message(answer) = client.send(&words).await.unwrap() else {
            panic!("words get words")
        };
        assert!(answer.first_text().contains("\"type\":\"evolve\""), "{}", answer.first_text());
        let request =
            json!({ "type": "evolve", "files": files(CASES, 2000), "seed": 5, "budget": { "time": "5m" } });
        let mut stream = client.stream(&saying(request)).await.unwrap();
        let mut heard = Heard::default();
        heard.of(&mut stream, |_| false).await;
        if skipped(&heard) {
            return;
        }
        assert_eq!(heard.last, Some(TaskState::Completed), "{}", heard.words);
        assert!(heard.progress.iter().any(|one| one["event_type"] == "improvement_applied"));
        let names: Vec<&str> = heard.artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
        assert_eq!(names, ["front", "winner", "result"]);
        let winner: BTreeMap<&str, &str> = heard.artifacts[1]
            .parts
            .iter()
            .map(|part| (part.filename.as_str(), part.as_text().unwrap()))
            .collect();
        assert!(winner["winner.patch"].contains("+++ b/program.py"), "{winner:?}");
        assert!(winner["program.py"].contains("def middle"));
        let result = data_of(&heard.artifacts[2]);
        assert_eq!(
            (&result["type"], &result["seed"], &result["best"]["scores"]["accuracy"]),
            (&json!("evolve_result"), &json!(5), &json!(1.0))
        );
        assert!(result["wall_s"].as_f64().unwrap() > 0.0 && result["data_dir"] == "");
    });
}

#[test]
fn canceling_the_task_stops_the_run() {
    let data = TempDir::new().unwrap();
    let daemon = Daemon::start(data.path(), "127.0.0.1:0");
    Runtime::new().unwrap().block_on(async {
        let client = daemon.client().await;
        let request = json!({ "type": "evolve", "files": files(ENDLESS, 100_000), "seed": 1 });
        let mut stream = client.stream(&saying(request)).await.unwrap();
        let mut heard = Heard::default();
        heard
            .of(&mut stream, |heard| {
                heard.progress.len() >= 2 || heard.last.is_some_and(TaskState::is_terminal)
            })
            .await;
        if skipped(&heard) {
            return;
        }
        let task = client.cancel(&heard.task).await.unwrap();
        assert_eq!(task.status.state, TaskState::Canceled);
        // The log tells when the run has heard of it: following it ends with the run.
        let mut log = darwind(data.path());
        let log = log.args(["log", heard.run(), "--follow", "--json"]).output().unwrap();
        let lines = String::from_utf8(log.stdout).unwrap();
        assert!(lines.lines().last().unwrap().contains("run_finished"), "{lines}");
        assert!(lines.contains("stop_evolution") && lines.contains("its task was canceled"));
    });
}

#[test]
fn a_daemon_killed_mid_stream_goes_on_with_task_and_stream() {
    let data = TempDir::new().unwrap();
    let mut daemon = Daemon::start(data.path(), "127.0.0.1:0");
    Runtime::new().unwrap().block_on(async {
        let client = daemon.client().await;
        let request = json!({ "type": "evolve", "files": files(ENDLESS, 300), "seed": 3 });
        let mut stream = client.stream(&saying(request)).await.unwrap();
        let mut heard = Heard::default();
        heard
            .of(&mut stream, |heard| {
                heard.progress.len() >= 3 || heard.last.is_some_and(TaskState::is_terminal)
            })
            .await;
        if skipped(&heard) {
            return;
        }
        let before = heard.progress.iter().filter_map(|one| one["evaluations"].as_u64()).max().unwrap();
        assert!(before < 300, "it was over before it could be killed");
        daemon.process.kill().unwrap();
        daemon.process.wait().unwrap();
        daemon = Daemon::start(data.path(), &daemon.address);
        heard.of(&mut stream, |_| false).await;
        assert_eq!(heard.last, Some(TaskState::Completed), "{}", heard.words);
        let result = data_of(heard.artifacts.last().unwrap());
        assert!(result["evaluations"].as_u64().unwrap() > before, "{result}");
        assert!(["evaluations", "exhausted"].contains(&result["stopped_by"].as_str().unwrap()), "{result}");
        assert_eq!(daemon.get("/api/v1/runs")["total"], 1, "one task is one run");
        let resumed = darwind(data.path()).args(["log", heard.run(), "--json"]).output().unwrap();
        assert!(String::from_utf8_lossy(&resumed.stdout).contains("run_resumed"));
    });
}

#[test]
fn two_daemons_judge_and_learn_from_each_other() {
    let (ours, theirs, target) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    lay_out(target.path());
    let run = |data: &Path, seed: &str, evaluations: &str| {
        let mut command = darwind(data);
        command.arg("run").arg(target.path()).args(["--seed", seed, "--evaluations", evaluations]);
        command.args(["--listen", "none", "--json"]).output().unwrap()
    };
    let first = run(theirs.path(), "9", "2");
    if first.status.code() == Some(3) {
        println!("skipped: {}", String::from_utf8_lossy(&first.stderr));
        return;
    }
    let peer = Daemon::start(theirs.path(), "127.0.0.1:0");
    let us = Daemon::start(ours.path(), "127.0.0.1:0");
    let told =
        |data: &Path, words: &[&str]| darwind(data).arg("peers").args(words).arg("--json").output().unwrap();
    let peers = |words: &[&str]| told(ours.path(), words);
    let added = json_of(&peers(&["add", &peer.base(), "--name", "bob", "--token-env", "PEER_TOKEN"]));
    assert_eq!(added["skills"].as_array().unwrap().len(), 5);
    // Each knows the other again by the key that the other's card is signed with.
    let back =
        json_of(&told(theirs.path(), &["add", &us.base(), "--name", "alice", "--token-env", "PEER_TOKEN"]));
    let published: Value =
        serde_json::from_str(&us.exchange("GET", "/.well-known/jwks.json", &[], "").1).unwrap();
    assert!(back["key_id"].is_string() && back["key_id"] != added["key_id"], "{back}");
    assert_eq!(back["key_id"], published["keys"][0]["kid"]);
    assert_eq!(peer.get("/api/v1/peers")["peers"][0]["key_id"], back["key_id"]);
    let listed = darwind(theirs.path()).args(["peers", "list"]).output().unwrap();
    let line = format!("alice  {}  key {}  ", us.base(), back["key_id"].as_str().unwrap());
    assert!(String::from_utf8_lossy(&listed.stdout).contains(&line), "{listed:?}");
    // What improves is told without being asked.
    let won = json_of(&run(ours.path(), "5", "2000"));
    assert_eq!(won["best"]["scores"]["accuracy"], 1.0, "{won}");
    let best = won["best"]["candidate_id"].as_str().unwrap();
    let seen = peer.get("/api/v1/peers");
    assert_eq!(seen["flow"][0]["event_type"], "knowledge_received");
    assert!(seen["flow"].as_array().unwrap().iter().any(|one| one["queued"] == true), "{seen}");
    assert!(seen["flow"].as_array().unwrap().iter().all(|one| one["signed_by"] == "alice"), "{seen}");
    assert_eq!(seen["sources"][0]["source"], "alice (signed)/middle");
    assert_eq!(json_of(&peers(&["share", best]))["peers"][0]["outcome"], "has it already");
    // What was told stands in the run's own log, whenever it was told.
    let log = |data: &Path, run: &Value| {
        let output = darwind(data).args(["log", run["run_id"].as_str().unwrap(), "--json"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let told = log(ours.path(), &won);
    let line = told.lines().find(|line| line.contains("\"knowledge_shared\"")).expect("it was told");
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["data"]["to"], &line["data"]["outcome"]), (&json!("bob"), &json!("accepted")));
    assert!(line["modification_id"].as_str().unwrap().starts_with(won["run_id"].as_str().unwrap()));
    // They measure our candidate themselves.
    let verdict = json_of(&peers(&["validate", best]));
    assert_eq!((&verdict["action"], &verdict["valid"]), (&json!("approve"), &json!(1)), "{verdict}");
    assert_eq!(verdict["validators"][0]["scores"]["accuracy"], 1.0);
    // And learn from it: what they were told improves their own program.
    let taught = json_of(&run(theirs.path(), "9", "80"));
    assert_eq!(taught["best"]["scores"]["accuracy"], 1.0, "{taught}");
    let heard = log(theirs.path(), &taught);
    let heard = heard.lines().find(|line| line.contains("\"knowledge_received\"")).expect("it was heard");
    assert!(heard.contains("\"signed_by\":\"alice\""), "{heard}");
    let asked = log(theirs.path(), &taught).matches("\"proposer\":\"peer_knowledge\"").count();
    assert!(asked > 0, "a package that waits is asked for");
    refuses_what_was_changed(theirs.path(), &peer);
    let trust = peer.get("/api/v1/peers")["sources"][0].clone();
    assert!(trust["improved"].as_u64().unwrap() >= 1, "{trust}");
    assert_eq!(json_of(&peers(&["remove", "bob"]))["removed"], "bob");
}

#[test]
fn daemons_that_search_the_same_program_divide_it_until_one_ends() {
    let (ours, theirs, target) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    lay_out(target.path());
    let mut tried = darwind(ours.path());
    tried.arg("run").arg(target.path()).args(["--evaluations", "1", "--listen", "none"]);
    let tried = tried.output().unwrap();
    if tried.status.code() == Some(3) {
        println!("skipped: {}", String::from_utf8_lossy(&tried.stderr));
        return;
    }
    let (us, peer) = (Daemon::start(ours.path(), "127.0.0.1:0"), Daemon::start(theirs.path(), "127.0.0.1:0"));
    for (data, other) in [(ours.path(), &peer), (theirs.path(), &us)] {
        let added = darwind(data).args(["peers", "add", &other.base(), "--token-env", "PEER_TOKEN"]).output();
        assert!(added.unwrap().status.success());
    }
    let begin = |daemon: &Daemon| {
        let body = json!({ "files": files(ENDLESS, 1_000_000), "seed": 1 }).to_string();
        let headers = [("Authorization", &*format!("Bearer {TOKEN}")), ("Content-Type", "application/json")];
        let (status, answer) = daemon.exchange("POST", "/api/v1/runs", &headers, &body);
        assert!((200..300).contains(&status), "{status}: {answer}");
        serde_json::from_str::<Value>(&answer).unwrap()["run_id"].as_str().unwrap().to_owned()
    };
    // The news of one run, as they come.
    let divisions = |data: &Path, run: &str| {
        let mut following = darwind(data);
        following.args(["log", run, "--follow", "--json"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let lines = BufReader::new(following.spawn().unwrap().stdout.take().unwrap()).lines();
        let events = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        events.filter(|event| event["event_type"] == "search_divided").map(|event| event["data"].clone())
    };
    let (our_run, their_run) = (begin(&us), begin(&peer));
    let (mut of_us, mut of_them) = (divisions(ours.path(), &our_run), divisions(theirs.path(), &their_run));
    let (mine, other) = (of_us.next().unwrap(), of_them.next().unwrap());
    assert_eq!((&mine["part"]["of"], &other["part"]["of"]), (&json!(2), &json!(2)), "{mine} {other}");
    assert_ne!(mine["part"]["own"], other["part"]["own"]);
    assert_eq!(mine["with"].as_array().unwrap().len(), 1, "{mine}");
    let stopped = darwind(theirs.path()).args(["stop", &their_run]).output().unwrap();
    assert!(stopped.status.success(), "{stopped:?}");
    assert_eq!(of_us.next().unwrap()["part"], Value::Null, "who is left searches alone");
}

#[test]
fn a_notification_that_has_arrived_is_not_sent_twice() {
    use store::Log as _;
    let data = TempDir::new().unwrap();
    let daemon = Daemon::start(data.path(), "127.0.0.1:0");
    let log = store::SqliteStore::open(&data.path().join("darwind.sqlite")).unwrap();
    let letter = json!({ "taskId": "t", "owner": "peer", "config": { "id": "c", "url": "https://nobody.invalid/" },
        "reason": "its receiver failed", "at": "2026-01-01T00:00:00Z", "contentType": "application/json" });
    let mut with_secret = letter.clone();
    with_secret["secret"] = json!(true);
    with_secret["body"] = json!("{}");
    let record =
        |kind: &str, data: &Value| store::NewRecord { kind: kind.to_owned(), time_ms: 1, data: data.clone() };
    let records = [
        record("put_aside", &letter),
        record("put_aside", &letter),
        record("delivered", &json!(1)),
        record("put_aside", &with_secret),
    ];
    log.append("a2a-dead-letters-0", store::Expected::Any, &records).unwrap();
    let letters = daemon.get("/api/v1/peers")["dead_letters"].clone();
    let numbers: Vec<&Value> = letters.as_array().unwrap().iter().map(|letter| &letter["number"]).collect();
    assert_eq!(numbers, [2, 4]);
    let bearer = format!("Bearer {TOKEN}");
    let replay = |number: u32| {
        let path = format!("/api/v1/peers/letters/{number}/replay");
        let (status, body) = daemon.exchange("POST", &path, &[("Authorization", &bearer)], "");
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    assert_eq!(replay(1), (200, json!({ "number": 1, "delivered": true })));
    assert_eq!(replay(9).0, 404);
    let (status, problem) = replay(2);
    assert_eq!((status, problem["detail"].as_str().unwrap()), (409, "letter 2 was too long to be kept"));
    // Its task is gone, and with it what the webhook was to be shown.
    let (status, problem) = replay(4);
    assert!(
        status == 409 && problem["detail"].as_str().unwrap().contains("not registered any more"),
        "{problem}"
    );
    let by_hand = darwind(data.path()).args(["peers", "letters", "--replay", "2"]).output().unwrap();
    let words = String::from_utf8_lossy(&by_hand.stderr).into_owned();
    assert!(!by_hand.status.success() && words.contains("too long to be kept"), "{words}");
}

/// Sends a signed package on that came to a daemon: as it was it is known, changed it is refused.
fn refuses_what_was_changed(data: &Path, daemon: &Daemon) {
    use store::Log as _;
    let store = store::SqliteStore::open(&data.join("darwind.sqlite")).unwrap();
    let records = store.read("knowledge", 0, 100).unwrap();
    let received = records.iter().find(|record| record.kind == "knowledge_received").unwrap();
    let package = received.data["package"].clone();
    let transfer =
        |package: &Value| json!({ "type": "knowledge_transfer", "transfer_id": "again", "package": package });
    Runtime::new().unwrap().block_on(async {
        let client = daemon.client().await;
        let known = ask(&client, transfer(&package)).await;
        assert_eq!(data_of(known.artifacts.last().unwrap())["accepted"], true);
        // The digest is computed anew by whoever receives it; the signature is not to be had so easily.
        let mut changed = package.clone();
        changed["source_agent"] = json!("mallory");
        changed["digest"] = json!("");
        let refused = ask(&client, transfer(&changed)).await;
        let words = refused.status.message.as_ref().map(Message::first_text).unwrap_or_default();
        assert_eq!(refused.status.state, TaskState::Rejected, "{words}");
        assert!(words.contains("signature does not hold"), "{words}");
        // Without any signature it is read, vouched for by nobody, and not tried where only what is signed is.
        changed.as_object_mut().unwrap().remove("signature");
        let read = data_of(ask(&client, transfer(&changed)).await.artifacts.last().unwrap());
        assert_eq!(read["accepted"], false);
        assert!(read["feedback"].as_str().unwrap().contains("takes only packages that are signed"), "{read}");
        let flow = daemon.get("/api/v1/peers")["flow"].clone();
        let unsigned = |one: &&Value| one["source_agent"] == "mallory";
        let unsigned = flow.as_array().unwrap().iter().find(unsigned).unwrap();
        assert_eq!((&unsigned["signed_by"], &unsigned["from"]), (&Value::Null, &json!("operator/mallory")));
    });
}

#[test]
fn candidates_are_measured_and_not_believed() {
    let data = TempDir::new().unwrap();
    let daemon = Daemon::start(data.path(), "127.0.0.1:0");
    Runtime::new().unwrap().block_on(async {
        let client = daemon.client().await;
        let asking = |program: &str, path: &str| {
            json!({ "type": "validation_request", "request_id": "7", "requester": "me", "validation_type": "tests",
                "candidate": { "id": "c", "code_changes": { path: program }, "scores": { "accuracy": 1.0 } },
                "target": { "files": files(CASES, 1) } })
        };
        let task = ask(&client, asking(MENDED, "program.py")).await;
        if refused(&task) {
            return;
        }
        let verdict = data_of(task.artifacts.last().unwrap());
        assert_eq!((&verdict["type"], &verdict["request_id"]), (&json!("validation_response"), &json!("7")));
        assert_eq!((&verdict["recommendation"], &verdict["scores"]["accuracy"]), (&json!("approve"), &json!(1.0)));
        // Scores that came along count for nothing.
        let worse = PROGRAM.replace("ordered[len(ordered) // 3]", "None");
        let verdict = data_of(ask(&client, asking(&worse, "program.py")).await.artifacts.last().unwrap());
        assert_eq!(verdict["recommendation"], "reject", "{verdict}");
        for (program, path) in [("[]", "cases.json"), ("x", "../program.py"), ("x", "/etc/passwd")] {
            let task = ask(&client, asking(program, path)).await;
            assert_eq!(task.status.state, TaskState::Rejected, "{path}: {:?}", task.status);
        }
    });
}

#[test]
fn what_is_hostile_is_refused_and_leaves_nothing() {
    let data = TempDir::new().unwrap();
    let daemon = Daemon::start(data.path(), "127.0.0.1:0");
    Runtime::new().unwrap().block_on(async {
        let client = daemon.client().await;
        let with = |name: &str, text: &str| {
            let mut sent = files(CASES, 5);
            sent[name] = json!(text);
            json!({ "type": "evolve", "files": sent })
        };
        let command =
            format!("{}[proposers.agent]\nrun = [\"touch\", \"/tmp/darwind-was-here\"]\n", configuration(5));
        let python = configuration(5).replace("[target]", "[target]\npython = \"./program.py\"");
        let deep = (0..40).fold(json!("x"), |inner, _| json!([inner]));
        let change = |text: &str| {
            json!({ "kind": "function", "name": "middle", "args": ["values"], "path": "../../x.py",
            "before": "def middle(values): pass", "after": text })
        };
        let package = |text: &str| {
            json!({ "type": "knowledge_transfer", "transfer_id": "1", "package": {
            "source_agent": "eve", "improvement_type": "speed", "performance_impact": 1e308,
            "code_pattern": { "patterns": [change(text)] } } })
        };
        let hostile = [
            with("../outside.py", "x = 1"),
            with("/tmp/outside.py", "x = 1"),
            with("darwind.toml", &command),
            with("darwind.toml", &python),
            json!({ "type": "evolve", "files": deep }),
            json!({ "type": "evolve", "files": { "a": 7 } }),
            json!({ "type": "nonsense" }),
            package(&"x".repeat(70_000)),
            json!({ "type": "knowledge_transfer", "package": { "schema": 99 } }),
            json!({ "type": "evolution_group_join", "group_id": "g".repeat(1000), "agent_id": "a" }),
        ];
        for message in hostile {
            let task = ask(&client, message.clone()).await;
            let words = task.status.message.as_ref().map(Message::first_text).unwrap_or_default();
            assert_eq!(task.status.state, TaskState::Rejected, "{message}: {words}");
            assert!(!words.is_empty(), "{message}");
        }
        assert_eq!(daemon.get("/api/v1/runs")["total"], 0);
        assert!(!data.path().join("outside.py").exists() && !data.path().join("targets/outside.py").exists());
        // A package of good form that fits nothing is declined, and a request larger than is read is not read.
        let answer =
            data_of(ask(&client, package("def middle(values): return 1")).await.artifacts.last().unwrap());
        assert_eq!(answer["accepted"], false, "{answer}");
        let flood = json!({ "type": "evolve", "files": { "x.py": "x".repeat(9 << 20) } });
        assert!(client.send(&saying(flood)).await.is_err());
        assert_eq!(daemon.exchange("GET", "/healthz", &[], "").0, 200);
    });
}
