//! What an event knew at a moment: messages, rows, vendors.
//!
//! Rows before a message are refolded from what is settled, so that work done
//! out of order never shows in a context.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::types::Json;

use super::PostgresStore;
use super::codec::{Instant, count, read};
use super::pool::store_error;
use super::projections::{entries, stored_rows};
use crate::domain::chat::{Event, Message, Vendor};
use crate::domain::ids::{EventId, MessageId};
use crate::domain::projection::{Projections, fold};
use crate::store::{ContextQuery, ContextRows, Stored};

// Each room gives its newest, so that a long chat is not read in whole.
const MESSAGES_BEFORE: &str = r#"
    select jsonb_build_object(
        'id', m.id, 'room', m.room_id, 'sender', m.sender_id, 'sent_at', m.sent_at,
        'text', coalesce(m.text, ''), 'revision', coalesce(m.revision, 1),
        'deleted_at', m.deleted_at, 'detected_intent', m.detected_intent,
        'extracted_entities', m.extracted_entities
    )
    from rooms r cross join lateral (
        select * from messages newest
        where newest.room_id = r.id and newest.deleted_at is null
            and (newest.sent_at, newest.id collate "C") < ($2, $3)
        order by newest.sent_at desc, newest.id collate "C" desc
        limit $4
    ) m
    where r.event_id = $1
    order by m.sent_at desc, m.id collate "C" desc
    limit $4"#;

const EVENT: &str = "select event_json($1)";

// An item that nobody has worked on yet counts; a message that has no item never will be.
const UNSETTLED_BEFORE: &str = r#"
    select count(*)
    from messages m
    join queue_items q on q.room_id = m.room_id
        and (q.sent_at, q.id) < (m.sent_at, m.id collate "C")
    where m.id = $1
        and (q.status = 'processing' or (q.status = 'pending' and q.park_reason is null))"#;

const VENDORS: &str = r#"
    select jsonb_build_object(
        'id', v.id, 'name', v.name, 'kind', v.kind, 'area', v.area, 'price_from', v.price_from,
        'currency', v.currency, 'rating', v.rating
    )
    from vendors v where v.kind = $1
    order by v.rating desc nulls last, v.price_from nulls last, v.id collate "C"
    limit $2"#;

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[MESSAGES_BEFORE, EVENT, UNSETTLED_BEFORE, VENDORS];

impl PostgresStore {
    pub(super) async fn context_before(&self, query: &ContextQuery) -> Stored<ContextRows> {
        let messages = self.messages_before(query).await?;
        if query.tasks == 0 && query.expenses == 0 {
            return Ok(ContextRows { messages, ..ContextRows::default() });
        }
        let Some(event) = self.event(&query.event).await? else {
            return Ok(ContextRows { messages, ..ContextRows::default() });
        };
        let mut rows = self.rows_of(&event, Some(&query.before)).await?;
        keep_newest(&mut rows.tasks, query.tasks);
        keep_newest(&mut rows.expenses, query.expenses);
        Ok(ContextRows { messages, tasks: rows.tasks, expenses: rows.expenses })
    }

    async fn messages_before(&self, query: &ContextQuery) -> Stored<Vec<Message>> {
        let (sent_at, id) = &query.before;
        let newest_first: Vec<Json<Value>> = sqlx::query_scalar(MESSAGES_BEFORE)
            .bind(query.event.as_str())
            .bind(Instant(*sent_at))
            .bind(id.as_str())
            .bind(i64::from(query.messages))
            .fetch_all(self.pool())
            .await
            .map_err(store_error)?;
        let event = query.event.as_str();
        newest_first
            .into_iter()
            .rev()
            .map(|Json(row)| read("messages of event", event, row))
            .collect()
    }

    pub(super) async fn event(&self, event: &EventId) -> Stored<Option<Event>> {
        let row: Option<Json<Value>> = sqlx::query_scalar(EVENT)
            .bind(event.as_str())
            .fetch_one(self.pool())
            .await
            .map_err(store_error)?;
        row.map(|Json(row)| read("events", event.as_str(), row)).transpose()
    }

    pub(super) async fn rows_of(
        &self,
        event: &Event,
        before: Option<&(Timestamp, MessageId)>,
    ) -> Stored<Projections> {
        let mut connection = self.pool().acquire().await.map_err(store_error)?;
        if before.is_none() {
            return stored_rows(&mut connection, &event.id).await;
        }
        Ok(fold(event, entries(&mut connection, &event.id, before).await?))
    }

    pub(super) async fn count_unsettled_before(&self, message: &MessageId) -> Stored<u64> {
        let unsettled: i64 = sqlx::query_scalar(UNSETTLED_BEFORE)
            .bind(message.as_str())
            .fetch_one(self.pool())
            .await
            .map_err(store_error)?;
        Ok(count(unsettled))
    }

    pub(super) async fn vendors_of(&self, kind: &str, limit: u32) -> Stored<Vec<Vendor>> {
        let rows: Vec<Json<Value>> = sqlx::query_scalar(VENDORS)
            .bind(kind)
            .bind(i64::from(limit))
            .fetch_all(self.pool())
            .await
            .map_err(store_error)?;
        rows.into_iter().map(|Json(row)| read("vendors of kind", kind, row)).collect()
    }
}

/// Drops the oldest rows beyond a limit.
fn keep_newest<T>(rows: &mut Vec<T>, most: u32) {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    rows.drain(..rows.len().saturating_sub(most));
}
