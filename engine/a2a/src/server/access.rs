//! Who asks: bearer tokens and API keys, and how the card declares them.
//! Only digests of the secrets are kept, and digests are compared, so the time of a comparison tells nothing of them.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::agent::Caller;
use crate::error::{A2aError, ErrorKind};
use crate::model::{AgentCard, SecurityRequirement};

/// The header that carries an API key.
const API_KEY_HEADER: &str = "X-API-Key";

/// Who may ask.
#[derive(Clone, Default)]
pub struct Access {
    /// Nobody in it: everybody may ask, and all are one caller.
    known: Arc<Vec<([u8; 32], Caller)>>,
}

impl Access {
    /// Everybody may ask; all are one caller.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// Whoever shows one of the secrets may ask, as its principal. A secret is shown as a bearer token or as an API
    /// key in `X-API-Key`.
    #[must_use]
    pub fn secrets<'a>(secrets: impl IntoIterator<Item = (&'a str, Caller)>) -> Self {
        let known = secrets.into_iter().map(|(secret, caller)| (digest(secret.as_bytes()), caller));
        Self { known: Arc::new(known.collect()) }
    }

    /// Whether callers have to show who they are.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.known.is_empty()
    }

    /// Declares on the card what callers have to show.
    pub fn declare(&self, card: &mut AgentCard) {
        if self.is_open() {
            return;
        }
        let bearer = json!({ "httpAuthSecurityScheme": { "scheme": "Bearer" } });
        let key = json!({ "apiKeySecurityScheme": { "location": "header", "name": API_KEY_HEADER } });
        card.security_schemes.insert("bearer".to_owned(), bearer);
        card.security_schemes.insert("apiKey".to_owned(), key);
        card.security_requirements =
            vec![SecurityRequirement::scheme("bearer"), SecurityRequirement::scheme("apiKey")];
    }

    /// Who asks, by the headers of a request.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`].
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Result<Caller, A2aError> {
        if self.is_open() {
            return Ok(Caller::anonymous());
        }
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().as_bytes())
        });
        let shown = bearer.or_else(|| headers.get(API_KEY_HEADER).map(HeaderValue::as_bytes));
        let Some(shown) = shown else {
            let text = "show who you are with a bearer token or an API key, as the card says";
            return Err(A2aError::new(ErrorKind::Unauthenticated, text));
        };
        let shown = digest(shown);
        self.known
            .iter()
            .find(|(known, _)| *known == shown)
            .map(|(_, caller)| caller.clone())
            .ok_or_else(|| A2aError::new(ErrorKind::Unauthenticated, "these credentials are not known here"))
    }

    /// What an answer says of how to show who one is (RFC 9110, section 11.6.1).
    pub(crate) fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static("Bearer realm=\"a2a\"")
    }
}

fn digest(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_known_by_token_or_key() {
        let access = Access::secrets([("one", Caller::named("a")), ("two", Caller::named("b"))]);
        let mut headers = HeaderMap::new();
        assert_eq!(access.caller(&headers).unwrap_err().kind, ErrorKind::Unauthenticated);
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("bearer two"));
        assert_eq!(access.caller(&headers).unwrap(), Caller::named("b"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic one"));
        assert!(access.caller(&headers).is_err());
        headers.insert("x-api-key", HeaderValue::from_static("one"));
        assert_eq!(access.caller(&headers).unwrap(), Caller::named("a"));
    }
}
