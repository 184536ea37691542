//! The command line: one file a command.

mod columns;
pub mod render;
