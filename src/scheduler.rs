//! Hints, run-out leases, owed events.
