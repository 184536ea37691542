//! SQLite under test: a file in a directory of its own.

use std::sync::Arc;

use gleaner::settings::DatabaseSettings;
use gleaner::store::Store as _;
use gleaner::store::sqlite::SqliteStore;
use secrecy::SecretString;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;

use super::harness::Harness;

pub(crate) struct OnSqlite {
    store: Arc<SqliteStore>,
    producer: SqlitePool,
    directory: TempDir,
}

impl Harness for OnSqlite {
    type Engine = SqliteStore;

    async fn fresh() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gleaner.db");
        let settings = DatabaseSettings {
            url: SecretString::from(format!("sqlite:{}", path.display())),
            schema: "gleaner".to_owned(),
            connections: 4,
            acquire_timeout_s: 60,
            migrate_at_start: true,
        };
        let store = SqliteStore::open(&settings).await.unwrap();
        store.migrate().await.unwrap();
        let producer = SqlitePool::connect_lazy_with(SqliteConnectOptions::new().filename(path));
        Self { store: Arc::new(store), producer, directory }
    }

    fn store(&self) -> &Arc<SqliteStore> {
        &self.store
    }

    async fn produce(&self, statement: &'static str, parameters: &[&str]) {
        let query = parameters.iter().fold(sqlx::query(statement), |query, text| query.bind(*text));
        query.execute(&self.producer).await.unwrap();
    }

    async fn count(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement).fetch_one(&self.producer).await.unwrap()
    }

    async fn finish(self) {
        self.producer.close().await;
        self.store.close().await;
        self.directory.close().unwrap();
    }
}
