//! `darwind init`: looks at a Python project and writes the darwind.toml that it would write itself, with what it found
//! and why as comments. `look` finds, this writes; an existing file is never touched.

mod look;

use crate::cli::InitFlags;
use crate::config::{self, FILE_NAME};
use crate::failure::{Exit, Failure};
use crate::terminal::{Colour, Terminal};
use look::{Found, Judge, Project, Runner};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// What `init` answers.
#[derive(Debug, Serialize)]
struct Answer {
    /// The file that was written.
    path: String,
    name: String,
    /// Files that may change.
    files: Vec<String>,
    detected: Vec<Found>,
    /// Objectives by name.
    objectives: Vec<String>,
    /// Checks by name.
    checks: Vec<String>,
}

/// `darwind init`.
pub(crate) fn init(flags: &InitFlags, terminal: Terminal) -> Result<Exit, Failure> {
    let folder = &flags.path;
    if !folder.is_dir() {
        return Err(Failure::usage(
            format!("{} is not a folder", folder.display()),
            "name the folder of a Python project",
        ));
    }
    let path = folder.join(FILE_NAME);
    if path.exists() {
        return Err(exists(&path));
    }
    let files = config::files::walk(folder)
        .map_err(|reason| Failure::usage(reason, "name the folder of one project, not of many"))?;
    let project = look::look(folder, files)?;
    let text = configuration_text(&project);
    // What is written must be readable: the same reading as before a run.
    let read = config::parse(&path, &text, &project.files, &project.name)
        .map_err(|malformed| Failure::new(Exit::WorkFailed, *malformed))?;
    write_new(&path, &text)?;
    let answer = Answer {
        path: path.display().to_string(),
        name: project.name.clone(),
        files: read.target.mutable,
        detected: project.found,
        objectives: read.objectives.into_iter().map(|objective| objective.name).collect(),
        checks: read.checks.into_iter().map(|check| check.name).collect(),
    };
    if terminal.wants_json() {
        terminal.json(&answer)?;
        return Ok(Exit::Done);
    }
    terminal.line(&terminal.paint(&format!("wrote {}", answer.path), Colour::Bold))?;
    for found in &answer.detected {
        terminal.line(&format!("  {:<10} {}: {}", found.what, found.place, found.why))?;
    }
    let shown = folder.display();
    terminal.line(&format!("Next: darwind check {shown}, then darwind run {shown}"))?;
    Ok(Exit::Done)
}

fn exists(path: &Path) -> Failure {
    Failure::usage(
        format!("{} is there already, and init never overwrites", path.display()),
        "move it away to have another written, or go on with `darwind check`",
    )
}

/// Writes a file that must not exist yet.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let created = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let written = created.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(path),
        _ => Failure::caused(format!("cannot write {}", path.display()), error),
    })
}

/// A value as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    if quoted.len() <= 4 {
        return format!("[{}]", quoted.join(", "));
    }
    let lines: Vec<String> = quoted.iter().map(|word| format!("  {word},\n")).collect();
    format!("[\n{}]", lines.concat())
}

