//! The agent behind the protocol: reads what a message asks for and hands the task to its skill. Words get an answer in
//! words at once.

use crate::request::{Request, RequestError};
use crate::workshop::{Workshop, WorkshopError};
use crate::{card, evolve, exchange};
use a2a::model::{Message, TaskState};
use a2a::{A2aError, Agent, Call, Job, Pending};
use std::sync::Arc;

/// An agent with the skills of this crate over a workshop.
pub struct SkilledAgent {
    workshop: Arc<dyn Workshop>,
}

impl SkilledAgent {
    /// The agent of a workshop.
    pub fn new(workshop: Arc<dyn Workshop>) -> Self {
        Self { workshop }
    }

    async fn work(&self, job: &Job) -> Result<(), A2aError> {
        match Request::read(&job.call.message) {
            Ok(Request::Evolve(request)) => evolve::run(self.workshop.clone(), job, request).await,
            Ok(Request::Validate(request)) => exchange::validate(self.workshop.clone(), job, request).await,
            Ok(Request::Transfer(request)) => exchange::transfer(self.workshop.clone(), job, *request).await,
            Ok(Request::Feedback(request)) => exchange::feedback(self.workshop.clone(), job, *request).await,
            Ok(Request::Group(request)) => exchange::group(self.workshop.clone(), job, request).await,
            Ok(Request::Words(_)) => Ok(job.complete(Some(Message::agent_text(guidance()))).await?),
            Err(RequestError(reason)) => Ok(refuse(job, &reason).await?),
        }
    }
}

impl Agent for SkilledAgent {
    fn answer<'a>(&'a self, call: &'a Call) -> Pending<'a, Result<Option<Message>, A2aError>> {
        Box::pin(async move {
            match Request::read(&call.message) {
                Ok(Request::Words(_)) => Ok(Some(Message::agent_text(guidance()))),
                _ => Ok(None),
            }
        })
    }

    fn run(&self, job: Job) -> Pending<'_, Result<(), A2aError>> {
        Box::pin(async move { self.work(&job).await })
    }

    /// What was begun bears the task's name and is found again; everything else is done anew.
    fn resume(&self, job: Job) -> Pending<'_, Result<(), A2aError>> {
        Box::pin(async move {
            match evolve::resume(self.workshop.clone(), &job).await {
                Some(done) => done,
                None => self.work(&job).await,
            }
        })
    }
}

/// What a client that sent words is told.
fn guidance() -> String {
    let skills = card::skills().into_iter().map(|skill| {
        let example = skill.examples.first().map_or("", String::as_str);
        format!("- {}: {}\n  send a data part: {example}", skill.id, skill.description)
    });
    format!(
        "darwind evolves Python programs. Its skills take data parts (JSON), one \"type\" each:\n{}\n\
         The configuration in darwind.toml names the files that may change, the checks and the objectives.",
        skills.collect::<Vec<_>>().join("\n")
    )
}

/// Ends a task that asks for what cannot be done.
pub(crate) async fn refuse(job: &Job, reason: &str) -> Result<(), a2a::Ended> {
    job.status(TaskState::Rejected, Some(Message::agent_text(reason))).await
}

/// Ends a task by what the workshop said.
pub(crate) async fn end_by(job: &Job, error: WorkshopError) -> Result<(), a2a::Ended> {
    match error {
        WorkshopError::Refused(reason) => refuse(job, &reason).await,
        WorkshopError::Failed(reason) => {
            job.status(TaskState::Failed, Some(Message::agent_text(reason))).await
        }
    }
}

/// Runs what blocks on a thread for that.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, WorkshopError> + Send + 'static,
) -> Result<T, WorkshopError> {
    let failed = |_| WorkshopError::Failed("the server is stopping".to_owned());
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}
