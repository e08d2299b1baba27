//! The `llm` proposer: changes written by language models. Its operators are `edit` (some places), `rewrite` (whole
//! files), `crossover` (the best of two versions) and, for Python, `rank` (a choice among changes to the syntax tree); the
//! core learns which of them pay, a bandit which model to ask.
//!
//! What a question says is settled when it is begun, from what was observed until then; asking, reading the answer and
//! one repair turn are a job for any thread. So calls overlap, and the questions do not depend on who answers first.

mod attempts;
mod bandit;
mod context;
mod conversation;
mod model;
mod prompt;
mod rank;

pub use model::{AskError, Form, Model, Question, Reply, Speaker};
pub use prompt::{MAX_PROMPT_BYTES, PromptError, Prompts};

use crate::ast::{self, AstProposer};
use crate::edit::{Format, form};
use attempts::Attempts;
use bandit::Bandit;
use conversation::Conversation;
use evolution::candidate::SourceFiles;
use evolution::id::Number;
use evolution::learning_rate::mappings;
use evolution::ports::{
    OperatorPrior, ProposalFeedback, ProposalJob, ProposalRequest, Proposer, ProposerError,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rank::Candidates;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The proposer's name.
pub const NAME: &str = "llm";
/// The operator that changes some places.
pub const EDIT: &str = "edit";
/// The operator that writes files anew.
pub const REWRITE: &str = "rewrite";
/// The operator that joins two versions.
pub const CROSSOVER: &str = "crossover";
/// The operator that chooses among changes of the `ast` proposer.
pub const RANK: &str = "rank";
/// Default size of a question, in characters: about 12,000 tokens.
pub const DEFAULT_QUESTION: usize = 48_000;

/// What is evolved, in words for a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The target's name.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// What is measured.
    pub goals: Vec<Goal>,
}

/// One objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// Its name.
    pub name: String,
    /// Whether higher is better.
    pub maximize: bool,
    /// Its weight, 0 to 1.
    pub weight: f64,
    /// Its unit; may be empty.
    pub unit: String,
    /// What must be reached.
    pub threshold: Option<f64>,
}

/// How the proposer is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is evolved.
    pub task: Task,
    /// The prompts.
    pub prompts: Prompts,
    /// The notation of `edit` and `crossover`.
    pub format: Format,
    /// Whether answers are held to a grammar by servers that can: SEARCH/REPLACE of one line each, and single letters.
    /// It helps the smallest models and costs larger ones.
    pub grammar: bool,
    /// The source of changes to choose among; without it there is no operator `rank`.
    pub ast: Option<ast::Options>,
    /// Temperature, 0 to 2; the learning rate sets it when absent.
    pub temperature: Option<f64>,
    /// Largest size of a question, in characters.
    pub question: usize,
    /// Calls under way at once, 1 to [`evolution::ports::MAX_PARALLEL`].
    pub parallel: usize,
}

/// The proposer.
pub struct LlmProposer {
    options: Options,
    prompts: Arc<Prompts>,
    models: Vec<Arc<dyn Model>>,
    bandit: Bandit,
    attempts: Attempts,
    candidates: Option<Candidates>,
}

impl LlmProposer {
    /// A proposer that has proposed nothing yet and asks these models. Without any it fails whenever it is asked.
    pub fn new(options: Options, models: Vec<Arc<dyn Model>>) -> Self {
        Self {
            prompts: Arc::new(options.prompts.clone()),
            bandit: Bandit::new(models.len()),
            attempts: Attempts::default(),
            candidates: options.ast.clone().map(|ast| Candidates::new(AstProposer::new(ast))),
            options,
            models,
        }
    }

    fn prepare(&mut self, request: &ProposalRequest) -> Result<Conversation, ProposerError> {
        let failed = |reason: &str| ProposerError::Failed(reason.to_owned());
        let parent = request.parents.first().ok_or_else(|| failed("it was asked without a parent"))?;
        let format = match request.operator.as_str() {
            REWRITE => Format::WholeFile,
            EDIT | CROSSOVER => self.options.format,
            other => return Err(ProposerError::Failed(format!("the llm proposer has no operator {other}"))),
        };
        let mut values = self.values(request, parent.number);
        let model = self.next_model(request.number)?;
        values.insert("advice", self.advice(request));
        let own = |prompt: &str| self.prompts.hash(prompt);
        let used =
            [("system", own("system")), ("format", own(format.name())), ("task", own(&request.operator))];
        let format_text = self.prompts.render(format.name(), &Default::default());
        let system = self.prompts.render("system", &[("format", format_text)].into());
        let question = Question {
            number: request.number,
            turn: 0,
            system,
            said: vec![(Speaker::User, self.prompts.render(&request.operator, &values))],
            max_tokens: None,
            temperature: self
                .options
                .temperature
                .unwrap_or_else(|| mappings::temperature(request.learning_rate)),
            seed: request.seed,
            prompts: short(&used),
            form: self.form(format, &parent.files),
            likelihoods: false,
        };
        Ok(Conversation {
            model,
            question,
            format,
            operator: request.operator.clone(),
            parent: parent.files.clone(),
            prompts: self.prompts.clone(),
            used: used.map(|(part, hash)| (part, hash.to_owned())).into(),
        })
    }

