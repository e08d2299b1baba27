//! Who vouches for a knowledge package: a detached signature that travels inside it, over the canonical JSON of everything
//! else. It is made with the key that signs the agent's card, and checked with the keys that are known of peers.

use a2a::signing::{Detached, PublicKey, SigningError, SigningKey};
use knowledge::{Package, PackageError, PackageSignature};
use serde_json::Value;

/// The kind of thing that is signed, so that no signature over a card is one over a package.
const KIND: &str = "darwind-knowledge+jws";

/// A package with a signature of that key over it.
///
/// # Errors
/// [`SigningError::Sign`].
pub fn sign(package: &Package, key: &SigningKey) -> Result<Package, SigningError> {
    let written = serde_json::to_value(package).map_err(|_| SigningError::Sign)?;
    let Detached { protected, signature } = key.sign_value(KIND, &Package::vouched_for(&written))?;
    Ok(Package { signature: Some(PackageSignature { protected, signature }), ..package.clone() })
}

/// A package as it came, with what its signature is over.
#[derive(Debug, Clone, PartialEq)]
pub struct PackageSent {
    /// The package.
    pub package: Package,
    /// What was signed, as it came: a field that is not understood here is signed all the same. Nothing without a signature.
    vouched_for: Value,
}

/// Who vouches for a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// It has no signature.
    Nobody,
    /// Its signature names a key, of this id, that is not known, so it says nothing.
    Stranger(String),
    /// The holder of the key of this id.
    Known(String),
}

impl PackageSent {
    /// Reads a stranger's package; its signature is checked later, by those who know keys.
    ///
    /// # Errors
    /// [`PackageError`].
    pub fn read(sent: &Value) -> Result<Self, PackageError> {
        let package = Package::read(sent)?;
        let vouched_for = if package.signature.is_some() { Package::vouched_for(sent) } else { Value::Null };
        Ok(Self { package, vouched_for })
    }

    /// Who vouches for it, by the keys that `key` finds by their ids.
    ///
    /// # Errors
    /// [`SigningError::Invalid`] when it bears a known key's id and the signature does not hold, or cannot be read.
    pub fn signer(&self, key: impl Fn(&str) -> Option<PublicKey>) -> Result<Signer, SigningError> {
        let Some(PackageSignature { protected, signature }) = self.package.signature.clone() else {
            return Ok(Signer::Nobody);
        };
        let signature = Detached { protected, signature };
        match signature.verify(KIND, &self.vouched_for, key) {
            Ok(kid) => Ok(Signer::Known(kid)),
            Err(SigningError::UnknownKey) => Ok(Signer::Stranger(signature.kid()?)),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key() -> SigningKey {
        SigningKey::by_thumbprint(&SigningKey::generate().unwrap()).unwrap()
    }

    fn package() -> Package {
        let sent = json!({ "source_agent": "a", "improvement_type": "speed",
            "performance_impact": { "delta": 0.1, "by_objective": { "time": 1.0 } },
            "code_pattern": { "patterns": [{ "kind": "function", "name": "f", "after": "def f(): return 'ü'" }] } });
        Package::read(&sent).unwrap()
    }

    /// What arrives of what is sent.
    fn arrived(package: &Package) -> Value {
        serde_json::from_str(&serde_json::to_string(package).unwrap()).unwrap()
    }

    #[test]
    fn a_signed_package_is_vouched_for_where_its_key_is_known() {
        let ours = key();
        let signed = sign(&package(), &ours).unwrap();
        assert_eq!(signed.digest, package().digest, "a signature changes no digest");
        let sent = PackageSent::read(&arrived(&signed)).unwrap();
        assert_eq!(sent.package, signed);
        let kid = ours.public().kid().to_owned();
        let known = |id: &str| (id == kid).then(|| ours.public());
        assert_eq!(sent.signer(known), Ok(Signer::Known(kid.clone())));
        assert_eq!(sent.signer(|_| None), Ok(Signer::Stranger(kid.clone())));
        // Whoever passes a key off under another's id proves nothing.
        assert_eq!(sent.signer(|_| Some(key().public())), Err(SigningError::Invalid));
        // A package of before signatures is read as ever.
        let old = PackageSent::read(&arrived(&package())).unwrap();
        assert_eq!(old.signer(known), Ok(Signer::Nobody));
    }

    #[test]
    fn what_was_changed_is_not_vouched_for() {
        let ours = key();
        let known = |_: &str| Some(ours.public());
        let sent = arrived(&sign(&package(), &ours).unwrap());
        let with = |change: &dyn Fn(&mut Value)| {
            let mut changed = sent.clone();
            change(&mut changed);
            // The digest is no secret: whoever changes a package can compute it anew.
            changed["digest"] = json!("");
            PackageSent::read(&changed).unwrap().signer(known)
        };
        assert!(matches!(with(&|_| {}), Ok(Signer::Known(_))));
        let invalid = Err(SigningError::Invalid);
        assert_eq!(with(&|sent| sent["performance_impact"]["delta"] = json!(0.2)), invalid);
        assert_eq!(with(&|sent| sent["source_agent"] = json!("b")), invalid);
        assert_eq!(
            with(&|sent| sent["code_pattern"]["patterns"][0]["after"] = json!("def f(): return 1")),
            invalid
        );
        assert_eq!(with(&|sent| sent["later"] = json!("a field that is not understood here")), invalid);
        assert_eq!(with(&|sent| sent["signature"]["signature"] = json!("AAAA")), invalid);
        assert_eq!(with(&|sent| sent["signature"]["protected"] = json!("!")), invalid);
    }

    #[test]
    fn a_signed_card_is_no_signed_package() {
        let ours = key();
        let written = serde_json::to_value(package()).unwrap();
        let Detached { protected, signature } =
            ours.sign_value("JOSE", &Package::vouched_for(&written)).unwrap();
        let forged = Package { signature: Some(PackageSignature { protected, signature }), ..package() };
        let sent = PackageSent::read(&arrived(&forged)).unwrap();
        assert_eq!(sent.signer(|_| Some(ours.public())), Err(SigningError::Invalid));
    }
}
