//! The circuit breaker of an endpoint and model.
