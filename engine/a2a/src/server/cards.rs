//! The agent card as it is served: the pure one of 1.0 to clients that say so, else one that older clients can read
//! too. Written once; answers with validators so that clients need not fetch it again.

use std::time::SystemTime;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use reqwest::Url;
use sha2::{Digest as _, Sha256};

use super::version::{Said, said};
use super::with_body;
use crate::dialect;
use crate::model::{AgentCard, AgentInterface, Binding};

/// How long a card may be kept, as HTTP says it.
pub(super) const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// The card in its two forms.
pub(crate) struct Cards {
    pure: Written,
    union: Written,
    last_modified: SystemTime,
}

struct Written {
    bytes: Bytes,
    etag: String,
}

impl Written {
    fn of(bytes: Vec<u8>) -> Self {
        let digest = Sha256::digest(&bytes);
        let etag: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { bytes: bytes.into(), etag: format!("\"{etag}\"") }
    }
}

impl Cards {
    pub(crate) fn of(card: &AgentCard, older_versions: bool) -> Result<Self, serde_json::Error> {
        let pure = serde_json::to_vec(card)?;
        let union =
            if older_versions { serde_json::to_vec(&dialect::union_card(card)?)? } else { pure.clone() };
        Ok(Self { pure: Written::of(pure), union: Written::of(union), last_modified: SystemTime::now() })
    }

    /// Answers a request for the card.
    pub(crate) fn answer(&self, headers: &HeaderMap) -> Response {
        let card = match said(headers, None) {
            Ok(Said::V1) => &self.pure,
            _ => &self.union,
        };
        let fresh = self.is_fresh(headers, &card.etag);
        let mut response = if fresh {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            with_body(StatusCode::OK, "application/json", card.bytes.clone())
        };
        let answer = response.headers_mut();
        answer.insert(header::CACHE_CONTROL, CACHE_CONTROL);
        answer.insert(header::VARY, HeaderValue::from_static("A2A-Version"));
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        let modified = http_date(self.last_modified);
        for (name, value) in [(header::ETAG, &card.etag), (header::LAST_MODIFIED, &modified)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                answer.insert(name, value);
            }
        }
        response
    }

    fn is_fresh(&self, headers: &HeaderMap, etag: &str) -> bool {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        if let Some(known) = text(header::IF_NONE_MATCH) {
            return known
                .split(',')
                .map(str::trim)
                .any(|known| known == "*" || known.trim_start_matches("W/") == etag);
        }
        text(header::IF_MODIFIED_SINCE).is_some_and(|since| since == http_date(self.last_modified))
    }
}

/// The date of HTTP (RFC 9110, section 5.6.7).
fn http_date(time: SystemTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    // "2026-05-26T01:02:03Z", whose parts are the same as those of the other format.
    let text = humantime::format_rfc3339_seconds(time).to_string();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let weekday = usize::try_from(seconds / 86_400 % 7).ok().and_then(|day| DAYS.get(day));
    let month = part(5, 7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    format!(
        "{}, {} {} {} {} GMT",
        weekday.unwrap_or(&"Thu"),
        part(8, 10),
        month.unwrap_or(&"Jan"),
        part(0, 4),
        part(11, 19)
    )
}

/// The interfaces of a server whose origin is `base` (scheme, host and port, without a slash at the end), the preferred
/// one first.
#[must_use]
pub fn interfaces(base: &str, older_versions: bool) -> Vec<AgentInterface> {
    let base = base.trim_end_matches('/');
    let of = |path: &str, binding: Binding, version: &str| AgentInterface {
        url: format!("{base}{path}"),
        protocol_binding: binding.name().to_owned(),
        tenant: String::new(),
        protocol_version: version.to_owned(),
    };
    let mut interfaces = vec![of("/a2a", Binding::JsonRpc, "1.0"), of("/a2a/v1", Binding::HttpJson, "1.0")];
    if older_versions {
        interfaces.push(of("/a2a", Binding::JsonRpc, "0.3"));
        // Clients of 0.3 add `/v1` themselves.
        interfaces.push(of("/a2a", Binding::HttpJson, "0.3"));
    }
    interfaces
}

/// The interface of gRPC of a server whose origin is `base`: host and port and nothing else, as the specification has it.
/// `None` where gRPC cannot be reached: its calls have paths of their own, so an address below a path is none for it.
#[must_use]
pub fn grpc_interface(base: &str) -> Option<AgentInterface> {
    let url = Url::parse(base).ok().filter(|url| url.path() == "/")?;
    Some(AgentInterface {
        url: format!("{}:{}", url.host_str()?, url.port_or_known_default()?),
        protocol_binding: Binding::Grpc.name().to_owned(),
        tenant: String::new(),
        protocol_version: "1.0".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_are_those_of_http() {
        // The example of RFC 9110.
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn grpc_is_reached_at_host_and_port() {
        for (base, wanted) in [
            ("http://127.0.0.1:7717", Some("127.0.0.1:7717")),
            ("http://[::1]:7717/", Some("[::1]:7717")),
            ("https://agents.example", Some("agents.example:443")),
            ("http://agents.example", Some("agents.example:80")),
            ("https://example.org/agents/one", None),
            ("agents.example", None),
        ] {
            assert_eq!(grpc_interface(base).map(|one| one.url).as_deref(), wanted, "{base}");
        }
    }
}
