//! What every engine behind a trait must do: one suite for all stores, one for all brokers.
#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

#[path = "../support/mod.rs"]
mod support;

mod broker;
mod store;
