//! The ledger as people use it: what is in doubt and why, their word on it, and what they look up.

use std::time::Duration;

use gleaner::domain::ids::{EventId, Held};
use gleaner::domain::outcome::ParkReason;
use gleaner::domain::usage::{NanoUsd, Usage};
use gleaner::fault::Park;
use gleaner::store::{
    Admission, AdmissionRequest, BudgetScope, Charge, Due, KeptAnswer, LedgerFault, LedgerQuery,
    LedgerRow, LedgerState, Record, Resolved, Store as _,
};
use uuid::Uuid;

use super::harness::{Harness, LONG, admit, done, holder};
use super::samples::{
    budget, charge, chat, completed, item, metric, park, rate, request, task, usage,
};

promises! {
    an_answer_without_a_price_is_in_doubt_and_kept,
    an_answer_without_a_price_to_what_is_in_doubt_is_kept_too,
    a_price_that_is_known_late_charges_what_was_unpriced,
    every_doubt_says_why,
    what_is_resolved_at_a_cost_is_charged,
    what_is_resolved_at_no_cost_is_refunded,
    only_what_is_in_doubt_can_be_resolved,
    the_figures_follow_what_is_resolved,
    the_figures_follow_an_answer_that_comes_late,
    what_is_resolved_before_the_record_is_counted_once,
    what_was_not_billed_is_not_replayed,
    what_is_resolved_makes_room_for_who_waits,
    rows_are_listed_the_newest_first,
    rows_are_listed_by_state_event_and_debt,
    a_listed_row_says_all_about_it,
    a_counter_that_differs_names_the_rows_that_explain_it,
    a_row_that_no_request_leaves_is_named,
}

const WORST: i64 = 400;

/// A request of that worst case, of two budgets and a rate.
fn asks() -> AdmissionRequest {
    AdmissionRequest {
        budgets: vec![budget("budget:event:wedding", 9_000), budget("budget:total", 9_000)],
        rates: vec![rate("rate:event:wedding", 50, LONG)],
        ..request(WORST)
    }
}

fn unpriced() -> Charge {
    Charge { cost: None, ..charge(0) }
}

/// A row that nobody knows about.
async fn doubted(h: &impl Harness, held: &Held) -> Uuid {
    let row = admit(h, held, &asks()).await;
    h.store().mark_ambiguous(row).await.unwrap();
    row
}

async fn list(h: &impl Harness, query: LedgerQuery) -> Vec<LedgerRow> {
    let limit = if query.limit == 0 { 99 } else { query.limit };
    h.store().ledger(&LedgerQuery { limit, ..query }).await.unwrap()
}

async fn find(h: &impl Harness, id: Uuid) -> LedgerRow {
    let mut rows = list(h, LedgerQuery::default()).await;
    rows.retain(|row| row.id == id);
    rows.remove(0)
}

async fn resolve(h: &impl Harness, id: Uuid, cost: i64) -> Resolved {
    h.store().resolve(id, NanoUsd(cost), "eve").await.unwrap()
}

/// Reserved, charged and in doubt, as the budget of all counts them.
async fn counted(h: &impl Harness) -> (i64, i64, i64) {
    h.assert_balanced().await;
    let window = h.store().budgets(Some("budget:total"), 1).await.unwrap().remove(0);
    (window.reserved.0, window.charged.0, window.ambiguous.0)
}

/// Cost and doubt, as the figures of all messages and of all minutes have them.
async fn figures(h: &impl Harness) -> [(i64, i64); 2] {
    [
        (
            h.count("select cast(sum(cost) as bigint) from metrics").await,
            h.count("select cast(sum(ambiguous_cost) as bigint) from metrics").await,
        ),
        (
            h.count("select cast(sum(cost) as bigint) from metric_rollups").await,
            h.count("select cast(sum(ambiguous_cost) as bigint) from metric_rollups").await,
        ),
    ]
}

