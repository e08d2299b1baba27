//! `darwind run`'s flags and the target's configuration become one request, checked whole: everything that a run needs
//! to know before it is wired. Raw flags end here.

use crate::cli::RunFlags;
use crate::config::{self, Configuration, PROPOSERS, listed, nearest};
use crate::data;
use crate::failure::Failure;
use crate::language_models;
use evolution::settings::{MAX_LOOKAHEAD, Settings};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Digits of a drawn seed: short enough to be typed again.
const SEED_DIGITS: usize = 8;

/// Proposers that answer at once.
const AT_ONCE: [&str; 2] = ["ast", "peer_knowledge"];
/// Proposals that are under way, with proposers that answer at once, on machines of few cores: the same seed decides the
/// same with one worker as with four.
const LEAST_LOOKAHEAD: u32 = 4;

/// A run that is asked for.
#[derive(Debug)]
pub(crate) struct RunRequest {
    /// The target's folder, absolute.
    pub(crate) path: PathBuf,
    /// What to do, the command line's limits and proposers already in it.
    pub(crate) configuration: Configuration,
    /// Seed of every decision.
    pub(crate) seed: u64,
    /// Evaluations at once, at least 1.
    pub(crate) workers: usize,
    /// Whether to take up the last unfinished run of this path instead of beginning one.
    pub(crate) resume: bool,
}

impl RunRequest {
    /// Reads the configuration and lays the flags over it.
    pub(crate) fn new(flags: &RunFlags) -> Result<Self, Failure> {
        let mut configuration = config::load(&flags.path)?;
        configuration.budget = configuration.budget.overridden(flags.evaluations, flags.time);
        if !flags.proposers.is_empty() {
            configuration.proposers.used = known(&flags.proposers)?;
        }
        if !flags.resume {
            language_models::settle(&mut configuration);
        }
        able(&configuration)?;
        let path = std::fs::canonicalize(&flags.path)
            .map_err(|error| Failure::caused(format!("cannot resolve {}", flags.path.display()), error))?;
        let seed = seed(flags.seed.or(configuration.seed))?;
        Ok(Self { path, configuration, seed, workers: workers(flags.workers), resume: flags.resume })
    }
}

impl RunRequest {
    /// A run that was asked for over the API: of a folder, by its own configuration or by `config`.
    pub(crate) fn of_folder(path: &Path, config: Option<&str>, asked: Option<u64>) -> Result<Self, Failure> {
        let mut configuration = match config {
            Some(text) => config::read_text(path, text)?,
            None => config::load(path)?,
        };
        language_models::settle(&mut configuration);
        able(&configuration)?;
        let path = std::fs::canonicalize(path)
            .map_err(|error| Failure::caused(format!("cannot resolve {}", path.display()), error))?;
        let seed = seed(asked.or(configuration.seed))?;
        Ok(Self { path, configuration, seed, workers: workers(None), resume: false })
    }
}

impl RunRequest {
    /// How the run decides. Where the lookahead is not set it keeps the workers busy and no more, so that what is asked next
    /// is asked with the last findings in view; who waits for a model or an agent has more under way meanwhile.
    pub(crate) fn settings(&self) -> Settings {
        let configuration = &self.configuration;
        let at_once = configuration.proposers.used.iter().all(|name| AT_ONCE.contains(&name.as_str()));
        let least = if at_once { LEAST_LOOKAHEAD } else { configuration.settings.lookahead };
        let workers = u32::try_from(self.workers).unwrap_or(MAX_LOOKAHEAD).min(MAX_LOOKAHEAD);
        let lookahead = configuration.lookahead.unwrap_or(least.max(workers));
        Settings { lookahead, ..configuration.settings.clone() }
    }
}

fn seed(asked: Option<u64>) -> Result<u64, Failure> {
    asked.map_or_else(drawn_seed, Ok)
}

/// Evaluations at once: as asked, else one a core.
pub(crate) fn workers(asked: Option<u16>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    asked.map_or(cores, usize::from).max(1)
}

fn drawn_seed() -> Result<u64, Failure> {
    let digits = data::random_hex(SEED_DIGITS)?;
    u64::from_str_radix(&digits, 16).map_err(|error| Failure::caused("cannot draw a seed", error))
}

/// Names of proposers as typed, each once.
fn known(names: &[String]) -> Result<Vec<String>, Failure> {
    let mut used: Vec<String> = Vec::new();
    for name in names {
        if !PROPOSERS.contains(&name.as_str()) {
            let meant = nearest(name, &PROPOSERS)
                .map_or_else(String::new, |meant| format!("did you mean `{meant}`? "));
            return Err(Failure::usage(
                format!("there is no proposer `{name}`"),
                format!("{meant}There are {}", listed(&PROPOSERS)),
            ));
        }
        if !used.contains(name) {
            used.push(name.clone());
        }
    }
    Ok(used)
}

/// Refuses a configuration whose proposers could change nothing.
fn able(configuration: &Configuration) -> Result<(), Failure> {
    let used = &configuration.proposers.used;
    let mutable = &configuration.target.mutable;
    if used.iter().all(|name| name == "ast") && !mutable.iter().any(|path| path.ends_with(".py")) {
        return Err(Failure::usage(
            format!("nothing here can change {}: the proposer `ast` changes Python only", mutable.join(", ")),
            "name another proposer with --proposer or under [proposers] in a darwind.toml: a model (`llm`) or a coding \
             agent (`agent`) changes any language",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lookahead_follows_the_proposers_and_the_workers_where_it_is_not_set() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.py"), "print(1)\n").unwrap();
        let lookahead = |rest: &str, workers: usize| {
            let objective =
                "[[objective]]\nname = \"time\"\nkind = \"cpu_time\"\nrun = [\"python\", \"a.py\"]\n";
            let text = format!("[target]\nfiles = [\"a.py\"]\n{objective}{rest}");
            let configuration = config::read_text(folder.path(), &text).unwrap();
            let path = folder.path().to_path_buf();
            RunRequest { path, configuration, seed: 1, workers, resume: false }.settings().lookahead
        };
        assert_eq!([1, 4, 9].map(|workers| lookahead("", workers)), [4, 4, 9]);
        let waiting =
            "[proposers]\nast = {}\n[proposers.llm]\nmodel = \"m\"\nendpoint = \"http://localhost:1\"\n";
        assert_eq!([1, 4, 32].map(|workers| lookahead(waiting, workers)), [16, 16, 32]);
        assert_eq!([1, 32].map(|workers| lookahead("[evolution]\nlookahead = 2\n", workers)), [2, 2]);
    }
}
