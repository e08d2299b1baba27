//! Values that need no name of their own: what is only returned, what is used once, what is only kept to be exchanged.

use crate::ast::reading::{changed, inner_expression, names_in, next_statement, uses};
use crate::ast::rewrites::Rewrites;
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::Assignment).collect::<Vec<_>>() {
        used_once(rewrites, node);
        exchanged(rewrites, node);
    }
}

/// The name, value and statement of `name = value`.
fn named<'m>(node: Node<'m>) -> Option<(Node<'m>, Node<'m>, Node<'m>)> {
    let (name, value) = (node.child(Field::Left)?, node.child(Field::Right)?);
    let plain = node.kind() == Kind::Assignment
        && node.child(Field::Type).is_none()
        && value.kind() != Kind::Assignment;
    Some((name, value, node.statement()?)).filter(|_| plain)
}

/// `x = value`, and one statement that reads it once: the value stands there instead.
fn used_once(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let Some((name, value, statement)) = named(node) else { return };
    let (Some(next), Some(function)) = (next_statement(statement), node.function()) else { return };
    if name.kind() != Kind::Identifier
        || uses(function, name.text()).len() != 2
        || !next.kind().is_simple_statement()
    {
        return;
    }
    let [place] = uses(next, name.text())[..] else { return };
    let repeated = place
        .ancestors()
        .take_while(|around| *around != next)
        .any(|around| around.kind() == Kind::Lambda || around.kind().is_comprehension());
    // In an assignment the target is worked out last, and a string has its own rules.
    let in_string = place.ancestor(Kind::Interpolation).is_some();
    if repeated || in_string || value.kind() == Kind::Yield {
        return;
    }
    let alone = place.parent().is_some_and(|parent| match parent.kind() {
        Kind::ReturnStatement | Kind::ArgumentList | Kind::ParenthesizedExpression => true,
        Kind::Assignment | Kind::AugmentedAssignment => place.field() == Some(Field::Right),
        _ => false,
    });
    let atom = matches!(
        value.kind(),
        Kind::Identifier
            | Kind::Call
            | Kind::Attribute
            | Kind::Subscript
            | Kind::List
            | Kind::Dictionary
            | Kind::Set
            | Kind::ListComprehension
            | Kind::DictionaryComprehension
            | Kind::SetComprehension
            | Kind::Integer
            | Kind::Float
            | Kind::String
            | Kind::Tuple
            | Kind::ParenthesizedExpression
            | Kind::True
            | Kind::False
            | Kind::None
    );
    let bare_list = value.kind() == Kind::ExpressionList;
    let text = match atom || alone && !bare_list {
        true => value.text().to_owned(),
        false => format!("({})", value.text()),
    };
    let edits = vec![
        Edit::replace(statement.range().start..next.range().start, ""),
        Edit::replace(place.range(), text),
    ];
    rewrites.offer("used_once", 0.0, format!("{} needs no name", name.text()), edits);
}

/// `t = a`, `a = b`, `b = t`.
fn exchanged(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let found = || {
        let (kept, a, first) = named(node)?;
        let second = next_statement(first)?;
        let third = next_statement(second)?;
        let (to, b, _) = named(inner_expression(second))?;
        let (back, last, _) = named(inner_expression(third))?;
        let fits = to.text() == a.text() && back.text() == b.text() && last.text() == kept.text();
        let read_later = node.function().is_none_or(|function| uses(function, kept.text()).len() > 2);
        let apart = !names_in(b).contains(kept.text()) && !changed(second).contains(kept.text());
        let text = format!("{0}, {1} = {1}, {0}", a.text(), b.text());
        (fits && !read_later && apart).then(|| (first.range().start..third.range().end, text))
    };
    if let Some((range, text)) = found() {
        rewrites.offer(
            "exchange",
            0.0,
            "exchange two values at once".to_owned(),
            vec![Edit::replace(range, text)],
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::simplify::tests::{check, offers};

    #[test]
    fn what_is_used_once_needs_no_name() {
        check("used_once", "def f(x):\n    y = x + 1\n    return y\n", "def f(x):\n    return x + 1\n");
        check(
            "used_once",
            "def f(x):\n    y = x + 1\n    return y * 2\n",
            "def f(x):\n    return (x + 1) * 2\n",
        );
        assert!(offers("used_once", "def f(x):\n    y = x + 1\n    return [y for z in x]\n").is_empty());
        assert!(offers("used_once", "def f(x):\n    y = x + 1\n    return y + y\n").is_empty());
    }

    #[test]
    fn two_values_are_exchanged_at_once() {
        check(
            "exchange",
            "def f(a, i, j):\n    t = a[i]\n    a[i] = a[j]\n    a[j] = t\n",
            "def f(a, i, j):\n    a[i], a[j] = a[j], a[i]\n",
        );
    }
}
