//! Signals: the first asks for a drain, the second ends it at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What the signals ask for.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop {
    /// SIGTERM or SIGINT came.
    pub(super) stop: CancellationToken,
    /// It came again.
    pub(super) at_once: CancellationToken,
}

impl Stop {
    /// Listens in the background until the process ends.
    pub(super) fn listen() -> anyhow::Result<Self> {
        let asked = Self::default();
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let told = asked.clone();
        #[expect(clippy::disallowed_methods, reason = "it owns nothing and ends with the process")]
        tokio::spawn(async move {
            for token in [told.stop, told.at_once] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                token.cancel();
            }
        });
        Ok(asked)
    }
}
