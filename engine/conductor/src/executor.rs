//! Threads for the ports: one for each proposer, fed in order, with helpers for jobs of those that wait for somebody
//! else; one for each evaluator, fed one job at a time. They share no state with the loop; everything comes back as a
//! message.

use crate::error::ConductorError;
use crate::views::{changed_bytes, changed_paths};
use evolution::candidate::Evaluation;
use evolution::candidate::{Patch, SourceFiles};
use evolution::decision::Answer;
use evolution::id::Number;
use evolution::ports::EvaluatorError;
use evolution::ports::{
    EvaluationRequest, Evaluator, MAX_PARALLEL, ProposalFeedback, ProposalJob, ProposalRequest, Proposer,
    ProposerError, Purpose, Screener,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// What comes back from a thread.
pub(crate) enum Report {
    /// A proposer answered.
    Proposed {
        /// Which proposal.
        number: Number,
        /// The answer and its patch.
        answer: Result<Box<(Answer, Patch)>, ProposerError>,
    },
    /// An evaluator answered.
    Evaluated {
        /// Which evaluator, to give it the next job.
        lane: usize,
        /// Which candidate.
        number: Number,
        /// Why it was evaluated.
        purpose: Purpose,
        /// What was measured.
        result: Result<Box<Evaluation>, EvaluatorError>,
    },
}

/// What a proposer's thread is told, in the order of the log.
pub(crate) enum ProposerTask {
    /// Make a proposal.
    Propose(Box<ProposalRequest>),
    /// Hear what became of one.
    Observe(Box<ProposalFeedback>),
    /// Hear of one that was made before a restart.
    Recall {
        /// Its number.
        number: Number,
        /// Its parents.
        parents: Vec<Number>,
        /// Its operator.
        operator: String,
        /// What the proposer noted down.
        detail: serde_json::Value,
    },
}

/// A proposal that was begun, for whichever thread is free to finish it.
struct Begun {
    request: Box<ProposalRequest>,
    job: ProposalJob,
}

/// What finishing a proposal needs.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) screener: Arc<dyn Screener>,
    pub(crate) baseline: Arc<SourceFiles>,
}

/// The threads of a run.
pub(crate) struct Executor {
    proposers: HashMap<String, Sender<ProposerTask>>,
    lanes: Vec<SyncSender<EvaluationRequest>>,
    idle: Vec<usize>,
    /// How evaluations under way are told to end.
    stops: HashMap<(Number, Purpose), Arc<AtomicBool>>,
    threads: Vec<JoinHandle<()>>,
}

impl Executor {
    /// Starts a thread for each proposer and evaluator; what they answer goes to `reports`, wrapped by `wrap`.
    pub(crate) fn start<M: Send + 'static>(
        proposers: Vec<Box<dyn Proposer>>,
        evaluators: Vec<Box<dyn Evaluator>>,
        screener: &Arc<dyn Screener>,
        baseline: &Arc<SourceFiles>,
        reports: &Sender<M>,
        wrap: fn(Report) -> M,
    ) -> Result<Self, ConductorError> {
        let mut executor = Self {
            proposers: HashMap::new(),
            lanes: Vec::new(),
            idle: Vec::new(),
            stops: HashMap::new(),
            threads: Vec::new(),
        };
        for proposer in proposers {
            let (sender, tasks) = channel();
            executor.proposers.insert(proposer.name().to_owned(), sender);
            let desk = Desk { screener: screener.clone(), baseline: baseline.clone() };
            let helpers = start_helpers(proposer.as_ref(), &desk, reports, wrap)?;
            let reports = reports.clone();
            let waits = helpers.is_some();
            let thread = spawn(format!("proposer {}", proposer.name()), move || {
                serve_proposer(proposer, &tasks, helpers.as_ref(), &desk, &|report| {
                    reports.send(wrap(report)).is_ok()
                });
            })?;
            // One that waits for somebody else may do so long after the run is over; nobody needs its answer then.
            executor.threads.extend((!waits).then_some(thread));
        }
        for (lane, evaluator) in evaluators.into_iter().enumerate() {
            // A lane has one job at a time, so its queue need not hold more.
            let (sender, jobs) = sync_channel(1);
            executor.lanes.push(sender);
            executor.idle.push(lane);
            let reports = reports.clone();
            let thread = spawn(format!("evaluator {lane}"), move || {
                serve_evaluator(evaluator, lane, &jobs, &|report| reports.send(wrap(report)).is_ok());
            })?;
            executor.threads.push(thread);
        }
        Ok(executor)
    }

    /// Puts a task in a proposer's queue.
    pub(crate) fn tell(&self, proposer: &str, task: ProposerTask) -> Result<(), ConductorError> {
        match self.proposers.get(proposer) {
            Some(sender) => sender.send(task).map_err(|_| ConductorError::WorkerGone),
            // A log may name a proposer that is not used any more; there is nobody to tell.
            None => Ok(()),
        }
    }

    /// Hands a job to an idle evaluator. The core never orders more than there are.
    pub(crate) fn evaluate(&mut self, request: EvaluationRequest) -> Result<(), ConductorError> {
        let lane = self.idle.pop().ok_or(ConductorError::WorkerGone)?;
        let sender = self.lanes.get(lane).ok_or(ConductorError::WorkerGone)?;
        self.stops.insert((request.number, request.purpose), request.stop.clone());
        sender.send(request).map_err(|_| ConductorError::WorkerGone)
    }

    /// An evaluator has answered and is free again.
    pub(crate) fn release(&mut self, lane: usize, number: Number, purpose: Purpose) {
        self.stops.remove(&(number, purpose));
        self.idle.push(lane);
    }

    /// Tells the evaluator of a candidate to end what it runs. It answers all the same.
    pub(crate) fn abort(&self, number: Number) {
        if let Some(stop) = self.stops.get(&(number, Purpose::Judge)) {
            stop.store(true, Ordering::Relaxed);
        }
    }

    /// Ends the threads, and what runs on them, and waits for them.
    pub(crate) fn join(mut self) {
        self.stops.values().for_each(|stop| stop.store(true, Ordering::Relaxed));
        self.proposers.clear();
        self.lanes.clear();
        for thread in self.threads.drain(..) {
            // A thread that panicked has been reported where it happened.
            let _ = thread.join();
        }
    }
}

