//! What the process tells of itself: traces that follow each candidate, taken by a collector of the test's own, and lines
//! of its log.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use tempfile::TempDir;

const PROGRAM: &str = "def area(a, b):\n    return a + b\n";
const CASES: &str = r#"[{"function": "area", "args": [2, 3], "expected": 6}, {"function": "area", "args": [1, 1], "expected": 7}]"#;
const CONFIGURATION: &str = "[target]\nname = \"area\"\nfiles = [\"program.py\"]\n[[objective]]\nname = \"accuracy\"\nkind = \"pass_rate\"\ncases = \"cases.json\"\n[budget]\nevaluations = 12\ntime = \"5m\"\n";

fn darwind(data: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_darwind"));
    command.env("DARWIND_DATA_DIR", data.path()).env_remove("DARWIND_LOG");
    command
}

/// A collector that takes what is posted: its address, and the bodies as they come.
fn collector() -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, posted) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                while let Some(post) = read_post(&mut reader) {
                    let _ = sender.send(post);
                    let answer =
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
                    reader.get_mut().write_all(answer.as_bytes()).unwrap();
                }
            });
        }
    });
    (address, posted)
}

/// One request: its path and its body; none when the connection is over.
fn read_post(reader: &mut BufReader<TcpStream>) -> Option<(String, Value)> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|count| *count > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().to_lowercase().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first.split(' ').nth(1)?.to_owned(), serde_json::from_slice(&body).ok()?))
}

fn attribute<'v>(span: &'v Value, name: &str) -> &'v Value {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == name);
    found.map_or(&Value::Null, |attribute| &attribute["value"]["stringValue"])
}

#[test]
fn a_trace_follows_each_candidate_from_its_proposal_to_its_verdict() {
    let (data, target) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for (name, text) in [("program.py", PROGRAM), ("cases.json", CASES), ("darwind.toml", CONFIGURATION)] {
        std::fs::write(target.path().join(name), text).unwrap();
    }
    let (address, posted) = collector();
    let output = darwind(&data)
        .args(["run", "--listen", "none", "--json"])
        .arg(target.path())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &address)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(3) {
        println!("skipped: {said}");
        return;
    }
    assert!(output.status.success(), "{said}");
    let posts: Vec<(String, Value)> = posted.try_iter().collect();
    assert!(posts.iter().all(|(path, _)| path == "/v1/traces"), "everything went to the endpoint of traces");
    let spans: Vec<&Value> = posts
        .iter()
        .flat_map(|(_, body)| body["resourceSpans"].as_array().unwrap())
        .flat_map(|resource| resource["scopeSpans"].as_array().unwrap())
        .flat_map(|scope| scope["spans"].as_array().unwrap())
        .collect();
    let named = |name: &str| spans.iter().filter(|span| span["name"] == name).copied().collect::<Vec<_>>();
    let nanos = |span: &Value, which: &str| span[which].as_str().unwrap().parse::<u64>().unwrap();
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let evaluations = summary["evaluations"].as_u64().unwrap() as usize;
    let judged: Vec<&Value> = named("candidate")
        .into_iter()
        .filter(|span| {
            ["accepted", "archived", "rejected"].iter().any(|word| attribute(span, "darwind.verdict") == word)
        })
        .collect();
    assert_eq!(judged.len(), evaluations, "each candidate that was evaluated has its trace: {summary}");
    for whole in judged {
        let mut within = spans.iter().filter(|span| span["parentSpanId"] == whole["spanId"]);
        let (proposal, evaluation) = (within.next().unwrap(), within.next().unwrap());
        assert_eq!((&proposal["name"], &evaluation["name"]), (&"propose".into(), &"evaluate".into()));
        for part in [proposal, evaluation] {
            assert_eq!(part["traceId"], whole["traceId"]);
            assert!(nanos(part, "startTimeUnixNano") >= nanos(whole, "startTimeUnixNano"));
            assert!(nanos(part, "endTimeUnixNano") <= nanos(whole, "endTimeUnixNano"));
        }
        assert_eq!(attribute(whole, "darwind.proposer"), "ast");
    }
}

#[test]
fn the_log_is_structured_and_says_nothing_secret() {
    let data = TempDir::new().unwrap();
    let mut process = darwind(&data)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("DARWIND_TOKEN", "a-secret-token")
        .env("DARWIND_LOG", "api=debug")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
    let link = lines.next().unwrap();
    let address = link.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    let asked = format!(
        "GET /api/v1/runs HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer guessed-token\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(asked.as_bytes()).unwrap();
    stream.read_to_string(&mut String::new()).unwrap();
    let line = lines.find(|line| line.contains("refused")).unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&told["level"], &told["path"], &told["status"]),
        (&"WARN".into(), &"/api/v1/runs".into(), &401.into())
    );
    assert!(!line.contains("token"), "{line}");
}

#[test]
fn an_unknown_level_is_refused_with_a_suggestion() {
    let data = TempDir::new().unwrap();
    let output = darwind(&data).arg("runs").env("DARWIND_LOG", "debgu").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("did you mean \"debug\""), "{said}");
}
