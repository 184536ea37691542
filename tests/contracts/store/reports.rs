//! Reports.

use std::time::Duration;

use gleaner::domain::ids::derived_uuid;
use gleaner::domain::intent::{Detection, Intent};
use gleaner::domain::outcome::Reason;
use gleaner::domain::usage::NanoUsd;
use gleaner::store::{
    Admission, AnsweredQuestion, Progress, QueueReport, Record, Spent, Store as _,
};

use super::harness::{Harness, LONG, done};
use super::samples::{
    answer, budget, charge, chat, completed, event, event_id, failed, item, message_id, metric,
    park, request, skipped, task, task_detected, told, usage,
};

promises! {
    an_empty_queue_is_reported_as_empty,
    the_queue_is_counted_by_state_with_the_oldest_ages,
    progress_counts_what_is_settled_of_an_event,
    an_unknown_event_has_no_report,
    a_report_counts_messages_by_their_detected_intent,
    a_report_tells_questions_with_their_answers,
    a_report_tells_what_failed_and_why,
    a_report_sums_what_the_ledger_says,
    a_report_sums_what_the_cache_avoided,
    a_report_brings_the_event_its_messages_and_its_rows,
    a_metric_carries_what_the_ledger_charged_and_is_rolled_up,
    a_repeat_of_a_revision_replaces_its_metric_and_corrects_the_rollup,
    another_revision_has_a_metric_of_its_own,
    an_answer_is_told_until_its_edited_question_is_settled_anew,
}

async fn report(h: &impl Harness) -> gleaner::store::EventReport {
    h.store().event_report(&event_id()).await.unwrap().unwrap()
}

async fn an_empty_queue_is_reported_as_empty(h: &impl Harness) {
    assert_eq!(h.store().queue().await.unwrap(), QueueReport::default());
    assert_eq!(h.store().progress(&event_id()).await.unwrap(), Progress::default());
}

async fn the_queue_is_counted_by_state_with_the_oldest_ages(h: &impl Harness) {
    h.ingest(&chat(5)).await;
    let parked = h.claim(&item("m1")).await.held;
    done(h.store().park(&parked, &park(LONG)).await.unwrap());
    h.claim(&item("m2")).await;
    let settled = h.claim(&item("m3")).await;
    let record = skipped(&settled);
    done(h.store().record(&settled.held, &record).await.unwrap());
    let queue = h.store().queue().await.unwrap();
    assert_eq!((queue.pending, queue.processing, queue.skipped, queue.owed), (3, 1, 1, 1));
    assert!(queue.oldest_due > Duration::ZERO && queue.oldest_due < LONG, "{queue:?}");
    assert!(queue.oldest_processing < LONG, "{queue:?}");
    h.store().confirm(&item("m3"), told(&record).id).await.unwrap();
    assert_eq!(h.store().queue().await.unwrap().owed, 0);
}

async fn progress_counts_what_is_settled_of_an_event(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    let claim = h.claim(&item("m2")).await;
    done(h.store().record(&claim.held, &skipped(&claim)).await.unwrap());
    let progress = h.store().progress(&event_id()).await.unwrap();
    assert_eq!(progress, Progress { settled: 1, total: 3 });
}

async fn an_unknown_event_has_no_report(h: &impl Harness) {
    assert!(h.store().event_report(&event_id()).await.unwrap().is_none());
}

async fn a_report_counts_messages_by_their_detected_intent(h: &impl Harness) {
    h.ingest(&chat(6)).await;
    for (name, detection) in [
        ("m1", Some(task_detected())),
        ("m2", Some(Detection::none(0.8))),
        ("m3", Some(task_detected())),
        ("m4", None),
    ] {
        let claim = h.claim(&item(name)).await;
        let record = Record { detection, ..completed(&claim, Default::default()) };
        done(h.store().record(&claim.held, &record).await.unwrap());
    }
    let claim = h.claim(&item("m5")).await;
    let record = Record { detection: Some(task_detected()), ..failed(&claim, Reason::Refused) };
    done(h.store().record(&claim.held, &record).await.unwrap());
    let counted = report(h).await.by_intent;
    assert_eq!(counted, [(Intent::TaskCreation, 2), (Intent::None, 1)]);
}

async fn a_report_tells_questions_with_their_answers(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    for (name, text) in [("m3", "two tasks"), ("m1", "nothing yet")] {
        let claim = h.claim(&item(name)).await;
        done(h.store().record(&claim.held, &completed(&claim, answer(text))).await.unwrap());
    }
    let told = |name: &str, text: &str| AnsweredQuestion {
        message: message_id(name),
        question: format!("this is {name}"),
        answer: text.to_owned(),
        sources: vec![derived_uuid(&["cited by", text])],
    };
    assert_eq!(report(h).await.answers, [told("m1", "nothing yet"), told("m3", "two tasks")]);
}

async fn a_report_tells_what_failed_and_why(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    for (name, reason) in [("m3", Reason::Refused), ("m2", Reason::WaitedTooLong)] {
        let claim = h.claim(&item(name)).await;
        done(h.store().record(&claim.held, &failed(&claim, reason)).await.unwrap());
    }
    let expected = [(message_id("m2"), Reason::WaitedTooLong), (message_id("m3"), Reason::Refused)];
    let mut failed = report(h).await.failed;
    failed.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(failed, expected);
}

