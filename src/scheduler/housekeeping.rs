//! Housekeeping: what is folded, swept and trimmed so that the database stays small and figures fast.
//!
//! Each is a duty that one replica does for all, a bounded piece at a time. It is
//! a loop of its own, so that no due item waits for it.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::settings::{CacheSettings, Settings};
use crate::store::{Retention, Store, Stored};

/// How often a replica asks whether a duty is its own.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// How often each duty is done, over all replicas.
const DO_EVERY: Duration = Duration::from_secs(60);
/// Hours that are folded at a time.
const HOURS: u32 = 24;
/// Pieces of a sweep that follow each other at once; the rest waits for the next time.
const PIECES: u32 = 50;

/// One replica's housekeeper.
pub struct Housekeeper {
    store: Arc<dyn Store>,
    retention: Retention,
    cache: CacheSettings,
}

impl Housekeeper {
    /// A housekeeper that keeps what the settings say.
    pub fn new(store: Arc<dyn Store>, settings: &Settings) -> Self {
        let retention = Retention::of(&settings.retention);
        Self { store, retention, cache: settings.cache.clone() }
    }

    /// Does what is its turn until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.look() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn look(&self) {
        self.duty("fold_hours", self.fold()).await;
        self.duty("sweep", self.sweep()).await;
        self.duty("trim_cache", self.trim()).await;
    }

    /// Does a duty if it is this replica's turn. What fails is tried again by whoever is next.
    async fn duty(&self, name: &'static str, work: impl Future<Output = Stored<()>>) {
        let done = async {
            if self.store.take_duty(name, DO_EVERY).await? {
                work.await?;
            }
            Stored::Ok(())
        };
        if let Err(error) = done.await {
            warn!(duty = name, %error, "could not do the duty {name}; it is tried again");
        }
    }

    async fn fold(&self) -> Stored<()> {
        while self.store.fold_hours(HOURS).await? == HOURS {}
        Ok(())
    }

    async fn sweep(&self) -> Stored<()> {
        for _ in 0..PIECES {
            let swept = self.store.sweep(&self.retention).await?;
            let (metrics, sums, folded) = (swept.metrics, swept.sums, swept.folded);
            if metrics + sums + folded > 0 {
                info!(metrics, sums, folded, "swept what is not kept any more");
            }
            if !swept.more {
                break;
            }
        }
        Ok(())
    }

    async fn trim(&self) -> Stored<()> {
        for _ in 0..PIECES {
            let bounds = (self.cache.store_entries, self.cache.store_bytes);
            let dropped = self.store.trim_cache(bounds.0, bounds.1).await?;
            if dropped == 0 {
                break;
            }
            info!(dropped, "dropped {dropped} cache entries above the bounds");
        }
        Ok(())
    }
}
