//! Builds what a run needs out of its configuration: the plan of its evaluation, evaluators, proposers, snapshots. The
//! only place that knows every room.

mod commands;
mod toolchain;

use crate::config::{
    Better, CheckSection, Configuration, EvaluatorContract, EvaluatorSection, Kind, ObjectiveSection,
    Required,
};
use crate::data::Runs;
use crate::embedding::EmbeddingScreener;
use crate::failure::Failure;
use crate::language_models::{self, LanguageModels};
use crate::peers;
use conductor::Ports;
use evolution::id::{CommitId, RunId};
use evolution::ports::{Clock, Evaluator, Proposer};
use knowledge::Memory;
use objectives::{Direction, Objective, ObjectiveSet};
use proposers::ast::{AstProposer, Options, Purpose};
use proposers::command::Role;
use proposers::llm::{self, LlmProposer, Model, Prompts};
use proposers::peer_knowledge::{self, PeerKnowledge};
use sandbox::cell::{Level, Limits};
use sandbox::{
    Calibration, CaseSource, CheckPlan, Contract, EvaluationPlan, EvaluatorFile, LocalEvaluator, MAX_PAIRS,
    Measure, ObjectivePlan, Python, PythonScreener, Target,
};
use snapshots::{Access, GitSnapshots};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

/// The system's time, never going back.
pub(crate) struct SystemClock(AtomicI64);

impl SystemClock {
    /// A clock.
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(0))
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let now = crate::data::now_ms();
        self.0.fetch_max(now, Ordering::Relaxed).max(now)
    }
}

/// This binary, which is the launcher of the sandbox's lanes too.
pub(crate) fn launcher() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| Failure::caused("cannot find darwind's own binary", error))
}

/// The objectives as the core knows them.
pub(crate) fn objective_set(configuration: &Configuration) -> Result<ObjectiveSet, Failure> {
    let objectives = configuration.objectives.iter().map(objective).collect::<Result<Vec<_>, _>>()?;
    ObjectiveSet::new(objectives)
        .map_err(|error| Failure::caused("these objectives cannot be used together", error))
}

fn objective(section: &ObjectiveSection) -> Result<Objective, Failure> {
    Ok(Objective {
        name: section.name.clone(),
        direction: match section.direction {
            Better::Minimize => Direction::Minimize,
            Better::Maximize => Direction::Maximize,
        },
        weight: section.weight,
        threshold: section.threshold,
        unit: section.unit.clone(),
        bound: section.bound,
    })
}

fn measure(section: &ObjectiveSection) -> Measure {
    let run = || section.run.clone().unwrap_or_default();
    match section.kind {
        Kind::CpuTime => Measure::CpuTime { run: run() },
        Kind::PeakMemory => Measure::PeakMemory { run: run() },
        Kind::CodeSize => Measure::CodeSize,
        Kind::Complexity => Measure::Complexity,
        Kind::Safety => Measure::Safety,
        Kind::Metric => {
            Measure::Metric { name: section.metric.clone().unwrap_or_else(|| section.name.clone()) }
        }
        Kind::PassRate => Measure::PassRate(match &section.cases {
            Some(file) => CaseSource::File(file.clone()),
            None => CaseSource::Run(run()),
        }),
    }
}

fn check(section: &CheckSection) -> CheckPlan {
    CheckPlan { name: section.name.clone(), run: section.run.clone(), timeout: section.timeout }
}

fn evaluator_file(section: &EvaluatorSection) -> EvaluatorFile {
    EvaluatorFile {
        path: section.file.clone(),
        timeout: section.timeout,
        stage_timeout: section.stage_timeout,
        keeps_original: section.keeps_original,
        contract: match section.contract {
            EvaluatorContract::Function => Contract::Function,
            EvaluatorContract::Process => Contract::Process,
        },
        arguments: section.arguments.clone(),
        cascade: section.cascade.then(|| section.cascade_thresholds.clone()),
        features: section.features.clone(),
    }
}

/// The interpreter that the target runs under.
pub(crate) fn python(configuration: &Configuration) -> Result<Python, Failure> {
    let active = std::env::var_os("VIRTUAL_ENV");
    Python::discover(configuration.target.python.as_deref(), active)
        .map_err(|error| Failure::caused("the target's Python cannot be used", error))
}

/// The plan of a run's evaluations.
pub(crate) fn plan(
    configuration: &Configuration,
    python: Python,
    tree: &Path,
    level: Level,
) -> Result<EvaluationPlan, Failure> {
    let sandbox = &configuration.sandbox;
    let objectives = configuration.objectives.iter().map(|section| {
        Ok(ObjectivePlan {
            objective: objective(section)?,
            measure: measure(section),
            timeout: section.timeout,
        })
    });
    Ok(EvaluationPlan {
        target: Target {
            name: configuration.target.name.clone(),
            tree: tree.to_owned(),
            mutable: configuration.target.mutable.clone(),
            python,
        },
        checks: configuration.checks.iter().map(check).collect(),
        objectives: objectives.collect::<Result<_, Failure>>()?,
        evaluator: configuration.evaluator.as_ref().map(evaluator_file),
        tools: toolchain::tools(&configuration.target.mutable),
        limits: Limits {
            memory: sandbox.memory,
            processes: sandbox.processes,
            disk: sandbox.disk,
            files: sandbox.files,
            output: sandbox.output,
            cpu: sandbox.cpu,
            ..Limits::default()
        },
        level,
        max_pairs: MAX_PAIRS,
    })
}

