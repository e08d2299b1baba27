//! What is wrong with a source: errors of the grammar, and rules of CPython that the grammar is too lenient to keep
//! (indentation, targets of assignments, statements out of place). It is not a type checker, and CPython's compiler
//! has the last word.

use crate::kind::{Field, Kind};
use crate::module::{MAX_FAULTS, Module};
use crate::node::Node;
use std::ops::Range;

/// One thing that is wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct SyntaxFault {
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 0.
    pub column: u32,
    /// The bytes it is about.
    pub byte_range: Range<usize>,
    /// What is wrong.
    pub message: String,
}

impl SyntaxFault {
    pub(crate) fn at_start(message: String) -> Self {
        Self { line: 1, column: 0, byte_range: 0..0, message }
    }

    fn at(node: Node<'_>, message: &str) -> Self {
        Self {
            line: node.line(),
            column: node.column(),
            byte_range: node.range(),
            message: message.to_owned(),
        }
    }
}

/// Finds at most [`MAX_FAULTS`] faults.
pub(crate) fn find(module: &Module) -> Vec<SyntaxFault> {
    let mut found = Vec::new();
    if module.source().contains('\0') {
        found.push(SyntaxFault::at_start("the source contains a null byte".to_owned()));
    }
    for node in module.nodes() {
        if let Some((at, message)) = fault(node) {
            found.push(SyntaxFault::at(at, message));
            if found.len() >= MAX_FAULTS {
                break;
            }
        }
    }
    found
}

/// Where a node breaks a rule, and which.
fn fault(node: Node<'_>) -> Option<(Node<'_>, &'static str)> {
    match node.kind() {
        Kind::Module | Kind::Block if !node.is_missing() => block_fault(node),
        _ => own_fault(node).map(|message| (node, message)),
    }
}

fn own_fault(node: Node<'_>) -> Option<&'static str> {
    if node.is_missing() {
        return Some("something is missing here");
    }
    match node.kind() {
        Kind::Error => Some("this is not Python"),
        Kind::PrintStatement | Kind::ExecStatement | Kind::Chevron => Some("a statement of Python 2"),
        Kind::ReturnStatement | Kind::Yield | Kind::Await
            if scope_kind(node) != Some(Kind::FunctionDefinition) =>
        {
            (scope_kind(node) != Some(Kind::Lambda) || node.kind() == Kind::ReturnStatement)
                .then_some("only a function may contain this")
        }
        Kind::BreakStatement | Kind::ContinueStatement => {
            (!in_loop(node)).then_some("only a loop may contain this")
        }
        Kind::ForInClause if node.children().any(|child| child.text() == ",") => {
            Some("a list in a comprehension needs parentheses")
        }
        Kind::Assignment | Kind::ForStatement | Kind::ForInClause => {
            let left = node.child(Field::Left)?;
            (!is_target(left)).then_some("this cannot be assigned to")
        }
        Kind::AugmentedAssignment => {
            let left = node.child(Field::Left)?.unwrapped();
            (!matches!(left.kind(), Kind::Identifier | Kind::Attribute | Kind::Subscript))
                .then_some("this cannot be assigned to")
        }
        Kind::NamedExpression => named_expression_fault(node),
        Kind::ArgumentList => argument_fault(node),
        Kind::Parameters | Kind::LambdaParameters => parameter_fault(node),
        Kind::DeleteStatement => {
            let operand = node.named_children().next()?;
            (!is_target(operand)).then_some("this cannot be deleted")
        }
        _ => None,
    }
}

/// Statements of one block start in one column, the body of a compound statement is indented deeper than it, and a
/// block has at least one statement.
fn block_fault(block: Node<'_>) -> Option<(Node<'_>, &'static str)> {
    let owner = block.parent();
    let mut statements = block.statements();
    let Some(first) = statements.next() else {
        return (block.kind() == Kind::Block
            && owner.is_none_or(|owner| owner.kind() != Kind::MatchStatement))
        .then_some((owner.unwrap_or(block), "a body without a statement"));
    };
    if block.kind() == Kind::Module && first.column() != 0 && starts_line(first) {
        return Some((first, "unexpected indentation"));
    }
    let inline = owner.is_some_and(|owner| owner_line_of(owner, block) == first.line());
    if let Some(owner) = owner
        && !inline
        && first.column() <= indentation(owner)
    {
        return Some((first, "a body that is not indented"));
    }
    let column = first.column();
    let mut line = first.line();
    for statement in statements {
        if inline && statement.line() == line && statement.kind().is_compound_statement() {
            return Some((statement, "a compound statement after a semicolon"));
        }
        if statement.line() != line && starts_line(statement) && (statement.column() != column || inline) {
            return Some((statement, "statements of one body that start in different columns"));
        }
        line = statement.line();
    }
    (inline && first.kind().is_compound_statement())
        .then_some((first, "a compound statement on the line of another"))
}

/// Line of the colon before `block`.
fn owner_line_of(owner: Node<'_>, block: Node<'_>) -> u32 {
    owner
        .children()
        .filter(|child| child.id() < block.id() && child.text() == ":")
        .last()
        .map_or(owner.line(), Node::line)
}

/// Column at which the statement or clause that owns a body starts.
fn indentation(owner: Node<'_>) -> u32 {
    owner.column()
}

fn starts_line(node: Node<'_>) -> bool {
    let before = node.module().source().get(..node.range().start).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.chars().all(|c| c.is_whitespace() || c == '\u{feff}')
}

/// Kind of the innermost function, lambda or class around a node, or `None` at module level.
fn scope_kind(node: Node<'_>) -> Option<Kind> {
    let mut inner = node;
    for outer in node.ancestors() {
        let in_body = inner.field() == Some(Field::Body);
        match outer.kind() {
            Kind::FunctionDefinition | Kind::Lambda | Kind::ClassDefinition if in_body => {
                return Some(outer.kind());
            }
            _ => inner = outer,
        }
    }
    None
}

fn in_loop(node: Node<'_>) -> bool {
    let mut inner = node;
    for outer in node.ancestors() {
        match outer.kind() {
            Kind::ForStatement | Kind::WhileStatement if inner.field() == Some(Field::Body) => return true,
            Kind::FunctionDefinition | Kind::ClassDefinition => return false,
            _ => inner = outer,
        }
    }
    false
}

/// Whether something can stand left of `=`. Walks with a list of its own, for patterns may be nested.
fn is_target(node: Node<'_>) -> bool {
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        match node.kind() {
            Kind::Identifier | Kind::Attribute | Kind::Subscript | Kind::Error => {}
            Kind::ParenthesizedExpression
            | Kind::Tuple
            | Kind::List
            | Kind::TuplePattern
            | Kind::ListPattern
            | Kind::PatternList
            | Kind::ExpressionList
            | Kind::ListSplat
            | Kind::ListSplatPattern => waiting.extend(node.named_children()),
            _ => return false,
        }
    }
    true
}

