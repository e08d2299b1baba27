//! What kind of value an expression probably has, guessed from its form and from how its names are used.
//! A guess only orders edits: nothing is ruled out by it alone.

use std::collections::BTreeMap;
use syntax::{Field, Kind, Node};

/// A guess at a value's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    Unknown,
    Bool,
    Number,
    Text,
    List,
    Dict,
    Set,
    Tuple,
    Nothing,
    Callable,
}

impl Shape {
    /// How well a value of one shape replaces another, 0 to 1.
    pub(crate) fn fits(self, other: Self) -> f64 {
        match (self, other) {
            (a, b) if a == b => 1.0,
            (Self::Unknown, _) | (_, Self::Unknown) => 0.6,
            (Self::Bool, Self::Number) | (Self::Number, Self::Bool) => 0.25,
            (Self::List | Self::Tuple | Self::Text, Self::List | Self::Tuple | Self::Text) => 0.35,
            (Self::Nothing, _) | (_, Self::Nothing) => 0.3,
            _ => 0.1,
        }
    }

    /// Whether it can be indexed by position.
    pub(crate) fn is_sequence(self) -> bool {
        matches!(self, Self::List | Self::Tuple | Self::Text | Self::Unknown)
    }

    /// Whether `len` and `in` make sense.
    pub(crate) fn is_container(self) -> bool {
        matches!(self, Self::List | Self::Tuple | Self::Text | Self::Dict | Self::Set)
    }

    /// Whether arithmetic with numbers makes sense.
    pub(crate) fn may_be_number(self) -> bool {
        matches!(self, Self::Number | Self::Unknown)
    }
}

/// Guessed shapes of names.
pub(crate) type Shapes<'m> = BTreeMap<&'m str, Shape>;

/// Shape of an expression. Looks through at most a fixed number of levels.
pub(crate) fn of(node: Node<'_>, names: &Shapes<'_>) -> Shape {
    guess(node, names, 6)
}

fn guess(node: Node<'_>, names: &Shapes<'_>, levels: u32) -> Shape {
    if levels == 0 {
        return Shape::Unknown;
    }
    let deeper =
        |child: Option<Node<'_>>| child.map_or(Shape::Unknown, |child| guess(child, names, levels - 1));
    match node.kind() {
        Kind::ParenthesizedExpression => deeper(node.named_children().next()),
        Kind::True | Kind::False | Kind::ComparisonOperator | Kind::NotOperator => Shape::Bool,
        Kind::Integer | Kind::Float => Shape::Number,
        Kind::UnaryOperator => Shape::Number,
        Kind::String | Kind::ConcatenatedString => Shape::Text,
        Kind::List | Kind::ListComprehension => Shape::List,
        Kind::Dictionary | Kind::DictionaryComprehension => Shape::Dict,
        Kind::Set | Kind::SetComprehension => Shape::Set,
        Kind::Tuple | Kind::ExpressionList => Shape::Tuple,
        Kind::None => Shape::Nothing,
        Kind::Lambda => Shape::Callable,
        Kind::Identifier => names.get(node.text()).copied().unwrap_or(Shape::Unknown),
        Kind::BooleanOperator => {
            let (left, right) = (deeper(node.child(Field::Left)), deeper(node.child(Field::Right)));
            if left == right { left } else { Shape::Unknown }
        }
        Kind::ConditionalExpression => deeper(node.named_children().next()),
        Kind::BinaryOperator => {
            let (left, right) = (deeper(node.child(Field::Left)), deeper(node.child(Field::Right)));
            match node.operator() {
                "+" | "*" => [left, right]
                    .into_iter()
                    .find(|shape| matches!(shape, Shape::Text | Shape::List | Shape::Tuple))
                    .unwrap_or(if left == Shape::Number || right == Shape::Number {
                        Shape::Number
                    } else {
                        Shape::Unknown
                    }),
                "%" if left == Shape::Text => Shape::Text,
                "-" | "|" | "&" | "^" if left == Shape::Set || right == Shape::Set => Shape::Set,
                _ => Shape::Number,
            }
        }
        Kind::Subscript => {
            let is_slice = node.children_in(Field::Subscript).any(|index| index.kind() == Kind::Slice);
            let value = deeper(node.child(Field::Value));
            match value {
                _ if is_slice => value,
                Shape::Text => Shape::Text,
                _ => Shape::Unknown,
            }
        }
        Kind::Call => of_call(node),
        _ => Shape::Unknown,
    }
}

