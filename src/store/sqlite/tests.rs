//! What is SQLite's own; all else is in the contract suite.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use sqlx::{Executor as _, Row as _, SqlSafeStr as _};

use super::SqliteStore;
use crate::domain::ids::ItemId;
use crate::domain::latency::Latencies;
use crate::settings::DatabaseSettings;
use crate::store::{
    CacheLookup, Claim, Claimed, Due, LedgerQuery, LedgerState, Store as _, StoreError, Stretch,
    migrations,
};

fn settings(directory: &tempfile::TempDir) -> DatabaseSettings {
    let path = directory.path().join("gleaner.db");
    DatabaseSettings {
        url: SecretString::from(format!("sqlite:{}", path.display())),
        schema: "gleaner".to_owned(),
        connections: 2,
        acquire_timeout_s: 10,
        migrate_at_start: true,
    }
}

/// The statements of all files.
const STATEMENTS: &[&[(&str, &str)]] = &[
    super::open::STATEMENTS,
    super::seat::STATEMENTS,
    super::ingest::STATEMENTS,
    super::claim::STATEMENTS,
    super::park::STATEMENTS,
    super::scopes::STATEMENTS,
    super::lines::STATEMENTS,
    super::calling::STATEMENTS,
    super::provider::STATEMENTS,
    super::admit::STATEMENTS,
    super::ledger::STATEMENTS,
    super::resolve::STATEMENTS,
    super::balance::STATEMENTS,
    super::budgets::STATEMENTS,
    super::context::STATEMENTS,
    super::cache::STATEMENTS,
    super::entries::STATEMENTS,
    super::record::STATEMENTS,
    super::fold::STATEMENTS,
    super::figures::STATEMENTS,
    super::hours::STATEMENTS,
    super::stretch::STATEMENTS,
    super::rollout::STATEMENTS,
    super::sweep::STATEMENTS,
    super::carry::STATEMENTS,
    super::schedule::STATEMENTS,
    super::runtime::STATEMENTS,
    super::alerts::STATEMENTS,
    super::notices::STATEMENTS,
    super::signals::STATEMENTS,
    super::report::STATEMENTS,
    super::suggestions::STATEMENTS,
];

#[tokio::test]
async fn every_statement_is_understood_by_the_engine() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&settings(&directory)).await.unwrap();
    store.migrate().await.unwrap();
    let mut connection = store.writer.acquire().await.unwrap();
    for (name, text) in STATEMENTS.concat() {
        let prepared = connection.prepare(text.into_sql_str()).await;
        assert!(prepared.is_ok(), "{name}: {}", prepared.unwrap_err());
    }
}

#[tokio::test]
async fn figures_upkeep_and_alerts_read_no_table_from_end_to_end() {
    const LARGE: [&str; 6] =
        ["metrics", "metric_rollups", "metric_hours", "ledger", "queue_items", "item_history"];
    let directory = tempfile::tempdir().unwrap();
    let store = opened(&directory).await;
    let lists = [
        super::figures::STATEMENTS,
        super::hours::STATEMENTS,
        super::stretch::STATEMENTS,
        super::rollout::STATEMENTS,
        super::sweep::STATEMENTS,
        super::carry::STATEMENTS,
        super::alerts::STATEMENTS,
        super::notices::STATEMENTS,
        super::signals::STATEMENTS,
    ];
    for (name, text) in lists.concat() {
        let plan = sqlx::AssertSqlSafe(format!("explain query plan {text}"));
        for row in sqlx::query(plan).fetch_all(&store.readers).await.unwrap() {
            let step: String = row.get("detail");
            let table = step.strip_prefix("SCAN ").unwrap_or_default();
            let is_all = !step.contains("USING") && !step.contains("VIRTUAL TABLE");
            // Aliases are a letter; those of what is folded are a few rows.
            let is_large = LARGE.contains(&table) || ["r", "h", "l", "q"].contains(&table);
            assert!(!(is_all && is_large), "{name}: {step}");
        }
    }
}

