//! Suggestions: an event's next run, what a run writes, and what people read and dismiss.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::codec::{self, Reader};
use super::{Done, Micros, SqliteStore, Write, between, micros};
use crate::domain::chat::Event;
use crate::domain::ids::{EventId, ItemId, MessageId};
use crate::domain::suggestion::{SuggestionRow, SuggestionStatus};
use crate::store::runs::MOST_LISTED;
use crate::store::{RunRecord, SuggestAfter};

statements! {
    WAITING = "select id, created_at, first_claimed_at is not null as is_begun from queue_items
        where event_id = ?1 and kind = 'suggestion' and status = 'pending'
        order by created_at, id limit 1";
    LAST_BEGUN = "select max(claimed_at) from queue_items where event_id = ?1 and kind = 'suggestion'";
    MAKE_RUN = "insert into queue_items (id, kind, event_id, due_at, look_at, created_at)
        values (?1, 'suggestion', ?2, ?3, ?3, ?4) on conflict (id) do nothing";
    PUT_OFF = "update queue_items set due_at = ?2, look_at = ?2, hints = 0 where id = ?1";
    PASS_OVER = "update queue_items set status = 'skipped', reason = 'nothing_to_do', lease = lease + 1,
            lease_until = null, look_at = null, hints = 0, waits_for = null, park_reason = null,
            settled_at = ?2
        where event_id = (select event_id from queue_items where id = ?1) and kind = 'suggestion'
            and id <> ?1 and (status = 'pending' or (status = 'processing' and lease_until <= ?2))";
    MOMENT = "select m.sent_at, m.id
        from rooms r join messages m on m.room_id = r.id join queue_items q on q.id = m.id
        where r.event_id = ?1 and +q.status in ('completed', 'skipped', 'failed')
        order by m.sent_at desc, m.id desc limit 1";
    PUT = "insert into suggestions (id, event_id, status, body, model, position, created_at)
        values (?1, ?2, 'open', ?3, ?4, ?5, ?6) on conflict (id) do nothing";
    OF_EVENT = "select id, event_id, status, body, created_at, model, dismissed_at, dismissed_by
        from suggestions where event_id = ?1 order by created_at, position, id";
    NEWEST = "select id, event_id, status, body, created_at, model, dismissed_at, dismissed_by
        from (select * from suggestions order by created_at desc, position desc, id desc limit ?1)
        order by created_at, position, id";
    DISMISS = "update suggestions set status = 'dismissed',
            dismissed_at = case when status = 'open' then ?2 else dismissed_at end,
            dismissed_by = case when status = 'open' then ?3 else dismissed_by end
        where id = ?1";
    PENDING = "select min(case when status = 'processing' then 0 else due_at end) from queue_items
        where event_id = ?1 and kind = 'suggestion' and status in ('pending', 'processing')";
}

impl SqliteStore {
    pub(super) async fn list_suggestions(
        &self,
        event: Option<&EventId>,
    ) -> Done<Vec<SuggestionRow>> {
        let query = match event {
            Some(event) => sqlx::query(OF_EVENT).bind(event.to_string()),
            None => sqlx::query(NEWEST).bind(MOST_LISTED),
        };
        query.fetch_all(&self.readers).await?.iter().map(suggestion_row).collect()
    }

    pub(super) async fn dismiss(&self, id: Uuid, by: &str) -> Done<bool> {
        let (mut tx, now) = self.write().await?;
        let dismiss = sqlx::query(DISMISS).bind(id.to_string()).bind(now).bind(by);
        let dismissed = dismiss.execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(dismissed.rows_affected() > 0)
    }

    pub(super) async fn pending_run(&self, event: &EventId) -> Done<Option<Duration>> {
        let pending = sqlx::query_scalar(PENDING).bind(event.as_str());
        let due: Option<Micros> = pending.fetch_one(&self.readers).await?;
        let now = Timestamp::now().as_microsecond();
        Ok(due.map(|due| between(now, due)))
    }
}

