//! Choosing a parent, by name, over a slice of those that may be one. Every policy but lexicase is at most linear in
//! the parents; lexicase is linear a case. Who may be a parent, and how many are looked at, is not decided here.

use crate::cases::CaseSet;
use crate::choice::draw;
use crate::id::Number;
use crate::settings::SelectionPolicy;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use std::collections::BTreeSet;

/// Steepness of the sigmoid in [`dgm_weight`].
const DGM_STEEPNESS: f64 = 10.0;
/// Quality at which that sigmoid is one half.
const DGM_MIDPOINT: f64 = 0.5;

/// A candidate that may be a parent, with what the policies look at.
#[derive(Debug, Clone, Copy)]
pub struct Eligible<'a> {
    /// The candidate.
    pub number: Number,
    /// Quality, 0 to 1.
    pub quality: f64,
    /// Children so far.
    pub children: u32,
    /// Successes and failures in its clade.
    pub clade: (f64, f64),
    /// Pareto rank, from 1; `u32::MAX` for one that is not ranked.
    pub rank: u32,
    /// Crowding distance, 0 to infinity; larger is lonelier.
    pub crowding: f64,
    /// Cases that it passes.
    pub cases: &'a CaseSet,
}

/// Chooses a parent by the named policy; `None` when there is nobody to choose.
pub fn select<R: Rng + ?Sized>(
    policy: SelectionPolicy,
    eligible: &[Eligible<'_>],
    rng: &mut R,
) -> Option<Number> {
    match policy {
        SelectionPolicy::Dgm => dgm(eligible, rng),
        SelectionPolicy::Clade => clade(eligible, rng),
        SelectionPolicy::Pareto => pareto(eligible, rng),
        SelectionPolicy::Lexicase => lexicase(eligible, rng),
        SelectionPolicy::Uniform => uniform(eligible, rng),
    }
}

/// A parent's weight under [`dgm`]: `sigmoid(10 (quality - 0.5)) / (1 + children)`. Always above 0, at most 1; a quality
/// that is not a number counts as 0.
pub fn dgm_weight(quality: f64, children: u32) -> f64 {
    let quality = if quality.is_nan() { 0.0 } else { quality.clamp(0.0, 1.0) };
    let sigmoid = 1.0 / (1.0 + (-DGM_STEEPNESS * (quality - DGM_MIDPOINT)).exp());
    sigmoid / (1.0 + f64::from(children))
}

/// Proportionally to [`dgm_weight`]: good ones more often, and those with few children.
///
/// Source: Zhang, Hu, Lu, Lange and Clune, "Darwin Gödel Machine: Open-Ended Evolution of Self-Improving Agents" (2025,
/// arXiv:2505.22954), parent selection.
pub fn dgm<R: Rng + ?Sized>(eligible: &[Eligible<'_>], rng: &mut R) -> Option<Number> {
    let weight = |parent: &Eligible<'_>| dgm_weight(parent.quality, parent.children);
    let total: f64 = eligible.iter().map(weight).sum();
    let mut left = rng.random::<f64>() * total;
    for parent in eligible {
        left -= weight(parent);
        if left < 0.0 {
            return Some(parent.number);
        }
    }
    // Rounding may leave a crumb after the last weight.
    eligible.last().map(|parent| parent.number)
}

/// Thompson sampling on clades: one draw from Beta(1 + successes, 1 + failures) each, the highest wins. A parent counts
/// for what became of all that descends from it, not for its own score.
///
/// Source: Wang et al., "Huxley-Gödel Machine: Human-Level Coding Agent Development by an Approximation of the Optimal
/// Self-Improving Machine" (2025, arXiv:2510.21614), expansion policy, with its temperature at 1.
pub fn clade<R: Rng + ?Sized>(eligible: &[Eligible<'_>], rng: &mut R) -> Option<Number> {
    let mut best: Option<(f64, Number)> = None;
    for parent in eligible {
        let (successes, failures) = parent.clade;
        let drawn = draw((1.0 + successes.max(0.0), 1.0 + failures.max(0.0)), rng);
        if best.is_none_or(|(highest, _)| drawn > highest) {
            best = Some((drawn, parent.number));
        }
    }
    best.map(|(_, number)| number)
}

/// Binary tournament: of two drawn uniformly (the same one twice, perhaps) the one of better rank wins, then the one
/// with the larger crowding distance, then the first drawn.
///
/// Source: Deb, Pratap, Agarwal and Meyarivan, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II" (2002),
/// crowded-comparison operator.
pub fn pareto<R: Rng + ?Sized>(eligible: &[Eligible<'_>], rng: &mut R) -> Option<Number> {
    let (first, second) = (one_of(eligible, rng)?, one_of(eligible, rng)?);
    let order = first.rank.cmp(&second.rank).then(second.crowding.total_cmp(&first.crowding));
    Some(if order.is_gt() { second.number } else { first.number })
}

/// One of a slice, each alike.
fn one_of<'a, T, R: Rng + ?Sized>(members: &'a [T], rng: &mut R) -> Option<&'a T> {
    if members.is_empty() { None } else { members.get(rng.random_range(0..members.len())) }
}

/// Lexicase: the cases are shuffled, and one after the other keeps only those that pass it, as long as somebody does;
/// among who is left the choice is uniform. Specialists on rare cases are chosen often.
///
/// Source: Spector, "Assessment of Problem Modality by Differential Performance of Lexicase Selection in Genetic
/// Programming" (2012); Helmuth, Spector and Matheson (2015).
pub fn lexicase<R: Rng + ?Sized>(eligible: &[Eligible<'_>], rng: &mut R) -> Option<Number> {
    let last = eligible.iter().filter_map(|parent| parent.cases.iter().last()).max();
    filtered(eligible, (0..last.map_or(0, |last| last + 1)).collect(), rng)
}

/// A mate for a parent that passes these cases: lexicase over those that it fails. `None` when nobody passes one of them.
///
/// Source: Dolin, Arenas and Merelo, "Opposites Attract: Complementary Phenotype Selection for Crossover in Genetic
/// Programming" (PPSN 2002), here by single cases instead of sums.
pub fn complement<R: Rng + ?Sized>(
    passed: &CaseSet,
    eligible: &[Eligible<'_>],
    rng: &mut R,
) -> Option<Number> {
    let beyond = eligible.iter().flat_map(|mate| mate.cases.iter()).filter(|case| !passed.contains(*case));
    let cases: BTreeSet<usize> = beyond.collect();
    if cases.is_empty() { None } else { filtered(eligible, cases.into_iter().collect(), rng) }
}

/// One of those that are left after the cases, in an order that is drawn, each kept only those that pass it.
fn filtered<R: Rng + ?Sized>(
    eligible: &[Eligible<'_>],
    mut cases: Vec<usize>,
    rng: &mut R,
) -> Option<Number> {
    cases.shuffle(rng);
    let mut pool: Vec<usize> = (0..eligible.len()).collect();
    for case in cases {
        if pool.len() <= 1 {
            break;
        }
        let passes = |index: &usize| eligible.get(*index).is_some_and(|parent| parent.cases.contains(case));
        if pool.iter().any(passes) {
            pool.retain(passes);
        }
    }
    one_of(&pool, rng).and_then(|index| eligible.get(*index)).map(|parent| parent.number)
}

/// Every one alike.
pub fn uniform<R: Rng + ?Sized>(eligible: &[Eligible<'_>], rng: &mut R) -> Option<Number> {
    one_of(eligible, rng).map(|parent| parent.number)
}

#[cfg(test)]
mod tests {
    use super::{Eligible, complement, dgm_weight, select};
    use crate::cases::CaseSet;
    use crate::settings::SelectionPolicy;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    const POLICIES: [SelectionPolicy; 5] = [
        SelectionPolicy::Dgm,
        SelectionPolicy::Clade,
        SelectionPolicy::Pareto,
        SelectionPolicy::Lexicase,
        SelectionPolicy::Uniform,
    ];

    /// A parent as a test states it.
    struct Parent {
        quality: f64,
        children: u32,
        clade: (f64, f64),
        rank: u32,
        crowding: f64,
        cases: CaseSet,
    }

    /// Four parents that every policy sees differently.
    fn parents() -> Vec<Parent> {
        let parent = |quality, children, clade, rank, crowding, cases: &[usize]| Parent {
            quality,
            children,
            clade,
            rank,
            crowding,
            cases: cases.iter().copied().collect(),
        };
        vec![
            parent(0.5, 0, (0.0, 0.0), 1, f64::INFINITY, &[0, 1]),
            parent(0.8, 3, (8.0, 2.0), 1, 0.5, &[0, 1, 2]),
            parent(0.9, 1, (3.0, 0.0), 2, f64::INFINITY, &[3]),
            parent(0.1, 0, (0.0, 9.0), 3, 0.0, &[2, 3]),
        ]
    }

    fn eligible(parents: &[Parent]) -> Vec<Eligible<'_>> {
        (0..)
            .zip(parents)
            .map(|(number, parent)| Eligible {
                number,
                quality: parent.quality,
                children: parent.children,
                clade: parent.clade,
                rank: parent.rank,
                crowding: parent.crowding,
                cases: &parent.cases,
            })
            .collect()
    }

    /// Holds observed counts against exact probabilities: each within five standard deviations.
    fn hold(counts: &[u32], exact: &[f64], what: &str) {
        let total = f64::from(counts.iter().sum::<u32>());
        for (count, share) in counts.iter().zip(exact) {
            let deviation = (total * share * (1.0 - share)).sqrt().max(1e-9);
            let distance = (f64::from(*count) - total * share).abs();
            assert!(distance <= 5.0 * deviation, "{what}: {counts:?} against {exact:?}");
        }
    }

    fn counts(policy: SelectionPolicy, draws: u32) -> Vec<u32> {
        let parents = parents();
        let eligible = eligible(&parents);
        let mut rng = ChaCha8Rng::seed_from_u64(42);
        let mut counts = vec![0; parents.len()];
        for _ in 0..draws {
            counts[select(policy, &eligible, &mut rng).unwrap() as usize] += 1;
        }
        counts
    }

    fn dgm_shares() -> Vec<f64> {
        let weights: Vec<f64> =
            parents().iter().map(|parent| dgm_weight(parent.quality, parent.children)).collect();
        weights.iter().map(|weight| weight / weights.iter().sum::<f64>()).collect()
    }

    /// Rank, crowding and order of drawing, counted over all 16 pairs.
    const PARETO_SHARES: [f64; 4] = [7.0 / 16.0, 5.0 / 16.0, 3.0 / 16.0, 1.0 / 16.0];

    /// By the case that comes first, a quarter each: 0 and 1 leave parents 0 and 1, and case 2 decides for 1; 2 leaves 1
    /// and 3, and 3 wins when case 3 precedes both 0 and 1 (a third); 3 leaves 2 and 3, and case 2 decides for 3.
    const LEXICASE_SHARES: [f64; 4] = [0.0, 0.5 + 0.25 * 2.0 / 3.0, 0.0, 0.25 / 3.0 + 0.25];

    #[test]
    fn weights_are_those_of_the_paper() {
        assert_eq!(dgm_weight(0.5, 0), 0.5);
        assert_eq!(dgm_weight(0.5, 4), 0.1);
        assert!((dgm_weight(1.0, 0) - 0.993_307_149_075_715).abs() < 1e-12);
        assert!((dgm_weight(0.0, 1) - 0.006_692_850_924_284_8 / 2.0).abs() < 1e-12);
        assert!(dgm_weight(f64::NAN, 0) > 0.0);
    }

    #[test]
    fn frequencies_are_the_exact_probabilities() {
        hold(&counts(SelectionPolicy::Dgm, 40_000), &dgm_shares(), "dgm");
        hold(&counts(SelectionPolicy::Pareto, 40_000), &PARETO_SHARES, "pareto");
        hold(&counts(SelectionPolicy::Lexicase, 40_000), &LEXICASE_SHARES, "lexicase");
        hold(&counts(SelectionPolicy::Uniform, 40_000), &[0.25; 4], "uniform");
    }

    #[test]
    fn a_mate_passes_what_the_parent_fails() {
        let parents = parents();
        let eligible = eligible(&parents);
        let mut rng = ChaCha8Rng::seed_from_u64(42);
        let mut drawn = |passed: &[usize]| {
            let passed: CaseSet = passed.iter().copied().collect();
            let mut counts = [0; 4];
            for _ in 0..4_000 {
                counts[complement(&passed, &eligible, &mut rng)? as usize] += 1;
            }
            Some(counts)
        };
        assert_eq!(drawn(&[0, 1]), Some([0, 0, 0, 4_000]), "the last passes both of the cases that are left");
        hold(&drawn(&[0, 1, 3]).unwrap(), &[0.0, 0.5, 0.0, 0.5], "both that pass case 2, alike");
        hold(&drawn(&[2, 3]).unwrap(), &[0.5, 0.5, 0.0, 0.0], "both that pass cases 0 and 1, alike");
        assert_eq!(drawn(&[0, 1, 2, 3]), None);
    }

    #[test]
    fn clade_frequencies_are_the_probabilities_of_the_highest_draw() {
        // P(i wins) = integral of pdf_i times the product of the others' cdf, by the midpoint rule. For whole
        // parameters the cdf of Beta(a, b) is a binomial tail and the pdf a polynomial.
        let parameters = [(1_i32, 1_i32), (9, 3), (4, 1), (1, 10)];
        let choose = |n: i32, k: i32| (1..=k).fold(1.0, |c, i| c * f64::from(n - k + i) / f64::from(i));
        let cdf = |(a, b): (i32, i32), x: f64| -> f64 {
            let n = a + b - 1;
            (a..=n).map(|j| choose(n, j) * x.powi(j) * (1.0 - x).powi(n - j)).sum()
        };
        let pdf = |(a, b): (i32, i32), x: f64| {
            f64::from(a) * choose(a + b - 1, a) * x.powi(a - 1) * (1.0 - x).powi(b - 1)
        };
        const STEPS: u32 = 20_000;
        let shares: Vec<f64> = (0..4)
            .map(|winner| {
                (0..STEPS)
                    .map(|step| {
                        let x = (f64::from(step) + 0.5) / f64::from(STEPS);
                        let others = (0..4).filter(|other| *other != winner);
                        pdf(parameters[winner], x)
                            * others.map(|other| cdf(parameters[other], x)).product::<f64>()
                    })
                    .sum::<f64>()
                    / f64::from(STEPS)
            })
            .collect();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{shares:?}");
        hold(&counts(SelectionPolicy::Clade, 40_000), &shares, "clade");
    }

    #[test]
    fn nobody_is_chosen_from_nobody_and_the_only_one_always() {
        let parents = parents();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for policy in POLICIES {
            assert_eq!(select(policy, &[], &mut rng), None);
            assert_eq!(select(policy, &eligible(&parents)[2..3], &mut rng), Some(2));
        }
    }

    #[test]
    fn without_cases_lexicase_is_uniform() {
        let none = CaseSet::new();
        let blank = |number| Eligible {
            number,
            quality: 0.5,
            children: 0,
            clade: (0.0, 0.0),
            rank: 1,
            crowding: 0.0,
            cases: &none,
        };
        let eligible = [blank(0), blank(1)];
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let ones =
            (0..10_000).filter_map(|_| select(SelectionPolicy::Lexicase, &eligible, &mut rng)).sum::<u32>();
        hold(&[10_000 - ones, ones], &[0.5, 0.5], "lexicase without cases");
    }
}
