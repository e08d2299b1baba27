//! The events of an answer in the three dialects, as full as the clients of real agents want them.

use super::Asked;
use serde_json::{Value, json};

/// Letters in one event of a stream.
const PIECE: usize = 16;
/// Name of the one tool call of an answer.
const CALL: &str = "call_1";

/// An answer.
pub(super) struct Said<'s> {
    pub(super) text: &'s str,
    /// A tool and its arguments as JSON, in place of the text.
    pub(super) call: Option<(&'s str, String)>,
    /// Whether it is all that was to be said, rather than as much as was allowed.
    pub(super) whole: bool,
    /// Whether it says how many tokens it took.
    pub(super) counted: bool,
}

impl<'s> Said<'s> {
    pub(super) fn text(text: &'s str) -> Self {
        Self { text, call: None, whole: true, counted: true }
    }

    fn pieces(&self) -> Vec<String> {
        let letters: Vec<char> = self.text.chars().collect();
        letters.chunks(PIECE).map(|piece| piece.iter().collect()).collect()
    }
}

/// The events of an answer in the dialect that was spoken. Tokens are counted as words.
pub(super) fn events(asked: &Asked, said: &Said<'_>) -> Vec<String> {
    let tokens = (asked.text().split_whitespace().count(), said.text.split_whitespace().count());
    let model = asked.body.get("model").cloned().unwrap_or(Value::Null);
    let messages = asked.path.ends_with("/messages");
    let events = if messages {
        in_messages(said, &model, tokens)
    } else if asked.path.ends_with("/responses") {
        in_responses(said, &model, tokens)
    } else {
        in_chat(said, &model, tokens)
    };
    let done = (!messages).then(|| "[DONE]".to_owned());
    events.iter().map(Value::to_string).chain(done).collect()
}

/// The answer to who did not ask for a stream.
pub(super) fn at_once(asked: &Asked, said: &Said<'_>) -> Value {
    let (input, output) = (asked.text().split_whitespace().count(), said.text.split_whitespace().count());
    let model = asked.body.get("model").cloned().unwrap_or(Value::Null);
    let arguments = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    if asked.path.ends_with("/messages") {
        let block = match &said.call {
            Some((name, text)) => {
                json!({ "type": "tool_use", "id": CALL, "name": name, "input": arguments(text) })
            }
            None => json!({ "type": "text", "text": said.text }),
        };
        let usage = json!({ "input_tokens": input, "output_tokens": output });
        json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [block],
            "stop_reason": reason(said, ["tool_use", "end_turn", "max_tokens"]), "stop_sequence": null, "usage": usage })
    } else if asked.path.ends_with("/responses") {
        let last = in_responses(said, &model, (input, output)).pop();
        last.and_then(|event| event.get("response").cloned()).unwrap_or(Value::Null)
    } else {
        let calls = said.call.as_ref().map(|(name, text)| {
            json!([{ "id": CALL, "type": "function", "function": { "name": name, "arguments": text } }])
        });
        let message = json!({ "role": "assistant", "content": said.text, "tool_calls": calls });
        let usage =
            json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output });
        let choice = json!({ "index": 0, "message": message,
            "finish_reason": reason(said, ["tool_calls", "stop", "length"]) });
        json!({ "id": "chat_1", "object": "chat.completion", "created": 0, "model": model, "choices": [choice],
            "usage": usage })
    }
}

/// The answer to a question for an embedding.
pub(super) fn embedding(asked: &Asked, vector: &[f32]) -> Value {
    let tokens = asked.text().split_whitespace().count();
    json!({ "object": "list", "model": asked.body.get("model"),
        "data": [{ "object": "embedding", "index": 0, "embedding": vector }],
        "usage": { "prompt_tokens": tokens, "total_tokens": tokens } })
}

