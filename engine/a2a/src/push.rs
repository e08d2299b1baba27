//! Push notifications: for each webhook of a task one pump that follows the task and posts what happens, in order, with
//! retries. What cannot be delivered is put aside, where it can be looked at and sent again.
//! Not here: which webhooks a task has (`tasks`), where requests may go (`outbound`).

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;
use serde::Serialize;

use crate::dialect::Dialect;
use crate::error::A2aError;
use crate::model::{PushConfig, StreamItem};
use crate::outbound::{OutboundError, Reach};
use crate::tasks::{Cell, First, Follower, Until, Webhook, time_now};

/// Pauses before the second, third and fourth attempt at a notification.
pub const RETRY_PAUSES: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// How long one attempt may take.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// Most notifications put aside; the oldest goes first.
pub const MAX_DEAD_LETTERS: usize = 1_000;
/// Largest body of a notification; a larger one is put aside unsent.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Most pumps at once.
pub const MAX_PUMPS: usize = 4_096;

/// A notification that could not be delivered.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Its number, for sending it again.
    pub number: u64,
    /// Which task.
    pub task_id: String,
    /// Whose task.
    #[serde(skip)]
    pub owner: Arc<str>,
    /// Which webhook.
    pub config_id: String,
    /// Where it was to go.
    pub url: String,
    /// Why it did not get there, without what the other side said.
    pub reason: String,
    /// When it was given up, RFC 3339.
    pub at: String,
    #[serde(skip)]
    config: PushConfig,
    #[serde(skip)]
    dialect: Dialect,
    #[serde(skip)]
    item: Arc<StreamItem>,
}

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
    dead: Mutex<Dead>,
}

#[derive(Default)]
struct Dead {
    letters: VecDeque<DeadLetter>,
    next: u64,
}

impl Push {
    pub(crate) fn new(reach: Reach) -> Result<Self, OutboundError> {
        let client = reach.client()?;
        let pauses = RETRY_PAUSES.to_vec();
        let shared = Shared { client, reach, pauses, pumps: Mutex::default(), dead: Mutex::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Checks where a webhook points.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidParams`].
    pub(crate) async fn check(&self, config: &PushConfig, at: &str) -> Result<(), A2aError> {
        match self.shared.reach.check(&config.url).await {
            Ok(_) => Ok(()),
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
        while let Ok(Some(event)) = follower.next().await {
            // The webhook may be gone or replaced meanwhile.
            let Some(webhook) = webhook(cell, config_id) else { return };
            if let Err(reason) = self.deliver(&webhook.config, webhook.dialect, &event.item).await {
                self.put_aside(cell, &webhook, event.item, reason);
            }
        }
    }

    /// Posts a notification, several times if need be.
    async fn deliver(
        &self,
        config: &PushConfig,
        dialect: Dialect,
        item: &StreamItem,
    ) -> Result<(), &'static str> {
        let (body, content_type) =
            crate::dialect::notification(dialect, item).map_err(|_| "it cannot be written")?;
        if body.len() > MAX_BODY_BYTES {
            return Err("it is larger than a notification may be");
        }
        let mut pauses = self.shared.pauses.iter();
        loop {
            let reason = match self.attempt(config, body.clone(), content_type).await {
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
            Err(crate::outbound::Forbidden::Unresolved) => {
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

    fn put_aside(&self, cell: &Cell, webhook: &Webhook, item: Arc<StreamItem>, reason: &str) {
        let mut dead = self.shared.dead.lock().unwrap_or_else(PoisonError::into_inner);
        if dead.letters.len() >= MAX_DEAD_LETTERS {
            dead.letters.pop_front();
        }
        dead.next += 1;
        let letter = DeadLetter {
            number: dead.next,
            task_id: cell.id.clone(),
            owner: cell.owner.clone(),
            config_id: webhook.config.id.clone(),
            url: webhook.config.url.clone(),
            reason: reason.to_owned(),
            at: time_now(),
            config: webhook.config.clone(),
            dialect: webhook.dialect,
            item,
        };
        dead.letters.push_back(letter);
    }

    /// What could not be delivered, oldest first.
    pub(crate) fn dead_letters(&self) -> Vec<DeadLetter> {
        let dead = self.shared.dead.lock().unwrap_or_else(PoisonError::into_inner);
        dead.letters.iter().cloned().collect()
    }

    /// Tries a dead letter again; it leaves the list once it is delivered. `false` when there is none of the number,
    /// or it failed again.
    pub(crate) async fn replay(&self, number: u64) -> bool {
        let letter = self.dead_letters().into_iter().find(|letter| letter.number == number);
        let Some(letter) = letter else { return false };
        if self.deliver(&letter.config, letter.dialect, &letter.item).await.is_err() {
            return false;
        }
        let mut dead = self.shared.dead.lock().unwrap_or_else(PoisonError::into_inner);
        dead.letters.retain(|kept| kept.number != number);
        true
    }
}

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
