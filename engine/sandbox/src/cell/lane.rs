//! A lane: the daemon's side of one launcher. It hands jobs over, collects their output within its limits, and speaks
//! with what runs inside line by line. One job at a time.

use super::group::{self, Delegation};
use super::launcher::LAUNCHER_ARGUMENT;
use super::wire::{self, Answer, LaunchOrder, Request, Verdict};
use super::{CellError, CellOutcome, CellReport, Exit, Job, Level, LimitKind};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use std::collections::VecDeque;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How much longer than its wall limit a job may take before its launcher is given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest time until a job notices that it is to end.
const LOOK: Duration = Duration::from_millis(100);
/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// How a lane is set up.
#[derive(Debug, Clone)]
pub struct LaneOptions {
    /// The binary that is a launcher when its first argument says so.
    pub launcher: PathBuf,
    /// The level of its cells.
    pub level: Level,
    /// An existing folder of the lane's own, in which cells' roots are put together.
    pub root: PathBuf,
}

/// One launcher and the way to speak with it. Dropping it ends the launcher and everything in its cell.
pub struct Lane {
    options: LaneOptions,
    launcher: Child,
    socket: UnixStream,
    /// Becomes true when what runs here is to end.
    stop: Arc<AtomicBool>,
    /// Where the control group of its cell is made, at the level that has one.
    group: Option<PathBuf>,
}

impl Drop for Lane {
    fn drop(&mut self) {
        let _ = self.launcher.kill();
        let _ = self.launcher.wait();
        if let Some(group) = &self.group {
            group::remove(group);
        }
    }
}

impl Lane {
    /// Starts a launcher.
    ///
    /// # Errors
    /// When the binary cannot be run.
    pub fn start(options: LaneOptions) -> Result<Self, CellError> {
        let delegation = match options.level {
            Level::L1 | Level::L2 => None,
            Level::L3 => Some(Delegation::find().map_err(|reason| CellError::Launcher {
                doing: "use control groups",
                source: std::io::Error::other(reason),
            })?),
        };
        let (mine, theirs) = UnixStream::pair().map_err(CellError::io("make a socket"))?;
        let launcher = Command::new(&options.launcher)
            .arg(LAUNCHER_ARGUMENT)
            .env_clear()
            .current_dir("/")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(CellError::io("start it"))?;
        let group = delegation.map(|delegation| delegation.leaf(launcher.id()));
        Ok(Self { options, launcher, socket: mine, stop: Arc::default(), group })
    }

    /// The level of its cells.
    pub fn level(&self) -> Level {
        self.options.level
    }

    /// From now on, what runs here ends when `stop` becomes true.
    pub fn heed(&mut self, stop: Arc<AtomicBool>) {
        self.stop = stop;
    }

    /// A new launcher in the place of one that is gone.
    fn renew(&mut self) -> Result<(), CellError> {
        let mut fresh = Self::start(self.options.clone())?;
        fresh.heed(self.stop.clone());
        *self = fresh;
        Ok(())
    }

    /// Runs a job to its end.
    ///
    /// # Errors
    /// When the launcher is gone and a new one cannot be started. A job that fails is a report, not an error.
    pub fn run(&mut self, job: &Job) -> Result<CellReport, CellError> {
        self.open(job)?.finish()
    }

    /// Starts a job to speak with.
    ///
    /// # Errors
    /// As [`Lane::run`].
    pub fn open(&mut self, job: &Job) -> Result<Session<'_>, CellError> {
        match self.hand_over(job) {
            Ok(streams) => Ok(Session::new(self, job, streams)),
            Err(_) => {
                // The launcher is gone, by a mishap of the last job or from outside: once more with a new one.
                self.renew()?;
                let streams = self.hand_over(job).map_err(CellError::io("hand a job over"))?;
                Ok(Session::new(self, job, streams))
            }
        }
    }

    fn hand_over(&mut self, job: &Job) -> std::io::Result<Streams> {
        let pipe = || pipe_with(PipeFlags::CLOEXEC);
        let (stdin_read, stdin_write) = pipe()?;
        let (stdout_read, stdout_write) = pipe()?;
        let (stderr_read, stderr_write) = pipe()?;
        let (report_read, report_write) = pipe()?;
        let (request_read, request_write) = pipe()?;
        let order = LaunchOrder {
            job: job.clone(),
            level: self.options.level,
            root: self.options.root.clone(),
            group: self.group.clone(),
        };
        let theirs =
            [&stdin_read, &stdout_write, &stderr_write, &report_write, &request_read].map(AsFd::as_fd);
        wire::send(&self.socket, &Request::Run(Box::new(order)), &theirs)?;
        let mine = [&stdin_write, &stdout_read, &stderr_read, &report_read, &request_write];
        for fd in mine {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        Ok(Streams {
            stdin: (!job.stdin.is_empty()).then_some(stdin_write),
            request: Some(request_write),
            outputs: [
                Output::new(stdout_read, job.limits.output),
                Output::new(stderr_read, job.limits.output),
                Output::new(report_read, job.limits.report),
            ],
        })
    }
}

