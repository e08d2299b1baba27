//! The toolchain of a program that is not in Python and lies outside the system's folders, as rustup's does. Its own folder is
//! shown to the evaluator, read-only: programs and libraries, and neither settings nor keys, which lie elsewhere.

use crate::config::forbidden_folder;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Endings of programs, the compiler that their evaluators start, and how it is asked where it belongs.
const COMPILERS: [(&str, &str, [&str; 2]); 1] = [("rs", "rustc", ["--print", "sysroot"])];
/// Folders that an evaluator sees in any case.
const SYSTEM: [&str; 3] = ["/usr", "/bin", "/lib"];

/// Folders of toolchains, each with its programs in `bin`, that programs with these names need.
pub(super) fn tools(programs: &[String]) -> Vec<PathBuf> {
    let needed = COMPILERS.iter().filter(|(ending, ..)| {
        programs.iter().any(|program| Path::new(program).extension().is_some_and(|found| found == *ending))
    });
    needed.filter_map(|(_, compiler, question)| home(compiler, question)).collect()
}

/// The folder that a compiler belongs to, if there is one to be shown.
fn home(compiler: &str, question: &[&str]) -> Option<PathBuf> {
    // Not in the target's folder, whose files might choose another toolchain; and none is fetched.
    let mut command = Command::new(compiler);
    command.args(question).current_dir("/").env("RUSTUP_AUTO_INSTALL", "0").stdin(Stdio::null());
    let output = command.output().ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()).canonicalize().ok()?;
    let is_whole = folder.join("bin").join(compiler).is_file();
    let is_known = SYSTEM.iter().any(|system| folder.starts_with(system));
    (is_whole && !is_known && forbidden_folder(&folder.to_string_lossy()).is_none()).then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_program_that_needs_a_compiler_gets_its_folder() {
        assert_eq!(tools(&["initial_program.py".to_owned()]), Vec::<PathBuf>::new());
        for folder in tools(&["initial_program.rs".to_owned()]) {
            assert!(folder.join("bin/rustc").is_file() && !folder.join("credentials.toml").exists());
        }
        assert_eq!(home("a-compiler-of-nobody", &["--print", "sysroot"]), None);
        // A compiler that names a folder with more than itself in it is not believed.
        for folder in ["/", "/usr", "/root", "/home"] {
            assert_eq!(home("echo", &[folder]), None, "{folder}");
        }
    }
}
