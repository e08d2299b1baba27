//! Conditions: what is true or false by itself is not compared, and comparisons that share an operand are one.

use super::branches::chosen;
use super::quoted;
use crate::ast::reading::{comparison, conjuncts, plain_call};
use crate::ast::rewrites::Rewrites;
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::ComparisonOperator).collect::<Vec<_>>() {
        emptiness(rewrites, node);
        truth(rewrites, node);
    }
    for node in rewrites.nodes(Kind::NotOperator).collect::<Vec<_>>() {
        negation(rewrites, node);
    }
    for node in rewrites.nodes(Kind::BooleanOperator).collect::<Vec<_>>() {
        chain(rewrites, node);
        one_of(rewrites, node);
    }
    for node in rewrites.nodes(Kind::ConditionalExpression).collect::<Vec<_>>() {
        choice(rewrites, node);
    }
}

/// Whether only the truth of a node counts where it stands.
fn is_condition(node: Node<'_>) -> bool {
    let Some(parent) = node.parent() else { return false };
    match parent.kind() {
        Kind::IfStatement | Kind::ElifClause | Kind::WhileStatement => node.field() == Some(Field::Condition),
        Kind::IfClause | Kind::NotOperator => true,
        Kind::ParenthesizedExpression | Kind::BooleanOperator => is_condition(parent),
        Kind::ConditionalExpression => parent.named_children().nth(1) == Some(node),
        _ => false,
    }
}

/// `len(x) == 0`, `x == []`, `x == ""`: whether something is empty is its truth.
fn emptiness(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let Some((left, operator, right)) = comparison(node) else { return };
    let (items, counted) = match plain_call(left) {
        Some(("len", arguments)) if arguments.len() == 1 => (arguments.first().copied(), true),
        _ => (Some(left), false),
    };
    let Some(items) = items else { return };
    let nothing = matches!(right.text(), "[]" | "{}" | "\"\"" | "''" | "()");
    let empty = match (operator.as_str(), right.text()) {
        ("==" | "<=", "0") | ("<", "1") if counted => true,
        ("!=" | ">", "0") | (">=", "1") if counted => false,
        ("==", _) if nothing && !counted => true,
        ("!=", _) if nothing && !counted => false,
        _ => return,
    };
    let text = match empty {
        true => format!("not {}", items.text()),
        false if is_condition(node) => items.text().to_owned(),
        false => return,
    };
    let rationale = format!("{} is its own answer", quoted(items.text()));
    rewrites.offer("truth", 0.0, rationale, vec![Edit::replace(node.range(), text)]);
}

/// `x == True`, `x is False`.
fn truth(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let Some((left, operator, right)) = comparison(node) else { return };
    let same = match operator.as_str() {
        "==" | "is" => true,
        "!=" | "is not" => false,
        _ => return,
    };
    let holds = match right.kind() {
        Kind::True => same,
        Kind::False => !same,
        _ => return,
    };
    let text = if holds { left.text().to_owned() } else { format!("not {}", left.text()) };
    let rationale = format!("{} is its own answer", quoted(left.text()));
    rewrites.offer("truth", 0.0, rationale, vec![Edit::replace(node.range(), text)]);
}

/// `not (a == b)`, `not not a`.
fn negation(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let Some(argument) = node.child(Field::Argument) else { return };
    let inner = argument.unwrapped();
    let text = if inner.kind() == Kind::NotOperator {
        inner.child(Field::Argument).filter(|_| is_condition(node)).map(|twice| twice.text().to_owned())
    } else {
        comparison(inner).and_then(|(left, operator, right)| {
            let opposite = match operator.as_str() {
                "==" => "!=",
                "!=" => "==",
                "<" => ">=",
                ">" => "<=",
                "<=" => ">",
                ">=" => "<",
                "in" => "not in",
                "is" => "is not",
                _ => return None,
            };
            Some(format!("{} {opposite} {}", left.text(), right.text()))
        })
    };
    if let Some(text) = text {
        let rationale = format!("say {} without not", quoted(inner.text()));
        rewrites.offer("negation", 0.0, rationale, vec![Edit::replace(node.range(), text)]);
    }
}

