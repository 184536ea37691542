//! Waiting for a database that is not there yet.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::delay::DelayPolicy;
use crate::settings::DatabaseSettings;
use crate::store::{self, Store, StoreError, Stored};
use crate::telemetry::pulse::Pulse;

/// Pauses between attempts to reach the database.
const AWAY: DelayPolicy = DelayPolicy::new(Duration::from_millis(500), Duration::from_secs(5));

/// Opens the store, brings its schema up to date and takes the worker's seat; a database that is
/// away is waited for with a clear line each time. `None` when the stop came first.
///
/// # Errors
/// What waiting cannot mend.
pub(super) async fn store(
    settings: &DatabaseSettings,
    pulse: &Pulse,
    stop: &CancellationToken,
) -> Stored<Option<Arc<dyn Store>>> {
    let mut pauses = AWAY.pauses();
    loop {
        let opened = tokio::select! {
            opened = open(settings) => opened,
            () = stop.cancelled() => return Ok(None),
        };
        let error = match opened {
            Ok(store) => {
                pulse.wait_for_database(false);
                return Ok(Some(store));
            }
            Err(error @ StoreError::Unavailable(_)) => error,
            Err(lasting) => return Err(lasting),
        };
        pulse.wait_for_database(true);
        let pause = pauses.next().max(Duration::from_millis(100));
        warn!(%error, retry_ms = pause.as_millis() as u64, "the database is not there yet; trying again");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return Ok(None),
        }
    }
}

async fn open(settings: &DatabaseSettings) -> Stored<Arc<dyn Store>> {
    let store = store::open(settings).await?;
    if settings.migrate_at_start {
        store.migrate().await?;
    }
    let check = store.check().await?;
    store.take_seat().await?;
    info!(server = check.server, schema = check.version, "the store is {}", check.server);
    Ok(store)
}
