//! Sets for look-ups with `in`: a set instead of the list, beside it, made from it before a loop, or given to the function
//! that looks things up.

use super::Rewrites;
use super::caching::calls_name;
use super::reading::{
    arguments, assignments, comparison, fixed_in, fresh_name, is_list, is_path, line_after, lines_before,
    method_call, plain_call, reads, repeated_by, scope_of, stripped,
};
use std::collections::BTreeSet;
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    lists(rewrites);
    slices(rewrites);
    parameters(rewrites);
    literals(rewrites);
}

/// `x in xs`, with its parts: whether negated, the item, the container.
fn lookup(node: Node<'_>) -> Option<(bool, Node<'_>, Node<'_>)> {
    let (item, operator, container) = comparison(node)?;
    match operator.as_str() {
        "in" => Some((false, item, container)),
        "not in" => Some((true, item, container)),
        _ => None,
    }
}

/// Name of something kept beside a path, of the same owner.
fn beside(source: &str, path: &str, word: &str) -> String {
    match path.rsplit_once('.') {
        Some((owner, last)) => format!("{owner}.{}", fresh_name(source, &format!("{last}_{word}"))),
        None => fresh_name(source, &format!("{path}_{word}")),
    }
}

fn lists(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    let mut seen: BTreeSet<(u32, &str)> = BTreeSet::new();
    for node in rewrites.nodes(Kind::ComparisonOperator).collect::<Vec<_>>() {
        let Some((_, _, container)) = lookup(node).filter(|(_, _, container)| is_path(*container)) else {
            continue;
        };
        let name = container.text();
        let scope = scope_of(node, name);
        let own = scope.kind() == Kind::ClassDefinition;
        let finds_at_once = |(_, value): &(Node<'_>, Node<'_>)| {
            matches!(
                value.kind(),
                Kind::Dictionary | Kind::DictionaryComprehension | Kind::Set | Kind::SetComprehension
            ) || plain_call(*value).is_some_and(|(name, _)| {
                matches!(name, "set" | "dict" | "frozenset" | "Counter" | "defaultdict")
            })
        };
        let module_wide = rewrites.file.module.root();
        if assignments(scope, name).iter().chain(&assignments(module_wide, name)).any(finds_at_once) {
            continue;
        }
        if !seen.insert((scope.id(), name)) {
            continue;
        }
        let score = if own || !repeated_by(node).is_empty() { 90.0 } else { 30.0 };
        shadow(rewrites, scope, name, score);
        become_set(rewrites, scope, name, if own { score - 30.0 } else { score - 5.0 });
        // A set made once before the outermost loop that does not change the list.
        let around = fixed_in(node, &BTreeSet::from([name]));
        let Some(statement) = around.unwrap_or(node).statement() else { continue };
        let set = fresh_name(source, &format!("{name}_set"));
        let mut edits = vec![lines_before(source, statement, &[format!("{set} = set({name})")])];
        edits.extend(memberships(statement, name).into_iter().map(|use_| Edit::replace(use_, set.clone())));
        if edits.len() > 1 {
            let score = if around.is_some() { score + 2.0 } else { 15.0 };
            rewrites.offer("membership_set", score, format!("look {name} up in a set"), edits);
        }
    }
}

/// Places in a node where a path is looked up with `in`.
fn memberships(node: Node<'_>, name: &str) -> Vec<std::ops::Range<usize>> {
    let lookups = node.descendants().filter_map(lookup);
    lookups.filter(|(_, _, right)| right.text() == name).map(|(_, _, right)| right.range()).collect()
}

/// A set kept beside the list: what is appended to the one is added to the other.
fn shadow(rewrites: &mut Rewrites<'_>, scope: Node<'_>, name: &str, score: f64) {
    let source = rewrites.source();
    let set = beside(source, name, "seen");
    let mut edits = Vec::new();
    let born = assignments(scope, name);
    for (assignment, value) in &born {
        let Some(statement) = assignment.statement().filter(|_| is_list(*value)) else { return };
        edits.push(line_after(source, statement, &format!("{set} = set({name})")));
    }
    for call in scope.descendants() {
        let Some((_, method, arguments)) = method_call(call).filter(|(object, ..)| object.text() == name)
        else {
            continue;
        };
        let Some(statement) = call.statement() else { return };
        let line = match (method, arguments.as_slice()) {
            ("append", [item]) => format!("{set}.add({})", item.text()),
            ("insert", [_, item]) => format!("{set}.add({})", item.text()),
            ("extend", [items]) => format!("{set}.update({})", items.text()),
            ("remove", [item]) => format!("{set}.discard({})", item.text()),
            ("sort" | "reverse" | "index" | "count" | "copy", _) => continue,
            _ => return,
        };
        edits.push(line_after(source, statement, &line));
    }
    let uses = memberships(scope, name);
    if born.is_empty() || edits.len() == born.len() || uses.is_empty() {
        return;
    }
    edits.extend(uses.into_iter().map(|use_| Edit::replace(use_, set.clone())));
    rewrites.offer("shadow_set", score + 4.0, format!("keep a set beside {name} for look-ups"), edits);
}

