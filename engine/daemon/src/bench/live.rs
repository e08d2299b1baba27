//! How soon events reach those who look on: a log is written at a steady rate, clients in a process of their own read it
//! over sockets and compare the clock. A client that reads nothing is among them. The same load then goes through a bare
//! axum broadcast loop, so that the figures mean something on any machine. Beside both, contained evaluations keep every
//! core busy as a real run does, unless they are left out.

mod audience;
mod work;

use super::process;
use crate::cli::LiveFlags;
use crate::data::{self, DataFolder, Runs};
use crate::failure::{Exit, Failure};
use crate::host::{Host, Hosted};
use crate::terminal::Terminal;
use api::{Access, Bare, Options, Server};
use audience::Heard;
use evolution::event::{Command as Asked, ControlReceived, Event, ProposerInfo, RunStarted};
use evolution::id::{CommitId, RunId};
use evolution::settings::{Budget, Settings};
use evolution::shape::Shape;
use objectives::{Direction, Objective, ObjectiveSet};
use serde::Serialize;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use store::Expected;
use work::Work;

/// How often the feeder writes: what is due since is written together.
const FEED_EVERY: Duration = Duration::from_millis(10);
/// The server's batch interval, in milliseconds: what an event may wait for company.
const BATCH_MS: f64 = 50.0;
/// Bytes of an event's reason, so that an event is about as long as one of a run.
const PADDING: usize = 60;
/// Where the clients' token travels: never on a command line.
const TOKEN: &str = "DARWIND_TOKEN";
/// The address's word for a server without runs.
pub(super) const BARE: &str = "-";

/// One load and what came of it.
#[derive(Debug, Serialize)]
struct Load {
    /// Events written.
    events: u64,
    /// Events written a second, as it came out.
    rate: f64,
    /// What the clients heard.
    #[serde(flatten)]
    heard: Heard,
    /// Latency beyond the batch interval, in milliseconds, at the median and the 99th of a hundred.
    beyond_batch_ms: [f64; 2],
    /// Processor seconds of the server's threads a second, the writing of the log not counted; none where the kernel does not tell.
    cpu: Option<f64>,
    /// What the server's process grew by, in bytes.
    memory: Option<i64>,
    /// Evaluations done meanwhile; none when they were left out.
    evaluations: Option<u64>,
}

/// Both loads.
#[derive(Debug, Serialize)]
struct Answer {
    clients: u32,
    darwind: Load,
    bare: Load,
}

/// `darwind bench live`.
pub(super) fn measure(flags: &LiveFlags, terminal: Terminal) -> Result<Exit, Failure> {
    if let Some([address, run]) = flags.audience.as_deref() {
        let token = std::env::var(TOKEN).unwrap_or_default();
        let heard = audience::listen(address, run, flags.clients, &token, terminal)?;
        terminal.json(&heard)?;
        return Ok(Exit::Done);
    }
    let answer = Answer { clients: flags.clients, darwind: real(flags)?, bare: bare(flags)? };
    if terminal.wants_json() {
        terminal.json(&answer)?;
        return Ok(Exit::Done);
    }
    for (name, load) in [("darwind", &answer.darwind), ("bare broadcast loop", &answer.bare)] {
        let Heard { p50_ms, p99_ms, max_ms, lost, frames, stalled, .. } = &load.heard;
        let [p50, p99] = load.beyond_batch_ms;
        terminal.line(&format!(
            "{name}: {} clients, {:.0} events/s: {p50_ms:.1} ms at the median, {p99_ms:.1} ms at p99, {max_ms:.1} ms at most \
             ({p50:.1} and {p99:.1} beyond the batch interval); {lost} lost; {frames} frames",
            answer.clients, load.rate
        ))?;
        let cpu =
            load.cpu.map_or_else(|| "unknown".to_owned(), |cpu| format!("{:.0} % of a core", cpu * 100.0));
        let memory = load
            .memory
            .map_or_else(|| "unknown".to_owned(), |bytes| format!("{:.1} MiB", bytes as f64 / 1048576.0));
        let evaluations = load.evaluations.map_or_else(|| "no".to_owned(), |count| count.to_string());
        terminal.line(&format!(
            "  processor {cpu}, memory +{memory}, {evaluations} evaluations beside it; a client that reads nothing: {stalled}"
        ))?;
    }
    Ok(Exit::Done)
}

/// The load through darwind's own server and log.
fn real(flags: &LiveFlags) -> Result<Load, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::caused("no temporary folder", error))?;
    let runs = DataFolder::locate(Some(folder.path().to_owned()))?.open()?;
    let run = data::new_run_id()?;
    let (listener, address) = listener()?;
    let token = data::random_hex(32)?;
    begin(&runs, &run)?;
    let draw = || data::random_hex(32).unwrap_or_default();
    let server = Server::start(Options {
        listener,
        access: Access::new(token.clone(), None, address, &[], draw),
        log: runs.log(),
        service: Arc::new(Hosted(Host::new(runs.clone()))),
        metrics_interval: Duration::from_secs(1),
        annex: None,
    })
    .map_err(|error| Failure::caused("the server cannot be started", error))?;
    let (log, stream) = (runs.log(), conductor::run_stream(&run));
    let mut written = 0;
    let mut write = |due: u64, last: bool| {
        let records = (0..due).map(|place| {
            written += 1;
            event(written, last && place + 1 == due)
        });
        let records = records.collect::<Result<Vec<_>, Failure>>()?;
        log.append(&stream, Expected::Any, &records)
            .map_err(|error| Failure::caused("the log cannot be written", error))?;
        Ok(())
    };
    let load = load(flags, (server.address(), run.as_str(), &token), &mut write);
    drop(server);
    load
}

