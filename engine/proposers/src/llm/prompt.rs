//! Prompts: texts with named places, kept as files that a user may replace one by one. What was asked with is recorded by
//! the text's hash.
//!
//! A place is `{{name}}`. Each text has its own set of places; any other is an error, so that a slip of the pen is not
//! sent to a model.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Largest text of a prompt file, in bytes.
pub const MAX_PROMPT_BYTES: usize = 64 << 10;

/// Every prompt file by name, with its text as shipped and its places.
const SHIPPED: [(&str, &str, &[&str]); 13] = [
    ("system", include_str!("../../prompts/system.md"), &["format"]),
    ("search_replace", include_str!("../../prompts/search_replace.md"), &[]),
    ("unified_diff", include_str!("../../prompts/unified_diff.md"), &[]),
    ("json", include_str!("../../prompts/json.md"), &[]),
    ("whole_file", include_str!("../../prompts/whole_file.md"), &[]),
    ("edit", include_str!("../../prompts/edit.md"), TASK),
    ("rewrite", include_str!("../../prompts/rewrite.md"), TASK),
    ("crossover", include_str!("../../prompts/crossover.md"), TASK),
    ("judge", include_str!("../../prompts/judge.md"), &[]),
    ("rank", include_str!("../../prompts/rank.md"), TASK),
    ("repair", include_str!("../../prompts/repair.md"), &["reason", "detail"]),
    ("careful", include_str!("../../prompts/careful.md"), &[]),
    ("bold", include_str!("../../prompts/bold.md"), &[]),
];

/// Places of the prompts that ask for a change.
const TASK: &[&str] = &[
    "target",
    "objectives",
    "files",
    "mate",
    "candidates",
    "scores",
    "failures",
    "inspirations",
    "attempts",
    "edits",
    "advice",
];

/// Why prompts cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// A file is none of the prompts.
    #[error("there is no prompt {name}; prompts are {known}")]
    Unknown {
        /// The file's name without its ending.
        name: String,
        /// Names that there are.
        known: String,
    },
    /// A text has a place that its prompt does not know.
    #[error("{prompt}.md, line {line}: there is no place {place:?} in this prompt; places are {known}")]
    Place {
        /// The prompt.
        prompt: String,
        /// The line, from 1.
        line: usize,
        /// The place.
        place: String,
        /// Places that there are.
        known: String,
    },
    /// A place is not closed.
    #[error("{prompt}.md, line {line}: {{{{ without }}}}")]
    Unclosed {
        /// The prompt.
        prompt: String,
        /// The line, from 1.
        line: usize,
    },
    /// A text is too large.
    #[error("{prompt}.md has {bytes} bytes, {MAX_PROMPT_BYTES} are allowed")]
    TooLarge {
        /// The prompt.
        prompt: String,
        /// Its size.
        bytes: usize,
    },
}

/// A stretch of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(&'static str),
}

/// A text with places.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Template {
    pieces: Vec<Piece>,
    hash: String,
}

impl Template {
    fn parse(prompt: &str, text: &str, places: &[&'static str]) -> Result<Self, PromptError> {
        let prompt = || prompt.to_owned();
        if text.len() > MAX_PROMPT_BYTES {
            return Err(PromptError::TooLarge { prompt: prompt(), bytes: text.len() });
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let line = text.get(..text.len() - after.len()).unwrap_or_default().matches('\n').count() + 1;
            let Some((place, behind)) = after.split_once("}}") else {
                return Err(PromptError::Unclosed { prompt: prompt(), line });
            };
            let Some(known) = places.iter().find(|known| **known == place.trim()) else {
                let (place, known) = (place.trim().to_owned(), places.join(", "));
                return Err(PromptError::Place { prompt: prompt(), line, place, known });
            };
            pieces.extend([Piece::Text(before.to_owned()), Piece::Place(known)]);
            rest = behind;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self { pieces, hash: hash(text) })
    }

    fn render(&self, values: &BTreeMap<&'static str, String>) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Place(place) => text.push_str(values.get(place).map_or("", String::as_str)),
            }
        }
        tidy(&text)
    }
}