/// Starts threads that finish a proposer's jobs, when it leaves any to be done. Their queue holds one job: a
/// proposer is not to begin what cannot be worked on.
fn start_helpers<M: Send + 'static>(
    proposer: &dyn Proposer,
    desk: &Desk,
    reports: &Sender<M>,
    wrap: fn(Report) -> M,
) -> Result<Option<SyncSender<Begun>>, ConductorError> {
    let count = proposer.parallel().min(MAX_PARALLEL);
    if count == 0 {
        return Ok(None);
    }
    let (sender, begun) = sync_channel(1);
    let begun = Arc::new(Mutex::new(begun));
    for helper in 0..count {
        let (begun, desk, reports) = (begun.clone(), desk.clone(), reports.clone());
        spawn(format!("proposer {} {helper}", proposer.name()), move || {
            help(&begun, &desk, &|report| reports.send(wrap(report)).is_ok());
        })?;
    }
    Ok(Some(sender))
}

fn spawn(name: String, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, ConductorError> {
    std::thread::Builder::new().name(name).spawn(body).map_err(ConductorError::Thread)
}

fn serve_proposer(
    mut proposer: Box<dyn Proposer>,
    tasks: &Receiver<ProposerTask>,
    helpers: Option<&SyncSender<Begun>>,
    desk: &Desk,
    send: &dyn Fn(Report) -> bool,
) {
    while let Ok(task) = tasks.recv() {
        match task {
            ProposerTask::Observe(feedback) => proposer.observe(&feedback),
            ProposerTask::Recall { number, parents, operator, detail } => {
                proposer.recall(number, &parents, &operator, &detail);
            }
            ProposerTask::Propose(request) => {
                let job = proposer.begin(&request);
                let begun = Begun { request, job };
                let going_on = match helpers {
                    Some(helpers) => helpers.send(begun).is_ok(),
                    None => send(finish(begun, desk)),
                };
                if !going_on {
                    return;
                }
            }
        }
    }
}

fn help(queue: &Mutex<Receiver<Begun>>, desk: &Desk, send: &dyn Fn(Report) -> bool) {
    loop {
        // Whoever holds the lock waits for the next job; the others wait for the lock.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(begun) = next else { return };
        if !send(finish(begun, desk)) {
            return;
        }
    }
}

fn finish(begun: Begun, desk: &Desk) -> Report {
    let Begun { request, job } = begun;
    Report::Proposed { number: request.number, answer: answer(job, &request, desk).map(Box::new) }
}

/// Does a job, and looks at what it answers.
pub(crate) fn answer(
    job: ProposalJob,
    request: &ProposalRequest,
    Desk { screener, baseline }: &Desk,
) -> Result<(Answer, Patch), ProposerError> {
    let mut proposal = job()?;
    let parent = request
        .parents
        .first()
        .ok_or_else(|| ProposerError::Failed("it was asked without a parent".to_owned()))?;
    let screening = screener.screen(&parent.files, &proposal.patch);
    proposal.cost.llm.add(&screening.usage);
    let answer = Answer {
        rationale: proposal.rationale,
        detail: proposal.detail,
        fingerprint: screening.fingerprint,
        refused: screening.refused,
        files: changed_paths(&parent.files, &proposal.patch),
        shape: screening.shape,
        changed_bytes: changed_bytes(baseline, &parent.files.patched(&proposal.patch)),
        cost: proposal.cost,
    };
    Ok((answer, proposal.patch))
}

fn serve_evaluator(
    mut evaluator: Box<dyn Evaluator>,
    lane: usize,
    jobs: &Receiver<EvaluationRequest>,
    send: &dyn Fn(Report) -> bool,
) {
    while let Ok(request) = jobs.recv() {
        let result = evaluator.evaluate(&request).map(Box::new);
        let report = Report::Evaluated { lane, number: request.number, purpose: request.purpose, result };
        if !send(report) {
            return;
        }
    }
}
