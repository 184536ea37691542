//! The completion event of a suggestion run: CloudEvents 1.0 JSON, structured mode.
//!
//! A pure function of the run's facts and of the suggestions that turned out to
//! be new; a run without any tells nothing.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use uuid::Uuid;

use super::{Envelope, Tokens, wrapped};
use crate::domain::ids::{EventId, ItemId, Lease, derived_uuid};
use crate::domain::suggestion::Suggestion;
use crate::domain::usage::{NanoUsd, Usage};
use crate::store::CompletionEvent;

/// What the completion event of a suggestion run tells beside the suggestions.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// The run's item.
    pub item: ItemId,
    /// The lease under which it is settled.
    pub lease: Lease,
    /// The event that the suggestions are for.
    pub event: EventId,
    /// The model that made them; `None` when code alone did.
    pub model: Option<String>,
    /// Tokens of all its model calls.
    pub usage: Usage,
    /// What they cost.
    pub cost: NanoUsd,
    /// Whether the answer came from the cache.
    pub cached: bool,
    /// From claim to answer, without parked time.
    pub latency: Duration,
    /// When it is settled; taken once, so that the same suggestions give the same bytes.
    pub time: Timestamp,
}

/// Every key is always there; what is not known is null.
#[derive(Serialize)]
struct Data<'a> {
    event_id: &'a EventId,
    suggestions: Vec<Told<'a>>,
    cached: bool,
    model: Option<&'a str>,
    tokens: Tokens,
    cost_usd: f64,
    latency_ms: u64,
}

/// A suggestion, key by key: what a row holds may grow, a contract does not by itself.
#[derive(Serialize)]
struct Told<'a> {
    id: Uuid,
    title: &'a str,
    object: &'a str,
    action: &'a str,
    reason: &'a str,
    due: Option<Date>,
}

/// The completion event that tells of new suggestions, from the CloudEvents `source` of the
/// settings. Its subject is the event.
pub fn suggestions_created(source: &str, facts: &RunFacts, new: &[Suggestion]) -> CompletionEvent {
    let kind = "gleaner.suggestion.created";
    let id = derived_uuid(&["completion", facts.item.as_str(), &facts.lease.0.to_string()]);
    let data = Data {
        event_id: &facts.event,
        suggestions: new.iter().map(told).collect(),
        cached: facts.cached,
        model: facts.model.as_deref(),
        tokens: Tokens::of(&facts.usage),
        cost_usd: facts.cost.dollars(),
        latency_ms: u64::try_from(facts.latency.as_millis()).unwrap_or(u64::MAX),
    };
    let subject = facts.event.as_str();
    let body = wrapped(&Envelope::new(id, source, kind, subject, facts.time, data));
    CompletionEvent { id, kind: kind.to_owned(), routing_key: "suggestion.created".into(), body }
}

fn told(suggestion: &Suggestion) -> Told<'_> {
    let Suggestion { id, title, object, action, reason, due } = suggestion;
    Told { id: *id, title, object, action, reason, due: *due }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn facts() -> RunFacts {
        RunFacts {
            item: ItemId::parse("run-1").unwrap(),
            lease: Lease(3),
            event: EventId::parse("e-1").unwrap(),
            model: Some("offline".into()),
            usage: Usage { input: 1, output: 2, ..Usage::default() },
            cost: NanoUsd(1_500_000),
            cached: false,
            latency: Duration::from_micros(12_900),
            time: "2026-06-01T10:00:00Z".parse().unwrap(),
        }
    }

    fn florist() -> Suggestion {
        Suggestion {
            id: Uuid::nil(),
            title: "Book a florist".into(),
            object: "florist".into(),
            action: "book".into(),
            reason: "Weddings usually have one by now".into(),
            due: Some("2026-07-01".parse().unwrap()),
        }
    }

    #[test]
    fn every_attribute_and_every_key_of_the_data_is_there() {
        let made = suggestions_created("/gleaner", &facts(), &[florist()]);
        let body: Value = serde_json::from_slice(&made.body).unwrap();
        let expected = json!({
            "specversion": "1.0", "id": made.id, "source": "/gleaner",
            "type": "gleaner.suggestion.created", "subject": "e-1",
            "time": "2026-06-01T10:00:00Z", "datacontenttype": "application/json",
            "data": {
                "event_id": "e-1",
                "suggestions": [{
                    "id": Uuid::nil(), "title": "Book a florist", "object": "florist",
                    "action": "book", "reason": "Weddings usually have one by now",
                    "due": "2026-07-01",
                }],
                "cached": false, "model": "offline",
                "tokens": {"input": 1, "output": 2, "cache_read": 0, "cache_write": 0},
                "cost_usd": 0.0015, "latency_ms": 12,
            },
        });
        assert_eq!(body, expected);
        assert_eq!(made.kind, "gleaner.suggestion.created");
        assert_eq!(made.routing_key, "suggestion.created");
    }

    #[test]
    fn a_repeat_is_equal_byte_for_byte_and_another_lease_is_another_event() {
        let made = suggestions_created("/gleaner", &facts(), &[florist()]);
        assert_eq!(made, suggestions_created("/gleaner", &facts(), &[florist()]));
        let later = RunFacts { lease: Lease(4), ..facts() };
        assert_ne!(made.id, suggestions_created("/gleaner", &later, &[florist()]).id);
    }
}
