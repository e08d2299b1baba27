//! The face: what a browser, a program or an operator sees and commands.
//!
//! Everything shown is a fold of the log: `mirror` folds each run as its records arrive, `views` says what of it is shown,
//! `routes` answers over HTTP, `live` over a WebSocket. Who may ask is decided in `access`. What only the daemon can do
//! (start a run, carry a command out, look into git) it lends through [`Service`]. The engine never waits for anybody here.

mod access;
mod bare;
mod chronicle;
mod clock;
mod extract;
mod live;
mod meter;
mod mirror;
mod openapi;
mod pace;
mod page;
mod problem;
#[cfg(test)]
mod recorded;
mod records;
mod routes;
mod server;
mod service;
mod snapshot;
mod tail;
mod views;
mod wire;

pub use access::{Access, Role};
pub use bare::Bare;
pub use server::{Annex, MakeRoutes, Options, Server, ServerError};
pub use service::{CommandRequest, NewRun, Obeyed, Service, ServiceError};
pub use wire::difference::{DiffLine, DiffPart, FileChange};
pub use wire::peers::{
    Collective, Fit, Flow, Group, Letter, Member, Peer, PeerBreaker, PeerCapabilities, Redelivered, Source,
    Transfer,
};
