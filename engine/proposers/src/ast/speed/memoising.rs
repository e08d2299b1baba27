//! A memory within one call: a recursive function becomes the inside of itself, remembers its results by the arguments
//! that vary, and forgets them when the outermost call returns. So it works for lists and for `self`, which cannot be
//! keys, and for data that change between calls.

use super::Rewrites;
use super::caching::{can_be_remembered, recursive_calls};
use super::reading::{arguments, changed, fresh_name, indent_of, repeated_by, replaced_within};
use std::ops::Range;
use syntax::{Edit, Field, Function, Kind, Node};

/// One level of indentation in what is added.
const INDENT: &str = "    ";

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    for function in rewrites.file.module.functions() {
        if can_be_remembered(&function) {
            enclose(rewrites, &function);
        }
    }
}

fn enclose(rewrites: &mut Rewrites<'_>, function: &Function<'_>) -> Option<()> {
    let source = rewrites.source();
    let calls = recursive_calls(function);
    if calls.is_empty() || function.parameters.iter().any(|p| p.variadic || p.default.is_some()) {
        return None;
    }
    let method = function.parameters.first().is_some_and(|p| p.name == "self");
    let names: Vec<&str> = function.parameters.iter().skip(usize::from(method)).map(|p| p.name).collect();
    let asked: Vec<Vec<Node<'_>>> = calls.iter().map(|call| arguments(*call)).collect();
    let plain = |list: &Vec<Node<'_>>| {
        list.len() == names.len()
            && list.iter().all(|a| !matches!(a.kind(), Kind::KeywordArgument | Kind::ListSplat))
    };
    if !asked.iter().all(plain) {
        return None;
    }
    let rebound = changed(function.body);
    let fixed: Vec<bool> = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            !rebound.contains(name)
                && asked.iter().all(|list| list.get(at).is_some_and(|a| a.text() == *name))
        })
        .collect();
    let varying = |list: &[&str]| -> String {
        list.iter()
            .zip(&fixed)
            .filter(|(_, fixed)| !**fixed)
            .map(|(text, _)| *text)
            .collect::<Vec<_>>()
            .join(", ")
    };
    if fixed.iter().all(|fixed| *fixed) || (!method && !fixed.contains(&true)) {
        return None;
    }
    let inner = fresh_name(source, &format!("{}_from", function.name));
    let edits: Vec<(Range<usize>, String)> =
        calls.iter().map(|call| (call.range(), inner_call(source, *call, &inner, &fixed))).collect();
    // A call inside the arguments of another is rewritten with it.
    let outermost: Vec<(Range<usize>, String)> = edits
        .iter()
        .filter(|(range, _)| {
            !edits.iter().any(|(other, _)| other.start < range.start && range.end <= other.end)
        })
        .cloned()
        .collect();
    let body = replaced_within(source, function.body.range(), &outermost);
    let indent = indent_of(source, function.node).to_owned() + INDENT;
    let deeper: Vec<String> = body
        .lines()
        .map(|line| if line.trim().is_empty() { String::new() } else { format!("{INDENT}{line}") })
        .collect();
    let parameters = varying(&names);
    let text = format!(
        "@lru_cache(maxsize=None)\n{indent}def {inner}({parameters}):\n{indent}{}\n\n{indent}return {inner}({parameters})",
        deeper.join("\n")
    );
    let one_line = source.get(function.node.range().start..function.body.range().start)?.contains('\n');
    if !one_line {
        return None;
    }
    let mut edits = rewrites.import("from functools import lru_cache");
    edits.push(Edit::replace(function.body.range(), text));
    let repeated = calls.len() > 1 || calls.iter().any(|call| !repeated_by(*call).is_empty());
    let score = if repeated { 99.0 } else { 45.0 };
    rewrites.offer(
        "memo_within",
        score,
        format!("remember the results of {} within a call", function.name),
        edits,
    );
    Some(())
}

/// A recursive call as a call of the inside, without the arguments that stay the same.
fn inner_call(source: &str, call: Node<'_>, inner: &str, fixed: &[bool]) -> String {
    let own = call.child(Field::Function).map(Node::text).unwrap_or_default();
    let kept: Vec<String> = arguments(call)
        .iter()
        .zip(fixed)
        .filter(|(_, fixed)| !**fixed)
        .map(|(argument, _)| {
            let nested: Vec<(Range<usize>, String)> = std::iter::once(*argument)
                .chain(argument.descendants())
                .filter(|node| node.kind() == Kind::Call)
                .filter(|node| node.child(Field::Function).is_some_and(|f| f.text() == own))
                .take(1)
                .map(|node| (node.range(), inner_call(source, node, inner, fixed)))
                .collect();
            replaced_within(source, argument.range(), &nested)
        })
        .collect();
    format!("{inner}({})", kept.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::{check, offers};

    #[test]
    fn what_stays_the_same_is_left_out_of_the_key() {
        check(
            "memo_within",
            "def ways(n, steps):\n    if n < 1:\n        return n == 0\n    return sum(ways(n - s, steps) for s in steps)\n",
            "from functools import lru_cache\ndef ways(n, steps):\n    @lru_cache(maxsize=None)\n    def _ways_from(n):\n        \
             if n < 1:\n            return n == 0\n        return sum(_ways_from(n - s) for s in steps)\n\n    return _ways_from(n)\n",
        );
    }

    #[test]
    fn a_method_keeps_its_object() {
        check(
            "memo_within",
            "class A:\n    def f(self, n):\n        return n and self.f(n - 1) + self.f(n // 2)\n",
            "from functools import lru_cache\nclass A:\n    def f(self, n):\n        @lru_cache(maxsize=None)\n        def _f_from(n):\n            \
             return n and _f_from(n - 1) + _f_from(n // 2)\n\n        return _f_from(n)\n",
        );
    }

    #[test]
    fn nothing_is_offered_where_every_argument_varies() {
        assert!(offers("memo_within", "def f(a, b):\n    return f(b, a)\n").is_empty());
    }
}
