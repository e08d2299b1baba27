//! Who may ask, and from where. Every route is closed unless it is named here: a session cookie or a bearer token is needed
//! even on loopback, and each request must name this server as its `Host` and, if it says where its page came from, as
//! its `Origin`. So a page of somebody else's, and a name that was pointed here, get nothing.

use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::sync::Arc;

/// Name of the session cookie.
const COOKIE: &str = "darwind_session";
/// What a token is hashed with for its sessions, so that the digest is of no use anywhere else.
const SESSION_SALT: &str = "darwind session v1\0";
/// Names by which a machine calls itself.
const LOOPBACK_NAMES: &[&str] = &["localhost", "127.0.0.1", "[::1]"];
/// What a browser may do with what it gets from here.
const POLICY: &str = "default-src 'self'; connect-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// See everything.
    Viewer,
    /// Command as well.
    Operator,
}

/// Tokens and the names of this server. A session is the digest of its token: it outlives a restart of the server that
/// keeps its token, ends everywhere when the token changes, and nothing has to be remembered for it.
pub struct Access {
    operator: String,
    viewer: Option<String>,
    hosts: Vec<String>,
    /// Whether it is reached over TLS alone, so that a session never travels in plain text.
    secure: bool,
    /// Beginnings of paths behind which others ask who is there.
    left: &'static [&'static str],
    /// Draws an unguessable name.
    draw: Box<dyn Fn() -> String + Send + Sync>,
}

impl Access {
    /// Access by these tokens to a server at `address`, which may also be called by `names` (without a port). `draw` gives
    /// unguessable names.
    pub fn new(
        operator: String,
        viewer: Option<String>,
        address: SocketAddr,
        names: &[String],
        draw: impl Fn() -> String + Send + Sync + 'static,
    ) -> Self {
        let port = address.port();
        let own = if address.ip().is_unspecified() { None } else { Some(address.to_string()) };
        let loopback = LOOPBACK_NAMES.iter().map(|name| format!("{name}:{port}"));
        // Clients of gRPC name the port even where it is that of the scheme, before a proxy that speaks TLS for this server.
        let named =
            names.iter().flat_map(|name| [format!("{name}:{port}"), format!("{name}:443"), name.clone()]);
        let hosts = loopback.chain(own).chain(named).map(|host| host.to_lowercase()).collect();
        Self { operator, viewer, hosts, secure: false, left: &[], draw: Box::new(draw) }
    }

    /// The same for a server that is reached over TLS alone.
    #[must_use]
    pub fn over_tls(self) -> Self {
        Self { secure: true, ..self }
    }

    /// The same, leaving the question of who is there to others at and below these paths.
    pub(crate) fn leaving(self, left: &'static [&'static str]) -> Self {
        Self { left, ..self }
    }

    fn leaves(&self, path: &str) -> bool {
        let below = |prefix: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.left.iter().any(|prefix| below(prefix))
    }

    /// The role that a token gives.
    pub(crate) fn role_of(&self, token: &str) -> Option<Role> {
        if same(token, &self.operator) {
            return Some(Role::Operator);
        }
        self.viewer.as_ref().filter(|viewer| same(token, viewer)).map(|_| Role::Viewer)
    }

    /// An unguessable name.
    pub(crate) fn draw(&self) -> String {
        (self.draw)()
    }

    /// The cookie of a session that this token opens.
    pub(crate) fn open_session(&self, token: &str) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{COOKIE}={}; HttpOnly; SameSite=Strict; Path=/{secure}", session_of(token))
    }

    /// Who sent these headers.
    pub(crate) fn role(&self, headers: &HeaderMap) -> Option<Role> {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        if let Some(token) = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")) {
            return self.role_of(token.trim());
        }
        // HTTP/2 may bring each cookie in a header of its own (RFC 9113, section 8.2.3).
        let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let mut cookies = all.flat_map(|value| value.split(';')).filter_map(|one| one.trim().split_once('='));
        let (_, session) = cookies.find(|(name, _)| *name == COOKIE)?;
        if same(session, &session_of(&self.operator)) {
            return Some(Role::Operator);
        }
        self.viewer.as_ref().filter(|viewer| same(session, &session_of(viewer))).map(|_| Role::Viewer)
    }

    /// Whether a request is meant for this server and comes from no other page. HTTP/2 names the server beside the path
    /// (`uri`), as a request by way of a proxy does, instead of in `Host` or as well; all names that are there must be its.
    fn comes_from_here(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), String> {
        let beside = uri.authority().map(Authority::as_str);
        let host = headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
        let host = host.or(beside.is_none().then_some(""));
        for called in beside.into_iter().chain(host) {
            if !self.hosts.contains(&called.to_lowercase()) {
                return Err(format!("this server is not called {called:?}"));
            }
        }
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default().to_lowercase();
        let known = ["http://", "https://"].iter().filter_map(|scheme| origin.strip_prefix(scheme));
        if known.into_iter().any(|host| self.hosts.iter().any(|own| own == host)) {
            Ok(())
        } else {
            Err(format!("requests of pages from {origin:?} are not answered"))
        }
    }
}

