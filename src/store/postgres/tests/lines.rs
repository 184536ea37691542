//! Limits of every kind under a crowd: every step that takes a scope's lock meets every other,
//! windows change under their eyes, and none may wait for another in a ring.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::PostgresStore;
use super::super::testing::{Database, LEASE, NOW, claim, ingest, item, record, request};
use crate::domain::enrichment::Contribution;
use crate::domain::ids::{EventId, Held};
use crate::domain::outcome::{Outcome, ParkReason};
use crate::domain::usage::{NanoUsd, Usage};
use crate::fault::Park;
use crate::store::{
    Admission, AdmissionRequest, BudgetChange, BudgetScope, Charge, Claim, Claimed, Fenced, Heard,
    LedgerQuery, LedgerState, Left, ProviderNeeds, ProviderWord, Store, Window,
};

const ITEMS: u32 = 24;
const WORKERS: u32 = 12;
const ROUNDS: u32 = 60;
/// How long a budget's window is here.
const SLOT_MS: i64 = 150;

/// The windows of a budget around now, for longer than any statement waits.
fn slots(name: &str) -> Vec<Window> {
    let at = |slot: i64| Some(Timestamp::from_millisecond(slot * SLOT_MS).unwrap());
    let now = Timestamp::now().as_millisecond() / SLOT_MS;
    let window = |slot| Window {
        key: format!("{name}:{slot:012}"),
        starts_at: at(slot),
        ends_at: at(slot + 1),
    };
    (now - 2..now + 300).map(window).collect()
}

/// A request whose rates, budgets and provider are all scarce.
fn asking(choice: u32) -> AdmissionRequest {
    let mut request = request(3, 1_000);
    let event = format!("event{}", choice % 3);
    request.event = EventId::parse(&event).unwrap();
    request.queues = !choice.is_multiple_of(4);
    request.sent_at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(i64::from(choice % 50));
    let mut by_sender = request.rates[0].clone();
    by_sender.key = format!("rate:sender:{}", choice % 5);
    request.rates[0].key = format!("rate:event:{event}");
    request.rates.push(by_sender);
    for rate in &mut request.rates {
        (rate.window, rate.send_within) = (Duration::from_millis(15), Duration::from_millis(10));
    }
    let all = request.budgets[0].clone();
    let named = |name: &str, limit: i64, waits| BudgetScope {
        name: name.to_owned(),
        limit: Some(NanoUsd(limit)),
        in_flight_share: 0.6,
        waits,
        ..all.clone()
    };
    request.budgets = vec![
        BudgetScope { windows: slots("budget:slot"), ..named("budget:slot", 60, true) },
        named("budget:all", 100_000, false),
    ];
    request.budgets[1].windows[0].key = "budget:all".into();
    let (account, model) = ("main".into(), format!("model{}", choice % 2));
    request.provider = Some(ProviderNeeds { account, model, input: 5, output: 1 });
    request
}

/// What a response taught.
fn heard(choice: u32) -> Heard {
    let left = Left { remaining: u64::from(choice % 9), reset: Duration::from_millis(5) };
    let pause = choice.is_multiple_of(5).then_some(Duration::from_millis(2));
    let word = ProviderWord {
        account: "main".into(),
        model: format!("model{}", choice % 2),
        account_pause: pause,
        model_pause: pause,
        requests: Some(left),
        input: Some(left),
        output: None,
    };
    Heard { arrived_within: Some(Duration::from_millis(3)), word: Some(word) }
}

/// Whoever fights over leases takes both as right.
fn either<T>(_: Fenced<T>) {}

async fn close(store: &PostgresStore, held: &Held, ledger: uuid::Uuid, choice: u32) {
    let usage = Usage { input: 1, ..Usage::default() };
    let cost = (!choice.is_multiple_of(6)).then_some(NanoUsd(2));
    let bill = Charge { usage, cost, model: "m".into(), answer: None };
    match choice % 5 {
        0 => store.refund(ledger, true).await.unwrap(),
        1 => store.mark_ambiguous(ledger).await.unwrap(),
        2 => either(store.renew(std::slice::from_ref(held), NOW).await.map(Fenced::Done).unwrap()),
        _ => {
            store.charge(ledger, &bill).await.unwrap();
        }
    }
    store.heard(ledger, &heard(choice)).await.unwrap();
}

