//! Conditions that say too much, too little or something else; and the stock of simple conditions from which the
//! families draw.

use super::catalogue::Collector;
use super::expression::{self, Level};
use super::family::Family;
use super::program::{Program, Scope, Term};
use super::shape::Shape;
use syntax::{Edit, Field, Kind, Node};

/// Most variants of one condition.
const MAX_VARIANTS: usize = 8;
/// Most pairs of terms that are compared with each other.
const MAX_PAIRS: usize = 40;

pub(crate) fn propose(out: &mut Collector<'_, '_>) {
    let program = out.program();
    for site in &program.sites {
        let Some(scope) = program.scopes.get(site.scope) else { continue };
        if site.node.kind() == Kind::BooleanOperator {
            drop_part(out, site.node);
        }
        if site.node.kind().is_comprehension() {
            filter(out, site.node, scope);
        }
        if let Some(weight) = condition_weight(site.node) {
            extend(out, site.node, scope, weight);
            replace(out, site.node, scope, weight);
        }
    }
    conditional_value(out, program);
}

/// Whether a node is a whole condition, and how often such a one is at fault.
fn condition_weight(node: Node<'_>) -> Option<f64> {
    let parent = node.parent()?;
    match parent.kind() {
        Kind::IfStatement | Kind::ElifClause | Kind::WhileStatement
            if node.field() == Some(Field::Condition) =>
        {
            Some(1.0)
        }
        Kind::IfClause => Some(0.5),
        Kind::ConditionalExpression if parent.named_children().nth(1) == Some(node) => Some(0.4),
        Kind::ReturnStatement
            if matches!(
                node.kind(),
                Kind::ComparisonOperator | Kind::BooleanOperator | Kind::NotOperator
            ) =>
        {
            Some(0.6)
        }
        _ => None,
    }
}

fn drop_part(out: &mut Collector<'_, '_>, node: Node<'_>) {
    for side in [Field::Left, Field::Right] {
        if let Some(part) = node.child(side) {
            out.replace(Family::ConditionDrop, node, 1.0, expression::instead(node, part));
        }
    }
}

fn extend(out: &mut Collector<'_, '_>, node: Node<'_>, scope: &Scope<'_>, weight: f64) {
    let own = node.text();
    for (atom, likely) in scope.atoms.iter().filter(|(atom, _)| !own.contains(atom.as_str())) {
        for operator in ["and", "or"] {
            let level = expression::of_operator(operator);
            let other = if atom.contains(" or ") { format!("({atom})") } else { atom.clone() };
            let kept = expression::operand(node, level);
            // What guards the rest of a condition stands before it; the order hardly matters otherwise.
            let guards = matches!(operator, "and" | "or") && atom_may_guard(atom);
            let (first, second) = if guards { (0.75, 0.25) } else { (0.25, 0.75) };
            let before = format!("{other} {operator} {kept}");
            let after = format!("{kept} {operator} {other}");
            out.replace(
                Family::ConditionExtend,
                node,
                first * weight * likely,
                expression::fit(node, &before, level),
            );
            out.replace(
                Family::ConditionExtend,
                node,
                second * weight * likely,
                expression::fit(node, &after, level),
            );
        }
    }
}

/// Whether a condition looks like one that makes a following one safe: emptiness, absence, bounds.
fn atom_may_guard(atom: &str) -> bool {
    !atom.contains(' ')
        || atom.starts_with("not ")
        || atom.contains(" is ")
        || atom.contains("len(")
        || atom.contains('<')
}

fn replace(out: &mut Collector<'_, '_>, node: Node<'_>, scope: &Scope<'_>, weight: f64) {
    for (atom, likely) in scope.atoms.iter().filter(|(atom, _)| atom != node.text()) {
        out.replace(Family::ConditionReplace, node, weight * likely, expression::fit(node, atom, Level::Or));
    }
    for constant in ["True", "False"] {
        out.replace(Family::ConditionReplace, node, 0.5 * weight, constant);
    }
}

