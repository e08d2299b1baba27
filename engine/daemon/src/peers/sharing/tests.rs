//! What is worth telling. And packages offered to a peer at a real socket: what may fare better another time is tried again,
//! and nothing else.

use super::*;
use crate::data::DataFolder;
use crate::peers::Change;
use a2a::signing::SigningKey;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;

/// A peer that gives these answers, one after the other, as results or errors of JSON-RPC.
struct Scripted {
    url: String,
    answers: Mutex<Vec<Value>>,
}

impl Scripted {
    fn start(mut answers: Vec<Value>) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        answers.reverse();
        let peer = Arc::new(Self { url, answers: Mutex::new(answers) });
        let of = peer.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let of = of.clone();
                std::thread::spawn(move || of.serve(stream));
            }
        });
        peer
    }

    /// Answers the requests of one connection until it is closed.
    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut writer = stream;
        loop {
            let (mut first, mut length) = (String::new(), 0);
            reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).ok()?;
                if header.trim().is_empty() {
                    break;
                }
                if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().ok()?;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            let answer = if first.starts_with("POST") {
                let call: Value = serde_json::from_slice(&body).ok()?;
                let mut answer = self.answers.lock().unwrap().pop()?;
                answer["jsonrpc"] = json!("2.0");
                answer["id"] = call["id"].clone();
                answer
            } else {
                let interface = json!({ "url": format!("{}/a2a", self.url), "protocolBinding": "JSONRPC",
                    "protocolVersion": "1.0" });
                json!({ "name": "peer", "description": "", "version": "1", "supportedInterfaces": [interface],
                    "capabilities": {}, "defaultInputModes": [], "defaultOutputModes": [], "skills": [] })
            };
            let (head, answer) = ("HTTP/1.1 200 OK\r\nContent-Type: application/json", answer.to_string());
            let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            writer.write_all(answer.as_bytes()).ok()?;
        }
    }
}

fn ended(state: &str, artifacts: &Value) -> Value {
    let status = json!({ "state": state, "message": { "messageId": "m", "role": "ROLE_AGENT",
        "parts": [{ "text": "so it is" }] } });
    json!({ "result": { "task": { "id": "t", "contextId": "c", "status": status, "artifacts": artifacts } } })
}

fn answered(data: &Value) -> Value {
    ended("TASK_STATE_COMPLETED", &json!([{ "artifactId": "a", "parts": [{ "data": data }] }]))
}

fn error(code: i32) -> Value {
    json!({ "error": { "code": code, "message": "so it is" } })
}

/// Offers a package; answers what came of it, the attempts that were written down, and the answers that were not called for.
fn offered(answers: Vec<Value>, key: Option<PublicKey>) -> (TransferOutcome, u32, usize) {
    let folder = tempfile::tempdir().unwrap();
    let runs = DataFolder::locate(Some(folder.path().to_path_buf())).unwrap().open().unwrap();
    let package = Package::read(&json!({ "source_agent": "a", "improvement_type": "speed",
        "performance_impact": 0.5, "code_pattern": { "patterns": [] } }));
    let agent = Scripted::start(answers);
    let mut known = Peers::default();
    let added = Change::Added {
        name: "bob".to_owned(),
        url: agent.url.clone(),
        token_env: None,
        skills: vec![SKILL.to_owned()],
        capabilities: skills::Capabilities::default(),
        key: key.as_ref().map(PublicKey::to_jwk),
    };
    known.take(added, 1);
    let effort = Effort { attempts: 3, pause: Duration::ZERO, closing: Arc::default() };
    let memory = Memory::new(runs.log());
    let outcome = share(&runs, &memory, (&package.unwrap(), "r-1"), &known.peers["bob"], &effort);
    let written = runs.log().read(knowledge::STREAM, 0, 10).unwrap();
    let attempts = written[0].data["attempts"].as_u64().unwrap();
    let left = agent.answers.lock().unwrap().len();
    (outcome.unwrap(), u32::try_from(attempts).unwrap(), left)
}

#[test]
fn what_a_peer_refuses_is_offered_once() {
    let accepted = answered(&json!({ "accepted": true }));
    for refusal in [
        ended("TASK_STATE_REJECTED", &json!([])),
        ended("TASK_STATE_CANCELED", &json!([])),
        ended("TASK_STATE_COMPLETED", &json!([])),
        answered(&json!({ "words": "and nothing else" })),
        error(-32602),
        error(-32091),
    ] {
        let (outcome, attempts, left) = offered(vec![refusal.clone(), accepted.clone()], None);
        assert!(matches!(outcome, TransferOutcome::Failed(_)), "{refusal}: {outcome:?}");
        assert_eq!((attempts, left), (1, 1), "{refusal}");
    }
    let stranger = SigningKey::by_thumbprint(&SigningKey::generate().unwrap()).unwrap();
    let (outcome, attempts, left) = offered(vec![accepted], Some(stranger.public()));
    assert!(matches!(outcome, TransferOutcome::Failed(_)), "{outcome:?}");
    assert_eq!((attempts, left), (1, 1), "who does not show the peer's key is told nothing");
}

#[test]
fn what_may_fare_better_is_offered_again_and_no_oftener_than_allowed() {
    let failed = ended("TASK_STATE_FAILED", &json!([]));
    let declined = answered(&json!({ "accepted": false, "feedback": "fits nothing" }));
    for trouble in [failed.clone(), error(-32603), error(-32093), error(-32094), json!({ "nothing": 1 })] {
        let (outcome, attempts, left) = offered(vec![trouble.clone(), declined.clone()], None);
        assert_eq!(outcome, TransferOutcome::Declined("fits nothing".to_owned()), "{trouble}");
        assert_eq!((attempts, left), (2, 0), "{trouble}");
    }
    let (outcome, attempts, left) = offered(vec![failed.clone(), failed.clone(), failed, declined], None);
    assert_eq!((attempts, left), (3, 1), "{outcome:?}");
}

#[test]
fn a_solution_is_worth_telling_once_and_when_it_breaks_nothing() {
    let set = |cases: &[usize]| cases.iter().copied().collect::<CaseSet>();
    let (told, baseline) = (set(&[0, 1]), set(&[2]));
    let adds = |before: &[usize], now: &[usize]| adds([&told, &baseline], &set(before), &set(now));
    assert!(adds(&[2], &[2, 3]), "a case that nobody solved");
    assert!(!adds(&[2], &[2, 1]), "somebody was told of it");
    assert!(!adds(&[2], &[3]), "it costs a case of its parent");
    assert!(!adds(&[0, 2, 3], &[0, 2, 3]), "nothing is new");
    assert!(!adds(&[], &[2]), "the unchanged program passes it");
}
