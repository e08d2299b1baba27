//! The `ast` proposer: changes to the syntax tree, without a model. Its operators are families of changes with one
//! purpose each (`repair`, `speed`, `simplify`, `numeric`, `crossover`); the core learns which of them pay.
//!
//! An operator whose changes can be listed keeps a pool for each parent, ordered best first, and hands out each change
//! once. The proposer's memory (which changes were handed out, how far a numeric step has shrunk) is a fold of what it
//! is told, so a resumed run goes on where it stood.

mod crossover;
mod lessons;
mod numeric;
mod pool;
mod reading;
pub mod repair;
mod rewrites;
mod scene;
pub mod simplify;
pub mod speed;
mod versions;

pub use pool::{Change, MAX_POOL};
pub use scene::{Scene, SceneFile};

use evolution::candidate::{Cost, FileChange, Patch, Proposal};
use evolution::id::Number;
use evolution::learning_rate::mappings;
use evolution::ports::{
    FeedbackResult, OperatorPrior, ProposalFeedback, ProposalRequest, Proposer, ProposerError,
};
use lessons::{Lessons, lesson_of};
use pool::{Pool, key_of};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use versions::Experience;

/// The proposer's name.
pub const NAME: &str = "ast";

/// Pools kept in memory; the one used longest ago is made again when it is needed.
const MAX_POOLS: usize = 12;
/// Pool entries tried for one proposal before it is given up: entries can turn out not to parse.
const MAX_TRIES: usize = 64;

/// Factor on the score of a change in a part of the search that a peer looks at first: it waits behind most of the own part, and
/// is not given up. What it comes to is measured in `docs/two-daemons.md`.
const OTHERS_PART: f64 = 0.3;

/// What the target is evolved for: it decides which operators are offered and what is expected of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Cases fail and should pass.
    Repair,
    /// It should take less time.
    Speed,
    /// A number reported by an evaluator should rise or fall.
    Tune,
    /// It should be smaller or simpler, or use less memory.
    Shrink,
}

/// How the proposer is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What the target is evolved for. Empty means everything.
    pub purposes: BTreeSet<Purpose>,
    /// Seed of the order of the pools: the run's.
    pub seed: u64,
}

/// The proposer.
pub struct AstProposer {
    options: Options,
    pools: HashMap<(Number, String), (Pool, u64)>,
    /// Keys of changes handed out, by parent and operator.
    used: HashMap<(Number, String), HashSet<u64>>,
    /// Programs handed out, by fingerprint: many changes of many parents lead to the same program.
    programs: HashSet<u128>,
    /// Numeric steps that failed, by parent.
    numeric_failures: HashMap<Number, u32>,
    /// What became of rewrites.
    lessons: Lessons,
    /// What became of versions of functions.
    experience: Experience,
    /// Counts uses of pools, to forget the one used longest ago.
    clock: u64,
}

