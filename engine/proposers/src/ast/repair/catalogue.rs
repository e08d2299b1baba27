//! The repair catalogue: every edit of every family, ordered by the chance that it mends the program, best first.
//!
//! All edits are collected at once (they are cheap: a range and a text), but each is applied and parsed only when it is
//! about to be handed out, so that a space of tens of thousands costs little when a few hundred are tried.

use super::super::pool::Change;
use super::family::{Family, Tier};
use super::hints::{Hints, MAX_INGREDIENT_SOURCES};
use super::program::Program;
use super::suspicion::Suspicion;
use super::{
    access, conditions, constants, guards, insertions, jumps, movement, names, operands, operators, siblings,
    templates, wrappers,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use syntax::{Blocks, Edit, Fingerprint, Module, Node};

/// Most edits that are collected for one program.
pub const MAX_EDITS: usize = 80_000;

/// Jitter of the score: each is multiplied by a factor drawn evenly from 1 - JITTER to 1 + JITTER, so that two searches
/// of one program with different seeds do not try the same edits in the same order.
const JITTER: f64 = 0.5;

/// Share of its score that an edit keeps on a line that no failing case ran.
const SUSPICION_FLOOR: f64 = 0.02;

/// Exponent of the suspicion. Above 1 trusts the coverage more.
const SUSPICION_EXPONENT: f64 = 1.0;

/// One edit of a search space, not yet applied.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    family: Family,
    line: u32,
    edits: Vec<Edit>,
    /// Its chance within its family, wherever it is.
    weight: f64,
    score: f64,
}

/// An edit that parses and stays inside what may change.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The family that made it.
    pub family: Family,
    /// The family's tier.
    pub tier: Tier,
    /// Line of the change, from 1.
    pub line: u32,
    /// The change, against the source that was searched.
    pub edits: Vec<Edit>,
    /// Estimated chance per evaluation, in arbitrary units; falls over a search.
    pub score: f64,
    /// The changed source.
    pub source: String,
    /// Its normal form.
    pub fingerprint: Fingerprint,
    /// Why, in a sentence that a person reads.
    pub rationale: String,
}

/// Gathers the edits of the families.
pub(crate) struct Collector<'p, 'm> {
    program: &'p Program<'m>,
    entries: Vec<Entry>,
    seen: HashSet<u64>,
    hasher: BuildHasherDefault<DefaultHasher>,
}

impl<'p, 'm> Collector<'p, 'm> {
    fn new(program: &'p Program<'m>) -> Self {
        Self { program, entries: Vec::new(), seen: HashSet::new(), hasher: BuildHasherDefault::default() }
    }

    /// Adds an edit. `at` is the node that it is about, `weight` the edit's chance within its family, above 0. An edit
    /// that is known already, changes nothing or leaves what may change is dropped.
    pub(crate) fn add(&mut self, family: Family, at: Node<'_>, weight: f64, edits: Vec<Edit>) {
        if self.entries.len() >= MAX_EDITS || edits.is_empty() || !self.program.blocks.permit(&edits) {
            return;
        }
        let changes = edits
            .iter()
            .any(|edit| self.program.source.get(edit.range.clone()) != Some(edit.replacement.as_str()));
        if changes && self.seen.insert(self.hasher.hash_one(&edits)) {
            let score = weight * local(self.program.suspicion_at(at));
            self.entries.push(Entry { family, line: at.line(), edits, weight, score });
        }
    }

    /// Adds the replacement of a node's text.
    pub(crate) fn replace(&mut self, family: Family, node: Node<'_>, weight: f64, text: impl Into<String>) {
        self.add(family, node, weight, vec![Edit::replace(node.range(), text)]);
    }

    pub(crate) fn program(&self) -> &'p Program<'m> {
        self.program
    }
}

fn local(suspicion: f64) -> f64 {
    suspicion.powf(SUSPICION_EXPONENT) + SUSPICION_FLOOR
}

