//! Parts of other candidates: a function, method or class body is taken over, whole, from a candidate that has another
//! version of it. The second parent comes first, then the other members of the archive, best first.

use super::pool::Change;
use super::scene::Scene;
use super::versions::{Bodies, Functions};
use std::collections::HashSet;
use syntax::{Edit, Module};

/// The operator's name.
pub(super) const NAME: &str = "crossover";

/// What a version of a function is worth that only its owner changed, in a donor of first rank.
const BROUGHT: f64 = 1.0;
/// The same of one that both changed.
const DISPUTED: f64 = 0.5;
/// The same of the unchanged program's, which takes back what the parent changed.
const TAKEN_BACK: f64 = 0.01;
/// What all that only the donor changed is worth together.
const MERGED: f64 = 2.0;

/// Takes over one function, or at once all that only the donor changed, as a merge of two branches would.
pub(super) fn changes(scene: &Scene) -> Vec<Change> {
    let donors: Vec<_> = scene.mate.iter().chain(&scene.peers).collect();
    let mut changes = Vec::new();
    let mut seen: HashSet<(String, String)> = HashSet::new();
    for file in &scene.files {
        let functions = Functions::of(&file.path, &file.module);
        let baseline = Module::parse(scene.baseline.text(&file.path).unwrap_or_default());
        let base = Bodies::of(&baseline);
        for (place, donor) in donors.iter().enumerate() {
            let Some(text) = donor.text(&file.path) else { continue };
            let module = Module::parse(text);
            let theirs = Bodies::of(&module);
            let rank = 1.0 + place as f64;
            let mut merged: Vec<Edit> = Vec::new();
            for function in file.module.functions() {
                let name = function.qualified_name();
                let span = function.span();
                let (Some(body), Some(own)) = (theirs.get(&name), file.module.source().get(span.clone()))
                else {
                    continue;
                };
                let edit = Edit::replace(span.clone(), body);
                if body == own || !file.permits(std::slice::from_ref(&edit)) {
                    continue;
                }
                let unchanged = base.get(&name);
                let worth = match unchanged {
                    Some(base) if base == own => BROUGHT,
                    Some(base) if base == body => TAKEN_BACK,
                    _ => DISPUTED,
                };
                // A function within one that is brought comes with it.
                let outer = merged.last().is_none_or(|last| last.range.end <= span.start);
                if worth == BROUGHT && outer {
                    merged.push(edit.clone());
                }
                if seen.insert((name.clone(), body.to_owned())) {
                    changes.push(Change {
                        path: file.path.clone(),
                        version: functions.version(std::slice::from_ref(&edit)),
                        edits: vec![edit],
                        family: "function_exchange",
                        rationale: format!("take {name} from another candidate"),
                        score: worth / rank,
                    });
                }
            }
            if merged.len() > 1 {
                changes.push(Change {
                    path: file.path.clone(),
                    version: functions.version(&merged),
                    rationale: format!("take {} functions that another candidate changed", merged.len()),
                    edits: merged,
                    family: "merge",
                    score: MERGED / rank,
                });
            }
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::{Change, changes};
    use crate::ast::scene::{Scene, SceneFile};
    use evolution::candidate::SourceFiles;
    use std::collections::HashMap;
    use std::sync::Arc;
    use syntax::{Blocks, Module, apply};

    /// A program of three functions that return these.
    fn program(returned: [u32; 3]) -> String {
        ["f", "g", "h"]
            .iter()
            .zip(returned)
            .map(|(name, value)| format!("def {name}():\n    return {value}\n"))
            .collect()
    }

    fn files(text: &str) -> Arc<SourceFiles> {
        Arc::new(SourceFiles([("a.py".to_owned(), Arc::from(text.as_bytes()))].into()))
    }

    /// What joining two offers, the best first, as what the functions return then.
    fn offers(baseline: [u32; 3], parent: [u32; 3], mate: [u32; 3]) -> Vec<String> {
        let source = program(parent);
        let file = SceneFile {
            path: "a.py".to_owned(),
            module: Module::parse(&source),
            blocks: Blocks::find(&source).unwrap(),
            suspicion: HashMap::new(),
        };
        let scene = Scene {
            files: vec![file],
            baseline: files(&program(baseline)),
            mate: Some(files(&program(mate))),
            ..Scene::default()
        };
        let mut found: Vec<Change> = changes(&scene);
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.iter().map(|change| apply(&source, &change.edits).unwrap()).collect()
    }

    #[test]
    fn what_only_the_other_changed_is_merged_first_and_taken_piece_by_piece_after_it() {
        let expected = [[1, 5, 6], [1, 5, 0], [1, 0, 6]].map(program);
        let found = offers([0, 0, 0], [1, 0, 0], [0, 5, 6]);
        assert_eq!(found[..3], expected);
        assert_eq!(found[3..], [program([0, 0, 0])], "last what takes the parent's own change back");
    }

    #[test]
    fn what_both_changed_comes_after_what_only_the_other_changed() {
        assert_eq!(offers([0, 0, 0], [1, 0, 7], [2, 5, 7]), [[1, 5, 7], [2, 0, 7]].map(program));
    }

    #[test]
    fn the_parts_of_a_property_are_not_taken_for_one_another() {
        let program = |read: &str| {
            format!(
                "class Box:\n    @property\n    def size(self):\n        return {read}\n\n    @size.setter\n    \
                 def size(self, size):\n        self.kept = size\n"
            )
        };
        let source = program("self.kept");
        let module = Module::parse(&source);
        let blocks = Blocks::find(&source).unwrap();
        let file = SceneFile { path: "a.py".to_owned(), module, blocks, suspicion: HashMap::new() };
        let mate = Some(files(&program("2 * self.kept")));
        let scene = Scene { files: vec![file], baseline: files(&source), mate, ..Scene::default() };
        assert!(changes(&scene).is_empty(), "{:?}", changes(&scene));
    }
}
