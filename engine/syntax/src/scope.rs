//! The names that a place in a program can see, after Python's rules of scope (language reference, section 4.2).
//! Flow is not followed: a name counts as visible when its scope binds it anywhere; where it is first bound is told.

use crate::function;
use crate::kind::{Field, Kind};
use crate::module::Module;
use crate::node::Node;

/// How a name came to be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Binding {
    /// A parameter of a function or lambda.
    Parameter,
    /// Assigned in a function, by `=`, `for`, `with`, `except`, `:=` and the like.
    Local,
    /// The variable of a comprehension.
    Comprehension,
    /// Assigned at module level.
    Global,
    /// `def`.
    Function,
    /// `class`.
    Class,
    /// `import`.
    Import,
}

/// A visible name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name<'m> {
    /// The name.
    pub text: &'m str,
    /// How it is bound in the innermost scope that binds it.
    pub binding: Binding,
    /// Byte at which that scope binds it first.
    pub bound_at: usize,
    /// How many functions lie between the place and the scope: 0 for its own.
    pub distance: u32,
}

impl Module {
    /// Names visible at a byte of the source, innermost scope first, each once. Builtins are not among them.
    pub fn names_at(&self, byte: usize) -> Vec<Name<'_>> {
        let place = self.covering(byte..byte);
        let mut names: Vec<Name<'_>> = Vec::new();
        let mut distance = 0;
        let mut left_a_function = false;
        for scope in std::iter::once(place).chain(place.ancestors()) {
            let inside_body = scope
                .child(Field::Body)
                .is_some_and(|body| body.range().start <= byte && byte <= body.range().end);
            match scope.kind() {
                kind if kind.is_comprehension() => {
                    for clause in scope.named_children().filter(|child| child.kind() == Kind::ForInClause) {
                        if let Some(left) = clause.child(Field::Left) {
                            bind_target(left, Binding::Comprehension, distance, &mut names);
                        }
                    }
                }
                Kind::Lambda | Kind::FunctionDefinition if inside_body => {
                    for parameter in function::parameters(scope.child(Field::Parameters)) {
                        add(
                            &mut names,
                            parameter.name,
                            Binding::Parameter,
                            parameter.node.range().start,
                            distance,
                        );
                    }
                    if let Some(body) = scope.child(Field::Body) {
                        bind_in(body, Binding::Local, distance, &mut names);
                    }
                    distance += 1;
                    left_a_function = true;
                }
                // A class's names are seen from its own body, not from its methods.
                Kind::ClassDefinition if inside_body && !left_a_function => {
                    if let Some(body) = scope.child(Field::Body) {
                        bind_in(body, Binding::Local, distance, &mut names);
                    }
                }
                Kind::Module => bind_in(scope, Binding::Global, distance, &mut names),
                _ => {}
            }
        }
        names
    }
}

fn add<'m>(names: &mut Vec<Name<'m>>, text: &'m str, binding: Binding, bound_at: usize, distance: u32) {
    if !names.iter().any(|name| name.text == text) {
        names.push(Name { text, binding, bound_at, distance });
    }
}

