//! The proposer over models that answer by a script: what they are asked, what becomes of their answers, and that its
//! memory is a fold of what it is told.

use super::*;
use evolution::candidate::{CaseResult, Evaluation, ModelUsage, Outcome, Separation, SourceFiles};
use evolution::event::StoppedBy;
use evolution::id::{CommitId, RunId};
use evolution::ports::{CandidateView, FeedbackResult};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

/// Answers in order; a `None` is a failed call, and with nothing left the budget is spent.
struct Script {
    name: String,
    answers: Mutex<VecDeque<Option<String>>>,
    asked: Mutex<Vec<Question>>,
}

impl Script {
    fn new(name: &str, answers: &[Option<&str>]) -> Arc<Self> {
        let answers = answers.iter().map(|answer| answer.map(str::to_owned)).collect();
        Arc::new(Self { name: name.to_owned(), answers: Mutex::new(answers), asked: Mutex::default() })
    }
}

impl Model for Script {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&self, question: &Question) -> Result<Reply, AskError> {
        self.asked.lock().unwrap().push(question.clone());
        let next = self.answers.lock().unwrap().pop_front();
        let text = next.ok_or(AskError::OutOfBudget(StoppedBy::LlmTokens))?;
        let text = text.ok_or_else(|| AskError::Failed("no route".to_owned()))?;
        let usage =
            ModelUsage { calls: 1, input: 100, output: 10, cost_usd: Some(0.5), ..ModelUsage::default() };
        let truncated = text.ends_with('~');
        Ok(Reply {
            text,
            likelihoods: Vec::new(),
            truncated,
            usage,
            model: format!("{}-1", self.name),
            exchange: "e1".to_owned(),
        })
    }
}

const GOOD: &str = "Products, not sums. Really.\n<<<<<<< SEARCH\n    return a + b\n=======\n    return a * b\n>>>>>>> REPLACE\n";
const SAME: &str = "<<<<<<< SEARCH\n    return a + b\n=======\n    return a + b\n>>>>>>> REPLACE\n";

fn view(number: Number, text: &str, passed: bool) -> CandidateView {
    let files = SourceFiles(BTreeMap::from([("area.py".to_owned(), Arc::from(text.as_bytes()))]));
    let evaluation = Evaluation {
        outcome: if passed { Outcome::Ok } else { Outcome::Wrong },
        detail: String::new(),
        isolation: "L1".to_owned(),
        separation: Separation::Split,
        checks: Vec::new(),
        scores: serde_json::from_value(serde_json::json!({ "time": 2.0 - f64::from(number) })).unwrap(),
        metrics: BTreeMap::new(),
        cases: vec![CaseResult {
            name: "test_area".to_owned(),
            passed,
            failure: if passed { String::new() } else { "AssertionError".to_owned() },
        }],
        cases_total: 1,
        suspicion: Vec::new(),
        comparisons: Vec::new(),
        denials: BTreeMap::new(),
        log: "3 != 2\n".to_owned(),
        cost: Default::default(),
    };
    CandidateView {
        number,
        id: RunId::new("0123456789ab").candidate(number),
        commit: CommitId::new("c".repeat(40)),
        files: Arc::new(files),
        evaluation: Arc::new(evaluation),
        detail: Arc::new(serde_json::Value::Null),
    }
}

fn request(number: Number, operator: &str) -> ProposalRequest {
    let program = |sign: char| format!("def area(a, b):\n    return a {sign} b\n");
    ProposalRequest {
        number,
        operator: operator.to_owned(),
        parents: vec![view(0, &program('+'), false)],
        peers: vec![view(1, &program('/'), true)],
        baseline: view(0, &program('+'), false),
        learning_rate: 0.1,
        part: None,
        seed: u64::from(number),
    }
}

fn proposer(models: &[Arc<Script>]) -> LlmProposer {
    let goal = Goal {
        name: "time".to_owned(),
        maximize: false,
        weight: 1.0,
        unit: "s".to_owned(),
        threshold: Some(3.0),
    };
    let options = Options {
        task: Task {
            name: "area".to_owned(),
            description: "It measures fields.".to_owned(),
            goals: vec![goal],
        },
        prompts: Prompts::new(&BTreeMap::new()).unwrap(),
        format: Format::SearchReplace,
        grammar: false,
        ast: None,
        temperature: None,
        question: DEFAULT_QUESTION,
        parallel: 4,
    };
    LlmProposer::new(options, models.iter().map(|model| model.clone() as Arc<dyn Model>).collect())
}

fn feedback(number: Number, detail: serde_json::Value, result: FeedbackResult) -> ProposalFeedback {
    ProposalFeedback {
        gate: String::new(),
        number,
        parents: vec![0],
        operator: EDIT.to_owned(),
        detail,
        result,
        reason: "time went from 2 to 3".to_owned(),
        scores: None,
        cases_gained: None,
        cases_failed: None,
    }
}

