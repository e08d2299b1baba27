//! How well a package fits here: a score between 0 and 1 with its parts, so that a person can see why. And where each of
//! its functions would go.

use crate::extract::{outermost, text_of};
use crate::package::{ChangeKind, CodeChange, Goal, Package};
use crate::shape::Shape;
use evolution::candidate::SourceFiles;
use serde::{Deserialize, Serialize};
use syntax::Module;

/// Functions of the local program that are looked at.
const MAX_FUNCTIONS: usize = 4_000;
/// What each part weighs; together 1. Structure decides whether there is a place for the change at all.
const STRUCTURE_WEIGHT: f64 = 0.5;
const INTERFACE_WEIGHT: f64 = 0.15;
const OBJECTIVES_WEIGHT: f64 = 0.25;
const TRUST_WEIGHT: f64 = 0.1;
/// Similarity from which a function counts as the place of a change.
pub(crate) const HOME_FROM: f64 = 0.6;

/// The local side of the comparison.
#[derive(Debug, Clone)]
pub struct LocalContext<'a> {
    /// The program's files that may change.
    pub files: &'a SourceFiles,
    /// What it is judged by.
    pub objectives: &'a [Goal],
    /// Trust in the package's source, 0 to 1.
    pub trust: f64,
}

/// How well a package fits, with the parts of the score, each 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Compatibility {
    /// The whole: the weighted sum of the parts; 0 when nothing of the package can be placed.
    pub score: f64,
    /// How alike its functions and the local ones are that they would replace.
    pub structure: f64,
    /// Share of parameters in common with those.
    pub interface: f64,
    /// Share of its objectives that are objectives here, in the same direction.
    pub objectives: f64,
    /// Trust in its source.
    pub trust: f64,
}

/// A function of the local program.
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) args: Vec<String>,
    pub(crate) text: String,
    /// Bytes of the definition with its decorators, from the beginning of its first line.
    pub(crate) span: std::ops::Range<usize>,
    shape: Shape,
}

/// Every outermost function of the Python among the files.
pub(crate) fn places(files: &SourceFiles) -> Vec<Place> {
    let mut found = Vec::new();
    for path in files.0.keys().filter(|path| path.ends_with(".py")) {
        let Some(source) = files.text(path) else { continue };
        let module = Module::parse(source);
        if !module.is_valid() {
            continue;
        }
        for function in outermost(&module).into_iter().take(MAX_FUNCTIONS.saturating_sub(found.len())) {
            let text = text_of(source, &function);
            let span = function.span();
            let start = source[..span.start].rfind('\n').map_or(0, |at| at + 1);
            found.push(Place {
                path: path.clone(),
                name: function.qualified_name(),
                args: function.parameters.iter().map(|parameter| parameter.name.to_owned()).collect(),
                shape: Shape::of(&text),
                text,
                span: start..span.end,
            });
        }
    }
    found
}

/// The place of a change of a function, and how alike they are: the function of the same file, name and parameters, however
/// it was changed here (entirely alike, where it was changed as the peer's was); where there is none the most alike, and
/// among equals that of the same name.
pub(crate) fn home<'p>(change: &CodeChange, places: &'p [Place]) -> Option<(&'p Place, f64)> {
    let text = change.before.as_deref()?;
    let same = Module::parse(text).fingerprint();
    let shape = Shape::of(text);
    let alike = |place: &Place| {
        let equal = place.text == text || Module::parse(&place.text).fingerprint() == same;
        if equal { 1.0 } else { shape.similarity(&place.shape) * 0.99 }
    };
    let changed = change.after.as_deref().map(|after| Module::parse(after).fingerprint());
    let namesake = places
        .iter()
        .find(|place| place.name == change.name && place.path == change.path && place.args == change.args);
    if let Some(place) = namesake {
        let done = changed.is_some_and(|changed| Module::parse(&place.text).fingerprint() == changed);
        return Some((place, if done { 1.0 } else { alike(place) }));
    }
    let rated = places.iter().map(|place| {
        let named = usize::from(place.name == change.name) + usize::from(place.path == change.path);
        (place, alike(place), named)
    });
    let best = rated.max_by(|(_, one, near), (_, other, far)| one.total_cmp(other).then(near.cmp(far)))?;
    (best.1 >= HOME_FROM).then_some((best.0, best.1))
}

/// Holds a package against the local program.
pub fn compatibility(package: &Package, local: &LocalContext<'_>) -> Compatibility {
    let objectives = objectives_in_common(package, local.objectives);
    let trust = local.trust.clamp(0.0, 1.0);
    let nothing = Compatibility { objectives, trust, ..Compatibility::default() };
    if package.code_pattern.language != "python" {
        return nothing;
    }
    let changed: Vec<&CodeChange> =
        package.code_pattern.patterns.iter().filter(|change| change.before.is_some()).collect();
    let functions: Vec<&&CodeChange> =
        changed.iter().filter(|change| change.kind == ChangeKind::Function).collect();
    let places = places(local.files);
    let homes: Vec<_> = functions.iter().map(|change| (change, home(change, &places))).collect();
    let statements: Vec<f64> = changed
        .iter()
        .filter(|change| change.kind == ChangeKind::Statement)
        .map(|change| f64::from(u8::from(statement_is_here(change, local.files))))
        .collect();
    let count = homes.len() + statements.len();
    if count == 0 || homes.iter().any(|(_, home)| home.is_none()) {
        return nothing;
    }
    let alike = homes.iter().filter_map(|(_, home)| home.as_ref().map(|(_, alike)| *alike));
    let structure = alike.chain(statements.iter().copied()).sum::<f64>() / count as f64;
    let shared =
        homes.iter().filter_map(|(change, home)| home.as_ref().map(|(place, _)| interface(change, place)));
    let interface = if homes.is_empty() { structure } else { shared.sum::<f64>() / homes.len() as f64 };
    if structure == 0.0 {
        return nothing;
    }
    let score = STRUCTURE_WEIGHT * structure
        + INTERFACE_WEIGHT * interface
        + OBJECTIVES_WEIGHT * objectives
        + TRUST_WEIGHT * trust;
    Compatibility { score, structure, interface, objectives, trust }
}

fn statement_is_here(change: &CodeChange, files: &SourceFiles) -> bool {
    let Some(text) = change.before.as_deref() else { return false };
    files.0.keys().filter_map(|path| files.text(path)).any(|source| source.lines().any(|line| line == text))
}

/// Share of parameters in common: by number, half for another name.
fn interface(change: &CodeChange, place: &Place) -> f64 {
    let most = change.args.len().max(place.args.len());
    if most == 0 {
        return 1.0;
    }
    let pairs = change.args.iter().zip(&place.args);
    pairs.map(|(one, other)| if one == other { 1.0 } else { 0.5 }).sum::<f64>() / most as f64
}

/// Share of the package's objectives that are ours too; a package that names none may serve any.
fn objectives_in_common(package: &Package, ours: &[Goal]) -> f64 {
    let theirs = &package.applicability_context.objectives;
    if theirs.is_empty() {
        return 0.5;
    }
    theirs.iter().filter(|goal| ours.contains(goal)).count() as f64 / theirs.len() as f64
}
