//! The conversation, held against what an agent may say.

use super::*;
use evolution::candidate::Cost;
use proptest::prelude::*;

fn client() -> Client {
    Client::new(Path::new("/bench/work"), "Mend it.")
}

fn said(acts: &[Act]) -> Value {
    match acts {
        [Act::Say(line)] if !line.contains('\n') => serde_json::from_str(line).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn hear(client: &mut Client, message: &Value) -> Vec<Act> {
    client.hear(Heard::Line(message.to_string()))
}

/// A client whose agent works.
fn working() -> Client {
    let mut client = client();
    let greeting = said(&client.begin());
    assert_eq!(
        (&greeting["method"], &greeting["params"]["protocolVersion"]),
        (&"initialize".into(), &1.into())
    );
    let opening = hear(
        &mut client,
        &json!({ "jsonrpc": "2.0", "id": greeting["id"], "result": { "protocolVersion": 1 } }),
    );
    let opening = said(&opening);
    assert_eq!(
        (&opening["method"], &opening["params"]["cwd"]),
        (&"session/new".into(), &"/bench/work".into())
    );
    let prompt = said(&hear(&mut client, &json!({ "id": opening["id"], "result": { "sessionId": "s1" } })));
    assert_eq!((&prompt["method"], &prompt["params"]["sessionId"]), (&"session/prompt".into(), &"s1".into()));
    assert_eq!(prompt["params"]["prompt"], json!([{ "type": "text", "text": "Mend it." }]));
    client
}

fn ends(client: &mut Client, reason: &str) -> Vec<Act> {
    let id = client.request;
    hear(client, &json!({ "id": id, "result": { "stopReason": reason } }))
}

#[test]
fn a_turn_is_taken_and_its_last_words_are_kept() {
    let mut client = working();
    let chunk = |text: &str| {
        json!({ "method": "session/update", "params": { "sessionId": "s1", "update":
            { "sessionUpdate": "agent_message_chunk", "content": { "type": "text", "text": text } } } })
    };
    assert!(hear(&mut client, &chunk("I doubled ")).is_empty());
    assert!(client.hear(Heard::Line("a line of a log".to_owned())).is_empty());
    assert!(hear(&mut client, &chunk("it.")).is_empty());
    assert_eq!(ends(&mut client, "end_turn"), [Act::HangUp]);
    let mut outcome = Outcome {
        ended: Ended::Exited(-15),
        changes: BTreeMap::new(),
        too_much: false,
        result: None,
        output: String::new(),
        cost: Cost::default(),
        out_of: None,
    };
    client.conclude(&mut outcome);
    assert_eq!(outcome.ended, Ended::Exited(0));
    assert_eq!(outcome.result.unwrap(), br#"{"summary":"I doubled it."}"#);
}

#[test]
fn an_agent_at_a_limit_goes_on_for_some_turns() {
    let mut client = working();
    for _ in 1..MAX_TURNS {
        let more = said(&ends(&mut client, "max_turn_requests"));
        assert_eq!(more["params"]["prompt"][0]["text"], "Go on.");
    }
    assert_eq!(ends(&mut client, "max_turn_requests"), [Act::HangUp]);
}

#[test]
fn permission_is_given_where_it_can_be() {
    let mut client = working();
    let mut ask = |options: Value| {
        let asked = json!({ "id": "p", "method": "session/request_permission", "params": { "sessionId": "s1", "options": options } });
        said(&hear(&mut client, &asked))["result"]["outcome"].clone()
    };
    let all = json!([{ "optionId": "n", "kind": "reject_once" }, { "optionId": "a", "kind": "allow_always" },
        { "optionId": "y", "kind": "allow_once" }]);
    assert_eq!(ask(all), json!({ "outcome": "selected", "optionId": "y" }));
    assert_eq!(ask(json!([{ "optionId": "n", "kind": "reject_once" }])), json!({ "outcome": "cancelled" }));
}

#[test]
fn files_are_those_of_the_working_folder() {
    let mut client = working();
    let read = |path: &str| json!({ "id": 7, "method": "fs/read_text_file", "params": { "sessionId": "s1", "path": path } });
    for path in [
        "/etc/passwd",
        "/bench/work",
        "/bench/work/",
        "/bench/work/../self/a.py",
        "/bench/workshop/a.py",
        "a.py",
        "/bench/work/a/../../b",
        "/bench/work/a/",
    ] {
        let refused = said(&hear(&mut client, &read(path)));
        assert_eq!(refused["error"]["code"], INVALID_PARAMETERS, "{path}");
    }
    assert_eq!(hear(&mut client, &read("/bench/work/./lib/a.py")), [Act::Read(1, "lib/a.py".to_owned())]);
    let answer = said(&client.hear(Heard::Read(1, Ok(b"one\ntwo\n".to_vec()))));
    assert_eq!((&answer["id"], &answer["result"]["content"]), (&7.into(), &"one\ntwo\n".into()));
    let some = json!({ "id": "x", "method": "fs/read_text_file", "params": { "path": "/bench/work/a", "line": 2, "limit": 1 } });
    assert_eq!(hear(&mut client, &some), [Act::Read(2, "a".to_owned())]);
    let answer = said(&client.hear(Heard::Read(2, Ok(b"one\ntwo\nthree\n".to_vec()))));
    assert_eq!(answer["result"]["content"], "two\n");
    let write = json!({ "id": 8, "method": "fs/write_text_file", "params": { "path": "/bench/work/b", "content": "x" } });
    assert_eq!(hear(&mut client, &write), [Act::Write(3, "b".to_owned(), b"x".to_vec())]);
    let refused = said(&client.hear(Heard::Written(3, Err("no space".to_owned()))));
    assert_eq!(refused["error"]["message"], "no space");
    let binary = client.hear(Heard::Read(99, Ok(vec![0xff])));
    assert!(binary.is_empty(), "nobody asked for that");
}

#[test]
fn what_cannot_be_done_is_refused_and_too_much_is_given_up() {
    let mut client = working();
    let unknown = said(&hear(&mut client, &json!({ "id": 1, "method": "terminal/create", "params": {} })));
    assert_eq!(unknown["error"]["code"], UNKNOWN_METHOD);
    let garbled = said(&hear(
        &mut client,
        &json!({ "id": 1, "method": "fs/write_text_file", "params": { "path": 3 } }),
    ));
    assert_eq!(garbled["error"]["code"], INVALID_PARAMETERS);
    for number in 0..MAX_WAITING {
        let path = format!("/bench/work/{number}");
        hear(
            &mut client,
            &json!({ "id": number, "method": "fs/read_text_file", "params": { "path": path } }),
        );
    }
    let crowded = said(&hear(
        &mut client,
        &json!({ "id": 1, "method": "fs/read_text_file", "params": { "path": "/bench/work/x" } }),
    ));
    assert_eq!(crowded["error"]["code"], INTERNAL);
    let given_up =
        (0..=MAX_MESSAGES).map(|_| client.hear(Heard::Line("{}".to_owned()))).find(|acts| !acts.is_empty());
    assert!(matches!(given_up.unwrap()[..], [Act::End(_)]));
}

#[test]
fn an_agent_that_refuses_is_given_up_with_its_reason() {
    let mut client = client();
    client.begin();
    let refused = hear(
        &mut client,
        &json!({ "id": 1, "error": { "code": -32000, "message": "Authentication required" } }),
    );
    assert_eq!(refused, [Act::End("the agent refused: Authentication required".to_owned())]);
    assert!(hear(&mut client, &json!({ "id": 1, "result": { "protocolVersion": 1 } })).is_empty());
    let mut other = Client::new(Path::new("/w"), "");
    other.begin();
    let old = hear(&mut other, &json!({ "id": 1, "result": { "protocolVersion": 0 } }));
    assert!(matches!(&old[..], [Act::End(reason)] if reason.contains("version 1")), "{old:?}");
}

/// A line of an agent's: JSON with the protocol's words, or no JSON at all.
fn any_line() -> impl Strategy<Value = String> {
    const WORDS: [&str; 28] = [
        "jsonrpc",
        "id",
        "method",
        "params",
        "result",
        "error",
        "code",
        "message",
        "protocolVersion",
        "sessionId",
        "s1",
        "stopReason",
        "max_tokens",
        "session/update",
        "session/request_permission",
        "fs/read_text_file",
        "fs/write_text_file",
        "update",
        "sessionUpdate",
        "agent_message_chunk",
        "content",
        "text",
        "type",
        "path",
        "line",
        "limit",
        "/bench/work/a.py",
        "/bench/work/../../etc/passwd",
    ];
    let word = prop_oneof![1 => ".{0,6}", 8 => prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned)];
    let number = prop_oneof![0_u64..6, any::<u64>()];
    let leaf =
        prop_oneof![Just(Value::Null), number.prop_map(Value::from), word.clone().prop_map(Value::from)];
    let json = leaf.prop_recursive(4, 48, 8, move |inner| {
        let members = prop::collection::vec((word.clone(), inner.clone()), 0..8);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    let request = (0_u64..9, prop::sample::select(WORDS.to_vec()), json.clone())
        .prop_map(|(id, method, params)| json!({ "id": id, "method": method, "params": params }));
    let answer = (0_u64..4, json.clone()).prop_map(|(id, result)| json!({ "id": id, "result": result }));
    let file = (0_u64..9, prop::sample::select(WORDS.to_vec()), ".{0,8}").prop_map(|(id, method, name)| {
        let path = format!("/bench/work/{name}");
        json!({ "id": id, "method": method, "params": { "sessionId": "s1", "path": path, "content": name } })
    });
    let value = prop_oneof![json, request, answer, file].prop_map(|value| value.to_string());
    prop_oneof![9 => value, 1 => ".{0,20}"]
}

proptest! {
    #[test]
    fn no_agent_is_too_strange_to_be_heard(lines in prop::collection::vec(any_line(), 0..40), opened: bool) {
        let mut client = if opened { working() } else { client() };
        let mut acts = if opened { Vec::new() } else { client.begin() };
        for line in lines {
            acts.extend(client.hear(Heard::Line(line)));
        }
        for act in acts {
            match act {
                Act::Say(line) => prop_assert!(!line.contains('\n') && serde_json::from_str::<Value>(&line).is_ok()),
                Act::Read(_, path) | Act::Write(_, path, _) => {
                    let inside = |part| matches!(part, Component::Normal(_));
                    prop_assert!(!path.is_empty() && Path::new(&path).components().all(inside), "{path}");
                }
                Act::HangUp | Act::End(_) => {}
            }
        }
        prop_assert!(client.waiting.len() <= MAX_WAITING);
    }
}
