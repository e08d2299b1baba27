//! Containers that find things at once: sets for membership, deques for queues, counters for counting, heaps for minima.

use super::{
    Rewrites, changed_names, comparison, fresh_name, lines_before, loops_around, method_call, names_in,
    plain_call,
};
use std::collections::BTreeSet;
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    membership(rewrites);
    literal_membership(rewrites);
    queues(rewrites);
    counting(rewrites);
    heaps(rewrites);
    sorted_insertion(rewrites);
}

/// The scope in which a name is looked at: the function around a node, or the module.
fn scope_of(node: Node<'_>) -> Node<'_> {
    node.function().unwrap_or_else(|| node.ancestors().last().unwrap_or(node))
}

/// Assignments `name = value` in a scope.
fn assignments<'m>(scope: Node<'m>, name: &str) -> Vec<(Node<'m>, Node<'m>)> {
    scope
        .descendants()
        .filter(|node| node.kind() == Kind::Assignment)
        .filter(|node| node.child(Field::Left).is_some_and(|left| left.text() == name))
        .filter_map(|node| Some((node, node.child(Field::Right)?)))
        .collect()
}

fn is_list(value: Node<'_>) -> bool {
    matches!(value.kind(), Kind::List | Kind::ListComprehension)
        || plain_call(value).is_some_and(|(name, _)| matches!(name, "list" | "sorted"))
}

/// `x in xs` inside a loop, `xs` being a list.
fn membership(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    let mut seen: BTreeSet<(u32, &str)> = BTreeSet::new();
    for node in rewrites.nodes(Kind::ComparisonOperator).collect::<Vec<_>>() {
        let Some((_, operator, right)) = comparison(node) else { continue };
        let repeated =
            !loops_around(node).is_empty() || node.ancestors().any(|a| a.kind().is_comprehension());
        if !(operator == "in" || operator == "not in") || right.kind() != Kind::Identifier {
            continue;
        }
        let scope = scope_of(node);
        let name = right.text();
        if !seen.insert((scope.id(), name)) {
            continue;
        }
        let score = if repeated { 90.0 } else { 30.0 };
        shadow_set(rewrites, scope, name, score);
        become_set(rewrites, scope, name, score - 5.0);
        // A set made once before the outermost loop that does not change the list.
        let fixed = loops_around(node).into_iter().take_while(|l| !changed_names(*l).contains(name)).last();
        let statement = fixed.or_else(|| node.statement());
        if let Some(statement) = statement {
            let set = fresh_name(source, &format!("{name}_set"));
            let mut edits = vec![lines_before(source, statement, &[format!("{set} = set({name})")])];
            edits.extend(
                memberships(statement, name).into_iter().map(|use_| Edit::replace(use_, set.clone())),
            );
            if edits.len() > 1 {
                rewrites.offer("membership_set", score + 2.0, format!("look {name} up in a set"), edits);
            }
        }
    }
}

/// Places in a node where a name is looked up with `in`.
fn memberships(node: Node<'_>, name: &str) -> Vec<std::ops::Range<usize>> {
    node.descendants()
        .filter_map(comparison)
        .filter(|(_, operator, right)| (operator == "in" || operator == "not in") && right.text() == name)
        .map(|(_, _, right)| right.range())
        .collect()
}

