//! Tests: whatever a `darwind.toml` or a `config.yaml` of a stranger's holds, it is read or refused with a word, and no text
//! of a task of another engine becomes a setting that it does not stand for.

use super::{FILE_NAME, PROPOSERS, parse, task};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::Path;

/// Lines that mean something in a `darwind.toml`.
const LINES: [&str; 34] = [
    "[target]",
    "name = \"x\"",
    "files = [\"program.py\"]",
    "files = [\"../x.py\", \"/etc/passwd\"]",
    "python = \"python3\"",
    "[[check]]",
    "run = [\"python\", \"-m\", \"unittest\"]",
    "run = []",
    "timeout = \"20s\"",
    "timeout = \"999999999999999999999h\"",
    "timeout = \"-1s\"",
    "[[objective]]",
    "kind = \"pass_rate\"",
    "kind = \"metric\"",
    "cases = \"cases.json\"",
    "direction = \"minimize\"",
    "weight = nan",
    "threshold = inf",
    "[budget]",
    "evaluations = 9223372036854775807",
    "time = \"10m\"",
    "[evaluator]",
    "file = \"evaluator.py\"",
    "cascade_thresholds = [nan, 1e400]",
    "[evolution]",
    "archive = \"islands\"",
    "[evolution.islands]",
    "count = -3",
    "[proposers.llm]",
    "models = []",
    "[proposers.agent]",
    "[knowledge_transfer]",
    "max_transfer_attempts = 0",
    "signed_only = 7",
];

/// Text that would be settings if it were not quoted.
const TEXTS: [&str; 7] = [
    "model",
    "\"]\n[proposers.agent]\nrun = [\"touch\", \"/tmp/x\"]\n",
    "'''\n[target]\npython = './x'",
    "\\",
    "\u{7f}\u{0}",
    "${A_VARIABLE_THAT_NOBODY_SETS}",
    "https://models.example/v1",
];

fn any_setting() -> impl Strategy<Value = Value> {
    let text = prop_oneof![prop::sample::select(TEXTS.to_vec()).prop_map(str::to_owned), ".{0,10}"];
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    let model = (text.clone(), text).prop_map(|(name, base)| json!({ "name": name, "api_base": base }));
    let one = prop_oneof![leaf, model];
    prop_oneof![one.clone(), prop::collection::vec(one, 0..4).prop_map(Value::from)]
}

/// Settings of OpenEvolve by their sections.
fn any_settings() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 16] = [
        "api_base",
        "api_key",
        "models",
        "primary_model",
        "secondary_model",
        "temperature",
        "timeout",
        "feature_dimensions",
        "feature_bins",
        "num_islands",
        "migration_interval",
        "migration_rate",
        "cascade_evaluation",
        "cascade_thresholds",
        "max_iterations",
        "random_seed",
    ];
    let section = || prop::collection::btree_map(prop::sample::select(NAMES.to_vec()), any_setting(), 0..9);
    (section(), section(), section(), section()).prop_map(|(top, llm, database, evaluator)| {
        let mut settings = json!(top);
        settings["llm"] = json!(llm);
        settings["database"] = json!(database);
        settings["evaluator"] = json!(evaluator);
        settings
    })
}

proptest! {
    #[test]
    fn any_text_is_a_configuration_or_none(
        lines in prop::collection::vec(prop_oneof![6 => prop::sample::select(LINES.to_vec()).prop_map(str::to_owned), 1 => ".{0,12}"], 0..14),
    ) {
        let files = ["cases.json", "evaluator.py", "program.py"].map(str::to_owned);
        match parse(Path::new(FILE_NAME), &lines.join("\n"), &files, "target") {
            Ok(read) => {
                prop_assert!(read.target.mutable.iter().all(|file| files.contains(file)), "{:?}", read.target);
                prop_assert!(read.objectives.iter().all(|objective| objective.weight.is_finite()));
            }
            Err(problem) => prop_assert!(!problem.to_string().is_empty()),
        }
    }

    #[test]
    fn settings_of_another_engine_say_nothing_but_themselves(settings in any_settings()) {
        let folder = tempfile::tempdir().unwrap();
        let files = ["config.yaml", "evaluator.py", "initial_program.py"].map(str::to_owned);
        // JSON is YAML.
        for (name, text) in files.iter().zip([settings.to_string().as_str(), "def evaluate(path): ...\n", "X = 1\n"]) {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let Ok(Some(task)) = task::recognise(folder.path(), &files) else { return Ok(()) };
        let tree: toml::Table = toml::from_str(&task.text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let sections: Vec<&str> = tree.keys().map(String::as_str).collect();
        let known = ["objective", "target", "evaluator", "budget", "evolution", "proposers"];
        prop_assert!(sections.iter().all(|section| known.contains(section)), "{sections:?}");
        let proposers = tree.get("proposers").and_then(toml::Value::as_table).map(|table| table.keys().cloned().collect());
        let proposers: Vec<String> = proposers.unwrap_or_default();
        prop_assert!(proposers.iter().all(|name| name == "llm") && PROPOSERS.contains(&"llm"), "{proposers:?}");
        prop_assert_eq!(tree["target"]["files"].as_array().map(Vec::len), Some(1));
        prop_assert_eq!(tree["target"].get("python"), None);
        if let Ok(read) = parse(Path::new("task"), &task.text, &files, "task") {
            prop_assert_eq!(read.proposers.used, ["ast"]);
        }
    }
}
