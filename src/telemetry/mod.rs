//! Logs, and the one list of every metric.

pub mod metrics;
pub mod pulse;
