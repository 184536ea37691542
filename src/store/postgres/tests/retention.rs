//! Retention: the ledger balances while old rows are folded under everything else, and what is
//! dropped is never asked for.

use std::time::Duration;

use sqlx::Executor;

use super::super::PostgresStore;
use super::super::testing::{Database, LEASE, claim, event, ingest, item, record, request};
use crate::domain::enrichment::Contribution;
use crate::domain::outcome::Outcome;
use crate::domain::usage::{NanoUsd, Usage};
use crate::store::{
    Admission, Charge, Fenced, LedgerQuery, LedgerState, Retention, Store, Stretch, Swept,
};

const DAY: Duration = Duration::from_secs(86_400);

fn kept(days: u32) -> Retention {
    let kept = Some(DAY * days);
    Retention { metrics: kept, hours: kept, ledger: kept, alerts: kept }
}

/// Claims, pays for some requests, and settles.
async fn settle(store: &PostgresStore, n: u32, requests: u32) {
    let claim = claim(store, &item(n), LEASE).await;
    for nth in 0..requests {
        let admission = store.admit(&claim.held, &request(1_000, 1_000_000)).await.unwrap();
        let Admission::Admitted { ledger } = admission else { panic!("{admission:?}") };
        match nth % 4 {
            0 => store.refund(ledger, true).await.unwrap(),
            1 if n.is_multiple_of(5) => store.mark_ambiguous(ledger).await.unwrap(),
            _ => {
                let usage = Usage { input: 10, output: 1, ..Usage::default() };
                let cost = Some(NanoUsd(i64::from(n + nth)));
                let bill = Charge { usage, cost, model: "m".into(), answer: None };
                assert!(store.charge(ledger, &bill).await.unwrap());
            }
        }
    }
    let record = record(&claim, Outcome::Completed, Contribution::default());
    assert!(matches!(store.record(&claim.held, &record).await.unwrap(), Fenced::Done(_)));
}

const AGE: &str = "
    update ledger set created_at = created_at - interval '100 days',
        admitted_at = admitted_at - interval '100 days',
        resolved_at = resolved_at - interval '100 days'
    where state <> 'carried'";

#[tokio::test]
async fn a_sweep_folds_closed_rows_and_the_ledger_and_the_report_say_the_same() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..12).await;
    for n in 0..10 {
        settle(&store, n, 6).await;
    }
    let waiting = claim(&store, &item(10), LEASE).await;
    let admission = store.admit(&waiting.held, &request(1_000, 1_000_000)).await.unwrap();
    assert!(matches!(admission, Admission::Admitted { .. }));
    store.pool.execute(AGE).await.unwrap();
    let before = store.ledger_balances().await.unwrap().unwrap();
    let spent = store.event_report(&event().id).await.unwrap().unwrap().spent;

    let swept = store.sweep(&kept(90)).await.unwrap();
    // Of two items two are in doubt.
    assert_eq!(swept, Swept { folded: 56, ..Swept::default() });
    assert_eq!(store.ledger_balances().await.unwrap().unwrap(), before);
    assert_eq!(store.event_report(&event().id).await.unwrap().unwrap().spent, spent);
    let query = LedgerQuery { limit: 100, ..LedgerQuery::default() };
    let rows = store.ledger(&query).await.unwrap();
    let carried = rows.iter().filter(|row| row.state == LedgerState::Carried).count();
    assert_eq!((rows.len(), carried), (7, 2));

    settle(&store, 11, 6).await;
    store.pool.execute(AGE).await.unwrap();
    let before = store.ledger_balances().await.unwrap().unwrap();
    assert_eq!(store.sweep(&kept(90)).await.unwrap().folded, 6);
    assert_eq!(store.ledger_balances().await.unwrap().unwrap(), before);
    database.drop(store).await;
}

#[tokio::test]
async fn sweeps_that_run_beside_workers_leave_nothing_out() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..40).await;
    let workers = (0..4).map(|worker| {
        let store = &store;
        async move {
            for n in (worker..40).step_by(4) {
                settle(store, n, 4).await;
                let all = Retention { ledger: Some(Duration::ZERO), ..Retention::default() };
                store.sweep(&all).await.unwrap();
                store.ledger_balances().await.unwrap().unwrap();
            }
        }
    });
    futures::future::join_all(workers).await;
    let all = Retention { ledger: Some(Duration::ZERO), ..Retention::default() };
    store.sweep(&all).await.unwrap();
    let closed: i64 =
        sqlx::query_scalar("select count(*) from ledger where state in ('charged', 'refunded')")
            .fetch_one(&store.pool)
            .await
            .unwrap();
    assert_eq!(closed, 0);
    let calls = store.event_report(&event().id).await.unwrap().unwrap().spent.calls;
    assert_eq!(calls, 40 * 3);
    database.drop(store).await;
}

