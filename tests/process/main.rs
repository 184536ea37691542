//! The real binary, as a user or a service manager runs it.
#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

#[path = "../support/mod.rs"]
mod support;

mod alerts;
mod answers;
mod availability;
mod bad_input;
mod budget;
mod crash;
mod daemon;
mod demo;
mod detection;
mod embedded;
mod endings;
mod flights;
mod ingest;
mod injections;
mod ledger;
mod operators;
mod outcomes;
mod rates;
mod refusals;
mod settings;
mod suggestions;
