//! The tasks by which an agent is examined: plain, the same for every agent, and none of a real run.

use crate::failure::Failure;
use proposers::command::contract::{Limits, Objective, PROTOCOL, Parent, TASK_FILE, TEXT_FILE, Task};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file that is to be repaired by `solve`.
pub(super) const PROGRAM: &str = "program.py";
/// A program with a mistake that is as small as mistakes get.
const BUGGY: &str = "def is_adult(age):\n    return age < 18\n\n\ndef at_most(values, limit):\n    \
                     return [value for value in values if value < limit]\n";
/// The cases that it should pass: arguments and result of its last function.
const EXAMPLES: &str = "[[[[1, 2, 3], 2], [1, 2]], [[[5], 5], [5]], [[[], 1], []]]\n";
/// Bytes that a difference may have, as the agent is told.
const DIFF_BYTES: u64 = 4 << 20;

/// Canned tasks.
pub(super) struct Canned {
    /// Folder of the program to repair.
    pub(super) program: PathBuf,
    editable: Vec<String>,
    protected: Vec<String>,
    wall: Duration,
}

impl Canned {
    /// Lays the program to repair out in a folder.
    pub(super) fn new(
        program: &Path,
        editable: &[String],
        protected: Vec<String>,
        wall: Duration,
    ) -> Result<Self, Failure> {
        std::fs::create_dir_all(program)
            .and_then(|()| std::fs::write(program.join(PROGRAM), BUGGY))
            .and_then(|()| std::fs::write(program.join("examples.json"), EXAMPLES))
            .map_err(|error| Failure::caused("the task cannot be laid out", error))?;
        Ok(Self { program: program.to_owned(), editable: editable.to_vec(), protected, wall })
    }

    /// The documents of a task of this kind.
    pub(super) fn documents(&self, kind: &'static str, seed: u64) -> [(String, Vec<u8>); 2] {
        let (goal, editable, protected) = match kind {
            "solve" => (
                "Repair program.py: at_most keeps the values that are not above the limit. examples.json holds cases, \
                 each [arguments, result], for its last function.",
                vec![PROGRAM.to_owned()],
                vec!["examples.json".to_owned()],
            ),
            _ => ("Become a better agent.", self.editable.clone(), self.protected.clone()),
        };
        let task = Task {
            protocol: PROTOCOL,
            kind,
            run: "check".to_owned(),
            attempt: format!("check-{seed}"),
            seed,
            goal: goal.to_owned(),
            parent: Parent {
                id: "check-0".to_owned(),
                commit: String::new(),
                generation: 0,
                metrics: BTreeMap::from([("score".to_owned(), 0.0)]),
                failed: Vec::new(),
            },
            objective: vec![Objective { metric: "score".to_owned(), direction: "max", threshold: None }],
            editable,
            protected,
            evidence: Vec::new(),
            inspirations: Vec::new(),
            notes: Vec::new(),
            models: Vec::new(),
            limits: Limits {
                wall_s: self.wall.as_secs_f64(),
                llm_tokens: 0,
                llm_calls: 0,
                diff_bytes: DIFF_BYTES,
            },
        };
        let json = serde_json::to_vec_pretty(&task).unwrap_or_default();
        [(TASK_FILE.to_owned(), json), (TEXT_FILE.to_owned(), goal.as_bytes().to_vec())]
    }
}
