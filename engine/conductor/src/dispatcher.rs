//! The loop. It takes one message at a time, asks the core what follows, appends the events, and only then carries the
//! orders out. It is the sole writer of the run's stream.

use crate::error::ConductorError;
use crate::executor::{Executor, ProposerTask, Report};
use crate::records::{ControlRequest, control_stream, record_of, run_stream};
use crate::recovery;
use crate::views::Views;
use evolution::candidate::{Patch, SourceFiles};
use evolution::decision::{Decision, Input, Order};
use evolution::engine::Engine;
use evolution::event::{Command, Event, News, ProposalRequested, RunStarted};
use evolution::id::{BASELINE, Number, RunId};
use evolution::ports::{
    Clock, EvaluationRequest, Evaluator, ProposalRequest, Proposer, Purpose, Screener, SnapshotRequest,
    Snapshots,
};
use evolution::state::State;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use store::{Expected, Log, NewRecord};

/// Longest time between two ticks of the loop.
const MAX_WAIT: Duration = Duration::from_millis(1000);
/// How long the listener for commands of other processes waits at a time.
const CONTROL_WAIT: Duration = Duration::from_millis(500);

/// Everything that a run needs from outside.
pub struct Ports {
    /// The durable log.
    pub log: Arc<dyn Log>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Git memory.
    pub snapshots: Box<dyn Snapshots>,
    /// Looks at files without running them.
    pub screener: Arc<dyn Screener>,
    /// Who may propose.
    pub proposers: Vec<Box<dyn Proposer>>,
    /// Who evaluates, one for each worker. Not empty.
    pub evaluators: Vec<Box<dyn Evaluator>>,
}

/// Where the loop's time went, in seconds of wall time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Ledger {
    /// From begin or resume to the end.
    pub wall_s: f64,
    /// Some evaluation was running.
    pub evaluator_s: f64,
    /// Neither an evaluation nor a proposer was running.
    pub overhead_s: f64,
}

/// How driving a run came to its end.
#[derive(Debug)]
pub struct Ending {
    /// The state at the end.
    pub state: State,
    /// Where the time went.
    pub ledger: Ledger,
    /// Whether the run was interrupted and can be resumed.
    pub interrupted: bool,
}

/// What wakes the loop.
enum Message {
    Report(Report),
    Control(ControlRequest),
    News(News),
    Interrupt(String),
}

/// Commands a run that is being driven, from any thread.
#[derive(Clone)]
pub struct Handle(Sender<Message>);

impl Handle {
    /// Sends a command; it is obeyed once for each id.
    pub fn command(&self, id: &str, command: Command, reason: &str) {
        let request = ControlRequest { id: id.to_owned(), command, reason: reason.to_owned() };
        // A run that is over hears nothing any more.
        let _ = self.0.send(Message::Control(request));
    }

    /// Tells the run what its peers did.
    pub fn news(&self, news: News) {
        let _ = self.0.send(Message::News(news));
    }

    /// Asks the loop to save and leave at once; evaluations under way are not waited for.
    pub fn interrupt(&self, reason: &str) {
        let _ = self.0.send(Message::Interrupt(reason.to_owned()));
    }
}

/// Drives one run.
pub struct Conductor {
    engine: Engine,
    log: Arc<dyn Log>,
    stream: String,
    seq: u64,
    clock: Arc<dyn Clock>,
    snapshots: Box<dyn Snapshots>,
    executor: Executor,
    views: Views,
    /// Patches whose proposals wait for their snapshot.
    patches: HashMap<Number, Patch>,
    messages: Receiver<Message>,
    sender: Sender<Message>,
    pending: VecDeque<Decision>,
    watch: Stopwatch,
    stop_listening: Arc<AtomicBool>,
}

impl Conductor {
    /// Begins a run: the first events are appended before this returns.
    pub fn begin(ports: Ports, started: RunStarted) -> Result<Self, ConductorError> {
        let now = ports.clock.now_ms();
        let run = started.run_id.clone();
        let (engine, decisions) = Engine::begin(started, ports.evaluators.len(), now)?;
        let mut conductor = Self::assemble(ports, engine, &run, 0)?;
        conductor.pending.extend(decisions);
        conductor.settle(&mut |_, _| {})?;
        Ok(conductor)
    }

