//! The dashboard's protocol over a real socket, with a log longer than a page should fold: it begins with a snapshot, and
//! who reads too slowly is told what it missed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use api::{
    Access, Collective, CommandRequest, FileChange, NewRun, Obeyed, Options, Redelivered, Server, Service,
    ServiceError,
};
use evolution::id::{CommitId, RunId};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::{Expected, Log, MemoryStore, NewRecord};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

const TOKEN: &str = "token";
const VIEWER_TOKEN: &str = "onlooker";
/// More records than a page is made to read.
const MANY: u64 = 25_000;

/// A daemon that only looks.
struct Onlooker;

impl Service for Onlooker {
    fn peers(&self) -> Result<Collective, ServiceError> {
        Ok(Collective::default())
    }

    fn replay_letter(&self, number: u64) -> Result<Redelivered, ServiceError> {
        match number {
            1 => Ok(Redelivered { number, delivered: true }),
            2 => Err(ServiceError::Refused("it is being sent already".to_owned())),
            _ => Err(ServiceError::NotFound(format!("there is no letter {number}"))),
        }
    }

    fn start(&self, _: NewRun) -> Result<RunId, ServiceError> {
        Err(ServiceError::Refused("nothing is started here".to_owned()))
    }

    fn command(&self, _: &RunId, _: CommandRequest) -> Result<Obeyed, ServiceError> {
        Err(ServiceError::Refused("nothing is commanded here".to_owned()))
    }

    fn is_driven(&self, _: &RunId) -> bool {
        false
    }

    fn diff(&self, _: &RunId, _: &CommitId, _: &CommitId) -> Result<Vec<FileChange>, ServiceError> {
        Ok(Vec::new())
    }

    fn file(&self, _: &RunId, _: &CommitId, path: &str) -> Result<Vec<u8>, ServiceError> {
        Err(ServiceError::NotFound(path.to_owned()))
    }
}

/// A recorded run, as the log holds it: its name and its records.
fn recorded() -> (RunId, Vec<NewRecord>) {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../monitor-ui/dev/recorded/slow_report.jsonl");
    let lines = std::fs::read_to_string(place).unwrap();
    let mut run = String::new();
    let records = lines.lines().enumerate().map(|(index, line)| {
        let record: Value = serde_json::from_str(line).unwrap();
        if let Some(id) = record["data"]["run_id"].as_str() {
            id.clone_into(&mut run);
        }
        let kind = record["event_type"].as_str().unwrap().to_owned();
        NewRecord { kind, time_ms: 1_000 + 10 * index as i64, data: record["data"].clone() }
    });
    let records = records.collect();
    (RunId::new(run), records)
}

/// Records that change nothing, for length.
fn refusals(from: u64, count: u64) -> Vec<NewRecord> {
    let refusal = |number: u64| NewRecord {
        kind: "control_received".to_owned(),
        time_ms: 1_000_000,
        data: json!({ "id": format!("c{number}"), "command": { "command": "pause_evolution" }, "reason": "x".repeat(200),
            "refused": "the run is over" }),
    };
    (from..from + count).map(refusal).collect()
}

/// Appends any number of records.
fn append(log: &dyn Log, stream: &str, records: &[NewRecord]) -> u64 {
    records.chunks(1_000).map(|part| log.append(stream, Expected::Any, part).unwrap()).last().unwrap()
}

fn serve(log: Arc<dyn Log>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let viewer = Some(VIEWER_TOKEN.to_owned());
    let access = Access::new(TOKEN.to_owned(), viewer, address, &[], || "session".to_owned());
    let metrics_interval = Duration::from_secs(1);
    Server::start(Options {
        listener,
        access,
        log,
        service: Arc::new(Onlooker),
        metrics_interval,
        annex: None,
    })
    .unwrap()
}

