//! Figures of settled items: a row each, and a roll-up by minute, tenant and intent.

use std::time::Duration;

use sqlx::sqlite::SqliteRow;

use super::codec::{self, Reader};
use super::{Done, Micros, Write, ledger, micros};
use crate::domain::chat::Event;
use crate::domain::ids::{Held, ItemId};
use crate::domain::outcome::Outcome;
use crate::store::{Metric, Record, Spent};

statements! {
    EARLIER = "select created_at, tenant, intent, cached, latency_us, calls, cost, ambiguous_cost,
            avoided_cost, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
            cache_write_1h_tokens
        from metrics where item_id = ?1 and revision = ?2";
    WRITE_METRIC = "insert or replace into metrics (item_id, revision, tenant, event_id, outcome, intent,
            agent, model, cached, latency_us, calls, cost, ambiguous_cost, avoided_tokens, avoided_cost,
            created_at, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
            cache_write_1h_tokens)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
            ?20, ?21)";
    LATENCIES = "select latencies from metric_rollups
        where tenant = ?1 and minute = ?2 and intent = ?3 and shard = 0";
    OPEN_MINUTE = "insert into metric_rollups (tenant, minute, intent, latencies)
        values (?1, ?2, ?3, '[]') on conflict (tenant, minute, intent, shard) do nothing";
    ROLL_UP = "update metric_rollups set latencies = ?4, items = items + ?5, cached = cached + ?6,
            calls = calls + ?7, tokens = tokens + ?8, cost = cost + ?9,
            ambiguous_cost = ambiguous_cost + ?10, avoided_cost = avoided_cost + ?11,
            latency_us = latency_us + ?12
        where tenant = ?1 and minute = ?2 and intent = ?3 and shard = 0";
    RESTATE = "update metrics set cost = cost + ?4, ambiguous_cost = ambiguous_cost + ?5,
            input_tokens = input_tokens + ?6, output_tokens = output_tokens + ?7,
            cache_read_tokens = cache_read_tokens + ?8,
            cache_write_5m_tokens = cache_write_5m_tokens + ?9,
            cache_write_1h_tokens = cache_write_1h_tokens + ?10
        where item_id = ?1 and revision = ?2 and created_at >= ?3
        returning tenant, intent, created_at";
    RESTATE_MINUTE = "update metric_rollups set cost = cost + ?4,
            ambiguous_cost = ambiguous_cost + ?5, tokens = tokens + ?6
        where tenant = ?1 and minute = ?2 and intent = ?3 and shard = 0";
}

const MINUTE: Micros = 60_000_000;

/// The upper bounds of the latency buckets, in milliseconds; one more bucket lies above.
const BOUNDS_MS: [u64; 11] = [10, 50, 100, 250, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 30_000];

/// What one item adds to its roll-up.
struct Figures {
    tenant: String,
    at: Micros,
    intent: String,
    cached: bool,
    latency_us: i64,
    spent: Spent,
    ambiguous_cost: i64,
    avoided_cost: i64,
}

/// What became known of a ledger row that was in doubt.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Change {
    /// What it cost.
    pub(super) cost: i64,
    /// What is held for it no more; negative.
    pub(super) in_doubt: i64,
    /// Its tokens, by class.
    pub(super) tokens: [i64; 5],
}

/// Writes an item's metric, with what the ledger says it cost, and rolls it up. An item that is
/// settled once more under the same revision replaces what it gave before.
pub(super) async fn write(
    tx: &mut Write,
    held: &Held,
    revision: i64,
    (record, outcome): (&Record, Outcome),
    metric: &Metric,
    now: Micros,
) -> Done<()> {
    let spent = ledger::sums_of(tx, &held.item, revision).await?;
    let tenant = record.event.as_ref().map_or(Event::DEFAULT_TENANT, |event| &event.tenant);
    let figures = Figures {
        tenant: tenant.to_owned(),
        at: now,
        intent: metric.intent.name().to_owned(),
        cached: metric.cached,
        latency_us: micros(metric.latency),
        spent: ledger::spent(&spent)?,
        ambiguous_cost: Reader::new("ledger", &spent).get("ambiguous_cost")?,
        avoided_cost: metric.avoided_cost.0,
    };
    let earlier = sqlx::query(EARLIER).bind(held.item.as_str()).bind(revision);
    if let Some(row) = earlier.fetch_optional(&mut **tx).await? {
        roll_up(tx, &written(&row)?, -1).await?;
    }
    write_row(tx, held, revision, (record, outcome), metric, &figures).await?;
    roll_up(tx, &figures, 1).await
}

