//! `darwind check`: reads the configuration, runs the unchanged target once as a run would, and says what was measured,
//! how noisy that is, and what would stand in the way of a run. Nothing is recorded.

use crate::cli::TargetFlags;
use crate::config;
use crate::failure::{Exit, Failure};
use crate::judge::Judge;
use crate::report;
use crate::terminal::Terminal;
use crate::wiring;
use evolution::candidate::{CheckResult, Evaluation, Separation};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;

/// The answer of `darwind check --json`.
#[derive(Debug, Serialize)]
struct Answer {
    ok: bool,
    target: String,
    isolation: String,
    separation: Separation,
    outcome: &'static str,
    detail: String,
    checks: Vec<CheckResult>,
    objectives: Vec<ObjectiveAnswer>,
    baseline: Baseline,
    noise: BTreeMap<String, f64>,
    evaluation_s: f64,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ObjectiveAnswer {
    name: String,
    direction: objectives::Direction,
    unit: Option<String>,
    weight: f64,
    value: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Baseline {
    scores: objectives::Scores,
    metrics: BTreeMap<String, f64>,
    cases_passed: u32,
    cases_total: u32,
}

/// `darwind check`.
pub(crate) fn check(flags: &TargetFlags, terminal: Terminal) -> Result<Exit, Failure> {
    let configuration = config::load(&flags.path)?;
    let objectives = wiring::objective_set(&configuration)?;
    let mut judge = Judge::of_folder(&flags.path, &configuration)?;
    let began = Instant::now();
    let evaluation = judge.baseline()?;
    let read = configuration.warnings.iter().cloned();
    let warnings = read.chain(std::mem::take(&mut judge.warnings)).collect();
    let answer = answer(&configuration, &objectives, evaluation, began.elapsed().as_secs_f64(), warnings);
    let ok = answer.ok;
    if terminal.wants_json() {
        terminal.json(&answer)?;
    } else {
        print(&answer, &objectives, terminal)?;
    }
    Ok(if ok { Exit::Done } else { Exit::WorkFailed })
}

fn answer(
    configuration: &config::Configuration,
    objectives: &objectives::ObjectiveSet,
    evaluation: Evaluation,
    evaluation_s: f64,
    mut warnings: Vec<String>,
) -> Answer {
    let scored = objectives.point(&evaluation.scores).is_ok();
    let repair = report::repair_note(&evaluation).filter(|_| scored);
    let ok = scored && (repair.is_some() || evaluation.failed_check().is_none());
    warnings.extend(repair);
    match evaluation.separation {
        Separation::Split => {}
        Separation::Canary => warnings.push(
            "the tests import the program into their own process: tests that must fail watch over them, and winners are \
             judged a second time"
                .to_owned(),
        ),
        // A baseline that failed was not tried apart.
        Separation::Shared if !scored => {}
        Separation::Shared => warnings.push(format!(
            "the evaluator runs in the program's own process, where a candidate that wants to could write its own score{}",
            together(&evaluation.log)
        )),
    }
    for (what, count) in &evaluation.denials {
        warnings.push(format!("the sandbox denied the unchanged target {what}, {count} times"));
    }
    let noise = evaluation
        .metrics
        .iter()
        .filter_map(|(name, value)| Some((name.strip_suffix(".noise")?.to_owned(), *value)));
    Answer {
        ok,
        target: configuration.target.name.clone(),
        isolation: evaluation.isolation.clone(),
        separation: evaluation.separation,
        outcome: evaluation.outcome.word(),
        detail: evaluation.detail.clone(),
        checks: evaluation.checks.clone(),
        objectives: objectives
            .iter()
            .map(|objective| ObjectiveAnswer {
                name: objective.name.clone(),
                direction: objective.direction,
                unit: objective.unit.clone(),
                weight: objective.weight,
                value: evaluation.scores.get(&objective.name),
            })
            .collect(),
        noise: noise.collect(),
        evaluation_s,
        warnings,
        baseline: Baseline {
            cases_passed: evaluation.cases_passed(),
            cases_total: evaluation.cases_total,
            scores: evaluation.scores,
            metrics: evaluation.metrics,
        },
    }
}

/// Why judge and candidate share a process, as the evaluation's log tells it.
fn together(log: &str) -> String {
    let told = log.lines().find_map(|line| line.split_once(sandbox::TOGETHER)).map(|(_, reason)| reason);
    told.map(|reason| format!(" ({})", reason.trim_start_matches(':').trim())).unwrap_or_default()
}

fn print(answer: &Answer, objectives: &objectives::ObjectiveSet, terminal: Terminal) -> std::io::Result<()> {
    terminal.line(&format!(
        "{} · isolation {} · {:.1} s",
        answer.target, answer.isolation, answer.evaluation_s
    ))?;
    for check in &answer.checks {
        let word = if check.passed { "passed" } else { "failed" };
        let reason = if check.reason.is_empty() { String::new() } else { format!(": {}", check.reason) };
        terminal.line(&format!("check {}  {word}{reason}", check.name))?;
    }
    for objective in objectives.iter() {
        let value = answer.baseline.scores.get(&objective.name);
        let value =
            value.map_or_else(|| "not measured".to_owned(), |value| report::measured(objective, value));
        let noise = answer
            .noise
            .get(&objective.name)
            .map_or_else(String::new, |noise| format!(" ± {:.1} %", noise * 100.0));
        terminal.line(&format!("objective {}  {value}{noise}", objective.name))?;
    }
    if answer.baseline.cases_total > 0 {
        terminal.line(&format!(
            "cases  {} of {} pass",
            answer.baseline.cases_passed, answer.baseline.cases_total
        ))?;
    }
    for warning in &answer.warnings {
        terminal.line(&format!("note: {warning}"))?;
    }
    if !answer.detail.is_empty() {
        terminal.line(&format!("ended with {}: {}", answer.outcome, answer.detail))?;
    }
    terminal.line(if answer.ok { "A run can begin." } else { "A run cannot begin before this passes." })
}
