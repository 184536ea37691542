//! Spikes and budgets, and what is said of them.

use super::*;

/// A window of a budget; without one named, the budget has one for ever.
pub(super) fn budget(name: &str, window: &str, spent: f64, limit: f64) -> BudgetFacts {
    let key = if window.is_empty() { name.to_owned() } else { format!("{name}:{window}") };
    let used = BudgetUse {
        key: key.clone(),
        name: name.to_owned(),
        spent: dollars(spent),
        limit: dollars(limit),
    };
    let [starts_at, ends_at] = ["2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"]
        .map(|at| (!window.is_empty()).then(|| at.parse().unwrap()));
    BudgetFacts { used, window: Some(Window { key, starts_at, ends_at }) }
}

fn with(budgets: &[BudgetFacts]) -> Facts {
    Facts { budgets: budgets.to_vec(), ..quiet() }
}

fn today(spent: f64) -> Facts {
    with(&[budget("budget:day", "2026-11-22", spent, 10.0)])
}

/// An hour of so many requests, so many tokens each, at so many dollars a million tokens.
fn hour(calls: u64, tokens: u64, million: f64, cached: u64) -> Sums {
    let tokens = calls * tokens;
    let cost = dollars(tokens as f64 * million / 1e6);
    Sums { items: calls + cached, cached, asked: calls, calls, tokens, cost, ..Sums::default() }
}

fn spike(now: Sums, days: &[Sums]) -> Facts {
    Facts { hour: now, days: days.to_vec(), ..quiet() }
}

fn usual() -> [Sums; 7] {
    // 500, 100, 600, 200, 700, 300 and 400 requests; 400 are the median, $1.20.
    [500, 100, 600, 200, 700, 300, 400].map(|calls| hour(calls, 1_000, 3.0, 600))
}

#[test]
fn a_spike_is_a_multiple_of_the_median_of_the_days_before() {
    let costs =
        |usd: f64| spike(Sums { cost: dollars(usd), ..hour(400, 1_000, 3.0, 600) }, &usual());
    must_turn(Rule::CostSpike, costs, 3.6, 3.59, 3.2, 3.3);
    assert!((fires(&costs(3.6), &[])[0].threshold - 3.6).abs() < 1e-9);
}

#[test]
fn what_costs_less_than_the_least_is_no_spike() {
    let days = [0.01; 7].map(|usd| Sums { cost: dollars(usd), ..Sums::default() });
    let costs = |usd: f64| spike(Sums { cost: dollars(usd), ..Sums::default() }, &days);
    assert!(keys(&costs(0.99), &[]).is_empty());
    assert_eq!(keys(&costs(1.0), &[]), ["cost_spike"]);
    assert!(keys(&spike(Sums::default(), &[]), &[]).is_empty());
}

#[test]
fn without_a_least_a_cost_where_none_is_usual_is_judged_by_nobody() {
    let settings = AlertSettings { cost_spike_usd: 0.0, ..limits() };
    let costs = spike(Sums { cost: dollars(5.0), ..Sums::default() }, &[Sums::default(); 7]);
    assert!(judge(&costs, &settings, &[], &TELLING).is_empty());
    let alert = [open(Rule::CostSpike, "cost_spike")];
    assert_eq!(resolves(&costs, &settings, &alert).len(), 1);
}

#[test]
fn a_spike_says_what_drove_it() {
    let longer = spike(hour(480, 4_000, 3.0, 120), &usual());
    assert_eq!(
        fires(&longer, &[])[0].text,
        "The last hour cost $5.76; usual at this hour is $1.20, the median of seven days. Driven by \
         tokens per request (×4): requests ×1.2, tokens per request ×4, cost per token ×1; cache \
         hits 20 % against 60 %."
    );
    let dearer = spike(hour(400, 1_000, 15.0, 600), &usual());
    assert!(fires(&dearer, &[])[0].text.contains("Driven by cost per token (×5)"));
    let more = spike(hour(4_000, 1_000, 3.0, 600), &usual());
    assert!(fires(&more, &[])[0].text.contains("Driven by requests (×10)"));
}

