//! What it cost and how fast it was, over rolling stretches of time.
//!
//! The field names and their order are a contract with scripts: the same on the
//! command line and the port. Latencies are milliseconds, costs US dollars, rates
//! percent; what has nothing to be a share of is 0.

use std::time::Duration;

use serde::Serialize;

use super::summary::{Dollars, Named};
use crate::domain::intent::Intent;
use crate::domain::latency::Latencies;
use crate::store::{Figures, Store, Stored, Stretch, Sums};

const HOUR: Duration = Duration::from_secs(3600);

/// A rolling stretch of time that ends now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Timeframe {
    /// The last 24 hours.
    #[default]
    Today,
    /// The last 7 days.
    Week,
    /// The last 30 days.
    Month,
}

/// A name that is no timeframe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{shown:?} is no timeframe; there are today, week and month")]
pub struct UnknownTimeframe {
    shown: String,
}

impl Timeframe {
    /// All timeframes, the shortest first.
    pub const ALL: [Self; 3] = [Self::Today, Self::Week, Self::Month];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Today => "today",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The timeframe of that name.
    ///
    /// # Errors
    /// [`UnknownTimeframe`], which lists the three.
    pub fn read(name: &str) -> Result<Self, UnknownTimeframe> {
        let known = Self::ALL.into_iter().find(|timeframe| timeframe.name() == name);
        known.ok_or_else(|| UnknownTimeframe { shown: name.chars().take(40).collect() })
    }

    /// How long it is.
    pub fn length(self) -> Duration {
        match self {
            Self::Today => HOUR * 24,
            Self::Week => HOUR * 24 * 7,
            Self::Month => HOUR * 24 * 30,
        }
    }
}

/// The cost summary of a timeframe.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Costs {
    /// Which.
    pub timeframe: Timeframe,
    /// Settled items that were answered or cost anything.
    pub total_calls: u64,
    /// What was charged for them.
    pub total_cost: Dollars,
    /// What may have been billed beside it and nobody knows, at its worst case.
    pub ambiguous_cost: Dollars,
    /// Tokens of all classes.
    pub total_tokens: u64,
    /// The mean time from claim to answer, in milliseconds, without parked time.
    pub avg_latency: f64,
    /// The share of `total_calls` that was answered from the cache, in percent.
    pub cache_hit_rate: f64,
    /// HTTP requests to a model.
    pub model_calls: u64,
    /// What cache hits avoided.
    pub avoided_cost: Dollars,
    /// Tokens that cache hits avoided.
    pub avoided_tokens: u64,
    /// The same by intent, every intent named.
    pub by_intent: Named<IntentCosts>,
}

/// What the items of one intent cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct IntentCosts {
    /// How many there are.
    pub count: u64,
    /// What was charged for them.
    pub cost: Dollars,
    /// Their tokens.
    pub tokens: u64,
}

impl Costs {
    /// The summary of a timeframe's figures.
    pub fn of(timeframe: Timeframe, figures: &Figures) -> Self {
        let total = figures.total();
        let intent = |intent: Intent| {
            let sums = figures.by_intent.iter().find(|(it, _)| *it == intent);
            let sums = sums.map(|(_, sums)| *sums).unwrap_or_default();
            let costs =
                IntentCosts { count: sums.items, cost: Dollars(sums.cost), tokens: sums.tokens };
            (intent.name().to_owned(), costs)
        };
        Self {
            timeframe,
            total_calls: total.items,
            total_cost: Dollars(total.cost),
            ambiguous_cost: Dollars(total.ambiguous_cost),
            total_tokens: total.tokens,
            avg_latency: average(&total),
            cache_hit_rate: percent(total.cached, total.items),
            model_calls: total.calls,
            avoided_cost: Dollars(total.avoided_cost),
            avoided_tokens: total.avoided_tokens,
            by_intent: Named(Intent::ALL.map(intent).into()),
        }
    }

