//! The ledger: every state, every counter, every answer kept.

use std::time::Duration;

use gleaner::domain::ids::{EventId, Held};
use gleaner::domain::usage::NanoUsd;
use gleaner::store::{
    Admission, AdmissionRequest, Charge, KeptAnswer, LedgerQuery, LedgerRow, LedgerState, Spent,
    Store as _,
};
use uuid::Uuid;

use super::harness::{Harness, LONG, admit, done, holder};
use super::samples::{
    budget, charge, chat, item, metric, park, rate, request, skipped, told, usage,
};

promises! {
    the_counters_follow_every_change_of_state,
    charging_twice_charges_once,
    refunding_twice_refunds_once,
    doubting_twice_doubts_once,
    a_charged_row_is_neither_refunded_nor_doubted,
    a_late_answer_charges_an_ambiguous_row,
    a_refunded_row_is_not_charged,
    a_refund_gives_its_places_back_when_asked,
    a_refund_keeps_its_places_when_they_were_used,
    a_bill_above_the_worst_case_is_counted_in_full,
    what_an_earlier_lease_reserved_becomes_ambiguous_at_the_next_claim,
    a_paid_answer_comes_back_at_the_next_claim,
    a_crash_between_charge_and_record_pays_once,
    a_refusal_is_charged_and_not_kept,
    a_questions_cost_is_that_of_its_own_requests_in_all_runs,
    another_revision_replays_nothing,
    what_has_no_price_is_ambiguous_and_its_answer_kept,
    what_had_no_price_is_charged_once_somebody_knows_it,
    a_row_says_why_it_is_ambiguous,
    a_late_answer_corrects_its_messages_figures,
    the_newest_rows_are_listed_first,
    rows_are_listed_by_state_event_and_debt,
    counters_that_differ_name_the_rows_that_explain_it,
    a_row_that_is_wrong_in_itself_is_named,
    a_row_that_nobody_knows_is_left_alone,
}

const LIMIT: i64 = 1_000;

/// A request of that worst case within a budget and a rate that has two places.
fn limited(worst_case: i64) -> AdmissionRequest {
    AdmissionRequest {
        budgets: vec![budget("budget:event:e", LIMIT), budget("budget:all", LIMIT)],
        rates: vec![rate("rate:event:e", 2, LONG)],
        ..request(worst_case)
    }
}

/// Asserts that exactly so much of the budget is left.
async fn assert_left(h: &impl Harness, held: &Held, left: i64) {
    h.assert_balanced().await;
    let asks = |worst_case| AdmissionRequest { rates: Vec::new(), ..limited(worst_case) };
    let more = h.store().admit(held, &asks(left + 1)).await.unwrap();
    let refused = matches!(more, Admission::OverBudget { .. } | Admission::BudgetBusy { .. });
    assert!(refused, "more than {left} is left: {more:?}");
    let probe = admit(h, held, &asks(left)).await;
    h.store().refund(probe, true).await.unwrap();
    h.assert_balanced().await;
}

async fn the_counters_follow_every_change_of_state(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &limited(400)).await;
    assert_left(h, &held, LIMIT - 400).await;
    h.store().charge(row, &charge(150)).await.unwrap();
    assert_left(h, &held, LIMIT - 150).await;
    let row = admit(h, &held, &limited(300)).await;
    h.store().mark_ambiguous(row).await.unwrap();
    assert_left(h, &held, LIMIT - 150 - 300).await;
    let row = admit(h, &held, &AdmissionRequest { rates: Vec::new(), ..limited(200) }).await;
    h.store().refund(row, false).await.unwrap();
    assert_left(h, &held, LIMIT - 150 - 300).await;
}

async fn charging_twice_charges_once(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &limited(400)).await;
    h.store().charge(row, &charge(150)).await.unwrap();
    h.store().charge(row, &charge(170)).await.unwrap();
    assert_left(h, &held, LIMIT - 150).await;
}

async fn refunding_twice_refunds_once(h: &impl Harness) {
    let held = holder(h).await;
    let kept = admit(h, &held, &limited(300)).await;
    let row = admit(h, &held, &limited(400)).await;
    h.store().refund(row, true).await.unwrap();
    h.store().refund(row, true).await.unwrap();
    assert_left(h, &held, LIMIT - 300).await;
    h.store().charge(kept, &charge(300)).await.unwrap();
    assert_left(h, &held, LIMIT - 300).await;
}

