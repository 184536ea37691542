//! The scheduler's look: what is due, moved ahead before it is returned.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use gleaner::domain::ids::ItemId;
use gleaner::store::{Due, OwedEvent, Store as _};
use tokio::task::JoinSet;

use super::harness::{Harness, LONG, done};
use super::samples::{chat, item, park, skipped, told};

promises! {
    a_due_item_is_hinted,
    a_parked_item_is_hinted_when_it_is_due_and_not_before,
    a_hinted_item_is_moved_ahead,
    a_lost_hint_is_given_again,
    while_the_queue_is_full_only_first_hints_are_given,
    a_lease_that_ran_out_is_hinted_even_while_the_queue_is_full,
    a_live_lease_is_left_alone,
    an_owed_event_is_returned_until_it_is_confirmed,
    a_window_bounds_what_is_returned_oldest_first,
    two_looks_at_once_never_return_the_same_row,
    a_woken_item_is_hinted_anew,
    a_row_that_was_parked_meanwhile_is_not_returned,
    a_settled_item_that_owes_nothing_is_never_returned,
    a_lease_that_was_renewed_is_looked_at_when_it_ends,
}

async fn tick(h: &impl Harness) -> Vec<Due> {
    h.store().tick(100, LONG, true).await.unwrap()
}

fn hints(due: &[Due]) -> Vec<ItemId> {
    let mut items: Vec<_> = due
        .iter()
        .map(|due| match due {
            Due::Hint(item) => item.clone(),
            Due::Owed(owed) => panic!("not a hint but {owed:?}"),
        })
        .collect();
    items.sort();
    items
}

/// Items that are parked and due now, none of them hinted.
async fn due(h: &impl Harness, count: usize) {
    h.ingest(&chat(count)).await;
    for n in 1..=count {
        let claim = h.claim(&item(&format!("m{n}"))).await;
        done(h.store().park(&claim.held, &park(Duration::ZERO)).await.unwrap());
    }
}

async fn a_due_item_is_hinted(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    h.look_now(&item("m1")).await;
    assert_eq!(tick(h).await, [Due::Hint(item("m1"))]);
}

async fn a_parked_item_is_hinted_when_it_is_due_and_not_before(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    for (name, after) in [("m1", Duration::ZERO), ("m2", LONG)] {
        let claim = h.claim(&item(name)).await;
        done(h.store().park(&claim.held, &park(after)).await.unwrap());
    }
    assert_eq!(hints(&tick(h).await), [item("m1")]);
}

async fn a_hinted_item_is_moved_ahead(h: &impl Harness) {
    due(h, 3).await;
    assert_eq!(tick(h).await.len(), 3);
    assert!(tick(h).await.is_empty());
    assert!(h.is_free(&item("m1")).await);
}

async fn a_lost_hint_is_given_again(h: &impl Harness) {
    due(h, 1).await;
    for _ in 0..3 {
        let due = h.store().tick(100, Duration::ZERO, true).await.unwrap();
        assert_eq!(hints(&due), [item("m1")]);
    }
}

async fn while_the_queue_is_full_only_first_hints_are_given(h: &impl Harness) {
    due(h, 1).await;
    let first = h.store().tick(100, Duration::ZERO, false).await.unwrap();
    assert_eq!(hints(&first), [item("m1")]);
    let second = h.store().tick(100, Duration::ZERO, false).await.unwrap();
    assert!(second.is_empty(), "{second:?}");
    assert_eq!(hints(&h.store().tick(100, LONG, true).await.unwrap()), [item("m1")]);
}

async fn a_lease_that_ran_out_is_hinted_even_while_the_queue_is_full(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    h.claim_and_die(&item("m1")).await;
    for _ in 0..2 {
        let due = h.store().tick(100, Duration::ZERO, false).await.unwrap();
        assert_eq!(hints(&due), [item("m1")]);
    }
}

