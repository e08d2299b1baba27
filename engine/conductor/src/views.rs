//! Candidates as the ports see them: files from the snapshots, evaluations from the log, the recent ones kept.

use crate::error::ConductorError;
use crate::records::{event_of, run_stream};
use crate::suspicion;
use evolution::candidate::{Evaluation, Patch, SourceFiles};
use evolution::event::Event;
use evolution::id::Number;
use evolution::ports::{CandidateView, Snapshots};
use evolution::state::State;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use store::Log;

/// Candidates whose files and evaluation are kept in memory, about twice as many as can be parents, so that those are
/// there; others are read again when they are needed.
const MAX_KEPT: usize = 400;
/// Most ancestors that are looked at for one whose fault was located.
const MAX_CLIMBED: usize = 64;

/// Recently used candidates.
#[derive(Default)]
pub(crate) struct Views {
    files: Kept<Arc<SourceFiles>>,
    evaluations: Kept<Arc<Evaluation>>,
    /// Evaluations with what is suspected of an ancestor, where they have no suspicion of their own.
    located: Kept<Arc<Evaluation>>,
}

impl Views {
    /// Keeps the files of a candidate just made.
    pub(crate) fn keep_files(&mut self, number: Number, files: Arc<SourceFiles>) {
        self.files.put(number, files);
    }

    /// Keeps an evaluation just made.
    pub(crate) fn keep_evaluation(&mut self, number: Number, evaluation: Arc<Evaluation>) {
        self.evaluations.put(number, evaluation);
    }

    /// Forgets a candidate that nobody will build on.
    pub(crate) fn forget(&mut self, number: Number) {
        self.files.take(number);
        self.evaluations.take(number);
        self.located.take(number);
    }

    /// A candidate's files that may change.
    pub(crate) fn files(
        &mut self,
        state: &State,
        snapshots: &mut dyn Snapshots,
        number: Number,
    ) -> Result<Arc<SourceFiles>, ConductorError> {
        if let Some(files) = self.files.get(number) {
            return Ok(files);
        }
        let record = state.candidate(number).ok_or(ConductorError::NoCandidate(number))?;
        let files = Arc::new(snapshots.files(&record.commit)?);
        self.files.put(number, files.clone());
        Ok(files)
    }

    /// A judged candidate, whole.
    pub(crate) fn view(
        &mut self,
        state: &State,
        snapshots: &mut dyn Snapshots,
        log: &dyn Log,
        number: Number,
    ) -> Result<CandidateView, ConductorError> {
        let record = state.candidate(number).ok_or(ConductorError::NoCandidate(number))?;
        let files = self.files(state, snapshots, number)?;
        let evaluation = self.located(state, snapshots, log, number)?;
        let (id, commit, detail) = (state.id(number), record.commit.clone(), record.detail.clone());
        Ok(CandidateView { number, id, commit, files, evaluation, detail })
    }

    fn evaluation(
        &mut self,
        state: &State,
        log: &dyn Log,
        number: Number,
    ) -> Result<Arc<Evaluation>, ConductorError> {
        if let Some(evaluation) = self.evaluations.get(number) {
            return Ok(evaluation);
        }
        let record = state.candidate(number).ok_or(ConductorError::NoCandidate(number))?;
        let evaluation = Arc::new(read_evaluation(state, log, record.evaluation_seq)?);
        self.evaluations.put(number, evaluation.clone());
        Ok(evaluation)
    }

    /// An evaluation, with where the fault may lie when cases failed: by its own run or that of its nearest ancestor.
    fn located(
        &mut self,
        state: &State,
        snapshots: &mut dyn Snapshots,
        log: &dyn Log,
        number: Number,
    ) -> Result<Arc<Evaluation>, ConductorError> {
        if let Some(located) = self.located.get(number) {
            return Ok(located);
        }
        let own = self.evaluation(state, log, number)?;
        if !own.suspicion.is_empty() || own.cases_passed() == own.cases_total {
            return Ok(own);
        }
        let first_parent =
            |number| state.candidate(number).and_then(|record| record.parents.first().copied());
        // Of an imported lineage not everybody was evaluated here.
        let evaluated =
            |number: &Number| state.candidate(*number).is_some_and(|record| record.outcome.is_some());
        let climbed = std::iter::successors(first_parent(number), |ancestor| first_parent(*ancestor));
        for ancestor in climbed.take(MAX_CLIMBED).filter(evaluated) {
            let known = self.evaluation(state, log, ancestor)?;
            if known.suspicion.is_empty() {
                continue;
            }
            let (from, to) = (self.files(state, snapshots, ancestor)?, self.files(state, snapshots, number)?);
            let suspicion = suspicion::carried(&known.suspicion, &from, &to);
            let located = Arc::new(Evaluation { suspicion, ..own.as_ref().clone() });
            self.located.put(number, located.clone());
            return Ok(located);
        }
        Ok(own)
    }
}

