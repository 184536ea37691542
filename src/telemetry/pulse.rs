//! Signs of life of the loops that must not stop.
