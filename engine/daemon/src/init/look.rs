//! Finds the parts of a Python project by the customs of the language: sources, tests, benchmarks, cases, evaluators.
//! Reads files, runs nothing.

use crate::config::files::is_test;
use crate::failure::Failure;
use serde::Serialize;
use std::path::Path;

/// Bytes of a file that are looked at.
const MAX_LOOK_BYTES: usize = 256 * 1024;
/// Test files that are looked into to tell unittest from pytest.
const MAX_TESTS_READ: usize = 50;
/// Source files that are looked into for marked blocks.
const MAX_SOURCES_READ: usize = 500;
/// Sources that are listed one by one; more become a glob.
const MAX_SOURCES_LISTED: usize = 12;
/// Metrics of an evaluator that become objectives when it reports no combined score.
const MAX_METRICS: usize = 3;
/// Keys of an evaluator's dictionaries that are no numbers.
const NOT_NUMBERS: [&str; 8] =
    ["error", "message", "name", "artifacts", "stderr", "stdout", "traceback", "feedback"];
/// Folders whose Python is not the program.
const SIDE_FOLDERS: [&str; 9] =
    ["docs", "doc", "examples", "example", "scripts", "tools", "benchmarks", "bench", "build"];

/// One thing that was found, and why it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Found {
    pub(super) what: &'static str,
    pub(super) place: String,
    pub(super) why: String,
}

/// How tests are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Runner {
    pub(super) command: Vec<String>,
    why: String,
}

/// Something that says how good a candidate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judge {
    /// Tests.
    Tests(Runner),
    /// A file of input/output cases.
    Cases(String),
    /// A script that does typical work.
    Bench(String),
    /// A file with `evaluate`.
    Evaluator {
        /// The file.
        file: String,
        /// Numbers that it reports.
        metrics: Vec<String>,
    },
}

/// What a folder holds.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) name: String,
    /// Every file below the folder.
    pub(super) files: Vec<String>,
    /// Patterns of files that may change.
    pub(super) mutable: Vec<String>,
    pub(super) judges: Vec<Judge>,
    pub(super) found: Vec<Found>,
}

/// Looks at a folder with these files.
pub(super) fn look(folder: &Path, files: Vec<String>) -> Result<Project, Failure> {
    let name = std::fs::canonicalize(folder)
        .ok()
        .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "target".to_owned());
    let mut found = Vec::new();
    let evaluator = evaluator(folder, &files, &mut found);
    let bench = bench(&files, &mut found);
    let cases = cases(&files, &mut found);
    let tests = tests(folder, &files, &mut found);
    let judges: Vec<Judge> = [tests, cases, bench.clone(), evaluator].into_iter().flatten().collect();
    let (mutable, source) = sources(folder, &files, &judges).ok_or_else(|| {
        Failure::usage(
            format!("there is no Python program in {}", folder.display()),
            "name the folder of a project with at least one .py file that is no test",
        )
    })?;
    found.insert(0, source);
    if judges.is_empty() {
        return Err(Failure::work_with_help(
            format!("nothing in {} says what better means", folder.display()),
            "add tests (test_*.py), a script bench.py that does typical work, input/output cases in cases.json, or an \
             evaluator.py with evaluate(program_path); then ask again",
        ));
    }
    Ok(Project { name, files, mutable, judges, found })
}

fn read(folder: &Path, path: &str) -> String {
    let bytes = std::fs::read(folder.join(path)).unwrap_or_default();
    String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_LOOK_BYTES)]).into_owned()
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn depth(path: &str) -> usize {
    path.matches('/').count()
}

/// The first of `files` that fits, those at the top before those below.
fn shallowest(files: &[String], fits: impl Fn(&str) -> bool) -> Option<&String> {
    files.iter().filter(|path| fits(path)).min_by_key(|path| depth(path))
}

fn evaluator(folder: &Path, files: &[String], found: &mut Vec<Found>) -> Option<Judge> {
    let file = shallowest(files, |path| name_of(path) == "evaluator.py")?;
    let text = read(folder, file);
    if !text.contains("def evaluate(") {
        return None;
    }
    let metrics = metrics(&text);
    found.push(Found {
        what: "evaluator",
        place: file.clone(),
        why: format!("it defines evaluate() and seems to report {}", metrics.join(", ")),
    });
    Some(Judge::Evaluator { file: file.clone(), metrics })
}

