//! What the test binaries share.

pub(crate) mod fake_model;