async fn doubting_twice_doubts_once(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &limited(400)).await;
    h.store().mark_ambiguous(row).await.unwrap();
    h.store().mark_ambiguous(row).await.unwrap();
    assert_left(h, &held, LIMIT - 400).await;
}

async fn a_charged_row_is_neither_refunded_nor_doubted(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &limited(400)).await;
    h.store().charge(row, &charge(150)).await.unwrap();
    h.store().refund(row, true).await.unwrap();
    h.store().mark_ambiguous(row).await.unwrap();
    assert_left(h, &held, LIMIT - 150).await;
}

async fn a_late_answer_charges_an_ambiguous_row(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &limited(400)).await;
    h.store().mark_ambiguous(row).await.unwrap();
    h.store().charge(row, &charge(150)).await.unwrap();
    assert_left(h, &held, LIMIT - 150).await;
}

async fn a_refunded_row_is_not_charged(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &limited(400)).await;
    h.store().refund(row, false).await.unwrap();
    h.store().charge(row, &charge(150)).await.unwrap();
    assert_left(h, &held, LIMIT).await;
}

async fn a_refund_gives_its_places_back_when_asked(h: &impl Harness) {
    let held = holder(h).await;
    admit(h, &held, &limited(1)).await;
    let row = admit(h, &held, &limited(1)).await;
    h.store().refund(row, true).await.unwrap();
    admit(h, &held, &limited(1)).await;
    let fourth = h.store().admit(&held, &limited(1)).await.unwrap();
    assert!(matches!(fourth, Admission::RateLimited { .. }), "{fourth:?}");
}

async fn a_refund_keeps_its_places_when_they_were_used(h: &impl Harness) {
    let held = holder(h).await;
    admit(h, &held, &limited(1)).await;
    let row = admit(h, &held, &limited(1)).await;
    h.store().refund(row, false).await.unwrap();
    let third = h.store().admit(&held, &limited(1)).await.unwrap();
    assert!(matches!(third, Admission::RateLimited { .. }), "{third:?}");
}

async fn a_bill_above_the_worst_case_is_counted_in_full(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &limited(400)).await;
    h.store().charge(row, &charge(450)).await.unwrap();
    assert_left(h, &held, LIMIT - 450).await;
}

async fn what_an_earlier_lease_reserved_becomes_ambiguous_at_the_next_claim(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let dead = h.claim_and_die(&item("m1")).await.held;
    let row = admit(h, &dead, &limited(400)).await;
    let next = h.claim(&item("m1")).await;
    assert_eq!(next.spent, Spent { calls: 1, ..Spent::default() });
    // An ambiguous row is not refunded; a reserved one would be.
    h.store().refund(row, true).await.unwrap();
    assert_left(h, &next.held, LIMIT - 400).await;
}

async fn a_paid_answer_comes_back_at_the_next_claim(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &limited(400)).await;
    h.store().charge(row, &charge(150)).await.unwrap();
    let parked = h.store().park(&held, &park(Duration::ZERO)).await.unwrap();
    done(parked);
    let next = h.claim(&item("m1")).await;
    let kept = KeptAnswer {
        fingerprint: "task/1".to_owned(),
        model: "sonnet-20260901".to_owned(),
        answer: charge(150).answer.unwrap(),
    };
    assert_eq!(next.kept, [kept]);
    assert_eq!(next.spent, Spent { calls: 1, usage: usage(), cost: NanoUsd(150) });
}

async fn a_crash_between_charge_and_record_pays_once(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let dead = h.claim_and_die(&item("m1")).await.held;
    let row = admit(h, &dead, &limited(400)).await;
    h.store().charge(row, &charge(150)).await.unwrap();
    for _ in 0..2 {
        let next = h.claim_and_die(&item("m1")).await;
        assert_eq!(next.kept.len(), 1);
        assert_eq!(next.spent, Spent { calls: 1, usage: usage(), cost: NanoUsd(150) });
    }
    let next = h.claim(&item("m1")).await;
    assert_eq!(next.attempt, 4);
    done(h.store().record(&next.held, &skipped(&next)).await.unwrap());
    h.assert_balanced().await;
    assert_eq!(h.count("select cast(sum(charged) as bigint) from ledger").await, 150);
}

async fn a_refusal_is_charged_and_not_kept(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &limited(400)).await;
    h.store().charge(row, &Charge { answer: None, ..charge(150) }).await.unwrap();
    done(h.store().park(&held, &park(Duration::ZERO)).await.unwrap());
    let next = h.claim(&item("m1")).await;
    assert!(next.kept.is_empty());
    assert_eq!(next.spent.cost, NanoUsd(150));
}

