//! Wrong operators: comparison, boolean, arithmetic, sign, and how operations are grouped.

use super::catalogue::Collector;
use super::expression::{self, Level};
use super::family::Family;
use super::shape::Shape;
use syntax::{Edit, Field, Kind, Node};

pub(crate) fn propose(out: &mut Collector<'_, '_>) {
    let program = out.program();
    for site in &program.sites {
        match site.node.kind() {
            Kind::ComparisonOperator => comparison(out, site.node),
            Kind::BooleanOperator => boolean(out, site.node),
            Kind::BinaryOperator => {
                binary(out, site.node, site.shape);
                regroup(out, site.node);
            }
            Kind::UnaryOperator => unary(out, site.node),
            Kind::NotOperator => {
                let inner = site.node.child(Field::Argument);
                if let Some(inner) = inner {
                    out.replace(Family::Negate, site.node, 1.0, expression::instead(site.node, inner));
                }
            }
            _ => sign(out, site.node, site.shape),
        }
        if is_condition(site.node) && site.node.kind() != Kind::NotOperator {
            out.replace(Family::Negate, site.node, 1.0, expression::negated(site.node));
        }
    }
    for statement in program.scopes.iter().flat_map(|scope| &scope.statements) {
        augmented(out, *statement);
    }
}

/// Whether an expression decides something: a condition, an operand of one, a value given back as a truth.
fn is_condition(node: Node<'_>) -> bool {
    let Some(parent) = node.parent() else { return false };
    match parent.kind() {
        Kind::IfStatement | Kind::ElifClause | Kind::WhileStatement => node.field() == Some(Field::Condition),
        Kind::IfClause | Kind::BooleanOperator | Kind::AssertStatement => true,
        Kind::ConditionalExpression => parent.named_children().nth(1) == Some(node),
        Kind::ReturnStatement => {
            matches!(node.kind(), Kind::Call | Kind::ComparisonOperator | Kind::BooleanOperator)
        }
        Kind::ParenthesizedExpression => parent.field() == Some(Field::Condition),
        _ => false,
    }
}

fn comparison(out: &mut Collector<'_, '_>, node: Node<'_>) {
    for token in node.children().filter(|child| child.field() == Some(Field::Operators)) {
        let operator: String = token.text().split_whitespace().collect::<Vec<_>>().join(" ");
        let (boundary, flip, others): (&[&str], &[&str], &[&str]) = match operator.as_str() {
            "<" => (&["<="], &[">", ">="], &["!=", "=="]),
            "<=" => (&["<"], &[">=", ">"], &["==", "!="]),
            ">" => (&[">="], &["<", "<="], &["!=", "=="]),
            ">=" => (&[">"], &["<=", "<"], &["==", "!="]),
            "==" => (&[], &["!="], &["<=", ">=", "<", ">", "in", "is"]),
            "!=" => (&[], &["=="], &["<", ">", "<=", ">=", "not in"]),
            "in" => (&[], &["not in"], &["=="]),
            "not in" => (&[], &["in"], &["!="]),
            "is" => (&[], &["is not"], &["=="]),
            "is not" => (&[], &["is"], &["!="]),
            _ => continue,
        };
        let all = [
            (Family::CompareBoundary, boundary),
            (Family::CompareFlip, flip),
            (Family::CompareOther, others),
        ];
        for (family, operators) in all {
            for (rank, other) in operators.iter().enumerate() {
                let weight = 1.0 / (1.0 + 0.5 * rank as f64);
                out.add(family, node, weight, vec![Edit::replace(token.range(), *other)]);
            }
        }
    }
}

fn boolean(out: &mut Collector<'_, '_>, node: Node<'_>) {
    let Some(token) = node.child(Field::Operator) else { return };
    let other = if token.text() == "and" { "or" } else { "and" };
    out.add(Family::BooleanOperator, node, 1.0, vec![Edit::replace(token.range(), other)]);
    // The same with the grouping kept, where the operator's strength would change it.
    if let (Some(left), Some(right)) = (node.child(Field::Left), node.child(Field::Right)) {
        let level = expression::of_operator(other);
        let text =
            format!("{} {other} {}", expression::operand(left, level), expression::operand(right, level));
        out.replace(Family::BooleanOperator, node, 0.5, expression::fit(node, &text, level));
    }
}

/// Operators that are mistaken for one another, the likeliest first.
fn arithmetic_siblings(operator: &str) -> &'static [&'static str] {
    match operator {
        "+" => &["-", "*", "//", "|"],
        "-" => &["+", "%", "//", "*", "^"],
        "*" => &["+", "**", "//", "/", "%"],
        "/" => &["//", "*", "%", "-"],
        "//" => &["%", "/", "*", "-"],
        "%" => &["//", "-", "/", "*"],
        "**" => &["*", "+", "//"],
        "&" => &["|", "^", "%"],
        "|" => &["&", "^", "+"],
        "^" => &["|", "&", "**", "-"],
        "<<" => &[">>", "*"],
        ">>" => &["<<", "//"],
        _ => &[],
    }
}

