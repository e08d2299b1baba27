//! Tasks of OpenEvolve and ShinkaEvolve, unchanged, by the binary: their packages are not installed, their evaluators work
//! as they would at home, and their numbers are those of their own engines' rules.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod support;

use serde_json::Value;
use std::path::Path;
use std::process::Output;
use support::{darwind, json};
use tempfile::TempDir;

/// Two stages; each starts a program, and the second writes beside the candidate, beside itself and to its working folder.
const EVALUATOR: &str = r#"
import json
import os
import subprocess

from distances import distance
from openevolve.evaluation_result import EvaluationResult


def answer(path):
    script = "import runpy, json, sys; print(json.dumps(runpy.run_path(sys.argv[1])['guess']()))"
    subprocess.run(["sh", "-c", "true"], check=True)
    return json.loads(subprocess.run(["python", "-c", script, path], capture_output=True, check=True).stdout)


def evaluate(path):
    raise RuntimeError("a cascade does not call this")


def evaluate_stage1(path):
    return {"ran": 1.0, "combined_score": 0.6, "error": 0.0}


def evaluate_stage2(path):
    with open(path + ".notes", "w") as file:
        file.write("next to the candidate")
    with open("notes.txt", "w") as file:
        file.write("in the working folder")
    with open(os.path.join(os.path.dirname(__file__), "state.txt"), "w") as file:
        file.write("beside the evaluator")
    off = distance(answer(path))
    return EvaluationResult(metrics={"off": off, "combined_score": 1 / (1 + off)}, artifacts={"hint": "aim at 10"})


def evaluate_stage3(path):
    raise RuntimeError("not reached")
"#;

const SETTINGS: &str = "
max_iterations: 12
llm: {primary_model: some-model, api_key: '${A_KEY_THAT_NOBODY_HAS}'}
database: {population_size: 50}
evaluator: {timeout: 60, cascade_thresholds: [0.5, 0.9]}
";

