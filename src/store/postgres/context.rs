//! What an event knew at a moment: messages, rows, vendors.
//!
//! Rows before a message are refolded from what is settled, so that work done
//! out of order never shows in a context.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sqlx::types::Json;

use super::PostgresStore;
use super::codec::{Instant, count, read};
use super::pool::store_error;
use super::projections::{entries, stored_rows};
use crate::domain::chat::{Event, Vendor};
use crate::domain::enrichment::Contribution;
use crate::domain::ids::{MessageId, PersonId};
use crate::domain::projection::{Entry, Projections, fold};
use crate::store::{ContextQuery, ContextRows, Stored};

// One round trip: messages, oldest first, and what tasks and expenses are folded from, if they are
// asked for. Each room gives its newest messages, so that a long chat is not read in whole; of each
// message's contributions the latest revision speaks.
const CONTEXT: &str = r#"
    select
        (
            select coalesce(jsonb_agg(jsonb_build_object(
                'id', m.id, 'room', m.room_id, 'sender', m.sender_id, 'sent_at', m.sent_at,
                'text', coalesce(m.text, ''), 'revision', coalesce(m.revision, 1),
                'deleted_at', m.deleted_at, 'detected_intent', m.detected_intent,
                'extracted_entities', m.extracted_entities
            ) order by m.sent_at, m.id collate "C"), '[]')
            from (
                select newest.* from rooms r cross join lateral (
                    select * from messages of_room
                    where of_room.room_id = r.id and of_room.deleted_at is null
                        and (of_room.sent_at, of_room.id collate "C") < ($2, $3)
                    order by of_room.sent_at desc, of_room.id collate "C" desc
                    limit $4
                ) newest
                where r.event_id = $1
                order by newest.sent_at desc, newest.id collate "C" desc
                limit $4
            ) m
        ),
        (
            select coalesce(jsonb_agg(jsonb_build_object(
                'message', e.message_id, 'sent_at', e.sent_at, 'sender', e.sender_id,
                'contribution', e.contribution
            )), '[]')
            from enrichments e
            where $5 and e.event_id = $1 and e.changes_rows
                and (e.sent_at, e.message_id) < ($2, $3)
                and not exists (
                    select 1 from enrichments later
                    where later.message_id = e.message_id and later.revision > e.revision
                )
        )"#;

// An item that nobody has worked on yet counts; a message that has no item never will be.
const UNSETTLED_BEFORE: &str = r#"
    select count(*)
    from messages m
    join queue_items q on q.room_id = m.room_id
        and (q.sent_at, q.id) < (m.sent_at, m.id collate "C")
    where m.id = $1
        and (q.status = 'processing' or (q.status = 'pending' and coalesce(q.park_reason, 'flight_taken')
            in ('flight_taken', 'budget_busy', 'model_busy')))"#;

const VENDORS: &str = r#"
    select jsonb_build_object(
        'id', v.id, 'name', v.name, 'kind', v.kind, 'area', v.area, 'price_from', v.price_from,
        'currency', v.currency, 'rating', v.rating
    )
    from vendors v where v.kind = $1
    order by v.rating desc nulls last, v.price_from nulls last, v.id collate "C"
    limit $2"#;

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[CONTEXT, UNSETTLED_BEFORE, VENDORS];

impl PostgresStore {
    pub(super) async fn context_before(&self, query: &ContextQuery) -> Stored<ContextRows> {
        let (sent_at, id) = &query.before;
        let event = query.event.id.as_str();
        let (Json(messages), Json(entries)): (Json<Value>, Json<Value>) = sqlx::query_as(CONTEXT)
            .bind(event)
            .bind(Instant(*sent_at))
            .bind(id.as_str())
            .bind(i64::from(query.messages))
            .bind(query.tasks > 0 || query.expenses > 0)
            .fetch_one(self.pool())
            .await
            .map_err(store_error)?;
        let entries: Vec<StoredEntry> = read("enrichments of event", event, entries)?;
        let mut rows = fold(&query.event, entries.into_iter().map(Entry::from).collect());
        keep_newest(&mut rows.tasks, query.tasks);
        keep_newest(&mut rows.expenses, query.expenses);
        let messages = read("messages of event", event, messages)?;
        Ok(ContextRows { messages, tasks: rows.tasks, expenses: rows.expenses })
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

/// What a message contributed, as the statement gives it.
#[derive(Deserialize)]
struct StoredEntry {
    message: MessageId,
    sent_at: Timestamp,
    sender: PersonId,
    contribution: Contribution,
}

impl From<StoredEntry> for Entry {
    fn from(StoredEntry { message, sent_at, sender, contribution }: StoredEntry) -> Self {
        Self { message, sent_at, sender, contribution }
    }
}

/// Drops the oldest rows beyond a limit.
fn keep_newest<T>(rows: &mut Vec<T>, most: u32) {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    rows.drain(..rows.len().saturating_sub(most));
}
