//! The skills that are a question and an answer: `validate_candidate`, `transfer_knowledge`, `improvement_feedback` and
//! `evolution_group`. Each answer is an artifact with one data part.

use crate::agent::{blocking, end_by};
use crate::evolve::artifact;
use crate::request::{FeedbackRequest, GroupRequest, TransferRequest, ValidationRequest};
use crate::workshop::{Workshop, WorkshopError};
use a2a::model::{Message, Part, TaskState};
use a2a::{A2aError, Job};
use serde_json::{Value, json};
use std::sync::Arc;

/// Measures a candidate.
pub(crate) async fn validate(
    workshop: Arc<dyn Workshop>,
    job: &Job,
    request: ValidationRequest,
) -> Result<(), A2aError> {
    job.status(TaskState::Working, Some(Message::agent_text("measuring"))).await?;
    let answered = blocking(move || {
        let measured = workshop.validate(&request)?;
        let mut answer = measured.details;
        answer["type"] = json!("validation_response");
        answer["request_id"] = json!(request.request_id);
        answer["candidate_id"] = json!(request.candidate_id);
        answer["validation_type"] = json!(request.validation_type);
        answer["validator"] = json!(workshop.capabilities().agent_id);
        answer["recommendation"] = json!(measured.recommendation);
        answer["feedback"] = json!(measured.feedback);
        Ok(answer)
    });
    answer(job, "validation", answered.await).await
}

/// Takes a package in.
pub(crate) async fn transfer(
    workshop: Arc<dyn Workshop>,
    job: &Job,
    request: TransferRequest,
) -> Result<(), A2aError> {
    let from = job.call.caller.principal.to_string();
    let answered = blocking(move || {
        let received = workshop.receive(&from, &request)?;
        Ok(json!({
            "type": "knowledge_transfer_result",
            "transfer_id": request.transfer_id,
            "digest": request.sent.package.digest,
            "accepted": received.queued_for.is_some(),
            "queued_for": received.queued_for,
            "compatibility": received.compatibility,
            "feedback": received.reason,
        }))
    });
    answer(job, "transfer", answered.await).await
}

/// Says what is thought of an improvement.
pub(crate) async fn feedback(
    workshop: Arc<dyn Workshop>,
    job: &Job,
    request: FeedbackRequest,
) -> Result<(), A2aError> {
    let from = job.call.caller.principal.to_string();
    let answered = blocking(move || {
        let measured = workshop.assess(&from, &request)?;
        let mut answer = measured.details;
        answer["type"] = json!("improvement_feedback");
        answer["agent_id"] = json!(workshop.capabilities().agent_id);
        answer["recommendation"] = json!(measured.recommendation);
        answer["feedback"] = json!(measured.feedback);
        Ok(answer)
    });
    answer(job, "feedback", answered.await).await
}

/// Lets an agent join or leave a group.
pub(crate) async fn group(
    workshop: Arc<dyn Workshop>,
    job: &Job,
    request: GroupRequest,
) -> Result<(), A2aError> {
    let answered = blocking(move || {
        let members = workshop.regroup(&request)?;
        let own = workshop.capabilities();
        Ok(json!({
            "type": "evolution_group",
            "group_id": request.group_id,
            "members": members,
            "agent_id": own.agent_id,
            "capabilities": own.capabilities,
        }))
    });
    answer(job, "group", answered.await).await
}

/// Writes an answer down as the task's one artifact, or why there is none.
async fn answer(job: &Job, name: &str, answered: Result<Value, WorkshopError>) -> Result<(), A2aError> {
    match answered {
        Ok(data) => {
            let words = data["feedback"].as_str().filter(|words| !words.is_empty()).map(Message::agent_text);
            job.artifact(artifact(name, vec![Part::data(data)])).await?;
            job.complete(words).await?;
        }
        Err(error) => end_by(job, error).await?,
    }
    Ok(())
}
