//! Settings of who may be a parent: the archive policy, and restarts after stagnation.

use serde::{Deserialize, Serialize};

/// Most islands.
pub const MAX_ISLANDS: u32 = 32;
/// Most features of a grid.
pub const MAX_FEATURES: usize = 4;
/// Most bins of one feature.
pub const MAX_BINS: u32 = 100;
/// Most neighbours that novelty looks at.
pub const MAX_NEIGHBOURS: u32 = 100;
/// Longest patience, in decided evaluations, however often it grew.
pub const MAX_PATIENCE: u64 = 1_000_000;

/// Which candidates are kept as parents, by name. How one of them is chosen is the selection's business: every policy
/// goes with every selection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchivePolicy {
    /// All viable candidates of different behaviour; when there are too many, the best.
    #[default]
    All,
    /// Several populations that seldom meet (Tanese 1989).
    Islands(IslandSettings),
    /// The best of each cell of a grid of features (MAP-Elites, Mouret and Clune 2015).
    MapElites(GridSettings),
    /// Those whose programs differ enough, in competition with their neighbours (Lehman and Stanley 2011).
    Novelty(NoveltySettings),
}

impl ArchivePolicy {
    /// Its name in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Islands(_) => "islands",
            Self::MapElites(_) => "map_elites",
            Self::Novelty(_) => "novelty",
        }
    }

    /// The share of proposals that start from the champion when nothing else is set. While cases fail it is the larger:
    /// what mends one of them mostly leaves the others as they are, so that all of it is wanted together (figures in
    /// `docs/parents.md`). A grid and a novelty archive are there to leave the best alone: MAP-Elites chooses among its elites
    /// without regard to quality.
    pub fn champion_share(&self, repairing: bool) -> f64 {
        match self {
            Self::All | Self::Islands(_) if repairing => 0.8,
            Self::All | Self::Islands(_) => 0.5,
            Self::MapElites(_) | Self::Novelty(_) => 0.0,
        }
    }

    /// Names of the features that span its grids.
    pub fn features(&self) -> &[String] {
        match self {
            Self::MapElites(grid) => &grid.features,
            Self::Islands(islands) => islands.grid.as_ref().map_or(&[], |grid| &grid.features),
            Self::All | Self::Novelty(_) => &[],
        }
    }

    /// Whether it looks at what programs look like, which costs time to measure and room in the log.
    pub fn looks_at_shapes(&self) -> bool {
        let mut features = self.features().iter();
        matches!(self, Self::Novelty(_))
            || features.any(|name| matches!(name.as_str(), COMPLEXITY | DIVERSITY))
    }
}

/// Settings of [`ArchivePolicy::Islands`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IslandSettings {
    /// How many, 2 to [`MAX_ISLANDS`]. OpenEvolve's default is 5.
    pub count: u32,
    /// Decided evaluations between migrations, at least 1.
    pub migration_every: u64,
    /// Parents of an island that become parents of the next one too, at a migration; 0 for none.
    pub migrants: u32,
    /// A grid for each island, whose elites are its parents, as OpenEvolve has them; `None` keeps everybody.
    pub grid: Option<GridSettings>,
}

impl Default for IslandSettings {
    fn default() -> Self {
        Self { count: 4, migration_every: 50, migrants: 1, grid: None }
    }
}

/// A feature: bytes of the program.
pub const COMPLEXITY: &str = "complexity";
/// A feature: mean distance of the program's sketch to those of parents when it came, 0 to 1.
pub const DIVERSITY: &str = "diversity";
/// A feature: quality for parent selection, 0 to 1.
pub const SCORE: &str = "score";
/// Features that the engine computes itself, by the names of OpenEvolve.
pub const BUILT_IN_FEATURES: [&str; 3] = [COMPLEXITY, DIVERSITY, SCORE];

/// Settings of [`ArchivePolicy::MapElites`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GridSettings {
    /// What spans the grid, 1 to [`MAX_FEATURES`] names: objectives, metrics that the evaluator reports, or
    /// [`BUILT_IN_FEATURES`].
    pub features: Vec<String>,
    /// Bins of each feature, 2 to [`MAX_BINS`].
    pub bins: u32,
}

impl Default for GridSettings {
    fn default() -> Self {
        Self { features: vec![COMPLEXITY.to_owned(), DIVERSITY.to_owned()], bins: 10 }
    }
}

/// Settings of [`ArchivePolicy::Novelty`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoveltySettings {
    /// Neighbours with whom a candidate is compared, 1 to [`MAX_NEIGHBOURS`].
    pub neighbours: u32,
    /// Distance to the nearest member from which a program is new, 0 to 1. Below it, the better of the two stays.
    pub threshold: f64,
}

impl Default for NoveltySettings {
    fn default() -> Self {
        Self { neighbours: 15, threshold: 0.02 }
    }
}

/// Settings of restarts after stagnation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestartSettings {
    /// Decided evaluations without progress after which the search starts anew, 1 to [`MAX_PATIENCE`].
    pub patience: u64,
    /// Factor by which the patience grows at each restart, 1 to 10.
    pub growth: f64,
}

impl Default for RestartSettings {
    fn default() -> Self {
        Self { patience: 100, growth: 1.5 }
    }
}

#[cfg(test)]
mod tests {
    use super::{ArchivePolicy, IslandSettings};
    use crate::settings::Settings;

    #[test]
    fn settings_of_a_log_from_before_there_were_policies_still_read() {
        let old = serde_json::json!({ "selection": "clade", "lookahead": 3 });
        let settings: Settings = serde_json::from_value(old).unwrap();
        assert_eq!((settings.archive, settings.restart), (ArchivePolicy::All, None));
    }

    #[test]
    fn a_policy_is_written_with_its_name() {
        let policy = ArchivePolicy::Islands(IslandSettings::default());
        let written = serde_json::to_value(&policy).unwrap();
        assert_eq!(written.get(policy.name()).and_then(|settings| settings.get("count")), Some(&4.into()));
        assert_eq!(serde_json::from_value::<ArchivePolicy>(written).unwrap(), policy);
    }
}
