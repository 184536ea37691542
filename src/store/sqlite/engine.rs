//! The trait's methods, each one stage.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::SqliteStore;
use crate::domain::chat::{Event, Vendor};
use crate::domain::ids::{EventId, Held, ItemId, MessageId};
use crate::domain::latency::Latencies;
use crate::domain::projection::Projections;
use crate::domain::suggestion::SuggestionRow;
use crate::domain::usage::NanoUsd;
use crate::fault::Park;
use crate::store::{
    Admission, AdmissionRequest, AlertChange, AlertRow, BudgetChange, BudgetOverride, BudgetWindow,
    CacheLookup, CacheReport, Channel, Charge, Claimed, ContextQuery, ContextRows, Due, DueNotice,
    EventReport, Fenced, Figures, Heard, IngestBatch, IngestReport, LedgerFault, LedgerQuery,
    LedgerRow, Progress, QueueReport, Record, Recorded, Resolved, Retention, RolloutReport,
    RuntimeChange, RuntimeSettings, Signals, Spent, Store, StoreCheck, Stored, Stretch, Swept,
};

#[async_trait]
impl Store for SqliteStore {
    fn engine(&self) -> &'static str {
        "sqlite"
    }

    async fn migrate(&self) -> Stored<()> {
        Ok(self.lay_schema().await?)
    }

    async fn check(&self) -> Stored<StoreCheck> {
        Ok(self.check_schema().await?)
    }

    async fn take_seat(&self) -> Stored<()> {
        Ok(self.sit_down().await?)
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
        self.stand_up();
    }

    async fn ingest(&self, batch: &IngestBatch) -> Stored<IngestReport> {
        Ok(self.write_batch(batch).await?)
    }

    async fn claim(&self, item: &ItemId, lease: Duration) -> Stored<Claimed> {
        Ok(self.claim_item(item, lease).await?)
    }

    async fn renew(&self, held: &[Held], lease: Duration) -> Stored<Vec<ItemId>> {
        Ok(self.renew_leases(held, lease).await?)
    }

    async fn park(&self, held: &Held, park: &Park) -> Stored<Fenced> {
        Ok(self.park_item(held, park).await?)
    }

    async fn release(&self, held: &[Held]) -> Stored<u64> {
        Ok(self.release_items(held).await?)
    }

    async fn admit(&self, held: &Held, request: &AdmissionRequest) -> Stored<Admission> {
        Ok(self.admit_request(held, request).await?)
    }

    async fn charge(&self, ledger: Uuid, charge: &Charge) -> Stored<bool> {
        Ok(self.charge_row(ledger, charge).await?)
    }

    async fn refund(&self, ledger: Uuid, place: bool) -> Stored<()> {
        Ok(self.refund_row(ledger, place).await?)
    }

    async fn mark_ambiguous(&self, ledger: Uuid) -> Stored<()> {
        Ok(self.mark_row_ambiguous(ledger).await?)
    }

    async fn heard(&self, ledger: Uuid, heard: &Heard) -> Stored<()> {
        Ok(self.take_in(ledger, heard).await?)
    }

    async fn ledger(&self, query: &LedgerQuery) -> Stored<Vec<LedgerRow>> {
        Ok(self.list_ledger(query).await?)
    }

    async fn resolve(&self, ledger: Uuid, cost: NanoUsd, by: &str) -> Stored<Resolved> {
        Ok(self.resolve_row(ledger, cost, by).await?)
    }

    async fn budgets(&self, name: Option<&str>, limit: u32) -> Stored<Vec<BudgetWindow>> {
        Ok(self.list_budgets(name, limit).await?)
    }

    async fn budget_overrides(&self) -> Stored<Vec<BudgetOverride>> {
        Ok(self.list_overrides().await?)
    }

    async fn set_budget(&self, name: &str, change: BudgetChange, by: &str) -> Stored<()> {
        Ok(self.change_budget(name, change, by).await?)
    }

    async fn context(&self, query: &ContextQuery) -> Stored<ContextRows> {
        Ok(self.load_context(query).await?)
    }

    async fn projections(
        &self,
        event: &Event,
        before: Option<&(Timestamp, MessageId)>,
    ) -> Stored<Projections> {
        Ok(self.load_projections(event, before).await?)
    }

    async fn unsettled_before(&self, message: &MessageId) -> Stored<u64> {
        Ok(self.count_unsettled_before(message).await?)
    }

    async fn vendors(&self, kind: &str, limit: u32) -> Stored<Vec<Vendor>> {
        Ok(self.load_vendors(kind, limit).await?)
    }

    async fn cached_or_flight(&self, held: &Held, key: &str) -> Stored<CacheLookup> {
        Ok(self.look_up(held, key).await?)
    }

    async fn spent_on_question(
        &self,
        item: &ItemId,
        revision: i64,
        fingerprints: [&str; 2],
    ) -> Stored<Spent> {
        Ok(self.cost_of_question(item, revision, fingerprints).await?)
    }

    async fn record(&self, held: &Held, record: &Record) -> Stored<Fenced<Recorded>> {
        Ok(self.record_item(held, record).await?)
    }

    async fn was_recorded(&self, held: &Held) -> Stored<bool> {
        Ok(self.is_recorded(held).await?)
    }

    async fn confirm(&self, item: &ItemId, completion: Uuid) -> Stored<()> {
        Ok(self.confirm_event(item, completion).await?)
    }

    async fn suggestions(&self, event: Option<&EventId>) -> Stored<Vec<SuggestionRow>> {
        Ok(self.list_suggestions(event).await?)
    }

    async fn dismiss_suggestion(&self, id: Uuid, by: &str) -> Stored<bool> {
        Ok(self.dismiss(id, by).await?)
    }

    async fn suggestions_pending(&self, event: &EventId) -> Stored<Option<Duration>> {
        Ok(self.pending_run(event).await?)
    }

    async fn tick(
        &self,
        window: u32,
        hint_after: Duration,
        second_hints: bool,
    ) -> Stored<Vec<Due>> {
        Ok(self.look(window, hint_after, second_hints).await?)
    }

    async fn runtime(&self) -> Stored<RuntimeSettings> {
        Ok(self.load_runtime().await?)
    }

    async fn change_runtime(&self, change: &RuntimeChange, by: &str) -> Stored<RuntimeSettings> {
        Ok(self.write_runtime(change, by).await?)
    }

    async fn cache_report(&self) -> Stored<CacheReport> {
        Ok(self.report_cache().await?)
    }

    async fn clear_cache(&self, prefix: &str) -> Stored<u64> {
        Ok(self.drop_entries(prefix).await?)
    }

    async fn trim_cache(&self, entries: u64, bytes: u64) -> Stored<u64> {
        Ok(self.trim_entries(entries, bytes).await?)
    }

    async fn figures(&self, stretch: Stretch) -> Stored<Figures> {
        Ok(self.sum_up(stretch).await?)
    }

    async fn latencies(&self, stretch: Stretch) -> Stored<Latencies> {
        Ok(self.merge_latencies(stretch).await?)
    }

    async fn rollout_report(&self, length: Duration) -> Stored<RolloutReport> {
        Ok(self.report_rollout(length).await?)
    }

    async fn fold_hours(&self, most: u32) -> Stored<u32> {
        Ok(self.fold_minutes(most).await?)
    }

    async fn sweep(&self, retention: &Retention) -> Stored<Swept> {
        Ok(self.sweep_old(retention).await?)
    }

    async fn take_duty(&self, name: &str, every: Duration) -> Stored<bool> {
        Ok(self.take_turn(name, every).await?)
    }

    async fn signals(&self, length: Duration) -> Stored<Signals> {
        Ok(self.read_signals(length).await?)
    }

    async fn alerts(&self, resolved: u32) -> Stored<Vec<AlertRow>> {
        Ok(self.list_alerts(resolved).await?)
    }

    async fn change_alerts(&self, changes: &[AlertChange]) -> Stored<Vec<AlertRow>> {
        Ok(self.write_alerts(changes).await?)
    }

    async fn due_notices(&self, first: Duration, most: u32) -> Stored<Vec<DueNotice>> {
        Ok(self.look_at_notices(first, most).await?)
    }

    async fn confirm_notice(&self, channel: Channel, id: Uuid) -> Stored<()> {
        Ok(self.confirm_told(channel, id).await?)
    }

    async fn queue(&self) -> Stored<QueueReport> {
        Ok(self.report_queue().await?)
    }

    async fn progress(&self, event: &EventId) -> Stored<Progress> {
        Ok(self.report_progress(event).await?)
    }

    async fn event_report(&self, event: &EventId) -> Stored<Option<EventReport>> {
        Ok(self.report_event(event).await?)
    }

    /// The clock of this machine: the file has no other.
    async fn now(&self) -> Stored<Timestamp> {
        Ok(Timestamp::now())
    }

    async fn ledger_balances(&self) -> Stored<Result<NanoUsd, LedgerFault>> {
        Ok(self.balance().await?)
    }
}
