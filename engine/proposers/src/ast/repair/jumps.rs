//! Statement keywords: `if` for `while`, `break` for `continue`, a missing or misplaced `return`, chains of `elif`.

use super::catalogue::Collector;
use super::family::Family;
use super::layout;
use super::program::{Program, Scope};
use syntax::{Edit, Field, Kind, Node};

pub(crate) fn propose(out: &mut Collector<'_, '_>) {
    let program = out.program();
    for scope in &program.scopes {
        for statement in &scope.statements {
            keyword(out, *statement);
            returns(out, *statement, scope);
            clauses(out, *statement, program);
        }
        final_return(out, scope, program);
    }
}

fn token<'m>(node: Node<'m>, text: &str) -> Option<Node<'m>> {
    node.children().find(|child| child.kind() == Kind::Token && child.text() == text)
}

fn keyword(out: &mut Collector<'_, '_>, statement: Node<'_>) {
    let has_alternative = statement.child(Field::Alternative).is_some();
    match statement.kind() {
        Kind::IfStatement if !has_alternative => {
            if let Some(word) = token(statement, "if") {
                out.add(Family::Keyword, statement, 1.0, vec![Edit::replace(word.range(), "while")]);
            }
        }
        Kind::WhileStatement => {
            if let Some(word) = token(statement, "while") {
                out.add(Family::Keyword, statement, 1.0, vec![Edit::replace(word.range(), "if")]);
            }
        }
        Kind::BreakStatement => {
            for (other, weight) in [("continue", 1.0), ("pass", 0.5), ("return", 0.2)] {
                out.replace(Family::Keyword, statement, weight, other);
            }
        }
        Kind::ContinueStatement => {
            for (other, weight) in [("break", 1.0), ("pass", 0.5)] {
                out.replace(Family::Keyword, statement, weight, other);
            }
        }
        Kind::PassStatement => {
            for other in ["break", "continue", "return"] {
                out.replace(Family::Keyword, statement, 1.0, other);
            }
        }
        Kind::ExpressionStatement => {
            let Some(value) = statement.named_children().next() else { return };
            if value.kind() == Kind::Yield
                && let Some(word) = token(value, "yield")
            {
                out.add(Family::Keyword, statement, 1.0, vec![Edit::replace(word.range(), "return")]);
                let edit = match token(value, "from") {
                    Some(from) => Edit::delete(word.range().end..from.range().end),
                    None => Edit::insert(word.range().end, " from"),
                };
                out.add(Family::Keyword, statement, 1.0, vec![edit]);
            }
        }
        _ => {}
    }
}

fn returns(out: &mut Collector<'_, '_>, statement: Node<'_>, scope: &Scope<'_>) {
    if !scope.is_function {
        return;
    }
    match statement.kind() {
        Kind::ExpressionStatement => {
            let Some(value) = statement.named_children().next() else { return };
            if value.kind().is_expression() {
                let weight = if value.kind() == Kind::Call { 1.0 } else { 0.8 };
                out.add(
                    Family::Return,
                    statement,
                    weight,
                    vec![Edit::insert(value.range().start, "return ")],
                );
                out.add(Family::Return, statement, 0.4, vec![Edit::insert(value.range().start, "yield ")]);
                out.add(
                    Family::Return,
                    statement,
                    0.5,
                    vec![Edit::insert(value.range().start, "yield from ")],
                );
            }
            if value.kind() == Kind::Assignment
                && let Some(right) = value.child(Field::Right)
            {
                out.replace(Family::Return, statement, 0.4, format!("return {}", right.text()));
            }
        }
        Kind::ReturnStatement => {
            let value = statement.named_children().next();
            if let (Some(word), Some(value)) = (token(statement, "return"), value) {
                out.add(Family::Keyword, statement, 0.4, vec![Edit::replace(word.range(), "yield")]);
                out.add(
                    Family::Keyword,
                    statement,
                    0.2,
                    vec![Edit::delete(word.range().start..value.range().start)],
                );
                for name in scope.names.iter().filter(|name| name.is_own) {
                    out.replace(Family::Return, value, 0.5, name.text);
                }
            } else {
                for value in scope
                    .names
                    .iter()
                    .filter(|name| name.is_own)
                    .map(|name| name.text)
                    .chain(["0", "[]", "True", "False", "None"])
                {
                    out.replace(Family::Return, statement, 0.6, format!("return {value}"));
                }
            }
        }
        _ => {}
    }
}

