//! The watch over one cell, in the launcher: the clock, the lane, the tree's memory, processes and CPU time, the counted
//! calls. It stops the whole tree when a limit is passed and sums up when everything is over.
#![expect(unsafe_code, reason = "wait4, which tells what a child has cost, has no safe binding")]

use super::child::Note;
use super::fence::Places;
use super::filter::{self, Call};
use super::group::Leaf;
use super::wire::{self, Answer, LaunchOrder, Request, Verdict};
use super::{CellOutcome, Denial, Exit, Level, LimitKind, Limits, network, tree};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, getpgid, kill_process, kill_process_group, pidfd_open};
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Time to the first look at the tree. Most cells are over before.
const FIRST_SAMPLE: Duration = Duration::from_millis(20);
/// Time between looks.
const SAMPLE_EVERY: Duration = Duration::from_millis(50);
/// Looking at folders takes at most this part of the time.
const FOLDERS_SHARE: u32 = 20;
/// Rounds of killing and reaping after the first process is gone.
const MAX_KILL_ROUNDS: usize = 10_000;

/// Processes and threads that a candidate may have beyond its limit.
const SPARE_PROCESSES: u64 = 8;

/// What the kernel allows a cell in processes and threads: the limit, some to spare, and the cell's first process.
pub(super) fn most_processes(limits: &Limits) -> u64 {
    u64::from(limits.processes) + SPARE_PROCESSES + 1
}

/// Watches one cell.
pub(super) struct Watch<'a> {
    order: &'a LaunchOrder,
    first: Pid,
    status: Option<UnixStream>,
    listener: Option<OwnedFd>,
    /// The listener of the cell's gateway, on its way to the lane.
    gateway: Option<OwnedFd>,
    /// The writable folders of a fenced cell, which no file system limits.
    places: Option<Places>,
    /// The control group of a metered cell.
    leaf: Option<Leaf>,
    began: Instant,
    sample_at: Instant,
    folders_at: Instant,
    peak_sum: u64,
    /// CPU microseconds that the tree was seen to have used: at least what the bill must say.
    seen_us: u64,
    denials: BTreeMap<&'static str, u32>,
    /// Whether the counted calls were listened to.
    listened: bool,
    /// Whether the candidate asked for children whose cost nobody is told.
    hid_children: bool,
    ended: Option<End>,
    failed: Option<String>,
}

/// What the first process said when everything was over.
struct End {
    exit: Exit,
    cpu_us: u64,
    own_us: u64,
    peak_memory: u64,
    full: Option<LimitKind>,
}

/// Who spoke.
struct Heard {
    lane: bool,
    status: bool,
    listener: PollFlags,
    first_ended: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(order: &'a LaunchOrder, first: Pid, status: UnixStream, began: Instant) -> Self {
        Self {
            order,
            first,
            status: Some(status),
            listener: None,
            gateway: None,
            places: None,
            leaf: None,
            began,
            sample_at: began + FIRST_SAMPLE,
            folders_at: began + FIRST_SAMPLE,
            peak_sum: 0,
            seen_us: 0,
            denials: BTreeMap::new(),
            listened: false,
            hid_children: false,
            ended: None,
            failed: None,
        }
    }

    /// Adds what the level has beside processes.
    pub(super) fn with(self, places: Option<Places>, leaf: Option<Leaf>) -> Self {
        Self { places, leaf, ..self }
    }

    /// Watches until everything is over.
    pub(super) fn follow(mut self, lane: &UnixStream) -> Verdict {
        let pidfd = pidfd_open(self.first, PidfdFlags::empty()).ok();
        let deadline = self.began + self.order.job.limits.wall;
        let verdict = loop {
            let now = Instant::now();
            if now >= deadline {
                break Some(CellOutcome::WallTimeout);
            }
            let over = if now >= self.sample_at { self.sample() } else { None };
            if over.is_some() {
                break over;
            }
            let wait = deadline.min(self.sample_at).saturating_duration_since(Instant::now());
            let heard = self.poll(lane, pidfd.as_ref(), wait);
            if heard.lane {
                // A word from the lane while a job runs, or its end, can only mean one thing.
                let _ = wire::receive::<Request>(lane);
                break Some(CellOutcome::Limit(LimitKind::Output));
            }
            if heard.listener.contains(PollFlags::IN) {
                self.answer();
            } else if heard.listener.contains(PollFlags::HUP) {
                // Nobody is left who could call.
                self.listener = None;
            }
            if heard.status {
                self.hear();
            }
            if let Some(gateway) = self.gateway.take() {
                // A lane that is gone is noticed above.
                let _ = wire::send(lane, &Answer::Gateway, &[gateway.as_fd()]);
            }
            if heard.first_ended || self.ended.is_some() || self.failed.is_some() {
                break None;
            }
        };
        self.end(verdict)
    }

