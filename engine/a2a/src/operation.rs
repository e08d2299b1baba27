//! Requests and replies apart from how they travel: what a binding reads and writes, and the one place that carries a
//! request out.

use serde::Serialize;
use serde_json::Value;

use crate::error::{A2aError, ErrorKind};
use crate::model::{
    AgentCard, GetTaskRequest, ListPushConfigsResponse, ListTasksRequest, ListTasksResponse, PushConfig,
    PushConfigRequest, SendMessageRequest, SendMessageResponse, Task, TaskIdRequest,
};
use crate::service::{Context, EventStream, Service};
use crate::validation;

/// What a client wants.
pub(crate) enum Request {
    Send(SendMessageRequest),
    Stream(SendMessageRequest),
    Get(GetTaskRequest),
    List(ListTasksRequest),
    Cancel(TaskIdRequest),
    Subscribe(TaskIdRequest),
    CreatePush(PushConfig),
    GetPush(PushConfigRequest),
    ListPush(PushConfigRequest),
    DeletePush(PushConfigRequest),
    ExtendedCard,
}

/// What it gets.
pub(crate) enum Reply {
    Sent(SendMessageResponse),
    Task(Task),
    Tasks(ListTasksResponse),
    Push(PushConfig),
    Pushes(ListPushConfigsResponse),
    Nothing,
    Card(Box<AgentCard>),
    Stream(EventStream),
}

/// Names of the operations in 1.0, with which JSON-RPC names its methods.
pub(crate) const METHODS: [&str; 11] = [
    "SendMessage",
    "SendStreamingMessage",
    "GetTask",
    "ListTasks",
    "CancelTask",
    "SubscribeToTask",
    "CreateTaskPushNotificationConfig",
    "GetTaskPushNotificationConfig",
    "ListTaskPushNotificationConfigs",
    "DeleteTaskPushNotificationConfig",
    "GetExtendedAgentCard",
];

impl Request {
    /// Reads a request of 1.0 by its method's name.
    pub(crate) fn read(method: &str, params: &str) -> Result<Self, A2aError> {
        Ok(match method {
            "SendMessage" => Self::Send(validation::read(params)?),
            "SendStreamingMessage" => Self::Stream(validation::read(params)?),
            "GetTask" => Self::Get(validation::read(params)?),
            "ListTasks" => Self::List(validation::read(params)?),
            "CancelTask" => Self::Cancel(validation::read(params)?),
            "SubscribeToTask" => Self::Subscribe(validation::read(params)?),
            "CreateTaskPushNotificationConfig" => Self::CreatePush(validation::read(params)?),
            "GetTaskPushNotificationConfig" => Self::GetPush(validation::read(params)?),
            "ListTaskPushNotificationConfigs" => Self::ListPush(validation::read(params)?),
            "DeleteTaskPushNotificationConfig" => Self::DeletePush(validation::read(params)?),
            "GetExtendedAgentCard" => Self::ExtendedCard,
            _ => {
                return Err(A2aError::new(
                    ErrorKind::MethodNotFound,
                    format!("there is no method {method:?}"),
                ));
            }
        })
    }

    /// Carries the request out. `after` is the number of the last event that a follower saw.
    pub(crate) async fn perform(
        self,
        service: &Service,
        context: &Context,
        after: Option<u64>,
    ) -> Result<Reply, A2aError> {
        Ok(match self {
            Self::Send(request) => Reply::Sent(service.send(context, request).await?),
            Self::Stream(request) => Reply::Stream(service.stream(context, request).await?),
            Self::Get(request) => Reply::Task(service.get(context, &request).await?),
            Self::List(request) => Reply::Tasks(service.list(context, &request).await?),
            Self::Cancel(request) => Reply::Task(service.cancel(context, &request).await?),
            Self::Subscribe(request) => Reply::Stream(service.subscribe(context, &request, after)?),
            Self::CreatePush(config) => Reply::Push(service.create_push(context, config).await?),
            Self::GetPush(request) => Reply::Push(service.get_push(context, &request)?),
            Self::ListPush(request) => Reply::Pushes(service.list_push(context, &request)?),
            Self::DeletePush(request) => {
                service.delete_push(context, &request).await?;
                Reply::Nothing
            }
            Self::ExtendedCard => Reply::Card(Box::new(service.extended_card()?.clone())),
        })
    }

    /// The operation's name, for audits.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Send(_) => METHODS[0],
            Self::Stream(_) => METHODS[1],
            Self::Get(_) => METHODS[2],
            Self::List(_) => METHODS[3],
            Self::Cancel(_) => METHODS[4],
            Self::Subscribe(_) => METHODS[5],
            Self::CreatePush(_) => METHODS[6],
            Self::GetPush(_) => METHODS[7],
            Self::ListPush(_) => METHODS[8],
            Self::DeletePush(_) => METHODS[9],
            Self::ExtendedCard => METHODS[10],
        }
    }
}

impl Serialize for Reply {
    /// Writes the reply in the words of 1.0. A stream is not written here.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Sent(response) => response.serialize(serializer),
            Self::Task(task) => task.serialize(serializer),
            Self::Tasks(tasks) => tasks.serialize(serializer),
            Self::Push(config) => config.serialize(serializer),
            Self::Pushes(configs) => configs.serialize(serializer),
            Self::Card(card) => card.serialize(serializer),
            Self::Nothing | Self::Stream(_) => Value::Object(serde_json::Map::new()).serialize(serializer),
        }
    }
}
