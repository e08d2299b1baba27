//! `darwind log`, and the log's one-line forms: exact JSON for programs, a sentence for people. Follows a run that
//! another process drives, since both read the same store.

use crate::cli::LogFlags;
use crate::data::{DataFolder, Runs};
use crate::failure::{Exit, Failure};
use crate::terminal::{Colour, Terminal};
use evolution::embedding::Embedding;
use evolution::event::Event;
use evolution::id::RunId;
use evolution::niches::Niche;
use serde::Serialize;
use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, UNIX_EPOCH};
use store::Record;

/// Longest sentence about an event, in characters.
const MAX_SENTENCE: usize = 160;

/// An event as `export --format jsonl` and `log --json` write it.
#[derive(Debug, Serialize)]
pub(crate) struct EventLine {
    seq: u64,
    event_type: String,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    modification_id: Option<String>,
    data: serde_json::Value,
}

impl EventLine {
    /// The line of a record.
    pub(crate) fn new(record: Record) -> Self {
        let id = |value: &serde_json::Value| Some(value.get("modification_id")?.as_str()?.to_owned());
        let modification_id = id(&record.data).or_else(|| id(record.data.get("command")?));
        Self {
            seq: record.seq,
            event_type: record.kind,
            timestamp: timestamp(record.time_ms),
            modification_id,
            data: record.data,
        }
    }
}

/// Unix milliseconds as RFC 3339 in UTC.
pub(crate) fn timestamp(time_ms: i64) -> String {
    let since = Duration::from_millis(u64::try_from(time_ms).unwrap_or(0));
    humantime::format_rfc3339_millis(UNIX_EPOCH + since).to_string()
}

