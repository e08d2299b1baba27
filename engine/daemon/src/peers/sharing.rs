//! Tells peers of improvements: a package of what a candidate changed, sent on a thread of its own, so that a run never waits
//! for a peer. Not here: what a package is made of.

use super::asking::ask;
use super::{Peer, Peers};
use crate::data::{self, Runs};
use crate::failure::Failure;
use crate::wiring;
use a2a::signing::PublicKey;
use evolution::archive::is_stepping_stone;
use evolution::cases::CaseSet;
use evolution::event::Event;
use evolution::id::{BASELINE, Number, RunId};
use evolution::ports::Snapshots;
use evolution::state::{CandidateRecord, State};
use knowledge::{Goal, Improvement, Memory, Package, TransferOutcome, extract};
use objectives::{Direction, ObjectiveSet};
use serde_json::{Value, json};
use skills::peer::{PeerAddress, PeerCard};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// The skill by which a peer takes packages.
const SKILL: &str = "transfer_knowledge";
/// Improvements that wait to be told; more are passed over.
const MAX_WAITING: usize = 64;
/// Longest wait for one peer's answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same when the run is over.
pub(super) const LAST_PATIENCE: Duration = Duration::from_secs(5);
/// Pause after the first failed attempt.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Digits of a transfer's id.
const TRANSFER_DIGITS: usize = 16;

/// Tells the peers of one run's improvements until it is dropped.
pub(crate) struct Sharer {
    sender: Option<SyncSender<Telling>>,
    /// Cases that something told passes.
    told: CaseSet,
    /// Turns true when the run is over: what still waits is tried once.
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// How much a transfer is worth.
pub(super) struct Effort {
    /// Most attempts.
    pub(super) attempts: u32,
    /// Pause after the first failed one; doubled after each further one.
    pub(super) pause: Duration,
    /// Whether there is no time for more than one.
    pub(super) closing: Arc<AtomicBool>,
}

/// What is to be told: how a candidate differs from an earlier one.
pub(crate) struct Telling {
    run: RunId,
    /// The candidate's name.
    candidate: String,
    /// Files that may change.
    mutable: BTreeSet<String>,
    agent_id: String,
    operator: String,
    from: evolution::id::CommitId,
    to: evolution::id::CommitId,
    delta: f64,
    by_objective: BTreeMap<String, f64>,
    goals: Vec<Goal>,
    fingerprint: String,
    factors: Vec<String>,
    solves: Vec<String>,
}

impl Sharer {
    /// The sharer of a run; `None` when its configuration shares nothing or there is nobody to tell.
    pub(crate) fn of(runs: &Runs, state: &State) -> Option<Self> {
        let configuration = wiring::stored_configuration(&state.run.run_id, &state.run.configuration).ok()?;
        let section = &configuration.collective.knowledge_transfer;
        let anybody = Peers::read(runs).is_ok_and(|peers| !peers.peers.is_empty());
        if !section.auto_share_successful || !anybody {
            return None;
        }
        let (sender, tellings) = sync_channel(MAX_WAITING);
        let (runs, attempts) =
            (runs.clone(), u32::try_from(section.max_transfer_attempts).unwrap_or(u32::MAX));
        let closing = Arc::new(AtomicBool::new(false));
        let closed = closing.clone();
        let work =
            move || tell_all(&runs, &tellings, &Effort { attempts, pause: FIRST_PAUSE, closing: closed });
        // Without a thread nothing is shared; the run is no worse for it.
        let thread = std::thread::Builder::new().name("sharing".to_owned()).spawn(work).ok()?;
        // A run that is taken up again has told its champion and its front before.
        let leaders = state.champion.iter().chain(&state.front).filter_map(|number| state.candidate(*number));
        let told = leaders.flat_map(|record| record.passed.iter()).collect();
        Some(Self { sender: Some(sender), told, closing, thread: Some(thread) })
    }

