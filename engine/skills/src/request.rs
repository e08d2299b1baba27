//! What a peer's message asks for: its first data part read by its `type`, within limits on every field. A message without
//! one is plain text. Not here: whether what it asks for can be done.

use crate::signature::PackageSent;
use a2a::model::{Content, Message, Part};
use evolution::settings::Budget;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Most files of a program that is sent along.
pub const MAX_FILES: usize = 512;
/// Largest such file, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// Longest path of such a file, in bytes.
pub const MAX_PATH_BYTES: usize = 512;
/// Deepest nesting of a data part that is read further, in levels.
pub(crate) const MAX_DEPTH: usize = 32;
/// Longest name that a peer may give anything, in bytes.
const MAX_NAME_BYTES: usize = 256;
/// Most words of one list of capabilities.
const MAX_CAPABILITIES: usize = 64;
/// Media types by which a git bundle is known, beside the file name's ending.
const BUNDLE_TYPES: [&str; 2] = ["application/x-git-bundle", "application/vnd.git.bundle"];

/// A program with everything that judges it.
#[derive(Debug, Clone, PartialEq)]
pub enum Program {
    /// Its files by path, `darwind.toml` among them.
    Files(BTreeMap<String, String>),
    /// A git bundle whose head holds them.
    Bundle(Vec<u8>),
}

/// `{"type": "evolve", …}`.
#[derive(Debug, Clone, PartialEq)]
pub struct EvolveRequest {
    /// What to evolve.
    pub program: Program,
    /// Seed of every decision.
    pub seed: Option<u64>,
    /// Limits over those of the configuration.
    pub budget: Budget,
}

/// `{"type": "validation_request", …}`: measure a candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidationRequest {
    /// The sender's name for this request; repeated in the answer.
    pub request_id: String,
    /// Who asks.
    pub requester: String,
    /// What to look at: `performance`, `tests`, …; everything is measured whatever it says.
    pub validation_type: String,
    /// The candidate's own name.
    pub candidate_id: String,
    /// The program that it is a version of, by its `agent_id` here.
    pub target: String,
    /// That program itself, when it travels with the request.
    pub program: Option<BTreeMap<String, String>>,
    /// The candidate's files that differ from the program's.
    pub files: BTreeMap<String, String>,
}

/// `{"type": "knowledge_transfer", …}`.
#[derive(Debug, Clone, PartialEq)]
pub struct TransferRequest {
    /// The sender's name for this transfer.
    pub transfer_id: String,
    /// The package.
    pub sent: PackageSent,
}

/// `{"type": "improvement_feedback_request", …}`: what do you think of it?
#[derive(Debug, Clone, PartialEq)]
pub struct FeedbackRequest {
    /// Who asks.
    pub requester: String,
    /// What it is about.
    pub improvement: ImprovementSent,
}

/// An improvement that a peer wants an opinion of.
#[derive(Debug, Clone, PartialEq)]
pub enum ImprovementSent {
    /// As a knowledge package: it is held against what is known here.
    Package(PackageSent),
    /// As a candidate: it is measured.
    Candidate(ValidationRequest),
}

/// `{"type": "evolution_group_join" | "evolution_group_leave", …}`.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRequest {
    /// The group.
    pub group_id: String,
    /// Who joins or leaves.
    pub agent_id: String,
    /// What it says it can do.
    pub capabilities: Capabilities,
    /// Whether it joins.
    pub joins: bool,
}

/// What an agent says it can do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// Kinds of validation that it carries out.
    pub validation_types: Vec<String>,
    /// Kinds of improvement that it has seen.
    pub improvement_experience: Vec<String>,
    /// Programs that it can judge, by `agent_id`.
    pub targets: Vec<String>,
}

/// Why a message cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RequestError(pub String);

/// What a message asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    Evolve(EvolveRequest),
    Validate(ValidationRequest),
    Transfer(Box<TransferRequest>),
    Feedback(Box<FeedbackRequest>),
    Group(GroupRequest),
    /// No data part: words.
    Words(String),
}

