//! Sets of test cases as bits: which of a run's cases a candidate passed. Small, comparable, quick to intersect.

use serde::{Deserialize, Serialize};

/// A set of case indices. Indices are those of the run's table of case names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseSet(Vec<u64>);

/// Bits in one word.
const WORD: usize = u64::BITS as usize;

impl CaseSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a case.
    pub fn insert(&mut self, case: usize) {
        let word = case / WORD;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (case % WORD);
        }
    }

    /// Whether a case is in the set.
    pub fn contains(&self, case: usize) -> bool {
        self.0.get(case / WORD).is_some_and(|bits| bits >> (case % WORD) & 1 == 1)
    }

    /// How many cases are in the set.
    pub fn len(&self) -> usize {
        self.0.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|bits| *bits == 0)
    }

    /// How many cases are in this set and not in `other`.
    pub fn count_beyond(&self, other: &Self) -> usize {
        let theirs = other.0.iter().copied().chain(std::iter::repeat(0));
        self.0.iter().zip(theirs).map(|(mine, theirs)| (mine & !theirs).count_ones() as usize).sum()
    }

    /// Whether every case of this set is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.count_beyond(other) == 0
    }

    /// The cases in rising order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(word, bits)| {
            (0..WORD).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| word * WORD + bit)
        })
    }
}

impl FromIterator<usize> for CaseSet {
    fn from_iter<I: IntoIterator<Item = usize>>(cases: I) -> Self {
        let mut set = Self::new();
        set.extend(cases);
        set
    }
}

impl Extend<usize> for CaseSet {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, cases: I) {
        for case in cases {
            self.insert(case);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CaseSet;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn agrees_with_a_tree_set(a in prop::collection::btree_set(0usize..300, 0..60),
                                  b in prop::collection::btree_set(0usize..300, 0..60)) {
            let (x, y): (CaseSet, CaseSet) = (a.iter().copied().collect(), b.iter().copied().collect());
            prop_assert_eq!(x.len(), a.len());
            prop_assert_eq!(x.is_empty(), a.is_empty());
            prop_assert_eq!(x.count_beyond(&y), a.difference(&b).count());
            prop_assert_eq!(x.is_subset(&y), a.is_subset(&b));
            prop_assert_eq!(x.iter().collect::<BTreeSet<_>>(), a.clone());
            prop_assert!((0..300).all(|case| x.contains(case) == a.contains(&case)));
        }
    }
}
