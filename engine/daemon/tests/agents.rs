//! Commands as proposers, end to end: real agents, most of them bad, called by the binary in its sandbox.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A secret that nobody may see.
const SECRET: &str = "planted-c0ffee-secret";
/// Replaces a mistake of the program.
const REPAIR: &str = "
import os
def edit(old, new):
    with open('program.py') as file: text = file.read()
    with open('program.py', 'w') as file: file.write(text.replace(old, new))
edit('x + 3', 'x * 2')
";

/// A target with two mistakes, whose agent is a script in its own tree.
fn ground(agent: &str, section: &str) -> (TempDir, TempDir) {
    let (data, target) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let write = |name: &str, text: &str| std::fs::write(target.path().join(name), text).unwrap();
    write("program.py", "def double(x):\n    return x + 3\n\n\ndef add(a, b):\n    return a - b\n");
    write(
        "test_program.py",
        "import unittest\nimport program\n\n\nclass Program(unittest.TestCase):\n    \
         def test_double(self):\n        self.assertEqual(program.double(4), 8)\n\n    \
         def test_add(self):\n        self.assertEqual(program.add(4, 1), 5)\n",
    );
    write("agent.py", agent);
    let configuration = format!(
        "[target]\nfiles = [\"program.py\"]\n[[objective]]\nname = \"tests\"\nkind = \"pass_rate\"\n\
         run = [\"python\", \"-m\", \"unittest\", \"-q\", \"test_program\"]\ndirection = \"maximize\"\n\
         [proposers.agent]\nrun = [\"python\", \"{{self}}/agent.py\"]\n{section}\n[budget]\nproposals = 1\n"
    );
    write("darwind.toml", &configuration);
    (data, target)
}

/// What a run came to: its summary, its events, and everything that was printed.
struct Ran {
    summary: Value,
    events: Vec<Value>,
    printed: String,
}

impl Ran {
    fn outcomes(&self, outcome: &str) -> u64 {
        self.summary["proposal_outcomes"][outcome].as_u64().unwrap()
    }

    /// The event of this kind.
    fn event(&self, kind: &str) -> &Value {
        self.events.iter().find(|event| event["event_type"] == kind).unwrap_or_else(|| {
            panic!("no {kind} among {:#?}", self.events);
        })
    }
}

/// Runs the target; `None` where this machine gives no isolation, which is said.
#[expect(clippy::print_stdout, reason = "what cannot be seen here is said")]
fn run(data: &Path, target: &Path, env: &[(&str, &str)]) -> Option<Ran> {
    let darwind = |words: &[&str]| -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_darwind"));
        command.args(words).env("DARWIND_DATA_DIR", data).env_remove("VIRTUAL_ENV");
        command.envs(env.iter().copied());
        command.output().unwrap()
    };
    let target = target.display().to_string();
    let words = ["run", &target, "--json", "--listen", "none", "--seed", "1", "--workers", "1"];
    let output = darwind(&words);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(3) {
        println!("skipped: {message}");
        return None;
    }
    let summary = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {message}"));
    let log = darwind(&["log", "last", "--json"]);
    let lines = String::from_utf8(log.stdout).unwrap();
    let events = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let printed = format!("{}{message}{lines}", String::from_utf8_lossy(&output.stdout));
    Some(Ran { summary, events, printed })
}

#[test]
fn a_good_edit_counts_though_its_agent_ends_badly() {
    let (data, target) = ground(
        &format!(
            "{REPAIR}
import json, sys
task = json.load(open(os.environ['EVOLVE_TASK']))
assert task['protocol'] == 'evolve-agent/1' and task['parent']['failed'], task
open('scratch.txt', 'w').write('left behind')
json.dump(dict(status='gave_up', summary='twice is not three more'), open(os.environ['EVOLVE_RESULT'], 'w'))
sys.exit(9)"
        ),
        "",
    );
    let Some(ran) = run(data.path(), target.path(), &[]) else { return };
    assert_eq!(ran.outcomes("applied"), 1, "{}", ran.summary);
    assert_eq!(ran.summary["best"]["scores"]["tests"], 0.5);
    let proposed = &ran.event("improvement_proposed")["data"];
    assert_eq!(proposed["rationale"], "twice is not three more; left out: scratch.txt");
    assert_eq!(proposed["detail"]["ended"], "it ended with code 9");
}

