//! The sections `[[check]]`, `[[objective]]` and `[evaluator]`: what is measured, and what a candidate must pass.

use super::quantity::{duration_text, optional_duration_text};
use super::reader::{Bounds, Found, Section};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Most checks of one target.
const MAX_CHECKS: usize = 32;

/// Limits of any timeout.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(24 * 3600);
/// Default time for a check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(60);
/// Default time for one run of an objective's command.
const OBJECTIVE_TIMEOUT: Duration = Duration::from_secs(60);
/// Default time for the evaluator; OpenEvolve's own default.
const EVALUATOR_TIMEOUT: Duration = Duration::from_secs(300);

/// `[[check]]`: a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CheckSection {
    /// Its name.
    pub(crate) name: String,
    /// The command with its arguments.
    pub(crate) run: Vec<String>,
    /// Wall time after which it has failed.
    #[serde(with = "duration_text")]
    pub(crate) timeout: Duration,
}

/// How an objective is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// CPU seconds of a command's whole process tree.
    CpuTime,
    /// Peak memory of a command's process tree, in bytes.
    PeakMemory,
    /// Size of the files that may change.
    CodeSize,
    /// Complexity of the files that may change.
    Complexity,
    /// Share of tests or cases that pass.
    PassRate,
    /// One minus what the policy finds in the change.
    Safety,
    /// A number that the evaluator reports.
    Metric,
}

/// The kinds by name.
const KINDS: [(&str, Kind); 7] = [
    ("cpu_time", Kind::CpuTime),
    ("peak_memory", Kind::PeakMemory),
    ("code_size", Kind::CodeSize),
    ("complexity", Kind::Complexity),
    ("pass_rate", Kind::PassRate),
    ("safety", Kind::Safety),
    ("metric", Kind::Metric),
];

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Better {
    /// Less is better.
    Minimize,
    /// More is better.
    Maximize,
}

/// The directions by name.
const DIRECTIONS: [(&str, Better); 2] = [("minimize", Better::Minimize), ("maximize", Better::Maximize)];

impl Kind {
    fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// The only direction that makes sense, unless the author must say.
    fn direction(self) -> Option<Better> {
        match self {
            Self::CpuTime | Self::PeakMemory | Self::CodeSize | Self::Complexity => Some(Better::Minimize),
            Self::PassRate | Self::Safety => Some(Better::Maximize),
            Self::Metric => None,
        }
    }

    fn unit(self) -> Option<&'static str> {
        match self {
            Self::CpuTime => Some("s"),
            Self::PeakMemory => Some("B"),
            Self::CodeSize => Some("tokens"),
            _ => None,
        }
    }

    /// The best value that can be, where there is one.
    fn bound(self) -> Option<f64> {
        matches!(self, Self::PassRate | Self::Safety).then_some(1.0)
    }
}

/// `[[objective]]`: a number to make better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ObjectiveSection {
    /// Its name.
    pub(crate) name: String,
    /// How it is measured.
    pub(crate) kind: Kind,
    /// The command to measure, for `cpu_time`, `peak_memory` and `pass_rate`.
    pub(crate) run: Option<Vec<String>>,
    /// The file of input/output cases, for `pass_rate`.
    pub(crate) cases: Option<String>,
    /// The evaluator's name for it, for `metric`.
    pub(crate) metric: Option<String>,
    /// Which way is better.
    pub(crate) direction: Better,
    /// Its weight in the choice of the champion, above 0.
    pub(crate) weight: f64,
    /// The value that a viable candidate must reach.
    pub(crate) threshold: Option<f64>,
    /// The best value that can be.
    pub(crate) bound: Option<f64>,
    /// Its unit, for people.
    pub(crate) unit: Option<String>,
    /// Wall time of one run of its command.
    #[serde(with = "duration_text")]
    pub(crate) timeout: Duration,
}

/// `[evaluator]`: a Python function that reports numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct EvaluatorSection {
    /// Its file, below the target.
    pub(crate) file: String,
    /// Wall time of one evaluation.
    #[serde(with = "duration_text")]
    pub(crate) timeout: Duration,
    /// Time of one stage of a cascade.
    #[serde(with = "optional_duration_text", default)]
    pub(crate) stage_timeout: Option<Duration>,
    /// Whether its folder keeps the program as it was, and the candidate lies elsewhere.
    #[serde(default)]
    pub(crate) keeps_original: bool,
    /// How it is asked.
    #[serde(default)]
    pub(crate) contract: EvaluatorContract,
    /// Words that a program takes after its own two arguments.
    #[serde(default)]
    pub(crate) arguments: Vec<String>,
    /// Whether its stages make a cascade.
    #[serde(default = "always")]
    pub(crate) cascade: bool,
    /// What a stage must reach for the next one to begin.
    #[serde(default = "cascade_thresholds")]
    pub(crate) cascade_thresholds: Vec<f64>,
    /// Metrics that describe a candidate and do not count as fitness.
    #[serde(default)]
    pub(crate) features: Vec<String>,
}