async fn a_live_lease_is_left_alone(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    h.claim(&item("m1")).await;
    assert!(tick(h).await.is_empty());
}

async fn an_owed_event_is_returned_until_it_is_confirmed(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    let record = skipped(&claim);
    done(h.store().record(&claim.held, &record).await.unwrap());
    assert!(tick(h).await.is_empty(), "its worker has not had the time to publish it");
    let owed = OwedEvent { item: item("m1"), completion: told(&record) };
    for second_hints in [true, false] {
        h.look_now(&item("m1")).await;
        let due = h.store().tick(100, LONG, second_hints).await.unwrap();
        assert_eq!(due, [Due::Owed(owed.clone())]);
        assert!(tick(h).await.is_empty());
    }
    h.store().confirm(&item("m1"), owed.completion.id).await.unwrap();
    assert!(h.store().tick(100, Duration::ZERO, true).await.unwrap().is_empty());
    assert_eq!(h.store().queue().await.unwrap().owed, 0);
}

async fn a_window_bounds_what_is_returned_oldest_first(h: &impl Harness) {
    due(h, 5).await;
    let first = h.store().tick(2, LONG, true).await.unwrap();
    let second = h.store().tick(2, LONG, true).await.unwrap();
    let third = h.store().tick(2, LONG, true).await.unwrap();
    assert_eq!(hints(&first), [item("m1"), item("m2")]);
    assert_eq!(hints(&second), [item("m3"), item("m4")]);
    assert_eq!(hints(&third), [item("m5")]);
}

async fn two_looks_at_once_never_return_the_same_row(h: &impl Harness) {
    due(h, 40).await;
    let mut looks = JoinSet::new();
    for _ in 0..8 {
        let store = Arc::clone(h.store());
        looks.spawn(async move { store.tick(10, LONG, true).await.unwrap() });
    }
    let found = hints(&looks.join_all().await.concat());
    let distinct: HashSet<_> = found.iter().collect();
    assert_eq!(distinct.len(), found.len(), "{found:?}");
    // A look that met a locked row passed it over; the next one finds it.
    let rest = tick(h).await;
    assert_eq!(found.len() + rest.len(), 40);
}

async fn a_woken_item_is_hinted_anew(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let (leader, follower) = (h.claim(&item("m1")).await, h.claim(&item("m2")).await.held);
    h.store().cached_or_flight(&leader.held, "key").await.unwrap();
    done(h.store().park(&follower, &super::samples::park_on("key", LONG)).await.unwrap());
    assert!(tick(h).await.is_empty());
    done(h.store().record(&leader.held, &skipped(&leader)).await.unwrap());
    assert_eq!(hints(&h.store().tick(100, LONG, false).await.unwrap()), [item("m2")]);
}

async fn a_row_that_was_parked_meanwhile_is_not_returned(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    h.claim_and_die(&item("m1")).await;
    let next = h.claim(&item("m1")).await.held;
    done(h.store().park(&next, &park(LONG)).await.unwrap());
    assert!(tick(h).await.is_empty());
}

async fn a_settled_item_that_owes_nothing_is_never_returned(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    let record = skipped(&claim);
    done(h.store().record(&claim.held, &record).await.unwrap());
    h.store().confirm(&item("m1"), told(&record).id).await.unwrap();
    h.look_now(&item("m1")).await;
    assert!(tick(h).await.is_empty());
    assert_eq!(h.count("select count(*) from queue_items where look_at is not null").await, 0);
}

async fn a_lease_that_was_renewed_is_looked_at_when_it_ends(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = [h.claim_and_die(&item("m1")).await.held];
    assert!(h.store().renew(&held, LONG).await.unwrap().is_empty());
    h.look_now(&item("m1")).await;
    assert!(tick(h).await.is_empty());
    assert!(h.store().renew(&held, Duration::ZERO).await.unwrap().is_empty());
    assert_eq!(hints(&tick(h).await), [item("m1")]);
}
