//! What alerts judge beside figures.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::codec::Reader;
use super::{Done, Micros, SqliteStore, between, micros, report};
use crate::domain::usage::NanoUsd;
use crate::store::{BudgetUse, Signals};

statements! {
    // What failed and was opened again since is no failure. The plus keeps the planner from reading
    // all failed items that there are.
    FAILED = "select count(distinct h.item_id)
        from item_history h join queue_items q on q.id = h.item_id
        where h.what = 'failed' and h.at >= ?1 and +q.status = 'failed'";
    IN_DOUBT = "select count(*) as ambiguous_rows, coalesce(sum(reserved), 0) as ambiguous,
            count(*) filter (where why = 'unpriced') as unpriced_rows
        from ledger where state = 'ambiguous'";
    LAST_REQUEST = "select created_at from ledger where state <> 'carried'
        order by created_at desc, id desc limit 1";
    LAST_METRIC = "select max(created_at) from metrics";
    PAUSED = "select key, paused_until from providers where paused_until > ?1 order by key";
    // An operator's limit stands before the settings'; one that is lifted has none.
    HALF_SPENT = "select key, name, spent, most from (
            select s.key, s.name, s.charged + s.ambiguous as spent,
                case when b.name is null then s.most else b.most end as most
            from scopes s left join budget_limits b on b.name = s.name
            where s.name is not null and coalesce(s.starts_at <= ?1, true)
                and coalesce(s.ends_at > ?1, true)
                -- An event's budget has no end; a quiet event's is over for whoever watches.
                and (s.name not like 'budget:event:%' or exists (
                    select 1 from ledger l
                    where l.event_id = substr(s.name, 14) and l.created_at > ?1 - 86400000000
                ))
        )
        where most > 0 and 2 * spent >= most
        order by cast(spent as real) / most desc, key limit 1000";
}

impl SqliteStore {
    pub(super) async fn read_signals(&self, length: Duration) -> Done<Signals> {
        let mut tx = self.readers.begin().await?;
        let at = Timestamp::now();
        let now = at.as_microsecond();
        let since = now.saturating_sub(micros(length));
        let failed: i64 = sqlx::query_scalar(FAILED).bind(since).fetch_one(&mut *tx).await?;
        let row = sqlx::query(IN_DOUBT).fetch_one(&mut *tx).await?;
        let in_doubt = Reader::new("ledger", &row);
        let paused = sqlx::query(PAUSED).bind(now).fetch_all(&mut *tx).await?;
        let budgets = sqlx::query(HALF_SPENT).bind(now).fetch_all(&mut *tx).await?;
        Ok(Signals {
            at,
            failed: failed.unsigned_abs(),
            ambiguous_rows: in_doubt.count("ambiguous_rows")?,
            ambiguous: in_doubt.cost("ambiguous")?,
            unpriced_rows: in_doubt.count("unpriced_rows")?,
            accounted: accounted(&mut tx).await?.map(|last| between(last, now)),
            oldest_due: report::oldest_due(&mut tx).await?,
            oldest_processing: report::oldest_claim(&mut tx).await?,
            paused_providers: paused.iter().map(|row| pause(row, now)).collect::<Done<_>>()?,
            budgets: budgets.iter().map(budget).collect::<Done<_>>()?,
        })
    }
}

/// When the last metric or ledger row was written.
async fn accounted(connection: &mut SqliteConnection) -> Done<Option<Micros>> {
    let request: Option<Micros> =
        sqlx::query_scalar(LAST_REQUEST).fetch_optional(&mut *connection).await?;
    let metric: Option<Micros> = sqlx::query_scalar(LAST_METRIC).fetch_one(connection).await?;
    Ok(request.max(metric))
}

fn pause(row: &SqliteRow, now: Micros) -> Done<(String, Duration)> {
    let reader = Reader::new("providers", row);
    Ok((reader.get("key")?, between(now, reader.get("paused_until")?)))
}

fn budget(row: &SqliteRow) -> Done<BudgetUse> {
    let reader = Reader::new("scopes", row);
    Ok(BudgetUse {
        key: reader.get("key")?,
        name: reader.get("name")?,
        spent: reader.cost("spent")?,
        limit: NanoUsd(reader.get("most")?),
    })
}