/// A set kept beside the list: what is appended to the one is added to the other.
fn shadow_set(rewrites: &mut Rewrites<'_>, scope: Node<'_>, name: &str, score: f64) {
    let source = rewrites.source();
    let set = fresh_name(source, &format!("{name}_seen"));
    let mut edits = Vec::new();
    let born = assignments(scope, name);
    for (assignment, value) in &born {
        let Some(statement) = assignment.statement().filter(|_| is_list(*value)) else { return };
        edits.push(super::line_after(source, statement, &format!("{set} = set({name})")));
    }
    for call in scope.descendants() {
        let Some((object, method, arguments)) =
            method_call(call).filter(|(object, ..)| object.text() == name)
        else {
            continue;
        };
        let (Some(statement), first) = (call.statement(), arguments.first()) else { return };
        match (method, first) {
            ("append", Some(item)) => {
                edits.push(super::line_after(source, statement, &format!("{set}.add({})", item.text())));
            }
            ("extend", Some(items)) => {
                edits.push(super::line_after(source, statement, &format!("{set}.update({})", items.text())));
            }
            ("sort" | "reverse" | "index" | "count", _) => {}
            _ => return,
        }
        let _ = object;
    }
    if born.is_empty() || edits.len() == born.len() {
        return;
    }
    edits.extend(memberships(scope, name).into_iter().map(|use_| Edit::replace(use_, set.clone())));
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
            Kind::List => format!("{{{}}}", text.trim_start_matches('[').trim_end_matches(']')),
            _ if plain_call(*value).is_some_and(|(function, args)| function == "list" && args.is_empty()) => {
                "set()".to_owned()
            }
            _ => format!("set({text})"),
        };
        edits.push(Edit::replace(value.range(), set));
    }
    for call in scope.descendants() {
        let Some(function) = call.child(Field::Function).filter(|_| call.kind() == Kind::Call) else {
            continue;
        };
        let object = function.child(Field::Object).filter(|object| object.text() == name);
        if let (Some(_), Some(attribute)) = (object, function.child(Field::Attribute)) {
            match attribute.text() {
                "append" => edits.push(Edit::replace(attribute.range(), "add")),
                "extend" => edits.push(Edit::replace(attribute.range(), "update")),
                _ => return,
            }
        }
    }
    if !born.is_empty() {
        rewrites.offer("list_to_set", score, format!("make {name} a set"), edits);
    }
}

/// `x in [a, b, c]` and `x in list(...)`, `x in d.keys()`.
fn literal_membership(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::ComparisonOperator).collect::<Vec<_>>() {
        let Some((_, operator, right)) = comparison(node) else { continue };
        if operator != "in" && operator != "not in" {
            continue;
        }
        if right.kind() == Kind::List {
            let set = format!("{{{}}}", right.text().trim_start_matches('[').trim_end_matches(']'));
            rewrites.offer(
                "literal_set",
                20.0,
                "look up in a set of constants".to_owned(),
                vec![Edit::replace(right.range(), set)],
            );
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

/// `q.pop(0)` and `q.insert(0, x)`: a deque.
fn queues(rewrites: &mut Rewrites<'_>) {
    let mut seen: BTreeSet<(u32, &str)> = BTreeSet::new();
    let source = rewrites.source();
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some((object, method, arguments)) = method_call(call) else { continue };
        let front = arguments.first().is_some_and(|first| first.text() == "0");
        if !front || !matches!(method, "pop" | "insert") || object.kind() != Kind::Identifier {
            continue;
        }
        let (scope, name) = (scope_of(call), object.text());
        if !seen.insert((scope.id(), name)) {
            continue;
        }
        let mut edits = rewrites.import("from collections import deque");
        let born = assignments(scope, name);
        for (_, value) in &born {
            edits.push(Edit::replace(value.range(), format!("deque({})", value.text())));
        }
        if born.is_empty() {
            // A parameter: it becomes a deque before anything else.
            let body = scope.child(Field::Body).and_then(|body| body.statements().next());
            let Some(first) = body else { continue };
            edits.push(lines_before(source, first, &[format!("{name} = deque({name})")]));
        }
        for other in scope.descendants() {
            let Some((object, method, arguments)) = method_call(other) else { continue };
            if object.text() != name || arguments.first().is_none_or(|first| first.text() != "0") {
                continue;
            }
            match (method, arguments.get(1)) {
                ("pop", None) => edits.push(Edit::replace(other.range(), format!("{name}.popleft()"))),
                ("insert", Some(item)) => {
                    edits.push(Edit::replace(other.range(), format!("{name}.appendleft({})", item.text())));
                }
                _ => {}
            }
        }
        rewrites.offer("deque", 85.0, format!("make {name} a deque"), edits);
    }
}

/// `xs.count(x)` inside a loop: count all at once.
fn counting(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some((object, "count", arguments)) = method_call(call) else { continue };
        let [item] = arguments.as_slice() else { continue };
        let around = call.ancestors().filter(|a| super::is_loop(*a) || a.kind().is_comprehension());
        let names = names_in(object);
        let fixed = around.take_while(|l| changed_names(*l).is_disjoint(&names)).last();
        let Some(statement) = fixed.and_then(Node::statement) else { continue };
        let counter = fresh_name(source, "counts");
        let mut edits = rewrites.import("from collections import Counter");
        edits.push(lines_before(source, statement, &[format!("{counter} = Counter({})", object.text())]));
        edits.push(Edit::replace(call.range(), format!("{counter}[{}]", item.text())));
        rewrites.offer("counter", 90.0, format!("count {} once", object.text()), edits);
    }
}

