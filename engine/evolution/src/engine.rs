//! The stepping core: one input in, decisions out. It holds the state and applies to it every event that it decides
//! to record, so that the live state is the fold of the log at every moment.
//!
//! Verdicts, and the discarding of proposals, happen strictly in the order of the proposals' numbers, and after each of
//! them new proposals are asked for while the lookahead allows. So what is asked next depends on the seed and on the
//! outcomes of earlier numbers, never on which worker was quicker.

use crate::acceptance::{self, MACHINERY_GATE, Refusal, Verdict};
use crate::breaker::Permit;
use crate::candidate::Evaluation;
use crate::decision::{Answer, Decision, Input, Order};
use crate::event::{
    BreakerChanged, BreakerState, BudgetNote, ChampionChanged, EvaluationFailed, Event, FrontChanged,
    ImprovementApplied, ImprovementArchived, ImprovementProposed, ImprovementRejected, LearningRateChanged,
    ProposalDiscarded, ProposalOutcome, Reasoned, RunFinished, RunResumed, RunStarted, SafetyViolation,
    StoppedBy, ThresholdCrossed, ValidationCompleted, ValidationStarted,
};
use crate::feedback;
use crate::fold::FoldError;
use crate::id::{BASELINE, CommitId, Number};
use crate::picking;
use crate::ports::{EvaluatorError, FeedbackResult, ProposerError, Purpose};
use crate::state::{EVALUATOR_BREAKER, Fate, Phase, RUN_BREAKER, Slot, State, Trial, proposer_breaker};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

/// Winners that are judged a second time before a run gives up looking for one that stands.
pub const MAX_VERIFICATIONS: usize = 8;
/// Proposals in a row that may come to nothing before a run counts as exhausted: a small target can be tried out without
/// any proposer noticing.
pub const MAX_BARREN_PROPOSALS: u32 = 1_000;
/// Share of a budget whose spending is worth a warning.
const WARNING_SHARE: f64 = 0.9;

/// The stepping core of one run.
#[derive(Debug)]
pub struct Engine {
    pub(crate) state: State,
    /// Answers that wait for an earlier number's answer.
    answers: BTreeMap<Number, Result<Answer, ProposerError>>,
    /// Answers that came to nothing and wait for their turn to be recorded.
    discards: BTreeMap<Number, ProposalDiscarded>,
    /// The candidate whose snapshot is being made, with its answer.
    snapshot: Option<(Number, Answer)>,
    /// Candidates with a snapshot, not yet handed to an evaluator, by number.
    ready: BTreeSet<Number>,
    /// Evaluations to be tried again.
    retries: VecDeque<(Number, Purpose)>,
    /// Evaluations handed out and not answered.
    running: BTreeSet<(Number, Purpose)>,
    /// Evaluations that may run at once.
    workers: usize,
    /// Judged a second time so far.
    verifications: usize,
    /// Only commands are obeyed; nothing is proposed.
    visiting: bool,
    decisions: Vec<Decision>,
    now_ms: i64,
}

impl Engine {
    fn over(state: State, workers: usize, now_ms: i64) -> Self {
        Self {
            state,
            answers: BTreeMap::new(),
            discards: BTreeMap::new(),
            snapshot: None,
            ready: BTreeSet::new(),
            retries: VecDeque::new(),
            running: BTreeSet::new(),
            workers: workers.max(1),
            verifications: 0,
            visiting: false,
            decisions: Vec::new(),
            now_ms,
        }
    }

    /// Begins a run. `workers` evaluations may run at once; at least 1.
    pub fn begin(
        started: RunStarted,
        workers: usize,
        now_ms: i64,
    ) -> Result<(Self, Vec<Decision>), FoldError> {
        let state = State::begin(now_ms, &started)?;
        let mut engine = Self::over(state, workers, now_ms);
        engine.decisions.push(Decision::Record(Box::new(Event::RunStarted(Box::new(started)))));
        engine.start_evaluation(BASELINE, Purpose::Baseline)?;
        let decisions = std::mem::take(&mut engine.decisions);
        Ok((engine, decisions))
    }

