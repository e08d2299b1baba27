//! What an evaluator may be told apart from the candidate, and when it must not be taken apart.

use crate::ground::{Ground, Judge, levels};
use crate::measures::{EVALUATOR, with_evaluator};
use crate::packages::python_with;
use evolution::candidate::{Outcome, Separation};
use objectives::Direction;
use sandbox::cell::Level;
use sandbox::{EvaluatorFile, Measure, Python};
use std::sync::OnceLock;
use std::time::Duration;

#[test]
fn what_shows_its_memory_is_no_plain_data() {
    let program = "import array\ndef values():\n    return array.array('d', [0.0])\n";
    let evaluator = EVALUATOR.replace("program.value()", "sum(program.values())");
    for level in levels() {
        let mut judge = with_evaluator(*level, program, &evaluator);
        assert_eq!(judge.measured().scores.get("score"), Some(0.0), "{:?}", judge.measured());
        assert_eq!(judge.measured().separation, Separation::Shared);
        let better = judge.of_text(&program.replace("0.0", "2.5"));
        assert_eq!(better.scores.get("score"), Some(2.5), "{better:?}");
    }
}

#[test]
fn an_evaluator_that_catches_what_goes_wrong_is_not_taken_apart() {
    let program = "def values():\n    return [0.0]\n";
    // Apart from the candidate the module's own file cannot be read.
    let evaluator = EVALUATOR
        .replace("    return {", "    try:\n        text = open(program.__file__).read()\n        right = 'def values' in text\n    except Exception:\n        right = False\n    if not right:\n        return {'score': 0.0}\n    return {")
        .replace("program.value()", "sum(program.values())");
    for level in levels() {
        let mut judge = with_evaluator(*level, program, &evaluator);
        assert_eq!(judge.measured().scores.get("score"), Some(0.0), "{:?}", judge.measured());
        assert_eq!(judge.measured().metrics.get("other"), Some(&2.0), "{:?}", judge.measured());
        let better = judge.of_text(&program.replace("0.0", "2.5"));
        assert_eq!(better.scores.get("score"), Some(2.5), "{better:?}");
    }
}

#[test]
fn an_evaluator_that_reads_the_candidates_source_is_not_taken_apart() {
    let program = "def value():\n    return 1\n";
    for read in [
        "open(program_path).read()",
        "open(os.path.relpath(program_path)).read()",
        "open(program_path.encode()).read()",
        "pathlib.Path(program_path).read_text()",
        "''.join(linecache.getlines(program_path))",
        "subprocess.run(['cat', program_path], capture_output=True).stdout.decode()",
        "os.popen('cat ' + os.path.basename(program_path)).read()",
    ] {
        let evaluator = EVALUATOR.replace(
            "    print(",
            &format!("    if 'import os' in {read}:\n        return {{'score': 0, 'other': 2}}\n    print("),
        );
        let evaluator = format!("import linecache, os, pathlib, subprocess\n{evaluator}");
        let mut judge = with_evaluator(Level::L1, program, &evaluator);
        assert_eq!(judge.measured().separation, Separation::Shared, "{read}: {:?}", judge.measured());
        let forbidden = judge.of_text("import os\ndef value():\n    return 9\n");
        assert_eq!(forbidden.scores.get("score"), Some(0.0), "{read}: {forbidden:?}");
    }
}

#[test]
fn an_evaluator_that_only_tells_where_it_went_wrong_may_judge_apart() {
    let program = "def value():\n    raise KeyError(3)\n";
    let evaluator = "import importlib.util, traceback\n\ndef evaluate(program_path):\n    spec = importlib.util.spec_from_file_location('program', program_path)\n    program = importlib.util.module_from_spec(spec)\n    spec.loader.exec_module(program)\n    try:\n        return {'score': program.value()}\n    except Exception:\n        return {'score': 0, 'error': traceback.format_exc()}\n";
    let mut judge = with_evaluator(Level::L1, program, evaluator);
    assert_eq!(judge.measured().separation, Separation::Split, "{:?}", judge.measured());
    assert_eq!(judge.of_text("def value():\n    return 9\n").scores.get("score"), Some(9.0));
}

/// As many threads as there may be, alive during some work, so that there is time to look at them.
const THREADS: &str = r"
import importlib.util, threading

