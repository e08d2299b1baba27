//! Whole runs with an embedding model: a scripted endpoint over real sockets says how alike programs are. What is too
//! similar is not evaluated, what cannot be embedded is compared by its tree, and a replay needs no endpoint.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/scripted.rs"]
mod scripted;
#[expect(dead_code, reason = "each test file uses its own part of this")]
mod support;

use models::scripted::{Asked, Endpoint, Reply};
use scripted::{KEY, PROGRAM, run};
use serde_json::Value;
use std::path::Path;
use support::{darwind, json, refused};
use tempfile::TempDir;

const CASES: &str = r#"[{"function": "triangle", "args": [0], "expected": 0}, {"function": "triangle", "args": [3], "expected": 6}]"#;
const CONFIGURATION: &str = r#"
[target]
name = "triangle"
files = ["triangle.py"]
[[objective]]
name = "accuracy"
kind = "pass_rate"
cases = "cases.json"
"#;
const MODEL: &str = "[proposers.llm]\nendpoint = \"ENDPOINT\"\nmodel = \"scripted\"\nkey_env = \"DARWIND_TEST_KEY\"\nparallel = 1\n";

fn target(endpoint: &Endpoint, more: &str) -> TempDir {
    scripted::target(endpoint, CASES, &format!("{CONFIGURATION}{more}"))
}

fn events(data: &Path) -> Vec<Value> {
    let log = darwind(data).args(["export", "last", "--format", "jsonl"]).output().unwrap().stdout;
    String::from_utf8(log).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn wants_embedding(asked: &Asked) -> bool {
    asked.path.ends_with("/embeddings")
}

/// A model that knows one idea, with ever another number in it; and one that sees that it is one idea.
fn one_idea(asked: &Asked) -> Reply {
    let text = asked.text();
    if wants_embedding(asked) {
        return Reply::Embedding(if text.contains("total = 0") { vec![1.0, 0.0] } else { vec![0.0, 1.0] });
    }
    if text.contains("Answer with its letter alone") {
        return Reply::Text("A".to_owned());
    }
    let constant = asked.count + 1;
    if text.contains("Rewrite the program") {
        let program = PROGRAM.replace("total = 0", &format!("total = {constant}"));
        return Reply::Text(format!("Another start.\n\ntriangle.py\n```python\n{program}```\n"));
    }
    Reply::Text(format!(
        "Another start.\n\n<<<<<<< SEARCH\n    total = 0\n=======\n    total = {constant}\n>>>>>>> REPLACE\n"
    ))
}

#[test]
fn what_means_the_same_is_evaluated_once() {
    let endpoint = Endpoint::start(one_idea).unwrap();
    let novelty = "[evolution]\narchive = \"novelty\"\n[evolution.embedding]\nmodel = \"eyes\"\n[budget]\nproposals = 8\n";
    let (data, target) = (TempDir::new().unwrap(), target(&endpoint, &format!("{MODEL}{novelty}")));
    let output = run(data.path(), target.path(), &[]);
    if refused(&output) {
        return;
    }
    let summary = json(&output);
    let outcomes = &summary["proposal_outcomes"];
    assert!(outcomes["similar"].as_u64().unwrap() > 0, "{summary}");
    assert_eq!(outcomes["applied"], 1, "the idea itself is evaluated: {summary}");
    assert_eq!(summary["embeddings"], serde_json::json!({ "known": 2, "missing": 0 }));
    let events = events(data.path());
    let of = |kind: &str| events.iter().find(|event| event["event_type"] == kind).unwrap().clone();
    for (kind, field) in [("run_started", "baseline"), ("improvement_proposed", "candidate")] {
        assert!(of(kind)["data"]["shape"]["embedding"]["known"].is_string(), "the {field} has no embedding");
    }
    let similar = events.iter().find(|event| event["data"]["outcome"] == "similar").unwrap();
    assert!(similar["data"]["reason"].as_str().unwrap().starts_with("nearly the program of "), "{similar}");
    let asked = endpoint.asked();
    let (embedding, chat): (Vec<&Asked>, Vec<&Asked>) =
        asked.iter().partition(|asked| wants_embedding(asked));
    assert!(embedding.iter().all(|asked| asked.headers.contains(KEY) && asked.body["model"] == "eyes"));
    // The baseline's is asked for before there is a log to tell of it.
    assert_eq!(
        summary["llm"]["calls"].as_u64().unwrap() as usize,
        chat.len() + embedding.len() - 1,
        "{summary}"
    );
    drop((endpoint, target));
    let replay = json(&darwind(data.path()).args(["replay", "last", "--json"]).output().unwrap());
    assert_eq!(replay["ok"], true, "{replay}");
    assert_eq!(replay["proposals"]["recomputed"], replay["proposals"]["equal"]);
    let everything = std::fs::read(data.path().join("darwind.sqlite")).unwrap();
    for bytes in [everything.as_slice(), &output.stdout, &output.stderr] {
        assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "the key shows");
    }
}

#[test]
fn without_embeddings_the_trees_decide_and_the_log_says_so() {
    let refuse =
        |_: &Asked| Reply::Refuse { status: 400, message: "no such model".to_owned(), retry_after: None };
    let endpoint = Endpoint::start(refuse).unwrap();
    let novelty = "[evolution]\narchive = \"novelty\"\n[evolution.embedding]\nmodel = \"eyes\"\n";
    let own = format!("{novelty}endpoint = \"ENDPOINT\"\n");
    for (more, reason, most) in [(own.as_str(), "no such model", 5), (novelty, "names an endpoint", 0)] {
        let before = endpoint.asked().len();
        let (data, target) = (TempDir::new().unwrap(), target(&endpoint, more));
        let output = run(data.path(), target.path(), &["--evaluations", "8"]);
        if refused(&output) {
            return;
        }
        let summary = json(&output);
        assert_eq!(
            (&summary["evaluations"], &summary["embeddings"]["known"]),
            (&8.into(), &0.into()),
            "{summary}"
        );
        assert!(summary["embeddings"]["missing"].as_u64().unwrap() > 8, "{summary}");
        assert_eq!(endpoint.asked().len() - before, most, "an endpoint that only fails is left alone");
        let events = events(data.path());
        let missing = |event: &&Value| {
            event["data"]["shape"]["embedding"]["missing"].as_str().is_some_and(|text| text.contains(reason))
        };
        assert!(events.iter().any(|event| missing(&event)), "{summary}");
        let replay = json(&darwind(data.path()).args(["replay", "last", "--json"]).output().unwrap());
        assert_eq!(replay["ok"], true, "{replay}");
    }
}
