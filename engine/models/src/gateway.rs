//! The gateway: a loopback address where a child process asks the model without ever holding a key.
//!
//! Each attempt is admitted with an allowance and gets a token, which ends with its [`Pass`]. The gateway exchanges it
//! for the key, keeps to the attempt's allowance and the run's purse, streams the answer through, and records it before
//! its last piece is handed over. It does not try again: the child's own client does that.

mod attempt;
mod forward;
mod pump;
mod question;

use crate::client::ClientOptions;
use crate::error::ModelError;
use crate::exchange::Exchanges;
use crate::http;
use crate::purse::Purse;
use attempt::{Attempt, Attempts};
use axum::Router;
use axum::routing::{get, post};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::runtime::Runtime;

pub use attempt::{Allowance, Pass, Spent};
pub use forward::MAX_QUESTION;

/// Threads that move bytes; what blocks (the purse, the record) has threads of the runtime's own.
const WORKERS: usize = 1;

/// The gateway. It ends when it is dropped, and every token with it.
pub struct Gateway {
    address: SocketAddr,
    desk: Arc<Desk>,
    runtime: Option<Runtime>,
}

/// What every request needs.
struct Desk {
    options: ClientOptions,
    http: reqwest::Client,
    exchanges: Arc<Exchanges>,
    purse: Arc<Purse>,
    attempts: Arc<Attempts>,
}

impl Gateway {
    /// Listens on a free loopback port, in front of the endpoint and the model of `options`. Which dialect is spoken is
    /// the child's choice, so the dialect of `options` says nothing here.
    ///
    /// # Errors
    ///
    /// When the options cannot be used, or no port or thread can be had.
    pub fn open(
        options: ClientOptions,
        exchanges: Arc<Exchanges>,
        purse: Arc<Purse>,
    ) -> Result<Self, ModelError> {
        http::check(&options.endpoint)?;
        let setup = |error: std::io::Error| ModelError::Setup(format!("no gateway can be opened: {error}"));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("gateway")
            .enable_all()
            .build()
            .map_err(setup)?;
        let listener =
            runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).map_err(setup)?;
        let address = listener.local_addr().map_err(setup)?;
        let http = http::client(&options.limits)?;
        let desk = Arc::new(Desk { options, http, exchanges, purse, attempts: Arc::default() });
        let router = router(desk.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, desk, runtime: Some(runtime) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens on a listener beside its own until the pass is dropped: one in a network of a child's own, at the same
    /// port, so that the child finds the gateway where [`Pass::url`] says.
    ///
    /// # Errors
    ///
    /// When the listener cannot be used.
    pub fn listen_on(&self, listener: std::net::TcpListener, pass: &Pass) -> Result<(), ModelError> {
        let setup = |error: std::io::Error| ModelError::Setup(format!("the child's listener: {error}"));
        listener.set_nonblocking(true).map_err(setup)?;
        let runtime = self.runtime.as_ref().map(Runtime::handle);
        let _entered = runtime.map(tokio::runtime::Handle::enter);
        let listener = tokio::net::TcpListener::from_std(listener).map_err(setup)?;
        let (router, over) = (router(self.desk.clone()), pass.end());
        tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(over).await });
        Ok(())
    }

    /// The model in front of which it stands.
    pub fn model(&self) -> &str {
        &self.desk.options.model
    }

    /// Lets an attempt in, until the pass is dropped. `attempt` is its name in the record.
    ///
    /// # Errors
    ///
    /// When the system has no random bytes for a token.
    pub fn admit(&self, attempt: &str, allowance: Allowance) -> Result<Pass, ModelError> {
        Pass::issue(self.desk.attempts.clone(), Attempt::new(attempt, allowance), self.address)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Children may still be connected; nobody waits for them.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/v1/models", get(forward::models))
        .route("/v1/chat/completions", post(forward::chat))
        .route("/v1/responses", post(forward::responses))
        .route("/v1/messages", post(forward::messages))
        .with_state(desk)
}
