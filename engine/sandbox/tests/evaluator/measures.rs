//! Dear measures: CPU time by pairs, memory, an evaluator's numbers.

use crate::ground::{Ground, Judge, levels, words};
use evolution::candidate::{ComparisonVerdict, Outcome};
use objectives::Direction;
use sandbox::cell::Level;
use sandbox::{EvaluatorFile, Measure};
use std::time::Duration;

const SLOW: &str = "def total(n):\n    s = 0\n    for i in range(n):\n        for j in range(30):\n            s += j\n    return s\n";
const FAST: &str = "def total(n):\n    return n * 435\n";
const BENCH: &str = "import work\nprint(work.total(40000))\n";

fn timed(level: Level) -> Judge {
    Ground::new(level, 1, &[("work.py", SLOW), ("bench.py", BENCH)])
        .objective("time", Direction::Minimize, Measure::CpuTime { run: words("python bench.py") })
        .judge()
}

#[test]
fn a_faster_program_is_better_an_equal_one_a_tie_and_a_slower_one_worse() {
    for level in levels() {
        let mut judge = timed(*level);
        let before = judge.measured().scores.get("time").expect("a time");
        assert!(judge.measured().metrics.contains_key("time.noise"));
        let verdict = |evaluation: &evolution::candidate::Evaluation| {
            evaluation.comparisons.first().map(|it| it.verdict)
        };

        let fast = judge.of_text(FAST);
        assert_eq!(verdict(&fast), Some(ComparisonVerdict::Better), "{fast:?}");
        assert!(fast.scores.get("time").expect("a time") < before / 2.0);

        // Other work on the machine may slow one side of a pair to twice its time, which costs one pair like a real loss.
        let mut copies =
            (0..4).map(|copy| judge.of_text(&SLOW.replace("s += j", &format!("s += j  # copy {copy}"))));
        let same =
            copies.find(|same| verdict(same) == Some(ComparisonVerdict::Tie)).expect("a tie in one of four");
        assert_eq!(same.scores.get("time"), Some(before), "a tie takes the parent's score over exactly");

        let slow = judge.of_text(
            &SLOW
                .replace("range(30)", "range(30 * 5 // 5)")
                .replace("    return s", "    for i in range(n * 60): pass\n    return s"),
        );
        assert_eq!(verdict(&slow), Some(ComparisonVerdict::Worse), "{slow:?}");
        assert!(slow.cost.launches <= 2, "an obvious loss costs one pair: {slow:?}");
    }
}

#[test]
fn a_program_that_prints_something_else_is_wrong_however_fast() {
    for level in levels() {
        let mut judge = timed(*level);
        let wrong = judge.of_text("def total(n):\n    return 0\n");
        assert_eq!(wrong.outcome, Outcome::Wrong, "{wrong:?}");
        assert_eq!(wrong.scores.get("time"), None);
        let leaves =
            judge.of_text("import os\ndef total(n):\n    print(n * 435, flush=True)\n    os._exit(0)\n");
        assert_eq!(leaves.outcome, Outcome::EarlyExit, "{leaves:?}");
        let hangs = judge.of_text("def total(n):\n    while True: pass\n");
        assert_eq!(hangs.outcome, Outcome::Timeout, "{hangs:?}");
    }
}

#[test]
fn work_in_children_counts() {
    for level in levels() {
        let mut judge = timed(*level);
        let hidden = "import os\ndef total(n):\n    child = os.fork()\n    if child == 0:\n        s = 0\n        for i in range(n * 90): s += i\n        os._exit(0)\n    os.waitpid(child, 0)\n    return n * 435\n";
        let hidden = judge.of_text(hidden);
        assert_eq!(
            hidden.comparisons.first().map(|it| it.verdict),
            Some(ComparisonVerdict::Worse),
            "{hidden:?}"
        );
    }
}

#[test]
fn memory_is_the_peak_and_small_differences_are_none() {
    for level in levels() {
        let mut judge = Ground::new(*level, 1, &[("main.py", "x = bytearray(40 << 20)\n")])
            .objective("memory", Direction::Minimize, Measure::PeakMemory { run: words("python main.py") })
            .judge();
        let before = judge.measured().scores.get("memory").expect("bytes");
        let less = judge.of_text("x = bytearray(10 << 20)\n").scores.get("memory").expect("bytes");
        assert!(before - less > f64::from(20 << 20), "{before} {less}");
        let same = judge.of_text("y = bytearray(40 << 20)\n").scores.get("memory");
        assert_eq!(same, Some(before));
    }
}

