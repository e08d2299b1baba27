//! The two bindings seen from the client: how a call becomes an HTTP request, and what of the answer is believed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{Method, RequestBuilder, Response, Url};
use serde_json::{Value, json};

use super::{ClientError, ClientSettings, EventReader};
use crate::error::{A2aError, ErrorKind, Violation};
use crate::model::StreamItem;
use crate::server::{EXTENSIONS_HEADER, VERSION_HEADER};

/// How requests reach the agent.
#[derive(Clone)]
pub(super) struct Transport {
    http: reqwest::Client,
    url: Url,
    rpc: bool,
    tenant: String,
    settings: Arc<ClientSettings>,
    next_id: Arc<AtomicU64>,
}

/// The items of a stream.
pub(super) struct Events {
    response: Response,
    reader: EventReader,
    rpc: bool,
}

fn unreachable(error: &reqwest::Error) -> ClientError {
    // The address is left out: it may hold what its user would not have in a log.
    let reason = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    ClientError::Unreachable(reason.to_owned())
}

/// The connections that a client shares, or ones of its own.
fn http_of(settings: &ClientSettings) -> Result<reqwest::Client, ClientError> {
    match &settings.connections {
        Some(shared) => Ok(shared.http().clone()),
        None => Ok(settings.reach.client()?),
    }
}

impl Transport {
    pub(super) fn new(
        url: Url,
        rpc: bool,
        tenant: String,
        settings: ClientSettings,
    ) -> Result<Self, ClientError> {
        let http = http_of(&settings)?;
        Ok(Self { http, url, rpc, tenant, settings: Arc::new(settings), next_id: Arc::default() })
    }

    /// Fetches a document that is open to everybody, with the version named; `what` it is for whoever reads of a failure.
    pub(super) async fn fetch(
        url: &str,
        what: &str,
        settings: &ClientSettings,
    ) -> Result<Value, ClientError> {
        let url = settings.reach.check(url).await?;
        let http = http_of(settings)?;
        let request = http.get(url).timeout(settings.timeout).header(VERSION_HEADER, "1.0");
        let response = request.send().await.map_err(|error| unreachable(&error))?;
        if !response.status().is_success() {
            let status = response.status().as_u16();
            return Err(ClientError::Malformed(format!("its {what} is answered with status {status}")));
        }
        let bytes = body(response, settings.max_answer_bytes).await?;
        serde_json::from_slice(&bytes).map_err(|error| ClientError::Malformed(format!("its {what}: {error}")))
    }

    fn dressed(&self, mut request: RequestBuilder) -> RequestBuilder {
        request = request.header(VERSION_HEADER, "1.0");
        if let Some(bearer) = &self.settings.bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(key) = &self.settings.api_key {
            request = request.header("X-API-Key", key);
        }
        if !self.settings.extensions.is_empty() {
            request = request.header(EXTENSIONS_HEADER, self.settings.extensions.join(", "));
        }
        request
    }

    async fn request(&self, method: &str, mut params: Value) -> Result<RequestBuilder, ClientError> {
        self.settings.reach.check(self.url.as_str()).await?;
        if !self.tenant.is_empty() {
            params["tenant"] = json!(self.tenant);
        }
        let request = if self.rpc {
            let id = self.next_id.fetch_add(1, Ordering::Relaxed) + 1;
            let envelope = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
            self.http.post(self.url.clone()).json(&envelope)
        } else {
            self.rest(method, &params)?
        };
        Ok(self.dressed(request))
    }

    /// The path, the query and the body of an operation.
    fn rest(&self, method: &str, params: &Value) -> Result<RequestBuilder, ClientError> {
        let text = |name: &str| params[name].as_str().unwrap_or_default();
        let (task, id) = (text("taskId"), text("id"));
        let configs = "pushNotificationConfigs";
        let subscribe = format!("{id}:subscribe");
        let cancel = format!("{id}:cancel");
        let (verb, path): (Method, Vec<&str>) = match method {
            "SendMessage" => (Method::POST, vec!["message:send"]),
            "SendStreamingMessage" => (Method::POST, vec!["message:stream"]),
            "GetTask" => (Method::GET, vec!["tasks", id]),
            "ListTasks" => (Method::GET, vec!["tasks"]),
            "CancelTask" => (Method::POST, vec!["tasks", &cancel]),
            "SubscribeToTask" => (Method::POST, vec!["tasks", &subscribe]),
            "CreateTaskPushNotificationConfig" => (Method::POST, vec!["tasks", task, configs]),
            "GetTaskPushNotificationConfig" => (Method::GET, vec!["tasks", task, configs, id]),
            "ListTaskPushNotificationConfigs" => (Method::GET, vec!["tasks", task, configs]),
            "DeleteTaskPushNotificationConfig" => (Method::DELETE, vec!["tasks", task, configs, id]),
            _ => (Method::GET, vec!["extendedAgentCard"]),
        };
        let mut url = self.url.clone();
        url.path_segments_mut()
            .map_err(|()| ClientError::Malformed("its address cannot have a path".to_owned()))?
            .pop_if_empty()
            .extend(path);
        if verb == Method::GET || verb == Method::DELETE {
            for (name, value) in params.as_object().into_iter().flatten() {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                if name != "id" && name != "taskId" {
                    url.query_pairs_mut().append_pair(name, &value);
                }
            }
            return Ok(self.http.request(verb, url));
        }
        let body = serde_json::to_vec(params).map_err(|error| ClientError::Malformed(error.to_string()))?;
        Ok(self.http.request(verb, url).header("Content-Type", "application/a2a+json").body(body))
    }

