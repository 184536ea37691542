//! Leases are renewed from a thread and connection of their own, so that a busy
//! pool or runtime never costs a lease.
//!
//! Failing to renew is not losing the lease: it lasts longer than several
//! renewals. Zero rows is losing it.

use std::convert::Infallible;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::pipeline::HeldItems;
use crate::settings::DatabaseSettings;
use crate::store::{self, Store};
use crate::telemetry::metrics;
use crate::telemetry::pulse::{Beating, Pulse};

/// How leases are kept.
#[derive(Debug, Clone, Copy)]
pub struct LeaseTerms {
    /// How long a lease lasts from its renewal.
    pub lease: Duration,
    /// How often it is renewed.
    pub every: Duration,
}

/// The thread that renews; it ends when this is dropped.
pub struct LeaseKeeper {
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl LeaseKeeper {
    /// Starts the thread, which opens its own connection.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        database: &DatabaseSettings,
        terms: LeaseTerms,
        held: Arc<HeldItems>,
        pulse: Arc<Pulse>,
    ) -> std::io::Result<Self> {
        let stop = CancellationToken::new();
        let database = DatabaseSettings { connections: 1, ..database.clone() };
        let stopped = stop.clone();
        let keep =
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                match runtime {
                    // A database that hangs must not hold up the process's end.
                    Ok(runtime) => drop(runtime.block_on(
                        stopped.run_until_cancelled(keep(&database, terms, &held, &pulse)),
                    )),
                    Err(error) => error!(%error, "no runtime for the leases: they run out"),
                }
            };
        let thread = std::thread::Builder::new().name("leases".to_owned()).spawn(keep)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for LeaseKeeper {
    fn drop(&mut self) {
        self.stop.cancel();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("the lease keeper panicked");
        }
    }
}

async fn keep(
    database: &DatabaseSettings,
    terms: LeaseTerms,
    held: &HeldItems,
    pulse: &Pulse,
) -> Infallible {
    let mut connection: Option<Arc<dyn Store>> = None;
    loop {
        pulse.beat(Beating::LeaseKeeper);
        tokio::time::sleep(terms.every).await;
        let items = held.snapshot();
        if items.is_empty() {
            continue;
        }
        if connection.is_none() {
            connection = store::open(database)
                .await
                .inspect_err(|error| warn!(%error, "no connection for the leases"))
                .ok();
        }
        let Some(store) = &connection else { continue };
        match store.renew(&items, terms.lease).await {
            Ok(lost) => {
                for item in lost {
                    metrics::lease_lost();
                    warn!(message_id = %item, "the lease of {item} was lost: its call is charged, nothing else is written");
                }
            }
            Err(error) => {
                warn!(%error, items = items.len(), "could not renew {} leases; trying again", items.len())
            }
        }
    }
}
