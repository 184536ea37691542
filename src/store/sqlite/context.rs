//! What an event knew just before a message.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{Done, SqliteStore, codec, fold};
use crate::domain::chat::{Event, Message, Vendor};
use crate::domain::ids::MessageId;
use crate::domain::projection::Projections;
use crate::store::{ContextQuery, ContextRows};

statements! {
    MESSAGES = "select m.id, m.room_id, m.sender_id, m.sent_at, m.text, m.revision, m.deleted_at,
            m.detected_intent, m.extracted_entities
        from rooms r join messages m on m.room_id = r.id
        where r.event_id = ?1 and (m.sent_at, m.id) < (?2, ?3) and m.deleted_at is null
        order by m.sent_at desc, m.id desc limit ?4";
    EVENT = "select id, tenant, name, kind, starts_at, time_zone, locale, currency, budget
        from events where id = ?1";
    PARTICIPANTS = "select id, name from participants where event_id = ?1 order by position, id";
    UNSETTLED_BEFORE = "select count(*)
        from messages asked
        join queue_items q on q.room_id = asked.room_id and (q.sent_at, q.id) < (asked.sent_at, asked.id)
        where asked.id = ?1 and (q.status = 'processing' or (q.status = 'pending'
            and coalesce(q.park_reason, 'flight_taken') in ('flight_taken', 'budget_busy', 'model_busy')))";
    VENDORS = "select id, name, kind, area, price_from, currency, rating from vendors where kind = ?1
        order by rating desc nulls last, price_from nulls last, id limit ?2";
}

impl SqliteStore {
    /// Tasks and expenses are folded as of the message: what was done since is not known yet.
    pub(super) async fn load_context(&self, query: &ContextQuery) -> Done<ContextRows> {
        let mut tx = self.readers.begin().await?;
        let mut context =
            ContextRows { messages: messages_before(&mut tx, query).await?, ..Default::default() };
        if query.tasks == 0 && query.expenses == 0 {
            return Ok(context);
        }
        let rows = fold::rows_before(&mut tx, &query.event, &query.before).await?;
        context.tasks = newest(rows.tasks, query.tasks);
        context.expenses = newest(rows.expenses, query.expenses);
        Ok(context)
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

    pub(super) async fn count_unsettled_before(&self, message: &MessageId) -> Done<u64> {
        let query = sqlx::query_scalar::<_, i64>(UNSETTLED_BEFORE).bind(message.as_str());
        Ok(query.fetch_one(&self.readers).await?.unsigned_abs())
    }

    pub(super) async fn load_vendors(&self, kind: &str, limit: u32) -> Done<Vec<Vendor>> {
        let query = sqlx::query(VENDORS).bind(kind).bind(limit);
        query.fetch_all(&self.readers).await?.iter().map(codec::vendor).collect()
    }
}

/// An event with its participants.
pub(super) async fn load_event(connection: &mut SqliteConnection, id: &str) -> Done<Option<Event>> {
    let Some(row) = sqlx::query(EVENT).bind(id).fetch_optional(&mut *connection).await? else {
        return Ok(None);
    };
    let participants = sqlx::query(PARTICIPANTS).bind(id).fetch_all(connection).await?;
    codec::event(&row, &participants).map(Some)
}

async fn messages_before(
    connection: &mut SqliteConnection,
    query: &ContextQuery,
) -> Done<Vec<Message>> {
    let (sent_at, message) = &query.before;
    let rows = sqlx::query(MESSAGES)
        .bind(query.event.id.as_str())
        .bind(sent_at.as_microsecond())
        .bind(message.as_str())
        .bind(query.messages)
        .fetch_all(connection)
        .await?;
    rows.iter().rev().map(codec::message).collect()
}

/// The last of them, in their order.
fn newest<T>(mut rows: Vec<T>, limit: u32) -> Vec<T> {
    rows.split_off(rows.len().saturating_sub(limit as usize))
}
