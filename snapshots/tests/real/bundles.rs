//! Strangers' bundles: what git made is read, what is no bundle or leads elsewhere is refused.

use crate::support::{Place, commit_all, git, has_git};
use proptest::prelude::*;
use snapshots::{MAX_BUNDLE_BYTES, SnapshotsError, unbundle};
use std::fs;
use std::path::Path;

fn read(bytes: &[u8]) -> Result<std::collections::BTreeMap<String, Vec<u8>>, SnapshotsError> {
    let scratch = tempfile::tempdir().unwrap();
    unbundle(bytes, scratch.path())
}

/// A bundle of the target's folder, as git makes it.
fn bundle_of(target: &Path, range: &str) -> Vec<u8> {
    let name = target.with_extension("bundle");
    git(target, &["bundle", "create", name.to_str().unwrap(), range]);
    fs::read(name).unwrap()
}

fn committed() -> Place {
    let place = Place::new();
    let target = place.target();
    git(&target, &["init", "-q"]);
    fs::create_dir(target.join("src")).unwrap();
    fs::write(target.join("src/program.py"), "x = 1\n").unwrap();
    fs::write(target.join("darwind.toml"), "[target]\n").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", target.join("link")).unwrap();
    commit_all(&target);
    place
}

#[test]
fn what_git_bundles_is_read_without_its_links() {
    if !has_git() {
        return;
    }
    let place = committed();
    let files = read(&bundle_of(&place.target(), "HEAD")).unwrap();
    assert_eq!(files.keys().map(String::as_str).collect::<Vec<_>>(), ["darwind.toml", "src/program.py"]);
    assert_eq!(files["src/program.py"], b"x = 1\n");
}

#[test]
fn what_leans_on_other_commits_or_is_broken_is_refused() {
    if !has_git() {
        return;
    }
    let place = committed();
    let target = place.target();
    let whole = bundle_of(&target, "HEAD");
    fs::write(target.join("src/program.py"), "x = 2\n").unwrap();
    commit_all(&target);
    let part = read(&bundle_of(&target, "HEAD~1..HEAD"));
    assert!(matches!(&part, Err(SnapshotsError::Bundle(text)) if text.contains("does not hold")), "{part:?}");
    for cut in [0, 10, 16, 60, whole.len() / 2, whole.len() - 1] {
        assert!(read(&whole[..cut]).is_err(), "cut at {cut}");
    }
    assert!(read(&vec![b'x'; MAX_BUNDLE_BYTES + 1]).is_err());
    fs::write(target.join("large.bin"), vec![0; 2 << 20]).unwrap();
    commit_all(&target);
    let large = read(&bundle_of(&target, "HEAD"));
    assert!(
        matches!(&large, Err(SnapshotsError::Bundle(text)) if text.contains("more than is read")),
        "{large:?}"
    );
}

#[test]
fn a_small_bundle_that_inflates_to_much_is_refused_before_it_is_indexed() {
    if !has_git() {
        return;
    }
    let place = committed();
    let target = place.target();
    fs::write(target.join("zeros.bin"), vec![0; 64 << 20]).unwrap();
    commit_all(&target);
    let bytes = bundle_of(&target, "HEAD");
    assert!(bytes.len() < MAX_BUNDLE_BYTES, "{}", bytes.len());
    let scratch = tempfile::tempdir().unwrap();
    let refused = unbundle(&bytes, scratch.path());
    assert!(
        matches!(&refused, Err(SnapshotsError::Bundle(text)) if text.contains("inflates to more")),
        "{refused:?}"
    );
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_are_too_strange(tail in prop::collection::vec(any::<u8>(), 0..200), text in "[0-9a-f]{40} [a-zA-Z/]{1,8}\n") {
        let mut bytes = b"# v2 git bundle\n".to_vec();
        bytes.extend(text.as_bytes());
        bytes.extend(b"\nPACK\0\0\0\x02");
        bytes.extend(tail);
        prop_assert!(read(&bytes).is_err());
    }
}
