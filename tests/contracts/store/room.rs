//! Who waits for a budget's room: called in order, events in turn, and nobody before them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gleaner::domain::chat::{Event, Message};
use gleaner::domain::ids::{EventId, Held, ItemId, RoomId};
use gleaner::domain::outcome::ParkReason;
use gleaner::domain::usage::NanoUsd;
use gleaner::fault::Park;
use gleaner::settings::BudgetKind;
use gleaner::store::{
    Admission, AdmissionRequest, BudgetChange, BudgetScope, Due, IngestBatch, Resolved, Store as _,
};
use tokio::task::JoinSet;

use super::budgets::{HOUR, ask, asks, busy, daily, ends_in, hold, set, windows};
use super::harness::{Harness, LONG, admit, done};
use super::samples::{at, budget, charge, chat, event, item, message, park, skipped};

promises! {
    who_waits_for_the_next_window_is_called_when_it_begins,
    a_budget_is_never_passed_while_requests_come_and_go,
    who_waits_for_room_is_called_when_a_request_ends,
    a_newcomer_does_not_overtake_who_waits_for_room,
    messages_of_an_event_are_called_in_their_order,
    events_take_turns_in_a_budget_that_they_share,
    who_is_settled_holds_up_nobody,
    who_does_not_queue_waits_in_no_line,
    an_operators_word_calls_who_waits_for_the_next_window,
    a_soft_budgets_line_is_called_once_there_is_room_for_what_is_expected,
    doubt_that_is_resolved_calls_who_waits_for_the_next_window,
}

fn of(event: &str, minutes: i64, request: &AdmissionRequest) -> AdmissionRequest {
    let event = EventId::parse(event).unwrap();
    AdmissionRequest { event, sent_at: at(minutes), ..request.clone() }
}

async fn wait(h: &impl Harness, name: &str, request: &AdmissionRequest) {
    let held = hold(h, name).await;
    busy(h, &held, request).await;
    put_back(h, &held, ParkReason::BudgetBusy).await;
}

async fn put_back(h: &impl Harness, held: &Held, reason: ParkReason) {
    done(h.store().park(held, &Park { reason, ..park(LONG) }).await.unwrap());
}

async fn called(h: &impl Harness) -> Vec<ItemId> {
    let due = h.store().tick(100, LONG, true).await.unwrap();
    let hint = |due| match due {
        Due::Hint(item) => item,
        Due::Owed(owed) => panic!("not a hint but {owed:?}"),
    };
    due.into_iter().map(hint).collect()
}

