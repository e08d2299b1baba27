//! How much is kept and done at once, and fair shares of it by caller.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The bounds of a server's tasks. Each has a default that suits one small machine.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Most tasks kept, whatever their state. The oldest that ended goes first, then the oldest that waits.
    pub max_tasks: usize,
    /// Most bytes of all tasks together, roughly.
    pub max_bytes: u64,
    /// Most bytes of one task, roughly; one that outgrows it fails.
    pub max_task_bytes: usize,
    /// Most tasks under way, those that wait for their turn included.
    pub max_live: usize,
    /// Most tasks that the agent works on at once.
    pub max_running: usize,
    /// Most tasks under way of one caller.
    pub max_live_per_caller: usize,
    /// Most open streams.
    pub max_streams: usize,
    /// Most open streams of one caller.
    pub max_streams_per_caller: usize,
    /// Most webhooks of one task.
    pub max_webhooks_per_task: usize,
    /// How long a task is kept after it ended.
    pub finished_for: Duration,
    /// How long a task is kept that waits for its client.
    pub waiting_for: Duration,
    /// How long a message is waited on before its task is given back as it stands.
    pub blocking_for: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_tasks: 10_000,
            max_bytes: 256 * 1024 * 1024,
            max_task_bytes: 8 * 1024 * 1024,
            max_live: 1024,
            max_running: 256,
            max_live_per_caller: 256,
            max_streams: 1024,
            max_streams_per_caller: 256,
            max_webhooks_per_task: 8,
            finished_for: Duration::from_secs(24 * 60 * 60),
            waiting_for: Duration::from_secs(7 * 24 * 60 * 60),
            blocking_for: Duration::from_secs(120),
        }
    }
}

/// Counts what each caller holds of something bounded.
#[derive(Clone, Debug)]
pub(crate) struct Shares {
    held: Arc<Mutex<Held>>,
    most: usize,
    most_each: usize,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    by_caller: HashMap<Arc<str>, usize>,
}

/// Why a share was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Nothing is left for anybody.
    Full,
    /// The caller holds as many as one caller may.
    CallersShare,
}

/// One of what is bounded; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Shares,
    caller: Arc<str>,
}

impl Shares {
    pub(crate) fn new(most: usize, most_each: usize) -> Self {
        Self { held: Arc::default(), most, most_each }
    }

    /// Takes one for the caller.
    pub(crate) fn take(&self, caller: &Arc<str>) -> Result<Share, Refused> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.all >= self.most {
            return Err(Refused::Full);
        }
        let own = held.by_caller.entry(caller.clone()).or_default();
        if *own >= self.most_each {
            return Err(Refused::CallersShare);
        }
        *own += 1;
        held.all += 1;
        Ok(Share { shares: self.clone(), caller: caller.clone() })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.shares.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.all -= 1;
        if let Some(own) = held.by_caller.get_mut(&self.caller) {
            *own -= 1;
            // A caller who holds nothing leaves no trace, so the map is bounded by what is held.
            if *own == 0 {
                held.by_caller.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_bounded_for_all_and_for_each() {
        let shares = Shares::new(3, 2);
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let first = shares.take(&a).unwrap();
        let _second = shares.take(&a).unwrap();
        assert_eq!(shares.take(&a).unwrap_err(), Refused::CallersShare);
        let _third = shares.take(&b).unwrap();
        assert_eq!(shares.take(&b).unwrap_err(), Refused::Full);
        drop(first);
        let _fourth = shares.take(&b).unwrap();
    }
}
