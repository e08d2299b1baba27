//! Tells a run what its peers do while it is driven, so that its own log holds it: packages that came for its program,
//! packages that it told, peers that came, went, or stopped answering. What the streams of the data folder say is passed on;
//! nothing is decided here.

use super::division::Division;
use super::{Change, Peers, STREAM, Sharer};
use crate::data::{self, Runs};
use crate::lease::Driving;
use crate::wiring;
use conductor::Handle;
use evolution::event::{
    BreakerState, Event, KnowledgeReceived, KnowledgeShared, News, PeerChanged, SearchDivided,
};
use evolution::id::{CandidateId, RunId};
use evolution::state::State;
use knowledge::{Note, TransferOutcome};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use store::Record;

/// How long a follower waits for a record before it looks whether the run is still driven.
const LISTEN: Duration = Duration::from_millis(500);

/// The run's contact with its peers while it is driven: what it tells them, and what it hears of them.
pub(crate) struct Contact {
    runs: Runs,
    run: RunId,
    sharer: Option<Sharer>,
    over: Arc<AtomicBool>,
    /// Keeps up who else searches the same program.
    dividing: Option<JoinHandle<()>>,
}

impl Contact {
    /// The contact of a run that is about to be driven. A configuration that keeps away from the network has none.
    pub(crate) fn of(runs: &Runs, state: &State, handle: &Handle) -> Self {
        let run = state.run.run_id.clone();
        let over = Arc::new(AtomicBool::new(false));
        let sharer = Sharer::of(runs, state);
        let mut contact = Self { runs: runs.clone(), run, sharer, over: over.clone(), dividing: None };
        let configuration = wiring::stored_configuration(&contact.run, &state.run.configuration);
        if !configuration.is_ok_and(|known| known.collective.collaborative_validation.network_enabled) {
            return contact;
        }
        // Who tells nobody what it finds must look everywhere itself.
        let sharing = contact.sharer.is_some();
        let division = if sharing { Division::of(runs, &state.run.fingerprint).ok() } else { None };
        let division = division.map(Arc::new);
        if let Some(division) = division.clone() {
            let (runs, handle, over) = (runs.clone(), handle.clone(), over.clone());
            let follow = move || division.follow(&runs, &handle, &over);
            contact.dividing = std::thread::Builder::new().name("division".to_owned()).spawn(follow).ok();
        } else {
            // A run that is taken up again may have had company before.
            handle.news(News::Divided(SearchDivided { part: None, with: Vec::new() }));
        }
        let known = Known { run: contact.run.clone(), target: state.run.agent_id.clone() };
        let (runs, handle, began) = (runs.clone(), handle.clone(), data::now_ms());
        let (other_runs, other_handle, other_over) = (runs.clone(), handle.clone(), over.clone());
        // Without these threads the run hears nothing of its peers, and is no worse for it.
        let _ = std::thread::Builder::new()
            .name("knowledge".to_owned())
            .spawn(move || follow_knowledge(&runs, &known, began, &handle, &over));
        let _ = std::thread::Builder::new()
            .name("peers".to_owned())
            .spawn(move || follow_peers(&other_runs, division.as_deref(), &other_handle, &other_over));
        contact
    }

    /// Hears what happened in the run.
    pub(crate) fn observe(&mut self, state: &State, event: &Event) {
        if let Some(sharer) = &mut self.sharer {
            sharer.observe(state, event);
        }
    }

    /// Tells peers what still waits to be told, and adds to the run's log what came of it. The run is driven by nobody now.
    pub(crate) fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.dividing {
            let _ = thread.join();
        }
        if self.sharer.is_none() {
            return;
        }
        drop(self.sharer);
        let mut late = Vec::new();
        let read = self.runs.log().replay(knowledge::STREAM, 0, &mut |record| {
            late.extend(shared(record, &self.run).map(News::Shared));
            ControlFlow::Continue(())
        });
        // Whoever drives it again meanwhile is its one writer; the stream of the data folder has it all the same.
        if let (Ok(_), false, Ok(_driving)) = (read, late.is_empty(), Driving::take(&self.runs, &self.run)) {
            let _ = conductor::add_news(self.runs.log().as_ref(), &self.run, late, data::now_ms());
        }
    }
}

/// What is news to a run.
struct Known {
    run: RunId,
    target: String,
}

