//! Suggestion runs: when an event has one, and that it has no more of them.

use std::sync::Arc;
use std::time::Duration;

use gleaner::domain::ids::{Held, ItemId};
use gleaner::domain::outcome::Reason;
use gleaner::store::{
    Claim, Claimed, Due, Fenced, ItemKind, Progress, Record, Store as _, SuggestAfter,
};
use tokio::task::JoinSet;

use super::harness::{Harness, LONG, done, held};
use super::samples::{
    answer, at, changing, chat, completed, event_id, failed, item, message_id, park, run_end,
    skipped, suggestion, task,
};

promises! {
    a_change_gives_its_event_a_run_that_is_hinted_when_it_is_due,
    what_changes_no_row_gives_no_run,
    without_a_term_a_change_gives_no_run,
    many_changes_give_one_run,
    records_that_race_give_one_run,
    a_run_is_put_off_while_its_event_changes,
    a_run_is_not_put_off_for_ever,
    a_change_during_a_run_gives_another_one_in_the_next_window,
    a_run_that_ended_is_followed_in_the_next_window,
    a_run_that_was_put_back_sees_what_changed_meanwhile,
    a_run_that_begins_ends_the_events_other_waiting_runs,
    a_run_whose_worker_died_is_ended_by_the_next,
    claims_that_race_begin_one_run,
    a_run_comes_with_its_event_as_of_its_latest_settled_message,
    a_run_of_an_event_without_a_row_can_be_settled,
    a_crash_between_claim_and_record_loses_no_run,
    a_raised_revision_is_a_change_like_any_other,
    runs_count_neither_as_messages_nor_as_what_questions_wait_for,
}

/// Due at once, and the next a long time later.
const AT_ONCE: SuggestAfter = SuggestAfter { every: LONG, quiet: Duration::ZERO };
/// Due at once, and the next at once.
const ALWAYS: SuggestAfter =
    SuggestAfter { every: Duration::from_micros(1), quiet: Duration::ZERO };
/// Due when nothing changed for long.
const QUIET: SuggestAfter = SuggestAfter { every: LONG, quiet: LONG };

const RUNS: &str = "select count(*) from queue_items where kind = 'suggestion'";
const WAITING: &str =
    "select count(*) from queue_items where kind = 'suggestion' and status = 'pending'";

/// Settles a message that opens a task, and so changes its event.
async fn change(h: &impl Harness, message: &str, after: SuggestAfter) {
    let claim = h.claim(&item(message)).await;
    done(h.store().record(&claim.held, &changing(&claim, message, after)).await.unwrap());
}

/// The runs that the scheduler hints now.
async fn hinted(h: &impl Harness) -> Vec<ItemId> {
    let due = h.store().tick(100, LONG, true).await.unwrap();
    let runs = due.into_iter().filter_map(|due| match due {
        Due::Hint(item) if !item.as_str().starts_with('m') => Some(item),
        Due::Hint(_) | Due::Owed(_) => None,
    });
    runs.collect()
}

/// The one run that is due now.
async fn due_run(h: &impl Harness) -> ItemId {
    let runs = hinted(h).await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].clone()
}

async fn pending(h: &impl Harness) -> Option<Duration> {
    h.store().suggestions_pending(&event_id()).await.unwrap()
}

/// Whether the next run has still to wait.
async fn waits(h: &impl Harness) -> bool {
    pending(h).await.is_some_and(|after| after > Duration::ZERO && after <= LONG)
}

/// Asserts that an item has its end, and owes nothing.
async fn assert_over(h: &impl Harness, run: &ItemId) {
    let claimed = h.store().claim(run, LONG).await.unwrap();
    assert!(matches!(claimed, Claimed::Settled { owed: None }), "{claimed:?}");
}

async fn a_change_gives_its_event_a_run_that_is_hinted_when_it_is_due(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    assert_eq!(pending(h).await, None);
    change(h, "m1", AT_ONCE).await;
    assert_eq!(pending(h).await, Some(Duration::ZERO));
    let run = due_run(h).await;
    assert_eq!(h.claim(&run).await.attempt, 1);
    assert_eq!(pending(h).await, Some(Duration::ZERO), "under way");
}

async fn what_changes_no_row_gives_no_run(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let (a, b) = (h.claim(&item("m1")).await, h.claim(&item("m2")).await);
    let nothing = Record { suggest: Some(AT_ONCE), ..skipped(&a) };
    done(h.store().record(&a.held, &nothing).await.unwrap());
    let told = Record { suggest: Some(AT_ONCE), ..completed(&b, answer("£5")) };
    done(h.store().record(&b.held, &told).await.unwrap());
    assert_eq!(h.count(RUNS).await, 0);
}

async fn without_a_term_a_change_gives_no_run(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    done(h.store().record(&claim.held, &completed(&claim, task("dj"))).await.unwrap());
    assert_eq!((h.count(RUNS).await, pending(h).await), (0, None));
}

