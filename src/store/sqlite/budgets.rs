//! Budgets as people see them: their windows, and what operators set.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use super::codec::Reader;
use super::{Done, SqliteStore};
use crate::domain::usage::NanoUsd;
use crate::store::{BudgetChange, BudgetOverride, BudgetWindow};

statements! {
    WINDOWS = "select key, name, reserved, charged, ambiguous,
            (select count(*) from lines l where l.scope = s.key) as waiting,
            coalesce(starts_at <= ?2, true) and coalesce(ends_at > ?2, true) as is_current
        from scopes s where name = ?1 order by starts_at desc limit ?3";
    RUNNING = "select key, name, reserved, charged, ambiguous,
            (select count(*) from lines l where l.scope = s.key) as waiting, true as is_current
        from scopes s
        where name is not null and coalesce(starts_at <= ?1, true) and coalesce(ends_at > ?1, true)
        order by name like 'budget:event:%',
            case when name like 'budget:event:%' then -charged - ambiguous end, name
        limit ?2";
    OVERRIDES = "select name, most, set_by, set_at from budget_limits order by name";
    SET = "insert into budget_limits (name, most, set_by, set_at) values (?1, ?2, ?3, ?4)
        on conflict (name) do update set most = ?2, set_by = ?3, set_at = ?4";
    UNSET = "delete from budget_limits where name = ?1";
    // Who waits in any of its windows is looked at, and asks anew.
    JUDGE_BY = "update scopes set most = ?2, opens_at = min(opens_at, ?3) where name = ?1";
}

impl SqliteStore {
    pub(super) async fn list_budgets(
        &self,
        name: Option<&str>,
        limit: u32,
    ) -> Done<Vec<BudgetWindow>> {
        let now = Timestamp::now().as_microsecond();
        let query = match name {
            Some(name) => sqlx::query(WINDOWS).bind(name).bind(now),
            None => sqlx::query(RUNNING).bind(now),
        };
        let rows = query.bind(limit).fetch_all(&self.readers).await?;
        rows.iter().map(window).collect()
    }

    pub(super) async fn list_overrides(&self) -> Done<Vec<BudgetOverride>> {
        let rows = sqlx::query(OVERRIDES).fetch_all(&self.readers).await?;
        rows.iter().map(set).collect()
    }

    pub(super) async fn change_budget(
        &self,
        name: &str,
        change: BudgetChange,
        by: &str,
    ) -> Done<()> {
        let (mut tx, now) = self.write().await?;
        let most = match change {
            BudgetChange::Limit(most) => Some(most.0),
            // What the settings say is known to whoever asks next.
            BudgetChange::Lift | BudgetChange::Default => None,
        };
        let query = match change {
            BudgetChange::Limit(_) | BudgetChange::Lift => {
                sqlx::query(SET).bind(name).bind(most).bind(by).bind(now)
            }
            BudgetChange::Default => sqlx::query(UNSET).bind(name),
        };
        query.execute(&mut *tx).await?;
        sqlx::query(JUDGE_BY).bind(name).bind(most).bind(now).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn window(row: &SqliteRow) -> Done<BudgetWindow> {
    let reader = Reader::new("scopes", row);
    Ok(BudgetWindow {
        name: reader.get("name")?,
        key: reader.get("key")?,
        reserved: reader.cost("reserved")?,
        charged: reader.cost("charged")?,
        ambiguous: reader.cost("ambiguous")?,
        waiting: reader.count("waiting")?,
        is_current: reader.get("is_current")?,
    })
}

fn set(row: &SqliteRow) -> Done<BudgetOverride> {
    let reader = Reader::new("budget_limits", row);
    Ok(BudgetOverride {
        name: reader.get("name")?,
        limit: reader.get::<Option<i64>>("most")?.map(NanoUsd),
        set_by: reader.get("set_by")?,
        set_at: reader.instant("set_at")?,
    })
}
