//! The processes below one process, read from the proc file system: who they are, what memory they hold, what CPU time
//! they have used.

use std::collections::HashSet;

/// Most processes looked at; a tree that grows beyond is over any limit already.
const MAX_PROCESSES: usize = 4096;

/// What a tree uses at one moment, its root apart.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usage {
    /// Processes and threads, the dead that nobody has waited for included.
    pub(super) tasks: u64,
    /// Resident bytes. What several processes share counts in part for each, as far as the kernel tells.
    pub(super) resident: u64,
    /// CPU time in microseconds of the living, of the dead that they waited for, and of those that the root waited for.
    pub(super) cpu_us: u64,
}

/// Most processes whose share of common memory is asked for; beyond, all of it counts for each.
const MAX_SHARED: usize = 64;

/// All descendants of a process, parents before their children.
pub(super) fn descendants(root: i32) -> Vec<i32> {
    let mut found: Vec<i32> = Vec::new();
    let mut seen: HashSet<i32> = HashSet::from([root]);
    let mut next = vec![root];
    while let Some(process) = next.pop() {
        let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { continue };
        for thread in threads.flatten() {
            let Ok(text) = std::fs::read_to_string(thread.path().join("children")) else { continue };
            for child in text.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok()) {
                if found.len() < MAX_PROCESSES && seen.insert(child) {
                    found.push(child);
                    next.push(child);
                }
            }
        }
    }
    found
}

/// What the tree below `root` uses now. Processes that end while being looked at are left out.
pub(super) fn usage(root: i32) -> Usage {
    let read = |process: i32| {
        std::fs::read_to_string(format!("/proc/{process}/stat")).ok().as_deref().and_then(parse)
    };
    let waited = read(root).map_or(0, |stat| stat.waited_us);
    let mut sum = Usage { cpu_us: waited, ..Usage::default() };
    let processes = descendants(root);
    let several = (2..=MAX_SHARED).contains(&processes.len());
    for process in processes {
        let Some(stat) = read(process) else { continue };
        sum.tasks += stat.threads;
        sum.resident += if several { share(process).unwrap_or(stat.resident) } else { stat.resident };
        sum.cpu_us += stat.own_us + stat.waited_us;
    }
    sum
}

/// A process's memory in bytes, in which a page that it shares counts by its part in it: children of one parent hold
/// most of theirs in common.
fn share(process: i32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// Threads of all processes of one user on this machine.
pub(super) fn threads_of_user(user: u32) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(processes) = std::fs::read_dir("/proc") else { return 0 };
    let numbered =
        processes.flatten().filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok());
    let threads = numbered.filter_map(|entry| {
        // The folder of a process's threads has a link for each of them, beside its own two.
        let tasks = std::fs::metadata(entry.path().join("task")).ok()?;
        (tasks.uid() == user).then(|| tasks.nlink().saturating_sub(2))
    });
    threads.sum()
}

/// The fields of `/proc/PID/stat` that matter here.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    own_us: u64,
    waited_us: u64,
    threads: u64,
    resident: u64,
}

/// Reads a line of `/proc/PID/stat`, see proc(5). The name in parentheses may hold anything, so the fields are counted
/// from its last one.
fn parse(line: &str) -> Option<Stat> {
    let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
    // The first field after the name is the third of the manual's table.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let micros = |count: u64| count.saturating_mul(1_000_000) / ticks;
    Some(Stat {
        own_us: micros(field(14)? + field(15)?),
        waited_us: micros(field(16)? + field(17)?),
        threads: field(20)?,
        resident: field(24)? * rustix::param::page_size() as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::{descendants, parse, usage};
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    #[test]
    fn a_line_with_an_evil_name_is_read() {
        let line = "7 (a) R 1 (b) S 1 7 7 0 -1 4194560 1 2 3 4 100 50 20 10 20 0 3 0 12 1000 250 1 2";
        let stat = parse(line).expect("a line as the kernel writes it");
        assert_eq!((stat.own_us, stat.waited_us, stat.threads), (1_500_000, 300_000, 3));
        assert_eq!(stat.resident, 250 * rustix::param::page_size() as u64);
        assert_eq!(parse("7 (cut"), None);
        assert_eq!(parse("7 (cut) R 1"), None);
    }

    #[test]
    fn a_child_is_found_and_weighed() {
        let me = i32::try_from(std::process::id()).expect("a process id");
        let mut cat = Command::new("cat");
        let mut child = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cat runs");
        // The kernel counts memory in batches, and finds none in a program that has only been begun: this one answers first.
        child.stdin.as_mut().expect("a pipe").write_all(b"x").expect("cat listens");
        child.stdout.as_mut().expect("a pipe").read_exact(&mut [0]).expect("cat answers");
        let pid = i32::try_from(child.id()).expect("a process id");
        assert!(descendants(me).contains(&pid));
        assert!(usage(me).tasks >= 1);
        assert!(usage(me).resident > 0);
        drop(child.stdin.take());
        child.wait().expect("cat ends");
    }
}
