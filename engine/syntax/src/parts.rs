//! The parts that a syntax tree consists of, as hashes: programs whose trees are alike have most parts in common.
//!
//! A part is a pq-gram with p = q = 2: a node with its parent, and two of its children next to each other (or the edge).
//! How many of these two trees share approximates their edit distance.
//!
//! Source: Augsten, Boehlen and Gamper, "Approximate Matching of Hierarchical Data Using pq-Grams" (2005).

use crate::kind::Kind;
use crate::module::Module;
use crate::node::Node;

/// Hash of the edge of a list of children.
const EDGE: u64 = 0;

impl Module {
    /// Hashes of the tree's parts, in the order of nodes. Layout and comments do not matter, names and literals do. The
    /// same on every machine and in every version.
    pub fn parts(&self) -> Vec<u32> {
        let mut parts = Vec::new();
        for node in self.nodes().filter(|node| is_part(*node)) {
            let above = mix(node.parent().map_or(EDGE, label), label(node));
            let mut before = EDGE;
            for child in node.children().filter(|child| is_part(*child)).map(label).chain([EDGE]) {
                parts.push((mix(mix(above, before), child) >> 32) as u32);
                before = child;
            }
        }
        parts
    }
}

/// Whether a node says something that its neighbours do not.
fn is_part(node: Node<'_>) -> bool {
    let silent = matches!(node.text(), "(" | ")" | "[" | "]" | "{" | "}" | "," | ":" | ";");
    match node.kind() {
        Kind::Comment | Kind::LineContinuation => false,
        Kind::Token => !silent,
        _ => true,
    }
}

/// A node as its part shows it: its kind, and its text where it has no children.
fn label(node: Node<'_>) -> u64 {
    let text = if node.children().next().is_none() { node.text() } else { "" };
    hash(node.kind().name().bytes().chain([0]).chain(text.bytes()))
}

/// FNV-1a (Fowler, Noll and Vo; draft-eastlake-fnv), 64 bits.
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Two hashes as one: the finaliser of SplitMix64 (Steele, Lea and Flood 2014) over their combination.
fn mix(one: u64, two: u64) -> u64 {
    let mut z = one.rotate_left(23).wrapping_add(two).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use crate::Module;
    use std::collections::BTreeSet;

    fn parts(source: &str) -> BTreeSet<u32> {
        Module::parse(source).parts().into_iter().collect()
    }

    fn shared(one: &str, two: &str) -> f64 {
        let (one, two) = (parts(one), parts(two));
        one.intersection(&two).count() as f64 / one.union(&two).count() as f64
    }

    const LOOP: &str = "def total(items):\n    result = 0\n    for item in items:\n        result += item\n    return result\n";

    #[test]
    fn layout_and_comments_are_no_parts() {
        let spread = LOOP.replace("    ", "  ").replace("result = 0", "result  =  0  # so far\n");
        assert_eq!(parts(LOOP), parts(&spread));
        assert!(parts("").is_empty() || parts("").len() == 1);
    }

    #[test]
    fn a_small_edit_leaves_more_in_common_than_another_algorithm() {
        let edited = LOOP.replace("result += item", "result -= item");
        let other = "def total(items):\n    return sum(items)\n";
        assert!(shared(LOOP, &edited) > 0.7, "{}", shared(LOOP, &edited));
        assert!(shared(LOOP, other) < 0.5, "{}", shared(LOOP, other));
        assert_ne!(parts(LOOP), parts(&edited));
    }

    #[test]
    fn hashes_are_those_of_every_version() {
        assert_eq!(Module::parse("x = 1\n").parts().first(), Some(&1_551_302_492));
    }

    #[test]
    fn any_text_has_parts() {
        for text in ["def (", "\u{0}", "(((((", "'''"] {
            let _ = parts(text);
        }
    }
}
