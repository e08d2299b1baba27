//! An archive that is ranked while it grows: a new point is put in its front, and pushes what it dominates one front
//! down, and so on (Li et al. 2017, ENLU). Far cheaper than sorting again; points equal to known ones cost a look-up.

use crate::point::{Dominance, Point, compare_costs};
use std::collections::BTreeMap;

/// Points by rank, added one at a time.
#[derive(Debug, Clone, Default)]
pub struct RankedArchive {
    /// For each distinct point, its front, from 0.
    front_of: Vec<usize>,
    fronts: Vec<Front>,
    /// For each member, its distinct point.
    members: Vec<usize>,
    /// The distinct point with these costs, by their bits.
    known: BTreeMap<Vec<u64>, usize>,
    objectives: usize,
}

/// Distinct points of one rank.
#[derive(Debug, Clone, Default)]
struct Front {
    points: Vec<usize>,
    /// Their costs, side by side: every insertion looks at all of them.
    costs: Vec<f64>,
}

impl Front {
    fn rows(&self, objectives: usize) -> std::slice::ChunksExact<'_, f64> {
        self.costs.chunks_exact(objectives.max(1))
    }

    /// Whether a member dominates the point with these costs.
    fn beats(&self, costs: &[f64]) -> bool {
        self.rows(costs.len()).any(|row| compare_costs(row, costs) == Dominance::Better)
    }

    /// Takes out the points that a member of `new` dominates.
    fn take_beaten(&mut self, new: &Self, objectives: usize) -> Self {
        let beaten: Vec<bool> = self.rows(objectives).map(|row| new.beats(row)).collect();
        if !beaten.contains(&true) {
            return Self::default();
        }
        let (mut flags, mut cost_flags) = (beaten.iter(), (0..).map(|at: usize| at / objectives.max(1)));
        let is_beaten = |place: Option<usize>| place.and_then(|place| beaten.get(place)) == Some(&true);
        Self {
            points: self.points.extract_if(.., |_| flags.next() == Some(&true)).collect(),
            costs: self.costs.extract_if(.., |_| is_beaten(cost_flags.next())).collect(),
        }
    }

    fn append(&mut self, mut others: Self) {
        self.points.append(&mut others.points);
        self.costs.append(&mut others.costs);
    }
}

impl RankedArchive {
    /// An empty archive of points with this many costs.
    pub fn new(objectives: usize) -> Self {
        Self { objectives, ..Self::default() }
    }

    /// How many points were added.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Adds a point and answers its index, which counts from 0 in order of arrival.
    pub fn insert(&mut self, point: &Point) -> usize {
        debug_assert_eq!(point.costs().len(), self.objectives);
        let key: Vec<u64> = point.costs().iter().map(|cost| (cost + 0.0).to_bits()).collect();
        let distinct = match self.known.get(&key) {
            Some(distinct) => *distinct,
            None => {
                let distinct = self.front_of.len();
                self.front_of.push(0);
                self.known.insert(key, distinct);
                self.settle(Front { points: vec![distinct], costs: point.costs().to_vec() });
                distinct
            }
        };
        self.members.push(distinct);
        self.members.len() - 1
    }

    /// Puts a new distinct point in its front and pushes others down.
    fn settle(&mut self, new: Front) {
        let mut place = self.first_free(&new.costs);
        let mut coming = new;
        while !coming.points.is_empty() {
            if place == self.fronts.len() {
                self.fronts.push(Front::default());
            }
            let Some(residents) = self.fronts.get_mut(place) else { return };
            let pushed = residents.take_beaten(&coming, self.objectives);
            for point in &coming.points {
                if let Some(front) = self.front_of.get_mut(*point) {
                    *front = place;
                }
            }
            residents.append(coming);
            coming = pushed;
            place += 1;
        }
    }

    /// The first front without a member that dominates a point with these costs. Fronts before it all have one, so it
    /// can be sought by halving.
    fn first_free(&self, costs: &[f64]) -> usize {
        self.fronts.partition_point(|front| front.beats(costs))
    }

    /// The rank, from 1, of the point with this index; `u32::MAX` for an index that was not given out.
    pub fn rank(&self, index: usize) -> u32 {
        let front = self.members.get(index).and_then(|distinct| self.front_of.get(*distinct));
        front.and_then(|front| u32::try_from(front + 1).ok()).unwrap_or(u32::MAX)
    }

    /// Crowding distance of a point among the distinct points of its front; see [`super::crowding_distance`]. Linear in
    /// the front; infinite for an index that was not given out.
    pub fn crowding(&self, index: usize) -> f64 {
        let Some(distinct) = self.members.get(index) else { return f64::INFINITY };
        let front = self.front_of.get(*distinct).and_then(|front| self.fronts.get(*front));
        let Some(front) = front else { return f64::INFINITY };
        let at = front.points.iter().position(|point| point == distinct);
        let Some(own) = at.and_then(|at| front.rows(self.objectives).nth(at)) else { return f64::INFINITY };
        let others =
            || front.points.iter().zip(front.rows(self.objectives)).filter(|(point, _)| *point != distinct);
        let along = |(axis, cost): (usize, &f64)| {
            let costs = || others().filter_map(|(_, other)| other.get(axis).copied());
            let below = costs().filter(|other| other <= cost).fold(f64::NEG_INFINITY, f64::max);
            let above = costs().filter(|other| other > cost).fold(f64::INFINITY, f64::min);
            let extent = costs().fold(*cost, f64::max) - costs().fold(*cost, f64::min);
            match (below.is_finite() && above.is_finite(), extent > 0.0) {
                (true, true) => (above - below) / extent,
                (false, _) => f64::INFINITY,
                (true, false) => 0.0,
            }
        };
        own.iter().enumerate().map(along).sum()
    }

    /// Indices of the points of a rank, from 1, in order of arrival. Linear in the archive.
    pub fn front(&self, rank: u32) -> Vec<usize> {
        (0..self.members.len()).filter(|index| self.rank(*index) == rank).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fronts::non_dominated_sort;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn ranks_are_those_of_sorting_after_every_insertion(
            rows in (1usize..=5).prop_flat_map(|m| prop::collection::vec(prop::collection::vec(0u8..9, m), 1..50))
        ) {
            let m = rows[0].len();
            let mut archive = RankedArchive::new(m);
            let mut points: Vec<Point> = Vec::new();
            for row in rows {
                let point = Point::new(row.iter().map(|x| f64::from(*x)).collect::<Vec<_>>()).unwrap();
                prop_assert_eq!(archive.insert(&point), points.len());
                points.push(point);
                let ranks: Vec<u32> = (0..points.len()).map(|index| archive.rank(index)).collect();
                prop_assert_eq!(&ranks, &non_dominated_sort(&points));
                let first: Vec<usize> = (0..points.len()).filter(|index| ranks[*index] == 1).collect();
                prop_assert_eq!(archive.front(1), first);
            }
        }
    }

    #[test]
    fn crowding_is_that_of_the_front() {
        let mut archive = RankedArchive::new(2);
        for row in [[0.0, 4.0], [1.0, 2.0], [4.0, 0.0], [5.0, 5.0]] {
            archive.insert(&Point::new(row.to_vec()).unwrap());
        }
        assert_eq!(archive.crowding(1), 2.0);
        assert_eq!(archive.crowding(0), f64::INFINITY);
        assert_eq!(archive.rank(9), u32::MAX);
    }
}
