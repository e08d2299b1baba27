//! Crowding distance: how far a member of a front is from its neighbours, for ties between equal ranks.

use crate::point::Point;

/// For each point of one front the sum over the objectives of the distance between its two neighbours in that
/// objective, as a share of the front's range; infinite for the first and the last of an objective. More is more alone.
/// An objective in which all costs are the same adds nothing. Of equal costs the earlier point stands first.
///
/// Source: K. Deb, A. Pratap, S. Agarwal, T. Meyarivan, "A fast and elitist multiobjective genetic algorithm: NSGA-II",
/// IEEE Transactions on Evolutionary Computation 6 (2002) 182-197, section III B.
pub fn crowding_distance(front: &[Point]) -> Vec<f64> {
    let m = front.first().map_or(0, |point| point.costs().len());
    let mut distances = vec![0.0; front.len()];
    for objective in 0..m {
        // Halves, so that the range of two finite costs is finite.
        let half = |point: &Point| point.costs().get(objective).map_or(f64::INFINITY, |cost| cost / 2.0);
        let column: Vec<f64> = front.iter().map(half).collect();
        let mut order: Vec<usize> = (0..front.len()).collect();
        order.sort_by(|a, b| column[*a].total_cmp(&column[*b]));
        let (Some(&first), Some(&last)) = (order.first(), order.last()) else { break };
        let range = column[last] - column[first];
        if range > 0.0 {
            for neighbours in order.windows(3) {
                distances[neighbours[1]] += (column[neighbours[2]] - column[neighbours[0]]) / range;
            }
            distances[first] = f64::INFINITY;
            distances[last] = f64::INFINITY;
        }
    }
    if front.len() <= 2 { vec![f64::INFINITY; front.len()] } else { distances }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_alone_and_the_middle_has_its_neighbours_span() {
        let point = |x: f64, y: f64| Point::new(vec![x, y]).unwrap();
        let front = [point(1.0, 2.0), point(0.0, 4.0), point(4.0, 0.0)];
        assert_eq!(crowding_distance(&front), [2.0, f64::INFINITY, f64::INFINITY]);
        assert_eq!(crowding_distance(&front[..2]), [f64::INFINITY; 2]);
        assert_eq!(crowding_distance(&[]), [0.0; 0]);
    }
}
