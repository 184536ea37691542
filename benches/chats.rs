//! What chats cost: how many answers come from the cache, and what is saved.
//!
//! The real binary on PostgreSQL and RabbitMQ, asking the fake endpoint over HTTP, at the default
//! settings and prices. The endpoint bills all text that it is sent, schema included, at four
//! characters a token, and each answer as 300 tokens, or as many as its agent may have. So does
//! "counted alike" with the one full-context call per message that a cost is held against;
//! `naiveCost` itself counts prompts by the high estimate that every model starts with.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench that meets an error must fail"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Duration;

use gleaner::context::{self, Level};
use gleaner::domain::ids::EventId;
use gleaner::domain::usage::{NanoUsd, Tier, Usage};
use gleaner::ingest::{self, IngestOptions};
use gleaner::model::estimate::Estimate;
use gleaner::model::prices::PriceBook;
use gleaner::monitor::summary;
use gleaner::store::{EventReport, IngestBatch};
use sqlx::Row as _;
use support::fake_model::Mode;
use support::rows;
use support::world::World;

const CHATS: [&str; 3] = ["birthday", "offsite", "wedding"];
const COPIES: usize = 50;
const MODEL: &str = "claude-sonnet-5-5";
/// As long as an answer is for `naiveCost`, and about what a real one is.
const ANSWER: Mode = Mode::Long { tokens: 300, ms: 20 };

/// The defaults again, where a test's world has others; a chat log is not traffic, so the limits per
/// minute stay lifted, and nobody goes on talking, so the next suggestion run comes at once.
const DEFAULTS: [(&str, &str); 5] = [
    ("GLEANER__DETECT__THRESHOLD", "0.8"),
    ("GLEANER__SUGGESTIONS__EVERY_S", "3600"),
    ("GLEANER__SUGGESTIONS__QUIET_S", "1"),
    ("GLEANER__WORKER__LEASE_S", "60"),
    ("GLEANER__LOG__LEVEL", "warn,gleaner::cli=info"),
];

// Messages that needed a model's answer; runs that nobody asked for stand in the cost alone.
const ANSWERS: &str = "
    select coalesce(agent, 'none') as agent, count(*) filter (where cached) as cached,
        count(*) filter (where not cached) as asked
    from metrics where agent <> 'suggester' group by agent order by agent";
const CALLS: &str = "
    select agent, model, count(*) as calls, sum(charged)::bigint as cost
    from ledger where state = 'charged' group by agent, model order by agent, model";

/// What came of some chats.
struct Run {
    reports: Vec<EventReport>,
    /// By agent: from the cache, and asked.
    answers: Vec<(String, i64, i64)>,
    /// By agent and model: requests and cost.
    calls: Vec<(String, String, i64, NanoUsd)>,
}

#[tokio::main]
async fn main() {
    println!(
        "| chats | messages | needed an answer | from the cache | requests | cost an event | naiveCost an event | saved | saved, counted alike |\n\
         |---|---|---|---|---|---|---|---|---|"
    );
    let mut by_agent = Vec::new();
    for name in CHATS {
        let alone = run(&[chat(name, None)]).await;
        println!("{}", alone.line(&format!("{name}, alone")));
        by_agent.push((name.to_owned(), alone.by_agent()));
    }
    let copies: Vec<_> = (0..COPIES).map(|nth| chat(CHATS[nth % 3], Some(nth))).collect();
    let copies = run(&copies).await;
    println!("{}", copies.line(&format!("{COPIES} copies, {COPIES} events")));
    by_agent.push((format!("{COPIES} copies"), copies.by_agent()));
    for (name, lines) in by_agent {
        println!("\n{name}:\n\n{lines}");
    }
}

