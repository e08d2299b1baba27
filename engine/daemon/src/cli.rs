//! The command line: names, flags and their help. Only the surface; what a command does is in the module of its name.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Evolves a Python program: proposes changes, runs each in a sandbox, keeps what is measurably better.
#[derive(Debug, Parser)]
#[command(name = "darwind", version, about, propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    /// Where runs live (default: the platform's data folder)
    #[arg(long, global = true, value_name = "DIR", env = "DARWIND_DATA_DIR", hide_env_values = true)]
    pub(crate) data_dir: Option<PathBuf>,

    /// Print the answer as JSON on standard output, everything else on error output
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Evolve a target until its budget is spent
    #[command(
        after_help = "Examples:\n  darwind run examples/wordcount\n  darwind run . --time 90s --seed 7\n  \
                            darwind run . --resume"
    )]
    Run(RunFlags),
    /// The daemon: many runs, dashboard and API; takes up what a crash or stop left unfinished
    #[command(after_help = "Examples:\n  darwind serve\n  darwind serve --listen 127.0.0.1:8080\n\n\
                            Variables:\n  DARWIND_TOKEN         the operator's token (drawn when it is not set)\n  \
                            DARWIND_VIEWER_TOKEN  a token that lets look and not command\n  \
                            DARWIND_HOSTS         further names of this server, separated by commas\n  \
                            DARWIND_TLS_CERT      PEM file of the server's certificates, its own first: it speaks TLS\n  \
                            DARWIND_TLS_KEY       PEM file of the private key")]
    Serve(ServeFlags),
    /// Look at a Python project and write its darwind.toml
    #[command(after_help = "Example:\n  darwind init path/to/project")]
    Init(InitFlags),
    /// Validate the configuration, run the baseline, print checks, objectives, noise and cost
    #[command(after_help = "Example:\n  darwind check examples/wordcount")]
    Check(TargetFlags),
    /// List the runs in the data folder, newest first
    #[command(after_help = "Example:\n  darwind runs --json")]
    Runs,
    /// Show one run: state, counters, objectives, baseline and best
    #[command(after_help = "Example:\n  darwind show last")]
    Show(RunName),
    /// Print a run's events
    #[command(after_help = "Examples:\n  darwind log last\n  darwind log 3f2a --follow --json")]
    Log(LogFlags),
    /// Print the first front: candidates that no other beats in everything
    #[command(after_help = "Example:\n  darwind front last")]
    Front(RunName),
    /// Print who descends from whom
    #[command(after_help = "Example:\n  darwind lineage last")]
    Lineage(LineageFlags),
    /// Print the best candidate of a run
    #[command(after_help = "Example:\n  darwind best last --json")]
    Best(RunName),
    /// Print a unified diff of a candidate, against its parent by default
    #[command(after_help = "Examples:\n  darwind diff 3f2a-17\n  darwind diff 3f2a-17 3f2a-0")]
    Diff(DiffFlags),
    /// Bring a candidate home: as a branch, a patch, or in place
    #[command(
        after_help = "Examples:\n  darwind apply 3f2a-17\n  darwind apply 3f2a-17 --in-place\n  darwind apply 3f2a-17 --branch faster\n  \
                            darwind apply 3f2a-17 --patch faster.patch"
    )]
    Apply(ApplyFlags),
    /// Stop proposing until resumed; what is under way is finished
    #[command(after_help = "Example:\n  darwind pause last --reason \"need the cores\"")]
    Pause(ControlFlags),
    /// Go on with a paused, stopped or crashed run, to the same budget
    #[command(after_help = "Example:\n  darwind resume last")]
    Resume(ControlFlags),
    /// End a run
    #[command(after_help = "Example:\n  darwind stop last")]
    Stop(ControlFlags),
    /// Move the champion back to a candidate and measure it again; itself undoable
    #[command(after_help = "Example:\n  darwind rollback last 3f2a-0 --reason \"keep it simple\"")]
    Rollback(RollbackFlags),
    /// Write a run's log, a table of its candidates, or a git bundle
    #[command(after_help = "Examples:\n  darwind export last --format jsonl > run.jsonl\n  \
                            darwind export last --format csv\n  \
                            darwind export last --format bundle --output run.bundle")]
    Export(ExportFlags),
    /// Fold a run's log again and hold every recorded decision against the seed
    #[command(after_help = "Example:\n  darwind replay last")]
    Replay(RunName),
    /// Show what protects this machine: one row a promise, with evidence
    #[command(after_help = "Example:\n  darwind doctor --json")]
    Doctor,
    /// The live run in the terminal, of this machine or of a daemon anywhere
    #[command(after_help = "Examples:\n  darwind watch\n  darwind watch http://127.0.0.1:7717/#t=…\n  \
                            darwind watch --run 3f2a --json")]
    Watch(WatchFlags),
    /// Other daemons to learn from and to be judged by
    #[command(
        after_help = "Examples:\n  darwind peers add http://10.0.0.7:7717 --name lab --token-env LAB_TOKEN\n  \
                            darwind peers list\n  darwind peers share 3f2a-17\n  darwind peers validate 3f2a-17"
    )]
    Peers(PeersFlags),
    /// Bring another engine's archive over as the lineage of a new run
    #[command(
        after_help = "Example:\n  darwind import openevolve openevolve_output/checkpoints/checkpoint_100 path/to/task"
    )]
    Import(ImportArguments),
    /// Programs that edit themselves or others
    #[command(after_help = "Example:\n  darwind agent check examples/self_improving_agent")]
    Agent(AgentFlags),
    /// Measure the engine itself
    #[command(after_help = "Examples:\n  darwind bench pareto --json\n  darwind bench engine")]
    Bench(BenchFlags),
}