/// Empty places leave gaps; at most one empty line stays.
fn tidy(text: &str) -> String {
    let mut tidy = text.trim().to_owned();
    while tidy.contains("\n\n\n") {
        tidy = tidy.replace("\n\n\n", "\n\n");
    }
    tidy.push('\n');
    tidy
}

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompts(BTreeMap<&'static str, Template>);

impl Prompts {
    /// The prompts as shipped, with the given texts in place of those of the same name.
    ///
    /// # Errors
    ///
    /// When a text is for no prompt, is too large or has a place that its prompt does not know.
    pub fn new(own: &BTreeMap<String, String>) -> Result<Self, PromptError> {
        let known = || SHIPPED.map(|(name, ..)| name).join(", ");
        if let Some(name) = own.keys().find(|own| SHIPPED.iter().all(|(name, ..)| name != own)) {
            return Err(PromptError::Unknown { name: name.clone(), known: known() });
        }
        let template = |(name, text, places): (&'static str, &str, &[&'static str])| {
            let text = own.get(name).map_or(text, String::as_str);
            Ok((name, Template::parse(name, text, places)?))
        };
        SHIPPED.into_iter().map(template).collect::<Result<_, _>>().map(Self)
    }

    /// A prompt with its places filled in; a place without a value stays empty.
    pub(super) fn render(&self, prompt: &str, values: &BTreeMap<&'static str, String>) -> String {
        self.0.get(prompt).map_or_else(String::new, |template| template.render(values))
    }

    /// The lines of a prompt that is a list.
    pub(super) fn lines(&self, prompt: &str) -> Vec<String> {
        let text = self.render(prompt, &BTreeMap::new());
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// The SHA-256 of a prompt's text, in hexadecimal.
    pub(super) fn hash(&self, prompt: &str) -> &str {
        self.0.get(prompt).map_or("", |template| &template.hash)
    }
}

/// A text of at most `limit` characters: what is too long loses its middle, and says so.
pub(super) fn cut(text: &str, limit: usize) -> String {
    let length = text.chars().count();
    if length <= limit {
        return text.to_owned();
    }
    let head = limit * 2 / 3;
    let tail = limit - head;
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{start}\n[... {} characters left out ...]\n{end}", length - limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn own(name: &str, text: &str) -> Result<Prompts, PromptError> {
        Prompts::new(&BTreeMap::from([(name.to_owned(), text.to_owned())]))
    }

    #[test]
    fn every_shipped_prompt_is_well_formed_and_shows_an_example() {
        let prompts = Prompts::new(&BTreeMap::new()).unwrap();
        for (_, format) in crate::edit::Format::ALL.map(|(name, _)| ((), name)) {
            assert!(prompts.render(format, &BTreeMap::new()).contains("Example"), "{format}");
        }
        assert_eq!(prompts.hash("system").len(), 64);
        assert!(prompts.lines("careful").len() > 3 && prompts.lines("bold").len() > 3);
    }

    #[test]
    fn a_users_text_takes_the_place_of_the_shipped_one() {
        let prompts = own("edit", "Only {{ files }} here, {{attempts}}").unwrap();
        let values = BTreeMap::from([("files", "THIS".to_owned())]);
        assert_eq!(prompts.render("edit", &values), "Only THIS here,\n");
        assert_ne!(prompts.hash("edit"), Prompts::new(&BTreeMap::new()).unwrap().hash("edit"));
    }

    #[test]
    fn an_unknown_place_or_prompt_is_an_error_with_its_line() {
        let error = own("edit", "a\n{{flies}}").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("flies") && error.contains("files"), "{error}");
        assert!(matches!(own("edti", ""), Err(PromptError::Unknown { .. })));
        assert!(matches!(own("edit", "\n\n{{files"), Err(PromptError::Unclosed { line: 3, .. })));
        assert!(matches!(own("edit", &"x".repeat(MAX_PROMPT_BYTES + 1)), Err(PromptError::TooLarge { .. })));
    }

    #[test]
    fn a_long_text_is_cut_visibly() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcdefghij", 3), "ab\n[... 7 characters left out ...]\nj");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[a-z{} \nä]{0,80}") {
            let _ = Template::parse("edit", &text, TASK);
        }

        #[test]
        fn a_cut_text_is_bounded(text in "\\PC{0,200}", limit in 1usize..100) {
            prop_assert!(cut(&text, limit).chars().count() <= limit + 50);
        }
    }
}