/// An event changed: its waiting run is put off until it is quiet, or it is given one.
pub(super) async fn make_run(
    tx: &mut Write,
    event: &EventId,
    after: SuggestAfter,
    now: Micros,
) -> Done<()> {
    let last: Option<Micros> =
        sqlx::query_scalar(LAST_BEGUN).bind(event.as_str()).fetch_one(&mut **tx).await?;
    let earliest = last.map_or(now, |last| last.saturating_add(micros(after.every)));
    let quiet_at = now.saturating_add(micros(after.quiet));
    let waiting = sqlx::query(WAITING).bind(event.as_str()).fetch_optional(&mut **tx).await?;
    let Some(row) = waiting else {
        let due = quiet_at.max(earliest);
        let id = after.run_item(event, instant(due)?);
        let make = sqlx::query(MAKE_RUN).bind(id.as_str()).bind(event.as_str()).bind(due).bind(now);
        make.execute(&mut **tx).await?;
        return Ok(());
    };
    let reader = Reader::new("queue_items", &row);
    // One that was begun and put back waits for something else, and sees this once it goes on.
    if reader.get::<bool>("is_begun")? {
        return Ok(());
    }
    let opened: Micros = reader.get("created_at")?;
    let due = quiet_at.min(opened.saturating_add(micros(after.patience()))).max(earliest);
    sqlx::query(PUT_OFF).bind(reader.get::<&str>("id")?).bind(due).execute(&mut **tx).await?;
    Ok(())
}

fn instant(at: Micros) -> Done<Timestamp> {
    Timestamp::from_microsecond(at).map_err(|error| sqlx::Error::Encode(error.into()).into())
}

/// A run begins: it sees all that the event's other waiting runs, and those whose worker died,
/// would see, so they end here.
pub(super) async fn begin(tx: &mut Write, run: &ItemId, now: Micros) -> Done<()> {
    sqlx::query(PASS_OVER).bind(run.as_str()).bind(now).execute(&mut **tx).await?;
    Ok(())
}

/// What a run is made as of: the event's latest settled message.
pub(super) async fn moment(tx: &mut Write, event: &str) -> Done<Option<(Timestamp, MessageId)>> {
    let row = sqlx::query(MOMENT).bind(event).fetch_optional(&mut **tx).await?;
    let Some(row) = row else { return Ok(None) };
    let reader = Reader::new("messages", &row);
    Ok(Some((reader.instant("sent_at")?, reader.message_id("id")?)))
}

/// Writes those that are not there yet, and names them.
pub(super) async fn put(
    tx: &mut Write,
    event: &Event,
    run: &RunRecord,
    now: Micros,
) -> Done<Vec<Uuid>> {
    let mut written = Vec::new();
    for (position, suggestion) in (0i64..).zip(&run.suggestions) {
        let put = sqlx::query(PUT)
            .bind(suggestion.id.to_string())
            .bind(event.id.as_str())
            .bind(codec::json(suggestion)?)
            .bind(&run.model)
            .bind(position)
            .bind(now);
        if put.execute(&mut **tx).await?.rows_affected() > 0 {
            written.push(suggestion.id);
        }
    }
    Ok(written)
}

/// All of an event's, in the order in which they were made.
pub(super) async fn of_event(
    connection: &mut SqliteConnection,
    event: &EventId,
) -> Done<Vec<SuggestionRow>> {
    let rows = sqlx::query(OF_EVENT).bind(event.as_str()).fetch_all(connection).await?;
    rows.iter().map(suggestion_row).collect()
}

fn suggestion_row(row: &SqliteRow) -> Done<SuggestionRow> {
    let reader = Reader::new("suggestions", row);
    Ok(SuggestionRow {
        event: reader.event_id("event_id")?,
        suggestion: reader.json("body")?,
        status: reader.named("status", SuggestionStatus::named)?,
        created_at: reader.instant("created_at")?,
        model: reader.get("model")?,
        dismissed_at: reader.instant_if_any("dismissed_at")?,
        dismissed_by: reader.get("dismissed_by")?,
    })
}
