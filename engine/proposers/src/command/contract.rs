//! What a command is given: the task of the contract `evolve-agent/1` as JSON, the same as text for agents that read
//! prose, and the evidence of what failed. The contract is described in `docs/agents.md`; this is its only writer.

use super::{Aim, Options};
use crate::workbench::Allowance;
use evolution::candidate::Evaluation;
use evolution::id::{BASELINE, Number};
use evolution::ports::{CandidateView, FeedbackResult, ProposalFeedback, ProposalRequest};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;

/// The contract's name and version.
pub const PROTOCOL: &str = "evolve-agent/1";
/// The task as JSON.
pub const TASK_FILE: &str = "task.json";
/// The task as text.
pub const TEXT_FILE: &str = "task.md";
/// Folder of the evidence.
pub const EVIDENCE_FOLDER: &str = "evidence";
/// The parent's own output when it was judged, below the evidence.
const LOG_FILE: &str = "log.txt";
/// Most failed cases that are named, in one task.
const MAX_FAILED: usize = 200;
/// Most notes of earlier attempts in one task.
const MAX_NOTES: usize = 12;
/// Longest note, in characters.
const MAX_NOTE: usize = 300;
/// Bytes that a difference may have, as the command is told.
const DIFF_BYTES: u64 = 4 << 20;

/// The task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Task {
    /// [`PROTOCOL`].
    pub protocol: &'static str,
    /// `propose` or `solve`.
    pub kind: &'static str,
    /// The run's name.
    pub run: String,
    /// The attempt's name.
    pub attempt: String,
    /// Seed for every random draw of this attempt.
    pub seed: u64,
    /// What is to be improved, in words.
    pub goal: String,
    /// What it starts from.
    pub parent: Parent,
    /// What is measured.
    pub objective: Vec<Objective>,
    /// Files that may change.
    pub editable: Vec<String>,
    /// Files that may not.
    pub protected: Vec<String>,
    /// What failed, one entry a case.
    pub evidence: Vec<Evidence>,
    /// Others worth learning from.
    pub inspirations: Vec<Inspiration>,
    /// What came of earlier attempts, newest first.
    pub notes: Vec<String>,
    /// Models that can be asked; none without a gateway.
    pub models: Vec<String>,
    /// What may be used.
    pub limits: Limits,
}

/// The candidate that a task starts from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parent {
    /// Its name.
    pub id: String,
    /// Its snapshot.
    pub commit: String,
    /// How many changes of this proposer lie between the baseline and it.
    pub generation: u32,
    /// Its scores and every further number that was measured on it.
    pub metrics: BTreeMap<String, f64>,
    /// Names of the cases that it fails.
    pub failed: Vec<String>,
}

/// An objective.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Objective {
    /// Its name among the metrics.
    pub metric: String,
    /// `max` or `min`.
    pub direction: &'static str,
    /// What it must reach for a candidate to be viable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
}

/// What is known of a case that failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// The case.
    pub task: String,
    /// How it failed.
    pub outcome: String,
    /// File below the evidence's folder with the output.
    pub log: &'static str,
}

/// Another candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspiration {
    /// Its name.
    pub id: String,
    /// Its scores.
    pub metrics: BTreeMap<String, f64>,
}

/// What a command may use.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Limits {
    /// Wall seconds.
    pub wall_s: f64,
    /// Tokens of language models.
    pub llm_tokens: u64,
    /// Calls of language models.
    pub llm_calls: u64,
    /// Bytes of the changed files.
    pub diff_bytes: u64,
}

/// Every document of an attempt, by path below their folder.
pub fn documents(
    options: &Options,
    request: &ProposalRequest,
    seed: u64,
    (notes, allowance): (&Notes, Option<&Allowance>),
) -> BTreeMap<String, Vec<u8>> {
    let Some(parent) = request.parents.first() else { return BTreeMap::new() };
    let mut task = task(options, request, parent, seed, notes);
    if let Some(allowance) = allowance {
        task.models.push(allowance.model.clone());
        (task.limits.llm_calls, task.limits.llm_tokens) = (allowance.calls.into(), allowance.tokens);
    }
    let text = text(&task, &parent.evaluation);
    // A task is plain data, which cannot fail to be written.
    let json = serde_json::to_vec_pretty(&task).unwrap_or_default();
    BTreeMap::from([
        (TASK_FILE.to_owned(), json),
        (TEXT_FILE.to_owned(), text.into_bytes()),
        (format!("{EVIDENCE_FOLDER}/{LOG_FILE}"), parent.evaluation.log.clone().into_bytes()),
    ])
}

