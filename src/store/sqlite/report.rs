//! Reports: the queue, an event's progress, and all that its summary is made of.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::codec::{self, Reader};
use super::{Done, Micros, SqliteStore, between, context, fold, ledger, suggestions};
use crate::domain::chat::Message;
use crate::domain::enrichment::Enrichment;
use crate::domain::ids::{EventId, MessageId};
use crate::domain::intent::Intent;
use crate::domain::outcome::Reason;
use crate::store::{AnsweredQuestion, EventReport, Progress, QueueReport};

statements! {
    BY_STATUS = "select status, count(*) as items from queue_items group by status";
    OWED = "select count(*) from queue_items
        where completion_id is not null and confirmed_at is null
            and status in ('completed', 'skipped', 'failed')";
    OLDEST_DUE = "select min(due_at) from queue_items where status = 'pending'";
    OLDEST_CLAIM = "select min(claimed_at) from queue_items where status = 'processing'";
    PROGRESS = "select count(*) filter (where q.status in ('completed', 'skipped', 'failed')) as settled,
            count(*) as total
        from rooms r join messages m on m.room_id = r.id join queue_items q on q.id = m.id
        where r.event_id = ?1";
    MESSAGES = "select m.id, m.room_id, m.sender_id, m.sent_at, m.text, m.revision, m.deleted_at,
            m.detected_intent, m.extracted_entities
        from rooms r join messages m on m.room_id = r.id
        where r.event_id = ?1 order by m.sent_at, m.id";
    // The plus keeps the planner from reading all settled items of all events by their status.
    BY_INTENT = "select q.intent as intent, count(*) as messages
        from rooms r join messages m on m.room_id = r.id join queue_items q on q.id = m.id
        where r.event_id = ?1 and q.intent is not null and +q.status in ('completed', 'skipped')
        group by q.intent";
    ANSWERS = "select e.message_id, m.text as question, e.enrichment
        from enrichments e
        join messages m on m.id = e.message_id
        where e.event_id = ?1 and e.enrichment ->> '$.kind' = 'answer'
            and e.revision = (select max(l.revision) from enrichments l where l.message_id = e.message_id)
        order by e.sent_at, e.message_id";
    SAVED = "select coalesce(sum(cached), 0) as cache_hits, coalesce(sum(avoided_cost), 0) as avoided_cost
        from metrics where event_id = ?1";
    SPENT = "select coalesce(sum(calls) filter (where state in ('charged', 'ambiguous', 'carried')), 0)
                as calls,
            coalesce(sum(charged), 0) as cost,
            coalesce(sum(input_tokens), 0) as input_tokens,
            coalesce(sum(output_tokens), 0) as output_tokens,
            coalesce(sum(cache_read_tokens), 0) as cache_read_tokens,
            coalesce(sum(cache_write_5m_tokens), 0) as cache_write_5m_tokens,
            coalesce(sum(cache_write_1h_tokens), 0) as cache_write_1h_tokens
        from ledger where event_id = ?1";
    FAILED = "select q.id as id, coalesce(q.reason, '') as reason
        from rooms r join messages m on m.room_id = r.id join queue_items q on q.id = m.id
        where r.event_id = ?1 and +q.status = 'failed' order by m.sent_at, m.id";
}

impl SqliteStore {
    pub(super) async fn report_queue(&self) -> Done<QueueReport> {
        let mut tx = self.readers.begin().await?;
        let mut report = QueueReport::default();
        for row in sqlx::query(BY_STATUS).fetch_all(&mut *tx).await? {
            let reader = Reader::new("queue_items", &row);
            let items = reader.count("items")?;
            match reader.get::<&str>("status")? {
                "pending" => report.pending = items,
                "processing" => report.processing = items,
                "completed" => report.completed = items,
                "skipped" => report.skipped = items,
                _ => report.failed = items,
            }
        }
        report.owed = sqlx::query_scalar::<_, i64>(OWED).fetch_one(&mut *tx).await?.unsigned_abs();
        report.oldest_due = oldest_due(&mut tx).await?;
        report.oldest_processing = oldest_claim(&mut tx).await?;
        Ok(report)
    }

