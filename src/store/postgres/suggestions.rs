//! Suggestions: an event's next run, what a run writes, and what people read and dismiss.

use std::time::Duration;

use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::PostgresStore;
use super::codec::{Instant, duration, interval, json, plain, read};
use super::pool::store_error;
use super::record::{End, Settled, settle};
use crate::domain::chat::Event;
use crate::domain::ids::{EventId, Held};
use crate::domain::suggestion::{Suggestion, SuggestionRow, SuggestionStatus};
use crate::store::runs::{self, RunEnd};
use crate::store::{Fenced, Record, Recorded, RunRecord, StoreError, Stored, SuggestAfter};

const NEXT_RUN: &str = "select next_run($1, $2, $3, $4)";

const MAKE_RUN: &str = "
    insert into queue_items (id, kind, event_id, due_at, look_at)
    values ($1, 'suggestion', $2, $3, $3)
    on conflict (id) do nothing";

const PUT: &str = "
    insert into suggestions (id, event_id, status, body, model, position, created_at)
    select (s.body ->> 'id')::uuid, $1, 'open', s.body - 'id', $3, s.position, now()
    from jsonb_array_elements($2) with ordinality s (body, position)
    on conflict (id) do nothing
    returning id";

macro_rules! list {
    ($from:literal) => {
        concat!(
            "
    select id, event_id, body || jsonb_build_object('id', id) as suggestion, status, created_at,
        model, dismissed_at, dismissed_by
    from ",
            $from,
            " s order by created_at, position, id"
        )
    };
}

const OF_EVENT: &str = list!("(select * from suggestions where event_id = $1)");
const NEWEST: &str =
    list!("(select * from suggestions order by created_at desc, position desc, id desc limit $1)");

const DISMISS: &str = "
    update suggestions
    set status = 'dismissed',
        dismissed_at = case when status = 'open' then clock_timestamp() else dismissed_at end,
        dismissed_by = case when status = 'open' then $2 else dismissed_by end
    where id = $1";

const PENDING: &str = "
    select (extract(epoch from
        min(case when status = 'processing' then now() else due_at end) - now()
    ) * 1000000)::bigint
    from queue_items
    where event_id = $1 and kind = 'suggestion' and status in ('pending', 'processing')";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[NEXT_RUN, MAKE_RUN, PUT, OF_EVENT, NEWEST, DISMISS, PENDING];

impl PostgresStore {
    /// One transaction: the suggestions that are new, and an end that tells of them.
    pub(super) async fn record_run(
        &self,
        held: &Held,
        record: &Record,
        run: &RunRecord,
    ) -> Stored<Fenced<Recorded>> {
        let mut transaction = self.pool().begin().await.map_err(store_error)?;
        let put = match &record.event {
            Some(event) => put(&mut transaction, event, run).await?,
            None => Vec::new(),
        };
        let RunEnd { outcome, reason, new, news } = runs::end(record, run, &put);
        let end = End { outcome, reason, completion: news.as_ref() };
        let settled = settle(&mut *transaction, held, record, &end, false).await?;
        let Settled::Done(recorded) = settled else {
            transaction.rollback().await.map_err(store_error)?;
            return Ok(Fenced::Lost);
        };
        transaction.commit().await.map_err(store_error)?;
        Ok(Fenced::Done(Recorded { new, news, ..recorded }))
    }

    pub(super) async fn suggestions_of(
        &self,
        event: Option<&EventId>,
    ) -> Stored<Vec<SuggestionRow>> {
        let Some(event) = event else {
            let newest = sqlx::query(NEWEST).bind(i64::from(runs::MOST_LISTED));
            let rows = newest.fetch_all(self.pool()).await.map_err(store_error)?;
            return rows.iter().map(suggestion_row).collect();
        };
        let mut connection = self.pool().acquire().await.map_err(store_error)?;
        stored_suggestions(&mut connection, event).await
    }

    pub(super) async fn dismiss(&self, id: Uuid, by: &str) -> Stored<bool> {
        let dismiss = sqlx::query(DISMISS).bind(id).bind(plain(by));
        let dismissed = dismiss.execute(self.pool()).await.map_err(store_error)?;
        Ok(dismissed.rows_affected() > 0)
    }

    pub(super) async fn pending_run(&self, event: &EventId) -> Stored<Option<Duration>> {
        let pending = sqlx::query_scalar(PENDING).bind(event.as_str());
        let after: Option<i64> = pending.fetch_one(self.pool()).await.map_err(store_error)?;
        Ok(after.map(duration))
    }
}

/// Makes or moves the event's next run. The caller holds the event's lock.
pub(super) async fn suggest(
    connection: &mut PgConnection,
    event: &EventId,
    after: SuggestAfter,
) -> Stored<()> {
    let due: Option<Instant> = sqlx::query_scalar(NEXT_RUN)
        .bind(event.as_str())
        .bind(interval(after.every))
        .bind(interval(after.quiet))
        .bind(interval(after.patience()))
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    let Some(due) = due else { return Ok(()) };
    let make = sqlx::query(MAKE_RUN)
        .bind(after.run_item(event, due.0).as_str().to_owned())
        .bind(event.as_str())
        .bind(due);
    make.execute(connection).await.map_err(store_error)?;
    Ok(())
}

/// Writes those that are not there yet, and names them.
async fn put(connection: &mut PgConnection, event: &Event, run: &RunRecord) -> Stored<Vec<Uuid>> {
    if run.suggestions.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar(PUT)
        .bind(event.id.as_str())
        .bind(json(&run.suggestions))
        .bind(run.model.as_deref())
        .fetch_all(connection)
        .await
        .map_err(store_error)
}

/// All of an event's, in the order in which they were made.
pub(super) async fn stored_suggestions(
    connection: &mut PgConnection,
    event: &EventId,
) -> Stored<Vec<SuggestionRow>> {
    let rows = sqlx::query(OF_EVENT).bind(event.as_str()).fetch_all(connection).await;
    rows.map_err(store_error)?.iter().map(suggestion_row).collect()
}

fn suggestion_row(row: &PgRow) -> Stored<SuggestionRow> {
    let id: Uuid = row.try_get("id").map_err(store_error)?;
    let id = id.to_string();
    let event: String = row.try_get("event_id").map_err(store_error)?;
    let Json(suggestion): Json<Value> = row.try_get("suggestion").map_err(store_error)?;
    let suggestion: Suggestion = read("suggestions", &id, suggestion)?;
    let status: String = row.try_get("status").map_err(store_error)?;
    let Some(status) = SuggestionStatus::named(&status) else {
        let why = format!("no status is called {status:?}");
        return Err(StoreError::BadRow { table: "suggestions", id, why });
    };
    let Instant(created_at) = row.try_get("created_at").map_err(store_error)?;
    let dismissed_at: Option<Instant> = row.try_get("dismissed_at").map_err(store_error)?;
    Ok(SuggestionRow {
        event: read("suggestions", &id, Value::String(event))?,
        suggestion,
        status,
        created_at,
        model: row.try_get("model").map_err(store_error)?,
        dismissed_at: dismissed_at.map(|at| at.0),
        dismissed_by: row.try_get("dismissed_by").map_err(store_error)?,
    })
}
