//! Tests: whatever a peer's card, key set or answer holds, it is read or refused, and no changed card is taken for the one
//! that was signed.

use proptest::prelude::*;
use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::{Binding, spoken, transport};
use crate::dialect;
use crate::model::{AgentCard, AgentInterface, SendMessageResponse, StreamItem};
use crate::signing::{Detached, PublicKey, SigningKey, canonical_json, keys_of, verify_sent};

/// Keys that mean something in a card, a key set, an answer or an error.
const WORDS: [&str; 40] = [
    "name",
    "description",
    "version",
    "supportedInterfaces",
    "url",
    "protocolBinding",
    "JSONRPC",
    "protocolVersion",
    "1.0",
    "capabilities",
    "extensions",
    "required",
    "params",
    "skills",
    "id",
    "tags",
    "securitySchemes",
    "schemes",
    "oauth2SecurityScheme",
    "flows",
    "signatures",
    "protected",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ",
    "signature",
    "header",
    "keys",
    "kty",
    "crv",
    "x",
    "kid",
    "task",
    "message",
    "status",
    "state",
    "artifacts",
    "parts",
    "error",
    "code",
    "retryDelay",
    "1e308s",
];

/// Anything that JSON can say, with those words.
fn json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![1 => ".{0,6}", 4 => prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned)];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        let members = prop::collection::vec((word.clone(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A signed card as it travels, and the key that it is signed with.
fn signed() -> (Value, PublicKey) {
    let key = SigningKey::by_thumbprint(&SigningKey::generate().unwrap()).unwrap();
    let mut card = AgentCard {
        name: "peer".to_owned(),
        supported_interfaces: vec![AgentInterface::default()],
        ..AgentCard::default()
    };
    key.sign(&mut card).unwrap();
    (serde_json::to_value(card).unwrap(), key.public())
}

/// What a signature is over, at the least: everything in the card that is not empty.
fn meant(card: &Value) -> String {
    fn filled(value: &Value) -> Option<Value> {
        match value {
            Value::Null => None,
            Value::String(text) => (!text.is_empty()).then(|| value.clone()),
            Value::Array(items) => {
                let items: Vec<Value> = items.iter().filter_map(filled).collect();
                (!items.is_empty()).then_some(Value::Array(items))
            }
            Value::Object(members) => {
                let members = members.iter().filter_map(|(key, value)| Some((key.clone(), filled(value)?)));
                let members: Map<String, Value> = members.collect();
                (!members.is_empty()).then_some(Value::Object(members))
            }
            _ => Some(value.clone()),
        }
    }
    let mut card = card.clone();
    card.as_object_mut().unwrap().remove("signatures");
    canonical_json(&filled(&card).unwrap_or_default())
}

proptest! {
    #[test]
    fn any_json_is_a_card_or_none(sent in json()) {
        if let Ok(card) = AgentCard::deserialize(&sent) {
            let _ = spoken(&card, &[Binding::JsonRpc, Binding::HttpJson]);
            prop_assert!(dialect::union_card(&card).is_ok() && serde_json::to_value(&card).is_ok());
        }
        let (_, key) = signed();
        prop_assert!(verify_sent(&sent, |_| Some(key.clone())).is_err());
        for key in keys_of(&sent) {
            prop_assert_eq!(PublicKey::from_jwk(&key.to_jwk()), Some(key));
        }
        if let Ok(signature) = Detached::deserialize(&sent) {
            let _ = signature.kid();
            prop_assert!(signature.verify("any", &sent, |_| Some(key.clone())).is_err());
        }
    }

    #[test]
    fn any_json_is_an_answer_or_none(sent in json()) {
        let _ = (SendMessageResponse::deserialize(&sent), StreamItem::deserialize(&sent));
        let error = transport::read_error(&sent);
        prop_assert!(error.retry_after.is_none_or(|after| after.as_secs_f64().is_finite()));
    }

    #[test]
    fn no_changed_card_is_taken_for_the_signed_one(
        name in prop::sample::select(WORDS.to_vec()), value in json(), inside in any::<bool>(),
    ) {
        let (card, key) = signed();
        let mut changed = card.clone();
        let place = if inside { &mut changed["supportedInterfaces"][0] } else { &mut changed };
        place[name] = value;
        let same = meant(&changed) == meant(&card);
        let believed = verify_sent(&changed, |kid| (kid == key.kid()).then(|| key.clone())).is_ok();
        prop_assert!(same || !believed, "{changed}");
    }
}
