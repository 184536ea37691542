//! RabbitMQ through lapin, under supervisors of our own.
//!
//! One connection consumes and one publishes, because a memory alarm stops all
//! writes of a connection that publishes, acknowledgements included. Each is
//! owned by one task that builds it anew for as long as it takes.

mod connection;
pub(crate) mod consume;
mod greeting;
mod publish;
mod topology;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{BasicProperties, Connection};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::connection::{Dialer, Link, OPERATION, within};
use self::consume::{ConsumeState, Feeder};
use self::publish::{BATCH, Outgoing, Publisher, Request, Verdict, WAITING};
use self::topology::{Layout, count, lacking};
use super::{Broker, BrokerError, BrokerHealth, Delivery, Published};
use crate::domain::ids::ItemId;
use crate::settings::{BrokerSettings, Topology};
use crate::store::CompletionEvent;

/// Survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// Deliveries that wait in process between the broker and the worker: the fewest there can be,
/// because those cannot be given back.
const HANDED_OVER: usize = 1;

/// RabbitMQ.
#[derive(Debug)]
pub struct AmqpBroker {
    dialer: Dialer,
    layout: Layout,
    requests: mpsc::Sender<Request>,
    publishing: Arc<Link>,
    consuming: Arc<ConsumeState>,
    confirm_within: Duration,
    tasks: Mutex<Tasks>,
}

/// The tasks that own the connections.
#[derive(Debug, Default)]
struct Tasks {
    all: JoinSet<()>,
    /// How the feeder is told to stop, and how it says that it did.
    feeder: Option<(CancellationToken, watch::Receiver<bool>)>,
}

impl AmqpBroker {
    /// Starts to connect for publishing, and returns at once: the broker need not be up, and
    /// [`Broker::health`] tells when it is. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the settings themselves are wrong: a URL that is none, a prefix that is too long.
    #[expect(clippy::unused_async, reason = "it needs the runtime, and may come to await")]
    pub async fn start(settings: &BrokerSettings) -> Result<Self, BrokerError> {
        let dialer = Dialer::new(settings)?;
        let layout = Layout::new(settings)?;
        let confirm_within = Duration::from_secs(settings.confirm_timeout_s.max(1));
        let publishing = Arc::new(Link::default());
        let (requests, incoming) = mpsc::channel(WAITING);
        let link = publishing.clone();
        let publisher =
            Publisher::new(dialer.clone(), layout.clone(), link, incoming, confirm_within);
        let mut tasks = Tasks::default();
        tasks.all.spawn(publisher.run());
        let (consuming, tasks) = (Arc::default(), Mutex::new(tasks));
        Ok(Self { dialer, layout, requests, publishing, consuming, confirm_within, tasks })
    }

    /// Publishes to one exchange; one verdict a message, in order.
    async fn publish(
        &self,
        exchange: &ShortString,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<Verdict>, BrokerError> {
        let (reply, verdicts) = oneshot::channel();
        let deadline = Instant::now() + self.confirm_within;
        let request = Request { exchange: exchange.clone(), messages, deadline, reply };
        let closed = |()| BrokerError::Unavailable("the broker was closed".into());
        let answered = async {
            self.requests.send(request).await.map_err(|_| closed(()))?;
            verdicts.await.map_err(|_| closed(()))
        };
        // The publisher answers within its own limits: one for the batch before, one for ours.
        let limit = self.confirm_within * 2 + OPERATION;
        timeout(limit, answered).await.unwrap_or(Err(BrokerError::NoConfirm(limit)))
    }

    async fn publish_one(
        &self,
        exchange: &ShortString,
        message: Outgoing,
    ) -> Result<Published, BrokerError> {
        let none = Err(BrokerError::NoConfirm(self.confirm_within));
        self.publish(exchange, vec![message]).await?.pop().unwrap_or(none)
    }

    /// What `check` says of the topology.
    async fn look(&self, connection: &Connection, server: &str) -> Result<String, BrokerError> {
        let Layout { policy, work, .. } = &self.layout;
        let missing = match policy {
            Topology::Declare | Topology::Check => self.layout.missing(connection).await?,
            Topology::Off => Vec::new(),
        };
        if missing.is_empty() {
            let ready = count(connection, work).await?;
            let plural = if ready == 1 { "" } else { "s" };
            return Ok(format!("{server}, {work} holds {ready} message{plural}"));
        }
        match policy {
            Topology::Declare => Ok(format!("{server}, not declared yet: {}", missing.join(", "))),
            Topology::Check | Topology::Off => Err(lacking(&missing)),
        }
    }

    async fn stop_feeder(&self, feeder: Option<(CancellationToken, watch::Receiver<bool>)>) {
        let Some((stop, mut stopped)) = feeder else { return };
        stop.cancel();
        // Cancelling and giving back have a time-out each.
        if timeout(OPERATION * 3, stopped.wait_for(|stopped| *stopped)).await.is_err() {
            tracing::warn!("the consumer did not stop in time; its connection's end will end it");
        }
    }
}

#[async_trait]
impl Broker for AmqpBroker {
    fn kind(&self) -> &'static str {
        "rabbitmq"
    }

