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
mod reading;
mod sorting;
mod strings;
mod sums;

use super::pool::Change;
use super::scene::{Scene, SceneFile};
use reading::{is_import, line_end};
use syntax::{Edit, Kind, Node};

/// The operator's name.
pub(super) const NAME: &str = "speed";

/// All rewrites of all files.
pub fn changes(scene: &Scene) -> Vec<Change> {
    let mut changes = Vec::new();
    for file in &scene.files {
        let mut rewrites = Rewrites { file, found: Vec::new() };
        for find in FAMILIES {
            find(&mut rewrites);
        }
        changes.extend(rewrites.found);
    }
    changes
}

/// What looks for the rewrites of one file, a theme each.
const FAMILIES: [fn(&mut Rewrites<'_>); 19] = [
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

/// Collects the rewrites of one file.
struct Rewrites<'f> {
    file: &'f SceneFile,
    found: Vec<Change>,
}

impl<'f> Rewrites<'f> {
    fn source(&self) -> &'f str {
        self.file.module.source()
    }

    fn nodes(&self, kind: Kind) -> impl Iterator<Item = Node<'f>> {
        self.file.module.nodes_of(kind)
    }

    /// Offers a rewrite, if it stays where the file may change. `score` is the expected gain on a rough scale to 100.
    fn offer(&mut self, family: &'static str, score: f64, rationale: String, edits: Vec<Edit>) {
        if !edits.is_empty() && self.file.permits(&edits) {
            let path = self.file.path.clone();
            self.found.push(Change { path, edits, family, rationale, score });
        }
    }

    /// The edit that makes an import statement take effect, or none when the module has it already.
    fn import(&self, statement: &str) -> Vec<Edit> {
        let mut imports = self.file.module.root().statements().filter(|node| is_import(*node));
        if imports.any(|import| import.text() == statement) {
            return Vec::new();
        }
        let root = self.file.module.root();
        let mut at = 0;
        for node in root.statements() {
            let docstring = node.kind() == Kind::ExpressionStatement
                && node.named_children().next().is_some_and(|child| child.kind() == Kind::String);
            if is_import(node) || (docstring && at == 0) {
                at = line_end(self.source(), node.range().end);
            } else {
                break;
            }
        }
        let edit = Edit::insert(at, format!("{statement}\n"));
        if self.file.permits(std::slice::from_ref(&edit)) {
            return vec![edit];
        }
        // The head of the file is closed: the first open line that begins a statement at the left margin will do.
        let open = root
            .statements()
            .map(|node| node.range().start)
            .find(|start| self.file.permits(&[Edit::insert(*start, "x")]));
        open.map(|start| Edit::insert(start, format!("{statement}\n"))).into_iter().collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::changes;
    use crate::ast::scene::{Scene, SceneFile};
    use std::collections::{BTreeSet, HashMap};
    use syntax::{Blocks, Module, apply};

    fn scene(source: &str) -> Scene {
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
