//! Figures of settled items: a row each, and a roll-up by minute, tenant and intent.

use std::collections::BTreeMap;
use std::time::Duration;

use super::codec::{self, Reader};
use super::{Done, Micros, Write, ledger, micros};
use crate::domain::chat::Event;
use crate::domain::ids::Held;
use crate::store::{Metric, Spent};

statements! {
    EARLIER = "select at, tenant, intent, cached, latency_us, calls, cost, input, output, cache_read,
            cache_write_5m, cache_write_1h, avoided_cost
        from metrics where item_id = ?1 and revision = ?2";
    WRITE_METRIC = "insert into metrics (item_id, revision, at, tenant, event_id, intent, agent, model,
            cached, latency_us, calls, cost, input, output, cache_read, cache_write_5m, cache_write_1h,
            avoided_tokens, avoided_cost)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
        on conflict (item_id, revision) do update set at = ?3, tenant = ?4, event_id = ?5, intent = ?6,
            agent = ?7, model = ?8, cached = ?9, latency_us = ?10, calls = ?11, cost = ?12, input = ?13,
            output = ?14, cache_read = ?15, cache_write_5m = ?16, cache_write_1h = ?17,
            avoided_tokens = ?18, avoided_cost = ?19";
    LATENCIES = "select latencies from metric_rollups
        where tenant = ?1 and minute = ?2 and intent = ?3 and shard = 0";
    ROLL_UP = "insert into metric_rollups (tenant, minute, intent, shard, latencies, items, cached, calls,
            cost, avoided_cost, latency_us, input, output, cache_read, cache_write_5m, cache_write_1h)
        values (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
        on conflict (tenant, minute, intent, shard) do update set latencies = ?4,
            items = items + ?5, cached = cached + ?6, calls = calls + ?7, cost = cost + ?8,
            avoided_cost = avoided_cost + ?9, latency_us = latency_us + ?10, input = input + ?11,
            output = output + ?12, cache_read = cache_read + ?13,
            cache_write_5m = cache_write_5m + ?14, cache_write_1h = cache_write_1h + ?15";
}

const MINUTE: Micros = 60_000_000;

/// What one item adds to its roll-up.
struct Figures {
    tenant: String,
    at: Micros,
    intent: String,
    cached: bool,
    latency_us: i64,
    spent: Spent,
    avoided_cost: i64,
}

/// Writes an item's metric, with what the ledger says it cost, and rolls it up. An item that is
/// settled once more under the same revision replaces what it gave before.
pub(super) async fn write(
    tx: &mut Write,
    held: &Held,
    revision: i64,
    event: Option<&Event>,
    metric: &Metric,
    now: Micros,
) -> Done<()> {
    let figures = Figures {
        tenant: event.map_or(Event::DEFAULT_TENANT, |event| &event.tenant).to_owned(),
        at: now,
        intent: metric.intent.name().to_owned(),
        cached: metric.cached,
        latency_us: micros(metric.latency),
        spent: ledger::spent_on(tx, &held.item, revision).await?,
        avoided_cost: metric.avoided_cost.0,
    };
    if let Some(earlier) = earlier(tx, held, revision).await? {
        roll_up(tx, &earlier, -1).await?;
    }
    write_row(tx, held, revision, event, metric, &figures).await?;
    roll_up(tx, &figures, 1).await
}

async fn earlier(tx: &mut Write, held: &Held, revision: i64) -> Done<Option<Figures>> {
    let query = sqlx::query(EARLIER).bind(held.item.as_str()).bind(revision);
    let Some(row) = query.fetch_optional(&mut **tx).await? else { return Ok(None) };
    let reader = Reader::new("metrics", &row);
    Ok(Some(Figures {
        tenant: reader.get("tenant")?,
        at: reader.get("at")?,
        intent: reader.get("intent")?,
        cached: reader.get("cached")?,
        latency_us: reader.get("latency_us")?,
        spent: ledger::spent(&row)?,
        avoided_cost: reader.get("avoided_cost")?,
    }))
}

async fn write_row(
    tx: &mut Write,
    held: &Held,
    revision: i64,
    event: Option<&Event>,
    metric: &Metric,
    figures: &Figures,
) -> Done<()> {
    let mut query = sqlx::query(WRITE_METRIC)
        .bind(held.item.as_str())
        .bind(revision)
        .bind(figures.at)
        .bind(&figures.tenant)
        .bind(event.map(|event| event.id.as_str()))
        .bind(&figures.intent)
        .bind(metric.agent)
        .bind(&metric.model)
        .bind(metric.cached)
        .bind(figures.latency_us)
        .bind(figures.spent.calls)
        .bind(figures.spent.cost.0);
    for tokens in codec::classes(&figures.spent.usage) {
        query = query.bind(tokens);
    }
    let avoided_tokens = i64::try_from(metric.avoided_usage.total()).unwrap_or(i64::MAX);
    query.bind(avoided_tokens).bind(figures.avoided_cost).execute(&mut **tx).await?;
    Ok(())
}

/// Adds an item's figures to its minute, or takes them off with a sign of −1.
async fn roll_up(tx: &mut Write, figures: &Figures, sign: i64) -> Done<()> {
    let minute = figures.at.div_euclid(MINUTE);
    let row = sqlx::query(LATENCIES)
        .bind(&figures.tenant)
        .bind(minute)
        .bind(&figures.intent)
        .fetch_optional(&mut **tx)
        .await?;
    let mut latencies: BTreeMap<u32, i64> = match &row {
        Some(row) => Reader::new("metric_rollups", row).json("latencies")?,
        None => BTreeMap::new(),
    };
    let latency = Duration::from_micros(u64::try_from(figures.latency_us).unwrap_or(0));
    *latencies.entry(bucket(latency)).or_default() += sign;
    latencies.retain(|_, items| *items != 0);
    let mut query = sqlx::query(ROLL_UP)
        .bind(&figures.tenant)
        .bind(minute)
        .bind(&figures.intent)
        .bind(codec::json(&latencies)?)
        .bind(sign)
        .bind(sign * i64::from(figures.cached))
        .bind(sign * i64::from(figures.spent.calls))
        .bind(sign * figures.spent.cost.0)
        .bind(sign * figures.avoided_cost)
        .bind(sign * figures.latency_us);
    for tokens in codec::classes(&figures.spent.usage) {
        query = query.bind(sign * tokens);
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

/// The bucket of a latency: bucket n is up to 2^(n/4) milliseconds, each 19 % wider than the last.
fn bucket(latency: Duration) -> u32 {
    let ms = latency.as_secs_f64() * 1e3;
    if ms <= 1.0 { 0 } else { (4.0 * ms.log2()).ceil() as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_lies_within_a_fifth_of_its_buckets_bound() {
        for ms in [1u64, 2, 3, 50, 999, 3_000, 120_000] {
            let bound = 2f64.powf(f64::from(bucket(Duration::from_millis(ms))) / 4.0);
            let ratio = bound / ms as f64;
            assert!((0.999..1.2).contains(&ratio), "{ms} ms lies in the bucket up to {bound} ms");
        }
    }
}
