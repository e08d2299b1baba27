//! The proposers' workbench over the sandbox's errands: set up in a folder of the run, with the target's unchanged copy,
//! without what nobody who edits may see, and with leave to ask a model where that is granted.

use crate::config::files::{Pattern, walk};
use crate::config::{CommandSection, Configuration};
use crate::failure::Failure;
use crate::presets::Installed;
use crate::wiring::launcher;
use evolution::candidate::ModelUsage;
use evolution::errand::Dialogue;
use evolution::event::StoppedBy;
use models::Poor;
use models::gateway::{Gateway, Pass, Spent};
use proposers::workbench::{Allowance, Errand, Leave, Outcome, Places, Workbench, WorkbenchError};
use sandbox::cell::can_reach_gateway;
use sandbox::{ErrandOptions, Errands, EvaluationPlan};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

/// File below HOME into which a command may write its answer.
const RESULT: &str = "result.json";
/// Calls of a model at once in one attempt: agents have helpers that ask beside them.
const CALLS_AT_ONCE: u32 = 8;
/// Open files of a process of an agent, whose runtimes open more than a candidate does.
const OPEN_FILES: u32 = 1024;

/// Errands of one proposer.
pub(crate) struct ErrandBench {
    errands: Errands,
    gateway: Option<(Arc<Gateway>, Allowance)>,
    /// Leave for the next errand.
    pass: Option<Pass>,
}

impl ErrandBench {
    /// Sets a workbench up in `folder`, which is its own. `installed` is the program of the command, where it is known, and
    /// `gateway` where it asks a model.
    pub(crate) fn new(
        configuration: &Configuration,
        command: &CommandSection,
        (plan, folder): (&EvaluationPlan, &Path),
        installed: Installed,
        gateway: Option<Arc<Gateway>>,
    ) -> Result<Self, Failure> {
        if gateway.is_some() {
            can_reach_gateway(plan.level).map_err(|reason| {
                Failure::refused(
                    format!("a command is to ask a model, and at level {} it cannot: {reason}", plan.level),
                    "`darwind doctor` shows what would raise the level; or go on without the command, with --proposer ast",
                )
            })?;
        }
        let limits = plan.limits.clone();
        let limits = match gateway {
            Some(_) => sandbox::cell::Limits { open_files: limits.open_files.max(OPEN_FILES), ..limits },
            None => limits,
        };
        let options = ErrandOptions {
            tree: plan.target.tree.clone(),
            mutable: plan.target.mutable.clone(),
            hidden: hidden(configuration, command, &plan.target.tree)?,
            python: plan.target.python.clone(),
            limits,
            level: plan.level,
            launcher: launcher()?,
            visible: command.visible.iter().cloned().chain(installed.visible).collect(),
            search: installed.search,
        };
        let mut bench = Self::over(options, folder)?;
        bench.gateway = gateway.map(|gateway| {
            let model = gateway.model().to_owned();
            (gateway, Allowance { model, calls: command.llm_calls, tokens: command.llm_tokens })
        });
        Ok(bench)
    }

    /// Sets a workbench without a gateway up as the options say.
    pub(crate) fn over(options: ErrandOptions, folder: &Path) -> Result<Self, Failure> {
        let errands = Errands::new(options, folder)
            .map_err(|error| Failure::caused("the workbench of a command cannot be set up", error))?;
        Ok(Self { errands, gateway: None, pass: None })
    }

    /// Files of the target that may not change, at most `limit` of them.
    pub(crate) fn protected(
        configuration: &Configuration,
        plan: &EvaluationPlan,
        limit: usize,
    ) -> Result<Vec<String>, Failure> {
        let mutable = &configuration.target.mutable;
        let files = walk(&plan.target.tree).map_err(Failure::work)?;
        Ok(files.into_iter().filter(|path| !mutable.contains(path)).take(limit).collect())
    }
}

/// Files that nobody who edits may see: what a judge keeps for itself, and what the section names.
fn hidden(
    configuration: &Configuration,
    command: &CommandSection,
    tree: &Path,
) -> Result<Vec<String>, Failure> {
    let patterns: Vec<Pattern> =
        command.hide.iter().filter_map(|pattern| Pattern::parse(pattern).ok()).collect();
    let cases = configuration.objectives.iter().filter_map(|objective| objective.cases.clone());
    let evaluator = configuration.evaluator.iter().map(|evaluator| evaluator.file.clone());
    let judges: Vec<String> = cases.chain(evaluator).collect();
    let files = walk(tree).map_err(Failure::work)?;
    let chosen = crate::config::files::select(&files, &patterns).chosen;
    Ok(chosen.into_iter().map(|(_, path)| path).chain(judges).collect())
}

