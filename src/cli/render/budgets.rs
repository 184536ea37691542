//! Budgets as people read them: a table of many, a block for one, a line of what holds.
//!
//! What is spent, in flight and in doubt are three columns and never one sum.

use super::super::columns::{Side, dollars, instant, plain, table};
use crate::domain::usage::NanoUsd;
use crate::limits::{BudgetName, Span};
use crate::monitor::budgets::{BudgetListing, EVENTS, EarlierWindow, LimitFrom};
use crate::monitor::ledger::Dollars;
use crate::settings::{BudgetKind, OverBudget};

/// Many budgets, one a line.
pub(in crate::cli) fn overview(listed: &[BudgetListing]) -> String {
    let (left, right) = (|name| (name, Side::Left), |name| (name, Side::Right));
    let heads = [
        left("budget"),
        left("window"),
        right("limit"),
        left("from"),
        left("kind"),
        left("when spent"),
        right("spent"),
        right("in flight"),
        right("in doubt"),
        right("left"),
        left("waiting"),
    ];
    let rows: Vec<Vec<String>> = listed.iter().map(cells).collect();
    let mut text = table(&heads, &rows);
    if listed.iter().filter(|it| it.budget.starts_with("event:")).count() >= EVENTS {
        text.push_str(&format!(
            "the {EVENTS} most spent events, and those whose limit was set; \
             `gleaner budget show event:ID` shows any other\n"
        ));
    }
    text
}

fn cells(it: &BudgetListing) -> Vec<String> {
    vec![
        plain(&it.budget),
        it.window.clone().unwrap_or_else(|| "-".to_owned()),
        amount(it.limit),
        match (it.limit_from, &it.set_by, it.set_at) {
            (LimitFrom::Operator, Some(by), Some(at)) => format!("{}, {}", plain(by), instant(at)),
            (LimitFrom::Operator | LimitFrom::Settings, _, _) => "settings".to_owned(),
        },
        kind(it.kind).to_owned(),
        over(it.over).to_owned(),
        it.spent.0.to_string(),
        it.reserved.0.to_string(),
        it.ambiguous.0.to_string(),
        it.left.map_or_else(|| "-".to_owned(), |left| left.0.to_string()),
        waiting(it),
    ]
}

/// One budget with all that is known of it.
pub(in crate::cli) fn block(it: &BudgetListing) -> String {
    let window = match &it.window {
        Some(window) => format!("{window} ({})", it.time_zone),
        None => "one for ever".to_owned(),
    };
    let left = match it.left {
        None => "no limit to be left of".to_owned(),
        Some(Dollars(left)) if left < NanoUsd::ZERO => {
            format!("nothing; it was passed by {}", dollars(NanoUsd(-left.0)))
        }
        Some(left) => left.0.to_string(),
    };
    let doubt = match it.ambiguous.0 {
        NanoUsd::ZERO => String::new(),
        _ => "  (`gleaner ledger list --state ambiguous`)".to_owned(),
    };
    let lines = [
        ("window", window),
        ("limit", limit(it)),
        ("kind", kind_said(it.kind).to_owned()),
        ("when spent", over_said(it.over, span(it))),
        ("spent", it.spent.0.to_string()),
        ("in flight", it.reserved.0.to_string()),
        ("in doubt", format!("{}{doubt}", it.ambiguous.0)),
        ("left", left),
        ("waiting", waiting(it)),
    ];
    let mut text = format!("{}\n", plain(&it.budget));
    for (name, value) in lines {
        text.push_str(&format!("  {name:<10}  {value}\n"));
    }
    text.push_str(&earlier(&it.earlier));
    text
}

fn earlier(windows: &[EarlierWindow]) -> String {
    if windows.is_empty() {
        return String::new();
    }
    let heads = [
        ("  before", Side::Left),
        ("spent", Side::Right),
        ("in flight", Side::Right),
        ("in doubt", Side::Right),
    ];
    let cells = |it: &EarlierWindow| {
        let amounts = [it.spent, it.reserved, it.ambiguous].map(|amount| amount.0.to_string());
        [vec![format!("  {}", it.window)], amounts.to_vec()].concat()
    };
    format!("\n{}", table(&heads, &windows.iter().map(cells).collect::<Vec<_>>()))
}

/// What holds, in one line: the limit, whether it can be passed, and what then.
pub(in crate::cli) fn holds(it: &BudgetListing) -> String {
    if it.limit.is_none() {
        return format!("budget {}: {}; it only counts", plain(&it.budget), limit(it));
    }
    format!(
        "budget {}: {}; {}; once spent, {}",
        plain(&it.budget),
        limit(it),
        kind_said(it.kind),
        over_said(it.over, span(it))
    )
}

/// The limit and who says so.
fn limit(it: &BudgetListing) -> String {
    let now = match it.limit {
        Some(Dollars(NanoUsd::ZERO)) => "$0.00, it admits nothing".to_owned(),
        limit => amount(limit),
    };
    match (it.limit_from, &it.set_by, it.set_at) {
        (LimitFrom::Operator, Some(by), Some(at)) => format!(
            "{now}, set by {} at {}; the settings say {}",
            plain(by),
            instant(at),
            amount(it.limit_in_settings)
        ),
        (LimitFrom::Operator | LimitFrom::Settings, _, _) => format!("{now}, by the settings"),
    }
}

