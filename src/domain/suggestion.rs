//! Suggestions: what a group may do next, made by itself and not by a message.
//!
//! A suggestion's ID is made of its event, its action and its thing, so that the
//! same suggestion is one row for ever: who dismissed it never meets it again.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ids::{EventId, derived_uuid};

/// Words that make no other thing of a thing.
const ARTICLES: [&str; 7] = ["a", "an", "the", "our", "your", "my", "some"];

/// What a group may do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// A UUIDv5 of the event, the action and the thing.
    pub id: Uuid,
    /// What it would be done as: "Book a photographer".
    pub title: String,
    /// The thing, as a task names it.
    pub object: String,
    /// What is done to it.
    pub action: String,
    /// Why now.
    pub reason: String,
    /// By when; `None` where the event has no date.
    pub due: Option<Date>,
}

impl Suggestion {
    /// The ID of the suggestion to do that to that thing: the same however it is written.
    pub fn id_of(event: &EventId, action: &str, object: &str) -> Uuid {
        derived_uuid(&["suggestion", event.as_str(), &folded(action), &folded(object)])
    }
}

/// Words in lower case, without articles and what stands between them.
fn folded(text: &str) -> String {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let matter: Vec<&str> = words.clone().filter(|word| !ARTICLES.contains(word)).collect();
    if matter.is_empty() { words.collect::<Vec<_>>().join(" ") } else { matter.join(" ") }
}

/// What became of a suggestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuggestionStatus {
    /// Nobody has said anything of it.
    Open,
    /// Somebody does not want it; it never comes back.
    Dismissed,
}

impl SuggestionStatus {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Open, Self::Dismissed];

    /// The status's name in rows and listings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Dismissed => "dismissed",
        }
    }

    /// The status of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A suggestion as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuggestionRow {
    /// The event it is for.
    pub event: EventId,
    /// What was suggested.
    pub suggestion: Suggestion,
    /// What became of it.
    pub status: SuggestionStatus,
    /// When it was first made, by the database's clock.
    pub created_at: Timestamp,
    /// The model that made it; `None` when code alone did.
    pub model: Option<String>,
    /// When it was dismissed, if it was.
    pub dismissed_at: Option<Timestamp>,
    /// Who dismissed it, as far as that was said.
    pub dismissed_by: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(event: &str, action: &str, object: &str) -> Uuid {
        Suggestion::id_of(&EventId::parse(event).unwrap(), action, object)
    }

    #[test]
    fn a_suggestion_is_the_same_however_it_is_written() {
        let one = id("wedding", "book", "wedding photographer");
        assert_eq!(one, id("wedding", "Book", " the Wedding-Photographer"));
        assert_ne!(one, id("wedding", "book", "photographer"));
        assert_ne!(one, id("wedding", "confirm", "wedding photographer"));
        assert_ne!(one, id("offsite", "book", "wedding photographer"));
    }

    #[test]
    fn a_thing_that_is_called_by_an_article_alone_is_still_one() {
        assert_ne!(id("e", "book", "the"), id("e", "book", "a"));
    }

    #[test]
    fn a_status_is_found_by_its_name() {
        for status in SuggestionStatus::ALL {
            assert_eq!(SuggestionStatus::named(status.name()), Some(status));
        }
    }
}
