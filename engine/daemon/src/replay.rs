//! `darwind replay`: folds a run's log again and holds every recorded decision against what the core decides from the
//! same state and seed; then has every proposal made again, with the recorded answers in the place of language models, so
//! that no endpoint is needed. Says what agrees, and stops at nothing: a wrong log is reported, not repaired.

use crate::data::{DataFolder, Runs};
use crate::embedding::EmbeddingScreener;
use crate::failure::{Exit, Failure};
use crate::import;
use crate::language_models;
use crate::terminal::{Colour, Terminal};
use crate::wiring;
use conductor::{Remade, Retracing};
use evolution::acceptance::{self, Verdict};
use evolution::event::Event;
use evolution::id::{Number, RunId};
use evolution::ports::Purpose;
use evolution::state::{State, Trial};
use evolution::{invariants, picking};
use sandbox::PythonScreener;
use serde::Serialize;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Differences at most that the answer lists.
const MAX_LISTED: usize = 20;
/// Events between two checks of the invariants, whose cost grows with the state; the last state is always checked.
const INVARIANTS_EVERY: u64 = 50;

/// What a replay found.
#[derive(Debug, Default, Serialize)]
struct Findings {
    run_id: String,
    seed: u64,
    /// Whether everything agrees.
    ok: bool,
    events: u64,
    /// Choices of parents and operators computed again, and how many came out as recorded.
    choices: Agreement,
    /// Verdicts computed again, and how many came out as recorded.
    verdicts: Agreement,
    /// Proposals made again by proposers that answer the same again, and how many came out as recorded.
    proposals: Agreement,
    /// Proposals that failed for a reason outside, and so could not be made again.
    failed_proposals: u64,
    /// Proposals made after the run was resumed, which cannot be made again: a proposer then remembers what the log gave it.
    proposals_after_resume: u64,
    /// States whose invariants were checked.
    states_checked: u64,
    invariants: usize,
    differences: Vec<String>,
    /// Differences beyond those listed.
    unlisted: u64,
}

/// How often a recomputed decision equals the recorded one.
#[derive(Debug, Default, Serialize)]
struct Agreement {
    recomputed: u64,
    equal: u64,
}

impl Findings {
    fn differ(&mut self, what: String) {
        if self.differences.len() < MAX_LISTED {
            self.differences.push(what);
        } else {
            self.unlisted += 1;
        }
    }
}

/// `darwind replay`.
pub(crate) fn replay(name: &str, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let runs = data.open_existing()?;
    let run = runs.find_run(name)?;
    let mut findings = examine(&runs, &run)?;
    if findings.ok {
        remake(&mut findings, &runs, &run)?;
        findings.ok = findings.differences.is_empty();
    }
    let exit = if findings.ok { Exit::Done } else { Exit::WorkFailed };
    if terminal.wants_json() {
        terminal.json(&findings)?;
        return Ok(exit);
    }
    terminal.line(&format!(
        "run {} · {} events folded; the {} invariants checked at {} of them",
        findings.run_id, findings.events, findings.invariants, findings.states_checked
    ))?;
    let agreement = |name: &str, agreement: &Agreement| {
        format!(
            "{name}: {} of {} come out as recorded from seed {}",
            agreement.equal, agreement.recomputed, findings.seed
        )
    };
    terminal.line(&agreement("choices of parent and operator", &findings.choices))?;
    terminal.line(&agreement("verdicts", &findings.verdicts))?;
    terminal.line(&agreement("proposals", &findings.proposals))?;
    if findings.proposals_after_resume > 0 {
        terminal.line(&format!(
            "{} proposals after the run was resumed were not made again",
            findings.proposals_after_resume
        ))?;
    }
    for difference in &findings.differences {
        terminal.line(&format!("  {}", terminal.paint(difference, Colour::Red)))?;
    }
    if findings.unlisted > 0 {
        terminal.line(&format!("  and {} more", findings.unlisted))?;
    }
    let (verdict, colour) = if findings.ok {
        ("the log agrees with the seed", Colour::Green)
    } else {
        ("the log does NOT agree with the seed", Colour::Red)
    };
    terminal.line(&terminal.paint(verdict, colour))?;
    Ok(exit)
}

fn examine(runs: &Runs, run: &RunId) -> Result<Findings, Failure> {
    let mut findings =
        Findings { run_id: run.to_string(), invariants: invariants::ALL.len(), ..Findings::default() };
    let mut state: Option<State> = None;
    let mut previous = 0;
    runs.visit(run, 0, &mut |record| {
        let (seq, time_ms) = (record.seq, record.time_ms);
        if seq != previous + 1 {
            findings.differ(format!("event {seq} follows event {previous}: the log has a gap"));
        }
        previous = seq;
        findings.events += 1;
        match conductor::event_of(record)
            .map_err(|error| error.to_string())
            .and_then(|event| take(&mut findings, &mut state, seq, time_ms, &event))
        {
            Ok(()) => ControlFlow::Continue(()),
            Err(reason) => {
                findings.differ(format!("event {seq}: {reason}"));
                ControlFlow::Break(())
            }
        }
    })?;
    match &state {
        Some(state) => check_invariants(&mut findings, state, previous),
        None => findings.differ("the log does not begin with run_started".to_owned()),
    }
    findings.ok = findings.differences.is_empty();
    Ok(findings)
}

