//! The answer cache's second tier, who computes a missing entry, and what operators do with it.

use std::time::Duration;

use serde_json::Value;
use sqlx::Row;
use sqlx::types::Json;

use super::PostgresStore;
use super::codec::{bigint, count, duration, plain, read};
use super::ledger::usage;
use super::pool::store_error;
use crate::domain::ids::{Held, ItemId};
use crate::domain::usage::NanoUsd;
use crate::store::{CacheEntry, CacheLookup, CachePrefix, CacheReport, Spent, Stored};

const LOOK_UP: &str = "select * from cached_or_flight($1, $2, $3)";

// Of every run: what a later one replays was paid for by an earlier one.
const COST_OF_QUESTION: &str = "
    select count(*) filter (where state in ('charged', 'ambiguous')) as calls,
        coalesce(sum(charged), 0)::bigint as charged,
        coalesce(sum(input_tokens), 0)::bigint as input_tokens,
        coalesce(sum(output_tokens), 0)::bigint as output_tokens,
        coalesce(sum(cache_read_tokens), 0)::bigint as cache_read_tokens,
        coalesce(sum(cache_write_5m_tokens), 0)::bigint as cache_write_5m_tokens,
        coalesce(sum(cache_write_1h_tokens), 0)::bigint as cache_write_1h_tokens
    from ledger where item_id = $1 and revision = $2 and fingerprint in ($3, $4)";

const REPORT: &str = "
    select count(*) filter (where expires_at > now()) as active,
        count(*) filter (where expires_at <= now()) as expired,
        coalesce(sum(bytes), 0)::bigint as bytes
    from cache";
// A key is a readable prefix and a digest of 32 hexadecimal digits.
const BY_PREFIX: &str = "
    select regexp_replace(key, ':[0-9a-f]{32}$', '') as prefix, count(*),
        coalesce(sum(bytes), 0)::bigint
    from cache group by 1 order by 2 desc, 1 limit 50";
const CLEAR: &str = "select clear_cache($1)";
const TRIM: &str = "select trim_cache($1, $2)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[LOOK_UP, COST_OF_QUESTION, REPORT, BY_PREFIX, CLEAR, TRIM];

impl PostgresStore {
    pub(super) async fn look_up(&self, held: &Held, key: &str) -> Stored<CacheLookup> {
        let row = sqlx::query(LOOK_UP)
            .bind(held.item.as_str())
            .bind(held.lease.0)
            .bind(key)
            .fetch_one(self.pool())
            .await
            .map_err(store_error)?;
        let verdict: String = row.try_get("verdict").map_err(store_error)?;
        let remaining: Option<i64> = row.try_get("remaining_us").map_err(store_error)?;
        let remaining = remaining.map_or(Duration::ZERO, duration);
        match verdict.as_str() {
            "leader" => Ok(CacheLookup::Leader),
            "in_flight" => Ok(CacheLookup::InFlight { after: remaining }),
            _ => {
                let Json(answer): Json<Value> = row.try_get("answer").map_err(store_error)?;
                let Json(usage): Json<Value> = row.try_get("usage").map_err(store_error)?;
                Ok(CacheLookup::Hit(CacheEntry {
                    answer,
                    model: row.try_get("model").map_err(store_error)?,
                    usage: read("cache", key, usage)?,
                    cost: NanoUsd(row.try_get("cost").map_err(store_error)?),
                    remaining,
                }))
            }
        }
    }

    pub(super) async fn cost_of_question(
        &self,
        item: &ItemId,
        revision: i64,
        [asked, repaired]: [&str; 2],
    ) -> Stored<Spent> {
        let row = sqlx::query(COST_OF_QUESTION)
            .bind(item.as_str())
            .bind(revision)
            .bind(asked)
            .bind(repaired)
            .fetch_one(self.pool())
            .await
            .map_err(store_error)?;
        let calls: i64 = row.try_get("calls").map_err(store_error)?;
        let charged: i64 = row.try_get("charged").map_err(store_error)?;
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        Ok(Spent { calls, usage: usage(&row)?, cost: NanoUsd(charged) })
    }

    pub(super) async fn report_cache(&self) -> Stored<CacheReport> {
        let row = sqlx::query(REPORT).fetch_one(self.pool()).await.map_err(store_error)?;
        let number =
            |column| -> Stored<u64> { Ok(count(row.try_get(column).map_err(store_error)?)) };
        let by_prefix: Vec<(String, i64, i64)> =
            sqlx::query_as(BY_PREFIX).fetch_all(self.pool()).await.map_err(store_error)?;
        let read = |(prefix, entries, bytes)| CachePrefix {
            prefix,
            entries: count(entries),
            bytes: count(bytes),
        };
        Ok(CacheReport {
            active: number("active")?,
            expired: number("expired")?,
            bytes: number("bytes")?,
            by_prefix: by_prefix.into_iter().map(read).collect(),
        })
    }

    pub(super) async fn drop_cached(&self, prefix: &str) -> Stored<u64> {
        let clear = sqlx::query_scalar(CLEAR).bind(plain(prefix));
        Ok(count(clear.fetch_one(self.pool()).await.map_err(store_error)?))
    }

    pub(super) async fn trim(&self, entries: u64, bytes: u64) -> Stored<u64> {
        let trim = sqlx::query_scalar(TRIM).bind(bigint(entries)).bind(bigint(bytes));
        Ok(count(trim.fetch_one(self.pool()).await.map_err(store_error)?))
    }
}
