//! Requests that leave this process: one place for TLS, timeouts and the guard against being turned on the inside.
//!
//! The guard looks at every address a name resolves to at the moment of connecting, so a name that changes its mind
//! after it was registered gains nothing. Redirects are never followed and proxies of the environment never used.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url};

/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a name may take to resolve.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections kept for each peer.
const IDLE_PER_HOST: usize = 4;

/// Where requests may go.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Whether addresses of this machine are allowed, and plain HTTP to them. For tests.
    pub loopback: bool,
    /// Host names that are allowed whatever they resolve to, and plain HTTP to them; for receivers inside.
    pub trusted_hosts: Vec<String>,
    /// Whether plain HTTP is allowed to any public address.
    pub plain_http: bool,
    /// Whether any address is allowed. For clients whose user chose the address; never for webhooks.
    pub anywhere: bool,
}

/// Why an address is refused. The texts say nothing of what is behind the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Forbidden {
    /// Not a URL, or not one of HTTP.
    #[error("must be an https URL with a host and without credentials")]
    NotHttp,
    /// Plain HTTP to a stranger.
    #[error("must be https")]
    Plain,
    /// The name does not resolve.
    #[error("its host does not resolve")]
    Unresolved,
    /// It points inside.
    #[error("its host is not a public address")]
    Inside,
}

/// What an HTTP client could not be built from.
#[derive(Debug, thiserror::Error)]
#[error("the TLS of this machine cannot be set up: {0}")]
pub struct OutboundError(String);

impl Reach {
    fn trusts(&self, host: &str) -> bool {
        self.anywhere || self.trusted_hosts.iter().any(|trusted| trusted.eq_ignore_ascii_case(host))
    }

    /// Whether a connection to the address is allowed.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        self.anywhere || is_public(address) || (self.loopback && address.to_canonical().is_loopback())
    }

    /// Checks a URL and every address that its host resolves to now.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub async fn check(&self, url: &str) -> Result<Url, Forbidden> {
        let url = Url::parse(url).map_err(|_| Forbidden::NotHttp)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let with_credentials = !url.username().is_empty() || url.password().is_some();
        if !matches!(url.scheme(), "http" | "https") || host.is_empty() || with_credentials {
            return Err(Forbidden::NotHttp);
        }
        if self.trusts(&host) {
            return Ok(url);
        }
        let plain = url.scheme() == "http" && !self.plain_http;
        if plain && !self.loopback {
            return Err(Forbidden::Plain);
        }
        let addresses = addresses(&url, &host).await?;
        if !addresses.iter().all(|address| self.allows(*address)) {
            return Err(Forbidden::Inside);
        }
        if plain && !addresses.iter().all(|address| address.to_canonical().is_loopback()) {
            return Err(Forbidden::Plain);
        }
        Ok(url)
    }

    /// An HTTP client that connects only where it may.
    ///
    /// # Errors
    /// [`OutboundError`].
    pub(crate) fn client(&self) -> Result<Client, OutboundError> {
        let fault = |error: String| OutboundError(error);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| fault(error.to_string()))?;
        // A machine without root certificates can still speak to those it reaches without TLS.
        let tls = match rustls_platform_verifier::Verifier::new(provider) {
            Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
            Err(_) => builder.with_root_certificates(rustls::RootCertStore::empty()),
        }
        .with_no_client_auth();
        Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .dns_resolver(Arc::new(Guarded(self.clone())))
            .build()
            .map_err(|error| fault(error.to_string()))
    }
}

/// Connections that several clients share: one pool, one TLS setup, one guard.
#[derive(Clone, Debug)]
pub struct Connections {
    http: Client,
}

impl Connections {
    /// Connections to where `reach` lets them go.
    ///
    /// # Errors
    /// [`OutboundError`].
    pub fn new(reach: &Reach) -> Result<Self, OutboundError> {
        Ok(Self { http: reach.client()? })
    }

    pub(crate) fn http(&self) -> &Client {
        &self.http
    }
}

async fn addresses(url: &Url, host: &str) -> Result<Vec<IpAddr>, Forbidden> {
    if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Ok(vec![address]);
    }
    let port = url.port_or_known_default().unwrap_or(443);
    let found = tokio::time::timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host((host, port))).await;
    let addresses: Vec<IpAddr> = match found {
        Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
        _ => return Err(Forbidden::Unresolved),
    };
    if addresses.is_empty() { Err(Forbidden::Unresolved) } else { Ok(addresses) }
}

/// Resolves names at the moment of connecting and leaves out what is not allowed.
struct Guarded(Reach);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found =
                tokio::time::timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host((host.as_str(), 0))).await??;
            let trusted = reach.trusts(&host);
            let allowed: Vec<SocketAddr> =
                found.filter(|address| trusted || reach.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err(Box::new(Forbidden::Inside) as Box<dyn std::error::Error + Send + Sync>);
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

/// Whether an address is one of the public internet (IANA special-purpose address registries, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // IPv4 in IPv6, mapped or compatible, and by translation (RFC 6052) or 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => (high != 0 || low > 1) && embedded(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        // Documentation (RFC 3849, RFC 9637), and all of 2001::/23: Teredo, benchmarking, ORCHID.
        [0x2001, 0xdb8, ..] => false,
        [0x2001, second, ..] if second < 0x200 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // What is public lies in 2000::/3; the rest is local, multicast or unassigned.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inside_is_not_public() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "::7f00:1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[tokio::test]
    async fn urls_that_point_inside_are_refused() {
        let reach = Reach::default();
        for (url, why) in [
            ("https://127.0.0.1/hook", Forbidden::Inside),
            ("https://[::1]/hook", Forbidden::Inside),
            ("https://2130706433/hook", Forbidden::Inside),
            ("https://0x7f.1/hook", Forbidden::Inside),
            ("https://localhost/hook", Forbidden::Inside),
            ("http://1.1.1.1/hook", Forbidden::Plain),
            ("http://nobody.invalid/hook", Forbidden::Plain),
            ("https://nobody.invalid/hook", Forbidden::Unresolved),
            ("ftp://1.1.1.1/hook", Forbidden::NotHttp),
            ("https://me:word@1.1.1.1/", Forbidden::NotHttp),
            ("file:///etc/passwd", Forbidden::NotHttp),
            ("nonsense", Forbidden::NotHttp),
        ] {
            assert_eq!(reach.check(url).await.unwrap_err(), why, "{url}");
        }
        assert!(reach.check("https://1.1.1.1/hook").await.is_ok());
        let at_home = Reach { loopback: true, ..Reach::default() };
        assert!(at_home.check("http://127.0.0.1:8080/hook").await.is_ok());
        assert_eq!(at_home.check("https://10.0.0.1/").await.unwrap_err(), Forbidden::Inside);
    }

    #[tokio::test]
    async fn a_name_is_checked_when_connecting() {
        let client = Reach::default().client().unwrap();
        let error = client.get("http://localhost:1/").send().await.unwrap_err();
        assert!(format!("{error:?}").contains("Inside"), "{error:?}");
    }
}