async fn an_answer_without_a_price_is_in_doubt_and_kept(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &asks()).await;
    h.store().charge(row, &unpriced()).await.unwrap();
    assert_eq!(counted(h).await, (0, 0, WORST));
    let told = find(h, row).await;
    assert_eq!((told.state, told.why.as_deref()), (LedgerState::Ambiguous, Some("unpriced")));
    assert_eq!((told.charged, told.usage), (NanoUsd::ZERO, usage()));
    done(h.store().park(&held, &park(Duration::ZERO)).await.unwrap());
    let kept = KeptAnswer {
        fingerprint: "task/1".to_owned(),
        model: "sonnet-20260901".to_owned(),
        answer: unpriced().answer.unwrap(),
    };
    let next = h.claim(&item("m1")).await;
    assert_eq!(next.kept, [kept]);
    assert_eq!((next.spent.calls, next.spent.usage, next.spent.cost), (1, usage(), NanoUsd::ZERO));
}

async fn an_answer_without_a_price_to_what_is_in_doubt_is_kept_too(h: &impl Harness) {
    let held = holder(h).await;
    let row = doubted(h, &held).await;
    h.store().charge(row, &unpriced()).await.unwrap();
    assert_eq!(counted(h).await, (0, 0, WORST));
    assert_eq!(find(h, row).await.usage, usage());
    done(h.store().park(&held, &park(Duration::ZERO)).await.unwrap());
    assert_eq!(h.claim(&item("m1")).await.kept.len(), 1);
}

async fn a_price_that_is_known_late_charges_what_was_unpriced(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &asks()).await;
    h.store().charge(row, &unpriced()).await.unwrap();
    h.store().charge(row, &charge(150)).await.unwrap();
    assert_eq!(counted(h).await, (0, 150, 0));
    h.store().charge(row, &unpriced()).await.unwrap();
    assert_eq!(counted(h).await, (0, 150, 0), "what is charged stays so");
}

async fn every_doubt_says_why(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let dead = h.claim_and_die(&item("m1")).await.held;
    let left = admit(h, &dead, &asks()).await;
    let held = h.claim(&item("m1")).await.held;
    let unanswered = doubted(h, &held).await;
    let swept = admit(h, &h.claim_and_die(&item("m2")).await.held, &asks()).await;
    h.store().tick(9, LONG, true).await.unwrap();
    let fine = admit(h, &held, &asks()).await;
    for (row, why) in
        [(left, Some("abandoned")), (unanswered, Some("unanswered")), (swept, Some("abandoned"))]
    {
        let row = find(h, row).await;
        assert_eq!((row.state, row.why.as_deref()), (LedgerState::Ambiguous, why));
    }
    assert_eq!(find(h, fine).await.why, None);
}

async fn what_is_resolved_at_a_cost_is_charged(h: &impl Harness) {
    let held = holder(h).await;
    let row = doubted(h, &held).await;
    assert_eq!(resolve(h, row, 170).await, Resolved::Closed);
    assert_eq!(counted(h).await, (0, 170, 0));
    let told = find(h, row).await;
    assert_eq!((told.state, told.charged), (LedgerState::Charged, NanoUsd(170)));
    assert_eq!(told.resolved_by.as_deref(), Some("eve"));
    // What a person said stands, whatever comes now.
    h.store().charge(row, &charge(200)).await.unwrap();
    h.store().refund(row, true).await.unwrap();
    assert_eq!(counted(h).await, (0, 170, 0));
}

async fn what_is_resolved_at_no_cost_is_refunded(h: &impl Harness) {
    let held = holder(h).await;
    let row = doubted(h, &held).await;
    assert_eq!(resolve(h, row, 0).await, Resolved::Closed);
    assert_eq!(counted(h).await, (0, 0, 0));
    let told = find(h, row).await;
    assert_eq!((told.state, told.resolved_by.as_deref()), (LedgerState::Refunded, Some("eve")));
}

async fn only_what_is_in_doubt_can_be_resolved(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &asks()).await;
    assert_eq!(resolve(h, row, 5).await, Resolved::NotAmbiguous(LedgerState::Reserved));
    h.store().charge(row, &charge(150)).await.unwrap();
    assert_eq!(resolve(h, row, 5).await, Resolved::NotAmbiguous(LedgerState::Charged));
    assert_eq!(resolve(h, Uuid::new_v4(), 5).await, Resolved::Unknown);
    let row = doubted(h, &held).await;
    assert_eq!(resolve(h, row, 0).await, Resolved::Closed);
    assert_eq!(resolve(h, row, 5).await, Resolved::NotAmbiguous(LedgerState::Refunded));
    assert_eq!(counted(h).await, (0, 150, 0));
}

