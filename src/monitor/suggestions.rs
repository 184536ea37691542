//! Suggestions as scripts read them: one object a row, the same on the command line and the port.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use uuid::Uuid;

use crate::domain::ids::EventId;
use crate::domain::suggestion::{SuggestionRow, SuggestionStatus};

/// A suggestion with all that is kept of it. The field names and their order are a contract with
/// scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuggestionListing {
    /// Its ID, by which it can be dismissed.
    pub id: Uuid,
    /// The event it is for.
    pub event_id: EventId,
    /// What it would be done as.
    pub title: String,
    /// The thing.
    pub object: String,
    /// What is done to it.
    pub action: String,
    /// Why now.
    pub reason: String,
    /// By when.
    pub due: Option<Date>,
    /// Open or dismissed.
    pub status: SuggestionStatus,
    /// The model that made it; `None` when code alone did.
    pub model: Option<String>,
    /// When it was first made.
    pub created_at: Timestamp,
    /// When it was dismissed, if it was.
    pub dismissed_at: Option<Timestamp>,
    /// Who dismissed it, as far as that was said.
    pub dismissed_by: Option<String>,
}

impl From<SuggestionRow> for SuggestionListing {
    fn from(row: SuggestionRow) -> Self {
        let suggestion = row.suggestion;
        Self {
            id: suggestion.id,
            event_id: row.event,
            title: suggestion.title,
            object: suggestion.object,
            action: suggestion.action,
            reason: suggestion.reason,
            due: suggestion.due,
            status: row.status,
            model: row.model,
            created_at: row.created_at,
            dismissed_at: row.dismissed_at,
            dismissed_by: row.dismissed_by,
        }
    }
}
