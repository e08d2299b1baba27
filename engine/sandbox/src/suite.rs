//! A project's own tests, run by the engine's runner, with tests among them that must fail: apart from the candidate, in
//! a cell of their own, where the candidate's interface allows it (see `relay`), else in the candidate's process. The
//! runner streams one line a case; canaries that pass, or a missing end, show that the report cannot be believed.

use crate::bench::{Bench, BenchError, Trouble};
use crate::cases::{Findings, blame, coverage};
use crate::cell::Received;
use crate::measure;
use crate::relay::Brief;
use crate::value::Value;
use crate::workspace::Side;
use evolution::candidate::{CaseResult, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Tests that must fail in each run: the first half before the others, the rest after them.
const CANARIES: usize = 2;
/// Most tests that a second judgement runs in a process each; more are run together again.
const MAX_EACH: usize = 40;
/// Most lines that are read of one run.
const MAX_LINES: usize = 200_000;

/// How tests are run.
pub(crate) struct SuiteRun<'s> {
    /// `unittest` or `pytest`.
    pub(crate) framework: &'static str,
    /// Its arguments.
    pub(crate) arguments: &'s [String],
    /// Cases known from the baseline; what is not reported of them has failed. Empty on the baseline itself.
    pub(crate) known: &'s [String],
    /// Names of cases to run first.
    pub(crate) first: &'s [String],
    /// Give the rest up when none of the first passes.
    pub(crate) give_up: bool,
    /// End at the first failure: nothing but success is of interest.
    pub(crate) stop_at_first: bool,
    /// CPU seconds for each case.
    pub(crate) limit_s: f64,
    /// Record the lines that run.
    pub(crate) trace: bool,
    /// In a cell of their own, apart from the candidate.
    pub(crate) apart: bool,
    /// In the opposite order.
    pub(crate) reverse: bool,
    /// Wall time for all.
    pub(crate) wall: Duration,
    /// Names the canaries and the nonce.
    pub(crate) seed: u64,
}

/// One process's report.
#[derive(Default)]
struct Spoken {
    found: Vec<String>,
    results: BTreeMap<String, CaseResult>,
    order: Vec<String>,
    canaries_failed: BTreeSet<String>,
    canaries_passed: BTreeSet<String>,
    given_up: bool,
    done: bool,
}

/// A report while it comes in.
struct Report {
    spoken: Spoken,
    /// What was said about cases and failures, with the lines that ran where they come apart from it.
    notes: Vec<(Value, Option<Value>)>,
    trouble: Option<Trouble>,
}

impl Report {
    fn take(&mut self, said: Value, lines: Option<Value>, nonce: &str, canaries: &[String]) {
        if self.spoken.hear(&said, nonce, canaries) {
            self.notes.push((said, lines));
        } else if let Some(failed) = measure::failure(&said) {
            self.trouble = Some(failed);
            self.notes.push((said, lines));
        }
    }
}

