//! Evolve blocks: the stretches between `# EVOLVE-BLOCK-START` and `# EVOLVE-BLOCK-END` that may change, as OpenEvolve
//! and ShinkaEvolve mark them, after the comment sign of whatever language it is. Without marks the whole file may change. Marks are whole lines; the marks themselves and
//! everything outside stay as they are.

use crate::edit::Edit;
use std::ops::Range;

/// Signs that begin a comment in the languages of evolved programs.
const COMMENT_SIGNS: [&str; 8] = ["#", "//", "--", "!", ";", "%", "<!--", "(*"];
/// Opens a block, after a comment sign and blanks.
pub const START_MARK: &str = "EVOLVE-BLOCK-START";
/// Closes a block, after a comment sign and blanks.
pub const END_MARK: &str = "EVOLVE-BLOCK-END";

/// Why the marks of a file make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// A block starts inside another.
    #[error("line {0}: EVOLVE-BLOCK-START inside a block")]
    Nested(u32),
    /// A block ends that was not started.
    #[error("line {0}: EVOLVE-BLOCK-END without a start")]
    Unopened(u32),
    /// A block is not ended.
    #[error("line {0}: EVOLVE-BLOCK-START without an end")]
    Unclosed(u32),
}

/// Why a new text is not confined to the blocks of the old one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfinementError {
    /// The marks of the new text make no sense.
    #[error(transparent)]
    Marks(#[from] BlockError),
    /// Blocks were added or removed.
    #[error("the number of evolve blocks changed from {0} to {1}")]
    Count(usize, usize),
    /// Text outside the blocks changed; the line counts from 1 in the old text.
    #[error("the text outside the evolve blocks changed, from line {0} on")]
    Outside(u32),
}

/// The ranges of a file that may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks {
    ranges: Vec<Range<usize>>,
    marked: bool,
}

impl Blocks {
    /// Finds the blocks of a file.
    ///
    /// # Errors
    ///
    /// When blocks are nested, not opened or not closed; the error holds the line.
    pub fn find(source: &str) -> Result<Self, BlockError> {
        let mut ranges = Vec::new();
        let mut open: Option<(usize, u32)> = None;
        let mut offset = 0;
        let mut number = 0;
        for line in source.split_inclusive('\n') {
            let after = offset + line.len();
            number += 1;
            match (mark(line), open) {
                (Some(START_MARK), None) => open = Some((after, number)),
                (Some(START_MARK), Some(_)) => return Err(BlockError::Nested(number)),
                (Some(_), Some((start, _))) => {
                    ranges.push(start..offset);
                    open = None;
                }
                (Some(_), None) => return Err(BlockError::Unopened(number)),
                (None, _) => {}
            }
            offset = after;
        }
        if let Some((_, line)) = open {
            return Err(BlockError::Unclosed(line));
        }
        let marked = !ranges.is_empty();
        if !marked {
            ranges.push(0..source.len());
        }
        Ok(Self { ranges, marked })
    }

    /// Ranges of bytes that may change, in order; the whole file when nothing is marked.
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Whether the file has marks at all.
    pub fn is_marked(&self) -> bool {
        self.marked
    }

    /// Whether all of `range` lies in one block.
    pub fn contains(&self, range: &Range<usize>) -> bool {
        self.ranges.iter().any(|block| block.start <= range.start && range.end <= block.end)
    }

    /// Whether every edit lies in a block and adds no mark.
    pub fn permit(&self, edits: &[Edit]) -> bool {
        edits.iter().all(|edit| {
            self.contains(&edit.range) && (!self.marked || !edit.replacement.contains("EVOLVE-BLOCK-"))
        })
    }
}

fn mark(line: &str) -> Option<&'static str> {
    let line = line.trim();
    let text = COMMENT_SIGNS.iter().find_map(|sign| line.strip_prefix(sign))?.trim_start();
    [START_MARK, END_MARK].into_iter().find(|mark| text.starts_with(mark))
}

