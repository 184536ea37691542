//! Budgets: windows, hard and soft ones, what operators set, and how all of it is listed.

use std::time::{Duration, Instant};

use gleaner::domain::ids::Held;
use gleaner::domain::usage::NanoUsd;
use gleaner::settings::BudgetKind;
use gleaner::store::{
    Admission, AdmissionRequest, BudgetChange, BudgetScope, BudgetWindow, LedgerQuery, Store as _,
    Window,
};
use jiff::Timestamp;

use super::harness::{Harness, admit};
use super::samples::{budget, charge, chat, item, request};

promises! {
    a_request_counts_in_the_window_that_runs,
    windows_that_do_not_hold_the_instant_are_refused,
    a_spent_window_tells_when_the_next_one_begins,
    a_spent_budget_that_does_not_wait_tells_what_is_left,
    a_budget_without_an_end_has_nobody_wait,
    what_is_held_in_flight_is_busy_and_comes_back,
    requests_in_flight_hold_their_share_and_one_always_may,
    a_spent_budget_is_told_before_a_busy_one,
    what_is_in_doubt_is_spent,
    a_soft_budget_is_passed_by_what_is_in_flight_alone,
    an_operators_limit_stands_before_the_settings,
    a_lifted_budget_still_counts,
    what_operators_set_is_listed,
    the_windows_of_a_budget_are_listed_the_newest_first,
    the_running_windows_are_listed_with_the_most_spent_events_last,
}

pub(super) const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn asks(worst_case: i64, budgets: Vec<BudgetScope>) -> AdmissionRequest {
    AdmissionRequest { budgets, queues: true, ..request(worst_case) }
}

/// A budget of which requests in flight may hold this share.
fn shared(name: &str, limit: i64, in_flight_share: f64) -> BudgetScope {
    BudgetScope { in_flight_share, ..budget(name, limit) }
}

/// A daily budget whose messages wait; its first window ends then.
pub(super) fn daily(limit: i64, ends_at: Timestamp) -> BudgetScope {
    let window = |nth: u32| Window {
        key: format!("budget:day:{nth}"),
        starts_at: Some(ends_at - HOUR + HOUR * nth),
        ends_at: Some(ends_at + HOUR * nth),
    };
    let windows = (0..3).map(window).collect();
    BudgetScope { waits: true, windows, ..budget("budget:day", limit) }
}

pub(super) async fn ends_in(h: &impl Harness, after: Duration) -> Timestamp {
    h.store().now().await.unwrap() + after
}

pub(super) async fn hold(h: &impl Harness, name: &str) -> Held {
    h.claim(&item(name)).await.held
}

pub(super) async fn ask(h: &impl Harness, held: &Held, request: &AdmissionRequest) -> Admission {
    h.store().admit(held, request).await.unwrap()
}

pub(super) async fn busy(h: &impl Harness, held: &Held, request: &AdmissionRequest) {
    let refused = ask(h, held, request).await;
    assert!(matches!(refused, Admission::BudgetBusy { .. }), "{refused:?}");
}

pub(super) async fn windows(h: &impl Harness, name: &str) -> Vec<BudgetWindow> {
    h.store().budgets(Some(name), 9).await.unwrap()
}

async fn a_request_counts_in_the_window_that_runs(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = hold(h, "m1").await;
    let asked = asks(100, vec![daily(100, ends_in(h, Duration::from_millis(1_000)).await)]);
    admit(h, &held, &asked).await;
    let refused = ask(h, &held, &asked).await;
    assert!(matches!(refused, Admission::BudgetBusy { .. }), "{refused:?}");
    let begun = Instant::now();
    // The next window begins by the database's clock.
    while !matches!(ask(h, &held, &asked).await, Admission::Admitted { .. }) {
        assert!(begun.elapsed() < Duration::from_secs(20), "the window never ended");
    }
    let rows = h.store().ledger(&LedgerQuery { limit: 9, ..LedgerQuery::default() }).await.unwrap();
    let scopes: Vec<_> = rows.iter().flat_map(|row| &row.scopes).collect();
    assert_eq!(scopes, ["budget:day:1", "budget:day:0"]);
    let counted = windows(h, "budget:day").await;
    assert!(counted.iter().all(|window| window.reserved == NanoUsd(100)), "{counted:?}");
    h.assert_balanced().await;
}

async fn windows_that_do_not_hold_the_instant_are_refused(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = hold(h, "m1").await;
    let past = ends_in(h, Duration::ZERO).await - HOUR * 5;
    let refused = h.store().admit(&held, &asks(1, vec![daily(100, past)])).await;
    assert!(refused.unwrap_err().to_string().contains("clocks differ"));
}

