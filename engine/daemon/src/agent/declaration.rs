//! What an agent declares of itself: in `evolve.toml`, or as a target in `darwind.toml`.

use crate::config::{self, files};
use crate::failure::Failure;
use proposers::command::contract::PROTOCOL;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The declaration's file name.
const FILE_NAME: &str = "evolve.toml";

/// An agent as it is to be called.
#[derive(Debug, Clone)]
pub(super) struct Declaration {
    pub(super) command: Vec<String>,
    pub(super) kinds: Vec<String>,
    /// Files that may change.
    pub(super) editable: Vec<String>,
    /// Files that the agent may not see.
    pub(super) hidden: Vec<String>,
    pub(super) python: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EvolveFile {
    agent: AgentSection,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentSection {
    protocol: String,
    command: Vec<String>,
    kinds: Vec<String>,
}

/// Reads what the agent in `folder` declares. The files that may change are the target's where there is one, else all
/// but the declaration.
pub(super) fn read(folder: &Path) -> Result<Declaration, Failure> {
    let path = folder.join(FILE_NAME);
    let configuration = if folder.join(config::FILE_NAME).exists() || !path.exists() {
        Some(config::load(folder)?)
    } else {
        None
    };
    let all = files::walk(folder).map_err(Failure::work)?;
    let own =
        configuration.as_ref().and_then(|configuration| configuration.proposers.self_modification.clone());
    let hidden = own.as_ref().map_or_else(Vec::new, |own| chosen(&all, &own.hide));
    let editable = match &configuration {
        Some(configuration) => configuration.target.mutable.clone(),
        None => all.into_iter().filter(|file| file != FILE_NAME).collect(),
    };
    let python = configuration.as_ref().and_then(|configuration| configuration.target.python.clone());
    let (command, kinds) = match (path.exists(), own) {
        (true, _) => declared(&path)?,
        (false, Some(own)) => (own.run, vec!["propose".to_owned()]),
        (false, None) => {
            return Err(Failure::usage(
                format!("{} declares no agent", folder.display()),
                format!(
                    "write {FILE_NAME} with [agent], protocol = \"{PROTOCOL}\", command = [...] and kinds = [\"propose\"]"
                ),
            ));
        }
    };
    Ok(Declaration { command, kinds, editable, hidden, python })
}

fn declared(path: &Path) -> Result<(Vec<String>, Vec<String>), Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::caused(format!("cannot read {}", path.display()), error))?;
    let wrong = |reason: String| {
        Failure::usage(
            format!("{}: {reason}", path.display()),
            format!("[agent] has protocol = \"{PROTOCOL}\", command and kinds (propose, solve)"),
        )
    };
    let EvolveFile { agent } = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if agent.protocol != PROTOCOL {
        return Err(wrong(format!("the protocol `{}` is not known", agent.protocol)));
    }
    if let Some(kind) = agent.kinds.iter().find(|kind| !matches!(kind.as_str(), "propose" | "solve")) {
        return Err(wrong(format!("the kind `{kind}` is not known")));
    }
    if agent.command.is_empty() || !agent.kinds.iter().any(|kind| kind == "propose") {
        return Err(wrong("an agent that evolves has a command and the kind `propose`".to_owned()));
    }
    Ok((agent.command, agent.kinds))
}

fn chosen(all: &[String], patterns: &[String]) -> Vec<String> {
    let patterns: Vec<files::Pattern> =
        patterns.iter().filter_map(|pattern| files::Pattern::parse(pattern).ok()).collect();
    files::select(all, &patterns).chosen.into_iter().map(|(_, path)| path).collect()
}