async fn a_questions_cost_is_that_of_its_own_requests_in_all_runs(h: &impl Harness) {
    let held = holder(h).await;
    let asks = |fingerprint: &str| AdmissionRequest {
        fingerprint: fingerprint.to_owned(),
        rates: Vec::new(),
        ..limited(100)
    };
    for (fingerprint, cost) in [("intent", 5), ("task", 30)] {
        let row = admit(h, &held, &asks(fingerprint)).await;
        h.store().charge(row, &charge(cost)).await.unwrap();
    }
    done(h.store().park(&held, &park(Duration::ZERO)).await.unwrap());
    let next = h.claim(&item("m1")).await;
    let row = admit(h, &next.held, &asks("task repaired")).await;
    h.store().charge(row, &charge(12)).await.unwrap();
    let of = async |first, repair| {
        h.store().spent_on_question(&item("m1"), 1, [first, repair]).await.unwrap()
    };
    let spent = of("task", "task repaired").await;
    assert_eq!((spent.calls, spent.cost), (2, NanoUsd(42)));
    assert_eq!(spent.usage.input, 2 * usage().input);
    assert_eq!(of("poll", "poll repaired").await, Spent::default());
}

async fn another_revision_replays_nothing(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    let row = admit(h, &claim.held, &limited(400)).await;
    h.store().charge(row, &charge(150)).await.unwrap();
    let record = skipped(&claim);
    done(h.store().record(&claim.held, &record).await.unwrap());
    h.store().confirm(&item("m1"), told(&record).id).await.unwrap();
    h.edit("m1").await;
    let next = h.claim(&item("m1")).await;
    assert!(next.kept.is_empty());
    assert_eq!(next.spent, Spent::default());
}

/// A response of a model that has no price.
fn unpriced() -> Charge {
    Charge { cost: None, ..charge(0) }
}

async fn what_has_no_price_is_ambiguous_and_its_answer_kept(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &limited(400)).await;
    for _ in 0..2 {
        h.store().charge(row, &unpriced()).await.unwrap();
    }
    assert_left(h, &held, LIMIT - 400).await;
    done(h.store().park(&held, &park(Duration::ZERO)).await.unwrap());
    let next = h.claim(&item("m1")).await;
    assert_eq!(next.kept.len(), 1);
    assert_eq!(next.spent, Spent { calls: 1, usage: usage(), cost: NanoUsd::ZERO });
    assert_left(h, &next.held, LIMIT - 400).await;
}

async fn what_had_no_price_is_charged_once_somebody_knows_it(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &limited(400)).await;
    h.store().charge(row, &unpriced()).await.unwrap();
    h.store().charge(row, &charge(150)).await.unwrap();
    h.store().charge(row, &unpriced()).await.unwrap();
    assert_left(h, &held, LIMIT - 150).await;
}

async fn rows(h: &impl Harness, query: LedgerQuery) -> Vec<LedgerRow> {
    h.store().ledger(&LedgerQuery { limit: 100, ..query }).await.unwrap()
}

async fn a_row_says_why_it_is_ambiguous(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let dead = h.claim_and_die(&item("m1")).await.held;
    admit(h, &dead, &request(1)).await;
    let held = h.claim(&item("m1")).await.held;
    let unanswered = admit(h, &held, &request(2)).await;
    h.store().mark_ambiguous(unanswered).await.unwrap();
    let row = admit(h, &held, &request(3)).await;
    h.store().charge(row, &unpriced()).await.unwrap();
    let told = rows(h, LedgerQuery::default()).await;
    let why: Vec<_> = told.iter().map(|row| row.why.as_deref().unwrap()).collect();
    assert_eq!(why, ["unpriced", "unanswered", "abandoned"]);
    assert!(
        told.iter().all(|row| row.state == LedgerState::Ambiguous && row.resolved_at.is_some())
    );
}

async fn a_late_answer_corrects_its_messages_figures(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    let row = admit(h, &claim.held, &limited(400)).await;
    h.store().mark_ambiguous(row).await.unwrap();
    let record = gleaner::store::Record { metric: Some(metric(false)), ..skipped(&claim) };
    done(h.store().record(&claim.held, &record).await.unwrap());
    let figures = async || {
        let (cost, doubt, sums) = (
            "select cast(sum(cost) as bigint) from metrics",
            "select cast(sum(ambiguous_cost) as bigint) from metrics",
            "select cast(sum(cost + 1000 * ambiguous_cost) as bigint) from metric_rollups",
        );
        (h.count(cost).await, h.count(doubt).await, h.count(sums).await)
    };
    assert_eq!(figures().await, (0, 400, 400_000));
    h.store().charge(row, &charge(150)).await.unwrap();
    assert_eq!(figures().await, (150, 0, 150));
    assert_eq!(h.count("select cast(sum(items) as bigint) from metric_rollups").await, 1);
}