async fn a_spent_window_tells_when_the_next_one_begins(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = hold(h, "m1").await;
    let asked = asks(60, vec![daily(100, ends_in(h, HOUR).await)]);
    let row = admit(h, &held, &asked).await;
    h.store().charge(row, &charge(60)).await.unwrap();
    let Admission::BudgetSpent { scope, after } = ask(h, &held, &asked).await else {
        panic!("it is not spent")
    };
    assert_eq!(scope, "budget:day:0");
    assert!(after <= HOUR && after > HOUR - Duration::from_secs(60), "{after:?}");
    let waiting: Vec<_> = windows(h, "budget:day").await.into_iter().map(|w| w.waiting).collect();
    assert_eq!(waiting, [1, 0], "it waits in the line of the window to come");
}

async fn a_spent_budget_that_does_not_wait_tells_what_is_left(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = hold(h, "m1").await;
    let ends_at = ends_in(h, HOUR).await;
    let refuses = BudgetScope { waits: false, ..daily(100, ends_at) };
    let asked = asks(60, vec![budget("budget:total", 500), refuses]);
    let row = admit(h, &held, &asked).await;
    h.store().charge(row, &charge(70)).await.unwrap();
    let over = Admission::OverBudget { budget: "budget:day".to_owned(), room: NanoUsd(30) };
    assert_eq!(ask(h, &held, &asked).await, over);
    assert_eq!(h.count("select count(*) from lines").await, 0);
    admit(h, &held, &AdmissionRequest { worst_case: NanoUsd(30), ..asked }).await;
}

async fn a_budget_without_an_end_has_nobody_wait(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = hold(h, "m1").await;
    let asked = asks(101, vec![BudgetScope { waits: true, ..budget("budget:total", 100) }]);
    let over = Admission::OverBudget { budget: "budget:total".to_owned(), room: NanoUsd(100) };
    assert_eq!(ask(h, &held, &asked).await, over);
}

async fn what_is_held_in_flight_is_busy_and_comes_back(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = hold(h, "m1").await;
    let asked = AdmissionRequest { queues: false, ..asks(60, vec![budget("budget:total", 100)]) };
    let row = admit(h, &held, &asked).await;
    let Admission::BudgetBusy { scope, after } = ask(h, &held, &asked).await else {
        panic!("it is not busy")
    };
    assert_eq!(scope, "budget:total");
    assert!(after > Duration::ZERO && after <= Duration::from_secs(5), "{after:?}");
    h.store().charge(row, &charge(40)).await.unwrap();
    admit(h, &held, &asked).await;
    h.assert_balanced().await;
}

async fn requests_in_flight_hold_their_share_and_one_always_may(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = hold(h, "m1").await;
    let asked = |worst| AdmissionRequest {
        queues: false,
        ..asks(worst, vec![shared("budget:total", 1_000, 0.25)])
    };
    let large = admit(h, &held, &asked(900)).await;
    busy(h, &held, &asked(1)).await;
    h.store().charge(large, &charge(200)).await.unwrap();
    // Of the 800 that are left, 200 may be in flight.
    admit(h, &held, &asked(150)).await;
    busy(h, &held, &asked(51)).await;
    admit(h, &held, &asked(50)).await;
    h.assert_balanced().await;
}

async fn a_spent_budget_is_told_before_a_busy_one(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = hold(h, "m1").await;
    admit(h, &held, &asks(90, vec![budget("budget:total", 100)])).await;
    let both = asks(20, vec![budget("budget:total", 100), budget("budget:event:wedding", 10)]);
    let over = Admission::OverBudget { budget: "budget:event:wedding".into(), room: NanoUsd(10) };
    assert_eq!(ask(h, &held, &both).await, over);
}

async fn what_is_in_doubt_is_spent(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = hold(h, "m1").await;
    let asked = asks(60, vec![budget("budget:total", 100)]);
    let row = admit(h, &held, &asked).await;
    h.store().mark_ambiguous(row).await.unwrap();
    let over = Admission::OverBudget { budget: "budget:total".to_owned(), room: NanoUsd(40) };
    assert_eq!(ask(h, &held, &asked).await, over);
}

async fn a_soft_budget_is_passed_by_what_is_in_flight_alone(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = hold(h, "m1").await;
    let soft = BudgetScope { kind: BudgetKind::Soft, ..budget("budget:total", 100) };
    let asked = AdmissionRequest { expected: NanoUsd(30), ..asks(500, vec![soft]) };
    let rows = [admit(h, &held, &asked).await, admit(h, &held, &asked).await];
    h.store().charge(rows[0], &charge(70)).await.unwrap();
    admit(h, &held, &asked).await;
    h.store().charge(rows[1], &charge(1)).await.unwrap();
    let over = Admission::OverBudget { budget: "budget:total".to_owned(), room: NanoUsd(29) };
    assert_eq!(ask(h, &held, &asked).await, over);
    h.assert_balanced().await;
}

/// Messages `NAME-1`… of another event, a minute apart.
pub(super) async fn set(h: &impl Harness, name: &str, change: BudgetChange) {
    h.store().set_budget(name, change, "ops").await.unwrap();
}

