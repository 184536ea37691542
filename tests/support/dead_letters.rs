//! Bodies that a producer should not send, and the dead-letter queue they end in.

use std::time::Duration;

use lapin::options::{BasicGetOptions, BasicPublishOptions};
use lapin::types::AMQPValue;
use lapin::{BasicProperties, Connection, ConnectionProperties};

/// Publishes bodies to the work queue as they are.
pub(crate) async fn publish_raw(url: &str, prefix: &str, bodies: &[&[u8]]) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let queue = format!("{prefix}.work");
    for body in bodies {
        let options = BasicPublishOptions::default();
        let published = channel
            .basic_publish(
                "".into(),
                queue.as_str().into(),
                options,
                body,
                BasicProperties::default(),
            )
            .await;
        published.unwrap().await.unwrap();
    }
    connection.close(200, "done".into()).await.unwrap();
}

/// Waits for so many dead letters: their bodies and reasons.
pub(crate) async fn take(url: &str, prefix: &str, count: usize) -> Vec<(Vec<u8>, String)> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let queue = format!("{prefix}.dead");
    let until = tokio::time::Instant::now() + Duration::from_secs(60);
    let mut dead = Vec::new();
    while dead.len() < count {
        let got = channel
            .basic_get(queue.as_str().into(), BasicGetOptions { no_ack: true })
            .await
            .unwrap();
        let Some(got) = got else {
            assert!(
                tokio::time::Instant::now() < until,
                "only {} of {count} dead letters came",
                dead.len()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let headers = got.delivery.properties.headers().clone().unwrap_or_default();
        let reason = match headers.inner().get("gleaner-reason") {
            Some(AMQPValue::LongString(text)) => text.to_string(),
            other => panic!("no reason: {other:?}"),
        };
        dead.push((got.delivery.data.clone(), reason));
    }
    dead
}
