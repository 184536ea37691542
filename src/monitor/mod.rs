//! What it costs and what came of it.

pub mod summary;
pub mod suggestions;
pub mod ledger;
pub mod budgets;
pub mod costs;
pub mod rollout;
pub mod cache;
