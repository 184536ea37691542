//! Admission: one request asks all its scopes in one statement.
//!
//! The judgement stands in `migrations/postgres`; here a request becomes its
//! parameters, and its verdict an [`Admission`].

use std::time::Duration;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Postgres, Row};
use uuid::Uuid;

use super::PostgresStore;
use super::codec::{Instant, bigint, duration, interval};
use super::pool::store_error;
use crate::domain::ids::Held;
use crate::domain::usage::NanoUsd;
use crate::settings::BudgetKind;
use crate::store::{Admission, AdmissionRequest, BudgetScope, ProviderNeeds, RateScope, Stored};

const ADMIT: &str = "
    select verdict, scope, after_us, room
    from admit_call(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
        $21, $22, $23, $24, $25, $26, $27, $28, $29
    )";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[ADMIT];

type Asking<'q> = Query<'q, Postgres, PgArguments>;

impl PostgresStore {
    pub(super) async fn admit_call(
        &self,
        held: &Held,
        request: &AdmissionRequest,
    ) -> Stored<Admission> {
        let ledger = Uuid::new_v4();
        let query = with_call(sqlx::query(ADMIT), ledger, held, request);
        let query = with_rates(query, &request.rates);
        let query = with_budgets(query, &request.budgets);
        let provider = request.provider.as_ref();
        let row = query
            .bind(provider.map(provider_keys))
            .bind(provider.map(|needs| bigint(needs.input)))
            .bind(provider.map(|needs| bigint(needs.output)))
            .fetch_one(self.pool())
            .await
            .map_err(store_error)?;
        admission(ledger, &row)
    }
}

fn with_call<'q>(
    query: Asking<'q>,
    ledger: Uuid,
    held: &'q Held,
    request: &'q AdmissionRequest,
) -> Asking<'q> {
    query
        .bind(ledger)
        .bind(held.item.as_str())
        .bind(held.lease.0)
        .bind(request.event.as_str())
        .bind(&request.tenant)
        .bind(request.revision)
        .bind(Instant(request.sent_at))
        .bind(request.agent)
        .bind(&request.model)
        .bind(&request.fingerprint)
        .bind(request.worst_case.0)
        .bind(request.expected.0)
        .bind(request.queues)
}

fn with_rates<'q>(query: Asking<'q>, rates: &'q [RateScope]) -> Asking<'q> {
    let spans = rates.iter().map(|rate| interval(rate.window + rate.send_within));
    query
        .bind(rates.iter().map(|rate| rate.key.as_str()).collect::<Vec<_>>())
        .bind(rates.iter().map(|rate| i64::from(rate.limit)).collect::<Vec<_>>())
        .bind(spans.collect::<Vec<_>>())
        .bind(rates.iter().map(|rate| rate.send_within).min().map(interval))
}

fn with_budgets<'q>(query: Asking<'q>, budgets: &'q [BudgetScope]) -> Asking<'q> {
    let windows = Windows::of(budgets);
    query
        .bind(i32::try_from(budgets.len()).unwrap_or(i32::MAX))
        .bind(windows.places)
        .bind(windows.names)
        .bind(windows.limits)
        .bind(windows.shares)
        .bind(windows.waits)
        .bind(windows.keys)
        .bind(windows.starts)
        .bind(windows.ends)
}

/// The windows of all budgets, in columns.
#[derive(Default)]
struct Windows<'a> {
    places: Vec<i32>,
    names: Vec<&'a str>,
    limits: Vec<Option<i64>>,
    shares: Vec<Option<f64>>,
    waits: Vec<bool>,
    keys: Vec<&'a str>,
    starts: Vec<Option<Instant>>,
    ends: Vec<Option<Instant>>,
}

impl<'a> Windows<'a> {
    fn of(budgets: &'a [BudgetScope]) -> Self {
        let mut columns = Self::default();
        for (place, budget) in (0..).zip(budgets) {
            let share = match budget.kind {
                BudgetKind::Hard => Some(budget.in_flight_share),
                BudgetKind::Soft => None,
            };
            for window in &budget.windows {
                columns.places.push(place);
                columns.names.push(&budget.name);
                columns.limits.push(budget.limit.map(|limit| limit.0));
                columns.shares.push(share);
                columns.waits.push(budget.waits);
                columns.keys.push(&window.key);
                columns.starts.push(window.starts_at.map(Instant));
                columns.ends.push(window.ends_at.map(Instant));
            }
        }
        columns
    }
}

/// The rows that a provider's word stands in: its account's, then its model's.
fn provider_keys(needs: &ProviderNeeds) -> [String; 2] {
    [needs.account.clone(), model_key(&needs.account, &needs.model)]
}

/// The row of a model's own limits.
pub(super) fn model_key(account: &str, model: &str) -> String {
    format!("{account}/{model}")
}

fn admission(ledger: Uuid, row: &PgRow) -> Stored<Admission> {
    let verdict: String = row.try_get("verdict").map_err(store_error)?;
    let scope: Option<String> = row.try_get("scope").map_err(store_error)?;
    let scope = scope.unwrap_or_default();
    let after: Option<i64> = row.try_get("after_us").map_err(store_error)?;
    let after = after.map_or(Duration::ZERO, duration);
    let room: Option<i64> = row.try_get("room").map_err(store_error)?;
    Ok(match verdict.as_str() {
        "admitted" => Admission::Admitted { ledger },
        "provider_paused" => Admission::ProviderPaused { after },
        "rate_limited" => Admission::RateLimited { scope, after },
        "budget_busy" => Admission::BudgetBusy { scope, after },
        "budget_spent" => Admission::BudgetSpent { scope, after },
        "over_budget" => {
            Admission::OverBudget { budget: scope, room: NanoUsd(room.unwrap_or_default()) }
        }
        _ => Admission::Lost,
    })
}