    async fn check(&self) -> Result<String, BrokerError> {
        let server = greeting::greeting(self.dialer.uri()).await.unwrap_or("RabbitMQ".into());
        let connection = self.dialer.dial("check").await?;
        let found = self.look(&connection, &server).await;
        if let Err(error) = within("close", connection.close(200, "bye".into())).await {
            tracing::debug!(%error, "the checking connection was left without goodbye");
        }
        found
    }

    async fn deliveries(&self, prefetch: u16) -> mpsc::Receiver<Delivery> {
        let mut tasks = self.tasks.lock().await;
        self.stop_feeder(tasks.feeder.take()).await;
        let (deliveries, received) = mpsc::channel(HANDED_OVER);
        let (stop, (stopped, has_stopped)) = (CancellationToken::new(), watch::channel(false));
        tasks.feeder = Some((stop.clone(), has_stopped));
        let feeder = Feeder {
            dialer: self.dialer.clone(),
            layout: self.layout.clone(),
            state: self.consuming.clone(),
            // No prefetch would be no bound.
            prefetch: prefetch.max(1),
            deliveries,
            stop,
            stopped,
        };
        tasks.all.spawn(feeder.run());
        received
    }

    async fn stop_consuming(&self) {
        let feeder = self.tasks.lock().await.feeder.take();
        self.stop_feeder(feeder).await;
    }

    async fn publish_hints(&self, items: &[ItemId]) -> Result<(), BrokerError> {
        for part in items.chunks(BATCH) {
            let hints = part.iter().map(|item| Outgoing {
                routing_key: self.layout.work_key.clone(),
                id: Uuid::new_v4().to_string(),
                properties: BasicProperties::default().with_delivery_mode(PERSISTENT),
                body: item.as_str().into(),
            });
            for verdict in self.publish(&self.layout.incoming, hints.collect()).await? {
                if verdict? == Published::Unrouted {
                    return Err(unbound(&self.layout.incoming, &self.layout.work));
                }
            }
        }
        Ok(())
    }

    async fn publish_completion(
        &self,
        completion: &CompletionEvent,
    ) -> Result<Published, BrokerError> {
        let routing_key = ShortString::try_new(completion.routing_key.as_str())
            .map_err(|error| BrokerError::Refused(format!("the routing key: {error}")))?;
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/cloudevents+json".into())
            .with_type(completion.kind.as_str().into());
        let message = Outgoing {
            routing_key,
            id: completion.id.to_string(),
            properties,
            body: completion.body.clone(),
        };
        self.publish_one(&self.layout.out, message).await
    }

    async fn dead_letter(&self, body: &[u8], reason: &str) -> Result<(), BrokerError> {
        let mut headers = FieldTable::default();
        let value = AMQPValue::LongString(LongString::from(reason));
        headers.insert("gleaner-reason".into(), value);
        let message = Outgoing {
            routing_key: ShortString::default(),
            id: Uuid::new_v4().to_string(),
            properties: BasicProperties::default()
                .with_delivery_mode(PERSISTENT)
                .with_headers(headers),
            body: body.into(),
        };
        match self.publish_one(&self.layout.dlx, message).await? {
            Published::Routed | Published::Unheard => Ok(()),
            Published::Unrouted => Err(unbound(&self.layout.dlx, &self.layout.dead)),
        }
    }

    async fn ready(&self) -> Result<u64, BrokerError> {
        let connection = self.consuming.link.live().or_else(|| self.publishing.live());
        let Some(connection) = connection else {
            return Err(BrokerError::Unavailable("not connected".into()));
        };
        count(&connection, &self.layout.work).await
    }

    fn health(&self) -> BrokerHealth {
        let state = &self.consuming;
        let publishing = self.publishing.live();
        let blocked = publishing.as_ref().is_some_and(|link| link.status().blocked());
        let consuming = state.consuming.load(Ordering::Relaxed) && state.link.live().is_some();
        BrokerHealth {
            consuming,
            publishing: publishing.is_some() && !blocked,
            blocked,
            generation: state.generation.load(Ordering::Relaxed),
            prefetch: state.prefetch.load(Ordering::Relaxed),
        }
    }

    async fn close(&self) {
        self.stop_consuming().await;
        // The connections go first: a channel that is dropped before its connection's goodbye makes
        // lapin log an error.
        tokio::join!(self.consuming.link.close(), self.publishing.close());
        self.tasks.lock().await.all.shutdown().await;
    }
}

fn unbound(exchange: &ShortString, queue: &ShortString) -> BrokerError {
    BrokerError::Topology(format!("{exchange} has no queue: bind {queue} to it"))
}
