//! Work that is repeated though its result stays the same: done once before a loop, or once for several uses.

use super::Rewrites;
use super::reading::{changed, disturbs};
use super::reading::{
    fixed_in, fresh_name, is_loop, is_path, lines_before, names_in, plain_call, reads, repeats,
};
use std::collections::BTreeSet;
use syntax::{Edit, Field, Kind, Node};

/// Functions that answer the same for the same arguments and change nothing.
const PURE: &[&str] = &[
    "max",
    "min",
    "sum",
    "sorted",
    "set",
    "list",
    "tuple",
    "dict",
    "frozenset",
    "any",
    "all",
    "reversed",
    "map",
];

/// Functions that cost next to nothing.
const CHEAP: &[&str] = &["len", "range", "abs", "int", "float", "str", "round", "bool", "ord", "chr"];

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    calls(rewrites);
    expressions(rewrites);
    said_twice(rewrites);
}

/// Calls and comprehensions that read nothing that a loop around them changes.
fn calls(rewrites: &mut Rewrites<'_>) {
    let mut seen: BTreeSet<(u32, &str)> = BTreeSet::new();
    for node in rewrites.file.module.nodes().filter(|n| n.kind() == Kind::Call || n.kind().is_comprehension())
    {
        let named = plain_call(node).map(|(name, _)| name);
        let score = match named {
            Some(name) if CHEAP.contains(&name) => 15.0,
            Some(name) if PURE.contains(&name) => 75.0,
            Some(_) => 55.0,
            None if node.kind() == Kind::ListComprehension => 62.0,
            None if node.kind() == Kind::GeneratorExpression => continue,
            None if node.kind() == Kind::Call => 35.0,
            None => 60.0,
        };
        hoist(rewrites, node, named.unwrap_or("fixed"), score, &mut seen);
    }
}

/// Sums and attributes that a loop around them does not change.
fn expressions(rewrites: &mut Rewrites<'_>) {
    let mut seen: BTreeSet<(u32, &str)> = BTreeSet::new();
    for node in rewrites.nodes(Kind::BinaryOperator).collect::<Vec<_>>() {
        let whole = node.parent().is_some_and(|parent| parent.kind() != Kind::BinaryOperator);
        if whole && !names_in(node).is_empty() {
            hoist(rewrites, node, "fixed", 12.0, &mut seen);
        }
    }
    for node in rewrites.nodes(Kind::Attribute).collect::<Vec<_>>() {
        let called = node.field() == Some(Field::Function);
        let stored = node.field() == Some(Field::Left);
        let part = node.parent().is_some_and(|parent| parent.kind() == Kind::Attribute);
        if is_path(node) && !called && !stored && !part {
            hoist(rewrites, node, node.text(), 8.0, &mut seen);
        }
    }
}

fn hoist<'m>(
    rewrites: &mut Rewrites<'m>,
    node: Node<'m>,
    word: &str,
    score: f64,
    seen: &mut BTreeSet<(u32, &'m str)>,
) -> Option<()> {
    let source = rewrites.source();
    let around = fixed_in(node, &reads(node))?;
    let statement = around.statement()?;
    if !seen.insert((statement.id(), node.text())) {
        return None;
    }
    let held = fresh_name(source, word);
    let mut edits = vec![lines_before(source, statement, &[format!("{held} = {}", node.text())])];
    let same =
        around.descendants().filter(|other| other.kind() == node.kind() && other.text() == node.text());
    edits.extend(same.map(|other| Edit::replace(other.range(), held.clone())));
    let rationale = format!("compute {} once before the loop", shortened(node.text()));
    rewrites.offer("hoist", score, rationale, edits);
    Some(())
}

/// A call that stands more than once in a block, with nothing in between that changes what it reads.
fn said_twice(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    let mut seen: BTreeSet<(u32, &str)> = BTreeSet::new();
    for node in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let cheap = plain_call(node).is_some_and(|(name, _)| CHEAP.contains(&name));
        if node.ancestors().any(|a| a.kind() == Kind::Decorator) {
            continue;
        }
        let read = reads(node);
        // The block of the innermost loop or function: inside a comprehension there is no place to hold a value.
        let Some(first) = node.statement() else { continue };
        let within = node.ancestors().take_while(|a| *a != first).any(repeats);
        let header = is_loop(first) && !first.child(Field::Body).is_some_and(|body| body.contains(node));
        let Some(block) = first.parent().filter(|_| !within && !header) else { continue };
        if read.is_empty() || !seen.insert((block.id(), node.text())) {
            continue;
        }
        let mut same: Vec<Node<'_>> = Vec::new();
        for statement in block.statements().filter(|s| s.range().start >= first.range().start) {
            same.extend(
                statement.descendants().filter(|n| n.kind() == Kind::Call && n.text() == node.text()),
            );
            if disturbs(&changed(statement), &read) {
                break;
            }
        }
        if same.len() < 2 {
            continue;
        }
        let held = fresh_name(source, "same");
        let mut edits = vec![lines_before(source, first, &[format!("{held} = {}", node.text())])];
        edits.extend(same.iter().map(|other| Edit::replace(other.range(), held.clone())));
        let score = if cheap { 11.0 } else { 57.0 };
        rewrites.offer("said_once", score, format!("compute {} once", shortened(node.text())), edits);
    }
}

fn shortened(text: &str) -> String {
    let line: String = text.chars().take(40).map(|c| if c == '\n' { ' ' } else { c }).collect();
    if text.chars().count() > 40 { format!("{line}…") } else { line }
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::{check, offers};

    #[test]
    fn what_stays_the_same_is_computed_before_the_loop() {
        check(
            "hoist",
            "def f(xs):\n    t = 0\n    for x in xs:\n        t += (x - sum(xs) / len(xs)) ** 2\n    return t\n",
            "def f(xs):\n    t = 0\n    _sum = sum(xs)\n    for x in xs:\n        t += (x - _sum / len(xs)) ** 2\n    return t\n",
        );
        check(
            "hoist",
            "def f(xs):\n    return [x for x in xs if x == max(xs)]\n",
            "def f(xs):\n    _max = max(xs)\n    return [x for x in xs if x == _max]\n",
        );
        assert!(offers("hoist", "def f(xs):\n    while xs:\n        xs.remove(max(xs))\n").is_empty());
    }

    #[test]
    fn own_variables_of_a_comprehension_do_not_count() {
        let source = "def f(rs):\n    for r in rs:\n        print(r, sum([r['n'] for r in rs]))\n";
        assert!(
            offers("hoist", source)
                .iter()
                .any(|text| text.contains("_sum = sum([r['n'] for r in rs])\n    for"))
        );
    }

    #[test]
    fn what_is_said_twice_is_computed_once() {
        check(
            "said_once",
            "def f(n, b):\n    if g(n) > b:\n        b = g(n)\n    return b\n",
            "def f(n, b):\n    _same = g(n)\n    if _same > b:\n        b = _same\n    return b\n",
        );
    }
}
