//! Settled items: the completion event that is owed, and what opens them again.

use gleaner::domain::outcome::{Outcome, Reason};
use gleaner::store::{Claimed, OwedEvent, Store};
use uuid::Uuid;

use super::harness::{Harness, LONG, done};
use super::samples::{chat, completion, failed, item, skipped, told};

promises! {
    a_settled_item_owes_its_completion_event_until_it_is_confirmed,
    an_owed_event_is_the_same_byte_for_byte_each_time,
    confirming_another_event_settles_nothing,
    a_settled_message_stays_settled,
    a_message_that_was_not_found_is_opened_again_once_it_exists,
    a_higher_revision_opens_a_settled_item_again,
    an_opened_item_is_as_good_as_new,
}

/// The completion event that a settled item owes.
async fn owed(store: &impl Store, name: &str) -> Option<OwedEvent> {
    match store.claim(&item(name), LONG).await.unwrap() {
        Claimed::Settled { owed } => owed,
        other @ (Claimed::Held(_) | Claimed::NotNow) => panic!("not settled but {other:?}"),
    }
}

/// Settles an item as skipped, its event confirmed.
async fn settle(h: &impl Harness, name: &str) {
    let claim = h.claim(&item(name)).await;
    let record = skipped(&claim);
    done(h.store().record(&claim.held, &record).await.unwrap());
    h.store().confirm(&item(name), told(&record).id).await.unwrap();
}

async fn a_settled_item_owes_its_completion_event_until_it_is_confirmed(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    let record = skipped(&claim);
    done(h.store().record(&claim.held, &record).await.unwrap());
    let event = owed(h.store().as_ref(), "m1").await.unwrap();
    assert_eq!(event, OwedEvent { item: item("m1"), completion: told(&record) });
    h.store().confirm(&item("m1"), event.completion.id).await.unwrap();
    assert_eq!(owed(h.store().as_ref(), "m1").await, None);
}

async fn an_owed_event_is_the_same_byte_for_byte_each_time(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    done(h.store().record(&claim.held, &skipped(&claim)).await.unwrap());
    let first = owed(h.store().as_ref(), "m1").await;
    assert_eq!(first, owed(h.store().as_ref(), "m1").await);
    assert_eq!(first.unwrap().completion, completion(&claim.held, Outcome::Skipped));
}

async fn confirming_another_event_settles_nothing(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    done(h.store().record(&claim.held, &skipped(&claim)).await.unwrap());
    h.store().confirm(&item("m1"), Uuid::new_v4()).await.unwrap();
    assert!(owed(h.store().as_ref(), "m1").await.is_some());
}

async fn a_settled_message_stays_settled(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    settle(h, "m1").await;
    h.ingest(&chat(1)).await;
    assert_eq!(owed(h.store().as_ref(), "m1").await, None);
    assert_eq!(h.store().queue().await.unwrap().skipped, 1);
}

async fn a_message_that_was_not_found_is_opened_again_once_it_exists(h: &impl Harness) {
    let claim = h.claim(&item("m1")).await;
    let record = failed(&claim, Reason::MessageNotFound);
    done(h.store().record(&claim.held, &record).await.unwrap());
    h.store().confirm(&item("m1"), told(&record).id).await.unwrap();
    assert_eq!(owed(h.store().as_ref(), "m1").await, None);
    h.ingest(&chat(1)).await;
    assert!(h.claim(&item("m1")).await.message.is_some());
}

async fn a_higher_revision_opens_a_settled_item_again(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    settle(h, "m1").await;
    h.edit("m1").await;
    let message = h.claim(&item("m1")).await.message.unwrap();
    assert_eq!((message.revision, message.text.as_str()), (2, "edited"));
}

async fn an_opened_item_is_as_good_as_new(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    h.claim_and_die(&item("m1")).await;
    settle(h, "m1").await;
    let settled_at = h.store().now().await.unwrap();
    h.edit("m1").await;
    let claim = h.claim(&item("m1")).await;
    let since = h.store().now().await.unwrap().duration_since(settled_at);
    assert_eq!(claim.attempt, 1);
    // One millisecond more: a trigger's clock may be that coarse.
    assert!(claim.age.as_micros() <= since.as_micros().unsigned_abs() + 1_000, "{:?}", claim.age);
    assert!(!h.store().was_recorded(&claim.held).await.unwrap());
}
