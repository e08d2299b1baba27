//! What changed between two commits, as structure for programs and as a unified diff for people and for `git apply`.

use crate::error::SnapshotsError;
use crate::memory::GitSnapshots;
use crate::object::FileKind;
use crate::patch_text::{self, Binary};
use crate::repository::lines::{RawHunk, compare};
use crate::repository::{ObjectKind, Repository};
use crate::tree::{self, Difference, File};
use evolution::id::CommitId;

/// Unchanged lines shown around a change, as git shows them.
const CONTEXT_LINES: u32 = 3;

/// Largest file that is compared line by line, in bytes; larger ones count as binary.
const LARGEST_TEXT_BYTES: u64 = 4 * 1024 * 1024;

/// How far git looks for a NUL byte to tell binary from text, in bytes (xdiff-interface.c, `FIRST_FEW_BYTES`).
const BINARY_PROBE_BYTES: usize = 8_000;

/// One side of a changed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileVersion {
    /// What it is.
    pub kind: FileKind,
    /// Size of its content, in bytes.
    pub bytes: u64,
}

/// What a line of a hunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineOrigin {
    /// On both sides.
    Context,
    /// Only on the old side.
    Removed,
    /// Only on the new side.
    Added,
}

/// A line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    /// Where it stands.
    pub origin: LineOrigin,
    /// Its text without the end of line; what is not UTF-8 is replaced.
    pub text: String,
    /// Whether an end of line follows; only the last line of a file may lack it.
    pub ends: bool,
}

/// A run of changed lines with the unchanged ones around it. Lines count from 1; a side without lines starts at the
/// line before, as in unified diffs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffHunk {
    /// First line on the old side.
    pub old_start: u32,
    /// Lines of the old side.
    pub old_lines: u32,
    /// First line on the new side.
    pub new_start: u32,
    /// Lines of the new side.
    pub new_lines: u32,
    /// The lines.
    pub lines: Vec<DiffLine>,
}

/// A changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDiff {
    /// Path below the target's root; what is not UTF-8 is replaced.
    pub path: String,
    /// What it was; `None` when it is new.
    pub old: Option<FileVersion>,
    /// What it is; `None` when it went.
    pub new: Option<FileVersion>,
    /// Whether either side is no text (a NUL byte near its start, or too large to compare). Then there are no hunks.
    pub binary: bool,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
    /// What changed in it; empty when only the kind did.
    pub hunks: Vec<DiffHunk>,
}

/// One changed file with the contents that its text needs.
pub(crate) struct Compared {
    pub(crate) difference: Difference,
    pub(crate) old: Vec<u8>,
    pub(crate) new: Vec<u8>,
    pub(crate) binary: bool,
    pub(crate) hunks: Vec<RawHunk>,
}

impl GitSnapshots {
    /// What changed from `old` to `new`, file by file in the order of the paths.
    pub fn diff(&self, old: &CommitId, new: &CommitId) -> Result<Vec<FileDiff>, SnapshotsError> {
        Ok(self.compared(old, new)?.iter().map(structured).collect())
    }

    /// The same as a unified diff for people: a changed binary file is one line that says so.
    pub fn diff_text(&self, old: &CommitId, new: &CommitId) -> Result<String, SnapshotsError> {
        let text = patch_text::render(&self.compared(old, new)?, Binary::Named);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// The same for `git apply`: exact bytes, binary files whole. Paths are below the target's root, so it applies with
    /// `git apply` in the target's folder.
    pub fn patch(&self, old: &CommitId, new: &CommitId) -> Result<Vec<u8>, SnapshotsError> {
        Ok(patch_text::render(&self.compared(old, new)?, Binary::Whole))
    }

    fn compared(&self, old: &CommitId, new: &CommitId) -> Result<Vec<Compared>, SnapshotsError> {
        let differences = tree::compare(&self.repository, self.tree_of(old)?, self.tree_of(new)?)?;
        let mut compared = Vec::with_capacity(differences.len());
        for difference in differences {
            let is_link = |file: Option<File>| file.map(|file| file.kind == FileKind::Link);
            if let (Some(was), Some(is)) = (is_link(difference.old), is_link(difference.new))
                && was != is
            {
                // A file that becomes a link goes and comes again: a patch has no other words for it.
                compared
                    .push(compare_file(&self.repository, Difference { new: None, ..difference.clone() })?);
                compared.push(compare_file(&self.repository, Difference { old: None, ..difference })?);
            } else {
                compared.push(compare_file(&self.repository, difference)?);
            }
        }
        Ok(compared)
    }
}

fn compare_file(repository: &Repository, difference: Difference) -> Result<Compared, SnapshotsError> {
    let content = |file: Option<File>| match file {
        Some(file) => repository.read(ObjectKind::Blob, file.id),
        None => Ok(Vec::new()),
    };
    let (old, new) = (content(difference.old)?, content(difference.new)?);
    let binary = is_binary(&old) || is_binary(&new);
    let hunks = if binary || old == new { Vec::new() } else { compare(&old, &new, CONTEXT_LINES)? };
    Ok(Compared { difference, old, new, binary, hunks })
}

fn is_binary(content: &[u8]) -> bool {
    content.iter().take(BINARY_PROBE_BYTES).any(|&byte| byte == 0)
        || content.len() as u64 > LARGEST_TEXT_BYTES
}

fn structured(compared: &Compared) -> FileDiff {
    let version = |file: Option<File>, content: &[u8]| {
        file.map(|file| FileVersion { kind: file.kind, bytes: content.len() as u64 })
    };
    let mut diff = FileDiff {
        path: String::from_utf8_lossy(&compared.difference.path).into_owned(),
        old: version(compared.difference.old, &compared.old),
        new: version(compared.difference.new, &compared.new),
        binary: compared.binary,
        added: 0,
        removed: 0,
        hunks: Vec::with_capacity(compared.hunks.len()),
    };
    for hunk in &compared.hunks {
        let mut lines = Vec::with_capacity(hunk.lines.len());
        for (origin, content) in &hunk.lines {
            let origin = match origin {
                '+' => LineOrigin::Added,
                '-' => LineOrigin::Removed,
                _ => LineOrigin::Context,
            };
            diff.added += u32::from(origin == LineOrigin::Added);
            diff.removed += u32::from(origin == LineOrigin::Removed);
            let text = content.strip_suffix(b"\n");
            let ends = text.is_some();
            let text = String::from_utf8_lossy(text.unwrap_or(content)).into_owned();
            lines.push(DiffLine { origin, text, ends });
        }
        let RawHunk { old_start, old_lines, new_start, new_lines, .. } = *hunk;
        diff.hunks.push(DiffHunk { old_start, old_lines, new_start, new_lines, lines });
    }
    diff
}