/// `x := 1` needs parentheses as a statement of its own and right of `=`.
fn named_expression_fault(node: Node<'_>) -> Option<&'static str> {
    let parent = node.parent()?;
    matches!(parent.kind(), Kind::ExpressionStatement | Kind::Assignment | Kind::AugmentedAssignment)
        .then_some("an assignment expression needs parentheses here")
}

fn argument_fault(list: Node<'_>) -> Option<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    let mut keyword_seen = false;
    let mut count = 0;
    let mut bare_generator = false;
    for argument in list.named_children() {
        count += 1;
        match argument.kind() {
            Kind::KeywordArgument => {
                let name = argument.child(Field::Name).map_or("", Node::text);
                if names.contains(&name) {
                    return Some("a keyword argument that is repeated");
                }
                names.push(name);
                keyword_seen = true;
            }
            Kind::DictionarySplat => keyword_seen = true,
            Kind::ListSplat => {}
            Kind::GeneratorExpression => bare_generator = !argument.text().starts_with('('),
            _ if keyword_seen => return Some("a positional argument after a keyword argument"),
            _ => {}
        }
    }
    (bare_generator && count > 1).then_some("a generator expression needs parentheses here")
}

fn parameter_fault(list: Node<'_>) -> Option<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    let mut default_seen = false;
    let mut keyword_only = false;
    for parameter in list.named_children() {
        let name = parameter_name(parameter);
        match parameter.kind() {
            Kind::DefaultParameter | Kind::TypedDefaultParameter => default_seen = true,
            Kind::ListSplatPattern | Kind::KeywordSeparator => keyword_only = true,
            Kind::Identifier if default_seen && !keyword_only => {
                return Some("a parameter without default after one with");
            }
            _ => {}
        }
        if let Some(name) = name {
            if names.contains(&name) {
                return Some("a parameter that is repeated");
            }
            names.push(name);
        }
    }
    None
}

/// The name that a parameter binds.
pub(crate) fn parameter_name(parameter: Node<'_>) -> Option<&str> {
    match parameter.kind() {
        Kind::Identifier => Some(parameter.text()),
        Kind::DefaultParameter | Kind::TypedDefaultParameter => parameter.child(Field::Name).map(Node::text),
        Kind::TypedParameter | Kind::ListSplatPattern | Kind::DictionarySplatPattern => {
            parameter.descendants().find(|node| node.kind() == Kind::Identifier).map(Node::text)
        }
        _ => None,
    }
}
