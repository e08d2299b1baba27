//! Asks peers: one question, behind the peer's breaker, and a note of how it went; several peers at once on a thread each,
//! of whom some may fail.

use super::{Change, Peer, note};
use crate::data::Runs;
use crate::failure::Failure;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Longest text of a fault that is kept, in characters.
const MAX_FAULT: usize = 300;

/// Why there is no answer.
pub(super) struct Unanswered {
    /// In words.
    pub(super) reason: String,
    /// Whether another attempt may succeed.
    pub(super) may_pass: bool,
}

/// Asks one peer.
pub(super) fn ask(runs: &Runs, peer: &Peer, data: &Value, patience: Duration) -> Result<Value, Unanswered> {
    if !peer.may_be_asked() {
        let reason = "it failed too often; its breaker is open".to_owned();
        return Err(Unanswered { reason, may_pass: true });
    }
    let begun = Instant::now();
    let answered = runs.courier().and_then(|courier| courier.ask(&peer.address(), data, patience));
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    // A peer that refuses a request is well; only one that cannot be talked to is at fault.
    let fault = match &answered {
        Err(error) if error.is_fault() => Some(error.to_string().chars().take(MAX_FAULT).collect()),
        _ => None,
    };
    let heard = Change::Asked { name: peer.name.clone(), ms, fault };
    // An answer is worth more than the note of it.
    let _: Result<(), Failure> = note(runs, &heard);
    answered.map_err(|error| Unanswered { reason: error.to_string(), may_pass: error.may_pass() })
}

/// Asks several peers at once; answers come in the order of the peers.
pub(super) fn ask_all(
    runs: &Runs,
    peers: &[Peer],
    data: &(dyn Fn(&Peer) -> Value + Sync),
    patience: Duration,
) -> Vec<Result<Value, String>> {
    std::thread::scope(|scope| {
        let answer = |peer| ask(runs, peer, &data(peer), patience).map_err(|silence| silence.reason);
        let asked: Vec<_> = peers.iter().map(|peer| scope.spawn(move || answer(peer))).collect();
        let failed = |_| Err("the question failed unexpectedly".to_owned());
        asked.into_iter().map(|thread| thread.join().unwrap_or_else(failed)).collect()
    })
}
