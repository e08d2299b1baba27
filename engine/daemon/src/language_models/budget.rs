//! The budget of a run's models, as the run's log has it: what a person changes while the run goes on reaches the purse.

use crate::data::Runs;
use crate::failure::Failure;
use evolution::event::Event;
use evolution::id::RunId;
use evolution::settings::Budget;
use models::Purse;
use std::sync::{Arc, Weak};
use std::time::Duration;
use store::Subscription;

/// How long is waited for an event before it is seen whether anybody still uses the purse.
const WAIT: Duration = Duration::from_millis(500);

/// What of a run's budget is the models'.
pub(super) fn of(budget: &Budget) -> models::Budget {
    models::Budget { tokens: budget.llm_tokens, usd: budget.llm_cost_usd }
}

/// Keeps the purse to the budget of the run's log from here on, for as long as there is a purse.
pub(super) fn follow(runs: &Runs, run: &RunId, purse: &Arc<Purse>) -> Result<(), Failure> {
    let after = runs.last_seq(run)?;
    let subscription = runs
        .log()
        .subscribe(&conductor::run_stream(run), after)
        .map_err(|error| Failure::caused("the run's log cannot be followed", error))?;
    let purse = Arc::downgrade(purse);
    std::thread::Builder::new()
        .name("budget".to_owned())
        .spawn(move || keep(subscription, &purse))
        .map_err(|error| Failure::caused("no thread could be started", error))?;
    Ok(())
}

fn keep(mut subscription: Subscription, purse: &Weak<Purse>) {
    loop {
        let Ok(record) = subscription.recv_timeout(WAIT) else { return };
        let Some(purse) = purse.upgrade() else { return };
        let event = record.and_then(|record| conductor::event_of(record).ok());
        if let Some(Event::BudgetChanged(changed)) = event {
            purse.set_budget(of(&changed.budget));
        }
    }
}
