//! The sections that the seeds' configuration has by its own names and that other rooms use: monitoring, knowledge,
//! validation, objectives. Read and checked with their defaults whether or not the feature is in this binary.

use super::reader::{Bounds, Section};
use serde::{Deserialize, Serialize};

/// `[real_time_monitoring]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct MonitoringSection {
    /// Whether the WebSocket is served.
    pub(crate) websocket_enabled: bool,
    /// Events buffered for a slow client.
    pub(crate) event_buffer_size: u64,
    /// Seconds between two messages of metrics.
    pub(crate) metrics_interval_seconds: u64,
}

/// `[knowledge_transfer]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KnowledgeSection {
    /// Whether improvements are offered to peers.
    pub(crate) auto_share_successful: bool,
    /// Least compatibility of a package that is queued for validation, 0 to 1.
    pub(crate) compatibility_threshold: f64,
    /// Tries of one transfer.
    pub(crate) max_transfer_attempts: u64,
    /// Whether only packages are queued that a known peer has signed.
    #[serde(default)]
    pub(crate) signed_only: bool,
}

/// `[collaborative_validation]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ValidationSection {
    /// Whether peers are asked.
    pub(crate) network_enabled: bool,
    /// Most peers asked.
    pub(crate) max_validators: u64,
    /// Share of valid votes that approves, 0 to 1.
    pub(crate) consensus_threshold: f64,
}

/// The three sections that set something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CollectiveSections {
    /// `[real_time_monitoring]`.
    pub(crate) real_time_monitoring: MonitoringSection,
    /// `[knowledge_transfer]`.
    pub(crate) knowledge_transfer: KnowledgeSection,
    /// `[collaborative_validation]`.
    pub(crate) collaborative_validation: ValidationSection,
}

impl Default for CollectiveSections {
    fn default() -> Self {
        Self {
            real_time_monitoring: MonitoringSection {
                websocket_enabled: true,
                event_buffer_size: 1000,
                metrics_interval_seconds: 1,
            },
            knowledge_transfer: KnowledgeSection {
                auto_share_successful: true,
                compatibility_threshold: 0.7,
                max_transfer_attempts: 3,
                signed_only: false,
            },
            collaborative_validation: ValidationSection {
                network_enabled: true,
                max_validators: 5,
                consensus_threshold: 0.7,
            },
        }
    }
}

/// Reads the four sections.
pub(super) fn collective(top: &mut Section<'_>) -> CollectiveSections {
    let mut read = CollectiveSections::default();
    if let Some(mut section) = top.table("real_time_monitoring") {
        let into = &mut read.real_time_monitoring;
        into.websocket_enabled = section.flag("websocket_enabled", into.websocket_enabled);
        into.event_buffer_size =
            section.whole("event_buffer_size", 1..=1_000_000).unwrap_or(into.event_buffer_size);
        into.metrics_interval_seconds =
            section.whole("metrics_interval_seconds", 1..=3600).unwrap_or(into.metrics_interval_seconds);
        section.finish();
    }
    if let Some(mut section) = top.table("knowledge_transfer") {
        let into = &mut read.knowledge_transfer;
        into.auto_share_successful = section.flag("auto_share_successful", into.auto_share_successful);
        into.compatibility_threshold =
            section.real("compatibility_threshold", Bounds::SHARE).unwrap_or(into.compatibility_threshold);
        into.max_transfer_attempts =
            section.whole("max_transfer_attempts", 1..=100).unwrap_or(into.max_transfer_attempts);
        into.signed_only = section.flag("signed_only", into.signed_only);
        section.finish();
    }
    if let Some(mut section) = top.table("collaborative_validation") {
        let into = &mut read.collaborative_validation;
        into.network_enabled = section.flag("network_enabled", into.network_enabled);
        into.max_validators = section.whole("max_validators", 1..=1000).unwrap_or(into.max_validators);
        into.consensus_threshold =
            section.real("consensus_threshold", Bounds::SHARE).unwrap_or(into.consensus_threshold);
        section.finish();
    }
    if let Some(mut section) = top.table("multi_objective_evolution") {
        // Ranks come from dominance and from nothing else; saying otherwise would change nothing, so it is refused.
        if !section.flag("pareto_optimization", true) {
            section.problems().add(
                section.key_span("pareto_optimization"),
                "candidates are always ranked by Pareto dominance",
                "leave it true; for a single measure give a single [[objective]]",
            );
        }
        section.finish();
    }
    read
}
