//! Parts of other candidates: a function, method or class body is taken over, whole, from a candidate that has another
//! version of it. The second parent comes first, then the other members of the archive, best first.

use super::pool::Change;
use super::scene::Scene;
use std::collections::{HashMap, HashSet};
use syntax::{Edit, Module};

/// The operator's name.
pub(super) const NAME: &str = "crossover";

/// Takes over one function, or all functions that differ at once.
pub(super) fn changes(scene: &Scene) -> Vec<Change> {
    let donors: Vec<_> = scene.mate.iter().chain(&scene.peers).collect();
    let mut changes = Vec::new();
    let mut seen: HashSet<(String, String)> = HashSet::new();
    for (place, donor) in donors.iter().enumerate() {
        for file in &scene.files {
            let Some(text) = donor.text(&file.path) else { continue };
            let theirs = Module::parse(text);
            let bodies: HashMap<String, &str> = theirs
                .functions()
                .iter()
                .filter_map(|function| Some((function.qualified_name(), text.get(function.span())?)))
                .collect();
            for function in file.module.functions() {
                let name = function.qualified_name();
                let span = function.span();
                let (Some(body), Some(own)) = (bodies.get(&name), file.module.source().get(span.clone()))
                else {
                    continue;
                };
                let edits = vec![Edit::replace(span, *body)];
                let fresh = *body != own && seen.insert((name.clone(), (*body).to_owned()));
                if fresh && file.permits(&edits) {
                    changes.push(Change {
                        path: file.path.clone(),
                        edits,
                        family: "function_exchange",
                        rationale: format!("take {name} from another candidate"),
                        score: 1.0 / (1.0 + place as f64),
                    });
                }
            }
        }
    }
    changes
}
