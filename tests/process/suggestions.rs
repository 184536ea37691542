//! Suggestions, read and dismissed on the command line and over the port.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use gleaner::broker::envelope::{RunFacts, suggestions_created};
use gleaner::domain::enrichment::{Contribution, Enrichment, PollEnrichment};
use gleaner::domain::ids::ItemId;
use gleaner::domain::outcome::Outcome;
use gleaner::domain::suggestion::Suggestion;
use gleaner::domain::usage::{NanoUsd, Usage};
use gleaner::settings;
use gleaner::store::{
    Claim, Claimed, Due, Fenced, News, Record, Recorded, RunRecord, Store, SuggestAfter,
};
use serde_json::Value;

use crate::support::daemon::{Daemon, gleaner};
use crate::support::http;
use crate::support::world::wedding;

const MINUTE: Duration = Duration::from_secs(60);
const AUTHORIZED: &str = "authorization: Bearer t0ken\r\n";

fn environment(folder: &Path) -> Vec<(String, String)> {
    let url = format!("sqlite:{}", folder.join("gleaner.db").display());
    [("DATABASE_URL", url.as_str()), ("GLEANER__HTTP__TOKEN", "t0ken")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

async fn claim(store: &dyn Store, item: &ItemId) -> Claim {
    match store.claim(item, MINUTE).await.unwrap() {
        Claimed::Held(claim) => *claim,
        other @ (Claimed::Settled { .. } | Claimed::NotNow) => panic!("not held but {other:?}"),
    }
}

async fn record(store: &dyn Store, claim: &Claim, record: Record) -> Recorded {
    match store.record(&claim.held, &record).await.unwrap() {
        Fenced::Done(recorded) => recorded,
        Fenced::Lost => panic!("the lease was lost"),
    }
}

/// What ends a claim and owes nothing.
fn end(claim: &Claim) -> Record {
    Record {
        outcome: Outcome::Completed,
        reason: None,
        detail: None,
        message: claim.message.clone(),
        event: claim.event.clone(),
        detection: None,
        answered: None,
        contribution: Contribution::default(),
        metric: None,
        cache: None,
        completion: None,
        suggest: None,
        run: None,
    }
}

/// An event that changed once, and what its run suggested.
async fn suggest(folder: &Path, titles: &[&str]) -> Recorded {
    let settings = settings::load(None, &environment(folder)).unwrap();
    let store = gleaner::store::open(&settings.database).await.unwrap();
    store.migrate().await.unwrap();
    store.ingest(&wedding("wed", &["Band or DJ?"])).await.unwrap();
    let message = claim(store.as_ref(), &ItemId::parse("wed-0").unwrap()).await;
    let options = ["Band", "DJ"].map(str::to_owned).to_vec();
    let poll =
        PollEnrichment { question: "Band or DJ?".to_owned(), options, ..PollEnrichment::default() };
    let contribution = Contribution { enrichment: Some(Enrichment::Poll(poll)), follow_up: None };
    let at_once = Some(SuggestAfter { every: MINUTE, quiet: Duration::ZERO });
    record(store.as_ref(), &message, Record { contribution, suggest: at_once, ..end(&message) })
        .await;
    let due = store.tick(9, MINUTE, true).await.unwrap();
    let [Due::Hint(run)] = &due[..] else { panic!("not one run but {due:?}") };
    let run = claim(store.as_ref(), run).await;
    let ended = Record { run: Some(run_record(&run, titles)), ..end(&run) };
    let recorded = record(store.as_ref(), &run, ended).await;
    store.close().await;
    recorded
}

fn run_record(run: &Claim, titles: &[&str]) -> RunRecord {
    let event = run.event.as_ref().unwrap().id.clone();
    let facts = RunFacts {
        item: run.held.item.clone(),
        lease: run.held.lease,
        event: event.clone(),
        model: None,
        usage: Usage::default(),
        cost: NanoUsd::ZERO,
        cached: false,
        latency: Duration::ZERO,
        time: "2027-01-05T11:00:00Z".parse().unwrap(),
    };
    let suggestion = |title: &&str| Suggestion {
        id: Suggestion::id_of(&event, "book", title),
        title: (*title).to_owned(),
        object: "florist".to_owned(),
        action: "book".to_owned(),
        reason: "Most weddings have one by now".to_owned(),
        due: None,
    };
    let suggestions = titles.iter().map(suggestion).collect();
    let news = News::new(move |new| suggestions_created("/gleaner", &facts, new));
    RunRecord { suggestions, model: None, news }
}

fn suggestions(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = gleaner();
    command.arg("suggestions").args(arguments).envs(environment(folder)).env("USER", "ana");
    command.output().unwrap()
}

fn listed(folder: &Path) -> Value {
    let ended = suggestions(folder, &["--event", "wed", "--json"]);
    assert!(ended.status.success(), "{ended:?}");
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[tokio::test]
async fn what_a_run_suggests_is_told_listed_and_dismissed_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let recorded = suggest(folder.path(), &["Book a florist", "Book a band"]).await;
    let news: Value = serde_json::from_slice(&recorded.news.unwrap().body).unwrap();
    assert_eq!(news["data"]["suggestions"][1]["title"], "Book a band");
    let rows = listed(folder.path());
    assert_eq!((&rows[0]["title"], &rows[0]["status"]), (&"Book a florist".into(), &"open".into()));
    let people = suggestions(folder.path(), &[]);
    let text = String::from_utf8(people.stdout).unwrap();
    assert!(text.starts_with("wed\n") && text.contains("2 open, 0 dismissed"), "{text}");
    let id = rows[0]["id"].as_str().unwrap();
    for _ in 0..2 {
        let ended = suggestions(folder.path(), &["dismiss", id]);
        assert!(ended.status.success(), "{ended:?}");
    }
    let rows = listed(folder.path());
    assert_eq!(
        (&rows[0]["status"], &rows[0]["dismissed_by"]),
        (&"dismissed".into(), &"ana".into())
    );
    assert_eq!(rows[1]["status"], "open");
}

#[tokio::test]
async fn an_unknown_suggestion_is_refused_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    suggest(folder.path(), &["Book a florist"]).await;
    let id = "00000000-0000-0000-0000-000000000000";
    let ended = suggestions(folder.path(), &["dismiss", id]);
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains(&format!("no suggestion has the ID {id}")), "{said}");
    assert_eq!(suggestions(folder.path(), &["dismiss", "florist"]).status.code(), Some(2));
}

