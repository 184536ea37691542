//! The completion event: CloudEvents 1.0 JSON.