impl Workbench for ErrandBench {
    fn places(&self) -> Places {
        let places = self.errands.places();
        Places {
            own: places.own.clone(),
            work: places.work.clone(),
            documents: places.documents.clone(),
            result: places.home.join(RESULT),
        }
    }

    fn holds(&self, path: &str) -> bool {
        self.errands.places().own.join(path).is_file()
    }

    fn allowance(&self) -> Option<Allowance> {
        self.gateway.as_ref().map(|(_, allowance)| allowance.clone())
    }

    fn admit(&mut self, attempt: &str) -> Result<Option<Leave>, WorkbenchError> {
        let Some((gateway, allowance)) = &self.gateway else { return Ok(None) };
        let granted = models::gateway::Allowance {
            calls: allowance.calls,
            tokens: allowance.tokens,
            at_once: CALLS_AT_ONCE,
        };
        let pass = gateway.admit(attempt, granted).map_err(|error| WorkbenchError(error.to_string()))?;
        let leave = Leave {
            url: pass.origin(),
            token: pass.token().to_owned(),
            model: allowance.model.clone(),
            env: pass.environment().map(|(name, value)| (name.to_owned(), value)).into(),
        };
        self.pass = Some(pass);
        Ok(Some(leave))
    }

    fn run(
        &mut self,
        errand: &Errand<'_>,
        dialogue: Option<&mut dyn Dialogue>,
    ) -> Result<Outcome, WorkbenchError> {
        let failed = |error: &dyn std::fmt::Display| WorkbenchError(error.to_string());
        // The leave ends with this errand, whatever comes of it.
        let pass = self.pass.take();
        let granted = self.gateway.as_ref().map(|(gateway, _)| gateway.clone()).zip(pass.as_ref());
        let accept = |listener: TcpListener| {
            if let Some((gateway, pass)) = &granted {
                // What cannot be listened on is silent, and the agent's idle time ends it.
                let _ = gateway.listen_on(listener, pass);
            }
        };
        let spent = || {
            let used_up = pass.as_ref().is_some_and(|pass| pass.spent().exhausted);
            used_up.then(|| "what it may ask of a model is used up".to_owned())
        };
        let gateway =
            pass.as_ref().map(|pass| sandbox::Gateway { port: pass.port(), accept: &accept, spent: &spent });
        let errand = sandbox::Errand {
            argv: errand.argv.clone(),
            env: errand.env.clone(),
            files: errand.files,
            start: errand.start.clone(),
            documents: errand.documents.clone(),
            result: RESULT,
            wall: errand.wall,
            idle: errand.idle,
            gateway,
        };
        let report = match dialogue {
            Some(dialogue) => self.errands.converse(&errand, dialogue),
            None => self.errands.run(&errand),
        };
        let report = report.map_err(|error| failed(&error))?;
        let spent = pass.as_ref().map(Pass::spent);
        let mut cost = report.cost;
        cost.llm = spent.as_ref().map(usage).unwrap_or_default();
        let out_of = spent.and_then(|spent| spent.run_out_of).map(|poor| match poor {
            Poor::Tokens => StoppedBy::LlmTokens,
            Poor::Money => StoppedBy::LlmCostUsd,
        });
        let output =
            pass.as_ref().map_or(report.output.clone(), |pass| report.output.replace(pass.token(), "TOKEN"));
        Ok(Outcome {
            ended: report.ended,
            changes: report.changes,
            too_much: report.too_much,
            result: report.result,
            output,
            cost,
            out_of,
        })
    }
}

fn usage(spent: &Spent) -> ModelUsage {
    if spent.calls == 0 {
        return ModelUsage::default();
    }
    ModelUsage {
        calls: spent.calls.into(),
        input: spent.input,
        cached: spent.cached,
        reasoning: spent.reasoning,
        output: spent.output,
        cost_usd: spent.cost_usd,
    }
}
