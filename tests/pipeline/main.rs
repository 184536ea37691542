//! The pipeline and its edges against real servers.
#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

#[path = "../support/mod.rs"]
mod support;

mod availability;
mod cache;
mod house;
mod injections;
mod models;
mod over_budget;
mod unpriced;
mod webhook;
