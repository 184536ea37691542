//! Admission: all scopes are judged in one write transaction; all pass or nothing changes.
//!
//! A scope is one row that holds all that decides, so nothing is counted from
//! other rows, and the write lock makes the judgement and the change one.

use std::time::Duration;

use uuid::Uuid;

use super::{Done, Micros, SqliteStore, Write, between, codec, ledger, micros};
use crate::domain::ids::Held;
use crate::store::{Admission, AdmissionRequest, BudgetScope, RateScope};

statements! {
    FENCE = "select 1 from queue_items where id = ?1 and lease = ?2 and status = 'processing'";
    ADMISSIONS = "select key, instants from scopes where key = ?1";
    COMMITTED = "select reserved + charged + ambiguous as committed from scopes where key = ?1";
    TAKE_PLACE = "insert into scopes (key, instants) values (?1, ?2)
        on conflict (key) do update set instants = ?2";
    RESERVE = "insert into scopes (key, reserved) values (?1, ?2)
        on conflict (key) do update set reserved = reserved + ?2";
}

/// What a rate scope says.
enum Place {
    /// There is one; these are the admissions with it.
    Taken(Vec<Micros>),
    /// There is none for so long.
    After(Duration),
}

impl SqliteStore {
    pub(super) async fn admit_request(
        &self,
        held: &Held,
        request: &AdmissionRequest,
    ) -> Done<Admission> {
        let (mut tx, now) = self.write().await?;
        let fence = sqlx::query(FENCE).bind(held.item.as_str()).bind(held.lease.0);
        if fence.fetch_optional(&mut *tx).await?.is_none() {
            return Ok(Admission::Lost);
        }
        // Budgets first: no pause makes room in one, so a place in a rate's line would be for nothing.
        for budget in &request.budgets {
            if !has_room(&mut tx, budget, request.worst_case.0).await? {
                return Ok(Admission::OverBudget {
                    budget: budget.name.clone(),
                    room: crate::domain::usage::NanoUsd::ZERO,
                });
            }
        }
        let places = match find_places(&mut tx, &request.rates, now).await? {
            Ok(places) => places,
            Err(refused) => return Ok(refused),
        };
        for (rate, admissions) in request.rates.iter().zip(places) {
            take_place(&mut tx, &rate.key, &admissions).await?;
        }
        for budget in &request.budgets {
            reserve(&mut tx, budget, request.worst_case.0).await?;
        }
        let ledger = Uuid::new_v4();
        ledger::reserve(&mut tx, ledger, held, request, now).await?;
        tx.commit().await?;
        Ok(Admission::Admitted { ledger })
    }
}

async fn has_room(tx: &mut Write, budget: &BudgetScope, worst_case: i64) -> Done<bool> {
    let committed: Option<i64> =
        sqlx::query_scalar(COMMITTED).bind(budget.key_now()).fetch_optional(&mut **tx).await?;
    Ok(committed.unwrap_or(0).saturating_add(worst_case)
        <= budget.limit.map_or(i64::MAX / 2, |l| l.0))
}

/// A place in every rate scope, or the refusal that lasts longest: only after that can all pass.
async fn find_places(
    tx: &mut Write,
    rates: &[RateScope],
    now: Micros,
) -> Done<Result<Vec<Vec<Micros>>, Admission>> {
    let mut places = Vec::with_capacity(rates.len());
    let mut refused: Option<(&RateScope, Duration)> = None;
    for rate in rates {
        let row = sqlx::query(ADMISSIONS).bind(&rate.key).fetch_optional(&mut **tx).await?;
        let admissions = match &row {
            Some(row) => codec::Reader::new("scopes", row).json("instants")?,
            None => Vec::new(),
        };
        match find_place(rate, admissions, now) {
            Place::Taken(admissions) => places.push(admissions),
            Place::After(after) => {
                if refused.is_none_or(|(_, longest)| after > longest) {
                    refused = Some((rate, after));
                }
            }
        }
    }
    Ok(match refused {
        Some((rate, after)) => Err(Admission::RateLimited { scope: rate.key.clone(), after }),
        None => Ok(places),
    })
}

/// A place frees a window after the latest instant at which its permit may have been sent.
fn find_place(rate: &RateScope, mut admissions: Vec<Micros>, now: Micros) -> Place {
    let hold = micros(rate.window).saturating_add(micros(rate.send_within));
    admissions.retain(|at| at.saturating_add(hold) > now);
    admissions.sort_unstable();
    let limit = rate.limit as usize;
    if admissions.len() < limit {
        admissions.push(now);
        return Place::Taken(admissions);
    }
    let first_to_free = admissions.get(admissions.len() - limit).copied().unwrap_or(now);
    Place::After(between(now, first_to_free.saturating_add(hold)))
}

async fn take_place(tx: &mut Write, key: &str, admissions: &[Micros]) -> Done<()> {
    sqlx::query(TAKE_PLACE).bind(key).bind(codec::json(&admissions)?).execute(&mut **tx).await?;
    Ok(())
}

async fn reserve(tx: &mut Write, budget: &BudgetScope, worst_case: i64) -> Done<()> {
    sqlx::query(RESERVE).bind(budget.key_now()).bind(worst_case).execute(&mut **tx).await?;
    Ok(())
}

/// Gives a place back that was taken at that instant.
pub(super) async fn return_place(tx: &mut Write, key: &str, taken_at: Micros) -> Done<()> {
    let Some(row) = sqlx::query(ADMISSIONS).bind(key).fetch_optional(&mut **tx).await? else {
        return Ok(());
    };
    let mut admissions: Vec<Micros> = codec::Reader::new("scopes", &row).json("instants")?;
    if let Some(place) = admissions.iter().position(|at| *at == taken_at) {
        admissions.remove(place);
    }
    take_place(tx, key, &admissions).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_frees_a_window_after_its_permit_may_have_been_sent() {
        let rate = RateScope {
            key: "rate:event:e".into(),
            limit: 2,
            window: Duration::from_micros(100),
            send_within: Duration::from_micros(10),
        };
        let refused = find_place(&rate, vec![1_000, 1_050], 1_109);
        assert!(matches!(refused, Place::After(after) if after == Duration::from_micros(1)));
        let taken = find_place(&rate, vec![1_000, 1_050], 1_110);
        assert!(matches!(taken, Place::Taken(admissions) if admissions == [1_050, 1_110]));
    }
}
