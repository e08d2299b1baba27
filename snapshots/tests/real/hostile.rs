//! Targets and folders that set traps: nothing of theirs runs, and no write is led astray.

use crate::support::{
    self, CHILD_PLACE, Place, anything, child_place, commit, commit_all, git, git_output, has_git, import,
};
use evolution::id::CommitId;
use snapshots::{Access, Destination, GitSnapshots};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

const HOOKS: &[&str] = &[
    "applypatch-msg",
    "pre-commit",
    "post-commit",
    "commit-msg",
    "prepare-commit-msg",
    "post-checkout",
    "post-merge",
    "post-index-change",
    "reference-transaction",
    "pre-auto-gc",
    "fsmonitor-watchman",
    "update",
    "post-update",
    "pre-receive",
    "post-receive",
    "post-rewrite",
    "pre-push",
];

/// Sets every trap that `.git` and `.gitattributes` know: each would create the marker.
fn set_traps(git_folder: &Path, marker: &Path) {
    let script = git_folder.join("trap.sh");
    fs::write(&script, format!("#!/bin/sh\ntouch '{}'\ncat\n", marker.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir_all(git_folder.join("hooks")).unwrap();
    for hook in HOOKS {
        fs::copy(&script, git_folder.join("hooks").join(hook)).unwrap();
    }
    let run = script.display();
    let trapped = format!(
        "[core]\n\tfsmonitor = {run}\n\tpager = {run}\n\teditor = {run}\n\tsshCommand = {run}\n\
         [filter \"evil\"]\n\tclean = {run}\n\tsmudge = {run}\n\tprocess = {run}\n\trequired = true\n\
         [diff]\n\texternal = {run}\n[diff \"evil\"]\n\ttextconv = {run}\n\tcommand = {run}\n\
         [merge \"evil\"]\n\tdriver = {run}\n[gpg]\n\tprogram = {run}\n[commit]\n\tgpgSign = true\n"
    );
    let config = git_folder.join("config");
    let before = fs::read_to_string(&config).unwrap();
    fs::write(config, before + &trapped).unwrap();
}

#[test]
fn no_hook_filter_or_monitor_of_a_target_runs() {
    if !has_git() {
        return;
    }
    let place = Place::new();
    let marker = place.path("marker");
    place.write("main.py", "x = 0\n");
    place.write("sub/other.py", "y = 0\n");
    commit_all(&place.target());
    // A bare repository inside, as a target could carry one in its files.
    git(&place.target(), &["init", "-q", "--bare", "nested.git"]);
    set_traps(&place.target().join("nested.git"), &marker);
    place.write(".gitattributes", "* filter=evil diff=evil merge=evil\n");
    set_traps(&place.target().join(".git"), &marker);

    // The traps are live: git itself falls into them.
    git_output(&place.target(), &["status"]);
    assert!(marker.exists(), "the trap does not work, so this test would show nothing");
    fs::remove_file(&marker).unwrap();

    let mut snapshots = place.open();
    let imported = import(&mut snapshots, &place.target()).unwrap();
    assert!(imported.git);
    let baseline = imported.commit;
    assert_eq!(snapshots.read(&baseline, Path::new("main.py")).unwrap(), b"x = 0\n");
    assert!(
        snapshots.read(&baseline, Path::new("nested.git/config")).is_ok(),
        "plain files of the target are kept"
    );
    let child =
        commit(&mut snapshots, 1, &baseline, &[("main.py", Some(b"x = 1\n")), (".gitattributes", None)]);
    snapshots.diff(&baseline, &child).unwrap();
    snapshots.diff_text(&baseline, &child).unwrap();
    snapshots.export(&child, &place.path("out")).unwrap();
    evolution::ports::Snapshots::set_champion(&mut snapshots, &child).unwrap();
    snapshots.bundle(&place.path("run.bundle")).unwrap();
    let target = place.target();
    snapshots.apply(&child, &target, &Destination::Patch(place.path("run.patch"))).unwrap();
    let winner = commit(&mut snapshots, 2, &baseline, &[("main.py", Some(b"x = 2\n"))]);
    snapshots.apply(&winner, &target, &Destination::Branch("winner".into())).unwrap();
    snapshots.apply(&winner, &target, &Destination::InPlace).unwrap();
    assert_eq!(fs::read(target.join("main.py")).unwrap(), b"x = 2\n");
    assert!(!marker.exists(), "something of the target was run");
}

/// What the child process of the next test does. It needs a home folder of its own, which only a process can have.
#[test]
#[ignore = "runs as the child of a_broken_configuration_of_the_user_does_not_matter"]
fn child_with_a_home_of_its_own() {
    let Some(place) = child_place() else { return };
    let mut snapshots = GitSnapshots::open(&place.join("repository.git"), Access::Write, anything()).unwrap();
    let imported = import(&mut snapshots, &place.join("target")).unwrap();
    assert!(!imported.git);
    assert_eq!(imported.warnings.len(), 1);
    commit(&mut snapshots, 1, &imported.commit, &[("main.py", Some(b"x = 1\r\n"))]);
    snapshots.flush().unwrap();
}

#[test]
fn a_broken_configuration_of_the_user_does_not_matter() {
    if !has_git() {
        return;
    }
    let place = Place::new();
    place.write("main.py", "x = 0\r\n");
    commit_all(&place.target());
    fs::write(place.path(".gitconfig"), "[core\nthis is no configuration").unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "hostile::child_with_a_home_of_its_own", "--ignored"])
        .env("HOME", place.path(""))
        .env(CHILD_PLACE, place.path(""))
        .env("GIT_DIR", place.path("elsewhere"))
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
    let snapshots = place.open();
    let child = snapshots.candidate(1).unwrap();
    assert_eq!(snapshots.read(&child, Path::new("main.py")).unwrap(), b"x = 1\r\n");
}

