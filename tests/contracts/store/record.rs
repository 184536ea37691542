//! Record: one transaction behind the fence.

use std::time::Duration;

use gleaner::domain::enrichment::Contribution;
use gleaner::domain::outcome::Reason;
use gleaner::domain::projection::Projections;
use gleaner::store::{CacheLookup, Claimed, Fenced, Progress, Record, Store as _};

use super::harness::{Harness, LONG, done, earlier};
use super::samples::{
    chat, completed, entry, event, event_id, failed, item, metric, request, retry, skipped, task,
    task_detected, told,
};

promises! {
    a_record_settles_the_item_as_it_says,
    a_record_writes_the_rows_that_the_message_gives,
    a_record_can_be_read_back_by_its_lease,
    a_fenced_record_writes_nothing,
    a_fenced_record_leaves_figures_and_ledger_as_they_are,
    an_item_that_says_nothing_has_no_enrichment,
    recording_twice_writes_once,
    an_item_without_a_message_can_be_settled,
    a_message_of_no_event_can_be_settled,
    a_recorded_item_needs_no_lease_any_more,
    what_is_still_reserved_at_the_end_is_ambiguous,
    parks_failures_and_takeovers_leave_a_row_each_and_the_straight_way_none,
}

async fn rows(h: &impl Harness) -> Projections {
    h.store().projections(&event(), None).await.unwrap()
}

async fn a_record_settles_the_item_as_it_says(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let (a, b, c) =
        (h.claim(&item("m1")).await, h.claim(&item("m2")).await, h.claim(&item("m3")).await);
    done(h.store().record(&a.held, &completed(&a, task("dj"))).await.unwrap());
    done(h.store().record(&b.held, &skipped(&b)).await.unwrap());
    done(h.store().record(&c.held, &failed(&c, Reason::AnswerInvalid)).await.unwrap());
    let queue = h.store().queue().await.unwrap();
    assert_eq!((queue.completed, queue.skipped, queue.failed), (1, 1, 1));
    assert_eq!((queue.pending, queue.processing, queue.owed), (0, 0, 3));
    let progress = h.store().progress(&event_id()).await.unwrap();
    assert_eq!(progress, Progress { settled: 3, total: 3 });
}

async fn a_record_writes_the_rows_that_the_message_gives(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    done(h.store().record(&claim.held, &completed(&claim, task("dj"))).await.unwrap());
    let rows = rows(h).await;
    assert_eq!(rows.tasks.len(), 1);
    let (row, message) = (&rows.tasks[0], claim.message.unwrap());
    assert_eq!((row.object.as_str(), row.title.as_str()), ("dj", "Book the dj"));
    assert_eq!((row.due, row.opened_at), (Some("2026-12-04".parse().unwrap()), message.sent_at));
    assert_eq!((rows.sources.len(), &rows.sources[0].message), (1, &message.id));
    assert_eq!(rows.sources[0].projection, row.id);
}

async fn a_record_can_be_read_back_by_its_lease(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    assert!(!h.store().was_recorded(&claim.held).await.unwrap());
    done(h.store().record(&claim.held, &skipped(&claim)).await.unwrap());
    assert!(h.store().was_recorded(&claim.held).await.unwrap());
    assert!(!h.store().was_recorded(&earlier(&claim.held)).await.unwrap());
}

async fn a_fenced_record_writes_nothing(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let dead = h.claim_and_die(&item("m1")).await;
    h.claim(&item("m1")).await;
    let record = Record { cache: Some(entry("key", LONG)), ..completed(&dead, task("dj")) };
    assert_eq!(h.store().record(&dead.held, &record).await.unwrap(), Fenced::Lost);
    assert_eq!(rows(h).await, Projections::default());
    let report = h.store().event_report(&event_id()).await.unwrap().unwrap();
    assert!(report.by_intent.is_empty() && report.answers.is_empty());
    let other = h.claim(&item("m2")).await.held;
    let lookup = h.store().cached_or_flight(&other, "key").await.unwrap();
    assert_eq!(lookup, CacheLookup::Leader);
    let queue = h.store().queue().await.unwrap();
    assert_eq!((queue.processing, queue.completed, queue.owed), (2, 0, 0));
}

