//! Hours: the minutes of an hour that is over, folded into one row a tenant and intent.

use sqlx::SqliteConnection;

use super::figures::{HOUR, MINUTE, start_of};
use super::{Done, Micros, SqliteStore, Write};

/// How long an hour must be over: what began in it is recorded by then.
const OVER_FOR: Micros = 2 * MINUTE;

statements! {
    UNTIL = "select until from folds where name = ?1";
    NEXT_MINUTE = "select min(minute) from metric_rollups where minute >= ?1";
    FOLD = "insert or replace into metric_hours (tenant, hour, intent, items, cached, asked, calls,
            tokens, cost, ambiguous_cost, avoided_tokens, avoided_cost, latency_us, histogram)
        select tenant, ?1, intent, sum(items), sum(cached), sum(asked), sum(calls), sum(tokens),
            sum(cost), sum(ambiguous_cost), sum(avoided_tokens), sum(avoided_cost), sum(latency_us), '{}'
        from metric_rollups where minute >= ?1 and minute < ?2
        group by tenant, intent";
    // The plus keeps the planner from reading all minutes there are in the order of their key.
    MERGE_LATENCIES = "with counted (tenant, intent, bucket, items) as (
            select r.tenant, r.intent, b.key, sum(b.value)
            from metric_rollups r, json_each(r.histogram) b
            where r.minute >= ?1 and r.minute < ?2
            group by +r.tenant, r.intent, b.key
        ),
        merged (tenant, intent, histogram) as (
            select tenant, intent, json_group_object(bucket, items) from counted group by tenant, intent
        )
        update metric_hours set histogram = m.histogram
        from merged m
        where metric_hours.tenant = m.tenant and metric_hours.hour = ?1
            and metric_hours.intent = m.intent";
    MOVE_ON = "insert into folds (name, until) values (?1, ?2)
        on conflict (name) do update set until = max(until, ?2)";
}

/// The rows of `folds`.
pub(super) mod fold {
    /// Hours before it are folded.
    pub(crate) const HOURS: &str = "hours";
    /// Minutes before it are dropped, or will be.
    pub(crate) const MINUTES: &str = "minutes";
}

impl SqliteStore {
    pub(super) async fn fold_minutes(&self, most: u32) -> Done<u32> {
        let (mut tx, now) = self.write().await?;
        let end = start_of(now - OVER_FOR, HOUR);
        let mut until = fold_until(&mut tx, fold::HOURS).await?;
        let mut folded = 0;
        while folded < most && until < end {
            // Hours in which nothing was settled are passed over at once.
            let next = next_hour(&mut tx, until).await?;
            let Some(hour) = next.filter(|hour| *hour < end) else {
                until = end;
                break;
            };
            for statement in [FOLD, MERGE_LATENCIES] {
                sqlx::query(statement).bind(hour).bind(hour + HOUR).execute(&mut *tx).await?;
            }
            until = hour + HOUR;
            folded += 1;
        }
        move_on(&mut tx, fold::HOURS, until).await?;
        tx.commit().await?;
        Ok(folded)
    }
}

/// The first hour from an instant on that has minutes.
async fn next_hour(tx: &mut Write, from: Micros) -> Done<Option<Micros>> {
    let minute: Option<Micros> =
        sqlx::query_scalar(NEXT_MINUTE).bind(from).fetch_one(&mut **tx).await?;
    Ok(minute.map(|minute| start_of(minute, HOUR)))
}

/// How far something is done; where it never was, no instant of ours is before that.
pub(super) async fn fold_until(connection: &mut SqliteConnection, name: &str) -> Done<Micros> {
    let until = sqlx::query_scalar(UNTIL).bind(name).fetch_optional(connection).await?;
    Ok(until.unwrap_or(0))
}

/// Notes that it is done until then, should it not be further already.
pub(super) async fn move_on(tx: &mut Write, name: &str, until: Micros) -> Done<()> {
    sqlx::query(MOVE_ON).bind(name).bind(until).execute(&mut **tx).await?;
    Ok(())
}