impl Request {
    /// Reads a message.
    pub(crate) fn read(message: &Message) -> Result<Self, RequestError> {
        let data = message.parts.iter().find_map(|part| match &part.content {
            Content::Data(value) => Some(value),
            _ => None,
        });
        let bundle = message.parts.iter().find_map(bundle_of);
        match data {
            None if bundle.is_some() => Ok(Self::Evolve(evolve(&serde_json::json!({}), bundle)?)),
            None => Ok(Self::Words(message.first_text().to_owned())),
            Some(value) if depth_exceeds(value, MAX_DEPTH) => {
                Err(RequestError(format!("the data part is nested deeper than {MAX_DEPTH} levels")))
            }
            Some(value) => match value.get("type").and_then(Value::as_str) {
                Some("evolve") => Ok(Self::Evolve(evolve(value, bundle)?)),
                Some("validation_request") => Ok(Self::Validate(validation(value)?)),
                Some("knowledge_transfer") => Ok(Self::Transfer(Box::new(transfer(value)?))),
                Some("improvement_feedback_request") => Ok(Self::Feedback(Box::new(feedback(value)?))),
                Some("evolution_group_join") => Ok(Self::Group(group(value, true)?)),
                Some("evolution_group_leave") => Ok(Self::Group(group(value, false)?)),
                Some(other) => Err(RequestError(format!(
                    "there is no message of the type {:?}; there are {}",
                    clipped(other),
                    TYPES.join(", ")
                ))),
                None => Err(RequestError(format!(
                    "the data part has no \"type\"; there are {}",
                    TYPES.join(", ")
                ))),
            },
        }
    }
}

/// The types of messages that are understood.
pub(crate) const TYPES: [&str; 6] = [
    "evolve",
    "validation_request",
    "knowledge_transfer",
    "improvement_feedback_request",
    "evolution_group_join",
    "evolution_group_leave",
];

