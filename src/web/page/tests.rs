use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::domain::intent::Intent;
use crate::domain::usage::NanoUsd;
use crate::monitor::costs::{Performance, Timeframe};
use crate::store::{Figures, RolloutSide, Sums};

fn overview(alerts: Vec<AlertRow>) -> Overview {
    let sums = Sums {
        items: 40,
        cached: 30,
        cost: NanoUsd(120_000_000),
        latency: Duration::from_secs(8),
        ..Sums::default()
    };
    let figures = Figures { by_intent: vec![(Intent::TaskCreation, sums)] };
    let speed = Speed { calls: 40, avg_latency: 200.0, p50: 3.25, p95: 2_100.0, p99: 2_400.0 };
    let queue = QueueReport {
        pending: 17,
        owed: 3,
        oldest_due: Duration::from_secs(9),
        ..QueueReport::default()
    };
    let inside = RolloutSide { events: 4, completed: 9, failed: 1, ..RolloutSide::default() };
    let rollout = RolloutListing {
        percent: 25,
        allow: Vec::new(),
        deny: Vec::new(),
        paused: false,
        timeframe: Timeframe::Today,
        inside: inside.into(),
        outside: RolloutSide::default().into(),
    };
    Overview {
        costs: Timeframe::ALL.map(|timeframe| Costs::of(timeframe, &figures)).into(),
        performance: Performance { last_hour: speed },
        queue,
        alerts,
        rollout,
    }
}

fn alert(text: &str) -> AlertRow {
    AlertRow {
        id: Uuid::nil(),
        key: "queue_oldest".into(),
        rule: "queue_oldest".into(),
        text: text.into(),
        value: 400.0,
        threshold: 300.0,
        fired_at: Timestamp::UNIX_EPOCH,
        resolved_at: None,
    }
}

#[test]
fn the_page_shows_cost_speed_queue_and_rollout() {
    let page = render("running on sqlite and the embedded queue", Some(&overview(Vec::new())));
    for shown in [
        "Total calls</h2><p class=\"figure\">40</p>",
        "Total cost</h2><p class=\"figure\">$0.1200</p>",
        "Average latency</h2><p class=\"figure\">200 ms</p>",
        "<p class=\"soft\">week 75.0 % · month 75.0 %</p>",
        "task creation</th><td class=\"n\">40 <span",
        "p50</th><td class=\"n\">3.2 ms<",
        "p95</th><td class=\"n\">2100 ms<",
        "pending</th><td class=\"n\">17<",
        "25 % of events",
        "Failed</th><td class=\"n\">10.0 %<",
        "None.",
    ] {
        assert!(page.contains(shown), "{shown} is not in {page}");
    }
}

#[test]
fn the_page_names_every_path() {
    let page = render("running", Some(&overview(Vec::new())));
    let named = |path: &&str| page.contains(&format!("href=\"{path}\""));
    assert!(PATHS.iter().chain(&figures::PATHS).all(named));
}

#[test]
fn alerts_are_shown_escaped_and_counted() {
    let alerts = vec![alert("<script>alert(1)</script>"); MOST_ALERTS + 2];
    let page = render("running", Some(&overview(alerts)));
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
    assert!(page.contains("22 open alerts") && page.contains("and 2 more"));
    assert!(render("running", Some(&overview(vec![alert("late")]))).contains("1 open alert<"));
}

#[test]
fn the_page_says_when_the_store_does_not_answer() {
    assert!(render("running", None).contains("does not answer"));
}

#[test]
fn the_page_asks_nothing_of_anybody_else() {
    let page = render("running", Some(&overview(Vec::new())));
    for asset in ["src=", "http://", "https://", "url(", "@import", "<script"] {
        assert!(!page.contains(asset), "{asset}");
    }
}