impl SuiteRun<'_> {
    /// Runs the tests on the files shown.
    pub(crate) fn run(&self, bench: &mut Bench) -> Result<Findings, BenchError> {
        let mut findings = Findings::default();
        let spoken = self.speak(bench, None, self.seed, &mut findings)?;
        Ok(self.sum_up(spoken, findings))
    }

    /// Runs every test in a process of its own, in another order: the second judgement of a winner that shares its
    /// process with the tests.
    pub(crate) fn run_each(&self, bench: &mut Bench) -> Result<Findings, BenchError> {
        let mut findings = Findings::default();
        let mut whole = self.speak(bench, None, self.seed, &mut findings)?;
        if findings.trouble.is_some() || whole.found.len() > MAX_EACH {
            return Ok(self.sum_up(whole, findings));
        }
        let tests: Vec<String> = whole.found.iter().rev().cloned().collect();
        for (turn, test) in (1u64..).zip(&tests) {
            let seed = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(turn);
            let alone = self.speak(bench, Some(test), seed, &mut findings)?;
            for (name, result) in alone.results {
                // A case passes when it passes both together with the others and alone.
                match whole.results.get_mut(&name) {
                    Some(known) if known.passed && !result.passed => *known = result,
                    _ => {}
                }
            }
        }
        Ok(self.sum_up(whole, findings))
    }

    fn sum_up(&self, spoken: Spoken, mut findings: Findings) -> Findings {
        let mut results = spoken.results;
        let names: Vec<String> = if self.known.is_empty() { spoken.order } else { self.known.to_vec() };
        let stopped = spoken.given_up || (self.stop_at_first && results.values().any(|case| !case.passed));
        findings.gave_up = spoken.given_up;
        findings.total = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let missing = findings.trouble.as_ref().map_or("not reached", |trouble| trouble.outcome.word());
        findings.results = names
            .into_iter()
            .filter_map(|name| match results.remove(&name) {
                Some(result) => Some(result),
                None if stopped => None,
                None => Some(CaseResult { name, passed: false, failure: missing.to_owned() }),
            })
            .collect();
        findings
    }

    fn task(&self, bench: &Bench, only: Option<&str>, nonce: &str, canaries: &[String]) -> Value {
        let texts = |texts: &[String]| Value::List(texts.iter().cloned().map(Value::Str).collect());
        bench.task(
            if self.apart { Side::Judge } else { Side::Whole },
            &[""],
            vec![
                ("framework", Value::Str(self.framework.to_owned())),
                ("arguments", texts(self.arguments)),
                ("first", texts(if only.is_some() { &[] } else { self.first })),
                ("only", only.map_or(Value::None, |only| Value::Str(only.to_owned()))),
                ("give_up", Value::Bool(self.give_up)),
                ("stop_at_first", Value::Bool(self.stop_at_first)),
                ("reverse", Value::Bool(self.reverse)),
                ("limit", Value::Float(self.limit_s)),
                ("trace", Value::Bool(self.trace && !self.apart)),
                ("nonce", Value::Str(nonce.to_owned())),
                ("canaries", texts(canaries)),
            ],
        )
    }

    /// One run of the tests, whole or of one of them.
    fn speak(
        &self,
        bench: &mut Bench,
        only: Option<&str>,
        seed: u64,
        findings: &mut Findings,
    ) -> Result<Spoken, BenchError> {
        let nonce = format!("{:016x}", seed.rotate_left(17) ^ 0x5bd1_e995_a5a5_1234);
        let canaries: Vec<String> = (0..CANARIES).map(|n| format!("test_{:08x}_{n}", seed as u32)).collect();
        let task = self.task(bench, only, &nonce, &canaries);
        let mut report = Report { spoken: Spoken::default(), notes: Vec::new(), trouble: None };
        let ending = if self.apart {
            self.speak_apart(bench, &task, (&nonce, &canaries), &mut report, findings)?
        } else {
            self.speak_together(bench, &task, (&nonce, &canaries), &mut report)?
        };
        let Report { spoken, notes, trouble } = report;
        for (note, lines) in &notes {
            let error = note.get("error").or_else(|| note.get("failed"));
            blame(bench, error, findings);
            findings.note_cost(note, error.is_none());
            if self.trace {
                findings.coverage.push((error.is_none(), coverage(bench, lines.as_ref().unwrap_or(note))));
            }
        }
        let trouble = trouble.or_else(|| ending.filter(|_| !spoken.done));
        let forged = spoken.done && spoken.canaries_failed.len() < canaries.len() && !self.cut_short(&spoken);
        let forged = forged || !spoken.canaries_passed.is_empty();
        if forged {
            findings.trouble = Some(Trouble::new(Outcome::Tamper, "a test that must fail did not"));
        } else if findings.trouble.is_none() {
            findings.trouble = trouble;
        }
        if findings.trouble.is_none() && spoken.found.is_empty() {
            findings.trouble = Some(Trouble::new(Outcome::Protocol, "no tests were found"));
        }
        Ok(spoken)
    }

    /// Tests and candidate in one process. Answers how it ended, for a report without an end.
    fn speak_together(
        &self,
        bench: &mut Bench,
        task: &Value,
        (nonce, canaries): (&str, &[String]),
        report: &mut Report,
    ) -> Result<Option<Trouble>, BenchError> {
        let mut session = bench.start("tests", Side::Whole, self.wall, task)?;
        for _ in 0..MAX_LINES {
            let text = match session.receive(self.wall) {
                Received::Line(text) => text,
                Received::End | Received::Timeout => break,
            };
            let Ok(said) = Value::from_line(&text) else {
                report.trouble =
                    Some(Trouble::new(Outcome::Protocol, "the report channel carried something else"));
                break;
            };
            report.take(said, None, nonce, canaries);
            if report.spoken.done {
                break;
            }
        }
        if report.spoken.done || report.trouble.is_some() {
            // The runner has said its last word; what the process still does is of no interest.
            session.kill();
        }
        let ended = session.finish()?;
        let ended = bench.settle(ended);
        Ok(Some(Trouble::of(&ended)))
    }

    /// Tests and candidate in a cell each.
    fn speak_apart(
        &self,
        bench: &mut Bench,
        task: &Value,
        (nonce, canaries): (&str, &[String]),
        report: &mut Report,
        findings: &mut Findings,
    ) -> Result<Option<Trouble>, BenchError> {
        let brief = Brief {
            framework: self.framework,
            task,
            limit_s: self.limit_s,
            trace: self.trace,
            wall: self.wall,
        };
        let judgement = bench.relay(&brief, &mut |said, lines| {
            report.take(said.clone(), lines.cloned(), nonce, canaries);
        })?;
        if let Some(reason) = judgement.unfit {
            report.trouble = Some(Trouble::new(Outcome::Protocol, reason.clone()));
            findings.unfit = Some(reason);
        }
        Ok(judgement.trouble.or(judgement.gone))
    }

    /// Whether the run ended at a failure, before the last canaries.
    fn cut_short(&self, spoken: &Spoken) -> bool {
        self.stop_at_first && spoken.results.values().any(|case| !case.passed)
    }
}

impl Spoken {
    /// Takes one line of the report. Answers whether it was about a case.
    fn hear(&mut self, said: &Value, nonce: &str, canaries: &[String]) -> bool {
        if let Some(found) = said.get("found").and_then(Value::items) {
            self.found = found.iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect();
        }
        self.given_up |= said.get("given_up").is_some();
        self.done |= said.get("done").and_then(Value::as_str) == Some(nonce);
        let Some(name) = said.get("case").and_then(Value::as_str) else { return false };
        let passed = said.get("passed") == Some(&Value::Bool(true));
        if canaries.iter().any(|canary| canary == name) {
            if passed {
                self.canaries_passed.insert(name.to_owned())
            } else {
                self.canaries_failed.insert(name.to_owned())
            };
            return false;
        }
        let failure =
            said.get("error").and_then(|error| error.get("kind")).and_then(Value::as_str).unwrap_or_default();
        let result = CaseResult { name: name.to_owned(), passed, failure: failure.to_owned() };
        // A case told twice has passed only if both said so.
        match self.results.get_mut(name) {
            Some(known) if known.passed => *known = result,
            Some(_) => {}
            None => {
                self.order.push(name.to_owned());
                self.results.insert(name.to_owned(), result);
            }
        }
        true
    }
}
