//! Snapshots against the real world: real files, real processes, and the real git for a second opinion.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected ends there")]

mod bundles;
mod candidates;
mod crash;
mod home;
mod hostile;
mod properties;
mod support;
