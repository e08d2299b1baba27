//! Rewrites that may make a program faster without changing what it says: caches, containers that find things at once,
//! indices instead of nested scans, less work in loops, library idioms.
//!
//! A rule matches syntax, not meaning, so some of its rewrites change the program's behaviour; tests and the comparison
//! of the benchmark's output are there to tell. Rules are ordered by what they usually yield. Sources: the catalogues of
//! the Python wiki's "PerformanceTips" and of Gorelick and Ozsvald, "High Performance Python" (2020).

mod caching;
mod containers;
mod idioms;
mod invariants;
mod joins;
mod loops;

use super::pool::Change;
use super::scene::{Scene, SceneFile};
use std::collections::BTreeSet;
use syntax::{Edit, Field, Kind, Node};

/// The operator's name.
pub(super) const NAME: &str = "speed";

/// All rewrites of all files.
pub(super) fn changes(scene: &Scene) -> Vec<Change> {
    let mut changes = Vec::new();
    for file in &scene.files {
        let mut rewrites = Rewrites { file, found: Vec::new() };
        caching::find(&mut rewrites);
        containers::find(&mut rewrites);
        joins::find(&mut rewrites);
        invariants::find(&mut rewrites);
        loops::find(&mut rewrites);
        idioms::find(&mut rewrites);
        changes.extend(rewrites.found);
    }
    changes
}

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

fn is_import(node: Node<'_>) -> bool {
    matches!(node.kind(), Kind::ImportStatement | Kind::ImportFromStatement | Kind::FutureImportStatement)
}

/// The byte after the newline that ends the line of `byte`.
fn line_end(source: &str, byte: usize) -> usize {
    source.get(byte..).and_then(|rest| rest.find('\n')).map_or(source.len(), |offset| byte + offset + 1)
}

/// The white space before the statement on its line.
fn indent_of<'s>(source: &'s str, node: Node<'_>) -> &'s str {
    let start = node.range().start;
    let line = source.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let before = source.get(line..start).unwrap_or_default();
    let blank = before.len() - before.trim_start().len();
    before.get(..blank).unwrap_or_default()
}

/// An edit that puts lines before a statement, at its indentation.
fn lines_before(source: &str, statement: Node<'_>, lines: &[String]) -> Edit {
    let indent = indent_of(source, statement);
    let text: String = lines.iter().map(|line| format!("{line}\n{indent}")).collect();
    Edit::insert(statement.range().start, text)
}

/// An edit that puts a line after a simple statement, at its indentation.
fn line_after(source: &str, statement: Node<'_>, line: &str) -> Edit {
    let indent = indent_of(source, statement);
    Edit::insert(statement.range().end, format!("\n{indent}{line}"))
}

/// Whether the node is a loop statement.
fn is_loop(node: Node<'_>) -> bool {
    matches!(node.kind(), Kind::ForStatement | Kind::WhileStatement)
}

/// The loops and comprehensions around a node, the innermost first, up to its function.
fn loops_around<'m>(node: Node<'m>) -> Vec<Node<'m>> {
    node.ancestors()
        .take_while(|ancestor| !matches!(ancestor.kind(), Kind::FunctionDefinition | Kind::Lambda))
        .filter(|ancestor| is_loop(*ancestor))
        .collect()
}

/// Names that a node binds or changes: targets of assignments and loops, and objects of mutating methods.
fn changed_names(node: Node<'_>) -> BTreeSet<&str> {
    const MUTATING: &[&str] = &[
        "append",
        "add",
        "extend",
        "insert",
        "pop",
        "popleft",
        "remove",
        "discard",
        "clear",
        "sort",
        "reverse",
        "update",
        "setdefault",
        "appendleft",
        "popitem",
    ];
    let mut names = BTreeSet::new();
    for inner in std::iter::once(node).chain(node.descendants()) {
        match inner.kind() {
            Kind::Assignment | Kind::AugmentedAssignment | Kind::ForStatement | Kind::ForInClause => {
                if let Some(left) = inner.child(Field::Left) {
                    names.extend(names_in(left));
                }
            }
            Kind::NamedExpression => names.extend(inner.child(Field::Name).map(Node::text)),
            Kind::DeleteStatement => names.extend(names_in(inner)),
            Kind::Call => {
                let function = inner.child(Field::Function).filter(|f| f.kind() == Kind::Attribute);
                let method = function.and_then(|f| f.child(Field::Attribute)).map(Node::text);
                if let Some(object) = function.and_then(|f| f.child(Field::Object))
                    && method.is_some_and(|method| MUTATING.contains(&method))
                {
                    names.extend(names_in(object));
                }
            }
            _ => {}
        }
    }
    names
}

/// Names read or written in a node; attributes and keywords are not names.
fn names_in<'m>(node: Node<'m>) -> BTreeSet<&'m str> {
    std::iter::once(node)
        .chain(node.descendants())
        .filter(|inner| inner.kind() == Kind::Identifier)
        .filter(|inner| {
            let parent = inner.parent();
            !parent.is_some_and(|parent| {
                (parent.kind() == Kind::Attribute && inner.field() == Some(Field::Attribute))
                    || (parent.kind() == Kind::KeywordArgument && inner.field() == Some(Field::Name))
            })
        })
        .map(Node::text)
        .collect()
}

/// A name that the file does not use, made from a word.
fn fresh_name(source: &str, word: &str) -> String {
    let word: String = word.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let stem = format!("_{}", word.trim_matches('_'));
    (0..)
        .map(|n| if n == 0 { stem.clone() } else { format!("{stem}{n}") })
        .find(|name| !source.contains(name.as_str()))
        .unwrap_or(stem)
}

/// Method name, object and arguments of a method call.
fn method_call(node: Node<'_>) -> Option<(Node<'_>, &str, Vec<Node<'_>>)> {
    if node.kind() != Kind::Call {
        return None;
    }
    let function = node.child(Field::Function).filter(|f| f.kind() == Kind::Attribute)?;
    let arguments = node.child(Field::Arguments)?.named_children().collect();
    Some((function.child(Field::Object)?, function.child(Field::Attribute)?.text(), arguments))
}

/// Function name and arguments of a plain call.
fn plain_call(node: Node<'_>) -> Option<(&str, Vec<Node<'_>>)> {
    if node.kind() != Kind::Call {
        return None;
    }
    let function = node.child(Field::Function).filter(|f| f.kind() == Kind::Identifier)?;
    Some((function.text(), node.child(Field::Arguments)?.named_children().collect()))
}

/// Left side, operator and right side of a comparison of two operands.
fn comparison(node: Node<'_>) -> Option<(Node<'_>, String, Node<'_>)> {
    if node.kind() != Kind::ComparisonOperator {
        return None;
    }
    let operands: Vec<Node<'_>> = node.named_children().collect();
    let [left, right] = operands.as_slice() else { return None };
    let between = node.module().source().get(left.range().end..right.range().start)?;
    let operator = between.split_whitespace().collect::<Vec<_>>().join(" ");
    Some((*left, operator.trim_matches(['(', ')']).to_owned(), *right))
}

/// The only statement of a body, without comments.
fn only_statement(body: Node<'_>) -> Option<Node<'_>> {
    let mut statements = body.statements();
    match (statements.next(), statements.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// The expression of an expression statement, or the assignment in it.
fn inner_expression(statement: Node<'_>) -> Node<'_> {
    if statement.kind() == Kind::ExpressionStatement {
        statement.named_children().next().unwrap_or(statement)
    } else {
        statement
    }
}
