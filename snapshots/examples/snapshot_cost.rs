//! Prints what a snapshot and a rollback cost beside the git command line, in one run: a one-file change in a target
//! of 5,000 files, then what 10,000 candidates do to the cost, the disk and the memory.
//!
//! `cargo run --release -p snapshots --example snapshot_cost [-- CANDIDATES]`
#![expect(clippy::print_stdout, reason = "it is here to print")]

use evolution::candidate::{FileChange, Patch};
use evolution::id::{CommitId, RunId};
use evolution::ports::{SnapshotRequest, Snapshots};
use snapshots::{Access, GitSnapshots, ImportRequest, Selection};
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Files of the target: 50 folders of 100.
const FILES: usize = 5_000;
const FILES_A_FOLDER: usize = 100;
/// Times that each thing is measured; the median is printed.
const ROUNDS: usize = 21;
/// Candidates of the long run, unless said otherwise.
const CANDIDATES: u32 = 10_000;
/// The file that changes.
const CHANGED: &str = "package_07/module_042.py";

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("target");
    write_target(&target)?;
    let (git_snapshot, git_rollback) = measure_git(&target, &folder.path().join("work"))?;
    let mut snapshots = GitSnapshots::open(
        &folder.path().join("run.git"),
        Access::Write,
        Arc::new(|path| path.ends_with(".py")),
    )?;
    let start = Instant::now();
    let baseline = snapshots.import(&ImportRequest {
        directory: &target,
        selection: Selection::default(),
        id: RunId::new("cost").candidate(0),
        summary: "baseline".into(),
        trailers: Vec::new(),
        time_ms: 0,
    })?;
    println!("import of {} files: {:.0} ms", baseline.files, millis(start.elapsed()));
    let (snapshot, rollback) = measure_ours(&mut snapshots, &baseline.commit, &folder.path().join("ours"))?;
    print_pair("snapshot of a one-file change", git_snapshot, snapshot);
    print_pair("rollback", git_rollback, rollback);
    let candidates = std::env::args().nth(1).map_or(Ok(CANDIDATES), |count| count.parse())?;
    long_run(&mut snapshots, &baseline.commit, candidates)?;
    let disk = Command::new("du").args(["-sk", "run.git"]).current_dir(folder.path()).output()?;
    println!(
        "on disk: {} KiB",
        String::from_utf8_lossy(&disk.stdout).split_whitespace().next().unwrap_or("?")
    );
    Ok(())
}

fn write_target(target: &Path) -> Outcome<()> {
    for file in 0..FILES {
        let path = target.join(format!("package_{:02}", file / FILES_A_FOLDER));
        fs::create_dir_all(&path)?;
        fs::write(path.join(format!("module_{:03}.py", file % FILES_A_FOLDER)), content(file, 0))?;
    }
    Ok(())
}

/// A source file of about a hundred lines.
fn content(file: usize, version: usize) -> String {
    let mut text = format!("\"\"\"Module {file}.\"\"\"\n\nVERSION = {version}\n\n");
    for function in 0..25 {
        text.push_str(&format!(
            "def function_{function}(x):\n    return x * {} + VERSION\n\n\n",
            file * 31 + function
        ));
    }
    text
}

fn git(folder: &Path, arguments: &[&str]) -> Outcome<()> {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=cost", "-c", "user.email=cost@example.org", "-c", "gc.auto=0"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}

/// `git add -A && git commit`, and `git reset --hard` to the commit before, in a copy of the target.
fn measure_git(target: &Path, work: &Path) -> Outcome<(Duration, Duration)> {
    let copied = Command::new("cp").arg("-r").args([target, work]).status()?;
    if !copied.success() {
        return Err("cp failed".into());
    }
    for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-q", "-m", "baseline"]] {
        git(work, arguments)?;
    }
    let (mut snapshot, mut rollback) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        fs::write(work.join(CHANGED), content(742, round))?;
        let start = Instant::now();
        git(work, &["add", "-A"])?;
        git(work, &["commit", "-q", "-m", "candidate"])?;
        snapshot.push(start.elapsed());
        let start = Instant::now();
        git(work, &["reset", "-q", "--hard", "HEAD~1"])?;
        rollback.push(start.elapsed());
    }
    Ok((median(snapshot), median(rollback)))
}

