//! Wires the proposers that are commands: what they are told, what they may see, how they are called.

use super::Evaluation;
use crate::config::{self, Better, CommandSection, Configuration, ObjectiveSection};
use crate::failure::Failure;
use crate::presets::{self, Installed};
use crate::workbench::ErrandBench;
use evolution::ports::Proposer;
use models::gateway::Gateway;
use proposers::command::{Aim, CommandProposer, Options, Protocol, Role};
use std::sync::Arc;

/// Most protected files that a command is told by name.
const MAX_PROTECTED: usize = 200;

/// A proposer that is a command.
pub(super) fn proposer(
    role: Role,
    configuration: &Configuration,
    evaluation: &Evaluation<'_>,
    gateway: Option<&Arc<Gateway>>,
) -> Result<Box<dyn Proposer>, Failure> {
    let section = match role {
        Role::Agent => &configuration.proposers.agent,
        Role::SelfModification => &configuration.proposers.self_modification,
    };
    let section = section.as_ref().ok_or_else(|| unconfigured(role))?;
    let folder = evaluation.workplace.bench_of(role.name());
    let called = called(section)?;
    let gateway = gateway.filter(|_| section.asks_a_model()).cloned();
    let place = (evaluation.plan, folder.as_path());
    let bench = ErrandBench::new(configuration, section, place, called.installed, gateway)?;
    let options = Options {
        role,
        run: called.run,
        env: called.env,
        announce: section.preset.is_none(),
        protocol: called.protocol,
        goal: section.goal.clone().unwrap_or_else(|| goal(configuration)),
        aims: configuration.objectives.iter().map(aim).collect(),
        editable: configuration.target.mutable.clone(),
        protected: ErrandBench::protected(configuration, evaluation.plan, MAX_PROTECTED)?,
        wall: section.timeout,
        idle: section.idle,
        run_id: evaluation.run.to_string(),
    };
    Ok(Box::new(CommandProposer::new(options, Box::new(bench))))
}

/// `--proposer agent` without a section.
fn unconfigured(role: Role) -> Failure {
    let name = role.name();
    Failure::usage(
        format!("the proposer `{name}` is not configured"),
        format!(
            "write [proposers.{name}] with run = [...] into darwind.toml, or leave --proposer {name} out"
        ),
    )
}

/// How a command is called.
struct Called {
    run: Vec<String>,
    env: Vec<(String, String)>,
    protocol: Protocol,
    installed: Installed,
}

/// How the command of a section is called: as it says, or as its preset does with the program that is installed here.
fn called(section: &CommandSection) -> Result<Called, Failure> {
    let protocol = |chosen: Option<config::Protocol>| match chosen {
        Some(config::Protocol::Acp) => Protocol::Acp,
        Some(config::Protocol::None) | None => Protocol::Silent,
    };
    let mut env = handed_on(section);
    let Some(name) = &section.preset else {
        let (run, protocol) = (section.run.clone(), protocol(section.protocol));
        return Ok(Called { run, env, protocol, installed: Installed::default() });
    };
    let preset = presets::preset(name).map_err(Failure::work)?;
    let program = preset.run.first().cloned().unwrap_or_default();
    let installed = presets::find(&program, std::env::var_os("PATH").as_deref()).ok_or_else(|| {
        Failure::usage(
            format!("the preset `{name}` runs `{program}`, which is not on the search path"),
            format!("install it: {}; `darwind doctor` shows which agents are found", preset.install),
        )
    })?;
    env.extend(preset.env);
    let protocol = protocol(section.protocol.or(preset.protocol));
    Ok(Called { run: preset.run, env, protocol, installed })
}

/// The variables of the allow-list that are set.
fn handed_on(section: &CommandSection) -> Vec<(String, String)> {
    section.env.iter().filter_map(|name| Some((name.clone(), std::env::var(name).ok()?))).collect()
}

fn aim(objective: &ObjectiveSection) -> Aim {
    Aim {
        metric: objective.name.clone(),
        direction: match objective.direction {
            Better::Minimize => "min",
            Better::Maximize => "max",
        },
        threshold: objective.threshold,
        unit: objective.unit.clone(),
    }
}

/// What is to be improved, told from the objectives.
fn goal(configuration: &Configuration) -> String {
    let aims: Vec<String> = configuration
        .objectives
        .iter()
        .map(|objective| match objective.direction {
            Better::Minimize => format!("lower `{}`", objective.name),
            Better::Maximize => format!("raise `{}`", objective.name),
        })
        .collect();
    format!("Improve {}: {}.", configuration.target.name, aims.join(", "))
}
