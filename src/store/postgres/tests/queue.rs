//! Claims, parks, flights and the scheduler, seen in the rows.

use std::time::Duration;

use sqlx::Executor;

use super::super::testing::{Database, LEASE, NOW, claim, ingest, item, message, record, told};
use crate::domain::enrichment::Contribution;
use crate::domain::outcome::{Outcome, ParkReason, Reason};
use crate::fault::Park;
use crate::store::{CacheLookup, Claimed, Due, Fenced, Store};

fn park(reason: ParkReason, after: Duration) -> Park {
    Park { after, reason, spend_attempt: reason == ParkReason::Retry, detail: None, flight: None }
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_producers_insert_makes_the_queue_item_in_its_own_transaction() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 1..2).await;
    let mut producer = database.application().await;
    let insert = "insert into gleaner.messages (id, room_id, sender_id, sent_at, text)
        values ('m2', 'room', 'ana', now(), 'hello')";
    producer.execute("begin").await.unwrap();
    producer.execute(insert).await.unwrap();
    producer.execute("rollback").await.unwrap();
    assert_eq!(store.queue().await.unwrap().pending, 1);
    producer.execute(insert).await.unwrap();
    assert_eq!(store.queue().await.unwrap().pending, 2);
    // The producer publishes the ID itself; the scheduler looks only later.
    assert_eq!(store.tick(10, LEASE, true).await.unwrap(), []);
    database.drop(store).await;
}

#[tokio::test]
async fn a_message_that_comes_late_makes_its_parked_item_due() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 1..2).await;
    let early = claim(&store, &item(2), LEASE).await;
    assert!(early.message.is_none() && early.event.is_none() && !early.room_exists);
    let parked = store.park(&early.held, &park(ParkReason::MessageMissing, HOUR)).await.unwrap();
    assert_eq!(parked, Fenced::Done(()));
    assert!(matches!(store.claim(&item(2), LEASE).await.unwrap(), Claimed::NotNow));
    ingest(&store, 2..3).await;
    assert_eq!(store.tick(10, LEASE, true).await.unwrap(), [Due::Hint(item(2))]);
    assert!(claim(&store, &item(2), LEASE).await.message.is_some());
    database.drop(store).await;
}

#[tokio::test]
async fn a_missing_message_that_failed_is_reopened_once_it_exists() {
    let (database, store) = Database::migrated().await;
    let missing = claim(&store, &item(1), LEASE).await;
    let mut failed = record(&missing, Outcome::Failed, Contribution::default());
    failed.reason = Some(Reason::MessageNotFound);
    assert!(matches!(store.record(&missing.held, &failed).await.unwrap(), Fenced::Done(_)));
    let Claimed::Settled { owed: Some(owed) } = store.claim(&item(1), LEASE).await.unwrap() else {
        panic!("a failed item without a message was claimed again");
    };
    assert_eq!(owed.completion, told(&failed));
    store.confirm(&item(1), told(&failed).id).await.unwrap();
    ingest(&store, 1..2).await;
    let again = claim(&store, &item(1), LEASE).await;
    assert_eq!((again.attempt, again.held.lease > missing.held.lease), (1, true));
    database.drop(store).await;
}

#[tokio::test]
async fn an_edit_while_an_item_is_worked_on_has_its_turn_after_the_confirm() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 1..2).await;
    let first = claim(&store, &item(1), LEASE).await;
    let edit = "update gleaner.messages set text = 'edited', revision = revision + 1";
    database.application().await.execute(edit).await.unwrap();
    let written = record(&first, Outcome::Skipped, Contribution::default());
    assert!(matches!(store.record(&first.held, &written).await.unwrap(), Fenced::Done(_)));
    store.confirm(&item(1), told(&written).id).await.unwrap();
    assert_eq!(store.tick(10, LEASE, true).await.unwrap(), [Due::Hint(item(1))]);
    let second = claim(&store, &item(1), LEASE).await;
    assert_eq!(second.message.unwrap().revision, 2);
    database.drop(store).await;
}

