//! A2A at the daemon's address: who may ask, what tasks are kept where, and the routes. Not here: what the skills do.

use crate::data::Runs;
use crate::failure::Failure;
use crate::host::Host;
use crate::lease::Driving;
use crate::peers;
use crate::workshop::HostWorkshop;
use a2a::model::AgentCard;
use a2a::outbound::Reach;
use a2a::server::{Access, GRPC_PATH, KEYS_PATH, Server, ServerSettings};
use a2a::tasks::{Limits, Tasks};
use a2a::{Caller, Service};
use api::Annex;
use serde_json::Value;
use skills::SkilledAgent;
use std::error::Error;
use std::sync::Arc;

/// Beginnings of the paths at which A2A is spoken.
const PATHS: &[&str] =
    &["/a2a", GRPC_PATH, "/.well-known/agent-card.json", "/.well-known/agent.json", KEYS_PATH];
/// Variable with a token for peers: it opens A2A and nothing else.
const PEER_TOKEN: &str = "DARWIND_PEER_TOKEN";
/// Variable with the address under which others reach this server, when that is not where it listens; several are separated
/// by commas, the preferred one first.
const PUBLIC_URL: &str = "DARWIND_PUBLIC_URL";
/// Name of the lease that whoever keeps the tasks of a data folder holds.
const LEASE: &str = "a2a";

/// Where tasks are kept.
pub(crate) enum Keeping {
    /// In the data folder, by the one process that holds its lease.
    Durable(#[expect(dead_code, reason = "held, and given back when it is dropped")] Driving),
    /// In memory, for as long as the process lives.
    InMemory,
}

impl Keeping {
    /// In the data folder, unless another process keeps its tasks there.
    pub(crate) fn durable(runs: &Runs) -> Result<Self, Failure> {
        Ok(Driving::take_named(runs, LEASE)?.map_or(Self::InMemory, Self::Durable))
    }
}

/// A2A for the server at the URL `base`, whose operator has this token.
pub(crate) fn annex(host: Arc<Host>, base: &str, operator: &str, keeping: &Keeping) -> Annex {
    let (base, operator) = (base.to_owned(), operator.to_owned());
    let durable = matches!(keeping, Keeping::Durable(_));
    let routes = move || {
        let peer = std::env::var(PEER_TOKEN).ok().filter(|token| !token.is_empty());
        let mut secrets = vec![(operator.as_str(), Caller::named("operator"))];
        secrets.extend(peer.as_deref().map(|token| (token, Caller::named("peer"))));
        let access = Access::secrets(secrets);
        let told = std::env::var(PUBLIC_URL).unwrap_or(base);
        let mut addresses = told.split(',').map(|base| base.trim().trim_end_matches('/'));
        let (base, others) = (addresses.next().unwrap_or_default(), addresses.collect::<Vec<_>>());
        let mut card = skills::card(base, &others, &access);
        let key_set = match sign(&host, base, &mut card) {
            Ok(key_set) => Some(key_set),
            Err(failure) => {
                tracing::warn!(failure = failure.text(), "the agent card is not signed");
                None
            }
        };
        let log = host.runs().log();
        let agent = Arc::new(SkilledAgent::new(Arc::new(HostWorkshop::new(host))));
        let tasks = if durable {
            Tasks::open(agent, Limits::default(), log)?
        } else {
            Tasks::in_memory(agent, Limits::default())
        };
        let service = Service::new(card, None, tasks, Reach::default())?;
        let settings = ServerSettings { access, key_set, ..ServerSettings::default() };
        let server = Server::new(service, settings)?;
        Ok::<_, Box<dyn Error + Send + Sync>>(server.router().merge(server.grpc_router()))
    };
    Annex { paths: PATHS, routes: Box::new(routes) }
}

/// Signs the card with the data folder's key, and answers the keys to be published.
fn sign(host: &Host, base: &str, card: &mut AgentCard) -> Result<Value, Failure> {
    let key = peers::signing_key(host.runs().folder(), Some(base))?;
    key.sign(card).map_err(|error| Failure::caused("the agent card cannot be signed", error))?;
    Ok(key.key_set())
}
