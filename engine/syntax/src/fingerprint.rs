//! The normal form of a program, hashed: equal for programs that differ in layout only.
//!
//! Dropped: comments, blank lines, indentation width, line continuations, redundant parentheses, trailing commas, `pass`,
//! strings that stand alone as statements (unless the program reads its own docstrings), the style of quotes and
//! escapes. Everything else is kept, names included, so programs that may behave differently have different fingerprints.

use crate::kind::{Field, Kind};
use crate::literal::{self, Piece};
use crate::module::Module;
use crate::node::Node;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// Bytes of a fingerprint: 128 bits, so that among 10^9 programs a collision has a chance below 10^-20.
pub const FINGERPRINT_BYTES: usize = 16;

/// Hash of a program's normal form, shown as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; FINGERPRINT_BYTES]);

/// A text is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is {} hexadecimal digits", 2 * FINGERPRINT_BYTES)]
pub struct ParseFingerprintError;

impl Fingerprint {
    /// Hash of any bytes, for files that are not Python: equal only for equal bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"bytes\0");
        hash.update(bytes);
        Self::finish(hash)
    }

    /// One fingerprint for several named parts, in the order given.
    pub fn combine<'a>(parts: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"parts\0");
        for (name, part) in parts {
            hash.update(name.len().to_le_bytes());
            hash.update(name.as_bytes());
            hash.update(part.0);
        }
        Self::finish(hash)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; FINGERPRINT_BYTES] {
        &self.0
    }

    fn finish(hash: Sha256) -> Self {
        let digest = hash.finalize();
        let mut bytes = [0; FINGERPRINT_BYTES];
        for (to, from) in bytes.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 2 * FINGERPRINT_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ParseFingerprintError);
        }
        let mut bytes = [0; FINGERPRINT_BYTES];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(2 * index..2 * index + 2).ok_or(ParseFingerprintError)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| ParseFingerprintError)?;
        }
        Ok(Self(bytes))
    }
}

impl Module {
    /// Hash of the normal form. A source with errors is hashed byte by byte, since its tree says too little.
    pub fn fingerprint(&self) -> Fingerprint {
        if !self.is_valid() {
            return Fingerprint::of_bytes(self.source().as_bytes());
        }
        let keeps_docstrings = reads_docstrings(self);
        let mut writer = Writer { hash: Sha256::new(), keeps_docstrings };
        writer.hash.update(b"module\0");
        let mut open: Vec<(u32, bool)> = Vec::new();
        let mut next = 0;
        while let Some(node) = self.node(next) {
            while open.last().is_some_and(|(end, _)| *end <= node.id()) {
                if let Some((_, true)) = open.pop() {
                    writer.close();
                }
            }
            match writer.enter(node) {
                Step::Skip => next = node.after(),
                Step::Leaf => {
                    writer.leaf(node);
                    next = node.after();
                }
                Step::Transparent => {
                    open.push((node.after(), false));
                    next += 1;
                }
                Step::Open => {
                    writer.open(node);
                    open.push((node.after(), true));
                    next += 1;
                }
            }
        }
        for _ in open.iter().filter(|(_, written)| *written) {
            writer.close();
        }
        Fingerprint::finish(writer.hash)
    }
}

/// Whether the program may look at its own docstrings, in which case they are part of what it does.
fn reads_docstrings(module: &Module) -> bool {
    ["__doc__", "getdoc", "doctest", "argparse", "docopt"].iter().any(|word| module.source().contains(word))
}

enum Step {
    Skip,
    Leaf,
    Transparent,
    Open,
}

struct Writer {
    hash: Sha256,
    keeps_docstrings: bool,
}

impl Writer {
    fn enter(&self, node: Node<'_>) -> Step {
        match node.kind() {
            Kind::Comment | Kind::LineContinuation | Kind::PassStatement => Step::Skip,
            Kind::Token => {
                if is_silent_token(node) {
                    Step::Skip
                } else {
                    Step::Leaf
                }
            }
            Kind::ExpressionStatement if !self.keeps_docstrings && literal::is_bare_string(node) => {
                Step::Skip
            }
            Kind::ParenthesizedExpression if !parentheses_matter(node) => Step::Transparent,
            Kind::Tuple | Kind::ExpressionList | Kind::TuplePattern | Kind::PatternList
                if is_one_in_parentheses(node) && !parentheses_matter(node) =>
            {
                Step::Transparent
            }
            Kind::String if !literal::is_formatted(node) => Step::Leaf,
            Kind::StringStart | Kind::StringContent | Kind::Integer | Kind::Float => Step::Leaf,
            Kind::StringEnd => Step::Skip,
            Kind::Interpolation if shows_its_own_text(node) => Step::Leaf,
            _ if node.children().next().is_none() => Step::Leaf,
            _ => Step::Open,
        }
    }

    fn open(&mut self, node: Node<'_>) {
        self.hash.update(b"(");
        self.text(role(node));
        self.text(normal_kind(node).name());
    }

    fn close(&mut self) {
        self.hash.update(b")");
    }