#[test]
fn a_question_says_what_is_known_and_the_answer_becomes_a_proposal() {
    let model = Script::new("m", &[Some(GOOD)]);
    let proposal = proposer(std::slice::from_ref(&model)).propose(&request(1, EDIT)).unwrap();
    assert_eq!(proposal.rationale, "Products, not sums.");
    let content = proposal.patch.0[0].content.clone().unwrap();
    assert_eq!(&content[..], b"def area(a, b):\n    return a * b\n");
    let asked = &model.asked.lock().unwrap()[0];
    assert!(asked.system.contains("<<<<<<< SEARCH") && asked.system.contains("Example"), "{}", asked.system);
    let (_, text) = &asked.said[0];
    for part in [
        "It measures fields.",
        "lower is better",
        "must reach 3",
        "return a + b",
        "test_area: AssertionError",
        "3 != 2",
        "return a / b",
        "the unchanged program: 2",
        "At most 1",
    ] {
        assert!(text.to_lowercase().contains(&part.to_lowercase()), "{part} is missing in:\n{text}");
    }
    assert!((asked.temperature - 0.68).abs() < 1e-12, "0.6 + 0.8 * 0.1");
    assert_eq!(proposal.cost.llm.tokens(), 110);
    assert_eq!(proposal.detail["model"], "m");
    assert_eq!(proposal.detail["answered_by"], "m-1");
    assert_eq!(proposal.detail["exchanges"], serde_json::json!(["e1"]));
    assert_eq!(proposal.detail["prompts"]["system"].as_str().unwrap().len(), 64);
    assert!(proposal.detail.to_string().len() < evolution::candidate::MAX_DETAIL_BYTES);
}

