//! Two measures of a program: how many independent paths its control flow has, and how many tokens it is made of.

use crate::kind::{Field, Kind};
use crate::literal;
use crate::module::Module;
use crate::node::Node;

/// Cyclomatic complexity (T. J. McCabe, "A Complexity Measure", IEEE Transactions on Software Engineering SE-2, 1976).
///
/// A function counts one, plus one for each `if`, `elif`, conditional expression, `for`, `while`, `except`, `case` that is
/// not the wildcard, `assert`, `and`, `or`, and each `for` and `if` of a comprehension. A lambda counts for the function
/// it stands in; a nested function for itself only. The module's own statements are one further component, named
/// `<module>`, which counts only when it makes a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complexity {
    /// Sum over all components, at least 1.
    pub cyclomatic: u32,
    /// Each function in the order of the source.
    pub functions: Vec<FunctionComplexity>,
}

/// Complexity of one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionComplexity {
    /// Its name, with enclosing functions and classes before it and dots between.
    pub name: String,
    /// Line of its `def`, from 1.
    pub line: u32,
    /// Independent paths, at least 1.
    pub cyclomatic: u32,
}

impl Module {
    /// Cyclomatic complexity of the module and of each function.
    pub fn complexity(&self) -> Complexity {
        let mut functions: Vec<(u32, FunctionComplexity)> = self
            .functions()
            .into_iter()
            .map(|function| {
                let entry = FunctionComplexity {
                    name: function.qualified_name(),
                    line: function.node.line(),
                    cyclomatic: 1,
                };
                (function.node.id(), entry)
            })
            .collect();
        let mut module_decisions = 0;
        for node in self.nodes().filter(|node| is_decision(*node)) {
            let owner = node.function().and_then(|owner| {
                functions
                    .binary_search_by_key(&owner.id(), |(id, _)| *id)
                    .ok()
                    .and_then(|at| functions.get_mut(at))
            });
            match owner {
                Some((_, function)) => function.cyclomatic += 1,
                None => module_decisions += 1,
            }
        }
        let functions: Vec<FunctionComplexity> =
            functions.into_iter().map(|(_, function)| function).collect();
        let module = if module_decisions > 0 || functions.is_empty() { 1 + module_decisions } else { 0 };
        Complexity { cyclomatic: module + functions.iter().map(|f| f.cyclomatic).sum::<u32>(), functions }
    }

    /// Number of tokens: names, literals (a string is one), keywords, operators and punctuation. Comments, layout, and
    /// strings that stand alone (docstrings) do not count, so that only what runs is measured.
    pub fn code_size(&self) -> u32 {
        let mut count = 0;
        let mut next = 0;
        while let Some(node) = self.node(next) {
            let is_leaf = node.children().next().is_none();
            match node.kind() {
                Kind::Comment | Kind::LineContinuation => next = node.after(),
                Kind::ExpressionStatement if literal::is_bare_string(node) => next = node.after(),
                Kind::String if !literal::is_formatted(node) => {
                    count += 1;
                    next = node.after();
                }
                _ if is_leaf => {
                    count += u32::from(!node.range().is_empty());
                    next = node.after();
                }
                _ => next += 1,
            }
        }
        count
    }
}

fn is_decision(node: Node<'_>) -> bool {
    match node.kind() {
        Kind::IfStatement
        | Kind::ElifClause
        | Kind::ConditionalExpression
        | Kind::ForStatement
        | Kind::WhileStatement
        | Kind::ExceptClause
        | Kind::AssertStatement
        | Kind::BooleanOperator
        | Kind::ForInClause
        | Kind::IfClause => true,
        Kind::CaseClause => !is_wildcard_case(node),
        _ => false,
    }
}

fn is_wildcard_case(case: Node<'_>) -> bool {
    let mut patterns = case.named_children().filter(|child| child.kind() == Kind::CasePattern);
    case.child(Field::Guard).is_none()
        && patterns.next().is_some_and(|pattern| pattern.text() == "_")
        && patterns.next().is_none()
}

#[cfg(test)]
mod tests {
    use crate::Module;

    #[track_caller]
    fn check(source: &str, expected: u32) {
        let module = Module::parse(source);
        assert!(module.is_valid(), "{:?}", module.errors());
        assert_eq!(module.complexity().cyclomatic, expected, "{source}");
    }

    #[test]
    fn counts_decisions() {
        check("x = 1\n", 1);
        check("def f(): pass\n", 1);
        check("def f(x):\n    if x and x > 1 or y:\n        return 1\n    elif x:\n        return 2\n", 5);
        check("def f(x):\n    return [a for a in x if a] if x else None\n", 4);
        check(
            "def f(x):\n    for a in x:\n        while a:\n            a -= 1\n    else:\n        pass\n",
            3,
        );
        check("def f():\n    try:\n        g()\n    except A:\n        pass\n    finally:\n        h()\n", 2);
        check(
            "def f(x):\n    match x:\n        case 1:\n            pass\n        case _:\n            pass\n",
            2,
        );
        check("def f():\n    def g(x):\n        return x or 1\n    return g\n", 3);
        check("if a:\n    b()\ndef f(): pass\n", 3);
    }

    #[test]
    fn names_functions_by_where_they_stand() {
        let module = Module::parse("class A:\n    def f(self):\n        def g(): pass\n");
        let names: Vec<String> = module.complexity().functions.into_iter().map(|f| f.name).collect();
        assert_eq!(names, ["A.f", "A.f.g"]);
    }

    #[test]
    fn size_is_blind_to_layout() {
        let size = |source: &str| Module::parse(source).code_size();
        assert_eq!(size("x = 1\n"), 3);
        assert_eq!(size("x   =  1  # one\n\n\n"), 3);
        assert_eq!(size("def f(a):\n    '''doc'''\n    return a + \"b c\"\n"), 10);
    }
}
