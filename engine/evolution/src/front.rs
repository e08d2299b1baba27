//! The first front by its distinct points: which a new point dominates, equals or loses to, and who is champion by the
//! weights. Candidates with the very same scores share one point, so that a thousand neutral variants cost no more than
//! one. Ranks below the first are the ranked archive's work.

use crate::id::Number;
use objectives::{ObjectiveSet, Point, Scores, dominates};

/// One point of the front with all candidates on it.
#[derive(Debug, Clone, PartialEq)]
struct Peak {
    point: Point,
    /// In order of arrival, never empty.
    members: Vec<Number>,
    /// The smallest change against the baseline in bytes among them, and the first that has it.
    simplest: (u64, Number),
}

/// The distinct points of the first front in order of arrival.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Peaks {
    peaks: Vec<Peak>,
    /// Scores at each point.
    scores: Vec<Scores>,
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

    /// How a point stands to the front. Linear in the distinct points.
    pub fn relation(&self, point: &Point) -> FrontRelation {
        let mut relation = FrontRelation::default();
        for peak in &self.peaks {
            if peak.point.costs() == point.costs() {
                // Whoever equals a member neither dominates nor loses to another one.
                return FrontRelation { equal_to: peak.members.first().copied(), ..FrontRelation::default() };
            }
            if dominates(point, &peak.point) {
                relation.dominated.extend(&peak.members);
            } else if dominates(&peak.point, point) {
                relation.dominated_by = peak.members.first().copied();
                return relation;
            }
        }
        relation
    }

    /// Takes a candidate in that no member dominates, and drops the points that it dominates. `changed_bytes` is the
    /// size of its change against the baseline.
    pub fn enter(&mut self, number: Number, changed_bytes: u64, point: Point, scores: Scores) {
        if let Some(peak) = self.peaks.iter_mut().find(|peak| peak.point.costs() == point.costs()) {
            peak.members.push(number);
            peak.simplest = peak.simplest.min((changed_bytes, number));
            return;
        }
        let stays: Vec<bool> = self.peaks.iter().map(|peak| !dominates(&point, &peak.point)).collect();
        let mut stay = stays.iter().copied();
        self.peaks.retain(|_| stay.next().unwrap_or(true));
        let mut stay = stays.iter().copied();
        self.scores.retain(|_| stay.next().unwrap_or(true));
        self.peaks.push(Peak { point, members: vec![number], simplest: (changed_bytes, number) });
        self.scores.push(scores);
    }

    /// Empties the front.
    pub fn clear(&mut self) {
        self.peaks.clear();
        self.scores.clear();
    }

    /// The champion by weights: augmented Tchebycheff over the normalised front (see [`objectives::champion`]); among
    /// candidates with the same scores the smallest change against the baseline, then the earliest.
    pub fn champion(&self, objectives: &ObjectiveSet) -> Option<Number> {
        let best = objectives::champion(objectives, &self.scores)?;
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
            peaks.enter(number, bytes, set.point(&scores((1, 1))).unwrap(), scores((1, 1)));
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
                    peaks.enter(number, 1, point.clone(), scores(arrivals[index]));
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
