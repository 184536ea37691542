//! The test set of injections: messages with an order in them, and what a model answers that obeys.

use gleaner::ingest::{self, IngestOptions};
use gleaner::store::IngestBatch;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fake_model::Order;

/// A message with an injection in it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Injection {
    /// Its name; its message and its event are called so too.
    pub(crate) id: String,
    /// The message.
    pub(crate) text: String,
    /// The agent, and what it asks where it asks two things.
    pub(crate) aims_at: String,
    /// What a model answers that obeys.
    pub(crate) obeys: Value,
    /// What was said before.
    #[serde(default)]
    before: Vec<String>,
    /// What the event's header has otherwise.
    #[serde(default)]
    event: Map<String, Value>,
    /// Who says it.
    sender: Option<String>,
    /// What a prompt holds of it where that is not the message.
    mark: Option<String>,
    /// What the application detected; nothing leaves that to us.
    detected: Option<Detected>,
    /// Minor units and currency that the message really names.
    pub(crate) honest: Option<(i64, String)>,
}

#[derive(Debug, Clone, Deserialize)]
struct Detected {
    intent: String,
    entities: Value,
}

/// All of them.
pub(crate) fn all() -> Vec<Injection> {
    let lines = include_str!("../data/injections.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

impl Injection {
    /// What of it a prompt may hold, in which it is recognised.
    pub(crate) fn mark(&self) -> String {
        self.mark.clone().unwrap_or_else(|| self.text.chars().take(80).collect())
    }

    /// For the endpoint that obeys.
    pub(crate) fn order(&self) -> Order {
        let field = match self.aims_at.as_str() {
            "task_enricher" => "checklist",
            "budget_analyst" => "advice",
            "poll_enricher" => "options",
            "query_answerer.route" => "ask",
            "query_answerer.wording" => "sentence",
            "suggester" => "steps",
            "intent_classifier" => "intent",
            other => panic!("{}: there is no agent {other}", self.id),
        };
        Order { mark: self.mark(), field: field.to_owned(), answer: self.obeys.clone() }
    }

    /// The ID of its message.
    pub(crate) fn message(&self) -> String {
        format!("{}-last", self.id)
    }

    /// The IDs of all its messages.
    pub(crate) fn messages(&self) -> Vec<String> {
        let before = (0..self.before.len()).map(|number| format!("{}-{number}", self.id));
        before.chain([self.message()]).collect()
    }

    /// An event of its own, with what was said before and the message.
    pub(crate) fn batch(&self) -> IngestBatch {
        let mut header = json!({
            "id": self.id, "name": "A wedding", "kind": "wedding", "locale": "en-GB",
            "starts_at": "2027-06-05T12:00:00Z", "currency": "GBP", "budget": 20000,
            "participants": ["Ana", "Ben", "Cleo"],
        });
        header.as_object_mut().unwrap().extend(self.event.clone());
        let sender = self.sender.as_deref().unwrap_or("Ben");
        let texts = self.before.iter().map(|text| ("Ana", text)).chain([(sender, &self.text)]);
        let mut lines = vec![json!({"event": header}).to_string()];
        for ((number, (sender, text)), id) in texts.enumerate().zip(self.messages()) {
            let sent_at = format!("2027-01-05T10:{number:02}:00Z");
            let line = json!({"id": id, "sender": sender, "sent_at": sent_at, "text": text});
            lines.push(line.to_string());
        }
        let chat = lines.join("\n");
        let options = IngestOptions::default();
        let mut batch = ingest::read_bytes(chat.as_bytes(), "chat", &options).unwrap().batch;
        if let (Some(detected), Some(message)) = (&self.detected, batch.messages.last_mut()) {
            message.detected_intent = Some(detected.intent.clone());
            message.extracted_entities = Some(detected.entities.clone());
        }
        batch
    }
}
