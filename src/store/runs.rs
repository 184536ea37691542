//! What suggestion runs put into a store and get out of it.
//!
//! A run is a queue item of its own, for an event and no message. A record that
//! changes an event's rows makes the event's next run, or puts it off while the
//! group goes on; there is at most one run per event and `every`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::{CompletionEvent, Record};
use crate::domain::ids::{EventId, ItemId, derived_uuid};
use crate::domain::outcome::{Outcome, Reason};
use crate::domain::suggestion::Suggestion;
use crate::settings::SuggestionSettings;

/// What a queue item is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// A message; the item has its ID.
    Message,
    /// A suggestion run for an event.
    Suggestion,
}

/// When an event that changed has its next suggestion run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuggestAfter {
    /// The least time between two runs of an event, from claim to claim.
    pub every: Duration,
    /// How long the event must not have changed; a run waits for that no longer than for the
    /// longer of the two.
    pub quiet: Duration,
}

impl SuggestAfter {
    /// As the settings say; `None` when they want no suggestions.
    pub fn of(settings: &SuggestionSettings) -> Option<Self> {
        let SuggestionSettings { every_s, quiet_s } = *settings;
        let (every, quiet) = (Duration::from_secs(every_s), Duration::from_secs(quiet_s));
        (every_s > 0).then_some(Self { every, quiet })
    }

    /// How long after it was made a run waits at most.
    pub(super) fn patience(self) -> Duration {
        self.every.max(self.quiet)
    }

    /// The item of the event's run that is first due then: a UUIDv5 of the event and the window of
    /// length `every` that this lies in, which holds no other.
    pub(super) fn run_item(self, event: &EventId, due: Timestamp) -> ItemId {
        let every = self.every.as_micros().max(1);
        let window = due.as_microsecond().unsigned_abs() as u128 / every;
        let parts = ["suggestion run", event.as_str(), &every.to_string(), &window.to_string()];
        ItemId::from(derived_uuid(&parts))
    }
}

/// What a suggestion run came to.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// What it suggests, the most pressing first. Those that are there already, dismissed or not,
    /// stay as they are; when there is no other, the item ends `skipped` and owes nothing.
    pub suggestions: Vec<Suggestion>,
    /// The model that made them; `None` when code alone did.
    pub model: Option<String>,
    /// How those that turn out to be new are told.
    pub news: News,
}

/// Makes the completion event of a run from the suggestions that turned out to be new, which
/// nobody knows before the record holds its locks.
#[derive(Clone)]
pub struct News(Arc<Tell>);

type Tell = dyn Fn(&[Suggestion]) -> CompletionEvent + Send + Sync;

impl News {
    /// Tells by that function, which must give the same bytes for the same suggestions.
    pub fn new(tell: impl Fn(&[Suggestion]) -> CompletionEvent + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// The completion event for these; `None` for none.
    pub(super) fn of(&self, new: &[Suggestion]) -> Option<CompletionEvent> {
        (!new.is_empty()).then(|| self.0(new))
    }
}

impl fmt::Debug for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("News")
    }
}

/// Suggestions of all events that are listed at most, the newest.
pub(super) const MOST_LISTED: u32 = 1_000;

/// How a run ends, once it is known which of its suggestions are new.
pub(super) struct RunEnd {
    pub(super) outcome: Outcome,
    pub(super) reason: Option<Reason>,
    pub(super) new: Vec<Suggestion>,
    pub(super) news: Option<CompletionEvent>,
}

/// The end of a run of which these suggestions were written.
pub(super) fn end(record: &Record, run: &RunRecord, written: &[Uuid]) -> RunEnd {
    let mut new: Vec<Suggestion> = Vec::new();
    for suggestion in &run.suggestions {
        // One that was made twice in a run is one.
        if written.contains(&suggestion.id) && new.iter().all(|known| known.id != suggestion.id) {
            new.push(suggestion.clone());
        }
    }
    let Some(news) = run.news.of(&new) else {
        let reason = Some(Reason::NothingToDo);
        return RunEnd { outcome: Outcome::Skipped, reason, new, news: None };
    };
    RunEnd { outcome: record.outcome, reason: record.reason, new, news: Some(news) }
}
