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

    async fn change_runtime(&self, _change: &RuntimeChange, _by: &str) -> Stored<RuntimeSettings> {
        unimplemented!("TEMPORARY")
    }

    async fn cache_report(&self) -> Stored<CacheReport> {
        unimplemented!("TEMPORARY")
    }

    async fn clear_cache(&self, _prefix: &str) -> Stored<u64> {
        unimplemented!("TEMPORARY")
    }

    async fn trim_cache(&self, _entries: u64, _bytes: u64) -> Stored<u64> {
        unimplemented!("TEMPORARY")
    }

    async fn figures(&self, _stretch: Stretch) -> Stored<Figures> {
        unimplemented!("TEMPORARY")
    }

    async fn latencies(&self, _stretch: Stretch) -> Stored<Latencies> {
        unimplemented!("TEMPORARY")
    }

    async fn rollout_report(&self, _length: Duration) -> Stored<RolloutReport> {
        unimplemented!("TEMPORARY")
    }

    async fn fold_hours(&self, _most: u32) -> Stored<u32> {
        unimplemented!("TEMPORARY")
    }

    async fn sweep(&self, _retention: &Retention) -> Stored<Swept> {
        unimplemented!("TEMPORARY")
    }

    async fn take_duty(&self, _name: &str, _every: Duration) -> Stored<bool> {
        unimplemented!("TEMPORARY")
    }

    async fn signals(&self, _length: Duration) -> Stored<Signals> {
        unimplemented!("TEMPORARY")
    }

    async fn alerts(&self, _resolved: u32) -> Stored<Vec<AlertRow>> {
        unimplemented!("TEMPORARY")
    }

    async fn change_alerts(&self, _changes: &[AlertChange]) -> Stored<Vec<AlertRow>> {
        unimplemented!("TEMPORARY")
    }

    async fn due_notices(&self, _first: Duration, _most: u32) -> Stored<Vec<DueNotice>> {
        unimplemented!("TEMPORARY")
    }

    async fn confirm_notice(&self, _channel: Channel, _id: Uuid) -> Stored<()> {
        unimplemented!("TEMPORARY")
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
