//! What is old goes: days of metric rows, sums, closed ledger rows, alerts.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

use super::PostgresStore;
use super::codec::{count, interval};
use super::pool::store_error;
use crate::store::{Retention, Stored, Swept};

/// Days of metric rows that one sweep drops at most.
const DAYS: u32 = 8;
/// Rows of sums that one sweep drops at most, of each kind.
const SUMS: i32 = 10_000;
/// Closed ledger rows that one sweep folds at most.
const LEDGER: i32 = 500;
/// Scopes, alerts and notices that one sweep drops at most.
const OTHERS: i32 = 200;

// Today's and the next two: a record makes its day itself, but then it waits for the statement.
const MAKE_DAYS: &str = "
    select count(*) filter (where make_metrics_day((now() at time zone 'UTC')::date + ahead))
    from generate_series(0, 2) ahead";
const MARK_MINUTES: &str = "select mark_minutes($1)";
const DROP_DAY: &str = "select drop_metrics_day($1)";
const DROP_MINUTES: &str = "select drop_minutes($1)";
const DROP_HOURS: &str = "select drop_hours($2, $1)";
const CARRY: &str = "select carry_ledger($2, $1)";
const DROP_WINDOWS: &str = "select drop_windows($2, $1)";
const DROP_RATES: &str = "select drop_rates($1)";
const DROP_ALERTS: &str = "select drop_alerts($2, $1)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    MAKE_DAYS,
    MARK_MINUTES,
    DROP_DAY,
    DROP_MINUTES,
    DROP_HOURS,
    CARRY,
    DROP_WINDOWS,
    DROP_RATES,
    DROP_ALERTS,
];

impl PostgresStore {
    pub(super) async fn sweep_old(&self, retention: &Retention) -> Stored<Swept> {
        let Retention { metrics, hours, ledger, alerts } = *retention;
        let mut swept = Swept::default();
        self.make_days().await?;
        if let Some(kept) = metrics {
            self.drop_metrics(kept, &mut swept).await?;
        }
        if let Some(kept) = hours {
            let gone = self.drop_rows(DROP_HOURS, SUMS, Some(kept)).await?;
            swept.sums += gone;
            swept.more |= gone >= count(SUMS.into());
        }
        if let Some(kept) = ledger {
            swept.folded = self.drop_rows(CARRY, LEDGER, Some(kept)).await?;
            let windows = self.drop_rows(DROP_WINDOWS, OTHERS, Some(kept)).await?;
            swept.more |= swept.folded >= count(LEDGER.into()) || windows >= count(OTHERS.into());
        }
        if let Some(kept) = alerts {
            let gone = self.drop_rows(DROP_ALERTS, OTHERS, Some(kept)).await?;
            swept.more |= gone >= count(OTHERS.into());
        }
        let rates = self.drop_rows(DROP_RATES, OTHERS, None).await?;
        swept.more |= rates >= count(OTHERS.into());
        Ok(swept)
    }

    async fn make_days(&self) -> Stored<()> {
        sqlx::query(MAKE_DAYS).execute(self.pool()).await.map_err(store_error)?;
        Ok(())
    }

    /// The mark goes first: from then on nobody asks for what is dropped.
    async fn drop_metrics(&self, kept: Duration, swept: &mut Swept) -> Stored<()> {
        let mark = sqlx::query(MARK_MINUTES).bind(span(kept));
        mark.execute(self.pool()).await.map_err(store_error)?;
        for _ in 0..DAYS {
            let dropped: bool = sqlx::query_scalar(DROP_DAY)
                .bind(span(kept))
                .fetch_one(self.pool())
                .await
                .map_err(store_error)?;
            if !dropped {
                break;
            }
            swept.metrics += 1;
        }
        swept.sums += self.drop_rows(DROP_MINUTES, SUMS, None).await?;
        swept.more |= swept.metrics >= DAYS.into() || swept.sums >= count(SUMS.into());
        Ok(())
    }

    /// Runs one bounded drop; how many rows went.
    async fn drop_rows(
        &self,
        statement: &'static str,
        most: i32,
        kept: Option<Duration>,
    ) -> Stored<u64> {
        let mut query = sqlx::query_scalar(statement).bind(most);
        if let Some(kept) = kept {
            query = query.bind(span(kept));
        }
        let gone: i64 = query.fetch_one(self.pool()).await.map_err(store_error)?;
        Ok(count(gone))
    }
}

/// How long something is kept, at most as long as the calendar goes back.
fn span(kept: Duration) -> PgInterval {
    interval(kept.min(Duration::from_secs(86_400 * 365 * 1_000)))
}