    /// Takes up a run from its log. Its proposers hear the whole past again before they are asked anything.
    pub fn resume(ports: Ports, run: &RunId, reason: &str) -> Result<Self, ConductorError> {
        let now = ports.clock.now_ms();
        let past = recovery::read(ports.log.as_ref(), run)?;
        let seq = past.state.seq;
        let (engine, decisions) = Engine::resume(past.state, ports.evaluators.len(), reason, now)?;
        let mut conductor = Self::assemble(ports, engine, run, seq)?;
        for memory in past.memories {
            conductor.remind(memory)?;
        }
        conductor.pending.extend(decisions);
        conductor.settle(&mut |_, _| {})?;
        Ok(conductor)
    }

    /// Takes up a run that nobody drives, to obey one command about it, and answers the state after it. Only a rollback
    /// needs an evaluator.
    pub fn command(ports: Ports, run: &RunId, request: &ControlRequest) -> Result<State, ConductorError> {
        let state = crate::records::replay_state(ports.log.as_ref(), run)?;
        let (seq, now) = (state.seq, ports.clock.now_ms());
        let mut engine = Engine::revisit(state, now);
        let input = Input::Control {
            id: request.id.clone(),
            command: request.command.clone(),
            reason: request.reason.clone(),
        };
        let decisions = engine.step(input, now)?;
        let mut conductor = Self::assemble(ports, engine, run, seq)?;
        conductor.pending.extend(decisions);
        conductor.settle(&mut |_, _| {})?;
        while !conductor.engine.is_idle() {
            conductor.turn(&mut |_, _| {})?;
        }
        let state = conductor.engine.state().clone();
        conductor.close();
        Ok(state)
    }

    fn assemble(mut ports: Ports, engine: Engine, run: &RunId, seq: u64) -> Result<Self, ConductorError> {
        let (sender, messages) = channel();
        let baseline = engine.state().baseline().ok_or(ConductorError::NoCandidate(BASELINE))?.commit.clone();
        let baseline: Arc<SourceFiles> = Arc::new(ports.snapshots.files(&baseline)?);
        let executor = Executor::start(
            ports.proposers,
            ports.evaluators,
            &ports.screener,
            &baseline,
            &sender,
            Message::Report,
        )?;
        let mut views = Views::default();
        views.keep_files(BASELINE, baseline);
        Ok(Self {
            engine,
            stream: run_stream(run),
            seq,
            log: ports.log,
            clock: ports.clock,
            snapshots: ports.snapshots,
            executor,
            views,
            patches: HashMap::new(),
            messages,
            sender,
            pending: VecDeque::new(),
            watch: Stopwatch::new(),
            stop_listening: Arc::new(AtomicBool::new(false)),
        })
    }

    /// A handle to command the run while it is driven.
    pub fn handle(&self) -> Handle {
        Handle(self.sender.clone())
    }

    /// The state as it stands.
    pub fn state(&self) -> &State {
        self.engine.state()
    }

    /// Drives the run to its end, or until it is interrupted. `watch` sees the state after each event.
    pub fn drive(mut self, watch: &mut dyn FnMut(&State, &Event)) -> Result<Ending, ConductorError> {
        self.listen()?;
        let mut interrupted = false;
        while !self.engine.is_finished() && !interrupted {
            interrupted = self.turn(watch)?;
        }
        self.watch.stop();
        let ending = Ending { state: self.engine.state().clone(), ledger: self.watch.ledger, interrupted };
        if interrupted {
            // Evaluations under way are abandoned with the process; the log knows that they were under way.
            self.stop_listening.store(true, Ordering::Relaxed);
        } else {
            self.close();
        }
        Ok(ending)
    }

    fn close(self) {
        self.stop_listening.store(true, Ordering::Relaxed);
        drop(self.messages);
        self.executor.join();
    }

