//! Where targets come from and where winners go: what is taken in, and that nobody's work is lost on the way back.

use crate::support::{Place, commit, commit_all, git, git_output, has_git, import, import_with};
use evolution::id::CommitId;
use snapshots::{Destination, GitSnapshots, Selection, SnapshotsError};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

fn names(snapshots: &GitSnapshots, commit: &CommitId) -> Vec<String> {
    snapshots.list(commit).unwrap().into_iter().map(|file| file.path.to_string_lossy().into_owned()).collect()
}

fn litter(place: &Place) {
    for path in [
        "main.py",
        "__pycache__/main.pyc",
        ".venv/bin/x",
        "node_modules/m/index.js",
        "env/pyvenv.cfg",
        "env/lib.py",
    ] {
        place.write(path, "content\n");
    }
    place.write("vendored/.git/config", "[core]\n");
    place.write("vendored/code.py", "1\n");
    place.write("module/.git", "gitdir: ../elsewhere\n");
    place.write("module/code.py", "1\n");
}

#[test]
fn a_target_without_git_comes_without_its_litter() {
    let place = Place::new();
    litter(&place);
    assert!(Command::new("mkfifo").arg(place.target().join("pipe")).status().unwrap().success());
    let mut snapshots = place.open();
    let imported = import(&mut snapshots, &place.target()).unwrap();
    assert_eq!(names(&snapshots, &imported.commit), ["main.py", "module/code.py", "vendored/code.py"]);
    assert_eq!((imported.files, imported.bytes, imported.git), (3, 12, false));
    assert!(imported.warnings[0].contains("pipe"), "{:?}", imported.warnings);
}

#[test]
fn a_selection_takes_in_and_leaves_out() {
    let place = Place::new();
    litter(&place);
    place.write("runs/data.bin", "x\n");
    let selection = Selection {
        take_in: Some(Arc::new(|path| path == "node_modules/m/index.js")),
        leave_out: Some(Arc::new(|path| path == "runs" || path == "module")),
        ..Selection::default()
    };
    let mut snapshots = place.open();
    let imported = import_with(&mut snapshots, &place.target(), selection).unwrap();
    let taken = names(&snapshots, &imported.commit);
    assert!(taken.contains(&"node_modules/m/index.js".to_owned()), "{taken:?}");
    assert!(!taken.iter().any(|path| path.starts_with("runs") || path.starts_with("module/")), "{taken:?}");
    assert!(!taken.iter().any(|path| path.starts_with(".venv") || path.contains("__pycache__")), "{taken:?}");
}

#[test]
fn a_target_in_git_follows_its_rules_and_is_not_touched() {
    if !has_git() {
        return;
    }
    let place = Place::new();
    for path in ["project/main.py", "project/kept.log", "project/venv/tracked.py", "README"] {
        place.write(path, "committed\n");
    }
    commit_all(&place.target());
    place.write(".gitignore", "*.log\nbuild/\n");
    place.write("project/main.py", "not committed\n");
    for path in ["project/new.py", "project/other.log", "project/build/out", "project/venv/untracked.py"] {
        place.write(path, "untracked\n");
    }
    let index = fs::read(place.target().join(".git/index")).unwrap();
    let mut snapshots = place.open();
    let imported = import(&mut snapshots, &place.target().join("project")).unwrap();
    assert!(imported.git);
    assert_eq!(names(&snapshots, &imported.commit), ["kept.log", "main.py", "new.py", "venv/tracked.py"]);
    assert_eq!(snapshots.read(&imported.commit, Path::new("main.py")).unwrap(), b"not committed\n");
    assert_eq!(fs::read(place.target().join(".git/index")).unwrap(), index);
}

#[test]
fn a_target_in_a_folder_that_git_ignores_is_taken_as_it_is() {
    if !has_git() {
        return;
    }
    let place = Place::new();
    place.write(".gitignore", "scratch/\n");
    commit_all(&place.target());
    place.write("scratch/target/main.py", "x\n");
    let mut snapshots = place.open();
    let imported = import(&mut snapshots, &place.target().join("scratch/target")).unwrap();
    assert_eq!(names(&snapshots, &imported.commit), ["main.py"]);
    assert!(!imported.git);
}

