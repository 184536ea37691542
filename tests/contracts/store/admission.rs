//! Admission: a limit is a limit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gleaner::domain::usage::NanoUsd;
use gleaner::store::{Admission, AdmissionRequest, Store as _};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::harness::{Harness, LONG, earlier, holder};
use super::samples::{budget, charge, chat, item, rate, request};

promises! {
    a_rate_limit_is_never_exceeded_by_many_at_once,
    a_refusal_tells_after_what_time_its_place_frees,
    a_place_frees_after_its_window_and_the_time_to_send,
    a_budget_is_never_exceeded_by_many_at_once,
    a_budget_may_be_used_to_its_last_nano_dollar,
    a_charge_below_the_worst_case_makes_room,
    what_one_scope_refuses_changes_no_other,
    of_two_refusing_rates_the_longer_wait_is_told,
    scopes_of_different_keys_do_not_share,
    an_admission_needs_the_lease,
    a_request_without_scopes_is_admitted,
}

fn limited(rates: &[(&str, u32)], window: Duration) -> AdmissionRequest {
    let rates = rates.iter().map(|(key, limit)| rate(key, *limit, window)).collect();
    AdmissionRequest { rates, ..request(10) }
}

fn budgeted(worst_case: i64, budgets: &[(&str, i64)]) -> AdmissionRequest {
    let budgets = budgets.iter().map(|(key, limit)| budget(key, *limit)).collect();
    AdmissionRequest { budgets, ..request(worst_case) }
}

fn ledger(admission: Admission) -> Uuid {
    let Admission::Admitted { ledger } = admission else {
        panic!("not admitted but {admission:?}")
    };
    ledger
}

/// Which rate refused, and until when.
fn limited_by(admission: Admission) -> (String, Duration) {
    let Admission::RateLimited { scope, after } = admission else {
        panic!("not refused but {admission:?}")
    };
    (scope, after)
}

/// 32 items that ask the same at once.
async fn ask_at_once<H: Harness>(h: &H, request: &AdmissionRequest) -> Vec<Admission> {
    h.ingest(&chat(32)).await;
    let mut asking = JoinSet::new();
    for n in 1..=32 {
        let held = h.claim(&item(&format!("m{n}"))).await.held;
        let (store, request) = (Arc::clone(h.store()), request.clone());
        asking.spawn(async move { store.admit(&held, &request).await.unwrap() });
    }
    asking.join_all().await
}

fn admitted(answers: &[Admission]) -> usize {
    answers.iter().filter(|one| matches!(one, Admission::Admitted { .. })).count()
}

async fn a_rate_limit_is_never_exceeded_by_many_at_once(h: &impl Harness) {
    let request = limited(&[("rate:event:e", 7), ("rate:sender:s", 20)], LONG);
    let answers = ask_at_once(h, &request).await;
    assert_eq!(admitted(&answers), 7);
    h.assert_balanced().await;
}

async fn a_refusal_tells_after_what_time_its_place_frees(h: &impl Harness) {
    let held = holder(h).await;
    let request = limited(&[("rate:event:e", 1)], LONG);
    ledger(h.store().admit(&held, &request).await.unwrap());
    let (scope, after) = limited_by(h.store().admit(&held, &request).await.unwrap());
    assert_eq!(scope, "rate:event:e");
    let longest = LONG + Duration::from_millis(20);
    assert!(after <= longest && after > LONG - Duration::from_secs(60), "{after:?}");
}

async fn a_place_frees_after_its_window_and_the_time_to_send(h: &impl Harness) {
    let held = holder(h).await;
    let request = limited(&[("rate:event:e", 1)], Duration::from_millis(150));
    let before = Instant::now();
    ledger(h.store().admit(&held, &request).await.unwrap());
    loop {
        let again = h.store().admit(&held, &request).await.unwrap();
        if matches!(again, Admission::Admitted { .. }) {
            break;
        }
        let (_, after) = limited_by(again);
        assert!(after <= Duration::from_millis(170), "{after:?}");
        assert!(before.elapsed() < Duration::from_secs(20), "the place never freed");
    }
    assert!(before.elapsed() >= Duration::from_millis(169), "{:?}", before.elapsed());
}

