//! `darwind bench`: measures the engine itself, as figures and as ratios within one run, since a machine's speed varies.

mod contained;
mod engine;
mod live;
mod pareto;
mod process;

use crate::cli::Bench;
use crate::data::DataFolder;
use crate::failure::{Exit, Failure};
use crate::terminal::Terminal;

/// `darwind bench`.
pub(crate) fn bench(what: &Bench, folder: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    match what {
        Bench::Engine(flags) => engine::measure(flags, folder, terminal),
        Bench::Live(flags) => live::measure(flags, terminal),
        Bench::Pareto(flags) => pareto::measure(flags, terminal),
    }
}
