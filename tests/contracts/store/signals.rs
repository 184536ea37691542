//! What alerts judge beside figures.

use std::time::Duration;

use gleaner::domain::outcome::Reason;
use gleaner::domain::usage::NanoUsd;
use gleaner::store::{
    AdmissionRequest, BudgetChange, BudgetScope, BudgetUse, Charge, Heard, ProviderWord, Record,
    Signals, Store as _, Window,
};
use jiff::SignedDuration;

use super::harness::{Harness, admit, done, holder};
use super::samples::{budget, charge, chat, completed, failed, item, metric, request, task, told};

promises! {
    an_empty_database_has_no_signals,
    what_failed_is_counted_for_a_while,
    what_failed_and_was_opened_again_is_no_failure,
    what_is_in_doubt_is_counted_at_its_worst,
    the_last_request_or_metric_says_when_all_was_accounted,
    the_oldest_items_are_those_of_the_queue,
    providers_are_told_while_they_pause,
    budgets_are_told_from_half_spent_on,
    a_quiet_events_budget_is_not_told,
    an_operators_limit_stands_before_the_settings,
    a_window_that_does_not_run_is_not_told,
    at_most_a_thousand_budgets_are_told,
}

const HOUR: Duration = Duration::from_secs(3_600);

async fn signals(h: &impl Harness) -> Signals {
    h.store().signals(HOUR).await.unwrap()
}

async fn an_empty_database_has_no_signals(h: &impl Harness) {
    let before = h.store().now().await.unwrap();
    let told = signals(h).await;
    assert!(told.at >= before && told.at <= h.store().now().await.unwrap());
    let nothing = Signals {
        at: told.at,
        failed: 0,
        ambiguous_rows: 0,
        ambiguous: NanoUsd::ZERO,
        unpriced_rows: 0,
        accounted: None,
        oldest_due: Duration::ZERO,
        oldest_processing: Duration::ZERO,
        paused_providers: Vec::new(),
        budgets: Vec::new(),
    };
    assert_eq!(told, nothing);
}

async fn fail(h: &impl Harness, name: &str) {
    let claim = h.claim(&item(name)).await;
    let record = failed(&claim, Reason::Refused);
    done(h.store().record(&claim.held, &record).await.unwrap());
    h.store().confirm(&item(name), told(&record).id).await.unwrap();
}

async fn what_failed_is_counted_for_a_while(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    fail(h, "m1").await;
    h.pass(30).await;
    fail(h, "m2").await;
    assert_eq!(signals(h).await.failed, 2);
    h.pass(31).await;
    assert_eq!(signals(h).await.failed, 1);
    h.pass(30).await;
    assert_eq!(signals(h).await.failed, 0);
}

async fn what_failed_and_was_opened_again_is_no_failure(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    fail(h, "m1").await;
    h.edit("m1").await;
    assert_eq!(signals(h).await.failed, 0);
    fail(h, "m1").await;
    assert_eq!(signals(h).await.failed, 1, "an item that failed twice is one");
}

async fn what_is_in_doubt_is_counted_at_its_worst(h: &impl Harness) {
    let held = holder(h).await;
    let unanswered = admit(h, &held, &request(400)).await;
    h.store().mark_ambiguous(unanswered).await.unwrap();
    let unpriced = admit(h, &held, &request(50)).await;
    h.store().charge(unpriced, &Charge { cost: None, ..charge(0) }).await.unwrap();
    let fine = admit(h, &held, &request(999)).await;
    h.store().charge(fine, &charge(150)).await.unwrap();
    let told = signals(h).await;
    assert_eq!((told.ambiguous_rows, told.ambiguous, told.unpriced_rows), (2, NanoUsd(450), 1));
    for (row, left) in [(unanswered, (1, NanoUsd(50), 1)), (unpriced, (0, NanoUsd::ZERO, 0))] {
        h.store().resolve(row, NanoUsd(9), "eve").await.unwrap();
        let told = signals(h).await;
        assert_eq!((told.ambiguous_rows, told.ambiguous, told.unpriced_rows), left);
    }
}

async fn the_last_request_or_metric_says_when_all_was_accounted(h: &impl Harness) {
    let held = holder(h).await;
    let minutes = async || signals(h).await.accounted.unwrap().as_secs() / 60;
    admit(h, &held, &request(400)).await;
    assert_eq!(minutes().await, 0);
    h.pass(20).await;
    assert_eq!(minutes().await, 20);
    let claim = h.claim(&item("other")).await;
    let record = Record { metric: Some(metric(true)), ..completed(&claim, task("dj")) };
    done(h.store().record(&claim.held, &record).await.unwrap());
    assert_eq!(minutes().await, 0);
    h.pass(7).await;
    assert_eq!(minutes().await, 7);
    admit(h, &held, &request(400)).await;
    assert_eq!(minutes().await, 0);
}

async fn the_oldest_items_are_those_of_the_queue(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    h.claim(&item("m1")).await;
    h.pass(5).await;
    let (told, queue) = (signals(h).await, h.store().queue().await.unwrap());
    for (told, queue) in
        [(told.oldest_due, queue.oldest_due), (told.oldest_processing, queue.oldest_processing)]
    {
        assert!(told >= Duration::from_secs(300) && told <= queue, "{told:?}, {queue:?}");
    }
}

