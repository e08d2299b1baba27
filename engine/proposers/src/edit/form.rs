//! What an answer may be held to by a server that can: a JSON schema of the edits, or a grammar of SEARCH/REPLACE blocks
//! whose search part is a line that the files really have. In a measurement the grammar trebled the usable answers of a
//! model of half a billion parameters and cost a larger one some, since a block finds one line only: so it is an option.

use evolution::candidate::SourceFiles;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use syntax::Blocks;

/// Lines that a grammar may name; files with more get none, since servers read it anew for every question.
const MAX_LINES: usize = 2_000;
/// Lines that may take the place of one.
const MAX_NEW_LINES: usize = 20;

/// The JSON schema of edits in the notation `json`: only what every vendor's strict mode takes.
pub fn schema(files: &SourceFiles) -> Value {
    let paths: Vec<&str> = files.0.keys().map(String::as_str).collect();
    let object = |properties: Value, required: &[&str]| json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    let edit = object(
        json!({
            "path": { "type": "string", "enum": paths },
            "search": { "type": "string" },
            "replace": { "type": "string" },
        }),
        &["path", "search", "replace"],
    );
    object(
        json!({ "why": { "type": "string" }, "edits": { "type": "array", "items": edit } }),
        &["why", "edits"],
    )
}

/// The grammar, in GBNF, of one sentence and one SEARCH/REPLACE block. `None` when no line of the files can be found by
/// itself, or they have too many.
pub fn grammar(files: &SourceFiles) -> Option<String> {
    let mut blocks = Vec::new();
    let mut named = 0;
    for path in files.0.keys() {
        let Some(text) = files.text(path) else { continue };
        let lines = lines(text);
        named += lines.len();
        if named > MAX_LINES {
            return None;
        }
        if !lines.is_empty() {
            let lines: Vec<String> = lines.iter().map(|line| literal(&format!("{line}\n"))).collect();
            blocks.push(format!("{} search ({})", literal(&format!("{path}\n")), lines.join(" | ")));
        }
    }
    if blocks.is_empty() {
        return None;
    }
    let names: Vec<String> = (0..blocks.len()).map(|at| format!("file-{at}")).collect();
    let mut grammar = format!(
        "root ::= why \"\\n\\n\" ({}) \"=======\\n\" (new \"\\n\"){{0,{MAX_NEW_LINES}}} \">>>>>>> REPLACE\\n\"\n\
         why ::= [A-Za-z] [^\\n<>=]{{1,200}}\n\
         search ::= \"<<<<<<< SEARCH\\n\"\n\
         new ::= ([^>=<\\n] [^\\n]*)?\n",
        names.join(" | ")
    );
    for (at, block) in blocks.iter().enumerate() {
        let _ = writeln!(grammar, "file-{at} ::= {block}");
    }
    Some(grammar)
}

/// The grammar of one letter among the first `count` of the alphabet, at most 26.
pub fn letter(count: usize) -> String {
    let last = char::from(b'A' + u8::try_from(count.clamp(1, 26) - 1).unwrap_or(0));
    format!("root ::= [A-{last}]\n")
}

/// Lines within the evolve blocks that say something and stand in the file once.
fn lines(text: &str) -> Vec<&str> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    text.lines().for_each(|line| *seen.entry(line).or_default() += 1);
    let blocks = Blocks::find(text).ok();
    let inside = |start: usize| {
        blocks.as_ref().is_none_or(|blocks| blocks.ranges().iter().any(|range| range.contains(&start)))
    };
    let mut at = 0;
    let starts = text.split_inclusive('\n').map(|line| {
        let start = at;
        at += line.len();
        (start, line.trim_end_matches(['\n', '\r']))
    });
    starts
        .filter(|(start, line)| !line.trim().is_empty() && seen.get(line) == Some(&1) && inside(*start))
        .map(|(_, line)| line)
        .collect()
}

/// A text as GBNF writes it.
fn literal(text: &str) -> String {
    let mut written = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            letter => written.push(letter),
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::{Format, read};
    use std::sync::Arc;

    fn files(text: &str) -> SourceFiles {
        SourceFiles(BTreeMap::from([("area.py".to_owned(), Arc::from(text.as_bytes()))]))
    }

    #[test]
    fn a_grammar_names_the_lines_that_can_be_found() {
        let text =
            "x = 1\n# EVOLVE-BLOCK-START\nsay(\"a\\n\")\n\ny = 2\ny = 2\n\tz = 3\n# EVOLVE-BLOCK-END\n";
        let grammar = grammar(&files(text)).unwrap();
        assert!(grammar.contains(r#"("say(\"a\\n\")\n" | "\tz = 3\n")"#), "{grammar}");
        assert!(grammar.contains(r#"file-0 ::= "area.py\n" search"#), "{grammar}");
        assert!(!grammar.contains("x = 1"), "what stands outside the block cannot be changed");
        assert_eq!(super::grammar(&files("\n\n")), None);
    }

    #[test]
    fn an_answer_by_the_schema_is_an_edit() {
        let schema = schema(&files("x = 1\n"));
        assert_eq!(schema["properties"]["edits"]["items"]["properties"]["path"]["enum"], json!(["area.py"]));
        let answer = r#"{"why": "Two is more.", "edits": [{"path": "area.py", "search": "x = 1", "replace": "x = 2"}]}"#;
        assert_eq!(read(answer, Format::Json, &["area.py"]).unwrap().len(), 1);
    }

    #[test]
    fn letters_begin_with_a() {
        assert_eq!((letter(1).as_str(), letter(5).as_str()), ("root ::= [A-A]\n", "root ::= [A-E]\n"));
    }
}
