//! Retention of figures, alerts and scopes; the ledger's is in `carried`.

use std::time::Duration;

use gleaner::domain::usage::NanoUsd;
use gleaner::store::{AdmissionRequest, Record, Retention, Store as _, Stretch, Sums, Swept};

use super::harness::{Harness, LONG, admit, done, holder};
use super::samples::{chat, completed, item, metric, rate, request, task};

promises! {
    nothing_is_swept_from_an_empty_database,
    what_is_kept_for_ever_stays,
    old_figures_go_by_their_kind,
    what_is_not_folded_is_kept,
    a_stretch_whose_minutes_are_gone_is_told_by_its_hours,
    rates_that_were_idle_for_a_day_are_forgotten,
    a_rate_that_somebody_waits_for_is_kept,
}

const DAY: Duration = Duration::from_secs(86_400);

/// All kinds, kept for so many days.
fn days(days: u32) -> Retention {
    let length = Some(DAY * days);
    Retention { metrics: length, hours: length, ledger: length, alerts: length }
}

/// Sweeps until nothing is left to do.
async fn sweep(h: &impl Harness, retention: &Retention) -> Swept {
    let mut all = Swept::default();
    loop {
        let swept = h.store().sweep(retention).await.unwrap();
        all.metrics += swept.metrics;
        all.sums += swept.sums;
        all.folded += swept.folded;
        if !swept.more {
            return all;
        }
    }
}

async fn settle(h: &impl Harness, name: &str) {
    let claim = h.claim(&item(name)).await;
    let record = Record { metric: Some(metric(true)), ..completed(&claim, task("dj")) };
    done(h.store().record(&claim.held, &record).await.unwrap());
}

async fn last(h: &impl Harness, length: Duration) -> Sums {
    h.store().figures(Stretch::last(length)).await.unwrap().total()
}

async fn counts(h: &impl Harness) -> [i64; 3] {
    [
        h.count("select count(*) from metrics").await,
        h.count("select count(*) from metric_rollups").await,
        h.count("select count(*) from metric_hours").await,
    ]
}

async fn nothing_is_swept_from_an_empty_database(h: &impl Harness) {
    assert_eq!(h.store().sweep(&days(90)).await.unwrap(), Swept::default());
    assert_eq!(h.store().sweep(&Retention::default()).await.unwrap(), Swept::default());
}

async fn what_is_kept_for_ever_stays(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    settle(h, "m1").await;
    h.pass_days(900).await;
    h.store().fold_hours(9).await.unwrap();
    assert_eq!(sweep(h, &Retention::default()).await, Swept::default());
    assert_eq!(counts(h).await, [1, 1, 1]);
}

async fn old_figures_go_by_their_kind(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    settle(h, "m1").await;
    h.pass_days(300).await;
    settle(h, "m2").await;
    h.pass_days(95).await;
    settle(h, "m3").await;
    h.store().fold_hours(9).await.unwrap();
    let kept = Retention { hours: Some(365 * DAY), ..days(90) };
    let swept = sweep(h, &kept).await;
    // PostgreSQL counts days of rows, of which some may be empty.
    assert!(swept.metrics >= 2, "{swept:?}");
    assert_eq!((swept.sums, swept.folded), (3, 0), "two minutes, and an hour: {swept:?}");
    assert_eq!(counts(h).await, [1, 1, 1]);
    assert_eq!((last(h, 90 * DAY).await.items, last(h, 900 * DAY).await.items), (1, 2));
    assert_eq!(sweep(h, &kept).await, Swept::default());
}

async fn what_is_not_folded_is_kept(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    settle(h, "m1").await;
    h.pass_days(100).await;
    assert_eq!(sweep(h, &days(90)).await.sums, 0);
    assert_eq!(last(h, 200 * DAY).await.items, 1);
    h.store().fold_hours(9).await.unwrap();
    let kept = Retention { hours: None, ..days(90) };
    assert_eq!(sweep(h, &kept).await.sums, 1);
    assert_eq!(last(h, 200 * DAY).await.items, 1);
}

async fn a_stretch_whose_minutes_are_gone_is_told_by_its_hours(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    settle(h, "m1").await;
    h.pass(60).await;
    settle(h, "m2").await;
    h.pass_days(100).await;
    h.store().fold_hours(9).await.unwrap();
    sweep(h, &Retention { hours: None, ..days(90) }).await;
    // An edge anywhere in an hour lies at its beginning, so stretches side by side count all once.
    let now = h.store().now().await.unwrap();
    let second = now - jiff::SignedDuration::from_hours(100 * 24);
    let into = Duration::from_secs(second.as_second().rem_euclid(3_600).unsigned_abs());
    let hour = Duration::from_secs(3_600);
    let between = async |from: Duration, to: Duration| {
        let stretch = Stretch { length: from - to, ended: to };
        h.store().figures(stretch).await.unwrap().total()
    };
    // Half an hour on either side of where the second one's hour begins, and the same an hour on.
    let begins = 100 * DAY + into;
    let half = Duration::from_secs(1_800);
    let first = between(begins + half, begins - half).await;
    let second = between(begins - half, begins - half - hour).await;
    assert_eq!((first.items, second.items), (1, 1));
    assert_eq!(first.avoided_cost, NanoUsd(700));
    assert_eq!(between(begins + half, begins - half - hour).await.items, 2);
}

async fn rates_that_were_idle_for_a_day_are_forgotten(h: &impl Harness) {
    const RATES: &str = "select count(*) from scopes where key like 'rate:%'";
    let held = holder(h).await;
    let rates = |key| AdmissionRequest { rates: vec![rate(key, 5, LONG)], ..request(10) };
    let row = admit(h, &held, &rates("rate:old")).await;
    h.store().refund(row, false).await.unwrap();
    h.pass_days(1).await;
    // Its place was held for some minutes.
    sweep(h, &days(90)).await;
    assert_eq!(h.count(RATES).await, 1);
    h.pass(60).await;
    let held = h.claim(&item("m-new")).await.held;
    admit(h, &held, &rates("rate:new")).await;
    sweep(h, &days(90)).await;
    assert_eq!(h.count(RATES).await, 1);
    assert_eq!(h.count("select count(*) from scopes where key = 'rate:new'").await, 1);
    h.assert_balanced().await;
}

async fn a_rate_that_somebody_waits_for_is_kept(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let one =
        AdmissionRequest { rates: vec![rate("rate:full", 1, LONG)], queues: true, ..request(10) };
    admit(h, &h.claim(&item("m1")).await.held, &one).await;
    let waits = h.claim(&item("m2")).await.held;
    h.store().admit(&waits, &one).await.unwrap();
    assert_eq!(h.count("select count(*) from lines").await, 1);
    h.pass_days(2).await;
    sweep(h, &days(90)).await;
    assert_eq!(h.count("select count(*) from scopes where key = 'rate:full'").await, 1);
}
