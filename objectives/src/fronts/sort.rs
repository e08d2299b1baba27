//! Non-dominated sorting of a whole set at once.
//!
//! Points are taken in lexicographic order, so that nothing later dominates anything earlier; a point's front is then
//! found by binary search, since whoever is dominated by a member of a front is dominated by members of all fronts
//! before it (Zhang et al. 2015, ENS). Whether a front dominates a point is asked of a structure that fits the number
//! of objectives: its lowest second cost for two, its staircase in the last two for three (Jensen 2003's sweep), and
//! from four on a bit set of the front met with the bit set of those that are no worse anywhere (Gustavsson and
//! Syberfeldt 2018).

use super::bitset;
use crate::point::Point;
use std::cmp::Ordering;

/// The rank of each point, from 1. All points have the same number of costs.
pub fn non_dominated_sort(points: &[Point]) -> Vec<u32> {
    let m = points.first().map_or(0, |point| point.costs().len());
    let mut rows = Vec::with_capacity(points.len() * m);
    for point in points {
        rows.extend_from_slice(point.costs());
    }
    rank_rows(&rows, m)
}

/// The rank, from 1, of each row of `m` costs. `rows` holds whole rows of finite numbers, one after the other; what is
/// left over of an incomplete row is not looked at. With `m` of 0 there are no rows.
pub fn rank_rows(rows: &[f64], m: usize) -> Vec<u32> {
    if m == 0 {
        return Vec::new();
    }
    let n = rows.len() / m;
    let Some(rows) = rows.get(..n * m) else { return Vec::new() };
    let order = lexicographic(rows, m);
    // Rows in their order, side by side, each distinct one once; `place` is where a row went.
    let mut sorted: Vec<f64> = Vec::with_capacity(rows.len());
    let mut place = vec![0u32; n];
    let mut count = 0u32;
    for index in order {
        let start = index as usize * m;
        let row = rows.get(start..start + m).unwrap_or_default();
        let last = sorted.len().checked_sub(m).and_then(|last| sorted.get(last..));
        if last != Some(row) {
            sorted.extend_from_slice(row);
            count += 1;
        }
        if let Some(place) = place.get_mut(index as usize) {
            *place = count - 1;
        }
    }
    let ranks = match m {
        1 => (1..=count).collect(),
        2 => plane(&sorted),
        3 => space(&sorted),
        _ => bitset::many(&sorted, m),
    };
    place.iter().map(|place| ranks.get(*place as usize).copied().unwrap_or(1)).collect()
}

/// Indices of the rows in lexicographic order.
fn lexicographic(rows: &[f64], m: usize) -> Vec<u32> {
    let count = u32::try_from(rows.len() / m).unwrap_or(u32::MAX);
    let row = |index: u32| rows.get(index as usize * m..(index as usize + 1) * m).unwrap_or_default();
    // The first cost decides nearly always, so it stands beside the index.
    let mut keyed: Vec<(f64, u32)> =
        (0..count).map(|i| (row(i).first().copied().unwrap_or(0.0), i)).collect();
    keyed.sort_unstable_by(|a, b| {
        compare(a.0, b.0).then_with(|| {
            let rest = row(a.1).iter().zip(row(b.1)).skip(1).map(|(x, y)| compare(*x, *y));
            rest.fold(Ordering::Equal, Ordering::then).then(a.1.cmp(&b.1))
        })
    });
    keyed.into_iter().map(|(_, index)| index).collect()
}

