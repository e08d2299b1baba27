//! The server: a runtime of its own on threads of its own, so that the engine stays synchronous and never waits for it.

use crate::access::{self, Access};
use crate::mirror::Mirrors;
use crate::problem::Problem;
use crate::service::Service;
use crate::{live, page, routes};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::get;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use store::Log;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Threads that serve sockets: enough to keep one busy client from holding the others up.
const THREADS: usize = 2;
/// Threads for what blocks: reading the log, looking into git, waiting for a run's answer.
const BLOCKING_THREADS: usize = 32;
/// Largest body of a request, in bytes: a target that is sent along.
const MAX_BODY_BYTES: usize = 8 << 20;
/// How long open connections have when the server stops.
const GRACE: Duration = Duration::from_secs(2);

/// What a server needs.
pub struct Options {
    /// Where it listens; bound already, so that a port in use is seen before anything begins.
    pub listener: TcpListener,
    /// Who may ask.
    pub access: Access,
    /// The log of all runs.
    pub log: Arc<dyn Log>,
    /// What the daemon does for it.
    pub service: Arc<dyn Service>,
    /// How often plain clients hear of a run's figures.
    pub metrics_interval: Duration,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No threads for it, or no socket.
    #[error("the API cannot be served: {0}")]
    Io(#[from] std::io::Error),
}

/// What every route has at hand.
pub(crate) struct Shared {
    pub(crate) mirrors: Mirrors,
    pub(crate) service: Arc<dyn Service>,
    pub(crate) access: Arc<Access>,
    pub(crate) metrics_interval: Duration,
    /// WebSocket clients now.
    pub(crate) clients: AtomicUsize,
    /// Turns true when the server stops.
    pub(crate) stopping: watch::Sender<bool>,
}

/// A server that runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

impl Server {
    /// Starts to serve.
    ///
    /// # Errors
    /// When no thread or socket is to be had.
    pub fn start(options: Options) -> Result<Self, ServerError> {
        let address = options.listener.local_addr()?;
        options.listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("api")
            .enable_all()
            .build()?;
        let shared = Arc::new(Shared {
            mirrors: Mirrors::new(options.log),
            service: options.service,
            access: Arc::new(options.access),
            metrics_interval: options.metrics_interval,
            clients: AtomicUsize::new(0),
            stopping: watch::Sender::new(false),
        });
        let router = router(&shared);
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(options.listener)?
        };
        let mut stopping = shared.stopping.subscribe();
        runtime.spawn(async move {
            let stopped = async move {
                // An error means that the server is gone, which is a stop as well.
                let _ = stopping.wait_for(|stopping| *stopping).await;
            };
            // What a connection dies of is its client's affair.
            let _ = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        });
        Ok(Self { address, shared, runtime: Some(runtime) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.send_replace(true);
        self.shared.mirrors.stop();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(GRACE);
        }
    }
}

fn router(shared: &Arc<Shared>) -> Router {
    let nowhere = || async {
        Problem::not_found("there is nothing at this address").help("the API begins at /api/v1/runs")
    };
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(routes::ready))
        .route("/metrics", get(routes::metrics))
        .route("/ws", get(live::upgrade))
        .nest("/api", routes::router().fallback(nowhere))
        .fallback_service(get(page::asset))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(shared.access.clone(), access::guard))
        .with_state(shared.clone())
}

/// Runs what blocks on a thread for that.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Problem::of_status(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping"))
    })
}
