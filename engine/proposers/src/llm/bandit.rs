//! Which of several models to ask: UCB1 (Auer, Cesa-Bianchi and Fischer 2002) on what their proposals were worth, with
//! the asymmetry of ShinkaEvolve (2025): only an improvement counts, a failure is 0 and never less, since a model that
//! fails often and wins sometimes is worth asking. Half of a model's merit is weighed by its price.
//!
//! A proposal on its way counts as one of no worth, so that questions under way at once spread over the models. The state
//! is a fold of what was begun and observed.

use evolution::id::Number;
use evolution::ports::FeedbackResult;
use std::collections::BTreeMap;

/// Weight of curiosity against merit.
const EXPLORATION: f64 = 0.7;
/// Share of a model's merit that its price scales, 0 to 1.
const PRICE_SHARE: f64 = 0.5;
/// What a viable program is worth that improves nothing.
const VIABLE: f64 = 0.1;

/// What is known of one model.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Arm {
    observed: u32,
    worth: f64,
    /// Sum of prices: dollars when every price is known, else tokens.
    tokens: f64,
    usd: Option<f64>,
}

/// The choice among models.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bandit {
    arms: Vec<Arm>,
    /// The model of each proposal on its way.
    under_way: BTreeMap<Number, usize>,
}

impl Bandit {
    /// A choice among `count` models, at least one.
    pub(super) fn new(count: usize) -> Self {
        let arm = Arm { usd: Some(0.0), ..Arm::default() };
        Self { arms: vec![arm; count.max(1)], under_way: BTreeMap::new() }
    }

    /// The model to ask for a proposal: the first that was never asked, else the most promising.
    pub(super) fn choose(&self) -> usize {
        let asked = |at: usize| self.under_way.values().filter(|model| **model == at).count();
        let pulls: Vec<f64> = self
            .arms
            .iter()
            .enumerate()
            .map(|(at, arm)| f64::from(arm.observed) + asked(at) as f64)
            .collect();
        if let Some(new) = pulls.iter().position(|pulls| *pulls == 0.0) {
            return new;
        }
        let total: f64 = pulls.iter().sum();
        let prices = self.prices();
        let cheapest = prices.iter().copied().flatten().fold(f64::INFINITY, f64::min);
        let score = |at: usize| {
            let (Some(arm), Some(pulls)) = (self.arms.get(at), pulls.get(at)) else { return 0.0 };
            let merit = arm.worth / pulls;
            let cheap = match prices.get(at).copied().flatten() {
                Some(price) if price > 0.0 && cheapest.is_finite() => cheapest / price,
                _ => 1.0,
            };
            let merit = merit * (1.0 - PRICE_SHARE + PRICE_SHARE * cheap);
            merit + EXPLORATION * (2.0 * total.ln() / pulls).sqrt()
        };
        let best = (0..self.arms.len()).max_by(|left, right| {
            // Of equals the first, so that the order of the configuration decides.
            score(*left).total_cmp(&score(*right)).then(right.cmp(left))
        });
        best.unwrap_or(0)
    }

    /// Mean price of a proposal by model: in dollars when all are known, else in tokens; `None` before the first.
    fn prices(&self) -> Vec<Option<f64>> {
        let known = self.arms.iter().all(|arm| arm.usd.is_some());
        let price = |arm: &Arm| {
            let sum = if known { arm.usd? } else { arm.tokens };
            (arm.observed > 0).then(|| sum / f64::from(arm.observed))
        };
        self.arms.iter().map(price).collect()
    }

    /// A proposal was begun with a model.
    pub(super) fn begin(&mut self, number: Number, model: usize) {
        self.under_way.insert(number, model);
    }

    /// What became of a proposal. `gained` is the share of cases won.
    pub(super) fn observe(
        &mut self,
        number: Number,
        model: usize,
        (result, gained): (FeedbackResult, Option<f64>),
        (tokens, usd): (u64, Option<f64>),
    ) {
        self.under_way.remove(&number);
        let Some(arm) = self.arms.get_mut(model) else { return };
        let by_result = match result {
            FeedbackResult::Accepted => 1.0,
            FeedbackResult::Archived => VIABLE,
            FeedbackResult::Duplicate | FeedbackResult::Discarded | FeedbackResult::Rejected => 0.0,
        };
        arm.observed = arm.observed.saturating_add(1);
        arm.worth += gained.map_or(by_result, |gained| by_result.max(gained.clamp(0.0, 1.0)));
        arm.tokens += tokens as f64;
        arm.usd = arm.usd.zip(usd).map(|(sum, usd)| sum + usd);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks `rounds` times; each model's share of improvements and price is known.
    fn shares(models: &[(f64, f64)], rounds: u32) -> Vec<f64> {
        let mut bandit = Bandit::new(models.len());
        let mut asked = vec![0.0; models.len()];
        let mut luck: Vec<f64> = vec![0.0; models.len()];
        for number in 1..=rounds {
            let model = bandit.choose();
            bandit.begin(number, model);
            asked[model] += 1.0;
            luck[model] += models[model].0;
            let won = luck[model] >= 1.0;
            luck[model] -= if won { 1.0 } else { 0.0 };
            let result = if won { FeedbackResult::Accepted } else { FeedbackResult::Rejected };
            bandit.observe(number, model, (result, None), (100, Some(models[model].1)));
        }
        asked.iter().map(|asked| asked / f64::from(rounds)).collect()
    }

    #[test]
    fn the_better_model_is_asked_more_and_none_is_forgotten() {
        let shares = shares(&[(0.05, 0.01), (0.6, 0.01), (0.1, 0.01)], 400);
        assert!(shares[1] > 0.6, "{shares:?}");
        assert!(shares.iter().all(|share| *share > 0.02), "{shares:?}");
    }

    #[test]
    fn of_equally_good_models_the_cheaper_is_asked_more() {
        let shares = shares(&[(0.6, 0.10), (0.6, 0.01)], 400);
        assert!(shares[1] > 0.6, "{shares:?}");
    }

    #[test]
    fn questions_under_way_spread_over_the_models() {
        let mut bandit = Bandit::new(3);
        let mut chosen = Vec::new();
        for number in 1..=6 {
            let model = bandit.choose();
            bandit.begin(number, model);
            chosen.push(model);
        }
        assert_eq!(chosen, [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn an_unknown_price_is_not_nothing() {
        let mut bandit = Bandit::new(2);
        for number in 0..10 {
            bandit.observe(number, 0, (FeedbackResult::Archived, None), (100, Some(0.0)));
            bandit.observe(number + 100, 1, (FeedbackResult::Archived, None), (1, None));
        }
        assert_eq!(bandit.prices(), [Some(100.0), Some(1.0)], "tokens, since one price is not known");
        assert_eq!(bandit.choose(), 1);
    }
}
