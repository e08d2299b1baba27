//! The end of a run as a person wants to read it: what got better and by how much, what became of the proposals, the
//! winner's change, and how to bring it home. Only text; the figures are those of `summary`.

use crate::summary::{Counts, EmbeddingLine, ModelLine, RunSummary, Scored};
use crate::terminal::{Colour, Terminal};
use comfy_table::{Cell, CellAlignment, Table, presets};
use evolution::acceptance;
use evolution::candidate::Evaluation;
use evolution::state::State;
use objectives::{Direction, Objective};
use std::io;

/// Longest diff that the report shows, in lines; `darwind diff` shows all.
const MAX_DIFF_LINES: usize = 80;
/// An improvement smaller than this share reads as none.
const NO_CHANGE: f64 = 0.000_5;

/// Prints the report. `diff` is the winner's unified diff against the baseline, empty when nothing was won.
pub(crate) fn print(terminal: Terminal, state: &State, summary: &RunSummary, diff: &str) -> io::Result<()> {
    terminal.line("")?;
    terminal.line(&headline(terminal, state, summary))?;
    if summary.stopped_by == "failure" && summary.counts.evaluations == 0 {
        return Ok(());
    }
    terminal.line("")?;
    terminal.line(&objectives_table(state, summary.baseline.as_ref(), summary.best.as_ref()).to_string())?;
    terminal.line("")?;
    for line in counts_lines(&summary.counts) {
        terminal.line(&line)?;
    }
    terminal.line(&format!(
        "Time       {:.1} s, of it {:.1} s evaluating and {:.2} s engine alone · isolation {}",
        summary.wall_s,
        summary.evaluator_s,
        summary.overhead_s,
        if summary.isolation.is_empty() { "none yet" } else { &summary.isolation }
    ))?;
    if let Some(llm) = &summary.llm {
        terminal.line(&model_line(llm))?;
    }
    if let Some(embeddings) = &summary.embeddings {
        terminal.line(&embedding_line(embeddings))?;
    }
    if !diff.is_empty() {
        terminal.line("")?;
        print_diff(terminal, diff, MAX_DIFF_LINES)?;
    }
    terminal.line("")?;
    for line in next_steps(summary) {
        terminal.line(&line)?;
    }
    Ok(())
}

fn model_line(llm: &ModelLine) -> String {
    let tokens = &llm.tokens;
    let cost = llm.cost_usd.map_or_else(|| "price unknown".to_owned(), |usd| format!("{usd:.4} US dollars"));
    format!(
        "Models     {} calls · {} tokens read ({} from a cache), {} written ({} thinking) · {cost}",
        llm.calls, tokens.input, tokens.cached, tokens.output, tokens.reasoning
    )
}

fn embedding_line(embeddings: &EmbeddingLine) -> String {
    let known = format!("Embeddings {} programs", embeddings.known);
    if embeddings.missing == 0 {
        return known;
    }
    let EmbeddingLine { missing, reason, .. } = embeddings;
    format!("{known}; {missing} without, compared by their syntax trees ({reason})")
}

fn headline(terminal: Terminal, state: &State, summary: &RunSummary) -> String {
    let why = match summary.stopped_by {
        "evaluations" => "the budget of evaluations is spent",
        "time" => "the time is up",
        "llm_tokens" => "the budget of tokens is spent",
        "llm_cost_usd" => "the budget of money for language models is spent",
        "goal" => "nothing better is possible",
        "exhausted" => "no proposal is left",
        "failure" => "the run failed",
        _ => "interrupted",
    };
    let run = terminal.paint(&format!("{} · run {}", state.run.agent_id, summary.run_id), Colour::Bold);
    format!("{run} · {why}")
}

/// What is said of an unchanged program that its own evaluator calls incorrect.
pub(crate) fn repair_note(evaluation: &Evaluation) -> Option<String> {
    acceptance::is_incorrect(evaluation).then(|| {
        let reason = evaluation.detail.trim();
        format!(
            "the unchanged program is not correct ({reason}): a run tries to repair it, and nothing is the winner before its \
             evaluator calls it correct"
        )
    })
}

/// Baseline, best and improvement, one row an objective.
pub(crate) fn objectives_table(state: &State, baseline: Option<&Scored>, best: Option<&Scored>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["objective", "baseline", "best", "improvement"]);
    for objective in state.run.objectives.iter() {
        let value = |scored: Option<&Scored>| {
            scored
                .and_then(|scored| scored.scores.get(&objective.name))
                .map(|value| measured(objective, value))
        };
        let share = best.and_then(|best| best.improvement.as_ref()?.get(&objective.name).copied());
        table.add_row([
            Cell::new(&objective.name),
            right(value(baseline)),
            right(value(best)),
            right(share.map(|share| improvement(objective, baseline, best, share))),
        ]);
    }
    if let Some((passed, known)) = best.and_then(|best| best.cases) {
        let before = baseline.and_then(|baseline| baseline.cases).map_or(0, |(passed, _)| passed);
        table.add_row([
            Cell::new("cases passed"),
            right(Some(format!("{before} of {known}"))),
            right(Some(format!("{passed} of {known}"))),
            right(None),
        ]);
    }
    table
}

