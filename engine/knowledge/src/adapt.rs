//! Adapts a package to the local program: finds the place of each piece, moves names over, and makes a patch. Where the
//! local function is not the one that the peer changed, only the lines that the peer changed are carried over. Where those
//! are not here either, a function of the same name and parameters takes the peer's in whole, but only when the package
//! changes nothing else: these lines were changed here too, and what else it brings is no reason to lose that. What is here
//! already is left, so that a package of several pieces brings those that are missing.

use crate::compatibility::{Place, home, places};
use crate::extract::dedented;
use crate::package::{ChangeKind, CodeChange, Package};
use evolution::candidate::{FileChange, Patch, SourceFiles};
use std::collections::BTreeMap;
use syntax::{Edit, Field, Kind, Module};

/// Most lines of a function whose differences are looked for.
const MAX_LINES: usize = 2_000;

/// Why a package cannot be adapted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdaptError {
    /// A piece has no place here.
    #[error("there is nothing here like {0:?}")]
    NoPlace(String),
    /// The local code differs where the peer's changed.
    #[error("{0:?} differs here where the peer's changed")]
    Differs(String),
    /// The outcome is no Python, or pieces overlap.
    #[error("it makes no valid program: {0}")]
    Invalid(String),
    /// Everything is here already.
    #[error("it changes nothing here")]
    Nothing,
}

/// The patch that a package comes to on these files.
///
/// # Errors
/// [`AdaptError`].
pub fn adapt(package: &Package, files: &SourceFiles) -> Result<Patch, AdaptError> {
    let places = places(files);
    let mut edits: BTreeMap<String, Vec<Edit>> = BTreeMap::new();
    let mut replacing: BTreeMap<String, Vec<Edit>> = BTreeMap::new();
    // What is new goes where the changed pieces went.
    let mut main_path = None;
    let (changed, new): (Vec<&CodeChange>, Vec<&CodeChange>) =
        package.code_pattern.patterns.iter().partition(|change| change.before.is_some());
    for change in changed {
        let (path, piece) = match change.kind {
            ChangeKind::Function => function_piece(change, &places, files)?,
            ChangeKind::Statement | ChangeKind::Import => statement_piece(change, files)?,
        };
        main_path.get_or_insert_with(|| path.clone());
        match piece {
            Piece::Here => {}
            Piece::Missing(edit) => edits.entry(path).or_default().push(edit),
            Piece::Replacing(edit) => replacing.entry(path).or_default().push(edit),
        }
    }
    if edits.is_empty() {
        edits = replacing;
    }
    let main_path = main_path.ok_or_else(|| AdaptError::NoPlace(package.improvement_type.clone()))?;
    for change in new {
        let path = if files.text(&change.path).is_some() { &change.path } else { &main_path };
        let source = files.text(path).unwrap_or_default();
        edits.entry(path.clone()).or_default().extend(addition(change, source));
    }
    patch_of(edits, files)
}

fn patch_of(edits: BTreeMap<String, Vec<Edit>>, files: &SourceFiles) -> Result<Patch, AdaptError> {
    let mut changes = Vec::new();
    for (path, edits) in edits {
        let source = files.text(&path).unwrap_or_default();
        let text = syntax::apply(source, &edits).map_err(|error| AdaptError::Invalid(error.to_string()))?;
        if text == source {
            continue;
        }
        if !Module::parse(&text).is_valid() {
            return Err(AdaptError::Invalid(format!("{path} has a syntax error after it")));
        }
        changes.push(FileChange { path, content: Some(text.into_bytes().into()) });
    }
    if changes.is_empty() { Err(AdaptError::Nothing) } else { Ok(Patch(changes)) }
}

/// What a changed piece of a package is to the local program.
enum Piece {
    /// It is here already.
    Here,
    /// What it changes was not changed here.
    Missing(Edit),
    /// What it changes was changed here too, to something else, and is lost with it.
    Replacing(Edit),
}