/// Costs are finite; the two zeros are equal.
fn compare(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

/// The first of `count` fronts that does not dominate, by binary search.
pub(super) fn first_free(count: usize, mut dominates: impl FnMut(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = (low + high) / 2;
        if dominates(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

pub(super) fn rank(front: usize) -> u32 {
    u32::try_from(front + 1).unwrap_or(u32::MAX)
}

/// Two objectives: each front remembers its lowest second cost, which is that of its latest member.
fn plane(sorted: &[f64]) -> Vec<u32> {
    let mut lowest: Vec<f64> = Vec::new();
    sorted
        .chunks_exact(2)
        .map(|row| {
            let y = row.get(1).copied().unwrap_or(0.0);
            let front = first_free(lowest.len(), |front| lowest.get(front).is_some_and(|low| *low <= y));
            match lowest.get_mut(front) {
                Some(low) => *low = y,
                None => lowest.push(y),
            }
            rank(front)
        })
        .collect()
}

/// Three objectives: each front keeps the staircase of its members' last two costs, the second rising, the third
/// falling. It dominates a point when the last step at or before the point's second cost is no higher than its third.
fn space(sorted: &[f64]) -> Vec<u32> {
    let mut stairs: Vec<Vec<(f64, f64)>> = Vec::new();
    sorted
        .chunks_exact(3)
        .map(|row| {
            let (y, z) = (row.get(1).copied().unwrap_or(0.0), row.get(2).copied().unwrap_or(0.0));
            let front = first_free(stairs.len(), |front| {
                stairs.get(front).is_some_and(|steps| {
                    let after = steps.partition_point(|step| step.0 <= y);
                    after.checked_sub(1).and_then(|last| steps.get(last)).is_some_and(|step| step.1 <= z)
                })
            });
            if front == stairs.len() {
                stairs.push(Vec::new());
            }
            if let Some(steps) = stairs.get_mut(front) {
                // Steps that the new one makes useless stand together, from the first at or after it.
                let start = steps.partition_point(|step| step.0 < y);
                let useless =
                    steps.get(start..).unwrap_or_default().iter().take_while(|step| step.1 >= z).count();
                steps.splice(start..start + useless, [(y, z)]);
            }
            rank(front)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::dominates;
    use proptest::prelude::*;

    /// The definition: one more than the highest rank among those that dominate.
    pub(super) fn brute(points: &[Point]) -> Vec<u32> {
        let mut ranks = vec![0; points.len()];
        let mut left: Vec<usize> = (0..points.len()).collect();
        for rank in 1.. {
            if left.is_empty() {
                break;
            }
            let free: Vec<usize> = left
                .iter()
                .copied()
                .filter(|a| !left.iter().any(|b| dominates(&points[*b], &points[*a])))
                .collect();
            free.iter().for_each(|index| ranks[*index] = rank);
            left.retain(|index| !free.contains(index));
        }
        ranks
    }

    pub(super) fn points(values: u8) -> impl Strategy<Value = Vec<Point>> {
        (1usize..=6).prop_flat_map(move |m| {
            let row = prop::collection::vec((0..values).prop_map(|x| f64::from(x) - 3.0), m);
            prop::collection::vec(row.prop_map(|row| Point::new(row).unwrap()), 0..60)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn agrees_with_the_definition(few in points(4), many in points(200)) {
            prop_assert_eq!(non_dominated_sort(&few), brute(&few));
            prop_assert_eq!(non_dominated_sort(&many), brute(&many));
        }

        #[test]
        fn agrees_beyond_the_prefix_stride(seed in any::<u64>(), m in 4usize..=5) {
            let mut state = seed;
            let mut draw = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                f64::from((state >> 33) as u32 % 1000)
            };
            let points: Vec<Point> =
                (0..300).map(|_| Point::new((0..m).map(|_| draw()).collect::<Vec<_>>()).unwrap()).collect();
            prop_assert_eq!(non_dominated_sort(&points), brute(&points));
        }
    }

    #[test]
    fn chains_fronts_and_duplicates() {
        for m in 1..=6usize {
            let chain: Vec<Point> =
                (0..200).rev().map(|i| Point::new(vec![f64::from(i); m]).unwrap()).collect();
            assert_eq!(non_dominated_sort(&chain), (1..=200).rev().collect::<Vec<u32>>());
            let same: Vec<Point> = (0..200).map(|_| Point::new(vec![1.0; m]).unwrap()).collect();
            assert_eq!(non_dominated_sort(&same), vec![1; 200]);
        }
        let front: Vec<Point> =
            (0..200).map(|i| Point::new(vec![f64::from(i), -f64::from(i)]).unwrap()).collect();
        assert_eq!(non_dominated_sort(&front), vec![1; 200]);
        assert_eq!(rank_rows(&[0.0, -0.0], 1), [1, 1]);
        assert_eq!(rank_rows(&[], 0), Vec::<u32>::new());
    }
}
