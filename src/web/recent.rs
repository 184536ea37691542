//! What was seen a moment ago, so that many askers cost one look.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// For how long a look that failed is not made again: what comes back must not look away for longer.
const FAILED: Duration = Duration::from_secs(1);

/// The last look, and when it ended.
#[derive(Debug)]
pub(super) struct Recent<T>(Mutex<Option<(Instant, Option<T>)>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Recent<T> {
    /// The last value if it is fresh; else one asker looks, and all others wait for what it sees.
    /// `look` must end by itself; `None` when it fails.
    pub(super) async fn get<F, L>(&self, fresh: Duration, look: L) -> Option<T>
    where
        L: FnOnce() -> F,
        F: Future<Output = Option<T>>,
    {
        let mut last = self.0.lock().await;
        if let Some((seen, value)) = &*last {
            let fresh = if value.is_some() { fresh } else { fresh.min(FAILED) };
            if seen.elapsed() < fresh {
                return value.clone();
            }
        }
        let value = look().await;
        *last = Some((Instant::now(), value.clone()));
        value
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn many_askers_cost_one_look_until_it_is_stale() {
        let (recent, looks) = (Recent::default(), AtomicU32::new(0));
        let look = || async { Some(looks.fetch_add(1, Ordering::Relaxed)) };
        let minute = Duration::from_secs(60);
        let (one, other) = tokio::join!(recent.get(minute, look), recent.get(minute, look));
        assert_eq!((one, other), (Some(0), Some(0)));
        assert_eq!(recent.get(Duration::ZERO, look).await, Some(1));
    }

    #[tokio::test]
    async fn a_look_that_failed_is_made_again_soon() {
        let recent = Recent::default();
        let minute = Duration::from_secs(60);
        assert_eq!(recent.get(minute, || async { None::<u32> }).await, None);
        // What was just seen is believed for a moment.
        assert_eq!(recent.get(minute, || async { Some(1) }).await, None);
        tokio::time::sleep(FAILED).await;
        assert_eq!(recent.get(minute, || async { Some(2) }).await, Some(2));
    }
}
