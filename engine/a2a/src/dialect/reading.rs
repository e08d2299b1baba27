//! Reading the words of 0.3 and before into the model of 1.0. Foreign bytes: nothing is taken for granted, and what is
//! wrong is named by its field.

use serde_json::{Map, Value, json};

use super::{Dialect, first};
use crate::error::{A2aError, ErrorKind};
use crate::model::{
    AuthenticationInfo, GetTaskRequest, Message, Metadata, Part, PushConfig, PushConfigRequest, Role,
    SendMessageConfiguration, SendMessageRequest, TaskIdRequest, decode_base64,
};
use crate::operation::Request;

/// Methods of JSON-RPC before 1.0.
pub(crate) const METHODS: [&str; 14] = [
    "message/send",
    "message/stream",
    "tasks/get",
    "tasks/cancel",
    "tasks/resubscribe",
    "tasks/pushNotificationConfig/set",
    "tasks/pushNotificationConfig/get",
    "tasks/pushNotificationConfig/list",
    "tasks/pushNotificationConfig/delete",
    "agent/getAuthenticatedExtendedCard",
    "tasks/send",
    "tasks/sendSubscribe",
    "tasks/pushNotification/set",
    "tasks/pushNotification/get",
];
/// Marks data that is not an object and travels in one.
pub(super) const COMPAT_MARK: &str = "data_part_compat";

/// An object whose fields are read one by one.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    at: &'a str,
}

impl<'a> Fields<'a> {
    pub(super) fn of(value: &'a Value, at: &'a str) -> Result<Self, A2aError> {
        value
            .as_object()
            .map(|object| Self { object, at })
            .ok_or_else(|| A2aError::invalid(at, "must be an object"))
    }

    /// A field that is there and not null, under its name or, as ProtoJSON also has it, in snake_case.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        let found = self.object.get(name).or_else(|| {
            let upper = name.contains(|c: char| c.is_ascii_uppercase());
            upper.then(|| self.object.get(&snake_case(name))).flatten()
        });
        found.filter(|value| !value.is_null())
    }

    fn wrong(&self, name: &str, must: &str) -> A2aError {
        A2aError::invalid(format!("{}.{name}", self.at), must)
    }

    /// A text; absent is "".
    pub(super) fn text(&self, name: &str) -> Result<String, A2aError> {
        match self.get(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(self.wrong(name, "must be a string")),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<i32>, A2aError> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match value.as_i64().and_then(|number| i32::try_from(number).ok()) {
                Some(number) => Ok(Some(number)),
                None => Err(self.wrong(name, "must be a whole number")),
            },
        }
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, A2aError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.wrong(name, "must be true or false")),
        }
    }

    pub(super) fn metadata(&self, name: &str) -> Result<Metadata, A2aError> {
        match self.get(name) {
            None => Ok(Metadata::new()),
            Some(Value::Object(object)) => Ok(object.clone()),
            Some(_) => Err(self.wrong(name, "must be an object")),
        }
    }

    pub(super) fn list(&self, name: &str) -> Result<&'a [Value], A2aError> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(self.wrong(name, "must be a list")),
        }
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, A2aError> {
        let text = |item: &Value| item.as_str().map(str::to_owned);
        let texts: Option<Vec<String>> = self.list(name)?.iter().map(text).collect();
        texts.ok_or_else(|| self.wrong(name, "must be a list of strings"))
    }

    fn required(&self, name: &str) -> Result<&'a Value, A2aError> {
        self.get(name).ok_or_else(|| self.wrong(name, "is required"))
    }
}

