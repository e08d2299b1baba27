//! Dear measurements: programs run to their end, CPU time compared in interleaved pairs, memory. Numbers of a project's own
//! evaluator are `reporting`'s.

use crate::bench::{Bench, BenchError, Trouble};
use crate::cell::{CellOutcome, CellReport, Exit, Received};
use crate::command::{Command, classify};
use crate::value::Value;
use crate::workspace::Side;
use evolution::candidate::{Comparison, ComparisonVerdict, Outcome, SourceFiles};
use std::time::Duration;

/// Ratios of child to parent between which a difference counts as none.
pub(crate) const DEAD_BAND: (f64, f64) = (0.97, 1.03);
/// A first pair beyond this ratio is enough to reject.
const HOPELESS: f64 = 1.5;
/// Pairs with a gain beyond this ratio need no further pairs after the second.
const OBVIOUS: f64 = 0.7;
/// Two pairs above this ratio are not worth more: gains below a twentieth are not looked for.
const FUTILE: f64 = 0.95;
/// CPU seconds that one comparison may take, beyond its first three pairs.
const COMPARISON_S: f64 = 4.0;
/// Student's t for about 98 % of the interval, at the few samples used here.
const T: f64 = 2.6;
/// CPU time below which a measurement is taken as this, in seconds: the clock's grain.
const GRAIN_S: f64 = 1e-4;
/// Share of an empty program's CPU time that one start differs from the next: no measurement counts as less.
const START_NOISE: f64 = 0.1;

/// A program that came to its end.
#[derive(Debug, Clone)]
pub(crate) struct ProgramRun {
    pub(crate) cpu_s: f64,
    pub(crate) peak_memory: u64,
    pub(crate) stdout: Vec<u8>,
}

/// Runs a command on the files shown. The inner error is the candidate's.
pub(crate) fn run(
    bench: &mut Bench,
    argv: &[String],
    wall: Duration,
    seed: u64,
) -> Result<Result<ProgramRun, Trouble>, BenchError> {
    let (argv, module) = match classify(argv) {
        Command::Script(argv) => (argv, None),
        Command::Module(module, arguments) => ([vec![module.clone()], arguments].concat(), Some(module)),
        Command::Unittest(arguments) => {
            ([vec!["unittest".to_owned()], arguments].concat(), Some("unittest".to_owned()))
        }
        Command::Pytest(arguments) => {
            ([vec!["pytest".to_owned()], arguments].concat(), Some("pytest".to_owned()))
        }
        Command::Other(argv) => {
            let report = bench.run_program(&argv, wall)?;
            return Ok(match (&report.outcome, report.exit) {
                (CellOutcome::Exited, Exit::Code(0)) => Ok(finished(&report)),
                (CellOutcome::Exited, Exit::Code(code)) => {
                    Err(Trouble::new(Outcome::Wrong, exit_words(code, &report)))
                }
                _ => Err(Trouble::of(&report)),
            });
        }
    };
    let nonce = format!("{seed:016x}");
    let script = argv.first().cloned().unwrap_or_default();
    let folder = script.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let task = bench.task(
        Side::Whole,
        &[if module.is_some() { "" } else { &folder }],
        vec![
            ("argv", Value::List(argv.into_iter().map(Value::Str).collect())),
            ("main", Value::Str(bench.workspace.tree(Side::Whole).join(&script).display().to_string())),
            ("module", module.map_or(Value::None, Value::Str)),
            ("nonce", Value::Str(nonce.clone())),
        ],
    );
    let mut session = bench.start("script", Side::Whole, wall, &task)?;
    let said = match session.receive(wall + Duration::from_secs(1)) {
        Received::Line(text) => Some(Value::from_line(&text)),
        Received::End | Received::Timeout => None,
    };
    let report = session.finish()?;
    let report = bench.settle(report);
    Ok(match said {
        // A tree that the sandbox had to end is judged by that, whatever it said before.
        _ if report.outcome != CellOutcome::Exited => Err(Trouble::of(&report)),
        Some(Ok(said)) if said.get("done").and_then(Value::as_str) == Some(&nonce) => {
            match said.get("status").and_then(Value::as_f64) {
                Some(0.0) => Ok(finished(&report)),
                Some(status) => Err(Trouble::new(Outcome::Wrong, exit_words(status as i32, &report))),
                None => Err(Trouble::new(Outcome::Protocol, "it came to its end without a status")),
            }
        }
        Some(Ok(said)) if said.get("left_early").is_some() => {
            Err(Trouble::new(Outcome::EarlyExit, "the candidate left the program in its middle"))
        }
        Some(Ok(said)) => Err(failure(&said).unwrap_or_else(|| Trouble::of(&report))),
        Some(Err(reason)) => Err(Trouble::new(Outcome::Protocol, reason)),
        None => Err(Trouble::of(&report)),
    })
}