#[tokio::test]
async fn an_edit_reopens_a_settled_item() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 1..2).await;
    let first = claim(&store, &item(1), LEASE).await;
    let written = record(&first, Outcome::Skipped, Contribution::default());
    assert!(matches!(store.record(&first.held, &written).await.unwrap(), Fenced::Done(_)));
    store.confirm(&item(1), told(&written).id).await.unwrap();
    assert!(matches!(store.claim(&item(1), LEASE).await.unwrap(), Claimed::Settled { owed: None }));
    let edit = "update gleaner.messages set revision = revision + 1";
    database.application().await.execute(edit).await.unwrap();
    let report = store.queue().await.unwrap();
    assert_eq!((report.pending, report.skipped), (1, 0));
    assert_eq!(claim(&store, &item(1), LEASE).await.attempt, 1);
    database.drop(store).await;
}

#[tokio::test]
async fn the_leaders_record_makes_its_followers_due_and_a_failed_leader_costs_a_pause() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 1..4).await;
    let leader = claim(&store, &item(1), LEASE).await;
    let follower = claim(&store, &item(2), LEASE).await;
    let key = "task:dj:base";
    let look = async |held| store.cached_or_flight(held, key).await.unwrap();
    assert_eq!(look(&leader.held).await, CacheLookup::Leader);
    assert_eq!(look(&leader.held).await, CacheLookup::Leader);
    assert!(matches!(look(&follower.held).await, CacheLookup::InFlight { after } if after > NOW));
    let wait = Park { flight: Some(key.into()), ..park(ParkReason::FlightTaken, HOUR) };
    assert_eq!(store.park(&follower.held, &wait).await.unwrap(), Fenced::Done(()));
    assert!(matches!(store.claim(&item(2), LEASE).await.unwrap(), Claimed::NotNow));

    let mut failed = record(&leader, Outcome::Failed, Contribution::default());
    failed.reason = Some(Reason::Refused);
    let Fenced::Done(recorded) = store.record(&leader.held, &failed).await.unwrap() else {
        panic!("the leader lost its lease");
    };
    assert_eq!(recorded.woken, [item(2)]);
    let follower = claim(&store, &item(2), LEASE).await;
    let CacheLookup::InFlight { after } = look(&follower.held).await else {
        panic!("the next leader started without a pause");
    };
    assert!(after > NOW && after <= Duration::from_secs(1));
    // A closed flight makes nobody wait for longer than its pause.
    assert_eq!(store.park(&follower.held, &wait).await.unwrap(), Fenced::Done(()));
    let due: f64 = sqlx::query_scalar(
        "select extract(epoch from due_at - clock_timestamp())::float8 from queue_items where id = 'm2'",
    )
    .fetch_one(&store.pool)
    .await
    .unwrap();
    assert!(due <= 1.0, "due in {due} s");
    database.drop(store).await;
}

#[tokio::test]
async fn a_park_on_a_flight_that_has_landed_is_due_at_once() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 1..2).await;
    let late = claim(&store, &item(1), LEASE).await;
    let wait = Park { flight: Some("landed".into()), ..park(ParkReason::FlightTaken, HOUR) };
    assert_eq!(store.park(&late.held, &wait).await.unwrap(), Fenced::Done(()));
    assert_eq!(claim(&store, &item(1), LEASE).await.attempt, 1);
    database.drop(store).await;
}

#[tokio::test]
async fn many_followers_and_a_landing_leader_never_leave_one_waiting() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..17).await;
    for round in 0..5 {
        let key = format!("round {round}");
        let leader = claim(&store, &item(0), LEASE).await;
        assert_eq!(store.cached_or_flight(&leader.held, &key).await.unwrap(), CacheLookup::Leader);
        let mut followers = Vec::new();
        for n in 1..17 {
            followers.push(claim(&store, &item(n), LEASE).await.held);
        }
        let wait = Park { flight: Some(key), ..park(ParkReason::FlightTaken, HOUR) };
        let parks = followers.iter().map(|held| store.park(held, &wait));
        let give_up = park(ParkReason::RateLimited, NOW);
        let (parked, left) =
            tokio::join!(futures::future::join_all(parks), store.park(&leader.held, &give_up));
        assert_eq!(left.unwrap(), Fenced::Done(()));
        assert!(parked.into_iter().all(|parked| parked.unwrap() == Fenced::Done(())));
    }
    for n in 0..17 {
        assert_eq!(claim(&store, &item(n), LEASE).await.attempt, 1, "m{n}");
    }
    database.drop(store).await;
}

