//! A whole run of a small real target against the bare cost of its evaluations: the very requests that the run made are
//! evaluated again, by as many evaluators at once and with no engine around them.

use crate::config;
use crate::data::{self, DataFolder};
use crate::failure::Failure;
use crate::request::{self, RunRequest};
use crate::run;
use crate::terminal::Terminal;
use crate::wiring;
use conductor::Conductor;
use evolution::candidate::Evaluation;
use evolution::ports::{EvaluationRequest, Evaluator, EvaluatorError, Purpose};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The program: two faults among a few functions, so that neither the first nor the last proposal repairs it all.
const PROGRAM: &str = "\
def grade(points):
    if points > 90:
        return 'A'
    if points >= 80:
        return 'B'
    return 'F'


def total(values):
    result = 1
    for value in values:
        result += value
    return result


def longest(words):
    best = ''
    for word in words:
        if len(word) > len(best) + 1:
            best = word
    return best.upper()
";

const CASES: &str = r#"[
    {"function": "grade", "args": [95], "expected": "A"},
    {"function": "grade", "args": [90], "expected": "A"},
    {"function": "grade", "args": [85], "expected": "B"},
    {"function": "total", "args": [[1, 2, 3]], "expected": 6},
    {"function": "total", "args": [[]], "expected": 0},
    {"function": "longest", "args": [["a", "bcd", "ef"]], "expected": "bcd"},
    {"function": "longest", "args": [["a", "bc", "d"]], "expected": "bc "}
]"#;

const CONFIGURATION: &str = r#"
[target]
name = "bench"
files = ["program.py"]
[[objective]]
name = "accuracy"
kind = "pass_rate"
cases = "cases.json"
[[objective]]
name = "size"
kind = "code_size"
weight = 0.1
[evolution]
polish = 1000000
"#;

/// What was compared.
#[derive(Debug, Serialize)]
pub(super) struct Contained {
    /// Evaluations of the run, the baseline and second judgements included.
    pub(super) evaluations: usize,
    pub(super) workers: usize,
    pub(super) isolation: String,
    /// Wall seconds of the run, from its first event to its end.
    pub(super) run_s: f64,
    /// Wall seconds of the same evaluations alone.
    pub(super) bare_s: f64,
    /// The run's wall time over that of its evaluations alone.
    pub(super) run_to_bare: f64,
}

/// Writes down every request before it is carried out.
struct Recording {
    evaluator: Box<dyn Evaluator>,
    requests: Arc<Mutex<Vec<EvaluationRequest>>>,
}

impl Evaluator for Recording {
    fn evaluate(&mut self, request: &EvaluationRequest) -> Result<Evaluation, EvaluatorError> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        self.evaluator.evaluate(request)
    }
}

/// Runs `evaluations` evaluations as a run, and again alone.
pub(super) fn measure(evaluations: u64, terminal: Terminal) -> Result<Contained, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::caused("no temporary folder", error))?;
    let path = write_target(folder.path())?;
    let mut configuration = config::load(&path)?;
    configuration.budget = configuration.budget.overridden(Some(evaluations), None);
    let request = RunRequest { path, configuration, seed: 1, workers: request::workers(None), resume: false };
    let requests = Arc::new(Mutex::new(Vec::new()));
    let data = DataFolder::locate(Some(folder.path().join("data")))?;
    terminal.note("measuring a run of contained evaluations, and the same evaluations alone");
    let run_s = whole_run(&data, &request, &requests)?;
    let requests = std::mem::take(&mut *requests.lock().unwrap_or_else(PoisonError::into_inner));
    let (bare_s, isolation) = alone(&request, &folder.path().join("bare"), &requests)?;
    Ok(Contained {
        evaluations: requests.len(),
        workers: request.workers,
        isolation,
        run_s,
        bare_s,
        run_to_bare: run_s / bare_s,
    })
}

/// Puts the target into a folder of its own.
pub(super) fn write_target(within: &Path) -> Result<PathBuf, Failure> {
    let path = within.join("target");
    std::fs::create_dir(&path)?;
    for (name, text) in [("program.py", PROGRAM), ("cases.json", CASES), (config::FILE_NAME, CONFIGURATION)] {
        std::fs::write(path.join(name), text)?;
    }
    Ok(path)
}

fn whole_run(
    data: &DataFolder,
    request: &RunRequest,
    requests: &Arc<Mutex<Vec<EvaluationRequest>>>,
) -> Result<f64, Failure> {
    let runs = data.open()?;
    let run = data::new_run_id()?;
    let python = wiring::python(&request.configuration)?;
    let level = wiring::level(request.configuration.sandbox.require)?;
    let (mut ports, started) = run::prepare(&runs, &run, request, (python, level))?;
    let recording =
        |evaluator| Box::new(Recording { evaluator, requests: requests.clone() }) as Box<dyn Evaluator>;
    ports.evaluators = ports.evaluators.into_iter().map(recording).collect();
    let failed = |error| Failure::caused("the run failed", error);
    let begun = Instant::now();
    Conductor::begin(ports, started).map_err(failed)?.drive(&mut |_, _| {}).map_err(failed)?;
    Ok(begun.elapsed().as_secs_f64())
}

/// Evaluates all requests by as many evaluators, the baseline first as in the run.
fn alone(
    request: &RunRequest,
    folder: &Path,
    requests: &[EvaluationRequest],
) -> Result<(f64, String), Failure> {
    let bare = DataFolder::locate(Some(folder.to_path_buf()))?;
    let (runs, run) = (bare.open()?, data::new_run_id()?);
    let python = wiring::python(&request.configuration)?;
    let level = wiring::level(request.configuration.sandbox.require)?;
    let (mut ports, _) = run::prepare(&runs, &run, request, (python, level))?;
    let failed = |error: EvaluatorError| Failure::caused("an evaluation failed", error);
    let begun = Instant::now();
    let (first, rest): (Vec<_>, Vec<_>) =
        requests.iter().partition(|request| request.purpose == Purpose::Baseline);
    for (request, evaluator) in first.iter().zip(ports.evaluators.iter_mut()) {
        evaluator.evaluate(request).map_err(failed)?;
    }
    let next = AtomicUsize::new(0);
    let work = |mut evaluator: Box<dyn Evaluator>| -> Result<(), EvaluatorError> {
        while let Some(request) = rest.get(next.fetch_add(1, Ordering::Relaxed)) {
            evaluator.evaluate(request)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            ports.evaluators.into_iter().map(|evaluator| scope.spawn(|| work(evaluator))).collect();
        let ended = threads.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(EvaluatorError::Failed("a thread ended unexpectedly".to_owned())))
        });
        ended.collect::<Result<Vec<()>, EvaluatorError>>()
    })
    .map_err(failed)?;
    Ok((begun.elapsed().as_secs_f64(), level.to_string()))
}
