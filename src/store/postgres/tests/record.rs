//! Record: rows of the group, metrics and rollups, the cache, what is owed.

use std::time::Duration;

use serde_json::json;
use sqlx::Executor;

use super::super::PostgresStore;
use super::super::testing::{
    Database, LEASE, claim, event, ingest, item, message, record, request, told,
};
use crate::domain::enrichment::{
    AnswerEnrichment, Contribution, Enrichment, ExpenseBase, ExpenseEnrichment, ExpenseStatus,
    PollEnrichment, TaskBase, TaskEnrichment,
};
use crate::domain::ids::PersonId;
use crate::domain::intent::{FollowUp, FollowUpKind, Intent, QueryEntities, Target};
use crate::domain::money::{Currency, split_equally};
use crate::domain::outcome::Outcome;
use crate::domain::projection::TaskStatus;
use crate::domain::usage::{NanoUsd, Usage};
use crate::store::{
    Admission, Answered, CacheLookup, CacheWrite, Charge, Due, Fenced, Metric, Record, Spent, Store,
};

fn task(object: &str) -> Contribution {
    let base = TaskBase {
        category: "music".into(),
        checklist: vec!["ask \0 three".into()],
        questions: vec![],
        lead_time_days: 90,
        budget_share_low: 2.5,
        budget_share_high: 8.0,
    };
    let task = TaskEnrichment {
        title: format!("Book the {object}"),
        object: object.into(),
        action: "book".into(),
        assignee: None,
        due_said: Some("by Friday".into()),
        due: Some(jiff::civil::date(2027, 3, 1)),
        base,
        cost_range: Some((1, 2)),
        vendors: vec![],
        concerns: vec![],
    };
    Contribution { enrichment: Some(Enrichment::Task(task)), follow_up: None }
}

fn expense(minor: i64) -> Contribution {
    let expense = ExpenseEnrichment {
        what: "the venue deposit".into(),
        minor,
        currency: Currency::parse("GBP").unwrap(),
        category: "venue".into(),
        paid_by: Some(PersonId("ana".into())),
        split_between: None,
        shares: split_equally(minor, &event().people()),
        status: ExpenseStatus::Paid,
        budget_share: Some(3.3),
        base: ExpenseBase { category: "venue".into(), typical_share: 30.0, advice: vec![] },
        warning: None,
        splits: vec![],
        budget_use: vec![],
        transfers: vec![],
    };
    Contribution { enrichment: Some(Enrichment::Expense(expense)), follow_up: None }
}

fn poll() -> Contribution {
    let poll = PollEnrichment {
        question: "saturday or sunday?".into(),
        options: vec!["saturday".into(), "sunday".into()],
        ..PollEnrichment::default()
    };
    Contribution { enrichment: Some(Enrichment::Poll(poll)), follow_up: None }
}

fn follow_up(kind: FollowUpKind, target: Target) -> Contribution {
    Contribution { enrichment: None, follow_up: Some(FollowUp { kind, target }) }
}

fn thing(thing: &str) -> Target {
    Target { thing: Some(thing.into()), ..Target::default() }
}

fn contributions() -> Vec<Contribution> {
    let repaid = Target { minor: Some(500), person: Some("BEN".into()), thing: None };
    vec![
        task("dj"),
        expense(45_000),
        poll(),
        follow_up(FollowUpKind::Vote, thing("sunday")),
        follow_up(FollowUpKind::Repayment, repaid),
        follow_up(FollowUpKind::Cancellation, thing("dj")),
    ]
}

async fn settle(store: &PostgresStore, n: u32, contribution: Contribution) -> Record {
    let claim = claim(store, &item(n), LEASE).await;
    let record = record(&claim, Outcome::Completed, contribution);
    assert!(matches!(store.record(&claim.held, &record).await.unwrap(), Fenced::Done(_)));
    store.confirm(&claim.held.item, told(&record).id).await.unwrap();
    record
}

#[tokio::test]
async fn the_order_in_which_messages_are_settled_never_shows_in_the_rows() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..6).await;
    for (n, contribution) in (0..6).zip(contributions()).rev() {
        settle(&store, n, contribution).await;
    }
    let stored = store.projections(&event(), None).await.unwrap();
    let end = (message(6).sent_at, message(6).id);
    let folded = store.projections(&event(), Some(&end)).await.unwrap();
    assert_eq!(stored, folded);
    assert_eq!(stored.tasks[0].status, TaskStatus::Cancelled);
    assert_eq!(stored.polls[0].result(), Some("sunday"));
    assert_eq!((stored.expenses.len(), stored.repayments.len(), stored.sources.len()), (1, 1, 6));

    let start = (message(5).sent_at, message(5).id);
    let before = store.projections(&event(), Some(&start)).await.unwrap();
    assert_eq!(before.tasks[0].status, TaskStatus::Open);
    database.drop(store).await;
}

#[tokio::test]
async fn messages_of_an_event_settled_at_the_same_time_all_have_their_rows() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..24).await;
    let settling = (0..24).map(|n| settle(&store, n, task(&format!("thing{n}"))));
    futures::future::join_all(settling).await;
    let rows = store.projections(&event(), None).await.unwrap();
    assert_eq!((rows.tasks.len(), rows.sources.len()), (24, 24));
    let opened: Vec<_> = rows.tasks.iter().map(|task| task.opened_at).collect();
    assert!(opened.is_sorted());
    database.drop(store).await;
}

