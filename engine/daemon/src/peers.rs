//! The peers that this data folder knows, and the groups that they formed: a stream of the store, folded. Every change of it
//! is a `peer_changed` record. Not here: how a peer is asked (`asking`), what is told to it (`sharing`), what a run hears of
//! it (`news`), who searches the same program (`division`).

mod asking;
mod command;
mod division;
mod keys;
mod letters;
mod news;
mod overview;
mod sharing;
mod validators;

pub(crate) use command::peers;
pub(crate) use division::leave_all;
pub(crate) use keys::signing_key;
pub(crate) use letters::replay;
pub(crate) use news::Contact;
pub(crate) use overview::overview;
pub(crate) use sharing::goals;

use sharing::Sharer;

use a2a::signing::PublicKey;

use crate::config::Configuration;
use crate::data::{self, Runs};
use crate::failure::Failure;
use evolution::breaker::{Breaker, Permit};
use evolution::settings::BreakerSettings;
use knowledge::Memory;
use proposers::peer_knowledge;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use skills::peer::PeerAddress;
use skills::{Capabilities, Member};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use store::{Expected, NewRecord};

/// The stream's name.
const STREAM: &str = "peers";
/// The kind of its records.
const KIND: &str = "peer_changed";
/// Most peers of a data folder.
const MAX_PEERS: usize = 256;
/// Most members of one group, and most groups.
const MAX_MEMBERS: usize = 256;
/// Weight of the newest answer in a peer's latency (an exponential moving average).
const LATENCY_WEIGHT: f64 = 0.3;

/// One thing that happened among the peers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
enum Change {
    /// Somebody added a peer, or changed it.
    Added {
        name: String,
        url: String,
        token_env: Option<String>,
        skills: Vec<String>,
        capabilities: Capabilities,
        /// The key that its card is signed with, as a JSON Web Key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<Value>,
    },
    /// Somebody removed it.
    Removed { name: String },
    /// It was asked, and answered or not.
    Asked { name: String, ms: u64, fault: Option<String> },
    /// An agent joined a group here.
    Joined { group_id: String, member: Member },
    /// An agent left a group here.
    Left { group_id: String, agent_id: String },
}

/// A peer as it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Peer {
    /// Its name here.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) url: String,
    /// The variable that holds the token for it; the token itself is never stored.
    pub(crate) token_env: Option<String>,
    /// Ids of its skills.
    pub(crate) skills: Vec<String>,
    /// What it says it can do.
    pub(crate) capabilities: Capabilities,
    /// The key by which it is known again: its card must be signed with it, and a package that is comes from it.
    pub(crate) key: Option<PublicKey>,
    /// Questions that it answered.
    pub(crate) answered: u64,
    /// How long it takes to answer, in milliseconds; absent before the first answer.
    pub(crate) latency_ms: Option<f64>,
    /// Why the last question failed, if it did.
    pub(crate) fault: Option<String>,
    /// Opens after failures in a row.
    pub(crate) breaker: Breaker,
}

impl Peer {
    /// Where it is asked, with the token that its variable holds.
    pub(crate) fn address(&self) -> PeerAddress {
        let token = self.token_env.as_ref().and_then(|name| std::env::var(name).ok());
        let token = token.filter(|token| !token.is_empty());
        PeerAddress { url: self.url.clone(), token, key: self.key.clone() }
    }

    /// Whether it may be asked now.
    pub(crate) fn may_be_asked(&self) -> bool {
        !matches!(self.breaker.permit(data::now_ms()), Permit::No { .. })
    }
}

/// All peers and groups.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peers {
    /// Peers by name.
    pub(crate) peers: BTreeMap<String, Peer>,
    /// Members of groups by the group's name.
    pub(crate) groups: BTreeMap<String, BTreeMap<String, Member>>,
}

impl Peers {
    /// Reads them.
    pub(crate) fn read(runs: &Runs) -> Result<Self, Failure> {
        let mut peers = Self::default();
        let read = runs.log().replay(STREAM, 0, &mut |record| {
            let time_ms = record.time_ms;
            if let Ok(change) = serde_json::from_value(record.data) {
                peers.take(change, time_ms);
            }
            ControlFlow::Continue(())
        });
        read.map_err(|error| Failure::caused("the peers cannot be read", error))?;
        Ok(peers)
    }

    fn take(&mut self, change: Change, time_ms: i64) {
        match change {
            Change::Added { name, url, token_env, skills, capabilities, key } => {
                if self.peers.len() >= MAX_PEERS && !self.peers.contains_key(&name) {
                    return;
                }
                let breaker = Breaker::new(&BreakerSettings::default());
                let peer = Peer {
                    name: name.clone(),
                    url,
                    token_env,
                    skills,
                    capabilities,
                    key: key.as_ref().and_then(PublicKey::from_jwk),
                    answered: 0,
                    latency_ms: None,
                    fault: None,
                    breaker,
                };
                self.peers.insert(name, peer);
            }
            Change::Removed { name } => {
                self.peers.remove(&name);
            }
            Change::Asked { name, ms, fault } => {
                if let Some(peer) = self.peers.get_mut(&name) {
                    peer.hear(ms, fault, time_ms);
                }
            }
            Change::Joined { group_id, member } => {
                let room = self.groups.len() < MAX_MEMBERS || self.groups.contains_key(&group_id);
                if room {
                    let group = self.groups.entry(group_id).or_default();
                    if group.len() < MAX_MEMBERS || group.contains_key(&member.agent_id) {
                        group.insert(member.agent_id.clone(), member);
                    }
                }
            }
            Change::Left { group_id, agent_id } => {
                if let Some(group) = self.groups.get_mut(&group_id) {
                    group.remove(&agent_id);
                    if group.is_empty() {
                        self.groups.remove(&group_id);
                    }
                }
            }
        }
    }
}

