//! The courier against agents at real sockets: connections are kept, slow addresses get little to do, dead ones fail nobody,
//! and whoever does not show a peer's key is told nothing.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use a2a::model::{AgentCard, AgentInterface, AgentSkill, Binding};
use a2a::server::KEYS_PATH;
use a2a::signing::SigningKey;
use serde_json::{Value, json};
use skills::Courier;
use skills::peer::{PeerAddress, PeerError};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// What an address has seen.
#[derive(Default)]
struct Seen {
    accepted: AtomicUsize,
    cards: AtomicUsize,
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

/// One address of an agent, which takes so long for every answer.
#[derive(Clone)]
struct Address {
    url: String,
    seen: Arc<Seen>,
    takes: Duration,
    /// The card and the keys.
    shown: Arc<Mutex<(Value, Value)>>,
}

impl Address {
    fn start(takes: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let address = Self { url, seen: Arc::default(), takes, shown: Arc::default() };
        let of = address.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let of = of.clone();
                of.seen.accepted.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || of.serve(stream));
            }
        });
        address
    }

    /// Answers the requests of one connection until it is closed.
    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut writer = stream;
        loop {
            let mut first = String::new();
            let mut length = 0;
            reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).ok()?;
                let header = header.trim().to_lowercase();
                if header.is_empty() {
                    break;
                }
                if let Some(value) = header.strip_prefix("content-length:") {
                    length = value.trim().parse().ok()?;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            let answer = match first.split(' ').nth(1)? {
                "/a2a" => self.answer(&serde_json::from_slice(&body).ok()?),
                KEYS_PATH => self.shown.lock().unwrap().1.clone(),
                _ => {
                    self.seen.cards.fetch_add(1, Ordering::SeqCst);
                    self.shown.lock().unwrap().0.clone()
                }
            };
            let answer = answer.to_string();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
            // In one piece, or the system waits for more before it sends the rest.
            let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            writer.write_all(answer.as_bytes()).ok()?;
        }
    }

    fn answer(&self, call: &Value) -> Value {
        self.seen.asked.fetch_add(1, Ordering::SeqCst);
        let at_once = self.seen.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.seen.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        std::thread::sleep(self.takes);
        self.seen.at_once.fetch_sub(1, Ordering::SeqCst);
        let part = call["params"]["message"]["parts"][0].clone();
        let message = json!({ "messageId": "m", "role": "ROLE_AGENT", "parts": [part] });
        json!({ "jsonrpc": "2.0", "id": call["id"], "result": { "message": message } })
    }

    /// Serves the card of an agent that answers at these addresses, signed with a key if there is one.
    fn answers_for(&self, urls: &[&str], key: Option<&SigningKey>) -> PeerAddress {
        let at = |url: &&str| AgentInterface {
            url: format!("{url}/a2a"),
            protocol_binding: Binding::JsonRpc.name().to_owned(),
            protocol_version: "1.0".to_owned(),
            ..AgentInterface::default()
        };
        let mut card = AgentCard {
            name: "agent".to_owned(),
            supported_interfaces: urls.iter().map(at).collect(),
            skills: vec![AgentSkill { id: "echo".to_owned(), ..AgentSkill::default() }],
            ..AgentCard::default()
        };
        if let Some(key) = key {
            key.sign(&mut card).unwrap();
        }
        let keys = key.map_or(Value::Null, SigningKey::key_set);
        *self.shown.lock().unwrap() = (serde_json::to_value(card).unwrap(), keys);
        PeerAddress { url: self.url.clone(), token: Some("secret".to_owned()), key: None }
    }

    fn asked(&self) -> usize {
        self.seen.asked.load(Ordering::SeqCst)
    }
}

/// An address at which nobody is.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// An address at which every connection is closed as soon as it stands.
fn rude() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().for_each(drop));
    url
}

fn ask(courier: &Courier, peer: &PeerAddress, number: usize) {
    let said = json!({ "type": "echo", "number": number });
    assert_eq!(courier.ask(peer, &said, PATIENCE).unwrap(), said);
}

