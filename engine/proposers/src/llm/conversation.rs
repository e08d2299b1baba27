//! One proposal's talk with a model: the question, the answer, and one more turn when the answer could not be used.

use super::model::{AskError, Model, Question, Reply, Speaker};
use super::prompt::{Prompts, cut};
use crate::edit::{self, Format, Reason, Rejection};
use evolution::candidate::{Cost, ModelUsage, Patch, Proposal, SourceFiles};
use evolution::ports::{ProposerError, Spent};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Questions of one proposal: the first, and one that says what was wrong with the answer.
const MAX_TURNS: u32 = 2;
/// Longest sentence about a change, in characters.
const MAX_SUMMARY: usize = 240;
/// Longest answer that is shown to its own model again, in characters.
const MAX_REPEATED: usize = 16_000;
/// Longest description of a failure in the record, in characters.
const MAX_DETAIL: usize = 400;

/// Everything that the talk needs; nothing of the proposer's memory.
pub(super) struct Conversation {
    pub(super) model: Arc<dyn Model>,
    pub(super) question: Question,
    pub(super) format: Format,
    pub(super) operator: String,
    pub(super) parent: Arc<SourceFiles>,
    pub(super) prompts: Arc<Prompts>,
    /// Hashes of the prompts used, by their part.
    pub(super) used: Vec<(&'static str, String)>,
}

/// What happened so far.
#[derive(Default)]
pub(super) struct Story {
    usage: ModelUsage,
    exchanges: Vec<String>,
    answered_by: String,
    summary: String,
    /// What was wrong with the answers, in order.
    rejections: Vec<Rejection>,
}

impl Conversation {
    /// Talks until a change applies or the turns are over.
    pub(super) fn run(mut self) -> Result<Proposal, ProposerError> {
        let mut story = Story::default();
        for turn in 0..MAX_TURNS {
            self.question.turn = turn;
            let reply = match self.model.ask(&self.question) {
                Ok(reply) => reply,
                Err(error) => return Err(self.unanswered(&story, error)),
            };
            story.hear(&reply);
            match self.read(&reply) {
                Ok(patch) => return Ok(self.proposal(&story, patch)),
                Err(rejection) => {
                    self.object(&reply, &rejection);
                    story.rejections.push(rejection);
                }
            }
        }
        Err(self.unusable(&story))
    }

    fn read(&self, reply: &Reply) -> Result<Patch, Rejection> {
        let paths: Vec<&str> = self.parent.0.keys().map(String::as_str).collect();
        let read = edit::read(&reply.text, self.format, &paths);
        let patch = read.and_then(|edits| edit::apply(&edits, &self.parent));
        // What was cut off may still be whole as far as it goes; only a failure is blamed on the cut.
        patch.map_err(|rejection| match (reply.truncated, rejection.reason) {
            (true, Reason::NoEdit | Reason::Malformed | Reason::Syntax | Reason::Empty) => {
                let detail =
                    "the answer was cut off at the limit of tokens: write less, and only what changes";
                Rejection::new(Reason::Truncated, detail)
            }
            _ => rejection,
        })
    }

    /// Adds the answer and what was wrong with it to the talk.
    fn object(&mut self, reply: &Reply, rejection: &Rejection) {
        let values = BTreeMap::from([
            ("reason", rejection.reason.code().to_owned()),
            ("detail", rejection.detail.clone()),
        ]);
        let objection = self.prompts.render("repair", &values);
        let answer = if reply.text.trim().is_empty() { "(nothing)" } else { &reply.text };
        self.question.said.push((Speaker::Model, cut(answer, MAX_REPEATED)));
        self.question.said.push((Speaker::User, objection));
    }

    fn proposal(self, story: &Story, patch: Patch) -> Proposal {
        let rationale = if story.summary.is_empty() {
            format!("a change by {}", self.model.name())
        } else {
            story.summary.clone()
        };
        let detail = self.detail(story);
        Proposal { patch, rationale, operator: self.operator, detail, cost: story.cost() }
    }

    fn unanswered(&self, story: &Story, error: AskError) -> ProposerError {
        let error = match error {
            AskError::OutOfBudget(budget) => ProposerError::OutOfBudget(budget),
            AskError::Failed(reason) => ProposerError::Failed(format!("{}: {reason}", self.model.name())),
        };
        ProposerError::Spent(Box::new(Spent { error, detail: self.detail(story), cost: story.cost() }))
    }

    fn unusable(&self, story: &Story) -> ProposerError {
        let last = story.rejections.last();
        let reason = last.map_or_else(|| "no answer".to_owned(), ToString::to_string);
        let reason = cut(&reason, MAX_DETAIL);
        let error = match last.map(|rejection| rejection.reason) {
            Some(Reason::NoChange) => ProposerError::NoChange(reason),
            Some(Reason::UnknownFile | Reason::OutsideBlocks | Reason::TooLarge) => {
                ProposerError::Refused(reason)
            }
            _ => ProposerError::DoesNotApply(reason),
        };
        let (detail, cost) = (self.detail(story), story.cost());
        ProposerError::Spent(Box::new(Spent { error, detail, cost }))
    }

    fn detail(&self, story: &Story) -> serde_json::Value {
        let mut detail = story.detail(self.model.as_ref(), &self.question, &self.used);
        detail["format"] = json!(self.format);
        detail
    }
}

impl Story {
    pub(super) fn hear(&mut self, reply: &Reply) {
        self.usage.add(&reply.usage);
        self.exchanges.push(reply.exchange.clone());
        self.answered_by.clone_from(&reply.model);
        self.summary = summary(&reply.text);
    }

    /// What is noted down with a proposal, made or not.
    pub(super) fn detail(
        &self,
        model: &dyn Model,
        question: &Question,
        used: &[(&'static str, String)],
    ) -> serde_json::Value {
        let usage = &self.usage;
        json!({
            "model": model.name(),
            "answered_by": self.answered_by,
            "temperature": question.temperature,
            "exchanges": self.exchanges,
            "tokens": {
                "input": usage.input, "cached": usage.cached,
                "reasoning": usage.reasoning, "output": usage.output,
            },
            "cost_usd": usage.cost_usd,
            "prompts": used.iter().cloned().collect::<BTreeMap<_, _>>(),
            "rejections": self.rejections.iter().map(|rejection| rejection.reason.code()).collect::<Vec<_>>(),
            "summary": self.summary,
        })
    }

    pub(super) fn cost(&self) -> Cost {
        Cost { llm: self.usage, ..Cost::default() }
    }
}

/// The first sentence of an answer, if it begins with words and not with its change; of an answer in JSON, of its reason.
fn summary(answer: &str) -> String {
    let within = edit::reason_within(answer);
    let answer = within.as_deref().unwrap_or(answer);
    let line = answer.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = line.trim_start_matches(['#', '*', ' ']);
    if line.starts_with(['`', '<', '{', '[', '@', '-', '+']) || !line.contains(' ') {
        return String::new();
    }
    let sentence = line.split_inclusive(['.', '!', '?']).scan(0, |length, part| {
        // A full stop inside a number or a name does not end a sentence.
        let begins = *length == 0 || !part.starts_with(' ');
        *length += part.len();
        begins.then_some(part)
    });
    sentence.collect::<String>().chars().take(MAX_SUMMARY).collect()
}