fn of_call(call: Node<'_>) -> Shape {
    let Some(function) = call.child(Field::Function) else { return Shape::Unknown };
    let name = match function.kind() {
        Kind::Identifier => function.text(),
        Kind::Attribute => function.child(Field::Attribute).map_or("", Node::text),
        _ => return Shape::Unknown,
    };
    match name {
        "len" | "sum" | "abs" | "int" | "float" | "ord" | "round" | "pow" | "divmod" | "count" | "index"
        | "find" | "sqrt" | "floor" | "ceil" | "gcd" | "rfind" => Shape::Number,
        "str" | "chr" | "join" | "lower" | "upper" | "strip" | "lstrip" | "rstrip" | "replace" | "format"
        | "title" | "capitalize" | "zfill" | "hex" | "bin" | "repr" => Shape::Text,
        "list" | "sorted" | "range" | "reversed" | "split" | "splitlines" | "zip" | "map" | "filter"
        | "enumerate" | "keys" | "values" | "items" => Shape::List,
        "dict" | "Counter" | "defaultdict" | "OrderedDict" => Shape::Dict,
        "set" | "frozenset" | "union" | "intersection" | "difference" => Shape::Set,
        "tuple" => Shape::Tuple,
        "bool" | "any" | "all" | "isinstance" | "startswith" | "endswith" | "isdigit" | "isalpha"
        | "isalnum" | "isupper" | "islower" | "isspace" | "issubset" => Shape::Bool,
        "deque" => Shape::List,
        _ => Shape::Unknown,
    }
}

/// Shapes of the names of one scope, from what is assigned to them and how they are used. Two rounds, so that a name
/// assigned from another is known too.
pub(crate) fn of_names(scope: Node<'_>) -> Shapes<'_> {
    let mut names = Shapes::new();
    for _ in 0..2 {
        for node in scope.descendants() {
            if let Some((name, shape)) = evidence(node, &names)
                && shape != Shape::Unknown
                && name.kind() == Kind::Identifier
            {
                names.entry(name.text()).or_insert(shape);
            }
        }
    }
    names
}

/// What one node says of one name.
fn evidence<'m>(node: Node<'m>, names: &Shapes<'m>) -> Option<(Node<'m>, Shape)> {
    match node.kind() {
        Kind::Assignment => {
            let right = node.child(Field::Right)?;
            Some((node.child(Field::Left)?, of(right, names)))
        }
        Kind::AugmentedAssignment => {
            let right = of(node.child(Field::Right)?, names);
            let number = node.operator() != "+=" || right == Shape::Number;
            Some((node.child(Field::Left)?, if number { Shape::Number } else { right }))
        }
        Kind::ForStatement | Kind::ForInClause => {
            let right = node.child(Field::Right)?;
            let called = right.child(Field::Function).map_or("", Node::text);
            let left = node.child(Field::Left)?;
            match called {
                "range" => Some((left, Shape::Number)),
                "enumerate" => Some((left.named_children().next()?, Shape::Number)),
                _ if right.kind() == Kind::Identifier => Some((right, Shape::List)),
                _ => None,
            }
        }
        Kind::Subscript => {
            let index = node.children_in(Field::Subscript).next()?;
            let value = node.child(Field::Value)?;
            match index.kind() {
                Kind::String => Some((value, Shape::Dict)),
                Kind::Integer | Kind::Slice | Kind::UnaryOperator => Some((value, Shape::List)),
                _ => None,
            }
        }
        Kind::BinaryOperator => {
            let (left, right) = (node.child(Field::Left)?, node.child(Field::Right)?);
            let numeric = matches!(node.operator(), "-" | "*" | "/" | "//" | "**")
                || of(left, names) == Shape::Number
                || of(right, names) == Shape::Number;
            let name = if left.kind() == Kind::Identifier && !names.contains_key(left.text()) {
                left
            } else {
                right
            };
            (numeric && node.operator() != "%").then_some((name, Shape::Number))
        }
        Kind::ComparisonOperator => {
            let mut operands = node.named_children();
            let (left, right) = (operands.next()?, operands.next()?);
            match (of(left, names), of(right, names)) {
                (Shape::Number, _) if !matches!(node.operator(), "in" | "not in") => {
                    Some((right, Shape::Number))
                }
                (_, Shape::Number) => Some((left, Shape::Number)),
                _ => None,
            }
        }
        Kind::Call => called_with(node),
        _ => None,
    }
}

fn called_with(call: Node<'_>) -> Option<(Node<'_>, Shape)> {
    let function = call.child(Field::Function)?;
    let first = || call.child(Field::Arguments).and_then(|arguments| arguments.named_children().next());
    if function.kind() == Kind::Attribute {
        let shape = match function.child(Field::Attribute)?.text() {
            "append" | "extend" | "insert" | "sort" | "reverse" | "popleft" | "appendleft" => Shape::List,
            "add" | "discard" => Shape::Set,
            "get" | "items" | "keys" | "values" | "setdefault" => Shape::Dict,
            "split" | "strip" | "lower" | "upper" | "join" | "startswith" | "isdigit" | "isalpha"
            | "replace" => Shape::Text,
            _ => return None,
        };
        return Some((function.child(Field::Object)?, shape));
    }
    match function.text() {
        "range" | "abs" | "chr" => Some((first()?, Shape::Number)),
        "len" | "sum" | "sorted" | "reversed" | "enumerate" => Some((first()?, Shape::List)),
        "ord" => Some((first()?, Shape::Text)),
        _ => Some((function, Shape::Callable)),
    }
}
