//! Record: the one transaction that settles an item.
//!
//! An item that changes no row is settled in one statement. One that does, or
//! whose earlier revision did, holds its event's lock until the fold is redone.

use serde::Serialize;
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{PgExecutor, Row};

use super::PostgresStore;
use super::claim::item_id;
use super::codec::{json, micros, plain};
use super::pool::store_error;
use super::projections::refold;
use super::suggestions::suggest;
use crate::domain::chat::{Event, Message};
use crate::domain::enrichment::{Contribution, Enrichment};
use crate::domain::ids::Held;
use crate::domain::intent::{Detection, Intent};
use crate::domain::outcome::{Outcome, Reason};
use crate::domain::usage::{NanoUsd, Usage};
use crate::store::{CacheWrite, CompletionEvent, Fenced, Metric, Record, Recorded, Stored};

const SETTLE: &str = "
    select verdict, woken from settle_item(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
    )";

const WAS_RECORDED: &str = "
    select exists (
        select 1 from queue_items
        where id = $1 and lease = $2 and settled_at is not null
    )";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[SETTLE, WAS_RECORDED];

/// How an item ends, where a run's end is only known once its suggestions are written.
pub(super) struct End<'a> {
    pub(super) outcome: Outcome,
    pub(super) reason: Option<Reason>,
    pub(super) completion: Option<&'a CompletionEvent>,
}

impl<'a> End<'a> {
    fn of(record: &'a Record) -> Self {
        let completion = record.completion.as_ref();
        Self { outcome: record.outcome, reason: record.reason, completion }
    }
}

/// What one call of `settle_item` came to.
pub(super) enum Settled {
    Done(Recorded),
    Lost,
    /// Nothing was written: an earlier revision has a part in the fold.
    NeedsFold,
}

impl PostgresStore {
    pub(super) async fn record_outcome(
        &self,
        held: &Held,
        record: &Record,
    ) -> Stored<Fenced<Recorded>> {
        if let Some(run) = &record.run {
            return self.record_run(held, record, run).await;
        }
        let end = End::of(record);
        if !record.contribution.changes_rows() {
            match settle(self.pool(), held, record, &end, false).await? {
                Settled::Done(recorded) => return Ok(Fenced::Done(recorded)),
                Settled::Lost => return Ok(Fenced::Lost),
                Settled::NeedsFold => {}
            }
        }
        let mut transaction = self.pool().begin().await.map_err(store_error)?;
        let settled = settle(&mut *transaction, held, record, &end, true).await?;
        let Settled::Done(recorded) = settled else {
            transaction.rollback().await.map_err(store_error)?;
            return Ok(Fenced::Lost);
        };
        if let Some(event) = &record.event
            && refold(&mut transaction, event).await?
            && let Some(after) = record.suggest
        {
            suggest(&mut transaction, &event.id, after).await?;
        }
        transaction.commit().await.map_err(store_error)?;
        Ok(Fenced::Done(recorded))
    }

    pub(super) async fn settled_under(&self, held: &Held) -> Stored<bool> {
        sqlx::query_scalar(WAS_RECORDED)
            .bind(held.item.as_str())
            .bind(held.lease.0)
            .fetch_one(self.pool())
            .await
            .map_err(store_error)
    }
}

