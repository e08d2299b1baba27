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
pub(crate) mod tests {
    use super::changes;
    use crate::ast::scene::{Scene, SceneFile};
    use std::collections::{BTreeSet, HashMap};
    use syntax::{Blocks, Module, apply};

    pub(crate) fn scene(source: &str) -> Scene {
        let module = Module::parse(source);
        assert!(module.is_valid(), "{:?}", module.errors());
        let blocks = Blocks::find(source).unwrap();
        let file = SceneFile { path: "program.py".to_owned(), module, blocks, suspicion: HashMap::new() };
        Scene { files: vec![file], failures: BTreeSet::new(), mate: None, peers: Vec::new(), seed: 1 }
    }

    /// Every program that a family offers for this one, the best first. What does not parse fails the test.
    pub(crate) fn offers(family: &str, source: &str) -> Vec<String> {
        let mut found = changes(&scene(source));
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        let of_family = found.iter().filter(|change| change.family == family);
        of_family
            .map(|change| {
                let text = apply(source, &change.edits).unwrap();
                let module = Module::parse(&text);
                assert!(module.is_valid(), "{text}\n{:?}", module.errors());
                text
            })
            .collect()
    }

    /// A family offers exactly this program, perhaps beside others.
    #[track_caller]
    pub(crate) fn check(family: &str, source: &str, expected: &str) {
        let found = offers(family, source);
        assert!(
            found.iter().any(|text| text == expected),
            "expected\n{expected}\nfound\n{}",
            found.join("\n---\n")
        );
    }
}
