//! Talking to language models: three dialects, always streaming, with limits on everything, a purse that is asked before
//! each call, and a record of each exchange that is durable before its answer is handed out.
//!
//! [`Client`] blocks its thread and may be shared by many. Domain-free: nothing here knows candidates or evolution.

mod capabilities;
mod client;
mod dialect;
mod embedding;
mod error;
mod exchange;
pub mod gateway;
mod http;
mod knob;
mod patience;
mod purse;
mod recording;
mod redact;
mod request;
pub mod scripted;
mod sse;

pub use capabilities::{Capabilities, Entry, ListedPrice, Structured, TokenLimit};
pub use client::{Client, ClientOptions, Limits, Price};
pub use dialect::{Dialect, Finish, Usage};
pub use embedding::{Embedded, Embedder, EmbedderOptions, RecordedEmbeddings, Space};
pub use error::ModelError;
pub use exchange::{Exchanges, MAX_RECORDED_BODY, Tally};
pub use purse::{Budget, Poor, Purse};
pub use recording::Recording;
pub use redact::Secret;
pub use request::{Answer, Form, Message, Request, Role};
