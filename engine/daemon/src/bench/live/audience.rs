//! The clients of `darwind bench live`, in a process of their own: a thread each, which reads frames, compares the clock
//! and sees to it that none is missing. One more client stops reading, and hears at the end what it is told.

use super::{BARE, now_us};
use crate::failure::Failure;
use crate::terminal::Terminal;
use serde::{Deserialize, Serialize};
use std::net::TcpStream;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use tungstenite::{Message, WebSocket};

/// What stands before an event's time of writing.
pub(super) const WRITTEN: &str = "written ";
/// What the last event says.
pub(super) const LAST: &str = "the last";
/// What the audience says when all listen.
pub(super) const READY: &str = "ready";
/// Longest silence before a client counts what is missing as lost.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes that the kernel keeps for the client that reads nothing, so that its server soon notices.
const SMALL_BUFFER: usize = 4096;
/// Stack of a client's thread, in bytes.
const STACK: usize = 256 << 10;
/// Subscriptions of the client that reads nothing: it is to be full soon.
const SUBSCRIPTIONS: usize = 8;

/// What the clients heard together.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Heard {
    /// Events, each counted once for each client.
    pub(super) received: u64,
    /// Events that some client did not get, counted likewise.
    pub(super) lost: u64,
    /// Frames.
    pub(super) frames: u64,
    /// From writing to hearing, in milliseconds: the median, the 99th of a hundred, the greatest.
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
    /// What the client that read nothing was told.
    pub(super) stalled: String,
}

/// What one client heard.
#[derive(Default)]
struct Client {
    late_us: Vec<u32>,
    lost: u64,
    frames: u64,
}

/// Listens until the last event, with so many clients.
pub(super) fn listen(
    address: &str,
    run: &str,
    clients: u32,
    token: &str,
    terminal: Terminal,
) -> Result<Heard, Failure> {
    let stalled = open(address, run, token, true)?;
    let (sender, ready) = channel();
    let threads = (0..clients).map(|_| client(address, run, token, sender.clone()));
    let threads = threads.collect::<Result<Vec<_>, Failure>>()?;
    drop(sender);
    if ready.iter().take(threads.len()).count() != threads.len() {
        return Err(Failure::work_with_help("not every client could listen", "see `ulimit -n`"));
    }
    terminal.line(READY)?;
    terminal.flush()?;
    let (mut late_us, mut lost, mut frames) = (Vec::new(), 0, 0);
    for thread in threads {
        let Ok(client) = thread.join() else { continue };
        late_us.extend(client.late_us);
        lost += client.lost;
        frames += client.frames;
    }
    late_us.sort_unstable();
    let at = |share: f64| {
        let place = (late_us.len().saturating_sub(1) as f64 * share) as usize;
        late_us.get(place).map_or(0.0, |us| f64::from(*us) / 1000.0)
    };
    let stalled = hear_of_the_stall(stalled);
    Ok(Heard {
        received: late_us.len() as u64,
        lost,
        frames,
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        max_ms: at(1.0),
        stalled,
    })
}

/// A socket that follows the run.
fn open(address: &str, run: &str, token: &str, stalls: bool) -> Result<WebSocket<TcpStream>, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::work_with_help(format!("a client cannot listen at {address}: {error}"), "see `ulimit -n`")
    };
    let stream = TcpStream::connect(address).map_err(|error| failed(&error))?;
    if stalls {
        rustix::net::sockopt::set_socket_recv_buffer_size(&stream, SMALL_BUFFER)
            .map_err(|error| failed(&error))?;
    }
    stream.set_read_timeout(Some(SILENCE)).map_err(|error| failed(&error))?;
    let mut request = format!("ws://{address}/ws").into_client_request().map_err(|error| failed(&error))?;
    if run != BARE {
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|error| failed(&error))?;
        request.headers_mut().insert(AUTHORIZATION, bearer);
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("darwind.v1"));
    }
    let (mut socket, _) = tungstenite::client(request, stream).map_err(|error| failed(&error))?;
    for id in 0..if stalls { SUBSCRIPTIONS } else { 1 } {
        if run != BARE {
            let frame =
                serde_json::json!({ "t": "sub", "id": id.to_string(), "topic": "events", "run": run });
            socket.send(Message::text(frame.to_string())).map_err(|error| failed(&error))?;
        }
    }
    Ok(socket)
}

/// Starts one client; it says when it listens.
fn client(address: &str, run: &str, token: &str, ready: Sender<()>) -> Result<JoinHandle<Client>, Failure> {
    let (bare, mut socket) = (run == BARE, open(address, run, token, false)?);
    let work = move || {
        let mut client = Client::default();
        let mut seen = None;
        if bare {
            let _ = ready.send(());
        }
        while let Ok(message) = socket.read() {
            let Message::Text(text) = message else { continue };
            let (text, now) = (text.as_str(), now_us());
            if text.contains("\"t\":\"resume\"") {
                let _ = ready.send(());
                continue;
            }
            if !text.contains("\"t\":\"d\"") && !text.contains("\"t\":\"gap\"") {
                continue;
            }
            client.frames += 1;
            let (from, to) = (number(text, "\"from\":"), number(text, "\"to\":"));
            let expected = seen.map_or(from, |seen: u64| seen + 1);
            client.lost += from.saturating_sub(expected);
            seen = Some(to);
            client.late_us.extend(text.split(WRITTEN).skip(1).map(|rest| late(rest, now)));
            if text.contains(LAST) {
                return client;
            }
        }
        // It fell silent before the last event, which is lost at the least.
        client.lost += 1;
        client
    };
    let thread = std::thread::Builder::new().name("client".to_owned()).stack_size(STACK).spawn(work);
    thread.map_err(|error| Failure::caused("no thread could be started", error))
}

/// How many microseconds ago an event was written, by the digits that its reason begins with.
fn late(rest: &str, now: i64) -> u32 {
    let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let written: i64 = rest.get(..digits).and_then(|digits| digits.parse().ok()).unwrap_or(now);
    u32::try_from((now - written).max(0)).unwrap_or(u32::MAX)
}

/// The number behind the first such name.
fn number(text: &str, name: &str) -> u64 {
    let rest = text.split_once(name).map_or("", |(_, rest)| rest);
    let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..digits).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// What a client is told that read nothing for the whole load, once it reads.
fn hear_of_the_stall(mut socket: WebSocket<TcpStream>) -> String {
    loop {
        match socket.read() {
            Ok(Message::Text(text)) if text.as_str().contains("\"t\":\"gap\"") => {
                return format!("told that it missed {}", number(text.as_str(), "\"missed\":"));
            }
            Ok(Message::Text(text)) if text.as_str().contains(LAST) => {
                return "was sent everything".to_owned();
            }
            Ok(Message::Close(Some(frame))) => {
                return format!("let go with {}: {}", u16::from(frame.code), frame.reason.as_str());
            }
            Ok(_) => {}
            Err(error) => return format!("cut off ({error})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{late, number};

    #[test]
    fn frames_are_read_without_being_parsed() {
        assert_eq!(number(r#"{"t":"d","from":17,"to":20}"#, "\"to\":"), 20);
        assert_eq!(number("{}", "\"to\":"), 0);
        assert_eq!(late("1500xxx", 2000), 500);
        assert_eq!(late("", 2000), 0);
    }
}
