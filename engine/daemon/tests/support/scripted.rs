//! A target whose model is a scripted endpoint, and runs of it by the binary with a key that must not show anywhere.

use crate::support::darwind;
use models::scripted::Endpoint;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

/// What the model is asked to correct.
pub(crate) const PROGRAM: &str =
    "def triangle(n):\n    total = 0\n    for i in range(n):\n        total += i\n    return total\n";
/// The key that must not show anywhere.
pub(crate) const KEY: &str = "sk-do-not-show-me";

/// The program with these cases and this configuration, in which ENDPOINT stands for the endpoint's address.
pub(crate) fn target(endpoint: &Endpoint, cases: &str, configuration: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let configuration = configuration.replace("ENDPOINT", &endpoint.url());
    for (name, text) in [("triangle.py", PROGRAM), ("cases.json", cases), ("darwind.toml", &configuration)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// A run of it, to its end.
pub(crate) fn run(data: &Path, target: &Path, words: &[&str]) -> Output {
    let fixed = ["--listen", "none", "--json", "--workers", "1", "--seed", "3"];
    darwind(data)
        .arg("run")
        .arg(target)
        .args(fixed)
        .args(words)
        .env("DARWIND_TEST_KEY", KEY)
        .output()
        .unwrap()
}
