//! `[evolution.embedding]`: the model that says how alike programs are. Which similarity is too much is the core's setting,
//! the rest is how the model is asked.

use super::proposing::{ProposersSection, TIMEOUTS};
use super::quantity::duration_text;
use super::reader::{Bounds, Section};
use evolution::embedding::MAX_DIMENSIONS;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Similarity above which a proposal is not evaluated, if nothing is said: that of ShinkaEvolve and of OpenEvolve.
const SIMILARITY: f64 = 0.99;
/// Default time for one embedding.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Default size of a question in characters: what models of 8,192 tokens take.
const QUESTION: u64 = 24_000;
/// Limits of a question, in characters.
const QUESTIONS: RangeInclusive<u64> = 500..=4_000_000;

/// How embeddings are asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct EmbeddingSection {
    /// Base address of the endpoint; that of `[proposers.llm]` when absent.
    pub(crate) endpoint: Option<String>,
    /// The model.
    pub(crate) model: String,
    /// Name of the environment variable that holds the key; that of `[proposers.llm]` when its endpoint is asked.
    pub(crate) key_env: Option<String>,
    /// Numbers of an embedding, where the model is to be asked for fewer than it has.
    pub(crate) dimensions: Option<u32>,
    /// US dollars for a million tokens.
    pub(crate) price: Option<f64>,
    /// Time for one embedding, tries and waits included.
    #[serde(with = "duration_text")]
    pub(crate) timeout: Duration,
    /// Characters of a program that are sent; the rest is left out.
    pub(crate) question: usize,
}

/// Reads `[evolution.embedding]`, and the similarity from which on a proposal is not evaluated. Without content it configures
/// nothing.
pub(super) fn embedding(evolution: &mut Section<'_>) -> Option<(EmbeddingSection, f64)> {
    let mut section = evolution.table("embedding")?;
    if section.is_empty() {
        section.finish();
        return None;
    }
    let small = |found: u64| u32::try_from(found).unwrap_or(u32::MAX);
    let read = EmbeddingSection {
        endpoint: section.text("endpoint").map(|found| found.value),
        model: section
            .required_text("model", "model = \"NAME\"")
            .map(|found| found.value)
            .unwrap_or_default(),
        key_env: section.text("key_env").map(|found| found.value),
        dimensions: section.whole("dimensions", 1..=MAX_DIMENSIONS as u64).map(small),
        price: section.real("price", Bounds::NOT_NEGATIVE),
        timeout: section.duration("timeout", TIMEOUTS).unwrap_or(TIMEOUT),
        question: usize::try_from(section.whole("question", QUESTIONS).unwrap_or(QUESTION))
            .unwrap_or(usize::MAX),
    };
    let similarity = section.real("similarity", Bounds::SHARE).unwrap_or(SIMILARITY);
    section.finish();
    Some((read, similarity))
}

/// What is said where proposals are refused for being similar to their parents which are so by design.
pub(super) fn warning(similarity: Option<f64>, proposers: &ProposersSection) -> Option<String> {
    let limit = similarity.filter(|limit| *limit < 1.0)?;
    let edits = proposers.used.iter().any(|name| name == "ast");
    edits.then(|| {
        format!(
            "[evolution.embedding] refuses programs that are more than {limit} similar to one before, as single edits of \
             `ast` nearly always are: set similarity = 1 there, or leave `ast` out"
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::config::{Configuration, parse};
    use std::path::Path;

    const TARGET: &str = "[target]\nfiles = [\"a.py\"]\n[[objective]]\nname = \"speed\"\nkind = \"cpu_time\"\nrun = [\"python\", \"a.py\"]\n";

    fn read(evolution: &str) -> Result<Configuration, String> {
        let text = format!("{TARGET}{evolution}");
        parse(Path::new("darwind.toml"), &text, &["a.py".to_owned()], "a")
            .map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn a_section_names_a_model_and_goes_with_every_archive() {
        let none = read("[evolution.embedding]\n").unwrap();
        assert_eq!((none.embedding, none.settings.similarity), (None, None));
        let own = read(
            "[evolution.embedding]\nmodel = \"m\"\nendpoint = \"http://127.0.0.1:1/v1\"\ndimensions = 256\n",
        )
        .unwrap();
        assert_eq!(own.settings.similarity, Some(0.99));
        assert!(own.warnings[0].contains("single edits of `ast`"), "{:?}", own.warnings);
        let embedding = own.embedding.unwrap();
        assert_eq!((embedding.model.as_str(), embedding.dimensions, embedding.price), ("m", Some(256), None));
        let archive = "[evolution]\narchive = \"novelty\"\n[evolution.embedding]\nmodel = \"m\"\nsimilarity = 1\nprice = 0.02\n";
        let read = read(archive).unwrap();
        assert_eq!((read.settings.similarity, read.warnings), (Some(1.0), Vec::new()));
    }

    #[test]
    fn what_is_not_known_is_refused_with_what_was_meant() {
        let section = "[evolution.embedding]\n";
        for (text, part) in [
            ("endpoint = \"http://127.0.0.1:1/v1\"\n", "model"),
            ("model = \"m\"\nsimilarty = 0.9\n", "did you mean `similarity`?"),
            ("model = \"m\"\nsimilarity = 2\n", "a number from 0 to 1"),
            ("model = \"m\"\ndimensions = 5000\n", "a whole number from 1 to 4096"),
        ] {
            let message = read(&format!("{section}{text}")).unwrap_err();
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}
