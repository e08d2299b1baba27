//! `darwind serve` over real sockets: who gets in, what is shown, that commands do what they say, and that a killed daemon
//! goes on where it was.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "what cannot run here is printed as skipped")]

#[path = "support/listening.rs"]
mod listening;

use listening::address_of;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

const TOKEN: &str = "operator-token";
const VIEWER: &str = "viewer-token";

/// Two functions, a fault in each, and evaluations enough that nothing ends before it was looked at.
const PROGRAM: &str = "def middle(values):\n    ordered = sorted(values)\n    return ordered[len(ordered) // 3]\n\ndef area(a, b):\n    return a + b\n";
const CASES: &str = r#"[{"function": "middle", "args": [[3, 1, 2]], "expected": 2},
    {"function": "middle", "args": [[5, 4, 3, 2, 1]], "expected": 4}, {"function": "middle", "args": [[1]], "expected": 3},
    {"function": "area", "args": [2, 3], "expected": 6}, {"function": "area", "args": [1, 1], "expected": 7}]"#;

fn configuration(evaluations: u32) -> String {
    format!(
        "[target]\nname = \"middle\"\nfiles = [\"program.py\"]\n[[objective]]\nname = \"accuracy\"\nkind = \"pass_rate\"\ncases = \"cases.json\"\n[budget]\nevaluations = {evaluations}\ntime = \"10m\"\n"
    )
}

/// A daemon that is killed when the test is over.
struct Daemon {
    process: Child,
    address: String,
}

impl Daemon {
    /// None when nothing can be contained here, which is printed.
    fn start(data: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_darwind"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("DARWIND_DATA_DIR", data)
            .env("DARWIND_TOKEN", TOKEN)
            .env("DARWIND_VIEWER_TOKEN", VIEWER)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let address = address_of(&mut process);
        Self { process, address }
    }