/// Why an answer ends, in a dialect's words for a tool, the end, and the limit.
fn reason<'w>(said: &Said<'_>, [tool, end, limit]: [&'w str; 3]) -> &'w str {
    match (&said.call, said.whole) {
        (Some(_), _) => tool,
        (None, true) => end,
        (None, false) => limit,
    }
}

fn in_messages(said: &Said<'_>, model: &Value, (input, output): (usize, usize)) -> Vec<Value> {
    let usage = json!({ "input_tokens": input, "output_tokens": 1, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0 });
    let message = json!({ "id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": model,
        "stop_reason": null, "stop_sequence": null, "usage": usage });
    let mut events = vec![json!({ "type": "message_start", "message": message })];
    let (block, deltas): (Value, Vec<Value>) = match &said.call {
        Some((name, arguments)) => (
            json!({ "type": "tool_use", "id": CALL, "name": name, "input": {} }),
            vec![json!({ "type": "input_json_delta", "partial_json": arguments })],
        ),
        None => (
            json!({ "type": "text", "text": "" }),
            said.pieces().iter().map(|piece| json!({ "type": "text_delta", "text": piece })).collect(),
        ),
    };
    events.push(json!({ "type": "content_block_start", "index": 0, "content_block": block }));
    events.extend(
        deltas.into_iter().map(|delta| json!({ "type": "content_block_delta", "index": 0, "delta": delta })),
    );
    events.push(json!({ "type": "content_block_stop", "index": 0 }));
    let reason = reason(said, ["tool_use", "end_turn", "max_tokens"]);
    let tokens = said.counted.then(|| json!({ "output_tokens": output }));
    let delta = json!({ "stop_reason": reason, "stop_sequence": null });
    events.push(json!({ "type": "message_delta", "delta": delta, "usage": tokens }));
    events.push(json!({ "type": "message_stop" }));
    events
}

fn in_responses(said: &Said<'_>, model: &Value, (input, output): (usize, usize)) -> Vec<Value> {
    let mut response = json!({ "id": "resp_1", "object": "response", "model": model, "status": "in_progress", "output": [] });
    let mut events = vec![json!({ "type": "response.created", "response": response })];
    let item = match &said.call {
        Some((name, arguments)) => {
            json!({ "type": "function_call", "id": "item_1", "call_id": CALL, "name": name,
            "arguments": arguments, "status": "completed" })
        }
        None => {
            let part = json!({ "type": "output_text", "text": "", "annotations": [] });
            let empty = json!({ "type": "message", "id": "item_1", "role": "assistant", "content": [], "status": "in_progress" });
            events.push(json!({ "type": "response.output_item.added", "output_index": 0, "item": empty }));
            events
                .push(json!({ "type": "response.content_part.added", "item_id": "item_1", "output_index": 0,
                "content_index": 0, "part": part }));
            events.extend(said.pieces().iter().map(|piece| {
                json!({ "type": "response.output_text.delta", "item_id": "item_1", "output_index": 0,
                    "content_index": 0, "delta": piece })
            }));
            let part = json!({ "type": "output_text", "text": said.text, "annotations": [] });
            json!({ "type": "message", "id": "item_1", "role": "assistant", "content": [part], "status": "completed" })
        }
    };
    events.push(json!({ "type": "response.output_item.done", "output_index": 0, "item": item }));
    let kind = if said.whole { "completed" } else { "incomplete" };
    let details = json!({ "cached_tokens": 0 });
    let usage = json!({ "input_tokens": input, "input_tokens_details": details, "output_tokens": output,
        "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": input + output });
    let ended = json!({ "status": kind, "output": [item], "usage": said.counted.then_some(usage),
        "incomplete_details": (!said.whole).then(|| json!({ "reason": "max_output_tokens" })) });
    if let (Some(response), Some(ended)) = (response.as_object_mut(), ended.as_object()) {
        response.extend(ended.clone());
    }
    events.push(json!({ "type": format!("response.{kind}"), "response": response }));
    events
}

fn in_chat(said: &Said<'_>, model: &Value, (input, output): (usize, usize)) -> Vec<Value> {
    let chunk = |choices: Value, usage: Option<Value>| {
        json!({ "id": "chat_1", "object": "chat.completion.chunk", "created": 0, "model": model,
            "choices": choices, "usage": usage })
    };
    let choice = |delta: Value, finish: Option<&str>| {
        chunk(json!([{ "index": 0, "delta": delta, "finish_reason": finish }]), None)
    };
    let mut events = vec![choice(json!({ "role": "assistant", "content": null }), None)];
    match &said.call {
        Some((name, arguments)) => {
            let call = json!({ "index": 0, "id": CALL, "type": "function", "function": { "name": name, "arguments": arguments } });
            events.push(choice(json!({ "tool_calls": [call] }), None));
        }
        None => events.extend(said.pieces().iter().map(|piece| choice(json!({ "content": piece }), None))),
    }
    events.push(choice(json!({}), Some(reason(said, ["tool_calls", "stop", "length"]))));
    if said.counted {
        let usage =
            json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output });
        events.push(chunk(json!([]), Some(usage)));
    }
    events
}
