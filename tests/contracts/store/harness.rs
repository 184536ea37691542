//! An engine under test: a fresh database, its store, and a producer beside it.

use std::sync::Arc;
use std::time::Duration;

use gleaner::domain::ids::{Held, ItemId};
use gleaner::store::{Admission, AdmissionRequest, Claim, Claimed, Fenced, IngestBatch, Store};
use jiff::Timestamp;
use uuid::Uuid;

use super::samples::{chat, item};

/// A lease that outlasts any test.
pub(crate) const LONG: Duration = Duration::from_secs(600);

/// An engine with a database that nobody else has.
pub(crate) trait Harness: Sized {
    /// Its store.
    type Engine: Store;

    /// A migrated, empty database.
    async fn fresh() -> Self;

    /// The store on it.
    fn store(&self) -> &Arc<Self::Engine>;

    /// Runs a statement as an application does that shares the database. Parameters are text.
    async fn produce(&self, statement: &'static str, parameters: &[&str]);

    /// What a statement counts.
    async fn count(&self, statement: &'static str) -> i64;

    /// Lets so many minutes pass: whatever stands in the tables is so much older. Once hours are
    /// folded, only whole hours can.
    async fn pass(&self, minutes: u32);

    /// Moves an item's metric row to that second of its minute.
    async fn put_at_second(&self, item: &str, second: u32);

    /// When an item's metric row was written.
    async fn metric_at(&self, item: &str) -> Timestamp;

    /// Closes and removes it.
    async fn finish(self);

    /// Writes inputs.
    async fn ingest(&self, batch: &IngestBatch) {
        self.store().ingest(batch).await.unwrap();
    }

    /// Claims what must be free, for longer than the test lasts.
    async fn claim(&self, item: &ItemId) -> Claim {
        held(self.store().claim(item, LONG).await.unwrap())
    }

    /// Claims what must be free under a lease that is over at once: its worker died.
    async fn claim_and_die(&self, item: &ItemId) -> Claim {
        held(self.store().claim(item, Duration::ZERO).await.unwrap())
    }

    /// Whether the item can be claimed now; if so, it is.
    async fn is_free(&self, item: &ItemId) -> bool {
        matches!(self.store().claim(item, LONG).await.unwrap(), Claimed::Held(_))
    }

    /// Edits a message's text, as a higher revision.
    async fn edit(&self, message: &str) {
        let edit = "update messages set revision = revision + 1, text = $2 where id = $1";
        self.produce(edit, &[message, "edited"]).await;
    }

    /// Lets the scheduler's time for an item come.
    async fn look_now(&self, item: &ItemId) {
        let look = "update queue_items set look_at = created_at where id = $1";
        self.produce(look, &[item.as_str()]).await;
    }

    /// Lets so many whole days pass.
    async fn pass_days(&self, days: u32) {
        self.pass(days * 24 * 60).await;
    }

    /// Asserts that the ledger's rows sum to the scopes' counters.
    async fn assert_balanced(&self) {
        let balance = self.store().ledger_balances().await.unwrap();
        assert!(balance.is_ok(), "{}", format!("{balance:?}"));
    }
}

/// The claim that must have been made.
pub(crate) fn held(claimed: Claimed) -> Claim {
    match claimed {
        Claimed::Held(claim) => *claim,
        Claimed::Settled { .. } | Claimed::NotNow => panic!("not held but {claimed:?}"),
    }
}

/// What a fenced write that must have been ours returned.
pub(crate) fn done<T: std::fmt::Debug>(fenced: Fenced<T>) -> T {
    match fenced {
        Fenced::Done(value) => value,
        Fenced::Lost => panic!("the lease was lost"),
    }
}

/// Message `m1`, newly said and claimed.
pub(crate) async fn holder(h: &impl Harness) -> Held {
    h.ingest(&chat(1)).await;
    h.claim(&item("m1")).await.held
}

/// The ledger row of a request that must be admitted.
pub(crate) async fn admit(h: &impl Harness, held: &Held, request: &AdmissionRequest) -> Uuid {
    let admission = h.store().admit(held, request).await.unwrap();
    let Admission::Admitted { ledger } = admission else {
        panic!("not admitted but {admission:?}")
    };
    ledger
}

/// The same item under the lease before.
pub(crate) fn earlier(held: &Held) -> Held {
    Held { item: held.item.clone(), lease: gleaner::domain::ids::Lease(held.lease.0 - 1) }
}
