//! Loops that a comprehension or a function of the library says in one line, the start of the collection included.

use crate::ast::reading::{
    clauses, inner_expression, method_call, names_in, next_statement, only_statement, previous_statement,
};
use crate::ast::rewrites::Rewrites;
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::ForStatement).collect::<Vec<_>>() {
        collected(rewrites, node);
        searched(rewrites, node);
    }
}

/// `x = []` or `t = 0`, and a loop that fills it.
fn collected(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let Some((clauses, work)) = clauses(node) else { return };
    let Some(start) = previous_statement(node).map(inner_expression).filter(|s| s.kind() == Kind::Assignment)
    else {
        return;
    };
    let (Some(name), Some(first)) = (start.child(Field::Left), start.child(Field::Right)) else { return };
    let Some((filled, item, value)) = filled(work, first.text(), &clauses) else { return };
    let reads_itself = names_in(item).contains(name.text()) || clauses.contains(name.text());
    if filled.text() == name.text() && name.kind() == Kind::Identifier && !reads_itself {
        let edit = Edit::replace(start.range().start..node.range().end, format!("{} = {value}", name.text()));
        rewrites.offer("collected", 0.0, format!("gather {} in one expression", name.text()), vec![edit]);
    }
}

/// What is filled, what with, and the expression that amounts to it.
fn filled<'m>(work: Node<'m>, first: &str, clauses: &str) -> Option<(Node<'m>, Node<'m>, String)> {
    if work.kind() == Kind::AugmentedAssignment && work.operator() == "+=" && matches!(first, "0" | "0.0") {
        let (left, right) = (work.child(Field::Left)?, work.child(Field::Right)?);
        return Some((left, right, format!("sum({} {clauses})", right.text())));
    }
    if work.kind() == Kind::Assignment && matches!(first, "{}" | "dict()") {
        let place = work.child(Field::Left).filter(|left| left.kind() == Kind::Subscript)?;
        let (name, key, value) =
            (place.child(Field::Value)?, place.child(Field::Subscript)?, work.child(Field::Right)?);
        let pair = format!("{{{}: {} {clauses}}}", key.text(), value.text());
        return (!names_in(key).contains(name.text())).then_some((name, value, pair));
    }
    let (object, method, arguments) = method_call(work)?;
    let [item] = arguments.as_slice() else { return None };
    match (method, first) {
        ("append", "[]" | "list()") => Some((object, *item, format!("[{} {clauses}]", item.text()))),
        ("add", "set()") => Some((object, *item, format!("{{{} {clauses}}}", item.text()))),
        _ => None,
    }
}

/// A loop that answers at the first item that fits, and the opposite answer after it.
fn searched(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let found = || {
        let test = only_statement(node.child(Field::Body)?).filter(|s| s.kind() == Kind::IfStatement)?;
        let condition = test.child(Field::Condition).filter(|_| test.child(Field::Alternative).is_none())?;
        let answer = only_statement(test.child(Field::Consequence)?)?;
        let last = next_statement(node).filter(|_| node.child(Field::Alternative).is_none())?;
        let items =
            format!("for {} in {}", node.child(Field::Left)?.text(), node.child(Field::Right)?.text());
        let value = match (answer.text(), last.text()) {
            ("return True", "return False") => format!("any({} {items})", condition.text()),
            ("return False", "return True") => format!("not any({} {items})", condition.text()),
            _ => return None,
        };
        Some(Edit::replace(node.range().start..last.range().end, format!("return {value}")))
    };
    if let Some(edit) = found() {
        rewrites.offer("searched", 0.0, "ask any instead of a loop".to_owned(), vec![edit]);
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::simplify::tests::{check, offers};

    #[test]
    fn a_collection_is_gathered_in_one_expression() {
        check(
            "collected",
            "def f(xs):\n    out = []\n    for x in xs:\n        if x > 1:\n            out.append(x * 2)\n    return out\n",
            "def f(xs):\n    out = [x * 2 for x in xs if x > 1]\n    return out\n",
        );
        check(
            "collected",
            "def f(xs):\n    t = 0\n    for x in xs:\n        t += x * x\n    return t\n",
            "def f(xs):\n    t = sum(x * x for x in xs)\n    return t\n",
        );
        check(
            "collected",
            "def f(xs):\n    d = {}\n    for k, v in xs:\n        d[k] = v + 1\n    return d\n",
            "def f(xs):\n    d = {k: v + 1 for k, v in xs}\n    return d\n",
        );
    }

    #[test]
    fn what_is_read_while_it_is_gathered_stays_a_loop() {
        let source = "def f(xs):\n    out = []\n    for x in xs:\n        if x not in out:\n            out.append(x)\n    return out\n";
        assert!(offers("collected", source).is_empty());
    }

    #[test]
    fn a_search_is_a_question() {
        check(
            "searched",
            "def f(xs):\n    for x in xs:\n        if x > 1:\n            return True\n    return False\n",
            "def f(xs):\n    return any(x > 1 for x in xs)\n",
        );
    }
}
