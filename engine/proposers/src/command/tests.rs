//! The rules held against a workbench whose outcomes are known.

use super::*;
use crate::workbench::Allowance;
use evolution::candidate::{CaseResult, Evaluation, Outcome as Judged, Separation};
use evolution::errand::{Change, Ended};
use evolution::id::{CandidateId, CommitId};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// A command with the files beside it and the task, as it was asked for.
type Asked = (Vec<String>, BTreeMap<String, Vec<u8>>, String);

/// What the command was asked, and what it answers, one outcome an errand.
#[derive(Default)]
struct Script {
    asked: Vec<Asked>,
    answers: Vec<Outcome>,
}

struct Scripted(Arc<Mutex<Script>>);

impl Workbench for Scripted {
    fn places(&self) -> Places {
        let at = |name: &str| PathBuf::from("/bench").join(name);
        Places { own: at("self"), work: at("work"), documents: at("documents"), result: at("result") }
    }

    fn holds(&self, path: &str) -> bool {
        path == "agent.py"
    }

    fn allowance(&self) -> Option<Allowance> {
        None
    }

    fn admit(&mut self, _attempt: &str) -> Result<Option<Leave>, WorkbenchError> {
        Ok(None)
    }

    fn run(
        &mut self,
        errand: &Errand<'_>,
        _dialogue: Option<&mut dyn Dialogue>,
    ) -> Result<Outcome, WorkbenchError> {
        let mut script = self.0.lock().unwrap();
        let files = errand.files.text("agent.py").unwrap_or_default().to_owned();
        script.asked.push((errand.argv.clone(), errand.documents.clone(), files));
        if script.answers.is_empty() {
            return Err(WorkbenchError("the script is over".to_owned()));
        }
        Ok(script.answers.remove(0))
    }
}

