//! The gateway over real sockets, with the client as the child: what passes, what is turned away, what is recorded.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use models::gateway::{Allowance, Gateway, Pass};
use models::scripted::{Endpoint, Reply};
use models::{
    Answer, Budget, Capabilities, Client, ClientOptions, Dialect, Exchanges, Finish, Limits, Message,
    ModelError, Price, Purse, Request, Role, Secret,
};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use store::{Log, MemoryStore};

const STREAM: &str = "exchanges/test";
const KEY: &str = "sk-very-secret";
const AMPLE: Allowance = Allowance { calls: 10, tokens: 100_000, at_once: 2 };

fn limits() -> Limits {
    Limits { tries: 1, ..Limits::within(Duration::from_secs(30)) }
}

fn gateway(endpoint: &Endpoint, log: &Arc<MemoryStore>, stream: &str, purse: Purse) -> Gateway {
    let options = ClientOptions {
        endpoint: endpoint.url(),
        model: "configured".to_owned(),
        capabilities: Capabilities::default(),
        effort: None,
        key: Some(Secret::new(KEY)),
        limits: limits(),
        price: Some(Price { input: 1.0, cached: 0.5, output: 2.0 }),
    };
    let log: Arc<dyn Log> = log.clone();
    let exchanges = Arc::new(Exchanges::open(log, stream, || 7).unwrap());
    Gateway::open(options, exchanges, Arc::new(purse)).unwrap()
}

/// A gateway in front of a script, with a record of its own.
fn opened(replies: &[Reply]) -> (Endpoint, Arc<MemoryStore>, Gateway) {
    let (endpoint, log) = (Endpoint::answering(replies.to_vec()).unwrap(), Arc::new(MemoryStore::new()));
    let gateway = gateway(&endpoint, &log, STREAM, Purse::default());
    (endpoint, log, gateway)
}

/// What a child gets that asks for `max_tokens` in its own words.
fn ask_for(url: String, token: &str, dialect: Dialect, max_tokens: u32) -> Result<Answer, ModelError> {
    let options = ClientOptions {
        endpoint: url,
        model: "whatever".to_owned(),
        capabilities: Capabilities { dialect, ..Default::default() },
        effort: None,
        key: Some(Secret::new(token)),
        limits: limits(),
        price: None,
    };
    let exchanges = Arc::new(Exchanges::open(Arc::new(MemoryStore::new()), STREAM, || 7).unwrap());
    let request = Request {
        tag: "child".to_owned(),
        system: "Be brief.".to_owned(),
        messages: vec![Message { role: Role::User, text: "What is two and two?".to_owned() }],
        temperature: Some(0.5),
        max_tokens,
        seed: Some(3),
        ..Request::default()
    };
    Client::open(options, exchanges, Arc::new(Purse::default())).unwrap().complete(&request)
}

fn ask(pass: &Pass) -> Result<Answer, ModelError> {
    ask_for(pass.url(), pass.token(), Dialect::Chat, 500)
}

fn status(asked: Result<Answer, ModelError>) -> u16 {
    match asked.unwrap_err() {
        ModelError::Refused { status, .. } => status,
        error => panic!("{error}"),
    }
}

fn text(text: &str) -> Reply {
    Reply::Text(text.to_owned())
}

#[test]
fn every_dialect_passes_with_the_key_and_for_the_configured_model() {
    let long = "Four, as a rule; and four again, should you ask twice.";
    let (endpoint, log, gateway) = opened(&[text(long)]);
    let pass = gateway.admit("attempt 7", AMPLE).unwrap();
    for dialect in [Dialect::Chat, Dialect::Responses, Dialect::Messages] {
        let answer = ask_for(pass.url(), pass.token(), dialect, 500).unwrap();
        assert_eq!((answer.text.as_str(), answer.finish), (long, Finish::Stop), "{dialect:?}");
        assert_eq!(answer.model, "configured");
    }
    for asked in endpoint.asked() {
        assert!(asked.headers.contains(KEY) && !asked.headers.contains(pass.token()));
        assert_eq!((&asked.body["model"], &asked.body["temperature"]), (&"configured".into(), &0.5.into()));
    }
    let (spent, records) = (pass.spent(), log.read(STREAM, 0, 10).unwrap());
    assert_eq!((spent.calls, spent.output, spent.exhausted), (3, 33, false));
    let usd = (spent.input as f64 + 66.0) / 1e6;
    assert!((spent.cost_usd.unwrap() - usd).abs() < 1e-12);
    assert_eq!(records.len(), 3);
    assert_eq!(records[1].data["tag"], "attempt 7, call 2");
    assert_eq!(records[1].data["text"], long);
    assert!(records[1].data["raw"].as_str().unwrap().contains("response.completed"));
    for record in records {
        let record = record.data.to_string();
        assert!(!record.contains(KEY) && !record.contains(pass.token()));
    }
}

#[test]
fn an_allowance_of_calls_ends() {
    let (endpoint, _log, gateway) = opened(&[text("Four")]);
    let pass = gateway.admit("a", Allowance { calls: 2, ..AMPLE }).unwrap();
    ask(&pass).unwrap();
    ask(&pass).unwrap();
    assert!(!pass.spent().exhausted);
    assert_eq!(status(ask(&pass)), 403);
    assert!(pass.spent().exhausted);
    assert_eq!((pass.spent().calls, endpoint.asked().len()), (2, 2));
}

