//! The client against a scripted endpoint over real sockets: three dialects, every fault, the purse, and the record.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use models::scripted::{Endpoint, Reply};
use models::{
    Budget, Capabilities, Client, ClientOptions, Dialect, Exchanges, Finish, Form, Limits, Message,
    ModelError, Poor, Price, Purse, Recording, Request, Role, Secret, Structured,
};
use std::sync::Arc;
use std::time::Duration;
use store::{Log, MemoryStore};

const STREAM: &str = "exchanges/test";
const KEY: &str = "sk-very-secret";

struct Table {
    endpoint: Endpoint,
    log: Arc<MemoryStore>,
    purse: Arc<Purse>,
    dialect: Dialect,
    known: Capabilities,
    limits: Limits,
}

impl Table {
    fn new(replies: &[Reply]) -> Self {
        Self {
            endpoint: Endpoint::answering(replies.to_vec()).unwrap(),
            log: Arc::new(MemoryStore::new()),
            purse: Arc::new(Purse::default()),
            dialect: Dialect::Chat,
            known: Capabilities::default(),
            limits: Limits::within(Duration::from_secs(30)),
        }
    }

    fn client(&self) -> Client {
        let log: Arc<dyn Log> = self.log.clone();
        let exchanges = Arc::new(Exchanges::open(log, STREAM, || 7).unwrap());
        let options = ClientOptions {
            endpoint: self.endpoint.url(),
            model: "m".to_owned(),
            capabilities: Capabilities { dialect: self.dialect, ..self.known.clone() },
            effort: None,
            key: Some(Secret::new(KEY)),
            limits: self.limits,
            price: Some(Price { input: 1.0, cached: 0.5, output: 2.0 }),
        };
        Client::open(options, exchanges, self.purse.clone()).unwrap()
    }
}

fn request(tag: &str) -> Request {
    Request {
        tag: tag.to_owned(),
        system: "Be brief.".to_owned(),
        messages: vec![Message { role: Role::User, text: "What is two and two?".to_owned() }],
        temperature: Some(0.7),
        max_tokens: 1_000,
        seed: Some(3),
        template: "t".to_owned(),
        ..Request::default()
    }
}

fn text(text: &str) -> Reply {
    Reply::Text(text.to_owned())
}

fn refuse(status: u16, message: &str, retry_after: Option<u64>) -> Reply {
    Reply::Refuse { status, message: message.to_owned(), retry_after }
}

#[test]
fn all_three_dialects_are_spoken() {
    for dialect in [Dialect::Chat, Dialect::Responses, Dialect::Messages] {
        let long = "Four, as a rule; and four again, should you ask twice.";
        let table = Table { dialect, ..Table::new(&[text(long), Reply::Truncated("Fo".to_owned())]) };
        let client = table.client();
        client.probe().unwrap();
        let answer = client.complete(&request("a")).unwrap();
        assert_eq!((answer.text.as_str(), answer.finish), (long, Finish::Stop), "{dialect:?}");
        assert!(answer.usage.reported && answer.usage.output == 11, "{:?}", answer.usage);
        let usd = answer.usage.input as f64 / 1e6 + 22.0 / 1e6;
        assert!((answer.cost_usd.unwrap() - usd).abs() < 1e-12);
        assert_eq!(client.complete(&request("b")).unwrap().finish, Finish::Length);
        let asked = &table.endpoint.asked()[0];
        assert_eq!(asked.body["temperature"], 0.7);
        assert!(asked.headers.contains(KEY) && asked.text().contains("Be brief."));
    }
}

#[test]
fn what_can_pass_is_tried_again_and_what_cannot_is_not() {
    let passing = [
        refuse(429, "slow down", Some(0)),
        refuse(500, "oops", Some(0)),
        Reply::Cut("Fo".to_owned()),
        text("Four"),
    ];
    let table = Table::new(&passing);
    assert_eq!(table.client().complete(&request("a")).unwrap().text, "Four");
    assert_eq!(table.endpoint.asked().len(), 4);
    for status in [400, 401, 403, 404, 422] {
        let table = Table::new(&[refuse(status, "no", None)]);
        let error = table.client().complete(&request("a")).unwrap_err();
        assert!(matches!(error, ModelError::Refused { .. }), "{error}");
        assert_eq!(table.endpoint.asked().len(), 1, "{status}");
    }
}

