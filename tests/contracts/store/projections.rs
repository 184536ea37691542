//! Projections: the fold of what is recorded, whatever the order of work.

use std::sync::Arc;

use gleaner::domain::enrichment::{Contribution, ExpenseStatus};
use gleaner::domain::intent::{FollowUpKind, Target};
use gleaner::domain::outcome::Reason;
use gleaner::domain::projection::{Entry, Projections, TaskStatus, fold};
use gleaner::store::{IngestBatch, Store as _};
use tokio::task::JoinSet;

use super::harness::{Harness, done};
use super::samples::{
    answer, at, completed, event, expense, failed, follow_up, item, message, poll, skipped, task,
    told,
};

promises! {
    the_rows_are_the_fold_in_whatever_order_messages_are_recorded,
    the_rows_are_the_fold_when_messages_are_recorded_at_once,
    rows_of_the_same_instant_stand_in_the_order_of_their_messages,
    the_rows_before_a_message_are_the_fold_of_what_was_said_before_it,
    a_higher_revision_replaces_what_an_earlier_one_gave,
    a_higher_revision_that_gives_nothing_takes_back_what_an_earlier_one_gave,
    a_failed_revision_takes_back_what_an_earlier_one_gave,
    an_answer_to_a_question_changes_no_row,
    events_do_not_share_rows,
}

/// A chat in which later messages change what earlier ones opened.
fn script() -> Vec<(&'static str, i64, &'static str, Contribution)> {
    let about = |thing: &str| Target { thing: Some(thing.to_owned()), ..Target::default() };
    let was = |minor| Target { minor: Some(minor), ..Target::default() };
    let mut corrected = expense("dj", 46_000, "Ben", ExpenseStatus::Paid);
    corrected.follow_up = follow_up(FollowUpKind::Correction, was(45_000)).follow_up;
    let repaid = Target { minor: Some(4_000), person: Some("Ann".to_owned()), ..Target::default() };
    vec![
        ("a", 1, "Ann", task("dj")),
        ("b", 2, "Ben", expense("dj deposit", 10_000, "Ben", ExpenseStatus::Due)),
        ("c", 3, "Cai", poll(["Saturday", "Sunday"])),
        ("d", 4, "Ben", expense("dj deposit", 10_000, "Ben", ExpenseStatus::Paid)),
        ("e", 5, "Ann", follow_up(FollowUpKind::Vote, about("Sunday"))),
        ("f", 6, "Ben", expense("dj", 45_000, "Ben", ExpenseStatus::Paid)),
        ("g", 7, "Ben", corrected),
        ("h", 8, "Ben", follow_up(FollowUpKind::Vote, about("Saturday"))),
        ("i", 9, "Ann", follow_up(FollowUpKind::Completion, about("dj"))),
        ("j", 10, "Cai", follow_up(FollowUpKind::Repayment, repaid)),
        ("k", 11, "Ben", follow_up(FollowUpKind::Vote, about("Sunday"))),
        ("l", 12, "Cai", task("cake")),
        ("m", 13, "Cai", follow_up(FollowUpKind::Cancellation, about("cake"))),
        ("n", 14, "Ann", answer("46,000 so far")),
    ]
}

fn batch() -> IngestBatch {
    let messages = script().into_iter().map(|(id, minutes, who, _)| message(id, minutes, who));
    IngestBatch { event: event(), messages: messages.collect() }
}

fn expected(until: usize) -> Projections {
    let entries = script().into_iter().take(until).map(|(id, minutes, who, contribution)| {
        let message = message(id, minutes, who);
        Entry {
            message: message.id,
            sent_at: message.sent_at,
            sender: message.sender,
            contribution,
        }
    });
    fold(&event(), entries.collect())
}

async fn rows(h: &impl Harness) -> Projections {
    h.store().projections(&event(), None).await.unwrap()
}

async fn give(h: &impl Harness, name: &str, contribution: Contribution) {
    let claim = h.claim(&item(name)).await;
    let record = completed(&claim, contribution);
    done(h.store().record(&claim.held, &record).await.unwrap());
    h.store().confirm(&item(name), told(&record).id).await.unwrap();
}

