//! Asking a peer: one message, one answer, on the caller's thread. A peer is a stranger: what it answers is read with limits
//! on size and time, and nothing of it is believed here.

use a2a::client::{Client, ClientError, ClientSettings};
use a2a::model::{
    Artifact, Content, GetTaskRequest, Message, Part, Role, SendMessageRequest, SendMessageResponse, Task,
    TaskState,
};
use serde_json::Value;
use std::time::{Duration, Instant};

use crate::card::EXTENSION;

/// Most bytes of one answer.
pub const MAX_ANSWER_BYTES: usize = 4 << 20;
/// Pause between two looks at a task that is still under way.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Where a peer is, and what is shown to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerAddress {
    /// Scheme, host and port.
    pub url: String,
    /// Bearer token.
    pub token: Option<String>,
}

/// What a peer says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCard {
    /// Its name.
    pub name: String,
    /// Ids of its skills.
    pub skills: Vec<String>,
}

/// Why a peer gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// It could not be asked, or answered what cannot be read.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It did not do it, and said why.
    #[error("{state}: {words}")]
    Refused {
        /// The state in which its task ended.
        state: String,
        /// Its words.
        words: String,
    },
    /// It took too long.
    #[error("no answer within {}", humantime::format_duration(*.0))]
    TooSlow(Duration),
    /// Its answer holds no data part.
    #[error("the answer holds no data part")]
    Empty,
    /// This side has no runtime to ask from.
    #[error("cannot ask: {0}")]
    Runtime(#[from] std::io::Error),
}

/// What a peer says of itself on its card.
///
/// # Errors
/// [`PeerError`].
pub fn look(address: &PeerAddress, patience: Duration) -> Result<PeerCard, PeerError> {
    within(patience, async {
        let client = Client::discover(&address.url, settings(address, patience)).await?;
        let skills = client.card().skills.iter().map(|skill| skill.id.clone()).collect();
        Ok(PeerCard { name: client.card().name.clone(), skills })
    })
}

/// Sends a data part and answers the last data part among the artifacts of the task that it became.
///
/// # Errors
/// [`PeerError`].
pub fn ask(address: &PeerAddress, data: &Value, patience: Duration) -> Result<Value, PeerError> {
    within(patience, async {
        let client = Client::discover(&address.url, settings(address, patience)).await?;
        let mut message = Message::new(Role::User, vec![Part::data(data.clone())]);
        message.extensions = vec![EXTENSION.to_owned()];
        let request = SendMessageRequest { message: Some(message), ..SendMessageRequest::default() };
        let begun = Instant::now();
        let mut task = match client.send(&request).await? {
            SendMessageResponse::Message(message) => return data_of(&message.parts).ok_or(PeerError::Empty),
            SendMessageResponse::Task(task) => task,
        };
        while !task.status.state.is_terminal() && begun.elapsed() < patience {
            tokio::time::sleep(LOOK_EVERY).await;
            task = client.get(&GetTaskRequest { id: task.id, ..GetTaskRequest::default() }).await?;
        }
        answer_of(&task)
    })
}

fn settings(address: &PeerAddress, patience: Duration) -> ClientSettings {
    ClientSettings {
        bearer: address.token.clone(),
        extensions: vec![EXTENSION.to_owned()],
        timeout: patience,
        max_answer_bytes: MAX_ANSWER_BYTES,
        ..ClientSettings::default()
    }
}

/// Runs a question on this thread, and no longer than `patience`.
fn within<T>(
    patience: Duration,
    question: impl Future<Output = Result<T, PeerError>>,
) -> Result<T, PeerError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::time::timeout(patience, question).await.unwrap_or(Err(PeerError::TooSlow(patience)))
    })
}

fn answer_of(task: &Task) -> Result<Value, PeerError> {
    if task.status.state != TaskState::Completed {
        let words = task.status.message.as_ref().map(Message::first_text).unwrap_or_default();
        let state = task.status.state.name().to_owned();
        return Err(PeerError::Refused { state, words: words.to_owned() });
    }
    let last = |artifact: &Artifact| data_of(&artifact.parts);
    task.artifacts.iter().rev().find_map(last).ok_or(PeerError::Empty)
}

fn data_of(parts: &[Part]) -> Option<Value> {
    parts.iter().rev().find_map(|part| match &part.content {
        Content::Data(value) => Some(value.clone()),
        _ => None,
    })
}