    fn poll(&self, lane: &UnixStream, pidfd: Option<&OwnedFd>, wait: Duration) -> Heard {
        let status = self.status.as_ref().map_or(lane.as_fd(), AsFd::as_fd);
        let listener = self.listener.as_ref().map_or(lane.as_fd(), AsFd::as_fd);
        let first = pidfd.map_or(lane.as_fd(), AsFd::as_fd);
        let flags = |there: bool| if there { PollFlags::IN } else { PollFlags::empty() };
        let mut fds = [
            PollFd::from_borrowed_fd(lane.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(status, flags(self.status.is_some())),
            PollFd::from_borrowed_fd(listener, flags(self.listener.is_some())),
            PollFd::from_borrowed_fd(first, flags(pidfd.is_some())),
        ];
        let timeout = Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(wait.subsec_nanos()),
        };
        let _ = poll(&mut fds, Some(&timeout));
        let [lane, status, listener, first] = fds.map(|fd| fd.revents());
        let spoke = |flags: PollFlags| flags.intersects(PollFlags::IN | PollFlags::HUP);
        Heard {
            lane: spoke(lane),
            status: self.status.is_some() && spoke(status),
            listener: if self.listener.is_some() { listener } else { PollFlags::empty() },
            first_ended: pidfd.is_some() && spoke(first),
        }
    }

    /// Looks at the tree. Answers which limit it is over.
    fn sample(&mut self) -> Option<CellOutcome> {
        self.sample_at = Instant::now() + SAMPLE_EVERY;
        let limits = &self.order.job.limits;
        let used = tree::usage(self.first.as_raw_nonzero().get());
        self.peak_sum = self.peak_sum.max(used.resident);
        self.seen_us = self.seen_us.max(used.cpu_us);
        // A look now and then misses what is soon over, so whoever stays below what the kernel allows is never stopped:
        // otherwise chance would decide about a program that goes over the limit for a moment.
        if used.tasks + 1 >= most_processes(limits) {
            return Some(CellOutcome::Limit(LimitKind::Processes));
        }
        if used.resident > limits.memory {
            return Some(CellOutcome::Limit(LimitKind::Memory));
        }
        if u128::from(used.cpu_us) > limits.cpu.as_micros() {
            return Some(CellOutcome::CpuTimeout);
        }
        self.look_at_folders().map(CellOutcome::Limit)
    }

    fn look_at_folders(&mut self) -> Option<LimitKind> {
        let places = self.places.as_ref()?;
        let began = Instant::now();
        if began < self.folders_at {
            return None;
        }
        let over = places.over(self.order.job.limits.disk, self.order.job.limits.files.into());
        self.folders_at = Instant::now() + began.elapsed() * FOLDERS_SHARE;
        over
    }

    fn answer(&mut self) {
        let Some(listener) = &self.listener else { return };
        match filter::answer_next(listener) {
            Ok(Some(Call::Denied(name))) => {
                let count = self.denials.entry(name).or_default();
                *count = count.saturating_add(1);
            }
            Ok(Some(Call::HidesChildren)) => self.hid_children = true,
            Ok(Some(Call::Connects(asked))) => {
                if !network::connect(listener, &asked, self.order.job.gateway) {
                    let count = self.denials.entry("connect").or_default();
                    *count = count.saturating_add(1);
                }
            }
            // The caller was killed before it was asked, or asked for nothing new.
            Ok(None | Some(Call::KeepsDefault)) => {}
            Err(_) => self.listener = None,
        }
    }

    fn hear(&mut self) {
        let Some(status) = &self.status else { return };
        match wire::receive::<Note>(status) {
            Ok(Some((Note::Listening, mut fds))) => {
                self.listener = fds.pop();
                self.listened = self.listener.is_some();
            }
            Ok(Some((Note::Gateway, mut fds))) => self.gateway = fds.pop(),
            Ok(Some((Note::Failed(reason), _))) => self.failed = Some(reason),
            Ok(Some((Note::Ended { exit, cpu_us, own_us, peak_memory, full }, _))) => {
                self.ended = Some(End { exit, cpu_us, own_us, peak_memory, full });
            }
            Ok(None) | Err(_) => self.status = None,
        }
    }