/// A return at the end of a function, or of a branch that just ends.
fn final_return(out: &mut Collector<'_, '_>, scope: &Scope<'_>, program: &Program<'_>) {
    if !scope.is_function {
        return;
    }
    let mut blocks: Vec<(Node<'_>, f64)> = vec![(scope.body, 1.0)];
    for statement in scope
        .statements
        .iter()
        .filter(|s| matches!(s.kind(), Kind::IfStatement | Kind::ForStatement | Kind::WhileStatement))
    {
        blocks.extend(layout::blocks(*statement).into_iter().map(|block| (block, 0.3)));
    }
    let mut values: Vec<(String, f64)> =
        scope.names.iter().filter(|name| name.is_own).map(|name| (name.text.to_owned(), 1.0)).collect();
    values.extend(
        ["True", "False", "None", "0", "[]", "-1", "1", "''"].into_iter().map(|text| (text.to_owned(), 0.5)),
    );
    values.extend(
        scope.ingredients.iter().filter(|i| i.weight == 1.0).take(20).map(|i| (i.text.clone(), 0.15)),
    );
    for (block, weight) in blocks {
        let Some(last) = block.statements().last() else { continue };
        let (Some(indent), Some(lines)) = (layout::indentation(last), layout::whole_lines(last)) else {
            continue;
        };
        let ends = matches!(
            last.kind(),
            Kind::ReturnStatement | Kind::RaiseStatement | Kind::ContinueStatement | Kind::BreakStatement
        );
        if ends {
            continue;
        }
        for (value, likely) in &values {
            let edit = layout::insert_lines(program.source, lines.end, &format!("{indent}return {value}\n"));
            out.add(Family::Return, last, weight * likely, vec![edit]);
        }
    }
}

/// `elif` and `else` that should stand alone, and conditions that should be chained.
fn clauses(out: &mut Collector<'_, '_>, statement: Node<'_>, program: &Program<'_>) {
    if statement.kind() != Kind::IfStatement {
        return;
    }
    let clauses: Vec<Node<'_>> = statement.children_in(Field::Alternative).collect();
    for clause in &clauses {
        if clause.kind() == Kind::ElifClause
            && let Some(word) = token(*clause, "elif")
        {
            out.add(Family::ElseIf, *clause, 1.0, vec![Edit::replace(word.range(), "if")]);
        }
    }
    let ends_open = clauses.last().is_none_or(|clause| clause.kind() == Kind::ElifClause);
    let Some(next) = next_statement(statement) else { return };
    if !ends_open {
        return;
    }
    if next.kind() == Kind::IfStatement
        && let Some(word) = token(next, "if")
    {
        out.add(Family::ElseIf, next, 1.0, vec![Edit::replace(word.range(), "elif")]);
    }
    // What follows becomes the `else`.
    let (Some(outer), Some(lines)) = (layout::indentation(statement), layout::whole_lines(next)) else {
        return;
    };
    let inner = format!("{outer}{}", program.unit);
    if let Some(moved) = layout::reindent(&layout::lines_text(program.source, &lines), outer, &inner) {
        out.add(Family::ElseIf, next, 0.8, vec![Edit::replace(lines, format!("{outer}else:\n{moved}"))]);
    }
}

/// The statement after this one in its block.
fn next_statement(statement: Node<'_>) -> Option<Node<'_>> {
    statement.parent()?.statements().find(|other| other.id() >= statement.after())
}
