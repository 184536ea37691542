//! The rows of a world's PostgreSQL, as an operator's own query sees them.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};

use super::world::PATIENCE;

/// A connection whose tables are Gleaner's.
pub(crate) async fn connect(database: &str) -> PgConnection {
    let options: PgConnectOptions = database.parse().unwrap();
    options.options([("search_path", "gleaner")]).connect().await.unwrap()
}

/// What a statement counts.
pub(crate) async fn count(database: &str, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(&mut connect(database).await).await.unwrap()
}

/// Returns once a statement counts any.
pub(crate) async fn appeared(database: &str, statement: &'static str) {
    let until = tokio::time::Instant::now() + PATIENCE;
    let mut rows = connect(database).await;
    loop {
        let counted: i64 = sqlx::query_scalar(statement).fetch_one(&mut rows).await.unwrap();
        if counted > 0 {
            return;
        }
        assert!(tokio::time::Instant::now() < until, "nothing came of {statement}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
