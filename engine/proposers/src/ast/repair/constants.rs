//! Wrong constants and bounds: literals, initial values, off-by-one, ranges and slices.

use super::catalogue::Collector;
use super::expression::{self, Level};
use super::family::Family;
use super::program::{Scope, Site};
use super::shape::Shape;
use syntax::{Edit, Field, Kind, Node};

/// Most string literals of the file that are tried for another.
const MAX_STRINGS: usize = 12;

pub(crate) fn propose(out: &mut Collector<'_, '_>) {
    let program = out.program();
    for site in &program.sites {
        let Some(scope) = program.scopes.get(site.scope) else { continue };
        match site.node.kind() {
            Kind::Integer => integer(out, site.node),
            Kind::Float => float(out, site.node),
            Kind::True => out.replace(Family::BooleanConstant, site.node, 1.0, "False"),
            Kind::False => out.replace(Family::BooleanConstant, site.node, 1.0, "True"),
            Kind::String => string(out, site.node),
            Kind::Call => {
                range_bounds(out, site.node, scope);
                off_by_one(out, site, scope);
            }
            _ => off_by_one(out, site, scope),
        }
        if is_literal(site.node) || site.node.kind() == Kind::None {
            other_literal(out, site.node);
        }
        initial_value(out, site.node, scope);
        if site.node.kind() == Kind::Subscript {
            slice_bounds(out, site.node, scope);
        }
        iterated(out, site.node, site.shape);
    }
}

fn is_literal(node: Node<'_>) -> bool {
    matches!(node.kind(), Kind::Integer | Kind::Float | Kind::True | Kind::False | Kind::String)
}

fn integer(out: &mut Collector<'_, '_>, node: Node<'_>) {
    let Ok(value) = node.text().replace('_', "").parse::<i64>() else { return };
    let steps = [
        (value.saturating_add(1), 1.0),
        (value.saturating_sub(1), 1.0),
        (0, 0.6),
        (1, 0.6),
        (2, 0.4),
        (-1, 0.4),
    ];
    for (other, weight) in steps {
        let text = other.to_string();
        let level = if other < 0 { Level::Unary } else { Level::Atom };
        if other != value {
            out.replace(Family::IntegerStep, node, weight, expression::fit(node, &text, level));
        }
    }
    if value.abs() > 2 {
        for other in [value.saturating_mul(2), value / 2, value.saturating_mul(10), value / 10, 10, 100] {
            out.replace(Family::IntegerStep, node, 0.15, other.to_string());
        }
    }
}

fn float(out: &mut Collector<'_, '_>, node: Node<'_>) {
    let Ok(value) = node.text().replace('_', "").parse::<f64>() else { return };
    for other in [
        value + 1.0,
        value - 1.0,
        value * 2.0,
        value / 2.0,
        value * 10.0,
        value / 10.0,
        1.0 - value,
        0.0,
        1.0,
    ] {
        out.replace(Family::IntegerStep, node, 0.4, format!("{other:?}"));
    }
}

fn string(out: &mut Collector<'_, '_>, node: Node<'_>) {
    let text = node.text();
    let strings = &out.program().strings;
    for other in strings.iter().filter(|other| **other != text).take(MAX_STRINGS) {
        out.replace(Family::Literal, node, 1.0, *other);
    }
    let (start, end) = (text.chars().next(), text.chars().last());
    let quoted = text.len() >= 2 && start == end && matches!(start, Some('"' | '\''));
    let quote = start.unwrap_or('"');
    let content = if quoted { text.get(1..text.len() - 1).unwrap_or_default() } else { return };
    for other in ["", " ", ", ", ",", "\\n", "0", "-"] {
        out.replace(
            Family::OtherLiteral,
            node,
            if content.len() <= 2 { 0.6 } else { 0.1 },
            format!("{quote}{other}{quote}"),
        );
    }
    if content.len() <= 24 {
        let changed = [
            content.to_uppercase(),
            content.to_lowercase(),
            content.trim().to_owned(),
            format!("{content} "),
            format!(" {content}"),
        ];
        for other in changed {
            out.replace(Family::Literal, node, 0.4, format!("{quote}{other}{quote}"));
        }
        let reversed: String = content.chars().rev().collect();
        if !content.contains('\\') {
            out.replace(Family::Literal, node, 0.2, format!("{quote}{reversed}{quote}"));
        }
    }
}