    /// An HTTP exchange: status, headers, body.
    fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "Host") {
            request.push_str(&format!("Host: {}\r\n", self.address));
        }
        if !body.is_empty() {
            request.push_str("Content-Type: application/json\r\n");
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{request}\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let bearer = format!("Bearer {TOKEN}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, _, body) = self.exchange(method, path, &[("Authorization", &bearer)], &body);
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn socket(&self, path: &str, protocol: Option<&str>) -> WebSocket<TcpStream> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("Authorization", format!("Bearer {TOKEN}").parse().unwrap());
        if let Some(protocol) = protocol {
            headers.insert("Sec-WebSocket-Protocol", protocol.parse().unwrap());
        }
        let stream = TcpStream::connect(&self.address).unwrap();
        tungstenite::client(request, stream).unwrap().0
    }

    /// Starts a run of the two functions; `None` when this machine can contain nothing, which is printed.
    fn run(&self, evaluations: u32) -> Option<String> {
        let files =
            json!({ "program.py": PROGRAM, "cases.json": CASES, "darwind.toml": configuration(evaluations) });
        self.start_run(&files)
    }

    fn start_run(&self, files: &Value) -> Option<String> {
        let (status, answer) = self.ask("POST", "/api/v1/runs", &json!({ "files": files, "seed": 5 }));
        if status == 409 {
            println!("skipped: {answer}");
            return None;
        }
        assert_eq!(status, 201, "{answer}");
        Some(answer["run_id"].as_str().unwrap().to_owned())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The next message of a socket.
fn hear(socket: &mut WebSocket<TcpStream>) -> Value {
    loop {
        match socket.read().unwrap() {
            Message::Text(text) => return serde_json::from_str(text.as_str()).unwrap(),
            Message::Close(frame) => panic!("closed: {frame:?}"),
            _ => {}
        }
    }
}

fn say(socket: &mut WebSocket<TcpStream>, value: &Value) {
    socket.send(Message::text(value.to_string())).unwrap();
}

/// Hears until a message fits, and answers it; what comes before is handed to `other`.
fn until(socket: &mut WebSocket<TcpStream>, mut fits: impl FnMut(&Value) -> bool) -> Value {
    loop {
        let heard = hear(socket);
        if fits(&heard) {
            return heard;
        }
    }
}

#[test]
fn nobody_gets_in_by_another_door() {
    let data = TempDir::new().unwrap();
    let daemon = Daemon::start(data.path());
    let (bearer, viewer) = (format!("Bearer {TOKEN}"), format!("Bearer {VIEWER}"));
    let status =
        |method: &str, path: &str, headers: &[(&str, &str)]| daemon.exchange(method, path, headers, "").0;
    assert_eq!(status("GET", "/healthz", &[]), 200);
    assert_eq!(status("GET", "/readyz", &[]), 200);
    assert_eq!(status("GET", "/", &[]), 200);
    for path in ["/api/v1/runs", "/metrics", "/ws", "/api/v1/nothing"] {
        assert_eq!(status("GET", path, &[]), 401, "{path}");
        assert_eq!(status("GET", path, &[("Authorization", "Bearer wrong")]), 401, "{path}");
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "POST"] {
        assert_eq!(status(method, "/api/v1/runs", &[]), 401, "{method}");
    }
    assert_eq!(status("DELETE", "/api/v1/runs", &[("Authorization", &bearer)]), 405);
    assert_eq!(status("GET", "/api/v1/runs", &[("Authorization", &bearer)]), 200);
    assert_eq!(status("GET", "/api/v1/runs", &[("Authorization", &bearer), ("Host", "evil.example")]), 403);
    assert_eq!(
        status("GET", "/api/v1/runs", &[("Authorization", &bearer), ("Origin", "http://evil.example")]),
        403
    );
    assert_eq!(status("GET", "/", &[("Host", "evil.example")]), 403);
    let (refused, _, _) = daemon.exchange("POST", "/api/v1/runs", &[("Authorization", &viewer)], "{}");
    assert_eq!(refused, 403, "a viewer starts nothing");
    let (wrong, _, _) = daemon.exchange("POST", "/api/session", &[], r#"{"token": "guess"}"#);
    assert_eq!(wrong, 401);
    let body = format!(r#"{{"token": "{TOKEN}"}}"#);
    let (opened, head, _) = daemon.exchange("POST", "/api/session", &[], &body);
    assert_eq!(opened, 204);
    let cookie = head.split("set-cookie: ").nth(1).unwrap().split(';').next().unwrap().to_owned();
    assert!(head.contains("httponly") && head.contains("samesite=strict"), "{head}");
    let (known, head, body) = daemon.exchange("GET", "/api/session", &[("Cookie", &cookie)], "");
    assert_eq!((known, body.as_str()), (200, r#"{"role":"operator"}"#));
    assert!(head.contains("content-security-policy: default-src 'self'"), "{head}");
    let (bad, body) = daemon.ask("POST", "/api/v1/runs", &json!({ "path": "/nowhere", "files": {} }));
    assert_eq!((bad, body["status"].as_u64()), (422, Some(422)), "{body}");
    let outside = json!({ "files": { "../outside.py": "" } });
    assert_eq!(daemon.ask("POST", "/api/v1/runs", &outside).0, 422);
}

#[test]
fn a_run_is_watched_and_steered() {
    let data = TempDir::new().unwrap();
    let daemon = Daemon::start(data.path());
    let Some(run) = daemon.run(100_000) else { return };
    let mut socket = daemon.socket(&format!("/ws?run={run}&after=0"), None);
    let mut last = 0;
    let mut follow = |message: &Value, fits: &dyn Fn(&Value) -> bool| {
        if message["type"] == "evolution_progress" {
            last += 1;
            assert_eq!(message["data"]["seq"], last, "every event, in order");
            assert_eq!(message["data"]["run_id"], run.as_str());
        }
        fits(message)
    };
    let baseline = format!("{run}-0");
    let crowned = until(&mut socket, |message| {
        let other = message["data"]["modification_id"] != baseline.as_str();
        follow(message, &|m| m["data"]["event_type"] == "champion_changed" && other)
    });
    assert!(crowned["data"]["modification_id"].is_string() && crowned["data"]["timestamp"].is_string());
    say(&mut socket, &json!({ "command": "pause_evolution", "id": "one" }));
    let result = until(&mut socket, |message| follow(message, &|m| m["type"] == "command_result"));
    assert_eq!((&result["ok"], &result["id"]), (&json!(true), &json!("one")), "{result}");
    let paused = until(&mut socket, |message| {
        follow(message, &|m| m["data"]["state"] == "paused" && m["type"] == "performance_metrics")
    });
    let at = format!("/api/v1/runs/{run}");
    let shown = daemon.get(&at);
    assert_eq!((shown["state"].as_str(), &shown["seq"]), (Some("paused"), &paused["data"]["seq"]));
    // Nothing moves while it is paused: the next figures are the same.
    let later = until(&mut socket, |message| follow(message, &|m| m["type"] == "performance_metrics"));
    assert_eq!(later["data"]["evaluations"], paused["data"]["evaluations"]);
    let past = daemon.get(&format!("{at}?at={}", shown["seq"]));
    for part in ["state", "counters", "champion", "front", "hypervolume", "learning_rate"] {
        assert_eq!(past[part], shown[part], "the past at the newest event is the present: {part}");
    }
    let commands = format!("{at}/commands");
    let back = json!({ "command": "rollback_modification", "modification_id": format!("{run}-0"), "reason": "back", "id": "two" });
    let (status, answer) = daemon.ask("POST", &commands, &back);
    assert_eq!(status, 200, "{answer}");
    let (status, again) = daemon.ask("POST", &commands, &back);
    assert_eq!((status, &again["seq"]), (200, &answer["seq"]), "obeyed once for each id");
    until(&mut socket, |message| follow(message, &|m| m["data"]["event_type"] == "rollback_completed"));
    let rolled = daemon.get(&at);
    assert_eq!(rolled["champion"]["number"], 0, "{rolled}");
    let keep = |name: &str| {
        let body = json!({ "command": name, "modification_id": format!("{run}-0"), "reason": "it is known" });
        let status = daemon.ask("POST", &commands, &body).0;
        (status, daemon.get(&at)["pinned"].as_bool().unwrap())
    };
    assert_eq!(keep("pin"), (200, true), "the champion can be kept");
    assert_eq!(keep("pin"), (409, true), "once");
    assert_eq!(keep("promote"), (200, false), "and be let go");
    let idle = json!({ "command": "abort_evaluation", "modification_id": format!("{run}-0") });
    assert_eq!(daemon.ask("POST", &commands, &idle).0, 409, "nothing of it is under way");
    let stale = json!({ "command": "resume_evolution", "expect_seq": 1 });
    assert_eq!(daemon.ask("POST", &commands, &stale).0, 409);
    assert_eq!(daemon.ask("POST", &commands, &json!({ "command": "dance" })).0, 422);
    assert_eq!(daemon.ask("POST", &format!("/api/v1/runs/{run}x/commands"), &back).0, 404);
    let unknown = json!({ "command": "promote", "modification_id": format!("{run}-99999") });
    assert_eq!(daemon.ask("POST", &commands, &unknown).0, 404);
    assert_eq!(
        daemon.ask("POST", &commands, &json!({ "command": "stop_evolution", "reason": "enough" })).0,
        200
    );
    until(&mut socket, |message| follow(message, &|m| m["data"]["event_type"] == "run_finished"));
    assert_eq!(daemon.get(&at)["state"], "stopped");
    // The pages of the log, laid together, are the log.
    let (mut after, mut seqs) = (0, Vec::new());
    loop {
        let page = daemon.get(&format!("{at}/events?after={after}&limit=7"));
        seqs.extend(page["events"].as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()));
        match page["next"].as_u64() {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(seqs, (1..=daemon.get(&at)["seq"].as_u64().unwrap()).collect::<Vec<_>>());
    let listed = daemon.get(&format!("{at}/candidates?limit=1"));
    assert!(
        listed["total"].as_u64() > Some(1) && listed["shown"] == 1 && listed["next"].is_number(),
        "{listed}"
    );
    let first = daemon.get(&format!("{at}/candidates/1"));
    assert_eq!(first["parents"][0], format!("{run}-0"));
    let diff = daemon.get(&format!("{at}/candidates/1/diff"));
    assert_eq!(diff["files"][0]["path"], "program.py", "{diff}");
    let file = daemon.get(&format!("{at}/candidates/0/files/program.py"));
    assert_eq!(file, json!(PROGRAM));
}

#[test]
fn the_dashboard_resumes_without_a_gap_after_the_daemon_was_killed() {
    let data = TempDir::new().unwrap();
    let mut daemon = Daemon::start(data.path());
    let Some(run) = daemon.run(400) else { return };
    let mut socket = daemon.socket("/ws", Some("darwind.v1"));
    let hello = hear(&mut socket);
    assert_eq!(
        (&hello["t"], &hello["proto"], &hello["role"]),
        (&json!("hello"), &json!(1), &json!("operator"))
    );
    say(&mut socket, &json!({ "t": "sub", "id": "a", "topic": "events", "run": run }));
    let resume = until(&mut socket, |message| message["t"] == "resume");
    assert_eq!(resume["from"], 0);
    let mut last = 0;
    let mut take = |message: &Value| {
        if message["t"] == "d" {
            assert_eq!(message["from"].as_u64(), Some(last + 1), "no gap");
            last = message["to"].as_u64().unwrap();
        }
        last
    };
    until(&mut socket, |message| take(message) > 40);
    for (said, code) in [
        ("garbage".to_owned(), "bad_frame"),
        (json!({ "t": "sub", "id": "b", "topic": "nothing" }).to_string(), "unknown_topic"),
        (json!({ "t": "sub", "id": "b", "topic": "events", "run": "nope" }).to_string(), "unknown_run"),
    ] {
        socket.send(Message::text(said)).unwrap();
        let error = until(&mut socket, |message| take(message) > 0 && message["t"] == "err");
        assert_eq!(error["code"], code, "{error}");
    }
    let unconfirmed = json!({ "t": "cmd", "id": "c", "name": "stop_evolution", "run": run, "reason": "" });
    say(&mut socket, &unconfirmed);
    let ack = until(&mut socket, |message| take(message) > 0 && message["t"] == "ack");
    assert_eq!((&ack["ok"], &ack["id"]), (&json!(false), &json!("c")), "{ack}");
    daemon.process.kill().unwrap();
    daemon.process.wait().unwrap();
    drop(socket);
    let daemon = Daemon::start(data.path());
    let mut socket = daemon.socket("/ws", Some("darwind.v1"));
    let from = json!({ "epoch": resume["epoch"], "seq": take(&Value::Null) });
    say(&mut socket, &json!({ "t": "sub", "id": "a", "topic": "events", "run": run, "from": from }));
    let again = until(&mut socket, |message| message["t"] == "resume");
    assert_eq!((&again["from"], &again["epoch"]), (&from["seq"], &resume["epoch"]));
    let finished = |message: &Value| {
        let events = message["ev"].as_array().into_iter().flatten();
        events.into_iter().any(|event| event["event_type"] == "run_finished")
    };
    until(&mut socket, |message| take(message) > 0 && finished(message));
    let shown = daemon.get(&format!("/api/v1/runs/{run}"));
    assert_eq!(
        (shown["state"].as_str(), shown["counters"]["evaluations"].as_u64()),
        (Some("finished"), Some(400))
    );
}

/// A check that passes what does not change and otherwise waits far longer than this test may take.
const PATIENT: &str = "import time\nimport program\ntime.sleep(0 if program.area(2, 3) == 5 else 3000)\n";

#[test]
fn an_evaluation_is_aborted_and_the_run_goes_on() {
    let data = TempDir::new().unwrap();
    let daemon = Daemon::start(data.path());
    let check = "[[check]]\nname = \"patience\"\nrun = [\"python\", \"patient.py\"]\ntimeout = \"50m\"\n";
    let files = json!({ "program.py": "def area(a, b):\n    return a + b\n", "patient.py": PATIENT,
        "cases.json": r#"[{"function": "area", "args": [2, 3], "expected": 6}]"#,
        "darwind.toml": format!("{}{check}", configuration(1_000)) });
    let Some(run) = daemon.start_run(&files) else { return };
    let mut socket = daemon.socket(&format!("/ws?run={run}&after=0"), None);
    let commands = format!("/api/v1/runs/{run}/commands");
    // Two of them: the second shows that the lane of the first works again.
    for _ in 0..2 {
        let aborted = loop {
            let started = until(&mut socket, |message| {
                message["data"]["event_type"] == "validation_started" && message["data"]["purpose"] == "judge"
            });
            let id = started["data"]["modification_id"].clone();
            let abort = json!({ "command": "abort_evaluation", "modification_id": id, "reason": "it takes too long" });
            match daemon.ask("POST", &commands, &abort).0 {
                200 => break id,
                status => assert_eq!(status, 409, "it had ended already"),
            }
        };
        let failed = until(&mut socket, |message| message["data"]["event_type"] == "evaluation_failed");
        assert_eq!(
            (&failed["data"]["modification_id"], &failed["data"]["aborted"]),
            (&aborted, &json!(true))
        );
        let verdict = until(&mut socket, |message| {
            message["data"]["event_type"] == "improvement_rejected"
                && message["data"]["modification_id"] == aborted
        });
        assert_eq!(verdict["data"]["gate"], "aborted", "{verdict}");
        assert!(verdict["data"]["reason"].as_str().unwrap().contains("it takes too long"), "{verdict}");
    }
    let shown = daemon.get(&format!("/api/v1/runs/{run}"));
    assert_eq!(
        (shown["state"].as_str(), &shown["breakers"]["evaluator"]["state"]),
        (Some("running"), &json!("closed"))
    );
    let stop = json!({ "command": "stop_evolution", "reason": "enough" });
    assert_eq!(daemon.ask("POST", &commands, &stop).0, 200);
    until(&mut socket, |message| message["data"]["event_type"] == "run_finished");
}
