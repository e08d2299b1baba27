//! The face: what a browser, a program or an operator sees and commands.
//!
//! Everything shown is a fold of the log: `mirror` folds each run as its records arrive, `views` says what of it is shown,
//! `routes` answers over HTTP, `live` over a WebSocket. Who may ask is decided in `access`. What only the daemon can do
//! (start a run, carry a command out, look into git) it lends through [`Service`]. The engine never waits for anybody here.

mod access;
mod clock;
mod live;
mod mirror;
mod page;
mod problem;
mod records;
mod routes;
mod server;
mod service;
mod views;

pub use access::{Access, Role};
pub use server::{Options, Server, ServerError};
pub use service::{CommandRequest, DiffLine, DiffPart, FileChange, NewRun, Obeyed, Service, ServiceError};