/// Collects the edits of every family, best first.
///
/// The score is P(family) times the edit's share of its family, with jitter; the share is weight x (suspicion + 0.02)
/// over the sum of the same for the whole family. So a small family's edits come early, and a large family's best ones. The
/// sum is at least that of the family's weightiest edit on the most suspicious line: a family that has edits only where hardly
/// any fault can be has a small share of them all.
pub(crate) fn collect(program: &Program<'_>, seed: u64) -> Vec<Entry> {
    let mut collector = Collector::new(program);
    for family in [
        operators::propose,
        constants::propose,
        operands::propose,
        siblings::propose,
        jumps::propose,
        movement::propose,
        names::propose,
        access::propose,
        wrappers::propose,
        conditions::propose,
        templates::propose,
        guards::propose,
        insertions::propose,
    ] {
        family(&mut collector);
    }
    let mut entries = collector.entries;
    let highest = local(program.suspicion.peak());
    let mut totals: BTreeMap<Family, (f64, f64)> = BTreeMap::new();
    for entry in &entries {
        let (sum, least) = totals.entry(entry.family).or_default();
        *sum += entry.score;
        *least = least.max(entry.weight * highest);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for entry in &mut entries {
        let total = totals.get(&entry.family).map_or(1.0, |(sum, least)| sum.max(*least));
        let jitter = 1.0 + JITTER * (2.0 * rng.random::<f64>() - 1.0);
        entry.score *=
            entry.family.prior() * program.hints.factor(entry.family) * jitter / total.max(f64::MIN_POSITIVE);
    }
    entries.sort_by(|a, b| b.score.total_cmp(&a.score));
    entries
}

/// A search of one program: hands out its edits one after the other, best first.
#[derive(Debug)]
pub struct Search {
    source: String,
    entries: std::vec::IntoIter<Entry>,
    seen: HashSet<Fingerprint>,
    size: usize,
}

impl Search {
    /// Collects the edits of a program. `blocks` says what may change.
    pub fn new(module: &Module, blocks: Blocks, suspicion: &Suspicion, hints: &Hints, seed: u64) -> Self {
        let others: Vec<Module> =
            hints.sources.iter().take(MAX_INGREDIENT_SOURCES).map(|source| Module::parse(source)).collect();
        let program = Program::read(module, &others, blocks, suspicion, hints);
        let entries = collect(&program, seed);
        let size = entries.len();
        let seen = HashSet::from([module.fingerprint()]);
        Self { source: module.source().to_owned(), entries: entries.into_iter(), seen, size }
    }

    /// How many edits were collected, those included that will turn out not to parse.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The best edits, neither applied nor parsed, for a pool that does that itself.
    pub(in crate::ast) fn into_changes(self, path: &str, most: usize) -> Vec<Change> {
        let source = self.source;
        let changes = self.entries.take(most).map(|entry| Change {
            path: path.to_owned(),
            rationale: rationale(&source, &entry),
            family: entry.family.name(),
            score: entry.score,
            edits: entry.edits,
            ..Change::default()
        });
        changes.collect()
    }

    /// How many edits of each family were collected and not yet looked at.
    pub fn sizes(&self) -> BTreeMap<Family, usize> {
        let mut sizes = BTreeMap::new();
        for entry in self.entries.as_slice() {
            *sizes.entry(entry.family).or_default() += 1;
        }
        sizes
    }
}

impl Iterator for Search {
    type Item = Candidate;

    fn next(&mut self) -> Option<Candidate> {
        for entry in self.entries.by_ref() {
            let Ok(source) = syntax::apply(&self.source, &entry.edits) else { continue };
            let changed = Module::parse(&source);
            if !changed.is_valid() {
                continue;
            }
            let fingerprint = changed.fingerprint();
            if !self.seen.insert(fingerprint) {
                continue;
            }
            let rationale = rationale(&self.source, &entry);
            return Some(Candidate {
                family: entry.family,
                tier: entry.family.tier(),
                line: entry.line,
                edits: entry.edits,
                score: entry.score,
                source,
                fingerprint,
                rationale,
            });
        }
        None
    }
}

/// Longest piece of source, in characters, that a rationale quotes.
const MAX_QUOTE: usize = 60;

fn rationale(source: &str, entry: &Entry) -> String {
    let quote = |text: &str| {
        let text = text.trim();
        let short: String = text.chars().take(MAX_QUOTE).collect();
        if short.len() < text.len() { format!("`{short}...`") } else { format!("`{short}`") }
    };
    let changes: Vec<String> = entry
        .edits
        .iter()
        .map(|edit| {
            let old = source.get(edit.range.clone()).unwrap_or_default();
            match (old.trim().is_empty(), edit.replacement.trim().is_empty()) {
                (true, _) => format!("insert {}", quote(&edit.replacement)),
                (_, true) => format!("delete {}", quote(old)),
                _ => format!("{} becomes {}", quote(old), quote(&edit.replacement)),
            }
        })
        .collect();
    format!("{} in line {}: {}", entry.family.name().replace('_', " "), entry.line, changes.join(", "))
}
