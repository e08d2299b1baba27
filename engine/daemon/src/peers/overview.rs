//! The peers and the flow of knowledge as they are shown: one value for the API and for `darwind peers list`.

use super::{Peer, Peers};
use crate::data::Runs;
use crate::failure::Failure;
use knowledge::Memory;
use serde_json::{Value, json};
use std::ops::ControlFlow;

/// Newest records of the flow that are shown.
const MAX_FLOW: usize = 100;

/// Everything that is shown of peers.
pub(crate) fn overview(runs: &Runs) -> Result<Value, Failure> {
    let unreadable = |error| Failure::caused("what peers sent cannot be read", error);
    let known = Peers::read(runs)?;
    let sources = Memory::new(runs.log()).sources().map_err(unreadable)?;
    let source = |(name, trust): (String, knowledge::Trust)| {
        json!({ "source": name, "trust": trust.value(), "received": trust.received,
            "improved": trust.improved, "neutral": trust.neutral, "failed": trust.failed })
    };
    let group = |(name, members): (String, _)| json!({ "group_id": name, "members": values(members) });
    Ok(json!({
        "peers": known.peers.values().map(peer).collect::<Vec<_>>(),
        "groups": known.groups.into_iter().map(group).collect::<Vec<_>>(),
        "sources": sources.into_iter().map(source).collect::<Vec<_>>(),
        "flow": flow(runs)?,
        "dead_letters": super::letters::shown(runs)?,
    }))
}

fn values(members: std::collections::BTreeMap<String, skills::Member>) -> Vec<skills::Member> {
    members.into_values().collect()
}

fn peer(peer: &Peer) -> Value {
    json!({
        "name": peer.name,
        "url": peer.url,
        "breaker": peer.breaker.state(),
        "answered": peer.answered,
        "latency_ms": peer.latency_ms,
        "fault": peer.fault,
        "skills": peer.skills,
        "capabilities": peer.capabilities,
    })
}

/// The newest packages that came and went, the newest first; without the packages themselves.
fn flow(runs: &Runs) -> Result<Vec<Value>, Failure> {
    let unreadable = |error| Failure::caused("what peers sent cannot be read", error);
    let log = runs.log();
    let last = log.last_seq(knowledge::STREAM).map_err(unreadable)?;
    let mut found = Vec::new();
    let after = last.saturating_sub(MAX_FLOW as u64);
    let read = log.replay(knowledge::STREAM, after, &mut |record| {
        let mut line = record.data;
        if let Some(fields) = line.as_object_mut() {
            fields.remove("kind");
            if let Some(package) = fields.remove("package") {
                for name in ["source_agent", "improvement_type", "digest"] {
                    fields.insert(name.to_owned(), package[name].clone());
                }
            }
            fields.insert("event_type".to_owned(), json!(record.kind));
            fields.insert("time_ms".to_owned(), json!(record.time_ms));
        }
        found.push(line);
        ControlFlow::Continue(())
    });
    read.map_err(unreadable)?;
    found.reverse();
    Ok(found)
}
