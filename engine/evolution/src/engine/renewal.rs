//! What keeps the parents from becoming all alike: migrations between islands, and restarts after stagnation. Both are looked
//! at after each verdict and recorded as decisions, so that a replay gives the same run.

use super::Engine;
use crate::event::{Event, Migrated, NicheChanged, SearchRestarted, Voyage};
use crate::fold::FoldError;
use crate::id::Number;
use crate::niches::{Niche, Niches};
use crate::picking;
use crate::settings::ArchivePolicy;
use crate::stagnation;
use std::collections::BTreeSet;

/// The parents, and a candidate's place, before something happened to them.
pub(super) struct Before {
    number: Number,
    niche: Option<Niche>,
    parents: Vec<Number>,
}

impl Engine {
    /// What [`Self::note_niche`] compares with; `None` where there are no places.
    pub(super) fn before(&self, number: Number) -> Option<Before> {
        let niche = self.state.candidate(number).and_then(|record| record.niche.clone());
        let parents = || self.state.eligible.clone();
        (self.state.niches != Niches::All).then(|| Before { number, niche, parents: parents() })
    }

    /// Tells where a candidate was placed, if it was since `before`.
    pub(super) fn note_niche(&mut self, before: Option<Before>) -> Result<(), FoldError> {
        let Some(Before { number, niche, parents }) = before else { return Ok(()) };
        let state = &self.state;
        let Some(now) = state.candidate(number).and_then(|record| record.niche.clone()) else {
            return Ok(());
        };
        let parents_now: BTreeSet<Number> = state.eligible.iter().copied().collect();
        let left = parents.iter().filter(|parent| !parents_now.contains(parent));
        let left = left.map(|parent| state.id(*parent)).collect();
        let entered = parents_now.contains(&number);
        if niche.as_ref() == Some(&now) && entered == parents.contains(&number) {
            return Ok(());
        }
        let modification_id = state.id(number);
        let change = NicheChanged { modification_id, niche: now, entered, left, parents: parents_now.len() };
        self.record(Event::NicheChanged(change))
    }

    /// Lets parents migrate, and the search start anew, when it is time for that.
    pub(super) fn renew(&mut self) -> Result<(), FoldError> {
        if self.state.goal_at.is_some() || self.stop_reason().is_some() {
            return Ok(());
        }
        let state = &self.state;
        let decided = state.evaluations_decided;
        if let ArchivePolicy::Islands(settings) = &state.run.settings.archive
            && decided - state.migrated_at >= settings.migration_every.max(1)
        {
            let migrants = settings.migrants;
            self.migrate(migrants)?;
        }
        if !self.state.stagnation.is_stuck(decided) {
            return Ok(());
        }
        let idle = self.state.stagnation.idle(decided);
        self.restart_search(format!("no progress in {idle} evaluations"))
    }

    fn migrate(&mut self, migrants: u32) -> Result<(), FoldError> {
        let state = &self.state;
        let Niches::Islands(islands) = &state.niches else { return Ok(()) };
        let passages = islands.passages(migrants).into_iter().map(|passage| Voyage {
            from: passage.from,
            to: passage.to,
            migrants: passage.migrants.iter().map(|migrant| state.id(*migrant)).collect(),
        });
        let migrated = Migrated { passages: passages.collect() };
        self.record(Event::Migrated(migrated))
    }

    /// Starts anew where the parents have nothing left to try but the restart's settings allow another start. Answers
    /// whether it did. Two starts in a row without an evaluation between them, and there is nowhere left to go.
    pub(super) fn restart_if_exhausted(&mut self) -> Result<bool, FoldError> {
        let state = &self.state;
        let fruitless = state.stagnation.restarts > 1 && state.stagnation.since == state.next_number();
        let hopeless = state.goal_at.is_some() || fruitless || !picking::is_exhausted(state);
        if state.run.settings.restart.is_none() || hopeless {
            return Ok(false);
        }
        self.restart_search("the parents have nothing left to try".to_owned())?;
        Ok(true)
    }

    fn restart_search(&mut self, reason: String) -> Result<(), FoldError> {
        let state = &self.state;
        let Some(settings) = &state.run.settings.restart else { return Ok(()) };
        let draw = picking::restart_draw(state.run.seed, state.next_number());
        let restarted = SearchRestarted {
            restart: state.stagnation.restarts.saturating_add(1),
            modification_id: state.id(stagnation::root(state, draw)),
            reason,
            patience: state.stagnation.next_patience(settings.growth),
        };
        self.record(Event::SearchRestarted(restarted))
    }
}
