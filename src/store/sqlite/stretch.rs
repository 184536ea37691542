//! Figures of a stretch of time: whole hours and minutes from their sums, the edges from the rows.
//!
//! What is asked for is cut into ranges that neither overlap nor leave a gap, so sums
//! are those of the rows. Where minutes are dropped, an edge lies at its hour's beginning.

use std::ops::Range;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::codec::Reader;
use super::figures::{HOUR, MINUTE, start_of};
use super::hours::{fold, fold_until};
use super::{Done, Micros, SqliteStore, micros};
use crate::domain::intent::Intent;
use crate::domain::latency::Latencies;
use crate::store::{Figures, Stretch, Sums};

statements! {
    SUMS = "with parts (intent, items, cached, asked, calls, tokens, cost, ambiguous_cost,
            avoided_tokens, avoided_cost, latency_us) as (
            select intent, items, cached, asked, calls, tokens, cost, ambiguous_cost,
                avoided_tokens, avoided_cost, latency_us
            from metric_hours where hour >= ?1 and hour < ?2
            union all
            select intent, items, cached, asked, calls, tokens, cost, ambiguous_cost,
                avoided_tokens, avoided_cost, latency_us
            from metric_rollups
            where (minute >= ?3 and minute < ?4) or (minute >= ?5 and minute < ?6)
            union all
            select intent, 1, cached, agent is not null and not cached, calls,
                input_tokens + output_tokens + cache_read_tokens + cache_write_5m_tokens
                    + cache_write_1h_tokens,
                cost, ambiguous_cost, avoided_tokens, avoided_cost, latency_us
            from metrics
            where (created_at >= ?7 and created_at < ?8) or (created_at >= ?9 and created_at < ?10)
        )
        select intent, sum(items) as items, sum(cached) as cached, sum(asked) as asked,
            sum(calls) as calls, sum(tokens) as tokens, sum(cost) as cost,
            sum(ambiguous_cost) as ambiguous_cost, sum(avoided_tokens) as avoided_tokens,
            sum(avoided_cost) as avoided_cost, sum(latency_us) as latency_us
        from parts group by intent having sum(items) > 0";
    HISTOGRAMS = "select 'metric_hours' as id, histogram from metric_hours
            where hour >= ?1 and hour < ?2
        union all
        select 'metric_rollups', histogram from metric_rollups
            where (minute >= ?3 and minute < ?4) or (minute >= ?5 and minute < ?6)";
    LATENCIES = "select latency_us from metrics
        where (created_at >= ?1 and created_at < ?2) or (created_at >= ?3 and created_at < ?4)";
}

/// A stretch of time, cut by what tells of its parts.
#[derive(Debug, Clone, PartialEq)]
struct Cut {
    hours: Range<Micros>,
    minutes: [Range<Micros>; 2],
    rows: [Range<Micros>; 2],
}

/// How far hours are folded, and minutes dropped.
#[derive(Debug, Clone, Copy)]
struct Kept {
    folded: Micros,
    dropped: Micros,
}

impl SqliteStore {
    pub(super) async fn sum_up(&self, stretch: Stretch) -> Done<Figures> {
        let mut tx = self.readers.begin().await?;
        figures_of(&mut tx, stretch).await
    }

    pub(super) async fn merge_latencies(&self, stretch: Stretch) -> Done<Latencies> {
        let mut tx = self.readers.begin().await?;
        let cut = cut_now(&mut tx, stretch).await?;
        let mut merged = Latencies::default();
        let mut query = sqlx::query(HISTOGRAMS);
        for range in [&cut.hours].into_iter().chain(&cut.minutes) {
            query = query.bind(range.start).bind(range.end);
        }
        for row in query.fetch_all(&mut *tx).await? {
            merged.merge(&Reader::new("metric_rollups", &row).json("histogram")?);
        }
        let mut query = sqlx::query(LATENCIES);
        for range in &cut.rows {
            query = query.bind(range.start).bind(range.end);
        }
        for row in query.fetch_all(&mut *tx).await? {
            let latency = Reader::new("metrics", &row).count("latency_us")?;
            merged.add(Duration::from_micros(latency));
        }
        Ok(merged)
    }
}

/// The sums of a stretch, as the connection's snapshot has them.
pub(super) async fn figures_of(
    connection: &mut SqliteConnection,
    stretch: Stretch,
) -> Done<Figures> {
    let cut = cut_now(connection, stretch).await?;
    let mut query = sqlx::query(SUMS);
    for range in [&cut.hours].into_iter().chain(&cut.minutes).chain(&cut.rows) {
        query = query.bind(range.start).bind(range.end);
    }
    let mut by_intent = Vec::new();
    for row in query.fetch_all(connection).await? {
        let intent = Reader::new("metrics", &row).named("intent", Intent::named)?;
        by_intent.push((intent, sums(&row)?));
    }
    by_intent.sort_by_key(|(intent, _)| intent.place());
    Ok(Figures { by_intent })
}

