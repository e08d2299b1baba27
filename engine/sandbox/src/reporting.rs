//! A project's own evaluator and what it reports: the numbers, the fitness that follows from them, texts. Asked in the
//! candidate's process or in one of its own; which of the two is `evaluator::dear`'s to find out.

use crate::bench::{Bench, BenchError, Trouble};
use crate::cell::{CellOutcome, Received};
use crate::measure::failure;
use crate::plan::{Contract, EvaluatorFile};
use crate::relay::Brief;
use crate::value::Value;
use crate::workspace::Side;
use evolution::candidate::Outcome;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Most numbers that an evaluator may report.
const MAX_METRICS: usize = 1000;
/// The metric that stands for all in the contracts of OpenEvolve and ShinkaEvolve. Where an evaluator does not report it,
/// it is the fitness by OpenEvolve's rule.
const COMBINED_SCORE: &str = "combined_score";
/// The text by which evaluators say that they caught something, beside numbers that are then zero.
const ERROR: &str = "error";

/// What an evaluator reported.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Report {
    /// Every finite number, by name.
    pub(crate) metrics: BTreeMap<String, f64>,
    /// `combined_score`, or the mean of the numbers: OpenEvolve's fitness.
    fitness: Option<f64>,
    /// Texts for whoever reads the evaluation, a model above all.
    texts: Vec<(String, String)>,
    /// Why the evaluator calls the candidate incorrect, if it does: by ShinkaEvolve's contract, beside its numbers.
    pub(crate) incorrect: Option<Trouble>,
}

impl Report {
    /// The value of a metric.
    ///
    /// # Errors
    /// When it was not reported, or is not finite.
    pub(crate) fn value(&self, name: &str) -> Result<f64, Trouble> {
        let fitness = self.fitness.filter(|_| name == COMBINED_SCORE);
        self.metrics.get(name).copied().or(fitness.filter(|value| value.is_finite())).ok_or_else(|| {
            let reason = match fitness {
                Some(value) => format!("the evaluator's numbers come to {value}, which ranks nothing"),
                None => format!("the evaluator reported no finite number {name}"),
            };
            let complaint = self.complaint().map(|text| format!(": {text}")).unwrap_or_default();
            Trouble::new(Outcome::Protocol, reason + &complaint)
        })
    }

    /// What the evaluator says went wrong, if it says so: the first line of its `error`.
    pub(crate) fn complaint(&self) -> Option<&str> {
        let (_, text) = self.texts.iter().find(|(name, _)| name == ERROR)?;
        text.lines().map(str::trim).find(|line| !line.is_empty())
    }

    /// The texts, as lines of a log.
    pub(crate) fn text(&self) -> String {
        let mut lines = String::new();
        for (name, text) in &self.texts {
            let _ = writeln!(lines, "{name}: {}", text.trim_end());
        }
        lines
    }

    /// Reads an evaluator's last word.
    fn read(said: &Value) -> Result<Self, Trouble> {
        let Some(Value::Dict(items)) = said.get("metrics") else { return Err(nothing_came()) };
        if items.len() > MAX_METRICS {
            return Err(Trouble::new(Outcome::Protocol, format!("more than {MAX_METRICS} numbers came")));
        }
        let metric = |(name, value): &(Value, Value)| {
            let value = value.as_f64().filter(|value| value.is_finite())?;
            Some((name.as_str()?.to_owned(), value))
        };
        let text =
            |(name, text): &(Value, Value)| Some((name.as_str()?.to_owned(), text.as_str()?.to_owned()));
        let texts = match said.get("texts") {
            Some(Value::Dict(items)) => items.iter().filter_map(text).collect(),
            _ => Vec::new(),
        };
        let metrics = items.iter().filter_map(metric).collect();
        let incorrect = said.get("incorrect").and_then(Value::as_str);
        let incorrect = incorrect.map(|reason| Trouble::new(Outcome::Wrong, reason));
        let fitness = said.get("fitness").and_then(Value::as_f64);
        // What is not correct anyway needs a number only to be told from its like.
        let fitness = fitness.filter(|value| value.is_finite() || incorrect.is_none());
        let fitness = fitness.or_else(|| incorrect.as_ref().map(|_| 0.0));
        Ok(Self { metrics, fitness, texts, incorrect })
    }
}

/// What was judged apart, or why the candidate's interface does not allow that.
pub(crate) type Apart<T> = Result<Result<T, Trouble>, String>;

/// The project's own evaluator, about to be asked for its numbers.
pub(crate) struct Asking<'e> {
    /// Which, and by which contract.
    pub(crate) evaluator: &'e EvaluatorFile,
    /// For the nonce.
    pub(crate) seed: u64,
}

