//! A task of OpenEvolve: `initial_program.*`, `evaluator.py` and an optional `config.yaml`, by the rules of OpenEvolve
//! 0.4. Of the settings, those of the evaluator, the budget, the seed, the islands, the features and the models have
//! a counterpart here; all others that a file holds are named to the user.

mod embedding;

use super::populations::Populations;
use super::{Task, opening, quoted, text_of};
use evolution::settings::{COMPLEXITY, DIVERSITY};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

/// The evaluator's file.
pub(super) const EVALUATOR: &str = "evaluator.py";
/// Names of the file of settings.
const SETTINGS: [&str; 2] = ["config.yaml", "config.yml"];
/// Seconds that an evaluation, or one stage of it, may take (`evaluator.timeout`).
const TIMEOUT_S: u64 = 300;
/// Most seconds that are taken over: a day.
const MAX_TIMEOUT_S: u64 = 86_400;
/// Most evaluations that are taken over from `max_iterations`.
const MAX_EVALUATIONS: u64 = 1_000_000;
/// The endpoint of `llm.api_base`, and the variable of its key.
const API_BASE: &str = "https://api.openai.com/v1";
const KEY_VARIABLE: &str = "OPENAI_API_KEY";
/// Settings that a warning names, at most.
const MAX_NAMED: usize = 60;

/// The settings of a task, and which of them were used.
struct Settings {
    tree: Value,
    used: BTreeSet<String>,
}

impl Settings {
    fn read(folder: &Path, files: &[String]) -> Result<Self, String> {
        let mut tree = Value::Null;
        if let Some(name) = SETTINGS.into_iter().find(|name| files.iter().any(|file| file == name)) {
            let text = text_of(folder, name)?;
            tree = serde_saphyr::from_str(&text)
                .map_err(|error| format!("{} is not YAML: {error}", folder.join(name).display()))?;
        }
        Ok(Self { tree, used: BTreeSet::new() })
    }

    /// A setting by its path, such as `evaluator.timeout`, which counts as used from now on.
    fn get(&mut self, path: &str) -> Option<Value> {
        let found = path.split('.').try_fold(&self.tree, |tree, key| tree.get(key))?;
        self.used.insert(path.to_owned());
        Some(found.clone()).filter(|value| !value.is_null())
    }

    fn text(&mut self, path: &str) -> Option<String> {
        self.get(path)?.as_str().map(str::to_owned)
    }

    fn whole(&mut self, path: &str) -> Option<u64> {
        self.get(path)?.as_u64()
    }

    fn real(&mut self, path: &str) -> Option<f64> {
        self.get(path)?.as_f64()
    }

    /// Settings that were given and not used, as paths.
    fn unused(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.collect(&self.tree, "", &mut found);
        found
    }

    fn collect(&self, tree: &Value, path: &str, found: &mut Vec<String>) {
        match tree {
            _ if self.used.contains(path) => {}
            Value::Object(items) => {
                for (key, value) in items {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    self.collect(value, &path, found);
                }
            }
            Value::Null => {}
            _ => found.push(path.to_owned()),
        }
    }
}

