//! PostgreSQL under test: a database of its own, copied from one that was migrated once.

use std::str::FromStr as _;
use std::sync::Arc;

use gleaner::settings::DatabaseSettings;
use gleaner::store::Store as _;
use gleaner::store::postgres::PostgresStore;
use secrecy::SecretString;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgPool};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::harness::Harness;
use crate::support::turns::Turns;

/// The migrated database that all others are copied from.
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

pub(crate) struct OnPostgres {
    store: Arc<PostgresStore>,
    producer: PgPool,
    database: String,
}

impl Harness for OnPostgres {
    type Engine = PostgresStore;

    async fn fresh() -> Self {
        let template = TEMPLATE.get_or_init(template).await;
        let database = name();
        administer(format!("create database {database} template {template}")).await;
        let store = connect(&database).await;
        let options = server().database(&database).options([("search_path", "gleaner")]);
        let producer = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
        Self { store: Arc::new(store), producer, database }
    }

    fn store(&self) -> &Arc<PostgresStore> {
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
        administer(format!("drop database {} with (force)", self.database)).await;
    }
}

impl OnPostgres {
    /// A second store on the same database, with one connection whose round trips are counted.
    pub(crate) async fn counted(&self) -> (PostgresStore, Turns) {
        let url = server().database(&self.database).to_url_lossy().to_string();
        let turns = Turns::before(&url).await;
        (connect_to(turns.stand_in(&url), 1).await, turns)
    }
}

async fn template() -> String {
    let database = name();
    administer(format!("create database {database}")).await;
    let store = connect(&database).await;
    store.migrate().await.unwrap();
    store.close().await;
    database
}

async fn connect(database: &str) -> PostgresStore {
    connect_to(server().database(database).to_url_lossy().to_string(), 4).await
}

async fn connect_to(url: String, connections: u32) -> PostgresStore {
    let settings = DatabaseSettings {
        url: SecretString::from(url),
        schema: "gleaner".to_owned(),
        connections,
        acquire_timeout_s: 60,
        migrate_at_start: true,
    };
    PostgresStore::connect(&settings).await.unwrap()
}

fn name() -> String {
    format!("contract_{}", Uuid::new_v4().simple())
}

fn server() -> PgConnectOptions {
    let url = std::env::var("GLEANER_TEST_POSTGRES")
        .expect("GLEANER_TEST_POSTGRES names no server: run it through make test");
    PgConnectOptions::from_str(&url).unwrap()
}

async fn administer(statement: String) {
    let mut connection = server().connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