#[tokio::test]
async fn a_lease_that_ran_out_is_taken_over_and_the_zombie_writes_nothing() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 1..2).await;
    let zombie = claim(&store, &item(1), NOW).await;
    assert_eq!(store.tick(10, LEASE, false).await.unwrap(), [Due::Hint(item(1))]);
    let next = claim(&store, &item(1), LEASE).await;
    assert_eq!((next.attempt, next.held.lease.0), (2, zombie.held.lease.0 + 1));
    let written = record(&zombie, Outcome::Skipped, Contribution::default());
    assert_eq!(store.record(&zombie.held, &written).await.unwrap(), Fenced::Lost);
    let retry = park(ParkReason::Retry, NOW);
    assert_eq!(store.park(&zombie.held, &retry).await.unwrap(), Fenced::Lost);
    let (lost, ours) = ([zombie.held], [next.held]);
    assert_eq!(store.release(&lost).await.unwrap(), 0);
    assert_eq!(store.renew(&lost, LEASE).await.unwrap(), [item(1)]);
    assert_eq!(store.renew(&ours, LEASE).await.unwrap(), []);
    assert_eq!(store.release(&ours).await.unwrap(), 1);
    let history: Vec<String> = sqlx::query_scalar("select what from item_history order by id")
        .fetch_all(&store.pool)
        .await
        .unwrap();
    assert_eq!(history, ["taken_over", "parked"]);
    database.drop(store).await;
}

#[tokio::test]
async fn only_earlier_messages_that_nobody_parked_or_settled_hold_a_question_back() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 1..5).await;
    let unsettled = async || store.unsettled_before(&message(4).id).await.unwrap();
    assert_eq!(unsettled().await, 3);
    let first = claim(&store, &item(1), LEASE).await;
    assert_eq!(unsettled().await, 3);
    let limited = park(ParkReason::RateLimited, HOUR);
    assert_eq!(store.park(&first.held, &limited).await.unwrap(), Fenced::Done(()));
    let second = claim(&store, &item(2), LEASE).await;
    let skipped = record(&second, Outcome::Skipped, Contribution::default());
    assert!(matches!(store.record(&second.held, &skipped).await.unwrap(), Fenced::Done(_)));
    assert_eq!(unsettled().await, 1);
    database.drop(store).await;
}

#[tokio::test]
async fn two_schedulers_take_different_rows_and_a_row_is_not_due_again_at_once() {
    let (database, store) = Database::migrated().await;
    ingest(&store, 0..40).await;
    let due = "update queue_items set look_at = now()";
    sqlx::query(due).execute(&store.pool).await.unwrap();
    let (one, other) = tokio::join!(store.tick(20, LEASE, true), store.tick(20, LEASE, true));
    let mut taken: Vec<_> = one.unwrap().into_iter().chain(other.unwrap()).collect();
    taken.extend(store.tick(40, LEASE, true).await.unwrap());
    taken.sort_by_key(|due| format!("{due:?}"));
    let hints = taken.len();
    taken.dedup();
    assert_eq!((hints, taken.len()), (40, 40));
    // Those were the first hints; while the queue is full there are no second ones.
    sqlx::query(due).execute(&store.pool).await.unwrap();
    assert_eq!(store.tick(40, LEASE, false).await.unwrap(), []);
    assert_eq!(store.tick(40, LEASE, true).await.unwrap().len(), 40);
    database.drop(store).await;
}