    pub(super) async fn report_progress(&self, event: &EventId) -> Done<Progress> {
        let row = sqlx::query(PROGRESS).bind(event.as_str()).fetch_one(&self.readers).await?;
        let reader = Reader::new("queue_items", &row);
        Ok(Progress { settled: reader.count("settled")?, total: reader.count("total")? })
    }

    pub(super) async fn report_event(&self, id: &EventId) -> Done<Option<EventReport>> {
        let mut tx = self.readers.begin().await?;
        let Some(event) = context::load_event(&mut tx, id.as_str()).await? else { return Ok(None) };
        let saved = sqlx::query(SAVED).bind(id.as_str()).fetch_one(&mut *tx).await?;
        let saved = Reader::new("metrics", &saved);
        let spent = sqlx::query(SPENT).bind(id.as_str()).fetch_one(&mut *tx).await?;
        Ok(Some(EventReport {
            event,
            messages: read::<Message>(&mut tx, MESSAGES, id, codec::message).await?,
            by_intent: by_intent(&mut tx, id).await?,
            rows: fold::rows_of(&mut tx, id).await?,
            answers: read(&mut tx, ANSWERS, id, answer).await?.into_iter().flatten().collect(),
            cache_hits: saved.count("cache_hits")?,
            spent: ledger::spent(&spent)?,
            avoided_cost: saved.cost("avoided_cost")?,
            failed: read(&mut tx, FAILED, id, failed).await?,
            suggestions: suggestions::of_event(&mut tx, id).await?,
        }))
    }
}

/// For how long the longest due item has been due.
pub(super) async fn oldest_due(connection: &mut SqliteConnection) -> Done<Duration> {
    age(connection, OLDEST_DUE).await
}

/// For how long the longest claim has been held.
pub(super) async fn oldest_claim(connection: &mut SqliteConnection) -> Done<Duration> {
    age(connection, OLDEST_CLAIM).await
}

/// How long ago the oldest instant that a statement finds was.
async fn age(connection: &mut SqliteConnection, statement: &'static str) -> Done<Duration> {
    let oldest: Option<Micros> = sqlx::query_scalar(statement).fetch_one(connection).await?;
    let now = Timestamp::now().as_microsecond();
    Ok(oldest.map_or(Duration::ZERO, |oldest| between(oldest, now)))
}

async fn read<T>(
    connection: &mut SqliteConnection,
    statement: &'static str,
    event: &EventId,
    read_row: fn(&SqliteRow) -> Done<T>,
) -> Done<Vec<T>> {
    let rows = sqlx::query(statement).bind(event.as_str()).fetch_all(connection).await?;
    rows.iter().map(read_row).collect()
}

/// In the order in which intents are reported.
async fn by_intent(connection: &mut SqliteConnection, id: &EventId) -> Done<Vec<(Intent, u64)>> {
    let counted = read(connection, BY_INTENT, id, |row| {
        let reader = Reader::new("queue_items", row);
        Ok((reader.get::<String>("intent")?, reader.count("messages")?))
    })
    .await?;
    let count = |intent: Intent| {
        counted.iter().find(|(name, _)| name == intent.name()).map(|(_, messages)| *messages)
    };
    Ok(Intent::ALL.into_iter().filter_map(|intent| Some((intent, count(intent)?))).collect())
}

fn answer(row: &SqliteRow) -> Done<Option<AnsweredQuestion>> {
    let reader = Reader::new("enrichments", row);
    let Enrichment::Answer(answered) = reader.json("enrichment")? else { return Ok(None) };
    Ok(Some(AnsweredQuestion {
        message: reader.message_id("message_id")?,
        question: reader.get("question")?,
        answer: answered.answer,
        sources: answered.sources,
    }))
}

fn failed(row: &SqliteRow) -> Done<(MessageId, Reason)> {
    let reader = Reader::new("queue_items", row);
    Ok((reader.message_id("id")?, reader.named("reason", Reason::named)?))
}
