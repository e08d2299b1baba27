//! Fewer rounds: tighter bounds, an end as soon as the answer is known, sorting by the library.

use super::{
    Rewrites, changed_names, comparison, inner_expression, is_loop, line_after, loops_around, names_in,
    plain_call,
};
use std::collections::BTreeSet;
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    square_root_bounds(rewrites);
    early_ends(rewrites);
    triangular(rewrites);
    library_sort(rewrites);
    sums_and_lists(rewrites);
}

/// `for d in range(2, n)` with `n % d` in its body: divisors come in pairs about the square root.
fn square_root_bounds(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::ForStatement).collect::<Vec<_>>() {
        let (Some(variable), Some(items), Some(body)) =
            (node.child(Field::Left), node.child(Field::Right), node.child(Field::Body))
        else {
            continue;
        };
        let Some(("range", arguments)) = plain_call(items) else { continue };
        let [start, stop] = arguments.as_slice() else { continue };
        for (number, divisor) in remainders(body) {
            if divisor != variable.text() || !names_in(*stop).contains(number) {
                continue;
            }
            let bound = format!("range({}, int({number} ** 0.5) + 1)", start.text());
            let edits = vec![Edit::replace(items.range(), bound)];
            rewrites.offer(
                "square_root_bound",
                85.0,
                format!("try divisors of {number} up to its square root"),
                edits,
            );
            let odd = format!("range({}, int({number} ** 0.5) + 1, 2)", start.text());
            rewrites.offer(
                "odd_divisors",
                20.0,
                "try every second divisor".to_owned(),
                vec![Edit::replace(items.range(), odd)],
            );
            break;
        }
    }
    for node in rewrites.nodes(Kind::WhileStatement).collect::<Vec<_>>() {
        let (Some(condition), Some(body)) = (node.child(Field::Condition), node.child(Field::Body)) else {
            continue;
        };
        let Some((left, operator, right)) = comparison(condition.unwrapped()) else { continue };
        let pairs = remainders(body);
        if (operator == "<" || operator == "<=") && pairs.iter().any(|(_, divisor)| *divisor == left.text()) {
            let number =
                pairs.iter().find(|(_, divisor)| *divisor == left.text()).map_or(right.text(), |(n, _)| n);
            let bound = format!("{0} * {0} <= {number}", left.text());
            let edits = vec![Edit::replace(condition.range(), bound)];
            rewrites.offer(
                "square_root_bound",
                85.0,
                format!("try divisors of {number} up to its square root"),
                edits,
            );
        }
    }
}

/// `a % b` with plain names, in a node.
fn remainders(node: Node<'_>) -> Vec<(&str, &str)> {
    node.descendants()
        .filter(|inner| inner.kind() == Kind::BinaryOperator && inner.operator() == "%")
        .filter_map(|inner| Some((inner.child(Field::Left)?.text(), inner.child(Field::Right)?.text())))
        .collect()
}

/// A loop that only sets a flag may end there.
fn early_ends(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for node in rewrites.nodes(Kind::Assignment).collect::<Vec<_>>() {
        let (Some(statement), Some(value)) = (node.statement(), node.child(Field::Right)) else { continue };
        let conditional = statement
            .parent()
            .and_then(|block| block.parent())
            .is_some_and(|p| p.kind() == Kind::IfStatement);
        let last = statement.parent().and_then(|block| block.statements().last()) == Some(statement);
        if !conditional || !last || loops_around(node).is_empty() {
            continue;
        }
        let flag = matches!(value.kind(), Kind::True | Kind::False | Kind::None | Kind::Integer);
        let score = if flag { 70.0 } else { 25.0 };
        rewrites.offer(
            "early_break",
            score,
            "leave the loop when the answer is known".to_owned(),
            vec![line_after(source, statement, "break")],
        );
    }
}

