//! Figures of settled items: a row each, and their sums by minute, tenant and intent.
//!
//! A row of an hour that is folded is added to the hour's sums as well. Nothing is
//! taken off sums that are not kept any more.

use std::time::Duration;

use sqlx::sqlite::SqliteRow;

use super::codec::{self, Reader};
use super::{Done, Micros, Write, ledger, micros};
use crate::domain::chat::Event;
use crate::domain::ids::{Held, ItemId};
use crate::domain::latency::Latencies;
use crate::domain::outcome::Outcome;
use crate::store::{Metric, Record, Spent};

statements! {
    EARLIER = "select created_at, tenant, intent, agent is not null as has_agent, cached, latency_us,
            calls, cost, ambiguous_cost, avoided_tokens, avoided_cost, input_tokens, output_tokens,
            cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens
        from metrics where item_id = ?1 and revision = ?2";
    WRITE_METRIC = "insert or replace into metrics (item_id, revision, tenant, event_id, outcome, intent,
            agent, model, cached, latency_us, calls, cost, ambiguous_cost, avoided_tokens, avoided_cost,
            created_at, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
            cache_write_1h_tokens)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
            ?20, ?21)";
    // Everything is taken off with a sign of -1, and then makes no row.
    ROLL_UP = "insert into metric_rollups (tenant, minute, intent, items, cached, asked, calls, tokens,
            cost, ambiguous_cost, avoided_tokens, avoided_cost, latency_us, latencies, histogram)
        select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, '[]', json_set('{}', ?14, ?4)
        where ?4 > 0 or exists (select 1 from metric_rollups
            where tenant = ?1 and minute = ?2 and intent = ?3 and shard = 0)
        on conflict (tenant, minute, intent, shard) do update set items = items + ?4,
            cached = cached + ?5, asked = asked + ?6, calls = calls + ?7, tokens = tokens + ?8,
            cost = cost + ?9, ambiguous_cost = ambiguous_cost + ?10,
            avoided_tokens = avoided_tokens + ?11, avoided_cost = avoided_cost + ?12,
            latency_us = latency_us + ?13,
            histogram = json_set(histogram, ?14, coalesce(histogram ->> ?14, 0) + ?4)";
    ADD_TO_HOUR = "insert into metric_hours (tenant, hour, intent, items, cached, asked, calls, tokens,
            cost, ambiguous_cost, avoided_tokens, avoided_cost, latency_us, histogram)
        select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, json_set('{}', ?14, ?4)
        where exists (select 1 from folds where name = 'hours' and until > ?2)
            and (?4 > 0 or exists (select 1 from metric_hours
                where tenant = ?1 and hour = ?2 and intent = ?3))
        on conflict (tenant, hour, intent) do update set items = items + ?4,
            cached = cached + ?5, asked = asked + ?6, calls = calls + ?7, tokens = tokens + ?8,
            cost = cost + ?9, ambiguous_cost = ambiguous_cost + ?10,
            avoided_tokens = avoided_tokens + ?11, avoided_cost = avoided_cost + ?12,
            latency_us = latency_us + ?13,
            histogram = json_set(histogram, ?14, coalesce(histogram ->> ?14, 0) + ?4)";
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
    // There is none while it is not folded.
    RESTATE_HOUR = "update metric_hours set cost = cost + ?4,
            ambiguous_cost = ambiguous_cost + ?5, tokens = tokens + ?6
        where tenant = ?1 and hour = ?2 and intent = ?3";
}

pub(super) const MINUTE: Micros = 60_000_000;
pub(super) const HOUR: Micros = 60 * MINUTE;

/// What one item adds to its sums.
struct Figures {
    tenant: String,
    at: Micros,
    intent: String,
    cached: bool,
    asked: bool,
    latency_us: i64,
    spent: Spent,
    ambiguous_cost: i64,
    avoided_tokens: i64,
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
        asked: metric.agent.is_some() && !metric.cached,
        latency_us: micros(metric.latency),
        spent: ledger::spent(&spent)?,
        ambiguous_cost: Reader::new("ledger", &spent).get("ambiguous_cost")?,
        avoided_tokens: i64::try_from(metric.avoided_usage.total()).unwrap_or(i64::MAX),
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
    let cached = reader.get("cached")?;
    Ok(Figures {
        tenant: reader.get("tenant")?,
        at: reader.get("created_at")?,
        intent: reader.get("intent")?,
        cached,
        asked: reader.get::<bool>("has_agent")? && !cached,
        latency_us: reader.get("latency_us")?,
        spent: ledger::spent(row)?,
        ambiguous_cost: reader.get("ambiguous_cost")?,
        avoided_tokens: reader.get("avoided_tokens")?,
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
        .bind(figures.avoided_tokens)
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
    let at: Micros = reader.get("created_at")?;
    for (statement, span) in [(RESTATE_MINUTE, MINUTE), (RESTATE_HOUR, HOUR)] {
        sqlx::query(statement)
            .bind(reader.get::<&str>("tenant")?)
            .bind(start_of(at, span))
            .bind(reader.get::<&str>("intent")?)
            .bind(change.cost)
            .bind(change.in_doubt)
            .bind(change.tokens.iter().sum::<i64>())
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// The instant at which the minute or hour of an instant begins.
pub(super) fn start_of(at: Micros, span: Micros) -> Micros {
    at.div_euclid(span) * span
}

/// Adds an item's figures to its minute, and to its hour where that is folded; or takes them off
/// with a sign of −1.
async fn roll_up(tx: &mut Write, figures: &Figures, sign: i64) -> Done<()> {
    let latency = Duration::from_micros(u64::try_from(figures.latency_us).unwrap_or(0));
    let bucket = format!("$.\"{}\"", Latencies::bucket(latency));
    for (statement, span) in [(ROLL_UP, MINUTE), (ADD_TO_HOUR, HOUR)] {
        sqlx::query(statement)
            .bind(&figures.tenant)
            .bind(start_of(figures.at, span))
            .bind(&figures.intent)
            .bind(sign)
            .bind(sign * i64::from(figures.cached))
            .bind(sign * i64::from(figures.asked))
            .bind(sign * i64::from(figures.spent.calls))
            .bind(sign * codec::classes(&figures.spent.usage).iter().sum::<i64>())
            .bind(sign * figures.spent.cost.0)
            .bind(sign * figures.ambiguous_cost)
            .bind(sign * figures.avoided_tokens)
            .bind(sign * figures.avoided_cost)
            .bind(sign * figures.latency_us)
            .bind(&bucket)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}
