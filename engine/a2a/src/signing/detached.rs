//! A signature that stands beside what it is over: JWS with detached content (RFC 7515, appendix F).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::keys::ALGORITHM;
use super::{PublicKey, SigningError, SigningKey, canonical_json};

/// A detached signature. What it is over is known to both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detached {
    /// The protected header, base64url.
    pub protected: String,
    /// The signature, base64url.
    pub signature: String,
}

/// What is read of a protected header.
#[derive(Deserialize)]
struct Protected {
    alg: String,
    kid: String,
    #[serde(default)]
    typ: String,
    #[serde(default)]
    crit: Option<Value>,
}

impl SigningKey {
    /// Signs the canonical JSON of a value. `typ` says what kind of thing it is, so that a signature over one kind is none
    /// over another.
    ///
    /// # Errors
    /// [`SigningError::Sign`].
    pub fn sign_value(&self, typ: &str, value: &Value) -> Result<Detached, SigningError> {
        self.sign_text(typ, &canonical_json(value))
    }

    pub(super) fn sign_text(&self, typ: &str, payload: &str) -> Result<Detached, SigningError> {
        let protected = BASE64_URL_SAFE_NO_PAD.encode(self.header(typ).to_string());
        let signature = self.sign_bytes(input(&protected, payload).as_bytes())?;
        Ok(Detached { protected, signature: BASE64_URL_SAFE_NO_PAD.encode(signature) })
    }
}

impl Detached {
    /// Checks the signature over a value of the kind `typ` with the key that `key` finds by its id; answers that id.
    ///
    /// # Errors
    /// [`SigningError::UnknownKey`], [`SigningError::Invalid`].
    pub fn verify(
        &self,
        typ: &str,
        value: &Value,
        key: impl Fn(&str) -> Option<PublicKey>,
    ) -> Result<String, SigningError> {
        self.verify_text(Some(typ), &canonical_json(value), &key)
    }

    /// The id of the key that it names.
    ///
    /// # Errors
    /// [`SigningError::Invalid`] when its header cannot be read.
    pub fn kid(&self) -> Result<String, SigningError> {
        self.header().map(|header| header.kid)
    }

    fn header(&self) -> Result<Protected, SigningError> {
        let header = BASE64_URL_SAFE_NO_PAD.decode(&self.protected).map_err(|_| SigningError::Invalid)?;
        serde_json::from_slice(&header).map_err(|_| SigningError::Invalid)
    }

    /// The same over a text, and of any kind without `typ`.
    pub(super) fn verify_text(
        &self,
        typ: Option<&str>,
        payload: &str,
        key: &impl Fn(&str) -> Option<PublicKey>,
    ) -> Result<String, SigningError> {
        let header = self.header()?;
        // An extension that must be understood is not (RFC 7515, section 4.1.11).
        let spoken = header.alg == ALGORITHM && header.crit.is_none();
        if !spoken || typ.is_some_and(|typ| typ != header.typ) {
            return Err(SigningError::Invalid);
        }
        let public = key(&header.kid).ok_or(SigningError::UnknownKey)?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(&self.signature).map_err(|_| SigningError::Invalid)?;
        let holds = public.holds(input(&self.protected, payload).as_bytes(), &signature);
        if holds { Ok(header.kid) } else { Err(SigningError::Invalid) }
    }
}

/// What is signed.
fn input(protected: &str, payload: &str) -> String {
    format!("{protected}.{}", BASE64_URL_SAFE_NO_PAD.encode(payload))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_signature_holds_for_its_value_its_kind_and_its_key_alone() {
        let key = || SigningKey::by_thumbprint(&SigningKey::generate().unwrap()).unwrap();
        let (ours, other) = (key(), key().public());
        let known = |kid: &str| (kid == ours.public().kid()).then(|| ours.public());
        let value = json!({ "b": [1.0, "ü"], "a": 1e21 });
        let signature = ours.sign_value("thing", &value).unwrap();
        // The order of the fields and the way a number is written are nothing to it.
        let same: Value = serde_json::from_str(r#"{"a": 1000000000000000000000.0, "b": [1, "ü"]}"#).unwrap();
        assert_eq!(signature.verify("thing", &same, known).as_deref(), Ok(ours.public().kid()));
        let invalid = Err(SigningError::Invalid);
        assert_eq!(signature.verify("thing", &json!({ "b": [1.0, "u"], "a": 1e21 }), known), invalid);
        assert_eq!(signature.verify("other thing", &value, known), invalid);
        assert_eq!(signature.verify("thing", &value, |_| Some(other.clone())), invalid);
        assert_eq!(signature.verify("thing", &value, |_| None), Err(SigningError::UnknownKey));
        let cut = Detached { signature: signature.signature[1..].to_owned(), ..signature };
        assert_eq!(cut.verify("thing", &value, known), invalid);
    }
}
