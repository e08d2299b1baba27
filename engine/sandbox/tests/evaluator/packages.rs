//! Interpreters with a package that the machine's own may lack: an environment of its own gets it from the package index.

use sandbox::Python;
use std::path::Path;
use std::process::Command;

/// An interpreter that can import `package`; without one says why.
pub(crate) fn python_with(package: &str) -> Option<Python> {
    found(package).map_err(|reason| println!("skipped: no {package} here: {reason}")).ok()
}

fn found(package: &str) -> Result<Python, String> {
    if imports(Path::new("python3"), package).is_ok() {
        return Python::discover(None, None).map_err(|error| error.to_string());
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(package);
    let python = folder.join("bin/python");
    if imports(&python, package).is_err() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--retries", "1", package]))?;
        imports(&python, package)?;
    }
    Python::discover(Some(&python), None).map_err(|error| error.to_string())
}

fn imports(python: &Path, package: &str) -> Result<(), String> {
    run(Command::new(python).args(["-c", &format!("import {package}")]))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    output.status.success().then_some(()).ok_or_else(|| said.lines().last().unwrap_or_default().to_owned())
}
