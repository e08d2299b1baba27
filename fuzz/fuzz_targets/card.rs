//! An agent card and a key set, as a peer serves them: nothing that was not signed passes for signed.
#![no_main]

use a2a::model::AgentCard;
use a2a::signing::{SigningKey, keys_of, verify, verify_sent};
use serde_json::Value;
use std::sync::LazyLock;

static SIGNER: LazyLock<SigningKey> = LazyLock::new(|| {
    let key = SigningKey::generate().expect("a key");
    SigningKey::by_thumbprint(&key).expect("a signing key")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    let _ = keys_of(&value);
    assert!(verify_sent(&value, |_| Some(SIGNER.public())).is_err());
    if let Ok(card) = serde_json::from_value::<AgentCard>(value) {
        assert!(verify(&card, |_| Some(SIGNER.public())).is_err());
    }
});