/// `darwind log`.
pub(crate) fn log(flags: &LogFlags, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let runs = data.open_existing()?;
    let run = runs.find_run(&flags.run.run)?;
    let mut written: io::Result<()> = Ok(());
    let mut over = false;
    let seen = runs.visit(&run, flags.after, &mut |record| {
        over = record.kind == "run_finished" || (over && record.kind != "run_resumed");
        written = write(terminal, record);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written?;
    if flags.follow && !over {
        follow(&runs, &run, seen, terminal)?;
    }
    Ok(Exit::Done)
}

/// Writes events as they come, until the run ends.
fn follow(runs: &Runs, run: &RunId, after: u64, terminal: Terminal) -> Result<(), Failure> {
    let faulty = |error| Failure::caused("the run's log could not be followed", error);
    let mut subscription = runs.log().subscribe(&conductor::run_stream(run), after).map_err(faulty)?;
    loop {
        let record = subscription.recv().map_err(faulty)?;
        let ends = record.kind == "run_finished";
        write(terminal, record)?;
        terminal.flush()?;
        if ends {
            return Ok(());
        }
    }
}

/// Writes one event: exact JSON for programs, a sentence for people.
pub(crate) fn write(terminal: Terminal, record: Record) -> io::Result<()> {
    if terminal.wants_json() {
        return terminal.json_line(&EventLine::new(record));
    }
    let (seq, time) = (record.seq, timestamp(record.time_ms));
    let clock = time.get(11..23).unwrap_or(&time).to_owned();
    let kind = record.kind.clone();
    let fallback = record.data.to_string();
    let sentence = conductor::event_of(record).map_or(fallback, |event| sentence(&event));
    let sentence: String = sentence.lines().next().unwrap_or("").chars().take(MAX_SENTENCE).collect();
    let clock = terminal.paint(&clock, Colour::Dim);
    let kind = terminal.paint(&format!("{kind:<22}"), colour(&kind));
    terminal.line(&format!("{seq:>6}  {clock}  {kind}  {sentence}"))
}

fn colour(kind: &str) -> Colour {
    match kind {
        "improvement_applied" | "champion_changed" => Colour::Green,
        "safety_violation" | "evaluation_failed" | "breaker_changed" => Colour::Red,
        "rollback_initiated" | "rollback_completed" | "run_paused" | "control_received" => Colour::Yellow,
        "run_started" | "run_resumed" | "run_finished" | "search_restarted" => Colour::Bold,
        _ => Colour::Cyan,
    }
}

/// An event in a sentence.
fn sentence(event: &Event) -> String {
    match event {
        Event::RunStarted(started) => format!("{} with seed {}", started.agent_id, started.seed),
        Event::RunResumed(resumed) => resumed.reason.clone(),
        Event::RunPaused(paused) => paused.reason.clone(),
        Event::RunFinished(finished) => {
            format!("{}: {}", crate::summary::stopped_word(finished.stopped_by), finished.reason)
        }
        Event::ControlReceived(control) => {
            let refused = control.refused.as_ref().map(|why| format!(", refused: {why}")).unwrap_or_default();
            format!("{}{refused} {}", command_name(&control.command), control.reason)
        }
        Event::ProposalRequested(asked) => {
            let parents: Vec<String> = asked.parents.iter().map(ToString::to_string).collect();
            format!(
                "{} asks {} for {} on {}",
                asked.number,
                asked.proposer,
                asked.operator,
                parents.join(" and ")
            )
        }
        Event::ProposalDiscarded(discarded) => format!("{}: {}", discarded.number, discarded.reason),
        Event::ImprovementProposed(proposed) => {
            let missing = match &proposed.shape.embedding {
                Embedding::Missing(reason) => format!(" (no embedding: {reason})"),
                Embedding::Known(_) | Embedding::Unasked => String::new(),
            };
            format!(
                "{} by {}/{}: {}{missing}",
                proposed.modification_id, proposed.proposer, proposed.operator, proposed.rationale
            )
        }
        Event::ValidationStarted(started) => started.modification_id.to_string(),
        Event::ValidationCompleted(completed) => {
            let evaluation = &completed.evaluation;
            let scores: Vec<String> =
                evaluation.scores.iter().map(|(name, value)| format!("{name} {value:.6}")).collect();
            let word = evaluation.outcome.word();
            format!("{} {word} {} {}", completed.modification_id, scores.join(", "), evaluation.detail)
        }
        Event::EvaluationFailed(failed) => {
            format!("{} try {}: {}", failed.modification_id, failed.attempt, failed.reason)
        }
        Event::ImprovementApplied(applied) => format!("{}: {}", applied.modification_id, applied.reason),
        Event::ImprovementArchived(archived) => format!("{}: {}", archived.modification_id, archived.reason),
        Event::ImprovementRejected(rejected) => {
            format!("{} at {}: {}", rejected.modification_id, rejected.gate, rejected.reason)
        }
        Event::ChampionChanged(changed) => format!("{} ({})", changed.modification_id, changed.reason),
        Event::FrontChanged(front) => format!("{} members, hypervolume {:.4}", front.size, front.hypervolume),
        Event::NicheChanged(changed) => {
            let place = match &changed.niche {
                Niche::Island(island) => format!("on island {island}"),
                Niche::Cell(cell) => format!("in cell {cell:?}"),
                Niche::Novelty(novelty) => format!("with novelty {novelty:.2}"),
            };
            let outcome = if changed.entered { "is a parent" } else { "found no place" };
            format!("{} {outcome} {place}, {} parents", changed.modification_id, changed.parents)
        }
        Event::Migrated(migrated) => {
            let count: usize = migrated.passages.iter().map(|voyage| voyage.migrants.len()).sum();
            format!("{count} from {} islands", migrated.passages.len())
        }
        Event::SearchRestarted(restarted) => {
            format!("{} from {}: {}", restarted.restart, restarted.modification_id, restarted.reason)
        }
        Event::LearningRateChanged(rate) => format!("{:.4} to {:.4}", rate.from, rate.to),
        Event::BreakerChanged(breaker) => format!("{}: {:?}, {}", breaker.name, breaker.to, breaker.reason),
        Event::BudgetWarning(note) | Event::BudgetExhausted(note) => {
            format!("{}: {} of {}", note.budget, note.spent, note.limit)
        }
        Event::BudgetChanged(changed) => changed.reason.clone(),
        Event::SafetyViolation(violation) => format!("{}: {}", violation.modification_id, violation.reason),
        Event::PerformanceThresholdExceeded(crossed) => {
            format!("{}: {} is {}", crossed.modification_id, crossed.objective, crossed.value)
        }
        Event::RollbackInitiated(rollback) => {
            format!("from {} to {}", rollback.from, rollback.modification_id)
        }
        Event::RollbackCompleted(rollback) => {
            let verified = if rollback.verified { "verified" } else { "NOT verified" };
            format!("{} {verified}: {}", rollback.modification_id, rollback.reason)
        }
        Event::KnowledgeReceived(received) => {
            let fate = if received.queued { "waits" } else { "fits too badly" };
            let (kind, from) = (&received.improvement_type, &received.from);
            format!("{kind} from {from}, compatibility {:.2}: {fate}", received.compatibility)
        }
        Event::KnowledgeShared(shared) => {
            format!(
                "{} with {}: {} {}",
                words(&shared.modification_id),
                shared.to,
                shared.outcome,
                shared.reason
            )
        }
        Event::PeerChanged(peer) => format!("{} {}: {}", peer.name, peer.change, peer.reason),
        Event::SearchDivided(divided) => match divided.part {
            Some(part) => {
                format!("part {} of {} first, beside {}", part.own + 1, part.of, divided.with.join(", "))
            }
            None => "alone again".to_owned(),
        },
    }
}

fn words(id: &Option<evolution::id::CandidateId>) -> String {
    id.as_ref().map_or_else(|| "an improvement".to_owned(), ToString::to_string)
}

/// A command's name on the wire.
pub(crate) fn command_name(command: &evolution::event::Command) -> &'static str {
    use evolution::event::Command;
    match command {
        Command::PauseEvolution => "pause_evolution",
        Command::ResumeEvolution => "resume_evolution",
        Command::StopEvolution => "stop_evolution",
        Command::RollbackModification { .. } => "rollback_modification",
        Command::Promote { .. } => "promote",
        Command::Pin { .. } => "pin",
        Command::AbortEvaluation { .. } => "abort_evaluation",
        Command::SetBudget { .. } => "set_budget",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_has_exactly_the_fields_of_the_contract() {
        let record = Record {
            stream: "run/x".to_owned(),
            seq: 7,
            kind: "improvement_rejected".to_owned(),
            time_ms: 1_700_000_000_123,
            data: json!({"modification_id": "x-3", "gate": "tests", "reason": "r"}),
        };
        let line = serde_json::to_string(&EventLine::new(record)).unwrap();
        assert_eq!(
            line,
            "{\"seq\":7,\"event_type\":\"improvement_rejected\",\"timestamp\":\"2023-11-14T22:13:20.123Z\",\
             \"modification_id\":\"x-3\",\"data\":{\"gate\":\"tests\",\"modification_id\":\"x-3\",\"reason\":\"r\"}}"
        );
        let record = Record {
            stream: "run/x".to_owned(),
            seq: 8,
            kind: "run_paused".to_owned(),
            time_ms: 0,
            data: json!({"reason": "r"}),
        };
        assert!(!serde_json::to_string(&EventLine::new(record)).unwrap().contains("modification_id"));
    }
}
