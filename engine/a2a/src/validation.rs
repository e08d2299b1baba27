//! What a request must hold beyond its shape: required fields, sizes, media types. Every limit on a field of a
//! foreign message has its name here.
//! Not here: anything that needs a look at a task.

use serde::de::DeserializeOwned;

use crate::error::{A2aError, ErrorKind, Violation};
use crate::model::{AgentCard, Message, Part, PushConfig, Role, SendMessageRequest};

/// Longest id that a client may give (message, context, task, configuration), in bytes.
pub const MAX_ID_BYTES: usize = 256;
/// Most parts of one message.
pub const MAX_PARTS: usize = 256;
/// Most extension URIs, and most referenced tasks, of one message.
pub const MAX_NAMES: usize = 64;
/// Longest media type, file name or extension URI, in bytes.
pub const MAX_NAME_BYTES: usize = 1024;
/// Longest webhook URL, in bytes.
pub const MAX_URL_BYTES: usize = 2048;
/// Longest token or credentials of a webhook, in bytes.
pub const MAX_SECRET_BYTES: usize = 4096;
/// Largest page of a list.
pub const MAX_PAGE_SIZE: i32 = 100;
/// Page of a list when the client names no size.
pub const DEFAULT_PAGE_SIZE: i32 = 50;

/// Reads a request's parameters; a wrong field is named by its path.
///
/// # Errors
/// [`ErrorKind::InvalidParams`].
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, A2aError> {
    // The path is only worth its cost when something is wrong, so the first reading goes without.
    if let Ok(request) = serde_json::from_str(text) {
        return Ok(request);
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| path_error(&error))
}

fn path_error(error: &serde_path_to_error::Error<serde_json::Error>) -> A2aError {
    let path = error.path().to_string();
    let path = if path == "." { "params".to_owned() } else { path };
    let text = error.inner().to_string();
    A2aError::invalid(path, text)
}

/// Collects what is wrong, so that a client hears of everything at once.
#[derive(Default)]
struct Findings(Vec<Violation>);

impl Findings {
    fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.0.push(Violation { field: field.into(), description: description.into() });
    }

    fn longest(&mut self, field: &str, text: &str, limit: usize) {
        if text.len() > limit {
            self.add(field, format!("must be at most {limit} bytes"));
        }
    }

    fn most(&mut self, field: &str, count: usize, limit: usize) {
        if count > limit {
            self.add(field, format!("must hold at most {limit} items"));
        }
    }

    fn done(self) -> Result<(), A2aError> {
        if self.0.is_empty() { Ok(()) } else { Err(A2aError::violations(self.0)) }
    }
}

/// Checks a message from a client and takes it out of the request.
///
/// # Errors
/// [`ErrorKind::InvalidParams`] with every field that is wrong; [`ErrorKind::ContentTypeNotSupported`].
pub(crate) fn sendable(request: &mut SendMessageRequest, card: &AgentCard) -> Result<Message, A2aError> {
    let Some(message) = request.message.take() else {
        return Err(A2aError::invalid("message", "is required"));
    };
    let mut findings = Findings::default();
    if message.message_id.is_empty() {
        findings.add("message.messageId", "is required");
    }
    match message.role {
        Role::User => {}
        Role::Unspecified => findings.add("message.role", "is required"),
        Role::Agent => findings.add("message.role", "must be ROLE_USER in a message to an agent"),
    }
    if message.parts.is_empty() {
        findings.add("message.parts", "must hold at least one part");
    }
    findings.longest("message.messageId", &message.message_id, MAX_ID_BYTES);
    findings.longest("message.contextId", &message.context_id, MAX_ID_BYTES);
    findings.longest("message.taskId", &message.task_id, MAX_ID_BYTES);
    findings.most("message.parts", message.parts.len(), MAX_PARTS);
    findings.most("message.extensions", message.extensions.len(), MAX_NAMES);
    findings.most("message.referenceTaskIds", message.reference_task_ids.len(), MAX_NAMES);
    for name in &message.extensions {
        findings.longest("message.extensions", name, MAX_NAME_BYTES);
    }
    for id in &message.reference_task_ids {
        findings.longest("message.referenceTaskIds", id, MAX_ID_BYTES);
    }
    for part in &message.parts {
        findings.longest("message.parts.mediaType", &part.media_type, MAX_NAME_BYTES);
        findings.longest("message.parts.filename", &part.filename, MAX_NAME_BYTES);
    }
    if request.configuration.history_length.is_some_and(|length| length < 0) {
        findings.add("configuration.historyLength", "must not be negative");
    }
    findings.done()?;
    for part in &message.parts {
        taken(part, card)?;
    }
    if let Some(config) = &request.configuration.task_push_notification_config {
        push_config(config, "configuration.taskPushNotificationConfig")?;
    }
    Ok(message)
}

