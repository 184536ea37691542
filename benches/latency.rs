//! How long a group waits: from the delivery of a message's ID to its completion event.
//!
//! The real binary on PostgreSQL and RabbitMQ at the default settings; the fake endpoint answers
//! after two seconds, over HTTP. Events are timed as they arrive at an application's own queue.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench that meets an error must fail"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use gleaner::broker::Broker as _;
use gleaner::domain::ids::{EventId, ItemId};
use gleaner::ingest::{self, IngestOptions};
use gleaner::store::IngestBatch;
use lapin::options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties, Consumer};
use serde_json::Value;
use support::fake_model::Mode;
use support::rows;
use support::world::{World, wedding};

const MODEL: Mode = Mode::Long { tokens: 300, ms: 2_000 };
const KINDS: [&str; 5] = ["photographer", "florist", "caterer", "dj", "videographer"];
const CHATS: [&str; 3] = ["birthday", "offsite", "wedding"];
const MESSAGES: usize = 200;
const A_SECOND: u32 = 10;

/// The defaults again, where a test's world has others.
const DEFAULTS: [(&str, &str); 8] = [
    ("AI_RATE_LIMIT_PER_MINUTE", "20"),
    ("GLEANER__LIMITS__SENDER_PER_WINDOW", "10"),
    ("GLEANER__DETECT__THRESHOLD", "0.8"),
    ("GLEANER__SUGGESTIONS__EVERY_S", "3600"),
    ("GLEANER__SUGGESTIONS__QUIET_S", "30"),
    ("GLEANER__WORKER__LEASE_S", "60"),
    ("GLEANER__WORKER__RENEW_EVERY_S", "15"),
    ("GLEANER__LOG__LEVEL", "warn,gleaner::cli=info"),
];

// Whatever took a run's attempt or left a request without an answer.
const CUT_OFF: &str = "
    select (select count(*) from item_history where what = 'failed' or detail is not null)
        + (select count(*) from ledger where state = 'ambiguous')";

#[tokio::main]
async fn main() {
    println!("PostgreSQL and RabbitMQ, one worker, a model that answers after 2 s.\n");
    first_and_second().await;
    println!();
    mixed().await;
}

/// The same thing asked for by two groups, one after the other.
async fn first_and_second() {
    let mut scene = Scene::new("bench_pair").await;
    let before = scene.world.model.requests().len();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for kind in KINDS {
        for (event, times) in [("one", &mut first), ("other", &mut second)] {
            let event = format!("{kind}-{event}");
            let text = format!("Can someone book a {kind}?");
            times.push(scene.tell(&wedding(&event, &[&text])).await);
        }
    }
    let requests = scene.world.model.requests().len() - before;
    assert_eq!(requests, KINDS.len(), "the second is a hit");
    println!("| \"Can someone book a …?\", {} kinds of vendors | median | longest |", KINDS.len());
    println!("|---|---|---|");
    println!(
        "{}\n{}",
        pair_line("the first group", &mut first),
        pair_line("another group", &mut second)
    );
    let median = second[second.len() / 2];
    assert!(median < Duration::from_millis(100), "an answer from the cache took {median:?}");
}

fn pair_line(who: &str, times: &mut [Duration]) -> String {
    times.sort_unstable();
    format!("| {who} | {} | {} |", ms(times[times.len() / 2]), ms(times[times.len() - 1]))
}

/// Messages as they come in three chats, of three groups at the same time.
async fn mixed() {
    let mut scene = Scene::new("bench_mixed").await;
    let ids = scene.ingest(&CHATS.map(chat)).await;
    let mut times: HashMap<&str, Vec<Duration>> = HashMap::new();
    for (how, took) in scene.tell_all(&ids).await {
        times.entry(how).or_default().push(took);
        times.entry("all").or_default().push(took);
    }
    println!(
        "| {MESSAGES} messages of three chats, {A_SECOND} a second | messages | p50 | p95 | p99 | longest |\n|---|---|---|---|---|---|"
    );
    for how in [
        "skipped",
        "answered or changed by code",
        "from the cache",
        "asked a model",
        "failed",
        "all",
    ] {
        if let Some(times) = times.get_mut(how) {
            println!("{}", line(how, times));
        }
    }
    let cut_off = rows::count(&scene.world.database, CUT_OFF).await;
    println!("| timed out | {cut_off} | | | | |");
    let p95 = rank(&times["all"], 95);
    assert!(p95 < Duration::from_secs(3) && cut_off == 0, "p95 {p95:?}, {cut_off} timed out");
}

/// How a message was dealt with.
fn how(data: &Value) -> &'static str {
    match data["outcome"].as_str().unwrap() {
        "skipped" => "skipped",
        "failed" => "failed",
        _ if data["cached"] == true => "from the cache",
        _ if data["model"].is_null() => "answered or changed by code",
        _ => "asked a model",
    }
}

