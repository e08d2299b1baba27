//! Whole runs with a language model: a scripted endpoint over real sockets, faults included; what is paid is recorded,
//! counted and never asked for twice, and budgets hold.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/scripted.rs"]
mod scripted;
#[expect(dead_code, reason = "each test file uses its own part of this")]
mod support;

use conductor::{ControlRequest, control_stream, run_stream};
use evolution::event::Command;
use evolution::id::RunId;
use evolution::settings::Budget;
use models::scripted::{Asked, Endpoint, Reply};
use scripted::{KEY, run};
use serde_json::Value;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use store::{Expected, Log, NewRecord, SqliteStore};
use support::{darwind, json, refused};
use tempfile::TempDir;

const CASES: &str = r#"[{"function": "triangle", "args": [0], "expected": 0}, {"function": "triangle", "args": [3], "expected": 6},
    {"function": "triangle", "args": [10], "expected": 55}]"#;
const CONFIGURATION: &str = r#"
[target]
name = "triangle"
files = ["triangle.py"]
[[objective]]
name = "accuracy"
kind = "pass_rate"
cases = "cases.json"
[[objective]]
name = "size"
kind = "code_size"
weight = 0.1
[proposers.llm]
endpoint = "ENDPOINT"
model = "scripted"
key_env = "DARWIND_TEST_KEY"
"#;

/// A target whose model is at `endpoint`, with further settings.
fn target(endpoint: &Endpoint, more: &str) -> TempDir {
    scripted::target(endpoint, CASES, &format!("{CONFIGURATION}{more}"))
}

/// Answers like a model of mixed talent: some answers right, some useless in each of the usual ways.
fn talent(asked: &Asked) -> Reply {
    let text = asked.text();
    if text.contains("Answer with its letter alone") {
        return Reply::Text("A".to_owned());
    }
    let whole = text.contains("Rewrite the program");
    let constant = asked.count;
    match asked.count % 7 {
        0 => Reply::Text("I would rather talk about the weather.".to_owned()),
        1 if whole => Reply::Text("Closed form.\n\ntriangle.py\n```python\ndef triangle(n):\n    return n * (n + 1) // 2\n```\n".to_owned()),
        1 => Reply::Text("The last number was left out.\n\n<<<<<<< SEARCH\n    for i in range(n):\n=======\n    for i in range(n + 1):\n>>>>>>> REPLACE\n".to_owned()),
        2 => Reply::Refuse { status: 500, message: "a bad day".to_owned(), retry_after: Some(0) },
        3 => Reply::Cut("<<<<<<< SEARCH".to_owned()),
        4 => Reply::Text("<<<<<<< SEARCH\n    return total\n=======\n    return total\n>>>>>>> REPLACE\n".to_owned()),
        _ => Reply::Text(format!("Another start.\n\n<<<<<<< SEARCH\n    total = 0\n=======\n    total = {constant}\n>>>>>>> REPLACE\n")),
    }
}

