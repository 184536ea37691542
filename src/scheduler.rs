//! The scheduler: due items and lost hints are hinted, owed events published.
//!
//! There is one in each replica, safe beside its twins: a tick moves each row's
//! `look_at` ahead and commits before anything is published, so a row is looked
//! at by one replica at a time, and a crash only delays it.

mod housekeeping;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::pipeline::Pipeline;
use crate::settings::SchedulerSettings;
use crate::store::{Due, RuntimeSettings, StoreError, Stored};
use crate::telemetry::metrics;
use crate::telemetry::pulse::{Beating, Pulse};

pub use housekeeping::Housekeeper;

/// How often settings that change at run time are read.
const RUNTIME_EVERY: Duration = Duration::from_secs(2);
/// How often the work queue is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(1);
/// How long a look may go on after the stop.
const LAST_LOOK: Duration = Duration::from_secs(5);
/// How long the store may take to answer before it is declared away.
const SILENCE: Duration = Duration::from_secs(5);
/// Owed events that are published at the same time.
const AT_ONCE: usize = 16;

/// What one replica's scheduler works with.
pub struct Scheduler {
    /// Its store, broker and publisher.
    pub pipeline: Arc<Pipeline>,
    /// Its pace.
    pub settings: SchedulerSettings,
    /// Where it shows that it lives.
    pub pulse: Arc<Pulse>,
    /// Who is told of settings that changed at run time.
    pub runtime: watch::Sender<RuntimeSettings>,
}

impl Scheduler {
    /// Ticks until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        let mut clocks = Clocks { read_at: None, measured_at: None, second_hints: true };
        loop {
            self.pulse.beat(Beating::Scheduler);
            let more = tokio::select! {
                more = self.tick(&mut clocks) => more,
                () = too_late(&stop) => return,
            };
            let pause =
                if more { Duration::ZERO } else { Duration::from_millis(self.settings.tick_ms) };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One look at what is due; `true` when the window was full and there may be more.
    async fn tick(&self, clocks: &mut Clocks) -> bool {
        self.read_runtime(clocks).await;
        // Rows that were looked at and then not hinted would wait for nothing.
        if !self.pipeline.broker.health().publishing {
            return false;
        }
        self.measure(clocks).await;
        let hint_after = Duration::from_secs(self.settings.hint_after_s);
        let look = self.pipeline.store.tick(self.settings.window, hint_after, clocks.second_hints);
        let due = match self.heard(look).await {
            Ok(due) => due,
            Err(error) => {
                warn!(%error, "could not look for due items; trying again");
                return false;
            }
        };
        let full = due.len() >= self.settings.window as usize;
        self.publish(due).await;
        full
    }

    async fn publish(&self, due: Vec<Due>) {
        let mut hints = Vec::new();
        let mut owed = Vec::new();
        for due in due {
            match due {
                Due::Hint(item) => hints.push(item),
                Due::Owed(event) => owed.push(event),
            }
        }
        if !hints.is_empty() {
            match self.pipeline.broker.publish_hints(&hints).await {
                Ok(()) => metrics::hints_published(hints.len() as u64),
                Err(error) => {
                    warn!(%error, hints = hints.len(), "could not publish hints; they are looked at again")
                }
            }
        }
        futures::stream::iter(&owed)
            .for_each_concurrent(AT_ONCE, |event| async {
                self.pipeline.publisher.publish(event).await;
            })
            .await;
    }

    /// Waits for the store's answer, and declares it away for as long as there is none.
    async fn heard<T>(&self, asked: impl Future<Output = Stored<T>>) -> Stored<T> {
        let mut asked = std::pin::pin!(asked);
        let answer = match tokio::time::timeout(SILENCE, asked.as_mut()).await {
            Ok(answer) => answer,
            Err(_) => {
                self.pulse.wait_for_database(true);
                asked.await
            }
        };
        self.pulse.wait_for_database(matches!(answer, Err(StoreError::Unavailable(_))));
        answer
    }

    /// Second hints only help while the queue is short: a long one holds the first ones still.
    async fn measure(&self, clocks: &mut Clocks) {
        if clocks.measured_at.is_some_and(|at| at.elapsed() < MEASURE_EVERY) {
            return;
        }
        clocks.measured_at = Some(Instant::now());
        match self.pipeline.broker.ready().await {
            Ok(ready) => clocks.second_hints = ready < u64::from(self.settings.window),
            Err(error) => warn!(%error, "could not measure the work queue"),
        }
    }

    async fn read_runtime(&self, clocks: &mut Clocks) {
        if clocks.read_at.is_some_and(|at| at.elapsed() < RUNTIME_EVERY) {
            return;
        }
        clocks.read_at = Some(Instant::now());
        match self.heard(self.pipeline.store.runtime()).await {
            Ok(now) => {
                self.runtime.send_if_modified(|known| {
                    let changed = *known != now;
                    *known = now;
                    changed
                });
            }
            Err(error) => warn!(%error, "could not read the settings that change at run time"),
        }
    }
}

/// A look that is under way may end in good form, unless the database or the broker hangs.
async fn too_late(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(LAST_LOOK).await;
}

/// When what was last done, and what it said.
struct Clocks {
    read_at: Option<Instant>,
    measured_at: Option<Instant>,
    second_hints: bool,
}
