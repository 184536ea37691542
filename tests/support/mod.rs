//! What the test binaries share.
#![allow(dead_code, reason = "each binary uses its own part")]

pub(crate) mod asks;
pub(crate) mod completions;
pub(crate) mod crew;
pub(crate) mod daemon;
pub(crate) mod dead_letters;
pub(crate) mod fake_model;
pub(crate) mod http;
pub(crate) mod injections;
pub(crate) mod proxy;
pub(crate) mod rows;
pub(crate) mod servers;
pub(crate) mod turns;
pub(crate) mod webhook;
pub(crate) mod world;
