//! Inputs in: an event, its people, rooms and messages, in one transaction.
//!
//! The trigger on `messages` makes the queue items, here as for any producer.

use std::collections::HashSet;

use super::{Done, SqliteStore, Write, codec};
use crate::domain::chat::{Event, Message, Participant};
use crate::domain::ids::{EventId, RoomId};
use crate::store::{IngestBatch, IngestReport, unlisted_senders};

statements! {
    WRITE_EVENT = "insert into events
            (id, tenant, name, kind, starts_at, time_zone, locale, currency, budget)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        on conflict (id) do update set tenant = ?2, name = ?3, kind = ?4, starts_at = ?5,
            time_zone = ?6, locale = ?7, currency = ?8, budget = ?9";
    PARTICIPANTS = "select id, name from participants where event_id = ?1 order by position, id";
    WRITE_PARTICIPANT = "insert into participants (event_id, id, name, position) values (?1, ?2, ?3, ?4)
        on conflict (event_id, id) do update set name = ?3, position = ?4";
    WRITE_ROOM = "insert into rooms (id, event_id) values (?1, ?2) on conflict (id) do nothing";
    WRITE_MESSAGE = "insert into messages (id, room_id, sender_id, sent_at, text, revision,
            deleted_at, detected_intent, extracted_entities)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        on conflict (id) do nothing returning id";
}

impl SqliteStore {
    pub(super) async fn write_batch(&self, batch: &IngestBatch) -> Done<IngestReport> {
        let (mut tx, _) = self.write().await?;
        write_event(&mut tx, &batch.event).await?;
        write_participants(&mut tx, batch).await?;
        write_rooms(&mut tx, &batch.event.id, &batch.messages).await?;
        let mut report = IngestReport::default();
        for message in &batch.messages {
            if write_message(&mut tx, message).await? {
                report.new.push(message.id.clone());
            } else {
                report.known += 1;
            }
        }
        tx.commit().await?;
        Ok(report)
    }
}

async fn write_event(tx: &mut Write, event: &Event) -> Done<()> {
    sqlx::query(WRITE_EVENT)
        .bind(event.id.as_str())
        .bind(&event.tenant)
        .bind(&event.name)
        .bind(&event.kind)
        .bind(event.starts_at.map(|at| at.as_microsecond()))
        .bind(&event.time_zone)
        .bind(&event.locale)
        .bind(event.currency.code())
        .bind(event.budget)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The listed ones stand first, in their order; who came by an earlier batch or only wrote, after them.
async fn write_participants(tx: &mut Write, batch: &IngestBatch) -> Done<()> {
    let event = batch.event.id.as_str();
    let rows = sqlx::query(PARTICIPANTS).bind(event).fetch_all(&mut **tx).await?;
    let mut all = batch.event.clone();
    for row in &rows {
        let known: Participant = codec::participant(row)?;
        if !all.participants.iter().any(|listed| listed.id == known.id) {
            all.participants.push(known);
        }
    }
    let unlisted = unlisted_senders(&all, &batch.messages);
    for (place, person) in all.participants.iter().chain(&unlisted).enumerate() {
        sqlx::query(WRITE_PARTICIPANT)
            .bind(event)
            .bind(&person.id.0)
            .bind(&person.name)
            .bind(place as i64)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

async fn write_rooms(tx: &mut Write, event: &EventId, messages: &[Message]) -> Done<()> {
    let rooms: HashSet<&RoomId> = messages.iter().map(|message| &message.room).collect();
    for room in rooms {
        sqlx::query(WRITE_ROOM).bind(room.as_str()).bind(event.as_str()).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Whether the message is new.
async fn write_message(tx: &mut Write, message: &Message) -> Done<bool> {
    let entities = message.extracted_entities.as_ref().map(codec::json).transpose()?;
    let row = sqlx::query(WRITE_MESSAGE)
        .bind(message.id.as_str())
        .bind(message.room.as_str())
        .bind(&message.sender.0)
        .bind(message.sent_at.as_microsecond())
        .bind(&message.text)
        .bind(message.revision)
        .bind(message.deleted_at.map(|at| at.as_microsecond()))
        .bind(&message.detected_intent)
        .bind(entities)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(row.is_some())
}
