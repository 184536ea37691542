//! The completion event: CloudEvents 1.0 JSON, structured mode.
//!
//! A pure function of what is known when a message is settled: the same facts
//! give the same bytes, so a repeat can be recognised by its `id` and needs no
//! comparison.

mod suggestions;
mod alerts;

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::enrichment::Enrichment;
use crate::domain::ids::{EventId, ItemId, Lease, RoomId, derived_uuid};
use crate::domain::intent::{Detection, Entities, FollowUp};
use crate::domain::outcome::{Outcome, Reason};
use crate::domain::usage::{NanoUsd, Usage};
use crate::store::CompletionEvent;

pub use alerts::alert_changed;
pub use suggestions::{RunFacts, suggestions_created};

/// The intent's place in a routing key when detection was not reached.
const UNKNOWN: &str = "unknown";

/// What a completion event tells.
#[derive(Debug, Clone)]
pub struct CompletionFacts<'a> {
    /// The item, and so the message.
    pub item: &'a ItemId,
    /// The lease under which it was settled.
    pub lease: Lease,
    /// The message's room; `None` when the message has no row.
    pub room: Option<&'a RoomId>,
    /// The event it belongs to; `None` when there is none.
    pub event: Option<&'a EventId>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, when it was skipped or failed.
    pub reason: Option<Reason>,
    /// What detection said, if it came that far.
    pub detection: Option<&'a Detection>,
    /// The answer, if there is one.
    pub enrichment: Option<&'a Enrichment>,
    /// Whether the answer came from the cache.
    pub cached: bool,
    /// The model that answered; `None` when code alone did.
    pub model: Option<&'a str>,
    /// The context level that it saw; `None` when it saw none of the event's past.
    pub level: Option<&'a str>,
    /// Tokens of all its model calls.
    pub usage: Usage,
    /// What they cost.
    pub cost: NanoUsd,
    /// From claim to answer, without parked time.
    pub latency: Duration,
    /// The attempt that settled it; the first is 1.
    pub attempt: u32,
    /// When it was settled.
    pub time: Timestamp,
}

/// CloudEvents' own attributes, with ours under `data`.
#[derive(Serialize)]
pub(super) struct Envelope<'a, D> {
    specversion: &'static str,
    id: uuid::Uuid,
    source: &'a str,
    r#type: &'a str,
    subject: &'a str,
    time: Timestamp,
    datacontenttype: &'static str,
    data: D,
}

impl<'a, D> Envelope<'a, D> {
    pub(super) fn new(
        id: uuid::Uuid,
        source: &'a str,
        r#type: &'a str,
        subject: &'a str,
        time: Timestamp,
        data: D,
    ) -> Self {
        let (specversion, datacontenttype) = ("1.0", "application/json");
        Self { specversion, id, source, r#type, subject, time, datacontenttype, data }
    }
}

/// The envelope's bytes.
pub(super) fn wrapped<D: Serialize>(envelope: &Envelope<'_, D>) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "plain structs with text keys always become JSON")]
    serde_json::to_vec(envelope).expect("the envelope becomes JSON")
}

/// Every key is always there; what is not known is null.
#[derive(Serialize)]
struct Data<'a> {
    message_id: &'a str,
    room_id: Option<&'a RoomId>,
    event_id: Option<&'a EventId>,
    outcome: Outcome,
    reason: Option<Reason>,
    intent: Option<&'static str>,
    confidence: Option<f32>,
    entities: Option<&'a Entities>,
    follow_up: Option<&'a FollowUp>,
    enrichment: Option<&'a Enrichment>,
    cached: bool,
    model: Option<&'a str>,
    level: Option<&'a str>,
    tokens: Tokens,
    cost_usd: f64,
    latency_ms: u64,
    attempt: u32,
}

#[derive(Serialize)]
pub(super) struct Tokens {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
}

impl Tokens {
    pub(super) fn of(usage: &Usage) -> Self {
        Self {
            input: usage.input,
            output: usage.output,
            cache_read: usage.cache_read,
            cache_write: usage.cache_write(),
        }
    }
}

/// The completion event of a settled message, from the CloudEvents `source` of the settings.
pub fn completion(source: &str, facts: &CompletionFacts<'_>) -> CompletionEvent {
    let outcome = facts.outcome.name();
    let intent = facts.detection.map(|detection| detection.intent().name());
    let kind = format!("gleaner.message.{outcome}");
    let id = derived_uuid(&["completion", facts.item.as_str(), &facts.lease.0.to_string()]);
    let (subject, data) = (facts.item.as_str(), data(facts, intent));
    let body = wrapped(&Envelope::new(id, source, &kind, subject, facts.time, data));
    let routing_key = format!("message.{outcome}.{}", intent.unwrap_or(UNKNOWN));
    CompletionEvent { id, kind, routing_key, body }
}

