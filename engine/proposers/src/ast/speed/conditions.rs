//! The order of questions: the cheap one before the dear one, and nothing computed that the answer makes needless.

use super::Rewrites;
use super::reading::{comparison, only_statement, repeated_by};
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::BooleanOperator).collect::<Vec<_>>() {
        let (Some(left), Some(right)) = (node.child(Field::Left), node.child(Field::Right)) else { continue };
        let gain = cost(left) - cost(right);
        if !repeated_by(node).is_empty() {
            let edits =
                vec![Edit::replace(left.range(), right.text()), Edit::replace(right.range(), left.text())];
            let score = if gain > 0 { 46.0 } else { 9.0 };
            rewrites.offer("ask_cheaply", score, format!("ask {} first", right.text()), edits);
        }
    }
    for outer in rewrites.nodes(Kind::IfStatement).collect::<Vec<_>>() {
        let inner = outer.child(Field::Consequence).and_then(only_statement);
        let Some(inner) = inner.filter(|inner| inner.kind() == Kind::IfStatement) else { continue };
        let plain = outer.child(Field::Alternative).is_none() && inner.child(Field::Alternative).is_none();
        let (Some(first), Some(second)) = (outer.child(Field::Condition), inner.child(Field::Condition))
        else {
            continue;
        };
        if plain && !repeated_by(outer).is_empty() {
            let edits = vec![
                Edit::replace(first.range(), second.text()),
                Edit::replace(second.range(), first.text()),
            ];
            let score = if cost(first) > cost(second) { 48.0 } else { 22.0 };
            rewrites.offer("ask_cheaply", score, format!("ask {} first", second.text()), edits);
        }
    }
}

/// What a condition may cost, roughly: calls, slices and searches are dear.
fn cost(node: Node<'_>) -> i32 {
    std::iter::once(node)
        .chain(node.descendants())
        .map(|inner| match inner.kind() {
            Kind::Call if inner.text().starts_with("len(") => 1,
            Kind::Call => 4,
            Kind::Slice => 6,
            kind if kind.is_comprehension() => 10,
            Kind::ComparisonOperator
                if comparison(inner).is_some_and(|(_, operator, _)| operator.contains("in")) =>
            {
                3
            }
            Kind::Subscript | Kind::Attribute => 1,
            _ => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::check;

    #[test]
    fn the_cheap_question_comes_first() {
        check(
            "ask_cheaply",
            "def f(xs, n):\n    return [x for x in xs if x == x[::-1] and n > 3]\n",
            "def f(xs, n):\n    return [x for x in xs if n > 3 and x == x[::-1]]\n",
        );
        check(
            "ask_cheaply",
            "def f(xs, n):\n    for x in xs:\n        if g(x):\n            if x > n:\n                n = x\n",
            "def f(xs, n):\n    for x in xs:\n        if x > n:\n            if g(x):\n                n = x\n",
        );
    }
}