#[test]
fn connections_and_cards_are_kept() {
    let agent = Address::start(Duration::ZERO);
    let peer = agent.answers_for(&[&agent.url], None);
    let courier = Courier::new().unwrap();
    for number in 0..40 {
        ask(&courier, &peer, number);
    }
    let seen = |count: &AtomicUsize| count.load(Ordering::SeqCst);
    assert_eq!((agent.asked(), seen(&agent.seen.cards)), (40, 1));
    // A connection goes back a moment after its answer was read; the next question may be quicker.
    assert!(seen(&agent.seen.accepted) <= 4, "{} connections for 41 requests", seen(&agent.seen.accepted));
}

#[test]
fn so_many_questions_are_under_way_and_the_others_wait() {
    let agent = Address::start(Duration::from_millis(30));
    let peer = agent.answers_for(&[&agent.url], None);
    let courier = Courier::new().unwrap();
    std::thread::scope(|scope| {
        for number in 0..24 {
            let (courier, peer) = (&courier, &peer);
            scope.spawn(move || ask(courier, peer, number));
        }
    });
    let most = agent.seen.most_at_once.load(Ordering::SeqCst);
    assert_eq!((agent.asked(), agent.seen.cards.load(Ordering::SeqCst)), (24, 1));
    assert!((2..=8).contains(&most), "{most} at once");
}

#[test]
fn a_slow_address_gets_less_to_do_than_a_quick_one() {
    let quick = Address::start(Duration::ZERO);
    let slow = Address::start(Duration::from_millis(300));
    let peer = slow.answers_for(&[&slow.url, &quick.url], None);
    let courier = Courier::new().unwrap();
    for number in 0..40 {
        ask(&courier, &peer, number);
    }
    assert_eq!(slow.asked() + quick.asked(), 40);
    assert!(slow.asked() * 4 <= quick.asked(), "{} slow, {} quick", slow.asked(), quick.asked());
}

#[test]
fn an_address_that_is_down_fails_no_question_while_another_lives() {
    let live = Address::start(Duration::ZERO);
    let (nobody, rude) = (nobody(), rude());
    let peer = live.answers_for(&[&nobody, &rude, &live.url], None);
    let courier = Courier::new().unwrap();
    for number in 0..20 {
        ask(&courier, &peer, number);
    }
    assert_eq!(live.asked(), 20);
    let alone = live.answers_for(&[&nobody], None);
    let other = PeerAddress { token: None, ..alone };
    for _ in 0..3 {
        let error = courier.ask(&other, &json!({}), PATIENCE).unwrap_err();
        assert!(matches!(error, PeerError::Client(_)), "{error}");
    }
    // It has moved: its card says where to, and is believed at once.
    live.answers_for(&[&live.url], None);
    ask(&courier, &other, 20);
}

#[test]
fn who_does_not_show_the_peers_key_is_told_nothing() {
    let agent = Address::start(Duration::ZERO);
    let key = || SigningKey::by_thumbprint(&SigningKey::generate().unwrap()).unwrap();
    let (ours, other) = (key(), key());
    let courier = Courier::new().unwrap();
    let unsigned = agent.answers_for(&[&agent.url], None);
    assert_eq!(courier.look(&unsigned, PATIENCE).unwrap().key, None);
    let peer = agent.answers_for(&[&agent.url], Some(&ours));
    let pinned = courier.look(&peer, PATIENCE).unwrap().key;
    assert_eq!(pinned, Some(ours.public()));
    let peer = PeerAddress { key: pinned, ..peer };
    ask(&courier, &peer, 1);
    assert_eq!(agent.asked(), 1);
    // Somebody else answers there now, with a key of their own or with none.
    for key in [Some(&other), None] {
        agent.answers_for(&[&agent.url], key);
        let error = Courier::new().unwrap().ask(&peer, &json!({}), PATIENCE).unwrap_err();
        assert!(matches!(error, PeerError::NotThePeer(_)), "{error}");
    }
    assert_eq!(agent.asked(), 1, "no question, and no token, went there");
    // A card that was changed after it was signed is not met at all.
    agent.answers_for(&[&agent.url], Some(&ours));
    agent.shown.lock().unwrap().0["name"] = json!("changed");
    assert!(matches!(courier.look(&peer, PATIENCE), Err(PeerError::Forged(_))));
}
