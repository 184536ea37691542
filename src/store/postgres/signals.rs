//! What alerts judge beside figures.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::PostgresStore;
use super::codec::{Instant, count, duration, interval};
use super::pool::store_error;
use crate::domain::usage::NanoUsd;
use crate::store::{BudgetUse, Signals, Stored};

const SIGNALS: &str = "
    select now() as at,
        (
            select count(distinct h.item_id)
            from item_history h join queue_items q on q.id = h.item_id
            where h.what = 'failed' and h.at >= now() - $1::interval and q.status = 'failed'
        ) as failed,
        a.rows as ambiguous_rows, a.amount as ambiguous, a.unpriced as unpriced_rows,
        (extract(epoch from now() - greatest(
            (select max(l.created_at) from ledger l where l.state <> 'carried'),
            (select max(m.created_at) from metrics m)
        )) * 1000000)::bigint as accounted,
        (extract(epoch from now() - (
            select min(d.due_at) from queue_items d where d.status = 'pending'
        )) * 1000000)::bigint as oldest_due,
        (extract(epoch from now() - (
            select min(p.claimed_at) from queue_items p where p.status = 'processing'
        )) * 1000000)::bigint as oldest_processing
    from (
        select count(*) as rows, coalesce(sum(reserved), 0)::bigint as amount,
            count(*) filter (where why = 'unpriced') as unpriced
        from ledger where state = 'ambiguous'
    ) a";

const PAUSED: &str = "
    select key, (extract(epoch from paused_until - now()) * 1000000)::bigint
    from providers where paused_until > now() order by key";

const BUDGETS: &str = "
    select b.key, b.name, b.spent, b.most
    from (
        select s.key, s.name, s.charged + s.ambiguous as spent,
            case when o.name is null then s.most else o.most end as most
        from scopes s left join budget_limits o on o.name = s.name
        where s.name is not null and (s.starts_at is null or s.starts_at <= now())
            and (s.ends_at is null or s.ends_at > now())
            -- An event's budget has no end; a quiet event's is over for whoever watches.
            and (not starts_with(s.name, 'budget:event:') or exists (
                select from ledger l
                where l.event_id = substr(s.name, 14) and l.created_at > now() - interval '1 day'
            ))
    ) b
    where b.most > 0 and 2 * b.spent::numeric >= b.most
    order by b.spent::double precision / b.most desc, b.key limit 1000";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[SIGNALS, PAUSED, BUDGETS];

impl PostgresStore {
    pub(super) async fn signals_in(&self, length: Duration) -> Stored<Signals> {
        let query = sqlx::query(SIGNALS).bind(interval(length));
        let row = query.fetch_one(self.pool()).await.map_err(store_error)?;
        let paused: Vec<(String, i64)> =
            sqlx::query_as(PAUSED).fetch_all(self.pool()).await.map_err(store_error)?;
        let budgets: Vec<(String, String, i64, i64)> =
            sqlx::query_as(BUDGETS).fetch_all(self.pool()).await.map_err(store_error)?;
        let paused_providers = paused.into_iter().map(|(key, left)| (key, duration(left)));
        let budgets = budgets.into_iter().map(|(key, name, spent, limit)| BudgetUse {
            key,
            name,
            spent: NanoUsd(spent),
            limit: NanoUsd(limit),
        });
        Ok(Signals {
            paused_providers: paused_providers.collect(),
            budgets: budgets.collect(),
            ..signals(&row)?
        })
    }
}

fn signals(row: &PgRow) -> Stored<Signals> {
    let number = |column| -> Stored<u64> { Ok(count(row.try_get(column).map_err(store_error)?)) };
    let span = |column| -> Stored<Option<Duration>> {
        let micros: Option<i64> = row.try_get(column).map_err(store_error)?;
        Ok(micros.map(duration))
    };
    let Instant(at) = row.try_get("at").map_err(store_error)?;
    Ok(Signals {
        at,
        failed: number("failed")?,
        ambiguous_rows: number("ambiguous_rows")?,
        ambiguous: NanoUsd(row.try_get("ambiguous").map_err(store_error)?),
        unpriced_rows: number("unpriced_rows")?,
        accounted: span("accounted")?,
        oldest_due: span("oldest_due")?.unwrap_or_default(),
        oldest_processing: span("oldest_processing")?.unwrap_or_default(),
        paused_providers: Vec::new(),
        budgets: Vec::new(),
    })
}