/// The session of a token, 64 hexadecimal digits.
fn session_of(token: &str) -> String {
    let digest = Sha256::new().chain_update(SESSION_SALT).chain_update(token).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether two texts are the same, in a time that does not tell where they differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// What may be seen without a session: whether the server is well, and the page's own files, which hold no data.
fn is_open(method: &Method, path: &str) -> bool {
    let data = path.starts_with("/api/") || path == "/ws" || path == "/metrics";
    match *method {
        Method::GET | Method::HEAD => !data,
        Method::POST => path == "/api/session",
        _ => false,
    }
}

/// Stands before every route.
pub(crate) async fn guard(State(access): State<Arc<Access>>, mut request: Request, next: Next) -> Response {
    let response = match admit(&access, &mut request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    harden(response)
}

fn admit(access: &Access, request: &mut Request) -> Result<(), Problem> {
    access.comes_from_here(request.uri(), request.headers()).map_err(Problem::forbidden)?;
    let role = access.role(request.headers());
    if let Some(role) = role {
        request.extensions_mut().insert(role);
        return Ok(());
    }
    let path = request.uri().path();
    if access.leaves(path) || is_open(request.method(), path) { Ok(()) } else { Err(Problem::unauthorized()) }
}

fn harden(mut response: Response) -> Response {
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let allowed = response.headers_mut().remove(header::ALLOW);
        response =
            Problem::of_status(StatusCode::METHOD_NOT_ALLOWED, "this address does not take that method")
                .into_response();
        response.headers_mut().extend(allowed.map(|methods| (header::ALLOW, methods)));
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        Access::new("secret".to_owned(), Some("look".to_owned()), ([127, 0, 0, 1], 7717).into(), &[], || {
            "s".to_owned()
        })
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (header::HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn roles_come_from_tokens_and_sessions() {
        let access = access();
        assert_eq!(access.role(&headers(&[])), None);
        assert_eq!(access.role(&headers(&[("authorization", "Bearer secret")])), Some(Role::Operator));
        assert_eq!(access.role(&headers(&[("authorization", "Bearer look")])), Some(Role::Viewer));
        assert_eq!(access.role(&headers(&[("authorization", "Bearer secre")])), None);
        assert_eq!(access.role(&headers(&[("cookie", "darwind_session=look")])), None);
        let of = |access: &Access, cookie: &str| {
            let cookie = HeaderValue::from_str(&format!("a=b; {cookie}")).unwrap();
            access.role(&HeaderMap::from_iter([(header::COOKIE, cookie)]))
        };
        let (operator, viewer) = (access.open_session("secret"), access.open_session("look"));
        assert!(viewer.contains("HttpOnly") && !viewer.contains("look"));
        assert_eq!(of(&access, &operator), Some(Role::Operator));
        assert_eq!(of(&access, &viewer), Some(Role::Viewer));
        // Each cookie in a header of its own.
        let mut apart = headers(&[("cookie", "a=b")]);
        apart.append(header::COOKIE, HeaderValue::from_str(operator.split(';').next().unwrap()).unwrap());
        assert_eq!(access.role(&apart), Some(Role::Operator));
    }

    #[test]
    fn a_session_outlives_a_restart_and_ends_with_its_token() {
        let cookie = access().open_session("secret");
        let session = HeaderValue::from_str(cookie.split(';').next().unwrap()).unwrap();
        let headers = HeaderMap::from_iter([(header::COOKIE, session)]);
        assert_eq!(access().role(&headers), Some(Role::Operator));
        let changed = Access { operator: "another".to_owned(), ..access() };
        assert_eq!(changed.role(&headers), None);
    }

    #[test]
    fn other_names_and_other_pages_get_nothing() {
        let access = access();
        let at = |uri: &'static str, pairs: &[(&'static str, &'static str)]| {
            access.comes_from_here(&Uri::from_static(uri), &headers(pairs)).is_ok()
        };
        let fine = |pairs: &[(&'static str, &'static str)]| at("/api/v1/runs", pairs);
        assert!(fine(&[("host", "localhost:7717")]));
        assert!(fine(&[("host", "127.0.0.1:7717"), ("origin", "http://127.0.0.1:7717")]));
        assert!(!fine(&[]));
        assert!(!fine(&[("host", "evil.example:7717")]));
        assert!(!fine(&[("host", "localhost:80")]));
        assert!(!fine(&[("host", "localhost:7717"), ("origin", "http://evil.example")]));
        assert!(!fine(&[("host", "localhost:7717"), ("origin", "null")]));
        // As HTTP/2 has it, and as it is written to a proxy.
        assert!(at("http://localhost:7717/", &[]));
        assert!(at("http://localhost:7717/", &[("host", "LOCALHOST:7717")]));
        assert!(!at("http://evil.example:7717/", &[]));
        assert!(!at("http://evil.example:7717/", &[("host", "localhost:7717")]));
        assert!(!at("http://localhost:7717/", &[("host", "evil.example")]));
    }

    #[test]
    fn only_the_page_and_its_health_are_open() {
        assert!(
            is_open(&Method::GET, "/")
                && is_open(&Method::GET, "/healthz")
                && is_open(&Method::GET, "/app.js")
        );
        assert!(!is_open(&Method::GET, "/api/v1/runs") && !is_open(&Method::GET, "/ws"));
        assert!(
            !is_open(&Method::GET, "/metrics")
                && !is_open(&Method::DELETE, "/")
                && !is_open(&Method::PUT, "/x")
        );
        assert!(is_open(&Method::POST, "/api/session") && !is_open(&Method::POST, "/api/v1/runs"));
    }
}