/// What a runner's word of failure means.
pub(crate) fn failure(said: &Value) -> Option<Trouble> {
    let failed = said.get("failed")?;
    let part = |name: &str| failed.get(name).and_then(Value::as_str).unwrap_or_default();
    let outcome = match part("kind") {
        "timeout" => return Some(Trouble::new(Outcome::Timeout, "CPU time ran out")),
        "MemoryError" => Outcome::Limit,
        "PermissionError" => Outcome::Denied,
        "AssertionError" => Outcome::Wrong,
        _ => Outcome::Crashed,
    };
    Some(Trouble::new(outcome, format!("{}: {}", part("kind"), part("text"))))
}

fn exit_words(code: i32, report: &CellReport) -> String {
    let text = String::from_utf8_lossy(&report.stderr);
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let last: String = last.chars().take(200).collect();
    if last.is_empty() {
        format!("it ended with code {code}")
    } else {
        format!("it ended with code {code}: {last}")
    }
}

fn finished(report: &CellReport) -> ProgramRun {
    ProgramRun {
        cpu_s: report.cpu.as_secs_f64(),
        peak_memory: report.peak_memory,
        stdout: report.stdout.clone(),
    }
}

/// A noisy command and the ground on which it is measured.
pub(crate) struct Timed<'t> {
    pub(crate) objective: &'t str,
    pub(crate) run: &'t [String],
    pub(crate) wall: Duration,
    /// The same for a child, of which it is known how long its parent took.
    pub(crate) child_wall: Duration,
    /// CPU seconds of a program that does nothing, taken off every measurement.
    pub(crate) empty_s: f64,
    /// What the unchanged program printed, when it printed the same each time.
    pub(crate) stdout: Option<&'t [u8]>,
    pub(crate) max_pairs: u32,
    pub(crate) seed: u64,
}

impl Timed<'_> {
    /// One measurement of the files shown, in CPU seconds.
    pub(crate) fn once(&self, bench: &mut Bench, wall: Duration) -> Result<Result<f64, Trouble>, BenchError> {
        Ok(run(bench, self.run, wall, self.seed)?.and_then(|program| match self.stdout {
            Some(expected) if expected != program.stdout.as_slice() => {
                Err(Trouble::new(Outcome::Wrong, "its output differs from the unchanged program's"))
            }
            _ => Ok((program.cpu_s - self.empty_s).max(GRAIN_S).max(self.empty_s * START_NOISE)),
        }))
    }

    /// Compares a child with its parent in interleaved pairs, until the interval of their ratio decides or enough was
    /// tried. The files shown at the end are the child's.
    pub(crate) fn compare(
        &self,
        bench: &mut Bench,
        parent: &SourceFiles,
        child: &SourceFiles,
    ) -> Result<Result<Comparison, Trouble>, BenchError> {
        let mut pairs: Vec<Pair> = Vec::new();
        loop {
            // The child first: most end with a wrong output or an obvious loss, and cost one run then.
            bench.show(child)?;
            let new = match self.once(bench, self.child_wall)? {
                Ok(new) => new,
                Err(trouble) => return Ok(Err(trouble)),
            };
            bench.show(parent)?;
            let old = match self.once(bench, self.wall)? {
                Ok(old) => old,
                Err(trouble) => {
                    bench.show(child)?;
                    let detail = format!("its parent could not be measured beside it: {}", trouble.detail);
                    return Ok(Err(Trouble::new(Outcome::SandboxError, detail)));
                }
            };
            pairs.push(Pair { new, old });
            let affordable = 3.0 + (COMPARISON_S / (new + old));
            let most = f64::from(self.max_pairs).min(affordable).floor() as usize;
            if let Some(verdict) = verdict(&pairs, most, 2.0 * START_NOISE * self.empty_s) {
                bench.show(child)?;
                let logs: Vec<f64> = pairs.iter().map(|pair| pair.ratio().ln()).collect();
                let (low, high) = interval(&logs);
                return Ok(Ok(Comparison {
                    objective: self.objective.to_owned(),
                    pairs: u32::try_from(logs.len()).unwrap_or(u32::MAX),
                    ratio: median(&logs).exp(),
                    // A single pair bounds nothing from above, and JSON knows no infinity: the log must stay readable.
                    interval: (low.exp(), high.exp().min(f64::MAX)),
                    verdict,
                }));
            }
        }
    }
}

