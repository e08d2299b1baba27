//! Caches: a function, or a call of somebody else's, that is asked the same again answers from memory.

use super::reading::{
    arguments, fresh_name, indent_of, is_import, is_path, module_lines_before, repeated_by,
};
use super::{Rewrites, reading::names_in};
use std::collections::BTreeSet;
use syntax::{Edit, Field, Function, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for function in rewrites.file.module.functions() {
        if !can_be_remembered(&function) {
            continue;
        }
        let score = score(rewrites, &function);
        let indent = indent_of(source, function.node).to_owned();
        let mut edits = rewrites.import("from functools import lru_cache");
        edits.push(Edit::insert(function.node.range().start, format!("@lru_cache(maxsize=None)\n{indent}")));
        rewrites.offer("cache", score, format!("remember the results of {}", function.name), edits);
        list_arguments(rewrites, &function, score);
    }
    library_calls(rewrites);
}

/// Whether a function takes and returns something, is no generator and is not decorated.
pub(super) fn can_be_remembered(function: &Function<'_>) -> bool {
    let inside = |kind: Kind| function.body.descendants().any(|node| node.kind() == kind);
    let taken = function.parameters.iter().filter(|parameter| parameter.name != "self").count();
    let returns = function
        .body
        .descendants()
        .any(|node| node.kind() == Kind::ReturnStatement && node.named_children().next().is_some());
    let decorated = function.node.parent().is_some_and(|parent| parent.kind() == Kind::DecoratedDefinition);
    returns && taken > 0 && !inside(Kind::Yield) && !decorated && !function.name.starts_with("__")
}

/// What a cache promises: most where a function calls itself more than once.
fn score(rewrites: &Rewrites<'_>, function: &Function<'_>) -> f64 {
    let recursive: Vec<Node<'_>> = recursive_calls(function);
    let repeated = recursive.iter().any(|call| !repeated_by(*call).is_empty());
    let in_loop = rewrites
        .nodes(Kind::Call)
        .filter(|call| calls_name(*call, function.name))
        .any(|call| !repeated_by(call).is_empty());
    match (recursive.len(), repeated || in_loop) {
        (2.., _) => 100.0,
        (1, true) => 96.0,
        (1, false) => 70.0,
        // Whoever is handed the same list twice may change it: such a cache is a last resort.
        (0, true) if makes_containers(function) => 30.0,
        (0, true) => 60.0,
        (0, false) => 8.0,
    }
}

/// Whether a function seems to build what it returns.
fn makes_containers(function: &Function<'_>) -> bool {
    function.body.descendants().any(|node| {
        matches!(node.kind(), Kind::List | Kind::Dictionary | Kind::Set)
            || (node.kind().is_comprehension() && node.kind() != Kind::GeneratorExpression)
    })
}

/// Calls of a function in its own body.
pub(super) fn recursive_calls<'m>(function: &Function<'m>) -> Vec<Node<'m>> {
    function
        .body
        .descendants()
        .filter(|node| node.kind() == Kind::Call && calls_name(*node, function.name))
        .collect()
}

/// A cache for a function that takes lists: its key is made of their contents.
fn list_arguments(rewrites: &mut Rewrites<'_>, function: &Function<'_>, score: f64) {
    let plain = function.parameters.iter().all(|parameter| !parameter.variadic) && function.class.is_none();
    if !plain || !function.is_top_level() {
        return;
    }
    let source = rewrites.source();
    let names: Vec<&str> = function.parameters.iter().map(|parameter| parameter.name).collect();
    let memo = fresh_name(source, &format!("{}_memo", function.name));
    let key = fresh_name(source, &format!("{}_key", function.name));
    let inner = fresh_name(source, &format!("{}_uncached", function.name));
    let Some(name_node) = function.node.child(Field::Name) else { return };
    let Some(signature) = function.node.child(Field::Parameters).map(Node::text) else { return };
    let call = names.join(", ");
    let wrapper = format!(
        "{memo} = {{}}\n\n\ndef {name}{signature}:\n    {key} = repr(({call},))\n    if {key} not in {memo}:\n        \
         {memo}[{key}] = {inner}({call})\n    return {memo}[{key}]\n\n\n",
        name = function.name,
    );
    let edits = vec![Edit::insert(function.span().start, wrapper), Edit::replace(name_node.range(), inner)];
    rewrites.offer(
        "cache_by_content",
        score * 0.5,
        format!("remember {} by its arguments' contents", function.name),
        edits,
    );
}

/// Modules whose functions answer differently each time, do something, or are quicker than a cache.
const NOT_REMEMBERED: &[&str] = &[
    "random",
    "time",
    "os",
    "sys",
    "io",
    "math",
    "heapq",
    "bisect",
    "copy",
    "threading",
    "logging",
    "operator",
];

/// A call of an imported function: `datetime.datetime.strptime(text, "%Y-%m-%d")`.
fn library_calls(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    let imported: BTreeSet<&str> = rewrites
        .file
        .module
        .root()
        .statements()
        .filter(|node| is_import(*node))
        .flat_map(|import| import.descendants().filter(|node| node.kind() == Kind::Identifier))
        .map(Node::text)
        .collect();
    let mut seen = BTreeSet::new();
    for call in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        let Some(function) = call.child(Field::Function).filter(|function| is_path(*function)) else {
            continue;
        };
        let root = function.text().split('.').next().unwrap_or_default();
        let asked = arguments(call).iter().any(|argument| !names_in(*argument).is_empty());
        if !imported.contains(root) || NOT_REMEMBERED.contains(&root) || !asked || call.function().is_none() {
            continue;
        }
        if !seen.insert(function.text()) {
            continue;
        }
        let last = function.text().rsplit('.').next().unwrap_or_default();
        let held = fresh_name(source, &format!("cached_{last}"));
        let mut edits = rewrites.import("from functools import lru_cache");
        let line = format!("{held} = lru_cache(maxsize=None)({})\n\n\n", function.text());
        edits.push(module_lines_before(call, &line));
        edits.push(Edit::replace(function.range(), held));
        let score = if repeated_by(call).is_empty() { 38.0 } else { 48.0 };
        rewrites.offer("cache_call", score, format!("remember what {} answers", function.text()), edits);
    }
}

/// Whether a call calls a function or method of this name.
pub(super) fn calls_name(call: Node<'_>, name: &str) -> bool {
    call.child(Field::Function).is_some_and(|function| match function.kind() {
        Kind::Identifier => function.text() == name,
        Kind::Attribute => {
            function.child(Field::Attribute).is_some_and(|attribute| attribute.text() == name)
                && function.child(Field::Object).is_some_and(|object| object.text() == "self")
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::check;

    #[test]
    fn a_recursive_function_is_cached() {
        check(
            "cache",
            "def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\n",
            "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\n",
        );
    }

    #[test]
    fn a_library_call_is_cached_under_a_name_of_its_own() {
        check(
            "cache_call",
            "import json\n\ndef read(lines):\n    return [json.loads(line) for line in lines]\n",
            "import json\nfrom functools import lru_cache\n\n_cached_loads = lru_cache(maxsize=None)(json.loads)\n\n\ndef read(lines):\n    return [_cached_loads(line) for line in lines]\n",
        );
    }
}
