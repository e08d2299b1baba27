//! `darwind serve`, and the dashboard that `darwind run` opens beside a run: where it listens, who may ask, the link.

use crate::cli::{Listen, ServeFlags};
use crate::data::{self, DataFolder, Runs};
use crate::failure::{Exit, Failure};
use crate::host::{Host, Hosted};
use crate::terminal::Terminal;
use api::{Access, Options, Server};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
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
/// How often plain WebSocket clients hear of a run's figures, unless the configuration says otherwise.
const METRICS_INTERVAL: Duration = Duration::from_secs(1);

/// A dashboard that is up until this is dropped.
pub(crate) struct Dashboard {
    _server: Server,
    /// The link with the token.
    pub(crate) link: String,
    /// The runs behind it.
    pub(crate) host: Arc<Host>,
}

impl Dashboard {
    /// Opens the dashboard where it was asked for; `None` when it was asked for nowhere. A default port that is taken is
    /// no reason not to run: then any free one will do.
    pub(crate) fn open(listen: Option<Listen>, runs: &Runs) -> Result<Option<Self>, Failure> {
        let listener = match listen {
            Some(Listen::None) => return Ok(None),
            Some(Listen::At(address)) => {
                TcpListener::bind(address).map_err(|error| occupied(address, &error))?
            }
            None => TcpListener::bind(DEFAULT)
                .or_else(|_| TcpListener::bind(SocketAddr::new(DEFAULT.ip(), 0)))
                .map_err(|error| occupied(DEFAULT, &error))?,
        };
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
        // Without randomness there is no session: an empty name never opens one.
        let draw = || data::random_hex(TOKEN_DIGITS).unwrap_or_default();
        let host = Host::new(runs.clone());
        let server = Server::start(Options {
            listener,
            access: Access::new(token.clone(), viewer, address, &names, draw),
            log: runs.log(),
            service: Arc::new(Hosted(host.clone())),
            metrics_interval: METRICS_INTERVAL,
        })
        .map_err(|error| Failure::caused("the dashboard cannot be served", error))?;
        Ok(Some(Self { _server: server, link: format!("http://{address}/#t={token}"), host }))
    }
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
    let dashboard = Dashboard::open(flags.listen, &runs)?;
    let Some(dashboard) = dashboard else { return Ok(Exit::Done) };
    terminal.note(&format!("dashboard: {}", dashboard.link));
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
