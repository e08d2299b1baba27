//! An endpoint that answers by a script, on a loopback port, in all three dialects and with the faults that real ones have.
//! For tests: of this crate, and of those that ask models.

mod events;

use events::{Said, at_once, embedding, events};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Events that are sent before a stream breaks off.
const CUT: usize = 1;
/// Largest question that is read, in bytes.
const MAX_BODY: u64 = 8 << 20;

/// A question that came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Its place, from 0.
    pub count: usize,
    /// The path.
    pub path: String,
    /// The headers as they came.
    pub headers: String,
    /// The body.
    pub body: Value,
}

impl Asked {
    /// All texts of the question together, whatever its dialect.
    pub fn text(&self) -> String {
        fn gather(value: &Value, into: &mut String) {
            match value {
                Value::String(text) => {
                    into.push_str(text);
                    into.push('\n');
                }
                Value::Array(values) => values.iter().for_each(|value| gather(value, into)),
                Value::Object(values) => values.values().for_each(|value| gather(value, into)),
                _ => {}
            }
        }
        let mut text = String::new();
        gather(&self.body, &mut text);
        text
    }
}

/// What to do with a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Answer with a text.
    Text(String),
    /// Answer with a text and what its first token might have been, with the natural logarithms of the probabilities.
    Likely(String, Vec<(String, f64)>),
    /// Answer by calling a tool of the asker's.
    Call {
        /// The tool.
        name: String,
        /// Its arguments.
        arguments: Value,
    },
    /// Answer with an embedding.
    Embedding(Vec<f32>),
    /// Answer with a text that reached the limit of tokens.
    Truncated(String),
    /// Answer without saying how many tokens it took.
    WithoutUsage(String),
    /// Break off within the stream.
    Cut(String),
    /// Send what is no event.
    Garbage,
    /// Say nothing until the other side goes.
    Stall,
    /// Refuse.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// Why.
        message: String,
        /// Seconds to wait, as a header.
        retry_after: Option<u64>,
    },
}

type Script = dyn Fn(&Asked) -> Reply + Send + Sync;

/// The endpoint. It ends when it is dropped.
pub struct Endpoint {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Listens on a free loopback port; `script` answers, several questions at once if they come so.
    ///
    /// # Errors
    ///
    /// When no port or thread can be had.
    pub fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (asked, over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (script, heard, ended): (Arc<Script>, _, _) = (Arc::new(script), asked.clone(), over.clone());
        let accept = move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (script, heard) = (script.clone(), heard.clone());
                // Each connection has a thread of its own, which ends with it.
                std::thread::spawn(move || serve(stream, script.as_ref(), &heard));
            }
        };
        let thread = std::thread::Builder::new().name("scripted endpoint".to_owned()).spawn(accept)?;
        Ok(Self { address, asked, over, thread: Some(thread) })
    }

    /// An endpoint that gives these answers in order, then the last one again.
    ///
    /// # Errors
    ///
    /// As [`Endpoint::start`].
    pub fn answering(replies: Vec<Reply>) -> std::io::Result<Self> {
        Self::start(move |asked| {
            let reply = replies.get(asked.count).or_else(|| replies.last());
            reply.cloned().unwrap_or_else(|| Reply::Text(String::new()))
        })
    }

    /// The base address.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What was asked, in the order of coming.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // A connection wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Serves one connection: one question. A client that goes away has answered itself.
fn serve(stream: TcpStream, script: &Script, heard: &Mutex<Vec<Asked>>) {
    let Ok(writer) = stream.try_clone() else { return };
    let mut reader = BufReader::new(stream);
    let Some((method, path, headers, body)) = read(&mut reader) else { return };
    if method == "GET" {
        let _ = plain(writer, 200, "", &json!({ "data": [] }));
        return;
    }
    let asked = {
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        let count = heard.len();
        heard.push(Asked { count, path, headers, body });
        heard.last().cloned()
    };
    let Some(asked) = asked else { return };
    let _ = match script(&asked) {
        Reply::Refuse { status, message, retry_after } => {
            let header =
                retry_after.map_or_else(String::new, |seconds| format!("retry-after: {seconds}\r\n"));
            plain(writer, status, &header, &json!({ "error": { "message": message } }))
        }
        Reply::Stall => reader.read_to_end(&mut Vec::new()).map(|_| ()),
        Reply::Garbage => stream_of(writer, &["this is no event".to_owned(), "{".to_owned()]),
        Reply::Cut(text) => stream_of(writer, &events(&asked, &Said::text(&text))[..CUT]),
        Reply::Text(text) => say(writer, &asked, &Said::text(&text)),
        Reply::Likely(text, likely) => {
            let mut events = events(&asked, &Said::text(&text));
            events.insert(0, likelihoods(&asked, &likely));
            stream_of(writer, &events)
        }
        Reply::Call { name, arguments } => {
            let call = Some((name.as_str(), arguments.to_string()));
            say(writer, &asked, &Said { call, ..Said::text("") })
        }
        Reply::Embedding(vector) => plain(writer, 200, "", &embedding(&asked, &vector)),
        Reply::Truncated(text) => say(writer, &asked, &Said { whole: false, ..Said::text(&text) }),
        Reply::WithoutUsage(text) => say(writer, &asked, &Said { counted: false, ..Said::text(&text) }),
    };
}

/// Answers as a stream, or at once to who did not ask for one.
fn say(stream: TcpStream, asked: &Asked, said: &Said<'_>) -> std::io::Result<()> {
    if asked.body.get("stream").and_then(Value::as_bool) == Some(true) {
        stream_of(stream, &events(asked, said))
    } else {
        plain(stream, 200, "", &at_once(asked, said))
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<(String, String, String, Value)> {
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut headers, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<u64>().ok()?.min(MAX_BODY);
        }
        headers.push_str(&line);
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body).ok()?;
    Some((method, path, headers, serde_json::from_slice(&body).unwrap_or(Value::Null)))
}

fn plain(mut stream: TcpStream, status: u16, header: &str, body: &Value) -> std::io::Result<()> {
    let body = body.to_string();
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{header}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

fn stream_of(mut stream: TcpStream, events: &[String]) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")?;
    for event in events {
        // Some clients go by the name of an event.
        if let Ok(Value::Object(fields)) = serde_json::from_str(event)
            && let Some(kind) = fields.get("type").and_then(Value::as_str)
        {
            writeln!(stream, "event: {kind}")?;
        }
        write!(stream, "data: {event}\n\n")?;
        stream.flush()?;
    }
    Ok(())
}

/// An event without text that tells what the first token might have been, to those who asked.
fn likelihoods(asked: &Asked, likely: &[(String, f64)]) -> String {
    let others: Vec<Value> =
        likely.iter().map(|(token, share)| json!({ "token": token, "logprob": share })).collect();
    let first = likely.first().map(|(token, _)| token.as_str()).unwrap_or_default();
    let tokens = json!([{ "token": first, "logprob": 0.0, "top_logprobs": others }]);
    let wanted = asked.body.get("top_logprobs").is_some();
    let event = if !wanted {
        json!({ "choices": [] })
    } else if asked.path.ends_with("/responses") {
        json!({ "type": "response.output_text.delta", "delta": "", "logprobs": tokens })
    } else {
        json!({ "choices": [{ "delta": { "content": "" }, "logprobs": { "content": tokens } }] })
    };
    event.to_string()
}
