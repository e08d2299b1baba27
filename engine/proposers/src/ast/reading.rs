//! What the rules ask of a tree: which loops repeat a place, what a piece of code reads and changes, what a call says.
//! Names are followed as dotted paths (`self.items`), not as objects: two names of one list are two lists here.

use std::collections::BTreeSet;
use std::ops::Range;
use syntax::{Edit, Field, Kind, Node};

pub(in crate::ast) fn is_import(node: Node<'_>) -> bool {
    matches!(node.kind(), Kind::ImportStatement | Kind::ImportFromStatement | Kind::FutureImportStatement)
}

/// The byte after the newline that ends the line of `byte`.
pub(in crate::ast) fn line_end(source: &str, byte: usize) -> usize {
    source.get(byte..).and_then(|rest| rest.find('\n')).map_or(source.len(), |offset| byte + offset + 1)
}

/// The white space before the statement on its line.
pub(in crate::ast) fn indent_of<'s>(source: &'s str, node: Node<'_>) -> &'s str {
    let start = node.range().start;
    let line = source.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let before = source.get(line..start).unwrap_or_default();
    let blank = before.len() - before.trim_start().len();
    before.get(..blank).unwrap_or_default()
}

/// An edit that puts lines before a statement, at its indentation.
pub(in crate::ast) fn lines_before(source: &str, statement: Node<'_>, lines: &[String]) -> Edit {
    let indent = indent_of(source, statement);
    let text: String = lines.iter().map(|line| format!("{line}\n{indent}")).collect();
    Edit::insert(statement.range().start, text)
}

/// An edit that puts a line after a statement, at its indentation.
pub(in crate::ast) fn line_after(source: &str, statement: Node<'_>, line: &str) -> Edit {
    let indent = indent_of(source, statement);
    Edit::insert(statement.range().end, format!("\n{indent}{line}"))
}

/// An edit that puts lines of module level before the function or class of a node, decorators included.
pub(in crate::ast) fn module_lines_before(node: Node<'_>, lines: &str) -> Edit {
    let outermost = node.ancestors().filter(|ancestor| ancestor.kind().is_statement()).last().unwrap_or(node);
    Edit::insert(outermost.range().start, lines)
}

/// Whether the node is a loop statement.
pub(in crate::ast) fn is_loop(node: Node<'_>) -> bool {
    matches!(node.kind(), Kind::ForStatement | Kind::WhileStatement)
}

/// Whether a node runs what is in it any number of times: loops, comprehensions, lambdas.
pub(in crate::ast) fn repeats(node: Node<'_>) -> bool {
    is_loop(node) || node.kind().is_comprehension() || node.kind() == Kind::Lambda
}

/// The loops around a node, the innermost first, up to its function.
pub(in crate::ast) fn loops_around<'m>(node: Node<'m>) -> Vec<Node<'m>> {
    node.ancestors()
        .take_while(|ancestor| !matches!(ancestor.kind(), Kind::FunctionDefinition | Kind::Lambda))
        .filter(|ancestor| is_loop(*ancestor))
        .collect()
}

/// Loops, comprehensions and lambdas around a node that run it more than once, the innermost first, up to its function.
pub(in crate::ast) fn repeated_by<'m>(node: Node<'m>) -> Vec<Node<'m>> {
    node.ancestors()
        .take_while(|ancestor| ancestor.kind() != Kind::FunctionDefinition)
        .filter(|ancestor| repeats(*ancestor) && !runs_once(node, *ancestor))
        .collect()
}

/// Whether a node stands in the part of a repeating node that runs once anyway: what a `for` walks through.
fn runs_once(node: Node<'_>, around: Node<'_>) -> bool {
    let items = match around.kind() {
        Kind::ForStatement => around.child(Field::Right),
        kind if kind.is_comprehension() => around
            .named_children()
            .find(|child| child.kind() == Kind::ForInClause)
            .and_then(|c| c.child(Field::Right)),
        _ => None,
    };
    items.is_some_and(|items| items == node || items.contains(node))
}

