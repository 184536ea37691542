//! The settings that change at run time.

use sqlx::SqliteConnection;

use super::codec::{self, Reader};
use super::{Done, Micros, SqliteStore, Write, micros};
use crate::store::types::HEARD_WITHIN;
use crate::store::{RuntimeChange, RuntimeSettings};

statements! {
    ALL = "select key, value from settings";
    WRITE = "insert into settings (key, value, changed_at, changed_by) values (?1, ?2, ?3, ?4)
        on conflict (key) do update set value = ?2, changed_at = ?3, changed_by = ?4";
    WAKE_PAUSED = "update queue_items set due_at = min(due_at, ?1), look_at = min(look_at, ?1), hints = 0
        where look_at is not null and status = 'pending' and park_reason = 'paused'";
}

/// The rows of `settings`.
mod key {
    pub(super) const ROLLOUT_PERCENT: &str = "rollout_percent";
    pub(super) const ALLOW: &str = "rollout_allow";
    pub(super) const DENY: &str = "rollout_deny";
    pub(super) const PAUSED: &str = "paused";
    pub(super) const CACHE_GENERATION: &str = "cache_generation";
}

impl SqliteStore {
    pub(super) async fn load_runtime(&self) -> Done<RuntimeSettings> {
        let mut reader = self.readers.acquire().await?;
        load(&mut reader).await
    }

    pub(super) async fn write_runtime(
        &self,
        change: &RuntimeChange,
        by: &str,
    ) -> Done<RuntimeSettings> {
        let (mut tx, now) = self.write().await?;
        let before = load(&mut tx).await?;
        let after = before.clone().changed(change);
        let (was, is) = (rows(&before)?, rows(&after)?);
        for ((key, value), (_, before)) in is.into_iter().zip(was) {
            if value != before {
                write(&mut tx, key, &value, Some(by), now).await?;
            }
        }
        if *change == RuntimeChange::Pause(false) {
            let due = now.saturating_add(micros(HEARD_WITHIN));
            sqlx::query(WAKE_PAUSED).bind(due).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(after)
    }
}

/// What others kept of the cache in memory is gone.
pub(super) async fn next_generation(tx: &mut Write, now: Micros) -> Done<()> {
    let generation = load(tx).await?.cache_generation + 1;
    write(tx, key::CACHE_GENERATION, &codec::json(&generation)?, None, now).await
}

async fn load(connection: &mut SqliteConnection) -> Done<RuntimeSettings> {
    let mut settings = RuntimeSettings::default();
    for row in sqlx::query(ALL).fetch_all(connection).await? {
        let reader = Reader::new("settings", &row);
        match reader.get::<&str>("key")? {
            key::ROLLOUT_PERCENT => settings.rollout_percent = reader.json("value")?,
            key::ALLOW => settings.allow = reader.json("value")?,
            key::DENY => settings.deny = reader.json("value")?,
            key::PAUSED => settings.paused = reader.json("value")?,
            key::CACHE_GENERATION => settings.cache_generation = reader.json("value")?,
            // Another release's.
            _ => {}
        }
    }
    Ok(settings)
}

/// What an operator may change, as rows have it.
fn rows(settings: &RuntimeSettings) -> Done<[(&'static str, String); 4]> {
    let RuntimeSettings { rollout_percent, allow, deny, paused, cache_generation: _ } = settings;
    Ok([
        (key::ROLLOUT_PERCENT, codec::json(rollout_percent)?),
        (key::ALLOW, codec::json(allow)?),
        (key::DENY, codec::json(deny)?),
        (key::PAUSED, codec::json(paused)?),
    ])
}

async fn write(tx: &mut Write, key: &str, value: &str, by: Option<&str>, now: Micros) -> Done<()> {
    sqlx::query(WRITE).bind(key).bind(value).bind(now).bind(by).execute(&mut **tx).await?;
    Ok(())
}
