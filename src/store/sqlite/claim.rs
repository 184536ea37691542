//! Claim: `pending → processing` under a new lease, with all that the work needs.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::codec::{self, Reader};
use super::{Done, Micros, SqliteStore, Write, between, context, ledger, micros, suggestions};
use crate::domain::chat::{Event, Message, Remark};
use crate::domain::ids::{Held, ItemId, Lease, MessageId};
use crate::store::types::readable;
use crate::store::{Claim, Claimed, ItemKind, StoreError};

statements! {
    MAKE_ITEM = "insert into queue_items (id, event_id, due_at, look_at, created_at)
        select ?1, (select r.event_id from messages m join rooms r on r.id = m.room_id where m.id = ?1), ?2, ?2, ?2
        where true
        on conflict (id) do nothing";
    ITEM = "select id, kind, event_id, status, lease_until, due_at, revision,
            completion_id, completion_kind, routing_key, body, confirmed_at
        from queue_items where id = ?1";
    MESSAGE = "select id, room_id, sender_id, sent_at, text, revision, deleted_at, detected_intent, extracted_entities
        from messages where id = ?1";
    // 1,024 characters are at most 4,096 bytes.
    BEFORE = "select sender_id, substr(text, 1, 1024) as text from messages
        where room_id = ?1 and (sent_at, id) < (?2, ?3) and deleted_at is null
        order by sent_at desc, id desc limit 8";
    ROOM_EVENT = "select event_id from rooms where id = ?1";
    NOTE_TAKEOVER = "insert into item_history (item_id, at, what, lease, attempt)
        select id, ?2, 'taken_over', lease, attempt from queue_items where id = ?1";
    REOPEN = "update queue_items set status = 'pending', attempt = 0, due_at = ?2, created_at = ?2,
            first_claimed_at = null
        where id = ?1";
    WANT = "update queue_items set wanted = ?2 where id = ?1 and revision < ?2 and wanted < ?2";
    TAKE = "update queue_items set status = 'processing', lease = lease + 1, attempt = attempt + 1,
            claimed_at = ?2, first_claimed_at = coalesce(first_claimed_at, ?2), lease_until = ?3,
            look_at = ?3, hints = 0, waits_for = null, park_reason = null,
            revision = ?4, wanted = -1, event_id = coalesce(?5, event_id),
            room_id = coalesce(?6, room_id), sent_at = coalesce(?7, sent_at),
            reason = null, detail = null, settled_at = null
        where id = ?1
        returning lease, attempt, first_claimed_at";
    KEPT = "select fingerprint, coalesce(answered_by, model) as model, answer from ledger
        where item_id = ?1 and revision = ?2 and state in ('charged', 'ambiguous')
            and answer is not null
        order by created_at, id";
}

/// How an item stands towards a claim.
enum Standing {
    /// It can be taken.
    Free,
    /// It can be taken from a worker whose lease ran out.
    RunOut,
    /// It is settled, but its message has since come or been edited.
    Outdated,
    /// It is settled, or was and still owes its completion event.
    Settled,
    /// It is leased.
    Leased,
    /// It is not yet due.
    NotDue,
}

/// What an item is about, as far as there are rows.
struct Inputs {
    kind: ItemKind,
    moment: Option<(Timestamp, MessageId)>,
    message: Option<Message>,
    before: Vec<Remark>,
    event: Option<Event>,
    event_id: Option<String>,
    room_exists: bool,
    unreadable: Option<String>,
}

impl SqliteStore {
    pub(super) async fn claim_item(&self, item: &ItemId, lease: Duration) -> Done<Claimed> {
        let (mut tx, now) = self.write().await?;
        sqlx::query(MAKE_ITEM).bind(item.as_str()).bind(now).execute(&mut *tx).await?;
        let row = sqlx::query(ITEM).bind(item.as_str()).fetch_one(&mut *tx).await?;
        let mut unreadable = None;
        let message = load_message(&mut tx, item.as_str()).await.map_err(StoreError::from);
        let message = readable(message, &mut unreadable)?;
        match standing(&row, message.as_ref(), now)? {
            Standing::Free => {}
            Standing::RunOut => {
                sqlx::query(NOTE_TAKEOVER).bind(item.as_str()).bind(now).execute(&mut *tx).await?;
            }
            Standing::Outdated => {
                sqlx::query(REOPEN).bind(item.as_str()).bind(now).execute(&mut *tx).await?;
            }
            Standing::Settled => {
                want(tx, item, message.as_ref()).await?;
                return Ok(Claimed::Settled { owed: owed(&row)? });
            }
            Standing::Leased => {
                want(tx, item, message.as_ref()).await?;
                return Ok(Claimed::NotNow);
            }
            Standing::NotDue => return Ok(Claimed::NotNow),
        }
        if kind_of(&row)? == ItemKind::Suggestion {
            suggestions::begin(&mut tx, item, now).await?;
        }
        let mut inputs = load_inputs(&mut tx, message, &row).await?;
        inputs.unreadable = unreadable.or(inputs.unreadable);
        let claim = take(&mut tx, item, inputs, now, lease).await?;
        tx.commit().await?;
        Ok(Claimed::Held(Box::new(claim)))
    }
}

