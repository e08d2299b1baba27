//! The map of `ARCHITECTURE.md` as tests: which crate may depend on which, which outside crate lives in which room, and
//! what is never done. A failure here means that either the code or the map has to change, deliberately.
#![expect(clippy::expect_used, reason = "a test that cannot read the tree has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Crate, its folder, and the crates of ours that it may depend on.
const ROOMS: &[(&str, &str, &[&str])] = &[
    ("objectives", "objectives", &[]),
    ("syntax", "engine/syntax", &[]),
    ("store", "engine/store", &[]),
    ("a2a", "engine/a2a", &["store"]),
    ("models", "engine/models", &["store"]),
    ("evolution", "engine/evolution", &["objectives"]),
    ("snapshots", "snapshots", &["evolution"]),
    ("sandbox", "engine/sandbox", &["evolution", "objectives", "syntax"]),
    ("proposers", "engine/proposers", &["evolution", "knowledge", "syntax"]),
    ("conductor", "engine/conductor", &["evolution", "store"]),
    ("knowledge", "engine/knowledge", &["evolution", "store", "syntax"]),
    ("skills", "engine/skills", &["a2a", "evolution", "knowledge"]),
    ("monitor-ui", "monitor-ui", &[]),
    ("api", "engine/api", &["conductor", "evolution", "store", "monitor-ui"]),
    (
        "daemon",
        "engine/daemon",
        &[
            "objectives",
            "evolution",
            "syntax",
            "store",
            "conductor",
            "sandbox",
            "snapshots",
            "proposers",
            "api",
            "a2a",
            "knowledge",
            "models",
            "skills",
        ],
    ),
    (
        "tests",
        "tests",
        &[
            "objectives",
            "evolution",
            "syntax",
            "store",
            "conductor",
            "sandbox",
            "snapshots",
            "proposers",
            "daemon",
        ],
    ),
];

/// Outside crates that live in few rooms.
const KEPT_IN: &[(&str, &[&str])] = &[
    ("git2", &["snapshots"]),
    ("tree-sitter", &["syntax"]),
    ("tree-sitter-python", &["syntax"]),
    ("rusqlite", &["store"]),
    ("petgraph", &["evolution", "knowledge"]),
    ("axum", &["api", "a2a", "models"]),
    ("tokio", &["api", "a2a", "models", "skills", "daemon"]),
    ("tower", &["skills"]),
    ("prost", &["a2a"]),
    ("tonic", &["a2a"]),
    ("clap", &["daemon"]),
    ("toml", &["daemon", "models", "tests"]),
    ("landlock", &["sandbox"]),
    ("seccompiler", &["sandbox"]),
    ("libc", &["sandbox"]),
    ("tungstenite", &["daemon", "api"]),
];

/// What the pure crates never depend on.
const NEVER_PURE: &[&str] = &[
    "tokio",
    "axum",
    "git2",
    "tree-sitter",
    "rusqlite",
    "sqlx",
    "reqwest",
    "hyper",
    "rustix",
    "libc",
    "tempfile",
    "getrandom",
    "uuid",
    "chrono",
    "jiff",
    "time",
];

/// Names that say nothing of what is inside.
const EMPTY_NAMES: &[&str] =
    &["common", "core", "utils", "util", "types", "manager", "helper", "helpers", "misc"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lie in the workspace").to_owned()
}

fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn keys(table: &toml::Table, section: &str) -> BTreeSet<String> {
    table
        .get(section)
        .and_then(toml::Value::as_table)
        .map(|t| t.keys().cloned().collect())
        .unwrap_or_default()
}

fn ours() -> BTreeSet<&'static str> {
    ROOMS.iter().map(|(name, _, _)| *name).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn every_member_is_on_the_map() {
    let workspace = manifest(".");
    let members = workspace["workspace"]["members"].as_array().expect("a list of members");
    let members: BTreeSet<&str> = members.iter().filter_map(toml::Value::as_str).collect();
    let mapped: BTreeSet<&str> = ROOMS.iter().map(|(_, folder, _)| *folder).collect();
    assert_eq!(members, mapped);
    for (name, folder, _) in ROOMS {
        assert_eq!(manifest(folder)["package"]["name"].as_str(), Some(*name), "folder name = crate name");
    }
}