async fn next_called(h: &impl Harness) -> Vec<ItemId> {
    let begun = Instant::now();
    loop {
        let called = called(h).await;
        if !called.is_empty() {
            return called;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody was called");
        tokio::task::yield_now().await;
    }
}

async fn who_waits_for_the_next_window_is_called_when_it_begins(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let first = hold(h, "m1").await;
    let asked = asks(60, vec![daily(100, ends_in(h, Duration::from_millis(1_500)).await)]);
    let row = admit(h, &first, &asked).await;
    h.store().charge(row, &charge(60)).await.unwrap();
    let second = hold(h, "m2").await;
    let refused = ask(h, &second, &asked).await;
    assert!(matches!(refused, Admission::BudgetSpent { .. }), "{refused:?}");
    put_back(h, &second, ParkReason::BudgetSpent).await;
    assert_eq!(next_called(h).await, [item("m2")]);
    let row = admit(h, &hold(h, "m2").await, &asked).await;
    h.store().refund(row, true).await.unwrap();
    h.assert_balanced().await;
}

async fn a_budget_is_never_passed_while_requests_come_and_go(h: &impl Harness) {
    h.ingest(&chat(32)).await;
    let asked = AdmissionRequest { queues: false, ..asks(30, vec![budget("budget:total", 1_000)]) };
    let mut asking = JoinSet::new();
    for n in 1..=32 {
        let held = hold(h, &format!("m{n}")).await;
        let (store, asked) = (Arc::clone(h.store()), asked.clone());
        asking.spawn(async move {
            loop {
                match store.admit(&held, &asked).await.unwrap() {
                    Admission::Admitted { ledger } if n % 3 == 0 => {
                        store.mark_ambiguous(ledger).await.unwrap();
                    }
                    Admission::Admitted { ledger } => {
                        store.charge(ledger, &charge(n.min(30))).await.unwrap();
                    }
                    Admission::BudgetBusy { .. } => {}
                    Admission::OverBudget { .. } => break,
                    Admission::ProviderPaused { .. }
                    | Admission::RateLimited { .. }
                    | Admission::BudgetSpent { .. }
                    | Admission::Lost => panic!("nothing of the kind is asked"),
                }
            }
        });
    }
    asking.join_all().await;
    let counted = &windows(h, "budget:total").await[0];
    let spent = counted.charged.0 + counted.ambiguous.0;
    assert!(spent > 970 && spent <= 1_000, "{counted:?}");
    assert_eq!(counted.reserved, NanoUsd::ZERO);
    h.assert_balanced().await;
}

async fn who_waits_for_room_is_called_when_a_request_ends(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let first = hold(h, "m1").await;
    let asked = asks(60, vec![budget("budget:total", 100)]);
    let row = admit(h, &first, &asked).await;
    wait(h, "m2", &of("wedding", 2, &asked)).await;
    assert!(called(h).await.is_empty());
    h.store().charge(row, &charge(40)).await.unwrap();
    assert_eq!(called(h).await, [item("m2")], "no time has to pass");
    admit(h, &hold(h, "m2").await, &of("wedding", 2, &asked)).await;
    assert_eq!(h.count("select count(*) from lines").await, 0);
    h.assert_balanced().await;
}

async fn a_newcomer_does_not_overtake_who_waits_for_room(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let first = hold(h, "m1").await;
    let large = asks(60, vec![budget("budget:event:wedding", 100)]);
    let row = admit(h, &first, &large).await;
    wait(h, "m2", &of("wedding", 2, &large)).await;
    // It would fit beside the first, and not beside both.
    let newcomer = hold(h, "m3").await;
    let of_worst =
        |worst| AdmissionRequest { worst_case: NanoUsd(worst), ..of("wedding", 3, &large) };
    busy(h, &newcomer, &of_worst(30)).await;
    h.store().refund(row, true).await.unwrap();
    assert_eq!(called(h).await, [item("m2")]);
    // Room is kept for whoever was called.
    busy(h, &newcomer, &of_worst(41)).await;
    admit(h, &newcomer, &of_worst(40)).await;
    admit(h, &hold(h, "m2").await, &of("wedding", 2, &large)).await;
    h.assert_balanced().await;
}

async fn messages_of_an_event_are_called_in_their_order(h: &impl Harness) {
    h.ingest(&chat(4)).await;
    let asked = asks(100, vec![budget("budget:event:wedding", 100)]);
    let mut row = admit(h, &hold(h, "m1").await, &asked).await;
    // The earliest comes last.
    for (name, minutes) in [("m4", 4), ("m3", 3), ("m2", 2)] {
        wait(h, name, &of("wedding", minutes, &asked)).await;
    }
    for (name, minutes) in [("m2", 2), ("m3", 3), ("m4", 4)] {
        h.store().refund(row, true).await.unwrap();
        assert_eq!(called(h).await, [item(name)]);
        row = admit(h, &hold(h, name).await, &of("wedding", minutes, &asked)).await;
    }
}

async fn another_event(h: &impl Harness, name: &str, messages: i64) {
    let one = |nth: i64| Message {
        room: RoomId::parse(name).unwrap(),
        ..message(&format!("{name}-{nth}"), nth, "Ann")
    };
    let event = Event { id: EventId::parse(name).unwrap(), ..event() };
    h.ingest(&IngestBatch { event, messages: (1..=messages).map(one).collect() }).await;
}

async fn events_take_turns_in_a_budget_that_they_share(h: &impl Harness) {
    another_event(h, "a", 4).await;
    another_event(h, "b", 2).await;
    let asked = asks(100, vec![budget("budget:total", 100)]);
    let mut row = admit(h, &hold(h, "a-1").await, &of("a", 1, &asked)).await;
    // One event has its three in the line before the others have any.
    for (event, nth) in [("a", 3), ("a", 4), ("a", 2), ("b", 1), ("b", 2)] {
        wait(h, &format!("{event}-{nth}"), &of(event, nth + 10, &asked)).await;
    }
    let mut order = Vec::new();
    for round in 0..6 {
        h.store().refund(row, true).await.unwrap();
        let next = called(h).await;
        assert_eq!(next.len(), 1, "{next:?}");
        let (event, nth) = next[0].as_str().split_once('-').unwrap();
        let request = of(event, nth.parse::<i64>().unwrap() + 10, &asked);
        row = admit(h, &hold(h, next[0].as_str()).await, &request).await;
        order.push(next[0].to_string());
        if round == 1 {
            another_event(h, "c", 1).await;
            wait(h, "c-1", &of("c", 20, &asked)).await;
        }
    }
    assert_eq!(order, ["b-1", "a-2", "c-1", "b-2", "a-3", "a-4"]);
}

async fn who_is_settled_holds_up_nobody(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let asked = asks(100, vec![budget("budget:total", 100)]);
    let row = admit(h, &hold(h, "m1").await, &asked).await;
    wait(h, "m3", &of("wedding", 3, &asked)).await;
    let settled = h.claim(&item("m2")).await;
    busy(h, &settled.held, &of("wedding", 2, &asked)).await;
    done(h.store().record(&settled.held, &skipped(&settled)).await.unwrap());
    assert_eq!(h.count("select count(*) from lines").await, 1);
    h.store().refund(row, true).await.unwrap();
    assert_eq!(called(h).await, [item("m3")]);
}

async fn who_does_not_queue_waits_in_no_line(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let asked = asks(60, vec![daily(100, ends_in(h, HOUR).await)]);
    let row = admit(h, &hold(h, "m1").await, &asked).await;
    let held = hold(h, "m2").await;
    let asked = AdmissionRequest { queues: false, ..asked };
    busy(h, &held, &asked).await;
    h.store().charge(row, &charge(60)).await.unwrap();
    let spent = ask(h, &held, &asked).await;
    assert!(matches!(spent, Admission::BudgetSpent { .. }), "{spent:?}");
    assert_eq!(h.count("select count(*) from lines").await, 0);
}

async fn an_operators_word_calls_who_waits_for_the_next_window(h: &impl Harness) {
    makes_room_by_an_operators_word(h, BudgetKind::Hard).await;
}

async fn a_soft_budgets_line_is_called_once_there_is_room_for_what_is_expected(h: &impl Harness) {
    makes_room_by_an_operators_word(h, BudgetKind::Soft).await;
}

async fn makes_room_by_an_operators_word(h: &impl Harness, kind: BudgetKind) {
    h.ingest(&chat(2)).await;
    let day = BudgetScope { kind, ..daily(100, ends_in(h, HOUR).await) };
    let asked = AdmissionRequest { expected: NanoUsd(60), ..asks(60, vec![day]) };
    let row = admit(h, &hold(h, "m1").await, &asked).await;
    h.store().charge(row, &charge(60)).await.unwrap();
    let held = hold(h, "m2").await;
    let spent = ask(h, &held, &asked).await;
    assert!(matches!(spent, Admission::BudgetSpent { .. }), "{spent:?}");
    put_back(h, &held, ParkReason::BudgetSpent).await;
    assert!(called(h).await.is_empty());
    set(h, "budget:day", BudgetChange::Limit(NanoUsd(110))).await;
    assert!(called(h).await.is_empty(), "there is still no room for it");
    set(h, "budget:day", BudgetChange::Limit(NanoUsd(120))).await;
    assert_eq!(called(h).await, [item("m2")]);
    admit(h, &hold(h, "m2").await, &asked).await;
}

async fn doubt_that_is_resolved_calls_who_waits_for_the_next_window(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let asked = asks(60, vec![daily(100, ends_in(h, HOUR).await)]);
    let row = admit(h, &hold(h, "m1").await, &asked).await;
    h.store().mark_ambiguous(row).await.unwrap();
    let held = hold(h, "m2").await;
    let spent = ask(h, &held, &asked).await;
    assert!(matches!(spent, Admission::BudgetSpent { .. }), "{spent:?}");
    put_back(h, &held, ParkReason::BudgetSpent).await;
    assert!(called(h).await.is_empty());
    assert_eq!(h.store().resolve(row, NanoUsd(1), "Ana").await.unwrap(), Resolved::Closed);
    assert_eq!(called(h).await, [item("m2")]);
    admit(h, &hold(h, "m2").await, &asked).await;
    h.assert_balanced().await;
}
