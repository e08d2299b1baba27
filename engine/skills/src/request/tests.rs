//! Requests are read by their type, and no message is too strange to be refused with a word.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn read(data: Value) -> Result<Request, RequestError> {
    Request::read(&Message::new(a2a::model::Role::User, vec![Part::data(data)]))
}

#[test]
fn requests_are_read_by_their_type() {
    let files = json!({ "a.py": "", "darwind.toml": "" });
    let evolve =
        read(json!({ "type": "evolve", "files": files, "budget": { "time": "2m", "evaluations": 3 } }));
    let Ok(Request::Evolve(evolve)) = evolve else { panic!("{evolve:?}") };
    assert_eq!((evolve.budget.time_ms, evolve.budget.evaluations), (Some(120_000), Some(3)));
    assert!(matches!(read(json!({ "type": "evolve", "files": {} })), Err(RequestError(_))));
    assert!(matches!(read(json!({ "type": "dance" })), Err(RequestError(text)) if text.contains("evolve")));
    let joins = json!({ "type": "evolution_group_join", "group_id": "g", "agent_id": "a" });
    assert!(matches!(read(joins), Ok(Request::Group(GroupRequest { joins: true, .. }))));
    let candidate = json!({ "agent_id": "t", "code_changes": { "a.py": "x" } });
    let asked = json!({ "type": "validation_request", "candidate": candidate, "request_id": "7" });
    assert!(matches!(read(asked), Ok(Request::Validate(ValidationRequest { .. }))));
}

#[test]
fn a_cyclic_or_deep_message_is_refused() {
    let deep = (0..MAX_DEPTH).fold(json!(1), |inner, _| json!([inner]));
    assert!(
        matches!(read(json!({ "type": "evolve", "files": deep })), Err(RequestError(text)) if text.contains("deeper"))
    );
}

#[test]
fn a_bundle_needs_no_words() {
    let part = Part::raw(b"# v2 git bundle".to_vec()).with_filename("p.bundle");
    let message = Message::new(a2a::model::Role::User, vec![part]);
    assert!(matches!(
        Request::read(&message),
        Ok(Request::Evolve(EvolveRequest { program: Program::Bundle(_), .. }))
    ));
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "type",
        "evolve",
        "files",
        "budget",
        "time",
        "seed",
        "candidate",
        "agent_id",
        "code_changes",
        "target",
        "package",
        "validation_request",
        "knowledge_transfer",
        "improvement_feedback_request",
        "improvement",
        "evolution_group_join",
        "group_id",
        "capabilities",
        "code_pattern",
    ]);
    let text = prop_oneof![words.prop_map(str::to_owned), ".{0,8}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from)
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let fields = prop::collection::btree_map(text.clone(), inner.clone(), 0..8);
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::from),
            fields.prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_message_is_too_strange_to_be_read(mut value in any_json(), kind in prop::sample::select(TYPES.to_vec())) {
        if let Some(fields) = value.as_object_mut() {
            fields.insert("type".to_owned(), json!(kind));
        }
        // It is read or refused with a word; nothing else may happen.
        if let Err(RequestError(text)) = read(value) {
            prop_assert!(!text.is_empty());
        }
    }
}
