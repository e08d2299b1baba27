//! A landscape that costs nothing to evaluate: sixty numbers to tune, two objectives that pull apart, a check that every
//! fourth fails, and the ports that a run over it needs.

use crate::failure::Failure;
use evolution::candidate::{
    CaseResult, CheckResult, Cost, Evaluation, FileChange, ModelUsage, Outcome, Patch, Proposal, Separation,
    SourceFiles,
};
use evolution::id::BASELINE;
use evolution::ports::{
    EvaluationRequest, Evaluator, EvaluatorError, OperatorPrior, ProposalFeedback, ProposalRequest, Proposer,
    ProposerError, Screener, Screening,
};
use evolution::shape::Shape;
use objectives::{Objective, ObjectiveSet, Scores};

/// Numbers in the program that is tuned.
const NUMBERS: usize = 60;
/// The program's file.
pub(super) const FILE: &str = "program.py";

/// The unchanged program.
pub(super) fn baseline() -> String {
    source(&[0; NUMBERS])
}

/// What is measured.
pub(super) fn objectives() -> Result<ObjectiveSet, Failure> {
    let objective = |name: &str| {
        serde_json::from_value::<Objective>(serde_json::json!({
            "name": name, "direction": "minimize", "weight": 1.0, "threshold": null, "unit": null, "bound": null,
        }))
    };
    let failed = |error: serde_json::Error| Failure::caused("an objective failed", error);
    let all = vec![objective("error").map_err(failed)?, objective("size").map_err(failed)?];
    ObjectiveSet::new(all).map_err(|error| Failure::caused("the objectives failed", error))
}

fn source(numbers: &[i64]) -> String {
    let lines: Vec<String> = numbers.iter().enumerate().map(|(i, n)| format!("number_{i} = {n}\n")).collect();
    lines.concat()
}

fn numbers(files: &SourceFiles) -> Vec<i64> {
    let text = files.text(FILE).unwrap_or("");
    text.lines().filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect()
}

/// One well-mixed number from another (SplitMix64, Steele et al. 2014).
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Nudges one number of the parent.
pub(super) struct Nudge;

impl Proposer for Nudge {
    fn name(&self) -> &str {
        "ast"
    }

    fn operators(&self) -> Vec<OperatorPrior> {
        let operator =
            |name: &str| OperatorPrior { name: name.to_owned(), yield_mean: 0.2, strength: 2.0, parents: 1 };
        vec![operator("up"), operator("down"), operator("far")]
    }

    fn propose(&mut self, request: &ProposalRequest) -> Result<Proposal, ProposerError> {
        let parent = request.parents.first().ok_or_else(|| ProposerError::Failed("no parent".to_owned()))?;
        let mut numbers = numbers(&parent.files);
        let place = usize::try_from(mixed(request.seed) % NUMBERS as u64).unwrap_or(0);
        let step = i64::try_from(1 + mixed(request.seed ^ 1) % 97).unwrap_or(1);
        if let Some(number) = numbers.get_mut(place) {
            *number += match request.operator.as_str() {
                "up" => step,
                "down" => -step,
                _ => step * 100,
            };
        }
        let change =
            FileChange { path: FILE.to_owned(), content: Some(source(&numbers).into_bytes().into()) };
        Ok(Proposal {
            patch: Patch(vec![change]),
            rationale: format!("number_{place} moved by about {step}"),
            operator: request.operator.clone(),
            detail: serde_json::json!({ "place": place, "step": step }),
            cost: Cost::default(),
        })
    }

    fn observe(&mut self, _: &ProposalFeedback) {}

    fn recall(&mut self, _: u32, _: &[u32], _: &str, _: &serde_json::Value) {}
}

/// Two programs are the same when their text is.
pub(super) struct ByText;

impl Screener for ByText {
    fn screen(&self, parent: &SourceFiles, patch: &Patch) -> Screening {
        let files = parent.patched(patch);
        let text = files.text(FILE).unwrap_or("");
        let fingerprint = text.bytes().fold((1_u64, 2_u64), |(a, b), byte| {
            (mixed(a ^ u64::from(byte)), mixed(b.wrapping_add(u64::from(byte))))
        });
        Screening {
            fingerprint: format!("{:016x}{:016x}", fingerprint.0, fingerprint.1),
            refused: None,
            shape: Shape::default(),
            usage: ModelUsage::default(),
        }
    }
}

/// Two objectives that pull apart, a check that some fail, and a case a number.
pub(super) struct Landscape;

impl Evaluator for Landscape {
    fn evaluate(&mut self, request: &EvaluationRequest) -> Result<Evaluation, EvaluatorError> {
        let numbers = numbers(&request.files);
        let goal = |place: usize| i64::try_from(mixed(place as u64) % 10_000).unwrap_or(0);
        let errors: Vec<i64> = numbers.iter().enumerate().map(|(i, n)| (n - goal(i)).abs()).collect();
        let sizes: i64 = numbers.iter().map(|n| n.abs()).sum();
        let passed = !mixed(u64::from(request.number)).is_multiple_of(4) || request.number == BASELINE;
        let scores = [("error", errors.iter().sum::<i64>() as f64), ("size", sizes as f64)];
        let scores =
            Scores::from_pairs(scores).map_err(|error| EvaluatorError::Impossible(error.to_string()))?;
        let case = |(place, error): (usize, &i64)| CaseResult {
            name: format!("case {place}"),
            passed: *error < 5_000,
            failure: if *error < 5_000 { String::new() } else { "wrong".to_owned() },
        };
        Ok(Evaluation {
            outcome: if passed { Outcome::Ok } else { Outcome::Wrong },
            detail: String::new(),
            isolation: "L1".to_owned(),
            separation: Separation::Split,
            checks: vec![CheckResult {
                name: "tests".to_owned(),
                passed,
                reason: if passed { String::new() } else { "every fourth fails".to_owned() },
            }],
            scores,
            metrics: Default::default(),
            cases: errors.iter().enumerate().map(case).collect(),
            cases_total: u32::try_from(NUMBERS).unwrap_or(u32::MAX),
            suspicion: Vec::new(),
            comparisons: Vec::new(),
            denials: Default::default(),
            log: String::new(),
            cost: Cost::default(),
        })
    }
}
