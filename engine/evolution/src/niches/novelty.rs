//! An unstructured archive of programs that differ: a newcomer that is far enough from every member (by the syntax tree, or
//! by embeddings) joins them, one that is close to a member replaces it unless it is worse. Parents are judged by how they stand among their
//! nearest neighbours, not by how they stand in the world.
//!
//! Source: Lehman and Stanley, "Evolving a Diversity of Virtual Creatures through Novelty Search and Local Competition"
//! (2011); the unstructured container as in Cully and Demiris, "Quality and Diversity Optimization: A Unifying Modular
//! Framework" (2018, arXiv:1708.09251).

use crate::id::Number;
use crate::shape::Shape;
use std::sync::Arc;

/// A member of the archive.
#[derive(Debug, Clone, PartialEq)]
struct Member {
    number: Number,
    quality: f64,
    shape: Arc<Shape>,
    /// Distance and number of the nearest others, nearest first.
    nearest: Vec<(f64, Number)>,
    /// Share of the other members that are less novel, equal ones counting half.
    novelty_rank: f64,
}

/// The archive, with each member's nearest neighbours kept up to date.
#[derive(Debug, Clone, PartialEq)]
pub struct Novelty {
    neighbours: usize,
    threshold: f64,
    room: usize,
    members: Vec<Member>,
}

impl Novelty {
    /// An empty archive for `room` members, compared with as many `neighbours`, new from a distance of `threshold` on.
    pub fn new(neighbours: u32, threshold: f64, room: usize) -> Self {
        Self { neighbours: neighbours.max(1) as usize, threshold, room: room.max(1), members: Vec::new() }
    }

    /// Numbers of the members in the order in which they came.
    pub fn members(&self) -> impl Iterator<Item = Number> + '_ {
        self.members.iter().map(|member| member.number)
    }

    /// Lets a candidate in if it is new enough, or not worse than the one it resembles. Answers its novelty: the mean distance
    /// to its nearest neighbours, 0 to 1; 1 where nobody is.
    pub fn enter(&mut self, number: Number, quality: f64, shape: &Arc<Shape>) -> f64 {
        let nearest = self.nearest_to(number, shape);
        let novelty = mean(&nearest);
        if let Some((distance, resembled)) = nearest.first().copied()
            && distance < self.threshold
        {
            // As good is good enough: small changes that cost nothing add up to large ones.
            if self.member(resembled).is_some_and(|member| quality < member.quality) {
                return novelty;
            }
            self.remove(resembled);
        }
        let shape = shape.clone();
        self.insert(Member { number, quality, shape, nearest: Vec::new(), novelty_rank: 0.5 });
        if self.members.len() > self.room
            && let Some(weakest) = self.weakest()
        {
            self.remove(weakest);
        }
        novelty
    }

    /// What a member is worth, 0 to 1: the mean of how it stands among its nearest neighbours (the share of them that it is
    /// better than) and of how novel it is among all members (the share of them that are less novel), equal ones counting
    /// half. 0.5 for one that is alone, `None` for who is no member.
    pub fn worth(&self, number: Number) -> Option<f64> {
        self.member(number).map(|member| self.worth_of(member))
    }

    fn worth_of(&self, member: &Member) -> f64 {
        let beaten = |(_, other): &(f64, Number)| match self.member(*other) {
            Some(other) if member.quality > other.quality => 1.0,
            Some(other) if member.quality < other.quality => 0.0,
            _ => 0.5,
        };
        let count = member.nearest.len();
        let sum: f64 = member.nearest.iter().map(beaten).sum();
        let standing = if count == 0 { 0.5 } else { sum / count as f64 };
        f64::midpoint(standing, member.novelty_rank)
    }

    /// Takes a member out.
    pub fn remove(&mut self, number: Number) {
        self.members.retain(|member| member.number != number);
        let bereaved: Vec<(usize, Number, Arc<Shape>)> = self
            .members
            .iter()
            .enumerate()
            .filter(|(_, member)| member.nearest.iter().any(|(_, other)| *other == number))
            .map(|(place, member)| (place, member.number, member.shape.clone()))
            .collect();
        for (place, number, shape) in bereaved {
            let nearest = self.nearest_to(number, &shape);
            if let Some(member) = self.members.get_mut(place) {
                member.nearest = nearest;
            }
        }
        self.rank();
    }

    fn member(&self, number: Number) -> Option<&Member> {
        self.members.iter().find(|member| member.number == number)
    }

    fn insert(&mut self, mut newcomer: Member) {
        newcomer.nearest = self.nearest_to(newcomer.number, &newcomer.shape);
        for member in &mut self.members {
            let distance = member.shape.distance(&newcomer.shape);
            member.nearest.push((distance, newcomer.number));
            order(&mut member.nearest, self.neighbours);
        }
        self.members.push(newcomer);
        self.rank();
    }

    /// The nearest members to a shape, without `number` itself.
    fn nearest_to(&self, number: Number, shape: &Shape) -> Vec<(f64, Number)> {
        let others = self.members.iter().filter(|member| member.number != number);
        let mut nearest = others.map(|member| (member.shape.distance(shape), member.number)).collect();
        order(&mut nearest, self.neighbours);
        nearest
    }

    /// Who is least worth its place, of equals the oldest.
    fn weakest(&self) -> Option<Number> {
        let rated = self.members.iter().map(|member| (self.worth_of(member), member.number));
        rated.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))).map(|(_, number)| number)
    }

    /// Ranks all members by novelty anew.
    fn rank(&mut self) {
        let mut novelties: Vec<f64> = self.members.iter().map(|member| mean(&member.nearest)).collect();
        novelties.sort_by(f64::total_cmp);
        let others = novelties.len().saturating_sub(1);
        for member in &mut self.members {
            let own = mean(&member.nearest);
            let below = novelties.partition_point(|novelty| *novelty < own);
            let equal = novelties.partition_point(|novelty| *novelty <= own).saturating_sub(below + 1);
            let rank = (below as f64 + 0.5 * equal as f64) / others as f64;
            member.novelty_rank = if others == 0 { 0.5 } else { rank };
        }
    }
}

