//! Sums and extremes of stretches of a list: slices instead of loops by index, running totals instead of adding up again.

use super::Rewrites;
use super::reading::{
    fixed_in, fresh_name, inner_expression, lines_before, module_lines_before, only_statement, plain_call,
    reads,
};
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    running_totals(rewrites);
    stretches(rewrites);
    indexed_sums(rewrites);
    gathered_sums(rewrites);
}

/// `sum(xs[i:j])`, `max(xs[:i])`, `min(xs[:i])` inside a loop.
fn running_totals(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some((function @ ("sum" | "max" | "min"), arguments)) = plain_call(call) else { continue };
        let [subscript] = arguments.as_slice() else { continue };
        let slice = subscript.child(Field::Subscript).filter(|s| s.kind() == Kind::Slice);
        let (Some(list), Some(slice)) = (subscript.child(Field::Value), slice) else { continue };
        let Some((start, stop)) = slice.text().split_once(':') else { continue };
        let Some(around) = fixed_in(call, &reads(list)).and_then(Node::statement) else { continue };
        let (start, stop) = (start.trim(), stop.trim());
        let running = fresh_name(source, "running");
        let from_start = start.is_empty() || start == "0";
        let (line, text) = match function {
            "sum" => {
                let start = if from_start { "0" } else { start };
                let stop = if stop.is_empty() { "-1" } else { stop };
                let line = format!("{running} = list(accumulate({}, initial=0))", list.text());
                (line, format!("({running}[{stop}] - {running}[{start}])"))
            }
            _ if from_start && !stop.is_empty() => {
                let line = format!("{running} = list(accumulate({}, {function}))", list.text());
                (line, format!("{running}[{stop} - 1]"))
            }
            _ if stop.is_empty() && !from_start => {
                let line =
                    format!("{running} = list(accumulate(reversed({}), {function}))[::-1]", list.text());
                (line, format!("{running}[{start}]"))
            }
            _ => continue,
        };
        let mut edits = rewrites.import("from itertools import accumulate");
        edits.push(lines_before(source, around, &[line]));
        edits.push(Edit::replace(call.range(), text));
        rewrites.offer("running_totals", 90.0, format!("take the {function} from running totals"), edits);
    }
}

/// Extremes of all stretches whose length is a power of two: any stretch is covered by two of them (a sparse table).
const STRETCHES: &str = "class _Stretches:
    def __init__(self, items, pick):
        self.pick, self.rows = pick, [list(items)]
        width = 1
        while 2 * width <= len(items):
            last = self.rows[-1]
            self.rows.append([pick(a, b) for a, b in zip(last, last[width:])])
            width *= 2

    def of(self, start, stop):
        stop = min(stop, len(self.rows[0]))
        row = (stop - start).bit_length() - 1
        return self.pick(self.rows[row][start], self.rows[row][stop - (1 << row)])


";

/// `max(xs[i:i + k])` inside a loop.
fn stretches(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some((function @ ("max" | "min"), arguments)) = plain_call(call) else { continue };
        let [subscript] = arguments.as_slice() else { continue };
        let slice = subscript.child(Field::Subscript).filter(|s| s.kind() == Kind::Slice);
        let (Some(list), Some(slice)) = (subscript.child(Field::Value), slice) else { continue };
        let Some((start, stop)) = slice.text().split_once(':') else { continue };
        let Some(around) = fixed_in(call, &reads(list)).and_then(Node::statement) else { continue };
        if start.trim().is_empty() || stop.trim().is_empty() || stop.contains(':') {
            continue;
        }
        let held = fresh_name(source, "stretches");
        let mut edits = Vec::new();
        if !source.contains("class _Stretches:") {
            edits.push(module_lines_before(call, STRETCHES));
        }
        edits.push(lines_before(
            source,
            around,
            &[format!("{held} = _Stretches({}, {function})", list.text())],
        ));
        edits.push(Edit::replace(call.range(), format!("{held}.of({}, {})", start.trim(), stop.trim())));
        rewrites.offer("stretches", 76.0, format!("take the {function} from a table of stretches"), edits);
    }
}

