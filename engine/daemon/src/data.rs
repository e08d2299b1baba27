//! The data folder, where runs live: one store for all logs, a folder with repository and work for each run. Finds
//! runs and candidates by what a person types. Reading what a run's log says is `evolution`'s and `conductor`'s.

mod error;
mod find;

pub(crate) use error::DataError;

use evolution::id::{Number, RunId};
use evolution::state::State;
use rand::TryRng;
use rand::rngs::SysRng;
use skills::Courier;
use skills::peer::PeerError;
use snapshots::{Access, GitSnapshots};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};
use store::{Lease, Leases, Log, Record, SqliteOptions, SqliteStore};

/// The store's file name.
const STORE_FILE: &str = "darwind.sqlite";
/// Beginning of the names of streams that hold runs.
const RUN_PREFIX: &str = "run/";
/// Digits of a run's name; 16^12 names make a clash in one folder as good as impossible.
const RUN_ID_DIGITS: usize = 12;

/// Where runs live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFolder(PathBuf);

impl DataFolder {
    /// The folder asked for, else the platform's.
    pub(crate) fn locate(asked: Option<PathBuf>) -> Result<Self, DataError> {
        let folder = match asked {
            Some(folder) => folder,
            None => match directories::ProjectDirs::from("", "", "darwind") {
                Some(platform) => platform.data_dir().to_path_buf(),
                None => return Err(DataError::NoHome),
            },
        };
        std::path::absolute(&folder).map(Self).map_err(|source| DataError::Unusable { path: folder, source })
    }

    /// Its path, absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of one run.
    pub(crate) fn run_folder(&self, run: &RunId) -> PathBuf {
        self.0.join("runs").join(run.as_str())
    }

    /// The git repository of one run.
    pub(crate) fn repository(&self, run: &RunId) -> PathBuf {
        self.run_folder(run).join("repository.git")
    }

    /// The folder of one run in which evaluations work.
    pub(crate) fn work(&self, run: &RunId) -> PathBuf {
        self.run_folder(run).join("work")
    }

    /// Opens the folder to write, creating what is missing.
    pub(crate) fn open(&self) -> Result<Runs, DataError> {
        let runs = self.0.join("runs");
        std::fs::create_dir_all(&runs).map_err(|source| DataError::Unusable { path: runs, source })?;
        Ok(Runs::over(self, SqliteStore::open(&self.0.join(STORE_FILE))?))
    }

    /// Opens the folder to read; a folder that was never used holds no runs and is not created.
    pub(crate) fn open_existing(&self) -> Result<Runs, DataError> {
        let file = self.0.join(STORE_FILE);
        match std::fs::metadata(&file) {
            Ok(_) => {
                let options = SqliteOptions { create: false, ..SqliteOptions::default() };
                Ok(Runs::over(self, SqliteStore::open_with(&file, &options)?))
            }
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                Err(DataError::NoRuns { folder: self.0.clone() })
            }
            Err(source) => Err(DataError::Unusable { path: file, source }),
        }
    }
}

/// The runs of a data folder.
#[derive(Clone)]
pub(crate) struct Runs {
    folder: DataFolder,
    store: Arc<SqliteStore>,
    /// Made by the first who asks a peer.
    courier: Arc<OnceLock<Courier>>,
}

/// A run as the list shows it.
#[derive(Debug, Clone)]
pub(crate) struct RunLine {
    /// Its name.
    pub(crate) id: RunId,
    /// Time of its first event, in Unix milliseconds.
    pub(crate) started_ms: i64,
    /// Time of its newest event, in Unix milliseconds.
    pub(crate) last_ms: i64,
    /// Its newest event's number.
    pub(crate) events: u64,
}

impl Runs {
    fn over(folder: &DataFolder, store: SqliteStore) -> Self {
        Self { folder: folder.clone(), store: Arc::new(store), courier: Arc::default() }
    }

