//! What an event knew just before a message.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use super::{Done, Micros, SqliteStore, codec, fold};
use crate::domain::chat::{Event, Vendor};
use crate::domain::ids::MessageId;
use crate::domain::projection::Projections;
use crate::store::{ContextQuery, ContextRows};

statements! {
    MESSAGES = "select m.id, m.room_id, m.sender_id, m.sent_at, m.text, m.revision, m.deleted_at,
            m.detected_intent, m.extracted_entities
        from rooms r join messages m on m.room_id = r.id
        where r.event_id = ?1 and (m.sent_at, m.id) < (?2, ?3) and m.deleted_at is null
        order by m.sent_at desc, m.id desc limit ?4";
    TASKS = "select id, title, object, action, assignee, due_said, due, status, opened_at
        from tasks where event_id = ?1 and (opened_at, opened_by) < (?2, ?3)
        order by opened_at desc, opened_by desc limit ?4";
    EXPENSES = "select id, what, minor, currency, category, paid_by, split_between, shares, status, opened_at
        from expenses where event_id = ?1 and (opened_at, opened_by) < (?2, ?3)
        order by opened_at desc, opened_by desc limit ?4";
    UNSETTLED_BEFORE = "select count(*)
        from messages asked
        join messages m on m.room_id = asked.room_id and (m.sent_at, m.id) < (asked.sent_at, asked.id)
        join queue_items q on q.id = m.id
        where asked.id = ?1 and (q.status = 'processing' or (q.status = 'pending' and q.due_at <= ?2))";
    VENDORS = "select id, name, kind, area, price_from, currency, rating from vendors where kind = ?1
        order by rating desc nulls last, price_from nulls last, id limit ?2";
}

impl SqliteStore {
    pub(super) async fn load_context(&self, query: &ContextQuery) -> Done<ContextRows> {
        Ok(ContextRows {
            messages: self.newest_before(MESSAGES, query, query.messages, codec::message).await?,
            tasks: self.newest_before(TASKS, query, query.tasks, codec::task).await?,
            expenses: self.newest_before(EXPENSES, query, query.expenses, codec::expense).await?,
        })
    }

    /// The newest rows before a message, turned round: oldest first.
    async fn newest_before<T>(
        &self,
        statement: &'static str,
        query: &ContextQuery,
        limit: u32,
        read: fn(&SqliteRow) -> Done<T>,
    ) -> Done<Vec<T>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let (sent_at, message) = &query.before;
        let rows = sqlx::query(statement)
            .bind(query.event.as_str())
            .bind(sent_at.as_microsecond())
            .bind(message.as_str())
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().rev().map(read).collect()
    }

    pub(super) async fn load_projections(
        &self,
        event: &Event,
        before: Option<&(Timestamp, MessageId)>,
    ) -> Done<Projections> {
        // One transaction: the tables of one commit.
        let mut tx = self.readers.begin().await?;
        match before {
            Some(before) => fold::rows_before(&mut tx, event, before).await,
            None => fold::rows_of(&mut tx, &event.id).await,
        }
    }

    /// Parked items are due later; what is due now or in work is what a query waits for.
    pub(super) async fn count_unsettled_before(&self, message: &MessageId) -> Done<u64> {
        let now: Micros = Timestamp::now().as_microsecond();
        let count: i64 = sqlx::query_scalar(UNSETTLED_BEFORE)
            .bind(message.as_str())
            .bind(now)
            .fetch_one(&self.readers)
            .await?;
        Ok(count.unsigned_abs())
    }

    pub(super) async fn load_vendors(&self, kind: &str, limit: u32) -> Done<Vec<Vendor>> {
        let query = sqlx::query(VENDORS).bind(kind).bind(limit);
        query.fetch_all(&self.readers).await?.iter().map(codec::vendor).collect()
    }
}
