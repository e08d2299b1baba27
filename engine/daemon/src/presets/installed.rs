//! Where an agent's program is on this machine, and what of the machine a cell must show for it to run: its own
//! installation and that of its interpreter, and never the folders around them.

use crate::config::forbidden_folder;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Prefixes whose programs and libraries every cell for commands shows.
const SYSTEM: [&str; 3] = ["/", "/usr", "/usr/local"];
/// Bytes of a script's first line that are read.
const MAX_LINE: u64 = 512;
/// Interpreters of interpreters that are followed.
const MAX_INTERPRETERS: usize = 3;

/// An installed program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Installed {
    /// The program as it was found on the search path.
    pub(crate) program: PathBuf,
    /// Folders in which it and its interpreter are found by name.
    pub(crate) search: Vec<PathBuf>,
    /// Files and folders that it needs to see.
    pub(crate) visible: Vec<PathBuf>,
}

/// Looks for a program in the folders of a search path such as `PATH`.
pub(crate) fn find(program: &str, path: Option<&OsStr>) -> Option<Installed> {
    let mut installed = Installed::default();
    let mut name = program.to_owned();
    for _ in 0..MAX_INTERPRETERS {
        let Some(found) = on_path(&name, path) else { break };
        if installed.program.as_os_str().is_empty() {
            installed.program.clone_from(&found);
        }
        let real = found.canonicalize().ok()?;
        installed.search.extend(found.parent().filter(|folder| !is_system(folder)).map(Path::to_owned));
        installed.show(&found);
        installed.show(&real);
        let Some(interpreter) = interpreter(&real) else { break };
        name = interpreter;
    }
    (!installed.program.as_os_str().is_empty()).then_some(installed)
}

impl Installed {
    /// Makes what a program belongs to visible: a folder of packages, a virtual environment, a prefix with packages of its
    /// own; else the file alone.
    fn show(&mut self, program: &Path) {
        if program.parent().is_none_or(is_system) {
            return;
        }
        let packages = program.ancestors().filter(|folder| folder.ends_with("node_modules")).last();
        let prefix = program.parent().filter(|folder| folder.ends_with("bin")).and_then(Path::parent);
        let prefix = prefix.filter(|prefix| {
            prefix.join("pyvenv.cfg").is_file()
                || prefix.join("lib/node_modules").is_dir()
                || prefix.join("bin/python3").is_file() && prefix.join("lib").is_dir()
        });
        let whole =
            packages.or(prefix).filter(|folder| forbidden_folder(&folder.to_string_lossy()).is_none());
        let shown = whole.unwrap_or(program).to_owned();
        let base = whole.and_then(base_of_environment);
        for path in std::iter::once(shown).chain(base) {
            if !self.visible.contains(&path) {
                self.visible.push(path);
            }
        }
    }
}

/// The Python that a virtual environment was made from, unless it is the system's; see PEP 405.
fn base_of_environment(folder: &Path) -> Option<PathBuf> {
    let settings = std::fs::read_to_string(folder.join("pyvenv.cfg")).ok()?;
    let home = settings.lines().find_map(|line| line.strip_prefix("home")?.trim_start().strip_prefix('='))?;
    let base = Path::new(home.trim()).canonicalize().ok()?.parent()?.to_owned();
    let system = SYSTEM.iter().any(|prefix| base == Path::new(prefix));
    (!system && forbidden_folder(&base.to_string_lossy()).is_none()).then_some(base)
}

/// Whether a folder of programs is one of the system's.
fn is_system(folder: &Path) -> bool {
    SYSTEM.iter().any(|prefix| ["bin", "sbin"].iter().any(|name| folder == Path::new(prefix).join(name)))
}

fn on_path(program: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    let runs = |path: &PathBuf| {
        path.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
    };
    let folders = std::env::split_paths(path?).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(program)).find(runs)
}

/// The interpreter that a script asks for by name, as in `#!/usr/bin/env node`.
fn interpreter(program: &Path) -> Option<String> {
    let mut line = Vec::new();
    let file = std::fs::File::open(program).ok()?.take(MAX_LINE);
    BufReader::new(file).read_until(b'\n', &mut line).ok()?;
    let line = String::from_utf8(line).ok()?;
    let mut words = line.strip_prefix("#!")?.split_whitespace();
    words.next().filter(|program| program.ends_with("/env"))?;
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    fn script(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn a_package_of_node_is_shown_with_its_neighbours_and_its_interpreter() {
        let top = TempDir::new().unwrap();
        let top = top.path().canonicalize().unwrap();
        let packages = top.join("prefix/lib/node_modules");
        script(&packages.join("codex/bin/codex.js"), "#!/usr/bin/env node\n");
        std::fs::create_dir_all(top.join("prefix/bin")).unwrap();
        symlink("../lib/node_modules/codex/bin/codex.js", top.join("prefix/bin/codex")).unwrap();
        script(&top.join("node/node"), "\x7fELF");
        let path =
            std::env::join_paths([top.join("nothing"), top.join("prefix/bin"), top.join("node")]).unwrap();
        let found = find("codex", Some(&path)).unwrap();
        assert_eq!(found.program, top.join("prefix/bin/codex"));
        assert_eq!(found.search, [top.join("prefix/bin"), top.join("node")]);
        assert_eq!(found.visible, [top.join("prefix"), packages, top.join("node/node")]);
        assert_eq!(find("claude", Some(&path)), None);
    }

    #[test]
    fn of_a_folder_that_holds_other_things_the_program_alone_is_shown() {
        let top = TempDir::new().unwrap();
        let top = top.path().canonicalize().unwrap();
        script(&top.join("venvs/aider/bin/aider"), "#!/nowhere/python\n");
        std::fs::write(top.join("venvs/aider/pyvenv.cfg"), "home = /usr/bin\n").unwrap();
        std::fs::create_dir_all(top.join("local/bin")).unwrap();
        symlink(top.join("venvs/aider/bin/aider"), top.join("local/bin/aider")).unwrap();
        let found = find("aider", Some(top.join("local/bin").as_os_str())).unwrap();
        assert_eq!(found.visible, [top.join("local/bin/aider"), top.join("venvs/aider")]);
    }
}