/// The outermost of the nodes that repeat this one in which nothing that it reads changes, its own free names by default.
pub(in crate::ast) fn fixed_in<'m>(node: Node<'m>, reads: &BTreeSet<&str>) -> Option<Node<'m>> {
    repeated_by(node).into_iter().take_while(|around| !disturbs(&changed(*around), reads)).last()
}

/// Whether a change of these paths may show in a reading of those.
pub(in crate::ast) fn disturbs(changed: &BTreeSet<&str>, read: &BTreeSet<&str>) -> bool {
    let below = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'));
    changed.iter().any(|c| read.iter().any(|r| c == r || below(c, r) || below(r, c)))
}

/// Methods that change the list, set, dictionary or deque that they are called on.
const MUTATING: &[&str] = &[
    "append",
    "add",
    "extend",
    "insert",
    "pop",
    "popleft",
    "remove",
    "discard",
    "clear",
    "sort",
    "reverse",
    "update",
    "setdefault",
    "appendleft",
    "popitem",
];

/// Paths that a node binds or changes: targets of assignments and loops, and objects of mutating methods. An assignment
/// to an element changes the container, not the index.
pub(in crate::ast) fn changed<'m>(node: Node<'m>) -> BTreeSet<&'m str> {
    let mut paths = BTreeSet::new();
    for inner in std::iter::once(node).chain(node.descendants()) {
        match inner.kind() {
            Kind::Assignment | Kind::AugmentedAssignment | Kind::ForStatement | Kind::ForInClause => {
                inner.child(Field::Left).into_iter().for_each(|left| targets(left, &mut paths));
            }
            Kind::NamedExpression => paths.extend(inner.child(Field::Name).map(Node::text)),
            Kind::DeleteStatement => inner.named_children().for_each(|target| targets(target, &mut paths)),
            Kind::LambdaParameters => paths.extend(inner.named_children().map(Node::text)),
            Kind::Call => {
                if let Some((object, method, _)) = method_call(inner)
                    && MUTATING.contains(&method)
                {
                    targets(object, &mut paths);
                }
            }
            _ => {}
        }
    }
    paths
}

fn targets<'m>(target: Node<'m>, paths: &mut BTreeSet<&'m str>) {
    let mut waiting = vec![target];
    while let Some(node) = waiting.pop() {
        match node.kind() {
            Kind::Identifier => {
                paths.insert(node.text());
            }
            Kind::Attribute if is_path(node) => {
                paths.insert(node.text());
            }
            Kind::Subscript => waiting.extend(node.child(Field::Value)),
            Kind::Attribute => waiting.extend(node.child(Field::Object)),
            _ => waiting.extend(node.named_children()),
        }
    }
}

/// Whether a node is a name or names joined by dots.
pub(in crate::ast) fn is_path(node: Node<'_>) -> bool {
    let mut node = node;
    while node.kind() == Kind::Attribute {
        match node.child(Field::Object) {
            Some(object) => node = object,
            None => return false,
        }
    }
    node.kind() == Kind::Identifier
}

/// Paths that a node reads and does not bind itself. A method is part of its object.
pub(in crate::ast) fn reads<'m>(node: Node<'m>) -> BTreeSet<&'m str> {
    let mut own = BTreeSet::new();
    let mut paths = BTreeSet::new();
    for inner in std::iter::once(node).chain(node.descendants()) {
        match inner.kind() {
            Kind::ForInClause => inner.child(Field::Left).into_iter().for_each(|l| targets(l, &mut own)),
            Kind::LambdaParameters => own.extend(inner.named_children().map(Node::text)),
            Kind::Attribute if is_path(inner) && !part_of_path(inner) => {
                let method = inner.field() == Some(Field::Function)
                    && inner.parent().is_some_and(|p| p.kind() == Kind::Call);
                let path = if method { inner.child(Field::Object) } else { Some(inner) };
                paths.extend(path.map(Node::text));
            }
            Kind::Identifier if is_name(inner) && !part_of_path(inner) => {
                paths.insert(inner.text());
            }
            _ => {}
        }
    }
    paths.retain(|path| !own.contains(path.split('.').next().unwrap_or(path)));
    paths
}

fn part_of_path(node: Node<'_>) -> bool {
    node.field() == Some(Field::Object)
        && node.parent().is_some_and(|p| p.kind() == Kind::Attribute && is_path(p))
}

