//! The A2A protocol (Agent2Agent, version 1.0.1, with 0.3, 0.2 and 0.1 for older clients): wire types, durable tasks,
//! a server for JSON-RPC, HTTP+JSON and, with the feature `grpc`, gRPC; push delivery and a client.
//!
//! An [`Agent`] does the work; [`tasks::Tasks`] keeps what became of it, in memory and in a [`store::Log`]; [`server`] speaks
//! to the world. The library knows nothing of what its agents do. Not here: a client for gRPC.

mod agent;
pub mod client;
mod dialect;
mod error;
pub mod model;
mod operation;
pub mod outbound;
#[cfg(feature = "grpc")]
pub mod protobuf;
mod push;
pub mod server;
mod service;
pub mod signing;
pub mod tasks;
pub mod validation;

pub use agent::{Agent, Call, Caller, Ended, Job, Pending};
pub use dialect::Dialect;
pub use error::{A2aError, ErrorKind, Violation};
pub use push::{
    ATTEMPT_TIMEOUT, DeadLetter, DeadLetters, MAX_BODY_BYTES, MAX_DEAD_LETTERS, MAX_KEPT_BODY_BYTES,
    MAX_PUMPS, RETRY_PAUSES, RedeliveryError, redeliver,
};
pub use service::{Context, EventStream, Service};