/// What the target is evolved for, from what is measured.
fn purposes(configuration: &Configuration) -> BTreeSet<Purpose> {
    let of = |kind: Kind| match kind {
        Kind::PassRate => Purpose::Repair,
        Kind::CpuTime => Purpose::Speed,
        Kind::Metric => Purpose::Tune,
        Kind::PeakMemory | Kind::CodeSize | Kind::Complexity | Kind::Safety => Purpose::Shrink,
    };
    configuration.objectives.iter().map(|objective| of(objective.kind)).collect()
}

/// The proposers that the configuration names. Every one of them is in this build: that was checked before.
pub(crate) fn proposers(
    runs: &Runs,
    configuration: &Configuration,
    (seed, clock): (u64, Arc<dyn Clock>),
    evaluation: &Evaluation<'_>,
    models: LanguageModels,
) -> Result<Vec<Box<dyn Proposer>>, Failure> {
    let mut proposers: Vec<Box<dyn Proposer>> = Vec::new();
    let gateway = models.gateway.as_ref();
    for name in &configuration.proposers.used {
        let proposer: Box<dyn Proposer> = match name.as_str() {
            "agent" => commands::proposer(Role::Agent, configuration, evaluation, gateway)?,
            llm::NAME => {
                Box::new(LlmProposer::new(model_options(configuration, seed)?, models.models.clone()))
            }
            "self_modification" => {
                commands::proposer(Role::SelfModification, configuration, evaluation, gateway)?
            }
            peer_knowledge::NAME => Box::new(PeerKnowledge::new(peer_knowledge::Options {
                memory: Memory::new(runs.log()),
                clock: clock.clone(),
                target: configuration.target.name.clone(),
                run: evaluation.run.to_string(),
                objectives: peers::goals(&objective_set(configuration)?),
                counting_cases: configuration
                    .objectives
                    .iter()
                    .filter(|objective| objective.kind == Kind::PassRate)
                    .map(|objective| objective.name.clone())
                    .collect(),
                threshold: configuration.collective.knowledge_transfer.compatibility_threshold,
            })),
            _ => {
                let options = Options { purposes: purposes(configuration), seed };
                Box::new(AstProposer::new(options))
            }
        };
        proposers.push(proposer);
    }
    Ok(proposers)
}

/// Those of a run's proposers that answer the same again: `ast`, and `llm` when its models answer from the record. Others
/// run commands or know peers, and are left out.
pub(crate) fn repeatable(
    configuration: &Configuration,
    seed: u64,
    models: &[Arc<dyn Model>],
) -> Result<Vec<Box<dyn Proposer>>, Failure> {
    let mut proposers: Vec<Box<dyn Proposer>> = Vec::new();
    for name in &configuration.proposers.used {
        match name.as_str() {
            llm::NAME => proposers
                .push(Box::new(LlmProposer::new(model_options(configuration, seed)?, models.to_vec()))),
            "ast" => {
                let options = Options { purposes: purposes(configuration), seed };
                proposers.push(Box::new(AstProposer::new(options)));
            }
            _ => {}
        }
    }
    Ok(proposers)
}

/// How the `llm` proposer is set up.
fn model_options(configuration: &Configuration, seed: u64) -> Result<llm::Options, Failure> {
    let section = configuration.proposers.llm.clone().ok_or_else(language_models::unconfigured)?;
    let goal = |objective: &ObjectiveSection| llm::Goal {
        name: objective.name.clone(),
        maximize: objective.direction == Better::Maximize,
        weight: objective.weight,
        unit: objective.unit.clone().unwrap_or_default(),
        threshold: objective.threshold,
    };
    let python = configuration.target.mutable.iter().any(|file| file.ends_with(".py"));
    let question = language_models::question_size(&section)?;
    Ok(llm::Options {
        task: llm::Task {
            name: configuration.target.name.clone(),
            description: section.task,
            goals: configuration.objectives.iter().map(goal).collect(),
        },
        prompts: Prompts::new(&section.own_prompts)
            .map_err(|error| Failure::caused("the prompts of [proposers.llm] cannot be used", error))?,
        format: section.format,
        grammar: section.grammar,
        ast: python.then(|| Options { purposes: purposes(configuration), seed }),
        temperature: section.temperature,
        question,
        parallel: section.parallel,
    })
}

