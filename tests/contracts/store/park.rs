//! Putting an item back.

use std::time::Duration;

use gleaner::store::{Claimed, Fenced, Store as _};

use super::harness::{Harness, LONG};
use super::samples::{chat, item, park, retry};

promises! {
    a_parked_item_is_not_claimed_before_it_is_due,
    an_item_parked_for_no_time_is_due_at_once,
    a_park_keeps_the_attempt_unless_it_is_spent,
    a_park_by_the_same_lease_is_made_once,
    a_released_item_is_due_at_once_with_its_attempt_given_back,
    a_release_counts_only_what_was_still_held,
}

async fn a_parked_item_is_not_claimed_before_it_is_due(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    assert_eq!(h.store().park(&claim.held, &park(LONG)).await.unwrap(), Fenced::Done(()));
    let early = h.store().claim(&item("m1"), LONG).await.unwrap();
    assert!(matches!(early, Claimed::NotNow), "{early:?}");
    assert_eq!(h.store().queue().await.unwrap().pending, 1);
}

async fn an_item_parked_for_no_time_is_due_at_once(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let first = h.claim(&item("m1")).await;
    let parked = h.store().park(&first.held, &park(Duration::ZERO)).await.unwrap();
    assert_eq!(parked, Fenced::Done(()));
    assert!(h.claim(&item("m1")).await.held.lease > first.held.lease);
}

async fn a_park_keeps_the_attempt_unless_it_is_spent(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let mut attempts = Vec::new();
    for spends in [false, false, true, false, true] {
        let claim = h.claim(&item("m1")).await;
        attempts.push(claim.attempt);
        let park = if spends { retry(Duration::ZERO) } else { park(Duration::ZERO) };
        assert_eq!(h.store().park(&claim.held, &park).await.unwrap(), Fenced::Done(()));
    }
    attempts.push(h.claim(&item("m1")).await.attempt);
    assert_eq!(attempts, [1, 1, 1, 2, 2, 3]);
}

async fn a_park_by_the_same_lease_is_made_once(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    assert_eq!(h.store().park(&claim.held, &park(LONG)).await.unwrap(), Fenced::Done(()));
    assert_eq!(h.store().park(&claim.held, &park(Duration::ZERO)).await.unwrap(), Fenced::Lost);
    assert!(!h.is_free(&item("m1")).await);
}

async fn a_released_item_is_due_at_once_with_its_attempt_given_back(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let held = [h.claim(&item("m1")).await.held, h.claim(&item("m2")).await.held];
    assert_eq!(h.store().release(&held).await.unwrap(), 2);
    assert_eq!(h.claim(&item("m1")).await.attempt, 1);
    assert_eq!(h.claim(&item("m2")).await.attempt, 1);
}

async fn a_release_counts_only_what_was_still_held(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let gone = h.claim(&item("m1")).await.held;
    assert_eq!(h.store().park(&gone, &park(LONG)).await.unwrap(), Fenced::Done(()));
    let held = h.claim(&item("m2")).await.held;
    assert_eq!(h.store().release(&[gone, held]).await.unwrap(), 1);
    assert!(!h.is_free(&item("m1")).await);
    assert_eq!(h.store().release(&[]).await.unwrap(), 0);
}
