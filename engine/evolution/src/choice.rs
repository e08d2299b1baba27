//! The learned choice of an arm (a proposer with one of its operators): Thompson sampling over Beta posteriors whose
//! old observations fade, so that an operator that has given all it had is left for another.
//!
//! Source: discounted Thompson sampling, Raj and Kalyani, "Taming Non-stationary Bandits: A Bayesian Approach" (2017,
//! arXiv:1707.09727). Unlike theirs an observation fades with later ones of the same arm only: with dozens of arms and
//! hundreds of evaluations, fading with every observation would leave nothing but the priors.

use crate::ports::OperatorPrior;
use rand::{Rng, RngExt};
use rand_distr::{Beta, Distribution};
use serde::{Deserialize, Serialize};

/// Share of choices that are drawn uniformly whatever was learnt, so that no arm is forgotten: with n arms on offer each
/// is chosen with a probability of at least this share over n.
pub const MIN_EXPLORATION: f64 = 0.05;
/// Smallest parameter of a Beta distribution: a prior mean of 0 or 1 is a strong belief, not a certainty.
const MIN_BETA: f64 = 1e-3;

/// What is known of one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Belief {
    /// Beta parameters of the prior.
    prior: (f64, f64),
    /// Faded rewards, and faded missing rewards.
    evidence: (f64, f64),
    /// Observations, faded or not.
    observations: u64,
}

impl Belief {
    fn posterior(&self) -> (f64, f64) {
        (self.prior.0 + self.evidence.0, self.prior.1 + self.evidence.1)
    }

    fn mean(&self) -> f64 {
        let (alpha, beta) = self.posterior();
        alpha / (alpha + beta)
    }
}

/// What was learnt of the arms: a fold of (arm, reward) in the order of verdicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    beliefs: Vec<Belief>,
    discount: f64,
}

impl Choice {
    /// One arm for each prior, in their order. The discount is moved into 0 to 1.
    pub fn new(priors: &[OperatorPrior], discount: f64) -> Self {
        let belief = |prior: &OperatorPrior| {
            let mean = if prior.yield_mean.is_nan() { 0.5 } else { prior.yield_mean.clamp(0.0, 1.0) };
            let strength = if prior.strength.is_finite() { prior.strength.max(0.0) } else { 1.0 };
            let parameters = ((mean * strength).max(MIN_BETA), ((1.0 - mean) * strength).max(MIN_BETA));
            Belief { prior: parameters, evidence: (0.0, 0.0), observations: 0 }
        };
        let discount = if discount.is_nan() { 1.0 } else { discount.clamp(0.0, 1.0) };
        Self { beliefs: priors.iter().map(belief).collect(), discount }
    }

    /// How many arms there are.
    pub fn len(&self) -> usize {
        self.beliefs.len()
    }

    /// Whether there is no arm.
    pub fn is_empty(&self) -> bool {
        self.beliefs.is_empty()
    }

    /// Takes in a reward, 0 to 1: older observations of the same arm fade, then this one counts in full. An unknown arm
    /// or a reward that is not a number changes nothing.
    pub fn observe(&mut self, arm: usize, reward: f64) {
        let Some(belief) = self.beliefs.get_mut(arm) else { return };
        if reward.is_nan() {
            return;
        }
        let reward = reward.clamp(0.0, 1.0);
        belief.evidence.0 = belief.evidence.0 * self.discount + reward;
        belief.evidence.1 = belief.evidence.1 * self.discount + (1.0 - reward);
        belief.observations += 1;
    }

    /// Expected reward of an arm by what is known, 0 to 1; `None` for an unknown arm.
    pub fn mean(&self, arm: usize) -> Option<f64> {
        self.beliefs.get(arm).map(Belief::mean)
    }

    /// How often an arm was observed.
    pub fn observations(&self, arm: usize) -> u64 {
        self.beliefs.get(arm).map_or(0, |belief| belief.observations)
    }

    /// Whether an arm is worth more than another by a fresh draw of each. An arm that won among many won by luck too;
    /// a second draw is free of that. Unknown arms are worth nothing.
    pub fn prefers<R: Rng + ?Sized>(&self, arm: usize, to: usize, rng: &mut R) -> bool {
        let mut worth =
            |arm: usize| self.beliefs.get(arm).map_or(0.0, |belief| draw(belief.posterior(), rng));
        worth(arm) > worth(to)
    }

