//! What is remembered of packages: that they came, what they were worth here, that they were told to others. A stream of
//! the store, folded; from it the trust in each source and the knowledge graph. Several processes may write it.

use crate::compatibility::Compatibility;
use crate::graph::{KnowledgeGraph, Similar};
use crate::package::Package;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use store::{Expected, Log, NewRecord, StoreError};

/// The stream's name.
pub const STREAM: &str = "knowledge";
/// Packages kept in memory; the oldest go first.
const MAX_PACKAGES: usize = 4_096;
/// What trust in an unknown source is worth: as many good and as many bad outcomes (a Beta prior, mean 0.5).
const PRIOR: f64 = 1.0;
/// What a viable package that improved nothing counts against its source, as a share of one that failed: what was found
/// elsewhere may well be known here, but who sends nothing of use for long is not to be trusted like a stranger.
const NEUTRAL_WEIGHT: f64 = 0.1;

/// Why the memory cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What should be remembered cannot be written down.
    #[error("cannot be written down: {0}")]
    Encoding(#[from] serde_json::Error),
}

/// One thing that is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Note {
    /// A package came from a peer.
    KnowledgeReceived {
        /// The package.
        package: Box<Package>,
        /// Who sent it.
        from: String,
        /// The sender's name for the transfer.
        transfer_id: String,
        /// The program that it fits best; empty when there is none.
        target: String,
        /// How well.
        compatibility: Compatibility,
        /// Whether it waits to be tried there.
        queued: bool,
        /// The peer whose key signed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed_by: Option<String>,
    },
    /// A package was judged here, once for each `occasion`.
    Judged {
        /// The package.
        digest: String,
        /// The program.
        target: String,
        /// The run.
        occasion: String,
        /// Whether it improved the program.
        improved: bool,
        /// Whether the program was viable with it, better or not.
        #[serde(default)]
        viable: bool,
    },
    /// A package was told to a peer.
    KnowledgeShared {
        /// The package.
        digest: String,
        /// The peer.
        to: String,
        /// Our name for the transfer.
        transfer_id: String,
        /// Attempts made.
        attempts: u32,
        /// How it ended.
        outcome: TransferOutcome,
        /// The candidate whose change it is.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        modification_id: String,
    },
}

/// What a package was worth in a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It improved the program.
    Improved,
    /// The program was viable with it, and no better.
    Neutral,
    /// The program was not viable with it.
    Failed,
}

/// How a transfer to a peer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferOutcome {
    /// The peer took it into its queue.
    Accepted,
    /// The peer did not want it, and why.
    Declined(String),
    /// It did not arrive, and why.
    Failed(String),
}

/// A package that waits to be tried, or was.
#[derive(Debug, Clone, PartialEq)]
pub struct Remembered {
    /// The package.
    pub package: Arc<Package>,
    /// Who sent it.
    pub from: String,
    /// The program it was queued for.
    pub target: String,
    /// How well it fitted when it came.
    pub compatibility: Compatibility,
    /// Whether it was above the threshold.
    pub queued: bool,
    /// The peer whose key signed it; `None` without a signature that was verified.
    pub signed_by: Option<String>,
}

/// How the packages of one source turned out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Trust {
    /// Packages received.
    pub received: u32,
    /// Judgements in which one improved a program here.
    pub improved: u32,
    /// Judgements in which the program was viable with one and no better.
    pub neutral: u32,
    /// Judgements in which the program was not viable with one.
    pub failed: u32,
}

impl Trust {
    /// The trust, 0 to 1: the mean of a Beta posterior, `(improved + 1) / (improved + failed + neutral / 10 + 2)`; 0.5 for
    /// the unknown.
    pub fn value(&self) -> f64 {
        let good = f64::from(self.improved) + PRIOR;
        let bad = f64::from(self.failed) + NEUTRAL_WEIGHT * f64::from(self.neutral) + PRIOR;
        good / (good + bad)
    }
}

/// The memory over a log. Clones share what was folded.
#[derive(Clone)]
pub struct Memory {
    log: Arc<dyn Log>,
    folded: Arc<Mutex<Folded>>,
}

#[derive(Default)]
struct Folded {
    seq: u64,
    packages: BTreeMap<String, Remembered>,
    /// Digests in the order in which they came.
    order: Vec<String>,
    judged: BTreeSet<(String, String)>,
    trust: BTreeMap<String, Trust>,
    shared: BTreeSet<(String, String)>,
    graph: KnowledgeGraph,
}

impl Memory {
    /// The memory in a log.
    pub fn new(log: Arc<dyn Log>) -> Self {
        Self { log, folded: Arc::default() }
    }