fn function_piece(
    change: &CodeChange,
    places: &[Place],
    files: &SourceFiles,
) -> Result<(String, Piece), AdaptError> {
    let named = || AdaptError::NoPlace(change.name.clone());
    let before = change.before.as_deref().ok_or_else(named)?;
    let (place, _) = home(change, places).ok_or_else(named)?;
    let after = change.after.as_deref().ok_or_else(named)?;
    let names = renaming(change, place);
    let (before, after) = (renamed(before, &names), renamed(after, &names));
    let here = Module::parse(&place.text).fingerprint();
    if Module::parse(&after).fingerprint() == here {
        return Ok((place.path.clone(), Piece::Here));
    }
    let equal = Module::parse(&before).fingerprint() == here;
    let namesake = change.name == place.name && change.args == place.args;
    let (text, kind): (String, fn(Edit) -> Piece) = match carried_over(&before, &after, &place.text) {
        _ if equal => (after, Piece::Missing),
        Some(text) => (text, Piece::Missing),
        None if namesake => (after, Piece::Replacing),
        None => return Err(AdaptError::Differs(change.name.clone())),
    };
    let source = files.text(&place.path).unwrap_or_default();
    let line = source.get(place.span.clone()).unwrap_or_default();
    let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
    Ok((place.path.clone(), kind(Edit::replace(place.span.clone(), indented(&text, indent)))))
}

fn statement_piece(change: &CodeChange, files: &SourceFiles) -> Result<(String, Piece), AdaptError> {
    let named = || AdaptError::NoPlace(change.name.clone());
    let before = change.before.as_deref().ok_or_else(named)?;
    let after = change.after.as_deref().unwrap_or_default();
    let paths = std::iter::once(&change.path).chain(files.0.keys());
    for path in paths {
        let Some(source) = files.text(path) else { continue };
        let module = Module::parse(source);
        let here = module.root().named_children().find(|node| node.text() == before);
        if let Some(node) = here {
            return Ok((path.clone(), Piece::Missing(Edit::replace(node.range(), after))));
        }
    }
    Err(named())
}

/// A new import goes before the first statement that is no docstring or `__future__` import, everything else to the end.
fn addition(change: &CodeChange, source: &str) -> Option<Edit> {
    let text = change.after.as_deref()?;
    let module = Module::parse(source);
    let known = module.root().named_children().any(|node| node.text() == text);
    if known || module.functions().iter().any(|function| function.qualified_name() == change.name) {
        return None;
    }
    if change.kind == ChangeKind::Function {
        let gap = if source.ends_with('\n') { "\n\n" } else { "\n\n\n" };
        return Some(Edit::insert(source.len(), format!("{gap}{text}\n")));
    }
    let mut statements = module.root().named_children();
    let first = statements.find(|node| {
        let docstring = node.kind() == Kind::ExpressionStatement && node.text().starts_with(['"', '\'']);
        !docstring && !matches!(node.kind(), Kind::FutureImportStatement | Kind::Comment)
    });
    Some(Edit::insert(first.map_or(source.len(), |node| node.range().start), format!("{text}\n")))
}

/// What the peer's names are called here: the function's own and its parameters', by their places.
fn renaming(change: &CodeChange, place: &Place) -> BTreeMap<String, String> {
    let own = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    let mut names = BTreeMap::from([(own(&change.name), own(&place.name))]);
    if change.args.len() == place.args.len() {
        names.extend(change.args.iter().cloned().zip(place.args.iter().cloned()));
    }
    names.retain(|from, to| from != to);
    names
}

/// The text with its names replaced; attributes and keywords of calls keep theirs.
fn renamed(text: &str, names: &BTreeMap<String, String>) -> String {
    if names.is_empty() {
        return text.to_owned();
    }
    let module = Module::parse(text);
    let edits: Vec<Edit> = module
        .nodes_of(Kind::Identifier)
        .filter(|node| node.field() != Some(Field::Attribute))
        .filter(|node| {
            let keyword = node.parent().is_some_and(|parent| parent.kind() == Kind::KeywordArgument);
            !(keyword && node.field() == Some(Field::Name))
        })
        .filter_map(|node| names.get(node.text()).map(|to| Edit::replace(node.range(), to.as_str())))
        .collect();
    syntax::apply(text, &edits).unwrap_or_else(|_| text.to_owned())
}