fn kind_of(item: &SqliteRow) -> Done<ItemKind> {
    let is_message = item.try_get::<&str, _>("kind")? == "message";
    Ok(if is_message { ItemKind::Message } else { ItemKind::Suggestion })
}

fn standing(row: &SqliteRow, message: Option<&Message>, now: Micros) -> Done<Standing> {
    let reader = Reader::new("queue_items", row);
    Ok(match reader.get::<&str>("status")? {
        "pending" if reader.get::<Micros>("due_at")? <= now => Standing::Free,
        "pending" => Standing::NotDue,
        "processing"
            if reader.get::<Option<Micros>>("lease_until")?.is_none_or(|end| end <= now) =>
        {
            Standing::RunOut
        }
        "processing" => Standing::Leased,
        _ => {
            let seen: i64 = reader.get("revision")?;
            let has_come = message.is_some_and(|message| message.revision > seen);
            // What is owed must not be lost: the confirm opens the item.
            if has_come && owed(row)?.is_none() { Standing::Outdated } else { Standing::Settled }
        }
    })
}

fn owed(row: &SqliteRow) -> Done<Option<crate::store::OwedEvent>> {
    let reader = Reader::new("queue_items", row);
    let is_owed = reader.get::<Option<&str>>("completion_id")?.is_some()
        && reader.get::<Option<Micros>>("confirmed_at")?.is_none();
    if is_owed { codec::owed(row).map(Some) } else { Ok(None) }
}

/// Notes a revision that is seen while another has its turn.
async fn want(mut tx: Write, item: &ItemId, message: Option<&Message>) -> Done<()> {
    let Some(message) = message else { return Ok(()) };
    sqlx::query(WANT).bind(item.as_str()).bind(message.revision).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn load_message(tx: &mut Write, id: &str) -> Done<Option<Message>> {
    let row = sqlx::query(MESSAGE).bind(id).fetch_optional(&mut **tx).await?;
    row.as_ref().map(codec::message).transpose()
}

async fn load_before(tx: &mut Write, message: &Message) -> Done<Vec<Remark>> {
    let newest_first = sqlx::query(BEFORE)
        .bind(message.room.as_str())
        .bind(message.sent_at.as_microsecond())
        .bind(message.id.as_str())
        .fetch_all(&mut **tx)
        .await?;
    newest_first.iter().rev().map(codec::remark).collect()
}

async fn load_inputs(tx: &mut Write, message: Option<Message>, item: &SqliteRow) -> Done<Inputs> {
    let is_message = kind_of(item)? == ItemKind::Message;
    let room_event: Option<String> = match &message {
        Some(message) => {
            let room = message.room.as_str();
            sqlx::query_scalar(ROOM_EVENT).bind(room).fetch_optional(&mut **tx).await?
        }
        None => None,
    };
    let before = match &message {
        Some(message) => load_before(tx, message).await?,
        None => Vec::new(),
    };
    let room_exists = room_event.is_some() || !is_message;
    // A message's event is its room's and no other; an item that is none knows its own.
    let event_id = if is_message { room_event } else { item.try_get("event_id")? };
    let mut unreadable = None;
    let event = match &event_id {
        Some(id) => {
            let event = context::load_event(tx, id).await.map_err(StoreError::from);
            readable(event, &mut unreadable)?
        }
        None => None,
    };
    let moment = match &event_id {
        Some(event) if !is_message => suggestions::moment(tx, event).await?,
        Some(_) | None => None,
    };
    let kind = kind_of(item)?;
    Ok(Inputs { kind, moment, message, before, event, event_id, room_exists, unreadable })
}

async fn take(
    tx: &mut Write,
    item: &ItemId,
    inputs: Inputs,
    now: Micros,
    lease: Duration,
) -> Done<Claim> {
    let revision = inputs.message.as_ref().map_or(-1, |message| message.revision);
    let row = sqlx::query(TAKE)
        .bind(item.as_str())
        .bind(now)
        .bind(now.saturating_add(micros(lease)))
        .bind(revision)
        .bind(&inputs.event_id)
        .bind(inputs.message.as_ref().map(|message| message.room.as_str()))
        .bind(inputs.message.as_ref().map(|message| message.sent_at.as_microsecond()))
        .fetch_one(&mut **tx)
        .await?;
    let held = Held { item: item.clone(), lease: Lease(row.try_get("lease")?) };
    ledger::strand(tx, &held, now).await?;
    let kept = sqlx::query(KEPT).bind(item.as_str()).bind(revision).fetch_all(&mut **tx).await?;
    Ok(Claim {
        kind: inputs.kind,
        moment: inputs.moment,
        attempt: row.try_get("attempt")?,
        age: between(row.try_get("first_claimed_at")?, now),
        message: inputs.message,
        before: inputs.before,
        event: inputs.event,
        room_exists: inputs.room_exists,
        unreadable: inputs.unreadable,
        kept: kept.iter().map(ledger::kept).collect::<Done<_>>()?,
        spent: ledger::spent_on(tx, item, revision).await?,
        held,
    })
}