    fn leaf(&mut self, node: Node<'_>) {
        self.hash.update(b".");
        self.text(role(node));
        match node.kind() {
            Kind::String => self.string(node),
            Kind::StringStart => {
                let (letters, _) = literal::prefix(node.text());
                self.text("string_start");
                self.text(&letters);
            }
            Kind::StringContent => {
                let start = node.parent().and_then(|string| string.children().next()).map_or("", Node::text);
                let (letters, _) = literal::prefix(start);
                self.content(node.text(), &letters);
            }
            Kind::Integer | Kind::Float => {
                self.text(node.kind().name());
                self.text(&node.text().replace('_', "").to_ascii_lowercase());
            }
            kind => {
                self.text(kind.name());
                self.text(node.text());
            }
        }
    }

    fn string(&mut self, node: Node<'_>) {
        let text = node.text();
        let start = node.children().next().map_or("", Node::text);
        let (letters, quotes) = literal::prefix(start);
        let content = text.get(start.len()..text.len().saturating_sub(quotes)).unwrap_or_default();
        self.text("string");
        self.text(letters.trim_matches('r'));
        self.content(content, &letters);
    }

    fn content(&mut self, content: &str, letters: &str) {
        for piece in literal::decode(content, letters.contains('r'), letters.contains('b')) {
            match piece {
                Piece::Text(text) if text.is_empty() => {}
                Piece::Text(text) => {
                    self.hash.update(b"t");
                    self.text(&text);
                }
                Piece::Escape(spelt) => {
                    self.hash.update(b"e");
                    self.text(&spelt);
                }
            }
        }
    }

    /// Writes a text with its length before it, so that no two sequences of texts look the same.
    fn text(&mut self, text: &str) {
        self.hash.update(text.len().to_le_bytes());
        self.hash.update(text.as_bytes());
    }
}

/// The role of a node, seen through the parentheses around it.
fn role(node: Node<'_>) -> &'static str {
    let mut outer = node;
    loop {
        if let Some(field) = outer.field() {
            return field.name();
        }
        match outer.parent() {
            Some(parent) if is_transparent(parent) => outer = parent,
            _ => return "",
        }
    }
}

fn is_transparent(node: Node<'_>) -> bool {
    match node.kind() {
        Kind::ParenthesizedExpression => !parentheses_matter(node),
        Kind::Tuple | Kind::ExpressionList | Kind::TuplePattern | Kind::PatternList => {
            is_one_in_parentheses(node) && !parentheses_matter(node)
        }
        _ => false,
    }
}

/// A tuple is a tuple with or without parentheses, and whether it is read or assigned to.
fn normal_kind(node: Node<'_>) -> Kind {
    let is_argument_of_statement = node.parent().is_some_and(|parent| {
        matches!(
            parent.kind(),
            Kind::ReturnStatement
                | Kind::Assignment
                | Kind::ExpressionStatement
                | Kind::ForStatement
                | Kind::ForInClause
                | Kind::Yield
                | Kind::AugmentedAssignment
        )
    });
    match node.kind() {
        Kind::ExpressionList | Kind::PatternList | Kind::TuplePattern if is_argument_of_statement => {
            Kind::Tuple
        }
        kind => kind,
    }
}

/// `(x)` where the grammar sees a tuple or a pattern: one element and no comma.
fn is_one_in_parentheses(node: Node<'_>) -> bool {
    node.named_children().count() == 1 && !node.children().any(|child| child.text() == ",")
}

/// An annotated name in parentheses is not declared as a variable of its scope (language reference, section 7.2.2);
/// in patterns of `match`, in `with` and in targets of `del`, parentheses are left as they are to be on the safe side.
fn parentheses_matter(node: Node<'_>) -> bool {
    let Some(parent) = node.parent() else { return true };
    let annotated = parent.kind() == Kind::Assignment
        && node.field() == Some(Field::Left)
        && parent.child(Field::Type).is_some();
    annotated
        || matches!(parent.kind(), Kind::CasePattern | Kind::CaseClause | Kind::WithItem | Kind::WithClause)
        || node.ancestors().take_while(|a| !a.kind().is_statement()).any(|a| a.kind() == Kind::CasePattern)
}

/// `f"{x = }"` prints the text of its expression, so that layout is part of its value.
fn shows_its_own_text(interpolation: Node<'_>) -> bool {
    interpolation.children().any(|child| child.kind() == Kind::Token && child.text() == "=")
}

/// Punctuation that the tree's shape already tells.
fn is_silent_token(token: Node<'_>) -> bool {
    let parent = token.parent().map_or(Kind::Module, Node::kind);
    match token.text() {
        "(" | ")" | "[" | "]" | "{" | "}" => {
            !matches!(parent, Kind::WithClause | Kind::CasePattern | Kind::CaseClause | Kind::TuplePattern)
                || normalised_tuple(token)
        }
        ";" => true,
        ":" => parent != Kind::Slice,
        "," => {
            matches!(
                parent,
                Kind::ArgumentList
                    | Kind::Dictionary
                    | Kind::ExpressionList
                    | Kind::LambdaParameters
                    | Kind::List
                    | Kind::ListPattern
                    | Kind::Parameters
                    | Kind::PatternList
                    | Kind::Set
                    | Kind::Tuple
            ) || normalised_tuple(token)
        }
        _ => false,
    }
}

fn normalised_tuple(token: Node<'_>) -> bool {
    token
        .parent()
        .is_some_and(|parent| parent.kind() == Kind::TuplePattern && normal_kind(parent) == Kind::Tuple)
}
