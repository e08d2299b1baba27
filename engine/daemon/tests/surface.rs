//! The command line from outside: help of every command, exit codes, `init`, and data folders that cannot be used.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod support;

use std::os::unix::process::CommandExt;
use std::path::Path;
use support::{darwind, json};
use tempfile::TempDir;

const COMMANDS: [&str; 20] = [
    "run",
    "init",
    "check",
    "runs",
    "show",
    "log",
    "front",
    "lineage",
    "best",
    "diff",
    "apply",
    "pause",
    "resume",
    "stop",
    "rollback",
    "export",
    "replay",
    "doctor",
    "bench engine",
    "bench pareto",
];

#[test]
fn every_command_explains_itself_with_an_example() {
    let data = TempDir::new().unwrap();
    for command in COMMANDS {
        let output = darwind(data.path()).args(command.split(' ')).arg("--help").output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{command}");
        assert!(
            help.contains("Example") && help.contains(&format!("darwind {command}")),
            "{command}: {help}"
        );
        assert!(help.contains("--json") && help.contains("--data-dir"), "{command}: {help}");
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    let data = TempDir::new().unwrap();
    for words in [
        &["fly"][..],
        &["run"],
        &["run", ".", "--time", "soon"],
        &["run", ".", "--workers", "0"],
        &["run", ".", "--listen", "somewhere"],
        &["apply", "x-1", "--in-place", "--branch", "b"],
        &["export", "last", "--format", "xml"],
        &[],
    ] {
        let output = darwind(data.path()).args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
    }
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn init_writes_what_check_can_read_and_never_overwrites() {
    let (data, project) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    write(
        project.path(),
        &[
            ("src/pkg/core.py", "def f(): return 1\n"),
            ("src/pkg/__init__.py", ""),
            ("tests/test_core.py", "import unittest\nclass T(unittest.TestCase): pass\n"),
            ("bench.py", "print(1)\n"),
        ],
    );
    let answer = json(&darwind(data.path()).arg("init").arg(project.path()).arg("--json").output().unwrap());
    assert_eq!(answer["files"], serde_json::json!(["src/pkg/core.py"]));
    assert_eq!(answer["objectives"], serde_json::json!(["performance"]));
    assert_eq!(answer["checks"], serde_json::json!(["tests"]));
    let text = std::fs::read_to_string(project.path().join("darwind.toml")).unwrap();
    assert!(text.contains("discover") && text.contains("# "), "{text}");
    let again = darwind(data.path()).arg("init").arg(project.path()).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("never overwrites"));
    assert_eq!(std::fs::read_to_string(project.path().join("darwind.toml")).unwrap(), text);
}

#[test]
fn init_says_what_is_missing() {
    let (data, project) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let output = darwind(data.path()).arg("init").arg(project.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "no Python at all");
    write(project.path(), &[("a.py", "")]);
    let output = darwind(data.path()).arg("init").arg(project.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "nothing that judges");
    assert!(String::from_utf8_lossy(&output.stderr).contains("bench.py"));
    assert!(!project.path().join("darwind.toml").exists());
}

#[test]
fn a_data_folder_that_cannot_be_used_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for data in [file.clone(), file.join("below"), Path::new("/proc/darwind").to_path_buf()] {
        let output = darwind(&data).args(["pause", "last"]).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("data folder") && message.contains("--data-dir"), "{message}");
    }
}

#[test]
fn a_read_only_data_folder_is_named() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    for path in [folder.path(), &data] {
        let mut permissions = std::fs::metadata(path).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o555);
        std::fs::set_permissions(path, permissions).unwrap();
    }
    // Root may write anywhere, so the binary runs as nobody; where nobody cannot reach it, nothing is shown.
    const NOBODY: u32 = 65_534;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_darwind"));
    command.args(["pause", "last", "--data-dir"]).arg(&data).current_dir("/");
    if std::fs::write(data.join("probe"), "").is_ok() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            println!("skipped: another user cannot run the binary: {error}");
            return;
        }
    };
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains("data folder cannot be used") && message.contains("Permission denied"),
        "{message}"
    );
}

#[test]
fn a_store_that_is_damaged_or_not_ours_is_left_alone() {
    let data = TempDir::new().unwrap();
    let store = data.path().join("darwind.sqlite");
    std::fs::write(&store, "this is no database, but it is text of some length: ".repeat(100)).unwrap();
    let output = darwind(data.path()).arg("runs").output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("darwind.sqlite"), "{message}");
    assert!(std::fs::read_to_string(&store).unwrap().starts_with("this is no database"));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let (data, target) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    support::store_run(data.path(), target.path());
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_darwind"))
        .args(["log", "last", "--json"])
        .env("DARWIND_DATA_DIR", data.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