    /// Takes up a run from its log's fold. What was under way is ordered again; proposals that were asked for and not
    /// answered must be asked again by the caller, who replays the log to the proposers (see `conductor::recovery`).
    pub fn resume(
        state: State,
        workers: usize,
        reason: &str,
        now_ms: i64,
    ) -> Result<(Self, Vec<Decision>), FoldError> {
        let mut engine = Self::over(state, workers, now_ms);
        let under_way: Vec<(Number, Purpose)> = engine
            .state
            .trials
            .iter()
            .filter_map(|(key, trial)| matches!(trial, Trial::UnderWay).then_some(*key))
            .collect();
        let waiting = engine.state.in_flight().filter(|number| {
            engine.state.candidate(*number).is_some()
                && !engine.state.trials.contains_key(&(*number, Purpose::Judge))
        });
        engine.ready = waiting.filter(|number| !engine.is_given_up(*number)).collect();
        let in_flight = under_way.iter().map(|(number, _)| engine.state.id(*number)).collect();
        engine.record(Event::RunResumed(RunResumed { reason: reason.to_owned(), in_flight }))?;
        engine.retries.extend(under_way);
        if engine.state.phase == Phase::Pending && engine.retries.is_empty() {
            engine.start_evaluation(BASELINE, Purpose::Baseline)?;
        }
        engine.proceed()?;
        let decisions = std::mem::take(&mut engine.decisions);
        Ok((engine, decisions))
    }

    /// Takes up a finished or paused run only to obey a command about its champion: nothing new is proposed. A rollback
    /// that the last process left half-done is brought to its end by the next step.
    pub fn revisit(state: State, now_ms: i64) -> Self {
        let mut engine = Self { visiting: true, ..Self::over(state, 1, now_ms) };
        let waiting = engine.state.rollback.as_ref().map(|rollback| (rollback.to, Purpose::Verify));
        engine
            .retries
            .extend(waiting.filter(|key| matches!(engine.state.trials.get(key), Some(Trial::UnderWay))));
        engine
    }

    /// Records that the process which drives the run is about to end: the run can be taken up again.
    pub fn interrupt(&mut self, reason: &str, now_ms: i64) -> Result<Vec<Decision>, FoldError> {
        self.now_ms = now_ms.max(self.now_ms);
        if !matches!(self.state.phase, Phase::Finished(_)) {
            self.record(Event::RunPaused(Reasoned { reason: reason.to_owned() }))?;
        }
        Ok(std::mem::take(&mut self.decisions))
    }

    /// The state as it stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The time of the latest step, in Unix milliseconds: that of everything it recorded.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Whether the run is over and nothing is under way.
    pub fn is_finished(&self) -> bool {
        matches!(self.state.phase, Phase::Finished(_)) && self.is_idle()
    }