    /// Follows the stream through which other processes command this run.
    fn listen(&self) -> Result<(), ConductorError> {
        let run = self.engine.state().run.run_id.clone();
        let mut subscription = self.log.subscribe(&control_stream(&run), 0)?;
        let (sender, stop) = (self.sender.clone(), self.stop_listening.clone());
        let listener = move || {
            while !stop.load(Ordering::Relaxed) {
                let Ok(Some(record)) = subscription.recv_timeout(CONTROL_WAIT) else { continue };
                // A record that is no command was not written by darwind: there is nobody to answer.
                let Ok(request) = serde_json::from_value::<ControlRequest>(record.data) else { continue };
                if sender.send(Message::Control(request)).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(listener)
            .map_err(ConductorError::Thread)?;
        Ok(())
    }

    /// Waits for one message and does what follows from it. Answers whether it was an interruption.
    fn turn(&mut self, watch: &mut dyn FnMut(&State, &Event)) -> Result<bool, ConductorError> {
        let now = self.clock.now_ms();
        let until = self.engine.wake_at_ms().map_or(MAX_WAIT, |at| {
            Duration::from_millis(u64::try_from(at - now).unwrap_or(0))
                .clamp(Duration::from_millis(1), MAX_WAIT)
        });
        let input = match self.messages.recv_timeout(until) {
            Ok(Message::Report(report)) => self.hear(report),
            Ok(Message::Control(request)) => {
                Input::Control { id: request.id, command: request.command, reason: request.reason }
            }
            Ok(Message::News(news)) => Input::News(news),
            Ok(Message::Interrupt(reason)) => {
                let decisions = self.engine.interrupt(&reason, self.clock.now_ms())?;
                self.pending.extend(decisions);
                self.settle(watch)?;
                return Ok(true);
            }
            Err(RecvTimeoutError::Timeout) => Input::Tick,
            Err(RecvTimeoutError::Disconnected) => return Err(ConductorError::WorkerGone),
        };
        let decisions = self.engine.step(input, self.clock.now_ms())?;
        self.pending.extend(decisions);
        self.settle(watch)?;
        Ok(false)
    }

    fn hear(&mut self, report: Report) -> Input {
        match report {
            Report::Proposed { number, answer } => {
                self.watch.proposer_ended();
                let answer = answer.map(|answered| {
                    let (answer, patch) = *answered;
                    self.patches.insert(number, patch);
                    answer
                });
                Input::ProposalAnswered { number, answer }
            }
            Report::Evaluated { lane, number, purpose, result } => {
                self.watch.evaluator_ended();
                self.executor.release(lane, number, purpose);
                if let (Ok(evaluation), true) = (&result, purpose != Purpose::Verify) {
                    self.views.keep_evaluation(number, Arc::new(evaluation.as_ref().clone()));
                }
                Input::EvaluationAnswered { number, purpose, result }
            }
        }
    }

    /// Appends what the core recorded, then carries its orders out, until nothing is left.
    fn settle(&mut self, watch: &mut dyn FnMut(&State, &Event)) -> Result<(), ConductorError> {
        while !self.pending.is_empty() {
            // The core's own time, so that the log's fold is the live state to the millisecond.
            let now = self.engine.now_ms();
            let mut records: Vec<NewRecord> = Vec::new();
            let mut events = Vec::new();
            let mut orders = Vec::new();
            for decision in self.pending.drain(..) {
                match decision {
                    Decision::Record(event) => {
                        records.push(record_of(now, &event)?);
                        events.push(event);
                    }
                    Decision::Carry(order) => orders.push(order),
                }
            }
            if !records.is_empty() {
                self.seq = self.log.append(&self.stream, Expected::Exact(self.seq), &records)?;
            }
            for event in &events {
                watch(self.engine.state(), event);
            }
            for order in orders {
                self.carry(order)?;
            }
        }
        Ok(())
    }

    fn carry(&mut self, order: Order) -> Result<(), ConductorError> {
        match order {
            Order::Propose(requested) => self.propose(&requested),
            Order::Observe { proposer, feedback } => {
                self.patches.remove(&feedback.number);
                if !self.engine.state().eligible.contains(&feedback.number) {
                    self.views.forget(feedback.number);
                }
                self.executor.tell(&proposer, ProposerTask::Observe(feedback))
            }
            Order::Snapshot { number, parents, proposer, operator } => {
                self.snapshot(number, &parents, (&proposer, &operator))
            }
            Order::Evaluate { number, purpose, parent, failing_first, localise_from, seed } => {
                let state = self.engine.state();
                let files = self.views.files(state, self.snapshots.as_mut(), number)?;
                let log = self.log.as_ref();
                let parent = parent
                    .map(|parent| self.views.view(state, self.snapshots.as_mut(), log, parent))
                    .transpose()?;
                let request = EvaluationRequest {
                    number,
                    purpose,
                    files,
                    parent,
                    failing_first,
                    localise_from,
                    seed,
                    stop: Arc::default(),
                };
                self.watch.evaluator_began();
                self.executor.evaluate(request)
            }
            Order::Abort { number } => {
                self.executor.abort(number);
                Ok(())
            }
            Order::Annotate { number, scores, verdict } => {
                let record =
                    self.engine.state().candidate(number).ok_or(ConductorError::NoCandidate(number))?;
                let scores = scores.iter().map(|(name, value)| (name.to_owned(), value)).collect();
                Ok(self.snapshots.annotate(&record.commit, &scores, verdict)?)
            }
            Order::SetChampion { number } => {
                let record =
                    self.engine.state().candidate(number).ok_or(ConductorError::NoCandidate(number))?;
                Ok(self.snapshots.set_champion(&record.commit)?)
            }
        }
    }

    fn propose(&mut self, requested: &ProposalRequested) -> Result<(), ConductorError> {
        let (state, log) = (self.engine.state(), self.log.as_ref());
        let mut view = |number: &Number| self.views.view(state, self.snapshots.as_mut(), log, *number);
        let request = ProposalRequest {
            number: requested.number,
            operator: requested.operator.clone(),
            parents: requested.parents.iter().map(&mut view).collect::<Result<_, _>>()?,
            peers: requested.peers.iter().map(&mut view).collect::<Result<_, _>>()?,
            baseline: view(&BASELINE)?,
            learning_rate: requested.learning_rate,
            part: requested.part,
            seed: evolution::picking::proposal_seed(state.run.seed, requested.number),
        };
        self.watch.proposer_began();
        self.executor.tell(&requested.proposer, ProposerTask::Propose(Box::new(request)))
    }

    /// Commits a proposal and tells the core at once, so that nothing comes between.
    fn snapshot(
        &mut self,
        number: Number,
        parents: &[Number],
        by: (&str, &str),
    ) -> Result<(), ConductorError> {
        let state = self.engine.state();
        let patch = self.patches.remove(&number).ok_or(ConductorError::NoCandidate(number))?;
        let mut commits = Vec::new();
        for parent in parents {
            commits
                .push(state.candidate(*parent).ok_or(ConductorError::NoCandidate(*parent))?.commit.clone());
        }
        let base = parents.first().copied().unwrap_or(BASELINE);
        let files = self.views.files(state, self.snapshots.as_mut(), base)?;
        let id = state.id(number);
        let names = parents.iter().map(|parent| state.id(*parent).to_string()).collect::<Vec<_>>().join(" ");
        let time_ms = self.clock.now_ms();
        let request = SnapshotRequest {
            summary: format!("{}: {}", by.0, by.1),
            trailers: vec![
                ("Candidate".to_owned(), id.to_string()),
                ("Parents".to_owned(), names),
                ("Proposer".to_owned(), by.0.to_owned()),
                ("Operator".to_owned(), by.1.to_owned()),
            ],
            id,
            number,
            parents: commits,
            patch,
            time_ms,
        };
        let commit = self.snapshots.commit(&request)?;
        self.views.keep_files(number, Arc::new(files.patched(&request.patch)));
        let decisions = self.engine.step(Input::SnapshotMade { number, commit }, time_ms)?;
        self.pending.extend(decisions);
        Ok(())
    }

    fn remind(&mut self, memory: recovery::Memory) -> Result<(), ConductorError> {
        match memory {
            recovery::Memory::Tell { proposer, task } => self.executor.tell(&proposer, *task),
            recovery::Memory::Ask(requested) => self.propose(&requested),
        }
    }
}

/// Adds up wall time by who was at work.
struct Stopwatch {
    since: Instant,
    evaluators: u32,
    proposers: u32,
    ledger: Ledger,
}

impl Stopwatch {
    fn new() -> Self {
        Self { since: Instant::now(), evaluators: 0, proposers: 0, ledger: Ledger::default() }
    }

    fn stop(&mut self) {
        let now = Instant::now();
        let passed = now.duration_since(self.since).as_secs_f64();
        self.since = now;
        self.ledger.wall_s += passed;
        if self.evaluators > 0 {
            self.ledger.evaluator_s += passed;
        } else if self.proposers == 0 {
            self.ledger.overhead_s += passed;
        }
    }

    fn evaluator_began(&mut self) {
        self.stop();
        self.evaluators += 1;
    }

    fn evaluator_ended(&mut self) {
        self.stop();
        self.evaluators = self.evaluators.saturating_sub(1);
    }

    fn proposer_began(&mut self) {
        self.stop();
        self.proposers += 1;
    }

    fn proposer_ended(&mut self) {
        self.stop();
        self.proposers = self.proposers.saturating_sub(1);
    }
}
