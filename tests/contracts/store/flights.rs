//! The cache, and who computes a key now.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gleaner::domain::ids::Held;
use gleaner::domain::outcome::Reason;
use gleaner::store::{CacheEntry, CacheLookup, CacheWrite, Claim, Record, Store as _};
use serde_json::json;
use tokio::task::JoinSet;

use super::harness::{Harness, LONG, done};
use super::samples::{chat, entry, failed, item, message_id, park, park_on, retry, skipped, usage};

promises! {
    of_many_that_miss_at_once_exactly_one_leads,
    a_leader_that_asks_again_still_leads,
    a_follower_is_told_until_when_the_leader_is_leased,
    a_recorded_entry_is_a_hit_until_it_expires,
    an_expired_entry_is_a_miss,
    a_later_entry_replaces_an_earlier_one,
    the_leaders_record_wakes_its_followers,
    a_follower_of_another_key_sleeps_on,
    a_follower_that_parks_after_the_landing_is_due_at_once,
    a_leader_that_parks_without_fault_leaves_the_flight_open,
    after_a_failed_leader_the_next_one_starts_after_a_growing_pause,
    a_leader_that_fails_for_good_wakes_its_followers,
    a_leader_that_recorded_no_entry_leaves_the_flight_open,
    a_flight_dies_with_its_claim,
    a_released_leader_leaves_the_flight_open,
    a_claim_that_is_over_takes_no_flight,
    a_leader_that_died_counts_as_one_that_failed,
    a_leader_that_gives_up_keeps_the_count_of_failures,
}

const KEY: &str = "task:dj:base";

async fn look(h: &impl Harness, held: &Held) -> CacheLookup {
    h.store().cached_or_flight(held, KEY).await.unwrap()
}

fn pause(lookup: CacheLookup) -> Duration {
    match lookup {
        CacheLookup::InFlight { after } => after,
        CacheLookup::Hit(_) | CacheLookup::Leader => panic!("not in flight but {lookup:?}"),
    }
}

fn hit(lookup: CacheLookup) -> CacheEntry {
    match lookup {
        CacheLookup::Hit(entry) => entry,
        CacheLookup::Leader | CacheLookup::InFlight { .. } => panic!("no hit but {lookup:?}"),
    }
}

fn with_entry(claim: &Claim, entry: CacheWrite) -> Record {
    Record { cache: Some(entry), ..skipped(claim) }
}

/// A leader and a follower that waits for it.
async fn leader_and_follower(h: &impl Harness) -> (Claim, Held) {
    h.ingest(&chat(2)).await;
    let (leader, follower) = (h.claim(&item("m1")).await, h.claim(&item("m2")).await.held);
    assert_eq!(look(h, &leader.held).await, CacheLookup::Leader);
    let after = pause(look(h, &follower).await);
    done(h.store().park(&follower, &park_on(KEY, after)).await.unwrap());
    assert!(!h.is_free(&item("m2")).await);
    (leader, follower)
}

async fn of_many_that_miss_at_once_exactly_one_leads(h: &impl Harness) {
    h.ingest(&chat(16)).await;
    let mut asking = JoinSet::new();
    for n in 1..=16 {
        let (store, held) = (Arc::clone(h.store()), h.claim(&item(&format!("m{n}"))).await.held);
        asking.spawn(async move { store.cached_or_flight(&held, KEY).await.unwrap() });
    }
    let found = asking.join_all().await;
    assert_eq!(found.iter().filter(|one| **one == CacheLookup::Leader).count(), 1);
    assert!(!found.iter().any(|one| matches!(one, CacheLookup::Hit(_))));
}

async fn a_leader_that_asks_again_still_leads(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = h.claim(&item("m1")).await.held;
    assert_eq!(look(h, &held).await, CacheLookup::Leader);
    assert_eq!(look(h, &held).await, CacheLookup::Leader);
}

async fn a_follower_is_told_until_when_the_leader_is_leased(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let (leader, follower) = (h.claim(&item("m1")).await.held, h.claim(&item("m2")).await.held);
    assert_eq!(look(h, &leader).await, CacheLookup::Leader);
    let after = pause(look(h, &follower).await);
    assert!(after <= LONG && after > LONG - Duration::from_secs(60), "{after:?}");
}

