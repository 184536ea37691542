//! Ingest: an event with its messages, in one transaction. The trigger on
//! `messages` makes the queue items.

use std::collections::HashSet;

use sqlx::types::Json;
use sqlx::{Error, PgConnection};

use super::PostgresStore;
use super::codec::{Instant, json, plain};
use super::pool::store_error;
use crate::domain::chat::{Event, Message};
use crate::store::{IngestBatch, IngestReport, StoreError, Stored, unlisted_senders};

const VIEWS: &str = "
    select c.relname::text from pg_class c
    where c.oid in (
        to_regclass('events'), to_regclass('participants'), to_regclass('rooms'),
        to_regclass('messages')
    ) and c.relkind not in ('r', 'p')
    order by 1 limit 1";

const PUT_EVENT: &str = "
    insert into events (
        id, tenant, name, kind, starts_at, time_zone, locale, currency, budget
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict (id) do update
    set tenant = excluded.tenant, name = excluded.name, kind = excluded.kind,
        starts_at = excluded.starts_at, time_zone = excluded.time_zone,
        locale = excluded.locale, currency = excluded.currency, budget = excluded.budget";

const PUT_PARTICIPANTS: &str = "
    insert into participants (event_id, id, name, position)
    select $1, p.id, p.name, p.place - 1
    from unnest($2::text[], $3::text[]) with ordinality p (id, name, place)
    on conflict (event_id, id) do update
    set name = excluded.name, position = excluded.position";

// Who wrote without being listed stands behind all who are, and never takes a listed one's name.
const PUT_SENDERS: &str = "
    insert into participants (event_id, id, name, position)
    select $1, p.id, p.name, p.place + coalesce(
        (select max(known.position) from participants known where known.event_id = $1), -1
    )
    from unnest($2::text[], $3::text[]) with ordinality p (id, name, place)
    on conflict (event_id, id) do nothing";

const PUT_ROOMS: &str = "
    insert into rooms (id, event_id)
    select distinct r.id, $1 from unnest($2::text[]) r (id)
    on conflict (id) do nothing";

const PUT_MESSAGES: &str = "
    insert into messages (
        id, room_id, sender_id, sent_at, text, revision, deleted_at, detected_intent,
        extracted_entities
    )
    select * from unnest(
        $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bigint[],
        $7::timestamptz[], $8::text[], $9::jsonb[]
    )
    on conflict (id) do nothing
    returning id";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[VIEWS, PUT_EVENT, PUT_PARTICIPANTS, PUT_SENDERS, PUT_ROOMS, PUT_MESSAGES];

impl PostgresStore {
    pub(super) async fn ingest_batch(&self, batch: &IngestBatch) -> Stored<IngestReport> {
        let mut transaction = self.pool().begin().await.map_err(store_error)?;
        refuse_views(&mut transaction).await?;
        put_event(&mut transaction, batch).await?;
        let new = put_messages(&mut transaction, &batch.messages).await?;
        transaction.commit().await.map_err(store_error)?;

        let mut named = HashSet::new();
        let new: Vec<_> = batch
            .messages
            .iter()
            .map(|message| message.id.clone())
            .filter(|id| new.contains(id.as_str()) && named.insert(id.clone()))
            .collect();
        let known = (batch.messages.len() - new.len()) as u64;
        Ok(IngestReport { new, known })
    }
}

async fn refuse_views(connection: &mut PgConnection) -> Stored<()> {
    let view: Option<String> =
        sqlx::query_scalar(VIEWS).fetch_optional(connection).await.map_err(store_error)?;
    match view {
        None => Ok(()),
        Some(view) => {
            let why = format!(
                "{view} is a view over the application's tables here: write the messages there and publish their IDs"
            );
            Err(StoreError::Refused(Error::Configuration(why.into())))
        }
    }
}

async fn put_event(connection: &mut PgConnection, batch: &IngestBatch) -> Stored<()> {
    let event: &Event = &batch.event;
    let put = sqlx::query(PUT_EVENT)
        .bind(event.id.as_str())
        .bind(plain(&event.tenant))
        .bind(plain(&event.name))
        .bind(plain(&event.kind))
        .bind(event.starts_at.map(Instant))
        .bind(plain(&event.time_zone))
        .bind(plain(&event.locale))
        .bind(event.currency.code())
        .bind(event.budget);
    put.execute(&mut *connection).await.map_err(store_error)?;

    let unlisted = unlisted_senders(event, &batch.messages);
    for (statement, people) in [(PUT_PARTICIPANTS, &event.participants), (PUT_SENDERS, &unlisted)] {
        // A participant listed twice is one participant.
        let mut listed = HashSet::new();
        let (ids, names): (Vec<String>, Vec<String>) = people
            .iter()
            .filter(|person| listed.insert(&person.id))
            .map(|person| (plain(&person.id.0), plain(&person.name)))
            .unzip();
        let put = sqlx::query(statement).bind(event.id.as_str()).bind(ids).bind(names);
        put.execute(&mut *connection).await.map_err(store_error)?;
    }

    let rooms: Vec<String> =
        batch.messages.iter().map(|message| message.room.as_str().to_owned()).collect();
    let put = sqlx::query(PUT_ROOMS).bind(event.id.as_str()).bind(rooms);
    put.execute(connection).await.map_err(store_error)?;
    Ok(())
}

async fn put_messages(
    connection: &mut PgConnection,
    messages: &[Message],
) -> Stored<HashSet<String>> {
    let text = |of: fn(&Message) -> String| messages.iter().map(of).collect::<Vec<_>>();
    let entities: Vec<Option<Json<serde_json::Value>>> =
        messages.iter().map(|message| message.extracted_entities.as_ref().map(json)).collect();
    let intents: Vec<Option<String>> =
        messages.iter().map(|message| message.detected_intent.as_deref().map(plain)).collect();
    let new: Vec<String> = sqlx::query_scalar(PUT_MESSAGES)
        .bind(text(|message| message.id.as_str().to_owned()))
        .bind(text(|message| message.room.as_str().to_owned()))
        .bind(text(|message| plain(&message.sender.0)))
        .bind(messages.iter().map(|message| Instant(message.sent_at)).collect::<Vec<_>>())
        .bind(text(|message| plain(&message.text)))
        .bind(messages.iter().map(|message| message.revision).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.deleted_at.map(Instant)).collect::<Vec<_>>())
        .bind(intents)
        .bind(entities)
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
    Ok(new.into_iter().collect())
}
