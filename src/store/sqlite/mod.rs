//! The embedded engine: one SQLite file, one writer.
//!
//! Every write transaction begins immediate on the one writer connection, and
//! takes its instant after it has the write lock; so what it judges is what it
//! changes. Reads go to a pool of their own and see the last commit. One file
//! a stage; the statements of each stand in its `statements!` list.

/// Names the statements of a file; under test, also lists them, so that each can be prepared.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)+) => {
        $($(#[$doc])* const $name: &str = $text;)+

        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}

mod codec;
mod open;
mod seat;
mod ingest;
mod claim;
mod park;
mod places;
mod room;
mod scopes;
mod lines;
mod calling;
mod provider;
mod admit;
mod ledger;
mod resolve;
mod balance;
mod budgets;
mod context;
mod cache;
mod entries;
mod record;
mod fold;
mod figures;
mod hours;
mod stretch;
mod rollout;
mod sweep;
mod carry;
mod schedule;
mod runtime;
mod alerts;
mod notices;
mod signals;
mod report;
mod suggestions;
mod engine;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::store::StoreError;

/// A SQLite file as a store.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    writer: SqlitePool,
    readers: SqlitePool,
    /// The lock file while this process is the worker.
    seat: Mutex<Option<File>>,
}

/// A write transaction.
type Write = Transaction<'static, Sqlite>;

/// An instant, in microseconds since 1970 UTC, as rows have it.
type Micros = i64;

/// What a stage returns; `?` takes what sqlx says and what a row's reader says.
type Done<T> = Result<T, Trouble>;

/// A store's error on its way out.
#[derive(Debug)]
struct Trouble(StoreError);

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        trouble.0
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self(if may_pass(&error) {
            StoreError::Unavailable(error)
        } else {
            StoreError::Refused(error)
        })
    }
}

/// Whether the same statement may work later: the file is locked, full, or out of reach.
fn may_pass(error: &sqlx::Error) -> bool {
    /// BUSY, LOCKED, NOMEM, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL.
    const PASSING: [i64; 8] = [5, 6, 7, 9, 10, 13, 14, 15];
    if let Some(refusal) = error.as_database_error() {
        let code = refusal.code().and_then(|code| code.parse::<i64>().ok());
        return code.is_some_and(|code| PASSING.contains(&(code & 0xff)));
    }
    matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
    )
}

impl SqliteStore {
    /// A write transaction, and its one instant, taken after it has the write lock.
    async fn write(&self) -> Done<(Write, Micros)> {
        let tx = self.writer.begin_with("begin immediate").await?;
        Ok((tx, Timestamp::now().as_microsecond()))
    }
}

/// A duration as rows have it.
fn micros(duration: Duration) -> Micros {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

/// The time between two instants; none when the second is not later.
fn between(earlier: Micros, later: Micros) -> Duration {
    Duration::from_micros(u64::try_from(later.saturating_sub(earlier)).unwrap_or(0))
}
