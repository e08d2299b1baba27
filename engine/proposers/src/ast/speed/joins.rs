//! Nested scans that look for equal things: an index by key replaces the inner scan, as a hash join does in a database.

use super::{Rewrites, changed_names, comparison, fresh_name, lines_before, names_in, plain_call};
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    for inner in rewrites.nodes(Kind::ForStatement).collect::<Vec<_>>() {
        let around = inner.ancestors().take_while(|a| a.kind() != Kind::FunctionDefinition);
        for outer in around.filter(|a| super::is_loop(*a)).collect::<Vec<_>>() {
            join(rewrites, outer, inner);
        }
    }
}

/// An equality that the inner loop looks for: what depends on its variable, and what it must equal.
struct Equality {
    key: String,
    probe: String,
}

fn join(rewrites: &mut Rewrites<'_>, outer: Node<'_>, inner: Node<'_>) -> Option<()> {
    let source = rewrites.source();
    let (variable, items) = (inner.child(Field::Left)?, inner.child(Field::Right)?);
    let condition =
        super::only_statement(inner.child(Field::Body)?).filter(|s| s.kind() == Kind::IfStatement)?;
    if variable.kind() != Kind::Identifier
        && variable.kind() != Kind::PatternList
        && variable.kind() != Kind::TuplePattern
    {
        return None;
    }
    let own = names_in(variable);
    let varying = changed_names(outer);
    for part in conjuncts(condition.child(Field::Condition)?) {
        let Some((left, operator, right)) = comparison(part) else { continue };
        if operator != "==" {
            continue;
        }
        let Some(equality) = isolate(left, right, &own) else { continue };
        // The key may depend on nothing that changes while the outer loop runs, except the inner variable itself.
        let key_names =
            names_in(left).into_iter().chain(names_in(right)).filter(|name| equality.key.contains(name));
        let moving = key_names
            .filter(|name| !own.contains(name))
            .any(|name| varying.contains(name) && contains_word(&equality.key, name));
        if moving {
            continue;
        }
        let index = fresh_name(source, "index");
        let (domain, filter) = domain(items, &varying, &own)?;
        let target = variable.text();
        let lines = vec![
            format!("{index} = {{}}"),
            format!("for {target} in {domain}:"),
            format!("    {index}.setdefault({}, []).append({})", equality.key, value_of(variable)),
        ];
        let mut edits = vec![lines_before(source, outer, &lines)];
        let found = format!("{index}.get({}, ())", equality.probe);
        let scan = match filter {
            Some(range) => format!("[{target} for {target} in {found} if {target} in {range}]"),
            None => found,
        };
        edits.push(Edit::replace(items.range(), scan));
        rewrites.offer(
            "hash_join",
            95.0,
            format!("find {} by an index instead of a scan", equality.key),
            edits,
        );
    }
    Some(())
}

/// What the index keeps: the loop's variable, as a tuple when it is unpacked.
fn value_of(variable: Node<'_>) -> String {
    match variable.kind() {
        Kind::Identifier => variable.text().to_owned(),
        _ => format!("({})", variable.text().trim_matches(['(', ')'])),
    }
}

fn contains_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|part| part == word)
}

fn conjuncts(condition: Node<'_>) -> Vec<Node<'_>> {
    let condition = condition.unwrapped();
    if condition.kind() == Kind::BooleanOperator && condition.operator() == "and" {
        let sides = [condition.child(Field::Left), condition.child(Field::Right)];
        return sides.into_iter().flatten().flat_map(conjuncts).collect();
    }
    vec![condition]
}

/// Splits `left == right` into the side with the loop's own variable and the rest, moving terms of a sum across.
fn isolate(left: Node<'_>, right: Node<'_>, own: &std::collections::BTreeSet<&str>) -> Option<Equality> {
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
    Some(Equality { key: key.text().to_owned(), probe })
}

/// What the index is made of, and the range that the found items must still lie in when the inner loop's own range
/// depends on the outer loop.
fn domain(
    items: Node<'_>,
    varying: &std::collections::BTreeSet<&str>,
    own: &std::collections::BTreeSet<&str>,
) -> Option<(String, Option<String>)> {
    let depends =
        |node: Node<'_>| names_in(node).iter().any(|name| varying.contains(name) && !own.contains(name));
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
