//! What is SQLite's own; all else is in the contract suite.

use secrecy::SecretString;
use sqlx::{Executor as _, SqlSafeStr as _};

use super::SqliteStore;
use crate::settings::DatabaseSettings;
use crate::store::{Store as _, StoreError};

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
        super::admit::STATEMENTS,
        super::ledger::STATEMENTS,
        super::context::STATEMENTS,
        super::cache::STATEMENTS,
        super::record::STATEMENTS,
        super::fold::STATEMENTS,
        super::figures::STATEMENTS,
        super::schedule::STATEMENTS,
        super::report::STATEMENTS,
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
