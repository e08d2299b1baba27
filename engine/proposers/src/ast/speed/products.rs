//! Numeric loops: powers by squaring, elements and rows held in a name, inner products by the library.

use super::Rewrites;
use super::reading::{
    changed, fresh_name, inner_expression, is_path, lines_before, loops_around, names_in, only_statement,
    plain_call, reads,
};
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    powers(rewrites);
    for node in rewrites.nodes(Kind::ForStatement).collect::<Vec<_>>() {
        accumulator(rewrites, node);
        inner_product(rewrites, node);
    }
    rows(rewrites);
}

/// `for _ in range(n): result = f(result, base)`, `result *= base`: by squaring, or as a power.
fn powers(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for node in rewrites.nodes(Kind::ForStatement).collect::<Vec<_>>() {
        let Some(power) = repeated_product(node) else { continue };
        let Power { result, base, count, times, modulus } = power;
        let (b, e) = (fresh_name(source, "base"), fresh_name(source, "exponent"));
        let indent = super::reading::indent_of(source, node);
        let squaring = format!(
            "{b}, {e} = {base}, {count}\n{indent}while {e} > 0:\n{indent}    if {e} & 1: {result} = {}\n{indent}    \
             {e} >>= 1\n{indent}    if {e}: {b} = {}",
            times(result, &b),
            times(&b, &b),
        );
        let edits = vec![Edit::replace(node.range(), squaring)];
        rewrites.offer("squaring", 82.0, format!("raise {base} to its power by squaring"), edits);
        let builtin = match modulus {
            Some(modulus) => format!("{result} = {result} * pow({base}, {count}, {modulus}) % {modulus}"),
            None => format!("{result} = {result} * {base} ** max({count}, 0)"),
        };
        let edits = vec![Edit::replace(node.range(), builtin)];
        rewrites.offer("power", 83.0, format!("raise {base} to its power at once"), edits);
    }
}

/// Spells the product of two expressions.
type Times<'m> = Box<dyn Fn(&str, &str) -> String + 'm>;

/// A loop that multiplies again and again.
struct Power<'m> {
    result: &'m str,
    base: &'m str,
    count: String,
    times: Times<'m>,
    modulus: Option<&'m str>,
}

fn repeated_product<'m>(node: Node<'m>) -> Option<Power<'m>> {
    let ("range", arguments) = plain_call(node.child(Field::Right)?)? else { return None };
    let count = match arguments.as_slice() {
        [stop] => stop.text().to_owned(),
        [start, stop] => format!("({}) - ({})", stop.text(), start.text()),
        _ => return None,
    };
    let counter = node.child(Field::Left)?.text();
    let work = inner_expression(only_statement(node.child(Field::Body)?)?);
    let (left, right) = (work.child(Field::Left)?, work.child(Field::Right)?);
    let result = left.text();
    let plain = |times: Times<'m>, base: Node<'m>, modulus: Option<&'m str>| {
        let free = is_path(base) || base.kind() == Kind::Integer;
        (free && base.text() != result && base.text() != counter).then(|| Power {
            result,
            base: base.text(),
            count: count.clone(),
            times,
            modulus,
        })
    };
    if work.kind() == Kind::AugmentedAssignment && work.operator() == "*=" {
        return plain(Box::new(|a, b| format!("{a} * {b}")), right, None);
    }
    if work.kind() != Kind::Assignment {
        return None;
    }
    let right = right.unwrapped();
    if let Some((function, arguments)) = plain_call(right) {
        let [first, base] = arguments.as_slice() else { return None };
        let times = move |a: &str, b: &str| format!("{function}({a}, {b})");
        return if first.text() == result { plain(Box::new(times), *base, None) } else { None };
    }
    let modulus = (right.operator() == "%").then(|| right.child(Field::Right)).flatten();
    let product = if modulus.is_some() { right.child(Field::Left)?.unwrapped() } else { right };
    let (first, base) = (product.child(Field::Left)?, product.child(Field::Right)?);
    if product.operator() != "*" || first.text() != result {
        return None;
    }
    match modulus.map(Node::text) {
        Some(modulus) => plain(Box::new(move |a, b| format!("{a} * {b} % {modulus}")), base, Some(modulus)),
        None => plain(Box::new(|a, b| format!("{a} * {b}")), base, None),
    }
}

