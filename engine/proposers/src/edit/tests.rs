//! Every notation, every reason, and what must hold for any text.

use super::{Change, Edit, Format, Reason, apply, read};
use evolution::candidate::SourceFiles;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const PROGRAM: &str =
    "def area(a, b):\n    if a:\n        return a + b\n    return 0\n\n\ndef twice(x):\n    return x\n";

fn files(all: &[(&str, &str)]) -> SourceFiles {
    let bytes = |text: &str| Arc::from(text.as_bytes());
    SourceFiles(all.iter().map(|(path, text)| ((*path).to_owned(), bytes(text))).collect::<BTreeMap<_, _>>())
}

/// The first file's text after an answer, or the reason why there is none.
fn outcome(all: &[(&str, &str)], asked: Format, answer: &str) -> Result<String, Reason> {
    let parent = files(all);
    let paths: Vec<&str> = parent.0.keys().map(String::as_str).collect();
    let edits = read(answer, asked, &paths).map_err(|rejection| rejection.reason)?;
    let patch = apply(&edits, &parent).map_err(|rejection| rejection.reason)?;
    let path = patch.0.first().map(|change| change.path.clone()).unwrap_or_default();
    Ok(parent.patched(&patch).text(&path).unwrap_or_default().to_owned())
}

fn on_program(answer: &str) -> Result<String, Reason> {
    outcome(&[("area.py", PROGRAM)], Format::SearchReplace, answer)
}

fn block(search: &str, replace: &str) -> String {
    format!("<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n")
}

#[test]
fn blocks_apply_exactly_then_loosely_then_with_another_indentation() {
    let wanted = PROGRAM.replace("a + b", "a * b");
    let exact = block("        return a + b", "        return a * b");
    assert_eq!(on_program(&format!("Here it is:\n```python\n{exact}```\n")), Ok(wanted.clone()));
    assert_eq!(on_program(&block("        return a + b   ", "        return a * b")), Ok(wanted.clone()));
    assert_eq!(on_program(&block("a + b", "a * b")), Ok(wanted.clone()));
    let moved = block("if a:\n    return a + b", "if a:\n    return a * b");
    assert_eq!(on_program(&moved), Ok(wanted.clone()));
    let crlf = PROGRAM.replace('\n', "\r\n");
    let answer = block("    if a:\n        return a + b", "    if a:\n        return a * b");
    assert_eq!(
        outcome(&[("area.py", &crlf)], Format::SearchReplace, &answer),
        Ok(wanted.replace('\n', "\r\n"))
    );
}

#[test]
fn several_blocks_apply_one_after_another() {
    let answer = block("    return x", "    return 2 * y") + &block("def twice(x):", "def twice(y):");
    let wanted = PROGRAM.replace("return x", "return 2 * y").replace("twice(x)", "twice(y)");
    assert_eq!(on_program(&answer), Ok(wanted));
}

#[test]
fn diffs_apply_whatever_their_numbers_say() {
    let diff = "--- a/area.py\n+++ b/area.py\n@@ -90,3 +90,3 @@\n     if a:\n-        return a + b\n+        return a * b\n     return 0\n\nDone.";
    assert_eq!(on_program(diff), Ok(PROGRAM.replace("a + b", "a * b")));
    let twin = "x = 1\ny = 2\nx = 1\n";
    let second = "@@ -3 +3 @@\n-x = 1\n+x = 9\n";
    assert_eq!(
        outcome(&[("t.py", twin)], Format::UnifiedDiff, second),
        Ok("x = 1\ny = 2\nx = 9\n".to_owned())
    );
    let added = "--- a/t.py\n+++ b/t.py\n@@ -1,0 +2 @@\n+z = 3\n";
    assert_eq!(
        outcome(&[("t.py", twin)], Format::UnifiedDiff, added),
        Ok("x = 1\nz = 3\ny = 2\nx = 1\n".to_owned())
    );
}