/// Flags of `peers`.
#[derive(Debug, Args)]
pub(crate) struct PeersFlags {
    #[command(subcommand)]
    pub(crate) what: PeersCommand,
}

/// What to do with peers.
#[derive(Debug, Subcommand)]
pub(crate) enum PeersCommand {
    /// Make a peer known, after a look at its card
    #[command(
        after_help = "Example:\n  darwind peers add http://10.0.0.7:7717 --name lab --token-env LAB_TOKEN"
    )]
    Add {
        /// Where it is: scheme, host and port
        #[arg(value_name = "URL")]
        url: String,
        /// Its name here (default: host and port)
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Variable that holds the token for it; the token itself is never stored
        #[arg(long, value_name = "VARIABLE")]
        token_env: Option<String>,
    },
    /// Show the peers, what flows between them, and the trust in each source
    #[command(after_help = "Example:\n  darwind peers list --json")]
    List,
    /// Forget a peer
    #[command(after_help = "Example:\n  darwind peers remove lab")]
    Remove {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Offer an improvement to the peers as a knowledge package
    #[command(after_help = "Example:\n  darwind peers share 3f2a-17 --to lab")]
    Share {
        /// The candidate: its id, or the beginning of one
        #[arg(value_name = "CANDIDATE")]
        candidate: String,
        /// Only to this peer
        #[arg(long, value_name = "NAME")]
        to: Option<String>,
    },
    /// Have peers measure a candidate, and count their votes
    #[command(after_help = "Example:\n  darwind peers validate 3f2a-17")]
    Validate {
        /// The candidate: its id, or the beginning of one
        #[arg(value_name = "CANDIDATE")]
        candidate: String,
        /// Kind of validation that the peers must declare
        #[arg(long = "type", value_name = "TYPE", default_value = "performance")]
        validation_type: String,
    },
    /// Show push notifications that could not be delivered, or send one again
    #[command(after_help = "Examples:\n  darwind peers letters\n  darwind peers letters --replay 3")]
    Letters {
        /// The number of the one to send again
        #[arg(long, value_name = "NUMBER")]
        replay: Option<u64>,
    },
}

/// A run, by name.
#[derive(Debug, Args)]
pub(crate) struct RunName {
    /// The run: its name, an unambiguous beginning of it, or `last`
    #[arg(value_name = "RUN", default_value = "last")]
    pub(crate) run: String,
}

/// A target's folder.
#[derive(Debug, Args)]
pub(crate) struct TargetFlags {
    /// Folder with a darwind.toml
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
}

/// Flags of `init`.
#[derive(Debug, Args)]
pub(crate) struct InitFlags {
    /// Folder of a Python project
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) path: PathBuf,
}

/// Flags of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunFlags {
    /// Folder with a darwind.toml
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Stop after this many evaluations
    #[arg(long, value_name = "N")]
    pub(crate) evaluations: Option<u64>,
    /// Stop after this long, such as 90s or 10m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) time: Option<Duration>,
    /// Same seed, same decisions (default: drawn)
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Evaluations at once (default: one a core)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) workers: Option<u16>,
    /// Address of dashboard and API, or `none`
    #[arg(long, value_name = "ADDR", value_parser = listen)]
    pub(crate) listen: Option<Listen>,
    /// Who proposes changes; repeatable, overrides the configuration
    #[arg(long = "proposer", value_name = "NAME")]
    pub(crate) proposers: Vec<String>,
    /// Continue the last unfinished run of this path, to the same budget
    #[arg(long)]
    pub(crate) resume: bool,
    /// Leave at once when finished, even on a terminal
    #[arg(long)]
    pub(crate) exit: bool,
}

