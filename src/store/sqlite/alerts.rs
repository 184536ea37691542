//! Alerts, each fired once and resolved once, and the duties that one process does for all.

use std::time::Duration;

use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::codec::Reader;
use super::{Done, Micros, SqliteStore, Write, micros, notices};
use crate::store::{AlertChange, AlertRow};

statements! {
    OPEN = "select id, key, rule, text, value, threshold, fired_at, resolved_at from alerts
        where resolved_at is null order by fired_at, id";
    RESOLVED = "select id, key, rule, text, value, threshold, fired_at, resolved_at from alerts
        where resolved_at is not null order by resolved_at desc, id limit ?1";
    // There is one open alert of a key at most.
    FIRE = "insert into alerts (id, key, rule, text, value, threshold, fired_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict do nothing
        returning id, key, rule, text, value, threshold, fired_at, resolved_at";
    RESOLVE = "update alerts set resolved_at = ?2 where id = ?1 and resolved_at is null
        returning id, key, rule, text, value, threshold, fired_at, resolved_at";
    TAKE_DUTY = "insert into duties (name, next_at) values (?1, ?2)
        on conflict (name) do update set next_at = ?2 where next_at <= ?3";
}

impl SqliteStore {
    pub(super) async fn list_alerts(&self, resolved: u32) -> Done<Vec<AlertRow>> {
        let mut tx = self.readers.begin().await?;
        let mut rows = sqlx::query(OPEN).fetch_all(&mut *tx).await?;
        rows.extend(sqlx::query(RESOLVED).bind(resolved).fetch_all(&mut *tx).await?);
        rows.iter().map(alert).collect()
    }

    pub(super) async fn write_alerts(&self, changes: &[AlertChange]) -> Done<Vec<AlertRow>> {
        let (mut tx, now) = self.write().await?;
        let mut changed = Vec::new();
        for change in changes {
            let (row, told) = match change {
                AlertChange::Fire { alert, notices } => (fire(&mut tx, alert).await?, notices),
                AlertChange::Resolve { id, at, notices } => {
                    (resolve(&mut tx, *id, at.as_microsecond()).await?, notices)
                }
            };
            if let Some(row) = row {
                notices::put(&mut tx, told, now).await?;
                changed.push(row);
            }
        }
        tx.commit().await?;
        Ok(changed)
    }

    pub(super) async fn take_turn(&self, name: &str, every: Duration) -> Done<bool> {
        let (mut tx, now) = self.write().await?;
        let next = now.saturating_add(micros(every));
        let query = sqlx::query(TAKE_DUTY).bind(name).bind(next).bind(now);
        let taken = query.execute(&mut *tx).await?.rows_affected() > 0;
        tx.commit().await?;
        Ok(taken)
    }
}

async fn fire(tx: &mut Write, new: &AlertRow) -> Done<Option<AlertRow>> {
    let row = sqlx::query(FIRE)
        .bind(new.id.to_string())
        .bind(&new.key)
        .bind(&new.rule)
        .bind(&new.text)
        .bind(new.value)
        .bind(new.threshold)
        .bind(new.fired_at.as_microsecond())
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(alert).transpose()
}

async fn resolve(tx: &mut Write, id: Uuid, at: Micros) -> Done<Option<AlertRow>> {
    let query = sqlx::query(RESOLVE).bind(id.to_string()).bind(at);
    query.fetch_optional(&mut **tx).await?.as_ref().map(alert).transpose()
}

fn alert(row: &SqliteRow) -> Done<AlertRow> {
    let reader = Reader::new("alerts", row);
    Ok(AlertRow {
        id: reader.uuid("id")?,
        key: reader.get("key")?,
        rule: reader.get("rule")?,
        text: reader.get("text")?,
        value: reader.get("value")?,
        threshold: reader.get("threshold")?,
        fired_at: reader.instant("fired_at")?,
        resolved_at: reader.instant_if_any("resolved_at")?,
    })
}
