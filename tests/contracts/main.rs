//! The promises of the edges, held against every engine behind them.
#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

mod store;
