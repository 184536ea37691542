//! Admission and the ledger.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::PostgresStore;
use super::codec::{bigint, duration, interval, json};
use super::pool::store_error;
use crate::domain::ids::Held;
use crate::domain::usage::NanoUsd;
use crate::store::{Admission, AdmissionRequest, Charge, LedgerFault, Stored};

const ADMIT: &str = "
    select verdict, scope, after_us
    from admit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
const CHARGE: &str = "select charge_ledger_row($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const REFUND: &str = "select refund_ledger_row($1, $2)";
const MARK_AMBIGUOUS: &str = "select leave_ledger_row_ambiguous($1)";

// One statement, and so one snapshot: counters and rows are of the same moment.
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
pub(super) const STATEMENTS: &[&str] =
    &[ADMIT, CHARGE, REFUND, MARK_AMBIGUOUS, IMBALANCE, LEDGER_TOTAL];

impl PostgresStore {
    pub(super) async fn admit_call(
        &self,
        held: &Held,
        request: &AdmissionRequest,
    ) -> Stored<Admission> {
        let ledger = Uuid::new_v4();
        let rates = &request.rates;
        let budgets = &request.budgets;
        let row = sqlx::query(ADMIT)
            .bind(ledger)
            .bind(held.item.as_str())
            .bind(held.lease.0)
            .bind(request.event.as_str())
            .bind(&request.tenant)
            .bind(request.revision)
            .bind(request.agent)
            .bind(&request.model)
            .bind(&request.fingerprint)
            .bind(request.worst_case.0)
            .bind(rates.iter().map(|rate| rate.key.clone()).collect::<Vec<_>>())
            .bind(rates.iter().map(|rate| limit(rate.limit)).collect::<Vec<_>>())
            .bind(
                rates
                    .iter()
                    .map(|rate| interval(rate.window + rate.send_within))
                    .collect::<Vec<_>>(),
            )
            .bind(budgets.iter().map(|budget| budget.key_now()).collect::<Vec<_>>())
            .bind(
                budgets
                    .iter()
                    .map(|budget| budget.limit.map_or(i64::MAX / 2, |l| l.0))
                    .collect::<Vec<_>>(),
            )
            .fetch_one(self.pool())
            .await
            .map_err(store_error)?;
        admission(ledger, &row)
    }

    pub(super) async fn charge_call(&self, ledger: Uuid, charge: &Charge) -> Stored<()> {
        let usage = &charge.usage;
        let answer: Option<Json<serde_json::Value>> = charge.answer.as_ref().map(json);
        sqlx::query(CHARGE)
            .bind(ledger)
            .bind(charge.cost.unwrap_or(NanoUsd::ZERO).0)
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

fn admission(ledger: Uuid, row: &PgRow) -> Stored<Admission> {
    let verdict: String = row.try_get("verdict").map_err(store_error)?;
    let scope: Option<String> = row.try_get("scope").map_err(store_error)?;
    let scope = scope.unwrap_or_default();
    let after: Option<i64> = row.try_get("after_us").map_err(store_error)?;
    let after = after.map_or(Duration::ZERO, duration);
    Ok(match verdict.as_str() {
        "admitted" => Admission::Admitted { ledger },
        "rate_limited" => Admission::RateLimited { scope, after },
        "over_budget" => Admission::OverBudget { budget: scope, room: NanoUsd::ZERO },
        _ => Admission::Lost,
    })
}

fn limit(limit: u32) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX)
}
