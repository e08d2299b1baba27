//! Proposers that are commands: `agent`, any program that edits files, and `self_modification`, the candidate's own
//! program pointed at itself. Both are given the same documents and judged by the same rule: what counts is how the
//! tree differs afterwards, never what the command says of itself.

pub mod contract;
mod verdict;

use crate::acp::Client;
use crate::workbench::{Errand, Leave, Outcome, Places, Workbench, WorkbenchError};
use contract::{Notes, TASK_FILE, TEXT_FILE};
use evolution::candidate::{Cost, Patch, Proposal, SourceFiles};
use evolution::errand::Dialogue;
use evolution::id::Number;
use evolution::ports::{
    CandidateView, FeedbackResult, OperatorPrior, ProposalFeedback, ProposalRequest, Proposer, ProposerError,
    Spent,
};
use std::collections::HashMap;
use std::time::Duration;
use verdict::{Answer, Difference, judge};

/// How often a child is asked to propose before it counts as sterile: one that draws by chance may fail once.
pub const FERTILITY_ATTEMPTS: u64 = 2;
/// Answers for one parent that came to nothing new, after which it is not asked again for that parent.
pub const MAX_BARREN: u32 = 6;
/// What is expected of a command before the run: a share of its proposals, worth a few observations.
const YIELD: f64 = 0.2;
const STRENGTH: f64 = 4.0;

/// Whose program the command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A stranger's, installed on the machine.
    Agent,
    /// The candidate's own: the parent's code edits its child.
    SelfModification,
}

impl Role {
    /// The proposer's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::SelfModification => "self_modification",
        }
    }

    fn operator(self) -> &'static str {
        match self {
            Self::Agent => "edit",
            Self::SelfModification => "improve",
        }
    }
}

/// How a command is spoken with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// Not at all: its task is among its arguments and documents.
    #[default]
    Silent,
    /// By the Agent Client Protocol over its standard streams.
    Acp,
}

/// An objective as a command is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Aim {
    /// The objective's name.
    pub metric: String,
    /// `max` or `min`.
    pub direction: &'static str,
    /// Below (or above) it a candidate is not viable.
    pub threshold: Option<f64>,
    /// Unit of its scores.
    pub unit: Option<String>,
}

/// How a command is set up.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Whose it is.
    pub role: Role,
    /// The command with its placeholders, see [`fill`].
    pub run: Vec<String>,
    /// Environment beside the few variables that every command has, with placeholders.
    pub env: Vec<(String, String)>,
    /// Whether the gateway is found by the variables of the contract, since `run` and `env` do not say where it is.
    pub announce: bool,
    /// How it is spoken with.
    pub protocol: Protocol,
    /// What is to be improved, in words.
    pub goal: String,
    /// What is measured.
    pub aims: Vec<Aim>,
    /// Files that may change.
    pub editable: Vec<String>,
    /// Files that may not, as far as they are worth naming.
    pub protected: Vec<String>,
    /// Wall time of one answer.
    pub wall: Duration,
    /// Time without output and without a change of any file.
    pub idle: Duration,
    /// The run's name.
    pub run_id: String,
}

/// The word of a command that stands for the files that may change.
const FILES: &str = "{files}";
/// Most files that are named to a command in its words; the task names them all.
const MAX_FILES: usize = 100;

/// The proposer.
pub struct CommandProposer {
    options: Options,
    workbench: Box<dyn Workbench>,
    notes: Notes,
    /// Answers that came to nothing new, by parent.
    barren: HashMap<Number, u32>,
}

impl CommandProposer {
    /// A proposer that has proposed nothing yet.
    pub fn new(options: Options, workbench: Box<dyn Workbench>) -> Self {
        Self { options, workbench, notes: Notes::default(), barren: HashMap::new() }
    }

