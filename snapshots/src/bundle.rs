//! The whole run as one file that any git can clone or fetch from: a bundle, format version 2 (gitformat-bundle), which
//! is a list of references and a pack of everything they lead to.

use crate::error::SnapshotsError;
use crate::memory::GitSnapshots;
use crate::refs::CHAMPION;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

/// What a bundle of version 2 starts with.
const SIGNATURE: &str = "# v2 git bundle\n";

impl GitSnapshots {
    /// Writes all candidates, branches and notes into a bundle at `path`, in place of what is there. A repository that
    /// was opened for reading is exported with what its journal held then. Returns the number of references.
    pub fn bundle(&mut self, path: &Path) -> Result<usize, SnapshotsError> {
        self.notes.commit(&mut self.repository, &mut self.refs)?;
        let refs = self.refs.all()?;
        if refs.is_empty() {
            return Err(SnapshotsError::NotFound(format!("candidate in {}", self.directory().display())));
        }
        let mut head = SIGNATURE.to_owned();
        for (name, id) in &refs {
            head.push_str(&format!("{id} {name}\n"));
        }
        // `git clone` checks out what HEAD names.
        head.extend(refs.get(CHAMPION).map(|id| format!("{id} HEAD\n")));
        head.push('\n');

        let mut draft = path.as_os_str().to_owned();
        draft.push(".draft");
        let draft = Path::new(&draft);
        let written = self
            .write_bundle(draft, &head, refs.values().copied())
            .and_then(|()| fs::rename(draft, path).map_err(SnapshotsError::io("write", path)));
        if written.is_err() {
            let _ = fs::remove_file(draft);
        }
        written.map(|()| refs.len())
    }

    fn write_bundle(
        &self,
        draft: &Path,
        head: &str,
        tips: impl Iterator<Item = crate::object::ObjectId>,
    ) -> Result<(), SnapshotsError> {
        let file = fs::File::create(draft).map_err(SnapshotsError::io("create", draft))?;
        let mut out = BufWriter::new(file);
        out.write_all(head.as_bytes()).map_err(SnapshotsError::io("write", draft))?;
        let mut failure = None;
        let sent = self.repository.stream_pack(tips, |piece| match out.write_all(piece) {
            Ok(()) => true,
            Err(error) => {
                failure = Some(error);
                false
            }
        });
        if let Some(error) = failure {
            return Err(SnapshotsError::io("write", draft)(error));
        }
        sent?;
        let file =
            out.into_inner().map_err(|error| SnapshotsError::io("write", draft)(error.into_error()))?;
        file.sync_all().map_err(SnapshotsError::io("write", draft))
    }
}
