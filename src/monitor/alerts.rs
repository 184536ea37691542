//! Alerts: what is wrong now, as a pure function of facts, settings and what is open already.
//!
//! A rule takes readings; a reading beyond its threshold fires an alert unless
//! one of its key is open, and an open one is resolved when its reading has come
//! back behind the threshold by the hysteresis, or is not taken any more. The
//! store sees to it that each happens once over all replicas.

mod rules;
mod spike;
mod budgets;
mod numbers;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::webhook::slack;
use crate::broker::envelope::alert_changed;
use crate::domain::ids::derived_uuid;
use crate::domain::latency::Latencies;
use crate::settings::AlertSettings;
use crate::store::{
    AlertChange, AlertRow, BudgetUse, Channel, CompletionEvent, Notice, Signals, Sums, Window,
};

pub(super) use budgets::window_of;
pub(super) use spike::is_worth_asking;

/// How long an alert stays open of which too little comes to judge it by.
const UNJUDGED: Duration = Duration::from_secs(24 * 3600);

/// What can be wrong. The README says of each what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The last hour cost a multiple of what is usual at this hour.
    CostSpike,
    /// So much of a budget's window is spent; one alert a window and level.
    Budget,
    /// Answers take too long, by the 95th percentile.
    Latency,
    /// Too few questions are answered from the cache.
    HitRate,
    /// Too large a share of messages failed.
    ErrorRate,
    /// Too many messages failed.
    FailedItems,
    /// So much may have been billed and nobody knows.
    AmbiguousSpend,
    /// Answers came for which there is no price.
    UnpricedSpend,
    /// A provider asks for a pause; one alert an account or model.
    ProviderPaused,
    /// Messages wait, and nothing is written to ledger or metrics.
    NoAccounting,
    /// A due message waits for too long.
    QueueOldest,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 11] = [
        Self::CostSpike,
        Self::Budget,
        Self::Latency,
        Self::HitRate,
        Self::ErrorRate,
        Self::FailedItems,
        Self::AmbiguousSpend,
        Self::UnpricedSpend,
        Self::ProviderPaused,
        Self::NoAccounting,
        Self::QueueOldest,
    ];

    /// Its name in rows, events and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::CostSpike => "cost_spike",
            Self::Budget => "budget",
            Self::Latency => "latency",
            Self::HitRate => "hit_rate",
            Self::ErrorRate => "error_rate",
            Self::FailedItems => "failed_items",
            Self::AmbiguousSpend => "ambiguous_spend",
            Self::UnpricedSpend => "unpriced_spend",
            Self::ProviderPaused => "provider_paused",
            Self::NoAccounting => "no_accounting",
            Self::QueueOldest => "queue_oldest",
        }
    }

    /// The rule of that name; `None`: another release's.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

/// A budget's window that is half spent at least, or has an open alert.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetFacts {
    /// How far it is.
    pub used: BudgetUse,
    /// Its beginning and end; `None`: not known.
    pub window: Option<Window>,
}

/// Everything that is judged at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The instant, and what is known beside figures.
    pub signals: Signals,
    /// The figures of the window that the settings name.
    pub window: Sums,
    /// Its latencies.
    pub latencies: Latencies,
    /// The figures of the last hour.
    pub hour: Sums,
    /// Those of the same hour of the seven days before; empty where the last hour cost too little
    /// to ask.
    pub days: Vec<Sums>,
    /// The budgets' windows that run now.
    pub budgets: Vec<BudgetFacts>,
}

/// To whom a change is told.
#[derive(Debug, Clone, Copy)]
pub struct Telling<'a> {
    /// The CloudEvents `source` of the settings.
    pub source: &'a str,
    /// Whether there is a webhook.
    pub webhook: bool,
}

/// What a rule measured, of one thing.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    rule: Rule,
    /// What it is about, in full.
    key: String,
    found: Found,
}

#[derive(Debug, Clone, PartialEq)]
enum Found {
    /// Neither fires nor, for a day, resolves anything.
    TooFew,
    Measured {
        value: f64,
        threshold: f64,
        bad: Bad,
        /// How it is, in words that hold on both sides of the threshold.
        text: String,
    },
}

