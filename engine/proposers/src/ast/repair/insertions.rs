//! Statements that are missing: one like another of the function, an update, a call that stores something, a jump, or the
//! use of a result that was thrown away.

use super::catalogue::Collector;
use super::family::Family;
use super::layout;
use super::program::{Program, Scope, Term};
use super::shape::Shape;
use std::collections::BTreeSet;
use syntax::{Edit, Field, Kind, Node};

/// Most statements of a scope that are copied, and most variants of each.
const MAX_COPIED: usize = 30;
const MAX_VARIANTS: usize = 12;

/// A place between statements.
struct Gap<'m> {
    /// The statement before or after it, for localisation.
    near: Node<'m>,
    indent: &'m str,
    at: usize,
    in_loop: bool,
    /// After the last statement of a block.
    closes: bool,
}

pub(crate) fn propose(out: &mut Collector<'_, '_>) {
    let program = out.program();
    for scope in &program.scopes {
        let gaps = gaps(scope);
        for gap in &gaps {
            copies(out, gap, scope, program);
            updates(out, gap, scope);
            calls(out, gap, scope);
            jumps(out, gap, scope);
        }
        for statement in &scope.statements {
            capture(out, *statement, scope);
        }
    }
}

fn gaps<'m>(scope: &Scope<'m>) -> Vec<Gap<'m>> {
    let mut gaps = Vec::new();
    for statement in &scope.statements {
        let (Some(indent), Some(lines)) = (layout::indentation(*statement), layout::whole_lines(*statement))
        else {
            continue;
        };
        let in_loop = statement
            .ancestors()
            .take_while(|outer| *outer != scope.node)
            .any(|outer| matches!(outer.kind(), Kind::ForStatement | Kind::WhileStatement));
        gaps.push(Gap { near: *statement, indent, at: lines.start, in_loop, closes: false });
        let is_last = statement.parent().is_some_and(|block| block.statements().last() == Some(*statement));
        let leaves = matches!(
            statement.kind(),
            Kind::ReturnStatement | Kind::BreakStatement | Kind::ContinueStatement | Kind::RaiseStatement
        );
        if is_last && !leaves {
            gaps.push(Gap { near: *statement, indent, at: lines.end, in_loop, closes: true });
        }
    }
    gaps
}

fn insert(out: &mut Collector<'_, '_>, family: Family, gap: &Gap<'_>, weight: f64, statement: &str) {
    let source = out.program().source;
    let edit = layout::insert_lines(source, gap.at, &format!("{}{statement}\n", gap.indent));
    out.add(family, gap.near, weight, vec![edit]);
}

/// Statements of the function, as they are and with one name exchanged.
fn copies(out: &mut Collector<'_, '_>, gap: &Gap<'_>, scope: &Scope<'_>, program: &Program<'_>) {
    let simple = scope.statements.iter().filter(|statement| {
        let returns = statement.kind() == Kind::ReturnStatement && scope.is_function;
        (returns || statement.kind() == Kind::ExpressionStatement) && !statement.text().contains('\n')
    });
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for statement in simple.take(MAX_COPIED) {
        let text = statement.text();
        if !seen.insert(text) || text.starts_with(['"', '\'']) {
            continue;
        }
        let adjacent = program.source.get(..gap.at).is_some_and(|before| before.trim_end().ends_with(text))
            || program.source.get(gap.at..).is_some_and(|after| after.trim_start().starts_with(text));
        let weight =
            if statement.kind() == Kind::ReturnStatement { if gap.closes { 0.8 } else { 0.1 } } else { 1.0 };
        let weight = weight * if adjacent { 0.2 } else { 1.0 };
        insert(out, Family::InsertCopy, gap, weight, text);
        for variant in renamed(*statement, scope) {
            insert(out, Family::InsertCopy, gap, 0.4 * weight, &variant);
        }
        for variant in crossed(*statement, scope) {
            insert(out, Family::InsertCopy, gap, 0.5 * weight, &variant);
        }
    }
}