/// Whether an identifier is a name: neither an attribute nor a keyword of a call.
fn is_name(node: Node<'_>) -> bool {
    !node.parent().is_some_and(|parent| {
        (parent.kind() == Kind::Attribute && node.field() == Some(Field::Attribute))
            || (parent.kind() == Kind::KeywordArgument && node.field() == Some(Field::Name))
    })
}

/// Names read or written in a node; attributes and keywords are not names.
pub(in crate::ast) fn names_in<'m>(node: Node<'m>) -> BTreeSet<&'m str> {
    std::iter::once(node)
        .chain(node.descendants())
        .filter(|inner| inner.kind() == Kind::Identifier && is_name(*inner))
        .map(Node::text)
        .collect()
}

/// Places in a node where this name stands for itself.
pub(in crate::ast) fn uses<'m>(node: Node<'m>, name: &str) -> Vec<Node<'m>> {
    node.descendants()
        .filter(|inner| inner.kind() == Kind::Identifier && inner.text() == name && is_name(*inner))
        .collect()
}

/// A name that the file does not use, made from a word.
pub(in crate::ast) fn fresh_name(source: &str, word: &str) -> String {
    let word: String =
        word.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(MAX_WORD).collect();
    let stem = format!("_{}", word.trim_matches('_'));
    (0..)
        .map(|n| if n == 0 { stem.clone() } else { format!("{stem}{n}") })
        .find(|name| !source.contains(name.as_str()))
        .unwrap_or(stem)
}

/// Longest word, in characters, that a fresh name is made from.
const MAX_WORD: usize = 24;

/// Method name, object and arguments of a method call.
pub(in crate::ast) fn method_call(node: Node<'_>) -> Option<(Node<'_>, &str, Vec<Node<'_>>)> {
    if node.kind() != Kind::Call {
        return None;
    }
    let function = node.child(Field::Function).filter(|f| f.kind() == Kind::Attribute)?;
    Some((function.child(Field::Object)?, function.child(Field::Attribute)?.text(), arguments(node)))
}

/// Function name and arguments of a plain call.
pub(in crate::ast) fn plain_call(node: Node<'_>) -> Option<(&str, Vec<Node<'_>>)> {
    if node.kind() != Kind::Call {
        return None;
    }
    let function = node.child(Field::Function).filter(|f| f.kind() == Kind::Identifier)?;
    Some((function.text(), arguments(node)))
}

