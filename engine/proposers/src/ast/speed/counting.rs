//! Counting and finding places once for all: `xs.count(x)` and `xs.index(x)` in a loop.

use super::Rewrites;
use super::reading::{fixed_in, fresh_name, lines_before, method_call, reads};
use std::collections::BTreeSet;
use syntax::{Edit, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    let mut seen: BTreeSet<(u32, &str, &str)> = BTreeSet::new();
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some((object, method @ ("count" | "index"), arguments)) = method_call(call) else { continue };
        let Some(statement) = fixed_in(call, &reads(object)).and_then(Node::statement) else { continue };
        if arguments.len() != 1 || !seen.insert((statement.id(), object.text(), method)) {
            continue;
        }
        let list = object.text();
        let same = statement.descendants().filter_map(|other| {
            let (others, also, arguments) = method_call(other)?;
            let [item] = arguments.as_slice() else { return None };
            (others.text() == list && also == method).then_some((other.range(), item.text()))
        });
        let same: Vec<_> = same.collect();
        let held = fresh_name(source, if method == "count" { "counts" } else { "places" });
        let (mut edits, line) = if method == "count" {
            (rewrites.import("from collections import Counter"), format!("{held} = Counter({list})"))
        } else {
            // Backwards, so that the first place of an item is the one that stays.
            let line = format!("{held} = {{_v: _k for _k, _v in reversed(list(enumerate({list})))}}");
            (Vec::new(), line)
        };
        edits.push(lines_before(source, statement, &[line]));
        edits.extend(same.into_iter().map(|(range, item)| Edit::replace(range, format!("{held}[{item}]"))));
        if method == "count" {
            rewrites.offer("counter", 90.0, format!("count {list} once"), edits);
        } else {
            rewrites.offer("place_index", 84.0, format!("note the places in {list} once"), edits);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::check;

    #[test]
    fn counts_once_before_a_loop_or_a_sort() {
        check(
            "counter",
            "def f(xs):\n    return max(xs, key=lambda x: xs.count(x))\n",
            "from collections import Counter\ndef f(xs):\n    _counts = Counter(xs)\n    return max(xs, key=lambda x: _counts[x])\n",
        );
    }

    #[test]
    fn notes_places_once() {
        check(
            "place_index",
            "def f(xs, ys):\n    for y in ys:\n        print(xs.index(y))\n",
            "def f(xs, ys):\n    _places = {_v: _k for _k, _v in reversed(list(enumerate(xs)))}\n    for y in ys:\n        print(_places[y])\n",
        );
    }
}
