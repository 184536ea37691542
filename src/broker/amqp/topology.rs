//! Exchanges and queues: their names, their arguments, and what is done about them at start.
//!
//! `gleaner.in` (direct) → quorum queue `gleaner.work`, which dead-letters to
//! `gleaner.dlx` (fanout) → quorum queue `gleaner.dead`; `gleaner.out` (topic)
//! carries completion events to queues that belong to their consumers.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{Connection, ExchangeKind};

use super::connection::{open_channel, within};
use crate::broker::BrokerError;
use crate::settings::{BrokerSettings, Topology};

/// The routing key of hints.
const WORK_KEY: &str = "work";

/// The names under a prefix, and what is done about them.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The direct exchange that hints are published to.
    pub(super) incoming: ShortString,
    /// The routing key of hints.
    pub(super) work_key: ShortString,
    /// The quorum queue that hints wait in.
    pub(super) work: ShortString,
    /// The fanout exchange of dead letters.
    pub(super) dlx: ShortString,
    /// The quorum queue that keeps dead letters.
    pub(super) dead: ShortString,
    /// The topic exchange of completion events.
    pub(super) out: ShortString,
    /// Declare, check, or leave alone.
    pub(super) policy: Topology,
    delivery_limit: u32,
}

impl Layout {
    /// The layout under the settings' prefix.
    ///
    /// # Errors
    /// [`BrokerError::Topology`] when the prefix makes names too long for AMQP.
    pub(super) fn new(settings: &BrokerSettings) -> Result<Self, BrokerError> {
        let name = |role: &str| {
            ShortString::try_new(format!("{}.{role}", settings.prefix))
                .map_err(|_| BrokerError::Topology("broker.prefix is too long".into()))
        };
        Ok(Self {
            incoming: name("in")?,
            work_key: WORK_KEY.into(),
            work: name("work")?,
            dlx: name("dlx")?,
            dead: name("dead")?,
            out: name("out")?,
            policy: settings.topology,
            delivery_limit: settings.delivery_limit,
        })
    }

    /// Declares, checks or leaves alone, by the setting.
    ///
    /// # Errors
    /// [`BrokerError::Topology`] names what is missing, or what is there with other arguments.
    pub(super) async fn ensure(&self, connection: &Connection) -> Result<(), BrokerError> {
        match self.policy {
            Topology::Declare => self.declare(connection).await,
            Topology::Check => match self.missing(connection).await?.as_slice() {
                [] => Ok(()),
                missing => Err(lacking(missing)),
            },
            Topology::Off => Ok(()),
        }
    }

    async fn declare(&self, connection: &Connection) -> Result<(), BrokerError> {
        let channel = open_channel(connection).await?;
        for (name, kind) in self.exchanges() {
            let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
            let declared =
                channel.exchange_declare(name.clone(), kind, durable, FieldTable::default());
            within(&self.declaring(name), declared).await?;
        }
        for (name, arguments) in
            [(&self.work, self.work_arguments()), (&self.dead, dead_arguments())]
        {
            let declared =
                channel.queue_declare(name.clone(), QueueDeclareOptions::durable(), arguments);
            within(&self.declaring(name), declared).await?;
        }
        let bindings = [
            (&self.work, &self.incoming, self.work_key.clone()),
            (&self.dead, &self.dlx, "".into()),
        ];
        for (queue, exchange, key) in bindings {
            let (options, none) = (QueueBindOptions::default(), FieldTable::default());
            let bound = channel.queue_bind(queue.clone(), exchange.clone(), key, options, none);
            within(&format!("bind {queue} to {exchange}"), bound).await?;
        }
        Ok(())
    }

    /// What an error of a declaration begins with: a difference is for the operator to resolve.
    fn declaring(&self, name: &ShortString) -> String {
        format!(
            "declare {name} (if it is there and differs, delete it or set broker.topology = \"check\")"
        )
    }

    /// Which exchanges and queues are not there.
    pub(super) async fn missing(
        &self,
        connection: &Connection,
    ) -> Result<Vec<String>, BrokerError> {
        let mut missing = Vec::new();
        for (name, kind) in self.exchanges() {
            // A passive declaration that fails ends its channel, so each has its own.
            let channel = open_channel(connection).await?;
            let passive = ExchangeDeclareOptions { passive: true, ..Default::default() };
            let asked =
                channel.exchange_declare(name.clone(), kind, passive, FieldTable::default());
            if !found(within("look", asked).await)? {
                missing.push(format!("exchange {name}"));
            }
        }
        for name in [&self.work, &self.dead] {
            if !found(count(connection, name).await)? {
                missing.push(format!("queue {name}"));
            }
        }
        Ok(missing)
    }

    fn exchanges(&self) -> [(&ShortString, ExchangeKind); 3] {
        [
            (&self.incoming, ExchangeKind::Direct),
            (&self.dlx, ExchangeKind::Fanout),
            (&self.out, ExchangeKind::Topic),
        ]
    }

    /// At-least-once dead-lettering needs `reject-publish`; without it RabbitMQ falls back to
    /// at-most-once in silence. The limit is explicit because its default differs by version.
    fn work_arguments(&self) -> FieldTable {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), text("quorum"));
        arguments.insert("x-dead-letter-exchange".into(), text(self.dlx.as_str()));
        arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
        arguments.insert("x-overflow".into(), text("reject-publish"));
        let limit = AMQPValue::LongLongInt(i64::from(self.delivery_limit));
        arguments.insert("x-delivery-limit".into(), limit);
        arguments
    }
}

/// The error that names what is missing.
pub(super) fn lacking(missing: &[String]) -> BrokerError {
    BrokerError::Topology(format!(
        "missing: {}; create them, or set broker.topology = \"declare\"",
        missing.join(", ")
    ))
}

fn dead_arguments() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

/// How many messages wait in a queue, asked on a channel of its own.
///
/// # Errors
/// [`BrokerError::Topology`] when there is no such queue.
pub(super) async fn count(
    connection: &Connection,
    queue: &ShortString,
) -> Result<u64, BrokerError> {
    let channel = open_channel(connection).await?;
    let passive = QueueDeclareOptions::durable().passive();
    let asked = channel.queue_declare(queue.clone(), passive, FieldTable::default());
    Ok(u64::from(within(&format!("look at {queue}"), asked).await?.message_count()))
}

fn found<T>(looked: Result<T, BrokerError>) -> Result<bool, BrokerError> {
    match looked {
        Ok(_) => Ok(true),
        // A missing right is refused as well, and is another matter.
        Err(BrokerError::Topology(refusal)) if refusal.contains("NOT_FOUND") => Ok(false),
        Err(error) => Err(error),
    }
}
