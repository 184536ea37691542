//! What a provider says of its limits holds for all replicas, and what a request taught of its
//! own arrival frees its places sooner.

use std::time::{Duration, Instant};

use gleaner::store::{
    Admission, AdmissionRequest, Heard, Left, ProviderNeeds, ProviderWord, Store,
};
use uuid::Uuid;

use super::harness::{Harness, LONG};
use super::lines::{ask, called, claim, is_admitted, next_called, waits};
use super::samples::{at, budget, chat, rate, request};

promises! {
    a_pause_holds_every_model_of_the_account,
    a_models_pause_holds_that_model_only,
    another_account_goes_on,
    the_longest_pause_is_told,
    a_pause_is_never_shortened,
    a_pause_that_is_over_does_not_bind,
    no_requests_left_holds_until_their_reset,
    tokens_left_hold_whoever_needs_more,
    every_admission_takes_of_what_is_left,
    a_limit_whose_reset_has_passed_does_not_bind,
    what_a_word_does_not_name_stays_as_it_was,
    a_refusal_takes_no_place_and_joins_no_line,
    a_spent_budget_is_told_before_a_pause_and_a_busy_one_after_it,
    a_request_that_arrived_sooner_frees_its_place_sooner,
    an_arrival_told_twice_counts_once,
    a_late_arrival_changes_nothing,
    whoever_waits_is_called_when_the_place_frees_sooner,
}

const MINUTE: Duration = Duration::from_secs(60);

fn asks(model: &str, input: u64, output: u64) -> AdmissionRequest {
    let (account, model) = ("main".to_owned(), model.to_owned());
    let provider = Some(ProviderNeeds { account, model, input, output });
    AdmissionRequest { provider, queues: true, ..request(10) }
}

fn word(model: &str) -> ProviderWord {
    let (account, model) = ("main".to_owned(), model.to_owned());
    ProviderWord { account, model, ..ProviderWord::default() }
}

fn left(remaining: u64, reset: Duration) -> Option<Left> {
    Some(Left { remaining, reset })
}

/// Tells it of a row that nobody knows any more.
async fn hear(h: &impl Harness, word: ProviderWord) {
    let heard = Heard { arrived_within: None, word: Some(word) };
    h.store().heard(Uuid::new_v4(), &heard).await.unwrap();
}

/// For how long a request has to wait; no time when it is admitted.
async fn pause(h: &impl Harness, request: &AdmissionRequest) -> Duration {
    let held = h.store().claim(&super::samples::item("m1"), Duration::ZERO).await.unwrap();
    let held = super::harness::held(held).held;
    let told = ask(h, &held, request).await;
    if let Admission::ProviderPaused { after } = told {
        return after;
    }
    assert!(matches!(told, Admission::Admitted { .. }), "neither admitted nor paused but {told:?}");
    Duration::ZERO
}

fn is_about(wait: Duration, told: Duration) -> bool {
    wait <= told && wait + Duration::from_secs(20) > told
}

async fn a_pause_holds_every_model_of_the_account(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    hear(h, ProviderWord { account_pause: Some(MINUTE), ..word("sonnet") }).await;
    for model in ["sonnet", "haiku"] {
        let wait = pause(h, &asks(model, 1, 1)).await;
        assert!(is_about(wait, MINUTE), "{wait:?}");
    }
}

async fn a_models_pause_holds_that_model_only(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    hear(h, ProviderWord { model_pause: Some(MINUTE), ..word("sonnet") }).await;
    assert!(is_about(pause(h, &asks("sonnet", 1, 1)).await, MINUTE));
    assert_eq!(pause(h, &asks("haiku", 1, 1)).await, Duration::ZERO);
}

async fn another_account_goes_on(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    hear(h, ProviderWord { account_pause: Some(MINUTE), ..word("sonnet") }).await;
    let mut elsewhere = asks("sonnet", 1, 1);
    elsewhere.provider.as_mut().unwrap().account = "other".to_owned();
    assert_eq!(pause(h, &elsewhere).await, Duration::ZERO);
    assert_eq!(pause(h, &AdmissionRequest { provider: None, ..elsewhere }).await, Duration::ZERO);
}

