//! Which files of a target may change: the patterns of `[target] files` held against the folder. Files that judge a
//! candidate (tests, evaluator, cases, the configuration itself) can never be among them.

use globset::{Glob, GlobMatcher};
use std::collections::BTreeSet;
use std::path::Path;

/// Most files that a target's folder may hold below it, ignored folders not counted.
pub(crate) const MAX_TARGET_FILES: usize = 100_000;
/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 64;
/// Every regular file below `root`, as relative paths with `/` between parts, sorted.
pub(crate) fn walk(root: &Path) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    let mut folders = vec![(root.to_path_buf(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Ok(kind) = entry.file_type() else { continue };
            let path = format!("{prefix}{name}");
            if kind.is_dir() && depth < MAX_DEPTH && !is_ignored(&entry.path(), &name) {
                folders.push((entry.path(), format!("{path}/"), depth + 1));
            } else if kind.is_file() {
                files.push(path);
            }
        }
        if files.len() > MAX_TARGET_FILES {
            return Err(format!("more than {MAX_TARGET_FILES} files below {}", root.display()));
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a folder is none of the target's: the same rule by which snapshots leave it out.
fn is_ignored(folder: &Path, name: &str) -> bool {
    snapshots::IGNORED_NAMES.contains(&name) || folder.join("pyvenv.cfg").exists()
}

/// Whether a path is a test by the naming of unittest and pytest.
pub(crate) fn is_test(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let in_tests = folders.split('/').any(|folder| matches!(folder, "tests" | "test"));
    let named =
        (name.starts_with("test_") || name.ends_with("_test.py") || name == "tests.py" || name == "test.py")
            && name.ends_with(".py");
    named || name == "conftest.py" || (in_tests && name.ends_with(".py"))
}

/// One pattern of `files`: a glob, or with `!` in front one that takes files out again.
#[derive(Debug)]
pub(crate) struct Pattern {
    matcher: GlobMatcher,
    excludes: bool,
}

impl Pattern {
    /// Reads a pattern. `*` stays within a folder, `**` crosses folders.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (excludes, glob) = match text.strip_prefix('!') {
            Some(glob) => (true, glob),
            None => (false, text),
        };
        let glob = glob.strip_prefix("./").unwrap_or(glob);
        if glob.starts_with('/') || glob.split('/').any(|part| part == "..") {
            return Err("it leaves the target's folder; patterns are relative to darwind.toml".to_owned());
        }
        let parsed = globset::GlobBuilder::new(glob).literal_separator(true).build();
        let parsed: Glob = parsed.map_err(|error| error.kind().to_string())?;
        Ok(Self { matcher: parsed.compile_matcher(), excludes })
    }

    fn matches(&self, path: &str) -> bool {
        self.matcher.is_match(path)
    }
}

/// Which files the patterns choose, and which pattern brought each: later exclusions win over inclusions.
pub(crate) fn select(files: &[String], patterns: &[Pattern]) -> Selection {
    let excluded = |path: &str| patterns.iter().any(|pattern| pattern.excludes && pattern.matches(path));
    let chosen: Vec<(usize, String)> = files
        .iter()
        .filter(|path| !excluded(path))
        .filter_map(|path| {
            let by = patterns.iter().position(|pattern| !pattern.excludes && pattern.matches(path))?;
            Some((by, path.clone()))
        })
        .collect();
    let idle = patterns
        .iter()
        .enumerate()
        .filter(|(_, pattern)| !pattern.excludes && !files.iter().any(|path| pattern.matches(path)))
        .map(|(index, _)| index)
        .collect();
    Selection { chosen, idle }
}

/// What patterns choose.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Files with the index of the pattern that brought each, in the order of paths.
    pub(crate) chosen: Vec<(usize, String)>,
    /// Patterns that match nothing at all.
    pub(crate) idle: BTreeSet<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(files: &[&str], patterns: &[&str]) -> Vec<String> {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        let patterns: Vec<Pattern> =
            patterns.iter().map(|pattern| Pattern::parse(pattern).unwrap()).collect();
        select(&files, &patterns).chosen.into_iter().map(|(_, path)| path).collect()
    }

    #[test]
    fn globs_choose_and_exclude() {
        let files = ["a.py", "src/a.py", "src/deep/b.py", "src/test_a.py"];
        assert_eq!(chosen(&files, &["*.py"]), ["a.py"]);
        assert_eq!(chosen(&files, &["src/**/*.py", "!**/test_*.py"]), ["src/a.py", "src/deep/b.py"]);
        assert_eq!(chosen(&files, &["./a.py"]), ["a.py"]);
        assert!(Pattern::parse("../a.py").is_err() && Pattern::parse("/etc/*").is_err());
        assert!(Pattern::parse("a[").is_err());
    }

    #[test]
    fn tests_are_known_by_their_names() {
        for path in ["test_a.py", "tests/a.py", "a_test.py", "src/tests/deep/a.py", "conftest.py", "tests.py"]
        {
            assert!(is_test(path), "{path}");
        }
        for path in ["a.py", "testing.py", "src/latest_a.py", "contest.py", "test_data.json"] {
            assert!(!is_test(path), "{path}");
        }
    }
}