/// The local text with the lines changed that differ between `before` and `after`; `None` when one of them is not found
/// here, or in more than one place.
fn carried_over(before: &str, after: &str, local: &str) -> Option<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut lines: Vec<String> = local.lines().map(str::to_owned).collect();
    if old.len().max(new.len()).max(lines.len()) > MAX_LINES {
        return None;
    }
    for hunk in hunks(&old, &new).into_iter().rev() {
        // Lines that were only added are found by the line that they follow.
        let anchored = hunk.old.is_empty();
        let from = if anchored { hunk.old.start.checked_sub(1)? } else { hunk.old.start };
        let sought = old.get(from..hunk.old.end.max(from + 1))?;
        let at = only_place(&lines, sought)?;
        let start = if anchored { at + 1 } else { at };
        let put = new.get(hunk.new.clone())?.iter().map(|line| (*line).to_owned());
        lines.splice(start..start + hunk.old.len(), put);
    }
    Some(lines.join("\n"))
}

/// Where the lines stand, when they stand in one place alone.
fn only_place(lines: &[String], sought: &[&str]) -> Option<usize> {
    let alike = |window: &[String]| {
        window.iter().zip(sought).all(|(line, sought)| line.trim_end() == sought.trim_end())
    };
    let mut places = lines.windows(sought.len().max(1)).enumerate().filter(|(_, window)| alike(window));
    let (at, _) = places.next()?;
    places.next().is_none().then_some(at)
}

/// Lines that were replaced.
#[derive(Debug, PartialEq, Eq)]
struct Hunk {
    old: std::ops::Range<usize>,
    new: std::ops::Range<usize>,
}

/// What two lists of lines differ in, by their longest common subsequence.
fn hunks(old: &[&str], new: &[&str]) -> Vec<Hunk> {
    let width = new.len() + 1;
    let mut common = vec![0_u16; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        let (start_i, start_j) = (i, j);
        while (i < old.len() || j < new.len()) && !(i < old.len() && j < new.len() && old[i] == new[j]) {
            let skip_old =
                j == new.len() || (i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]);
            if skip_old { i += 1 } else { j += 1 }
        }
        if (start_i, start_j) != (i, j) {
            found.push(Hunk { old: start_i..i, new: start_j..j });
        }
        while i < old.len() && j < new.len() && old[i] == new[j] {
            i += 1;
            j += 1;
        }
    }
    found
}

