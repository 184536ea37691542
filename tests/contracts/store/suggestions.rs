//! Suggestions: what a run writes and tells, and what becomes of it.

use std::time::Duration;

use gleaner::domain::ids::EventId;
use gleaner::domain::intent::Intent;
use gleaner::domain::outcome::Reason;
use gleaner::domain::suggestion::{Suggestion, SuggestionRow, SuggestionStatus};
use gleaner::store::{
    Admission, AdmissionRequest, Claim, Claimed, Due, Fenced, IngestBatch, Metric, Record,
    Store as _, SuggestAfter,
};
use uuid::Uuid;

use super::harness::{Harness, LONG, done};
use super::samples::{
    budget, changing, charge, chat, event, event_id, failed, item, metric, request, run_end,
    suggestion, usage,
};

promises! {
    a_run_writes_what_it_suggests_in_its_order,
    a_run_owes_the_event_that_tells_what_is_new,
    a_run_with_nothing_new_owes_nothing_and_is_skipped,
    a_failed_run_owes_nothing,
    what_was_suggested_before_is_neither_written_nor_told_again,
    a_suggestion_that_is_made_twice_in_a_run_is_one,
    a_dismissed_suggestion_never_returns,
    dismissing_twice_changes_nothing,
    an_unknown_suggestion_cannot_be_dismissed,
    a_fenced_run_writes_nothing,
    a_run_has_its_figures_and_keeps_its_answers,
    suggestions_of_all_events_are_listed_or_those_of_one,
    a_report_tells_suggestions,
}

/// Due at once, and the next at once.
const ALWAYS: SuggestAfter =
    SuggestAfter { every: Duration::from_micros(1), quiet: Duration::ZERO };

/// A run that was just claimed, of an event that was just changed by a message.
async fn run(h: &impl Harness, message: &str) -> Claim {
    let changed = h.claim(&item(message)).await;
    let record = changing(&changed, message, ALWAYS);
    done(h.store().record(&changed.held, &record).await.unwrap());
    h.store().confirm(&item(message), record.completion.unwrap().id).await.unwrap();
    let due = h.store().tick(100, LONG, true).await.unwrap();
    let run = due.iter().find_map(|due| match due {
        Due::Hint(item) if !item.as_str().starts_with('m') => Some(item.clone()),
        Due::Hint(_) | Due::Owed(_) => None,
    });
    h.claim(&run.expect("a run is due")).await
}

/// A run that suggests these; which of them were new.
async fn suggest(h: &impl Harness, message: &str, suggested: &[Suggestion]) -> Vec<Suggestion> {
    let claim = run(h, message).await;
    done(h.store().record(&claim.held, &run_end(&claim, suggested)).await.unwrap()).new
}

async fn rows(h: &impl Harness) -> Vec<SuggestionRow> {
    h.store().suggestions(Some(&event_id())).await.unwrap()
}

async fn ids(h: &impl Harness) -> Vec<Uuid> {
    rows(h).await.iter().map(|row| row.suggestion.id).collect()
}

async fn a_run_writes_what_it_suggests_in_its_order(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let mut undated = suggestion("band");
    undated.due = None;
    let made = [suggestion("florist"), undated, suggestion("caterer")];
    assert_eq!(suggest(h, "m1", &made).await, made);
    assert_eq!(suggest(h, "m2", &[suggestion("baker")]).await, [suggestion("baker")]);
    let rows = rows(h).await;
    let kept: Vec<&Suggestion> = rows.iter().map(|row| &row.suggestion).collect();
    assert_eq!(kept, [&made[0], &made[1], &made[2], &suggestion("baker")]);
    let now = h.store().now().await.unwrap();
    for row in &rows {
        assert_eq!((&row.event, row.status), (&event_id(), SuggestionStatus::Open));
        assert_eq!((row.model.as_deref(), &row.dismissed_by), (Some("offline"), &None));
        assert!(row.created_at <= now && row.dismissed_at.is_none());
    }
}