/// What a worker does with a claim; sometimes it dies half-way.
async fn work(store: &PostgresStore, claim: Claim, choice: u32) {
    let held = &claim.held;
    let (after, reason) = match store.admit(held, &asking(choice)).await.unwrap() {
        Admission::Admitted { ledger } => {
            close(store, held, ledger, choice).await;
            if choice.is_multiple_of(3) {
                let record = record(&claim, Outcome::Skipped, Contribution::default());
                return either(store.record(held, &record).await.unwrap());
            }
            (NOW, ParkReason::Retry)
        }
        Admission::RateLimited { after, .. } => (after, ParkReason::RateLimited),
        Admission::BudgetBusy { after, .. } => (after, ParkReason::BudgetBusy),
        Admission::BudgetSpent { after, .. } => (after, ParkReason::BudgetSpent),
        Admission::ProviderPaused { after } => (after, ParkReason::ProviderPaused),
        Admission::OverBudget { .. } | Admission::Lost => return,
    };
    let spend_attempt = reason == ParkReason::Retry;
    let park = Park { after, reason, spend_attempt, detail: None, flight: None };
    either(store.park(held, &park).await.unwrap());
}

/// What operators and producers do meanwhile.
async fn meddle(store: &PostgresStore, choice: u32) {
    let change = match choice % 3 {
        0 => BudgetChange::Limit(NanoUsd(i64::from(choice % 100))),
        1 => BudgetChange::Lift,
        _ => BudgetChange::Default,
    };
    store.set_budget("budget:slot", change, "ops").await.unwrap();
    let state = Some(LedgerState::Ambiguous);
    let query = LedgerQuery { state, limit: 3, ..LedgerQuery::default() };
    for row in store.ledger(&query).await.unwrap() {
        store.resolve(row.id, NanoUsd(i64::from(choice % 2)), "ops").await.unwrap();
    }
    let edit = sqlx::query("update messages set revision = revision + 1 where id = $1");
    edit.bind(item(choice % ITEMS).as_str()).execute(&store.pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_at_every_limit_never_deadlocks_and_the_ledger_balances() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..ITEMS).await;
    let workers = (0..WORKERS).map(|worker| {
        let store = store.clone();
        async move {
            for round in 0..ROUNDS {
                let choice = worker * 31 + round * 17;
                let lease = if choice.is_multiple_of(7) { NOW } else { LEASE };
                let claimed = store.claim(&item(choice % ITEMS), lease).await.unwrap();
                if let Claimed::Held(claim) = claimed {
                    work(&store, *claim, choice).await;
                }
                store.tick(3, NOW, true).await.unwrap();
                if choice.is_multiple_of(5) {
                    meddle(&store, choice).await;
                }
            }
        }
    });
    let running: tokio::task::JoinSet<()> = workers.collect();
    running.join_all().await;
    store.ledger_balances().await.unwrap().unwrap();
    let admitted: i64 =
        sqlx::query_scalar("select count(*) from ledger").fetch_one(&store.pool).await.unwrap();
    assert!(admitted > 20, "only {admitted} were admitted");
    no_line_is_forgotten(&store).await;
    database.drop(store).await;
}

/// A line in which somebody waits has a time at which it is looked at.
async fn no_line_is_forgotten(store: &PostgresStore) {
    let forgotten = "select count(*) from lines l join scopes s on s.key = l.scope
        where s.opens_at is null";
    let forgotten: i64 = sqlx::query_scalar(forgotten).fetch_one(&store.pool).await.unwrap();
    assert_eq!(forgotten, 0);
    let twice = "select count(*) from (select 1 from lines group by item_id having count(*) > 1) x";
    let twice: i64 = sqlx::query_scalar(twice).fetch_one(&store.pool).await.unwrap();
    assert_eq!(twice, 0);
}

#[tokio::test]
async fn a_request_whose_windows_do_not_hold_now_is_told_that_the_clocks_differ() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 1..2).await;
    let held = claim(&store, &item(1), LEASE).await.held;
    let mut request = request(20, 1_000);
    request.budgets[0].windows[0].ends_at = Some(Timestamp::UNIX_EPOCH);
    let error = store.admit(&held, &request).await.unwrap_err();
    assert!(error.to_string().contains("the clocks differ"), "{error}");
    database.drop(store).await;
}