fn chat(name: &str, copy: Option<usize>) -> IngestBatch {
    let path = format!("{}/data/chats/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let event = copy.map(|nth| EventId::parse(&format!("{name}-{nth:02}")).unwrap());
    let options = IngestOptions { event, ..IngestOptions::default() };
    ingest::read_bytes(&std::fs::read(path).unwrap(), "chat", &options).unwrap().batch
}

/// All chats at once through one worker that begins with an empty cache.
async fn run(batches: &[IngestBatch]) -> Run {
    let world = World::new("bench_chats").await;
    world.model.stand(ANSWER);
    let _daemon = world.daemon(&DEFAULTS);
    for batch in batches {
        world.produce(batch).await;
    }
    let mut reports = Vec::new();
    for batch in batches {
        settled(&world, &batch.event.id).await;
        reports.push(world.store.event_report(&batch.event.id).await.unwrap().unwrap());
    }
    let balance = world.store.ledger_balances().await.unwrap();
    assert_eq!(balance, Ok(world.model.billed()), "the ledger is the endpoint's bill");
    let mut database = rows::connect(&world.database).await;
    let answers = sqlx::query(ANSWERS).fetch_all(&mut database).await.unwrap();
    let calls = sqlx::query(CALLS).fetch_all(&mut database).await.unwrap();
    Run {
        reports,
        answers: answers.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect(),
        calls: calls
            .iter()
            .map(|row| (row.get(0), row.get(1), row.get(2), NanoUsd(row.get(3))))
            .collect(),
    }
}

/// Waits until every message is settled, and the suggestion run after them.
async fn settled(world: &World, event: &EventId) {
    loop {
        let progress = world.store.progress(event).await.unwrap();
        let next = world.store.suggestions_pending(event).await.unwrap();
        let soon = next.is_some_and(|due| due < Duration::from_secs(60));
        if progress.settled == progress.total && !soon {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

impl Run {
    fn cost(&self) -> NanoUsd {
        self.calls.iter().fold(NanoUsd::ZERO, |sum, call| sum + call.3)
    }

    fn line(&self, name: &str) -> String {
        let events = self.reports.len() as f64;
        let messages: usize = self.reports.iter().map(|report| report.messages.len()).sum();
        let failed: usize = self.reports.iter().map(|report| report.failed.len()).sum();
        assert_eq!(failed, 0, "messages failed");
        let (cached, asked) = self
            .answers
            .iter()
            .fold((0, 0), |(cached, asked), answer| (cached + answer.1, asked + answer.2));
        let requests: i64 = self.calls.iter().map(|call| call.2).sum();
        let of_all = |tokens: fn(&context::Context) -> u64| -> f64 {
            self.reports.iter().map(|report| naive(report, tokens)).sum()
        };
        let told = of_all(|context| context.tokens.into());
        let alike = of_all(|context| {
            let letters = context.facts.chars().count() + context.text.chars().count();
            letters.div_ceil(4) as u64
        });
        let cost = dollars(self.cost());
        format!(
            "| {name} | {messages} | {} | {} | {requests} | ${:.3} | ${:.2} | {} | {} |",
            cached + asked,
            share(cached as f64, (cached + asked) as f64),
            cost / events,
            told / events,
            share(told - cost, told),
            share(alike - cost, alike),
        )
    }

    fn by_agent(&self) -> String {
        let mut lines = vec![
            "| agent | needed an answer | from the cache | requests | cost an event |".to_owned(),
            "|---|---|---|---|---|".to_owned(),
        ];
        for (agent, model, calls, cost) in &self.calls {
            let answers = self.answers.iter().find(|answer| answer.0 == *agent);
            let (needed, cached) = answers.map_or(("-".to_owned(), "-".to_owned()), |answers| {
                let (cached, all) = (answers.1, answers.1 + answers.2);
                (all.to_string(), share(cached as f64, all as f64))
            });
            let cost = dollars(*cost) / self.reports.len() as f64;
            lines.push(format!(
                "| {agent} ({model}) | {needed} | {cached} | {calls} | ${cost:.4} |"
            ));
        }
        lines.join("\n")
    }
}

/// One full-context call per message, in dollars; tokens are counted as told.
fn naive(report: &EventReport, tokens: fn(&context::Context) -> u64) -> f64 {
    let (prices, now) = (PriceBook::bundled(), jiff::Timestamp::now());
    let of = |message: &_, rows: &_| {
        tokens(&context::assemble(Level::Full, &report.event, message, rows, &Estimate::HIGH))
    };
    let price = |usage: &Usage| prices.price(MODEL, Tier::Standard, usage, now);
    dollars(summary::naive_cost(report, of, price).unwrap())
}

fn dollars(cost: NanoUsd) -> f64 {
    cost.0 as f64 / 1e9
}

fn share(part: f64, whole: f64) -> String {
    format!("{:.1} %", 100.0 * part / whole)
}
