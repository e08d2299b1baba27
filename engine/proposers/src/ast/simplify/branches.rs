//! Branches: what both sides do is done once, what ends a function needs no `else`.

use super::quoted;
use crate::ast::reading::{indent_of, inner_expression, next_statement, only_statement};
use crate::ast::rewrites::Rewrites;
use std::ops::Range;
use syntax::{Edit, Field, Kind, Node};

/// Longest statement, in characters, that two branches are joined to: what is small to count should be easy to read too.
const MAX_JOINED: usize = 100;

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::IfStatement).collect::<Vec<_>>() {
        two_returns(rewrites, node);
        one_target(rewrites, node);
        no_else(rewrites, node);
        nested(rewrites, node);
    }
}

/// The only `else` of an `if`, without any `elif`.
fn only_else<'m>(node: Node<'m>) -> Option<Node<'m>> {
    let mut alternatives = node.children_in(Field::Alternative);
    let only = alternatives.next().filter(|clause| clause.kind() == Kind::ElseClause)?;
    alternatives.next().is_none().then_some(only)
}

/// What the block of an `if` does, and what is done otherwise: in an `else`, or in the statement that follows.
struct Choice<'m> {
    condition: Node<'m>,
    then: Node<'m>,
    otherwise: Node<'m>,
    range: Range<usize>,
}

impl Choice<'_> {
    /// Whether one statement with this text is as easy to read as the branches: neither long nor a choice within a choice.
    fn reads_well(&self, text: &str) -> bool {
        let chooses =
            |statement: Node<'_>| statement.descendants().any(|n| n.kind() == Kind::ConditionalExpression);
        text.chars().count() <= MAX_JOINED && !chooses(self.then) && !chooses(self.otherwise)
    }
}

fn choice<'m>(node: Node<'m>, may_follow: bool) -> Option<Choice<'m>> {
    let condition = node.child(Field::Condition)?;
    let then = only_statement(node.child(Field::Consequence)?)?;
    let (otherwise, end) = match only_else(node) {
        Some(clause) => (only_statement(clause.child(Field::Body)?)?, node.range().end),
        None if may_follow && node.child(Field::Alternative).is_none() => {
            let next = next_statement(node)?;
            (next, next.range().end)
        }
        None => return None,
    };
    Some(Choice { condition, then, otherwise, range: node.range().start..end })
}

/// `if c: return a` and `return b`: one statement, and only the condition where it is the answer.
fn two_returns(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let Some(choice) = choice(node, true) else { return };
    let value = |statement: Node<'_>| {
        let returned = (statement.kind() == Kind::ReturnStatement).then(|| statement.named_children().next());
        returned
            .flatten()
            .filter(|value| value.kind() != Kind::ExpressionList)
            .map(|value| value.text().to_owned())
    };
    let (Some(a), Some(b)) = (value(choice.then), value(choice.otherwise)) else { return };
    let text = format!("return {}", chosen(choice.condition, &a, &b));
    if !choice.reads_well(&text) {
        return;
    }
    let rationale = format!("answer {} in one statement", quoted(choice.condition.text()));
    rewrites.offer("one_return", 0.0, rationale, vec![Edit::replace(choice.range, text)]);
}

/// `if c: x = a` and `else: x = b`.
fn one_target(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let Some(choice) = choice(node, false) else { return };
    let parts = |statement: Node<'_>| {
        let set = inner_expression(statement);
        let (left, right) = (set.child(Field::Left)?.text(), set.child(Field::Right)?.text());
        let plain = matches!(set.kind(), Kind::Assignment | Kind::AugmentedAssignment);
        let operator = if set.kind() == Kind::Assignment { "=" } else { set.operator() };
        (plain && set.child(Field::Type).is_none())
            .then(|| (left.to_owned(), operator.to_owned(), right.to_owned()))
    };
    let (Some(a), Some(b)) = (parts(choice.then), parts(choice.otherwise)) else { return };
    if a.0 != b.0 || a.1 != b.1 {
        return;
    }
    let text = format!("{} {} {}", a.0, a.1, chosen(choice.condition, &a.2, &b.2));
    if !choice.reads_well(&text) {
        return;
    }
    rewrites.offer(
        "one_target",
        0.0,
        format!("set {} in one statement", a.0),
        vec![Edit::replace(choice.range, text)],
    );
}

/// The value of a choice between two; the condition itself where the two are the truth values.
pub(super) fn chosen(condition: Node<'_>, a: &str, b: &str) -> String {
    let text = condition.text();
    let is_bool = matches!(condition.unwrapped().kind(), Kind::ComparisonOperator | Kind::NotOperator);
    match (a, b) {
        ("True", "False") if is_bool => text.to_owned(),
        ("True", "False") => format!("bool({text})"),
        ("False", "True") => format!("not {}", grouped(condition)),
        _ if a == text => format!("{} or {b}", grouped(condition)),
        _ if b == text => format!("{} and {a}", grouped(condition)),
        _ => format!("{a} if {text} else {b}"),
    }
}

