//! What nothing needs: imports and values that nobody reads, statements that are never reached or do nothing.

use super::quoted;
use crate::ast::reading::{only_statement, uses, whole_lines};
use crate::ast::rewrites::Rewrites;
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    imports(rewrites);
    values(rewrites);
    unreached(rewrites);
    idle(rewrites);
}

fn offer(rewrites: &mut Rewrites<'_>, statement: Node<'_>, reason: &str) {
    let alone = statement.parent().is_none_or(|block| only_statement(block).is_some());
    if alone && statement.parent().is_none_or(|block| block.kind() != Kind::Module) {
        return;
    }
    if let Some(lines) = whole_lines(rewrites.source(), statement) {
        let rationale = format!("{} {reason}", quoted(statement.text()));
        rewrites.offer("unused", 0.0, rationale, vec![Edit::delete(lines)]);
    }
}

/// Imports whose name the file does not use. A package's `__init__` imports for others, and so may any file that says
/// what it exports.
fn imports(rewrites: &mut Rewrites<'_>) {
    let root = rewrites.file.module.root();
    if rewrites.file.path.ends_with("__init__.py") || !uses(root, "__all__").is_empty() {
        return;
    }
    for statement in
        root.statements().filter(|s| matches!(s.kind(), Kind::ImportStatement | Kind::ImportFromStatement))
    {
        let names: Vec<Node<'_>> = statement.children_in(Field::Name).collect();
        let [only] = names.as_slice() else { continue };
        let bound = only.child(Field::Alias).unwrap_or(*only);
        let name = bound.text().split('.').next().unwrap_or_default();
        if uses(root, name).iter().all(|place| statement.contains(*place)) {
            offer(rewrites, statement, "is used nowhere");
        }
    }
}

/// Values that are given a name which is never read, where working them out does nothing else.
fn values(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::Assignment).collect::<Vec<_>>() {
        let (Some(left), Some(right), Some(function)) =
            (node.child(Field::Left), node.child(Field::Right), node.function())
        else {
            continue;
        };
        let acts = std::iter::once(right).chain(right.descendants()).any(|inner| {
            matches!(
                inner.kind(),
                Kind::Call | Kind::Await | Kind::Yield | Kind::NamedExpression | Kind::Assignment
            )
        });
        let declared = function
            .descendants()
            .any(|n| matches!(n.kind(), Kind::GlobalStatement | Kind::NonlocalStatement));
        if left.kind() != Kind::Identifier || acts || declared || uses(function, left.text()).len() > 1 {
            continue;
        }
        if let Some(statement) = node.statement() {
            offer(rewrites, statement, "is read nowhere");
        }
    }
}

/// Statements after one that leaves their block.
fn unreached(rewrites: &mut Rewrites<'_>) {
    let leaving =
        [Kind::ReturnStatement, Kind::RaiseStatement, Kind::ContinueStatement, Kind::BreakStatement];
    for node in leaving.into_iter().flat_map(|kind| rewrites.nodes(kind)).collect::<Vec<_>>() {
        let Some(block) = node.parent() else { continue };
        for statement in block.statements().filter(|s| s.range().start >= node.range().end) {
            offer(rewrites, statement, "is never reached");
        }
    }
}

/// `pass` beside other statements, `return` at the end of a function, `continue` at the end of a loop, `else: pass`.
fn idle(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::PassStatement).collect::<Vec<_>>() {
        offer(rewrites, node, "does nothing");
    }
    for (kind, around) in [
        (Kind::ReturnStatement, Kind::FunctionDefinition),
        (Kind::ContinueStatement, Kind::ForStatement),
        (Kind::ContinueStatement, Kind::WhileStatement),
    ] {
        for node in rewrites.nodes(kind).collect::<Vec<_>>() {
            let Some(block) = node.parent() else { continue };
            let ends = block.statements().last() == Some(node)
                && block
                    .parent()
                    .is_some_and(|parent| parent.kind() == around && block.field() == Some(Field::Body));
            let nothing = node.named_children().next().is_none_or(|value| value.kind() == Kind::None);
            if ends && nothing {
                offer(rewrites, node, "is what happens anyway");
            }
        }
    }
    for clause in rewrites.nodes(Kind::ElseClause).collect::<Vec<_>>() {
        let only = clause.child(Field::Body).and_then(only_statement);
        if only.is_some_and(|only| only.kind() == Kind::PassStatement)
            && let Some(lines) = whole_lines(rewrites.source(), clause)
        {
            rewrites.offer("unused", 0.0, "an else that does nothing".to_owned(), vec![Edit::delete(lines)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::simplify::tests::{check, offers};

    #[test]
    fn what_is_never_read_goes() {
        check("unused", "import os\nimport re\nprint(re)\n", "import re\nprint(re)\n");
        check("unused", "def f(x):\n    y = x + 1\n    return x\n", "def f(x):\n    return x\n");
        assert!(
            offers("unused", "def f(x):\n    y = g(x)\n    return x\n").is_empty(),
            "a call may do something"
        );
        assert!(offers("unused", "import os\n__all__ = ['os']\n").is_empty());
    }

    #[test]
    fn what_does_nothing_goes() {
        check("unused", "def f(x):\n    return x\n    g(x)\n", "def f(x):\n    return x\n");
        check("unused", "def f(x):\n    g(x)\n    return None\n", "def f(x):\n    g(x)\n");
        check("unused", "def f(x):\n    pass\n    g(x)\n", "def f(x):\n    g(x)\n");
        assert!(offers("unused", "def f(x):\n    pass\n").is_empty(), "a body needs a statement");
        check("unused", "if a:\n    f()\nelse:\n    pass\nh()\n", "if a:\n    f()\nh()\n");
    }
}