#[tokio::test]
async fn the_port_lists_and_dismisses_suggestions_for_those_who_have_the_token() {
    let folder = tempfile::tempdir().unwrap();
    suggest(folder.path(), &["Book a florist"]).await;
    let mut daemon = Daemon::start(&environment(folder.path()));
    daemon.wait_for_line("started");
    let ask = async |what: &str, headers: &str, body: &str| {
        let (status, body) = http::request(daemon.address(), what, headers, body).await;
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    let list = "GET /api/events/wed/suggestions";
    assert_eq!(ask(list, "", "").await.0, 401);
    let (status, shown) = ask(list, AUTHORIZED, "").await;
    assert_eq!((status, &shown["suggestions"][0]["status"]), (200, &"open".into()), "{shown}");
    let id = shown["suggestions"][0]["id"].as_str().unwrap();
    let dismiss = format!("POST /api/suggestions/{id}/dismiss");
    assert_eq!(ask(&dismiss, "", "").await.0, 401);
    assert_eq!(ask(&dismiss, AUTHORIZED, "Ann").await.0, 400);
    assert_eq!(ask(&dismiss, AUTHORIZED, r#"{"by": "Ann"}"#).await.0, 200);
    let (_, shown) = ask(list, AUTHORIZED, "").await;
    let row = &shown["suggestions"][0];
    assert_eq!((&row["status"], &row["dismissed_by"]), (&"dismissed".into(), &"Ann".into()));
    let unknown = "POST /api/suggestions/00000000-0000-0000-0000-000000000000/dismiss";
    assert_eq!(ask(unknown, AUTHORIZED, "").await.0, 404);
    assert_eq!(ask("POST /api/suggestions/florist/dismiss", AUTHORIZED, "").await.0, 400);
}
