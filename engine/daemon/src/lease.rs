//! The right to drive a run: held by one process at a time, kept up while it drives, free again soon after it dies.

use crate::data::{self, Runs, lease_name};
use crate::failure::Failure;
use crate::owner;
use evolution::id::RunId;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use store::{Lease, LeaseError, Leases};

/// How long a lease holds without being renewed, in milliseconds.
const TIME_TO_LIVE_MS: i64 = 6_000;
/// How often it is renewed.
const RENEW_EVERY: Duration = Duration::from_millis(1_500);
/// Digits that tell two leases of one process apart.
const NONCE_DIGITS: usize = 12;

/// A lease that renews itself until it is dropped.
pub(crate) struct Driving {
    leases: Arc<dyn Leases>,
    lease: Arc<Mutex<Lease>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Another process holds the lease.
#[derive(Debug)]
pub(crate) struct Held;

impl Driving {
    /// Takes the lease of a run, also from a process of this machine that died without giving it back.
    ///
    /// # Errors
    /// When another process holds it.
    pub(crate) fn take(runs: &Runs, run: &RunId) -> Result<Self, Failure> {
        Self::take_named(runs, &lease_name(run))?.map_err(|_| {
            Failure::work_with_help(
                format!("run {run} is being driven by another process"),
                format!("`darwind log {run} --follow` watches it; `darwind stop {run}` ends it"),
            )
        })
    }

    /// Takes the lease of that name, in the same way. The inner error is another process that holds it.
    pub(crate) fn take_named(runs: &Runs, name: &str) -> Result<Result<Self, Held>, Failure> {
        let leases = runs.leases();
        let owner = owner::of_this_process(&data::random_hex(NONCE_DIGITS)?);
        let acquire = || leases.acquire(name, &owner, data::now_ms(), TIME_TO_LIVE_MS);
        let lease = match acquire() {
            Err(LeaseError::HeldBy { name, owner, expires_ms, token }) if owner::is_gone(&owner) => {
                // Should somebody else be quicker, then taking it fails as it should.
                let _ = leases.release(&Lease { name, owner, token, expires_ms });
                acquire()
            }
            taken => taken,
        };
        let lease = match lease {
            Ok(lease) => lease,
            Err(LeaseError::HeldBy { .. }) => return Ok(Err(Held)),
            Err(other) => return Err(Failure::caused(format!("the lease {name} cannot be taken"), other)),
        };
        let lease = Arc::new(Mutex::new(lease));
        let (stop, stopped) = channel::<()>();
        let (kept, shared) = (leases.clone(), lease.clone());
        let renew = move || {
            while stopped.recv_timeout(RENEW_EVERY) == Err(RecvTimeoutError::Timeout) {
                let mut lease = shared.lock().unwrap_or_else(PoisonError::into_inner);
                // A renewal that fails is tried again; the log itself refuses a second writer.
                if let Ok(renewed) = kept.renew(&lease, data::now_ms(), TIME_TO_LIVE_MS) {
                    *lease = renewed;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("lease".to_owned())
            .spawn(renew)
            .map_err(|error| Failure::caused("no thread could be started", error))?;
        Ok(Ok(Self { leases, lease, stop: Some(stop), thread: Some(thread) }))
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        // It runs out by itself when it cannot be given back.
        let _ = self.leases.release(&lease);
    }
}
