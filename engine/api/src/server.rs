//! The server: a runtime of its own on threads of its own, so that the engine stays synchronous and never waits for it.

use crate::access::{self, Access};
use crate::clock::now_ms;
use crate::meter::Meter;
use crate::mirror::Mirrors;
use crate::pace::Pace;
use crate::problem::Problem;
use crate::service::Service;
use crate::{live, page, routes};
use axum::Router;
use axum::extract::connect_info::Connected;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get};
use axum::serve::{IncomingStream, Listener};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use store::Log;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Threads that serve sockets: enough to keep one busy client from holding the others up.
const THREADS: usize = 2;
/// Threads for what blocks: reading the log, looking into git, waiting for a run's answer.
const BLOCKING_THREADS: usize = 32;
/// Largest body of a request, in bytes: a target that is sent along.
const MAX_BODY_BYTES: usize = 8 << 20;
/// Commands that all clients together may send by HTTP in a second.
const MAX_COMMANDS: u32 = 100;
/// Wrong tokens that are answered in a second.
const MAX_GUESSES: u32 = 10;
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
    /// What else is served at the same address.
    pub annex: Option<Annex>,
}

/// Routes of another protocol at the same address. They stand behind the same look at `Host` and `Origin` and let nobody
/// in by themselves: whoever makes them asks who is there.
pub struct Annex {
    /// Beginnings of their paths, such as `/a2a`: each stands for itself and for all below it.
    pub paths: &'static [&'static str],
    /// Makes them; called within the server's runtime.
    pub routes: MakeRoutes,
}

/// Makes the routes of an [`Annex`].
pub type MakeRoutes = Box<dyn FnOnce() -> Result<Router, Box<dyn std::error::Error + Send + Sync>> + Send>;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No threads for it, or no socket.
    #[error("the API cannot be served: {0}")]
    Io(#[from] std::io::Error),
    /// What is served beside it cannot be set up.
    #[error("what is served beside the API cannot be set up: {0}")]
    Annex(Box<dyn std::error::Error + Send + Sync>),
}

/// What every route has at hand.
pub(crate) struct Shared {
    pub(crate) mirrors: Mirrors,
    pub(crate) service: Arc<dyn Service>,
    pub(crate) access: Arc<Access>,
    pub(crate) metrics_interval: Duration,
    /// What the face itself does.
    pub(crate) meter: Arc<Meter>,
    /// Commands that came by HTTP, and wrong tokens, this second.
    commands: Mutex<Pace>,
    guesses: Mutex<Pace>,
    /// Turns true when the server stops.
    pub(crate) stopping: watch::Sender<bool>,
}

impl Shared {
    /// Refuses a command when there were too many this second.
    pub(crate) fn permits_command(&self) -> Result<(), Problem> {
        let refusal = || Problem::too_many(format!("{MAX_COMMANDS} commands a second are the most"));
        permits(&self.commands).then_some(()).ok_or_else(refusal)
    }

    /// Refuses to say more of a wrong token when there were too many this second.
    pub(crate) fn permits_guess(&self) -> Result<(), Problem> {
        let refusal = || Problem::too_many("too many wrong tokens");
        permits(&self.guesses).then_some(()).ok_or_else(refusal)
    }
}

fn permits(pace: &Mutex<Pace>) -> bool {
    pace.lock().unwrap_or_else(PoisonError::into_inner).permits(now_ms())
}

/// A server that runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

impl Server {
    /// Starts to serve, in plain text.
    ///
    /// # Errors
    /// When no thread or socket is to be had.
    pub fn start(options: Options) -> Result<Self, ServerError> {
        Self::start_over::<tokio::net::TcpListener, SocketAddr>(options, Ok)
    }

    /// Starts to serve over what `listen` makes of the socket, TLS for example. `C` is what its connections are known by.
    /// `listen` is called within the server's runtime.
    ///
    /// # Errors
    /// When no thread or socket is to be had.
    pub fn start_over<L, C>(
        options: Options,
        listen: impl FnOnce(tokio::net::TcpListener) -> std::io::Result<L>,
    ) -> Result<Self, ServerError>
    where
        L: Listener,
        L::Addr: std::fmt::Debug,
        C: for<'a> Connected<IncomingStream<'a, L>>,
    {
        let address = options.listener.local_addr()?;
        options.listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("api")
            .enable_all()
            .build()?;
        let (open, annex) = match options.annex {
            Some(annex) => {
                let _inside = runtime.enter();
                (annex.paths, (annex.routes)().map_err(ServerError::Annex)?)
            }
            None => (&[][..], Router::new()),
        };
        let shared = Arc::new(Shared {
            mirrors: Mirrors::new(options.log),
            service: options.service,
            access: Arc::new(options.access.leaving(open)),
            metrics_interval: options.metrics_interval,
            meter: Arc::default(),
            commands: Mutex::new(Pace::new(MAX_COMMANDS)),
            guesses: Mutex::new(Pace::new(MAX_GUESSES)),
            stopping: watch::Sender::new(false),
        });
        let router = router(&shared, annex).into_make_service_with_connect_info::<C>();
        let listener = {
            let _inside = runtime.enter();
            listen(tokio::net::TcpListener::from_std(options.listener)?)?
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

fn router(shared: &Arc<Shared>, annex: Router) -> Router {
    let nowhere = || async {
        Problem::not_found("there is nothing at this address").help("the API begins at /api/v1/runs")
    };
    Router::new()
        .merge(routes::router())
        .route("/api/{*nowhere}", any(nowhere))
        // HTTP/2, where it is spoken, opens a WebSocket with CONNECT (RFC 8441).
        .route("/ws", get(live::upgrade).connect(live::upgrade))
        .fallback_service(get(page::asset))
        .merge(annex.with_state(()))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(shared.access.clone(), access::guard))
        .layer(middleware::from_fn_with_state(shared.meter.clone(), count))
        .with_state(shared.clone())
}

/// Counts what is answered, and says of refusals who was refused what. Nothing secret stands in a method or a path.
async fn count(State(meter): State<Arc<Meter>>, request: Request, next: Next) -> Response {
    let (method, path, began) = (request.method().clone(), request.uri().path().to_owned(), Instant::now());
    let response = next.run(request).await;
    let status = response.status();
    meter.answered(status.as_u16());
    let took_ms = began.elapsed().as_secs_f64() * 1000.0;
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            tracing::warn!(%method, path, status = status.as_u16(), "refused");
        }
        _ if status.is_server_error() => {
            tracing::error!(%method, path, status = status.as_u16(), took_ms, "failed");
        }
        _ => tracing::debug!(%method, path, status = status.as_u16(), took_ms, "answered"),
    }
    response
}

/// Runs what blocks on a thread for that.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Problem::of_status(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping"))
    })
}
