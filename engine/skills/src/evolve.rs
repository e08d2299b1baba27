//! The skill `evolve`: a task is a run. The run bears the task's name, so that a task that is taken up after a restart
//! finds what it had begun; its events become the task's progress, its winner the artifacts.

use crate::agent::{blocking, end_by};
use crate::card::EXTENSION;
use crate::request::EvolveRequest;
use crate::workshop::{Heard, Order, Outcome, Workshop};
use a2a::model::{Artifact, Message, Part, Role, TaskState};
use a2a::{A2aError, Ended, Job};
use evolution::event::Event;
use evolution::id::RunId;
use evolution::state::{Phase, State};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Progress that waits for a task that is slow to write it, in messages.
const MAX_WAITING: usize = 64;
/// Shortest time between two words about nothing but the count of evaluations.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// Digits of a run's name.
const RUN_ID_DIGITS: usize = 12;

/// One word about a run.
struct Progress {
    text: String,
    data: Value,
}

/// Works on an evolve task to its end.
pub(crate) async fn run(
    workshop: Arc<dyn Workshop>,
    job: &Job,
    request: EvolveRequest,
) -> Result<(), A2aError> {
    let run = run_of(job.id());
    let order =
        Order { run: run.clone(), program: request.program, seed: request.seed, budget: request.budget };
    let begun = {
        let workshop = workshop.clone();
        blocking(move || workshop.begin(order)).await
    };
    if let Err(error) = begun {
        return Ok(end_by(job, error).await?);
    }
    see_through(workshop, job, run).await
}

/// Goes on with a task whose run was begun before a restart; `None` when there is no such run.
pub(crate) async fn resume(workshop: Arc<dyn Workshop>, job: &Job) -> Option<Result<(), A2aError>> {
    let run = run_of(job.id());
    let known = {
        let (workshop, run) = (workshop.clone(), run.clone());
        blocking(move || Ok(workshop.is_known(&run))).await
    };
    if known == Ok(true) { Some(see_through(workshop, job, run).await) } else { None }
}

/// Follows a run to its end and hands over what it came to.
async fn see_through(workshop: Arc<dyn Workshop>, job: &Job, run: RunId) -> Result<(), A2aError> {
    let followed = follow(workshop.clone(), run.clone())?;
    if let Err(Ended) = tell(job, followed).await {
        // The peer canceled it, or the task outgrew its limits: nobody waits for the run any more.
        let stopping = run.clone();
        let stopped = blocking(move || workshop.stop(&stopping, "its task was canceled")).await;
        return stopped.map_err(|error| A2aError::internal(error.to_string()));
    }
    let outcome = blocking(move || workshop.outcome(&run)).await;
    match outcome {
        Ok(outcome) => hand_over(job, outcome).await?,
        Err(error) => end_by(job, error).await?,
    }
    Ok(())
}

/// The name of a task's run: the random digits at the end of the task's name.
fn run_of(task: &str) -> RunId {
    let digits: String = task.chars().filter(char::is_ascii_hexdigit).collect();
    RunId::new(&digits[digits.len().saturating_sub(RUN_ID_DIGITS)..])
}

/// Writes the run's progress into the task until the run has finished.
async fn tell(job: &Job, mut followed: Receiver<Progress>) -> Result<(), Ended> {
    loop {
        let progress = tokio::select! {
            biased;
            () = job.cancelled() => return Err(Ended),
            progress = followed.recv() => progress,
        };
        let Some(Progress { text, data }) = progress else { return Ok(()) };
        let data = json!({ "type": "evolution_progress", "data": data });
        let mut message = Message::new(Role::Agent, vec![Part::text(text), Part::data(data)]);
        message.extensions = vec![EXTENSION.to_owned()];
        job.status(TaskState::Working, Some(message)).await?;
    }
}

