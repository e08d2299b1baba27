//! What differs between two texts, line by line. It is git2's comparison, on plain bytes: no repository, attribute or
//! configuration takes part.

use super::failed;
use crate::error::SnapshotsError;

/// A run of changed lines, with `context` unchanged ones around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawHunk {
    pub(crate) old_start: u32,
    pub(crate) old_lines: u32,
    pub(crate) new_start: u32,
    pub(crate) new_lines: u32,
    /// ' ', '-' or '+', and the line with its end if it has one.
    pub(crate) lines: Vec<(char, Vec<u8>)>,
}

/// Compares two texts line by line (Myers' algorithm, as `git diff` does).
pub(crate) fn compare(old: &[u8], new: &[u8], context: u32) -> Result<Vec<RawHunk>, SnapshotsError> {
    let mut options = git2::DiffOptions::new();
    options.context_lines(context).force_text(true).indent_heuristic(true);
    let patch = git2::Patch::from_buffers(old, None, new, None, Some(&mut options)).map_err(failed)?;
    let mut hunks = Vec::with_capacity(patch.num_hunks());
    for index in 0..patch.num_hunks() {
        let (hunk, count) = patch.hunk(index).map_err(failed)?;
        let mut lines = Vec::with_capacity(count);
        for line in 0..count {
            let line = patch.line_in_hunk(index, line).map_err(failed)?;
            // Lines of other origins are git's remarks about a missing end of line; the content shows that itself.
            if matches!(line.origin(), ' ' | '-' | '+') {
                lines.push((line.origin(), line.content().to_vec()));
            }
        }
        hunks.push(RawHunk {
            old_start: hunk.old_start(),
            old_lines: hunk.old_lines(),
            new_start: hunk.new_start(),
            new_lines: hunk.new_lines(),
            lines,
        });
    }
    Ok(hunks)
}
