//! What a model is told: the target, what better means, the program, what was measured, others worth learning from, and
//! what was tried before. Each part has a limit and is cut visibly; the stable parts come first, so that an endpoint can
//! reuse what it has read.

use super::Task;
use super::prompt::cut;
use evolution::candidate::{Evaluation, SourceFiles};
use evolution::learning_rate::mappings;
use evolution::ports::{CandidateView, ProposalRequest};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Share of a question's characters for the program; the other version of a crossover may take as many.
const FILES_SHARE: f64 = 0.35;
/// Share for other members of the archive, all together.
const INSPIRATIONS_SHARE: f64 = 0.15;
/// Share for what failed.
const FAILURES_SHARE: f64 = 0.1;
/// Share for earlier attempts.
const ATTEMPTS_SHARE: f64 = 0.05;
/// Other members of the archive that are shown.
const MAX_INSPIRATIONS: usize = 3;
/// Failing cases that are shown.
const MAX_FAILING_CASES: usize = 8;
/// Suspicious lines that are shown.
const MAX_SUSPICIOUS: usize = 5;
/// Longest line about one case, in characters.
const MAX_CASE: usize = 400;

/// The values of a prompt's places for a request. `limit` is the size of the question, in characters.
pub(super) fn values(
    task: &Task,
    request: &ProposalRequest,
    attempts: String,
    limit: usize,
) -> BTreeMap<&'static str, String> {
    let Some(parent) = request.parents.first() else { return BTreeMap::new() };
    let part = |share: f64| (limit as f64 * share) as usize;
    let mate = request.parents.get(1).map_or_else(String::new, |mate| {
        format!("{}\n{}", numbers(task, mate, &request.baseline), files(&mate.files, part(FILES_SHARE)))
    });
    let attempts = if attempts.is_empty() { attempts } else { format!("What was tried before:\n{attempts}") };
    BTreeMap::from([
        ("target", target(task)),
        ("objectives", objectives(task)),
        ("files", files(&parent.files, part(FILES_SHARE))),
        ("mate", mate),
        ("scores", format!("What was measured on it:\n{}", numbers(task, parent, &request.baseline))),
        ("failures", cut(&failures(&parent.evaluation), part(FAILURES_SHARE))),
        ("inspirations", inspirations(task, request, part(INSPIRATIONS_SHARE))),
        ("attempts", cut(&attempts, part(ATTEMPTS_SHARE))),
        ("edits", mappings::edits(request.learning_rate).to_string()),
    ])
}

fn target(task: &Task) -> String {
    let name = format!("The program: {}.", task.name);
    if task.description.is_empty() { name } else { format!("{name} {}", task.description) }
}

fn objectives(task: &Task) -> String {
    let mut text = "What is measured, and which way is better:".to_owned();
    for goal in &task.goals {
        let way = if goal.maximize { "higher is better" } else { "lower is better" };
        let _ = write!(text, "\n- {}: {way}, weight {}", goal.name, goal.weight);
        if !goal.unit.is_empty() {
            let _ = write!(text, ", in {}", goal.unit);
        }
        if let Some(threshold) = goal.threshold {
            let _ = write!(text, "; must reach {threshold}");
        }
    }
    text
}

/// Scores beside those of the unchanged program.
fn numbers(task: &Task, candidate: &CandidateView, baseline: &CandidateView) -> String {
    let mut lines = Vec::new();
    for goal in &task.goals {
        let of = |view: &CandidateView| view.evaluation.scores.get(&goal.name);
        let line = match (of(candidate), of(baseline)) {
            (Some(value), Some(before)) if candidate.number != baseline.number => {
                format!("- {}: {} (the unchanged program: {})", goal.name, short(value), short(before))
            }
            (Some(value), _) => format!("- {}: {}", goal.name, short(value)),
            (None, _) => format!("- {}: not measured", goal.name),
        };
        lines.push(line);
    }
    let evaluation = &candidate.evaluation;
    if evaluation.cases_total > 0 {
        lines.push(format!("- cases passed: {} of {}", evaluation.cases_passed(), evaluation.cases_total));
    }
    lines.join("\n")
}

/// A number as short as it can be without hiding a difference.
fn short(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value}") } else { format!("{value:.6}") }
}

/// Files with their names, sharing `limit` characters in proportion to their lengths.
fn files(files: &SourceFiles, limit: usize) -> String {
    let texts: Vec<(&str, &str)> =
        files.0.keys().filter_map(|path| Some((path.as_str(), files.text(path)?))).collect();
    let total: usize = texts.iter().map(|(_, text)| text.len()).sum();
    let share = |text: &str| {
        if total <= limit { text.len() } else { text.len().saturating_mul(limit) / total.max(1) }
    };
    let shown = texts.iter().map(|(path, text)| {
        let text = cut(text, share(text).max(1));
        format!("{path}\n```\n{}\n```", text.trim_end_matches('\n'))
    });
    shown.collect::<Vec<_>>().join("\n\n")
}

/// What failed: the gate, the cases, where the fault may lie, and the end of the output.
fn failures(evaluation: &Evaluation) -> String {
    let mut parts = Vec::new();
    if let Some(check) = evaluation.failed_check() {
        parts.push(format!("The check {} fails: {}", check.name, check.reason));
    }
    let failing = evaluation.cases.iter().filter(|case| !case.passed).take(MAX_FAILING_CASES);
    let cases: Vec<String> =
        failing.map(|case| cut(&format!("- {}: {}", case.name, case.failure), MAX_CASE)).collect();
    if !cases.is_empty() {
        parts.push(format!("Cases that fail:\n{}", cases.join("\n")));
    }
    let mut lines: Vec<(&str, u32, f32)> = evaluation
        .suspicion
        .iter()
        .flat_map(|file| file.lines.iter().map(|(line, suspicion)| (file.path.as_str(), *line, *suspicion)))
        .collect();
    lines.sort_by(|left, right| right.2.total_cmp(&left.2).then(left.1.cmp(&right.1)));
    if !lines.is_empty() {
        let lines: Vec<String> =
            lines.iter().take(MAX_SUSPICIOUS).map(|(path, line, _)| format!("{path} line {line}")).collect();
        parts.push(format!("The fault may lie in {}.", lines.join(", ")));
    }
    let troubled = !cases.is_empty() || evaluation.failed_check().is_some();
    if troubled && !evaluation.log.trim().is_empty() {
        parts.push(format!("The end of its output:\n```\n{}\n```", evaluation.log.trim()));
    }
    parts.join("\n\n")
}

/// Other members of the archive with their scores and files, best first.
fn inspirations(task: &Task, request: &ProposalRequest, limit: usize) -> String {
    let parents: Vec<_> = request.parents.iter().map(|parent| parent.number).collect();
    let others: Vec<&CandidateView> =
        request.peers.iter().filter(|peer| !parents.contains(&peer.number)).take(MAX_INSPIRATIONS).collect();
    if others.is_empty() {
        return String::new();
    }
    let each = limit / others.len();
    let shown = others
        .iter()
        .map(|other| format!("{}\n{}", numbers(task, other, &request.baseline), files(&other.files, each)));
    let shown: Vec<String> = shown.collect();
    format!("Other versions worth learning from:\n\n{}", shown.join("\n\n"))
}
