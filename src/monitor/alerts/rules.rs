//! What each rule reads.

use std::time::Duration;

use super::numbers::{short, time, usd};
use super::{Bad, Facts, Found, Reading, Rule, budgets, spike};
use crate::monitor::costs::share;
use crate::settings::AlertSettings;

/// Every reading that there is to take now, of the rules that are turned on.
pub(super) fn read(facts: &Facts, settings: &AlertSettings) -> Vec<Reading> {
    let mut readings: Vec<Reading> =
        Rule::ALL.into_iter().filter_map(|rule| single(rule, facts, settings)).collect();
    readings.extend(budgets::read(facts, settings));
    readings.extend(pauses(facts, settings));
    readings
}

/// The reading of a rule that has one key: its name.
fn single(rule: Rule, facts: &Facts, settings: &AlertSettings) -> Option<Reading> {
    if !is_on(rule, settings) {
        return None;
    }
    let found = match rule {
        Rule::CostSpike => cost_spike(facts, settings),
        Rule::Latency => latency(facts, settings),
        Rule::HitRate => hit_rate(facts, settings),
        Rule::ErrorRate => error_rate(facts, settings),
        Rule::FailedItems => Some(failed_items(facts, settings)),
        Rule::AmbiguousSpend => Some(ambiguous_spend(facts, settings)),
        Rule::UnpricedSpend => Some(unpriced_spend(facts, settings)),
        Rule::NoAccounting => Some(no_accounting(facts, settings)),
        Rule::QueueOldest => Some(queue_oldest(facts, settings)),
        Rule::Budget | Rule::ProviderPaused => None,
    };
    found.map(|found| Reading { rule, key: rule.name().to_owned(), found })
}

/// Whether a rule is turned on.
fn is_on(rule: Rule, settings: &AlertSettings) -> bool {
    match rule {
        Rule::CostSpike => settings.cost_spike_factor > 0.0,
        Rule::Budget => !settings.budget_percent.is_empty(),
        Rule::Latency => settings.p95_ms > 0,
        Rule::HitRate => settings.hit_rate_percent > 0.0,
        Rule::ErrorRate => settings.error_percent > 0.0,
        Rule::FailedItems => settings.failed_items > 0,
        Rule::AmbiguousSpend => settings.ambiguous_usd > 0.0,
        Rule::UnpricedSpend => settings.unpriced_rows > 0,
        Rule::ProviderPaused => settings.provider_paused_s > 0,
        Rule::NoAccounting => settings.no_accounting_s > 0,
        Rule::QueueOldest => settings.oldest_due_s > 0,
    }
}

/// Why an open alert is not read any more.
pub(super) fn why_unread(rule: Rule, settings: &AlertSettings) -> &'static str {
    if settings.every_s == 0 || !is_on(rule, settings) {
        return "Its rule was turned off.";
    }
    match rule {
        Rule::Budget => {
            "Its window is over, its event was quiet for a day, or its limit or level was changed."
        }
        Rule::ProviderPaused => "The pause is over.",
        Rule::CostSpike
        | Rule::Latency
        | Rule::HitRate
        | Rule::ErrorRate
        | Rule::FailedItems
        | Rule::AmbiguousSpend
        | Rule::UnpricedSpend
        | Rule::NoAccounting
        | Rule::QueueOldest => "There is nothing left to judge it by.",
    }
}

fn above(value: f64, threshold: f64, text: String) -> Found {
    Found::Measured { value, threshold, bad: Bad::Above, text }
}

/// A rate's reading: none of nothing, and none yet of too few.
fn rate(count: u64, settings: &AlertSettings, found: impl FnOnce() -> Found) -> Option<Found> {
    match count {
        0 => None,
        few if few < settings.least_items => Some(Found::TooFew),
        _ => Some(found()),
    }
}

fn window(settings: &AlertSettings) -> String {
    time(Duration::from_secs(settings.window_s))
}

fn cost_spike(facts: &Facts, settings: &AlertSettings) -> Option<Found> {
    spike::read(facts, settings).map(|(value, threshold, text)| above(value, threshold, text))
}

