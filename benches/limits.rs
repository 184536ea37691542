//! What limits cost: admissions a second on one scope, beside the bare transactions that its
//! engine makes on one row, and how close four workers come to a rate limit.
//!
//! `make bench` starts private servers with fsync on and runs this; `-- admissions` and `-- workers`
//! run one half. A limit that is passed fails it.
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

use gleaner::domain::ids::{EventId, Held, ItemId};
use gleaner::domain::usage::NanoUsd;
use gleaner::settings::{self, BudgetKind};
use gleaner::store::{
    Admission, AdmissionRequest, BudgetScope, Claimed, LedgerQuery, RateScope, Store, Window,
};
use support::asks::asks;
use support::crew::Crew;
use support::world::World;
use support::{rows, servers};
use tokio::task::JoinSet;

const AT_ONCE: usize = 32;
const ADMISSIONS: usize = 10_000;
const LEASE: Duration = Duration::from_secs(3600);

#[tokio::main]
async fn main() {
    let asked: Vec<String> = std::env::args().collect();
    let wants = |half: &str, other: &str| {
        asked.iter().any(|word| word == half) || !asked.iter().any(|word| word == other)
    };
    if wants("admissions", "workers") {
        admissions().await;
    }
    if wants("workers", "admissions") {
        workers().await;
    }
}

async fn admissions() {
    println!("| {AT_ONCE} at once on one scope, {ADMISSIONS} times | a second |\n|---|---|");
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder.path().join("bench.db").display());
    for url in [servers::fresh_database().await, file] {
        let store = open(&url).await;
        let engine = store.engine();
        println!("| {engine}: bare transactions on one row | {:.0} |", bare(&url).await);
        println!("| {engine}: admissions to a budget | {:.0} |", to_a_budget(&store).await);
        println!("| {engine}: admissions at a rate | {:.0} |", at_a_rate(&store).await);
    }
    println!();
}

async fn workers() {
    println!(
        "| 4 workers, one event, 500 messages, 20 requests a window | took, of ideal | most in a window | refused twice |\n|---|---|---|---|"
    );
    for (window, kills) in [(2, 0), (5, 0), (5, 10)] {
        println!("{}", four_workers(window, kills).await);
    }
}

async fn open(url: &str) -> Arc<dyn Store> {
    let environment = [
        ("DATABASE_URL".to_owned(), url.to_owned()),
        ("GLEANER__DATABASE__CONNECTIONS".to_owned(), AT_ONCE.to_string()),
    ];
    let settings = settings::load(None, &environment).unwrap();
    let store = gleaner::store::open(&settings.database).await.unwrap();
    store.migrate().await.unwrap();
    store
}

/// The engine's own limit: as many transactions that each change one row, from as many at once.
async fn bare(url: &str) -> f64 {
    if url.starts_with("sqlite:") {
        let pool = sqlx::SqlitePool::connect(url).await.unwrap();
        bare_on(AT_ONCE, move || {
            let pool = pool.clone();
            async move {
                let mut tx = pool.begin_with("begin immediate").await.unwrap();
                let change = "update schema_info set version = version";
                sqlx::query(change).execute(&mut *tx).await.unwrap();
                tx.commit().await.unwrap();
            }
        })
        .await
    } else {
        let options = sqlx::postgres::PgPoolOptions::new().max_connections(AT_ONCE as u32);
        let pool = options.connect(url).await.unwrap();
        bare_on(AT_ONCE, move || {
            let pool = pool.clone();
            async move {
                let change = "update gleaner.schema_info set version = version";
                sqlx::query(change).execute(&pool).await.unwrap();
            }
        })
        .await
    }
}

async fn bare_on<F: Future<Output = ()> + Send + 'static>(
    at_once: usize,
    transaction: impl Fn() -> F + Clone + Send + 'static,
) -> f64 {
    let started = Instant::now();
    let mut working = JoinSet::new();
    for _ in 0..at_once {
        let transaction = transaction.clone();
        working.spawn(async move {
            for _ in 0..ADMISSIONS / at_once {
                transaction().await;
            }
        });
    }
    working.join_all().await;
    ADMISSIONS as f64 / started.elapsed().as_secs_f64()
}

async fn holders(store: &Arc<dyn Store>, event: &str) -> Vec<Held> {
    let report = store.ingest(&asks(event, AT_ONCE)).await.unwrap();
    let mut holders = Vec::new();
    for message in &report.new {
        let Claimed::Held(claim) = store.claim(&ItemId::from(message), LEASE).await.unwrap() else {
            panic!("{message} cannot be claimed")
        };
        holders.push(claim.held);
    }
    holders
}