async fn a_run_owes_the_event_that_tells_what_is_new(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = run(h, "m1").await;
    let end = run_end(&claim, &[suggestion("florist")]);
    let recorded = done(h.store().record(&claim.held, &end).await.unwrap());
    let news = recorded.news.unwrap();
    assert_eq!(news.body, b"Book a florist");
    let item = &claim.held.item;
    for _ in 0..2 {
        match h.store().claim(item, LONG).await.unwrap() {
            Claimed::Settled { owed } => assert_eq!(owed.unwrap().completion, news),
            other @ (Claimed::Held(_) | Claimed::NotNow) => panic!("not settled but {other:?}"),
        }
    }
    h.look_now(item).await;
    let due = h.store().tick(100, LONG, true).await.unwrap();
    assert!(matches!(&due[..], [Due::Owed(owed)] if owed.completion == news), "{due:?}");
    h.store().confirm(item, news.id).await.unwrap();
    let claimed = h.store().claim(item, LONG).await.unwrap();
    assert!(matches!(claimed, Claimed::Settled { owed: None }), "{claimed:?}");
    assert_eq!(h.store().queue().await.unwrap().completed, 2);
}

/// Asserts that a run's item is settled, owes nothing and is never looked at again.
async fn assert_silent(h: &impl Harness, claim: &Claim) {
    const LOOKED_AT: &str = "select count(*) from queue_items
        where kind = 'suggestion' and (look_at is not null or completion_id is not null)";
    assert_eq!(h.store().queue().await.unwrap().owed, 0);
    assert_eq!(h.count(LOOKED_AT).await, 0);
    let claimed = h.store().claim(&claim.held.item, LONG).await.unwrap();
    assert!(matches!(claimed, Claimed::Settled { owed: None }), "{claimed:?}");
}

async fn a_run_with_nothing_new_owes_nothing_and_is_skipped(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = run(h, "m1").await;
    let recorded = done(h.store().record(&claim.held, &run_end(&claim, &[])).await.unwrap());
    assert_eq!((recorded.new, recorded.news), (Vec::new(), None));
    assert_silent(h, &claim).await;
    let skipped = "select count(*) from queue_items
        where kind = 'suggestion' and status = 'skipped' and reason = 'nothing_to_do'";
    assert_eq!(h.count(skipped).await, 1);
}

async fn a_failed_run_owes_nothing(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let claim = run(h, "m1").await;
    let record = Record { completion: None, ..failed(&claim, Reason::Refused) };
    done(h.store().record(&claim.held, &record).await.unwrap());
    assert_silent(h, &claim).await;
    assert_eq!(h.store().queue().await.unwrap().failed, 1);
}

async fn what_was_suggested_before_is_neither_written_nor_told_again(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    suggest(h, "m1", &[suggestion("florist")]).await;
    let claim = run(h, "m2").await;
    let reworded = Suggestion { reason: "again".to_owned(), ..suggestion("florist") };
    let end = run_end(&claim, &[reworded, suggestion("band")]);
    let recorded = done(h.store().record(&claim.held, &end).await.unwrap());
    assert_eq!(recorded.new, [suggestion("band")]);
    assert_eq!(recorded.news.unwrap().body, b"Book a band");
    assert_eq!(rows(h).await[0].suggestion, suggestion("florist"));
}

async fn a_suggestion_that_is_made_twice_in_a_run_is_one(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let twice = [suggestion("florist"), suggestion("florist")];
    assert_eq!(suggest(h, "m1", &twice).await, [suggestion("florist")]);
    assert_eq!(ids(h).await, [suggestion("florist").id]);
}

async fn a_dismissed_suggestion_never_returns(h: &impl Harness) {
    h.ingest(&chat(2)).await;
    let florist = suggestion("florist");
    suggest(h, "m1", std::slice::from_ref(&florist)).await;
    assert!(h.store().dismiss_suggestion(florist.id, "Ann").await.unwrap());
    let claim = run(h, "m2").await;
    let end = run_end(&claim, std::slice::from_ref(&florist));
    let recorded = done(h.store().record(&claim.held, &end).await.unwrap());
    assert_eq!((recorded.new, recorded.news), (Vec::new(), None));
    let rows = rows(h).await;
    assert_eq!((rows.len(), rows[0].status), (1, SuggestionStatus::Dismissed));
    assert_eq!(rows[0].dismissed_by.as_deref(), Some("Ann"));
}

