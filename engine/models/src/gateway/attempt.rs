//! Attempts and their tokens: what each may use, what it has used, and the end of it.

use crate::error::ModelError;
use crate::purse::{Budget, Poor, Purse};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, watch};

/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;

/// What an attempt may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Calls.
    pub calls: u32,
    /// Tokens, read and written.
    pub tokens: u64,
    /// Calls at once, at least 1.
    pub at_once: u32,
}

/// What an attempt has used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Calls that were let through.
    pub calls: u32,
    /// Tokens read.
    pub input: u64,
    /// Those of them that were read from a cache.
    pub cached: u64,
    /// Tokens written.
    pub output: u64,
    /// Those of them that were written while thinking.
    pub reasoning: u64,
    /// US dollars; `None` when the price of a call is not known.
    pub cost_usd: Option<f64>,
    /// Whether a call was turned away since the allowance or the run's budget is used up. Agents go on asking for
    /// minutes then, so whoever runs one ends it.
    pub exhausted: bool,
    /// What the run itself had not enough of, when that was the reason.
    pub run_out_of: Option<Poor>,
}

/// One attempt.
pub(super) struct Attempt {
    pub(super) name: String,
    calls: u32,
    pub(super) purse: Arc<Purse>,
    pub(super) at_once: Arc<Semaphore>,
    spent: Mutex<Spent>,
    over: watch::Sender<bool>,
}

impl Attempt {
    pub(super) fn new(name: &str, allowance: Allowance) -> Self {
        let budget = Budget { tokens: Some(allowance.tokens), usd: None };
        let at_once = usize::try_from(allowance.at_once.max(1)).unwrap_or(1);
        Self {
            name: name.to_owned(),
            calls: allowance.calls,
            purse: Arc::new(Purse::new(budget, 0, 0.0)),
            at_once: Arc::new(Semaphore::new(at_once)),
            spent: Mutex::new(Spent { cost_usd: Some(0.0), ..Spent::default() }),
            over: watch::Sender::new(false),
        }
    }

    pub(super) fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call in, and answers its number from 1; `None` when there are no more.
    pub(super) fn call(&self) -> Option<u32> {
        let mut spent = self.spent();
        if spent.calls >= self.calls {
            spent.exhausted = true;
            return None;
        }
        spent.calls += 1;
        Some(spent.calls)
    }

    /// Notes that a call could not be paid: by the attempt's allowance, or by the run.
    pub(super) fn refuse(&self, poor: Poor, by_run: bool) -> Poor {
        let mut spent = self.spent();
        spent.exhausted = true;
        if by_run {
            spent.run_out_of = Some(poor);
        }
        poor
    }

    /// Waits until the attempt is over.
    pub(super) async fn over(&self) {
        let mut over = self.over.subscribe();
        // It fails only when the sender is gone, and with it the attempt.
        let _ = over.wait_for(|over| *over).await;
    }
}

/// The attempts that are let in, by the SHA-256 of their tokens: a look-up tells nothing of a token by its time.
#[derive(Default)]
pub(super) struct Attempts(Mutex<HashMap<[u8; 32], Arc<Attempt>>>);

impl Attempts {
    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Arc<Attempt>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose token this is.
    pub(super) fn of(&self, token: &str) -> Option<Arc<Attempt>> {
        self.lock().get(&digest(token)).cloned()
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Leave to ask, for one attempt. Dropping it revokes the token and ends what is under way.
pub struct Pass {
    attempts: Arc<Attempts>,
    attempt: Arc<Attempt>,
    address: SocketAddr,
    token: String,
}

impl Pass {
    pub(super) fn issue(
        attempts: Arc<Attempts>,
        attempt: Attempt,
        address: SocketAddr,
    ) -> Result<Self, ModelError> {
        let mut bytes = [0; TOKEN_BYTES];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| ModelError::Setup("the system has no random bytes for a token".to_owned()))?;
        let token = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let attempt = Arc::new(attempt);
        attempts.lock().insert(digest(&token), attempt.clone());
        Ok(Self { attempts, attempt, address, token })
    }

    /// The token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The base address for chat completions and Responses.
    pub fn url(&self) -> String {
        format!("{}/v1", self.origin())
    }

    /// The variables by which agents find their endpoint and key. Anthropic's clients add `/v1` on their own.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("OPENAI_BASE_URL", self.url()),
            ("OPENAI_API_KEY", self.token.clone()),
            ("ANTHROPIC_BASE_URL", self.origin()),
            ("ANTHROPIC_API_KEY", self.token.clone()),
        ]
    }

    /// Waits for the end of the attempt.
    pub(super) fn end(&self) -> impl Future<Output = ()> + Send + 'static {
        let attempt = self.attempt.clone();
        async move { attempt.over().await }
    }

    /// The address without a path.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the gateway listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What the attempt has used until now.
    pub fn spent(&self) -> Spent {
        *self.attempt.spent()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.attempts.lock().remove(&digest(&self.token));
        self.attempt.over.send_replace(true);
    }
}

impl std::fmt::Debug for Pass {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Pass").field("attempt", &self.attempt.name).finish_non_exhaustive()
    }
}