fn amount(limit: Option<Dollars>) -> String {
    limit.map_or_else(|| "no limit".to_owned(), |limit| dollars(limit.0))
}

fn waiting(it: &BudgetListing) -> String {
    match (it.waiting, it.waiting_for_next) {
        (now, 0) => now.to_string(),
        (0, next) => format!("{next} for the next window"),
        (now, next) => format!("{now}, and {next} for the next window"),
    }
}

fn span(it: &BudgetListing) -> Span {
    BudgetName::read(&it.budget).map_or(Span::Life, |name| name.span())
}

fn kind(kind: BudgetKind) -> &'static str {
    match kind {
        BudgetKind::Hard => "hard",
        BudgetKind::Soft => "soft",
    }
}

/// Whether it can be passed.
fn kind_said(kind: BudgetKind) -> &'static str {
    match kind {
        BudgetKind::Hard => "hard, never passed",
        BudgetKind::Soft => "soft, passed by what is in flight",
    }
}

fn over(over: OverBudget) -> &'static str {
    match over {
        OverBudget::Park => "park",
        OverBudget::Degrade => "degrade",
        OverBudget::Refuse => "refuse",
    }
}

/// What becomes of a request once it is spent.
fn over_said(over: OverBudget, span: Span) -> String {
    let next = match span {
        Span::Day => "day",
        Span::Month => "month",
        Span::Life => "window",
    };
    match over {
        OverBudget::Park => format!("messages wait for the next {next} (park)"),
        OverBudget::Degrade => {
            "a lower context level is asked, then cheaper models, at last the offline one (degrade)"
                .to_owned()
        }
        OverBudget::Refuse => "messages fail as over_budget (refuse)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn nanos(amount: i64) -> Dollars {
        Dollars(NanoUsd(amount))
    }

    fn month() -> BudgetListing {
        BudgetListing {
            budget: "month".to_owned(),
            limit: Some(nanos(100_000_000_000)),
            limit_from: LimitFrom::Settings,
            set_by: None,
            set_at: None,
            limit_in_settings: Some(nanos(100_000_000_000)),
            kind: BudgetKind::Hard,
            over: OverBudget::Park,
            window: Some("2026-11".to_owned()),
            starts_at: None,
            ends_at: None,
            time_zone: "UTC".to_owned(),
            spent: nanos(54_399_000),
            reserved: nanos(9_000_000),
            ambiguous: nanos(1),
            left: Some(nanos(99_945_600_999)),
            waiting: 2,
            waiting_for_next: 7,
            earlier: Vec::new(),
        }
    }

    fn lifted() -> BudgetListing {
        BudgetListing {
            budget: "event:wed".to_owned(),
            limit: None,
            limit_from: LimitFrom::Operator,
            set_by: Some("ana".to_owned()),
            set_at: Some(Timestamp::UNIX_EPOCH),
            over: OverBudget::Degrade,
            window: None,
            left: None,
            waiting: 0,
            waiting_for_next: 0,
            ..month()
        }
    }

    #[test]
    fn budgets_are_listed_with_what_is_spent_in_flight_and_in_doubt_apart() {
        let expected = "\
budget     window      limit  from                       kind  when spent         spent     in flight      in doubt           left  waiting
month      2026-11   $100.00  settings                   hard  park        $0.054399000  $0.009000000  $0.000000001  $99.945600999  2, and 7 for the next window
event:wed  -        no limit  ana, 1970-01-01 00:00:00Z  hard  degrade     $0.054399000  $0.009000000  $0.000000001              -  0
";
        assert_eq!(overview(&[month(), lifted()]), expected);
    }

    #[test]
    fn one_budget_is_told_in_full() {
        let earlier = EarlierWindow {
            window: "2026-10".to_owned(),
            spent: nanos(5),
            reserved: nanos(0),
            ambiguous: nanos(6),
        };
        let expected = "\
month
  window      2026-11 (UTC)
  limit       $100.00, by the settings
  kind        hard, never passed
  when spent  messages wait for the next month (park)
  spent       $0.054399000
  in flight   $0.009000000
  in doubt    $0.000000001  (`gleaner ledger list --state ambiguous`)
  left        $99.945600999
  waiting     2, and 7 for the next window

  before          spent     in flight      in doubt
  2026-10  $0.000000005  $0.000000000  $0.000000006
";
        assert_eq!(block(&BudgetListing { earlier: vec![earlier], ..month() }), expected);
    }

    #[test]
    fn a_limit_says_who_set_it_and_what_it_means() {
        let set = |limit| BudgetListing { limit, ..lifted() };
        let at = "set by ana at 1970-01-01 00:00:00Z; the settings say $100.00";
        assert_eq!(holds(&set(None)), format!("budget event:wed: no limit, {at}; it only counts"));
        assert_eq!(limit(&set(Some(nanos(0)))), format!("$0.00, it admits nothing, {at}"));
        let passed = BudgetListing { left: Some(nanos(-10_000_000)), ..month() };
        assert!(block(&passed).contains("left        nothing; it was passed by $0.01\n"));
    }

    #[test]
    fn what_holds_is_one_line() {
        let soft = BudgetListing { kind: BudgetKind::Soft, over: OverBudget::Refuse, ..month() };
        assert_eq!(
            holds(&soft),
            "budget month: $100.00, by the settings; soft, passed by what is in flight; \
             once spent, messages fail as over_budget (refuse)"
        );
    }
}
