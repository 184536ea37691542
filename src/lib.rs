//! Gleaner turns the chat of a group that plans an event into structured
//! intelligence: tasks, expenses, polls, answers.
//!
//! The modules stand in reading order, and each names only those above it.
//! `pipeline` is the way of one message: open it first.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that meets an error must fail"))]

// Words.
pub mod domain;
pub mod fault;
pub mod delay;
pub mod settings;

// Edges.
pub mod store;
pub mod broker;
pub mod model;
