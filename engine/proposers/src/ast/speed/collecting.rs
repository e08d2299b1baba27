//! Loops that collect or add up by hand: comprehensions, `sum`, `range` instead of a counter, items instead of indices.

use super::Rewrites;
use super::reading::{
    changed, clauses, comparison, inner_expression, is_path, method_call, names_in, plain_call,
    previous_statement, uses,
};
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    sums_and_lists(rewrites);
    counters(rewrites);
    items_instead_of_indices(rewrites);
}

/// Loops that add up or collect: `sum`, comprehensions.
fn sums_and_lists(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::ForStatement).collect::<Vec<_>>() {
        let Some((clauses, work)) = clauses(node) else { continue };
        if let Some(line) = accumulated(work, &clauses, node) {
            let edits = vec![Edit::replace(node.range(), line.0)];
            rewrites.offer(line.1, line.2, "let the library do the loop".to_owned(), edits);
        }
    }
}

fn accumulated(work: Node<'_>, clauses: &str, around: Node<'_>) -> Option<(String, &'static str, f64)> {
    if work.kind() == Kind::AugmentedAssignment && work.operator() == "+=" {
        let (left, right) = (work.child(Field::Left)?, work.child(Field::Right)?);
        if changed(around).contains(left.text()) && names_in(right).contains(left.text()) {
            return None;
        }
        let simple = clauses.split_once(" in ").filter(|(head, _)| *head == format!("for {}", right.text()));
        let sum = match simple.filter(|(_, rest)| !rest.contains(" for ") && !rest.contains(" if ")) {
            Some((_, items)) => format!("sum({items})"),
            None => format!("sum([{} {clauses}])", right.text()),
        };
        return Some((format!("{} += {sum}", left.text()), "sum", 22.0));
    }
    let (object, method, arguments) = method_call(work)?;
    let item = arguments.first()?;
    match method {
        "append" => {
            Some((format!("{}.extend([{} {clauses}])", object.text(), item.text()), "comprehension", 24.0))
        }
        "add" => {
            Some((format!("{}.update([{} {clauses}])", object.text(), item.text()), "comprehension", 20.0))
        }
        _ => None,
    }
}

/// `i = 0` and `while i < n: ...; i += 1`: a `for` over a range.
fn counters(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::WhileStatement).collect::<Vec<_>>() {
        let Some(edits) = range_loop(node) else { continue };
        rewrites.offer("range_loop", 34.0, "count by a range".to_owned(), edits);
    }
}

fn range_loop(node: Node<'_>) -> Option<Vec<Edit>> {
    let (left, operator, right) = comparison(node.child(Field::Condition)?.unwrapped())?;
    let stop = match operator.as_str() {
        "<" => right.text().to_owned(),
        "<=" => format!("{} + 1", right.text()),
        _ => return None,
    };
    let body = node.child(Field::Body)?;
    let step = body.statements().last().filter(|_| body.statements().count() > 1)?;
    let increment = format!("{} += 1", left.text());
    let long_increment = format!("{0} = {0} + 1", left.text());
    if left.kind() != Kind::Identifier || (step.text() != increment && step.text() != long_increment) {
        return None;
    }
    let others = body.statements().filter(|s| *s != step);
    let rebound = others.into_iter().any(|statement| changed(statement).contains(left.text()));
    let goes_on = body.descendants().any(|n| n.kind() == Kind::ContinueStatement);
    if rebound || goes_on || node.child(Field::Alternative).is_some() {
        return None;
    }
    // A start just before the loop goes into the range, and stays for whoever reads the counter afterwards.
    let start = previous_statement(node)
        .map(inner_expression)
        .filter(|n| {
            n.kind() == Kind::Assignment && n.child(Field::Left).is_some_and(|l| l.text() == left.text())
        })
        .and_then(|n| n.child(Field::Right))
        .map_or(left.text(), Node::text);
    let head = node.range().start..node.child(Field::Condition)?.range().end;
    Some(vec![
        Edit::replace(head, format!("for {} in range({start}, {stop})", left.text())),
        Edit::replace(step.range(), "pass"),
    ])
}

/// `for i in range(len(xs))` with `xs[i]`: the items themselves, with their places where those are used.
fn items_instead_of_indices(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for node in rewrites.nodes(Kind::ForStatement).collect::<Vec<_>>() {
        let (Some(variable), Some(items), Some(body)) =
            (node.child(Field::Left), node.child(Field::Right), node.child(Field::Body))
        else {
            continue;
        };
        let Some(("range", arguments)) = plain_call(items) else { continue };
        let [length] = arguments.as_slice() else { continue };
        let Some(("len", lists)) = plain_call(*length) else { continue };
        let Some(list) = lists.first().filter(|list| is_path(**list)) else { continue };
        let places: Vec<Node<'_>> = body
            .descendants()
            .filter(|n| n.kind() == Kind::Subscript && n.field() != Some(Field::Left))
            .filter(|n| n.child(Field::Value).is_some_and(|v| v.text() == list.text()))
            .filter(|n| n.child(Field::Subscript).is_some_and(|s| s.text() == variable.text()))
            .collect();
        if places.is_empty() || changed(body).contains(list.text()) {
            continue;
        }
        let item = super::reading::fresh_name(source, "item");
        let all = uses(body, variable.text()).len() == places.len();
        let mut edits: Vec<Edit> =
            places.iter().map(|place| Edit::replace(place.range(), item.clone())).collect();
        if all {
            edits.push(Edit::replace(variable.range(), item));
            edits.push(Edit::replace(items.range(), list.text()));
        } else {
            edits.push(Edit::replace(variable.range(), format!("{}, {item}", variable.text())));
            edits.push(Edit::replace(items.range(), format!("enumerate({})", list.text())));
        }
        rewrites.offer("items", 21.0, format!("walk through {} itself", list.text()), edits);
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::check;

    #[test]
    fn a_counter_becomes_a_range() {
        check(
            "range_loop",
            "def f(n):\n    i = 2\n    while i <= n:\n        print(i)\n        i += 1\n",
            "def f(n):\n    i = 2\n    for i in range(2, n + 1):\n        print(i)\n        pass\n",
        );
    }

    #[test]
    fn items_are_walked_through() {
        check(
            "items",
            "def f(xs):\n    for i in range(len(xs)):\n        print(xs[i], i)\n",
            "def f(xs):\n    for i, _item in enumerate(xs):\n        print(_item, i)\n",
        );
    }

    #[test]
    fn loops_become_sums_and_comprehensions() {
        check(
            "sum",
            "def f(xs):\n    t = 0\n    for x in xs:\n        t += x * x\n    return t\n",
            "def f(xs):\n    t = 0\n    t += sum([x * x for x in xs])\n    return t\n",
        );
    }
}