fn read_evaluation(state: &State, log: &dyn Log, seq: u64) -> Result<Evaluation, ConductorError> {
    let records = log.read(&run_stream(&state.run.run_id), seq.saturating_sub(1), 1)?;
    let misplaced = || ConductorError::UnknownRecord { seq, reason: "an evaluation was expected".to_owned() };
    match records.into_iter().next().map(event_of).transpose()? {
        Some(Event::ValidationCompleted(completed)) => Ok(*completed.evaluation),
        _ => Err(misplaced()),
    }
}

/// Bytes that a candidate's files differ in from the baseline's: for each file the longer of the two middles that
/// remain when the common beginning and end are taken away. A measure of a change's size, for ties.
pub(crate) fn changed_bytes(baseline: &SourceFiles, files: &SourceFiles) -> u64 {
    let nothing: Arc<[u8]> = Arc::from([]);
    let differ = |a: &[u8], b: &[u8]| {
        let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
        let (a, b) = (a.get(start..).unwrap_or_default(), b.get(start..).unwrap_or_default());
        let end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
        (a.len().max(b.len()) - end) as u64
    };
    let gone =
        baseline.0.iter().filter(|(path, _)| !files.0.contains_key(*path)).map(|(_, old)| old.len() as u64);
    let kept = files.0.iter().map(|(path, new)| {
        let old = baseline.0.get(path).unwrap_or(&nothing);
        if Arc::ptr_eq(old, new) { 0 } else { differ(old, new) }
    });
    gone.chain(kept).sum()
}

/// Paths whose content a patch really changes.
pub(crate) fn changed_paths(files: &SourceFiles, patch: &Patch) -> Vec<String> {
    let differs =
        |change: &&evolution::candidate::FileChange| files.0.get(&change.path) != change.content.as_ref();
    patch.0.iter().filter(differs).map(|change| change.path.clone()).collect()
}

/// A bounded map that forgets what was used longest ago.
struct Kept<T> {
    /// With the moment of the last use.
    entries: HashMap<Number, (T, u64)>,
    /// Whose last use was at a moment, the oldest first.
    uses: BTreeMap<u64, Number>,
    clock: u64,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { entries: HashMap::new(), uses: BTreeMap::new(), clock: 0 }
    }
}

impl<T: Clone> Kept<T> {
    fn get(&mut self, number: Number) -> Option<T> {
        let (value, used) = self.entries.get_mut(&number)?;
        self.clock += 1;
        self.uses.remove(used);
        self.uses.insert(self.clock, number);
        *used = self.clock;
        Some(value.clone())
    }

    fn take(&mut self, number: Number) {
        if let Some((_, used)) = self.entries.remove(&number) {
            self.uses.remove(&used);
        }
    }

    fn put(&mut self, number: Number, value: T) {
        self.clock += 1;
        if let Some((_, used)) = self.entries.insert(number, (value, self.clock)) {
            self.uses.remove(&used);
        }
        self.uses.insert(self.clock, number);
        if self.entries.len() > MAX_KEPT
            && let Some((_, oldest)) = self.uses.pop_first()
        {
            self.entries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(pairs: &[(&str, &str)]) -> SourceFiles {
        SourceFiles(
            pairs.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_bytes()))).collect(),
        )
    }

    #[test]
    fn changed_bytes_counts_the_middle() {
        let old = files(&[("a", "one two three"), ("b", "same")]);
        assert_eq!(changed_bytes(&old, &old), 0);
        assert_eq!(changed_bytes(&old, &files(&[("a", "one 2 three"), ("b", "same")])), 3);
        assert_eq!(changed_bytes(&old, &files(&[("a", "one two three")])), 4);
        assert_eq!(changed_bytes(&old, &files(&[("a", "one two three!"), ("b", "same"), ("c", "xyz")])), 4);
        assert_eq!(changed_bytes(&files(&[("a", "aaa")]), &files(&[("a", "aa")])), 1);
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut kept = Kept::default();
        for number in 0..=MAX_KEPT as Number {
            kept.put(number, number);
            assert_eq!(kept.get(0), Some(0));
        }
        assert_eq!(kept.get(1), None);
        assert_eq!(kept.entries.len(), MAX_KEPT);
        kept.take(0);
        assert_eq!((kept.get(0), kept.entries.len(), kept.uses.len()), (None, MAX_KEPT - 1, MAX_KEPT - 1));
    }
}