    /// Runs the command on a candidate's files.
    fn work(
        &mut self,
        request: &ProposalRequest,
        files: &SourceFiles,
        seed: u64,
    ) -> Result<Outcome, ProposerError> {
        let places = self.workbench.places();
        let allowance = self.workbench.allowance();
        let documents = contract::documents(&self.options, request, seed, (&self.notes, allowance.as_ref()));
        let attempt = format!("{} {}, seed {seed}", self.options.role.name(), request.number);
        let failed = |WorkbenchError(reason)| ProposerError::Failed(reason);
        let leave = self.workbench.admit(&attempt).map_err(failed)?;
        let text = documents.get(TEXT_FILE).map(|text| String::from_utf8_lossy(text).into_owned());
        let is_own = |path: &str| self.options.role == Role::SelfModification && self.workbench.holds(path);
        let text = text.unwrap_or_default();
        let words = spread(&self.options.run, &self.options.editable);
        let argv = fill(&words, (&places, leave.as_ref()), &text, &is_own);
        let filled = |(name, value): &(String, String)| (name.clone(), with_leave(value, leave.as_ref()));
        let mut env: Vec<(String, String)> = self.options.env.iter().map(filled).collect();
        let announced = leave.iter().filter(|_| self.options.announce);
        env.extend(announced.flat_map(|leave| leave.env.iter().cloned()));
        env.extend(contract_variables(&places));
        let (wall, idle) = (self.options.wall, self.options.idle);
        let mut client = match self.options.protocol {
            Protocol::Silent => None,
            Protocol::Acp => Some(Client::new(&places.work, &text)),
        };
        let dialogue = client.as_mut().map(|client| client as &mut dyn Dialogue);
        let errand = Errand { argv, env, files, start: None, documents, wall, idle };
        let mut outcome = self.workbench.run(&errand, dialogue).map_err(failed)?;
        if let Some(client) = client {
            client.conclude(&mut outcome);
        }
        Ok(outcome)
    }

