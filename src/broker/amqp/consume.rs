//! The consuming side: one connection, one channel, one consumer, built anew whenever it ends.
//!
//! A delivery belongs to the channel it came on, and is acknowledged only there:
//! after a rebuild its acknowledgement says `false`, and the broker hands it over
//! again. Prefetch is the only bound on what lapin buffers, so it is set before
//! every consume.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use lapin::message::Delivery as Received;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::connection::{Dialer, LOOK, Link, OPERATION, STEADY, open_channel, within};
use super::topology::{Layout, count};
use crate::broker::{Acker, BrokerError, Delivery};

/// How long a queue that holds messages may hand nothing to an idle consumer.
const NO_PROGRESS: Duration = Duration::from_secs(60);

/// How often an idle consumer asks whether the queue holds messages.
const PROGRESS_LOOK: Duration = Duration::from_secs(15);

/// The name of the one consumer on its channel.
const TAG: &str = "gleaner";

/// A delivery that the broker waits for.
#[derive(Debug)]
pub(crate) struct Unacked {
    received: Received,
    state: Arc<ConsumeState>,
}

impl Unacked {
    fn new(received: Received, state: Arc<ConsumeState>) -> Self {
        state.unacked.fetch_add(1, Ordering::Relaxed);
        state.delivered.fetch_add(1, Ordering::Relaxed);
        Self { received, state }
    }

    /// Acknowledges it on the channel it came on; `false` when that channel is gone.
    pub(crate) async fn ack(&self) -> Result<bool, BrokerError> {
        within("acknowledge", self.received.ack(BasicAckOptions::default())).await
    }
}

impl Drop for Unacked {
    fn drop(&mut self) {
        self.state.unacked.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What others may know of the consuming side.
#[derive(Debug, Default)]
pub(super) struct ConsumeState {
    pub(super) link: Link,
    pub(super) consuming: AtomicBool,
    pub(super) generation: AtomicU64,
    pub(super) prefetch: AtomicU16,
    unacked: AtomicUsize,
    delivered: AtomicU64,
}

/// What the feeder works with.
#[derive(Debug)]
pub(super) struct Feeder {
    pub(super) dialer: Dialer,
    pub(super) layout: Layout,
    pub(super) state: Arc<ConsumeState>,
    pub(super) prefetch: u16,
    /// Where deliveries go; dropped when it stops, which closes the receiver.
    pub(super) deliveries: mpsc::Sender<Delivery>,
    pub(super) stop: CancellationToken,
    pub(super) stopped: watch::Sender<bool>,
}

/// One connection with its consumer.
struct Session {
    connection: Arc<Connection>,
    channel: Channel,
    consumer: Consumer,
}

/// Why a session handed over nothing more.
enum Ended {
    Stopped,
    Lost(BrokerError),
}

impl Feeder {
    /// Hands deliveries over, across any number of connections, until it is told to stop; then
    /// keeps the last connection for those that are not acknowledged yet. Its owner ends it.
    pub(super) async fn run(self) {
        let last = self.feed().await;
        self.state.consuming.store(false, Ordering::Relaxed);
        let Self { deliveries, stopped, .. } = self;
        drop(deliveries);
        stopped.send_replace(true);
        // An acknowledgement needs the channel that its delivery came on.
        std::future::pending::<()>().await;
        drop(last);
    }

    async fn feed(&self) -> Option<Session> {
        let mut pauses = self.dialer.pauses();
        loop {
            let opened = tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                opened = self.open() => opened,
            };
            let failure = match opened {
                Ok(mut session) => {
                    let since = Instant::now();
                    let ended = self.hand_over(&mut session).await;
                    if since.elapsed() > STEADY {
                        pauses = self.dialer.pauses();
                    }
                    match ended {
                        Ended::Stopped => return Some(session),
                        Ended::Lost(failure) => failure,
                    }
                }
                Err(failure) => failure,
            };
            self.state.consuming.store(false, Ordering::Relaxed);
            self.state.link.show(None);
            let pause = pauses.next();
            warn!(broker = self.dialer.shown(), error = %failure, pause_ms = pause.as_millis() as u64,
                "cannot consume from {} at {} ({failure}); trying again", self.layout.work, self.dialer.shown());
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                () = sleep(pause) => {}
            }
        }
    }

