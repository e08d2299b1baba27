//! Changes to a source as replacements of byte ranges, and their application all at once.
//! It knows text only: whether the result is Python is asked afterwards, by parsing it.

use crate::module::MAX_SOURCE_BYTES;
use std::ops::Range;

/// Most edits that are applied at once.
pub const MAX_EDITS: usize = 100_000;

/// Replaces the bytes of `range` by `replacement`. An empty range inserts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Edit {
    /// Bytes of the original source.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub replacement: String,
}

impl Edit {
    /// A replacement of `range`.
    pub fn replace(range: Range<usize>, replacement: impl Into<String>) -> Self {
        Self { range, replacement: replacement.into() }
    }

    /// An insertion before byte `at`.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { range: at..at, replacement: text.into() }
    }

    /// A deletion of `range`.
    pub fn delete(range: Range<usize>) -> Self {
        Self { range, replacement: String::new() }
    }
}

/// Why edits cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Two edits touch the same bytes.
    #[error("two edits overlap at byte {0}")]
    Overlap(usize),
    /// A range is reversed, outside the source or cuts a character.
    #[error("bytes {0}..{1} are no range of the source")]
    Range(usize, usize),
    /// The result, or the number of edits, is above the limit.
    #[error("the edits are too many or their result too large")]
    TooLarge,
}

/// Applies edits that refer to the original source. They may come in any order but may not overlap; insertions at the
/// same place keep the order they have in `edits`, and come before a replacement that starts there.
///
/// # Errors
///
/// When ranges overlap or are not ranges of `source`, or the result would exceed [`MAX_SOURCE_BYTES`].
pub fn apply(source: &str, edits: &[Edit]) -> Result<String, EditError> {
    if edits.len() > MAX_EDITS {
        return Err(EditError::TooLarge);
    }
    let mut ordered: Vec<&Edit> = edits.iter().collect();
    ordered.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let added: usize = edits.iter().map(|edit| edit.replacement.len()).sum();
    let mut result = String::with_capacity(source.len().saturating_add(added));
    let mut done = 0;
    for edit in ordered {
        let Range { start, end } = edit.range;
        let out_of_range = EditError::Range(start, end);
        if source.get(start..end).is_none() {
            return Err(out_of_range);
        }
        if start < done {
            return Err(EditError::Overlap(start));
        }
        result.push_str(source.get(done..start).ok_or(out_of_range)?);
        result.push_str(&edit.replacement);
        done = end;
    }
    result.push_str(source.get(done..).unwrap_or_default());
    if result.len() > MAX_SOURCE_BYTES.max(source.len()) {
        return Err(EditError::TooLarge);
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Applies from the last to the first, which needs no bookkeeping.
    fn twin(source: &str, edits: &[Edit]) -> String {
        let mut text = source.to_owned();
        let mut ordered: Vec<(usize, &Edit)> = edits.iter().enumerate().collect();
        ordered.sort_by_key(|(index, edit)| (edit.range.start, edit.range.end, *index));
        for (_, edit) in ordered.into_iter().rev() {
            text.replace_range(edit.range.clone(), &edit.replacement);
        }
        text
    }

    fn overlaps(edits: &[Edit]) -> bool {
        edits.iter().enumerate().any(|(i, a)| {
            edits.iter().skip(i + 1).any(|b| a.range.start < b.range.end && b.range.start < a.range.end)
        }) || edits.iter().any(|a| {
            // An insertion strictly inside another edit's range.
            edits
                .iter()
                .any(|b| a.range.is_empty() && b.range.start < a.range.start && a.range.start < b.range.end)
        })
    }

    proptest! {
        #[test]
        fn equals_the_twin_or_refuses_an_overlap(
            source in "[a-zé\n ]{0,40}",
            raw in prop::collection::vec((0usize..45, 0usize..6, "[A-Z]{0,3}"), 0..6),
        ) {
            let edits: Vec<Edit> =
                raw.into_iter().map(|(start, length, text)| Edit::replace(start..start + length, text)).collect();
            let in_range = edits.iter().all(|edit| source.get(edit.range.clone()).is_some());
            match apply(&source, &edits) {
                Ok(result) => {
                    prop_assert!(in_range && !overlaps(&edits));
                    prop_assert_eq!(result, twin(&source, &edits));
                }
                Err(EditError::Range(..)) => prop_assert!(!in_range),
                Err(EditError::Overlap(_)) => prop_assert!(overlaps(&edits)),
                Err(EditError::TooLarge) => prop_assert!(false),
            }
        }
    }

    #[test]
    fn insertions_keep_their_order() {
        let edits = [Edit::replace(1..2, "X"), Edit::insert(1, "1"), Edit::insert(1, "2")];
        assert_eq!(apply("abc", &edits).unwrap(), "a12Xc");
    }
}
