//! What a page draws and the state does not keep: when things happened, in histories of bounded length and one row a
//! candidate. A fold of the log beside the state, so that a page that comes late need not read a long log: see `snapshot`.

mod alerts;

use crate::meter::Durations;
use crate::records;
use crate::views;
use crate::wire::frame::{AlertNote, BreakerStep, ChampionStep, CommandNote, Moment, RatePoint, VolumePoint};
use evolution::candidate::Evaluation;
use evolution::event::{BreakerChanged, Event, ImprovementRejected, ProposalRequested};
use evolution::id::{BASELINE, CandidateId, Number};
use evolution::ports::Purpose;
use evolution::state::State;
use std::collections::BTreeMap;

/// Points that a history holds before every second one is dropped.
const MAX_POINTS: usize = 8192;
/// Alerts, commands and steps of one breaker that are held; the oldest go first.
const MAX_NOTES: usize = 1000;
/// No parent.
pub(crate) const NO_PARENT: u32 = u32::MAX;
/// No operator, no gate.
pub(crate) const NONE: u8 = u8::MAX;
/// Bits of a row's marks; the lower two are the state's.
pub(crate) const WAS_CHAMPION: u8 = 4;
pub(crate) const VIOLATION: u8 = 8;

/// One candidate's place in time.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Numbers of its parents.
    pub(crate) parents: [u32; 2],
    /// Seconds since the run began at which its evaluation ended; NaN before.
    pub(crate) time: f32,
    /// US dollars spent on models when its evaluation ended.
    pub(crate) spent: f32,
    /// The event that gave its verdict; 0 before.
    pub(crate) verdict_seq: u32,
    /// Index of its proposer and operator.
    pub(crate) arm: u8,
    /// Index of the gate at which it was rejected.
    pub(crate) gate: u8,
    /// What it once was.
    pub(crate) marks: u8,
    /// Whether its evaluation was started.
    pub(crate) is_started: bool,
}

impl Row {
    pub(crate) fn blank() -> Self {
        let (parents, time) = ([NO_PARENT; 2], f32::NAN);
        Self { parents, time, spent: 0.0, verdict_seq: 0, arm: NONE, gate: NONE, marks: 0, is_started: false }
    }
}

/// The histories of a run.
#[derive(Debug, Default)]
pub(crate) struct Chronicle {
    started_ms: i64,
    pub(crate) rows: Vec<Row>,
    pub(crate) gates: Vec<String>,
    pub(crate) champions: Vec<ChampionStep>,
    pub(crate) rates: Vec<RatePoint>,
    pub(crate) volumes: Vec<VolumePoint>,
    pub(crate) breakers: BTreeMap<String, Vec<BreakerStep>>,
    pub(crate) commands: Vec<CommandNote>,
    pub(crate) alerts: Vec<AlertNote>,
    /// How far the judge was kept apart in the latest evaluation.
    pub(crate) separation: String,
    /// Why the run pauses; nothing while it does not.
    pub(crate) pause: Option<String>,
    /// Wall time of evaluations.
    pub(crate) durations: Durations,
}

impl Chronicle {
    /// Folds one event; `state` has folded it already.
    pub(crate) fn apply(&mut self, state: &State, time_ms: i64, event: &Event) {
        if self.rows.is_empty() {
            self.started_ms = time_ms;
            self.rows.push(Row::blank());
        }
        let at = Moment {
            seq: state.seq,
            time: (time_ms - self.started_ms) as f64 / 1000.0,
            evaluations: state.counters.evaluations,
            spent: state.llm.cost_usd.unwrap_or_default(),
        };
        self.step(state, at, event);
        alerts::raised(self, at, event).into_iter().for_each(|alert| note(&mut self.alerts, alert));
    }

