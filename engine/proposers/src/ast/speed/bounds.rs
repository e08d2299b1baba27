//! Tighter bounds: divisors up to the square root, pairs once, primes by a sieve.

use super::Rewrites;
use super::reading::{
    comparison, conjuncts, loops_around, module_lines_before, names_in, only_statement, plain_call,
};
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    square_root_bounds(rewrites);
    divisors(rewrites);
    primes(rewrites);
    triangular(rewrites);
}

/// `for d in range(2, n)` with `n % d` in its body: divisors come in pairs about the square root.
fn square_root_bounds(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::ForStatement).collect::<Vec<_>>() {
        let (Some(variable), Some(items), Some(body)) =
            (node.child(Field::Left), node.child(Field::Right), node.child(Field::Body))
        else {
            continue;
        };
        let Some(("range", arguments)) = plain_call(items) else { continue };
        let [start, stop] = arguments.as_slice() else { continue };
        for (number, divisor) in remainders(body) {
            if divisor != variable.text() || !names_in(*stop).contains(number) {
                continue;
            }
            let bound = format!("range({}, int({number} ** 0.5) + 1)", start.text());
            let edits = vec![Edit::replace(items.range(), bound)];
            rewrites.offer(
                "square_root_bound",
                85.0,
                format!("try divisors of {number} up to its square root"),
                edits,
            );
            let odd = format!("range({}, int({number} ** 0.5) + 1, 2)", start.text());
            rewrites.offer(
                "odd_divisors",
                20.0,
                "try every second divisor".to_owned(),
                vec![Edit::replace(items.range(), odd)],
            );
            break;
        }
    }
    for node in rewrites.nodes(Kind::WhileStatement).collect::<Vec<_>>() {
        let (Some(condition), Some(body)) = (node.child(Field::Condition), node.child(Field::Body)) else {
            continue;
        };
        let Some((left, operator, right)) = comparison(condition.unwrapped()) else { continue };
        let pairs = remainders(body);
        if (operator == "<" || operator == "<=") && pairs.iter().any(|(_, divisor)| *divisor == left.text()) {
            let number =
                pairs.iter().find(|(_, divisor)| *divisor == left.text()).map_or(right.text(), |(n, _)| n);
            let bound = format!("{0} * {0} <= {number}", left.text());
            let edits = vec![Edit::replace(condition.range(), bound)];
            rewrites.offer(
                "square_root_bound",
                85.0,
                format!("try divisors of {number} up to its square root"),
                edits,
            );
        }
    }
}

/// `a % b` with plain names, in a node.
fn remainders(node: Node<'_>) -> Vec<(&str, &str)> {
    node.descendants()
        .filter(|inner| inner.kind() == Kind::BinaryOperator && inner.operator() == "%")
        .filter_map(|inner| Some((inner.child(Field::Left)?.text(), inner.child(Field::Right)?.text())))
        .collect()
}

/// `for j in range(n)` inside `for i in range(n)`: only later, or only earlier, partners.
fn triangular(rewrites: &mut Rewrites<'_>) {
    for inner in rewrites.nodes(Kind::ForStatement).collect::<Vec<_>>() {
        let outer = loops_around(inner).into_iter().find(|l| l.kind() == Kind::ForStatement);
        let (Some(items), Some(variable)) =
            (inner.child(Field::Right), outer.and_then(|outer| outer.child(Field::Left)))
        else {
            continue;
        };
        let Some(("range", arguments)) = plain_call(items) else { continue };
        let i = variable.text();
        if names_in(items).contains(i) {
            continue;
        }
        let mut offer = |text: String, score: f64| {
            rewrites.offer(
                "triangular",
                score,
                "skip pairs that were seen already".to_owned(),
                vec![Edit::replace(items.range(), text)],
            );
        };
        match arguments.as_slice() {
            [stop] => {
                let stop = stop.text();
                offer(format!("range({i} + 1, {stop})"), 30.0);
                offer(format!("range({stop} - {i})"), 35.0);
                offer(format!("range({i}, {stop})"), 18.0);
                offer(format!("range({i})"), 15.0);
            }
            [start, stop] => offer(format!("range({}, {} - {i})", start.text(), stop.text()), 25.0),
            _ => {}
        }
    }
}

/// What a loop or a comprehension walks through, its variable, and the condition without which it does nothing.
fn filtered_walks<'m>(rewrites: &Rewrites<'m>) -> Vec<(Node<'m>, Node<'m>, Node<'m>)> {
    let of_loop = |node: Node<'m>| {
        let only =
            only_statement(node.child(Field::Body)?).filter(|only| only.kind() == Kind::IfStatement)?;
        let condition = only.child(Field::Condition).filter(|_| only.child(Field::Alternative).is_none())?;
        Some((node.child(Field::Left)?, node.child(Field::Right)?, condition))
    };
    let of_clause = |node: Node<'m>| {
        let after = |child: &Node<'m>| child.range().start > node.range().start;
        let next = node.parent()?.named_children().find(after)?;
        let condition = next.named_children().next().filter(|_| next.kind() == Kind::IfClause)?;
        Some((node.child(Field::Left)?, node.child(Field::Right)?, condition))
    };
    let loops = rewrites.nodes(Kind::ForStatement).filter_map(of_loop);
    loops.chain(rewrites.nodes(Kind::ForInClause).filter_map(of_clause)).collect()
}

