//! What a peer may ask over A2A: `evolve`, `validate_candidate`, `transfer_knowledge`, `improvement_feedback` and
//! `evolution_group`. Each turns one task of the protocol into questions to the engine, and the answers back.
//!
//! `request` reads what came, within limits; `agent` hands it to the skill; `card` says what there is. What only the daemon
//! can do it lends through [`Workshop`]. Nothing that a peer sent is run here: that is for the sandbox behind the workshop.

mod agent;
mod card;
mod courier;
mod evolve;
mod exchange;
pub mod letters;
pub mod peer;
mod request;
mod signature;
mod workshop;

pub use agent::SkilledAgent;
pub use card::{EXTENSION, card};
pub use courier::{Courier, MAX_ANSWER_BYTES, MAX_CARD_AGE};
pub use request::{
    Capabilities, EvolveRequest, FeedbackRequest, GroupRequest, ImprovementSent, MAX_FILE_BYTES, MAX_FILES,
    MAX_PATH_BYTES, Program, RequestError, TransferRequest, ValidationRequest,
};
pub use signature::{PackageSent, Signer, sign};
pub use workshop::{Heard, Measured, Member, Order, Outcome, Received, Winner, Workshop, WorkshopError};
