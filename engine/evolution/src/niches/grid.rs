//! MAP-Elites: features span a grid, and each of its cells keeps the best candidate that fell into it. What is good is kept
//! beside what is different.
//!
//! Source: Mouret and Clune, "Illuminating Search Spaces by Mapping Elites" (2015, arXiv:1504.04909). The grid spans what was
//! seen so far, as in OpenEvolve; when that grows, the elites are placed anew, so that a cell always means the same for all.

use crate::id::Number;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The bin of each feature, from 0.
pub type Cell = Vec<u32>;

/// A candidate that may be the elite of its cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Elite {
    /// The candidate.
    pub number: Number,
    /// Its quality, 0 to 1.
    pub quality: f64,
    /// Its features; `None` where one was not measured or is no finite number, which counts as the lowest bin.
    pub features: Vec<Option<f64>>,
}

impl Elite {
    /// The better one first, of equals the elder.
    pub fn rank(&self, other: &Self) -> Ordering {
        other.quality.total_cmp(&self.quality).then(self.number.cmp(&other.number))
    }
}

/// The grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    bins: u32,
    /// Lowest and highest value seen of each feature.
    bounds: Vec<Option<(f64, f64)>>,
    cells: BTreeMap<Cell, Elite>,
}

impl Grid {
    /// An empty grid of `features` dimensions with `bins` bins each.
    pub fn new(features: usize, bins: u32) -> Self {
        Self { bins: bins.max(1), bounds: vec![None; features], cells: BTreeMap::new() }
    }

    /// The elites by cell.
    pub fn elites(&self) -> impl Iterator<Item = (&Cell, &Elite)> {
        self.cells.iter()
    }

    /// Places a candidate: it stays if its cell is empty or its elite of lower quality. Answers its cell as it is now.
    pub fn enter(&mut self, newcomer: Elite) -> Cell {
        if self.widen(&newcomer.features) {
            let placed = std::mem::take(&mut self.cells);
            let mut elites: Vec<Elite> = placed.into_values().collect();
            elites.sort_by_key(|elite| elite.number);
            for elite in elites {
                self.compete(elite);
            }
        }
        self.compete(newcomer)
    }

    /// Takes a candidate from the grid; its cell is empty then.
    pub fn remove(&mut self, number: Number) {
        self.cells.retain(|_, elite| elite.number != number);
    }

    fn compete(&mut self, newcomer: Elite) -> Cell {
        let cell = self.cell(&newcomer.features);
        match self.cells.get(&cell) {
            Some(elite) if elite.quality >= newcomer.quality => {}
            _ => {
                self.cells.insert(cell.clone(), newcomer);
            }
        }
        cell
    }

    /// Takes values into the bounds; answers whether those moved.
    fn widen(&mut self, features: &[Option<f64>]) -> bool {
        let mut moved = false;
        for (bounds, value) in self.bounds.iter_mut().zip(features) {
            let Some(value) = *value else { continue };
            let (low, high) = bounds.unwrap_or((value, value));
            let wider = Some((low.min(value), high.max(value)));
            moved |= *bounds != wider;
            *bounds = wider;
        }
        moved
    }

    fn cell(&self, features: &[Option<f64>]) -> Cell {
        let bin = |(bounds, value): (&Option<(f64, f64)>, &Option<f64>)| match (bounds, value) {
            (Some((low, high)), Some(value)) if high > low => {
                let share = (value - low) / (high - low);
                ((share * f64::from(self.bins)) as u32).min(self.bins - 1)
            }
            _ => 0,
        };
        self.bounds.iter().zip(features).map(bin).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Elite, Grid};
    use proptest::prelude::*;

    fn elite(number: u32, quality: f64, features: &[f64]) -> Elite {
        Elite { number, quality, features: features.iter().copied().map(Some).collect() }
    }

    fn numbers(grid: &Grid) -> Vec<u32> {
        grid.elites().map(|(_, elite)| elite.number).collect()
    }

    #[test]
    fn the_best_of_a_cell_stays_and_others_live_beside_it() {
        let mut grid = Grid::new(1, 2);
        grid.enter(elite(1, 0.5, &[0.0]));
        assert_eq!(grid.enter(elite(2, 0.1, &[10.0])), [1]);
        assert_eq!(grid.enter(elite(3, 0.6, &[1.0])), [0]);
        assert_eq!(grid.enter(elite(4, 0.1, &[9.0])), [1]);
        assert_eq!(numbers(&grid), [3, 2]);
    }

    #[test]
    fn a_wider_world_places_the_elites_anew() {
        let mut grid = Grid::new(1, 2);
        grid.enter(elite(1, 0.5, &[0.0]));
        grid.enter(elite(2, 0.4, &[10.0]));
        assert_eq!(numbers(&grid), [1, 2]);
        assert_eq!(grid.enter(elite(3, 0.1, &[100.0])), [1]);
        assert_eq!(numbers(&grid), [1, 3]);
    }

    #[test]
    fn what_was_not_measured_counts_as_lowest() {
        let mut grid = Grid::new(2, 4);
        grid.enter(elite(1, 0.5, &[0.0, 3.0]));
        grid.enter(elite(2, 0.5, &[1.0, 5.0]));
        let unknown = Elite { number: 3, quality: 0.9, features: vec![None, Some(5.0)] };
        assert_eq!(grid.enter(unknown), [0, 3]);
        grid.remove(3);
        assert_eq!(numbers(&grid), [1, 2]);
    }

    proptest! {
        #[test]
        fn agrees_with_a_twin_that_places_everybody_at_every_step(
            bins in 1_u32..8,
            births in prop::collection::vec((0_u32..10, 0_i32..40, prop::option::of(-9_i32..9)), 0..60)
        ) {
            let mut grid = Grid::new(2, bins);
            let mut twin: Vec<Elite> = Vec::new();
            let mut seen: Vec<Vec<f64>> = vec![Vec::new(), Vec::new()];
            for (number, (quality, one, two)) in (0..).zip(births) {
                let features = vec![Some(f64::from(one)), two.map(f64::from)];
                for (seen, value) in seen.iter_mut().zip(&features) {
                    seen.extend(*value);
                }
                let newcomer = Elite { number, quality: f64::from(quality), features };
                grid.enter(newcomer.clone());
                twin.push(newcomer);
                let bin = |feature: usize, value: Option<f64>| {
                    let low = seen[feature].iter().copied().fold(f64::INFINITY, f64::min);
                    let high = seen[feature].iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    match value {
                        Some(value) if high > low => {
                            (((value - low) / (high - low) * f64::from(bins)) as u32).min(bins - 1)
                        }
                        _ => 0,
                    }
                };
                let cell = |elite: &Elite| (bin(0, elite.features[0]), bin(1, elite.features[1]));
                let all = twin.clone();
                let beaten = |one: &Elite| all.iter().any(|other| {
                    let better = other.quality > one.quality
                        || (other.quality == one.quality && other.number < one.number);
                    cell(one) == cell(other) && better
                });
                twin.retain(|one| !beaten(one));
                let mut kept: Vec<u32> = twin.iter().map(|elite| elite.number).collect();
                let mut found = numbers(&grid);
                kept.sort_unstable();
                found.sort_unstable();
                prop_assert_eq!(found, kept);
            }
        }
    }
}
