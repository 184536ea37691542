//! What opens an item again while it is worked on, or still owes its completion event.

use std::time::Duration;

use gleaner::domain::outcome::{Outcome, ParkReason, Reason};
use gleaner::fault::Park;
use gleaner::store::{Claim, Claimed, Due, OwedEvent, Record, Store as _};

use super::harness::{Harness, LONG, done};
use super::samples::{chat, completion, failed, item, park, skipped, told};

promises! {
    an_edit_during_the_work_is_worked_on_afterwards,
    an_edit_before_the_confirm_loses_no_event,
    an_edit_that_only_a_claim_sees_loses_no_event,
    an_edit_that_only_a_claim_sees_during_the_work_is_worked_on_afterwards,
    the_scheduler_publishes_what_is_owed_before_it_hints_the_edit,
    a_message_that_comes_before_its_failure_was_confirmed_waits_for_that,
    an_edit_that_a_later_claim_took_along_opens_nothing,
    several_edits_before_the_confirm_are_worked_on_once,
    a_confirm_of_an_older_event_does_nothing,
    a_confirm_tells_nothing_of_an_item_that_is_worked_on_again,
    an_item_that_was_opened_again_was_recorded_under_its_last_lease,
    an_item_that_was_opened_again_has_all_its_patience,
}

/// Settles what is claimed and leaves its event unconfirmed.
async fn settle(h: &impl Harness, claim: &Claim) -> Record {
    let record = skipped(claim);
    done(h.store().record(&claim.held, &record).await.unwrap());
    record
}

async fn confirm(h: &impl Harness, record: &Record) {
    h.store().confirm(&item("m1"), told(record).id).await.unwrap();
}

/// Asserts that the settled item owes exactly this event.
async fn assert_owes(h: &impl Harness, record: &Record) {
    let settled = h.store().claim(&item("m1"), LONG).await.unwrap();
    let Claimed::Settled { owed: Some(owed) } = settled else {
        panic!("it owes nothing: {settled:?}")
    };
    assert_eq!(owed.completion, told(record));
}

async fn assert_settled(h: &impl Harness) {
    let settled = h.store().claim(&item("m1"), LONG).await.unwrap();
    assert!(matches!(settled, Claimed::Settled { owed: None }), "{settled:?}");
}

/// An edit in a table whose changes no trigger sees, as behind a view.
async fn edit_unseen(h: &impl Harness) {
    h.edit("m1").await;
    h.produce("update queue_items set wanted = -1 where id = $1", &["m1"]).await;
}

async fn an_edit_during_the_work_is_worked_on_afterwards(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    h.edit("m1").await;
    let record = settle(h, &claim).await;
    assert_owes(h, &record).await;
    confirm(h, &record).await;
    assert_eq!(h.store().queue().await.unwrap().pending, 1);
    let due = h.store().tick(9, LONG, false).await.unwrap();
    assert_eq!(due, [Due::Hint(item("m1"))]);
    let second = h.claim(&item("m1")).await;
    assert_eq!((second.message.unwrap().revision, second.attempt), (2, 1));
}

async fn an_edit_before_the_confirm_loses_no_event(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let first = settle(h, &h.claim(&item("m1")).await).await;
    h.edit("m1").await;
    assert_owes(h, &first).await;
    assert_owes(h, &first).await;
    let queue = h.store().queue().await.unwrap();
    assert_eq!((queue.skipped, queue.pending, queue.owed), (1, 0, 1));
    confirm(h, &first).await;
    let claim = h.claim(&item("m1")).await;
    assert_eq!(claim.message.as_ref().unwrap().revision, 2);
    let second = settle(h, &claim).await;
    assert_ne!(told(&second).id, told(&first).id);
    assert_owes(h, &second).await;
    confirm(h, &second).await;
    assert_settled(h).await;
}

async fn an_edit_that_only_a_claim_sees_loses_no_event(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let first = settle(h, &h.claim(&item("m1")).await).await;
    edit_unseen(h).await;
    assert_owes(h, &first).await;
    confirm(h, &first).await;
    assert_eq!(h.claim(&item("m1")).await.message.unwrap().revision, 2);
}

async fn an_edit_that_only_a_claim_sees_during_the_work_is_worked_on_afterwards(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    edit_unseen(h).await;
    assert!(!h.is_free(&item("m1")).await);
    let record = settle(h, &claim).await;
    confirm(h, &record).await;
    assert_eq!(h.claim(&item("m1")).await.message.unwrap().revision, 2);
}

