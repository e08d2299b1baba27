//! The part of `[evolution]` that says who is kept as a parent: the archive policy, each with a section of its own, and
//! restarts after stagnation.

use super::problem::{listed, nearest};
use super::reader::{Bounds, Found, Section};
use evolution::settings::{
    ArchivePolicy, BUILT_IN_FEATURES, GridSettings, IslandSettings, MAX_BINS, MAX_FEATURES, MAX_ISLANDS,
    MAX_NEIGHBOURS, MAX_PATIENCE, NoveltySettings, RestartSettings,
};

/// Archive policies by name; each but the first has a section of the same name.
const POLICIES: [(&str, usize); 4] = [("all", 0), ("islands", 1), ("map_elites", 2), ("novelty", 3)];

/// What a feature may be named after besides the built-in ones.
pub(super) struct Measured {
    /// Names of the objectives.
    pub(super) objectives: Vec<String>,
    /// Whether the evaluator is the user's own, and may report numbers by any name.
    pub(super) reports_more: bool,
}

/// Reads `archive` and the policies' sections.
pub(super) fn archive(section: &mut Section<'_>, measured: &Measured) -> ArchivePolicy {
    let chosen = section.choice("archive", &POLICIES).map_or(0, |found| found.value);
    let islands = section.table("islands").map(|mut below| (islands(&mut below), below));
    let grid = section.table("map_elites").map(|mut below| (grid(&mut below, measured), below));
    let novelty = section.table("novelty").map(|mut below| (novelty(&mut below), below));
    let islands = islands.map(|(settings, below)| finish(below, chosen == 1, settings)).unwrap_or_default();
    // With islands a grid is that of each island.
    let has_grid = grid.is_some();
    let grid = grid.map(|(settings, below)| finish(below, chosen == 1 || chosen == 2, settings));
    let grid = grid.unwrap_or_default();
    let novelty = novelty.map(|(settings, below)| finish(below, chosen == 3, settings)).unwrap_or_default();
    match chosen {
        1 => ArchivePolicy::Islands(IslandSettings { grid: has_grid.then_some(grid), ..islands }),
        2 => ArchivePolicy::MapElites(grid),
        3 => ArchivePolicy::Novelty(novelty),
        _ => ArchivePolicy::All,
    }
}

