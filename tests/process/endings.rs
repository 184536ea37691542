//! How a message, a drain and a log line end when things go badly wrong.

use std::time::{Duration, Instant};

use gleaner::domain::ids::EventId;
use sqlx::{Connection, Executor, PgConnection};

use crate::support::fake_model::{Mode, Nonsense};
use crate::support::proxy::{Proxy, host_and_port};
use crate::support::servers;
use crate::support::world::{World, wedding};

async fn change(world: &World, statement: &'static str) {
    let mut database = PgConnection::connect(&world.database).await.unwrap();
    database.execute(statement).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_killed_its_worker_at_every_attempt_is_not_begun_once_more() {
    let mut world = World::new("poison").await;
    world.store.ingest(&wedding("poison", &["Please book a photographer"])).await.unwrap();
    // What five crashes leave behind.
    change(
        &world,
        "update gleaner.queue_items set status = 'processing', attempt = 5, lease = 5,
             lease_until = clock_timestamp(), look_at = clock_timestamp()",
    )
    .await;
    let _daemon = world.daemon(&[]);
    let data = world.completion_of("poison-0").await;
    assert_eq!(
        (&data["outcome"], &data["reason"]),
        (&"failed".into(), &"attempts_exhausted".into()),
        "{data}"
    );
    assert!(world.model.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fails_says_what_its_models_cost() {
    let mut world = World::new("failed_cost").await;
    world.model.stand(Mode::Nonsense { kind: Nonsense::Schema });
    let _daemon = world.daemon(&[]);
    world.produce(&wedding("costly", &["Please book a photographer"])).await;
    let data = world.completion_of("costly-0").await;
    assert_eq!(data["outcome"], "failed");
    assert!(data["cost_usd"].as_f64().unwrap() > 0.0, "{data}");
    let event = EventId::parse("costly").unwrap();
    let report = world.store.event_report(&event).await.unwrap().unwrap();
    assert_eq!(report.spent.calls, 2, "{:?}", report.spent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_a_drain_whose_database_hangs() {
    let world = World::new("hanging_db").await;
    let proxy = Proxy::before(host_and_port(&world.database)).await;
    world.model.stand(Mode::Hang);
    let stand_in = proxy.stand_in(&world.database);
    let mut daemon =
        world.daemon(&[("DATABASE_URL", &stand_in), ("GLEANER__WORKER__DRAIN_GRACE_S", "600")]);
    world.produce(&wedding("hanging", &["Please book a photographer"])).await;
    world.model.arrived(1).await;
    proxy.stall();
    daemon.signal("TERM");
    daemon.wait_for_line("draining");
    let asked = Instant::now();
    daemon.signal("TERM");
    assert!(daemon.wait().success(), "{}", daemon.log());
    assert!(asked.elapsed() < Duration::from_secs(30), "it took {:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_of_the_log_holds_chat_text_or_a_secret_at_any_level() {
    let world = World::new("quiet").await;
    world
        .store
        .ingest(&wedding("quiet", &["Please book a photographer for zanzibar"]))
        .await
        .unwrap();
    change(&world, "update gleaner.queue_items set look_at = clock_timestamp()").await;
    // Nobody listens under this prefix, so that completion events are returned with their bodies.
    let mut daemon = world.daemon(&[
        ("GLEANER__BROKER__PREFIX", &servers::unique("unheard")),
        ("GLEANER__LOG__LEVEL", "trace"),
    ]);
    daemon.wait_for_line("no queue is bound for completion events");
    daemon.wait_for_line("settled message quiet-0");
    daemon.signal("TERM");
    assert!(daemon.wait().success());
    let log = daemon.log().to_lowercase();
    for told in ["zanzibar", "photographer", "a-key-for-the-fake-endpoint", "gleaner:gleaner@"] {
        let line = log.lines().find(|line| line.contains(told));
        assert!(line.is_none(), "{told} stands in {line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_old_before_it_is_met_still_waits_for_what_was_said_before() {
    let mut world = World::new("old_question").await;
    world.model.stand(Mode::Slow { ms: 1500 });
    let said = ["I paid £90 for the cake", "How much did we spend so far?"];
    world.store.ingest(&wedding("old", &said)).await.unwrap();
    change(&world, "update gleaner.queue_items set created_at = now() - interval '1 hour'").await;
    let _daemon = world.daemon(&[]);
    world.hint(&["old-0", "old-1"]).await;
    let data = world.completion_of("old-1").await;
    assert!(data["enrichment"].to_string().contains("90"), "{data}");
}