/// Flags of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeFlags {
    /// Address of dashboard and API (default: 127.0.0.1:7717)
    #[arg(long, value_name = "ADDR", value_parser = listen)]
    pub(crate) listen: Option<Listen>,
}

/// Where to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listen {
    /// Nowhere.
    None,
    /// At this address.
    At(std::net::SocketAddr),
}

/// Flags of `watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchFlags {
    /// A daemon's link as it printed it (default: the runs of this machine)
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The run to watch (default: the newest)
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// Show events after this one
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub(crate) after: u64,
}

/// Flags of `log`.
#[derive(Debug, Args)]
pub(crate) struct LogFlags {
    #[command(flatten)]
    pub(crate) run: RunName,
    /// Go on with events as they happen, until the run ends
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Begin after this event
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub(crate) after: u64,
}

/// Flags of `lineage`.
#[derive(Debug, Args)]
pub(crate) struct LineageFlags {
    #[command(flatten)]
    pub(crate) run: RunName,
    /// Show rejected candidates too
    #[arg(long)]
    pub(crate) all: bool,
}

/// Flags of `diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffFlags {
    /// The candidate: RUN-NUMBER, where a beginning of RUN will do
    #[arg(value_name = "CANDIDATE")]
    pub(crate) candidate: String,
    /// The candidate to compare with (default: the parent)
    #[arg(value_name = "OTHER")]
    pub(crate) other: Option<String>,
}

/// Flags of `apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyFlags {
    /// The candidate: RUN-NUMBER, where a beginning of RUN will do
    #[arg(value_name = "CANDIDATE")]
    pub(crate) candidate: String,
    #[command(flatten)]
    pub(crate) way: ApplyWay,
    /// The target's folder, when it has moved since the run
    #[arg(long, value_name = "PATH")]
    pub(crate) target: Option<PathBuf>,
}

/// How a candidate comes home.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct ApplyWay {
    /// As a new branch of the target's repository, the default; its work tree stays as it is
    #[arg(long, value_name = "NAME")]
    pub(crate) branch: Option<String>,
    /// As a patch file
    #[arg(long, value_name = "FILE")]
    pub(crate) patch: Option<PathBuf>,
    /// Into the target's files; refused when they changed since the run began
    #[arg(long)]
    pub(crate) in_place: bool,
}

/// Flags of the commands that a run obeys.
#[derive(Debug, Args)]
pub(crate) struct ControlFlags {
    #[command(flatten)]
    pub(crate) run: RunName,
    /// Why, for the log
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
}

/// Flags of `rollback`.
#[derive(Debug, Args)]
pub(crate) struct RollbackFlags {
    /// The run: its name, an unambiguous beginning of it, or `last`
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    /// The candidate to go back to: RUN-NUMBER, or its number alone
    #[arg(value_name = "CANDIDATE")]
    pub(crate) candidate: String,
    /// Why, for the log
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
}

/// What `export` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The log, one JSON object a line
    Jsonl,
    /// A table of the candidates
    Csv,
    /// A git bundle with every candidate, scores as notes
    Bundle,
}

/// Flags of `export`.
#[derive(Debug, Args)]
pub(crate) struct ExportFlags {
    #[command(flatten)]
    pub(crate) run: RunName,
    /// What to write
    #[arg(long, value_enum)]
    pub(crate) format: Format,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Flags of `agent`.
#[derive(Debug, Args)]
pub(crate) struct AgentFlags {
    #[command(subcommand)]
    pub(crate) what: Agent,
}

/// Flags of `import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    #[command(subcommand)]
    pub(crate) what: Import,
}

/// Whose archive is imported.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// A checkpoint of OpenEvolve
    #[command(
        after_help = "Example:\n  darwind import openevolve openevolve_output/checkpoints/checkpoint_100 path/to/task"
    )]
    Openevolve(ImportFlags),
}

