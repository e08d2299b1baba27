//! What follows from a verdict: violations, thresholds, the front, the champion.

use super::Engine;
use crate::acceptance::{self};
use crate::candidate::Evaluation;
use crate::decision::Order;
use crate::event::{ChampionChanged, Event, FrontChanged, SafetyViolation, ThresholdCrossed};
use crate::fold::FoldError;
use crate::id::Number;
use std::collections::HashSet;

impl Engine {
    pub(super) fn note_violation(
        &mut self,
        number: Number,
        evaluation: &Evaluation,
    ) -> Result<(), FoldError> {
        let Some((denials, reason)) = acceptance::violation(&self.state, evaluation) else { return Ok(()) };
        let modification_id = self.state.id(number);
        self.record(Event::SafetyViolation(SafetyViolation { modification_id, denials, reason }))
    }

    pub(super) fn note_thresholds(
        &mut self,
        number: Number,
        evaluation: &Evaluation,
    ) -> Result<(), FoldError> {
        let objectives = self.state.run.objectives.clone();
        for objective in objectives.iter() {
            let (Some(threshold), Some(value)) =
                (objective.threshold, evaluation.scores.get(&objective.name))
            else {
                continue;
            };
            let met = |value: f64| match objective.direction {
                objectives::Direction::Minimize => value <= threshold,
                objectives::Direction::Maximize => value >= threshold,
            };
            let baseline = self.state.baseline().and_then(|baseline| baseline.scores.get(&objective.name));
            let first = self.state.front.is_empty() && !baseline.is_some_and(met);
            if first && met(value) {
                let modification_id = self.state.id(number);
                self.record(Event::PerformanceThresholdExceeded(ThresholdCrossed {
                    modification_id,
                    objective: objective.name.clone(),
                    value,
                    threshold,
                }))?;
            }
        }
        Ok(())
    }

    pub(super) fn note_front(&mut self, before: &[Number]) -> Result<(), FoldError> {
        let state = &self.state;
        if state.front == before {
            return Ok(());
        }
        // Members keep their order and come at the end, so all but a few stand where they stood.
        let kept = state.front.iter().zip(before).take_while(|(now, then)| now == then).count();
        let (old, new) =
            (before.get(kept..).unwrap_or_default(), state.front.get(kept..).unwrap_or_default());
        let ids_of = |members: &[Number], others: &[Number]| {
            let others: HashSet<Number> = others.iter().copied().collect();
            members.iter().filter(|number| !others.contains(number)).map(|number| state.id(*number)).collect()
        };
        let (joined, left) = (ids_of(new, old), ids_of(old, new));
        let change = FrontChanged { joined, left, size: state.front.len(), hypervolume: state.hypervolume };
        self.record(Event::FrontChanged(change))
    }

    /// Makes the best of the front the champion, unless a person chose another when it was known already.
    pub(crate) fn crown_best(&mut self, reason: &str) -> Result<(), FoldError> {
        if self.state.pinned {
            return Ok(());
        }
        match self.state.peaks.champion(&self.state.run.objectives) {
            Some(best) if Some(best) != self.state.champion && best >= self.state.pinned_below => {
                self.crown(best, reason)
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn crown(&mut self, number: Number, reason: &str) -> Result<(), FoldError> {
        let Some(record) = self.state.candidate(number) else { return Ok(()) };
        let change = ChampionChanged {
            modification_id: self.state.id(number),
            commit: record.commit.clone(),
            previous: self.state.champion.map(|previous| self.state.id(previous)),
            reason: reason.to_owned(),
        };
        self.record(Event::ChampionChanged(change))?;
        self.carry(Order::SetChampion { number });
        Ok(())
    }
}
