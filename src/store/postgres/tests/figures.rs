//! Figures while everything moves: hours are folded under records that come late, are taken back
//! and restated; partitions are made by whoever needs one, and only those asked for are touched.

use std::time::Duration;

use sqlx::{Executor, PgConnection};
use uuid::Uuid;

use super::super::PostgresStore;
use super::super::codec::{Instant, interval};
use super::super::testing::{Database, LEASE, claim, event, ingest, item, record, request};
use crate::domain::enrichment::Contribution;
use crate::domain::intent::Intent;
use crate::domain::latency::Latencies;
use crate::domain::outcome::Outcome;
use crate::domain::usage::{NanoUsd, Usage};
use crate::store::{Admission, Charge, Fenced, Metric, Retention, Spent, Store, Stretch};

const HOUR: Duration = Duration::from_secs(3600);
const ITEMS: u32 = 240;

// An item each, settled already, with a request that was charged and one in doubt.
const ITEMS_WITH_COST: &str = "
    insert into queue_items (id, event_id, status, revision, look_at)
    select 'i' || n, 'wedding', 'completed', 1, null from generate_series(0, $1 - 1) n";
const LEDGER: &str = "
    insert into ledger (
        id, state, tenant, item_id, lease, revision, event_id, agent, model, fingerprint, scopes,
        rates, admitted_at, created_at, resolved_at, reserved, charged, input_tokens
    )
    select gen_random_uuid(), state, 'acme', 'i' || n, 1, 1, 'wedding', 'a', 'm', 'f', '{}', '{}',
        long_ago, long_ago, long_ago, 1000 + n, case when state = 'charged' then 7 * n else 0 end, n
    from generate_series(0, $1 - 1) n, unnest(array['charged', 'ambiguous']) state,
        (select now() - interval '9 hours' as long_ago) t";
const BEGIN_SIX_HOURS_AGO: &str = "
    update folds set until = date_trunc('hour', now()) - interval '6 hours' where name = 'hours'";

const PUT: &str = "
    select put_metric($1, 1, 'wedding', 'completed', jsonb_build_object(
        'tenant', 'acme', 'intent', $2::text, 'agent', 'a', 'model', 'm', 'cached', $3::boolean,
        'latency_us', $4::bigint, 'avoided_tokens', 3, 'avoided_cost', 5
    ), $5, $6)";

// What figures and latencies say that a scan of the rows does not, and the other way round.
const DIFFERENCES: &str = "
    with scan as (
        select intent, count(*), count(*) filter (where cached), count(*) filter (where not cached),
            sum(calls)::bigint, sum(input_tokens)::bigint, sum(cost)::bigint,
            sum(ambiguous_cost)::bigint, sum(avoided_tokens)::bigint, sum(avoided_cost)::bigint,
            sum(latency_us)::bigint
        from metrics
        where created_at >= now() - $2 - $1 and created_at < now() - $2
        group by intent
    ), told as (
        select * from figures($1, $2)
    ), buckets as (
        select latency_bucket(latency_us), count(*) from metrics
        where created_at >= now() - $2 - $1 and created_at < now() - $2 group by 1
    ), told_buckets as (
        select * from latencies($1, $2)
    )
    select (select count(*) from ((table scan except table told) union (table told except table scan)) d)
        + (select count(*) from (
            (table buckets except table told_buckets) union (table told_buckets except table buckets)
        ) d)";

const FOLDED: &str = "
    select count(*) from metric_hours h
    where h.items <> (
        select count(*) from metrics m
        where m.intent = h.intent and m.created_at >= h.hour
            and m.created_at < h.hour + interval '1 hour'
    )";

/// Holds the figures of several stretches against the rows, all at one moment.
async fn assert_exact(store: &PostgresStore) {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for (length, ended) in
        [(480, 0), (200, 0), (1, 0), (180, 61), (91, 30), (7, 123), (60, 60), (480, 1)]
    {
        let differences: i64 = sqlx::query_scalar(DIFFERENCES)
            .bind(interval(minutes(length)))
            .bind(interval(minutes(ended)))
            .fetch_one(&store.pool)
            .await
            .unwrap();
        assert_eq!(differences, 0, "{length} minutes, ended {ended} minutes ago");
    }
}

