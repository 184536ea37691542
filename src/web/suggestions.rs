//! What the group may do next: read, and dismissed for good.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::ids::EventId;
use crate::monitor::suggestions::SuggestionListing;

use super::Shown;
use super::refusal::{Refusal, away, bad_request, refusal};

/// What there is to ask for.
pub(super) const PATHS: [&str; 2] =
    ["/api/events/{id}/suggestions", "/api/suggestions/{id}/dismiss"];

/// The longest name of who dismisses, in bytes.
const LONGEST_NAME: usize = 128;
/// Who dismisses when the request does not say.
const NAMELESS: &str = "api";

/// An answer, or what stands in its way.
type Answer = Result<Json<Value>, Refusal>;

/// `GET /api/events/{id}/suggestions`
pub(super) async fn of_event(State(shown): State<Shown>, Path(id): Path<String>) -> Answer {
    let event = EventId::parse(&id).map_err(|_| bad_request("this is no event's ID"))?;
    let store = shown.state.store().ok_or_else(away)?;
    let rows = store.suggestions(Some(&event)).await.map_err(|_| away())?;
    let listed: Vec<SuggestionListing> = rows.into_iter().map(Into::into).collect();
    Ok(Json(json!({ "event_id": event, "suggestions": listed })))
}

/// What a dismissal may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dismissal {
    by: Option<String>,
}

/// `POST /api/suggestions/{id}/dismiss`, with `{"by": NAME}` or no body
pub(super) async fn dismiss(
    State(shown): State<Shown>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let id: Uuid = id.parse().map_err(|_| bad_request("a suggestion's ID is a UUID"))?;
    let by = name_in(&body).ok_or_else(|| {
        let wanted = "the body is empty, or {\"by\": NAME} with 1 to 128 bytes";
        bad_request(wanted)
    })?;
    let store = shown.state.store().ok_or_else(away)?;
    if store.dismiss_suggestion(id, &by).await.map_err(|_| away())? {
        return Ok(Json(json!({ "id": id, "status": "dismissed" })));
    }
    Err(refusal(StatusCode::NOT_FOUND, "no suggestion has this ID"))
}

/// Who dismisses; `None` when the body does not fit.
fn name_in(body: &[u8]) -> Option<String> {
    if body.is_empty() {
        return Some(NAMELESS.to_owned());
    }
    let dismissal: Dismissal = serde_json::from_slice(body).ok()?;
    let by = dismissal.by.unwrap_or_else(|| NAMELESS.to_owned());
    (1..=LONGEST_NAME).contains(&by.trim().len()).then(|| by.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dismissal_says_who_or_nothing() {
        assert_eq!(name_in(b"").as_deref(), Some("api"));
        assert_eq!(name_in(b"{}").as_deref(), Some("api"));
        assert_eq!(name_in(br#"{"by": " Ann "}"#).as_deref(), Some("Ann"));
        let long = format!(r#"{{"by": "{}"}}"#, "x".repeat(129));
        for bad in [r#"{"by": " "}"#, r#"{"who": "Ann"}"#, "Ann", long.as_str()] {
            assert_eq!(name_in(bad.as_bytes()), None, "{bad}");
        }
    }
}
