//! What stands in the way of an answer, said alike by all routes.

use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// A status, and why in one field.
pub(super) type Refusal = (StatusCode, Json<Value>);

pub(super) fn refusal(status: StatusCode, why: &str) -> Refusal {
    (status, Json(json!({ "error": why })))
}

/// The request asks for what there is not.
pub(super) fn bad_request(why: &str) -> Refusal {
    refusal(StatusCode::BAD_REQUEST, why)
}

/// The store is not there yet, or fails.
pub(super) fn away() -> Refusal {
    refusal(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer")
}
