//! The queue's edge: deliveries in, completion events out.
//!
//! A delivery is a hint, the row is the truth; so a broker may lose, repeat and
//! reorder what it likes. Both brokers pass the one contract suite in
//! `tests/contracts`.

pub mod amqp;
pub mod embedded;
pub mod envelope;

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use tokio::sync::mpsc;

use crate::domain::ids::ItemId;
use crate::fault::Fault;
use crate::settings::BrokerSettings;
use crate::store::CompletionEvent;

/// What a broker says when it could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// It cannot be reached now; the supervisor reconnects by itself.
    #[error("the broker is unavailable: {0}")]
    Unavailable(String),
    /// It did not confirm a publish in time; it may have it or not.
    #[error("the broker did not confirm within {0:?}")]
    NoConfirm(std::time::Duration),
    /// It refused a publish (a full queue with `reject-publish`).
    #[error("the broker refused the message: {0}")]
    Refused(String),
    /// An exchange or queue is missing, or is not as Gleaner declares it.
    #[error("the broker's topology does not fit: {0}")]
    Topology(String),
}

impl From<BrokerError> for Fault {
    /// All of these may pass: the broker comes back, the operator mends the topology.
    fn from(error: BrokerError) -> Self {
        Self::transient(error)
    }
}

/// What became of a published completion event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// At least one queue has it.
    Routed,
    /// Confirmed, but no queue is bound for it.
    Unrouted,
    /// Nobody listens, and nobody has to: on the queue in process, events are read from the rows.
    Unheard,
}

/// How a broker is doing, for `readyz`, the watchdog and metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BrokerHealth {
    /// Whether deliveries can arrive.
    pub consuming: bool,
    /// Whether publishes can be confirmed.
    pub publishing: bool,
    /// Whether the broker blocks publishers (memory or disk alarm).
    pub blocked: bool,
    /// How often the consuming side was built; 1 is the first connection.
    pub generation: u64,
    /// The prefetch that the broker confirmed.
    pub prefetch: u16,
}

/// One handing-over of a message ID by the broker.
#[derive(Debug)]
pub struct Delivery {
    /// The body, as it came.
    pub body: Vec<u8>,
    acker: Acker,
}

/// How a delivery is acknowledged; each broker has its own way.
#[derive(Debug)]
pub(crate) enum Acker {
    /// RabbitMQ's, bound to the channel generation it came on.
    Amqp(Box<amqp::consume::Unacked>),
    /// The embedded queue's: nothing is owed, the row is the truth.
    Embedded,
}

impl Delivery {
    pub(crate) fn new(body: Vec<u8>, acker: Acker) -> Self {
        Self { body, acker }
    }

    /// Acknowledges it. `false` means that it was too late: the broker will hand it over again,
    /// and the claim will absorb the repeat.
    ///
    /// # Errors
    /// When the connection broke meanwhile; the broker will hand it over again.
    pub async fn ack(self) -> Result<bool, BrokerError> {
        match self.acker {
            Acker::Amqp(unacked) => unacked.ack().await,
            Acker::Embedded => Ok(true),
        }
    }
}

/// The broker that the settings name: RabbitMQ where there is a URL, else the queue in process.
///
/// RabbitMQ need not be there yet: its supervisor connects when it is.
///
/// # Errors
/// When the URL cannot be read.
pub async fn open(settings: &BrokerSettings) -> Result<Arc<dyn Broker>, BrokerError> {
    if settings.url.expose_secret().is_empty() {
        return Ok(Arc::new(embedded::EmbeddedBroker::new()));
    }
    Ok(Arc::new(amqp::AmqpBroker::start(settings).await?))
}

/// A message broker.
#[async_trait]
pub trait Broker: Send + Sync + 'static {
    /// `rabbitmq` or `embedded`, for logs and `check`.
    fn kind(&self) -> &'static str;

    /// Connects once and looks at the topology, without changing it.
    ///
    /// # Errors
    /// When it cannot be reached or its topology does not fit.
    async fn check(&self) -> Result<String, BrokerError>;

    /// Deliveries from now on, across any number of reconnections; at most `prefetch` are out at a
    /// time. The channel closes only when [`Broker::stop_consuming`] was called.
    async fn deliveries(&self, prefetch: u16) -> mpsc::Receiver<Delivery>;

    /// Takes no new deliveries; those already handed over can still be acknowledged.
    async fn stop_consuming(&self);

    /// Publishes hints to the work queue and waits until all are confirmed.
    async fn publish_hints(&self, items: &[ItemId]) -> Result<(), BrokerError>;

    /// Publishes a completion event, mandatory, and waits for its confirm.
    async fn publish_completion(
        &self,
        completion: &CompletionEvent,
    ) -> Result<Published, BrokerError>;

    /// Publishes a body that names no message to the dead-letter exchange, confirmed, with the
    /// header `gleaner-reason`.
    async fn dead_letter(&self, body: &[u8], reason: &str) -> Result<(), BrokerError>;

    /// How many messages wait in the work queue.
    async fn ready(&self) -> Result<u64, BrokerError>;

    /// How it is doing now.
    fn health(&self) -> BrokerHealth;

    /// Closes all connections.
    async fn close(&self);
}