#[test]
fn a_model_improves_a_program_and_all_of_it_is_on_record() {
    let endpoint = Endpoint::start(talent).unwrap();
    let (data, target) = (TempDir::new().unwrap(), target(&endpoint, ""));
    let output = run(data.path(), target.path(), &["--evaluations", "12"]);
    if refused(&output) {
        return;
    }
    let summary = json(&output);
    assert_eq!(summary["best"]["scores"]["accuracy"], 1.0, "{summary}");
    let llm = &summary["llm"];
    assert!(
        llm["calls"].as_u64().unwrap() > 5 && llm["cost_usd"].is_null(),
        "an unknown price is unknown: {llm}"
    );
    assert!(
        llm["tokens"]["input"].as_u64().unwrap() > 0 && llm["tokens"]["output"].as_u64().unwrap() > 0,
        "{llm}"
    );
    let log = darwind(data.path()).args(["export", "last", "--format", "jsonl"]).output().unwrap().stdout;
    let log = String::from_utf8(log).unwrap();
    assert!(log.contains(r#""no_change""#) && log.contains(r#""answered_by":"scripted""#), "{log}");
    let replay = json(&darwind(data.path()).args(["replay", "last", "--json"]).output().unwrap());
    assert_eq!(replay["ok"], true, "{replay}");
    assert!(endpoint.asked().iter().all(|asked| asked.headers.contains(KEY)));
    let everything = std::fs::read(data.path().join("darwind.sqlite")).unwrap();
    for bytes in [everything.as_slice(), log.as_bytes(), &output.stdout, &output.stderr] {
        assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "the key shows");
    }
}

#[test]
fn a_run_is_gone_through_again_without_its_endpoint() {
    let endpoint = Endpoint::start(talent).unwrap();
    let more = "format = \"json\"\n[proposers.ast]\n";
    let (data, target) = (TempDir::new().unwrap(), target(&endpoint, more));
    let output = run(data.path(), target.path(), &["--evaluations", "25", "--time", "120s"]);
    if refused(&output) {
        return;
    }
    let asked = endpoint.asked().len();
    drop(endpoint);
    // The target and the key are gone too: the record has everything.
    drop(target);
    let replayed = json(&darwind(data.path()).args(["replay", "last", "--json"]).output().unwrap());
    assert_eq!(replayed["ok"], true, "{replayed}");
    let proposals = &replayed["proposals"];
    assert!(asked > 5 && proposals["recomputed"].as_u64().unwrap() > 20, "{replayed}");
    assert_eq!(proposals["recomputed"], proposals["equal"]);
}

/// A model that refuses what it may, then answers.
fn picky(asked: &Asked) -> Reply {
    for knob in ["temperature", "response_format", "top_logprobs"] {
        if asked.body.get(knob).is_some() {
            let message = format!("Unsupported parameter: '{knob}' is not supported with this model.");
            return Reply::Refuse { status: 400, message, retry_after: None };
        }
    }
    talent(asked)
}

#[test]
fn what_a_model_refuses_is_left_out_and_recorded() {
    let endpoint = Endpoint::start(picky).unwrap();
    let (data, target) = (TempDir::new().unwrap(), target(&endpoint, "format = \"json\"\nparallel = 1\n"));
    let output = run(data.path(), target.path(), &["--evaluations", "12"]);
    if refused(&output) {
        return;
    }
    let summary = json(&output);
    assert!(summary["llm"]["calls"].as_u64().unwrap() > 5, "{summary}");
    let refusals = endpoint.asked().iter().filter(|asked| asked.body.get("temperature").is_some()).count();
    assert_eq!(refusals, 1, "it is not sent twice");
    let replay = json(&darwind(data.path()).args(["replay", "last", "--json"]).output().unwrap());
    assert_eq!(replay["ok"], true, "{replay}");
}

#[test]
fn a_model_that_fails_every_time_does_not_hold_the_others_up() {
    let bad = |_: &Asked| Reply::Refuse { status: 401, message: "no".to_owned(), retry_after: None };
    let endpoint = Endpoint::start(bad).unwrap();
    let (data, target) = (TempDir::new().unwrap(), target(&endpoint, "[proposers.ast]\n"));
    let output = run(data.path(), target.path(), &["--evaluations", "30", "--time", "120s"]);
    if refused(&output) {
        return;
    }
    let summary = json(&output);
    assert_ne!(summary["stopped_by"], "time", "the breaker rests longer than that: {summary}");
    let asked = endpoint.asked().len();
    assert!((5..=20).contains(&asked), "{asked} questions until the breaker opened");
    let replay = json(&darwind(data.path()).args(["replay", "last", "--json"]).output().unwrap());
    assert_eq!(
        (&replay["ok"], replay["failed_proposals"].as_u64().unwrap() >= 5),
        (&true.into(), true),
        "{replay}"
    );
}

#[test]
fn a_model_that_cannot_be_asked_is_an_error_or_gives_way_to_ast() {
    let endpoint = Endpoint::start(talent).unwrap();
    let lone = target(&endpoint, "");
    let soft = target(&endpoint, "fallback = \"ast\"\n");
    drop(endpoint);
    let data = TempDir::new().unwrap();
    let output = run(data.path(), lone.path(), &["--evaluations", "3"]);
    if refused(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--proposer ast"));
    let output = run(data.path(), soft.path(), &["--evaluations", "3"]);
    assert_eq!(json(&output)["evaluations"], 3);
    let told = String::from_utf8_lossy(&output.stderr).replace('\n', " ");
    assert!(told.contains("cannot be asked") && told.contains("`ast` in its place"), "{told}");
}

#[test]
fn budgets_of_tokens_and_money_end_a_run() {
    let endpoint = Endpoint::start(talent).unwrap();
    let price = "[proposers.llm.price]\ninput = 1000\noutput = 1000\n";
    for (more, stopped_by) in [
        ("[budget]\nevaluations = 1000\nllm_tokens = 20000\n", "llm_tokens"),
        ("[budget]\nevaluations = 1000\nllm_cost_usd = 20\n", "llm_cost_usd"),
    ] {
        let (data, target) = (TempDir::new().unwrap(), target(&endpoint, &format!("{price}{more}")));
        let output = run(data.path(), target.path(), &[]);
        if refused(&output) {
            return;
        }
        let summary = json(&output);
        assert_eq!(summary["stopped_by"], stopped_by, "{summary}");
        let tokens = |name: &str| summary["llm"]["tokens"][name].as_u64().unwrap();
        assert!(tokens("input") + tokens("output") <= 20_000, "{summary}");
        let usd = summary["llm"]["cost_usd"].as_f64().unwrap();
        assert!(usd > 0.0 && usd <= 20.0, "{summary}");
    }
}

/// Sends a run, of which there is one in this data folder, a new budget of tokens, and waits until its log has it.
fn set_tokens(data: &Path, tokens: u64) {
    let runs = data.join("runs");
    let run = std::fs::read_dir(runs).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
    let run = RunId::new(run);
    let store = SqliteStore::open(&data.join("darwind.sqlite")).unwrap();
    let budget = Budget { llm_tokens: Some(tokens), ..Budget::default() };
    let request = ControlRequest {
        id: "more".to_owned(),
        command: Command::SetBudget { budget },
        reason: "it pays".to_owned(),
    };
    let data = serde_json::to_value(&request).unwrap();
    let record = NewRecord { kind: "set_budget".to_owned(), time_ms: 0, data };
    let mut events = store.subscribe(&run_stream(&run), 0).unwrap();
    store.append(&control_stream(&run), Expected::Any, &[record]).unwrap();
    while let Some(record) = events.recv_timeout(Duration::from_secs(60)).unwrap() {
        if record.kind == "budget_changed" {
            return;
        }
    }
}

#[test]
fn a_budget_raised_while_a_run_goes_on_reaches_its_models() {
    let data = std::sync::Arc::new(TempDir::new().unwrap());
    let folder = data.clone();
    let endpoint = Endpoint::start(move |asked| {
        if asked.count == 2 {
            set_tokens(folder.path(), 12_000);
        }
        talent(asked)
    })
    .unwrap();
    let target = target(&endpoint, "[budget]\nevaluations = 1000\nllm_tokens = 6000\n");
    let output = run(data.path(), target.path(), &[]);
    if refused(&output) {
        return;
    }
    let summary = json(&output);
    assert_eq!(summary["stopped_by"], "llm_tokens", "{summary}");
    let tokens = |name: &str| summary["llm"]["tokens"][name].as_u64().unwrap();
    let spent = tokens("input") + tokens("output");
    assert!(6_000 < spent && spent <= 12_000, "{summary}");
    let show = json(&darwind(data.path()).args(["show", "last", "--json"]).output().unwrap());
    assert_eq!(show["budget"]["evaluations"], 1_000, "what the command leaves out stays: {show}");
}

#[test]
fn a_killed_run_never_pays_twice() {
    // The first process is killed from within its model's answers; what was answered before is paid.
    let killed = std::sync::Arc::new(AtomicU32::new(0));
    let victim = killed.clone();
    let endpoint = Endpoint::start(move |asked| {
        if asked.count == 6 {
            let pid = victim.swap(0, Ordering::SeqCst);
            let _ = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
            return Reply::Stall;
        }
        talent(asked)
    })
    .unwrap();
    let (data, target) = (TempDir::new().unwrap(), target(&endpoint, "parallel = 1\n"));
    let mut first = std::process::Command::new(env!("CARGO_BIN_EXE_darwind"));
    first.arg("run").arg(target.path()).args([
        "--evaluations",
        "10",
        "--seed",
        "3",
        "--workers",
        "1",
        "--json",
    ]);
    first.args(["--listen", "none"]).env("DARWIND_DATA_DIR", data.path()).env("DARWIND_TEST_KEY", KEY);
    let child =
        first.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    killed.store(child.id(), Ordering::SeqCst);
    let output = child.wait_with_output().unwrap();
    if refused(&output) {
        return;
    }
    assert_eq!(output.status.code(), None, "{}", String::from_utf8_lossy(&output.stderr));
    let before = endpoint.asked().len();
    let summary = json(&run(data.path(), target.path(), &["--resume"]));
    assert_eq!(summary["evaluations"], 10, "{summary}");
    // No question that was answered is asked again: each body that was answered came once.
    let asked = endpoint.asked();
    let answered =
        |asked: &&Asked| asked.count != 6 && matches!(talent(asked), Reply::Text(_) | Reply::Truncated(_));
    let mut bodies: Vec<Value> = asked.iter().filter(answered).map(|asked| asked.body.clone()).collect();
    let total = bodies.len();
    bodies.sort_by_key(Value::to_string);
    bodies.dedup();
    assert_eq!(bodies.len(), total, "asked {before} before the kill and {} in all", asked.len());
    assert_eq!(summary["llm"]["calls"].as_u64().unwrap(), total as u64, "{summary}");
}