/// Names that an evaluator seems to report: the keys of dictionaries in its text. `combined_score` stands for all of
/// them where it is reported, as in OpenEvolve.
fn metrics(evaluator: &str) -> Vec<String> {
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

fn is_bench(path: &str) -> bool {
    let name = name_of(path);
    let stem = name.strip_suffix(".py").unwrap_or("");
    stem.starts_with("bench") || stem.ends_with("_bench") || stem.ends_with("_benchmark") || stem == "perf"
}

fn bench(files: &[String], found: &mut Vec<Found>) -> Option<Judge> {
    let file = shallowest(files, is_bench)?;
    found.push(Found {
        what: "benchmark",
        place: file.clone(),
        why: "by its name it does typical work, so its CPU time is worth less".to_owned(),
    });
    Some(Judge::Bench(file.clone()))
}

fn cases(files: &[String], found: &mut Vec<Found>) -> Option<Judge> {
    let file = shallowest(files, |path| matches!(name_of(path), "cases.json" | "cases.jsonl"))?;
    found.push(Found {
        what: "cases",
        place: file.clone(),
        why: "input/output cases by its name".to_owned(),
    });
    Some(Judge::Cases(file.clone()))
}

fn tests(folder: &Path, files: &[String], found: &mut Vec<Found>) -> Option<Judge> {
    let tests: Vec<&String> = files
        .iter()
        .filter(|path| {
            is_test(path) && (name_of(path).starts_with("test") || name_of(path).ends_with("_test.py"))
        })
        .collect();
    let first = tests.first()?;
    let texts: Vec<String> = tests.iter().take(MAX_TESTS_READ).map(|path| read(folder, path)).collect();
    let runner = runner(folder, files, first, &texts);
    let place =
        if tests.len() == 1 { (*first).clone() } else { format!("{} files like {first}", tests.len()) };
    found.push(Found { what: "tests", place, why: runner.why.clone() });
    Some(Judge::Tests(runner))
}

fn runner(folder: &Path, files: &[String], first: &str, texts: &[String]) -> Runner {
    let configured = files.iter().any(|path| matches!(path.as_str(), "pytest.ini" | "conftest.py"))
        || read(folder, "pyproject.toml").contains("[tool.pytest")
        || read(folder, "setup.cfg").contains("[tool:pytest]");
    let imports = texts.iter().any(|text| text.contains("import pytest") || text.contains("from pytest"));
    let cases = texts.iter().any(|text| text.contains("TestCase"));
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    if configured || imports || !cases {
        let why = match (configured, imports) {
            (true, _) => "the project is set up for pytest",
            (_, true) => "they import pytest",
            _ => "they are plain functions, as pytest runs them",
        };
        return Runner { command: words(&["python", "-m", "pytest", "-q"]), why: why.to_owned() };
    }
    // Discovery looks for test*.py at the top and in packages alone; whatever else there is must be named.
    let (folder, name) = first.rsplit_once('/').unwrap_or((".", first));
    let in_package = folder == "." || files.contains(&format!("{folder}/__init__.py"));
    let command = match (in_package, name.starts_with("test")) {
        (true, true) => words(&["python", "-m", "unittest", "-q"]),
        (_, true) => words(&["python", "-m", "unittest", "discover", "-q", "-s", folder]),
        (_, false) => words(&["python", "-m", "unittest", "discover", "-q", "-s", folder, "-p", "*_test.py"]),
    };
    Runner { command, why: "they are unittest.TestCase classes".to_owned() }
}

/// Patterns of the files that may change, and why these.
fn sources(folder: &Path, files: &[String], judges: &[Judge]) -> Option<(Vec<String>, Found)> {
    let judge_files: Vec<&str> = judges
        .iter()
        .filter_map(|judge| match judge {
            Judge::Bench(file) | Judge::Cases(file) | Judge::Evaluator { file, .. } => Some(file.as_str()),
            Judge::Tests(_) => None,
        })
        .collect();
    let programs: Vec<&String> = files
        .iter()
        .filter(|path| path.ends_with(".py") && !is_test(path) && !is_bench(path))
        .filter(|path| !judge_files.contains(&path.as_str()))
        .filter(|path| {
            !matches!(name_of(path), "setup.py" | "conf.py" | "noxfile.py" | "tasks.py" | "evaluate.py")
        })
        .filter(|path| {
            !path.split('/').rev().skip(1).any(|part| SIDE_FOLDERS.contains(&part) || part.starts_with('.'))
        })
        .collect();
    let marked: Vec<&String> = programs
        .iter()
        .take(MAX_SOURCES_READ)
        .filter(|path| read(folder, path).contains("EVOLVE-BLOCK-START"))
        .copied()
        .collect();
    let (chosen, why) = if !marked.is_empty() {
        (marked, "marked with EVOLVE-BLOCK-START")
    } else if programs.iter().any(|path| path.starts_with("src/")) {
        (programs.into_iter().filter(|path| path.starts_with("src/")).collect(), "the src layout")
    } else {
        (programs, "Python that is neither test nor benchmark")
    };
    // An empty __init__.py has nothing to evolve.
    let chosen: Vec<String> = chosen
        .into_iter()
        .filter(|path| name_of(path) != "__init__.py" || !read(folder, path).trim().is_empty())
        .cloned()
        .collect();
    if chosen.is_empty() {
        return None;
    }
    let patterns: Vec<String> = if chosen.len() <= MAX_SOURCES_LISTED {
        chosen.iter().map(|path| escaped(path)).collect()
    } else {
        globs(&chosen, files)
    };
    let found = Found { what: "program", place: patterns.join(", "), why: why.to_owned() };
    Some((patterns, found))
}

/// One glob for each top folder, and exclusions for everything below it that was not chosen.
fn globs(chosen: &[String], files: &[String]) -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    for path in chosen {
        let pattern = match path.split_once('/') {
            Some((top, _)) => format!("{}/**/*.py", escaped(top)),
            None => escaped(path),
        };
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    let tops: Vec<&str> = chosen.iter().filter_map(|path| Some(path.split_once('/')?.0)).collect();
    let outside = files.iter().filter(|path| {
        path.ends_with(".py")
            && !chosen.contains(path)
            && path.split_once('/').is_some_and(|(top, _)| tops.contains(&top))
    });
    let exclusions: Vec<String> = outside.map(|path| format!("!{}", escaped(path))).collect();
    patterns.extend(exclusions);
    patterns
}

/// A path as a pattern that fits it alone.
fn escaped(path: &str) -> String {
    globset::escape(path)
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
    fn many_sources_become_a_glob_with_exceptions() {
        let chosen: Vec<String> = (0..20).map(|i| format!("pkg/m{i}.py")).collect();
        let mut files = chosen.clone();
        files.push("pkg/test_m.py".to_owned());
        assert_eq!(globs(&chosen, &files), ["pkg/**/*.py", "!pkg/test_m.py"]);
    }
}
