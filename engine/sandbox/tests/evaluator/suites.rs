//! A project's own tests: counted by test and subtest, judged apart from the candidate where they allow it.

use crate::ground::{Ground, Judge, failure, levels, passed, words};
use evolution::candidate::Outcome;
use evolution::ports::Purpose;
use objectives::Direction;
use sandbox::cell::Level;
use sandbox::{CaseSource, Measure};

const TOOLS: &str = "def low(xs):\n    return max(xs)\n\ndef high(xs):\n    return max(xs)\n\ndef even(n):\n    return n % 2 == 1\n";
const TOOLS_TESTS: &str = "import unittest\nfrom tools import low, high, even\n\nclass Tools(unittest.TestCase):\n    def test_low(self):\n        self.assertEqual(low([3, 1, 2]), 1)\n    def test_high(self):\n        self.assertEqual(high([3, 1, 2]), 3)\n    def test_even(self):\n        for n in range(4):\n            with self.subTest(n=n):\n                self.assertEqual(even(n), n in (0, 2))\n    def test_empty(self):\n        with self.assertRaises(ValueError):\n            low([])\n";

pub(crate) fn with_tests(level: Level, files: &[(&str, &str)]) -> Judge {
    let run = words("python -m unittest -q");
    Ground::new(level, 1, files)
        .objective("accuracy", Direction::Maximize, Measure::PassRate(CaseSource::Run(run)))
        .judge()
}

#[test]
fn tests_and_subtests_are_counted_each() {
    for level in levels() {
        let mut judge = with_tests(*level, &[("tools.py", TOOLS), ("test_tools.py", TOOLS_TESTS)]);
        let baseline = judge.measured();
        assert_eq!(baseline.cases_total, 7, "{baseline:?}");
        assert_eq!(baseline.cases_passed(), 2, "{baseline:?}");
        assert_eq!(failure(baseline, "test_tools.Tools.test_low"), "AssertionError");
        assert!(!baseline.suspicion.is_empty(), "{baseline:?}");
        let right =
            TOOLS.replace("low(xs):\n    return max", "low(xs):\n    return min").replace("== 1", "== 0");
        let right = judge.of_text(&right);
        assert_eq!(right.outcome, Outcome::Ok, "{right:?}");
        assert_eq!(right.cases_passed(), 7);
        let partly = judge.of_text(&TOOLS.replace("== 1", "== 0"));
        assert_eq!(partly.cases_passed(), 6, "{partly:?}");
    }
}

#[test]
fn failing_tests_run_first_and_nothing_improved_ends_it() {
    for level in levels() {
        let mut judge = with_tests(*level, &[("tools.py", TOOLS), ("test_tools.py", TOOLS_TESTS)]);
        let failed: Vec<String> =
            judge.measured().cases.iter().filter(|case| !case.passed).map(|case| case.name.clone()).collect();
        let failed: Vec<&str> = failed.iter().map(String::as_str).collect();
        let files =
            judge.files(&TOOLS.replace("return max(xs)\n\ndef even", "return max(list(xs))\n\ndef even"));
        let none = judge.of(&files, Purpose::Judge, &failed);
        assert_eq!(none.outcome, Outcome::Wrong);
        assert_eq!(none.scores.get("accuracy"), None, "{none:?}");
        let files = judge.files(&TOOLS.replace("== 1", "== 0"));
        let some = judge.of(&files, Purpose::Judge, &failed);
        assert_eq!(some.cases_passed(), 6, "{some:?}");
    }
}

#[test]
fn one_endless_test_costs_only_itself() {
    for level in levels() {
        let mut judge = with_tests(*level, &[("tools.py", TOOLS), ("test_tools.py", TOOLS_TESTS)]);
        let endless = judge.of_text(
            &TOOLS
                .replace("def even(n):\n", "def even(n):\n    while n == 2: pass\n")
                .replace("== 1", "== 0"),
        );
        assert_eq!(passed(&endless).len(), 5, "{endless:?}");
        assert!(endless.cases.iter().any(|case| case.failure == "timeout"), "{endless:?}");
    }
}

#[test]
fn a_second_judgement_agrees_with_the_first() {
    for level in levels() {
        let mut judge = with_tests(*level, &[("tools.py", TOOLS), ("test_tools.py", TOOLS_TESTS)]);
        let right =
            TOOLS.replace("low(xs):\n    return max", "low(xs):\n    return min").replace("== 1", "== 0");
        let right = judge.files(&right);
        let verified = judge.of(&right, Purpose::Verify, &[]);
        assert_eq!(verified.outcome, Outcome::Ok, "{verified:?}");
        assert_eq!(verified.cases_passed(), 7);
    }
}

#[test]
fn tests_of_classes_in_packages_are_judged_with_canaries() {
    use evolution::candidate::Separation;
    let stack = "class Stack:\n    def __init__(self):\n        self.items = []\n    def push(self, item):\n        self.items.append(item)\n    def pop(self):\n        return self.items.pop(0)\n";
    let tests = "import unittest\nfrom kit.stack import Stack\n\nclass Order(unittest.TestCase):\n    def test_order(self):\n        stack = Stack()\n        stack.push(1)\n        stack.push(2)\n        self.assertEqual(stack.pop(), 2)\n    def test_one(self):\n        stack = Stack()\n        stack.push(1)\n        self.assertEqual(stack.pop(), 1)\n";
    for level in levels() {
        let files = [
            ("kit/stack.py", stack),
            ("kit/__init__.py", ""),
            ("tests/__init__.py", ""),
            ("tests/test_stack.py", tests),
        ];
        let run = words("python -m unittest discover -s tests -t .");
        let mut judge = Ground::new(*level, 1, &files)
            .objective("accuracy", Direction::Maximize, Measure::PassRate(CaseSource::Run(run)))
            .judge();
        assert_eq!(passed(judge.measured()), ["tests.test_stack.Order.test_one"], "{:?}", judge.measured());
        assert_eq!(judge.measured().separation, Separation::Canary);
        let right = judge.of_text(&stack.replace("pop(0)", "pop()"));
        assert_eq!(right.outcome, Outcome::Ok, "{right:?}");
        let leaves = judge.of_text(&stack.replace("return self.items.pop(0)", "import os; os._exit(0)"));
        assert!(leaves.cases_passed() < 2, "{leaves:?}");
        let leaves = judge.of_text("import sys\nsys.exit(0)\n");
        assert_eq!(leaves.cases_passed(), 0, "{leaves:?}");
        assert_ne!(leaves.outcome, Outcome::Ok, "{leaves:?}");
    }
}

#[test]
fn tests_as_a_check_pass_or_fail_as_a_whole() {
    for level in levels() {
        let mut judge = Ground::new(*level, 1, &[
            ("tools.py", "def low(xs):\n    return min(xs)\n"),
            ("test_tools.py", "import unittest, tools\n\nclass T(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(tools.low([2, 1]), 1)\n    def test_b(self):\n        self.assertEqual(tools.low((5,)), 5)\n"),
        ])
        .check("tests", "python -m unittest -q test_tools")
        .judge();
        assert_eq!(judge.measured().outcome, Outcome::Ok, "{:?}", judge.measured());
        let wrong = judge.of_text("def low(xs):\n    return xs[0]\n");
        assert_eq!(wrong.outcome, Outcome::Wrong);
        assert!(wrong.detail.contains("test_a"), "{wrong:?}");
        let same = judge.of_text("def low(xs):\n    return sorted(xs)[0]\n");
        assert_eq!(same.outcome, Outcome::Ok, "{same:?}");
    }
}