/// Ends the section of a policy, which means something only with its policy.
fn finish<T>(section: Section<'_>, is_chosen: bool, settings: T) -> T {
    if !is_chosen {
        let title = section.title().to_owned();
        let name = title.trim_matches(['[', ']']).trim_start_matches("evolution.").to_owned();
        section.problems().advise(
            section.span(),
            format!("{title} means nothing while `archive` names another policy"),
            "not used",
            format!("write archive = \"{name}\" in [evolution], or remove this section"),
        );
    }
    section.finish();
    settings
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn islands(section: &mut Section<'_>) -> IslandSettings {
    let default = IslandSettings::default();
    IslandSettings {
        count: section.whole("count", 2..=u64::from(MAX_ISLANDS)).map_or(default.count, small),
        migration_every: section.whole("migration_every", 1..=1_000_000).unwrap_or(default.migration_every),
        migrants: section.whole("migrants", 0..=100).map_or(default.migrants, small),
        grid: None,
    }
}

fn grid(section: &mut Section<'_>, measured: &Measured) -> GridSettings {
    let default = GridSettings::default();
    let features = section.texts("features").map(|found| features(section, found, measured));
    GridSettings {
        features: features.unwrap_or(default.features),
        bins: section.whole("bins", 2..=u64::from(MAX_BINS)).map_or(default.bins, small),
    }
}

fn features(section: &Section<'_>, named: Found<Vec<Found<String>>>, measured: &Measured) -> Vec<String> {
    if named.value.len() > MAX_FEATURES {
        section.problems().add(
            named.span,
            format!("a grid of {} features is too large", named.value.len()),
            format!("name {MAX_FEATURES} at most"),
        );
    }
    let objectives = measured.objectives.iter().map(String::as_str);
    let known: Vec<&str> = BUILT_IN_FEATURES.into_iter().chain(objectives).collect();
    for feature in named.value.iter().filter(|_| !measured.reports_more) {
        if known.contains(&feature.value.as_str()) {
            continue;
        }
        let label = nearest(&feature.value, &known)
            .map_or_else(|| "nobody measures this".to_owned(), |meant| format!("did you mean `{meant}`?"));
        section.problems().advise(
            feature.span.clone(),
            format!("`features` in {} cannot name `{}`", section.title(), feature.value),
            label,
            format!("it is one of {}, or with an [evaluator] a number that it reports", listed(&known)),
        );
    }
    named.value.into_iter().map(|feature| feature.value).collect()
}

fn novelty(section: &mut Section<'_>) -> NoveltySettings {
    let default = NoveltySettings::default();
    NoveltySettings {
        neighbours: section
            .whole("neighbours", 1..=u64::from(MAX_NEIGHBOURS))
            .map_or(default.neighbours, small),
        threshold: section.real("threshold", Bounds::SHARE).unwrap_or(default.threshold),
    }
}

/// Reads `[evolution.restart]`; where it is not written, the search never starts anew.
pub(super) fn restart(section: &mut Section<'_>) -> Option<RestartSettings> {
    let mut section = section.table("restart")?;
    let default = RestartSettings::default();
    let growth = Bounds { above: None, from: 1.0, to: 10.0 };
    let settings = RestartSettings {
        patience: section.whole("patience", 1..=MAX_PATIENCE).unwrap_or(default.patience),
        growth: section.real("growth", growth).unwrap_or(default.growth),
    };
    section.finish();
    Some(settings)
}

#[cfg(test)]
mod tests {
    use crate::config::{Configuration, parse};
    use evolution::settings::{
        ArchivePolicy, GridSettings, IslandSettings, NoveltySettings, RestartSettings,
    };
    use std::path::Path;

    const TARGET: &str = "[target]\nfiles = [\"a.py\"]\n[[objective]]\nname = \"speed\"\nkind = \"cpu_time\"\nrun = [\"python\", \"a.py\"]\n";

    fn read(evolution: &str) -> Result<Configuration, String> {
        let files = ["a.py".to_owned()];
        let text = format!("{TARGET}{evolution}");
        parse(Path::new("darwind.toml"), &text, &files, "a").map_err(|error| format!("{error:?}"))
    }

    fn archive(evolution: &str) -> ArchivePolicy {
        read(evolution).unwrap().settings.archive
    }

    #[test]
    fn each_policy_is_chosen_by_name_and_takes_its_own_section() {
        let settings = read("").unwrap().settings;
        assert_eq!(
            (settings.archive, settings.restart, settings.champion_share),
            (ArchivePolicy::All, None, None)
        );
        let text = "[evolution]\narchive = \"islands\"\n[evolution.islands]\ncount = 3\nmigrants = 0\n";
        let islands = IslandSettings { count: 3, migrants: 0, ..IslandSettings::default() };
        assert_eq!(archive(text), ArchivePolicy::Islands(islands.clone()));
        let with_grid = format!("{text}[evolution.map_elites]\nbins = 5\n");
        let grid = GridSettings { bins: 5, ..GridSettings::default() };
        assert_eq!(
            archive(&with_grid),
            ArchivePolicy::Islands(IslandSettings { grid: Some(grid), ..islands })
        );
        let text = "[evolution]\narchive = \"map_elites\"\n[evolution.map_elites]\nfeatures = [\"speed\", \"score\"]\n";
        let features = vec!["speed".to_owned(), "score".to_owned()];
        let settings = read(text).unwrap().settings;
        let grid = GridSettings { features, ..GridSettings::default() };
        assert_eq!((settings.archive, settings.champion_share), (ArchivePolicy::MapElites(grid), None));
        let text =
            "[evolution]\narchive = \"novelty\"\nchampion_share = 0.2\n[evolution.restart]\npatience = 7\n";
        let settings = read(text).unwrap().settings;
        assert_eq!(settings.archive, ArchivePolicy::Novelty(NoveltySettings::default()));
        assert_eq!(settings.restart, Some(RestartSettings { patience: 7, ..RestartSettings::default() }));
        assert_eq!(settings.champion_share, Some(0.2));
    }

    #[test]
    fn what_is_not_known_is_refused_with_what_was_meant() {
        let grid = "[evolution]\narchive = \"map_elites\"\n[evolution.map_elites]\n";
        let cases = [
            ("[evolution]\narchive = \"island\"\n".to_owned(), "did you mean `islands`?"),
            ("[evolution.islands]\ncount = 3\n".to_owned(), "write archive = \\\"islands\\\""),
            ("[evolution.novelty]\nthreshold = 2\n".to_owned(), "a number from 0 to 1"),
            (format!("{grid}features = [\"complexty\"]\n"), "did you mean `complexity`?"),
            (format!("{grid}bins = 1\n"), "a whole number from 2 to 100"),
            (format!("{grid}features = [\"a\", \"b\", \"c\", \"d\", \"e\"]\n"), "name 4 at most"),
            ("[evolution.restart]\npatiense = 3\n".to_owned(), "patience"),
        ];
        for (text, part) in cases {
            let message = read(&text).unwrap_err();
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}
