//! The peers and the flow of knowledge as they are shown: one value for the API and for `darwind peers list`.

use super::{Peer, Peers};
use crate::data::Runs;
use crate::failure::Failure;
use api::{Collective, Fit, Flow, Group, PeerBreaker, PeerCapabilities, Source, Transfer};
use evolution::event::BreakerState;
use knowledge::{Compatibility, Memory, Note, TransferOutcome, Trust};
use skills::{Capabilities, Member};
use std::ops::ControlFlow;
use store::Record;

/// Newest records of the flow that are shown.
const MAX_FLOW: usize = 100;

/// Everything that is shown of peers.
pub(crate) fn overview(runs: &Runs) -> Result<Collective, Failure> {
    let unreadable = |error| Failure::caused("what peers sent cannot be read", error);
    let known = Peers::read(runs)?;
    let sources = Memory::new(runs.log()).sources().map_err(unreadable)?;
    let group = |(group_id, members): (String, std::collections::BTreeMap<String, Member>)| Group {
        group_id,
        members: members.into_values().map(member).collect(),
    };
    Ok(Collective {
        peers: known.peers.values().map(peer).collect(),
        groups: known.groups.into_iter().map(group).collect(),
        sources: sources.into_iter().map(source).collect(),
        flow: flow(runs)?,
        dead_letters: super::letters::shown(runs)?,
    })
}

fn peer(peer: &Peer) -> api::Peer {
    api::Peer {
        name: peer.name.clone(),
        url: peer.url.clone(),
        breaker: match peer.breaker.state() {
            BreakerState::Closed => PeerBreaker::Closed,
            BreakerState::Open => PeerBreaker::Open,
            BreakerState::HalfOpen => PeerBreaker::HalfOpen,
        },
        answered: peer.answered,
        latency_ms: peer.latency_ms,
        fault: peer.fault.clone(),
        skills: peer.skills.clone(),
        capabilities: capabilities(peer.capabilities.clone()),
        key_id: peer.key.as_ref().map(|key| key.kid().to_owned()),
    }
}

fn member(member: Member) -> api::Member {
    api::Member { agent_id: member.agent_id, capabilities: capabilities(member.capabilities) }
}

fn capabilities(said: Capabilities) -> PeerCapabilities {
    let Capabilities { validation_types, improvement_experience, targets } = said;
    PeerCapabilities { validation_types, improvement_experience, targets }
}

fn source((source, trust): (String, Trust)) -> Source {
    let value = trust.value();
    let Trust { received, improved, neutral, failed } = trust;
    Source { source, trust: value, received, improved, neutral, failed }
}

/// The newest packages that came and went, the newest first; without the packages themselves.
fn flow(runs: &Runs) -> Result<Vec<Flow>, Failure> {
    let unreadable = |error| Failure::caused("what peers sent cannot be read", error);
    let log = runs.log();
    let last = log.last_seq(knowledge::STREAM).map_err(unreadable)?;
    let mut found = Vec::new();
    let after = last.saturating_sub(MAX_FLOW as u64);
    let read = log.replay(knowledge::STREAM, after, &mut |record| {
        found.extend(step(record));
        ControlFlow::Continue(())
    });
    read.map_err(unreadable)?;
    found.reverse();
    Ok(found)
}

/// A step of the flow; a note of a later version is passed over.
fn step(record: Record) -> Option<Flow> {
    let time_ms = record.time_ms;
    Some(match serde_json::from_value(record.data).ok()? {
        Note::KnowledgeReceived { package, from, transfer_id, target, compatibility, queued, signed_by } => {
            Flow::KnowledgeReceived {
                time_ms,
                digest: package.digest,
                from,
                signed_by,
                source_agent: package.source_agent,
                improvement_type: package.improvement_type,
                transfer_id,
                target,
                compatibility: fit(compatibility),
                queued,
            }
        }
        Note::Judged { digest, target, occasion, improved, viable } => {
            Flow::Judged { time_ms, digest, target, occasion, improved, viable }
        }
        Note::KnowledgeShared { digest, to, transfer_id, attempts, outcome, modification_id } => {
            let outcome = match outcome {
                TransferOutcome::Accepted => Transfer::Accepted,
                TransferOutcome::Declined(reason) => Transfer::Declined(reason),
                TransferOutcome::Failed(reason) => Transfer::Failed(reason),
            };
            Flow::KnowledgeShared { time_ms, digest, to, transfer_id, attempts, outcome, modification_id }
        }
    })
}

fn fit(compatibility: Compatibility) -> Fit {
    let Compatibility { score, structure, interface, objectives, trust } = compatibility;
    Fit { score, structure, interface, objectives, trust }
}
