//! Retention: what is older than it is kept goes, so many rows at a time.

use std::time::Duration;

use super::figures::{HOUR, start_of};
use super::hours::{fold, fold_until, move_on};
use super::{Done, Micros, SqliteStore, Write, carry, micros};
use crate::store::{Retention, Swept};

/// Rows of a kind that go at most in one sweep.
const MOST: u64 = 5_000;

statements! {
    DROP_METRICS = "delete from metrics where rowid in
        (select rowid from metrics where created_at < ?1 order by created_at limit ?2)";
    DROP_MINUTES = "delete from metric_rollups where (tenant, minute, intent, shard) in
        (select tenant, minute, intent, shard from metric_rollups where minute < ?1
        order by minute limit ?2)";
    DROP_HOURS = "delete from metric_hours where (tenant, hour, intent) in
        (select tenant, hour, intent from metric_hours where hour < ?1 order by hour limit ?2)";
    DROP_ALERTS = "delete from alerts where id in
        (select id from alerts where resolved_at is not null and resolved_at < ?1
        order by resolved_at limit ?2)";
    // Confirmed, or given up.
    DROP_NOTICES = "delete from notices where (channel, id) in
        (select channel, id from notices where look_at is null and created_at < ?1
        order by created_at limit ?2)";
}

impl SqliteStore {
    pub(super) async fn sweep_old(&self, retention: &Retention) -> Done<Swept> {
        let (mut tx, now) = self.write().await?;
        let before = |age: Option<Duration>| age.map(|age| now.saturating_sub(micros(age)));
        let mut swept = Swept::default();
        let metrics = before(retention.metrics);
        sweep_figures(&mut tx, metrics, before(retention.hours), &mut swept).await?;
        if let Some(before) = before(retention.alerts) {
            drop_some(&mut tx, DROP_ALERTS, before, &mut swept).await?;
            drop_some(&mut tx, DROP_NOTICES, before, &mut swept).await?;
        }
        if let Some(before) = before(retention.ledger) {
            carry::fold_closed(&mut tx, before, &mut swept).await?;
            carry::drop_windows(&mut tx, before, &mut swept).await?;
        }
        carry::drop_rates(&mut tx, now, &mut swept).await?;
        tx.commit().await?;
        Ok(swept)
    }
}

/// Drops rows and minutes of hours that are folded, and hours whose minutes are dropped: so a
/// stretch is always told by what is left.
async fn sweep_figures(
    tx: &mut Write,
    metrics: Option<Micros>,
    hours: Option<Micros>,
    swept: &mut Swept,
) -> Done<()> {
    let folded = fold_until(&mut *tx, fold::HOURS).await?;
    if let Some(before) = metrics {
        let before = start_of(before.min(folded), HOUR);
        move_on(tx, fold::MINUTES, before).await?;
        swept.metrics += drop_some(tx, DROP_METRICS, before, swept).await?;
        swept.sums += drop_some(tx, DROP_MINUTES, before, swept).await?;
    }
    if let Some(before) = hours {
        let dropped = fold_until(&mut *tx, fold::MINUTES).await?;
        swept.sums += drop_some(tx, DROP_HOURS, before.min(dropped), swept).await?;
    }
    Ok(())
}

/// Runs a statement that drops a bounded number of rows; returns how many.
pub(super) async fn drop_some(
    tx: &mut Write,
    statement: &'static str,
    before: Micros,
    swept: &mut Swept,
) -> Done<u64> {
    let limit = i64::try_from(MOST).unwrap_or(i64::MAX);
    let query = sqlx::query(statement).bind(before).bind(limit);
    let dropped = query.execute(&mut **tx).await?.rows_affected();
    swept.more |= dropped == MOST;
    Ok(dropped)
}
