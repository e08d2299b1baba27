//! What the process says of itself while it works: structured lines on error output, as JSON where no person sits before
//! it. `DARWIND_LOG` chooses what: a level (`info`), or levels by part (`api=debug,daemon=info`). Not here: the log of a
//! run, which is its events.

use crate::failure::Failure;
use std::io::IsTerminal;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Variable that chooses what is said.
const VARIABLE: &str = "DARWIND_LOG";
/// What is said when nothing is chosen: only what somebody should look at.
const DEFAULT: LevelFilter = LevelFilter::WARN;
/// Levels, for a setting that is none.
const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

/// Begins to say it.
///
/// # Errors
/// When the setting makes no sense.
pub(crate) fn start() -> Result<(), Failure> {
    let targets = match std::env::var(VARIABLE) {
        Ok(chosen) if !chosen.is_empty() => targets(&chosen)?,
        _ => Targets::new().with_default(DEFAULT),
    };
    let registry = tracing_subscriber::registry().with(targets);
    let lines = fmt::layer().with_writer(std::io::stderr);
    // It fails only when there is one already, and then lines are written all the same.
    let _ = if std::io::stderr().is_terminal() {
        registry.with(lines.compact().with_ansi(false)).try_init()
    } else {
        registry.with(lines.json().flatten_event(true)).try_init()
    };
    Ok(())
}

/// What a setting chooses. A word alone is a level: what it names is not mistaken for a part of the program.
fn targets(chosen: &str) -> Result<Targets, Failure> {
    for part in chosen.split(',') {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level).trim().to_lowercase();
        if !LEVELS.contains(&level.as_str()) {
            let nearest = LEVELS
                .iter()
                .max_by(|a, b| strsim::jaro_winkler(a, &level).total_cmp(&strsim::jaro_winkler(b, &level)));
            return Err(Failure::usage(
                format!("{VARIABLE} has no level {level:?}"),
                format!(
                    "did you mean {:?}? Levels are {}; by part as in `api=debug,daemon=info`",
                    nearest.unwrap_or(&"info"),
                    LEVELS.join(", ")
                ),
            ));
        }
    }
    chosen.parse().map_err(|error| {
        Failure::usage(
            format!("{VARIABLE} cannot be read: {error}"),
            "such as `info`, or `api=debug,daemon=info`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::targets;
    use tracing::Level;

    #[test]
    fn a_setting_is_understood_or_refused_with_a_suggestion() {
        let chosen = targets("warn,api=debug").unwrap();
        assert!(chosen.would_enable("api", &Level::DEBUG) && !chosen.would_enable("daemon", &Level::INFO));
        let refused = targets("inf").unwrap_err();
        assert!(refused.help().unwrap().contains("did you mean \"info\""), "{:?}", refused.help());
    }
}
