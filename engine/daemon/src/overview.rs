//! The commands that show runs as a whole: `runs`, `show`, `front`, `best`. Each folds the log and prints; none writes.

use crate::data::{DataFolder, RunLine, Runs};
use crate::events::timestamp;
use crate::failure::{Exit, Failure};
use crate::report;
use crate::summary::{self, Counts, ObjectiveLine, Scored};
use crate::terminal::{Colour, Terminal};
use comfy_table::{Table, presets};
use evolution::event::BreakerState;
use evolution::id::{CandidateId, RunId};
use evolution::state::{Phase, State};
use serde::Serialize;
use std::collections::BTreeMap;

/// A run in the list.
#[derive(Debug, Serialize)]
struct ListedRun {
    run_id: String,
    agent_id: Option<String>,
    target: Option<String>,
    state: String,
    /// Whether a process drives it now.
    driven: bool,
    started: String,
    last_event: String,
    events: u64,
    seed: Option<u64>,
    evaluations: u64,
    accepted: u64,
    best: Option<Scored>,
}

/// `darwind runs`.
pub(crate) fn runs(data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let listed = match data.open_existing() {
        Ok(runs) => runs.list()?.iter().map(|line| listed(&runs, line)).collect::<Result<Vec<_>, _>>()?,
        // A folder that was never used holds no runs: an empty list, not an error.
        Err(crate::data::DataError::NoRuns { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if terminal.wants_json() {
        terminal.json(&listed)?;
        return Ok(Exit::Done);
    }
    if listed.is_empty() {
        terminal.line(&format!("no runs in {}", data.path().display()))?;
        return Ok(Exit::Done);
    }
    let mut table = plain_table(["run", "target", "state", "started", "evaluations", "improvements", "best"]);
    for run in listed {
        let state = if run.driven || !is_open(&run.state) {
            run.state
        } else {
            format!("{} (not driven)", run.state)
        };
        table.add_row([
            run.run_id,
            run.agent_id.unwrap_or_default(),
            state,
            run.started.get(..19).unwrap_or_default().replace('T', " "),
            run.evaluations.to_string(),
            run.accepted.to_string(),
            run.best.map(|best| gains(&best)).unwrap_or_default(),
        ]);
    }
    terminal.line(&table.to_string())?;
    Ok(Exit::Done)
}

fn is_open(state: &str) -> bool {
    matches!(state, "pending" | "running" | "paused")
}

fn plain_table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    table
}

fn listed(runs: &Runs, line: &RunLine) -> Result<ListedRun, Failure> {
    let driven = runs.driver(&line.id)?.is_some();
    // A run that cannot be read must not hide the others.
    let state = runs.state(&line.id).ok();
    let of = |get: fn(&State) -> u64| state.as_ref().map_or(0, get);
    Ok(ListedRun {
        run_id: line.id.to_string(),
        agent_id: state.as_ref().map(|state| state.run.agent_id.clone()),
        target: state.as_ref().map(|state| state.run.target.clone()),
        state: state.as_ref().map_or("unreadable", |state| summary::phase_word(&state.phase)).to_owned(),
        driven,
        started: timestamp(line.started_ms),
        last_event: timestamp(line.last_ms),
        events: line.events,
        seed: state.as_ref().map(|state| state.run.seed),
        evaluations: of(|state| state.counters.evaluations),
        accepted: of(|state| state.counters.accepted),
        best: state.as_ref().and_then(summary::best),
    })
}

fn gains(best: &Scored) -> String {
    let shares = best.improvement.iter().flatten();
    let parts: Vec<String> = shares.map(|(name, share)| format!("{name} {:+.1} %", share * 100.0)).collect();
    parts.join(", ")
}

/// One run, whole.
#[derive(Debug, Serialize)]
struct ShownRun {
    run_id: RunId,
    agent_id: String,
    target: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_by: Option<&'static str>,
    driven: bool,
    seed: u64,
    started: String,
    last_event: String,
    active_s: f64,
    counters: Counts,
    objectives: Vec<ObjectiveLine>,
    baseline: Option<Scored>,
    champion: Option<Scored>,
    best: Option<Scored>,
    front: Vec<CandidateId>,
    hypervolume: f64,
    champion_history: Vec<CandidateId>,
    learning_rate: f64,
    breakers: BTreeMap<String, BreakerState>,
    budget: evolution::settings::Budget,
    noise: BTreeMap<String, f64>,
    isolation: String,
    configuration: serde_json::Value,
}

/// `darwind show`.
pub(crate) fn show(name: &str, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let runs = data.open_existing()?;
    let run = runs.find_run(name)?;
    let state = runs.state(&run)?;
    let shown = shown(&runs, &run, &state)?;
    if terminal.wants_json() {
        terminal.json(&shown)?;
        return Ok(Exit::Done);
    }
    let driven = if shown.driven { ", driven now" } else { "" };
    terminal.line(&terminal.paint(&format!("{} · run {}", shown.agent_id, shown.run_id), Colour::Bold))?;
    terminal.line(&format!("target         {}", shown.target))?;
    let by = shown.stopped_by.map(|by| format!(" by {by}")).unwrap_or_default();
    terminal.line(&format!("state          {}{by}{driven}", shown.state))?;
    terminal.line(&format!("started        {}, {:.1} s driven", shown.started, shown.active_s))?;
    terminal.line(&format!("seed           {}", shown.seed))?;
    terminal.line(&format!("learning rate  {:.3}", shown.learning_rate))?;
    terminal.line(&format!("isolation      {}", shown.isolation))?;
    let open: Vec<String> = shown
        .breakers
        .iter()
        .filter(|(_, state)| **state != BreakerState::Closed)
        .map(|(name, state)| format!("{name} {state:?}"))
        .collect();
    let breakers = if open.is_empty() { "all closed".to_owned() } else { open.join(", ") };
    terminal.line(&format!("breakers       {breakers}"))?;
    let counts = &shown.counters;
    terminal.line(&format!(
        "counters       {} evaluations, {} proposals, {} duplicates, {} viable, {} improvements, {} rejected",
        counts.evaluations,
        counts.proposals,
        counts.duplicates,
        counts.viable,
        counts.accepted,
        counts.rejected
    ))?;
    terminal.line(&format!(
        "front          {} members, hypervolume {:.4}",
        shown.front.len(),
        shown.hypervolume
    ))?;
    if let Some(best) = &shown.best {
        terminal.line(&format!("best           {} at {}", best.candidate_id, best.commit))?;
    }
    terminal
        .line(&report::objectives_table(&state, shown.baseline.as_ref(), shown.best.as_ref()).to_string())?;
    Ok(Exit::Done)
}

fn shown(runs: &Runs, run: &RunId, state: &State) -> Result<ShownRun, Failure> {
    let ids = |numbers: &[u32]| numbers.iter().map(|number| state.id(*number)).collect();
    let active_ms = state.active_ms(state.last_ms);
    Ok(ShownRun {
        run_id: run.clone(),
        agent_id: state.run.agent_id.clone(),
        target: state.run.target.clone(),
        state: summary::phase_word(&state.phase),
        stopped_by: match state.phase {
            Phase::Finished(by) => Some(summary::stopped_word(by)),
            _ => None,
        },
        driven: runs.driver(run)?.is_some(),
        seed: state.run.seed,
        started: started(runs, run)?,
        last_event: timestamp(state.last_ms),
        active_s: active_ms as f64 / 1000.0,
        counters: summary::counts(state),
        objectives: summary::objective_lines(state),
        baseline: summary::baseline(state),
        champion: state
            .champion
            .and_then(|champion| state.candidate(champion))
            .map(|record| summary::scored(state, record)),
        best: summary::best(state),
        front: ids(&state.front),
        hypervolume: state.hypervolume,
        champion_history: ids(&state.champion_history),
        learning_rate: state.learning_rate.rate(),
        breakers: state.breakers.iter().map(|(name, breaker)| (name.clone(), breaker.state())).collect(),
        budget: state.budget.clone(),
        noise: state.noise.clone(),
        isolation: state.isolation.clone(),
        configuration: state.run.configuration.clone(),
    })
}

/// When a run began: its first record's time, which the state does not keep.
fn started(runs: &Runs, run: &RunId) -> Result<String, Failure> {
    let mut first = 0;
    runs.visit(run, 0, &mut |record| {
        first = record.time_ms;
        std::ops::ControlFlow::Break(())
    })?;
    Ok(timestamp(first))
}

/// A member of the front.
#[derive(Debug, Serialize)]
struct Member {
    #[serde(flatten)]
    scored: Scored,
    rank: Option<u32>,
    champion: bool,
    proposer: Option<String>,
    operator: Option<String>,
    rationale: String,
}

/// `darwind front`.
pub(crate) fn front(name: &str, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let runs = data.open_existing()?;
    let state = runs.state(&runs.find_run(name)?)?;
    let records = state.front.iter().filter_map(|number| state.candidate(*number));
    let members: Vec<Member> = records.map(|record| member(&state, record)).collect();
    if terminal.wants_json() {
        terminal.json(&serde_json::json!({
            "run_id": state.run.run_id,
            "objectives": summary::objective_lines(&state),
            "hypervolume": state.hypervolume,
            "front": members,
        }))?;
        return Ok(Exit::Done);
    }
    if members.is_empty() {
        terminal.line("no candidate has passed every check yet, so there is no front")?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let objectives: Vec<&objectives::Objective> = state.run.objectives.iter().collect();
    let names = objectives.iter().map(|objective| objective.name.as_str());
    table.set_header(["candidate"].into_iter().chain(names).chain(["made by", ""]));
    for member in &members {
        let scores = objectives.iter().map(|objective| {
            let value = member.scored.scores.get(&objective.name);
            value.map_or_else(|| "–".to_owned(), |value| report::measured(objective, value))
        });
        let mark = if member.champion { "champion" } else { "" };
        let by = member.operator.clone().unwrap_or_else(|| "the unchanged program".to_owned());
        let id = member.scored.candidate_id.to_string();
        table.add_row(std::iter::once(id).chain(scores).chain([by, mark.to_owned()]));
    }
    terminal.line(&table.to_string())?;
    terminal.line(&format!("hypervolume {:.4}", state.hypervolume))?;
    Ok(Exit::Done)
}

fn member(state: &State, record: &evolution::state::CandidateRecord) -> Member {
    let arm = state.arm(record);
    Member {
        scored: summary::scored(state, record),
        rank: state.rank(record.number),
        champion: state.champion == Some(record.number),
        proposer: arm.map(|arm| arm.proposer.clone()),
        operator: arm.map(|arm| arm.operator.clone()),
        rationale: record.rationale.to_string(),
    }
}

/// `darwind best`.
pub(crate) fn best(name: &str, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let runs = data.open_existing()?;
    let state = runs.state(&runs.find_run(name)?)?;
    let Some(record) = summary::best_record(&state) else {
        return Err(Failure::work("nothing of this run has been measured yet"));
    };
    let best = member(&state, record);
    if terminal.wants_json() {
        terminal.json(&best)?;
        return Ok(Exit::Done);
    }
    let id = &best.scored.candidate_id;
    terminal.line(&terminal.paint(&format!("{id}  {}", best.scored.commit), Colour::Bold))?;
    terminal.line(&format!("{}", record.rationale))?;
    if !best.scored.viable {
        terminal.line(&format!("It does not pass every check: {} ({}).", record.reason, record.gate))?;
    }
    let baseline = summary::baseline(&state);
    terminal.line(&report::objectives_table(&state, baseline.as_ref(), Some(&best.scored)).to_string())?;
    terminal.line(&format!("darwind diff {id} · darwind apply {id}"))?;
    Ok(Exit::Done)
}