/// The text of a condition as an operand.
fn grouped(condition: Node<'_>) -> String {
    let loose = matches!(
        condition.kind(),
        Kind::BooleanOperator | Kind::ConditionalExpression | Kind::NamedExpression | Kind::Lambda
    );
    if loose { format!("({})", condition.text()) } else { condition.text().to_owned() }
}

/// After a block that leaves, what follows needs no `else`.
fn no_else(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let Some(clause) = only_else(node) else { return };
    let (Some(block), Some(body)) = (node.child(Field::Consequence), clause.child(Field::Body)) else {
        return;
    };
    let leaves = block.statements().last().is_some_and(|last| {
        matches!(
            last.kind(),
            Kind::ReturnStatement | Kind::RaiseStatement | Kind::ContinueStatement | Kind::BreakStatement
        )
    });
    let source = rewrites.source();
    let Some(text) = dedented(source, body, indent_of(source, node)) else { return };
    if leaves {
        let edit = Edit::replace(clause.range(), text);
        let condition = node.child(Field::Condition).map_or("", Node::text);
        rewrites.offer(
            "no_else",
            0.0,
            format!("no else after {} is dealt with", quoted(condition)),
            vec![edit],
        );
    }
}

/// The statements of a block at another indentation; none when a text of several lines would change with it.
fn dedented(source: &str, body: Node<'_>, indent: &str) -> Option<String> {
    let first = body.statements().next()?;
    let own = indent_of(source, first);
    let text = source.get(first.range().start..body.range().end)?;
    let moves_text =
        body.descendants().any(|inner| inner.kind() == Kind::String && inner.text().contains('\n'));
    let on_own_lines = own.len() > indent.len();
    (on_own_lines && !moves_text).then(|| text.replace(&format!("\n{own}"), &format!("\n{indent}")))
}

/// `if a:` with nothing but `if b:` in it.
fn nested(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let alone = |node: Node<'_>| node.child(Field::Alternative).is_none();
    let Some(inner) = node.child(Field::Consequence).and_then(only_statement) else { return };
    if inner.kind() != Kind::IfStatement || !alone(node) || !alone(inner) {
        return;
    }
    let (Some(outer_condition), Some(condition), Some(body)) =
        (node.child(Field::Condition), inner.child(Field::Condition), inner.child(Field::Consequence))
    else {
        return;
    };
    let joined = |node: Node<'_>| match node.kind() {
        Kind::BooleanOperator if node.operator() == "and" => node.text().to_owned(),
        _ => grouped(node),
    };
    let head = format!("if {} and {}:", joined(outer_condition), joined(condition));
    let source = rewrites.source();
    let Some(first) = body.statements().next() else { return };
    let (indent, deeper) = (indent_of(source, inner), indent_of(source, first));
    let Some(text) = dedented(source, body, indent) else { return };
    if deeper.len() > indent.len() {
        let edit = Edit::replace(node.range(), format!("{head}\n{indent}{text}"));
        rewrites.offer(
            "one_condition",
            0.0,
            format!("one condition with {}", quoted(condition.text())),
            vec![edit],
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::simplify::tests::{check, offers};

    #[test]
    fn two_returns_are_one() {
        check(
            "one_return",
            "def f(x):\n    if x > 1:\n        return True\n    else:\n        return False\n",
            "def f(x):\n    return x > 1\n",
        );
        check(
            "one_return",
            "def f(x):\n    if x:\n        return False\n    return True\n",
            "def f(x):\n    return not x\n",
        );
        check(
            "one_return",
            "def f(x, y):\n    if x or y:\n        return y\n    else:\n        return x\n",
            "def f(x, y):\n    return y if x or y else x\n",
        );
    }

    #[test]
    fn one_name_is_set_once() {
        check(
            "one_target",
            "def f(x):\n    if x < 0:\n        y = -x\n    else:\n        y = x\n    return y\n",
            "def f(x):\n    y = -x if x < 0 else x\n    return y\n",
        );
        assert!(offers("one_target", "if a:\n    x = 1\nelse:\n    y = 2\n").is_empty());
    }

    #[test]
    fn what_follows_a_return_needs_no_else() {
        check(
            "no_else",
            "def f(x):\n    if x:\n        return 1\n    else:\n        g(x)\n        for y in x:\n            h(y)\n",
            "def f(x):\n    if x:\n        return 1\n    g(x)\n    for y in x:\n        h(y)\n",
        );
    }

    #[test]
    fn conditions_are_joined() {
        check(
            "one_condition",
            "def f(x, y):\n    if x:\n        if y > 1:\n            g(x)\n            h(x)\n",
            "def f(x, y):\n    if x and y > 1:\n        g(x)\n        h(x)\n",
        );
    }
}
