//! The stepping core: one input in, decisions out. It holds the state and applies to it every event that it decides
//! to record, so that the live state is the fold of the log at every moment.
//!
//! Verdicts, and the discarding of proposals, happen strictly in the order of the proposals' numbers, and after each of
//! them new proposals are asked for while the lookahead allows. So what is asked next depends on the seed and on the
//! outcomes of earlier numbers, never on which worker was quicker.

mod aftermath;
mod ending;
mod evaluations;
mod proposals;
mod renewal;
mod verdicts;

use crate::decision::{Answer, Decision, Input, Order};
use crate::event::{
    BreakerChanged, BreakerState, Event, LearningRateChanged, News, ProposalDiscarded, Reasoned, RunResumed,
    RunStarted,
};
use crate::fold::FoldError;
use crate::id::{BASELINE, Number};
use crate::ports::{ProposerError, Purpose};
use crate::state::{Phase, Slot, State, Trial};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

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
            Input::News(news) => self.on_news(news)?,
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

    /// Records what peers did, unless it is recorded already or there was too much of it.
    fn on_news(&mut self, news: News) -> Result<(), FoldError> {
        if news.is_news_to(&self.state) { self.record(news.into()) } else { Ok(()) }
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
}