async fn a_recorded_entry_is_a_hit_until_it_expires(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let (leader, next) = (h.claim(&item("m1")).await, h.claim(&item("m2")).await);
    let written = entry(KEY, LONG);
    done(h.store().record(&leader.held, &with_entry(&leader, written.clone())).await.unwrap());
    let entry = hit(look(h, &next.held).await);
    assert!(entry.remaining <= LONG && entry.remaining > LONG - Duration::from_secs(60));
    assert_eq!((entry.answer, entry.model), (written.answer, written.model));
    assert_eq!((entry.usage, entry.cost), (usage(), written.cost));
}

async fn an_expired_entry_is_a_miss(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let (leader, next) = (h.claim(&item("m1")).await, h.claim(&item("m2")).await);
    let expired = with_entry(&leader, entry(KEY, Duration::ZERO));
    done(h.store().record(&leader.held, &expired).await.unwrap());
    assert_eq!(look(h, &next.held).await, CacheLookup::Leader);
}

async fn a_later_entry_replaces_an_earlier_one(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    for (name, answer) in [("m1", json!(1)), ("m2", json!(2))] {
        let claim = h.claim(&item(name)).await;
        let write = CacheWrite { answer, ..entry(KEY, LONG) };
        done(h.store().record(&claim.held, &with_entry(&claim, write)).await.unwrap());
    }
    let reader = h.claim(&item("m3")).await.held;
    assert_eq!(hit(look(h, &reader).await).answer, json!(2));
}

async fn the_leaders_record_wakes_its_followers(h: &impl Harness) {
    let (leader, _) = leader_and_follower(h).await;
    let record = with_entry(&leader, entry(KEY, LONG));
    let recorded = done(h.store().record(&leader.held, &record).await.unwrap());
    assert_eq!(recorded.woken, [item("m2")]);
    let woken = h.claim(&item("m2")).await;
    assert_eq!(woken.attempt, 1);
    hit(look(h, &woken.held).await);
}

async fn a_follower_of_another_key_sleeps_on(h: &impl Harness) {
    h.ingest(&chat(4)).await;
    let other = h.claim(&item("m3")).await.held;
    h.store().cached_or_flight(&other, "task:cake:base").await.unwrap();
    let sleeper = h.claim(&item("m4")).await.held;
    done(h.store().park(&sleeper, &park_on("task:cake:base", LONG)).await.unwrap());
    let (leader, _) = leader_and_follower(h).await;
    let record = with_entry(&leader, entry(KEY, LONG));
    let recorded = done(h.store().record(&leader.held, &record).await.unwrap());
    assert_eq!(recorded.woken, [item("m2")]);
    assert!(!h.is_free(&item("m4")).await);
}

async fn a_follower_that_parks_after_the_landing_is_due_at_once(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let (leader, follower) = (h.claim(&item("m1")).await, h.claim(&item("m2")).await.held);
    assert_eq!(look(h, &leader.held).await, CacheLookup::Leader);
    let after = pause(look(h, &follower).await);
    let record = with_entry(&leader, entry(KEY, LONG));
    assert!(done(h.store().record(&leader.held, &record).await.unwrap()).woken.is_empty());
    done(h.store().park(&follower, &park_on(KEY, after)).await.unwrap());
    let waits_for_it = h.store().unsettled_before(&message_id("m3")).await.unwrap();
    assert_eq!(waits_for_it, 1, "what is due at once is not parked");
    assert!(h.is_free(&item("m2")).await);
}

async fn a_leader_that_parks_without_fault_leaves_the_flight_open(h: &impl Harness) {
    let (leader, _) = leader_and_follower(h).await;
    done(h.store().park(&leader.held, &park(LONG)).await.unwrap());
    let next = h.claim(&item("m2")).await.held;
    assert_eq!(look(h, &next).await, CacheLookup::Leader);
}

