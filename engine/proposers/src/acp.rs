//! The client's side of the Agent Client Protocol, version 1 (agentclientprotocol.com): JSON-RPC 2.0, a message a line,
//! over an agent's standard streams. One session, in the copy that may be edited; the task is its prompt.
//!
//! What the agent may do is decided by the cell that it runs in, so whatever it asks permission for is granted. Files that
//! it asks for are those of its working folder and no others.

mod message;
#[cfg(test)]
mod tests;

use crate::workbench::Outcome;
use evolution::errand::{Act, Dialogue, Ended, Heard};
use message::{Incoming, Stop, Update, Wanted};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The protocol's version.
pub const VERSION: u64 = 1;
/// Most messages of one agent.
pub const MAX_MESSAGES: u32 = 20_000;
/// Most prompts of one session: the task, and as many times "go on" to an agent that stopped at a limit of its own.
pub const MAX_TURNS: u32 = 4;
/// Most files that an agent may wait for at once.
const MAX_WAITING: usize = 64;
/// Bytes kept of what the agent says to its user.
const MAX_SAID: usize = 4_000;
/// What is said to an agent that stopped at a limit of its own.
const GO_ON: &str = "Go on.";
/// Error codes of JSON-RPC 2.0.
const INVALID_PARAMETERS: i64 = -32_602;
const UNKNOWN_METHOD: i64 = -32_601;
const INTERNAL: i64 = -32_603;

/// Where the conversation is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// The greeting is not answered yet.
    Greeting,
    /// The session is not there yet.
    Opening,
    /// The agent works in this session.
    Working(String),
    /// It has finished.
    Over,
    /// It was given up.
    GivenUp,
}

/// A file that the agent waits for: the number of its request, and which lines it wants.
#[derive(Debug, Clone, PartialEq)]
struct Waiting {
    request: Value,
    lines: Option<(usize, usize)>,
}

/// One conversation.
#[derive(Debug)]
pub struct Client {
    work: PathBuf,
    prompt: String,
    stage: Stage,
    /// Number of the request that is under way.
    request: u64,
    turns: u32,
    messages: u32,
    said: String,
    /// By the numbers that files are asked for with.
    waiting: BTreeMap<u64, Waiting>,
    files: u64,
}

impl Client {
    /// A client of an agent that works in the folder `work` and is given this prompt.
    pub fn new(work: &Path, prompt: &str) -> Self {
        Self {
            work: work.to_owned(),
            prompt: prompt.to_owned(),
            stage: Stage::Greeting,
            request: 0,
            turns: 0,
            messages: 0,
            said: String::new(),
            waiting: BTreeMap::new(),
            files: 0,
        }
    }

    /// What the conversation makes of an outcome: an agent that finished its turn has ended well however its program was
    /// ended then, and what it said last is the answer that it did not write.
    pub fn conclude(&self, outcome: &mut Outcome) {
        if self.stage == Stage::Over && matches!(outcome.ended, Ended::Exited(_)) {
            outcome.ended = Ended::Exited(0);
        }
        if outcome.result.is_none() && !self.said.is_empty() {
            outcome.result = Some(json!({ "summary": self.said }).to_string().into_bytes());
        }
    }

    fn ask(&mut self, method: &str, parameters: Value) -> Vec<Act> {
        self.request += 1;
        let message = json!({ "jsonrpc": "2.0", "id": self.request, "method": method, "params": parameters });
        vec![Act::Say(message.to_string())]
    }

    fn prompt(&mut self, session: String, text: &str) -> Vec<Act> {
        self.turns += 1;
        self.said.clear();
        let prompt = json!([{ "type": "text", "text": text }]);
        let parameters = json!({ "sessionId": session, "prompt": prompt });
        self.stage = Stage::Working(session);
        self.ask("session/prompt", parameters)
    }

    fn give_up(&mut self, reason: impl Into<String>) -> Vec<Act> {
        self.stage = Stage::GivenUp;
        vec![Act::End(reason.into())]
    }

    /// An answer to the request under way.
    fn answered(&mut self, result: Result<Value, String>) -> Vec<Act> {
        let result = match result {
            Ok(result) => result,
            Err(reason) => return self.give_up(format!("the agent refused: {reason}")),
        };
        match self.stage.clone() {
            Stage::Greeting => {
                let version = result.get("protocolVersion").and_then(Value::as_u64);
                if version != Some(VERSION) {
                    return self
                        .give_up(format!("the agent does not speak version {VERSION} of the protocol"));
                }
                self.stage = Stage::Opening;
                let parameters = json!({ "cwd": self.work.display().to_string(), "mcpServers": [] });
                self.ask("session/new", parameters)
            }
            Stage::Opening => match result.get("sessionId").and_then(Value::as_str) {
                Some(session) => {
                    let prompt = self.prompt.clone();
                    self.prompt(session.to_owned(), &prompt)
                }
                None => self.give_up("the agent opened no session"),
            },
            Stage::Working(session) => match Stop::read(&result) {
                Stop::AtALimit if self.turns < MAX_TURNS => self.prompt(session, GO_ON),
                _ => {
                    self.stage = Stage::Over;
                    vec![Act::HangUp]
                }
            },
            Stage::Over | Stage::GivenUp => Vec::new(),
        }
    }