/// How an evaluator is asked: a function that answers numbers, as in OpenEvolve, or a program that writes them to files,
/// as in ShinkaEvolve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EvaluatorContract {
    /// `evaluate(program_path)`.
    #[default]
    Function,
    /// `evaluate.py --program_path P --results_dir R`.
    Process,
}

/// The contracts by name.
const CONTRACTS: [(&str, EvaluatorContract); 2] =
    [("function", EvaluatorContract::Function), ("process", EvaluatorContract::Process)];

fn always() -> bool {
    true
}

fn cascade_thresholds() -> Vec<f64> {
    sandbox::CASCADE_THRESHOLDS.to_vec()
}

/// Reads all `[[check]]`.
pub(super) fn checks(top: &mut Section<'_>) -> Vec<CheckSection> {
    let sections = top.tables("check");
    if let Some(beyond) = sections.get(MAX_CHECKS) {
        beyond.problems().add(beyond.span(), format!("more than {MAX_CHECKS} checks"), "one too many");
    }
    let mut names = BTreeSet::new();
    sections.into_iter().filter_map(|section| check(section, &mut names)).collect()
}

fn check(mut section: Section<'_>, names: &mut BTreeSet<String>) -> Option<CheckSection> {
    let name = section.required_text("name", "name = \"tests\"");
    let run = section.plain_texts("run");
    if !section.has("run") {
        section.missing("run", "run = [\"python\", \"-m\", \"unittest\", \"-q\"]");
    }
    let timeout = section.duration("timeout", TIMEOUTS).unwrap_or(CHECK_TIMEOUT);
    let name = unique(&section, name, names);
    if let Some(reserved) = name.as_ref().filter(|name| name.contains(':')) {
        let message = format!("{reserved:?} cannot be a check's name: a colon marks darwind's own");
        section.problems().add(section.span(), message, "another name");
    }
    section.finish();
    Some(CheckSection { name: name?, run: run?, timeout })
}

/// Refuses a name that was given before.
fn unique(
    section: &Section<'_>,
    name: Option<Found<String>>,
    names: &mut BTreeSet<String>,
) -> Option<String> {
    let name = name?;
    if !names.insert(name.value.clone()) {
        let message = format!("there is another {} named `{}`", section.title(), name.value);
        section.problems().add(name.span, message, "choose another name");
        return None;
    }
    Some(name.value)
}

/// Reads all `[[objective]]`.
pub(super) fn objectives(
    top: &mut Section<'_>,
    has_evaluator: bool,
    files: &[String],
) -> Vec<ObjectiveSection> {
    let sections = top.tables("objective");
    let most = objectives::MAX_OBJECTIVES;
    if let Some(beyond) = sections.get(most) {
        beyond.problems().add(beyond.span(), format!("more than {most} objectives"), "one too many");
    }
    let mut names = BTreeSet::new();
    sections.into_iter().filter_map(|section| objective(section, has_evaluator, files, &mut names)).collect()
}

fn objective(
    mut section: Section<'_>,
    has_evaluator: bool,
    files: &[String],
    names: &mut BTreeSet<String>,
) -> Option<ObjectiveSection> {
    let name = section.required_text("name", "name = \"performance\"");
    let kind = section.choice("kind", &KINDS);
    if !section.has("kind") {
        section.missing("kind", "kind = \"cpu_time\"");
    }
    let run = section.plain_texts("run");
    let cases = section.file("cases", files);
    let metric = section.text("metric").map(|found| found.value);
    let direction = section.choice("direction", &DIRECTIONS);
    let weight = section.real("weight", Bounds::POSITIVE).unwrap_or(1.0);
    let threshold = section.real("threshold", Bounds::FINITE);
    let bound = section.real("bound", Bounds::FINITE);
    let unit = section.text("unit").map(|found| found.value);
    let timeout = section.duration("timeout", TIMEOUTS).unwrap_or(OBJECTIVE_TIMEOUT);
    let name = unique(&section, name, names);
    let sources = kind.as_ref().map(|kind| fits(&section, kind, has_evaluator));
    let direction = kind.as_ref().and_then(|kind| direction_of(&section, kind, direction));
    section.finish();
    let (name, kind) = (name?, kind?.value);
    sources?.then_some(())?;
    Some(ObjectiveSection {
        metric: metric.or_else(|| (kind == Kind::Metric).then(|| name.clone())),
        name,
        kind,
        run,
        cases,
        direction: direction?,
        weight,
        threshold,
        bound: bound.or(kind.bound()),
        unit: unit.or_else(|| kind.unit().map(str::to_owned)),
        timeout,
    })
}

