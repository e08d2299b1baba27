//! What must hold of a run at every moment, told from its events and orders alone and kept apart from the core: a fold
//! of its own beside the live state, and counts that the core does not share.

use crate::plan::{FED, Plan};
use evolution::decision::Order;
use evolution::event::{BreakerState, Event};
use evolution::id::Number;
use evolution::invariants;
use evolution::ports::Purpose;
use evolution::settings::Budget;
use evolution::state::{EVALUATOR_BREAKER, RUN_BREAKER, State, proposer_breaker};
use std::collections::{HashMap, HashSet};

/// Watches a run from outside.
pub(crate) struct Audit {
    run: String,
    workers: usize,
    state: Option<State>,
    asked: HashSet<Number>,
    started: HashSet<(Number, Purpose)>,
    judged: HashSet<Number>,
    verdicts: HashMap<Number, u32>,
    programs: HashSet<String>,
    /// Evaluations handed out in this process and not answered.
    running: HashSet<(Number, Purpose)>,
    /// Packages that waited for the run, by digest.
    packages: HashSet<String>,
    /// Proposals of packages that were asked for, with how many had come by then, but for those that came to nothing for
    /// want of a package that fits.
    of_peers: HashMap<Number, usize>,
    /// The largest budgets that were ever allowed.
    allowed: Budget,
}

