//! A task of ShinkaEvolve: `initial.*` and an `evaluate.py` that writes two JSON files. Its settings are a Python program
//! (`run_evo.py`) or a file chosen on the command line. Of the first, which is read and never run, what says how a program is
//! evaluated and the islands have a counterpart here.

mod settings;

use super::{Task, opening, program, quoted, text_of};
use settings::Settings;
use std::fmt::Write as _;
use std::path::Path;

/// The evaluator's file, where the settings name no other.
const EVALUATOR: &str = "evaluate.py";
/// The program of settings.
const SETTINGS: &str = "run_evo.py";

/// Recognises a task by its files, or by those that its settings name.
///
/// # Errors
/// When it is one and a file of it cannot be read.
pub(super) fn recognise(folder: &Path, files: &[String]) -> Result<Option<Task>, String> {
    let has = |name: &str| files.iter().any(|file| file == name);
    let settings = match has(SETTINGS).then(|| text_of(folder, SETTINGS)) {
        Some(Ok(text)) => Settings::read(&text),
        // A file of this name may be anything where nothing else looks like a task.
        Some(Err(error)) if has(EVALUATOR) => return Err(error),
        _ => Settings::default(),
    };
    let named = |file: &Option<String>| file.clone().filter(|file| has(file));
    let evaluator = named(&settings.evaluator).or_else(|| has(EVALUATOR).then(|| EVALUATOR.to_owned()));
    let program = named(&settings.program).or_else(|| program(files, "initial.").map(str::to_owned));
    let (Some(evaluator), Some(program)) = (evaluator, program) else { return Ok(None) };
    let mut text = opening(&program, &evaluator);
    text.push_str("contract = \"process\"\nkeeps_original = true\n");
    if let Some(seconds) = settings.seconds {
        let _ = writeln!(text, "timeout = \"{seconds}s\"");
    }
    if !settings.arguments.is_empty() {
        let words: Vec<String> = settings.arguments.iter().map(|word| quoted(word)).collect();
        let _ = writeln!(text, "arguments = [{}]", words.join(", "));
    }
    text.push_str(&settings.populations.section());
    let mut notes = notes(files);
    for (setting, named, used) in [
        ("eval_program_path", &settings.evaluator, &evaluator),
        ("init_program_path", &settings.program, &program),
    ] {
        if let Some(named) = named.as_ref().filter(|named| *named != used) {
            notes.push(format!("{SETTINGS} names {named} as {setting}, which is not there: {used} is used"));
        }
    }
    if !settings.unread.is_empty() {
        notes.push(format!(
            "settings of {SETTINGS} that are not used, since it is read and not run and they are not written out: {}",
            settings.unread.join(", ")
        ));
    }
    Ok(Some(Task { file: evaluator, text, seed: None, notes }))
}

/// What is said of files of settings.
fn notes(files: &[String]) -> Vec<String> {
    let settings: Vec<&str> = files
        .iter()
        .map(String::as_str)
        .filter(|file| !file.contains('/'))
        .filter(|file| (file.starts_with("run_evo") && file.ends_with(".py")) || file.ends_with(".yaml"))
        .collect();
    if settings.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "of {}, nothing is used but what {SETTINGS} says of the islands, the two programs, `time` and `extra_cmd_args`: \
         ShinkaEvolve's settings of models and generations mean nothing here; --evaluations and --time, or a darwind.toml, \
         say how long to evolve",
        settings.join(", ")
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use evolution::settings::{ArchivePolicy, IslandSettings};

    fn task(settings: &str, files: &[&str]) -> Option<Task> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("run_evo.py"), settings).unwrap();
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        recognise(folder.path(), &files).unwrap()
    }

    #[test]
    fn a_task_reads_as_a_configuration() {
        let settings = "db = DatabaseConfig(num_islands=2, migration_interval=10, migration_rate=0.0)\n";
        let files = ["evaluate.py", "initial.py", "run_evo.py"];
        let task = task(settings, &files).unwrap();
        let read =
            crate::config::parse(Path::new("task"), &task.text, &files.map(str::to_owned), "task").unwrap();
        let evaluator = read.evaluator.unwrap();
        assert_eq!(evaluator.contract, crate::config::EvaluatorContract::Process);
        assert_eq!((evaluator.timeout.as_secs(), evaluator.arguments), (300, Vec::<String>::new()));
        let islands =
            IslandSettings { count: 2, migration_every: 20, migrants: 0, ..IslandSettings::default() };
        assert_eq!(read.settings.archive, ArchivePolicy::Islands(islands));
        assert!(task.notes[0].contains("run_evo.py"), "{:?}", task.notes);
    }

    #[test]
    fn the_settings_of_a_job_are_honoured() {
        let settings = "job_config = LocalJobConfig(\n    eval_program_path='./judge.py',\n    time=\"01:02:03\",\n    \
                        extra_cmd_args={'data': 'small set', \"depth\": 3, 'share': -0.5, 'quick': True},\n)\n\
                        evo_config = EvolutionConfig(init_program_path=\"first.py\")\n";
        let files = ["first.py", "judge.py", "run_evo.py"];
        let task = task(settings, &files).unwrap();
        assert_eq!((task.file.as_str(), task.notes.len()), ("judge.py", 1), "{:?}", task.notes);
        let read =
            crate::config::parse(Path::new("task"), &task.text, &files.map(str::to_owned), "task").unwrap();
        let evaluator = read.evaluator.unwrap();
        assert_eq!((evaluator.file.as_str(), evaluator.timeout.as_secs()), ("judge.py", 3723));
        let words = ["--data", "small set", "--depth", "3", "--share", "-0.5", "--quick", "True"];
        assert_eq!(evaluator.arguments, words);
        assert_eq!(read.target.mutable, ["first.py"]);
    }

    #[test]
    fn what_is_not_written_out_or_not_there_is_named() {
        let settings = "job_config = LocalJobConfig(eval_program_path=HERE / 'evaluate.py', time=args.time,\n    \
                        extra_cmd_args={'a': 1, 'b': b})\n\
                        evo_config = EvolutionConfig(init_program_path=\"other.py\", job_type='local')\nsleep(time='00:00:09')\n";
        let files = ["evaluate.py", "initial.py", "run_evo.py"];
        let task = task(settings, &files).unwrap();
        assert!(!task.text.contains("timeout") && !task.text.contains("arguments"), "{}", task.text);
        let notes = task.notes.join("\n");
        assert!(notes.contains("names other.py as init_program_path, which is not there"), "{notes}");
        assert!(notes.ends_with(": eval_program_path, time, extra_cmd_args"), "{notes}");
        assert_eq!(super::recognise(Path::new("/"), &["initial.py".to_owned()]), Ok(None));
    }
}
