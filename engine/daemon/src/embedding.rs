//! Programs and their embeddings: a screener that has each program placed by a model, besides looking at it. What cannot be
//! had is said in the embedding's place, with the reason; the core then goes by the syntax tree.

use crate::data;
use evolution::breaker::{Breaker, Permit};
use evolution::candidate::{ModelUsage, Patch, SourceFiles};
use evolution::embedding::{Direction, Embedding};
use evolution::event::BreakerState;
use evolution::ports::{Screener, Screening};
use evolution::settings::BreakerSettings;
use models::{Embedded, Embedder, ModelError, RecordedEmbeddings};
use sandbox::PythonScreener;
use std::sync::{Arc, Mutex, PoisonError};

/// Where embeddings come from.
pub(crate) enum Source {
    /// An endpoint.
    Live(Box<Embedder>),
    /// The record of a run.
    Recorded(RecordedEmbeddings),
    /// Nowhere, for this reason.
    Nowhere(String),
}

/// Has programs embedded.
pub(crate) struct Programs {
    source: Source,
    /// Characters of a program that are sent.
    question: usize,
    /// An endpoint that fails again and again is left alone for a while, as every other is.
    breaker: Mutex<Breaker>,
}

impl Programs {
    /// Programs embedded by `source`, of which `question` characters are sent.
    pub(crate) fn new(source: Source, question: usize, breaker: &BreakerSettings) -> Self {
        Self { source, question, breaker: Mutex::new(Breaker::new(breaker)) }
    }

    /// A program's embedding, and what it cost.
    pub(crate) fn embed(&self, files: &SourceFiles) -> (Embedding, ModelUsage) {
        match self.source_of(&text(files, self.question)) {
            Err(reason) => (Embedding::missing(&reason), ModelUsage::default()),
            Ok(embedded) => {
                let direction = Direction::of(&embedded.vector);
                let embedding =
                    direction.map_or_else(|error| Embedding::missing(&error.to_string()), Embedding::Known);
                (embedding, usage(&embedded))
            }
        }
    }

    fn source_of(&self, text: &str) -> Result<Embedded, String> {
        match &self.source {
            Source::Live(embedder) => self.ask(embedder, text),
            Source::Recorded(recorded) => recorded.embed(text).map_err(|error| error.to_string()),
            Source::Nowhere(reason) => Err(reason.clone()),
        }
    }

    fn ask(&self, embedder: &Embedder, text: &str) -> Result<Embedded, String> {
        let breaker = || self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = data::now_ms();
        let permit = breaker().permit(now_ms);
        match permit {
            Permit::Yes => {}
            Permit::Trial => drop(breaker().enter(BreakerState::HalfOpen, now_ms)),
            Permit::No { .. } => {
                return Err("the endpoint failed several times in a row and is left alone".to_owned());
            }
        }
        let answer = embedder.embed(text);
        match &answer {
            Ok(_) => breaker().success(data::now_ms()),
            // An empty purse says nothing of the endpoint.
            Err(ModelError::Poor(_)) => None,
            Err(_) => breaker().failure(data::now_ms()),
        };
        answer.map_err(|error| error.to_string())
    }
}

/// A program as the model reads it: its files that may change, each with its name where there are several.
fn text(files: &SourceFiles, limit: usize) -> String {
    let alone = files.0.len() == 1;
    let parts = files.0.iter().map(|(path, bytes)| {
        let text = String::from_utf8_lossy(bytes);
        if alone { text.into_owned() } else { format!("{path}\n{text}\n") }
    });
    parts.collect::<String>().chars().take(limit).collect()
}

/// What an embedding cost now: nothing where it was paid before.
fn usage(embedded: &Embedded) -> ModelUsage {
    if embedded.reused {
        return ModelUsage::default();
    }
    ModelUsage { calls: 1, input: embedded.usage.input, cost_usd: embedded.cost_usd, ..ModelUsage::default() }
}

/// Screens patches, and has the programs embedded that may become candidates.
pub(crate) struct EmbeddingScreener {
    screener: PythonScreener,
    programs: Option<Arc<Programs>>,
}

impl EmbeddingScreener {
    /// A screener that asks nobody where there are no `programs` to ask by.
    pub(crate) fn new(screener: PythonScreener, programs: Option<Arc<Programs>>) -> Self {
        Self { screener, programs }
    }
}

impl Screener for EmbeddingScreener {
    fn screen(&self, parent: &SourceFiles, patch: &Patch) -> Screening {
        let mut screening = self.screener.screen(parent, patch);
        let Some(programs) = &self.programs else { return screening };
        let files = parent.patched(patch);
        // What is refused, or changes nothing, will never be compared.
        if screening.refused.is_none() && files != *parent {
            (screening.shape.embedding, screening.usage) = programs.embed(&files);
        }
        screening
    }
}
