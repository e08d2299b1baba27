//! Nested scans that look for equal things: an index by key replaces the inner scan, as a hash join does in a database.

use super::Rewrites;
use super::reading::{
    changed, comparison, conjuncts, disturbs, fresh_name, lines_before, names_in, only_statement, plain_call,
    reads, repeated_by,
};
use std::collections::BTreeSet;
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    for inner in rewrites.nodes(Kind::ForStatement).collect::<Vec<_>>() {
        let Some(condition) = loop_condition(inner) else { continue };
        for outer in repeated_by(inner) {
            join(rewrites, outer, inner, condition);
        }
    }
    for clause in rewrites.nodes(Kind::ForInClause).collect::<Vec<_>>() {
        let Some(whole) = clause.parent() else { continue };
        let next = whole.named_children().find(|child| child.range().start > clause.range().start);
        let condition =
            next.filter(|next| next.kind() == Kind::IfClause).and_then(|c| c.named_children().next());
        let Some(condition) = condition else { continue };
        let first = whole.named_children().find(|child| child.kind() == Kind::ForInClause) == Some(clause);
        let outers = if first {
            repeated_by(whole)
        } else {
            std::iter::once(whole).chain(repeated_by(whole)).collect()
        };
        for outer in outers {
            join(rewrites, outer, clause, condition);
        }
    }
}

/// The condition without which a loop's body does nothing: of the only `if`, or of a first `if` that goes on to the next.
fn loop_condition(inner: Node<'_>) -> Option<Node<'_>> {
    let body = inner.child(Field::Body)?;
    let first = body.statements().next().filter(|first| first.kind() == Kind::IfStatement)?;
    let condition = first.child(Field::Condition)?;
    let only = body.statements().count() == 1 && first.child(Field::Alternative).is_none();
    let goes_on = first.child(Field::Consequence)?.text().trim() == "continue";
    (only || goes_on).then_some(condition)
}

/// An equality that the inner loop looks for: what depends on its variable, and what it must equal.
struct Equality<'m> {
    key: String,
    probe: String,
    /// What the key is made of.
    reads: BTreeSet<&'m str>,
}

fn join(rewrites: &mut Rewrites<'_>, outer: Node<'_>, inner: Node<'_>, condition: Node<'_>) -> Option<()> {
    let source = rewrites.source();
    let (variable, items) = (inner.child(Field::Left)?, inner.child(Field::Right)?);
    if !matches!(variable.kind(), Kind::Identifier | Kind::PatternList | Kind::TuplePattern) {
        return None;
    }
    let own = names_in(variable);
    let varying = changed(outer);
    let skips = condition.statement().is_some_and(|statement| {
        statement.child(Field::Consequence).is_some_and(|body| body.text().trim() == "continue")
    });
    let wanted = if skips { "!=" } else { "==" };
    let parts = if skips { vec![condition.unwrapped()] } else { conjuncts(condition) };
    for part in parts {
        let Some((left, operator, right)) = comparison(part) else { continue };
        if operator != wanted {
            continue;
        }
        let Some(equality) = isolate(left, right, &own) else { continue };
        // The key may depend on nothing that changes while the outer loop runs, except the inner variable itself.
        let other: BTreeSet<&str> =
            equality.reads.iter().filter(|path| !own.contains(root_of(path))).copied().collect();
        let moving = disturbs(&varying, &other);
        if moving {
            continue;
        }
        let index = fresh_name(source, "index");
        if let Some((walk, walked)) = nested_walk(inner, items, &varying) {
            let lines = vec![
                format!("{index} = {{}}"),
                format!("for {walk}:"),
                format!("    for {} in {}:", variable.text(), items.text()),
                format!("        {index}.setdefault({}, []).append({})", equality.key, value_of(variable)),
            ];
            let edits = vec![
                lines_before(source, outer.statement()?, &lines),
                Edit::replace(walked.range(), format!("({index}.get({}, ()),)", equality.probe)),
            ];
            let rationale = format!("find {} by an index instead of two scans", equality.key);
            rewrites.offer("hash_join", 94.0, rationale, edits);
            continue;
        }
        let (domain, filter) = domain(items, &varying, &own)?;
        let target = variable.text();
        let lines = vec![
            format!("{index} = {{}}"),
            format!("for {target} in {domain}:"),
            format!("    {index}.setdefault({}, []).append({})", equality.key, value_of(variable)),
        ];
        let mut edits = vec![lines_before(source, outer.statement()?, &lines)];
        let found = format!("{index}.get({}, ())", equality.probe);
        let scan = match filter {
            Some(range) => format!("[{target} for {target} in {found} if {target} in {range}]"),
            None => found,
        };
        edits.push(Edit::replace(items.range(), scan));
        let rationale = format!("find {} by an index instead of a scan", equality.key);
        rewrites.offer("hash_join", 95.0, rationale, edits);
    }
    Some(())
}