async fn many_changes_give_one_run(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    for message in ["m1", "m2", "m3"] {
        change(h, message, AT_ONCE).await;
    }
    assert_eq!(h.count(RUNS).await, 1);
    due_run(h).await;
}

async fn records_that_race_give_one_run(h: &impl Harness) {
    const MESSAGES: usize = 12;
    h.ingest(&chat(MESSAGES)).await;
    let mut records = JoinSet::new();
    for n in 1..=MESSAGES {
        let name = format!("m{n}");
        let claim = h.claim(&item(&name)).await;
        let (store, record) = (Arc::clone(h.store()), changing(&claim, &name, AT_ONCE));
        records.spawn(async move { done(store.record(&claim.held, &record).await.unwrap()) });
    }
    records.join_all().await;
    assert_eq!(h.count(RUNS).await, 1);
}

async fn a_run_is_put_off_while_its_event_changes(h: &impl Harness) {
    const DUE_NOW: &str = "update queue_items set due_at = created_at, look_at = created_at
        where kind = 'suggestion'";
    h.ingest(&chat(2)).await;
    change(h, "m1", QUIET).await;
    assert!(waits(h).await && hinted(h).await.is_empty());
    h.produce(DUE_NOW, &[]).await;
    assert!(!waits(h).await);
    change(h, "m2", QUIET).await;
    assert!(waits(h).await && hinted(h).await.is_empty());
    assert_eq!(h.count(RUNS).await, 1);
}

async fn a_run_is_not_put_off_for_ever(h: &impl Harness) {
    // The chat is long ago.
    const LONG_AGO: &str = "update queue_items set created_at = (select min(sent_at) from messages)
        where kind = 'suggestion'";
    h.ingest(&chat(2)).await;
    change(h, "m1", QUIET).await;
    h.produce(LONG_AGO, &[]).await;
    change(h, "m2", QUIET).await;
    assert_eq!(pending(h).await, Some(Duration::ZERO));
    due_run(h).await;
}

async fn a_change_during_a_run_gives_another_one_in_the_next_window(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    change(h, "m1", AT_ONCE).await;
    let first = h.claim(&due_run(h).await).await;
    change(h, "m2", AT_ONCE).await;
    change(h, "m3", AT_ONCE).await;
    assert_eq!((h.count(RUNS).await, h.count(WAITING).await), (2, 1));
    done(h.store().record(&first.held, &run_end(&first, &[])).await.unwrap());
    assert!(waits(h).await && hinted(h).await.is_empty());
}

async fn a_run_that_ended_is_followed_in_the_next_window(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    change(h, "m1", AT_ONCE).await;
    let first = h.claim(&due_run(h).await).await;
    done(h.store().record(&first.held, &run_end(&first, &[])).await.unwrap());
    assert_eq!(pending(h).await, None);
    change(h, "m2", AT_ONCE).await;
    assert!(waits(h).await && hinted(h).await.is_empty());
    change(h, "m3", AT_ONCE).await;
    assert!(waits(h).await && h.count(RUNS).await == 2);
}

async fn a_run_that_was_put_back_sees_what_changed_meanwhile(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    change(h, "m1", AT_ONCE).await;
    let run = due_run(h).await;
    let claim = h.claim(&run).await;
    done(h.store().park(&claim.held, &park(Duration::ZERO)).await.unwrap());
    change(h, "m2", QUIET).await;
    assert_eq!((h.count(RUNS).await, pending(h).await), (1, Some(Duration::ZERO)));
    assert_eq!(h.claim(&run).await.moment, Some((at(2), message_id("m2"))));
}

/// A run that waits after its first claim, and another that came for a change during it.
async fn two_waiting(h: &impl Harness) -> (Held, ItemId) {
    h.ingest(&chat(2)).await;
    change(h, "m1", ALWAYS).await;
    let first = h.claim(&due_run(h).await).await;
    change(h, "m2", ALWAYS).await;
    let second = due_run(h).await;
    assert_ne!(first.held.item, second);
    (first.held, second)
}

async fn a_run_that_begins_ends_the_events_other_waiting_runs(h: &impl Harness) {
    let (first, second) = two_waiting(h).await;
    done(h.store().park(&first, &park(Duration::ZERO)).await.unwrap());
    let again = h.claim(&first.item).await;
    assert_over(h, &second).await;
    assert_eq!(h.store().queue().await.unwrap().owed, 2, "those of the two messages");
    done(h.store().record(&again.held, &run_end(&again, &[])).await.unwrap());
    assert_eq!(pending(h).await, None);
}

