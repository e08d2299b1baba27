//! Rewrites that may make a program faster without changing what it says: caches, containers that find things at once,
//! indices instead of nested scans, less work in loops, library idioms.
//!
//! A rule matches syntax, not meaning, so some of its rewrites change the program's behaviour; tests and the comparison
//! of the benchmark's output are there to tell. Rules are ordered by what they usually yield. Sources: the catalogues of
//! the Python wiki's "PerformanceTips" and of Gorelick and Ozsvald, "High Performance Python" (2020).

mod bounds;
mod caching;
mod collecting;
mod conditions;
mod counting;
mod exits;
mod idioms;
mod indices;
mod inlining;
mod invariants;
mod joins;
mod library;
mod membership;
mod memoising;
mod products;
mod queues;
mod sorting;
mod strings;
mod sums;

use super::pool::Change;
use super::reading;
use super::rewrites::{Family, Rewrites};
use super::scene::Scene;

/// The operator's name.
pub(super) const NAME: &str = "speed";

/// All rewrites of all files.
pub fn changes(scene: &Scene) -> Vec<Change> {
    let mut changes = Vec::new();
    for file in &scene.files {
        changes.extend(Rewrites::of(file, &FAMILIES));
    }
    changes
}

/// What looks for the rewrites of one file, a theme each.
const FAMILIES: [Family; 19] = [
    caching::find,
    memoising::find,
    membership::find,
    indices::find,
    joins::find,
    counting::find,
    queues::find,
    library::find,
    sums::find,
    sorting::find,
    bounds::find,
    exits::find,
    invariants::find,
    products::find,
    conditions::find,
    collecting::find,
    strings::find,
    inlining::find,
    idioms::find,
];

/// Those whose rewrites are often shorter too, and always say the same.
pub(super) const SHORTER: [Family; 3] = [collecting::find, conditions::find, idioms::find];

#[cfg(test)]
mod tests {
    use super::changes;
    use crate::ast::rewrites::tests::{expect, programs};

    /// Every program that a family offers for this one, the best first.
    pub(super) fn offers(family: &str, source: &str) -> Vec<String> {
        programs(changes, family, source)
    }

    /// A family offers exactly this program, perhaps beside others.
    #[track_caller]
    pub(super) fn check(family: &str, source: &str, expected: &str) {
        expect(&offers(family, source), expected);
    }
}
