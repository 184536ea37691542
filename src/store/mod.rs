//! Where the truth is kept: the trait that both engines implement.
//!
//! A method is one step of a message's way, usually one round trip. Every write
//! after the claim is fenced by the lease: [`Fenced::Lost`] means "not ours any
//! more", a normal answer after which the caller writes nothing else. Instants
//! that decide (leases, limits, due times) are the database's own; callers give
//! durations. Both engines pass the one contract suite in `tests/contracts`.

pub mod types;
mod limits;
mod runs;
mod reports;
mod figures;
mod alerts;
mod migrations;
pub mod postgres;
pub mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::domain::chat::{Event, Vendor};
use crate::domain::ids::{EventId, Held, ItemId, MessageId};
use crate::domain::latency::Latencies;
use crate::domain::projection::Projections;
use crate::domain::suggestion::SuggestionRow;
use crate::domain::usage::NanoUsd;
use crate::fault::{Fault, Park};
use crate::settings::DatabaseSettings;

pub use alerts::*;
pub use figures::*;
pub use limits::*;
pub use reports::*;
pub use runs::{ItemKind, News, RunRecord, SuggestAfter};
pub use types::*;

/// What a store says when it could not do what was asked. What lies beneath is in the text, and so
/// not told as a source again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or gave up on the statement; it may work later.
    #[error("the database is unavailable: {0}")]
    Unavailable(sqlx::Error),
    /// The statement is wrong for this database: a missing table, a missing right, a broken row.
    #[error("the database refused a statement: {0}")]
    Refused(sqlx::Error),
    /// A row holds what no version of Gleaner writes.
    #[error("{table} row {id} cannot be read: {why}")]
    BadRow {
        /// The table.
        table: &'static str,
        /// The row's key.
        id: String,
        /// What is wrong with it.
        why: String,
    },
    /// The schema is newer than this binary may work on.
    #[error(
        "the schema is at version {version} and wants a binary of at least {oldest_binary}; this is {}",
        env!("CARGO_PKG_VERSION")
    )]
    BinaryTooOld {
        /// The schema's version.
        version: i64,
        /// The oldest release that may work on it.
        oldest_binary: String,
    },
    /// The schema was never laid, or an older release laid it.
    #[error("the schema is not up to date ({0}); run `gleaner migrate`")]
    NotMigrated(String),
    /// Another process is the worker of this SQLite file.
    #[error("another process works on {0}: its lock file is held")]
    AnotherWorker(String),
    /// A migration failed.
    #[error("the migrations failed: {0}")]
    Migration(sqlx::migrate::MigrateError),
}

impl From<StoreError> for Fault {
    /// All of these may pass: the database comes back, the operator migrates.
    fn from(error: StoreError) -> Self {
        Self::transient(error)
    }
}

/// A store's result.
pub type Stored<T> = Result<T, StoreError>;

/// Whether a fenced write was still ours to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Fenced<T = ()> {
    /// It was made.
    Done(T),
    /// The lease is not ours any more; nothing was written.
    Lost,
}

/// Opens the store that the URL's scheme names; nothing is migrated or checked yet.
///
/// # Errors
/// [`StoreError::Unavailable`] when the database is not there.
pub async fn open(settings: &DatabaseSettings) -> Stored<Arc<dyn Store>> {
    if settings.url.expose_secret().starts_with("sqlite:") {
        return Ok(Arc::new(sqlite::SqliteStore::open(settings).await?));
    }
    Ok(Arc::new(postgres::PostgresStore::connect(settings).await?))
}