#[test]
fn json_applies_in_each_of_its_shapes() {
    let wanted = Ok(PROGRAM.replace("a + b", "a * b"));
    let by_text = r#"{"edits": [{"path": "area.py", "search": "a + b", "replace": "a * b"}]}"#;
    assert_eq!(on_program(by_text), wanted);
    assert_eq!(on_program(r#"Sure: [{"line": 3, "new": "        return a * b"}] as asked"#), wanted);
    assert_eq!(
        on_program("```json\n{\"file\": \"area.py\", \"line\": 3, \"new\": \"        return a * b\"}\n```"),
        wanted
    );
    assert_eq!(on_program(r#"{"edits": [{"line": 3}]}"#), Err(Reason::Malformed));
    assert_eq!(on_program(r#"[{"line": 30, "new": "x"}]"#), Err(Reason::NotFound));
}

#[test]
fn a_whole_file_is_taken_only_when_it_was_asked_for() {
    let answer = "Short:\n```\na\n```\nand\n```python\nx = 1\n```\n";
    assert_eq!(outcome(&[("a.py", "x = 0\n")], Format::WholeFile, answer), Ok("x = 1\n".to_owned()));
    assert_eq!(outcome(&[("a.py", "x = 0\n")], Format::SearchReplace, answer), Err(Reason::NoEdit));
    let two = "a.py\n```python\nx = 1\n```\n### `b.py`\n```python\ny = 1\n```\n";
    assert_eq!(
        outcome(&[("a.py", "x = 0\n"), ("b.py", "y = 1\n")], Format::WholeFile, two),
        Ok("x = 1\n".to_owned())
    );
    assert_eq!(
        outcome(&[("a.py", "x = 0\n")], Format::WholeFile, "```python\nx = 1\n"),
        Err(Reason::NoEdit),
        "a fence that is not closed was cut off"
    );
}

#[test]
fn marks_are_respected() {
    let marked = "import os\n# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\ny = x\nx = 1\n";
    let run = |format, answer: &str| outcome(&[("m.py", marked)], format, answer);
    let within = Ok(marked.replacen("x = 1", "x = 2", 1));
    assert_eq!(run(Format::SearchReplace, &block("x = 1", "x = 2")), within, "the other place is no choice");
    assert_eq!(run(Format::WholeFile, "```python\nx = 2\n```"), within);
    assert_eq!(run(Format::SearchReplace, &block("y = x", "y = 0")), Err(Reason::OutsideBlocks));
    assert_eq!(
        run(Format::WholeFile, &format!("```python\n{}```", marked.replace("import os", "import sys"))),
        Err(Reason::OutsideBlocks)
    );
    assert_eq!(run(Format::Json, r#"[{"line": 1, "new": "import sys"}]"#), Err(Reason::OutsideBlocks));
}

#[test]
fn every_failure_has_its_reason() {
    assert_eq!(on_program("  \n"), Err(Reason::Empty));
    assert_eq!(on_program("I would rather not."), Err(Reason::NoEdit));
    assert_eq!(on_program("<<<<<<< SEARCH\nx\n=======\ny\n"), Err(Reason::Malformed));
    assert_eq!(on_program(&block("return q", "return 1")), Err(Reason::NotFound));
    assert_eq!(on_program(&block("", "x = 1")), Err(Reason::NotFound));
    assert_eq!(on_program(&block("return", "yield")), Err(Reason::Ambiguous));
    assert_eq!(on_program(&block("    return x", "    return x")), Err(Reason::NoChange));
    assert_eq!(on_program(&block("    return x", "    return (")), Err(Reason::Syntax));
    let elsewhere = r#"[{"path": "other.py", "search": "a", "replace": "b"}]"#;
    assert_eq!(on_program(elsewhere), Err(Reason::UnknownFile));
    let twins = [("a.py", "x = 1\n"), ("b.py", "x = 1\n")];
    assert_eq!(outcome(&twins, Format::SearchReplace, &block("x = 1", "x = 2")), Err(Reason::WhichFile));
    assert_eq!(on_program(&block("a", "b").repeat(65)), Err(Reason::TooLarge));
    let huge = "x".repeat(super::MAX_ANSWER_BYTES + 1);
    assert_eq!(on_program(&huge), Err(Reason::TooLarge));
}

#[test]
fn the_file_is_found_by_name_by_heading_or_by_fit() {
    let two = [("src/a.py", "x = 1\n"), ("src/b.py", "x = 1\ny = 2\n")];
    let run = |answer: &str| outcome(&two, Format::SearchReplace, answer);
    assert_eq!(
        run(&format!("### `src/b.py`:\n{}", block("x = 1", "x = 3"))),
        Ok("x = 3\ny = 2\n".to_owned())
    );
    assert_eq!(run(&block("y = 2", "y = 3")), Ok("x = 1\ny = 3\n".to_owned()));
    let short = r#"[{"path": "a.py", "search": "x = 1", "replace": "x = 3"}]"#;
    assert_eq!(run(short), Ok("x = 3\n".to_owned()));
    let sticky = format!("src/b.py\n{}{}", block("x = 1", "x = 3"), block("y = 2", "y = 4"));
    assert_eq!(run(&sticky), Ok("x = 3\ny = 4\n".to_owned()));
}

#[test]
fn a_miss_names_the_closest_line() {
    let parent = files(&[("area.py", PROGRAM)]);
    let edits = read(&block("        return a +b;", "x"), Format::SearchReplace, &["area.py"]).unwrap();
    let detail = apply(&edits, &parent).unwrap_err().detail;
    assert!(detail.contains("line 3 is the closest") && detail.contains("return a + b"), "{detail}");
}

/// The one edit that leads from one text to another, by whole lines, with enough lines around it to be unique.
fn made(old: &str, new: &str) -> Edit {
    let (before, after): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    let same = before.iter().zip(&after).take_while(|(left, right)| left == right).count();
    let start = same.saturating_sub(1);
    let change = Change::Replace {
        search: before[start..].join("\n"),
        replace: after[start..].join("\n"),
        near: Some(start + 1),
    };
    Edit { path: None, change }
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic_or_grow(answer in "[ -~\n`<=>@+{}\\[\\]]{0,400}", format in 0usize..4) {
        let (_, asked) = Format::ALL[format];
        if let Ok(text) = outcome(&[("area.py", PROGRAM)], asked, &answer) {
            prop_assert!(text.len() <= PROGRAM.len() + answer.len() + 64);
        }
    }

    #[test]
    fn pieces_of_notation_never_make_it_panic(pieces in proptest::collection::vec(0usize..14, 0..24)) {
        let parts = [
            "<<<<<<< SEARCH\n", "=======\n", ">>>>>>> REPLACE\n", "```python\n", "```\n", "@@ -1,2 +1 @@\n",
            "--- a/area.py\n", "+++ b/area.py\n", "-def area(a, b):\n", "+x = 1\n", "    return x\n",
            "{\"edits\": [", "{\"line\": 1, \"new\": \"é\"}", "]}\n",
        ];
        let answer: String = pieces.iter().map(|piece| parts[*piece]).collect();
        for (_, asked) in Format::ALL {
            let _ = outcome(&[("area.py", PROGRAM), ("b.py", "é = 1")], asked, &answer);
        }
    }

    #[test]
    fn an_edit_made_from_two_texts_leads_from_one_to_the_other(
        old in proptest::collection::vec("[a-c ]{0,3}", 1..8),
        new in proptest::collection::vec("[a-c ]{0,3}", 1..8),
    ) {
        let (old, new) = (old.join("\n") + "\nend", new.join("\n") + "\nEND");
        let parent = files(&[("t.txt", old.as_str())]);
        let edit = made(&old, &new);
        let patch = apply(std::slice::from_ref(&edit), &parent).unwrap();
        let child = parent.patched(&patch);
        prop_assert_eq!(child.text("t.txt"), Some(new.as_str()));
        let Change::Replace { search, replace, .. } = &edit.change else { return Ok(()) };
        // Written as a block and read again it is the same edit, without its hint.
        let again = read(&block(search, replace), Format::SearchReplace, &["t.txt"]).unwrap();
        prop_assert_eq!(&again[0].change, &Change::Replace {
            search: search.clone(), replace: replace.clone(), near: None,
        });
    }
}
