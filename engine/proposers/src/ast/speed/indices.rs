//! Indices that outlive a call: a function that scans a list for items with a key keeps an index of that list from call to
//! call, brought up to date by what was appended since.
//!
//! The index is of one list object. Items that are removed, or whose key changes afterwards, would be missed, so nothing
//! is offered for a list that the file shrinks or reorders.

use super::Rewrites;
use super::reading::{
    comparison, conjuncts, fresh_name, is_path, lines_before, method_call, module_lines_before, names_in,
    only_statement, scope_of,
};
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::ForStatement).collect::<Vec<_>>() {
        let condition = node
            .child(Field::Body)
            .and_then(only_statement)
            .filter(|only| only.kind() == Kind::IfStatement && only.child(Field::Alternative).is_none())
            .and_then(|only| only.child(Field::Condition));
        if let Some(condition) = condition.filter(|_| node.child(Field::Alternative).is_none()) {
            scan(rewrites, node, condition);
        }
    }
    for clause in rewrites.nodes(Kind::ForInClause).collect::<Vec<_>>() {
        let next = clause.parent().and_then(|parent| {
            parent.named_children().find(|child| child.range().start > clause.range().start)
        });
        let condition =
            next.filter(|next| next.kind() == Kind::IfClause).and_then(|c| c.named_children().next());
        if let Some(condition) = condition {
            scan(rewrites, clause, condition);
        }
    }
}

/// Methods after which an index by place in the list would be wrong.
const DISORDERING: &[&str] = &["remove", "pop", "insert", "sort", "reverse", "clear", "popleft"];

fn is_disordered(around: Node<'_>, path: &str) -> bool {
    around.descendants().any(|node| match node.kind() {
        Kind::DeleteStatement => node.text().contains(path),
        _ => method_call(node)
            .is_some_and(|(object, method, _)| object.text() == path && DISORDERING.contains(&method)),
    })
}

fn scan(rewrites: &mut Rewrites<'_>, scanning: Node<'_>, condition: Node<'_>) -> Option<()> {
    let source = rewrites.source();
    let (variable, list) = (scanning.child(Field::Left)?, scanning.child(Field::Right)?);
    let statement = scanning.statement()?;
    let function = statement.function()?;
    let path = list.text();
    let scope = scope_of(list, path);
    let born_here = scope.kind() == Kind::FunctionDefinition
        && function.child(Field::Body)?.descendants().any(|node| {
            matches!(node.kind(), Kind::Assignment | Kind::ForStatement | Kind::ForInClause)
                && node.child(Field::Left).is_some_and(|left| names_in(left).contains(path))
        });
    if !is_path(list) || born_here || is_disordered(scope, path) {
        return None;
    }
    let own = names_in(variable);
    let (key, probe) = conjuncts(condition).into_iter().find_map(|part| {
        let (left, operator, right) = comparison(part).filter(|(_, operator, _)| operator == "==")?;
        let _ = operator;
        let only_own = |node: Node<'_>| !names_in(node).is_empty() && names_in(node).is_subset(&own);
        match (only_own(left), only_own(right)) {
            (true, false) if names_in(right).is_disjoint(&own) => Some((left, right)),
            (false, true) if names_in(left).is_disjoint(&own) => Some((right, left)),
            _ => None,
        }
    })?;
    let index = fresh_name(source, &format!("{}_index", path.rsplit('.').next().unwrap_or(path)));
    let target = variable.text();
    let kept =
        if variable.kind() == Kind::Identifier { target.to_owned() } else { format!("({})", bare(target)) };
    let lines = [
        format!("if {index}[0] is not {path} or {index}[1] > len({path}): {index}[:] = [{path}, 0, {{}}]"),
        format!(
            "for {target} in {path}[{index}[1]:]: {index}[2].setdefault({}, []).append({kept})",
            key.text()
        ),
        format!("{index}[1] = len({path})"),
    ];
    let edits = vec![
        module_lines_before(function, &format!("{index} = [None, 0, {{}}]\n\n\n")),
        lines_before(source, statement, &lines),
        Edit::replace(list.range(), format!("{index}[2].get({}, ())", probe.text())),
    ];
    let rationale = format!("keep an index of {path} by {} from call to call", key.text());
    rewrites.offer("kept_index", 86.0, rationale, edits);
    Some(())
}

fn bare(target: &str) -> &str {
    target.trim_start_matches('(').trim_end_matches(')')
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::{check, offers};

    #[test]
    fn a_scan_becomes_a_look_up() {
        check(
            "kept_index",
            "def find(rows, key):\n    for row in rows:\n        if row['id'] == key:\n            return row\n",
            "_rows_index = [None, 0, {}]\n\n\ndef find(rows, key):\n    \
             if _rows_index[0] is not rows or _rows_index[1] > len(rows): _rows_index[:] = [rows, 0, {}]\n    \
             for row in rows[_rows_index[1]:]: _rows_index[2].setdefault(row['id'], []).append(row)\n    \
             _rows_index[1] = len(rows)\n    for row in _rows_index[2].get(key, ()):\n        if row['id'] == key:\n            return row\n",
        );
    }

    #[test]
    fn a_list_that_loses_items_has_no_index() {
        let source = "class A:\n    def f(self, k):\n        return [x for x in self.xs if x.k == k]\n    def g(self):\n        self.xs.pop()\n";
        assert!(offers("kept_index", source).is_empty());
        assert_eq!(offers("kept_index", &source.replace("pop()", "copy()")).len(), 1);
    }
}