    /// Ends what is left and sums up.
    fn end(mut self, stopped: Option<CellOutcome>) -> Verdict {
        if stopped.is_some() {
            self.sample();
            self.kill_tree();
        }
        // A candidate that was refused a call and then killed must not wait for an answer.
        self.listener = None;
        let (reaped_us, reaped_peak) = self.reap_all();
        // The first process may have spoken just before it went.
        while self.ended.is_none() && self.failed.is_none() && self.status.is_some() {
            self.hear();
        }
        let wall_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let limits = &self.order.job.limits;
        let left = self.places.take().and_then(|places| places.over(limits.disk, limits.files.into()));
        let killed =
            End { exit: Exit::None, cpu_us: reaped_us, own_us: 0, peak_memory: reaped_peak, full: None };
        let told = self.ended.is_some();
        let End { exit, cpu_us, own_us, peak_memory, full } = self.ended.unwrap_or(killed);
        let books = self.leaf.as_ref().map(Leaf::books);
        let stopped = stopped.or(match books {
            Some(books) if books.out_of_memory > 0 => Some(CellOutcome::Limit(LimitKind::Memory)),
            Some(books) if books.refused > 0 => Some(CellOutcome::Limit(LimitKind::Processes)),
            _ => None,
        });
        // The first process's own work is in the group's books, but is not the candidate's.
        let metered_us = books.map_or(0, |books| books.cpu_us.saturating_sub(own_us));
        let peak_memory = peak_memory.max(self.peak_sum);
        let stopped = stopped.or(full.filter(|_| exit == Exit::None).map(CellOutcome::Limit));
        let full = full.or(left).or((peak_memory > limits.memory).then_some(LimitKind::Memory));
        let outcome = match (stopped, self.failed) {
            (Some(outcome), _) => outcome,
            (None, Some(reason)) => CellOutcome::SandboxError(reason),
            (None, None) => match (outcome_of(exit, cpu_us, limits.cpu), full) {
                (CellOutcome::Exited, Some(kind)) => CellOutcome::Limit(kind),
                (outcome, _) => outcome,
            },
        };
        Verdict {
            outcome,
            exit,
            wall_us,
            cpu_us: cpu_us.max(self.seen_us).max(metered_us),
            cpu_verified: books.is_some() || told && self.listened && !self.hid_children,
            peak_memory,
            denials: self
                .denials
                .iter()
                .map(|(what, count)| Denial { what: (*what).to_owned(), count: *count })
                .collect(),
        }
    }

    fn kill_tree(&self) {
        if let Some(leaf) = &self.leaf {
            leaf.kill();
        }
        if self.order.level < Level::L2 {
            // What is orphaned meanwhile comes to us.
            kill_below(self.first);
        }
        let _ = kill_process(self.first, Signal::KILL);
    }

    /// Reaps everything that is or becomes this process's child; answers CPU microseconds and largest resident bytes.
    fn reap_all(&self) -> (u64, u64) {
        let (mut cpu_us, mut peak) = (0, 0);
        for _ in 0..MAX_KILL_ROUNDS {
            // One is waited for, and those that are dead as well are taken along.
            let mut options = 0;
            while let Some(usage) = reap_one(options) {
                let micros =
                    |time: libc::timeval| u64::try_from(time.tv_sec * 1_000_000 + time.tv_usec).unwrap_or(0);
                cpu_us += micros(usage.ru_utime) + micros(usage.ru_stime);
                peak = peak.max(u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024);
                options = libc::WNOHANG;
            }
            if options == 0 {
                break;
            }
            kill_below(rustix::process::getpid());
        }
        (cpu_us, peak)
    }
}

/// Waits for a child that has ended, and answers what it used. `None` when there is none, or none yet.
fn reap_one(options: i32) -> Option<libc::rusage> {
    // SAFETY: all zeroes is a valid `rusage`, and the kernel writes within it.
    let (pid, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(-1, std::ptr::null_mut(), options, &raw mut usage), usage)
    };
    (pid > 0).then_some(usage)
}

/// Kills everything below a process. Whole groups are killed at once, since a process that forks and ends over and over
/// is gone before it can be killed by its number; a fenced candidate cannot leave its group.
fn kill_below(root: Pid) {
    let own = rustix::process::getpgrp();
    let mut groups = BTreeSet::new();
    for process in tree::descendants(root.as_raw_nonzero().get()).into_iter().rev().filter_map(Pid::from_raw)
    {
        // A process that was not yet in the candidate's group is in ours, which is the daemon's.
        let group = getpgid(Some(process)).ok().filter(|group| *group != own);
        if let Some(group) = group.filter(|group| groups.insert(group.as_raw_nonzero())) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = kill_process(process, Signal::KILL);
    }
}

/// What an end of the candidate means.
fn outcome_of(exit: Exit, cpu_us: u64, cpu: Duration) -> CellOutcome {
    match exit {
        Exit::Signal(libc::SIGXCPU) => CellOutcome::CpuTimeout,
        Exit::Signal(libc::SIGKILL) if u128::from(cpu_us) >= cpu.as_micros() => CellOutcome::CpuTimeout,
        Exit::Signal(libc::SIGXFSZ) => CellOutcome::Limit(LimitKind::Disk),
        Exit::None => CellOutcome::SandboxError("the cell's first process ended without a word".to_owned()),
        _ => CellOutcome::Exited,
    }
}