/// A literal of another kind where one is given back or passed.
fn other_literal(out: &mut Collector<'_, '_>, node: Node<'_>) {
    let weight = match node.parent().map(Node::kind) {
        Some(Kind::ReturnStatement) => 1.0,
        Some(
            Kind::ArgumentList | Kind::DefaultParameter | Kind::ConditionalExpression | Kind::Assignment,
        ) => 0.4,
        _ => 0.15,
    };
    for other in ["0", "1", "-1", "None", "True", "False", "[]", "''", "{}", "[[]]", "float('inf')", "()"] {
        out.replace(Family::OtherLiteral, node, weight, other);
    }
}

/// What a variable starts with, before a loop changes it.
fn initial_value(out: &mut Collector<'_, '_>, node: Node<'_>, scope: &Scope<'_>) {
    let Some(assignment) = node.parent().filter(|parent| parent.kind() == Kind::Assignment) else { return };
    if node.field() != Some(Field::Right) || !scope.is_function {
        return;
    }
    let simple = is_literal(node)
        || matches!(node.kind(), Kind::None | Kind::List | Kind::Dictionary | Kind::UnaryOperator)
        || (matches!(node.kind(), Kind::Call | Kind::Subscript | Kind::Identifier)
            && node.text().len() <= 16);
    if !simple {
        return;
    }
    let target = assignment.child(Field::Left).map_or("", Node::text);
    for (value, weight) in [
        ("0", 1.0),
        ("1", 1.0),
        ("-1", 0.7),
        ("float('inf')", 0.7),
        ("float('-inf')", 0.7),
        ("[]", 0.6),
        ("None", 0.5),
        ("True", 0.5),
        ("False", 0.5),
        ("''", 0.5),
        ("{}", 0.4),
        ("set()", 0.5),
        ("[0]", 0.3),
        ("2", 0.3),
        ("[[]]", 0.2),
        ("1.0", 0.1),
    ] {
        out.replace(Family::InitialValue, node, weight, value);
    }
    for name in scope.names.iter().filter(|name| name.text != target && name.is_parameter) {
        if name.shape.is_sequence() {
            out.replace(Family::InitialValue, node, 0.5, format!("{}[0]", name.text));
            out.replace(Family::InitialValue, node, 0.4, format!("len({})", name.text));
            out.replace(Family::InitialValue, node, 0.4, format!("len({}) - 1", name.text));
            out.replace(Family::InitialValue, node, 0.2, format!("[{}[0]]", name.text));
        }
        out.replace(Family::InitialValue, node, 0.5, name.text);
        out.replace(Family::InitialValue, node, 0.2, format!("[{}]", name.text));
        out.replace(Family::InitialValue, node, 0.15, format!("{{{}}}", name.text));
    }
}

/// How likely a value in this place is one too many or too few.
fn bound_weight(node: Node<'_>) -> f64 {
    let Some(parent) = node.parent() else { return 0.0 };
    match parent.kind() {
        Kind::ArgumentList => {
            let called = parent.parent().and_then(|call| call.child(Field::Function)).map_or("", Node::text);
            if called == "range" { 1.5 } else { 0.7 }
        }
        Kind::Slice => 1.2,
        Kind::Subscript if node.field() == Some(Field::Subscript) => 1.2,
        Kind::ComparisonOperator => 0.9,
        Kind::ReturnStatement => 1.0,
        Kind::Assignment if node.field() == Some(Field::Right) => 0.8,
        Kind::AugmentedAssignment if node.field() == Some(Field::Right) => 0.5,
        Kind::BinaryOperator => 0.3,
        Kind::ConditionalExpression | Kind::List | Kind::Tuple | Kind::ExpressionList | Kind::Pair => 0.4,
        _ => 0.0,
    }
}

