//! Notifications that could not be delivered, kept in the log until they are delivered after all or newer ones take their
//! place. What is kept is in the log alone, so another process of the same data can look at it and send it again.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use store::{Expected, Log, NewRecord, StoreError};

use crate::model::PushConfig;
use crate::tasks::now_ms;

/// Letters, and notes of their delivery, in one segment. The segment before it is kept too, and nothing older: so at least
/// this many of the newest are there.
pub const MAX_DEAD_LETTERS: u64 = 1_000;
/// Largest body that is kept for sending again, in bytes; of a larger one only the letter is kept.
pub const MAX_KEPT_BODY_BYTES: usize = 64 * 1024;
/// Names of segments begin so.
const PREFIX: &str = "a2a-dead-letters-";
/// Kinds of the records.
const PUT_ASIDE: &str = "put_aside";
const DELIVERED: &str = "delivered";

/// A notification that could not be delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Its number, for sending it again; rising.
    #[serde(default)]
    pub number: u64,
    /// Which task.
    pub task_id: String,
    /// Whose task.
    pub owner: String,
    /// Which webhook, without the secret that it is shown: that stays where the webhook is registered.
    pub config: PushConfig,
    /// Whether it is shown a secret. Letters of earlier versions have theirs in `config`.
    #[serde(default)]
    pub secret: bool,
    /// Why it did not get there, without what the other side said.
    pub reason: String,
    /// When it was given up, RFC 3339.
    pub at: String,
    /// The media type of the body.
    pub content_type: String,
    /// What was to be said; absent when it was longer than is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// The letters of one log. Clones share everything.
#[derive(Clone)]
pub struct DeadLetters {
    log: Arc<dyn Log>,
    /// Writers of this process take turns, so that one of them opens a new segment.
    turn: Arc<Mutex<()>>,
}

impl DeadLetters {
    /// The letters in a log.
    pub fn over(log: Arc<dyn Log>) -> Self {
        Self { log, turn: Arc::default() }
    }

    /// What could not be delivered, oldest first.
    ///
    /// # Errors
    /// The log's faults.
    pub fn list(&self) -> Result<Vec<DeadLetter>, StoreError> {
        let mut letters: Vec<DeadLetter> = Vec::new();
        for segment in self.segments()? {
            self.log.replay(&name(segment), 0, &mut |record| {
                if record.kind == DELIVERED {
                    let number = record.data.as_u64();
                    letters.retain(|letter| Some(letter.number) != number);
                } else if let Ok(letter) = serde_json::from_value::<DeadLetter>(record.data) {
                    letters.push(DeadLetter { number: segment * MAX_DEAD_LETTERS + record.seq, ..letter });
                }
                ControlFlow::Continue(())
            })?;
        }
        Ok(letters)
    }

    /// Whether a letter of that number was there and has been delivered.
    ///
    /// # Errors
    /// The log's faults.
    pub fn was_delivered(&self, number: u64) -> Result<bool, StoreError> {
        let mut delivered = false;
        for segment in self.segments()? {
            self.log.replay(&name(segment), 0, &mut |record| {
                delivered |= record.kind == DELIVERED && record.data.as_u64() == Some(number);
                ControlFlow::Continue(())
            })?;
        }
        Ok(delivered)
    }

    pub(crate) fn log(&self) -> Arc<dyn Log> {
        self.log.clone()
    }

    /// The letter of that number, if it was not delivered meanwhile.
    ///
    /// # Errors
    /// The log's faults.
    pub fn find(&self, number: u64) -> Result<Option<DeadLetter>, StoreError> {
        Ok(self.list()?.into_iter().find(|letter| letter.number == number))
    }

    /// Keeps a letter; its number is given here.
    pub(crate) fn put_aside(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        let data = serde_json::to_value(letter).unwrap_or_default();
        self.append(PUT_ASIDE, data)
    }

    /// Notes that a letter was delivered.
    pub(crate) fn delivered(&self, number: u64) -> Result<(), StoreError> {
        self.append(DELIVERED, number.into())
    }

    fn append(&self, kind: &str, data: serde_json::Value) -> Result<(), StoreError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let segments = self.segments()?;
        let newest = segments.last().copied().unwrap_or_default();
        let full = self.log.last_seq(&name(newest))? >= MAX_DEAD_LETTERS;
        let segment = if full { newest + 1 } else { newest };
        let record = NewRecord { kind: kind.to_owned(), time_ms: now_ms(), data };
        self.log.append(&name(segment), Expected::Any, &[record])?;
        for old in segments.into_iter().filter(|old| full && *old < newest) {
            self.log.clear(&name(old))?;
        }
        Ok(())
    }

    /// Numbers of the segments, rising.
    fn segments(&self) -> Result<Vec<u64>, StoreError> {
        let streams = self.log.streams()?;
        let number = |stream: &str| stream.strip_prefix(PREFIX)?.parse().ok();
        let mut found: Vec<u64> = streams.iter().filter_map(|stream| number(&stream.name)).collect();
        found.sort_unstable();
        Ok(found)
    }
}

fn name(segment: u64) -> String {
    format!("{PREFIX}{segment}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::{MemoryStore, SqliteStore};

    fn letter(task: u64) -> DeadLetter {
        DeadLetter {
            number: 0,
            task_id: task.to_string(),
            owner: "me".to_owned(),
            config: PushConfig { id: "c".to_owned(), token: "t".to_owned(), ..PushConfig::default() },
            secret: true,
            reason: "its receiver failed".to_owned(),
            at: "2026-01-01T00:00:00Z".to_owned(),
            content_type: "application/json".to_owned(),
            body: Some("{}".to_owned()),
        }
    }

    #[test]
    fn letters_survive_the_process_and_go_once_they_are_delivered() {
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let store = SqliteStore::open(&folder.path().join("store.db")).unwrap();
            DeadLetters::over(Arc::new(store))
        };
        let letters = open();
        letters.put_aside(&letter(1)).unwrap();
        letters.put_aside(&letter(2)).unwrap();
        drop(letters);
        let letters = open();
        let kept = letters.list().unwrap();
        assert_eq!(kept.iter().map(|one| one.task_id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(kept[0].config.token, "t");
        // Another that looks at the same log sees what this one delivers.
        let other = open();
        letters.delivered(kept[0].number).unwrap();
        assert_eq!(other.list().unwrap(), kept[1..]);
        assert_eq!(other.find(kept[0].number).unwrap(), None);
        assert!(
            other.was_delivered(kept[0].number).unwrap() && !other.was_delivered(kept[1].number).unwrap()
        );
    }

    #[test]
    fn only_the_newest_are_kept_and_numbers_never_come_again() {
        let letters = DeadLetters::over(Arc::new(MemoryStore::new()));
        let count = 3 * MAX_DEAD_LETTERS + 5;
        for task in 0..count {
            letters.put_aside(&letter(task)).unwrap();
        }
        let kept = letters.list().unwrap();
        assert_eq!(kept.len() as u64, MAX_DEAD_LETTERS + 5);
        assert!(kept.windows(2).all(|two| two[0].number < two[1].number));
        assert_eq!(kept.last().unwrap().task_id, (count - 1).to_string());
    }
}
