//! What figures are made of: sums over a stretch of time, and what became of the rollout's events.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::intent::Intent;
use crate::domain::latency::Latencies;
use crate::domain::usage::NanoUsd;
use crate::settings::RetentionSettings;

/// A stretch of time that ends now or some while ago, by the database's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// How long it is.
    pub length: Duration,
    /// How long ago it ended; nothing: it ends now.
    pub ended: Duration,
}

impl Stretch {
    /// The last so long.
    pub fn last(length: Duration) -> Self {
        Self { length, ended: Duration::ZERO }
    }
}

/// Sums over metric rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Metric rows: settled items that were answered or cost anything.
    pub items: u64,
    /// Those answered from the cache.
    pub cached: u64,
    /// Those that a model answered: looked for in the cache, and not found there.
    pub asked: u64,
    /// HTTP requests.
    pub calls: u64,
    /// Tokens of all classes.
    pub tokens: u64,
    /// What was charged.
    pub cost: NanoUsd,
    /// What is in doubt, at its worst case.
    pub ambiguous_cost: NanoUsd,
    /// Tokens that cache hits avoided.
    pub avoided_tokens: u64,
    /// Dollars that cache hits avoided.
    pub avoided_cost: NanoUsd,
    /// All latencies, summed.
    pub latency: Duration,
}

impl Sums {
    /// Questions that were looked for in the cache: found there, or asked of a model.
    pub fn questions(&self) -> u64 {
        self.cached + self.asked
    }
}

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.items += other.items;
        self.cached += other.cached;
        self.asked += other.asked;
        self.calls += other.calls;
        self.tokens += other.tokens;
        self.cost += other.cost;
        self.ambiguous_cost += other.ambiguous_cost;
        self.avoided_tokens += other.avoided_tokens;
        self.avoided_cost += other.avoided_cost;
        self.latency += other.latency;
    }
}

/// The figures of a stretch of time, exact but for the percentiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Sums by intent; intents without any row are left out.
    pub by_intent: Vec<(Intent, Sums)>,
}

impl Figures {
    /// The sums over all intents.
    pub fn total(&self) -> Sums {
        self.by_intent.iter().fold(Sums::default(), |mut sum, (_, sums)| {
            sum += *sums;
            sum
        })
    }
}

/// Messages on one side of the rollout, of those settled in a stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RolloutSide {
    /// Their events.
    pub events: u64,
    /// Messages that were answered or changed a row.
    pub completed: u64,
    /// Messages that were skipped; outside the rollout all are.
    pub skipped: u64,
    /// Messages that failed.
    pub failed: u64,
    /// HTTP requests to a model.
    pub calls: u64,
    /// What they cost.
    pub cost: NanoUsd,
    /// From a message's first claim to its end, parked time included.
    pub settled_in: Latencies,
}

/// What became of messages inside and outside the rollout.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RolloutReport {
    /// Of events that are worked for.
    pub inside: RolloutSide,
    /// Of events that are not: skipped as `outside_rollout`.
    pub outside: RolloutSide,
}

/// How long rows are kept; `None`: for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Metric rows and minutes' sums.
    pub metrics: Option<Duration>,
    /// Hours' sums.
    pub hours: Option<Duration>,
    /// Closed ledger rows; their sums stay as `carried` rows.
    pub ledger: Option<Duration>,
    /// Resolved alerts.
    pub alerts: Option<Duration>,
}

impl Retention {
    /// As the settings have it; 0 days keep for ever.
    pub fn of(settings: &RetentionSettings) -> Self {
        let days = |days: u32| (days > 0).then(|| Duration::from_secs(24 * 3600) * days);
        Self {
            metrics: days(settings.metrics_days),
            hours: days(settings.hours_days),
            ledger: days(settings.ledger_days),
            alerts: days(settings.alerts_days),
        }
    }
}

/// What a sweep by [`Retention`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Metric rows, or on PostgreSQL days of them, that are gone.
    pub metrics: u64,
    /// Rows of sums that are gone.
    pub sums: u64,
    /// Ledger rows that were folded into carried ones.
    pub folded: u64,
    /// Whether there is more to do at once.
    pub more: bool,
}

/// What is in the store's cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheReport {
    /// Entries that can be hit.
    pub active: u64,
    /// Entries that are over and not swept yet.
    pub expired: u64,
    /// The bytes of all: keys and answers.
    pub bytes: u64,
    /// Entries and bytes by what their keys begin with, up to the digest; most entries first, at most 50.
    pub by_prefix: Vec<CachePrefix>,
}

/// The entries under one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachePrefix {
    /// The readable part of their keys: `task:florist:base`.
    pub prefix: String,
    /// How many there are.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// An instant and what is known at it, of what alerts judge beside figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Signals {
    /// The database's clock.
    pub at: Timestamp,
    /// Items that failed in the stretch that was asked for.
    pub failed: u64,
    /// Ledger rows that are ambiguous.
    pub ambiguous_rows: u64,
    /// What they may have cost, at worst.
    pub ambiguous: NanoUsd,
    /// Those of them whose answer had no price.
    pub unpriced_rows: u64,
    /// Since when the last metric or ledger row was written; `None`: there is none.
    pub accounted: Option<Duration>,
    /// For how long the longest due item has been due.
    pub oldest_due: Duration,
    /// For how long the longest claim has been held.
    pub oldest_processing: Duration,
    /// Accounts and models that their providers paused, and for how long yet.
    pub paused_providers: Vec<(String, Duration)>,
    /// Budget windows that run now and are half spent at least, the most spent first, at most 1,000;
    /// of events only those that asked a model within a day.
    pub budgets: Vec<BudgetUse>,
}

/// How far a budget's window is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetUse {
    /// The window's key: `budget:day:2026-11-22`.
    pub key: String,
    /// The budget's name.
    pub name: String,
    /// What is charged and ambiguous.
    pub spent: NanoUsd,
    /// Its limit, an operator's before the settings'.
    pub limit: NanoUsd,
}