/// The level that cells will run at: the highest whose probes hold.
///
/// # Errors
/// When it is lower than what the configuration requires.
pub(crate) fn level(required: Required) -> Result<Level, Failure> {
    let found = crate::doctor::isolation()?.level;
    let wanted = match required {
        Required::L1 => Level::L1,
        Required::L2 => Level::L2,
        Required::L3 => Level::L3,
    };
    match found {
        Some(level) if level >= wanted => Ok(level),
        found => {
            let have =
                found.map_or_else(|| "no isolation at all".to_owned(), |level| format!("only {level}"));
            Err(Failure::refused(
                format!("this machine gives {have}, and [sandbox] require asks for {wanted}"),
                "`darwind doctor` shows each promise, what holds it, and the command that would raise it",
            ))
        }
    }
}

/// What proposers that run commands share with the evaluation: its plan, and the run's place.
pub(crate) struct Evaluation<'r> {
    /// The run's name.
    pub(crate) run: &'r RunId,
    /// The plan, with the target's unchanged copy.
    pub(crate) plan: &'r EvaluationPlan,
    /// Where it works.
    pub(crate) workplace: &'r Workplace,
}

/// Where a run's evaluations and proposers work, below its folder.
pub(crate) struct Workplace {
    folder: PathBuf,
}

impl Workplace {
    /// The workplace of a run.
    pub(crate) fn of(runs: &Runs, run: &RunId) -> Self {
        Self { folder: runs.folder().work(run) }
    }

    /// The folder of a proposer that runs commands.
    pub(crate) fn bench_of(&self, proposer: &str) -> PathBuf {
        self.folder.join(proposer)
    }

    /// The exported copy of the unchanged target.
    pub(crate) fn tree(&self) -> PathBuf {
        self.folder.join("baseline")
    }

    /// Exports the baseline, replacing what an earlier process left.
    pub(crate) fn export(&self, snapshots: &GitSnapshots, baseline: &CommitId) -> Result<(), Failure> {
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)
                .map_err(|error| Failure::caused(format!("cannot clear {}", self.folder.display()), error))?;
        }
        let tree = self.tree();
        std::fs::create_dir_all(&tree)
            .map_err(|error| Failure::caused(format!("cannot make {}", tree.display()), error))?;
        snapshots
            .export(baseline, &tree)
            .map_err(|error| Failure::caused("cannot export the target", error))?;
        Ok(())
    }

    /// One evaluator for each worker.
    pub(crate) fn evaluators(
        &self,
        plan: &Arc<EvaluationPlan>,
        workers: usize,
        calibration: &Arc<Mutex<Calibration>>,
    ) -> Result<Vec<Box<dyn Evaluator>>, Failure> {
        let launcher = launcher()?;
        (0..workers)
            .map(|lane| {
                let folder = self.folder.join(format!("lane-{lane}"));
                LocalEvaluator::new(plan.clone(), launcher.clone(), &folder, calibration.clone())
                    .map(|evaluator| Box::new(evaluator) as Box<dyn Evaluator>)
                    .map_err(|error| Failure::caused("the evaluator cannot be set up", error))
            })
            .collect()
    }
}

/// The run's repository, opened to write.
pub(crate) fn snapshots(
    runs: &Runs,
    run: &RunId,
    configuration: &Configuration,
) -> Result<GitSnapshots, Failure> {
    let mutable: BTreeSet<String> = configuration.target.mutable.iter().cloned().collect();
    let may_change = Arc::new(move |path: &str| mutable.contains(path));
    GitSnapshots::open(&runs.folder().repository(run), Access::Write, may_change)
        .map_err(|error| Failure::caused("the run's repository cannot be opened", error))
}

/// The run's repository, opened to read its files that may change.
pub(crate) fn reading(runs: &Runs, run: &RunId, mutable: BTreeSet<String>) -> Result<GitSnapshots, Failure> {
    let may_change = Arc::new(move |path: &str| mutable.contains(path));
    GitSnapshots::open(&runs.folder().repository(run), Access::Read, may_change)
        .map_err(|error| Failure::caused("the run's repository cannot be opened", error))
}

/// Everything that a conductor needs.
pub(crate) fn ports(
    runs: &Runs,
    configuration: &Configuration,
    snapshots: GitSnapshots,
    evaluators: Vec<Box<dyn Evaluator>>,
    seed: u64,
    evaluation: &Evaluation<'_>,
    models: LanguageModels,
) -> Result<Ports, Failure> {
    let clock = Arc::new(SystemClock::new());
    let screener = PythonScreener::new(configuration.target.mutable.iter().cloned())
        .telling_shapes(configuration.settings.archive.looks_at_shapes());
    Ok(Ports {
        log: runs.log(),
        clock: clock.clone(),
        snapshots: Box::new(snapshots),
        screener: Arc::new(EmbeddingScreener::new(screener, models.programs.clone())),
        proposers: proposers(runs, configuration, (seed, clock), evaluation, models)?,
        evaluators,
    })
}

/// The configuration that a stored run was begun with.
pub(crate) fn stored_configuration(
    run: &RunId,
    stored: &serde_json::Value,
) -> Result<Configuration, Failure> {
    serde_json::from_value(stored.clone())
        .map_err(|error| Failure::caused(format!("the configuration of run {run} cannot be read"), error))
}
