//! What RabbitMQ does in its own way, while the network holds.

use futures::future::join_all;
use gleaner::broker::amqp::AmqpBroker;
use gleaner::broker::{Broker as _, BrokerError, Published};
use gleaner::settings::{BrokerSettings, Topology};
use lapin::options::QueueDeleteOptions;
use lapin::types::{AMQPValue, FieldTable};

use super::stage::{
    completion, heard, items, many_items, next, on_stage, take, until, until_ready,
};

#[tokio::test]
async fn at_most_prefetch_deliveries_are_out_unacknowledged() {
    on_stage(async |stage| {
        let broker = stage.publishing().await;
        broker.publish_hints(&many_items("m", 10)).await.unwrap();
        until_ready(&broker, 10).await;
        let mut deliveries = broker.deliveries(3).await;
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(next(&mut deliveries).await);
        }
        assert_eq!(broker.ready().await, Ok(7));
        assert!(deliveries.try_recv().is_err(), "a fourth delivery came");
        assert!(held.remove(0).ack().await.unwrap());
        held.push(next(&mut deliveries).await);
        assert_eq!(broker.ready().await, Ok(6));
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn unacknowledged_deliveries_come_back_after_a_closed_connection() {
    on_stage(async |stage| {
        let broker = stage.publishing().await;
        broker.publish_hints(&items(&["a", "b"])).await.unwrap();
        let mut deliveries = broker.deliveries(2).await;
        let held = [next(&mut deliveries).await, next(&mut deliveries).await];
        broker.close().await;
        let successor = stage.publishing().await;
        let mut deliveries = successor.deliveries(2).await;
        assert_eq!(take(&mut deliveries, 2).await, ["a", "b"]);
        for delivery in held {
            assert!(!delivery.ack().await.unwrap_or(false), "a dead connection took an ack");
        }
        successor.close().await;
    })
    .await;
}

#[tokio::test]
async fn deliveries_that_were_not_handed_over_are_given_back_when_consuming_stops() {
    on_stage(async |stage| {
        let broker = stage.publishing().await;
        broker.publish_hints(&many_items("m", 10)).await.unwrap();
        let mut deliveries = broker.deliveries(8).await;
        let held = next(&mut deliveries).await;
        broker.stop_consuming().await;
        let mut late = 0;
        while deliveries.recv().await.is_some() {
            late += 1;
        }
        assert!(late <= 1, "{late} deliveries were handed over after the stop");
        until_ready(&broker, 9 - late).await;
        assert!(held.ack().await.unwrap());
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_completion_event_with_a_bound_queue_is_routed_and_arrives_as_it_is() {
    on_stage(async |stage| {
        let broker = stage.publishing().await;
        let mut queue = stage.listen("out", "message.completed.#").await;
        let event = completion("message.completed.query");
        assert_eq!(broker.publish_completion(&event).await, Ok(Published::Routed));
        let message = heard(&mut queue).await;
        assert_eq!(message.data, event.body);
        let properties = &message.properties;
        let text = |property: &Option<lapin::types::ShortString>| {
            property.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default()
        };
        assert_eq!(text(properties.content_type()), "application/cloudevents+json");
        assert_eq!(text(properties.message_id()), event.id.to_string());
        assert_eq!(text(properties.kind()), event.kind);
        assert_eq!(properties.delivery_mode(), &Some(2));
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn of_many_concurrent_publishes_with_a_third_unroutable_each_gets_its_own_verdict() {
    on_stage(async |stage| {
        let broker = stage.publishing().await;
        let _queue = stage.listen("out", "message.completed.#").await;
        let events: Vec<_> = (0..900)
            .map(|i| {
                completion(if i % 3 == 0 { "message.failed.x" } else { "message.completed.x" })
            })
            .collect();
        let published = join_all(events.iter().map(|event| broker.publish_completion(event))).await;
        for (i, verdict) in published.into_iter().enumerate() {
            let expected = if i % 3 == 0 { Published::Unrouted } else { Published::Routed };
            assert_eq!(verdict, Ok(expected), "event {i}");
        }
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_completion_event_that_a_full_queue_rejects_is_refused() {
    on_stage(async |stage| {
        let broker = stage.publishing().await;
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(1));
        arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
        stage.bind("out", "#", arguments).await;
        let mut published = Vec::new();
        for _ in 0..3 {
            published.push(broker.publish_completion(&completion("message.completed.query")).await);
        }
        assert_eq!(published[0], Ok(Published::Routed));
        assert!(matches!(published[2], Err(BrokerError::Refused(_))), "{published:?}");
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_dead_letter_carries_its_body_and_its_reason() {
    on_stage(async |stage| {
        let broker = stage.publishing().await;
        broker.dead_letter(b"two words", "not an ID").await.unwrap();
        let mut dead = stage.read(&stage.name("dead")).await;
        let message = heard(&mut dead).await;
        assert_eq!(message.data, b"two words");
        let headers = message.properties.headers().clone().unwrap();
        let reason = headers.inner().get("gleaner-reason").cloned();
        assert_eq!(reason, Some(AMQPValue::LongString("not an ID".into())));
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_hint_that_reaches_no_queue_is_an_error_that_names_exchange_and_queue() {
    on_stage(async |stage| {
        let broker = stage.publishing().await;
        let (queue, exchange) = (stage.name("work"), stage.name("in"));
        stage
            .observer
            .queue_unbind(queue.into(), exchange.into(), "work".into(), FieldTable::default())
            .await
            .unwrap();
        let error = broker.publish_hints(&items(&["a"])).await.unwrap_err();
        assert!(matches!(error, BrokerError::Topology(_)), "{error}");
        assert!(error.to_string().contains(&stage.name("work")), "{error}");
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn topology_check_names_all_that_is_missing() {
    on_stage(async |stage| {
        let settings = BrokerSettings { topology: Topology::Check, ..stage.settings.clone() };
        let broker = AmqpBroker::start(&settings).await.unwrap();
        let error = broker.check().await.unwrap_err();
        assert!(matches!(error, BrokerError::Topology(_)), "{error}");
        for role in ["in", "work", "dlx", "dead", "out"] {
            assert!(error.to_string().contains(&stage.name(role)), "{role} is not in: {error}");
        }
        let refused = broker.publish_hints(&items(&["a"])).await.unwrap_err();
        assert!(refused.to_string().contains(&stage.name("work")), "{refused}");
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn topology_check_works_on_what_another_declared() {
    on_stage(async |stage| {
        stage.publishing().await.close().await;
        let settings = BrokerSettings { topology: Topology::Check, ..stage.settings.clone() };
        let broker = AmqpBroker::start(&settings).await.unwrap();
        let mut deliveries = broker.deliveries(1).await;
        broker.publish_hints(&items(&["a"])).await.unwrap();
        assert_eq!(take(&mut deliveries, 1).await, ["a"]);
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn topology_off_declares_nothing_and_says_what_it_lacks() {
    on_stage(async |stage| {
        let settings = BrokerSettings { topology: Topology::Off, ..stage.settings.clone() };
        let broker = AmqpBroker::start(&settings).await.unwrap();
        until(&broker, |health| health.publishing).await;
        let error = broker.publish_hints(&items(&["a"])).await.unwrap_err();
        assert!(matches!(error, BrokerError::Topology(_)), "{error}");
        assert!(error.to_string().contains(&stage.name("in")), "{error}");
        assert!(!stage.has_queue("work").await);
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_queue_with_other_arguments_is_an_error_that_names_it() {
    on_stage(async |stage| {
        stage.publishing().await.close().await;
        let settings = BrokerSettings { delivery_limit: 7, ..stage.settings.clone() };
        let broker = AmqpBroker::start(&settings).await.unwrap();
        let error = broker.publish_hints(&items(&["a"])).await.unwrap_err();
        let said = error.to_string();
        assert!(said.contains(&stage.name("work")) && said.contains("x-delivery-limit"), "{said}");
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn check_names_the_server_and_changes_nothing() {
    on_stage(async |stage| {
        // No broker is up yet that could have declared anything: it says what it would.
        let settings = BrokerSettings { topology: Topology::Check, ..stage.settings.clone() };
        let checking = AmqpBroker::start(&settings).await.unwrap();
        checking.check().await.unwrap_err();
        assert!(!stage.has_queue("work").await);
        checking.close().await;
        let broker = stage.publishing().await;
        let found = broker.check().await.unwrap();
        assert!(found.starts_with("RabbitMQ ") && found.ends_with(" holds 0 messages"), "{found}");
        assert!(found.chars().any(|c| c.is_ascii_digit()), "{found}");
        broker.close().await;
    })
    .await;
}

#[tokio::test]
async fn consuming_resumes_after_its_queue_was_deleted() {
    on_stage(async |stage| {
        let broker = stage.publishing().await;
        let mut deliveries = broker.deliveries(2).await;
        until(&broker, |health| health.consuming).await;
        let work = stage.name("work").into();
        stage.observer.queue_delete(work, QueueDeleteOptions::default()).await.unwrap();
        until(&broker, |health| health.generation == 2 && health.consuming).await;
        broker.publish_hints(&items(&["a"])).await.unwrap();
        assert_eq!(take(&mut deliveries, 1).await, ["a"]);
        broker.close().await;
    })
    .await;
}
