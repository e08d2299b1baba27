//! Push notifications: for each webhook of a task one pump that follows the task and posts what happens, in order, with
//! retries. What cannot be delivered is put aside, where it can be looked at and sent again.
//! Not here: which webhooks a task has (`tasks`), where requests may go (`outbound`).

mod letters;

pub use letters::{DeadLetter, DeadLetters, MAX_DEAD_LETTERS, MAX_KEPT_BODY_BYTES};

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;
use store::StoreError;

use crate::dialect::Dialect;
use crate::error::A2aError;
use crate::model::{PushConfig, StreamItem};
use crate::outbound::{Forbidden, OutboundError, Reach};
use crate::tasks::{Cell, First, Follower, Until, Webhook, time_now, webhooks_in};

/// Pauses before the second, third and fourth attempt at a notification.
pub const RETRY_PAUSES: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// How long one attempt may take.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// Largest body of a notification; a larger one is put aside unsent.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Most pumps at once.
pub const MAX_PUMPS: usize = 4_096;

/// Delivers push notifications. Clones share everything.
#[derive(Clone)]
pub(crate) struct Push {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    reach: Reach,
    pauses: Vec<Duration>,
    pumps: Mutex<HashSet<(String, String)>>,
    letters: DeadLetters,
}

impl Push {
    pub(crate) fn new(reach: Reach, letters: DeadLetters) -> Result<Self, OutboundError> {
        let client = reach.client()?;
        let pauses = RETRY_PAUSES.to_vec();
        let shared = Shared { client, reach, pauses, pumps: Mutex::default(), letters };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Checks where a webhook points. A name that does not resolve yet points nowhere and may be registered; each
    /// attempt looks again, and so does the connection itself.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidParams`].
    pub(crate) async fn check(&self, config: &PushConfig, at: &str) -> Result<(), A2aError> {
        match self.shared.reach.check(&config.url).await {
            Ok(_) | Err(Forbidden::Unresolved) => Ok(()),
            Err(forbidden) => Err(A2aError::invalid(format!("{at}.url"), forbidden.to_string())),
        }
    }

    /// Begins to notify a webhook of what happens to the task after the change `since`. One pump a webhook: a second
    /// start for the same one does nothing.
    pub(crate) fn start(&self, cell: &Arc<Cell>, config_id: &str, since: u64) {
        let key = (cell.id.clone(), config_id.to_owned());
        {
            let mut pumps = self.shared.pumps.lock().unwrap_or_else(PoisonError::into_inner);
            if pumps.len() >= MAX_PUMPS || !pumps.insert(key.clone()) {
                return;
            }
        }
        let (push, cell) = (self.clone(), cell.clone());
        tokio::spawn(async move {
            push.pump(&cell, &key.1, since).await;
            push.shared.pumps.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        });
    }

    async fn pump(&self, cell: &Arc<Cell>, config_id: &str, since: u64) {
        let mut follower = Follower::new(cell.clone(), since, First::Next, Until::Ended);
        let mut told = since;
        while let Ok(Some(event)) = follower.next().await {
            // The webhook may be gone or replaced meanwhile.
            let Some(webhook) = webhook(cell, config_id) else { return };
            let mut item = event.item;
            if webhook.dialect != Dialect::V1 && !matches!(*item, StreamItem::Message(_)) {
                // Before 1.0 a webhook is told the whole task, once however much of it is new.
                if event.seq <= told {
                    continue;
                }
                let mut whole = Follower::new(cell.clone(), 0, First::Whole, Until::Ended);
                let Ok(Some(whole)) = whole.next().await else { return };
                (told, item) = (whole.seq, whole.item);
            }
            let alias = cell.lock().standing.alias.clone();
            // What the model holds can be written; were it not so, there would be nothing to keep either.
            let written = crate::dialect::notification(webhook.dialect, &item, alias.as_deref());
            let Ok((body, content_type)) = written else {
                continue;
            };
            if let Err(reason) = self.deliver(&webhook.config, &body, content_type).await {
                self.put_aside(cell, &webhook, (body, content_type), reason).await;
            }
        }
    }

    /// Posts a notification, several times if need be.
    async fn deliver(
        &self,
        config: &PushConfig,
        body: &[u8],
        content_type: &str,
    ) -> Result<(), &'static str> {
        if body.len() > MAX_BODY_BYTES {
            return Err("it is larger than a notification may be");
        }
        let mut pauses = self.shared.pauses.iter();
        loop {
            let reason = match self.attempt(config, body.to_vec(), content_type).await {
                Outcome::Delivered => return Ok(()),
                Outcome::Refused(reason) => return Err(reason),
                Outcome::Later(reason) => reason,
            };
            let Some(pause) = pauses.next() else { return Err(reason) };
            tokio::time::sleep(*pause).await;
        }
    }

