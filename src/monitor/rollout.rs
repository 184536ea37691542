//! The rollout as scripts read it: what holds, and what came of it inside and outside.

use serde::Serialize;

use super::costs::{Timeframe, percent, percentiles};
use super::summary::Dollars;
use crate::domain::ids::EventId;
use crate::domain::usage::NanoUsd;
use crate::store::{RolloutReport, RolloutSide, RuntimeSettings, Store, Stored};

/// The rollout. The field names and their order are a contract with scripts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutListing {
    /// The share of events that are worked for, 0 to 100.
    pub percent: u8,
    /// Events that always are.
    pub allow: Vec<EventId>,
    /// Events that never are.
    pub deny: Vec<EventId>,
    /// Whether no model may be asked now.
    pub paused: bool,
    /// Over which time the figures are.
    pub timeframe: Timeframe,
    /// Messages of events that are worked for.
    pub inside: SideListing,
    /// Messages of events that are not.
    pub outside: SideListing,
}

/// Settled messages on one side.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SideListing {
    /// Their events.
    pub events: u64,
    /// How many there are.
    pub messages: u64,
    /// Those that were answered or changed a row.
    pub completed: u64,
    /// Those with nothing to do, or outside.
    pub skipped: u64,
    /// Those that failed.
    pub failed: u64,
    /// Failed ones, in percent of all.
    pub failed_percent: f64,
    /// HTTP requests to a model.
    pub model_calls: u64,
    /// What was charged.
    pub cost: Dollars,
    /// What was charged for each event.
    pub cost_per_event: Dollars,
    /// From first claim to end, in milliseconds, parked time included: half took no longer.
    pub p50: f64,
    /// 95 of 100 took no longer.
    pub p95: f64,
    /// 99 of 100 took no longer.
    pub p99: f64,
}

impl From<RolloutSide> for SideListing {
    fn from(side: RolloutSide) -> Self {
        let messages = side.completed + side.skipped + side.failed;
        let events = i64::try_from(side.events.max(1)).unwrap_or(i64::MAX);
        let [p50, p95, p99] = percentiles(&side.settled_in);
        Self {
            events: side.events,
            messages,
            completed: side.completed,
            skipped: side.skipped,
            failed: side.failed,
            failed_percent: percent(side.failed, messages),
            model_calls: side.calls,
            cost: Dollars(side.cost),
            cost_per_event: Dollars(NanoUsd(side.cost.0 / events)),
            p50,
            p95,
            p99,
        }
    }
}

impl RolloutListing {
    /// What holds now, beside the figures of a timeframe.
    pub fn of(settings: RuntimeSettings, timeframe: Timeframe, report: RolloutReport) -> Self {
        let RuntimeSettings { rollout_percent, allow, deny, paused, cache_generation: _ } =
            settings;
        Self {
            percent: rollout_percent,
            allow,
            deny,
            paused,
            timeframe,
            inside: report.inside.into(),
            outside: report.outside.into(),
        }
    }

    /// What holds now, and the figures of a timeframe that ends now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn read(store: &dyn Store, timeframe: Timeframe) -> Stored<Self> {
        let settings = store.runtime();
        let report = store.rollout_report(timeframe.length());
        let (settings, report) = tokio::try_join!(settings, report)?;
        Ok(Self::of(settings, timeframe, report))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::latency::Latencies;

    #[test]
    fn a_side_says_what_share_failed_and_what_an_event_cost() {
        let mut settled_in = Latencies::default();
        settled_in.add(Duration::from_millis(100));
        let side = RolloutSide {
            events: 4,
            completed: 5,
            skipped: 13,
            failed: 2,
            calls: 9,
            cost: NanoUsd(10),
            settled_in,
        };
        let listing = SideListing::from(side);
        assert_eq!((listing.messages, listing.failed_percent), (20, 10.0));
        assert_eq!(listing.cost_per_event, Dollars(NanoUsd(2)));
        assert!((listing.p99 - 100.0).abs() < 1.0, "{}", listing.p99);
    }

    #[test]
    fn an_empty_side_is_all_zeros() {
        let listing = SideListing::from(RolloutSide::default());
        assert_eq!((listing.failed_percent, listing.cost_per_event), (0.0, Dollars::default()));
    }
}
