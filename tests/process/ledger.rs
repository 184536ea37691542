//! The ledger and the budgets, shown and changed on the command line and over the port.

use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use gleaner::domain::ids::{EventId, Held, ItemId};
use gleaner::domain::usage::{NanoUsd, Usage};
use gleaner::limits::{BudgetName, Budgets};
use gleaner::settings::{self, BudgetKind, OverBudget};
use gleaner::store::{Admission, AdmissionRequest, BudgetScope, Charge, Claimed, Store, Window};
use serde_json::Value;
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::daemon::{Daemon, gleaner};
use crate::support::world::wedding;
use crate::support::{http, servers};

const AUTHORIZED: &str = "authorization: Bearer t0ken\r\n";
const CENT: i64 = 10_000_000;

/// Each of these on both engines.
macro_rules! promises {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test] async fn $name() { super::$name(&super::Books::on_sqlite().await).await; })*
        }
        mod on_postgres {
            $(#[tokio::test] async fn $name() { super::$name(&super::Books::on_postgres().await).await; })*
        }
    };
}

promises! {
    the_ledger_is_listed_by_state_with_exact_amounts,
    what_is_in_doubt_is_closed_once_at_what_was_billed,
    what_was_not_billed_is_refunded_and_what_was_billed_above_is_debt,
    a_row_that_is_not_there_and_an_amount_that_is_none_are_refused,
    a_budget_is_shown_with_spent_in_flight_and_in_doubt_apart,
    a_limit_is_turned_at_run_time_and_back,
    who_waits_for_the_next_day_is_told_apart,
    check_names_the_row_that_breaks_the_balance,
    the_port_shows_budgets_and_ledger_to_those_who_have_the_token,
}

/// A database with a message that asks, and a hand on its store.
struct Books {
    url: String,
    /// Where a SQLite file is; removed when dropped.
    _folder: TempDir,
    store: Arc<dyn Store>,
    held: Held,
}

impl Books {
    async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("sqlite:{}", folder.path().join("gleaner.db").display());
        Self::open(file, folder).await
    }

    async fn on_postgres() -> Self {
        Self::open(servers::fresh_database().await, tempfile::tempdir().unwrap()).await
    }

    async fn open(url: String, folder: TempDir) -> Self {
        let settings = settings::load(None, &environment(&url)).unwrap();
        let store = gleaner::store::open(&settings.database).await.unwrap();
        store.migrate().await.unwrap();
        store.ingest(&wedding("wed", &["Please book a photographer"])).await.unwrap();
        let item = ItemId::parse("wed-0").unwrap();
        let claimed = store.claim(&item, Duration::from_secs(600)).await.unwrap();
        let Claimed::Held(claim) = claimed else { panic!("not held but {claimed:?}") };
        Self { url, _folder: folder, store, held: claim.held }
    }

    async fn ask(&self, worst_case: i64) -> Admission {
        self.store.admit(&self.held, &request(worst_case)).await.unwrap()
    }

    /// The ledger row of a request that is admitted.
    async fn admit(&self, worst_case: i64) -> Uuid {
        let admission = self.ask(worst_case).await;
        let Admission::Admitted { ledger } = admission else { panic!("refused: {admission:?}") };
        ledger
    }

    /// A request that was paid.
    async fn charged(&self, worst_case: i64, cost: i64) -> Uuid {
        let ledger = self.admit(worst_case).await;
        let cost = Some(NanoUsd(cost));
        let charge =
            Charge { usage: Usage::default(), cost, model: "sonnet-1".to_owned(), answer: None };
        self.store.charge(ledger, &charge).await.unwrap();
        ledger
    }

    /// A request that nobody answered.
    async fn in_doubt(&self, worst_case: i64) -> Uuid {
        let ledger = self.admit(worst_case).await;
        self.store.mark_ambiguous(ledger).await.unwrap();
        ledger
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = gleaner();
        command.args(arguments).envs(environment(&self.url)).env("USER", "ana").output().unwrap()
    }

    /// What it prints when it is to succeed.
    fn said(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert!(ended.status.success(), "{arguments:?}: {ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.said(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// What it complains of when it is to fail with that code.
    fn refused(&self, arguments: &[&str], code: i32) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}: {ended:?}");
        String::from_utf8(ended.stderr).unwrap()
    }

    /// Changes a row behind the store's back.
    async fn tamper(&self, statement: &str) {
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        if self.url.starts_with("sqlite:") {
            let mut base = SqliteConnection::connect(&self.url).await.unwrap();
            base.execute(statement).await.unwrap();
        } else {
            let mut base = PgConnection::connect(&self.url).await.unwrap();
            base.execute("set search_path to gleaner").await.unwrap();
            base.execute(statement).await.unwrap();
        }
    }
}

