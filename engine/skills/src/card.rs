//! The agent card: the skills with an example of each, and the extension under which their messages go.

use a2a::model::{AgentCapabilities, AgentCard, AgentExtension, AgentProvider, AgentSkill};
use a2a::server::{Access, SPEAKS_GRPC, grpc_interface, interfaces};
use serde_json::json;

/// Names the messages of these skills: data parts with a `type`.
pub const EXTENSION: &str = "urn:darwind:a2a:evolution:v1";
/// Media types that messages may have.
const INPUT_MODES: [&str; 6] = [
    "application/json",
    "text/plain",
    "text/x-python",
    "application/octet-stream",
    "application/x-git-bundle",
    "application/vnd.git.bundle",
];
/// Media types of answers.
const OUTPUT_MODES: [&str; 4] = ["application/json", "text/plain", "text/x-python", "text/x-diff"];

/// The card of the agent that answers at `base` (scheme, host and port), and at the other addresses as well.
pub fn card(base: &str, others: &[&str], access: &Access) -> AgentCard {
    let modes = |modes: &[&str]| modes.iter().map(|mode| (*mode).to_owned()).collect::<Vec<_>>();
    let types = json!({ "types": crate::request::TYPES, "maxFiles": crate::MAX_FILES, "maxFileBytes": crate::MAX_FILE_BYTES });
    let extension = AgentExtension {
        uri: EXTENSION.to_owned(),
        description: "Messages are data parts with a \"type\"; answers are artifacts with data parts."
            .to_owned(),
        required: false,
        params: types.as_object().cloned().unwrap_or_default(),
    };
    let mut card = AgentCard {
        name: "darwind".to_owned(),
        description: "Evolves Python programs: proposes changes, runs each in a sandbox, keeps what is measurably better."
            .to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        supported_interfaces: [base].iter().chain(others).flat_map(|base| interfaces(base, true)).collect(),
        provider: Some(AgentProvider { organization: "darwind".to_owned(), url: base.to_owned() }),
        documentation_url: Some(format!("{base}/.well-known/agent-card.json")),
        capabilities: AgentCapabilities {
            streaming: Some(true),
            push_notifications: Some(true),
            extended_agent_card: Some(false),
            extensions: vec![extension],
        },
        default_input_modes: modes(&INPUT_MODES),
        default_output_modes: modes(&OUTPUT_MODES),
        skills: skills(),
        ..AgentCard::default()
    };
    if SPEAKS_GRPC {
        // After the other bindings of 1.0, of which the first is the preferred one.
        let reached = [base].into_iter().chain(others.iter().copied()).filter_map(grpc_interface);
        card.supported_interfaces.splice(2..2, reached);
    }
    access.declare(&mut card);
    card
}

pub(crate) fn skills() -> Vec<AgentSkill> {
    let skill =
        |id: &str, name: &str, description: &str, tags: &[&str], example: serde_json::Value| AgentSkill {
            id: id.to_owned(),
            name: name.to_owned(),
            description: description.to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            examples: vec![example.to_string()],
            ..AgentSkill::default()
        };
    let evolve = skill(
        "evolve",
        "Evolve a program",
        "Takes a Python program with its darwind.toml (as files or a git bundle) and evolves it until the budget is spent. \
         Streams progress; answers with the winner's files and patch, the front, and the run summed up. Canceling the \
         task stops the run.",
        &["evolution", "optimization", "python"],
        json!({
            "type": "evolve",
            "files": { "program.py": "…", "cases.json": "…", "darwind.toml": "…" },
            "seed": 7,
            "budget": { "evaluations": 100, "time": "90s" }
        }),
    );
    let validate = skill(
        "validate_candidate",
        "Validate a candidate",
        "Runs a candidate in this agent's sandbox against the evaluator of a program that it has, or that travels along as \
         target.files, and answers with what was measured.",
        &["validation", "sandbox", "python"],
        json!({
            "type": "validation_request",
            "candidate": { "id": "c-1", "agent_id": "wordcount", "code_changes": { "program.py": "…" } },
            "validation_type": "performance", "requester": "me", "request_id": "1"
        }),
    );
    let transfer = skill(
        "transfer_knowledge",
        "Transfer knowledge",
        "Takes a knowledge package. One that fits a program here is queued as a proposal and validated before anything.",
        &["knowledge"],
        json!({ "type": "knowledge_transfer", "package": { "source_agent": "…" }, "transfer_id": "1" }),
    );
    let feedback = skill(
        "improvement_feedback",
        "Give feedback on an improvement",
        "Says what it thinks of an improvement (a knowledge package, or a candidate, which is measured): approve, review or \
         reject, with its reason.",
        &["feedback", "consensus"],
        json!({ "type": "improvement_feedback_request", "improvement": { "source_agent": "…" }, "requester": "me" }),
    );
    let group = skill(
        "evolution_group",
        "Join an evolution group",
        "Lets agents that evolve together join (evolution_group_join) and leave (evolution_group_leave), and tells them of \
         each other's capabilities.",
        &["group"],
        json!({
            "type": "evolution_group_join", "group_id": "g", "agent_id": "me",
            "capabilities": { "validation_types": ["performance"], "improvement_experience": ["speed"] }
        }),
    );
    vec![evolve, validate, transfer, feedback, group]
}
