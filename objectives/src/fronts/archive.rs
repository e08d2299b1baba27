//! An archive that is ranked while it grows: a new point is put in its front, and pushes what it dominates one front
//! down, and so on (Li et al. 2017, ENLU). Far cheaper than sorting again; points equal to known ones cost a look-up.

use crate::point::{Dominance, Point, compare_costs};
use std::collections::BTreeMap;

/// Points by rank, added one at a time.
#[derive(Debug, Clone, Default)]
pub struct RankedArchive {
    /// Costs of the distinct points, side by side.
    costs: Vec<f64>,
    /// For each distinct point, its front, from 0.
    front_of: Vec<usize>,
    /// For each front, its distinct points.
    fronts: Vec<Vec<usize>>,
    /// For each member, its distinct point.
    members: Vec<usize>,
    /// The distinct point with these costs, by their bits.
    known: BTreeMap<Vec<u64>, usize>,
    objectives: usize,
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
                self.costs.extend_from_slice(point.costs());
                self.front_of.push(0);
                self.known.insert(key, distinct);
                self.settle(distinct);
                distinct
            }
        };
        self.members.push(distinct);
        self.members.len() - 1
    }

    /// Puts a new distinct point in its front and pushes others down.
    fn settle(&mut self, distinct: usize) {
        let mut front = self.first_free(distinct);
        let mut coming = vec![distinct];
        while !coming.is_empty() {
            if front == self.fronts.len() {
                self.fronts.push(Vec::new());
            }
            let Some(residents) = self.fronts.get_mut(front).map(std::mem::take) else { return };
            let (pushed, mut staying): (Vec<usize>, Vec<usize>) = residents
                .into_iter()
                .partition(|resident| coming.iter().any(|new| self.beats(*new, *resident)));
            for new in &coming {
                if let Some(place) = self.front_of.get_mut(*new) {
                    *place = front;
                }
            }
            staying.append(&mut coming);
            if let Some(residents) = self.fronts.get_mut(front) {
                *residents = staying;
            }
            coming = pushed;
            front += 1;
        }
    }

    /// The first front without a member that dominates the point. Fronts before it all have one, so it can be sought
    /// by halving.
    fn first_free(&self, distinct: usize) -> usize {
        let (mut low, mut high) = (0, self.fronts.len());
        while low < high {
            let middle = (low + high) / 2;
            let dominated =
                self.fronts.get(middle).is_some_and(|front| front.iter().any(|m| self.beats(*m, distinct)));
            if dominated {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn costs_of(&self, distinct: usize) -> Option<&[f64]> {
        self.costs.get(distinct * self.objectives..(distinct + 1) * self.objectives)
    }

    fn beats(&self, a: usize, b: usize) -> bool {
        match (self.costs_of(a), self.costs_of(b)) {
            (Some(a), Some(b)) => compare_costs(a, b) == Dominance::Better,
            _ => false,
        }
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
        let (Some(own), Some(front)) = (self.costs_of(*distinct), front) else { return f64::INFINITY };
        let others =
            || front.iter().filter(|member| *member != distinct).filter_map(|member| self.costs_of(*member));
        let along = |(axis, cost): (usize, &f64)| {
            let costs = || others().filter_map(|other| other.get(axis).copied());
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