/// The lane's ends of the child's streams.
struct Streams {
    stdin: Option<OwnedFd>,
    request: Option<OwnedFd>,
    /// Output, error output, report channel.
    outputs: [Output; 3],
}

/// A stream that is read up to a limit.
struct Output {
    fd: Option<OwnedFd>,
    bytes: VecDeque<u8>,
    /// Bytes that may still come.
    left: u64,
    overflowed: bool,
}

const REPORT: usize = 2;

impl Output {
    fn new(fd: OwnedFd, limit: u64) -> Self {
        Self { fd: Some(fd), bytes: VecDeque::new(), left: limit, overflowed: false }
    }

    /// Reads what is there.
    fn read(&mut self) {
        let mut chunk = [0u8; CHUNK];
        while let Some(fd) = &self.fd {
            match rustix::io::read(fd, &mut chunk) {
                Ok(0) => self.fd = None,
                Ok(count) => {
                    let kept = count.min(usize::try_from(self.left).unwrap_or(usize::MAX));
                    self.bytes.extend(chunk.iter().take(kept));
                    self.left -= kept as u64;
                    if kept < count {
                        self.overflowed = true;
                        return;
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => self.fd = None,
            }
        }
    }
}

/// What came of listening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A line, without its end.
    Line(Vec<u8>),
    /// The channel is closed: nothing will come any more.
    End,
    /// Nothing came in time.
    Timeout,
}

/// A job under way.
pub struct Session<'l> {
    lane: &'l mut Lane,
    streams: Streams,
    stdin: VecDeque<u8>,
    outgoing: VecDeque<u8>,
    deadline: Instant,
    /// Whether the cell has a gateway of its own network.
    listens: bool,
    verdict: Option<Verdict>,
    gateway: Option<TcpListener>,
    killed: Option<LimitKind>,
    broken: bool,
}

impl<'l> Session<'l> {
    fn new(lane: &'l mut Lane, job: &Job, streams: Streams) -> Self {
        let listens = job.gateway.is_some() && lane.level() >= Level::L2;
        Self {
            lane,
            streams,
            stdin: job.stdin.iter().copied().collect(),
            outgoing: VecDeque::new(),
            deadline: Instant::now() + job.limits.wall + PATIENCE,
            listens,
            verdict: None,
            gateway: None,
            killed: None,
            broken: false,
        }
    }

    /// The listener on which the cell's connections to its gateway arrive; waited for until it is there. `None` at level
    /// 1, where the gateway listens itself, for jobs without one, and when the cell could not be made.
    pub fn gateway(&mut self) -> Option<TcpListener> {
        let until = Instant::now() + PATIENCE;
        while self.gateway.is_none() && self.verdict.is_none() && !self.broken && Instant::now() < until {
            if !self.listens {
                return None;
            }
            self.pump(LOOK);
        }
        self.gateway.take()
    }

    /// Puts bytes in the queue for the request channel; they are written while listening.
    pub fn send(&mut self, bytes: &[u8]) {
        self.outgoing.extend(bytes);
        self.write();
    }

    /// Waits for the next line of the report channel.
    pub fn receive(&mut self, wait: Duration) -> Received {
        let until = Instant::now() + wait;
        loop {
            if let Some(line) = self.take_line() {
                return Received::Line(line);
            }
            let report_open = self.streams.outputs.get(REPORT).is_some_and(|report| report.fd.is_some());
            if !report_open || self.verdict.is_some() || self.broken {
                return Received::End;
            }
            let now = Instant::now();
            if now >= until {
                return Received::Timeout;
            }
            self.pump(until - now);
        }
    }

    fn take_line(&mut self) -> Option<Vec<u8>> {
        let report = self.streams.outputs.get_mut(REPORT)?;
        let end = report.bytes.iter().position(|byte| *byte == b'\n')?;
        let mut line: Vec<u8> = report.bytes.drain(..=end).collect();
        line.pop();
        Some(line)
    }

    /// Ends the job now.
    pub fn kill(&mut self) {
        if self.verdict.is_none() && self.killed.is_none() {
            self.killed = Some(LimitKind::Output);
            self.broken |= wire::send(&self.lane.socket, &Request::Kill, &[]).is_err();
        }
    }

