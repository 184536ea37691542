//! Messages that need a model each, whatever detection would make of them.

use gleaner::domain::ids::MessageId;
use gleaner::store::IngestBatch;
use serde_json::json;

use super::world::wedding;

/// An event with so many messages that each ask for a thing of their own: no answer serves another.
pub(crate) fn asks(event: &str, count: usize) -> IngestBatch {
    let mut batch = wedding(event, &["the first"]);
    let first = batch.messages.remove(0);
    let people = batch.event.people();
    for nth in 0..count {
        let mut message = first.clone();
        message.id = MessageId::parse(&format!("{event}-{nth:04}")).unwrap();
        message.sender = people[nth % people.len()].clone();
        message.sent_at = first.sent_at + jiff::SignedDuration::from_secs(nth as i64);
        message.text = format!("could somebody carve ice sculpture number {nth} for us?");
        message.detected_intent = Some("task_creation".to_owned());
        let object = format!("ice sculpture number {nth}");
        message.extracted_entities = Some(json!({"object": object, "action": "book"}));
        batch.messages.push(message);
    }
    batch
}