fn data<'a>(facts: &CompletionFacts<'a>, intent: Option<&'static str>) -> Data<'a> {
    Data {
        message_id: facts.item.as_str(),
        room_id: facts.room,
        event_id: facts.event,
        outcome: facts.outcome,
        reason: facts.reason,
        intent,
        confidence: facts.detection.map(|detection| detection.confidence),
        entities: facts.detection.map(|detection| &detection.entities),
        follow_up: facts.detection.and_then(|detection| detection.follow_up.as_ref()),
        enrichment: facts.enrichment,
        cached: facts.cached,
        model: facts.model,
        level: facts.level,
        tokens: Tokens::of(&facts.usage),
        cost_usd: facts.cost.dollars(),
        latency_ms: u64::try_from(facts.latency.as_millis()).unwrap_or(u64::MAX),
        attempt: facts.attempt,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::intent::TaskEntities;

    fn with_facts(test: impl FnOnce(CompletionFacts<'_>)) {
        let (item, room) = (ItemId::parse("m-1").unwrap(), RoomId::parse("r-1").unwrap());
        let event = EventId::parse("e-1").unwrap();
        let task =
            TaskEntities { object: "dj".into(), action: "book".into(), ..Default::default() };
        let detection =
            Detection { confidence: 0.9, entities: Entities::Task(task), follow_up: None };
        test(CompletionFacts {
            item: &item,
            lease: Lease(7),
            room: Some(&room),
            event: Some(&event),
            outcome: Outcome::Completed,
            reason: None,
            detection: Some(&detection),
            enrichment: None,
            cached: true,
            model: Some("offline"),
            level: None,
            usage: Usage {
                input: 1,
                output: 2,
                cache_read: 3,
                cache_write_5m: 4,
                cache_write_1h: 5,
            },
            cost: NanoUsd(1_500_000),
            latency: Duration::from_micros(12_900),
            attempt: 2,
            time: "2026-06-01T10:00:00Z".parse().unwrap(),
        });
    }

    fn json_of(completion: &CompletionEvent) -> Value {
        serde_json::from_slice(&completion.body).unwrap()
    }

    #[test]
    fn the_same_facts_give_the_same_bytes() {
        with_facts(|facts| {
            assert_eq!(completion("/gleaner", &facts), completion("/gleaner", &facts));
            let later = CompletionFacts { lease: Lease(8), ..facts.clone() };
            assert_ne!(completion("/gleaner", &facts).id, completion("/gleaner", &later).id);
        });
    }

    #[test]
    fn every_attribute_and_every_key_of_the_data_is_there() {
        with_facts(|facts| {
            let made = completion("/gleaner", &facts);
            let expected = json!({
                "specversion": "1.0", "id": made.id, "source": "/gleaner",
                "type": "gleaner.message.completed", "subject": "m-1",
                "time": "2026-06-01T10:00:00Z", "datacontenttype": "application/json",
                "data": {
                    "message_id": "m-1", "room_id": "r-1", "event_id": "e-1",
                    "outcome": "completed", "reason": null,
                    "intent": "task_creation", "confidence": 0.9,
                    "entities": {"object": "dj", "action": "book"},
                    "follow_up": null, "enrichment": null, "cached": true, "model": "offline", "level": null,
                    "tokens": {"input": 1, "output": 2, "cache_read": 3, "cache_write": 9},
                    "cost_usd": 0.0015, "latency_ms": 12, "attempt": 2,
                },
            });
            assert_eq!(json_of(&made), expected);
        });
    }

    #[test]
    fn the_routing_key_names_outcome_and_intent() {
        with_facts(|facts| {
            let key = |facts| completion("/gleaner", &facts).routing_key;
            assert_eq!(key(facts.clone()), "message.completed.task_creation");
            let none = Detection::none(1.0);
            let skipped = CompletionFacts {
                outcome: Outcome::Skipped,
                reason: Some(Reason::NothingToDo),
                detection: Some(&none),
                ..facts.clone()
            };
            assert_eq!(key(skipped), "message.skipped.none");
        });
    }

    #[test]
    fn a_message_that_was_never_found_has_nulls_and_an_unknown_intent() {
        with_facts(|facts| {
            let failed = CompletionFacts {
                outcome: Outcome::Failed,
                reason: Some(Reason::MessageNotFound),
                room: None,
                event: None,
                detection: None,
                ..facts
            };
            let made = completion("/gleaner", &failed);
            assert_eq!(made.routing_key, "message.failed.unknown");
            let body = json_of(&made);
            assert_eq!(body["data"]["reason"], "message_not_found");
            for key in ["room_id", "event_id", "intent", "confidence", "entities"] {
                assert!(body["data"].as_object().unwrap()[key].is_null(), "{key}");
            }
        });
    }
}
