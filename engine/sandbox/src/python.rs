//! The target's Python interpreter: found once, on the host, and described so that cells can see what it needs.

use serde::Deserialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Folders of the system's libraries, which an interpreter is linked to.
const LIBRARIES: &[&str] =
    &["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"];

/// A Python interpreter.
#[derive(Debug, Clone)]
pub struct Python {
    /// The interpreter itself, not a link or a script that leads to it.
    pub executable: PathBuf,
    /// Files and folders that it needs to see.
    pub visible: Vec<PathBuf>,
    /// Where it looks for installed packages.
    pub packages: Vec<String>,
    /// Major and minor version.
    pub version: (u32, u32),
    /// Whether pytest is installed.
    pub has_pytest: bool,
}

/// Why there is no interpreter.
#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    /// Nothing by that name can be run.
    #[error("{name} cannot be run: {reason}. Install Python 3, or name an interpreter in [target] python")]
    Missing {
        /// What was tried.
        name: String,
        /// Why not.
        reason: String,
    },
    /// It ran and said something else than expected.
    #[error("{name} does not answer like a Python 3 interpreter: {reason}")]
    Strange {
        /// What was tried.
        name: String,
        /// What was wrong.
        reason: String,
    },
    /// It is too old.
    #[error("{name} is Python {major}.{minor}; 3.8 or newer is needed")]
    TooOld {
        /// What was tried.
        name: String,
        /// Its major version.
        major: u32,
        /// Its minor version.
        minor: u32,
    },
}

/// What the interpreter says of itself.
#[derive(Deserialize)]
struct Facts {
    executable: PathBuf,
    prefix: PathBuf,
    base_prefix: PathBuf,
    path: Vec<String>,
    version: (u32, u32),
    pytest: bool,
}

const QUESTION: &str = "import sys, json, importlib.util as u, os; print(json.dumps(dict(executable=os.path.realpath(\
    sys.executable), prefix=sys.prefix, base_prefix=sys.base_prefix, path=[p for p in sys.path if p], \
    version=sys.version_info[:2], pytest=u.find_spec('pytest') is not None)))";

impl Python {
    /// Finds an interpreter: the configured one, else that of the active virtual environment (`virtual_env`, as in the
    /// variable of that name), else `python3` on the search path.
    ///
    /// # Errors
    /// When it cannot be run, or is no Python 3.8 or newer.
    pub fn discover(configured: Option<&Path>, virtual_env: Option<OsString>) -> Result<Self, PythonError> {
        let active = virtual_env.map(|folder| PathBuf::from(folder).join("bin/python"));
        let program = configured
            .map(Path::to_owned)
            .or_else(|| active.filter(|python| python.exists()))
            .unwrap_or_else(|| PathBuf::from("python3"));
        let name = program.display().to_string();
        let asked = Command::new(&program).args(["-c", QUESTION]).stdin(Stdio::null()).output();
        let answer =
            asked.map_err(|error| PythonError::Missing { name: name.clone(), reason: error.to_string() })?;
        if !answer.status.success() {
            let reason = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
            return Err(PythonError::Strange { name, reason });
        }
        let facts: Facts = serde_json::from_slice(&answer.stdout)
            .map_err(|error| PythonError::Strange { name: name.clone(), reason: error.to_string() })?;
        let (major, minor) = facts.version;
        if facts.version < (3, 8) {
            return Err(PythonError::TooOld { name, major, minor });
        }
        Ok(facts.into())
    }
}

impl From<Facts> for Python {
    fn from(facts: Facts) -> Self {
        let standard = facts.base_prefix.join("lib");
        let is_standard = |path: &str| {
            let path = Path::new(path);
            path.starts_with(&standard)
                && !path
                    .components()
                    .any(|part| matches!(part.as_os_str().to_str(), Some("site-packages" | "dist-packages")))
        };
        let packages: Vec<String> = facts
            .path
            .iter()
            .filter(|path| !is_standard(path) && Path::new(path).is_dir())
            .cloned()
            .collect();
        let mut visible: Vec<PathBuf> = LIBRARIES.iter().map(PathBuf::from).collect();
        let prefixes =
            [&facts.prefix, &facts.base_prefix].into_iter().filter(|prefix| **prefix != Path::new("/usr"));
        visible.extend(prefixes.cloned());
        visible.push(facts.executable.clone());
        visible.extend(facts.path.iter().map(PathBuf::from).filter(|path| path.exists()));
        Self {
            executable: facts.executable,
            visible: outermost(visible),
            packages,
            version: facts.version,
            has_pytest: facts.pytest,
        }
    }
}

/// Paths that lie in no other of them, each once.
fn outermost(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    paths.sort();
    paths.dedup();
    let all = paths.clone();
    paths.retain(|path| !all.iter().any(|other| other != path && path.starts_with(other)));
    paths
}
