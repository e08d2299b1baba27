//! Keys: the private one that signs, public ones that signatures are checked with, and how those travel (JSON Web Keys,
//! RFC 7517).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{SigningError, canonical_json};

/// The one algorithm spoken.
pub(super) const ALGORITHM: &str = "ES256";
/// Most keys of one set that are read.
pub const MAX_KEYS: usize = 16;
/// Longest id of a key, in bytes.
const MAX_KID_BYTES: usize = 256;

/// A private key that signs cards and what goes with them.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    kid: String,
    jku: Option<String>,
}

/// A public key with its id: the uncompressed point of P-256, 65 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey {
    kid: String,
    point: Vec<u8>,
}

impl SigningKey {
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
        Ok(Self { pair: pair.map_err(|_| SigningError::Key)?, kid: kid.into(), jku: None })
    }

    /// The same under its thumbprint (RFC 7638), an id that no other key has.
    ///
    /// # Errors
    /// [`SigningError::Key`].
    pub fn by_thumbprint(pkcs8: &[u8]) -> Result<Self, SigningError> {
        let key = Self::from_pkcs8(pkcs8, "")?;
        let kid = key.public().thumbprint();
        Ok(Self { kid, ..key })
    }

    /// The same, saying in what it signs where its public half is published (`jku`, RFC 7515).
    #[must_use]
    pub fn published_at(self, url: impl Into<String>) -> Self {
        Self { jku: Some(url.into()), ..self }
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey { kid: self.kid.clone(), point: self.pair.public_key().as_ref().to_vec() }
    }

    /// The set that holds the public half, as it is published.
    #[must_use]
    pub fn key_set(&self) -> Value {
        json!({ "keys": [self.public().to_jwk()] })
    }

    /// The protected header of a signature over something of the type `typ`.
    pub(super) fn header(&self, typ: &str) -> Value {
        let mut header = json!({ "alg": ALGORITHM, "kid": self.kid, "typ": typ });
        if let Some(jku) = &self.jku {
            header["jku"] = json!(jku);
        }
        header
    }

    pub(super) fn sign_bytes(&self, bytes: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signature = self.pair.sign(&SystemRandom::new(), bytes).map_err(|_| SigningError::Sign)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl PublicKey {
    /// The id by which signatures name it.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key as a JSON Web Key.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let mut jwk = self.required();
        jwk["alg"] = json!(ALGORITHM);
        jwk["use"] = json!("sig");
        jwk["kid"] = json!(self.kid);
        jwk
    }

    /// The key of a JSON Web Key, under its thumbprint when it names no id; `None` when it is not one of P-256.
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
        let mut key = Self { kid: String::new(), point };
        key.kid = jwk["kid"].as_str().map_or_else(|| key.thumbprint(), str::to_owned);
        (key.kid.len() <= MAX_KID_BYTES).then_some(key)
    }

    /// SHA-256 over the key's required members (RFC 7638), base64url.
    fn thumbprint(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(canonical_json(&self.required())))
    }

    fn required(&self) -> Value {
        let coordinate =
            |from, to| BASE64_URL_SAFE_NO_PAD.encode(self.point.get(from..to).unwrap_or_default());
        json!({ "kty": "EC", "crv": "P-256", "x": coordinate(1, 33), "y": coordinate(33, 65) })
    }

    pub(super) fn holds(&self, bytes: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.point).verify(bytes, signature).is_ok()
    }
}

/// The keys of a set that can be used here; others are passed over.
#[must_use]
pub fn keys_of(set: &Value) -> Vec<PublicKey> {
    let keys = set["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    keys.iter().filter_map(PublicKey::from_jwk).take(MAX_KEYS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_travels_in_its_set_and_is_named_by_its_thumbprint() {
        let key = SigningKey::by_thumbprint(&SigningKey::generate().unwrap()).unwrap();
        let mut set = key.key_set();
        assert_eq!(keys_of(&set), [key.public()]);
        set["keys"][0].as_object_mut().unwrap().remove("kid");
        assert_eq!(keys_of(&set), [key.public()], "the thumbprint is computed where it is not told");
        let stranger = json!({ "kty": "RSA", "n": "AQAB" });
        let far = json!({ "kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA" });
        assert_eq!(keys_of(&json!({ "keys": [stranger, far] })), []);
        assert_eq!(keys_of(&json!("nonsense")), []);
    }

    #[test]
    fn the_thumbprint_is_that_of_the_standard() {
        // The key of RFC 7517, appendix A.1; its thumbprint computed with Python's hashlib.
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" });
        assert_eq!(PublicKey::from_jwk(&jwk).unwrap().kid(), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
    }
}