/// On which side of its threshold a value is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bad {
    /// At it and above.
    Above,
    /// Below it; in percent.
    Below,
    /// At it and above; then for as long as there is a reading.
    WhileThere,
}

impl Bad {
    fn fires(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Above | Self::WhileThere => value >= threshold,
            Self::Below => value < threshold,
        }
    }

    /// Whether a value has come back far enough; never true of one that fires.
    fn is_back(self, value: f64, threshold: f64, hysteresis: f64) -> bool {
        match self {
            Self::Above => value < threshold - threshold * hysteresis,
            Self::Below => value >= (threshold + threshold * hysteresis).min(100.0),
            Self::WhileThere => false,
        }
    }
}

/// What changes: alerts that fire and alerts that are resolved, each with what is told of it.
///
/// An alert whose reading is not taken any more is resolved: its rule was turned off, its budget's
/// window is over, its provider's pause is over, or there was nothing to judge in the whole window. A
/// window with some but too few items fires nothing and resolves nothing, until the alert is a
/// day old. Alerts of rules that this release does not know are left alone.
pub fn judge(
    facts: &Facts,
    settings: &AlertSettings,
    open: &[AlertRow],
    telling: &Telling<'_>,
) -> Vec<AlertChange> {
    let at = facts.signals.at;
    let readings = if settings.every_s == 0 { Vec::new() } else { rules::read(facts, settings) };
    let mut unread: HashMap<&str, &AlertRow> =
        open.iter().map(|alert| (alert.key.as_str(), alert)).collect();
    let mut changes = Vec::new();
    for reading in &readings {
        let change = match unread.remove(reading.key.as_str()) {
            Some(alert) => back(reading, alert, settings.hysteresis, at)
                .map(|text| resolved(alert, text, at, telling)),
            None => fired(reading, at, telling),
        };
        changes.extend(change);
    }
    for alert in open.iter().filter(|alert| unread.contains_key(alert.key.as_str())) {
        let Some(rule) = Rule::named(&alert.rule) else { continue };
        let text = rules::why_unread(rule, settings).to_owned();
        changes.push(resolved(alert, text, at, telling));
    }
    changes
}

/// Whether an open alert's reading has come back, and how that is said.
fn back(reading: &Reading, alert: &AlertRow, hysteresis: f64, at: Timestamp) -> Option<String> {
    match &reading.found {
        Found::Measured { value, threshold, bad, text } => {
            bad.is_back(*value, *threshold, hysteresis).then(|| text.clone())
        }
        Found::TooFew => {
            let open_for = at.duration_since(alert.fired_at).unsigned_abs();
            (open_for >= UNJUDGED).then(|| "Too little came for a day to judge it by.".to_owned())
        }
    }
}

fn fired(reading: &Reading, at: Timestamp, telling: &Telling<'_>) -> Option<AlertChange> {
    let Found::Measured { value, threshold, bad, text } = &reading.found else { return None };
    if !bad.fires(*value, *threshold) {
        return None;
    }
    let alert = AlertRow {
        id: derived_uuid(&["alert", &reading.key, &at.to_string()]),
        key: reading.key.clone(),
        rule: reading.rule.name().to_owned(),
        text: text.clone(),
        value: *value,
        threshold: *threshold,
        fired_at: at,
        resolved_at: None,
    };
    let notices = notices(&alert, telling);
    Some(AlertChange::Fire { alert, notices })
}

fn resolved(alert: &AlertRow, text: String, at: Timestamp, telling: &Telling<'_>) -> AlertChange {
    let told = AlertRow { text, resolved_at: Some(at), ..alert.clone() };
    AlertChange::Resolve { id: alert.id, at, notices: notices(&told, telling) }
}

/// What is told of an alert as it is now.
fn notices(alert: &AlertRow, telling: &Telling<'_>) -> Vec<Notice> {
    let event = alert_changed(telling.source, alert);
    let post = CompletionEvent {
        routing_key: String::new(),
        body: slack::message(telling.source, alert),
        ..event.clone()
    };
    let mut notices = vec![Notice { channel: Channel::Event, event }];
    if telling.webhook {
        notices.push(Notice { channel: Channel::Webhook, event: post });
    }
    notices
}
