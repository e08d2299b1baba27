//! A task of ShinkaEvolve: `initial.*` and an `evaluate.py` that writes two JSON files. Its settings are a Python program
//! (`run_evo.py`) or a file chosen on the command line. Of the first, which is read and never run, the islands have a
//! counterpart here.

use super::populations::Populations;
use super::{Task, opening, text_of};
use std::path::Path;
use syntax::{Field, Kind, Module};

/// The evaluator's file.
pub(super) const EVALUATOR: &str = "evaluate.py";
/// The program of settings.
const SETTINGS: &str = "run_evo.py";

/// Reads the task whose initial program is `program`.
///
/// # Errors
/// When a file of it cannot be read.
pub(super) fn read(folder: &Path, files: &[String], program: &str) -> Result<Task, String> {
    let mut text = opening(program, EVALUATOR);
    text.push_str("contract = \"process\"\nkeeps_original = true\n");
    let mut notes = Vec::new();
    if files.iter().any(|file| file == SETTINGS) {
        text.push_str(&populations(&text_of(folder, SETTINGS)?).section());
    }
    let settings: Vec<&str> = files
        .iter()
        .map(String::as_str)
        .filter(|file| !file.contains('/'))
        .filter(|file| (file.starts_with("run_evo") && file.ends_with(".py")) || file.ends_with(".yaml"))
        .collect();
    if !settings.is_empty() {
        notes.push(format!(
            "of {}, nothing is used but the islands that {SETTINGS} sets: ShinkaEvolve's settings of models and \
             generations mean nothing here; --evaluations and --time, or a darwind.toml, say how long to evolve",
            settings.join(", ")
        ));
    }
    Ok(Task { file: EVALUATOR, text, seed: None, notes })
}

/// The islands that a program of settings asks for: numbers that stand behind keywords.
fn populations(source: &str) -> Populations {
    let module = Module::parse(source);
    let number = |keyword: &str| {
        let written = module.nodes_of(Kind::KeywordArgument).find_map(|argument| {
            let is_meant = argument.child(Field::Name).is_some_and(|name| name.text() == keyword);
            argument.child(Field::Value).filter(|_| is_meant)
        });
        written.and_then(|value| value.text().parse::<f64>().ok()).filter(|value| *value >= 0.0)
    };
    let whole = |keyword: &str| number(keyword).map(|value| value as u64);
    Populations {
        islands: whole("num_islands"),
        interval: whole("migration_interval"),
        rate: number("migration_rate"),
        ..Populations::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evolution::settings::{ArchivePolicy, IslandSettings};

    #[test]
    fn a_task_reads_as_a_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let settings = "db = DatabaseConfig(num_islands=2, migration_interval=10, migration_rate=0.0)\n";
        std::fs::write(folder.path().join("run_evo.py"), settings).unwrap();
        let files = ["evaluate.py", "initial.py", "run_evo.py"].map(str::to_owned);
        let task = read(folder.path(), &files, "initial.py").unwrap();
        let read = crate::config::parse(Path::new("task"), &task.text, &files, "task").unwrap();
        let evaluator = read.evaluator.unwrap();
        assert_eq!(evaluator.contract, crate::config::EvaluatorContract::Process);
        let islands =
            IslandSettings { count: 2, migration_every: 20, migrants: 0, ..IslandSettings::default() };
        assert_eq!(read.settings.archive, ArchivePolicy::Islands(islands));
        assert!(task.notes[0].contains("run_evo.py"), "{:?}", task.notes);
    }
}
