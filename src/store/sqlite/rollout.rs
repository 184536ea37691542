//! What became of messages inside and outside the rollout.

use std::time::Duration;

use futures::TryStreamExt as _;
use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::codec::Reader;
use super::{Done, Micros, SqliteStore, micros, stretch};
use crate::store::{RolloutReport, Stretch};

statements! {
    // One that was opened again is not settled any more.
    SIDES = "select coalesce(reason, '') = 'outside_rollout' as is_outside,
            count(distinct event_id) as events,
            count(*) filter (where status = 'completed') as completed,
            count(*) filter (where status = 'skipped') as skipped,
            count(*) filter (where status = 'failed') as failed
        from queue_items
        where settled_at is not null and settled_at >= ?1 and kind = 'message'
            and +status in ('completed', 'skipped', 'failed')
        group by 1";
    SETTLED_IN = "select coalesce(reason, '') = 'outside_rollout' as is_outside,
            max(settled_at - first_claimed_at, 0) as settled_in
        from queue_items
        where settled_at is not null and settled_at >= ?1 and kind = 'message'
            and +status in ('completed', 'skipped', 'failed') and first_claimed_at is not null";
}

impl SqliteStore {
    pub(super) async fn report_rollout(&self, length: Duration) -> Done<RolloutReport> {
        let mut tx = self.readers.begin().await?;
        let since = Timestamp::now().as_microsecond().saturating_sub(micros(length));
        let mut report = count_sides(&mut tx, since).await?;
        add_latencies(&mut tx, since, &mut report).await?;
        // What is outside costs nothing.
        let sums = stretch::figures_of(&mut tx, Stretch::last(length)).await?.total();
        (report.inside.calls, report.inside.cost) = (sums.calls, sums.cost);
        Ok(report)
    }
}

async fn count_sides(connection: &mut SqliteConnection, since: Micros) -> Done<RolloutReport> {
    let mut report = RolloutReport::default();
    for row in sqlx::query(SIDES).bind(since).fetch_all(connection).await? {
        let reader = Reader::new("queue_items", &row);
        let is_outside: bool = reader.get("is_outside")?;
        let side = if is_outside { &mut report.outside } else { &mut report.inside };
        side.events = reader.count("events")?;
        side.completed = reader.count("completed")?;
        side.skipped = reader.count("skipped")?;
        side.failed = reader.count("failed")?;
    }
    Ok(report)
}

async fn add_latencies(
    connection: &mut SqliteConnection,
    since: Micros,
    report: &mut RolloutReport,
) -> Done<()> {
    // Row by row: they may be many.
    let mut rows = sqlx::query(SETTLED_IN).bind(since).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let reader = Reader::new("queue_items", &row);
        let is_outside: bool = reader.get("is_outside")?;
        let side = if is_outside { &mut report.outside } else { &mut report.inside };
        side.settled_in.add(Duration::from_micros(reader.count("settled_in")?));
    }
    Ok(())
}
