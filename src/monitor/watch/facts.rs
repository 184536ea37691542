//! Everything that is judged at one moment, from the store.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::usage::NanoUsd;
use crate::limits::{BudgetName, Budgets};
use crate::monitor::alerts::{BudgetFacts, Facts, is_worth_asking, window_of};
use crate::settings::AlertSettings;
use crate::store::{AlertRow, BudgetUse, Signals, Store, Stored, Stretch, Sums};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// The days whose same hour says what is usual.
const DAYS: u32 = 7;
/// A budget's newest windows, among which the one that runs is.
const WINDOWS: u32 = 14;

/// What is to be judged now.
pub(super) async fn gather(
    store: &dyn Store,
    settings: &AlertSettings,
    budgets: &Budgets,
    open: &[AlertRow],
) -> Stored<Facts> {
    let length = Duration::from_secs(settings.window_s);
    let signals = store.signals(length).await?;
    let window = store.figures(Stretch::last(length)).await?.total();
    let latencies = store.latencies(Stretch::last(length)).await?;
    let hour = store.figures(Stretch::last(HOUR)).await?.total();
    let days = match is_worth_asking(hour.cost, settings) {
        true => days_before(store).await?,
        false => Vec::new(),
    };
    let budgets = budgets_now(store, budgets, &signals, open).await?;
    Ok(Facts { signals, window, latencies, hour, days, budgets })
}

/// The same hour of each of the days before.
async fn days_before(store: &dyn Store) -> Stored<Vec<Sums>> {
    let mut days = Vec::new();
    for day in 1..=DAYS {
        let same_hour = Stretch { length: HOUR, ended: DAY * day };
        days.push(store.figures(same_hour).await?.total());
    }
    Ok(days)
}

/// The windows that are half spent, and those beneath that which have an open alert: such a one
/// must not be taken for over.
async fn budgets_now(
    store: &dyn Store,
    budgets: &Budgets,
    signals: &Signals,
    open: &[AlertRow],
) -> Stored<Vec<BudgetFacts>> {
    let mut used = signals.budgets.clone();
    let known: BTreeSet<&str> = used.iter().map(|used| used.key.as_str()).collect();
    let unknown: BTreeSet<&str> = open
        .iter()
        .filter_map(|alert| window_of(&alert.key))
        // An event's budget has no window that ends; it counts as over while its event is quiet.
        .filter(|window| !known.contains(window) && !window.starts_with("budget:event:"))
        .collect();
    let mut found = Vec::new();
    for window in unknown {
        found.extend(one_budget(store, budgets, window).await?);
    }
    used.append(&mut found);
    Ok(used.into_iter().map(|used| facts(budgets, used, signals.at)).collect())
}

/// How far a budget's window is, while it runs.
async fn one_budget(
    store: &dyn Store,
    budgets: &Budgets,
    window: &str,
) -> Stored<Option<BudgetUse>> {
    let Some(name) = name_of(window) else { return Ok(None) };
    let scope = name.scope();
    let rows = store.budgets(Some(&scope), WINDOWS).await?;
    let Some(row) = rows.into_iter().find(|row| row.key == window && row.is_current) else {
        return Ok(None);
    };
    let overrides = store.budget_overrides().await?;
    let set = overrides.into_iter().find(|set| set.name == scope).map(|set| set.limit);
    let limit = set.unwrap_or_else(|| budgets.limit(&name)).unwrap_or(NanoUsd::ZERO);
    let spent = row.charged + row.ambiguous;
    Ok(Some(BudgetUse { key: row.key, name: row.name, spent, limit }))
}

/// The budget of a window's key: what has a calendar ends with its day or month.
fn name_of(window: &str) -> Option<BudgetName> {
    let before = window.rsplit_once(':').map(|(before, _)| before);
    BudgetName::of_scope(window)
        .filter(|name| matches!(name, BudgetName::Event(_) | BudgetName::Total))
        .or_else(|| BudgetName::of_scope(before?))
}

fn facts(budgets: &Budgets, used: BudgetUse, at: Timestamp) -> BudgetFacts {
    let window = BudgetName::of_scope(&used.name).and_then(|name| budgets.window(&name, at));
    BudgetFacts { used, window }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_windows_key_names_its_budget() {
        for (window, name) in [
            ("budget:day:2026-11-22", "day"),
            ("budget:month:2026-11", "month"),
            ("budget:tenant:acme:eu:2026-11", "tenant:acme:eu"),
            ("budget:event:our:wedding", "event:our:wedding"),
            ("budget:total", "total"),
        ] {
            assert_eq!(name_of(window).map(|name| name.to_string()).as_deref(), Some(name));
        }
        assert_eq!(name_of("budget:year:2026"), None);
    }
}