/// A committed target in git, and a winner that changes one file, adds one and removes one.
fn with_winner() -> (Place, GitSnapshots, CommitId) {
    let place = Place::new();
    place.write("src/main.py", "x = 0\n");
    place.write("src/old.py", "old\n");
    place.write("src/other.py", "untouched\n");
    commit_all(&place.target());
    let (mut snapshots, baseline) = place.imported();
    let middle = commit(&mut snapshots, 1, &baseline, &[("src/main.py", Some(b"x = 5\n"))]);
    let changes: [(&str, Option<&[u8]>); 3] =
        [("src/main.py", Some(b"x = 1\n")), ("src/new/file.py", Some(b"new\n")), ("src/old.py", None)];
    let winner = commit(&mut snapshots, 2, &middle, &changes);
    (place, snapshots, winner)
}

fn conflict(result: Result<snapshots::Applied, SnapshotsError>) -> Vec<String> {
    match result {
        Err(SnapshotsError::Conflict { paths, .. }) => paths,
        other => panic!("no conflict but {other:?}"),
    }
}

#[test]
fn in_place_changes_the_files_and_keeps_their_rights() {
    if !has_git() {
        return;
    }
    let (place, snapshots, winner) = with_winner();
    let main = place.target().join("src/main.py");
    fs::set_permissions(&main, fs::Permissions::from_mode(0o640)).unwrap();
    let applied = snapshots.apply(&winner, &place.target(), &Destination::InPlace).unwrap();
    assert_eq!(applied.files, ["src/main.py", "src/new/file.py", "src/old.py"]);
    assert_eq!(fs::read(&main).unwrap(), b"x = 1\n");
    assert_eq!(fs::metadata(&main).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read(place.target().join("src/new/file.py")).unwrap(), b"new\n");
    assert!(!place.target().join("src/old.py").exists());
    let status = git(&place.target(), &["status", "--porcelain", "-uall"]);
    assert_eq!(status, " M src/main.py\n D src/old.py\n?? src/new/file.py\n");
    // The baseline itself has nothing to bring home.
    let baseline = snapshots.baseline().unwrap().unwrap();
    let nothing = snapshots.apply(&baseline, &place.target(), &Destination::Branch("none".into())).unwrap();
    assert_eq!((nothing.files.len(), nothing.commit), (0, None));
}

#[test]
fn in_place_refuses_before_the_first_write() {
    if !has_git() {
        return;
    }
    let (place, snapshots, winner) = with_winner();
    let apply = || snapshots.apply(&winner, &place.target(), &Destination::InPlace);
    // Changed since the run began, whether committed or not.
    place.write("src/old.py", "edited\n");
    assert_eq!(conflict(apply()), ["src/old.py"]);
    git(&place.target(), &["commit", "-q", "-a", "-m", "edited"]);
    assert_eq!(conflict(apply()), ["src/old.py"]);
    place.write("src/old.py", "old\n");
    assert_eq!(conflict(apply()), ["src/old.py"], "work that is not committed was not seen");
    git(&place.target(), &["commit", "-q", "-a", "-m", "back"]);
    // A file where a new one would go.
    place.write("src/new/file.py", "somebody else's\n");
    assert_eq!(conflict(apply()), ["src/new/file.py"]);
    fs::remove_file(place.target().join("src/new/file.py")).unwrap();
    // A link to a file with the right content is not that file.
    fs::rename(place.target().join("src/main.py"), place.path("moved")).unwrap();
    symlink(place.path("moved"), place.target().join("src/main.py")).unwrap();
    assert_eq!(conflict(apply()), ["src/main.py"]);
    fs::remove_file(place.target().join("src/main.py")).unwrap();
    assert_eq!(conflict(apply()), ["src/main.py"], "a file that the user removed came back");
    place.write("src/main.py", "x = 0\n");
    assert_eq!(fs::read(place.path("moved")).unwrap(), b"x = 0\n");
    // Another file's changes are nobody's business.
    place.write("src/other.py", "edited\n");
    apply().unwrap();
    assert_eq!(fs::read(place.target().join("src/other.py")).unwrap(), b"edited\n");
}

#[test]
fn in_place_refuses_what_was_never_committed_though_the_run_saw_it() {
    if !has_git() {
        return;
    }
    let place = Place::new();
    place.write("main.py", "committed\n");
    commit_all(&place.target());
    place.write("main.py", "not committed\n");
    place.write("untracked.py", "u\n");
    let (mut snapshots, baseline) = place.imported();
    let one = commit(&mut snapshots, 1, &baseline, &[("main.py", Some(b"better\n"))]);
    assert_eq!(conflict(snapshots.apply(&one, &place.target(), &Destination::InPlace)), ["main.py"]);
    assert_eq!(
        conflict(snapshots.apply(&one, &place.target(), &Destination::Branch("b".into()))),
        ["main.py"]
    );
    assert_eq!(fs::read(place.target().join("main.py")).unwrap(), b"not committed\n");
    let two = commit(&mut snapshots, 2, &baseline, &[("untracked.py", Some(b"better\n"))]);
    snapshots.apply(&two, &place.target(), &Destination::InPlace).unwrap();
}

