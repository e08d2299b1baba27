//! Statements in the wrong place: out of a block or into one, before their neighbour or after it, or one too many.

use super::catalogue::Collector;
use super::family::Family;
use super::layout;
use super::program::Program;
use syntax::{Edit, Kind, Node};

/// Most statements that are moved into a block together.
const MAX_MOVED: usize = 3;

pub(crate) fn propose(out: &mut Collector<'_, '_>) {
    let program = out.program();
    for scope in &program.scopes {
        for statement in &scope.statements {
            delete(out, *statement, program);
            swap_with_next(out, *statement, program);
            if statement.kind().is_compound_statement() && statement.kind() != Kind::FunctionDefinition {
                take_out(out, *statement, program);
                take_in(out, *statement, program);
                unwrap(out, *statement, program);
            }
        }
    }
}

/// Whether deleting a statement leaves its block with another.
fn has_company(statement: Node<'_>) -> bool {
    statement.parent().is_some_and(|block| block.statements().nth(1).is_some())
}

fn delete(out: &mut Collector<'_, '_>, statement: Node<'_>, program: &Program<'_>) {
    if matches!(
        statement.kind(),
        Kind::FunctionDefinition | Kind::ClassDefinition | Kind::DecoratedDefinition
    ) {
        return;
    }
    let weight = if statement.kind().is_compound_statement() { 0.7 } else { 1.0 };
    match layout::whole_lines(statement) {
        Some(lines) if has_company(statement) => {
            out.add(Family::DeleteStatement, statement, weight, vec![Edit::delete(lines)]);
        }
        _ => out.replace(Family::DeleteStatement, statement, 0.7 * weight, "pass"),
    }
    // A clause alone.
    for clause in statement.named_children() {
        if matches!(clause.kind(), Kind::ElifClause | Kind::ElseClause)
            && let Some(start) = program.source.get(..clause.range().start).map(str::len)
        {
            let first = layout::line_start(program.source, start);
            let trimmed = clause.range().start + clause.text().trim_end().len();
            let last = layout::line_end(program.source, trimmed);
            out.add(Family::DeleteStatement, clause, 0.6, vec![Edit::delete(first..last)]);
        }
    }
}

fn swap_with_next(out: &mut Collector<'_, '_>, statement: Node<'_>, program: &Program<'_>) {
    let Some(block) = statement.parent() else { return };
    let mut after = block.statements().filter(|other| other.id() >= statement.after());
    let Some(own) = layout::whole_lines(statement) else { return };
    for (distance, weight) in [(0, 1.0), (1, 0.3)] {
        let Some(next) = after.next() else { return };
        let Some(theirs) = layout::whole_lines(next) else { return };
        if matches!(next.kind(), Kind::FunctionDefinition)
            || matches!(statement.kind(), Kind::FunctionDefinition)
        {
            return;
        }
        let (a, b) = (layout::lines_text(program.source, &own), layout::lines_text(program.source, &theirs));
        if distance == 0 {
            let edits = vec![Edit::replace(own.clone(), b), Edit::replace(theirs, a)];
            out.add(Family::SwapStatements, statement, weight, edits);
        } else {
            // Moved two places down: past its neighbour and the one after.
            let edits = vec![Edit::delete(own.clone()), layout::insert_lines(program.source, theirs.end, &a)];
            out.add(Family::SwapStatements, statement, weight, edits);
            // And the other way round.
            let edits = vec![Edit::insert(own.start, b), Edit::delete(theirs)];
            out.add(Family::SwapStatements, next, weight, edits);
        }
    }
}

/// The last statements of a block come after it; its first ones, before it.
fn take_out(out: &mut Collector<'_, '_>, compound: Node<'_>, program: &Program<'_>) {
    let (Some(outer), Some(whole)) = (layout::indentation(compound), layout::whole_lines(compound)) else {
        return;
    };
    for block in layout::blocks(compound) {
        let statements: Vec<Node<'_>> = block.statements().collect();
        for (index, statement) in statements.iter().enumerate().skip(1).rev().take(MAX_MOVED) {
            let Some(last) = statements.last() else { continue };
            if let Some((lines, moved)) = moved(program, (*statement, *last), outer) {
                let weight = if index + 1 == statements.len() { 1.0 } else { 0.4 };
                let edits = if lines.end == whole.end {
                    vec![Edit::replace(lines, moved)]
                } else {
                    vec![Edit::delete(lines), layout::insert_lines(program.source, whole.end, &moved)]
                };
                out.add(Family::Dedent, *statement, weight, edits);
            }
        }
        if let [first, _, ..] = statements.as_slice()
            && let Some((lines, moved)) = moved(program, (*first, *first), outer)
        {
            out.add(Family::Dedent, *first, 0.4, vec![Edit::insert(whole.start, moved), Edit::delete(lines)]);
        }
        // A copy of the only statement, behind the block, in case it is wanted in both places.
        if let [only] = statements.as_slice()
            && let Some((_, moved)) = moved(program, (*only, *only), outer)
        {
            out.add(
                Family::Dedent,
                *only,
                0.3,
                vec![layout::insert_lines(program.source, whole.end, &moved)],
            );
        }
    }
}

