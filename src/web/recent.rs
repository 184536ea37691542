//! What was seen a moment ago, so that many askers cost one look.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// The last value seen, and when.
#[derive(Debug)]
pub(super) struct Recent<T>(Mutex<Option<(Instant, T)>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Recent<T> {
    /// The last value if it is fresh; else one asker looks, and all others wait for what it sees.
    /// `look` must end by itself.
    pub(super) async fn get<F, L>(&self, fresh: Duration, look: L) -> T
    where
        L: FnOnce() -> F,
        F: Future<Output = T>,
    {
        let mut last = self.0.lock().await;
        if let Some((seen, value)) = &*last
            && seen.elapsed() < fresh
        {
            return value.clone();
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
        let look = || async { looks.fetch_add(1, Ordering::Relaxed) };
        let minute = Duration::from_secs(60);
        let (one, other) = tokio::join!(recent.get(minute, look), recent.get(minute, look));
        assert_eq!((one, other), (0, 0));
        assert_eq!(recent.get(Duration::ZERO, look).await, 1);
    }
}
