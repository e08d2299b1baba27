//! Ways to suggest a change to a candidate. Each is an [`evolution::ports::Proposer`]; none knows who asks or what
//! becomes of its proposal beyond what it is told.

pub mod acp;
pub mod ast;
pub mod command;
pub mod edit;
pub mod llm;
pub mod peer_knowledge;
pub mod workbench;
