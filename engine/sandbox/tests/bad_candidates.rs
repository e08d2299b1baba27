//! The bad candidates: programs that try to get out of a cell, to hurt the machine, to outlive their cell or to leave
//! something behind. Each is run at every level that this host has and in every situation that it allows, and is to be
//! held and reported as the list says; afterwards nothing outside may have changed and nobody may be left.
//!
//! A level or situation that cannot be had here is printed as skipped, with the reason.
#![expect(clippy::expect_used, reason = "a test that cannot prepare its ground has failed")]
#![expect(clippy::print_stdout, reason = "what was held is said")]

#[path = "bad_candidates/ground.rs"]
mod ground;
#[path = "bad_candidates/rows.rs"]
mod rows;

use ground::{Ground, Situation, processes, survivors};
use rows::{ROWS, Row, limits};
use sandbox::cell::{Level, Received};
use std::io::Write;
use std::time::{Duration, Instant};

/// How long the dead may take to be gone.
const PATIENCE: Duration = Duration::from_secs(20);

fn ground(level: Level, situation: Situation) -> Option<Ground> {
    match Ground::new(level, situation) {
        Ok(ground) => Some(ground),
        Err(reason) => {
            // Past the harness, which keeps what a passing test prints to itself.
            let _ = writeln!(std::io::stderr(), "skipped: level {level}, {situation:?}: {reason}");
            None
        }
    }
}

/// What is wrong with how a row came out.
fn faults(ground: &mut Ground, row: &Row) -> Vec<String> {
    let mut limits = limits();
    (row.limits)(&mut limits);
    let allowed = limits.clone();
    let mut faults = Vec::new();
    for _ in 0..row.runs {
        let told = ground.run(row.file, limits.clone());
        let about = || {
            let lines = String::from_utf8_lossy(&told.report.report);
            let tail: String = lines.lines().rev().take(4).collect::<Vec<_>>().join("; ");
            let errors = String::from_utf8_lossy(&told.report.stderr);
            let errors: String = errors.lines().rev().take(3).collect::<Vec<_>>().join("; ");
            format!(
                "words {:?}, reported {:.300?}, said {errors:.300?}, wall {:?}",
                told.words, tail, told.report.wall
            )
        };
        if told.outcome != row.outcome {
            faults.push(format!("ended as {} instead of {}: {}", told.outcome, row.outcome, about()));
        }
        for word in row.words.iter().filter(|word| !ground.reports(&told, word)) {
            faults.push(format!("does not report {word}: {}", about()));
        }
        if !(row.sampled_when_fenced && ground.level == Level::L1) {
            faults.extend(told.breaches.iter().cloned());
        }
        let report = &told.report;
        let most = [
            (&report.stdout, allowed.output),
            (&report.stderr, allowed.output),
            (&report.report, allowed.report),
        ];
        faults.extend(
            most.iter()
                .filter(|(bytes, most)| bytes.len() as u64 > *most)
                .map(|_| "too much output was kept".to_owned()),
        );
        if row.file == "row_09_orphan_cpu" && report.cpu_verified && report.cpu < Duration::from_millis(490) {
            faults.push(format!("of 0.5 s of an orphan's work {:?} are on the bill", report.cpu));
        }
        faults.extend(ground.damage());
    }
    faults
}

fn all_rows(level: Level, situation: Situation) {
    let Some(mut ground) = ground(level, situation) else { return };
    let mut wrong = Vec::new();
    for row in ROWS {
        let t = Instant::now();
        let faults = faults(&mut ground, row);
        if t.elapsed().as_millis() > 900 {
            println!("took {:?} {level} {}", t.elapsed(), row.file);
        }
        if !faults.is_empty() {
            wrong.push(format!("{}: {}", row.file, faults.join("\n    ")));
        }
    }
    assert!(wrong.is_empty(), "{level}, {situation:?}: {} rows\n{}", wrong.len(), wrong.join("\n"));
    println!("held: {} rows at level {level}, {situation:?}", ROWS.len());
}

#[test]
fn fenced() {
    all_rows(Level::L1, Situation::Plain);
}

#[test]
fn fenced_by_an_ordinary_user() {
    all_rows(Level::L1, Situation::OrdinaryUser);
}

#[test]
fn fenced_within_a_container() {
    all_rows(Level::L1, Situation::Container);
}

#[test]
fn fenced_as_root_for_want_of_another_user() {
    all_rows(Level::L1, Situation::PrivateFolders);
}

#[test]
fn contained() {
    all_rows(Level::L2, Situation::Plain);
}

#[test]
fn contained_by_an_ordinary_user() {
    all_rows(Level::L2, Situation::OrdinaryUser);
}