#[test]
fn an_agent_that_only_says_that_it_succeeded_has_changed_nothing() {
    let (data, target) = ground("print('all tests pass now')", "");
    let Some(ran) = run(data.path(), target.path(), &[]) else { return };
    assert_eq!((ran.outcomes("no_change"), ran.outcomes("applied")), (1, 0), "{}", ran.summary);
}

#[test]
fn an_agent_that_hangs_is_ended_and_its_edit_is_judged() {
    for (agent, section, ended) in [
        ("import time\ntime.sleep(600)", "idle = \"1s\"", "nothing happened for too long, and it was ended"),
        (
            "import time\nwhile True: print('busy', flush=True); time.sleep(0.1)",
            "timeout = \"2s\"",
            "its time ran out",
        ),
    ] {
        let (data, target) = ground(&format!("{REPAIR}\n{agent}"), section);
        let Some(ran) = run(data.path(), target.path(), &[]) else { return };
        assert_eq!(ran.event("improvement_proposed")["data"]["detail"]["ended"], ended);
        assert_eq!(ran.summary["best"]["scores"]["tests"], 0.5);
    }
}

#[test]
fn what_an_agent_leaves_running_is_ended_with_it() {
    let marker = format!("left-running-{}", std::process::id());
    let (data, target) = ground(
        &format!(
            "{REPAIR}
import subprocess, sys
for _ in range(3):
    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', '{marker}'], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time; time.sleep(600)
    os._exit(0)"
        ),
        "",
    );
    let Some(ran) = run(data.path(), target.path(), &[]) else { return };
    assert_eq!(ran.outcomes("applied"), 1, "{}", ran.summary);
    let running = std::fs::read_dir("/proc").unwrap().flatten().any(|process| {
        std::fs::read(process.path().join("cmdline"))
            .is_ok_and(|words| words.windows(marker.len()).any(|part| part == marker.as_bytes()))
    });
    assert!(!running, "a process of the agent still runs");
}

#[test]
fn an_agent_can_write_nowhere_else() {
    let outside = TempDir::new().unwrap();
    let (data, target) = ground(
        &format!(
            "{REPAIR}
wrote = []
for path in ['{outside}/mark', '{data}/mark', '{target}/program.py', os.environ['EVOLVE_SELF'] + '/program.py',
             os.environ['EVOLVE_TASK'], os.path.dirname(os.__file__) + '/mark', '/usr/bin/mark']:
    try:
        open(path, 'a').write('mark'); wrote.append(path)
    except OSError:
        pass
open(os.environ['EVOLVE_RESULT'], 'w').write('{{\"summary\": \"wrote ' + ' '.join(wrote) + '.\"}}')",
            outside = outside.path().display(),
            data = "DATA",
            target = "TARGET",
        ),
        "",
    );
    let agent = target.path().join("agent.py");
    let text = std::fs::read_to_string(&agent).unwrap();
    let text = text.replace("DATA", &data.path().display().to_string());
    std::fs::write(&agent, text.replace("TARGET", &target.path().display().to_string())).unwrap();
    let before = std::fs::read(target.path().join("program.py")).unwrap();
    let Some(ran) = run(data.path(), target.path(), &[]) else { return };
    assert_eq!(ran.event("improvement_proposed")["data"]["rationale"], "wrote .");
    assert_eq!(std::fs::read(target.path().join("program.py")).unwrap(), before);
    assert!(!outside.path().join("mark").exists() && !data.path().join("mark").exists());
}

