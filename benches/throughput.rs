//! How many messages a second one worker settles, beside what its broker alone can move.
//!
//! `make bench` starts private servers with fsync on and runs this. The chats' own mix: most
//! messages are skipped, some open or change rows, none needs a model's network.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench that meets an error must fail"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use gleaner::broker::Broker;
use gleaner::domain::ids::{EventId, ItemId};
use gleaner::ingest::{self, IngestOptions};
use gleaner::store::{CompletionEvent, IngestBatch};
use support::world::World;

const EVENTS: usize = 32;
const AT_ONCE: usize = 64;

fn batches() -> Vec<IngestBatch> {
    let chats = ["birthday", "offsite"].map(|name| {
        std::fs::read(format!("{}/data/chats/{name}.jsonl", env!("CARGO_MANIFEST_DIR"))).unwrap()
    });
    (0..EVENTS)
        .map(|number| {
            let event = Some(EventId::parse(&format!("event-{number}")).unwrap());
            let options = IngestOptions { event, ..IngestOptions::default() };
            ingest::read_bytes(&chats[number % 2], "chat", &options).unwrap().batch
        })
        .collect()
}

#[tokio::main]
async fn main() {
    let batches = batches();
    let count: usize = batches.iter().map(|batch| batch.messages.len()).sum();
    println!(
        "{count} messages of {EVENTS} events, one node each of RabbitMQ and PostgreSQL on this machine\n"
    );
    println!("| what | messages a second |");
    println!("|---|---|");
    println!(
        "| RabbitMQ alone: deliver, publish confirmed, ack | {:.0} |",
        broker_alone(count).await
    );
    println!("| Gleaner, one worker | {:.0} |", one_worker(&batches, count).await);
}

/// The limit: the broker's own part of a message's way, without a row.
async fn broker_alone(count: usize) -> f64 {
    let world = World::new("bench_broker").await;
    let hints: Vec<ItemId> =
        (0..count).map(|n| ItemId::parse(&format!("hint-{n}")).unwrap()).collect();
    world.broker.publish_hints(&hints).await.unwrap();
    let deliveries = world.broker.deliveries(300).await;
    let started = Instant::now();
    let broker = &world.broker;
    futures::stream::unfold(deliveries, |mut deliveries| async move {
        deliveries.recv().await.map(|delivery| (delivery, deliveries))
    })
    .take(count)
    .for_each_concurrent(AT_ONCE, |delivery| async move {
        let event = CompletionEvent {
            id: uuid::Uuid::new_v4(),
            kind: "gleaner.message.completed".to_owned(),
            routing_key: "message.skipped.none".to_owned(),
            body: vec![b'x'; 330],
        };
        broker.publish_completion(&event).await.unwrap();
        delivery.ack().await.unwrap();
    })
    .await;
    count as f64 / started.elapsed().as_secs_f64()
}

/// The real binary, from a full queue to the last confirmed event.
async fn one_worker(batches: &[IngestBatch], count: usize) -> f64 {
    let world = Arc::new(World::new("bench_worker").await);
    for batch in batches {
        world.produce(batch).await;
    }
    let offline = [
        ("ANTHROPIC_API_KEY", ""),
        ("GLEANER__AGENTS__TASK_ENRICHER__ON_UNAVAILABLE", "fallback"),
        ("GLEANER__AGENTS__BUDGET_ANALYST__ON_UNAVAILABLE", "fallback"),
        ("GLEANER__WORKER__SLOTS", "64"),
        ("GLEANER__LOG__LEVEL", "warn,gleaner::cli=info"),
    ];
    let started = Instant::now();
    let _daemon = world.daemon(&offline);
    loop {
        let queue = world.store.queue().await.unwrap();
        if (queue.completed + queue.skipped) as usize == count && queue.owed == 0 {
            return count as f64 / started.elapsed().as_secs_f64();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
