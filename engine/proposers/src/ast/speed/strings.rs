//! Strings: built from pieces that are joined once, patterns compiled once.

use super::Rewrites;
use super::reading::{arguments, fresh_name, indent_of, is_loop, module_lines_before, repeated_by};
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    pieces(rewrites);
    patterns(rewrites);
}

/// A string that grows in a loop: its pieces are collected and joined.
fn pieces(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for node in rewrites.nodes(Kind::Assignment).collect::<Vec<_>>() {
        let (Some(left), Some(right)) = (node.child(Field::Left), node.child(Field::Right)) else { continue };
        let (name, Some(statement)) = (left.text(), node.statement()) else { continue };
        let Some(block) = statement.parent().filter(|_| matches!(right.text(), "''" | "\"\"")) else {
            continue;
        };
        let mut following = block.statements().filter(|s| s.range().start > statement.range().start);
        let Some(around) = following.find(|s| is_loop(*s)) else { continue };
        let parts = fresh_name(source, &format!("{name}_parts"));
        let mut edits = vec![Edit::replace(node.range(), format!("{parts} = []"))];
        let (mut behind, mut before) = (0, 0);
        for inner in around.descendants() {
            if inner.child(Field::Left).is_none_or(|l| l.text() != name) {
                continue;
            }
            let Some(value) = inner.child(Field::Right) else { continue };
            let text = value.text();
            let piece = match inner.kind() {
                Kind::AugmentedAssignment => Some((text, true)),
                Kind::Assignment => after(text, name)
                    .map(|piece| (piece, true))
                    .or_else(|| before_name(text, name).map(|piece| (piece, false))),
                _ => None,
            };
            let Some((piece, at_end)) = piece else { continue };
            if at_end {
                behind += 1;
            } else {
                before += 1;
            }
            edits.push(Edit::replace(inner.range(), format!("{parts}.append({piece})")));
        }
        let order = match (behind, before) {
            (1.., 0) => parts.clone(),
            (0, 1..) => format!("reversed({parts})"),
            _ => continue,
        };
        edits.push(Edit::insert(
            around.range().end,
            format!("\n{}{name} = ''.join({order})", indent_of(source, around)),
        ));
        let score = if before > 0 { 58.0 } else { 40.0 };
        rewrites.offer("join", score, format!("collect the pieces of {name} and join them"), edits);
    }
}

/// What is added behind a name: `name + piece`.
fn after<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    Some(text.strip_prefix(name)?.trim_start().strip_prefix('+')?.trim())
}

/// What is put before a name: `piece + name`.
fn before_name<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    Some(text.strip_suffix(name)?.trim_end().strip_suffix('+')?.trim())
}

/// `re.match("...", text)` looks its pattern up each time.
fn patterns(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some(function) = call.child(Field::Function) else { continue };
        let (Some("re"), Some(method)) =
            (function.child(Field::Object).map(Node::text), function.child(Field::Attribute).map(Node::text))
        else {
            continue;
        };
        let given = arguments(call);
        let Some(pattern) = given.first().filter(|p| p.kind() == Kind::String && call.function().is_some())
        else {
            continue;
        };
        let held = fresh_name(source, "pattern");
        let score = if repeated_by(call).is_empty() { 30.0 } else { 44.0 };
        if method == "compile" {
            let line = format!("{held} = {}\n\n\n", call.text());
            let edits = vec![module_lines_before(call, &line), Edit::replace(call.range(), held)];
            rewrites.offer("pattern", score + 6.0, "compile the pattern once".to_owned(), edits);
        } else if let [_, second, ..] = given.as_slice() {
            let line = format!("{held} = re.compile({})\n\n\n", pattern.text());
            let start = pattern.range().start..second.range().start;
            let edits = vec![
                module_lines_before(call, &line),
                Edit::replace(function.range(), format!("{held}.{method}")),
                Edit::delete(start),
            ];
            rewrites.offer("pattern", score, "compile the pattern once".to_owned(), edits);
        }
    }
    letters(rewrites);
}

/// A text that a loop makes shorter by one letter at a time: `strip` does it at once.
fn letters(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::WhileStatement).collect::<Vec<_>>() {
        let question = node.child(Field::Condition).and_then(super::reading::method_call);
        let Some((object, method @ ("startswith" | "endswith"), given)) = question else { continue };
        let [letter] = given.as_slice() else { continue };
        let strip = if method == "endswith" { "rstrip" } else { "lstrip" };
        let name = object.text();
        let edits = vec![Edit::replace(node.range(), format!("{name} = {name}.{strip}({})", letter.text()))];
        rewrites.offer("strip", 26.0, format!("strip {name} at once"), edits);
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::check;

    #[test]
    fn pieces_are_joined_in_order() {
        check(
            "join",
            "def f(xs):\n    s = ''\n    for x in xs:\n        s += x\n    return s\n",
            "def f(xs):\n    _s_parts = []\n    for x in xs:\n        _s_parts.append(x)\n    s = ''.join(_s_parts)\n    return s\n",
        );
        check(
            "join",
            "def f(xs):\n    s = ''\n    for x in xs:\n        s = x + s\n    return s\n",
            "def f(xs):\n    _s_parts = []\n    for x in xs:\n        _s_parts.append(x)\n    s = ''.join(reversed(_s_parts))\n    return s\n",
        );
    }

    #[test]
    fn patterns_are_compiled_once() {
        check(
            "pattern",
            "import re\n\ndef f(x):\n    return re.match('a+', x)\n",
            "import re\n\n_pattern = re.compile('a+')\n\n\ndef f(x):\n    return _pattern.match(x)\n",
        );
    }
}
