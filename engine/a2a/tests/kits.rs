//! Clients and kits of other people against the scripted agent: the Python and JavaScript SDKs of 1.0 and of 0.3, and
//! the linter for cards. They are installed into the build folder, once. Where they cannot be had, a test says so.
//! `cargo test -p a2a` builds the agent too; with `--test kits` alone it is the one that was built last.
//! Not here: what the drivers check (`tests/kits`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "a test says why it could not run, and what its kit said")]

#[path = "support/installing.rs"]
mod installing;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use installing::{node, python, run};

/// The scripted agent as a process of its own, which ends with this value.
struct ScriptedAgent {
    process: Child,
    base: String,
    /// The file that holds the key of its card.
    key: PathBuf,
    _folder: tempfile::TempDir,
}

impl ScriptedAgent {
    fn start(arguments: &[&str]) -> Result<Self, String> {
        // Tests lie in `deps`, examples beside it.
        let own = std::env::current_exe().unwrap();
        let built = own.parent().unwrap().parent().unwrap().join("examples/scripted_agent");
        if !built.exists() {
            return Err("`cargo build -p a2a --example scripted_agent` has not been run".to_owned());
        }
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key.json");
        let mut process = Command::new(built)
            .args(["--listen", "127.0.0.1:0", "--sign"])
            .arg(&key)
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().strip_prefix("scripted agent at ").unwrap().to_owned();
        let base = base.strip_suffix("/.well-known/agent-card.json").unwrap().to_owned();
        Ok(Self { process, base, key, _folder: folder })
    }
}

impl Drop for ScriptedAgent {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Drives a fresh agent with a command that is made once its kit is there.
fn judged(kit: Result<PathBuf, String>, command: impl Fn(&Path, &ScriptedAgent) -> Command) {
    judged_with(&[], kit, command);
}

/// As `judged`, with arguments for the agent.
fn judged_with(
    arguments: &[&str],
    kit: Result<PathBuf, String>,
    command: impl Fn(&Path, &ScriptedAgent) -> Command,
) {
    let ready = kit.and_then(|kit| Ok((kit, ScriptedAgent::start(arguments)?)));
    let (kit, agent) = match ready {
        Ok(ready) => ready,
        Err(reason) => {
            println!("skipped: {reason}");
            return;
        }
    };
    match run(&mut command(&kit, &agent)) {
        Ok(printed) => println!("{printed}"),
        Err(error) => panic!("{error}"),
    }
}

fn driver(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kits").join(name)
}

#[test]
fn the_python_client() {
    judged(python("python", &["a2a-sdk[signing]==1.3.0"]), |bin, agent| {
        let mut command = Command::new(bin.join("python"));
        command.arg(driver("python_client.py")).arg(&agent.base).arg(&agent.key);
        command
    });
}

#[test]
fn the_python_client_over_grpc() {
    judged(python("python_grpc", &["a2a-sdk[grpc,signing]==1.3.0"]), |bin, agent| {
        let mut command = Command::new(bin.join("python"));
        command.arg(driver("python_client.py")).arg(&agent.base).arg(&agent.key).arg("GRPC");
        command
    });
}

#[test]
fn the_python_client_of_old() {
    judged(python("python_old", &["a2a-sdk==0.3.26"]), |bin, agent| {
        let mut command = Command::new(bin.join("python"));
        command.arg(driver("python_old_client.py")).arg(&agent.base);
        command
    });
}

#[test]
fn the_javascript_clients_of_now_and_of_old() {
    let packages = ["@a2a-js/sdk@1.3.0", "old@npm:@a2a-js/sdk@0.3.14", "jose@6.2.17"];
    judged(node("node", &packages), |folder, agent| {
        // A module finds its packages beside itself.
        let script = folder.join("client.mjs");
        fs::copy(driver("javascript_client.mjs"), &script).unwrap();
        let mut command = Command::new("node");
        command.arg(script).arg(&agent.base).arg(&agent.key);
        command
    });
}

#[test]
fn the_linter() {
    judged(python("linter", &["a2a-lint==0.1.1"]), |bin, agent| {
        let mut command = Command::new(bin.join("a2a-lint"));
        command.args([agent.base.as_str(), "--live", "--strict"]);
        command
    });
}

#[test]
fn the_toolkit_for_operators() {
    // It takes an interface whose address is no URL for an error; that of gRPC is host and port.
    judged_with(&["--no-grpc"], python("toolkit", &["a2aops==1.1.0"]), |bin, agent| {
        let mut command = Command::new(bin.join("a2aops"));
        command.args(["card", "check", agent.base.as_str()]);
        command
    });
}
