//! The answer cache's second tier, and who computes a missing entry.

use std::time::Duration;

use serde_json::Value;
use sqlx::Row;
use sqlx::types::Json;

use super::PostgresStore;
use super::codec::{duration, read};
use super::pool::store_error;
use crate::domain::ids::Held;
use crate::domain::usage::NanoUsd;
use crate::store::{CacheEntry, CacheLookup, Stored};

const LOOK_UP: &str = "select * from cached_or_flight($1, $2, $3)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[LOOK_UP];

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
}
