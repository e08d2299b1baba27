//! Putting expressions together as text: when parentheses are needed, so that an edit means what it says and reads as a
//! person would write it.

use syntax::{Field, Kind, Node};

/// How tightly an expression binds, after the table of the language reference, section 6.17; higher binds tighter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Loosest,
    Or,
    And,
    Not,
    Compare,
    Bits,
    Shift,
    Sum,
    Product,
    Unary,
    Power,
    Atom,
}

/// Level of a binary operator's result.
pub(crate) fn of_operator(operator: &str) -> Level {
    match operator {
        "or" => Level::Or,
        "and" => Level::And,
        "|" | "^" | "&" => Level::Bits,
        "<<" | ">>" => Level::Shift,
        "+" | "-" => Level::Sum,
        "*" | "/" | "//" | "%" | "@" => Level::Product,
        "**" => Level::Power,
        _ => Level::Compare,
    }
}

/// Level of an expression.
pub(crate) fn of(node: Node<'_>) -> Level {
    match node.kind() {
        Kind::ConditionalExpression
        | Kind::Lambda
        | Kind::NamedExpression
        | Kind::Yield
        | Kind::ExpressionList => Level::Loosest,
        Kind::BooleanOperator | Kind::BinaryOperator => of_operator(node.operator()),
        Kind::NotOperator => Level::Not,
        Kind::ComparisonOperator => Level::Compare,
        Kind::UnaryOperator | Kind::Await => Level::Unary,
        _ => Level::Atom,
    }
}

/// The lowest level that can stand in a node's place without parentheses.
fn demanded(node: Node<'_>) -> Level {
    let Some(parent) = node.parent() else { return Level::Loosest };
    match parent.kind() {
        Kind::BinaryOperator | Kind::BooleanOperator => {
            let own = of_operator(parent.operator());
            let is_right = node.field() == Some(Field::Right);
            // Left operands of the same level need none, since operators group to the left, save for the power.
            if is_right != (own == Level::Power) { tighter(own) } else { own }
        }
        Kind::ComparisonOperator => Level::Bits,
        Kind::NotOperator => Level::Not,
        Kind::UnaryOperator => Level::Unary,
        Kind::Await | Kind::Subscript if node.field() == Some(Field::Subscript) => Level::Loosest,
        Kind::Attribute | Kind::Call | Kind::Subscript | Kind::Await => Level::Atom,
        Kind::ConditionalExpression => Level::Or,
        Kind::ForInClause | Kind::IfClause => Level::Or,
        Kind::ListSplat | Kind::DictionarySplat => Level::Bits,
        _ => Level::Loosest,
    }
}

fn tighter(level: Level) -> Level {
    match level {
        Level::Loosest => Level::Or,
        Level::Or => Level::And,
        Level::And => Level::Not,
        Level::Not => Level::Compare,
        Level::Compare => Level::Bits,
        Level::Bits => Level::Shift,
        Level::Shift => Level::Sum,
        Level::Sum => Level::Product,
        Level::Product => Level::Unary,
        Level::Unary => Level::Power,
        Level::Power | Level::Atom => Level::Atom,
    }
}

/// A text of some level made fit to stand in a node's place.
pub(crate) fn fit(node: Node<'_>, text: &str, level: Level) -> String {
    if level < demanded(node) { format!("({text})") } else { text.to_owned() }
}

/// A node's text made fit to be an operand of an operator that demands a level.
pub(crate) fn operand(node: Node<'_>, demanded: Level) -> String {
    if of(node) < demanded { format!("({})", node.text()) } else { node.text().to_owned() }
}

/// `left operator right` in a node's place, where `left` is the node itself and `right` an atom.
pub(crate) fn extend(node: Node<'_>, operator: &str, right: &str) -> String {
    let level = of_operator(operator);
    fit(node, &format!("{} {operator} {right}", operand(node, level)), level)
}

/// A node's text in place of another node.
pub(crate) fn instead(of_node: Node<'_>, by: Node<'_>) -> String {
    fit(of_node, by.text(), of(by))
}

/// `not` before a condition, or the opposite comparison where there is one.
pub(crate) fn negated(node: Node<'_>) -> String {
    match node.kind() {
        Kind::NotOperator => {
            node.child(Field::Argument).map_or_else(String::new, |inner| inner.text().to_owned())
        }
        _ => fit(node, &format!("not {}", operand(node, Level::Not)), Level::Not),
    }
}
