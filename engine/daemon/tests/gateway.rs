//! Commands that ask a model: known agents by their presets, any other by the variables of the contract, and one that
//! speaks the Agent Client Protocol; all through the gateway, in their cells, with nothing of the user's.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use models::scripted::{Asked, Endpoint, Reply};
use serde_json::Value;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The key that nobody but the endpoint may see.
const KEY: &str = "sk-do-not-show-me";
/// What else the user has and nobody may see.
const SECRET: &str = "planted-c0ffee-secret";
const REPAIRED: &str = "def double(x):\n    return x * 2\n\n\ndef add(a, b):\n    return a + b\n";

/// A target with two mistakes, a model that knows better, a user with secrets, and a folder of programs.
struct Ground {
    data: TempDir,
    target: TempDir,
    home: TempDir,
    programs: TempDir,
    /// A further folder of programs.
    extra: Option<PathBuf>,
    endpoint: Endpoint,
}

fn repairs(_: &Asked) -> Reply {
    Reply::Text(REPAIRED.to_owned())
}

impl Ground {
    /// `section` is the rest of the configuration, in which ENDPOINT is the model's address.
    fn new(section: &str, script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let folder = || TempDir::new().unwrap();
        let ground = Self {
            data: folder(),
            target: folder(),
            home: folder(),
            programs: folder(),
            extra: None,
            endpoint: Endpoint::start(script).unwrap(),
        };
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(ground.programs.path(), mode).unwrap();
        std::fs::create_dir(ground.home.path().join(".ssh")).unwrap();
        for name in [".ssh/id_rsa", ".netrc"] {
            std::fs::write(ground.home.path().join(name), SECRET).unwrap();
        }
        ground
            .write("program.py", "def double(x):\n    return x + 3\n\n\ndef add(a, b):\n    return a - b\n");
        ground.write(
            "test_program.py",
            "import unittest\nimport program\n\n\nclass Program(unittest.TestCase):\n    \
             def test_double(self):\n        self.assertEqual(program.double(4), 8)\n\n    \
             def test_add(self):\n        self.assertEqual(program.add(4, 1), 5)\n",
        );
        let configuration = "[target]\nfiles = [\"program.py\"]\n[[objective]]\nname = \"tests\"\nkind = \"pass_rate\"\n\
             run = [\"python\", \"-m\", \"unittest\", \"-q\", \"test_program\"]\ndirection = \"maximize\"\n\
             [budget]\nproposals = 1\n";
        let section = section.replace("ENDPOINT", &ground.endpoint.url());
        ground.write("darwind.toml", &format!("{configuration}{section}"));
        ground
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.target.path().join(name), text).unwrap();
    }

    fn install(&self, name: &str, text: &str) {
        let path = self.programs.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn darwind(&self, words: &[&str]) -> Output {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.programs.path().to_owned())
            .chain(self.extra.clone())
            .chain(std::env::split_paths(&path).collect::<Vec<PathBuf>>());
        Command::new(env!("CARGO_BIN_EXE_darwind"))
            .args(words)
            .env("DARWIND_DATA_DIR", self.data.path())
            .env("DARWIND_TEST_KEY", KEY)
            .env("HOME", self.home.path())
            .env("GITHUB_TOKEN", SECRET)
            .env("OPENAI_API_KEY", SECRET)
            .env("PATH", std::env::join_paths(folders).unwrap())
            .env_remove("VIRTUAL_ENV")
            .output()
            .unwrap()
    }

    /// Runs the target; `None` where this machine gives no isolation, which is said.
    #[expect(clippy::print_stdout, reason = "what cannot be seen here is said")]
    fn run(&self, listen: &str) -> Option<Ran> {
        let target = self.target.path().display().to_string();
        let output =
            self.darwind(&["run", &target, "--json", "--listen", listen, "--seed", "1", "--workers", "1"]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() == Some(3) {
            println!("skipped: {message}");
            return None;
        }
        let summary =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {message}"));
        let log = self.darwind(&["export", "last", "--format", "jsonl"]);
        let lines = String::from_utf8(log.stdout).unwrap();
        let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let printed = format!("{}{message}{lines}", String::from_utf8_lossy(&output.stdout));
        Some(Ran { summary, events, printed })
    }

    /// Every byte that the run left behind, and everything that it printed.
    fn traces(&self, ran: &Ran) -> Vec<u8> {
        fn gather(folder: &Path, into: &mut Vec<u8>) {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    gather(&path, into);
                } else {
                    into.extend(std::fs::read(path).unwrap_or_default());
                }
            }
        }
        let mut bytes = ran.printed.clone().into_bytes();
        gather(self.data.path(), &mut bytes);
        let best = ran.summary["best"]["candidate_id"].as_str().unwrap();
        bytes.extend(self.darwind(&["diff", best]).stdout);
        bytes
    }
}

