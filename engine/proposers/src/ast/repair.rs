//! Corrections of human mistakes, by rule: the repair catalogue and its order.
//!
//! One file a theme of mistakes; `family` names them all and holds what is believed of each. The catalogue knows no
//! archive and no evaluator: it turns a program and what is known of its failures into ordered edits.

mod access;
mod catalogue;
mod conditions;
mod constants;
mod expression;
mod family;
mod guards;
mod hints;
mod insertions;
mod jumps;
mod layout;
mod movement;
mod names;
mod operands;
mod operators;
mod program;
mod reversion;
mod shape;
mod siblings;
mod suspicion;
mod templates;
mod wrappers;

pub use catalogue::{Candidate, MAX_EDITS, Search};
pub use family::{Family, Tier};
pub use hints::{Hints, MAX_INGREDIENT_SOURCES};
pub use suspicion::Suspicion;

use super::pool::Change;
use super::scene::{Scene, SceneFile};
use super::versions::Functions;

/// The operator's name.
pub(super) const NAME: &str = "repair";

/// Most corrections that are kept for one parent, the best of all: a search that has tried this many on one program is
/// better continued from another.
const MAX_CHANGES: usize = 4_000;

/// The corrections of all files of a parent.
pub(super) fn changes(scene: &Scene) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for file in &scene.files {
        changes.extend(of_file(file, scene));
    }
    changes.sort_by(|a, b| b.score.total_cmp(&a.score));
    changes.truncate(MAX_CHANGES);
    changes
}

fn of_file(file: &SceneFile, scene: &Scene) -> Vec<Change> {
    let suspicion = Suspicion::from_lines(file.suspicion.iter().map(|(line, value)| (*line, *value)));
    let sources = scene.peers.iter().filter_map(|peer| peer.text(&file.path)).map(str::to_owned);
    let hints = Hints {
        failures: scene.failures.clone(),
        sources: sources.take(MAX_INGREDIENT_SOURCES).collect(),
        learnt: Vec::new(),
    };
    let search = Search::new(&file.module, file.blocks.clone(), &suspicion, &hints, scene.seed);
    let functions = Functions::of(&file.path, &file.module);
    let named = |change: Change| Change { version: functions.version(&change.edits), ..change };
    let mut changes: Vec<Change> =
        search.into_changes(&file.path, MAX_CHANGES).into_iter().map(named).collect();
    if suspicion.is_known() {
        changes.extend(reversion::changes(file, scene, &hints));
    }
    changes
}
