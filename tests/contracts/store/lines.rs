//! Lines: whoever is refused by a rate has a place, is called in turn, and blocks nobody.

use std::time::{Duration, Instant};

use gleaner::domain::ids::Held;
use gleaner::domain::outcome::ParkReason;
use gleaner::fault::Park;
use gleaner::store::{Admission, AdmissionRequest, Due, Store};

use super::harness::{Harness, LONG, done};
use super::samples::{at, chat, item, park, rate, request, skipped};

promises! {
    whoever_is_refused_is_called_when_a_place_frees,
    who_was_sent_first_is_called_first,
    a_wait_is_told_by_the_places_before_it,
    a_newcomer_queues_behind_the_line,
    a_late_joiner_with_an_earlier_message_goes_before_it,
    whoever_is_called_is_not_overtaken,
    as_many_are_called_as_places_are_free,
    a_caller_that_never_comes_lets_the_next_one_through,
    whoever_is_at_work_is_passed_over,
    whoever_another_rate_has_no_place_for_is_passed_over,
    a_place_that_was_given_back_is_called_for_at_once,
    asking_again_keeps_the_place,
    an_item_stands_in_one_line,
    an_admission_ends_the_wait,
    a_settled_item_stands_in_no_line,
    a_ghost_blocks_nobody,
    who_waits_for_something_else_stands_in_nobodys_way,
    without_queueing_no_line_is_joined,
    without_queueing_the_line_goes_first_all_the_same,
}

const LINES: &str = "select count(*) from lines";

/// What message `mN` asks of an event's rate, waiting when it is refused.
fn asks(n: i64, limit: u32, window: Duration) -> AdmissionRequest {
    let rates = vec![rate("rate:event:e", limit, window)];
    AdmissionRequest { rates, sent_at: at(n), queues: true, ..request(10) }
}

pub(crate) async fn claim(h: &impl Harness, n: i64) -> Held {
    h.claim(&item(&format!("m{n}"))).await.held
}

pub(crate) async fn ask(h: &impl Harness, held: &Held, request: &AdmissionRequest) -> Admission {
    h.store().admit(held, request).await.unwrap()
}

/// Claims an item whose request must be admitted.
pub(crate) async fn is_admitted(
    h: &impl Harness,
    n: i64,
    request: &AdmissionRequest,
) -> uuid::Uuid {
    let held = claim(h, n).await;
    let told = ask(h, &held, request).await;
    let Admission::Admitted { ledger } = told else { panic!("m{n} is not admitted but {told:?}") };
    ledger
}

/// Claims an item whose request must be refused, and parks it for longer than the test lasts: only
/// a call makes it due.
pub(crate) async fn waits(h: &impl Harness, n: i64, request: &AdmissionRequest) -> Duration {
    let held = claim(h, n).await;
    let told = ask(h, &held, request).await;
    let (Admission::RateLimited { after, .. } | Admission::BudgetBusy { after, .. }) = told else {
        panic!("m{n} does not wait but {told:?}")
    };
    done(h.store().park(&held, &park(LONG)).await.unwrap());
    after
}

