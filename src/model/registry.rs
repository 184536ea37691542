//! Which model each agent asks.