/// The beginnings of a chat.
fn chat(name: &str) -> IngestBatch {
    let path = format!("{}/data/chats/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let event = Some(EventId::parse(name).unwrap());
    let options = IngestOptions { event, ..IngestOptions::default() };
    let mut batch =
        ingest::read_bytes(&std::fs::read(path).unwrap(), "chat", &options).unwrap().batch;
    batch.messages.truncate(MESSAGES.div_ceil(CHATS.len()));
    batch
}

fn line(how: &str, times: &mut [Duration]) -> String {
    times.sort_unstable();
    let [p50, p95, p99, longest] = [50, 95, 99, 100].map(|percent| ms(rank(times, percent)));
    format!("| {how} | {} | {p50} | {p95} | {p99} | {longest} |", times.len())
}

/// The nearest rank in what is sorted.
fn rank(times: &[Duration], percent: usize) -> Duration {
    times[(times.len() * percent).div_ceil(100) - 1]
}

fn ms(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1e3)
}

/// The `data` of the next completion event, and when it came.
async fn next(events: &mut Consumer) -> (Value, Instant) {
    let next = tokio::time::timeout(Duration::from_secs(60), events.next());
    let delivery = next.await.expect("an event comes").unwrap().unwrap();
    let at = Instant::now();
    let mut event: Value = serde_json::from_slice(&delivery.data).unwrap();
    (event["data"].take(), at)
}

/// A world, its worker, and an application's own queue.
struct Scene {
    world: World,
    events: Consumer,
    _connection: Connection,
    _worker: support::daemon::Daemon,
}

impl Scene {
    async fn new(name: &str) -> Self {
        let world = World::new(name).await;
        world.model.stand(MODEL);
        let connection =
            Connection::connect(&world.amqp, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let queue = format!("{}.bench", world.prefix());
        let (exchange, table) = (format!("{}.out", world.prefix()), FieldTable::default);
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.as_str().into(), durable, table()).await.unwrap();
        let bind = QueueBindOptions::default();
        channel
            .queue_bind(
                queue.as_str().into(),
                exchange.as_str().into(),
                "message.#".into(),
                bind,
                table(),
            )
            .await
            .unwrap();
        let no_ack = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let events = channel
            .basic_consume(queue.as_str().into(), "bench".into(), no_ack, table())
            .await
            .unwrap();
        let worker = world.daemon(&DEFAULTS);
        let mut scene = Self { world, events, _connection: connection, _worker: worker };
        // A process connects, and reads its words, when it first needs them.
        for (nth, text) in ["good morning everyone", "who is bringing the cake?"].iter().enumerate()
        {
            scene.tell(&wedding(&format!("warm-{nth}"), &[text])).await;
        }
        scene
    }

    /// Brings one message, and returns how long its answer took.
    async fn tell(&mut self, batch: &IngestBatch) -> Duration {
        let ids = self.ingest(std::slice::from_ref(batch)).await;
        let published = Instant::now();
        self.world.broker.publish_hints(&ids).await.unwrap();
        let (data, at) = next(&mut self.events).await;
        assert_eq!(data["message_id"], ids[0].as_str());
        at - published
    }

    /// Delivers the messages at their pace, and returns how each was dealt with and how long it took.
    async fn tell_all(&mut self, ids: &[ItemId]) -> Vec<(&'static str, Duration)> {
        let Self { world, events, .. } = self;
        let tell = async {
            let mut told = HashMap::new();
            let mut pace = tokio::time::interval(Duration::from_secs(1) / A_SECOND);
            for id in ids {
                pace.tick().await;
                told.insert(id.as_str(), Instant::now());
                world.broker.publish_hints(std::slice::from_ref(id)).await.unwrap();
            }
            told
        };
        let hear = async {
            let mut heard = Vec::new();
            while heard.len() < ids.len() {
                heard.push(next(events).await);
            }
            heard
        };
        // At the same time, so that an event is timed when it comes.
        let (told, heard) = tokio::join!(tell, hear);
        let took = |(data, at): (Value, Instant)| {
            (how(&data), at - told[data["message_id"].as_str().unwrap()])
        };
        heard.into_iter().map(took).collect()
    }

    /// Writes the rows, and returns the IDs in the order of all chats taken in turns.
    async fn ingest(&self, batches: &[IngestBatch]) -> Vec<ItemId> {
        let mut chats = Vec::new();
        for batch in batches {
            chats.push(self.world.store.ingest(batch).await.unwrap().new);
        }
        let longest = chats.iter().map(Vec::len).max().unwrap_or(0);
        let turns = (0..longest).flat_map(|nth| chats.iter().filter_map(move |chat| chat.get(nth)));
        turns.map(ItemId::from).take(MESSAGES).collect()
    }
}
