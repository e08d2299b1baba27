//! Rewrites of a file by rules that match syntax: what a family of rules offers, gathered as changes.

use super::pool::Change;
use super::reading::{is_import, line_end};
use super::scene::SceneFile;
use syntax::{Edit, Kind, Node};

/// Looks for the rewrites of one file, a theme each.
pub(super) type Family = fn(&mut Rewrites<'_>);

/// Collects the rewrites of one file.
pub(super) struct Rewrites<'f> {
    pub(super) file: &'f SceneFile,
    found: Vec<Change>,
}

impl<'f> Rewrites<'f> {
    /// What these families find in a file.
    pub(super) fn of(file: &'f SceneFile, families: &[Family]) -> Vec<Change> {
        let mut rewrites = Self { file, found: Vec::new() };
        families.iter().for_each(|find| find(&mut rewrites));
        rewrites.found
    }

    /// The text that is rewritten.
    pub(super) fn source(&self) -> &'f str {
        self.file.module.source()
    }

    /// All nodes of a kind, in the order of the source.
    pub(super) fn nodes(&self, kind: Kind) -> impl Iterator<Item = Node<'f>> {
        self.file.module.nodes_of(kind)
    }

    /// Offers a rewrite, if it stays where the file may change. `score` is the expected gain on a rough scale to 100.
    pub(super) fn offer(&mut self, family: &'static str, score: f64, rationale: String, edits: Vec<Edit>) {
        if !edits.is_empty() && self.file.permits(&edits) {
            let path = self.file.path.clone();
            self.found.push(Change { path, edits, family, rationale, score, ..Change::default() });
        }
    }

    /// The edit that makes an import statement take effect, or none when the module has it already.
    pub(super) fn import(&self, statement: &str) -> Vec<Edit> {
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
pub(super) mod tests {
    use crate::ast::pool::Change;
    use crate::ast::scene::{Scene, SceneFile};
    use std::collections::HashMap;
    use syntax::{Blocks, Module, apply};

    fn scene(source: &str) -> Scene {
        let module = Module::parse(source);
        assert!(module.is_valid(), "{:?}", module.errors());
        let blocks = Blocks::find(source).unwrap();
        let file = SceneFile { path: "program.py".to_owned(), module, blocks, suspicion: HashMap::new() };
        Scene { files: vec![file], ..Scene::default() }
    }

    /// Every program that a family of an operator offers for this one, the best first. What does not parse fails the test.
    pub(in crate::ast) fn programs(
        changes: fn(&Scene) -> Vec<Change>,
        family: &str,
        source: &str,
    ) -> Vec<String> {
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

    /// This program is among those found.
    #[track_caller]
    pub(in crate::ast) fn expect(found: &[String], expected: &str) {
        assert!(
            found.iter().any(|text| text == expected),
            "expected\n{expected}\nfound\n{}",
            found.join("\n---\n")
        );
    }
}