fn task(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn open_evolve_task() -> TempDir {
    task(&[
        ("initial_program.py", "# EVOLVE-BLOCK-START\ndef guess():\n    return 2 * 3\n# EVOLVE-BLOCK-END\n"),
        ("distances.py", "def distance(value):\n    return abs(value - 10.0)\n"),
        ("evaluator.py", EVALUATOR),
        ("config.yaml", SETTINGS),
    ])
}

/// What the binary answers; `None` where this machine can contain nothing, which is said.
#[expect(clippy::print_stdout, reason = "what cannot be seen here is said")]
fn asked(data: &Path, words: &[&str], task: &TempDir) -> Option<Output> {
    let output = darwind(data).args(words).arg(task.path()).arg("--json").output().unwrap();
    if output.status.code() == Some(3) {
        println!("skipped: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(output)
}

fn number(answer: &Value, path: &str) -> f64 {
    answer.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {path} in {answer}"))
}

#[test]
fn an_openevolve_task_has_its_own_numbers_and_evolves() {
    let (data, task) = (TempDir::new().unwrap(), open_evolve_task());
    let Some(output) = asked(data.path(), &["check"], &task) else { return };
    let answer = json(&output);
    assert_eq!(answer["baseline"]["scores"]["combined_score"], 0.2);
    let metrics = &answer["baseline"]["metrics"];
    assert_eq!((number(metrics, "/off"), number(metrics, "/ran")), (4.0, 1.0));
    assert!(metrics.get("error").is_none(), "{metrics}");
    let warnings = answer["warnings"].to_string();
    for word in ["some-model", "database.population_size"] {
        assert!(warnings.contains(word), "{warnings}");
    }
    let words = ["run", "--evaluations", "30", "--seed", "3", "--workers", "1", "--listen", "none", "--exit"];
    let Some(output) = asked(data.path(), &words, &task) else { return };
    let run = json(&output);
    assert_eq!(run["baseline"]["scores"]["combined_score"], 0.2);
    assert!(number(&run, "/best/scores/combined_score") > 0.2, "{run}");
}

#[test]
fn a_task_whose_model_has_a_key_and_no_route_goes_on_with_ast() {
    let task = open_evolve_task();
    let settings =
        "llm: {primary_model: m, api_base: 'http://127.0.0.1:1/v1', api_key: '${A_KEY_FOR_NOBODY}'}\n";
    std::fs::write(task.path().join("config.yaml"), settings).unwrap();
    let data = TempDir::new().unwrap();
    let output = darwind(data.path())
        .arg("run")
        .arg(task.path())
        .args(["--evaluations", "2", "--workers", "1", "--listen", "none", "--json"])
        .env("A_KEY_FOR_NOBODY", "sk-nobody")
        .output()
        .unwrap();
    if output.status.code() != Some(3) {
        assert_eq!(json(&output)["evaluations"], 2);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("cannot be asked") && told.contains("`ast` in its place"), "{told}");
    }
}

#[test]
fn without_a_combined_score_the_mean_counts_but_for_features_and_flags() {
    let evaluator = "async def evaluate(path):\n    return {'a': 1.0, 'b': 0.5, 'complexity': 90.0, 'score': 9.0, 'ok': True, \
                     'note': 'text', 'none': float('nan')}\n";
    let data = TempDir::new().unwrap();
    for (settings, mean) in [
        ("database: {feature_dimensions: [complexity, score]}\n", 0.75),
        // Without a word on features there are two by default, complexity and diversity.
        ("max_iterations: 5\n", 3.5),
    ] {
        let files =
            [("initial_program.py", "X = 1\n"), ("evaluator.py", evaluator), ("config.yaml", settings)];
        let Some(output) = asked(data.path(), &["check"], &task(&files)) else { return };
        let answer = json(&output);
        assert_eq!(answer["baseline"]["scores"]["combined_score"], mean, "{answer}");
        assert_eq!(number(&answer, "/baseline/metrics/complexity"), 90.0);
    }
}

const EVALUATE: &str = r#"
import argparse

from shinka.core import run_shinka_eval


def aggregate(results):
    return {"combined_score": float(sum(results)), "public": {"runs": len(results)}, "private": {"secret": 4}}


parser = argparse.ArgumentParser()
parser.add_argument("--program_path")
parser.add_argument("--results_dir")
arguments = parser.parse_args()
run_shinka_eval(
    arguments.program_path,
    arguments.results_dir,
    experiment_fn_name="run",
    num_runs=3,
    get_experiment_kwargs=lambda index: {"index": index},
    aggregate_metrics_fn=aggregate,
    validate_fn=lambda result: (result < LIMIT, "too much"),
)
"#;

fn shinka_task(limit: &str) -> TempDir {
    task(&[
        ("initial.py", "# EVOLVE-BLOCK-START\ndef run(index):\n    return index * 2\n# EVOLVE-BLOCK-END\n"),
        ("evaluate.py", EVALUATE.replace("LIMIT", limit).as_str()),
        ("run_evo.py", "raise SystemExit('never run')\n"),
    ])
}

#[test]
fn a_shinkaevolve_task_has_its_own_numbers() {
    let (data, task) = (TempDir::new().unwrap(), shinka_task("100"));
    let Some(output) = asked(data.path(), &["check"], &task) else { return };
    let answer = json(&output);
    assert_eq!(answer["baseline"]["scores"]["combined_score"], 6.0);
    let metrics = &answer["baseline"]["metrics"];
    assert_eq!((number(metrics, "/runs"), number(metrics, "/private.secret")), (3.0, 4.0));
    assert_eq!(number(metrics, "/num_valid_runs"), 3.0);
    assert!(answer["warnings"].to_string().contains("run_evo.py"), "{answer}");
}

const RUN: [&str; 9] = ["run", "--evaluations", "30", "--seed", "3", "--workers", "1", "--listen", "none"];

#[test]
fn an_incorrect_shinkaevolve_program_is_repaired() {
    let (data, task) = (TempDir::new().unwrap(), shinka_task("3"));
    let Some(output) = asked(data.path(), &["check"], &task) else { return };
    let answer = json(&output);
    assert_eq!((&answer["ok"], &answer["outcome"]), (&true.into(), &"wrong".into()));
    assert_eq!(answer["baseline"]["scores"]["combined_score"], 6.0);
    let warnings = answer["warnings"].to_string();
    assert!(warnings.contains("not correct (Validation failed: too much)"), "{warnings}");
    let Some(output) = asked(data.path(), &RUN, &task) else { return };
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("the unchanged program is not correct"), "{told}");
    let run = json(&output);
    assert_eq!((&run["baseline"]["viable"], &run["best"]["viable"]), (&false.into(), &true.into()), "{run}");
    // Whatever is correct has three runs below 3; what is not may score more, and leads nothing.
    assert!(number(&run, "/best/scores/combined_score") < 9.0, "{run}");
    assert!(run["champion_history"].as_array().unwrap().len() > 1, "{run}");
}

#[test]
fn a_shinkaevolve_run_that_finds_nothing_correct_says_so() {
    let (data, task) = (TempDir::new().unwrap(), shinka_task("0 and False"));
    let Some(output) = asked(data.path(), &RUN, &task) else { return };
    let run = json(&output);
    assert_eq!((&run["viable"], &run["best"]["viable"]), (&0.into(), &false.into()), "{run}");
    assert_eq!(run["champion_history"].as_array().unwrap().len(), 1, "{run}");
    // Among the incorrect the better score is the better program.
    assert!(number(&run, "/best/scores/combined_score") > 6.0, "{run}");
}

#[test]
fn a_shinkaevolve_program_without_an_answer_scores_nothing_and_an_evaluator_that_cannot_run_is_refused() {
    let data = TempDir::new().unwrap();
    let lines = "import json, runpy, sys\nprogram, results = sys.argv[2], sys.argv[4]\n\
                 value = runpy.run_path(program)['value']()\n\
                 json.dump({'combined_score': value}, open(results + '/metrics.json', 'w'))\n\
                 json.dump({'correct': True}, open(results + '/correct.json', 'w'))\n";
    for (program, evaluator, good, reason) in [
        ("def value():\n    return 4 / 0\n", lines.to_owned(), true, "ZeroDivisionError"),
        ("import os\nos._exit(3)\n", lines.to_owned(), true, "it left with code 3"),
        (
            "def value():\n    return 4\n",
            format!("import a_module_of_nobody\n{lines}"),
            false,
            "a_module_of_nobody",
        ),
    ] {
        let task = task(&[("initial.py", program), ("evaluate.py", &evaluator)]);
        let Some(output) = asked(data.path(), &["check"], &task) else { return };
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["ok"], good, "{answer}");
        assert!(answer["detail"].to_string().contains(reason), "{answer}");
        let score = answer["baseline"]["scores"].get("combined_score");
        assert_eq!(score, Some(&0.0.into()).filter(|_| good), "{answer}");
    }
}

