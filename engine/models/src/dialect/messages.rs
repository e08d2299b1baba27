//! Anthropic's messages. What stands before the conversation is marked to be cached: it is the same for every question.

use super::{Assembly, Call, Finish, number, text};
use crate::knob::Knob;
use crate::request::Role;
use serde_json::{Value, json};

pub(super) fn body(call: &Call<'_>) -> Value {
    let request = call.request;
    let said = request.messages.iter().map(|message| {
        let role = match message.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        json!({ "role": role, "content": message.text })
    });
    let mut system = json!({ "type": "text", "text": request.system });
    if call.sends(Knob::CacheControl) {
        system["cache_control"] = json!({ "type": "ephemeral" });
    }
    let mut config = json!({});
    if let Some(schema) = call.schema() {
        config["format"] = json!({ "type": "json_schema", "schema": schema });
    }
    if let Some(effort) = call.effort() {
        config["effort"] = json!(effort);
    }
    json!({
        "model": call.model,
        "system": (!request.system.is_empty()).then_some([system]),
        "messages": said.collect::<Vec<_>>(),
        "max_tokens": call.tokens,
        "temperature": call.temperature(),
        "output_config": config.as_object().is_some_and(|config| !config.is_empty()).then_some(config),
        "stream": true,
    })
}

pub(super) fn take(assembly: &mut Assembly, event: &Value) {
    match text(event, "/type") {
        "message_start" => head(assembly, event.get("message").unwrap_or(&Value::Null)),
        "content_block_delta" => assembly.text.push_str(text(event, "/delta/text")),
        "message_delta" => {
            assembly.finish = Some(finish(text(event, "/delta/stop_reason")));
            if event.pointer("/usage/output_tokens").is_some() {
                assembly.usage.output = number(event, "/usage/output_tokens");
                assembly.usage.reported = true;
            }
        }
        _ => {}
    }
}

/// An answer that was not streamed.
pub(super) fn take_whole(assembly: &mut Assembly, answer: &Value) {
    head(assembly, answer);
    for block in answer.get("content").and_then(Value::as_array).into_iter().flatten() {
        assembly.text.push_str(text(block, "/text"));
    }
    if let reason @ ("end_turn" | "stop_sequence" | "max_tokens" | "tool_use") = text(answer, "/stop_reason")
    {
        assembly.finish = Some(finish(reason));
    }
    assembly.usage.output = number(answer, "/usage/output_tokens");
    assembly.usage.reported = answer.get("usage").is_some_and(Value::is_object);
}

/// The model, and the tokens that were read.
fn head(assembly: &mut Assembly, message: &Value) {
    text(message, "/model").clone_into(&mut assembly.model);
    let of = |name: &str| number(message, &format!("/usage/{name}"));
    let usage = &mut assembly.usage;
    usage.cached = of("cache_read_input_tokens");
    usage.cache_write = of("cache_creation_input_tokens");
    // Here the tokens of the cache are not among those read.
    usage.input = of("input_tokens").saturating_add(usage.cached).saturating_add(usage.cache_write);
}

fn finish(reason: &str) -> Finish {
    match reason {
        "end_turn" | "stop_sequence" => Finish::Stop,
        "max_tokens" => Finish::Length,
        _ => Finish::Other,
    }
}
