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
            self.found.push(Change { path, edits, family, rationale, score });
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
