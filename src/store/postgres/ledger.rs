//! The ledger: how its rows change, and what they tell.

use sqlx::types::Json;
use uuid::Uuid;

use super::PostgresStore;
use super::codec::{bigint, json};
use super::pool::store_error;
use crate::domain::usage::NanoUsd;
use crate::store::{Charge, LedgerFault, Stored};

const CHARGE: &str = "select charge_ledger_row($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const REFUND: &str = "select refund_ledger_row($1, $2)";
const MARK_AMBIGUOUS: &str = "select leave_ledger_row_ambiguous($1)";

const IMBALANCE: &str = "
    with parts as (
        select scope,
            sum(reserved) filter (where state = 'reserved') as reserved,
            sum(charged) as charged,
            sum(reserved) filter (where state = 'ambiguous') as ambiguous
        from ledger, unnest(scopes) scope
        group by scope
    )
    select coalesce(s.key, p.scope) as scope,
        (coalesce(s.reserved, 0) + coalesce(s.charged, 0) + coalesce(s.ambiguous, 0))::bigint
            as counted,
        (coalesce(p.reserved, 0) + coalesce(p.charged, 0) + coalesce(p.ambiguous, 0))::bigint
            as summed
    from scopes s full join parts p on p.scope = s.key
    where coalesce(s.reserved, 0) <> coalesce(p.reserved, 0)
        or coalesce(s.charged, 0) <> coalesce(p.charged, 0)
        or coalesce(s.ambiguous, 0) <> coalesce(p.ambiguous, 0)
    order by 1 limit 1";
const LEDGER_TOTAL: &str = "
    select coalesce(sum(
        charged + case when state in ('reserved', 'ambiguous') then reserved else 0 end
    ), 0)::bigint
    from ledger";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[CHARGE, REFUND, MARK_AMBIGUOUS, IMBALANCE, LEDGER_TOTAL];

impl PostgresStore {
    pub(super) async fn charge_call(&self, ledger: Uuid, charge: &Charge) -> Stored<()> {
        let usage = &charge.usage;
        let answer: Option<Json<serde_json::Value>> = charge.answer.as_ref().map(json);
        sqlx::query(CHARGE)
            .bind(ledger)
            .bind(charge.cost.map(|cost| cost.0))
            .bind(bigint(usage.input))
            .bind(bigint(usage.output))
            .bind(bigint(usage.cache_read))
            .bind(bigint(usage.cache_write_5m))
            .bind(bigint(usage.cache_write_1h))
            .bind(&charge.model)
            .bind(answer)
            .execute(self.pool())
            .await
            .map_err(store_error)?;
        Ok(())
    }

    pub(super) async fn refund_call(&self, ledger: Uuid, place: bool) -> Stored<()> {
        let refund = sqlx::query(REFUND).bind(ledger).bind(place);
        refund.execute(self.pool()).await.map_err(store_error)?;
        Ok(())
    }

    pub(super) async fn leave_call_ambiguous(&self, ledger: Uuid) -> Stored<()> {
        let mark = sqlx::query(MARK_AMBIGUOUS).bind(ledger);
        mark.execute(self.pool()).await.map_err(store_error)?;
        Ok(())
    }

    pub(super) async fn balance(&self) -> Stored<Result<NanoUsd, LedgerFault>> {
        let fault: Option<(String, i64, i64)> =
            sqlx::query_as(IMBALANCE).fetch_optional(self.pool()).await.map_err(store_error)?;
        if let Some((scope, counted, summed)) = fault {
            let fault = LedgerFault {
                scope,
                counted: NanoUsd(counted),
                summed: NanoUsd(summed),
                rows: Vec::new(),
            };
            return Ok(Err(fault));
        }
        let total: i64 =
            sqlx::query_scalar(LEDGER_TOTAL).fetch_one(self.pool()).await.map_err(store_error)?;
        Ok(Ok(NanoUsd(total)))
    }
}