async fn the_scheduler_publishes_what_is_owed_before_it_hints_the_edit(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let record = settle(h, &h.claim(&item("m1")).await).await;
    h.edit("m1").await;
    assert!(h.store().tick(9, LONG, true).await.unwrap().is_empty());
    h.look_now(&item("m1")).await;
    let owed = OwedEvent { item: item("m1"), completion: told(&record) };
    assert_eq!(h.store().tick(9, LONG, true).await.unwrap(), [Due::Owed(owed)]);
    confirm(h, &record).await;
    assert_eq!(h.store().tick(9, LONG, false).await.unwrap(), [Due::Hint(item("m1"))]);
}

async fn a_message_that_comes_before_its_failure_was_confirmed_waits_for_that(h: &impl Harness) {
    let claim = h.claim(&item("m1")).await;
    let record = failed(&claim, Reason::MessageNotFound);
    done(h.store().record(&claim.held, &record).await.unwrap());
    h.ingest(&chat(1)).await;
    assert_owes(h, &record).await;
    confirm(h, &record).await;
    assert!(h.claim(&item("m1")).await.message.is_some());
}

async fn an_edit_that_a_later_claim_took_along_opens_nothing(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    h.edit("m1").await;
    done(h.store().park(&claim.held, &park(Duration::ZERO)).await.unwrap());
    let claim = h.claim(&item("m1")).await;
    assert_eq!(claim.message.as_ref().unwrap().revision, 2);
    let record = settle(h, &claim).await;
    confirm(h, &record).await;
    assert_settled(h).await;
}

async fn several_edits_before_the_confirm_are_worked_on_once(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let first = settle(h, &h.claim(&item("m1")).await).await;
    h.edit("m1").await;
    h.edit("m1").await;
    confirm(h, &first).await;
    let claim = h.claim(&item("m1")).await;
    assert_eq!(claim.message.as_ref().unwrap().revision, 3);
    let second = settle(h, &claim).await;
    confirm(h, &second).await;
    assert_settled(h).await;
}

async fn a_confirm_of_an_older_event_does_nothing(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let first = settle(h, &h.claim(&item("m1")).await).await;
    confirm(h, &first).await;
    h.edit("m1").await;
    let second = settle(h, &h.claim(&item("m1")).await).await;
    h.edit("m1").await;
    confirm(h, &first).await;
    assert_owes(h, &second).await;
    assert_eq!(h.store().queue().await.unwrap().owed, 1);
}

async fn a_confirm_tells_nothing_of_an_item_that_is_worked_on_again(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let first = settle(h, &h.claim(&item("m1")).await).await;
    confirm(h, &first).await;
    h.edit("m1").await;
    let second = h.claim(&item("m1")).await;
    h.edit("m1").await;
    confirm(h, &first).await;
    assert!(!h.is_free(&item("m1")).await);
    let record = settle(h, &second).await;
    assert_eq!(told(&record), completion(&second.held, Outcome::Skipped));
    assert_owes(h, &record).await;
}

async fn an_item_that_was_opened_again_was_recorded_under_its_last_lease(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    let record = settle(h, &claim).await;
    confirm(h, &record).await;
    h.edit("m1").await;
    assert!(h.store().was_recorded(&claim.held).await.unwrap());
    let park = Park { reason: ParkReason::Retry, ..park(Duration::ZERO) };
    let next = h.claim(&item("m1")).await.held;
    done(h.store().park(&next, &park).await.unwrap());
    assert!(!h.store().was_recorded(&claim.held).await.unwrap());
    assert!(!h.store().was_recorded(&next).await.unwrap());
}

async fn an_item_that_was_opened_again_has_all_its_patience(h: &impl Harness) {
    const OLD: &str = "update queue_items set first_claimed_at = sent_at where id = $1";
    h.ingest(&chat(1)).await;
    // Opened by the confirm, by the producer, and by the claim itself.
    for way in 0..3 {
        let claim = h.claim(&item("m1")).await;
        assert!(claim.age < LONG, "way {way} left {:?}", claim.age);
        h.produce(OLD, &["m1"]).await;
        let record = settle(h, &claim).await;
        if way == 0 {
            h.edit("m1").await;
        } else if way == 2 {
            edit_unseen(h).await;
        }
        confirm(h, &record).await;
        if way == 1 {
            h.edit("m1").await;
        }
    }
    assert!(h.claim(&item("m1")).await.age < LONG);
}
