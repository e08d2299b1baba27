//! The client: finds an agent by its card and asks it, in version 1.0, over JSON-RPC or HTTP+JSON. A stream that breaks
//! is taken up again where it was. What a peer answers is read with limits: it is a stranger's.
//! Not here: older versions (a peer that speaks only those is refused with a word about it), retries of what failed.

mod events;
#[cfg(test)]
mod strangers;
mod transport;

use std::time::Duration;

use reqwest::Url;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{A2aError, ErrorKind};
use crate::model::{
    AgentCard, AgentInterface, Binding, GetTaskRequest, ListPushConfigsResponse, ListTasksRequest,
    ListTasksResponse, PushConfig, PushConfigRequest, SendMessageRequest, SendMessageResponse, StreamItem,
    Task, TaskIdRequest,
};
use crate::outbound::{Connections, Forbidden, OutboundError, Reach};
use crate::server::KEYS_PATH;
use crate::signing::{PublicKey, keys_of};
use transport::Transport;

pub use events::{EventReader, MAX_EVENT_BYTES, ServerEvent};

/// Attempts to take a broken stream up again before it counts as lost.
pub const MAX_RESUMES: u32 = 5;
/// Pause before the first of them; doubled before each further one.
const FIRST_RESUME_PAUSE: Duration = Duration::from_millis(200);

/// How a client asks.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Where it may go. The default lets it go anywhere, since its user names the agent.
    pub reach: Reach,
    /// Bearer token that it shows.
    pub bearer: Option<String>,
    /// API key that it shows, in `X-API-Key`.
    pub api_key: Option<String>,
    /// Extensions that it wants.
    pub extensions: Vec<String>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Most bytes of one answer.
    pub max_answer_bytes: usize,
    /// Bindings that it speaks, the preferred one first.
    pub bindings: Vec<Binding>,
    /// Connections that it shares with other clients, made for the same reach; its own when absent.
    pub connections: Option<Connections>,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            reach: Reach { anywhere: true, ..Reach::default() },
            bearer: None,
            api_key: None,
            extensions: Vec::new(),
            timeout: Duration::from_secs(150),
            max_answer_bytes: 16 * 1024 * 1024,
            bindings: vec![Binding::JsonRpc, Binding::HttpJson],
            connections: None,
        }
    }
}

