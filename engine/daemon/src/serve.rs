//! `darwind serve`, and the dashboard that `darwind run` opens beside a run: where it listens, who may ask, the link.

use crate::cli::{Listen, ServeFlags};
use crate::data::{self, DataFolder, Runs};
use crate::failure::{Exit, Failure};
use crate::host::{Host, Hosted};
use crate::peering::{self, Keeping};
use crate::peers;
use crate::terminal::Terminal;
use a2a::server::sockets::{self, Prepared};
use a2a::server::tls::{TlsIdentity, TlsListener, TlsPeer};
use api::{Access, Options, Server};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where dashboard and API are when nothing else is asked for.
const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7717);
/// Variable with the operator's token.
const TOKEN: &str = "DARWIND_TOKEN";
/// Variable with a token that lets look and not command.
const VIEWER_TOKEN: &str = "DARWIND_VIEWER_TOKEN";
/// Variable with further names of this server, separated by commas.
const NAMES: &str = "DARWIND_HOSTS";
/// Digits of a drawn token or session: 128 bits.
const TOKEN_DIGITS: usize = 32;
/// Variables with the PEM files of the server's certificates, its own first, and of its private key: TLS is spoken when they
/// are set, and nothing else.
const TLS_CERT: &str = "DARWIND_TLS_CERT";
const TLS_KEY: &str = "DARWIND_TLS_KEY";
/// How often plain WebSocket clients hear of a run's figures, unless the configuration says otherwise.
const METRICS_INTERVAL: Duration = Duration::from_secs(1);

/// A dashboard that is up until this is dropped.
pub(crate) struct Dashboard {
    _server: Server,
    /// Given back after the server has ended: fields are dropped in their order.
    _keeping: Keeping,
    /// The link with the token.
    pub(crate) link: String,
    /// The runs behind it.
    pub(crate) host: Arc<Host>,
}

impl Dashboard {
    /// Opens the dashboard where it was asked for; `None` when it was asked for nowhere. A default port that is taken is
    /// no reason not to run: then any free one will do.
    pub(crate) fn open(
        listen: Option<Listen>,
        runs: &Runs,
        keeping: Keeping,
    ) -> Result<Option<Self>, Failure> {
        let listener = match listen {
            Some(Listen::None) => return Ok(None),
            Some(Listen::At(address)) => {
                TcpListener::bind(address).map_err(|error| occupied(address, &error))?
            }
            None => TcpListener::bind(DEFAULT)
                .or_else(|_| TcpListener::bind(SocketAddr::new(DEFAULT.ip(), 0)))
                .map_err(|error| occupied(DEFAULT, &error))?,
        };
        let identity = identity(std::env::var_os(TLS_CERT), std::env::var_os(TLS_KEY))?;
        let address = listener
            .local_addr()
            .map_err(|error| Failure::caused("the dashboard's address cannot be found", error))?;
        let given = std::env::var(TOKEN).ok().filter(|token| !token.is_empty());
        if !address.ip().is_loopback() && given.is_none() {
            return Err(Failure::refused(
                format!("{address} can be reached from other machines, and no token was chosen"),
                format!("set {TOKEN} to a long secret, or listen at 127.0.0.1"),
            ));
        }
        let token = match given {
            Some(token) => token,
            None => data::random_hex(TOKEN_DIGITS)?,
        };
        let viewer = std::env::var(VIEWER_TOKEN).ok().filter(|token| !token.is_empty());
        let names: Vec<String> = std::env::var(NAMES)
            .map(|names| names.split(',').map(|name| name.trim().to_owned()).collect())
            .unwrap_or_default();
        // Names for commands that came without one.
        let draw = || data::random_hex(TOKEN_DIGITS).unwrap_or_default();
        // A process that died has left nothing.
        if let Err(failure) = peers::leave_all(runs) {
            tracing::warn!(failure = failure.text(), "groups that an earlier process was in are not left");
        }
        let host = Host::new(runs.clone());
        let scheme = if identity.is_some() { "https" } else { "http" };
        let base = format!("{scheme}://{address}");
        let access = Access::new(token.clone(), viewer, address, &names, draw);
        let options = Options {
            listener,
            access: if identity.is_some() { access.over_tls() } else { access },
            log: runs.log(),
            service: Arc::new(Hosted(host.clone())),
            metrics_interval: METRICS_INTERVAL,
            annex: Some(peering::annex(host.clone(), &base, &token, &keeping)),
        };
        let started = match identity {
            Some(identity) => Server::start_over::<TlsListener, TlsPeer>(options, |listener| {
                TlsListener::new(listener, identity.with_http2())
            }),
            None => Server::start_over::<Prepared, SocketAddr>(options, |listener| {
                Ok(sockets::prepared(listener))
            }),
        };
        let server = started.map_err(|error| Failure::caused("the dashboard cannot be served", error))?;
        Ok(Some(Self { _server: server, _keeping: keeping, link: format!("{base}/#t={token}"), host }))
    }
}

/// How the server shows who it is over TLS; `None` when no TLS was asked for.
fn identity(chain: Option<OsString>, key: Option<OsString>) -> Result<Option<TlsIdentity>, Failure> {
    let given = |path: Option<OsString>| path.filter(|path| !path.is_empty()).map(PathBuf::from);
    let (chain, key) = match (given(chain), given(key)) {
        (None, None) => return Ok(None),
        (Some(chain), Some(key)) => (chain, key),
        (Some(_), None) => {
            return Err(Failure::usage(format!("{TLS_CERT} is set and {TLS_KEY} is not"), HELP));
        }
        (None, Some(_)) => {
            return Err(Failure::usage(format!("{TLS_KEY} is set and {TLS_CERT} is not"), HELP));
        }
    };
    /// What is wanted.
    const HELP: &str =
        "set both, to PEM files: the certificates with the server's own first, and its private key";
    let identity = TlsIdentity::from_files(&chain, &key);
    identity.map(Some).map_err(|error| Failure::usage(format!("TLS cannot be spoken: {error}"), HELP))
}

fn occupied(address: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::usage(
        format!("cannot listen at {address}: {error}"),
        "name another address with --listen, such as 127.0.0.1:0 for any free port, or `--listen none`",
    )
}

/// Waits for Ctrl-C or a request to end.
pub(crate) fn wait_for_the_end() -> Result<(), Failure> {
    let mut signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|error| Failure::caused("signals cannot be listened to", error))?;
    signals.forever().next();
    Ok(())
}

/// `darwind serve`.
pub(crate) fn serve(flags: &ServeFlags, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let runs = data.open()?;
    if flags.listen == Some(Listen::None) {
        return Err(Failure::usage(
            "a daemon that listens nowhere serves nobody",
            "leave `--listen none` out",
        ));
    }
    let keeping = Keeping::durable(&runs)?;
    let alone = matches!(keeping, Keeping::Durable(_));
    let dashboard = Dashboard::open(flags.listen, &runs, keeping)?;
    let Some(dashboard) = dashboard else { return Ok(Exit::Done) };
    terminal.note(&format!("dashboard: {}", dashboard.link));
    if !alone {
        terminal.note("another daemon keeps the A2A tasks of this data folder; this one's end with it");
    }
    let (taken, troubles) = dashboard.host.take_up_unfinished()?;
    for run in taken {
        terminal.note(&format!("run {run} goes on"));
    }
    for trouble in troubles {
        terminal.note(&format!("not taken up: {trouble}"));
    }
    wait_for_the_end()?;
    terminal.note("saving and leaving; unfinished runs go on with the next `darwind serve`");
    dashboard.host.leave();
    Ok(Exit::Done)
}
