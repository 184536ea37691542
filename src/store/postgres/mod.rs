//! PostgreSQL: one statement a step, in a schema of its own.
//!
//! What decides under concurrency (claims, limits, money) is a function in
//! `migrations/postgres`, judged on locked rows by the database's clock; the
//! files here stand by stage and hold the static statements that call them.

mod admit;
mod alerts;
mod budgets;
mod cache;
mod claim;
mod codec;
mod context;
mod figures;
mod ingest;
mod ledger;
mod patience;
mod pool;
mod projections;
mod record;
mod report;
mod retention;
mod runtime;
mod schedule;
mod signals;
mod suggestions;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::PgPool;
use uuid::Uuid;

use super::{
    Admission, AdmissionRequest, AlertChange, AlertRow, BudgetChange, BudgetOverride, BudgetWindow,
    CacheLookup, CacheReport, Channel, Charge, Claimed, ContextQuery, ContextRows, Due, DueNotice,
    EventReport, Fenced, Figures, Heard, IngestBatch, IngestReport, LedgerFault, LedgerQuery,
    LedgerRow, Progress, QueueReport, Record, Recorded, Resolved, Retention, RolloutReport,
    RuntimeChange, RuntimeSettings, Signals, Spent, Store, StoreCheck, Stored, Stretch, Swept,
};
use crate::domain::chat::{Event, Vendor};
use crate::domain::ids::{EventId, Held, ItemId, MessageId};
use crate::domain::latency::Latencies;
use crate::domain::projection::Projections;
use crate::domain::suggestion::SuggestionRow;
use crate::domain::usage::NanoUsd;
use crate::fault::Park;
use patience::Patience;

/// The tables in a PostgreSQL schema, which replicas share.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    pool: PgPool,
    schema: String,
    patience: Patience,
}