async fn put(connection: &mut PgConnection, n: u32, earlier: Option<Instant>, moment: Instant) {
    let intent = Intent::ALL[n as usize % 3].name();
    let put = sqlx::query(PUT)
        .bind(format!("i{n}"))
        .bind(intent)
        .bind(n.is_multiple_of(4))
        .bind(i64::from(n) * 12_345)
        .bind(earlier)
        .bind(moment);
    put.execute(&mut *connection).await.unwrap();
    let seen = "update queue_items set metric_at = $2 where id = $1";
    let seen = sqlx::query(seen).bind(format!("i{n}")).bind(moment);
    seen.execute(connection).await.unwrap();
}

/// An instant within the last six hours, another one for each item and round.
fn moment(n: u32, round: u32) -> Instant {
    let back = (n * 7_919 + round * 104_729) % 21_500;
    Instant(
        jiff::Timestamp::now() - jiff::SignedDuration::from_millis(i64::from(back) * 1_000 + 77),
    )
}

/// Settles an item at a moment that is over, then once more, or has its doubt resolved.
async fn settle_late(store: &PostgresStore, n: u32) {
    let mut settling = store.pool.begin().await.unwrap();
    let first = moment(n, 0);
    put(&mut settling, n, None, first).await;
    settling.commit().await.unwrap();
    match n % 3 {
        0 => {
            let mut again = store.pool.begin().await.unwrap();
            put(&mut again, n, Some(first), moment(n, 1)).await;
            again.commit().await.unwrap();
        }
        1 => resolve(store, n).await,
        _ => {}
    }
}

async fn resolve(store: &PostgresStore, n: u32) {
    let doubtful = "select id from ledger where item_id = $1 and state = 'ambiguous'";
    let id: Uuid =
        sqlx::query_scalar(doubtful).bind(format!("i{n}")).fetch_one(&store.pool).await.unwrap();
    store.resolve(id, NanoUsd(11), "ana").await.unwrap();
}

async fn with_items() -> (Database, PostgresStore) {
    let (database, store) = Database::migrated().await;
    for statement in [ITEMS_WITH_COST, LEDGER] {
        let query = sqlx::query(statement).bind(ITEMS as i32);
        query.execute(&store.pool).await.unwrap();
    }
    store.pool.execute(BEGIN_SIX_HOURS_AGO).await.unwrap();
    (database, store)
}

#[tokio::test]
async fn figures_are_exact_while_hours_are_folded_under_late_records() {
    let (database, store) = with_items().await;
    let workers = (0..6).map(|worker| {
        let store = &store;
        async move {
            for n in (worker..ITEMS).step_by(6) {
                settle_late(store, n).await;
                store.fold_hours(u32::from(n % 40 == 0)).await.unwrap();
            }
        }
    });
    futures::future::join_all(workers).await;
    assert_exact(&store).await;
    while store.fold_hours(3).await.unwrap() > 0 {}
    assert_exact(&store).await;

    let hours: i64 = sqlx::query_scalar("select count(distinct hour) from metric_hours")
        .fetch_one(&store.pool)
        .await
        .unwrap();
    assert!(hours >= 5, "{hours} hours are folded");
    for n in (2..ITEMS).step_by(3) {
        resolve(&store, n).await;
    }
    assert_exact(&store).await;
    let wrong: i64 = sqlx::query_scalar(FOLDED).fetch_one(&store.pool).await.unwrap();
    assert_eq!(wrong, 0);
    database.drop(store).await;
}

#[tokio::test]
async fn an_hour_that_a_record_is_under_way_in_is_folded_after_it() {
    let (database, store) = with_items().await;
    let mut late = store.pool.begin().await.unwrap();
    let three_hours_ago = Instant(jiff::Timestamp::now() - jiff::SignedDuration::from_hours(3));
    put(&mut late, 1, None, three_hours_ago).await;
    // The hours before it have nothing to fold, and it has hers.
    assert_eq!(store.fold_hours(10).await.unwrap(), 0);
    late.commit().await.unwrap();
    assert_eq!(store.fold_hours(10).await.unwrap(), 1);
    assert_exact(&store).await;
    database.drop(store).await;
}

