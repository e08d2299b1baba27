//! The port through which a command edits a candidate: it is run on a copy of the candidate's files, behind walls and
//! within limits, and what it changed comes back. Who implements it knows the sandbox; who uses it knows only this.

use evolution::candidate::{Cost, SourceFiles};
use evolution::errand::{Change, Dialogue, Ended};
use evolution::event::StoppedBy;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Absolute paths as a command sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The candidate as it was, which cannot be changed.
    pub own: PathBuf,
    /// The copy that may be changed, and the working folder.
    pub work: PathBuf,
    /// The errand's documents, which cannot be changed.
    pub documents: PathBuf,
    /// Where the command may write an answer beside its changes.
    pub result: PathBuf,
}

/// A command to run on a candidate's files.
#[derive(Debug, Clone)]
pub struct Errand<'e> {
    /// The command.
    pub argv: Vec<String>,
    /// Environment beside the few variables that every command has.
    pub env: Vec<(String, String)>,
    /// The candidate's files that may change.
    pub files: &'e SourceFiles,
    /// A folder whose copy is worked on in place of the candidate's own tree.
    pub start: Option<PathBuf>,
    /// Documents by path below their folder.
    pub documents: BTreeMap<String, Vec<u8>>,
    /// Wall time.
    pub wall: Duration,
    /// Time without output and without a change of any file.
    pub idle: Duration,
}

/// What came of an errand.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How the command ended.
    pub ended: Ended,
    /// What is different, by path.
    pub changes: BTreeMap<String, Change>,
    /// Whether there were more changes than may be brought back.
    pub too_much: bool,
    /// The answer beside the changes.
    pub result: Option<Vec<u8>>,
    /// The end of its output.
    pub output: String,
    /// What it cost, with what it asked of a model.
    pub cost: Cost,
    /// The run's budget that did not suffice for what it asked of a model.
    pub out_of: Option<StoppedBy>,
}

/// What an attempt may ask of a model through the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// The model.
    pub model: String,
    /// Calls.
    pub calls: u32,
    /// Tokens, read and written.
    pub tokens: u64,
}

/// Leave to ask a model through the gateway: it ends with the errand that it was issued for.
#[derive(Clone, PartialEq, Eq)]
pub struct Leave {
    /// The gateway's address without a path, such as `http://127.0.0.1:8080`.
    pub url: String,
    /// What the gateway takes for a key, for this attempt alone.
    pub token: String,
    /// The model.
    pub model: String,
    /// Variables by which programs find a model that no preset knows.
    pub env: Vec<(String, String)>,
}

/// The machinery failed; nothing is known of the command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WorkbenchError(pub String);

/// Runs commands on copies of candidates, one at a time.
pub trait Workbench: Send {
    /// Where a command finds things; the same for every errand.
    fn places(&self) -> Places;

    /// Whether the candidate's tree has this file, by its path below it.
    fn holds(&self, path: &str) -> bool;

    /// What an attempt may ask of a model; `None` without a gateway.
    fn allowance(&self) -> Option<Allowance>;

    /// Leave for the next errand to ask a model, under this name; `None` without a gateway.
    ///
    /// # Errors
    /// When the gateway cannot issue any.
    fn admit(&mut self, attempt: &str) -> Result<Option<Leave>, WorkbenchError>;

    /// Runs a command to its end, spoken with if there is somebody to.
    ///
    /// # Errors
    /// When the machinery fails. A command that fails is an outcome.
    fn run(
        &mut self,
        errand: &Errand<'_>,
        dialogue: Option<&mut dyn Dialogue>,
    ) -> Result<Outcome, WorkbenchError>;
}
