//! Who descends from whom: a directed graph from parent to child that is acyclic because a candidate can only name
//! parents that are already there. Not the archive: rejected candidates are in it too.
//!
//! Beside the graph it keeps, for each candidate, the successes and failures of its clade (itself and everything that
//! descends from it by first parents), updated along the ancestors at each verdict.

use crate::id::{BASELINE, Number};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Dfs;
use petgraph::{Direction, algo};

/// Most parents of one candidate: two for a crossover.
pub const MAX_PARENTS: usize = 2;

/// How many generations up a verdict is credited. Bounds the cost of one verdict in a run that became one long chain;
/// ancestors further up keep the clade that they had, which by then counts a thousand outcomes.
pub const MAX_CLADE_DEPTH: usize = 1024;

/// Why a candidate could not be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineageError {
    /// It is there already.
    #[error("candidate {0} is in the lineage already")]
    Known(Number),
    /// One of its parents is not there.
    #[error("candidate {child} names the parent {parent}, which is not in the lineage")]
    UnknownParent {
        /// The candidate that was to be added.
        child: Number,
        /// The parent that is missing.
        parent: Number,
    },
    /// Only the baseline has no parent, and the baseline has none.
    #[error("candidate {0} has the wrong number of parents: {1}")]
    ParentCount(Number, usize),
    /// The same parent twice.
    #[error("candidate {0} names a parent twice")]
    RepeatedParent(Number),
}

/// One candidate in the graph.
#[derive(Debug, Clone, PartialEq)]
struct Node {
    number: Number,
    /// In the order they were named, the first being what the patch applies to.
    parents: Vec<Number>,
    children: u32,
}

/// What became of a candidate and of everything that descends from it by first parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Clade {
    /// The first parent's node; none above the baseline.
    above: Option<NodeIndex>,
    successes: u32,
    failures: u32,
}

/// The family tree of a run.
#[derive(Debug, Clone, Default)]
pub struct Lineage {
    graph: DiGraph<Node, ()>,
    /// Node of a number; numbers of proposals that never became candidates have none.
    nodes: Vec<Option<NodeIndex>>,
    /// By node, side by side and small: every verdict walks up hundreds of them.
    clades: Vec<Clade>,
}

impl PartialEq for Lineage {
    /// Nodes are added in one order and edges follow from their parents, so nodes and clades tell everything.
    fn eq(&self, other: &Self) -> bool {
        self.clades == other.clades && self.graph.node_weights().eq(other.graph.node_weights())
    }
}

impl Lineage {
    /// An empty lineage; the baseline is added first.
    pub fn new() -> Self {
        Self::default()
    }

    fn index(&self, number: Number) -> Option<NodeIndex> {
        self.nodes.get(number as usize).copied().flatten()
    }

    fn node(&self, number: Number) -> Option<&Node> {
        self.index(number).and_then(|index| self.graph.node_weight(index))
    }

    /// Adds a candidate below its parents.
    ///
    /// # Errors
    /// When it is there already, when a parent is unknown or named twice, or when the number of parents is wrong:
    /// none for the baseline, 1 to [`MAX_PARENTS`] for all others. Nothing is changed then.
    pub fn add(&mut self, number: Number, parents: &[Number]) -> Result<(), LineageError> {
        if self.contains(number) {
            return Err(LineageError::Known(number));
        }
        if parents.is_empty() != (number == BASELINE) || parents.len() > MAX_PARENTS {
            return Err(LineageError::ParentCount(number, parents.len()));
        }
        let mut above = Vec::with_capacity(parents.len());
        for parent in parents {
            let missing = LineageError::UnknownParent { child: number, parent: *parent };
            let index = self.index(*parent).ok_or(missing)?;
            if above.contains(&index) {
                return Err(LineageError::RepeatedParent(number));
            }
            above.push(index);
        }
        self.clades.push(Clade { above: above.first().copied(), successes: 0, failures: 0 });
        let index = self.graph.add_node(Node { number, parents: parents.to_vec(), children: 0 });
        for parent in above {
            self.graph.add_edge(parent, index, ());
            if let Some(parent) = self.graph.node_weight_mut(parent) {
                parent.children += 1;
            }
        }
        let place = number as usize;
        if self.nodes.len() <= place {
            self.nodes.resize(place + 1, None);
        }
        if let Some(slot) = self.nodes.get_mut(place) {
            *slot = Some(index);
        }
        Ok(())
    }

    /// Whether a candidate is there.
    pub fn contains(&self, number: Number) -> bool {
        self.index(number).is_some()
    }

    /// How many candidates are there, the baseline included.
    pub fn len(&self) -> usize {
        self.graph.node_count()
    }

    /// Whether nothing was added yet.
    pub fn is_empty(&self) -> bool {
        self.graph.node_count() == 0
    }

