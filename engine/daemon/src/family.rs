//! `darwind lineage`: who descends from whom, as a tree of text. Viable candidates by default, since those that failed
//! a check are most of a run and nobody's ancestors for long.

use crate::cli::LineageFlags;
use crate::data::DataFolder;
use crate::failure::{Exit, Failure};
use crate::summary::{self, Scored};
use crate::terminal::{Colour, Terminal};
use evolution::id::{BASELINE, CandidateId, Number};
use evolution::state::{CandidateRecord, Fate, State};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// A candidate with its place in the family.
#[derive(Debug, Serialize)]
struct Relative {
    #[serde(flatten)]
    scored: Scored,
    number: Number,
    parents: Vec<CandidateId>,
    proposer: Option<String>,
    operator: Option<String>,
    rationale: String,
    state: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    gate: String,
    reason: String,
    rank: Option<u32>,
    champion: bool,
    on_front: bool,
}

/// `darwind lineage`.
pub(crate) fn lineage(flags: &LineageFlags, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let runs = data.open_existing()?;
    let state = runs.state(&runs.find_run(&flags.run.run)?)?;
    let shown = shown(&state, flags.all);
    if terminal.wants_json() {
        let relatives: Vec<Relative> = state
            .candidates()
            .filter(|record| shown.contains(&record.number))
            .map(|record| relative(&state, record))
            .collect();
        terminal.json(&serde_json::json!({
            "run_id": state.run.run_id,
            "candidates": relatives,
            "shown": shown.len(),
            "total": state.candidates().count(),
        }))?;
        return Ok(Exit::Done);
    }
    print(&state, &shown, terminal)?;
    let hidden = state.candidates().count() - shown.len();
    if hidden > 0 {
        terminal.line(&format!("{hidden} that led nowhere are left out; --all shows them"))?;
    }
    Ok(Exit::Done)
}

fn relative(state: &State, record: &CandidateRecord) -> Relative {
    let arm = state.arm(record);
    Relative {
        scored: summary::scored(state, record),
        number: record.number,
        parents: record.parents.iter().map(|parent| state.id(*parent)).collect(),
        proposer: arm.map(|arm| arm.proposer.clone()),
        operator: arm.map(|arm| arm.operator.clone()),
        rationale: record.rationale.to_string(),
        state: summary::fate_word(record.fate),
        gate: record.gate.clone(),
        reason: record.reason.clone(),
        rank: state.rank(record.number),
        champion: state.champion == Some(record.number),
        on_front: state.front.contains(&record.number),
    }
}

/// Everybody, or those that improved something with all their first parents up to the baseline.
fn shown(state: &State, all: bool) -> BTreeSet<Number> {
    if all {
        return state.candidates().map(|record| record.number).collect();
    }
    let mut shown = BTreeSet::from([BASELINE]);
    let worthy = state.candidates().filter(|record| {
        record.fate == Fate::Accepted
            || state.champion == Some(record.number)
            || state.front.contains(&record.number)
    });
    for record in worthy {
        let mut number = record.number;
        // Parents have smaller numbers, so the walk ends at the baseline.
        while shown.insert(number) {
            let Some(parent) = state.candidate(number).and_then(|record| record.parents.first()) else {
                break;
            };
            number = *parent;
        }
    }
    shown
}

fn print(state: &State, shown: &BTreeSet<Number>, terminal: Terminal) -> io::Result<()> {
    let mut children: BTreeMap<Number, Vec<Number>> = BTreeMap::new();
    for record in state.candidates().filter(|record| shown.contains(&record.number)) {
        if let Some(parent) = record.parents.first() {
            children.entry(*parent).or_default().push(record.number);
        }
    }
    // A stack instead of recursion: a lineage may be thousands deep.
    let mut stack = vec![(BASELINE, String::new(), String::new())];
    while let Some((number, own, below)) = stack.pop() {
        if let Some(record) = state.candidate(number) {
            terminal.line(&format!("{own}{}", line(state, record, terminal)))?;
        }
        let Some(family) = children.get(&number) else { continue };
        for (index, child) in family.iter().enumerate().rev() {
            let last = index + 1 == family.len();
            let (branch, onward) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            stack.push((*child, format!("{below}{branch}"), format!("{below}{onward}")));
        }
    }
    Ok(())
}

fn line(state: &State, record: &CandidateRecord, terminal: Terminal) -> String {
    let id = state.id(record.number).to_string();
    let (id, mark) = if state.champion == Some(record.number) {
        (terminal.paint(&id, Colour::Green), " ★ champion")
    } else if state.front.contains(&record.number) {
        (terminal.paint(&id, Colour::Cyan), " ● front")
    } else {
        (id, "")
    };
    let scores: Vec<String> = state
        .run
        .objectives
        .iter()
        .filter_map(|objective| {
            let value = record.scores.get(&objective.name)?;
            Some(format!("{} {}", objective.name, crate::report::measured(objective, value)))
        })
        .collect();
    let by = state.arm(record).map_or("the unchanged program", |arm| arm.operator.as_str());
    let second = match record.parents.get(1) {
        Some(other) => format!(" × {}", state.id(*other)),
        None => String::new(),
    };
    let fate = match record.fate {
        Fate::Accepted | Fate::Archived => String::new(),
        fate => format!(" {}", summary::fate_word(fate)),
    };
    let fate = terminal.paint(&fate, Colour::Dim);
    format!("{id}{mark}{fate}  {by}{second}  {}", scores.join(", "))
}
