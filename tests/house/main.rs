//! The rules of the house, held by a machine: where things stand, what may name
//! what, and how large a piece may be. A complaint says where, the rule, and why.
#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

mod code;
mod order;
mod homes;
mod size;
mod words;
mod dependencies;
mod readme;
mod migrations;

/// Fails with all complaints at once.
fn nobody_complains(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
