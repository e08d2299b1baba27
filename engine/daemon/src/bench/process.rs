//! What this process has used so far, from Linux's /proc.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// CPU time of each thread of this process that still lives, by name, or `None` where the kernel does not tell. Threads
/// of one name count together.
pub(super) fn cpu() -> Option<BTreeMap<String, Duration>> {
    let mut threads = BTreeMap::new();
    for thread in fs::read_dir("/proc/self/task").ok()? {
        let folder = thread.ok()?.path();
        // A thread may end between listing and reading.
        let Ok(text) = fs::read_to_string(folder.join("schedstat")) else { continue };
        let name = fs::read_to_string(folder.join("comm")).unwrap_or_default();
        let nanoseconds: u64 = text.split_whitespace().next()?.parse().ok()?;
        *threads.entry(name.trim().to_owned()).or_default() += Duration::from_nanos(nanoseconds);
    }
    Some(threads)
}

/// Resident memory in bytes.
pub(super) fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
