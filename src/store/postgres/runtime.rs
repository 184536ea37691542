//! The settings that change at run time, for all replicas.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;

use super::PostgresStore;
use super::codec::{count, interval, json, plain, read};
use super::pool::store_error;
use crate::domain::ids::EventId;
use crate::store::types::HEARD_WITHIN;
use crate::store::{RuntimeChange, RuntimeSettings, Stored};

// The generation has a row of its own: who changes the rest does not write it.
const RUNTIME: &str = "
    select
        (select value from settings where key = 'runtime'),
        coalesce((select (value ->> 'generation')::bigint from settings where key = 'cache'), 0)";
const MAKE: &str = "
    insert into settings (key, value) values ('runtime', $1) on conflict (key) do nothing";
const LOCK: &str = "select from settings where key = 'runtime' for update";
const CHANGE: &str = "
    update settings set value = $1, changed_at = clock_timestamp(), changed_by = $2
    where key = 'runtime'";
// Who is being claimed at this moment comes back by itself.
const WAKE_PAUSED: &str = "
    update queue_items set due_at = least(due_at, now() + $1), look_at = least(look_at, now() + $1),
        hints = 0
    where id = any(array(
        select q.id from queue_items q
        where q.look_at is not null and q.status = 'pending' and q.park_reason = 'paused'
        order by q.id for update skip locked
    ))";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[RUNTIME, MAKE, LOCK, CHANGE, WAKE_PAUSED];

impl PostgresStore {
    pub(super) async fn runtime_settings(&self) -> Stored<RuntimeSettings> {
        settings(sqlx::query_as(RUNTIME).fetch_one(self.pool()).await.map_err(store_error)?)
    }

    pub(super) async fn change_settings(
        &self,
        change: &RuntimeChange,
        by: &str,
    ) -> Stored<RuntimeSettings> {
        let mut transaction = self.pool().begin().await.map_err(store_error)?;
        let first = sqlx::query(MAKE).bind(row(&RuntimeSettings::default()));
        first.execute(&mut *transaction).await.map_err(store_error)?;
        sqlx::query(LOCK).execute(&mut *transaction).await.map_err(store_error)?;
        let found = sqlx::query_as(RUNTIME).fetch_one(&mut *transaction).await;
        let changed = settings(found.map_err(store_error)?)?.changed(change);
        let write = sqlx::query(CHANGE).bind(row(&changed)).bind(plain(by));
        write.execute(&mut *transaction).await.map_err(store_error)?;
        if *change == RuntimeChange::Pause(false) {
            let wake = sqlx::query(WAKE_PAUSED).bind(interval(HEARD_WITHIN));
            wake.execute(&mut *transaction).await.map_err(store_error)?;
        }
        transaction.commit().await.map_err(store_error)?;
        Ok(changed)
    }
}

#[derive(Serialize, Deserialize)]
struct RuntimeRow {
    rollout_percent: u8,
    allow: Vec<EventId>,
    deny: Vec<EventId>,
    paused: bool,
}

fn row(settings: &RuntimeSettings) -> Json<Value> {
    let RuntimeSettings { rollout_percent, allow, deny, paused, cache_generation: _ } =
        settings.clone();
    json(&RuntimeRow { rollout_percent, allow, deny, paused })
}

fn settings(found: (Option<Json<Value>>, i64)) -> Stored<RuntimeSettings> {
    let (value, generation) = found;
    let cache_generation = count(generation);
    let Some(Json(value)) = value else {
        return Ok(RuntimeSettings { cache_generation, ..RuntimeSettings::default() });
    };
    let row: RuntimeRow = read("settings", "runtime", value)?;
    let RuntimeRow { rollout_percent, allow, deny, paused } = row;
    Ok(RuntimeSettings { rollout_percent, allow, deny, paused, cache_generation })
}