/// The same with the engine's snapshots: a commit with its reference, and a verified move of the champion with the
/// changed file written to a folder.
fn measure_ours(
    snapshots: &mut GitSnapshots,
    baseline: &CommitId,
    work: &Path,
) -> Outcome<(Duration, Duration)> {
    snapshots.export(baseline, work)?;
    let (mut snapshot, mut rollback) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let request = request(u32::try_from(round)?, baseline, content(742, round));
        let start = Instant::now();
        let commit = snapshots.commit(&request)?;
        snapshot.push(start.elapsed());
        snapshots.set_champion(&commit)?;
        snapshots.checkout_changes(baseline, &commit, work)?;
        let start = Instant::now();
        snapshots.set_champion(baseline)?;
        snapshots.checkout_changes(&commit, baseline, work)?;
        rollback.push(start.elapsed());
        if fs::read_to_string(work.join(CHANGED))? != content(742, 0) {
            return Err("the rollback did not restore the file".into());
        }
    }
    Ok((median(snapshot), median(rollback)))
}

fn request(number: u32, parent: &CommitId, content: String) -> SnapshotRequest {
    SnapshotRequest {
        id: RunId::new("cost").candidate(number),
        number,
        parents: vec![parent.clone()],
        patch: Patch(vec![FileChange { path: CHANGED.into(), content: Some(content.into_bytes().into()) }]),
        summary: format!("candidate {number}"),
        trailers: vec![("Proposer".into(), "ast".into()), ("Operator".into(), "swap".into())],
        time_ms: i64::from(number) * 1_000,
    }
}

/// Commits and annotates candidate after candidate, packing included, as a run does.
fn long_run(snapshots: &mut GitSnapshots, baseline: &CommitId, candidates: u32) -> Outcome<()> {
    let scores = BTreeMap::from([("performance".to_owned(), 0.123_456), ("accuracy".to_owned(), 0.99)]);
    let mut parent = baseline.clone();
    let tenth = (candidates / 10).max(1);
    let mut spent = Vec::new();
    let first = u32::try_from(ROUNDS)? + 1;
    for step in 0..candidates {
        if step % tenth == 0 {
            spent.push(cpu_seconds()?);
        }
        let content = content(742, usize::try_from(step)? + 1_000);
        let commit = snapshots.commit(&request(first + step, &parent, content))?;
        snapshots.annotate(&commit, &scores, "viable")?;
        // A tree, not a line: a parent is one of the last candidates or the baseline.
        parent = if step % 7 == 0 { baseline.clone() } else { commit };
    }
    spent.push(cpu_seconds()?);
    snapshots.flush()?;
    let last = (cpu_seconds()? - spent[spent.len() - 1]) * 1e3;
    let shares =
        spent.windows(2).map(|pair| (pair[1] - pair[0]) * 1e3 / f64::from(tenth)).collect::<Vec<_>>();
    let shown: Vec<_> = shares.iter().map(|share| format!("{share:.3}")).collect();
    println!("{candidates} candidates with scores, CPU ms each, by tenths of the run: {}", shown.join(" "));
    println!("packing what waited at the end: {last:.0} ms");
    println!("resident at the end: {} KiB", resident_kib()?);
    Ok(())
}

/// CPU time of this thread so far, the only one that works here (proc_pid_schedstat: nanoseconds on the processor).
fn cpu_seconds() -> Outcome<f64> {
    let text = fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds: f64 = text.split_whitespace().next().ok_or("no schedstat")?.parse()?;
    Ok(nanoseconds / 1e9)
}

fn resident_kib() -> Outcome<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").to_owned())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn print_pair(what: &str, git: Duration, ours: Duration) {
    let ratio = git.as_secs_f64() / ours.as_secs_f64();
    println!("{what}: git {:.2} ms, ours {:.3} ms, ratio {ratio:.0}", millis(git), millis(ours));
}
