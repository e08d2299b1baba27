//! Divides the search of a program among the daemons that search it at the same time and tell each other what they find, so
//! that nobody looks first where another does. They form an `evolution_group` named by the program; a peer belongs to it as
//! long as it says so itself and joined here too. What it makes for a run is one piece of news: its part.

use super::asking::ask_all;
use super::sharing::LAST_PATIENCE;
use super::{Change, Peer, Peers, STREAM, note, signing_key};
use crate::data::Runs;
use crate::failure::Failure;
use conductor::Handle;
use evolution::event::{News, SearchDivided};
use evolution::part::Part;
use serde_json::{Value, json};
use skills::{Capabilities, Member};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The skill by which agents form groups.
pub(super) const SKILL: &str = "evolution_group";
/// How often the peers are asked whether they still belong.
const ASK_EVERY: Duration = Duration::from_secs(60);
/// Least time between two questions, however often members come and go.
const ASK_AT_MOST_EVERY: Duration = Duration::from_millis(250);
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a record is waited for before it is looked whether the run is still driven.
const LISTEN: Duration = Duration::from_millis(100);
/// Characters of a program's fingerprint and of a key's name that tell them apart from others.
const DIGITS: usize = 16;

/// The group of those that search one program.
pub(super) struct Division {
    group_id: String,
    /// This daemon's name in it.
    own: String,
}

impl Division {
    /// Of the program with this fingerprint.
    pub(super) fn of(runs: &Runs, fingerprint: &str) -> Result<Self, Failure> {
        let digits: String = fingerprint.chars().take(DIGITS).collect();
        let own = name_of(signing_key(runs.folder(), None)?.public().kid());
        Ok(Self { group_id: format!("program-{digits}"), own })
    }

    /// Whether this is the daemon's own name in a group.
    pub(super) fn is_own(&self, agent_id: &str) -> bool {
        self.own == agent_id
    }

    /// Keeps the run's part up to date until the run is over, then leaves the group.
    pub(super) fn follow(&self, runs: &Runs, handle: &Handle, over: &AtomicBool) {
        let Ok(last) = runs.log().last_seq(STREAM) else { return };
        let Ok(mut records) = runs.log().subscribe(STREAM, last) else { return };
        let (mut asked, mut due): (Option<Instant>, bool) = (None, true);
        while !over.load(Ordering::Relaxed) {
            let wait = if due { ASK_AT_MOST_EVERY } else { ASK_EVERY };
            if asked.is_none_or(|at| at.elapsed() >= wait) {
                // What cannot be read or written now may be in a minute.
                if let Ok(divided) = self.ask(runs) {
                    handle.news(News::Divided(divided));
                }
                (asked, due) = (Some(Instant::now()), false);
            }
            match records.recv_timeout(LISTEN) {
                Ok(Some(record)) => {
                    due |= serde_json::from_value(record.data).is_ok_and(|change| self.matters(&change));
                }
                Ok(None) => {}
                Err(_) => break,
            }
        }
        self.leave(runs);
    }

    /// Whether a change may give somebody another part.
    fn matters(&self, change: &Change) -> bool {
        match change {
            Change::Joined { group_id, member } => {
                *group_id == self.group_id && !self.is_own(&member.agent_id)
            }
            Change::Left { group_id, agent_id } => *group_id == self.group_id && !self.is_own(agent_id),
            Change::Added { .. } | Change::Removed { .. } => true,
            Change::Asked { .. } => false,
        }
    }

    /// Joins the group here and with every peer, and answers who belongs to it and which part is whose.
    fn ask(&self, runs: &Runs) -> Result<SearchDivided, Failure> {
        let peers = Peers::read(runs)?;
        let asked: Vec<Peer> = peers.peers.values().filter(|peer| may_belong(peer)).cloned().collect();
        if asked.is_empty() {
            return Ok(SearchDivided { part: None, with: Vec::new() });
        }
        if !self.lists(&peers, &self.own) {
            let member = Member { agent_id: self.own.clone(), capabilities: Capabilities::default() };
            note(runs, &Change::Joined { group_id: self.group_id.clone(), member })?;
        }
        let answers = ask_all(runs, &asked, &|_| self.message("evolution_group_join"), PATIENCE);
        // Who joined here while the others were asked counts.
        let here = Peers::read(runs)?;
        let mut names = BTreeMap::from([(self.own.clone(), String::new())]);
        for (peer, answer) in asked.iter().zip(&answers) {
            let (Ok(answer), Some(key)) = (answer, &peer.key) else { continue };
            let name = name_of(key.kid());
            // It works on the program now, and tells this daemon what it finds.
            if says_it_belongs(answer, &name) && self.lists(&here, &name) {
                names.insert(name, peer.name.clone());
            }
        }
        let part = Part::among(&self.own, &names.keys().cloned().collect());
        Ok(SearchDivided { part, with: names.into_values().filter(|name| !name.is_empty()).collect() })
    }

    fn lists(&self, peers: &Peers, name: &str) -> bool {
        peers.groups.get(&self.group_id).is_some_and(|group| group.contains_key(name))
    }

    fn message(&self, kind: &str) -> Value {
        json!({ "type": kind, "group_id": self.group_id, "agent_id": self.own, "capabilities": Capabilities::default() })
    }

    /// Leaves the group, here and with those that know of it; who does not hear of it asks within a minute.
    fn leave(&self, runs: &Runs) {
        let Ok(peers) = Peers::read(runs) else { return };
        if !self.lists(&peers, &self.own) {
            return;
        }
        let left = Change::Left { group_id: self.group_id.clone(), agent_id: self.own.clone() };
        let _ = note(runs, &left);
        let told: Vec<Peer> = peers.peers.into_values().filter(may_belong).collect();
        ask_all(runs, &told, &|_| self.message("evolution_group_leave"), LAST_PATIENCE);
    }
}

/// Leaves every group that a process which died left this daemon in. Runs that are taken up again join again.
pub(crate) fn leave_all(runs: &Runs) -> Result<(), Failure> {
    let groups = Peers::read(runs)?.groups;
    if groups.is_empty() {
        return Ok(());
    }
    let own = name_of(signing_key(runs.folder(), None)?.public().kid());
    for (group_id, _) in groups.into_iter().filter(|(_, members)| members.contains_key(&own)) {
        note(runs, &Change::Left { group_id, agent_id: own.clone() })?;
    }
    Ok(())
}

/// Whether a peer can be told apart from others and forms groups.
fn may_belong(peer: &Peer) -> bool {
    peer.key.is_some() && peer.skills.iter().any(|skill| skill == SKILL)
}

/// A daemon's name in a group, by the name of its key: nobody else's, and the same for everybody who knows it.
fn name_of(kid: &str) -> String {
    format!("darwind-{}", kid.chars().take(DIGITS).collect::<String>())
}

fn says_it_belongs(answer: &Value, name: &str) -> bool {
    let members = answer["members"].as_array();
    members.into_iter().flatten().any(|member| member["agent_id"].as_str() == Some(name))
}