impl Asking<'_> {
    fn task(&self, bench: &Bench, side: Side, nonce: &str) -> Value {
        let evaluator = self.evaluator;
        let tree = bench.workspace.tree(side);
        let folder = evaluator.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let program = bench.plan.target.mutable.first().cloned().unwrap_or_default();
        let stand_ins = bench.stand_ins();
        let original = bench.original().map_or(Value::None, Value::Str);
        let text = |text: &str| Value::Str(text.to_owned());
        let cascade = evaluator.cascade.as_ref().map_or(Value::None, |thresholds| {
            Value::List(thresholds.iter().copied().map(Value::Float).collect())
        });
        let contract = match evaluator.contract {
            Contract::Function => "function",
            Contract::Process => "process",
        };
        bench.task(
            side,
            &[folder, "", &stand_ins],
            vec![
                ("framework", text("evaluator")),
                ("contract", text(contract)),
                ("arguments", Value::List(evaluator.arguments.iter().map(|word| text(word)).collect())),
                ("evaluator", text(&tree.join(&evaluator.path).display().to_string())),
                ("program", Value::Str(program)),
                ("original", original),
                ("cascade", cascade),
                (
                    "stage_limit",
                    evaluator.stage_timeout.map_or(Value::None, |limit| Value::Float(limit.as_secs_f64())),
                ),
                ("features", Value::List(evaluator.features.iter().map(|name| text(name)).collect())),
                ("stand_ins", text(&stand_ins)),
                ("nonce", text(nonce)),
            ],
        )
    }

    /// What is reported of a candidate that ended before its evaluator could: by ShinkaEvolve's contract it scores 0 and is
    /// not correct.
    fn unanswered(&self, trouble: Trouble) -> Result<Report, Trouble> {
        let ended = matches!(trouble.outcome, Outcome::Crashed | Outcome::EarlyExit | Outcome::Timeout);
        if self.evaluator.contract == Contract::Process && ended {
            Ok(Report { fitness: Some(0.0), incorrect: Some(trouble), ..Report::default() })
        } else {
            Err(trouble)
        }
    }

    /// Asks it in the candidate's process.
    pub(crate) fn ask(&self, bench: &mut Bench) -> Result<Result<Report, Trouble>, BenchError> {
        let nonce = format!("{:016x}", self.seed);
        let wall = self.evaluator.timeout;
        let task = self.task(bench, Side::Whole, &nonce);
        let mut session = bench.start("metric", Side::Whole, wall, &task)?;
        let said = match session.receive(wall + Duration::from_secs(1)) {
            Received::Line(text) => Some(Value::from_line(&text)),
            Received::End | Received::Timeout => None,
        };
        if said.as_ref().is_some_and(|said| said.as_ref().is_ok_and(|said| said.get("done").is_some())) {
            session.kill();
        }
        let report = session.finish()?;
        let report = bench.settle(report);
        Ok(match said {
            Some(Ok(said)) if said.get("done").and_then(Value::as_str) == Some(&nonce) => Report::read(&said),
            // A tree that the sandbox had to end is judged by that, whatever it said before.
            _ if report.outcome != CellOutcome::Exited => self.unanswered(Trouble::of(&report)),
            Some(Ok(said)) => Err(failure(&said).unwrap_or_else(nothing_came)),
            Some(Err(reason)) => Err(Trouble::new(Outcome::Protocol, reason)),
            None => self.unanswered(Trouble::of(&report)),
        })
    }

    /// Asks it in a process of its own. The outer error says that the candidate's interface does not allow that.
    pub(crate) fn ask_apart(&self, bench: &mut Bench) -> Result<Apart<Report>, BenchError> {
        let nonce = format!("{:016x}", self.seed);
        let wall = self.evaluator.timeout;
        let limit = self.evaluator.stage_timeout.unwrap_or(wall);
        let task = self.task(bench, Side::Judge, &nonce);
        let brief =
            Brief { framework: "evaluator", task: &task, limit_s: limit.as_secs_f64(), trace: false, wall };
        let mut last = None;
        let judgement = bench.relay(&brief, &mut |said, _| last = Some(said.clone()))?;
        if let Some(reason) = judgement.unfit {
            return Ok(Err(reason));
        }
        if !judgement.asked {
            // It started a program of its own with the stub, say, and took that program's failure for the candidate's.
            return Ok(Err("it never asked anything of the candidate".to_owned()));
        }
        Ok(Ok(match last {
            Some(said) if said.get("done").is_some() => Report::read(&said),
            // The evaluator failed over a candidate that did not answer: that is what there is to know.
            Some(said) => match judgement.gone {
                Some(gone) => self.unanswered(gone),
                None => Err(failure(&said).unwrap_or_else(nothing_came)),
            },
            None => self.unanswered(judgement.gone.or(judgement.trouble).unwrap_or_else(nothing_came)),
        }))
    }
}

fn nothing_came() -> Trouble {
    Trouble::new(Outcome::Protocol, "no numbers came")
}
