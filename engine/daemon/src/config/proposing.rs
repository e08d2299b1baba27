//! The sections `[proposers.*]`: who may suggest changes. A section without content configures nothing, so that a file
//! may name them all.

use super::commands::{CommandSection, command};
use super::quantity::duration_text;
use super::reader::{Bounds, Section};
use evolution::ports::MAX_PARALLEL;
use proposers::edit::Format;
use proposers::llm::{self, MAX_PROMPT_BYTES, Prompts};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

/// Every proposer that a configuration may name.
pub(crate) const PROPOSERS: [&str; 5] = ["ast", "llm", "agent", "self_modification", "peer_knowledge"];
/// Limits of a proposer's time for one answer.
pub(super) const TIMEOUTS: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(24 * 3600);
/// Default time of a language model for one answer.
const MODEL_TIMEOUT: Duration = Duration::from_secs(120);

/// Default number of calls of a language model at once.
const PARALLEL: usize = 4;
/// Default size of an answer, in tokens.
const ANSWER: u32 = 8_192;
/// Limits of an answer, in tokens.
const ANSWERS: RangeInclusive<u64> = 16..=1_000_000;
/// Limits of a question, in characters.
const QUESTIONS: RangeInclusive<u64> = 500..=4_000_000;
/// How endpoints are spoken to, by their names.
const DIALECTS: [(&str, models::Dialect); 3] = [
    ("chat", models::Dialect::Chat),
    ("responses", models::Dialect::Responses),
    ("messages", models::Dialect::Messages),
];
/// Limits of a model's context, in tokens.
const CONTEXTS: RangeInclusive<u64> = 256..=100_000_000;
/// Most models of one run.
const MAX_MODELS: usize = 16;

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

impl ProposersSection {
    /// The commands in use, by their proposers' names.
    pub(crate) fn commands(&self) -> impl Iterator<Item = (&'static str, &CommandSection)> {
        let sections = [("agent", &self.agent), ("self_modification", &self.self_modification)];
        sections
            .into_iter()
            .filter(|(name, _)| self.used.iter().any(|used| used == name))
            .filter_map(|(name, section)| Some((name, section.as_ref()?)))
    }
}

/// `[proposers.llm]`: a language model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ModelSection {
    /// Whether `ast` takes its place when it cannot be asked.
    #[serde(default)]
    pub(crate) fallback: Fallback,
    /// Base address of the endpoint.
    pub(crate) endpoint: Option<String>,
    /// Models by name, each once.
    pub(crate) models: Vec<String>,
    /// How the endpoint is spoken to; the model's name decides when absent.
    #[serde(default)]
    pub(crate) dialect: Option<models::Dialect>,
    /// Name of the environment variable that holds the key.
    pub(crate) key_env: Option<String>,
    /// Temperature; the learning rate sets it when absent.
    pub(crate) temperature: Option<f64>,
    /// Price, in US dollars for a million tokens.
    pub(crate) price: Option<PriceSection>,
    /// Time for one answer.
    #[serde(with = "duration_text")]
    pub(crate) timeout: Duration,
    /// Calls at once.
    #[serde(default = "default_parallel")]
    pub(crate) parallel: usize,
    /// The notation in which changes are asked for.
    #[serde(default)]
    pub(crate) format: Format,
    /// Whether answers are held to a grammar where the server has it.
    #[serde(default)]
    pub(crate) grammar: bool,
    /// Reasoning effort, in the model's own words.
    #[serde(default)]
    pub(crate) effort: Option<String>,
    /// What is known of the models beside what is shipped.
    #[serde(default)]
    pub(crate) capabilities: Vec<models::Entry>,
    /// What the program is for, in words for the model.
    #[serde(default)]
    pub(crate) task: String,
    /// Largest size of a question, in characters.
    #[serde(default = "default_question")]
    pub(crate) question: usize,
    /// Largest size of an answer, in tokens.
    #[serde(default = "default_answer")]
    pub(crate) answer: u32,
    /// Folder, below the target's, with prompts in place of those shipped.
    #[serde(default)]
    pub(crate) prompts: Option<String>,
    /// Those prompts by name, so that a run can be resumed when the folder is gone.
    #[serde(default)]
    pub(crate) own_prompts: BTreeMap<String, String>,
}

/// What a run does whose model cannot be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fallback {
    /// It does not begin.
    #[default]
    None,
    /// It goes on with the `ast` proposer, and says so.
    Ast,
}

fn default_parallel() -> usize {
    PARALLEL
}

fn default_question() -> usize {
    llm::DEFAULT_QUESTION
}

