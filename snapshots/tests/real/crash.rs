//! `kill -9` at any moment: what was reported is there, and the repository is one that git finds nothing wrong with.

use crate::support::{
    CHILD_PLACE, Place, anything, child_place, commit, git, git_output, has_git, patch, request,
};
use evolution::ports::Snapshots;
use snapshots::{Access, GitSnapshots};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// How often the child is killed.
const KILLS: u32 = 25;

/// Candidates after which the child packs, so that many kills meet it there.
const FLUSH_EVERY: u32 = 3;

/// Most candidates of one child: it is long dead before.
const MAX_CANDIDATES: u32 = 10_000;

#[test]
#[ignore = "runs as the child of a_kill_at_any_moment_loses_nothing_that_was_reported"]
fn child_that_is_killed() {
    let Some(place) = child_place() else { return };
    let directory = place.join("repository.git");
    let mut snapshots = GitSnapshots::open(&directory, Access::Write, anything()).unwrap();
    let mut parent = snapshots.baseline().unwrap().unwrap();
    let first = (1..).find(|&number| snapshots.candidate(number).is_none()).unwrap();
    for number in first..first + MAX_CANDIDATES {
        let content = format!("x = {number}\n");
        parent = commit(&mut snapshots, number, &parent, &[("main.py", Some(content.as_bytes()))]);
        snapshots.annotate(&parent, &BTreeMap::from([("n".into(), f64::from(number))]), "viable").unwrap();
        snapshots.set_champion(&parent).unwrap();
        writeln!(std::io::stdout(), "\nreported {number} {parent}").unwrap();
        if number % FLUSH_EVERY == 0 {
            snapshots.flush().unwrap();
        }
    }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_reported() {
    let place = Place::new();
    place.write("main.py", "x = 0\n");
    drop(place.imported());
    let mut reported: Vec<(u32, String)> = Vec::new();
    // Steele and Vigna's SplitMix64 constant: any odd step spreads the moments.
    let mut moment = 7_u64;
    for _ in 0..KILLS {
        moment = moment.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child_that_is_killed", "--ignored", "--nocapture"])
            .env(CHILD_PLACE, place.path(""))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut note = |line: &str| -> bool {
            let Some((number, commit)) = line.strip_prefix("reported ").and_then(|rest| rest.split_once(' '))
            else {
                return false;
            };
            reported.push((number.parse().unwrap(), commit.to_owned()));
            true
        };
        for _ in 0..=(moment >> 32) % 5 {
            while !note(&lines.next().expect("the child ended by itself")) {}
        }
        for _ in 0..(moment >> 40) % 200_000 {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        lines.for_each(|line| {
            note(&line);
        });
        let reader = GitSnapshots::open(&place.repository(), Access::Read, anything()).unwrap();
        for (number, commit) in reported.iter().rev().take(20) {
            let commit = reader.candidate(*number).filter(|found| found.as_str() == commit).unwrap();
            assert_eq!(
                reader.read(&commit, Path::new("main.py")).unwrap(),
                format!("x = {number}\n").as_bytes()
            );
            assert!(reader.note(&commit).unwrap().is_some(), "the scores of candidate {number} are lost");
        }
    }
    let mut snapshots = place.open();
    snapshots.flush().unwrap();
    for (number, commit) in &reported {
        assert_eq!(snapshots.candidate(*number).unwrap().as_str(), commit);
    }
    if has_git() {
        let checked = git_output(&place.repository(), &["fsck", "--full", "--strict"]);
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        let counted = git(&place.repository(), &["count-objects", "-v"]);
        assert!(counted.contains("garbage: 0"), "{counted}");
    }
}

/// Largest file that the child of the next test may write, in the shell's blocks: enough for a few dozen candidates.
const BLOCKS: &str = "256";

/// Exit code of a child that met the error that it was to meet.
const MET_THE_ERROR: i32 = 7;

#[test]
#[ignore = "runs as the child of a_disk_that_takes_no_more_is_an_error_and_loses_nothing"]
fn child_on_a_full_disk() {
    let Some(place) = child_place() else { return };
    let mut snapshots = GitSnapshots::open(&place.join("repository.git"), Access::Write, anything()).unwrap();
    let mut parent = snapshots.baseline().unwrap().unwrap();
    for number in 1..MAX_CANDIDATES {
        let content = format!("x = {number}\n").repeat(1_000);
        let asked = request(number, &[&parent], patch(&[("main.py", Some(content.as_bytes()))]));
        match snapshots.commit(&asked) {
            Ok(commit) => parent = commit,
            Err(error) => {
                assert!(error.to_string().contains("File too large"), "{error}");
                assert_eq!(snapshots.candidate(number), None);
                // It is no accident of the moment, and reading goes on.
                assert!(snapshots.commit(&asked).is_err());
                snapshots.files(&parent).unwrap();
                writeln!(std::io::stdout(), "\nreported {} {parent}", number - 1).unwrap();
                std::io::stdout().flush().unwrap();
                // No tidying: the process is killed in this state.
                std::process::exit(MET_THE_ERROR);
            }
        }
    }
}

#[test]
fn a_disk_that_takes_no_more_is_an_error_and_loses_nothing() {
    let place = Place::new();
    place.write("main.py", "x = 0\n");
    drop(place.imported());
    // The limit of a process stands in for a full disk: each write beyond it fails as one to a full disk does.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"", "sh", BLOCKS])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_on_a_full_disk", "--ignored", "--nocapture"])
        .env(CHILD_PLACE, place.path(""))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(MET_THE_ERROR), "{told}");
    let line = told.lines().find_map(|line| line.strip_prefix("reported ")).unwrap();
    let (number, last) = line.split_once(' ').unwrap();
    let number: u32 = number.parse().unwrap();
    assert!(number > 3, "{told}");
    let mut snapshots = place.open();
    assert_eq!(snapshots.candidate(number).unwrap().as_str(), last);
    for number in 1..=number {
        let commit = snapshots.candidate(number).unwrap();
        let content = snapshots.read(&commit, Path::new("main.py")).unwrap();
        assert_eq!(content, format!("x = {number}\n").repeat(1_000).as_bytes());
    }
    snapshots.flush().unwrap();
    if has_git() {
        git(&place.repository(), &["fsck", "--full", "--strict"]);
    }
}

#[test]
fn a_batch_that_cannot_be_packed_is_packed_later() {
    let place = Place::new();
    place.write("main.py", "x = 0\n");
    let (mut snapshots, baseline) = place.imported();
    let packs = place.repository().join("objects/pack");
    let mut parent = baseline;
    for number in 1..=3_u32 {
        let content = format!("x = {number}\n");
        parent = commit(&mut snapshots, number, &parent, &[("main.py", Some(content.as_bytes()))]);
        snapshots.annotate(&parent, &BTreeMap::from([("n".into(), f64::from(number))]), "viable").unwrap();
        fs::rename(&packs, place.path("away")).unwrap();
        fs::write(&packs, "no folder").unwrap();
        assert!(snapshots.flush().is_err());
        // A request that fails meanwhile must not take anything with it.
        let missing = request(99, &[&parent], patch(&[("nowhere", None)]));
        assert!(snapshots.commit(&missing).is_err());
        fs::remove_file(&packs).unwrap();
        fs::rename(place.path("away"), &packs).unwrap();
        if number == 2 {
            snapshots.flush().unwrap();
        }
    }
    drop(snapshots);
    if has_git() {
        let checked = git_output(&place.repository(), &["fsck", "--full", "--strict"]);
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
    let snapshots = place.open();
    for number in 1..=3_u32 {
        let commit = snapshots.candidate(number).unwrap();
        assert_eq!(
            snapshots.read(&commit, Path::new("main.py")).unwrap(),
            format!("x = {number}\n").as_bytes()
        );
        assert!(snapshots.note(&commit).unwrap().is_some());
    }
}

#[test]
fn what_a_killed_process_leaves_is_tidied_by_the_next_writer_only() {
    let place = Place::new();
    place.write("main.py", "x = 0\n");
    let (mut snapshots, baseline) = place.imported();
    let child = commit(&mut snapshots, 1, &baseline, &[("main.py", Some(b"x = 1\n"))]);
    snapshots.annotate(&child, &BTreeMap::new(), "viable").unwrap();
    std::mem::forget(snapshots);
    let repository = place.repository();
    let leftovers = [
        "refs/heads/champion.lock",
        "refs/darwind/candidates/2.lock",
        "packed-refs.lock",
        "HEAD.lock",
        "objects/pack/tmp_pack_1234",
        "objects/pack/pack_git2_1234",
        "objects/pack/pack-1234.pack",
        "objects/pack/pack-5678.idx",
    ];
    fs::create_dir_all(repository.join("refs/darwind/candidates")).unwrap();
    for path in leftovers {
        fs::write(repository.join(path), "half").unwrap();
    }
    // The end of a record that was being written.
    let mut journal = fs::OpenOptions::new().append(true).open(repository.join("darwind-journal")).unwrap();
    journal.write_all(&[200, 0, 0, 0, 1, 2, 3, 4, b'n']).unwrap();

    let reader = GitSnapshots::open(&repository, Access::Read, anything()).unwrap();
    assert_eq!(reader.candidate(1).as_ref(), Some(&child));
    assert!(leftovers.iter().all(|path| repository.join(path).exists()), "a reader changed something");
    let mut writer = GitSnapshots::open(&repository, Access::Write, anything()).unwrap();
    assert!(!leftovers.iter().any(|path| repository.join(path).exists()));
    assert!(writer.note(&child).unwrap().is_some());
    assert_eq!(writer.note(&baseline).unwrap(), None);
    writer.annotate(&baseline, &BTreeMap::new(), "after").unwrap();
    writer.set_champion(&child).unwrap();
    drop(writer);
    let reader = GitSnapshots::open(&repository, Access::Read, anything()).unwrap();
    assert_eq!(reader.note(&baseline).unwrap().unwrap(), r#"{"scores":{},"verdict":"after"}"#);
}