#[test]
fn a_branch_leaves_everything_else_as_it_is() {
    if !has_git() {
        return;
    }
    let (place, snapshots, winner) = with_winner();
    let target = place.target();
    place.write("src/main.py", "x = 'my own unfinished work'\n");
    place.write("src/other.py", "staged\n");
    git(&target, &["add", "src/other.py"]);
    let before = (git(&target, &["status", "--porcelain"]), git(&target, &["rev-parse", "HEAD"]));
    let index = fs::read(target.join(".git/index")).unwrap();
    let branch = Destination::Branch("darwind/best".into());
    let applied = snapshots.apply(&winner, &target, &branch).unwrap();
    assert_eq!(git(&target, &["rev-parse", "darwind/best"]).trim(), applied.commit.unwrap());
    assert_eq!(fs::read(target.join(".git/index")).unwrap(), index);
    assert_eq!((git(&target, &["status", "--porcelain"]), git(&target, &["rev-parse", "HEAD"])), before);
    assert_eq!(fs::read(target.join("src/main.py")).unwrap(), b"x = 'my own unfinished work'\n");
    let changed = git(&target, &["diff", "--name-status", "HEAD", "darwind/best"]);
    assert_eq!(changed, "M\tsrc/main.py\nA\tsrc/new/file.py\nD\tsrc/old.py\n");
    assert_eq!(git(&target, &["show", "darwind/best:src/main.py"]), "x = 1\n");
    assert_eq!(git(&target, &["rev-list", "--count", "HEAD..darwind/best"]).trim(), "1");
    git(&target, &["fsck", "--full", "--strict"]);

    let again = snapshots.apply(&winner, &target, &branch).unwrap_err().to_string();
    assert!(again.contains("exists already"), "{again}");
    for name in ["", "a..b", "-x", "a b", "refs/heads/../../x"] {
        let bad = Destination::Branch(name.into());
        assert!(snapshots.apply(&winner, &target, &bad).is_err(), "{name:?} became a branch");
    }
    git(&target, &["checkout", "-q", "--", "src/main.py"]);
    place.write("src/main.py", "x = 'committed since'\n");
    git(&target, &["commit", "-q", "-a", "-m", "since"]);
    let late = Destination::Branch("late".into());
    assert_eq!(conflict(snapshots.apply(&winner, &target, &late)), ["src/main.py"]);
}

#[test]
fn a_branch_from_a_subfolder_keeps_line_ends_as_git_has_them() {
    if !has_git() {
        return;
    }
    let place = Place::new();
    place.write("part/main.py", "x = 0\r\ny = 0\r\n");
    place.write("main.py", "another of the same name\n");
    place.write(".gitattributes", "*.py text eol=crlf\n");
    commit_all(&place.target());
    let part = place.target().join("part");
    let mut snapshots = place.open();
    let baseline = import(&mut snapshots, &part).unwrap().commit;
    let winner = commit(&mut snapshots, 1, &baseline, &[("main.py", Some(b"x = 1\r\ny = 0\r\n"))]);
    snapshots.apply(&winner, &part, &Destination::Branch("best".into())).unwrap();
    assert_eq!(git(&place.target(), &["show", "best:part/main.py"]), "x = 1\ny = 0\n");
    assert_eq!(git(&place.target(), &["diff", "--name-only", "HEAD", "best"]), "part/main.py\n");
    assert_eq!(git(&place.target(), &["status", "--porcelain"]), "");
    snapshots.apply(&winner, &part, &Destination::InPlace).unwrap();
    assert_eq!(fs::read(part.join("main.py")).unwrap(), b"x = 1\r\ny = 0\r\n");
}

#[test]
fn without_git_or_without_a_commit_a_branch_is_an_error_that_helps() {
    let place = Place::new();
    place.write("main.py", "x = 0\n");
    let (mut snapshots, baseline) = place.imported();
    let winner = commit(&mut snapshots, 1, &baseline, &[("main.py", Some(b"x = 1\n"))]);
    let branch = Destination::Branch("best".into());
    let error = snapshots.apply(&winner, &place.target(), &branch).unwrap_err().to_string();
    assert!(error.contains("--in-place") && error.contains("--patch"), "{error}");
    if has_git() {
        git(&place.target(), &["init", "-q"]);
        assert!(snapshots.apply(&winner, &place.target(), &branch).is_err());
    }
    snapshots.apply(&winner, &place.target(), &Destination::InPlace).unwrap();
    assert_eq!(fs::read(place.target().join("main.py")).unwrap(), b"x = 1\n");
}

