//! What is SQLite's own; all else is in the contract suite.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use sqlx::{Executor as _, SqlSafeStr as _};

use super::SqliteStore;
use crate::domain::ids::ItemId;
use crate::settings::DatabaseSettings;
use crate::store::{CacheLookup, Claim, Claimed, Due, Store as _, StoreError};

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

#[tokio::test]
async fn every_statement_is_understood_by_the_engine() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&settings(&directory)).await.unwrap();
    store.migrate().await.unwrap();
    let lists = [
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
    let mut connection = store.writer.acquire().await.unwrap();
    for (name, text) in lists.concat() {
        let prepared = connection.prepare(text.into_sql_str()).await;
        assert!(prepared.is_ok(), "{name}: {}", prepared.unwrap_err());
    }
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