    /// Calls an operation that has one answer.
    pub(super) async fn call(&self, method: &str, params: Value) -> Result<Value, ClientError> {
        let request = self.request(method, params).await?.timeout(self.settings.timeout);
        let response = request.send().await.map_err(|error| unreachable(&error))?;
        let status = response.status().as_u16();
        let bytes = body(response, self.settings.max_answer_bytes).await?;
        if bytes.is_empty() && (200..300).contains(&status) {
            return Ok(json!({}));
        }
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|_| ClientError::Malformed(format!("status {status}, and the body is not JSON")))?;
        self.result(value, (200..300).contains(&status))
    }

    fn result(&self, mut value: Value, success: bool) -> Result<Value, ClientError> {
        match value.get("error") {
            Some(error) if !error.is_null() => Err(ClientError::Agent(read_error(error))),
            _ if self.rpc => match value.get_mut("result") {
                Some(result) => Ok(result.take()),
                None => Err(ClientError::Malformed("neither `result` nor `error`".to_owned())),
            },
            _ if success => Ok(value),
            _ => Err(ClientError::Malformed("a failure without `error`".to_owned())),
        }
    }

    /// Opens a stream.
    pub(super) async fn open(
        &self,
        method: &str,
        params: Value,
        after: Option<&str>,
    ) -> Result<Events, ClientError> {
        let mut request = self.request(method, params).await?.header("Accept", "text/event-stream");
        if let Some(after) = after {
            request = request.header("Last-Event-ID", after);
        }
        let response = request.send().await.map_err(|error| unreachable(&error))?;
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|value| value.starts_with("text/event-stream")) {
            return Ok(Events { response, reader: EventReader::new(), rpc: self.rpc });
        }
        let status = response.status().as_u16();
        let bytes = body(response, self.settings.max_answer_bytes).await?;
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        self.result(value, false)?;
        Err(ClientError::Malformed(format!("status {status}, and no stream")))
    }
}

impl Events {
    /// The next item with its event's id; `None` when the agent ended the stream.
    pub(super) async fn next(&mut self) -> Result<Option<(Option<String>, StreamItem)>, ClientError> {
        loop {
            if let Some(event) = self.reader.next_event() {
                let malformed = |error: serde_json::Error| ClientError::Malformed(error.to_string());
                let mut value: Value = serde_json::from_str(&event.data).map_err(malformed)?;
                if let Some(error) = value.get("error").filter(|error| !error.is_null()) {
                    return Err(ClientError::Agent(read_error(error)));
                }
                let item = if self.rpc { value["result"].take() } else { value };
                return Ok(Some((event.id, serde_json::from_value(item).map_err(malformed)?)));
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => {
                    self.reader.feed(&bytes).map_err(|_| ClientError::TooLarge(super::MAX_EVENT_BYTES))?
                }
                Ok(None) => return Ok(None),
                Err(error) => return Err(unreachable(&error)),
            }
        }
    }
}

/// Reads a body up to a limit, whatever length it claims.
async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, ClientError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if bytes.len() + chunk.len() > limit {
            return Err(ClientError::TooLarge(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads an error of either binding: its kind by the reason in its details, else by its code.
pub(super) fn read_error(error: &Value) -> A2aError {
    let details = error.get("data").or_else(|| error.get("details")).and_then(Value::as_array);
    let details = details.map(Vec::as_slice).unwrap_or_default();
    let reason = details.iter().find_map(|detail| detail["reason"].as_str());
    let code = error["code"].as_i64().unwrap_or_default();
    let kind = reason.and_then(ErrorKind::from_reason).or_else(|| ErrorKind::from_code(code)).unwrap_or(
        match code {
            401 => ErrorKind::Unauthenticated,
            403 => ErrorKind::PermissionDenied,
            404 => ErrorKind::MethodNotFound,
            429 => ErrorKind::RateLimited,
            503 => ErrorKind::Overloaded,
            400..=499 => ErrorKind::InvalidParams,
            _ => ErrorKind::Internal,
        },
    );
    let violations = details.iter().filter_map(|detail| detail["fieldViolations"].as_array()).flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let violations = violations
        .map(|one| Violation { field: text(&one["field"]), description: text(&one["description"]) })
        .collect();
    let delay =
        details.iter().find_map(|detail| detail["retryDelay"].as_str()?.strip_suffix('s')?.parse().ok());
    let retry_after = delay.and_then(|seconds: f64| std::time::Duration::try_from_secs_f64(seconds).ok());
    A2aError { kind, message: text(&error["message"]), violations, retry_after }
}