/// The tables of one engine.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    // ---- the process ----

    /// `postgres` or `sqlite`, for logs and `check`.
    fn engine(&self) -> &'static str;

    /// Brings the schema up to this binary's version; safe beside others doing the same.
    async fn migrate(&self) -> Stored<()>;

    /// One round trip, which also compares the schema's version with this binary.
    ///
    /// # Errors
    /// [`StoreError::NotMigrated`] and [`StoreError::BinaryTooOld`] beside the usual ones.
    async fn check(&self) -> Stored<StoreCheck>;

    /// Takes the worker's seat. SQLite: locks the file beside the database, and takes back every
    /// lease that an earlier process left. PostgreSQL: nothing, replicas share.
    ///
    /// # Errors
    /// [`StoreError::AnotherWorker`] when another process has the seat.
    async fn take_seat(&self) -> Stored<()>;

    /// Closes all connections; the seat is free afterwards.
    async fn close(&self);

    // ---- inputs ----

    /// Writes an event, its rooms and messages; known messages stay as they are. New ones are
    /// enqueued in the same transaction. Events and participants are updated by ID.
    async fn ingest(&self, batch: &IngestBatch) -> Stored<IngestReport>;

    // ---- claim ----

    /// `pending → processing` under a new lease, with message, room and event in the same round trip.
    ///
    /// Makes the item's row when there is none. Re-opens a settled item whose message has a higher
    /// revision, or came after it was not found; as long as the item owes its completion event,
    /// that waits for the confirm. Reservations that an earlier lease of this item left become `ambiguous`.
    async fn claim(&self, item: &ItemId, lease: Duration) -> Stored<Claimed>;

    /// Moves the leases' end to the given time from now, all in one statement.
    /// Returns the items whose lease is not ours any more.
    async fn renew(&self, held: &[Held], lease: Duration) -> Stored<Vec<ItemId>>;

    /// Puts an item back to `pending`, due after the park's pause; writes a history row, gives up
    /// its flights and makes their followers due. With a `flight` that is not in the air any
    /// more, the item is due at once.
    async fn park(&self, held: &Held, park: &Park) -> Stored<Fenced>;

    /// Puts all of these back at once, due now, attempts given back: what a drain could not finish.
    /// Returns how many were still ours.
    async fn release(&self, held: &[Held]) -> Stored<u64>;

    // ---- admission and the ledger ----

    /// Asks all scopes at once and writes the ledger row `reserved`: all pass, or nothing changes but
    /// the line that a message joins which [queues](AdmissionRequest::queues).
    ///
    /// A line is in order of (`sent_at`, ID), and events take turns in the line of a budget that
    /// they share; whoever is new queues behind. [`Store::tick`] makes those due whose turn has come.
    async fn admit(&self, held: &Held, request: &AdmissionRequest) -> Stored<Admission>;

    /// `reserved → charged`, with the answer kept for replay. Not fenced: what was paid is paid.
    /// Charging an `ambiguous` row is allowed (its answer came late); any other state is left
    /// alone. What has no price becomes, or stays, `ambiguous`, and its answer is kept all the same.
    /// False when the row was closed before, by a person say, and nothing changed.
    async fn charge(&self, ledger: Uuid, charge: &Charge) -> Stored<bool>;

    /// `reserved → refunded`: nothing was sent, or the provider answered with an error body.
    /// With `place: false` the rate limits' places are kept as used, with `true` given back.
    async fn refund(&self, ledger: Uuid, place: bool) -> Stored<()>;

    /// `reserved → ambiguous` at the reserved worst case: sent, and no readable answer.
    async fn mark_ambiguous(&self, ledger: Uuid) -> Stored<()>;

    /// Takes in what a request taught: places that free sooner, and the provider's word on its
    /// limits. Told twice, it changes nothing.
    async fn heard(&self, ledger: Uuid, heard: &Heard) -> Stored<()>;

    /// Rows of the ledger, the newest first.
    async fn ledger(&self, query: &LedgerQuery) -> Stored<Vec<LedgerRow>>;

    /// `ambiguous → charged` at what a person found out, or `refunded` at a cost of 0. The figures
    /// of its message follow in the same transaction.
    async fn resolve(&self, ledger: Uuid, cost: NanoUsd, by: &str) -> Stored<Resolved>;

    /// The windows of one budget, the newest first; without a name those that run now of all
    /// budgets, events' budgets last and the most spent of them first. At most so many.
    async fn budgets(&self, name: Option<&str>, limit: u32) -> Stored<Vec<BudgetWindow>>;

    /// What operators set, by name.
    async fn budget_overrides(&self) -> Stored<Vec<BudgetOverride>>;

    /// Changes a budget's limit for all replicas at once; whoever waits for room is looked at.
    async fn set_budget(&self, name: &str, change: BudgetChange, by: &str) -> Stored<()>;

    // ---- context ----

    /// What the event knew just before a message, newest kept, in the order in which it was said.
    async fn context(&self, query: &ContextQuery) -> Stored<ContextRows>;

    /// All rows of an event: as they are now, or as they were just before a message (by its time
    /// and ID), refolded from what is settled.
    async fn projections(
        &self,
        event: &Event,
        before: Option<&(Timestamp, MessageId)>,
    ) -> Stored<Projections>;

    /// How many earlier messages of the room are neither settled nor parked.
    async fn unsettled_before(&self, message: &MessageId) -> Stored<u64>;

    /// Up to `limit` vendors of a kind: best rating first, then the least price, then the ID.
    async fn vendors(&self, kind: &str, limit: u32) -> Stored<Vec<Vendor>>;

    // ---- cache and flights ----

    /// The entry under a key that is not expired; else the key's flight is taken for this claim,
    /// or found in the air. A flight lives exactly as long as the claim that took it.
    async fn cached_or_flight(&self, held: &Held, key: &str) -> Stored<CacheLookup>;

    /// What all runs of an item's revision were charged for one question: its requests' fingerprint,
    /// and that of its repair.
    async fn spent_on_question(
        &self,
        item: &ItemId,
        revision: i64,
        fingerprints: [&str; 2],
    ) -> Stored<Spent>;

    // ---- record ----

    /// One transaction, fenced: enrichment, projections, metric and rollup, cache entry, flights,
    /// the end state, and the completion event that is owed from now on; the event's next
    /// suggestion run where its rows changed, and a run's suggestions that are new.
    async fn record(&self, held: &Held, record: &Record) -> Stored<Fenced<Recorded>>;

    /// What became of a record whose commit had an unknown end: true when the item was settled under this lease.
    async fn was_recorded(&self, held: &Held) -> Stored<bool>;

    /// The completion event was confirmed (or accepted as unroutable): nothing is owed any more,
    /// and a revision that came meanwhile re-opens the item. Another event's ID does nothing.
    async fn confirm(&self, item: &ItemId, completion: Uuid) -> Stored<()>;

    // ---- suggestions ----

    /// An event's suggestions in the order in which they were made; without an event the newest
    /// thousand of all events.
    async fn suggestions(&self, event: Option<&EventId>) -> Stored<Vec<SuggestionRow>>;

    /// Dismisses a suggestion for good; `false` when there is none of that ID. One that is
    /// dismissed already stays as it was.
    async fn dismiss_suggestion(&self, id: Uuid, by: &str) -> Stored<bool>;

    /// How long until the event's next suggestion run: no time while one is due or under way,
    /// `None` when none is waiting.
    async fn suggestions_pending(&self, event: &EventId) -> Stored<Option<Duration>>;

    // ---- schedule ----

    /// Up to `window` rows whose time to be looked at has come, each moved ahead before it is
    /// returned: due items and lost hints (at doubling intervals from `hint_after`), run-out
    /// leases, owed completion events. Without `second_hints`, only never-hinted items, run-out
    /// leases and owed events are returned. Rows another replica looks at are passed over.
    ///
    /// Makes those due, first, whose turn in a line has come.
    ///
    /// Sweeps on its way, a bounded number of rows each: what a lease that is over left reserved
    /// becomes `ambiguous`; and when nothing was due, expired cache entries go, and flights that
    /// nobody has flown for an hour.
    async fn tick(&self, window: u32, hint_after: Duration, second_hints: bool)
    -> Stored<Vec<Due>>;

    // ---- run-time settings ----

    /// What may change without a restart.
    async fn runtime(&self) -> Stored<RuntimeSettings>;

    /// Changes one thing of it for all replicas, on the locked row: two changes at a time both hold.
    /// The end of a pause makes those due who wait for it. Gives back what holds from now on.
    async fn change_runtime(&self, change: &RuntimeChange, by: &str) -> Stored<RuntimeSettings>;

    // ---- the cache, for operators ----

    /// What is in the cache.
    async fn cache_report(&self) -> Stored<CacheReport>;

    /// Drops all entries whose key begins with this, and moves the cache's
    /// [generation](RuntimeSettings::cache_generation) on, so that replicas empty their memory.
    /// Returns how many there were.
    async fn clear_cache(&self, prefix: &str) -> Stored<u64>;

    /// Drops those that expire soonest until there are no more entries and bytes than these.
    /// Returns how many went; a bounded number at a time.
    async fn trim_cache(&self, entries: u64, bytes: u64) -> Stored<u64>;

    // ---- figures ----

    /// Sums over the metric rows of a stretch of time: hours and minutes from their sums, the raw
    /// rows at its edges. Exact; but an edge in an hour whose minutes a [sweep](Store::sweep)
    /// dropped lies at that hour's beginning.
    async fn figures(&self, stretch: Stretch) -> Stored<Figures>;

    /// The latencies of the same rows.
    async fn latencies(&self, stretch: Stretch) -> Stored<Latencies>;

    /// What became of messages inside and outside the rollout that were settled in the last so long.
    async fn rollout_report(&self, length: Duration) -> Stored<RolloutReport>;

    /// Folds the minutes of up to `most` hours that are over into hours' sums. Returns how many.
    async fn fold_hours(&self, most: u32) -> Stored<u32>;

    /// Drops what is older than that, a bounded number of rows at a time, and folds closed ledger
    /// rows into one `carried` row a budget, so that the ledger balances as before. Makes room for
    /// the days to come, too, where rows are kept by the day.
    async fn sweep(&self, retention: &Retention) -> Stored<Swept>;

    // ---- alerts ----

    /// Whether a duty that one replica does for all is ours now; nobody else gets it again before
    /// `every` is over. A replica that dies with it leaves it to the next.
    async fn take_duty(&self, name: &str, every: Duration) -> Stored<bool>;

    /// What alerts judge beside figures; failures are counted in the last so long.
    async fn signals(&self, length: Duration) -> Stored<Signals>;

    /// The open alerts, the oldest first; with `resolved`, so many of the resolved ones after them,
    /// the newest first.
    async fn alerts(&self, resolved: u32) -> Stored<Vec<AlertRow>>;

    /// Fires and resolves, each once over all replicas, with its notices in the same transaction.
    /// Returns the rows that changed here.
    async fn change_alerts(&self, changes: &[AlertChange]) -> Stored<Vec<AlertRow>>;

    /// Notices to be told now, each moved ahead (at doubling intervals from `first`) before it is
    /// returned; those that nobody took for a day are given up. Rows another replica looks at are
    /// passed over.
    async fn due_notices(&self, first: Duration, most: u32) -> Stored<Vec<DueNotice>>;

    /// A notice was taken: nothing more is owed for it.
    async fn confirm_notice(&self, channel: Channel, id: Uuid) -> Stored<()>;

    // ---- reports ----

    /// How many queue items are in each state, and how old the oldest are.
    async fn queue(&self) -> Stored<QueueReport>;

    /// How many messages of an event are settled, and how many there are.
    async fn progress(&self, event: &EventId) -> Stored<Progress>;

    /// All that a summary of an event is made of.
    async fn event_report(&self, event: &EventId) -> Stored<Option<EventReport>>;

    /// The database's clock; tests and `check` compare it with ours.
    async fn now(&self) -> Stored<Timestamp>;

    /// What stands in the ledger against the scopes' counters: the first that does not balance.
    async fn ledger_balances(&self) -> Stored<Result<NanoUsd, LedgerFault>>;
}
