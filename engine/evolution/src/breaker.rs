//! A circuit breaker: closed, open after some consecutive failures, half-open after a rest with one trial, closed again
//! by a success. Not a retry policy and not a timer: it is told the time and says what may be dispatched.
//!
//! Source: the pattern of Nygard, "Release It!" (2007), with the numbers of the project's design.

use crate::event::BreakerState;
use crate::settings::BreakerSettings;
use serde::{Deserialize, Serialize};

/// Whether work may be dispatched now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// It may.
    Yes,
    /// One piece may, as a trial; who takes it records that the breaker is half-open now, with [`Breaker::enter`].
    Trial,
    /// Nothing may.
    No {
        /// Unix milliseconds at which a trial will be permitted if nothing changes before.
        retry_at_ms: i64,
    },
}

/// A change of state, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Before.
    pub from: BreakerState,
    /// Now.
    pub to: BreakerState,
    /// Unix milliseconds at which a trial is let through, when it is open now.
    pub retry_at_ms: Option<i64>,
}

/// A circuit breaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    enabled: bool,
    threshold: u32,
    recovery_ms: i64,
    state: BreakerState,
    /// Failures since the last success.
    failures: u32,
    /// When it entered its state, in Unix milliseconds. Of no meaning while it is closed.
    since_ms: i64,
}

impl Breaker {
    /// A closed breaker. A threshold of 0 counts as 1.
    pub fn new(settings: &BreakerSettings) -> Self {
        Self {
            enabled: settings.enabled,
            threshold: settings.failure_threshold.max(1),
            recovery_ms: settings.recovery_timeout_ms.max(0),
            state: BreakerState::Closed,
            failures: 0,
            since_ms: 0,
        }
    }

    /// Its state; one that is not enabled stays closed.
    pub fn state(&self) -> BreakerState {
        self.state
    }

    /// Failures since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Unix milliseconds from which a trial is permitted: the rest is over, or the trial under way counts as lost.
    /// `None` while it is closed.
    pub fn retry_at_ms(&self) -> Option<i64> {
        (self.state != BreakerState::Closed).then(|| self.since_ms.saturating_add(self.recovery_ms))
    }

    /// Whether work may be dispatched at `now_ms`. Changes nothing: taking the trial is an event.
    ///
    /// A trial that is not answered within the recovery time counts as lost and another one is permitted, so that a
    /// breaker is never stuck half-open.
    pub fn permit(&self, now_ms: i64) -> Permit {
        match self.retry_at_ms() {
            None => Permit::Yes,
            Some(retry_at_ms) if now_ms >= retry_at_ms => Permit::Trial,
            Some(retry_at_ms) => Permit::No { retry_at_ms },
        }
    }

    /// A success: clears the count, and closes the breaker when it was half-open. While it is open the success of work
    /// dispatched earlier proves nothing about now and is not counted.
    pub fn success(&mut self, now_ms: i64) -> Option<Transition> {
        match self.state {
            BreakerState::Open => None,
            BreakerState::Closed => {
                self.failures = 0;
                None
            }
            BreakerState::HalfOpen => self.enter(BreakerState::Closed, now_ms),
        }
    }

    /// A failure: opens the breaker when it is the last that is tolerated, and at once when it was half-open. While it
    /// is open the failure of work dispatched earlier does not prolong its rest.
    pub fn failure(&mut self, now_ms: i64) -> Option<Transition> {
        if self.state == BreakerState::Open {
            return None;
        }
        self.failures = self.failures.saturating_add(1);
        let trial_failed = self.state == BreakerState::HalfOpen;
        if trial_failed || self.failures >= self.threshold {
            self.enter(BreakerState::Open, now_ms)
        } else {
            None
        }
    }