/// `for j in range(a, b): total += xs[j]`: the sum of a slice.
fn indexed_sums(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::ForStatement).collect::<Vec<_>>() {
        let parts = || {
            let work = inner_expression(only_statement(node.child(Field::Body)?)?);
            let (total, item) = added(work)?;
            Some((total, slice_of(item, node.child(Field::Left)?, node.child(Field::Right)?)?))
        };
        if let Some((total, slice)) = parts() {
            let edits = vec![Edit::replace(node.range(), format!("{total} += sum({slice})"))];
            rewrites.offer("slice_sum", 80.0, "sum a slice".to_owned(), edits);
        }
    }
}

/// `total += x` or `total = total + x`.
fn added(work: Node<'_>) -> Option<(&str, Node<'_>)> {
    let (left, right) = (work.child(Field::Left)?, work.child(Field::Right)?);
    match work.kind() {
        Kind::AugmentedAssignment if work.operator() == "+=" => Some((left.text(), right)),
        Kind::Assignment if right.kind() == Kind::BinaryOperator && right.operator() == "+" => {
            let (a, b) = (right.child(Field::Left)?, right.child(Field::Right)?);
            (a.text() == left.text()).then_some((left.text(), b))
        }
        _ => None,
    }
}

/// `xs[j]` for j in a range, as `xs[a:b]`.
fn slice_of(item: Node<'_>, variable: Node<'_>, items: Node<'_>) -> Option<String> {
    let (list, index) = (item.child(Field::Value)?, item.child(Field::Subscript)?);
    let ("range", arguments) = plain_call(items)? else { return None };
    if item.kind() != Kind::Subscript
        || index.text() != variable.text()
        || reads(list).contains(variable.text())
    {
        return None;
    }
    match arguments.as_slice() {
        [stop] => Some(format!("{}[:{}]", list.text(), stop.text())),
        [start, stop] => Some(format!("{}[{}:{}]", list.text(), start.text(), stop.text())),
        _ => None,
    }
}

/// `sum(xs[j] for j in range(a, b))`: the sum of a slice.
fn gathered_sums(rewrites: &mut Rewrites<'_>) {
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some((function @ ("sum" | "max" | "min"), arguments)) = plain_call(call) else { continue };
        let [only] = arguments.as_slice() else { continue };
        let slice = || {
            let clauses: Vec<Node<'_>> = only.named_children().skip(1).collect();
            let [clause] = clauses.as_slice() else { return None };
            if !only.kind().is_comprehension() || clause.kind() != Kind::ForInClause {
                return None;
            }
            slice_of(only.child(Field::Body)?, clause.child(Field::Left)?, clause.child(Field::Right)?)
        };
        if let Some(slice) = slice() {
            let edits = vec![Edit::replace(call.range(), format!("{function}({slice})"))];
            rewrites.offer("slice_sum", 80.0, format!("take the {function} of a slice"), edits);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::check;

    #[test]
    fn sums_of_slices_come_from_running_totals() {
        check(
            "running_totals",
            "def f(xs, k):\n    return [sum(xs[i:i + k]) for i in range(9)]\n",
            "from itertools import accumulate\ndef f(xs, k):\n    _running = list(accumulate(xs, initial=0))\n    \
             return [(_running[i + k] - _running[i]) for i in range(9)]\n",
        );
        check(
            "running_totals",
            "def f(xs):\n    return [max(xs[:i + 1]) for i in range(9)]\n",
            "from itertools import accumulate\ndef f(xs):\n    _running = list(accumulate(xs, max))\n    \
             return [_running[i + 1 - 1] for i in range(9)]\n",
        );
    }

    #[test]
    fn extremes_of_stretches_come_from_a_table() {
        let source = "def f(xs, k):\n    return [max(xs[i:i + k]) for i in range(9)]\n";
        check(
            "stretches",
            source,
            &format!(
                "{}def f(xs, k):\n    _stretches = _Stretches(xs, max)\n    return [_stretches.of(i, i + k) for i in range(9)]\n",
                super::STRETCHES
            ),
        );
    }

    #[test]
    fn loops_by_index_become_slices() {
        check(
            "slice_sum",
            "def f(xs, a, b):\n    t = 0\n    for j in range(a, b):\n        t = t + xs[j]\n    return t\n",
            "def f(xs, a, b):\n    t = 0\n    t += sum(xs[a:b])\n    return t\n",
        );
        check(
            "slice_sum",
            "def f(xs, a):\n    return sum(xs[j] for j in range(a))\n",
            "def f(xs, a):\n    return sum(xs[:a])\n",
        );
    }
}