/// `xs.sort()` with `xs.pop(0)`, or `min(xs)` with `xs.remove(...)`: a heap.
fn heaps(rewrites: &mut Rewrites<'_>) {
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some((object, "sort", arguments)) = method_call(call) else { continue };
        if !arguments.is_empty() || loops_around(call).is_empty() || object.kind() != Kind::Identifier {
            continue;
        }
        let (scope, name) = (scope_of(call), object.text());
        let mut edits = rewrites.import("import heapq");
        let imports = edits.len();
        for other in scope.descendants() {
            let Some((object, method, arguments)) = method_call(other) else { continue };
            if object.text() != name {
                continue;
            }
            match (method, arguments.first()) {
                ("sort", None) => edits.push(Edit::replace(other.range(), format!("heapq.heapify({name})"))),
                ("pop", Some(first)) if first.text() == "0" => {
                    edits.push(Edit::replace(other.range(), format!("heapq.heappop({name})")));
                }
                ("append", Some(item)) => {
                    edits.push(Edit::replace(
                        other.range(),
                        format!("heapq.heappush({name}, {})", item.text()),
                    ));
                }
                _ => {}
            }
        }
        let cheap: Vec<Edit> = edits
            .iter()
            .filter(|edit| !edit.replacement.contains("heapify"))
            .cloned()
            .chain([Edit::replace(call.range(), "None")])
            .collect();
        if edits.len() > imports + 1 {
            rewrites.offer("heap", 75.0, format!("keep {name} as a heap"), cheap);
            rewrites.offer("heap", 60.0, format!("make {name} a heap each time"), edits);
        }
    }
    minimum_and_remove(rewrites);
}

fn minimum_and_remove(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for assignment in rewrites.nodes(Kind::Assignment).collect::<Vec<_>>() {
        let (Some(left), Some(right)) = (assignment.child(Field::Left), assignment.child(Field::Right))
        else {
            continue;
        };
        let Some(("min", arguments)) = plain_call(right) else { continue };
        let ([list], Some(around)) = (arguments.as_slice(), loops_around(assignment).last().copied()) else {
            continue;
        };
        let removal = around.descendants().find(|node| {
            method_call(*node).is_some_and(|(object, method, arguments)| {
                method == "remove"
                    && object.text() == list.text()
                    && arguments.first().is_some_and(|a| a.text() == left.text())
            })
        });
        let Some(removal) = removal else { continue };
        let mut edits = rewrites.import("import heapq");
        edits.push(lines_before(source, around, &[format!("heapq.heapify({})", list.text())]));
        edits.push(Edit::replace(right.range(), format!("heapq.heappop({})", list.text())));
        edits.push(Edit::replace(removal.range(), "None"));
        rewrites.offer("heap", 80.0, format!("take the smallest of {} from a heap", list.text()), edits);
    }
}

/// `xs.append(x)` and then `xs.sort()`: insert in order.
fn sorted_insertion(rewrites: &mut Rewrites<'_>) {
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some((object, "append", arguments)) = method_call(call) else { continue };
        let (Some(item), Some(statement)) = (arguments.first(), call.statement()) else { continue };
        let next = statement
            .parent()
            .and_then(|block| block.statements().find(|s| s.range().start > statement.range().start));
        let Some(sort) = next.filter(|next| next.text() == format!("{}.sort()", object.text())) else {
            continue;
        };
        let mut edits = rewrites.import("import bisect");
        edits.push(Edit::replace(call.range(), format!("bisect.insort({}, {})", object.text(), item.text())));
        edits.push(Edit::replace(sort.range(), "pass"));
        rewrites.offer("insort", 80.0, format!("insert into {} in order", object.text()), edits);
    }
}
