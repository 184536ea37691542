//! The lines of budgets: room that comes back is called for, events take turns, and a crowd that
//! waits, dies and comes again is answered within its limits.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gleaner::domain::ids::{EventId, ItemId};
use gleaner::domain::usage::NanoUsd;
use gleaner::store::{Admission, AdmissionRequest, Claimed, Due, LedgerQuery, Store};
use tokio::task::JoinSet;

use super::harness::{Harness, LONG, done};
use super::lines::{called, is_admitted, next_called, waits};
use super::samples::{at, budget, charge, chat, item, park, rate, request, skipped};

promises! {
    whoever_is_busy_is_called_once_a_row_is_closed,
    a_smaller_request_does_not_overtake_the_line,
    as_many_are_called_as_have_room_together,
    whoever_can_never_fit_is_called_to_hear_it,
    events_take_turns_in_a_line_that_they_share,
    an_earlier_message_has_its_events_turn,
    an_events_own_line_has_no_turns,
    a_crowd_is_answered_in_line_and_never_one_too_many,
}

/// What message `mN` asks of a budget of 100, waiting when it is refused.
fn asks(n: i64, worst_case: i64, name: &str) -> AdmissionRequest {
    let budgets = vec![budget(name, 100)];
    AdmissionRequest { budgets, sent_at: at(n), queues: true, ..request(worst_case) }
}

/// The same for an event by its letter.
fn of(event: &str, n: i64) -> AdmissionRequest {
    AdmissionRequest { event: EventId::parse(event).unwrap(), ..asks(n, 60, "budget:all") }
}

async fn whoever_is_busy_is_called_once_a_row_is_closed(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let row = is_admitted(h, 1, &asks(1, 60, "budget:all")).await;
    let after = waits(h, 2, &asks(2, 60, "budget:all")).await;
    assert!(after <= Duration::from_secs(5), "{after:?}");
    h.store().charge(row, &charge(30)).await.unwrap();
    assert_eq!(called(h).await, [2]);
    is_admitted(h, 2, &asks(2, 60, "budget:all")).await;
    h.assert_balanced().await;
}

async fn a_smaller_request_does_not_overtake_the_line(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let row = is_admitted(h, 1, &asks(1, 60, "budget:all")).await;
    waits(h, 2, &asks(2, 60, "budget:all")).await;
    waits(h, 3, &asks(3, 30, "budget:all")).await;
    h.store().refund(row, true).await.unwrap();
    assert_eq!(called(h).await, [2, 3]);
}

async fn as_many_are_called_as_have_room_together(h: &impl Harness) {
    h.ingest(&chat(5)).await;
    let row = is_admitted(h, 1, &asks(1, 100, "budget:all")).await;
    for n in 2..=5 {
        waits(h, n, &asks(n, 40, "budget:all")).await;
    }
    h.store().refund(row, true).await.unwrap();
    assert_eq!(called(h).await, [2, 3]);
    for n in [2, 3] {
        is_admitted(h, n, &asks(n, 40, "budget:all")).await;
    }
}

async fn whoever_can_never_fit_is_called_to_hear_it(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let row = is_admitted(h, 1, &asks(1, 90, "budget:all")).await;
    waits(h, 2, &asks(2, 40, "budget:all")).await;
    h.store().charge(row, &charge(80)).await.unwrap();
    assert_eq!(called(h).await, [2]);
    let held = super::lines::claim(h, 2).await;
    let told = super::lines::ask(h, &held, &asks(2, 40, "budget:all")).await;
    let budget = "budget:all".to_owned();
    assert_eq!(told, Admission::OverBudget { budget, room: NanoUsd(20) });
    assert_eq!(h.count("select count(*) from lines").await, 0);
}

/// In which order these are called, one at a time.
async fn order(h: &impl Harness, asking: &[(&str, i64)], name: Option<&str>) -> Vec<i64> {
    let asks = |event: &str, n| match name {
        Some(name) => asks(n, 60, name),
        None => of(event, n),
    };
    h.ingest(&chat(9)).await;
    // Whoever is fresh has its hint before anybody is called.
    called(h).await;
    let mut row = is_admitted(h, 9, &asks("z", 9)).await;
    for (event, n) in asking {
        waits(h, *n, &asks(event, *n)).await;
    }
    let mut order = Vec::new();
    for _ in asking {
        h.store().refund(row, true).await.unwrap();
        let next = next_called(h).await;
        assert_eq!(next.len(), 1, "{next:?}");
        let (event, n) = asking.iter().find(|(_, n)| *n == next[0]).unwrap();
        row = is_admitted(h, *n, &asks(event, *n)).await;
        order.push(*n);
    }
    order
}