#[tokio::test]
async fn windows_that_are_over_go_with_their_carried_rows_and_idle_rates_go_too() {
    const LONG_AGO: &str = "
        update scopes set instants = array[now() - interval '2 days'] where span is not null;
        update scopes set ends_at = now() - interval '95 days', starts_at = now() - interval '105 days'
        where name is not null";
    let (database, store) = Database::migrated().await;
    ingest(&store, 1..3).await;
    settle(&store, 1, 3).await;
    store.pool.execute(AGE).await.unwrap();
    store.pool.execute(LONG_AGO).await.unwrap();
    let before = store.ledger_balances().await.unwrap().unwrap();
    store.sweep(&kept(99)).await.unwrap();
    let counted = "select (select count(*) from scopes), (select count(*) from ledger)";
    let rows: (i64, i64) = sqlx::query_as(counted).fetch_one(&store.pool).await.unwrap();
    assert_eq!(rows, (1, 2), "the window ended within what is kept");
    store.sweep(&kept(90)).await.unwrap();
    let rows: (i64, i64) = sqlx::query_as(counted).fetch_one(&store.pool).await.unwrap();
    assert_eq!(rows, (0, 1));
    assert_eq!(store.ledger_balances().await.unwrap().unwrap(), before);
    // They are made anew.
    settle(&store, 2, 3).await;
    store.ledger_balances().await.unwrap().unwrap();
    database.drop(store).await;
}

#[tokio::test]
async fn days_that_are_over_go_and_the_figures_of_longer_stretches_come_from_hours() {
    const OLD: &str = "
        select make_metrics_day((now() at time zone 'UTC')::date - back)
        from generate_series(1, 12) back;
        update folds set until = date_trunc('hour', now()) - interval '12 days';
        insert into queue_items (id) select 'i' || n from generate_series(1, 11) n;
        select put_metric('i' || n, 1, 'wedding', 'completed', '{
            \"tenant\": \"acme\", \"intent\": \"query\", \"cached\": false, \"latency_us\": 5,
            \"avoided_tokens\": 0, \"avoided_cost\": 0
        }', null, now() - n * interval '1 day') from generate_series(1, 11) n";
    let (database, store) = Database::migrated().await;
    store.pool.execute(OLD).await.unwrap();
    assert_eq!(store.fold_hours(100).await.unwrap(), 11);
    let month = Stretch::last(30 * DAY);
    assert_eq!(store.figures(month).await.unwrap().total().items, 11);
    let swept = store.sweep(&Retention { metrics: Some(DAY * 3), ..Retention::default() }).await;
    // Those before the third day, and of the twelfth's rows none are asked for.
    assert_eq!(swept.unwrap(), Swept { metrics: 8, sums: 8, folded: 0, more: true });
    assert_eq!(store.figures(month).await.unwrap().total().items, 11);
    let back = Stretch { length: DAY, ended: DAY * 9 };
    assert_eq!(store.figures(back).await.unwrap().total().items, 1);
    let rest = store.sweep(&Retention { hours: Some(DAY * 3), ..kept(3) }).await.unwrap();
    assert_eq!((rest.metrics, rest.more), (1, false));
    assert_eq!(store.figures(month).await.unwrap().total().items, 2);
    database.drop(store).await;
}

#[tokio::test]
async fn a_rate_that_is_dropped_while_somebody_asks_is_made_again() {
    const IDLE: &str = "update scopes set instants = array[now() - interval '2 days']
        where span is not null";
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..1).await;
    let claim = claim(&store, &item(0), LEASE).await;
    let asks = request(1_000, 1_000_000);
    for _ in 0..40 {
        store.pool.execute(IDLE).await.unwrap();
        let nothing = Retention::default();
        let (admission, swept) =
            tokio::join!(store.admit(&claim.held, &asks), store.sweep(&nothing));
        assert!(matches!(admission.unwrap(), Admission::Admitted { .. }));
        swept.unwrap();
    }
    database.drop(store).await;
}
