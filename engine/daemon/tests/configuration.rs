//! What `darwind` says about a configuration that cannot be used: place, marks, suggestion and exit code, from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod support;

use std::path::Path;
use support::darwind;
use tempfile::TempDir;

/// A project whose configuration is the given text.
fn project(configuration: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("tests")).unwrap();
    for file in ["wordcount.py", "bench.py", "evaluator.py", "tests/test_wordcount.py"] {
        std::fs::write(folder.path().join(file), "").unwrap();
    }
    std::fs::write(folder.path().join("darwind.toml"), configuration).unwrap();
    folder
}

fn refusal(folder: &Path, words: &[&str]) -> String {
    let data = TempDir::new().unwrap();
    let output = darwind(data.path()).arg("run").arg(folder).args(words).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(output.stdout.is_empty(), "an error leaves standard output alone");
    message
}

const GOOD: &str = r#"
[target]
files = ["wordcount.py"]
[[objective]]
name = "performance"
kind = "cpu_time"
run = ["python", "bench.py"]
"#;

/// Checks the first report of a configuration, its file's folder cut out.
fn check(configuration: &str, expected: &str) {
    let folder = project(configuration);
    let message = refusal(folder.path(), &[]);
    let message = message.replace(&format!("{}/", folder.path().display()), "");
    let first = message.split("\n\n").next().unwrap_or("").trim_end();
    let lines = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_eq!(lines(first).trim(), lines(expected).trim(), "\n{message}");
}

#[test]
fn ranks_without_dominance_are_refused() {
    let folder = project(&format!("{GOOD}[multi_objective_evolution]\npareto_optimization = false\n"));
    let message = refusal(folder.path(), &[]);
    assert!(message.contains("darwind.toml:9:1") && message.contains("single [[objective]]"), "{message}");
}

