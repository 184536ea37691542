//! Reports: the queue, an event's progress, all that a summary is made of.

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::PostgresStore;
use super::claim::SpentRow;
use super::codec::{Instant, count, duration, read};
use super::pool::store_error;
use super::projections::stored_rows;
use super::suggestions::stored_suggestions;
use crate::domain::chat::{Event, Message};
use crate::domain::ids::{EventId, MessageId};
use crate::domain::intent::Intent;
use crate::domain::outcome::Reason;
use crate::domain::usage::NanoUsd;
use crate::store::{
    AnsweredQuestion, EventReport, Progress, QueueReport, Spent, StoreError, Stored,
};

const NOW: &str = "select clock_timestamp()";

const QUEUE: &str = "
    select
        count(*) filter (where status = 'pending') as pending,
        count(*) filter (where status = 'processing') as processing,
        count(*) filter (where status = 'completed') as completed,
        count(*) filter (where status = 'skipped') as skipped,
        count(*) filter (where status = 'failed') as failed,
        (
            select count(*) from queue_items o
            where o.completion_id is not null and o.confirmed_at is null
                and o.status in ('completed', 'skipped', 'failed')
        ) as owed,
        (extract(epoch from now() - (
            select min(d.due_at) from queue_items d where d.status = 'pending'
        )) * 1000000)::bigint as oldest_due,
        (extract(epoch from now() - (
            select min(p.claimed_at) from queue_items p where p.status = 'processing'
        )) * 1000000)::bigint as oldest_processing
    from queue_items";

const PROGRESS: &str = "
    select count(*) filter (where status in ('completed', 'skipped', 'failed')), count(*)
    from queue_items where event_id = $1 and kind = 'message'";

// One snapshot for all statements of a report.
const BEGIN_REPORT: &str = "begin isolation level repeatable read read only";

const EVENT: &str = "select event_json($1)";

const MESSAGES: &str = r#"
    select jsonb_build_object(
        'id', m.id, 'room', m.room_id, 'sender', m.sender_id, 'sent_at', m.sent_at,
        'text', coalesce(m.text, ''), 'revision', coalesce(m.revision, 1),
        'deleted_at', m.deleted_at, 'detected_intent', m.detected_intent,
        'extracted_entities', m.extracted_entities
    )
    from rooms r join messages m on m.room_id = r.id
    where r.event_id = $1
    order by m.sent_at, m.id collate "C""#;

const BY_INTENT: &str = "
    select intent, count(*) from queue_items
    where event_id = $1 and kind = 'message' and status in ('completed', 'skipped')
        and intent is not null
    group by intent";

const FAILED: &str = "
    select id, coalesce(reason, '') from queue_items
    where event_id = $1 and kind = 'message' and status = 'failed'
    order by sent_at, id";

const ANSWERS: &str = r#"
    select e.message_id, m.text, e.enrichment ->> 'answer',
        coalesce(e.enrichment -> 'sources', '[]'::jsonb)
    from enrichments e join messages m on m.id = e.message_id
    where e.event_id = $1 and e.enrichment ->> 'kind' = 'answer'
        and not exists (
            select 1 from enrichments later
            where later.message_id = e.message_id and later.revision > e.revision
        )
    order by e.sent_at, e.message_id"#;

const FIGURES: &str = "
    select count(*) filter (where cached), coalesce(sum(avoided_cost), 0)::bigint
    from metrics where event_id = $1";

const SPENT: &str = "
    select jsonb_build_object(
        'calls', coalesce(
            sum(calls) filter (where state in ('charged', 'ambiguous', 'carried')), 0
        ),
        'usage', jsonb_build_object(
            'input', coalesce(sum(input_tokens), 0),
            'output', coalesce(sum(output_tokens), 0),
            'cache_read', coalesce(sum(cache_read_tokens), 0),
            'cache_write_5m', coalesce(sum(cache_write_5m_tokens), 0),
            'cache_write_1h', coalesce(sum(cache_write_1h_tokens), 0)
        ),
        'cost', coalesce(sum(charged), 0)
    )
    from ledger where event_id = $1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[NOW, QUEUE, PROGRESS, EVENT, MESSAGES, BY_INTENT, FAILED, ANSWERS, FIGURES, SPENT];

impl PostgresStore {
    pub(super) async fn clock(&self) -> Stored<jiff::Timestamp> {
        let Instant(now) =
            sqlx::query_scalar(NOW).fetch_one(self.pool()).await.map_err(store_error)?;
        Ok(now)
    }