/// What a run came to.
struct Ran {
    summary: Value,
    events: Vec<Value>,
    printed: String,
}

impl Ran {
    fn event(&self, kind: &str) -> &Value {
        self.events.iter().find(|event| event["event_type"] == kind).unwrap_or_else(|| {
            panic!("no {kind} among {:#?}", self.events);
        })
    }

    fn repaired(&self) {
        assert_eq!(self.summary["best"]["scores"]["tests"], 1.0, "{}", self.printed);
        assert_eq!(self.summary["proposal_outcomes"]["applied"], 1, "{}", self.summary);
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

const MODEL: &str = "[proposers.llm]\nenabled = false\nendpoint = \"ENDPOINT\"\nmodel = \"scripted\"\n\
                     key_env = \"DARWIND_TEST_KEY\"\n[proposers.llm.price]\ninput = 1.0\noutput = 2.0\n";

fn agent(section: &str) -> String {
    format!("{MODEL}[proposers.agent]\n{section}\n")
}

#[test]
fn a_known_agent_improves_a_program_through_the_gateway_and_sees_nothing_of_the_users() {
    let ground = Ground::new(&agent("preset = \"codex\""), repairs);
    // What listens on this machine beside the gateway: somebody else, the endpoint itself, and the daemon.
    let other = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let api = free.local_addr().unwrap().port();
    drop(free);
    let endpoint = ground.endpoint.url();
    let endpoint = endpoint.trim_end_matches("/v1").rsplit(':').next().unwrap().to_owned();
    let ports = format!("[{}, {api}, {endpoint}]", other.local_addr().unwrap().port());
    let planted = ground.home.path().display().to_string();
    let codex = include_str!("gateway/codex.sh");
    ground.install("codex", &codex.replace("PORTS", &ports).replace("PLANTED", &planted));
    let Some(ran) = ground.run(&format!("127.0.0.1:{api}")) else { return };
    ran.repaired();
    let proposed = &ran.event("improvement_proposed")["data"];
    assert_eq!(proposed["rationale"], "reached []; HOME had []", "{}", ran.printed);
    let asked = ground.endpoint.asked();
    let [probes @ .., asked] = asked.as_slice() else { panic!("nobody asked") };
    assert!(asked.path.ends_with("/responses") && asked.headers.contains(KEY), "{asked:?} {probes:?}");
    assert_eq!(asked.body["model"], "scripted");
    assert!(asked.text().contains("return x + 3"), "{}", asked.text());
    // What it took is in the same books as a model's own proposals, by a price that is known.
    let llm = &ran.summary["llm"];
    assert_eq!(llm["calls"], 1, "{llm}");
    assert!(
        llm["tokens"]["output"].as_u64().unwrap() > 5 && llm["cost_usd"].as_f64().unwrap() > 0.0,
        "{llm}"
    );
    let traces = ground.traces(&ran);
    assert!(
        holds(&traces, r#""dialect":"responses""#) && holds(&traces, "agent 1, seed "),
        "it is not on record"
    );
    assert!(holds(&traces, "GATEWAY_TOKEN"), "the loot is in the edit");
    for hidden in [KEY, SECRET] {
        assert!(!holds(&traces, hidden), "{hidden} shows");
    }
    assert!(
        !holds(&traces, &format!("'HOME': '{planted}")) && !holds(&traces, "'.ssh'"),
        "the home folder shows"
    );
    assert!(!holds(&traces, "'OPENAI_API_KEY'"), "a variable of the user's was handed on");
}

#[test]
fn every_dialect_has_an_agent() {
    let ground = Ground::new(&agent("preset = \"claude\""), repairs);
    ground.install("claude", include_str!("gateway/claude.sh"));
    let Some(ran) = ground.run("none") else { return };
    ran.repaired();
    assert!(ground.endpoint.asked().iter().any(|asked| asked.path.ends_with("/messages")));
}

/// Asks as any program may that knows the contract.
const ANY: &str = "
import json, os, urllib.request
task = json.load(open(os.environ['EVOLVE_TASK']))
def ask():
    body = json.dumps(dict(model=task['models'][0], messages=[dict(role='user', content='well?')])).encode()
    headers = {'authorization': 'Bearer ' + os.environ['OPENAI_API_KEY'], 'content-type': 'application/json'}
    url = os.environ['OPENAI_BASE_URL'] + '/chat/completions'
    return urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30).read()
";

#[test]
fn an_attempt_ends_with_its_allowance_and_its_edit_is_judged() {
    let section =
        "run = [\"python\", \"{self}/agent.py\"]\ngateway = true\nllm_calls = 2\nllm_tokens = 50_000";
    let ground = Ground::new(&agent(section), repairs);
    let endless = "
assert task['limits']['llm_calls'] == 2 and task['limits']['llm_tokens'] == 50_000, task
text = open('program.py').read()
open('program.py', 'w').write(text.replace('x + 3', 'x * 2'))
import time
while True:
    try: ask()
    except urllib.error.HTTPError: time.sleep(0.1)
";
    ground.write("agent.py", &format!("{ANY}{endless}"));
    let Some(ran) = ground.run("none") else { return };
    let proposed = &ran.event("improvement_proposed")["data"];
    assert_eq!(proposed["detail"]["ended"], "it was ended: what it may ask of a model is used up");
    assert_eq!(ran.summary["best"]["scores"]["tests"], 0.5);
    assert_eq!(ran.summary["llm"]["calls"], 2, "{}", ran.summary);
}

#[test]
fn the_runs_budget_is_one_for_all_who_ask() {
    let section = "run = [\"python\", \"{self}/agent.py\"]\ngateway = true\n[budget]\nllm_tokens = 300";
    let text = agent(section);
    let ground = Ground::new("", |_| Reply::Text("word ".repeat(40)));
    let configuration = std::fs::read_to_string(ground.target.path().join("darwind.toml")).unwrap();
    let configuration = configuration.replace("[budget]\nproposals = 1\n", "");
    ground.write(
        "darwind.toml",
        &format!("{configuration}{}", text.replace("ENDPOINT", &ground.endpoint.url())),
    );
    ground.write("agent.py", &format!("{ANY}\nwhile True: ask()"));
    let Some(ran) = ground.run("none") else { return };
    assert_eq!(ran.summary["stopped_by"], "llm_tokens", "{}", ran.summary);
    let tokens = |name: &str| ran.summary["llm"]["tokens"][name].as_u64().unwrap();
    assert!(tokens("input") + tokens("output") <= 300 && tokens("output") > 0, "{}", ran.summary);
}

#[test]
fn an_agent_is_spoken_with_by_the_agent_client_protocol() {
    let section = "run = [\"python\", \"{self}/agent.py\"]\nprotocol = \"acp\"\ngateway = true";
    let ground = Ground::new(&agent(section), repairs);
    ground.write("agent.py", include_str!("gateway/acp_agent.py"));
    let Some(ran) = ground.run("none") else { return };
    ran.repaired();
    let proposed = &ran.event("improvement_proposed")["data"];
    assert_eq!(proposed["rationale"], "Doubled, as asked.");
    assert_eq!(proposed["detail"]["ended"], "it ended");
    let asked = ground.endpoint.asked();
    assert!(asked.iter().any(|asked| asked.text().contains("return x + 3")), "the task was its prompt");
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let refused = |ground: &Ground| {
        let target = ground.target.path().display().to_string();
        let output = ground.darwind(&["run", &target, "--json", "--listen", "none"]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let ground = Ground::new(&agent("preset = \"mini-swe-agent\""), repairs);
    let (code, message) = refused(&ground);
    if code == Some(3) {
        return;
    }
    assert!(code == Some(2) && message.contains("pip install mini-swe-agent"), "{code:?} {message}");
    let ground = Ground::new("[proposers.agent]\npreset = \"codex\"\n", repairs);
    ground.install("codex", include_str!("gateway/codex.sh"));
    let (code, message) = refused(&ground);
    assert!(code == Some(2) && message.contains("[proposers.llm]"), "{code:?} {message}");
    let found: Value = serde_json::from_slice(&ground.darwind(&["doctor", "--json"]).stdout).unwrap();
    let row = |name: &str| {
        found["tools"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone()
    };
    assert_eq!(row("agent codex")["status"], "held");
    // Whether it can be granted is this machine's matter; that it was tried is not.
    let gateway = row("gateway at L1");
    let evidence = gateway["evidence"].as_str().unwrap();
    let reached = evidence.starts_with("reached the gateway; ");
    assert_eq!(gateway["status"] == "held", reached, "{gateway}");
    assert!(reached || gateway["remedy"].as_str().is_some(), "{gateway}");
    let program = ground.programs.path().join("codex").display().to_string();
    assert!(row("agent codex")["evidence"].as_str().unwrap().contains(&program));
}

/// What a model says to a real agent: its tool for commands is called once, and then all is done.
fn works(asked: &Asked) -> Reply {
    const EDIT: &str = "sed -i 's/x + 3/x * 2/; s/a - b/a + b/' program.py";
    let fenced = |command: &str| Reply::Text(format!("So be it.\n\n```mswea_bash_command\n{command}\n```"));
    let said = asked.body.to_string();
    // The task of some agents names the editor too.
    if said.contains("s/x + 3/") {
        return fenced("echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT");
    }
    let tools = asked.body["tools"].as_array().cloned().unwrap_or_default();
    let names: Vec<&str> =
        tools.iter().filter_map(|tool| tool["name"].as_str().or(tool["function"]["name"].as_str())).collect();
    let call = |name: &str, arguments: Value| Reply::Call { name: name.to_owned(), arguments };
    let described = serde_json::json!({ "command": EDIT, "description": "mend it" });
    match names.iter().find(|name| ["exec_command", "shell", "shell_command", "Bash", "bash"].contains(*name))
    {
        Some(name @ &"exec_command") => call(name, serde_json::json!({ "cmd": EDIT })),
        Some(name @ &"shell") => call(name, serde_json::json!({ "command": ["bash", "-lc", EDIT] })),
        Some(name) => call(name, described),
        None if said.contains("mswea_bash_command") => fenced(EDIT),
        // One without tools wants whole files, each after its name.
        None if said.contains("*file listing*") => {
            Reply::Text(format!("So be it.\n\nprogram.py\n```\n{REPAIRED}```\n"))
        }
        None => Reply::Text("A small repair".to_owned()),
    }
}

/// Real agents, where they are installed: they are large and none of this repository's, so a test runs those that
/// `DARWIND_TEST_AGENTS` leads to, a search path of their programs.
#[test]
fn real_agents_work_through_the_gateway() {
    let Some(agents) = std::env::var_os("DARWIND_TEST_AGENTS") else {
        println!("skipped: DARWIND_TEST_AGENTS names no folder with agents");
        return;
    };
    let mut failed = Vec::new();
    for (preset, program) in [
        ("aider", "aider"),
        ("codex", "codex"),
        ("claude", "claude"),
        ("mini-swe-agent", "mini"),
        ("opencode", "opencode"),
        ("opencode-acp", "opencode"),
    ] {
        let Some(folder) = std::env::split_paths(&agents).find(|folder| folder.join(program).exists()) else {
            println!("skipped: {program} is not in DARWIND_TEST_AGENTS");
            continue;
        };
        let section = format!("preset = \"{preset}\"\n[sandbox]\nmemory = \"8GiB\"\nfiles = 20_000");
        let mut ground = Ground::new(&agent(&section), works);
        ground.extra = Some(folder);
        let Some(ran) = ground.run("none") else { return };
        let of = |kind: &str| ran.events.iter().find(|event| event["event_type"] == kind);
        let came = of("improvement_proposed").or_else(|| of("proposal_discarded")).unwrap();
        let asked: Vec<String> = ground.endpoint.asked().iter().map(|asked| asked.path.clone()).collect();
        let score = &ran.summary["best"]["scores"]["tests"];
        println!("{preset}: scores {score}, asked {asked:?}: {}", came["data"]);
        let traces = ground.traces(&ran);
        assert!(!holds(&traces, KEY) && !holds(&traces, SECRET), "{preset}: something of the user's shows");
        failed.extend((score != 1.0).then_some(preset));
    }
    assert!(failed.is_empty(), "{failed:?} did not repair the program");
}
