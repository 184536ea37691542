//! What this engine promises beyond the trait's contract, and what only real
//! rows show: the suite for both engines stands in `tests/contracts`.

mod alerts;
mod concurrency;
mod figures;
mod lines;
mod money;
mod queue;
mod record;
mod retention;
mod schema;
