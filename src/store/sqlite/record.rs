//! Record: what a settled item writes, in one transaction behind the fence.

use sqlx::Row as _;
use uuid::Uuid;

use super::cache::{self, Ending};
use super::{Done, Micros, SqliteStore, Write, codec, figures, fold, ledger, lines, suggestions};
use crate::domain::chat::Message;
use crate::domain::ids::{Held, ItemId};
use crate::domain::outcome::Outcome;
use crate::store::runs::{self, RunEnd};
use crate::store::{Fenced, Record, Recorded};

/// When the scheduler looks for a completion event that its worker did not publish.
const OWED_AFTER: Micros = 30_000_000;

statements! {
    FENCE = "select revision from queue_items where id = ?1 and lease = ?2 and status = 'processing'";
    CHANGED = "select changes_rows from enrichments where message_id = ?1
        order by revision desc limit 1";
    WRITE_ENRICHMENT = "insert into enrichments (message_id, revision, event_id, sender_id, sent_at,
            detection, agent, model, level, cached, enrichment, contribution, recorded_at, changes_rows)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
        on conflict (message_id, revision) do update set event_id = ?3, sender_id = ?4, sent_at = ?5,
            detection = ?6, agent = ?7, model = ?8, level = ?9, cached = ?10, enrichment = ?11,
            contribution = ?12, recorded_at = ?13, changes_rows = ?14";
    SETTLE = "update queue_items set status = ?3, intent = ?4, reason = ?5, detail = ?6, settled_at = ?7,
            lease_until = null, waits_for = null, park_reason = null, hints = 0, look_at = ?8,
            confirmed_at = null, completion_id = ?9, completion_kind = ?10, routing_key = ?11, body = ?12,
            metric_at = coalesce(?13, metric_at)
        where id = ?1 and lease = ?2";
    NOTE_FAILURE = "insert into item_history (item_id, at, what, reason, detail, lease, attempt)
        select id, ?2, 'failed', reason, detail, lease, attempt from queue_items where id = ?1";
    WAS_RECORDED = "select 1 from queue_items where id = ?1 and lease = ?2 and settled_at is not null";
    CONFIRM = "update queue_items set confirmed_at = ?3, hints = 0, look_at = null
        where id = ?1 and completion_id = ?2 and confirmed_at is null
            and status in ('completed', 'skipped', 'failed')";
    // A revision that waited for that has its turn.
    REOPEN_WANTED = "update queue_items set status = 'pending', attempt = 0, hints = 0,
            due_at = ?2, look_at = ?2, created_at = ?2, first_claimed_at = null,
            park_reason = null, reason = null, detail = null
        where id = ?1 and wanted > revision";
}

impl SqliteStore {
    pub(super) async fn record_item(&self, held: &Held, record: &Record) -> Done<Fenced<Recorded>> {
        let (mut tx, now) = self.write().await?;
        let fence = sqlx::query(FENCE).bind(held.item.as_str()).bind(held.lease.0);
        let Some(row) = fence.fetch_optional(&mut *tx).await? else {
            return Ok(Fenced::Lost);
        };
        let revision: i64 = row.try_get("revision")?;
        if let Some(message) = &record.message
            && write_enrichment(&mut tx, message, record, now).await?
            && let Some(event) = &record.event
            && fold::refold(&mut tx, event).await?
            && let Some(after) = record.suggest
        {
            suggestions::make_run(&mut tx, &event.id, after, now).await?;
        }
        let end = end_of(&mut tx, record, now).await?;
        // The work is over, so a row that is still reserved lost its end on the way.
        ledger::doubt_rest(&mut tx, held, now).await?;
        lines::leave(&mut tx, held.item.as_str(), now).await?;
        if let Some(metric) = &record.metric {
            figures::write(&mut tx, held, revision, (record, end.outcome), metric, now).await?;
        }
        if let Some(entry) = &record.cache {
            cache::put(&mut tx, entry, now).await?;
        }
        let failed = record.outcome == Outcome::Failed;
        let ending = if failed { Ending::Failed } else { Ending::Landed };
        let woken = cache::end_flights(&mut tx, &held.item, ending, now).await?;
        settle(&mut tx, held, record, &end, now).await?;
        tx.commit().await?;
        Ok(Fenced::Done(Recorded { woken, new: end.new, news: end.news }))
    }

