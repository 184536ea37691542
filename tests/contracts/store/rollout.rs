//! What became of messages inside and outside the rollout.

use std::time::Duration;

use gleaner::domain::chat::Event;
use gleaner::domain::ids::{EventId, RoomId};
use gleaner::domain::outcome::Reason;
use gleaner::domain::usage::NanoUsd;
use gleaner::store::{Claim, IngestBatch, Record, RolloutReport, Store as _};

use super::harness::{Harness, admit, done};
use super::samples::{
    charge, completed, event, failed, item, message, metric, request, skipped, task, told,
};

promises! {
    nothing_settled_is_reported_as_nothing,
    messages_are_told_apart_by_their_side,
    only_what_was_settled_in_that_time_counts,
    what_is_opened_again_is_not_settled,
    the_time_to_the_end_counts_from_the_first_claim,
}

const DAY: Duration = Duration::from_secs(86_400);

/// An event of that ID with these messages.
async fn say(h: &impl Harness, id: &str, messages: &[&str]) {
    let event = Event { id: EventId::parse(id).unwrap(), ..event() };
    let said = |(n, name): (usize, &&str)| {
        let room = RoomId::parse(&format!("room of {id}").replace(' ', "-")).unwrap();
        gleaner::domain::chat::Message { room, ..message(name, n as i64, "Ann") }
    };
    let messages = messages.iter().enumerate().map(said).collect();
    h.ingest(&IngestBatch { event, messages }).await;
}

async fn end(h: &impl Harness, name: &str, record: impl FnOnce(&Claim) -> Record) {
    let claim = h.claim(&item(name)).await;
    let record = record(&claim);
    done(h.store().record(&claim.held, &record).await.unwrap());
    h.store().confirm(&item(name), told(&record).id).await.unwrap();
}

fn left_out(claim: &Claim) -> Record {
    Record { reason: Some(Reason::OutsideRollout), ..skipped(claim) }
}

async fn report(h: &impl Harness) -> RolloutReport {
    h.store().rollout_report(DAY).await.unwrap()
}

async fn nothing_settled_is_reported_as_nothing(h: &impl Harness) {
    assert_eq!(report(h).await, RolloutReport::default());
    say(h, "in", &["a"]).await;
    assert_eq!(report(h).await, RolloutReport::default());
}

async fn messages_are_told_apart_by_their_side(h: &impl Harness) {
    say(h, "in", &["a", "b", "c"]).await;
    say(h, "also-in", &["d"]).await;
    say(h, "out", &["e", "f"]).await;
    let claim = h.claim(&item("a")).await;
    let row = admit(h, &claim.held, &request(500)).await;
    h.store().charge(row, &charge(150)).await.unwrap();
    let record = Record { metric: Some(metric(false)), ..completed(&claim, task("dj")) };
    done(h.store().record(&claim.held, &record).await.unwrap());
    end(h, "b", skipped).await;
    end(h, "c", |claim| failed(claim, Reason::Refused)).await;
    end(h, "d", |claim| completed(claim, task("cake"))).await;
    for name in ["e", "f"] {
        end(h, name, left_out).await;
    }
    let RolloutReport { inside, outside } = report(h).await;
    assert_eq!((inside.events, outside.events), (2, 1));
    assert_eq!((inside.completed, inside.skipped, inside.failed), (2, 1, 1));
    assert_eq!((outside.completed, outside.skipped, outside.failed), (0, 2, 0));
    assert_eq!((inside.calls, inside.cost), (1, NanoUsd(150)));
    assert_eq!((outside.calls, outside.cost), (0, NanoUsd::ZERO));
    assert_eq!((inside.settled_in.count(), outside.settled_in.count()), (4, 2));
}

async fn only_what_was_settled_in_that_time_counts(h: &impl Harness) {
    say(h, "in", &["a", "b"]).await;
    end(h, "a", |claim| Record { metric: Some(metric(false)), ..skipped(claim) }).await;
    h.pass_days(2).await;
    assert_eq!(report(h).await, RolloutReport::default());
    end(h, "b", skipped).await;
    assert_eq!((report(h).await.inside.skipped, report(h).await.inside.events), (1, 1));
}

async fn what_is_opened_again_is_not_settled(h: &impl Harness) {
    say(h, "in", &["a"]).await;
    end(h, "a", skipped).await;
    assert_eq!(report(h).await.inside.skipped, 1);
    h.edit("a").await;
    assert_eq!(report(h).await, RolloutReport::default());
}

async fn the_time_to_the_end_counts_from_the_first_claim(h: &impl Harness) {
    say(h, "in", &["a"]).await;
    let claim = h.claim(&item("a")).await;
    done(h.store().park(&claim.held, &super::samples::park(Duration::ZERO)).await.unwrap());
    h.pass(10).await;
    end(h, "a", skipped).await;
    let took = report(h).await.inside.settled_in.quantile(0.5).unwrap();
    assert!(took > Duration::from_secs(590) && took < Duration::from_secs(660), "{took:?}");
}
