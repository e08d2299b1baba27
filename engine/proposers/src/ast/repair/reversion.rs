//! Corrections of what a function was at first. A change that mends some cases of a function often stands in the way of the one
//! that mends them all, which is a single edit of the unchanged function and several of the changed one.

use super::{Hints, MAX_CHANGES, Search, Suspicion};
use crate::ast::pool::Change;
use crate::ast::scene::{Scene, SceneFile};
use crate::ast::versions::{Bodies, Functions};
use std::ops::Range;
use syntax::{Blocks, Edit, Module, apply};

/// A function that differs from the unchanged program's and is under suspicion.
struct Suspect {
    name: String,
    /// Its bytes in the program at hand.
    span: Range<usize>,
    /// Its bytes in the program where it is as it was first.
    first: Range<usize>,
    /// The suspicion of its lines.
    suspicion: f64,
}

/// The corrections of the first versions of a file's functions, each of which takes the place of the function as it is.
pub(super) fn changes(file: &SceneFile, scene: &Scene, hints: &Hints) -> Vec<Change> {
    let baseline = Module::parse(scene.baseline.text(&file.path).unwrap_or_default());
    let Some((reverted, suspects)) = revert(file, &baseline) else { return Vec::new() };
    let module = Module::parse(&reverted);
    let Ok(blocks) = Blocks::find(&reverted) else { return Vec::new() };
    let line = |byte: usize| 1 + reverted.bytes().take(byte).filter(|byte| *byte == b'\n').count() as u32;
    let lines = suspects.iter().flat_map(|suspect| {
        (line(suspect.first.start)..=line(suspect.first.end)).map(|line| (line, suspect.suspicion))
    });
    let suspicion = Suspicion::from_lines(lines);
    let functions = Functions::of(&file.path, &module);
    let found =
        Search::new(&module, blocks, &suspicion, hints, scene.seed).into_changes(&file.path, MAX_CHANGES);
    let replacing = found.into_iter().filter_map(|change| {
        let holds =
            |edit: &Edit, span: &Range<usize>| span.start <= edit.range.start && edit.range.end <= span.end;
        let suspect = suspects.iter().find(|it| change.edits.iter().all(|edit| holds(edit, &it.first)))?;
        let version = functions.version(&change.edits);
        let within = |edit: Edit| {
            let range = edit.range.start - suspect.first.start..edit.range.end - suspect.first.start;
            Edit::replace(range, edit.replacement)
        };
        let edits: Vec<Edit> = change.edits.into_iter().map(within).collect();
        let text = apply(reverted.get(suspect.first.clone())?, &edits).ok()?;
        let as_it_is = file.module.source().get(suspect.span.clone()) == Some(text.as_str());
        let rationale = format!("{} as it was at first: {}", suspect.name, change.rationale);
        let edits = vec![Edit::replace(suspect.span.clone(), text)];
        (!as_it_is).then_some(Change { edits, version, rationale, ..change })
    });
    replacing.collect()
}

/// The program with each suspect as it was first. `None` where there is no suspect.
fn revert(file: &SceneFile, baseline: &Module) -> Option<(String, Vec<Suspect>)> {
    let known = Suspicion::from_lines(file.suspicion.iter().map(|(line, value)| (*line, *value)));
    let firsts = Bodies::of(baseline);
    let source = file.module.source();
    let (mut text, mut end, mut suspects) = (String::new(), 0, Vec::new());
    for function in file.module.functions() {
        let (name, span) = (function.qualified_name(), function.span());
        let Some(first) = firsts.get(&name) else { continue };
        let suspicion = known.highest(*function.lines().start(), *function.lines().end());
        let edit = Edit::replace(span.clone(), first);
        // A function within one that is reverted is reverted with it.
        let inner = span.start < end;
        if inner || suspicion <= 0.0 || source.get(span.clone()) == Some(first) || !file.permits(&[edit]) {
            continue;
        }
        text.push_str(source.get(end..span.start)?);
        let begin = text.len();
        text.push_str(first);
        end = span.end;
        suspects.push(Suspect { name, span, first: begin..text.len(), suspicion });
    }
    text.push_str(source.get(end..)?);
    (!suspects.is_empty()).then_some((text, suspects))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::repair;
    use evolution::candidate::SourceFiles;
    use std::sync::Arc;

    const FIRST: &str = "def total(a):\n    return sum(a)\n\n\nclass Box:\n    def area(self, a, b):\n        return a + b\n\n\n\
                         def top(a):\n    return max(a)\n";

    fn scene(text: &str, suspicion: &[(u32, f64)]) -> Scene {
        let file = SceneFile {
            path: "a.py".to_owned(),
            module: Module::parse(text),
            blocks: Blocks::find(text).unwrap(),
            suspicion: suspicion.iter().copied().collect(),
        };
        let baseline = SourceFiles([("a.py".to_owned(), Arc::from(FIRST.as_bytes()))].into());
        Scene { files: vec![file], baseline: Arc::new(baseline), ..Scene::default() }
    }

    #[test]
    fn what_mends_the_first_version_takes_the_place_of_a_changed_one() {
        let changed =
            FIRST.replace("a + b", "a + b - 1").replace("sum(a)", "sum(a) + 1").replace("max(a)", "min(a)");
        // `total` passes all of its cases.
        let scene = scene(&changed, &[(7, 0.5), (11, 0.25)]);
        let found = repair::changes(&scene);
        let mended = changed.replace("a + b - 1", "a * b");
        let change = found.iter().find(|change| apply(&changed, &change.edits).unwrap() == mended).unwrap();
        assert!(change.rationale.starts_with("Box.area as it was at first: "), "{}", change.rationale);
        let of_first = repair::changes(&self::scene(FIRST, &[(7, 0.5)]));
        let same = of_first
            .iter()
            .find(|first| apply(FIRST, &first.edits).unwrap() == FIRST.replace("a + b", "a * b"));
        assert_eq!(
            same.map(|same| same.version),
            Some(change.version),
            "it is known by what it makes of a function"
        );
        let reverting: Vec<&Change> =
            found.iter().filter(|change| change.rationale.contains("at first")).collect();
        assert!(reverting.iter().any(|change| change.rationale.starts_with("top ")));
        assert!(!reverting.iter().any(|change| change.rationale.starts_with("total ")));
        for change in reverting {
            let text = apply(&changed, &change.edits).unwrap();
            assert!(text != changed && text.contains("sum(a) + 1"), "{text}");
        }
    }

    #[test]
    fn where_nothing_was_changed_or_suspected_there_is_nothing_to_revert() {
        for (text, suspicion) in
            [(FIRST.to_owned(), [(7, 0.5)]), (FIRST.replace("a + b", "a - b"), [(2, 0.5)])]
        {
            let scene = scene(&text, &suspicion);
            assert!(changes(&scene.files[0], &scene, &Hints::default()).is_empty());
        }
    }
}
