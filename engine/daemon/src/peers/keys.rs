//! The key of this data folder: it signs the agent card and the packages that are shared, and lies in a file that its owner
//! alone may read. Peers know the daemon again by it.

use crate::data::DataFolder;
use crate::failure::Failure;
use crate::peers::Peers;
use a2a::server::KEYS_PATH;
use a2a::signing::{SigningError, SigningKey};
use skills::{PackageSent, Signer};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// The file, in PKCS#8.
const FILE: &str = "agent-key.p8";
/// Largest file that is read as a key, in bytes; one of P-256 has about 140.
const MAX_KEY_BYTES: u64 = 4_096;

/// The key, made when there is none yet. `base` is where the daemon is reached, if it is: what it signs then says where its
/// public half is published.
pub(crate) fn signing_key(data: &DataFolder, base: Option<&str>) -> Result<SigningKey, Failure> {
    let file = data.path().join(FILE);
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::work_with_help(
            format!("the key in {} cannot be used: {error}", file.display()),
            "make the file readable, or remove it; peers must then add this daemon again",
        )
    };
    let pkcs8 = match read(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let made = SigningKey::generate().map_err(|error| unusable(&error))?;
            keep(&file, &made).map_err(|error| unusable(&error))?;
            // Another process may have been quicker; then its key is the one.
            read(&file).map_err(|error| unusable(&error))?
        }
        read => read.map_err(|error| unusable(&error))?,
    };
    let key = SigningKey::by_thumbprint(&pkcs8).map_err(|error| unusable(&error))?;
    Ok(match base {
        Some(base) => key.published_at(format!("{base}{KEYS_PATH}")),
        None => key,
    })
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::metadata(file)?.len() > MAX_KEY_BYTES {
        return Err(std::io::Error::other("it is too large for a key"));
    }
    std::fs::read(file)
}

/// Keeps a key in a new file that nobody sees half-written; a file that is there already stays.
fn keep(file: &Path, pkcs8: &[u8]) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(file);
    // For its owner alone from the beginning on, as all temporary files are.
    let mut made = tempfile::NamedTempFile::new_in(folder)?;
    made.write_all(pkcs8)?;
    made.as_file().sync_all()?;
    match made.persist_noclobber(file) {
        Ok(_) => Ok(()),
        Err(lost) if lost.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(lost) => Err(lost.error),
    }
}

impl Peers {
    /// The peer whose key a package is signed with, if it is one that is known here.
    ///
    /// # Errors
    /// When it is signed in a peer's name and the signature does not hold.
    pub(crate) fn signer(&self, sent: &PackageSent) -> Result<Option<&str>, SigningError> {
        let Signer::Stranger(kid) = sent.signer(|_| None)? else { return Ok(None) };
        let mut doubtful = None;
        // Ids of keys are chosen by their owners, so one peer may bear another's; the signature tells them apart.
        for peer in self.peers.values() {
            let Some(key) = peer.key.as_ref().filter(|key| key.kid() == kid) else { continue };
            match sent.signer(|_| Some(key.clone())) {
                Ok(_) => return Ok(Some(&peer.name)),
                Err(error) => doubtful = Some(error),
            }
        }
        doubtful.map_or(Ok(None), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::Change;
    use a2a::signing::PublicKey;
    use serde_json::json;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_data_folder_keeps_one_key_whoever_asks_first() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::locate(Some(folder.path().to_path_buf())).unwrap();
        let kids: Vec<String> = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| signing_key(&data, None).unwrap().public().kid().to_owned()))
                .collect();
            asked.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(kids.iter().all(|kid| *kid == kids[0]), "{kids:?}");
        let file = folder.path().join(FILE);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half-made stays");
        std::fs::write(&file, "nonsense").unwrap();
        assert!(signing_key(&data, None).err().unwrap().text().contains(FILE));
    }

    fn known(peers: &[(&str, Option<PublicKey>)]) -> Peers {
        let mut known = Peers::default();
        for (name, key) in peers {
            let added = Change::Added {
                name: (*name).to_owned(),
                url: format!("http://{name}.invalid"),
                token_env: None,
                skills: Vec::new(),
                capabilities: skills::Capabilities::default(),
                key: key.as_ref().map(PublicKey::to_jwk),
            };
            known.take(added, 1);
        }
        known
    }

    #[test]
    fn a_package_is_the_peers_whose_key_signed_it() {
        let key = || SigningKey::from_pkcs8(&SigningKey::generate().unwrap(), "one").unwrap();
        let (alice, mallory) = (key(), key());
        let package = knowledge::Package::read(&json!({ "source_agent": "a", "improvement_type": "speed",
            "performance_impact": 0.5, "code_pattern": { "patterns": [] } }));
        let signed = skills::sign(&package.unwrap(), &alice).unwrap();
        let sent = PackageSent::read(&serde_json::to_value(&signed).unwrap()).unwrap();
        let signer = |peers: &[(&str, Option<PublicKey>)]| {
            known(peers).signer(&sent).map(|name| name.map(str::to_owned))
        };
        let (hers, other) = (Some(alice.public()), Some(mallory.public()));
        assert_eq!(signer(&[("alice", hers.clone())]), Ok(Some("alice".to_owned())));
        assert_eq!(signer(&[("bob", None)]), Ok(None), "a key that nobody here knows says nothing");
        // Whoever gives a key the id of another's gains nothing by it and takes nothing from the other.
        assert_eq!(signer(&[("aaron", other.clone()), ("alice", hers)]), Ok(Some("alice".to_owned())));
        assert_eq!(signer(&[("aaron", other)]), Err(SigningError::Invalid));
    }
}