fn outcome(ended: Ended, changes: &[(&str, Change)]) -> Outcome {
    Outcome {
        ended,
        changes: changes.iter().map(|(path, change)| ((*path).to_owned(), change.clone())).collect(),
        too_much: false,
        result: Some(br#"{"status":"proposed","summary":"a  wider\nsearch","tags":["x"]}"#.to_vec()),
        output: "working\nsorry\n".to_owned(),
        cost: Cost { wall_s: 1.0, launches: 1, ..Cost::default() },
        out_of: None,
    }
}

fn edited(text: &str) -> Change {
    Change::Changed(Arc::from(text.as_bytes()))
}

fn request() -> ProposalRequest {
    let case = |name: &str, passed| CaseResult {
        name: name.to_owned(),
        passed,
        failure: if passed { String::new() } else { "AssertionError".to_owned() },
    };
    let evaluation = Evaluation {
        outcome: Judged::Wrong,
        detail: String::new(),
        isolation: "L2".to_owned(),
        separation: Separation::Split,
        checks: Vec::new(),
        scores: Default::default(),
        metrics: BTreeMap::from([("repaired".to_owned(), 0.5)]),
        cases: vec![case("t1", true), case("t2", false)],
        cases_total: 2,
        suspicion: Vec::new(),
        comparisons: Vec::new(),
        denials: BTreeMap::new(),
        log: "it said so".to_owned(),
        cost: Cost::default(),
    };
    let parent = CandidateView {
        number: 4,
        id: CandidateId::from_text("run-4"),
        commit: CommitId::new("c0ffee"),
        files: Arc::new(SourceFiles(BTreeMap::from([("agent.py".to_owned(), Arc::from(&b"old"[..]))]))),
        evaluation: Arc::new(evaluation),
        detail: Arc::new(serde_json::Value::Null),
    };
    ProposalRequest {
        number: 9,
        operator: "edit".to_owned(),
        parents: vec![parent.clone()],
        peers: Vec::new(),
        baseline: parent,
        learning_rate: 0.1,
        part: None,
        seed: 77,
    }
}

/// A proposer whose errands come to these outcomes.
fn proposer(role: Role, answers: Vec<Outcome>) -> (CommandProposer, Arc<Mutex<Script>>) {
    let script = Arc::new(Mutex::new(Script { asked: Vec::new(), answers }));
    let aim = Aim { metric: "repaired".to_owned(), direction: "max", threshold: None, unit: None };
    let options = Options {
        role,
        run: ["python", "agent.py", "--improve", "{request}"].map(str::to_owned).into(),
        env: Vec::new(),
        announce: true,
        protocol: Protocol::Silent,
        goal: "Repair more.".to_owned(),
        aims: vec![aim],
        editable: vec!["agent.py".to_owned()],
        protected: vec!["tests/judge.py".to_owned()],
        wall: Duration::from_secs(5),
        idle: Duration::from_secs(5),
        run_id: "run".to_owned(),
    };
    (CommandProposer::new(options, Box::new(Scripted(script.clone()))), script)
}

#[test]
fn a_change_counts_whatever_the_exit_code_says() {
    for ended in [Ended::Exited(0), Ended::Exited(3), Ended::Exited(-9), Ended::Wall, Ended::Idle] {
        let (mut agent, _) = proposer(Role::Agent, vec![outcome(ended, &[("agent.py", edited("new"))])]);
        let proposal = agent.propose(&request()).unwrap();
        assert_eq!(proposal.patch.0.len(), 1);
        assert_eq!(proposal.rationale, "a wider search");
    }
}

#[test]
fn an_attempt_without_a_change_is_read_by_its_end() {
    let answer = |ended| proposer(Role::Agent, vec![outcome(ended, &[])]).0.propose(&request());
    assert!(answer(Ended::Exited(0)).unwrap().patch.0.is_empty());
    assert!(matches!(answer(Ended::Exited(3)), Err(ProposerError::Exhausted(_))));
    for ended in [Ended::Exited(1), Ended::Exited(75), Ended::Exited(-9), Ended::Wall, Ended::Idle] {
        let Err(ProposerError::Failed(reason)) = answer(ended.clone()) else { panic!("{ended:?}") };
        assert!(reason.contains("its last words: sorry"), "{reason}");
    }
    assert!(matches!(answer(Ended::Unstarted("no such file".to_owned())), Err(ProposerError::Failed(_))));
}

#[test]
fn a_changed_judge_spoils_the_attempt_and_a_new_file_beside_does_not() {
    let change = |path: &'static str, change| vec![("agent.py", edited("new")), (path, change)];
    for forbidden in [edited("x"), Change::Gone, Change::Odd] {
        let outcome = outcome(Ended::Exited(0), &change("tests/judge.py", forbidden));
        let refused = proposer(Role::Agent, vec![outcome]).0.propose(&request());
        assert!(matches!(&refused, Err(ProposerError::Refused(why)) if why.contains("tests/judge.py")));
    }
    for odd in [Change::Odd, Change::Gone] {
        let outcome = outcome(Ended::Exited(0), &[("agent.py", odd)]);
        let refused = proposer(Role::Agent, vec![outcome]).0.propose(&request());
        assert!(matches!(refused, Err(ProposerError::Refused(_))));
    }
    let beside = change("scratch.txt", Change::New(Arc::from(&b"x"[..])));
    let proposal = proposer(Role::Agent, vec![outcome(Ended::Exited(0), &beside)]).0.propose(&request());
    let proposal = proposal.unwrap();
    assert_eq!(proposal.patch.0.len(), 1);
    assert!(proposal.rationale.ends_with("left out: scratch.txt"), "{}", proposal.rationale);
    let flood = Outcome { too_much: true, ..outcome(Ended::Exited(0), &[("agent.py", edited("new"))]) };
    assert!(matches!(
        proposer(Role::Agent, vec![flood]).0.propose(&request()),
        Err(ProposerError::Refused(_))
    ));
}

#[test]
fn a_sterile_child_is_refused_and_a_fertile_one_is_asked_as_the_child() {
    let edit = || outcome(Ended::Exited(0), &[("agent.py", edited("new"))]);
    let barren = || outcome(Ended::Exited(0), &[]);
    let (mut own, script) = proposer(Role::SelfModification, vec![edit(), barren(), edit()]);
    let proposal = own.propose(&request()).unwrap();
    assert_eq!(proposal.cost.launches, 3);
    let asked = &script.lock().unwrap().asked;
    let files: Vec<&str> = asked.iter().map(|(_, _, files)| files.as_str()).collect();
    assert_eq!(files, ["old", "new", "new"], "the parent edits, then the child is asked");
    let expected = ["python", "/bench/self/agent.py", "--improve", "/bench/documents/task.json"];
    assert_eq!(asked[0].0, expected, "the code that runs is the parent's own");
    let (mut own, _) = proposer(Role::SelfModification, vec![edit(), barren(), barren()]);
    assert!(matches!(own.propose(&request()), Err(ProposerError::Refused(why)) if why.contains("sterile")));
}

#[test]
fn the_task_is_that_of_the_contract() {
    let (mut agent, script) = proposer(Role::Agent, vec![outcome(Ended::Exited(0), &[])]);
    agent.notes.learn(&ProposalFeedback {
        gate: String::new(),
        number: 4,
        parents: vec![0],
        operator: "edit".to_owned(),
        detail: serde_json::json!({ "summary": "less" }),
        result: FeedbackResult::Accepted,
        scores: None,
        cases_gained: Some(0.5),
        cases_failed: Some(1),
        reason: String::new(),
    });
    agent.recall(4, &[0], "edit", &serde_json::Value::Null);
    agent.propose(&request()).unwrap();
    let documents = &script.lock().unwrap().asked[0].1;
    let task: serde_json::Value = serde_json::from_slice(&documents[TASK_FILE]).unwrap();
    let expected = serde_json::json!({
        "protocol": "evolve-agent/1", "kind": "propose", "run": "run", "attempt": "run-9", "seed": 77,
        "goal": "Repair more.",
        "parent": {"id": "run-4", "commit": "c0ffee", "generation": 1, "metrics": {"repaired": 0.5}, "failed": ["t2"]},
        "objective": [{"metric": "repaired", "direction": "max"}],
        "editable": ["agent.py"], "protected": ["tests/judge.py"],
        "evidence": [{"task": "t2", "outcome": "AssertionError", "log": "log.txt"}],
        "inspirations": [], "notes": ["less: an improvement (+50 % of the cases)"], "models": [],
        "limits": {"wall_s": 5.0, "llm_tokens": 0, "llm_calls": 0, "diff_bytes": 4_194_304},
    });
    assert_eq!(task, expected);
    assert_eq!(documents["evidence/log.txt"], b"it said so");
    let text = String::from_utf8(documents[TEXT_FILE].clone()).unwrap();
    for part in ["Repair more.", "now 0.5", "- `agent.py`", "- `t2`: AssertionError", "it said so"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn a_parent_for_which_nothing_new_comes_is_left_alone() {
    let answers = || vec![outcome(Ended::Exited(0), &[("agent.py", edited("new"))])];
    let (mut agent, script) = proposer(Role::Agent, answers());
    let feedback = ProposalFeedback {
        gate: String::new(),
        number: 5,
        parents: vec![4],
        operator: "edit".to_owned(),
        detail: serde_json::Value::Null,
        result: FeedbackResult::Duplicate,
        scores: None,
        cases_gained: None,
        cases_failed: None,
        reason: "the same program".to_owned(),
    };
    (0..MAX_BARREN).for_each(|_| agent.observe(&feedback));
    assert!(matches!(agent.propose(&request()), Err(ProposerError::Exhausted(_))));
    assert!(script.lock().unwrap().asked.is_empty());
}

#[test]
fn the_files_that_may_change_are_words_of_their_own() {
    let words = ["edit", "{files}", "--now"].map(str::to_owned);
    let spread = super::spread(&words, &["a b.py".to_owned(), "c.py".to_owned()]);
    assert_eq!(spread, ["edit", "{work}/a b.py", "{work}/c.py", "--now"]);
    let none = |_: &str| false;
    let filled = fill(&spread, (&Scripted(Arc::default()).places(), None), "", &none);
    assert_eq!(filled[1], "/bench/work/a b.py");
}

#[test]
fn nothing_in_a_text_is_taken_for_a_placeholder() {
    let (places, none) = (Scripted(Arc::default()).places(), |_: &str| false);
    let words = ["do {prompt}".to_owned(), "agent.py".to_owned(), "{work}/{result}".to_owned()];
    let filled = fill(&words, (&places, None), "say {self}", &none);
    assert_eq!(filled, ["do say {self}", "agent.py", "/bench/work//bench/result"]);
}