#[test]
fn json_is_asked_for_by_schema_and_a_grammar_only_when_it_is_wanted() {
    let answer = r#"{"why": "Products, not sums.", "edits": [{"path": "area.py", "search": "a + b", "replace": "a * b"}]}"#;
    let model = Script::new("m", &[Some(answer), Some(GOOD)]);
    let mut proposer = proposer(std::slice::from_ref(&model));
    proposer.options.format = Format::Json;
    assert_eq!(proposer.propose(&request(1, EDIT)).unwrap().rationale, "Products, not sums.");
    proposer.options = Options { format: Format::SearchReplace, grammar: true, ..proposer.options };
    proposer.propose(&request(2, EDIT)).unwrap();
    let asked = model.asked.lock().unwrap();
    let form = |at: usize| asked[at].form.clone().unwrap();
    assert!(form(0).schema.is_some() && form(0).grammar.is_none());
    assert!(form(1).grammar.unwrap().contains(r#""    return a + b\n""#));
}

#[test]
fn a_useless_answer_gets_one_more_turn_with_its_reason() {
    let model = Script::new("m", &[Some(SAME), Some(GOOD)]);
    let proposal = proposer(std::slice::from_ref(&model)).propose(&request(1, EDIT)).unwrap();
    assert_eq!(proposal.detail["rejections"], serde_json::json!(["no_change"]));
    assert_eq!((proposal.cost.llm.calls, proposal.cost.llm.cost_usd), (2, Some(1.0)));
    let asked = model.asked.lock().unwrap();
    assert_eq!(asked[1].turn, 1);
    assert_eq!(asked[1].said.len(), 3);
    assert!(asked[1].said[2].1.contains("no_change"));
}

#[test]
fn what_comes_to_nothing_is_paid_and_noted_all_the_same() {
    let spent = |answers: &[Option<&str>]| {
        let model = Script::new("m", answers);
        match proposer(&[model]).propose(&request(1, EDIT)).unwrap_err() {
            ProposerError::Spent(spent) => *spent,
            other => panic!("{other:?}"),
        }
    };
    let same = spent(&[Some(SAME), Some(SAME)]);
    assert!(matches!(same.error, ProposerError::NoChange(_)));
    assert_eq!(same.cost.llm.calls, 2);
    assert_eq!(same.detail["rejections"], serde_json::json!(["no_change", "no_change"]));
    assert!(matches!(spent(&[Some("no"), Some("never ~")]).error, ProposerError::DoesNotApply(_)));
    assert_eq!(
        spent(&[Some("no"), Some("<<<<<<< SEARCH\nx~")]).detail["rejections"],
        serde_json::json!(["no_edit", "truncated"])
    );
    let failed = spent(&[Some("no"), None]);
    assert!(matches!(failed.error, ProposerError::Failed(_)));
    assert_eq!(failed.cost.llm.calls, 1, "the first answer was paid for");
    assert_eq!(spent(&[]).error, ProposerError::OutOfBudget(StoppedBy::LlmTokens));
}

#[test]
fn a_rewrite_is_asked_for_whole_and_a_crossover_shows_both() {
    let whole = "area.py\n```python\ndef area(a, b):\n    return b * a\n```\n";
    let model = Script::new("m", &[Some(whole), Some(GOOD)]);
    let mut proposer = proposer(std::slice::from_ref(&model));
    let proposal = proposer.propose(&request(1, REWRITE)).unwrap();
    assert_eq!(proposal.detail["format"], "whole_file");
    assert_eq!(proposal.rationale, "a change by m");
    let mut both = request(2, CROSSOVER);
    both.parents.push(view(1, "def area(a, b):\n    return b ** a\n", true));
    proposer.propose(&both).unwrap();
    assert!(model.asked.lock().unwrap()[1].said[0].1.contains("return b ** a"));
}

#[test]
fn earlier_attempts_at_a_parent_are_told() {
    let model = Script::new("m", &[Some(GOOD), Some(GOOD)]);
    let mut proposer = proposer(std::slice::from_ref(&model));
    let first = proposer.propose(&request(1, EDIT)).unwrap();
    proposer.observe(&feedback(1, first.detail, FeedbackResult::Rejected));
    proposer.propose(&request(2, EDIT)).unwrap();
    let asked = model.asked.lock().unwrap();
    assert!(!asked[0].said[0].1.contains("tried before"));
    let text = &asked[1].said[0].1;
    assert!(text.contains("\"Products, not sums.\" was rejected: time went from 2 to 3"), "{text}");
}

#[test]
fn a_resumed_proposer_asks_what_the_unbroken_one_asks() {
    let scripts = || {
        let good = vec![Some(GOOD); 9];
        [Script::new("a", &good), Script::new("b", &good)]
    };
    let (first, second) = (scripts(), scripts());
    let mut unbroken = proposer(&first);
    let made: Vec<_> = (1..=4).map(|number| unbroken.propose(&request(number, EDIT)).unwrap()).collect();
    let ended = |proposer: &mut LlmProposer, number: Number, result| {
        proposer.observe(&feedback(number, made[number as usize - 1].detail.clone(), result));
    };
    ended(&mut unbroken, 1, FeedbackResult::Accepted);
    ended(&mut unbroken, 2, FeedbackResult::Rejected);
    let mut resumed = proposer(&second);
    for number in 1..=4 {
        resumed.recall(number, &[0], EDIT, &made[number as usize - 1].detail);
    }
    ended(&mut resumed, 1, FeedbackResult::Accepted);
    ended(&mut resumed, 2, FeedbackResult::Rejected);
    for number in 5..=7 {
        let (one, other) =
            (unbroken.propose(&request(number, EDIT)), resumed.propose(&request(number, EDIT)));
        assert_eq!(one, other);
    }
    let said = |scripts: &[Arc<Script>; 2], model: usize| {
        let asked = scripts[model].asked.lock().unwrap();
        asked.iter().filter(|question| question.number > 4).cloned().collect::<Vec<_>>()
    };
    assert_eq!(said(&first, 0), said(&second, 0));
    assert_eq!(said(&first, 1), said(&second, 1));
}

#[test]
fn a_choice_among_mechanical_changes_always_applies_and_draws_each_once() {
    let model = Script::new("m", &[Some("B, I think."), Some("whatever"), Some("A")]);
    let ast = || ast::Options { purposes: [ast::Purpose::Repair].into(), seed: 7 };
    let ranking = |model: &Arc<Script>| {
        let mut options = proposer(std::slice::from_ref(model)).options;
        options.ast = Some(ast());
        LlmProposer::new(options, vec![model.clone() as Arc<dyn Model>])
    };
    let mut unbroken = ranking(&model);
    assert!(unbroken.operators().iter().any(|operator| operator.name == RANK));
    let first = unbroken.propose(&request(1, RANK)).unwrap();
    assert_eq!((first.detail["chosen"].as_u64(), &first.detail["ranked"]), (Some(1), &"repair".into()));
    let second = unbroken.propose(&request(2, RANK)).unwrap();
    assert!(second.detail["chosen"].is_null(), "an answer without a letter means the first");
    assert_ne!(first.patch, second.patch);
    let asked = model.asked.lock().unwrap()[0].clone();
    assert!(asked.said[0].1.contains("- ") && asked.said[0].1.contains("\nB: "), "{}", asked.said[0].1);
    assert_eq!((asked.temperature, asked.max_tokens), (0.0, Some(rank::ANSWER_TOKENS)));

    let again = Script::new("m", &[Some("A")]);
    let mut resumed = ranking(&again);
    resumed.recall(1, &[0], RANK, &first.detail);
    resumed.recall(2, &[0], RANK, &second.detail);
    assert_eq!(unbroken.propose(&request(3, RANK)), resumed.propose(&request(3, RANK)));
}

#[test]
fn a_question_stays_within_its_size() {
    let model = Script::new("m", &[Some(GOOD)]);
    let mut proposer = proposer(std::slice::from_ref(&model));
    proposer.options.question = 4_000;
    let mut large = request(1, EDIT);
    let text = format!("def area(a, b):\n    return a + b\n{}", "# a comment\n".repeat(10_000));
    large.parents = vec![view(0, &text, false)];
    large.peers = vec![view(1, &text, true), view(2, &text, true)];
    proposer.propose(&large).unwrap();
    let asked = model.asked.lock().unwrap();
    let length = asked[0].said[0].1.chars().count();
    assert!(length <= 4_000, "{length}");
    assert!(asked[0].said[0].1.contains("characters left out"));
}
