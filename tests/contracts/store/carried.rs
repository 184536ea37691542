//! Retention of the ledger: closed rows are folded into carried ones, and all balances as before.

use std::time::Duration;

use gleaner::domain::ids::Held;
use gleaner::domain::usage::NanoUsd;
use gleaner::store::{
    AdmissionRequest, BudgetScope, Charge, LedgerQuery, LedgerState, Retention, Spent, Store as _,
    Stretch, Swept, Window,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::harness::{Harness, admit, done, holder};
use super::samples::{budget, charge, chat, event_id, item, park, rate, request, skipped, usage};

promises! {
    closed_rows_are_folded_and_the_ledger_balances,
    an_event_has_spent_what_it_had_before,
    sums_are_carried_on_from_sweep_to_sweep,
    young_rows_stay,
    what_is_open_or_in_doubt_stays,
    answers_that_may_be_replayed_stay,
    a_window_that_is_over_goes_with_its_carried_row,
    a_window_with_doubts_stays,
    a_bounded_number_of_rows_is_folded_at_a_time,
    a_carried_row_is_no_request,
}

const DAY: Duration = Duration::from_secs(86_400);

fn kept() -> Retention {
    Retention { ledger: Some(90 * DAY), ..Retention::default() }
}

/// A request of the event's budget and of the one of all.
fn asks() -> AdmissionRequest {
    AdmissionRequest {
        budgets: vec![budget("budget:event:wedding", 90_000), budget("budget:total", 90_000)],
        rates: vec![rate("rate:event:wedding", 600, DAY)],
        ..request(400)
    }
}

async fn charged(h: &impl Harness, held: &Held, cost: i64) -> Uuid {
    let row = admit(h, held, &asks()).await;
    h.store().charge(row, &charge(cost)).await.unwrap();
    row
}

async fn doubted(h: &impl Harness, held: &Held) -> Uuid {
    let row = admit(h, held, &asks()).await;
    h.store().mark_ambiguous(row).await.unwrap();
    row
}

/// Settles the message.
async fn settle(h: &impl Harness, held: &Held) {
    done(h.store().park(held, &park(Duration::ZERO)).await.unwrap());
    let claim = h.claim(&held.item).await;
    done(h.store().record(&claim.held, &skipped(&claim)).await.unwrap());
}

async fn sweep(h: &impl Harness) -> Swept {
    h.store().sweep(&kept()).await.unwrap()
}

/// What stands in the ledger, which must balance.
async fn standing(h: &impl Harness) -> NanoUsd {
    h.store().ledger_balances().await.unwrap().unwrap()
}

async fn spent(h: &impl Harness) -> Spent {
    h.store().event_report(&event_id()).await.unwrap().unwrap().spent
}

async fn rows(h: &impl Harness, state: LedgerState) -> Vec<gleaner::store::LedgerRow> {
    let query = LedgerQuery { state: Some(state), limit: 99, ..LedgerQuery::default() };
    h.store().ledger(&query).await.unwrap()
}

async fn closed_rows_are_folded_and_the_ledger_balances(h: &impl Harness) {
    let held = holder(h).await;
    charged(h, &held, 150).await;
    charged(h, &held, 70).await;
    let refunded = admit(h, &held, &asks()).await;
    h.store().refund(refunded, true).await.unwrap();
    settle(h, &held).await;
    h.pass_days(91).await;
    assert_eq!(standing(h).await, NanoUsd(220));
    let swept = sweep(h).await;
    assert_eq!((swept.folded, swept.more), (3, false), "{swept:?}");
    assert_eq!(standing(h).await, NanoUsd(220));
    for state in [LedgerState::Charged, LedgerState::Refunded] {
        assert!(rows(h, state).await.is_empty());
    }
    let mut carried: Vec<_> = rows(h, LedgerState::Carried)
        .await
        .into_iter()
        .map(|row| (row.scopes, row.charged.0, row.event.to_string()))
        .collect();
    carried.sort();
    let of = |scopes: &[&str], event: &str| {
        (scopes.iter().map(|it| (*it).to_owned()).collect(), 220, event.to_owned())
    };
    let expected =
        [of(&[], "-"), of(&["budget:event:wedding"], "wedding"), of(&["budget:total"], "-")];
    assert_eq!(carried, expected);
    assert_eq!(sweep(h).await.folded, 0);
}

async fn an_event_has_spent_what_it_had_before(h: &impl Harness) {
    let held = holder(h).await;
    charged(h, &held, 150).await;
    charged(h, &held, 70).await;
    doubted(h, &held).await;
    let free = admit(h, &held, &asks()).await;
    h.store().refund(free, true).await.unwrap();
    // Answered without a price, and not billed as it turned out.
    let unpriced = admit(h, &held, &asks()).await;
    h.store().charge(unpriced, &Charge { cost: None, ..charge(0) }).await.unwrap();
    h.store().resolve(unpriced, NanoUsd::ZERO, "eve").await.unwrap();
    settle(h, &held).await;
    h.pass_days(91).await;
    let before = spent(h).await;
    let thrice = usage() + usage() + usage();
    assert_eq!(before, Spent { calls: 3, usage: thrice, cost: NanoUsd(220) });
    assert_eq!(sweep(h).await.folded, 4);
    assert_eq!(spent(h).await, before);
    assert_eq!(standing(h).await, NanoUsd(220 + 400));
}

async fn sums_are_carried_on_from_sweep_to_sweep(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    for (name, cost) in [("m1", 150), ("m2", 30)] {
        let held = h.claim(&item(name)).await.held;
        charged(h, &held, cost).await;
        settle(h, &held).await;
        h.pass_days(91).await;
        let before = (spent(h).await, standing(h).await);
        assert_eq!(sweep(h).await.folded, 1);
        assert_eq!((spent(h).await, standing(h).await), before);
    }
    assert_eq!(standing(h).await, NanoUsd(180));
    assert_eq!(rows(h, LedgerState::Carried).await.len(), 3);
}

async fn young_rows_stay(h: &impl Harness) {
    let held = holder(h).await;
    charged(h, &held, 150).await;
    settle(h, &held).await;
    h.pass_days(89).await;
    assert_eq!(sweep(h).await, Swept::default());
    assert_eq!(rows(h, LedgerState::Charged).await.len(), 1);
}

async fn what_is_open_or_in_doubt_stays(h: &impl Harness) {
    let held = holder(h).await;
    let doubt = doubted(h, &held).await;
    settle(h, &held).await;
    let other = h.claim(&item("other")).await.held;
    let open = admit(h, &other, &asks()).await;
    h.pass_days(91).await;
    assert_eq!(sweep(h).await.folded, 0);
    assert_eq!(rows(h, LedgerState::Ambiguous).await[0].id, doubt);
    assert_eq!(rows(h, LedgerState::Reserved).await[0].id, open);
    assert_eq!(standing(h).await, NanoUsd(800));
    // It can be resolved as before, and is kept from then on for as long as any.
    h.store().resolve(doubt, NanoUsd(90), "eve").await.unwrap();
    assert_eq!(sweep(h).await.folded, 0);
    assert_eq!(standing(h).await, NanoUsd(490));
}

async fn answers_that_may_be_replayed_stay(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let waits = h.claim(&item("m1")).await.held;
    charged(h, &waits, 150).await;
    done(h.store().park(&waits, &park(Duration::ZERO)).await.unwrap());
    let works = h.claim(&item("m2")).await.held;
    charged(h, &works, 150).await;
    h.pass_days(91).await;
    assert_eq!(sweep(h).await.folded, 0);
    assert_eq!(h.claim(&item("m1")).await.kept.len(), 1);
}

/// A day's budget whose window holds now.
fn today(now: Timestamp) -> BudgetScope {
    let name = "budget:day".to_owned();
    let half = SignedDuration::from_hours(12);
    let window = Window {
        key: "budget:day:today".to_owned(),
        starts_at: Some(now - half),
        ends_at: Some(now + half),
    };
    BudgetScope { name, windows: vec![window], ..budget("budget:day", 90_000) }
}

async fn asks_today(h: &impl Harness) -> AdmissionRequest {
    let now = h.store().now().await.unwrap();
    AdmissionRequest { budgets: vec![budget("budget:total", 90_000), today(now)], ..request(400) }
}

const TODAY: &str = "select count(*) from scopes where key = 'budget:day:today'";

async fn a_window_that_is_over_goes_with_its_carried_row(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &asks_today(h).await).await;
    h.store().charge(row, &charge(150)).await.unwrap();
    h.pass_days(91).await;
    // Its message is not done.
    sweep(h).await;
    assert_eq!((h.count(TODAY).await, standing(h).await), (1, NanoUsd(150)));
    h.store().release(std::slice::from_ref(&held)).await.unwrap();
    let claim = h.claim(&held.item).await;
    done(h.store().record(&claim.held, &skipped(&claim)).await.unwrap());
    while sweep(h).await.more {}
    sweep(h).await;
    assert_eq!((h.count(TODAY).await, standing(h).await), (0, NanoUsd(150)));
    let carried = rows(h, LedgerState::Carried).await;
    assert_eq!(carried.len(), 2, "of all, and of the budget without a window: {carried:?}");
    assert_eq!(h.store().budgets(Some("budget:total"), 9).await.unwrap()[0].charged, NanoUsd(150));
}