    /// Remembers that a package came. Answers whether it was new; one that is known is new once more when it comes signed
    /// for the first time.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn received(
        &self,
        remembered: &Remembered,
        transfer_id: &str,
        time_ms: i64,
    ) -> Result<bool, MemoryError> {
        let newly_signed = |known: &Remembered| known.signed_by.is_none() && remembered.signed_by.is_some();
        let known = self.look(|folded| {
            let known = folded.packages.get(&remembered.package.digest);
            known.is_some_and(|known| !newly_signed(known))
        })?;
        if known {
            return Ok(false);
        }
        let note = Note::KnowledgeReceived {
            package: Box::new((*remembered.package).clone()),
            from: remembered.from.clone(),
            transfer_id: transfer_id.to_owned(),
            target: remembered.target.clone(),
            compatibility: remembered.compatibility,
            queued: remembered.queued,
            signed_by: remembered.signed_by.clone(),
        };
        self.note(&note, time_ms)?;
        Ok(true)
    }

    /// Remembers what a package was worth here; an occasion counts once.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn judged(
        &self,
        (digest, target): (&str, &str),
        occasion: &str,
        judgement: Judgement,
        time_ms: i64,
    ) -> Result<(), MemoryError> {
        let occasion_of = (digest.to_owned(), occasion.to_owned());
        if self.look(|folded| folded.judged.contains(&occasion_of))? {
            return Ok(());
        }
        let (digest, target, occasion) = (digest.to_owned(), target.to_owned(), occasion.to_owned());
        let improved = judgement == Judgement::Improved;
        let viable = judgement != Judgement::Failed;
        self.note(&Note::Judged { digest, target, occasion, improved, viable }, time_ms)
    }

    /// Remembers a transfer to a peer.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn shared(
        &self,
        (digest, to, modification_id): (&str, &str, &str),
        transfer_id: &str,
        attempts: u32,
        outcome: &TransferOutcome,
        time_ms: i64,
    ) -> Result<(), MemoryError> {
        let note = Note::KnowledgeShared {
            digest: digest.to_owned(),
            to: to.to_owned(),
            transfer_id: transfer_id.to_owned(),
            attempts,
            outcome: outcome.clone(),
            modification_id: modification_id.to_owned(),
        };
        self.note(&note, time_ms)
    }

    /// Packages that wait to be tried on a program, in the order in which they came.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn queued(&self, target: &str) -> Result<Vec<Remembered>, MemoryError> {
        self.look(|folded| {
            let packages = folded.order.iter().filter_map(|digest| folded.packages.get(digest));
            packages.filter(|one| one.queued && one.target == target).cloned().collect()
        })
    }

    /// Trust in a source.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn trust(&self, source: &str) -> Result<Trust, MemoryError> {
        self.look(|folded| folded.trust.get(source).copied().unwrap_or_default())
    }

    /// Trust in every source.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn sources(&self) -> Result<BTreeMap<String, Trust>, MemoryError> {
        self.look(|folded| folded.trust.clone())
    }

    /// Whether a package has reached a peer, or the peer did not want it.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn was_shared(&self, digest: &str, to: &str) -> Result<bool, MemoryError> {
        let key = (digest.to_owned(), to.to_owned());
        self.look(|folded| folded.shared.contains(&key))
    }

    /// Patterns like a package, with what they came to.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn similar(&self, package: &Package, most: usize) -> Result<Vec<Similar>, MemoryError> {
        self.look(|folded| folded.graph.similar(package, most))
    }

    fn note(&self, note: &Note, time_ms: i64) -> Result<(), MemoryError> {
        let kind = match note {
            Note::KnowledgeReceived { .. } => "knowledge_received",
            Note::Judged { .. } => "judged",
            Note::KnowledgeShared { .. } => "knowledge_shared",
        };
        let record = NewRecord { kind: kind.to_owned(), time_ms, data: serde_json::to_value(note)? };
        self.log.append(STREAM, Expected::Any, &[record])?;
        Ok(())
    }

    /// Looks at the fold of everything that was written until now.
    fn look<T>(&self, look: impl FnOnce(&Folded) -> T) -> Result<T, MemoryError> {
        let mut folded = self.folded.lock().unwrap_or_else(PoisonError::into_inner);
        let after = folded.seq;
        let seen = self.log.replay(STREAM, after, &mut |record| {
            // A note of a later version is passed over: it is a hint, never a duty.
            if let Ok(note) = serde_json::from_value(record.data) {
                folded.take(note);
            }
            ControlFlow::Continue(())
        })?;
        folded.seq = seen;
        Ok(look(&folded))
    }
}

