//! The way of one message.