/// Adds what the statements of one scope bind, without entering scopes inside it.
fn bind_in<'m>(scope: Node<'m>, binding: Binding, distance: u32, names: &mut Vec<Name<'m>>) {
    let module = scope.module();
    let mut foreign: Vec<&str> = Vec::new();
    let mut next = scope.id() + 1;
    while let Some(node) = module.node(next).filter(|node| node.id() < scope.after()) {
        next = node.id() + 1;
        match node.kind() {
            Kind::FunctionDefinition | Kind::ClassDefinition => {
                if let Some(name) = node.child(Field::Name) {
                    let how =
                        if node.kind() == Kind::ClassDefinition { Binding::Class } else { Binding::Function };
                    add(names, name.text(), how, name.range().start, distance);
                }
                next = node.after();
            }
            Kind::Lambda => next = node.after(),
            kind if kind.is_comprehension() => next = node.after(),
            Kind::GlobalStatement | Kind::NonlocalStatement => {
                foreign.extend(node.named_children().map(Node::text));
            }
            Kind::ImportStatement | Kind::ImportFromStatement | Kind::FutureImportStatement => {
                for name in node.children_in(Field::Name) {
                    let bound = name.child(Field::Alias).unwrap_or(name);
                    let text = bound.text().split('.').next().unwrap_or_default();
                    add(names, text, Binding::Import, bound.range().start, distance);
                }
                next = node.after();
            }
            Kind::Assignment | Kind::ForStatement | Kind::AugmentedAssignment => {
                if let Some(left) = node.child(Field::Left) {
                    bind_target_unless(left, (binding, distance), &foreign, names);
                }
            }
            Kind::NamedExpression => {
                if let Some(name) = node.child(Field::Name) {
                    bind_target_unless(name, (binding, distance), &foreign, names);
                }
            }
            Kind::AsPattern => {
                for alias in node.children().filter(|child| child.field() == Some(Field::Alias)) {
                    bind_target_unless(alias, (binding, distance), &foreign, names);
                }
            }
            _ => {}
        }
    }
}

fn bind_target_unless<'m>(
    target: Node<'m>,
    how: (Binding, u32),
    foreign: &[&str],
    names: &mut Vec<Name<'m>>,
) {
    let mut bound = Vec::new();
    bind_target(target, how.0, how.1, &mut bound);
    for name in bound.into_iter().filter(|name| !foreign.contains(&name.text)) {
        add(names, name.text, name.binding, name.bound_at, name.distance);
    }
}

/// Adds the names that a target binds: not those that are only read to find where to store.
fn bind_target<'m>(target: Node<'m>, binding: Binding, distance: u32, names: &mut Vec<Name<'m>>) {
    let mut waiting = vec![target];
    while let Some(node) = waiting.pop() {
        match node.kind() {
            Kind::Identifier => add(names, node.text(), binding, node.range().start, distance),
            Kind::Attribute | Kind::Subscript | Kind::Call => {}
            _ => {
                let mut children: Vec<Node<'m>> = node.named_children().collect();
                children.reverse();
                waiting.extend(children);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Binding;
    use crate::Module;

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let byte = source.find("HERE").unwrap();
        let module = Module::parse(source);
        assert!(module.is_valid(), "{:?}", module.errors());
        let names: Vec<&str> =
            module.names_at(byte).iter().map(|name| name.text).filter(|text| *text != "HERE").collect();
        assert_eq!(names.join(" "), expected, "{source}");
    }

    #[test]
    fn sees_what_python_sees() {
        check(
            "import os.path as p, sys\nx = 1\ndef f(a, *b):\n    c = HERE\n    d, (e, g[0]) = 1\ny = 2\n",
            "a b c d e p sys x f y",
        );
        check("def f(a):\n    def g(b):\n        return HERE\n    return g\n", "b a g f");
        check("class A:\n    k = 1\n    def m(self):\n        return HERE\n", "self A");
        check("def f(xs):\n    return [HERE for x, y in xs if x]\n", "x y xs f");
        check("def f(xs):\n    z = [x for x in xs]\n    return HERE\n", "xs z f");
        check("def f():\n    global n\n    n = 1\n    return HERE\n", "f");
        check("def f():\n    with open('a') as h:\n        for i, j in h:\n            HERE\n", "h i j f");
        check("def f():\n    try:\n        g()\n    except E as e:\n        HERE\n", "e f");
        check("k = lambda q: HERE\n", "q k");
        check("def f(a=HERE): pass\n", "f");
    }

    #[test]
    fn tells_how_a_name_is_bound() {
        let source = "import m\ndef f(p):\n    v = 1\n    return v\n";
        let module = Module::parse(source);
        let names = module.names_at(source.rfind('v').unwrap());
        let bindings: Vec<(Binding, u32)> = names.iter().map(|name| (name.binding, name.distance)).collect();
        use Binding::*;
        assert_eq!(bindings, [(Parameter, 0), (Local, 0), (Import, 1), (Function, 1)]);
    }
}
