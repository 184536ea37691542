//! What RabbitMQ's side does when the network breaks, stalls, or is not there yet.

use std::time::Duration;

use gleaner::broker::amqp::AmqpBroker;
use gleaner::broker::{Broker as _, BrokerError, Published};
use gleaner::settings::BrokerSettings;

use super::stage::{completion, items, many_items, next, on_stage, take, until};

#[tokio::test]
async fn a_broker_that_is_not_there_at_start_is_connected_to_when_it_comes() {
    on_stage(async |stage| {
        stage.proxy.go_down();
        let broker = stage.start().await;
        let mut deliveries = broker.deliveries(2).await;
        let refused = broker.publish_hints(&items(&["a"])).await;
        assert!(matches!(refused, Err(BrokerError::Unavailable(_))), "{refused:?}");
        let health = broker.health();
        assert!(!health.consuming && !health.publishing && health.generation == 0);
        assert!(matches!(broker.check().await, Err(BrokerError::Unavailable(_))));
        stage.proxy.clear_up();
        until(&broker, |health| health.consuming && health.publishing).await;
        broker.publish_hints(&items(&["b"])).await.unwrap();
        assert_eq!(take(&mut deliveries, 1).await, ["b"]);
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn consuming_resumes_after_a_lost_connection_with_the_same_prefetch() {
    on_stage(async |stage| {
        let broker = stage.publishing().await;
        broker.publish_hints(&many_items("m", 8)).await.unwrap();
        let mut deliveries = broker.deliveries(3).await;
        for generation in 1..=3 {
            let mut held = Vec::new();
            for _ in 0..3 {
                held.push(next(&mut deliveries).await);
            }
            assert_eq!(broker.health().generation, generation);
            assert_eq!(broker.ready().await, Ok(5), "the prefetch of connection {generation}");
            assert!(deliveries.try_recv().is_err(), "more than the prefetch is out");
            stage.proxy.cut();
            until(&broker, |health| health.generation == generation + 1).await;
            for stale in held {
                assert!(!stale.ack().await.unwrap_or(false), "a lost connection took an ack");
            }
        }
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn no_hint_is_lost_while_the_connection_is_cut_again_and_again() {
    on_stage(async |stage| {
        let broker = stage.publishing().await;
        let sent = many_items("m", 60);
        broker.publish_hints(&sent).await.unwrap();
        let mut deliveries = broker.deliveries(8).await;
        let mut seen = std::collections::BTreeSet::new();
        let mut acked = 0;
        while acked < sent.len() {
            let delivery = next(&mut deliveries).await;
            seen.insert(String::from_utf8(delivery.body.clone()).unwrap());
            if acked == 20 || acked == 40 {
                stage.proxy.cut();
                acked += 1;
            }
            acked += usize::from(delivery.ack().await.unwrap_or(false));
        }
        while seen.len() < sent.len() {
            let delivery = next(&mut deliveries).await;
            seen.insert(String::from_utf8(delivery.body.clone()).unwrap());
            delivery.ack().await.ok();
        }
        assert_eq!(seen.len(), sent.len());
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_publish_that_comes_while_the_connection_is_rebuilt_waits_for_it() {
    on_stage(async |stage| {
        let broker = stage.publishing().await;
        let _queue = stage.listen("out", "#").await;
        stage.proxy.go_down();
        until(&broker, |health| !health.publishing).await;
        let event = completion("message.completed.query");
        let (published, ()) = tokio::join!(broker.publish_completion(&event), async {
            stage.proxy.clear_up();
        });
        assert_eq!(published, Ok(Published::Routed));
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_publish_on_a_stalled_connection_ends_without_confirm_and_the_next_one_works() {
    on_stage(async |stage| {
        let broker = stage.publishing().await;
        stage.proxy.stall();
        let unsure = broker.publish_completion(&completion("message.completed.query")).await;
        // A heartbeat of one second may notice the stall before the confirm's time is up.
        assert!(
            matches!(unsure, Err(BrokerError::NoConfirm(_) | BrokerError::Unavailable(_))),
            "{unsure:?}"
        );
        stage.proxy.clear_up();
        until(&broker, |health| health.publishing).await;
        broker.publish_hints(&items(&["a"])).await.unwrap();
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_confirm_that_does_not_come_in_time_is_said_so() {
    on_stage(async |stage| {
        let url = secrecy::ExposeSecret::expose_secret(&stage.settings.url);
        let patient = url.replace("heartbeat=1", "heartbeat=60").into();
        let settings =
            BrokerSettings { url: patient, confirm_timeout_s: 1, ..stage.settings.clone() };
        let broker = AmqpBroker::start(&settings).await.unwrap();
        until(&broker, |health| health.publishing).await;
        stage.proxy.stall();
        let unsure = broker.publish_completion(&completion("message.completed.query")).await;
        assert_eq!(unsure, Err(BrokerError::NoConfirm(Duration::from_secs(1))));
        stage.proxy.clear_up();
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_stalled_connection_is_noticed_by_its_heartbeat_and_replaced() {
    on_stage(async |stage| {
        let broker = stage.publishing().await;
        let mut deliveries = broker.deliveries(2).await;
        until(&broker, |health| health.consuming).await;
        stage.proxy.stall();
        until(&broker, |health| !health.consuming).await;
        stage.proxy.clear_up();
        until(&broker, |health| health.consuming && health.publishing).await;
        broker.publish_hints(&items(&["a"])).await.unwrap();
        assert_eq!(take(&mut deliveries, 1).await, ["a"]);
        broker.close().await;
    })
    .await;
}