/// The list becomes a set.
fn become_set(rewrites: &mut Rewrites<'_>, scope: Node<'_>, name: &str, score: f64) {
    let born = assignments(scope, name);
    let mut edits = Vec::new();
    for (_, value) in &born {
        let text = value.text();
        let set = match value.kind() {
            Kind::List if text == "[]" => "set()".to_owned(),
            Kind::List | Kind::ListComprehension => format!("{{{}}}", stripped(text)),
            _ if plain_call(*value).is_some_and(|(function, args)| function == "list" && args.is_empty()) => {
                "set()".to_owned()
            }
            _ => format!("set({text})"),
        };
        edits.push(Edit::replace(value.range(), set));
    }
    for call in scope.descendants().filter(|node| node.kind() == Kind::Call) {
        let Some(function) = call.child(Field::Function) else { continue };
        let object = function.child(Field::Object).filter(|object| object.text() == name);
        if let (Some(_), Some(attribute)) = (object, function.child(Field::Attribute)) {
            match attribute.text() {
                "append" => edits.push(Edit::replace(attribute.range(), "add")),
                "extend" => edits.push(Edit::replace(attribute.range(), "update")),
                "remove" => {}
                _ => return,
            }
        }
    }
    if !born.is_empty() {
        rewrites.offer("list_to_set", score, format!("make {name} a set"), edits);
    }
}

/// `x in xs[:i]` and `x in xs[i:]` in a loop: where each item comes first, and last, answers both.
fn slices(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for node in rewrites.nodes(Kind::ComparisonOperator).collect::<Vec<_>>() {
        let Some((negated, item, container)) = lookup(node) else { continue };
        let slice = container.child(Field::Subscript).filter(|slice| slice.kind() == Kind::Slice);
        let (Some(list), Some(slice)) = (container.child(Field::Value), slice) else { continue };
        let Some(statement) = fixed_in(node, &reads(list)).and_then(Node::statement) else { continue };
        let place = fresh_name(source, "place");
        let (list, text) = (list.text(), slice.text());
        let (lines, test) = match (text.strip_prefix(':'), text.strip_suffix(':')) {
            (Some(stop), None) if !stop.contains(':') => (
                format!("for _k, _v in enumerate({list}): {place}.setdefault(_v, _k)"),
                format!("{place}.get({0}, {stop}) < {stop}", item.text()),
            ),
            (None, Some(start)) if !start.contains(':') => (
                format!("for _k, _v in enumerate({list}): {place}[_v] = _k"),
                format!("{place}.get({}, -1) >= {start}", item.text()),
            ),
            _ => continue,
        };
        let not = if negated { "not " } else { "" };
        let edits = vec![
            lines_before(source, statement, &[format!("{place} = {{}}"), lines]),
            Edit::replace(node.range(), format!("({not}{test})")),
        ];
        rewrites.offer("slice_lookup", 90.0, format!("look up in a part of {list} by place"), edits);
    }
}

