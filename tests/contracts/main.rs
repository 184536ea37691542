//! What every engine behind a trait must do: one suite for all stores, one for all brokers.

mod broker;
