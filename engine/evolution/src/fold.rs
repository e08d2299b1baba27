//! How each event changes the state. Deterministic and total: an event that makes no sense where it stands is an
//! error of the log, never a panic.

mod breakers;
mod evaluations;
mod parents;
mod proposals;
mod verdicts;

use crate::breaker::Breaker;
use crate::candidate::Cost;
use crate::candidate::ModelUsage;
use crate::choice::Choice;
use crate::event::{Command, ControlReceived, Event, ProposalOutcome, RunStarted};
use crate::front::Peaks;
use crate::id::{BASELINE, CandidateId, Number};
use crate::learning_rate::LearningRate;
use crate::lineage::Lineage;
use crate::niches::Niches;
use crate::ports::Purpose;
use crate::stagnation::Stagnation;
use crate::state::{
    Arm, CandidateRecord, Counters, EVALUATOR_BREAKER, Fate, Phase, RUN_BREAKER, Rollback, Slot, State,
    Trial, Yields, proposer_breaker,
};
use objectives::Scores;
use objectives::fronts::RankedArchive;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Why a log does not fold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The log is empty or begins with something else.
    #[error("the log does not begin with run_started")]
    NoBeginning,
    /// The log was written by a newer darwind.
    #[error("the log has form {0}, which this darwind does not know; use the one that wrote it")]
    NewerVersion(u32),
    /// An event speaks of something that is not there.
    #[error("event {seq} ({event}) does not fit the run: {reason}")]
    Misfit {
        /// Which event, counted from 1.
        seq: u64,
        /// Its name.
        event: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl State {
    /// Folds a whole log of (time in Unix milliseconds, event).
    pub fn fold<'a>(events: impl IntoIterator<Item = (i64, &'a Event)>) -> Result<Self, FoldError> {
        let mut events = events.into_iter();
        let Some((time_ms, Event::RunStarted(started))) = events.next() else {
            return Err(FoldError::NoBeginning);
        };
        let mut state = Self::begin(time_ms, started)?;
        for (time_ms, event) in events {
            state.apply(time_ms, event)?;
        }
        Ok(state)
    }

    /// The state after the first event.
    pub fn begin(time_ms: i64, started: &RunStarted) -> Result<Self, FoldError> {
        if started.version > crate::event::VERSION {
            return Err(FoldError::NewerVersion(started.version));
        }
        let settings = &started.settings;
        let operators = started
            .proposers
            .iter()
            .flat_map(|proposer| proposer.operators.iter().map(move |operator| (proposer, operator.clone())));
        let (arms, priors) = operators
            .map(|(proposer, prior)| {
                let arm = Arm {
                    proposer: proposer.name.clone(),
                    operator: prior.name.clone(),
                    parents: prior.parents,
                    fed: proposer.fed,
                    yields: Yields::default(),
                };
                (arm, prior)
            })
            .unzip::<_, _, Vec<_>, Vec<_>>();
        let guarded = started.proposers.iter().map(|proposer| proposer_breaker(&proposer.name));
        let breakers = guarded
            .chain([EVALUATOR_BREAKER.to_owned(), RUN_BREAKER.to_owned()])
            .map(|name| (name, Breaker::new(&settings.breaker)))
            .collect();
        let mut lineage = Lineage::new();
        lineage.add(BASELINE, &[]).map_err(|error| FoldError::Misfit {
            seq: 1,
            event: "run_started",
            reason: error.to_string(),
        })?;
        let baseline = CandidateRecord {
            commit: started.baseline.clone(),
            rationale: Arc::from("the unchanged target"),
            shape: Arc::new(started.shape.clone()),
            quality: 0.5,
            ..CandidateRecord::blank(BASELINE)
        };
        Ok(Self {
            phase: Phase::Pending,
            slots: vec![Slot::Candidate(Box::new(baseline))],
            choice: Choice::new(&priors, settings.bandit_discount),
            arms,
            exhausted: HashSet::new(),
            part: None,
            heard: BTreeSet::new(),
            news: 0,
            packages: 0,
            packages_tried: 0,
            packages_asked: 0,
            case_names: Vec::new(),
            case_index: HashMap::new(),
            fingerprints: HashMap::from([(started.fingerprint.clone(), BASELINE)]),
            archive: RankedArchive::new(started.objectives.len()),
            archived: Vec::new(),
            front: Vec::new(),
            peaks: Peaks::default(),
            hypervolume: 0.0,
            eligible: Vec::new(),
            behaviours: HashSet::new(),
            niches: Niches::new(&settings.archive),
            migrated_at: 0,
            stagnation: Stagnation::new(settings.restart.as_ref()),
            lineage,
            champion: None,
            champion_history: Vec::new(),
            pinned_below: BASELINE,
            pinned: false,
            aborted: BTreeMap::new(),
            learning_rate: LearningRate::new(&settings.learning_rate),
            breakers,
            counters: Counters::default(),
            budget: started.budget.clone(),
            warned: HashSet::new(),
            decided: BASELINE,
            trials: BTreeMap::new(),
            rollback: None,
            verified: HashSet::new(),
            goal_at: None,
            commands: HashSet::new(),
            tolerated: BTreeMap::new(),
            noise: BTreeMap::new(),
            evaluations_decided: 0,
            llm: ModelUsage::default(),
            out_of: None,
            barren: 0,
            isolation: String::new(),
            seq: 1,
            earlier_ms: 0,
            session_started_ms: time_ms,
            last_ms: time_ms,
            run: Arc::new(started.clone()),
        })
    }

    /// Folds one more event.
    pub fn apply(&mut self, time_ms: i64, event: &Event) -> Result<(), FoldError> {
        self.seq += 1;
        let previous_ms = self.last_ms;
        self.last_ms = time_ms;
        match event {
            Event::RunStarted(_) => Err("a run begins once".to_owned()),
            Event::RunResumed(_) => {
                self.on_resumed(previous_ms, time_ms);
                Ok(())
            }
            Event::RunPaused(_) => {
                if matches!(self.phase, Phase::Running | Phase::Pending) {
                    self.phase = Phase::Paused;
                }
                Ok(())
            }
            Event::RunFinished(finished) => {
                self.earlier_ms = self.active_ms(time_ms);
                self.phase = Phase::Finished(finished.stopped_by);
                self.abandon();
                Ok(())
            }
            Event::ControlReceived(control) => {
                self.on_control(control);
                Ok(())
            }
            Event::ProposalRequested(requested) => self.on_requested(requested),
            Event::ProposalDiscarded(discarded) => self.on_discarded(time_ms, discarded),
            Event::ImprovementProposed(proposed) => self.on_proposed(time_ms, proposed),
            Event::ValidationStarted(started) => {
                let judged = started.purpose == Purpose::Judge;
                if self.trials.insert((started.number, started.purpose), Trial::UnderWay).is_none() && judged
                {
                    self.counters.evaluations += 1;
                }
                Ok(())
            }
            Event::ValidationCompleted(completed) => self.on_completed(time_ms, completed),
            Event::EvaluationFailed(failed) => {
                if let Some(record) = self.candidate_mut(failed.number) {
                    record.failed_attempts = failed.attempt;
                }
                if failed.given_up {
                    self.trials.remove(&(failed.number, failed.purpose));
                }
                if !failed.aborted {
                    self.breaker_failure(EVALUATOR_BREAKER, time_ms);
                }
                Ok(())
            }
            Event::ImprovementApplied(applied) => self.on_verdict(
                &applied.modification_id,
                Fate::Accepted,
                "",
                &applied.reason,
                applied.performance_delta,
            ),
            Event::ImprovementArchived(archived) => {
                let id = &archived.modification_id;
                self.on_verdict(id, Fate::Archived, "", &archived.reason, archived.performance_delta)
            }
            Event::ImprovementRejected(rejected) => self.on_verdict(
                &rejected.modification_id,
                Fate::Rejected,
                &rejected.gate,
                &rejected.reason,
                0.0,
            ),
            Event::ChampionChanged(changed) => self.on_champion(&changed.modification_id, &changed.reason),
            Event::BudgetWarning(note) => {
                self.warned.insert(note.budget.clone());
                Ok(())
            }
            Event::BudgetChanged(changed) => {
                self.budget = changed.budget.clone();
                self.warned.clear();
                self.out_of = None;
                Ok(())
            }
            Event::SafetyViolation(_) => {
                self.breaker_failure(RUN_BREAKER, time_ms);
                Ok(())
            }
            Event::RollbackInitiated(rollback) => {
                match (rollback.modification_id.number(), rollback.from.number()) {
                    (Some(to), Some(from)) => {
                        self.rollback = Some(Rollback { to, from });
                        Ok(())
                    }
                    _ => Err("unknown candidate".to_owned()),
                }
            }
            Event::RollbackCompleted(completed) => {
                self.rollback = None;
                if !completed.verified {
                    self.trip_breaker(RUN_BREAKER, time_ms);
                }
                Ok(())
            }
            Event::Migrated(migrated) => self.on_migrated(migrated),
            Event::SearchRestarted(restarted) => self.on_restarted(restarted),
            Event::BreakerChanged(changed) => {
                if let Some(breaker) = self.breakers.get_mut(&changed.name) {
                    breaker.enter(changed.to, time_ms);
                }
                Ok(())
            }
            Event::KnowledgeReceived(received) => {
                self.on_received(received);
                Ok(())
            }
            Event::KnowledgeShared(shared) => {
                self.hear(Some(shared.key()));
                Ok(())
            }
            Event::PeerChanged(_) => {
                self.hear(None);
                Ok(())
            }
            Event::SearchDivided(divided) => {
                self.hear(None);
                self.part = divided.part;
                Ok(())
            }
            // Consequences of events above, recorded for readers: the state has them already.
            Event::FrontChanged(_)
            | Event::NicheChanged(_)
            | Event::LearningRateChanged(_)
            | Event::BudgetExhausted(_)
            | Event::PerformanceThresholdExceeded(_) => Ok(()),
        }
        .map_err(|reason| FoldError::Misfit { seq: self.seq, event: event.name(), reason })
    }

    fn on_resumed(&mut self, previous_ms: i64, time_ms: i64) {
        if !matches!(self.phase, Phase::Finished(_)) {
            self.earlier_ms += (previous_ms - self.session_started_ms).max(0);
        }
        self.session_started_ms = time_ms;
        let measured = self.baseline().is_some_and(|baseline| baseline.fate != Fate::Undecided);
        self.phase = if measured { Phase::Running } else { Phase::Pending };
    }

    fn on_control(&mut self, control: &ControlReceived) {
        self.commands.insert(control.id.clone());
        if control.refused.is_some() {
            return;
        }
        match &control.command {
            Command::Pin { .. } => self.pinned = true,
            Command::Promote { .. } | Command::RollbackModification { .. } => self.pinned = false,
            Command::AbortEvaluation { modification_id } => {
                let reason = control.reason.clone();
                self.aborted.extend(modification_id.number().map(|number| (number, reason)));
            }
            _ => {}
        }
    }

    fn on_champion(&mut self, id: &CandidateId, reason: &str) -> Result<(), String> {
        let number =
            id.number().filter(|number| self.candidate(*number).is_some()).ok_or("no such candidate")?;
        self.champion = Some(number);
        self.champion_history.push(number);
        if matches!(reason, "rollback" | "promotion" | "pin") {
            self.pinned_below = self.next_number();
        }
        Ok(())
    }

    /// Verdicts and discards come in the order of numbers, so each decides exactly the next one.
    fn advance(&mut self) {
        self.decided += 1;
    }

    /// Closes what a finished run leaves: candidates without a verdict, requests without an answer. A rollback under way
    /// is still brought to its end.
    fn abandon(&mut self) {
        let rolled_back_to = self.rollback.as_ref().map(|rollback| rollback.to);
        self.trials
            .retain(|(number, purpose), _| *purpose == Purpose::Verify && Some(*number) == rolled_back_to);
        for slot in &mut self.slots {
            match slot {
                Slot::Requested(_) => *slot = Slot::Discarded(ProposalOutcome::NoChange),
                Slot::Candidate(record) if record.fate == Fate::Undecided => record.fate = Fate::Abandoned,
                _ => {}
            }
        }
        self.decided = self.next_number().saturating_sub(1);
    }
}

impl CandidateRecord {
    /// A record with nothing known yet.
    pub(crate) fn blank(number: Number) -> Self {
        Self {
            number,
            parents: Vec::new(),
            arm: None,
            commit: crate::id::CommitId::new(""),
            rationale: Arc::from(""),
            files: Vec::new(),
            changed_bytes: 0,
            shape: Arc::default(),
            features: BTreeMap::new(),
            niche: None,
            detail: Arc::new(serde_json::Value::Null),
            fate: Fate::Undecided,
            gate: String::new(),
            reason: String::new(),
            outcome: None,
            scores: Scores::default(),
            passed: crate::cases::CaseSet::new(),
            ran: crate::cases::CaseSet::new(),
            cost: Cost::default(),
            evaluation_seq: 0,
            quality: 0.0,
            chosen: 0,
            archive_index: None,
            failed_attempts: 0,
        }
    }
}
