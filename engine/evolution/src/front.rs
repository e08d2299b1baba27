//! The first front by its distinct points: which a new point dominates, equals or loses to, and who is champion by the
//! weights. Candidates with the very same scores share one point, so that a thousand neutral variants cost no more than
//! one. Ranks below the first are the ranked archive's work.

use crate::id::Number;
use objectives::{Dominance, ObjectiveSet, Point, compare_costs};

/// One point of the front with all candidates on it.
#[derive(Debug, Clone, PartialEq)]
struct Peak {
    /// In order of arrival, never empty.
    members: Vec<Number>,
    /// The smallest change against the baseline in bytes among them, and the first that has it.
    simplest: (u64, Number),
}

/// The distinct points of the first front in order of arrival.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Peaks {
    peaks: Vec<Peak>,
    /// Costs of the points, as many each as there are objectives, side by side: every verdict looks at all of them.
    costs: Vec<f64>,
}

/// How a point stands to the first front.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontRelation {
    /// Members that it dominates.
    pub dominated: Vec<Number>,
    /// A member that dominates it.
    pub dominated_by: Option<Number>,
    /// The first member with the very same scores.
    pub equal_to: Option<Number>,
}

impl Peaks {
    /// How many distinct points there are.
    pub fn len(&self) -> usize {
        self.peaks.len()
    }

    /// Whether the front is empty.
    pub fn is_empty(&self) -> bool {
        self.peaks.is_empty()
    }

    /// The first candidate at each point, in order of arrival.
    pub fn firsts(&self) -> impl Iterator<Item = Number> + '_ {
        self.peaks.iter().filter_map(|peak| peak.members.first().copied())
    }

    /// The points with their costs.
    fn rows(&self, point: &Point) -> impl Iterator<Item = (&Peak, Dominance)> {
        let costs = point.costs();
        let rows = self.costs.chunks_exact(costs.len().max(1));
        self.peaks.iter().zip(rows.map(|row| compare_costs(costs, row)))
    }

    /// How a point stands to the front. Linear in the distinct points.
    pub fn relation(&self, point: &Point) -> FrontRelation {
        let mut relation = FrontRelation::default();
        for (peak, dominance) in self.rows(point) {
            match dominance {
                // Whoever equals a member neither dominates nor loses to another one.
                Dominance::Equal => {
                    let equal_to = peak.members.first().copied();
                    return FrontRelation { equal_to, ..FrontRelation::default() };
                }
                Dominance::Better => relation.dominated.extend(&peak.members),
                Dominance::Worse => {
                    relation.dominated_by = peak.members.first().copied();
                    return relation;
                }
                Dominance::Incomparable => {}
            }
        }
        relation
    }

    /// Takes a candidate in that no member dominates, and drops the points that it dominates. `changed_bytes` is the
    /// size of its change against the baseline.
    pub fn enter(&mut self, number: Number, changed_bytes: u64, point: &Point) {
        let relations: Vec<Dominance> = self.rows(point).map(|(_, dominance)| dominance).collect();
        let equal = relations.iter().position(|dominance| *dominance == Dominance::Equal);
        if let Some(peak) = equal.and_then(|equal| self.peaks.get_mut(equal)) {
            peak.members.push(number);
            peak.simplest = peak.simplest.min((changed_bytes, number));
            return;
        }
        if relations.contains(&Dominance::Better) {
            let m = point.costs().len().max(1);
            let stays = |place: usize| relations.get(place) != Some(&Dominance::Better);
            let mut places = 0..;
            self.peaks.retain(|_| places.next().is_none_or(stays));
            let mut places = 0..;
            self.costs.retain(|_| places.next().is_none_or(|place: usize| stays(place / m)));
        }
        self.peaks.push(Peak { members: vec![number], simplest: (changed_bytes, number) });
        self.costs.extend_from_slice(point.costs());
    }

    /// Empties the front.
    pub fn clear(&mut self) {
        self.peaks.clear();
        self.costs.clear();
    }

    /// The champion by weights: augmented Tchebycheff over the normalised front (see [`objectives::champion`]); among
    /// candidates with the same scores the smallest change against the baseline, then the earliest.
    pub fn champion(&self, objectives: &ObjectiveSet) -> Option<Number> {
        let best = objectives::champion_of_rows(objectives, &self.costs)?;
        self.peaks.get(best).map(|peak| peak.simplest.1)
    }
}

#[cfg(test)]
mod tests {
    use super::Peaks;
    use objectives::{Direction, Objective, ObjectiveSet, Scores, dominates};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set() -> ObjectiveSet {
        let objective = |name: &str, direction| Objective {
            name: name.to_owned(),
            direction,
            weight: 1.0,
            threshold: None,
            unit: None,
            bound: None,
        };
        ObjectiveSet::new(vec![
            objective("cost", Direction::Minimize),
            objective("gain", Direction::Maximize),
        ])
        .unwrap()
    }

    fn scores((cost, gain): (u8, u8)) -> Scores {
        Scores::from_pairs([("cost", f64::from(cost)), ("gain", f64::from(gain))]).unwrap()
    }

    #[test]
    fn of_equal_scores_the_smallest_change_is_champion_and_then_the_earliest() {
        let set = set();
        let mut peaks = Peaks::default();
        assert_eq!(peaks.champion(&set), None);
        for (number, bytes) in [(4, 9), (5, 3), (6, 3), (7, 8)] {
            peaks.enter(number, bytes, &set.point(&scores((1, 1))).unwrap());
        }
        assert_eq!((peaks.len(), peaks.champion(&set)), (1, Some(5)));
        assert_eq!(peaks.firsts().collect::<Vec<_>>(), [4]);
    }

    proptest! {
        #[test]
        fn agrees_with_a_twin_that_compares_all_pairs(arrivals in prop::collection::vec((0u8..6, 0u8..6), 1..40)) {
            let set = set();
            let points: Vec<_> = arrivals.iter().map(|arrival| set.point(&scores(*arrival)).unwrap()).collect();
            let mut peaks = Peaks::default();
            for (index, point) in points.iter().enumerate() {
                let number = u32::try_from(index).unwrap();
                let earlier = &points[..index];
                let front: Vec<usize> = (0..index)
                    .filter(|member| !earlier.iter().any(|other| dominates(other, &earlier[*member])))
                    .collect();
                let relation = peaks.relation(point);
                let beaten = front.iter().any(|member| dominates(&points[*member], point));
                prop_assert_eq!(relation.dominated_by.is_some(), beaten);
                let equal = front.iter().find(|member| points[**member].costs() == point.costs());
                prop_assert_eq!(relation.equal_to, equal.map(|member| u32::try_from(*member).unwrap()));
                if !beaten {
                    let dominated: BTreeSet<u32> = front
                        .iter()
                        .filter(|member| dominates(point, &points[**member]))
                        .map(|member| u32::try_from(*member).unwrap())
                        .collect();
                    prop_assert_eq!(relation.dominated.iter().copied().collect::<BTreeSet<_>>(), dominated);
                    peaks.enter(number, 1, point);
                }
            }
            let front: BTreeSet<(u8, u8)> = arrivals
                .iter()
                .zip(&points)
                .filter(|(_, point)| !points.iter().any(|other| dominates(other, point)))
                .map(|(arrival, _)| *arrival)
                .collect();
            let kept: BTreeSet<(u8, u8)> = peaks.firsts().map(|number| arrivals[number as usize]).collect();
            prop_assert_eq!(peaks.len(), front.len());
            prop_assert_eq!(kept, front);
            prop_assert!(peaks.champion(&set).is_some());
        }
    }
}