/// Reads the task whose initial program is `program`.
///
/// # Errors
/// When a file of it cannot be read.
pub(super) fn read(folder: &Path, files: &[String], program: &str) -> Result<Task, String> {
    let evaluator = text_of(folder, EVALUATOR)?;
    let mut settings = Settings::read(folder, files)?;
    let mut notes = Vec::new();
    let mut text = opening(program, EVALUATOR);
    text.push_str(&evaluation(&mut settings, &evaluator));
    if let Some(iterations) = settings.whole("max_iterations") {
        let _ = write!(text, "\n[budget]\nevaluations = {}\n", iterations.clamp(1, MAX_EVALUATIONS));
    }
    text.push_str(&populations(&mut settings).section());
    let (model, is_asked) = model(&mut settings, &mut notes);
    text.push_str(&embedding::section(&mut settings, is_asked, &mut notes));
    text.push_str(&model);
    let seed = settings.whole("random_seed");
    let unused = settings.unused();
    if !unused.is_empty() {
        let more = match unused.len().saturating_sub(MAX_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named: Vec<&str> = unused.iter().take(MAX_NAMED).map(String::as_str).collect();
        notes.push(format!("settings of config.yaml that mean nothing here: {}{more}", named.join(", ")));
    }
    Ok(Task { file: EVALUATOR.to_owned(), text, seed, notes })
}

/// The rest of `[evaluator]`.
fn evaluation(settings: &mut Settings, evaluator: &str) -> String {
    let cascade =
        settings.get("evaluator.cascade_evaluation").is_none_or(|value| value != Value::Bool(false));
    let stages = ["evaluate_stage1", "evaluate_stage2", "evaluate_stage3"]
        .iter()
        .filter(|stage| cascade && evaluator.contains(&format!("def {stage}")))
        .count();
    // Each stage has the whole time there.
    let stage = settings.real("evaluator.timeout").map_or(TIMEOUT_S, |seconds| seconds.ceil() as u64);
    let stage = stage.clamp(1, MAX_TIMEOUT_S);
    let seconds = stage.saturating_mul(stages.max(1) as u64).min(MAX_TIMEOUT_S);
    let mut text = format!("keeps_original = true\ntimeout = \"{seconds}s\"\ncascade = {cascade}\n");
    if stages > 0 {
        let _ = writeln!(text, "stage_timeout = \"{stage}s\"");
    }
    if let Some(Value::Array(thresholds)) = settings.get("evaluator.cascade_thresholds") {
        let numbers: Vec<String> =
            thresholds.iter().filter_map(Value::as_f64).map(|number| format!("{number:?}")).collect();
        let _ = writeln!(text, "cascade_thresholds = [{}]", numbers.join(", "));
    }
    // What spans the grid is left out of the mean that stands for a score, whether it was named or is there by default.
    let named = settings.get("database.feature_dimensions");
    let names: Vec<String> = match &named {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(quoted).collect(),
        _ => [COMPLEXITY, DIVERSITY].into_iter().map(quoted).collect(),
    };
    let _ = writeln!(text, "features = [{}]", names.join(", "));
    text
}

/// Islands and features, for `[evolution]`.
fn populations(settings: &mut Settings) -> Populations {
    let features = match settings.get("database.feature_dimensions") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    // Bins may differ from feature to feature there; the finest are taken for all.
    let bins = match settings.get("database.feature_bins") {
        Some(Value::Object(bins)) => bins.values().filter_map(Value::as_u64).max(),
        bins => bins.as_ref().and_then(Value::as_u64),
    };
    Populations {
        islands: settings.whole("database.num_islands"),
        interval: settings.whole("database.migration_interval"),
        rate: settings.real("database.migration_rate"),
        features,
        bins,
    }
}

/// A model of `llm.models`, with an endpoint and a key of its own or those of `llm`.
struct Listed {
    name: String,
    base: Option<String>,
    key: Option<String>,
    weighed: bool,
}

impl Listed {
    fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let weighed = value.get("weight").is_some();
        Some(Self { name: text("name")?, base: text("api_base"), key: text("api_key"), weighed })
    }
}

/// The models that are asked, and where: there is one endpoint here, that of `llm` or else of the first model. A model that
/// lives elsewhere is left out, since its questions and the key would go to a stranger.
fn reached(settings: &mut Settings, notes: &mut Vec<String>) -> (Vec<String>, String, Option<String>) {
    let named = ["llm.primary_model", "llm.secondary_model"];
    let mut models: Vec<String> = named.iter().filter_map(|path| settings.text(path)).collect();
    let listed: Vec<Listed> = match settings.get("llm.models") {
        Some(Value::Array(listed)) => listed.iter().filter_map(Listed::read).collect(),
        _ => Vec::new(),
    };
    let first = listed.first().filter(|_| models.is_empty());
    let own = |of: fn(&Listed) -> &Option<String>| first.and_then(|model| of(model).clone());
    let endpoint = own(|model| &model.base).or_else(|| settings.text("llm.api_base"));
    let key = own(|model| &model.key).or_else(|| settings.text("llm.api_key"));
    // What is named beside a model of its own counts as read.
    let common = settings.text("llm.api_base").or_else(|| endpoint.clone());
    settings.get("llm.api_key");
    let endpoint = endpoint.unwrap_or_else(|| API_BASE.to_owned());
    if listed.iter().any(|model| model.weighed) {
        notes.push("the weights of llm.models are not used: which model pays is learnt".to_owned());
    }
    let (here, elsewhere): (Vec<Listed>, Vec<Listed>) = listed
        .into_iter()
        .partition(|model| model.base.as_ref().or(common.as_ref()).is_none_or(|base| *base == endpoint));
    if !elsewhere.is_empty() {
        let names: Vec<&str> = elsewhere.iter().map(|model| model.name.as_str()).collect();
        notes.push(format!("models of other endpoints than {endpoint} are left out: {}", names.join(", ")));
    }
    models.extend(here.into_iter().map(|model| model.name));
    models.dedup();
    (models, endpoint, key)
}