/// Checks that `new` differs from `old` only inside the blocks of `old`.
///
/// # Errors
///
/// When anything outside changed, or the blocks themselves did.
pub fn confined(old: &str, new: &str, blocks: &Blocks) -> Result<(), ConfinementError> {
    if !blocks.marked {
        return Ok(());
    }
    let found = Blocks::find(new)?;
    if !found.marked || found.ranges.len() != blocks.ranges.len() {
        let count = if found.marked { found.ranges.len() } else { 0 };
        return Err(ConfinementError::Count(blocks.ranges.len(), count));
    }
    for (before, after) in outside(old.len(), &blocks.ranges).zip(outside(new.len(), &found.ranges)) {
        let (was, is) = (old.get(before.clone()).unwrap_or_default(), new.get(after).unwrap_or_default());
        if was != is {
            let line = old.get(..before.start).unwrap_or_default().matches('\n').count() + 1;
            return Err(ConfinementError::Outside(u32::try_from(line).unwrap_or(u32::MAX)));
        }
    }
    Ok(())
}

/// The stretches between blocks, before the first and after the last.
fn outside(length: usize, blocks: &[Range<usize>]) -> impl Iterator<Item = Range<usize>> {
    let starts = std::iter::once(0).chain(blocks.iter().map(|block| block.end));
    let ends = blocks.iter().map(|block| block.start).chain(std::iter::once(length));
    starts.zip(ends).map(|(start, end)| start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TWO: &str = "import a\n# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\ny = 2\n  #EVOLVE-BLOCK-START\n  z = 3\n  # EVOLVE-BLOCK-END\n";

    #[test]
    fn marks_follow_the_comment_sign_of_any_language() {
        for (open, close) in [("// ", ""), ("! ", ""), ("(* ", " *)"), ("<!-- ", " -->")] {
            let text = format!("a\n{open}{START_MARK}{close}\nb\n{open}{END_MARK}{close}\n");
            let blocks = Blocks::find(&text).unwrap();
            assert!(blocks.is_marked(), "{text}");
            assert_eq!(text.get(blocks.ranges()[0].clone()), Some("b\n"));
        }
    }

    #[test]
    fn finds_blocks_or_says_where_they_fail() {
        let blocks = Blocks::find(TWO).unwrap();
        let texts: Vec<&str> = blocks.ranges().iter().map(|range| &TWO[range.clone()]).collect();
        assert_eq!(texts, ["x = 1\n", "  z = 3\n"]);
        assert_eq!(Blocks::find("a = 1\n").unwrap().ranges(), std::slice::from_ref(&(0..6)));
        let start = "# EVOLVE-BLOCK-START\n";
        assert_eq!(Blocks::find(&format!("{start}{start}")), Err(BlockError::Nested(2)));
        assert_eq!(Blocks::find(&format!("a\n{start}")), Err(BlockError::Unclosed(2)));
        assert_eq!(Blocks::find("a\n# EVOLVE-BLOCK-END"), Err(BlockError::Unopened(2)));
        assert!(!Blocks::find("s = '# EVOLVE-BLOCK-START'\n").unwrap().is_marked());
    }

    #[test]
    fn a_change_is_confined_or_told_where_not() {
        let blocks = Blocks::find(TWO).unwrap();
        assert_eq!(confined(TWO, &TWO.replace("x = 1", "x = 1\nx += 2"), &blocks), Ok(()));
        assert_eq!(confined(TWO, &TWO.replace("y = 2", "y = 3"), &blocks), Err(ConfinementError::Outside(4)));
        let closed_early = TWO.replace("x = 1\n", "# EVOLVE-BLOCK-END\n# EVOLVE-BLOCK-START\n");
        assert_eq!(confined(TWO, &closed_early, &blocks), Err(ConfinementError::Count(2, 3)));
        assert_eq!(confined(TWO, "x", &blocks), Err(ConfinementError::Count(2, 0)));
    }

    proptest! {
        #[test]
        fn one_edit_is_permitted_exactly_when_the_result_is_confined(start in 0usize..120, length in 0usize..8) {
            let blocks = Blocks::find(TWO).unwrap();
            let end = (start + length).min(TWO.len());
            let range = start.min(end)..end;
            let edit = Edit::replace(range.clone(), "Q");
            let changed = crate::edit::apply(TWO, std::slice::from_ref(&edit)).unwrap();
            if blocks.permit(&[edit]) {
                // A mark must stay a line of its own, so an edit that swallows the newline before it is not confined.
                let swallowed = blocks.ranges().iter().any(|block| block.end == range.end);
                prop_assert!(swallowed || confined(TWO, &changed, &blocks).is_ok());
            } else {
                prop_assert!(confined(TWO, &changed, &blocks).is_err());
            }
        }
    }
}
