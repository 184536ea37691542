//! Backoff with jitter: one policy type for all who wait.
//!
//! The curve is the `backoff` crate's exponential one; "full jitter" means that
//! a pause is drawn evenly from nothing to twice the curve's value, so that
//! replicas that failed together do not return together.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;
use serde::Deserialize;

/// How pauses grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct DelayPolicy {
    /// The first pause's ceiling.
    pub first: Duration,
    /// The ceiling that no pause passes.
    pub longest: Duration,
}

impl DelayPolicy {
    /// A policy from its first and longest pause.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// Endless pauses, each up to twice as long as the one before.
    pub fn pauses(&self) -> Pauses {
        Pauses { longest: self.longest, curve: self.curve(0) }
    }

    /// The pause after the given number of failures; the first is 1.
    pub fn after(&self, failures: u32) -> Duration {
        let mut pauses =
            Pauses { longest: self.longest, curve: self.curve(failures.saturating_sub(1)) };
        pauses.next()
    }

    /// The curve from the pause that follows `passed` earlier ones.
    fn curve(&self, passed: u32) -> ExponentialBackoff {
        let grown = self.first.saturating_mul(1u32.checked_shl(passed.min(30)).unwrap_or(u32::MAX));
        // A randomisation factor of 1 draws from 0 to twice the interval, so the
        // interval is half the ceiling.
        let interval = grown.min(self.longest) / 2;
        ExponentialBackoff {
            current_interval: interval,
            initial_interval: interval,
            randomization_factor: 1.0,
            multiplier: 2.0,
            max_interval: self.longest / 2,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        }
    }
}

/// The pauses of one who waits; start anew after success.
#[derive(Debug)]
pub struct Pauses {
    longest: Duration,
    curve: ExponentialBackoff,
}

impl Pauses {
    /// The next pause.
    #[expect(clippy::should_implement_trait, reason = "it never ends, so it is no Iterator")]
    pub fn next(&mut self) -> Duration {
        self.curve.next_backoff().unwrap_or(self.longest).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: DelayPolicy = DelayPolicy::new(Duration::from_secs(1), Duration::from_secs(300));

    #[test]
    fn pauses_double_up_to_the_longest_and_are_drawn_from_their_whole_range() {
        for failures in 1..12u32 {
            let ceiling = Duration::from_secs(1 << (failures - 1)).min(POLICY.longest);
            let drawn: Vec<_> = (0..200).map(|_| POLICY.after(failures)).collect();
            assert!(
                drawn.iter().all(|pause| *pause <= ceiling),
                "attempt {failures} passed {ceiling:?}"
            );
            assert!(
                drawn.iter().any(|pause| *pause > ceiling / 2)
                    && drawn.iter().any(|pause| *pause < ceiling / 2)
            );
        }
    }

    #[test]
    fn a_wait_without_end_stays_within_its_longest_pause() {
        let mut pauses = POLICY.pauses();
        assert!((0..100).all(|_| pauses.next() <= POLICY.longest));
    }
}
