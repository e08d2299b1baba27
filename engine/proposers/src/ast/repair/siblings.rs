//! Functions and methods that are mistaken for one another: `any` for `all`, `append` for `extend`, `lower` for `upper`.

use super::catalogue::Collector;
use super::family::Family;
use syntax::{Edit, Field, Kind, Node};

/// How often the members of a group are confused, relative to others, and the group: functions that take the same
/// arguments. A name may stand in several groups.
type Group = (f64, &'static [&'static str]);

const FUNCTIONS: &[Group] = &[
    (1.5, &["any", "all"]),
    (1.5, &["min", "max"]),
    (0.5, &["not any", "any", "all", "not all"]),
    (0.6, &["sum", "max", "min", "len"]),
    (0.8, &["int", "float", "round"]),
    (0.4, &["abs", "int", "bool"]),
    (0.6, &["int", "str"]),
    (0.5, &["str", "repr", "len"]),
    (0.7, &["list", "set", "tuple", "sorted"]),
    (0.3, &["dict", "list", "frozenset", "set"]),
    (0.7, &["range", "len", "reversed"]),
    (0.5, &["enumerate", "range", "list"]),
    (0.8, &["sorted", "reversed", "list"]),
    (0.8, &["map", "filter", "zip"]),
    (1.0, &["ord", "chr", "int"]),
    (0.7, &["bin", "hex", "oct", "str"]),
    (1.0, &["math.floor", "math.ceil", "int", "round", "math.sqrt"]),
    (1.0, &["floor", "ceil", "int", "round"]),
    (0.7, &["isinstance", "issubclass"]),
    (1.0, &["combinations", "permutations", "product", "combinations_with_replacement"]),
    (0.5, &["divmod", "pow"]),
    (0.7, &["heappush", "heappop", "heapify"]),
    (0.7, &["defaultdict", "dict", "Counter"]),
    (1.0, &["bisect_left", "bisect_right", "bisect"]),
];

/// The same for methods.
const METHODS: &[Group] = &[
    (1.5, &["append", "extend"]),
    (0.8, &["append", "add"]),
    (0.6, &["append", "insert"]),
    (0.8, &["append", "appendleft"]),
    (0.4, &["append", "remove", "pop"]),
    (1.2, &["pop", "popleft"]),
    (0.6, &["pop", "remove", "get"]),
    (1.0, &["add", "update"]),
    (0.7, &["add", "discard", "remove"]),
    (1.2, &["keys", "values", "items"]),
    (0.8, &["get", "setdefault", "pop"]),
    (1.2, &["lower", "upper"]),
    (0.6, &["title", "capitalize", "swapcase", "upper", "lower"]),
    (1.0, &["strip", "lstrip", "rstrip"]),
    (0.8, &["split", "rsplit", "splitlines", "strip"]),
    (0.7, &["partition", "rpartition", "split"]),
    (1.0, &["find", "rfind", "index", "rindex", "count"]),
    (1.2, &["startswith", "endswith"]),
    (1.0, &["isalpha", "isalnum", "isdigit", "isspace"]),
    (1.2, &["isupper", "islower"]),
    (1.0, &["union", "intersection", "difference", "symmetric_difference"]),
    (1.0, &["issubset", "issuperset", "isdisjoint"]),
    (0.8, &["sort", "reverse"]),
    (1.0, &["ljust", "rjust", "center", "zfill"]),
    (0.7, &["removeprefix", "removesuffix", "strip"]),
];

pub(crate) fn propose(out: &mut Collector<'_, '_>) {
    let program = out.program();
    for site in program.sites.iter().filter(|site| site.node.kind() == Kind::Call) {
        let Some(function) = site.node.child(Field::Function) else { continue };
        match function.kind() {
            Kind::Identifier => replace(out, function, FUNCTIONS),
            Kind::Attribute => {
                if let Some(method) = function.child(Field::Attribute) {
                    replace(out, method, METHODS);
                }
                replace(out, function, FUNCTIONS);
                arguments_of_method(out, site.node, function);
            }
            _ => {}
        }
    }
}

fn replace(out: &mut Collector<'_, '_>, node: Node<'_>, groups: &[Group]) {
    let name = node.text();
    for (often, group) in groups.iter().filter(|(_, group)| group.contains(&name)) {
        let own = group.iter().position(|other| *other == name).unwrap_or(0);
        for (index, other) in group.iter().enumerate().filter(|(index, _)| *index != own) {
            let weight = often / (1.0 + 0.4 * index.abs_diff(own) as f64);
            out.replace(Family::Sibling, node, weight, *other);
        }
    }
}

/// Methods whose arguments change with the name: `pop()` and `pop(0)`, `append(x)` and `insert(0, x)`.
fn arguments_of_method(out: &mut Collector<'_, '_>, call: Node<'_>, function: Node<'_>) {
    let (Some(method), Some(list)) = (function.child(Field::Attribute), call.child(Field::Arguments)) else {
        return;
    };
    let object = function.child(Field::Object).map_or("", Node::text);
    let arguments: Vec<&str> = list.named_children().map(Node::text).collect();
    let mut both = |name: &str, list_text: String, weight: f64| {
        let edits = vec![Edit::replace(method.range(), name), Edit::replace(list.range(), list_text)];
        out.add(Family::Sibling, call, weight, edits);
    };
    match (method.text(), arguments.as_slice()) {
        ("pop", []) => both("pop", "(0)".to_owned(), 1.0),
        ("pop", ["0"]) => both("pop", "()".to_owned(), 1.0),
        ("pop", ["-1"]) => both("pop", "(0)".to_owned(), 0.6),
        ("append", [value]) => {
            both("insert", format!("(0, {value})"), 0.7);
            both("extend", format!("([{value}])"), 0.1);
            both("append", format!("({value}[:])"), 0.5);
            both("append", format!("(list({value}))"), 0.4);
        }
        ("insert", [_, value]) => both("append", format!("({value})"), 1.0),
        ("extend", [value]) => both("append", format!("({value})"), 0.5),
        ("get", [key]) => {
            both("get", format!("({key}, 0)"), 1.0);
            both("get", format!("({key}, [])"), 0.5);
            both("get", format!("({key}, {key})"), 0.3);
        }
        ("split", []) => both("split", "(' ')".to_owned(), 0.5),
        ("split", [_]) => both("split", "()".to_owned(), 0.8),
        ("join", [value]) => both("join", format!("(map(str, {value}))"), 0.6),
        ("sort", []) => both("sort", "(reverse=True)".to_owned(), 0.5),
        _ => {}
    }
    if method.text() == "sort" && !object.is_empty() {
        out.replace(Family::Sibling, call, 0.2, format!("{object} = sorted({object})"));
    }
}
