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
pub mod telemetry;

// Edges.
pub mod store;
pub mod broker;
pub mod model;

// Stages.
pub mod detect;
pub mod ingest;
pub mod evaluation;
pub mod rollout;
pub mod cache;
pub mod limits;
pub mod context;
pub mod agents;

// The whole.
pub mod pipeline;
pub mod worker;
pub mod scheduler;

// The process.
pub mod monitor;
pub mod web;
pub mod app;
pub mod cli;
