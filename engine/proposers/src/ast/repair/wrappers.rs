//! Calls around a value: one too many, or one that is missing (a conversion, a length, a clamp).

use super::catalogue::Collector;
use super::expression::{self, Level};
use super::family::Family;
use super::program::{Scope, Site};
use super::shape::Shape;
use syntax::{Edit, Field, Kind, Node};

pub(crate) fn propose(out: &mut Collector<'_, '_>) {
    let program = out.program();
    for site in &program.sites {
        let Some(scope) = program.scopes.get(site.scope) else { continue };
        if site.node.kind() == Kind::Call {
            unwrap(out, site.node);
        }
        if can_be_wrapped(site, scope) {
            wrap(out, site);
            clamp(out, site, scope);
            scope_calls(out, site, scope);
        }
    }
}

/// `f(x)` without the call, `x.f()` without the method.
fn unwrap(out: &mut Collector<'_, '_>, call: Node<'_>) {
    let (Some(function), Some(list)) = (call.child(Field::Function), call.child(Field::Arguments)) else {
        return;
    };
    let arguments: Vec<Node<'_>> = list.named_children().collect();
    for (index, argument) in arguments.iter().enumerate().take(3) {
        if argument.kind().is_expression() && argument.kind() != Kind::GeneratorExpression {
            let weight = if arguments.len() == 1 { 1.0 } else { 0.5 / (1.0 + index as f64) };
            out.replace(Family::Unwrap, call, weight, expression::instead(call, *argument));
        }
    }
    if let Some(object) = function.child(Field::Object) {
        out.replace(Family::Unwrap, call, 0.7, expression::instead(call, object));
    } else {
        out.add(Family::Unwrap, call, 0.1, vec![Edit::delete(list.range())]);
    }
}

fn can_be_wrapped(site: &Site<'_>, scope: &Scope<'_>) -> bool {
    let node = site.node;
    let Some(parent) = node.parent() else { return false };
    let is_callee = node.field() == Some(Field::Function);
    let is_function_name = node.kind() == Kind::Identifier && scope.callables.contains(&node.text());
    let place = matches!(
        parent.kind(),
        Kind::ArgumentList
            | Kind::Assignment
            | Kind::AugmentedAssignment
            | Kind::BinaryOperator
            | Kind::ComparisonOperator
            | Kind::ConditionalExpression
            | Kind::ExpressionList
            | Kind::ForInClause
            | Kind::ForStatement
            | Kind::List
            | Kind::ListComprehension
            | Kind::GeneratorExpression
            | Kind::Pair
            | Kind::ReturnStatement
            | Kind::Subscript
            | Kind::Tuple
    ) || parent.field() == Some(Field::Condition);
    place
        && !is_callee
        && !is_function_name
        && !matches!(node.kind(), Kind::ParenthesizedExpression | Kind::Lambda | Kind::None)
}

/// Wraps that turn one kind of value into another or tidy it, with what they take.
const WRAPS: &[(&str, Shape, f64)] = &[
    ("len", Shape::List, 1.0),
    ("int", Shape::Number, 0.9),
    ("str", Shape::Number, 0.8),
    ("abs", Shape::Number, 0.8),
    ("list", Shape::List, 0.6),
    ("set", Shape::List, 0.6),
    ("sorted", Shape::List, 0.7),
    ("sum", Shape::List, 0.5),
    ("max", Shape::List, 0.3),
    ("min", Shape::List, 0.3),
    ("tuple", Shape::List, 0.3),
    ("float", Shape::Number, 0.3),
    ("round", Shape::Number, 0.3),
    ("bool", Shape::Unknown, 0.2),
    ("ord", Shape::Text, 0.4),
    ("any", Shape::List, 0.1),
    ("all", Shape::List, 0.1),
    ("reversed", Shape::List, 0.2),
    ("dict", Shape::Dict, 0.15),
];

fn wrap(out: &mut Collector<'_, '_>, site: &Site<'_>) {
    let node = site.node;
    let is_literal =
        matches!(node.kind(), Kind::Integer | Kind::Float | Kind::True | Kind::False | Kind::String);
    let factor = if is_literal { 0.05 } else { 1.0 };
    let callee = node.child(Field::Function).map_or("", Node::text);
    for (function, takes, weight) in WRAPS {
        if callee != *function && site.shape.fits(*takes) > 0.1 {
            let weight = factor * weight * site.shape.fits(*takes);
            out.replace(Family::Wrap, node, weight, format!("{function}({})", node.text()));
        }
    }
    if matches!(site.shape, Shape::Text | Shape::Unknown) {
        let object = expression::operand(node, Level::Atom);
        for method in ["lower()", "upper()", "strip()", "split()"] {
            out.replace(
                Family::Wrap,
                node,
                0.3 * factor * site.shape.fits(Shape::Text),
                format!("{object}.{method}"),
            );
        }
        out.replace(Family::Wrap, node, 0.15 * factor, format!("''.join({})", node.text()));
    }
    if matches!(site.shape, Shape::List | Shape::Dict | Shape::Set | Shape::Unknown)
        && node.kind() != Kind::Call
    {
        let object = expression::operand(node, Level::Atom);
        out.replace(Family::Wrap, node, 0.3 * factor, format!("{object}.copy()"));
    }
}

/// `max(e, v)` and `min(e, v)`, and the same with 0 and 1.
fn clamp(out: &mut Collector<'_, '_>, site: &Site<'_>, scope: &Scope<'_>) {
    let node = site.node;
    let in_place = node.parent().is_some_and(|parent| {
        matches!(
            parent.kind(),
            Kind::Assignment | Kind::ReturnStatement | Kind::ArgumentList | Kind::BinaryOperator
        )
    });
    if !site.shape.may_be_number() || !in_place || matches!(node.kind(), Kind::Integer | Kind::String) {
        return;
    }
    let target = node
        .parent()
        .filter(|p| p.kind() == Kind::Assignment)
        .and_then(|p| p.child(Field::Left))
        .map_or("", Node::text);
    let terms = scope.terms.iter().filter(|term| term.shape.may_be_number()).map(|term| term.text.as_str());
    for (rank, other) in ["0", "1"].into_iter().chain(terms.take(10)).enumerate() {
        if other == node.text() {
            continue;
        }
        let weight = if other == target {
            2.0
        } else if rank == 0 {
            1.0
        } else {
            0.5
        };
        out.replace(Family::Clamp, node, weight, format!("max({other}, {})", node.text()));
        out.replace(Family::Clamp, node, weight, format!("min({other}, {})", node.text()));
    }
}

/// A function of this file around the value.
fn scope_calls(out: &mut Collector<'_, '_>, site: &Site<'_>, scope: &Scope<'_>) {
    if !matches!(
        site.node.kind(),
        Kind::Identifier | Kind::Subscript | Kind::Attribute | Kind::Call | Kind::BinaryOperator
    ) {
        return;
    }
    for name in scope.callables.iter().take(6) {
        if site.node.child(Field::Function).map_or("", Node::text) != *name {
            out.replace(Family::Wrap, site.node, 0.3, format!("{name}({})", site.node.text()));
        }
    }
}
