//! How much of each budget is spent, and when it will be used up.

use std::time::Duration;

use jiff::Timestamp;

use super::numbers::{moment, short, usd};
use super::{Bad, BudgetFacts, Facts, Found, Reading, Rule};
use crate::domain::usage::NanoUsd;
use crate::limits::BudgetName;
use crate::settings::AlertSettings;

/// What a pace is told of at the longest.
const FAR: Duration = Duration::from_secs(366 * 24 * 3600);

/// A reading a window and level.
pub(super) fn read(facts: &Facts, settings: &AlertSettings) -> Vec<Reading> {
    let mut levels = settings.budget_percent.clone();
    levels.sort_unstable();
    levels.dedup();
    let limited = facts.budgets.iter().filter(|budget| budget.used.limit > NanoUsd::ZERO);
    let readings = limited.flat_map(|budget| {
        let text = text(budget, facts);
        let value = 100.0 * budget.used.spent.0 as f64 / budget.used.limit.0 as f64;
        let reading = move |level: &u32| Reading {
            rule: Rule::Budget,
            key: key(*level, &budget.used.key),
            found: Found::Measured {
                value,
                threshold: f64::from(*level),
                bad: Bad::Above,
                text: text.clone(),
            },
        };
        levels.iter().map(reading).collect::<Vec<_>>()
    });
    readings.collect()
}

/// An alert's key for a level of a window.
fn key(level: u32, window: &str) -> String {
    format!("{}:{level}:{window}", Rule::Budget.name())
}

/// The window's key in a key of an alert.
pub(in crate::monitor) fn window_of(key: &str) -> Option<&str> {
    let (level, window) =
        key.strip_prefix(Rule::Budget.name())?.strip_prefix(':')?.split_once(':')?;
    level.parse::<u32>().ok().map(|_| window)
}

fn text(budget: &BudgetFacts, facts: &Facts) -> String {
    let used = &budget.used;
    let name = BudgetName::of_scope(&used.name);
    let shown = name.as_ref().map_or_else(|| used.name.clone(), ToString::to_string);
    let percent = short(100.0 * used.spent.0 as f64 / used.limit.0 as f64);
    let spent = format!(
        "{percent} % of the budget {shown} is spent: {} of {}.",
        usd(used.spent),
        usd(used.limit)
    );
    match outlook(budget, name.as_ref(), facts) {
        Some(outlook) => format!("{spent} {outlook}"),
        None => spent,
    }
}

/// When it will be used up at this pace: the window's own since it began, and the last hour's for
/// the deployment's total, which has no beginning. An event's pace is not known.
fn outlook(budget: &BudgetFacts, name: Option<&BudgetName>, facts: &Facts) -> Option<String> {
    let at = facts.signals.at;
    let ends_at = budget.window.as_ref().and_then(|window| window.ends_at);
    let left = budget.used.limit - budget.used.spent;
    if left <= NanoUsd::ZERO {
        return ends_at.map(|end| format!("The next window begins at {}.", moment(end)));
    }
    let starts_at = budget.window.as_ref().and_then(|window| window.starts_at);
    let (spent, over) = match (starts_at, name) {
        (Some(start), _) => (budget.used.spent, at.duration_since(start).unsigned_abs()),
        (None, Some(BudgetName::Total)) => (facts.hour.cost, Duration::from_secs(3_600)),
        (None, _) => return None,
    };
    let used_up = used_up(at, left, spent, over)?;
    match ends_at {
        Some(end) if used_up >= end => Some(format!(
            "At this pace it lasts until {}, when the next window begins.",
            moment(end)
        )),
        Some(_) | None => Some(format!("At this pace it is used up at {}.", moment(used_up))),
    }
}

fn used_up(at: Timestamp, left: NanoUsd, spent: NanoUsd, over: Duration) -> Option<Timestamp> {
    let seconds = left.0 as f64 / spent.0 as f64 * over.as_secs_f64();
    let lasts = Duration::try_from_secs_f64(seconds).ok().filter(|lasts| *lasts <= FAR)?;
    at.checked_add(lasts).ok()
}
