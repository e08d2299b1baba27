//! The repair yardstick: at which evaluation is each of a folder of buggy programs repaired?
//!
//! `cargo run --release -p proposers --example repair_yardstick -- FOLDER [--budget N] [--seed N] [--half dev|held]
//! [-v] [--sizes]`
//!
//! FOLDER holds a folder a program: `buggy.py` and `cases.json` (`{"function", "cases": [{"args", "expected"}]}`). A
//! development tool: it runs the programs in forked Python processes without a sandbox, and its search is a plain one
//! (best first, then second edits on variants that pass more), not the engine's.

use proposers::ast::repair::{Hints, Search, Suspicion};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;
use syntax::{Blocks, Fingerprint, Module};

const WORKER: &str = include_str!("worker.py");

/// Evaluations after which half of the budget goes to second edits.
const FIRST_EDITS: usize = 200;
/// Most variants that are edited further.
const MAX_PARENTS: usize = 12;

#[derive(Deserialize)]
struct Cases {
    function: String,
    cases: Vec<serde_json::Value>,
}

#[derive(Serialize)]
struct Request<'a> {
    source: &'a str,
    function: &'a str,
    cases: &'a [serde_json::Value],
    trace: bool,
}

#[derive(Deserialize)]
struct Answer {
    failures: Vec<String>,
    lines: Vec<Vec<u32>>,
}

impl Answer {
    fn passed(&self) -> usize {
        self.failures.iter().filter(|failure| failure.is_empty()).count()
    }
}

