//! Two thousand messages of the three chats under forty events, undisturbed and under SIGKILLs:
//! the same end state, the same rows, every event published.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use gleaner::domain::ids::EventId;
use gleaner::ingest::{self, IngestOptions};
use gleaner::store::IngestBatch;

use crate::support::fake_model::Mode;
use crate::support::world::{PATIENCE, World, wedding};

const EVENTS: usize = 40;
const PER_EVENT: usize = 50;
const KILLS: usize = 10;

/// The three chats, cut into pieces under forty events.
fn batches() -> Vec<IngestBatch> {
    let chats = ["birthday", "offsite", "wedding"].map(|name| {
        std::fs::read(format!("{}/data/chats/{name}.jsonl", env!("CARGO_MANIFEST_DIR"))).unwrap()
    });
    (0..EVENTS)
        .map(|number| {
            let event = Some(EventId::parse(&format!("event-{number}")).unwrap());
            let options = IngestOptions { event, ..IngestOptions::default() };
            let mut batch = ingest::read_bytes(&chats[number % 3], "chat", &options).unwrap().batch;
            let pieces = batch.messages.len() / PER_EVENT;
            let from = (number / 3) % pieces * PER_EVENT;
            batch.messages = batch.messages.drain(from..from + PER_EVENT).collect();
            batch
        })
        .collect()
}

/// What must hold at the end of any run.
async fn must_end_whole(world: &mut World) {
    let expected = EVENTS * PER_EVENT;
    world.completions.take_until(expected, PATIENCE).await;
    let queue = world.rest().await;
    assert_eq!((queue.completed + queue.skipped) as usize, expected, "{queue:?}");
    world.completions.take().await;
    assert_eq!(world.completions.seen.len(), expected, "as many distinct events as messages");
    let balance = world.store.ledger_balances().await.unwrap();
    assert!(balance.is_ok(), "{balance:?}");
}

/// All rows of all events, comparable between runs.
async fn rows(world: &World, batches: &[IngestBatch]) -> Vec<String> {
    let mut rows = Vec::new();
    for batch in batches {
        rows.push(format!("{:#?}", world.store.projections(&batch.event, None).await.unwrap()));
    }
    rows
}

async fn produce_all(world: &World, batches: &[IngestBatch]) {
    for batch in batches {
        world.produce(batch).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_messages_end_the_same_with_and_without_ten_kills() {
    let batches = batches();

    let mut calm = World::new("calm").await;
    let worker = calm.daemon(&[]);
    produce_all(&calm, &batches).await;
    must_end_whole(&mut calm).await;
    let expected = rows(&calm, &batches).await;
    drop(worker);

    let mut stormy = World::new("stormy").await;
    let moments = RandomState::new();
    let mut worker = stormy.daemon(&[]);
    let (first, rest) = batches.split_at(EVENTS / 2);
    produce_all(&stormy, first).await;
    for kill in 0..KILLS {
        if kill == KILLS / 2 {
            produce_all(&stormy, rest).await;
        }
        tokio::time::sleep(Duration::from_millis(moments.hash_one(kill) % 400)).await;
        worker.kill();
        worker = stormy.daemon(&[]);
    }
    must_end_whole(&mut stormy).await;
    assert_eq!(rows(&stormy, &batches).await, expected, "the same rows");
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_kills_its_worker_each_time_fails_unrun_after_its_attempts() {
    let mut world = World::new("killer").await;
    world.model.stand(Mode::Hang);
    let once = [("GLEANER__WORKER__ATTEMPTS", "2"), ("GLEANER__WORKER__LEASE_S", "3")];
    world.store.ingest(&wedding("killer", &["Please book a photographer"])).await.unwrap();
    world.hint(&["killer-0"]).await;
    for asked in 1..=2 {
        let worker = world.daemon(&once);
        world.model.arrived(asked).await;
        worker.kill();
    }
    let _last = world.daemon(&once);
    let data = world.completion_of("killer-0").await;
    assert_eq!(data["reason"], "attempts_exhausted", "{data}");
    assert_eq!(world.model.requests().len(), 2, "it was not run a third time");
}
