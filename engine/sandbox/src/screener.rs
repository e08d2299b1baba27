//! Screening: what a look at a patch tells before anything runs.

use evolution::candidate::{FileChange, ModelUsage, Patch, SourceFiles};
use evolution::embedding::Embedding;
use evolution::ports::{Screener, Screening};
use evolution::shape::{Shape, Sketch};
use std::collections::BTreeSet;
use syntax::{Blocks, Fingerprint, Module, confined};

/// Largest file of a candidate, in bytes.
const MAX_FILE_BYTES: usize = 1 << 20;
/// Largest patch, in bytes of the files that it changes.
const MAX_PATCH_BYTES: usize = 4 << 20;

/// Screens patches of a Python target.
pub struct PythonScreener {
    mutable: BTreeSet<String>,
    shapes: bool,
}

impl PythonScreener {
    /// A screener for a target whose files at these paths may change.
    pub fn new(mutable: impl IntoIterator<Item = String>) -> Self {
        Self { mutable: mutable.into_iter().collect(), shapes: false }
    }

    /// The same, which also tells what programs look like if `shapes`.
    pub fn telling_shapes(self, shapes: bool) -> Self {
        Self { shapes, ..self }
    }

    /// What a program looks like: its length, and the parts of its syntax trees. A file that is no Python consists of its
    /// lines.
    pub fn shape(files: &SourceFiles) -> Shape {
        let mut parts = Vec::new();
        for (path, bytes) in &files.0 {
            let text = std::str::from_utf8(bytes).ok().filter(|_| path.ends_with(".py"));
            match text.map(Module::parse).filter(Module::is_valid) {
                Some(module) => parts.extend(module.parts()),
                None => parts.extend(bytes.split(|byte| *byte == b'\n').map(line_hash)),
            }
        }
        Shape {
            bytes: files.0.values().map(|bytes| bytes.len() as u64).sum(),
            sketch: Sketch::of(parts),
            embedding: Embedding::Unasked,
        }
    }

    /// The fingerprint of a program: of its normal form where it is Python, of its bytes otherwise.
    pub fn fingerprint(files: &SourceFiles) -> String {
        let parts = files.0.iter().map(|(path, bytes)| {
            let text = std::str::from_utf8(bytes).ok().filter(|_| path.ends_with(".py"));
            let own = text.map(Module::parse).filter(Module::is_valid).map(|module| module.fingerprint());
            (path.as_str(), own.unwrap_or_else(|| Fingerprint::of_bytes(bytes)))
        });
        Fingerprint::combine(parts).to_string()
    }

    fn refusal(&self, parent: &SourceFiles, patch: &Patch) -> Option<String> {
        let size: usize =
            patch.0.iter().filter_map(|change| change.content.as_ref()).map(|bytes| bytes.len()).sum();
        if size > MAX_PATCH_BYTES {
            return Some(format!("the patch has {size} bytes, {MAX_PATCH_BYTES} are allowed"));
        }
        patch.0.iter().find_map(|change| self.refusal_of(parent, change))
    }

    fn refusal_of(&self, parent: &SourceFiles, change: &FileChange) -> Option<String> {
        let path = &change.path;
        if !self.mutable.contains(path) {
            return Some(format!("{path} may not change"));
        }
        let Some(content) = &change.content else { return Some(format!("{path} may not be removed")) };
        if content.len() > MAX_FILE_BYTES {
            return Some(format!("{path} has {} bytes, {MAX_FILE_BYTES} are allowed", content.len()));
        }
        let (Some(old), Ok(new)) = (parent.text(path), std::str::from_utf8(content)) else { return None };
        let blocks = Blocks::find(old).ok()?;
        confined(old, new, &blocks).err().map(|error| format!("{path}: {error}"))
    }
}

impl Screener for PythonScreener {
    fn screen(&self, parent: &SourceFiles, patch: &Patch) -> Screening {
        let files = parent.patched(patch);
        Screening {
            fingerprint: Self::fingerprint(&files),
            refused: self.refusal(parent, patch),
            shape: if self.shapes { Self::shape(&files) } else { Shape::default() },
            usage: ModelUsage::default(),
        }
    }
}

/// The first four bytes of a line's fingerprint.
fn line_hash(line: &[u8]) -> u32 {
    let fingerprint = Fingerprint::of_bytes(line);
    fingerprint.as_bytes().iter().take(4).fold(0, |hash, byte| (hash << 8) | u32::from(*byte))
}
