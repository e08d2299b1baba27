//! What the operator families need to know of a program: its scopes, the places where a value stands, the names, terms,
//! conditions and expressions that can be put there. Built once for a search, then only read.

use super::hints::Hints;
use super::layout;
use super::shape::{self, Shape, Shapes};
use super::suspicion::Suspicion;
use std::collections::{BTreeMap, BTreeSet};
use syntax::{Binding, Blocks, Field, Kind, Module, Node};

/// Most statements whose surroundings are searched; the most suspicious functions come first.
const MAX_STATEMENTS: usize = 400;
/// Most names, terms, conditions and expressions that a scope offers.
const MAX_NAMES: usize = 24;
const MAX_TERMS: usize = 20;
const MAX_ATOMS: usize = 90;
const MAX_INGREDIENTS: usize = 120;
/// Most integer literals of the file that are tried elsewhere.
const MAX_NUMBERS: usize = 8;
/// Longest expression, in bytes, that is used as an ingredient.
const MAX_INGREDIENT_BYTES: usize = 80;

/// A function, or the module's own statements.
pub(crate) struct Scope<'m> {
    pub(crate) node: Node<'m>,
    /// The block of statements; the module itself at top level.
    pub(crate) body: Node<'m>,
    pub(crate) is_function: bool,
    pub(crate) shapes: Shapes<'m>,
    /// Variables that can be read, nearest first: no functions, classes, modules.
    pub(crate) names: Vec<Name<'m>>,
    /// Functions of this file, the scope's own among them.
    pub(crate) callables: Vec<&'m str>,
    /// Names, attributes and elements that the scope reads, by how often.
    pub(crate) terms: Vec<Term>,
    /// Conditions: those that the scope has, then simple ones over its terms. With a weight, 0 to 1.
    pub(crate) atoms: Vec<(String, f64)>,
    pub(crate) ingredients: Vec<Ingredient<'m>>,
    /// Statements, not those of functions inside it.
    pub(crate) statements: Vec<Node<'m>>,
}

/// A variable of a scope.
pub(crate) struct Name<'m> {
    pub(crate) text: &'m str,
    pub(crate) shape: Shape,
    /// Assigned or passed in this very function.
    pub(crate) is_own: bool,
    pub(crate) is_parameter: bool,
}

/// Something simple that has a value.
pub(crate) struct Term {
    pub(crate) text: String,
    pub(crate) shape: Shape,
    pub(crate) is_name: bool,
}

/// An expression of the program, for use elsewhere.
pub(crate) struct Ingredient<'m> {
    pub(crate) node: Node<'m>,
    pub(crate) text: String,
    pub(crate) shape: Shape,
    /// 1 for the scope's own, less for what comes from further away.
    pub(crate) weight: f64,
}

/// A place where a value is read.
pub(crate) struct Site<'m> {
    pub(crate) node: Node<'m>,
    pub(crate) scope: usize,
    pub(crate) shape: Shape,
}

/// A program as the families see it.
pub(crate) struct Program<'m> {
    pub(crate) module: &'m Module,
    pub(crate) source: &'m str,
    pub(crate) blocks: Blocks,
    pub(crate) hints: &'m Hints,
    pub(crate) suspicion: &'m Suspicion,
    pub(crate) scopes: Vec<Scope<'m>>,
    pub(crate) sites: Vec<Site<'m>>,
    /// Names that statements assign to, with their scope.
    pub(crate) targets: Vec<Site<'m>>,
    /// One level of indentation.
    pub(crate) unit: String,
    /// Names of attributes: plain, and called.
    pub(crate) attributes: BTreeSet<&'m str>,
    pub(crate) methods: BTreeSet<&'m str>,
    /// Texts of string literals.
    pub(crate) strings: BTreeSet<&'m str>,
    /// Integer literals, at most [`MAX_NUMBERS`].
    pub(crate) numbers: BTreeSet<&'m str>,
}

