//! Latencies as a histogram: small, mergeable, and true to within one percent.
//!
//! Buckets grow by a constant factor, so a bucket's middle is never further than
//! one percent from what lies in it, whatever the size. Histograms of replicas,
//! minutes and hours are merged by adding their counts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The growth from one bucket's upper bound to the next: (1 + 0.01) ÷ (1 − 0.01).
pub const GROWTH: f64 = 1.01 / 0.99;

/// How many took how long.
///
/// Bucket `n` holds what took more than `GROWTH`ⁿ⁻¹ and at most `GROWTH`ⁿ microseconds; bucket 0
/// what took one microsecond or less. In rows it is a JSON object of counts by bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Latencies(BTreeMap<u16, u64>);

impl Latencies {
    /// The bucket that a latency belongs to.
    pub fn bucket(latency: Duration) -> u16 {
        let micros = latency.as_micros();
        if micros <= 1 {
            return 0;
        }
        let bucket = ((micros as f64).ln() / GROWTH.ln()).ceil();
        bucket.clamp(0.0, f64::from(u16::MAX)) as u16
    }

    /// Adds one.
    pub fn add(&mut self, latency: Duration) {
        self.add_many(Self::bucket(latency), 1);
    }

    /// Adds so many to a bucket.
    pub fn add_many(&mut self, bucket: u16, count: u64) {
        if count > 0 {
            *self.0.entry(bucket).or_default() += count;
        }
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(bucket, count)| self.add_many(*bucket, *count));
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// The latency that this share of all is not above, by nearest rank, to within one percent;
    /// `None` when there is none.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let count = self.count();
        let rank = ((share * count as f64).ceil() as u64).clamp(1, count.max(1));
        let mut below = 0;
        let bucket = self.0.iter().find(|(_, here)| {
            below += **here;
            below >= rank
        });
        bucket.map(|(bucket, _)| Self::middle(*bucket))
    }

    /// The latency that stands for a bucket: no further than one percent from all that it holds.
    fn middle(bucket: u16) -> Duration {
        let micros = match bucket {
            0 => 1.0,
            bucket => 2.0 * GROWTH.powi(i32::from(bucket)) / (GROWTH + 1.0),
        };
        Duration::from_nanos((micros * 1_000.0).min(u64::MAX as f64) as u64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(micros: &[u64]) -> Latencies {
        let mut latencies = Latencies::default();
        micros.iter().for_each(|micros| latencies.add(Duration::from_micros(*micros)));
        latencies
    }

    proptest! {
        #[test]
        fn a_percentile_is_within_one_percent_of_the_nearest_rank(
            mut micros in prop::collection::vec(1u64..600_000_000, 1..400), percent in 1u32..=100,
        ) {
            micros.sort_unstable();
            let share = f64::from(percent) / 100.0;
            let rank = ((share * micros.len() as f64).ceil() as usize).clamp(1, micros.len());
            let exact = micros[rank - 1] as f64;
            let told = of(&micros).quantile(share).unwrap().as_nanos() as f64 / 1e3;
            prop_assert!((told - exact).abs() <= exact * 0.0101 + 0.01, "{told} for {exact}");
        }

        #[test]
        fn merging_is_the_same_as_adding_all(
            one in prop::collection::vec(0u64..10_000_000, 0..50),
            other in prop::collection::vec(0u64..10_000_000, 0..50),
        ) {
            let mut merged = of(&one);
            merged.merge(&of(&other));
            prop_assert_eq!(merged, of(&[one, other].concat()));
        }
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(Latencies::default().quantile(0.5), None);
    }

    #[test]
    fn in_rows_it_is_counts_by_bucket() {
        let written = serde_json::to_string(&of(&[1, 1, 1_000_000])).unwrap();
        assert_eq!(written, r#"{"0":2,"691":1}"#);
        assert_eq!(serde_json::from_str::<Latencies>(&written).unwrap(), of(&[1, 1, 1_000_000]));
    }
}
