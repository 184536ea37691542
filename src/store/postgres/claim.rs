//! Claim, renew, park, release: who works on an item, and until when.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;

use super::PostgresStore;
use super::codec::{duration, interval, plain, read};
use super::pool::store_error;
use crate::domain::ids::{Held, ItemId, Lease, MessageId};
use crate::domain::usage::{NanoUsd, Usage};
use crate::fault::Park;
use crate::store::types::readable;
use crate::store::{
    Claim, Claimed, CompletionEvent, Fenced, ItemKind, KeptAnswer, OwedEvent, Spent, StoreError,
    Stored,
};

// 1,024 characters are at most 4,096 bytes. The limit tells the planner of the one row, or it would
// plan, and compile, for a thousand.
const CLAIM: &str = r#"
    select c.*, (
        select jsonb_agg(
            jsonb_build_object('sender', b.sender_id, 'text', left(coalesce(b.text, ''), 1024))
            order by b.sent_at, b.id collate "C"
        )
        from (
            select m.id, m.sender_id, m.sent_at, m.text from messages m
            where m.room_id = c.message ->> 'room' and m.deleted_at is null
                and (m.sent_at, m.id collate "C") < ((c.message ->> 'sent_at')::timestamptz, $1)
            order by m.sent_at desc, m.id collate "C" desc
            limit 8
        ) b
    ) as before,
    case when c.verdict = 'held' and c.message is null then run_moment($1) end as run
    from claim_item($1, $2) c
    limit 1"#;

const RENEW: &str = "
    with held as (
        select * from unnest($1::text[], $2::bigint[]) h (id, lease)
    ), ours as (
        select q.id from queue_items q join held h on h.id = q.id and h.lease = q.lease
        where q.lease_until is not null
        order by q.id for update of q
    ), renewed as (
        update queue_items q
        set lease_until = clock_timestamp() + $3::interval, look_at = clock_timestamp() + $3::interval
        from ours where q.id = ours.id
        returning q.id
    )
    select h.id from held h where not exists (select 1 from renewed r where r.id = h.id)";

const PARK: &str = "select park_item($1, $2, $3, $4, $5, $6, $7)";
const RELEASE: &str = "select release_items($1, $2)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[CLAIM, RENEW, PARK, RELEASE];

impl PostgresStore {
    pub(super) async fn claim_item(&self, item: &ItemId, lease: Duration) -> Stored<Claimed> {
        let row = sqlx::query(CLAIM)
            .bind(item.as_str())
            .bind(interval(lease))
            .fetch_one(self.pool())
            .await
            .map_err(store_error)?;
        let verdict: String = row.try_get("verdict").map_err(store_error)?;
        match verdict.as_str() {
            "held" => Ok(Claimed::Held(Box::new(claim(item, &row)?))),
            "settled" => Ok(Claimed::Settled { owed: owed_event(item, &row)? }),
            _ => Ok(Claimed::NotNow),
        }
    }

    pub(super) async fn renew_leases(&self, held: &[Held], lease: Duration) -> Stored<Vec<ItemId>> {
        let (items, leases) = columns(held);
        let lost: Vec<String> = sqlx::query_scalar(RENEW)
            .bind(items)
            .bind(leases)
            .bind(interval(lease))
            .fetch_all(self.pool())
            .await
            .map_err(store_error)?;
        lost.iter().map(|id| item_id(id)).collect()
    }

    pub(super) async fn park_item(&self, held: &Held, park: &Park) -> Stored<Fenced> {
        let ours: bool = sqlx::query_scalar(PARK)
            .bind(held.item.as_str())
            .bind(held.lease.0)
            .bind(interval(park.after))
            .bind(park.reason.name())
            .bind(park.spend_attempt)
            .bind(park.detail.as_deref().map(plain))
            .bind(park.flight.as_deref())
            .fetch_one(self.pool())
            .await
            .map_err(store_error)?;
        Ok(if ours { Fenced::Done(()) } else { Fenced::Lost })
    }