impl Folded {
    fn take(&mut self, note: Note) {
        match note {
            Note::KnowledgeReceived { package, from, target, compatibility, queued, signed_by, .. } => {
                self.trust.entry(from.clone()).or_default().received += 1;
                self.graph.add(&package);
                let digest = package.digest.clone();
                let package = Arc::new(*package);
                let remembered = Remembered { package, from, target, compatibility, queued, signed_by };
                if self.packages.insert(digest.clone(), remembered).is_none() {
                    self.order.push(digest);
                }
                if self.order.len() > MAX_PACKAGES {
                    self.packages.remove(&self.order.remove(0));
                }
            }
            Note::Judged { digest, target, occasion, improved, viable } => {
                if !self.judged.insert((digest.clone(), occasion)) {
                    return;
                }
                let judgement = match (improved, viable) {
                    (true, _) => Judgement::Improved,
                    (false, true) => Judgement::Neutral,
                    (false, false) => Judgement::Failed,
                };
                self.graph.judge(&digest, &target, judgement);
                if let Some(remembered) = self.packages.get(&digest) {
                    let trust = self.trust.entry(remembered.from.clone()).or_default();
                    match judgement {
                        Judgement::Improved => trust.improved += 1,
                        Judgement::Neutral => trust.neutral += 1,
                        Judgement::Failed => trust.failed += 1,
                    }
                }
            }
            Note::KnowledgeShared { digest, to, outcome, .. } => {
                if !matches!(outcome, TransferOutcome::Failed(_)) {
                    self.shared.insert((digest, to));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use store::MemoryStore;

    fn remembered(name: &str) -> Remembered {
        let value = json!({ "source_agent": "a", "improvement_type": "speed", "performance_impact": 0.5,
            "code_pattern": { "patterns": [{ "kind": "function", "name": name, "before": "def f(): pass", "after": "def f(): return 1" }] } });
        Remembered {
            package: Arc::new(Package::read(&value).unwrap()),
            from: "peer".to_owned(),
            target: "t".to_owned(),
            compatibility: Compatibility::default(),
            queued: true,
            signed_by: None,
        }
    }

    #[test]
    fn trust_follows_outcomes_and_an_occasion_counts_once() {
        let log: Arc<dyn Log> = Arc::new(MemoryStore::new());
        let memory = Memory::new(log.clone());
        let one = remembered("f");
        assert!(memory.received(&one, "1", 1).unwrap());
        assert!(!memory.received(&one, "2", 1).unwrap());
        assert_eq!(memory.trust("peer").unwrap().value(), 0.5);
        for _ in 0..3 {
            memory.judged((&one.package.digest, "t"), "run-1", Judgement::Improved, 2).unwrap();
        }
        // Another process reads the same.
        let memory = Memory::new(log);
        assert_eq!(memory.trust("peer").unwrap(), Trust { received: 1, improved: 1, ..Trust::default() });
        assert!((memory.trust("peer").unwrap().value() - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(memory.queued("t").unwrap().len(), 1);
        assert!(memory.queued("other").unwrap().is_empty());
        let similar = memory.similar(&one.package, 5).unwrap();
        assert_eq!((similar[0].similarity, similar[0].improved, similar[0].failed), (1.0, 1, 0));
    }

    #[test]
    fn a_package_that_comes_signed_is_news_once() {
        let memory = Memory::new(Arc::new(MemoryStore::new()));
        let plain = remembered("f");
        let signed = Remembered { signed_by: Some("bob".to_owned()), ..remembered("f") };
        assert!(memory.received(&plain, "1", 1).unwrap());
        assert!(memory.received(&signed, "2", 2).unwrap());
        assert!(!memory.received(&signed, "3", 3).unwrap() && !memory.received(&plain, "4", 4).unwrap());
        let kept = memory.queued("t").unwrap();
        assert_eq!((kept.len(), kept[0].signed_by.as_deref()), (1, Some("bob")));
        // A note of before signatures is read.
        let mut old = serde_json::to_value(Note::KnowledgeReceived {
            package: Box::new((*plain.package).clone()),
            from: "peer".to_owned(),
            transfer_id: String::new(),
            target: "t".to_owned(),
            compatibility: Compatibility::default(),
            queued: true,
            signed_by: None,
        })
        .unwrap();
        assert_eq!(old.as_object_mut().unwrap().remove("signed_by"), None);
        assert!(serde_json::from_value::<Note>(old).is_ok());
    }

    #[test]
    fn what_is_viable_and_no_better_hardly_counts_against_its_source() {
        let trust = |improved, neutral, failed| Trust { received: 9, improved, neutral, failed }.value();
        assert!((trust(0, 0, 0) - 0.5).abs() < 1e-12);
        assert!((trust(0, 10, 0) - trust(0, 0, 1)).abs() < 1e-12);
        assert!((trust(2, 5, 1) - 3.0 / 5.5).abs() < 1e-12);
        assert!(trust(0, 1, 0) > 0.47 && trust(0, 1, 0) < 0.5);
        // A note of an earlier version knows only better or not.
        let old =
            json!({ "kind": "judged", "digest": "d", "target": "t", "occasion": "r", "improved": false });
        assert!(matches!(serde_json::from_value(old), Ok(Note::Judged { viable: false, .. })));
    }

    #[test]
    fn a_transfer_that_failed_may_be_tried_again() {
        let memory = Memory::new(Arc::new(MemoryStore::new()));
        memory
            .shared(("d", "p", "r-1"), "1", 3, &TransferOutcome::Failed("no answer".to_owned()), 1)
            .unwrap();
        assert!(!memory.was_shared("d", "p").unwrap());
        memory
            .shared(("d", "p", "r-1"), "2", 1, &TransferOutcome::Declined("does not fit".to_owned()), 1)
            .unwrap();
        assert!(memory.was_shared("d", "p").unwrap());
    }
}
