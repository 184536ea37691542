//! What systemd is told: ready once consuming, alive while the loops make progress.
//!
//! Outside systemd none of this does anything.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::broker::Broker;
use crate::telemetry::pulse::{Phase, Pulse};

/// How often the service manager is told something, without a watchdog.
const EVERY: Duration = Duration::from_secs(1);

/// How long a loop may be silent before systemd is no longer told that it lives.
const SILENCE: Duration = Duration::from_secs(60);

/// Tells until `last`: it outlives the worker, so that a drain is not shot by the watchdog.
pub(super) async fn notify(pulse: &Pulse, broker: &dyn Broker, last: &CancellationToken) {
    let every = sd_notify::watchdog_enabled().map_or(EVERY, |limit| (limit / 3).min(EVERY));
    let mut told_ready = false;
    while !last.is_cancelled() {
        let consuming = broker.health().consuming;
        pulse.wait_for_broker(!consuming);
        if !told_ready && consuming {
            told_ready = true;
            pulse.start();
            tell(&[NotifyState::Ready, NotifyState::Status("consuming")]);
        }
        if pulse.phase() == Phase::Draining {
            let longer = (every * 10).as_micros() as u32;
            tell(&[
                NotifyState::Stopping,
                NotifyState::Status("draining"),
                NotifyState::ExtendTimeoutUsec(longer),
            ]);
        }
        if pulse.alive(pulse.now(), SILENCE) {
            tell(&[NotifyState::Watchdog]);
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = last.cancelled() => {}
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!(%error, "the service manager did not listen");
    }
}
