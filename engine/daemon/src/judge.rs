//! Judges programs outside any run: the unchanged program first, then candidates of it, in a folder that goes with the judge.
//! Nothing is recorded.

use crate::config::Configuration;
use crate::data;
use crate::failure::Failure;
use crate::wiring;
use evolution::candidate::{Evaluation, FileChange, Patch, SourceFiles};
use evolution::id::BASELINE;
use evolution::ports::{EvaluationRequest, Evaluator, Purpose, Screener};
use sandbox::{Calibration, LocalEvaluator, PythonScreener};
use snapshots::{Access, GitSnapshots, ImportRequest, Selection};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A program with its evaluator.
pub(crate) struct Judge {
    evaluator: LocalEvaluator,
    screener: PythonScreener,
    files: SourceFiles,
    /// What was noticed when the program was taken in.
    pub(crate) warnings: Vec<String>,
    _folder: TempDir,
}

impl Judge {
    /// The judge of the program in a folder.
    pub(crate) fn of_folder(path: &Path, configuration: &Configuration) -> Result<Self, Failure> {
        let python = wiring::python(configuration)?;
        let level = wiring::level(configuration.sandbox.require)?;
        let folder =
            tempfile::tempdir().map_err(|error| Failure::caused("no temporary folder can be made", error))?;
        let mutable = configuration.target.mutable.clone();
        let may_change = Arc::new(move |path: &str| mutable.iter().any(|file| file == path));
        let fault =
            |error: snapshots::SnapshotsError| Failure::caused("the target cannot be taken in", error);
        let repository = folder.path().join("repository.git");
        let mut snapshots =
            GitSnapshots::open(&repository, Access::Write, may_change.clone()).map_err(fault)?;
        let import = snapshots
            .import(&ImportRequest {
                directory: path,
                selection: Selection { take_in: Some(may_change), ..Selection::default() },
                id: evolution::id::RunId::new("check").candidate(BASELINE),
                summary: "check".to_owned(),
                trailers: Vec::new(),
                time_ms: data::now_ms(),
            })
            .map_err(fault)?;
        let tree = folder.path().join("baseline");
        std::fs::create_dir_all(&tree)
            .map_err(|error| Failure::caused("no temporary folder can be made", error))?;
        snapshots.export(&import.commit, &tree).map_err(fault)?;
        let plan = Arc::new(wiring::plan(configuration, python, &tree, level)?);
        let calibration = Arc::new(Mutex::new(Calibration::default()));
        let lane = folder.path().join("lane");
        let evaluator = LocalEvaluator::new(plan, wiring::launcher()?, &lane, calibration)
            .map_err(|error| Failure::caused("the evaluator cannot be set up", error))?;
        let files = evolution::ports::Snapshots::files(&mut snapshots, &import.commit)
            .map_err(|error| Failure::caused("the target cannot be read", error))?;
        let screener = PythonScreener::new(configuration.target.mutable.iter().cloned());
        Ok(Self { evaluator, screener, files, warnings: import.warnings, _folder: folder })
    }

    /// Measures the unchanged program.
    pub(crate) fn baseline(&mut self) -> Result<Evaluation, Failure> {
        let files = self.files.clone();
        self.evaluate(files, Purpose::Baseline)
    }

    /// The change to these files, when a candidate may make it.
    pub(crate) fn admitted(&self, changed: &BTreeMap<String, String>) -> Result<Patch, Failure> {
        let change = |(path, text): (&String, &String)| FileChange {
            path: path.clone(),
            content: Some(text.as_bytes().into()),
        };
        let patch = Patch(changed.iter().map(change).collect());
        match self.screener.screen(&self.files, &patch).refused {
            None => Ok(patch),
            Some(reason) => Err(Failure::refused(
                format!("the candidate is not run: {reason}"),
                "a candidate changes only what [target] files allows",
            )),
        }
    }

    /// Measures the program with an admitted change.
    pub(crate) fn candidate(&mut self, patch: &Patch) -> Result<Evaluation, Failure> {
        let files = self.files.patched(patch);
        self.evaluate(files, Purpose::Verify)
    }

    fn evaluate(&mut self, files: SourceFiles, purpose: Purpose) -> Result<Evaluation, Failure> {
        let request = EvaluationRequest {
            number: BASELINE,
            purpose,
            files: Arc::new(files),
            parent: None,
            failing_first: Vec::new(),
            localise_from: 0,
            seed: 0,
            stop: Arc::default(),
        };
        self.evaluator
            .evaluate(&request)
            .map_err(|error| Failure::caused("the program could not be evaluated", error))
    }
}
