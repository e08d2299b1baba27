//! Right values in wrong places: operands, arguments and elements that are swapped, left out or superfluous.

use super::catalogue::Collector;
use super::expression::{self, Level};
use super::family::Family;
use super::program::{Program, Scope};
use syntax::{Edit, Field, Kind, Node};

/// Most elements of a list, tuple or call that are looked at.
const MAX_ELEMENTS: usize = 8;

pub(crate) fn propose(out: &mut Collector<'_, '_>) {
    let program = out.program();
    for site in &program.sites {
        let Some(scope) = program.scopes.get(site.scope) else { continue };
        let node = site.node;
        match node.kind() {
            Kind::BinaryOperator => binary(out, node),
            Kind::ComparisonOperator => swap_comparison(out, node),
            Kind::Call => call(out, node, scope, program),
            Kind::Tuple | Kind::List => swap_elements(out, node),
            Kind::ConditionalExpression => conditional(out, node),
            Kind::BooleanOperator => {
                if let (Some(left), Some(right)) = (node.child(Field::Left), node.child(Field::Right)) {
                    out.add(Family::SwapOperands, node, 0.3, swap(left, right));
                }
            }
            _ => {}
        }
    }
    for statement in program.scopes.iter().flat_map(|scope| &scope.statements) {
        for node in statement.named_children() {
            match node.kind() {
                Kind::ExpressionList => swap_elements(out, node),
                Kind::Assignment => parallel_assignment(out, node),
                _ => {}
            }
        }
    }
    for node in program.module.nodes_of(Kind::Pair) {
        if let (Some(key), Some(value)) = (node.child(Field::Key), node.child(Field::Value)) {
            out.add(Family::SwapElements, node, 0.5, swap(key, value));
        }
    }
}

/// Edits that exchange the texts of two nodes.
fn swap(a: Node<'_>, b: Node<'_>) -> Vec<Edit> {
    vec![Edit::replace(a.range(), b.text()), Edit::replace(b.range(), a.text())]
}

fn binary(out: &mut Collector<'_, '_>, node: Node<'_>) {
    let (Some(left), Some(right)) = (node.child(Field::Left), node.child(Field::Right)) else { return };
    let level = expression::of_operator(node.operator());
    let matters =
        if matches!(node.operator(), "-" | "/" | "//" | "%" | "**" | "<<" | ">>") { 1.0 } else { 0.25 };
    let swapped = format!(
        "{} {} {}",
        expression::operand(right, level),
        node.operator(),
        expression::operand(left, Level::Atom)
    );
    out.replace(Family::SwapOperands, node, matters, expression::fit(node, &swapped, level));
    out.replace(Family::DropOperand, node, 1.0, expression::instead(node, left));
    out.replace(Family::DropOperand, node, 0.7, expression::instead(node, right));
}

fn swap_comparison(out: &mut Collector<'_, '_>, node: Node<'_>) {
    let operands: Vec<Node<'_>> =
        node.named_children().filter(|child| child.kind().is_expression()).collect();
    if let [left, right] = operands.as_slice()
        && matches!(node.operator(), "in" | "not in" | "<" | "<=" | ">" | ">=")
    {
        out.add(Family::SwapOperands, node, 0.5, swap(*left, *right));
    }
    if let [left, middle, right] = operands.as_slice() {
        out.add(Family::SwapOperands, node, 0.5, swap(*left, *right));
        out.add(Family::SwapOperands, node, 0.3, swap(*left, *middle));
        out.add(
            Family::ConditionDrop,
            node,
            0.5,
            vec![Edit::delete(left.range().start..middle.range().start)],
        );
        out.add(Family::ConditionDrop, node, 0.5, vec![Edit::delete(middle.range().end..right.range().end)]);
    }
}

fn swap_elements(out: &mut Collector<'_, '_>, node: Node<'_>) {
    let elements: Vec<Node<'_>> = node.named_children().take(MAX_ELEMENTS).collect();
    for (index, a) in elements.iter().enumerate() {
        for b in elements.iter().skip(index + 1) {
            out.add(Family::SwapElements, node, if elements.len() == 2 { 1.0 } else { 0.6 }, swap(*a, *b));
        }
        if elements.len() > 2 && elements.len() < MAX_ELEMENTS {
            out.add(Family::DropOperand, node, 0.2, vec![remove(&elements, index)]);
        }
    }
}

/// `a, b = x, y`: the sides in another order, or one after the other.
fn parallel_assignment(out: &mut Collector<'_, '_>, node: Node<'_>) {
    let (Some(left), Some(right)) = (node.child(Field::Left), node.child(Field::Right)) else { return };
    if right.kind() == Kind::ExpressionList {
        swap_elements(out, right);
    }
    if matches!(left.kind(), Kind::PatternList | Kind::TuplePattern) {
        swap_elements(out, left);
    } else if left.kind() != Kind::PatternList && right.kind() != Kind::Assignment {
        let can_be_assigned = matches!(right.kind(), Kind::Identifier | Kind::Subscript | Kind::Attribute);
        if can_be_assigned {
            out.add(Family::SwapOperands, node, 0.5, swap(left, right));
        }
    }
}

fn conditional(out: &mut Collector<'_, '_>, node: Node<'_>) {
    let parts: Vec<Node<'_>> = node.named_children().collect();
    if let [yes, _, no] = parts.as_slice() {
        out.add(Family::SwapElements, node, 1.0, swap(*yes, *no));
        out.replace(Family::DropOperand, node, 0.5, expression::instead(node, *yes));
        out.replace(Family::DropOperand, node, 0.5, expression::instead(node, *no));
    }
}

