//! Tasks of other engines, run unchanged: a task of OpenEvolve or ShinkaEvolve becomes the darwind.toml that it would
//! have, and notes for its user: what it says that means nothing here, and what was put in place of what is missing.
//! Files are read as text, nothing is run. What its evaluator may return is `sandbox`'s to know.

mod open_evolve;
mod populations;
mod shinka;

use std::path::Path;

/// Largest file of a task that is read as text, in bytes.
const MAX_TEXT_BYTES: u64 = 1 << 20;

/// A task as the configuration that it would have.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Task {
    /// The file that the configuration stands in for.
    pub(crate) file: String,
    /// The configuration, as TOML.
    pub(crate) text: String,
    /// The seed that it asks for.
    pub(crate) seed: Option<u64>,
    /// What its user should know.
    pub(crate) notes: Vec<String>,
}

/// Recognises a task by its files, of which `files` are the paths below `folder`.
///
/// # Errors
/// When it is one and its settings cannot be read.
pub(crate) fn recognise(folder: &Path, files: &[String]) -> Result<Option<Task>, String> {
    let has = |name: &str| files.iter().any(|file| file == name);
    if let (true, Some(program)) = (has(open_evolve::EVALUATOR), program(files, "initial_program.")) {
        return open_evolve::read(folder, files, program).map(Some);
    }
    shinka::recognise(folder, files)
}

/// The initial program: in Python if there are several.
fn program<'f>(files: &'f [String], start: &str) -> Option<&'f str> {
    let mut programs =
        files.iter().map(String::as_str).filter(|file| file.starts_with(start) && !file.contains('/'));
    let first = programs.clone().next();
    programs.find(|file| file.ends_with(".py")).or(first)
}

fn text_of(folder: &Path, name: &str) -> Result<String, String> {
    let path = folder.join(name);
    let bytes = std::fs::metadata(&path).map_or(0, |facts| facts.len());
    if bytes > MAX_TEXT_BYTES {
        return Err(format!("{} has {bytes} bytes, more than {MAX_TEXT_BYTES}", path.display()));
    }
    std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// A text as TOML writes it. What JSON writes is understood by TOML too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The part of a configuration that all tasks have: one program, one evaluator, one number to raise.
fn opening(program: &str, evaluator: &str) -> String {
    format!(
        "[[objective]]\nname = \"combined_score\"\nkind = \"metric\"\ndirection = \"maximize\"\n\n\
         [target]\nfiles = [{}]\n\n[evaluator]\nfile = {}\n",
        quoted(program),
        quoted(evaluator)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_in_python_is_preferred() {
        let files = ["initial_program.c", "initial_program.py", "sub/initial_program.py"].map(str::to_owned);
        assert_eq!(program(&files, "initial_program."), Some("initial_program.py"));
        assert_eq!(program(&files[..1], "initial_program."), Some("initial_program.c"));
        assert_eq!(program(&files[2..], "initial_program."), None);
    }

    #[test]
    fn the_opening_is_a_configuration() {
        let files = ["evaluator.py", "initial_program.py"].map(str::to_owned);
        let text = opening("initial_program.py", "evaluator.py");
        let read = crate::config::parse(Path::new("task"), &text, &files, "task").unwrap();
        assert_eq!(read.target.mutable, ["initial_program.py"]);
        assert_eq!(read.objectives.len(), 1);
    }
}
