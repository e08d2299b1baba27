//! What deserves a person's attention, read off the log by fixed rules: the same as the page's (`app/run/alerts.ts`), so
//! that a page that begins with a snapshot shows what one that read the whole log would.

use super::Chronicle;
use crate::views;
use crate::wire::frame::{AlertNote, Moment};
use evolution::candidate::Outcome;
use evolution::event::{BreakerState, BudgetNote, Event, StoppedBy};
use evolution::id::CandidateId;
use evolution::ports::Purpose;

/// A candidate that wins more than this share over its parent at once is worth a second look.
const JUMP: f64 = 0.9;
/// Evaluations without a new champion after which a run counts as stalled; it is said again each time they double.
const STALL_EVALUATIONS: u64 = 200;

/// What is said of an alert before it has a place.
type Draft = (&'static str, &'static str, String, String, Option<String>);

/// What an event raises.
pub(super) fn raised(chronicle: &Chronicle, at: Moment, event: &Event) -> Vec<AlertNote> {
    let of = |id: String, (severity, kind, title, detail, modification_id): Draft| AlertNote {
        at,
        id,
        severity,
        kind,
        title,
        detail,
        modification_id,
    };
    let raised = draft(event).map(|draft| of(at.seq.to_string(), draft));
    let stalled = stalled(chronicle, at, event).map(|draft| of(format!("{}-stalled", at.seq), draft));
    raised.into_iter().chain(stalled).collect()
}

fn draft(event: &Event) -> Option<Draft> {
    let id = |id: &CandidateId| Some(id.to_string());
    Some(match event {
        Event::SafetyViolation(it) => {
            let what: Vec<String> =
                it.denials.iter().map(|(name, count)| format!("{name} {count}×")).collect();
            let parts = [it.reason.clone(), what.join(", ")];
            let told: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            let title = "The sandbox caught a candidate".to_owned();
            ("serious", "safety", title, told.join(" · "), id(&it.modification_id))
        }
        Event::ValidationCompleted(it) if it.evaluation.outcome == Outcome::Tamper => {
            let told = it.evaluation.detail.clone();
            let usual = "It tried to forge its result or change what judges it.";
            let detail = if told.is_empty() { usual.to_owned() } else { told };
            let title = "A candidate tampered with its judge".to_owned();
            ("serious", "cheating", title, detail, id(&it.modification_id))
        }
        Event::ImprovementApplied(it) if it.performance_delta >= JUMP => {
            let won = it.performance_delta * 100.0;
            let detail = format!(
                "{won:.1} % better than its parent in one step: look at its diff before you trust it."
            );
            ("note", "jump", "Unusually large jump".to_owned(), detail, id(&it.modification_id))
        }
        Event::BreakerChanged(it) if it.to != BreakerState::Closed => {
            let severity = if it.to == BreakerState::Open { "serious" } else { "note" };
            let word = views::word(it.to).replace('_', "-");
            (severity, "breaker", format!("Breaker {} is {word}", it.name), it.reason.clone(), None)
        }
        Event::BudgetWarning(it) => budget("warning", "Budget nearly spent", it),
        Event::BudgetExhausted(it) => budget("note", "Budget spent", it),
        Event::PerformanceThresholdExceeded(it) => {
            let detail = format!("{} against {}", it.value, it.threshold);
            let title = format!("Threshold met: {}", it.objective);
            ("note", "threshold", title, detail, id(&it.modification_id))
        }
        // What somebody aborted stands among the commands: nothing is wrong with the machinery.
        Event::EvaluationFailed(it) if !it.aborted => {
            let detail = format!("{} (try {})", it.reason, it.attempt);
            let (severity, title) = match it.given_up {
                true => ("serious", "An evaluation was given up"),
                false => ("warning", "The machinery could not evaluate"),
            };
            (severity, "machinery", title.to_owned(), detail, id(&it.modification_id))
        }
        Event::RollbackCompleted(it) if !it.verified => {
            let title = "A rollback could not be verified".to_owned();
            ("serious", "rollback", title, it.reason.clone(), id(&it.modification_id))
        }
        Event::RunFinished(it) if it.stopped_by == StoppedBy::Failure => {
            ("serious", "machinery", "The run failed".to_owned(), it.reason.clone(), None)
        }
        _ => return None,
    })
}

fn budget(severity: &'static str, title: &str, note: &BudgetNote) -> Draft {
    let (name, amount): (&str, fn(f64) -> String) = match note.budget.as_str() {
        "time" => ("time", minutes),
        "llm_tokens" => ("tokens", whole),
        "llm_cost_usd" => ("money", |dollars| format!("${dollars:.2}")),
        other => (other, whole),
    };
    let detail = format!("{} of {}", amount(note.spent), amount(note.limit));
    (severity, "budget", format!("{title}: {name}"), detail, None)
}

fn whole(count: f64) -> String {
    format!("{count:.0}")
}

/// Milliseconds as minutes.
fn minutes(ms: f64) -> String {
    format!("{:.1} min", ms / 60_000.0)
}

fn stalled(chronicle: &Chronicle, at: Moment, event: &Event) -> Option<Draft> {
    let Event::ValidationStarted(started) = event else { return None };
    let since = chronicle.champions.last().map_or(0, |step| step.at.evaluations);
    let barren = at.evaluations.saturating_sub(since);
    let doubled = barren.checked_div(STALL_EVALUATIONS).is_some_and(u64::is_power_of_two);
    let due = started.purpose == Purpose::Judge && doubled && barren.is_multiple_of(STALL_EVALUATIONS);
    let detail = format!("{barren} evaluations without a better champion.");
    due.then(|| ("note", "stalled", "No progress".to_owned(), detail, None))
}