#[test]
fn no_arrow_is_missing_from_the_map() {
    for (name, folder, allowed) in ROOMS {
        let dependencies = keys(&manifest(folder), "dependencies");
        let inward: BTreeSet<&str> =
            ours().into_iter().filter(|other| dependencies.contains(*other)).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert!(inward.is_subset(&allowed), "{name} depends on {inward:?}, the map allows {allowed:?}");
    }
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    for (name, folder, _) in ROOMS {
        let table = manifest(folder);
        let all: BTreeSet<String> =
            ["dependencies", "dev-dependencies"].iter().flat_map(|section| keys(&table, section)).collect();
        for (outside, rooms) in KEPT_IN {
            assert!(
                !all.contains(*outside) || rooms.contains(name),
                "{outside} is used in {name}, it belongs in {rooms:?}"
            );
        }
    }
}

/// gRPC is asked for by name: nobody who builds the binary compiles its crates.
#[test]
fn the_ordinary_build_goes_without_grpc() {
    let table = manifest("engine/a2a");
    for outside in ["prost", "prost-types", "tonic"] {
        let optional = table["dependencies"][outside].get("optional").and_then(toml::Value::as_bool);
        assert_eq!(optional, Some(true), "{outside} comes with the feature");
    }
    assert!(!keys(&table, "features").contains("default"), "no feature of a2a is on by itself");
    for (name, folder, _) in ROOMS {
        let asked =
            manifest(folder).get("dependencies").and_then(|table| table.get("a2a")?.get("features").cloned());
        assert!(asked.is_none(), "{name} asks for features of a2a in the ordinary build");
    }
    // The binary's feature hands on and compiles nothing else, so that tests of the whole workspace are tests of it.
    let binary = manifest("engine/daemon");
    let features: Vec<&str> =
        binary["features"]["grpc"].as_array().into_iter().flatten().filter_map(toml::Value::as_str).collect();
    assert_eq!((keys(&binary, "features").len(), features), (1, vec!["a2a/grpc"]));
}

#[test]
fn the_pure_crates_are_pure() {
    for folder in ["objectives", "engine/evolution"] {
        let dependencies = keys(&manifest(folder), "dependencies");
        for never in NEVER_PURE {
            assert!(!dependencies.contains(*never), "{folder} depends on {never}");
        }
        let lints = std::fs::read_to_string(root().join(folder).join("clippy.toml"))
            .expect("a clippy.toml of its own");
        assert!(
            lints.contains("disallowed-methods"),
            "{folder}/clippy.toml disallows clocks, files and randomness"
        );
    }
}

#[test]
fn dependencies_are_declared_once() {
    for (name, folder, _) in ROOMS {
        let table = manifest(folder);
        for section in ["dependencies", "dev-dependencies"] {
            let Some(section) = table.get(section).and_then(toml::Value::as_table) else { continue };
            for (dependency, spec) in section {
                let inherited = spec.get("workspace").and_then(toml::Value::as_bool) == Some(true);
                assert!(
                    inherited,
                    "{name}: {dependency} is declared in the root manifest, with its features"
                );
            }
        }
    }
}

#[test]
fn names_say_what_is_inside() {
    for (_, folder, _) in ROOMS {
        for path in sources(&root().join(folder)) {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            assert!(!EMPTY_NAMES.contains(&stem), "{} has an empty name", path.display());
        }
    }
}

#[test]
fn unsafe_stays_in_the_launcher() {
    let launcher = root().join("engine/sandbox/src/cell");
    let word = ["un", "safe "].concat();
    for (_, folder, _) in ROOMS {
        for path in sources(&root().join(folder)) {
            let text = std::fs::read_to_string(&path).expect("a readable source");
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let count = code
                .filter(|line| line.contains(&format!("{word}{{")) || line.contains(&format!("{word}fn")))
                .count();
            let allowed =
                path.starts_with(&launcher) || path.starts_with(root().join("engine/sandbox/tests"));
            assert!(count == 0 || allowed, "{} uses {word}code", path.display());
        }
    }
}

#[test]
fn every_source_opens_with_what_it_is() {
    let mut silent = BTreeMap::new();
    for (_, folder, _) in ROOMS {
        for path in sources(&root().join(folder)) {
            let text = std::fs::read_to_string(&path).expect("a readable source");
            let first = text
                .lines()
                .find(|line| !line.starts_with("#!") && !line.trim().is_empty())
                .unwrap_or_default();
            if !first.starts_with("//!") {
                silent.insert(path, first.to_owned());
            }
        }
    }
    assert!(silent.is_empty(), "files that do not open with a //! comment: {silent:#?}");
}
