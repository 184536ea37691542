//! The worker's seat: a lock file beside the database, so that one process is its worker.
//!
//! The lock goes with the process, however it ends. Whoever has it knows that
//! every lease in the file is a dead process's, and takes all of them back.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::PoisonError;

use super::open::{cannot_open, make_private};
use super::{Done, Micros, SqliteStore, Write};
use crate::store::StoreError;

statements! {
    NOTE_TAKEOVERS = "insert into item_history (item_id, at, what, lease, attempt)
        select id, ?1, 'taken_over', lease, attempt
        from queue_items where status = 'processing'";
    TAKE_BACK = "update queue_items
        set status = 'pending', lease_until = null, due_at = ?1, look_at = ?1, hints = 0
        where status = 'processing'";
    // Their holders are gone, so those who wait for them need not.
    WAKE_FOLLOWERS = "update queue_items
        set waits_for = null, park_reason = null, due_at = min(due_at, ?1), look_at = ?1, hints = 0
        where status = 'pending' and waits_for in (select key from flights where item_id is not null)";
    // Hints of the queue in process went with it: what is due is not to wait for a second one.
    HINT_ANEW = "update queue_items set look_at = max(due_at, ?1), hints = 0
        where status = 'pending' and look_at > max(due_at, ?1)";
    END_FLIGHTS = "delete from flights where item_id is not null";
}

impl SqliteStore {
    /// Locks the seat and takes back every lease; again by the same process changes nothing.
    pub(super) async fn sit_down(&self) -> Done<()> {
        if self.is_seated() {
            return Ok(());
        }
        let lock = self.lock_file()?;
        let (mut tx, now) = self.write().await?;
        take_back_leases(&mut tx, now).await?;
        tx.commit().await?;
        *self.seat.lock().unwrap_or_else(PoisonError::into_inner) = Some(lock);
        Ok(())
    }

    /// Gives the seat up.
    pub(super) fn stand_up(&self) {
        self.seat.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn is_seated(&self) -> bool {
        self.seat.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn lock_file(&self) -> Done<File> {
        let mut name = self.path.clone().into_os_string();
        name.push(".lock");
        let name = PathBuf::from(name);
        let file = make_private(&name).map_err(|error| cannot_open(&name, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                Err(StoreError::AnotherWorker(self.path.display().to_string()).into())
            }
            Err(TryLockError::Error(error)) => Err(sqlx::Error::Io(error).into()),
        }
    }
}

async fn take_back_leases(tx: &mut Write, now: Micros) -> Done<()> {
    for statement in [NOTE_TAKEOVERS, TAKE_BACK, WAKE_FOLLOWERS, HINT_ANEW] {
        sqlx::query(statement).bind(now).execute(&mut **tx).await?;
    }
    sqlx::query(END_FLIGHTS).execute(&mut **tx).await?;
    Ok(())
}
