//! The cheap gates: syntax, checks by any program, what the files alone tell, and the seal over what may not change.

use crate::ground::{Ground, failure, files, levels};
use evolution::candidate::{FileChange, Outcome, Patch};
use evolution::ports::{Purpose, Screener};
use objectives::Direction;
use sandbox::cell::Level;
use sandbox::{CaseSource, Measure, PythonScreener};
use std::sync::Arc;

const ADD: (&str, &str) = ("add.py", "def add(a, b):\n    return a + b\n");

#[test]
fn what_does_not_parse_is_never_run() {
    let mut judge = Ground::new(Level::L1, 1, &[ADD]).check("runs", "python add.py").judge();
    assert_eq!(judge.measured().outcome, Outcome::Ok);
    let broken = judge.of_text("def add(a, b)\n    return a\n");
    assert_eq!(broken.outcome, Outcome::Wrong);
    assert_eq!(broken.failed_check().map(|check| check.name.as_str()), Some("syntax"));
    assert_eq!(broken.cost.launches, 0);
}

#[test]
fn checks_pass_by_exit_code_and_end_the_cascade() {
    let check = (
        "check.py",
        "import sys, add\nsys.exit(0 if add.add(2, 2) == 4 else 'two and two make ' + str(add.add(2, 2)))\n",
    );
    for level in levels() {
        let mut judge =
            Ground::new(*level, 1, &[ADD, check, ("check.sh", "test -r add.py && grep -q return add.py\n")])
                .check("adds", "python check.py")
                .check("returns", "sh check.sh")
                .check("module", "python -m check")
                .objective("size", Direction::Minimize, Measure::CodeSize)
                .judge();
        assert_eq!(judge.measured().outcome, Outcome::Ok, "{:?}", judge.measured());
        assert_eq!(judge.measured().checks.len(), 4);
        let wrong = judge.of_text("def add(a, b):\n    return a * b + 1\n");
        assert_eq!(wrong.outcome, Outcome::Wrong);
        let failed = wrong.failed_check().expect("a failed check");
        assert_eq!(failed.name, "adds");
        assert!(failed.reason.contains("two and two make 5"), "{failed:?}");
        assert!(wrong.scores.is_empty(), "the cascade ended");
        let crash = judge.of_text("def add(a, b):\n    return a / 0\n");
        assert_eq!(crash.outcome, Outcome::Crashed);
        assert!(crash.detail.contains("ZeroDivisionError"), "{crash:?}");
        let leaves = judge.of_text("import sys\ndef add(a, b):\n    sys.exit(0)\n");
        assert_eq!(leaves.outcome, Outcome::EarlyExit, "{leaves:?}");
        let leaves = judge.of_text("import os\nos._exit(0)\n");
        assert_eq!(leaves.outcome, Outcome::EarlyExit, "{leaves:?}");
        let quiet = judge.of_text("def add(a, b):\n    a + b; yield\n");
        assert_ne!(quiet.outcome, Outcome::Ok);
    }
}

#[test]
fn size_complexity_and_safety_come_from_the_files() {
    let mut judge = Ground::new(Level::L1, 1, &[ADD])
        .objective("size", Direction::Minimize, Measure::CodeSize)
        .objective("complexity", Direction::Minimize, Measure::Complexity)
        .objective("safety", Direction::Maximize, Measure::Safety)
        .judge();
    let before = judge.measured().scores.clone();
    assert_eq!(before.get("safety"), Some(1.0));
    let branchy = judge.of_text("def add(a, b):\n    if a:\n        return a + b\n    return b\n");
    assert!(branchy.scores.get("size") > before.get("size"));
    assert!(branchy.scores.get("complexity") > before.get("complexity"));
    assert_eq!(branchy.scores.get("safety"), Some(1.0));
    let mut least = 1.0;
    for risky in [
        "import pickle",
        "import socket",
        "import ctypes",
        "import os, subprocess\nos.system('true')\nsubprocess.run(['true'])",
        "import sys, gc\nsys._getframe().f_back.f_locals\ngc.get_objects()\nsys.modules['json'] = None\nopen('x', 'w')",
    ] {
        let score =
            judge.of_text(&format!("{risky}\ndef add(a, b):\n    return a + b\n")).scores.get("safety");
        let score = score.expect("a score");
        assert!(score < least, "{risky}: {score}");
        least = score;
    }
}

