//! What figures cost at ten million metric rows over thirty days: the four summary calls, timed
//! beside a plain scan of the rows, which they must agree with.
//!
//! `make bench` starts a private server with fsync on and runs this; `GLEANER_BENCH_ROWS` takes
//! another number of rows. Money that differs by a nano-dollar fails it, and so does a percentile
//! that is off by more than two percent.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench that meets an error must fail"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gleaner::domain::latency::Latencies;
use gleaner::settings;
use gleaner::store::{Figures, Store, Stretch};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use support::servers;

const DAYS: i64 = 30;
const HOUR: Duration = Duration::from_secs(3600);
const CALLS: usize = 25;
const SCANS: usize = 3;

const MAKE_DAYS: &str = "
    select make_metrics_day((now() at time zone 'UTC')::date - back)
    from generate_series(0, 31) back";

// So many rows of one of the days, evenly spread; what varies does so by a hash. Most latencies
// are a model's, those of cached answers and of plain code are a few milliseconds.
const ROWS: &str = "
    insert into metrics (
        item_id, revision, tenant, event_id, outcome, intent, agent, model, cached, latency_us,
        calls, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
        cache_write_1h_tokens, cost, ambiguous_cost, avoided_tokens, avoided_cost, created_at
    )
    select 'd' || $2::integer || 'n' || n, 1, 'default', 'event' || n % 5000, 'completed',
        (array['task_creation', 'expense_entry', 'poll_creation', 'query', 'none'])[1 + dice % 5],
        case when dice % 5 < 4 then 'agent' end, case when dice % 5 < 4 then 'claude-sonnet-5-5' end,
        is_cached, exp(case when asks then 13.8 else 8.5 end + (dice % 997) / 500.0 - 1)::bigint,
        asks::integer, case when asks then 900 + dice % 1201 else 0 end,
        case when asks then 120 + dice % 233 else 0 end, 0, 0, 0,
        case when asks then 1000000 + dice % 7654321 else 0 end,
        case when dice % 10007 = 0 then 31337 else 0 end,
        case when is_cached then 1500 else 0 end,
        case when is_cached then 2000000 + dice % 1234567 else 0 end,
        $3::text::timestamptz - make_interval(days => $2) + n * (interval '1 day' / $1::double precision)
    from (
        select n, dice, dice % 9 < 5 as is_cached, dice % 5 < 4 and dice % 9 >= 5 as asks
        from (select n, abs(hashint8(n::bigint * 1000 + $2)) as dice from generate_series(0, $1::bigint - 1) n) t
    ) t";

// Minutes' sums of the rows before an instant, as their records would have left them.
const MINUTES: &str = "
    with counted as (
        select tenant, date_trunc('minute', created_at) as minute, intent,
            abs(hashtext(item_id) % 16)::smallint as shard, latency_bucket(latency_us) as bucket,
            count(*) as items, count(*) filter (where cached) as cached,
            count(*) filter (where agent is not null and not cached) as asked, sum(calls) as calls,
            sum(input_tokens + output_tokens) as tokens, sum(cost) as cost,
            sum(ambiguous_cost) as ambiguous_cost, sum(avoided_tokens) as avoided_tokens,
            sum(avoided_cost) as avoided_cost, sum(latency_us) as latency_us
        from metrics where created_at >= $1::text::timestamptz
            and created_at < $1::text::timestamptz + interval '1 day'
        group by 1, 2, 3, 4, 5
    )
    insert into metric_rollups (
        tenant, minute, intent, shard, items, cached, asked, calls, tokens, cost, ambiguous_cost,
        avoided_tokens, avoided_cost, latency_us, histogram
    )
    select tenant, minute, intent, shard, sum(items), sum(cached), sum(asked), sum(calls),
        sum(tokens), sum(cost), sum(ambiguous_cost), sum(avoided_tokens), sum(avoided_cost),
        sum(latency_us), jsonb_object_agg(bucket, items)
    from counted group by tenant, minute, intent, shard order by minute";

const SCAN: &str = "
    select sum(items)::bigint, sum(cost)::bigint, sum(avoided_cost)::bigint from (
        select intent, count(*) as items, sum(cost) as cost, sum(avoided_cost) as avoided_cost
        from metrics where created_at >= $1::text::timestamptz group by intent
    ) t";
const PERCENTILES: &str = "
    select percentile_disc(array[0.5, 0.95, 0.99]) within group (order by latency_us)
    from metrics where created_at >= $1::text::timestamptz";
// Rows that left the stretch while it was summed.
const LEFT: &str = "
    select 1::bigint, cost, avoided_cost from metrics
    where created_at >= $1::text::timestamptz and created_at < $2::text::timestamptz
    order by created_at";

/// Items, cost, avoided cost.
type Sums = (i64, i64, i64);

struct Bench {
    store: Arc<dyn Store>,
    rows: PgConnection,
}

#[tokio::main]
async fn main() {
    let rows: i64 = match std::env::var("GLEANER_BENCH_ROWS") {
        Ok(number) => number.parse().unwrap(),
        Err(_) => 10_000_000,
    };
    let mut bench = Bench::filled(rows).await;
    println!("| {rows} metric rows over {DAYS} days | median | worst of {CALLS} | plain scan |");
    println!("|---|---|---|---|");
    for (name, hours) in [("24 hours", 24), ("7 days", 24 * 7), ("30 days", 24 * 30)] {
        let told = bench.figures(HOUR * hours).await;
        println!("| figures of the last {name} | {told} |");
    }
    let told = bench.latencies().await;
    println!("| latencies of the last hour | {told} |");
    bench.rows.close().await.unwrap();
    bench.store.close().await;
}

