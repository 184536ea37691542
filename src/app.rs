//! The process: prepare, start, run, drain.