    /// Hears what happened in the run. What joined the front is told as its step, and so is what solved a case that nothing
    /// told so far solves: it may score no higher than the champion and still be what a peer's champion lacks. A new
    /// champion is also told as a whole.
    pub(crate) fn observe(&mut self, state: &State, event: &Event) {
        let (id, kind) = match event {
            Event::ImprovementApplied(applied) => (&applied.modification_id, Kind::Step),
            Event::ImprovementArchived(archived) => (&archived.modification_id, Kind::Solution),
            Event::ImprovementRejected(rejected) => (&rejected.modification_id, Kind::Solution),
            Event::ChampionChanged(changed) if changed.reason == "improvement" => {
                (&changed.modification_id, Kind::Whole)
            }
            Event::SearchDivided(divided) if divided.part.is_some() => {
                self.tell_the_best(state);
                return;
            }
            _ => return,
        };
        let Some(number) = id.number().filter(|number| *number != BASELINE) else { return };
        let Some(record) = state.candidate(number) else { return };
        let from_peer = state.arm(record).is_some_and(|arm| arm.proposer == proposers::peer_knowledge::NAME);
        // What came from a peer is not told back as a step; as a part of a new champion it is.
        let worth_telling = match kind {
            Kind::Whole => true,
            Kind::Step => !from_peer,
            Kind::Solution => !from_peer && self.solves_more(state, record),
        };
        if !worth_telling {
            return;
        }
        if let (Some(telling), Some(sender)) = (telling(state, number, kind == Kind::Whole), &self.sender) {
            // As many wait as may: the next improvement is better anyway.
            if sender.try_send(telling).is_ok() {
                self.told.extend(record.passed.iter());
            }
        }
    }

    /// Tells the champion to those who have just begun to search the same program: what was told before they did is lost on
    /// them.
    fn tell_the_best(&mut self, state: &State) {
        let champion = state.champion.filter(|champion| *champion != BASELINE);
        let whole = champion.and_then(|champion| telling_all(state, champion));
        if let (Some(telling), Some(sender)) = (whole, &self.sender) {
            // It is told again when it is surpassed.
            let _ = sender.try_send(telling);
        }
    }

    /// Whether a candidate that joined no front is worth telling for what it solves.
    fn solves_more(&self, state: &State, record: &CandidateRecord) -> bool {
        let parent = record.parents.first().and_then(|parent| state.candidate(*parent));
        let (Some(parent), Some(baseline)) = (parent, state.baseline()) else { return false };
        is_stepping_stone(state, record)
            && adds([&self.told, &baseline.passed], &parent.passed, &record.passed)
    }
}

/// Whether cases pass now that did not before and are in none of the known sets, at the cost of none that did.
fn adds(known: [&CaseSet; 2], before: &CaseSet, now: &CaseSet) -> bool {
    let is_new = |case: usize| !before.contains(case) && known.iter().all(|set| !set.contains(case));
    before.is_subset(now) && now.iter().any(is_new)
}

/// What of a candidate is worth telling.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What it changed of its parent, which joined the front.
    Step,
    /// The same, when it solves what nothing told solves.
    Solution,
    /// What it changed of the unchanged program.
    Whole,
}

