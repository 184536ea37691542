//! Where the brokers' tests play: a broker under a prefix of its own, which is swept afterwards.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use gleaner::broker::amqp::AmqpBroker;
use gleaner::broker::{Broker, BrokerHealth, Delivery};
use gleaner::domain::ids::ItemId;
use gleaner::settings::{BrokerSettings, Topology};
use gleaner::store::CompletionEvent;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, ExchangeDeleteOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, Consumer};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::support::proxy::Proxy;

/// How long anything may take before a test fails.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// The test server's address.
fn server() -> String {
    std::env::var("GLEANER_TEST_AMQP")
        .expect("GLEANER_TEST_AMQP names no RabbitMQ: run it through make test")
}

/// RabbitMQ under a unique prefix, with a proxy before it and an observer beside it.
pub(super) struct Stage {
    pub(super) settings: BrokerSettings,
    pub(super) proxy: Proxy,
    pub(super) observer: Channel,
    connection: Connection,
}

impl Stage {
    pub(super) fn name(&self, role: &str) -> String {
        format!("{}.{role}", self.settings.prefix)
    }

    /// The broker as the daemon starts it.
    pub(super) async fn start(&self) -> AmqpBroker {
        AmqpBroker::start(&self.settings).await.unwrap()
    }

    /// A started broker that publishes already, so that its topology is there.
    pub(super) async fn publishing(&self) -> AmqpBroker {
        let broker = self.start().await;
        until(&broker, |health| health.publishing).await;
        broker
    }

    /// A queue bound to an exchange, and what arrives in it.
    pub(super) async fn listen(&self, exchange: &str, key: &str) -> Consumer {
        let queue = self.bind(exchange, key, FieldTable::default()).await;
        self.read(&queue).await
    }

    /// A queue of the test's own, bound to an exchange; it ends with the observer.
    pub(super) async fn bind(&self, exchange: &str, key: &str, arguments: FieldTable) -> String {
        let queue = self.name(&format!("test.{}", Uuid::new_v4()));
        let (exclusive, name) = (QueueDeclareOptions::exclusive(), queue.as_str());
        self.observer.queue_declare(name.into(), exclusive, arguments).await.unwrap();
        let (exchange, bind, none) =
            (self.name(exchange), QueueBindOptions::default(), FieldTable::default());
        self.observer
            .queue_bind(name.into(), exchange.into(), key.into(), bind, none)
            .await
            .unwrap();
        queue
    }

    /// What arrives in a queue.
    pub(super) async fn read(&self, queue: &str) -> Consumer {
        let consume = BasicConsumeOptions::default();
        let (queue, none) = (queue.into(), FieldTable::default());
        self.observer.basic_consume(queue, "".into(), consume, none).await.unwrap()
    }

    /// A channel of its own for what may end it.
    pub(super) async fn channel(&self) -> Channel {
        self.connection.create_channel().await.unwrap()
    }

    /// Whether a queue is there.
    pub(super) async fn has_queue(&self, role: &str) -> bool {
        let passive = QueueDeclareOptions::durable().passive();
        let (queue, none) = (self.name(role), FieldTable::default());
        self.channel().await.queue_declare(queue.into(), passive, none).await.is_ok()
    }

    async fn sweep(&self) {
        let channel = self.channel().await;
        for role in ["work", "dead"] {
            let queue = self.name(role).into();
            channel.queue_delete(queue, QueueDeleteOptions::default()).await.unwrap();
        }
        for role in ["in", "dlx", "out"] {
            let exchange = self.name(role).into();
            channel.exchange_delete(exchange, ExchangeDeleteOptions::default()).await.unwrap();
        }
        self.connection.close(200, "swept".into()).await.unwrap();
    }
}

/// Plays a test on a stage of its own, and sweeps it whatever happened.
pub(super) async fn on_stage(test: impl AsyncFnOnce(&Stage)) {
    let server = server();
    let connection = Connection::connect(&server, ConnectionProperties::default()).await.unwrap();
    let observer = connection.create_channel().await.unwrap();
    let (before, rest) = server.rsplit_once('@').expect("the address names a user");
    let (target, vhost) = rest.split_once('/').expect("the address names a vhost");
    let proxy = Proxy::before(target.to_owned()).await;
    // A short heartbeat, so that a stalled connection is noticed within a test's patience.
    let url = format!("{before}@{}/{vhost}?heartbeat=1", proxy.address());
    let settings = BrokerSettings {
        url: url.into(),
        prefix: format!("test-{}", Uuid::new_v4()),
        topology: Topology::Declare,
        delivery_limit: 50,
        confirm_timeout_s: 2,
        reconnect_longest_s: 1,
    };
    let stage = Stage { settings, proxy, observer, connection };
    let played = AssertUnwindSafe(test(&stage)).catch_unwind().await;
    stage.sweep().await;
    if let Err(panic) = played {
        resume_unwind(panic);
    }
}

/// Waits until the broker's health is as wanted.
pub(super) async fn until(broker: &dyn Broker, wanted: impl Fn(BrokerHealth) -> bool) {
    poll("the broker's health", async || wanted(broker.health())).await;
}

/// Waits until so many hints wait in the work queue.
pub(super) async fn until_ready(broker: &dyn Broker, count: u64) {
    let waits = async || broker.ready().await.is_ok_and(|ready| ready == count);
    poll("the work queue's length", waits).await;
}

async fn poll(what: &str, reached: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached().await {
        assert!(Instant::now() < deadline, "{what} was not as wanted within {PATIENCE:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The next delivery.
pub(super) async fn next(deliveries: &mut mpsc::Receiver<Delivery>) -> Delivery {
    timeout(PATIENCE, deliveries.recv()).await.expect("a delivery in time").expect("a delivery")
}

/// The bodies of the next deliveries, each acknowledged, sorted.
pub(super) async fn take(deliveries: &mut mpsc::Receiver<Delivery>, count: usize) -> Vec<String> {
    let mut bodies = Vec::new();
    for _ in 0..count {
        let delivery = next(deliveries).await;
        bodies.push(String::from_utf8(delivery.body.clone()).unwrap());
        assert!(delivery.ack().await.unwrap(), "the acknowledgement came too late");
    }
    bodies.sort();
    bodies
}

/// What a test's own queue receives next, acknowledged.
pub(super) async fn heard(consumer: &mut Consumer) -> lapin::message::Delivery {
    let heard = timeout(PATIENCE, consumer.next()).await.expect("a message in time");
    let message = heard.expect("a message").unwrap();
    message.ack(BasicAckOptions::default()).await.unwrap();
    message
}

/// Items with these names.
pub(super) fn items(names: &[&str]) -> Vec<ItemId> {
    names.iter().map(|name| ItemId::parse(name).unwrap()).collect()
}

/// Items `prefix-000` and on.
pub(super) fn many_items(prefix: &str, count: usize) -> Vec<ItemId> {
    (0..count).map(|i| ItemId::parse(&format!("{prefix}-{i:03}")).unwrap()).collect()
}

/// A completion event under a routing key.
pub(super) fn completion(routing_key: &str) -> CompletionEvent {
    CompletionEvent {
        id: Uuid::new_v4(),
        kind: "gleaner.message.completed".into(),
        routing_key: routing_key.into(),
        body: br#"{"specversion":"1.0"}"#.to_vec(),
    }
}
