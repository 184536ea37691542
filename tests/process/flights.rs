//! A hundred groups ask for the same thing at the same time, of four processes: who pays, and how often.

use std::time::Duration;

use gleaner::broker::Broker as _;
use gleaner::domain::ids::ItemId;
use serde_json::{Value, json};

use crate::support::crew::Crew;
use crate::support::daemon::Daemon;
use crate::support::fake_model::Mode;
use crate::support::http;
use crate::support::rows;
use crate::support::world::{PATIENCE, World, wedding};

const GROUPS: usize = 100;
/// Long enough for every group to ask while the first one's answer is on its way.
const SLOW: Mode = Mode::Slow { ms: 1_500 };
/// What is left of the world's lease between two renewals, at least.
const LEASE_LEFT: Duration = Duration::from_secs(3);

const FOLLOWED: &str = "select count(distinct item_id) from item_history
    where what = 'parked' and reason = 'flight_taken'";
const LEDGER_OPEN: &str = "select count(*) from ledger where state = 'reserved'";

struct Scene {
    world: World,
    crew: Crew,
}

/// Four processes, and a hundred messages of a hundred events that ask for one kind of vendor.
async fn scene(name: &str, model: impl IntoIterator<Item = Mode>) -> Scene {
    let world = World::new(name).await;
    world.model.stand(SLOW);
    world.model.script(model);
    let crew = Crew::of(4, &world, &[]);
    let mut hints = Vec::new();
    for group in 0..GROUPS {
        let batch = wedding(&format!("group-{group:03}"), &["Can someone book a photographer?"]);
        let report = world.store.ingest(&batch).await.unwrap();
        hints.extend(report.new.iter().map(ItemId::from));
    }
    world.broker.publish_hints(&hints).await.unwrap();
    Scene { world, crew }
}

/// How often a process looked into the cache and found this.
async fn lookups(daemon: &Daemon, found: &str) -> u64 {
    let (_, text) = http::get(daemon.address(), "/metrics").await;
    let series = format!("gleaner_cache_lookups_total{{result=\"{found}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&series)?.parse().ok()).unwrap_or(0)
}

/// Returns once all groups but this many wait for another one's answer.
async fn followed_by_all_but(world: &World, leading: i64) {
    let until = tokio::time::Instant::now() + PATIENCE;
    while rows::count(&world.database, FOLLOWED).await < GROUPS as i64 - leading {
        assert!(tokio::time::Instant::now() < until, "not all follow");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How the hundred ended, once they have.
async fn endings(world: &mut World) -> Vec<Value> {
    world.completions.take_until(GROUPS, PATIENCE).await;
    world.rest().await;
    assert_eq!(rows::count(&world.database, LEDGER_OPEN).await, 0);
    let balance = world.store.ledger_balances().await.unwrap();
    assert!(balance.is_ok(), "{balance:?}");
    let bodies = world.completions.seen.values();
    bodies.map(|body| serde_json::from_slice::<Value>(body).unwrap()["data"].take()).collect()
}

/// How many ended so: with this outcome, from the cache or not.
fn count(endings: &[Value], outcome: &str, cached: bool) -> usize {
    endings.iter().filter(|end| end["outcome"] == outcome && end["cached"] == cached).count()
}

fn unfit() -> Mode {
    Mode::AnswerWith { answer: json!({"unasked": true}) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_groups_that_ask_the_same_at_once_pay_for_one_call() {
    let Scene { mut world, crew } = scene("flight", []).await;
    let ends = endings(&mut world).await;
    assert_eq!(world.model.requests().len(), 1);
    assert_eq!(
        (count(&ends, "completed", false), count(&ends, "completed", true)),
        (1, GROUPS - 1)
    );
    for daemon in crew.daemons() {
        let (mut looked, results) = (0, ["miss", "in_flight", "hit_store", "hit_memory"]);
        for result in results {
            looked += lookups(daemon, result).await;
        }
        assert!(looked > 0, "one process had no part in it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_killed_in_its_call_costs_one_more_after_its_lease() {
    let Scene { mut world, mut crew } = scene("flight_killed", [Mode::Hang]).await;
    world.model.arrived(1).await;
    followed_by_all_but(&world, 1).await;
    let mut leaders = Vec::new();
    for (nth, daemon) in crew.daemons().iter().enumerate() {
        if lookups(daemon, "miss").await > 0 {
            leaders.push(nth);
        }
    }
    let [leader] = leaders[..] else { panic!("{} processes lead", leaders.len()) };
    let killed = std::time::Instant::now();
    crew.kill(leader);
    let ends = endings(&mut world).await;
    let requests = world.model.requests();
    assert_eq!(requests.len(), 2);
    let after = requests[1].instant - killed;
    assert!(after >= LEASE_LEFT, "asked again after {after:?}");
    assert_eq!(
        (count(&ends, "completed", false), count(&ends, "completed", true)),
        (1, GROUPS - 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_answer_was_mended_pays_twice_and_the_rest_nothing() {
    let Scene { mut world, crew } = scene("flight_mended", [unfit()]).await;
    let ends = endings(&mut world).await;
    assert_eq!(world.model.requests().len(), 2, "the answer and its repair");
    assert_eq!(
        (count(&ends, "completed", false), count(&ends, "completed", true)),
        (1, GROUPS - 1)
    );
    drop(crew);
}

/// An answer that stays invalid is its own message's failure. The next in the flight leads after a
/// pause, asks for itself, and its answer serves all who are left.
#[tokio::test(flavor = "multi_thread")]
async fn each_leader_with_an_invalid_answer_pays_its_call_and_its_repair_and_the_next_one_asks() {
    let Scene { mut world, crew } =
        scene("flight_invalid", [unfit(), unfit(), unfit(), unfit()]).await;
    let ends = endings(&mut world).await;
    assert_eq!(world.model.requests().len(), 2 + 2 + 1);
    let failed: Vec<_> = ends.iter().filter(|end| end["outcome"] == "failed").collect();
    assert!(failed.iter().all(|end| end["reason"] == "answer_invalid"), "{failed:?}");
    assert_eq!(failed.len(), 2);
    assert_eq!(
        (count(&ends, "completed", false), count(&ends, "completed", true)),
        (1, GROUPS - 3)
    );
    drop(crew);
}
