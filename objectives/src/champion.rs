//! The champion: which member of a front to apply, by the objectives' weights. The weights choose here and nowhere
//! else; they never change a rank.

use crate::objective::Objective;
use crate::objective_set::ObjectiveSet;
use crate::score::Scores;

/// Share of the plain sum in the augmented Tchebycheff distance: small, so that the largest weighted distance decides,
/// above 0, so that of two members with the same largest distance the one that is better elsewhere wins and no
/// dominated member is ever chosen. Steuer and Choo (1983) advise 0.0001 to 0.01.
pub const AUGMENTATION: f64 = 0.001;

/// The member of `front` nearest to the ideal point in the augmented weighted Tchebycheff metric:
/// `max_j w_j d_j + AUGMENTATION * sum_j d_j`, where `d_j` is the distance of cost `j` from the front's lowest, as a
/// share of the front's range (0 where the range is 0), and the weights are scaled to the sum 1.
///
/// Returns the position in `front`; the lowest of equals. Members that lack an objective's score are passed over;
/// `None` when nobody is left.
///
/// Source: R. E. Steuer and E.-U. Choo, "An interactive weighted Tchebycheff procedure for multiple objective
/// programming", Mathematical Programming 26 (1983) 326-344.
pub fn champion(set: &ObjectiveSet, front: &[Scores]) -> Option<usize> {
    let complete = |(index, scores)| set.point(scores).ok().map(|point| (index, point));
    let members: Vec<_> = front.iter().enumerate().filter_map(complete).collect();
    let rows: Vec<f64> = members.iter().flat_map(|(_, point)| point.costs()).copied().collect();
    champion_of_rows(set, &rows).and_then(|best| members.get(best)).map(|(index, _)| *index)
}

/// [`champion`] of a front that is given as rows of costs, one an objective, one row after the other. Returns the row.
pub fn champion_of_rows(set: &ObjectiveSet, rows: &[f64]) -> Option<usize> {
    let rows = rows.chunks_exact(set.len());
    // By the heaviest first, so that the sum of any finite weights is finite.
    let heaviest = set.iter().map(|objective| objective.weight).fold(0.0, f64::max);
    let total: f64 = set.iter().map(|objective| objective.weight / heaviest).sum();
    let axis = |objective: &Objective| Axis {
        weight: objective.weight / heaviest / total,
        lowest: f64::INFINITY,
        highest: f64::NEG_INFINITY,
    };
    let mut axes: Vec<Axis> = set.iter().map(axis).collect();
    for row in rows.clone() {
        for (axis, cost) in axes.iter_mut().zip(row) {
            axis.lowest = axis.lowest.min(*cost);
            axis.highest = axis.highest.max(*cost);
        }
    }
    let mut best: Option<(usize, f64)> = None;
    for (index, row) in rows.enumerate() {
        let (mut largest, mut sum) = (0.0_f64, 0.0);
        for (axis, cost) in axes.iter().zip(row) {
            let distance = axis.distance(*cost);
            largest = largest.max(axis.weight * distance);
            sum += distance;
        }
        let value = largest + AUGMENTATION * sum;
        if best.is_none_or(|(_, least)| value < least) {
            best = Some((index, value));
        }
    }
    best.map(|(index, _)| index)
}

/// One objective of the front: its weight (of the sum 1) and the range of its costs.
struct Axis {
    weight: f64,
    lowest: f64,
    highest: f64,
}

impl Axis {
    /// Distance from the lowest cost as a share of the range, 0 to 1. Halves are taken first, so that the range of
    /// two finite costs is finite.
    fn distance(&self, cost: f64) -> f64 {
        let range = self.highest / 2.0 - self.lowest / 2.0;
        if range > 0.0 { (cost / 2.0 - self.lowest / 2.0) / range } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::Direction;

    fn set(weights: [f64; 2]) -> ObjectiveSet {
        let objective = |(name, weight): (&str, f64)| Objective {
            weight,
            ..Objective::new(name, Direction::Minimize).unwrap()
        };
        ObjectiveSet::new(["x", "y"].into_iter().zip(weights).map(objective).collect()).unwrap()
    }

    fn front(rows: &[(f64, f64)]) -> Vec<Scores> {
        rows.iter().map(|(x, y)| Scores::from_pairs([("x", *x), ("y", *y)]).unwrap()).collect()
    }

    #[test]
    fn weights_choose_on_the_front() {
        let rows = front(&[(0.0, 10.0), (4.0, 4.0), (10.0, 0.0)]);
        assert_eq!(champion(&set([1.0, 1.0]), &rows), Some(1));
        assert_eq!(champion(&set([9.0, 1.0]), &rows), Some(0));
        assert_eq!(champion(&set([1.0, 9.0]), &rows), Some(2));
    }

    #[test]
    fn of_equal_largest_distances_the_one_better_elsewhere_wins() {
        assert_eq!(champion(&set([1.0, 1.0]), &front(&[(1.0, 1.0), (1.0, 0.5), (0.0, 1.0)])), Some(1));
        assert_eq!(champion(&set([1.0, 1.0]), &front(&[(3.0, 3.0), (3.0, 3.0)])), Some(0));
        assert_eq!(champion(&set([1.0, 1.0]), &[Scores::default()]), None);
    }

    #[test]
    fn extreme_costs_stay_finite() {
        let rows = front(&[(f64::MIN, f64::MAX), (0.0, 0.0), (f64::MAX, f64::MIN)]);
        assert_eq!(champion(&set([f64::MAX, f64::MAX]), &rows), Some(1));
    }
}
