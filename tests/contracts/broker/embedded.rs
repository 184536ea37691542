//! What the queue in process does in its own way.

use gleaner::broker::embedded::EmbeddedBroker;
use gleaner::broker::{Broker as _, BrokerError, Published};

use super::stage::{completion, items, many_items, take};

#[tokio::test]
async fn an_id_that_already_waits_is_not_taken_twice() {
    let broker = EmbeddedBroker::new();
    broker.publish_hints(&items(&["a", "b", "a"])).await.unwrap();
    broker.publish_hints(&items(&["b"])).await.unwrap();
    assert_eq!(broker.ready().await, Ok(2));
    let mut deliveries = broker.deliveries(4).await;
    assert_eq!(take(&mut deliveries, 2).await, ["a", "b"]);
    // Handed over, it may wait again: the worker may have parked it meanwhile.
    broker.publish_hints(&items(&["a"])).await.unwrap();
    assert_eq!(take(&mut deliveries, 1).await, ["a"]);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_keeps_what_it_has() {
    let broker = EmbeddedBroker::with_room(3);
    let refused = broker.publish_hints(&many_items("m", 5)).await;
    assert!(
        matches!(&refused, Err(BrokerError::Refused(why)) if why.contains("2 of 5")),
        "{refused:?}"
    );
    let mut deliveries = broker.deliveries(8).await;
    assert_eq!(take(&mut deliveries, 3).await, ["m-000", "m-001", "m-002"]);
}

#[tokio::test]
async fn no_more_than_the_prefetch_is_handed_over_before_it_is_taken() {
    let broker = EmbeddedBroker::new();
    let mut deliveries = broker.deliveries(2).await;
    broker.publish_hints(&many_items("m", 10)).await.unwrap();
    assert_eq!(take(&mut deliveries, 1).await, ["m-000"]);
    assert!(broker.ready().await.unwrap() >= 7, "more than one and the prefetch left the queue");
}

#[tokio::test]
async fn a_completion_event_is_routed_to_all_who_listen() {
    let broker = EmbeddedBroker::new();
    let (mut one, mut two) = (broker.completions(), broker.completions());
    let event = completion("message.completed.query");
    assert_eq!(broker.publish_completion(&event).await, Ok(Published::Routed));
    assert_eq!((one.recv().await.unwrap(), two.recv().await.unwrap()), (event.clone(), event));
}

#[tokio::test]
async fn the_newest_dead_letters_are_kept_with_their_reasons_and_all_are_counted() {
    let broker = EmbeddedBroker::new();
    for i in 0..150 {
        broker.dead_letter(format!("bad {i}").as_bytes(), "not an ID").await.unwrap();
    }
    let kept = broker.dead_letters();
    assert_eq!((kept.len(), broker.dead_letter_count()), (100, 150));
    assert_eq!(
        (kept[99].body.as_slice(), kept[99].reason.as_str()),
        (&b"bad 149"[..], "not an ID")
    );
}
