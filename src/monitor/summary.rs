//! The summary of one event.
