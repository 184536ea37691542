//! Figures: sums of any stretch of time equal those of the rows.

use std::time::Duration;

use gleaner::domain::intent::Intent;
use gleaner::domain::latency::Latencies;
use gleaner::domain::usage::{NanoUsd, Usage};
use gleaner::store::{Figures, Metric, Record, Store as _, Stretch, Sums};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::harness::{Harness, LONG, admit, done};
use super::samples::{charge, chat, completed, item, metric, request, skipped, task, told, usage};

promises! {
    an_empty_database_has_no_figures,
    figures_equal_the_rows_before_and_after_hours_are_folded,
    what_was_settled_just_now_is_counted,
    what_the_cache_answered_is_neither_asked_nor_billed,
    answers_without_an_agent_were_not_asked_for,
    an_item_that_is_settled_again_leaves_its_folded_hour,
    a_folded_hour_follows_what_is_charged_late_and_what_is_resolved,
    percentiles_are_within_two_percent,
    hours_without_rows_are_passed_over,
    an_hour_is_folded_when_it_is_over,
    no_more_hours_are_folded_than_asked,
}

/// A metric row as the test knows it.
struct Row {
    at: Timestamp,
    intent: Intent,
    sums: Sums,
}

const INTENTS: [Intent; 3] = [Intent::TaskCreation, Intent::ExpenseEntry, Intent::Query];

/// An item's own figures, of which no two sums are alike.
fn metric_of(n: u32) -> Metric {
    let cached = n.is_multiple_of(3);
    Metric {
        intent: INTENTS[n as usize % 3],
        agent: (n % 4 != 1).then_some("task_enricher"),
        latency: Duration::from_micros(1_000 * 3u64.pow(n % 12)),
        avoided_cost: NanoUsd(if cached { 1 << n } else { 0 }),
        ..metric(cached)
    }
}

/// Settles message `mN` with those figures; one in two was paid for, one in five is in doubt.
async fn settle(h: &impl Harness, n: u32) -> Sums {
    let metric = metric_of(n);
    let claim = h.claim(&item(&format!("m{n}"))).await;
    let mut sums = Sums {
        items: 1,
        cached: u64::from(metric.cached),
        asked: u64::from(metric.agent.is_some() && !metric.cached),
        avoided_tokens: metric.avoided_usage.total(),
        avoided_cost: metric.avoided_cost,
        latency: metric.latency,
        ..Sums::default()
    };
    if n.is_multiple_of(2) {
        let row = admit(h, &claim.held, &request(1 << (n + 1))).await;
        h.store().charge(row, &charge(1 << n)).await.unwrap();
        sums.calls += 1;
        sums.tokens += usage().total();
        sums.cost = NanoUsd(1 << n);
    }
    if n.is_multiple_of(5) {
        let row = admit(h, &claim.held, &request(1 << n)).await;
        h.store().mark_ambiguous(row).await.unwrap();
        sums.calls += 1;
        sums.ambiguous_cost = NanoUsd(1 << n);
    }
    let record = Record { metric: Some(metric), ..completed(&claim, task("dj")) };
    done(h.store().record(&claim.held, &record).await.unwrap());
    h.store().confirm(&claim.held.item, told(&record).id).await.unwrap();
    sums
}

/// Messages settled over two days, some of them in one minute, as the test knows them.
async fn history(h: &impl Harness) -> Vec<Row> {
    // Minutes that pass after each, and the second at which it is put.
    const STEPS: [(u32, u32); 12] = [
        (0, 5),
        (0, 30),
        (1, 59),
        (59, 0),
        (1, 20),
        (60, 40),
        (121, 15),
        (0, 10),
        (1_300, 50),
        (3, 30),
        (77, 25),
        (4, 45),
    ];
    h.ingest(&chat(STEPS.len())).await;
    let mut sums = Vec::new();
    for (n, (minutes, second)) in (1..).zip(STEPS) {
        sums.push(settle(h, n).await);
        h.put_at_second(&format!("m{n}"), second).await;
        h.pass(minutes).await;
    }
    let mut rows = Vec::new();
    for (n, sums) in (1..).zip(sums) {
        let at = h.metric_at(&format!("m{n}")).await;
        rows.push(Row { at, intent: metric_of(n).intent, sums });
    }
    rows
}

/// The sums of the rows from one instant to before another.
fn summed(rows: &[Row], from: Timestamp, to: Timestamp) -> Figures {
    let within = |row: &&Row| (from..to).contains(&row.at);
    let mut by_intent = Vec::new();
    for intent in Intent::ALL {
        let mut sums = Sums::default();
        for row in rows.iter().filter(within).filter(|row| row.intent == intent) {
            sums += row.sums;
        }
        by_intent.extend((sums.items > 0).then_some((intent, sums)));
    }
    Figures { by_intent }
}