/// A scan through the parts of a fixed whole, `for row in rows: for x in row`: what walks through the whole, and the whole.
fn nested_walk<'m>(inner: Node<'m>, items: Node<'m>, varying: &BTreeSet<&str>) -> Option<(String, Node<'m>)> {
    let around = inner.parent()?.parent().filter(|around| around.kind() == Kind::ForStatement)?;
    let (part, whole) = (around.child(Field::Left)?, around.child(Field::Right)?);
    let only = only_statement(around.child(Field::Body)?)? == inner;
    let fixed = !disturbs(varying, &reads(whole));
    (only && fixed && part.text() == items.text())
        .then(|| (format!("{} in {}", part.text(), whole.text()), whole))
}

fn root_of(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

/// What the index keeps: the loop's variable, as a tuple when it is unpacked.
fn value_of(variable: Node<'_>) -> String {
    match variable.kind() {
        Kind::Identifier => variable.text().to_owned(),
        _ => format!("({})", variable.text().trim_matches(['(', ')'])),
    }
}

/// Splits `left == right` into the side with the loop's own variable and the rest, moving terms of a sum across.
fn isolate<'m>(left: Node<'m>, right: Node<'m>, own: &BTreeSet<&str>) -> Option<Equality<'m>> {
    let has_own = |node: Node<'_>| !names_in(node).is_disjoint(own);
    let (inside, outside) = match (has_own(left), has_own(right)) {
        (true, false) => (left.unwrapped(), right),
        (false, true) => (right.unwrapped(), left),
        _ => return None,
    };
    let mut key = inside;
    let mut probe = outside.text().to_owned();
    while key.kind() == Kind::BinaryOperator {
        let (a, b) = (key.child(Field::Left)?.unwrapped(), key.child(Field::Right)?.unwrapped());
        match (key.operator(), has_own(a), has_own(b)) {
            ("+", true, false) => {
                probe = format!("({probe}) - ({})", b.text());
                key = a;
            }
            ("+", false, true) => {
                probe = format!("({probe}) - ({})", a.text());
                key = b;
            }
            ("-", true, false) => {
                probe = format!("({probe}) + ({})", b.text());
                key = a;
            }
            ("-", false, true) => {
                probe = format!("({}) - ({probe})", a.text());
                key = b;
            }
            _ => break,
        }
    }
    // Lists cannot be keys, tuples can.
    let makes_list = |text: &str| ["sorted(", "list(", "["].iter().any(|start| text.starts_with(start));
    let (text, probe) = match makes_list(key.text()) {
        true => (format!("tuple({})", key.text()), format!("tuple({probe})")),
        false => (key.text().to_owned(), probe),
    };
    Some(Equality { key: text, probe, reads: reads(key) })
}

/// What the index is made of, and the range that the found items must still lie in when the inner loop's own range
/// depends on the outer loop.
fn domain(
    items: Node<'_>,
    varying: &BTreeSet<&str>,
    own: &BTreeSet<&str>,
) -> Option<(String, Option<String>)> {
    let depends = |node: Node<'_>| {
        let read: BTreeSet<&str> =
            reads(node).into_iter().filter(|name| !own.contains(root_of(name))).collect();
        disturbs(varying, &read)
    };
    if !depends(items) {
        return Some((items.text().to_owned(), None));
    }
    let ("range", arguments) = plain_call(items)? else { return None };
    let stop = match arguments.as_slice() {
        [stop] | [_, stop] => *stop,
        _ => return None,
    };
    (!depends(stop)).then(|| (format!("range({})", stop.text()), Some(items.text().to_owned())))
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::check;

    #[test]
    fn an_inner_loop_looks_up() {
        check(
            "hash_join",
            "def f(a, b):\n    for x in a:\n        for y in b:\n            if x.id == y.id:\n                print(x, y)\n",
            "def f(a, b):\n    _index = {}\n    for y in b:\n        _index.setdefault(y.id, []).append(y)\n    for x in a:\n        \
             for y in _index.get(x.id, ()):\n            if x.id == y.id:\n                print(x, y)\n",
        );
    }

    #[test]
    fn two_scans_become_one_look_up() {
        check(
            "hash_join",
            "def f(g, n):\n    for v in range(n):\n        for row in g:\n            for x in row:\n                if x == v:\n                    print(v)\n",
            "def f(g, n):\n    _index = {}\n    for row in g:\n        for x in row:\n            _index.setdefault(x, []).append(x)\n    \
             for v in range(n):\n        for row in (_index.get(v, ()),):\n            for x in row:\n                if x == v:\n                    print(v)\n",
        );
    }

    #[test]
    fn an_inner_comprehension_looks_up() {
        check(
            "hash_join",
            "def f(a, b):\n    return {k: sum(y.n for y in b if y.k == k) for k in a}\n",
            "def f(a, b):\n    _index = {}\n    for y in b:\n        _index.setdefault(y.k, []).append(y)\n    \
             return {k: sum(y.n for y in _index.get(k, ()) if y.k == k) for k in a}\n",
        );
    }

    #[test]
    fn lists_as_keys_become_tuples() {
        check(
            "hash_join",
            "def f(a):\n    for x in a:\n        for y in a:\n            if sorted(x) == sorted(y):\n                print(x, y)\n",
            "def f(a):\n    _index = {}\n    for y in a:\n        _index.setdefault(tuple(sorted(y)), []).append(y)\n    for x in a:\n        \
             for y in _index.get(tuple(sorted(x)), ()):\n            if sorted(x) == sorted(y):\n                print(x, y)\n",
        );
    }
}
