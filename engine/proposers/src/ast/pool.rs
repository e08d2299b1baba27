//! The changes that one operator offers for one parent, best first, each handed out once.

use evolution::candidate::{FileChange, Patch, SourceFiles};
use rand::{Rng, RngExt};
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use syntax::{Edit, Fingerprint, Module, apply};

/// Most changes in one pool; what is worse than this many others is not offered. Each draw looks at all of them.
pub const MAX_POOL: usize = 4_000;
/// Draws for a change that does not overlap those already picked.
const MAX_DRAWS: usize = 16;
/// Changes, from the best, among which a second change is drawn.
const BESIDE: usize = 200;

/// One possible change of one file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// The file.
    pub path: String,
    /// Edits that belong together, not overlapping.
    pub edits: Vec<Edit>,
    /// The family that it comes from, for the log.
    pub family: &'static str,
    /// What it does, in a short sentence.
    pub rationale: String,
    /// How promising it is; higher comes first.
    pub score: f64,
    /// Names what it makes of a function, the same for all parents; 0 where nobody asks.
    pub version: u64,
}

/// Names a change among those of its parent: the same from run to run.
pub(super) fn key_of(change: &Change) -> u64 {
    let mut hasher = DefaultHasher::new();
    change.path.hash(&mut hasher);
    for edit in &change.edits {
        (edit.range.start, edit.range.end, &edit.replacement).hash(&mut hasher);
    }
    hasher.finish()
}

/// The changes of a parent, whose order follows what is learnt while they are used.
pub(super) struct Pool {
    /// By score, the best first.
    changes: Vec<Change>,
    /// What names each of them.
    keys: Vec<u64>,
}

impl Pool {
    /// Orders changes by score, the first of equals first.
    pub(super) fn new(mut changes: Vec<Change>) -> Self {
        changes.sort_by(|a, b| b.score.total_cmp(&a.score));
        changes.truncate(MAX_POOL);
        let keys = changes.iter().map(key_of).collect();
        Self { changes, keys }
    }

    /// The change that is best by its score and what was learnt of it, and was not handed out.
    pub(super) fn best(&self, used: &HashSet<u64>, factor: impl Fn(&Change) -> f64) -> Option<Change> {
        let mut best: Option<(f64, &Change)> = None;
        for (_, change) in self.keys.iter().zip(&self.changes).filter(|(key, _)| !used.contains(key)) {
            let score = change.score * factor(change);
            // The first of equals stays.
            if best.is_none_or(|(highest, _)| score > highest) {
                best = Some((score, change));
            }
        }
        best.map(|(_, change)| change.clone())
    }

    /// The best change that paid elsewhere and overlaps none of the picked ones, used or not.
    pub(super) fn proven(&self, picked: &[Change], paid: impl Fn(&Change) -> bool) -> Option<Change> {
        let paid = self.changes.iter().filter(|change| paid(change));
        let mut paid = paid.filter(|change| picked.iter().all(|other| apart(other, change)));
        paid.next().cloned()
    }

    /// A good change that overlaps none of the picked ones, used or not.
    pub(super) fn beside(&self, picked: &[Change], rng: &mut impl Rng) -> Option<Change> {
        let among = self.changes.len().min(BESIDE);
        if among == 0 {
            return None;
        }
        for _ in 0..MAX_DRAWS {
            let change = self.changes.get(rng.random_range(0..among))?;
            if picked.iter().all(|other| apart(other, change)) {
                return Some(change.clone());
            }
        }
        None
    }
}

/// Whether two changes touch no common byte, and no two insertions share a place.
fn apart(a: &Change, b: &Change) -> bool {
    a.path != b.path
        || a.edits
            .iter()
            .all(|x| b.edits.iter().all(|y| x.range.end < y.range.start || y.range.end < x.range.start))
}

/// The patch of some changes together, if every file still parses, and what names the program that it leads to.
pub(super) fn patch(files: &SourceFiles, picked: &[Change]) -> Option<(Patch, u128)> {
    let mut edits: BTreeMap<&str, Vec<Edit>> = BTreeMap::new();
    for change in picked {
        edits.entry(&change.path).or_default().extend(change.edits.iter().cloned());
    }
    let mut changed: BTreeMap<&str, (Arc<[u8]>, Fingerprint)> = BTreeMap::new();
    for (path, edits) in edits {
        let text = apply(files.text(path)?, &edits).ok()?;
        let module = Module::parse(&text);
        if !module.is_valid() {
            return None;
        }
        changed.insert(path, (Arc::from(text.as_bytes()), module.fingerprint()));
    }
    let whole = files.0.iter().map(|(path, bytes)| {
        let own = changed.get(path.as_str()).map(|(_, fingerprint)| *fingerprint);
        (path.as_str(), own.unwrap_or_else(|| Fingerprint::of_bytes(bytes)))
    });
    let program = u128::from_be_bytes(*Fingerprint::combine(whole).as_bytes());
    let change = |(path, (content, _)): (&str, (Arc<[u8]>, Fingerprint))| FileChange {
        path: path.to_owned(),
        content: Some(content),
    };
    Some((Patch(changed.into_iter().map(change).collect()), program))
}
