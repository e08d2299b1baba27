//! Source text as a tree: parsing, and the arena that keeps the nodes in pre-order.
//!
//! This is the only file that knows tree-sitter. Its tree is copied once into a flat arena, so that parents are one
//! step away, walking needs no recursion, and nothing of the parser is left afterwards.

use crate::faults::{self, SyntaxFault};
use crate::kind::{Field, Kind};
use crate::node::Node;
use std::ops::{ControlFlow, Range};
use tree_sitter::{ParseOptions, ParseState, Parser, Tree, TreeCursor};

/// Largest source that is parsed, in bytes. Anything longer is a module with one fault and no nodes but its root.
pub const MAX_SOURCE_BYTES: usize = 1 << 20;

/// Deepest nesting of nodes that is kept. CPython refuses a hundred levels of indentation and two hundred of
/// brackets; one level of either is at most four nodes here.
pub const MAX_DEPTH: usize = 1_200;

/// The parser reports progress at least once in so many of its operations; the budget below counts reports.
/// Reports that are allowed whatever the size of the source.
const PROGRESS_REPORTS_BASE: usize = 2_000;

/// Reports allowed for each byte of the source: error recovery in garbage may otherwise take quadratic time.
const PROGRESS_REPORTS_PER_BYTE: usize = 2;

/// Most faults that are collected from one source.
pub(crate) const MAX_FAULTS: usize = 64;

/// A node as the arena keeps it. Indices are `u32` because a source has at most 2^20 bytes.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) field: Option<Field>,
    pub(crate) named: bool,
    pub(crate) missing: bool,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) row: u32,
    pub(crate) column: u32,
    /// The parent; the root is its own.
    pub(crate) parent: u32,
    /// First index after this node's descendants.
    pub(crate) next: u32,
}

/// Parsed Python source. A source with errors is a module too: ask [`Module::is_valid`].
#[derive(Debug, Clone)]
pub struct Module {
    source: String,
    records: Vec<Record>,
    faults: Vec<SyntaxFault>,
}

impl Module {
    /// Parses `source`. Never fails: what is wrong stands in [`Module::errors`].
    pub fn parse(source: &str) -> Self {
        if source.len() > MAX_SOURCE_BYTES {
            let fault = SyntaxFault::at_start(format!(
                "the source has {} bytes, more than the {MAX_SOURCE_BYTES} that are parsed",
                source.len()
            ));
            return Self {
                source: source.to_owned(),
                records: vec![root_record(source)],
                faults: vec![fault],
            };
        }
        let Some(tree) = parse_tree(source) else {
            let fault = SyntaxFault::at_start("the parser gave up on this source".to_owned());
            return Self {
                source: source.to_owned(),
                records: vec![root_record(source)],
                faults: vec![fault],
            };
        };
        let (records, too_deep) = flatten(&tree, source);
        let mut module = Self { source: source.to_owned(), records, faults: Vec::new() };
        if too_deep {
            module.faults.push(SyntaxFault::at_start(format!("nested deeper than {MAX_DEPTH} nodes")));
        }
        let found = faults::find(&module);
        module.faults.extend(found);
        if module.faults.is_empty() && tree.root_node().has_error() {
            module.faults.push(SyntaxFault::at_start("this is not Python".to_owned()));
        }
        module.faults.truncate(MAX_FAULTS);
        module
    }

    /// Whether the source is Python as far as can be told without compiling it.
    pub fn is_valid(&self) -> bool {
        self.faults.is_empty()
    }

    /// What is wrong with the source, at most 64 findings.
    pub fn errors(&self) -> &[SyntaxFault] {
        &self.faults
    }

    /// The text that was parsed.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The root of the tree, of kind [`Kind::Module`].
    pub fn root(&self) -> Node<'_> {
        Node::new(self, 0)
    }

    /// Every node, named or not, in pre-order, the root first.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = Node<'_>> + '_ {
        (0..u32::try_from(self.records.len()).unwrap_or(u32::MAX)).map(move |index| Node::new(self, index))
    }

    /// Nodes of one kind, in the order of the source.
    pub fn nodes_of(&self, kind: Kind) -> impl DoubleEndedIterator<Item = Node<'_>> + '_ {
        self.nodes().filter(move |node| node.kind() == kind)
    }

    /// The node with this [`Node::id`].
    pub fn node(&self, id: u32) -> Option<Node<'_>> {
        ((id as usize) < self.records.len()).then(|| Node::new(self, id))
    }

    /// The smallest named node that covers `range`, the root if none does.
    pub fn covering(&self, range: Range<usize>) -> Node<'_> {
        let mut found = self.root();
        loop {
            let inner = found
                .named_children()
                .find(|child| child.range().start <= range.start && child.range().end >= range.end);
            match inner {
                Some(child) => found = child,
                None => return found,
            }
        }
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }
}