async fn the_rows_are_the_fold_in_whatever_order_messages_are_recorded(h: &impl Harness) {
    let count = script().len();
    // Each round is an event of its own with the same chat; strides prime to the
    // length visit every message in another order.
    for (round, stride) in [1, 3, 5, 9, 11, 13].into_iter().enumerate() {
        let mut all = batch();
        all.event.id = gleaner::domain::ids::EventId::parse(&format!("event{round}")).unwrap();
        let name = |id: &str| format!("{round}{id}");
        for message in &mut all.messages {
            message.id = super::samples::message_id(&name(message.id.as_str()));
            message.room = gleaner::domain::ids::RoomId::parse(&format!("room{round}")).unwrap();
        }
        h.ingest(&all).await;
        let mut entries = Vec::new();
        for step in 0..count {
            let (id, minutes, who, contribution) = script().swap_remove(step * stride % count);
            give(h, &name(id), contribution.clone()).await;
            let message = message(&name(id), minutes, who);
            let (sent_at, sender) = (message.sent_at, message.sender);
            entries.push(Entry { message: message.id, sent_at, sender, contribution });
            let found = h.store().projections(&all.event, None).await.unwrap();
            assert_eq!(found, fold(&all.event, entries.clone()), "stride {stride}, step {step}");
        }
    }
}

async fn the_rows_are_the_fold_when_messages_are_recorded_at_once<H: Harness>(h: &H) {
    h.ingest(&batch()).await;
    let mut recording = JoinSet::new();
    for (id, _, _, contribution) in script() {
        let store = Arc::clone(h.store());
        let claim = h.claim(&item(id)).await;
        recording.spawn(async move {
            done(store.record(&claim.held, &completed(&claim, contribution)).await.unwrap());
        });
    }
    recording.join_all().await;
    assert_eq!(rows(h).await, expected(script().len()));
}

async fn rows_of_the_same_instant_stand_in_the_order_of_their_messages(h: &impl Harness) {
    let names = ["z", "y", "x", "B", "a"];
    let messages = names.map(|name| message(name, 1, "Ann")).to_vec();
    h.ingest(&IngestBatch { event: event(), messages }).await;
    for name in names {
        give(h, name, task(&format!("thing {name}"))).await;
    }
    let found: Vec<_> = rows(h).await.tasks.into_iter().map(|task| task.object).collect();
    assert_eq!(found, ["thing B", "thing a", "thing x", "thing y", "thing z"]);
}

async fn the_rows_before_a_message_are_the_fold_of_what_was_said_before_it(h: &impl Harness) {
    h.ingest(&batch()).await;
    for (id, _, _, contribution) in script() {
        give(h, id, contribution).await;
    }
    for (place, (id, minutes, _, _)) in script().into_iter().enumerate() {
        let before = (at(minutes), message(id, minutes, "Ann").id);
        let found = h.store().projections(&event(), Some(&before)).await.unwrap();
        assert_eq!(found, expected(place), "before {id}");
    }
}

async fn a_higher_revision_replaces_what_an_earlier_one_gave(h: &impl Harness) {
    h.ingest(&batch()).await;
    give(h, "a", task("dj")).await;
    let opened = rows(h).await.tasks;
    h.edit("a").await;
    give(h, "a", task("band")).await;
    let replaced = rows(h).await;
    assert_eq!((replaced.tasks.len(), replaced.sources.len()), (1, 1));
    assert_eq!(replaced.tasks[0].object, "band");
    assert_eq!(replaced.tasks[0].id, opened[0].id);
}

async fn a_higher_revision_that_gives_nothing_takes_back_what_an_earlier_one_gave(
    h: &impl Harness,
) {
    h.ingest(&batch()).await;
    give(h, "a", task("dj")).await;
    give(h, "i", script().swap_remove(8).3).await;
    assert_eq!(rows(h).await.tasks[0].status, TaskStatus::Done);
    h.edit("a").await;
    let claim = h.claim(&item("a")).await;
    done(h.store().record(&claim.held, &skipped(&claim)).await.unwrap());
    assert_eq!(rows(h).await, Projections::default());
}

async fn a_failed_revision_takes_back_what_an_earlier_one_gave(h: &impl Harness) {
    h.ingest(&batch()).await;
    give(h, "a", task("dj")).await;
    h.edit("a").await;
    let claim = h.claim(&item("a")).await;
    let record = failed(&claim, Reason::AnswerInvalid);
    done(h.store().record(&claim.held, &record).await.unwrap());
    assert_eq!(rows(h).await, Projections::default());
}

async fn an_answer_to_a_question_changes_no_row(h: &impl Harness) {
    h.ingest(&batch()).await;
    give(h, "a", task("dj")).await;
    let before = rows(h).await;
    give(h, "n", answer("one task")).await;
    assert_eq!(rows(h).await, before);
}

async fn events_do_not_share_rows(h: &impl Harness) {
    h.ingest(&batch()).await;
    give(h, "a", task("dj")).await;
    let mut other = event();
    other.id = gleaner::domain::ids::EventId::parse("another").unwrap();
    let found = h.store().projections(&other, None).await.unwrap();
    assert_eq!(found, Projections::default());
}
