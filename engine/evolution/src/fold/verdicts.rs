//! What verdicts change: the archive, the parents, the front, what is learnt.

use crate::acceptance;
use crate::archive;
use crate::id::{CandidateId, Number};
use crate::ports::Purpose;
use crate::state::{CandidateRecord, Fate, RUN_BREAKER, State, Trial};
use objectives::Scores;
use objectives::fronts::RankedArchive;
use std::collections::HashSet;

impl State {
    pub(super) fn on_verdict(
        &mut self,
        id: &CandidateId,
        fate: Fate,
        gate: &str,
        reason: &str,
        delta: f64,
    ) -> Result<(), String> {
        let number = id.number().ok_or("no such candidate")?;
        let record = self.candidate_mut(number).ok_or("no such candidate")?;
        let revoked = fate == Fate::Rejected && matches!(record.fate, Fate::Accepted | Fate::Archived);
        record.fate = if revoked { Fate::Revoked } else { fate };
        record.gate = gate.to_owned();
        record.reason = reason.to_owned();
        let scores = record.scores.clone();
        if revoked {
            self.revoke(number);
            return Ok(());
        }
        self.aborted.remove(&number);
        let judged = self.trials.remove(&(number, Purpose::Judge));
        if let Some(Trial::Done(evaluation)) = judged
            && acceptance::violation(self, &evaluation).is_none()
        {
            self.breaker_success(RUN_BREAKER, self.last_ms);
        }
        self.learn(number, fate, gate, delta);
        if matches!(fate, Fate::Accepted | Fate::Archived) {
            let first = self.archived.is_empty();
            self.enter_archive(number, &scores)?;
            if first {
                self.part_from_the_incorrect();
            }
        }
        self.evaluations_decided += 1;
        self.enter_parents(number);
        self.barren = 0;
        self.note_goal(&scores, fate);
        self.advance();
        Ok(())
    }

    /// What the verdict on a candidate teaches: counters, learning rate, choice of operator, clade statistics.
    pub(super) fn learn(&mut self, number: Number, fate: Fate, gate: &str, delta: f64) {
        match fate {
            Fate::Accepted => {
                self.counters.viable += 1;
                self.counters.accepted += 1;
            }
            Fate::Archived => self.counters.viable += 1,
            _ => {
                self.counters.rejected += 1;
                *self.counters.gates.entry(gate.to_owned()).or_default() += 1;
            }
        }
        let arm = self.candidate(number).and_then(|record| record.arm);
        if let Some(arm) = arm.and_then(|arm| self.arms.get_mut(arm)) {
            arm.yields.viable += u64::from(matches!(fate, Fate::Accepted | Fate::Archived));
            arm.yields.accepted += u64::from(fate == Fate::Accepted);
        }
        if matches!(gate, acceptance::MACHINERY_GATE | acceptance::ABORTED_GATE) {
            return;
        }
        let success = fate == Fate::Accepted || self.gains_cases(number);
        self.learning_rate.update(success, delta.max(0.0));
        if let Some(arm) = arm {
            self.choice.observe(arm, if success { 1.0 } else { 0.0 });
        }
        self.lineage.record_outcome(number, success);
    }

    /// Whether a candidate passes more cases than each of its parents: who joins two is not to be praised for what the
    /// second one passes already.
    pub(crate) fn gains_cases(&self, number: Number) -> bool {
        let Some(record) = self.candidate(number) else { return false };
        let mut parents = record.parents.iter().filter_map(|parent| self.candidate(*parent)).peekable();
        parents.peek().is_some() && parents.all(|parent| record.passed.len() > parent.passed.len())
    }

    pub(super) fn enter_archive(&mut self, number: Number, scores: &Scores) -> Result<(), String> {
        let point = self.run.objectives.point(scores).map_err(|error| error.to_string())?;
        let relation = self.peaks.relation(&point);
        let index = self.archive.insert(&point);
        self.archived.push(number);
        let Some(record) = self.candidate_mut(number) else { return Err(format!("no candidate {number}")) };
        record.archive_index = Some(index);
        let changed_bytes = record.changed_bytes;
        if relation.dominated_by.is_none() {
            let leaving: HashSet<Number> = relation.dominated.iter().copied().collect();
            if !leaving.is_empty() {
                self.front.retain(|member| !leaving.contains(member));
            }
            self.front.push(number);
            self.peaks.enter(number, changed_bytes, &point);
            let beyond = leaving.is_empty() && self.peaks.len() > archive::HYPERVOLUME_POINTS;
            if relation.equal_to.is_none() && !beyond {
                self.hypervolume = archive::hypervolume(self);
            }
        }
        Ok(())
    }

    /// Takes a candidate out of archive, front and parents after a second judgement. Rare, so the archive is rebuilt.
    pub(super) fn revoke(&mut self, number: Number) {
        self.leave_parents(number);
        // What is not viable cannot be kept.
        self.pinned &= self.champion != Some(number);
        let members: Vec<Number> = self.archived.iter().copied().filter(|member| *member != number).collect();
        self.archive = RankedArchive::new(self.run.objectives.len());
        self.archived.clear();
        self.front.clear();
        self.peaks.clear();
        if let Some(record) = self.candidate_mut(number) {
            record.archive_index = None;
        }
        for member in members {
            if let Some(scores) = self.candidate(member).map(|record| record.scores.clone()) {
                // These points were accepted before: entering again cannot fail.
                let _ = self.enter_archive(member, &scores);
            }
        }
        self.hypervolume = archive::hypervolume(self);
        let is_ideal = |record: &CandidateRecord| self.run.objectives.is_ideal(&record.scores);
        if !self.peaks.firsts().filter_map(|first| self.candidate(first)).any(is_ideal) {
            self.goal_at = None;
        }
    }

    pub(super) fn note_goal(&mut self, scores: &Scores, fate: Fate) {
        let viable = matches!(fate, Fate::Accepted | Fate::Archived);
        if viable && self.goal_at.is_none() && self.run.objectives.is_ideal(scores) {
            self.goal_at = Some(self.evaluations_decided);
        }
    }
}
