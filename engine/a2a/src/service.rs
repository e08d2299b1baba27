//! The operations of the protocol, whatever the binding and the version they came in: checks in the order that leaks
//! least, then the tasks.
//! Not here: how requests are read and answers written (`server`, `dialect`).

use std::sync::Arc;

use crate::agent::{Call, Caller};
use crate::dialect::Dialect;
use crate::error::{A2aError, ErrorKind};
use crate::model::{
    AgentCard, GetTaskRequest, ListPushConfigsResponse, ListTasksRequest, ListTasksResponse, Message,
    PushConfig, PushConfigRequest, SendMessageRequest, SendMessageResponse, StreamItem, Task, TaskIdRequest,
    TaskState,
};
use crate::outbound::{OutboundError, Reach};
use crate::push::{DeadLetter, DeadLetters, Push, RedeliveryError};
use crate::tasks::{
    Cell, Change, Event, First, Follower, Refused, Share, Shares, Tasks, Until, Webhook, trim_history,
};
use crate::validation;

/// Who asks, and what the transport said beside the request.
#[derive(Clone, Debug)]
pub struct Context {
    /// Who asks.
    pub caller: Caller,
    /// Extensions that the client wants.
    pub extensions: Vec<String>,
    /// The version of the protocol that the client speaks.
    pub dialect: Dialect,
    /// The id that a client of version 0.1 gave its task.
    pub alias: Option<String>,
}

impl Context {
    /// A caller who speaks 1.0 and wants no extensions.
    #[must_use]
    pub fn of(caller: Caller) -> Self {
        Self { caller, extensions: Vec::new(), dialect: Dialect::V1, alias: None }
    }
}

/// The operations over one agent's tasks. Clones share everything.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
}

struct Shared {
    card: AgentCard,
    extended: Option<AgentCard>,
    tasks: Tasks,
    push: Push,
    streams: Shares,
}

/// What a stream gives, one after the other.
pub struct EventStream {
    source: Source,
    _share: Share,
}

enum Source {
    Message(Option<Message>),
    Follower(Follower),
}

impl EventStream {
    /// The next event; waits for it. `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] when the tasks' log failed.
    pub async fn next(&mut self) -> Result<Option<Event>, A2aError> {
        match &mut self.source {
            Source::Message(message) => Ok(message
                .take()
                .map(|message| Event { seq: 1, item: Arc::new(StreamItem::Message(message)) })),
            Source::Follower(follower) => follower.next().await,
        }
    }
}

enum Submitted {
    Message(Message),
    /// The task, the number of the change that the message made, and, if wanted, the task as it then stood.
    Task(Arc<Cell>, u64, Option<Box<Task>>),
}

impl Service {
    /// The operations for an agent with that card. `extended` is the card for callers who say who they are.
    ///
    /// # Errors
    /// [`OutboundError`] when this machine's TLS cannot be set up.
    pub fn new(
        card: AgentCard,
        extended: Option<AgentCard>,
        tasks: Tasks,
        webhooks: Reach,
    ) -> Result<Self, OutboundError> {
        let limits = tasks.limits();
        let streams = Shares::new(limits.max_streams, limits.max_streams_per_caller);
        let push = Push::new(webhooks, DeadLetters::over(tasks.log()))?;
        for cell in tasks.with_webhooks() {
            let (ids, seq) = {
                let state = cell.lock();
                let webhooks = state.standing.webhooks.iter();
                (webhooks.map(|webhook| webhook.config.id.clone()).collect::<Vec<_>>(), state.standing.seq)
            };
            for id in ids {
                // What was not delivered before the restart is told by the whole task.
                push.start(&cell, &id, seq.saturating_sub(1));
            }
        }
        Ok(Self { shared: Arc::new(Shared { card, extended, tasks, push, streams }) })
    }

    /// The agent's card.
    #[must_use]
    pub fn card(&self) -> &AgentCard {
        &self.shared.card
    }

