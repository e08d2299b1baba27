//! Carries questions to peers and answers back, for everybody in a process who asks: one runtime, one pool of connections,
//! and for each peer a [`line`] with its card. Callers are plain threads and wait.
//!
//! Not here: whether a peer may be asked at all (its breaker is its caller's), and what is asked.

mod line;

use crate::card::EXTENSION;
use crate::peer::{PeerAddress, PeerCard, PeerError, answer_of, data_of};
use a2a::client::{ClientSettings, fetch_card, fetch_keys, spoken};
use a2a::model::{AgentCard, GetTaskRequest, Message, Part, Role, SendMessageRequest, SendMessageResponse};
use a2a::outbound::{Connections, Reach};
use a2a::signing::{PublicKey, SigningError, verify_sent};
use line::{Line, Question};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Most bytes of one answer.
pub const MAX_ANSWER_BYTES: usize = 4 << 20;
/// How long a peer's card is believed before it is fetched anew.
pub const MAX_CARD_AGE: Duration = Duration::from_secs(300);
/// Most peers whose cards are kept; beyond them all are forgotten and fetched anew.
const MAX_LINES: usize = 256;
/// Pause between two looks at a task that is still under way.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Longest wait of the HTTP client; whoever asks has less patience.
const LONGEST: Duration = Duration::from_secs(3_600);

/// The connections of a process to its peers.
pub struct Courier {
    /// Taken when the courier goes.
    runtime: Option<Runtime>,
    connections: Connections,
    lines: Mutex<HashMap<PeerAddress, Slot>>,
}

/// A peer's line once its card has been fetched. Whoever fetches it holds the lock, so that nobody else does.
type Slot = Arc<tokio::sync::Mutex<Option<Arc<Line>>>>;

impl Courier {
    /// A courier without any connection yet.
    ///
    /// # Errors
    /// When there is no thread to be had, or this machine's TLS cannot be set up.
    pub fn new() -> Result<Self, PeerError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("courier")
            .enable_all()
            .build()?;
        let connections = Connections::new(&Reach { anywhere: true, ..Reach::default() });
        let connections = connections.map_err(a2a::client::ClientError::from)?;
        Ok(Self { runtime: Some(runtime), connections, lines: Mutex::default() })
    }

    /// What a peer says of itself on its card, fetched anew, and the key that it is signed with.
    ///
    /// # Errors
    /// [`PeerError`].
    pub fn look(&self, address: &PeerAddress, patience: Duration) -> Result<PeerCard, PeerError> {
        self.within(patience, async {
            let settings = self.settings(address);
            let (card, sent) = fetch_card(&address.url, &settings).await?;
            spoken(&card, &settings.bindings)?;
            let key = if card.signatures.is_empty() {
                None
            } else {
                // Who publishes no keys has signed for others, who know them.
                key_of(&sent, &fetch_keys(&address.url, &settings).await.unwrap_or_default())?
            };
            let skills = card.skills.iter().map(|skill| skill.id.clone()).collect();
            Ok(PeerCard { name: card.name, skills, key })
        })
    }

    /// Sends a data part and answers the last data part among the artifacts of the task that it became.
    ///
    /// # Errors
    /// [`PeerError`].
    pub fn ask(&self, address: &PeerAddress, data: &Value, patience: Duration) -> Result<Value, PeerError> {
        self.within(patience, async {
            let slot = self.slot(address);
            let line = self.line(address, &slot).await?;
            let answered = talk(&line, data).await;
            if matches!(&answered, Err(PeerError::Client(error)) if line::is_down(error)) {
                // It may have moved: its card is fetched anew before the next question.
                slot.lock().await.take();
            }
            answered
        })
    }

    /// The peer's line, with a card that is not too old.
    async fn line(&self, address: &PeerAddress, slot: &Slot) -> Result<Arc<Line>, PeerError> {
        let mut held = slot.lock().await;
        if let Some(line) = held.as_ref().filter(|line| line.fetched.elapsed() < MAX_CARD_AGE) {
            return Ok(line.clone());
        }
        let settings = self.settings(address);
        let (card, sent) = fetch_card(&address.url, &settings).await?;
        if let Some(key) = &address.key {
            let known = |kid: &str| (kid == key.kid()).then(|| key.clone());
            verify_sent(&sent, known).map_err(PeerError::NotThePeer)?;
        }
        // What is known of the addresses of a card that says the same as before is still true.
        let line = match held.take().filter(|line| says_the_same(&line.card, &card)) {
            Some(line) => Arc::new(line.seen_again(Instant::now())),
            None => Arc::new(Line::to(card, &settings)?),
        };
        *held = Some(line.clone());
        Ok(line)
    }

    fn slot(&self, address: &PeerAddress) -> Slot {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= MAX_LINES && !lines.contains_key(address) {
            lines.clear();
        }
        lines.entry(address.clone()).or_default().clone()
    }

    fn settings(&self, address: &PeerAddress) -> ClientSettings {
        ClientSettings {
            bearer: address.token.clone(),
            extensions: vec![EXTENSION.to_owned()],
            timeout: LONGEST,
            max_answer_bytes: MAX_ANSWER_BYTES,
            connections: Some(self.connections.clone()),
            ..ClientSettings::default()
        }
    }

    /// Waits on this thread for an answer, and no longer than `patience`.
    fn within<T>(
        &self,
        patience: Duration,
        question: impl Future<Output = Result<T, PeerError>>,
    ) -> Result<T, PeerError> {
        let gone = || PeerError::Runtime(std::io::Error::other("there is no runtime any more"));
        self.runtime.as_ref().ok_or_else(gone)?.block_on(async {
            tokio::time::timeout(patience, question).await.unwrap_or(Err(PeerError::TooSlow(patience)))
        })
    }
}

impl Drop for Courier {
    /// The last holder may be a task of another runtime, which must not wait for this one.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Says something and waits until the task that it became has ended.
async fn talk(line: &Line, data: &Value) -> Result<Value, PeerError> {
    let mut message = Message::new(Role::User, vec![Part::data(data.clone())]);
    message.extensions = vec![EXTENSION.to_owned()];
    let request = SendMessageRequest { message: Some(message), ..SendMessageRequest::default() };
    let mut answer = line.ask(Question::Say(Arc::new(request))).await?;
    loop {
        let task = match answer {
            SendMessageResponse::Message(message) => return data_of(&message.parts).ok_or(PeerError::Empty),
            SendMessageResponse::Task(task) => task,
        };
        if task.status.state.is_terminal() {
            return answer_of(&task);
        }
        tokio::time::sleep(LOOK_EVERY).await;
        let look = GetTaskRequest { id: task.id, ..GetTaskRequest::default() };
        answer = line.ask(Question::Look(Arc::new(look))).await?;
    }
}

/// The one of the published keys that the card is signed with; `None` when it is signed with none of them.
fn key_of(card: &Value, published: &[PublicKey]) -> Result<Option<PublicKey>, PeerError> {
    let find = |kid: &str| published.iter().find(|key| key.kid() == kid).cloned();
    match verify_sent(card, find) {
        Ok(kid) => Ok(find(&kid)),
        Err(SigningError::UnknownKey) => Ok(None),
        Err(error) => Err(PeerError::Forged(error)),
    }
}

/// Whether two cards name the same interfaces. What a signature looks like may change with every start of an agent.
fn says_the_same(one: &AgentCard, other: &AgentCard) -> bool {
    one.supported_interfaces == other.supported_interfaces
}