    /// Whether nothing is under way that will answer.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty() && self.retries.is_empty() && self.state.rollback.is_none()
    }

    /// When to come back with a tick, in Unix milliseconds, if no answer comes before.
    pub fn wake_at_ms(&self) -> Option<i64> {
        let budget =
            self.state.budget.time_ms.map(|limit| self.now_ms + limit - self.state.active_ms(self.now_ms));
        let rests = self.state.breakers.values().filter_map(|breaker| breaker.retry_at_ms());
        // One that has rested already waits for work, not for the clock.
        let breakers = rests.filter(|at| *at > self.now_ms);
        budget.into_iter().chain(breakers).min()
    }

    /// Takes one input and answers what is to be recorded and done, in this order.
    pub fn step(&mut self, input: Input, now_ms: i64) -> Result<Vec<Decision>, FoldError> {
        self.now_ms = now_ms.max(self.now_ms);
        match input {
            Input::ProposalAnswered { number, answer } => {
                if matches!(self.state.slots.get(number as usize), Some(Slot::Requested(_))) {
                    self.answers.insert(number, answer);
                }
            }
            Input::SnapshotMade { number, commit } => self.on_snapshot(number, commit)?,
            Input::EvaluationAnswered { number, purpose, result } => {
                self.on_evaluated(number, purpose, result)?
            }
            Input::Control { id, command, reason } => self.on_control(&id, command, &reason)?,
            Input::Tick => {}
        }
        self.proceed()?;
        Ok(std::mem::take(&mut self.decisions))
    }

    /// Does everything that the state allows now.
    fn proceed(&mut self) -> Result<(), FoldError> {
        if self.visiting || matches!(self.state.phase, Phase::Finished(_)) {
            return self.start_evaluations();
        }
        self.take_answers();
        while self.decide_next()? {
            self.dispatch()?;
            self.take_answers();
        }
        self.dispatch()?;
        self.take_answers();
        self.start_evaluations()?;
        self.finish_if_done()
    }

    /// Records an event and applies it; breakers and the learning rate speak for themselves when it moved them.
    pub(crate) fn record(&mut self, event: Event) -> Result<(), FoldError> {
        let breakers: Vec<BreakerState> =
            self.state.breakers.values().map(|breaker| breaker.state()).collect();
        let rate = self.state.learning_rate.rate();
        let reason = event.name();
        self.state.apply(self.now_ms, &event)?;
        self.decisions.push(Decision::Record(Box::new(event)));
        let moved: Vec<BreakerChanged> = self
            .state
            .breakers
            .iter()
            .zip(breakers)
            .filter(|((_, breaker), before)| breaker.state() != *before)
            .map(|((name, breaker), before)| BreakerChanged {
                name: name.clone(),
                from: before,
                to: breaker.state(),
                reason: format!("after {reason}"),
                retry_at_ms: breaker.retry_at_ms(),
            })
            .collect();
        for change in moved.into_iter().filter(|_| reason != "breaker_changed") {
            self.note(Event::BreakerChanged(change))?;
        }
        let now = self.state.learning_rate.rate();
        if now != rate {
            let success_rate = self.state.learning_rate.success_rate();
            self.note(Event::LearningRateChanged(LearningRateChanged { from: rate, to: now, success_rate }))?;
        }
        Ok(())
    }

    /// Records an event that only tells what the state has already.
    fn note(&mut self, event: Event) -> Result<(), FoldError> {
        self.state.apply(self.now_ms, &event)?;
        self.decisions.push(Decision::Record(Box::new(event)));
        Ok(())
    }

    pub(crate) fn carry(&mut self, order: Order) {
        self.decisions.push(Decision::Carry(order));
    }

    // ---- proposals -------------------------------------------------------------------------------------------------

    /// Why no further proposal may be asked for, if so.
    fn stop_reason(&self) -> Option<(StoppedBy, &'static str)> {
        let state = &self.state;
        let polish = u64::from(state.run.settings.polish);
        if state.goal_at.is_some_and(|at| state.evaluations_decided >= at + polish) {
            return Some((StoppedBy::Goal, "every objective is at its best possible value"));
        }
        if state.budget.time_ms.is_some_and(|limit| state.active_ms(self.now_ms) >= limit) {
            return Some((StoppedBy::Time, "the budget of time is spent"));
        }
        if state.budget.evaluations.is_some_and(|limit| state.evaluations_decided >= limit) {
            return Some((StoppedBy::Evaluations, "the budget of evaluations is spent"));
        }
        if state.budget.proposals.is_some_and(|limit| u64::from(state.decided) >= limit) {
            return Some((StoppedBy::Exhausted, "the budget of proposals is spent"));
        }
        if state.barren >= MAX_BARREN_PROPOSALS {
            return Some((StoppedBy::Exhausted, "a thousand proposals in a row came to nothing"));
        }
        None
    }

    /// Whether one more proposal fits the lookahead and the budgets, counting everything on its way as spent.
    fn has_room(&self) -> bool {
        let state = &self.state;
        let on_the_way = u64::from(state.next_number() - 1 - state.decided);
        let spent = state.evaluations_decided + on_the_way;
        on_the_way < u64::from(state.run.settings.lookahead)
            && state.budget.evaluations.is_none_or(|limit| spent < limit)
            && state.budget.proposals.is_none_or(|limit| u64::from(state.next_number() - 1) < limit)
    }

    /// Whether the breakers of the run and of the evaluator let more work out. While one of them is not closed, work goes
    /// out one piece at a time: nothing while it rests, then a trial, then another only when the last came to nothing.
    /// `idle`: nothing of the kind is under way.
    fn breakers_permit(&mut self, idle: bool) -> Result<bool, FoldError> {
        let mut rested = Vec::new();
        for name in [RUN_BREAKER, EVALUATOR_BREAKER] {
            let Some(breaker) = self.state.breakers.get(name) else { continue };
            match (breaker.permit(self.now_ms), breaker.state()) {
                (Permit::Yes, _) => {}
                (_, BreakerState::HalfOpen) if idle => {}
                (Permit::Trial, BreakerState::Open) if idle => rested.push(name.to_owned()),
                _ => return Ok(false),
            }
        }
        for name in rested {
            self.try_breaker(name)?;
        }
        Ok(true)
    }

    /// Takes the trial of a breaker that has rested.
    fn try_breaker(&mut self, name: String) -> Result<(), FoldError> {
        self.note(Event::BreakerChanged(BreakerChanged {
            name,
            from: BreakerState::Open,
            to: BreakerState::HalfOpen,
            reason: "its recovery time has passed; one trial".to_owned(),
            retry_at_ms: None,
        }))
    }

    fn dispatch(&mut self) -> Result<(), FoldError> {
        while self.state.phase == Phase::Running
            && self.state.rollback.is_none()
            && self.stop_reason().is_none()
            && self.has_room()
        {
            let idle = self.state.in_flight().next().is_none();
            if !self.breakers_permit(idle)? {
                break;
            }
            let Some(requested) = picking::pick(&self.state, self.now_ms) else { break };
            let guard = proposer_breaker(&requested.proposer);
            if self.state.breakers.get(&guard).is_some_and(|breaker| breaker.state() == BreakerState::Open) {
                self.try_breaker(guard)?;
            }
            let number = requested.number;
            let order = Order::Propose {
                number,
                proposer: requested.proposer.clone(),
                operator: requested.operator.clone(),
                parents: requested.parents.clone(),
                peers: requested.peers.clone(),
                learning_rate: requested.learning_rate,
                seed: picking::proposal_seed(self.state.run.seed, number),
            };
            self.record(Event::ProposalRequested(requested))?;
            self.carry(order);
        }
        Ok(())
    }

    /// Looks at answers in the order of their numbers, until one is missing or needs a snapshot.
    fn take_answers(&mut self) {
        while self.snapshot.is_none() {
            let first = self.state.decided + 1;
            let next = (first..self.state.next_number()).find(|number| {
                matches!(self.state.slots.get(*number as usize), Some(Slot::Requested(_)))
                    && !self.discards.contains_key(number)
            });
            let Some(answer) =
                next.and_then(|number| self.answers.remove(&number).map(|answer| (number, answer)))
            else {
                return;
            };
            match self.sift(answer.0, answer.1) {
                Ok(answer_taken) => {
                    if let Some(Slot::Requested(requested)) = self.state.slots.get(answer.0 as usize) {
                        let order = Order::Snapshot {
                            number: answer.0,
                            parents: requested.parents.clone(),
                            proposer: requested.proposer.clone(),
                            operator: requested.operator.clone(),
                        };
                        self.snapshot = Some((answer.0, answer_taken));
                        self.carry(order);
                    }
                }
                Err(discarded) => {
                    self.discards.insert(discarded.number, *discarded);
                }
            }
        }
    }

    /// Tells an answer that becomes a candidate from one that comes to nothing.
    fn sift(
        &self,
        number: Number,
        answer: Result<Answer, ProposerError>,
    ) -> Result<Answer, Box<ProposalDiscarded>> {
        let discard = |outcome, reason: String, detail| {
            Box::new(ProposalDiscarded {
                number,
                outcome,
                reason,
                exhausted: false,
                duplicate_of: None,
                detail,
            })
        };
        let nothing = serde_json::Value::Null;
        match answer {
            Err(ProposerError::Exhausted(reason)) => {
                let mut discarded = discard(ProposalOutcome::NoChange, reason, nothing);
                discarded.exhausted = true;
                Err(discarded)
            }
            Err(ProposerError::DoesNotApply(reason)) => {
                Err(discard(ProposalOutcome::DoesNotApply, reason, nothing))
            }
            Err(ProposerError::Refused(reason)) => Err(discard(ProposalOutcome::Refused, reason, nothing)),
            Err(ProposerError::Failed(reason)) => Err(discard(ProposalOutcome::Failed, reason, nothing)),
            Ok(answer) => {
                if answer.files.is_empty() {
                    let reason = "it changes nothing".to_owned();
                    return Err(discard(ProposalOutcome::NoChange, reason, answer.detail));
                }
                if let Some(reason) = answer.refused {
                    return Err(discard(ProposalOutcome::Refused, reason, answer.detail));
                }
                match self.state.fingerprints.get(&answer.fingerprint).filter(|earlier| **earlier < number) {
                    Some(earlier) => {
                        let id = self.state.id(*earlier);
                        let reason = format!("the same program as {id}");
                        let mut discarded = discard(ProposalOutcome::Duplicate, reason, answer.detail);
                        discarded.duplicate_of = Some(id);
                        Err(discarded)
                    }
                    None => Ok(answer),
                }
            }
        }
    }

    fn on_snapshot(&mut self, number: Number, commit: CommitId) -> Result<(), FoldError> {
        let Some((_, answer)) = self.snapshot.take_if(|(waiting, _)| *waiting == number) else {
            return Ok(());
        };
        let Some(Slot::Requested(requested)) = self.state.slots.get(number as usize) else { return Ok(()) };
        let proposed = ImprovementProposed {
            modification_id: self.state.id(number),
            number,
            parents: requested.parents.iter().map(|parent| self.state.id(*parent)).collect(),
            proposer: requested.proposer.clone(),
            operator: requested.operator.clone(),
            rationale: answer.rationale,
            commit,
            fingerprint: answer.fingerprint,
            files: answer.files,
            changed_bytes: answer.changed_bytes,
            detail: answer.detail,
            cost: answer.cost,
        };
        self.record(Event::ImprovementProposed(proposed))?;
        self.ready.insert(number);
        Ok(())
    }

    // ---- evaluations -----------------------------------------------------------------------------------------------

    fn start_evaluations(&mut self) -> Result<(), FoldError> {
        while self.running.len() < self.workers {
            if let Some((number, purpose)) = self.retries.front().copied() {
                if !self.may_evaluate(purpose)? {
                    return Ok(());
                }
                self.retries.pop_front();
                self.order_evaluation(number, purpose);
                continue;
            }
            let over = self.stop_reason().is_some_and(|(by, _)| by == StoppedBy::Time);
            if self.state.phase != Phase::Running || self.visiting || over {
                return Ok(());
            }
            if self.ready.is_empty() || !self.may_evaluate(Purpose::Judge)? {
                return Ok(());
            }
            let Some(number) = self.ready.pop_first() else { return Ok(()) };
            self.start_evaluation(number, Purpose::Judge)?;
        }
        Ok(())
    }

    /// Whether an evaluation may be handed out. One that a person's rollback waits for always may.
    fn may_evaluate(&mut self, purpose: Purpose) -> Result<bool, FoldError> {
        let asked_for = purpose == Purpose::Verify && self.state.rollback.is_some();
        Ok(asked_for || self.breakers_permit(self.running.is_empty())?)
    }

    pub(crate) fn start_evaluation(&mut self, number: Number, purpose: Purpose) -> Result<(), FoldError> {
        if matches!(self.state.trials.get(&(number, purpose)), Some(Trial::UnderWay)) {
            // A rollback to a winner that is being verified: one answer serves both.
            return Ok(());
        }
        let modification_id = self.state.id(number);
        self.record(Event::ValidationStarted(ValidationStarted { modification_id, number, purpose }))?;
        if self.running.len() < self.workers && self.may_evaluate(purpose)? {
            self.order_evaluation(number, purpose);
        } else {
            self.retries.push_back((number, purpose));
        }
        Ok(())
    }

    fn order_evaluation(&mut self, number: Number, purpose: Purpose) {
        let state = &self.state;
        let parent = state.candidate(number).and_then(|record| record.parents.first().copied());
        let parent_record = parent.and_then(|parent| state.candidate(parent));
        let failing_first = parent_record.map_or_else(Vec::new, |parent| {
            let failed = parent.ran.iter().filter(|case| !parent.passed.contains(*case));
            failed.filter_map(|case| state.case_names.get(case).cloned()).collect()
        });
        let localise_from =
            parent_record.map_or(0, |parent| u32::try_from(parent.passed.len() + 1).unwrap_or(u32::MAX));
        let seed = picking::evaluation_seed(state.run.seed, number, purpose);
        self.running.insert((number, purpose));
        self.carry(Order::Evaluate { number, purpose, parent, failing_first, localise_from, seed });
    }

    fn on_evaluated(
        &mut self,
        number: Number,
        purpose: Purpose,
        result: Result<Box<Evaluation>, EvaluatorError>,
    ) -> Result<(), FoldError> {
        let awaited = self.running.remove(&(number, purpose));
        if !awaited || !matches!(self.state.trials.get(&(number, purpose)), Some(Trial::UnderWay)) {
            return Ok(());
        }
        let modification_id = self.state.id(number);
        match result {
            Ok(evaluation) => {
                let fresh = (purpose == Purpose::Verify).then(|| evaluation.clone());
                self.record(Event::ValidationCompleted(ValidationCompleted {
                    modification_id,
                    number,
                    purpose,
                    evaluation,
                }))?;
                match (purpose, fresh) {
                    (Purpose::Baseline, _) => self.on_baseline(),
                    (Purpose::Verify, Some(fresh)) => self.on_verified(number, &fresh),
                    _ => Ok(()),
                }
            }
            Err(error) => {
                let tries = self.state.candidate(number).map_or(0, |record| record.failed_attempts) + 1;
                let final_try = tries >= self.state.run.settings.evaluation_attempts;
                let given_up = final_try || matches!(error, EvaluatorError::Impossible(_));
                self.record(Event::EvaluationFailed(EvaluationFailed {
                    modification_id,
                    number,
                    purpose,
                    attempt: tries,
                    reason: error.to_string(),
                    given_up,
                }))?;
                match (given_up, purpose) {
                    (false, _) => self.retries.push_back((number, purpose)),
                    (true, Purpose::Baseline) => self.finish(StoppedBy::Failure, &error.to_string())?,
                    (true, Purpose::Verify) => self.on_unverifiable(number, &error.to_string())?,
                    (true, Purpose::Judge) => {}
                }
                Ok(())
            }
        }
    }

    fn on_baseline(&mut self) -> Result<(), FoldError> {
        let failure = self.state.baseline().and_then(|record| {
            let threshold = record.gate == acceptance::THRESHOLD_GATE;
            let scored = self.state.run.objectives.point(&record.scores).is_ok();
            (record.fate == Fate::Rejected && !(threshold && scored))
                .then(|| format!("the unchanged target does not pass: {}: {}", record.gate, record.reason))
        });
        if let Some(reason) = failure {
            return self.finish(StoppedBy::Failure, &reason);
        }
        self.crown(BASELINE, "baseline")
    }

    fn is_given_up(&self, number: Number) -> bool {
        let record = self.state.candidate(number);
        let ended =
            !self.state.trials.contains_key(&(number, Purpose::Judge)) && !self.ready.contains(&number);
        ended && record.is_some_and(|record| record.failed_attempts > 0)
    }

    /// Gives the next number its verdict, or records that it came to nothing. Answers whether it did.
    fn decide_next(&mut self) -> Result<bool, FoldError> {
        let number = self.state.decided + 1;
        if let Some(discarded) = self.discards.remove(&number) {
            self.discard(discarded)?;
            return Ok(true);
        }
        match self.state.trials.get(&(number, Purpose::Judge)) {
            Some(Trial::Done(evaluation)) => {
                let evaluation = evaluation.clone();
                self.give_verdict(number, &evaluation)?;
                Ok(true)
            }
            Some(Trial::UnderWay) => Ok(false),
            None if self.is_given_up(number) => {
                let reason = "the evaluator could not run it".to_owned();
                self.reject(number, Refusal { gate: MACHINERY_GATE.to_owned(), reason }, None)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn discard(&mut self, discarded: ProposalDiscarded) -> Result<(), FoldError> {
        let number = discarded.number;
        let order = feedback::on_discard(&self.state, &discarded);
        debug_assert_eq!(discarded.number, number);
        self.record(Event::ProposalDiscarded(discarded))?;
        self.decisions
            .extend(order.map(|(proposer, feedback)| Decision::Carry(Order::Observe { proposer, feedback })));
        Ok(())
    }

    fn give_verdict(&mut self, number: Number, evaluation: &Evaluation) -> Result<(), FoldError> {
        let front = self.state.front.clone();
        let modification_id = self.state.id(number);
        self.note_violation(number, evaluation)?;
        match acceptance::judge(&self.state, number, evaluation) {
            Verdict::Rejected(refusal) => return self.reject(number, refusal, Some(evaluation)),
            Verdict::Accepted { delta, improvement, reason } => {
                self.note_thresholds(number, evaluation)?;
                self.record(Event::ImprovementApplied(ImprovementApplied {
                    modification_id,
                    scores: evaluation.scores.clone(),
                    improvement,
                    performance_delta: delta,
                    reason,
                }))?;
                self.tell(number, FeedbackResult::Accepted);
                self.annotate(number, evaluation, "accepted");
            }
            Verdict::Archived { delta, reason } => {
                self.record(Event::ImprovementArchived(ImprovementArchived {
                    modification_id,
                    scores: evaluation.scores.clone(),
                    performance_delta: delta,
                    reason,
                }))?;
                self.tell(number, FeedbackResult::Archived);
                self.annotate(number, evaluation, "archived");
            }
        }
        self.note_front(&front)?;
        self.crown_best("improvement")
    }

    fn reject(
        &mut self,
        number: Number,
        refusal: Refusal,
        evaluation: Option<&Evaluation>,
    ) -> Result<(), FoldError> {
        let modification_id = self.state.id(number);
        let Refusal { gate, reason } = refusal;
        self.record(Event::ImprovementRejected(ImprovementRejected { modification_id, gate, reason }))?;
        self.tell(number, FeedbackResult::Rejected);
        if let Some(evaluation) = evaluation {
            self.annotate(number, evaluation, "rejected");
        }
        Ok(())
    }

    fn annotate(&mut self, number: Number, evaluation: &Evaluation, verdict: &'static str) {
        self.carry(Order::Annotate { number, scores: evaluation.scores.clone(), verdict });
    }

    fn tell(&mut self, number: Number, result: FeedbackResult) {
        let order = feedback::on_verdict(&self.state, number, result);
        self.decisions
            .extend(order.map(|(proposer, feedback)| Decision::Carry(Order::Observe { proposer, feedback })));
    }

    // ---- what follows from a verdict -------------------------------------------------------------------------------

    fn note_violation(&mut self, number: Number, evaluation: &Evaluation) -> Result<(), FoldError> {
        let Some((denials, reason)) = acceptance::violation(&self.state, evaluation) else { return Ok(()) };
        let modification_id = self.state.id(number);
        self.record(Event::SafetyViolation(SafetyViolation { modification_id, denials, reason }))
    }

    fn note_thresholds(&mut self, number: Number, evaluation: &Evaluation) -> Result<(), FoldError> {
        let objectives = self.state.run.objectives.clone();
        for objective in objectives.iter() {
            let (Some(threshold), Some(value)) =
                (objective.threshold, evaluation.scores.get(&objective.name))
            else {
                continue;
            };
            let met = |value: f64| match objective.direction {
                objectives::Direction::Minimize => value <= threshold,
                objectives::Direction::Maximize => value >= threshold,
            };
            let baseline = self.state.baseline().and_then(|baseline| baseline.scores.get(&objective.name));
            let first = self.state.front.is_empty() && !baseline.is_some_and(met);
            if first && met(value) {
                let modification_id = self.state.id(number);
                self.record(Event::PerformanceThresholdExceeded(ThresholdCrossed {
                    modification_id,
                    objective: objective.name.clone(),
                    value,
                    threshold,
                }))?;
            }
        }
        Ok(())
    }

    fn note_front(&mut self, before: &[Number]) -> Result<(), FoldError> {
        let state = &self.state;
        if state.front == before {
            return Ok(());
        }
        // Members keep their order and come at the end, so all but a few stand where they stood.
        let kept = state.front.iter().zip(before).take_while(|(now, then)| now == then).count();
        let (old, new) =
            (before.get(kept..).unwrap_or_default(), state.front.get(kept..).unwrap_or_default());
        let ids_of = |members: &[Number], others: &[Number]| {
            let others: HashSet<Number> = others.iter().copied().collect();
            members.iter().filter(|number| !others.contains(number)).map(|number| state.id(*number)).collect()
        };
        let (joined, left) = (ids_of(new, old), ids_of(old, new));
        let change = FrontChanged { joined, left, size: state.front.len(), hypervolume: state.hypervolume };
        self.record(Event::FrontChanged(change))
    }

    /// Makes the best of the front the champion, unless a person chose another when it was known already.
    pub(crate) fn crown_best(&mut self, reason: &str) -> Result<(), FoldError> {
        match self.state.peaks.champion(&self.state.run.objectives) {
            Some(best) if Some(best) != self.state.champion && best >= self.state.pinned_below => {
                self.crown(best, reason)
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn crown(&mut self, number: Number, reason: &str) -> Result<(), FoldError> {
        let Some(record) = self.state.candidate(number) else { return Ok(()) };
        let change = ChampionChanged {
            modification_id: self.state.id(number),
            commit: record.commit.clone(),
            previous: self.state.champion.map(|previous| self.state.id(previous)),
            reason: reason.to_owned(),
        };
        self.record(Event::ChampionChanged(change))?;
        self.carry(Order::SetChampion { number });
        Ok(())
    }

    // ---- the end ---------------------------------------------------------------------------------------------------

    fn on_verified(&mut self, number: Number, fresh: &Evaluation) -> Result<(), FoldError> {
        if self.state.rollback.as_ref().is_some_and(|rollback| rollback.to == number) {
            return self.on_rollback_measured(number, fresh);
        }
        let Err(refusal) = acceptance::confirms(&self.state, number, fresh) else { return Ok(()) };
        let front = self.state.front.clone();
        let modification_id = self.state.id(number);
        let Refusal { gate, reason } = refusal;
        self.record(Event::ImprovementRejected(ImprovementRejected { modification_id, gate, reason }))?;
        self.note_front(&front)?;
        match self.state.peaks.champion(&self.state.run.objectives) {
            Some(best) => self.crown(best, "verification"),
            None => self.crown(BASELINE, "verification"),
        }
    }

    fn on_unverifiable(&mut self, number: Number, reason: &str) -> Result<(), FoldError> {
        if self.state.rollback.as_ref().is_some_and(|rollback| rollback.to == number) {
            return self.on_rollback_failed(number, reason);
        }
        self.verifications = MAX_VERIFICATIONS;
        Ok(())
    }

    fn finish_if_done(&mut self) -> Result<(), FoldError> {
        self.warn_of_budgets()?;
        if self.state.phase != Phase::Running || self.state.rollback.is_some() {
            return Ok(());
        }
        let stop = self.stop_reason();
        let by_time = stop.is_some_and(|(by, _)| by == StoppedBy::Time);
        let waiting =
            if by_time { !self.running.is_empty() } else { self.state.in_flight().next().is_some() };
        if waiting || !self.running.is_empty() || (!by_time && !self.retries.is_empty()) {
            return Ok(());
        }
        let stop = match stop {
            Some(stop) => stop,
            None if self.exhausted() => (StoppedBy::Exhausted, "no proposer has anything left to propose"),
            None => return Ok(()),
        };
        let unverified = self
            .state
            .champion
            .filter(|champion| *champion != BASELINE && !self.state.verified.contains(champion));
        if let Some(champion) = unverified.filter(|_| self.verifications < MAX_VERIFICATIONS) {
            self.verifications += 1;
            return self.start_evaluation(champion, Purpose::Verify);
        }
        self.finish(stop.0, stop.1)
    }

    /// Whether nothing can be proposed though budget, breakers and phase would allow it.
    fn exhausted(&mut self) -> bool {
        let barred = [RUN_BREAKER, EVALUATOR_BREAKER].iter().any(|name| {
            self.state
                .breakers
                .get(*name)
                .is_some_and(|breaker| matches!(breaker.permit(self.now_ms), Permit::No { .. }))
        });
        !barred && picking::is_exhausted(&self.state)
    }

    pub(crate) fn finish(&mut self, stopped_by: StoppedBy, reason: &str) -> Result<(), FoldError> {
        let note = match stopped_by {
            StoppedBy::Evaluations => {
                self.budget_notes().into_iter().find(|note| note.budget == "evaluations")
            }
            StoppedBy::Time => self.budget_notes().into_iter().find(|note| note.budget == "time"),
            StoppedBy::Exhausted => self
                .budget_notes()
                .into_iter()
                .find(|note| note.budget == "proposals" && note.spent >= note.limit),
            _ => None,
        };
        if let Some(note) = note {
            self.record(Event::BudgetExhausted(note))?;
        }
        let rolled_back_to = self.state.rollback.as_ref().map(|rollback| rollback.to);
        self.ready.clear();
        self.retries
            .retain(|(number, purpose)| *purpose == Purpose::Verify && Some(*number) == rolled_back_to);
        self.answers.clear();
        self.discards.clear();
        self.record(Event::RunFinished(RunFinished { stopped_by, reason: reason.to_owned() }))
    }

    fn budget_notes(&self) -> Vec<BudgetNote> {
        let state = &self.state;
        let note = |budget: &str, spent: f64, limit: Option<f64>| {
            limit.map(|limit| BudgetNote { budget: budget.to_owned(), spent, limit })
        };
        let counters = &state.counters;
        [
            note(
                "evaluations",
                counters.evaluations as f64,
                state.budget.evaluations.map(|limit| limit as f64),
            ),
            note("proposals", counters.proposals as f64, state.budget.proposals.map(|limit| limit as f64)),
            note("time", state.active_ms(self.now_ms) as f64, state.budget.time_ms.map(|limit| limit as f64)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn warn_of_budgets(&mut self) -> Result<(), FoldError> {
        if self.state.phase != Phase::Running {
            return Ok(());
        }
        for note in self.budget_notes() {
            if note.spent >= WARNING_SHARE * note.limit && !self.state.warned.contains(&note.budget) {
                self.record(Event::BudgetWarning(note))?;
            }
        }
        Ok(())
    }
}