#[test]
fn an_allowance_of_tokens_limits_the_answer_and_then_refuses_it() {
    let (endpoint, _log, gateway) = opened(&[text(&"four ".repeat(500)), text("Four")]);
    let pass = gateway.admit("a", Allowance { tokens: 600, ..AMPLE }).unwrap();
    ask_for(pass.url(), pass.token(), Dialect::Chat, 9_000).unwrap();
    let granted = endpoint.asked()[0].body["max_tokens"].as_u64().unwrap();
    assert!((400..600).contains(&granted), "{granted}");
    assert_eq!(status(ask_for(pass.url(), pass.token(), Dialect::Chat, 9_000)), 403);
    assert!(pass.spent().exhausted);
    let other = gateway.admit("b", AMPLE).unwrap();
    assert_eq!(ask(&other).unwrap().text, "Four", "one attempt's allowance is not another's");
}

#[test]
fn what_the_run_cannot_pay_is_not_asked() {
    let (endpoint, log) = (Endpoint::answering(vec![text("Four")]).unwrap(), Arc::new(MemoryStore::new()));
    let budget = Budget { tokens: None, usd: Some(0.000_01) };
    let gateway = gateway(&endpoint, &log, STREAM, Purse::new(budget, 0, 0.0));
    let pass = gateway.admit("a", AMPLE).unwrap();
    assert_eq!(status(ask(&pass)), 403);
    assert!(pass.spent().exhausted);
    assert_eq!(endpoint.asked().len(), 0);
}

#[test]
fn a_token_ends_with_its_attempt() {
    let (endpoint, _log, gateway) = opened(&[text("Four")]);
    let pass = gateway.admit("a", AMPLE).unwrap();
    let (url, token) = (pass.url(), pass.token().to_owned());
    assert_eq!(status(ask_for(url.clone(), "made-up", Dialect::Messages, 100)), 401);
    ask(&pass).unwrap();
    drop(pass);
    assert_eq!(status(ask_for(url, &token, Dialect::Chat, 100)), 401);
    assert_eq!(endpoint.asked().len(), 1);
}

#[test]
fn calls_at_once_are_limited_and_end_with_the_attempt() {
    let (began, begun) = mpsc::channel();
    let stalling = move |_: &_| {
        began.send(()).unwrap();
        Reply::Stall
    };
    let (endpoint, log) = (Endpoint::start(stalling).unwrap(), Arc::new(MemoryStore::new()));
    let gateway = gateway(&endpoint, &log, STREAM, Purse::default());
    let pass = gateway.admit("a", Allowance { at_once: 1, ..AMPLE }).unwrap();
    let (url, token) = (pass.url(), pass.token().to_owned());
    std::thread::scope(|scope| {
        let first = scope.spawn(move || ask_for(url, &token, Dialect::Chat, 100));
        begun.recv().unwrap();
        assert_eq!(status(ask(&pass)), 429);
        drop(pass);
        assert_eq!(status(first.join().unwrap()), 410);
    });
}

#[test]
fn a_refusal_is_passed_on_without_the_key() {
    let refusals = [
        Reply::Refuse { status: 429, message: "slow down".to_owned(), retry_after: Some(9) },
        Reply::Refuse { status: 401, message: format!("bad key {KEY}"), retry_after: None },
    ];
    let (_endpoint, _log, gateway) = opened(&refusals);
    let pass = gateway.admit("a", AMPLE).unwrap();
    let slow = ask(&pass).unwrap_err();
    let wait = Some(Duration::from_secs(9));
    assert!(
        matches!(&slow, ModelError::Refused { status: 429, retry_after, .. } if *retry_after == wait),
        "{slow:?}"
    );
    let refused = ask(&pass).unwrap_err().to_string();
    assert!(refused.contains("401") && refused.contains("bad key") && !refused.contains(KEY), "{refused}");
}

#[test]
fn an_answer_that_breaks_off_is_paid_and_recorded_and_breaks_off_for_the_child() {
    let (_endpoint, log, gateway) = opened(&[Reply::Cut("Four, as a rule".to_owned())]);
    let pass = gateway.admit("a", AMPLE).unwrap();
    let error = ask(&pass).unwrap_err();
    assert!(matches!(error, ModelError::Garbled(_) | ModelError::Unreachable(_)), "{error}");
    let records = log.read(STREAM, 0, 10).unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(
        (&records[0].data["finish"], &records[0].data["usage"]["reported"]),
        (&"other".into(), &false.into())
    );
    assert!(pass.spent().input > 0);
}

#[test]
fn an_answer_that_cannot_be_recorded_is_not_handed_out() {
    let (endpoint, log) = (Endpoint::answering(vec![text("Four")]).unwrap(), Arc::new(MemoryStore::new()));
    let no_name = "x".repeat(store::MAX_NAME_BYTES + 1);
    let gateway = gateway(&endpoint, &log, &no_name, Purse::default());
    let pass = gateway.admit("a", AMPLE).unwrap();
    assert!(ask(&pass).is_err());
    assert_eq!(endpoint.asked().len(), 1);
}

#[test]
fn children_find_it_by_their_environment() {
    let (_endpoint, _log, gateway) = opened(&[text("Four")]);
    let pass = gateway.admit("a", AMPLE).unwrap();
    let environment = pass.environment();
    let of = |wanted: &str| environment.iter().find(|(name, _)| *name == wanted).unwrap().1.clone();
    assert_eq!(of("OPENAI_BASE_URL"), format!("{}/v1", of("ANTHROPIC_BASE_URL")));
    for key in ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"] {
        assert_eq!(of(key), pass.token());
    }
    assert!(!format!("{pass:?}").contains(pass.token()));
    assert_ne!(gateway.admit("b", AMPLE).unwrap().token(), pass.token());
}
