//! The daemon's life: servers that are not there, servers that go away, drains.

use std::time::Duration;

use crate::support::daemon::{Daemon, gleaner};
use crate::support::fake_model::Mode;
use crate::support::http;
use crate::support::proxy::{Proxy, host_and_port};
use crate::support::world::{PATIENCE, World, wedding};

/// Waits until a path answers with the status.
async fn answers(daemon: &Daemon, path: &str, status: u16) {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let (seen, body) = http::get(daemon.address(), path).await;
        if seen == status {
            return;
        }
        assert!(tokio::time::Instant::now() < until, "{path} still answers {seen}: {body}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_at_start_is_waited_for_with_a_clear_line_each_time() {
    let world = World::new("late_db").await;
    let proxy = Proxy::before(host_and_port(&world.database)).await;
    proxy.go_down();
    let mut daemon = world.daemon(&[("DATABASE_URL", &proxy.stand_in(&world.database))]);
    daemon.wait_for_line("the database is not there yet");
    daemon.wait_for_line("the database is not there yet");
    assert_eq!(http::get(daemon.address(), "/readyz").await.0, 503);
    assert_eq!(http::get(daemon.address(), "/livez").await.0, 200, "waiting is being alive");
    proxy.clear_up();
    answers(&daemon, "/readyz", 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_comes_back_and_nothing_is_lost() {
    let mut world = World::new("lost_db").await;
    let proxy = Proxy::before(host_and_port(&world.database)).await;
    let daemon = world.daemon(&[("DATABASE_URL", &proxy.stand_in(&world.database))]);
    answers(&daemon, "/readyz", 200).await;
    proxy.go_down();
    answers(&daemon, "/readyz", 503).await;
    world.produce(&wedding("lost-db", &["Can someone book the photographer?", "haha"])).await;
    proxy.clear_up();
    assert_eq!(world.completion_of("lost-db-0").await["outcome"], "completed");
    assert_eq!(world.completion_of("lost-db-1").await["outcome"], "skipped");
    answers(&daemon, "/readyz", 200).await;
}

/// Waits until `/livez`, green all the while, says whether the database is waited for.
async fn waits_for_database(daemon: &Daemon, waits: bool) {
    let until = tokio::time::Instant::now() + PATIENCE;
    let wanted = format!("\"waiting_for_database\":{waits}");
    loop {
        let (status, body) = http::get(daemon.address(), "/livez").await;
        assert_eq!(status, 200, "{body}");
        if body.contains(&wanted) {
            return;
        }
        assert!(tokio::time::Instant::now() < until, "/livez does not say {wanted}: {body}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_or_falls_silent_is_waited_for_in_the_open() {
    let world = World::new("silent_db").await;
    let proxy = Proxy::before(host_and_port(&world.database)).await;
    let daemon = world.daemon(&[("DATABASE_URL", &proxy.stand_in(&world.database))]);
    answers(&daemon, "/readyz", 200).await;
    for disturb in [Proxy::go_down, Proxy::stall] {
        disturb(&proxy);
        waits_for_database(&daemon, true).await;
        proxy.clear_up();
        waits_for_database(&daemon, false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_late_or_goes_away_is_reconnected_to_and_nothing_is_lost() {
    let mut world = World::new("lost_mq").await;
    let proxy = Proxy::before(host_and_port(&world.amqp)).await;
    proxy.go_down();
    let daemon = world.daemon(&[("AMQP_URL", &proxy.stand_in(&world.amqp))]);
    answers(&daemon, "/readyz", 503).await;
    proxy.clear_up();
    answers(&daemon, "/readyz", 200).await;
    world.produce(&wedding("mq-a", &["I paid £200 for the flowers"])).await;
    world.completion_of("mq-a-0").await;
    proxy.go_down();
    answers(&daemon, "/readyz", 503).await;
    world.produce(&wedding("mq-b", &["I paid £90 for the cake"])).await;
    proxy.clear_up();
    assert_eq!(world.completion_of("mq-b-0").await["outcome"], "completed");
    let queue = world.rest().await;
    assert_eq!((queue.completed, queue.failed), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_finishes_what_runs_and_takes_nothing_new() {
    let mut world = World::new("drain").await;
    world.model.stand(Mode::Slow { ms: 1500 });
    let mut daemon = world.daemon(&[]);
    world.produce(&wedding("drain", &["Please book a photographer"])).await;
    world.model.arrived(1).await;
    daemon.signal("TERM");
    assert!(daemon.wait().success(), "{}", daemon.log());
    assert_eq!(world.completion_of("drain-0").await["outcome"], "completed");
    assert_eq!(world.store.queue().await.unwrap().processing, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_drain_cannot_finish_is_put_back_with_its_attempt() {
    let mut world = World::new("release").await;
    world.model.stand(Mode::Hang);
    let mut daemon = world.daemon(&[("GLEANER__WORKER__DRAIN_GRACE_S", "1")]);
    world.produce(&wedding("release", &["Please book a photographer"])).await;
    world.model.arrived(1).await;
    daemon.signal("TERM");
    assert!(daemon.wait().success(), "{}", daemon.log());
    let queue = world.store.queue().await.unwrap();
    assert_eq!((queue.pending, queue.processing), (1, 0), "{queue:?}");
    world.model.stand(Mode::Answer);
    let _next = world.daemon(&[]);
    let data = world.completion_of("release-0").await;
    assert_eq!((&data["outcome"], &data["attempt"]), (&"completed".into(), &1.into()), "{data}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_the_drain_at_once() {
    let world = World::new("at_once").await;
    world.model.stand(Mode::Hang);
    let mut daemon = world.daemon(&[("GLEANER__WORKER__DRAIN_GRACE_S", "600")]);
    world.produce(&wedding("at-once", &["Please book a photographer"])).await;
    world.model.arrived(1).await;
    daemon.signal("TERM");
    daemon.wait_for_line("draining");
    daemon.signal("TERM");
    assert!(daemon.wait().success(), "{}", daemon.log());
    assert_eq!(world.store.queue().await.unwrap().processing, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_hold_no_ids_and_the_port_says_what_it_does_not_know() {
    let mut world = World::new("metrics").await;
    let daemon = world.daemon(&[]);
    world.produce(&wedding("metrics", &["Please book a photographer"])).await;
    world.completion_of("metrics-0").await;
    let (status, text) = http::get(daemon.address(), "/metrics").await;
    assert_eq!(status, 200);
    assert!(text.contains("gleaner_") && text.contains("completed"), "{text}");
    assert!(!text.contains("metrics-0") && !text.contains("photographer"), "{text}");
    assert_eq!(http::get(daemon.address(), "/nowhere").await.0, 404);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let ended = gleaner()
        .arg("run")
        .env("GLEANER__HTTP__BIND", &address)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains(&address), "{said}");
}