/// `[proposers]`: the model where there is one to be reached, else `ast` with a note; and which of the two it is.
fn model(settings: &mut Settings, notes: &mut Vec<String>) -> (String, bool) {
    let (models, endpoint, key) = reached(settings, notes);
    let temperature = settings.real("llm.temperature").filter(|value| (0.0..=2.0).contains(value));
    let timeout = settings.whole("llm.timeout").filter(|seconds| (1..=MAX_TIMEOUT_S).contains(seconds));
    if models.is_empty() {
        return (String::new(), false);
    }
    let variable = key.as_deref().and_then(|key| key.strip_prefix("${")?.strip_suffix('}'));
    if key.is_some() && variable.is_none() {
        notes.push(format!(
            "the key in config.yaml is not used: keys are read from the environment, here from {KEY_VARIABLE}"
        ));
    }
    let variable = variable.unwrap_or(KEY_VARIABLE);
    let has_key = std::env::var_os(variable).is_some_and(|key| !key.is_empty());
    let missing = (!has_key).then(|| format!("there is no key in the environment variable {variable}"));
    if let Some(missing) = &missing {
        notes.push(format!(
            "the model of config.yaml ({}) is not used, since {missing}: the proposer is `ast`, which needs no model",
            models.join(", ")
        ));
    }
    let names: Vec<String> = models.iter().map(|name| quoted(name)).collect();
    let mut text = format!(
        "\n[proposers.llm]\nenabled = {}\nfallback = \"ast\"\nendpoint = {}\nmodels = [{}]\nkey_env = {}\n",
        missing.is_none(),
        quoted(&endpoint),
        names.join(", "),
        quoted(variable)
    );
    if let Some(temperature) = temperature {
        let _ = writeln!(text, "temperature = {temperature:?}");
    }
    if let Some(seconds) = timeout {
        let _ = writeln!(text, "timeout = \"{seconds}s\"");
    }
    (text, missing.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use evolution::settings::{ArchivePolicy, GridSettings, IslandSettings};

    const SETTINGS: &str = "
max_iterations: 40
random_seed: 7
llm: {primary_model: some-model, api_base: 'https://models.example/v1', api_key: '${TASK_KEY_THAT_NOBODY_SETS}', top_p: 0.9}
database:
  feature_dimensions: [complexity, depth]
  feature_bins: {complexity: 5, depth: 8}
  num_islands: 3
  migration_interval: 20
  population_size: 50
evaluator: {timeout: 30, cascade_thresholds: [0.5, 1]}
";

    #[test]
    fn a_task_reads_as_a_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["config.yaml", "evaluator.py", "initial_program.py"].map(str::to_owned);
        let evaluator = "def evaluate_stage1(path): ...\ndef evaluate_stage2(path): ...\n";
        for (name, text) in files.iter().zip([SETTINGS, evaluator, "X = 1\n"]) {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let task = read(folder.path(), &files, "initial_program.py").unwrap();
        let read = crate::config::parse(Path::new("task"), &task.text, &files, "task").unwrap();
        let evaluator = read.evaluator.unwrap();
        assert_eq!((evaluator.timeout.as_secs(), evaluator.cascade), (60, true));
        assert_eq!(evaluator.stage_timeout.map(|limit| limit.as_secs()), Some(30));
        assert_eq!(
            (evaluator.cascade_thresholds, evaluator.features),
            (vec![0.5, 1.0], vec!["complexity".to_owned(), "depth".to_owned()])
        );
        let grid = GridSettings { features: vec!["complexity".to_owned(), "depth".to_owned()], bins: 8 };
        let default = IslandSettings::default();
        let islands = IslandSettings { count: 3, migration_every: 60, grid: Some(grid), ..default };
        assert_eq!(read.settings.archive, ArchivePolicy::Islands(islands));
        assert_eq!((read.budget.evaluations, task.seed), (Some(40), Some(7)));
        assert_eq!(read.proposers.used, ["ast"]);
        assert_eq!(read.proposers.llm.unwrap().models, ["some-model"]);
        let notes = task.notes.join("\n");
        assert!(notes.contains("database.population_size, llm.top_p"), "{notes}");
    }

    #[test]
    fn models_are_asked_where_they_live() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["config.yaml", "evaluator.py", "initial_program.py"].map(str::to_owned);
        let list = "llm:\n  models:\n    - {name: a, api_base: 'https://a.example/v1', api_key: '${KEY_OF_A}', weight: 0.8}\n    - {name: b, api_base: 'https://b.example/v1'}\n    - {name: c}\n";
        std::fs::write(folder.path().join("evaluator.py"), "").unwrap();
        std::fs::write(folder.path().join("initial_program.py"), "X = 1\n").unwrap();
        for (more, models, endpoint, left_out) in [
            ("", vec!["a", "c"], "https://a.example/v1", "https://a.example/v1 are left out: b"),
            ("  api_base: 'https://b.example/v1'\n", vec!["a"], "https://a.example/v1", "are left out: b, c"),
            (
                "  primary_model: p\n  api_base: 'https://b.example/v1'\n",
                vec!["p", "b", "c"],
                "https://b.example/v1",
                "are left out: a",
            ),
        ] {
            std::fs::write(folder.path().join("config.yaml"), format!("{list}{more}")).unwrap();
            let task = read(folder.path(), &files, "initial_program.py").unwrap();
            let read = crate::config::parse(Path::new("task"), &task.text, &files, "task").unwrap();
            let llm = read.proposers.llm.unwrap();
            assert_eq!(
                (llm.models, llm.endpoint.as_deref()),
                (models.into_iter().map(str::to_owned).collect(), Some(endpoint))
            );
            let notes = task.notes.join("\n");
            assert!(notes.contains(left_out) && notes.contains("weights"), "{notes}");
        }
    }

    #[test]
    fn what_is_no_yaml_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.yaml"), "a: [").unwrap();
        std::fs::write(folder.path().join("evaluator.py"), "").unwrap();
        let files = ["config.yaml", "evaluator.py"].map(str::to_owned);
        assert!(read(folder.path(), &files, "initial_program.py").unwrap_err().contains("is not YAML"));
    }
}