/// Has the proposals made again, and holds each against the log.
fn remake(findings: &mut Findings, runs: &Runs, run: &RunId) -> Result<(), Failure> {
    let state = runs.state(run)?;
    if state.run.configuration.is_null() {
        // Not begun from a configuration, as a benchmark's run is not: nobody knows who proposed.
        return Ok(());
    }
    let configuration = wiring::stored_configuration(run, &state.run.configuration)?;
    let models = language_models::recorded(&configuration, runs, run)?;
    let mutable: BTreeSet<String> = configuration.target.mutable.iter().cloned().collect();
    let log = runs.log();
    let retracing = Retracing {
        log: log.as_ref(),
        screener: Arc::new(EmbeddingScreener::new(
            PythonScreener::new(mutable.iter().cloned()),
            models.programs.clone(),
        )),
        snapshots: &mut wiring::reading(runs, run, mutable)?,
        proposers: wiring::repeatable(&configuration, state.run.seed, &models.models)?,
    };
    let mut hear = |seq: u64, number: Number, remade: Remade| match remade {
        Remade::Failed => findings.failed_proposals += 1,
        Remade::AfterResume => findings.proposals_after_resume += 1,
        Remade::Same => {
            findings.proposals.recomputed += 1;
            findings.proposals.equal += 1;
        }
        Remade::Different(how) => {
            findings.proposals.recomputed += 1;
            findings.differ(format!("event {seq}: proposal {number}: {how}"));
        }
    };
    conductor::retrace(retracing, run, &mut hear)
        .map_err(|error| Failure::caused("the proposals cannot be made again", error))
}

fn take(
    findings: &mut Findings,
    state: &mut Option<State>,
    seq: u64,
    time_ms: i64,
    event: &Event,
) -> Result<(), String> {
    let Some(state) = state.as_mut() else {
        let Event::RunStarted(started) = event else {
            return Err("the log does not begin with run_started".to_owned());
        };
        findings.seed = started.seed;
        *state = Some(State::begin(time_ms, started).map_err(|error| error.to_string())?);
        return Ok(());
    };
    match event {
        // What was made elsewhere was chosen by nobody here.
        Event::ProposalRequested(requested) if requested.proposer == import::PROPOSER => {}
        Event::ProposalRequested(requested) => {
            let again = picking::pick(state, time_ms);
            findings.choices.recomputed += 1;
            if again.as_ref() == Some(requested) {
                findings.choices.equal += 1;
            } else {
                findings.differ(format!(
                    "event {seq}: proposal {} would be asked for differently",
                    requested.number
                ));
            }
        }
        Event::ImprovementApplied(_) | Event::ImprovementArchived(_) | Event::ImprovementRejected(_) => {
            hold_verdict(findings, state, seq, event);
        }
        _ => {}
    }
    state.apply(time_ms, event).map_err(|error| error.to_string())?;
    if seq.is_multiple_of(INVARIANTS_EVERY) {
        check_invariants(findings, state, seq);
    }
    Ok(())
}

/// Judges again what a verdict judged. A verdict on an evaluation that never came, or on a second judgement, rests on
/// more than the first evaluation and is left out.
fn hold_verdict(findings: &mut Findings, state: &State, seq: u64, event: &Event) {
    let number = match event {
        Event::ImprovementApplied(applied) => applied.modification_id.number(),
        Event::ImprovementArchived(archived) => archived.modification_id.number(),
        Event::ImprovementRejected(rejected) => rejected.modification_id.number(),
        _ => None,
    };
    let Some((number, evaluation)) = number.and_then(|number| Some((number, judged(state, number)?))) else {
        return;
    };
    let verdict = acceptance::judge(state, number, evaluation);
    findings.verdicts.recomputed += 1;
    let equal = match (&verdict, event) {
        (Verdict::Accepted { delta, improvement, reason }, Event::ImprovementApplied(recorded)) => {
            *delta == recorded.performance_delta
                && *improvement == recorded.improvement
                && *reason == recorded.reason
        }
        (Verdict::Archived { delta, reason }, Event::ImprovementArchived(recorded)) => {
            *delta == recorded.performance_delta && *reason == recorded.reason
        }
        (Verdict::Rejected(refusal), Event::ImprovementRejected(recorded)) => {
            refusal.gate == recorded.gate && refusal.reason == recorded.reason
        }
        _ => false,
    };
    if equal {
        findings.verdicts.equal += 1;
    } else {
        findings.differ(format!("event {seq}: candidate {number} would be judged {verdict:?}"));
    }
}

fn judged(state: &State, number: Number) -> Option<&evolution::candidate::Evaluation> {
    match state.trials.get(&(number, Purpose::Judge)) {
        Some(Trial::Done(evaluation)) => Some(evaluation),
        _ => None,
    }
}

fn check_invariants(findings: &mut Findings, state: &State, seq: u64) {
    findings.states_checked += 1;
    if let Some((name, reason)) = invariants::broken(state) {
        findings.differ(format!("after event {seq} the invariant {name} does not hold: {reason}"));
    }
}
