//! A case that was forgotten: a guard that leaves early, and statements that should run only under a condition.

use super::catalogue::Collector;
use super::family::Family;
use super::layout;
use super::program::{Program, Scope};
use super::shape::Shape;
use std::collections::BTreeSet;
use syntax::{Edit, Field, Kind, Node};

/// Most conditions that are tried at one place.
const MAX_CONDITIONS: usize = 40;
/// Most values that an early return gives back.
const MAX_VALUES: usize = 12;

pub(crate) fn propose(out: &mut Collector<'_, '_>) {
    let program = out.program();
    for scope in program.scopes.iter().filter(|scope| scope.is_function) {
        let values = return_values(scope);
        for statement in &scope.statements {
            early_leave(out, *statement, scope, &values, program);
            enclose(out, *statement, scope, program);
            other_branch(out, *statement, scope, &values, program);
        }
    }
}

/// What the function may give back for a special case: constants of the make of its other results, its parameters.
fn return_values(scope: &Scope<'_>) -> Vec<(String, f64)> {
    let mut shapes: BTreeSet<&str> = BTreeSet::new();
    let mut values: Vec<(String, f64)> = Vec::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for statement in scope.statements.iter().filter(|statement| statement.kind() == Kind::ReturnStatement) {
        let Some(value) = statement.named_children().next() else { continue };
        let typical: &[&str] = match super::shape::of(value, &scope.shapes) {
            Shape::Bool => &["True", "False"],
            Shape::Number => &["0", "1", "-1"],
            Shape::List => &["[]", "[[]]"],
            Shape::Text => &["''"],
            Shape::Dict => &["{}"],
            Shape::Set => &["set()"],
            Shape::Tuple => &["()", "(0, 0)"],
            Shape::Nothing => &["None"],
            _ => &["0", "[]", "None", "1", "True", "False"],
        };
        shapes.extend(typical);
        if value.text().len() <= 24 && seen.insert(value.text().to_owned()) {
            values.push((value.text().to_owned(), 0.7));
        }
    }
    values.extend(shapes.iter().map(|text| ((*text).to_owned(), 1.0)));
    values
        .extend(scope.names.iter().filter(|name| name.is_parameter).map(|name| (name.text.to_owned(), 0.6)));
    values.push(("None".to_owned(), 0.3));
    let mut kept = BTreeSet::new();
    values.retain(|(text, _)| kept.insert(text.clone()));
    values.sort_by(|a, b| b.1.total_cmp(&a.1));
    values.truncate(MAX_VALUES);
    values
}

/// Whether only parameters, and no local variable, stand in a condition: what a guard at the very start can test.
fn uses_only_parameters(condition: &str, scope: &Scope<'_>) -> bool {
    let mut word = String::new();
    let mut words: Vec<String> = Vec::new();
    for c in condition.chars().chain([' ']) {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    words
        .iter()
        .all(|word| !scope.names.iter().any(|name| name.text == word && name.is_own && !name.is_parameter))
}

fn early_leave(
    out: &mut Collector<'_, '_>,
    statement: Node<'_>,
    scope: &Scope<'_>,
    values: &[(String, f64)],
    program: &Program<'_>,
) {
    let (Some(indent), Some(lines)) = (layout::indentation(statement), layout::whole_lines(statement)) else {
        return;
    };
    let block = statement.parent();
    let is_first = block.is_some_and(|block| block.statements().next() == Some(statement));
    let starts_function = is_first && block == Some(scope.body);
    let starts_loop = is_first
        && block
            .and_then(Node::parent)
            .is_some_and(|p| matches!(p.kind(), Kind::ForStatement | Kind::WhileStatement));
    let in_loop = statement
        .ancestors()
        .take_while(|a| *a != scope.node)
        .any(|a| matches!(a.kind(), Kind::ForStatement | Kind::WhileStatement));
    let place = if starts_function {
        1.5
    } else if starts_loop {
        1.0
    } else {
        0.35
    };
    let mut leave = |condition: &str, exit: &str, weight: f64| {
        let text = format!("{indent}if {condition}:\n{indent}{}{exit}\n", program.unit);
        out.add(Family::Guard, statement, weight, vec![Edit::insert(lines.start, text)]);
    };
    for (condition, likely) in scope.atoms.iter().take(MAX_CONDITIONS) {
        if starts_function && !uses_only_parameters(condition, scope) {
            continue;
        }
        for (value, chance) in values {
            leave(condition, &format!("return {value}"), 0.5 * place * likely * chance);
        }
        if in_loop {
            leave(condition, "continue", place * likely);
            leave(condition, "break", 0.8 * place * likely);
        }
    }
}

/// A statement that should run under a condition only.
fn enclose(out: &mut Collector<'_, '_>, statement: Node<'_>, scope: &Scope<'_>, program: &Program<'_>) {
    if matches!(statement.kind(), Kind::FunctionDefinition | Kind::ClassDefinition | Kind::ImportStatement) {
        return;
    }
    let (Some(indent), Some(lines)) = (layout::indentation(statement), layout::whole_lines(statement)) else {
        return;
    };
    let inner = format!("{indent}{}", program.unit);
    let Some(moved) = layout::reindent(&layout::lines_text(program.source, &lines), indent, &inner) else {
        return;
    };
    for (condition, likely) in scope.atoms.iter().take(MAX_CONDITIONS) {
        let weight = likely * if statement.kind() == Kind::ReturnStatement { 0.5 } else { 1.0 };
        let text = format!("{indent}if {condition}:\n{moved}");
        out.add(Family::Enclose, statement, weight, vec![Edit::replace(lines.clone(), text)]);
    }
}

/// An `else` or `elif` that is missing behind an `if`.
fn other_branch(
    out: &mut Collector<'_, '_>,
    statement: Node<'_>,
    scope: &Scope<'_>,
    values: &[(String, f64)],
    program: &Program<'_>,
) {
    let clauses: Vec<Node<'_>> = statement.children_in(Field::Alternative).collect();
    let has_else = clauses.iter().any(|clause| clause.kind() == Kind::ElseClause);
    if statement.kind() != Kind::IfStatement || has_else {
        return;
    }
    let (Some(indent), Some(lines)) = (layout::indentation(statement), layout::whole_lines(statement)) else {
        return;
    };
    let mut branch = |head: &str, exit: &str, weight: f64| {
        let text = format!("{indent}{head}:\n{indent}{}{exit}\n", program.unit);
        out.add(
            Family::Guard,
            statement,
            weight,
            vec![layout::insert_lines(program.source, lines.end, &text)],
        );
    };
    for (value, chance) in values {
        branch("else", &format!("return {value}"), 0.3 * chance);
    }
    let assigned: BTreeSet<&str> = scope
        .statements
        .iter()
        .filter(|inner| statement.contains(**inner) && inner.kind() == Kind::ExpressionStatement)
        .map(|inner| inner.text())
        .collect();
    for text in scope
        .statements
        .iter()
        .filter(|s| s.kind() == Kind::ExpressionStatement && !s.text().contains('\n'))
        .map(|s| s.text())
    {
        let weight = if assigned.contains(text) { 0.1 } else { 0.4 };
        branch("else", text, weight);
        for (condition, likely) in scope.atoms.iter().take(10) {
            branch(&format!("elif {condition}"), text, 0.1 * likely);
        }
    }
}
