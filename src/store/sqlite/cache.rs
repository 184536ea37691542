//! The second tier of the cache, and flights: who computes a key now.
//!
//! A flight names an item and its lease, and is in the air as long as exactly
//! that claim is; a crashed leader needs no tidying up.

use super::codec::{self, Reader};
use super::{Done, Micros, SqliteStore, Write, between, ledger, micros};
use crate::domain::ids::{Held, ItemId};
use crate::store::{CacheEntry, CacheLookup, CacheWrite, Spent};

statements! {
    ENTRY = "select key, answer, model, usage, cost, expires_at
        from cache where key = ?1 and expires_at > ?2";
    FLIGHT = "select f.item_id as item_id, f.lease as lease, f.open_at as open_at,
            q.lease_until as lease_until
        from flights f
        left join queue_items q on q.id = f.item_id and q.lease = f.lease and q.status = 'processing'
        where f.key = ?1";
    // Fenced: a claim that is over takes no flight.
    // A leader that died counts as one that failed; its lease was the pause.
    TAKE_FLIGHT = "insert into flights (key, item_id, lease, open_at)
        select ?1, id, lease, ?4 from queue_items where id = ?2 and lease = ?3 and status = 'processing'
        on conflict (key) do update set item_id = excluded.item_id, lease = excluded.lease,
            open_at = excluded.open_at,
            failures = failures + (item_id is not null and item_id <> excluded.item_id)
        returning key";
    LAND = "delete from flights where item_id = ?1 returning key";
    GIVE_UP = "update flights set item_id = null, lease = null, open_at = ?2
        where item_id = ?1 returning key";
    // The pause doubles from one second to five minutes.
    FAIL = "update flights set item_id = null, lease = null, failures = failures + 1,
            open_at = ?2 + min(1000000 << min(failures, 20), 300000000)
        where item_id = ?1 returning key";
    WAKE = "update queue_items set due_at = min(due_at, ?2), look_at = ?2, hints = 0, waits_for = null,
            park_reason = null
        where status = 'pending' and waits_for = ?1 returning id";
    WRITE_ENTRY = "insert into cache (key, event_id, answer, model, usage, cost, expires_at, created_at,
            bytes)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, octet_length(?1) + octet_length(?3))
        on conflict (key) do update set event_id = ?2, answer = ?3, model = ?4, usage = ?5, cost = ?6,
            expires_at = ?7, created_at = ?8, bytes = excluded.bytes";
    // Of every run: what a later one replays was paid for by an earlier one.
    COST_OF_QUESTION = "select count(*) filter (where state in ('charged', 'ambiguous')) as calls,
            coalesce(sum(charged), 0) as cost,
            coalesce(sum(input_tokens), 0) as input_tokens,
            coalesce(sum(output_tokens), 0) as output_tokens,
            coalesce(sum(cache_read_tokens), 0) as cache_read_tokens,
            coalesce(sum(cache_write_5m_tokens), 0) as cache_write_5m_tokens,
            coalesce(sum(cache_write_1h_tokens), 0) as cache_write_1h_tokens
        from ledger where item_id = ?1 and revision = ?2 and fingerprint in (?3, ?4)";
    DROP_EXPIRED = "delete from cache where key in
        (select key from cache where expires_at <= ?1 order by expires_at limit ?2)";
    // A flight that nobody flies keeps its count of failures for the next leader, but not for ever.
    DROP_FLIGHTS = "delete from flights where key in (
            select f.key from flights f
            where f.open_at <= ?1 - 3600000000 and not exists (
                select 1 from queue_items q
                where q.id = f.item_id and q.lease = f.lease and q.status = 'processing'
                    and q.lease_until > ?1
            )
            order by f.open_at limit ?2
        )";
}

/// How a claim leaves its flights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With an answer, or with none that could be cached.
    Landed,
    /// For somebody else, who starts at once.
    GivenUp,
    /// By a fault: the next leader starts after a pause.
    Failed,
}

impl SqliteStore {
    pub(super) async fn cost_of_question(
        &self,
        item: &ItemId,
        revision: i64,
        [asked, repaired]: [&str; 2],
    ) -> Done<Spent> {
        let query = sqlx::query(COST_OF_QUESTION).bind(item.as_str()).bind(revision);
        let row = query.bind(asked).bind(repaired).fetch_one(&self.readers).await?;
        ledger::spent(&row)
    }

