//! What only Node can tell of the page: its types hold, its own tests pass, and the committed `dist/` is what its sources
//! build, byte for byte. Without Node and the package registry these are printed as skipped.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a command of Node's in the page's folder.
fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.map_err(|error| format!("{program} cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Err(format!("`{program} {}` failed:\n{}", arguments.join(" "), said.join("\n")))
}

/// Puts the packages in place that the lock file names.
fn packages() -> Result<(), String> {
    run("node", &["--version"])?;
    let there = Path::new(env!("CARGO_MANIFEST_DIR")).join("node_modules/vite").exists();
    if there { Ok(()) } else { run("npm", &["ci", "--ignore-scripts"]) }
}

#[test]
fn the_page_is_sound_and_dist_is_what_its_sources_build() {
    if let Err(reason) = packages() {
        println!("skipped: {reason}");
        return;
    }
    run("npm", &["run", "check"]).unwrap();
    run("npm", &["test"]).unwrap();
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dist");
    let folder = built.display().to_string();
    run("npx", &["vite", "build", "--emptyOutDir", "--outDir", &folder]).unwrap();
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist");
    let mut names: Vec<_> = fs::read_dir(&built).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert!(names.contains(&"app.js".into()), "{names:?}");
    for name in names {
        assert_eq!(
            fs::read(built.join(&name)).unwrap(),
            fs::read(committed.join(&name)).unwrap_or_default(),
            "{name:?}: run `npm ci && npm run build` in monitor-ui and commit dist/"
        );
    }
}