    /// The tasks behind the operations.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.shared.tasks
    }

    /// The extensions that are in force: wanted by the client and on the card.
    #[must_use]
    pub fn activated(&self, wanted: &[String]) -> Vec<String> {
        let declared = &self.shared.card.capabilities.extensions;
        wanted.iter().filter(|uri| declared.iter().any(|known| known.uri == **uri)).cloned().collect()
    }

    /// Says something to the agent and waits for the answer, or for the task to end or to wait for the client.
    ///
    /// # Errors
    /// Any of the protocol.
    pub async fn send(
        &self,
        context: &Context,
        request: SendMessageRequest,
    ) -> Result<SendMessageResponse, A2aError> {
        let history = validation::history_length(request.configuration.history_length)?;
        let at_once = request.configuration.return_immediately;
        match self.submit(context, request, false).await? {
            Submitted::Message(message) => Ok(SendMessageResponse::Message(message)),
            Submitted::Task(cell, since, _) => {
                if !at_once {
                    let wait = self.shared.tasks.limits().blocking_for;
                    // A client that waited long enough gets the task as it stands and can ask again.
                    let _ = tokio::time::timeout(wait, answered(&cell, since)).await;
                }
                let (mut task, _) = cell.snapshot().await?;
                trim_history(&mut task, history);
                Ok(SendMessageResponse::Task(task))
            }
        }
    }

    /// Says something to the agent and follows what becomes of it.
    ///
    /// # Errors
    /// Any of the protocol.
    pub async fn stream(
        &self,
        context: &Context,
        request: SendMessageRequest,
    ) -> Result<EventStream, A2aError> {
        self.wants_streaming()?;
        let share = self.stream_share(&context.caller)?;
        let source = match self.submit(context, request, true).await? {
            Submitted::Message(message) => Source::Message(Some(message)),
            Submitted::Task(cell, since, stood) => {
                let first = stood.map_or(First::Whole, First::Given);
                Source::Follower(Follower::new(cell, since, first, Until::EndedOrInput))
            }
        };
        Ok(EventStream { source, _share: share })
    }

    async fn submit(
        &self,
        context: &Context,
        mut request: SendMessageRequest,
        stood: bool,
    ) -> Result<Submitted, A2aError> {
        let card = &self.shared.card;
        let mut message = validation::sendable(&mut request, card)?;
        let mut wanted = context.extensions.clone();
        wanted.extend(message.extensions.iter().cloned());
        if let Some(missing) =
            card.capabilities.extensions.iter().find(|known| known.required && !wanted.contains(&known.uri))
        {
            let text = format!("this agent requires the extension {}", missing.uri);
            return Err(A2aError::new(ErrorKind::ExtensionSupportRequired, text));
        }
        let webhook = match request.configuration.task_push_notification_config.take() {
            Some(config) => {
                let at = "configuration.taskPushNotificationConfig";
                Some(self.checked_webhook(context, config, at).await?)
            }
            None => None,
        };
        let tasks = &self.shared.tasks;
        let known = match message.task_id.as_str() {
            "" => None,
            id => Some(tasks.find(&context.caller, id)?),
        };
        if known.is_none() && message.context_id.is_empty() {
            message.context_id = uuid::Uuid::now_v7().to_string();
        }
        let call = Call {
            caller: context.caller.clone(),
            message,
            metadata: request.metadata,
            extensions: self.activated(&wanted),
            accepted_output_modes: request.configuration.accepted_output_modes,
        };
        let config_id = webhook.as_ref().map(|webhook| webhook.config.id.clone());
        let (cell, since, task) = if let Some(cell) = known {
            let (since, task) = tasks.follow_up(&cell, call, webhook, stood)?;
            (cell, since, task)
        } else {
            if let Some(mut answer) = tasks.agent().answer(&call).await? {
                answer.context_id.clone_from(&call.message.context_id);
                return Ok(Submitted::Message(answer));
            }
            let (cell, task) = tasks.begin(call, context.alias.clone(), webhook, stood)?;
            (cell, 1, task)
        };
        if let Some(id) = config_id {
            self.shared.push.start(&cell, &id, since);
        }
        Ok(Submitted::Task(cell, since, task))
    }

    /// The caller's task of that id.
    ///
    /// # Errors
    /// [`ErrorKind::TaskNotFound`], [`ErrorKind::InvalidParams`].
    pub async fn get(&self, context: &Context, request: &GetTaskRequest) -> Result<Task, A2aError> {
        let history = validation::history_length(request.history_length)?;
        let (mut task, _) = self.find(context, &request.id)?.snapshot().await?;
        trim_history(&mut task, history);
        Ok(task)
    }

    /// A page of the caller's tasks.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidParams`].
    pub async fn list(
        &self,
        context: &Context,
        request: &ListTasksRequest,
    ) -> Result<ListTasksResponse, A2aError> {
        self.shared.tasks.list(&context.caller, request).await
    }

    /// Cancels the caller's task.
    ///
    /// # Errors
    /// [`ErrorKind::TaskNotFound`], [`ErrorKind::TaskNotCancelable`].
    pub async fn cancel(&self, context: &Context, request: &TaskIdRequest) -> Result<Task, A2aError> {
        let cell = self.find(context, &request.id)?;
        self.shared.tasks.cancel(&cell).await
    }

    /// Follows the caller's task: first the whole task, then what happens to it. With `after`, the number of the last
    /// event that the client saw, what it missed instead; then a task that has ended can be followed to its end too.
    ///
    /// # Errors
    /// [`ErrorKind::TaskNotFound`]; [`ErrorKind::UnsupportedOperation`] for a task that has ended.
    pub fn subscribe(
        &self,
        context: &Context,
        request: &TaskIdRequest,
        after: Option<u64>,
    ) -> Result<EventStream, A2aError> {
        self.wants_streaming()?;
        let cell = self.find(context, &request.id)?;
        let (state, seq) = {
            let state = cell.lock();
            (state.standing.task.status.state, state.standing.seq)
        };
        let after = after.filter(|after| *after <= seq);
        if state.is_terminal() && after.is_none() {
            return Err(A2aError::new(
                ErrorKind::UnsupportedOperation,
                "the task has ended, so nothing more will happen to it; get it instead",
            ));
        }
        let share = self.stream_share(&context.caller)?;
        let first = if after.is_none() { First::Whole } else { First::Next };
        let follower = Follower::new(cell, after.unwrap_or(0), first, Until::Ended);
        Ok(EventStream { source: Source::Follower(follower), _share: share })
    }

    /// Registers a webhook for the caller's task.
    ///
    /// # Errors
    /// [`ErrorKind::PushNotificationNotSupported`], [`ErrorKind::TaskNotFound`], [`ErrorKind::InvalidParams`].
    pub async fn create_push(&self, context: &Context, config: PushConfig) -> Result<PushConfig, A2aError> {
        self.wants_push()?;
        let cell = self.find(context, &config.task_id)?;
        validation::push_config(&config, "config")?;
        let webhook = self.checked_webhook(context, config, "config").await?;
        let config = self.shared.tasks.add_webhook(&cell, webhook)?;
        let seq = cell.lock().standing.seq;
        cell.settled(seq).await?;
        self.shared.push.start(&cell, &config.id, seq);
        Ok(config)
    }

    /// A webhook of the caller's task; without an id, the first.
    ///
    /// # Errors
    /// [`ErrorKind::PushNotificationNotSupported`], [`ErrorKind::TaskNotFound`].
    pub fn get_push(&self, context: &Context, request: &PushConfigRequest) -> Result<PushConfig, A2aError> {
        let mut configs = self.list_push(context, request)?.configs;
        // Clients of 0.3 ask for "default" when they named none.
        let any = request.id.is_empty() || (context.dialect != Dialect::V1 && request.id == "default");
        let named = configs.iter().position(|config| config.id == request.id);
        let found = named.or((any && !configs.is_empty()).then_some(0));
        found.map(|at| configs.swap_remove(at)).ok_or_else(|| {
            A2aError::new(ErrorKind::TaskNotFound, "the task has no such push notification configuration")
        })
    }

    /// The webhooks of the caller's task.
    ///
    /// # Errors
    /// As `get_push`.
    pub fn list_push(
        &self,
        context: &Context,
        request: &PushConfigRequest,
    ) -> Result<ListPushConfigsResponse, A2aError> {
        self.wants_push()?;
        let cell = self.find(context, &request.task_id)?;
        let configs = cell.lock().standing.webhooks.iter().map(|webhook| webhook.config.clone()).collect();
        Ok(ListPushConfigsResponse { configs, next_page_token: String::new() })
    }

    /// Removes a webhook of the caller's task; one that is not there is as good as removed.
    ///
    /// # Errors
    /// As `get_push`.
    pub async fn delete_push(&self, context: &Context, request: &PushConfigRequest) -> Result<(), A2aError> {
        self.wants_push()?;
        let cell = self.find(context, &request.task_id)?;
        let seq = {
            let mut state = cell.lock();
            let known = state.standing.webhooks.iter().any(|webhook| webhook.config.id == request.id);
            if !known {
                return Ok(());
            }
            cell.commit(&mut state, Change::WebhookGone(request.id.clone()))
        };
        cell.settled(seq).await
    }

    /// The fuller card.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedOperation`] when none is declared, [`ErrorKind::ExtendedAgentCardNotConfigured`] when
    /// one is declared and missing.
    pub fn extended_card(&self) -> Result<&AgentCard, A2aError> {
        if !self.shared.card.is_extended() {
            return Err(A2aError::new(ErrorKind::UnsupportedOperation, "this agent has no extended card"));
        }
        self.shared.extended.as_ref().ok_or_else(|| {
            A2aError::new(ErrorKind::ExtendedAgentCardNotConfigured, "the extended card is not configured")
        })
    }

    /// Notifications that could not be delivered. They are kept where the tasks are.
    #[must_use]
    pub fn dead_letters(&self) -> &DeadLetters {
        self.shared.push.letters()
    }

    /// Tries a dead letter again; says whether it was delivered.
    ///
    /// # Errors
    /// [`RedeliveryError`].
    pub async fn replay_dead_letter(&self, number: u64) -> Result<bool, RedeliveryError> {
        let tasks = self.shared.tasks.clone();
        let registered = move |letter: &DeadLetter| {
            let caller = Caller::named(letter.owner.as_str());
            let Ok(cell) = tasks.find(&caller, &letter.task_id) else { return Ok(None) };
            let state = cell.lock();
            let known = state.standing.webhooks.iter().find(|known| known.config.id == letter.config.id);
            Ok(known.map(|known| known.config.clone()))
        };
        self.shared.push.replay(number, registered).await
    }

    fn find(&self, context: &Context, id: &str) -> Result<Arc<Cell>, A2aError> {
        if id.is_empty() {
            return Err(A2aError::invalid("id", "is required"));
        }
        self.shared.tasks.find(&context.caller, id)
    }

    async fn checked_webhook(
        &self,
        context: &Context,
        mut config: PushConfig,
        at: &str,
    ) -> Result<Webhook, A2aError> {
        self.wants_push()?;
        self.shared.push.check(&config, at).await?;
        if config.id.is_empty() {
            config.id = uuid::Uuid::new_v4().to_string();
        }
        Ok(Webhook { config, dialect: context.dialect })
    }

    fn wants_push(&self) -> Result<(), A2aError> {
        if self.shared.card.pushes() {
            return Ok(());
        }
        let text = "push notifications are not supported by this agent";
        Err(A2aError::new(ErrorKind::PushNotificationNotSupported, text))
    }

    fn wants_streaming(&self) -> Result<(), A2aError> {
        if self.shared.card.streams() {
            return Ok(());
        }
        Err(A2aError::new(
            ErrorKind::UnsupportedOperation,
            "this operation is not supported: the agent does not stream",
        ))
    }

    fn stream_share(&self, caller: &Caller) -> Result<Share, A2aError> {
        self.shared.streams.take(&caller.principal).map_err(|refused| {
            let (kind, text) = match refused {
                Refused::Full => (ErrorKind::Overloaded, "as many streams are open as this server takes"),
                Refused::CallersShare => {
                    (ErrorKind::RateLimited, "as many of your streams are open as one caller may have")
                }
            };
            A2aError::busy(kind, text, std::time::Duration::from_secs(1))
        })
    }
}

/// Waits until the task ended, or waits for the client since after the change `since`.
async fn answered(cell: &Arc<Cell>, since: u64) -> Result<(), A2aError> {
    let mut follower = Follower::new(cell.clone(), since, First::Next, Until::Ended);
    while let Some(event) = follower.next().await? {
        let waits = |state: TaskState| state.is_terminal() || state.is_interrupted();
        if event.item.state().is_some_and(waits) {
            return Ok(());
        }
    }
    Ok(())
}