#[test]
fn a_change_of_what_judges_is_refused_by_name() {
    for meddling in [
        "open('test_program.py', 'w').write('')",
        "os.remove('test_program.py')",
        "os.remove('test_program.py'); os.symlink('/dev/null', 'test_program.py')",
    ] {
        let (data, target) = ground(&format!("{REPAIR}\n{meddling}"), "");
        let Some(ran) = run(data.path(), target.path(), &[]) else { return };
        assert_eq!((ran.outcomes("refused"), ran.outcomes("applied")), (1, 0), "{meddling}");
        let reason = ran.event("proposal_discarded")["data"]["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains("test_program.py"), "{reason}");
    }
}

/// An agent that looks for secrets and carries what it finds out by every way that it has: its answer, its output, its
/// edit; and an edit that makes the candidate do the same when it is judged.
const THIEF: &str = "
import os
looting = '''
import os
loot = repr(dict(os.environ))
for folder in [os.path.expanduser('~'), os.environ.get('HOME', '/'), 'PLANTED', '/root', '/home', '/proc/1', '/proc/self']:
    for top, _, names in os.walk(folder):
        for name in names[:50]:
            if name in ('id_rsa', 'environ', '.netrc'):
                try: loot += open(os.path.join(top, name), 'rb').read(4000).decode('latin-1')
                except OSError: pass
        if top.count('/') > 5: break
'''
scope = {}
exec(looting, scope)
print(scope['loot'])
text = open('program.py').read()
open('program.py', 'w').write(looting + text.replace('x + 3', 'x * 2').replace('return a - b', 'raise ValueError(loot)')
                              + '# ' + scope['loot'].replace(chr(10), ' ').replace(chr(0), ' '))
import json
json.dump(dict(summary=scope['loot'][:300]), open(os.environ['EVOLVE_RESULT'], 'w'))
";

#[test]
fn no_key_and_no_home_is_seen_by_an_agent_a_candidate_or_a_log() {
    let home = TempDir::new().unwrap();
    std::fs::create_dir(home.path().join(".ssh")).unwrap();
    for name in [".ssh/id_rsa", ".netrc"] {
        std::fs::write(home.path().join(name), SECRET).unwrap();
    }
    let home_text = home.path().display().to_string();
    let agent = THIEF.replace("PLANTED", &home_text);
    let (data, target) = ground(&agent, "env = [\"HARMLESS\"]");
    let keys =
        ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PLAIN_VARIABLE"];
    let mut env: Vec<(&str, &str)> = keys.iter().map(|name| (*name, SECRET)).collect();
    env.extend([("HOME", home_text.as_str()), ("HARMLESS", "handed-on")]);
    let Some(ran) = run(data.path(), target.path(), &env) else { return };
    assert_eq!(ran.outcomes("applied"), 1, "{}", ran.summary);
    let summary = ran.event("improvement_proposed")["data"]["rationale"].as_str().unwrap();
    assert!(summary.contains("handed-on") || summary.contains("environ") || summary.len() > 50, "{summary}");
    let id = ran.event("improvement_proposed")["modification_id"].as_str().unwrap();
    let shown = Command::new(env!("CARGO_BIN_EXE_darwind"))
        .args(["diff", id])
        .env("DARWIND_DATA_DIR", data.path())
        .output()
        .unwrap();
    let diff = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(diff.contains("+# {"), "the loot is in the edit: {diff}");
    let stored =
        String::from_utf8_lossy(&std::fs::read(data.path().join("darwind.sqlite")).unwrap()).into_owned();
    for (place, text) in [("the log", &ran.printed), ("the edit", &diff), ("the store", &stored)] {
        assert!(!text.contains(SECRET), "the secret is in {place}");
        // The agent's own source names the folder; that it is HOME is what nobody may learn.
        assert!(!text.contains(&format!("'HOME': '{home_text}")), "the home folder is in {place}");
    }
    assert!(diff.contains("handed-on"), "what is on the allow-list is handed on");
}

#[test]
fn keys_cannot_be_put_on_the_allow_list() {
    let (data, target) = ground("", "env = [\"ANTHROPIC_API_KEY\"]");
    let output = Command::new(env!("CARGO_BIN_EXE_darwind"))
        .arg("run")
        .arg(target.path())
        .env("DARWIND_DATA_DIR", data.path())
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("keys never enter the sandbox"), "{message}");
}