/// Rows as the release before wrote them.
const BEFORE: [&str; 3] = [
    "insert into queue_items (id, status, revision, due_at, created_at) values ('a', 'skipped', 1, 0, 0)",
    "insert into ledger (id, state, tenant, item_id, lease, revision, event_id, agent, model,
        fingerprint, scopes, rates, admitted_at, reserved, created_at, resolved_at, why)
    values ('018f6d2e-0000-7000-8000-000000000001', 'ambiguous', 't', 'a', 1, 1, 'e', 'x', 'm', 'f',
        '[]', '[]', 1, 400, 1, 2, 'unanswered')",
    "insert into cache (key, answer, model, usage, cost, expires_at)
    values ('key', '\"ü\"', 'm', '{}', 0, 0)",
];
const METRIC: &str =
    "insert into metrics (item_id, revision, tenant, outcome, intent, agent, cached,
        latency_us, calls, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
        cache_write_1h_tokens, cost, ambiguous_cost, avoided_tokens, avoided_cost, created_at)
    values (?1, 1, 't', 'completed', 'query', 'x', ?2, ?3, 1, 1, 2, 3, 4, 5, 100, 10, 7, 70, ?4)";

/// A file of the release before, with its rows.
async fn of_the_release_before(directory: &tempfile::TempDir) -> SqliteStore {
    let store = SqliteStore::open(&settings(directory)).await.unwrap();
    let (mut tx, now) = store.write().await.ok().unwrap();
    let before = migrations::migrator(&migrations::SQLITE[..3]);
    before.run_direct(None, &mut *tx, false).await.unwrap();
    for statement in BEFORE {
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
    }
    for (id, cached, micros, minutes) in
        [("a", true, 1_234_567, 9), ("b", false, 1, 9), ("c", true, 0, 4)]
    {
        let at = now - minutes * 60_000_000;
        let query = sqlx::query(METRIC).bind(id).bind(cached).bind(micros).bind(at);
        query.execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    store
}

#[tokio::test]
async fn rows_of_the_release_before_are_carried_over() {
    let directory = tempfile::tempdir().unwrap();
    let store = of_the_release_before(&directory).await;
    store.migrate().await.unwrap();
    let hour = Stretch::last(Duration::from_secs(3_600));
    let sums = store.figures(hour).await.unwrap().total();
    assert_eq!((sums.items, sums.cached, sums.asked, sums.calls, sums.tokens), (3, 2, 1, 3, 45));
    assert_eq!((sums.cost.0, sums.avoided_tokens, sums.avoided_cost.0), (300, 21, 210));
    let latencies = [1_234_567, 1, 0].map(Duration::from_micros);
    let mut expected = Latencies::default();
    latencies.into_iter().for_each(|latency| expected.add(latency));
    assert_eq!(store.latencies(hour).await.unwrap(), expected);
    assert_eq!(store.cache_report().await.unwrap().bytes, 3 + 4);
    let row =
        store.ledger(&LedgerQuery { limit: 9, ..LedgerQuery::default() }).await.unwrap().remove(0);
    assert_eq!((row.state, row.why.as_deref()), (LedgerState::Ambiguous, Some("unanswered")));
    let at = "select count(*) from queue_items join metrics on item_id = id where metric_at = metrics.created_at";
    assert_eq!(sqlx::query_scalar::<_, i64>(at).fetch_one(&store.readers).await.unwrap(), 1);
}

#[tokio::test]
async fn a_statement_whose_table_is_missing_is_refused_and_not_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&settings(&directory)).await.unwrap();
    assert!(matches!(store.queue().await, Err(StoreError::Refused(_))));
    assert!(matches!(store.check().await, Err(StoreError::NotMigrated(_))));
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_and_its_companions_are_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&settings(&directory)).await.unwrap();
    store.migrate().await.unwrap();
    store.take_seat().await.unwrap();
    for name in ["gleaner.db", "gleaner.db-wal", "gleaner.db-shm", "gleaner.db.lock"] {
        let mode = std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_file_has_one_worker_until_it_closes() {
    let directory = tempfile::tempdir().unwrap();
    let first = SqliteStore::open(&settings(&directory)).await.unwrap();
    let second = SqliteStore::open(&settings(&directory)).await.unwrap();
    first.migrate().await.unwrap();
    first.take_seat().await.unwrap();
    assert!(matches!(second.take_seat().await, Err(StoreError::AnotherWorker(_))));
    first.close().await;
    second.take_seat().await.unwrap();
}

async fn opened(directory: &tempfile::TempDir) -> SqliteStore {
    let store = SqliteStore::open(&settings(directory)).await.unwrap();
    store.migrate().await.unwrap();
    store
}

async fn claim(store: &SqliteStore, id: &str) -> Claim {
    let item = ItemId::parse(id).unwrap();
    match store.claim(&item, Duration::from_secs(600)).await.unwrap() {
        Claimed::Held(claim) => *claim,
        other @ (Claimed::Settled { .. } | Claimed::NotNow) => panic!("not held but {other:?}"),
    }
}

#[tokio::test]
async fn whoever_takes_the_seat_takes_back_every_lease() {
    let directory = tempfile::tempdir().unwrap();
    let crashed = opened(&directory).await;
    let held = claim(&crashed, "m1").await.held;
    assert_eq!(crashed.cached_or_flight(&held, "key").await.unwrap(), CacheLookup::Leader);
    drop(crashed);
    let next = opened(&directory).await;
    next.take_seat().await.unwrap();
    let due = next.tick(9, Duration::from_secs(60), true).await.unwrap();
    assert_eq!(due, [Due::Hint(held.item.clone())]);
    let again = claim(&next, "m1").await;
    assert_eq!(again.attempt, 2, "the attempt that ended in a crash counts");
    let other = claim(&next, "m2").await.held;
    assert_eq!(next.cached_or_flight(&other, "key").await.unwrap(), CacheLookup::Leader);
    let history = "select count(*) from item_history where what = 'taken_over' and item_id = 'm1'";
    let rows: i64 = sqlx::query_scalar(history).fetch_one(&next.readers).await.unwrap();
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn whoever_takes_the_seat_hints_anew_what_a_dead_process_had_hinted() {
    let directory = tempfile::tempdir().unwrap();
    let crashed = opened(&directory).await;
    let held = claim(&crashed, "m1").await.held;
    crashed.release(std::slice::from_ref(&held)).await.unwrap();
    let minute = Duration::from_secs(60);
    assert_eq!(crashed.tick(9, minute, true).await.unwrap(), [Due::Hint(held.item.clone())]);
    drop(crashed);
    let next = opened(&directory).await;
    next.take_seat().await.unwrap();
    assert_eq!(next.tick(9, minute, true).await.unwrap(), [Due::Hint(held.item)]);
}

#[tokio::test]
async fn two_processes_may_write_at_the_same_time() {
    let directory = tempfile::tempdir().unwrap();
    let stores = [Arc::new(opened(&directory).await), Arc::new(opened(&directory).await)];
    let mut writing = tokio::task::JoinSet::new();
    for n in 0..80 {
        let store = Arc::clone(&stores[n % 2]);
        writing.spawn(async move { claim(&store, &format!("m{n}")).await.attempt });
    }
    assert_eq!(writing.join_all().await, [1; 80]);
    assert_eq!(stores[0].queue().await.unwrap().processing, 80);
}

#[tokio::test]
async fn a_write_that_is_dropped_halfway_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let store = opened(&directory).await;
    let mut made = 0;
    for round in 0..150u64 {
        let item = ItemId::parse(&format!("m{round}")).unwrap();
        let patience = Duration::from_micros(round * 7);
        let claiming = store.claim(&item, Duration::from_secs(600));
        made += u64::from(tokio::time::timeout(patience, claiming).await.is_ok());
    }
    // Whole claims or none: an item is never there without its lease.
    let queue = store.queue().await.unwrap();
    assert_eq!(queue.pending, 0);
    assert!(queue.processing >= made, "{queue:?} after {made}");
    claim(&store, "last").await;
}