fn socket(server: &Server) -> WebSocket<TcpStream> {
    let mut request = format!("ws://{}/ws", server.address()).into_client_request().unwrap();
    request.headers_mut().insert("Authorization", format!("Bearer {TOKEN}").parse().unwrap());
    request.headers_mut().insert("Sec-WebSocket-Protocol", "darwind.v1".parse().unwrap());
    tungstenite::client(request, TcpStream::connect(server.address()).unwrap()).unwrap().0
}

/// The next frame of some kind; binary frames are handed to `binary`.
fn until(socket: &mut WebSocket<TcpStream>, kind: &str, binary: &mut Vec<u8>) -> Value {
    loop {
        match socket.read().unwrap() {
            Message::Text(text) => {
                let heard: Value = serde_json::from_str(text.as_str()).unwrap();
                if heard["t"] == kind {
                    return heard;
                }
            }
            Message::Binary(bytes) => *binary = bytes.to_vec(),
            _ => {}
        }
    }
}

fn say(socket: &mut WebSocket<TcpStream>, value: &Value) {
    socket.send(Message::text(value.to_string())).unwrap();
}

#[test]
fn a_long_run_begins_with_a_snapshot_and_goes_on_without_a_gap() {
    let (run, records) = recorded();
    let (log, stream) = (Arc::new(MemoryStore::new()), format!("run/{run}"));
    append(log.as_ref(), &stream, &records);
    let last = append(log.as_ref(), &stream, &refusals(0, MANY));
    let server = serve(log.clone());
    let (mut socket, mut binary) = (socket(&server), Vec::new());
    let hello = until(&mut socket, "hello", &mut binary);
    say(&mut socket, &json!({ "t": "sub", "id": "a", "topic": "events", "run": run }));
    let snap = until(&mut socket, "snap", &mut binary);
    assert_eq!((&snap["seq"], &snap["epoch"]), (&json!(last), &hello["epoch"]));
    let word = |at: usize| u32::from_le_bytes(binary[at..at + 4].try_into().unwrap());
    assert_eq!((binary[0], binary[1], word(8)), (1, 1, u32::try_from(last).unwrap()));
    let rows = word(12) as usize;
    let proposals = records.iter().filter(|record| record.kind == "proposal_requested").count();
    assert_eq!(rows, proposals + 1, "a row for each proposal and the baseline");
    assert_eq!(word(16), u32::MAX, "the baseline has no parent");
    let bytes = |column: usize| &binary[binary.len() - (4 - column) * rows.next_multiple_of(4)..][..rows];
    let counters = &snap["state"]["counters"];
    let fates = |wanted: u8| bytes(0).iter().skip(1).filter(|fate| **fate == wanted).count() as u64;
    assert_eq!(Some(fates(5)), counters["accepted"].as_u64());
    assert_eq!(Some(fates(6)), counters["rejected"].as_u64());
    let champion = snap["state"]["champion_history"].as_array().unwrap().last().unwrap();
    assert_eq!(bytes(3)[champion["number"].as_u64().unwrap() as usize] & 6, 6, "is and was the champion");
    assert_eq!(snap["state"]["commands"].as_array().unwrap().len(), 1000, "lists are bounded");
    append(log.as_ref(), &stream, &refusals(MANY, 3));
    let delta = until(&mut socket, "d", &mut binary);
    assert_eq!(delta["from"], last + 1, "no gap after the snapshot");
    // The past is replayed record by record: nobody waits for it live.
    say(&mut socket, &json!({ "t": "sub", "id": "b", "topic": "events", "run": run, "at": { "seq": 40 } }));
    assert_eq!(until(&mut socket, "resume", &mut binary)["to"], 40);
}