    async fn attempt(&self, config: &PushConfig, body: Vec<u8>, content_type: &str) -> Outcome {
        let url = match self.shared.reach.check(&config.url).await {
            Ok(url) => url,
            Err(Forbidden::Unresolved) => {
                return Outcome::Later("its host does not resolve");
            }
            Err(_) => return Outcome::Refused("its address is not allowed"),
        };
        let mut request = self
            .shared
            .client
            .post(url)
            .timeout(ATTEMPT_TIMEOUT)
            .header("Content-Type", content_type)
            .header("User-Agent", concat!("darwind-a2a/", env!("CARGO_PKG_VERSION")));
        if !config.token.is_empty() {
            // Both names are in use among clients; the protocol names neither.
            request = request
                .header("X-A2A-Notification-Token", &config.token)
                .header("A2A-Notification-Token", &config.token);
        }
        if let Some(authentication) = &config.authentication {
            let value = format!("{} {}", authentication.scheme, authentication.credentials);
            request = request.header("Authorization", value.trim_end());
        }
        match request.body(body).send().await {
            Ok(response) => match response.status().as_u16() {
                200..=299 => Outcome::Delivered,
                408 | 425 | 429 | 500..=599 => Outcome::Later("its receiver failed"),
                _ => Outcome::Refused("its receiver refused it"),
            },
            Err(error) if error.is_builder() => Outcome::Refused("it cannot be written as a request"),
            Err(error) if error.is_timeout() => Outcome::Later("its receiver did not answer in time"),
            Err(_) => Outcome::Later("its receiver cannot be reached"),
        }
    }

    /// Keeps what could not be delivered. Should the log fail as well, it is lost, as its task's changes are, and the
    /// tasks say so.
    async fn put_aside(&self, cell: &Cell, webhook: &Webhook, (body, content_type): Body, reason: &str) {
        let kept = (body.len() <= MAX_KEPT_BODY_BYTES).then(|| String::from_utf8_lossy(&body).into_owned());
        let letter = DeadLetter {
            number: 0,
            task_id: cell.id.clone(),
            owner: cell.owner.to_string(),
            secret: has_secret(&webhook.config),
            config: without_secret(&webhook.config),
            reason: reason.to_owned(),
            at: time_now(),
            content_type: content_type.to_owned(),
            body: kept,
        };
        let letters = self.shared.letters.clone();
        let _ = tokio::task::spawn_blocking(move || letters.put_aside(&letter)).await;
    }

    /// What could not be delivered.
    pub(crate) fn letters(&self) -> &DeadLetters {
        &self.shared.letters
    }

    /// Tries a dead letter again; see [`redeliver`]. `registered` finds the webhook that a letter was for as it is
    /// registered now, with its secret.
    pub(crate) async fn replay(
        &self,
        number: u64,
        registered: impl FnOnce(&DeadLetter) -> Result<Option<PushConfig>, StoreError> + Send + 'static,
    ) -> Result<bool, RedeliveryError> {
        let letters = self.shared.letters.clone();
        let find = move || {
            let letter = letters.find(number)?.ok_or(RedeliveryError::Unknown(number))?;
            // A letter of an earlier version has the secret in it.
            let whole = !letter.secret || has_secret(&letter.config);
            let config = if whole { Some(letter.config.clone()) } else { registered(&letter)? };
            // What was registered for another address is no business of this one.
            let config = config.filter(|config| config.url == letter.config.url);
            Ok((config.ok_or(RedeliveryError::Unregistered(number))?, letter))
        };
        let found: Result<(PushConfig, DeadLetter), RedeliveryError> =
            tokio::task::spawn_blocking(find).await.unwrap_or(Err(RedeliveryError::Unknown(number)));
        let (config, letter) = found?;
        let body = letter.body.ok_or(RedeliveryError::NotKept(number))?;
        if self.deliver(&config, body.as_bytes(), &letter.content_type).await.is_err() {
            return Ok(false);
        }
        let letters = self.shared.letters.clone();
        tokio::task::spawn_blocking(move || letters.delivered(number)).await.unwrap_or(Ok(()))?;
        Ok(true)
    }
}

