//! The budgets of a deployment, and the windows in which they count.
//!
//! A window is derived from time and never reset: its first instant is a part
//! of its row's key. This process names those around now, by the calendar of the
//! settings, and the database's clock picks one.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Unit};

use crate::domain::chat::Event;
use crate::domain::usage::NanoUsd;
use crate::settings::{BudgetSettings, OneBudgetSettings, OverBudget};
use crate::store::{BudgetScope, Window};

/// Over what a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// From its first request to its last.
    Life,
    /// A calendar day.
    Day,
    /// A calendar month.
    Month,
}

/// The budgets of a deployment, as its settings name them.
#[derive(Debug, Clone)]
pub struct Budgets {
    settings: BudgetSettings,
    zone: TimeZone,
}

/// Which of the settings' budgets a budget is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BudgetName {
    /// One event's.
    Event(String),
    /// One tenant's.
    Tenant(String),
    /// The deployment's, each day.
    Day,
    /// The deployment's, each month.
    Month,
    /// The deployment's, in all.
    Total,
}

impl BudgetName {
    /// Reads `event:ID`, `tenant:NAME`, `day`, `month` or `total`.
    pub fn read(text: &str) -> Option<Self> {
        match (text, text.split_once(':')) {
            ("day", _) => Some(Self::Day),
            ("month", _) => Some(Self::Month),
            ("total", _) => Some(Self::Total),
            (_, Some(("event", id))) if !id.is_empty() => Some(Self::Event(id.to_owned())),
            (_, Some(("tenant", name))) if !name.is_empty() => Some(Self::Tenant(name.to_owned())),
            _ => None,
        }
    }

    /// The budget that a scope's name in the store means.
    pub fn of_scope(scope: &str) -> Option<Self> {
        Self::read(scope.strip_prefix("budget:")?)
    }

    /// The name of its scope in the store.
    pub fn scope(&self) -> String {
        format!("budget:{self}")
    }

    /// Over what it counts.
    pub fn span(&self) -> Span {
        match self {
            Self::Event(_) | Self::Total => Span::Life,
            Self::Day => Span::Day,
            Self::Tenant(_) | Self::Month => Span::Month,
        }
    }
}

impl std::fmt::Display for BudgetName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Event(id) => write!(f, "event:{id}"),
            Self::Tenant(name) => write!(f, "tenant:{name}"),
            Self::Day => f.write_str("day"),
            Self::Month => f.write_str("month"),
            Self::Total => f.write_str("total"),
        }
    }
}

impl Budgets {
    /// Those of the settings, whose time zone was checked when they were read.
    pub fn new(settings: BudgetSettings) -> Self {
        let zone = TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC);
        Self { settings, zone }
    }

    /// What the settings say of a budget.
    pub fn of(&self, name: &BudgetName) -> &OneBudgetSettings {
        match name {
            BudgetName::Event(_) => &self.settings.event,
            BudgetName::Tenant(_) => &self.settings.tenant,
            BudgetName::Day => &self.settings.day,
            BudgetName::Month => &self.settings.month,
            BudgetName::Total => &self.settings.total,
        }
    }

    /// The most that a window of it may cost by the settings; `None` lifts it.
    pub fn limit(&self, name: &BudgetName) -> Option<NanoUsd> {
        let limit = NanoUsd::from_dollars(self.of(name).usd);
        (limit > NanoUsd::ZERO).then_some(limit)
    }

    /// The IANA name of the time zone in which days and months begin.
    pub fn time_zone(&self) -> &str {
        &self.settings.time_zone
    }

    /// The window of a budget that holds an instant; `None` at the ends of the calendar.
    pub fn window(&self, name: &BudgetName, at: Timestamp) -> Option<Window> {
        let windows = windows(&name.scope(), name.span(), at, &self.zone);
        windows.into_iter().find(|window| {
            window.starts_at.is_none_or(|begin| begin <= at)
                && window.ends_at.is_none_or(|end| at < end)
        })
    }

    /// What becomes of a request that the budget of that scope has no room for.
    pub(super) fn over(&self, scope: &str) -> OverBudget {
        BudgetName::of_scope(scope).map_or(OverBudget::Refuse, |name| self.of(&name).over)
    }

    /// All budgets that a request of an event counts in: a lifted one counts too, so that it can
    /// be set at any time.
    pub(super) fn scopes(&self, event: &Event, now: Timestamp) -> Vec<BudgetScope> {
        let names = [
            BudgetName::Event(event.id.to_string()),
            BudgetName::Tenant(event.tenant.clone()),
            BudgetName::Day,
            BudgetName::Month,
            BudgetName::Total,
        ];
        names.iter().map(|name| self.scope(name, now)).collect()
    }

    fn scope(&self, name: &BudgetName, now: Timestamp) -> BudgetScope {
        let settings = self.of(name);
        BudgetScope {
            name: name.scope(),
            limit: self.limit(name),
            kind: settings.kind,
            in_flight_share: self.settings.in_flight_share,
            waits: settings.over == OverBudget::Park,
            windows: windows(&name.scope(), name.span(), now, &self.zone),
        }
    }
}