fn off_by_one(out: &mut Collector<'_, '_>, site: &Site<'_>, scope: &Scope<'_>) {
    let node = site.node;
    let simple = matches!(
        node.kind(),
        Kind::Identifier | Kind::Call | Kind::Subscript | Kind::BinaryOperator | Kind::Attribute
    );
    let weight = bound_weight(node);
    if !simple || !site.shape.may_be_number() || weight == 0.0 || is_callable_name(node, scope) {
        return;
    }
    // A sum with a number is the business of the integer's own steps.
    let has_number = matches!(node.operator(), "+" | "-")
        && node.child(Field::Right).is_some_and(|right| right.kind() == Kind::Integer);
    let likely = if site.shape == Shape::Number { 1.0 } else { 0.5 };
    let factor = if has_number { 0.1 } else { likely };
    for operator in ["+", "-"] {
        out.replace(Family::OffByOne, node, weight * factor, expression::extend(node, operator, "1"));
    }
}

fn is_callable_name(node: Node<'_>, scope: &Scope<'_>) -> bool {
    node.field() == Some(Field::Function)
        || (node.kind() == Kind::Identifier && scope.callables.contains(&node.text()))
}

fn range_bounds(out: &mut Collector<'_, '_>, call: Node<'_>, scope: &Scope<'_>) {
    if call.child(Field::Function).map_or("", Node::text) != "range" {
        return;
    }
    let Some(arguments) = call.child(Field::Arguments) else { return };
    let texts: Vec<&str> = arguments.named_children().map(Node::text).collect();
    let mut propose = |weight: f64, inner: String| {
        out.replace(Family::RangeBounds, call, weight, format!("range({inner})"));
    };
    match texts.as_slice() {
        [end] => {
            propose(1.0, format!("1, {end}"));
            propose(0.8, format!("1, {end} + 1"));
            propose(0.5, format!("2, {end}"));
            propose(0.4, format!("2, {end} + 1"));
            propose(0.3, format!("{end} - 1, -1, -1"));
            propose(0.3, format!("0, {end}, 2"));
            for name in scope
                .names
                .iter()
                .filter(|name| name.shape.may_be_number() && name.is_own && name.text != *end)
            {
                propose(0.6, format!("{}, {end}", name.text));
                propose(0.6, format!("{} + 1, {end}", name.text));
            }
        }
        [start, end] => {
            propose(0.6, (*end).to_owned());
            propose(0.6, format!("{start} + 1, {end} + 1"));
            propose(0.5, format!("{start} - 1, {end} - 1"));
            propose(0.5, format!("{start}, {end}, -1"));
            propose(0.4, format!("{end}, {start}"));
            propose(0.4, format!("{end}, {start} - 1, -1"));
            propose(0.3, format!("{end} - 1, {start} - 1, -1"));
            propose(0.3, format!("{start}, {end}, 2"));
        }
        [start, end, step] => {
            propose(0.8, format!("{start}, {end}"));
            propose(0.6, format!("{start}, {end}, -{step}"));
            propose(0.4, format!("{start} - 1, {end} - 1, {step}"));
            for name in scope.names.iter().filter(|name| name.shape.may_be_number() && name.is_own) {
                propose(0.5, format!("{start}, {end}, {}", name.text));
            }
        }
        _ => {}
    }
}