#[async_trait]
impl Store for PostgresStore {
    fn engine(&self) -> &'static str {
        "postgres"
    }

    async fn migrate(&self) -> Stored<()> {
        self.bring_up_to_date().await
    }

    async fn check(&self) -> Stored<StoreCheck> {
        self.patience.short(self.check_schema()).await
    }

    async fn take_seat(&self) -> Stored<()> {
        Ok(())
    }

    async fn close(&self) {
        self.pool.close().await;
    }

    async fn ingest(&self, batch: &IngestBatch) -> Stored<IngestReport> {
        self.patience.long(self.ingest_batch(batch)).await
    }

    async fn claim(&self, item: &ItemId, lease: Duration) -> Stored<Claimed> {
        self.patience.short(self.claim_item(item, lease)).await
    }

    async fn renew(&self, held: &[Held], lease: Duration) -> Stored<Vec<ItemId>> {
        self.patience.short(self.renew_leases(held, lease)).await
    }

    async fn park(&self, held: &Held, park: &Park) -> Stored<Fenced> {
        self.patience.short(self.park_item(held, park)).await
    }

    async fn release(&self, held: &[Held]) -> Stored<u64> {
        self.patience.short(self.release_items(held)).await
    }

    async fn admit(&self, held: &Held, request: &AdmissionRequest) -> Stored<Admission> {
        self.patience.short(self.admit_call(held, request)).await
    }

    async fn charge(&self, ledger: Uuid, charge: &Charge) -> Stored<bool> {
        self.patience.short(self.charge_call(ledger, charge)).await
    }

    async fn refund(&self, ledger: Uuid, place: bool) -> Stored<()> {
        self.patience.short(self.refund_call(ledger, place)).await
    }

    async fn mark_ambiguous(&self, ledger: Uuid) -> Stored<()> {
        self.patience.short(self.leave_call_ambiguous(ledger)).await
    }

    async fn heard(&self, ledger: Uuid, heard: &Heard) -> Stored<()> {
        self.patience.short(self.hear(ledger, heard)).await
    }

    async fn ledger(&self, query: &LedgerQuery) -> Stored<Vec<LedgerRow>> {
        self.patience.short(self.ledger_rows(query)).await
    }

    async fn resolve(&self, ledger: Uuid, cost: NanoUsd, by: &str) -> Stored<Resolved> {
        self.patience.short(self.resolve_call(ledger, cost, by)).await
    }

    async fn budgets(&self, name: Option<&str>, limit: u32) -> Stored<Vec<BudgetWindow>> {
        self.patience.short(self.budget_windows(name, limit)).await
    }

    async fn budget_overrides(&self) -> Stored<Vec<BudgetOverride>> {
        self.patience.short(self.overrides()).await
    }

    async fn set_budget(&self, name: &str, change: BudgetChange, by: &str) -> Stored<()> {
        self.patience.short(self.change_budget(name, change, by)).await
    }

    async fn context(&self, query: &ContextQuery) -> Stored<ContextRows> {
        self.patience.short(self.context_before(query)).await
    }

    async fn projections(
        &self,
        event: &Event,
        before: Option<&(Timestamp, MessageId)>,
    ) -> Stored<Projections> {
        self.patience.short(self.rows_of(event, before)).await
    }

    async fn unsettled_before(&self, message: &MessageId) -> Stored<u64> {
        self.patience.short(self.count_unsettled_before(message)).await
    }

    async fn vendors(&self, kind: &str, limit: u32) -> Stored<Vec<Vendor>> {
        self.patience.short(self.vendors_of(kind, limit)).await
    }

    async fn cached_or_flight(&self, held: &Held, key: &str) -> Stored<CacheLookup> {
        self.patience.short(self.look_up(held, key)).await
    }

    async fn spent_on_question(
        &self,
        item: &ItemId,
        revision: i64,
        fingerprints: [&str; 2],
    ) -> Stored<Spent> {
        self.patience.short(self.cost_of_question(item, revision, fingerprints)).await
    }

    async fn record(&self, held: &Held, record: &Record) -> Stored<Fenced<Recorded>> {
        self.patience.short(self.record_outcome(held, record)).await
    }

    async fn was_recorded(&self, held: &Held) -> Stored<bool> {
        self.patience.short(self.settled_under(held)).await
    }

    async fn suggestions(&self, event: Option<&EventId>) -> Stored<Vec<SuggestionRow>> {
        self.patience.short(self.suggestions_of(event)).await
    }

    async fn dismiss_suggestion(&self, id: Uuid, by: &str) -> Stored<bool> {
        self.patience.short(self.dismiss(id, by)).await
    }

    async fn suggestions_pending(&self, event: &EventId) -> Stored<Option<Duration>> {
        self.patience.short(self.pending_run(event)).await
    }

    async fn confirm(&self, item: &ItemId, completion: Uuid) -> Stored<()> {
        self.patience.short(self.confirm_completion(item, completion)).await
    }

    async fn tick(
        &self,
        window: u32,
        hint_after: Duration,
        second_hints: bool,
    ) -> Stored<Vec<Due>> {
        self.patience.short(self.take_due(window, hint_after, second_hints)).await
    }

    async fn runtime(&self) -> Stored<RuntimeSettings> {
        self.patience.short(self.runtime_settings()).await
    }

    async fn change_runtime(&self, change: &RuntimeChange, by: &str) -> Stored<RuntimeSettings> {
        self.patience.short(self.change_settings(change, by)).await
    }

    async fn cache_report(&self) -> Stored<CacheReport> {
        self.patience.short(self.report_cache()).await
    }

    async fn clear_cache(&self, prefix: &str) -> Stored<u64> {
        self.patience.short(self.drop_cached(prefix)).await
    }

    async fn trim_cache(&self, entries: u64, bytes: u64) -> Stored<u64> {
        self.patience.short(self.trim(entries, bytes)).await
    }

    async fn figures(&self, stretch: Stretch) -> Stored<Figures> {
        self.patience.short(self.figures_of(stretch)).await
    }

    async fn latencies(&self, stretch: Stretch) -> Stored<Latencies> {
        self.patience.short(self.latencies_of(stretch)).await
    }

    async fn rollout_report(&self, length: Duration) -> Stored<RolloutReport> {
        self.patience.short(self.report_rollout(length)).await
    }

    async fn fold_hours(&self, most: u32) -> Stored<u32> {
        self.patience.long(self.fold(most)).await
    }

    async fn sweep(&self, retention: &Retention) -> Stored<Swept> {
        self.patience.long(self.sweep_old(retention)).await
    }

    async fn take_duty(&self, name: &str, every: Duration) -> Stored<bool> {
        self.patience.short(self.duty_taken(name, every)).await
    }

    async fn signals(&self, length: Duration) -> Stored<Signals> {
        self.patience.short(self.signals_in(length)).await
    }

    async fn alerts(&self, resolved: u32) -> Stored<Vec<AlertRow>> {
        self.patience.short(self.alert_rows(resolved)).await
    }

    async fn change_alerts(&self, changes: &[AlertChange]) -> Stored<Vec<AlertRow>> {
        self.patience.short(self.make_changes(changes)).await
    }

    async fn due_notices(&self, first: Duration, most: u32) -> Stored<Vec<DueNotice>> {
        self.patience.short(self.take_notices(first, most)).await
    }

    async fn confirm_notice(&self, channel: Channel, id: Uuid) -> Stored<()> {
        self.patience.short(self.notice_taken(channel, id)).await
    }

    async fn queue(&self) -> Stored<QueueReport> {
        self.patience.short(self.queue_report()).await
    }

    async fn progress(&self, event: &EventId) -> Stored<Progress> {
        self.patience.short(self.progress_of(event)).await
    }

    async fn event_report(&self, event: &EventId) -> Stored<Option<EventReport>> {
        self.patience.long(self.report_of(event)).await
    }

    async fn now(&self) -> Stored<Timestamp> {
        self.patience.short(self.clock()).await
    }

    async fn ledger_balances(&self) -> Stored<Result<NanoUsd, LedgerFault>> {
        self.patience.short(self.balance()).await
    }
}
