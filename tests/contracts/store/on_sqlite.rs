//! SQLite under test: a file in a directory of its own.

use std::sync::Arc;

use gleaner::settings::DatabaseSettings;
use gleaner::store::Store as _;
use gleaner::store::sqlite::SqliteStore;
use jiff::Timestamp;
use secrecy::SecretString;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;

use super::harness::Harness;

/// Makes all rows so many microseconds older. A sum's instant is a part of its key, so sums make a
/// detour.
const PASS: [&str; 16] = [
    "update metrics set created_at = created_at - $1",
    "update metric_rollups set minute = minute - 1000000000000000",
    "update metric_rollups set minute = minute + 1000000000000000 - $1",
    "update metric_hours set hour = hour - 1000000000000000",
    "update metric_hours set hour = hour + 1000000000000000 - $1",
    "update folds set until = until - $1",
    "update queue_items set settled_at = settled_at - $1, claimed_at = claimed_at - $1,
        first_claimed_at = first_claimed_at - $1, created_at = created_at - $1,
        due_at = due_at - $1, look_at = look_at - $1, metric_at = metric_at - $1",
    "update item_history set at = at - $1",
    "update ledger set created_at = created_at - $1, admitted_at = admitted_at - $1,
        resolved_at = resolved_at - $1",
    "update scopes set starts_at = starts_at - $1, ends_at = ends_at - $1,
        opens_at = opens_at - $1,
        instants = (select json_group_array(value - $1) from json_each(instants))",
    "update providers set paused_until = paused_until - $1",
    "update cache set expires_at = expires_at - $1, created_at = created_at - $1",
    "update alerts set fired_at = fired_at - $1, resolved_at = resolved_at - $1",
    "update notices set look_at = look_at - $1, created_at = created_at - $1,
        confirmed_at = confirmed_at - $1",
    "update duties set next_at = next_at - $1",
    "update settings set changed_at = changed_at - $1",
];

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

    async fn pass(&self, minutes: u32) {
        let micros = (i64::from(minutes) * 60_000_000).to_string();
        for statement in PASS {
            let parameters = if statement.contains("$1") { vec![micros.as_str()] } else { vec![] };
            self.produce(statement, &parameters).await;
        }
    }

    async fn put_at_second(&self, item: &str, second: u32) {
        const PUT: &str = "update metrics set created_at = created_at - created_at % 60000000 + $2
            where item_id = $1";
        self.produce(PUT, &[item, &(i64::from(second) * 1_000_000).to_string()]).await;
    }

    async fn metric_at(&self, item: &str) -> Timestamp {
        let at = sqlx::query_scalar("select created_at from metrics where item_id = $1").bind(item);
        Timestamp::from_microsecond(at.fetch_one(&self.producer).await.unwrap()).unwrap()
    }

    async fn finish(self) {
        self.producer.close().await;
        self.store.close().await;
        self.directory.close().unwrap();
    }
}
