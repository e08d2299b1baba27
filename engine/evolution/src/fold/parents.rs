//! Who becomes a parent, who stops being one.

use crate::acceptance::CORRECTNESS_GATE;
use crate::archive;
use crate::event::{Migrated, SearchRestarted};
use crate::id::{BASELINE, CandidateId, Number};
use crate::niches::Niches;
use crate::niches::islands::Passage;
use crate::state::{Fate, State};

impl State {
    /// Makes a judged candidate a parent if it is worth it and finds a place.
    pub(super) fn enter_parents(&mut self, number: Number) {
        let Some(record) = self.candidate(number) else { return };
        let improves = record.fate == Fate::Accepted;
        let timely = number >= self.stagnation.since || improves;
        let worthy = number == BASELINE || (timely && archive::is_stepping_stone(self, record));
        if !worthy {
            return;
        }
        let quality = record.quality;
        self.admit(number, number);
        self.stagnation.observe(self.evaluations_decided, quality, improves && number != BASELINE);
    }

    /// A program was proposed again that is known. Where its candidate is no parent there (it lives on another island, or
    /// belongs to an earlier start of the search), it becomes one: else known ground could never be crossed again.
    pub(super) fn meet_again(&mut self, number: Number, proposal: Number) {
        let elsewhere = matches!(self.niches, Niches::Islands(_)) || number < self.stagnation.since;
        let Some(record) = self.candidate(number).filter(|_| elsewhere && number != BASELINE) else { return };
        let quality = record.quality;
        if archive::is_stepping_stone(self, record) {
            self.admit(number, proposal);
            self.stagnation.observe(self.evaluations_decided, quality, false);
        }
    }

    /// Gives a candidate that is worth it a place, on the island of proposal `home`.
    fn admit(&mut self, number: Number, home: Number) {
        let Some(record) = self.candidate(number) else { return };
        let behaviour = archive::behaviour(record);
        let is_new = match &self.niches {
            Niches::All => self.behaviours.insert((0, behaviour)),
            Niches::Islands(islands) => {
                let island = islands.home(home);
                self.behaviours.insert((island, behaviour))
            }
            Niches::Grid(_) | Niches::Novelty(_) => true,
        };
        if !is_new {
            return;
        }
        let niche = self.place(number, home);
        if let Some(record) = self.candidate_mut(number) {
            record.niche = niche;
        }
        if self.niches == Niches::All {
            self.eligible.push(number);
        }
        while self.eligible.len() > archive::MAX_PARENTS
            && let Some(least) = archive::least_parent(self)
        {
            self.leave_parents(least);
        }
    }

    /// A candidate is no parent any more.
    pub(super) fn leave_parents(&mut self, number: Number) {
        self.niches.remove(number);
        self.eligible.retain(|parent| *parent != number);
    }

    /// Somebody is correct: whoever was a parent for want of that is none any more. The baseline remains, as always.
    pub(super) fn part_from_the_incorrect(&mut self) {
        let of_need = |number: &Number| {
            let record = self.candidate(*number).filter(|_| *number != BASELINE);
            record.is_some_and(|record| record.gate == CORRECTNESS_GATE)
        };
        let leaving: Vec<Number> = self.eligible.iter().copied().filter(of_need).collect();
        for number in leaving {
            self.leave_parents(number);
        }
    }

    pub(super) fn on_migrated(&mut self, migrated: &Migrated) -> Result<(), String> {
        let known = |id: &CandidateId| {
            id.number().filter(|number| self.candidate(*number).is_some()).ok_or("no such candidate")
        };
        let passages = migrated
            .passages
            .iter()
            .map(|voyage| {
                let migrants = voyage.migrants.iter().map(known).collect::<Result<_, _>>()?;
                Ok(Passage { from: voyage.from, to: voyage.to, migrants })
            })
            .collect::<Result<Vec<Passage>, &str>>()?;
        self.migrated_at = self.evaluations_decided;
        let Niches::Islands(islands) = &mut self.niches else {
            return Err("there are no islands".to_owned());
        };
        islands.migrate(&passages);
        self.eligible = self.niches.holders().unwrap_or_default();
        Ok(())
    }

    pub(super) fn on_restarted(&mut self, restarted: &SearchRestarted) -> Result<(), String> {
        let root = restarted.modification_id.number().ok_or("no such candidate")?;
        let quality = self.candidate(root).ok_or("no such candidate")?.quality;
        self.niches = Niches::new(&self.run.settings.archive);
        self.eligible.clear();
        self.behaviours.clear();
        let next = self.next_number();
        self.stagnation.restart(self.evaluations_decided, next, quality, restarted.patience);
        self.admit(BASELINE, BASELINE);
        if root != BASELINE {
            let islands = match &self.niches {
                Niches::Islands(islands) => islands.count(),
                _ => 1,
            };
            (0..islands).for_each(|island| self.admit(root, island));
        }
        Ok(())
    }
}
