//! `[proposers.agent]` and `[proposers.self_modification]`: commands that edit a candidate. What a command may see is
//! decided here: variables and folders by allow-list, and never a key or a home folder.

use super::proposing::TIMEOUTS;
use super::quantity::duration_text;
use super::reader::{Found, Section};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Default time of a command for one answer.
const TIMEOUT: Duration = Duration::from_secs(600);
/// Default time without a sign of life.
const IDLE: Duration = Duration::from_secs(180);
/// Default allowance of one answer, in calls and tokens of a model; a coding agent's task takes tens of calls.
const CALLS: u32 = 200;
const TOKENS: u64 = 400_000;
/// Limits of such an allowance.
const ALLOWED_CALLS: RangeInclusive<u64> = 1..=100_000;
const ALLOWED_TOKENS: RangeInclusive<u64> = 1_000..=1_000_000_000;
/// Most names or patterns in one list.
const MAX_ENTRIES: usize = 64;
/// Parts of names by which variables hold what nobody may see.
const SECRET: [&str; 8] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "AUTH", "COOKIE"];
/// Variables that the sandbox sets itself, or through which a program would be led elsewhere.
const FIXED: [&str; 9] = [
    "HOME",
    "PATH",
    "TMPDIR",
    "LANG",
    "TERM",
    "PYTHONDONTWRITEBYTECODE",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "PWD",
];

/// A proposer that is a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CommandSection {
    /// The command with its arguments and placeholders; empty when a preset gives it.
    pub(crate) run: Vec<String>,
    /// Name of a known agent whose command is used.
    pub(crate) preset: Option<String>,
    /// How it is spoken with; the preset says so when absent.
    #[serde(default)]
    pub(crate) protocol: Option<Protocol>,
    /// Whether it may ask the configured model through the gateway; one of a preset always may.
    #[serde(default)]
    pub(crate) gateway: bool,
    /// Calls of a model in one answer.
    #[serde(default = "default_calls")]
    pub(crate) llm_calls: u32,
    /// Tokens of a model in one answer, read and written.
    #[serde(default = "default_tokens")]
    pub(crate) llm_tokens: u64,
    /// What is to be improved, in words; told from the objectives when absent.
    pub(crate) goal: Option<String>,
    /// Time for one answer.
    #[serde(with = "duration_text")]
    pub(crate) timeout: Duration,
    /// Time without output and without a change of any file.
    #[serde(with = "duration_text")]
    pub(crate) idle: Duration,
    /// Names of variables that are handed on.
    pub(crate) env: Vec<String>,
    /// Folders of tools that the command may see.
    pub(crate) visible: Vec<PathBuf>,
    /// Patterns of the target's files that the command may not see.
    pub(crate) hide: Vec<String>,
}

/// How a command is spoken with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Protocol {
    /// Not at all.
    None,
    /// By the Agent Client Protocol.
    Acp,
}

fn default_calls() -> u32 {
    CALLS
}

fn default_tokens() -> u64 {
    TOKENS
}

impl CommandSection {
    /// Whether it asks a model through the gateway.
    pub(crate) fn asks_a_model(&self) -> bool {
        self.gateway || self.preset.is_some()
    }
}

/// Reads such a section; `None` when it configures nothing. The flag tells whether the proposer is in use.
pub(super) fn command(mut section: Section<'_>, has_presets: bool) -> Option<(CommandSection, bool)> {
    let empty = section.is_empty();
    let enabled = section.flag("enabled", true);
    let run = section.texts("run");
    let preset = if has_presets { section.text("preset") } else { None };
    let protocols = [("none", Protocol::None), ("acp", Protocol::Acp)];
    let protocol = section.choice("protocol", &protocols).map(|found| found.value);
    let gateway = section.flag("gateway", false);
    let calls = section.whole("llm_calls", ALLOWED_CALLS).and_then(|calls| u32::try_from(calls).ok());
    let tokens = section.whole("llm_tokens", ALLOWED_TOKENS);
    let goal = section.text("goal").map(|found| found.value);
    let timeout = section.duration("timeout", TIMEOUTS).unwrap_or(TIMEOUT);
    let idle = section.duration("idle", TIMEOUTS).unwrap_or(IDLE);
    let env = list(&mut section, "env", &forbidden_variable);
    let visible = list(&mut section, "visible", &forbidden_folder);
    let hide = list(&mut section, "hide", &|glob| super::files::Pattern::parse(glob).err());
    check_command(&section, empty, run.as_ref(), preset.as_ref());
    let preset = preset.filter(|preset| is_known(&section, preset));
    section.finish();
    let run = run.map(|run| run.value.into_iter().map(|word| word.value).collect::<Vec<_>>());
    if run.is_none() && preset.is_none() {
        return None;
    }
    let section = CommandSection {
        run: run.unwrap_or_default(),
        preset: preset.map(|preset| preset.value),
        protocol,
        gateway,
        llm_calls: calls.unwrap_or(CALLS),
        llm_tokens: tokens.unwrap_or(TOKENS),
        goal,
        timeout,
        idle: idle.min(timeout),
        env,
        visible: visible.into_iter().map(PathBuf::from).collect(),
        hide,
    };
    Some((section, enabled))
}