/// The text with every line but blank ones moved right.
fn indented(text: &str, indent: &str) -> String {
    if indent.is_empty() {
        return text.to_owned();
    }
    let text = dedented(text);
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("{indent}{line}") };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compatibility::{LocalContext, compatibility};
    use crate::extract::{Improvement, extract};
    use crate::package::Goal;
    use proptest::prelude::*;

    fn files(text: &str) -> SourceFiles {
        SourceFiles(BTreeMap::from([("program.py".to_owned(), text.as_bytes().into())]))
    }

    fn package(before: &str, after: &str) -> Package {
        let objectives = vec![Goal { name: "performance".to_owned(), direction: "minimize".to_owned() }];
        extract(&Improvement {
            agent_id: "a",
            operator: "speed",
            before: &files(before),
            after: &files(after),
            delta: 0.5,
            by_objective: BTreeMap::new(),
            objectives,
            fingerprint: String::new(),
            success_factors: Vec::new(),
            solves: Vec::new(),
        })
        .unwrap()
    }

    fn adapted(package: &Package, local: &str) -> Result<String, AdaptError> {
        let local = files(local);
        let patch = adapt(package, &local)?;
        Ok(local.patched(&patch).text("program.py").unwrap().to_owned())
    }

    const SLOW: &str = "def total(values):\n    result = 0\n    for value in values:\n        result += value\n    return result\n";
    const FAST: &str = "import math\n\ndef total(values):\n    return math.fsum(values)\n";

    #[test]
    fn the_same_program_takes_it_whole() {
        let package = package(SLOW, FAST);
        assert!(adapted(&package, SLOW).unwrap().contains("return math.fsum(values)"));
        assert!(adapted(&package, SLOW).unwrap().starts_with("import math\n"));
    }

    #[test]
    fn other_names_and_places_are_moved_over() {
        let local = "class Bag:\n    def total(self, items):\n        return 1\n\ndef add_up(items):\n    result = 0\n    for value in items:\n        result += value\n    return result\n";
        let text = adapted(&package(SLOW, FAST), local).unwrap();
        assert!(text.contains("def add_up(items):\n    return math.fsum(items)"), "{text}");
    }

    #[test]
    fn only_changed_lines_go_into_a_function_that_differs() {
        let before = "def f(a, b):\n    x = sorted(a)\n    y = x[len(x) // 3]\n    z = y + b\n    return z\n";
        let after = before.replace("// 3", "// 2");
        let local = before.replace("z = y + b", "z = y - b");
        let text = adapted(&package(before, &after), &local).unwrap();
        assert!(text.contains("// 2") && text.contains("y - b"), "{text}");
    }

    #[test]
    fn where_the_lines_are_not_here_only_a_namesake_takes_the_function_in_whole() {
        let before = "def f(a, b):\n    x = sorted(a)\n    y = x[len(x) // 3]\n    z = y + b\n    return z\n";
        let after = before.replace("// 3", "// 2");
        let local = before.replace("y = x[len(x) // 3]", "y = x[len(x) // 4]");
        assert_eq!(adapted(&package(before, &after), &local).unwrap(), after);
        let other = local.replace("def f(", "def g(");
        assert!(matches!(
            adapted(&package(before, &after), &other),
            Err(AdaptError::Differs(_) | AdaptError::NoPlace(_))
        ));
    }

    #[test]
    fn what_was_changed_here_too_is_kept_while_the_package_brings_something_else() {
        let before = "def f(a):\n    return a + 2\n\ndef g(b):\n    return b * 3\n";
        let after = before.replace("+ 2", "+ 1").replace("* 3", "* 2");
        let local = before.replace("+ 2", "- 2");
        let brought = adapted(&package(before, &after), &local).unwrap();
        assert_eq!(brought, local.replace("* 3", "* 2"));
        // With nothing else to bring it takes the place of what is here.
        assert_eq!(adapted(&package(before, &after), &brought).unwrap(), after);
    }

    #[test]
    fn of_several_pieces_only_those_that_are_missing_are_brought() {
        let before = "def f(a):\n    return a + 2\n\ndef g(b):\n    return b * 3\n";
        let after = before.replace("+ 2", "+ 1").replace("* 3", "* 2");
        let local = before.replace("+ 2", "+ 1");
        assert_eq!(adapted(&package(before, &after), &local).unwrap(), after);
        assert_eq!(adapted(&package(before, &after), &after), Err(AdaptError::Nothing));
    }

    #[test]
    fn what_fits_nowhere_has_no_score_and_no_patch() {
        let local =
            files("class A:\n    x = {1: 2}\n\ndef g(k):\n    with open(k) as f:\n        return f.read()\n");
        let goal = Goal { name: "performance".to_owned(), direction: "minimize".to_owned() };
        let context = LocalContext { files: &local, objectives: &[goal], trust: 0.5 };
        let package = package(SLOW, FAST);
        assert_eq!(compatibility(&package, &context).score, 0.0);
        assert!(matches!(adapt(&package, &local), Err(AdaptError::NoPlace(_))));
        let here = files(SLOW);
        let fit = compatibility(&package, &LocalContext { files: &here, ..context });
        assert!((fit.score - 0.95).abs() < 1e-9 && fit.structure == 1.0, "{fit:?}");
    }

    proptest! {
        #[test]
        fn a_patch_is_valid_python_whatever_was_sent(after in "[a-z(): \n=+0-9]{0,80}", name in ".{0,12}") {
            let mut package = package(SLOW, FAST);
            for change in &mut package.code_pattern.patterns {
                change.after = Some(after.clone());
                change.name.clone_from(&name);
            }
            if let Ok(text) = adapted(&package, SLOW) {
                prop_assert!(Module::parse(&text).is_valid());
            }
        }
    }
}
