//! Work that a loop repeats though nothing of it changes: it is done once, before the loop; sums of slices come from
//! prefix sums.

use super::{Rewrites, changed_names, fresh_name, is_loop, lines_before, names_in, plain_call};
use std::collections::BTreeSet;
use syntax::{Edit, Field, Kind, Node};

/// Functions that answer the same for the same arguments and change nothing.
const PURE: &[&str] = &[
    "len",
    "max",
    "min",
    "sum",
    "sorted",
    "abs",
    "set",
    "list",
    "tuple",
    "dict",
    "range",
    "int",
    "float",
    "str",
    "round",
    "frozenset",
];

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    hoist(rewrites);
    prefix_sums(rewrites);
}

/// The outermost loop around a node in which none of `names` changes.
fn fixed_loop<'m>(node: Node<'m>, names: &BTreeSet<&str>) -> Option<Node<'m>> {
    node.ancestors()
        .take_while(|a| !matches!(a.kind(), Kind::FunctionDefinition | Kind::Lambda))
        .filter(|a| is_loop(*a))
        .take_while(|around| changed_names(*around).is_disjoint(names))
        .last()
}

/// Whether a node stands in the part of a `for` that runs once anyway.
fn runs_once(node: Node<'_>, around: Node<'_>) -> bool {
    around.kind() == Kind::ForStatement
        && around.child(Field::Right).is_some_and(|items| items == node || items.contains(node))
}

fn hoist(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    let mut seen: BTreeSet<(u32, &str)> = BTreeSet::new();
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let names = names_in(call);
        let Some(around) = fixed_loop(call, &names) else { continue };
        if runs_once(call, around) || !seen.insert((around.id(), call.text())) {
            continue;
        }
        let named = plain_call(call).map(|(name, _)| name);
        let score = match named {
            Some("len" | "range" | "abs" | "int" | "float" | "str" | "round") => 15.0,
            Some(name) if PURE.contains(&name) => 75.0,
            Some(_) => 55.0,
            None => 35.0,
        };
        let held = fresh_name(source, named.unwrap_or("fixed"));
        let mut edits = vec![lines_before(source, around, &[format!("{held} = {}", call.text())])];
        let same =
            around.descendants().filter(|node| node.kind() == Kind::Call && node.text() == call.text());
        edits.extend(same.map(|node| Edit::replace(node.range(), held.clone())));
        rewrites.offer(
            "hoist",
            score,
            format!("compute {} once before the loop", shortened(call.text())),
            edits,
        );
    }
    for node in rewrites.nodes(Kind::BinaryOperator).collect::<Vec<_>>() {
        let names = names_in(node);
        let whole = node.parent().is_some_and(|parent| parent.kind() != Kind::BinaryOperator);
        let Some(around) = fixed_loop(node, &names).filter(|_| whole && !names.is_empty()) else { continue };
        if runs_once(node, around) || !seen.insert((around.id(), node.text())) {
            continue;
        }
        let held = fresh_name(source, "fixed");
        let edits = vec![
            lines_before(source, around, &[format!("{held} = {}", node.text())]),
            Edit::replace(node.range(), held),
        ];
        rewrites.offer(
            "hoist",
            12.0,
            format!("compute {} once before the loop", shortened(node.text())),
            edits,
        );
    }
}

/// `sum(xs[i:j])` inside a loop.
fn prefix_sums(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some(("sum", arguments)) = plain_call(call) else { continue };
        let [subscript] = arguments.as_slice() else { continue };
        let slice = subscript.child(Field::Subscript).filter(|s| s.kind() == Kind::Slice);
        let (Some(list), Some(slice)) = (subscript.child(Field::Value), slice) else { continue };
        let Some((start, stop)) = slice.text().split_once(':') else { continue };
        let names = names_in(list);
        let loops = call.ancestors().filter(|a| is_loop(*a) || a.kind().is_comprehension());
        let Some(around) =
            loops.take_while(|l| changed_names(*l).is_disjoint(&names)).last().and_then(Node::statement)
        else {
            continue;
        };
        let prefix = fresh_name(source, "prefix");
        let start = if start.trim().is_empty() { "0" } else { start.trim() };
        let stop = if stop.trim().is_empty() { "-1" } else { stop.trim() };
        let mut edits = rewrites.import("from itertools import accumulate");
        edits.push(lines_before(
            source,
            around,
            &[format!("{prefix} = list(accumulate({}, initial=0))", list.text())],
        ));
        edits.push(Edit::replace(call.range(), format!("({prefix}[{stop}] - {prefix}[{start}])")));
        rewrites.offer("prefix_sums", 90.0, format!("take sums of {} from prefix sums", list.text()), edits);
    }
}

fn shortened(text: &str) -> String {
    let line: String = text.chars().take(40).map(|c| if c == '\n' { ' ' } else { c }).collect();
    if text.chars().count() > 40 { format!("{line}…") } else { line }
}