/// Removes one of several elements and the comma that goes with it.
fn remove(elements: &[Node<'_>], index: usize) -> Edit {
    let own = elements.get(index).map_or(0..0, |node| node.range());
    let range = match (index.checked_sub(1).and_then(|before| elements.get(before)), elements.get(index + 1))
    {
        (Some(before), _) => before.range().end..own.end,
        (None, Some(next)) => own.start..next.range().start,
        (None, None) => own,
    };
    Edit::delete(range)
}

fn call(out: &mut Collector<'_, '_>, node: Node<'_>, scope: &Scope<'_>, program: &Program<'_>) {
    let (Some(function), Some(list)) = (node.child(Field::Function), node.child(Field::Arguments)) else {
        return;
    };
    if list.kind() != Kind::ArgumentList {
        return;
    }
    let arguments: Vec<Node<'_>> = list.named_children().take(MAX_ELEMENTS).collect();
    let name = function.text();
    for (index, a) in arguments.iter().enumerate() {
        for (distance, b) in arguments.iter().skip(index + 1).enumerate() {
            if a.kind() != Kind::KeywordArgument && b.kind() != Kind::KeywordArgument {
                let weight = if distance == 0 { 1.0 } else { 0.5 };
                out.add(Family::SwapArguments, node, weight, swap(*a, *b));
            }
        }
        let weight = if a.kind() == Kind::KeywordArgument { 1.0 } else { 0.4 };
        out.add(Family::Argument, node, weight, vec![remove(&arguments, index)]);
    }
    // `f(a)` and `a.f()` are mixed up where the object could as well be the argument: `a.extend(b)`, `a.issubset(b)`.
    if let (Some(object), [only]) = (function.child(Field::Object), arguments.as_slice()) {
        out.add(Family::SwapArguments, node, 0.7, swap(object, *only));
    }
    add_argument(out, node, (&arguments, list), scope, program);
    keywords(out, list, (name, &arguments), scope);
}

/// One argument more, where the function takes more than it is given.
fn add_argument(
    out: &mut Collector<'_, '_>,
    call: Node<'_>,
    (arguments, list): (&[Node<'_>], Node<'_>),
    scope: &Scope<'_>,
    program: &Program<'_>,
) {
    let name = call.child(Field::Function).map_or("", Node::text);
    let short = name.rsplit('.').next().unwrap_or(name);
    let taken =
        program.module.functions().into_iter().find(|function| function.name == short).map(|function| {
            let own = function.parameters.iter().filter(|parameter| parameter.name != "self").count();
            (own, function.parameters.iter().map(|parameter| parameter.name.to_owned()).collect::<Vec<_>>())
        });
    let (missing, parameters) = match &taken {
        Some((count, parameters)) => (arguments.len() < *count, parameters.as_slice()),
        None => (false, [].as_slice()),
    };
    let known_builtin =
        matches!(name, "range" | "max" | "min" | "round" | "pow" | "sum" | "zip" | "print" | "sorted");
    let worth_a_try = missing || (known_builtin && arguments.len() < 3);
    if !worth_a_try {
        return;
    }
    let values = scope
        .names
        .iter()
        .filter(|name| name.is_own)
        .map(|name| name.text)
        .chain(["0", "1", "-1", "None", "[]"]);
    for value in values {
        let named = parameters.iter().any(|parameter| parameter == value);
        let weight = if missing { if named { 1.5 } else { 1.0 } } else { 0.15 };
        let last = arguments.last().map(|last| last.range().end);
        match (arguments.first(), last) {
            (Some(first), Some(end)) => {
                out.add(Family::Argument, call, weight, vec![Edit::insert(end, format!(", {value}"))]);
                out.add(
                    Family::Argument,
                    call,
                    weight * 0.5,
                    vec![Edit::insert(first.range().start, format!("{value}, "))],
                );
            }
            _ => out.replace(Family::Argument, list, weight, format!("({value})")),
        }
    }
}

fn keywords(
    out: &mut Collector<'_, '_>,
    list: Node<'_>,
    (name, arguments): (&str, &[Node<'_>]),
    scope: &Scope<'_>,
) {
    let usual: &[&str] = match name.rsplit('.').next().unwrap_or(name) {
        "sorted" | "sort" => &[
            "reverse=True",
            "key=len",
            "key=str",
            "key=abs",
            "key=lambda x: x[0]",
            "key=lambda x: x[1]",
            "key=lambda x: -x",
        ],
        "max" | "min" => {
            &["default=0", "default=None", "key=len", "key=abs", "key=lambda x: x[0]", "key=lambda x: x[1]"]
        }
        "enumerate" => &["1"],
        _ => return,
    };
    let keys = scope.callables.iter().take(6).map(|function| format!("key={function}"));
    let keys = keys.filter(|_| name != "enumerate");
    for option in usual.iter().map(|option| (*option).to_owned()).chain(keys) {
        let keyword = option.split('=').next().unwrap_or_default();
        if arguments.iter().any(|a| {
            a.kind() == Kind::KeywordArgument && a.child(Field::Name).map_or("", Node::text) == keyword
        }) {
            continue;
        }
        let edit = match arguments.last() {
            Some(last) => Edit::insert(last.range().end, format!(", {option}")),
            None => Edit::replace(list.range(), format!("({option})")),
        };
        out.add(Family::Argument, list, 0.3, vec![edit]);
    }
}