    pub(super) async fn queue_report(&self) -> Stored<QueueReport> {
        let row = sqlx::query(QUEUE).fetch_one(self.pool()).await.map_err(store_error)?;
        let number =
            |column| -> Stored<u64> { Ok(count(row.try_get(column).map_err(store_error)?)) };
        let span = |column| -> Stored<std::time::Duration> {
            let micros: Option<i64> = row.try_get(column).map_err(store_error)?;
            Ok(duration(micros.unwrap_or(0)))
        };
        Ok(QueueReport {
            pending: number("pending")?,
            processing: number("processing")?,
            completed: number("completed")?,
            skipped: number("skipped")?,
            failed: number("failed")?,
            owed: number("owed")?,
            oldest_due: span("oldest_due")?,
            oldest_processing: span("oldest_processing")?,
        })
    }

    pub(super) async fn progress_of(&self, event: &EventId) -> Stored<Progress> {
        let (settled, total): (i64, i64) = sqlx::query_as(PROGRESS)
            .bind(event.as_str())
            .fetch_one(self.pool())
            .await
            .map_err(store_error)?;
        Ok(Progress { settled: count(settled), total: count(total) })
    }

    pub(super) async fn report_of(&self, event: &EventId) -> Stored<Option<EventReport>> {
        let mut snapshot = self.pool().begin_with(BEGIN_REPORT).await.map_err(store_error)?;
        let row: Option<Json<Value>> = sqlx::query_scalar(EVENT)
            .bind(event.as_str())
            .fetch_one(&mut *snapshot)
            .await
            .map_err(store_error)?;
        let Some(Json(row)) = row else { return Ok(None) };
        let found: Event = read("events", event.as_str(), row)?;
        let report = report(&mut snapshot, found).await?;
        snapshot.commit().await.map_err(store_error)?;
        Ok(Some(report))
    }
}

async fn report(snapshot: &mut PgConnection, event: Event) -> Stored<EventReport> {
    let id = event.id.clone();
    let messages: Vec<Json<Value>> = sqlx::query_scalar(MESSAGES)
        .bind(id.as_str())
        .fetch_all(&mut *snapshot)
        .await
        .map_err(store_error)?;
    let messages: Vec<Message> = messages
        .into_iter()
        .map(|Json(row)| read("messages of event", id.as_str(), row))
        .collect::<Stored<_>>()?;
    let (cache_hits, avoided): (i64, i64) = sqlx::query_as(FIGURES)
        .bind(id.as_str())
        .fetch_one(&mut *snapshot)
        .await
        .map_err(store_error)?;
    let Json(spent): Json<Value> = sqlx::query_scalar(SPENT)
        .bind(id.as_str())
        .fetch_one(&mut *snapshot)
        .await
        .map_err(store_error)?;
    let spent: SpentRow = read("ledger of event", id.as_str(), spent)?;
    Ok(EventReport {
        messages,
        by_intent: by_intent(snapshot, &id).await?,
        rows: stored_rows(snapshot, &id).await?,
        answers: answers(snapshot, &id).await?,
        cache_hits: count(cache_hits),
        spent: Spent::from(spent),
        avoided_cost: NanoUsd(avoided),
        failed: failed(snapshot, &id).await?,
        suggestions: stored_suggestions(snapshot, &id).await?,
        event,
    })
}

async fn by_intent(snapshot: &mut PgConnection, event: &EventId) -> Stored<Vec<(Intent, u64)>> {
    let counts: Vec<(String, i64)> = sqlx::query_as(BY_INTENT)
        .bind(event.as_str())
        .fetch_all(snapshot)
        .await
        .map_err(store_error)?;
    let mut by_intent = Vec::new();
    for intent in Intent::ALL {
        if let Some((_, number)) = counts.iter().find(|(name, _)| name == intent.name()) {
            by_intent.push((intent, count(*number)));
        }
    }
    Ok(by_intent)
}

async fn answers(snapshot: &mut PgConnection, event: &EventId) -> Stored<Vec<AnsweredQuestion>> {
    let rows: Vec<(String, String, String, Json<Vec<Uuid>>)> = sqlx::query_as(ANSWERS)
        .bind(event.as_str())
        .fetch_all(snapshot)
        .await
        .map_err(store_error)?;
    let mut answers = Vec::with_capacity(rows.len());
    for (id, question, answer, Json(sources)) in rows {
        answers.push(AnsweredQuestion { message: message_id(&id)?, question, answer, sources });
    }
    Ok(answers)
}

async fn failed(snapshot: &mut PgConnection, event: &EventId) -> Stored<Vec<(MessageId, Reason)>> {
    let rows: Vec<(String, String)> = sqlx::query_as(FAILED)
        .bind(event.as_str())
        .fetch_all(snapshot)
        .await
        .map_err(store_error)?;
    let mut failed = Vec::with_capacity(rows.len());
    for (id, reason) in rows {
        let Some(known) = Reason::named(&reason) else {
            let why = format!("no reason is called {reason:?}");
            return Err(StoreError::BadRow { table: "queue_items", id, why });
        };
        failed.push((message_id(&id)?, known));
    }
    Ok(failed)
}

fn message_id(id: &str) -> Stored<MessageId> {
    read("queue_items", id, Value::String(id.to_owned()))
}