#[test]
fn a_parameter_that_is_refused_is_left_out_from_then_on() {
    let table = Table::new(&[refuse(400, "temperature is deprecated for this model", None), text("Four")]);
    let client = table.client();
    assert_eq!(client.complete(&request("a")).unwrap().text, "Four");
    client.complete(&request("b")).unwrap();
    let asked = table.endpoint.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked[0].body.get("temperature").is_some());
    assert!(asked[1..].iter().all(|asked| asked.body.get("temperature").is_none()));
    let limit = Table::new(&[refuse(400, "use max_completion_tokens, not max_tokens", None), text("Four")]);
    limit.client().complete(&request("a")).unwrap();
    assert_eq!(limit.endpoint.asked()[1].body["max_completion_tokens"], 1_000);
    let overflow = Table::new(&[refuse(400, "context length is 4096, less max_tokens", None), text("Four")]);
    assert!(overflow.client().complete(&request("a")).is_err(), "another question would not fit either");
}

#[test]
fn what_a_model_is_known_to_refuse_is_not_sent() {
    let known = Capabilities::of("gpt-5.5", &[]).unwrap();
    let table = Table { known, ..Table::new(&[text("Four")]) };
    table.client().complete(&request("a")).unwrap();
    let body = table.endpoint.asked()[0].body.clone();
    assert!(body.get("temperature").is_none() && body.get("max_tokens").is_none(), "{body}");
    assert_eq!(body["max_completion_tokens"], 1_000);
}

#[test]
fn what_was_refused_is_remembered_by_the_next_process() {
    let refusals = [
        refuse(400, "Unsupported value: 'temperature'", None),
        refuse(422, "max_tokens: extra fields not permitted", None),
        text("Four"),
    ];
    let table = Table::new(&refusals);
    table.client().complete(&request("a")).unwrap();
    table.client().complete(&request("b")).unwrap();
    let asked = table.endpoint.asked();
    assert_eq!(asked.len(), 4, "another process does not send it again");
    assert!(asked[3].body.get("temperature").is_none() && asked[3].body["max_completion_tokens"] == 1_000);
    let record = table.log.read(STREAM, 0, 10).unwrap().remove(0).data;
    assert_eq!(record["left_out"], serde_json::json!(["temperature", "max_tokens"]));
}

fn formed(tag: &str) -> Request {
    let schema = serde_json::json!({ "type": "object" });
    let form = Form { schema: Some(schema), grammar: Some("root ::= [A-B]".to_owned()) };
    Request { form: Some(form), likelihoods: true, ..request(tag) }
}

#[test]
fn an_answer_is_held_to_a_form_in_each_servers_words() {
    let sent = |dialect: Dialect, structured: Structured| {
        let known = Capabilities { structured: Some(structured), ..Capabilities::default() };
        let table = Table { dialect, known, ..Table::new(&[text("A")]) };
        table.client().complete(&formed("a")).unwrap();
        table.endpoint.asked()[0].body.clone()
    };
    let body = sent(Dialect::Chat, Structured::Schema);
    assert_eq!(body["response_format"]["json_schema"]["schema"]["type"], "object");
    assert!(body.get("grammar").is_none() && body["top_logprobs"] == 20);
    assert_eq!(sent(Dialect::Chat, Structured::LlamaCpp)["grammar"], "root ::= [A-B]");
    assert_eq!(sent(Dialect::Chat, Structured::Vllm)["structured_outputs"]["grammar"], "root ::= [A-B]");
    assert!(sent(Dialect::Chat, Structured::None).get("response_format").is_none());
    assert_eq!(sent(Dialect::Responses, Structured::Schema)["text"]["format"]["schema"]["type"], "object");
    let body = sent(Dialect::Messages, Structured::Schema);
    assert_eq!(body["output_config"]["format"]["schema"]["type"], "object");
    assert!(body.get("top_logprobs").is_none());
}

#[test]
fn a_form_that_is_refused_is_left_out_and_likelihoods_are_told_where_they_are_known() {
    let likely = || vec![("B".to_owned(), -0.2), ("A".to_owned(), -1.7)];
    for dialect in [Dialect::Chat, Dialect::Responses] {
        let replies = [
            refuse(400, "Unrecognized request argument: grammar", None),
            refuse(400, "no schema here", None),
        ];
        let last = Reply::Likely("B".to_owned(), likely());
        let replies: Vec<Reply> = match dialect {
            Dialect::Chat => replies.into_iter().chain([last]).collect(),
            _ => replies.into_iter().skip(1).chain([last]).collect(),
        };
        let table = Table { dialect, ..Table::new(&replies) };
        let answer = table.client().complete(&formed("a")).unwrap();
        assert_eq!((answer.text.as_str(), answer.likelihoods), ("B", likely()), "{dialect:?}");
        let again = table.client().complete(&formed("a")).unwrap();
        assert!(again.reused && again.likelihoods == likely(), "they are on record");
    }
}