impl<'m> Program<'m> {
    /// Reads a program. `others` are further sources of ingredients.
    pub(crate) fn read(
        module: &'m Module,
        others: &'m [Module],
        blocks: Blocks,
        suspicion: &'m Suspicion,
        hints: &'m Hints,
    ) -> Self {
        let mut program = Self {
            module,
            source: module.source(),
            blocks,
            hints,
            suspicion,
            scopes: Vec::new(),
            sites: Vec::new(),
            targets: Vec::new(),
            unit: layout::unit(module.root()),
            attributes: BTreeSet::new(),
            methods: BTreeSet::new(),
            strings: BTreeSet::new(),
            numbers: BTreeSet::new(),
        };
        program.find_scopes();
        program.find_sites();
        for index in 0..program.scopes.len() {
            program.find_terms(index);
            program.find_ingredients(index, others);
            program.find_atoms(index);
        }
        program
    }

    /// Suspicion of the statement around a node, at least of its own line.
    pub(crate) fn suspicion_at(&self, node: Node<'_>) -> f64 {
        let own = self.suspicion.of(node.line());
        node.statement().map_or(own, |statement| own.max(self.suspicion.of(statement.line())))
    }

    fn find_scopes(&mut self) {
        let mut found: Vec<(f64, Scope<'m>)> = Vec::new();
        for function in self.module.functions() {
            let suspicion = self.suspicion.highest(function.body.line(), *function.lines().end());
            found.push((suspicion, scope(self.module, function.node, function.body, true)));
        }
        let root = self.module.root();
        let top = scope(self.module, root, root, false);
        let works = top
            .statements
            .iter()
            .any(|s| !matches!(s.kind(), Kind::ImportStatement | Kind::ImportFromStatement));
        if works {
            found.push((if self.suspicion.is_known() { 0.01 } else { 0.5 }, top));
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut statements = 0;
        for (_, scope) in found {
            statements += scope.statements.len();
            self.scopes.push(scope);
            if statements >= MAX_STATEMENTS {
                break;
            }
        }
    }

    fn find_sites(&mut self) {
        let by_node: BTreeMap<u32, usize> =
            self.scopes.iter().enumerate().map(|(index, scope)| (scope.node.id(), index)).collect();
        let count = self.module.nodes().count();
        let mut excluded = vec![false; count];
        let mut target = vec![false; count];
        for node in self.module.nodes().skip(1) {
            let id = node.id() as usize;
            let Some(parent) = node.parent() else { continue };
            let parent_id = parent.id() as usize;
            let parent_excluded = excluded.get(parent_id).copied().unwrap_or(true);
            let parent_target = target.get(parent_id).copied().unwrap_or(false);
            let is_excluded = parent_excluded || is_excluded(node, parent);
            let is_target = is_target(node, parent, parent_target);
            if let (Some(e), Some(t)) = (excluded.get_mut(id), target.get_mut(id)) {
                (*e, *t) = (is_excluded, is_target);
            }
            if is_excluded {
                continue;
            }
            self.note_words(node, parent);
            let owner = node.function().map_or(0, Node::id);
            let Some(scope) = by_node.get(&owner).copied() else { continue };
            if is_target && node.kind() == Kind::Identifier {
                self.targets.push(Site { node, scope, shape: Shape::Unknown });
            } else if !is_target && node.kind().is_expression() && !is_only_a_name(node, parent) {
                let shapes = self.scopes.get(scope).map(|scope| &scope.shapes);
                let shape = shapes.map_or(Shape::Unknown, |shapes| shape::of(node, shapes));
                self.sites.push(Site { node, scope, shape });
            }
        }
    }

    fn note_words(&mut self, node: Node<'m>, parent: Node<'m>) {
        if node.field() == Some(Field::Attribute) && parent.kind() == Kind::Attribute {
            let called = parent.field() == Some(Field::Function);
            if called {
                self.methods.insert(node.text())
            } else {
                self.attributes.insert(node.text())
            };
        }
        if node.kind() == Kind::Integer && self.numbers.len() < MAX_NUMBERS {
            self.numbers.insert(node.text());
        }
        if node.kind() == Kind::String && node.text().len() <= MAX_INGREDIENT_BYTES {
            self.strings.insert(node.text());
        }
    }

    fn find_terms(&mut self, index: usize) {
        let Some(scope) = self.scopes.get(index) else { return };
        let mut counts: BTreeMap<&str, (usize, Shape, bool)> = BTreeMap::new();
        for site in self.sites.iter().filter(|site| site.scope == index) {
            let node = site.node;
            let is_called = node.field() == Some(Field::Function);
            let simple = match node.kind() {
                Kind::Identifier => scope.names.iter().any(|name| name.text == node.text()),
                Kind::Attribute => !is_called && node.text().len() <= 30,
                Kind::Subscript => node.text().len() <= 24 && !node.text().contains([':', '(']),
                _ => false,
            };
            if simple && !is_called {
                let entry =
                    counts.entry(node.text()).or_insert((0, site.shape, node.kind() == Kind::Identifier));
                entry.0 += 1;
            }
        }
        for name in scope.names.iter().filter(|name| name.is_own) {
            counts.entry(name.text).or_insert((0, name.shape, true));
        }
        let mut ordered: Vec<(&str, (usize, Shape, bool))> = counts.into_iter().collect();
        ordered.sort_by(|a, b| (b.1.2, b.1.0).cmp(&(a.1.2, a.1.0)).then(a.0.cmp(b.0)));
        let terms = ordered
            .into_iter()
            .take(MAX_TERMS)
            .map(|(text, (_, shape, is_name))| Term { text: text.to_owned(), shape, is_name })
            .collect();
        if let Some(scope) = self.scopes.get_mut(index) {
            scope.terms = terms;
        }
    }

    fn find_ingredients(&mut self, index: usize, others: &'m [Module]) {
        let mut seen = BTreeSet::new();
        let mut ingredients = Vec::new();
        for own in [true, false] {
            for site in self.sites.iter().filter(|site| (site.scope == index) == own) {
                let node = site.node;
                let text = node.text();
                if !is_ingredient(node) || !seen.insert(text) {
                    continue;
                }
                if ingredients.len() >= MAX_INGREDIENTS {
                    break;
                }
                let weight = if own { 1.0 } else { 0.3 };
                ingredients.push(Ingredient { node, text: text.to_owned(), shape: site.shape, weight });
            }
        }
        let foreign = others.iter().flat_map(Module::nodes).filter(|node| is_ingredient(*node));
        for node in foreign {
            if ingredients.len() >= MAX_INGREDIENTS {
                break;
            }
            let known = |name: Node<'_>| self.scopes.get(index).is_some_and(|scope| scope.knows(name.text()));
            let names = node.descendants().filter(|inner| inner.kind() == Kind::Identifier);
            let makes_sense = names.filter(|inner| inner.field() != Some(Field::Attribute)).all(known);
            if makes_sense && seen.insert(node.text()) {
                let shape =
                    self.scopes.get(index).map_or(Shape::Unknown, |scope| shape::of(node, &scope.shapes));
                ingredients.push(Ingredient { node, text: node.text().to_owned(), shape, weight: 0.3 });
            }
        }
        if let Some(scope) = self.scopes.get_mut(index) {
            scope.ingredients = ingredients;
        }
    }

    fn find_atoms(&mut self, index: usize) {
        if let Some(scope) = self.scopes.get(index) {
            let mut atoms = super::conditions::atoms(scope);
            let mut seen = BTreeSet::new();
            atoms.retain(|(text, _)| seen.insert(text.clone()));
            atoms.sort_by(|a, b| b.1.total_cmp(&a.1));
            atoms.truncate(MAX_ATOMS);
            if let Some(scope) = self.scopes.get_mut(index) {
                scope.atoms = atoms;
            }
        }
    }
}

/// Whether an expression is worth using elsewhere: more than a name or a literal, short, on one line.
fn is_ingredient(node: Node<'_>) -> bool {
    let trivial = matches!(
        node.kind(),
        Kind::Identifier
            | Kind::Integer
            | Kind::Float
            | Kind::True
            | Kind::False
            | Kind::None
            | Kind::String
            | Kind::ParenthesizedExpression
            | Kind::Lambda
    );
    let text = node.text();
    node.kind().is_expression() && !trivial && text.len() <= MAX_INGREDIENT_BYTES && !text.contains('\n')
}

/// Builtin functions that an ingredient from elsewhere may use.
const BUILTINS: &[&str] = &[
    "len",
    "range",
    "sum",
    "min",
    "max",
    "abs",
    "sorted",
    "set",
    "list",
    "int",
    "str",
    "any",
    "all",
    "enumerate",
    "zip",
];

impl Scope<'_> {
    /// Whether a name means something here.
    fn knows(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.text == name)
            || self.callables.contains(&name)
            || BUILTINS.contains(&name)
    }
}