/// Settles the message with its figures.
async fn record(h: &impl Harness) {
    let claim = h.claim(&item("m1")).await;
    let record = Record { metric: Some(metric(false)), ..completed(&claim, task("dj")) };
    done(h.store().record(&claim.held, &record).await.unwrap());
}

async fn the_figures_follow_what_is_resolved(h: &impl Harness) {
    let held = holder(h).await;
    let paid = admit(h, &held, &asks()).await;
    h.store().charge(paid, &charge(150)).await.unwrap();
    let (billed, free) = (doubted(h, &held).await, doubted(h, &held).await);
    done(h.store().park(&held, &park(Duration::ZERO)).await.unwrap());
    record(h).await;
    assert_eq!(figures(h).await, [(150, 2 * WORST); 2]);
    resolve(h, billed, 170).await;
    assert_eq!(figures(h).await, [(320, WORST); 2]);
    resolve(h, free, 0).await;
    resolve(h, free, 99).await;
    assert_eq!(figures(h).await, [(320, 0); 2]);
}

async fn the_figures_follow_an_answer_that_comes_late(h: &impl Harness) {
    let held = holder(h).await;
    let row = doubted(h, &held).await;
    done(h.store().park(&held, &park(Duration::ZERO)).await.unwrap());
    record(h).await;
    for _ in 0..2 {
        h.store().charge(row, &charge(150)).await.unwrap();
        assert_eq!(figures(h).await, [(150, 0); 2]);
        let tokens = "select cast(sum(tokens) as bigint) from metric_rollups";
        assert_eq!(h.count(tokens).await, usage().total() as i64);
    }
    assert_eq!(counted(h).await, (0, 150, 0));
}

async fn what_is_resolved_before_the_record_is_counted_once(h: &impl Harness) {
    let held = holder(h).await;
    let row = doubted(h, &held).await;
    resolve(h, row, 170).await;
    done(h.store().park(&held, &park(Duration::ZERO)).await.unwrap());
    record(h).await;
    assert_eq!(figures(h).await, [(170, 0); 2]);
}

async fn what_was_not_billed_is_not_replayed(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &asks()).await;
    h.store().charge(row, &unpriced()).await.unwrap();
    resolve(h, row, 0).await;
    done(h.store().park(&held, &park(Duration::ZERO)).await.unwrap());
    assert!(h.claim(&item("m1")).await.kept.is_empty());
}

async fn what_is_resolved_makes_room_for_who_waits(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let held = h.claim(&item("m1")).await.held;
    let half = BudgetScope { in_flight_share: 0.5, ..budget("budget:total", 100) };
    let asks = |worst| AdmissionRequest { budgets: vec![half.clone()], ..request(worst) };
    let doubted = admit(h, &held, &asks(60)).await;
    h.store().mark_ambiguous(doubted).await.unwrap();
    admit(h, &held, &asks(10)).await;
    // Of the 40 that are left, 20 may be in flight.
    let waits = h.claim(&item("m2")).await.held;
    let request = AdmissionRequest { queues: true, ..asks(15) };
    let busy = h.store().admit(&waits, &request).await.unwrap();
    assert!(matches!(busy, Admission::BudgetBusy { .. }), "{busy:?}");
    let park = Park { reason: ParkReason::BudgetBusy, ..park(LONG) };
    done(h.store().park(&waits, &park).await.unwrap());
    assert!(h.store().tick(9, LONG, true).await.unwrap().is_empty());
    resolve(h, doubted, 0).await;
    assert_eq!(h.store().tick(9, LONG, true).await.unwrap(), [Due::Hint(item("m2"))]);
}

async fn rows_are_listed_the_newest_first(h: &impl Harness) {
    let held = holder(h).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(admit(h, &held, &asks()).await);
    }
    ids.reverse();
    let listed: Vec<_> = list(h, LedgerQuery::default()).await.iter().map(|row| row.id).collect();
    assert_eq!(listed, ids);
    let newest = list(h, LedgerQuery { limit: 2, ..LedgerQuery::default() }).await;
    assert_eq!(newest.iter().map(|row| row.id).collect::<Vec<_>>(), ids[..2]);
}