fn written(row: &SqliteRow) -> Done<Figures> {
    let reader = Reader::new("metrics", row);
    Ok(Figures {
        tenant: reader.get("tenant")?,
        at: reader.get("created_at")?,
        intent: reader.get("intent")?,
        cached: reader.get("cached")?,
        latency_us: reader.get("latency_us")?,
        spent: ledger::spent(row)?,
        ambiguous_cost: reader.get("ambiguous_cost")?,
        avoided_cost: reader.get("avoided_cost")?,
    })
}

async fn write_row(
    tx: &mut Write,
    held: &Held,
    revision: i64,
    (record, outcome): (&Record, Outcome),
    metric: &Metric,
    figures: &Figures,
) -> Done<()> {
    let mut query = sqlx::query(WRITE_METRIC)
        .bind(held.item.as_str())
        .bind(revision)
        .bind(&figures.tenant)
        .bind(record.event.as_ref().map(|event| event.id.as_str()))
        .bind(outcome.name())
        .bind(&figures.intent)
        .bind(metric.agent)
        .bind(&metric.model)
        .bind(metric.cached)
        .bind(figures.latency_us)
        .bind(figures.spent.calls)
        .bind(figures.spent.cost.0)
        .bind(figures.ambiguous_cost)
        .bind(i64::try_from(metric.avoided_usage.total()).unwrap_or(i64::MAX))
        .bind(figures.avoided_cost)
        .bind(figures.at);
    for tokens in codec::classes(&figures.spent.usage) {
        query = query.bind(tokens);
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

/// Changes an item's figures where they were written since its ledger row was in doubt; else they
/// will be written as the ledger stands now.
pub(super) async fn restate(
    tx: &mut Write,
    (item, revision): (&ItemId, i64),
    in_doubt_since: Micros,
    change: Change,
) -> Done<()> {
    let mut query = sqlx::query(RESTATE)
        .bind(item.as_str())
        .bind(revision)
        .bind(in_doubt_since)
        .bind(change.cost)
        .bind(change.in_doubt);
    for tokens in change.tokens {
        query = query.bind(tokens);
    }
    let Some(row) = query.fetch_optional(&mut **tx).await? else { return Ok(()) };
    let reader = Reader::new("metrics", &row);
    sqlx::query(RESTATE_MINUTE)
        .bind(reader.get::<&str>("tenant")?)
        .bind(minute_of(reader.get("created_at")?))
        .bind(reader.get::<&str>("intent")?)
        .bind(change.cost)
        .bind(change.in_doubt)
        .bind(change.tokens.iter().sum::<i64>())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The instant at which a minute begins.
fn minute_of(at: Micros) -> Micros {
    at.div_euclid(MINUTE) * MINUTE
}

/// Adds an item's figures to its minute, or takes them off with a sign of −1. Takes nothing off a
/// minute that is not kept any more.
async fn roll_up(tx: &mut Write, figures: &Figures, sign: i64) -> Done<()> {
    let minute = minute_of(figures.at);
    let (tenant, intent) = (&figures.tenant, &figures.intent);
    if sign > 0 {
        let open = sqlx::query(OPEN_MINUTE).bind(tenant).bind(minute).bind(intent);
        open.execute(&mut **tx).await?;
    }
    let query = sqlx::query(LATENCIES).bind(tenant).bind(minute).bind(intent);
    let Some(row) = query.fetch_optional(&mut **tx).await? else { return Ok(()) };
    let mut latencies: Vec<i64> = Reader::new("metric_rollups", &row).json("latencies")?;
    latencies.resize(BOUNDS_MS.len() + 1, 0);
    let latency = Duration::from_micros(u64::try_from(figures.latency_us).unwrap_or(0));
    latencies[bucket(latency)] += sign;
    sqlx::query(ROLL_UP)
        .bind(tenant)
        .bind(minute)
        .bind(intent)
        .bind(codec::json(&latencies)?)
        .bind(sign)
        .bind(sign * i64::from(figures.cached))
        .bind(sign * i64::from(figures.spent.calls))
        .bind(sign * codec::classes(&figures.spent.usage).iter().sum::<i64>())
        .bind(sign * figures.spent.cost.0)
        .bind(sign * figures.ambiguous_cost)
        .bind(sign * figures.avoided_cost)
        .bind(sign * figures.latency_us)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The first bucket whose bound lies above the latency.
fn bucket(latency: Duration) -> usize {
    BOUNDS_MS.iter().take_while(|bound| latency >= Duration::from_millis(**bound)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_lies_in_the_first_bucket_whose_bound_is_above_it() {
        let places = [0, 9, 10, 999, 1_000, 29_999, 30_000, 90_000]
            .map(|ms| bucket(Duration::from_millis(ms)));
        assert_eq!(places, [0, 0, 1, 5, 6, 10, 11, 11]);
    }
}
