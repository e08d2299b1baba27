//! Caches: a function that is asked the same again answers from memory.

use super::{Rewrites, indent_of, loops_around};
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    let source = rewrites.source();
    for function in rewrites.file.module.functions() {
        let has_yield = function.body.descendants().any(|node| matches!(node.kind(), Kind::Yield));
        let cached = source.get(function.span()).is_some_and(|text| text.trim_start().starts_with("@"));
        if has_yield || cached || function.parameters.is_empty() {
            continue;
        }
        let calls = |node: &Node<'_>| node.kind() == Kind::Call && calls_name(*node, function.name);
        let recursive = function.body.descendants().filter(calls).count();
        let in_loop = rewrites.nodes(Kind::Call).filter(calls).any(|call| !loops_around(call).is_empty());
        let score = match (recursive, in_loop) {
            (2.., _) => 100.0,
            (1, _) => 80.0,
            (0, true) => 60.0,
            (0, false) => 25.0,
        };
        let indent = indent_of(source, function.node).to_owned();
        let mut edits = rewrites.import("from functools import lru_cache");
        edits.push(Edit::insert(function.node.range().start, format!("@lru_cache(maxsize=None)\n{indent}")));
        rewrites.offer("cache", score, format!("remember the results of {}", function.name), edits);
        list_arguments(rewrites, &function, score);
    }
}

/// A cache for a function that takes lists: its key is made of their contents.
fn list_arguments(rewrites: &mut Rewrites<'_>, function: &syntax::Function<'_>, score: f64) {
    let plain = function.parameters.iter().all(|parameter| !parameter.variadic) && function.class.is_none();
    if !plain || !function.is_top_level() {
        return;
    }
    let source = rewrites.source();
    let names: Vec<&str> = function.parameters.iter().map(|parameter| parameter.name).collect();
    let memo = super::fresh_name(source, &format!("{}_memo", function.name));
    let key = super::fresh_name(source, &format!("{}_key", function.name));
    let inner = super::fresh_name(source, &format!("{}_uncached", function.name));
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

fn calls_name(call: Node<'_>, name: &str) -> bool {
    call.child(Field::Function).is_some_and(|function| match function.kind() {
        Kind::Identifier => function.text() == name,
        Kind::Attribute => function.child(Field::Attribute).is_some_and(|attribute| attribute.text() == name),
        _ => false,
    })
}
