//! The rows of a world's PostgreSQL, as an operator's own query sees them.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};

/// A connection whose tables are Gleaner's.
pub(crate) async fn connect(database: &str) -> PgConnection {
    let options: PgConnectOptions = database.parse().unwrap();
    options.options([("search_path", "gleaner")]).connect().await.unwrap()
}

/// What a statement counts.
pub(crate) async fn count(database: &str, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(&mut connect(database).await).await.unwrap()
}
