//! `darwind.toml`: read once, checked whole, then plain data. One section a room; unknown keys and impossible values
//! are errors with their place. Nothing else in the workspace reads configuration.

mod collective;
mod commands;
mod deciding;
mod diversity;
mod embedding;
pub(crate) mod files;
mod measures;
mod problem;
mod proposing;
pub(crate) mod quantity;
mod reader;
mod spending;
#[cfg(test)]
mod strangers;
mod target;
pub(crate) mod task;

pub(crate) use collective::CollectiveSections;
pub(crate) use commands::{CommandSection, Protocol, forbidden_folder};
pub(crate) use embedding::EmbeddingSection;
pub(crate) use measures::{
    Better, CheckSection, EvaluatorContract, EvaluatorSection, Kind, ObjectiveSection,
};
pub(crate) use problem::{Malformed, listed, nearest};
pub(crate) use proposing::{Fallback, ModelSection, PROPOSERS, PromptsError, ProposersSection};
pub(crate) use spending::{BudgetSection, Required, SandboxSection};
pub(crate) use target::TargetSection;

use deciding::Deciding;
use problem::{Problem, Problems};
use reader::Section;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use target::Surroundings;
use toml::de::DeTable;

/// The configuration's file name.
pub(crate) const FILE_NAME: &str = "darwind.toml";
/// Largest configuration file, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Everything that a `darwind.toml` says, with the defaults filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Configuration {
    /// `[target]`.
    pub(crate) target: TargetSection,
    /// `[[check]]`.
    pub(crate) checks: Vec<CheckSection>,
    /// `[[objective]]`; at least one.
    pub(crate) objectives: Vec<ObjectiveSection>,
    /// `[evaluator]`.
    pub(crate) evaluator: Option<EvaluatorSection>,
    /// `[budget]`.
    pub(crate) budget: BudgetSection,
    /// `[evolution]` and `[safety_systems]`.
    pub(crate) settings: evolution::settings::Settings,
    /// `[evolution.embedding]`.
    #[serde(default)]
    pub(crate) embedding: Option<EmbeddingSection>,
    /// `[evolution] lookahead`, where it is set; else it follows the proposers and the workers.
    #[serde(default)]
    pub(crate) lookahead: Option<u32>,
    /// `[proposers]`.
    pub(crate) proposers: ProposersSection,
    /// `[sandbox]`.
    pub(crate) sandbox: SandboxSection,
    /// The seeds' other sections.
    pub(crate) collective: CollectiveSections,
    /// The seed that a task of another engine asks for.
    #[serde(default)]
    pub(crate) seed: Option<u64>,
    /// What the user should know of how a task of another engine was read.
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigurationError {
    /// `PATH` is no folder.
    #[error("{path} is not a folder", path = .0.display())]
    NoFolder(PathBuf),
    /// There is no `darwind.toml`.
    #[error("there is no {FILE_NAME} in {path}", path = .0.display())]
    NoFile(PathBuf),
    /// The folder or the file cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// The prompts that it names cannot be used.
    #[error(transparent)]
    Prompts(#[from] PromptsError),
    /// The file is wrong.
    #[error(transparent)]
    Malformed(Box<Malformed>),
}

/// Reads the configuration of the target in `folder`.
pub(crate) fn load(folder: &Path) -> Result<Configuration, ConfigurationError> {
    if !folder.is_dir() {
        return Err(ConfigurationError::NoFolder(folder.to_path_buf()));
    }
    let path = folder.join(FILE_NAME);
    let length = match std::fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return load_task(folder);
        }
        Err(error) => return Err(unreadable(&path, &error)),
    };
    if length > MAX_FILE_BYTES {
        let reason = format!("{} has {length} bytes, more than {MAX_FILE_BYTES}", path.display());
        return Err(ConfigurationError::Unreadable(reason));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
    complete(folder, &path, &text)
}

/// Reads a configuration that came without a file, for the target in `folder`.
pub(crate) fn read_text(folder: &Path, text: &str) -> Result<Configuration, ConfigurationError> {
    if !folder.is_dir() {
        return Err(ConfigurationError::NoFolder(folder.to_path_buf()));
    }
    complete(folder, &folder.join(FILE_NAME), text)
}

/// Reads a configuration with the files that it names.
fn complete(folder: &Path, path: &Path, text: &str) -> Result<Configuration, ConfigurationError> {
    let files = files::walk(folder).map_err(ConfigurationError::Unreadable)?;
    let mut configuration =
        parse(path, text, &files, &folder_name(folder)?).map_err(ConfigurationError::Malformed)?;
    if let Some(model) = &mut configuration.proposers.llm {
        model.take_in_prompts(folder)?;
    }
    Ok(configuration)
}