/// A statement with one identifier, wherever it stands in it once, exchanged for a variable that could stand there.
fn renamed(statement: Node<'_>, scope: &Scope<'_>) -> Vec<String> {
    let base = statement.range().start;
    let text = statement.text();
    let mut found = Vec::new();
    for node in statement.descendants().filter(|node| node.kind() == Kind::Identifier) {
        if matches!(node.field(), Some(Field::Function | Field::Attribute | Field::Name)) {
            continue;
        }
        let Some(shape) = scope.names.iter().find(|name| name.text == node.text()).map(|name| name.shape)
        else {
            continue;
        };
        let range = node.range();
        let (Some(before), Some(after)) = (text.get(..range.start - base), text.get(range.end - base..))
        else {
            continue;
        };
        for name in scope.names.iter().filter(|name| name.is_own && name.text != node.text()) {
            if shape.fits(name.shape) >= 0.5 && found.len() < MAX_VARIANTS {
                found.push(format!("{before}{}{after}", name.text));
            }
        }
    }
    found
}

/// A statement with two of its variables exchanged: the other half of something symmetric.
fn crossed(statement: Node<'_>, scope: &Scope<'_>) -> Vec<String> {
    let reads: Vec<Node<'_>> = statement
        .descendants()
        .filter(|node| {
            node.kind() == Kind::Identifier
                && scope.names.iter().any(|name| name.is_own && name.text == node.text())
        })
        .collect();
    let names: BTreeSet<&str> = reads.iter().map(|node| node.text()).collect();
    let base = statement.range().start;
    let mut found = Vec::new();
    for a in &names {
        for b in names.range::<str, _>((std::ops::Bound::Excluded(*a), std::ops::Bound::Unbounded)) {
            let edits: Vec<Edit> = reads
                .iter()
                .filter(|node| node.text() == *a || node.text() == *b)
                .map(|node| {
                    let other = if node.text() == *a { *b } else { *a };
                    Edit::replace(node.range().start - base..node.range().end - base, other)
                })
                .collect();
            found.extend(syntax::apply(statement.text(), &edits));
        }
    }
    found.truncate(MAX_VARIANTS);
    found
}

/// `v += 1`, `v = w`, and their like.
fn updates(out: &mut Collector<'_, '_>, gap: &Gap<'_>, scope: &Scope<'_>) {
    let place = if gap.in_loop { 1.0 } else { 0.4 };
    let own: Vec<_> = scope.names.iter().filter(|name| name.is_own).collect();
    for name in &own {
        let v = name.text;
        if name.shape.may_be_number() {
            let number = name.shape.fits(Shape::Number);
            for (text, weight) in [
                (format!("{v} += 1"), 1.0),
                (format!("{v} -= 1"), 0.7),
                (format!("{v} = 0"), 0.4),
                (format!("{v} //= 2"), 0.15),
                (format!("{v} *= 2"), 0.1),
                (format!("{v} = 1"), 0.2),
            ] {
                insert(out, Family::InsertUpdate, gap, weight * place * number, &text);
            }
        }
        if name.shape == Shape::List || name.shape == Shape::Unknown {
            insert(out, Family::InsertUpdate, gap, 0.25 * name.shape.fits(Shape::List), &format!("{v} = []"));
        }
        if name.shape == Shape::Bool {
            insert(out, Family::InsertUpdate, gap, 0.6 * place, &format!("{v} = True"));
            insert(out, Family::InsertUpdate, gap, 0.6 * place, &format!("{v} = False"));
        }
        for other in own.iter().filter(|other| other.text != v) {
            let fits = name.shape.fits(other.shape);
            if fits >= 0.5 && !name.is_parameter {
                insert(out, Family::InsertUpdate, gap, 0.5 * place * fits, &format!("{v} = {}", other.text));
            } else if fits >= 0.5 {
                insert(out, Family::InsertUpdate, gap, 0.3 * place * fits, &format!("{v} = {}", other.text));
            }
            if name.shape == Shape::Number && other.shape.may_be_number() {
                insert(out, Family::InsertUpdate, gap, 0.3 * place, &format!("{v} += {}", other.text));
                insert(out, Family::InsertUpdate, gap, 0.15 * place, &format!("{v} -= {}", other.text));
            }
        }
    }
    // Something that the loop runs over, one step further: `node = node.next`.
    for name in own.iter().filter(|name| !matches!(name.shape, Shape::Number | Shape::List)) {
        for attribute in out.program().attributes.iter().take(6) {
            let text = format!("{} = {}.{attribute}", name.text, name.text);
            insert(out, Family::InsertUpdate, gap, 0.4 * place, &text);
        }
    }
}

