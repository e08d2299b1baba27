//! Expressions that a shorter one stands for: arguments that are the default, copies of copies, brackets around nothing.

use super::quoted;
use crate::ast::reading::{arguments, method_call, plain_call, stripped};
use crate::ast::rewrites::Rewrites;
use syntax::{Edit, Field, Kind, Node};

pub(super) fn find(rewrites: &mut Rewrites<'_>) {
    for node in rewrites.nodes(Kind::Call).collect::<Vec<_>>() {
        defaults(rewrites, node);
        displays(rewrites, node);
    }
    for node in rewrites.nodes(Kind::Assignment).collect::<Vec<_>>() {
        augmented(rewrites, node);
    }
    for node in rewrites.nodes(Kind::ListComprehension).collect::<Vec<_>>() {
        copies(rewrites, node);
    }
    for node in rewrites.nodes(Kind::Lambda).collect::<Vec<_>>() {
        wrapped(rewrites, node);
    }
    for node in rewrites.nodes(Kind::ParenthesizedExpression).collect::<Vec<_>>() {
        parentheses(rewrites, node);
    }
}

fn offer(rewrites: &mut Rewrites<'_>, family: &'static str, node: Node<'_>, text: String) {
    let rationale = format!("{} is {}", quoted(node.text()), quoted(&text));
    rewrites.offer(family, 0.0, rationale, vec![Edit::replace(node.range(), text)]);
}

