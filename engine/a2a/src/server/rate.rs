//! How often a peer may ask: one token bucket each, in a bounded table.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{A2aError, ErrorKind};

/// Most peers that are told apart; beyond them, those who rested longest are forgotten.
const MAX_PEERS: usize = 10_000;

/// How often each peer may ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Requests a second in the long run.
    pub per_second: f64,
    /// Requests at once after a rest.
    pub burst: f64,
}

impl Default for Rate {
    fn default() -> Self {
        Self { per_second: 50.0, burst: 200.0 }
    }
}

/// A token bucket for each peer.
pub(crate) struct Buckets {
    rate: Rate,
    peers: Mutex<HashMap<String, (f64, Instant)>>,
}

impl Buckets {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, peers: Mutex::default() }
    }

    /// Takes one request of the peer's.
    ///
    /// # Errors
    /// [`ErrorKind::RateLimited`] with the time after which there is one again.
    pub(crate) fn take(&self, peer: &str) -> Result<(), A2aError> {
        self.take_at(peer, Instant::now())
    }

    fn take_at(&self, peer: &str, now: Instant) -> Result<(), A2aError> {
        let Rate { per_second, burst } = self.rate;
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if peers.len() >= MAX_PEERS && !peers.contains_key(peer) {
            // A bucket that is full again says nothing; if all peers are busy, the table starts anew.
            let full = |(left, at): &(f64, Instant)| left + (now - *at).as_secs_f64() * per_second >= burst;
            peers.retain(|_, bucket| !full(bucket));
            if peers.len() >= MAX_PEERS {
                peers.clear();
            }
        }
        let (left, at) = peers.entry(peer.to_owned()).or_insert((burst, now));
        *left = (*left + now.saturating_duration_since(*at).as_secs_f64() * per_second).min(burst);
        *at = now;
        if *left >= 1.0 {
            *left -= 1.0;
            return Ok(());
        }
        let wait = Duration::from_secs_f64(((1.0 - *left) / per_second).clamp(0.001, 3600.0));
        let text = "you ask more often than one peer may; wait as long as Retry-After says";
        Err(A2aError::busy(ErrorKind::RateLimited, text, wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_rests_may_ask_again() {
        let buckets = Buckets::new(Rate { per_second: 2.0, burst: 3.0 });
        let now = Instant::now();
        for _ in 0..3 {
            buckets.take_at("a", now).unwrap();
        }
        let refused = buckets.take_at("a", now).unwrap_err();
        assert_eq!(
            (refused.kind, refused.retry_after),
            (ErrorKind::RateLimited, Some(Duration::from_millis(500)))
        );
        buckets.take_at("b", now).unwrap();
        buckets.take_at("a", now + Duration::from_millis(600)).unwrap();
        buckets.take_at("a", now + Duration::from_millis(700)).unwrap_err();
    }
}