#[test]
fn a_patch_applies_with_git_whatever_it_holds() {
    if !has_git() {
        return;
    }
    let place = Place::new();
    let odd = ["with space.py", "größe/\u{1f980}.py", "quote\"back\\slash.py", "tab\tname.py", "-rf"];
    for path in odd {
        place.write(path, "one\ntwo\nthree\n");
    }
    place.write("image.bin", (0..=255).cycle().take(70_000).collect::<Vec<u8>>());
    place.write("no end", "last line without end");
    place.write("gone.bin", [0, 1, 2]);
    place.write("emptied", "x\n");
    place.write("deep/er/gone.py", "x\n");
    let (mut snapshots, baseline) = place.imported();
    let image: Vec<u8> = (0..=255).rev().cycle().take(1_000).collect();
    let mut changes: Vec<(&str, Option<&[u8]>)> =
        odd.iter().map(|&path| (path, Some(&b"one\n2\nthree\n"[..]))).collect();
    changes.extend([
        ("image.bin", Some(&image[..])),
        ("new.bin", Some(&[0, 255, 0][..])),
        ("new empty", Some(&b""[..])),
        ("no end", Some(&b"last line without end\nbut more\nnone again"[..])),
        ("gone.bin", None),
        ("deep/er/gone.py", None),
        ("emptied", Some(&b""[..])),
    ]);
    let winner = commit(&mut snapshots, 1, &baseline, &changes);
    let file = place.path("winner.patch");
    let applied = snapshots.apply(&winner, &place.target(), &Destination::Patch(file.clone())).unwrap();
    assert_eq!((applied.files.len(), applied.changed_since.len()), (12, 0));
    assert!(
        snapshots.apply(&winner, &place.target(), &Destination::Patch(file.clone())).is_err(),
        "overwritten"
    );
    let patch = file.to_str().unwrap();
    // As plain files, and below a repository.
    for folder in ["plain", "repository/part"] {
        let copy = place.path(folder);
        snapshots.export(&baseline, &copy).unwrap();
        if folder.contains('/') {
            commit_all(&place.path("repository"));
        }
        let output = git_output(&copy, &["apply", patch]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let expected = place.path(&format!("{folder}-expected"));
        snapshots.export(&winner, &expected).unwrap();
        let same = Command::new("diff").arg("-r").args([&expected, &copy]).output().unwrap();
        let told = String::from_utf8_lossy(&same.stdout).into_owned();
        assert!(same.status.success() || told.lines().all(|line| line.contains(".git")), "{told}");
    }
    let text = snapshots.diff_text(&baseline, &winner).unwrap();
    assert!(text.contains("Binary files a/image.bin and b/image.bin differ"), "{text}");
    assert!(text.contains("\n+2\n") && text.contains("\\ No newline at end of file"));
}

#[test]
fn kinds_change_in_a_patch_too() {
    if !has_git() {
        return;
    }
    let place = Place::new();
    place.write("tool", "echo\n");
    place.write("was file", "target\n");
    symlink("tool", place.target().join("was link")).unwrap();
    let (snapshots, baseline) = place.imported();
    fs::set_permissions(place.target().join("tool"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(place.target().join("was file")).unwrap();
    symlink("tool", place.target().join("was file")).unwrap();
    fs::remove_file(place.target().join("was link")).unwrap();
    place.write("was link", "now a file\n");
    let mut other =
        GitSnapshots::open(&place.path("other.git"), snapshots::Access::Write, Arc::new(|_| true)).unwrap();
    let changed = import(&mut other, &place.target()).unwrap().commit;
    other.bundle(&place.path("other.bundle")).unwrap();
    git(&place.repository(), &["fetch", "-q", "../other.bundle", "refs/heads/baseline:refs/heads/other"]);
    let copy = place.path("copy");
    snapshots.export(&baseline, &copy).unwrap();
    fs::write(place.path("kinds.patch"), snapshots.patch(&baseline, &changed).unwrap()).unwrap();
    git(&copy, &["apply", "../kinds.patch"]);
    assert_eq!(fs::metadata(copy.join("tool")).unwrap().permissions().mode() & 0o111, 0o111);
    assert_eq!(fs::read_link(copy.join("was file")).unwrap(), Path::new("tool"));
    assert_eq!(fs::read(copy.join("was link")).unwrap(), b"now a file\n");
}
