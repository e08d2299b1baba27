//! Candidates as commits: what goes in comes out, the same request gives the same commit, and the real git reads all.

use crate::support::{self, Place, anything, commit, git, has_git, id, import, patch, request};
use evolution::ports::Snapshots;
use snapshots::{Access, FileKind, GitSnapshots};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

/// Paths and what they become.
type Changes<'a> = &'a [(&'a str, Option<&'a [u8]>)];

/// A target with everything that a tree can hold.
fn colourful() -> Place {
    let place = Place::new();
    place.write("main.py", "print('hello')\n");
    place.write("data/image.bin", [0_u8, 159, 146, 150, 255, 0, 10, 13]);
    place.write("run.sh", "#!/bin/sh\n");
    fs::set_permissions(place.target().join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    place.write("größe/\u{1f980} crab.py", "x = 1\n");
    place.write("odd \"quoted\" name\twith\nall", "y\n");
    place.write("-rf", "z\n");
    place.write("empty", "");
    place.write("a-b", "sorts between a/ and a0\n");
    place.write("a/b", "nested\n");
    place.write("a0", "after\n");
    fs::write(place.target().join(std::ffi::OsStr::from_bytes(b"latin\xff1")), "no utf-8\n").unwrap();
    symlink("main.py", place.target().join("link.py")).unwrap();
    symlink("../main.py", place.target().join("a/up")).unwrap();
    place
}

fn tree_of(folder: &Path) -> BTreeMap<Vec<u8>, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut ahead = vec![folder.to_path_buf()];
    while let Some(next) = ahead.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.symlink_metadata().unwrap();
            let name = path.strip_prefix(folder).unwrap().as_os_str().as_bytes().to_vec();
            if kind.is_dir() {
                ahead.push(path);
            } else if kind.is_symlink() {
                found
                    .insert(name, (0o120_000, fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec()));
            } else {
                found.insert(name, (kind.permissions().mode() & 0o111, fs::read(&path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn everything_that_goes_in_comes_out() {
    let place = colourful();
    let (snapshots, baseline) = place.imported();
    let out = place.path("out");
    let count = snapshots.export(&baseline, &out).unwrap();
    assert_eq!(count, 13);
    assert_eq!(tree_of(&out), tree_of(&place.target()));
    let listed = snapshots.list(&baseline).unwrap();
    assert_eq!(listed.len(), count);
    let script = listed.iter().find(|file| file.path == Path::new("run.sh")).unwrap();
    assert_eq!((script.kind, script.bytes), (FileKind::Executable, 10));
    assert_eq!(snapshots.read(&baseline, Path::new("a/up")).unwrap(), b"../main.py");
    assert!(snapshots.read(&baseline, Path::new("nowhere")).is_err());
    assert!(snapshots.read(&baseline, Path::new("../outside")).is_err());
    assert!(snapshots.export(&baseline, &out).is_err(), "a folder that is not empty was written to");
}

#[test]
fn a_patch_changes_what_it_names_and_nothing_else() {
    let place = colourful();
    let (mut snapshots, baseline) = place.imported();
    let child = commit(
        &mut snapshots,
        1,
        &baseline,
        &[
            ("run.sh", Some(b"#!/bin/bash\n")),
            ("new/deep/file.py", Some(b"1\n")),
            ("a0", None),
            ("a/b", None),
        ],
    );
    snapshots.export(&child, &place.path("out")).unwrap();
    let mut expected = tree_of(&place.target());
    expected.insert(b"run.sh".to_vec(), (0o111, b"#!/bin/bash\n".to_vec()));
    expected.insert(b"new/deep/file.py".to_vec(), (0, b"1\n".to_vec()));
    expected.remove(b"a0".as_slice());
    expected.remove(b"a/b".as_slice());
    assert_eq!(tree_of(&place.path("out")), expected);
    // Removing the last file of a folder removes the folder.
    let grandchild = commit(&mut snapshots, 2, &child, &[("new/deep/file.py", None)]);
    assert!(!snapshots.list(&grandchild).unwrap().iter().any(|file| file.path.starts_with("new")));
}

#[test]
fn patches_that_do_not_fit_are_refused_and_leave_no_candidate() {
    let place = colourful();
    let mut snapshots =
        GitSnapshots::open(&place.repository(), Access::Write, Arc::new(|path| path != "run.sh")).unwrap();
    let baseline = import(&mut snapshots, &place.target()).unwrap().commit;
    let journal = || fs::metadata(place.repository().join("darwind-journal")).unwrap().len();
    let before = journal();
    let bad: [Changes<'_>; 12] = [
        &[("../escape", Some(b"x"))],
        &[("/absolute", Some(b"x"))],
        &[(".git/hooks/post-commit", Some(b"x"))],
        &[("sub/.GIT/config", Some(b"x"))],
        &[("a//b", Some(b"x"))],
        &[("link.py", Some(b"x"))],
        &[("link.py/below", Some(b"x"))],
        &[("main.py/below", Some(b"x"))],
        &[("a", Some(b"a file where a folder is"))],
        &[("nowhere", None)],
        &[("run.sh", Some(b"protected"))],
        &[("main.py", Some(b"1")), ("main.py", Some(b"2"))],
    ];
    for changes in bad {
        let result = snapshots.commit(&request(1, &[&baseline], patch(changes)));
        assert!(result.is_err(), "{changes:?} passed");
    }
    assert_eq!(snapshots.candidate(1), None);
    assert_eq!(journal(), before);
    // What a refused patch held is not taken for known by the next one.
    let fits = snapshots.commit(&request(1, &[&baseline], patch(&[("new", Some(b"x"))]))).unwrap();
    let reader = GitSnapshots::open(&place.repository(), Access::Read, anything()).unwrap();
    assert_eq!(reader.read(&fits, Path::new("new")).unwrap(), b"x");
}

#[test]
fn a_file_can_make_room_for_a_folder_and_back() {
    let place = Place::new();
    place.write("a", "file\n");
    place.write("keep", "k\n");
    let (mut snapshots, baseline) = place.imported();
    let folder = commit(&mut snapshots, 1, &baseline, &[("a", None), ("a/b", Some(b"1\n"))]);
    let file = commit(&mut snapshots, 2, &folder, &[("a/b", None), ("a", Some(b"file\n"))]);
    assert_eq!(snapshots.changed(&baseline, &file).unwrap(), []);
    let out = place.path("out");
    snapshots.export(&baseline, &out).unwrap();
    for (from, to) in [(&baseline, &folder), (&folder, &file)] {
        snapshots.checkout_changes(from, to, &out).unwrap();
        let fresh = place.path(to.as_str());
        snapshots.export(to, &fresh).unwrap();
        assert_eq!(tree_of(&out), tree_of(&fresh));
    }
}

#[test]
fn the_same_request_gives_the_same_commit_anywhere() {
    let (one, two) = (colourful(), colourful());
    let (mut first, baseline) = one.imported();
    let (mut second, other) = two.imported();
    assert_eq!(baseline, other);
    let asked = request(1, &[&baseline], patch(&[("main.py", Some(b"print(1)\n"))]));
    let made = first.commit(&asked).unwrap();
    assert_eq!(second.commit(&asked).unwrap(), made);
    assert_eq!(first.commit(&asked).unwrap(), made, "asking again made another commit");
    drop(first);
    assert_eq!(one.open().commit(&asked).unwrap(), made, "asking again after a restart made another commit");
    assert_eq!(one.open().candidate(1), Some(made));
    assert_eq!(import(&mut second, &two.target()).unwrap().commit, baseline);
}

#[test]
fn files_are_those_that_may_change() {
    let place = colourful();
    let may = |path: &str| {
        Path::new(path).extension().is_some_and(|extension| extension == "py") || path.starts_with("data/")
    };
    let mut snapshots = GitSnapshots::open(&place.repository(), Access::Write, Arc::new(may)).unwrap();
    let baseline = import(&mut snapshots, &place.target()).unwrap().commit;
    for _ in 0..2 {
        let files = snapshots.files(&baseline).unwrap();
        let names: Vec<_> = files.0.keys().map(String::as_str).collect();
        assert_eq!(names, ["data/image.bin", "größe/\u{1f980} crab.py", "main.py"]);
        assert_eq!(files.text("main.py"), Some("print('hello')\n"));
    }
    // A folder that held nothing that may change, and now does.
    let child = commit(&mut snapshots, 1, &baseline, &[("a/new.py", Some(b"1\n"))]);
    assert!(snapshots.files(&child).unwrap().0.contains_key("a/new.py"));
    assert!(!snapshots.files(&baseline).unwrap().0.contains_key("a/new.py"));
}

#[test]
fn notes_hold_scores_and_the_last_one_counts() {
    let place = colourful();
    let (mut snapshots, baseline) = place.imported();
    let scores = BTreeMap::from([("performance".to_owned(), 0.25), ("size".to_owned(), 12.0)]);
    snapshots.annotate(&baseline, &BTreeMap::new(), "pending").unwrap();
    snapshots.annotate(&baseline, &scores, "accepted").unwrap();
    let expected = r#"{"scores":{"performance":0.25,"size":12.0},"verdict":"accepted"}"#;
    assert_eq!(snapshots.note(&baseline).unwrap().as_deref(), Some(expected));
    let reader = GitSnapshots::open(&place.repository(), Access::Read, anything()).unwrap();
    assert_eq!(
        reader.note(&baseline).unwrap().as_deref(),
        Some(expected),
        "waiting notes are hidden from readers"
    );
    snapshots.flush().unwrap();
    assert_eq!(snapshots.note(&baseline).unwrap().as_deref(), Some(expected));
    if has_git() {
        let shown = git(&place.repository(), &["notes", "--ref=darwind", "show", baseline.as_str()]);
        assert_eq!(shown.trim_end(), expected);
    }
}

#[test]
fn the_champion_moves_there_and_back() {
    let place = colourful();
    let (mut snapshots, baseline) = place.imported();
    let child = commit(&mut snapshots, 1, &baseline, &[("main.py", Some(b"print(2)\n"))]);
    let work = place.path("work");
    snapshots.export(&baseline, &work).unwrap();
    for (from, to) in [(&baseline, &child), (&child, &baseline), (&baseline, &child)] {
        snapshots.set_champion(to).unwrap();
        assert_eq!(snapshots.champion().unwrap().as_ref(), Some(to));
        let touched = snapshots.checkout_changes(from, to, &work).unwrap();
        assert_eq!(touched, [Path::new("main.py")]);
        assert_eq!(
            fs::read(work.join("main.py")).unwrap(),
            snapshots.read(to, Path::new("main.py")).unwrap()
        );
    }
    let missing = evolution::id::CommitId::new("0123456789012345678901234567890123456789");
    assert!(snapshots.set_champion(&missing).is_err());
    assert_eq!(snapshots.champion().unwrap(), Some(child));
}

#[test]
fn a_champion_whose_content_is_damaged_is_refused() {
    let place = colourful();
    let (mut snapshots, baseline) = place.imported();
    let packs =
        || fs::read_dir(place.repository().join("objects/pack")).unwrap().map(|file| file.unwrap().path());
    let before: Vec<_> = packs().collect();
    let child = commit(&mut snapshots, 1, &baseline, &[("main.py", Some(b"print(2)\n"))]);
    drop(snapshots);
    let added = |path: &std::path::PathBuf| path.extension().unwrap() == "pack" && !before.contains(path);
    let pack = packs().find(added).unwrap();
    // One bit at a time, all through the pack's objects. Only bits that no content depends on (zlib's padding and
    // checksum) may pass.
    let whole = fs::read(&pack).unwrap();
    let mut refused = 0;
    for at in 12..whole.len() - 20 {
        let mut damaged = whole.clone();
        damaged[at] ^= 4;
        fs::remove_file(&pack).unwrap();
        fs::write(&pack, damaged).unwrap();
        let mut snapshots = place.open();
        if snapshots.set_champion(&child).is_err() {
            refused += 1;
            assert_eq!(snapshots.champion().unwrap().as_ref(), Some(&baseline));
        } else {
            assert_eq!(snapshots.read(&child, Path::new("main.py")).unwrap(), b"print(2)\n");
            snapshots.set_champion(&baseline).unwrap();
        }
    }
    assert!(refused > (whole.len() - 32) * 3 / 4, "{refused} of {} bytes", whole.len() - 32);
}

#[test]
fn git_reads_everything() {
    if !has_git() {
        return;
    }
    let place = colourful();
    let (mut snapshots, baseline) = place.imported();
    let mut parents = vec![baseline.clone()];
    for number in 1..=30 {
        let parent = parents[parents.len() / 2].clone();
        let content = format!("print({number})\n");
        parents.push(commit(&mut snapshots, number, &parent, &[("main.py", Some(content.as_bytes()))]));
        snapshots
            .annotate(
                &parents[parents.len() - 1],
                &BTreeMap::from([("n".into(), f64::from(number))]),
                "viable",
            )
            .unwrap();
    }
    let both = [&parents[3], &parents[4]];
    let crossed = snapshots.commit(&request(31, &both, patch(&[("a0", Some(b"both\n"))]))).unwrap();
    snapshots.set_champion(&crossed).unwrap();
    let repository = place.repository();
    for packed in [false, true] {
        if packed {
            snapshots.flush().unwrap();
            // The candidates, the baseline and the notes.
            assert_eq!(git(&repository, &["log", "--all", "--format=%H"]).lines().count(), 33);
            assert_eq!(git(&repository, &["count-objects"]).split(' ').next(), Some("0"));
        }
        let checked = support::git_output(&repository, &["fsck", "--full", "--strict", "--unreachable"]);
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        assert_eq!(String::from_utf8_lossy(&checked.stdout), "", "something is unreachable");
    }
    let body = git(
        &repository,
        &["log", "-1", "--format=%s|%an|%at|%P|%(trailers:key=Candidate,valueonly)", "champion"],
    );
    let candidate = id(31);
    assert_eq!(body.trim_end(), format!("change 31|darwind|1700000031|{} {}|{candidate}", both[0], both[1]));

    // A clone sees the champion; a fetch sees every candidate and every score.
    let clone = place.path("clone");
    git(&place.path(""), &["clone", "-q", "repository.git", "clone"]);
    assert_eq!(fs::read(clone.join("a0")).unwrap(), b"both\n");
    git(&clone, &["fetch", "-q", "origin", "refs/darwind/*:refs/darwind/*", "refs/notes/*:refs/notes/*"]);
    assert_eq!(git(&clone, &["for-each-ref", "refs/darwind/candidates"]).lines().count(), 32);
    let log = git(&clone, &["log", "-1", "--notes=darwind", "--format=%N", "refs/darwind/candidates/7"]);
    assert_eq!(log.trim(), r#"{"scores":{"n":7.0},"verdict":"viable"}"#);
}

#[test]
fn git_clones_and_fetches_a_bundle() {
    let place = colourful();
    let (mut snapshots, baseline) = place.imported();
    let child = commit(&mut snapshots, 1, &baseline, &[("data/image.bin", Some(&[0, 1, 2]))]);
    snapshots.set_champion(&child).unwrap();
    snapshots.annotate(&child, &BTreeMap::from([("speed".into(), 2.0)]), "accepted").unwrap();
    // From a reader, while the writer still holds an uncommitted note.
    let mut reader = GitSnapshots::open(&place.repository(), Access::Read, anything()).unwrap();
    let bundle = place.path("run.bundle");
    assert_eq!(reader.bundle(&bundle).unwrap(), 5);
    if !has_git() {
        return;
    }
    git(&place.repository(), &["bundle", "verify", "-q", "../run.bundle"]);
    git(&place.path(""), &["clone", "-q", "run.bundle", "clone"]);
    let clone = place.path("clone");
    assert_eq!(fs::read(clone.join("data/image.bin")).unwrap(), [0, 1, 2]);
    assert_eq!(git(&clone, &["branch", "--show-current"]).trim(), "champion");
    git(&clone, &["fetch", "-q", "../run.bundle", "refs/*:refs/*", "--update-head-ok"]);
    let note = git(&clone, &["notes", "--ref=darwind", "show", child.as_str()]);
    assert_eq!(note.trim(), r#"{"scores":{"speed":2.0},"verdict":"accepted"}"#);
    assert_eq!(git(&clone, &["rev-parse", "refs/darwind/candidates/1"]).trim(), child.as_str());
    git(&clone, &["fsck", "--full", "--strict"]);
}

#[test]
fn many_candidates_stay_readable_through_packing() {
    let place = Place::new();
    place.write("main.py", "x = 0\n");
    let (mut snapshots, baseline) = place.imported();
    let mut all = vec![baseline];
    for number in 1..=1_300_u32 {
        let content = format!("x = {number}\n");
        let parent = all[all.len() - 1].clone();
        all.push(commit(&mut snapshots, number, &parent, &[("main.py", Some(content.as_bytes()))]));
        snapshots
            .annotate(&all[all.len() - 1], &BTreeMap::from([("n".into(), f64::from(number))]), "viable")
            .unwrap();
    }
    let mut reader = GitSnapshots::open(&place.repository(), Access::Read, anything()).unwrap();
    let later = commit(&mut snapshots, 1_301, &all[0], &[("main.py", Some(b"later"))]);
    assert_eq!(reader.candidate(1_301), None);
    reader.refresh().unwrap();
    assert_eq!(reader.candidate(1_301), Some(later));
    for number in [0_u32, 1, 511, 512, 513, 1_024, 1_299, 1_300] {
        let commit = &all[number as usize];
        assert_eq!(reader.candidate(number).as_ref(), Some(commit));
        assert_eq!(reader.read(commit, Path::new("main.py")).unwrap(), format!("x = {number}\n").as_bytes());
        assert!(number == 0 || reader.note(commit).unwrap().is_some());
    }
    drop(snapshots);
    let waiting = fs::metadata(place.repository().join("darwind-journal")).unwrap().len();
    assert_eq!(waiting, 0, "something was left in the journal at the end");
    if has_git() {
        assert_eq!(
            git(&place.repository(), &["rev-list", "--count", "refs/darwind/candidates/1300"]).trim(),
            "1301"
        );
    }
}

#[test]
fn a_reader_writes_nothing() {
    let place = colourful();
    let (snapshots, baseline) = place.imported();
    drop(snapshots);
    let before = tree_of(&place.repository());
    let mut reader = GitSnapshots::open(&place.repository(), Access::Read, anything()).unwrap();
    assert!(reader.commit(&request(1, &[&baseline], patch(&[("a0", Some(b"x"))]))).is_err());
    assert!(reader.set_champion(&baseline).is_err());
    assert!(reader.annotate(&baseline, &BTreeMap::new(), "x").is_err());
    assert!(reader.flush().is_err());
    reader.refresh().unwrap();
    reader.bundle(&place.path("run.bundle")).unwrap();
    drop(reader);
    assert_eq!(tree_of(&place.repository()), before);
    assert!(GitSnapshots::open(&place.path("nowhere"), Access::Read, anything()).is_err());
}

#[test]
fn a_number_that_a_crash_used_twice_keeps_both_commits() {
    let place = colourful();
    let (mut snapshots, baseline) = place.imported();
    let lost = commit(&mut snapshots, 1, &baseline, &[("a0", Some(b"lost\n"))]);
    let kept = commit(&mut snapshots, 1, &baseline, &[("a0", Some(b"kept\n"))]);
    assert_eq!(snapshots.candidate(1), Some(kept));
    snapshots.flush().unwrap();
    if has_git() {
        let found =
            git(&place.repository(), &["for-each-ref", "--format=%(objectname)", "refs/darwind/superseded"]);
        assert_eq!(found.trim(), lost.as_str());
    }
}