/// `t += e` or `t = t + e`, where it is the only work of a loop.
fn addition<'m>(node: Node<'m>) -> Option<(Node<'m>, Node<'m>)> {
    let work = inner_expression(only_statement(node.child(Field::Body)?)?);
    let (left, right) = (work.child(Field::Left)?, work.child(Field::Right)?);
    if work.kind() == Kind::AugmentedAssignment && work.operator() == "+=" {
        return Some((left, right));
    }
    let (a, b) = (right.child(Field::Left)?, right.child(Field::Right)?);
    let adds = work.kind() == Kind::Assignment && right.operator() == "+" && a.text() == left.text();
    adds.then_some((left, b))
}

/// An element that an inner loop adds to: added up in a name, stored once.
fn accumulator(rewrites: &mut Rewrites<'_>, node: Node<'_>) -> Option<()> {
    let source = rewrites.source();
    let (target, term) = addition(node)?;
    let variable = node.child(Field::Left)?.text();
    if target.kind() != Kind::Subscript || names_in(target).contains(variable) {
        return None;
    }
    let total = fresh_name(source, "total");
    let work = only_statement(node.child(Field::Body)?)?;
    let edits = vec![
        lines_before(source, node, &[format!("{total} = {}", target.text())]),
        Edit::replace(work.range(), format!("{total} += {}", term.text())),
        super::reading::line_after(source, node, &format!("{} = {total}", target.text())),
    ];
    rewrites.offer("accumulator", 36.0, format!("add up {} in a name", target.text()), edits);
    Some(())
}

/// `for k in range(n): t += a[i][k] * b[k][j]`: the sum of products of a row and a column.
fn inner_product(rewrites: &mut Rewrites<'_>, node: Node<'_>) -> Option<()> {
    let source = rewrites.source();
    let (target, term) = addition(node)?;
    let variable = node.child(Field::Left)?;
    let ("range", arguments) = plain_call(node.child(Field::Right)?)? else { return None };
    let [_] = arguments.as_slice() else { return None };
    let term = term.unwrapped();
    if term.kind() != Kind::BinaryOperator
        || term.operator() != "*"
        || names_in(target).contains(variable.text())
    {
        return None;
    }
    let outermost = loops_around(node).last().copied().unwrap_or(node);
    let mut before: Vec<String> = Vec::new();
    let mut factor = |factor: Node<'_>| -> Option<String> {
        let (value, index) = (factor.child(Field::Value)?, factor.child(Field::Subscript)?);
        if factor.kind() != Kind::Subscript {
            return None;
        }
        if index.text() == variable.text() && !names_in(value).contains(variable.text()) {
            return Some(value.text().to_owned());
        }
        let (matrix, row) = (value.child(Field::Value)?, value.child(Field::Subscript)?);
        let column = value.kind() == Kind::Subscript && row.text() == variable.text() && is_path(matrix);
        if !column || names_in(index).contains(variable.text()) {
            return None;
        }
        let columns = fresh_name(source, &format!("{}_columns", matrix.text()));
        if changed(outermost).contains(matrix.text()) {
            return Some(format!("[_row[{}] for _row in {}]", index.text(), matrix.text()));
        }
        before.push(format!("{columns} = list(zip(*{}))", matrix.text()));
        Some(format!("{columns}[{}]", index.text()))
    };
    let (left, right) =
        (factor(term.child(Field::Left)?.unwrapped())?, factor(term.child(Field::Right)?.unwrapped())?);
    let mut edits = rewrites.import("from operator import mul");
    let sum = format!("{} += sum(map(mul, {left}, {right}))", target.text());
    if outermost == node {
        before.push(sum);
        edits.push(Edit::replace(
            node.range(),
            before.join(&format!("\n{}", super::reading::indent_of(source, node))),
        ));
    } else {
        if !before.is_empty() {
            edits.push(lines_before(source, outermost, &before));
        }
        edits.push(Edit::replace(node.range(), sum));
    }
    rewrites.offer("inner_product", 81.0, "multiply row by column by the library".to_owned(), edits);
    Some(())
}

