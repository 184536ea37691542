//! The daemon's own port.