fn latency(facts: &Facts, settings: &AlertSettings) -> Option<Found> {
    let p95 = facts.latencies.quantile(0.95)?.as_secs_f64() * 1e3;
    rate(facts.latencies.count(), settings, || {
        let (over, most) = (window(settings), settings.p95_ms);
        let text = format!(
            "95 of 100 answers of the last {over} came within {p95:.0} ms; {most} ms is the most."
        );
        above(p95, most as f64, text)
    })
}

/// Of the questions that needed an answer: what code answers alone was never looked for.
fn hit_rate(facts: &Facts, settings: &AlertSettings) -> Option<Found> {
    let asked = facts.window.questions();
    rate(asked, settings, || {
        let (value, threshold) = (spike::hit_rate(&facts.window), settings.hit_rate_percent);
        let text = format!(
            "{} % of the {asked} questions of the last {} were answered from the cache; {} % is \
             the least.",
            short(value),
            window(settings),
            short(threshold)
        );
        Found::Measured { value, threshold, bad: Bad::Below, text }
    })
}

fn error_rate(facts: &Facts, settings: &AlertSettings) -> Option<Found> {
    let failed = facts.signals.failed;
    let all = failed + facts.window.items;
    rate(all, settings, || {
        let value = share(failed, all);
        let text = format!(
            "{} % of the messages of the last {} failed, {failed} of {all}; {} % is the most.",
            short(value),
            window(settings),
            short(settings.error_percent)
        );
        above(value, settings.error_percent, text)
    })
}

fn failed_items(facts: &Facts, settings: &AlertSettings) -> Found {
    let (failed, over) = (facts.signals.failed, window(settings));
    let text = format!("{failed} messages failed in the last {over}.");
    above(failed as f64, settings.failed_items as f64, text)
}

fn ambiguous_spend(facts: &Facts, settings: &AlertSettings) -> Found {
    let signals = &facts.signals;
    let text = format!(
        "What {} requests cost is not known; it is {} at most. `gleaner ledger list --state \
         ambiguous` names them.",
        signals.ambiguous_rows,
        usd(signals.ambiguous)
    );
    above(signals.ambiguous.dollars(), settings.ambiguous_usd, text)
}

fn unpriced_spend(facts: &Facts, settings: &AlertSettings) -> Found {
    let rows = facts.signals.unpriced_rows;
    let text = format!(
        "{rows} answers have no price, and count at the dearest that is known until `gleaner ledger \
         resolve` says more."
    );
    above(rows as f64, settings.unpriced_rows as f64, text)
}

/// Messages wait for so long, and for as long nothing was written: the shorter of the two.
fn no_accounting(facts: &Facts, settings: &AlertSettings) -> Found {
    let signals = &facts.signals;
    let waits = signals.oldest_due.max(signals.oldest_processing);
    let silent = waits.min(signals.accounted.unwrap_or(Duration::MAX));
    let text = format!(
        "Messages have waited for {}, and for {} nothing was written to ledger or metrics.",
        time(waits),
        time(silent)
    );
    above(silent.as_secs_f64(), settings.no_accounting_s as f64, text)
}

fn queue_oldest(facts: &Facts, settings: &AlertSettings) -> Found {
    let oldest = facts.signals.oldest_due;
    let text = format!("The longest due message has been due for {}.", time(oldest));
    above(oldest.as_secs_f64(), settings.oldest_due_s as f64, text)
}

/// One reading for each account and model that is paused; its alert lasts as long as the pause.
fn pauses(facts: &Facts, settings: &AlertSettings) -> Vec<Reading> {
    if !is_on(Rule::ProviderPaused, settings) {
        return Vec::new();
    }
    let paused = facts.signals.paused_providers.iter();
    let reading = |(provider, left): &(String, Duration)| Reading {
        rule: Rule::ProviderPaused,
        key: format!("{}:{provider}", Rule::ProviderPaused.name()),
        found: Found::Measured {
            value: left.as_secs_f64(),
            threshold: settings.provider_paused_s as f64,
            bad: Bad::WhileThere,
            text: format!("{provider} asks for a pause of {} more.", time(*left)),
        },
    };
    paused.map(reading).collect()
}
