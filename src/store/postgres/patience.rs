//! How long a statement may go without an answer.
//!
//! The server bounds its own work; when the network swallows its answer, nobody would tell until
//! the kernel gives up. So every call has a bound of this side, and a connection that a call was
//! dropped on proves itself before another has it, or is thrown away.

use std::io::{Error as IoError, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Error};

use crate::store::{StoreError, Stored};

/// For a call of one statement or few; the server's own bound is 30 seconds.
const SHORT: Duration = Duration::from_secs(40);
/// For a call of as many statements as there are messages.
const LONG: Duration = Duration::from_secs(600);
/// How long a connection has to prove itself.
const PROOF: Duration = Duration::from_secs(5);

/// The bounds, and when a call was last dropped before its answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Patience {
    dropped_at: Arc<Mutex<Option<Instant>>>,
}

impl Patience {
    /// Bounds a call of one statement or few.
    pub(super) async fn short<T>(&self, call: impl Future<Output = Stored<T>>) -> Stored<T> {
        self.bound(SHORT, call).await
    }

    /// Bounds a call whose statements are as many as its messages.
    pub(super) async fn long<T>(&self, call: impl Future<Output = Stored<T>>) -> Stored<T> {
        self.bound(LONG, call).await
    }

    async fn bound<T>(
        &self,
        longest: Duration,
        call: impl Future<Output = Stored<T>>,
    ) -> Stored<T> {
        let mut call = Box::pin(call);
        // Dropped before the call is, so that its connection is not trusted on its way back.
        let mut watch = Watch { patience: self, answered: false };
        let answer = tokio::time::timeout(longest, call.as_mut()).await;
        watch.answered = answer.is_ok();
        answer.unwrap_or_else(|_| {
            let why = format!("no answer within {} s", longest.as_secs());
            Err(StoreError::Unavailable(Error::Io(IoError::new(ErrorKind::TimedOut, why))))
        })
    }

    /// Whether a connection may be used again; an error closes it at once.
    pub(super) async fn proven(&self, connection: &mut PgConnection) -> Result<bool, Error> {
        let dropped = *self.dropped_at.lock().unwrap_or_else(PoisonError::into_inner);
        if dropped.is_some_and(|at| at.elapsed() < PROOF) {
            let proof = tokio::time::timeout(PROOF, connection.ping()).await;
            proof.map_err(|_| Error::Io(ErrorKind::TimedOut.into()))??;
        }
        Ok(true)
    }
}

/// Notes a call that ends without its answer, whoever dropped it.
struct Watch<'a> {
    patience: &'a Patience,
    answered: bool,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.answered {
            let now = Some(Instant::now());
            *self.patience.dropped_at.lock().unwrap_or_else(PoisonError::into_inner) = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_statement_that_is_never_answered_ends_as_an_absent_database() {
        let patience = Patience::default();
        let error = patience.short(std::future::pending::<Stored<()>>()).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        assert!(patience.dropped_at.lock().unwrap().is_some(), "its connection is trusted");
    }

    #[tokio::test]
    async fn an_answer_leaves_its_connection_trusted() {
        let patience = Patience::default();
        patience.short(async { Ok(()) }).await.unwrap();
        assert!(patience.dropped_at.lock().unwrap().is_none());
    }
}