async fn rows_are_listed_by_state_event_and_debt(h: &impl Harness) {
    let held = holder(h).await;
    let open = admit(h, &held, &asks()).await;
    let other = AdmissionRequest { event: EventId::parse("other").unwrap(), ..asks() };
    let doubt = admit(h, &held, &other).await;
    h.store().mark_ambiguous(doubt).await.unwrap();
    let debt = admit(h, &held, &asks()).await;
    h.store().charge(debt, &charge(WORST + 50)).await.unwrap();
    let all = LedgerQuery::default();
    let found = async |query| list(h, query).await.iter().map(|row| row.id).collect::<Vec<_>>();
    let in_state = |state| LedgerQuery { state: Some(state), ..all.clone() };
    assert_eq!(found(in_state(LedgerState::Reserved)).await, [open]);
    assert_eq!(found(in_state(LedgerState::Ambiguous)).await, [doubt]);
    assert!(found(in_state(LedgerState::Refunded)).await.is_empty());
    let of_other = LedgerQuery { event: Some(other.event), ..all.clone() };
    assert_eq!(found(of_other).await, [doubt]);
    assert_eq!(found(LedgerQuery { debt: true, ..all.clone() }).await, [debt]);
    assert_eq!(find(h, debt).await.debt(), NanoUsd(50));
}

async fn a_listed_row_says_all_about_it(h: &impl Harness) {
    let held = holder(h).await;
    let before = h.store().now().await.unwrap();
    let id = admit(h, &held, &asks()).await;
    let reserved = find(h, id).await;
    h.store().charge(id, &charge(150)).await.unwrap();
    let charged = find(h, id).await;
    let after = h.store().now().await.unwrap();
    assert!(reserved.admitted_at >= before && charged.resolved_at.unwrap() <= after);
    assert!(charged.resolved_at.unwrap() >= reserved.admitted_at);
    let expected = LedgerRow {
        id,
        state: LedgerState::Reserved,
        tenant: "acme".to_owned(),
        item: item("m1"),
        event: asks().event,
        agent: "task_enricher".to_owned(),
        model: "sonnet".to_owned(),
        reserved: NanoUsd(WORST),
        charged: NanoUsd::ZERO,
        usage: Usage::default(),
        why: None,
        scopes: vec!["budget:event:wedding".to_owned(), "budget:total".to_owned()],
        admitted_at: reserved.admitted_at,
        resolved_at: None,
        resolved_by: None,
    };
    assert_eq!(reserved, expected);
    let (state, resolved_at) = (LedgerState::Charged, charged.resolved_at);
    let now = LedgerRow { state, charged: NanoUsd(150), usage: usage(), resolved_at, ..expected };
    assert_eq!(charged, now);
}

async fn fault(h: &impl Harness) -> LedgerFault {
    h.store().ledger_balances().await.unwrap().unwrap_err()
}

async fn a_counter_that_differs_names_the_rows_that_explain_it(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &asks()).await;
    let other = admit(h, &held, &AdmissionRequest { worst_case: NanoUsd(70), ..asks() }).await;
    h.store().charge(row, &charge(150)).await.unwrap();
    h.assert_balanced().await;
    let lose = "update scopes set charged = 0 where key = $1";
    h.produce(lose, &["budget:total"]).await;
    let lost = LedgerFault {
        scope: "budget:total".to_owned(),
        counted: NanoUsd::ZERO,
        summed: NanoUsd(150),
        rows: vec![row],
    };
    assert_eq!(fault(h).await, lost);
    h.produce("update scopes set charged = 150, reserved = 140 where key = $1", &["budget:total"])
        .await;
    let twice =
        LedgerFault { counted: NanoUsd(140), summed: NanoUsd(70), rows: vec![other], ..lost };
    assert_eq!(fault(h).await, twice);
}

async fn a_row_that_no_request_leaves_is_named(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &asks()).await;
    h.store().refund(row, true).await.unwrap();
    h.assert_balanced().await;
    let id = row.to_string();
    for wrong in [
        "update ledger set charged = 9 where cast(id as text) = $1",
        "update ledger set charged = 0, reserved = -9 where cast(id as text) = $1",
        "update ledger set reserved = 9, resolved_at = null where cast(id as text) = $1",
    ] {
        h.produce(wrong, &[&id]).await;
        let fault = fault(h).await;
        assert_eq!((fault.scope, fault.rows), (format!("ledger row {id}"), vec![row]), "{wrong}");
    }
}