    /// A candidate's parents, the first being what its patch applies to; none for the baseline and the unknown.
    pub fn parents(&self, number: Number) -> &[Number] {
        self.node(number).map_or(&[], |node| node.parents.as_slice())
    }

    /// A candidate's children in the order they were added.
    pub fn children(&self, number: Number) -> Vec<Number> {
        let Some(index) = self.index(number) else { return Vec::new() };
        let below = self.graph.neighbors_directed(index, Direction::Outgoing);
        let mut children: Vec<Number> =
            below.filter_map(|child| Some(self.graph.node_weight(child)?.number)).collect();
        children.reverse();
        children
    }

    /// How many children a candidate has, by any parent's place. Constant time.
    pub fn child_count(&self, number: Number) -> u32 {
        self.node(number).map_or(0, |node| node.children)
    }

    /// The way from a candidate's first parent up to the baseline by first parents; without the candidate itself.
    pub fn ancestors(&self, number: Number) -> impl Iterator<Item = Number> + '_ {
        let first = move |number: &Number| self.parents(*number).first().copied();
        std::iter::successors(first(&number), first)
    }

    /// Everything that descends from a candidate by any parent, without itself, in rising order.
    pub fn descendants(&self, number: Number) -> Vec<Number> {
        let Some(index) = self.index(number) else { return Vec::new() };
        let mut walk = Dfs::new(&self.graph, index);
        let mut below = Vec::new();
        while let Some(node) = walk.next(&self.graph) {
            if node != index
                && let Some(node) = self.graph.node_weight(node)
            {
                below.push(node.number);
            }
        }
        below.sort_unstable();
        below
    }

    /// Credits a verdict to a candidate's clade: to itself and its ancestors by first parents, at most
    /// [`MAX_CLADE_DEPTH`] of them. An unknown candidate changes nothing.
    pub fn record_outcome(&mut self, number: Number, success: bool) {
        let mut next = self.index(number);
        for _ in 0..=MAX_CLADE_DEPTH {
            let Some(clade) = next.and_then(|index| self.clades.get_mut(index.index())) else { break };
            if success {
                clade.successes += 1;
            } else {
                clade.failures += 1;
            }
            next = clade.above;
        }
    }

    /// Successes and failures in a candidate's clade, itself included.
    pub fn clade(&self, number: Number) -> (f64, f64) {
        let clade = self.index(number).and_then(|index| self.clades.get(index.index()));
        clade.map_or((0.0, 0.0), |clade| (f64::from(clade.successes), f64::from(clade.failures)))
    }

    /// Whether no candidate is its own ancestor and every edge agrees with the parents on record. True by
    /// construction; walks the whole graph, so it is for checks.
    pub fn is_acyclic(&self) -> bool {
        let known = |node: &Node| node.parents.iter().all(|parent| self.contains(*parent));
        let edges: usize = self.graph.node_weights().map(|node| node.parents.len()).sum();
        !algo::is_cyclic_directed(&self.graph)
            && self.graph.node_weights().all(known)
            && edges == self.graph.edge_count()
    }
}

#[cfg(test)]
mod tests {
    use super::{Lineage, LineageError, MAX_CLADE_DEPTH};
    use proptest::prelude::*;

    fn family() -> Lineage {
        let mut lineage = Lineage::new();
        lineage.add(0, &[]).unwrap();
        lineage.add(1, &[0]).unwrap();
        lineage.add(2, &[0]).unwrap();
        lineage.add(5, &[1]).unwrap();
        lineage.add(6, &[5, 2]).unwrap();
        lineage
    }

    #[test]
    fn knows_parents_children_and_the_way_to_the_baseline() {
        let lineage = family();
        assert_eq!(lineage.parents(6), [5, 2]);
        assert_eq!(lineage.parents(0), [0_u32; 0]);
        assert_eq!(lineage.children(0), [1, 2]);
        assert_eq!(lineage.children(2), [6]);
        assert_eq!(lineage.child_count(0), 2);
        assert_eq!(lineage.child_count(6), 0);
        assert_eq!(lineage.ancestors(6).collect::<Vec<_>>(), [5, 1, 0]);
        assert_eq!(lineage.ancestors(0).count(), 0);
        assert_eq!(lineage.descendants(0), [1, 2, 5, 6]);
        assert_eq!(lineage.descendants(2), [6]);
        assert_eq!(lineage.len(), 5);
        assert!(lineage.is_acyclic());
    }

    #[test]
    fn unknown_numbers_have_nothing() {
        let lineage = family();
        assert!(!lineage.contains(3));
        assert!(lineage.children(3).is_empty() && lineage.parents(99).is_empty());
        assert!(lineage.descendants(3).is_empty());
        assert_eq!((lineage.child_count(3), lineage.clade(3)), (0, (0.0, 0.0)));
    }

