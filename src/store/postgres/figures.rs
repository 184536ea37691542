//! Figures: sums over a stretch of time, its latencies, what became of the rollout's events, and
//! the fold of minutes into hours.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::PostgresStore;
use super::codec::{count, duration, interval};
use super::pool::store_error;
use crate::domain::intent::Intent;
use crate::domain::latency::Latencies;
use crate::domain::usage::NanoUsd;
use crate::store::{Figures, RolloutReport, RolloutSide, Stored, Stretch, Sums};

const FIGURES: &str = "select * from figures($1, $2)";
const LATENCIES: &str = "select bucket, items from latencies($1, $2)";
const FOLD: &str = "select fold_hour()";

// By side; a side's histogram comes along as rows of its own.
const OUTCOMES: &str = "
    select reason is not distinct from 'outside_rollout' and status = 'skipped' as outside,
        count(distinct event_id) as events,
        count(*) filter (where status = 'completed') as completed,
        count(*) filter (where status = 'skipped') as skipped,
        count(*) filter (where status = 'failed') as failed
    from queue_items
    where kind = 'message' and settled_at >= now() - $1::interval
        and status in ('completed', 'skipped', 'failed')
    group by 1";
const SETTLED_IN: &str = "
    select reason is not distinct from 'outside_rollout' and status = 'skipped' as outside,
        latency_bucket((extract(epoch from settled_at - first_claimed_at) * 1000000)::bigint)
            as bucket,
        count(*) as items
    from queue_items
    where kind = 'message' and settled_at >= now() - $1::interval
        and status in ('completed', 'skipped', 'failed') and first_claimed_at is not null
    group by 1, 2";

// One snapshot for all statements of a report.
const BEGIN_REPORT: &str = "begin isolation level repeatable read read only";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[FIGURES, LATENCIES, FOLD, OUTCOMES, SETTLED_IN];

impl PostgresStore {
    pub(super) async fn figures_of(&self, stretch: Stretch) -> Stored<Figures> {
        let rows = sqlx::query(FIGURES)
            .bind(interval(stretch.length))
            .bind(interval(stretch.ended))
            .fetch_all(self.pool())
            .await
            .map_err(store_error)?;
        figures(&rows)
    }

    pub(super) async fn latencies_of(&self, stretch: Stretch) -> Stored<Latencies> {
        let rows: Vec<(i32, i64)> = sqlx::query_as(LATENCIES)
            .bind(interval(stretch.length))
            .bind(interval(stretch.ended))
            .fetch_all(self.pool())
            .await
            .map_err(store_error)?;
        let mut latencies = Latencies::default();
        rows.into_iter().for_each(|(bucket, items)| add(&mut latencies, bucket, items));
        Ok(latencies)
    }

    pub(super) async fn report_rollout(&self, length: Duration) -> Stored<RolloutReport> {
        let mut snapshot = self.pool().begin_with(BEGIN_REPORT).await.map_err(store_error)?;
        let mut report = RolloutReport::default();
        let outcomes = sqlx::query(OUTCOMES).bind(interval(length));
        for row in outcomes.fetch_all(&mut *snapshot).await.map_err(store_error)? {
            let outside = row.try_get("outside").map_err(store_error)?;
            *side(&mut report, outside) = counted(&row)?;
        }
        let settled: Vec<(bool, i32, i64)> = sqlx::query_as(SETTLED_IN)
            .bind(interval(length))
            .fetch_all(&mut *snapshot)
            .await
            .map_err(store_error)?;
        for (outside, bucket, items) in settled {
            add(&mut side(&mut report, outside).settled_in, bucket, items);
        }
        let rows = sqlx::query(FIGURES)
            .bind(interval(length))
            .bind(interval(Duration::ZERO))
            .fetch_all(&mut *snapshot)
            .await
            .map_err(store_error)?;
        snapshot.commit().await.map_err(store_error)?;
        let spent = figures(&rows)?.total();
        report.inside.calls = spent.calls;
        report.inside.cost = spent.cost;
        Ok(report)
    }

    pub(super) async fn fold(&self, most: u32) -> Stored<u32> {
        for folded in 0..most {
            let more: bool =
                sqlx::query_scalar(FOLD).fetch_one(self.pool()).await.map_err(store_error)?;
            if !more {
                return Ok(folded);
            }
        }
        Ok(most)
    }
}

fn add(latencies: &mut Latencies, bucket: i32, items: i64) {
    latencies.add_many(u16::try_from(bucket).unwrap_or(u16::MAX), count(items));
}

fn side(report: &mut RolloutReport, outside: bool) -> &mut RolloutSide {
    if outside { &mut report.outside } else { &mut report.inside }
}

fn counted(row: &PgRow) -> Stored<RolloutSide> {
    let number = |column| -> Stored<u64> { Ok(count(row.try_get(column).map_err(store_error)?)) };
    Ok(RolloutSide {
        events: number("events")?,
        completed: number("completed")?,
        skipped: number("skipped")?,
        failed: number("failed")?,
        ..RolloutSide::default()
    })
}

fn figures(rows: &[PgRow]) -> Stored<Figures> {
    let mut sums = [None::<Sums>; Intent::ALL.len()];
    for row in rows {
        let name: String = row.try_get("intent").map_err(store_error)?;
        // One that only a newer release knows still counts in the total.
        let intent = Intent::named(&name).unwrap_or(Intent::None);
        *sums[intent.place()].get_or_insert_default() += sums_of(row)?;
    }
    let by_intent =
        Intent::ALL.into_iter().filter_map(|intent| Some((intent, sums[intent.place()]?)));
    Ok(Figures { by_intent: by_intent.collect() })
}

fn sums_of(row: &PgRow) -> Stored<Sums> {
    let sum = |column| -> Stored<i64> { row.try_get(column).map_err(store_error) };
    Ok(Sums {
        items: count(sum("items")?),
        cached: count(sum("cached")?),
        asked: count(sum("asked")?),
        calls: count(sum("calls")?),
        tokens: count(sum("tokens")?),
        cost: NanoUsd(sum("cost")?),
        ambiguous_cost: NanoUsd(sum("ambiguous_cost")?),
        avoided_tokens: count(sum("avoided_tokens")?),
        avoided_cost: NanoUsd(sum("avoided_cost")?),
        latency: duration(sum("latency_us")?),
    })
}