async fn a_run_whose_worker_died_is_ended_by_the_next(h: &impl Harness) {
    let (first, second) = two_waiting(h).await;
    h.store().renew(std::slice::from_ref(&first), Duration::ZERO).await.unwrap();
    let begun = h.claim(&second).await;
    assert_over(h, &first.item).await;
    let late = Claim { held: first.clone(), ..begun };
    let late = run_end(&late, &[suggestion("florist")]);
    assert_eq!(h.store().record(&first, &late).await.unwrap(), Fenced::Lost);
    assert!(!h.store().was_recorded(&first).await.unwrap());
    assert_eq!(h.count("select count(*) from suggestions").await, 0);
}

async fn claims_that_race_begin_one_run(h: &impl Harness) {
    let (first, second) = two_waiting(h).await;
    done(h.store().park(&first, &park(Duration::ZERO)).await.unwrap());
    let mut claims = JoinSet::new();
    for run in [first.item, second] {
        let store = Arc::clone(h.store());
        claims.spawn(async move { store.claim(&run, LONG).await.unwrap() });
    }
    let claimed = claims.join_all().await;
    let begun = claimed.iter().filter(|claimed| matches!(claimed, Claimed::Held(_))).count();
    assert_eq!((begun, h.count(WAITING).await), (1, 0), "{claimed:?}");
}

async fn a_run_comes_with_its_event_as_of_its_latest_settled_message(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    change(h, "m2", AT_ONCE).await;
    change(h, "m1", AT_ONCE).await;
    let claim = h.claim(&due_run(h).await).await;
    assert_eq!(claim.kind, ItemKind::Suggestion);
    assert_eq!(claim.moment, Some((at(2), message_id("m2"))));
    assert_eq!(claim.event.as_ref().map(|event| &event.id), Some(&event_id()));
    assert!(claim.room_exists && claim.message.is_none() && claim.before.is_empty());
    assert_eq!((claim.revision(), claim.unreadable), (-1, None));
    let message = h.claim(&item("m3")).await;
    assert_eq!((message.kind, message.moment), (ItemKind::Message, None));
    let unknown = h.claim(&item("ghost")).await;
    assert_eq!((unknown.kind, unknown.moment), (ItemKind::Message, None));
}

async fn a_run_of_an_event_without_a_row_can_be_settled(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    change(h, "m1", AT_ONCE).await;
    h.produce("delete from events where id = $1", &["wedding"]).await;
    let claim = h.claim(&due_run(h).await).await;
    assert!(claim.event.is_none() && claim.room_exists);
    let record = Record { completion: None, ..failed(&claim, Reason::EventNotFound) };
    done(h.store().record(&claim.held, &record).await.unwrap());
    assert_over(h, &claim.held.item).await;
}

async fn a_crash_between_claim_and_record_loses_no_run(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    change(h, "m1", AT_ONCE).await;
    let run = due_run(h).await;
    h.claim_and_die(&run).await;
    assert_eq!(due_run(h).await, run);
    let again = held(h.store().claim(&run, LONG).await.unwrap());
    assert_eq!(again.attempt, 2);
    let end = run_end(&again, &[suggestion("florist")]);
    assert_eq!(done(h.store().record(&again.held, &end).await.unwrap()).new.len(), 1);
}

async fn a_raised_revision_is_a_change_like_any_other(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    let record = changing(&claim, "dj", AT_ONCE);
    done(h.store().record(&claim.held, &record).await.unwrap());
    let run = h.claim(&due_run(h).await).await;
    let suggested = run_end(&run, &[suggestion("florist")]);
    done(h.store().record(&run.held, &suggested).await.unwrap());
    h.store().confirm(&item("m1"), record.completion.unwrap().id).await.unwrap();
    h.edit("m1").await;
    let edited = h.claim(&item("m1")).await;
    let taken_back = Record { suggest: Some(AT_ONCE), ..skipped(&edited) };
    done(h.store().record(&edited.held, &taken_back).await.unwrap());
    assert!(waits(h).await, "the task is gone, which is a change");
    assert_eq!(h.store().suggestions(Some(&event_id())).await.unwrap().len(), 1);
}

async fn runs_count_neither_as_messages_nor_as_what_questions_wait_for(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    change(h, "m1", AT_ONCE).await;
    let settled = Progress { settled: 1, total: 2 };
    assert_eq!(h.store().progress(&event_id()).await.unwrap(), settled);
    assert_eq!(h.store().unsettled_before(&message_id("m2")).await.unwrap(), 0);
    let run = h.claim(&due_run(h).await).await;
    let record = Record { completion: None, ..failed(&run, Reason::AnswerInvalid) };
    done(h.store().record(&run.held, &record).await.unwrap());
    assert_eq!(h.store().progress(&event_id()).await.unwrap(), settled);
    let report = h.store().event_report(&event_id()).await.unwrap().unwrap();
    assert_eq!((report.failed, report.by_intent), (Vec::new(), Vec::new()));
    assert_eq!(h.store().queue().await.unwrap().failed, 1);
}