async fn the_newest_rows_are_listed_first(h: &impl Harness) {
    let held = holder(h).await;
    let mut admitted = Vec::new();
    for _ in 0..3 {
        admitted.push(admit(h, &held, &limited_by_budget(400)).await);
    }
    h.store().charge(admitted[1], &charge(150)).await.unwrap();
    let told = rows(h, LedgerQuery::default()).await;
    let ids: Vec<Uuid> = told.iter().map(|row| row.id).collect();
    admitted.reverse();
    assert_eq!(ids, admitted);
    let LedgerRow { tenant, item: of, event, agent, model, reserved, charged, .. } = &told[1];
    assert_eq!((tenant.as_str(), of.as_str(), event.as_str()), ("acme", "m1", "wedding"));
    assert_eq!((agent.as_str(), model.as_str()), ("task_enricher", "sonnet"));
    assert_eq!((*reserved, *charged, told[1].usage), (NanoUsd(400), NanoUsd(150), usage()));
    assert_eq!(told[1].scopes, ["budget:event:e", "budget:all"]);
    assert!(told[1].resolved_at.unwrap() >= told[1].admitted_at && told[0].resolved_at.is_none());
    let one = LedgerQuery { limit: 1, ..LedgerQuery::default() };
    assert_eq!(h.store().ledger(&one).await.unwrap(), told[..1]);
}

fn limited_by_budget(worst_case: i64) -> AdmissionRequest {
    let mut request = AdmissionRequest { rates: Vec::new(), ..limited(worst_case) };
    request.budgets.iter_mut().for_each(|budget| budget.limit = None);
    request
}

async fn rows_are_listed_by_state_event_and_debt(h: &impl Harness) {
    let held = holder(h).await;
    let within = admit(h, &held, &request(400)).await;
    let elsewhere = EventId::parse("offsite").unwrap();
    let beyond =
        admit(h, &held, &AdmissionRequest { event: elsewhere.clone(), ..request(100) }).await;
    for row in [within, beyond] {
        h.store().charge(row, &charge(150)).await.unwrap();
    }
    let open = admit(h, &held, &request(1)).await;
    let ids =
        async |query| -> Vec<Uuid> { rows(h, query).await.into_iter().map(|row| row.id).collect() };
    let all = LedgerQuery::default();
    let reserved = LedgerQuery { state: Some(LedgerState::Reserved), ..all.clone() };
    assert_eq!(ids(reserved).await, [open]);
    assert_eq!(ids(LedgerQuery { event: Some(elsewhere), ..all.clone() }).await, [beyond]);
    assert_eq!(ids(LedgerQuery { debt: true, ..all }).await, [beyond]);
}

async fn counters_that_differ_name_the_rows_that_explain_it(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &limited_by_budget(400)).await;
    h.store().charge(row, &charge(150)).await.unwrap();
    admit(h, &held, &limited_by_budget(70)).await;
    let lose = "update scopes set charged = 0 where key = $1";
    h.produce(lose, &["budget:all"]).await;
    let fault = h.store().ledger_balances().await.unwrap().unwrap_err();
    assert_eq!((fault.scope.as_str(), fault.rows), ("budget:all", vec![row]));
    assert_eq!((fault.counted, fault.summed), (NanoUsd::ZERO, NanoUsd(150)));
}

async fn a_row_that_is_wrong_in_itself_is_named(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &request(400)).await;
    h.store().refund(row, true).await.unwrap();
    h.assert_balanced().await;
    let spoil = "update ledger set charged = 5 where state = $1";
    h.produce(spoil, &["refunded"]).await;
    let fault = h.store().ledger_balances().await.unwrap().unwrap_err();
    assert_eq!((fault.scope, fault.rows), (format!("ledger row {row}"), vec![row]));
}

async fn a_row_that_nobody_knows_is_left_alone(h: &impl Harness) {
    h.store().charge(Uuid::new_v4(), &charge(150)).await.unwrap();
    h.store().refund(Uuid::new_v4(), true).await.unwrap();
    h.store().mark_ambiguous(Uuid::new_v4()).await.unwrap();
    h.assert_balanced().await;
}