async fn stretch(h: &impl Harness, from: Timestamp, to: Timestamp) -> Stretch {
    let ended = h.store().now().await.unwrap().duration_since(to);
    Stretch { length: to.duration_since(from).unsigned_abs(), ended: ended.unsigned_abs() }
}

/// Asks for all stretches that begin and end some seconds off a row.
async fn assert_exact(h: &impl Harness, rows: &[Row]) {
    let apart = SignedDuration::from_secs(6);
    let mut cuts: Vec<Timestamp> =
        rows.iter().flat_map(|row| [row.at - apart, row.at + apart]).collect();
    cuts.sort();
    // Each second one, from two sides: all of them in pairs are many.
    for (nth, from) in cuts.iter().enumerate() {
        for to in cuts[nth..].iter().step_by(2) {
            let told = h.store().figures(stretch(h, *from, *to).await).await.unwrap();
            assert_eq!(told, summed(rows, *from, *to), "from {from} to {to}");
        }
        let until_now = Stretch {
            ended: Duration::ZERO,
            ..stretch(h, *from, h.store().now().await.unwrap()).await
        };
        let told = h.store().figures(until_now).await.unwrap();
        assert_eq!(told, summed(rows, *from, Timestamp::MAX), "from {from}");
    }
}

async fn all(h: &impl Harness) -> Sums {
    h.store().figures(Stretch::last(Duration::from_secs(400 * 86_400))).await.unwrap().total()
}

async fn an_empty_database_has_no_figures(h: &impl Harness) {
    let hour = Stretch::last(Duration::from_secs(3_600));
    assert_eq!(h.store().figures(hour).await.unwrap(), Figures::default());
    assert_eq!(h.store().latencies(hour).await.unwrap(), Latencies::default());
    assert_eq!(h.store().fold_hours(9).await.unwrap(), 0);
    assert_eq!(h.store().figures(hour).await.unwrap(), Figures::default());
}

async fn figures_equal_the_rows_before_and_after_hours_are_folded(h: &impl Harness) {
    let rows = history(h).await;
    assert_exact(h, &rows).await;
    assert_eq!(h.store().fold_hours(2).await.unwrap(), 2);
    assert_exact(h, &rows).await;
    assert!(h.store().fold_hours(99).await.unwrap() >= 3);
    assert_eq!(h.store().fold_hours(99).await.unwrap(), 0);
    assert_exact(h, &rows).await;
}

async fn what_was_settled_just_now_is_counted(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let mut sums = settle(h, 1).await;
    let minute = Stretch::last(Duration::from_secs(60));
    assert_eq!(h.store().figures(minute).await.unwrap().total(), sums);
    sums += settle(h, 2).await;
    assert_eq!(h.store().figures(minute).await.unwrap().total(), sums);
    assert_eq!(h.store().latencies(minute).await.unwrap().count(), 2);
}

async fn what_the_cache_answered_is_neither_asked_nor_billed(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    for (name, cached) in [("m1", true), ("m2", false), ("m3", true)] {
        let claim = h.claim(&item(name)).await;
        let record = Record { metric: Some(metric(cached)), ..completed(&claim, task("dj")) };
        done(h.store().record(&claim.held, &record).await.unwrap());
    }
    let expected = Sums {
        items: 3,
        cached: 2,
        asked: 1,
        avoided_tokens: 2 * usage().total(),
        avoided_cost: NanoUsd(1_400),
        latency: 3 * metric(false).latency,
        ..Sums::default()
    };
    assert_eq!(all(h).await, expected);
}

async fn answers_without_an_agent_were_not_asked_for(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    let metric = Metric { agent: None, model: None, ..metric(false) };
    let record = Record { metric: Some(metric), ..completed(&claim, task("dj")) };
    done(h.store().record(&claim.held, &record).await.unwrap());
    let told = all(h).await;
    assert_eq!((told.items, told.asked, told.cached), (1, 0, 0));
}

/// Has a settled item done again under the same revision.
async fn again(h: &impl Harness, name: &str) {
    let again = "update queue_items set status = 'pending', due_at = created_at where id = $1";
    h.produce(again, &[name]).await;
}

async fn an_item_that_is_settled_again_leaves_its_folded_hour(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let mut before = Sums::default();
    for n in [1, 2, 3] {
        before += settle(h, n).await;
    }
    h.pass(180).await;
    assert!(h.store().fold_hours(9).await.unwrap() >= 1);
    assert_eq!(all(h).await, before);
    again(h, "m2").await;
    let twice = settle(h, 2).await;
    assert_eq!(twice.calls, 1);
    let latest =
        h.store().figures(Stretch::last(Duration::from_secs(3_600))).await.unwrap().total();
    // What was paid the first time was paid for this message too.
    let (calls, tokens, cost) = (2, 2 * twice.tokens, NanoUsd(2 * twice.cost.0));
    assert_eq!(latest, Sums { calls, tokens, cost, ..twice });
    let mut expected = before;
    (expected.calls, expected.tokens, expected.cost) =
        (before.calls + 1, before.tokens + twice.tokens, NanoUsd(before.cost.0 + twice.cost.0));
    assert_eq!(all(h).await, expected);
    let latencies = h.store().latencies(Stretch::last(Duration::from_secs(86_400))).await.unwrap();
    assert_eq!(latencies.count(), 3);
}