/// A program that is its own editor: it counts its generations.
const SELF_EDITOR: &str = "
import json, os, sys
GENERATION = 0

def improve():
    text = open('program.py').read()
    old = 'GENERATION = ' + str(GENERATION)
    open('program.py', 'w').write(text.replace(old, 'GENERATION = ' + str(GENERATION + 1), 1)STERILE)

if __name__ == '__main__':
    task = json.load(open(sys.argv[1]))
    assert open(__file__).read() == open(os.environ['EVOLVE_SELF'] + '/program.py').read()
    improve()
";

#[test]
fn a_program_edits_its_own_child_and_a_sterile_child_is_refused() {
    for (sterile, outcome) in [("", "applied"), (".replace('    improve()', '    pass')", "refused")] {
        let (data, target) = ground("", "");
        std::fs::write(target.path().join("program.py"), SELF_EDITOR.replace("STERILE", sterile)).unwrap();
        let configuration = target.path().join("darwind.toml");
        let text = std::fs::read_to_string(&configuration).unwrap();
        let text = text
            .replace("[proposers.agent]", "[proposers.self_modification]")
            .replace("{self}/agent.py\"", "program.py\", \"{request}\"");
        std::fs::write(&configuration, text).unwrap();
        std::fs::write(
            target.path().join("test_program.py"),
            "import unittest\nimport program\n\n\nclass Program(unittest.TestCase):\n    \
             def test_start(self):\n        self.assertGreaterEqual(program.GENERATION, 0)\n\n    \
             def test_third(self):\n        self.assertGreaterEqual(program.GENERATION, 3)\n",
        )
        .unwrap();
        let Some(ran) = run(data.path(), target.path(), &[]) else { return };
        assert_eq!(ran.outcomes(outcome), 1, "{}", ran.printed);
    }
}

/// `darwind agent check` on a folder: its answer, and whether it ended well; `None` where nothing can be contained.
#[expect(clippy::print_stdout, reason = "what cannot be seen here is said")]
fn checked(folder: &Path) -> Option<(Value, bool)> {
    let output = Command::new(env!("CARGO_BIN_EXE_darwind"))
        .args(["agent", "check", "--json"])
        .arg(folder)
        .env_remove("VIRTUAL_ENV")
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(3) {
        println!("skipped: {message}");
        return None;
    }
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {message}"));
    Some((answer, output.status.success()))
}

fn held(answer: &Value, name: &str) -> bool {
    let checks = answer["checks"].as_array().unwrap();
    checks.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name}: {answer}"))["passed"]
        == true
}

#[test]
fn the_shipped_agent_keeps_the_contract() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/self_improving_agent");
    let Some((answer, ok)) = checked(&folder) else { return };
    assert!(ok && answer["checks"].as_array().unwrap().iter().all(|row| row["passed"] == true), "{answer:#}");
    assert_eq!(answer["protocol"], "evolve-agent/1");
    assert!(held(&answer, "solves"));
}

#[test]
fn an_agent_that_breaks_the_contract_is_told_where() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "evolve.toml",
        "[agent]\nprotocol = \"evolve-agent/1\"\ncommand = [\"python\", \"agent.py\"]\nkinds = [\"propose\"]\n",
    );
    write("agent.py", "open('agent.py', 'w').write('pass')\nopen('evolve.toml', 'a').write('# mine')\n");
    let Some((answer, ok)) = checked(folder.path()) else { return };
    assert!(!ok, "{answer:#}");
    assert!(held(&answer, "starts") && held(&answer, "proposes"));
    for name in ["keeps to its files", "its child proposes too", "refuses what it does not know"] {
        assert!(!held(&answer, name), "{name}: {answer:#}");
    }
    write("evolve.toml", "[agent]\nprotocol = \"evolve-agent/9\"\ncommand = [\"x\"]\nkinds = []\n");
    let output = Command::new(env!("CARGO_BIN_EXE_darwind"))
        .args(["agent", "check"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}