async fn a_budget_is_never_exceeded_by_many_at_once(h: &impl Harness) {
    let answers = ask_at_once(h, &budgeted(30, &[("budget:event:e", 100)])).await;
    assert_eq!(admitted(&answers), 3);
    let busy = |one: &&Admission| matches!(one, Admission::BudgetBusy { .. });
    assert_eq!(answers.iter().filter(busy).count(), 29, "what is in flight may come back");
    h.assert_balanced().await;
}

async fn a_budget_may_be_used_to_its_last_nano_dollar(h: &impl Harness) {
    let held = holder(h).await;
    let mut rows = Vec::new();
    for _ in 0..2 {
        let half = budgeted(50, &[("budget:all", 100)]);
        rows.push(ledger(h.store().admit(&held, &half).await.unwrap()));
    }
    let more = budgeted(1, &[("budget:all", 100)]);
    let told = h.store().admit(&held, &more).await.unwrap();
    assert!(
        matches!(told, Admission::BudgetBusy { .. }),
        "what is in flight may come back: {told:?}"
    );
    for row in rows {
        h.store().charge(row, &charge(50)).await.unwrap();
    }
    let budget = "budget:all".to_owned();
    let over = Admission::OverBudget { budget, room: NanoUsd::ZERO };
    assert_eq!(h.store().admit(&held, &more).await.unwrap(), over);
}

async fn a_charge_below_the_worst_case_makes_room(h: &impl Harness) {
    let held = holder(h).await;
    let request = budgeted(100, &[("budget:all", 100)]);
    let row = ledger(h.store().admit(&held, &request).await.unwrap());
    let full = h.store().admit(&held, &request).await.unwrap();
    assert!(matches!(full, Admission::BudgetBusy { .. }), "{full:?}");
    h.store().charge(row, &charge(40)).await.unwrap();
    let full = h.store().admit(&held, &request).await.unwrap();
    let budget = "budget:all".to_owned();
    assert_eq!(full, Admission::OverBudget { budget, room: NanoUsd(60) });
    ledger(h.store().admit(&held, &budgeted(60, &[("budget:all", 100)])).await.unwrap());
    h.assert_balanced().await;
}

async fn what_one_scope_refuses_changes_no_other(h: &impl Harness) {
    let held = holder(h).await;
    ledger(h.store().admit(&held, &limited(&[("rate:full", 1)], LONG)).await.unwrap());
    let mut request = limited(&[("rate:free", 1), ("rate:full", 1)], LONG);
    request.budgets = vec![budget("budget:all", 10)];
    let refused = h.store().admit(&held, &request).await.unwrap();
    assert!(matches!(refused, Admission::RateLimited { .. }), "{refused:?}");
    // Neither the free rate's only place nor the budget's room was used up.
    request.rates.pop();
    ledger(h.store().admit(&held, &request).await.unwrap());
    h.assert_balanced().await;
}

async fn of_two_refusing_rates_the_longer_wait_is_told(h: &impl Harness) {
    let held = holder(h).await;
    let mut request = limited(&[("rate:short", 1), ("rate:long", 1)], LONG);
    request.rates[0].window = Duration::from_secs(60);
    ledger(h.store().admit(&held, &request).await.unwrap());
    let (scope, after) = limited_by(h.store().admit(&held, &request).await.unwrap());
    assert_eq!(scope, "rate:long");
    assert!(after > Duration::from_secs(61), "{after:?}");
}

async fn scopes_of_different_keys_do_not_share(h: &impl Harness) {
    let held = holder(h).await;
    for key in ["rate:event:a", "rate:event:b", "rate:event:c"] {
        ledger(h.store().admit(&held, &limited(&[(key, 1)], LONG)).await.unwrap());
    }
}

async fn an_admission_needs_the_lease(h: &impl Harness) {
    let held = holder(h).await;
    let request = budgeted(100, &[("budget:all", 100)]);
    let lost = h.store().admit(&earlier(&held), &request).await.unwrap();
    assert_eq!(lost, Admission::Lost);
    ledger(h.store().admit(&held, &request).await.unwrap());
}

async fn a_request_without_scopes_is_admitted(h: &impl Harness) {
    let held = holder(h).await;
    let first = ledger(h.store().admit(&held, &request(1_000)).await.unwrap());
    let second = ledger(h.store().admit(&held, &request(1_000)).await.unwrap());
    assert_ne!(first, second);
    h.assert_balanced().await;
}