fn root_record(source: &str) -> Record {
    Record {
        kind: Kind::Module,
        field: None,
        named: true,
        missing: false,
        start: 0,
        end: u32::try_from(source.len()).unwrap_or(u32::MAX),
        row: 0,
        column: 0,
        parent: 0,
        next: 1,
    }
}

/// Runs the parser within a budget that counts its own progress reports, so that the outcome depends on the source
/// and never on the machine's speed.
fn parse_tree(source: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
    let mut left = PROGRESS_REPORTS_BASE + PROGRESS_REPORTS_PER_BYTE * source.len();
    let mut progress = |_: &ParseState| {
        left = left.saturating_sub(1);
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let bytes = source.as_bytes();
    let options = ParseOptions::new().progress_callback(&mut progress);
    parser.parse_with_options(&mut |offset, _| bytes.get(offset..).unwrap_or_default(), None, Some(options))
}

/// Copies the tree into records in pre-order. The flag says that something was nested too deeply and left out.
fn flatten(tree: &Tree, source: &str) -> (Vec<Record>, bool) {
    let mut cursor = tree.walk();
    let mut records: Vec<Record> = Vec::with_capacity(source.len() / 3 + 8);
    let mut ancestors: Vec<u32> = Vec::new();
    let mut too_deep = false;
    loop {
        let index = u32::try_from(records.len()).unwrap_or(u32::MAX);
        records.push(record(&cursor, ancestors.last().copied().unwrap_or(0)));
        if ancestors.len() >= MAX_DEPTH {
            too_deep = true;
        } else if cursor.goto_first_child() {
            ancestors.push(index);
            continue;
        }
        while !cursor.goto_next_sibling() {
            close(&mut records, ancestors.pop());
            if !cursor.goto_parent() {
                return (finish(records, source), too_deep);
            }
        }
    }
}

/// Notes where the descendants of `index` end.
fn close(records: &mut [Record], index: Option<u32>) {
    let next = u32::try_from(records.len()).unwrap_or(u32::MAX);
    if let Some(record) = index.and_then(|index| records.get_mut(index as usize)) {
        record.next = next;
    }
}

/// Gives leaves their own `next` and lets the root cover the whole source, leading and trailing blanks included.
fn finish(mut records: Vec<Record>, source: &str) -> Vec<Record> {
    for (index, record) in records.iter_mut().enumerate() {
        if record.next == 0 {
            record.next = u32::try_from(index + 1).unwrap_or(u32::MAX);
        }
    }
    match records.first_mut() {
        Some(root) => {
            root.start = 0;
            root.end = u32::try_from(source.len()).unwrap_or(u32::MAX);
            root.kind = Kind::Module;
        }
        None => records.push(root_record(source)),
    }
    records
}

fn record(cursor: &TreeCursor<'_>, parent: u32) -> Record {
    let node = cursor.node();
    let start = node.start_position();
    let kind = match (node.is_named(), node.is_error()) {
        (_, true) => Kind::Error,
        // A kind that this file does not know is treated as an error rather than silently misread.
        (true, _) => Kind::from_name(node.kind()).unwrap_or(Kind::Error),
        (false, _) => Kind::Token,
    };
    Record {
        kind,
        field: cursor.field_name().and_then(Field::from_name),
        named: node.is_named(),
        missing: node.is_missing(),
        start: u32::try_from(node.start_byte()).unwrap_or(u32::MAX),
        end: u32::try_from(node.end_byte()).unwrap_or(u32::MAX),
        row: u32::try_from(start.row).unwrap_or(u32::MAX),
        column: u32::try_from(start.column).unwrap_or(u32::MAX),
        parent,
        next: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_field_of_the_grammar_has_a_name_here() {
        let language: tree_sitter::Language = tree_sitter_python::LANGUAGE.into();
        for id in 0..u16::try_from(language.node_kind_count()).unwrap() {
            let name = language.node_kind_for_id(id).unwrap();
            if language.node_kind_is_named(id) && language.node_kind_is_visible(id) && name != "end" {
                assert!(Kind::from_name(name).is_some() || language.node_kind_is_supertype(id), "{name}");
            }
        }
        for id in 1..=u16::try_from(language.field_count()).unwrap() {
            let name = language.field_name_for_id(id).unwrap();
            assert!(Field::from_name(name).is_some(), "{name}");
        }
    }
}
