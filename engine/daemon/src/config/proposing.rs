//! The sections `[proposers.*]`: who may suggest changes. A section without content configures nothing, so that a file
//! may name them all; which proposers are built into this binary is decided where they are used.

use super::quantity::duration_text;
use super::reader::{Bounds, Section};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Every proposer that a configuration may name.
pub(crate) const PROPOSERS: [&str; 5] = ["ast", "llm", "agent", "self_modification", "peer_knowledge"];
/// Those that this binary has.
pub(crate) const BUILT_PROPOSERS: [&str; 1] = ["ast"];
/// Limits of a proposer's time for one answer.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(24 * 3600);
/// Default time of an outside command for one answer.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(600);
/// Default time of a language model for one answer.
const MODEL_TIMEOUT: Duration = Duration::from_secs(120);

/// All of `[proposers]`; `None` is a proposer without configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProposersSection {
    /// Names of the proposers in use, in the order asked for. Never empty once read.
    pub(crate) used: Vec<String>,
    /// `[proposers.llm]`.
    pub(crate) llm: Option<ModelSection>,
    /// `[proposers.agent]`.
    pub(crate) agent: Option<CommandSection>,
    /// `[proposers.self_modification]`.
    pub(crate) self_modification: Option<CommandSection>,
}

/// `[proposers.llm]`: a language model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ModelSection {
    /// Base address of the endpoint.
    pub(crate) endpoint: Option<String>,
    /// Models by name.
    pub(crate) models: Vec<String>,
    /// Name of the environment variable that holds the key.
    pub(crate) key_env: Option<String>,
    /// Temperature; the learning rate sets it when absent.
    pub(crate) temperature: Option<f64>,
    /// Price, in US dollars for a million tokens.
    pub(crate) price: Option<PriceSection>,
    /// Time for one answer.
    #[serde(with = "duration_text")]
    pub(crate) timeout: Duration,
}

/// `[proposers.llm.price]`, in US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct PriceSection {
    /// Tokens read.
    pub(crate) input: f64,
    /// Tokens read from the provider's cache.
    pub(crate) cached: f64,
    /// Tokens written.
    pub(crate) output: f64,
}

/// A proposer that is a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CommandSection {
    /// The command with its arguments and placeholders.
    pub(crate) run: Vec<String>,
    /// Time for one answer.
    #[serde(with = "duration_text")]
    pub(crate) timeout: Duration,
}

/// Reads `[proposers]`.
pub(super) fn proposers(top: &mut Section<'_>) -> ProposersSection {
    let mut read = ProposersSection::default();
    let Some(mut section) = top.table("proposers") else {
        read.used.push("ast".to_owned());
        return read;
    };
    let mut used = Vec::new();
    if let Some(mut ast) = section.table("ast") {
        if ast.flag("enabled", true) {
            used.push("ast");
        }
        ast.finish();
    }
    if let Some((model, enabled)) = section.table("llm").and_then(model) {
        read.llm = Some(model);
        used.extend(enabled.then_some("llm"));
    }
    if let Some((command, enabled)) = section.table("agent").and_then(command) {
        read.agent = Some(command);
        used.extend(enabled.then_some("agent"));
    }
    if let Some((command, enabled)) = section.table("self_modification").and_then(command) {
        read.self_modification = Some(command);
        used.extend(enabled.then_some("self_modification"));
    }
    if let Some(mut peers) = section.table("peer_knowledge") {
        let named = !peers.is_empty();
        if peers.flag("enabled", true) && named {
            used.push("peer_knowledge");
        }
        peers.finish();
    }
    section.finish();
    read.used = used.into_iter().map(str::to_owned).collect();
    if read.used.is_empty() {
        read.used.push("ast".to_owned());
    }
    read
}

fn model(mut section: Section<'_>) -> Option<(ModelSection, bool)> {
    let empty = section.is_empty();
    let enabled = section.flag("enabled", true);
    let endpoint = section.text("endpoint").map(|found| found.value);
    let model = section.text("model");
    let several = section.texts("models");
    if let (Some(model), Some(_)) = (&model, &several) {
        section.problems().add(model.span.clone(), "both `model` and `models` are given", "keep one of them");
    }
    let key_env = section.text("key_env").map(|found| found.value);
    let temperature = section.real("temperature", Bounds { above: None, from: 0.0, to: 2.0 });
    let price = section.table("price").map(price);
    let timeout = section.duration("timeout", TIMEOUTS).unwrap_or(MODEL_TIMEOUT);
    let models: Vec<String> = match (model, several) {
        (Some(one), _) => vec![one.value],
        (None, Some(several)) => several.value.into_iter().map(|model| model.value).collect(),
        (None, None) => Vec::new(),
    };
    if !empty && models.is_empty() && !section.has("model") {
        section.missing("model", "model = \"NAME\"");
    }
    section.finish();
    (!empty).then_some((ModelSection { endpoint, models, key_env, temperature, price, timeout }, enabled))
}

fn price(mut section: Section<'_>) -> PriceSection {
    let input = section.real("input", Bounds::NOT_NEGATIVE).unwrap_or(0.0);
    let cached = section.real("cached", Bounds::NOT_NEGATIVE).unwrap_or(input);
    let output = section.real("output", Bounds::NOT_NEGATIVE).unwrap_or(0.0);
    section.finish();
    PriceSection { input, cached, output }
}

fn command(mut section: Section<'_>) -> Option<(CommandSection, bool)> {
    let empty = section.is_empty();
    let enabled = section.flag("enabled", true);
    let run = section.plain_texts("run");
    let timeout = section.duration("timeout", TIMEOUTS).unwrap_or(COMMAND_TIMEOUT);
    if !empty && !section.has("run") {
        section.missing("run", "run = [\"aider\", \"--message-file\", \"{task}\"]");
    }
    section.finish();
    Some((CommandSection { run: run?, timeout }, enabled))
}
