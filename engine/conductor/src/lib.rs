//! The only loop: asks the core, appends what it decided, carries its orders out, and listens for what comes back.
//!
//! `dispatcher` is the loop and the sole writer of a run's stream; `executor` gives proposers and evaluators a thread
//! each; `recovery` takes a run up from its log; `views` shows candidates to the ports, `suspicion` with where the fault
//! of one that was not looked into may lie; `records` turns events into records and back; `retrace` has the proposals of
//! a finished run made again; `adopt` begins a run with proposals made elsewhere. What an evolution decides is not here
//! but in `evolution`.

mod adopt;
mod dispatcher;
mod error;
mod executor;
mod records;
mod recovery;
mod retrace;
mod suspicion;
mod views;

pub use adopt::{Adopted, Adoption, adopt};
pub use dispatcher::{Conductor, Ending, Handle, Ledger, Ports};
pub use error::ConductorError;
pub use records::{
    ControlRequest, add_news, control_stream, event_of, read_events, record_of, replay_state, run_stream,
};
pub use retrace::{Remade, Retracing, retrace};
