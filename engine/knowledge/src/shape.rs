//! The shape of a piece of Python: the kinds of its syntax tree's nodes, three in a row, as a set. Names and layout do not
//! count, so shapes of renamed code are equal.

use std::collections::BTreeSet;
use syntax::Module;

/// Nodes in a row that make one feature (shingling, Broder 1997).
const WINDOW: usize = 3;
/// Most nodes that are looked at.
const MAX_NODES: usize = 20_000;
/// FNV-1a, 64 bits: offset basis and prime.
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// A set of features.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape(BTreeSet<u64>);

impl Shape {
    /// The shape of a source text.
    pub fn of(source: &str) -> Self {
        Self::of_kinds(&kinds(source))
    }

    /// The shape of a list of kinds.
    pub fn of_kinds<S: AsRef<str>>(kinds: &[S]) -> Self {
        let hash = |window: &[S]| {
            let bytes = window.iter().flat_map(|kind| kind.as_ref().bytes().chain([0]));
            bytes.fold(FNV_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME))
        };
        Self(kinds.windows(WINDOW.min(kinds.len()).max(1)).map(hash).collect())
    }

    /// Share of features in common, 0 to 1 (Jaccard). Two empty shapes have nothing in common.
    pub fn similarity(&self, other: &Self) -> f64 {
        let common = self.0.intersection(&other.0).count();
        let all = self.0.len() + other.0.len() - common;
        if all == 0 { 0.0 } else { common as f64 / all as f64 }
    }
}

/// Kinds of the tree's named nodes, in order, with the operators.
pub(crate) fn kinds(source: &str) -> Vec<&'static str> {
    let module = Module::parse(source);
    let nodes = module.nodes().filter(|node| node.is_named()).take(MAX_NODES);
    nodes.map(|node| node.kind().name()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_count_and_structure_does() {
        let one = Shape::of("def f(a):\n    return [x for x in a if x]\n");
        let renamed = Shape::of("def other(values):\n    return [v for v in values if v]\n");
        let another =
            Shape::of("def f(a):\n    total = 0\n    for x in a:\n        total += x\n    return total\n");
        assert_eq!(one.similarity(&renamed), 1.0);
        assert!(one.similarity(&another) < 0.6);
        assert_eq!(Shape::of("").similarity(&Shape::default()), 0.0);
    }
}
