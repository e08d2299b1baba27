//! Wrong names: a variable for another, an attribute for another, a target of assignment for another, a name where a
//! literal should stand and the other way round.

use super::catalogue::Collector;
use super::family::Family;
use super::program::{Program, Scope, Site};
use super::shape::Shape;
use std::collections::BTreeMap;
use syntax::{Edit, Field, Kind, Node};

pub(crate) fn propose(out: &mut Collector<'_, '_>) {
    let program = out.program();
    for site in &program.sites {
        let Some(scope) = program.scopes.get(site.scope) else { continue };
        match site.node.kind() {
            Kind::Identifier => {
                variable(out, site, scope, program);
                literal_for_variable(out, site);
            }
            Kind::Attribute => attribute(out, site.node, program),
            Kind::Integer | Kind::None | Kind::True | Kind::False | Kind::String => {
                variable_for_literal(out, site, scope);
            }
            Kind::List if site.node.named_children().next().is_none() => {
                variable_for_literal(out, site, scope)
            }
            _ => {}
        }
    }
    for target in &program.targets {
        if let Some(scope) = program.scopes.get(target.scope) {
            targets(out, target.node, scope);
        }
    }
    for scope in &program.scopes {
        parameters_crossed(out, scope);
    }
}

/// The line on which a name is bound first says little; how alike two names are spelt says that they may be confused.
fn likeness(a: &str, b: &str) -> f64 {
    let same_first = a.chars().next() == b.chars().next();
    let one_letter = a.len() == 1 && b.len() == 1;
    if same_first || one_letter { 1.3 } else { 1.0 }
}

fn variable(out: &mut Collector<'_, '_>, site: &Site<'_>, scope: &Scope<'_>, program: &Program<'_>) {
    let node = site.node;
    let text = node.text();
    let is_called = node.field() == Some(Field::Function);
    if is_called || scope.callables.contains(&text) {
        for other in scope.callables.iter().filter(|other| **other != text) {
            out.replace(Family::Variable, node, 1.0, *other);
        }
    }
    if is_called && !scope.names.iter().any(|name| name.text == text) {
        return;
    }
    let mut inner: Vec<&str> = Vec::new();
    let comprehension = node.ancestors().find(|outer| outer.kind().is_comprehension());
    for clause in
        comprehension.iter().flat_map(|outer| outer.children()).filter(|c| c.kind() == Kind::ForInClause)
    {
        if let Some(left) = clause.child(Field::Left) {
            inner.extend(
                std::iter::once(left)
                    .chain(left.descendants())
                    .filter(|n| n.kind() == Kind::Identifier)
                    .map(Node::text),
            );
        }
    }
    for other in inner.iter().filter(|other| **other != text) {
        out.replace(Family::Variable, node, 1.2, *other);
    }
    let unknown = !scope.names.iter().any(|name| name.text == text) && !inner.contains(&text);
    for name in scope.names.iter().filter(|name| name.text != text && !inner.contains(&name.text)) {
        let own = if name.is_own { 1.0 } else { 0.3 };
        let weight =
            site.shape.fits(name.shape) * own * likeness(text, name.text) * if unknown { 2.0 } else { 1.0 };
        out.replace(Family::Variable, node, weight, name.text);
    }
    // `self.x` for `x`.
    let attributes = &program.attributes;
    let takes_self = scope.names.iter().any(|name| name.text == "self" && name.is_own);
    if takes_self && attributes.contains(text) {
        out.replace(Family::Attribute, node, 1.0, format!("self.{text}"));
    }
}

fn literal_for_variable(out: &mut Collector<'_, '_>, site: &Site<'_>) {
    let node = site.node;
    if node.field() == Some(Field::Function) || node.field() == Some(Field::Object) {
        return;
    }
    let number = site.shape.fits(Shape::Number);
    for (literal, weight) in [
        ("0", number),
        ("1", number),
        ("-1", 0.5 * number),
        ("2", 0.4 * number),
        ("None", 0.3),
        ("True", site.shape.fits(Shape::Bool) * 0.5),
        ("False", site.shape.fits(Shape::Bool) * 0.5),
        ("[]", site.shape.fits(Shape::List) * 0.4),
        ("''", site.shape.fits(Shape::Text) * 0.4),
    ] {
        out.replace(Family::LiteralForVariable, node, weight, literal);
    }
}

fn variable_for_literal(out: &mut Collector<'_, '_>, site: &Site<'_>, scope: &Scope<'_>) {
    for name in scope.names.iter().filter(|name| name.is_own) {
        let weight = site.shape.fits(name.shape);
        out.replace(Family::VariableForLiteral, site.node, weight, name.text);
        if site.node.kind() == Kind::Integer && name.shape.is_sequence() {
            out.replace(Family::VariableForLiteral, site.node, 0.4, format!("len({})", name.text));
        }
    }
}

fn attribute(out: &mut Collector<'_, '_>, node: Node<'_>, program: &Program<'_>) {
    let (Some(object), Some(name)) = (node.child(Field::Object), node.child(Field::Attribute)) else {
        return;
    };
    let is_called = node.field() == Some(Field::Function);
    let others = if is_called { &program.methods } else { &program.attributes };
    for other in others.iter().filter(|other| **other != name.text()) {
        out.add(Family::Attribute, node, 1.0, vec![Edit::replace(name.range(), *other)]);
    }
    if !is_called {
        out.replace(Family::Attribute, node, 0.7, object.text());
        // One step further along a chain: `node.next.next`.
        for other in &program.attributes {
            out.add(Family::Attribute, node, 0.4, vec![Edit::insert(node.range().end, format!(".{other}"))]);
        }
    }
}

/// A target of assignment: another variable, an element, an attribute.
fn targets(out: &mut Collector<'_, '_>, node: Node<'_>, scope: &Scope<'_>) {
    for name in scope.names.iter().filter(|name| name.is_own && name.text != node.text()) {
        out.replace(Family::Target, node, if name.is_parameter { 0.7 } else { 1.0 }, name.text);
    }
    for term in scope.terms.iter().filter(|term| !term.is_name) {
        out.replace(Family::Target, node, 0.8, term.text.as_str());
    }
}

/// Two variables exchanged throughout one statement, or one renamed throughout: a slip that was made consistently.
fn parameters_crossed(out: &mut Collector<'_, '_>, scope: &Scope<'_>) {
    for statement in scope.statements.iter().filter(|statement| statement.kind().is_simple_statement()) {
        let mut reads: BTreeMap<&str, Vec<Node<'_>>> = BTreeMap::new();
        for node in statement.descendants().filter(|node| node.kind() == Kind::Identifier) {
            if scope.names.iter().any(|name| name.text == node.text() && name.is_own)
                && node.field() != Some(Field::Attribute)
            {
                reads.entry(node.text()).or_default().push(node);
            }
        }
        let found: Vec<(&str, Vec<Node<'_>>)> = reads.into_iter().take(5).collect();
        for (index, (a, at_a)) in found.iter().enumerate() {
            for (b, at_b) in found.iter().skip(index + 1) {
                let mut edits: Vec<Edit> = at_a.iter().map(|node| Edit::replace(node.range(), *b)).collect();
                edits.extend(at_b.iter().map(|node| Edit::replace(node.range(), *a)));
                out.add(Family::SwapOperands, *statement, 0.2, edits);
            }
            if at_a.len() > 1 {
                for name in scope.names.iter().filter(|name| name.is_own && name.text != *a) {
                    let edits = at_a.iter().map(|node| Edit::replace(node.range(), name.text)).collect();
                    out.add(Family::Variable, *statement, 0.15, edits);
                }
            }
        }
    }
}