    /// Chooses among the arms for which `offered` holds; `None` when it holds for none.
    ///
    /// With the probability `exploration` (at least [`MIN_EXPLORATION`], at most 1) the choice is uniform, else it is
    /// the arm with the highest draw from its posterior, the first of equals. Linear in the number of arms.
    pub fn choose<R: Rng + ?Sized>(
        &self,
        offered: impl Fn(usize) -> bool,
        exploration: f64,
        rng: &mut R,
    ) -> Option<usize> {
        let arms: Vec<usize> = (0..self.beliefs.len()).filter(|arm| offered(*arm)).collect();
        if arms.is_empty() {
            return None;
        }
        let exploration =
            if exploration.is_nan() { MIN_EXPLORATION } else { exploration.clamp(MIN_EXPLORATION, 1.0) };
        if rng.random_bool(exploration) {
            return arms.get(rng.random_range(0..arms.len())).copied();
        }
        let mut best: Option<(f64, usize)> = None;
        for arm in arms {
            let Some(belief) = self.beliefs.get(arm) else { continue };
            let drawn = draw(belief.posterior(), rng);
            if best.is_none_or(|(highest, _)| drawn > highest) {
                best = Some((drawn, arm));
            }
        }
        best.map(|(_, arm)| arm)
    }
}

/// One draw from Beta(alpha, beta); the mean when the parameters allow none.
pub(crate) fn draw<R: Rng + ?Sized>((alpha, beta): (f64, f64), rng: &mut R) -> f64 {
    let drawn = Beta::new(alpha, beta).map(|distribution| distribution.sample(rng));
    match drawn {
        Ok(value) if value.is_finite() => value,
        _ => alpha / (alpha + beta),
    }
}

/// A reward with its price: a success that cost at most `typical_s` seconds counts in full, a dearer one by the ratio,
/// so that the choice climbs in gain a second. Costs that are not above 0 count as free.
pub fn priced(reward: f64, cost_s: f64, typical_s: f64) -> f64 {
    if cost_s > typical_s && typical_s > 0.0 { reward * typical_s / cost_s } else { reward }
}

#[cfg(test)]
mod tests {
    use super::{Choice, MIN_EXPLORATION, priced};
    use crate::ports::OperatorPrior;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn prior(name: usize, yield_mean: f64, strength: f64) -> OperatorPrior {
        OperatorPrior { name: format!("o{name}"), yield_mean, strength, parents: 1 }
    }

    fn flat(arms: usize) -> Vec<OperatorPrior> {
        (0..arms).map(|arm| prior(arm, 0.5, 2.0)).collect()
    }

    /// Rewards won on a bandit whose best arm changes half-way, by a choice with this exploration.
    fn play(seed: u64, discount: f64, exploration: f64) -> u32 {
        const ROUNDS: usize = 2_000;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut choice = Choice::new(&flat(10), discount);
        let mut won = 0;
        for round in 0..ROUNDS {
            let best = if round < ROUNDS / 2 { 2 } else { 7 };
            let arm = choice.choose(|_| true, exploration, &mut rng).unwrap();
            let reward = rng.random_bool(if arm == best { 0.6 } else { 0.1 });
            choice.observe(arm, if reward { 1.0 } else { 0.0 });
            won += u32::from(reward);
        }
        won
    }

    #[test]
    fn regret_on_a_switching_bandit_is_far_below_that_of_chance_and_of_a_memory_that_never_fades() {
        let total =
            |discount, exploration| -> u32 { (0..20).map(|seed| play(seed, discount, exploration)).sum() };
        // The best possible is 0.6 of 20 x 2,000 rounds: 24,000. Chance wins 0.15: 6,000.
        let (learned, chance, unfading) = (total(0.99, 0.0), total(0.99, 1.0), total(1.0, 0.0));
        let regret = |won: u32| 24_000 - i64::from(won);
        assert!(regret(learned) * 3 < regret(chance), "{learned} against {chance}");
        assert!(regret(learned) < regret(unfading), "{learned} against {unfading}");
    }