async fn the_longest_pause_is_told(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let pauses = word("sonnet");
    let requests = left(0, MINUTE * 2);
    let (account_pause, model_pause) = (Some(MINUTE), Some(MINUTE * 3));
    hear(h, ProviderWord { account_pause, model_pause, requests, ..pauses }).await;
    assert!(is_about(pause(h, &asks("sonnet", 1, 1)).await, MINUTE * 3));
    assert!(is_about(pause(h, &asks("haiku", 1, 1)).await, MINUTE));
}

async fn a_pause_is_never_shortened(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    for pause in [MINUTE * 3, MINUTE] {
        let (account_pause, model_pause) = (Some(pause), Some(pause));
        hear(h, ProviderWord { account_pause, model_pause, ..word("sonnet") }).await;
    }
    assert!(is_about(pause(h, &asks("haiku", 1, 1)).await, MINUTE * 3));
    assert!(is_about(pause(h, &asks("sonnet", 1, 1)).await, MINUTE * 3));
}

async fn a_pause_that_is_over_does_not_bind(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let account_pause = Some(Duration::from_millis(30));
    hear(h, ProviderWord { account_pause, ..word("sonnet") }).await;
    let begun = Instant::now();
    while pause(h, &asks("sonnet", 1, 1)).await > Duration::ZERO {
        assert!(begun.elapsed() < Duration::from_secs(20), "it holds for ever");
    }
}

async fn no_requests_left_holds_until_their_reset(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    hear(h, ProviderWord { requests: left(0, MINUTE), ..word("sonnet") }).await;
    assert!(is_about(pause(h, &asks("sonnet", 0, 0)).await, MINUTE));
    assert_eq!(pause(h, &asks("haiku", 0, 0)).await, Duration::ZERO);
}

async fn tokens_left_hold_whoever_needs_more(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let (input, output) = (left(1_000, MINUTE), left(100, MINUTE * 2));
    hear(h, ProviderWord { input, output, ..word("sonnet") }).await;
    assert!(is_about(pause(h, &asks("sonnet", 1_001, 100)).await, MINUTE));
    assert!(is_about(pause(h, &asks("sonnet", 1_000, 101)).await, MINUTE * 2));
    assert_eq!(pause(h, &asks("sonnet", 1_000, 100)).await, Duration::ZERO);
}

async fn every_admission_takes_of_what_is_left(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    hear(h, ProviderWord { requests: left(2, MINUTE), ..word("sonnet") }).await;
    for _ in 0..2 {
        assert_eq!(pause(h, &asks("sonnet", 1, 1)).await, Duration::ZERO);
    }
    assert!(is_about(pause(h, &asks("sonnet", 1, 1)).await, MINUTE));
    let (input, output) = (left(100, MINUTE), left(100, MINUTE));
    hear(h, ProviderWord { input, output, ..word("haiku") }).await;
    assert_eq!(pause(h, &asks("haiku", 60, 20)).await, Duration::ZERO);
    assert!(is_about(pause(h, &asks("haiku", 41, 1)).await, MINUTE));
    assert!(is_about(pause(h, &asks("haiku", 1, 81)).await, MINUTE));
    assert_eq!(pause(h, &asks("haiku", 40, 80)).await, Duration::ZERO);
}

async fn a_limit_whose_reset_has_passed_does_not_bind(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let over = left(0, Duration::ZERO);
    let all = ProviderWord { requests: over, input: over, output: over, ..word("sonnet") };
    hear(h, all).await;
    assert_eq!(pause(h, &asks("sonnet", u64::MAX, 1)).await, Duration::ZERO);
    assert_eq!(pause(h, &asks("sonnet", 1, 1)).await, Duration::ZERO);
}

async fn what_a_word_does_not_name_stays_as_it_was(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    hear(h, ProviderWord { requests: left(0, MINUTE), ..word("sonnet") }).await;
    hear(h, ProviderWord { input: left(9, MINUTE * 2), ..word("sonnet") }).await;
    assert!(is_about(pause(h, &asks("sonnet", 1, 1)).await, MINUTE));
    hear(h, ProviderWord { requests: left(9, MINUTE), ..word("sonnet") }).await;
    assert!(is_about(pause(h, &asks("sonnet", 10, 1)).await, MINUTE * 2));
    assert_eq!(pause(h, &asks("sonnet", 9, 1)).await, Duration::ZERO);
}