/// Whether the keys that say where the number comes from fit the kind: each kind has its own.
fn fits(section: &Section<'_>, kind: &Found<Kind>, has_evaluator: bool) -> bool {
    let given = |key: &str| section.has(key);
    let allowed: &[&str] = match kind.value {
        Kind::CpuTime | Kind::PeakMemory => &["run"],
        Kind::PassRate => &["run", "cases"],
        Kind::Metric => &["metric"],
        Kind::CodeSize | Kind::Complexity | Kind::Safety => &[],
    };
    let name = kind.value.name();
    let mut good = true;
    for key in ["run", "cases", "metric"] {
        if given(key) && !allowed.contains(&key) {
            let message = format!("an objective of kind `{name}` takes no `{key}`");
            section.problems().add(section.key_span(key), message, "remove this, or choose another kind");
            good = false;
        }
    }
    match kind.value {
        Kind::CpuTime | Kind::PeakMemory if !given("run") => {
            section.missing("run", "run = [\"python\", \"bench.py\"]");
            false
        }
        Kind::PassRate if given("run") == given("cases") => {
            section.problems().advise(
                section.span(),
                format!("{} of kind `pass_rate` needs either `run` or `cases`", section.title()),
                if given("run") { "both are given" } else { "neither is given" },
                "write run = [\"python\", \"-m\", \"unittest\"] for tests, or cases = \"cases.json\" for cases",
            );
            false
        }
        Kind::Metric if !has_evaluator => {
            section.problems().advise(
                kind.span.clone(),
                "an objective of kind `metric` needs an evaluator",
                "no [evaluator] in this file",
                "add an [evaluator] section with file = \"evaluator.py\"",
            );
            false
        }
        _ => good,
    }
}

fn direction_of(section: &Section<'_>, kind: &Found<Kind>, written: Option<Found<Better>>) -> Option<Better> {
    match (kind.value.direction(), written) {
        (Some(only), Some(written)) if only != written.value => {
            let word = if only == Better::Minimize { "minimize" } else { "maximize" };
            let message = format!("an objective of kind `{}` can only be to {word}", kind.value.name());
            section.problems().add(written.span, message, format!("write \"{word}\", or leave it out"));
            None
        }
        (Some(only), _) => Some(only),
        (None, Some(written)) => Some(written.value),
        // A wrong word was reported already when it was read.
        (None, None) => {
            if !section.has("direction") {
                section.missing("direction", "direction = \"maximize\"");
            }
            None
        }
    }
}

/// Reads `[evaluator]`.
pub(super) fn evaluator(top: &mut Section<'_>, files: &[String]) -> Option<EvaluatorSection> {
    let mut section = top.table("evaluator")?;
    if !section.has("file") {
        section.missing("file", "file = \"evaluator.py\"");
    }
    let file = section.file("file", files);
    let timeout = section.duration("timeout", TIMEOUTS).unwrap_or(EVALUATOR_TIMEOUT);
    let stage_timeout = section.duration("stage_timeout", TIMEOUTS);
    let keeps_original = section.flag("keeps_original", false);
    let contract = section.choice("contract", &CONTRACTS).map(|found| found.value).unwrap_or_default();
    let arguments = section.plain_texts("arguments").unwrap_or_default();
    if contract == EvaluatorContract::Function && !arguments.is_empty() {
        let message = "an evaluator that is a function takes no `arguments`";
        section.problems().add(
            section.key_span("arguments"),
            message,
            "remove this, or set contract = \"process\"",
        );
    }
    let cascade = section.flag("cascade", true);
    let cascade_thresholds = section.reals("cascade_thresholds").unwrap_or_else(cascade_thresholds);
    let features = section.plain_texts("features").unwrap_or_default();
    section.finish();
    Some(EvaluatorSection {
        file: file?,
        timeout,
        stage_timeout,
        keeps_original,
        contract,
        arguments,
        cascade,
        cascade_thresholds,
        features,
    })
}