/// Either a command or a preset is needed, and not both.
fn check_command(
    section: &Section<'_>,
    empty: bool,
    run: Option<&Found<Vec<Found<String>>>>,
    preset: Option<&Found<String>>,
) {
    if !empty && !section.has("run") && !section.has("preset") {
        section.missing("run", "run = [\"aider\", \"--message-file\", \"{task}\"]");
    }
    if let (Some(run), Some(_)) = (run, preset) {
        section.problems().add(run.span.clone(), "both `run` and `preset` are given", "keep one of them");
    }
    if let Some(run) = run.filter(|run| run.value.is_empty()) {
        section.problems().add(run.span.clone(), "`run` names no command", "expected at least one word");
    }
}

fn is_known(section: &Section<'_>, preset: &Found<String>) -> bool {
    let known = crate::presets::names();
    if known.contains(&preset.value.as_str()) {
        return true;
    }
    let label = super::nearest(&preset.value, &known)
        .map_or_else(|| "not known".to_owned(), |meant| format!("did you mean `{meant}`?"));
    section.problems().advise(
        preset.span.clone(),
        format!("there is no preset `{}`", preset.value),
        label,
        format!("there are {}; any other agent is called by `run = [...]`", super::listed(&known)),
    );
    false
}

/// A list of texts, each held against a rule that says what is wrong with it.
fn list(section: &mut Section<'_>, key: &'static str, wrong: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let Some(found) = section.texts(key) else { return Vec::new() };
    if found.value.len() > MAX_ENTRIES {
        let message = format!("`{key}` in {} has more than {MAX_ENTRIES} entries", section.title());
        section.problems().add(found.span.clone(), message, "name fewer");
    }
    for entry in &found.value {
        if let Some(reason) = wrong(&entry.value) {
            let message = format!("`{key}` in {} cannot hold `{}`", section.title(), entry.value);
            section.problems().add(entry.span.clone(), message, reason);
        }
    }
    found.value.into_iter().map(|entry| entry.value).collect()
}

/// Why a variable may not be handed on.
fn forbidden_variable(name: &str) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    if name.is_empty() || name.contains(['=', '\0']) {
        return Some("expected the name of a variable".to_owned());
    }
    if FIXED.contains(&upper.as_str()) || upper.starts_with("EVOLVE_") {
        return Some("the sandbox sets this one itself".to_owned());
    }
    SECRET.iter().any(|part| upper.contains(part)).then(|| "keys never enter the sandbox".to_owned())
}

/// Why a folder may not be shown: it is none, or holds more than a tool.
pub(crate) fn forbidden_folder(path: &str) -> Option<String> {
    let path = Path::new(path);
    if !path.is_absolute() {
        return Some("expected an absolute path".to_owned());
    }
    let too_much = ["/", "/home", "/root", "/etc", "/proc", "/sys", "/dev", "/run", "/var", "/tmp", "/Users"];
    let holds_home = directories::BaseDirs::new().is_some_and(|user| user.home_dir().starts_with(path));
    let shows_too_much = too_much.iter().any(|forbidden| Path::new(forbidden) == path);
    let climbs = path.components().any(|part| part == std::path::Component::ParentDir);
    (holds_home || shows_too_much || climbs)
        .then(|| "it holds more than a tool: name the tool's own folder".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_homes_cannot_be_handed_on() {
        for name in [
            "ANTHROPIC_API_KEY",
            "GITHUB_TOKEN",
            "aws_secret_access",
            "HOME",
            "PATH",
            "EVOLVE_SELF",
            "A=B",
            "",
        ] {
            assert!(forbidden_variable(name).is_some(), "{name}");
        }
        assert_eq!(forbidden_variable("CARGO_TERM_COLOR"), None);
        let home = directories::BaseDirs::new().unwrap().home_dir().display().to_string();
        for path in ["/", "tools", "/opt/../etc", "/etc", &home] {
            assert!(forbidden_folder(path).is_some(), "{path}");
        }
        assert_eq!(forbidden_folder("/opt/agent"), None);
    }
}
