//! Small functions put in place: a call costs more than the little that such a function does.

use super::Rewrites;
use super::caching::calls_name;
use super::reading::{arguments, changed, names_in, repeated_by, replaced_within, uses};
use syntax::{Edit, Field, Function, Kind, Node};

/// Longest expression, in bytes, that is put in place of a call.
const MAX_EXPRESSION: usize = 200;

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    for function in rewrites.file.module.functions() {
        let Some(expression) = only_expression(&function) else { continue };
        let calls: Vec<Node<'_>> = rewrites
            .nodes(Kind::Call)
            .filter(|call| calls_name(*call, function.name) && !function.body.contains(*call))
            .collect();
        let repeated = calls.iter().any(|call| !repeated_by(*call).is_empty());
        // A call inside another's arguments would be edited twice.
        let apart = |call: &&Node<'_>| !calls.iter().any(|other| other.contains(**call));
        let edits: Vec<Edit> = calls
            .iter()
            .filter(apart)
            .filter_map(|call| Some(Edit::replace(call.range(), in_place(&function, expression, *call)?)))
            .collect();
        let score = if repeated { 33.0 } else { 14.0 };
        rewrites.offer("inline", score, format!("put {} in place of its calls", function.name), edits);
    }
}

/// The expression that a function amounts to, if that is all it is.
fn only_expression<'m>(function: &Function<'m>) -> Option<Node<'m>> {
    let statements = function.body.statements().filter(|s| {
        !s.named_children()
            .next()
            .is_some_and(|child| child.kind() == Kind::String && s.kind() == Kind::ExpressionStatement)
    });
    let statements: Vec<Node<'m>> = statements.collect();
    let [only] = statements.as_slice() else { return None };
    let decorated = function.node.parent().is_some_and(|parent| parent.kind() == Kind::DecoratedDefinition);
    let plain = function.parameters.iter().all(|p| p.default.is_none() && !p.variadic);
    let value = only.named_children().next().filter(|_| only.kind() == Kind::ReturnStatement)?;
    let binds = !changed(value).is_empty() || value.kind() == Kind::ExpressionList;
    let calls_itself = value.descendants().any(|n| n.kind() == Kind::Call && calls_name(n, function.name));
    (plain && !decorated && !binds && !calls_itself && value.text().len() <= MAX_EXPRESSION).then_some(value)
}

/// The expression with a call's arguments for the parameters. An argument that is more than a name or a constant may be
/// used once only.
fn in_place(function: &Function<'_>, expression: Node<'_>, call: Node<'_>) -> Option<String> {
    let mut given: Vec<Node<'_>> = arguments(call);
    let called = call.child(Field::Function)?;
    let method = function.parameters.first().is_some_and(|p| p.name == "self");
    if method {
        given.insert(0, called.child(Field::Object)?);
    }
    let plain = given
        .iter()
        .all(|a| !matches!(a.kind(), Kind::KeywordArgument | Kind::ListSplat | Kind::DictionarySplat));
    if given.len() != function.parameters.len() || !plain || (called.kind() == Kind::Attribute) != method {
        return None;
    }
    let mut edits = Vec::new();
    for (parameter, argument) in function.parameters.iter().zip(&given) {
        let mut places = uses(expression, parameter.name);
        if expression.kind() == Kind::Identifier && expression.text() == parameter.name {
            places.push(expression);
        }
        let simple = argument.named_children().next().is_none();
        if !simple && places.len() > 1 {
            return None;
        }
        let text = if simple { argument.text().to_owned() } else { format!("({})", argument.text()) };
        edits.extend(places.iter().map(|place| (place.range(), text.clone())));
    }
    // What the expression binds nowhere must mean the same where it is put: module names do, unless they are shadowed.
    let parameters: Vec<&str> = function.parameters.iter().map(|p| p.name).collect();
    let local = call.function().map(changed).unwrap_or_default();
    if names_in(expression).iter().any(|name| !parameters.contains(name) && local.contains(name)) {
        return None;
    }
    edits.sort_by_key(|(range, _)| range.start);
    let source = expression.module().source();
    Some(format!("({})", replaced_within(source, expression.range(), &edits)))
}

#[cfg(test)]
mod tests {
    use crate::ast::speed::tests::{check, offers};

    #[test]
    fn a_small_function_is_put_in_place() {
        check(
            "inline",
            "def half(x):\n    return x / 2\n\ndef f(xs):\n    return [half(x + 1) for x in xs]\n",
            "def half(x):\n    return x / 2\n\ndef f(xs):\n    return [((x + 1) / 2) for x in xs]\n",
        );
    }

    #[test]
    fn a_dear_argument_is_not_written_twice() {
        assert!(
            offers("inline", "def sq(x):\n    return x * x\n\ndef f(x):\n    return sq(x + 1)\n").is_empty()
        );
    }
}