    pub(super) async fn is_recorded(&self, held: &Held) -> Done<bool> {
        let query = sqlx::query(WAS_RECORDED).bind(held.item.as_str()).bind(held.lease.0);
        Ok(query.fetch_optional(&self.readers).await?.is_some())
    }

    pub(super) async fn confirm_event(&self, item: &ItemId, completion: Uuid) -> Done<()> {
        let (mut tx, now) = self.write().await?;
        let confirmed = sqlx::query(CONFIRM)
            .bind(item.as_str())
            .bind(completion.to_string())
            .bind(now)
            .execute(&mut *tx)
            .await?;
        if confirmed.rows_affected() > 0 {
            sqlx::query(REOPEN_WANTED).bind(item.as_str()).bind(now).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Writes what the message gave. True when rows may change for it: it contributes to the fold,
/// or an earlier run or revision of it did.
async fn write_enrichment(
    tx: &mut Write,
    message: &Message,
    record: &Record,
    now: Micros,
) -> Done<bool> {
    let earlier: Option<bool> =
        sqlx::query_scalar(CHANGED).bind(message.id.as_str()).fetch_optional(&mut **tx).await?;
    let changes = record.contribution.changes_rows();
    // What says nothing has no row, unless it takes back what an earlier revision said.
    if record.answered.is_none() && !changes && earlier.is_none() {
        return Ok(false);
    }
    upsert_enrichment(tx, message, record, now).await?;
    Ok(changes || earlier.unwrap_or(false))
}

async fn upsert_enrichment(
    tx: &mut Write,
    message: &Message,
    record: &Record,
    now: Micros,
) -> Done<()> {
    let detection = record.detection.as_ref();
    let answered = record.answered.as_ref();
    let enrichment = answered.and_then(|answered| answered.enrichment.as_ref());
    sqlx::query(WRITE_ENRICHMENT)
        .bind(message.id.as_str())
        .bind(message.revision)
        .bind(record.event.as_ref().map(|event| event.id.as_str()))
        .bind(&message.sender.0)
        .bind(message.sent_at.as_microsecond())
        .bind(detection.map(codec::json).transpose()?)
        .bind(answered.and_then(|answered| answered.agent))
        .bind(answered.and_then(|answered| answered.model.as_deref()))
        .bind(answered.and_then(|answered| answered.level))
        .bind(answered.is_some_and(|answered| answered.cached))
        .bind(enrichment.map(codec::json).transpose()?)
        .bind(codec::json(&record.contribution)?)
        .bind(now)
        .bind(record.contribution.changes_rows())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How the item ends; the suggestions of a run are written on the way.
async fn end_of(tx: &mut Write, record: &Record, now: Micros) -> Done<RunEnd> {
    let Some(run) = &record.run else {
        let (outcome, reason) = (record.outcome, record.reason);
        return Ok(RunEnd { outcome, reason, new: Vec::new(), news: None });
    };
    let written = match &record.event {
        Some(event) => suggestions::put(tx, event, run, now).await?,
        None => Vec::new(),
    };
    Ok(runs::end(record, run, &written))
}

async fn settle(
    tx: &mut Write,
    held: &Held,
    record: &Record,
    end: &RunEnd,
    now: Micros,
) -> Done<()> {
    let completion = end.news.as_ref().or(record.completion.as_ref());
    sqlx::query(SETTLE)
        .bind(held.item.as_str())
        .bind(held.lease.0)
        .bind(end.outcome.name())
        .bind(record.detection.as_ref().map(|detection| detection.intent().name()))
        .bind(end.reason.map(|reason| reason.name()))
        .bind(&record.detail)
        .bind(now)
        // What owes nothing is never looked at again.
        .bind(completion.map(|_| now.saturating_add(OWED_AFTER)))
        .bind(completion.map(|completion| completion.id.to_string()))
        .bind(completion.map(|completion| &completion.kind))
        .bind(completion.map(|completion| &completion.routing_key))
        .bind(completion.map(|completion| &completion.body))
        .bind(record.metric.as_ref().map(|_| now))
        .execute(&mut **tx)
        .await?;
    if record.outcome == Outcome::Failed {
        sqlx::query(NOTE_FAILURE).bind(held.item.as_str()).bind(now).execute(&mut **tx).await?;
    }
    Ok(())
}
