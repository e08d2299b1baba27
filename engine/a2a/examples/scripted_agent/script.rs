//! What the scripted agent does, by the words of the message: a behaviour that its first text names, or that its id
//! begins with; else by its text.

use std::time::Duration;

use a2a::model::{Artifact, Message, Part, TaskState};
use a2a::{A2aError, Agent, Call, Ended, Job, Pending};
use serde_json::json;

/// How long the behaviours that take their time take it.
const LONG_RUNNING: Duration = Duration::from_secs(1);
const DELAYED: Duration = Duration::from_secs(2);
const RESUBSCRIBE: Duration = Duration::from_secs(5);
/// What ends a conversation of several turns.
const LAST_WORD: &str = "done";
/// What the ids of the compliance kit of 0.3 have in common. It has no names for behaviours: whatever it says is to be
/// followed by more, or canceled.
const OLD_KIT: [&str; 2] = ["-message-id-", "test-push-"];
/// The behaviour that it gets.
const CONVERSE: &str = "converse";
/// Behaviours that messages name by their ids, longer names before their own beginnings.
const BY_ID: [&str; 21] = [
    "tck-artifact-file-url",
    "tck-artifact-file",
    "tck-artifact-text",
    "tck-artifact-data",
    "tck-stream-artifact-chunked",
    "tck-stream-artifact-text",
    "tck-stream-artifact-file",
    "tck-stream-ordering-001",
    "tck-stream-001",
    "tck-stream-002",
    "tck-stream-003",
    "tck-complete-task",
    "tck-delayed-complete",
    "tck-input-required",
    "tck-auth-required",
    "tck-reject-task",
    "tck-message-response",
    "tck-multi-turn",
    "tck-long-running",
    "tck-cancel",
    "test-resubscribe-message-id",
];

/// The agent.
pub(crate) struct Scripted;

/// The behaviour that a message asks for.
fn behaviour(message: &Message) -> Option<&str> {
    let text = message.first_text().trim_start();
    if text.starts_with("tck-") {
        let end = text.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
        return Some(text[..end.unwrap_or(text.len())].trim_end_matches('-'));
    }
    let named = BY_ID.into_iter().find(|name| message.message_id.starts_with(name));
    named.or_else(|| OLD_KIT.iter().any(|mark| message.message_id.contains(mark)).then_some(CONVERSE))
}

fn say(text: &str) -> Option<Message> {
    Some(Message::agent_text(text))
}

impl Agent for Scripted {
    fn answer<'a>(&'a self, call: &'a Call) -> Pending<'a, Result<Option<Message>, A2aError>> {
        let direct = behaviour(&call.message) == Some("tck-message-response");
        Box::pin(async move { Ok(direct.then(|| Message::agent_text("Direct message response"))) })
    }

    fn run(&self, job: Job) -> Pending<'_, Result<(), A2aError>> {
        Box::pin(async move {
            // A task that was canceled meanwhile is no fault.
            let _: Result<(), Ended> = play(&job).await;
            Ok(())
        })
    }
}

async fn play(job: &Job) -> Result<(), Ended> {
    let message = &job.call.message;
    let opening = job.task.history.first();
    let Some(named) = behaviour(message).or_else(|| opening.and_then(behaviour)) else {
        let text = message.first_text();
        if text.starts_with("echo") {
            job.status(TaskState::Working, None).await?;
            job.artifact(Artifact::new("echo", vec![Part::text(text)])).await?;
            return job.complete(None).await;
        }
        return job.complete(say("done")).await;
    };
    match named {
        "tck-complete-task" => job.complete(say("Hello from TCK")).await,
        "tck-task-failure" => job.status(TaskState::Failed, say("failed as asked")).await,
        "tck-reject-task" => job.status(TaskState::Rejected, say("rejected")).await,
        "tck-auth-required" => job.status(TaskState::AuthRequired, say("who are you?")).await,
        // The behaviour is a fixed one: further input is answered in the same way.
        "tck-input-required" => job.status(TaskState::InputRequired, say("say more")).await,
        CONVERSE => {
            job.status(TaskState::Working, None).await?;
            job.status(TaskState::InputRequired, say("go on")).await
        }
        "tck-multi-turn" => {
            job.status(TaskState::Working, None).await?;
            if message.first_text().trim().to_ascii_lowercase().starts_with(LAST_WORD) {
                return job.complete(say("that was all")).await;
            }
            job.status(TaskState::InputRequired, say("say more, or \"done\"")).await
        }
        "tck-cancel" => {
            job.status(TaskState::Working, None).await?;
            job.cancelled().await;
            Ok(())
        }
        "tck-long-running" => after(job, LONG_RUNNING, Some("long running result")).await,
        "tck-delayed-complete" => after(job, DELAYED, None).await,
        "test-resubscribe-message-id" => after(job, RESUBSCRIBE, None).await,
        "tck-stream-002" => job.complete(None).await,
        "tck-stream-artifact-chunked" | "tck-stream-chunked" => chunks(job).await,
        name if name.starts_with("tck-stream-") => {
            job.status(TaskState::Working, None).await?;
            job.artifact(Artifact::new("streamed", vec![content(name)])).await?;
            job.complete(None).await
        }
        name if name.starts_with("tck-artifact-") => {
            job.artifact(Artifact::new("artifact", vec![content(name)])).await?;
            job.complete(None).await
        }
        _ => job.complete(say("done")).await,
    }
}

/// What an artifact holds, by the end of the behaviour's name.
fn content(name: &str) -> Part {
    match name.rsplit('-').next().unwrap_or_default() {
        "file" => Part::raw(b"tck".to_vec()).with_media_type("text/plain").with_filename("output.txt"),
        "url" => Part::url("https://example.com/output.txt")
            .with_media_type("text/plain")
            .with_filename("output.txt"),
        "data" => Part::data(json!({ "key": "value", "count": 42 })),
        _ if name.starts_with("tck-stream") => Part::text("Stream hello from TCK"),
        _ => Part::text("Generated text content"),
    }
}

async fn after(job: &Job, pause: Duration, result: Option<&str>) -> Result<(), Ended> {
    job.status(TaskState::Working, None).await?;
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = job.cancelled() => return Err(Ended),
    }
    if let Some(result) = result {
        job.artifact(Artifact::new("result", vec![Part::text(result)])).await?;
    }
    job.complete(say("done after a while")).await
}

async fn chunks(job: &Job) -> Result<(), Ended> {
    job.status(TaskState::Working, None).await?;
    let mut artifact = Artifact::new("chunked", vec![Part::text("chunk-1 ")]);
    job.chunk(artifact.clone(), false, false).await?;
    artifact.parts = vec![Part::text("chunk-2")];
    job.chunk(artifact, true, true).await?;
    job.complete(None).await
}
