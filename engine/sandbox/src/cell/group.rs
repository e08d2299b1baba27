//! Control groups (version 2) of metered cells: finding the part of the tree that was delegated to this process, and one
//! leaf in it for each cell, which bounds and bills everything in it together.
//!
//! Only files are read and written here, so that the tests can do it in a folder; what the kernel makes of them is in
//! `Documentation/admin-guide/cgroup-v2.rst` of Linux.

use super::mounts::failed;
use super::watch::most_processes;
use super::{Limits, tree};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The group that the engine's own processes move to, since a group that has processes cannot divide what it has.
const ENGINE: &str = "darwind-engine";
/// What leaves are called, before the number of their launcher.
const CELL: &str = "darwind-cell-";
/// What a leaf needs.
const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];
/// Tries to remove a leaf whose last process is still on its way out.
const MAX_REMOVALS: usize = 1000;

/// A part of the tree of control groups in which this process may make groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delegation {
    base: PathBuf,
}

impl Delegation {
    /// Finds what is delegated to this process, and makes room for leaves in it.
    pub(super) fn find() -> Result<Self, String> {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let mount = mount_point(&read("/proc/self/mountinfo"))
            .ok_or_else(|| "control groups of version 2 are not mounted".to_owned())?;
        let delegation = Self::at(&mount, &read("/proc/self/cgroup"))?;
        let me = i32::try_from(std::process::id()).unwrap_or(0);
        let ours = tree::descendants(me);
        delegation.prepare(&|process| {
            process.parse().is_ok_and(|process: i32| process == me || ours.contains(&process))
        })?;
        Ok(delegation)
    }

    /// Finds it in a tree mounted at `mount`, from what `/proc/self/cgroup` says.
    fn at(mount: &Path, own: &str) -> Result<Self, String> {
        let path = own.lines().find_map(|line| line.strip_prefix("0::/"));
        let path = path.ok_or_else(|| "this process is in no control group of version 2".to_owned())?;
        let group = mount.join(path);
        // An engine that has moved already is one below what was delegated.
        let base = if group.ends_with(ENGINE) { group.parent().unwrap_or(&group).to_owned() } else { group };
        let controllers = words(&base.join("cgroup.controllers"))?;
        let missing: Vec<&str> =
            CONTROLLERS.into_iter().filter(|name| !controllers.iter().any(|found| found == name)).collect();
        if missing.is_empty() {
            Ok(Self { base })
        } else {
            Err(format!("the control group {} lacks {}", base.display(), missing.join(", ")))
        }
    }

    /// Moves the engine's processes out of the way and hands the controllers down. `ours` tells them from others'.
    fn prepare(&self, ours: &dyn Fn(&str) -> bool) -> Result<(), String> {
        let down = self.base.join("cgroup.subtree_control");
        let handed = words(&down)?;
        if CONTROLLERS.iter().all(|name| handed.iter().any(|found| found == name)) {
            return Ok(());
        }
        let processes = words(&self.base.join("cgroup.procs"))?;
        if let Some(other) = processes.iter().find(|process| !ours(process)) {
            return Err(format!(
                "process {other} of somebody else is in the control group {}",
                self.base.display()
            ));
        }
        let engine = self.base.join(ENGINE);
        match std::fs::create_dir(&engine) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(format!("make the control group {}: {error}", engine.display()));
            }
            _ => {}
        }
        for process in &processes {
            write(&engine.join("cgroup.procs"), process)?;
        }
        write(&down, &CONTROLLERS.map(|name| format!("+{name}")).join(" "))
    }

    /// Where the leaf of a launcher's cells is to be.
    pub(super) fn leaf(&self, launcher: u32) -> PathBuf {
        self.base.join(format!("{CELL}{launcher}"))
    }
}

/// What a leaf's books say.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Books {
    /// CPU time in microseconds.
    pub(super) cpu_us: u64,
    /// Most memory at once, in bytes; 0 on kernels that do not keep it.
    pub(super) peak: u64,
    /// Processes killed because the memory was used up.
    pub(super) out_of_memory: u64,
    /// Processes and threads refused because there were too many.
    pub(super) refused: u64,
}

/// The group of one cell. Dropping it kills what is left in it and removes it.
pub(super) struct Leaf {
    folder: PathBuf,
}

impl Leaf {
    /// Makes the group, with its limits.
    pub(super) fn make(folder: &Path, limits: &Limits) -> Result<Self, String> {
        remove(folder);
        std::fs::create_dir(folder)
            .map_err(failed(format!("make the control group {}", folder.display())))?;
        let leaf = Self { folder: folder.to_owned() };
        leaf.limit(limits)?;
        Ok(leaf)
    }

    fn limit(&self, limits: &Limits) -> Result<(), String> {
        let file = |name: &str| self.folder.join(name);
        // What is written to the cell's own file systems is memory as well.
        write(&file("memory.max"), &limits.memory.saturating_add(limits.disk).to_string())?;
        write(&file("memory.oom.group"), "1")?;
        // There is no such file where there is no swap.
        let _ = write(&file("memory.swap.max"), "0");
        write(&file("pids.max"), &most_processes(limits).to_string())
    }

    /// The folder, to be cloned into.
    pub(super) fn open(&self) -> Result<std::fs::File, String> {
        std::fs::File::open(&self.folder).map_err(failed("open the control group"))
    }

    /// Kills everything in it.
    pub(super) fn kill(&self) {
        let _ = write(&self.folder.join("cgroup.kill"), "1");
    }

