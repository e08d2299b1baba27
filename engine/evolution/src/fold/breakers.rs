//! Failures and successes as the breakers see them.

use crate::state::State;

impl State {
    pub(super) fn breaker_failure(&mut self, name: &str, time_ms: i64) {
        if let Some(breaker) = self.breakers.get_mut(name) {
            breaker.failure(time_ms);
        }
    }

    pub(super) fn breaker_success(&mut self, name: &str, time_ms: i64) {
        if let Some(breaker) = self.breakers.get_mut(name) {
            breaker.success(time_ms);
        }
    }

    pub(super) fn trip_breaker(&mut self, name: &str, time_ms: i64) {
        if let Some(breaker) = self.breakers.get_mut(name) {
            breaker.enter(crate::event::BreakerState::Open, time_ms);
        }
    }
}
