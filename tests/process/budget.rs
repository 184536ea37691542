//! A hard budget is never passed, and every cent of it is found again.

use std::time::Duration;

use gleaner::domain::usage::NanoUsd;
use gleaner::store::{LedgerQuery, LedgerState, Resolved};
use sqlx::{Connection as _, Executor as _};

use crate::support::asks::asks;
use crate::support::crew::Crew;
use crate::support::fake_model::Mode;
use crate::support::rows;
use crate::support::world::World;

/// How long so many messages may take while other tests run beside them.
const LONG: Duration = Duration::from_secs(600);

const HALF_A_DOLLAR: i64 = 500_000_000;

const CHARGED: &str = "select coalesce(sum(charged), 0)::bigint from ledger";
const ANSWERED: &str = "select count(*) from queue_items where status = 'completed'";
const REFUSED: &str =
    "select count(*) from queue_items where status = 'failed' and reason = 'over_budget'";

/// A person looks every doubtful request up in the provider's own log, by its ID.
async fn resolve_all(world: &World) {
    let query = LedgerQuery {
        state: Some(LedgerState::Ambiguous),
        limit: 10_000,
        ..LedgerQuery::default()
    };
    let requests = world.model.requests();
    for row in world.store.ledger(&query).await.unwrap() {
        let seen = requests.iter().find(|seen| seen.request_id == Some(row.id));
        let cost = seen.and_then(|seen| seen.cost).unwrap_or(NanoUsd::ZERO);
        let resolved = world.store.resolve(row.id, cost, "the test").await.unwrap();
        assert_eq!(resolved, Resolved::Closed, "{row:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_kills_neither_pass_a_hard_budget_nor_lose_a_cent() {
    let mut world = World::new("budget").await;
    world.model.stand(Mode::Slow { ms: 20 });
    world.produce(&asks("budget", 400)).await;
    let hard = [
        ("GLEANER__BUDGETS__EVENT__USD", "0.5"),
        ("GLEANER__BUDGETS__EVENT__OVER", "refuse"),
        ("GLEANER__SCHEDULER__TICK_MS", "50"),
    ];
    let mut crew = Crew::of(4, &world, &hard);
    crew.suffer(10, Duration::from_millis(1000)).await;
    world.completions.take_until(400, LONG).await;
    world.rest().await;

    let billed = world.model.billed().0;
    assert!(billed <= HALF_A_DOLLAR, "{billed} were billed");
    assert!(billed >= HALF_A_DOLLAR / 5 * 4, "only {billed} were spent");
    let answered = rows::count(&world.database, ANSWERED).await;
    let refused = rows::count(&world.database, REFUSED).await;
    assert_eq!(answered + refused, 400);
    assert!(answered > 0 && refused > 0, "{answered} were answered, {refused} refused");

    resolve_all(&world).await;
    assert_eq!(rows::count(&world.database, CHARGED).await, billed, "to the nano-dollar");
    let balance = world.store.ledger_balances().await.unwrap();
    assert_eq!(balance, Ok(NanoUsd(billed)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_paid_for_is_replayed_after_a_crash() {
    let mut world = World::new("replay").await;
    let worker = world.daemon(&[]);
    // The answer's own record has to wait, so that the crash comes between the two.
    let mut operator = rows::connect(&world.database).await;
    let mut held = operator.begin().await.unwrap();
    held.execute("lock table enrichments in share mode").await.unwrap();
    world.produce(&asks("replay", 1)).await;
    rows::appeared(&world.database, CHARGED).await;
    worker.kill();
    held.rollback().await.unwrap();

    let _second = world.daemon(&[]);
    let done = world.completion_of("replay-0000").await;
    assert_eq!((&done["outcome"], &done["attempt"]), (&"completed".into(), &2.into()), "{done}");
    assert_eq!(world.model.requests().len(), 1, "the endpoint saw one request");
    world.rest().await;
    assert_eq!(rows::count(&world.database, CHARGED).await, world.model.billed().0);
}
