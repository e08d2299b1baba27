//! What a machine that shows evaluations is busy with: a run of contained evaluations on every core, in a process of its
//! own, for as long as the load lasts.

use crate::bench::contained;
use crate::failure::Failure;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Evaluations that no load lasts long enough for.
const ENDLESS: u64 = 10_000_000;

/// A run under way, and the folder of its target and data.
pub(super) struct Work {
    process: Child,
    _folder: TempDir,
}

impl Work {
    /// Begins it. It needs the isolation that any run needs.
    pub(super) fn begin() -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|error| Failure::caused("no temporary folder", error))?;
        let target = contained::write_target(folder.path())?;
        let failed = |error| Failure::caused("evaluations beside the load cannot be started", error);
        let process = Command::new(std::env::current_exe().map_err(failed)?)
            .args(["run", "--json", "--listen", "none", "--evaluations", &ENDLESS.to_string(), "--data-dir"])
            .arg(folder.path().join("data"))
            .arg(target)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        Ok(Self { process, _folder: folder })
    }

    /// Ends it; says how many evaluations were done.
    pub(super) fn end(self) -> Result<u64, Failure> {
        let failed = |error| Failure::caused("evaluations beside the load cannot be ended", error);
        if let Some(process) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            kill_process(process, Signal::INT).map_err(|error| failed(error.into()))?;
        }
        let output = self.process.wait_with_output().map_err(failed)?;
        let told: Option<Value> = serde_json::from_slice(&output.stdout).ok();
        let count = told.as_ref().and_then(|told| told["evaluations"].as_u64());
        count.ok_or_else(|| {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            Failure::work_with_help(
                format!("the evaluations beside the load ended with {}: {said:?}", output.status),
                "`darwind doctor` says whether evaluations can run here; `--idle` measures without them",
            )
        })
    }
}