/// `xs.append(v)`, `seen.add(v)`, `d[k] = v` and their like.
fn calls(out: &mut Collector<'_, '_>, gap: &Gap<'_>, scope: &Scope<'_>) {
    let place = if gap.in_loop { 1.0 } else { 0.5 };
    let stores =
        scope.terms.iter().filter(|term| !matches!(term.shape, Shape::Number | Shape::Text | Shape::Bool));
    for store in stores.take(8) {
        let methods: &[(&str, f64)] = match store.shape {
            Shape::List => &[("append", 1.0), ("extend", 0.5), ("remove", 0.1)],
            Shape::Set => &[("add", 1.2), ("update", 0.3), ("discard", 0.2), ("remove", 0.2)],
            Shape::Dict => &[],
            _ => &[("append", 0.4), ("add", 0.4), ("extend", 0.2), ("update", 0.2)],
        };
        for term in scope.terms.iter().filter(|term| term.text != store.text).take(10) {
            let likely = if term.is_name { 1.0 } else { 0.5 };
            for (method, weight) in methods {
                let text = format!("{}.{method}({})", store.text, term.text);
                insert(out, Family::InsertCall, gap, weight * likely * place, &text);
            }
        }
        store_at(out, gap, store, scope, place);
        if matches!(store.shape, Shape::List | Shape::Unknown) {
            for (method, weight) in [("pop()", 0.6), ("sort()", 0.3), ("reverse()", 0.2), ("pop(0)", 0.3)] {
                let fits = store.shape.fits(Shape::List);
                insert(out, Family::InsertCall, gap, weight * fits, &format!("{}.{method}", store.text));
            }
        }
    }
}

/// `d[k] = v` for keys and values of the scope; for lists and what may be one, fewer of them.
fn store_at(out: &mut Collector<'_, '_>, gap: &Gap<'_>, store: &Term, scope: &Scope<'_>, place: f64) {
    let (fits, keys) = match store.shape {
        Shape::Dict => (0.6, 8),
        Shape::List | Shape::Unknown if store.is_name => (0.1, 3),
        _ => return,
    };
    let plain = |term: &&Term| term.text != store.text && term.shape != Shape::List;
    for key in scope.terms.iter().filter(plain).take(keys) {
        let likely = fits * place * if key.is_name { 1.0 } else { 0.5 };
        for value in scope.terms.iter().filter(|value| value.text != store.text).take(keys) {
            insert(
                out,
                Family::InsertCall,
                gap,
                likely,
                &format!("{}[{}] = {}", store.text, key.text, value.text),
            );
        }
        for value in ["True", "1", "0"] {
            insert(
                out,
                Family::InsertCall,
                gap,
                0.5 * likely,
                &format!("{}[{}] = {value}", store.text, key.text),
            );
        }
    }
}

fn jumps(out: &mut Collector<'_, '_>, gap: &Gap<'_>, scope: &Scope<'_>) {
    if gap.in_loop && gap.closes {
        insert(out, Family::InsertJump, gap, 1.0, "break");
        insert(out, Family::InsertJump, gap, 0.7, "continue");
    }
    if gap.closes && scope.is_function {
        insert(out, Family::InsertJump, gap, 0.5, "return");
    }
}

/// `f(x)` whose result is thrown away: kept in a variable, added to one.
fn capture(out: &mut Collector<'_, '_>, statement: Node<'_>, scope: &Scope<'_>) {
    let Some(value) = statement.named_children().next() else { return };
    if statement.kind() != Kind::ExpressionStatement || value.kind() != Kind::Call {
        return;
    }
    for name in scope.names.iter().filter(|name| name.is_own) {
        let v = name.text;
        for (prefix, weight) in [(format!("{v} = "), 1.0), (format!("{v} += "), 0.8)] {
            out.add(Family::Capture, statement, weight, vec![Edit::insert(value.range().start, prefix)]);
        }
        if name.shape == Shape::List {
            out.replace(Family::Capture, value, 0.8, format!("{v}.extend({})", value.text()));
            out.replace(Family::Capture, value, 0.6, format!("{v}.append({})", value.text()));
        }
    }
}
