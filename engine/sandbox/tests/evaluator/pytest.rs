//! Tests written for pytest: parameters, fixtures, skips and expected failures, and candidates that would lie to it. Printed
//! as skipped where none can be had.

use crate::ground::{Ground, Judge, failure, levels, passed, words};
use crate::packages::python_with;
use evolution::candidate::Outcome;
use evolution::ports::Purpose;
use objectives::Direction;
use sandbox::cell::Level;
use sandbox::{CaseSource, Measure, Python};
use std::sync::OnceLock;

const PROGRAM: &str = "def grade(points):\n    return 'A' if points > 90 else 'B'\n\ndef total(values):\n    return sum(values) + 1\n";
const TESTS: &str = "import pytest\nfrom program import grade, total\n\n@pytest.mark.parametrize('points,mark', [(95, 'A'), (90, 'A'), (85, 'B')])\ndef test_grade(points, mark):\n    assert grade(points) == mark\n\n@pytest.fixture\ndef sums():\n    return {(): 0, (1, 2): total([0]) + 3}\n\ndef test_total(sums):\n    for values, expected in sums.items():\n        assert total(values) == expected\n\n@pytest.mark.skip\ndef test_skipped():\n    assert False\n\n@pytest.mark.xfail\ndef test_expected_to_fail():\n    assert False\n";

/// An interpreter that has pytest.
fn with_pytest() -> Option<&'static Python> {
    static FOUND: OnceLock<Option<Python>> = OnceLock::new();
    FOUND.get_or_init(|| python_with("pytest").filter(|python| python.has_pytest)).as_ref()
}

fn judge(level: Level, tests: &str) -> Option<Judge> {
    let python = with_pytest()?.clone();
    let run = words("pytest -q tests");
    Some(
        Ground::new(level, 1, &[("program.py", PROGRAM), ("tests/test_program.py", tests)])
            .objective("tests", Direction::Maximize, Measure::PassRate(CaseSource::Run(run)))
            .plan(|plan| plan.target.python = python)
            .judge(),
    )
}

#[test]
fn parameters_count_each_and_skips_not_at_all() {
    for level in levels() {
        let Some(mut judge) = judge(*level, TESTS) else { return };
        let baseline = judge.measured();
        assert_eq!((baseline.cases_passed(), baseline.cases_total), (2, 4), "{baseline:?}");
        assert_eq!(failure(baseline, "tests/test_program.py::test_grade[90-A]"), "AssertionError");
        let right = judge.of_text(&PROGRAM.replace("> 90", ">= 90").replace(" + 1", ""));
        assert_eq!((right.outcome, right.cases_passed()), (Outcome::Ok, 4), "{right:?}");
        let raising = judge.of_text(&PROGRAM.replace("return sum(values) + 1", "raise KeyError(values)"));
        let name = "tests/test_program.py::test_total";
        assert!(!passed(&raising).contains(&name), "a fixture that fails is a test that fails: {raising:?}");
    }
}

#[test]
fn what_fails_runs_first_and_nothing_improved_ends_it() {
    for level in levels() {
        let Some(mut judge) = judge(*level, TESTS) else { return };
        let cases = judge.measured().cases.iter();
        let failed: Vec<String> = cases.filter(|case| !case.passed).map(|case| case.name.clone()).collect();
        let failed: Vec<&str> = failed.iter().map(String::as_str).collect();
        let files = judge.files(&PROGRAM.replace("sum(values)", "sum(list(values))"));
        let none = judge.of(&files, Purpose::Judge, &failed);
        assert_eq!((none.outcome, none.scores.get("tests")), (Outcome::Wrong, None), "{none:?}");
        let files = judge.files(&PROGRAM.replace("> 90", ">= 90"));
        assert_eq!(judge.of(&files, Purpose::Judge, &failed).cases_passed(), 3);
    }
}

#[test]
fn who_lies_to_pytest_gains_nothing() {
    let lies = [
        "import os\nos._exit(0)\n",
        "import sys\nsys.exit(0)\n",
        "import pytest\npytest.main = lambda *a, **k: 0\npytest.raises = None\n",
        "import _pytest.runner as r\nr.check_interactive_exception = lambda *a: False\nimport _pytest.python as p\np.Function.runtest = lambda self: None\n",
        "class Liar(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\ndef total(values): return Liar()\n",
    ];
    for level in levels() {
        let Some(mut judge) = judge(*level, TESTS) else { return };
        for lie in lies {
            let told = judge.of_text(&format!("{PROGRAM}\n{lie}"));
            assert_ne!(told.outcome, Outcome::Ok, "{lie}: {told:?}");
        }
    }
}

#[test]
fn tests_that_cannot_be_read_are_told_with_their_reason() {
    for level in levels() {
        let Some(judge) = judge(*level, "import nothing_of_that_name\n") else { return };
        let told = judge.measured();
        assert_eq!(told.outcome, Outcome::Crashed, "{told:?}");
        assert!(told.detail.contains("nothing_of_that_name"), "{told:?}");
    }
}
