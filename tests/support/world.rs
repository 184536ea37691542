//! A world for the daemon: a database, a prefix on the broker, a model's endpoint, a consumer of events.

use std::sync::Arc;
use std::time::Duration;

use gleaner::broker::Broker;
use gleaner::broker::amqp::AmqpBroker;
use gleaner::domain::ids::ItemId;
use gleaner::ingest::{self, IngestOptions};
use gleaner::settings;
use gleaner::store::{IngestBatch, QueueReport, Store};
use serde_json::Value;

use super::completions::Completions;
use super::daemon::Daemon;
use super::fake_model::FakeModel;
use super::servers;

/// How long a world may take to come to rest.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Everything around one daemon.
pub(crate) struct World {
    /// The database's URL.
    pub(crate) database: String,
    /// The broker's URL.
    pub(crate) amqp: String,
    prefix: String,
    /// The test's own view of the rows.
    pub(crate) store: Arc<dyn Store>,
    /// The test's own hand on the queue.
    pub(crate) broker: AmqpBroker,
    /// What an application's consumer sees.
    pub(crate) completions: Completions,
    /// The endpoint that the daemon asks.
    pub(crate) model: FakeModel,
}

impl World {
    /// A fresh one.
    pub(crate) async fn new(name: &str) -> Self {
        let (database, prefix) = (servers::fresh_database().await, servers::unique(name));
        let (amqp, model) = (servers::amqp_url(), FakeModel::start().await);
        let settings =
            settings::load(None, &environment(&database, &amqp, &prefix, &model)).unwrap();
        let store = gleaner::store::open(&settings.database).await.unwrap();
        store.migrate().await.unwrap();
        let broker = AmqpBroker::start(&settings.broker).await.unwrap();
        while !broker.health().publishing {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let completions = Completions::bind(&amqp, &prefix).await;
        Self { database, amqp, prefix, store, broker, completions, model }
    }

    /// What every exchange and queue of this world begins with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The settings that a daemon of this world is given; later pairs override earlier ones.
    pub(crate) fn environment(&self, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut pairs = environment(&self.database, &self.amqp, &self.prefix, &self.model);
        pairs.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        pairs
    }

    /// A daemon of this world.
    pub(crate) fn daemon(&self, more: &[(&str, &str)]) -> Daemon {
        Daemon::start(&self.environment(more))
    }

    /// The producer: rows first, then the IDs.
    pub(crate) async fn produce(&self, batch: &IngestBatch) {
        let report = self.store.ingest(batch).await.unwrap();
        let hints: Vec<ItemId> = report.new.iter().map(ItemId::from).collect();
        self.broker.publish_hints(&hints).await.unwrap();
    }

    /// Publishes bodies that no producer should.
    pub(crate) async fn hint(&self, ids: &[&str]) {
        let hints: Vec<ItemId> = ids.iter().map(|id| ItemId::parse(id).unwrap()).collect();
        self.broker.publish_hints(&hints).await.unwrap();
    }

    /// Waits until nothing is owed, pending or processing, and the queue is empty.
    pub(crate) async fn rest(&self) -> QueueReport {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let queue = self.store.queue().await.unwrap();
            let ready = self.broker.ready().await.unwrap();
            if queue.owed + queue.processing + queue.pending + ready == 0 {
                return queue;
            }
            assert!(tokio::time::Instant::now() < until, "not at rest: {queue:?}, {ready} ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for the completion event of a message, and returns its `data`.
    pub(crate) async fn completion_of(&mut self, message: &str) -> Value {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            self.completions.take().await;
            for body in self.completions.seen.values() {
                let event: Value = serde_json::from_slice(body).unwrap();
                if event["subject"] == message {
                    return event["data"].clone();
                }
            }
            assert!(tokio::time::Instant::now() < until, "no completion event of {message} came");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn environment(
    database: &str,
    amqp: &str,
    prefix: &str,
    model: &FakeModel,
) -> Vec<(String, String)> {
    let endpoint = model.url();
    let pairs = [
        ("DATABASE_URL", database),
        ("AMQP_URL", amqp),
        ("GLEANER__BROKER__PREFIX", prefix),
        ("ANTHROPIC_API_KEY", "a-key-for-the-fake-endpoint"),
        ("GLEANER__ENDPOINTS__ANTHROPIC__BASE_URL", endpoint.as_str()),
        ("GLEANER__AGENTS__TASK_ENRICHER__ON_UNAVAILABLE", "park"),
        ("GLEANER__AGENTS__BUDGET_ANALYST__ON_UNAVAILABLE", "park"),
        ("AI_RATE_LIMIT_PER_MINUTE", "0"),
        ("GLEANER__LIMITS__SENDER_PER_WINDOW", "0"),
        // What a doubt becomes depends on whether its model could be asked: never the same twice.
        ("GLEANER__DETECT__THRESHOLD", "0"),
        // A world comes to rest; a run for the next hour would keep it pending.
        ("GLEANER__SUGGESTIONS__EVERY_S", "0"),
        // Events that are counted are those of messages.
        ("GLEANER__ALERTS__EVERY_S", "0"),
        // Short times, so that what went wrong is looked at within a test's patience.
        ("GLEANER__WORKER__LEASE_S", "5"),
        ("GLEANER__WORKER__RENEW_EVERY_S", "1"),
        ("GLEANER__WORKER__MISSING_GRACE_S", "1"),
        ("GLEANER__WORKER__BACKOFF_FIRST_MS", "50"),
        ("GLEANER__WORKER__BACKOFF_LONGEST_S", "1"),
        ("GLEANER__SCHEDULER__HINT_AFTER_S", "2"),
        ("GLEANER__BROKER__RECONNECT_LONGEST_S", "1"),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// A wedding of three with these messages, a minute apart.
pub(crate) fn wedding(event: &str, texts: &[&str]) -> IngestBatch {
    let header = serde_json::json!({"event": {
        "id": event, "name": "A wedding", "kind": "wedding", "starts_at": "2027-06-05T12:00:00Z",
        "currency": "GBP", "budget": 20000, "participants": ["Ana", "Ben", "Cleo"],
    }});
    let mut lines = vec![header.to_string()];
    for (number, text) in texts.iter().enumerate() {
        let sent_at = format!("2027-01-05T10:{number:02}:00Z");
        let sender = ["Ana", "Ben", "Cleo"][number % 3];
        let id = format!("{event}-{number}");
        lines.push(
            serde_json::json!({"id": id, "sender": sender, "sent_at": sent_at, "text": text})
                .to_string(),
        );
    }
    ingest::read_bytes(lines.join("\n").as_bytes(), "chat", &IngestOptions::default())
        .unwrap()
        .batch
}