/// The conditions of a comprehension.
fn filter(out: &mut Collector<'_, '_>, node: Node<'_>, scope: &Scope<'_>) {
    let clauses: Vec<Node<'_>> =
        node.named_children().filter(|child| child.kind() == Kind::IfClause).collect();
    for clause in &clauses {
        let start =
            node.module().source().get(..clause.range().start).map_or(0, |before| before.trim_end().len());
        out.add(Family::Filter, node, 1.0, vec![Edit::delete(start..clause.range().end)]);
    }
    let Some(last) = node.named_children().filter(|child| child.kind() == Kind::ForInClause).last() else {
        return;
    };
    let Some(left) = last.child(Field::Left) else { return };
    let mut tests: Vec<String> = Vec::new();
    let variables = std::iter::once(left).chain(left.descendants()).filter(|n| n.kind() == Kind::Identifier);
    for variable in variables.map(Node::text) {
        tests.push(variable.to_owned());
        tests.push(format!("not {variable}"));
        for test in ["isdigit", "isalpha", "isalnum", "islower", "isupper", "strip"] {
            tests.push(format!("{variable}.{test}()"));
        }
        tests.extend(scope.callables.iter().take(6).map(|function| format!("{function}({variable})")));
        for test in ["> 0", ">= 0", "!= 0", "% 2 == 0", "% 2 == 1", "is not None", "< 0"] {
            tests.push(format!("{variable} {test}"));
        }
        for name in scope.names.iter().filter(|name| name.is_own && name.text != variable) {
            for operator in ["!=", "==", "in", "not in", "<", ">", "<=", ">="] {
                let container = matches!(operator, "in" | "not in");
                if !container || name.shape != Shape::Number {
                    tests.push(format!("{variable} {operator} {}", name.text));
                }
            }
        }
    }
    for test in tests {
        if clauses.is_empty() {
            out.add(Family::Filter, node, 0.5, vec![Edit::insert(last.range().end, format!(" if {test}"))]);
        } else if let Some(inner) = clauses.first().and_then(|clause| clause.named_children().next()) {
            out.add(Family::Filter, node, 0.2, vec![Edit::insert(inner.range().end, format!(" and {test}"))]);
        }
    }
}

/// A value that is given only under a condition: `e if c else v`.
fn conditional_value(out: &mut Collector<'_, '_>, program: &Program<'_>) {
    for site in &program.sites {
        let Some(scope) = program.scopes.get(site.scope) else { continue };
        let node = site.node;
        let place = node.parent().is_some_and(|parent| parent.kind() == Kind::ReturnStatement);
        if !place || node.kind() == Kind::ConditionalExpression {
            continue;
        }
        for (atom, likely) in scope.atoms.iter().take(20) {
            for other in ["0", "[]", "None", "False", "''"] {
                let text = format!("{} if {atom} else {other}", expression::operand(node, Level::Or));
                out.replace(Family::Enclose, node, 0.2 * likely, text);
            }
        }
    }
}

/// Simple conditions of a scope with their weight: those that stand in it, then those that its terms allow.
pub(crate) fn atoms(scope: &Scope<'_>) -> Vec<(String, f64)> {
    let mut atoms: Vec<(String, f64)> = Vec::new();
    for ingredient in &scope.ingredients {
        let kind = ingredient.node.kind();
        let is_test = ingredient.shape == Shape::Bool && kind != Kind::True && kind != Kind::False;
        if is_test {
            atoms.push((ingredient.text.clone(), ingredient.weight));
            let variants = super::templates::variants(ingredient, scope).into_iter().take(MAX_VARIANTS);
            atoms.extend(variants.map(|text| (text, 0.35 * ingredient.weight)));
            atoms.extend(opposite(ingredient.node).map(|text| (text, 0.4 * ingredient.weight)));
            if kind == Kind::Call {
                atoms.push((format!("not {}", ingredient.text), 0.5 * ingredient.weight));
            }
        }
    }
    for term in &scope.terms {
        let near = if term.is_name { 1.0 } else { 0.7 };
        for (text, weight) in tests_of(term) {
            atoms.push((text, weight * near));
        }
    }
    let mut pairs = 0;
    for a in &scope.terms {
        for b in scope.terms.iter().filter(|b| b.text != a.text) {
            if pairs >= MAX_PAIRS {
                return atoms;
            }
            let found = tests_of_two(a, b);
            pairs += usize::from(!found.is_empty());
            atoms.extend(found);
        }
    }
    atoms
}

