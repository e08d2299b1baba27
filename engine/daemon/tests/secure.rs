//! `darwind serve` over TLS: the page, the API and A2A at one address with the operator's own certificate, and what is said
//! when the files are not what they should be.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use rustls::pki_types::ServerName;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

const TOKEN: &str = "operator-token";

/// A certificate for this machine, made for the test: the two files, and who trusts them.
struct Identity {
    folder: TempDir,
    trust: Arc<rustls::ClientConfig>,
}

impl Identity {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chain.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trust = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { folder, trust: Arc::new(trust) }
    }

    fn chain(&self) -> PathBuf {
        self.folder.path().join("chain.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }
}

fn serve(data: &Path, chain: Option<&Path>, key: Option<&Path>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_darwind"));
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command.env("DARWIND_DATA_DIR", data).env("DARWIND_TOKEN", TOKEN).env("NO_COLOR", "1");
    for (name, path) in [("DARWIND_TLS_CERT", chain), ("DARWIND_TLS_KEY", key)] {
        if let Some(path) = path {
            command.env(name, path);
        }
    }
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// A process that is killed when the test is over.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An exchange over TLS: status line, headers and body.
fn get(identity: &Identity, address: &str, path: &str) -> String {
    let host = format!("localhost:{}", address.rsplit(':').next().unwrap());
    let name = ServerName::try_from("localhost").unwrap();
    let session = rustls::ClientConnection::new(identity.trust.clone(), name).unwrap();
    let mut stream = rustls::StreamOwned::new(session, TcpStream::connect(address).unwrap());
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A server that closes without a farewell of TLS has said everything by its Content-Length.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn page_api_and_a2a_are_served_over_tls_and_nothing_in_plain_text() {
    let (identity, data) = (Identity::new(), tempfile::tempdir().unwrap());
    let mut daemon =
        Daemon(serve(data.path(), Some(&identity.chain()), Some(&identity.key())).spawn().unwrap());
    let mut notes = BufReader::new(daemon.0.stderr.take().unwrap()).lines();
    let link = notes.next().unwrap().unwrap();
    std::thread::spawn(move || notes.for_each(drop));
    let address = link.split("https://").nth(1).unwrap().split('/').next().unwrap().to_owned();

    let runs = get(&identity, &address, "/api/v1/runs");
    assert!(runs.starts_with("HTTP/1.1 200"), "{runs}");
    let page = get(&identity, &address, "/");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<html"), "{page}");
    let card = get(&identity, &address, "/.well-known/agent-card.json");
    assert!(card.starts_with("HTTP/1.1 200") && card.contains(&format!("https://{address}")), "{card}");

    let mut plain = TcpStream::connect(&address).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn files_that_are_missing_or_wrong_are_named() {
    let (identity, data) = (Identity::new(), tempfile::tempdir().unwrap());
    let (chain, key) = (identity.chain(), identity.key());
    let missing = data.path().join("nowhere.pem");
    let other = Identity::new().folder;
    let stranger = other.path().join("key.pem");
    for (chain, key, named) in [
        (Some(chain.as_path()), None, "DARWIND_TLS_KEY is not"),
        (None, Some(key.as_path()), "DARWIND_TLS_CERT is not"),
        (Some(missing.as_path()), Some(key.as_path()), "nowhere.pem"),
        (Some(chain.as_path()), Some(missing.as_path()), "nowhere.pem"),
        (Some(key.as_path()), Some(key.as_path()), "no certificate"),
        (Some(chain.as_path()), Some(chain.as_path()), "chain.pem"),
        (Some(chain.as_path()), Some(stranger.as_path()), "cannot be used"),
    ] {
        let output = serve(data.path(), chain, key).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // Long lines are wrapped for people.
        let said = said.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(named) && said.contains("PEM"), "{named}: {said}");
    }
}
