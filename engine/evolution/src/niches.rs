//! Who is kept as a parent, by policy: everybody, or those who hold a place on an island, in a grid or in an archive of
//! programs that differ. How one of the kept is chosen is the selection's business.
//!
//! Places change with verdicts, which come in the order of numbers, and with the events of migration and restart: so they are
//! a fold of the log like everything else.

pub mod grid;
pub mod islands;
pub mod novelty;

use crate::archive::MAX_PARENTS;
use crate::id::{BASELINE, Number};
use crate::settings::{ArchivePolicy, COMPLEXITY, DIVERSITY, GridSettings, SCORE};
use crate::shape::Shape;
use crate::state::{CandidateRecord, State};
use grid::{Elite, Grid};
use islands::Islands;
use novelty::Novelty;
use serde::{Deserialize, Serialize};

/// Parents at most to whom a newcomer is compared for its diversity, the latest ones. OpenEvolve compares with as many.
pub const DIVERSITY_REFERENCES: usize = 20;

/// Places in all niches together; the baseline needs none.
const PLACES: usize = MAX_PARENTS - 1;

/// Where a candidate was placed, as it is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Niche {
    /// The island that it lives on, from 0.
    Island(u32),
    /// Its cell: the bin of each feature, from 0. It is that of the moment: bins move when the world grows.
    Cell(Vec<u32>),
    /// Its mean distance to its nearest neighbours, 0 to 1.
    Novelty(f64),
}

/// The places of a run's parents.
#[derive(Debug, Clone, PartialEq)]
pub enum Niches {
    /// There are no places: everybody is kept.
    All,
    /// Islands.
    Islands(Islands),
    /// A grid of features.
    Grid(Grid),
    /// An archive of programs that differ.
    Novelty(Novelty),
}

impl Niches {
    /// Empty places under a policy.
    pub fn new(policy: &ArchivePolicy) -> Self {
        match policy {
            ArchivePolicy::All => Self::All,
            ArchivePolicy::Islands(settings) => {
                let grid = settings.grid.as_ref().map(GridSettings::grid);
                Self::Islands(Islands::new(settings.count, PLACES, grid.as_ref()))
            }
            ArchivePolicy::MapElites(settings) => Self::Grid(settings.grid()),
            ArchivePolicy::Novelty(settings) => {
                Self::Novelty(Novelty::new(settings.neighbours, settings.threshold, PLACES))
            }
        }
    }

    /// Those among whom proposal `number` looks for its parents: its island's with the baseline, else all.
    pub fn pool(&self, eligible: &[Number], number: Number) -> Vec<Number> {
        match self {
            Self::Islands(islands) => {
                let natives = islands.on(islands.home(number)).filter(|native| *native != BASELINE);
                std::iter::once(BASELINE).chain(natives).collect()
            }
            Self::All | Self::Grid(_) | Self::Novelty(_) => eligible.to_vec(),
        }
    }

    /// Everybody who holds a place, with the baseline, in the order of numbers; `None` where there are no places.
    pub fn holders(&self) -> Option<Vec<Number>> {
        let mut holders: Vec<Number> = match self {
            Self::All => return None,
            Self::Islands(islands) => islands.all().into_iter().collect(),
            Self::Grid(grid) => grid.elites().map(|(_, elite)| elite.number).collect(),
            Self::Novelty(novelty) => novelty.members().collect(),
        };
        holders.push(BASELINE);
        holders.sort_unstable();
        holders.dedup();
        Some(holders)
    }

    /// The quality by which selection sees a parent: its own, or under novelty what it is worth there.
    pub fn quality(&self, record: &CandidateRecord) -> f64 {
        match self {
            Self::Novelty(novelty) => novelty.worth(record.number).unwrap_or(record.quality),
            _ => record.quality,
        }
    }

    /// Takes a candidate's place from it.
    pub fn remove(&mut self, number: Number) {
        match self {
            Self::All => {}
            Self::Islands(islands) => islands.remove(number),
            Self::Grid(grid) => grid.remove(number),
            Self::Novelty(novelty) => novelty.remove(number),
        }
    }
}

/// A feature of a candidate, by name. `None` where it was not measured.
fn feature(state: &State, record: &CandidateRecord, name: &str) -> Option<f64> {
    let value = match name {
        COMPLEXITY => Some(record.shape.bytes as f64),
        DIVERSITY => Some(diversity(state, &record.shape)),
        SCORE => Some(record.quality),
        _ => record.scores.get(name).or_else(|| record.features.get(name).copied()),
    };
    value.filter(|value| value.is_finite())
}

/// Mean distance of a program to the latest parents; 0 where there are none.
fn diversity(state: &State, shape: &Shape) -> f64 {
    let references = state.eligible.iter().rev().take(DIVERSITY_REFERENCES);
    let distances: Vec<f64> = references
        .filter_map(|number| state.candidate(*number))
        .map(|parent| parent.shape.distance(shape))
        .collect();
    let sum: f64 = distances.iter().sum();
    if distances.is_empty() { 0.0 } else { sum / distances.len() as f64 }
}

impl GridSettings {
    /// An empty grid.
    fn grid(&self) -> Grid {
        Grid::new(self.features.len(), self.bins)
    }
}

impl State {
    /// Finds a place for a candidate that is worth being a parent, on the island of proposal `home`. Answers where it was
    /// placed; whether it stayed there, [`Niches::holders`] tells. `None` where there are no places.
    pub(crate) fn place(&mut self, number: Number, home: Number) -> Option<Niche> {
        let record = self.candidate(number)?;
        let (quality, shape) = (record.quality, record.shape.clone());
        let features = self.run.settings.archive.features().iter();
        let features = features.map(|name| feature(self, record, name)).collect();
        let newcomer = Elite { number, quality, features };
        let niche = match &mut self.niches {
            Niches::All => return None,
            Niches::Islands(islands) => {
                let island = islands.home(home);
                if number != BASELINE {
                    islands.settle(newcomer, island);
                }
                (number != BASELINE).then_some(Niche::Island(island))
            }
            Niches::Grid(grid) => Some(Niche::Cell(grid.enter(newcomer))),
            Niches::Novelty(novelty) => Some(Niche::Novelty(novelty.enter(number, quality, &shape))),
        };
        self.eligible = self.niches.holders().unwrap_or_default();
        niche
    }
}