/// Tries a letter of a log again, with the same retries as at first; it leaves the list once it is delivered. `false` when
/// it failed again. The webhook's secret is read from the log of its task, where it is registered.
///
/// # Errors
/// [`RedeliveryError`].
pub async fn redeliver(letters: &DeadLetters, webhooks: Reach, number: u64) -> Result<bool, RedeliveryError> {
    let log = letters.log();
    let registered = move |letter: &DeadLetter| {
        let webhooks = webhooks_in(&*log, &letter.task_id)?;
        Ok(webhooks.into_iter().find(|webhook| webhook.config.id == letter.config.id).map(|it| it.config))
    };
    Push::new(webhooks, letters.clone())?.replay(number, registered).await
}

/// Why a letter cannot be tried again at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedeliveryError {
    /// This machine's TLS cannot be set up.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The log cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is none of that number.
    #[error("there is no letter {0}")]
    Unknown(u64),
    /// It was longer than is kept.
    #[error("letter {0} was too long to be kept")]
    NotKept(u64),
    /// It can only be sent with a secret that was registered with its webhook, and the webhook is not registered any more.
    #[error("the webhook of letter {0} is not registered any more, and with it went what it was to be shown")]
    Unregistered(u64),
}

/// Whether a webhook is shown anything that others must not read.
fn has_secret(config: &PushConfig) -> bool {
    !config.token.is_empty() || config.authentication.is_some()
}

fn without_secret(config: &PushConfig) -> PushConfig {
    PushConfig { token: String::new(), authentication: None, ..config.clone() }
}

/// A notification as it is posted, with its media type.
type Body = (Vec<u8>, &'static str);

enum Outcome {
    Delivered,
    /// Another attempt may help.
    Later(&'static str),
    /// No further attempt helps.
    Refused(&'static str),
}

fn webhook(cell: &Cell, config_id: &str) -> Option<Webhook> {
    let state = cell.lock();
    state.standing.webhooks.iter().find(|webhook| webhook.config.id == config_id).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A receiver that fails so many times before it takes a notification.
    async fn failing(times: usize, asked: Arc<AtomicUsize>) -> String {
        let answer = move || {
            let failing = asked.fetch_add(1, Ordering::SeqCst) < times;
            async move { if failing { axum::http::StatusCode::BAD_GATEWAY } else { axum::http::StatusCode::OK } }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }

    async fn delivered(times: usize, pauses: Vec<Duration>) -> (bool, usize) {
        let asked = Arc::new(AtomicUsize::new(0));
        let url = failing(times, asked.clone()).await;
        let reach = Reach { loopback: true, ..Reach::default() };
        let client = reach.client().unwrap();
        let letters = DeadLetters::over(Arc::new(store::MemoryStore::new()));
        let shared = Shared { client, reach, pauses, pumps: Mutex::default(), letters };
        let push = Push { shared: Arc::new(shared) };
        let config = PushConfig { url, ..PushConfig::default() };
        let outcome = push.deliver(&config, b"{}", "application/json").await;
        (outcome.is_ok(), asked.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn a_receiver_that_fails_is_tried_four_times() {
        let at_once = vec![Duration::ZERO; RETRY_PAUSES.len()];
        assert_eq!(delivered(3, at_once.clone()).await, (true, 4));
        assert_eq!(delivered(9, at_once).await, (false, 4));
    }

    #[tokio::test]
    async fn the_pauses_are_kept() {
        let pauses = vec![Duration::from_millis(40), Duration::from_millis(80)];
        let begun = std::time::Instant::now();
        assert_eq!(delivered(2, pauses.clone()).await, (true, 3));
        assert!(begun.elapsed() >= pauses.iter().sum());
    }
}
