//! The queue in process.
