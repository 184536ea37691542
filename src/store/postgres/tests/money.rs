//! Limits and the ledger under concurrency and through crashes.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::super::PostgresStore;
use super::super::testing::{Database, LEASE, NOW, claim, ingest, item, request};
use crate::domain::ids::Held;
use crate::domain::usage::{NanoUsd, Usage};
use crate::settings::DatabaseSettings;
use crate::store::{Admission, AdmissionRequest, Charge, Store};

fn bill(cost: i64) -> Charge {
    Charge {
        usage: Usage { input: 5, output: 7, ..Usage::default() },
        cost: Some(NanoUsd(cost)),
        model: "a-model-2026".into(),
        answer: Some(json!({"title": "with a \0 in it"})),
    }
}

async fn admitted(store: &PostgresStore, held: &Held) -> Uuid {
    let admission = store.admit(held, &request(20, 1_000)).await.unwrap();
    let Admission::Admitted { ledger } = admission else { panic!("{admission:?}") };
    ledger
}

/// A request whose places are held for longer than any test takes.
fn patient_request(rate: u32) -> AdmissionRequest {
    let mut request = request(rate, 1_000_000);
    request.rates[0].window = 60 * LEASE;
    request
}

async fn counters(store: &PostgresStore) -> (i64, i64, i64, i32) {
    sqlx::query_as(
        "select sum(reserved)::bigint, sum(charged)::bigint, sum(ambiguous)::bigint,
            sum(cardinality(instants))::integer from scopes",
    )
    .fetch_one(&store.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn thirty_two_at_once_never_pass_a_rate_limit() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..32).await;
    let mut held = Vec::new();
    for n in 0..32 {
        held.push(claim(&store, &item(n), LEASE).await.held);
    }
    let request = request(20, 1_000_000);
    let asked = held.iter().map(|held| store.admit(held, &request));
    let answers = futures::future::join_all(asked).await;
    let mut admitted = 0;
    for answer in answers {
        match answer.unwrap() {
            Admission::Admitted { .. } => admitted += 1,
            Admission::RateLimited { scope, after } => {
                assert_eq!(scope, "rate:event:wedding");
                assert!(after > Duration::from_secs(55) && after <= Duration::from_secs(62));
            }
            other @ (Admission::ProviderPaused { .. }
            | Admission::BudgetBusy { .. }
            | Admission::BudgetSpent { .. }
            | Admission::OverBudget { .. }
            | Admission::Lost) => panic!("{other:?}"),
        }
    }
    assert_eq!(admitted, 20);
    assert_eq!(counters(&store).await, (200, 0, 0, 20));
    assert_eq!(store.ledger_balances().await.unwrap(), Ok(NanoUsd(200)));
    database.drop(store).await;
}

#[tokio::test]
async fn thirty_two_at_once_never_pass_a_budget_and_take_no_place() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..32).await;
    let mut held = Vec::new();
    for n in 0..32 {
        held.push(claim(&store, &item(n), LEASE).await.held);
    }
    let request = request(100, 55);
    let asked = held.iter().map(|held| store.admit(held, &request));
    let answers = futures::future::join_all(asked).await;
    let passed = answers
        .into_iter()
        .filter(|answer| matches!(answer.as_ref().unwrap(), Admission::Admitted { .. }))
        .count();
    assert_eq!(passed, 5);
    assert_eq!(counters(&store).await, (50, 0, 0, 5));
    database.drop(store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_admissions_32_at_once_on_one_scope_are_never_one_too_many() {
    let database = Database::create().await;
    let settings = DatabaseSettings { connections: 32, ..database.settings() };
    let store = PostgresStore::connect(&settings).await.unwrap();
    store.migrate().await.unwrap();
    ingest(&store, 0..32).await;
    let mut asking = JoinSet::new();
    for n in 0..32 {
        let held = claim(&store, &item(n), 10 * LEASE).await.held;
        let (store, request) = (store.clone(), patient_request(5_000));
        asking.spawn(async move {
            let mut admitted = 0;
            for _ in 0..10_000 / 32 + 1 {
                let answer = store.admit(&held, &request).await.unwrap();
                admitted += u32::from(matches!(answer, Admission::Admitted { .. }));
            }
            admitted
        });
    }
    let admitted: u32 = asking.join_all().await.into_iter().sum();
    assert_eq!(admitted, 5_000);
    assert_eq!(counters(&store).await, (50_000, 0, 0, 5_000));
    assert_eq!(store.ledger_balances().await.unwrap(), Ok(NanoUsd(50_000)));
    database.drop(store).await;
}

#[tokio::test]
async fn a_call_is_charged_once_and_its_answer_kept_for_the_next_claim() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 1..2).await;
    let first = claim(&store, &item(1), NOW).await;
    let ledger = admitted(&store, &first.held).await;
    for _ in 0..2 {
        store.charge(ledger, &bill(4)).await.unwrap();
    }
    store.refund(ledger, true).await.unwrap();
    assert_eq!(counters(&store).await, (0, 4, 0, 1));
    let next = claim(&store, &item(1), LEASE).await;
    assert_eq!((next.spent.calls, next.spent.cost, next.spent.usage.output), (1, NanoUsd(4), 7));
    assert_eq!(next.kept.len(), 1);
    assert_eq!(next.kept[0].model, "a-model-2026");
    assert_eq!(next.kept[0].answer, json!({"title": "with a \u{fffd} in it"}));
    assert_eq!(store.ledger_balances().await.unwrap(), Ok(NanoUsd(4)));
    database.drop(store).await;
}

#[tokio::test]
async fn a_refund_gives_the_money_back_and_the_place_only_when_told_to() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 1..2).await;
    let held = claim(&store, &item(1), LEASE).await.held;
    let (one, other) = (admitted(&store, &held).await, admitted(&store, &held).await);
    store.refund(one, false).await.unwrap();
    assert_eq!(counters(&store).await, (10, 0, 0, 2));
    store.refund(other, true).await.unwrap();
    assert_eq!(counters(&store).await, (0, 0, 0, 1));
    database.drop(store).await;
}

#[tokio::test]
async fn what_a_dead_worker_reserved_is_ambiguous_until_its_bill_comes() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 1..2).await;
    let dead = claim(&store, &item(1), NOW).await.held;
    let (one, other) = (admitted(&store, &dead).await, admitted(&store, &dead).await);
    let next = claim(&store, &item(1), LEASE).await;
    assert_eq!(next.spent.calls, 2);
    assert_eq!(counters(&store).await, (0, 0, 20, 2));
    assert_eq!(store.admit(&dead, &request(20, 1_000)).await.unwrap(), Admission::Lost);
    store.charge(one, &bill(3)).await.unwrap();
    store.mark_ambiguous(other).await.unwrap();
    assert_eq!(counters(&store).await, (0, 3, 10, 2));
    assert_eq!(store.ledger_balances().await.unwrap(), Ok(NanoUsd(13)));
    database.drop(store).await;
}

#[tokio::test]
async fn a_counter_that_differs_from_its_rows_is_named() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 1..2).await;
    let held = claim(&store, &item(1), LEASE).await.held;
    admitted(&store, &held).await;
    let break_it = "update scopes set charged = 1 where key = 'budget:event:wedding'";
    sqlx::query(break_it).execute(&store.pool).await.unwrap();
    let fault = store.ledger_balances().await.unwrap().unwrap_err();
    assert_eq!(fault.scope, "budget:event:wedding");
    assert_eq!((fault.counted, fault.summed), (NanoUsd(1), NanoUsd::ZERO));
    database.drop(store).await;
}
