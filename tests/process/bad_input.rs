//! Deliveries and models that no one should send, and what they get.

use std::time::Duration;

use gleaner::store::IngestBatch;
use sqlx::{Connection, Executor, PgConnection};

use crate::support::dead_letters;
use crate::support::fake_model::{Mode, Nonsense, RetryAfter};
use crate::support::world::{World, wedding};

/// A message whose room, or whose room's event, has no row.
async fn orphan(world: &World, batch: &IngestBatch, delete: &'static str) {
    world.store.ingest(batch).await.unwrap();
    let mut database = PgConnection::connect(&world.database).await.unwrap();
    database.execute(delete).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_id_is_dead_lettered_with_its_reason() {
    let mut world = World::new("bad_body").await;
    let _daemon = world.daemon(&[]);
    let too_long = "x".repeat(129);
    let bodies: [&[u8]; 4] = [b"two words", too_long.as_bytes(), b"{\"id\": 1}", b"\xff\xfe"];
    dead_letters::publish_raw(&world.amqp, world.prefix(), &bodies).await;
    let dead = dead_letters::take(&world.amqp, world.prefix(), bodies.len()).await;
    for (body, why) in [
        (bodies[0], "visible ASCII"),
        (bodies[1], "128"),
        (bodies[2], "message_id"),
        (bodies[3], "UTF-8"),
    ] {
        let (_, reason) =
            dead.iter().find(|(dead, _)| dead == body).expect("the body is kept as it came");
        assert!(reason.contains(why), "{reason:?} does not say {why:?}");
    }
    // The good message after them is worked on.
    world.produce(&wedding("after-bad", &["haha"])).await;
    assert_eq!(world.completion_of("after-bad-0").await["outcome"], "skipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_without_a_row_fails_after_its_grace_and_is_reopened_when_the_row_comes() {
    let mut world = World::new("no_row").await;
    let _daemon = world.daemon(&[]);
    world.hint(&["late-0"]).await;
    let data = world.completion_of("late-0").await;
    assert_eq!(
        (&data["outcome"], &data["reason"]),
        (&"failed".into(), &"message_not_found".into())
    );
    world.completions.seen.clear();
    world.store.ingest(&wedding("late", &["Please book a photographer"])).await.unwrap();
    world.hint(&["late-0"]).await;
    assert_eq!(world.completion_of("late-0").await["outcome"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_its_room_or_event_fails_by_name() {
    let mut world = World::new("orphans").await;
    orphan(&world, &wedding("roomless", &["haha"]), "delete from gleaner.rooms").await;
    orphan(&world, &wedding("eventless", &["haha"]), "delete from gleaner.events").await;
    let _daemon = world.daemon(&[]);
    world.hint(&["roomless-0", "eventless-0"]).await;
    assert_eq!(world.completion_of("roomless-0").await["reason"], "room_not_found");
    assert_eq!(world.completion_of("eventless-0").await["reason"], "event_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_answers_nonsense_fails_the_message_after_one_repair() {
    let mut world = World::new("nonsense").await;
    world.model.stand(Mode::Nonsense { kind: Nonsense::Schema });
    let _daemon = world.daemon(&[]);
    world.produce(&wedding("nonsense", &["Please book a photographer"])).await;
    let data = world.completion_of("nonsense-0").await;
    assert_eq!(
        (&data["outcome"], &data["reason"]),
        (&"failed".into(), &"answer_invalid".into()),
        "{data}"
    );
    assert_eq!(world.model.requests().len(), 2, "the question and one repair");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_model_parks_the_message_until_it_is_there() {
    let mut world = World::new("no_model").await;
    world.model.stand(Mode::Overload { retry_after: RetryAfter::None });
    let mut daemon = world.daemon(&[]);
    world.produce(&wedding("no-model", &["Please book a photographer"])).await;
    daemon.wait_for_line("parked no-model-0");
    world.model.stand(Mode::Answer);
    let data = world.completion_of("no-model-0").await;
    assert_eq!(data["outcome"], "completed", "{data}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_asked_to_wait_is_asked_again_after_its_own_time() {
    let mut world = World::new("retry_after").await;
    world.model.script([Mode::RateLimit { retry_after: RetryAfter::Seconds(1) }]);
    let _daemon = world.daemon(&[]);
    world.produce(&wedding("retry", &["Please book a photographer"])).await;
    assert_eq!(world.completion_of("retry-0").await["outcome"], "completed");
    let requests = world.model.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[1].instant - requests[0].instant >= Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_nobody_listens_for_costs_nothing_and_parks_the_message() {
    let mut world = World::new("nobody").await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nowhere = format!("http://{closed}");
    let mut daemon = world.daemon(&[("GLEANER__ENDPOINTS__ANTHROPIC__BASE_URL", &nowhere)]);
    world.produce(&wedding("nobody", &["Please book a photographer"])).await;
    daemon.wait_for_line("parked nobody-0");
    drop(daemon);
    assert!(world.store.ledger_balances().await.unwrap().is_ok());
    let _reachable = world.daemon(&[]);
    assert_eq!(world.completion_of("nobody-0").await["outcome"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_row_cannot_be_read_fails_its_message_and_holds_up_nobody() {
    let mut world = World::new("unreadable").await;
    let change = "alter table gleaner.events drop constraint events_currency_check;
        update gleaner.events set currency = 'pounds' where id = 'unreadable'";
    orphan(&world, &wedding("unreadable", &["I paid £200 for the flowers"]), change).await;
    world.store.ingest(&wedding("readable", &["haha"])).await.unwrap();
    let _daemon = world.daemon(&[("GLEANER__WORKER__SLOTS", "1")]);
    world.hint(&["unreadable-0", "readable-0"]).await;
    assert_eq!(world.completion_of("unreadable-0").await["reason"], "unreadable_row");
    assert_eq!(world.completion_of("readable-0").await["outcome"], "skipped");
}
