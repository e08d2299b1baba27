//! Tasks of other engines, run unchanged: an OpenEvolve task (`initial_program.py`, `evaluator.py`, optional
//! `config.yaml`) becomes the darwind.toml that it would have. Files are read as text, nothing is run.

use std::fmt::Write as _;
use std::path::Path;

/// Bytes of a file that are looked at.
const MAX_LOOK_BYTES: usize = 256 * 1024;
/// Metrics of an evaluator that become objectives when it reports no combined score.
const MAX_METRICS: usize = 3;
/// Keys of an evaluator's dictionaries that are no numbers.
const NOT_NUMBERS: [&str; 8] =
    ["error", "message", "name", "artifacts", "stderr", "stdout", "traceback", "feedback"];

/// A task that was recognised.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Its configuration as TOML.
    OpenEvolve(String),
    /// It is one, and cannot be taken over.
    Unusable(&'static str),
}

/// Recognises a task by its files.
pub(crate) fn recognise(folder: &Path, files: &[String]) -> Option<Task> {
    let has = |name: &str| files.iter().any(|file| file == name);
    if has("evaluator.py") && has("initial_program.py") {
        let evaluator = read(folder, "evaluator.py");
        return Some(Task::OpenEvolve(open_evolve(&evaluator, &read(folder, "config.yaml"))));
    }
    if has("evaluator.py") && files.iter().any(|file| file.starts_with("initial_program.")) {
        return Some(Task::Unusable(
            "its initial program is not Python, which is all that this build evolves",
        ));
    }
    if has("evaluate.py") && has("initial.py") {
        return Some(Task::Unusable(
            "it is a ShinkaEvolve task, whose evaluate.py this build cannot drive; write a darwind.toml for it",
        ));
    }
    None
}

fn read(folder: &Path, name: &str) -> String {
    let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
    String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_LOOK_BYTES)]).into_owned()
}

fn open_evolve(evaluator: &str, settings: &str) -> String {
    let mut text =
        String::from("[target]\nfiles = [\"initial_program.py\"]\n\n[evaluator]\nfile = \"evaluator.py\"\n");
    if let Some(seconds) = setting(settings, "timeout").filter(|seconds| (1..86_400).contains(seconds)) {
        let _ = writeln!(text, "timeout = \"{seconds}s\"");
    }
    for metric in metrics(evaluator) {
        let _ = write!(
            text,
            "\n[[objective]]\nname = \"{metric}\"\nkind = \"metric\"\nmetric = \"{metric}\"\ndirection = \"maximize\"\n"
        );
    }
    if let Some(iterations) = setting(settings, "max_iterations") {
        let _ = write!(text, "\n[budget]\nevaluations = {}\n", iterations.min(1_000_000));
    }
    text
}

/// A whole number of a YAML file by its key, at whatever depth: enough for the two settings that are taken over.
fn setting(yaml: &str, key: &str) -> Option<u64> {
    let lines = yaml.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.trim() == key)?.1.trim().parse().ok()
}

/// Names that an evaluator seems to report: the keys of dictionaries in its text. `combined_score` stands for all of
/// them where it is reported, as in OpenEvolve.
pub(crate) fn metrics(evaluator: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for piece in evaluator.split(['"', '\'']).collect::<Vec<_>>().windows(2) {
        let [name, after] = piece else { continue };
        let word = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let key = after.trim_start().starts_with(':') && !after.trim_start().starts_with(":=");
        if word && key && !NOT_NUMBERS.contains(name) && !names.iter().any(|known| known == name) {
            names.push((*name).to_owned());
        }
    }
    if names.iter().any(|name| name == "combined_score") {
        return vec!["combined_score".to_owned()];
    }
    names.truncate(MAX_METRICS);
    if names.is_empty() { vec!["score".to_owned()] } else { names }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_the_keys_of_dictionaries() {
        assert_eq!(metrics("return {'speed': 1, \"size\": 2, 'error': str(e)}"), ["speed", "size"]);
        assert_eq!(metrics("return {\"combined_score\": 1, \"x\": 2}"), ["combined_score"]);
        assert_eq!(metrics("return 1"), ["score"]);
    }

    #[test]
    fn settings_are_found_at_any_depth() {
        let yaml = "max_iterations: 40 # few\nllm:\n  model: x\nevaluator:\n  timeout: 30\n";
        assert_eq!((setting(yaml, "max_iterations"), setting(yaml, "timeout")), (Some(40), Some(30)));
        assert_eq!(setting(yaml, "model"), None);
    }

    #[test]
    fn a_task_reads_as_a_configuration() {
        let files = ["evaluator.py", "initial_program.py"].map(str::to_owned);
        let text = open_evolve("return {'combined_score': 1}", "max_iterations: 40\n");
        let read = crate::config::parse(Path::new("task"), &text, &files, "task").unwrap();
        assert_eq!(read.target.mutable, ["initial_program.py"]);
        assert_eq!((read.objectives.len(), read.budget.evaluations), (1, Some(40)));
    }
}
