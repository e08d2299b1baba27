//! What a program looks like, as far as the core needs it: its length, a sketch of its syntax tree, and where an embedding
//! model places it. All are measured outside, by whoever screens proposals, and travel in the candidate's event.

use crate::embedding::Embedding;
use serde::{Deserialize, Serialize};

/// Hashes that a sketch keeps, at most. The error of a distance is about `1 / sqrt(64)`, 0.125, for large programs; a
/// program with fewer parts than this is compared exactly.
pub const SKETCH_HASHES: usize = 64;

/// The smallest hashes of the parts that a program consists of: a bottom-k sketch.
///
/// Source: Broder, "On the Resemblance and Containment of Documents" (1997).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(from = "Vec<u32>")]
pub struct Sketch(Vec<u32>);

impl From<Vec<u32>> for Sketch {
    fn from(hashes: Vec<u32>) -> Self {
        Self::of(hashes)
    }
}

impl Sketch {
    /// The sketch of a program whose parts have these hashes, in any order and as often as they occur. What is sketched is
    /// the set: how often a part occurs does not count.
    pub fn of(mut hashes: Vec<u32>) -> Self {
        hashes.sort_unstable();
        hashes.dedup();
        hashes.truncate(SKETCH_HASHES);
        Self(hashes)
    }

    /// How different two programs are, 0 to 1: one minus the estimated share of parts (of those that either has) that both
    /// have. 0 for two empty sketches.
    pub fn distance(&self, other: &Self) -> f64 {
        let (mut one, mut two) = (self.0.iter().peekable(), other.0.iter().peekable());
        let (mut seen, mut shared) = (0_u32, 0_u32);
        while (seen as usize) < SKETCH_HASHES {
            match (one.peek(), two.peek()) {
                (Some(a), Some(b)) if a == b => {
                    shared += 1;
                    one.next();
                    two.next();
                }
                (Some(a), Some(b)) if a < b => {
                    one.next();
                }
                (Some(_), None) => {
                    one.next();
                }
                (_, Some(_)) => {
                    two.next();
                }
                (None, None) => break,
            }
            seen += 1;
        }
        if seen == 0 { 0.0 } else { 1.0 - f64::from(shared) / f64::from(seen) }
    }
}

/// What a program looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Shape {
    /// Bytes of its files that may change.
    pub bytes: u64,
    /// Its syntax tree's parts; empty when nobody asked for them.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub sketch: Sketch,
    /// Its embedding, where one is configured.
    #[serde(default, skip_serializing_if = "Embedding::is_unasked")]
    #[cfg_attr(test, ts(optional, as = "Option<Embedding>"))]
    pub embedding: Embedding,
}

fn is_empty(sketch: &Sketch) -> bool {
    sketch.0.is_empty()
}

impl Shape {
    /// Whether nothing was measured.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// How different two programs are, 0 to 1: by their embeddings (one minus the cosine of the angle, and 1 beyond a right
    /// angle) where both are known, else by their syntax trees.
    pub fn distance(&self, other: &Self) -> f64 {
        match self.embedding.similarity(&other.embedding) {
            Some(similarity) => (1.0 - similarity).clamp(0.0, 1.0),
            None => self.sketch.distance(&other.sketch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SKETCH_HASHES, Shape, Sketch};
    use crate::embedding::{Direction, Embedding};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn nothing_resembles_nothing() {
        assert_eq!(Sketch::default().distance(&Sketch::default()), 0.0);
        assert_eq!(Sketch::of(vec![1]).distance(&Sketch::default()), 1.0);
    }

    #[test]
    fn embeddings_go_before_trees_where_both_are_known() {
        let shape = |parts: Vec<u32>, embedding| Shape { bytes: 1, sketch: Sketch::of(parts), embedding };
        let known = |parts: &[f32]| Embedding::Known(Direction::of(parts).unwrap());
        let (one, two) = (shape(vec![1], known(&[1.0, 0.0])), shape(vec![2], known(&[2.0, 0.0])));
        assert_eq!(one.distance(&two), 0.0, "other trees of the same meaning");
        assert_eq!(
            one.distance(&shape(vec![1], known(&[-1.0, 0.0]))),
            1.0,
            "the same tree, of another meaning"
        );
        assert_eq!(one.distance(&shape(vec![1], Embedding::missing("no answer"))), 0.0);
        assert_eq!(one.distance(&shape(vec![2], Embedding::Unasked)), 1.0);
    }

    #[test]
    fn what_was_measured_before_there_were_embeddings_still_reads() {
        let old: Shape = serde_json::from_value(serde_json::json!({ "bytes": 3, "sketch": [1] })).unwrap();
        assert_eq!(old, Shape { bytes: 3, sketch: Sketch::of(vec![1]), embedding: Embedding::Unasked });
        assert_eq!(serde_json::to_value(&old).unwrap(), serde_json::json!({ "bytes": 3, "sketch": [1] }));
    }

    proptest! {
        #[test]
        fn small_programs_are_compared_exactly(
            one in prop::collection::btree_set(0_u32..60, 0..32),
            two in prop::collection::btree_set(0_u32..60, 0..32),
        ) {
            let sketch = |set: &BTreeSet<u32>| Sketch::of(set.iter().rev().copied().collect());
            let (union, both) = (one.union(&two).count(), one.intersection(&two).count());
            let exact = if union == 0 { 0.0 } else { 1.0 - both as f64 / union as f64 };
            prop_assert!((sketch(&one).distance(&sketch(&two)) - exact).abs() < 1e-12);
        }

        #[test]
        fn a_distance_is_one(
            one in prop::collection::vec(any::<u32>(), 0..300),
            two in prop::collection::vec(any::<u32>(), 0..300),
            shared in prop::collection::vec(any::<u32>(), 0..300),
        ) {
            let one = Sketch::of(one.into_iter().chain(shared.clone()).collect());
            let two = Sketch::of(two.into_iter().chain(shared).collect());
            prop_assert_eq!(one.distance(&one), 0.0);
            prop_assert_eq!(one.distance(&two), two.distance(&one));
            prop_assert!((0.0..=1.0).contains(&one.distance(&two)));
            prop_assert!(one.0.len() <= SKETCH_HASHES);
            let written = serde_json::to_string(&one).unwrap();
            prop_assert_eq!(serde_json::from_str::<Sketch>(&written).unwrap(), one);
        }
    }
}