async fn dismissing_twice_changes_nothing(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let made = [suggestion("florist"), suggestion("band")];
    suggest(h, "m1", &made).await;
    assert!(h.store().dismiss_suggestion(made[0].id, "Ann").await.unwrap());
    let once = rows(h).await;
    assert!(h.store().dismiss_suggestion(made[0].id, "Ben").await.unwrap());
    assert_eq!(rows(h).await, once);
    assert!(once[0].dismissed_at.is_some());
    assert_eq!((once[1].status, once[1].dismissed_at), (SuggestionStatus::Open, None));
}

async fn an_unknown_suggestion_cannot_be_dismissed(h: &impl Harness) {
    assert!(!h.store().dismiss_suggestion(Uuid::nil(), "Ann").await.unwrap());
}

async fn a_fenced_run_writes_nothing(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    let slow = run(h, "m1").await;
    h.store().renew(std::slice::from_ref(&slow.held), Duration::ZERO).await.unwrap();
    let again = h.claim(&slow.held.item).await;
    let end = run_end(&slow, &[suggestion("florist")]);
    assert_eq!(h.store().record(&slow.held, &end).await.unwrap(), Fenced::Lost);
    assert!(rows(h).await.is_empty());
    let end = run_end(&again, &[suggestion("florist")]);
    assert_eq!(done(h.store().record(&again.held, &end).await.unwrap()).new.len(), 1);
    let twice = h.store().record(&again.held, &run_end(&again, &[suggestion("band")])).await;
    assert_eq!(twice.unwrap(), Fenced::Lost);
    assert_eq!(ids(h).await, [suggestion("florist").id]);
    assert!(h.store().was_recorded(&again.held).await.unwrap());
}

async fn a_run_has_its_figures_and_keeps_its_answers(h: &impl Harness) {
    const METRIC: &str = "select count(*) from metrics
        where agent = 'suggester' and intent = 'none' and event_id = 'wedding' and calls = 1
            and cost = 70 and outcome = 'completed' and revision = -1";
    h.ingest(&chat(1)).await;
    let dead = run(h, "m1").await;
    let asked = AdmissionRequest {
        revision: dead.revision(),
        agent: "suggester",
        budgets: vec![budget("budget:event:wedding", 500)],
        ..request(100)
    };
    let admission = h.store().admit(&dead.held, &asked).await.unwrap();
    let Admission::Admitted { ledger } = admission else { panic!("{admission:?}") };
    h.store().charge(ledger, &charge(70)).await.unwrap();
    h.store().renew(std::slice::from_ref(&dead.held), Duration::ZERO).await.unwrap();
    let claim = h.claim(&dead.held.item).await;
    assert_eq!(claim.kept.len(), 1);
    assert_eq!((claim.spent.calls, claim.spent.usage), (1, usage()));
    let figures = Metric { intent: Intent::None, agent: Some("suggester"), ..metric(false) };
    let record = Record { metric: Some(figures), ..run_end(&claim, &[suggestion("florist")]) };
    done(h.store().record(&claim.held, &record).await.unwrap());
    assert_eq!(h.count(METRIC).await, 1);
    assert_eq!(h.count("select count(*) from enrichments where event_id <> 'wedding'").await, 0);
    h.assert_balanced().await;
}

async fn suggestions_of_all_events_are_listed_or_those_of_one(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    suggest(h, "m1", &[suggestion("florist")]).await;
    let other = EventId::parse("offsite").unwrap();
    h.ingest(&IngestBatch {
        event: gleaner::domain::chat::Event { id: other.clone(), ..event() },
        messages: Vec::new(),
    })
    .await;
    assert_eq!(h.store().suggestions(None).await.unwrap(), rows(h).await);
    assert_eq!(h.store().suggestions(None).await.unwrap().len(), 1);
    assert!(h.store().suggestions(Some(&other)).await.unwrap().is_empty());
}

async fn a_report_tells_suggestions(h: &impl Harness) {
    h.ingest(&chat(1)).await;
    suggest(h, "m1", &[suggestion("florist"), suggestion("band")]).await;
    h.store().dismiss_suggestion(suggestion("florist").id, "Ann").await.unwrap();
    let report = h.store().event_report(&event_id()).await.unwrap().unwrap();
    assert_eq!(report.suggestions, rows(h).await);
    assert_eq!(report.suggestions.len(), 2);
}