/// Why an agent could not be asked, or did not answer as it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The agent answered with an error of the protocol.
    #[error(transparent)]
    Agent(#[from] A2aError),
    /// It cannot be reached, or the connection broke.
    #[error("the agent cannot be reached: {0}")]
    Unreachable(String),
    /// It may not be reached.
    #[error("the agent's address {0}")]
    Forbidden(#[from] Forbidden),
    /// It answered something that is not of the protocol.
    #[error("the agent's answer is not of the protocol: {0}")]
    Malformed(String),
    /// It answered more than the client reads.
    #[error("the agent's answer is larger than {0} bytes")]
    TooLarge(usize),
    /// It offers no interface that the client speaks.
    #[error("the agent offers no interface of version 1.0 over JSON-RPC or HTTP+JSON; it offers {0}")]
    NoInterface(String),
    /// This machine's TLS cannot be set up.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
}

/// A client of one agent. Clones share its connections.
#[derive(Clone)]
pub struct Client {
    card: AgentCard,
    transport: Transport,
}

impl Client {
    /// Fetches the card of the agent at `base` (scheme, host and port) and chooses an interface.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn discover(base: &str, settings: ClientSettings) -> Result<Self, ClientError> {
        let (card, _) = fetch_card(base, &settings).await?;
        Self::of_card(card, settings)
    }

    /// A client of the agent with that card.
    ///
    /// # Errors
    /// [`ClientError::NoInterface`], [`ClientError::Forbidden`], [`ClientError::Outbound`].
    pub fn of_card(card: AgentCard, settings: ClientSettings) -> Result<Self, ClientError> {
        let interface = spoken(&card, &settings.bindings)?.remove(0).clone();
        Self::at(card, &interface, settings)
    }

    /// A client of the agent with that card, at one of the interfaces that it speaks.
    ///
    /// # Errors
    /// [`ClientError::Forbidden`], [`ClientError::Outbound`].
    pub fn at(
        card: AgentCard,
        interface: &AgentInterface,
        settings: ClientSettings,
    ) -> Result<Self, ClientError> {
        let rpc = interface.protocol_binding == Binding::JsonRpc.name();
        let url = Url::parse(&interface.url).map_err(|_| Forbidden::NotHttp)?;
        let transport = Transport::new(url, rpc, interface.tenant.clone(), settings)?;
        Ok(Self { card, transport })
    }

    /// The agent's card.
    #[must_use]
    pub fn card(&self) -> &AgentCard {
        &self.card
    }

    async fn call<P: Serialize, R: DeserializeOwned>(
        &self,
        method: &str,
        params: &P,
    ) -> Result<R, ClientError> {
        let params =
            serde_json::to_value(params).map_err(|error| ClientError::Malformed(error.to_string()))?;
        let result = self.transport.call(method, params).await?;
        serde_json::from_value(result).map_err(|error| ClientError::Malformed(error.to_string()))
    }

    /// Says something and waits for the answer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn send(&self, request: &SendMessageRequest) -> Result<SendMessageResponse, ClientError> {
        self.call("SendMessage", request).await
    }

    /// Says something and follows what becomes of it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn stream(&self, request: &SendMessageRequest) -> Result<ClientStream, ClientError> {
        self.open("SendStreamingMessage", request, None).await
    }

    /// Follows a task: first the whole of it, then what happens. With `after`, the id of the last event seen, what was
    /// missed instead, from agents that keep it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn subscribe(&self, id: &str, after: Option<&str>) -> Result<ClientStream, ClientError> {
        let request = TaskIdRequest { id: id.to_owned(), ..TaskIdRequest::default() };
        let mut stream = self.open("SubscribeToTask", &request, after).await?;
        stream.task_id = id.to_owned();
        Ok(stream)
    }

    async fn open<P: Serialize>(
        &self,
        method: &str,
        params: &P,
        after: Option<&str>,
    ) -> Result<ClientStream, ClientError> {
        let params =
            serde_json::to_value(params).map_err(|error| ClientError::Malformed(error.to_string()))?;
        let reader = self.transport.open(method, params, after).await?;
        Ok(ClientStream {
            client: self.clone(),
            reader: Some(reader),
            task_id: String::new(),
            last_id: after.map(str::to_owned),
            ended: false,
        })
    }

    /// A task.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get(&self, request: &GetTaskRequest) -> Result<Task, ClientError> {
        self.call("GetTask", request).await
    }

    /// A page of the caller's tasks.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list(&self, request: &ListTasksRequest) -> Result<ListTasksResponse, ClientError> {
        self.call("ListTasks", request).await
    }

    /// Cancels a task.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn cancel(&self, id: &str) -> Result<Task, ClientError> {
        let request = TaskIdRequest { id: id.to_owned(), ..TaskIdRequest::default() };
        self.call("CancelTask", &request).await
    }

    /// Registers a webhook.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_push(&self, config: &PushConfig) -> Result<PushConfig, ClientError> {
        self.call("CreateTaskPushNotificationConfig", config).await
    }

    /// The webhooks of a task.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_push(&self, task_id: &str) -> Result<ListPushConfigsResponse, ClientError> {
        let request = PushConfigRequest { task_id: task_id.to_owned(), ..PushConfigRequest::default() };
        self.call("ListTaskPushNotificationConfigs", &request).await
    }

    /// Removes a webhook.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn delete_push(&self, task_id: &str, id: &str) -> Result<(), ClientError> {
        let (task_id, id) = (task_id.to_owned(), id.to_owned());
        let request = PushConfigRequest { task_id, id, ..PushConfigRequest::default() };
        let _: Value = self.call("DeleteTaskPushNotificationConfig", &request).await?;
        Ok(())
    }

    /// The fuller card.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn extended_card(&self) -> Result<AgentCard, ClientError> {
        self.call("GetExtendedAgentCard", &serde_json::json!({})).await
    }
}

/// Fetches the card of the agent at `base` (scheme, host and port): as it is read here, and as it came, which is what its
/// signatures are over.
///
/// # Errors
/// [`ClientError`].
pub async fn fetch_card(base: &str, settings: &ClientSettings) -> Result<(AgentCard, Value), ClientError> {
    let url = format!("{}/.well-known/agent-card.json", base.trim_end_matches('/'));
    let sent = Transport::fetch(&url, "card", settings).await?;
    let card = AgentCard::deserialize(&sent).map_err(|error| ClientError::Malformed(error.to_string()))?;
    Ok((card, sent))
}