impl Audit {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            run: format!("run {} (schedule {})", plan.started.run_id, plan.schedule),
            workers: plan.workers,
            state: None,
            asked: HashSet::new(),
            started: HashSet::new(),
            judged: HashSet::new(),
            verdicts: HashMap::new(),
            programs: HashSet::from([plan.started.fingerprint.clone()]),
            running: HashSet::new(),
            packages: HashSet::new(),
            of_peers: HashMap::new(),
            allowed: plan.started.budget.clone(),
        }
    }

    /// The fold of all that was recorded.
    pub(crate) fn state(&self) -> &State {
        self.state.as_ref().expect("a run that has begun")
    }

    /// What was handed out to the process before is gone with it.
    pub(crate) fn restarted(&mut self) {
        self.running.clear();
    }

    /// An evaluator is free again.
    pub(crate) fn answered(&mut self, number: Number, purpose: Purpose) {
        self.running.remove(&(number, purpose));
    }

    pub(crate) fn record(&mut self, time_ms: i64, event: &Event) {
        if let Some(state) = &self.state {
            self.before(state, event);
        }
        match (&mut self.state, event) {
            (None, Event::RunStarted(started)) => self.state = Some(State::begin(time_ms, started).unwrap()),
            (None, other) => panic!("{}: begins with {}", self.run, other.name()),
            (Some(state), event) => state.apply(time_ms, event).unwrap(),
        }
        self.note(event);
        if let Some((name, reason)) = invariants::broken(self.state()) {
            panic!("{}: after {} ({}): {name}: {reason}", self.run, event.name(), self.state().seq);
        }
    }

    /// What may not be recorded in the state as it stands.
    fn before(&self, state: &State, event: &Event) {
        if let Event::ProposalRequested(requested) = event {
            let guards =
                [RUN_BREAKER.to_owned(), EVALUATOR_BREAKER.to_owned(), proposer_breaker(&requested.proposer)];
            for name in guards {
                let open = state.breakers[&name].state() == BreakerState::Open;
                assert!(!open, "{}: asks {} while {name} is open", self.run, requested.proposer);
            }
            if requested.proposer == FED {
                let tried = self.of_peers.len();
                assert!(tried < self.packages.len(), "{}: nothing of peers waits", self.run);
                let best = |parent: &Number| state.champion == Some(*parent) || state.front.contains(parent);
                assert!(requested.parents.iter().all(best), "{}: not on the best", self.run);
            }
            for parent in &requested.parents {
                assert!(state.eligible.contains(parent), "{}: {parent} may not be a parent", self.run);
            }
        }
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::ProposalRequested(requested) => {
                assert!(
                    self.asked.insert(requested.number),
                    "{}: {} is asked twice",
                    self.run,
                    requested.number
                );
                let part = self.state.as_ref().and_then(|state| state.part);
                assert_eq!(requested.part, part, "{}: {} has another part", self.run, requested.number);
                if requested.proposer == FED {
                    self.of_peers.insert(requested.number, self.packages.len());
                }
            }
            Event::KnowledgeReceived(received) if received.queued => {
                let new = self.packages.insert(received.digest.clone());
                assert!(new, "{}: {} is recorded twice", self.run, received.digest);
            }
            Event::ProposalDiscarded(discarded) if discarded.exhausted => {
                let come = self.of_peers.remove(&discarded.number);
                if come.is_some_and(|come| come < self.packages.len()) {
                    // Who was asked before a package came has not looked at it.
                    let state = self.state();
                    let mut closed = state.exhausted.iter().filter_map(|(_, arm)| state.arms.get(*arm));
                    assert!(
                        closed.all(|arm| !arm.fed),
                        "{}: a package is forgotten after {}",
                        self.run,
                        discarded.number
                    );
                }
            }
            Event::ImprovementProposed(proposed) => {
                let new = self.programs.insert(proposed.fingerprint.clone());
                assert!(new, "{}: {} is a program that was there", self.run, proposed.number);
            }
            Event::ValidationStarted(started) => {
                let first = self.started.insert((started.number, started.purpose));
                let again = started.purpose == Purpose::Verify;
                assert!(first || again, "{}: {} starts twice", self.run, started.number);
            }
            Event::ValidationCompleted(completed) => {
                let key = (completed.number, completed.purpose);
                assert!(self.started.contains(&key), "{}: {} ends unstarted", self.run, completed.number);
                if completed.purpose == Purpose::Judge {
                    let first = self.judged.insert(completed.number);
                    assert!(first, "{}: {} is evaluated twice", self.run, completed.number);
                }
            }
            Event::ImprovementApplied(applied) => self.verdict(applied.modification_id.number()),
            Event::ImprovementArchived(archived) => self.verdict(archived.modification_id.number()),
            Event::ImprovementRejected(rejected) => self.verdict(rejected.modification_id.number()),
            Event::BudgetChanged(changed) => {
                self.allowed.evaluations = self.allowed.evaluations.max(changed.budget.evaluations);
            }
            _ => {}
        }
        let state = self.state();
        let (spent, allowed) = (&state.counters, &self.allowed);
        let within = allowed.evaluations.is_none_or(|limit| self.judged.len() as u64 <= limit)
            && allowed.proposals.is_none_or(|limit| self.asked.len() as u64 <= limit);
        assert!(within, "{}: {spent:?} of {allowed:?}", self.run);
    }

    /// A candidate has one verdict, and a second one only when the first is taken back.
    fn verdict(&mut self, number: Option<Number>) {
        let number = number.expect("a candidate's id");
        let verdicts = self.verdicts.entry(number).or_default();
        *verdicts += 1;
        assert!(*verdicts <= 2, "{}: {number} has {verdicts} verdicts", self.run);
    }

    /// The intent of an order stands in the log before it is carried out.
    pub(crate) fn order(&mut self, order: &Order) {
        match order {
            Order::Propose(asked) => {
                let number = asked.number;
                assert!(self.asked.contains(&number), "{}: {number} is ordered and not recorded", self.run);
            }
            Order::Snapshot { number, .. } => {
                assert!(self.asked.contains(number), "{}: {number} is ordered and not recorded", self.run);
            }
            Order::Evaluate { number, purpose, .. } => {
                let key = (*number, *purpose);
                assert!(self.started.contains(&key), "{}: {number} is evaluated and not recorded", self.run);
                assert!(self.running.insert(key), "{}: {number} is evaluated twice at once", self.run);
                let enough = self.running.len() <= self.workers.max(1);
                assert!(enough, "{}: {} evaluations at once", self.run, self.running.len());
            }
            Order::Abort { number } => {
                let key = (*number, Purpose::Judge);
                assert!(self.running.contains(&key), "{}: {number} is aborted and not running", self.run);
            }
            Order::Observe { .. } | Order::Annotate { .. } | Order::SetChampion { .. } => {}
        }
    }

    /// After a batch the live state is the fold so far; the quick part of [`same_state`].
    pub(crate) fn after_batch(&self, live: &State) {
        let folded = self.state();
        assert_eq!(live.seq, folded.seq, "{}", self.run);
        assert_eq!(live.decided, folded.decided, "{}", self.run);
        assert_eq!(live.counters, folded.counters, "{}", self.run);
        assert_eq!(live.learning_rate, folded.learning_rate, "{}", self.run);
        assert_eq!(live.choice, folded.choice, "{}", self.run);
        assert_eq!(live.breakers, folded.breakers, "{}", self.run);
        assert_eq!(live.front, folded.front, "{}", self.run);
        assert_eq!(live.champion, folded.champion, "{}", self.run);
    }

    /// What must hold when a run is over.
    pub(crate) fn at_the_end(&self, state: &State) {
        assert_eq!(state.in_flight().count(), 0, "{}: something is on its way after the end", self.run);
        for record in state.candidates() {
            let fate = record.fate;
            assert_ne!(
                fate,
                evolution::state::Fate::Undecided,
                "{}: {} has no fate",
                self.run,
                record.number
            );
        }
        assert!(state.lineage.is_acyclic(), "{}", self.run);
    }
}

