//! Claims and their leases.

use std::sync::Arc;
use std::time::Duration;

use gleaner::domain::chat::{Message, Remark};
use gleaner::domain::ids::{Held, RoomId};
use gleaner::domain::outcome::Reason;
use gleaner::store::{Admission, Claimed, Fenced, IngestBatch, Store as _};
use tokio::task::JoinSet;

use super::harness::{Harness, LONG, earlier};
use super::samples::{
    chat, event, failed, item, message, message_id, park, person, request, skipped,
};

promises! {
    a_claim_brings_message_room_and_event,
    a_claim_brings_the_last_8_messages_before_it_oldest_first,
    a_first_message_has_none_before_it,
    neither_other_rooms_nor_what_came_later_nor_what_was_deleted_is_before_a_message,
    of_messages_of_the_same_instant_those_of_lesser_ids_come_before,
    a_long_message_before_another_is_cut,
    a_claim_counts_its_attempt_and_tells_the_items_age,
    an_items_age_counts_from_its_first_claim,
    a_claim_of_a_message_without_a_row_makes_the_item,
    a_message_without_a_room_is_told_apart,
    a_room_without_an_event_is_told_apart,
    a_message_that_was_deleted_brings_no_event,
    an_item_that_is_no_message_brings_its_event,
    a_second_claim_while_leased_is_not_now,
    of_many_claims_at_once_exactly_one_holds,
    a_lease_that_ran_out_can_be_taken_over,
    a_holder_whose_lease_was_taken_over_writes_nothing_more,
    a_renewed_lease_is_not_taken_over,
    renewing_names_what_is_not_held_any_more,
    renewing_nothing_finds_nothing_lost,
}

async fn a_claim_brings_message_room_and_event(h: &impl Harness) {
    let mut batch = chat(2);
    batch.messages[0].detected_intent = Some("query".to_owned());
    batch.messages[0].extracted_entities = Some(serde_json::json!({"topic": "tasks"}));
    h.ingest(&batch).await;
    let claim = h.claim(&item("m1")).await;
    assert_eq!(claim.message.as_ref(), Some(&batch.messages[0]));
    assert_eq!(claim.event, Some(event()));
    assert!(claim.room_exists && claim.kept.is_empty());
    assert_eq!(claim.held.item, item("m1"));
}

fn remarks(messages: &[Message]) -> Vec<Remark> {
    let remark = |of: &Message| Remark { sender: Some(of.sender.clone()), text: of.text.clone() };
    messages.iter().map(remark).collect()
}

async fn a_claim_brings_the_last_8_messages_before_it_oldest_first(h: &impl Harness) {
    let mut batch = chat(12);
    batch.messages[8].sender = person("Ben");
    h.ingest(&batch).await;
    assert_eq!(h.claim(&item("m11")).await.before, remarks(&batch.messages[2..10]));
    assert_eq!(h.claim(&item("m4")).await.before, remarks(&batch.messages[..3]));
}

async fn a_first_message_has_none_before_it(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    assert!(h.claim(&item("m1")).await.before.is_empty());
    assert!(h.claim(&item("ghost")).await.before.is_empty());
}

async fn neither_other_rooms_nor_what_came_later_nor_what_was_deleted_is_before_a_message(
    h: &impl Harness,
) {
    let mut batch = chat(6);
    batch.messages[1].room = RoomId::parse("kitchen").unwrap();
    h.ingest(&batch).await;
    h.produce("update messages set deleted_at = sent_at where id = $1", &["m3"]).await;
    let before = [batch.messages[0].clone(), batch.messages[3].clone()];
    assert_eq!(h.claim(&item("m5")).await.before, remarks(&before));
}

async fn of_messages_of_the_same_instant_those_of_lesser_ids_come_before(h: &impl Harness) {
    let messages = ["c", "B", "a", "b"].map(|id| message(id, 1, "Ann")).to_vec();
    let before = [messages[1].clone(), messages[2].clone()];
    h.ingest(&IngestBatch { event: event(), messages }).await;
    assert_eq!(h.claim(&item("b")).await.before, remarks(&before));
}

async fn a_long_message_before_another_is_cut(h: &impl Harness) {
    let mut batch = chat(2);
    batch.messages[0].text = "🎸".repeat(5_000);
    h.ingest(&batch).await;
    let claim = h.claim(&item("m2")).await;
    assert_eq!(claim.before[0].text, "🎸".repeat(1_024), "4,096 bytes");
}

async fn a_claim_counts_its_attempt_and_tells_the_items_age(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let first = h.claim_and_die(&item("m1")).await;
    let second = h.claim(&item("m1")).await;
    assert_eq!((first.attempt, second.attempt), (1, 2));
    assert!(second.age >= first.age && second.age < LONG, "{:?}", second.age);
}

async fn an_items_age_counts_from_its_first_claim(h: &impl Harness) {
    const MADE: &str = "update queue_items set created_at = sent_at where id = $1";
    const FIRST: &str = "update queue_items set first_claimed_at = sent_at where id = $1";
    h.ingest(&chat(1)).await;
    h.produce(MADE, &["m1"]).await;
    assert!(h.claim_and_die(&item("m1")).await.age < LONG, "the queue's time counted");
    h.produce(FIRST, &["m1"]).await;
    assert!(h.claim(&item("m1")).await.age > LONG);
}