/// The argument at a place of a call, if it is a path.
fn path_argument(call: Node<'_>, at: usize) -> Option<Node<'_>> {
    arguments(call).get(at).copied().filter(|argument| is_path(*argument))
}

/// A function that looks things up in its parameter, called in a loop with the same list: it is given a set.
fn parameters(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for function in rewrites.file.module.functions() {
        let method = function.parameters.first().is_some_and(|p| p.name == "self");
        for (at, parameter) in function.parameters.iter().skip(usize::from(method)).enumerate() {
            if memberships(function.body, parameter.name).is_empty() {
                continue;
            }
            let calls = rewrites.nodes(Kind::Call).filter(|call| calls_name(*call, function.name));
            let mut done: BTreeSet<(u32, &str)> = BTreeSet::new();
            for call in calls.collect::<Vec<_>>() {
                let Some(list) = path_argument(call, at) else { continue };
                let Some(around) = fixed_in(call, &BTreeSet::from([list.text()])) else { continue };
                let Some(statement) = around.statement().filter(|s| done.insert((s.id(), list.text())))
                else {
                    continue;
                };
                let set = fresh_name(source, &format!("{}_set", list.text()));
                let mut edits =
                    vec![lines_before(source, statement, &[format!("{set} = set({})", list.text())])];
                let inside = around.descendants().filter(|node| node.kind() == Kind::Call);
                for other in inside.filter(|node| calls_name(*node, function.name)) {
                    if let Some(same) =
                        path_argument(other, at).filter(|argument| argument.text() == list.text())
                    {
                        edits.push(Edit::replace(same.range(), set.clone()));
                    }
                }
                let rationale = format!("give {} a set of {}", function.name, list.text());
                rewrites.offer("set_argument", 88.0, rationale, edits);
            }
        }
    }
}

/// `x in [a, b, c]` and `x in list(...)`, `x in d.keys()`.
fn literals(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::ComparisonOperator).collect::<Vec<_>>() {
        let Some((_, _, right)) = lookup(node) else { continue };
        if right.kind() == Kind::List {
            let edits = vec![Edit::replace(right.range(), format!("{{{}}}", stripped(right.text())))];
            rewrites.offer("literal_set", 10.0, "look up in a set of constants".to_owned(), edits);
        }
        if let Some(("list" | "sorted" | "tuple", arguments)) = plain_call(right)
            && let [inner] = arguments.as_slice()
        {
            let bare = vec![Edit::replace(right.range(), inner.text())];
            rewrites.offer("bare_membership", 70.0, "look up without making a list first".to_owned(), bare);
        }
        if let Some((object, "keys", arguments)) = method_call(right)
            && arguments.is_empty()
        {
            let bare = vec![Edit::replace(right.range(), object.text())];
            rewrites.offer("bare_membership", 30.0, "look up in the dictionary itself".to_owned(), bare);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::check;

    #[test]
    fn a_set_stands_beside_a_list() {
        check(
            "shadow_set",
            "def f(xs):\n    out = []\n    for x in xs:\n        if x not in out:\n            out.append(x)\n    return out\n",
            "def f(xs):\n    out = []\n    _out_seen = set(out)\n    for x in xs:\n        if x not in _out_seen:\n            \
             out.append(x)\n            _out_seen.add(x)\n    return out\n",
        );
        check(
            "shadow_set",
            "class A:\n    def __init__(self):\n        self.xs = []\n    def add(self, x):\n        if x not in self.xs:\n            self.xs.append(x)\n",
            "class A:\n    def __init__(self):\n        self.xs = []\n        self._xs_seen = set(self.xs)\n    def add(self, x):\n        \
             if x not in self._xs_seen:\n            self.xs.append(x)\n            self._xs_seen.add(x)\n",
        );
    }

    #[test]
    fn a_set_is_made_before_the_loop() {
        check(
            "membership_set",
            "def f(a, b):\n    return [x for x in a if x in b]\n",
            "def f(a, b):\n    _b_set = set(b)\n    return [x for x in a if x in _b_set]\n",
        );
    }

    #[test]
    fn a_part_of_a_list_is_searched_by_place() {
        check(
            "slice_lookup",
            "def f(xs):\n    for i in range(len(xs)):\n        if xs[i] in xs[:i]:\n            return i\n",
            "def f(xs):\n    _place = {}\n    for _k, _v in enumerate(xs): _place.setdefault(_v, _k)\n    \
             for i in range(len(xs)):\n        if (_place.get(xs[i], i) < i):\n            return i\n",
        );
    }

    #[test]
    fn a_function_is_given_a_set() {
        check(
            "set_argument",
            "def has(xs, y):\n    return y in xs\n\ndef f(xs, ys):\n    for y in ys:\n        print(has(xs, y))\n",
            "def has(xs, y):\n    return y in xs\n\ndef f(xs, ys):\n    _xs_set = set(xs)\n    for y in ys:\n        print(has(_xs_set, y))\n",
        );
    }
}
