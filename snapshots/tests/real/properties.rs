//! Against naive twins: a candidate's files against a plain map, and a patch against the dullest way to apply one.

use crate::support::{Place, commit, patch, request};
use evolution::ports::Snapshots;
use proptest::prelude::*;
use snapshots::{DiffLine, FileDiff, LineOrigin};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

type Twin = BTreeMap<String, Vec<u8>>;
type Changes = Vec<(String, Option<Vec<u8>>)>;

fn paths() -> impl Strategy<Value = String> {
    // Few names, so that files meet folders and sort orders that differ meet each other.
    prop::collection::vec(prop::sample::select(vec!["a", "b", "a-", "a.b", "a0", "é"]), 1..=3)
        .prop_map(|parts| parts.join("/"))
}

fn changes() -> impl Strategy<Value = Changes> {
    let content = prop::option::weighted(0.7, prop::collection::vec(any::<u8>(), 0..8));
    prop::collection::btree_map(paths(), content, 0..5).prop_map(|map| map.into_iter().collect())
}

/// What the patch makes of the files; `None` when it does not fit.
fn twin_applies(files: &Twin, changes: &Changes) -> Option<Twin> {
    let mut files = files.clone();
    for (path, content) in changes {
        match content {
            Some(content) => {
                files.insert(path.clone(), content.clone());
            }
            None => {
                files.remove(path)?;
            }
        }
    }
    let folders: BTreeSet<String> = files
        .keys()
        .flat_map(|path| path.match_indices('/').map(|(end, _)| path[..end].to_owned()).collect::<Vec<_>>())
        .collect();
    files.keys().all(|path| !folders.contains(path)).then_some(files)
}

/// A text of few different lines, with or without an end, sometimes with carriage returns.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "a\n",
        "b\n",
        "c\n",
        "\n",
        "a\r\n",
        "-- x\n",
        "+++ y\n",
        "@@ -1 +1 @@\n",
        "\u{e9}\n",
        "\\ No\n",
    ]);
    (prop::collection::vec(line, 0..40), prop::sample::select(vec!["", "end", "a"]))
        .prop_map(|(lines, last)| (lines.concat() + last).into_bytes())
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').collect()
}

/// Applies the hunks of a unified diff of one file, believing nothing: every old line must be where it is said.
fn apply_text(old: &[u8], patch: &[u8]) -> Vec<u8> {
    let old = lines(old);
    let (mut new, mut at) = (Vec::new(), 0);
    let (mut old_left, mut new_left) = (0, 0);
    let patch = lines(patch);
    for (index, line) in patch.iter().enumerate() {
        let no_end = patch.get(index + 1).is_some_and(|next| next.starts_with(b"\\ "));
        let content = || if no_end { line[1..line.len() - 1].to_vec() } else { line[1..].to_vec() };
        if old_left == 0 && new_left == 0 {
            let Some(head) = line.strip_prefix(b"@@ ") else { continue };
            let head = String::from_utf8(head.to_vec()).unwrap();
            let numbers: Vec<usize> = head
                .split(|c: char| !c.is_ascii_digit())
                .filter(|part| !part.is_empty())
                .map(|part| part.parse().unwrap())
                .collect();
            let start = if numbers[1] == 0 { numbers[0] } else { numbers[0] - 1 };
            old[at..start].iter().for_each(|line| new.extend_from_slice(line));
            at = start;
            (old_left, new_left) = (numbers[1], numbers[3]);
            continue;
        }
        match line[0] {
            b'\\' => {}
            b'+' => {
                new.extend(content());
                new_left -= 1;
            }
            origin => {
                assert_eq!(old[at], content(), "line {at} of the old text is another");
                at += 1;
                old_left -= 1;
                if origin == b' ' {
                    new.extend(content());
                    new_left -= 1;
                }
            }
        }
    }
    assert_eq!((old_left, new_left), (0, 0), "a hunk is shorter than it says");
    old[at..].iter().for_each(|line| new.extend_from_slice(line));
    new
}

fn apply_hunks(old: &[u8], diff: &FileDiff) -> Vec<u8> {
    let old = lines(old);
    let (mut new, mut at) = (Vec::new(), 0);
    for hunk in &diff.hunks {
        let start = if hunk.old_lines == 0 { hunk.old_start } else { hunk.old_start - 1 } as usize;
        old[at..start].iter().for_each(|line| new.extend_from_slice(line));
        at = start + hunk.old_lines as usize;
        for DiffLine { origin, text, ends } in &hunk.lines {
            if *origin != LineOrigin::Removed {
                new.extend_from_slice(text.as_bytes());
                new.extend_from_slice(if *ends { b"\n" } else { b"" });
            }
        }
    }
    old[at..].iter().for_each(|line| new.extend_from_slice(line));
    new
}

#[test]
fn candidates_hold_what_a_plain_map_would() {
    let place = Place::new();
    place.write("keep", "k");
    let (snapshots, baseline) = place.imported();
    let snapshots = RefCell::new((snapshots, 0_u32));
    proptest!(ProptestConfig::with_cases(200), |(history in prop::collection::vec(changes(), 1..6))| {
        let (snapshots, number) = &mut *snapshots.borrow_mut();
        let mut twins = vec![(baseline.clone(), Twin::from([("keep".to_owned(), b"k".to_vec())]))];
        for step in &history {
            let (parent, files) = twins[twins.len() - 1].clone();
            let borrowed: Vec<_> = step.iter().map(|(path, content)| (path.as_str(), content.as_deref())).collect();
            *number += 1;
            let made = snapshots.commit(&request(*number, &[&parent], patch(&borrowed)));
            match twin_applies(&files, step) {
                None => prop_assert!(made.is_err(), "{step:?} does not fit {files:?}"),
                Some(expected) => {
                    let commit = made.unwrap();
                    let found: Twin = snapshots.files(&commit).unwrap().0.into_iter().map(|(k, v)| (k, v.to_vec())).collect();
                    prop_assert_eq!(&found, &expected);
                    twins.push((commit, expected));
                }
            }
        }
        let ((first, old), (last, new)) = (&twins[0], &twins[twins.len() - 1]);
        let expected: BTreeSet<&String> =
            old.keys().chain(new.keys()).filter(|path| old.get(*path) != new.get(*path)).collect();
        let changed = snapshots.changed(first, last).unwrap();
        let found: Vec<_> = changed.iter().map(|file| file.path.to_str().unwrap()).collect();
        prop_assert_eq!(found, expected.into_iter().map(String::as_str).collect::<Vec<_>>());
    });
}

#[test]
fn a_patch_turns_the_old_text_into_the_new() {
    let place = Place::new();
    place.write("file", "");
    let (snapshots, baseline) = place.imported();
    let snapshots = RefCell::new((snapshots, 0_u32));
    proptest!(ProptestConfig::with_cases(300), |(old in text(), new in text())| {
        let (snapshots, number) = &mut *snapshots.borrow_mut();
        *number += 2;
        let one = commit(snapshots, *number, &baseline, &[("file", Some(&old))]);
        let two = commit(snapshots, *number + 1, &one, &[("file", Some(&new))]);
        let text = snapshots.patch(&one, &two).unwrap();
        prop_assert_eq!(apply_text(&old, &text), new.clone());
        let diff = snapshots.diff(&one, &two).unwrap();
        prop_assert_eq!(diff.len(), usize::from(old != new));
        for file in &diff {
            prop_assert_eq!(apply_hunks(&old, file), new.clone());
            let grown = i64::from(file.added) - i64::from(file.removed);
            prop_assert_eq!(grown, lines(&new).len() as i64 - lines(&old).len() as i64);
        }
    });
}