fn follow_knowledge(runs: &Runs, known: &Known, began: i64, handle: &Handle, over: &AtomicBool) {
    let Ok(mut records) = runs.log().subscribe(knowledge::STREAM, 0) else { return };
    while !over.load(Ordering::Relaxed) {
        let record = match records.recv_timeout(LISTEN) {
            Ok(Some(record)) => record,
            Ok(None) => continue,
            Err(_) => return,
        };
        // Of what came before the run only that matters which still waits.
        let earlier = record.time_ms < began;
        let news = match record.kind.as_str() {
            "knowledge_received" => {
                received(record, &known.target).filter(|news| news.queued || !earlier).map(News::Received)
            }
            "knowledge_shared" => shared(record, &known.run).map(News::Shared),
            _ => None,
        };
        if let Some(news) = news {
            handle.news(news);
        }
    }
}

fn received(record: Record, of: &str) -> Option<KnowledgeReceived> {
    let Ok(Note::KnowledgeReceived { package, from, target, compatibility, queued, signed_by, .. }) =
        serde_json::from_value(record.data)
    else {
        return None;
    };
    (target == of).then(|| KnowledgeReceived {
        digest: package.digest.clone(),
        from,
        source_agent: package.source_agent.clone(),
        improvement_type: package.improvement_type.clone(),
        compatibility: compatibility.score,
        queued,
        signed_by,
    })
}

fn shared(record: Record, by: &RunId) -> Option<KnowledgeShared> {
    let Ok(Note::KnowledgeShared { digest, to, attempts, outcome, modification_id, .. }) =
        serde_json::from_value(record.data)
    else {
        return None;
    };
    let modification_id = CandidateId::from_text(modification_id);
    let of_run = modification_id.run().as_ref() == Some(by);
    let (outcome, reason) = match outcome {
        TransferOutcome::Accepted => ("accepted", String::new()),
        TransferOutcome::Declined(reason) => ("declined", reason),
        TransferOutcome::Failed(reason) => ("failed", reason),
    };
    of_run.then(|| KnowledgeShared {
        modification_id: Some(modification_id),
        digest,
        to,
        attempts,
        outcome: outcome.to_owned(),
        reason,
    })
}

fn follow_peers(runs: &Runs, division: Option<&Division>, handle: &Handle, over: &AtomicBool) {
    let Ok(mut known) = Peers::read(runs) else { return };
    let Ok(last) = runs.log().last_seq(STREAM) else { return };
    let Ok(mut records) = runs.log().subscribe(STREAM, last) else { return };
    while !over.load(Ordering::Relaxed) {
        let record = match records.recv_timeout(LISTEN) {
            Ok(Some(record)) => record,
            Ok(None) => continue,
            Err(_) => return,
        };
        let Ok(change) = serde_json::from_value::<Change>(record.data) else { continue };
        let told = known.tell(change, record.time_ms);
        // That it joined or left itself is no news of a peer.
        let is_own = |changed: &PeerChanged| division.is_some_and(|division| division.is_own(&changed.name));
        if let Some(changed) = told.filter(|changed| !is_own(changed)) {
            handle.news(News::Peer(changed));
        }
    }
}

impl Peers {
    /// Takes a change in, and tells it if anything but a figure changed.
    fn tell(&mut self, change: Change, time_ms: i64) -> Option<PeerChanged> {
        let plain = |name: &str, word: &str, reason: &str| PeerChanged {
            name: name.to_owned(),
            change: word.to_owned(),
            breaker: None,
            reason: reason.to_owned(),
        };
        let told = match &change {
            Change::Added { name, url, .. } => Some(plain(name, "added", url)),
            Change::Removed { name } => Some(plain(name, "removed", "")),
            Change::Joined { group_id, member } => Some(plain(&member.agent_id, "joined", group_id)),
            Change::Left { group_id, agent_id } => Some(plain(agent_id, "left", group_id)),
            Change::Asked { .. } => None,
        };
        let asked = match &change {
            Change::Asked { name, .. } => Some((name.clone(), self.standing(name))),
            _ => None,
        };
        self.take(change, time_ms);
        let Some((name, before)) = asked else { return told };
        let after = self.standing(&name);
        let fault = self.peers.get(&name).and_then(|peer| peer.fault.clone());
        (before != after).then(|| PeerChanged {
            change: if fault.is_some() { "fails" } else { "answers" }.to_owned(),
            breaker: after.map(|(state, _)| state),
            reason: fault.unwrap_or_default(),
            name,
        })
    }

    /// The state of a peer's breaker, and whether its last question failed.
    fn standing(&self, name: &str) -> Option<(BreakerState, bool)> {
        self.peers.get(name).map(|peer| (peer.breaker.state(), peer.fault.is_some()))
    }
}
