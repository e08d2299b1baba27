//! Numeric literals as a vector to be optimised: a (1+1) evolution strategy whose step grows with success and shrinks
//! with failure (the 1/5th success rule: Rechenberg 1973; the factors: Kern et al. 2004).
//!
//! It keeps nothing but a count of failures for each parent: a child's step is noted down with the child, and a parent's
//! present step follows from what it was born with and how many of its children failed.

use super::{no_parent, one_file};
use evolution::candidate::{Cost, Proposal};
use evolution::learning_rate::mappings;
use evolution::ports::{ProposalRequest, ProposerError};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::ops::Range;
use syntax::{Blocks, Edit, Kind, Module, apply};

/// The operator's name.
pub(super) const NAME: &str = "numeric";

/// Learning rate that sets the first step at least: by the time numbers are tuned the rate may have fallen for reasons of
/// other operators.
const FIRST_RATE: f64 = 0.1;
/// Growth of the step after a success.
const GROWTH: f64 = 1.5;
/// Shrinking of the step after a failure: one success pays for four failures.
const SHRINKING: f64 = 0.903_602_003_6;
/// Smallest step, relative to the number.
const MIN_STEP: f64 = 1e-6;
/// Largest step, relative to the number.
const MAX_STEP: f64 = 2.0;
/// Numbers smaller than this are changed as if they were this large.
const SCALE_FLOOR: f64 = 0.1;
/// Share of proposals that move every literal; the others move one to three.
const ALL_SHARE: f64 = 0.5;
/// Most literals looked at.
const MAX_LITERALS: usize = 500;

/// One numeric literal.
struct Literal {
    file: usize,
    range: Range<usize>,
    value: Value,
}

#[derive(Clone, Copy)]
enum Value {
    Float(f64),
    Integer(i64),
}

/// Proposes other numbers. `failures` is how many numeric children of this parent came to nothing.
pub(super) fn propose(request: &ProposalRequest, failures: u32) -> Result<Proposal, ProposerError> {
    let parent = request.parents.first().ok_or_else(no_parent)?;
    let mut rng = ChaCha8Rng::seed_from_u64(request.seed);
    let texts: Vec<(&str, &str)> = parent
        .files
        .0
        .keys()
        .filter(|path| path.ends_with(".py"))
        .filter_map(|path| Some((path.as_str(), parent.files.text(path)?)))
        .collect();
    let literals: Vec<Literal> = texts
        .iter()
        .enumerate()
        .flat_map(|(file, (_, text))| literals(file, text))
        .take(MAX_LITERALS)
        .collect();
    if literals.is_empty() {
        return Err(ProposerError::Exhausted("it has no numbers".to_owned()));
    }
    let own = parent.detail.get("step").and_then(serde_json::Value::as_f64);
    let born_with = own.unwrap_or_else(|| mappings::numeric_step(request.learning_rate.max(FIRST_RATE)));
    let shrunk = born_with * SHRINKING.powi(i32::try_from(failures).unwrap_or(i32::MAX));
    let step = shrunk.clamp(MIN_STEP, MAX_STEP);
    let moved = choose(&literals, &mut rng);
    let mut changed = 0;
    let mut edits: Vec<Vec<Edit>> = vec![Vec::new(); texts.len()];
    for literal in moved {
        let replacement = shifted(literal.value, step, &mut rng);
        if let Some(edits) = edits.get_mut(literal.file) {
            edits.push(Edit::replace(literal.range.clone(), replacement));
            changed += 1;
        }
    }
    let mut patch = evolution::candidate::Patch::default();
    for ((path, text), edits) in texts.iter().zip(&edits).filter(|(_, edits)| !edits.is_empty()) {
        let text = apply(text, edits).map_err(|error| ProposerError::DoesNotApply(error.to_string()))?;
        patch.0.extend(one_file(path, &text).0);
    }
    Ok(Proposal {
        patch,
        rationale: format!("{changed} of {} numbers moved by a relative step of {step:.2e}", literals.len()),
        operator: NAME.to_owned(),
        detail: serde_json::json!({ "step": step * GROWTH }),
        cost: Cost::default(),
    })
}

fn literals(file: usize, text: &str) -> Vec<Literal> {
    let module = Module::parse(text);
    let Ok(blocks) = Blocks::find(text) else { return Vec::new() };
    module
        .nodes()
        .filter_map(|node| {
            let spelt = node.text().replace('_', "");
            let value = match node.kind() {
                Kind::Float => Value::Float(spelt.parse().ok()?),
                // Truth-like small numbers are structure as often as quantity; they are moved all the same, rarely.
                Kind::Integer => Value::Integer(spelt.parse().ok()?),
                _ => return None,
            };
            let range = node.range();
            blocks.contains(&range).then_some(Literal { file, range, value })
        })
        .collect()
}

/// All floats, or one to three literals of either kind, a float being as likely as four integers.
fn choose<'a>(literals: &'a [Literal], rng: &mut impl Rng) -> Vec<&'a Literal> {
    let floats: Vec<&Literal> =
        literals.iter().filter(|literal| matches!(literal.value, Value::Float(_))).collect();
    if !floats.is_empty() && rng.random_bool(ALL_SHARE) {
        return floats;
    }
    let mut chosen: Vec<&Literal> = Vec::new();
    for _ in 0..rng.random_range(1..=3) {
        let among_floats = !floats.is_empty() && rng.random_bool(0.8);
        let picked = if among_floats {
            floats.get(rng.random_range(0..floats.len())).copied()
        } else {
            literals.get(rng.random_range(0..literals.len()))
        };
        if let Some(literal) = picked
            .filter(|literal| !chosen.iter().any(|c| c.range == literal.range && c.file == literal.file))
        {
            chosen.push(literal);
        }
    }
    chosen
}

fn shifted(value: Value, step: f64, rng: &mut impl Rng) -> String {
    let normal: f64 = StandardNormal.sample(rng);
    match value {
        Value::Float(value) => {
            let moved = value + step * value.abs().max(SCALE_FLOOR) * normal;
            // Debug spelling keeps the decimal point, and is the shortest that reads back as the same number.
            format!("{:?}", if moved.is_finite() && moved >= 0.0 { moved } else { value })
        }
        Value::Integer(value) => {
            let size = (step * value.unsigned_abs() as f64 * normal.abs()).round().max(1.0);
            let size = if size < 1e15 { size as i64 } else { 1 };
            let moved = if normal < 0.0 { value.saturating_sub(size) } else { value.saturating_add(size) };
            moved.max(0).to_string()
        }
    }
}
