//! What this engine promises beyond the trait's contract, and what only real
//! rows show: the suite for both engines stands in `tests/contracts`.

mod concurrency;
mod lines;
mod money;
mod queue;
mod record;
mod schema;
