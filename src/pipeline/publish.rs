//! Publish: completion events, from the walk and from the scheduler alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::timeout;
use tracing::warn;

use crate::broker::{Broker, BrokerError, Published};
use crate::settings::Unrouted;
use crate::store::{CompletionEvent, OwedEvent, Store};
use crate::telemetry::metrics;

/// How long it may take to write down that an event was confirmed.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);

/// Publishes what rows owe, and writes down that it was confirmed.
pub struct Publisher {
    store: Arc<dyn Store>,
    broker: Arc<dyn Broker>,
    unrouted: Unrouted,
    started: Instant,
    warned_at_s: AtomicI64,
}

impl Publisher {
    /// A publisher that treats unroutable events as the setting says.
    pub fn new(store: Arc<dyn Store>, broker: Arc<dyn Broker>, unrouted: Unrouted) -> Self {
        Self { store, broker, unrouted, started: Instant::now(), warned_at_s: AtomicI64::new(-60) }
    }

    /// Publishes an event; `false` when no queue is bound for it and the setting holds such.
    ///
    /// # Errors
    /// When the broker did not confirm it.
    pub async fn tell(&self, event: &CompletionEvent) -> Result<bool, BrokerError> {
        match self.broker.publish_completion(event).await? {
            Published::Routed | Published::Unheard => Ok(true),
            Published::Unrouted => {
                self.warn_of_unrouted(&event.routing_key);
                Ok(self.unrouted == Unrouted::Accept)
            }
        }
    }

    /// Publishes an event until it is confirmed and written down; `false` leaves it to the scheduler.
    pub async fn publish(&self, owed: &OwedEvent) -> bool {
        match self.tell(&owed.completion).await {
            Ok(true) => {}
            Ok(false) => return false,
            Err(error) => {
                warn!(message_id = %owed.item, %error, "left the completion event of {} to the scheduler", owed.item);
                return false;
            }
        }
        let confirmed = self.store.confirm(&owed.item, owed.completion.id);
        let error = match timeout(CONFIRM_TIMEOUT, confirmed).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", CONFIRM_TIMEOUT.as_secs()),
        };
        // It is published again with the same bytes; consumers know it by its ID.
        warn!(message_id = %owed.item, error, "could not write down a confirm; it is published once more");
        false
    }

    /// Counts each, warns once a minute.
    fn warn_of_unrouted(&self, key: &str) {
        metrics::unrouted();
        let now = self.started.elapsed().as_secs() as i64;
        let last = self.warned_at_s.load(Ordering::Relaxed);
        let due = now - last >= 60
            && self
                .warned_at_s
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if due {
            warn!(routing_key = %key, "no queue is bound for completion events such as {key}");
        }
    }
}
