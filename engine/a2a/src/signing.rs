//! Signed cards: detached JWS (RFC 7515) with ES256 over the canonical JSON (RFC 8785) of the card of 1.0.
//!
//! The specification keeps required fields that are empty; the SDKs in use take every empty value out. Both forms are
//! canonical to somebody, so where they differ a card is signed in both, and either is believed.
//! Not here: where keys come from or whom to trust; the caller hands in keys by their id.

mod canonical;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::{Value, json};

pub use canonical::canonical_json;

use crate::model::{AgentCard, AgentCardSignature, Metadata};

/// Most signatures of a card that are looked at.
pub const MAX_SIGNATURES: usize = 8;
/// The one algorithm spoken.
const ALGORITHM: &str = "ES256";

/// Why a card could not be signed or believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The private key cannot be read or made.
    #[error("the private key is not a P-256 key in PKCS#8")]
    Key,
    /// The operating system gave no randomness, or the card cannot be written.
    #[error("the card cannot be signed")]
    Sign,
    /// The card has no signature.
    #[error("the card has no signature")]
    Unsigned,
    /// No signature of the card holds.
    #[error("no signature of the card holds with the keys at hand")]
    Invalid,
}

/// A private key that signs cards.
pub struct CardKey {
    pair: EcdsaKeyPair,
    kid: String,
}

/// A public key that cards are checked with: the uncompressed point of P-256, 65 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl CardKey {
    /// Makes a new private key, as PKCS#8 for whoever keeps it.
    ///
    /// # Errors
    /// [`SigningError::Key`].
    pub fn generate() -> Result<Vec<u8>, SigningError> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        document.map(|document| document.as_ref().to_vec()).map_err(|_| SigningError::Key)
    }

    /// A key from PKCS#8, under an id that verifiers find it by.
    ///
    /// # Errors
    /// [`SigningError::Key`].
    pub fn from_pkcs8(pkcs8: &[u8], kid: impl Into<String>) -> Result<Self, SigningError> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random);
        Ok(Self { pair: pair.map_err(|_| SigningError::Key)?, kid: kid.into() })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.pair.public_key().as_ref().to_vec())
    }

    /// Signs a card, adding to the signatures that it has.
    ///
    /// # Errors
    /// [`SigningError::Sign`].
    pub fn sign(&self, card: &mut AgentCard) -> Result<(), SigningError> {
        let header = json!({ "alg": ALGORITHM, "kid": self.kid, "typ": "JOSE" }).to_string();
        let protected = BASE64_URL_SAFE_NO_PAD.encode(header);
        for payload in payloads(card)? {
            let input = signing_input(&protected, &payload);
            let signature =
                self.pair.sign(&SystemRandom::new(), input.as_bytes()).map_err(|_| SigningError::Sign)?;
            card.signatures.push(AgentCardSignature {
                protected: protected.clone(),
                signature: BASE64_URL_SAFE_NO_PAD.encode(signature.as_ref()),
                header: Metadata::new(),
            });
        }
        Ok(())
    }
}

impl PublicKey {
    /// The key as a JSON Web Key (RFC 7517).
    #[must_use]
    pub fn to_jwk(&self, kid: &str) -> Value {
        let coordinate = |from, to| BASE64_URL_SAFE_NO_PAD.encode(self.0.get(from..to).unwrap_or_default());
        json!({
            "kty": "EC", "crv": "P-256", "alg": ALGORITHM, "use": "sig", "kid": kid,
            "x": coordinate(1, 33), "y": coordinate(33, 65),
        })
    }

    /// The key of a JSON Web Key; `None` when it is not one of P-256.
    #[must_use]
    pub fn from_jwk(jwk: &Value) -> Option<Self> {
        if jwk["kty"] != "EC" || jwk["crv"] != "P-256" {
            return None;
        }
        let mut point = vec![4];
        for coordinate in ["x", "y"] {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(jwk[coordinate].as_str()?).ok()?;
            if bytes.len() != 32 {
                return None;
            }
            point.extend(bytes);
        }
        Some(Self(point))
    }
}