/// Reads one function, or the top level.
fn scope<'m>(module: &'m Module, node: Node<'m>, body: Node<'m>, is_function: bool) -> Scope<'m> {
    let shapes = shape::of_names(node);
    let inside = body.named_children().next().map_or(body.range().end, |first| first.range().start);
    let visible = module.names_at(inside);
    let is_value = |binding| !matches!(binding, Binding::Function | Binding::Class | Binding::Import);
    let names = visible
        .iter()
        .filter(|name| is_value(name.binding))
        .take(MAX_NAMES)
        .map(|name| Name {
            text: name.text,
            shape: shapes.get(name.text).copied().unwrap_or(Shape::Unknown),
            is_own: name.distance == 0,
            is_parameter: name.binding == Binding::Parameter && name.distance == 0,
        })
        .collect();
    let callables =
        visible.iter().filter(|name| name.binding == Binding::Function).map(|name| name.text).collect();
    let own = |statement: &Node<'m>| statement.function() == is_function.then_some(node);
    let statements = body.descendants().filter(|inner| inner.kind().is_statement()).filter(own).collect();
    Scope {
        node,
        body,
        is_function,
        shapes,
        names,
        callables,
        terms: Vec::new(),
        atoms: Vec::new(),
        ingredients: Vec::new(),
        statements,
    }
}

