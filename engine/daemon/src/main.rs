//! The `darwind` binary: reads the command line, does what it says, and ends with the exit code that scripts rely on.
//! Everything that a command does is in the module of its name.

mod agent;
mod apply;
mod bench;
mod changes;
mod cli;
mod config;
mod control;
mod data;
mod doctor;
mod embedding;
mod events;
mod export;
mod failure;
mod family;
mod host;
mod import;
mod init;
mod judge;
mod language_models;
mod lease;
mod logging;
mod overview;
mod owner;
mod peering;
mod peers;
mod presets;
mod progress;
mod replay;
mod report;
mod request;
mod run;
mod serve;
mod summary;
mod telemetry;
mod terminal;
mod watch;
mod wiring;
mod workbench;
mod workshop;

use clap::Parser;
use cli::{Cli, Command};
use data::DataFolder;
use failure::{Exit, Failure};
use std::process::ExitCode;
use terminal::Terminal;

/// Widest line of a diagnostic, in columns; a narrower terminal wraps earlier.
const DIAGNOSTIC_COLUMNS: usize = 110;

fn main() -> ExitCode {
    // A lane starts this binary again as its launcher, which must be one before any thread and any argument parsing.
    if std::env::args_os().nth(1).is_some_and(|word| word == sandbox::cell::LAUNCHER_ARGUMENT) {
        sandbox::cell::launcher_main();
    }
    let cli = Cli::parse();
    wrap_diagnostics();
    let terminal = Terminal::new(cli.json);
    let ended = logging::start()
        .and_then(|()| obey(cli, terminal))
        .and_then(|exit| Ok(terminal.flush().map(|()| exit)?));
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if let Some(report) = failure.report() {
                terminal.note(&format!("Error:\n{report:?}"));
            }
            failure.exit().into()
        }
    }
}

fn obey(cli: Cli, terminal: Terminal) -> Result<Exit, Failure> {
    let data = DataFolder::locate(cli.data_dir)?;
    match cli.command {
        Command::Run(flags) => run::run(flags, &data, terminal),
        Command::Serve(flags) => serve::serve(&flags, &data, terminal),
        Command::Check(flags) => run::check(&flags, terminal),
        Command::Init(flags) => init::init(&flags, terminal),
        Command::Runs => overview::runs(&data, terminal),
        Command::Show(name) => overview::show(&name.run, &data, terminal),
        Command::Log(flags) => events::log(&flags, &data, terminal),
        Command::Front(name) => overview::front(&name.run, &data, terminal),
        Command::Lineage(flags) => family::lineage(&flags, &data, terminal),
        Command::Best(name) => overview::best(&name.run, &data, terminal),
        Command::Pause(flags) => control::pause(&flags, &data, terminal),
        Command::Resume(flags) => control::resume(&flags, &data, terminal),
        Command::Stop(flags) => control::stop(&flags, &data, terminal),
        Command::Rollback(flags) => control::rollback(&flags, &data, terminal),
        Command::Diff(flags) => changes::diff(&flags, &data, terminal),
        Command::Apply(flags) => apply::apply(&flags, &data, terminal),
        Command::Export(flags) => export::export(&flags, &data, terminal),
        Command::Replay(name) => replay::replay(&name.run, &data, terminal),
        Command::Doctor => doctor::doctor(&data, terminal),
        Command::Watch(flags) => watch::watch(&flags, &data, terminal),
        Command::Peers(flags) => peers::peers(&flags.what, &data, terminal),
        Command::Import(flags) => import::import(&flags.what, &data, terminal),
        Command::Agent(flags) => agent::agent(&flags.what, terminal),
        Command::Bench(flags) => bench::bench(&flags.what, &data, terminal),
    }
}

/// Wraps diagnostics at the same column everywhere, so that they read the same in a log as on a terminal.
fn wrap_diagnostics() {
    let options = || miette::MietteHandlerOpts::new().width(DIAGNOSTIC_COLUMNS).break_words(false);
    // It can fail only when it was set before, and then there is a handler all the same.
    let _ = miette::set_hook(Box::new(move |_| Box::new(options().build())));
}
