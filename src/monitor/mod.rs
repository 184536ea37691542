//! What it costs and what came of it.

pub mod summary;