#[test]
fn an_unknown_key_is_shown_with_what_was_meant() {
    check(
        &format!("{GOOD}wieght = 2\n"),
        "
Error:
  × unknown key `wieght` in [[objective]]
   ╭─[darwind.toml:8:1]
 7 │ run = [\"python\", \"bench.py\"]
 8 │ wieght = 2
   · ───┬──
   ·    ╰── did you mean `weight`?
   ╰────
  help: [[objective]] may have `name`, `kind`, `run`, `cases`, `metric`, `direction`, `weight`, `threshold`,
        `bound`, `unit` and `timeout`",
    );
}

#[test]
fn an_unknown_word_is_shown_with_what_was_meant() {
    check(
        &GOOD.replace("cpu_time", "cpu_tim"),
        "
Error:
  × `kind` in [[objective]] cannot be `cpu_tim`
   ╭─[darwind.toml:6:8]
 5 │ name = \"performance\"
 6 │ kind = \"cpu_tim\"
   ·        ────┬────
   ·            ╰── did you mean `cpu_time`?
 7 │ run = [\"python\", \"bench.py\"]
   ╰────
  help: it is one of `cpu_time`, `peak_memory`, `code_size`, `complexity`, `pass_rate`, `safety` and
        `metric`",
    );
}

#[test]
fn an_impossible_value_is_shown_with_what_is_possible() {
    check(
        &format!("{GOOD}[budget]\ntime = \"soon\"\n"),
        "
Error:
  × `time` in [budget] is no duration: expected number at 0
   ╭─[darwind.toml:9:8]
 8 │ [budget]
 9 │ time = \"soon\"
   ·        ───┬──
   ·           ╰── expected a duration
   ╰────
  help: write a number with its unit, such as \"500ms\", \"20s\", \"10m\" or \"1h 30m\"",
    );
}

#[test]
fn a_file_that_judges_cannot_change() {
    check(
        &GOOD.replace("wordcount.py", "tests/*.py"),
        "
Error:
  × `files` lets a candidate change tests/test_wordcount.py, which is a test by its name
   ╭─[darwind.toml:3:10]
 2 │ [target]
 3 │ files = [\"tests/*.py\"]
   ·          ──────┬─────
   ·                ╰── may not be among the files that change
 4 │ [[objective]]
   ╰────
  help: narrow the pattern, or add \"!tests/test_wordcount.py\" to the list: a candidate must not change its
        judge",
    );
}

#[test]
fn a_file_that_is_not_there_is_shown_with_the_one_meant() {
    check(
        &GOOD.replace("wordcount.py", "wordcuont.py"),
        "
Error:
  × `files` names `wordcuont.py`, and there is no such file
   ╭─[darwind.toml:3:10]
 2 │ [target]
 3 │ files = [\"wordcuont.py\"]
   ·          ───────┬──────
   ·                 ╰── did you mean `wordcount.py`?
 4 │ [[objective]]
   ╰────
  help: paths are relative to darwind.toml; sources here: `bench.py`, `evaluator.py` and `wordcount.py`",
    );
}

#[test]
fn text_that_is_not_toml_is_shown_where_it_ends_being() {
    check(
        "[target\nfiles = 1\n",
        "
Error:
  × this is not TOML: unclosed table, expected `]`
   ╭─[darwind.toml:1:8]
 1 │ [target
   ·        ▲
   ·        ╰── here
 2 │ files = 1
   ╰────",
    );
}

#[test]
fn every_problem_is_reported_at_once() {
    let folder =
        project(&format!("{GOOD}wieght = 2\n[sandbox]\nrequire = \"L9\"\nmemory = \"1XB\"\n[bugdet]\n"));
    let message = refusal(folder.path(), &[]);
    for part in [
        "wieght",
        "L9",
        "unknown unit `XB`",
        "did you mean `budget`?",
        ":8:1]",
        ":10:11]",
        ":11:10]",
        ":12:2]",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn sections_need_what_they_cannot_do_without() {
    let cases = [
        ("", "there is no [target] section"),
        ("[target]\nfiles = [\"wordcount.py\"]\n", "there is no [[objective]]"),
        (&*GOOD.replace("run = ", "#"), "[[objective]] lacks `run`"),
        (&*GOOD.replace("cpu_time", "metric").replace("run = ", "#"), "needs an evaluator"),
        (&*GOOD.replace("cpu_time", "safety"), "takes no `run`"),
        (&*format!("{GOOD}direction = \"maximize\"\n"), "can only be to minimize"),
        (&*format!("{GOOD}weight = 0\n"), "expected a number above 0"),
        (&*format!("{GOOD}weight = nan\n"), "expected a number above 0"),
        (&*format!("{GOOD}weight = \"1\"\n"), "must be a number, not a TOML string"),
        (&*format!("{GOOD}{}", &GOOD[GOOD.find("[[").unwrap()..]), "there is another [[objective]] named"),
        (&*GOOD.replace("[\"wordcount.py\"]", "[\"../x.py\"]"), "leaves the target's folder"),
        (&*GOOD.replace("[\"wordcount.py\"]", "[]"), "`files` in [target] is empty"),
        (&*format!("{GOOD}[evolution]\nselection = \"best\"\n"), "it is one of `dgm`"),
        (&*format!("{GOOD}[evolution]\narchive = \"island\"\n"), "did you mean `islands`?"),
        (&*format!("{GOOD}[evolution]\nlearning_rate = 0.9\n"), "expected a number from 0.01 to 0.5"),
        (
            &*format!("{GOOD}[collaborative_validation]\nconsensus_threshold = 2\n"),
            "expected a number from 0 to 1",
        ),
        (&*format!("{GOOD}[target.extra]\n"), "unknown key `extra` in [target]"),
    ];
    for (configuration, part) in cases {
        let message = refusal(project(configuration).path(), &[]);
        assert!(message.contains(part), "{part}\n{configuration}\n{message}");
    }
}

#[test]
fn proposers_that_are_not_there_are_refused_with_those_that_are() {
    let message = refusal(project(GOOD).path(), &["--proposer", "astt"]);
    assert!(message.contains("did you mean `ast`?"), "{message}");
    let message = refusal(project(GOOD).path(), &["--proposer", "agent"]);
    assert!(message.contains("not configured") && message.contains("[proposers.agent]"), "{message}");
}

#[test]
fn a_model_that_cannot_be_asked_is_told_before_anything_is_evaluated() {
    let message = refusal(project(GOOD).path(), &["--proposer", "llm"]);
    assert!(message.contains("no model is configured") && message.contains("--proposer ast"), "{message}");
    let model = "[proposers.llm]\nmodel = \"m\"\nendpoint = \"http://127.0.0.1:1/v1\"\n";
    let message = refusal(project(&format!("{GOOD}{model}")).path(), &[]);
    assert!(message.contains("cannot be reached") && message.contains("--proposer ast"), "{message}");
    let key = format!("{GOOD}{model}key_env = \"DARWIND_TEST_NO_SUCH_KEY\"\n");
    let message = refusal(project(&key).path(), &[]);
    assert!(message.contains("DARWIND_TEST_NO_SUCH_KEY"), "{message}");
    let money = format!("{GOOD}{model}[budget]\nllm_cost_usd = 1\n");
    let message = refusal(project(&money).path(), &[]);
    assert!(message.contains("price"), "{message}");
    let prompts = format!("{GOOD}{model}prompts = \"..\"\n");
    let message = refusal(project(&prompts).path(), &[]);
    assert!(message.contains("below the target's"), "{message}");
}

#[test]
fn a_folder_without_configuration_says_how_to_get_one() {
    let folder = TempDir::new().unwrap();
    let message = refusal(folder.path(), &[]);
    assert!(message.contains(&format!("darwind init {}", folder.path().display())), "{message}");
    let message = refusal(&folder.path().join("nowhere"), &[]);
    assert!(message.contains("is not a folder"), "{message}");
}