def evaluate(program_path):
    spec = importlib.util.spec_from_file_location('program', program_path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    gate = threading.Event()
    threads = [threading.Thread(target=gate.wait) for _ in range(22)]
    for thread in threads:
        thread.start()
    sum(number * number for number in range(3_000_000))
    gate.set()
    for thread in threads:
        thread.join()
    return {'score': program.value()}
";

#[test]
fn what_fits_beside_the_candidate_fits_apart_from_it() {
    for level in levels() {
        let mut judge = with_evaluator(*level, "def value():\n    return 1\n", THREADS);
        assert_eq!(judge.measured().scores.get("score"), Some(1.0), "{:?}", judge.measured());
        assert_eq!(judge.measured().separation, Separation::Split, "{:?}", judge.measured());
        let better = judge.of_text("def value():\n    return 2\n");
        assert_eq!(better.scores.get("score"), Some(2.0), "{better:?}");
    }
}

const ARRAYS: &str = "import numpy as np\n\nSTART = np.zeros(3)\n\ndef grow(values, by):\n    values += by\n    return {'sums': values.sum(axis=0), 'most': values.max(), 'kept': [values > 1, START]}\n";
const OF_ARRAYS: &str = "import importlib.util\nimport numpy as np\n\ndef evaluate(program_path):\n    spec = importlib.util.spec_from_file_location('program', program_path)\n    program = importlib.util.module_from_spec(spec)\n    spec.loader.exec_module(program)\n    values = np.arange(6, dtype=np.float64).reshape(2, 3)\n    found = program.grow(values, np.int64(2))\n    assert isinstance(found['most'], np.float64) and found['sums'].shape == (3,) and found['kept'][0].dtype == bool\n    assert values[0, 0] >= 2, 'what was done to the argument shows'\n    return {'score': float(found['sums'].sum() + found['most'] + program.START.sum()), 'true': found['kept'][0].sum()}\n";

fn with_arrays(level: Level) -> Option<Judge> {
    static FOUND: OnceLock<Option<Python>> = OnceLock::new();
    let python = FOUND.get_or_init(|| python_with("numpy")).clone()?;
    let ground = Ground::new(level, 1, &[("program.py", ARRAYS), ("evaluator.py", OF_ARRAYS)])
        .objective("score", Direction::Maximize, Measure::Metric { name: "score".to_owned() })
        .plan(|plan| {
            plan.evaluator = Some(EvaluatorFile::new("evaluator.py", Duration::from_secs(20)));
            plan.target.python = python;
        });
    Some(ground.judge())
}

#[test]
fn arrays_of_numbers_travel_between_judge_and_candidate() {
    for level in levels() {
        let Some(mut judge) = with_arrays(*level) else { return };
        let baseline = judge.measured();
        assert_eq!(baseline.separation, Separation::Split, "{:?}", baseline.log);
        assert_eq!(baseline.scores.get("score"), Some(34.0), "{baseline:?}");
        assert_eq!(baseline.metrics.get("true"), Some(&6.0), "{baseline:?}");
        let better = judge.of_text(&ARRAYS.replace("by\n", "10 * by\n"));
        assert_eq!(better.scores.get("score"), Some(160.0), "{better:?}");
        let objects = judge.of_text(&ARRAYS.replace("values > 1", "np.array([object()])"));
        assert_eq!(objects.outcome, Outcome::Protocol, "{objects:?}");
    }
}

#[test]
fn a_stage_that_does_not_end_keeps_what_came_before() {
    let load = "    spec = importlib.util.spec_from_file_location('program', path)\n    program = importlib.util.module_from_spec(spec)\n    spec.loader.exec_module(program)\n";
    // The second form reads its own source, and so is judged in the candidate's process.
    for reads in ["", "    open(path).read()\n"] {
        let evaluator = format!(
            "import importlib.util\n\ndef evaluate_stage1(path):\n{load}{reads}    return {{'score': program.value(1)}}\n\ndef evaluate_stage2(path):\n{load}    return {{'score': program.value(2)}}\n\ndef evaluate(path):\n    raise RuntimeError('not called')\n"
        );
        let files = [("program.py", "def value(n):\n    return n\n"), ("evaluator.py", evaluator.as_str())];
        let mut judge = Ground::new(Level::L1, 1, &files)
            .objective("score", Direction::Maximize, Measure::Metric { name: "score".to_owned() })
            .plan(|plan| {
                let whole = EvaluatorFile::new("evaluator.py", Duration::from_secs(60));
                plan.evaluator = Some(EvaluatorFile { stage_timeout: Some(Duration::from_secs(1)), ..whole });
            })
            .judge();
        assert_eq!(judge.measured().scores.get("score"), Some(2.0), "{:?}", judge.measured());
        let hangs = judge.of_text("def value(n):\n    while n == 2: pass\n    return 5\n");
        assert_eq!(hangs.scores.get("score"), Some(5.0), "{hangs:?}");
        assert_eq!(hangs.metrics.get("stage2_passed"), Some(&0.0), "{hangs:?}");
        let hangs = judge.of_text("def value(n):\n    while n == 1: pass\n    return 5\n");
        assert_eq!(hangs.outcome, Outcome::Timeout, "{hangs:?}");
    }
}

#[test]
fn the_evaluators_folder_keeps_the_original_where_that_is_wanted() {
    let load = "    spec = importlib.util.spec_from_file_location('candidate', path)\n    candidate = importlib.util.module_from_spec(spec)\n    spec.loader.exec_module(candidate)\n";
    for (reads, separation) in [("", Separation::Split), ("    open(path).read()\n", Separation::Shared)] {
        let evaluator = format!(
            "import importlib.util\nimport program\n\ndef evaluate(path):\n{load}{reads}    return {{'score': candidate.value(), 'original': program.value()}}\n"
        );
        let files = [("program.py", "def value():\n    return 3\n"), ("evaluator.py", evaluator.as_str())];
        let mut judge = Ground::new(Level::L1, 1, &files)
            .objective("score", Direction::Maximize, Measure::Metric { name: "score".to_owned() })
            .plan(|plan| {
                let plain = EvaluatorFile::new("evaluator.py", Duration::from_secs(10));
                plan.evaluator = Some(EvaluatorFile { keeps_original: true, ..plain });
            })
            .judge();
        assert_eq!(judge.measured().separation, separation, "{:?}", judge.measured());
        let other = judge.of_text("def value():\n    return 5\n");
        assert_eq!(other.scores.get("score"), Some(5.0), "{other:?}");
        assert_eq!(other.metrics.get("original"), Some(&3.0), "{other:?}");
    }
}
