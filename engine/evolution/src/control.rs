//! Commands from outside: pause, resume, stop, rollback, promotion, budget. Part of the stepping core, in a file of its
//! own. Each command is obeyed once, whatever happens to its sender, and a refusal is recorded with its reason.

use crate::acceptance;
use crate::candidate::Evaluation;
use crate::engine::Engine;
use crate::event::{
    BudgetChanged, Command, ControlReceived, Event, Reasoned, RollbackCompleted, RollbackInitiated,
    RunResumed, StoppedBy,
};
use crate::fold::FoldError;
use crate::id::{BASELINE, CandidateId, Number};
use crate::ports::Purpose;
use crate::state::{Fate, Phase, Trial};
use objectives::Scores;

impl Engine {
    pub(crate) fn on_control(&mut self, id: &str, command: Command, reason: &str) -> Result<(), FoldError> {
        if self.state().commands.contains(id) {
            return Ok(());
        }
        let refused = self.refusal(&command);
        let obeyed = refused.is_none();
        self.record(Event::ControlReceived(ControlReceived {
            id: id.to_owned(),
            command: command.clone(),
            reason: reason.to_owned(),
            refused,
        }))?;
        if !obeyed {
            return Ok(());
        }
        match command {
            Command::PauseEvolution => self.record(Event::RunPaused(Reasoned { reason: reason.to_owned() })),
            Command::ResumeEvolution => self
                .record(Event::RunResumed(RunResumed { reason: reason.to_owned(), in_flight: Vec::new() })),
            Command::StopEvolution => self.finish(StoppedBy::Interrupt, reason),
            Command::RollbackModification { modification_id } => {
                self.begin_rollback(&modification_id, reason)
            }
            Command::Promote { modification_id } => self.choose(&modification_id, "promotion"),
            Command::Pin { modification_id } => self.choose(&modification_id, "pin"),
            Command::AbortEvaluation { modification_id } => match self.known(&modification_id) {
                Some(number) => self.abort_evaluation(number),
                None => Ok(()),
            },
            Command::SetBudget { budget } => {
                let budget = budget.over(&self.state().budget);
                self.record(Event::BudgetChanged(BudgetChanged { budget, reason: reason.to_owned() }))
            }
        }
    }

    /// Makes a candidate the champion that a person chose; one that is the champion already stays it.
    fn choose(&mut self, id: &CandidateId, reason: &str) -> Result<(), FoldError> {
        match self.known(id).filter(|number| self.state().champion != Some(*number)) {
            Some(number) => self.crown(number, reason),
            None => Ok(()),
        }
    }

    fn known(&self, id: &CandidateId) -> Option<Number> {
        id.number()
            .filter(|number| self.state().id(*number) == *id && self.state().candidate(*number).is_some())
    }

    /// Why a command cannot be obeyed now, if so.
    fn refusal(&self, command: &Command) -> Option<String> {
        let state = self.state();
        let finished = matches!(state.phase, Phase::Finished(_));
        match command {
            Command::PauseEvolution if finished => Some("the run is over".to_owned()),
            Command::PauseEvolution if state.phase == Phase::Paused => {
                Some("the run is paused already".to_owned())
            }
            Command::ResumeEvolution if finished => Some("the run is over".to_owned()),
            Command::ResumeEvolution if state.phase != Phase::Paused => {
                Some("the run is not paused".to_owned())
            }
            Command::StopEvolution | Command::SetBudget { .. } if finished => {
                Some("the run is over".to_owned())
            }
            Command::AbortEvaluation { .. } if finished => Some("the run is over".to_owned()),
            Command::AbortEvaluation { modification_id } => {
                let under_way = |number| {
                    let judged = state.trials.get(&(number, Purpose::Judge));
                    matches!(judged, Some(Trial::UnderWay)) && !state.aborted.contains_key(&number)
                };
                let is_under_way = self.known(modification_id).is_some_and(under_way);
                (!is_under_way).then(|| format!("no evaluation of {modification_id} is under way"))
            }
            Command::RollbackModification { modification_id }
            | Command::Promote { modification_id }
            | Command::Pin { modification_id } => {
                let Some(number) = self.known(modification_id) else {
                    return Some(format!("no candidate {modification_id} in this run"));
                };
                let viable = number == BASELINE || state.is_viable(number);
                let fate = state.candidate(number).map(|record| record.fate);
                if !viable || fate == Some(Fate::Undecided) {
                    Some(format!("{modification_id} is not viable"))
                } else if state.rollback.is_some() {
                    Some("another rollback is under way".to_owned())
                } else if state.champion == Some(number) && matches!(command, Command::Pin { .. }) {
                    state.pinned.then(|| format!("{modification_id} is pinned already"))
                } else if state.champion == Some(number)
                    && !(state.pinned && matches!(command, Command::Promote { .. }))
                {
                    Some(format!("{modification_id} is the champion already"))
                } else {
                    None
                }
            }
            _ => None,
        }
    }

    fn begin_rollback(&mut self, id: &CandidateId, reason: &str) -> Result<(), FoldError> {
        let Some((to, from)) = self.known(id).zip(self.state().champion) else { return Ok(()) };
        self.record(Event::RollbackInitiated(RollbackInitiated {
            modification_id: id.clone(),
            from: self.state().id(from),
            reason: reason.to_owned(),
        }))?;
        self.start_evaluation(to, Purpose::Verify)
    }

    /// The candidate that is gone back to was measured again: the rollback holds if that agrees with its snapshot.
    pub(crate) fn on_rollback_measured(
        &mut self,
        number: Number,
        fresh: &Evaluation,
    ) -> Result<(), FoldError> {
        match acceptance::confirms(self.state(), number, fresh) {
            Ok(()) => {
                let reason = "measured again and equal to its snapshot within the noise".to_owned();
                self.complete_rollback(number, true, reason, fresh.scores.clone())?;
                self.crown(number, "rollback")
            }
            Err(refusal) => self.complete_rollback(number, false, refusal.reason, fresh.scores.clone()),
        }
    }

    /// The candidate that is gone back to could not be measured.
    pub(crate) fn on_rollback_failed(&mut self, number: Number, reason: &str) -> Result<(), FoldError> {
        self.complete_rollback(number, false, reason.to_owned(), Scores::default())
    }

    fn complete_rollback(
        &mut self,
        number: Number,
        verified: bool,
        reason: String,
        scores: Scores,
    ) -> Result<(), FoldError> {
        let from = self.state().rollback.as_ref().map_or(number, |rollback| rollback.from);
        self.record(Event::RollbackCompleted(RollbackCompleted {
            modification_id: self.state().id(number),
            from: self.state().id(from),
            verified,
            reason,
            scores,
        }))
    }
}
