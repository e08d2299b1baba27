//! What goes wrong around a run, through the binary: each with a clear word, the contract's exit code, and nothing lost.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod support;

use std::path::Path;
use std::process::{Command, Output};
use support::{darwind, refused};
use tempfile::TempDir;

const EVALUATED: &str = "[target]\nname = \"t\"\nfiles = [\"program.py\"]\n[evaluator]\nfile = \"evaluator.py\"\ntimeout = \"2s\"\n[[objective]]\nname = \"score\"\nkind = \"metric\"\nmetric = \"score\"\ndirection = \"maximize\"\n[budget]\nevaluations = 3\n";

fn target(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn run(data: &Path, target: &Path) -> Output {
    darwind(data).args(["run", "--json", "--listen", "none"]).arg(target).output().unwrap()
}

#[test]
fn evaluators_that_fail_on_the_unchanged_program_end_the_run_with_1() {
    let evaluators = [
        ("print('%$#@! rubbish')\ndef evaluate(p): return 'great'\n", "not a dict of numbers"),
        ("def evaluate(p): return {'score': float('nan')}\n", "no finite number score"),
        ("def evaluate(p): return {'other': 1}\n", "no finite number score"),
        (
            "import sys\ndef evaluate(p):\n    for i in range(1024): sys.stdout.write('x' * (1 << 20))\n    return {'score': 1}\n",
            "limit: output",
        ),
        ("import time\ndef evaluate(p): time.sleep(1000)\n", "timeout"),
        ("def evaluate(p): raise ValueError('no luck')\n", "no luck"),
        ("def evaluate(p)\n", "SyntaxError"),
    ];
    let data = TempDir::new().unwrap();
    for (evaluator, words) in evaluators {
        let target = target(&[
            ("program.py", "def f():\n    return 1\n"),
            ("evaluator.py", evaluator),
            ("darwind.toml", EVALUATED),
        ]);
        let output = run(data.path(), target.path());
        if refused(&output) {
            return;
        }
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{evaluator}: {message}");
        assert!(message.contains(words) && message.contains("help:"), "{evaluator}: {message}");
        let log = darwind(data.path()).args(["log", "last", "--json"]).output().unwrap();
        assert!(String::from_utf8_lossy(&log.stdout).contains("run_finished"), "what happened is kept");
    }
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named() {
    let target = target(&[("program.py", "X = 1\n"), ("evaluator.py", ""), ("darwind.toml", EVALUATED)]);
    let occupied = target.path().join("occupied");
    std::fs::write(&occupied, "a file").unwrap();
    for folder in [occupied.as_path(), Path::new("/proc/darwind")] {
        let output = run(folder, target.path());
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(
            message.contains(&folder.display().to_string()) && message.contains("--data-dir"),
            "{message}"
        );
    }
}

#[test]
fn isolation_below_what_is_required_is_refused_with_3() {
    let doctor = darwind(Path::new("/tmp")).args(["doctor", "--json"]).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&doctor.stdout).unwrap();
    if answer["isolation"] == "L3" {
        println!("skipped: this machine gives the highest level");
        return;
    }
    let strict = EVALUATED.replace("[budget]", "[sandbox]\nrequire = \"L3\"\n[budget]");
    let evaluator = "def evaluate(p): return {'score': 1}\n";
    let target = target(&[("program.py", "X = 1\n"), ("evaluator.py", evaluator), ("darwind.toml", &strict)]);
    let data = TempDir::new().unwrap();
    let output = run(data.path(), target.path());
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("darwind doctor"), "{message}");
}

/// A full disk is a small file system of its own, which takes a mount in a namespace of its own.
#[test]
fn a_full_disk_ends_the_run_and_room_lets_it_go_on() {
    let script = r#"
        mount -t tmpfs -o size=1m none "$1" || exit 77
        "$0" run "$2" --json --listen none --seed 1 --data-dir "$1" >"$3/out" 2>"$3/first"
        echo $? >"$3/code"
        mount -o remount,size=200m "$1" || exit 77
        "$0" run "$2" --json --listen none --resume --data-dir "$1" >"$3/out" 2>"$3/second"
        echo $? >>"$3/code"
        "$0" replay last --data-dir "$1" >"$3/replay" 2>&1
        echo $? >>"$3/code""#;
    let numbers = "A = 1.5\nB = -2.5\nC = 0.5\n";
    let evaluator = "import importlib.util\ndef evaluate(path):\n    spec = importlib.util.spec_from_file_location('p', path)\n    p = importlib.util.module_from_spec(spec)\n    spec.loader.exec_module(p)\n    return {'score': -((p.A - 3) ** 2 + (p.B - 4) ** 2 + (p.C - 5) ** 2)}\n";
    let configuration = EVALUATED.replace("evaluations = 3", "evaluations = 400");
    let target =
        target(&[("program.py", numbers), ("evaluator.py", evaluator), ("darwind.toml", &configuration)]);
    let (disk, notes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let words = ["--user", "--map-root-user", "--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_darwind")];
    let status = Command::new("unshare")
        .args(words)
        .args([disk.path(), target.path(), notes.path()])
        .env("NO_COLOR", "1")
        .status();
    let read = |name: &str| std::fs::read_to_string(notes.path().join(name)).unwrap_or_default();
    let codes = read("code");
    let ran = status.as_ref().is_ok_and(std::process::ExitStatus::success);
    if !ran || codes.starts_with('3') {
        println!(
            "skipped: no file system of its own here, or nothing can be contained in it: {status:?} {codes}"
        );
        return;
    }
    assert_eq!(
        codes.split_whitespace().collect::<Vec<_>>(),
        ["1", "0", "0"],
        "{}\n{}",
        read("first"),
        read("second")
    );
    let first = read("first").to_lowercase();
    assert!(first.contains("no space left") && first.contains("darwind resume"), "{first}");
}
