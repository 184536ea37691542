//! The budgets as scripts read them: what holds, who said so, and how far each one is.
//!
//! What the settings say, what an operator set and what the store counts are put
//! together here, once for the command line and the port. Reserved is never a part
//! of spent: it is what requests in flight may yet cost.

use jiff::Timestamp;
use serde::Serialize;

use super::ledger::Dollars;
use crate::domain::usage::NanoUsd;
use crate::limits::{BudgetName, Budgets, Span};
use crate::settings::{BudgetKind, OverBudget};
use crate::store::{BudgetOverride, BudgetWindow, Store, Stored};

/// How many events' budgets an overview shows: so many of the most spent, and so many of those
/// whose limit was set last.
pub const EVENTS: usize = 20;
/// The most rows that an overview looks at; events' come last.
const ROWS: u32 = 2_000;
/// The window that runs now, the one that waited for, and those before.
const WINDOWS: u32 = 14;

/// Who says what the limit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitFrom {
    /// The settings.
    Settings,
    /// An operator, at run time.
    Operator,
}

/// A budget and the window that runs now. The field names and their order are a contract with
/// scripts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BudgetListing {
    /// Its scope: `day`, `month`, `total`, `tenant:NAME`, `event:ID`.
    pub budget: String,
    /// The most that a window may cost; `None`: no limit, it only counts.
    pub limit: Option<Dollars>,
    /// Who says so.
    pub limit_from: LimitFrom,
    /// Who set it, where an operator did.
    pub set_by: Option<String>,
    /// When an operator set it.
    pub set_at: Option<Timestamp>,
    /// What the settings say.
    pub limit_in_settings: Option<Dollars>,
    /// Whether it can be passed.
    pub kind: BudgetKind,
    /// What becomes of a request when it is spent.
    pub over: OverBudget,
    /// The window: `2026-11-22`, `2026-11`; `None` where the budget has one for ever.
    pub window: Option<String>,
    /// The window's first instant.
    pub starts_at: Option<Timestamp>,
    /// The window's end, not part of it.
    pub ends_at: Option<Timestamp>,
    /// The time zone of its days and months.
    pub time_zone: String,
    /// Spent: what was charged.
    pub spent: Dollars,
    /// In flight: set aside for requests that run, at their worst case.
    pub reserved: Dollars,
    /// In doubt: held for requests of which nobody knows what they cost.
    pub ambiguous: Dollars,
    /// The limit less what is spent and in doubt, below 0 when it was passed; what is in flight
    /// comes out of it.
    pub left: Option<Dollars>,
    /// Messages that wait for room in this window.
    pub waiting: u64,
    /// Messages that wait for the next window.
    pub waiting_for_next: u64,
    /// Its windows before this one, the newest first; empty in an overview.
    pub earlier: Vec<EarlierWindow>,
}

/// A budget's window that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EarlierWindow {
    /// The window: `2026-11-21`, `2026-10`.
    pub window: String,
    /// What was charged.
    pub spent: Dollars,
    /// What requests hold that are in flight still.
    pub reserved: Dollars,
    /// Held for requests of which nobody knows what they cost.
    pub ambiguous: Dollars,
}

/// Day, month and total, then the tenants, then the most spent events and those whose limit an
/// operator set; lifted ones too, as they count all the same.
///
/// # Errors
/// When the store cannot be read.
pub async fn overview(store: &dyn Store, budgets: &Budgets) -> Stored<Vec<BudgetListing>> {
    let now = store.now().await?;
    let overrides = store.budget_overrides().await?;
    let rows = store.budgets(None, ROWS).await?;
    let mut listed = Vec::new();
    for name in shown(&rows, &overrides) {
        let scope = name.scope();
        let mut own: Vec<_> = rows.iter().filter(|row| row.name == scope).cloned().collect();
        // Who waits for the next window stands in that one's row, which does not run yet.
        let waits = name.span() != Span::Life && budgets.of(&name).over == OverBudget::Park;
        if waits || own.is_empty() {
            own = store.budgets(Some(&scope), WINDOWS).await?;
        }
        let listing = listing(budgets, &name, &own, &overrides, now);
        listed.push(BudgetListing { earlier: Vec::new(), ..listing });
    }
    Ok(listed)
}

