//! The dashboard in a real browser: the end-to-end suite of `monitor-ui` against the binary of this build, which evolves a
//! real example. The cases are in `monitor-ui/e2e/live.mjs`; here is only what starts them. It needs Node, the packages of
//! `monitor-ui` and Chromium, and says what is missing where it cannot run.

use std::path::Path;
use std::process::{Command, Output};

/// Where Debian keeps Chromium; `CHROMIUM` names another.
const CHROMIUM: &str = "/usr/bin/chromium";

/// What keeps the suite from running here, if anything does.
fn missing(ui: &Path) -> Option<String> {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| CHROMIUM.to_owned());
    if !Path::new(&chromium).exists() {
        return Some(format!("no Chromium at {chromium}; CHROMIUM names another"));
    }
    if !Command::new("node").arg("--version").output().is_ok_and(|said| said.status.success()) {
        return Some("no Node on the path".to_owned());
    }
    if ui.join("node_modules/playwright-core").exists() && ui.join("node_modules/axe-core").exists() {
        return None;
    }
    let installed = Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(ui).output();
    match installed {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("`npm ci` in monitor-ui failed: {}", last_line(&output.stderr))),
        Err(error) => Some(format!("npm cannot be started: {error}")),
    }
}

fn last_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().lines().last().unwrap_or_default().to_owned()
}

#[test]
fn the_page_shows_and_commands_a_real_daemon() {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../monitor-ui");
    if let Some(reason) = missing(&ui) {
        println!("skipped: {reason}");
        return;
    }
    let Output { status, stdout, stderr } = Command::new("node")
        .arg("e2e/live.mjs")
        .current_dir(&ui)
        .env("DARWIND", env!("CARGO_BIN_EXE_darwind"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&stdout);
    println!("{said}");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    assert!(said.contains("ok: ") || said.contains("skipped: "), "the suite looked at nothing");
}