async fn providers_are_told_while_they_pause(h: &impl Harness) {
    let held = holder(h).await;
    let row = admit(h, &held, &request(400)).await;
    let word = ProviderWord {
        account: "anthropic".to_owned(),
        model: "sonnet".to_owned(),
        account_pause: Some(HOUR),
        model_pause: Some(HOUR / 2),
        ..ProviderWord::default()
    };
    let heard = Heard { word: Some(word), ..Heard::default() };
    h.store().heard(row, &heard).await.unwrap();
    let told = signals(h).await.paused_providers;
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["anthropic", "anthropic/sonnet"]);
    assert!(told[0].1 <= HOUR && told[0].1 > HOUR - Duration::from_secs(60), "{told:?}");
    h.pass(31).await;
    assert_eq!(signals(h).await.paused_providers.len(), 1);
    h.pass(30).await;
    assert!(signals(h).await.paused_providers.is_empty());
}

/// A charged request of those budgets.
async fn spend(h: &impl Harness, budgets: Vec<BudgetScope>, cost: i64) {
    let held = h.claim(&item(&format!("m-{}", uuid::Uuid::new_v4()))).await.held;
    let row = admit(h, &held, &AdmissionRequest { budgets, ..request(cost) }).await;
    h.store().charge(row, &charge(cost)).await.unwrap();
}

fn used(name: &str, spent: i64, limit: i64) -> BudgetUse {
    BudgetUse {
        key: name.to_owned(),
        name: name.to_owned(),
        spent: NanoUsd(spent),
        limit: NanoUsd(limit),
    }
}

async fn budgets_are_told_from_half_spent_on(h: &impl Harness) {
    let counts_only = BudgetScope { limit: None, ..budget("budget:month", 0) };
    let all = || {
        vec![
            budget("budget:event:wedding", 1_000),
            budget("budget:total", 1_200),
            counts_only.clone(),
        ]
    };
    spend(h, all(), 499).await;
    assert!(signals(h).await.budgets.is_empty());
    spend(h, all(), 1).await;
    assert_eq!(signals(h).await.budgets, [used("budget:event:wedding", 500, 1_000)]);
    // What is in doubt counts, what is reserved does not.
    let held = holder(h).await;
    let open = AdmissionRequest { budgets: all(), ..request(200) };
    admit(h, &held, &open).await;
    assert_eq!(signals(h).await.budgets.len(), 1);
    let doubt = admit(h, &held, &open).await;
    h.store().mark_ambiguous(doubt).await.unwrap();
    let expected = [used("budget:event:wedding", 700, 1_000), used("budget:total", 700, 1_200)];
    assert_eq!(signals(h).await.budgets, expected);
}

async fn a_quiet_events_budget_is_not_told(h: &impl Harness) {
    spend(h, vec![budget("budget:event:wedding", 100), budget("budget:total", 100)], 90).await;
    assert_eq!(signals(h).await.budgets.len(), 2);
    h.pass(24 * 60 + 1).await;
    assert_eq!(signals(h).await.budgets, [used("budget:total", 90, 100)]);
}

async fn an_operators_limit_stands_before_the_settings(h: &impl Harness) {
    let total = || vec![budget("budget:total", 1_000)];
    spend(h, total(), 400).await;
    let set = async |change| h.store().set_budget("budget:total", change, "eve").await.unwrap();
    set(BudgetChange::Limit(NanoUsd(800))).await;
    assert_eq!(signals(h).await.budgets, [used("budget:total", 400, 800)]);
    set(BudgetChange::Limit(NanoUsd(801))).await;
    assert!(signals(h).await.budgets.is_empty());
    spend(h, total(), 400).await;
    assert_eq!(signals(h).await.budgets.len(), 1);
    set(BudgetChange::Lift).await;
    assert!(signals(h).await.budgets.is_empty());
    set(BudgetChange::Limit(NanoUsd(0))).await;
    assert!(signals(h).await.budgets.is_empty(), "of nothing there is no half");
}

async fn a_window_that_does_not_run_is_not_told(h: &impl Harness) {
    let now = h.store().now().await.unwrap();
    let day = Window {
        key: "budget:day:today".to_owned(),
        starts_at: Some(now - SignedDuration::from_hours(1)),
        ends_at: Some(now + SignedDuration::from_hours(1)),
    };
    let scope = BudgetScope { windows: vec![day], ..budget("budget:day", 100) };
    spend(h, vec![scope], 80).await;
    let told = BudgetUse { key: "budget:day:today".to_owned(), ..used("budget:day", 80, 100) };
    assert_eq!(signals(h).await.budgets, [told]);
    h.pass(61).await;
    assert!(signals(h).await.budgets.is_empty());
}

async fn at_most_a_thousand_budgets_are_told(h: &impl Harness) {
    const COPY: &str =
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < 1100)
        insert into scopes (key, name, most, charged)
        select key || i, name || i, most, charged - i from scopes, n where key = $1";
    spend(h, vec![budget("budget:tenant:e", 10_000)], 10_000).await;
    h.produce(COPY, &["budget:tenant:e"]).await;
    let told = signals(h).await.budgets;
    assert_eq!(told.len(), 1_000);
    assert_eq!(told[0], used("budget:tenant:e", 10_000, 10_000));
    assert!(told.windows(2).all(|pair| pair[0].spent >= pair[1].spent));
}
