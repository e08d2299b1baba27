//! A make-believe target, its proposers and its evaluator, as pure functions of a seed: what a run of the real machinery
//! would answer, in no time and with every fault that the seed asks for. No files, no processes.

use evolution::acceptance::CORRECTNESS_GATE;
use evolution::candidate::{CaseResult, CheckResult, Cost, Evaluation, Outcome, Separation};
use evolution::decision::Answer;
use evolution::embedding::Embedding;
use evolution::event::ProposerInfo;
use evolution::id::CommitId;
use evolution::ports::{EvaluatorError, OperatorPrior, ProposerError, Purpose};
use evolution::shape::{Shape, Sketch};
use objectives::{Direction, Objective, ObjectiveSet, Scores};
use std::collections::BTreeMap;

/// Numbers of which a program consists.
const GENES: usize = 6;
/// Values that each may have: 0 to one less.
const VALUES: u64 = 6;

/// A program.
pub(crate) type Genome = [u8; GENES];

/// A well-mixed number from a seed and what it is for: the finaliser of SplitMix64 (Steele, Lea and Flood 2014), once
/// for each part.
pub(crate) fn mix(seed: u64, parts: &[u64]) -> u64 {
    parts.iter().fold(seed ^ 0x9e37_79b9_7f4a_7c15, |state, part| {
        let mut z = state.wrapping_add(*part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// What a target is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The baseline fails cases; passing all of them is the threshold.
    Repair,
    /// The baseline passes its check; one cost falls.
    Speed,
    /// No cases; two costs that contradict each other.
    TradeOff,
    /// No cases; the evaluator calls the baseline incorrect, and one cost falls.
    Correct,
}

/// How often what goes wrong, each as one in so many; 0 is never.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// A proposer fails.
    pub(crate) proposer: u64,
    /// A proposal is refused, does not apply, or changes nothing.
    pub(crate) worthless: u64,
    /// A proposer has nothing left for a parent and operator.
    pub(crate) exhausted: u64,
    /// One try of an evaluation fails for the machinery's sake.
    pub(crate) evaluator: u64,
    /// A program crashes, runs out of time or tries to forge its result.
    pub(crate) program: u64,
    /// A winner turns out worse when it is judged a second time.
    pub(crate) luck: u64,
}

/// The make-believe target.
#[derive(Debug, Clone)]
pub(crate) struct Landscape {
    pub(crate) seed: u64,
    pub(crate) goal: Goal,
    pub(crate) faults: Faults,
}

impl Landscape {
    fn happens(&self, one_in: u64, parts: &[u64]) -> bool {
        one_in > 0 && mix(self.seed, parts).is_multiple_of(one_in)
    }

    fn ideal(&self) -> Genome {
        std::array::from_fn(|gene| (mix(self.seed, &[1, gene as u64]) % VALUES) as u8)
    }

    /// The unchanged program: a few genes away from the ideal.
    pub(crate) fn baseline(&self) -> Genome {
        let mut genome = self.ideal();
        for round in 0..3 {
            let gene = (mix(self.seed, &[2, round]) % GENES as u64) as usize;
            genome[gene] = (mix(self.seed, &[3, round]) % VALUES) as u8;
        }
        genome
    }

    /// What is measured.
    pub(crate) fn objectives(&self) -> ObjectiveSet {
        let objective = |name: &str, direction, weight, threshold, bound| Objective {
            name: name.to_owned(),
            direction,
            weight,
            threshold,
            unit: None,
            bound,
        };
        let set = match self.goal {
            Goal::Repair => vec![objective("pass_rate", Direction::Maximize, 1.0, Some(1.0), Some(1.0))],
            Goal::Speed | Goal::Correct => vec![objective("cost", Direction::Minimize, 1.0, None, None)],
            Goal::TradeOff => vec![
                objective("cost", Direction::Minimize, 0.6, None, None),
                objective("size", Direction::Minimize, 0.4, None, None),
            ],
        };
        ObjectiveSet::new(set).unwrap()
    }

    /// Who proposes.
    pub(crate) fn proposers(&self) -> Vec<ProposerInfo> {
        let operator = |name: &str, yield_mean, parents| OperatorPrior {
            name: name.to_owned(),
            yield_mean,
            strength: 4.0,
            parents,
        };
        vec![
            ProposerInfo {
                name: "ast".to_owned(),
                operators: vec![
                    operator("tweak", 0.3, 1),
                    operator("jump", 0.2, 1),
                    operator("cross", 0.2, 2),
                ],
                fed: false,
            },
            ProposerInfo { name: "llm".to_owned(), operators: vec![operator("rewrite", 0.4, 1)], fed: false },
        ]
    }

    /// What a proposer answers, and the program that it proposes: a function of what it is asked alone.
    pub(crate) fn propose(
        &self,
        operator: &str,
        parents: &[Genome],
        seed: u64,
    ) -> (Result<Answer, ProposerError>, Genome) {
        let base = parents.first().copied().unwrap_or_default();
        let of_parent = base.iter().fold(operator.len() as u64, |sum, gene| sum * VALUES + u64::from(*gene));
        if self.happens(self.faults.exhausted, &[10, of_parent]) {
            return (Err(ProposerError::Exhausted("all tried".to_owned())), base);
        }
        if self.happens(self.faults.proposer, &[11, seed]) {
            return (Err(ProposerError::Failed("no connection".to_owned())), base);
        }
        let genome = Self::varied(operator, parents, seed);
        let worthless = self.happens(self.faults.worthless, &[12, seed]);
        let kind = if worthless { mix(self.seed, &[13, seed]) % 3 } else { 3 };
        if kind == 0 {
            return (Err(ProposerError::DoesNotApply("no such line".to_owned())), base);
        }
        let unchanged = kind == 1 || genome == base;
        let answer = Answer {
            rationale: format!("{operator} towards {genome:?}"),
            detail: serde_json::json!({ "genome": genome.to_vec() }),
            fingerprint: fingerprint(&genome),
            refused: (kind == 2).then(|| "it touches the tests".to_owned()),
            files: if unchanged { Vec::new() } else { vec!["program.py".to_owned()] },
            changed_bytes: genome
                .iter()
                .zip(self.baseline())
                .map(|(gene, was)| u64::from(gene.abs_diff(was)))
                .sum(),
            shape: shape(&genome),
            cost: Cost::default(),
        };
        (Ok(answer), genome)
    }

    fn varied(operator: &str, parents: &[Genome], seed: u64) -> Genome {
        let mut genome = parents.first().copied().unwrap_or_default();
        let gene = (mix(seed, &[20]) % GENES as u64) as usize;
        let value = (mix(seed, &[21]) % VALUES) as u8;
        match (operator, parents) {
            ("cross", [_, other]) => {
                for (place, gene) in genome.iter_mut().enumerate() {
                    if mix(seed, &[22, place as u64]).is_multiple_of(2) {
                        *gene = other[place];
                    }
                }
            }
            ("tweak", _) => {
                let up = value.is_multiple_of(2);
                genome[gene] = if up {
                    (genome[gene] + 1).min(VALUES as u8 - 1)
                } else {
                    genome[gene].saturating_sub(1)
                };
            }
            _ => genome[gene] = value,
        }
        genome
    }

    /// What an evaluator answers at its `attempt`th try, from 1.
    pub(crate) fn evaluate(
        &self,
        genome: &Genome,
        purpose: Purpose,
        attempt: u32,
    ) -> Result<Box<Evaluation>, EvaluatorError> {
        let program = genome.iter().fold(7, |sum, gene| sum * VALUES + u64::from(*gene));
        let is_baseline = *genome == self.baseline();
        if self.happens(self.faults.evaluator, &[30, program, u64::from(attempt)]) {
            return Err(EvaluatorError::Failed("the sandbox did not start".to_owned()));
        }
        let mut evaluation = self.measured(genome);
        if !is_baseline && self.happens(self.faults.program, &[31, program]) {
            Self::spoil(&mut evaluation, mix(self.seed, &[32, program]) % 4);
        }
        if purpose == Purpose::Verify && !is_baseline && self.happens(self.faults.luck, &[33, program]) {
            let worse = evaluation.scores.iter().map(|(name, value)| match name {
                "pass_rate" => (name.to_owned(), value * 0.5),
                _ => (name.to_owned(), value * 3.0),
            });
            evaluation.scores = Scores::from_pairs(worse.collect::<Vec<_>>()).unwrap();
        }
        Ok(Box::new(evaluation))
    }

    fn measured(&self, genome: &Genome) -> Evaluation {
        let distance: Vec<u8> =
            genome.iter().zip(self.ideal()).map(|(gene, best)| gene.abs_diff(best)).collect();
        let passed = |case: usize| usize::from(distance[case / 2]) <= case % 2;
        let cases: Vec<CaseResult> = (0..2 * GENES)
            .map(|case| CaseResult {
                name: format!("case {case}"),
                passed: passed(case),
                failure: String::new(),
            })
            .collect();
        let pass_rate = cases.iter().filter(|case| case.passed).count() as f64 / cases.len() as f64;
        let cost = 1.0 + distance.iter().map(|gap| f64::from(*gap)).sum::<f64>();
        let size = 1.0 + genome.iter().map(|gene| f64::from(*gene)).sum::<f64>();
        let (scores, cases) = match self.goal {
            Goal::Repair => (vec![("pass_rate", pass_rate)], cases),
            Goal::Speed => (vec![("cost", cost)], Vec::new()),
            // Coarse, so that who is correct may cost as much as who is not.
            Goal::Correct => (vec![("cost", (cost / 8.0).ceil())], Vec::new()),
            Goal::TradeOff => (vec![("cost", cost), ("size", size)], Vec::new()),
        };
        let mut checks = vec![CheckResult { name: "syntax".to_owned(), passed: true, reason: String::new() }];
        let is_correct = distance.iter().filter(|gap| **gap > 0).count() < 2;
        if self.goal == Goal::Correct {
            let reason = if is_correct { String::new() } else { "not valid".to_owned() };
            checks.push(CheckResult { name: CORRECTNESS_GATE.to_owned(), passed: is_correct, reason });
        }
        let wrong = match self.goal {
            Goal::Repair => pass_rate < 1.0,
            Goal::Correct => !is_correct,
            Goal::Speed | Goal::TradeOff => false,
        };
        Evaluation {
            outcome: if wrong { Outcome::Wrong } else { Outcome::Ok },
            detail: String::new(),
            isolation: "L1".to_owned(),
            separation: Separation::Split,
            checks,
            scores: Scores::from_pairs(scores).unwrap(),
            metrics: BTreeMap::from([("first".to_owned(), f64::from(genome[0]))]),
            cases_total: u32::try_from(cases.len()).unwrap(),
            cases,
            suspicion: Vec::new(),
            comparisons: Vec::new(),
            denials: BTreeMap::new(),
            log: String::new(),
            cost: Cost { wall_s: 0.1, cpu_s: 0.1, launches: 1, ..Cost::default() },
        }
    }

    /// Ends an evaluation early in one of four ways.
    fn spoil(evaluation: &mut Evaluation, way: u64) {
        evaluation.outcome = match way {
            0 => Outcome::Tamper,
            1 => Outcome::Timeout,
            2 => Outcome::Crashed,
            _ => Outcome::Denied,
        };
        if way == 3 {
            evaluation.denials.insert("network".to_owned(), 2);
        }
        evaluation.scores = Scores::default();
        evaluation.cases.truncate(3);
        let reason = format!("it ended with {}", evaluation.outcome.word());
        evaluation.checks.push(CheckResult { name: "tests".to_owned(), passed: false, reason });
    }
}

/// What a program looks like: as long as its numbers are large, and made of its numbers at their places.
pub(crate) fn shape(genome: &Genome) -> Shape {
    let parts = (0..).zip(genome).map(|(place, gene)| place * VALUES as u32 + u32::from(*gene));
    Shape {
        bytes: genome.iter().map(|gene| u64::from(*gene)).sum(),
        sketch: Sketch::of(parts.collect()),
        embedding: Embedding::Unasked,
    }
}

/// Equal for equal programs.
pub(crate) fn fingerprint(genome: &Genome) -> String {
    genome.iter().map(u8::to_string).collect()
}

/// The snapshot of a program as candidate `number`: it can be read back, as a commit can.
pub(crate) fn commit(number: u32, genome: &Genome) -> CommitId {
    CommitId::new(format!("{number:034}{}", fingerprint(genome)))
}

/// The program in a snapshot.
pub(crate) fn checkout(commit: &CommitId) -> Genome {
    let digits = commit.as_str().as_bytes();
    std::array::from_fn(|gene| digits[digits.len() - GENES + gene] - b'0')
}