impl Peer {
    fn hear(&mut self, ms: u64, fault: Option<String>, time_ms: i64) {
        // A question that was asked while it was open was its trial.
        if self.breaker.permit(time_ms) == Permit::Trial {
            self.breaker.enter(evolution::event::BreakerState::HalfOpen, time_ms);
        }
        if fault.is_none() {
            self.breaker.success(time_ms);
            self.answered += 1;
            let ms = ms as f64;
            self.latency_ms = Some(self.latency_ms.map_or(ms, |old| old + LATENCY_WEIGHT * (ms - old)));
        } else {
            self.breaker.failure(time_ms);
        }
        self.fault = fault;
    }
}

/// Writes a change down.
fn note(runs: &Runs, change: &Change) -> Result<(), Failure> {
    let data = serde_json::to_value(change)
        .map_err(|error| Failure::caused("the peer cannot be written down", error))?;
    let record = NewRecord { kind: KIND.to_owned(), time_ms: data::now_ms(), data };
    runs.log()
        .append(STREAM, Expected::Any, &[record])
        .map_err(|error| Failure::caused("the peer cannot be written down", error))?;
    Ok(())
}

/// Lets an agent join or leave a group; answers the members after it.
pub(crate) fn regroup(runs: &Runs, request: &skills::GroupRequest) -> Result<Vec<Member>, Failure> {
    let group_id = request.group_id.clone();
    let change = if request.joins {
        let member =
            Member { agent_id: request.agent_id.clone(), capabilities: request.capabilities.clone() };
        Change::Joined { group_id, member }
    } else {
        Change::Left { group_id, agent_id: request.agent_id.clone() }
    };
    let known = Peers::read(runs)?;
    let members = |peers: &Peers| peers.groups.get(&request.group_id).cloned().unwrap_or_default();
    // Who says again what is known already must not make the stream grow.
    let stood = members(&known).get(&request.agent_id).map(|member| member.capabilities.clone());
    let news = if request.joins { stood.as_ref() != Some(&request.capabilities) } else { stood.is_some() };
    if news {
        note(runs, &change)?;
    }
    Ok(members(&Peers::read(runs)?).into_values().collect())
}

/// What this data folder can do for others: the programs that it has, and the operators that improved them.
pub(crate) fn capabilities(runs: &Runs) -> Result<Member, Failure> {
    /// Most runs that are looked at, the newest first.
    const MAX_RUNS: usize = 32;
    let mut targets = Vec::new();
    let mut experience = Vec::new();
    for line in runs.list()?.into_iter().take(MAX_RUNS) {
        // A run that cannot be read is no experience.
        let Ok(state) = runs.state(&line.id) else { continue };
        if !targets.contains(&state.run.agent_id) {
            targets.push(state.run.agent_id.clone());
        }
        let accepted = state.candidates().filter(|record| record.fate == evolution::state::Fate::Accepted);
        for operator in accepted.filter_map(|record| state.arm(record)).map(|arm| arm.operator.clone()) {
            if !experience.contains(&operator) {
                experience.push(operator);
            }
        }
    }
    let validation_types = ["performance", "tests", "objectives"].map(str::to_owned).to_vec();
    let capabilities = Capabilities { validation_types, improvement_experience: experience, targets };
    Ok(Member { agent_id: own_name(), capabilities })
}

/// The name by which this daemon goes among agents.
pub(crate) fn own_name() -> String {
    /// Variable with that name.
    const NAME: &str = "DARWIND_AGENT_NAME";
    std::env::var(NAME).ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "darwind".to_owned())
}

/// The configuration with `peer_knowledge` among its proposers, when there are peers to learn from or packages that wait,
/// and the configuration does not keep it away from the network.
pub(crate) fn with_peers(runs: &Runs, configuration: &Configuration) -> Result<Configuration, Failure> {
    let mut configuration = configuration.clone();
    let used = &mut configuration.proposers.used;
    let named = used.iter().any(|name| name == peer_knowledge::NAME);
    if named || !configuration.collective.collaborative_validation.network_enabled {
        return Ok(configuration);
    }
    let waiting = Memory::new(runs.log())
        .queued(&configuration.target.name)
        .map_err(|error| Failure::caused("what peers sent cannot be read", error))?;
    if !waiting.is_empty() || !Peers::read(runs)?.peers.is_empty() {
        used.push(peer_knowledge::NAME.to_owned());
    }
    Ok(configuration)
}
