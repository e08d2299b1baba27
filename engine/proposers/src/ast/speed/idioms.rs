//! Small idioms: the same with less. Each wins little by itself, and they add up.

use super::Rewrites;
use super::reading::{fresh_name, lines_before, loops_around, method_call, names_in, plain_call, stripped};
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    concatenation(rewrites);
    extremes(rewrites);
    first_few(rewrites);
    flattening(rewrites);
    deep_copies(rewrites);
    arithmetic(rewrites);
    bound_methods(rewrites);
}

/// `xs = xs + [x]` copies the whole list each time.
fn concatenation(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::Assignment).collect::<Vec<_>>() {
        let (Some(left), Some(right)) = (node.child(Field::Left), node.child(Field::Right)) else { continue };
        if right.kind() != Kind::BinaryOperator || right.operator() != "+" {
            continue;
        }
        let (Some(a), Some(b)) = (right.child(Field::Left), right.child(Field::Right)) else { continue };
        if a.text() == left.text() {
            let add = format!("{} += {}", left.text(), b.text());
            let score = if b.kind() == Kind::List { 70.0 } else { 35.0 };
            rewrites.offer(
                "in_place",
                score,
                format!("extend {} in place", left.text()),
                vec![Edit::replace(node.range(), add)],
            );
        }
        let item = b.text().strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        if let Some(item) = item.filter(|item| a.text() == left.text() && !item.contains(',')) {
            let append = format!("{}.append({item})", left.text());
            rewrites.offer(
                "in_place",
                72.0,
                format!("append to {}", left.text()),
                vec![Edit::replace(node.range(), append)],
            );
        }
    }
}

/// `sorted(xs)[0]`, `sorted(xs)[-1]`; `sorted(list(xs))`; a list inside `sum`, `any`, `all`.
fn extremes(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::Subscript).collect::<Vec<_>>() {
        let (Some(value), Some(index)) = (node.child(Field::Value), node.child(Field::Subscript)) else {
            continue;
        };
        let Some(("sorted", arguments)) = plain_call(value) else { continue };
        let [items] = arguments.as_slice() else { continue };
        let function = match index.text() {
            "0" => "min",
            "-1" => "max",
            _ => continue,
        };
        let text = format!("{function}({})", items.text());
        rewrites.offer(
            "extreme",
            65.0,
            format!("take the {function} without sorting"),
            vec![Edit::replace(node.range(), text)],
        );
    }
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some((name, arguments)) = plain_call(call) else { continue };
        let [only] = arguments.as_slice() else { continue };
        if matches!(name, "any" | "all") && only.kind() == Kind::ListComprehension {
            let text = stripped(only.text()).to_owned();
            rewrites.offer(
                "lazy",
                40.0,
                format!("let {name} stop early"),
                vec![Edit::replace(only.range(), text)],
            );
        }
        if let Some(("list", inner)) = plain_call(*only)
            && matches!(name, "set" | "sorted" | "sum" | "min" | "max" | "tuple" | "len" | "enumerate")
            && let [inner] = inner.as_slice()
        {
            let edits = vec![Edit::replace(only.range(), inner.text())];
            rewrites.offer("no_copy", 20.0, "do not copy into a list first".to_owned(), edits);
        }
    }
}

/// `sorted(xs)[:k]`: the smallest, or the largest, without sorting the rest.
fn first_few(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::Subscript).collect::<Vec<_>>() {
        let (Some(value), Some(slice)) = (node.child(Field::Value), node.child(Field::Subscript)) else {
            continue;
        };
        let (Some(("sorted", arguments)), Some(count)) = (plain_call(value), slice.text().strip_prefix(':'))
        else {
            continue;
        };
        let Some(items) = arguments.first().filter(|_| slice.kind() == Kind::Slice && !count.contains(':'))
        else {
            continue;
        };
        let rest: Vec<&str> = arguments.iter().skip(1).map(|argument| argument.text()).collect();
        let (function, rest): (&str, Vec<&str>) = match rest.iter().position(|text| *text == "reverse=True") {
            Some(at) => {
                ("nlargest", rest.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, t)| *t).collect())
            }
            None => ("nsmallest", rest),
        };
        let rest: String = rest.iter().map(|text| format!(", {text}")).collect();
        let mut edits = rewrites.import("import heapq");
        edits.push(Edit::replace(node.range(), format!("heapq.{function}({count}, {}{rest})", items.text())));
        rewrites.offer("first_few", 42.0, "take the first few without sorting all".to_owned(), edits);
    }
}

