//! A neutral view of one node of the tree, cheap to copy, that operators walk: kind, role, text, neighbours.
//! It says nothing about meaning; scopes and functions have files of their own.

use crate::kind::{Field, Kind};
use crate::module::{Module, Record};
use std::ops::Range;

/// One node of a [`Module`]. Two nodes are equal when they are the same node of the same module.
#[derive(Clone, Copy)]
pub struct Node<'m> {
    module: &'m Module,
    index: u32,
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && std::ptr::eq(self.module, other.module)
    }
}

impl Eq for Node<'_> {}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}@{:?}", self.kind().name(), self.range())
    }
}

impl<'m> Node<'m> {
    pub(crate) fn new(module: &'m Module, index: u32) -> Self {
        Self { module, index }
    }

    /// The record behind this view. An index that does not exist cannot be made outside this crate; should it happen,
    /// the root answers.
    fn record(self) -> &'m Record {
        const ROOT: Record = Record {
            kind: Kind::Module,
            field: None,
            named: true,
            missing: false,
            start: 0,
            end: 0,
            row: 0,
            column: 0,
            parent: 0,
            next: 1,
        };
        static FALLBACK: Record = ROOT;
        self.module.records().get(self.index as usize).unwrap_or(&FALLBACK)
    }

    /// The module that it belongs to.
    pub fn module(self) -> &'m Module {
        self.module
    }

    /// Its place in pre-order, the root being 0: an identity within the module.
    pub fn id(self) -> u32 {
        self.index
    }

    /// Its kind; [`Kind::Token`] for keywords, operators and punctuation, whose [`Node::text`] says which.
    pub fn kind(self) -> Kind {
        self.record().kind
    }

    /// Its role in its parent, if it has one.
    pub fn field(self) -> Option<Field> {
        self.record().field
    }

    /// Whether it is more than a keyword, an operator or punctuation.
    pub fn is_named(self) -> bool {
        self.record().named
    }

    /// Whether the parser had to invent it to go on.
    pub fn is_missing(self) -> bool {
        self.record().missing
    }

    /// Its bytes in the source.
    pub fn range(self) -> Range<usize> {
        let record = self.record();
        record.start as usize..record.end as usize
    }

    /// Its text.
    pub fn text(self) -> &'m str {
        self.module.source().get(self.range()).unwrap_or_default()
    }

    /// Line of its first byte, from 1.
    pub fn line(self) -> u32 {
        self.record().row + 1
    }

    /// Column of its first byte, in bytes from 0.
    pub fn column(self) -> u32 {
        self.record().column
    }

    /// Its parent, `None` for the root.
    pub fn parent(self) -> Option<Self> {
        (self.index != 0).then(|| Self::new(self.module, self.record().parent))
    }

    /// Its ancestors, the parent first, the root last.
    pub fn ancestors(self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), |node| node.parent())
    }

    /// The nearest ancestor of this kind.
    pub fn ancestor(self, kind: Kind) -> Option<Self> {
        self.ancestors().find(|node| node.kind() == kind)
    }

    /// Its children, tokens and comments included.
    pub fn children(self) -> impl Iterator<Item = Self> {
        let end = self.record().next;
        let first = self.index + 1;
        std::iter::successors((first < end).then(|| Self::new(self.module, first)), move |child| {
            let next = child.record().next;
            (next < end && next > child.index).then(|| Self::new(child.module, next))
        })
    }

    /// Its children but tokens, comments and line continuations.
    pub fn named_children(self) -> impl Iterator<Item = Self> {
        self.children().filter(|child| {
            child.is_named() && !matches!(child.kind(), Kind::Comment | Kind::LineContinuation)
        })
    }

    /// Its first child in this role.
    pub fn child(self, field: Field) -> Option<Self> {
        self.children().find(|child| child.field() == Some(field))
    }

    /// All its named children in this role.
    pub fn children_in(self, field: Field) -> impl Iterator<Item = Self> {
        self.named_children().filter(move |child| child.field() == Some(field))
    }

    /// Everything below it, in pre-order, without itself.
    pub fn descendants(self) -> impl DoubleEndedIterator<Item = Self> {
        (self.index + 1..self.record().next.max(self.index + 1))
            .map(move |index| Self::new(self.module, index))
    }

    /// Whether `other` is below it.
    pub fn contains(self, other: Self) -> bool {
        other.index > self.index && other.index < self.record().next
    }

    /// First id after its descendants: lets a walk over [`Module::nodes`] skip it.
    pub fn after(self) -> u32 {
        self.record().next
    }

    /// The statement it stands in: itself, or the nearest ancestor that is one.
    pub fn statement(self) -> Option<Self> {
        std::iter::once(self).chain(self.ancestors()).find(|node| node.kind().is_statement())
    }

    /// The function it stands in, if any; lambdas do not count.
    pub fn function(self) -> Option<Self> {
        self.ancestor(Kind::FunctionDefinition)
    }

    /// The statements of a block, a module, or of what has a body, in order.
    pub fn statements(self) -> impl Iterator<Item = Self> {
        self.named_children().filter(|child| child.kind().is_statement())
    }

    /// Text of its operator token, or `""`. A comparison of several operands answers with the first of its operators.
    pub fn operator(self) -> &'m str {
        self.child(Field::Operator).or_else(|| self.child(Field::Operators)).map_or("", Node::text)
    }

    /// The expression inside any number of parentheses.
    pub fn unwrapped(self) -> Self {
        let mut node = self;
        while node.kind() == Kind::ParenthesizedExpression {
            match node.named_children().next() {
                Some(inner) => node = inner,
                None => return node,
            }
        }
        node
    }
}