fn binary(out: &mut Collector<'_, '_>, node: Node<'_>, shape: Shape) {
    let Some(token) = node.child(Field::Operator) else { return };
    // Joining texts or lists has no sibling operator that makes sense.
    let doubtful = matches!(shape, Shape::Text | Shape::List | Shape::Tuple);
    for (rank, other) in arithmetic_siblings(token.text()).iter().enumerate() {
        let weight = if doubtful { 0.1 } else { 1.0 / (1.0 + 0.6 * rank as f64) };
        out.add(Family::Arithmetic, node, weight, vec![Edit::replace(token.range(), *other)]);
        if let (Some(left), Some(right)) = (node.child(Field::Left), node.child(Field::Right)) {
            let level = expression::of_operator(other);
            if level != expression::of_operator(token.text()) {
                let text = format!(
                    "{} {other} {}",
                    expression::operand(left, level),
                    expression::operand(right, level)
                );
                out.replace(Family::Arithmetic, node, 0.5 * weight, expression::fit(node, &text, level));
            }
        }
    }
}

fn augmented(out: &mut Collector<'_, '_>, statement: Node<'_>) {
    let Some(node) = statement.named_children().next() else { return };
    if statement.kind() != Kind::ExpressionStatement {
        return;
    }
    if node.kind() == Kind::AugmentedAssignment
        && let Some(token) = node.child(Field::Operator)
    {
        out.add(Family::Augment, node, 1.0, vec![Edit::replace(token.range(), "=")]);
        for (rank, other) in arithmetic_siblings(token.text().trim_end_matches('=')).iter().enumerate() {
            let weight = 1.0 / (1.0 + 0.6 * rank as f64);
            out.add(
                Family::Arithmetic,
                node,
                weight,
                vec![Edit::replace(token.range(), format!("{other}="))],
            );
        }
    }
    if node.kind() == Kind::Assignment
        && node.child(Field::Type).is_none()
        && let Some(token) = node.children().find(|child| child.text() == "=")
        && node
            .child(Field::Left)
            .is_some_and(|left| !matches!(left.kind(), Kind::PatternList | Kind::TuplePattern))
    {
        for (operator, weight) in [("+=", 1.0), ("-=", 0.3), ("*=", 0.2), ("|=", 0.05), ("//=", 0.05)] {
            out.add(Family::Augment, node, weight, vec![Edit::replace(token.range(), operator)]);
        }
    }
}

/// `a - b - c` and `a - (b - c)`, `a + b / c` and `(a + b) / c`.
fn regroup(out: &mut Collector<'_, '_>, node: Node<'_>) {
    let (Some(left), Some(right)) = (node.child(Field::Left), node.child(Field::Right)) else { return };
    let outer = node.operator();
    let parts = |inner: Node<'_>| {
        let inner = inner.unwrapped();
        (inner.kind() == Kind::BinaryOperator)
            .then(|| {
                Some((
                    inner.child(Field::Left)?.range(),
                    inner.operator().to_owned(),
                    inner.child(Field::Right)?.range(),
                ))
            })
            .flatten()
    };
    let source = out.program().source;
    let text = |range: &std::ops::Range<usize>| source.get(range.clone()).unwrap_or_default();
    if let Some((a, inner, b)) = parts(left) {
        let regrouped = format!("{} {inner} ({} {outer} {})", text(&a), text(&b), right.text());
        out.replace(
            Family::Regroup,
            node,
            1.0,
            expression::fit(node, &regrouped, expression::of_operator(&inner)),
        );
    }
    if let Some((a, inner, b)) = parts(right) {
        let regrouped = format!("({} {outer} {}) {inner} {}", left.text(), text(&a), text(&b));
        out.replace(
            Family::Regroup,
            node,
            1.0,
            expression::fit(node, &regrouped, expression::of_operator(&inner)),
        );
    }
}

fn unary(out: &mut Collector<'_, '_>, node: Node<'_>) {
    if let Some(argument) = node.child(Field::Argument) {
        out.replace(Family::Sign, node, 1.0, expression::instead(node, argument));
        if node.operator() == "-" {
            out.replace(
                Family::Sign,
                node,
                0.2,
                expression::fit(node, &format!("~{}", argument.text()), Level::Unary),
            );
        }
    }
}

fn sign(out: &mut Collector<'_, '_>, node: Node<'_>, shape: Shape) {
    let simple = matches!(node.kind(), Kind::Identifier | Kind::Call | Kind::Subscript | Kind::Integer);
    let already = node.parent().is_some_and(|parent| parent.kind() == Kind::UnaryOperator);
    if simple && !already && shape.may_be_number() && node.field() != Some(Field::Function) {
        let weight = if shape == Shape::Number { 0.5 } else { 0.2 };
        out.replace(
            Family::Sign,
            node,
            weight,
            expression::fit(node, &format!("-{}", node.text()), Level::Unary),
        );
    }
}