pub(crate) fn with_evaluator(level: Level, program: &str, evaluator: &str) -> Judge {
    Ground::new(level, 1, &[("program.py", program), ("evaluator.py", evaluator)])
        .objective("score", Direction::Maximize, Measure::Metric { name: "score".to_owned() })
        .plan(|plan| plan.evaluator = Some(EvaluatorFile::new("evaluator.py", Duration::from_secs(5))))
        .judge()
}

pub(crate) const EVALUATOR: &str = "import importlib.util\n\ndef evaluate(program_path):\n    spec = importlib.util.spec_from_file_location('program', program_path)\n    program = importlib.util.module_from_spec(spec)\n    spec.loader.exec_module(program)\n    print('rubbish' * 100)\n    return {'score': program.value(), 'other': 2}\n";

#[test]
fn an_evaluator_reports_numbers() {
    for level in levels() {
        let mut judge = with_evaluator(*level, "def value():\n    return 1.5\n", EVALUATOR);
        assert_eq!(judge.measured().scores.get("score"), Some(1.5), "{:?}", judge.measured());
        assert_eq!(judge.measured().metrics.get("other"), Some(&2.0));
        let better = judge.of_text("def value():\n    return 3\n");
        assert_eq!(better.scores.get("score"), Some(3.0), "{better:?}");
        for (text, outcome) in [
            ("def value():\n    return float('nan')\n", Outcome::Protocol),
            ("def value():\n    return float('inf')\n", Outcome::Protocol),
            ("def value():\n    raise ValueError('no')\n", Outcome::Crashed),
            ("import os\ndef value():\n    os._exit(0)\n", Outcome::EarlyExit),
            ("def value():\n    while True: pass\n", Outcome::Timeout),
            ("def value():\n    return bytearray(1 << 30)\n", Outcome::Limit),
        ] {
            let evaluation = judge.of_text(text);
            assert_eq!(evaluation.outcome, outcome, "{text} {evaluation:?}");
            assert_eq!(evaluation.scores.get("score"), None);
        }
    }
}

#[test]
fn a_metric_that_differs_by_rounding_is_the_parents() {
    let mut judge = with_evaluator(Level::L1, "def value():\n    return 0.3\n", EVALUATOR);
    let rounded = judge.of_text("def value():\n    return 0.1 + 0.2\n");
    assert_eq!(rounded.scores.get("score"), Some(0.3), "{rounded:?}");
    assert_eq!(judge.of_text("def value():\n    return 0.3 + 1e-9\n").scores.get("score"), Some(0.3 + 1e-9));
}

#[test]
fn an_evaluator_that_draws_lots_has_noise() {
    let evaluator = EVALUATOR
        .replace("import importlib.util", "import importlib.util, random")
        .replace("'score': program.value()", "'score': 10 + random.random()");
    let judge = with_evaluator(Level::L1, "def value():\n    return 1\n", &evaluator);
    let noise = judge.measured().metrics.get("score.noise").copied().unwrap_or_default();
    assert!(noise > 0.0 && noise < 0.1, "{:?}", judge.measured());
    assert!(judge.measured().log.contains("from one time to the next"), "{:?}", judge.measured());
}

#[test]
fn what_an_evaluator_caught_is_told() {
    let evaluator = EVALUATOR.replace(
        "    return {",
        "    if program.value() < 0:\n        return {'score': 0.0, 'error': '\\nno value is less than nothing\\n at line 3'}\n    return {",
    );
    let mut judge = with_evaluator(Level::L1, "def value():\n    return -1\n", &evaluator);
    let told = "the evaluator says: no value is less than nothing";
    assert_eq!((judge.measured().outcome, judge.measured().detail.as_str()), (Outcome::Ok, told));
    assert!(judge.measured().log.contains("at line 3"), "{:?}", judge.measured());
    let right = judge.of_text("def value():\n    return 1\n");
    assert_eq!((right.scores.get("score"), right.detail.as_str()), (Some(1.0), ""));
}

#[test]
fn an_evaluator_of_rubbish_is_a_matter_of_protocol() {
    for evaluator in [
        "def evaluate(path):\n    return None\n",
        "def evaluate(path):\n    return 'score: 5'\n",
        "def evaluate(path):\n    return {'other': 1}\n",
        "def evaluate(path):\n    return {'score': float('nan')}\n",
        "def evaluate(path):\n    return {str(n): n for n in range(5000)}\n",
    ] {
        let judge = with_evaluator(Level::L1, "x = 1\n", evaluator);
        assert!(
            matches!(judge.measured().outcome, Outcome::Protocol | Outcome::Crashed),
            "{evaluator} {:?}",
            judge.measured()
        );
        assert!(judge.measured().scores.is_empty());
    }
}