/// A commit of the run's repository that the engine itself would never make.
fn forged(place: &Place, entries: &str) -> CommitId {
    use std::io::Write;
    let mut child = Command::new("git")
        .args(["mktree", "--missing"])
        .current_dir(place.repository())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(entries.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let tree = String::from_utf8(output.stdout).unwrap();
    CommitId::new(git(&place.repository(), &["commit-tree", "-m", "forged", tree.trim()]).trim())
}

#[test]
fn a_forged_tree_is_not_exported() {
    if !has_git() {
        return;
    }
    let place = Place::new();
    place.write("to", "../../outside");
    place.write("file", "content\n");
    let (snapshots, baseline) = place.imported();
    let blob = |path: &str| {
        git(&place.repository(), &["rev-parse", &format!("{baseline}:{path}")]).trim().to_owned()
    };
    let (link, file) = (blob("to"), blob("file"));
    let inner = git(&place.repository(), &["rev-parse", &format!("{baseline}^{{tree}}")]).trim().to_owned();
    let trees = [
        format!("120000 blob {link}\tescape\n"),
        format!("100644 blob {file}\t..\n"),
        format!("040000 tree {inner}\t..\n"),
        format!("040000 tree {inner}\t.git\n"),
        format!("100644 blob {file}\t.GIT\n"),
    ];
    for (index, entries) in trees.iter().enumerate() {
        let forged = forged(&place, entries);
        let out = place.path(&format!("out{index}/inner"));
        assert!(snapshots.export(&forged, &out).is_err(), "{entries} was exported");
        assert!(!out.exists() || fs::read_dir(&out).unwrap().next().is_none());
        let work = place.path(&format!("work{index}"));
        snapshots.export(&baseline, &work).unwrap();
        assert!(snapshots.checkout_changes(&baseline, &forged, &work).is_err(), "{entries} was checked out");
        assert!(!work.join("escape").is_symlink());
    }
    assert!(!place.path("file").exists() && !place.path("out1/file").exists());
}

#[test]
fn a_folder_that_was_swapped_for_a_link_leads_nowhere() {
    let place = Place::new();
    place.write("sub/file.py", "x = 0\n");
    place.write("top.py", "x = 0\n");
    let (mut snapshots, baseline) = place.imported();
    let child = commit(
        &mut snapshots,
        1,
        &baseline,
        &[("sub/file.py", Some(b"x = 1\n")), ("top.py", Some(b"x = 1\n"))],
    );
    let gone = commit(&mut snapshots, 2, &baseline, &[("sub/file.py", None)]);
    let outside = place.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file.py"), "x = 0\n").unwrap();
    for folder in ["work", "target"] {
        let work = place.path(folder);
        if folder == "work" {
            snapshots.export(&baseline, &work).unwrap();
        }
        fs::remove_dir_all(work.join("sub")).unwrap();
        symlink(&outside, work.join("sub")).unwrap();
        assert!(snapshots.checkout_changes(&baseline, &gone, &work).is_err());
        assert!(snapshots.checkout_changes(&baseline, &child, &work).is_err());
        assert!(snapshots.apply(&child, &work, &Destination::InPlace).is_err());
        assert_eq!(fs::read(outside.join("file.py")).unwrap(), b"x = 0\n");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    }
    // A link in place of the file itself is replaced, not followed.
    let work = place.path("other");
    snapshots.export(&baseline, &work).unwrap();
    fs::remove_file(work.join("top.py")).unwrap();
    symlink(outside.join("file.py"), work.join("top.py")).unwrap();
    snapshots.checkout_changes(&baseline, &child, &work).unwrap();
    assert_eq!(fs::read(outside.join("file.py")).unwrap(), b"x = 0\n");
    assert!(!work.join("top.py").is_symlink());
}

#[test]
fn targets_that_cannot_be_imported_say_why() {
    let place = Place::new();
    let mut snapshots = place.open();
    let mut refused = |reason: &str| {
        let error = import(&mut snapshots, &place.target()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    };
    refused("no file of the program");
    place.write("main.py", "x\n");
    symlink("/etc/passwd", place.target().join("absolute")).unwrap();
    refused("\"absolute\": it is a symbolic link that leads out of the target, to /etc/passwd");
    fs::remove_file(place.target().join("absolute")).unwrap();
    symlink("../outside", place.target().join("relative")).unwrap();
    refused("\"relative\": it is a symbolic link that leads out of the target");
    fs::remove_file(place.target().join("relative")).unwrap();
    fs::File::create(place.target().join("huge.bin")).unwrap().set_len(65 * 1024 * 1024).unwrap();
    refused("\"huge.bin\": it is larger than 67108864 bytes");
    fs::remove_file(place.target().join("huge.bin")).unwrap();
    let deep = place.target().join("d/".repeat(70));
    fs::create_dir_all(&deep).unwrap();
    refused("nested deeper");
    fs::remove_dir_all(place.target().join("d")).unwrap();
    let missing = support::import(&mut snapshots, &place.path("missing")).unwrap_err().to_string();
    assert!(missing.contains("missing"), "{missing}");
    // Nothing of all this left a baseline behind.
    assert_eq!(snapshots.baseline().unwrap(), None);
    support::import(&mut snapshots, &place.target()).unwrap();
    place.write("main.py", "changed\n");
    let error = support::import(&mut snapshots, &place.target()).unwrap_err().to_string();
    assert!(error.contains("has a baseline already"), "{error}");
}