#[tokio::test]
async fn an_idle_database_is_folded_up_to_now_in_one_step() {
    let (database, store) = Database::migrated().await;
    let long_ago = "update folds set until = '2019-03-04 05:00:00+00' where name = 'hours'";
    store.pool.execute(long_ago).await.unwrap();
    assert_eq!(store.fold_hours(1).await.unwrap(), 0);
    let behind: bool = sqlx::query_scalar(
        "select until < date_trunc('hour', now() - interval '2 minutes') from folds",
    )
    .fetch_one(&store.pool)
    .await
    .unwrap();
    assert!(!behind);
    database.drop(store).await;
}

#[tokio::test]
async fn what_the_release_before_recorded_is_carried_over_by_the_migration() {
    const RECORDED: &str = "
        insert into queue_items (id, status, revision, look_at)
        select 'i' || n, 'completed', 1, null from generate_series(1, 90) n;
        select add_metric('i' || n, 1, 'wedding', 'completed', jsonb_build_object(
            'tenant', 'acme', 'intent', 'query', 'agent', 'a', 'model', 'm', 'cached', n % 3 = 0,
            'latency_us', n * 54321, 'avoided_tokens', n, 'avoided_cost', n
        )) from generate_series(1, 90) n";
    let database = Database::create().await;
    let mut connection = database.application().await;
    let set_up = "create schema gleaner; set search_path = gleaner, pg_temp";
    connection.execute(set_up).await.unwrap();
    let steps = crate::store::migrations::POSTGRES;
    let before = crate::store::migrations::migrator(&steps[..13]);
    before.run_direct(None, &mut connection, false).await.unwrap();
    connection.execute(RECORDED).await.unwrap();
    let store = database.store().await;
    store.migrate().await.unwrap();
    assert_exact(&store).await;
    assert_eq!(store.figures(Stretch::last(HOUR)).await.unwrap().total().items, 90);
    // Each is found again, and replaced.
    let mut again = store.pool.begin().await.unwrap();
    for n in 1..=90 {
        let written = "select metric_at from queue_items where id = $1";
        let written: Instant =
            sqlx::query_scalar(written).bind(format!("i{n}")).fetch_one(&mut *again).await.unwrap();
        put(&mut again, n, Some(written), Instant(jiff::Timestamp::now())).await;
    }
    again.commit().await.unwrap();
    assert_exact(&store).await;
    assert_eq!(store.figures(Stretch::last(HOUR)).await.unwrap().total().items, 90);
    database.drop(store).await;
}

fn metric(latency: Duration) -> Metric {
    Metric {
        intent: Intent::Query,
        agent: Some("query_answerer"),
        model: Some("m".into()),
        cached: false,
        latency,
        spent: Spent::default(),
        avoided_usage: Usage::default(),
        avoided_cost: NanoUsd::ZERO,
    }
}

async fn settle(store: &PostgresStore, n: u32) {
    let claim = claim(store, &item(n), LEASE).await;
    let mut record = record(&claim, Outcome::Completed, Contribution::default());
    record.metric = Some(metric(Duration::from_millis(100 + u64::from(n))));
    assert!(matches!(store.record(&claim.held, &record).await.unwrap(), Fenced::Done(_)));
}

#[tokio::test]
async fn a_day_without_a_partition_gets_it_from_the_first_record_of_many() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..16).await;
    let drop_all = "do $$ declare day text; begin
        for day in select relname from pg_class where relname ~ '^metrics_\\d' and relkind = 'r' loop
            execute format('drop table %I', day);
        end loop; end $$";
    store.pool.execute(drop_all).await.unwrap();
    futures::future::join_all((0..16).map(|n| settle(&store, n))).await;
    let days = "select count(*) from pg_inherits where inhparent = 'metrics'::regclass";
    let days = async || -> i64 { sqlx::query_scalar(days).fetch_one(&store.pool).await.unwrap() };
    // Two, when it is midnight.
    assert!((1..=2).contains(&days().await));
    let figures = store.figures(Stretch::last(HOUR)).await.unwrap();
    assert_eq!(figures.total().items, 16);
    store.sweep(&Retention::default()).await.unwrap();
    assert!(days().await >= 3);
    database.drop(store).await;
}

