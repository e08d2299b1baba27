//! Lists the files of `dist/` into a table of `include_bytes!`, so that a plain `cargo build` carries the page without
//! Node. With `MONITOR_UI_BUILD=1` it first runs the Node build; never by itself.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=dist");
    println!("cargo:rerun-if-env-changed=MONITOR_UI_BUILD");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    if env::var_os("MONITOR_UI_BUILD").is_some_and(|value| value == "1") {
        println!("cargo:rerun-if-changed=app");
        let status = Command::new("npm").args(["run", "build"]).current_dir(&root).status()?;
        if !status.success() {
            return Err(io::Error::other("`npm run build` failed in monitor-ui"));
        }
    }
    let mut files = Vec::new();
    collect(&root.join("dist"), "", &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for (name, path) in &files {
        let bytes = fs::read(path)?;
        let _ = writeln!(
            table,
            "    ({name:?}, include_bytes!({path:?}), \"\\\"{:016x}-{:x}\\\"\"),",
            fnv1a(&bytes),
            bytes.len()
        );
    }
    table.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("files.rs"), table)
}

/// Every file below `folder` with its path relative to it; nothing when the folder is absent.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push((name, entry.path().to_string_lossy().into_owned()));
        }
    }
    Ok(())
}

/// FNV-1a, 64 bits: tells versions of a file apart for caches; nothing secret hangs on it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