pub(super) async fn settle(
    executor: impl PgExecutor<'_>,
    held: &Held,
    record: &Record,
    end: &End<'_>,
    folds: bool,
) -> Stored<Settled> {
    let completion = end.completion;
    let event = record.event.as_ref();
    let row = sqlx::query(SETTLE)
        .bind(held.item.as_str())
        .bind(held.lease.0)
        .bind(end.outcome.name())
        .bind(end.reason.map(|reason| reason.name()))
        .bind(record.detail.as_deref().map(plain))
        .bind(record.detection.as_ref().map(|detection| detection.intent().name()))
        .bind(record.message.as_ref().map(|message| message.revision))
        .bind(event.map(|event| event.id.as_str()))
        .bind(folds)
        .bind(completion.map(|completion| completion.id))
        .bind(completion.map(|completion| completion.kind.as_str()))
        .bind(completion.map(|completion| completion.routing_key.as_str()))
        .bind(completion.map(|completion| completion.body.as_slice()))
        .bind(enrichment(record, folds))
        .bind(record.metric.as_ref().map(|metric| metric_row(metric, event)))
        .bind(record.cache.as_ref().map(cache_row))
        .fetch_one(executor)
        .await
        .map_err(store_error)?;
    let verdict: String = row.try_get("verdict").map_err(store_error)?;
    match verdict.as_str() {
        "done" => {
            let woken: Vec<String> = row.try_get("woken").map_err(store_error)?;
            let woken = woken.iter().map(|id| item_id(id)).collect::<Stored<_>>()?;
            Ok(Settled::Done(Recorded { woken, ..Recorded::default() }))
        }
        "fold" => Ok(Settled::NeedsFold),
        _ => Ok(Settled::Lost),
    }
}

#[derive(Serialize)]
struct EnrichmentRow<'a> {
    sender: &'a str,
    sent_at: jiff::Timestamp,
    agent: Option<&'static str>,
    model: Option<&'a str>,
    level: Option<&'static str>,
    cached: bool,
    detection: Option<&'a Detection>,
    enrichment: Option<&'a Enrichment>,
    contribution: &'a Contribution,
    changes_rows: bool,
}

/// The message's row in `enrichments`. An item that says nothing has none, unless it takes back
/// what an earlier revision said.
fn enrichment(record: &Record, folds: bool) -> Option<Json<Value>> {
    let answered = record.answered.as_ref();
    if answered.is_none() && !folds {
        return None;
    }
    let message: &Message = record.message.as_ref()?;
    Some(json(&EnrichmentRow {
        sender: &message.sender.0,
        sent_at: message.sent_at,
        agent: answered.and_then(|answered| answered.agent),
        model: answered.and_then(|answered| answered.model.as_deref()),
        level: answered.and_then(|answered| answered.level),
        cached: answered.is_some_and(|answered| answered.cached),
        detection: record.detection.as_ref(),
        enrichment: answered.and_then(|answered| answered.enrichment.as_ref()),
        contribution: &record.contribution,
        changes_rows: record.contribution.changes_rows(),
    }))
}

#[derive(Serialize)]
struct MetricRow<'a> {
    tenant: &'a str,
    intent: Intent,
    agent: Option<&'static str>,
    model: Option<&'a str>,
    cached: bool,
    latency_us: i64,
    avoided_tokens: u64,
    avoided_cost: NanoUsd,
}

/// The item's row in `metrics`, but for what the ledger knows better: calls, tokens, cost.
fn metric_row(metric: &Metric, event: Option<&Event>) -> Json<Value> {
    json(&MetricRow {
        tenant: event.map_or(Event::DEFAULT_TENANT, |event| event.tenant.as_str()),
        intent: metric.intent,
        agent: metric.agent,
        model: metric.model.as_deref(),
        cached: metric.cached,
        latency_us: micros(metric.latency),
        avoided_tokens: metric.avoided_usage.total(),
        avoided_cost: metric.avoided_cost,
    })
}

#[derive(Serialize)]
struct CacheRow<'a> {
    key: &'a str,
    event: Option<&'a str>,
    answer: &'a Value,
    model: &'a str,
    usage: Usage,
    cost: NanoUsd,
    ttl_us: i64,
}

fn cache_row(write: &CacheWrite) -> Json<Value> {
    json(&CacheRow {
        key: &write.key,
        event: write.event.as_ref().map(|event| event.as_str()),
        answer: &write.answer,
        model: &write.model,
        usage: write.usage,
        cost: write.cost,
        ttl_us: micros(write.ttl),
    })
}
