//! Expressions put together from the program's own: one in place of another, with one name exchanged, or added to one.

use super::catalogue::Collector;
use super::expression::{self, Level};
use super::family::Family;
use super::program::{Ingredient, Scope, Site};
use super::shape::Shape;
use syntax::{Field, Kind, Node};

/// Most ingredients whose names are exchanged at one place.
const MAX_TEMPLATES: usize = 25;

pub(crate) fn propose(out: &mut Collector<'_, '_>) {
    let program = out.program();
    for site in &program.sites {
        let Some(scope) = program.scopes.get(site.scope) else { continue };
        if site.node.field() == Some(Field::Function) || site.node.kind() == Kind::ParenthesizedExpression {
            continue;
        }
        ingredient(out, site, scope);
        extend(out, site, scope);
        if place_weight(site.node) >= 0.8 {
            template(out, site, scope);
        }
    }
}

/// How often a wrong value stands in such a place.
fn place_weight(node: Node<'_>) -> f64 {
    let Some(parent) = node.parent() else { return 0.0 };
    match parent.kind() {
        Kind::ReturnStatement => 1.2,
        Kind::Assignment | Kind::AugmentedAssignment if node.field() == Some(Field::Right) => 1.0,
        Kind::ArgumentList => 0.8,
        Kind::ForStatement if node.field() == Some(Field::Right) => 0.8,
        Kind::ConditionalExpression => 0.5,
        Kind::BinaryOperator => 0.5,
        Kind::ComparisonOperator => 0.5,
        Kind::Subscript | Kind::Slice => 0.5,
        Kind::ExpressionList | Kind::Tuple | Kind::List => 0.5,
        _ => 0.25,
    }
}

/// Whether an ingredient, which may come from another source, is around a node.
fn holds(ingredient: Node<'_>, node: Node<'_>) -> bool {
    std::ptr::eq(ingredient.module(), node.module()) && ingredient.contains(node)
}

/// Whether two expressions are of one make: two calls, two subscripts.
fn kin(node: Node<'_>, other: Node<'_>) -> f64 {
    if node.kind() != other.kind() {
        return 0.35;
    }
    let same_function = node.kind() == Kind::Call
        && node.child(Field::Function).map(Node::text) == other.child(Field::Function).map(Node::text);
    if same_function { 1.5 } else { 1.0 }
}

fn ingredient(out: &mut Collector<'_, '_>, site: &Site<'_>, scope: &Scope<'_>) {
    let node = site.node;
    let place = place_weight(node);
    for ingredient in &scope.ingredients {
        if ingredient.text == node.text() || holds(ingredient.node, node) && node.text().len() <= 2 {
            continue;
        }
        let weight =
            place * ingredient.weight * kin(node, ingredient.node) * site.shape.fits(ingredient.shape);
        if weight >= 0.02 {
            let text = expression::fit(node, &ingredient.text, expression::of(ingredient.node));
            out.replace(Family::Ingredient, node, weight, text);
        }
    }
}

