//! What embeddings say of a run's programs: which of them a proposal resembles too much to be evaluated, and how many
//! embeddings there are.
//!
//! Source of the rule: ShinkaEvolve (Lange, Imajuku and Cetin, 2025, arXiv:2509.19349), which refuses a proposal whose
//! embedding has a cosine similarity above a threshold to that of a program it has; OpenEvolve has it too.

use crate::embedding::Embedding;
use crate::id::Number;
use crate::state::State;

/// How many of a run's programs have an embedding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Embedded<'s> {
    /// Programs with one.
    pub known: u64,
    /// Programs for which one was asked and not had.
    pub missing: u64,
    /// Why the latest of those has none; empty when there are none.
    pub reason: &'s str,
}

impl State {
    /// The candidate that proposal `number` resembles too much to be evaluated, and the similarity; `None` when nobody is too
    /// similar. Looked at are all that were proposed before, whatever became of them: what is known of a verdict depends on
    /// which worker was quicker, who was proposed does not.
    pub fn too_similar(&self, number: Number, embedding: &Embedding) -> Option<(Number, f64)> {
        let limit = self.run.settings.similarity?;
        let earlier = self.candidates().take_while(|record| record.number < number);
        let similar = earlier.filter_map(|record| {
            let similarity = record.shape.embedding.similarity(embedding)?;
            (similarity > limit).then_some((record.number, similarity))
        });
        // Of equally similar ones the first.
        similar.reduce(|best, other| if other.1 > best.1 { other } else { best })
    }

    /// How many of the candidates, the baseline among them, have an embedding.
    pub fn embedded(&self) -> Embedded<'_> {
        let mut embedded = Embedded::default();
        for record in self.candidates() {
            match &record.shape.embedding {
                Embedding::Unasked => {}
                Embedding::Known(_) => embedded.known += 1,
                Embedding::Missing(reason) => {
                    embedded.missing += 1;
                    embedded.reason = reason;
                }
            }
        }
        embedded
    }
}
