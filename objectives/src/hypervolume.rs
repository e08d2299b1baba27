//! Hypervolume: how much of the space below a reference point a set of points dominates (Zitzler and Thiele 1998).
//! Exact in any number of dimensions; meant for fronts, not for whole archives.

use crate::point::{Dominance, compare_costs};

/// The volume dominated by `points` (costs, minimised) and bounded by `reference`. Points that are not better than the
/// reference in every coordinate add nothing; coordinates that are not finite make a point add nothing.
///
/// Two dimensions are swept in O(n log n), three in O(n²); beyond that the recursion of the Walking Fish Group is used
/// (While, Bradstreet and Barone 2012), which is exponential in the worst case: keep such fronts to a few hundred.
pub fn hypervolume(points: &[Vec<f64>], reference: &[f64]) -> f64 {
    let inside = |point: &&Vec<f64>| {
        point.len() == reference.len() && point.iter().zip(reference).all(|(p, r)| p.is_finite() && p < r)
    };
    let points: Vec<Vec<f64>> = points.iter().filter(inside).cloned().collect();
    volume(non_dominated(points), reference)
}

/// Points that no other dominates, each once.
fn non_dominated(points: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let mut kept: Vec<Vec<f64>> = Vec::with_capacity(points.len());
    for point in points {
        let beaten = kept
            .iter()
            .any(|other| matches!(compare_costs(other, &point), Dominance::Better | Dominance::Equal));
        if !beaten {
            kept.retain(|other| compare_costs(&point, other) != Dominance::Better);
            kept.push(point);
        }
    }
    kept
}

fn volume(mut points: Vec<Vec<f64>>, reference: &[f64]) -> f64 {
    match reference {
        [] => 0.0,
        [bound] => {
            points.iter().filter_map(|point| point.first()).fold(0.0, |best: f64, x| best.max(bound - x))
        }
        [bound_x, bound_y] => area(&points, *bound_x, *bound_y),
        [bound_x, bound_y, bound_z] => {
            sort_by_last(&mut points);
            slices(&points, *bound_x, *bound_y, *bound_z)
        }
        _ => {
            // Worst in the last coordinate first, so that each point's exclusive share is small.
            sort_by_last(&mut points);
            points.reverse();
            (0..points.len()).map(|place| exclusive(&points, place, reference)).sum()
        }
    }
}

fn sort_by_last(points: &mut [Vec<f64>]) {
    let last = |point: &Vec<f64>| point.last().copied().unwrap_or(0.0);
    points.sort_by(|a, b| last(a).total_cmp(&last(b)));
}

/// What only the point at `place` dominates among those from there on.
fn exclusive(points: &[Vec<f64>], place: usize, reference: &[f64]) -> f64 {
    let Some(point) = points.get(place) else { return 0.0 };
    let whole: f64 = point.iter().zip(reference).map(|(p, r)| r - p).product();
    let rest = points.get(place + 1..).unwrap_or_default();
    let limited =
        rest.iter().map(|other| other.iter().zip(point).map(|(o, p)| o.max(*p)).collect()).collect();
    whole - volume(non_dominated(limited), reference)
}

/// Area dominated in the plane.
fn area(points: &[Vec<f64>], bound_x: f64, bound_y: f64) -> f64 {
    let mut plane: Vec<(f64, f64)> =
        points.iter().filter_map(|point| Some((*point.first()?, *point.get(1)?))).collect();
    plane.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let (mut sum, mut lowest) = (0.0, bound_y);
    for (x, y) in plane {
        if y < lowest {
            sum += (bound_x - x) * (lowest - y);
            lowest = y;
        }
    }
    sum
}

/// Volume in space: the area of what has come so far, slice by slice along the last coordinate.
fn slices(points: &[Vec<f64>], bound_x: f64, bound_y: f64, bound_z: f64) -> f64 {
    let mut sum = 0.0;
    for (place, point) in points.iter().enumerate() {
        let depth = |point: &Vec<f64>| point.get(2).copied();
        let here = depth(point).unwrap_or(bound_z);
        let next = points.get(place + 1).and_then(depth).unwrap_or(bound_z);
        if next > here {
            sum += area(points.get(..=place).unwrap_or_default(), bound_x, bound_y) * (next - here);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
    }

    #[test]
    fn known_values() {
        // By hand: three steps of a staircase.
        assert!(close(hypervolume(&[vec![1.0, 3.0], vec![2.0, 2.0], vec![3.0, 1.0]], &[4.0, 4.0]), 6.0));
        // A corner point in m dimensions: the product of its distances.
        for m in 1..=6 {
            assert!(close(hypervolume(&[vec![0.5; m]], &vec![1.0; m]), 0.5f64.powi(m as i32)));
        }
        // m points (0, .., 1/2, .., 0)-like slabs: union of boxes, by inclusion and exclusion 1 - (1 - 1/2)^m.
        for m in 2..=5usize {
            let points: Vec<Vec<f64>> =
                (0..m).map(|i| (0..m).map(|j| if i == j { 0.5 } else { 0.0 }).collect()).collect();
            let union = 1.0 - 0.5f64.powi(m as i32);
            assert!(close(hypervolume(&points, &vec![1.0; m]), union), "m = {m}");
        }
        // DTLZ1-like front on a grid of 3 objectives, steps of 1/2 on the simplex of size 1/2.
        let simplex = [
            [0.5, 0.0, 0.0],
            [0.0, 0.5, 0.0],
            [0.0, 0.0, 0.5],
            [0.25, 0.25, 0.0],
            [0.25, 0.0, 0.25],
            [0.0, 0.25, 0.25],
        ];
        let points: Vec<Vec<f64>> = simplex.iter().map(|p| p.to_vec()).collect();
        let cells = 4.0 / 64.0;
        assert!(close(hypervolume(&points, &[0.5, 0.5, 0.5]), cells));
        assert_eq!(hypervolume(&[], &[1.0, 1.0]), 0.0);
        assert_eq!(hypervolume(&[vec![2.0, 0.0]], &[1.0, 1.0]), 0.0);
    }

    /// Volume of a union of boxes by inclusion and exclusion over all subsets.
    fn brute(points: &[Vec<f64>], reference: &[f64]) -> f64 {
        (1u32..1 << points.len())
            .map(|subset| {
                let corner = |axis: usize| {
                    let members = points.iter().enumerate().filter(|(i, _)| subset >> i & 1 == 1);
                    members.map(|(_, p)| p[axis]).fold(f64::NEG_INFINITY, f64::max)
                };
                let volume: f64 =
                    (0..reference.len()).map(|axis| (reference[axis] - corner(axis)).max(0.0)).product();
                if subset.count_ones() % 2 == 1 { volume } else { -volume }
            })
            .sum()
    }

    proptest! {
        #[test]
        fn agrees_with_inclusion_and_exclusion(
            (m, rows) in (1usize..=5).prop_flat_map(|m| {
                (Just(m), prop::collection::vec(prop::collection::vec((0u8..12).prop_map(|x| f64::from(x) / 10.0), m), 0..8))
            })
        ) {
            let reference = vec![1.0; m];
            let (fast, slow) = (hypervolume(&rows, &reference), brute(&rows, &reference));
            prop_assert!(close(fast, slow), "{} against {}", fast, slow);
        }
    }
}