/// The same load through the bare loop.
fn bare(flags: &LiveFlags) -> Result<Load, Failure> {
    let (listener, _) = listener()?;
    let bare = Bare::start(listener).map_err(|error| Failure::caused("the loop cannot be started", error))?;
    let mut written = 0;
    let mut write = |due: u64, last: bool| {
        for place in 0..due {
            written += 1;
            let record = event(written, last && place + 1 == due)?;
            let text = serde_json::json!({ "t": "d", "from": written, "to": written, "ev": [record.data] });
            bare.send(text.to_string());
        }
        Ok(())
    };
    load(flags, (bare.address(), BARE, ""), &mut write)
}

fn listener() -> Result<(TcpListener, SocketAddr), Failure> {
    let failed = |error| Failure::caused("no socket is to be had", error);
    let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// A run of which nothing but commands is recorded.
fn begin(runs: &Runs, run: &RunId) -> Result<(), Failure> {
    let senseless = |error| Failure::caused("the objective makes no sense", error);
    let objective = Objective::new("time", Direction::Minimize).map_err(senseless)?;
    let started = Event::RunStarted(Box::new(RunStarted {
        version: evolution::event::VERSION,
        run_id: run.clone(),
        agent_id: "bench".to_owned(),
        target: String::new(),
        seed: 1,
        objectives: ObjectiveSet::new(vec![objective]).map_err(senseless)?,
        settings: Settings::default(),
        budget: Budget::default(),
        proposers: Vec::<ProposerInfo>::new(),
        baseline: CommitId::new("0".repeat(40)),
        fingerprint: String::new(),
        shape: Shape::default(),
        configuration: serde_json::Value::Null,
    }));
    let record = conductor::record_of(now_us() / 1000, &started)
        .map_err(|error| Failure::caused("the first event cannot be written", error))?;
    runs.log()
        .append(&conductor::run_stream(run), Expected::Any, &[record])
        .map_err(|error| Failure::caused("the log cannot be written", error))?;
    Ok(())
}

/// An event that says when it was written, in microseconds, and whether it is the last.
fn event(number: u64, last: bool) -> Result<store::NewRecord, Failure> {
    let now = now_us();
    let refused = Event::ControlReceived(ControlReceived {
        id: format!("{number}"),
        command: Asked::PauseEvolution,
        reason: format!("{}{now}{}", audience::WRITTEN, "x".repeat(PADDING)),
        refused: Some(if last { audience::LAST.to_owned() } else { "a measurement".to_owned() }),
    });
    conductor::record_of(now / 1000, &refused)
        .map_err(|error| Failure::caused("an event cannot be written", error))
}

/// Unix time in microseconds.
pub(super) fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Feeds a server at a steady rate while an audience in another process listens.
fn load(
    flags: &LiveFlags,
    (address, run, token): (SocketAddr, &str, &str),
    write: &mut dyn FnMut(u64, bool) -> Result<(), Failure>,
) -> Result<Load, Failure> {
    let work = if flags.idle { None } else { Some(Work::begin()?) };
    let before = process::resident();
    let (mut audience, mut told) = gather(flags, address, run, token)?;
    let cpu_before = servers_cpu();
    let (began, length) = (Instant::now(), Duration::from_secs(u64::from(flags.seconds)));
    let total = u64::from(flags.rate) * u64::from(flags.seconds);
    let mut written = 0;
    while written < total {
        std::thread::sleep(FEED_EVERY);
        let passed = began.elapsed().min(length).as_secs_f64();
        let due = ((passed * f64::from(flags.rate)) as u64).min(total) - written;
        if due > 0 {
            written += due;
            write(due, written == total)?;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let cpu = servers_cpu()
        .zip(cpu_before)
        .map(|(after, before)| after.saturating_sub(before).as_secs_f64() / seconds);
    let memory = process::resident().zip(before).map(|(after, before)| after as i64 - before as i64);
    let evaluations = work.map(Work::end).transpose()?;
    let mut text = String::new();
    let failed = |error| Failure::caused("the audience is gone", error);
    told.read_to_string(&mut text).map_err(failed)?;
    audience.wait().map_err(failed)?;
    let heard: Heard = serde_json::from_str(&text)
        .map_err(|error| Failure::caused(format!("the audience said {text:?}"), error))?;
    let beyond_batch_ms = [heard.p50_ms, heard.p99_ms].map(|late| (late - BATCH_MS).max(0.0));
    Ok(Load { events: total, rate: total as f64 / seconds, heard, beyond_batch_ms, cpu, memory, evaluations })
}

/// Starts the audience and waits until every client listens.
fn gather(
    flags: &LiveFlags,
    address: SocketAddr,
    run: &str,
    token: &str,
) -> Result<(Child, BufReader<ChildStdout>), Failure> {
    let failed = |error| Failure::caused("the audience cannot be started", error);
    let program = std::env::current_exe().map_err(failed)?;
    let mut audience = Command::new(program)
        .args(["--json", "bench", "live", "--clients", &flags.clients.to_string(), "--audience"])
        .args([&address.to_string(), run])
        .env(TOKEN, token)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let gone =
        || Failure::work_with_help("the audience said nothing", "raise the limit of open files: `ulimit -n`");
    let mut told = BufReader::new(audience.stdout.take().ok_or_else(gone)?);
    let mut ready = String::new();
    told.read_line(&mut ready).map_err(failed)?;
    if ready.trim() == audience::READY { Ok((audience, told)) } else { Err(gone()) }
}

/// Processor time of the threads that serve: sockets, and following the log.
fn servers_cpu() -> Option<Duration> {
    let threads = process::cpu()?;
    Some(
        threads
            .iter()
            .filter(|(name, _)| ["api", "mirror"].contains(&name.as_str()))
            .map(|(_, used)| *used)
            .sum(),
    )
}
