//! The log's records as they travel.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct LogRecord {
    /// Its place in the run's log, from 1, without gaps.
    pub(crate) seq: u64,
    /// The run.
    pub(crate) run_id: String,
    /// What happened, by its name in the log.
    pub(crate) event_type: String,
    /// When, as RFC 3339 in UTC.
    pub(crate) timestamp: String,
    /// The candidate that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) modification_id: Option<String>,
    /// What the event says; its form depends on its name.
    #[cfg_attr(test, ts(type = "unknown"))]
    #[schema(value_type = Object)]
    pub(crate) data: serde_json::Value,
    /// Whether parts were left out that come with the candidate itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    #[schema(required = false)]
    pub(crate) trimmed: bool,
}

/// A page of the log.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Events {
    /// The events in order.
    pub(crate) events: Vec<LogRecord>,
    /// What to ask `after` for the next page; null when this is the newest.
    pub(crate) next: Option<u64>,
}

/// Which events are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct After {
    /// Only events after this one; from the beginning when absent.
    #[serde(default)]
    #[param(required = false)]
    pub(crate) after: u64,
    /// How many at most, 1 to 1000; 200 when absent.
    pub(crate) limit: Option<usize>,
}