/// Whether nothing below this node is a value that an edit may touch.
fn is_excluded(node: Node<'_>, parent: Node<'_>) -> bool {
    match node.kind() {
        Kind::ImportStatement
        | Kind::ImportFromStatement
        | Kind::FutureImportStatement
        | Kind::GlobalStatement
        | Kind::NonlocalStatement
        | Kind::DeleteStatement
        | Kind::Decorator
        | Kind::Type
        | Kind::Interpolation
        | Kind::Comment
        | Kind::LambdaParameters
        | Kind::AsPatternTarget
        | Kind::CasePattern => true,
        Kind::String => parent.kind() == Kind::ExpressionStatement,
        _ => {
            parent.kind() == Kind::Parameters
                && !matches!(node.kind(), Kind::DefaultParameter | Kind::TypedDefaultParameter)
        }
    }
}

fn is_target(node: Node<'_>, parent: Node<'_>, parent_is_target: bool) -> bool {
    let is_left = node.field() == Some(Field::Left)
        && matches!(
            parent.kind(),
            Kind::Assignment | Kind::AugmentedAssignment | Kind::ForStatement | Kind::ForInClause
        );
    let in_pattern = parent_is_target
        && matches!(
            parent.kind(),
            Kind::PatternList
                | Kind::TuplePattern
                | Kind::ListPattern
                | Kind::Tuple
                | Kind::List
                | Kind::ParenthesizedExpression
                | Kind::ListSplatPattern
        );
    is_left || in_pattern
}

/// Whether an identifier names something instead of reading it.
fn is_only_a_name(node: Node<'_>, parent: Node<'_>) -> bool {
    node.kind() == Kind::Identifier
        && (node.field() == Some(Field::Name)
            || (node.field() == Some(Field::Attribute) && parent.kind() == Kind::Attribute))
}