    /// Puts the breaker into a state: a trial is taken, a person or a failed rollback trips it, or the log says so.
    /// Entering the state that it is in changes nothing, except that a new trial counts from now. `None` when the state
    /// did not change.
    pub fn enter(&mut self, to: BreakerState, now_ms: i64) -> Option<Transition> {
        let from = self.state;
        if !self.enabled || (from == to && to != BreakerState::HalfOpen) {
            return None;
        }
        self.state = to;
        self.since_ms = now_ms;
        if to == BreakerState::Closed {
            self.failures = 0;
        }
        let retry_at_ms = if to == BreakerState::Open { self.retry_at_ms() } else { None };
        (from != to).then_some(Transition { from, to, retry_at_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::{Breaker, Permit, Transition};
    use crate::event::BreakerState::{Closed, HalfOpen, Open};
    use crate::settings::BreakerSettings;
    use proptest::prelude::*;

    fn fresh() -> Breaker {
        Breaker::new(&BreakerSettings::default())
    }

    fn tripped(at_ms: i64) -> Breaker {
        let mut breaker = fresh();
        for _ in 0..5 {
            breaker.failure(at_ms);
        }
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it() {
        let mut breaker = fresh();
        for _ in 0..4 {
            assert_eq!(breaker.failure(1_000), None);
        }
        assert_eq!(breaker.permit(1_000), Permit::Yes);
        let opened = breaker.failure(2_000);
        assert_eq!(opened, Some(Transition { from: Closed, to: Open, retry_at_ms: Some(302_000) }));
        assert_eq!(breaker.permit(2_000), Permit::No { retry_at_ms: 302_000 });
    }

    #[test]
    fn a_success_in_between_clears_the_count() {
        let mut breaker = fresh();
        for round in 0..20 {
            assert_eq!(breaker.failure(round), None);
            if round % 4 == 3 {
                assert_eq!(breaker.success(round), None);
            }
        }
        assert_eq!((breaker.state(), breaker.failures()), (Closed, 0));
    }

    #[test]
    fn after_the_rest_one_trial_is_let_through() {
        let mut breaker = tripped(0);
        assert_eq!(breaker.permit(299_999), Permit::No { retry_at_ms: 300_000 });
        assert_eq!(breaker.permit(300_000), Permit::Trial);
        let taken = breaker.enter(HalfOpen, 300_000);
        assert_eq!(taken, Some(Transition { from: Open, to: HalfOpen, retry_at_ms: None }));
        assert_eq!(breaker.permit(300_000), Permit::No { retry_at_ms: 600_000 });
    }

    #[test]
    fn the_trial_decides() {
        let mut breaker = tripped(0);
        breaker.enter(HalfOpen, 300_000);
        let mut other = breaker.clone();
        assert_eq!(
            breaker.success(300_001),
            Some(Transition { from: HalfOpen, to: Closed, retry_at_ms: None })
        );
        assert_eq!((breaker.failures(), breaker.permit(300_001)), (0, Permit::Yes));
        let reopened = other.failure(300_007);
        assert_eq!(reopened, Some(Transition { from: HalfOpen, to: Open, retry_at_ms: Some(600_007) }));
        assert_eq!(other.permit(600_006), Permit::No { retry_at_ms: 600_007 });
    }

    #[test]
    fn a_lost_trial_is_replaced_and_answers_of_the_past_do_not_count() {
        let mut breaker = tripped(0);
        assert_eq!(breaker.success(10), None);
        assert_eq!(breaker.failure(20), None);
        assert_eq!(breaker.permit(300_000), Permit::Trial);
        breaker.enter(HalfOpen, 300_000);
        assert_eq!(breaker.permit(600_000), Permit::Trial);
        assert_eq!(breaker.enter(HalfOpen, 600_000), None);
        assert_eq!(breaker.permit(600_000), Permit::No { retry_at_ms: 900_000 });
    }

    #[test]
    fn entering_what_it_is_in_changes_nothing() {
        let mut breaker = tripped(0);
        let before = breaker.clone();
        assert_eq!(breaker.enter(Open, 50), None);
        assert_eq!(breaker, before);
    }

    #[test]
    fn one_that_is_not_enabled_never_stops_anything() {
        let mut breaker = Breaker::new(&BreakerSettings { enabled: false, ..BreakerSettings::default() });
        for now in 0..50 {
            assert_eq!(breaker.failure(now), None);
            assert_eq!(breaker.permit(now), Permit::Yes);
        }
        assert_eq!(breaker.enter(Open, 60), None);
        assert_eq!(breaker.permit(60), Permit::Yes);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Wait(i64),
        Success,
        Failure,
        Dispatch,
        Trip,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0_i64..40).prop_map(Step::Wait),
            Just(Step::Success),
            Just(Step::Failure),
            Just(Step::Failure),
            Just(Step::Dispatch),
            Just(Step::Trip),
        ]
    }

    /// Works its state out from the whole history each time instead of keeping one: the last turn of the breaker, found
    /// by reading all that happened from the beginning.
    fn twin(
        history: &[(i64, Step)],
        threshold: usize,
        recovery_ms: i64,
    ) -> (crate::event::BreakerState, i64) {
        let (mut state, mut since, mut row) = (Closed, 0, Vec::new());
        for (now, step) in history {
            (state, since) = match (state, step) {
                (Closed, Step::Failure) => {
                    row.push(());
                    if row.len() >= threshold { (Open, *now) } else { (Closed, since) }
                }
                (Closed, Step::Success) => {
                    row.clear();
                    (Closed, since)
                }
                (Open | HalfOpen, Step::Dispatch) if *now - since >= recovery_ms => (HalfOpen, *now),
                (HalfOpen, Step::Success) => {
                    row.clear();
                    (Closed, *now)
                }
                (Closed | HalfOpen, Step::Trip) | (HalfOpen, Step::Failure) => (Open, *now),
                (state, _) => (state, since),
            };
        }
        (state, since)
    }

    proptest! {
        #[test]
        fn agrees_with_a_twin_that_reads_the_whole_history(steps in prop::collection::vec(step(), 0..200)) {
            let settings = BreakerSettings { failure_threshold: 3, recovery_timeout_ms: 50, ..BreakerSettings::default() };
            let mut breaker = Breaker::new(&settings);
            let (mut now, mut history) = (0, Vec::new());
            for step in steps {
                let before = breaker.state();
                let transition = match &step {
                    Step::Wait(ms) => {
                        now += ms;
                        None
                    }
                    Step::Success => breaker.success(now),
                    Step::Failure => breaker.failure(now),
                    Step::Trip => breaker.enter(Open, now),
                    Step::Dispatch => match breaker.permit(now) {
                        Permit::Trial => breaker.enter(HalfOpen, now),
                        _ => None,
                    },
                };
                history.push((now, step));
                let (state, since) = twin(&history, 3, 50);
                prop_assert_eq!(breaker.state(), state);
                prop_assert_eq!(transition.map(|change| (change.from, change.to)), (before != state).then_some((before, state)));
                let expected = match state {
                    Closed => Permit::Yes,
                    _ if now - since >= 50 => Permit::Trial,
                    _ => Permit::No { retry_at_ms: since + 50 },
                };
                prop_assert_eq!(breaker.permit(now), expected);
            }
        }
    }
}
