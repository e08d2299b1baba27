//! The WebSocket: `darwind.v1` for the dashboard, the seeds' plain protocol for whoever asks for none. Either way a client
//! has a cursor into the log and reads on at its own pace; what is sent is held for one client only while its socket
//! takes it. So no client can slow the engine or another client, and none misses an event unless it says so itself.

mod dashboard;
mod plain;

use crate::access::Role;
use crate::problem::Problem;
use crate::server::{Shared, blocking};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, Query, State};
use axum::response::{IntoResponse, Response};
use evolution::id::RunId;
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use serde::Deserialize;
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
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Opens a socket. Who may, and from where, was decided before.
pub(crate) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Extension(role): Extension<Role>,
    Query(wanted): Query<Wanted>,
    socket: WebSocketUpgrade,
) -> Response {
    let before = shared.clients.fetch_add(1, Ordering::Relaxed);
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
pub(crate) struct Writer(SplitSink<WebSocket, Message>);

impl Writer {
    /// Sends one frame; false when the client is gone or takes nothing any more.
    pub(crate) async fn send(&mut self, message: Message) -> bool {
        matches!(tokio::time::timeout(MAX_STALL, self.0.send(message)).await, Ok(Ok(())))
    }

    /// Sends a value as text.
    pub(crate) async fn json(&mut self, value: &serde_json::Value) -> bool {
        self.send(Message::text(value.to_string())).await
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

/// Counts a client's commands by the second.
pub(crate) struct Pace {
    second: i64,
    count: u32,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self { second: 0, count: 0 }
    }

    /// Whether one more is permitted now.
    pub(crate) fn permits(&mut self, now_ms: i64) -> bool {
        if now_ms / 1000 != self.second {
            (self.second, self.count) = (now_ms / 1000, 0);
        }
        self.count += 1;
        self.count <= MAX_COMMANDS
    }
}
