//! What `trait Store` promises, held against both engines.
//!
//! A promise is an async function over a harness; `promises!` makes a test of
//! it for each engine, on a database of its own.

/// Makes a test of each promise on one engine.
macro_rules! on_engine {
    ($engine:ident, $harness:path, $($promise:ident)+) => {
        mod $engine {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    let harness = <$harness as crate::store::harness::Harness>::fresh().await;
                    super::$promise(&harness).await;
                    crate::store::harness::Harness::finish(harness).await;
                }
            )+
        }
    };
}

/// Makes a test of each promise on every engine.
macro_rules! promises {
    ($($promise:ident),+ $(,)?) => {
        on_engine!(sqlite, crate::store::on_sqlite::OnSqlite, $($promise)+);
        on_engine!(postgres, crate::store::on_postgres::OnPostgres, $($promise)+);
    };
}

mod harness;
mod on_sqlite;
mod on_postgres;
mod samples;

mod process;
mod ingest;
mod claim;
mod settled;
mod reopened;
mod park;
mod admission;
mod lines;
mod turns;
mod provider;
mod budgets;
mod room;
mod ledger;
mod resolve;
mod flights;
mod record;
mod projections;
mod runs;
mod suggestions;
mod context;
mod schedule;
mod sweeps;
mod reports;
mod cache;
mod figures;
mod rollout;
mod retention;
mod carried;
mod alerts;
mod signals;