struct Worker {
    _child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    fn start() -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new("python3")
            .args(["-W", "ignore", "-c", WORKER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let requests = child.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        Ok(Self { _child: child, requests, answers })
    }

    fn run(&mut self, request: &Request<'_>) -> Result<Answer, Box<dyn Error>> {
        writeln!(self.requests, "{}", serde_json::to_string(request)?)?;
        self.requests.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

/// Ochiai: failing cases that run a line, over the root of all failing cases times all cases that run it.
fn suspicion(answer: &Answer) -> Suspicion {
    let failing = answer.failures.iter().filter(|failure| !failure.is_empty()).count() as f64;
    let mut counts: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for (failure, lines) in answer.failures.iter().zip(&answer.lines) {
        for line in lines {
            let entry = counts.entry(*line).or_default();
            entry.0 += f64::from(u8::from(!failure.is_empty()));
            entry.1 += 1.0;
        }
    }
    let values = counts.into_iter().filter(|(_, (failed, _))| *failed > 0.0);
    Suspicion::from_lines(values.map(|(line, (failed, all))| (line, failed / (failing * all).sqrt())))
}

struct Parent {
    passed: usize,
    first_edit: String,
    search: Search,
    tried: usize,
}

struct Outcome {
    evaluations: usize,
    size: usize,
    fix: Option<String>,
    second: bool,
    invalid: usize,
    space_ms: f64,
}

fn parent(source: &str, answer: &Answer, first_edit: &str, seed: u64) -> Result<Parent, Box<dyn Error>> {
    let module = Module::parse(source);
    let failures: BTreeSet<String> = answer.failures.iter().filter(|f| !f.is_empty()).cloned().collect();
    let hints = Hints { failures, ..Hints::default() };
    let search = Search::new(&module, Blocks::find(source)?, &suspicion(answer), &hints, seed);
    Ok(Parent { passed: answer.passed(), first_edit: first_edit.to_owned(), search, tried: 0 })
}

/// Which parent is edited next: the original until [`FIRST_EDITS`], then in turn with the least tried of the others.
fn pick(parents: &[Parent], evaluations: usize) -> usize {
    if evaluations < FIRST_EDITS || evaluations.is_multiple_of(2) || parents.len() == 1 {
        return 0;
    }
    let others = parents.iter().enumerate().skip(1);
    let best = others.min_by_key(|(_, parent)| (parent.tried / (1 + parent.passed), parent.tried));
    best.map_or(0, |(index, _)| index)
}

#[expect(clippy::print_stderr, reason = "a command-line tool")]
fn repair(folder: &Path, worker: &mut Worker, budget: usize, seed: u64) -> Result<Outcome, Box<dyn Error>> {
    let source = std::fs::read_to_string(folder.join("buggy.py"))?;
    let cases: Cases = serde_json::from_str(&std::fs::read_to_string(folder.join("cases.json"))?)?;
    let request = |source: &str, trace: bool, worker: &mut Worker| {
        worker.run(&Request { source, function: &cases.function, cases: &cases.cases, trace })
    };
    let baseline = request(&source, true, worker)?;
    let started = Instant::now();
    let mut parents = vec![parent(&source, &baseline, "", seed)?];
    let space_ms = started.elapsed().as_secs_f64() * 1e3;
    if std::env::args().any(|argument| argument == "--sizes") {
        eprintln!("{:?}", parents.first().map(|parent| parent.search.sizes()));
    }
    let size = parents.first().map_or(0, |parent| parent.search.size());
    let mut seen: HashSet<Fingerprint> = HashSet::new();
    let mut outcome = Outcome { evaluations: 0, size, fix: None, second: false, invalid: 0, space_ms };
    let mut exhausted = 0;
    while outcome.evaluations < budget && exhausted < 10_000 {
        let index = pick(&parents, outcome.evaluations + exhausted);
        let Some(chosen) = parents.get_mut(index) else { break };
        chosen.tried += 1;
        let Some(candidate) = chosen.search.next() else {
            exhausted += 1;
            continue;
        };
        if !seen.insert(candidate.fingerprint) {
            continue;
        }
        let (first_edit, second) = (chosen.first_edit.clone(), index > 0);
        outcome.evaluations += 1;
        let answer = request(&candidate.source, false, worker)?;
        outcome.invalid +=
            usize::from(answer.failures.first().is_some_and(|failure| failure == "SyntaxError"));
        if answer.passed() == cases.cases.len() {
            outcome.fix = Some(format!("{first_edit}{}", candidate.rationale));
            outcome.second = second;
            break;
        }
        if !second && answer.passed() > baseline.passed() && parents.len() < MAX_PARENTS {
            let traced = request(&candidate.source, true, worker)?;
            let label = format!("{}; then ", candidate.rationale);
            parents.push(parent(&candidate.source, &traced, &label, seed + parents.len() as u64)?);
        }
    }
    Ok(outcome)
}

#[expect(clippy::print_stdout, reason = "a command-line tool")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1));
    let number = |name: &str, default: usize| option(name).and_then(|n| n.parse().ok()).unwrap_or(default);
    let (budget, seed) = (number("--budget", 2000), number("--seed", 1) as u64);
    let verbose = arguments.iter().any(|a| a == "-v");
    let folder = arguments.first().ok_or("which folder?")?;
    let mut programs: Vec<PathBuf> =
        std::fs::read_dir(folder)?.filter_map(|e| e.ok().map(|e| e.path())).collect();
    programs.sort();
    let half = option("--half").map(String::as_str);
    let mut worker = Worker::start()?;
    let mut fixed_at: Vec<usize> = Vec::new();
    let mut total = 0;
    for (index, program) in programs.iter().filter(|p| p.join("cases.json").exists()).enumerate() {
        let wanted = match half {
            Some("dev") => index % 2 == 0,
            Some("held") => index % 2 == 1,
            _ => true,
        };
        if !wanted {
            continue;
        }
        total += 1;
        let outcome = repair(program, &mut worker, budget, seed)?;
        let name = program.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let at = outcome.fix.as_ref().map_or_else(|| "-".to_owned(), |_| outcome.evaluations.to_string());
        let fix = if verbose { outcome.fix.clone().unwrap_or_default() } else { String::new() };
        let (size, invalid, ms) = (outcome.size, outcome.invalid, outcome.space_ms);
        let mark = if outcome.second { "2" } else { " " };
        println!("{name:<22} {at:>6}{mark} of {size:>6}  invalid {invalid:>3}  {ms:6.1} ms  {fix}");
        if outcome.fix.is_some() {
            fixed_at.push(outcome.evaluations);
        }
    }
    let within = |most: usize| fixed_at.iter().filter(|at| **at <= most).count();
    println!("fixed of {total}: {} in 100, {} in 500, {} in 2000", within(100), within(500), within(2000));
    Ok(())
}