    fn step(&mut self, state: &State, at: Moment, event: &Event) {
        match event {
            Event::RunPaused(paused) => self.pause = Some(paused.reason.clone()),
            Event::RunResumed(_) | Event::RunFinished(_) => self.pause = None,
            Event::ProposalRequested(requested) => self.requested(state, requested),
            Event::ValidationStarted(started) if started.purpose == Purpose::Judge => {
                self.row(started.number).is_started = true;
            }
            Event::ValidationCompleted(completed) => {
                self.completed(at, completed.number, completed.purpose, &completed.evaluation);
            }
            Event::ImprovementApplied(it) => self.judged(at, &it.modification_id),
            Event::ImprovementArchived(it) => self.judged(at, &it.modification_id),
            Event::ImprovementRejected(it) => self.rejected(at, it),
            Event::ChampionChanged(changed) => {
                let Some(number) = changed.modification_id.number() else { return };
                self.row(number).marks |= WAS_CHAMPION;
                let rationale = state.candidate(number).map(|it| it.rationale.to_string());
                let (reason, rationale) = (changed.reason.clone(), rationale.unwrap_or_default());
                point(&mut self.champions, ChampionStep { at, number, reason, rationale });
            }
            Event::FrontChanged(it) => point(&mut self.volumes, VolumePoint { at, value: it.hypervolume }),
            Event::LearningRateChanged(it) => {
                if self.rates.is_empty() {
                    let first = Moment { seq: at.seq, time: 0.0, evaluations: 0, spent: 0.0 };
                    let start = RatePoint { at: first, rate: it.from, success_rate: it.success_rate };
                    point(&mut self.rates, start);
                }
                point(&mut self.rates, RatePoint { at, rate: it.to, success_rate: it.success_rate });
            }
            Event::BreakerChanged(it) => self.breaker(at, it),
            Event::SafetyViolation(it) => {
                if let Some(number) = it.modification_id.number() {
                    self.row(number).marks |= VIOLATION;
                }
            }
            Event::ControlReceived(it) => {
                let told = serde_json::to_value(&it.command).unwrap_or_default();
                let command = told.get("command").and_then(|name| name.as_str()).unwrap_or_default();
                let heard = CommandNote {
                    at,
                    id: it.id.clone(),
                    command: command.to_owned(),
                    modification_id: records::modification_id(&told),
                    reason: it.reason.clone(),
                    refused: it.refused.clone(),
                };
                note(&mut self.commands, heard);
            }
            _ => {}
        }
    }

    /// A candidate's row; rows in between are blank.
    fn row(&mut self, number: Number) -> &mut Row {
        let place = number as usize;
        if self.rows.len() <= place {
            self.rows.resize(place + 1, Row::blank());
        }
        &mut self.rows[place]
    }

    fn requested(&mut self, state: &State, requested: &ProposalRequested) {
        let wanted = |arm: &evolution::state::Arm| {
            arm.proposer == requested.proposer && arm.operator == requested.operator
        };
        let arm = state.arms.iter().position(wanted).and_then(|arm| u8::try_from(arm).ok());
        let parent = |place: usize| requested.parents.get(place).copied().unwrap_or(NO_PARENT);
        let parents = [parent(0), parent(1)];
        let row = self.row(requested.number);
        row.parents = parents;
        row.arm = arm.unwrap_or(NONE);
    }

    fn completed(&mut self, at: Moment, number: Number, purpose: Purpose, evaluation: &Evaluation) {
        self.separation = views::word(evaluation.separation);
        self.durations.add(evaluation.cost.wall_s);
        if purpose == Purpose::Verify {
            return;
        }
        self.row(number).time = at.time as f32;
        self.row(number).spent = at.spent as f32;
        if number == BASELINE {
            // The baseline has no verdict of its own: its evaluation is its verdict.
            self.row(number).verdict_seq = seq32(at);
        }
    }

    fn judged(&mut self, at: Moment, id: &CandidateId) {
        if let Some(number) = id.number() {
            self.row(number).verdict_seq = seq32(at);
        }
    }

    fn rejected(&mut self, at: Moment, rejected: &ImprovementRejected) {
        self.judged(at, &rejected.modification_id);
        let known = self.gates.iter().position(|gate| *gate == rejected.gate);
        let gate = known.unwrap_or_else(|| {
            if self.gates.len() < usize::from(NONE) {
                self.gates.push(rejected.gate.clone());
            }
            self.gates.len() - 1
        });
        if let (Some(number), Ok(gate)) = (rejected.modification_id.number(), u8::try_from(gate)) {
            self.row(number).gate = gate;
        }
    }

    fn breaker(&mut self, at: Moment, changed: &BreakerChanged) {
        let (from, to) = (views::breaker(changed.from), views::breaker(changed.to));
        let step = BreakerStep { at, from, to, reason: changed.reason.clone() };
        note(self.breakers.entry(changed.name.clone()).or_default(), step);
    }
}

fn seq32(at: Moment) -> u32 {
    u32::try_from(at.seq).unwrap_or(u32::MAX)
}

/// Appends to a history, which is thinned when it is full, its first and newest points kept.
fn point<T>(history: &mut Vec<T>, item: T) {
    history.push(item);
    if history.len() > MAX_POINTS {
        let last = history.len() - 1;
        let mut place = 0;
        history.retain(|_| {
            let kept = place % 2 == 0 || place == last;
            place += 1;
            kept
        });
    }
}

/// Appends to a list, whose oldest goes when it is full.
fn note<T>(list: &mut Vec<T>, item: T) {
    if list.len() >= MAX_NOTES {
        list.remove(0);
    }
    list.push(item);
}