/// `a <= b and b < c`.
fn chain(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let outermost = node.parent().is_none_or(|parent| parent.kind() != Kind::BooleanOperator);
    if node.operator() != "and" || !outermost {
        return;
    }
    let parts = conjuncts(node);
    for pair in parts.windows(2) {
        let [first, second] = pair else { continue };
        let (Some((a, one, b)), Some((c, other, d))) = (comparison(*first), comparison(*second)) else {
            continue;
        };
        let rises = |operator: &str| matches!(operator, "<" | "<=");
        let falls = |operator: &str| matches!(operator, ">" | ">=");
        if b.text() == c.text() && (rises(&one) && rises(&other) || falls(&one) && falls(&other)) {
            let text = format!("{} {one} {} {other} {}", a.text(), b.text(), d.text());
            let edit = Edit::replace(first.range().start..second.range().end, text);
            rewrites.offer("chain", 0.0, format!("compare {} once", quoted(b.text())), vec![edit]);
        }
    }
}

/// `x == a or x == b or x == c`.
fn one_of(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let (joint, wanted) = match node.operator() {
        "or" => ("in", "=="),
        "and" => ("not in", "!="),
        _ => return,
    };
    if node.parent().is_some_and(|parent| parent.kind() == Kind::BooleanOperator) {
        return;
    }
    let mut values = Vec::new();
    let mut name = None;
    let mut waiting = vec![node];
    while let Some(part) = waiting.pop() {
        if part.kind() == Kind::BooleanOperator && part.operator() == node.operator() {
            waiting.extend(part.child(Field::Right).into_iter().chain(part.child(Field::Left)));
            continue;
        }
        let Some((left, _, right)) = comparison(part).filter(|(_, operator, _)| operator == wanted) else {
            return;
        };
        if *name.get_or_insert(left.text()) != left.text() {
            return;
        }
        values.push(right.text());
    }
    if let Some(name) = name.filter(|_| values.len() > 1) {
        let text = format!("{name} {joint} ({})", values.join(", "));
        rewrites.offer(
            "one_of",
            0.0,
            format!("look {name} up among its values"),
            vec![Edit::replace(node.range(), text)],
        );
    }
}

/// `True if c else False`, `a if a else b`.
fn choice(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let parts: Vec<Node<'_>> = node.named_children().collect();
    let [then, condition, otherwise] = parts.as_slice() else { return };
    let text = chosen(*condition, then.text(), otherwise.text());
    let rationale = format!("{} is the answer", quoted(condition.text()));
    rewrites.offer("truth", 0.0, rationale, vec![Edit::replace(node.range(), text)]);
}

#[cfg(test)]
mod tests {
    use crate::ast::simplify::tests::{check, offers};

    #[test]
    fn emptiness_is_truth() {
        check(
            "truth",
            "def f(x):\n    if len(x) == 0:\n        return 1\n",
            "def f(x):\n    if not x:\n        return 1\n",
        );
        check(
            "truth",
            "def f(x):\n    while len(x) > 0 and x:\n        x.pop()\n",
            "def f(x):\n    while x and x:\n        x.pop()\n",
        );
        // As a value it is a truth value, and what is in the list is not.
        assert!(offers("truth", "def f(x):\n    return len(x) > 0\n").is_empty());
    }

    #[test]
    fn truth_is_not_compared() {
        check(
            "truth",
            "def f(x):\n    if x == True:\n        return 1\n",
            "def f(x):\n    if x:\n        return 1\n",
        );
        check("truth", "def f(x):\n    return True if x > 1 else False\n", "def f(x):\n    return x > 1\n");
        check("truth", "def f(x, y):\n    return x if x else y\n", "def f(x, y):\n    return x or y\n");
    }

    #[test]
    fn a_negation_goes_into_its_comparison() {
        check("negation", "def f(a, b):\n    return not (a == b)\n", "def f(a, b):\n    return a != b\n");
    }

    #[test]
    fn comparisons_of_one_operand_are_one() {
        check(
            "chain",
            "def f(a, b):\n    return 0 <= a and a < b\n",
            "def f(a, b):\n    return 0 <= a < b\n",
        );
        check(
            "one_of",
            "def f(x):\n    return x == 1 or x == 2 or x == 3\n",
            "def f(x):\n    return x in (1, 2, 3)\n",
        );
        assert!(offers("one_of", "def f(x, y):\n    return x == 1 or y == 2 or x == 3\n").is_empty());
    }
}
