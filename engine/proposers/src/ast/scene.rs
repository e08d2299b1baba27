//! What an operator sees of a parent: its files as trees, where the fault may lie, how cases fail, who else is there.

use evolution::candidate::SourceFiles;
use evolution::ports::{CandidateView, ProposalRequest};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use syntax::{Blocks, Edit, Module};

/// One Python file of the parent that may change.
pub struct SceneFile {
    /// Its path below the target's root.
    pub path: String,
    /// Its tree.
    pub module: Module,
    /// What of it may change.
    pub blocks: Blocks,
    /// Suspicion by line (from 1), 0 to 1. Empty when nothing is known: then every line is as suspicious as another.
    pub suspicion: HashMap<u32, f64>,
}

impl SceneFile {
    /// Whether all of these edits stay where the file may change.
    pub fn permits(&self, edits: &[Edit]) -> bool {
        self.blocks.permit(edits)
    }
}

/// A parent as an operator sees it.
#[derive(Default)]
pub struct Scene {
    /// Its Python files that may change and parse, by path.
    pub files: Vec<SceneFile>,
    /// How its cases fail: exception class names, `wrong`, `timeout`.
    pub failures: BTreeSet<String>,
    /// The unchanged program's files.
    pub baseline: Arc<SourceFiles>,
    /// The second parent's files, for a crossover.
    pub mate: Option<Arc<SourceFiles>>,
    /// Files of other members of the archive, best first.
    pub peers: Vec<Arc<SourceFiles>>,
    /// Seed of the order of this parent's changes. The same for all proposals of a run on this parent.
    pub seed: u64,
}

impl Scene {
    /// The scene of a request.
    pub fn of(request: &ProposalRequest, seed: u64) -> Self {
        let parent = request.parents.first();
        Self {
            files: parent.map(files).unwrap_or_default(),
            failures: parent
                .map(|parent| {
                    let failed = parent.evaluation.cases.iter().filter(|case| !case.passed);
                    failed.map(|case| case.failure.clone()).collect()
                })
                .unwrap_or_default(),
            baseline: request.baseline.files.clone(),
            mate: request.parents.get(1).map(|mate| mate.files.clone()),
            // What a parent offers alone must not depend on who else was there when it was first asked: a resumed run
            // asks at another moment.
            peers: match request.parents.len() {
                0 | 1 => Vec::new(),
                _ => request.peers.iter().map(|peer| peer.files.clone()).collect(),
            },
            seed,
        }
    }
}

fn files(parent: &CandidateView) -> Vec<SceneFile> {
    let python = parent.files.0.keys().filter(|path| path.ends_with(".py"));
    python
        .filter_map(|path| {
            let text = parent.files.text(path)?;
            let module = Module::parse(text);
            let blocks = Blocks::find(text).ok()?;
            let lines = parent.evaluation.suspicion.iter().filter(|file| file.path == *path);
            let suspicion =
                lines.flat_map(|file| &file.lines).map(|(line, value)| (*line, f64::from(*value))).collect();
            module.is_valid().then(|| SceneFile { path: path.clone(), module, blocks, suspicion })
        })
        .collect()
}