fn default_answer() -> u32 {
    ANSWER
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
    if let Some((command, enabled)) = section.table("agent").and_then(|section| command(section, true)) {
        read.agent = Some(command);
        used.extend(enabled.then_some("agent"));
    }
    if let Some((command, enabled)) =
        section.table("self_modification").and_then(|section| command(section, false))
    {
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
    let fallbacks = [("none", Fallback::None), ("ast", Fallback::Ast)];
    let fallback = section.choice("fallback", &fallbacks).map_or_else(Fallback::default, |found| found.value);
    let endpoint = section.text("endpoint").map(|found| found.value);
    let model = section.text("model");
    let several = section.texts("models");
    if let (Some(model), Some(_)) = (&model, &several) {
        section.problems().add(model.span.clone(), "both `model` and `models` are given", "keep one of them");
    }
    let key_env = section.text("key_env").map(|found| found.value);
    let temperature = section.real("temperature", Bounds { above: None, from: 0.0, to: 2.0 });
    let dialect = section.choice("dialect", &DIALECTS).map(|found| found.value);
    let price = section.table("price").map(price);
    let timeout = section.duration("timeout", TIMEOUTS).unwrap_or(MODEL_TIMEOUT);
    let size = |found: Option<u64>| found.and_then(|found| usize::try_from(found).ok());
    let parallel = size(section.whole("parallel", 1..=MAX_PARALLEL as u64)).unwrap_or(PARALLEL);
    let format = section.choice("format", &Format::ALL).map_or_else(Format::default, |found| found.value);
    let grammar = section.flag("grammar", false);
    let effort = section.text("effort").map(|found| found.value);
    let capabilities = section.tables("capability").into_iter().map(capability).collect();
    let task = section.text("task").map(|found| found.value).unwrap_or_default();
    let question = size(section.whole("question", QUESTIONS)).unwrap_or(llm::DEFAULT_QUESTION);
    let answer =
        section.whole("answer", ANSWERS).and_then(|found| u32::try_from(found).ok()).unwrap_or(ANSWER);
    let prompts = section.text("prompts").map(|found| found.value);
    let span = several.as_ref().map(|several| several.span.clone());
    let mut models: Vec<String> = match (model, several) {
        (Some(one), _) => vec![one.value],
        (None, Some(several)) => several.value.into_iter().map(|model| model.value).collect(),
        (None, None) => Vec::new(),
    };
    if !empty && models.is_empty() && !section.has("model") {
        section.missing("model", "model = \"NAME\"");
    }
    if let (Some(span), true) = (span, models.len() > MAX_MODELS) {
        section.problems().add(span, format!("more than {MAX_MODELS} models"), "name fewer");
    }
    let mut named = BTreeSet::new();
    models.retain(|model| named.insert(model.clone()));
    section.finish();
    let read = ModelSection {
        fallback,
        endpoint,
        models,
        dialect,
        key_env,
        temperature,
        price,
        timeout,
        parallel,
        format,
        grammar,
        effort,
        capabilities,
        task,
        question,
        answer,
        prompts,
        own_prompts: BTreeMap::new(),
    };
    (!empty).then_some((read, enabled))
}

/// Why a folder of prompts cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PromptsError {
    /// It is not below the target's folder, or cannot be read.
    #[error("`prompts` in [proposers.llm] must be a folder below the target's: {0}")]
    Folder(String),
    /// One of its files is no prompt.
    #[error("`prompts` in [proposers.llm]: {0}")]
    Prompt(#[from] llm::PromptError),
}

impl ModelSection {
    /// Takes in the prompts of the folder that the section names, below the target's.
    pub(super) fn take_in_prompts(&mut self, target: &Path) -> Result<(), PromptsError> {
        let Some(name) = &self.prompts else { return Ok(()) };
        let unreadable = |error: std::io::Error| PromptsError::Folder(format!("{name}: {error}"));
        let root = target.canonicalize().map_err(unreadable)?;
        let folder = root.join(name).canonicalize().map_err(unreadable)?;
        if !folder.starts_with(&root) || folder == root {
            return Err(PromptsError::Folder(format!("{name} is not")));
        }
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let Some(prompt) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
            if path.extension().is_none_or(|ending| ending != "md") {
                continue;
            }
            let length = path.metadata().map_err(unreadable)?.len();
            if length > MAX_PROMPT_BYTES as u64 {
                let bytes = usize::try_from(length).unwrap_or(usize::MAX);
                return Err(llm::PromptError::TooLarge { prompt: prompt.to_owned(), bytes }.into());
            }
            let text = std::fs::read_to_string(&path).map_err(unreadable)?;
            self.own_prompts.insert(prompt.to_owned(), text);
        }
        Prompts::new(&self.own_prompts)?;
        Ok(())
    }
}

/// `[[proposers.llm.capability]]`: what some of the models take, in the words of the shipped file.
fn capability(mut section: Section<'_>) -> models::Entry {
    let model =
        section.required_text("model", "model = \"NAME\", or the beginning of names with * at its end");
    let limits = [
        ("max_tokens", models::TokenLimit::MaxTokens),
        ("max_completion_tokens", models::TokenLimit::MaxCompletionTokens),
    ];
    let forms = [
        ("schema", models::Structured::Schema),
        ("llama_cpp", models::Structured::LlamaCpp),
        ("vllm", models::Structured::Vllm),
        ("none", models::Structured::None),
    ];
    let flag = |section: &mut Section<'_>, key: &'static str| {
        let given = section.has(key);
        let flag = section.flag(key, true);
        given.then_some(flag)
    };
    let entry = models::Entry {
        model: model.map(|found| found.value).unwrap_or_default(),
        dialect: section.choice("dialect", &DIALECTS).map(|found| found.value),
        token_limit: section.choice("token_limit", &limits).map(|found| found.value),
        temperature: flag(&mut section, "temperature"),
        seed: flag(&mut section, "seed"),
        effort: section.plain_texts("effort"),
        structured: section.choice("structured", &forms).map(|found| found.value),
        logprobs: flag(&mut section, "logprobs"),
        context: section.whole("context", CONTEXTS),
        price: section.table("price").map(|section| price(section).listed()),
    };
    section.finish();
    entry
}

impl PriceSection {
    /// As the models know prices: it holds wherever they are asked.
    pub(crate) fn listed(self) -> models::ListedPrice {
        models::ListedPrice {
            host: None,
            input: self.input,
            cached: Some(self.cached),
            output: self.output,
            as_of: String::new(),
            source: "darwind.toml".to_owned(),
        }
    }
}

fn price(mut section: Section<'_>) -> PriceSection {
    let input = section.real("input", Bounds::NOT_NEGATIVE).unwrap_or(0.0);
    let cached = section.real("cached", Bounds::NOT_NEGATIVE).unwrap_or(input);
    let output = section.real("output", Bounds::NOT_NEGATIVE).unwrap_or(0.0);
    section.finish();
    PriceSection { input, cached, output }
}
