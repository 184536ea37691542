//! Each rule at its edges, and what holds of all of them.

mod money;
mod series;

use std::sync::LazyLock;

use super::*;
use crate::domain::usage::NanoUsd;
use crate::settings;

const AT: &str = "2026-11-22T12:00:00Z";

fn at() -> Timestamp {
    AT.parse().unwrap()
}

/// The defaults; reading them takes longer than all that is done with them here.
fn limits() -> AlertSettings {
    static DEFAULTS: LazyLock<AlertSettings> =
        LazyLock::new(|| settings::load(None, &[]).unwrap().alerts);
    DEFAULTS.clone()
}

/// Nothing is wrong, and nothing happens.
fn quiet() -> Facts {
    let signals = Signals {
        at: at(),
        failed: 0,
        ambiguous_rows: 0,
        ambiguous: NanoUsd::ZERO,
        unpriced_rows: 0,
        accounted: None,
        oldest_due: Duration::ZERO,
        oldest_processing: Duration::ZERO,
        paused_providers: Vec::new(),
        budgets: Vec::new(),
    };
    Facts {
        signals,
        window: Sums::default(),
        latencies: Latencies::default(),
        hour: Sums::default(),
        days: Vec::new(),
        budgets: Vec::new(),
    }
}

fn dollars(dollars: f64) -> NanoUsd {
    NanoUsd::from_dollars(dollars)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const TELLING: Telling<'_> = Telling { source: "/gleaner", webhook: true };

/// What changes by the default settings.
fn judged(facts: &Facts, open: &[AlertRow]) -> Vec<AlertChange> {
    judge(facts, &limits(), open, &TELLING)
}

/// The rows of what fires.
fn fires(facts: &Facts, open: &[AlertRow]) -> Vec<AlertRow> {
    let fire = |change| match change {
        AlertChange::Fire { alert, .. } => Some(alert),
        AlertChange::Resolve { .. } => None,
    };
    judged(facts, open).into_iter().filter_map(fire).collect()
}

fn keys(facts: &Facts, open: &[AlertRow]) -> Vec<String> {
    fires(facts, open).into_iter().map(|alert| alert.key).collect()
}

/// What the resolved ones say.
fn resolves(facts: &Facts, settings: &AlertSettings, open: &[AlertRow]) -> Vec<String> {
    let said = |change| match change {
        AlertChange::Resolve { notices, .. } => {
            let body: serde_json::Value = serde_json::from_slice(&notices[0].event.body).unwrap();
            Some(body["data"]["text"].as_str().unwrap().to_owned())
        }
        AlertChange::Fire { .. } => None,
    };
    judge(facts, settings, open, &TELLING).into_iter().filter_map(said).collect()
}

/// An alert that is open, for an hour.
fn open(rule: Rule, key: &str) -> AlertRow {
    AlertRow {
        id: uuid::Uuid::from_u128(1),
        key: key.to_owned(),
        rule: rule.name().to_owned(),
        text: "it fired".to_owned(),
        value: 1.0,
        threshold: 1.0,
        fired_at: at() - jiff::SignedDuration::from_hours(1),
        resolved_at: None,
    }
}

/// That an alert of that rule fires with the one and not with the other, and how an open one fares
/// with three more: still bad enough, back enough, just not back enough.
fn must_turn(rule: Rule, with: impl Fn(f64) -> Facts, fire: f64, not: f64, back: f64, stays: f64) {
    let key = rule.name();
    assert_eq!(keys(&with(fire), &[]), [key], "{key} fires at {fire}");
    assert!(keys(&with(not), &[]).is_empty(), "{key} does not fire at {not}");
    let alert = [open(rule, key)];
    assert!(judged(&with(fire), &alert).is_empty(), "{key} is open already");
    assert!(judged(&with(not), &alert).is_empty(), "{key} stays open at {not}");
    assert!(judged(&with(stays), &alert).is_empty(), "{key} stays open at {stays}");
    assert_eq!(resolves(&with(back), &limits(), &alert).len(), 1, "{key} is resolved at {back}");
}

fn latencies(millis: f64, count: u64) -> Facts {
    let mut facts = quiet();
    let bucket = Latencies::bucket(Duration::from_secs_f64(millis / 1e3));
    facts.latencies.add_many(bucket, count);
    facts
}

fn hits(cached: u64, asked: u64) -> Facts {
    let window = Sums { items: cached + asked, cached, asked, ..Sums::default() };
    Facts { window, ..quiet() }
}

fn failures(failed: u64, answered: u64) -> Facts {
    let mut facts = quiet();
    facts.signals.failed = failed;
    facts.window.items = answered;
    facts
}

#[test]
fn every_rule_has_a_name_of_its_own() {
    for rule in Rule::ALL {
        assert_eq!(Rule::named(rule.name()), Some(rule));
    }
    assert_eq!(Rule::named("of_another_release"), None);
}

#[test]
fn nothing_is_wrong_where_nothing_happens() {
    assert!(judged(&quiet(), &[]).is_empty());
}

#[test]
fn latency_fires_above_its_95th_percentile() {
    must_turn(Rule::Latency, |ms| latencies(ms, 100), 3_100.0, 2_900.0, 2_600.0, 2_800.0);
    let mut one_in_twenty = latencies(100.0, 95);
    one_in_twenty.latencies.merge(&latencies(9_000.0, 5).latencies);
    assert!(keys(&one_in_twenty, &[]).is_empty());
    one_in_twenty.latencies.merge(&latencies(9_000.0, 1).latencies);
    assert_eq!(keys(&one_in_twenty, &[]), ["latency"]);
}

#[test]
fn the_hit_rate_fires_below_and_is_back_above() {
    let of_100 = |percent: f64| hits(percent as u64, 100 - percent as u64);
    must_turn(Rule::HitRate, of_100, 49.0, 50.0, 55.0, 54.0);
    // What code answered alone was never looked for.
    let mut facts = hits(30, 20);
    facts.window.items = 1_000;
    assert!(keys(&facts, &[]).is_empty());
}

#[test]
fn a_hit_rate_that_must_be_near_all_can_still_come_back() {
    let settings = AlertSettings { hit_rate_percent: 95.0, ..limits() };
    let alert = [open(Rule::HitRate, "hit_rate")];
    assert!(resolves(&hits(99, 1), &settings, &alert).is_empty());
    assert_eq!(resolves(&hits(100, 0), &settings, &alert).len(), 1);
}

#[test]
fn the_error_rate_is_failed_messages_in_failed_and_answered_ones() {
    let of_1000 = |failed: f64| {
        let mut facts = failures(failed as u64, 1_000 - failed as u64);
        facts.signals.failed = failed as u64;
        facts
    };
    let settings = AlertSettings { failed_items: 0, ..limits() };
    let fired = |facts: &Facts| judge(facts, &settings, &[], &TELLING).len();
    assert_eq!((fired(&of_1000(50.0)), fired(&of_1000(49.0))), (1, 0));
    let alert = [open(Rule::ErrorRate, "error_rate")];
    assert!(resolves(&of_1000(45.0), &settings, &alert).is_empty());
    let said = resolves(&of_1000(44.0), &settings, &alert);
    assert_eq!(
        said,
        ["4.4 % of the messages of the last 15 min failed, 44 of 1000; 5 % is the most."]
    );
}

#[test]
fn so_many_failures_fire_however_many_were_answered() {
    let failed = |count: f64| failures(count as u64, 100_000);
    must_turn(Rule::FailedItems, failed, 10.0, 9.0, 8.0, 9.0);
}

#[test]
fn what_nobody_knows_the_cost_of_fires_by_its_dollars() {
    let doubt = |usd: f64| {
        let mut facts = quiet();
        (facts.signals.ambiguous_rows, facts.signals.ambiguous) = (3, dollars(usd));
        facts
    };
    must_turn(Rule::AmbiguousSpend, doubt, 1.0, 0.99, 0.89, 0.91);
    assert!(fires(&doubt(1.5), &[])[0].text.starts_with("What 3 requests cost is not known"));
}

#[test]
fn one_answer_without_a_price_fires_and_only_none_resolves() {
    let unpriced = |rows: u64| {
        let mut facts = quiet();
        facts.signals.unpriced_rows = rows;
        facts
    };
    assert_eq!(keys(&unpriced(1), &[]), ["unpriced_spend"]);
    let alert = [open(Rule::UnpricedSpend, "unpriced_spend")];
    assert!(judged(&unpriced(1), &alert).is_empty());
    assert_eq!(resolves(&unpriced(0), &limits(), &alert).len(), 1);
}

#[test]
fn a_pause_is_an_alert_of_its_provider_for_as_long_as_it_lasts() {
    let paused = |of: &[(&str, u64)]| {
        let mut facts = quiet();
        facts.signals.paused_providers =
            of.iter().map(|(name, left)| ((*name).to_owned(), seconds(*left))).collect();
        facts
    };
    let both = paused(&[("anthropic", 60), ("openai:gpt-6-sol", 300), ("local", 59)]);
    assert_eq!(keys(&both, &[]), ["provider_paused:anthropic", "provider_paused:openai:gpt-6-sol"]);
    let alert = [open(Rule::ProviderPaused, "provider_paused:anthropic")];
    assert!(judged(&paused(&[("anthropic", 1)]), &alert).is_empty(), "it is paused still");
    assert_eq!(resolves(&quiet(), &limits(), &alert), ["The pause is over."]);
}

#[test]
fn no_accounting_needs_both_that_messages_wait_and_that_nothing_was_written() {
    let silent = |due: u64, held: u64, accounted: Option<u64>| {
        let mut facts = quiet();
        facts.signals.oldest_due = seconds(due);
        facts.signals.oldest_processing = seconds(held);
        facts.signals.accounted = accounted.map(seconds);
        let settings = AlertSettings { oldest_due_s: 0, ..limits() };
        judge(&facts, &settings, &[], &TELLING).len()
    };
    assert_eq!(silent(600, 0, Some(600)), 1);
    assert_eq!(silent(0, 600, None), 1, "nothing was ever written");
    assert_eq!(silent(599, 0, Some(6_000)), 0);
    assert_eq!(silent(6_000, 6_000, Some(599)), 0);
    assert_eq!(silent(0, 0, Some(60_000)), 0, "nobody waits");
}

#[test]
fn a_due_message_fires_after_its_time() {
    let due = |s: f64| {
        let mut facts = quiet();
        facts.signals.oldest_due = Duration::from_secs_f64(s);
        facts
    };
    must_turn(Rule::QueueOldest, due, 300.0, 299.0, 269.0, 271.0);
}

#[test]
fn too_few_items_neither_fire_nor_resolve_a_rate() {
    let few = [latencies(9_000.0, 19), hits(0, 19), failures(9, 10)];
    for facts in &few {
        assert!(judged(facts, &[]).is_empty(), "{facts:?}");
    }
    let rates = [Rule::Latency, Rule::HitRate, Rule::ErrorRate];
    for (rule, good) in rates.into_iter().zip([latencies(1.0, 19), hits(19, 0), failures(0, 19)]) {
        assert!(judged(&good, &[open(rule, rule.name())]).is_empty(), "{rule:?} was resolved");
    }
}

#[test]
fn when_the_traffic_stops_a_rates_alert_is_resolved() {
    for rule in [Rule::Latency, Rule::HitRate, Rule::ErrorRate] {
        let said = resolves(&quiet(), &limits(), &[open(rule, rule.name())]);
        assert_eq!(said, ["There is nothing left to judge it by."], "{rule:?}");
    }
}

#[test]
fn a_trickle_keeps_no_alert_open_for_over_a_day() {
    let mut alert = open(Rule::Latency, "latency");
    alert.fired_at = at() - jiff::SignedDuration::from_hours(24);
    let said = resolves(&latencies(9_000.0, 3), &limits(), &[alert]);
    assert_eq!(said, ["Too little came for a day to judge it by."]);
}

#[test]
fn a_rule_that_was_turned_off_resolves_its_alerts_and_fires_none() {
    let off = AlertSettings { p95_ms: 0, budget_percent: Vec::new(), ..limits() };
    let alerts = [open(Rule::Latency, "latency"), open(Rule::Budget, "budget:80:budget:total")];
    let said = resolves(&latencies(9_000.0, 100), &off, &alerts);
    assert_eq!(said, ["Its rule was turned off."; 2]);
    assert!(judge(&latencies(9_000.0, 100), &off, &[], &TELLING).is_empty());
    let never = AlertSettings { every_s: 0, ..limits() };
    assert_eq!(resolves(&latencies(9_000.0, 100), &never, &alerts).len(), 2);
}

#[test]
fn an_alert_of_another_release_is_left_alone() {
    let other = AlertRow { rule: "of_another_release".into(), ..open(Rule::Latency, "x") };
    assert!(judged(&quiet(), &[other]).is_empty());
}

#[test]
fn a_change_is_told_by_event_and_where_there_is_one_by_webhook_under_one_id() {
    let facts = latencies(9_000.0, 100);
    let notices = |webhook| match &judge(
        &facts,
        &limits(),
        &[],
        &Telling { source: "/gleaner", webhook },
    )[..]
    {
        [AlertChange::Fire { notices, .. }] => notices.clone(),
        other => panic!("{other:?}"),
    };
    let both = notices(true);
    let channels: Vec<Channel> = both.iter().map(|notice| notice.channel).collect();
    assert_eq!(channels, Channel::ALL);
    assert_eq!(both[0].event.id, both[1].event.id);
    assert_eq!(both[0].event.routing_key, "alert.fired.latency");
    assert_eq!(both[1].event.routing_key, "");
    assert_eq!(notices(false).len(), 1);
    assert_eq!(judged(&facts, &[]), judged(&facts, &[]), "the same facts, the same bytes");
}
