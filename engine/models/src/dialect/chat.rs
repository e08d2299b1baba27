//! Chat completions.

use super::{Assembly, Call, Finish, Usage, note_likelihoods, number, text};
use crate::capabilities::Structured;
use crate::knob::Knob;
use crate::request::Role;
use serde_json::{Value, json};

/// Tokens that are told beside each token: as many as any endpoint allows.
pub(super) const TOP_LOGPROBS: u32 = 20;
/// The name of a schema, which the dialect wants and nobody reads.
pub(super) const SCHEMA_NAME: &str = "answer";

pub(super) fn body(call: &Call<'_>) -> Value {
    let request = call.request;
    let system = (!request.system.is_empty()).then(|| json!({ "role": "system", "content": request.system }));
    let said = request.messages.iter().map(|message| {
        let role = match message.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        json!({ "role": role, "content": message.text })
    });
    let mut body = json!({
        "model": call.model,
        "messages": system.into_iter().chain(said).collect::<Vec<_>>(),
        "temperature": call.temperature(),
        "seed": request.seed.filter(|_| call.sends(Knob::Seed)),
        "reasoning_effort": call.effort(),
        "stream": true,
        "stream_options": call.sends(Knob::StreamOptions).then(|| json!({ "include_usage": true })),
        "max_tokens": call.sends(Knob::MaxTokens).then_some(call.tokens),
        "max_completion_tokens": call.sends(Knob::MaxCompletionTokens).then_some(call.tokens),
        "logprobs": call.sends(Knob::Logprobs).then_some(true),
        "top_logprobs": call.sends(Knob::Logprobs).then_some(TOP_LOGPROBS),
    });
    let vllm = call.capabilities.structured == Some(Structured::Vllm);
    match (call.grammar(), call.schema()) {
        (Some(grammar), _) if vllm => body["structured_outputs"] = json!({ "grammar": grammar }),
        (Some(grammar), _) => body["grammar"] = json!(grammar),
        (None, Some(schema)) if vllm => body["structured_outputs"] = json!({ "json": schema }),
        (None, Some(schema)) => {
            let schema = json!({ "name": SCHEMA_NAME, "strict": true, "schema": schema });
            body["response_format"] = json!({ "type": "json_schema", "json_schema": schema });
        }
        (None, None) => {}
    }
    body
}

pub(super) fn take(assembly: &mut Assembly, event: &Value) {
    // A server that does not stream sends the same with `message` in place of `delta`.
    for part in ["/choices/0/delta/content", "/choices/0/message/content"] {
        assembly.text.push_str(text(event, part));
    }
    note_likelihoods(assembly, event.pointer("/choices/0/logprobs/content"));
    match text(event, "/choices/0/finish_reason") {
        "" => {}
        "stop" => assembly.finish = Some(Finish::Stop),
        "length" => assembly.finish = Some(Finish::Length),
        _ => assembly.finish = Some(Finish::Other),
    }
    let model = text(event, "/model");
    if !model.is_empty() {
        model.clone_into(&mut assembly.model);
    }
    if event.get("usage").is_some_and(Value::is_object) {
        assembly.usage = Usage {
            input: number(event, "/usage/prompt_tokens"),
            cached: number(event, "/usage/prompt_tokens_details/cached_tokens"),
            cache_write: 0,
            reasoning: number(event, "/usage/completion_tokens_details/reasoning_tokens"),
            output: number(event, "/usage/completion_tokens"),
            reported: true,
        };
    }
}
