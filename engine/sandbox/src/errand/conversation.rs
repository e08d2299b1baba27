//! What goes on between an errand's owner and the runner in its cell: the report of what changed, and, where the command
//! speaks over its standard streams, what is said to it and the files that it is handed.

use super::{ErrandReport, Gateway};
use crate::cell::{CellOutcome, CellReport, Exit, LimitKind, Session};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evolution::candidate::Cost;
use evolution::errand::{Act, Change, Dialogue, Ended, Heard};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An order to the runner.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Order<'a> {
    Say { line: &'a str },
    Read { id: u64, path: &'a str },
    Write { id: u64, path: &'a str, content: String },
    HangUp,
    End,
}

/// A line of the runner's.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    Said { line: String },
    File { id: u64, content: Option<String>, error: Option<String> },
    New { path: String, content: String },
    Changed { path: String, content: String },
    Gone { path: String },
    Odd { path: String },
    TooMuch,
    End { ended: String, code: Option<i32>, output: String, result: Option<String> },
}

/// How the runner ended its report.
struct End {
    ended: String,
    code: Option<i32>,
    output: String,
    result: Option<Vec<u8>>,
}

/// One errand under way.
pub(super) struct Conversation<'d, 'g> {
    dialogue: Option<&'d mut dyn Dialogue>,
    gateway: Option<Gateway<'g>>,
    changes: BTreeMap<String, Change>,
    too_much: bool,
    /// Why the command was told to end.
    stopped: Option<String>,
    end: Option<End>,
    /// Numbers of the writes that were not answered yet.
    writes: BTreeSet<u64>,
}

fn decoded(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap_or_default()
}

impl<'d, 'g> Conversation<'d, 'g> {
    pub(super) fn new(dialogue: Option<&'d mut dyn Dialogue>, gateway: Option<Gateway<'g>>) -> Self {
        Self {
            dialogue,
            gateway,
            changes: BTreeMap::new(),
            too_much: false,
            stopped: None,
            end: None,
            writes: BTreeSet::new(),
        }
    }

    /// Says what is to be said first.
    pub(super) fn begin(&mut self, session: &mut Session<'_>) {
        let acts = self.dialogue.as_mut().map(|dialogue| dialogue.begin()).unwrap_or_default();
        self.act(acts, session);
    }

    /// Looks whether the command is to end.
    pub(super) fn look(&mut self, session: &mut Session<'_>) {
        if let Some(reason) = self.gateway.and_then(|gateway| (gateway.spent)()) {
            self.stop(reason, session);
        }
    }

    fn stop(&mut self, reason: String, session: &mut Session<'_>) {
        if self.stopped.is_none() {
            self.stopped = Some(reason);
            order(&Order::End, session);
        }
    }

    fn act(&mut self, acts: Vec<Act>, session: &mut Session<'_>) {
        for act in acts {
            match act {
                Act::Say(line) => order(&Order::Say { line: &line }, session),
                Act::Read(id, path) => order(&Order::Read { id, path: &path }, session),
                Act::Write(id, path, content) => {
                    self.writes.insert(id);
                    order(&Order::Write { id, path: &path, content: STANDARD.encode(content) }, session);
                }
                Act::HangUp => order(&Order::HangUp, session),
                Act::End(reason) => self.stop(reason, session),
            }
        }
    }

    /// Takes a line of the runner's in; what cannot be understood says nothing. Without a session the cell is over.
    pub(super) fn hear(&mut self, line: &[u8], session: Option<&mut Session<'_>>) {
        match serde_json::from_slice(line) {
            Ok(Line::Said { line }) => self.pass_on(Heard::Line(line), session),
            Ok(Line::File { id, content, error }) => {
                let failed = error.map_or(Ok(()), Err);
                let heard = if self.writes.remove(&id) {
                    Heard::Written(id, failed)
                } else {
                    Heard::Read(id, failed.map(|()| decoded(&content.unwrap_or_default())))
                };
                self.pass_on(heard, session);
            }
            Ok(Line::New { path, content }) => {
                self.changes.insert(path, Change::New(decoded(&content).into()));
            }
            Ok(Line::Changed { path, content }) => {
                self.changes.insert(path, Change::Changed(decoded(&content).into()));
            }
            Ok(Line::Gone { path }) => drop(self.changes.insert(path, Change::Gone)),
            Ok(Line::Odd { path }) => drop(self.changes.insert(path, Change::Odd)),
            Ok(Line::TooMuch) => self.too_much = true,
            Ok(Line::End { ended, code, output, result }) => {
                let output = String::from_utf8_lossy(&decoded(&output)).into_owned();
                self.end = Some(End { ended, code, output, result: result.map(|result| decoded(&result)) });
            }
            Err(_) => {}
        }
    }

    fn pass_on(&mut self, heard: Heard, session: Option<&mut Session<'_>>) {
        let acts = self.dialogue.as_mut().map(|dialogue| dialogue.hear(heard)).unwrap_or_default();
        if let Some(session) = session {
            self.act(acts, session);
        }
    }

    /// What came of it. A report without its end is one of a cell that was cut off, and its changes count nothing.
    pub(super) fn over(self, cost: Cost, report: &CellReport) -> ErrandReport {
        let mut over = ErrandReport {
            ended: Ended::CutOff(cut_off(&report.outcome, report.exit)),
            changes: BTreeMap::new(),
            too_much: self.too_much,
            result: None,
            output: String::new(),
            cost,
        };
        let Some(end) = self.end else { return over };
        over.ended = match (end.ended.as_str(), self.stopped) {
            ("wall", _) => Ended::Wall,
            ("idle", _) => Ended::Idle,
            ("unstarted", _) => Ended::Unstarted(end.output.clone()),
            ("garbled", _) => Ended::Stopped("it said a line without an end".to_owned()),
            ("ended", Some(reason)) => Ended::Stopped(reason),
            _ => Ended::Exited(end.code.unwrap_or(-1)),
        };
        over.changes = self.changes;
        over.result = end.result;
        over.output = end.output;
        over
    }
}

fn order(order: &Order<'_>, session: &mut Session<'_>) {
    // An order is plain data, which cannot fail to be written.
    let mut line = serde_json::to_vec(order).unwrap_or_default();
    line.push(b'\n');
    session.send(&line);
}

/// Why a cell gave no report.
fn cut_off(outcome: &CellOutcome, exit: Exit) -> String {
    match outcome {
        CellOutcome::Exited => format!("its cell ended early ({exit:?})"),
        CellOutcome::WallTimeout | CellOutcome::CpuTimeout => "it could not be ended in time".to_owned(),
        CellOutcome::Limit(LimitKind::Memory) => "memory ran out".to_owned(),
        CellOutcome::Limit(LimitKind::Processes) => "processes ran out".to_owned(),
        CellOutcome::Limit(LimitKind::Disk) => "disk ran out".to_owned(),
        CellOutcome::Limit(LimitKind::Files) => "files ran out".to_owned(),
        CellOutcome::Limit(LimitKind::Output) => "it changed more than can be brought back".to_owned(),
        CellOutcome::SandboxError(reason) => format!("the sandbox failed: {reason}"),
    }
}