#[test]
fn a_spike_where_nothing_is_usual_says_what_it_is_made_of() {
    let first = spike(hour(500, 1_000, 3.0, 500), &[Sums::default(); 7]);
    assert_eq!(
        fires(&first, &[])[0].text,
        "The last hour cost $1.50; usual at this hour is $0.00, the median of seven days. It is 500 \
         requests of 1000 tokens each, at $3.00 per million tokens; cache hits 50 %."
    );
}

#[test]
fn the_days_before_are_asked_only_when_the_hour_could_be_a_spike() {
    let asks = |usd: f64| is_worth_asking(dollars(usd), &limits());
    assert!(asks(0.9) && asks(5.0) && !asks(0.89) && !asks(0.0));
    let off = AlertSettings { cost_spike_factor: 0.0, ..limits() };
    assert!(!is_worth_asking(dollars(5.0), &off));
}

#[test]
fn a_budget_fires_at_each_level_of_each_window() {
    let levels = |spent: f64| keys(&today(spent), &[]);
    assert!(levels(4.99).is_empty());
    assert_eq!(levels(5.0), ["budget:50:budget:day:2026-11-22"]);
    assert_eq!(levels(7.999999999).len(), 1);
    assert_eq!(levels(8.0).len(), 2);
    assert_eq!(levels(10.0).len(), 3);
    assert_eq!(window_of("budget:50:budget:day:2026-11-22"), Some("budget:day:2026-11-22"));
    assert_eq!(window_of("budget:day:2026-11-22"), None);
    assert_eq!(window_of("latency"), None);
}

#[test]
fn a_level_that_is_named_twice_fires_once() {
    let settings = AlertSettings { budget_percent: vec![80, 50, 80], ..limits() };
    assert_eq!(judge(&today(9.0), &settings, &[], &TELLING).len(), 2);
}

#[test]
fn a_budgets_alert_is_resolved_when_its_window_is_over_or_what_was_spent_is_given_back() {
    let alert = [open(Rule::Budget, "budget:80:budget:day:2026-11-22")];
    let settings = AlertSettings { budget_percent: vec![80], ..limits() };
    assert!(resolves(&today(7.2), &settings, &alert).is_empty());
    assert_eq!(resolves(&today(7.19), &settings, &alert).len(), 1);
    let tomorrow = with(&[budget("budget:day", "2026-11-23", 6.0, 10.0)]);
    let said = resolves(&tomorrow, &settings, &alert);
    let why =
        "Its window is over, its event was quiet for a day, or its limit or level was changed.";
    assert_eq!(said, [why]);
    let lifted = with(&[budget("budget:day", "2026-11-22", 9.0, 0.0)]);
    assert_eq!(resolves(&lifted, &settings, &alert).len(), 1);
}

#[test]
fn a_budget_says_when_it_is_used_up_at_this_pace() {
    let says = |facts: &Facts| fires(facts, &[]).last().unwrap().text.clone();
    // Half of the day is over.
    assert_eq!(
        says(&today(8.0)),
        "80 % of the budget day is spent: $8.00 of $10.00. At this pace it is used up at 2026-11-22 \
         15:00 UTC."
    );
    assert!(says(&today(5.0)).ends_with(
        "At this pace it lasts until 2026-11-23 00:00 UTC, when the next window begins."
    ));
    assert!(says(&today(10.0)).ends_with("The next window begins at 2026-11-23 00:00 UTC."));
}

#[test]
fn the_totals_pace_is_the_last_hours_and_an_events_is_not_known() {
    let text = |name: &str, hour: f64| {
        let mut facts = with(&[budget(name, "", 6.0, 10.0)]);
        facts.hour.cost = dollars(hour);
        fires(&facts, &[])[0].text.clone()
    };
    assert!(
        text("budget:total", 0.5).ends_with("At this pace it is used up at 2026-11-22 20:00 UTC.")
    );
    assert_eq!(text("budget:total", 0.0), "60 % of the budget total is spent: $6.00 of $10.00.");
    assert_eq!(
        text("budget:event:e-1", 0.5),
        "60 % of the budget event:e-1 is spent: $6.00 of $10.00."
    );
}