/// `for j in range(n)` inside `for i in range(n)`: only later, or only earlier, partners.
fn triangular(rewrites: &mut Rewrites<'_>) {
    for inner in rewrites.nodes(Kind::ForStatement).collect::<Vec<_>>() {
        let outer = loops_around(inner).into_iter().find(|l| l.kind() == Kind::ForStatement);
        let (Some(items), Some(variable)) =
            (inner.child(Field::Right), outer.and_then(|outer| outer.child(Field::Left)))
        else {
            continue;
        };
        let Some(("range", arguments)) = plain_call(items) else { continue };
        let i = variable.text();
        if names_in(items).contains(i) {
            continue;
        }
        let mut offer = |text: String, score: f64| {
            rewrites.offer(
                "triangular",
                score,
                "skip pairs that were seen already".to_owned(),
                vec![Edit::replace(items.range(), text)],
            );
        };
        match arguments.as_slice() {
            [stop] => {
                let stop = stop.text();
                offer(format!("range({i} + 1, {stop})"), 30.0);
                offer(format!("range({stop} - {i})"), 35.0);
                offer(format!("range({i}, {stop})"), 18.0);
                offer(format!("range({i})"), 15.0);
            }
            [start, stop] => offer(format!("range({}, {} - {i})", start.text(), stop.text()), 25.0),
            _ => {}
        }
    }
}

/// Nested loops that swap or shift the elements of a list: the library sorts.
fn library_sort(rewrites: &mut Rewrites<'_>) {
    let mut offered: BTreeSet<u32> = BTreeSet::new();
    for node in rewrites.nodes(Kind::Assignment).collect::<Vec<_>>() {
        let Some(left) = node.child(Field::Left) else { continue };
        let targets = std::iter::once(left).chain(left.descendants()).filter(|n| n.kind() == Kind::Subscript);
        let lists: Vec<&str> = targets.filter_map(|n| n.child(Field::Value)).map(Node::text).collect();
        let loops = loops_around(node);
        let (Some(list), Some(outermost)) = (lists.first(), loops.last()) else { continue };
        let compares = outermost.descendants().any(|n| {
            comparison(n).is_some_and(|(a, op, b)| {
                (op.starts_with('<') || op.starts_with('>'))
                    && (a.text().contains(*list) || b.text().contains(*list))
            })
        });
        let nested = outermost.descendants().any(is_loop);
        if !nested || !compares || !offered.insert(outermost.id()) {
            continue;
        }
        for (order, score) in [("", 88.0), ("reverse=True", 45.0)] {
            let edits = vec![Edit::replace(outermost.range(), format!("{list}.sort({order})"))];
            rewrites.offer("library_sort", score, format!("sort {list} by the library"), edits);
        }
    }
}

/// Loops that add up or collect: `sum`, comprehensions.
fn sums_and_lists(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::ForStatement).collect::<Vec<_>>() {
        let mut clauses = Vec::new();
        let mut place = node;
        let work = loop {
            match place.kind() {
                Kind::ForStatement if place.child(Field::Alternative).is_none() => {
                    let (Some(left), Some(right)) = (place.child(Field::Left), place.child(Field::Right))
                    else {
                        break None;
                    };
                    clauses.push(format!("for {} in {}", left.text(), right.text()));
                }
                Kind::IfStatement if place.child(Field::Alternative).is_none() => {
                    let Some(condition) = place.child(Field::Condition) else { break None };
                    clauses.push(format!("if {}", condition.text()));
                }
                _ => break Some(inner_expression(place)),
            }
            let body = place.child(Field::Body).or_else(|| place.child(Field::Consequence));
            match body.and_then(super::only_statement) {
                Some(only) => place = only,
                None => break None,
            }
        };
        let Some(work) = work else { continue };
        let clauses = clauses.join(" ");
        if let Some(line) = accumulated(work, &clauses, node) {
            let edits = vec![Edit::replace(node.range(), line.0)];
            rewrites.offer(line.1, line.2, "let the library do the loop".to_owned(), edits);
        }
    }
}

fn accumulated(work: Node<'_>, clauses: &str, around: Node<'_>) -> Option<(String, &'static str, f64)> {
    if work.kind() == Kind::AugmentedAssignment && work.operator() == "+=" {
        let (left, right) = (work.child(Field::Left)?, work.child(Field::Right)?);
        if changed_names(around).contains(left.text()) && names_in(right).contains(left.text()) {
            return None;
        }
        let simple = clauses.split_once(" in ").filter(|(head, _)| *head == format!("for {}", right.text()));
        let sum = match simple.filter(|(_, rest)| !rest.contains(" for ") && !rest.contains(" if ")) {
            Some((_, items)) => format!("sum({items})"),
            None => format!("sum([{} {clauses}])", right.text()),
        };
        return Some((format!("{} += {sum}", left.text()), "sum", 22.0));
    }
    let (object, method, arguments) = super::method_call(work)?;
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
