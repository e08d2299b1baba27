//! Lists used as queues: deques for what comes and goes at the front, heaps for what is taken smallest first, insertion in
//! order instead of sorting again.

use super::Rewrites;
use super::reading::{
    assignments, is_path, line_after, lines_before, loops_around, method_call, next_statement, plain_call,
    scope_of,
};
use std::collections::BTreeSet;
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    deques(rewrites);
    front_insertion(rewrites);
    shortened_copies(rewrites);
    heaps(rewrites);
    minimum_and_remove(rewrites);
    sorted_insertion(rewrites);
}

/// `q.pop(0)` and `q.insert(0, x)`: a deque.
fn deques(rewrites: &mut Rewrites<'_>) {
    let mut seen: BTreeSet<(u32, &str)> = BTreeSet::new();
    let source = rewrites.source();
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some((object, method, arguments)) = method_call(call) else { continue };
        let front = arguments.first().is_some_and(|first| first.text() == "0");
        if !front || !matches!(method, "pop" | "insert") || !is_path(object) {
            continue;
        }
        let name = object.text();
        let scope = scope_of(call, name);
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
            let Some(first) = body.filter(|_| scope.kind() == Kind::FunctionDefinition) else { continue };
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
        let returned: Vec<Edit> = scope
            .descendants()
            .filter(|node| node.kind() == Kind::ReturnStatement)
            .filter_map(|node| node.named_children().next().filter(|value| value.text() == name))
            .map(|value| Edit::replace(value.range(), format!("list({name})")))
            .collect();
        if returned.is_empty() {
            rewrites.offer("deque", 85.0, format!("make {name} a deque"), edits);
        } else {
            edits.extend(returned);
            rewrites.offer("deque", 80.0, format!("make {name} a deque, a list again at the end"), edits);
        }
    }
}

/// `xs.insert(0, x)` in a loop: appended, and turned round after the loop.
fn front_insertion(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some((object, "insert", arguments)) = method_call(call) else { continue };
        let ([place, item], Some(around)) = (arguments.as_slice(), loops_around(call).last().copied()) else {
            continue;
        };
        if place.text() == "0" {
            let name = object.text();
            let edits = vec![
                Edit::replace(call.range(), format!("{name}.append({})", item.text())),
                line_after(source, around, &format!("{name}.reverse()")),
            ];
            rewrites.offer("append_and_reverse", 78.0, format!("turn {name} round after the loop"), edits);
        }
    }
}

/// `xs = xs[1:]` and `xs = xs[:-1]` copy the rest each time.
fn shortened_copies(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::Assignment).collect::<Vec<_>>() {
        let (Some(left), Some(right)) = (node.child(Field::Left), node.child(Field::Right)) else { continue };
        for (slice, removal) in [("[1:]", "pop(0)"), ("[:-1]", "pop()")] {
            if right.text().strip_suffix(slice) == Some(left.text()) {
                let edits = vec![Edit::replace(node.range(), format!("{}.{removal}", left.text()))];
                rewrites.offer("pop", 55.0, format!("shorten {} in place", left.text()), edits);
            }
        }
    }
}

/// `xs.sort()` with `xs.pop(0)`: a heap.
fn heaps(rewrites: &mut Rewrites<'_>) {
    let mut seen: BTreeSet<(u32, &str)> = BTreeSet::new();
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some((object, "sort", arguments)) = method_call(call) else { continue };
        let name = object.text();
        let scope = scope_of(call, name);
        if !arguments.is_empty() || !is_path(object) || !seen.insert((scope.id(), name)) {
            continue;
        }
        if loops_around(call).is_empty() && scope.kind() != Kind::ClassDefinition {
            continue;
        }
        let mut edits = rewrites.import("import heapq");
        let imports = edits.len();
        let mut sorts = Vec::new();
        for other in scope.descendants() {
            let Some((object, method, arguments)) = method_call(other) else { continue };
            if object.text() != name {
                continue;
            }
            let text = match (method, arguments.as_slice()) {
                ("sort", []) => {
                    sorts.push(other.range());
                    continue;
                }
                ("pop", [first]) if first.text() == "0" => format!("heapq.heappop({name})"),
                ("append", [item]) => format!("heapq.heappush({name}, {})", item.text()),
                _ => continue,
            };
            edits.push(Edit::replace(other.range(), text));
        }
        if edits.len() == imports {
            continue;
        }
        let with = |text: &str| -> Vec<Edit> {
            edits
                .iter()
                .cloned()
                .chain(sorts.iter().map(|range| Edit::replace(range.clone(), text)))
                .collect()
        };
        rewrites.offer("heap", 75.0, format!("keep {name} as a heap"), with("None"));
        rewrites.offer(
            "heap",
            50.0,
            format!("make {name} a heap each time"),
            with(&format!("heapq.heapify({name})")),
        );
    }
}

/// `m = min(xs)` with `xs.remove(m)`: a heap.
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
        let name = object.text();
        let sorts = |next: &Node<'_>| {
            let text = next.text();
            text == format!("{name}.sort()") || text == format!("{name} = sorted({name})")
        };
        let Some(sort) = next_statement(statement).filter(sorts) else { continue };
        let mut edits = rewrites.import("import bisect");
        edits.push(Edit::replace(call.range(), format!("bisect.insort({name}, {})", item.text())));
        edits.push(Edit::replace(sort.range(), "pass"));
        rewrites.offer("insort", 80.0, format!("insert into {name} in order"), edits);
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::check;

    #[test]
    fn a_queue_is_a_deque() {
        check(
            "deque",
            "def f(a):\n    q = [a]\n    while q:\n        print(q.pop(0))\n",
            "from collections import deque\ndef f(a):\n    q = deque([a])\n    while q:\n        print(q.popleft())\n",
        );
    }

    #[test]
    fn what_is_put_in_front_is_turned_round_afterwards() {
        check(
            "append_and_reverse",
            "def f(a):\n    q = []\n    for x in a:\n        q.insert(0, x)\n    return q\n",
            "def f(a):\n    q = []\n    for x in a:\n        q.append(x)\n    q.reverse()\n    return q\n",
        );
    }

    #[test]
    fn what_is_sorted_after_each_append_is_kept_in_order() {
        let source = "class A:\n    def push(self, x):\n        self.q.append(x)\n        self.q.sort()\n";
        check(
            "insort",
            source,
            "import bisect\nclass A:\n    def push(self, x):\n        bisect.insort(self.q, x)\n        pass\n",
        );
        check(
            "heap",
            source,
            "import heapq\nclass A:\n    def push(self, x):\n        heapq.heappush(self.q, x)\n        None\n",
        );
    }

    #[test]
    fn a_copy_of_the_rest_is_not_made() {
        check("pop", "def f(q):\n    q = q[1:]\n    return q\n", "def f(q):\n    q.pop(0)\n    return q\n");
    }
}