/// `range(0, n)`, `range(a, b, 1)`, `d.get(k, None)`, `for k in d.keys()`.
fn defaults(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let text = |nodes: &[Node<'_>]| nodes.iter().map(|node| node.text()).collect::<Vec<_>>().join(", ");
    if let Some(("range", given)) = plain_call(node) {
        match given.as_slice() {
            [first, stop] if first.text() == "0" => {
                offer(rewrites, "default", node, format!("range({})", stop.text()))
            }
            [start, stop, step] if step.text() == "1" => {
                offer(rewrites, "default", node, format!("range({})", text(&[*start, *stop])));
            }
            _ => {}
        }
    }
    let Some((object, method, given)) = method_call(node) else { return };
    match (method, given.as_slice()) {
        ("get", [key, none]) if none.kind() == Kind::None => {
            offer(rewrites, "default", node, format!("{}.get({})", object.text(), key.text()));
        }
        ("keys", []) => {
            let walked = node.field() == Some(Field::Right)
                && node.parent().is_some_and(|p| matches!(p.kind(), Kind::ForStatement | Kind::ForInClause));
            let searched = node.parent().is_some_and(|p| p.kind() == Kind::ComparisonOperator);
            if walked || searched {
                offer(rewrites, "default", node, object.text().to_owned());
            }
        }
        _ => {}
    }
}

/// `list()`, `dict()`, `list([…])`, `set([…])`, `sum([… for …])`.
fn displays(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let Some((name, given)) = plain_call(node) else { return };
    let text = match (name, given.as_slice()) {
        ("list", []) => "[]".to_owned(),
        ("dict", []) => "{}".to_owned(),
        ("tuple", []) => "()".to_owned(),
        ("list", [only]) if matches!(only.kind(), Kind::List | Kind::ListComprehension) => {
            only.text().to_owned()
        }
        ("list", [only]) if only.kind() == Kind::GeneratorExpression => {
            format!("[{}]", stripped(only.text()))
        }
        ("set", [only]) if only.kind() == Kind::ListComprehension => format!("{{{}}}", stripped(only.text())),
        ("set", [only]) if only.kind() == Kind::GeneratorExpression => {
            format!("{{{}}}", stripped(only.text()))
        }
        ("set", [only])
            if matches!(only.kind(), Kind::List | Kind::Tuple) && only.named_children().next().is_some() =>
        {
            format!("{{{}}}", stripped(only.text()))
        }
        ("sum" | "min" | "max" | "any" | "all" | "sorted" | "tuple", [only])
            if only.kind() == Kind::ListComprehension =>
        {
            format!("{name}({})", stripped(only.text()))
        }
        _ => return,
    };
    offer(rewrites, "display", node, text);
}

/// `x = x * 2`.
fn augmented(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let (Some(left), Some(right)) = (node.child(Field::Left), node.child(Field::Right)) else { return };
    let right = right.unwrapped();
    let (Some(a), Some(b)) = (right.child(Field::Left), right.child(Field::Right)) else { return };
    if right.kind() == Kind::BinaryOperator && a.text() == left.text() && node.child(Field::Type).is_none() {
        let text = format!("{} {}= {}", left.text(), right.operator(), b.unwrapped().text());
        offer(rewrites, "augmented", node, text);
    }
}

/// `[x for x in xs]`.
fn copies(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let parts: Vec<Node<'_>> = node.named_children().collect();
    let [body, clause] = parts.as_slice() else { return };
    let (Some(variable), Some(items)) = (clause.child(Field::Left), clause.child(Field::Right)) else {
        return;
    };
    if body.text() == variable.text() {
        offer(rewrites, "copy", node, format!("list({})", items.text()));
    }
}

/// `lambda x: f(x)`.
fn wrapped(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let (Some(parameters), Some(call)) = (node.child(Field::Parameters), node.child(Field::Body)) else {
        return;
    };
    let names: Vec<&str> = parameters.named_children().map(Node::text).collect();
    let given: Vec<&str> = arguments(call).into_iter().map(Node::text).collect();
    let Some(function) = call.child(Field::Function).filter(|_| call.kind() == Kind::Call) else { return };
    let plain = parameters.named_children().all(|parameter| parameter.kind() == Kind::Identifier);
    let own = names.iter().any(|name| function.text().contains(name));
    if plain && names == given && !own {
        offer(rewrites, "wrapper", node, function.text().to_owned());
    }
}

/// Parentheses around the whole of what is returned, assigned, asked or handed over.
fn parentheses(rewrites: &mut Rewrites<'_>, node: Node<'_>) {
    let whole = node.parent().is_some_and(|parent| match parent.kind() {
        Kind::ReturnStatement | Kind::ArgumentList | Kind::ParenthesizedExpression => true,
        Kind::Assignment | Kind::AugmentedAssignment => node.field() == Some(Field::Right),
        Kind::IfStatement | Kind::ElifClause | Kind::WhileStatement => node.field() == Some(Field::Condition),
        _ => false,
    });
    let inner = node.unwrapped();
    let needs_them = matches!(inner.kind(), Kind::NamedExpression | Kind::Yield | Kind::GeneratorExpression);
    if whole && !needs_them && !node.text().contains('\n') {
        // A keyword may stand right before the bracket.
        let start = node.range().start;
        let before = rewrites.source().get(..start).and_then(|text| text.chars().last());
        let gap = if before.is_some_and(char::is_alphanumeric) { " " } else { "" };
        offer(rewrites, "parentheses", node, format!("{gap}{}", inner.text()));
    }
}

#[cfg(test)]
mod tests {
    use crate::ast::simplify::tests::check;

    #[test]
    fn defaults_are_left_out() {
        check("default", "for i in range(0, n):\n    f(i)\n", "for i in range(n):\n    f(i)\n");
        check("default", "x = d.get(k, None)\n", "x = d.get(k)\n");
        check("default", "for k in d.keys():\n    f(k)\n", "for k in d:\n    f(k)\n");
    }

    #[test]
    fn displays_need_no_call() {
        check("display", "x = list()\n", "x = []\n");
        check("display", "x = set([a, b])\n", "x = {a, b}\n");
        check("display", "x = sum([a for a in b])\n", "x = sum(a for a in b)\n");
        check("copy", "x = [a for a in b]\n", "x = list(b)\n");
    }

    #[test]
    fn an_operation_on_itself_is_done_in_place() {
        check("augmented", "x = x * (2 + y)\n", "x *= 2 + y\n");
    }

    #[test]
    fn a_function_stands_for_itself() {
        check("wrapper", "x = sorted(y, key=lambda a: f(a))\n", "x = sorted(y, key=f)\n");
    }

    #[test]
    fn parentheses_around_everything_go() {
        check("parentheses", "def f(x):\n    return(x + 1)\n", "def f(x):\n    return x + 1\n");
        check("parentheses", "if (a and b):\n    f((a))\n", "if a and b:\n    f((a))\n");
    }
}
