//! The words of the house: plain types without I/O.
//!
//! Everything above this module speaks in these types, and what a store
//! returns is one of them. A value of one of these types is proof that it was
//! parsed at the edge; nothing below checks it again.

pub mod ids;
pub mod money;
pub mod usage;
pub mod latency;
pub mod chat;
pub mod intent;
pub mod enrichment;
pub mod projection;
pub mod outcome;
pub mod suggestion;