    /// Closes the request channel, waits for the end and reports.
    ///
    /// # Errors
    /// When the launcher had to be given up and a new one cannot be started.
    pub fn finish(mut self) -> Result<CellReport, CellError> {
        self.streams.stdin = self.streams.stdin.take().filter(|_| !self.stdin.is_empty());
        while self.verdict.is_none() && !self.broken {
            if self.outgoing.is_empty() {
                self.streams.request = None;
            }
            if Instant::now() >= self.deadline {
                self.broken = true;
            }
            self.pump(Duration::from_millis(500));
        }
        for output in &mut self.streams.outputs {
            output.read();
        }
        if self.broken && self.verdict.is_none() {
            self.lane.renew()?;
        }
        Ok(self.report())
    }

    fn report(mut self) -> CellReport {
        let truncated = self.streams.outputs.iter().any(|output| output.overflowed);
        let [stdout, stderr, report] =
            self.streams.outputs.each_mut().map(|output| Vec::from(std::mem::take(&mut output.bytes)));
        let level = self.lane.options.level;
        let lost = || Verdict {
            outcome: CellOutcome::SandboxError("the launcher did not answer".to_owned()),
            exit: Exit::None,
            wall_us: 0,
            cpu_us: 0,
            cpu_verified: false,
            peak_memory: 0,
            denials: Vec::new(),
        };
        let verdict = self.verdict.take().unwrap_or_else(lost);
        // Nothing is left to be ended when this session is dropped.
        self.broken = true;
        CellReport {
            outcome: if truncated && verdict.outcome == CellOutcome::Exited {
                CellOutcome::Limit(LimitKind::Output)
            } else {
                verdict.outcome
            },
            exit: verdict.exit,
            stdout,
            stderr,
            report,
            wall: Duration::from_micros(verdict.wall_us),
            cpu: Duration::from_micros(verdict.cpu_us),
            cpu_verified: verdict.cpu_verified,
            peak_memory: verdict.peak_memory,
            denials: verdict.denials,
            level,
            truncated,
        }
    }

    /// Moves bytes for at most `wait`, and notices the end.
    fn pump(&mut self, wait: Duration) {
        if self.lane.stop.load(Ordering::Relaxed) {
            self.kill();
        }
        let wait = wait.min(LOOK);
        let timeout = Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(wait.subsec_nanos()),
        };
        let mut fds = vec![PollFd::new(&self.lane.socket, PollFlags::IN)];
        fds.extend(
            self.streams
                .outputs
                .iter()
                .filter_map(|output| output.fd.as_ref())
                .map(|fd| PollFd::new(fd, PollFlags::IN)),
        );
        let writers = [(&self.streams.stdin, &self.stdin), (&self.streams.request, &self.outgoing)];
        for (fd, bytes) in writers {
            fds.extend(fd.as_ref().filter(|_| !bytes.is_empty()).map(|fd| PollFd::new(fd, PollFlags::OUT)));
        }
        let _ = poll(&mut fds, Some(&timeout));
        let spoke = fds.first().is_some_and(|fd| !fd.revents().is_empty());
        drop(fds);
        self.write();
        let mut overflowed = false;
        for output in &mut self.streams.outputs {
            output.read();
            overflowed |= output.overflowed;
            if output.overflowed {
                // What comes beyond the limit is not wanted; closing the pipe stops the writer too.
                output.fd = None;
            }
        }
        if overflowed {
            self.kill();
        }
        if spoke {
            match wire::receive::<Answer>(&self.lane.socket) {
                Ok(Some((Answer::Over(verdict), _))) => self.verdict = Some(verdict),
                Ok(Some((Answer::Gateway, mut fds))) => self.gateway = fds.pop().map(TcpListener::from),
                Ok(None) | Err(_) => self.broken = true,
            }
        }
    }

    fn write(&mut self) {
        write_some(&mut self.streams.stdin, &mut self.stdin);
        if self.stdin.is_empty() {
            self.streams.stdin = None;
        }
        write_some(&mut self.streams.request, &mut self.outgoing);
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // A session that was not finished leaves the lane in the middle of a job: end it, so that the next can begin.
        if self.verdict.is_none() && !self.broken {
            self.kill();
            let until = Instant::now() + PATIENCE;
            while self.verdict.is_none() && !self.broken && Instant::now() < until {
                self.pump(Duration::from_millis(100));
            }
        }
    }
}

fn write_some(fd: &mut Option<OwnedFd>, bytes: &mut VecDeque<u8>) {
    while let Some(open) = fd.as_ref().filter(|_| !bytes.is_empty()) {
        let (front, _) = bytes.as_slices();
        match rustix::io::write(open, front) {
            Ok(count) => {
                bytes.drain(..count);
            }
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return,
            // Nobody reads any more.
            Err(_) => {
                *fd = None;
                bytes.clear();
            }
        }
    }
}