/// Arguments of a call; a generator without parentheses of its own is one argument.
pub(in crate::ast) fn arguments(call: Node<'_>) -> Vec<Node<'_>> {
    match call.child(Field::Arguments) {
        Some(list) if list.kind() == Kind::ArgumentList => list.named_children().collect(),
        Some(generator) => vec![generator],
        None => Vec::new(),
    }
}

/// Left side, operator and right side of a comparison of two operands.
pub(in crate::ast) fn comparison(node: Node<'_>) -> Option<(Node<'_>, String, Node<'_>)> {
    if node.kind() != Kind::ComparisonOperator {
        return None;
    }
    let operands: Vec<Node<'_>> = node.named_children().collect();
    let [left, right] = operands.as_slice() else { return None };
    let between = node.module().source().get(left.range().end..right.range().start)?;
    let operator = between.split_whitespace().collect::<Vec<_>>().join(" ");
    Some((*left, operator.trim_matches(['(', ')']).to_owned(), *right))
}

/// The parts of a condition joined by `and`.
pub(in crate::ast) fn conjuncts(condition: Node<'_>) -> Vec<Node<'_>> {
    let condition = condition.unwrapped();
    if condition.kind() == Kind::BooleanOperator && condition.operator() == "and" {
        let sides = [condition.child(Field::Left), condition.child(Field::Right)];
        return sides.into_iter().flatten().flat_map(conjuncts).collect();
    }
    vec![condition]
}

/// The only statement of a body, without comments.
pub(in crate::ast) fn only_statement(body: Node<'_>) -> Option<Node<'_>> {
    let mut statements = body.statements();
    match (statements.next(), statements.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// A loop as the clauses of a comprehension, and what it does for each: loops and conditions that hold nothing but the
/// next, down to one statement.
pub(in crate::ast) fn clauses<'m>(node: Node<'m>) -> Option<(String, Node<'m>)> {
    let mut clauses = Vec::new();
    let mut place = node;
    loop {
        let alone = place.child(Field::Alternative).is_none();
        let body = match place.kind() {
            Kind::ForStatement if alone => {
                let (left, right) = (place.child(Field::Left)?, place.child(Field::Right)?);
                clauses.push(format!("for {} in {}", left.text(), right.text()));
                place.child(Field::Body)
            }
            Kind::IfStatement if alone => {
                clauses.push(format!("if {}", place.child(Field::Condition)?.text()));
                place.child(Field::Consequence)
            }
            _ => return Some((clauses.join(" "), inner_expression(place))),
        };
        place = only_statement(body?)?;
    }
}

/// The lines of a statement, if it shares them with nothing but a comment after it.
pub(in crate::ast) fn whole_lines(source: &str, statement: Node<'_>) -> Option<Range<usize>> {
    let range = statement.range();
    let start = source.get(..range.start)?.rfind('\n').map_or(0, |newline| newline + 1);
    let end = line_end(source, range.end);
    let before = source.get(start..range.start)?.trim();
    let after = source.get(range.end..end)?.trim();
    (before.is_empty() && (after.is_empty() || after.starts_with('#'))).then_some(start..end)
}

/// The expression of an expression statement, or the assignment in it.
pub(in crate::ast) fn inner_expression(statement: Node<'_>) -> Node<'_> {
    if statement.kind() == Kind::ExpressionStatement {
        statement.named_children().next().unwrap_or(statement)
    } else {
        statement
    }
}

/// The scope in which a path is looked at: the class for what belongs to `self`, else the function around a node, or the
/// module.
pub(in crate::ast) fn scope_of<'m>(node: Node<'m>, path: &str) -> Node<'m> {
    let class = path.starts_with("self.").then(|| node.ancestor(Kind::ClassDefinition)).flatten();
    class.or_else(|| node.function()).unwrap_or_else(|| node.ancestors().last().unwrap_or(node))
}

/// Assignments `path = value` in a scope, with the value.
pub(in crate::ast) fn assignments<'m>(scope: Node<'m>, path: &str) -> Vec<(Node<'m>, Node<'m>)> {
    scope
        .descendants()
        .filter(|node| node.kind() == Kind::Assignment)
        .filter(|node| node.child(Field::Left).is_some_and(|left| left.text() == path))
        .filter_map(|node| Some((node, node.child(Field::Right)?)))
        .collect()
}

/// Whether a value is a list by its looks.
pub(in crate::ast) fn is_list(value: Node<'_>) -> bool {
    matches!(value.kind(), Kind::List | Kind::ListComprehension)
        || plain_call(value).is_some_and(|(name, _)| matches!(name, "list" | "sorted"))
}

/// The statement that follows in the same block.
pub(in crate::ast) fn next_statement(statement: Node<'_>) -> Option<Node<'_>> {
    statement.parent()?.statements().find(|other| other.range().start > statement.range().start)
}

/// The statement before it in the same block.
pub(in crate::ast) fn previous_statement(statement: Node<'_>) -> Option<Node<'_>> {
    statement.parent()?.statements().take_while(|other| other.range().start < statement.range().start).last()
}

/// Text with some inner ranges replaced; ranges refer to the module's source and lie in `range`, in ascending order.
pub(in crate::ast) fn replaced_within(
    source: &str,
    range: Range<usize>,
    edits: &[(Range<usize>, String)],
) -> String {
    let mut text = String::new();
    let mut at = range.start;
    for (part, replacement) in edits {
        text.push_str(source.get(at..part.start).unwrap_or_default());
        text.push_str(replacement);
        at = part.end;
    }
    text.push_str(source.get(at..range.end).unwrap_or_default());
    text
}

/// A text without the brackets around it.
pub(in crate::ast) fn stripped(text: &str) -> &str {
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    if text.starts_with(['[', '(', '{']) { inner } else { text }
}
