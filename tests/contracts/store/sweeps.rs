//! What a look tidies up on its way: lost reservations, expired answers, abandoned flights.

use std::time::Duration;

use gleaner::domain::ids::Held;
use gleaner::store::{Admission, AdmissionRequest, CacheLookup, Record, Store as _};
use uuid::Uuid;

use super::harness::{Harness, LONG, done};
use super::samples::{budget, chat, entry, item, message, park, rate, request, retry, skipped};

promises! {
    what_a_lease_that_ran_out_reserved_becomes_ambiguous,
    what_a_parked_item_left_reserved_becomes_ambiguous,
    what_a_settled_item_left_reserved_becomes_ambiguous,
    what_a_live_lease_reserved_is_left_alone,
    lost_reservations_are_found_while_the_queue_is_full,
    expired_answers_go_so_many_at_a_time,
    a_look_that_finds_something_to_do_leaves_expired_answers,
    an_answer_that_is_not_expired_stays,
    flights_that_nobody_flies_go_after_an_hour,
    a_flight_in_the_air_stays_however_long_it_takes,
}

const AMBIGUOUS: &str = "select count(*) from ledger where state = 'ambiguous'";
const ENTRIES: &str = "select count(*) from cache";
const FLIGHTS: &str = "select count(*) from flights";

async fn reserve(h: &impl Harness, held: &Held) -> Uuid {
    let request = AdmissionRequest {
        budgets: vec![budget("budget:event:e", 1_000), budget("budget:all", 1_000)],
        rates: vec![rate("rate:event:e", 9, LONG)],
        ..request(400)
    };
    let admission = h.store().admit(held, &request).await.unwrap();
    let Admission::Admitted { ledger } = admission else { panic!("{admission:?}") };
    ledger
}

async fn look(h: &impl Harness) -> usize {
    h.store().tick(100, LONG, true).await.unwrap().len()
}

async fn assert_ambiguous(h: &impl Harness, rows: i64) {
    assert_eq!(h.count(AMBIGUOUS).await, rows);
    assert_eq!(h.count("select cast(sum(ambiguous) as bigint) from scopes").await, 2 * 400 * rows);
    h.assert_balanced().await;
}

async fn what_a_lease_that_ran_out_reserved_becomes_ambiguous(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    for name in ["m1", "m2"] {
        let dead = h.claim_and_die(&item(name)).await.held;
        reserve(h, &dead).await;
    }
    assert_ambiguous(h, 0).await;
    look(h).await;
    assert_ambiguous(h, 2).await;
}

async fn what_a_parked_item_left_reserved_becomes_ambiguous(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = h.claim(&item("m1")).await.held;
    let row = reserve(h, &held).await;
    done(h.store().park(&held, &park(LONG)).await.unwrap());
    look(h).await;
    assert_ambiguous(h, 1).await;
    // Its answer came late.
    h.store().charge(row, &super::samples::charge(150)).await.unwrap();
    assert_ambiguous(h, 0).await;
}

async fn what_a_settled_item_left_reserved_becomes_ambiguous(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = h.claim(&item("m1")).await.held;
    reserve(h, &held).await;
    let settle = "update queue_items set status = 'skipped', lease_until = null where id = $1";
    h.produce(settle, &["m1"]).await;
    look(h).await;
    assert_ambiguous(h, 1).await;
}

async fn what_a_live_lease_reserved_is_left_alone(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let held = h.claim(&item("m1")).await.held;
    let row = reserve(h, &held).await;
    look(h).await;
    assert_ambiguous(h, 0).await;
    h.store().refund(row, true).await.unwrap();
    assert_eq!(h.count("select count(*) from ledger where state = 'refunded'").await, 1);
}

async fn lost_reservations_are_found_while_the_queue_is_full(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let dead = h.claim_and_die(&item("m1")).await.held;
    reserve(h, &dead).await;
    done(h.store().park(&h.claim(&item("m2")).await.held, &park(Duration::ZERO)).await.unwrap());
    assert_eq!(h.store().tick(1, LONG, false).await.unwrap().len(), 1);
    assert_ambiguous(h, 1).await;
}

/// So many expired answers.
async fn expired(h: &impl Harness, count: &str) {
    const COPY: &str = "with recursive n (i) as (
            select 2 union all select i + 1 from n, messages m where m.text = $1 and i < m.revision
        )
        insert into cache (key, event_id, answer, model, usage, cost, expires_at)
        select key || i, event_id, answer, model, usage, cost, expires_at from cache, n";
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    let record = Record { cache: Some(entry("key", Duration::ZERO)), ..skipped(&claim) };
    done(h.store().record(&claim.held, &record).await.unwrap());
    let mut batch = chat(2);
    batch.messages[1].text = "copies".to_owned();
    batch.messages[1].revision = count.parse().unwrap();
    h.ingest(&batch).await;
    h.produce(COPY, &["copies"]).await;
    h.produce("delete from queue_items where id = $1", &["m2"]).await;
}

async fn expired_answers_go_so_many_at_a_time(h: &impl Harness) {
    expired(h, "150").await;
    assert_eq!(h.count(ENTRIES).await, 150);
    assert_eq!(look(h).await, 0);
    assert_eq!(h.count(ENTRIES).await, 50);
    assert_eq!(look(h).await, 0);
    assert_eq!(h.count(ENTRIES).await, 0);
}

async fn a_look_that_finds_something_to_do_leaves_expired_answers(h: &impl Harness) {
    expired(h, "3").await;
    h.look_now(&item("m1")).await;
    assert_eq!(look(h).await, 1);
    assert_eq!(h.count(ENTRIES).await, 3);
}

async fn an_answer_that_is_not_expired_stays(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    let record = Record { cache: Some(entry("key", LONG)), ..skipped(&claim) };
    done(h.store().record(&claim.held, &record).await.unwrap());
    look(h).await;
    assert_eq!(h.count(ENTRIES).await, 1);
}

/// Makes all flights look as if they had begun long ago.
async fn age_flights(h: &impl Harness) {
    let mut batch = chat(1);
    batch.messages = vec![message("old", -60 * 24 * 365 * 5, "Ann")];
    h.ingest(&batch).await;
    h.claim(&item("old")).await;
    let age = "update flights set open_at = (select sent_at from messages where id = $1)";
    h.produce(age, &["old"]).await;
}

async fn flights_that_nobody_flies_go_after_an_hour(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let dead = h.claim_and_die(&item("m1")).await.held;
    let failed = h.claim(&item("m2")).await.held;
    for (held, key) in [(&dead, "a"), (&failed, "b")] {
        let lookup = h.store().cached_or_flight(held, key).await.unwrap();
        assert_eq!(lookup, CacheLookup::Leader);
    }
    done(h.store().park(&failed, &retry(LONG)).await.unwrap());
    while look(h).await > 0 {}
    assert_eq!(h.count(FLIGHTS).await, 2);
    age_flights(h).await;
    assert_eq!(look(h).await, 0);
    assert_eq!(h.count(FLIGHTS).await, 0);
}

async fn a_flight_in_the_air_stays_however_long_it_takes(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let leader = h.claim(&item("m1")).await.held;
    h.store().cached_or_flight(&leader, "key").await.unwrap();
    age_flights(h).await;
    assert_eq!(look(h).await, 0);
    assert_eq!(h.count(FLIGHTS).await, 1);
}