impl Drop for Sharer {
    /// Waits until what was heard has been told, each with one more attempt at most. A peer that does not answer holds this
    /// up no longer than its breaker stays closed.
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        self.sender.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How a candidate differs from its first parent, or from the unchanged program.
fn telling(state: &State, number: Number, whole: bool) -> Option<Telling> {
    let record = state.candidate(number)?;
    let parent = *record.parents.first()?;
    if whole && parent == BASELINE {
        // The step is the whole.
        return None;
    }
    let from = if whole { state.baseline()? } else { state.candidate(parent)? };
    let before = &state.baseline()?.scores;
    let by_objective = state.run.objectives.improvement(before, &record.scores);
    let gained = by_objective.iter().filter(|(_, share)| **share > 0.0);
    let mut factors: Vec<String> =
        gained.map(|(name, share)| format!("{name} {:+.1} % against the baseline", share * 100.0)).collect();
    factors.push(record.rationale.to_string());
    let configuration = wiring::stored_configuration(&state.run.run_id, &state.run.configuration).ok()?;
    Some(Telling {
        run: state.run.run_id.clone(),
        candidate: state.id(number).to_string(),
        mutable: configuration.target.mutable.into_iter().collect(),
        agent_id: state.run.agent_id.clone(),
        operator: state.arm(record).map(|arm| arm.operator.clone()).unwrap_or_default(),
        from: from.commit.clone(),
        to: record.commit.clone(),
        delta: weighted(&state.run.objectives, &by_objective),
        by_objective,
        goals: goals(&state.run.objectives),
        fingerprint: state.run.fingerprint.clone(),
        factors,
        solves: solved(state, &from.passed, &record.passed),
    })
}

/// How a candidate differs from the unchanged program; of a child of it that is the step.
fn telling_all(state: &State, number: Number) -> Option<Telling> {
    telling(state, number, true).or_else(|| telling(state, number, false))
}

/// Names of the cases that pass now and did not before; none when they are too many to be told.
fn solved(state: &State, before: &CaseSet, now: &CaseSet) -> Vec<String> {
    let cases = now.iter().filter(|case| !before.contains(*case));
    let names: Vec<String> = cases.filter_map(|case| state.case_names.get(case).cloned()).collect();
    if names.len() <= knowledge::MAX_WORDS { names } else { Vec::new() }
}

/// The mean of shares, weighted as the objectives are.
fn weighted(objectives: &ObjectiveSet, shares: &BTreeMap<String, f64>) -> f64 {
    let known =
        objectives.iter().filter_map(|objective| Some((objective.weight, shares.get(&objective.name)?)));
    let (sum, weights) =
        known.fold((0.0, 0.0), |(sum, weights), (weight, share)| (sum + weight * share, weights + weight));
    if weights > 0.0 { sum / weights } else { 0.0 }
}

/// Objectives by name and direction.
pub(crate) fn goals(objectives: &ObjectiveSet) -> Vec<Goal> {
    let goal = |objective: &objectives::Objective| {
        let direction = match objective.direction {
            Direction::Minimize => "minimize",
            Direction::Maximize => "maximize",
        };
        Goal { name: objective.name.clone(), direction: direction.to_owned() }
    };
    objectives.iter().map(goal).collect()
}

/// Tells what it hears, one after the other, each to all peers at once.
fn tell_all(runs: &Runs, tellings: &Receiver<Telling>, effort: &Effort) {
    let memory = Memory::new(runs.log());
    for telling in tellings {
        let package = match package(runs, &telling) {
            Ok(Some(package)) => package,
            // What cannot be told in pieces, or not be read, is not told.
            Ok(None) | Err(_) => continue,
        };
        let Ok(peers) = Peers::read(runs) else { continue };
        let takers: Vec<Peer> =
            peers.peers.into_values().filter(|peer| peer.skills.iter().any(|skill| skill == SKILL)).collect();
        std::thread::scope(|scope| {
            for peer in &takers {
                let (memory, of) = (&memory, (&package, telling.candidate.as_str()));
                scope.spawn(move || share(runs, memory, of, peer, effort));
            }
        });
    }
}

/// The package of an improvement; `None` when nothing of it can be told in pieces.
pub(super) fn package(runs: &Runs, telling: &Telling) -> Result<Option<Package>, Failure> {
    let unreadable = |error| Failure::caused("the improvement cannot be read", error);
    let mut snapshots = wiring::reading(runs, &telling.run, telling.mutable.clone())?;
    let before = snapshots.files(&telling.from).map_err(unreadable)?;
    let after = snapshots.files(&telling.to).map_err(unreadable)?;
    Ok(extract(&Improvement {
        agent_id: &telling.agent_id,
        operator: &telling.operator,
        before: &before,
        after: &after,
        delta: telling.delta,
        by_objective: telling.by_objective.clone(),
        objectives: telling.goals.clone(),
        fingerprint: telling.fingerprint.clone(),
        success_factors: telling.factors.clone(),
        solves: telling.solves.clone(),
    }))
}

/// The package of a stored candidate, against the unchanged program.
pub(super) fn package_of(runs: &Runs, state: &State, number: Number) -> Result<Package, Failure> {
    let package = telling_all(state, number).map(|telling| package(runs, &telling)).transpose()?.flatten();
    package.ok_or_else(|| {
        Failure::work(format!("{} changes nothing that can be told in pieces of Python", state.id(number)))
    })
}

/// Offers a package, made of that candidate, to a peer, in at most that many attempts, of which another follows only where it
/// may fare better. One that the peer has answered is not offered again.
pub(super) fn share(
    runs: &Runs,
    memory: &Memory,
    (package, candidate): (&Package, &str),
    peer: &Peer,
    effort: &Effort,
) -> Option<TransferOutcome> {
    if memory.was_shared(&package.digest, &peer.name).unwrap_or(false) {
        return None;
    }
    let package = &vouched_for(runs, package);
    let transfer_id = data::random_hex(TRANSFER_DIGITS).unwrap_or_default();
    let message = json!({ "type": "knowledge_transfer", "package": package, "transfer_id": transfer_id });
    let (mut made, mut outcome) = (0, TransferOutcome::Failed("not tried".to_owned()));
    let (mut pause, mut may_pass) = (effort.pause, true);
    while made < effort.attempts && may_pass {
        if made > 0 {
            if effort.closing.load(Ordering::Relaxed) {
                break;
            }
            std::thread::sleep(pause);
            pause *= 2;
        }
        made += 1;
        let patience = if effort.closing.load(Ordering::Relaxed) { LAST_PATIENCE } else { PATIENCE };
        (outcome, may_pass) = match ask(runs, peer, &message, patience) {
            Ok(answer) => (heard(&answer), false),
            Err(silence) => (TransferOutcome::Failed(silence.reason), silence.may_pass),
        };
    }
    // What is not written down may be offered again, which does no harm.
    let _ =
        memory.shared((&package.digest, &peer.name, candidate), &transfer_id, made, &outcome, data::now_ms());
    Some(outcome)
}

/// The package with this daemon's signature. One that cannot be signed is told all the same, for peers may do without.
fn vouched_for(runs: &Runs, package: &Package) -> Package {
    let key = super::signing_key(runs.folder(), None);
    let signed = key.and_then(|key| {
        skills::sign(package, &key).map_err(|error| Failure::caused("the package cannot be signed", error))
    });
    signed.unwrap_or_else(|failure| {
        tracing::warn!(digest = package.digest, failure = failure.text(), "shared without a signature");
        package.clone()
    })
}

/// What a peer's answer says.
fn heard(answer: &Value) -> TransferOutcome {
    /// Longest words that are kept, in characters.
    const MAX_WORDS: usize = 300;
    let words = || answer["feedback"].as_str().unwrap_or("no reason given").chars().take(MAX_WORDS).collect();
    match answer["accepted"].as_bool() {
        Some(true) => TransferOutcome::Accepted,
        Some(false) => TransferOutcome::Declined(words()),
        None => TransferOutcome::Failed("the answer does not say whether it was accepted".to_owned()),
    }
}

/// What is known of a peer after the first meeting.
pub(super) struct Met {
    /// Ids of its skills.
    pub(super) skills: Vec<String>,
    /// What it says it can do, when it forms groups.
    pub(super) capabilities: skills::Capabilities,
    /// The key that its card is signed with.
    pub(super) key: Option<PublicKey>,
}

/// What a peer says of itself, and of what it can do when it is asked to form a group.
pub(super) fn meet(runs: &Runs, address: &PeerAddress) -> Result<Met, Failure> {
    /// Longest wait for a card or a greeting.
    const GREETING: Duration = Duration::from_secs(15);
    let unheard =
        |error: skills::peer::PeerError| Failure::caused(format!("{} does not answer", address.url), error);
    let courier = runs.courier().map_err(unheard)?;
    let PeerCard { skills, key, .. } = courier.look(address, GREETING).map_err(unheard)?;
    let own = super::capabilities(runs)?;
    if !skills.iter().any(|skill| skill == super::division::SKILL) {
        return Ok(Met { skills, capabilities: skills::Capabilities::default(), key });
    }
    let greeting = json!({
        "type": "evolution_group_join",
        "group_id": "darwind",
        "agent_id": own.agent_id,
        "capabilities": own.capabilities,
    });
    // The token is shown to whom the key belongs.
    let known = PeerAddress { key: key.clone(), ..address.clone() };
    let answer = courier.ask(&known, &greeting, GREETING).map_err(unheard)?;
    let capabilities = serde_json::from_value(answer["capabilities"].clone()).unwrap_or_default();
    Ok(Met { skills, capabilities, key })
}

#[cfg(test)]
mod tests;