/// CPU seconds of a child and its parent, measured one after the other.
#[derive(Debug, Clone, Copy)]
struct Pair {
    new: f64,
    old: f64,
}

impl Pair {
    fn ratio(self) -> f64 {
        self.new / self.old
    }
}

/// What the pairs so far decide; `None` asks for another pair. Differences within `noise` seconds decide nothing early.
fn verdict(pairs: &[Pair], most: usize, noise: f64) -> Option<ComparisonVerdict> {
    let all = |holds: &dyn Fn(f64) -> bool| pairs.iter().all(|pair| holds(pair.ratio()));
    let clear = pairs.iter().all(|pair| (pair.new - pair.old).abs() > noise);
    if clear && all(&|ratio| ratio > HOPELESS) {
        return Some(ComparisonVerdict::Worse);
    }
    if pairs.len() < 2 {
        return None;
    }
    if clear && all(&|ratio| ratio < OBVIOUS) {
        return Some(ComparisonVerdict::Better);
    }
    let logs: Vec<f64> = pairs.iter().map(|pair| pair.ratio().ln()).collect();
    let (low, high) = interval(&logs);
    if all(&|ratio| ratio > FUTILE) {
        let worse = logs.len() > 2 && low.exp() > DEAD_BAND.1;
        return Some(if worse { ComparisonVerdict::Worse } else { ComparisonVerdict::Tie });
    }
    match (low.exp(), high.exp()) {
        _ if logs.len() < 3 => None,
        (_, high) if high < DEAD_BAND.0 => Some(ComparisonVerdict::Better),
        (low, _) if low > DEAD_BAND.1 => Some(ComparisonVerdict::Worse),
        _ if logs.len() >= most => Some(ComparisonVerdict::Tie),
        _ => None,
    }
}

/// Bounds of the mean of the logarithms of the ratios.
fn interval(logs: &[f64]) -> (f64, f64) {
    let count = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / count;
    if logs.len() < 2 {
        return (f64::NEG_INFINITY, f64::INFINITY);
    }
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let half = T * (variance / count).sqrt();
    (mean - half, mean + half)
}

/// The middle value.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.get(middle), sorted.get(middle.wrapping_sub(1)), sorted.len() % 2) {
        (Some(value), _, 1) => *value,
        (Some(high), Some(low), _) => (low + high) / 2.0,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ratios: &[f64]) -> Option<ComparisonVerdict> {
        verdict(&ratios.iter().map(|ratio| Pair { new: *ratio, old: 1.0 }).collect::<Vec<_>>(), 10, 0.0)
    }

    #[test]
    fn pairs_decide_as_soon_as_they_can() {
        assert_eq!(of(&[2.0]), Some(ComparisonVerdict::Worse));
        assert_eq!(of(&[0.5]), None);
        assert_eq!(of(&[0.5, 0.52]), Some(ComparisonVerdict::Better));
        assert_eq!(of(&[1.0, 0.99]), Some(ComparisonVerdict::Tie));
        assert_eq!(of(&[0.9, 0.91]), None);
        assert_eq!(of(&[0.9, 0.91, 0.905]), Some(ComparisonVerdict::Better));
        assert_eq!(of(&[0.9, 1.1, 0.9]), None);
        assert_eq!(of(&[0.9, 1.1, 0.9, 1.1, 0.9, 1.1, 0.9, 1.1, 0.9, 1.1]), Some(ComparisonVerdict::Tie));
    }

    #[test]
    fn a_difference_within_the_noise_of_a_start_decides_nothing_early() {
        let pair = Pair { new: 0.001, old: 0.002 };
        assert_eq!(verdict(&[pair, pair], 10, 0.0), Some(ComparisonVerdict::Better));
        assert_eq!(verdict(&[pair, pair], 10, 0.002), None);
        assert_eq!(verdict(&[Pair { new: 0.002, old: 0.001 }], 10, 0.002), None);
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
    }
}
