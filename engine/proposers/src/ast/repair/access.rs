//! The right object, looked at wrongly: an element for the whole, an attribute for the object, a list for its element.

use super::catalogue::Collector;
use super::expression::{self, Level};
use super::family::Family;
use super::program::{Program, Scope, Site};
use super::shape::Shape;
use syntax::{Edit, Field, Kind, Node};

pub(crate) fn propose(out: &mut Collector<'_, '_>) {
    let program = out.program();
    for site in &program.sites {
        let Some(scope) = program.scopes.get(site.scope) else { continue };
        match site.node.kind() {
            Kind::Subscript => subscript(out, site.node, scope),
            Kind::Identifier | Kind::Attribute | Kind::Call => plain(out, site, scope, program),
            _ => {}
        }
        list_wrap(out, site);
    }
}

fn subscript(out: &mut Collector<'_, '_>, node: Node<'_>, scope: &Scope<'_>) {
    let Some(value) = node.child(Field::Value) else { return };
    let indices: Vec<Node<'_>> = node.children_in(Field::Subscript).collect();
    let [index] = indices.as_slice() else { return };
    if index.kind() == Kind::Slice {
        return;
    }
    let (object, key) = (value.text(), index.text());
    out.replace(Family::Access, node, 0.6, object);
    out.replace(Family::Access, node, 0.4, expression::instead(node, *index));
    if index.kind() != Kind::Integer {
        out.replace(Family::Access, node, 1.0, format!("{object}.get({key}, 0)"));
        out.replace(Family::Access, node, 0.6, format!("{object}.get({key})"));
        out.replace(Family::Access, node, 0.3, format!("{object}.get({key}, [])"));
        out.replace(
            Family::Access,
            node,
            0.5,
            format!("{object}[-{}]", expression::operand(*index, Level::Power)),
        );
        out.replace(
            Family::Access,
            node,
            0.5,
            format!("{object}[len({object}) - {} - 1]", expression::operand(*index, Level::Product)),
        );
        out.replace(Family::Access, node, 0.3, format!("{object}[{key} % len({object})]"));
    }
    for (other, weight) in [("0", 0.7), ("-1", 0.7), ("1", 0.3)] {
        out.replace(Family::Access, *index, weight, other);
    }
    // `a[i][j]` and `a[j][i]`, and one index more.
    if value.kind() == Kind::Subscript
        && let Some(inner) = value.children_in(Field::Subscript).next()
    {
        out.add(
            Family::SwapElements,
            node,
            1.0,
            vec![Edit::replace(inner.range(), key), Edit::replace(index.range(), inner.text())],
        );
    }
    let deeper =
        scope.names.iter().filter(|name| name.is_own && name.shape == Shape::Number).map(|name| name.text);
    for next in deeper.chain(["0", "1", "-1"]) {
        out.add(Family::Access, node, 0.2, vec![Edit::insert(node.range().end, format!("[{next}]"))]);
    }
}

fn plain(out: &mut Collector<'_, '_>, site: &Site<'_>, scope: &Scope<'_>, program: &Program<'_>) {
    let node = site.node;
    let is_called = node.field() == Some(Field::Function);
    let is_base = node.parent().is_some_and(|parent| {
        (parent.kind() == Kind::Subscript && node.field() == Some(Field::Value))
            || parent.kind() == Kind::Attribute
    });
    if is_called || (node.kind() == Kind::Identifier && scope.callables.contains(&node.text())) {
        return;
    }
    let text = node.text();
    let sequence = if site.shape.is_sequence() { site.shape.fits(Shape::List) } else { 0.1 };
    let may_be_indexed = !matches!(site.shape, Shape::Number | Shape::Bool | Shape::Nothing);
    if may_be_indexed && text.len() <= 30 {
        for (index, weight) in [("0", 0.8), ("-1", 0.8), ("1", 0.4)] {
            out.replace(Family::Access, node, weight * sequence, format!("{text}[{index}]"));
        }
        if !is_base {
            for (slice, weight) in [("1:", 1.0), (":-1", 0.8), ("::-1", 0.8), (":", 0.4)] {
                out.replace(Family::SliceBounds, node, weight * sequence, format!("{text}[{slice}]"));
            }
        }
        if node.kind() != Kind::Call {
            let indices = scope.names.iter().filter(|name| name.is_own && name.text != text);
            for name in indices.filter(|name| name.shape.may_be_number()) {
                let likely = name.shape.fits(Shape::Number);
                out.replace(Family::Access, node, 0.8 * likely * sequence, format!("{text}[{}]", name.text));
                if !is_base {
                    out.replace(
                        Family::SliceBounds,
                        node,
                        0.3 * likely * sequence,
                        format!("{text}[{}:]", name.text),
                    );
                    out.replace(
                        Family::SliceBounds,
                        node,
                        0.3 * likely * sequence,
                        format!("{text}[:{}]", name.text),
                    );
                }
            }
        }
    }
    // A name that is an index should often have been the element that it points to.
    if node.kind() == Kind::Identifier && site.shape == Shape::Number {
        for name in scope.names.iter().filter(|name| name.shape == Shape::List || name.shape == Shape::Dict) {
            out.replace(Family::Access, node, 0.5, format!("{}[{text}]", name.text));
        }
    }
    if node.kind() == Kind::Identifier && !matches!(site.shape, Shape::Number | Shape::List | Shape::Bool) {
        for attribute in program.attributes.iter().take(10) {
            out.replace(Family::Access, node, 0.5, format!("{text}.{attribute}"));
        }
        for name in scope.names.iter().filter(|name| name.text != text && name.shape == Shape::Dict) {
            out.replace(Family::Access, node, 0.4, format!("{}[{text}]", name.text));
        }
    }
}

/// A value and the list of it.
fn list_wrap(out: &mut Collector<'_, '_>, site: &Site<'_>) {
    let node = site.node;
    let Some(parent) = node.parent() else { return };
    let place = match parent.kind() {
        Kind::ReturnStatement => 1.0,
        Kind::ArgumentList => 0.7,
        Kind::BinaryOperator if parent.operator() == "+" => 1.0,
        Kind::BinaryOperator if parent.operator() == "*" => 0.3,
        Kind::Assignment | Kind::AugmentedAssignment if node.field() == Some(Field::Right) => 0.6,
        Kind::List | Kind::Tuple | Kind::ConditionalExpression | Kind::Pair => 0.4,
        Kind::ListComprehension if node.field() == Some(Field::Body) => 0.6,
        _ => 0.0,
    };
    let is_called = node.field() == Some(Field::Function);
    if place == 0.0 || is_called || node.kind() == Kind::ParenthesizedExpression {
        return;
    }
    out.replace(Family::ListWrap, node, place, format!("[{}]", node.text()));
    out.replace(Family::ListWrap, node, 0.2 * place, format!("({},)", node.text()));
    if matches!(node.kind(), Kind::List | Kind::Tuple | Kind::Set) {
        let elements: Vec<Node<'_>> = node.named_children().collect();
        if let [only] = elements.as_slice() {
            out.replace(Family::ListWrap, node, 1.2, expression::instead(node, *only));
        }
        let inside = node.text().get(1..node.text().len().saturating_sub(1)).unwrap_or_default();
        if node.kind() == Kind::List {
            out.replace(Family::ListWrap, node, 0.3, format!("({inside})"));
        } else if node.kind() == Kind::Tuple && node.text().starts_with('(') {
            out.replace(Family::ListWrap, node, 0.5, format!("[{inside}]"));
        }
    }
}