/// Whether the agent takes a part of this media type; one that names none is taken.
fn taken(part: &Part, card: &AgentCard) -> Result<(), A2aError> {
    if part.media_type.is_empty() {
        return Ok(());
    }
    let of_skills = card.skills.iter().flat_map(|skill| &skill.input_modes);
    let mut modes = card.default_input_modes.iter().chain(of_skills);
    if modes.any(|mode| covers(mode, &part.media_type)) {
        return Ok(());
    }
    let message = format!(
        "incompatible content type: {:?} is not supported; the card lists what is in defaultInputModes",
        part.media_type
    );
    Err(A2aError::new(ErrorKind::ContentTypeNotSupported, message))
}

/// Whether the mode, which may end in `/*` or be `*/*`, covers the media type. Parameters do not count.
fn covers(mode: &str, media_type: &str) -> bool {
    fn bare(text: &str) -> &str {
        text.split(';').next().unwrap_or_default().trim()
    }
    let (mode, media_type) = (bare(mode), bare(media_type));
    if mode == "*/*" {
        return true;
    }
    if let Some(family) = mode.strip_suffix("/*") {
        return media_type.split('/').next().is_some_and(|of| of.eq_ignore_ascii_case(family));
    }
    mode.eq_ignore_ascii_case(media_type)
}

/// Checks a webhook's configuration as far as its fields go; where it points is checked by `push`.
///
/// # Errors
/// [`ErrorKind::InvalidParams`].
pub(crate) fn push_config(config: &PushConfig, at: &str) -> Result<(), A2aError> {
    let mut findings = Findings::default();
    if config.url.is_empty() {
        findings.add(format!("{at}.url"), "is required");
    }
    findings.longest(&format!("{at}.url"), &config.url, MAX_URL_BYTES);
    findings.longest(&format!("{at}.id"), &config.id, MAX_ID_BYTES);
    findings.longest(&format!("{at}.token"), &config.token, MAX_SECRET_BYTES);
    header_safe(&mut findings, &format!("{at}.token"), &config.token);
    if let Some(authentication) = &config.authentication {
        let at = format!("{at}.authentication");
        if authentication.scheme.is_empty() {
            findings.add(format!("{at}.scheme"), "is required");
        }
        findings.longest(&format!("{at}.scheme"), &authentication.scheme, MAX_ID_BYTES);
        findings.longest(&format!("{at}.credentials"), &authentication.credentials, MAX_SECRET_BYTES);
        header_safe(&mut findings, &format!("{at}.scheme"), &authentication.scheme);
        header_safe(&mut findings, &format!("{at}.credentials"), &authentication.credentials);
    }
    findings.done()
}

/// What becomes part of a header must not be able to start another one.
fn header_safe(findings: &mut Findings, field: &str, text: &str) {
    if text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        findings.add(field, "must not hold control characters");
    }
}

/// Checks the length of history that a client asks for.
///
/// # Errors
/// [`ErrorKind::InvalidParams`].
pub(crate) fn history_length(length: Option<i32>) -> Result<Option<usize>, A2aError> {
    length
        .map(|length| {
            usize::try_from(length).map_err(|_| A2aError::invalid("historyLength", "must not be negative"))
        })
        .transpose()
}

/// The size of a page.
///
/// # Errors
/// [`ErrorKind::InvalidParams`] outside 1 to [`MAX_PAGE_SIZE`].
pub(crate) fn page_size(size: Option<i32>) -> Result<usize, A2aError> {
    let size = size.unwrap_or(DEFAULT_PAGE_SIZE);
    if !(1..=MAX_PAGE_SIZE).contains(&size) {
        return Err(A2aError::invalid("pageSize", format!("must be 1 to {MAX_PAGE_SIZE}")));
    }
    usize::try_from(size).map_err(|_| A2aError::invalid("pageSize", "must be positive"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_wrong_field_is_named_by_its_path() {
        let error = read::<SendMessageRequest>(
            r#"{"message":{"messageId":"m","role":"ROLE_USER","parts":[{"text":"a","url":"b"}]}}"#,
        )
        .unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidParams);
        assert_eq!(error.violations[0].field, "message.parts[0]");
    }

    #[test]
    fn null_and_snake_case_are_read() {
        let text = r#"{"message":{"message_id":"m","role":"ROLE_USER","parts":[{"data":null}],"extensions":null,
            "metadata":null},"configuration":null,"unknown":{}}"#;
        let mut request: SendMessageRequest = read(text).unwrap();
        let message = sendable(&mut request, &AgentCard::default()).unwrap();
        assert_eq!(message.message_id, "m");
        assert_eq!(message.parts, [Part::data(Value::Null)]);
    }

    #[test]
    fn media_types_are_covered_by_families() {
        assert!(covers("*/*", "image/png"));
        assert!(covers("text/*", "text/plain; charset=utf-8"));
        assert!(covers("application/json", "Application/JSON"));
        assert!(!covers("text/*", "image/png"));
    }

    #[test]
    fn a_header_cannot_be_split() {
        let config = PushConfig {
            url: "https://a.example/".to_owned(),
            token: "a\r\nX-Evil: 1".to_owned(),
            ..PushConfig::default()
        };
        assert_eq!(push_config(&config, "config").unwrap_err().violations[0].field, "config.token");
    }
}