/// Checks a card's signatures with the keys that `key` finds by their ids, and returns the id of the first that holds.
///
/// # Errors
/// [`SigningError::Unsigned`], [`SigningError::Invalid`].
pub fn verify(card: &AgentCard, key: impl Fn(&str) -> Option<PublicKey>) -> Result<String, SigningError> {
    #[derive(Deserialize)]
    struct Protected {
        alg: String,
        kid: String,
        #[serde(default)]
        crit: Option<Value>,
    }
    if card.signatures.is_empty() {
        return Err(SigningError::Unsigned);
    }
    let payloads = payloads(card).map_err(|_| SigningError::Invalid)?;
    for signature in card.signatures.iter().take(MAX_SIGNATURES) {
        let Ok(header) = BASE64_URL_SAFE_NO_PAD.decode(&signature.protected) else { continue };
        let Ok(header) = serde_json::from_slice::<Protected>(&header) else { continue };
        // An extension that must be understood is not (RFC 7515, section 4.1.11).
        if header.alg != ALGORITHM || header.crit.is_some() {
            continue;
        }
        let Ok(bytes) = BASE64_URL_SAFE_NO_PAD.decode(&signature.signature) else { continue };
        let Some(PublicKey(point)) = key(&header.kid) else { continue };
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        let holds = |payload: &String| {
            let input = signing_input(&signature.protected, payload);
            public.verify(input.as_bytes(), &bytes).is_ok()
        };
        if payloads.iter().any(holds) {
            return Ok(header.kid);
        }
    }
    Err(SigningError::Invalid)
}

fn signing_input(protected: &str, payload: &str) -> String {
    format!("{protected}.{}", BASE64_URL_SAFE_NO_PAD.encode(payload))
}

/// The canonical forms of a card without its signatures, as far as they differ: without anything empty, with what the
/// specification requires, and as older clients get it.
fn payloads(card: &AgentCard) -> Result<Vec<String>, SigningError> {
    let mut value = serde_json::to_value(card).map_err(|_| SigningError::Sign)?;
    if let Some(object) = value.as_object_mut() {
        object.remove("signatures");
    }
    let strict = canonical_json(&value);
    let bare = canonical_json(&without_empty(value).unwrap_or_else(|| json!({})));
    // The card that older clients get too, for verifiers that take what they were given as it is.
    let mut union = crate::dialect::union_card(card).map_err(|_| SigningError::Sign)?;
    if let Some(object) = union.as_object_mut() {
        object.remove("signatures");
    }
    let union = canonical_json(&without_empty(union).unwrap_or_else(|| json!({})));
    let mut payloads = vec![bare];
    for other in [strict, union] {
        if !payloads.contains(&other) {
            payloads.push(other);
        }
    }
    Ok(payloads)
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

    fn card() -> AgentCard {
        AgentCard {
            name: "Größe \u{1f600}".to_owned(),
            security_requirements: vec![SecurityRequirement::scheme("bearer")],
            ..AgentCard::default()
        }
    }

    #[test]
    fn a_signed_card_is_believed_and_a_changed_one_is_not() {
        let key = CardKey::from_pkcs8(&CardKey::generate().unwrap(), "k1").unwrap();
        let mut card = card();
        key.sign(&mut card).unwrap();
        assert_eq!(card.signatures.len(), 2, "the two forms differ");
        let jwk = key.public().to_jwk("k1");
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
        assert_eq!(verify(&card, |_| None), Err(SigningError::Invalid));
        let unsigned = AgentCard { signatures: Vec::new(), ..card };
        assert_eq!(verify(&unsigned, find), Err(SigningError::Unsigned));
    }

    #[test]
    fn nonsense_signatures_are_passed_over() {
        let key = CardKey::from_pkcs8(&CardKey::generate().unwrap(), "k1").unwrap();
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