/// Flags of `import openevolve`.
#[derive(Debug, Args)]
pub(crate) struct ImportFlags {
    /// Folder of the checkpoint, with metadata.json and programs/
    #[arg(value_name = "CHECKPOINT")]
    pub(crate) checkpoint: PathBuf,
    /// Folder of the task that it was made from
    #[arg(value_name = "TASK")]
    pub(crate) task: PathBuf,
    /// Stop after this many evaluations, those of the imported programs included
    #[arg(long, value_name = "N")]
    pub(crate) evaluations: Option<u64>,
    /// Seed of every decision after the import
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// What is done with an agent.
#[derive(Debug, Subcommand)]
pub(crate) enum Agent {
    /// Hold an agent against the contract evolve-agent/1, offline
    #[command(after_help = "Example:\n  darwind agent check examples/self_improving_agent --json")]
    Check(AgentCheckFlags),
}

/// Flags of `agent check`.
#[derive(Debug, Args)]
pub(crate) struct AgentCheckFlags {
    /// Folder of the agent, with an evolve.toml
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Time for each answer
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    pub(crate) timeout: Duration,
}

/// Flags of `bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchFlags {
    #[command(subcommand)]
    pub(crate) what: Bench,
}

/// What `bench` measures.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// The engine's own cost: processor time and memory without the children
    #[command(after_help = "Example:\n  darwind bench engine --json")]
    Engine(EngineBenchFlags),
    /// How soon events reach WebSocket clients, beside a bare broadcast loop
    #[command(after_help = "Example:\n  darwind bench live --clients 200 --rate 500 --json")]
    Live(LiveFlags),
    /// Non-dominated sorting of random points, and adding one point to a ranked archive
    #[command(after_help = "Example:\n  darwind bench pareto --points 10000 --json")]
    Pareto(ParetoFlags),
}

/// Flags of `bench engine`.
#[derive(Debug, Args)]
pub(crate) struct EngineBenchFlags {
    /// Candidates of the simulated run
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) candidates: u32,
    /// Evaluations of the run that is compared with launching them alone; 0 leaves it out
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) contained: u64,
    /// Drive the simulated run once, in the data folder, and leave it there: `darwind serve` shows it
    #[arg(long)]
    pub(crate) keep: bool,
}

/// Flags of `bench live`.
#[derive(Debug, Args)]
pub(crate) struct LiveFlags {
    /// Clients that read
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=400))]
    pub(crate) clients: u32,
    /// Events a second
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) rate: u32,
    /// Seconds of load, each for the real server and the bare loop
    #[arg(long, value_name = "S", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,
    /// Leave out the evaluations that keep every core busy beside the load
    #[arg(long)]
    pub(crate) idle: bool,
    /// Be the clients of a server, in a process of their own
    #[arg(long, hide = true, value_name = "ADDRESS RUN", num_args = 2)]
    pub(crate) audience: Option<Vec<String>>,
}

/// Flags of `bench pareto`.
#[derive(Debug, Args)]
pub(crate) struct ParetoFlags {
    /// Points to sort
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) points: u32,
    /// Objectives; repeatable
    #[arg(long = "objectives", value_name = "M", default_values_t = [3, 4, 5])]
    pub(crate) objectives: Vec<u8>,
    /// Times each sort is repeated; the quickest counts
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repeat: u32,
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = crate::config::quantity::duration(text)
        .map_err(|reason| format!("{reason}; write a number with its unit, such as 90s or 10m"))?;
    if duration.is_zero() { Err("the time must be above zero".to_owned()) } else { Ok(duration) }
}

fn listen(text: &str) -> Result<Listen, String> {
    if text == "none" {
        return Ok(Listen::None);
    }
    let address =
        text.parse().map_err(|_| "expected `none` or an address such as 127.0.0.1:7717".to_owned())?;
    Ok(Listen::At(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        fn check(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Example"), "{}", command.get_name());
        }
        for command in Cli::command().get_subcommands() {
            check(command);
            command.get_subcommands().for_each(check);
        }
    }

    #[test]
    fn flags_are_understood_anywhere() {
        let cli = Cli::try_parse_from(["darwind", "run", "p", "--time", "90s", "--json", "--data-dir", "d"])
            .unwrap();
        assert!(cli.json && cli.data_dir == Some("d".into()));
        assert!(Cli::try_parse_from(["darwind", "run", "p", "--time", "0s"]).is_err());
        assert!(Cli::try_parse_from(["darwind", "run", "p", "--listen", "nowhere"]).is_err());
        assert!(Cli::try_parse_from(["darwind", "apply", "x-1", "--in-place", "--branch", "b"]).is_err());
    }
}