/// The window that runs now, the one before and the two after: the database's clock may be off
/// by less than that.
fn windows(name: &str, span: Span, now: Timestamp, zone: &TimeZone) -> Vec<Window> {
    if span == Span::Life {
        return vec![Window { key: name.to_owned(), starts_at: None, ends_at: None }];
    }
    let first = first_day(span, now, zone);
    let starts: Vec<Date> = (-1..=3).filter_map(|nth| following(first, span, nth)).collect();
    starts
        .windows(2)
        .map(|pair| Window {
            key: format!("{name}:{}", key(span, pair[0])),
            starts_at: beginning(pair[0], zone),
            ends_at: beginning(pair[1], zone),
        })
        .collect()
}

fn first_day(span: Span, now: Timestamp, zone: &TimeZone) -> Date {
    let today = now.to_zoned(zone.clone()).date();
    if span == Span::Month { today.first_of_month() } else { today }
}

fn following(first: Date, span: Span, nth: i64) -> Option<Date> {
    let by = if span == Span::Month { nth.months() } else { nth.days() };
    first.checked_add(by).ok()
}

fn key(span: Span, first: Date) -> String {
    if span == Span::Month { first.strftime("%Y-%m").to_string() } else { first.to_string() }
}

/// The first instant of a day, also where its midnight is skipped. Whole seconds, as every
/// database tells them alike.
fn beginning(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    day.to_zoned(zone.clone()).ok()?.timestamp().round(Unit::Second).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn of(span: Span, now: &str, zone: &str) -> Vec<(String, String, String)> {
        let told = |at: Option<Timestamp>| at.unwrap().to_string();
        windows("b", span, at(now), &TimeZone::get(zone).unwrap())
            .into_iter()
            .map(|window| (window.key, told(window.starts_at), told(window.ends_at)))
            .collect()
    }

    #[test]
    fn a_day_is_the_calendars_own_where_clocks_change() {
        let days = of(Span::Day, "2026-10-24T22:30:00Z", "Europe/Berlin");
        // 00:30 on the 25th there, a day of 25 hours.
        assert_eq!(days[1].0, "b:2026-10-25");
        assert_eq!(days[1].1, "2026-10-24T22:00:00Z");
        assert_eq!(days[1].2, "2026-10-25T23:00:00Z");
    }

    #[test]
    fn windows_have_no_gaps_and_hold_now() {
        for (span, now) in
            [(Span::Day, "2026-12-31T23:59:59Z"), (Span::Month, "2026-01-31T12:00:00Z")]
        {
            let windows = windows("b", span, at(now), &TimeZone::UTC);
            assert_eq!(windows.len(), 4);
            assert!(windows.windows(2).all(|pair| pair[0].ends_at == pair[1].starts_at));
            assert!(windows[1].starts_at <= Some(at(now)) && Some(at(now)) < windows[1].ends_at);
        }
    }

    #[test]
    fn a_month_is_named_by_the_group_of_its_days() {
        let months = of(Span::Month, "2026-12-31T23:30:00Z", "Europe/Berlin");
        assert_eq!(months[1].0, "b:2027-01");
        assert_eq!(months[0].0, "b:2026-12");
    }

    #[test]
    fn a_life_has_one_window_without_ends() {
        let life =
            windows("budget:event:e", Span::Life, at("2026-11-22T00:00:00Z"), &TimeZone::UTC);
        assert_eq!(life, [Window { key: "budget:event:e".into(), starts_at: None, ends_at: None }]);
    }

    #[test]
    fn a_budgets_name_is_read_as_it_is_written() {
        for text in ["event:e-1", "tenant:acme:eu", "day", "month", "total"] {
            let name = BudgetName::read(text).unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(BudgetName::of_scope(&name.scope()), Some(name));
        }
        for wrong in ["", "event", "event:", "week", "tenant:", "day:2026"] {
            assert_eq!(BudgetName::read(wrong), None, "{wrong}");
        }
    }
}