#[test]
fn a_threshold_ends_the_cascade() {
    let mut judge =
        Ground::new(Level::L1, 1, &[ADD, ("bench.py", "import add\nfor i in range(1000): add.add(i, i)\n")])
            .objective("size", Direction::Minimize, Measure::CodeSize)
            .objective(
                "time",
                Direction::Minimize,
                Measure::CpuTime { run: vec!["python".into(), "bench.py".into()] },
            )
            .plan(|plan| {
                plan.objectives.iter_mut().take(1).for_each(|plan| plan.objective.threshold = Some(12.0))
            })
            .judge();
    assert!(judge.measured().scores.get("time").is_some());
    let large = judge.of_text("def add(a, b):\n    c = a + b\n    c = c + 0\n    c = c + 0\n    return c\n");
    assert!(large.scores.get("size").is_some());
    assert_eq!(large.scores.get("time"), None, "the dear measure was spared");
    assert_eq!(large.cost.launches, 0);
}

#[test]
fn what_may_not_change_is_sealed() {
    let cases = r#"[{"name": "one", "args": [1, 2], "expected": 3}]"#;
    let mut judge = Ground::new(Level::L1, 1, &[ADD, ("cases.json", cases)])
        .objective(
            "accuracy",
            Direction::Maximize,
            Measure::PassRate(CaseSource::File("cases.json".to_owned())),
        )
        .judge();
    let same = judge.baseline.clone();
    assert_eq!(judge.of(&same, Purpose::Verify, &[]).outcome, Outcome::Ok);
    // From outside, as somebody who reaches the engine's own folder might.
    std::fs::write(judge.folder.path().join("lane/tree/cases.json"), "[]").expect("a file");
    let verified = judge.of(&same, Purpose::Verify, &[]);
    assert_eq!(verified.outcome, Outcome::Tamper, "{verified:?}");
}

#[test]
fn patches_are_screened() {
    let screener = PythonScreener::new(["add.py".to_owned(), "block.py".to_owned()]);
    let block = "a = 1\n# EVOLVE-BLOCK-START\nb = 2\n# EVOLVE-BLOCK-END\nc = 3\n";
    let parent = files(&[ADD, ("block.py", block)]);
    let screen = |path: &str, text: &str| {
        let content: Arc<[u8]> = Arc::from(text.as_bytes());
        screener.screen(&parent, &Patch(vec![FileChange { path: path.to_owned(), content: Some(content) }]))
    };
    let same = screener.screen(&parent, &Patch::default());
    assert_eq!(screen("add.py", "def add(a,b):  # a comment\n  return a+b\n").fingerprint, same.fingerprint);
    assert_ne!(screen("add.py", "def add(a, b):\n    return a - b\n").fingerprint, same.fingerprint);
    assert_eq!(screen("block.py", &block.replace("b = 2", "b = 4")).refused, None);
    assert!(screen("block.py", &block.replace("c = 3", "c = 4")).refused.is_some());
    for path in ["test_add.py", "../add.py", "/etc/passwd", ".git/config", "add.py/x"] {
        assert!(screen(path, "").refused.is_some(), "{path}");
    }
    assert!(screen("add.py", &"#".repeat((1 << 20) + 1)).refused.is_some());
    let gone = Patch(vec![FileChange { path: "add.py".to_owned(), content: None }]);
    assert!(screener.screen(&parent, &gone).refused.is_some());
}

#[test]
fn a_screener_that_is_asked_tells_what_programs_look_like() {
    let screener = PythonScreener::new(["add.py".to_owned()]);
    let parent = files(&[ADD]);
    let edited = ADD.1.replace('+', "-").into_bytes();
    let patch = Patch(vec![FileChange { path: "add.py".to_owned(), content: Some(Arc::from(edited)) }]);
    assert!(screener.screen(&parent, &patch).shape.is_nothing());
    let shape = screener.telling_shapes(true).screen(&parent, &patch).shape;
    let before = PythonScreener::shape(&parent);
    assert_eq!(shape.bytes, before.bytes);
    let distance = shape.sketch.distance(&before.sketch);
    assert!(distance > 0.0 && distance < 0.7, "{distance}");
}

#[test]
fn a_check_that_hangs_or_floods_is_ended() {
    for level in levels() {
        let mut judge = Ground::new(*level, 1, &[("main.py", "print('done')\n")])
            .check("runs", "python main.py")
            .plan(|plan| {
                plan.checks.iter_mut().for_each(|check| check.timeout = std::time::Duration::from_secs(2))
            })
            .judge();
        let hangs = judge.of_text("import time\ntime.sleep(1000)\n");
        assert_eq!(hangs.outcome, Outcome::Timeout, "{hangs:?}");
        let floods = judge.of_text("while True:\n    print('x' * 65536)\n");
        assert_eq!(floods.outcome, Outcome::Limit, "{floods:?}");
        let hog = judge.of_text("x = bytearray(1 << 30)\n");
        assert_eq!(hog.outcome, Outcome::Limit, "{hog:?}");
        assert_eq!(failure(&hog, ""), "no such case");
    }
}
