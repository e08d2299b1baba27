//! Threads for the ports: one for each proposer, fed in order; one for each evaluator, fed one job at a time. They share
//! no state with the loop; everything comes back as a message.

use crate::error::ConductorError;
use crate::views::{changed_bytes, changed_paths};
use evolution::candidate::Evaluation;
use evolution::candidate::{Patch, SourceFiles};
use evolution::decision::Answer;
use evolution::id::Number;
use evolution::ports::EvaluatorError;
use evolution::ports::{
    EvaluationRequest, Evaluator, ProposalFeedback, ProposalRequest, Proposer, ProposerError, Purpose,
    Screener,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

/// What comes back from a thread.
pub(crate) enum Report {
    /// A proposer answered.
    Proposed {
        /// Which proposal.
        number: Number,
        /// The answer and its patch.
        answer: Result<(Answer, Patch), ProposerError>,
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
    Observe(ProposalFeedback),
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

/// The threads of a run.
pub(crate) struct Executor {
    proposers: HashMap<String, Sender<ProposerTask>>,
    lanes: Vec<SyncSender<EvaluationRequest>>,
    idle: Vec<usize>,
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
        let mut executor =
            Self { proposers: HashMap::new(), lanes: Vec::new(), idle: Vec::new(), threads: Vec::new() };
        for proposer in proposers {
            let (sender, tasks) = channel();
            executor.proposers.insert(proposer.name().to_owned(), sender);
            let (screener, baseline, reports) = (screener.clone(), baseline.clone(), reports.clone());
            executor.spawn(format!("proposer {}", proposer.name()), move || {
                serve_proposer(proposer, &tasks, screener.as_ref(), &baseline, &|report| {
                    reports.send(wrap(report)).is_ok()
                });
            })?;
        }
        for (lane, evaluator) in evaluators.into_iter().enumerate() {
            // A lane has one job at a time, so its queue need not hold more.
            let (sender, jobs) = sync_channel(1);
            executor.lanes.push(sender);
            executor.idle.push(lane);
            let reports = reports.clone();
            executor.spawn(format!("evaluator {lane}"), move || {
                serve_evaluator(evaluator, lane, &jobs, &|report| reports.send(wrap(report)).is_ok());
            })?;
        }
        Ok(executor)
    }

    fn spawn(&mut self, name: String, body: impl FnOnce() + Send + 'static) -> Result<(), ConductorError> {
        let thread = std::thread::Builder::new().name(name).spawn(body).map_err(ConductorError::Thread)?;
        self.threads.push(thread);
        Ok(())
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
        sender.send(request).map_err(|_| ConductorError::WorkerGone)
    }

    /// An evaluator is free again.
    pub(crate) fn release(&mut self, lane: usize) {
        self.idle.push(lane);
    }

    /// Ends the threads and waits for them.
    pub(crate) fn join(mut self) {
        self.proposers.clear();
        self.lanes.clear();
        for thread in self.threads.drain(..) {
            // A thread that panicked has been reported where it happened.
            let _ = thread.join();
        }
    }
}

fn serve_proposer(
    mut proposer: Box<dyn Proposer>,
    tasks: &Receiver<ProposerTask>,
    screener: &dyn Screener,
    baseline: &SourceFiles,
    send: &dyn Fn(Report) -> bool,
) {
    while let Ok(task) = tasks.recv() {
        match task {
            ProposerTask::Observe(feedback) => proposer.observe(&feedback),
            ProposerTask::Recall { number, parents, operator, detail } => {
                proposer.recall(number, &parents, &operator, &detail);
            }
            ProposerTask::Propose(request) => {
                let answer = answer(proposer.as_mut(), &request, screener, baseline);
                if !send(Report::Proposed { number: request.number, answer }) {
                    return;
                }
            }
        }
    }
}

fn answer(
    proposer: &mut dyn Proposer,
    request: &ProposalRequest,
    screener: &dyn Screener,
    baseline: &SourceFiles,
) -> Result<(Answer, Patch), ProposerError> {
    let proposal = proposer.propose(request)?;
    let parent = request
        .parents
        .first()
        .ok_or_else(|| ProposerError::Failed("it was asked without a parent".to_owned()))?;
    let screening = screener.screen(&parent.files, &proposal.patch);
    let answer = Answer {
        rationale: proposal.rationale,
        detail: proposal.detail,
        fingerprint: screening.fingerprint,
        refused: screening.refused,
        files: changed_paths(&parent.files, &proposal.patch),
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