/// A settled message of which a request is in doubt, at this worst case.
async fn doubtful(h: &impl Harness, name: &str, worst: i64) -> Uuid {
    let claim = h.claim(&item(name)).await;
    let row = admit(h, &claim.held, &request(worst)).await;
    h.store().mark_ambiguous(row).await.unwrap();
    let record = Record { metric: Some(metric(false)), ..completed(&claim, task("dj")) };
    done(h.store().record(&claim.held, &record).await.unwrap());
    row
}

async fn a_folded_hour_follows_what_is_charged_late_and_what_is_resolved(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let charged = doubtful(h, "m1", 400).await;
    let resolved = doubtful(h, "m2", 500).await;
    doubtful(h, "m3", 600).await;
    h.pass(240).await;
    assert!(h.store().fold_hours(9).await.unwrap() >= 1);
    h.store().charge(charged, &charge(150)).await.unwrap();
    h.store().resolve(resolved, NanoUsd(70), "eve").await.unwrap();
    let expected = Sums {
        items: 3,
        asked: 3,
        calls: 3,
        tokens: usage().total(),
        cost: NanoUsd(220),
        ambiguous_cost: NanoUsd(600),
        latency: 3 * metric(false).latency,
        ..Sums::default()
    };
    assert_eq!(all(h).await, expected);
    let cost = h.count("select cast(sum(cost) as bigint) from metrics").await;
    assert_eq!(cost, 220);
}

async fn percentiles_are_within_two_percent(h: &impl Harness) {
    const COUNT: usize = 60;
    h.ingest(&chat(COUNT)).await;
    let mut micros = Vec::new();
    for n in 1..=COUNT as u64 {
        micros.push(n * n * n * 7 + 1_000);
        let claim = h.claim(&item(&format!("m{n}"))).await;
        let latency = Duration::from_micros(micros[micros.len() - 1]);
        let metric = Metric { latency, avoided_usage: Usage::default(), ..metric(false) };
        let record = Record { metric: Some(metric), ..skipped(&claim) };
        done(h.store().record(&claim.held, &record).await.unwrap());
        if n.is_multiple_of(20) {
            h.pass(67).await;
        }
    }
    for phase in ["before", "after"] {
        let day = Stretch::last(Duration::from_secs(86_400));
        let told = h.store().latencies(day).await.unwrap();
        assert_eq!(told.count(), COUNT as u64);
        for share in [0.5, 0.95, 0.99] {
            let exact = micros[(share * COUNT as f64).ceil() as usize - 1] as f64;
            let told = told.quantile(share).unwrap().as_micros() as f64;
            assert!((told - exact).abs() <= 0.02 * exact, "{phase} {share}: {told} for {exact}");
        }
        h.store().fold_hours(99).await.unwrap();
    }
}

async fn hours_without_rows_are_passed_over(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let mut sums = settle(h, 1).await;
    h.pass_days(3 * 365).await;
    sums += settle(h, 2).await;
    h.pass_days(2 * 365).await;
    assert_eq!(h.store().fold_hours(3).await.unwrap(), 2);
    let ever = Stretch::last(Duration::from_secs(6 * 365 * 86_400));
    assert_eq!(h.store().figures(ever).await.unwrap().total(), sums);
    assert_eq!(h.store().fold_hours(3).await.unwrap(), 0);
}

async fn an_hour_is_folded_when_it_is_over(h: &impl Harness) {
    const HOURS: &str = "select count(*) from metric_hours";
    h.ingest(&chat(1)).await;
    settle(h, 1).await;
    assert_eq!(h.store().fold_hours(9).await.unwrap(), 0);
    assert_eq!(h.count(HOURS).await, 0);
    h.pass(63).await;
    assert_eq!(h.store().fold_hours(9).await.unwrap(), 1);
    assert_eq!(h.count(HOURS).await, 1);
}

async fn no_more_hours_are_folded_than_asked(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    for n in [1, 2, 3] {
        settle(h, n).await;
        h.pass(120).await;
    }
    assert_eq!(h.store().fold_hours(2).await.unwrap(), 2);
    assert_eq!(h.store().fold_hours(2).await.unwrap(), 1);
    assert!(h.store().latencies(Stretch::last(LONG)).await.unwrap().count() == 0);
}
