//! How each event changes the state. Deterministic and total: an event that makes no sense where it stands is an
//! error of the log, never a panic.

use crate::acceptance;
use crate::archive;
use crate::breaker::Breaker;
use crate::candidate::{Cost, Evaluation};
use crate::choice::Choice;
use crate::event::{
    ControlReceived, Event, ImprovementProposed, ProposalDiscarded, ProposalOutcome, ProposalRequested,
    RunStarted, ValidationCompleted,
};
use crate::front::Peaks;
use crate::id::{BASELINE, CandidateId, Number};
use crate::learning_rate::LearningRate;
use crate::lineage::Lineage;
use crate::ports::Purpose;
use crate::state::{
    Arm, CandidateRecord, Counters, EVALUATOR_BREAKER, Fate, Phase, RUN_BREAKER, Rollback, Slot, State,
    Trial, proposer_breaker,
};
use objectives::Scores;
use objectives::fronts::RankedArchive;
use std::collections::{BTreeMap, HashMap, HashSet};
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
        let operators = started.proposers.iter().flat_map(|proposer| {
            proposer.operators.iter().map(|operator| (proposer.name.clone(), operator.clone()))
        });
        let (arms, priors) = operators
            .map(|(proposer, prior)| {
                (Arm { proposer, operator: prior.name.clone(), parents: prior.parents }, prior)
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
            quality: 0.5,
            ..CandidateRecord::blank(BASELINE)
        };
        Ok(Self {
            phase: Phase::Pending,
            slots: vec![Slot::Candidate(Box::new(baseline))],
            choice: Choice::new(&priors, settings.bandit_discount),
            arms,
            exhausted: HashSet::new(),
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
            lineage,
            champion: None,
            champion_history: Vec::new(),
            pinned_below: BASELINE,
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
            chosen: HashMap::new(),
            evaluations_decided: 0,
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
                self.breaker_failure(EVALUATOR_BREAKER, time_ms);
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
            Event::BreakerChanged(changed) => {
                if let Some(breaker) = self.breakers.get_mut(&changed.name) {
                    breaker.enter(changed.to, time_ms);
                }
                Ok(())
            }
            // Consequences of events above, recorded for readers: the state has them already.
            Event::FrontChanged(_)
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
    }

    fn on_requested(&mut self, requested: &ProposalRequested) -> Result<(), String> {
        if requested.number != self.next_number() {
            return Err(format!("number {} comes out of turn", requested.number));
        }
        for parent in &requested.parents {
            *self.chosen.entry(*parent).or_default() += 1;
        }
        self.slots.push(Slot::Requested(requested.clone()));
        Ok(())
    }

    fn requested(&self, number: Number) -> Result<ProposalRequested, String> {
        match self.slots.get(number as usize) {
            Some(Slot::Requested(requested)) => Ok(requested.clone()),
            _ => Err(format!("proposal {number} was not asked for")),
        }
    }

    fn arm_index(&self, proposer: &str, operator: &str) -> Option<usize> {
        self.arms.iter().position(|arm| arm.proposer == proposer && arm.operator == operator)
    }

    fn on_discarded(&mut self, time_ms: i64, discarded: &ProposalDiscarded) -> Result<(), String> {
        let requested = self.requested(discarded.number)?;
        let arm = self.arm_index(&requested.proposer, &requested.operator);
        if let Some(slot) = self.slots.get_mut(discarded.number as usize) {
            *slot = Slot::Discarded(discarded.outcome);
        }
        self.barren = self.barren.saturating_add(1);
        self.count_answer(discarded.outcome);
        let breaker = proposer_breaker(&requested.proposer);
        if discarded.outcome == ProposalOutcome::Failed {
            self.breaker_failure(&breaker, time_ms);
        } else {
            self.breaker_success(&breaker, time_ms);
        }
        match (arm, discarded.exhausted, requested.parents.first()) {
            (Some(arm), true, Some(parent)) => {
                self.exhausted.insert((*parent, arm));
            }
            (Some(arm), false, _) => self.choice.observe(arm, 0.0),
            _ => {}
        }
        self.advance();
        Ok(())
    }

    fn count_answer(&mut self, outcome: ProposalOutcome) {
        self.counters.proposals += 1;
        *self.counters.proposal_outcomes.entry(outcome).or_default() += 1;
    }

    fn on_proposed(&mut self, time_ms: i64, proposed: &ImprovementProposed) -> Result<(), String> {
        let requested = self.requested(proposed.number)?;
        let record = CandidateRecord {
            parents: requested.parents.clone(),
            arm: self.arm_index(&requested.proposer, &requested.operator),
            commit: proposed.commit.clone(),
            rationale: Arc::from(proposed.rationale.as_str()),
            files: proposed.files.clone(),
            changed_bytes: proposed.changed_bytes,
            detail: Arc::new(proposed.detail.clone()),
            ..CandidateRecord::blank(proposed.number)
        };
        self.lineage.add(proposed.number, &requested.parents).map_err(|error| error.to_string())?;
        if let Some(slot) = self.slots.get_mut(proposed.number as usize) {
            *slot = Slot::Candidate(Box::new(record));
        }
        self.fingerprints.entry(proposed.fingerprint.clone()).or_insert(proposed.number);
        self.count_answer(ProposalOutcome::Applied);
        self.breaker_success(&proposer_breaker(&requested.proposer), time_ms);
        Ok(())
    }

    fn on_completed(&mut self, time_ms: i64, completed: &ValidationCompleted) -> Result<(), String> {
        let key = (completed.number, completed.purpose);
        if !matches!(self.trials.get(&key), Some(Trial::UnderWay)) {
            return Err(format!("candidate {} was not under evaluation", completed.number));
        }
        self.breaker_success(EVALUATOR_BREAKER, time_ms);
        self.isolation.clone_from(&completed.evaluation.isolation);
        let word = completed.evaluation.outcome.word();
        match completed.purpose {
            Purpose::Verify => {
                self.trials.remove(&key);
                if acceptance::confirms(self, completed.number, &completed.evaluation).is_ok() {
                    self.verified.insert(completed.number);
                }
                Ok(())
            }
            Purpose::Judge => {
                *self.counters.outcomes.entry(word).or_default() += 1;
                self.note_evaluation(completed.number, &completed.evaluation)?;
                self.trials.insert(key, Trial::Done(completed.evaluation.clone()));
                Ok(())
            }
            Purpose::Baseline => {
                self.trials.remove(&key);
                self.note_evaluation(completed.number, &completed.evaluation)?;
                self.on_baseline(&completed.evaluation)
            }
        }
    }

    /// The baseline needs no verdict event: whether it is viable follows from its evaluation alone.
    fn on_baseline(&mut self, evaluation: &Evaluation) -> Result<(), String> {
        self.tolerated.clone_from(&evaluation.denials);
        let noise = evaluation.metrics.iter();
        self.noise = noise
            .filter_map(|(name, value)| Some((name.strip_suffix(".noise")?.to_owned(), *value)))
            .collect();
        let verdict = acceptance::viability(self, evaluation);
        if let Some(record) = self.candidate_mut(BASELINE) {
            match &verdict {
                Ok(()) => record.fate = Fate::Accepted,
                Err(refusal) => {
                    record.fate = Fate::Rejected;
                    record.gate.clone_from(&refusal.gate);
                    record.reason.clone_from(&refusal.reason);
                }
            }
        }
        if verdict.is_ok() {
            self.enter_archive(BASELINE, &evaluation.scores)?;
            self.note_goal(&evaluation.scores, Fate::Accepted);
        }
        self.enter_parents(BASELINE);
        if self.phase == Phase::Pending {
            self.phase = Phase::Running;
        }
        Ok(())
    }

    fn note_evaluation(&mut self, number: Number, evaluation: &Evaluation) -> Result<(), String> {
        let mut passed = crate::cases::CaseSet::new();
        let mut ran = crate::cases::CaseSet::new();
        for case in &evaluation.cases {
            let index = match self.case_index.get(&case.name) {
                Some(index) => *index,
                None if number == BASELINE => {
                    self.case_names.push(case.name.clone());
                    self.case_index.insert(case.name.clone(), self.case_names.len() - 1);
                    self.case_names.len() - 1
                }
                // A candidate that invents cases gains nothing by it.
                None => continue,
            };
            ran.insert(index);
            if case.passed {
                passed.insert(index);
            }
        }
        let seq = self.seq;
        let baseline =
            if number == BASELINE { None } else { self.baseline().map(|record| record.scores.clone()) };
        let quality = archive::quality(
            &self.run.objectives,
            baseline.as_ref().unwrap_or(&evaluation.scores),
            &evaluation.scores,
        );
        let record = self.candidate_mut(number).ok_or_else(|| format!("no candidate {number}"))?;
        record.outcome = Some(evaluation.outcome);
        record.scores = evaluation.scores.clone();
        record.passed = passed;
        record.ran = ran;
        record.cost = evaluation.cost;
        record.evaluation_seq = seq;
        record.quality = quality;
        Ok(())
    }

    fn on_verdict(
        &mut self,
        id: &CandidateId,
        fate: Fate,
        gate: &str,
        reason: &str,
        delta: f64,
    ) -> Result<(), String> {
        let number = id.number().ok_or("no such candidate")?;
        let record = self.candidate_mut(number).ok_or("no such candidate")?;
        let revoked = fate == Fate::Rejected && matches!(record.fate, Fate::Accepted | Fate::Archived);
        record.fate = if revoked { Fate::Revoked } else { fate };
        record.gate = gate.to_owned();
        record.reason = reason.to_owned();
        let scores = record.scores.clone();
        if revoked {
            self.revoke(number);
            return Ok(());
        }
        let judged = self.trials.remove(&(number, Purpose::Judge));
        if let Some(Trial::Done(evaluation)) = judged
            && acceptance::violation(self, &evaluation).is_none()
        {
            self.breaker_success(RUN_BREAKER, self.last_ms);
        }
        self.learn(number, fate, gate, delta);
        if matches!(fate, Fate::Accepted | Fate::Archived) {
            self.enter_archive(number, &scores)?;
        }
        self.enter_parents(number);
        self.evaluations_decided += 1;
        self.barren = 0;
        self.note_goal(&scores, fate);
        self.advance();
        Ok(())
    }

    /// What the verdict on a candidate teaches: counters, learning rate, choice of operator, clade statistics.
    fn learn(&mut self, number: Number, fate: Fate, gate: &str, delta: f64) {
        match fate {
            Fate::Accepted => {
                self.counters.viable += 1;
                self.counters.accepted += 1;
            }
            Fate::Archived => self.counters.viable += 1,
            _ => {
                self.counters.rejected += 1;
                *self.counters.gates.entry(gate.to_owned()).or_default() += 1;
            }
        }
        if gate == acceptance::MACHINERY_GATE {
            return;
        }
        let success = fate == Fate::Accepted || self.gains_cases(number);
        self.learning_rate.update(success, delta.max(0.0));
        if let Some(arm) = self.candidate(number).and_then(|record| record.arm) {
            self.choice.observe(arm, if success { 1.0 } else { 0.0 });
        }
        self.lineage.record_outcome(number, success);
    }

    /// Whether a candidate passes more cases than its first parent.
    pub(crate) fn gains_cases(&self, number: Number) -> bool {
        let Some(record) = self.candidate(number) else { return false };
        let parent = record.parents.first().and_then(|parent| self.candidate(*parent));
        parent.is_some_and(|parent| record.passed.len() > parent.passed.len())
    }

    fn enter_archive(&mut self, number: Number, scores: &Scores) -> Result<(), String> {
        let point = self.run.objectives.point(scores).map_err(|error| error.to_string())?;
        let relation = self.peaks.relation(&point);
        let index = self.archive.insert(&point);
        self.archived.push(number);
        let Some(record) = self.candidate_mut(number) else { return Err(format!("no candidate {number}")) };
        record.archive_index = Some(index);
        let changed_bytes = record.changed_bytes;
        if relation.dominated_by.is_none() {
            let leaving: HashSet<Number> = relation.dominated.iter().copied().collect();
            if !leaving.is_empty() {
                self.front.retain(|member| !leaving.contains(member));
            }
            self.front.push(number);
            self.peaks.enter(number, changed_bytes, &point);
            let beyond = leaving.is_empty() && self.peaks.len() > archive::HYPERVOLUME_POINTS;
            if relation.equal_to.is_none() && !beyond {
                self.hypervolume = archive::hypervolume(self);
            }
        }
        Ok(())
    }

    fn enter_parents(&mut self, number: Number) {
        let Some(record) = self.candidate(number) else { return };
        let behaviour = archive::behaviour(record);
        let worthy = number == BASELINE || archive::is_stepping_stone(self, record);
        if worthy && self.behaviours.insert(behaviour) {
            self.eligible.push(number);
        }
        if self.eligible.len() > archive::MAX_PARENTS
            && let Some(least) = archive::least_parent(self)
        {
            self.eligible.retain(|parent| *parent != least);
        }
    }

    /// Takes a candidate out of archive, front and parents after a second judgement. Rare, so the archive is rebuilt.
    fn revoke(&mut self, number: Number) {
        self.eligible.retain(|member| *member != number);
        let members: Vec<Number> = self.archived.iter().copied().filter(|member| *member != number).collect();
        self.archive = RankedArchive::new(self.run.objectives.len());
        self.archived.clear();
        self.front.clear();
        self.peaks.clear();
        if let Some(record) = self.candidate_mut(number) {
            record.archive_index = None;
        }
        for member in members {
            if let Some(scores) = self.candidate(member).map(|record| record.scores.clone()) {
                // These points were accepted before: entering again cannot fail.
                let _ = self.enter_archive(member, &scores);
            }
        }
        self.hypervolume = archive::hypervolume(self);
        let is_ideal = |record: &CandidateRecord| self.run.objectives.is_ideal(&record.scores);
        if !self.peaks.firsts().filter_map(|first| self.candidate(first)).any(is_ideal) {
            self.goal_at = None;
        }
    }

    fn note_goal(&mut self, scores: &Scores, fate: Fate) {
        let viable = matches!(fate, Fate::Accepted | Fate::Archived);
        if viable && self.goal_at.is_none() && self.run.objectives.is_ideal(scores) {
            self.goal_at = Some(self.evaluations_decided);
        }
    }

    fn on_champion(&mut self, id: &CandidateId, reason: &str) -> Result<(), String> {
        let number =
            id.number().filter(|number| self.candidate(*number).is_some()).ok_or("no such candidate")?;
        self.champion = Some(number);
        self.champion_history.push(number);
        if matches!(reason, "rollback" | "promotion") {
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

    fn breaker_failure(&mut self, name: &str, time_ms: i64) {
        if let Some(breaker) = self.breakers.get_mut(name) {
            breaker.failure(time_ms);
        }
    }

    fn breaker_success(&mut self, name: &str, time_ms: i64) {
        if let Some(breaker) = self.breakers.get_mut(name) {
            breaker.success(time_ms);
        }
    }

    fn trip_breaker(&mut self, name: &str, time_ms: i64) {
        if let Some(breaker) = self.breakers.get_mut(name) {
            breaker.enter(crate::event::BreakerState::Open, time_ms);
        }
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
            archive_index: None,
            failed_attempts: 0,
        }
    }
}