    /// Whether the child can still propose a child of its own, so that a line cannot breed itself sterile. The child is
    /// given what its parent was given.
    fn is_fertile(
        &mut self,
        request: &ProposalRequest,
        child: &SourceFiles,
        cost: &mut Cost,
    ) -> Result<bool, ProposerError> {
        for attempt in 1..=FERTILITY_ATTEMPTS {
            let outcome = self.work(request, child, request.seed.wrapping_add(attempt))?;
            add(cost, outcome.cost);
            let difference = Difference::of(&outcome, &self.options.editable);
            if difference.refused.is_none() && !difference.patch.0.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What an attempt comes to, and whether its child may live.
    fn appraise(
        &mut self,
        request: &ProposalRequest,
        parent: &CandidateView,
        outcome: &Outcome,
        cost: &mut Cost,
    ) -> Result<Proposal, ProposerError> {
        let answer = Answer::read(outcome.result.as_deref());
        let (patch, answer) = judge(outcome, &self.options.editable, answer)?;
        if self.options.role == Role::SelfModification && !patch.0.is_empty() {
            let child = parent.files.patched(&patch);
            if !self.is_fertile(request, &child, cost)? {
                return Err(ProposerError::Refused(format!(
                    "sterile: the child was asked {FERTILITY_ATTEMPTS} times and proposed no child of its own"
                )));
            }
        }
        Ok(self.proposal(patch, &answer, outcome, *cost))
    }

    fn proposal(&self, patch: Patch, answer: &Answer, outcome: &Outcome, cost: Cost) -> Proposal {
        Proposal {
            patch,
            rationale: answer.rationale(self.options.role.name()),
            operator: self.options.role.operator().to_owned(),
            detail: answer.detail(outcome),
            cost,
        }
    }
}

/// A command in which the word `{files}` is one word for each of the files that may change, at most [`MAX_FILES`].
pub fn spread(run: &[String], editable: &[String]) -> Vec<String> {
    let words = run.iter().flat_map(|word| {
        if word == FILES {
            editable.iter().take(MAX_FILES).map(|file| format!("{{work}}/{file}")).collect()
        } else {
            vec![word.clone()]
        }
    });
    words.collect()
}

/// Replaces the placeholders of a command: `{task}` and `{request}`, the task as text and as JSON, by their paths;
/// `{prompt}` by the text itself; `{self}`, `{work}` and `{result}` by the places; `{url}`, `{token}` and `{model}` by what
/// leads to a model. For a candidate's own command a word that names one of its files becomes that file of the parent, so
/// that a half-done edit cannot break the editor.
pub fn fill(
    run: &[String],
    (places, leave): (&Places, Option<&Leave>),
    text: &str,
    is_own: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    let show = |path: &std::path::Path| path.display().to_string();
    let values = [
        ("{task}", show(&places.documents.join(TEXT_FILE))),
        ("{request}", show(&places.documents.join(TASK_FILE))),
        ("{self}", show(&places.own)),
        ("{work}", show(&places.work)),
        ("{result}", show(&places.result)),
        // Last, so that nothing in the text is taken for a placeholder.
        ("{prompt}", text.to_owned()),
    ];
    let filled = |word: &String| {
        let name = word.strip_prefix("./").unwrap_or(word);
        if is_own(name) {
            return show(&places.own.join(name));
        }
        let word = with_leave(word, leave);
        values.iter().fold(word, |word, (placeholder, value)| word.replace(placeholder, value))
    };
    run.iter().map(filled).collect()
}

/// A text with what leads to a model in the places for it.
fn with_leave(text: &str, leave: Option<&Leave>) -> String {
    let Some(leave) = leave else { return text.to_owned() };
    text.replace("{url}", &leave.url).replace("{token}", &leave.token).replace("{model}", &leave.model)
}

/// Variables of the contract.
pub fn contract_variables(places: &Places) -> Vec<(String, String)> {
    let show = |path: &std::path::Path| path.display().to_string();
    [
        ("EVOLVE_SELF", show(&places.own)),
        ("EVOLVE_TASK", show(&places.documents.join(TASK_FILE))),
        ("EVOLVE_EVIDENCE", show(&places.documents.join(contract::EVIDENCE_FOLDER))),
        ("EVOLVE_RESULT", show(&places.result)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn add(sum: &mut Cost, cost: Cost) {
    sum.wall_s += cost.wall_s;
    sum.cpu_s += cost.cpu_s;
    sum.launches += cost.launches;
    sum.llm.add(&cost.llm);
}

/// An attempt that came to nothing, with what a model was paid for it.
fn paid(error: ProposerError, cost: Cost) -> ProposerError {
    if cost.llm.is_nothing() {
        return error;
    }
    ProposerError::Spent(Box::new(Spent { error, detail: serde_json::Value::Null, cost }))
}

fn first_parent(request: &ProposalRequest) -> Result<CandidateView, ProposerError> {
    let parent = request.parents.first().cloned();
    parent.ok_or_else(|| ProposerError::Failed("it was asked without a parent".to_owned()))
}

impl Proposer for CommandProposer {
    fn name(&self) -> &str {
        self.options.role.name()
    }

    fn operators(&self) -> Vec<OperatorPrior> {
        let name = self.options.role.operator().to_owned();
        vec![OperatorPrior { name, yield_mean: YIELD, strength: STRENGTH, parents: 1 }]
    }

    fn propose(&mut self, request: &ProposalRequest) -> Result<Proposal, ProposerError> {
        let parent = first_parent(request)?;
        if self.barren.get(&parent.number).is_some_and(|barren| *barren >= MAX_BARREN) {
            return Err(ProposerError::Exhausted(format!("{MAX_BARREN} answers brought nothing new")));
        }
        let outcome = self.work(request, &parent.files, request.seed)?;
        let mut cost = outcome.cost;
        self.appraise(request, &parent, &outcome, &mut cost).map_err(|error| paid(error, cost))
    }

    fn observe(&mut self, feedback: &ProposalFeedback) {
        self.notes.descend(feedback.number, &feedback.parents);
        self.notes.learn(feedback);
        let nothing_new = matches!(feedback.result, FeedbackResult::Duplicate | FeedbackResult::Discarded);
        if let Some(parent) = feedback.parents.first().filter(|_| nothing_new) {
            *self.barren.entry(*parent).or_default() += 1;
        }
    }

    fn recall(&mut self, number: Number, parents: &[Number], _operator: &str, _detail: &serde_json::Value) {
        self.notes.descend(number, parents);
    }
}

#[cfg(test)]
mod tests;