#[test]
fn contained_with_private_folders() {
    all_rows(Level::L2, Situation::PrivateFolders);
}

#[test]
fn metered() {
    all_rows(Level::L3, Situation::Plain);
}

/// Row 44: what watches over a candidate is killed.
#[test]
fn nobody_outlives_the_launcher() {
    let places = [
        (Level::L1, Situation::Plain),
        (Level::L1, Situation::OrdinaryUser),
        (Level::L2, Situation::Plain),
        (Level::L2, Situation::OrdinaryUser),
    ];
    for (level, situation) in places {
        let Some(mut ground) = ground(level, situation) else { continue };
        let folder = ground.folder().to_owned();
        let job = ground.job("row_44_orphans_of_the_launcher", limits());
        let mut session = ground.lane.open(&job).expect("a session");
        for _ in 0..5 {
            let ready = session.receive(PATIENCE);
            let said = matches!(&ready, Received::Line(line) if line.starts_with(b"note ready"));
            assert!(said, "{level} {situation:?}: {ready:?}");
        }
        let launcher = processes(&folder.join("launcher").display().to_string());
        let number = |line: &String| line.split(' ').next().and_then(|number| number.parse::<i32>().ok());
        // The oldest of them is the launcher, the others are the first processes of its cells.
        let oldest = launcher.iter().filter_map(number).min().expect("a launcher");
        let oldest = rustix::process::Pid::from_raw(oldest).expect("a process");
        assert_eq!(survivors(&folder).len(), 5, "{level} {situation:?}");
        rustix::process::kill_process(oldest, rustix::process::Signal::KILL).expect("the right to kill it");
        let until = Instant::now() + PATIENCE;
        while !survivors(&folder).is_empty() && Instant::now() < until {
            std::thread::yield_now();
        }
        assert_eq!(survivors(&folder), Vec::<String>::new(), "{level} {situation:?}");
        let report = session.finish().expect("a report of what happened");
        assert!(
            matches!(report.outcome, sandbox::cell::CellOutcome::SandboxError(_)),
            "{:?}",
            report.outcome
        );
        assert_eq!(ground.run("good_program", limits()).outcome, "exited(0)", "{level} {situation:?}");
    }
}

/// The same from above: the lane is dropped in the middle of a job.
#[test]
fn nobody_outlives_the_lane() {
    for level in [Level::L1, Level::L2] {
        let Some(ground) = ground(level, Situation::Plain) else { continue };
        let folder = ground.folder().to_owned();
        let mut ground = ground;
        let job = ground.job("row_44_orphans_of_the_launcher", limits());
        let mut session = ground.lane.open(&job).expect("a session");
        assert!(matches!(session.receive(PATIENCE), Received::Line(_)), "{level}");
        drop(session);
        drop(ground);
        let until = Instant::now() + PATIENCE;
        while !survivors(&folder).is_empty() && Instant::now() < until {
            std::thread::yield_now();
        }
        assert_eq!(survivors(&folder), Vec::<String>::new(), "{level}");
    }
}

/// Row 52: what a candidate planted does not run in the next interpreter.
#[test]
fn planted_start_files_do_not_run() {
    for level in [Level::L1, Level::L2] {
        let Some(mut ground) = ground(level, Situation::Plain) else { continue };
        let _ = ground.run("row_52_start_files", limits());
        let job = ground.job("attempt", limits());
        let report = ground.lane.run(&job).expect("a report");
        assert_eq!(report.exit, sandbox::cell::Exit::Code(0), "{level}");
        assert_eq!(report.stdout, b"", "{level}");
    }
}

/// What honest programs do works behind the walls.
#[test]
fn honest_programs_work() {
    for (level, situation) in [
        (Level::L1, Situation::Plain),
        (Level::L1, Situation::OrdinaryUser),
        (Level::L1, Situation::Container),
        (Level::L2, Situation::Plain),
        (Level::L2, Situation::OrdinaryUser),
    ] {
        let Some(mut ground) = ground(level, situation) else { continue };
        let told = ground.run("good_program", limits());
        let lines = String::from_utf8_lossy(&told.report.report).into_owned();
        // A fenced cell has no shared memory, which a pool's locks need.
        let excused = |line: &str| level == Level::L1 && line.starts_with("note pool");
        let failed: Vec<&str> =
            lines.lines().filter(|line| !line.ends_with("works") && !excused(line)).collect();
        assert!(failed.is_empty(), "{level} {situation:?}: {failed:?}");
        assert_eq!(lines.lines().count(), 7, "{level} {situation:?}: {lines}");
        assert!(told.report.denials.is_empty(), "{level} {situation:?}: {:?}", told.report.denials);
        assert_eq!(ground.damage(), Vec::<String>::new(), "{level} {situation:?}");
    }
}