fn environment(url: &str) -> Vec<(String, String)> {
    [("DATABASE_URL", url), ("GLEANER__HTTP__TOKEN", "t0ken")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// Which the event's budget must have room for, and the day's counts.
fn request(worst_case: i64) -> AdmissionRequest {
    AdmissionRequest {
        event: EventId::parse("wed").unwrap(),
        tenant: "default".to_owned(),
        revision: 1,
        sent_at: "2027-01-05T10:00:00Z".parse().unwrap(),
        agent: "task_enricher",
        model: "sonnet".to_owned(),
        fingerprint: "task/1".to_owned(),
        worst_case: NanoUsd(worst_case),
        expected: NanoUsd(worst_case),
        rates: Vec::new(),
        budgets: vec![budget(&BudgetName::Event("wed".to_owned())), budget(&BudgetName::Day)],
        provider: None,
        queues: true,
    }
}

fn budget(name: &BudgetName) -> BudgetScope {
    let budgets = Budgets::new(settings::load(None, &[]).unwrap().budgets);
    // Midnight may come while a test runs: the database picks.
    let now = jiff::Timestamp::now();
    let mut windows: Vec<Window> = [now, now + Duration::from_secs(24 * 3600)]
        .into_iter()
        .map(|at| budgets.window(name, at).unwrap())
        .collect();
    windows.dedup();
    BudgetScope {
        name: name.scope(),
        limit: budgets.limit(name),
        kind: BudgetKind::Hard,
        in_flight_share: 1.0,
        waits: budgets.of(name).over == OverBudget::Park,
        windows,
    }
}

async fn the_ledger_is_listed_by_state_with_exact_amounts(books: &Books) {
    let paid = books.charged(2 * CENT, CENT + 1).await;
    let doubt = books.in_doubt(3 * CENT).await;
    books.admit(CENT).await;
    let rows = books.json(&["ledger", "list", "--state", "ambiguous"]);
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    let row = &rows[0];
    assert_eq!((&row["id"], &row["why"]), (&doubt.to_string().into(), &"unanswered".into()));
    let reserved = (&row["reserved"]["usd"], &row["reserved"]["nano_usd"]);
    assert_eq!(reserved, (&"0.030000000".into(), &(3 * CENT).into()));
    let text = books.said(&["ledger", "list", "--event", "wed"]);
    let [first, .., third] = &text.lines().skip(1).take(3).collect::<Vec<_>>()[..] else {
        panic!("fewer than three rows: {text}")
    };
    assert!(first.contains("reserved") && third.starts_with(&paid.to_string()), "{text}");
    for sum in
        ["1  reserved   $0.010000000", "1  charged    $0.010000001", "1  ambiguous  $0.030000000"]
    {
        assert!(text.contains(sum), "no {sum:?} in:\n{text}");
    }
    assert_eq!(books.said(&["ledger", "list", "--event", "offsite"]), "no such rows\n");
    assert_eq!(books.json(&["ledger", "list", "--limit", "2"]).as_array().unwrap().len(), 2);
    let said = books.refused(&["ledger", "list", "--state", "paid"], 2);
    assert!(said.contains("reserved, charged, refunded, ambiguous and carried"), "{said}");
}

async fn what_is_in_doubt_is_closed_once_at_what_was_billed(books: &Books) {
    let id = books.in_doubt(3 * CENT).await.to_string();
    let resolve = ["ledger", "resolve", &id, "--cost", "0.012000001", "--by", "Ben"];
    assert_eq!(books.said(&resolve), format!("charged {id} at $0.012000001\n"));
    let row = &books.json(&["ledger", "list"])[0];
    assert_eq!((&row["state"], &row["resolved_by"]), (&"charged".into(), &"Ben".into()));
    assert_eq!(row["charged"]["nano_usd"], 12_000_001);
    let said = books.refused(&resolve, 1);
    assert!(said.contains(&format!("{id} is charged, not ambiguous")), "{said}");
    let event = &books.json(&["budget", "show", "event:wed"])[0];
    assert_eq!(event["spent"]["nano_usd"], 12_000_001);
    assert_eq!(event["ambiguous"]["nano_usd"], 0);
    assert!(books.said(&["check", "--ledger"]).contains("ledger: it balances"));
}

async fn what_was_not_billed_is_refunded_and_what_was_billed_above_is_debt(books: &Books) {
    let free = books.in_doubt(CENT).await.to_string();
    let said = books.said(&["ledger", "resolve", &free, "--cost", "0"]);
    assert_eq!(said, format!("refunded {free}: it cost nothing\n"));
    let dear = books.in_doubt(CENT).await.to_string();
    let ended = books.run(&["ledger", "resolve", &dear, "--cost", "0.03"]);
    assert!(ended.status.success(), "{ended:?}");
    let warned = String::from_utf8(ended.stderr).unwrap();
    assert!(warned.contains("$0.02 of it is debt"), "{warned}");
    let debts = books.json(&["ledger", "list", "--debt"]);
    assert_eq!(debts.as_array().unwrap().len(), 1);
    assert_eq!((&debts[0]["id"], &debts[0]["resolved_by"]), (&dear.into(), &"ana".into()));
    assert_eq!(debts[0]["debt"]["usd"], "0.020000000");
    assert!(books.said(&["check", "--ledger"]).contains("ledger: it balances"));
}

async fn a_row_that_is_not_there_and_an_amount_that_is_none_are_refused(books: &Books) {
    let id = Uuid::nil().to_string();
    let said = books.refused(&["ledger", "resolve", &id, "--cost", "1"], 1);
    assert!(said.contains(&format!("no ledger row has the ID {id}")), "{said}");
    for cost in ["-1", "1e-3", "0.0000000001", "much"] {
        let said = books.refused(&["ledger", "resolve", &id, "--cost", cost], 2);
        assert!(said.contains("no amount of US dollars"), "{said}");
    }
    let said = books.refused(&["budget", "set", "week", "5"], 2);
    assert!(said.contains("day, month, total, tenant:NAME or event:ID"), "{said}");
}

async fn a_budget_is_shown_with_spent_in_flight_and_in_doubt_apart(books: &Books) {
    books.charged(2 * CENT, CENT).await;
    books.in_doubt(3 * CENT).await;
    books.admit(5 * CENT).await;
    let all = books.json(&["budget", "show"]);
    let names: Vec<&str> =
        all.as_array().unwrap().iter().map(|it| it["budget"].as_str().unwrap()).collect();
    assert_eq!(names, ["day", "month", "total", "event:wed"]);
    for nth in [0, 3] {
        let figures = ["spent", "ambiguous", "reserved"].map(|it| &all[nth][it]["nano_usd"]);
        assert_eq!(figures, [CENT, 3 * CENT, 5 * CENT].map(Value::from).each_ref(), "{all}");
    }
    // The day is lifted by the settings, and counts.
    assert_eq!((&all[0]["limit"], &all[0]["left"]), (&Value::Null, &Value::Null));
    assert_eq!(all[3]["left"]["nano_usd"], 500 * CENT - 4 * CENT);
    let text = books.said(&["budget", "show", "event:wed"]);
    for line in [
        "limit       $5.00, by the settings",
        "spent       $0.010000000",
        "in flight   $0.050000000",
        "in doubt    $0.030000000",
        "left        $4.960000000",
    ] {
        assert!(text.contains(line), "no {line:?} in:\n{text}");
    }
}

async fn a_limit_is_turned_at_run_time_and_back(books: &Books) {
    let said = books.said(&["budget", "set", "event:wed", "0", "--by", "Ben"]);
    assert!(said.starts_with("event:wed admits nothing from now on"), "{said}");
    assert!(said.contains("$0.00, it admits nothing, set by Ben at "), "{said}");
    let refused = books.ask(1).await;
    assert!(matches!(refused, Admission::OverBudget { .. }), "{refused:?}");
    assert!(books.said(&["check"]).contains("budget event:ID: $5.00, by the settings; hard"));
    books.said(&["budget", "set", "event:wed", "none"]);
    books.admit(600 * CENT).await;
    let shown = &books.json(&["budget", "show", "event:wed"])[0];
    assert_eq!((&shown["limit"], &shown["set_by"]), (&Value::Null, &"ana".into()));
    assert_eq!(shown["limit_in_settings"]["usd"], "5.000000000");
    books.said(&["budget", "set", "event:wed", "default"]);
    let shown = &books.json(&["budget", "show", "event:wed"])[0];
    assert_eq!((&shown["limit_from"], &shown["set_by"]), (&"settings".into(), &Value::Null));
    let ended = books.run(&["budget", "set", "event:offsite", "2.50"]);
    let note = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success() && note.contains("no message of the event offsite"), "{note}");
}

async fn who_waits_for_the_next_day_is_told_apart(books: &Books) {
    books.said(&["budget", "set", "day", "0"]);
    let refused = books.ask(CENT).await;
    assert!(matches!(refused, Admission::BudgetSpent { .. }), "{refused:?}");
    for shown in [books.json(&["budget", "show"]), books.json(&["budget", "show", "day"])] {
        let waiting = (&shown[0]["waiting"], &shown[0]["waiting_for_next"]);
        assert_eq!(waiting, (&0.into(), &1.into()), "{shown}");
    }
    let text = books.said(&["budget", "show", "day"]);
    assert!(text.contains("waiting     1 for the next window\n"), "{text}");
}

async fn check_names_the_row_that_breaks_the_balance(books: &Books) {
    let lost = books.charged(2 * CENT, CENT + 7).await;
    books.charged(2 * CENT, CENT).await;
    assert!(books.said(&["check", "--ledger"]).contains("ledger: it balances at $0.020000007"));
    let forget = format!(
        "update scopes set charged = charged - {} where key = 'budget:event:wed'",
        CENT + 7
    );
    books.tamper(&forget).await;
    let ended = books.run(&["check", "--ledger"]);
    let said = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    for part in [
        "FAILED  ledger: it does not balance: budget:event:wed counts $0.010000000",
        "its rows sum to $0.020000007, a difference of $0.010000007",
        &format!("look at the ledger row {lost}"),
    ] {
        assert!(said.contains(part), "no {part:?} in:\n{said}");
    }
}

async fn the_port_shows_budgets_and_ledger_to_those_who_have_the_token(books: &Books) {
    let doubt = books.in_doubt(3 * CENT).await;
    books.charged(2 * CENT, CENT).await;
    let mut daemon = Daemon::start(&environment(&books.url));
    daemon.wait_for_line("started");
    let ask = async |path: &str, headers: &str| {
        let what = format!("GET {path}");
        let (status, body) = http::request(daemon.address(), &what, headers, "").await;
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    for path in ["/api/budgets", "/api/ledger"] {
        assert_eq!(ask(path, "").await.0, 401);
    }
    let (status, shown) = ask("/api/budgets", AUTHORIZED).await;
    assert_eq!((status, &shown["budgets"]), (200, &books.json(&["budget", "show"])));
    let (status, shown) = ask("/api/ledger?state=ambiguous&event=wed", AUTHORIZED).await;
    assert_eq!((status, shown["ledger"].as_array().unwrap().len()), (200, 1), "{shown}");
    assert_eq!(shown["ledger"][0]["id"], doubt.to_string());
    assert_eq!(ask("/api/ledger?limit=1", AUTHORIZED).await.1["ledger"][1], Value::Null);
    let (status, shown) = ask("/api/ledger?state=paid", AUTHORIZED).await;
    let said = shown["error"].as_str().unwrap();
    assert!(status == 400 && said.contains("reserved, charged, refunded, ambiguous and carried"));
    assert_eq!(ask("/api/ledger?stat=charged", AUTHORIZED).await.0, 400);
}