    pub(super) async fn release_items(&self, held: &[Held]) -> Stored<u64> {
        let (items, leases) = columns(held);
        let released: i64 = sqlx::query_scalar(RELEASE)
            .bind(items)
            .bind(leases)
            .fetch_one(self.pool())
            .await
            .map_err(store_error)?;
        Ok(super::codec::count(released))
    }
}

fn columns(held: &[Held]) -> (Vec<String>, Vec<i64>) {
    held.iter().map(|held| (held.item.as_str().to_owned(), held.lease.0)).unzip()
}

/// An item's ID as a row has it.
pub(super) fn item_id(id: &str) -> Stored<ItemId> {
    ItemId::parse(id).map_err(|error| StoreError::BadRow {
        table: "queue_items",
        id: id.to_owned(),
        why: error.to_string(),
    })
}

fn claim(item: &ItemId, row: &PgRow) -> Stored<Claim> {
    let id = item.as_str();
    let lease: i64 = row.try_get("lease").map_err(store_error)?;
    let attempt: i32 = row.try_get("attempt").map_err(store_error)?;
    let age: i64 = row.try_get("age_us").map_err(store_error)?;
    let kept: Vec<Kept> = optional(row, "kept", "ledger", id)?.unwrap_or_default();
    let spent: Option<SpentRow> = optional(row, "spent", "ledger", id)?;
    let mut unreadable = None;
    let before = readable(optional(row, "before", "messages before", id), &mut unreadable)?;
    let message = readable(optional(row, "message", "messages", id), &mut unreadable)?;
    let event = readable(optional(row, "event", "events of message", id), &mut unreadable)?;
    let run: Option<RunOf> = optional(row, "run", "queue_items", id)?;
    Ok(Claim {
        held: Held { item: item.clone(), lease: Lease(lease) },
        kind: if run.is_some() { ItemKind::Suggestion } else { ItemKind::Message },
        moment: run.and_then(|run| run.moment),
        attempt: u32::try_from(attempt).unwrap_or(0),
        age: duration(age),
        message,
        before: before.unwrap_or_default(),
        event,
        room_exists: row.try_get("room_exists").map_err(store_error)?,
        unreadable,
        kept: kept.into_iter().map(KeptAnswer::from).collect(),
        spent: spent.map(Spent::from).unwrap_or_default(),
    })
}

/// A column that holds a domain value as JSON, or null.
fn optional<T: serde::de::DeserializeOwned>(
    row: &PgRow,
    column: &str,
    table: &'static str,
    id: &str,
) -> Stored<Option<T>> {
    let value: Option<Json<Value>> = row.try_get(column).map_err(store_error)?;
    value.map(|Json(value)| read(table, id, value)).transpose()
}

/// The completion event in a row's columns; `None` where nothing is owed.
pub(super) fn owed_event(item: &ItemId, row: &PgRow) -> Stored<Option<OwedEvent>> {
    let id: Option<uuid::Uuid> = row.try_get("completion_id").map_err(store_error)?;
    let Some(id) = id else { return Ok(None) };
    Ok(Some(OwedEvent {
        item: item.clone(),
        completion: CompletionEvent {
            id,
            kind: row.try_get("completion_kind").map_err(store_error)?,
            routing_key: row.try_get("routing_key").map_err(store_error)?,
            body: row.try_get("body").map_err(store_error)?,
        },
    }))
}

/// What `run_moment` says of a suggestion run.
#[derive(Deserialize)]
struct RunOf {
    moment: Option<(Timestamp, MessageId)>,
}

#[derive(Deserialize)]
struct Kept {
    fingerprint: String,
    model: String,
    answer: Value,
}

impl From<Kept> for KeptAnswer {
    fn from(Kept { fingerprint, model, answer }: Kept) -> Self {
        Self { fingerprint, model, answer }
    }
}

/// Sums over ledger rows, as `spent_on` and the reports give them.
#[derive(Deserialize)]
pub(super) struct SpentRow {
    calls: u32,
    usage: Usage,
    cost: NanoUsd,
}

impl From<SpentRow> for Spent {
    fn from(SpentRow { calls, usage, cost }: SpentRow) -> Self {
        Self { calls, usage, cost }
    }
}