#[test]
fn a_shinkaevolve_job_runs_as_its_settings_say_and_several_workers_share_no_program() {
    let data = TempDir::new().unwrap();
    let evaluate = EVALUATE
        .replace("LIMIT", "100")
        .replace("arguments = parser", "parser.add_argument(\"--workers\", type=int)\narguments = parser")
        .replace("num_runs=3,", "num_runs=3,\n    run_workers=arguments.workers,");
    for (workers, sum) in [(1, 6.0), (3, 3.0)] {
        let settings = format!(
            "job = LocalJobConfig(eval_program_path='judge.py', extra_cmd_args={{'workers': {workers}}})\n\
             evolution = EvolutionConfig(init_program_path='first.py')\n"
        );
        let task = task(&[
            ("first.py", "COUNT = [0]\n\ndef run(index):\n    COUNT[0] += 1\n    return COUNT[0]\n"),
            ("judge.py", evaluate.as_str()),
            ("run_evo.py", settings.as_str()),
        ]);
        let Some(output) = asked(data.path(), &["check"], &task) else { return };
        let answer = json(&output);
        assert_eq!(answer["baseline"]["scores"]["combined_score"], sum, "{workers}: {answer}");
        // Apart from its evaluator too a program that is loaded again begins anew.
        assert_eq!(answer["separation"], "split", "{workers}: {answer}");
    }
}

#[test]
fn a_program_of_another_language_is_checked_and_needs_a_proposer_that_can_change_it() {
    let task = task(&[
        ("initial_program.rs", "// EVOLVE-BLOCK-START\nfn main() {}\n// EVOLVE-BLOCK-END\n"),
        ("evaluator.py", "def evaluate(path):\n    return {'combined_score': float(path.endswith('.rs'))}\n"),
    ]);
    let data = TempDir::new().unwrap();
    let Some(output) = asked(data.path(), &["check"], &task) else { return };
    assert_eq!(json(&output)["baseline"]["scores"]["combined_score"], 1.0);
    let Some(output) = asked(data.path(), &["run", "--evaluations", "2", "--listen", "none"], &task) else {
        return;
    };
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("changes Python only"));
}

/// Builds a program with cargo, and looks for what lies beside the toolchain.
const BUILDING: &str = r#"
import os
import subprocess
import tempfile


def evaluate(path):
    if not os.path.exists("/usr/bin/cc"):
        return {"combined_score": 21.0, "seen": 0.0}
    seen = [name for name in (".cargo/credentials.toml", ".cargo/bin", ".rustup/settings.toml", ".ssh") if os.path.exists(os.path.join("HOMEFOLDER", name))]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["cargo", "init", "-q", "--vcs", "none", "--name", "built", folder], check=True)
        with open(path) as source, open(folder + "/src/main.rs", "w") as copy:
            copy.write(source.read())
        said = subprocess.run(["cargo", "run", "-q"], cwd=folder, check=True, capture_output=True, text=True).stdout
    return {"combined_score": float(said), "seen": float(len(seen))}
"#;

#[test]
fn a_program_in_rust_is_built_with_the_users_toolchain_and_nothing_else_of_his_home() {
    let found = std::process::Command::new("cargo").arg("--version").output();
    let (Ok(_), Some(home)) = (found, std::env::var_os("HOME")) else {
        println!("skipped: there is no cargo here");
        return;
    };
    let evaluator = BUILDING.replace("HOMEFOLDER", &home.display().to_string());
    let task = task(&[
        ("initial_program.rs", "fn main() {\n    println!(\"{}\", 3 * 7);\n}\n"),
        ("evaluator.py", &evaluator),
    ]);
    let data = TempDir::new().unwrap();
    let Some(output) = asked(data.path(), &["check"], &task) else { return };
    let answer = json(&output);
    assert_eq!(number(&answer, "/baseline/scores/combined_score"), 21.0, "{answer}");
    assert_eq!(number(&answer, "/baseline/metrics/seen"), 0.0, "{answer}");
}
