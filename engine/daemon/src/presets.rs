//! Known coding agents: how each is called without a person before it. Data files, one an agent; nothing here runs any.

mod installed;

pub(crate) use installed::{Installed, find};

use crate::config::Protocol;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The files, by the name that a configuration uses.
const FILES: [(&str, &str); 6] = [
    ("aider", include_str!("../presets/aider.toml")),
    ("claude", include_str!("../presets/claude.toml")),
    ("codex", include_str!("../presets/codex.toml")),
    ("mini-swe-agent", include_str!("../presets/mini-swe-agent.toml")),
    ("opencode", include_str!("../presets/opencode.toml")),
    ("opencode-acp", include_str!("../presets/opencode-acp.toml")),
];

/// An agent's preset.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Preset {
    /// What it is and which version was tried.
    pub(crate) about: String,
    /// The command that installs it.
    pub(crate) install: String,
    /// The dialect in which it speaks with a model: `chat`, `responses` or `messages`.
    pub(crate) dialect: Dialect,
    /// The command; `{prompt}`, `{task}`, `{files}`, `{work}`, `{url}`, `{token}` and `{model}` are filled in.
    pub(crate) run: Vec<String>,
    /// How it is spoken with.
    #[serde(default)]
    pub(crate) protocol: Option<Protocol>,
    /// Environment, filled in likewise.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
}

/// How an agent speaks with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dialect {
    /// Chat completions.
    Chat,
    /// Responses.
    Responses,
    /// Anthropic messages.
    Messages,
}

/// Names of the presets.
pub(crate) fn names() -> Vec<&'static str> {
    FILES.iter().map(|(name, _)| *name).collect()
}

/// A preset by its name; an error says what is wrong with its file.
pub(crate) fn preset(name: &str) -> Result<Preset, String> {
    let (_, text) =
        FILES.iter().find(|(known, _)| *known == name).ok_or_else(|| format!("there is no preset {name}"))?;
    toml::from_str(text).map_err(|error| format!("the preset {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_read_and_hands_its_task_over() {
        for name in names() {
            let preset = preset(name).unwrap();
            let words = preset.run.join(" ");
            let handed_over = words.contains("{prompt}") || words.contains("{task}");
            assert!(handed_over || preset.protocol == Some(Protocol::Acp), "{name}");
            let needs = preset.run.first().map_or("", String::as_str);
            assert!(!needs.is_empty() && preset.install.contains("install"), "{name}");
            let told = format!("{words} {:?}", preset.env);
            assert!(told.contains("{url}"), "{name} is not told where its model is");
        }
    }
}