/// Follows a run on a thread of its own until it has finished or nobody listens.
fn follow(workshop: Arc<dyn Workshop>, run: RunId) -> Result<Receiver<Progress>, A2aError> {
    let (sender, receiver) = channel(MAX_WAITING);
    let work = move || {
        let mut teller = Teller::new(sender);
        // What cannot be followed ends the channel; what became of the run is asked next.
        let _ = workshop.follow(&run, &mut |heard| {
            if let Some(Heard { seq, time_ms, event }) = heard {
                teller.take(seq, time_ms, &event);
            }
            if teller.is_done() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    };
    let spawned = std::thread::Builder::new().name("evolve".to_owned()).spawn(work);
    spawned.map_err(|error| A2aError::internal(format!("the run cannot be followed: {error}")))?;
    Ok(receiver)
}

/// Folds a run and says what is worth a word.
struct Teller {
    sender: Sender<Progress>,
    state: Option<State>,
    counted: Option<Instant>,
}

impl Teller {
    fn new(sender: Sender<Progress>) -> Self {
        Self { sender, state: None, counted: None }
    }

    /// Whether the run has finished, or nobody listens.
    fn is_done(&self) -> bool {
        let finished = |state: &State| matches!(state.phase, Phase::Finished(_));
        self.sender.is_closed() || self.state.as_ref().is_some_and(finished)
    }

    fn take(&mut self, seq: u64, time_ms: i64, event: &Event) {
        match (&mut self.state, event) {
            (None, Event::RunStarted(started)) => self.state = State::begin(time_ms, started).ok(),
            (None, _) => return,
            (Some(state), event) => {
                if state.apply(time_ms, event).is_err() {
                    return;
                }
            }
        }
        let Some(state) = &self.state else { return };
        let Some(text) = said(state, event, &mut self.counted) else { return };
        let mut data = json!({
            "event_type": event.name(),
            "run_id": state.run.run_id,
            "agent_id": state.run.agent_id,
            "seq": seq,
            "timestamp": humantime::format_rfc3339_millis(unix(time_ms)).to_string(),
            "evaluations": state.counters.evaluations,
            "accepted": state.counters.accepted,
        });
        if let Event::ImprovementApplied(applied) = event {
            data["modification_id"] = json!(applied.modification_id);
            data["performance_delta"] = json!(applied.performance_delta);
            data["scores"] = json!(applied.scores);
        }
        // A closed channel ends the following.
        let _ = self.sender.blocking_send(Progress { text, data });
    }
}

fn unix(ms: i64) -> std::time::SystemTime {
    std::time::UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or_default())
}

/// What is said of an event, if anything.
fn said(state: &State, event: &Event, counted: &mut Option<Instant>) -> Option<String> {
    let evaluations = state.counters.evaluations;
    Some(match event {
        Event::RunStarted(started) => {
            format!("run {} of {} began with seed {}", started.run_id, started.agent_id, started.seed)
        }
        Event::RunResumed(resumed) => format!("the run goes on: {}", resumed.reason),
        Event::RunPaused(paused) => format!("the run pauses: {}", paused.reason),
        Event::ImprovementApplied(applied) => {
            format!("{} improves: {} ({evaluations} evaluations)", applied.modification_id, applied.reason)
        }
        Event::SafetyViolation(_) => "a candidate tried what it must not and was stopped".to_owned(),
        Event::BreakerChanged(changed) => format!("breaker {}: {}", changed.name, changed.reason),
        Event::BudgetWarning(note) => format!("{} of {} {} are spent", note.spent, note.limit, note.budget),
        Event::ValidationCompleted(_) if counted.is_none_or(|at| at.elapsed() >= COUNT_EVERY) => {
            *counted = Some(Instant::now());
            format!("{evaluations} evaluations, {} accepted", state.counters.accepted)
        }
        _ => return None,
    })
}

/// Writes what the run came to: the front, the winner, and last the result.
async fn hand_over(job: &Job, outcome: Outcome) -> Result<(), Ended> {
    let Outcome { mut summary, failure, winner, front } = outcome;
    if !front.is_empty() {
        let data = json!({ "type": "evolve_front", "candidates": front });
        job.artifact(artifact("front", vec![Part::data(data)])).await?;
    }
    if let Some(winner) = winner {
        let file = |(path, text): (String, String)| {
            let media_type = if path.ends_with(".py") { "text/x-python" } else { "text/plain" };
            Part::text(text).with_filename(path).with_media_type(media_type)
        };
        let mut parts: Vec<Part> = winner.files.into_iter().map(file).collect();
        parts.push(Part::text(winner.patch).with_filename("winner.patch").with_media_type("text/x-diff"));
        job.artifact(artifact("winner", parts)).await?;
    }
    if let Some(fields) = summary.as_object_mut() {
        fields.insert("type".to_owned(), json!("evolve_result"));
    }
    let words = match (&failure, summary["stopped_by"].as_str()) {
        (Some(reason), _) => reason.clone(),
        (None, stopped_by) => format!(
            "stopped by {}: {} evaluations, {} accepted",
            stopped_by.unwrap_or("its end"),
            summary["evaluations"],
            summary["accepted"]
        ),
    };
    job.artifact(artifact("result", vec![Part::data(summary)])).await?;
    let state = if failure.is_some() { TaskState::Failed } else { TaskState::Completed };
    job.status(state, Some(Message::agent_text(words))).await
}

/// An artifact of these skills; its name is its id, so that a task that is taken up again does not double it.
pub(crate) fn artifact(name: &str, parts: Vec<Part>) -> Artifact {
    let mut artifact = Artifact::new(name, parts);
    artifact.artifact_id = name.to_owned();
    artifact.extensions = vec![EXTENSION.to_owned()];
    artifact
}

#[cfg(test)]
mod tests {
    use super::run_of;

    #[test]
    fn a_tasks_run_bears_its_last_digits() {
        assert_eq!(run_of("01932f2e-7c1a-7b33-9d41-0123456789ab").as_str(), "0123456789ab");
    }
}