    /// Draws candidates and leaves the choice among them to a job.
    fn prepare_choice(&mut self, request: &ProposalRequest) -> Result<ProposalJob, ProposerError> {
        let failed = |reason: &str| ProposerError::Failed(reason.to_owned());
        let parent = request.parents.first().ok_or_else(|| failed("it was asked without a parent"))?;
        let candidates =
            self.candidates.as_mut().ok_or_else(|| failed("there is nothing to choose among"))?;
        let drawn = candidates.draw(request)?;
        let mut values = self.values(request, parent.number);
        values.insert("candidates", drawn.shown(&parent.files));
        let model = self.next_model(request.number)?;
        let used = [("system", self.prompts.hash("judge")), ("task", self.prompts.hash(RANK))];
        let question = Question {
            number: request.number,
            turn: 0,
            system: self.prompts.render("judge", &Default::default()),
            said: vec![(Speaker::User, self.prompts.render(RANK, &values))],
            max_tokens: Some(rank::ANSWER_TOKENS),
            // The likeliest letter is wanted, not a surprising one.
            temperature: 0.0,
            seed: request.seed,
            prompts: short(&used),
            form: Form { schema: None, grammar: self.options.grammar.then(|| drawn.grammar()) }
                .unless_empty(),
            likelihoods: true,
        };
        let used: Vec<_> = used.iter().map(|(part, hash)| (*part, (*hash).to_owned())).collect();
        Ok(Box::new(move || drawn.choose(&model, &question, &used)))
    }

    /// What answers in a notation are held to.
    fn form(&self, format: Format, files: &SourceFiles) -> Option<Form> {
        let blocks = self.options.grammar && format == Format::SearchReplace;
        let form = Form {
            schema: (format == Format::Json).then(|| form::schema(files)),
            grammar: blocks.then(|| form::grammar(files)).flatten(),
        };
        form.unless_empty()
    }

    fn values(&self, request: &ProposalRequest, parent: Number) -> BTreeMap<&'static str, String> {
        context::values(&self.options.task, request, self.attempts.of(parent), self.options.question)
    }

    /// The model to ask for a proposal, which is then on its way.
    fn next_model(&mut self, number: Number) -> Result<Arc<dyn Model>, ProposerError> {
        let chosen = self.bandit.choose();
        let model = self.models.get(chosen).cloned();
        let model = model.ok_or_else(|| ProposerError::Failed("no model is configured".to_owned()))?;
        self.bandit.begin(number, chosen);
        Ok(model)
    }

    /// A hint that differs from one question to the next, since some models take no temperature: a bold one with a chance
    /// of twice the learning rate (one in five at the start, always at the largest), else a careful one.
    fn advice(&self, request: &ProposalRequest) -> String {
        let mut rng = ChaCha8Rng::seed_from_u64(request.seed);
        let bold = rng.random_bool((2.0 * request.learning_rate).clamp(0.0, 1.0));
        let lines = self.prompts.lines(if bold { "bold" } else { "careful" });
        if lines.is_empty() {
            return String::new();
        }
        lines.get(rng.random_range(0..lines.len())).cloned().unwrap_or_default()
    }

    /// The model that a proposal's notes name.
    fn model_in(&self, detail: &serde_json::Value) -> Option<usize> {
        let name = detail.get("model")?.as_str()?;
        self.models.iter().position(|model| model.name() == name)
    }
}

impl Proposer for LlmProposer {
    fn name(&self) -> &str {
        NAME
    }

    fn operators(&self) -> Vec<OperatorPrior> {
        // Shares of ShinkaEvolve's kinds of patch (edit 0.6, whole file 0.3, crossover 0.1), as beliefs.
        let operator = |name: &str, yield_mean: f64, parents: u8| OperatorPrior {
            name: name.to_owned(),
            yield_mean,
            strength: 4.0,
            parents,
        };
        let mut operators =
            vec![operator(EDIT, 0.3, 1), operator(REWRITE, 0.2, 1), operator(CROSSOVER, 0.1, 2)];
        operators.extend(self.candidates.is_some().then(|| operator(RANK, 0.2, 1)));
        operators
    }

    fn propose(
        &mut self,
        request: &ProposalRequest,
    ) -> Result<evolution::candidate::Proposal, ProposerError> {
        self.begin(request)()
    }

    fn parallel(&self) -> usize {
        self.options.parallel.max(1)
    }

    fn begin(&mut self, request: &ProposalRequest) -> ProposalJob {
        let job = match request.operator.as_str() {
            RANK => self.prepare_choice(request),
            _ => self.prepare(request).map(|talk| Box::new(move || talk.run()) as ProposalJob),
        };
        job.unwrap_or_else(|error| Box::new(move || Err(error)))
    }

    fn observe(&mut self, feedback: &ProposalFeedback) {
        let detail = &feedback.detail;
        let summary = detail.get("summary").and_then(serde_json::Value::as_str).unwrap_or_default();
        self.attempts.observe(feedback, summary);
        if let Some(candidates) = &mut self.candidates {
            candidates.observe(feedback);
        }
        if let Some(model) = self.model_in(detail) {
            let tokens = detail.get("tokens").and_then(|tokens| {
                Some(tokens.get("input")?.as_u64()?.saturating_add(tokens.get("output")?.as_u64()?))
            });
            let usd = detail.get("cost_usd").and_then(serde_json::Value::as_f64);
            let outcome = (feedback.result, feedback.cases_gained);
            self.bandit.observe(feedback.number, model, outcome, (tokens.unwrap_or(0), usd));
        }
    }

    fn recall(&mut self, number: Number, parents: &[Number], _: &str, detail: &serde_json::Value) {
        if let Some(candidates) = &mut self.candidates {
            candidates.recall(number, parents, detail);
        }
        if let Some(model) = self.model_in(detail) {
            self.bandit.begin(number, model);
        }
    }
}

/// The beginnings of the hashes of what a question is made of.
fn short(used: &[(&str, &str)]) -> String {
    used.iter().map(|(_, hash)| hash.get(..16).unwrap_or(hash)).collect::<Vec<_>>().join("+")
}

#[cfg(test)]
mod tests;