    async fn open(&self) -> Result<Session, BrokerError> {
        let connection = Arc::new(self.dialer.dial("consume").await?);
        let channel = open_channel(&connection).await?;
        let per_consumer = BasicQosOptions::default();
        within("set the prefetch", channel.basic_qos(self.prefetch, per_consumer)).await?;
        self.layout.ensure(&connection).await?;
        let consume = channel.basic_consume(
            self.layout.work.clone(),
            TAG.into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let consumer = within(&format!("consume from {}", self.layout.work), consume).await?;
        self.state.link.show(Some(connection.clone()));
        self.state.prefetch.store(self.prefetch, Ordering::Relaxed);
        self.state.consuming.store(true, Ordering::Relaxed);
        let generation = self.state.generation.fetch_add(1, Ordering::Relaxed) + 1;
        info!(
            broker = self.dialer.shown(),
            generation,
            prefetch = self.prefetch,
            "consuming from {} at {}",
            self.layout.work,
            self.dialer.shown()
        );
        Ok(Session { connection, channel, consumer })
    }

    async fn hand_over(&self, session: &mut Session) -> Ended {
        let Session { connection, channel, consumer } = session;
        let ended = tokio::select! {
            biased;
            () = self.stop.cancelled() => Ended::Stopped,
            ended = self.forward(consumer) => ended,
            failure = self.watch(connection, channel) => Ended::Lost(failure),
        };
        if matches!(ended, Ended::Stopped) {
            self.give_back(channel, consumer).await;
        }
        ended
    }

    /// Takes a delivery only when there is room for it, so that what waits in lapin's buffer can
    /// still be given back.
    async fn forward(&self, consumer: &mut Consumer) -> Ended {
        loop {
            let Ok(room) = self.deliveries.reserve().await else { return Ended::Stopped };
            match consumer.next().await {
                Some(Ok(mut received)) => {
                    let body = std::mem::take(&mut received.data);
                    let unacked = Unacked::new(received, self.state.clone());
                    room.send(Delivery::new(body, Acker::Amqp(Box::new(unacked))));
                }
                Some(Err(error)) => {
                    return Ended::Lost(BrokerError::Unavailable(error.to_string()));
                }
                None => {
                    let cancelled = "the broker cancelled the consumer".into();
                    return Ended::Lost(BrokerError::Unavailable(cancelled));
                }
            }
        }
    }

    /// Ends when the connection does, or when the queue holds messages and hands none over.
    async fn watch(&self, connection: &Connection, channel: &Channel) -> BrokerError {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut progress = Progress::default();
        let mut looked = Instant::now();
        loop {
            look.tick().await;
            if !channel.status().connected() || !connection.status().connected() {
                return BrokerError::Unavailable("the connection was lost".into());
            }
            if looked.elapsed() < PROGRESS_LOOK {
                continue;
            }
            looked = Instant::now();
            let state = &self.state;
            let seen = state.delivered.load(Ordering::Relaxed);
            if !progress.doubtful(seen, state.unacked.load(Ordering::Relaxed)) {
                continue;
            }
            match count(connection, &self.layout.work).await {
                Ok(ready) if progress.stalled(ready) => {
                    return BrokerError::Unavailable(format!(
                        "{ready} messages wait, and none came"
                    ));
                }
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }

    /// Cancels the consumer and gives back what was not handed over, so that other replicas need
    /// not wait for this one's end.
    async fn give_back(&self, channel: &Channel, consumer: &mut Consumer) {
        let cancelled = channel.basic_cancel(TAG.into(), BasicCancelOptions::default());
        if let Err(error) = within("cancel the consumer", cancelled).await {
            warn!(%error, "the consumer was left for the connection's end: {error}");
            return;
        }
        let requeue = BasicNackOptions { requeue: true, ..Default::default() };
        while let Ok(Some(Ok(received))) = timeout(OPERATION, consumer.next()).await {
            if let Err(error) = within("give back a delivery", received.nack(requeue)).await {
                warn!(%error, "deliveries were left for the connection's end: {error}");
                return;
            }
        }
    }
}

/// Whether an idle consumer should have been handed something.
#[derive(Debug, Default)]
struct Progress {
    seen: u64,
    quiet: Duration,
    suspected: bool,
}

impl Progress {
    /// Whether it is time to ask the broker how many messages wait: nothing came for long,
    /// though nothing is unacknowledged here.
    fn doubtful(&mut self, delivered: u64, unacked: usize) -> bool {
        if delivered != self.seen || unacked > 0 {
            *self = Self { seen: delivered, ..Self::default() };
            return false;
        }
        self.quiet += PROGRESS_LOOK;
        self.quiet >= NO_PROGRESS
    }

    /// Whether the consumer is dead. Messages that wait once may just have come, so only the
    /// second look in a row says so.
    fn stalled(&mut self, ready: u64) -> bool {
        let before = std::mem::replace(&mut self.suspected, ready > 0);
        before && self.suspected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_is_dead_when_messages_wait_twice_in_a_row_after_a_quiet_minute() {
        let mut progress = Progress::default();
        assert_eq!([(); 4].map(|()| progress.doubtful(0, 0)), [false, false, false, true]);
        assert!(!progress.stalled(7));
        assert!(progress.doubtful(0, 0) && progress.stalled(7));
    }

    #[test]
    fn a_consumer_is_alive_while_it_holds_deliveries_or_the_queue_is_empty() {
        let mut progress = Progress::default();
        assert!((0..20).all(|_| !progress.doubtful(0, 1)));
        let mut progress = Progress::default();
        assert!((0..20).all(|_| !(progress.doubtful(0, 0) && progress.stalled(0))));
    }

    #[test]
    fn a_delivery_starts_the_quiet_minute_anew() {
        let mut progress = Progress::default();
        for _ in 0..3 {
            assert!(!progress.doubtful(0, 0));
        }
        assert!(!progress.doubtful(1, 0));
        assert!(!progress.doubtful(1, 0));
    }
}
