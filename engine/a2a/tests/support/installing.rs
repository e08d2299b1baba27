//! What other people wrote, for tests to run: Python and Node packages, installed into the build folder, once.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long a package manager or a driver may take.
const PATIENCE: Duration = Duration::from_secs(180);
/// The file that says that a folder holds all that was to be installed.
const COMPLETE: &str = "complete";

/// Runs a command to its end, at most for `PATIENCE`, and returns what it printed.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let name = format!("{command:?}");
    let mut errors = tempfile::tempfile().unwrap();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors.try_clone().unwrap())
        .spawn()
        .map_err(|error| format!("{name}: {error}"))?;
    let mut output = child.stdout.take().unwrap();
    let (done, printed) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let _ = output.read_to_string(&mut text);
        let _ = done.send(text);
    });
    let Ok(printed) = printed.recv_timeout(PATIENCE) else {
        child.kill().unwrap();
        child.wait().unwrap();
        return Err(format!("{name} took longer than {PATIENCE:?}"));
    };
    if child.wait().unwrap().success() {
        return Ok(printed);
    }
    std::io::Seek::rewind(&mut errors).unwrap();
    let mut said = String::new();
    errors.read_to_string(&mut said).unwrap();
    Err(format!("{name} failed\n{printed}{said}"))
}

/// A folder that `fill` filled completely, now or in an earlier run.
fn installed(name: &str, fill: impl Fn(&Path) -> Result<(), String>) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if !folder.join(COMPLETE).exists() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fill(&folder)?;
        fs::write(folder.join(COMPLETE), "").unwrap();
    }
    Ok(folder)
}

/// The `bin` folder of a Python environment that holds the packages.
pub(crate) fn python(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let fill = |folder: &Path| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        let pip = ["-m", "pip", "install", "--quiet", "--retries", "1"];
        run(Command::new(folder.join("bin/python")).args(pip).args(packages)).map(drop)
    };
    Ok(installed(name, fill)?.join("bin"))
}

/// A folder with Node packages.
pub(crate) fn node(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    installed(name, |folder| {
        fs::write(folder.join("package.json"), r#"{"private":true}"#).unwrap();
        let install = ["install", "--no-audit", "--no-fund", "--fetch-retries=1"];
        run(Command::new("npm").current_dir(folder).args(install).args(packages)).map(drop)
    })
}