async fn a_claim_of_a_message_without_a_row_makes_the_item(h: &impl Harness) {
    let claim = h.claim(&item("ghost")).await;
    assert!(claim.message.is_none() && claim.event.is_none() && !claim.room_exists);
    assert_eq!(claim.attempt, 1);
    assert_eq!(h.store().queue().await.unwrap().processing, 1);
}

async fn a_message_without_a_room_is_told_apart(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    h.produce("delete from rooms where id = $1", &["room"]).await;
    let claim = h.claim(&item("m1")).await;
    assert!(claim.message.is_some() && !claim.room_exists && claim.event.is_none());
}

async fn a_room_without_an_event_is_told_apart(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    h.produce("delete from events where id = $1", &["wedding"]).await;
    let claim = h.claim(&item("m1")).await;
    assert!(claim.message.is_some() && claim.room_exists && claim.event.is_none());
}

async fn a_message_that_was_deleted_brings_no_event(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    h.produce("delete from messages where id = $1", &["m1"]).await;
    let claim = h.claim(&item("m1")).await;
    assert!(claim.message.is_none() && claim.event.is_none() && !claim.room_exists);
}

async fn an_item_that_is_no_message_brings_its_event(h: &impl Harness) {
    const MAKE: &str = "insert into queue_items (id, kind, event_id, due_at, look_at, created_at)
        select $1, 'suggestion', event_id, due_at, look_at, created_at from queue_items";
    h.ingest(&chat(1)).await;
    h.produce(MAKE, &["run"]).await;
    let claim = h.claim(&item("run")).await;
    assert!(claim.message.is_none() && claim.room_exists);
    assert_eq!(claim.event, Some(event()));
}

async fn a_second_claim_while_leased_is_not_now(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    h.claim(&item("m1")).await;
    let second = h.store().claim(&item("m1"), LONG).await.unwrap();
    assert!(matches!(second, Claimed::NotNow), "{second:?}");
}

async fn of_many_claims_at_once_exactly_one_holds(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    for name in ["m1", "ghost"] {
        let mut claims = JoinSet::new();
        for _ in 0..16 {
            let store = Arc::clone(h.store());
            claims.spawn(async move { store.claim(&item(name), LONG).await.unwrap() });
        }
        let claimed = claims.join_all().await;
        let holders = claimed.iter().filter(|one| matches!(one, Claimed::Held(_))).count();
        assert_eq!(holders, 1, "{name}");
    }
}

async fn a_lease_that_ran_out_can_be_taken_over(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let dead = h.claim_and_die(&item("m1")).await;
    let taken = h.claim(&item("m1")).await;
    assert!(taken.held.lease > dead.held.lease);
    assert_eq!(taken.attempt, dead.attempt + 1);
}

async fn a_holder_whose_lease_was_taken_over_writes_nothing_more(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let old = h.claim_and_die(&item("m1")).await;
    let new = h.claim(&item("m1")).await;
    let store = h.store();
    assert_eq!(store.park(&old.held, &park(LONG)).await.unwrap(), Fenced::Lost);
    assert_eq!(
        store.record(&old.held, &failed(&old, Reason::Refused)).await.unwrap(),
        Fenced::Lost
    );
    assert_eq!(store.admit(&old.held, &request(5)).await.unwrap(), Admission::Lost);
    assert_eq!(store.renew(std::slice::from_ref(&old.held), LONG).await.unwrap(), [item("m1")]);
    assert_eq!(store.release(std::slice::from_ref(&old.held)).await.unwrap(), 0);
    assert!(!store.was_recorded(&old.held).await.unwrap());
    assert!(matches!(store.record(&new.held, &skipped(&new)).await.unwrap(), Fenced::Done(_)));
}

async fn a_renewed_lease_is_not_taken_over(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim_and_die(&item("m1")).await;
    assert!(h.store().renew(&[claim.held], LONG).await.unwrap().is_empty());
    assert!(!h.is_free(&item("m1")).await);
}

async fn renewing_names_what_is_not_held_any_more(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let kept = h.claim(&item("m1")).await.held;
    let parked = h.claim(&item("m2")).await.held;
    assert_eq!(h.store().park(&parked, &park(LONG)).await.unwrap(), Fenced::Done(()));
    let stale = earlier(&h.claim(&item("m3")).await.held);
    let unknown = Held { item: (&message_id("ghost")).into(), lease: kept.lease };
    let lost = h.store().renew(&[kept, parked, stale, unknown], Duration::from_secs(9)).await;
    let mut lost = lost.unwrap();
    lost.sort();
    assert_eq!(lost, [item("ghost"), item("m2"), item("m3")]);
}

async fn renewing_nothing_finds_nothing_lost(h: &impl Harness) {
    assert!(h.store().renew(&[], LONG).await.unwrap().is_empty());
}