impl Bench {
    /// A database with so many rows.
    async fn filled(rows: i64) -> Self {
        let url = servers::fresh_database().await;
        let environment = [("DATABASE_URL".to_owned(), url.clone())];
        let settings = settings::load(None, &environment).unwrap();
        let store = gleaner::store::open(&settings.database).await.unwrap();
        store.migrate().await.unwrap();
        let options = PgConnectOptions::from_str(&url).unwrap().options([
            ("search_path", "gleaner"),
            ("timezone", "UTC"),
            ("work_mem", "256MB"),
        ]);
        let mut bench = Self { store, rows: options.connect().await.unwrap() };
        bench.fill(rows).await;
        bench
    }

    async fn fill(&mut self, rows: i64) {
        let started = Instant::now();
        self.rows.execute(MAKE_DAYS).await.unwrap();
        let end: String = self.text("select date_trunc('second', now())::text").await;
        for day in (1..=DAYS).rev() {
            let insert = sqlx::query(ROWS).bind(rows / DAYS).bind(day as i32).bind(&end);
            insert.execute(&mut self.rows).await.unwrap();
        }
        let mut day: String = self.text("select min(created_at)::date::text from metrics").await;
        let back =
            sqlx::query("update folds set until = $1::text::timestamptz where name = 'hours'");
        back.bind(&day).execute(&mut self.rows).await.unwrap();
        for _ in 0..=DAYS {
            let sum = sqlx::query(MINUTES).bind(&day);
            sum.execute(&mut self.rows).await.unwrap();
            let next = sqlx::query_scalar("select ($1::text::date + 1)::text").bind(&day);
            day = next.fetch_one(&mut self.rows).await.unwrap();
        }
        while self.store.fold_hours(24).await.unwrap() > 0 {}
        self.rows.execute("vacuum analyze metrics, metric_rollups, metric_hours").await.unwrap();
        println!("made in {:.0} s\n", started.elapsed().as_secs_f64());
    }

    async fn text(&mut self, statement: &'static str) -> String {
        sqlx::query_scalar(statement).fetch_one(&mut self.rows).await.unwrap()
    }

    /// Times the figures of the last so long, and holds them against a scan.
    async fn figures(&mut self, length: Duration) -> String {
        let mut calls = Vec::new();
        let mut scans = Vec::new();
        for call in 0..CALLS {
            let before = self.store.now().await.unwrap();
            let started = Instant::now();
            let figures = self.store.figures(Stretch::last(length)).await.unwrap();
            calls.push(started.elapsed());
            let after = self.store.now().await.unwrap();
            if call < SCANS {
                let from = before - length;
                let started = Instant::now();
                let sums = self.scan(SCAN, &[from]).await;
                scans.push(started.elapsed());
                let left = self.scan(LEFT, &[from, after - length]).await;
                assert_same(&figures, sums[0], &left);
            }
        }
        told(calls, scans)
    }

    async fn scan(&mut self, statement: &'static str, instants: &[jiff::Timestamp]) -> Vec<Sums> {
        let text = instants.iter().map(ToString::to_string);
        let query = text.fold(sqlx::query_as(statement), |query, instant| query.bind(instant));
        query.fetch_all(&mut self.rows).await.unwrap()
    }

    /// Times the latencies of the last hour, and holds their percentiles against a scan.
    async fn latencies(&mut self) -> String {
        let mut calls = Vec::new();
        let mut scans = Vec::new();
        for call in 0..CALLS {
            let from = self.store.now().await.unwrap() - HOUR;
            let started = Instant::now();
            let latencies = self.store.latencies(Stretch::last(HOUR)).await.unwrap();
            calls.push(started.elapsed());
            if call < SCANS {
                let started = Instant::now();
                let scan = sqlx::query_scalar(PERCENTILES).bind(from.to_string());
                let exact: Vec<i64> = scan.fetch_one(&mut self.rows).await.unwrap();
                scans.push(started.elapsed());
                assert_close(&latencies, &exact);
            }
        }
        told(calls, scans)
    }
}

/// Equal to the nano-dollar, at some moment of the call: rows left the stretch one by one.
fn assert_same(figures: &Figures, mut sums: Sums, left: &[Sums]) {
    let total = figures.total();
    let told: Sums = (total.items as i64, total.cost.0, total.avoided_cost.0);
    let mut possible = vec![sums];
    for row in left {
        sums = (sums.0 - row.0, sums.1 - row.1, sums.2 - row.2);
        possible.push(sums);
    }
    assert!(possible.contains(&told), "figures say {told:?}, the rows {possible:?}");
}

fn assert_close(latencies: &Latencies, exact: &[i64]) {
    for (share, exact) in [0.5, 0.95, 0.99].into_iter().zip(exact) {
        let told = latencies.quantile(share).unwrap().as_secs_f64() * 1e6;
        let off = (told / *exact as f64 - 1.0).abs();
        assert!(off <= 0.02, "p{}: {told:.0} µs, by the rows {exact} µs", share * 100.0);
    }
}

fn told(mut calls: Vec<Duration>, mut scans: Vec<Duration>) -> String {
    calls.sort_unstable();
    scans.sort_unstable();
    let millis = |took: Duration| format!("{:.1} ms", took.as_secs_f64() * 1e3);
    let (median, worst) = (calls[calls.len() / 2], calls[calls.len() - 1]);
    format!("{} | {} | {}", millis(median), millis(worst), millis(scans[scans.len() / 2]))
}
