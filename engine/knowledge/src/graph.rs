//! The knowledge graph: patterns, the contexts they came from and the outcomes they had, and a search for what is like
//! something at hand. It is a fold of the memory's log and holds nothing of its own.

use crate::memory::Judgement;
use crate::package::Package;
use crate::shape::Shape;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use std::collections::HashMap;

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
enum Entry {
    /// A package, by digest, with the shape of what it changes.
    Pattern { digest: String, shape: Shape },
    /// A source agent.
    Source(String),
    /// A program that a package was judged in: its name, and how often packages improved it.
    Target(String),
}

/// What ties two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tie {
    /// A pattern came from a source.
    From,
    /// A pattern improved a target.
    Improved,
    /// A target was viable with a pattern, and no better.
    Neutral,
    /// A target was not viable with a pattern.
    Failed,
}

/// Patterns, sources and targets, and what ties them.
#[derive(Debug, Default)]
pub struct KnowledgeGraph {
    graph: DiGraph<Entry, Tie>,
    patterns: HashMap<String, NodeIndex>,
    names: HashMap<(bool, String), NodeIndex>,
}

/// A pattern that is like what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Similar {
    /// The package's digest.
    pub digest: String,
    /// How alike, 0 to 1.
    pub similarity: f64,
    /// Judgements in which it improved a program.
    pub improved: usize,
    /// Judgements in which the program was not viable with it.
    pub failed: usize,
}

impl KnowledgeGraph {
    /// Adds a package; one that is known already is left as it is.
    pub fn add(&mut self, package: &Package) {
        if self.patterns.contains_key(&package.digest) {
            return;
        }
        let shape = shape_of(package);
        let pattern = self.graph.add_node(Entry::Pattern { digest: package.digest.clone(), shape });
        self.patterns.insert(package.digest.clone(), pattern);
        let source = self.named(false, &package.source_agent);
        self.graph.add_edge(pattern, source, Tie::From);
    }

    /// Notes how a package did in a program.
    pub fn judge(&mut self, digest: &str, target: &str, judgement: Judgement) {
        let Some(pattern) = self.patterns.get(digest).copied() else { return };
        let target = self.named(true, target);
        let tie = match judgement {
            Judgement::Improved => Tie::Improved,
            Judgement::Neutral => Tie::Neutral,
            Judgement::Failed => Tie::Failed,
        };
        self.graph.add_edge(pattern, target, tie);
    }

    /// The patterns most like a package, at most `most`, the most alike first.
    pub fn similar(&self, package: &Package, most: usize) -> Vec<Similar> {
        let sought = shape_of(package);
        let rated = self.graph.node_indices().filter_map(|node| match self.graph.node_weight(node) {
            Some(Entry::Pattern { digest, shape }) => {
                let judged = |tie: Tie| self.graph.edges(node).filter(|edge| *edge.weight() == tie).count();
                Some(Similar {
                    digest: digest.clone(),
                    similarity: sought.similarity(shape),
                    improved: judged(Tie::Improved),
                    failed: judged(Tie::Failed),
                })
            }
            _ => None,
        });
        let mut found: Vec<Similar> = rated.filter(|similar| similar.similarity > 0.0).collect();
        found.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then_with(|| a.digest.cmp(&b.digest)));
        found.truncate(most);
        found
    }

    /// Programs that a package improved.
    pub fn improved_by(&self, digest: &str) -> Vec<&str> {
        let edges = self.patterns.get(digest).into_iter().flat_map(|node| self.graph.edges(*node));
        let improved = edges.filter(|edge| *edge.weight() == Tie::Improved);
        improved
            .filter_map(|edge| match self.graph.node_weight(edge.target()) {
                Some(Entry::Target(name)) => Some(name.as_str()),
                _ => None,
            })
            .collect()
    }

    fn named(&mut self, target: bool, name: &str) -> NodeIndex {
        let graph = &mut self.graph;
        *self.names.entry((target, name.to_owned())).or_insert_with(|| {
            let name = name.to_owned();
            graph.add_node(if target { Entry::Target(name) } else { Entry::Source(name) })
        })
    }
}

/// The shape of everything that a package changes, before and after.
fn shape_of(package: &Package) -> Shape {
    let texts = package.code_pattern.patterns.iter().flat_map(|change| [&change.before, &change.after]);
    let kinds: Vec<&str> = texts.flatten().flat_map(|text| crate::shape::kinds(text)).collect();
    Shape::of_kinds(&kinds)
}