impl AstProposer {
    /// A proposer that has proposed nothing yet.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            pools: HashMap::new(),
            used: HashMap::new(),
            programs: HashSet::new(),
            numeric_failures: HashMap::new(),
            lessons: Lessons::default(),
            experience: Experience::default(),
            clock: 0,
        }
    }

    fn serves(&self, purpose: Purpose) -> bool {
        self.options.purposes.is_empty() || self.options.purposes.contains(&purpose)
    }

    fn draw_from_pool(&mut self, request: &ProposalRequest) -> Result<Proposal, ProposerError> {
        let parent = request.parents.first().ok_or_else(no_parent)?;
        let key = (parent.number, request.operator.clone());
        // What a crossover offers depends on its mate, so each pair has a pool of its own.
        let mate = request.parents.get(1).map_or_else(String::new, |mate| format!("+{}", mate.number));
        let pool_key = (parent.number, format!("{}{mate}", request.operator));
        self.clock += 1;
        if !self.pools.contains_key(&pool_key) {
            let scene = Scene::of(request, self.options.seed ^ u64::from(parent.number));
            let changes = changes(&request.operator, &scene)?;
            self.pools.insert(pool_key.clone(), (Pool::new(changes), self.clock));
            self.forget_oldest();
        }
        let used = self.used.entry(key.clone()).or_default();
        let Some((pool, last_use)) = self.pools.get_mut(&pool_key) else { return Err(no_parent()) };
        *last_use = self.clock;
        let mut rng = ChaCha8Rng::seed_from_u64(request.seed);
        let edits = mappings::edits(request.learning_rate);
        let (lessons, experience) = (&self.lessons, &self.experience);
        let (rewrites, leads) = (is_rewriting(&request.operator), experience.leads(parent));
        let of_others =
            |change: &Change| !rewrites && request.part.is_some_and(|part| !part.holds(change.version));
        let factor = |change: &Change| {
            let known = match rewrites {
                true => lessons.factor(change),
                false => experience.factor(change, leads),
            };
            if known <= 1.0 && of_others(change) { known * OTHERS_PART } else { known }
        };
        for _ in 0..MAX_TRIES {
            let Some(first) = pool.best(used, factor) else { return Err(nothing_left(request)) };
            let mut picked = vec![first];
            // A bold step joins several changes; the first is always the best that is left, so nothing is skipped.
            while (picked.len() as u32) < edits && rng.random_bool(0.5) {
                let proven = pool.proven(&picked, |change| factor(change) > 1.0);
                let other = match rewrites {
                    true => proven,
                    false => proven.or_else(|| pool.beside(&picked, &mut rng)),
                };
                match other {
                    Some(other) => picked.push(other),
                    None => break,
                }
            }
            used.extend(picked.first().map(key_of));
            if let Some((patch, program)) = pool::patch(&parent.files, &picked)
                && self.programs.insert(program)
            {
                return Ok(proposal(request, patch, &picked, program));
            }
        }
        Err(ProposerError::DoesNotApply(format!(
            "{MAX_TRIES} changes in a row would not parse, or lead to a program that was tried"
        )))
    }

    fn forget_oldest(&mut self) {
        if self.pools.len() > MAX_POOLS {
            let oldest =
                self.pools.iter().min_by_key(|(_, (_, last_use))| *last_use).map(|(key, _)| key.clone());
            oldest.map(|key| self.pools.remove(&key));
        }
    }

    fn note_used(&mut self, parents: &[Number], operator: &str, detail: &serde_json::Value) {
        // Whoever chose among several notes down all of them.
        let several = detail.get("programs").and_then(serde_json::Value::as_array);
        let programs = detail.get("program").into_iter().chain(several.into_iter().flatten());
        let programs = programs.filter_map(serde_json::Value::as_str);
        self.programs.extend(programs.filter_map(|program| u128::from_str_radix(program, 16).ok()));
        let Some(parent) = parents.first() else { return };
        self.used.entry((*parent, operator.to_owned())).or_default().extend(numbers(detail, "used"));
    }
}

/// Numbers that a proposal noted down, as text because JSON's numbers are not exact.
fn numbers(detail: &serde_json::Value, name: &str) -> Vec<u64> {
    let listed = detail.get(name).and_then(serde_json::Value::as_array);
    listed.into_iter().flatten().filter_map(|number| number.as_str()?.parse().ok()).collect()
}

fn nothing_left(request: &ProposalRequest) -> ProposerError {
    ProposerError::Exhausted(format!("every {} of this parent was tried", request.operator))
}

fn no_parent() -> ProposerError {
    ProposerError::Failed("it was asked without a parent".to_owned())
}

/// Whether an operator rewrites by rules. What became of its changes is remembered by what they say, that of other operators
/// by the function that they change.
fn is_rewriting(operator: &str) -> bool {
    matches!(operator, speed::NAME | simplify::NAME)
}