async fn an_operators_limit_stands_before_the_settings(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = hold(h, "m1").await;
    let asked = asks(60, vec![budget("budget:total", 100)]);
    set(h, "budget:total", BudgetChange::Limit(NanoUsd(0))).await;
    let over = |room| Admission::OverBudget { budget: "budget:total".into(), room: NanoUsd(room) };
    assert_eq!(ask(h, &held, &asked).await, over(0), "nothing is admitted");
    set(h, "budget:total", BudgetChange::Limit(NanoUsd(200))).await;
    let row = admit(h, &held, &asked).await;
    h.store().charge(row, &charge(60)).await.unwrap();
    admit(h, &held, &asked).await;
    set(h, "budget:total", BudgetChange::Lift).await;
    admit(h, &held, &AdmissionRequest { worst_case: NanoUsd(1_000_000), ..asked.clone() }).await;
    set(h, "budget:total", BudgetChange::Default).await;
    assert_eq!(ask(h, &held, &asked).await, over(40));
    h.assert_balanced().await;
}

async fn a_lifted_budget_still_counts(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = hold(h, "m1").await;
    let lifted = BudgetScope { limit: None, ..budget("budget:total", 0) };
    let asked = asks(60, vec![lifted]);
    admit(h, &held, &asked).await;
    let row = admit(h, &held, &asked).await;
    h.store().charge(row, &charge(50)).await.unwrap();
    let counted = &windows(h, "budget:total").await[0];
    assert_eq!((counted.reserved, counted.charged), (NanoUsd(60), NanoUsd(50)));
    set(h, "budget:total", BudgetChange::Limit(NanoUsd(100))).await;
    let over = Admission::OverBudget { budget: "budget:total".into(), room: NanoUsd(50) };
    assert_eq!(ask(h, &held, &asked).await, over);
}

async fn what_operators_set_is_listed(h: &impl Harness) {
    let before = h.store().now().await.unwrap();
    set(h, "budget:month", BudgetChange::Limit(NanoUsd(5))).await;
    set(h, "budget:day", BudgetChange::Lift).await;
    set(h, "budget:total", BudgetChange::Lift).await;
    h.store().set_budget("budget:month", BudgetChange::Limit(NanoUsd(7)), "eve").await.unwrap();
    set(h, "budget:total", BudgetChange::Default).await;
    let listed = h.store().budget_overrides().await.unwrap();
    let told: Vec<_> =
        listed.iter().map(|one| (one.name.as_str(), one.limit, one.set_by.as_str())).collect();
    let expected = [("budget:day", None, "ops"), ("budget:month", Some(NanoUsd(7)), "eve")];
    assert_eq!(told, expected);
    assert!(listed.iter().all(|one| one.set_at >= before));
}

async fn the_windows_of_a_budget_are_listed_the_newest_first(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = hold(h, "m1").await;
    let asked = asks(60, vec![daily(100, ends_in(h, HOUR).await), budget("budget:total", 500)]);
    let row = admit(h, &held, &asked).await;
    h.store().mark_ambiguous(row).await.unwrap();
    ask(h, &held, &asked).await;
    let listed = windows(h, "budget:day").await;
    let window = |nth: u64, ambiguous, is_current| BudgetWindow {
        name: "budget:day".to_owned(),
        key: format!("budget:day:{nth}"),
        reserved: NanoUsd::ZERO,
        charged: NanoUsd::ZERO,
        ambiguous: NanoUsd(ambiguous),
        waiting: nth,
        is_current,
    };
    assert_eq!(listed, [window(1, 0, false), window(0, 60, true)]);
    assert_eq!(h.store().budgets(Some("budget:day"), 1).await.unwrap().len(), 1);
    assert_eq!(h.store().budgets(Some("budget:week"), 9).await.unwrap(), []);
}

async fn the_running_windows_are_listed_with_the_most_spent_events_last(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = hold(h, "m1").await;
    for (event, cost) in [("budget:event:a", 10), ("budget:event:b", 30), ("budget:event:c", 20)] {
        let daily = daily(1_000, ends_in(h, HOUR).await);
        let asked = asks(60, vec![budget(event, 100), daily, budget("budget:total", 1_000)]);
        let row = admit(h, &held, &asked).await;
        h.store().charge(row, &charge(cost)).await.unwrap();
    }
    let listed = h.store().budgets(None, 9).await.unwrap();
    let keys: Vec<_> = listed.iter().map(|window| window.key.as_str()).collect();
    let events = ["budget:event:b", "budget:event:c", "budget:event:a"];
    assert_eq!(keys[2..], events);
    assert_eq!(
        {
            let mut first = keys[..2].to_vec();
            first.sort_unstable();
            first
        },
        ["budget:day:0", "budget:total"]
    );
    assert!(listed.iter().all(|window| window.is_current));
    assert_eq!(h.store().budgets(None, 4).await.unwrap()[..], listed[..4]);
}
