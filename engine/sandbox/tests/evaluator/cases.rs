//! Input/output cases: forms of the file, comparison, time, restarts and localisation.

use crate::ground::{Ground, Judge, failure, levels, passed};
use evolution::candidate::{Outcome, Separation};
use evolution::ports::Purpose;
use objectives::Direction;
use sandbox::cell::Level;
use sandbox::{CaseSource, Measure};

const GCD: &str =
    "def gcd(a, b):\n    if b == 0:\n        return a\n    else:\n        return gcd(a, a % b)\n";
const GCD_RIGHT: &str =
    "def gcd(a, b):\n    if b == 0:\n        return a\n    else:\n        return gcd(b, a % b)\n";
const GCD_CASES: &str = r#"{"function": "gcd", "cases": [
    {"name": "plain", "args": [12, 18], "expected": 6},
    {"name": "none", "args": [7, 0], "expected": 7},
    {"name": "prime", "args": [17, 5], "expected": 1}]}"#;

fn with_cases(level: Level, program: (&str, &str), cases: &str) -> Judge {
    Ground::new(level, 1, &[program, ("cases.json", cases)])
        .objective(
            "accuracy",
            Direction::Maximize,
            Measure::PassRate(CaseSource::File("cases.json".to_owned())),
        )
        .judge()
}

#[test]
fn a_repair_is_told_from_the_fault() {
    for level in levels() {
        let mut judge = with_cases(*level, ("gcd.py", GCD), GCD_CASES);
        let baseline = judge.measured();
        assert_eq!(baseline.outcome, Outcome::Wrong, "{baseline:?}");
        assert_eq!(passed(baseline), ["none"]);
        assert_eq!(failure(baseline, "plain"), "wrong");
        assert_eq!(baseline.isolation, level.to_string());
        assert_eq!(baseline.separation, Separation::Split);
        let suspicion = baseline.suspicion.first().expect("the fault is located");
        assert_eq!(suspicion.path, "gcd.py");
        let most = suspicion.lines.iter().max_by(|a, b| a.1.total_cmp(&b.1)).expect("lines");
        assert!(matches!(most.0, 2 | 5), "{suspicion:?}");

        let right = judge.of_text(GCD_RIGHT);
        assert_eq!(right.outcome, Outcome::Ok, "{right:?}");
        assert_eq!(right.scores.get("accuracy"), Some(1.0));
        assert_eq!(right.cost.launches, 1, "one process for all cases");
    }
}

#[test]
fn nothing_improved_ends_the_cascade_without_a_score() {
    for level in levels() {
        let mut judge = with_cases(*level, ("gcd.py", GCD), GCD_CASES);
        let other = judge.files(&GCD.replace("b == 0", "b <= 0"));
        let gave_up = judge.of(&other, Purpose::Judge, &["prime", "plain"]);
        assert_eq!(gave_up.outcome, Outcome::Wrong, "{gave_up:?}");
        assert_eq!(gave_up.scores.get("accuracy"), None, "what was not measured has no score");
        assert_eq!(gave_up.cases.len(), 2, "the rest was not run");
        let right = judge.files(GCD_RIGHT);
        let right = judge.of(&right, Purpose::Judge, &["prime", "plain"]);
        assert_eq!(right.scores.get("accuracy"), Some(1.0), "{right:?}");
    }
}

#[test]
fn every_form_of_the_file_is_understood() {
    let square = ("square.py", "def square(x):\n    return x * x\n");
    let forms = [
        r#"{"function": "square", "file": "square.py", "cases": [{"args": [3], "expected": 9}]}"#,
        r#"[{"input": [3], "output": 9}, {"inputs": [4], "expected": 16}]"#,
        r#"[{"in": 3, "out": 9}]"#,
        r#"[[[3], 9], [[4], 16]]"#,
        "[[3], 9]\n[[4], 16]\n",
        r#"[{"function": "square", "args": [], "kwargs": {"x": 3}, "expected": 9}]"#,
    ];
    for form in forms {
        let judge = with_cases(Level::L1, square, form);
        assert_eq!(judge.measured().scores.get("accuracy"), Some(1.0), "{form}: {:?}", judge.measured());
    }
}