/// Reads a task of another engine, where there is one instead of a configuration.
fn load_task(folder: &Path) -> Result<Configuration, ConfigurationError> {
    let files = files::walk(folder).map_err(ConfigurationError::Unreadable)?;
    let task = task::recognise(folder, &files).map_err(ConfigurationError::Unreadable)?;
    let task = task.ok_or_else(|| ConfigurationError::NoFile(folder.to_path_buf()))?;
    let mut read = parse(&folder.join(&task.file), &task.text, &files, &folder_name(folder)?)
        .map_err(ConfigurationError::Malformed)?;
    read.seed = task.seed;
    read.warnings.extend(task.notes);
    Ok(read)
}

/// The folder's own name, which is the target's when it gives none.
fn folder_name(folder: &Path) -> Result<String, ConfigurationError> {
    let canonical = std::fs::canonicalize(folder).map_err(|error| unreadable(folder, &error))?;
    Ok(canonical.file_name().map_or_else(|| "target".to_owned(), |name| name.to_string_lossy().into_owned()))
}

fn unreadable(path: &Path, error: &std::io::Error) -> ConfigurationError {
    ConfigurationError::Unreadable(format!("cannot read {}: {error}", path.display()))
}

/// Reads a configuration from text. `files` are those of the target's folder, `folder_name` names the target when the
/// text does not.
pub(crate) fn parse(
    path: &Path,
    text: &str,
    files: &[String],
    folder_name: &str,
) -> Result<Configuration, Box<Malformed>> {
    let tree = DeTable::parse(text).map_err(|error| syntax_error(path, text, &error))?;
    let problems = Problems::default();
    let read = read(tree.get_ref(), &problems, files, folder_name);
    problems.into_result(path, text)?;
    read.ok_or_else(|| {
        let problem = Problem {
            message: "this configuration cannot be used".to_owned(),
            span: 0..0,
            label: "no more is known".to_owned(),
            help: None,
        };
        Box::new(Malformed::new(path, text, vec![problem]))
    })
}

fn syntax_error(path: &Path, text: &str, error: &toml::de::Error) -> Box<Malformed> {
    let problem = Problem {
        message: format!("this is not TOML: {}", error.message().trim_end()),
        span: error.span().unwrap_or(0..0),
        label: "here".to_owned(),
        help: None,
    };
    Box::new(Malformed::new(path, text, vec![problem]))
}

/// Reads every section; `None` when something is wrong, which `problems` then holds.
fn read<'t>(
    tree: &'t DeTable<'t>,
    problems: &'t Problems,
    files: &[String],
    folder_name: &str,
) -> Option<Configuration> {
    let mut top = Section::top(tree, problems);
    let has_evaluator = top.has("evaluator");
    // The evaluator's and the cases' files must be known before the files that may change.
    let evaluator = measures::evaluator(&mut top, files);
    let objectives = measures::objectives(&mut top, has_evaluator, files);
    let judges = judges(evaluator.as_ref(), &objectives);
    let around = Surroundings { folder_name, files, judges: &judges };
    let target = target::target(&mut top, &around);
    let checks = measures::checks(&mut top);
    let budget = spending::budget(&mut top);
    let measured = diversity::Measured {
        objectives: objectives.iter().map(|objective| objective.name.clone()).collect(),
        reports_more: evaluator.is_some(),
    };
    let Deciding { settings, embedding, lookahead } = deciding::deciding(&mut top, &measured);
    let proposers = proposing::proposers(&mut top);
    let sandbox = spending::sandbox(&mut top);
    let collective = collective::collective(&mut top);
    if !top.has("objective") {
        top.problems().advise(
            top.span(),
            "there is no [[objective]]",
            "at least one is needed",
            "an objective says what better means, for example [[objective]] with name = \"performance\", \
             kind = \"cpu_time\" and run = [\"python\", \"bench.py\"]",
        );
    }
    top.finish();
    let warnings = embedding::warning(settings.similarity, &proposers).into_iter().collect();
    Some(Configuration {
        target: target?,
        checks,
        objectives,
        evaluator,
        budget,
        settings,
        embedding,
        lookahead,
        proposers,
        sandbox,
        collective,
        seed: None,
        warnings,
    })
}

/// Files that judge besides tests: configuration, evaluator, cases.
fn judges(evaluator: Option<&EvaluatorSection>, objectives: &[ObjectiveSection]) -> Vec<String> {
    let cases = objectives.iter().filter_map(|objective| objective.cases.clone());
    let evaluator = evaluator.map(|evaluator| evaluator.file.clone());
    std::iter::once(FILE_NAME.to_owned()).chain(evaluator).chain(cases).collect()
}
