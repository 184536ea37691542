//! Budgets as operators see and set them.

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::PostgresStore;
use super::codec::{Instant, count, plain};
use super::pool::store_error;
use crate::domain::usage::NanoUsd;
use crate::store::{BudgetChange, BudgetOverride, BudgetWindow, Stored};

macro_rules! windows {
    ($which:literal) => {
        concat!(
            "
    select b.name, b.key, b.reserved, b.charged, b.ambiguous, b.is_current, (
        select count(*) from lines l where l.scope = b.key
    ) as waiting
    from (
        select s.*, (s.starts_at is null or s.starts_at <= now())
            and (s.ends_at is null or s.ends_at > now()) as is_current
        from scopes s
    ) b
    where ",
            $which,
            " limit $1"
        )
    };
}

const OF_ONE: &str = windows!("b.name = $2 order by b.starts_at desc nulls last, b.key desc");
// There may be a budget for each event, so theirs come last.
const RUNNING: &str = windows!(
    "b.name is not null and b.is_current
    order by starts_with(b.name, 'budget:event:'),
        case when starts_with(b.name, 'budget:event:') then b.charged + b.ambiguous end desc,
        b.name"
);

const OVERRIDES: &str = "select name, most, set_by, set_at from budget_limits order by name";
const SET: &str = "select set_budget($1, $2, $3, $4)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[OF_ONE, RUNNING, OVERRIDES, SET];

impl PostgresStore {
    pub(super) async fn budget_windows(
        &self,
        name: Option<&str>,
        limit: u32,
    ) -> Stored<Vec<BudgetWindow>> {
        let query = match name {
            Some(name) => sqlx::query(OF_ONE).bind(i64::from(limit)).bind(name),
            None => sqlx::query(RUNNING).bind(i64::from(limit)),
        };
        let rows = query.fetch_all(self.pool()).await.map_err(store_error)?;
        rows.iter().map(window).collect()
    }

    pub(super) async fn overrides(&self) -> Stored<Vec<BudgetOverride>> {
        let rows: Vec<(String, Option<i64>, String, Instant)> =
            sqlx::query_as(OVERRIDES).fetch_all(self.pool()).await.map_err(store_error)?;
        let read =
            |(name, most, set_by, Instant(set_at)): (String, Option<i64>, String, Instant)| {
                BudgetOverride { name, limit: most.map(NanoUsd), set_by, set_at }
            };
        Ok(rows.into_iter().map(read).collect())
    }

    pub(super) async fn change_budget(
        &self,
        name: &str,
        change: BudgetChange,
        by: &str,
    ) -> Stored<()> {
        let (is_set, most) = match change {
            BudgetChange::Limit(limit) => (true, Some(limit.0)),
            BudgetChange::Lift => (true, None),
            BudgetChange::Default => (false, None),
        };
        let set = sqlx::query(SET).bind(name).bind(is_set).bind(most).bind(plain(by));
        set.execute(self.pool()).await.map_err(store_error)?;
        Ok(())
    }
}

fn window(row: &PgRow) -> Stored<BudgetWindow> {
    let cost =
        |column| -> Stored<NanoUsd> { Ok(NanoUsd(row.try_get(column).map_err(store_error)?)) };
    Ok(BudgetWindow {
        name: row.try_get("name").map_err(store_error)?,
        key: row.try_get("key").map_err(store_error)?,
        reserved: cost("reserved")?,
        charged: cost("charged")?,
        ambiguous: cost("ambiguous")?,
        waiting: count(row.try_get("waiting").map_err(store_error)?),
        is_current: row.try_get("is_current").map_err(store_error)?,
    })
}
