//! A run for a page that comes late: one binary frame with a column a property and a row a candidate, and the small state
//! beside it. So a page need not fold a log of a hundred thousand candidates. Pure, and the same at any sequence number.
//!
//! The frame, little endian: kind u8, version u8, objectives u16, epoch u32, seq u32, rows u32; then the columns parent u32,
//! second parent u32, each objective's score f32, time f32, spent f32, verdict's event u32, fate u8, arm u8, gate u8,
//! marks u8, each padded to four bytes. `monitor-ui/app/protocol/columns.ts` reads it.

use crate::chronicle::{Chronicle, Row};
use crate::views;
use crate::wire::frame::{BreakerHistory, SnapRun, SnapState};
use evolution::state::{Fate, Slot, State};

const KIND: u8 = 1;
const VERSION: u8 = 1;
const ON_FRONT: u8 = 1;
const IS_CHAMPION: u8 = 2;
/// Words of four bytes in a row beside the scores.
const WORDS: usize = 5;

/// The binary frame.
pub(crate) fn columns(state: &State, chronicle: &Chronicle, started_ms: i64) -> Vec<u8> {
    let rows = state.slots.len();
    let objectives = state.run.objectives.len();
    let mut frame = Vec::with_capacity(16 + rows * 4 * (WORDS + objectives) + 4 * (rows + 4));
    frame.extend([KIND, VERSION]);
    frame.extend(u16::try_from(objectives).unwrap_or(u16::MAX).to_le_bytes());
    // The low half of the log's first moment tells one log from the next.
    let [a, b, c, d, ..] = started_ms.to_le_bytes();
    frame.extend([a, b, c, d]);
    frame.extend(u32::try_from(state.seq).unwrap_or(u32::MAX).to_le_bytes());
    frame.extend(u32::try_from(rows).unwrap_or(u32::MAX).to_le_bytes());
    let blank = Row::blank();
    let row = |place: usize| chronicle.rows.get(place).unwrap_or(&blank);
    (0..rows).for_each(|place| frame.extend(row(place).parents[0].to_le_bytes()));
    (0..rows).for_each(|place| frame.extend(row(place).parents[1].to_le_bytes()));
    for name in state.run.objectives.names() {
        for slot in &state.slots {
            let score = match slot {
                Slot::Candidate(record) => record.scores.get(name),
                _ => None,
            };
            frame.extend(score.map_or(f32::NAN, |score| score as f32).to_le_bytes());
        }
    }
    (0..rows).for_each(|place| frame.extend(row(place).time.to_le_bytes()));
    (0..rows).for_each(|place| frame.extend(row(place).spent.to_le_bytes()));
    (0..rows).for_each(|place| frame.extend(row(place).verdict_seq.to_le_bytes()));
    let marks = marks(state, chronicle);
    let bytes: [&dyn Fn(usize) -> u8; 4] = [
        &|place| fate(state, place, row(place)),
        &|place| row(place).arm,
        &|place| row(place).gate,
        &|place| marks.get(place).copied().unwrap_or_default(),
    ];
    for byte in bytes {
        frame.extend((0..rows).map(byte));
        frame.resize(frame.len().next_multiple_of(4), 0);
    }
    frame
}

/// What each candidate is and once was, by number.
fn marks(state: &State, chronicle: &Chronicle) -> Vec<u8> {
    let mut marks: Vec<u8> = chronicle.rows.iter().map(|row| row.marks).collect();
    marks.resize(state.slots.len(), 0);
    let now = state.front.iter().map(|number| (*number, ON_FRONT));
    for (number, mark) in now.chain(state.champion.map(|number| (number, IS_CHAMPION))) {
        if let Some(marks) = marks.get_mut(number as usize) {
            *marks |= mark;
        }
    }
    marks
}

/// Where a candidate stands, as the page's small number.
fn fate(state: &State, place: usize, row: &Row) -> u8 {
    match state.slots.get(place) {
        None => 0,
        Some(Slot::Requested(_)) => 1,
        Some(Slot::Discarded(_)) => 9,
        Some(Slot::Candidate(record)) => match record.fate {
            Fate::Undecided if row.is_started => 3,
            Fate::Undecided => 2,
            Fate::Archived => 4,
            Fate::Accepted => 5,
            Fate::Rejected => 6,
            Fate::Revoked => 7,
            Fate::Abandoned => 8,
        },
    }
}

/// The small state beside the columns.
pub(crate) fn beside(state: &State, chronicle: &Chronicle, started_ms: i64) -> SnapState {
    let breakers = state.breakers.iter().map(|(name, breaker)| BreakerHistory {
        name: name.clone(),
        state: views::breaker(breaker.state()),
        retry_at_ms: breaker.retry_at_ms(),
        history: chronicle.breakers.get(name).cloned().unwrap_or_default(),
    });
    SnapState {
        run: SnapRun {
            run_id: state.run.run_id.to_string(),
            agent_id: state.run.agent_id.clone(),
            target: state.run.target.clone(),
            seed: state.run.seed,
            state: views::phase(&state.phase),
            stopped_by: views::stopped_by(state),
            pause_reason: chronicle.pause.clone(),
            started_at: started_ms,
            last_at: state.last_ms,
            active_ms: state.active_ms(state.last_ms),
            objectives: views::objectives(state),
            budget: views::budget(state),
            spent: views::spent(state, state.active_ms(state.last_ms)),
            counters: views::counters(state),
            arms: views::arms(state),
            noise: state.noise.clone(),
            isolation: state.isolation.clone(),
        },
        gate_names: chronicle.gates.clone(),
        champion_history: chronicle.champions.clone(),
        learning_rate_history: chronicle.rates.clone(),
        hypervolume_history: chronicle.volumes.clone(),
        breakers: breakers.collect(),
        alerts: chronicle.alerts.clone(),
        commands: chronicle.commands.clone(),
        separation: chronicle.separation.clone(),
        evaluator_s: chronicle.durations.sum(),
    }
}
