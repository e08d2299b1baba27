//! What calls may spend together, in tokens and dollars: asked before a call, told after it. A call that may be paid once
//! others under way have settled waits for them; one that cannot be paid at all is refused.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Fewest tokens of an answer that are worth a call, unless fewer are asked for.
const MIN_ANSWER: u32 = 64;

/// What may be spent; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Budget {
    /// Tokens, read and written.
    pub tokens: Option<u64>,
    /// US dollars.
    pub usd: Option<f64>,
}

/// What has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Poor {
    /// Tokens.
    #[error("the budget of tokens is spent")]
    Tokens,
    /// Money.
    #[error("the budget of money is spent")]
    Money,
}

#[derive(Debug, Default)]
struct Account {
    budget: Budget,
    tokens: u64,
    usd: f64,
    reserved_tokens: u64,
    reserved_usd: f64,
    /// Calls that hold a reservation.
    under_way: u32,
}

/// The purse of several clients.
#[derive(Debug, Default)]
pub struct Purse {
    account: Mutex<Account>,
    settled: Condvar,
}

/// What one call may cost at most. Handed back when the call is over, whatever became of it.
#[derive(Debug)]
pub(crate) struct Reservation {
    purse: Arc<Purse>,
    tokens: u64,
    usd: f64,
    /// Tokens that the answer may have.
    pub(crate) answer: u32,
}

impl Purse {
    /// A purse of which earlier processes have spent `tokens` and `usd`.
    pub fn new(budget: Budget, tokens: u64, usd: f64) -> Self {
        let account = Account { budget, tokens, usd, ..Account::default() };
        Self { account: Mutex::new(account), settled: Condvar::new() }
    }

    /// Limits what may be spent in all by another budget from now on. Calls under way keep what they were granted; who
    /// waits for them looks again.
    pub fn set_budget(&self, budget: Budget) {
        self.lock().budget = budget;
        self.settled.notify_all();
    }

