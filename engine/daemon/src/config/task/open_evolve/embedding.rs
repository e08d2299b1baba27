//! `database.embedding_model` and `similarity_threshold` as `[evolution.embedding]`. There a program that is too similar to
//! one on its island is shown to a language model, which may let it pass; here it is not evaluated.

use super::super::quoted;
use super::{API_BASE, Settings};
use std::fmt::Write as _;

/// OpenEvolve's models without an endpoint of their own in the settings, and where they are.
const KNOWN: [(&str, &str); 3] = [
    ("text-embedding-3-small", API_BASE),
    ("text-embedding-3-large", API_BASE),
    ("gemini-embedding-001", "https://generativelanguage.googleapis.com/v1beta/openai"),
];
/// The variable that names an endpoint for all embeddings.
const BASE_VARIABLE: &str = "OPENAI_EMBEDDING_BASE_URL";
/// Variables of the key, the first that is set: Google's for its own endpoint, else OpenAI's.
const GOOGLE_KEYS: [&str; 2] = ["GEMINI_API_KEY", "GOOGLE_API_KEY"];
const OPENAI_KEYS: [&str; 2] = ["OPENAI_EMBEDDING_API_KEY", "OPENAI_API_KEY"];
/// `similarity_threshold`, where it is not given.
const SIMILARITY: f64 = 0.99;

/// The section, empty where no embeddings are asked for or none can be had. `is_asked` says whether the language model is.
pub(super) fn section(settings: &mut Settings, is_asked: bool, notes: &mut Vec<String>) -> String {
    let Some(model) = settings.text("database.embedding_model") else { return String::new() };
    let similarity = settings.real("database.similarity_threshold").unwrap_or(SIMILARITY);
    let base = settings.text("database.embedding_api_base");
    match reached(&model, base, similarity, is_asked) {
        Ok((endpoint, key)) => {
            let mut text = format!(
                "\n[evolution.embedding]\nmodel = {}\nendpoint = {}\nsimilarity = {:?}\n",
                quoted(&model),
                quoted(&endpoint),
                similarity.min(1.0)
            );
            if let Some(key) = key {
                let _ = writeln!(text, "key_env = {}", quoted(key));
            }
            text
        }
        Err(reason) => {
            notes.push(format!("the embedding model of config.yaml ({model}) is not used, since {reason}"));
            String::new()
        }
    }
}

/// The endpoint and the variable of its key, or why embeddings cannot be had.
fn reached(
    model: &str,
    base: Option<String>,
    similarity: f64,
    is_asked: bool,
) -> Result<(String, Option<&'static str>), String> {
    if similarity <= 0.0 {
        return Err("a similarity_threshold of 0 looks at nothing".to_owned());
    }
    if !is_asked {
        return Err("no language model proposes, and single edits of `ast` are similar by design".to_owned());
    }
    let set = |variables: [&'static str; 2]| {
        let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        variables.into_iter().find(is_set)
    };
    if let Some(endpoint) = base {
        // The task chose this endpoint, and the user's key for another is none of its business.
        let key = if endpoint == API_BASE { set(OPENAI_KEYS) } else { None };
        return Ok((endpoint, key));
    }
    if let Some(endpoint) = std::env::var(BASE_VARIABLE).ok().filter(|base| !base.is_empty()) {
        // An endpoint of one's own may want no key.
        return Ok((endpoint, set(OPENAI_KEYS)));
    }
    let known = KNOWN.into_iter().find(|(name, _)| *name == model);
    let (_, endpoint) = known.ok_or("config.yaml names no embedding_api_base for it")?;
    let variables = if endpoint == API_BASE { OPENAI_KEYS } else { GOOGLE_KEYS };
    let key = set(variables)
        .ok_or_else(|| format!("there is no key in the environment ({})", variables.join(", ")))?;
    Ok((endpoint.to_owned(), Some(key)))
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use std::path::Path;

    const LLM: &str = "llm: {primary_model: m, api_base: 'http://127.0.0.1:1/v1', api_key: '${PATH}'}\n";

    fn task(settings: &str) -> (crate::config::Configuration, String) {
        let folder = tempfile::tempdir().unwrap();
        let files = ["config.yaml", "evaluator.py", "initial_program.py"].map(str::to_owned);
        for (name, text) in files.iter().zip([settings, "", "X = 1\n"]) {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let task = read(folder.path(), &files, "initial_program.py").unwrap();
        let read = crate::config::parse(Path::new("task"), &task.text, &files, "task").unwrap();
        (read, task.notes.join("\n"))
    }

    #[test]
    fn an_embedding_model_with_an_endpoint_is_asked() {
        let database = "database: {embedding_model: e, embedding_api_base: 'http://127.0.0.1:2/v1', similarity_threshold: 0.9, num_islands: 2}\n";
        let (read, notes) = task(&format!("{LLM}{database}"));
        let embedding = read.embedding.unwrap();
        assert_eq!(
            (embedding.model.as_str(), embedding.endpoint.as_deref()),
            ("e", Some("http://127.0.0.1:2/v1"))
        );
        assert_eq!(read.settings.similarity, Some(0.9));
        assert!(!notes.contains("embedding") && !notes.contains("similarity"), "{notes}");
    }

    #[test]
    fn an_embedding_model_that_cannot_be_asked_is_named_with_the_reason() {
        for (llm, database, reason) in [
            (LLM, "{embedding_model: of-nobody}", "names no embedding_api_base for it"),
            (LLM, "{embedding_model: e, embedding_api_base: b, similarity_threshold: 0}", "looks at nothing"),
            (
                "",
                "{embedding_model: e, embedding_api_base: 'http://127.0.0.1:2/v1'}",
                "`ast` are similar by design",
            ),
        ] {
            let (read, notes) = task(&format!("{llm}database: {database}\n"));
            assert_eq!(read.embedding, None);
            assert!(notes.contains(reason), "{notes}");
        }
    }
}