async fn a_report_sums_what_the_ledger_says(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let mut request = request(500);
    request.budgets = vec![budget("budget:event:wedding", 10_000)];
    for (name, costs) in [("m1", vec![150, 40]), ("m2", vec![10])] {
        let claim = h.claim(&item(name)).await;
        for cost in costs {
            let admission = h.store().admit(&claim.held, &request).await.unwrap();
            let Admission::Admitted { ledger } = admission else { panic!("{admission:?}") };
            h.store().charge(ledger, &charge(cost)).await.unwrap();
        }
        let record = Record { metric: Some(metric(false)), ..completed(&claim, task("dj")) };
        done(h.store().record(&claim.held, &record).await.unwrap());
    }
    let spent = report(h).await.spent;
    let thrice = usage() + usage() + usage();
    assert_eq!(spent, Spent { calls: 3, usage: thrice, cost: NanoUsd(200) });
    h.assert_balanced().await;
}

async fn a_report_sums_what_the_cache_avoided(h: &impl Harness) {
    h.ingest(&chat(3)).await;
    for (name, cached) in [("m1", true), ("m2", false), ("m3", true)] {
        let claim = h.claim(&item(name)).await;
        let record = Record { metric: Some(metric(cached)), ..completed(&claim, task("dj")) };
        done(h.store().record(&claim.held, &record).await.unwrap());
    }
    let report = report(h).await;
    assert_eq!((report.cache_hits, report.avoided_cost), (2, NanoUsd(1_400)));
    assert_eq!(report.spent, Spent::default());
}

async fn a_report_brings_the_event_its_messages_and_its_rows(h: &impl Harness) {
    let batch = chat(3);
    h.ingest(&batch).await;
    let claim = h.claim(&item("m2")).await;
    done(h.store().record(&claim.held, &completed(&claim, task("dj"))).await.unwrap());
    let report = report(h).await;
    assert_eq!((report.event, report.messages), (event(), batch.messages));
    assert_eq!(report.rows, h.store().projections(&event(), None).await.unwrap());
    assert_eq!(report.rows.tasks.len(), 1);
}

async fn a_metric_carries_what_the_ledger_charged_and_is_rolled_up(h: &impl Harness) {
    const METRIC: &str = "select count(*) from metrics where item_id = 'm1' and tenant = 'acme'
        and event_id = 'wedding' and intent = 'task_creation' and calls = 2 and cost = 150
        and ambiguous_cost = 500 and input_tokens = 100 and output_tokens = 20
        and cache_read_tokens = 3 and cache_write_5m_tokens = 2 and cache_write_1h_tokens = 1
        and latency_us = 1234000";
    h.ingest(&chat(2)).await;
    for name in ["m1", "m2"] {
        let claim = h.claim(&item(name)).await;
        for charged in [true, false] {
            let admission = h.store().admit(&claim.held, &request(500)).await.unwrap();
            let Admission::Admitted { ledger } = admission else { panic!("{admission:?}") };
            if charged {
                h.store().charge(ledger, &charge(150)).await.unwrap();
            } else {
                h.store().mark_ambiguous(ledger).await.unwrap();
            }
        }
        let record = Record { metric: Some(metric(false)), ..completed(&claim, task("dj")) };
        done(h.store().record(&claim.held, &record).await.unwrap());
    }
    assert_eq!(h.count(METRIC).await, 1);
    for (statement, sum) in [
        ("select cast(sum(items) as bigint) from metric_rollups", 2),
        ("select cast(sum(calls) as bigint) from metric_rollups", 4),
        ("select cast(sum(cost) as bigint) from metric_rollups", 300),
        ("select cast(sum(tokens) as bigint) from metric_rollups", 252),
        ("select cast(sum(latency_us) as bigint) from metric_rollups", 2_468_000),
    ] {
        assert_eq!(h.count(statement).await, sum, "{statement}");
    }
}

/// Settles an item with a metric, its event confirmed.
async fn settle(h: &impl Harness, name: &str, cached: bool) {
    let claim = h.claim(&item(name)).await;
    let record = Record { metric: Some(metric(cached)), ..completed(&claim, task("dj")) };
    done(h.store().record(&claim.held, &record).await.unwrap());
    h.store().confirm(&item(name), told(&record).id).await.unwrap();
}

async fn a_repeat_of_a_revision_replaces_its_metric_and_corrects_the_rollup(h: &impl Harness) {
    const AGAIN: &str =
        "update queue_items set status = 'pending', due_at = created_at where id = $1";
    h.ingest(&chat(2)).await;
    settle(h, "m1", true).await;
    settle(h, "m2", true).await;
    h.produce(AGAIN, &["m1"]).await;
    settle(h, "m1", false).await;
    for (statement, sum) in [
        ("select count(*) from metrics", 2),
        ("select count(*) from metrics where cached", 1),
        ("select cast(sum(items) as bigint) from metric_rollups", 2),
        ("select cast(sum(cached) as bigint) from metric_rollups", 1),
        ("select cast(sum(avoided_cost) as bigint) from metric_rollups", 700),
        ("select cast(sum(latency_us) as bigint) from metric_rollups", 2_468_000),
    ] {
        assert_eq!(h.count(statement).await, sum, "{statement}");
    }
}

async fn another_revision_has_a_metric_of_its_own(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    settle(h, "m1", false).await;
    h.edit("m1").await;
    settle(h, "m1", false).await;
    assert_eq!(h.count("select count(*) from metrics where item_id = 'm1'").await, 2);
    assert_eq!(h.count("select cast(sum(items) as bigint) from metric_rollups").await, 2);
}

async fn an_answer_is_told_until_its_edited_question_is_settled_anew(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = h.claim(&item("m1")).await;
    let record = completed(&claim, answer("two tasks"));
    done(h.store().record(&claim.held, &record).await.unwrap());
    h.store().confirm(&item("m1"), told(&record).id).await.unwrap();
    h.edit("m1").await;
    assert_eq!(report(h).await.answers.len(), 1);
    let claim = h.claim(&item("m1")).await;
    done(h.store().record(&claim.held, &skipped(&claim)).await.unwrap());
    assert!(report(h).await.answers.is_empty());
}
