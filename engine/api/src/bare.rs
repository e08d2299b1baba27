//! A bare axum broadcast loop: every text goes to every client as it comes, and nothing else is done. It is the yardstick
//! that `darwind bench live` holds the real sockets against, and nothing that darwind serves.

use crate::server::ServerError;
use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocketUpgrade};
use axum::routing::get;
use std::net::{SocketAddr, TcpListener};
use tokio::runtime::Runtime;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Texts that a client may be behind before it loses some.
const CAPACITY: usize = 4096;
/// Threads that serve sockets, as many as the real server has.
const THREADS: usize = 2;

/// The loop, until it is dropped.
pub struct Bare {
    address: SocketAddr,
    sender: broadcast::Sender<Utf8Bytes>,
    _runtime: Runtime,
}

impl Bare {
    /// Starts to serve `/ws`.
    ///
    /// # Errors
    /// When no thread or socket is to be had.
    pub fn start(listener: TcpListener) -> Result<Self, ServerError> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("api")
            .enable_all()
            .build()?;
        let (sender, _) = broadcast::channel(CAPACITY);
        let texts = sender.clone();
        let upgrade = move |socket: WebSocketUpgrade| {
            let mut texts = texts.subscribe();
            std::future::ready(socket.on_upgrade(move |mut socket| async move {
                loop {
                    let text = match texts.recv().await {
                        Ok(text) => text,
                        Err(RecvError::Lagged(_)) => continue,
                        Err(RecvError::Closed) => return,
                    };
                    if socket.send(Message::Text(text)).await.is_err() {
                        return;
                    }
                }
            }))
        };
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let router = Router::new().route("/ws", get(upgrade));
        runtime.spawn(async move {
            // What a connection dies of is its client's affair.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, sender, _runtime: runtime })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a text to whoever listens.
    pub fn send(&self, text: String) {
        // Nobody may be listening.
        let _ = self.sender.send(text.into());
    }
}
