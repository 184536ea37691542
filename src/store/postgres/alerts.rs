//! Alerts and what is told of them; the duties that one replica does for all.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::PostgresStore;
use super::codec::{Instant, count, interval, plain};
use super::pool::store_error;
use crate::store::{
    AlertChange, AlertRow, Channel, CompletionEvent, DueNotice, Notice, StoreError, Stored,
};

const TAKE_DUTY: &str = "
    insert into duties as d (name, next_at) values ($1, now() + $2)
    on conflict (name) do update set next_at = excluded.next_at where d.next_at <= now()";

const ALERTS: &str = "
    select * from (
        select * from alerts where resolved_at is null
        union all
        (select * from alerts where resolved_at is not null
            order by resolved_at desc, id desc limit $1)
    ) listed
    order by resolved_at desc nulls first, fired_at, id";

// Whoever changes alerts does so alone, so that two who judged the same change them once.
const LOCK: &str = "lock table alerts in share row exclusive mode";
const FIRE: &str = "
    insert into alerts (id, key, rule, text, value, threshold, fired_at)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (key) where resolved_at is null do nothing
    returning *";
const RESOLVE: &str = "
    update alerts set resolved_at = $2 where id = $1 and resolved_at is null returning *";
const NOTE: &str = "
    insert into notices (channel, id, kind, routing_key, body) values ($1, $2, $3, $4, $5)
    on conflict (channel, id) do nothing";

// One that nobody took for a day is given up.
const DUE: &str = "
    with due as (
        select channel, id from notices
        where look_at <= now() and confirmed_at is null
        -- A webhook that hangs must not hold events up.
        order by channel, look_at limit $2 for update skip locked
    ), seen as (
        update notices n
        set tries = n.tries + 1,
            look_at = case when n.created_at > now() - interval '1 day' then
                now() + least($1::interval * power(2, least(n.tries, 20)), interval '1 hour')
            end
        from due where n.channel = due.channel and n.id = due.id
        returning n.*
    )
    select channel, id, kind, routing_key, body, tries - 1 as tries
    from seen where look_at is not null order by created_at, channel, id";
const CONFIRM: &str = "
    update notices set confirmed_at = clock_timestamp(), look_at = null
    where channel = $1 and id = $2 and confirmed_at is null";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[TAKE_DUTY, ALERTS, LOCK, FIRE, RESOLVE, NOTE, DUE, CONFIRM];

impl PostgresStore {
    pub(super) async fn duty_taken(&self, name: &str, every: Duration) -> Stored<bool> {
        let take = sqlx::query(TAKE_DUTY).bind(name).bind(interval(every));
        let taken = take.execute(self.pool()).await.map_err(store_error)?;
        Ok(taken.rows_affected() > 0)
    }

    pub(super) async fn alert_rows(&self, resolved: u32) -> Stored<Vec<AlertRow>> {
        let query = sqlx::query(ALERTS).bind(i64::from(resolved));
        query.fetch_all(self.pool()).await.map_err(store_error)?.iter().map(alert_row).collect()
    }

    pub(super) async fn make_changes(&self, changes: &[AlertChange]) -> Stored<Vec<AlertRow>> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let mut transaction = self.pool().begin().await.map_err(store_error)?;
        sqlx::query(LOCK).execute(&mut *transaction).await.map_err(store_error)?;
        let mut changed = Vec::new();
        for change in changes {
            let (row, notices) = match change {
                AlertChange::Fire { alert, notices } => {
                    (fire(&mut transaction, alert).await?, notices)
                }
                AlertChange::Resolve { id, at, notices } => {
                    (resolve(&mut transaction, *id, *at).await?, notices)
                }
            };
            let Some(row) = row else { continue };
            for notice in notices {
                note(&mut transaction, notice).await?;
            }
            changed.push(row);
        }
        transaction.commit().await.map_err(store_error)?;
        Ok(changed)
    }

    pub(super) async fn take_notices(&self, first: Duration, most: u32) -> Stored<Vec<DueNotice>> {
        let query = sqlx::query(DUE).bind(interval(first)).bind(i64::from(most));
        query.fetch_all(self.pool()).await.map_err(store_error)?.iter().map(due_notice).collect()
    }

    pub(super) async fn notice_taken(&self, channel: Channel, id: Uuid) -> Stored<()> {
        let confirm = sqlx::query(CONFIRM).bind(channel.name()).bind(id);
        confirm.execute(self.pool()).await.map_err(store_error)?;
        Ok(())
    }
}

async fn fire(connection: &mut PgConnection, alert: &AlertRow) -> Stored<Option<AlertRow>> {
    let row = sqlx::query(FIRE)
        .bind(alert.id)
        .bind(plain(&alert.key))
        .bind(plain(&alert.rule))
        .bind(plain(&alert.text))
        .bind(alert.value)
        .bind(alert.threshold)
        .bind(Instant(alert.fired_at))
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
    row.as_ref().map(alert_row).transpose()
}

async fn resolve(
    connection: &mut PgConnection,
    id: Uuid,
    at: Timestamp,
) -> Stored<Option<AlertRow>> {
    let query = sqlx::query(RESOLVE).bind(id).bind(Instant(at));
    let row = query.fetch_optional(connection).await.map_err(store_error)?;
    row.as_ref().map(alert_row).transpose()
}

async fn note(connection: &mut PgConnection, notice: &Notice) -> Stored<()> {
    let Notice { channel, event } = notice;
    let note = sqlx::query(NOTE)
        .bind(channel.name())
        .bind(event.id)
        .bind(&event.kind)
        .bind(&event.routing_key)
        .bind(&event.body);
    note.execute(connection).await.map_err(store_error)?;
    Ok(())
}

fn alert_row(row: &PgRow) -> Stored<AlertRow> {
    let text = |column| -> Stored<String> { row.try_get(column).map_err(store_error) };
    let Instant(fired_at) = row.try_get("fired_at").map_err(store_error)?;
    let resolved_at: Option<Instant> = row.try_get("resolved_at").map_err(store_error)?;
    Ok(AlertRow {
        id: row.try_get("id").map_err(store_error)?,
        key: text("key")?,
        rule: text("rule")?,
        text: text("text")?,
        value: row.try_get("value").map_err(store_error)?,
        threshold: row.try_get("threshold").map_err(store_error)?,
        fired_at,
        resolved_at: resolved_at.map(|Instant(at)| at),
    })
}

fn due_notice(row: &PgRow) -> Stored<DueNotice> {
    let id: Uuid = row.try_get("id").map_err(store_error)?;
    let name: String = row.try_get("channel").map_err(store_error)?;
    let Some(channel) = Channel::named(&name) else {
        let why = format!("no channel is called {name:?}");
        return Err(StoreError::BadRow { table: "notices", id: id.to_string(), why });
    };
    let event = CompletionEvent {
        id,
        kind: row.try_get("kind").map_err(store_error)?,
        routing_key: row.try_get("routing_key").map_err(store_error)?,
        body: row.try_get("body").map_err(store_error)?,
    };
    let tries: i32 = row.try_get("tries").map_err(store_error)?;
    let tries = u32::try_from(count(tries.into())).unwrap_or(u32::MAX);
    Ok(DueNotice { notice: Notice { channel, event }, tries })
}
