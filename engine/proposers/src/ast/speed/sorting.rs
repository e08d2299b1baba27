//! Sorting by the library, and once: loops that swap or insert, and sorts that a loop repeats.

use super::Rewrites;
use super::reading::{
    comparison, is_loop, line_after, loops_around, method_call, plain_call, previous_statement,
};
use std::collections::BTreeSet;
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    swaps(rewrites);
    insertions(rewrites);
    repeated_sorts(rewrites);
}

/// Whether something in a node orders the elements of a list.
fn compares(node: Node<'_>, list: &str) -> bool {
    node.descendants().any(|inner| {
        comparison(inner).is_some_and(|(a, operator, b)| {
            (operator.starts_with('<') || operator.starts_with('>'))
                && (a.text().contains(list) || b.text().contains(list))
        })
    })
}

/// Nested loops that swap or shift the elements of a list: the library sorts.
fn swaps(rewrites: &mut Rewrites<'_>) {
    let mut offered: BTreeSet<u32> = BTreeSet::new();
    for node in rewrites.nodes(Kind::Assignment).collect::<Vec<_>>() {
        let Some(left) = node.child(Field::Left) else { continue };
        let targets = std::iter::once(left).chain(left.descendants()).filter(|n| n.kind() == Kind::Subscript);
        let lists: Vec<&str> = targets.filter_map(|n| n.child(Field::Value)).map(Node::text).collect();
        let loops = loops_around(node);
        let (Some(list), Some(outermost)) = (lists.first(), loops.last()) else { continue };
        let nested = outermost.descendants().any(is_loop);
        if !nested || !compares(*outermost, list) || !offered.insert(outermost.id()) {
            continue;
        }
        for (order, score) in [("", 88.0), ("reverse=True", 45.0)] {
            let edits = vec![Edit::replace(outermost.range(), format!("{list}.sort({order})"))];
            rewrites.offer("library_sort", score, format!("sort {list} by the library"), edits);
        }
    }
}

/// A loop that inserts each item where it belongs: the sorted items. Binary search finds the place, too.
fn insertions(rewrites: &mut Rewrites<'_>) {
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some((object, "insert", arguments)) = method_call(call) else { continue };
        let ([_, item], name) = (arguments.as_slice(), object.text()) else { continue };
        let around = loops_around(call);
        let Some(outermost) = around.iter().rev().find(|l| l.kind() == Kind::ForStatement) else { continue };
        if !compares(*outermost, name) {
            continue;
        }
        let (Some(variable), Some(items)) = (outermost.child(Field::Left), outermost.child(Field::Right))
        else {
            continue;
        };
        if variable.text() == item.text() {
            for text in [
                format!("{name} = sorted({})", items.text()),
                format!("{name} = sorted({name} + list({}))", items.text()),
            ] {
                let edits = vec![Edit::replace(outermost.range(), text)];
                rewrites.offer("library_sort", 84.0, format!("sort {name} by the library"), edits);
            }
        }
        // The search for the place alone: the loop before the insertion is replaced by a bisection.
        let search = call.statement().and_then(previous_statement).filter(|s| is_loop(*s));
        if let (Some(search), Some(place)) = (search, arguments.first()) {
            for side in ["right", "left"] {
                let mut edits = rewrites.import("import bisect");
                let text = format!("{} = bisect.bisect_{side}({name}, {})", place.text(), item.text());
                edits.push(Edit::replace(search.range(), text));
                rewrites.offer("bisection", 70.0, format!("find the place in {name} by bisection"), edits);
            }
        }
    }
}

/// `xs.sort()` or `xs = sorted(xs + more)` in a loop: sorted once, after the loop.
fn repeated_sorts(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some(around) = loops_around(call).last().copied() else { continue };
        let Some(statement) = call.statement() else { continue };
        if let Some((object, "sort", _)) = method_call(call) {
            let edits =
                vec![Edit::replace(statement.range(), "pass"), line_after(source, around, statement.text())];
            rewrites.offer("sort_once", 72.0, format!("sort {} once after the loop", object.text()), edits);
        }
        let assignment = call.parent().filter(|parent| parent.kind() == Kind::Assignment);
        let (Some(("sorted", arguments)), Some(left)) =
            (plain_call(call), assignment.and_then(|a| a.child(Field::Left)))
        else {
            continue;
        };
        let (Some(items), name) = (arguments.first(), left.text()) else { continue };
        let rest: String =
            arguments.iter().skip(1).map(|argument| argument.text()).collect::<Vec<_>>().join(", ");
        let added =
            items.child(Field::Left).filter(|l| l.text() == name).and_then(|_| items.child(Field::Right));
        let text = match added {
            Some(added) if items.operator() == "+" => format!("{name} += {}", added.text()),
            _ if items.text() == name => "pass".to_owned(),
            _ => continue,
        };
        let edits = vec![
            Edit::replace(statement.range(), text),
            line_after(source, around, &format!("{name}.sort({rest})")),
        ];
        rewrites.offer("sort_once", 72.0, format!("sort {name} once after the loop"), edits);
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::check;

    #[test]
    fn a_loop_that_inserts_in_order_is_a_sort() {
        let source = "def f(xs):\n    out = []\n    for x in xs:\n        i = 0\n        while i < len(out) and out[i] <= x:\n            i += 1\n        out.insert(i, x)\n    return out\n";
        check("library_sort", source, "def f(xs):\n    out = []\n    out = sorted(xs)\n    return out\n");
        check(
            "bisection",
            source,
            "import bisect\ndef f(xs):\n    out = []\n    for x in xs:\n        i = 0\n        i = bisect.bisect_right(out, x)\n        out.insert(i, x)\n    return out\n",
        );
    }

    #[test]
    fn a_loop_that_swaps_is_a_sort() {
        check(
            "library_sort",
            "def f(xs):\n    for i in range(9):\n        for j in range(8):\n            if xs[j] > xs[j + 1]:\n                xs[j], xs[j + 1] = xs[j + 1], xs[j]\n    return xs\n",
            "def f(xs):\n    xs.sort()\n    return xs\n",
        );
    }

    #[test]
    fn sorts_once() {
        check(
            "sort_once",
            "def f(a):\n    m = []\n    for x in a:\n        m = sorted(m + x)\n    return m\n",
            "def f(a):\n    m = []\n    for x in a:\n        m += x\n    m.sort()\n    return m\n",
        );
    }
}
