//! The server: the card, JSON-RPC at `/a2a`, HTTP+JSON under `/a2a/v1`, as one [`axum::Router`] that can stand beside
//! others, and gRPC as another (feature `grpc`). It reads requests, asks who is there, and writes what `service` answers.
//! Not here: listening on a socket (whoever serves the router, over TLS with `tls`'s listener).

mod access;
mod cards;
#[cfg(feature = "grpc")]
mod grpc;
mod rate;
mod rest;
mod rpc;
pub mod sockets;
mod sse;
#[cfg(test)]
mod strangers;
pub mod tls;
mod version;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{any, get};
use serde_json::Value;

pub use access::Access;
pub use cards::{grpc_interface, interfaces};
pub use rate::Rate;
pub use sse::KEEP_ALIVE;

use crate::agent::Caller;
use crate::error::{A2aError, ErrorKind};
use crate::service::Service;
use cards::Cards;
use rate::Buckets;
use tls::TlsPeer;

/// How long a request's body may take to arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Names the version of the protocol in requests.
pub(crate) const VERSION_HEADER: &str = "a2a-version";
/// Names extensions in requests and answers.
pub(crate) const EXTENSIONS_HEADER: &str = "a2a-extensions";
/// As [`EXTENSIONS_HEADER`], before 1.0.
pub(crate) const OLD_EXTENSIONS_HEADER: &str = "x-a2a-extensions";
/// Where the keys are published that the card is signed with.
pub const KEYS_PATH: &str = "/.well-known/jwks.json";
/// Whether gRPC is spoken, which is whether this was built with the feature `grpc`.
pub const SPEAKS_GRPC: bool = cfg!(feature = "grpc");
/// Beginning of the paths at which gRPC is called.
pub const GRPC_PATH: &str = "/lf.a2a.v1.A2AService";
/// Most extensions read from a header.
const MAX_EXTENSIONS: usize = 64;

/// How the server behaves.
#[derive(Clone)]
pub struct ServerSettings {
    /// Who may ask, and how they say who they are.
    pub access: Access,
    /// How often each peer may ask; `None` for as often as it likes.
    pub rate: Option<Rate>,
    /// Largest body of a request, in bytes.
    pub max_body_bytes: usize,
    /// Whether older versions are answered. Without them the card is the pure one of 1.0 for everybody.
    pub older_versions: bool,
    /// The keys that the card is signed with (RFC 7517), as they are published.
    pub key_set: Option<Value>,
    /// Hears of every request that was carried out or turned away.
    pub audit: Option<Auditor>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            access: Access::open(),
            rate: Some(Rate::default()),
            max_body_bytes: 8 * 1024 * 1024,
            older_versions: true,
            key_set: None,
            audit: None,
        }
    }
}

/// Hears of requests. Called in their course, so it must not block.
pub type Auditor = Arc<dyn Fn(&Audit) + Send + Sync>;

/// A request as it is told to an audit.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Who asked; `None` when they did not show who they are.
    pub caller: Option<Caller>,
    /// Where they asked from.
    pub peer: Option<IpAddr>,
    /// The operation's name in 1.0, or "" when the request was turned away before it was read.
    pub operation: &'static str,
    /// Why it was turned away.
    pub refused: Option<ErrorKind>,
}

/// The server of one service. Clones share everything.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    service: Service,
    settings: ServerSettings,
    cards: Cards,
    buckets: Option<Buckets>,
}

impl Server {
    /// A server for a service.
    ///
    /// # Errors
    /// A card that cannot be written as JSON.
    pub fn new(service: Service, settings: ServerSettings) -> Result<Self, serde_json::Error> {
        let cards = Cards::of(service.card(), settings.older_versions)?;
        let buckets = settings.rate.map(Buckets::new);
        Ok(Self { shared: Arc::new(Shared { service, settings, cards, buckets }) })
    }

