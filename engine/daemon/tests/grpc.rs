//! gRPC at `darwind serve`, asked by the Python SDK's own client, in plain text and over TLS; with it HTTP/2 is spoken at
//! that address, so a browser's way to page and WebSocket is taken too. Where the binary was built without gRPC, or the
//! client cannot be had, the test says so: `cargo test --workspace` builds it with gRPC.
//! Not here: every operation (`a2a`'s own tests).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "a test says why it could not run, and what the client said")]

#[path = "../../a2a/tests/support/installing.rs"]
#[expect(dead_code, reason = "nothing of Node is needed here")]
mod installing;
#[path = "support/listening.rs"]
mod listening;

use a2a::server::SPEAKS_GRPC;
use installing::{python, run};
use listening::address_of;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const TOKEN: &str = "operator-token";

/// A daemon that is killed when the test is over.
struct Daemon {
    process: Child,
    port: String,
}

impl Daemon {
    fn start(data: &Path, with: &[(&str, &Path)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_darwind"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("DARWIND_DATA_DIR", data)
            .env("DARWIND_TOKEN", TOKEN)
            .envs(with.iter().copied())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let port = address_of(&mut process).split(':').nth(1).unwrap().to_owned();
        Self { process, port }
    }

    fn is_asked(&self, certificate: Option<&Path>) {
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grpc/client.py");
        let said = python("python_http2", &["a2a-sdk[grpc]==1.3.0", "h2==4.4.1"]).map(|bin| {
            let mut command = Command::new(bin.join("python"));
            command.arg(driver).args([self.port.as_str(), TOKEN]).args(certificate);
            run(&mut command).unwrap_or_else(|error| panic!("{error}"))
        });
        match said {
            Ok(said) => println!("{said}"),
            Err(reason) => println!("skipped: {reason}"),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_card_says_whether_grpc_is_spoken() {
    let data = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(data.path(), &[]);
    let address = format!("127.0.0.1:{}", daemon.port);
    let mut stream = TcpStream::connect(&address).unwrap();
    let asked = "GET /.well-known/agent-card.json HTTP/1.1\r\nConnection: close\r\nA2A-Version: 1.0\r\n";
    stream.write_all(format!("{asked}Host: {address}\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let card: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let interfaces = card["supportedInterfaces"].as_array().unwrap();
    let bindings: Vec<&str> = interfaces.iter().map(|one| one["protocolBinding"].as_str().unwrap()).collect();
    // The SDKs take the first that they speak.
    assert_eq!(bindings[0], "JSONRPC");
    let grpc = interfaces.iter().find(|one| one["protocolBinding"] == "GRPC");
    assert_eq!(grpc.and_then(|one| one["url"].as_str()), SPEAKS_GRPC.then_some(address.as_str()), "{card}");
}

#[test]
fn agents_and_browsers_are_answered_over_http2_in_plain_text_and_over_tls() {
    if !SPEAKS_GRPC {
        println!("skipped: built without the feature `grpc`");
        return;
    }
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    Daemon::start(data.path(), &[]).is_asked(None);
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let with = [("DARWIND_TLS_CERT", chain.as_path()), ("DARWIND_TLS_KEY", key.as_path())];
    let data = tempfile::tempdir().unwrap();
    Daemon::start(data.path(), &with).is_asked(Some(&chain));
}
