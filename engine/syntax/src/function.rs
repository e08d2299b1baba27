//! The functions of a module: where they stand, what they are called, what they take.

use crate::faults::parameter_name;
use crate::kind::{Field, Kind};
use crate::module::Module;
use crate::node::Node;
use std::ops::{Range, RangeInclusive};

/// A function or method.
#[derive(Debug, Clone)]
pub struct Function<'m> {
    /// Its definition, of kind [`Kind::FunctionDefinition`], without decorators.
    pub node: Node<'m>,
    /// Its name.
    pub name: &'m str,
    /// What it takes, in order.
    pub parameters: Vec<Parameter<'m>>,
    /// The block of its statements.
    pub body: Node<'m>,
    /// The class whose method it is.
    pub class: Option<&'m str>,
}

/// A parameter of a function.
#[derive(Debug, Clone, Copy)]
pub struct Parameter<'m> {
    /// The name that it binds.
    pub name: &'m str,
    /// The node in the list of parameters.
    pub node: Node<'m>,
    /// Its default.
    pub default: Option<Node<'m>>,
    /// Whether it takes any number of arguments (`*args`, `**kwargs`).
    pub variadic: bool,
}

impl<'m> Function<'m> {
    /// Bytes of the definition with its decorators.
    pub fn span(&self) -> Range<usize> {
        match self.node.parent() {
            Some(parent) if parent.kind() == Kind::DecoratedDefinition => parent.range(),
            _ => self.node.range(),
        }
    }

    /// Its lines from that of its `def` to its last, from 1.
    pub fn lines(&self) -> RangeInclusive<u32> {
        self.node.line()..=self.body.descendants().last().map_or(self.body.line(), Node::line)
    }

    /// Names of the enclosing functions and classes and its own, with dots between.
    pub fn qualified_name(&self) -> String {
        let mut names: Vec<&str> = self
            .node
            .ancestors()
            .filter(|node| matches!(node.kind(), Kind::FunctionDefinition | Kind::ClassDefinition))
            .filter_map(|node| node.child(Field::Name).map(Node::text))
            .collect();
        names.reverse();
        names.push(self.name);
        names.join(".")
    }

    /// Whether it stands at the top level of the module.
    pub fn is_top_level(&self) -> bool {
        !self
            .node
            .ancestors()
            .any(|node| matches!(node.kind(), Kind::FunctionDefinition | Kind::ClassDefinition | Kind::Block))
    }

    pub(crate) fn of(node: Node<'m>) -> Option<Self> {
        let name = node.child(Field::Name)?.text();
        let body = node.child(Field::Body)?;
        let parameters = parameters(node.child(Field::Parameters));
        let class = node
            .ancestors()
            .find(|outer| matches!(outer.kind(), Kind::FunctionDefinition | Kind::ClassDefinition))
            .filter(|outer| outer.kind() == Kind::ClassDefinition)
            .and_then(|class| class.child(Field::Name))
            .map(Node::text);
        Some(Self { node, name, parameters, body, class })
    }
}

/// The parameters in a list of them.
pub(crate) fn parameters(list: Option<Node<'_>>) -> Vec<Parameter<'_>> {
    let nodes = list.into_iter().flat_map(Node::named_children);
    nodes
        .filter_map(|node| {
            let name = parameter_name(node)?;
            let default = node.child(Field::Value);
            let variadic = matches!(node.kind(), Kind::ListSplatPattern | Kind::DictionarySplatPattern)
                || node
                    .named_children()
                    .any(|c| matches!(c.kind(), Kind::ListSplatPattern | Kind::DictionarySplatPattern));
            Some(Parameter { name, node, default, variadic })
        })
        .collect()
}

impl Module {
    /// Every function and method, nested ones included, in the order of the source.
    pub fn functions(&self) -> Vec<Function<'_>> {
        self.nodes_of(Kind::FunctionDefinition).filter_map(Function::of).collect()
    }

    /// The innermost function around a byte, decorators not included.
    pub fn function_at(&self, byte: usize) -> Option<Function<'_>> {
        self.nodes_of(Kind::FunctionDefinition)
            .rfind(|node| node.range().contains(&byte))
            .and_then(Function::of)
    }
}

#[cfg(test)]
mod tests {
    use crate::Module;

    #[test]
    fn tells_what_a_function_takes() {
        let source = "class A:\n    @property\n    def f(self, a, b=1, *args, c: int = 2, d: str, **kw):\n        return a\n";
        let module = Module::parse(source);
        let functions = module.functions();
        let [function] = functions.as_slice() else { panic!("one function") };
        let names: Vec<&str> = function.parameters.iter().map(|p| p.name).collect();
        assert_eq!(names, ["self", "a", "b", "args", "c", "d", "kw"]);
        let variadic: Vec<bool> = function.parameters.iter().map(|p| p.variadic).collect();
        assert_eq!(variadic, [false, false, false, true, false, false, true]);
        assert_eq!(
            function.parameters.iter().filter_map(|p| p.default).map(|d| d.text()).collect::<Vec<_>>(),
            ["1", "2"]
        );
        assert_eq!(function.class, Some("A"));
        assert!(source[function.span()].starts_with("@property"));
        assert_eq!(module.function_at(source.find("return").unwrap()).map(|f| f.name), Some("f"));
    }
}
