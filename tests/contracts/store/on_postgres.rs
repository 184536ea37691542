//! PostgreSQL under test: a database of its own, copied from one that was migrated once.

use std::str::FromStr as _;
use std::sync::Arc;

use gleaner::settings::DatabaseSettings;
use gleaner::store::Store as _;
use gleaner::store::postgres::PostgresStore;
use jiff::Timestamp;
use secrecy::SecretString;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgPool};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::harness::Harness;
use crate::support::turns::Turns;

/// Makes all rows older by an interval. A sum's instant is a part of its key, so sums make a detour.
const PASS: [&str; 17] = [
    "select count(make_metrics_day(day)) from (
        select distinct ((created_at - $1::interval) at time zone 'UTC')::date as day from metrics
    ) days",
    "update metrics set created_at = created_at - $1::interval",
    "update metric_rollups set minute = minute - interval '300000 hours'",
    "update metric_rollups set minute = minute + interval '300000 hours' - $1::interval",
    "update metric_hours set hour = hour - interval '300000 hours'",
    "update metric_hours set hour = hour + interval '300000 hours' - $1::interval",
    // While no hour is folded, it may be earlier than it needs to.
    "update folds set until = date_trunc('hour', until - $1::interval, 'UTC')",
    "update queue_items set settled_at = settled_at - $1::interval,
        claimed_at = claimed_at - $1::interval, first_claimed_at = first_claimed_at - $1::interval,
        created_at = created_at - $1::interval, due_at = due_at - $1::interval,
        look_at = look_at - $1::interval, metric_at = metric_at - $1::interval",
    "update item_history set at = at - $1::interval",
    "update ledger set created_at = created_at - $1::interval,
        admitted_at = admitted_at - $1::interval, resolved_at = resolved_at - $1::interval",
    "update scopes set starts_at = starts_at - $1::interval, ends_at = ends_at - $1::interval,
        opens_at = opens_at - $1::interval, instants = array(
            select at - $1::interval from unnest(instants) with ordinality as i (at, nth) order by nth
        )",
    "update providers set paused_until = paused_until - $1::interval",
    "update cache set expires_at = expires_at - $1::interval,
        created_at = created_at - $1::interval",
    "update alerts set fired_at = fired_at - $1::interval,
        resolved_at = resolved_at - $1::interval",
    "update notices set look_at = look_at - $1::interval, created_at = created_at - $1::interval,
        confirmed_at = confirmed_at - $1::interval",
    "update duties set next_at = next_at - $1::interval",
    "update settings set changed_at = changed_at - $1::interval",
];

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

    async fn pass(&self, minutes: u32) {
        // In hours and minutes, whose length no calendar changes.
        let interval = format!("{minutes} minutes");
        for statement in PASS {
            let parameters =
                if statement.contains("$1") { vec![interval.as_str()] } else { vec![] };
            self.produce(statement, &parameters).await;
        }
    }

    async fn put_at_second(&self, item: &str, second: u32) {
        const PUT: &str = "update metrics
            set created_at = date_trunc('minute', created_at) + $2::interval where item_id = $1";
        const TOLD: &str = "update queue_items set metric_at = m.created_at
            from metrics m where m.item_id = $1 and id = $1";
        self.produce(PUT, &[item, &format!("{second} seconds")]).await;
        self.produce(TOLD, &[item]).await;
    }

    async fn metric_at(&self, item: &str) -> Timestamp {
        const AT: &str = "select (extract(epoch from created_at) * 1000000)::bigint from metrics
            where item_id = $1";
        let at = sqlx::query_scalar(AT).bind(item);
        Timestamp::from_microsecond(at.fetch_one(&self.producer).await.unwrap()).unwrap()
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
