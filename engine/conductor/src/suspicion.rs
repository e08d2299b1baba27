//! Where the fault of a candidate may lie that was not looked into: where it lay in the ancestor that it came from, line by
//! line. To record which lines a case runs takes a run of its own, so only what passes more than its parent is looked into.

use evolution::candidate::{SourceFiles, Suspicion};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::HashMap;
use std::ops::Range;

/// The suspicion of lines of one program, for another that was made of it. A line that stayed keeps its own, one that
/// was changed or is new gets the highest of those in whose place it stands.
pub(crate) fn carried(suspicion: &[Suspicion], from: &SourceFiles, to: &SourceFiles) -> Vec<Suspicion> {
    let carry = |file: &Suspicion| {
        let (old, new) = (from.text(&file.path)?, to.text(&file.path)?);
        Some(Suspicion { path: file.path.clone(), lines: lines(&file.lines, old, new) })
    };
    suspicion.iter().filter_map(carry).collect()
}

fn lines(known: &[(u32, f32)], old: &str, new: &str) -> Vec<(u32, f32)> {
    let known: HashMap<usize, f32> = known.iter().map(|(line, value)| (*line as usize, *value)).collect();
    // Diffs count lines from 0, suspicion from 1.
    let of = |index: usize| known.get(&(index + 1)).copied().unwrap_or(0.0);
    let highest = |lines: Range<usize>| lines.map(of).fold(0.0, f32::max);
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut found = Vec::new();
    let mut note = |index: usize, value: f32| {
        if let Ok(line) = u32::try_from(index + 1)
            && value > 0.0
        {
            found.push((line, value));
        }
    };
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        match op {
            DiffOp::Equal { old_index, new_index, len } => {
                (0..len).for_each(|line| note(new_index + line, of(old_index + line)));
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                let value = highest(old_index..old_index + old_len);
                (new_index..new_index + new_len).for_each(|line| note(line, value));
            }
            DiffOp::Insert { old_index, new_index, new_len } => {
                let value = highest(old_index.saturating_sub(1)..old_index + 1);
                (new_index..new_index + new_len).for_each(|line| note(line, value));
            }
            DiffOp::Delete { .. } => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn program(text: &str) -> SourceFiles {
        SourceFiles([("a.py".to_owned(), Arc::from(text.as_bytes()))].into())
    }

    fn carry(known: &[(u32, f32)], old: &str, new: &str) -> Vec<(u32, f32)> {
        let suspicion = Suspicion { path: "a.py".to_owned(), lines: known.to_vec() };
        carried(&[suspicion], &program(old), &program(new)).remove(0).lines
    }

    #[test]
    fn lines_that_stay_keep_theirs_and_others_take_over_that_of_their_place() {
        let (known, old) = ([(2, 0.5), (3, 0.25), (5, 1.0)], "a\nb\nc\nd\ne\n");
        assert_eq!(carry(&known, old, old), known);
        assert_eq!(carry(&known, old, "a\nB\nc\nd\ne\n"), known, "changed");
        assert_eq!(carry(&known, old, "a\nX\nY\nd\ne\n"), [(2, 0.5), (3, 0.5), (5, 1.0)], "two changed");
        assert_eq!(
            carry(&known, old, "a\nb\nc\nd\nx\ne\n"),
            [(2, 0.5), (3, 0.25), (5, 1.0), (6, 1.0)],
            "new"
        );
        assert_eq!(carry(&known, old, "b\ne\n"), [(1, 0.5), (2, 1.0)], "gone");
        assert_eq!(carry(&known, old, ""), []);
    }

    #[test]
    fn a_file_that_is_gone_is_not_suspected() {
        let suspicion = [Suspicion { path: "b.py".to_owned(), lines: vec![(1, 1.0)] }];
        assert_eq!(carried(&suspicion, &program("a\n"), &program("a\n")), []);
    }
}
