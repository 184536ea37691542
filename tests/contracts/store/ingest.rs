//! Inputs in.

use gleaner::store::{Claimed, IngestBatch, IngestReport, Store as _};

use super::harness::{Harness, LONG};
use super::samples::{chat, event, event_id, item, message};

promises! {
    new_messages_are_told_in_the_order_of_the_batch,
    ingesting_twice_adds_nothing,
    a_longer_chat_adds_only_what_is_new,
    a_known_message_stays_as_it_is,
    a_message_that_stands_twice_in_a_batch_is_written_once,
    whoever_wrote_takes_part,
    an_event_is_updated_by_its_id,
    an_ingested_message_can_be_claimed_at_once,
}

async fn new_messages_are_told_in_the_order_of_the_batch(h: &impl Harness) {
    let mut batch = chat(12);
    batch.messages.reverse();
    let report = h.store().ingest(&batch).await.unwrap();
    let ids: Vec<_> = batch.messages.iter().map(|message| message.id.clone()).collect();
    assert_eq!(report, IngestReport { new: ids, known: 0 });
}

async fn ingesting_twice_adds_nothing(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let again = h.store().ingest(&chat(3)).await.unwrap();
    assert_eq!(again, IngestReport { new: Vec::new(), known: 3 });
    assert_eq!(h.store().queue().await.unwrap().pending, 3);
}

async fn a_longer_chat_adds_only_what_is_new(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let longer = h.store().ingest(&chat(4)).await.unwrap();
    assert_eq!((longer.new.len(), longer.known), (2, 2));
}

async fn a_known_message_stays_as_it_is(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let mut changed = chat(1);
    changed.messages[0].text = "something else".to_owned();
    h.ingest(&changed).await;
    let claim = h.claim(&item("m1")).await;
    assert_eq!(claim.message, Some(chat(1).messages[0].clone()));
}

async fn a_message_that_stands_twice_in_a_batch_is_written_once(h: &impl Harness) {
    let mut batch = chat(1);
    batch.messages.push(batch.messages[0].clone());
    let report = h.store().ingest(&batch).await.unwrap();
    assert_eq!((report.new.len(), report.known), (1, 1));
}

async fn whoever_wrote_takes_part(h: &impl Harness) {
    let messages = vec![message("m1", 1, "Dot"), message("m2", 2, "Ann"), message("m3", 3, "Dot")];
    h.ingest(&IngestBatch { event: event(), messages }).await;
    let claim = h.claim(&item("m1")).await;
    let names: Vec<_> = claim.event.unwrap().participants.into_iter().map(|p| p.name).collect();
    assert_eq!(names, ["Ann", "Ben", "Cai", "Dot"]);
}

async fn an_event_is_updated_by_its_id(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let mut batch = chat(1);
    batch.event.name = "The wedding".to_owned();
    batch.event.starts_at = None;
    batch.event.participants[1].name = "Benjamin".to_owned();
    h.ingest(&batch).await;
    let report = h.store().event_report(&event_id()).await.unwrap().unwrap();
    assert_eq!(report.event, batch.event);
}

async fn an_ingested_message_can_be_claimed_at_once(h: &impl Harness) {
    for round in 0..20 {
        let id = format!("n{round}");
        let messages = vec![message(&id, round, "Ann")];
        h.ingest(&IngestBatch { event: event(), messages }).await;
        let claimed = h.store().claim(&item(&id), LONG).await.unwrap();
        assert!(matches!(claimed, Claimed::Held(_)), "round {round}: {claimed:?}");
    }
}
