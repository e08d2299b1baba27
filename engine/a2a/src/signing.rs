//! Signed cards, and signatures beside any other JSON: detached JWS (RFC 7515) with ES256 over canonical JSON (RFC 8785).
//!
//! The specification keeps required fields of a card that are empty; the SDKs in use take every empty value out. Both forms
//! are canonical to somebody, so where they differ a card is signed in both, and either is believed.
//! Not here: where keys come from or whom to trust; the caller hands in keys by their id.

mod canonical;
mod detached;
mod keys;

use serde_json::{Value, json};

pub use canonical::canonical_json;
pub use detached::Detached;
pub use keys::{MAX_KEYS, PublicKey, SigningKey, keys_of};

use crate::model::{AgentCard, AgentCardSignature, Metadata};

/// Most signatures of a card that are looked at.
pub const MAX_SIGNATURES: usize = 8;
/// What the protected header of a card's signature calls its type (A2A 1.0, section 8.4.2).
const CARD: &str = "JOSE";

/// Why something could not be signed or believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The private key cannot be read or made.
    #[error("the private key is not a P-256 key in PKCS#8")]
    Key,
    /// The operating system gave no randomness, or the card cannot be written.
    #[error("it cannot be signed")]
    Sign,
    /// There is no signature.
    #[error("there is no signature")]
    Unsigned,
    /// None of the keys at hand has the id that the signature names.
    #[error("it is signed with a key that is not known")]
    UnknownKey,
    /// No signature holds.
    #[error("no signature holds with the keys at hand")]
    Invalid,
}

impl SigningKey {
    /// Signs a card, adding to the signatures that it has.
    ///
    /// # Errors
    /// [`SigningError::Sign`].
    pub fn sign(&self, card: &mut AgentCard) -> Result<(), SigningError> {
        let value = serde_json::to_value(&*card).map_err(|_| SigningError::Sign)?;
        // The card that older clients get too, for verifiers that take what they were given as it is.
        let union = crate::dialect::union_card(card).map_err(|_| SigningError::Sign)?;
        let (mut payloads, union) = (payloads(value), payloads(union));
        payloads.extend(union.into_iter().next().filter(|bare| !payloads.contains(bare)));
        for payload in payloads {
            let Detached { protected, signature } = self.sign_text(CARD, &payload)?;
            card.signatures.push(AgentCardSignature { protected, signature, header: Metadata::new() });
        }
        Ok(())
    }
}

/// Checks a card's signatures with the keys that `key` finds by their ids, and returns the id of the first that holds.
///
/// # Errors
/// [`SigningError::Unsigned`], [`SigningError::UnknownKey`] when no key of any signature is found, else
/// [`SigningError::Invalid`].
pub fn verify(card: &AgentCard, key: impl Fn(&str) -> Option<PublicKey>) -> Result<String, SigningError> {
    verify_sent(&serde_json::to_value(card).map_err(|_| SigningError::Invalid)?, key)
}

/// The same for a card as it came, with whatever fields it has that are not of the model: the signature is over them too.
///
/// # Errors
/// As [`verify`].
pub fn verify_sent(card: &Value, key: impl Fn(&str) -> Option<PublicKey>) -> Result<String, SigningError> {
    let signatures = card["signatures"].as_array().map(Vec::as_slice).unwrap_or_default();
    if signatures.is_empty() {
        return Err(SigningError::Unsigned);
    }
    let payloads = payloads(card.clone());
    let mut failure = SigningError::UnknownKey;
    for signature in signatures.iter().take(MAX_SIGNATURES) {
        let Ok(signature) = serde_json::from_value::<Detached>(signature.clone()) else { continue };
        for payload in &payloads {
            match signature.verify_text(None, payload, &key) {
                Ok(kid) => return Ok(kid),
                Err(SigningError::UnknownKey) => {}
                Err(_) => failure = SigningError::Invalid,
            }
        }
    }
    Err(failure)
}

/// The canonical forms of a card without its signatures: without anything empty, and, if it differs, with what the
/// specification requires.
fn payloads(mut card: Value) -> Vec<String> {
    if let Some(object) = card.as_object_mut() {
        object.remove("signatures");
    }
    let strict = canonical_json(&card);
    let bare = canonical_json(&without_empty(card).unwrap_or_else(|| json!({})));
    if strict == bare { vec![bare] } else { vec![bare, strict] }
}

/// Takes every empty text, list and object out, from the leaves up.
fn without_empty(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then_some(Value::String(text)),
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().filter_map(without_empty).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(object) => {
            let object: Metadata =
                object.into_iter().filter_map(|(key, value)| Some((key, without_empty(value)?))).collect();
            (!object.is_empty()).then_some(Value::Object(object))
        }
        value => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SecurityRequirement;
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    fn card() -> AgentCard {
        AgentCard {
            name: "Größe \u{1f600}".to_owned(),
            security_requirements: vec![SecurityRequirement::scheme("bearer")],
            ..AgentCard::default()
        }
    }

    #[test]
    fn a_signed_card_is_believed_and_a_changed_one_is_not() {
        let key = SigningKey::from_pkcs8(&SigningKey::generate().unwrap(), "k1").unwrap();
        let mut card = card();
        key.sign(&mut card).unwrap();
        assert_eq!(card.signatures.len(), 2, "the two forms differ");
        let jwk = key.public().to_jwk();
        let find = |kid: &str| (kid == "k1").then(|| PublicKey::from_jwk(&jwk)).flatten();
        // What travels is JSON.
        let read: AgentCard = serde_json::from_str(&serde_json::to_string(&card).unwrap()).unwrap();
        assert_eq!(verify(&read, find).unwrap(), "k1");
        for signature in &card.signatures {
            let alone = AgentCard { signatures: vec![signature.clone()], ..card.clone() };
            assert_eq!(verify(&alone, find).unwrap(), "k1");
        }
        let changed = AgentCard { name: "other".to_owned(), ..card.clone() };
        assert_eq!(verify(&changed, find), Err(SigningError::Invalid));
        assert_eq!(verify(&card, |_| None), Err(SigningError::UnknownKey));
        // A field that this library does not know is signed all the same.
        let mut strange = serde_json::to_value(&read).unwrap();
        strange["later"] = json!(1);
        assert_eq!(verify_sent(&strange, find), Err(SigningError::Invalid));
        let unsigned = AgentCard { signatures: Vec::new(), ..card };
        assert_eq!(verify(&unsigned, find), Err(SigningError::Unsigned));
    }

    #[test]
    fn nonsense_signatures_are_passed_over() {
        let key = SigningKey::from_pkcs8(&SigningKey::generate().unwrap(), "k1").unwrap();
        let mut card = card();
        let nonsense = |protected: &str| AgentCardSignature {
            protected: protected.to_owned(),
            signature: "AAAA".to_owned(),
            header: Metadata::new(),
        };
        let none = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"k1"}"#);
        card.signatures = vec![nonsense("!"), nonsense(""), nonsense(&none)];
        assert_eq!(verify(&card, |_| Some(key.public())), Err(SigningError::Invalid));
        key.sign(&mut card).unwrap();
        assert_eq!(verify(&card, |_| Some(key.public())).unwrap(), "k1");
    }
}