async fn after_a_failed_leader_the_next_one_starts_after_a_growing_pause(h: &impl Harness) {
    let (leader, _) = leader_and_follower(h).await;
    done(h.store().park(&leader.held, &retry(LONG)).await.unwrap());
    let next = h.claim(&item("m2")).await.held;
    let first = pause(look(h, &next).await);
    assert!(first > Duration::ZERO && first <= Duration::from_secs(300), "{first:?}");
    let since = Instant::now();
    while look(h, &next).await != CacheLookup::Leader {
        assert!(since.elapsed() < first + Duration::from_secs(20), "the flight never opened");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    done(h.store().park(&next, &retry(LONG)).await.unwrap());
    h.ingest(&chat(3)).await;
    let third = h.claim(&item("m3")).await.held;
    assert!(pause(look(h, &third).await) > first);
}

async fn a_leader_that_fails_for_good_wakes_its_followers(h: &impl Harness) {
    let (leader, _) = leader_and_follower(h).await;
    let record = failed(&leader, Reason::Refused);
    let recorded = done(h.store().record(&leader.held, &record).await.unwrap());
    assert_eq!(recorded.woken, [item("m2")]);
    assert!(h.is_free(&item("m2")).await);
}

async fn a_leader_that_recorded_no_entry_leaves_the_flight_open(h: &impl Harness) {
    let (leader, _) = leader_and_follower(h).await;
    let recorded = done(h.store().record(&leader.held, &skipped(&leader)).await.unwrap());
    assert_eq!(recorded.woken, [item("m2")]);
    let next = h.claim(&item("m2")).await.held;
    assert_eq!(look(h, &next).await, CacheLookup::Leader);
}

async fn a_flight_dies_with_its_claim(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let dead = h.claim_and_die(&item("m1")).await.held;
    look(h, &dead).await;
    let next = h.claim(&item("m2")).await.held;
    assert_eq!(look(h, &next).await, CacheLookup::Leader);
    // The dead leader's own item finds another's flight when it is taken over.
    let again = h.claim(&item("m1")).await.held;
    pause(look(h, &again).await);
}

async fn a_released_leader_leaves_the_flight_open(h: &impl Harness) {
    let (leader, _) = leader_and_follower(h).await;
    assert_eq!(h.store().release(&[leader.held]).await.unwrap(), 1);
    let next = h.claim(&item("m2")).await.held;
    assert_eq!(look(h, &next).await, CacheLookup::Leader);
}

async fn a_claim_that_is_over_takes_no_flight(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let over = h.claim(&item("m1")).await.held;
    done(h.store().park(&over, &park(LONG)).await.unwrap());
    assert_eq!(pause(look(h, &over).await), Duration::ZERO);
    let next = h.claim(&item("m2")).await.held;
    assert_eq!(look(h, &next).await, CacheLookup::Leader);
}

/// The pause after the present leader failed.
async fn pause_after(h: &impl Harness, leader: &Held, next: &Held) -> Duration {
    done(h.store().park(leader, &retry(LONG)).await.unwrap());
    pause(look(h, next).await)
}

async fn a_leader_that_died_counts_as_one_that_failed(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let dead = h.claim_and_die(&item("m1")).await.held;
    look(h, &dead).await;
    let (second, third) = (h.claim(&item("m2")).await.held, h.claim(&item("m3")).await.held);
    assert_eq!(look(h, &second).await, CacheLookup::Leader);
    let after = pause_after(h, &second, &third).await;
    assert!(after > Duration::from_secs(1) && after <= Duration::from_secs(2), "{after:?}");
}

async fn a_leader_that_gives_up_keeps_the_count_of_failures(h: &impl Harness) {
    h.ingest(&chat(4)).await;
    let mut held = Vec::new();
    for name in ["m1", "m2", "m3", "m4"] {
        held.push(h.claim(&item(name)).await.held);
    }
    look(h, &held[0]).await;
    pause_after(h, &held[0], &held[1]).await;
    // The pause is over.
    let open = "update flights set open_at = (select created_at from queue_items where id = $1)";
    h.produce(open, &["m1"]).await;
    assert_eq!(look(h, &held[1]).await, CacheLookup::Leader);
    done(h.store().park(&held[1], &park(LONG)).await.unwrap());
    assert_eq!(look(h, &held[2]).await, CacheLookup::Leader);
    let after = pause_after(h, &held[2], &held[3]).await;
    assert!(after > Duration::from_secs(1) && after <= Duration::from_secs(2), "{after:?}");
}