    pub(super) async fn look_up(&self, held: &Held, key: &str) -> Done<CacheLookup> {
        let (mut tx, now) = self.write().await?;
        let entry = sqlx::query(ENTRY).bind(key).bind(now).fetch_optional(&mut *tx).await?;
        if let Some(row) = entry {
            let reader = Reader::new("cache", &row);
            return Ok(CacheLookup::Hit(CacheEntry {
                answer: reader.json("answer")?,
                model: reader.get("model")?,
                usage: reader.json("usage")?,
                cost: reader.cost("cost")?,
                remaining: between(now, reader.get("expires_at")?),
            }));
        }
        if let Some(until) = taken_until(&mut tx, held, key, now).await? {
            return Ok(CacheLookup::InFlight { after: between(now, until) });
        }
        let taken = sqlx::query(TAKE_FLIGHT)
            .bind(key)
            .bind(held.item.as_str())
            .bind(held.lease.0)
            .bind(now)
            .fetch_optional(&mut *tx)
            .await?;
        tx.commit().await?;
        // Without a claim there is no flight to take; whoever asks learns the rest when it parks.
        Ok(taken
            .map_or(CacheLookup::InFlight { after: between(now, now) }, |_| CacheLookup::Leader))
    }
}

/// Until when nobody but the present leader may take the key's flight; `None` when it is free.
async fn taken_until(tx: &mut Write, held: &Held, key: &str, now: Micros) -> Done<Option<Micros>> {
    let Some(row) = sqlx::query(FLIGHT).bind(key).fetch_optional(&mut **tx).await? else {
        return Ok(None);
    };
    let reader = Reader::new("flights", &row);
    let ours = reader.get::<Option<&str>>("item_id")? == Some(held.item.as_str())
        && reader.get::<Option<i64>>("lease")? == Some(held.lease.0);
    if ours {
        return Ok(None);
    }
    let until: Option<Micros> = match reader.get::<Option<&str>>("item_id")? {
        Some(_) => reader.get("lease_until")?,
        None => Some(reader.get("open_at")?),
    };
    Ok(until.filter(|until| *until > now))
}

/// Ends the flights of an item whose claim is over, and makes their followers due.
pub(super) async fn end_flights(
    tx: &mut Write,
    item: &ItemId,
    how: Ending,
    now: Micros,
) -> Done<Vec<ItemId>> {
    let statement = match how {
        Ending::Landed => LAND,
        Ending::GivenUp => GIVE_UP,
        Ending::Failed => FAIL,
    };
    let query = sqlx::query_scalar(statement).bind(item.as_str()).bind(now);
    let keys: Vec<String> = query.fetch_all(&mut **tx).await?;
    let mut woken = Vec::new();
    for key in keys {
        woken.extend(wake(tx, &key, now).await?);
    }
    Ok(woken)
}

/// Writes an entry. Each write takes a few expired ones along, so that the table stays bounded.
pub(super) async fn put(tx: &mut Write, entry: &CacheWrite, now: Micros) -> Done<()> {
    sqlx::query(DROP_EXPIRED).bind(now).bind(10).execute(&mut **tx).await?;
    sqlx::query(WRITE_ENTRY)
        .bind(&entry.key)
        .bind(entry.event.as_ref().map(|event| event.as_str()))
        .bind(codec::json(&entry.answer)?)
        .bind(&entry.model)
        .bind(codec::json(&entry.usage)?)
        .bind(entry.cost.0)
        .bind(now.saturating_add(micros(entry.ttl)))
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Drops entries that expired, and flights that nobody flies, so many of each at most.
pub(super) async fn sweep(tx: &mut Write, most: u32, now: Micros) -> Done<()> {
    for statement in [DROP_EXPIRED, DROP_FLIGHTS] {
        sqlx::query(statement).bind(now).bind(most).execute(&mut **tx).await?;
    }
    Ok(())
}

async fn wake(tx: &mut Write, key: &str, now: Micros) -> Done<Vec<ItemId>> {
    let rows = sqlx::query(WAKE).bind(key).bind(now).fetch_all(&mut **tx).await?;
    rows.iter().map(|row| Reader::new("queue_items", row).item("id")).collect()
}