#[tokio::test]
async fn figures_touch_the_days_of_their_edges_and_no_others() {
    let (database, store) = Database::migrated().await;
    let ten_days = "select make_metrics_day((now() at time zone 'UTC')::date - back)
        from generate_series(1, 10) back";
    store.pool.execute(ten_days).await.unwrap();
    let mut transaction = store.pool.begin().await.unwrap();
    transaction
        .execute("select figures('3 days', '1 hour'), latencies('3 days', '1 hour')")
        .await
        .unwrap();
    let locked: Vec<bool> = sqlx::query_scalar(
        "select c.relname in (
                metrics_day(((now() - interval '73 hours') at time zone 'UTC')::date),
                metrics_day(((now() - interval '1 hour') at time zone 'UTC')::date)
            )
        from pg_locks l join pg_class c on c.oid = l.relation
        where l.pid = pg_backend_pid() and c.relname ~ '^metrics_\\d{4}_\\d\\d_\\d\\d$'",
    )
    .fetch_all(&mut *transaction)
    .await
    .unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(locked, [true, true]);
    database.drop(store).await;
}

#[tokio::test]
async fn a_latency_has_the_same_bucket_in_sql_as_in_code() {
    let (database, store) = Database::migrated().await;
    let mut micros: Vec<i64> = (0..3_000).collect();
    micros.extend((0..2_000).map(|n| 3_000 + n * n * 151 + n * 7));
    micros.extend([i64::from(i32::MAX), i64::MAX / 4]);
    let buckets: Vec<i32> =
        sqlx::query_scalar("select latency_bucket(micros) from unnest($1::bigint[]) micros")
            .bind(&micros)
            .fetch_all(&store.pool)
            .await
            .unwrap();
    for (micros, bucket) in micros.iter().zip(buckets) {
        let ours = Latencies::bucket(Duration::from_micros(*micros as u64));
        // The edge of a bucket is no exact number in either.
        assert!((i32::from(ours) - bucket).abs() <= 1, "{micros} µs: {ours} and {bucket}");
    }
    database.drop(store).await;
}

#[tokio::test]
async fn a_late_bill_without_a_price_and_a_persons_word_both_reach_the_hours() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..1).await;
    let claim = claim(&store, &item(0), LEASE).await;
    let admission = store.admit(&claim.held, &request(20, 1_000)).await.unwrap();
    let Admission::Admitted { ledger } = admission else { panic!("{admission:?}") };
    store.mark_ambiguous(ledger).await.unwrap();
    let mut record = record(&claim, Outcome::Completed, Contribution::default());
    record.metric = Some(metric(HOUR));
    assert!(matches!(store.record(&claim.held, &record).await.unwrap(), Fenced::Done(_)));
    let doubted = store.figures(Stretch::last(HOUR)).await.unwrap().total();
    assert_eq!((doubted.ambiguous_cost, doubted.calls), (NanoUsd(10), 1));

    let usage = Usage { input: 30, ..Usage::default() };
    let unpriced = Charge { usage, cost: None, model: "m".into(), answer: None };
    store.charge(ledger, &unpriced).await.unwrap();
    let told = store.figures(Stretch::last(HOUR)).await.unwrap().total();
    assert_eq!((told.ambiguous_cost, told.tokens), (NanoUsd(10), 30));
    store.resolve(ledger, NanoUsd(4), "ana").await.unwrap();
    let closed = store.figures(Stretch::last(HOUR)).await.unwrap().total();
    assert_eq!((closed.ambiguous_cost, closed.cost), (NanoUsd::ZERO, NanoUsd(4)));
    assert_eq!(store.event_report(&event().id).await.unwrap().unwrap().spent.cost, NanoUsd(4));
    database.drop(store).await;
}