/// The lines from one statement to another, and their text at another indentation.
fn moved(
    program: &Program<'_>,
    (first, last): (Node<'_>, Node<'_>),
    to: &str,
) -> Option<(std::ops::Range<usize>, String)> {
    let lines = layout::whole_lines(first)?.start..layout::whole_lines(last)?.end;
    let text =
        layout::reindent(&layout::lines_text(program.source, &lines), layout::indentation(first)?, to)?;
    Some((lines, text))
}

/// What follows a block, or stands before it, belongs into it.
fn take_in(out: &mut Collector<'_, '_>, compound: Node<'_>, program: &Program<'_>) {
    let (Some(parent), Some(whole)) = (compound.parent(), layout::whole_lines(compound)) else { return };
    let siblings: Vec<Node<'_>> = parent.statements().collect();
    let Some(own) = siblings.iter().position(|sibling| *sibling == compound) else { return };
    let blocks = layout::blocks(compound);
    for (rank, block) in blocks.iter().enumerate().rev() {
        let (Some(first), Some(last)) = (block.statements().next(), block.statements().last()) else {
            continue;
        };
        let (Some(inner), Some(end)) = (layout::indentation(first), layout::whole_lines(last)) else {
            continue;
        };
        let weight = if rank + 1 == blocks.len() { 1.0 } else { 0.6 };
        let following: Vec<Node<'_>> = siblings.iter().skip(own + 1).take(MAX_MOVED).copied().collect();
        for (count, tail) in following.iter().enumerate() {
            let Some(head) = following.first() else { continue };
            let Some((lines, text)) = moved(program, (*head, *tail), inner) else { continue };
            if lines.start < whole.end {
                continue;
            }
            let edits = if end.end == lines.start {
                vec![Edit::replace(lines, text)]
            } else {
                vec![layout::insert_lines(program.source, end.end, &text), Edit::delete(lines)]
            };
            out.add(Family::Indent, *head, weight / (1.0 + count as f64), edits);
        }
        // The statement before, to the start of the block: what a loop should do afresh each time.
        let before = own.checked_sub(1).and_then(|index| siblings.get(index));
        if let (Some(before), Some(start)) = (before, layout::whole_lines(first))
            && let Some((lines, text)) = moved(program, (*before, *before), inner)
            && lines.end <= start.start
        {
            out.add(
                Family::Indent,
                *before,
                0.5 * weight,
                vec![Edit::delete(lines), Edit::insert(start.start, text)],
            );
        }
        descend(out, (*block, last), &siblings, own, program);
    }
}

/// The statement after a block goes into the deepest block at its end.
fn descend(
    out: &mut Collector<'_, '_>,
    (block, last): (Node<'_>, Node<'_>),
    siblings: &[Node<'_>],
    own: usize,
    program: &Program<'_>,
) {
    let Some(next) = siblings.get(own + 1) else { return };
    if !last.kind().is_compound_statement() || block.kind() != Kind::Block {
        return;
    }
    for inner in layout::blocks(last) {
        let Some(innermost) = inner.statements().last() else { continue };
        let (Some(indent), Some(end)) = (layout::indentation(innermost), layout::whole_lines(innermost))
        else {
            continue;
        };
        let Some((lines, text)) = moved(program, (*next, *next), indent) else { continue };
        if lines.start >= end.end {
            let edits = vec![layout::insert_lines(program.source, end.end, &text), Edit::delete(lines)];
            out.add(Family::Indent, *next, 0.4, edits);
        }
    }
}

/// A block without what stands before it: the body always runs.
fn unwrap(out: &mut Collector<'_, '_>, compound: Node<'_>, program: &Program<'_>) {
    let (Some(outer), Some(whole)) = (layout::indentation(compound), layout::whole_lines(compound)) else {
        return;
    };
    for block in layout::blocks(compound) {
        let (Some(first), Some(last)) = (block.statements().next(), block.statements().last()) else {
            continue;
        };
        if let Some((_, text)) = moved(program, (first, last), outer) {
            out.add(Family::Unwrap, compound, 0.5, vec![Edit::replace(whole.clone(), text)]);
        }
    }
}