/// One budget, with its windows before now; one that nothing ever counted in is all zeros.
///
/// # Errors
/// When the store cannot be read.
pub async fn one(store: &dyn Store, budgets: &Budgets, name: &BudgetName) -> Stored<BudgetListing> {
    let rows = store.budgets(Some(&name.scope()), WINDOWS).await?;
    let overrides = store.budget_overrides().await?;
    Ok(listing(budgets, name, &rows, &overrides, store.now().await?))
}

/// What the settings alone say of a budget.
pub fn by_settings(budgets: &Budgets, name: &BudgetName) -> BudgetListing {
    listing(budgets, name, &[], &[], Timestamp::now())
}

/// Which budgets an overview shows.
fn shown(rows: &[BudgetWindow], overrides: &[BudgetOverride]) -> Vec<BudgetName> {
    let mut names = vec![BudgetName::Day, BudgetName::Month, BudgetName::Total];
    let mut events = Vec::new();
    for name in rows.iter().filter_map(|row| BudgetName::of_scope(&row.name)) {
        add(name, &mut names, &mut events);
    }
    events.truncate(EVENTS);
    let mut set: Vec<&BudgetOverride> = overrides.iter().collect();
    set.sort_by_key(|it| std::cmp::Reverse(it.set_at));
    for name in set.into_iter().filter_map(|it| BudgetName::of_scope(&it.name)) {
        add(name, &mut names, &mut events);
    }
    names.extend(events.into_iter().take(2 * EVENTS));
    names
}

/// Adds what is not there yet; events stand apart.
fn add(name: BudgetName, names: &mut Vec<BudgetName>, events: &mut Vec<BudgetName>) {
    let list = if matches!(name, BudgetName::Event(_)) { events } else { names };
    if !list.contains(&name) {
        list.push(name);
    }
}

fn listing(
    budgets: &Budgets,
    name: &BudgetName,
    rows: &[BudgetWindow],
    overrides: &[BudgetOverride],
    now: Timestamp,
) -> BudgetListing {
    let scope = name.scope();
    let running = budgets.window(name, now);
    let current = rows.iter().find(|row| row.is_current);
    let key = running.as_ref().map_or_else(|| scope.clone(), |window| window.key.clone());
    let key = current.map_or(key, |row| row.key.clone());
    let set = overrides.iter().find(|it| it.name == scope);
    let limit_in_settings = budgets.limit(name);
    let limit = set.map_or(limit_in_settings, |set| set.limit);
    let spent = current.map_or(NanoUsd::ZERO, |row| row.charged);
    let ambiguous = current.map_or(NanoUsd::ZERO, |row| row.ambiguous);
    let settings = budgets.of(name);
    BudgetListing {
        budget: name.to_string(),
        limit: limit.map(Dollars),
        limit_from: if set.is_some() { LimitFrom::Operator } else { LimitFrom::Settings },
        set_by: set.map(|set| set.set_by.clone()),
        set_at: set.map(|set| set.set_at),
        limit_in_settings: limit_in_settings.map(Dollars),
        kind: settings.kind,
        over: settings.over,
        window: window_of(&scope, &key),
        starts_at: running.as_ref().and_then(|window| window.starts_at),
        ends_at: running.as_ref().and_then(|window| window.ends_at),
        time_zone: budgets.time_zone().to_owned(),
        spent: Dollars(spent),
        reserved: Dollars(current.map_or(NanoUsd::ZERO, |row| row.reserved)),
        ambiguous: Dollars(ambiguous),
        left: limit.map(|limit| Dollars(NanoUsd(limit.0 - spent.0 - ambiguous.0))),
        waiting: current.map_or(0, |row| row.waiting),
        // Windows of one budget are in order of their keys.
        waiting_for_next: rows.iter().filter(|row| row.key > key).map(|row| row.waiting).sum(),
        earlier: rows.iter().filter(|row| row.key < key).filter_map(earlier).collect(),
    }
}

fn earlier(row: &BudgetWindow) -> Option<EarlierWindow> {
    Some(EarlierWindow {
        window: window_of(&row.name, &row.key)?,
        spent: Dollars(row.charged),
        reserved: Dollars(row.reserved),
        ambiguous: Dollars(row.ambiguous),
    })
}