async fn a_fenced_record_leaves_figures_and_ledger_as_they_are(h: &impl Harness) {
    const FIGURES: &str =
        "select (select count(*) from metrics) + (select count(*) from metric_rollups)
        + (select count(*) from cache) + (select count(*) from enrichments)";
    h.ingest(&chat(1)).await;
    let dead = h.claim_and_die(&item("m1")).await;
    // What the live claim reserves is not the dead one's to doubt.
    let live = h.claim(&item("m1")).await.held;
    h.store().admit(&live, &request(400)).await.unwrap();
    let metric = metric(false);
    let cache = Some(entry("key", LONG));
    let record = Record { metric: Some(metric), cache, ..completed(&dead, task("dj")) };
    assert_eq!(h.store().record(&dead.held, &record).await.unwrap(), Fenced::Lost);
    assert_eq!(h.count(FIGURES).await, 0);
    assert_eq!(h.count("select count(*) from ledger where state = 'reserved'").await, 1);
    h.assert_balanced().await;
}

async fn an_item_that_says_nothing_has_no_enrichment(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    let record = Record { detection: Some(task_detected()), ..skipped(&claim) };
    done(h.store().record(&claim.held, &record).await.unwrap());
    assert_eq!(h.count("select count(*) from enrichments").await, 0);
}

async fn recording_twice_writes_once(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    let record = completed(&claim, task("dj"));
    done(h.store().record(&claim.held, &record).await.unwrap());
    let again = h.store().record(&claim.held, &completed(&claim, task("cake"))).await.unwrap();
    assert_eq!(again, Fenced::Lost);
    let rows = rows(h).await;
    assert_eq!((rows.tasks.len(), rows.tasks[0].object.as_str()), (1, "dj"));
}

async fn an_item_without_a_message_can_be_settled(h: &impl Harness) {
    let claim = h.claim(&item("ghost")).await;
    let record = failed(&claim, Reason::MessageNotFound);
    done(h.store().record(&claim.held, &record).await.unwrap());
    let settled = h.store().claim(&item("ghost"), LONG).await.unwrap();
    match settled {
        Claimed::Settled { owed } => assert_eq!(owed.unwrap().completion, told(&record)),
        Claimed::Held(_) | Claimed::NotNow => panic!("not settled but {settled:?}"),
    }
}

async fn a_message_of_no_event_can_be_settled(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    h.produce("delete from rooms where id = $1", &["room"]).await;
    let claim = h.claim(&item("m1")).await;
    let record = failed(&claim, Reason::RoomNotFound);
    assert_eq!(record.contribution, Contribution::default());
    done(h.store().record(&claim.held, &record).await.unwrap());
    assert_eq!(h.store().queue().await.unwrap().failed, 1);
}

async fn a_recorded_item_needs_no_lease_any_more(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    done(h.store().record(&claim.held, &skipped(&claim)).await.unwrap());
    let lost =
        h.store().renew(std::slice::from_ref(&claim.held), Duration::from_secs(60)).await.unwrap();
    assert_eq!(lost, [item("m1")]);
    assert_eq!(h.store().release(&[claim.held]).await.unwrap(), 0);
}

async fn what_is_still_reserved_at_the_end_is_ambiguous(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    h.store().admit(&claim.held, &request(400)).await.unwrap();
    done(h.store().record(&claim.held, &skipped(&claim)).await.unwrap());
    assert_eq!(h.count("select count(*) from ledger where state = 'ambiguous'").await, 1);
    h.assert_balanced().await;
}

async fn parks_failures_and_takeovers_leave_a_row_each_and_the_straight_way_none(h: &impl Harness) {
    const PARKED: &str = "select count(*) from item_history where what = 'parked'
        and item_id = 'm2' and reason = 'retry' and detail = 'overloaded' and attempt = 1";
    const FAILED: &str = "select count(*) from item_history where what = 'failed'
        and item_id = 'm2' and reason = 'refused' and attempt = 3";
    const TAKEN_OVER: &str = "select count(*) from item_history where what = 'taken_over'
        and item_id = 'm2' and attempt = 2";
    h.ingest(&chat(2)).await;
    let straight = h.claim(&item("m1")).await;
    done(h.store().record(&straight.held, &completed(&straight, task("dj"))).await.unwrap());
    assert_eq!(h.count("select count(*) from item_history").await, 0);
    let claim = h.claim(&item("m2")).await;
    done(h.store().park(&claim.held, &retry(Duration::ZERO)).await.unwrap());
    h.claim_and_die(&item("m2")).await;
    let claim = h.claim(&item("m2")).await;
    done(h.store().record(&claim.held, &failed(&claim, Reason::Refused)).await.unwrap());
    for statement in [PARKED, FAILED, TAKEN_OVER] {
        assert_eq!(h.count(statement).await, 1, "{statement}");
    }
    assert_eq!(h.count("select count(*) from item_history").await, 3);
}