fn right(text: Option<String>) -> Cell {
    Cell::new(text.unwrap_or_else(|| "–".to_owned())).set_alignment(CellAlignment::Right)
}

/// A value with its unit, in as many digits as mean something.
pub(crate) fn measured(objective: &Objective, value: f64) -> String {
    let unit = objective.unit.as_deref().unwrap_or("");
    match unit {
        "B" if value >= 1024.0 * 1024.0 => format!("{:.1} MiB", value / 1024.0 / 1024.0),
        "B" if value >= 10.0 * 1024.0 => format!("{:.1} KiB", value / 1024.0),
        "s" if value.abs() < 1.0 => format!("{:.1} ms", value * 1000.0),
        "" => number(value),
        _ => format!("{} {unit}", number(value)),
    }
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { format!("{value:.4}") }
}

/// A share as people say it: a time that falls to a fifth is `5.0 times faster`.
fn improvement(
    objective: &Objective,
    baseline: Option<&Scored>,
    best: Option<&Scored>,
    share: f64,
) -> String {
    if share.abs() < NO_CHANGE {
        return "none".to_owned();
    }
    let of = |scored: Option<&Scored>| scored.and_then(|scored| scored.scores.get(&objective.name));
    if let (Direction::Minimize, Some(before), Some(after)) = (objective.direction, of(baseline), of(best))
        && objective.unit.as_deref() == Some("s")
        && after > 0.0
        && share > 0.0
    {
        return format!("{:.1} times faster", before / after);
    }
    format!("{:+.1} %", share * 100.0)
}

fn counts_lines(counts: &Counts) -> Vec<String> {
    let listed = |pairs: Vec<(String, u64)>| {
        let parts: Vec<String> = pairs
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        parts.join(", ")
    };
    let outcomes =
        counts.proposal_outcomes.iter().map(|(name, count)| (name.replace('_', " "), *count)).collect();
    let gates = counts.gates.iter().map(|(name, count)| (format!("at {name}"), *count)).collect();
    let (outcomes, gates) = (listed(outcomes), listed(gates));
    let with = |text: String| if text.is_empty() { text } else { format!(": {text}") };
    vec![
        format!("Proposals  {}{}", counts.proposals, with(outcomes)),
        format!(
            "Evaluated  {}: {} viable, {} of them improvements",
            counts.evaluations, counts.viable, counts.accepted
        ),
        format!("Rejected   {}{}", counts.rejected, with(gates)),
    ]
}

/// Prints a unified diff, in colour where a person looks on, at most `limit` lines of it.
pub(crate) fn print_diff(terminal: Terminal, diff: &str, limit: usize) -> io::Result<()> {
    for line in diff.lines().take(limit) {
        let colour = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] | [b'd', b'i', b'f', b'f', ..] => {
                Some(Colour::Bold)
            }
            [b'+', ..] => Some(Colour::Green),
            [b'-', ..] => Some(Colour::Red),
            [b'@', b'@', ..] => Some(Colour::Cyan),
            _ => None,
        };
        terminal.line(&colour.map_or_else(|| line.to_owned(), |colour| terminal.paint(line, colour)))?;
    }
    let beyond = diff.lines().count().saturating_sub(limit);
    if beyond > 0 { terminal.line(&format!("… {beyond} more lines")) } else { Ok(()) }
}

fn next_steps(summary: &RunSummary) -> Vec<String> {
    let mut lines = Vec::new();
    if summary.stopped_by == "interrupt" {
        lines.push(format!("Saved. Go on with:   darwind resume {}", summary.run_id));
    }
    match &summary.best {
        Some(best) if best.viable && summary.champion_history.len() > 1 => {
            lines.push(format!(
                "Bring it home with:  darwind apply {} (a new branch; or --in-place, or --patch FILE)",
                best.candidate_id
            ));
            lines.push(format!(
                "Look closer with:    darwind diff {0} · darwind lineage {1}",
                best.candidate_id, summary.run_id
            ));
        }
        Some(best) if !best.viable => {
            lines.push(format!(
                "No candidate passes every check yet; the closest is {} (darwind diff {0}).",
                best.candidate_id
            ));
        }
        _ => lines.push("Nothing better than the unchanged program was found.".to_owned()),
    }
    lines
}