fn slice_bounds(out: &mut Collector<'_, '_>, node: Node<'_>, scope: &Scope<'_>) {
    let Some(value) = node.child(Field::Value) else { return };
    let mut indices = node.children_in(Field::Subscript);
    let (Some(index), None) = (indices.next(), indices.next()) else { return };
    if index.kind() != Kind::Slice {
        if node.parent().is_some_and(|parent| parent.kind() != Kind::Subscript) {
            out.add(Family::SliceBounds, node, 0.2, vec![Edit::insert(index.range().end, ":")]);
            out.add(Family::SliceBounds, node, 0.2, vec![Edit::insert(index.range().start, ":")]);
        }
        return;
    }
    let parts: Vec<&str> = index.text().split(':').collect();
    let mut bounds: Vec<&str> = vec!["", "1", "-1"];
    bounds.extend(
        scope.names.iter().filter(|name| name.shape.may_be_number() && name.is_own).map(|name| name.text),
    );
    let (start, end) = match parts.as_slice() {
        [start, end] => (start.trim(), end.trim()),
        [start, end, step] => {
            out.replace(Family::SliceBounds, index, 0.8, format!("{start}:{end}"));
            out.replace(
                Family::SliceBounds,
                index,
                0.5,
                format!("{start}:{end}:-{}", step.trim_start_matches('-')),
            );
            (start.trim(), end.trim())
        }
        _ => return,
    };
    for bound in &bounds {
        out.replace(
            Family::SliceBounds,
            index,
            if bound.is_empty() { 1.0 } else { 0.6 },
            format!("{bound}:{end}"),
        );
        out.replace(
            Family::SliceBounds,
            index,
            if bound.is_empty() { 1.0 } else { 0.6 },
            format!("{start}:{bound}"),
        );
    }
    for name in scope.names.iter().filter(|name| name.shape.may_be_number() && name.is_own) {
        out.replace(Family::SliceBounds, index, 0.3, format!("-{}:{end}", name.text));
        out.replace(Family::SliceBounds, index, 0.3, format!("{start}:-{}", name.text));
    }
    for (bound, weight) in [(start, 1.0), (end, 1.0)] {
        for operator in ["+", "-"] {
            if bound == start && !start.is_empty() && start.parse::<i64>().is_err() {
                out.replace(Family::OffByOne, index, weight, format!("{start} {operator} 1:{end}"));
            } else if bound == end && !end.is_empty() && end.parse::<i64>().is_err() {
                out.replace(Family::OffByOne, index, weight, format!("{start}:{end} {operator} 1"));
            }
        }
    }
    out.replace(Family::SliceBounds, index, 0.5, format!("{end}:{start}"));
    out.replace(Family::SliceBounds, index, 0.3, format!("{start}:{end}:-1"));
    out.replace(Family::SliceBounds, node, 0.6, value.text());
}

/// What a loop or comprehension runs over.
fn iterated(out: &mut Collector<'_, '_>, node: Node<'_>, shape: Shape) {
    let in_loop = node.field() == Some(Field::Right)
        && node
            .parent()
            .is_some_and(|parent| matches!(parent.kind(), Kind::ForStatement | Kind::ForInClause));
    if !in_loop {
        return;
    }
    let text = expression::operand(node, Level::Atom);
    let is_range = node.child(Field::Function).map_or("", Node::text) == "range";
    for (wrapped, weight) in [
        (format!("reversed({})", node.text()), 1.0),
        (format!("sorted({})", node.text()), 0.5),
        (format!("enumerate({})", node.text()), 0.2),
        (format!("list({})", node.text()), 0.4),
        (format!("range({})", node.text()), if shape.is_container() { 0.05 } else { 0.4 }),
        (format!("range(len({}))", node.text()), 0.4),
        (format!("set({})", node.text()), 0.2),
        (format!("{text}[1:]"), 0.8),
        (format!("{text}[:-1]"), 0.8),
        (format!("{text}.items()"), 0.2),
        (format!("{text}.values()"), 0.1),
    ] {
        let sensible = !is_range || wrapped.starts_with("reversed");
        if sensible {
            out.replace(Family::RangeBounds, node, weight, wrapped);
        }
    }
}
