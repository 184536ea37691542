//! A consumer of completion events, as an application would have it.

use std::collections::HashMap;
use std::time::Duration;

use lapin::options::{BasicGetOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};

/// A queue bound to every completion event of one prefix.
pub(crate) struct Completions {
    _connection: Connection,
    channel: Channel,
    queue: String,
    /// Bodies by event ID; a repeat must be equal byte for byte.
    pub(crate) seen: HashMap<String, Vec<u8>>,
    /// How many deliveries repeated one that was seen.
    pub(crate) repeats: usize,
}

impl Completions {
    /// Declares the queue and binds it to everything; the exchange must be there.
    pub(crate) async fn bind(url: &str, prefix: &str) -> Self {
        Self::bind_to(url, prefix, "completions", "#").await
    }

    /// The same with a queue of its own for what a pattern of routing keys names.
    pub(crate) async fn bind_to(url: &str, prefix: &str, name: &str, pattern: &str) -> Self {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let queue = format!("{prefix}.test-{name}");
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.as_str().into(), durable, FieldTable::default()).await.unwrap();
        let exchange = format!("{prefix}.out");
        channel
            .queue_bind(
                queue.as_str().into(),
                exchange.as_str().into(),
                pattern.into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await
            .unwrap();
        Self { _connection: connection, channel, queue, seen: HashMap::new(), repeats: 0 }
    }

    /// Takes what is there.
    pub(crate) async fn take(&mut self) {
        let no_ack = BasicGetOptions { no_ack: true };
        while let Some(got) =
            self.channel.basic_get(self.queue.as_str().into(), no_ack).await.unwrap()
        {
            let body = got.delivery.data.clone();
            let event: serde_json::Value =
                serde_json::from_slice(&body).expect("a completion event is JSON");
            let id = event["id"].as_str().expect("it has an ID").to_owned();
            match self.seen.get(&id) {
                Some(known) => {
                    assert_eq!(*known, body, "a repeat differs");
                    self.repeats += 1;
                }
                None => {
                    self.seen.insert(id, body);
                }
            }
        }
    }

    /// Takes until so many distinct events were seen.
    pub(crate) async fn take_until(&mut self, count: usize, patience: Duration) {
        let until = tokio::time::Instant::now() + patience;
        while self.seen.len() < count {
            self.take().await;
            assert!(
                tokio::time::Instant::now() < until,
                "only {} of {count} events came",
                self.seen.len()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