fn task(
    options: &Options,
    request: &ProposalRequest,
    parent: &CandidateView,
    seed: u64,
    notes: &Notes,
) -> Task {
    let failed: Vec<_> =
        parent.evaluation.cases.iter().filter(|case| !case.passed).take(MAX_FAILED).collect();
    let objective = |aim: &Aim| Objective {
        metric: aim.metric.clone(),
        direction: aim.direction,
        threshold: aim.threshold,
    };
    let inspiration =
        |peer: &CandidateView| Inspiration { id: peer.id.to_string(), metrics: metrics(&peer.evaluation) };
    Task {
        protocol: PROTOCOL,
        kind: "propose",
        run: options.run_id.clone(),
        attempt: format!("{}-{}", options.run_id, request.number),
        seed,
        goal: options.goal.clone(),
        parent: Parent {
            id: parent.id.to_string(),
            commit: parent.commit.to_string(),
            generation: notes.generation(parent.number),
            metrics: metrics(&parent.evaluation),
            failed: failed.iter().map(|case| case.name.clone()).collect(),
        },
        objective: options.aims.iter().map(objective).collect(),
        editable: options.editable.clone(),
        protected: options.protected.clone(),
        evidence: failed
            .iter()
            .map(|case| Evidence { task: case.name.clone(), outcome: case.failure.clone(), log: LOG_FILE })
            .collect(),
        inspirations: request.peers.iter().map(inspiration).collect(),
        notes: notes.newest_first(),
        models: Vec::new(),
        limits: Limits {
            wall_s: options.wall.as_secs_f64(),
            llm_tokens: 0,
            llm_calls: 0,
            diff_bytes: DIFF_BYTES,
        },
    }
}

/// Scores and further numbers of an evaluation.
fn metrics(evaluation: &Evaluation) -> BTreeMap<String, f64> {
    let mut metrics = evaluation.metrics.clone();
    metrics.extend(evaluation.scores.iter().map(|(name, score)| (name.to_owned(), score)));
    metrics
}

/// The task in prose.
fn text(task: &Task, evaluation: &Evaluation) -> String {
    let mut text = format!("# Improve this program\n\n{}\n\n## What is measured\n\n", task.goal);
    // Writing to a string cannot fail.
    for objective in &task.objective {
        let word = if objective.direction == "max" { "higher" } else { "lower" };
        let now = task.parent.metrics.get(&objective.metric);
        let now = now.map_or_else(|| "not measured yet".to_owned(), |now| format!("now {now}"));
        let _ = writeln!(text, "- `{}`, {word} is better ({now})", objective.metric);
    }
    text.push_str("\n## Rules\n\nEdit the files in the working folder. Only these may change:\n\n");
    for path in &task.editable {
        let _ = writeln!(text, "- `{path}`");
    }
    text.push_str(
        "\nEvery other file is protected: a change to one of them spoils the attempt. There is no network. The edited \
         files are the answer; they are tested and measured afterwards, and nothing that is printed counts. When the \
         change is made, stop.\n",
    );
    if !task.parent.failed.is_empty() {
        text.push_str("\n## What fails\n\n");
        for evidence in &task.evidence {
            let _ = writeln!(text, "- `{}`: {}", evidence.task, evidence.outcome);
        }
    }
    if !evaluation.log.trim().is_empty() {
        let _ = write!(text, "\n## Its output when it was judged\n\n```\n{}\n```\n", evaluation.log.trim());
    }
    if !task.notes.is_empty() {
        text.push_str("\n## Earlier attempts, newest first\n\n");
        for note in &task.notes {
            let _ = writeln!(text, "- {note}");
        }
    }
    text
}

/// What earlier attempts came to: a fold of what the proposer hears.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Notes {
    newest: VecDeque<String>,
    generations: HashMap<Number, u32>,
}

impl Notes {
    /// A child was made.
    pub(super) fn descend(&mut self, number: Number, parents: &[Number]) {
        let parent = parents.first().copied().unwrap_or(BASELINE);
        let generation = self.generation(parent) + 1;
        self.generations.insert(number, generation);
    }

    /// Changes of this proposer between the baseline and a candidate.
    fn generation(&self, number: Number) -> u32 {
        self.generations.get(&number).copied().unwrap_or(0)
    }

    /// A proposal was judged.
    pub(super) fn learn(&mut self, feedback: &ProposalFeedback) {
        let became = match feedback.result {
            FeedbackResult::Accepted => "an improvement".to_owned(),
            FeedbackResult::Archived => "no improvement".to_owned(),
            _ => format!("came to nothing ({})", feedback.reason),
        };
        let words = |name: &str| feedback.detail.get(name).and_then(serde_json::Value::as_str);
        let Some(summary) = words("summary").filter(|summary| !summary.is_empty()) else { return };
        let gained = feedback
            .cases_gained
            .map_or_else(String::new, |gained| format!(" ({:+.0} % of the cases)", gained * 100.0));
        let note: String = format!("{summary}: {became}{gained}").chars().take(MAX_NOTE).collect();
        self.newest.push_front(note);
        self.newest.truncate(MAX_NOTES);
    }

    fn newest_first(&self) -> Vec<String> {
        self.newest.iter().cloned().collect()
    }
}