/// `e op v` for terms `v`, and `e op f(...)` for expressions of the scope.
fn extend(out: &mut Collector<'_, '_>, site: &Site<'_>, scope: &Scope<'_>) {
    let node = site.node;
    let place = place_weight(node);
    let is_literal = matches!(node.kind(), Kind::String | Kind::None | Kind::True | Kind::False);
    if place < 0.3 || is_literal || matches!(site.shape, Shape::Bool | Shape::Dict | Shape::Nothing) {
        return;
    }
    let numeric = site.shape.may_be_number();
    for term in &scope.terms {
        let fits = site.shape.fits(term.shape);
        if fits < 0.2 || term.text == node.text() {
            continue;
        }
        let weight = place * fits * if term.is_name { 1.0 } else { 0.6 };
        let operators: &[(&str, f64)] = if numeric {
            &[("+", 1.0), ("-", 0.9), ("*", 0.5), ("//", 0.15), ("%", 0.2), ("/", 0.1)]
        } else {
            &[("+", 1.0)]
        };
        for (operator, likely) in operators {
            out.replace(
                Family::Extend,
                node,
                weight * likely,
                expression::extend(node, operator, &term.text),
            );
            if matches!(*operator, "-" | "+") {
                let level = Level::Sum;
                let text = format!("{} {operator} {}", term.text, expression::operand(node, Level::Product));
                out.replace(Family::Extend, node, 0.4 * weight * likely, expression::fit(node, &text, level));
            }
        }
        if !numeric || site.shape == Shape::Unknown {
            let text = format!("{} + [{}]", expression::operand(node, Level::Sum), term.text);
            out.replace(Family::Extend, node, 0.3 * place, expression::fit(node, &text, Level::Sum));
        }
    }
    if place < 0.8 {
        return;
    }
    if numeric {
        numbers(out, node, place);
    }
    for ingredient in scope
        .ingredients
        .iter()
        .filter(|ingredient| ingredient.weight == 1.0 && !holds(ingredient.node, node))
    {
        let weight = place
            * site.shape.fits(ingredient.shape)
            * if ingredient.node.kind() == Kind::Call { 1.0 } else { 0.5 };
        if ingredient.text == node.text() || weight < 0.2 {
            continue;
        }
        let right = if expression::of(ingredient.node) <= Level::Sum {
            format!("({})", ingredient.text)
        } else {
            ingredient.text.clone()
        };
        for (operator, likely) in
            [("+", 1.0), ("-", if numeric { 0.5 } else { 0.0 }), ("*", if numeric { 0.2 } else { 0.0 })]
        {
            if likely > 0.0 {
                out.replace(
                    Family::ExtendCall,
                    node,
                    weight * likely,
                    expression::extend(node, operator, &right),
                );
            }
        }
        let flipped = format!("{} + {}", right, expression::operand(node, Level::Product));
        if !numeric {
            out.replace(Family::ExtendCall, node, weight * 0.7, expression::fit(node, &flipped, Level::Sum));
        }
    }
}

/// `e op n` for numbers: the usual ones and those that the file has.
fn numbers(out: &mut Collector<'_, '_>, node: Node<'_>, place: f64) {
    let program = out.program();
    for number in
        ["2", "10"].into_iter().chain(program.numbers.iter().copied().filter(|n| !matches!(*n, "0" | "1")))
    {
        let weight = if matches!(number, "2" | "10") { 0.15 } else { 0.25 };
        for operator in ["+", "-", "*", "//", "%"] {
            out.replace(Family::Extend, node, weight * place, expression::extend(node, operator, number));
        }
    }
}

/// An expression of the scope with one of its names or numbers exchanged.
fn template(out: &mut Collector<'_, '_>, site: &Site<'_>, scope: &Scope<'_>) {
    let node = site.node;
    let place = place_weight(node);
    let mut ordered: Vec<&Ingredient<'_>> =
        scope.ingredients.iter().filter(|ingredient| ingredient.text.len() <= 40).collect();
    ordered.sort_by(|a, b| {
        let value = |i: &Ingredient<'_>| i.weight * kin(node, i.node) * site.shape.fits(i.shape);
        value(b).total_cmp(&value(a))
    });
    for ingredient in ordered.into_iter().take(MAX_TEMPLATES) {
        let weight =
            place * ingredient.weight * kin(node, ingredient.node) * site.shape.fits(ingredient.shape);
        for text in variants(ingredient, scope) {
            let text = expression::fit(node, &text, expression::of(ingredient.node));
            out.replace(Family::Template, node, weight, text);
        }
    }
}

/// The text of an ingredient with one identifier replaced by another variable of the same make.
pub(crate) fn variants(ingredient: &Ingredient<'_>, scope: &Scope<'_>) -> Vec<String> {
    let base = ingredient.node.range().start;
    let text = &ingredient.text;
    let mut found = Vec::new();
    for node in ingredient.node.descendants().filter(|node| node.kind() == Kind::Identifier) {
        if matches!(node.field(), Some(Field::Function | Field::Attribute | Field::Name)) {
            continue;
        }
        let Some(shape) = scope.names.iter().find(|name| name.text == node.text()).map(|name| name.shape)
        else {
            continue;
        };
        let range = node.range();
        let (Some(before), Some(after)) = (text.get(..range.start - base), text.get(range.end - base..))
        else {
            continue;
        };
        for name in scope.names.iter().filter(|name| name.is_own && name.text != node.text()) {
            if shape.fits(name.shape) >= 0.5 {
                found.push(format!("{before}{}{after}", name.text));
            }
        }
    }
    found
}
