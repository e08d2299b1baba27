//! The cell: one contained process tree, launched, limited, watched, killed and accounted for.
//!
//! A *lane* (`lane.rs`, in the daemon) owns one launcher process (`launcher.rs`), which is single-threaded, runs from an
//! exec of its own with an empty environment, and forks one contained child (`child.rs`) for each job. What a cell keeps
//! apart is decided by its [`Level`]; `probe.rs` finds out by trying to escape. What runs inside, and what its answer is
//! worth, is not known here.

mod calls;
mod child;
mod confinement;
mod fence;
mod filter;
mod group;
mod lane;
mod launcher;
mod mounts;
mod network;
mod probe;
mod prober;
mod remedy;
mod tree;
mod watch;
mod wire;

pub use lane::{Lane, LaneOptions, Received, Session};
pub use launcher::{LAUNCHER_ARGUMENT, launcher_main};
pub use network::can_reach_gateway;
pub use probe::{Establishment, ProbeOptions, Promise, PromiseStatus, establish, probe_gateway};

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// How strong the walls are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// Fenced: Landlock, seccomp and resource limits, no namespaces.
    L1,
    /// Contained: namespaces and a file system of its own as well.
    L2,
    /// Metered: a delegated control group as well.
    L3,
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::L1 => "L1",
            Self::L2 => "L2",
            Self::L3 => "L3",
        })
    }
}

/// What a cell may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall time.
    pub wall: Duration,
    /// CPU time of one process; the sum is bounded by the wall time and the number of processors.
    pub cpu: Duration,
    /// Memory in bytes: data of one process, and the sampled sum over the tree.
    pub memory: u64,
    /// Processes and threads at once.
    pub processes: u32,
    /// Bytes in each writable place.
    pub disk: u64,
    /// Files and folders in each writable place.
    pub files: u32,
    /// Bytes of one file.
    pub file_size: u64,
    /// Open files of one process.
    pub open_files: u32,
    /// Bytes of output, and of error output.
    pub output: u64,
    /// Bytes on the report channel.
    pub report: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            wall: Duration::from_secs(20),
            cpu: Duration::from_secs(20),
            memory: 1024 * MIB,
            processes: 64,
            disk: 256 * MIB,
            files: 4096,
            file_size: 64 * MIB,
            open_files: 256,
            output: MIB,
            report: 16 * MIB,
        }
    }
}

/// Something to run in a cell. The child finds the report channel (write) at file descriptor 3 and the request channel
/// (read) at 4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Program, by absolute path, and its arguments.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// Working directory; must lie in `read_only` or `writable`.
    pub cwd: PathBuf,
    /// Standard input. Empty is the null device.
    #[serde(skip)]
    pub stdin: Vec<u8>,
    /// Files and folders that are there, at the same path, and cannot be changed; symbolic links bring what they lead to.
    /// Missing ones are passed over. A launcher that is root makes the candidate another user only if everybody may read
    /// each of them (and, at level 1, pass through the folders above): keep them so, or the candidate stays root, without
    /// any capability but also without the kernel's own limit on processes.
    pub read_only: Vec<PathBuf>,
    /// Empty folders that can be written to: file systems of the cell's own at level 2, plain folders of the host at level
    /// 1, which are made if they are missing, refused if they are not empty, and emptied afterwards.
    pub writable: Vec<PathBuf>,
    /// Port of 127.0.0.1 at which a gateway can be connected to, by TCP; nothing else of any network is there. At level 2
    /// it is a port of the cell's own network, where the cell may listen to itself too, and whoever opened the job accepts its connections on a listener, see
    /// [`Session::gateway`]; at level 1 it is the host's. Whether a level can grant it here: [`can_reach_gateway`].
    pub gateway: Option<u16>,
    /// What it may use.
    pub limits: Limits,
}

/// How the first process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It never ran.
    None,
}

/// What a limit was on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LimitKind {
    /// Memory.
    Memory,
    /// Processes.
    Processes,
    /// Disk.
    Disk,
    /// Files.
    Files,
    /// Output.
    Output,
}

/// How a cell ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CellOutcome {
    /// The first process ended; see [`Exit`].
    Exited,
    /// Wall time ran out.
    WallTimeout,
    /// CPU time ran out.
    CpuTimeout,
    /// A limit was reached and the tree killed.
    Limit(LimitKind),
    /// The sandbox failed: nothing is known of the candidate.
    SandboxError(String),
}

/// Something that the sandbox denied and counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The system call.
    pub what: String,
    /// How often.
    pub count: u32,
}

/// What is known of a cell when it is over.
#[derive(Debug, Clone, PartialEq)]
pub struct CellReport {
    /// How it ended.
    pub outcome: CellOutcome,
    /// How its first process ended.
    pub exit: Exit,
    /// Output, at most the limit.
    pub stdout: Vec<u8>,
    /// Error output, at most the limit.
    pub stderr: Vec<u8>,
    /// What came over the report channel and was not received before, at most the limit.
    pub report: Vec<u8>,
    /// Wall time.
    pub wall: Duration,
    /// CPU time of the whole tree.
    pub cpu: Duration,
    /// Whether `cpu` surely holds every process of the tree: nothing was killed before it could be asked, and nobody
    /// changed how dead children are treated, by which the kernel forgets what they cost.
    pub cpu_verified: bool,
    /// Largest resident memory in bytes: of one process, or of the sampled sum if that is larger.
    pub peak_memory: u64,
    /// What was denied and counted.
    pub denials: Vec<Denial>,
    /// The level that it ran at.
    pub level: Level,
    /// Whether output was cut.
    pub truncated: bool,
}

/// Why a lane could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CellError {
    /// The launcher could not be started or spoken to.
    #[error("the sandbox's launcher: {doing}: {source}")]
    Launcher {
        /// What was being done.
        doing: &'static str,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The launcher said something that was not understood.
    #[error("the sandbox's launcher answered {0}")]
    Garbled(String),
}

impl CellError {
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Launcher { doing, source }
    }
}