/// A comparison with the opposite operator.
fn opposite(node: Node<'_>) -> Option<String> {
    let mut tokens = node.children().filter(|child| child.field() == Some(Field::Operators));
    let (Some(token), None) = (tokens.next(), tokens.next()) else { return None };
    let other = match token.text() {
        "<" => ">=",
        "<=" => ">",
        ">" => "<=",
        ">=" => "<",
        "==" => "!=",
        "!=" => "==",
        "in" => "not in",
        _ => return None,
    };
    let base = node.range().start;
    let edit = Edit::replace(token.range().start - base..token.range().end - base, other);
    syntax::apply(node.text(), &[edit]).ok()
}

fn tests_of(term: &Term) -> Vec<(String, f64)> {
    let text = &term.text;
    let mut tests = Vec::new();
    match term.shape {
        Shape::Number => {
            for (test, weight) in [
                ("== 0", 0.6),
                ("> 0", 0.6),
                ("== 1", 0.5),
                ("<= 0", 0.4),
                ("<= 1", 0.4),
                (">= 0", 0.4),
                ("< 0", 0.4),
                ("% 2 == 0", 0.15),
                ("!= 0", 0.3),
                ("< 2", 0.3),
                ("> 1", 0.3),
            ] {
                tests.push((format!("{text} {test}"), weight));
            }
        }
        Shape::List | Shape::Text | Shape::Tuple | Shape::Dict | Shape::Set => {
            tests.push((format!("not {text}"), 0.8));
            tests.push((text.clone(), 0.7));
            tests.push((format!("len({text}) == 1"), 0.4));
            tests.push((format!("len({text}) <= 1"), 0.4));
            tests.push((format!("len({text}) > 1"), 0.3));
        }
        Shape::Bool => {
            tests.push((text.clone(), 0.6));
            tests.push((format!("not {text}"), 0.6));
        }
        _ => {
            for (test, weight) in [
                ("is None", 0.6),
                ("is not None", 0.6),
                ("== 0", 0.25),
                ("> 0", 0.2),
                ("== 1", 0.2),
                ("< 0", 0.15),
                ("<= 0", 0.15),
                ("<= 1", 0.15),
            ] {
                tests.push((format!("{text} {test}"), weight));
            }
            tests.push((format!("not {text}"), 0.6));
            tests.push((text.clone(), 0.6));
        }
    }
    tests
}

fn tests_of_two(a: &Term, b: &Term) -> Vec<(String, f64)> {
    let (x, y) = (&a.text, &b.text);
    let mut tests = Vec::new();
    if b.shape.is_container() || (b.shape == Shape::Unknown && b.is_name && a.is_name) {
        let likely = if b.shape == Shape::Set || b.shape == Shape::Dict { 0.8 } else { 0.3 };
        if a.shape != Shape::List && a.shape != Shape::Set {
            tests.push((format!("{x} in {y}"), likely));
            tests.push((format!("{x} not in {y}"), likely));
        }
        if a.shape == Shape::Number && b.shape.is_sequence() {
            tests.push((format!("{x} < len({y})"), 0.5));
            tests.push((format!("{x} >= len({y})"), 0.4));
        }
    }
    if a.shape == b.shape && x < y && !matches!(a.shape, Shape::Bool | Shape::Dict) {
        let likely = if a.shape == Shape::Number { 0.4 } else { 0.2 };
        tests.push((format!("{x} == {y}"), likely));
        if a.shape != Shape::Set {
            for operator in ["<", ">", "<=", ">="] {
                tests.push((format!("{x} {operator} {y}"), 0.8 * likely));
            }
        }
        tests.push((format!("{x} != {y}"), 0.8 * likely));
    }
    tests
}
