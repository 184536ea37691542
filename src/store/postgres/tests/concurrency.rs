//! Many workers on few items, with leases that run out at once: every step
//! meets every other, and none may wait for another in a ring.

use super::super::PostgresStore;
use super::super::testing::{Database, LEASE, NOW, event, ingest, item, record, request};
use crate::domain::enrichment::Contribution;
use crate::domain::ids::Held;
use crate::domain::intent::{FollowUp, FollowUpKind, Target};
use crate::domain::outcome::{Outcome, ParkReason};
use crate::domain::usage::{NanoUsd, Usage};
use crate::fault::Park;
use crate::store::{Admission, CacheLookup, Charge, Claim, Claimed, Fenced, Store};

const ITEMS: u32 = 6;
const WORKERS: u32 = 12;
const ROUNDS: u32 = 40;

fn park(flight: Option<&str>) -> Park {
    Park {
        after: NOW,
        reason: ParkReason::FlightTaken,
        spend_attempt: false,
        detail: None,
        flight: flight.map(str::to_owned),
    }
}

fn cancellation() -> Contribution {
    let kind = FollowUpKind::Cancellation;
    let follow_up = FollowUp { kind, target: Target::default() };
    Contribution { enrichment: None, follow_up: Some(follow_up) }
}

/// Done or lost: whoever fights over leases takes both as right.
fn either<T>(_: Fenced<T>) {}

/// What a worker does with a claim that others take from it at any moment.
async fn work(store: &PostgresStore, claim: Claim, choice: u32) {
    let held: &Held = &claim.held;
    let key = format!("key{}", choice % 2);
    let flight = store.cached_or_flight(held, &key).await.unwrap();
    if let CacheLookup::InFlight { .. } = flight {
        either(store.park(held, &park(Some(&key))).await.unwrap());
        return;
    }
    if let Admission::Admitted { ledger } =
        store.admit(held, &request(100_000, 1_000_000)).await.unwrap()
    {
        let usage = Usage { input: 1, ..Usage::default() };
        let bill = Charge { usage, cost: Some(NanoUsd(3)), model: "m".into(), answer: None };
        match choice % 5 {
            0 => store.refund(ledger, true).await.unwrap(),
            1 => store.mark_ambiguous(ledger).await.unwrap(),
            2 => {} // dies here
            _ => {
                store.charge(ledger, &bill).await.unwrap();
            }
        }
    }
    match choice % 7 {
        0 => {
            store.release(std::slice::from_ref(held)).await.unwrap();
        }
        1 | 2 => {
            either(store.park(held, &park(None)).await.unwrap());
        }
        3 => {
            store.renew(std::slice::from_ref(held), NOW).await.unwrap();
        }
        4 => {
            let record = record(&claim, Outcome::Completed, cancellation());
            either(store.record(held, &record).await.unwrap());
        }
        _ => {} // dies here
    }
}

/// The producer raises the revision, so that what was settled is worked on again.
async fn edit(store: &PostgresStore, n: u32) {
    let edit = sqlx::query("update messages set revision = revision + 1 where id = $1");
    edit.bind(item(n).as_str()).execute(&store.pool).await.unwrap();
}

#[tokio::test]
async fn workers_that_fight_over_items_never_deadlock_and_the_ledger_balances() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..ITEMS).await;
    let workers = (0..WORKERS).map(|worker| {
        let store = &store;
        async move {
            for round in 0..ROUNDS {
                let choice = worker * 31 + round * 17;
                let claimed = store.claim(&item(choice % ITEMS), NOW).await.unwrap();
                if let Claimed::Held(claim) = claimed {
                    work(store, *claim, choice).await;
                }
                store.tick(3, NOW, true).await.unwrap();
                edit(store, choice % ITEMS).await;
            }
        }
    });
    futures::future::join_all(workers).await;
    let total = store.ledger_balances().await.unwrap().unwrap();
    assert!(total > NanoUsd::ZERO);
    for n in 0..ITEMS {
        if let Claimed::Held(claim) = store.claim(&item(n), LEASE).await.unwrap() {
            let record = record(&claim, Outcome::Skipped, Contribution::default());
            either(store.record(&claim.held, &record).await.unwrap());
        }
    }
    let progress = store.progress(&event().id).await.unwrap();
    assert_eq!((progress.settled, progress.total), (u64::from(ITEMS), u64::from(ITEMS)));
    database.drop(store).await;
}