#[derive(Deserialize)]
struct EvolveFields {
    #[serde(default)]
    files: BTreeMap<String, String>,
    seed: Option<u64>,
    #[serde(default)]
    budget: BudgetFields,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetFields {
    evaluations: Option<u64>,
    proposals: Option<u64>,
    time: Option<TimeField>,
}

/// A time as in `darwind.toml` ("90s"), or in seconds.
#[derive(Deserialize)]
#[serde(untagged)]
enum TimeField {
    Text(String),
    Seconds(u32),
}

fn evolve(value: &Value, bundle: Option<Vec<u8>>) -> Result<EvolveRequest, RequestError> {
    let fields = EvolveFields::deserialize(value)
        .map_err(|error| RequestError(format!("the evolve request cannot be read: {error}")))?;
    let program = match (bundle, fields.files) {
        (Some(bundle), files) if files.is_empty() => Program::Bundle(bundle),
        (Some(_), _) => {
            return Err(RequestError("send either \"files\" or a git bundle, not both".to_owned()));
        }
        (None, files) => Program::Files(checked(files)?),
    };
    let time = match fields.budget.time {
        None => None,
        Some(TimeField::Seconds(seconds)) => Some(Duration::from_secs(u64::from(seconds))),
        Some(TimeField::Text(text)) => Some(humantime::parse_duration(&text).map_err(|error| {
            RequestError(format!("budget.time {:?} is no time: {error}; write \"90s\"", clipped(&text)))
        })?),
    };
    let budget = Budget {
        evaluations: fields.budget.evaluations,
        proposals: fields.budget.proposals,
        time_ms: time.map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
        ..Budget::default()
    };
    Ok(EvolveRequest { program, seed: fields.seed, budget })
}

#[derive(Deserialize)]
struct ValidationFields {
    candidate: CandidateFields,
    #[serde(default)]
    validation_type: String,
    #[serde(default)]
    requester: String,
    #[serde(default)]
    request_id: String,
    /// The program itself, when it travels along: its files with `darwind.toml`.
    #[serde(default)]
    target: Option<TargetFields>,
}

#[derive(Deserialize)]
struct TargetFields {
    files: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct CandidateFields {
    #[serde(default)]
    id: String,
    #[serde(default)]
    agent_id: String,
    /// As the seeds call it.
    #[serde(default, alias = "files")]
    code_changes: BTreeMap<String, String>,
}

fn validation(value: &Value) -> Result<ValidationRequest, RequestError> {
    let fields =
        ValidationFields::deserialize(value).map_err(|error| malformed("validation_request", &error))?;
    let CandidateFields { id, agent_id, code_changes } = fields.candidate;
    if agent_id.is_empty() && fields.target.is_none() {
        let text = "name the program by candidate.agent_id, or send it along as target.files";
        return Err(RequestError(text.to_owned()));
    }
    Ok(ValidationRequest {
        request_id: named("request_id", fields.request_id)?,
        requester: named("requester", fields.requester)?,
        validation_type: named("validation_type", fields.validation_type)?,
        candidate_id: named("candidate.id", id)?,
        target: named("candidate.agent_id", agent_id)?,
        program: fields.target.map(|target| checked(target.files)).transpose()?,
        files: checked(code_changes)?,
    })
}

fn transfer(value: &Value) -> Result<TransferRequest, RequestError> {
    let package = value.get("package").unwrap_or(&Value::Null);
    let sent = PackageSent::read(package).map_err(|error| RequestError(error.to_string()))?;
    let transfer_id = value.get("transfer_id").and_then(Value::as_str).unwrap_or_default();
    Ok(TransferRequest { transfer_id: named("transfer_id", transfer_id.to_owned())?, sent })
}

fn feedback(value: &Value) -> Result<FeedbackRequest, RequestError> {
    let improvement = value.get("improvement").unwrap_or(&Value::Null);
    let requester = value.get("requester").and_then(Value::as_str).unwrap_or_default().to_owned();
    let sent = if improvement.get("code_pattern").is_some() {
        let sent = PackageSent::read(improvement).map_err(|error| RequestError(error.to_string()))?;
        ImprovementSent::Package(sent)
    } else {
        let asked = serde_json::json!({ "candidate": improvement, "requester": requester, "target": value.get("target") });
        ImprovementSent::Candidate(validation(&asked)?)
    };
    Ok(FeedbackRequest { requester: named("requester", requester)?, improvement: sent })
}

#[derive(Deserialize)]
struct GroupFields {
    group_id: String,
    agent_id: String,
    #[serde(default)]
    capabilities: Capabilities,
}

fn group(value: &Value, joins: bool) -> Result<GroupRequest, RequestError> {
    let fields = GroupFields::deserialize(value).map_err(|error| malformed("evolution_group", &error))?;
    let GroupFields { group_id, agent_id, capabilities } = fields;
    if group_id.is_empty() || agent_id.is_empty() {
        return Err(RequestError("group_id and agent_id must not be empty".to_owned()));
    }
    let Capabilities { validation_types, improvement_experience, targets } = &capabilities;
    for list in [validation_types, improvement_experience, targets] {
        if list.len() > MAX_CAPABILITIES || list.iter().any(|word| word.len() > MAX_NAME_BYTES) {
            let text = format!(
                "capabilities are lists of at most {MAX_CAPABILITIES} words of {MAX_NAME_BYTES} bytes"
            );
            return Err(RequestError(text));
        }
    }
    let (group_id, agent_id) = (named("group_id", group_id)?, named("agent_id", agent_id)?);
    Ok(GroupRequest { group_id, agent_id, capabilities, joins })
}

fn malformed(what: &str, error: &serde_json::Error) -> RequestError {
    RequestError(format!("the {what} cannot be read: {error}"))
}

/// A name within its limit.
fn named(what: &str, name: String) -> Result<String, RequestError> {
    if name.len() <= MAX_NAME_BYTES {
        return Ok(name);
    }
    Err(RequestError(format!("{what} has at most {MAX_NAME_BYTES} bytes")))
}

/// Files within their limits. Whether a path stays below the target is checked where it is written.
pub(crate) fn checked(files: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, RequestError> {
    if files.is_empty() {
        let text = "send the program as \"files\" (path to text, darwind.toml among them) or as a git bundle";
        return Err(RequestError(text.to_owned()));
    }
    if files.len() > MAX_FILES {
        return Err(RequestError(format!("{} files are too many: at most {MAX_FILES}", files.len())));
    }
    for (path, text) in &files {
        if path.len() > MAX_PATH_BYTES {
            return Err(RequestError(format!("a path has at most {MAX_PATH_BYTES} bytes")));
        }
        if text.len() > MAX_FILE_BYTES {
            return Err(RequestError(format!("{path:?} has more than {MAX_FILE_BYTES} bytes")));
        }
    }
    Ok(files)
}

fn bundle_of(part: &Part) -> Option<Vec<u8>> {
    let Content::Raw(bytes) = &part.content else { return None };
    let named = part.filename.ends_with(".bundle") || BUNDLE_TYPES.contains(&part.media_type.as_str());
    named.then(|| bytes.clone())
}

/// Whether a value is nested deeper than `levels`; never deeper than that itself.
fn depth_exceeds(value: &Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else { return true };
    match value {
        Value::Array(items) => items.iter().any(|item| depth_exceeds(item, below)),
        Value::Object(fields) => fields.values().any(|field| depth_exceeds(field, below)),
        _ => false,
    }
}

/// A stranger's word, short enough to be repeated.
pub(crate) fn clipped(text: &str) -> &str {
    const MOST: usize = 80;
    text.char_indices().nth(MOST).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests;
