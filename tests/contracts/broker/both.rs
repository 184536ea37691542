//! What holds for every broker, whatever it is.

use gleaner::broker::embedded::EmbeddedBroker;
use gleaner::broker::{Broker, BrokerError, Published};

use super::stage::{completion, items, many_items, next, on_stage, take, until, until_ready};

/// One test for each broker. RabbitMQ publishes already, so that its topology is there.
macro_rules! for_both {
    ($($name:ident),+ $(,)?) => {
        mod rabbitmq {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                on_stage(async |stage| {
                    let broker = stage.publishing().await;
                    super::$name(&broker).await;
                    broker.close().await;
                }).await;
            })+
        }
        mod embedded {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                super::$name(&EmbeddedBroker::new()).await;
            })+
        }
    };
}

for_both!(
    a_published_hint_arrives_as_a_delivery,
    every_hint_of_a_large_batch_arrives_once,
    hints_wait_until_somebody_consumes,
    the_deliveries_end_only_when_consuming_was_stopped,
    a_delivery_can_be_acknowledged_after_consuming_was_stopped,
    consuming_can_begin_again_after_it_was_stopped,
    a_completion_event_that_nobody_listens_for_is_not_routed,
    a_dead_letter_is_taken,
    health_tells_whether_deliveries_can_arrive,
    check_says_what_waits,
    a_closed_broker_says_that_it_is_unavailable,
);

async fn a_published_hint_arrives_as_a_delivery(broker: &dyn Broker) {
    let mut deliveries = broker.deliveries(4).await;
    broker.publish_hints(&items(&["msg-1"])).await.unwrap();
    assert_eq!(take(&mut deliveries, 1).await, ["msg-1"]);
}

async fn every_hint_of_a_large_batch_arrives_once(broker: &dyn Broker) {
    let sent = many_items("m", 700);
    let mut deliveries = broker.deliveries(32).await;
    broker.publish_hints(&sent).await.unwrap();
    let expected: Vec<_> = sent.iter().map(|item| item.as_str().to_owned()).collect();
    assert_eq!(take(&mut deliveries, sent.len()).await, expected);
    until_ready(broker, 0).await;
}

async fn hints_wait_until_somebody_consumes(broker: &dyn Broker) {
    broker.publish_hints(&items(&["a", "b", "c"])).await.unwrap();
    until_ready(broker, 3).await;
    let mut deliveries = broker.deliveries(4).await;
    assert_eq!(take(&mut deliveries, 3).await, ["a", "b", "c"]);
}

async fn the_deliveries_end_only_when_consuming_was_stopped(broker: &dyn Broker) {
    let mut deliveries = broker.deliveries(4).await;
    broker.publish_hints(&items(&["a"])).await.unwrap();
    assert_eq!(take(&mut deliveries, 1).await, ["a"]);
    broker.stop_consuming().await;
    assert!(deliveries.recv().await.is_none());
    broker.publish_hints(&items(&["b"])).await.unwrap();
    until_ready(broker, 1).await;
}

async fn a_delivery_can_be_acknowledged_after_consuming_was_stopped(broker: &dyn Broker) {
    let mut deliveries = broker.deliveries(4).await;
    broker.publish_hints(&items(&["a"])).await.unwrap();
    let held = next(&mut deliveries).await;
    broker.stop_consuming().await;
    assert!(held.ack().await.unwrap());
    assert!(deliveries.recv().await.is_none());
    until_ready(broker, 0).await;
}

async fn consuming_can_begin_again_after_it_was_stopped(broker: &dyn Broker) {
    let first = broker.deliveries(4).await;
    broker.stop_consuming().await;
    drop(first);
    broker.publish_hints(&items(&["a"])).await.unwrap();
    let mut second = broker.deliveries(4).await;
    assert_eq!(take(&mut second, 1).await, ["a"]);
}

async fn a_completion_event_that_nobody_listens_for_is_not_routed(broker: &dyn Broker) {
    let published = broker.publish_completion(&completion("message.completed.query")).await;
    assert!(matches!(published, Ok(Published::Unrouted | Published::Unheard)), "{published:?}");
}

async fn a_dead_letter_is_taken(broker: &dyn Broker) {
    broker.dead_letter(b"two words", "not an ID").await.unwrap();
}

async fn health_tells_whether_deliveries_can_arrive(broker: &dyn Broker) {
    assert!(!broker.health().consuming);
    let _deliveries = broker.deliveries(5).await;
    until(broker, |health| health.consuming).await;
    let health = broker.health();
    assert_eq!((health.publishing, health.blocked), (true, false));
    assert_eq!((health.generation, health.prefetch), (1, 5));
    broker.stop_consuming().await;
    assert!(!broker.health().consuming);
}

async fn check_says_what_waits(broker: &dyn Broker) {
    broker.publish_hints(&items(&["a", "b"])).await.unwrap();
    until_ready(broker, 2).await;
    let found = broker.check().await.unwrap();
    assert!(found.contains('2'), "{found}");
}

async fn a_closed_broker_says_that_it_is_unavailable(broker: &dyn Broker) {
    broker.close().await;
    let refused = broker.publish_hints(&items(&["a"])).await;
    assert!(matches!(refused, Err(BrokerError::Unavailable(_))), "{refused:?}");
    let health = broker.health();
    assert!(!health.consuming && !health.publishing);
}
