//! What it costs, what came of it, and who is told when something is wrong.

pub mod summary;
pub mod suggestions;
pub mod ledger;
pub mod budgets;
pub mod costs;
pub mod rollout;
pub mod cache;
pub mod webhook;
pub mod alerts;
pub mod watch;