#[tokio::test]
async fn a_revision_that_says_nothing_takes_back_what_an_earlier_one_said() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..2).await;
    settle(&store, 0, task("dj")).await;
    settle(&store, 1, expense(45_000)).await;
    let edit = "update gleaner.messages set revision = 2 where id = 'm0'";
    database.application().await.execute(edit).await.unwrap();
    settle(&store, 0, Contribution::default()).await;
    let rows = store.projections(&event(), None).await.unwrap();
    assert_eq!((rows.tasks.len(), rows.expenses.len(), rows.sources.len()), (0, 1, 1));
    database.drop(store).await;
}

#[tokio::test]
async fn a_metric_and_its_rollup_are_summed_from_the_ledger() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..2).await;
    for n in 0..2 {
        let claim = claim(&store, &item(n), LEASE).await;
        let admission = store.admit(&claim.held, &request(20, 1_000)).await.unwrap();
        let Admission::Admitted { ledger } = admission else { panic!("{admission:?}") };
        let usage = Usage { input: 100, cache_read: 11, ..Usage::default() };
        let bill = Charge { usage, cost: Some(NanoUsd(7)), model: "m".into(), answer: None };
        store.charge(ledger, &bill).await.unwrap();
        let mut record = record(&claim, Outcome::Completed, task("dj"));
        record.metric = Some(Metric {
            intent: Intent::TaskCreation,
            agent: Some("task_enricher"),
            model: Some("m".into()),
            cached: n == 1,
            latency: Duration::from_millis(120),
            spent: Spent::default(),
            avoided_usage: Usage::default(),
            avoided_cost: NanoUsd(i64::from(n) * 3),
        });
        assert!(matches!(store.record(&claim.held, &record).await.unwrap(), Fenced::Done(_)));
    }
    let rolled: (i64, i64, i64, i64, i64, i64) = sqlx::query_as(
        "select sum(items)::bigint, sum(asked)::bigint, sum(calls)::bigint, sum(tokens)::bigint,
            sum(cost)::bigint, sum((histogram ->> latency_bucket(120000)::text)::bigint)::bigint
        from metric_rollups where tenant = 'acme'",
    )
    .fetch_one(&store.pool)
    .await
    .unwrap();
    assert_eq!(rolled, (2, 1, 2, 222, 14, 2));
    let report = store.event_report(&event().id).await.unwrap().unwrap();
    assert_eq!((report.spent.calls, report.spent.cost, report.cache_hits), (2, NanoUsd(14), 1));
    assert_eq!(report.avoided_cost, NanoUsd(3));
    database.drop(store).await;
}

#[tokio::test]
async fn an_answer_is_cached_with_the_record_and_its_question_reported() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..2).await;
    let asked = claim(&store, &item(0), LEASE).await;
    let key = "query:wedding";
    let lookup = store.cached_or_flight(&asked.held, key).await.unwrap();
    assert_eq!(lookup, CacheLookup::Leader);
    let query = QueryEntities { topic: "spending".into(), subject: None };
    let answer = AnswerEnrichment { query, answer: "£450".into(), sources: vec![] };
    let mut record = record(&asked, Outcome::Completed, Contribution::default());
    record.answered = Some(Answered {
        agent: Some("query_answerer"),
        model: Some("m".into()),
        level: Some("full"),
        cached: false,
        enrichment: Some(Enrichment::Answer(answer)),
    });
    record.cache = Some(CacheWrite {
        key: key.into(),
        event: Some(event().id),
        answer: json!({"text": "£450 \0"}),
        model: "m".into(),
        usage: Usage { input: 9, ..Usage::default() },
        cost: NanoUsd(5),
        ttl: LEASE,
    });
    assert!(matches!(store.record(&asked.held, &record).await.unwrap(), Fenced::Done(_)));

    let other = claim(&store, &item(1), LEASE).await;
    let CacheLookup::Hit(entry) = store.cached_or_flight(&other.held, key).await.unwrap() else {
        panic!("not cached");
    };
    assert_eq!((entry.usage.input, entry.cost), (9, NanoUsd(5)));
    assert!(entry.remaining <= LEASE && entry.remaining > LEASE / 2);
    let report = store.event_report(&event().id).await.unwrap().unwrap();
    assert_eq!(report.answers.len(), 1);
    assert_eq!(report.answers[0].answer, "£450");
    assert_eq!(report.by_intent, [(Intent::None, 1)]);
    database.drop(store).await;
}

#[tokio::test]
async fn a_completion_event_is_owed_until_it_is_confirmed() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..1).await;
    let claimed = claim(&store, &item(0), LEASE).await;
    assert!(!store.was_recorded(&claimed.held).await.unwrap());
    let written = record(&claimed, Outcome::Skipped, Contribution::default());
    assert!(matches!(store.record(&claimed.held, &written).await.unwrap(), Fenced::Done(_)));
    assert!(store.was_recorded(&claimed.held).await.unwrap());
    assert_eq!(store.record(&claimed.held, &written).await.unwrap(), Fenced::Lost);
    let due = "update queue_items set look_at = now()";
    sqlx::query(due).execute(&store.pool).await.unwrap();
    let owed = store.tick(5, LEASE, false).await.unwrap();
    assert!(matches!(&owed[..], [Due::Owed(owed)] if owed.completion == told(&written)));
    assert_eq!(store.queue().await.unwrap().owed, 1);
    store.confirm(&item(0), told(&written).id).await.unwrap();
    assert_eq!(store.queue().await.unwrap().owed, 0);
    let nothing: Option<bool> = sqlx::query_scalar("select look_at is not null from queue_items")
        .fetch_one(&store.pool)
        .await
        .unwrap();
    assert_eq!(nothing, Some(false));
    assert_eq!(store.progress(&event().id).await.unwrap().settled, 1);
    database.drop(store).await;
}