    #[test]
    fn refuses_what_could_not_be_a_family() {
        let mut lineage = family();
        let before = lineage.clone();
        assert_eq!(lineage.add(1, &[0]), Err(LineageError::Known(1)));
        assert_eq!(lineage.add(7, &[3]), Err(LineageError::UnknownParent { child: 7, parent: 3 }));
        assert_eq!(lineage.add(7, &[7]), Err(LineageError::UnknownParent { child: 7, parent: 7 }));
        assert_eq!(lineage.add(7, &[]), Err(LineageError::ParentCount(7, 0)));
        assert_eq!(lineage.add(7, &[0, 1, 2]), Err(LineageError::ParentCount(7, 3)));
        assert_eq!(lineage.add(7, &[1, 1]), Err(LineageError::RepeatedParent(7)));
        assert_eq!(Lineage::new().add(0, &[0]), Err(LineageError::ParentCount(0, 1)));
        assert_eq!(lineage, before);
    }

    #[test]
    fn clades_count_themselves_and_all_below_by_first_parents() {
        let mut lineage = family();
        lineage.record_outcome(6, true);
        lineage.record_outcome(2, false);
        lineage.record_outcome(5, false);
        lineage.record_outcome(99, true);
        assert_eq!(lineage.clade(6), (1.0, 0.0));
        assert_eq!(lineage.clade(5), (1.0, 1.0));
        assert_eq!(lineage.clade(2), (0.0, 1.0));
        assert_eq!(lineage.clade(0), (1.0, 2.0));
    }

    #[test]
    fn a_verdict_is_credited_a_bounded_way_up() {
        let mut lineage = Lineage::new();
        lineage.add(0, &[]).unwrap();
        let length = u32::try_from(MAX_CLADE_DEPTH).unwrap() + 10;
        for number in 1..=length {
            lineage.add(number, &[number - 1]).unwrap();
        }
        lineage.record_outcome(length, true);
        assert_eq!(lineage.clade(10), (1.0, 0.0));
        assert_eq!(lineage.clade(9), (0.0, 0.0));
    }

    #[test]
    fn a_hundred_thousand_candidates_fit() {
        let mut lineage = Lineage::new();
        lineage.add(0, &[]).unwrap();
        for number in 1..100_000_u32 {
            lineage.add(number, &[number / 3]).unwrap();
            lineage.record_outcome(number, number % 7 == 0);
        }
        assert_eq!(lineage.descendants(0).len(), 99_999);
        assert_eq!(lineage.clade(0), (14_285.0, 85_714.0));
        assert!(lineage.is_acyclic());
    }

    proptest! {
        #[test]
        fn agrees_with_a_twin_that_searches(
            births in prop::collection::vec((any::<u32>(), any::<u32>(), any::<bool>(), any::<bool>()), 0..60)
        ) {
            let mut lineage = Lineage::new();
            lineage.add(0, &[]).unwrap();
            let mut parents: Vec<Vec<u32>> = vec![Vec::new()];
            let mut outcomes = vec![None];
            for (first, second, crossed, success) in births {
                let count = u32::try_from(parents.len()).unwrap();
                let mut chosen = vec![first % count];
                if crossed && second % count != chosen[0] {
                    chosen.push(second % count);
                }
                lineage.add(count, &chosen).unwrap();
                lineage.record_outcome(count, success);
                parents.push(chosen);
                outcomes.push(Some(success));
            }
            let above = |number: u32, any_parent: bool| {
                let mut seen = std::collections::BTreeSet::new();
                let mut open = vec![number];
                while let Some(next) = open.pop() {
                    let family = &parents[next as usize];
                    let kept = if any_parent { family.len() } else { family.len().min(1) };
                    open.extend(family[..kept].iter().filter(|parent| seen.insert(**parent)));
                }
                seen
            };
            for number in 0..u32::try_from(parents.len()).unwrap() {
                let all = 0..u32::try_from(parents.len()).unwrap();
                let below: Vec<u32> = all.clone().filter(|other| above(*other, true).contains(&number)).collect();
                prop_assert_eq!(lineage.descendants(number), below);
                let clade: Vec<u32> =
                    all.clone().filter(|other| *other == number || above(*other, false).contains(&number)).collect();
                let wins = clade.iter().filter(|member| outcomes[**member as usize] == Some(true)).count();
                let losses = clade.iter().filter(|member| outcomes[**member as usize] == Some(false)).count();
                prop_assert_eq!(lineage.clade(number), (wins as f64, losses as f64));
                let children: Vec<u32> = all.filter(|other| parents[*other as usize].contains(&number)).collect();
                prop_assert_eq!(lineage.child_count(number) as usize, children.len());
                prop_assert_eq!(lineage.children(number), children);
            }
            prop_assert!(lineage.is_acyclic());
        }
    }
}
