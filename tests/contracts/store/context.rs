//! What an event knew just before a message.

use gleaner::domain::chat::{Message, Vendor};
use gleaner::domain::enrichment::{Contribution, ExpenseStatus};
use gleaner::domain::ids::RoomId;
use gleaner::domain::intent::{FollowUpKind, Target};
use gleaner::domain::outcome::ParkReason;
use gleaner::domain::projection::TaskStatus;
use gleaner::fault::Park;
use gleaner::store::{ContextQuery, ContextRows, IngestBatch, Store as _};

use super::harness::{Harness, LONG, done};
use super::on_postgres::OnPostgres;
use super::samples::{
    at, chat, completed, event, expense, follow_up, item, message, message_id, park, skipped, task,
};

promises! {
    a_limit_keeps_the_newest_messages_oldest_first,
    neither_the_message_nor_what_came_after_it_is_part_of_its_past,
    messages_of_the_same_instant_are_told_apart_by_their_ids,
    messages_of_all_the_events_rooms_are_found_and_no_others,
    a_deleted_message_is_left_out,
    the_newest_of_all_rooms_together_are_kept,
    an_edited_message_contributes_its_latest_revision_alone,
    tasks_and_expenses_opened_before_are_found_newest_kept,
    what_was_done_after_a_message_is_not_known_to_it,
    what_is_neither_settled_nor_parked_before_a_message_is_counted,
    the_best_vendors_come_first,
}

fn query(before: &Message, messages: u32, tasks: u32, expenses: u32) -> ContextQuery {
    let before = (before.sent_at, before.id.clone());
    ContextQuery { event: event(), before, messages, tasks, expenses }
}

async fn past(h: &impl Harness, before: &Message, messages: u32) -> Vec<String> {
    let rows = h.store().context(&query(before, messages, 0, 0)).await.unwrap();
    rows.messages.into_iter().map(|message| message.id.to_string()).collect()
}

async fn give(h: &impl Harness, name: &str, contribution: Contribution) {
    let claim = h.claim(&item(name)).await;
    done(h.store().record(&claim.held, &completed(&claim, contribution)).await.unwrap());
}

async fn a_limit_keeps_the_newest_messages_oldest_first(h: &impl Harness) {
    let batch = chat(6);
    h.ingest(&batch).await;
    assert_eq!(past(h, &batch.messages[5], 3).await, ["m3", "m4", "m5"]);
    let rows = h.store().context(&query(&batch.messages[5], 3, 0, 0)).await.unwrap();
    assert_eq!(rows.messages, batch.messages[2..5]);
    let none = h.store().context(&query(&batch.messages[5], 0, 0, 0)).await.unwrap();
    assert_eq!(none, ContextRows::default());
}

async fn neither_the_message_nor_what_came_after_it_is_part_of_its_past(h: &impl Harness) {
    let batch = chat(6);
    h.ingest(&batch).await;
    assert_eq!(past(h, &batch.messages[2], 50).await, ["m1", "m2"]);
    assert!(past(h, &batch.messages[0], 50).await.is_empty());
}

async fn messages_of_the_same_instant_are_told_apart_by_their_ids(h: &impl Harness) {
    let messages = ["c", "B", "a", "b"].map(|id| message(id, 1, "Ann")).to_vec();
    h.ingest(&IngestBatch { event: event(), messages }).await;
    assert_eq!(past(h, &message("b", 1, "Ann"), 50).await, ["B", "a"]);
}

async fn messages_of_all_the_events_rooms_are_found_and_no_others(h: &impl Harness) {
    let mut batch = chat(4);
    batch.messages[1].room = RoomId::parse("kitchen").unwrap();
    h.ingest(&batch).await;
    let mut other = event();
    other.id = gleaner::domain::ids::EventId::parse("another").unwrap();
    let mut stranger = message("x", 1, "Zed");
    stranger.room = RoomId::parse("elsewhere").unwrap();
    h.ingest(&IngestBatch { event: other, messages: vec![stranger] }).await;
    assert_eq!(past(h, &batch.messages[3], 50).await, ["m1", "m2", "m3"]);
}

async fn a_deleted_message_is_left_out(h: &impl Harness) {
    let batch = chat(4);
    h.ingest(&batch).await;
    h.produce("update messages set deleted_at = sent_at where id = $1", &["m2"]).await;
    assert_eq!(past(h, &batch.messages[3], 2).await, ["m1", "m3"]);
}

async fn the_newest_of_all_rooms_together_are_kept(h: &impl Harness) {
    let mut batch = chat(9);
    for place in [0, 1, 2, 6] {
        batch.messages[place].room = RoomId::parse("kitchen").unwrap();
    }
    h.ingest(&batch).await;
    assert_eq!(past(h, &batch.messages[8], 4).await, ["m5", "m6", "m7", "m8"]);
    assert_eq!(past(h, &batch.messages[6], 50).await, ["m1", "m2", "m3", "m4", "m5", "m6"]);
}

async fn an_edited_message_contributes_its_latest_revision_alone(h: &impl Harness) {
    let batch = chat(3);
    h.ingest(&batch).await;
    let claim = h.claim(&item("m1")).await;
    let record = completed(&claim, task("dj"));
    done(h.store().record(&claim.held, &record).await.unwrap());
    h.store().confirm(&item("m1"), record.completion.unwrap().id).await.unwrap();
    h.edit("m1").await;
    give(h, "m1", task("band")).await;
    let rows = h.store().context(&query(&batch.messages[2], 5, 5, 5)).await.unwrap();
    let objects: Vec<_> = rows.tasks.iter().map(|task| task.object.as_str()).collect();
    assert_eq!((objects, rows.messages.len()), (vec!["band"], 2));
}

