//! Candidates that try to forge their score, one file each: rows 45 to 58 of the list of bad candidates that concern an
//! evaluator. Each is let loose on the same task in every way in which a score is made, at every level; none may reach
//! the score of an honest solution, and none may change what judges it.

use crate::ground::{Ground, Judge, levels, words};
use evolution::candidate::{Evaluation, Outcome, Separation};
use evolution::ports::Purpose;
use objectives::Direction;
use sandbox::cell::Level;
use sandbox::{CaseSource, EvaluatorFile, Measure};
use std::time::Duration;

/// The task: the square of a number. The unchanged program is wrong everywhere but at 0.
const BASELINE: &str = "def square(n):\n    return 0\n";
const HONEST: &str = "def square(n):\n    return n * n\n";
const CASES: &str = r#"{"function": "square", "cases": [{"args": [0], "expected": 0}, {"args": [7], "expected": 49},
    {"args": [-3], "expected": 9}, {"args": [40], "expected": 1600}]}"#;
const TESTS: &str = "import json, time, unittest\nimport square as program\n\nANSWERS = {7: 49, -3: 9, 40: 1600}\n\nclass Square(unittest.TestCase):\n    def test_none(self):\n        self.assertEqual(program.square(0), 0)\n    def test_seven(self):\n        self.assertEqual(program.square(7), ANSWERS[7])\n    def test_three(self):\n        self.assertEqual(program.square(-3), ANSWERS[-3])\n    def test_forty(self):\n        self.assertEqual(program.square(40), ANSWERS[40])\n";
const EVALUATOR: &str = "import importlib.util, json, time\n\nANSWERS = {0: 0, 7: 49, -3: 9, 40: 1600}\n\ndef check(value, expected):\n    return value == expected\n\ndef evaluate(program_path):\n    spec = importlib.util.spec_from_file_location('program', program_path)\n    program = importlib.util.module_from_spec(spec)\n    spec.loader.exec_module(program)\n    right = sum(1 for n in ANSWERS if check(program.square(n), ANSWERS[n]))\n    return {'score': right / len(ANSWERS)}\n";

/// The dishonest candidates.
const CANDIDATES: &[(&str, &str)] = &[
    ("45 prints success and leaves", include_str!("tamper/row_45_prints_success.py")),
    ("46 writes the metrics itself", include_str!("tamper/row_46_writes_metrics.py")),
    ("47 patches the judge", include_str!("tamper/row_47_patches_the_judge.py")),
    ("47 registers an exit handler", include_str!("tamper/row_47_exit_handler.py")),
    ("47 patches the tests' assertions", include_str!("tamper/row_47_patches_assertions.py")),
    ("48 is equal to everything", include_str!("tamper/row_48_always_equal.py")),
    ("48 answers not-a-number", include_str!("tamper/row_48_not_a_number.py")),
    ("48 answers without end", include_str!("tamper/row_48_nested_answer.py")),
    ("48 sends replies of its own", include_str!("tamper/row_48_extra_replies.py")),
    ("48 answers before it is asked", include_str!("tamper/row_48_early_replies.py")),
    ("49 steals the answers by frames", include_str!("tamper/row_49_frames.py")),
    ("49 steals the answers from memory", include_str!("tamper/row_49_collector.py")),
    ("49 reads the answers' files", include_str!("tamper/row_49_reads_files.py")),
    ("50 answers with a pickle", include_str!("tamper/row_50_pickle.py")),
    ("51 changes the tests", include_str!("tamper/row_51_changes_the_tests.py")),
    ("52 leaves start-up files", include_str!("tamper/row_52_startup_files.py")),
    ("54 writes through links", include_str!("tamper/row_54_links.py")),
    ("58 leaves state behind", include_str!("tamper/row_58_leaves_state.py")),
];

fn by_cases(level: Level) -> Judge {
    Ground::new(level, 1, &[("square.py", BASELINE), ("cases.json", CASES)])
        .objective("score", Direction::Maximize, Measure::PassRate(CaseSource::File("cases.json".to_owned())))
        .judge()
}

fn by_tests(level: Level) -> Judge {
    Ground::new(level, 1, &[("square.py", BASELINE), ("test_square.py", TESTS)])
        .objective(
            "score",
            Direction::Maximize,
            Measure::PassRate(CaseSource::Run(words("python -m unittest -q"))),
        )
        .judge()
}

fn by_evaluator(level: Level) -> Judge {
    Ground::new(level, 1, &[("square.py", BASELINE), ("evaluator.py", EVALUATOR)])
        .objective("score", Direction::Maximize, Measure::Metric { name: "score".to_owned() })
        .plan(|plan| {
            let timeout = Duration::from_secs(5);
            plan.evaluator = Some(EvaluatorFile::new("evaluator.py", timeout));
        })
        .judge()
}

/// What is in a judge's tree, to see whether it changed.
fn tree(judge: &Judge) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in ["lane/tree", "lane/runners"] {
        for entry in std::fs::read_dir(judge.folder.path().join(folder)).expect("a folder").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != "square.py" && entry.path().is_file() {
                found.push((name, std::fs::read(entry.path()).expect("a file")));
            }
        }
    }
    found.sort();
    found
}

/// Lets every dishonest candidate loose on a judge. A candidate that is refused has no score, which is well.
fn none_forges(judge: &mut Judge, way: &str, level: Level) {
    let score = |evaluation: &Evaluation| evaluation.scores.get("score");
    assert_eq!(score(judge.measured()), Some(0.25), "{way} {level}: {:?}", judge.measured());
    assert_eq!(judge.measured().separation, Separation::Split, "{way} {level}: {:?}", judge.measured().log);
    let before = tree(judge);
    let mut forged = Vec::new();
    for (row, text) in CANDIDATES {
        for purpose in [Purpose::Judge, Purpose::Verify] {
            let candidate = judge.files(text);
            let evaluation = judge.of(&candidate, purpose, &[]);
            if score(&evaluation).is_some_and(|score| score > 0.5) {
                forged.push(format!("{way} {level} {row}: {evaluation:?}"));
            }
            assert_ne!(evaluation.outcome, Outcome::SandboxError, "{way} {level} {row}");
        }
        assert_eq!(tree(judge), before, "{way} {level} {row}: what judges has changed");
    }
    assert!(forged.is_empty(), "forged: {forged:#?}");
    let honest = judge.of_text(HONEST);
    assert_eq!(score(&honest), Some(1.0), "{way} {level}: after all of them {honest:?}");
}

#[test]
fn no_case_is_forged() {
    for level in levels() {
        none_forges(&mut by_cases(*level), "cases", *level);
    }
}

#[test]
fn no_test_is_forged() {
    for level in levels() {
        none_forges(&mut by_tests(*level), "tests", *level);
    }
}

#[test]
fn no_number_of_an_evaluator_is_forged() {
    for level in levels() {
        none_forges(&mut by_evaluator(*level), "evaluator", *level);
    }
}
