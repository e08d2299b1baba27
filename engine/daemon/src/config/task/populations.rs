//! Islands and grids of another engine as the archive policy that they come to here.

use super::quoted;
use evolution::archive::MAX_PARENTS;
use evolution::settings::{MAX_BINS, MAX_FEATURES, MAX_ISLANDS};
use std::fmt::Write as _;

/// What a task says of its populations; what it does not say is left at nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Populations {
    /// `num_islands`.
    pub(super) islands: Option<u64>,
    /// `migration_interval`: generations of an island between migrations.
    pub(super) interval: Option<u64>,
    /// `migration_rate`: share of an island that migrates.
    pub(super) rate: Option<f64>,
    /// `feature_dimensions`.
    pub(super) features: Vec<String>,
    /// `feature_bins`.
    pub(super) bins: Option<u64>,
}

impl Populations {
    /// `[evolution]` with its sections; empty when the task asks for one population without features. A generation of an
    /// island is one evaluation on it, and an island's share is one of the parents that there may be.
    pub(super) fn section(&self) -> String {
        let count = self.islands.unwrap_or(1).min(u64::from(MAX_ISLANDS));
        let mut text = match (count > 1, self.features.is_empty()) {
            (false, true) => return String::new(),
            (false, false) => "\n[evolution]\narchive = \"map_elites\"\n".to_owned(),
            (true, _) => {
                format!("\n[evolution]\narchive = \"islands\"\n\n[evolution.islands]\ncount = {count}\n")
            }
        };
        if count > 1 {
            if let Some(interval) = self.interval {
                let every = interval.saturating_mul(count).clamp(1, 1_000_000);
                let _ = writeln!(text, "migration_every = {every}");
            }
            if let Some(rate) = self.rate.filter(|rate| (0.0..=1.0).contains(rate)) {
                let migrants = (rate * MAX_PARENTS as f64 / count as f64).ceil();
                let _ = writeln!(text, "migrants = {}", migrants.min(100.0));
            }
        }
        if !self.features.is_empty() {
            let names: Vec<String> =
                self.features.iter().take(MAX_FEATURES).map(|name| quoted(name)).collect();
            let _ = write!(text, "\n[evolution.map_elites]\nfeatures = [{}]\n", names.join(", "));
            if let Some(bins) = self.bins {
                let _ = writeln!(text, "bins = {}", bins.clamp(2, u64::from(MAX_BINS)));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Populations;

    #[test]
    fn one_population_needs_no_words() {
        assert_eq!(
            Populations { islands: Some(1), interval: Some(5), ..Populations::default() }.section(),
            ""
        );
    }

    #[test]
    fn a_generation_is_one_evaluation_on_each_island() {
        let asked =
            Populations { islands: Some(5), interval: Some(20), rate: Some(0.1), ..Populations::default() };
        let text = asked.section();
        assert!(text.contains("count = 5\nmigration_every = 100\nmigrants = 4\n"), "{text}");
    }
}