async fn events_take_turns_in_a_line_that_they_share(h: &impl Harness) {
    let asking = [("e", 1), ("e", 2), ("e", 3), ("f", 4), ("f", 5)];
    assert_eq!(order(h, &asking, None).await, [1, 4, 2, 5, 3]);
}

async fn an_earlier_message_has_its_events_turn(h: &impl Harness) {
    let asking = [("e", 2), ("e", 3), ("f", 4), ("e", 1)];
    assert_eq!(order(h, &asking, None).await, [1, 4, 2, 3]);
}

async fn an_events_own_line_has_no_turns(h: &impl Harness) {
    let asking = [("e", 2), ("e", 3), ("e", 1), ("e", 4)];
    assert_eq!(order(h, &asking, Some("budget:event:e")).await, [1, 2, 3, 4]);
}

const CROWD: usize = 40;
const PLACES: u32 = 5;
const SPAN: Duration = Duration::from_millis(150);

/// Works on an item as a worker does; now and then it dies on its way. True once it is settled.
async fn work<S: Store>(store: Arc<S>, item: ItemId, visit: u32) -> bool {
    let n: i64 = item.as_str().trim_start_matches('m').parse().unwrap();
    let dies = (n % 7 == 0 && visit == 1) || (n % 5 == 0 && visit == 2);
    let lease = if dies { Duration::ZERO } else { LONG };
    let Claimed::Held(claim) = store.claim(&item, lease).await.unwrap() else {
        return false;
    };
    let rates = vec![rate("rate:event:e", PLACES, SPAN - Duration::from_millis(20))];
    let asks = AdmissionRequest { rates, ..asks(n, 60, "budget:all") };
    if dies {
        return false;
    }
    let told = store.admit(&claim.held, &asks).await.unwrap();
    if let Admission::Admitted { ledger } = told {
        store.charge(ledger, &charge(1)).await.unwrap();
        done(store.record(&claim.held, &skipped(&claim)).await.unwrap());
        return true;
    }
    let (Admission::RateLimited { after, .. } | Admission::BudgetBusy { after, .. }) = told else {
        panic!("m{n} does not wait but {told:?}")
    };
    done(store.park(&claim.held, &park(after)).await.unwrap());
    false
}

async fn a_crowd_is_answered_in_line_and_never_one_too_many(h: &impl Harness) {
    h.ingest(&chat(CROWD)).await;
    let mut visits: HashMap<ItemId, u32> = HashMap::new();
    let mut working = JoinSet::new();
    let mut settled = 0;
    let begun = std::time::Instant::now();
    for n in 1..=CROWD {
        h.look_now(&item(&format!("m{n}"))).await;
    }
    while settled < CROWD {
        assert!(begun.elapsed() < Duration::from_secs(60), "{settled} of {CROWD} in a minute");
        for due in h.store().tick(100, Duration::from_secs(1), true).await.unwrap() {
            let Due::Hint(item) = due else { continue };
            let visit = visits.entry(item.clone()).and_modify(|n| *n += 1).or_insert(1);
            working.spawn(work(Arc::clone(h.store()), item, *visit));
        }
        while let Some(ended) = working.try_join_next() {
            settled += usize::from(ended.unwrap());
        }
    }
    h.assert_balanced().await;
    assert_eq!(h.count("select count(*) from lines").await, 0);
    let query = LedgerQuery { limit: 1_000, ..LedgerQuery::default() };
    let rows = h.store().ledger(&query).await.unwrap();
    let mut instants: Vec<_> = rows.iter().map(|row| row.admitted_at).collect();
    instants.sort_unstable();
    assert_eq!(instants.len(), CROWD);
    for (first, next) in instants.iter().zip(&instants[PLACES as usize..]) {
        let apart = next.duration_since(*first);
        assert!(apart.unsigned_abs() >= SPAN, "{PLACES} places and one within {apart:?}");
    }
}
