//! A limit is a limit over all replicas, by the endpoint's own clock.

use std::time::Duration;

use crate::support::asks::asks;
use crate::support::crew::Crew;
use crate::support::fake_model::{Mode, RetryAfter};
use crate::support::rows;
use crate::support::world::World;

/// How long so many messages may take while other tests run beside them.
const LONG: Duration = Duration::from_secs(600);

const WINDOW: Duration = Duration::from_secs(2);
const LIMIT: usize = 20;
const LIMITED: [(&str, &str); 2] =
    [("AI_RATE_LIMIT_PER_MINUTE", "20"), ("GLEANER__LIMITS__WINDOW_S", "2")];

const UNANSWERED: &str = "select count(*) from queue_items where status <> 'completed'";

/// All answered, and never one too many in any window.
async fn must_keep_the_limit(world: &mut World, count: usize) {
    world.completions.take_until(count, LONG).await;
    world.rest().await;
    assert_eq!(rows::count(&world.database, UNANSWERED).await, 0);
    let most = world.model.most_within(WINDOW, None);
    assert!(most <= LIMIT, "{most} requests in a window");
    let balance = world.store.ledger_balances().await.unwrap();
    assert!(balance.is_ok(), "{balance:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn four_workers_never_pass_an_events_limit() {
    let mut world = World::new("limit").await;
    world.produce(&asks("limit", 500)).await;
    // Nobody dies here: a machine that stalls must not look like it.
    let calm = [("GLEANER__WORKER__LEASE_S", "60"), ("GLEANER__WORKER__RENEW_EVERY_S", "5")];
    let crew = Crew::of(4, &world, &[&LIMITED[..], &calm].concat());
    must_keep_the_limit(&mut world, 500).await;
    assert!(world.model.most_within(WINDOW, None) > LIMIT / 2, "the limit was used");
    assert_eq!(world.model.requests().len(), 500, "each was asked once");
    drop(crew);
}

#[tokio::test(flavor = "multi_thread")]
async fn four_workers_never_pass_an_events_limit_through_ten_kills() {
    let mut world = World::new("killed_limit").await;
    world.model.stand(Mode::Slow { ms: 50 });
    world.produce(&asks("limit", 500)).await;
    let mut crew = Crew::of(4, &world, &LIMITED);
    crew.suffer(10, Duration::from_millis(1500)).await;
    must_keep_the_limit(&mut world, 500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_seen_by_one_worker_slows_all() {
    let world = World::new("one_429").await;
    world.model.script([Mode::RateLimit { retry_after: RetryAfter::Seconds(8) }]);
    let crew = Crew::of(4, &world, &[]);
    world.produce(&asks("first", 1)).await;
    world.model.arrived(1).await;
    let taught = "select count(*) from providers where paused_until > now()";
    rows::appeared(&world.database, taught).await;
    world.produce(&asks("rest", 40)).await;
    world.model.arrived(2).await;
    let requests = world.model.requests();
    let pause = requests[1].instant - requests[0].instant;
    assert!(pause >= Duration::from_secs(8), "the next request came after {pause:?}");
    drop(crew);
}