    #[test]
    fn no_arm_falls_below_the_floor() {
        let mut choice = Choice::new(&flat(4), 0.99);
        for _ in 0..500 {
            choice.observe(0, 1.0);
            (1..4).for_each(|arm| choice.observe(arm, 0.0));
        }
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut counts = [0_u32; 4];
        for _ in 0..40_000 {
            counts[choice.choose(|_| true, 0.0, &mut rng).unwrap()] += 1;
        }
        // Each loser is drawn with probability 0.05 / 4: 500 expected of 40,000, standard deviation 22.
        let floor = 40_000.0 * MIN_EXPLORATION / 4.0;
        for arm in 1..4 {
            assert!((f64::from(counts[arm]) - floor).abs() < 5.0 * floor.sqrt(), "{counts:?}");
        }
    }

    #[test]
    fn priors_speak_first_and_evidence_overrules_them() {
        let priors = [prior(0, 0.8, 10.0), prior(1, 0.2, 10.0)];
        let mut choice = Choice::new(&priors, 1.0);
        assert!((choice.mean(0).unwrap() - 0.8).abs() < 1e-12);
        for _ in 0..60 {
            choice.observe(0, 0.0);
            choice.observe(1, 1.0);
        }
        assert!(choice.mean(0).unwrap() < 0.15 && choice.mean(1).unwrap() > 0.85);
        assert_eq!((choice.observations(0), choice.observations(9), choice.mean(9)), (60, 0, None));
    }

    #[test]
    fn only_what_is_offered_is_chosen() {
        let choice = Choice::new(&flat(5), 0.99);
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        assert!((0..200).all(|_| choice.choose(|arm| arm == 3, 0.5, &mut rng) == Some(3)));
        assert_eq!(choice.choose(|_| false, 0.5, &mut rng), None);
        assert_eq!(Choice::new(&[], 0.99).choose(|_| true, 0.5, &mut rng), None);
    }

    #[test]
    fn nonsense_changes_nothing() {
        let mut choice = Choice::new(&[prior(0, f64::NAN, f64::INFINITY), prior(1, 2.0, -1.0)], f64::NAN);
        let before = choice.clone();
        choice.observe(0, f64::NAN);
        choice.observe(17, 1.0);
        assert_eq!(choice, before);
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        assert!((0..100).all(|_| choice.choose(|_| true, f64::NAN, &mut rng).is_some()));
    }

    #[test]
    fn dear_successes_count_by_their_price() {
        assert_eq!([priced(1.0, 1.0, 2.0), priced(1.0, 4.0, 2.0), priced(0.5, 4.0, 2.0)], [1.0, 0.5, 0.25]);
        assert_eq!([priced(1.0, f64::NAN, 2.0), priced(1.0, 5.0, 0.0)], [1.0, 1.0]);
    }

    proptest! {
        #[test]
        fn faded_evidence_is_the_discounted_sum(rewards in prop::collection::vec(0.0..=1.0_f64, 0..80)) {
            let mut choice = Choice::new(&[prior(0, 0.3, 5.0)], 0.9);
            rewards.iter().for_each(|reward| choice.observe(0, *reward));
            let weights = (0..rewards.len()).rev().map(|age| 0.9_f64.powi(i32::try_from(age).unwrap()));
            let (won, total) = rewards.iter().zip(weights)
                .fold((0.0, 0.0), |(won, total), (reward, weight)| (won + reward * weight, total + weight));
            prop_assert!((choice.mean(0).unwrap() - (1.5 + won) / (5.0 + total)).abs() < 1e-9);
        }

        #[test]
        fn written_down_and_read_again_it_chooses_the_same(
            seen in prop::collection::vec((0usize..6, any::<bool>()), 0..60), seed in any::<u64>()
        ) {
            let mut choice = Choice::new(&flat(6), 0.97);
            seen.iter().for_each(|(arm, paid)| choice.observe(*arm, f64::from(u8::from(*paid))));
            let again: Choice = serde_json::from_str(&serde_json::to_string(&choice).unwrap()).unwrap();
            let (mut left, mut right) = (ChaCha8Rng::seed_from_u64(seed), ChaCha8Rng::seed_from_u64(seed));
            for _ in 0..20 {
                prop_assert_eq!(choice.choose(|_| true, 0.1, &mut left), again.choose(|_| true, 0.1, &mut right));
            }
        }
    }
}