/// `sum(lists, [])` copies what it has for each list.
fn flattening(rewrites: &mut Rewrites<'_>) {
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some(("sum", arguments)) = plain_call(call) else { continue };
        if let [lists, start] = arguments.as_slice()
            && start.text() == "[]"
        {
            let text = format!("[_item for _list in {} for _item in _list]", lists.text());
            let edits = vec![Edit::replace(call.range(), text)];
            rewrites.offer("flatten", 66.0, "flatten without copying".to_owned(), edits);
        }
    }
}

/// `deepcopy` of flat or two-level data.
fn deep_copies(rewrites: &mut Rewrites<'_>) {
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let name = call.child(Field::Function).map(Node::text);
        let Some(arguments) = call.child(Field::Arguments) else { continue };
        let Some(item) = arguments.named_children().next() else { continue };
        if !matches!(name, Some("deepcopy" | "copy.deepcopy")) {
            continue;
        }
        let value = item.text();
        for (text, score) in [
            (format!("[row[:] for row in {value}]"), 82.0),
            (format!("{value}.copy()"), 80.0),
            (format!("[dict(_row) for _row in {value}]"), 81.0),
            (format!("[_row.copy() for _row in {value}]"), 66.0),
            (format!("{{_key: _row.copy() for _key, _row in {value}.items()}}"), 64.0),
            (format!("list({value})"), 60.0),
            (value.to_owned(), 50.0),
        ] {
            rewrites.offer(
                "shallow_copy",
                score,
                format!("copy {value} less deeply"),
                vec![Edit::replace(call.range(), text)],
            );
        }
    }
}

/// Powers with small constant exponents.
fn arithmetic(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::BinaryOperator).collect::<Vec<_>>() {
        let (Some(base), Some(exponent)) = (node.child(Field::Left), node.child(Field::Right)) else {
            continue;
        };
        if node.operator() == "**" && exponent.text() == "2" && base.kind() == Kind::Identifier {
            let text = format!("({0} * {0})", base.text());
            rewrites.offer(
                "strength",
                8.0,
                "multiply instead of raising".to_owned(),
                vec![Edit::replace(node.range(), text)],
            );
        }
        if node.operator() == "%" && base.kind() == Kind::BinaryOperator && base.operator() == "**" {
            let (Some(b), Some(e)) = (base.child(Field::Left), base.child(Field::Right)) else { continue };
            let text = format!("pow({}, {}, {})", b.text(), e.text(), exponent.text());
            rewrites.offer(
                "modular_power",
                75.0,
                "raise modulo".to_owned(),
                vec![Edit::replace(node.range(), text)],
            );
        }
    }
}

/// A method that is looked up each round: look it up once.
fn bound_methods(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some((object, method, _)) = method_call(call) else { continue };
        let Some(around) = loops_around(call).last().copied() else { continue };
        let names = names_in(object);
        let stable = call.child(Field::Function).is_some_and(|_| {
            !around.descendants().any(|n| {
                n.kind() == Kind::Assignment && n.child(Field::Left).is_some_and(|l| names.contains(l.text()))
            })
        });
        let (Some(function), true) =
            (call.child(Field::Function), stable && object.kind() == Kind::Identifier)
        else {
            continue;
        };
        let held = fresh_name(source, &format!("{}_{method}", object.text()));
        let edits = vec![
            lines_before(source, around, &[format!("{held} = {}", function.text())]),
            Edit::replace(function.range(), held),
        ];
        rewrites.offer("bound_method", 5.0, format!("look {} up once", function.text()), edits);
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::check;

    #[test]
    fn lists_grow_in_place() {
        check(
            "in_place",
            "def f(a, x):\n    a = a + [x]\n    return a\n",
            "def f(a, x):\n    a.append(x)\n    return a\n",
        );
    }

    #[test]
    fn copies_go_as_deep_as_needed() {
        let source = "import copy\n\ndef f(a):\n    return copy.deepcopy(a)\n";
        check("shallow_copy", source, &source.replace("copy.deepcopy(a)", "[dict(_row) for _row in a]"));
    }

    #[test]
    fn the_first_few_need_no_sort() {
        check(
            "first_few",
            "def f(a):\n    return sorted(a, key=g, reverse=True)[:3]\n",
            "import heapq\ndef f(a):\n    return heapq.nlargest(3, a, key=g)\n",
        );
        check(
            "flatten",
            "def f(a):\n    return sum(a, [])\n",
            "def f(a):\n    return [_item for _list in a for _item in _list]\n",
        );
    }

    #[test]
    fn extremes_need_no_sort() {
        check("extreme", "def f(a):\n    return sorted(a)[0]\n", "def f(a):\n    return min(a)\n");
    }
}