#[test]
fn a_record_answers_without_any_endpoint() {
    let table = Table::new(&[text("Four")]);
    let first = table.client().complete(&request("a")).unwrap();
    let asked = table.endpoint.asked().len();
    let log: Arc<dyn Log> = table.log.clone();
    let exchanges = Arc::new(Exchanges::open(log, STREAM, || 7).unwrap());
    let recording = Recording::new(exchanges, "m", Capabilities::default(), None);
    assert_eq!(recording.complete(&request("a")).unwrap().text, first.text);
    let other = Request { seed: Some(4), ..request("a") };
    for missing in [other, request("b")] {
        assert!(matches!(recording.complete(&missing).unwrap_err(), ModelError::Missing { .. }));
    }
    assert_eq!(table.endpoint.asked().len(), asked);
}

#[test]
fn silence_garbage_and_deafness_have_their_limits() {
    let limits = Limits { tries: 1, ..Limits::within(Duration::from_secs(30)) };
    // A short patience only where nothing ever comes: what does come may take its time on a busy machine.
    let short = Limits { first_byte: Duration::from_millis(50), ..limits };
    let stalled = Table { limits: short, ..Table::new(&[Reply::Stall]) };
    assert!(matches!(stalled.client().complete(&request("a")).unwrap_err(), ModelError::Stalled(_)));
    let garbage = Table { limits, ..Table::new(&[Reply::Garbage]) };
    assert!(matches!(garbage.client().complete(&request("a")).unwrap_err(), ModelError::Garbled(_)));
    let small = Limits { answer_bytes: 100, ..limits };
    let large = Table { limits: small, ..Table::new(&[text(&"x".repeat(1_000))]) };
    assert!(matches!(large.client().complete(&request("a")).unwrap_err(), ModelError::TooLarge(100)));
    let total = Limits { total: Duration::from_millis(50), ..Limits::within(Duration::from_secs(30)) };
    let slow = Table { limits: total, ..Table::new(&[Reply::Stall]) };
    assert!(matches!(slow.client().complete(&request("a")).unwrap_err(), ModelError::TooSlow(_)));
    let deaf = {
        let options = ClientOptions {
            endpoint: "http://127.0.0.1:1/v1".to_owned(),
            model: "m".to_owned(),
            capabilities: Capabilities::default(),
            effort: None,
            key: None,
            limits,
            price: None,
        };
        let exchanges = Arc::new(Exchanges::open(Arc::new(MemoryStore::new()), STREAM, || 7).unwrap());
        Client::open(options, exchanges, Arc::new(Purse::default())).unwrap()
    };
    assert!(matches!(deaf.probe().unwrap_err(), ModelError::Unreachable(_)));
}

#[test]
fn tokens_that_are_not_reported_are_estimated() {
    let table = Table::new(&[Reply::WithoutUsage("Four, I think".to_owned())]);
    let answer = table.client().complete(&request("a")).unwrap();
    assert!(!answer.usage.reported && answer.usage.input > 0 && answer.usage.output > 0);
}

#[test]
fn a_paid_answer_is_never_asked_for_again() {
    let table = Table::new(&[text("Four"), text("Five")]);
    let first = table.client().complete(&request("a")).unwrap();
    // Another process, after the first was killed.
    let client = table.client();
    let again = client.complete(&request("a")).unwrap();
    assert!(again.reused && again.text == first.text && again.exchange == first.exchange);
    assert_eq!(client.complete(&request("b")).unwrap().text, "Five", "another purpose is another question");
    assert_eq!(table.endpoint.asked().len(), 2);
    let log: Arc<dyn Log> = table.log.clone();
    let tally = Exchanges::open(log, STREAM, || 7).unwrap().tally();
    assert_eq!((tally.calls, tally.tokens), (2, 2 * (first.usage.input + first.usage.output)));
}

#[test]
fn what_the_purse_cannot_bear_is_not_asked() {
    let mut table = Table::new(&[text("Four")]);
    table.purse = Arc::new(Purse::new(Budget { tokens: Some(100), usd: None }, 95, 0.0));
    let error = table.client().complete(&request("a")).unwrap_err();
    assert!(matches!(error, ModelError::Poor(Poor::Tokens)), "{error}");
    table.purse = Arc::new(Purse::new(Budget { tokens: None, usd: Some(0.000_01) }, 0, 0.0));
    let error = table.client().complete(&request("a")).unwrap_err();
    assert!(matches!(error, ModelError::Poor(Poor::Money)), "{error}");
    assert_eq!(table.endpoint.asked().len(), 0);
}

#[test]
fn the_key_is_in_no_record_and_no_message() {
    let table =
        Table::new(&[text(&format!("Your key is {KEY}.")), refuse(401, &format!("bad key {KEY}"), None)]);
    let client = table.client();
    assert_eq!(client.complete(&request("a")).unwrap().text, "Your key is [key].");
    assert!(!client.complete(&request("b")).unwrap_err().to_string().contains(KEY));
    let records = table.log.read(STREAM, 0, 10).unwrap();
    assert_eq!(records.len(), 1);
    assert!(!records[0].data.to_string().contains(KEY));
}