/// Fetches the keys that the agent at `base` publishes.
///
/// # Errors
/// [`ClientError`].
pub async fn fetch_keys(base: &str, settings: &ClientSettings) -> Result<Vec<PublicKey>, ClientError> {
    let url = format!("{}{KEYS_PATH}", base.trim_end_matches('/'));
    Ok(keys_of(&Transport::fetch(&url, "key set", settings).await?))
}

/// The agent's interfaces of version 1.0 in the first of the bindings that it has at all, in the order of its card; never
/// none.
///
/// # Errors
/// [`ClientError::NoInterface`].
pub fn spoken<'a>(card: &'a AgentCard, bindings: &[Binding]) -> Result<Vec<&'a AgentInterface>, ClientError> {
    let speaks = |interface: &&AgentInterface, binding: Binding| {
        let version = interface.protocol_version.as_str();
        interface.protocol_binding == binding.name() && (version == "1.0" || version.starts_with("1.0."))
    };
    let find = |binding| {
        let found = card.supported_interfaces.iter().filter(|interface| speaks(interface, binding));
        let found: Vec<_> = found.collect();
        (!found.is_empty()).then_some(found)
    };
    bindings.iter().copied().find_map(find).ok_or_else(|| {
        let offers = card.supported_interfaces.iter();
        let offers = offers.map(|one| format!("{} {}", one.protocol_binding, one.protocol_version));
        ClientError::NoInterface(offers.collect::<Vec<_>>().join(", "))
    })
}

/// What a stream gives, taken up again when the connection breaks.
pub struct ClientStream {
    client: Client,
    reader: Option<transport::Events>,
    task_id: String,
    last_id: Option<String>,
    ended: bool,
}

impl ClientStream {
    /// The next item; waits for it. `None` at the end of the stream.
    ///
    /// # Errors
    /// [`ClientError`]; after one the stream has ended.
    pub async fn next(&mut self) -> Result<Option<StreamItem>, ClientError> {
        let mut resumes = 0;
        while !self.ended {
            let outcome = match &mut self.reader {
                Some(reader) => reader.next().await,
                None => Err(ClientError::Unreachable("the stream broke".to_owned())),
            };
            match outcome {
                Ok(Some((id, item))) => {
                    self.note(id, &item);
                    return Ok(Some(item));
                }
                Ok(None) => self.ended = true,
                Err(ClientError::Unreachable(reason))
                    if resumes < MAX_RESUMES && !self.task_id.is_empty() =>
                {
                    tokio::time::sleep(FIRST_RESUME_PAUSE * 2_u32.pow(resumes)).await;
                    resumes += 1;
                    self.resume(reason).await?;
                }
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    fn note(&mut self, id: Option<String>, item: &StreamItem) {
        self.last_id = id.or_else(|| self.last_id.take());
        match item {
            StreamItem::Task(task) => self.task_id.clone_from(&task.id),
            StreamItem::StatusUpdate(update) => self.task_id.clone_from(&update.task_id),
            StreamItem::ArtifactUpdate(update) => self.task_id.clone_from(&update.task_id),
            StreamItem::Message(_) => {}
        }
    }

    /// Takes the stream up again. A task that ended meanwhile at an agent that keeps no events cannot be followed any
    /// more; then there is nothing to follow and the stream ends with what broke it.
    async fn resume(&mut self, reason: String) -> Result<(), ClientError> {
        let request = TaskIdRequest { id: self.task_id.clone(), ..TaskIdRequest::default() };
        let params =
            serde_json::to_value(&request).map_err(|error| ClientError::Malformed(error.to_string()))?;
        match self.client.transport.open("SubscribeToTask", params, self.last_id.as_deref()).await {
            Ok(reader) => self.reader = Some(reader),
            Err(ClientError::Unreachable(_)) => self.reader = None,
            Err(ClientError::Agent(error)) if error.kind == ErrorKind::UnsupportedOperation => {
                self.ended = true;
                return Err(ClientError::Unreachable(reason));
            }
            Err(error) => {
                self.ended = true;
                return Err(error);
            }
        }
        Ok(())
    }
}