async fn a_refusal_takes_no_place_and_joins_no_line(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    hear(h, ProviderWord { account_pause: Some(MINUTE), ..word("sonnet") }).await;
    let rates = vec![rate("rate:event:e", 1, LONG)];
    let budgets = vec![budget("budget:all", 10)];
    let limited = AdmissionRequest { rates, budgets, ..asks("sonnet", 1, 1) };
    assert!(pause(h, &limited).await > Duration::ZERO);
    assert_eq!(h.count("select count(*) from lines").await, 0);
    is_admitted(h, 1, &AdmissionRequest { provider: None, ..limited }).await;
}

async fn a_spent_budget_is_told_before_a_pause_and_a_busy_one_after_it(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let budgets = vec![budget("budget:all", 15)];
    let asks = AdmissionRequest { budgets, ..asks("sonnet", 1, 1) };
    is_admitted(h, 2, &asks).await;
    hear(h, ProviderWord { account_pause: Some(MINUTE), ..word("sonnet") }).await;
    assert!(pause(h, &asks).await > Duration::ZERO);
    let held = claim(h, 1).await;
    let more = AdmissionRequest { worst_case: gleaner::domain::usage::NanoUsd(16), ..asks };
    let told = ask(h, &held, &more).await;
    assert!(matches!(told, Admission::OverBudget { .. }), "{told:?}");
}

/// What message `mN` asks of a rate that gives a permit long to be sent.
fn limited(n: i64, limit: u32) -> AdmissionRequest {
    let mut rate = rate("rate:event:e", limit, Duration::from_millis(150));
    rate.send_within = LONG;
    AdmissionRequest { rates: vec![rate], sent_at: at(n), queues: true, ..request(10) }
}

async fn arrives(h: &impl Harness, ledger: Uuid, within: Duration) {
    let heard = Heard { arrived_within: Some(within), word: None };
    h.store().heard(ledger, &heard).await.unwrap();
}

async fn a_request_that_arrived_sooner_frees_its_place_sooner(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let begun = Instant::now();
    let row = is_admitted(h, 1, &limited(1, 1)).await;
    arrives(h, row, Duration::from_millis(50)).await;
    let held = claim(h, 2).await;
    while let Admission::RateLimited { after, .. } = ask(h, &held, &limited(2, 1)).await {
        assert!(after <= Duration::from_millis(200), "{after:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "the place never freed");
    }
    assert!(begun.elapsed() >= Duration::from_millis(199), "{:?}", begun.elapsed());
}

async fn an_arrival_told_twice_counts_once(h: &impl Harness) {
    h.ingest(&chat(4)).await;
    // Whoever is fresh has its hint before anybody is called.
    called(h).await;
    let row = is_admitted(h, 1, &limited(1, 2)).await;
    is_admitted(h, 2, &limited(2, 2)).await;
    waits(h, 3, &limited(3, 2)).await;
    for _ in 0..3 {
        arrives(h, row, Duration::ZERO).await;
    }
    assert_eq!(next_called(h).await, [3]);
    is_admitted(h, 3, &limited(3, 2)).await;
    let after = waits(h, 4, &limited(4, 2)).await;
    assert!(after > LONG / 2, "a second place freed: {after:?}");
}

async fn a_late_arrival_changes_nothing(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let row = is_admitted(h, 1, &limited(1, 1)).await;
    arrives(h, row, LONG * 2).await;
    let after = waits(h, 2, &limited(2, 1)).await;
    assert!(after > LONG / 2 && after <= LONG + Duration::from_millis(150), "{after:?}");
}

async fn whoever_waits_is_called_when_the_place_frees_sooner(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let row = is_admitted(h, 1, &limited(1, 1)).await;
    waits(h, 2, &limited(2, 1)).await;
    assert!(called(h).await.is_empty());
    arrives(h, row, Duration::from_millis(1)).await;
    assert_eq!(next_called(h).await, [2]);
    is_admitted(h, 2, &limited(2, 1)).await;
}