/// Asks from all holders at once, until each has had so many admissions or a budget is used up; how
/// many were admitted.
async fn ask(
    store: &Arc<dyn Store>,
    holders: &[Held],
    request: &AdmissionRequest,
    each: usize,
) -> usize {
    let mut asking = JoinSet::new();
    for held in holders {
        let (store, held, request) = (Arc::clone(store), held.clone(), request.clone());
        asking.spawn(async move {
            let mut admitted = 0;
            while admitted < each {
                match store.admit(&held, &request).await.unwrap() {
                    Admission::Admitted { .. } => admitted += 1,
                    Admission::RateLimited { after, .. } => tokio::time::sleep(after).await,
                    Admission::BudgetBusy { .. } | Admission::OverBudget { .. } => break,
                    refused @ (Admission::ProviderPaused { .. }
                    | Admission::BudgetSpent { .. }
                    | Admission::Lost) => panic!("{refused:?}"),
                }
            }
            admitted
        });
    }
    asking.join_all().await.into_iter().sum()
}

/// A budget that has room for exactly so many.
async fn to_a_budget(store: &Arc<dyn Store>) -> f64 {
    let holders = holders(store, "budget").await;
    let most = Some(NanoUsd(ADMISSIONS as i64 * 10));
    let window = Window { key: "budget:bench".to_owned(), starts_at: None, ends_at: None };
    let scope = BudgetScope {
        name: "budget:bench".to_owned(),
        limit: most,
        kind: BudgetKind::Hard,
        in_flight_share: 1.0,
        waits: false,
        windows: vec![window],
    };
    let request = AdmissionRequest { budgets: vec![scope], ..request("budget") };
    let started = Instant::now();
    let admitted = ask(store, &holders, &request, usize::MAX).await;
    assert_eq!(admitted, ADMISSIONS, "not one too many, and not one too few");
    admitted as f64 / started.elapsed().as_secs_f64()
}

/// A rate whose window is so short that its places are the engine's own speed.
async fn at_a_rate(store: &Arc<dyn Store>) -> f64 {
    const PLACES: usize = 20;
    let window = Duration::from_millis(2);
    let holders = holders(store, "rate").await;
    let rate = RateScope {
        key: "rate:bench".to_owned(),
        limit: PLACES as u32,
        window,
        send_within: Duration::ZERO,
    };
    let request = AdmissionRequest { rates: vec![rate], ..request("rate") };
    let started = Instant::now();
    let admitted = ask(store, &holders, &request, ADMISSIONS / AT_ONCE).await;
    let took = started.elapsed();
    let query = LedgerQuery {
        event: Some(request.event.clone()),
        limit: 2 * ADMISSIONS as u32,
        ..LedgerQuery::default()
    };
    let mut instants: Vec<_> =
        store.ledger(&query).await.unwrap().iter().map(|row| row.admitted_at).collect();
    instants.sort_unstable();
    for group in instants.windows(PLACES + 1) {
        let within = group[PLACES].duration_since(group[0]);
        assert!(within.unsigned_abs() >= window, "{} in {within}", PLACES + 1);
    }
    admitted as f64 / took.as_secs_f64()
}

fn request(event: &str) -> AdmissionRequest {
    AdmissionRequest {
        event: EventId::parse(event).unwrap(),
        tenant: "default".to_owned(),
        revision: 1,
        sent_at: jiff::Timestamp::now(),
        agent: "task_enricher",
        model: "claude-sonnet-5-5".to_owned(),
        fingerprint: "bench".to_owned(),
        worst_case: NanoUsd(10),
        expected: NanoUsd(10),
        rates: Vec::new(),
        budgets: Vec::new(),
        provider: None,
        queues: false,
    }
}

/// The real binary, four times, from a full queue to the last confirmed event.
async fn four_workers(window_s: u64, kills: u64) -> String {
    const MESSAGES: usize = 500;
    const LIMIT: usize = 20;
    let mut world = World::new("bench_limit").await;
    let window = Duration::from_secs(window_s);
    let seconds = window_s.to_string();
    let settings = [
        ("AI_RATE_LIMIT_PER_MINUTE", "20"),
        ("GLEANER__LIMITS__WINDOW_S", seconds.as_str()),
        ("GLEANER__LOG__LEVEL", "warn,gleaner::cli=info"),
    ];
    let mut crew = Crew::of(4, &world, &settings);
    let started = Instant::now();
    world.produce(&asks("limited", MESSAGES)).await;
    crew.suffer(kills, Duration::from_secs(5)).await;
    world.completions.take_until(MESSAGES, Duration::from_secs(600)).await;
    let took = started.elapsed();
    let most = world.model.most_within(window, None);
    assert!(most <= LIMIT, "{most} requests in a window");
    let ideal = window * (MESSAGES / LIMIT) as u32;
    let twice = "select count(*) from (select item_id from item_history
        where what = 'parked' and reason = 'rate_limited' group by item_id having count(*) > 1) t";
    let twice = rows::count(&world.database, twice).await;
    format!(
        "| {window_s} s, {kills} SIGKILLs | {:.1} s, {:.2} | {most} | {:.1} % |",
        took.as_secs_f64(),
        took.as_secs_f64() / ideal.as_secs_f64(),
        twice as f64 * 100.0 / MESSAGES as f64
    )
}