/// The changes of an operator that lists them.
fn changes(operator: &str, scene: &Scene) -> Result<Vec<Change>, ProposerError> {
    match operator {
        repair::NAME => Ok(repair::changes(scene)),
        speed::NAME => Ok(speed::changes(scene)),
        simplify::NAME => Ok(simplify::changes(scene)),
        crossover::NAME => Ok(crossover::changes(scene)),
        other => Err(ProposerError::Failed(format!("the ast proposer has no operator {other}"))),
    }
}

fn proposal(request: &ProposalRequest, patch: Patch, picked: &[Change], program: u128) -> Proposal {
    let rationale = picked.iter().map(|change| change.rationale.as_str()).collect::<Vec<_>>().join("; ");
    let families: Vec<&str> = picked.iter().map(|change| change.family).collect();
    let used: Vec<String> = picked.first().map(|change| key_of(change).to_string()).into_iter().collect();
    let mut detail =
        serde_json::json!({ "families": families, "used": used, "program": format!("{program:032x}") });
    let texts = |numbers: Vec<u64>| numbers.iter().map(u64::to_string).collect::<Vec<String>>();
    if is_rewriting(&request.operator) {
        detail["lessons"] = serde_json::json!(texts(picked.iter().map(lesson_of).collect()));
    } else {
        detail["versions"] = serde_json::json!(texts(picked.iter().map(|change| change.version).collect()));
    }
    Proposal { patch, rationale, operator: request.operator.clone(), detail, cost: Cost::default() }
}

impl Proposer for AstProposer {
    fn name(&self) -> &str {
        NAME
    }

    fn operators(&self) -> Vec<OperatorPrior> {
        let operator = |name: &str, yield_mean: f64, parents: u8| OperatorPrior {
            name: name.to_owned(),
            yield_mean,
            strength: 4.0,
            parents,
        };
        // The corrections of mistakes are the general mutation of a program too, only rarely worth it.
        let mut operators =
            vec![operator(repair::NAME, if self.serves(Purpose::Repair) { 0.1 } else { 0.01 }, 1)];
        if self.serves(Purpose::Tune) || self.serves(Purpose::Speed) || self.serves(Purpose::Shrink) {
            operators.push(operator(numeric::NAME, if self.serves(Purpose::Tune) { 0.2 } else { 0.01 }, 1));
        }
        if self.serves(Purpose::Speed) {
            operators.push(operator(speed::NAME, 0.3, 1));
        }
        if self.serves(Purpose::Shrink) {
            operators.push(operator(simplify::NAME, 0.3, 1));
        }
        operators.push(operator(crossover::NAME, 0.05, 2));
        operators
    }

    fn propose(&mut self, request: &ProposalRequest) -> Result<Proposal, ProposerError> {
        if request.operator == numeric::NAME {
            let parent = request.parents.first().ok_or_else(no_parent)?;
            let failures = self.numeric_failures.get(&parent.number).copied().unwrap_or(0);
            return numeric::propose(request, failures);
        }
        self.draw_from_pool(request)
    }

    fn observe(&mut self, feedback: &ProposalFeedback) {
        if feedback.operator == numeric::NAME {
            let failed = feedback.result != FeedbackResult::Accepted;
            if let Some(parent) = feedback.parents.first().filter(|_| failed) {
                *self.numeric_failures.entry(*parent).or_default() += 1;
            }
            return;
        }
        self.note_used(&feedback.parents, &feedback.operator, &feedback.detail);
        self.lessons.observe(&numbers(&feedback.detail, "lessons"), feedback.result);
        self.experience.observe(&numbers(&feedback.detail, "versions"), feedback);
    }

    fn recall(&mut self, _number: Number, parents: &[Number], operator: &str, detail: &serde_json::Value) {
        self.note_used(parents, operator, detail);
    }
}

/// A patch of one file's new text.
fn one_file(path: &str, text: &str) -> Patch {
    Patch(vec![FileChange { path: path.to_owned(), content: Some(Arc::from(text.as_bytes())) }])
}
