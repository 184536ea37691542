//! The private PostgreSQL and RabbitMQ that `make test` starts, and a corner of each per test.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection, Executor, PgConnection};

fn from_environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: this test needs real servers. Run it through `make test`, or `scripts/servers with cargo test`.")
    })
}

/// The URL of the PostgreSQL server's own database.
pub(crate) fn postgres_url() -> String {
    from_environment("GLEANER_TEST_POSTGRES")
}

/// The URL of RabbitMQ's default virtual host.
pub(crate) fn amqp_url() -> String {
    from_environment("GLEANER_TEST_AMQP")
}

/// A name that no other test of this run uses.
pub(crate) fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let nanos =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    format!("{what}_{}_{nanos}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A database of its own; its URL.
pub(crate) async fn fresh_database() -> String {
    let url = postgres_url();
    let name = unique("gleaner");
    let mut admin = PgConnection::connect(&url).await.expect("PostgreSQL is there");
    admin.execute(sqlx::AssertSqlSafe(format!("create database {name}"))).await.unwrap();
    let server = url.rsplit_once('/').expect("the URL names a database").0;
    format!("{server}/{name}")
}