    /// What carries questions to the folder's peers: one for everybody in this process.
    pub(crate) fn courier(&self) -> Result<&Courier, PeerError> {
        if let Some(courier) = self.courier.get() {
            return Ok(courier);
        }
        let made = Courier::new()?;
        Ok(self.courier.get_or_init(|| made))
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// The log of all runs.
    pub(crate) fn log(&self) -> Arc<dyn Log> {
        self.store.clone()
    }

    /// The leases of all runs.
    pub(crate) fn leases(&self) -> Arc<dyn Leases> {
        self.store.clone()
    }

    /// All runs, newest first.
    pub(crate) fn list(&self) -> Result<Vec<RunLine>, DataError> {
        let mut runs: Vec<RunLine> = self
            .store
            .streams()?
            .into_iter()
            .filter_map(|stream| {
                let id = RunId::new(stream.name.strip_prefix(RUN_PREFIX)?);
                Some(RunLine {
                    id,
                    started_ms: stream.first_time_ms,
                    last_ms: stream.last_time_ms,
                    events: stream.last_seq,
                })
            })
            .collect();
        runs.sort_by(|a, b| (b.started_ms, &b.id).cmp(&(a.started_ms, &a.id)));
        Ok(runs)
    }

    /// The runs, of which there must be one: a process that was killed as it began leaves a store without any.
    fn known(&self) -> Result<Vec<RunLine>, DataError> {
        let lines = self.list()?;
        if lines.is_empty() {
            return Err(DataError::NoRuns { folder: self.folder.path().to_path_buf() });
        }
        Ok(lines)
    }

    /// The run that a person means by its name, an unambiguous beginning of it, or `last`.
    pub(crate) fn find_run(&self, text: &str) -> Result<RunId, DataError> {
        find::run(&self.known()?, text, &self.folder)
    }

    /// The candidate that a person means by its id `RUN-NUMBER`, where an unambiguous beginning of the run's name (or
    /// `last`) will do; a bare number is one of the newest run's.
    pub(crate) fn find_candidate(&self, text: &str) -> Result<(RunId, Number), DataError> {
        let (run, number) = find::candidate(&self.known()?, text, &self.folder)?;
        Ok((run, number))
    }

    /// What a run's log folds to.
    pub(crate) fn state(&self, run: &RunId) -> Result<State, DataError> {
        Ok(conductor::replay_state(self.store.as_ref(), run)?)
    }

    /// Visits a run's records after sequence number `after`, until `visit` breaks.
    pub(crate) fn visit(
        &self,
        run: &RunId,
        after: u64,
        visit: &mut dyn FnMut(Record) -> std::ops::ControlFlow<()>,
    ) -> Result<u64, DataError> {
        Ok(self.store.replay(&conductor::run_stream(run), after, visit)?)
    }

    /// A run's repository, to read.
    pub(crate) fn snapshots(&self, run: &RunId) -> Result<GitSnapshots, DataError> {
        let path = self.folder.repository(run);
        GitSnapshots::open(&path, Access::Read, Arc::new(|_: &str| false))
            .map_err(|source| DataError::Repository { path, source })
    }

    /// The number of a run's newest event.
    pub(crate) fn last_seq(&self, run: &RunId) -> Result<u64, DataError> {
        Ok(self.store.last_seq(&conductor::run_stream(run))?)
    }

    /// Who drives a run now, if anybody.
    pub(crate) fn driver(&self, run: &RunId) -> Result<Option<Lease>, DataError> {
        Ok(self.store.holder(&lease_name(run), now_ms())?)
    }
}

/// Name of the lease that whoever drives a run holds.
pub(crate) fn lease_name(run: &RunId) -> String {
    format!("run/{run}")
}

/// Unix time in milliseconds.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Draws a name for a new run.
pub(crate) fn new_run_id() -> Result<RunId, DataError> {
    Ok(RunId::new(random_hex(RUN_ID_DIGITS)?))
}

/// Random lower-case hexadecimal digits, from the operating system.
pub(crate) fn random_hex(digits: usize) -> Result<String, DataError> {
    let mut bytes = vec![0; digits.div_ceil(2)];
    SysRng.try_fill_bytes(&mut bytes).map_err(|error| DataError::NoRandomness(error.to_string()))?;
    let mut text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(digits);
    Ok(text)
}
