//! Ends as soon as the answer is known: a loop is left when nothing that follows can change what it found.

use super::Rewrites;
use super::reading::{is_loop, line_after, loops_around, only_statement};
use syntax::{Edit, Field, Kind};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    flags(rewrites);
    ends_of_runs(rewrites);
}

/// A loop that only sets a flag may end there; and so may the loop around it.
fn flags(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for node in rewrites.nodes(Kind::Assignment).collect::<Vec<_>>() {
        let (Some(statement), Some(value)) = (node.statement(), node.child(Field::Right)) else { continue };
        let conditional = statement
            .parent()
            .and_then(|block| block.parent())
            .is_some_and(|p| p.kind() == Kind::IfStatement);
        let last = statement.parent().and_then(|block| block.statements().last()) == Some(statement);
        let loops = loops_around(node);
        if !conditional || !last || loops.is_empty() {
            continue;
        }
        let flag = matches!(value.kind(), Kind::True | Kind::False | Kind::None | Kind::Integer);
        let score = if flag { 70.0 } else { 25.0 };
        let leave = line_after(source, statement, "break");
        rewrites.offer(
            "early_break",
            score,
            "leave the loop when the answer is known".to_owned(),
            vec![leave.clone()],
        );
        // The flag decides for the loop around, too, if it was set before that.
        if let ([inner, outer, ..], Some(name), true) = (loops.as_slice(), node.child(Field::Left), flag) {
            let set_within = outer.child(Field::Body).is_some_and(|body| {
                let mut own = body.statements().flat_map(|s| s.named_children().collect::<Vec<_>>());
                own.any(|n| {
                    n.kind() == Kind::Assignment
                        && n.child(Field::Left).is_some_and(|l| l.text() == name.text())
                })
            });
            let direct = inner.parent().and_then(|block| block.parent()) == Some(*outer);
            if direct && !set_within {
                let question = match value.kind() {
                    Kind::False => format!("if not {}: break", name.text()),
                    Kind::True => format!("if {}: break", name.text()),
                    _ => format!("if {} == {}: break", name.text(), value.text()),
                };
                let edits = vec![leave, line_after(source, *inner, &question)];
                rewrites.offer(
                    "early_break",
                    76.0,
                    "leave both loops when the answer is known".to_owned(),
                    edits,
                );
            }
        }
    }
}

/// An inner loop that does something as long as a condition holds, and for whose items it will not hold again.
fn ends_of_runs(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for inner in
        rewrites.nodes(Kind::ForStatement).chain(rewrites.nodes(Kind::WhileStatement)).collect::<Vec<_>>()
    {
        let nested = loops_around(inner).into_iter().any(is_loop);
        let Some(body) = inner.child(Field::Body).filter(|_| nested) else { continue };
        let Some(last) = body.statements().last().filter(|s| s.kind() == Kind::IfStatement) else { continue };
        let inside_leaves =
            last.descendants().any(|n| matches!(n.kind(), Kind::BreakStatement | Kind::ContinueStatement));
        if last.child(Field::Alternative).is_some() || inside_leaves {
            continue;
        }
        let score = if only_statement(body).is_some() { 28.0 } else { 32.0 };
        let edits = vec![line_after(source, last, "else: break")];
        rewrites.offer(
            "end_of_run",
            score,
            "leave the loop at the first item that does not fit".to_owned(),
            edits,
        );
        let found = last.child(Field::Consequence).and_then(|block| block.statements().last());
        let Some(found) = found.filter(|s| !matches!(s.kind(), Kind::ReturnStatement | Kind::IfStatement))
        else {
            continue;
        };
        let plain_flag = found.named_children().next().is_some_and(|n| n.kind() == Kind::Assignment);
        if !plain_flag {
            let edits: Vec<Edit> = vec![line_after(source, found, "break")];
            rewrites.offer(
                "end_of_run",
                20.0,
                "leave the loop at the first item that fits".to_owned(),
                edits,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::check;

    #[test]
    fn a_flag_ends_its_loop_and_the_one_around() {
        let source = "def f(p):\n    ok = True\n    for i in p:\n        for j in p:\n            if i + j == 3:\n                ok = False\n    return ok\n";
        check("early_break", source, &source.replace("ok = False\n", "ok = False\n                break\n"));
        check(
            "early_break",
            source,
            &source.replace("ok = False\n", "ok = False\n                break\n        if not ok: break\n"),
        );
    }

    #[test]
    fn a_run_ends_with_the_first_that_does_not_fit() {
        let source = "def f(s):\n    for i in s:\n        for j in s:\n            if j < i:\n                print(i)\n";
        check("end_of_run", source, &format!("{source}            else: break\n"));
    }
}