/// The name as protobuf has it.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// Reads a request of JSON-RPC before 1.0, with the version that it speaks.
///
/// # Errors
/// [`ErrorKind::InvalidParams`], [`ErrorKind::MethodNotFound`].
pub(crate) fn read(method: &str, params: &Value) -> Result<(Request, Dialect), A2aError> {
    let empty = json!({});
    let fields = Fields::of(if params.is_null() { &empty } else { params }, "params")?;
    let id = || task_id(fields.text("id")?);
    let push_request = || -> Result<PushConfigRequest, A2aError> {
        let id = fields.text("pushNotificationConfigId")?;
        Ok(PushConfigRequest { task_id: task_id(fields.text("id")?)?, id, ..PushConfigRequest::default() })
    };
    let request = match method {
        "message/send" => Request::Send(send(fields)?),
        "message/stream" => Request::Stream(send(fields)?),
        "tasks/get" => Request::Get(GetTaskRequest {
            id: id()?,
            history_length: history(fields.number("historyLength")?),
            ..GetTaskRequest::default()
        }),
        "tasks/cancel" => Request::Cancel(TaskIdRequest { id: id()?, ..TaskIdRequest::default() }),
        "tasks/resubscribe" => Request::Subscribe(TaskIdRequest { id: id()?, ..TaskIdRequest::default() }),
        "tasks/pushNotificationConfig/set" => {
            let mut config = push(fields.required("pushNotificationConfig")?)?;
            config.task_id = task_id(fields.text("taskId")?)?;
            Request::CreatePush(config)
        }
        "tasks/pushNotificationConfig/get" => Request::GetPush(push_request()?),
        "tasks/pushNotificationConfig/list" => Request::ListPush(push_request()?),
        "tasks/pushNotificationConfig/delete" => Request::DeletePush(push_request()?),
        "agent/getAuthenticatedExtendedCard" => Request::ExtendedCard,
        _ => return first::read(method, fields).map(|request| (request, Dialect::V01)),
    };
    Ok((request, Dialect::V03))
}

pub(super) fn task_id(id: String) -> Result<String, A2aError> {
    if id.is_empty() { Err(A2aError::invalid("params.id", "is required")) } else { Ok(id) }
}

/// Before 1.0 a history of length 0 was one without a limit.
pub(super) fn history(length: Option<i32>) -> Option<i32> {
    length.filter(|length| *length != 0)
}

fn send(fields: Fields<'_>) -> Result<SendMessageRequest, A2aError> {
    let configuration = fields.get("configuration").map_or_else(
        || Ok(SendMessageConfiguration::default()),
        |value| configuration(value, "pushNotificationConfig", true),
    )?;
    let message = message(fields.required("message")?, "parts", kind_part)?;
    let metadata = fields.metadata("metadata")?;
    Ok(SendMessageRequest {
        message: Some(message),
        configuration,
        metadata,
        ..SendMessageRequest::default()
    })
}

fn configuration(
    value: &Value,
    push_name: &str,
    blocking: bool,
) -> Result<SendMessageConfiguration, A2aError> {
    let fields = Fields::of(value, "configuration")?;
    Ok(SendMessageConfiguration {
        accepted_output_modes: fields.texts("acceptedOutputModes")?,
        task_push_notification_config: fields.get(push_name).map(push).transpose()?,
        history_length: history(fields.number("historyLength")?),
        return_immediately: !fields.flag("blocking")?.unwrap_or(blocking),
    })
}

/// Reads a webhook's configuration; of several schemes the first counts.
pub(super) fn push(value: &Value) -> Result<PushConfig, A2aError> {
    let fields = Fields::of(value, "pushNotificationConfig")?;
    let authentication = match fields.get("authentication") {
        None => None,
        Some(value) => {
            let fields = Fields::of(value, "authentication")?;
            let scheme = fields.texts("schemes")?.into_iter().next().unwrap_or_default();
            let credentials = fields.text("credentials")?;
            (!scheme.is_empty()).then_some(AuthenticationInfo { scheme, credentials })
        }
    };
    Ok(PushConfig {
        id: fields.text("id")?,
        url: fields.text("url")?,
        token: fields.text("token")?,
        authentication,
        ..PushConfig::default()
    })
}

type ReadPart = fn(&Value) -> Result<Part, A2aError>;

pub(super) fn message(value: &Value, parts_name: &str, part: ReadPart) -> Result<Message, A2aError> {
    let fields = Fields::of(value, "message")?;
    let role = match fields.text("role")?.as_str() {
        "user" | "ROLE_USER" => Role::User,
        "agent" | "ROLE_AGENT" => Role::Agent,
        "" => Role::Unspecified,
        _ => return Err(A2aError::invalid("message.role", "must be \"user\" or \"agent\"")),
    };
    Ok(Message {
        message_id: fields.text("messageId")?,
        context_id: fields.text("contextId")?,
        task_id: fields.text("taskId")?,
        role,
        parts: fields.list(parts_name)?.iter().map(part).collect::<Result<_, _>>()?,
        metadata: fields.metadata("metadata")?,
        extensions: fields.texts("extensions")?,
        reference_task_ids: fields.texts("referenceTaskIds")?,
    })
}