/// Holds two states against each other, field by field.
pub(crate) fn same_state(a: &State, b: &State, what: &str, other: &str) {
    let context = format!("run {}: {what} against {other}", a.run.run_id);
    assert_eq!(a.run, b.run, "{context}");
    assert_eq!(a.phase, b.phase, "{context}");
    assert_eq!(format!("{:?}", a.slots), format!("{:?}", b.slots), "{context}");
    assert_eq!((&a.arms, &a.choice), (&b.arms, &b.choice), "{context}");
    assert_eq!((&a.exhausted, &a.case_names), (&b.exhausted, &b.case_names), "{context}");
    assert_eq!((&a.heard, a.news), (&b.heard, b.news), "{context}");
    let packages = |state: &State| (state.packages, state.packages_asked, state.packages_tried);
    assert_eq!(packages(a), packages(b), "{context}");
    assert_eq!((&a.case_index, &a.fingerprints), (&b.case_index, &b.fingerprints), "{context}");
    assert_eq!((&a.archived, &a.front, &a.peaks), (&b.archived, &b.front, &b.peaks), "{context}");
    for number in &a.archived {
        assert_eq!(a.rank(*number), b.rank(*number), "{context}");
    }
    assert_eq!(
        (&a.eligible, &a.behaviours, &a.lineage),
        (&b.eligible, &b.behaviours, &b.lineage),
        "{context}"
    );
    assert_eq!(
        (&a.niches, a.migrated_at, &a.stagnation),
        (&b.niches, b.migrated_at, &b.stagnation),
        "{context}"
    );
    assert_eq!((a.champion, &a.champion_history), (b.champion, &b.champion_history), "{context}");
    assert_eq!((&a.learning_rate, &a.breakers), (&b.learning_rate, &b.breakers), "{context}");
    assert_eq!((&a.counters, &a.budget, &a.warned), (&b.counters, &b.budget, &b.warned), "{context}");
    assert_eq!(a.hypervolume, b.hypervolume, "{context}");
    assert_eq!((a.decided, &a.rollback, &a.verified), (b.decided, &b.rollback, &b.verified), "{context}");
    assert_eq!(format!("{:?}", a.trials), format!("{:?}", b.trials), "{context}");
    assert_eq!((a.goal_at, &a.commands, &a.tolerated), (b.goal_at, &b.commands, &b.tolerated), "{context}");
    assert_eq!(a.noise, b.noise, "{context}");
    assert_eq!(
        (a.evaluations_decided, &a.isolation, a.seq),
        (b.evaluations_decided, &b.isolation, b.seq),
        "{context}"
    );
    assert_eq!(
        (a.earlier_ms, a.session_started_ms, a.last_ms),
        (b.earlier_ms, b.session_started_ms, b.last_ms),
        "{context}"
    );
}
