//! What the walls cost: CPU time for launching a bare interpreter, against the same launched into cells of each level,
//! all interleaved so that the machine's other work weighs on each alike. Prints CPU milliseconds and ratios.
//!
//! `cargo build -p sandbox --bins --release && cargo run -p sandbox --release --example launch_cost [LAUNCHES]`

use sandbox::cell::{CellOutcome, Job, Lane, LaneOptions, Level, Limits};
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Launches one after the other before it is the next one's turn.
const BATCH: u32 = 5;
/// Launches of each kind when nothing is asked for.
const LAUNCHES: u32 = 200;

/// One way to launch, and what it has cost.
struct Way {
    name: String,
    lane: Option<Lane>,
    cpu_s: f64,
    /// CPU time of each launch as the report has it, in seconds.
    reported: Vec<f64>,
}

/// CPU seconds of this process, of the children that it waited for, and of its living children with theirs. The
/// launchers are such children.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let children = std::fs::read_to_string("/proc/thread-self/children")?;
    let mut sum = 0.0;
    for process in std::iter::once("self").chain(children.split_whitespace()) {
        let line = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
        let fields = line.rsplit(')').next().unwrap_or_default().split_whitespace();
        // User and system time, own and of those waited for: fields 14 to 17, see proc(5).
        sum += fields.skip(11).take(4).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>();
    }
    Ok(sum / ticks)
}

fn python() -> Result<(PathBuf, PathBuf), Box<dyn Error>> {
    let ask = "import sys, os; print(os.path.realpath(sys.executable)); print(sys.base_prefix)";
    let output = Command::new("python3").args(["-I", "-S", "-c", ask]).output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut lines = text.lines().map(PathBuf::from);
    Ok((lines.next().ok_or("no interpreter")?, lines.next().ok_or("no prefix")?))
}

fn job(python: &Path, prefix: &Path, scratch: PathBuf) -> Job {
    let word = |text: &str| text.to_owned();
    let system = ["/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache"].iter().map(PathBuf::from);
    Job {
        argv: vec![python.display().to_string(), word("-I"), word("-S"), word("-c"), word("pass")],
        env: Vec::new(),
        cwd: PathBuf::from("/"),
        stdin: Vec::new(),
        read_only: system.chain([python.to_owned(), prefix.join("lib")]).collect(),
        writable: vec![scratch],
        gateway: None,
        limits: Limits { wall: Duration::from_secs(60), ..Limits::default() },
    }
}

fn launch(way: &mut Way, job: &Job) -> Result<(), Box<dyn Error>> {
    match &mut way.lane {
        None => {
            let (program, arguments) = job.argv.split_first().ok_or("nothing to run")?;
            let mut command = Command::new(program);
            command
                .args(arguments)
                .env_clear()
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command.output()?;
        }
        Some(lane) => {
            let report = lane.run(job)?;
            if report.outcome != CellOutcome::Exited {
                return Err(format!("{:?}", report.outcome).into());
            }
            way.reported.push(report.cpu.as_secs_f64());
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let launches = std::env::args().nth(1).map_or(Ok(LAUNCHES), |text| text.parse())?;
    let binary = std::env::current_exe()?;
    let launcher =
        binary.parent().and_then(Path::parent).ok_or("an example lies in a folder")?.join("darwind_cell");
    let folder = tempfile::tempdir()?;
    let (python, prefix) = python()?;
    let job = job(&python, &prefix, folder.path().join("scratch"));
    let mut out = std::io::stdout().lock();
    let mut ways = vec![Way { name: "bare".to_owned(), lane: None, cpu_s: 0.0, reported: Vec::new() }];
    for level in [Level::L1, Level::L2, Level::L3] {
        let root = folder.path().join(level.to_string());
        std::fs::create_dir(&root)?;
        let lane = match Lane::start(LaneOptions { launcher: launcher.clone(), level, root }) {
            Ok(lane) => lane,
            Err(reason) => {
                writeln!(out, "skipped: level {level}: {reason}")?;
                continue;
            }
        };
        let mut way = Way { name: level.to_string(), lane: Some(lane), cpu_s: 0.0, reported: Vec::new() };
        match launch(&mut way, &job) {
            Ok(()) => ways.push(way),
            Err(reason) => writeln!(out, "skipped: level {level}: {reason}")?,
        }
    }
    for _ in 0..launches.div_ceil(BATCH) {
        for way in &mut ways {
            let before = cpu_seconds()?;
            for _ in 0..BATCH {
                launch(way, &job)?;
            }
            way.cpu_s += cpu_seconds()? - before;
        }
    }
    let count = f64::from(launches.div_ceil(BATCH) * BATCH);
    let bare = ways.first().map_or(f64::NAN, |way| way.cpu_s);
    writeln!(out, "{} launches of {} -I -S -c pass, each way", count, python.display())?;
    for way in &mut ways {
        way.reported.sort_by(f64::total_cmp);
        let median = way
            .reported
            .get(way.reported.len() / 2)
            .map_or(String::new(), |s| format!("{:.2} ms in the cell", s * 1e3));
        writeln!(
            out,
            "{:<5} {:6.2} CPU ms a launch  x {:.2}   {median}",
            way.name,
            way.cpu_s / count * 1e3,
            way.cpu_s / bare
        )?;
    }
    Ok(())
}
