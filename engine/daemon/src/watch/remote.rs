//! A run watched over a daemon's WebSocket, in the plain protocol. Its frames hold the log's own records, without the long
//! parts of evaluations. Not here: TLS; a daemon behind a proxy that adds it is watched through a tunnel.

use super::{Heard, Source};
use crate::failure::Failure;
use serde_json::Value;
use std::net::TcpStream;
use std::time::{Duration, UNIX_EPOCH};
use store::Record;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::http::header::AUTHORIZATION;
use tungstenite::{Message, WebSocket};

/// Variable with the token, where the link has none.
const TOKEN: &str = "DARWIND_TOKEN";
/// Longest silence of a daemon, which sends figures every few seconds: after that it counts as gone.
const MAX_SILENCE: Duration = Duration::from_secs(60);

/// A daemon's address and the token for it.
#[derive(Debug, PartialEq, Eq)]
struct Link {
    host: String,
    token: Option<String>,
}

impl Link {
    /// Reads a link as darwind prints it, or an address alone.
    fn read(text: &str) -> Option<Self> {
        let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
        let rest = match address.split_once("://") {
            Some(("http" | "ws", rest)) => rest,
            Some(_) => return None,
            None => address,
        };
        let host = rest.split(['/', '?']).next().filter(|host| !host.is_empty())?;
        let host = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
            host.to_owned()
        } else {
            format!("{host}:80")
        };
        let token = fragment.split('&').find_map(|part| part.strip_prefix("t=")).map(str::to_owned);
        Some(Self { host, token })
    }
}

/// A daemon's WebSocket.
pub(super) struct Remote {
    socket: WebSocket<TcpStream>,
    host: String,
    /// The last record heard.
    last: u64,
}

impl Remote {
    /// Connects to the daemon behind a link. Follows the newest run unless one is named.
    pub(super) fn open(link: &str, run: Option<&str>) -> Result<Self, Failure> {
        let Link { host, token } = Link::read(link).ok_or_else(|| {
            Failure::usage(
                format!("{link:?} is no address of a daemon"),
                "give the link that `darwind serve` printed, such as http://127.0.0.1:7717/#t=…",
            )
        })?;
        let token = token.or_else(|| std::env::var(TOKEN).ok()).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| {
            Failure::usage(
                "the daemon wants a token",
                format!("give the whole link that it printed, or set {TOKEN}"),
            )
        })?;
        let run = run.map_or_else(String::new, |run| format!("&run={run}"));
        let unusable = |error: &dyn std::fmt::Display| {
            Failure::usage(
                format!("no daemon can be watched at {host}: {error}"),
                "`darwind serve` prints the link; without a URL the runs of this machine are watched",
            )
        };
        let mut request =
            format!("ws://{host}/ws?after=0{run}").into_client_request().map_err(|error| unusable(&error))?;
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|error| unusable(&error))?;
        request.headers_mut().insert(AUTHORIZATION, bearer);
        let stream = TcpStream::connect(&host).map_err(|error| unusable(&error))?;
        stream.set_read_timeout(Some(MAX_SILENCE)).map_err(|error| unusable(&error))?;
        let (socket, _) = tungstenite::client(request, stream).map_err(|error| unusable(&error))?;
        Ok(Self { socket, host, last: 0 })
    }

    fn gone(&self, why: &dyn std::fmt::Display) -> Failure {
        Failure::work_with_help(
            format!("the daemon at {} is gone: {why}", self.host),
            "the run goes on without its watcher; watch it again when the daemon is back",
        )
    }

    /// What a frame says, if it says something about the run.
    fn understand(&mut self, frame: &Value) -> Result<Option<Heard>, Failure> {
        let data = frame.get("data").cloned().unwrap_or_default();
        let seq = data.get("seq").and_then(Value::as_u64).unwrap_or(0);
        match frame.get("type").and_then(Value::as_str) {
            Some("evolution_progress") => {
                let text = |name| data.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                let time = humantime::parse_rfc3339(&text("timestamp")).unwrap_or(UNIX_EPOCH);
                let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
                let time_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
                let (stream, kind) = (text("run_id"), text("event_type"));
                self.last = seq;
                Ok(Some(Heard::Record(Record { stream, seq, kind, time_ms, data })))
            }
            // Figures may come before the events that they are made of.
            Some("performance_metrics") => Ok(Some(Heard::Quiet { newest: seq.max(self.last) })),
            Some("events_missed") => {
                Err(self.gone(&"it left events out, because this terminal was too slow"))
            }
            Some("error") => {
                let error = frame.get("error").and_then(Value::as_str).unwrap_or("it refused");
                Err(Failure::work(format!("the daemon at {}: {error}", self.host)))
            }
            _ => Ok(None),
        }
    }
}

impl Source for Remote {
    fn hear(&mut self) -> Result<Heard, Failure> {
        loop {
            let message = self.socket.read().map_err(|error| self.gone(&error))?;
            let Message::Text(text) = message else { continue };
            let frame: Value = serde_json::from_str(text.as_str()).map_err(|error| self.gone(&error))?;
            if let Some(heard) = self.understand(&frame)? {
                return Ok(heard);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Link;

    fn read(text: &str) -> Option<(String, Option<String>)> {
        Link::read(text).map(|link| (link.host, link.token))
    }

    #[test]
    fn links_are_read_as_they_are_printed() {
        let own = "127.0.0.1:7717".to_owned();
        assert_eq!(read("http://127.0.0.1:7717/#t=abc"), Some((own.clone(), Some("abc".to_owned()))));
        assert_eq!(read("ws://127.0.0.1:7717/ws?x=1#run=a&t=b"), Some((own.clone(), Some("b".to_owned()))));
        assert_eq!(read("127.0.0.1:7717"), Some((own, None)));
        assert_eq!(read("http://host/"), Some(("host:80".to_owned(), None)));
        assert_eq!(read("https://host/"), None);
        assert_eq!(read("http://"), None);
    }
}