    /// Whether money is limited.
    pub fn limits_money(&self) -> bool {
        self.lock().budget.usd.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets aside what a call may cost: `question` tokens, and up to `answer` tokens for which as many are granted as are
    /// left. `price` is in dollars for a token read and written.
    pub(crate) fn reserve(
        self: &Arc<Self>,
        question: u64,
        answer: u32,
        price: Option<(f64, f64)>,
    ) -> Result<Reservation, Poor> {
        let mut account = self.lock();
        loop {
            match account.granted(question, answer, price) {
                Ok(granted) => {
                    let tokens = question + u64::from(granted);
                    let usd = price
                        .map_or(0.0, |(read, written)| question as f64 * read + f64::from(granted) * written);
                    account.reserved_tokens += tokens;
                    account.reserved_usd += usd;
                    account.under_way += 1;
                    return Ok(Reservation { purse: self.clone(), tokens, usd, answer: granted });
                }
                Err(_) if account.under_way > 0 => {
                    account = self.settled.wait(account).unwrap_or_else(PoisonError::into_inner);
                }
                Err(poor) => return Err(poor),
            }
        }
    }
}

impl Account {
    /// Tokens of an answer that can be paid now, at most `answer`.
    fn granted(&self, question: u64, answer: u32, price: Option<(f64, f64)>) -> Result<u32, Poor> {
        let least = answer.min(MIN_ANSWER);
        let mut granted = answer;
        if let Some(limit) = self.budget.tokens {
            let left = limit.saturating_sub(self.tokens).saturating_sub(self.reserved_tokens);
            // One that wants no answer has nothing else to be refused by.
            let fits = question <= left;
            let left = u32::try_from(left.saturating_sub(question)).unwrap_or(u32::MAX);
            granted = granted.min(left);
            if !fits || granted < least {
                return Err(Poor::Tokens);
            }
        }
        if let (Some(limit), Some((read, written))) = (self.budget.usd, price) {
            let left = limit - self.usd - self.reserved_usd - question as f64 * read;
            // A free answer is limited by nothing here; the conversion saturates.
            let affordable = if written > 0.0 { (left / written).max(0.0) as u32 } else { u32::MAX };
            if left < 0.0 || affordable < least {
                return Err(Poor::Money);
            }
            granted = granted.min(affordable);
        }
        Ok(granted)
    }
}

impl Reservation {
    /// Books what the call really cost.
    pub(crate) fn settle(self, tokens: u64, usd: Option<f64>) {
        let mut account = self.purse.lock();
        account.tokens = account.tokens.saturating_add(tokens);
        account.usd += usd.unwrap_or(0.0);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut account = self.purse.lock();
        account.reserved_tokens = account.reserved_tokens.saturating_sub(self.tokens);
        account.reserved_usd = (account.reserved_usd - self.usd).max(0.0);
        account.under_way = account.under_way.saturating_sub(1);
        drop(account);
        self.purse.settled.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(limit: u64) -> Arc<Purse> {
        Arc::new(Purse::new(Budget { tokens: Some(limit), usd: None }, 0, 0.0))
    }

    #[test]
    fn an_answer_is_granted_what_is_left() {
        let purse = tokens(1_000);
        let first = purse.reserve(400, 5_000, None).unwrap();
        assert_eq!(first.answer, 600);
        first.settle(500, None);
        assert_eq!(purse.reserve(300, 5_000, None).unwrap().answer, 200);
        assert_eq!(purse.reserve(450, 5_000, None).unwrap_err(), Poor::Tokens);
    }

    #[test]
    fn a_question_that_wants_no_words_for_an_answer_must_fit_too() {
        let purse = tokens(1_000);
        assert!(purse.reserve(1_000, 0, None).is_ok());
        assert_eq!(purse.reserve(1_001, 0, None).unwrap_err(), Poor::Tokens);
        let purse = Arc::new(Purse::new(Budget { tokens: None, usd: Some(1.0) }, 0, 0.0));
        assert!(purse.reserve(1_000, 0, Some((0.001, 0.0))).is_ok());
        assert_eq!(purse.reserve(1_001, 0, Some((0.001, 0.0))).unwrap_err(), Poor::Money);
    }

    #[test]
    fn a_budget_may_be_raised_and_lowered_while_calls_are_under_way() {
        let purse = tokens(1_000);
        let first = purse.reserve(100, 900, None).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| purse.reserve(100, 900, None).map(|granted| granted.answer));
            purse.set_budget(Budget { tokens: Some(2_000), usd: None });
            assert_eq!(second.join().unwrap(), Ok(900), "who waits hears of it");
        });
        first.settle(500, None);
        purse.set_budget(Budget { tokens: Some(400), usd: None });
        assert_eq!(purse.reserve(1, 64, None).unwrap_err(), Poor::Tokens);
    }

    #[test]
    fn a_failed_call_gives_its_reservation_back() {
        let purse = tokens(1_000);
        drop(purse.reserve(400, 600, None).unwrap());
        assert_eq!(purse.reserve(400, 600, None).unwrap().answer, 600);
    }

    #[test]
    fn money_is_limited_by_the_price() {
        let purse = Arc::new(Purse::new(Budget { tokens: None, usd: Some(1.0) }, 0, 0.5));
        let price = Some((0.001, 0.002));
        assert_eq!(purse.reserve(100, 5_000, price).unwrap().answer, 200);
        assert_eq!(purse.reserve(490, 5_000, price).unwrap_err(), Poor::Money);
        assert_eq!(
            purse.reserve(490, 5_000, None).unwrap().answer,
            5_000,
            "what has no price is not counted"
        );
    }

    #[test]
    fn who_cannot_be_paid_yet_waits_for_those_under_way() {
        let purse = tokens(1_000);
        let first = purse.reserve(100, 900, None).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| purse.reserve(100, 900, None).map(|granted| granted.answer));
            first.settle(300, None);
            assert_eq!(second.join().unwrap(), Ok(600));
        });
    }
}
