//! The WebSocket: `darwind.v1` for the dashboard, the seeds' plain protocol for whoever asks for none. Either way a client
//! has a cursor into the log and reads on at its own pace; what is sent is held for one client only while its socket
//! takes it. So no client can slow the engine or another client, and none misses an event unless it says so itself.

mod dashboard;
mod plain;

use crate::access::Role;
use crate::extract::Query;
use crate::meter::Meter;
use crate::problem::Problem;
use crate::server::{Shared, blocking};
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use evolution::id::RunId;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::Record;

/// The dashboard's subprotocol.
pub(crate) const DASHBOARD: &str = "darwind.v1";
/// Clients at once.
const MAX_CLIENTS: usize = 512;
/// Largest frame of a client, in bytes.
const MAX_FRAME_BYTES: usize = 64 << 10;
/// Events are sent together for so long.
pub(crate) const BATCH: Duration = Duration::from_millis(50);
/// Events of one frame.
pub(crate) const MAX_BATCH: usize = 500;
/// How long a socket may take a frame, before its client counts as gone.
const MAX_STALL: Duration = Duration::from_secs(10);
/// How long a client that is let go may take to hear why.
const MAX_PARTING: Duration = Duration::from_secs(60);
/// Close code of a client that takes nothing: it should come back and resume.
const TOO_SLOW: u16 = 4008;
/// A client that says nothing is asked whether it lives.
pub(crate) const PING: Duration = Duration::from_secs(20);
/// Commands of one client a second.
pub(crate) const MAX_COMMANDS: u32 = 20;

/// What a plain client asks for in the address.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Wanted {
    /// The run; the newest when absent.
    run: Option<String>,
    /// Events after this one are sent first.
    after: Option<u64>,
}

/// A client counted while it is connected.
struct Counted(Arc<Shared>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.meter.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Opens a socket. Who may, and from where, was decided before.
pub(crate) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Extension(role): Extension<Role>,
    Query(wanted): Query<Wanted>,
    socket: WebSocketUpgrade,
) -> Response {
    let before = shared.meter.clients.fetch_add(1, Ordering::Relaxed);
    let counted = Counted(shared.clone());
    if before >= MAX_CLIENTS {
        let busy = axum::http::StatusCode::SERVICE_UNAVAILABLE;
        return Problem::of_status(busy, format!("{MAX_CLIENTS} clients are connected already"))
            .into_response();
    }
    let plain = socket.requested_protocols().next().is_none();
    let socket =
        socket.protocols([DASHBOARD]).max_message_size(MAX_FRAME_BYTES).max_frame_size(MAX_FRAME_BYTES);
    socket.on_upgrade(move |socket| async move {
        if plain {
            plain::serve(socket, &shared, role, wanted).await;
        } else {
            dashboard::serve(socket, &shared, role).await;
        }
        drop(counted);
    })
}

/// A socket's writing half, with a limit on patience.
pub(crate) struct Writer {
    sink: SplitSink<WebSocket, Message>,
    meter: Arc<Meter>,
    /// It took nothing for so long that it is let go.
    stalled: bool,
}

impl Writer {
    pub(crate) fn new(sink: SplitSink<WebSocket, Message>, shared: &Shared) -> Self {
        Self { sink, meter: shared.meter.clone(), stalled: false }
    }

    /// Sends one frame; false when the client is gone or takes nothing any more.
    pub(crate) async fn send(&mut self, message: Message) -> bool {
        let bytes = match &message {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) => bytes.len(),
            _ => 0,
        };
        match tokio::time::timeout(MAX_STALL, self.sink.send(message)).await {
            Ok(sent) => {
                self.meter.sent(bytes);
                sent.is_ok()
            }
            Err(_) => {
                self.stalled = true;
                self.meter.stalled.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }

    /// Leaves the client. One that took nothing is told so once it has read the frame that it left half-read, for which it
    /// has a last while; nothing more is held for it than that frame. What it still says is taken off the socket, for a
    /// socket that is closed with something unread takes back what was sent.
    pub(crate) async fn leave(mut self, reader: &mut SplitStream<WebSocket>) {
        if !self.stalled {
            return;
        }
        let why = CloseFrame { code: TOO_SLOW, reason: "too slow; come back and resume".into() };
        let parting = async {
            if self.sink.send(Message::Close(Some(why))).await.is_ok() {
                while let Some(Ok(_)) = reader.next().await {}
            }
        };
        // Who does not read even then learns nothing: there is no one to tell.
        drop(tokio::time::timeout(MAX_PARTING, parting).await);
    }

    /// Sends a value as text.
    pub(crate) async fn json(&mut self, value: &impl Serialize) -> bool {
        // What the wire's types cannot write is nothing that a client could read.
        let Ok(text) = serde_json::to_string(value) else { return true };
        self.send(Message::text(text)).await
    }
}

/// Records after a place in a run's log, as many as one frame takes.
pub(crate) async fn read(shared: &Arc<Shared>, run: &RunId, after: u64) -> Result<Vec<Record>, Problem> {
    let (shared, run) = (shared.clone(), run.clone());
    blocking(move || {
        let found = shared.mirrors.log().read(&conductor::run_stream(&run), after, MAX_BATCH);
        found.map_err(|error| Problem::failed(error.to_string()))
    })
    .await
}