    /// The summary of a timeframe that ends now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn read(store: &dyn Store, timeframe: Timeframe) -> Stored<Self> {
        let figures = store.figures(Stretch::last(timeframe.length())).await?;
        Ok(Self::of(timeframe, &figures))
    }
}

/// How fast answers were.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Performance {
    /// Of the last hour.
    pub last_hour: Speed,
}

/// How long items took from claim to answer, in milliseconds, without parked time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Speed {
    /// How many there are.
    pub calls: u64,
    /// The mean.
    pub avg_latency: f64,
    /// Half took no longer, to within one percent.
    pub p50: f64,
    /// 95 of 100 took no longer.
    pub p95: f64,
    /// 99 of 100 took no longer.
    pub p99: f64,
}

impl Speed {
    fn of(sums: &Sums, latencies: &Latencies) -> Self {
        let [p50, p95, p99] = percentiles(latencies);
        Self { calls: sums.items, avg_latency: average(sums), p50, p95, p99 }
    }
}

impl Performance {
    /// The last hour's.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn read(store: &dyn Store) -> Stored<Self> {
        let hour = Stretch::last(HOUR);
        let (figures, latencies) = tokio::try_join!(store.figures(hour), store.latencies(hour))?;
        Ok(Self { last_hour: Speed::of(&figures.total(), &latencies) })
    }
}

/// The median, the 95th and the 99th percentile, in milliseconds.
pub(super) fn percentiles(latencies: &Latencies) -> [f64; 3] {
    [0.50, 0.95, 0.99].map(|share| millis(latencies.quantile(share).unwrap_or_default()))
}

/// In milliseconds, to the microsecond.
pub(super) fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// A share in percent, with two decimals.
pub(super) fn percent(part: u64, whole: u64) -> f64 {
    (share(part, whole) * 1e2).round() / 1e2
}

/// A share in percent, in full; of nothing it is 0.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}

fn average(sums: &Sums) -> f64 {
    if sums.items == 0 { 0.0 } else { millis(sums.latency.div_f64(sums.items as f64)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::usage::NanoUsd;

    fn sums(items: u64, cached: u64, cost: i64) -> Sums {
        Sums {
            items,
            cached,
            calls: items - cached,
            tokens: 100 * items,
            cost: NanoUsd(cost),
            latency: Duration::from_millis(30) * items as u32,
            ..Sums::default()
        }
    }

    #[test]
    fn a_summary_adds_intents_up_and_names_all() {
        let by_intent =
            vec![(Intent::TaskCreation, sums(3, 2, 12_000_000)), (Intent::Query, sums(3, 0, 1))];
        let costs = serde_json::to_value(Costs::of(Timeframe::Week, &Figures { by_intent }));
        let costs = costs.unwrap();
        assert_eq!(costs["timeframe"], "week");
        assert_eq!((&costs["totalCalls"], &costs["modelCalls"]), (&json!(6), &json!(4)));
        assert_eq!(
            (&costs["totalCost"], &costs["totalTokens"]),
            (&json!(0.012000001), &json!(600))
        );
        assert_eq!((&costs["avgLatency"], &costs["cacheHitRate"]), (&json!(30.0), &json!(33.33)));
        let task = json!({ "count": 3, "cost": 0.012, "tokens": 300 });
        assert_eq!(costs["byIntent"]["task_creation"], task);
        assert_eq!(costs["byIntent"]["poll_creation"]["count"], 0);
    }

    #[test]
    fn nothing_at_all_is_all_zeros() {
        let costs = Costs::of(Timeframe::Today, &Figures::default());
        assert_eq!((costs.total_calls, costs.avg_latency, costs.cache_hit_rate), (0, 0.0, 0.0));
        assert_eq!(Speed::of(&Sums::default(), &Latencies::default()), Speed::default());
    }

    #[test]
    fn an_unknown_timeframe_lists_the_three() {
        let said = Timeframe::read("year").unwrap_err().to_string();
        assert!(Timeframe::ALL.iter().all(|timeframe| said.contains(timeframe.name())), "{said}");
    }
}
