//! Around the pipeline: slots, the end of a drain, and who holds what.
//!
//! A slot walks one delivery in a task of its own. On a drain nothing new is
//! taken, what runs may end within the grace, and what does not is released in
//! one statement with its attempts given back.

mod leases;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::broker::Delivery;
use crate::domain::ids::Held;
use crate::pipeline::{HeldItems, Pipeline, Walked};
use crate::telemetry::metrics;
use crate::telemetry::pulse::{Beating, Pulse};

pub use leases::{LeaseKeeper, LeaseTerms};

/// How often the consumer loop shows that it lives when no delivery comes.
const BEAT: Duration = Duration::from_secs(1);
/// How often a drain says who is still running.
const DRAIN_REPORT: Duration = Duration::from_secs(5);
/// How long it may take to put back what a drain could not finish.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// The slots of one process.
pub struct Worker {
    pipeline: Arc<Pipeline>,
    held: Arc<HeldItems>,
    pulse: Arc<Pulse>,
    slots: u16,
    drain_grace: Duration,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Items that were put back unfinished.
    pub released: u64,
}

impl Worker {
    /// A worker of so many slots.
    pub fn new(
        pipeline: Arc<Pipeline>,
        held: Arc<HeldItems>,
        pulse: Arc<Pulse>,
        slots: u16,
        drain_grace: Duration,
    ) -> Self {
        Self { pipeline, held, pulse, slots, drain_grace }
    }

    /// Walks deliveries until `stop`, then drains; `at_once` ends the drain's grace.
    pub async fn run(
        &self,
        mut deliveries: mpsc::Receiver<Delivery>,
        stop: CancellationToken,
        at_once: CancellationToken,
    ) -> Drained {
        let free = Arc::new(Semaphore::new(self.slots.into()));
        let drained = CancellationToken::new();
        let mut walks = JoinSet::new();
        while let Some(delivery) = self.next(&mut deliveries, &free, &stop).await {
            let Ok(slot) = Arc::clone(&free).acquire_owned().await else { break };
            let (pipeline, held, drained) =
                (Arc::clone(&self.pipeline), Arc::clone(&self.held), drained.clone());
            walks.spawn(async move {
                let walked = pipeline.walk(delivery, &held, &drained).await;
                drop(slot);
                walked
            });
            while let Some(ended) = walks.try_join_next() {
                report_panic(&ended);
            }
        }
        // What was handed over and not begun goes back to the broker with the connection.
        deliveries.close();
        // A broker that hangs must not take from the grace.
        let stopping = self.pipeline.broker.stop_consuming();
        let (drained, ()) = tokio::join!(self.drain(walks, &drained, &at_once), stopping);
        drained
    }

    /// The next delivery, once there is a free slot for it; `None` when it is time to stop.
    async fn next(
        &self,
        deliveries: &mut mpsc::Receiver<Delivery>,
        free: &Semaphore,
        stop: &CancellationToken,
    ) -> Option<Delivery> {
        loop {
            self.pulse.beat(Beating::Consumer);
            metrics::slots(self.slots - free.available_permits() as u16, self.slots);
            let ready = async {
                // The slot is taken for good by the caller; here it only must be there.
                let slot = free.acquire().await;
                let delivery = deliveries.recv().await;
                drop(slot);
                delivery
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                delivery = ready => return delivery,
                () = tokio::time::sleep(BEAT) => {}
            }
        }
    }

    async fn drain(
        &self,
        mut walks: JoinSet<Walked>,
        drained: &CancellationToken,
        at_once: &CancellationToken,
    ) -> Drained {
        let grace = tokio::time::sleep(self.drain_grace);
        tokio::pin!(grace);
        let mut report = tokio::time::interval(DRAIN_REPORT);
        let mut unfinished = Vec::new();
        loop {
            tokio::select! {
                ended = walks.join_next() => match ended {
                    None => break,
                    Some(ended) => {
                        report_panic(&ended);
                        if let Ok(Walked::Unfinished { held, delivery }) = ended {
                            unfinished.push((held, delivery));
                        }
                    }
                },
                () = &mut grace, if !drained.is_cancelled() => drained.cancel(),
                () = at_once.cancelled(), if !drained.is_cancelled() => drained.cancel(),
                _ = report.tick() => {
                    self.pulse.beat(Beating::Consumer);
                    info!(running = walks.len(), "draining: {} messages still run", walks.len());
                }
            }
        }
        self.release(unfinished).await
    }

    /// Puts unfinished items back in one statement, then acknowledges their deliveries.
    async fn release(&self, unfinished: Vec<(Held, Delivery)>) -> Drained {
        if unfinished.is_empty() {
            return Drained { released: 0 };
        }
        let (held, deliveries): (Vec<Held>, Vec<Delivery>) = unfinished.into_iter().unzip();
        let error = match timeout(RELEASE_TIMEOUT, self.pipeline.store.release(&held)).await {
            Ok(Ok(released)) => {
                acknowledge(deliveries).await;
                return Drained { released };
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", RELEASE_TIMEOUT.as_secs()),
        };
        warn!(
            error,
            items = held.len(),
            "could not release unfinished items; their leases run out instead"
        );
        Drained { released: 0 }
    }
}

async fn acknowledge(deliveries: Vec<Delivery>) {
    for delivery in deliveries {
        if let Err(error) = delivery.ack().await {
            info!(%error, "a released delivery will come again");
        }
    }
}

/// A panic outside work and settling: the lease runs out, and the item is looked at again.
fn report_panic(ended: &Result<Walked, JoinError>) {
    if let Err(join) = ended {
        error!(error = %join, "a message's walk panicked; its lease runs out");
    }
}