#[test]
fn who_reads_too_slowly_is_told_what_it_missed() {
    let (run, records) = recorded();
    let (log, stream) = (Arc::new(MemoryStore::new()), format!("run/{run}"));
    let begun = append(log.as_ref(), &stream, &records);
    let server = serve(log.clone());
    let (mut reader, mut sluggard, mut binary) = (socket(&server), socket(&server), Vec::new());
    for socket in [&mut reader, &mut sluggard] {
        say(socket, &json!({ "t": "sub", "id": "a", "topic": "events", "run": run }));
        until(socket, "resume", &mut binary);
    }
    // More than any buffer between the two holds, while the sluggard reads nothing and the other everything.
    let (mut seen, mut newest) = (0, begun);
    for part in 0..8 {
        newest = append(log.as_ref(), &stream, &refusals(part * 5_000, 5_000));
        while seen < newest {
            let delta = until(&mut reader, "d", &mut binary);
            assert_eq!(delta["from"], seen + 1, "who reads misses nothing");
            seen = delta["to"].as_u64().unwrap();
        }
    }
    let mut known = 0;
    let gap = loop {
        let text = match sluggard.read().unwrap() {
            Message::Text(text) => text,
            // On a machine as slow as that it took nothing for so long that it was let go instead, to resume.
            Message::Close(frame) => {
                assert_eq!(frame.map(|frame| u16::from(frame.code)), Some(4008));
                return;
            }
            _ => continue,
        };
        let heard: Value = serde_json::from_str(text.as_str()).unwrap();
        match heard["t"].as_str().unwrap() {
            "d" => known = heard["to"].as_u64().unwrap(),
            "gap" => break heard,
            _ => {}
        }
    };
    let (from, to) = (gap["from"].as_u64().unwrap(), gap["to"].as_u64().unwrap());
    assert_eq!((from, to, gap["missed"].as_u64().unwrap()), (known + 1, newest, to + 1 - from));
}

/// The number of a counter on the page of figures.
fn counted(server: &Server, name: &str) -> u64 {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = format!("Host: {}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close", server.address());
    write!(stream, "GET /metrics HTTP/1.1\r\n{head}\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    let line = page.lines().find(|line| line.contains(name) && !line.starts_with('#')).unwrap();
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[test]
fn who_reads_nothing_is_let_go_and_hears_why_when_it_reads_again() {
    let (run, records) = recorded();
    let (log, stream) = (Arc::new(MemoryStore::new()), format!("run/{run}"));
    append(log.as_ref(), &stream, &records);
    let server = serve(log.clone());
    let (mut sleeper, mut binary) = (socket(&server), Vec::new());
    // Several subscriptions fill what the kernel holds for it several times as fast.
    for id in ["a", "b", "c", "d", "e", "f"] {
        say(&mut sleeper, &json!({ "t": "sub", "id": id, "topic": "events", "run": run }));
        until(&mut sleeper, "resume", &mut binary);
    }
    // More than any buffer between the two holds; then until its patience is over.
    for part in 0..60 {
        append(log.as_ref(), &stream, &refusals(part * 1_000, 1_000));
        counted(&server, "websocket_stalled_total");
    }
    while counted(&server, "websocket_stalled_total") == 0 {
        std::thread::yield_now();
    }
    let last = loop {
        match sleeper.read() {
            Ok(Message::Close(frame)) => break frame.map(|frame| u16::from(frame.code)),
            Ok(_) => {}
            Err(error) => panic!("cut off: {error}"),
        }
    };
    assert_eq!(last, Some(4008));
}

/// The status and the body of an answer.
fn post(server: &Server, path: &str, token: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let address = server.address();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

#[test]
fn an_operator_sends_a_notification_again() {
    let server = serve(Arc::new(MemoryStore::new()));
    let replay =
        |number: &str, token: &str| post(&server, &format!("/api/v1/peers/letters/{number}/replay"), token);
    let delivered = json!({ "number": 1, "delivered": true });
    assert_eq!(replay("1", TOKEN), (200, delivered.clone()));
    assert_eq!(replay("1", TOKEN), (200, delivered), "asked twice, it is the same");
    for (number, token, status) in [
        ("1", VIEWER_TOKEN, 403),
        ("1", "guess", 401),
        ("2", TOKEN, 409),
        ("7", TOKEN, 404),
        ("x", TOKEN, 422),
    ] {
        let (answered, problem) = replay(number, token);
        assert_eq!((answered, &problem["status"]), (status, &json!(status)), "{problem}");
        assert!(problem["detail"].is_string(), "{problem}");
    }
}
