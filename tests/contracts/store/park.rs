//! Putting an item back.

use std::time::Duration;

use gleaner::domain::outcome::ParkReason;
use gleaner::fault::Park;
use gleaner::store::{Claimed, Fenced, RuntimeChange, Store as _};

use super::harness::{Harness, LONG};
use super::samples::{chat, event_id, item, message_id, park, retry};

promises! {
    a_parked_item_is_not_claimed_before_it_is_due,
    an_item_parked_for_no_time_is_due_at_once,
    a_park_keeps_the_attempt_unless_it_is_spent,
    a_park_by_the_same_lease_is_made_once,
    a_released_item_is_due_at_once_with_its_attempt_given_back,
    a_release_counts_only_what_was_still_held,
    a_renewed_claim_can_be_released,
    a_park_is_noted_with_the_attempt_that_it_ends,
    a_message_that_comes_while_its_absence_is_worked_on_is_due_at_once,
    a_message_that_comes_wakes_the_item_that_waits_for_it,
    patience_begins_anew_after_a_wait_that_an_operator_asked_for,
    the_end_of_a_pause_makes_those_due_who_wait_for_it,
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

async fn the_end_of_a_pause_makes_those_due_who_wait_for_it(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    for (id, reason) in [("m1", ParkReason::Paused), ("m2", ParkReason::RateLimited)] {
        let claim = h.claim(&item(id)).await;
        let wait = Park { reason, ..park(LONG) };
        assert_eq!(h.store().park(&claim.held, &wait).await.unwrap(), Fenced::Done(()));
    }
    h.store().change_runtime(&RuntimeChange::Pause(false), "an operator").await.unwrap();
    let due = async {
        while matches!(h.store().claim(&item("m1"), LONG).await.unwrap(), Claimed::NotNow) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, due).await.expect("it is due when replicas know of the change");
    let other = h.store().claim(&item("m2"), LONG).await.unwrap();
    assert!(matches!(other, Claimed::NotNow), "{other:?}");
}

async fn patience_begins_anew_after_a_wait_that_an_operator_asked_for(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    for (reason, is_anew) in [
        (ParkReason::RateLimited, false),
        (ParkReason::BudgetSpent, true),
        (ParkReason::BudgetBusy, false),
        (ParkReason::Paused, true),
    ] {
        let claim = h.claim(&item("m1")).await;
        let pause = Duration::from_millis(20);
        tokio::time::sleep(pause).await;
        let put_back = Park { reason, ..park(Duration::ZERO) };
        assert_eq!(h.store().park(&claim.held, &put_back).await.unwrap(), Fenced::Done(()));
        let next = h.claim(&item("m1")).await;
        assert_eq!(next.age < pause, is_anew, "{reason:?}: {:?}", next.age);
        assert_eq!(h.store().release(&[next.held]).await.unwrap(), 1);
    }
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

async fn a_renewed_claim_can_be_released(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = [h.claim(&item("m1")).await.held];
    assert!(h.store().renew(&held, LONG).await.unwrap().is_empty());
    assert_eq!(h.store().release(&held).await.unwrap(), 1);
    assert_eq!(h.store().renew(&held, LONG).await.unwrap(), [item("m1")]);
    assert_eq!(h.claim(&item("m1")).await.attempt, 1);
}

async fn a_park_is_noted_with_the_attempt_that_it_ends(h: &impl Harness) {
    const NOTED: &str = "select count(*) from item_history where what = 'parked' and attempt = 1
        and reason in ('rate_limited', 'drained', 'retry')";
    h.ingest(&chat(1)).await;
    for park in [park(Duration::ZERO), retry(Duration::ZERO)] {
        let held = h.claim(&item("m1")).await.held;
        assert_eq!(h.store().release(&[held]).await.unwrap(), 1);
        let held = h.claim(&item("m1")).await.held;
        assert_eq!(h.store().park(&held, &park).await.unwrap(), Fenced::Done(()));
    }
    assert_eq!(h.count(NOTED).await, 4);
}

/// A park that waits for the message's row.
fn missing() -> Park {
    Park { reason: ParkReason::MessageMissing, ..park(LONG) }
}

async fn a_message_that_comes_while_its_absence_is_worked_on_is_due_at_once(h: &impl Harness) {
    let early = h.claim(&item("m1")).await.held;
    h.ingest(&chat(1)).await;
    assert_eq!(h.store().park(&early, &missing()).await.unwrap(), Fenced::Done(()));
    assert!(h.claim(&item("m1")).await.message.is_some());
}

async fn a_message_that_comes_wakes_the_item_that_waits_for_it(h: &impl Harness) {
    let early = h.claim(&item("m1")).await.held;
    assert_eq!(h.store().park(&early, &missing()).await.unwrap(), Fenced::Done(()));
    assert!(!h.is_free(&item("m1")).await);
    h.ingest(&chat(2)).await;
    assert_eq!(h.store().progress(&event_id()).await.unwrap().total, 2);
    assert_eq!(h.store().unsettled_before(&message_id("m2")).await.unwrap(), 1);
    assert!(h.claim(&item("m1")).await.message.is_some());
}