async fn tasks_and_expenses_opened_before_are_found_newest_kept(h: &impl Harness) {
    let batch = chat(7);
    h.ingest(&batch).await;
    for (name, object) in [("m1", "dj"), ("m3", "cake"), ("m5", "venue")] {
        give(h, name, task(object)).await;
    }
    for (name, what) in [("m2", "flowers"), ("m4", "shoes"), ("m6", "rings")] {
        let minor = what.len() as i64;
        give(h, name, expense(what, minor, "Ann", ExpenseStatus::Paid)).await;
    }
    let rows = h.store().context(&query(&batch.messages[4], 0, 1, 5)).await.unwrap();
    let tasks: Vec<_> = rows.tasks.iter().map(|task| task.object.as_str()).collect();
    let expenses: Vec<_> = rows.expenses.iter().map(|expense| expense.what.as_str()).collect();
    assert_eq!((tasks, expenses), (vec!["cake"], vec!["flowers", "shoes"]));
    assert_eq!(rows.tasks[0].opened_at, at(3));
}

async fn what_was_done_after_a_message_is_not_known_to_it(h: &impl Harness) {
    let batch = chat(4);
    h.ingest(&batch).await;
    give(h, "m1", task("dj")).await;
    let about = Target { thing: Some("dj".to_owned()), ..Target::default() };
    give(h, "m3", follow_up(FollowUpKind::Completion, about)).await;
    for (place, status) in [(1, TaskStatus::Open), (2, TaskStatus::Open), (3, TaskStatus::Done)] {
        let rows = h.store().context(&query(&batch.messages[place], 0, 9, 9)).await.unwrap();
        assert_eq!(rows.tasks[0].status, status, "before message {place}");
    }
}

async fn what_is_neither_settled_nor_parked_before_a_message_is_counted(h: &impl Harness) {
    h.ingest(&chat(5)).await;
    let earlier = |name: &'static str| {
        let store = h.store().clone();
        async move { store.unsettled_before(&message_id(name)).await.unwrap() }
    };
    assert_eq!((earlier("m1").await, earlier("m4").await), (0, 3));
    let (a, b) = (h.claim(&item("m1")).await, h.claim(&item("m2")).await);
    assert_eq!(earlier("m4").await, 3);
    done(h.store().record(&a.held, &skipped(&a)).await.unwrap());
    assert_eq!(earlier("m4").await, 2);
    done(h.store().park(&b.held, &park(LONG)).await.unwrap());
    assert_eq!(earlier("m4").await, 1);
    let c = h.claim(&item("m3")).await;
    assert_eq!(h.store().release(&[c.held]).await.unwrap(), 1);
    assert_eq!(earlier("m4").await, 1);
    let c = h.claim(&item("m3")).await;
    let busy = Park { reason: ParkReason::BudgetBusy, ..park(LONG) };
    done(h.store().park(&c.held, &busy).await.unwrap());
    assert_eq!(earlier("m4").await, 1, "it waits for a moment only");
    assert_eq!(h.store().unsettled_before(&message_id("ghost")).await.unwrap(), 0);
}

async fn the_best_vendors_come_first(h: &impl Harness) {
    for statement in [
        "insert into vendors (id, name, kind, area, price_from, currency, rating)
            values ('plain', 'Plain', 'dj', null, null, null, null)",
        "insert into vendors (id, name, kind, area, price_from, currency, rating)
            values ('dear', 'Dear', 'dj', 'Leeds', 90000, 'GBP', 4.5)",
        "insert into vendors (id, name, kind, area, price_from, currency, rating)
            values ('cheap', 'Cheap', 'dj', 'York', 40000, 'GBP', 4.5)",
        "insert into vendors (id, name, kind, area, price_from, currency, rating)
            values ('quiet', 'Quiet', 'dj', null, null, null, 4.5)",
        "insert into vendors (id, name, kind, area, price_from, currency, rating)
            values ('best', 'Best', 'dj', null, 99000, 'GBP', 5)",
        "insert into vendors (id, name, kind, area, price_from, currency, rating)
            values ('baker', 'Baker', 'cake', null, 100, 'GBP', 5)",
    ] {
        h.produce(statement, &[]).await;
    }
    let found = h.store().vendors("dj", 9).await.unwrap();
    let ids: Vec<_> = found.iter().map(|vendor| vendor.id.as_str()).collect();
    assert_eq!(ids, ["best", "cheap", "dear", "quiet", "plain"]);
    let cheap = Vendor {
        id: "cheap".to_owned(),
        name: "Cheap".to_owned(),
        kind: "dj".to_owned(),
        area: Some("York".to_owned()),
        price_from: Some(40_000),
        currency: Some(super::samples::pounds()),
        rating: Some(4.5),
    };
    assert_eq!(h.store().vendors("dj", 2).await.unwrap()[1], cheap);
    assert!(h.store().vendors("clown", 3).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_context_is_one_round_trip_to_postgres() {
    let h = OnPostgres::fresh().await;
    let batch = chat(7);
    h.ingest(&batch).await;
    give(&h, "m1", task("dj")).await;
    give(&h, "m2", expense("flowers", 700, "Ann", ExpenseStatus::Paid)).await;
    let (store, turns) = h.counted().await;
    let query = query(&batch.messages[6], 3, 5, 5);
    // The first one connects and prepares the statement.
    store.context(&query).await.unwrap();
    for _ in 0..6 {
        let before = turns.count();
        let rows = store.context(&query).await.unwrap();
        assert_eq!((rows.messages.len(), rows.tasks.len(), rows.expenses.len()), (3, 1, 1));
        assert_eq!(turns.count() - before, 1);
    }
    store.close().await;
    h.finish().await;
}