/// A part that says its kind in a tag, `kind` or, in 0.1, `type`.
pub(super) fn kind_part(value: &Value) -> Result<Part, A2aError> {
    let fields = Fields::of(value, "message.parts")?;
    let kind = match fields.text("kind")? {
        kind if kind.is_empty() => fields.text("type")?,
        kind => kind,
    };
    let mut part = match kind.as_str() {
        "text" => match fields.required("text")? {
            Value::String(text) => Part::text(text.clone()),
            _ => return Err(fields.wrong("text", "must be a string")),
        },
        "file" => file(fields.required("file")?, "bytes", "uri")?,
        "data" => Part::data(fields.required("data")?.clone()),
        _ => return Err(fields.wrong("kind", "must be \"text\", \"file\" or \"data\"")),
    };
    part.metadata = fields.metadata("metadata")?;
    Ok(unwrap_data(part))
}

/// A part in the words of the protobuf of 0.3.
fn proto_part(value: &Value) -> Result<Part, A2aError> {
    let fields = Fields::of(value, "message.content")?;
    let mut part = match (fields.get("text"), fields.get("file"), fields.get("data")) {
        (Some(Value::String(text)), None, None) => Part::text(text.clone()),
        (None, Some(value), None) => file(value, "fileWithBytes", "fileWithUri")?,
        (None, None, Some(value)) => {
            Part::data(Fields::of(value, "message.content.data")?.required("data")?.clone())
        }
        _ => {
            let must = "a part holds exactly one of `text`, `file` and `data`";
            return Err(A2aError::invalid("message.content", must));
        }
    };
    part.metadata = fields.metadata("metadata")?;
    Ok(unwrap_data(part))
}

fn file(value: &Value, bytes: &str, uri: &str) -> Result<Part, A2aError> {
    let fields = Fields::of(value, "message.parts.file")?;
    let part = match (fields.get(bytes), fields.get(uri)) {
        (Some(Value::String(text)), None) => {
            Part::raw(decode_base64(text).map_err(|_| fields.wrong(bytes, "must be base64"))?)
        }
        (None, Some(Value::String(url))) => Part::url(url.clone()),
        _ => return Err(fields.wrong(bytes, &format!("a file has either {bytes:?} or {uri:?}"))),
    };
    Ok(part.with_media_type(fields.text("mimeType")?).with_filename(fields.text("name")?))
}

/// Takes data that is not an object out of the one it travelled in.
fn unwrap_data(mut part: Part) -> Part {
    if part.metadata.remove(COMPAT_MARK) == Some(json!(true))
        && let crate::model::Content::Data(data) = &mut part.content
    {
        *data = data["value"].take();
    }
    part
}

/// Reads a message sent in the words of the protobuf of 0.3.
///
/// # Errors
/// [`ErrorKind::InvalidParams`].
pub(crate) fn read_proto_send(value: &Value) -> Result<SendMessageRequest, A2aError> {
    let fields = Fields::of(value, "body")?;
    let request = match fields.get("message") {
        Some(message) => message,
        None => fields.required("request")?,
    };
    let configuration = fields.get("configuration").map_or_else(
        || Ok(SendMessageConfiguration::default()),
        // In protobuf a flag that is not there is off, and so its clients leave out the one that says not to wait. The
        // webhook goes by the name of JSON-RPC with some of them.
        |value| {
            let named = value.get("pushNotificationConfig").is_some();
            configuration(value, if named { "pushNotificationConfig" } else { "pushNotification" }, false)
        },
    )?;
    let message = message(request, "content", proto_part)?;
    let metadata = fields.metadata("metadata")?;
    Ok(SendMessageRequest {
        message: Some(message),
        configuration,
        metadata,
        ..SendMessageRequest::default()
    })
}

/// Reads a webhook's configuration in the words of the protobuf of 0.3.
///
/// # Errors
/// [`ErrorKind::InvalidParams`].
pub(crate) fn read_proto_push(value: &Value) -> Result<PushConfig, A2aError> {
    let fields = Fields::of(value, "body")?;
    // Clients differ in how many of the layers they send.
    let inner = fields.get("config").map_or(Ok(fields), |config| Fields::of(config, "config"))?;
    push(inner.get("pushNotificationConfig").unwrap_or(value))
}

/// An error for a method that no version knows.
pub(super) fn unknown(method: &str) -> A2aError {
    A2aError::new(ErrorKind::MethodNotFound, format!("there is no method {method:?}"))
}