/// What a window's key says beyond its budget's name.
fn window_of(scope: &str, key: &str) -> Option<String> {
    Some(key.strip_prefix(scope)?.strip_prefix(':')?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings;

    fn budgets() -> Budgets {
        Budgets::new(settings::load(None, &[]).unwrap().budgets)
    }

    fn row(name: &str, window: &str, counters: [i64; 3], waiting: u64) -> BudgetWindow {
        let [charged, reserved, ambiguous] = counters.map(NanoUsd);
        let key = if window.is_empty() { name.to_owned() } else { format!("{name}:{window}") };
        let is_current = window.is_empty() || window == "2026-11-22";
        let name = name.to_owned();
        BudgetWindow { name, key, reserved, charged, ambiguous, waiting, is_current }
    }

    fn set(name: &str, limit: Option<i64>) -> BudgetOverride {
        BudgetOverride {
            name: name.to_owned(),
            limit: limit.map(NanoUsd),
            set_by: "ana".to_owned(),
            set_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn what_is_reserved_is_no_part_of_what_is_spent() {
        let rows = [row("budget:day", "2026-11-22", [300, 50, 20], 4)];
        let day =
            listing(&budgets(), &BudgetName::Day, &rows, &[set("budget:day", Some(1_000))], now());
        assert_eq!((day.spent.0.0, day.reserved.0.0, day.ambiguous.0.0), (300, 50, 20));
        assert_eq!((day.left, day.waiting), (Some(Dollars(NanoUsd(680))), 4));
    }

    #[test]
    fn who_waits_for_the_next_window_is_told_apart_and_earlier_ones_stay() {
        let rows = [
            row("budget:day", "2026-11-23", [0, 0, 0], 9),
            row("budget:day", "2026-11-22", [5, 0, 0], 1),
            row("budget:day", "2026-11-21", [7, 0, 2], 0),
        ];
        let day = listing(&budgets(), &BudgetName::Day, &rows, &[], now());
        assert_eq!((day.waiting, day.waiting_for_next), (1, 9));
        assert_eq!(day.window.as_deref(), Some("2026-11-22"));
        assert_eq!(day.ends_at, Some("2026-11-23T00:00:00Z".parse().unwrap()));
        let earlier: Vec<_> =
            day.earlier.iter().map(|it| (it.window.as_str(), it.spent.0.0)).collect();
        assert_eq!(earlier, [("2026-11-21", 7)]);
    }

    #[test]
    fn what_an_operator_set_stands_before_the_settings() {
        let month = |overrides: &[BudgetOverride]| {
            listing(&budgets(), &BudgetName::Month, &[], overrides, now())
        };
        let settings = month(&[]);
        assert_eq!(settings.limit, Some(Dollars(NanoUsd(100_000_000_000))));
        assert_eq!((settings.limit_from, settings.set_by), (LimitFrom::Settings, None));
        let lifted = month(&[set("budget:month", None), set("budget:day", Some(1))]);
        assert_eq!((lifted.limit, lifted.left), (None, None));
        assert_eq!(
            (lifted.limit_from, lifted.set_by.as_deref()),
            (LimitFrom::Operator, Some("ana"))
        );
        assert_eq!(lifted.limit_in_settings, settings.limit);
    }

    #[test]
    fn an_overview_shows_the_deployment_the_tenants_the_first_events_and_what_was_set() {
        let mut rows = vec![row("budget:tenant:acme", "2026-11", [1, 0, 0], 0)];
        rows.extend((0..30).map(|nth| row(&format!("budget:event:e{nth}"), "", [9, 0, 0], 0)));
        rows.push(row("budget:of_another_release", "", [1, 0, 0], 0));
        let overrides = [set("budget:tenant:new", Some(5)), set("budget:event:e99", Some(5))];
        let names: Vec<String> = shown(&rows, &overrides).iter().map(ToString::to_string).collect();
        assert_eq!(&names[..6], ["day", "month", "total", "tenant:acme", "tenant:new", "event:e0"]);
        assert_eq!((names.len(), names.last().unwrap().as_str()), (5 + EVENTS + 1, "event:e99"));
    }
}
