//! Payloads of the events about parents: places, migrations, restarts.

use crate::id::CandidateId;
use crate::niches::Niche;
use serde::{Deserialize, Serialize};

/// Payload of [`super::Event::NicheChanged`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct NicheChanged {
    /// The candidate.
    pub modification_id: CandidateId,
    /// Where it was placed.
    pub niche: Niche,
    /// Whether it is a parent now.
    pub entered: bool,
    /// Parents that lost their place by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<CandidateId>,
    /// Parents now.
    pub parents: usize,
}

/// Payload of [`super::Event::Migrated`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Migrated {
    /// Who went where, one entry an island that sent somebody.
    pub passages: Vec<Voyage>,
}

/// Migrants from one island to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Voyage {
    /// Where they live.
    pub from: u32,
    /// Where they live too from now on.
    pub to: u32,
    /// Who.
    pub migrants: Vec<CandidateId>,
}

/// Payload of [`super::Event::SearchRestarted`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SearchRestarted {
    /// Which restart, from 1.
    pub restart: u32,
    /// The candidate that the search starts from.
    pub modification_id: CandidateId,
    /// Why.
    pub reason: String,
    /// Decided evaluations without progress that are borne from now on.
    pub patience: u64,
}