/// Whoever is due now, by their numbers.
pub(crate) async fn called(h: &impl Harness) -> Vec<i64> {
    let due = h.store().tick(100, LONG, false).await.unwrap();
    let number = |due: Due| match due {
        Due::Hint(item) => item.as_str().trim_start_matches('m').parse().unwrap(),
        Due::Owed(owed) => panic!("not a hint but {owed:?}"),
    };
    let mut numbers: Vec<i64> = due.into_iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// Ticks until somebody is due.
pub(crate) async fn next_called(h: &impl Harness) -> Vec<i64> {
    let begun = Instant::now();
    loop {
        let called = called(h).await;
        if !called.is_empty() {
            return called;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody is called");
    }
}

/// Has all lines looked at by the next tick.
async fn look(h: &impl Harness) {
    let look = "update scopes set opens_at = (select min(sent_at) from lines)
        where opens_at is not null and $1 = ''";
    h.produce(look, &[""]).await;
}

async fn whoever_is_refused_is_called_when_a_place_frees(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let window = Duration::from_secs(1);
    is_admitted(h, 1, &asks(1, 1, window)).await;
    waits(h, 2, &asks(2, 1, window)).await;
    assert_eq!(next_called(h).await, [2]);
    is_admitted(h, 2, &asks(2, 1, window)).await;
    assert_eq!(h.count(LINES).await, 0);
    h.assert_balanced().await;
}

async fn who_was_sent_first_is_called_first(h: &impl Harness) {
    h.ingest(&chat(4)).await;
    let mut row = is_admitted(h, 4, &asks(4, 1, LONG)).await;
    for n in [3, 1, 2] {
        waits(h, n, &asks(n, 1, LONG)).await;
    }
    for n in 1..=3 {
        h.store().refund(row, true).await.unwrap();
        assert_eq!(called(h).await, [n]);
        row = is_admitted(h, n, &asks(n, 1, LONG)).await;
    }
}

async fn a_wait_is_told_by_the_places_before_it(h: &impl Harness) {
    h.ingest(&chat(7)).await;
    for n in 1..=2 {
        is_admitted(h, n, &asks(n, 2, LONG)).await;
    }
    let begun = Instant::now();
    let mut told = Vec::new();
    for n in 3..=7 {
        told.push(waits(h, n, &asks(n, 2, LONG)).await);
    }
    let slack = begun.elapsed() + Duration::from_secs(30);
    let span = LONG + Duration::from_millis(20);
    for (wait, spans) in told.into_iter().zip([1, 1, 2, 2, 3]) {
        assert!(wait <= span * spans && wait + slack > span * spans, "{wait:?}, {spans} windows");
    }
}

async fn a_newcomer_queues_behind_the_line(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let row = is_admitted(h, 1, &asks(1, 1, LONG)).await;
    waits(h, 2, &asks(2, 1, LONG)).await;
    h.store().refund(row, true).await.unwrap();
    waits(h, 3, &asks(3, 1, LONG)).await;
    assert_eq!(called(h).await, [2]);
}

async fn a_late_joiner_with_an_earlier_message_goes_before_it(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let row = is_admitted(h, 1, &asks(1, 1, LONG)).await;
    waits(h, 3, &asks(3, 1, LONG)).await;
    h.store().refund(row, true).await.unwrap();
    is_admitted(h, 2, &asks(2, 1, LONG)).await;
}

async fn whoever_is_called_is_not_overtaken(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    // Whoever is fresh has its hint before anybody is called.
    called(h).await;
    let row = is_admitted(h, 1, &asks(1, 1, LONG)).await;
    waits(h, 3, &asks(3, 1, LONG)).await;
    h.store().refund(row, true).await.unwrap();
    assert_eq!(called(h).await, [3]);
    waits(h, 2, &asks(2, 1, LONG)).await;
    is_admitted(h, 3, &asks(3, 1, LONG)).await;
}

async fn as_many_are_called_as_places_are_free(h: &impl Harness) {
    h.ingest(&chat(8)).await;
    let mut rows = Vec::new();
    for n in 1..=3 {
        rows.push(is_admitted(h, n, &asks(n, 3, LONG)).await);
    }
    for n in 4..=8 {
        waits(h, n, &asks(n, 3, LONG)).await;
    }
    for row in &rows[1..] {
        h.store().refund(*row, true).await.unwrap();
    }
    assert_eq!(called(h).await, [4, 5]);
    look(h).await;
    assert!(called(h).await.is_empty(), "more are called than there are places");
    for n in [4, 5] {
        is_admitted(h, n, &asks(n, 3, LONG)).await;
    }
    look(h).await;
    assert!(called(h).await.is_empty(), "more are called than there are places");
}

async fn a_caller_that_never_comes_lets_the_next_one_through(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let row = is_admitted(h, 1, &asks(1, 1, LONG)).await;
    for n in [2, 3] {
        waits(h, n, &asks(n, 1, LONG)).await;
    }
    h.store().refund(row, true).await.unwrap();
    assert_eq!(called(h).await, [2]);
    look(h).await;
    assert!(called(h).await.is_empty(), "the place is kept for whoever is called");
    let age = "update lines set called_until = sent_at where called_until is not null and $1 = ''";
    h.produce(age, &[""]).await;
    look(h).await;
    assert_eq!(called(h).await, [3]);
    is_admitted(h, 3, &asks(3, 1, LONG)).await;
}

async fn whoever_is_at_work_is_passed_over(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let row = is_admitted(h, 1, &asks(1, 1, LONG)).await;
    let busy = claim(h, 2).await;
    let refused = ask(h, &busy, &asks(2, 1, LONG)).await;
    assert!(matches!(refused, Admission::RateLimited { .. }), "{refused:?}");
    waits(h, 3, &asks(3, 1, LONG)).await;
    h.store().refund(row, true).await.unwrap();
    assert_eq!(called(h).await, [3]);
}

async fn whoever_another_rate_has_no_place_for_is_passed_over(h: &impl Harness) {
    h.ingest(&chat(4)).await;
    let by = |n, sender| {
        let mut request = asks(n, 1, LONG);
        request.rates.push(rate(sender, 1, LONG));
        request
    };
    let row = is_admitted(h, 1, &by(1, "rate:sender:a")).await;
    waits(h, 2, &by(2, "rate:sender:b")).await;
    waits(h, 3, &by(3, "rate:sender:c")).await;
    let elsewhere = vec![rate("rate:sender:b", 1, LONG)];
    is_admitted(h, 4, &AdmissionRequest { rates: elsewhere, ..asks(4, 1, LONG) }).await;
    h.store().refund(row, true).await.unwrap();
    assert_eq!(called(h).await, [3]);
    is_admitted(h, 3, &by(3, "rate:sender:c")).await;
}

async fn a_place_that_was_given_back_is_called_for_at_once(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let row = is_admitted(h, 1, &asks(1, 1, LONG)).await;
    waits(h, 2, &asks(2, 1, LONG)).await;
    assert!(called(h).await.is_empty());
    h.store().refund(row, true).await.unwrap();
    assert_eq!(called(h).await, [2]);
    is_admitted(h, 2, &asks(2, 1, LONG)).await;
}

async fn asking_again_keeps_the_place(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    is_admitted(h, 1, &asks(1, 1, LONG)).await;
    let held = claim(h, 2).await;
    let mut told = Vec::new();
    for _ in 0..2 {
        let Admission::RateLimited { after, .. } = ask(h, &held, &asks(2, 1, LONG)).await else {
            panic!("the only place is taken");
        };
        told.push(after);
    }
    assert!(told[1] <= told[0], "it stands before itself: {told:?}");
    assert_eq!(h.count(LINES).await, 1);
}

async fn an_item_stands_in_one_line(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let of = |n, key| AdmissionRequest { rates: vec![rate(key, 1, LONG)], ..asks(n, 1, LONG) };
    is_admitted(h, 1, &of(1, "rate:a")).await;
    is_admitted(h, 2, &of(2, "rate:b")).await;
    let held = claim(h, 3).await;
    for key in ["rate:a", "rate:b"] {
        let refused = ask(h, &held, &of(3, key)).await;
        assert!(matches!(refused, Admission::RateLimited { .. }), "{refused:?}");
        assert_eq!(h.count(LINES).await, 1);
    }
    assert_eq!(h.count("select count(*) from lines where scope = 'rate:b'").await, 1);
}

async fn an_admission_ends_the_wait(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    is_admitted(h, 1, &asks(1, 1, LONG)).await;
    let held = claim(h, 2).await;
    ask(h, &held, &asks(2, 1, LONG)).await;
    assert_eq!(h.count(LINES).await, 1);
    let admitted = ask(h, &held, &asks(2, 2, LONG)).await;
    assert!(matches!(admitted, Admission::Admitted { .. }), "{admitted:?}");
    assert_eq!(h.count(LINES).await, 0);
}

async fn a_settled_item_stands_in_no_line(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    is_admitted(h, 1, &asks(1, 1, LONG)).await;
    let last = h.claim(&item("m2")).await;
    ask(h, &last.held, &asks(2, 1, LONG)).await;
    assert_eq!(h.count(LINES).await, 1);
    done(h.store().record(&last.held, &skipped(&last)).await.unwrap());
    assert_eq!(h.count(LINES).await, 0);
}

async fn a_ghost_blocks_nobody(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let row = is_admitted(h, 1, &asks(1, 1, LONG)).await;
    for n in [2, 3] {
        waits(h, n, &asks(n, 1, LONG)).await;
    }
    let settle = "update queue_items set status = 'skipped', look_at = null where id = $1";
    h.produce(settle, &["m2"]).await;
    h.store().refund(row, true).await.unwrap();
    assert_eq!(called(h).await, [3]);
    assert_eq!(h.count(LINES).await, 1);
    is_admitted(h, 3, &asks(3, 1, LONG)).await;
}

async fn who_waits_for_something_else_stands_in_nobodys_way(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    called(h).await; // fresh items have their hint
    let row = is_admitted(h, 1, &asks(1, 1, LONG)).await;
    waits(h, 2, &asks(2, 1, LONG)).await;
    h.store().refund(row, true).await.unwrap();
    assert_eq!(called(h).await, [2]);
    let held = claim(h, 2).await;
    let paused = Park { reason: ParkReason::ProviderPaused, ..park(LONG) };
    done(h.store().park(&held, &paused).await.unwrap());
    assert_eq!(h.count(LINES).await, 0);
    is_admitted(h, 3, &asks(3, 1, LONG)).await;
}

async fn without_queueing_no_line_is_joined(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    is_admitted(h, 1, &asks(1, 1, LONG)).await;
    waits(h, 2, &AdmissionRequest { queues: false, ..asks(2, 1, LONG) }).await;
    assert_eq!(h.count(LINES).await, 0);
    let opening = "select count(*) from scopes where opens_at is not null";
    assert_eq!(h.count(opening).await, 0);
}

async fn without_queueing_the_line_goes_first_all_the_same(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let row = is_admitted(h, 1, &asks(1, 1, LONG)).await;
    waits(h, 2, &asks(2, 1, LONG)).await;
    h.store().refund(row, true).await.unwrap();
    waits(h, 3, &AdmissionRequest { queues: false, ..asks(3, 1, LONG) }).await;
    assert_eq!(called(h).await, [2]);
}