#[test]
fn programs_are_compared_by_what_they_print() {
    let program =
        ("double.py", "import sys\nfor line in sys.stdin:\n    print(int(line) * 2, *sys.argv[1:])\n");
    let cases = r#"[{"name": "two", "stdin": "1\n2\n", "stdout": "2\n4"},
        {"name": "argv", "stdin": "3", "argv": ["x"], "stdout": "6 x\n"},
        {"name": "bad", "stdin": "word", "stdout": "6"}]"#;
    for level in levels() {
        let mut judge = with_cases(*level, program, cases);
        assert_eq!(passed(judge.measured()), ["two", "argv"], "{:?}", judge.measured());
        assert_eq!(failure(judge.measured(), "bad"), "crashed");
        let slow = judge.of_text("import sys\nif sys.argv[1:]:\n    while True: pass\nprint('2\\n4')\n");
        assert_eq!(passed(&slow), ["two"], "{slow:?}");
        assert_eq!(failure(&slow, "argv"), "timeout");
    }
}

#[test]
fn types_are_compared_strictly_and_arguments_are_fresh() {
    let cases = r#"[{"name": "list", "args": [[3, 1, 2]], "expected": [1, 2, 3]},
        {"name": "again", "args": [[3, 1, 2]], "expected": [1, 2, 3]}]"#;
    let mut judge = with_cases(Level::L1, ("f.py", "def f(xs):\n    xs.sort()\n    return xs\n"), cases);
    assert_eq!(passed(judge.measured()), ["list", "again"]);
    let tuple = judge.of_text("def f(xs):\n    return tuple(sorted(xs))\n");
    assert_eq!(passed(&tuple), ["list", "again"], "a tuple is what JSON writes as a list");
    for (wrong, kind) in [
        ("return '[1, 2, 3]'", "wrong"),
        ("return [True, 2, 3]", "wrong"),
        ("return [1, 2, float('nan')]", "wrong"),
        ("return (x for x in sorted(xs))", "not plain data"),
        ("return None", "wrong"),
        ("raise KeyError(1)", "KeyError"),
    ] {
        let evaluation = judge.of_text(&format!("def f(xs):\n    {wrong}\n"));
        assert_eq!(failure(&evaluation, "list"), kind, "{wrong}");
    }
}

#[test]
fn a_case_that_hangs_does_not_take_the_others_along() {
    let cases = r#"[{"name": "zero", "args": [0], "expected": 0}, {"name": "one", "args": [1], "expected": 1},
        {"name": "two", "args": [2], "expected": 2}, {"name": "three", "args": [3], "expected": 3}]"#;
    for level in levels() {
        let mut judge = with_cases(*level, ("f.py", "def f(x):\n    return x\n"), cases);
        let spins = judge.of_text("def f(x):\n    while x == 1:\n        pass\n    return x\n");
        assert_eq!(passed(&spins), ["zero", "two", "three"], "{spins:?}");
        assert_eq!(failure(&spins, "one"), "timeout");
        // It swallows the alarm, so that its process must be killed; the rest runs in a new one.
        let stubborn = judge.of_text(
            "def f(x):\n    while x == 1:\n        try:\n            while True: pass\n        except BaseException: pass\n    return x\n",
        );
        assert_eq!(passed(&stubborn), ["zero", "two", "three"], "{stubborn:?}");
        assert_eq!(failure(&stubborn, "one"), "timeout");
        let leaves = judge.of_text("import os\ndef f(x):\n    if x == 2: os._exit(0)\n    return x\n");
        assert_eq!(passed(&leaves), ["zero", "one", "three"], "{leaves:?}");
        assert_eq!(failure(&leaves, "two"), "early_exit");
    }
}

#[test]
fn a_module_that_does_not_load_fails_every_case_with_its_reason() {
    for level in levels() {
        let mut judge = with_cases(*level, ("gcd.py", GCD), GCD_CASES);
        let broken = judge.of_text("import nothing_by_that_name\n");
        assert!(passed(&broken).is_empty());
        assert!(broken.detail.contains("nothing_by_that_name"), "{broken:?}");
        let endless = judge.of_text("while True:\n    pass\n");
        assert!(passed(&endless).is_empty());
        assert_eq!(failure(&endless, "plain"), "timeout", "{endless:?}");
    }
}