/// Puts the nearest first and keeps the first `count`; of equals, the elder.
fn order(nearest: &mut Vec<(f64, Number)>, count: usize) {
    nearest.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    nearest.truncate(count);
}

fn mean(nearest: &[(f64, Number)]) -> f64 {
    let sum: f64 = nearest.iter().map(|(distance, _)| distance).sum();
    if nearest.is_empty() { 1.0 } else { sum / nearest.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::Novelty;
    use crate::shape::{Shape, Sketch};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn shape(parts: impl IntoIterator<Item = u32>) -> Arc<Shape> {
        Arc::new(Shape { sketch: Sketch::of(parts.into_iter().collect()), ..Shape::default() })
    }

    #[test]
    fn what_resembles_a_member_competes_with_it_alone() {
        let mut archive = Novelty::new(2, 0.3, 10);
        assert_eq!(archive.enter(1, 0.5, &shape(0..10)), 1.0);
        archive.enter(2, 0.1, &shape(20..30));
        assert_eq!(archive.members().collect::<Vec<_>>(), [1, 2]);
        // One part of eleven differs each way: too close to be new.
        archive.enter(3, 0.05, &shape(21..31));
        assert_eq!(archive.members().collect::<Vec<_>>(), [1, 2]);
        archive.enter(4, 0.2, &shape(21..31));
        assert_eq!(archive.members().collect::<Vec<_>>(), [1, 4]);
        // One beats its only neighbour, and both are as novel.
        assert_eq!((archive.worth(1), archive.worth(4), archive.worth(2)), (Some(0.75), Some(0.25), None));
    }

    #[test]
    fn the_weakest_leaves_a_full_archive() {
        let mut archive = Novelty::new(1, 0.1, 2);
        archive.enter(1, 0.5, &shape(0..10));
        archive.enter(2, 0.4, &shape(5..15));
        archive.enter(3, 0.1, &shape(50..60));
        // 2 resembles 1 and is worse; 3 is worse than all and alone.
        assert_eq!(archive.members().collect::<Vec<_>>(), [1, 3]);
    }

    proptest! {
        #[test]
        fn neighbours_agree_with_a_twin_that_looks_at_everybody(
            neighbours in 1_u32..5,
            room in 1_usize..9,
            births in prop::collection::vec((0_u32..5, 0_u32..30, 1_u32..12, prop::option::of(0_u32..40)), 0..40)
        ) {
            let mut archive = Novelty::new(neighbours, 0.2, room);
            for (number, (quality, from, length, leaving)) in (0..).zip(births) {
                archive.enter(number, f64::from(quality), &shape(from..from + length));
                leaving.into_iter().for_each(|leaving| archive.remove(leaving));
                prop_assert!(archive.members.len() <= room);
                for member in &archive.members {
                    let mut others: Vec<(f64, u32)> = archive
                        .members
                        .iter()
                        .filter(|other| other.number != member.number)
                        .map(|other| (other.shape.distance(&member.shape), other.number))
                        .collect();
                    others.sort_by(|a, b| a.partial_cmp(b).unwrap());
                    others.truncate(neighbours as usize);
                    prop_assert_eq!(&member.nearest, &others);
                }
                for (place, one) in archive.members.iter().enumerate() {
                    for two in &archive.members[place + 1..] {
                        prop_assert!(one.shape.distance(&two.shape) > 0.0);
                    }
                }
            }
        }
    }
}
