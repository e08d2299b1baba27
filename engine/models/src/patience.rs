//! Asking again: what can pass is tried several times within one limit of time, what cannot is not.

use crate::client::Limits;
use crate::error::ModelError;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Wait before the second try; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait between tries that the endpoint did not ask for.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// A runtime of a client's own, on which it waits.
pub(crate) fn runtime() -> Result<Runtime, ModelError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("model")
        .enable_all()
        .build()
        .map_err(|error| ModelError::Setup(format!("no runtime can be started: {error}")))
}

/// How long and how often one question is asked.
pub(crate) struct Patience<'l> {
    /// Limits of the call.
    pub(crate) limits: &'l Limits,
    /// When it began.
    pub(crate) began: Instant,
    /// Spreads the waits of several callers.
    pub(crate) seed: u64,
}

impl Patience<'_> {
    /// Asks until an answer comes, no try can help, or the time is up. Answers how many tries it took. `learn` is told why a
    /// try failed, and answers whether the next is another question: there are few of those, and the try counts as none.
    pub(crate) fn persist<T, A: Future<Output = Result<T, ModelError>>>(
        &self,
        runtime: &Runtime,
        ask: impl Fn() -> A,
        learn: impl Fn(&ModelError) -> bool,
    ) -> Result<(T, u32), ModelError> {
        let total = self.limits.total;
        let mut tries = 0;
        loop {
            tries += 1;
            let left = total.saturating_sub(self.began.elapsed());
            let asked = runtime.block_on(async {
                tokio::time::timeout(left, ask()).await.unwrap_or(Err(ModelError::TooSlow(total)))
            });
            let error = match asked {
                Ok(answer) => return Ok((answer, tries)),
                Err(error) => error,
            };
            if learn(&error) {
                tries -= 1;
                continue;
            }
            let wait = wait(&error, tries, self.seed);
            if !error.may_pass() || tries >= self.limits.tries || self.began.elapsed() + wait >= total {
                return Err(error);
            }
            runtime.block_on(async { tokio::time::sleep(wait).await });
        }
    }
}

/// How long to wait before the next try: as long as the endpoint asks, else longer each time, spread by up to a half so
/// that several callers do not come back at once.
fn wait(error: &ModelError, tries: u32, seed: u64) -> Duration {
    if let ModelError::Refused { retry_after: Some(asked), .. } = error {
        return *asked;
    }
    let wait = FIRST_WAIT.saturating_mul(1 << (tries - 1).min(10)).min(MAX_WAIT);
    // A multiplicative hash (Knuth) of seed and try, as a share of 0 to 1/2.
    let spread = (seed ^ u64::from(tries)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54;
    wait + wait.mul_f64(spread as f64 / 2048.0)
}