/// Finds the divisors of a number in a range, in ascending order.
const DIVISORS: &str = "def _divisors_in(n, span):
    if n <= 0:
        return [d for d in span if n % d == 0]
    small = [d for d in range(1, int(n ** 0.5) + 1) if n % d == 0]
    found = small + [n // d for d in reversed(small) if d * d != n]
    return [d for d in found if d in span]


";

/// A walk through a range that does something for divisors of a number only: it walks through the divisors.
fn divisors(rewrites: &mut Rewrites<'_>) {
    for (variable, items, condition) in filtered_walks(rewrites) {
        let Some(("range", arguments)) = plain_call(items) else { continue };
        let number = conjuncts(condition).into_iter().find_map(|part| {
            let (left, operator, right) = comparison(part)?;
            let (number, divisor) = (left.child(Field::Left)?, left.child(Field::Right)?);
            let divides = left.kind() == Kind::BinaryOperator && left.operator() == "%";
            let fits =
                divides && operator == "==" && right.text() == "0" && divisor.text() == variable.text();
            (fits && !names_in(number).contains(variable.text())).then_some(number)
        });
        let Some(number) = number.filter(|_| (1..3).contains(&arguments.len())) else { continue };
        let mut edits = Vec::new();
        if !rewrites.source().contains("def _divisors_in(") {
            edits.push(module_lines_before(items, DIVISORS));
        }
        edits
            .push(Edit::replace(items.range(), format!("_divisors_in({}, {})", number.text(), items.text())));
        rewrites.offer("divisors", 87.0, format!("visit only the divisors of {}", number.text()), edits);
    }
}

/// Finds the primes in a range of small numbers by the sieve of Eratosthenes.
const PRIMES: &str = "def _primes_in(span):
    stop = span.stop
    sieve = bytearray([1]) * max(stop, 2)
    sieve[:2] = b'\\0\\0'
    for d in range(2, int(max(stop, 0) ** 0.5) + 1):
        if sieve[d]:
            sieve[d * d::d] = bytes(len(range(d * d, len(sieve), d)))
    return [n for n in span if n >= 0 and sieve[n]]


";

/// A walk through a range that does something where a function with `prime` in its name says so: a sieve.
fn primes(rewrites: &mut Rewrites<'_>) {
    for (variable, items, condition) in filtered_walks(rewrites) {
        let prime = conjuncts(condition).into_iter().any(|part| {
            plain_call(part).is_some_and(|(name, arguments)| {
                name.to_lowercase().contains("prime")
                    && matches!(arguments.as_slice(), [only] if only.text() == variable.text())
            })
        });
        if prime && plain_call(items).is_some_and(|(name, _)| name == "range") {
            let mut edits = Vec::new();
            if !rewrites.source().contains("def _primes_in(") {
                edits.push(module_lines_before(items, PRIMES));
            }
            edits.push(Edit::replace(items.range(), format!("_primes_in({})", items.text())));
            rewrites.offer("sieve", 65.0, "find the primes of a range by a sieve".to_owned(), edits);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::{check, offers};

    #[test]
    fn divisors_end_at_the_square_root() {
        check(
            "square_root_bound",
            "def f(n):\n    for d in range(2, n):\n        if n % d == 0:\n            return False\n    return True\n",
            "def f(n):\n    for d in range(2, int(n ** 0.5) + 1):\n        if n % d == 0:\n            return False\n    return True\n",
        );
    }

    #[test]
    fn only_divisors_are_visited() {
        let source = "def f(n):\n    return sum(d for d in range(1, n) if n % d == 0)\n";
        let expected =
            format!("{}{}", super::DIVISORS, source.replace("range(1, n)", "_divisors_in(n, range(1, n))"));
        check("divisors", source, &expected);
        assert!(
            offers("divisors", "def f(n):\n    return [d for d in range(1, n) if d % 2 == 0]\n").is_empty()
        );
    }

    #[test]
    fn primes_come_from_a_sieve() {
        let source = "def f(n):\n    return [p for p in range(n) if is_prime(p)]\n";
        check(
            "sieve",
            source,
            &format!("{}{}", super::PRIMES, source.replace("range(n)", "_primes_in(range(n))")),
        );
    }

    #[test]
    fn pairs_are_seen_once() {
        check(
            "triangular",
            "def f(n):\n    for i in range(n):\n        for j in range(n):\n            print(i, j)\n",
            "def f(n):\n    for i in range(n):\n        for j in range(i + 1, n):\n            print(i, j)\n",
        );
    }
}