    /// A request of the agent's.
    fn asked(&mut self, request: Value, wanted: Wanted) -> Vec<Act> {
        match wanted {
            Wanted::Permission(options) => vec![reply(&request, message::permission(&options))],
            Wanted::Read { path, lines } => self.file(request, &path, lines, Act::Read),
            Wanted::Write { path, content } => {
                self.file(request, &path, None, |id, path| Act::Write(id, path, content.into_bytes()))
            }
            Wanted::Garbled(reason) => vec![refuse(&request, INVALID_PARAMETERS, &reason)],
            Wanted::Unknown(method) => {
                vec![refuse(&request, UNKNOWN_METHOD, &format!("there is no {method} here"))]
            }
        }
    }

    fn file(
        &mut self,
        request: Value,
        path: &str,
        lines: Option<(usize, usize)>,
        act: impl FnOnce(u64, String) -> Act,
    ) -> Vec<Act> {
        if self.waiting.len() >= MAX_WAITING {
            return vec![refuse(&request, INTERNAL, "too many files at once")];
        }
        let Some(path) = self.below(path) else {
            let reason = format!("{path} is no path of a file in the working folder");
            return vec![refuse(&request, INVALID_PARAMETERS, &reason)];
        };
        self.files += 1;
        self.waiting.insert(self.files, Waiting { request, lines });
        vec![act(self.files, path)]
    }

    /// An absolute path as one below the working folder, if it is there by its words alone.
    fn below(&self, path: &str) -> Option<String> {
        let rest = Path::new(path).strip_prefix(&self.work).ok()?;
        let plain = rest.components().all(|part| matches!(part, Component::Normal(_)));
        let rest = rest.to_str().filter(|rest| plain && !rest.is_empty() && !rest.contains('\0'))?;
        (!path.ends_with('/')).then(|| rest.to_owned())
    }

    fn line(&mut self, line: &str) -> Vec<Act> {
        if matches!(self.stage, Stage::Over | Stage::GivenUp) {
            return Vec::new();
        }
        self.messages += 1;
        if self.messages > MAX_MESSAGES {
            return self.give_up(format!("the agent said more than {MAX_MESSAGES} lines"));
        }
        match Incoming::read(line) {
            Incoming::Answer { to, result } if to == self.request => self.answered(result),
            Incoming::Request { id, wanted } => self.asked(id, wanted),
            Incoming::Update(Update::Message(text)) => {
                self.said.push_str(&text);
                let beyond = self.said.len().saturating_sub(MAX_SAID);
                let from = (beyond..self.said.len()).find(|at| self.said.is_char_boundary(*at));
                self.said.drain(..from.unwrap_or_default());
                Vec::new()
            }
            // Some agents write their log where only messages belong.
            Incoming::Answer { .. } | Incoming::Update(Update::Other) | Incoming::Noise => Vec::new(),
        }
    }

    fn fetched(&mut self, id: u64, content: Result<Vec<u8>, String>) -> Vec<Act> {
        let Some(waiting) = self.waiting.remove(&id) else { return Vec::new() };
        let text = content
            .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is no text in UTF-8".to_owned()));
        vec![match text {
            Ok(text) => {
                let content = waiting.lines.map_or(text.clone(), |lines| message::cut(&text, lines));
                reply(&waiting.request, json!({ "content": content }))
            }
            Err(reason) => refuse(&waiting.request, INTERNAL, &reason),
        }]
    }
}

impl Dialogue for Client {
    fn begin(&mut self) -> Vec<Act> {
        let parameters = json!({
            "protocolVersion": VERSION,
            "clientCapabilities": { "fs": { "readTextFile": true, "writeTextFile": true }, "terminal": false },
            "clientInfo": { "name": "darwind", "title": "darwind", "version": env!("CARGO_PKG_VERSION") },
        });
        self.ask("initialize", parameters)
    }

    fn hear(&mut self, heard: Heard) -> Vec<Act> {
        match heard {
            Heard::Line(line) => self.line(&line),
            Heard::Read(id, content) => self.fetched(id, content),
            Heard::Written(id, done) => {
                let Some(waiting) = self.waiting.remove(&id) else { return Vec::new() };
                vec![match done {
                    Ok(()) => reply(&waiting.request, json!({})),
                    Err(reason) => refuse(&waiting.request, INTERNAL, &reason),
                }]
            }
        }
    }
}

fn reply(request: &Value, result: Value) -> Act {
    Act::Say(json!({ "jsonrpc": "2.0", "id": request, "result": result }).to_string())
}

fn refuse(request: &Value, code: i64, reason: &str) -> Act {
    let error = json!({ "code": code, "message": reason });
    Act::Say(json!({ "jsonrpc": "2.0", "id": request, "error": error }).to_string())
}