    /// Reads the books.
    pub(super) fn books(&self) -> Books {
        let read = |name: &str| std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        Books {
            cpu_us: entry(&read("cpu.stat"), "usage_usec"),
            peak: read("memory.peak").trim().parse().unwrap_or(0),
            out_of_memory: entry(&read("memory.events"), "oom_kill"),
            refused: entry(&read("pids.events"), "max"),
        }
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

/// Kills what is in a leaf and removes it, if it is there.
pub(super) fn remove(folder: &Path) {
    if !folder.exists() {
        return;
    }
    let _ = write(&folder.join("cgroup.kill"), "1");
    for _ in 0..MAX_REMOVALS {
        match std::fs::remove_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => std::thread::yield_now(),
            _ => return,
        }
    }
}

/// The value of a key in a file of `key value` lines; 0 if it is not there.
fn entry(text: &str, key: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

fn words(path: &Path) -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(path).map_err(failed(format!("read {}", path.display())))?;
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

/// Writes to one of the kernel's files, which is there or is not, but is never made by writing.
fn write(path: &Path, text: &str) -> Result<(), String> {
    let opened = std::fs::OpenOptions::new().write(true).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(failed(format!("write {text} to {}", path.display())))
}

/// Where the tree of version 2 is mounted, from `/proc/self/mountinfo`; see proc(5).
fn mount_point(table: &str) -> Option<PathBuf> {
    let line =
        table.lines().find(|line| line.split(" - ").nth(1).is_some_and(|end| end.starts_with("cgroup2 ")))?;
    line.split(' ').nth(4).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::{Books, Delegation, ENGINE, Leaf, Limits, mount_point};
    use std::path::Path;

    const HYBRID: &str = "\
30 23 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:5 - cgroup2 cgroup2 rw
32 30 0:28 / /sys/fs/cgroup/pids rw,nosuid shared:6 - cgroup cgroup rw,pids
";

    /// A folder that looks like a delegated group.
    fn tree(controllers: &str, processes: &str) -> tempfile::TempDir {
        let top = tempfile::tempdir().expect("a folder");
        let base = top.path().join("user.slice/run.scope");
        std::fs::create_dir_all(base.join(ENGINE)).expect("folders");
        for (name, text) in
            [("cgroup.controllers", controllers), ("cgroup.procs", processes), ("cgroup.subtree_control", "")]
        {
            std::fs::write(base.join(name), text).expect("a file");
        }
        std::fs::write(base.join(ENGINE).join("cgroup.procs"), "").expect("a file");
        top
    }

    fn text(path: impl AsRef<Path>) -> String {
        std::fs::read_to_string(path).expect("a file")
    }

    #[test]
    fn the_tree_is_found_among_mounts() {
        assert_eq!(mount_point(HYBRID), Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(mount_point("24 1 0:5 / / rw - ext4 /dev/vda rw\n"), None);
    }

    #[test]
    fn what_is_delegated_is_found_and_divided() {
        let top = tree("cpuset cpu io memory pids", "41");
        let own = "4:memory:/old\n0::/user.slice/run.scope\n";
        let delegation = Delegation::at(top.path(), own).expect("a delegation");
        delegation.prepare(&|process| process == "41").expect("room for leaves");
        let base = top.path().join("user.slice/run.scope");
        assert_eq!(text(base.join(ENGINE).join("cgroup.procs")), "41");
        assert_eq!(text(base.join("cgroup.subtree_control")), "+cpu +memory +pids");
        // Having moved, it finds the same again.
        let moved = format!("0::/user.slice/run.scope/{ENGINE}\n");
        assert_eq!(Delegation::at(top.path(), &moved), Ok(delegation));
    }

    #[test]
    fn what_is_not_delegated_is_refused_with_the_reason() {
        let top = tree("cpu pids", "41");
        let refused =
            Delegation::at(top.path(), "0::/user.slice/run.scope").expect_err("no memory controller");
        assert!(refused.ends_with("lacks memory"), "{refused}");
        assert!(Delegation::at(top.path(), "3:pids:/a\n").is_err());
        let top = tree("cpu memory pids", "41\n42");
        let delegation = Delegation::at(top.path(), "0::/user.slice/run.scope").expect("a delegation");
        let refused = delegation.prepare(&|process| process == "41").expect_err("somebody else's process");
        assert!(refused.contains("process 42"), "{refused}");
        assert_eq!(text(top.path().join("user.slice/run.scope/cgroup.subtree_control")), "");
    }

    #[test]
    fn limits_are_written_and_books_read() {
        let top = tempfile::tempdir().expect("a folder");
        let leaf = Leaf { folder: top.path().join("leaf") };
        std::fs::create_dir(&leaf.folder).expect("a folder");
        for name in ["memory.max", "memory.oom.group", "memory.swap.max", "pids.max", "cgroup.kill"] {
            std::fs::write(leaf.folder.join(name), "").expect("a file");
        }
        leaf.limit(&Limits { memory: 1000, disk: 200, processes: 7, ..Limits::default() }).expect("limits");
        let written = ["memory.max", "memory.oom.group", "memory.swap.max", "pids.max"];
        assert_eq!(written.map(|name| text(leaf.folder.join(name))), ["1200", "1", "0", "16"]);
        assert_eq!(leaf.books(), Books::default());
        for (name, text) in [
            ("cpu.stat", "usage_usec 1234\nuser_usec 1000\nsystem_usec 234\n"),
            ("memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 1\n"),
            ("memory.peak", "4096\n"),
            ("pids.events", "max 5\n"),
        ] {
            std::fs::write(leaf.folder.join(name), text).expect("a file");
        }
        assert_eq!(leaf.books(), Books { cpu_us: 1234, peak: 4096, out_of_memory: 2, refused: 5 });
        leaf.kill();
        assert_eq!(text(leaf.folder.join("cgroup.kill")), "1");
    }
}