async fn a_window_with_doubts_stays(h: &impl Harness) {
    let held = holder(h).await;
    let asks = asks_today(h).await;
    let row = admit(h, &held, &asks).await;
    h.store().charge(row, &charge(150)).await.unwrap();
    let doubt = admit(h, &held, &asks).await;
    h.store().mark_ambiguous(doubt).await.unwrap();
    settle(h, &held).await;
    h.pass_days(91).await;
    sweep(h).await;
    sweep(h).await;
    assert_eq!((h.count(TODAY).await, standing(h).await), (1, NanoUsd(550)));
    h.store().resolve(doubt, NanoUsd(20), "eve").await.unwrap();
    sweep(h).await;
    assert_eq!((h.count(TODAY).await, standing(h).await), (1, NanoUsd(170)));
    h.pass_days(91).await;
    sweep(h).await;
    sweep(h).await;
    assert_eq!((h.count(TODAY).await, standing(h).await), (0, NanoUsd(170)));
}

async fn a_bounded_number_of_rows_is_folded_at_a_time(h: &impl Harness) {
    let held = holder(h).await;
    for _ in 0..503 {
        charged(h, &held, 2).await;
    }
    settle(h, &held).await;
    h.pass_days(91).await;
    let first = sweep(h).await;
    assert_eq!((first.folded, first.more), (500, true));
    assert_eq!(standing(h).await, NanoUsd(1_006));
    let rest = sweep(h).await;
    assert_eq!((rest.folded, rest.more), (3, false));
    assert_eq!((standing(h).await, spent(h).await.calls), (NanoUsd(1_006), 503));
}

async fn a_carried_row_is_no_request(h: &impl Harness) {
    let held = holder(h).await;
    charged(h, &held, 150).await;
    settle(h, &held).await;
    h.pass_days(91).await;
    let before = h.store().signals(DAY).await.unwrap().accounted.unwrap();
    sweep(h).await;
    let after = h.store().signals(DAY).await.unwrap().accounted;
    assert!(after.is_none_or(|after| after >= before), "{after:?} after {before:?}");
    assert_eq!(h.store().figures(Stretch::last(DAY)).await.unwrap().total().calls, 0);
    let carried = rows(h, LedgerState::Carried).await.remove(0);
    assert_eq!(
        h.store().resolve(carried.id, NanoUsd(1), "eve").await.unwrap(),
        gleaner::store::Resolved::NotAmbiguous(LedgerState::Carried)
    );
    h.store().charge(carried.id, &charge(5)).await.unwrap();
    h.store().refund(carried.id, true).await.unwrap();
    assert_eq!(standing(h).await, NanoUsd(150));
}