/// `a[i]` inside a loop that does not change `i`: held in a name before the loop.
fn rows(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    let mut seen = std::collections::BTreeSet::new();
    for node in rewrites.nodes(Kind::Subscript).collect::<Vec<_>>() {
        let stored = node.field() == Some(Field::Left)
            || node.parent().is_some_and(|p| matches!(p.kind(), Kind::PatternList | Kind::DeleteStatement));
        let Some(inner) = loops_around(node).first().copied().filter(|_| !stored) else { continue };
        let items = inner.child(Field::Right).is_some_and(|items| items == node || items.contains(node));
        let read = reads(node);
        let moved = changed(inner);
        let index = node.child(Field::Subscript).map(reads).unwrap_or_default();
        let container = node.child(Field::Value).map(reads).unwrap_or_default();
        let rebound = index.iter().any(|name| moved.contains(name));
        // Rows may change inside as long as no row takes another's place.
        let replaced = container.iter().any(|name| moved.contains(name))
            && inner.descendants().any(|n| n.text() == node.text() && n.field() == Some(Field::Left));
        if items || rebound || replaced || read.is_empty() || !seen.insert((inner.id(), node.text())) {
            continue;
        }
        let held = fresh_name(source, "row");
        let mut edits = vec![lines_before(source, inner, &[format!("{held} = {}", node.text())])];
        let same = inner.descendants().filter(|n| n.kind() == Kind::Subscript && n.text() == node.text());
        edits.extend(same.map(|n| Edit::replace(n.range(), held.clone())));
        rewrites.offer("held_row", 23.0, format!("hold {} in a name", node.text()), edits);
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::check;

    #[test]
    fn powers_are_taken_by_squaring() {
        check(
            "squaring",
            "def f(m, n):\n    r = one()\n    for _ in range(n):\n        r = times(r, m)\n    return r\n",
            "def f(m, n):\n    r = one()\n    _base, _exponent = m, n\n    while _exponent > 0:\n        \
             if _exponent & 1: r = times(r, _base)\n        _exponent >>= 1\n        if _exponent: _base = times(_base, _base)\n    return r\n",
        );
        check(
            "power",
            "def f(b, n, m):\n    r = 1\n    for _ in range(n):\n        r = (r * b) % m\n    return r\n",
            "def f(b, n, m):\n    r = 1\n    r = r * pow(b, n, m) % m\n    return r\n",
        );
    }

    #[test]
    fn rows_meet_columns() {
        check(
            "inner_product",
            "def f(a, b, c, n):\n    for i in range(n):\n        for j in range(n):\n            for k in range(n):\n                c[i][j] += a[i][k] * b[k][j]\n",
            "from operator import mul\ndef f(a, b, c, n):\n    _b_columns = list(zip(*b))\n    for i in range(n):\n        \
             for j in range(n):\n            c[i][j] += sum(map(mul, a[i], _b_columns[j]))\n",
        );
    }

    #[test]
    fn elements_and_rows_are_held() {
        let source = "def f(a, c, n):\n    for i in range(n):\n        for k in range(n):\n            c[i] += a[i][k]\n";
        check(
            "accumulator",
            source,
            "def f(a, c, n):\n    for i in range(n):\n        _total = c[i]\n        for k in range(n):\n            _total += a[i][k]\n        c[i] = _total\n",
        );
        check(
            "held_row",
            source,
            "def f(a, c, n):\n    for i in range(n):\n        _row = a[i]\n        for k in range(n):\n            c[i] += _row[k]\n",
        );
    }
}