fn sums(row: &SqliteRow) -> Done<Sums> {
    let reader = Reader::new("metrics", row);
    Ok(Sums {
        items: reader.count("items")?,
        cached: reader.count("cached")?,
        asked: reader.count("asked")?,
        calls: reader.count("calls")?,
        tokens: reader.count("tokens")?,
        cost: reader.cost("cost")?,
        ambiguous_cost: reader.cost("ambiguous_cost")?,
        avoided_tokens: reader.count("avoided_tokens")?,
        avoided_cost: reader.cost("avoided_cost")?,
        latency: Duration::from_micros(reader.count("latency_us")?),
    })
}

/// Cuts a stretch by what the same snapshot says is kept.
async fn cut_now(connection: &mut SqliteConnection, stretch: Stretch) -> Done<Cut> {
    let folded = fold_until(&mut *connection, fold::HOURS).await?;
    let dropped = fold_until(&mut *connection, fold::MINUTES).await?;
    let now = Timestamp::now().as_microsecond();
    Ok(cut(stretch, now, Kept { folded, dropped }))
}

fn cut(stretch: Stretch, now: Micros, kept: Kept) -> Cut {
    let end = now.saturating_sub(micros(stretch.ended));
    let start = end.saturating_sub(micros(stretch.length));
    // Nothing is later than now, so all of the present minute belongs to what ends now.
    let end = if stretch.ended.is_zero() { start_of(now, MINUTE) + MINUTE } else { end };
    let edge = |at: Micros| if at < kept.dropped { start_of(at, HOUR) } else { at };
    let (start, end) = (edge(start), edge(end));
    let (first_minute, last_minute) = (next(start, MINUTE), start_of(end, MINUTE));
    if first_minute > last_minute {
        return Cut { hours: 0..0, minutes: [0..0, 0..0], rows: [start..end, 0..0] };
    }
    let rows = [start..first_minute, last_minute..end];
    let first_hour = next(first_minute, HOUR);
    let last_hour = start_of(last_minute.min(kept.folded), HOUR);
    if first_hour >= last_hour {
        return Cut { hours: 0..0, minutes: [first_minute..last_minute, 0..0], rows };
    }
    let minutes = [first_minute..first_hour, last_hour..last_minute];
    Cut { hours: first_hour..last_hour, minutes, rows }
}

/// The first beginning of a minute or hour that is not before an instant.
fn next(at: Micros, span: Micros) -> Micros {
    start_of(at.saturating_add(span - 1), span)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Which range an instant is told by: rows 1, minutes 60, hours 3600.
    fn told_by(cut: &Cut, at: Micros) -> Vec<u32> {
        let minute = start_of(at, MINUTE);
        let mut by = Vec::new();
        by.extend(cut.hours.contains(&start_of(at, HOUR)).then_some(3_600));
        by.extend(cut.minutes.iter().filter(|range| range.contains(&minute)).map(|_| 60));
        by.extend(cut.rows.iter().filter(|range| range.contains(&at)).map(|_| 1));
        by
    }

    const NOW: Micros = 1_790_000_000_123_456;

    proptest! {
        #[test]
        fn each_instant_of_a_stretch_is_told_once_and_no_other(
            length in 0u64..10 * 3_600_000_000, ended in 1u64..5 * 3_600_000_000,
            folded in 0i64..20 * HOUR, back in 0i64..20 * HOUR,
        ) {
            let kept = Kept { folded: start_of(NOW - folded, HOUR), dropped: 0 };
            let stretch = Stretch {
                length: Duration::from_micros(length), ended: Duration::from_micros(ended),
            };
            let cut = cut(stretch, NOW, kept);
            let end = NOW - ended as i64;
            let start = end - length as i64;
            for at in [NOW - back, start, start - 1, end - 1, end] {
                let by = told_by(&cut, at);
                prop_assert_eq!(by.len(), usize::from((start..end).contains(&at)), "{} {:?}", at, cut);
                let is_folded = start_of(at, HOUR) < kept.folded;
                prop_assert!(is_folded || !by.contains(&3_600), "{:?}", cut);
            }
        }
    }

    #[test]
    fn what_ends_now_needs_no_rows_at_its_end() {
        let kept = Kept { folded: start_of(NOW, HOUR), dropped: 0 };
        let cut = cut(Stretch::last(Duration::from_secs(7_200)), NOW, kept);
        assert!(cut.rows[1].is_empty(), "{cut:?}");
        assert_eq!(told_by(&cut, NOW), [60]);
        assert_eq!(cut.hours.end - cut.hours.start, HOUR);
    }

    #[test]
    fn where_minutes_are_dropped_edges_lie_between_hours() {
        let kept = Kept { folded: start_of(NOW, HOUR), dropped: start_of(NOW - HOUR, HOUR) };
        let stretch = |length: i64, ended: i64| Stretch {
            length: Duration::from_micros(length as u64),
            ended: Duration::from_micros(ended as u64),
        };
        let old = cut(stretch(3 * HOUR, 4 * HOUR), NOW, kept);
        assert_eq!(old.hours, start_of(NOW - 7 * HOUR, HOUR)..start_of(NOW - 4 * HOUR, HOUR));
        let begins_old = cut(stretch(3 * HOUR, HOUR / 2), NOW, kept);
        assert_eq!(begins_old.hours.start, start_of(NOW - 7 * HOUR / 2, HOUR));
        assert!(old.rows.iter().chain(&begins_old.rows[..1]).all(Range::is_empty));
    }
}