    /// The service behind it.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.shared.service
    }

    /// The routes: the cards and the keys under `/.well-known`, and everything at and under `/a2a`. Serve it with connection
    /// information (`into_make_service_with_connect_info::<SocketAddr>`) to have limits by address.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/.well-known/agent-card.json", get(card))
            .route("/.well-known/agent.json", get(card))
            .route(KEYS_PATH, get(keys))
            .route("/a2a", any(root))
            .route("/a2a/", any(root))
            .route("/a2a/{*path}", any(under))
            .route("/agent/authenticatedExtendedCard", any(under))
            .with_state(self.clone())
    }

    /// The routes of gRPC: none, for this was built without it.
    #[cfg(not(feature = "grpc"))]
    pub fn grpc_router(&self) -> Router {
        Router::new()
    }

    /// Lets a request in: its rate, then who asks.
    fn admit(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Result<Caller, A2aError> {
        let caller = self.shared.settings.access.caller(headers);
        if let Some(buckets) = &self.shared.buckets {
            let name = match (&caller, peer) {
                (Ok(caller), _) if !caller.principal.is_empty() => format!("caller {}", caller.principal),
                (_, Some(peer)) => format!("peer {peer}"),
                _ => String::new(),
            };
            buckets.take(&name)?;
        }
        caller
    }

    fn audit(
        &self,
        caller: Option<&Caller>,
        peer: Option<IpAddr>,
        operation: &'static str,
        refused: Option<ErrorKind>,
    ) {
        if let Some(audit) = &self.shared.settings.audit {
            audit(&Audit { caller: caller.cloned(), peer, operation, refused });
        }
    }

    /// Reads a body within its limits.
    async fn body(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, A2aError> {
        let limit = self.shared.settings.max_body_bytes;
        let too_large = || {
            let text = format!("a request may have at most {limit} bytes");
            A2aError::new(ErrorKind::TooLarge, text)
        };
        let declared =
            headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: usize| length > limit) {
            return Err(too_large());
        }
        match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, limit)).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(_)) => Err(too_large()),
            Err(_) => Err(A2aError::new(ErrorKind::InvalidRequest, "the request did not arrive in time")),
        }
    }
}

async fn card(State(server): State<Server>, request: Request) -> Response {
    server.shared.cards.answer(request.headers())
}

async fn keys(State(server): State<Server>) -> Response {
    let Some(set) = &server.shared.settings.key_set else {
        return plain(StatusCode::NOT_FOUND, "this agent signs nothing\n");
    };
    let mut response = with_body(StatusCode::OK, "application/jwk-set+json", set.to_string());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, cards::CACHE_CONTROL);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

async fn root(State(server): State<Server>, request: Request) -> Response {
    let peer = peer(&request);
    let (parts, body) = request.into_parts();
    if parts.method != axum::http::Method::POST {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "JSON-RPC is spoken here with POST\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    rpc::answer(&server, &parts, body, peer).await
}

async fn under(State(server): State<Server>, request: Request) -> Response {
    let peer = peer(&request);
    let (parts, body) = request.into_parts();
    rest::answer(&server, &parts, body, peer).await
}

fn peer(request: &Request) -> Option<IpAddr> {
    let plain = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    let address = plain.or_else(|| Some(request.extensions().get::<ConnectInfo<TlsPeer>>()?.0.0));
    address.map(|address| address.ip())
}

/// The extensions that a client wants by header.
fn wanted_extensions(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(EXTENSIONS_HEADER).iter().chain(headers.get_all(OLD_EXTENSIONS_HEADER));
    let names = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    names.map(str::trim).filter(|name| !name.is_empty()).take(MAX_EXTENSIONS).map(str::to_owned).collect()
}

/// An answer with a body of a content type.
fn with_body(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    with_body(status, "text/plain; charset=utf-8", text)
}

/// Adds what an error says in headers: when to try again, how to say who one is.
fn add_error_headers(response: &mut Response, error: &A2aError, access: &Access) {
    if let Some(after) = error.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, after.as_secs().max(1).into());
    }
    if matches!(error.kind, ErrorKind::Unauthenticated | ErrorKind::PermissionDenied) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, access.challenge());
    }
}

/// Names the extensions that are in force.
fn add_extensions(response: &mut Response, service: &Service, wanted: &[String]) {
    let active = service.activated(wanted).join(", ");
    if let (false, Ok(value)) = (active.is_empty(), HeaderValue::from_str(&active)) {
        response.headers_mut().insert(HeaderName::from_static(EXTENSIONS_HEADER), value);
    }
}

/// The number of the last event that a client saw.
fn last_event_id(headers: &HeaderMap) -> Option<u64> {
    headers.get("last-event-id")?.to_str().ok()?.trim().parse().ok()
}