fn command(words: &[&str]) -> String {
    list(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
}

/// The file's text.
fn configuration_text(project: &Project) -> String {
    let mut text = String::from(
        "# What darwind found in this folder, and what it would evolve. Change what is wrong.\n",
    );
    for found in &project.found {
        // A path could hold a line break; a comment must not end there.
        let place = found.place.replace(['\n', '\r'], " ");
        let _ = writeln!(text, "#   {}: {place} ({})", found.what, found.why);
    }
    let _ = write!(text, "\n[target]\nname = {}\n", quoted(&project.name));
    let _ = writeln!(
        text,
        "# What may change. Everything else is read-only for a candidate; \"!path\" takes files out."
    );
    let _ = writeln!(text, "files = {}", list(&project.mutable));
    text.push_str(&judges_text(project));
    text.push_str(BUDGET);
    text
}

/// End of the file: the limits, with the defaults to be seen.
const BUDGET: &str = "
# The first one spent stops the run.
[budget]
evaluations = 500
time = \"10m\"

[proposers.ast]

# What one evaluation may use. Below the isolation level that is required, nothing is run.
[sandbox]
require = \"L1\"
memory = \"1GiB\"
";

fn judges_text(project: &Project) -> String {
    let has = |wanted: fn(&Judge) -> bool| project.judges.iter().any(wanted);
    let has_number = has(|judge| !matches!(judge, Judge::Tests(_)));
    let mut text = String::new();
    for judge in &project.judges {
        match judge {
            Judge::Tests(runner) if has_number => text.push_str(&tests_check(runner)),
            Judge::Tests(runner) => text.push_str(&tests_objectives(runner)),
            Judge::Cases(file) => {
                let _ = write!(
                    text,
                    "\n# Share of the input/output cases that pass.\n[[objective]]\nname = \"accuracy\"\n\
                     kind = \"pass_rate\"\ncases = {}\ndirection = \"maximize\"\nweight = 1.0\n",
                    quoted(file)
                );
            }
            Judge::Bench(file) => {
                let _ = write!(
                    text,
                    "\n# CPU seconds of the benchmark, compared with the parent in interleaved pairs.\n[[objective]]\n\
                     name = \"performance\"\nkind = \"cpu_time\"\nrun = {}\ndirection = \"minimize\"\nweight = 1.0\n",
                    command(&["python", file])
                );
            }
            Judge::Evaluator { file, metrics } => text.push_str(&evaluator_text(file, metrics)),
        }
    }
    if !has(|judge| matches!(judge, Judge::Tests(_) | Judge::Cases(_) | Judge::Evaluator { .. })) {
        text.push_str(
            "\n# No tests were found: only the benchmark's own output tells a right program from a wrong one. Add a \
             [[check]] as soon as there is one.\n",
        );
    }
    text
}

fn tests_check(runner: &Runner) -> String {
    format!(
        "\n# A candidate that fails its tests is rejected.\n[[check]]\nname = \"tests\"\nrun = {}\ntimeout = \"60s\"\n",
        list(&runner.command)
    )
}

/// With nothing but tests: make them pass, and then make the program simpler.
fn tests_objectives(runner: &Runner) -> String {
    format!(
        "\n# Share of the tests that pass; below the threshold a candidate is not viable.\n[[objective]]\n\
         name = \"correctness\"\nkind = \"pass_rate\"\nrun = {}\ndirection = \"maximize\"\nweight = 1.0\n\
         threshold = 1.0\ntimeout = \"60s\"\n\
         \n# No benchmark was found, so that simpler code is the second aim. With a script that does typical work, write\n\
         # kind = \"cpu_time\" and run = [\"python\", \"bench.py\"] instead.\n[[objective]]\nname = \"simplicity\"\n\
         kind = \"complexity\"\ndirection = \"minimize\"\nweight = 0.3\n",
        list(&runner.command)
    )
}

fn evaluator_text(file: &str, metrics: &[String]) -> String {
    let mut text = format!(
        "\n# A Python function evaluate(program_path) that reports numbers.\n[evaluator]\nfile = {}\n",
        quoted(file)
    );
    for metric in metrics {
        let _ = write!(
            text,
            "\n[[objective]]\nname = {0}\nkind = \"metric\"\nmetric = {0}\ndirection = \"maximize\"\nweight = 1.0\n",
            quoted(metric)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_for(files: &[(&str, &str)]) -> Result<String, Failure> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let found = config::files::walk(folder.path()).unwrap();
        let project = look::look(folder.path(), found.clone())?;
        let text = configuration_text(&project);
        config::parse(Path::new(FILE_NAME), &text, &found, &project.name).unwrap();
        Ok(text)
    }

    #[test]
    fn a_bench_and_tests_become_an_objective_and_a_check() {
        let text = text_for(&[
            ("wc.py", "def count(): pass"),
            ("bench.py", "import wc"),
            ("test_wc.py", "import unittest\nclass T(unittest.TestCase): pass"),
        ])
        .unwrap();
        assert!(text.contains("files = [\"wc.py\"]"), "{text}");
        assert!(
            text.contains("[[check]]") && text.contains("\"unittest\"") && text.contains("cpu_time"),
            "{text}"
        );
    }

    #[test]
    fn tests_alone_become_a_pass_rate() {
        let text =
            text_for(&[("src/a.py", ""), ("tests/test_a.py", "import pytest\ndef test_a(): pass")]).unwrap();
        assert!(
            text.contains("pass_rate") && text.contains("\"pytest\"") && text.contains("complexity"),
            "{text}"
        );
    }

    #[test]
    fn an_evaluator_becomes_metrics() {
        let text = text_for(&[
            ("initial_program.py", "# EVOLVE-BLOCK-START\n# EVOLVE-BLOCK-END\n"),
            ("helper.py", ""),
            ("evaluator.py", "def evaluate(p):\n    return {\"combined_score\": 1.0, \"speed\": 2}\n"),
        ])
        .unwrap();
        assert!(text.contains("metric = \"combined_score\"") && !text.contains("\"speed\""), "{text}");
        assert!(text.contains("files = [\"initial_program.py\"]"), "{text}");
    }

    #[test]
    fn odd_names_survive() {
        let text = text_for(&[("a \"b\".py", ""), ("cases.json", "[]")]).unwrap();
        assert!(text.contains("a \"b\".py"), "{text}");
    }

    #[test]
    fn nothing_to_measure_is_an_error() {
        assert_eq!(text_for(&[("a.py", "")]).unwrap_err().exit(), Exit::WorkFailed);
        assert_eq!(text_for(&[("a.txt", "")]).unwrap_err().exit(), Exit::Usage);
    }
}
