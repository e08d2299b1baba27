//! Responses.

use super::chat::{SCHEMA_NAME, TOP_LOGPROBS};
use super::{Assembly, Call, Finish, Usage, note_likelihoods, number, text};
use crate::error::ModelError;
use crate::knob::Knob;
use crate::request::Role;
use serde_json::{Value, json};

/// What is asked for beside the text, to be told likelihoods.
const INCLUDE: [&str; 1] = ["message.output_text.logprobs"];

pub(super) fn body(call: &Call<'_>) -> Value {
    let request = call.request;
    let said = request.messages.iter().map(|message| {
        let role = match message.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        json!({ "role": role, "content": message.text })
    });
    let format = call.schema().map(|schema| {
        json!({ "format": { "type": "json_schema", "name": SCHEMA_NAME, "strict": true, "schema": schema } })
    });
    json!({
        "model": call.model,
        "instructions": (!request.system.is_empty()).then_some(&request.system),
        "input": said.collect::<Vec<_>>(),
        "max_output_tokens": call.tokens,
        "temperature": call.temperature(),
        "reasoning": call.effort().map(|effort| json!({ "effort": effort })),
        "text": format,
        "include": call.sends(Knob::Logprobs).then_some(INCLUDE),
        "top_logprobs": call.sends(Knob::Logprobs).then_some(TOP_LOGPROBS),
        "store": call.sends(Knob::Store).then_some(false),
        "stream": true,
    })
}

pub(super) fn take(assembly: &mut Assembly, event: &Value) -> Result<(), ModelError> {
    match text(event, "/type") {
        "response.output_text.delta" => {
            assembly.text.push_str(text(event, "/delta"));
            note_likelihoods(assembly, event.get("logprobs"));
        }
        "response.failed" => {
            let message = text(event, "/response/error/message");
            return Err(ModelError::Garbled(format!("the endpoint broke off: {message}")));
        }
        "response.completed" | "response.incomplete" => {
            end(assembly, event.get("response").unwrap_or(&Value::Null));
        }
        _ => {}
    }
    Ok(())
}

/// An answer that was not streamed.
pub(super) fn take_whole(assembly: &mut Assembly, answer: &Value) {
    let all =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    for part in all(answer, "output").iter().flat_map(|item| all(item, "content")) {
        assembly.text.push_str(text(&part, "/text"));
        note_likelihoods(assembly, part.get("logprobs"));
    }
    if matches!(text(answer, "/status"), "completed" | "incomplete") {
        end(assembly, answer);
    }
}

/// How an answer ended, and what it took.
fn end(assembly: &mut Assembly, response: &Value) {
    text(response, "/model").clone_into(&mut assembly.model);
    assembly.finish = Some(match (text(response, "/status"), text(response, "/incomplete_details/reason")) {
        (_, "max_output_tokens") => Finish::Length,
        ("incomplete", _) => Finish::Other,
        _ => Finish::Stop,
    });
    if response.get("usage").is_some_and(Value::is_object) {
        assembly.usage = Usage {
            input: number(response, "/usage/input_tokens"),
            cached: number(response, "/usage/input_tokens_details/cached_tokens"),
            cache_write: 0,
            reasoning: number(response, "/usage/output_tokens_details/reasoning_tokens"),
            output: number(response, "/usage/output_tokens"),
            reported: true,
        };
    }
}
